"""The disk of a node, against killed processes, full disks, damaged files and a second owner."""

from __future__ import annotations

import itertools
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from minichain.consensus.bft.messages import Equivocation, Vote, cast_vote
from minichain.crypto import digest
from minichain.errors import ConfigError, NetworkError
from minichain.ledger.certificate import PREVOTE, FinalBlock, QuorumCertificate
from minichain.ledger.types import Block, Header
from minichain.store import SqliteStore
from tests.builders import key

CHAIN = b"\7" * 32
ITEMS = [(b"genesis", b"value")]
ROOT = Path(__file__).parent.parent


def block(height: int, parent: bytes = bytes(32)) -> Block:
    fields: dict[str, Any] = {name: bytes(32) for name in Header.__struct_fields__}
    fields |= {"height": height, "time_ms": height, "parent": parent, "tx_count": 1}
    return Block(Header(**fields), (b"transaction %d" % height,))


def final(made: Block) -> FinalBlock:
    return FinalBlock(made, QuorumCertificate(made.header.height, 0, made.header.id, ()))


def tx_id(height: int) -> bytes:
    return digest("transaction", b"%d" % height)


def keep(store: SqliteStore, made: Block) -> None:
    height = made.header.height
    writes = {b"height": b"%d" % height, b"odd": b"1" if height % 2 else None}
    store.add_block(final(made), (b"receipt %d" % height,), [tx_id(height)], writes)


def vote(height: int, round_: int = 0, block_id: bytes | None = None) -> Vote:
    return cast_vote(key("node-0"), CHAIN, PREVOTE, height, round_, block_id)


def open_store(path: Path) -> SqliteStore:
    return SqliteStore(path, CHAIN, ITEMS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chain.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    opened = open_store(path)
    yield opened
    opened.close()


# --- keeping -------------------------------------------------------------------------------------------------------


def test_a_new_store_holds_the_genesis_and_nothing_else(store: SqliteStore) -> None:
    assert dict(store.state_items()) == dict(ITEMS)
    assert (store.height(), store.block(1), store.receipts(1), store.find(tx_id(1))) == (0, None, (), None)
    assert (store.said(1), store.held(1), store.evidence()) == ((), (), ())


def test_what_a_turn_kept_is_there_after_reopening(path: Path, store: SqliteStore) -> None:
    evidence = Equivocation(vote(1), vote(1, 0, bytes(32)))
    with store.turn():
        keep(store, block(1))
        store.say(vote(2, 1))
        store.say(vote(2, 0))
        store.hold(block(2))
        store.accuse(evidence)
        store.accuse(evidence)
    store.close()
    again = open_store(path)
    assert again.block(1) == final(block(1))
    assert again.receipts(1) == (b"receipt 1",)
    assert again.find(tx_id(1)) == (1, 0)
    assert dict(again.state_items()) == {**dict(ITEMS), b"height": b"1", b"odd": b"1"}
    assert again.said(2) == (vote(2, 1), vote(2, 0)), "in the order they were said"
    assert again.held(2) == (block(2),)
    assert again.evidence() == (evidence,)
    again.close()


def test_a_turn_that_fails_leaves_nothing(store: SqliteStore) -> None:
    def turn() -> None:
        with store.turn():
            keep(store, block(1))
            store.say(vote(2))
            raise KeyError("our bug")

    with pytest.raises(KeyError):
        turn()
    assert (store.height(), store.said(2), dict(store.state_items())) == (0, (), dict(ITEMS))


def test_what_is_said_twice_is_kept_once(store: SqliteStore) -> None:
    for _ in range(3):
        with store.turn():
            store.say(vote(1))
            store.hold(block(1))
    assert (store.said(1), store.held(1)) == ((vote(1),), (block(1),))


def test_a_final_block_ends_what_was_kept_for_deciding_it(store: SqliteStore) -> None:
    with store.turn():
        for height in (1, 2):
            store.say(vote(height))
            store.hold(block(height))
    with store.turn():
        keep(store, block(1))
    assert (store.said(1), store.held(1)) == ((), ())
    assert (store.said(2), store.held(2)) == ((vote(2),), (block(2),))


@pytest.mark.parametrize("height", [1, 3, 0, -1])
def test_a_gap_in_the_chain_is_our_bug(store: SqliteStore, height: int) -> None:
    with store.turn():
        keep(store, block(1))
    with pytest.raises(AssertionError, match=f"block {height} after block 1"), store.turn():
        keep(store, block(height))
    assert store.height() == 1


def test_a_reader_never_waits_and_never_disturbs(path: Path, store: SqliteStore) -> None:
    """A trainee may open the file of a running node with any tool."""
    reader = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    for height in (1, 2, 3):
        with store.turn():
            keep(store, block(height))
        assert reader.execute("SELECT max(height) FROM blocks").fetchone() == (height,)
    reader.close()


# --- the wrong file ------------------------------------------------------------------------------------------------


def test_a_second_owner_is_refused_and_the_first_goes_on(path: Path, store: SqliteStore) -> None:
    program = f"from tests.test_store import *\nopen_store(Path({str(path)!r}))"
    second = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert second.returncode != 0
    assert "another process has this chain open; run `minichain down` first" in second.stderr
    with pytest.raises(NetworkError, match="another process has this chain open"):
        open_store(path)
    with store.turn():
        keep(store, block(1))
    store.close()
    open_store(path).close()


def test_the_file_of_another_chain_is_refused(path: Path, store: SqliteStore) -> None:
    store.close()
    for _ in range(2):  # a refusal leaves no lock behind
        with pytest.raises(ConfigError, match="belongs to another chain: use its own genesis, or a new directory"):
            SqliteStore(path, bytes(32), ITEMS)
    open_store(path).close()


def test_the_file_of_another_version_is_refused(path: Path, store: SqliteStore) -> None:
    store.close()
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version=99")
    raw.close()
    with pytest.raises(ConfigError, match="written by another version of minichain: use a new directory"):
        open_store(path)


def test_no_directory_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"cannot use the chain file .*unable to open database file"):
        open_store(tmp_path / "missing" / "chain.sqlite")


def test_a_file_that_is_no_database_is_one_clear_error(path: Path) -> None:
    path.write_bytes(b"this is no database" * 1_000)
    with pytest.raises(NetworkError, match=r"cannot use the chain file .*not a database: move it away"):
        open_store(path)


def use(path: Path) -> None:
    """Read everything and write a little, as a node does when it starts."""
    store = open_store(path)
    try:
        list(store.state_items())
        for height in range(1, store.height() + 1):
            store.block(height)
            store.receipts(height)
            store.find(tx_id(height))
        store.said(store.height() + 1)
        with store.turn():
            keep(store, block(store.height() + 1))
    finally:
        store.close()


@pytest.mark.parametrize("seed", range(12))
def test_whatever_a_damaged_file_does_it_is_one_clear_error(path: Path, store: SqliteStore, seed: int) -> None:
    for height in range(1, 40):
        with store.turn():
            keep(store, block(height))
            store.say(vote(height + 1))
    store.close()
    content, chance = bytearray(path.read_bytes()), random.Random(seed)
    start = chance.randrange(4_096 if seed else 16, len(content) - 2_000)
    content[start : start + 2_000] = chance.randbytes(2_000)
    path.write_bytes(content)
    # SQLite keeps no checksums: what it does not notice, the state root of the last block does.
    with suppress(NetworkError):
        use(path)


def test_a_block_that_rotted_on_the_disk_is_one_clear_error(path: Path, store: SqliteStore) -> None:
    with store.turn():
        keep(store, block(1))
        store.say(vote(2))
    store.close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE blocks SET final=substr(final, 1, 20)")
        raw.execute("UPDATE said SET message=x'c1'")
    raw.close()
    again = open_store(path)
    for read in (again.block, lambda height: again.said(height + 1)):
        with pytest.raises(NetworkError, match=r"is damaged: .* move it away; once the other members have decided"):
            read(1)
    again.close()


# --- the full disk -------------------------------------------------------------------------------------------------


def fill(store: SqliteStore) -> None:
    for height in itertools.count(1):
        with store.turn():
            keep(store, block(height))
            store.hold(Block(block(height + 1).header, (bytes(2_000),)))


def test_a_full_disk_is_one_clear_error_and_nothing_final_is_lost(path: Path, store: SqliteStore) -> None:
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count={pages + 8}")
    with pytest.raises(NetworkError) as caught:
        fill(store)
    assert str(caught.value) == (
        f"cannot write the chain file {path}: database or disk is full: free some space, then restart the node; "
        "nothing that was final is lost"
    )
    height = store.height()
    assert height >= 1
    assert store.block(height) is not None
    store.close()
    again = open_store(path)
    assert again.height() == height
    with again.turn():
        keep(again, block(height + 1))
    again.close()


# --- the killed process --------------------------------------------------------------------------------------------


def write_for_ever(path: Path) -> None:
    """Keep blocks and words; say on standard output what is safe, as effects are performed after the commit."""
    store = open_store(path)
    last = store.block(store.height())
    parent = last.block.header.id if last else bytes(32)
    for height in itertools.count(store.height() + 1):
        made = block(height, parent)
        with store.turn():
            store.say(vote(height, 0, made.header.id))
            store.hold(made)
        print("said", height, flush=True)
        with store.turn():
            keep(store, made)
        print("kept", height, flush=True)
        parent = made.header.id


def require_whole(store: SqliteStore, safe: dict[str, int]) -> None:
    height, parent = store.height(), bytes(32)
    assert height >= safe["kept"], "a block that was called final is gone"
    for each in range(1, height + 1):
        kept = store.block(each)
        assert kept is not None
        assert (kept.block.header.height, kept.block.header.parent) == (each, parent)
        assert (store.receipts(each), store.find(tx_id(each))) == ((b"receipt %d" % each,), (each, 0))
        assert (store.said(each), store.held(each)) == ((), ())
        parent = kept.block.header.id
    assert (store.block(height + 1), store.find(tx_id(height + 1))) == (None, None)
    expected = {**dict(ITEMS), b"height": b"%d" % height, **({b"odd": b"1"} if height % 2 else {})}
    assert dict(store.state_items()) == expected
    if safe["said"] > height:
        made = block(height + 1, parent)
        assert store.said(height + 1) == (vote(height + 1, 0, made.header.id),), "a vote that was sent is forgotten"
        assert store.held(height + 1) == (made,)


def test_a_killed_process_loses_nothing_that_it_said(path: Path) -> None:
    chance = random.Random(1)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    safe = {"said": 0, "kept": 0}
    for _ in range(10):
        child = subprocess.Popen(
            [sys.executable, __file__, str(path)], stdout=subprocess.PIPE, text=True, env=environment
        )
        assert child.stdout is not None
        told = [child.stdout.readline() for _ in range(chance.randrange(1, 60))]
        child.kill()
        told += child.stdout.read().splitlines()
        child.wait()
        child.stdout.close()
        for word, height in (line.split() for line in told if line.count(" ") == 1):
            safe[word] = max(safe[word], int(height or 0))
        store = open_store(path)
        require_whole(store, safe)
        safe["kept"] = store.height()
        store.close()
    assert safe["kept"] > 20


if __name__ == "__main__":
    write_for_ever(Path(sys.argv[1]))
