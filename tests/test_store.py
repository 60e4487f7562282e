"""The disk of a node, against killed processes, full disks, damaged files and a second owner."""

from __future__ import annotations

import itertools
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from minichain.codec import encode
from minichain.consensus.bft.messages import Equivocation, Vote, cast_vote
from minichain.errors import ConfigError, NetworkError
from minichain.ledger.certificate import PREVOTE, FinalBlock, Handover, QuorumCertificate, Snapshot
from minichain.ledger.state import Writes
from minichain.ledger.types import Block, Header, transaction_id
from minichain.node.sync import blocks_from
from minichain.sim.memory import MemoryStore, PowerCut
from minichain.store import SqliteStore, Store, back_up, kept_height
from tests.builders import committee, key

CHAIN = b"\7" * 32
ITEMS = [(b"genesis", b"value")]
ROOT = Path(__file__).parent.parent


def block(height: int, parent: bytes = bytes(32), time_ms: int = 0) -> Block:
    fields: dict[str, Any] = {name: bytes(32) for name in Header.__struct_fields__}
    fields |= {"height": height, "time_ms": time_ms or height, "parent": parent, "tx_count": 1}
    return Block(Header(**fields), (b"transaction %d" % height,))


def final(made: Block) -> FinalBlock:
    return FinalBlock(made, QuorumCertificate(made.header.height, 0, made.header.id, ()))


def handover(height: int, weight: int) -> Handover:
    """Return how two members of weights 1 and this take over after a block."""
    last = final(block(height))
    return Handover(last.block.header, last.certificate, committee(1, weight).members)


def tx_id(height: int) -> bytes:
    return transaction_id(b"transaction %d" % height)


def keep(store: Store, made: Block, *, for_ever: bool = True) -> None:
    """Keep a block with what it did, and how to take it back unless it is kept for ever."""
    height = made.header.height
    writes: Writes = {b"height": b"%d" % height, b"odd": b"1" if height % 2 else None}
    state = dict(store.state_items())
    undo = None if for_ever else {name: state.get(name) for name in writes}
    store.add_block(final(made), (b"receipt %d" % height,), [tx_id(height)], writes, undo)


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
    assert (store.memory(), store.evidence(), store.handovers(10)) == ({}, (), ())


def test_what_a_turn_kept_is_there_after_reopening(path: Path, store: SqliteStore) -> None:
    evidence = encode(Equivocation(vote(1), vote(1, 0, bytes(32))))
    with store.turn():
        keep(store, block(1))
        store.remember(b"said 2", encode(vote(2, 0)))
        store.remember(b"said 1", encode(vote(2, 1)))
        store.remember(b"held", encode(block(2)))
        store.accuse(evidence)
        store.accuse(evidence)
    store.close()
    again = open_store(path)
    assert again.block(1) == final(block(1))
    assert again.receipts(1) == (b"receipt 1",)
    assert again.find(tx_id(1)) == (1, 0)
    assert dict(again.state_items()) == {**dict(ITEMS), b"height": b"1", b"odd": b"1"}
    remembered = {b"held": encode(block(2)), b"said 1": encode(vote(2, 1)), b"said 2": encode(vote(2, 0))}
    assert [*again.memory().items()] == [*remembered.items()], "in the order of their names"
    assert again.evidence() == (evidence,)
    again.close()


def test_a_turn_that_fails_leaves_nothing(store: SqliteStore) -> None:
    def turn() -> None:
        with store.turn():
            keep(store, block(1))
            store.remember(b"said", encode(vote(2)))
            raise KeyError("our bug")

    with pytest.raises(KeyError):
        turn()
    assert (store.height(), store.memory(), dict(store.state_items())) == (0, {}, dict(ITEMS))


def test_what_is_remembered_twice_is_kept_once(store: SqliteStore) -> None:
    for _ in range(3):
        with store.turn():
            store.remember(b"said", encode(vote(1)))
            store.remember(b"held", encode(block(1)))
    assert store.memory() == {b"held": encode(block(1)), b"said": encode(vote(1))}


def test_what_is_forgotten_is_gone_with_the_block_of_its_turn(path: Path, store: SqliteStore) -> None:
    """As when a final block ends what was remembered for deciding it."""
    with store.turn():
        for height in (1, 2):
            store.remember(b"said %d" % height, encode(vote(height)))
    with store.turn():
        keep(store, block(1))
        store.remember(b"said 1", None)
        store.remember(b"never said", None)
    store.close()
    again = open_store(path)
    assert again.memory() == {b"said 2": encode(vote(2))}
    again.close()


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


# --- taking back, on both disks ------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "memory"])
def either(request: pytest.FixtureRequest, path: Path) -> Iterator[Store]:
    """The disk of a real node, then that of a simulated one."""
    opened: Store = open_store(path) if request.param == "sqlite" else memory_store()
    yield opened
    opened.close()


def memory_store() -> MemoryStore:
    return MemoryStore(ITEMS)


def everything(store: Store) -> tuple[Any, ...]:
    """Return all that a store holds."""
    heights = range(1, store.height() + 2)
    found = [(store.block(h), store.receipts(h), store.find(tx_id(h))) for h in heights]
    kept = dict(store.state_items()), [*store.memory().items()], store.evidence(), store.handovers(100)
    return store.height(), found, *kept


def keep_three(store: Store) -> list[tuple[Any, ...]]:
    """Keep three blocks; return what the store held before each."""
    before = []
    for height in (1, 2, 3):
        before.append(everything(store))
        with store.turn():
            keep(store, block(height), for_ever=False)
            if height == 2:
                store.hand_over(handover(2, 2))
    return before


def test_a_block_taken_back_leaves_no_trace(either: Store) -> None:
    before = keep_three(either)
    assert either.undo(3) == {b"height": b"2", b"odd": None}
    assert either.undo(1) == {b"height": None, b"odd": None}
    assert either.handovers(3) == (handover(2, 2),)
    for height in (3, 2, 1):
        with either.turn():
            either.undo_block()
        assert everything(either) == before[height - 1]


def test_taking_back_leaves_memory_and_evidence_alone(either: Store) -> None:
    keep_three(either)
    with either.turn():
        either.remember(b"name", b"data")
        either.accuse(b"evidence")
        either.undo_block()
    assert (either.memory(), either.evidence()) == ({b"name": b"data"}, (b"evidence",))


def change_chain(store: Store) -> None:
    """Keep two other blocks in the place of the last two, and one more, in one turn."""
    for _ in range(2):
        store.undo_block()
    for height in (2, 3, 4):
        keep(store, block(height, time_ms=77), for_ever=False)
    store.remember(b"name", b"data")


def test_other_blocks_take_the_place_of_those_taken_back(either: Store) -> None:
    keep_three(either)
    with either.turn():
        change_chain(either)
    times = [kept.block.header.time_ms for kept in map(either.block, (1, 2, 3, 4)) if kept]
    assert times == [1, 77, 77, 77]
    assert dict(either.state_items()) == {**dict(ITEMS), b"height": b"4"}
    assert (either.find(tx_id(4)), either.handovers(100)) == ((4, 0), ())


def test_a_crash_while_blocks_are_taken_back_changes_nothing(path: Path, either: Store) -> None:
    keep_three(either)
    before = everything(either)

    def turn() -> None:
        with either.turn():
            change_chain(either)
            raise KeyError("our bug")

    with pytest.raises(KeyError):
        turn()
    assert everything(either) == before
    if isinstance(either, MemoryStore):
        either.cut_power = True
        with pytest.raises(PowerCut), either.turn():
            change_chain(either)
    else:
        either.close()
        either = open_store(path)
    assert everything(either) == before
    with either.turn():
        change_chain(either)
    assert either.height() == 4
    either.close()


def test_a_block_kept_for_ever_is_not_taken_back(either: Store) -> None:
    with either.turn():
        keep(either, block(1))
        keep(either, block(2), for_ever=False)
    before = everything(either)
    with pytest.raises(AssertionError, match="block 1 was kept for ever"):
        either.undo(1)

    def turn() -> None:
        with either.turn():
            either.undo_block()
            either.undo_block()

    with pytest.raises(AssertionError, match="block 1 was kept for ever"):
        turn()
    assert everything(either) == before


def test_an_empty_store_begins_with_a_snapshot_and_goes_on(path: Path, either: Store) -> None:
    snapshot = Snapshot(final(block(7)), (handover(2, 1), handover(5, 2)), ((b"height", b"7"), (b"odd", b"1")))
    assert either.began() == 0
    with either.turn():
        either.begin_at(snapshot)
    assert (either.began(), either.height(), either.block(6)) == (7, 7, None)
    assert (either.block(7), either.receipts(7)) == (snapshot.final, ())
    assert dict(either.state_items()) == dict(snapshot.items), "what the genesis gave is gone"
    assert either.handovers(6) == snapshot.handovers
    with either.turn():
        keep(either, block(8))
    if isinstance(either, SqliteStore):
        either.close()
        either = open_store(path)
    assert (either.began(), either.height(), dict(either.state_items())[b"height"]) == (7, 8, b"8")
    assert [kept.block.header.height for kept in blocks_from(either, 7)] == [7, 8]
    assert blocks_from(either, 6) == blocks_from(either, 0) == (), "whoever lacks more has to ask somebody else"
    with pytest.raises(AssertionError, match="for an empty store"), either.turn():
        either.begin_at(snapshot)
    either.close()


def test_what_is_forgotten_is_gone(either: Store) -> None:
    for name, data in ((b"b", b"1"), (b"a", b"2"), (b"b", b"3"), (b"c", b"4"), (b"c", None), (b"never", None)):
        with either.turn():
            either.remember(name, data)
    assert [*either.memory().items()] == [(b"a", b"2"), (b"b", b"3")]
    with either.turn():
        either.remember(b"a", None)
        either.remember(b"b", None)
        either.remember(b"b", b"5")
    assert either.memory() == {b"b": b"5"}


def happen(store: Store, chance: random.Random, turn: int) -> None:
    """Do one of the things that a node does in a turn."""
    match chance.randrange(7):
        case 0 | 1 | 2:
            keep(store, block(store.height() + 1, time_ms=turn), for_ever=False)
        case 3 if store.height():
            store.undo_block()
        case 4:
            store.remember(b"%d" % chance.randrange(5), chance.choice([None, b"%d" % turn]))
        case 5:
            store.accuse(b"%d" % chance.randrange(5))
        case 6 if all(one.header.height != store.height() for one in store.handovers(turn)):
            store.hand_over(handover(store.height(), turn))


@pytest.mark.parametrize("seed", range(10))
def test_seed_no_node_can_tell_which_disk_it_has(store: SqliteStore, seed: int) -> None:
    stores, chance = (store, memory_store()), random.Random(seed)
    for turn in range(1, 60):
        fate, fails, parts = chance.random(), chance.random() < 0.2, chance.randrange(5)
        for each in stores:
            same = random.Random(fate)
            with suppress(KeyError), each.turn():
                for _ in range(parts):
                    happen(each, same, turn)
                if fails:
                    raise KeyError("our bug")
        assert everything(stores[0]) == everything(stores[1])


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
        store.memory()
        with store.turn():
            keep(store, block(store.height() + 1))
    finally:
        store.close()


@pytest.mark.parametrize("seed", range(12))
def test_whatever_a_damaged_file_does_it_is_one_clear_error(path: Path, store: SqliteStore, seed: int) -> None:
    for height in range(1, 40):
        with store.turn():
            keep(store, block(height))
            store.remember(b"said", encode(vote(height + 1)))
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
        keep(store, block(1), for_ever=False)
        store.hand_over(handover(1, 1))
    store.close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE blocks SET final=substr(final, 1, 20), receipts=x'c1', undo=x'c1'")
        raw.execute("UPDATE handovers SET handover=x'c1'")
    raw.close()
    again = open_store(path)
    for read in (again.block, again.receipts, again.undo, lambda height: again.handovers(height + 1)):
        with pytest.raises(NetworkError, match=r"is damaged: .* move it away; once the other members have decided"):
            read(1)
    again.close()


DAMAGED_BY_HAND = {
    "the first": ("DELETE FROM blocks WHERE height=1", "blocks are missing"),
    "one in between": ("DELETE FROM blocks WHERE height=2", "blocks are missing"),
    "all": ("DELETE FROM blocks", "blocks are missing"),
    "another in its place": (
        "UPDATE blocks SET final=(SELECT final FROM blocks WHERE height=3) WHERE height=2",
        "block 3 is in the place of block 2",
    ),
}


@pytest.mark.parametrize(("change", "said"), DAMAGED_BY_HAND.values(), ids=DAMAGED_BY_HAND)
def test_a_block_that_is_not_where_it_was_is_one_clear_error(
    path: Path, store: SqliteStore, change: str, said: str
) -> None:
    for height in (1, 2, 3):
        with store.turn():
            keep(store, block(height))
    store.close()
    with sqlite3.connect(path) as raw:
        raw.execute(change)
    raw.close()
    with pytest.raises(NetworkError, match=f"is damaged: {said}: move it away"), closing(open_store(path)) as again:
        again.block(2)


def test_a_block_that_is_taken_away_under_a_running_node_is_one_clear_error(path: Path, store: SqliteStore) -> None:
    for height in (1, 2):
        with store.turn():
            keep(store, block(height))
    with sqlite3.connect(path) as raw:
        raw.execute("DELETE FROM blocks WHERE height=1")
    raw.close()
    with pytest.raises(NetworkError, match="is damaged: block 1 is missing: move it away"):
        blocks_from(store, 1)
    assert store.block(3) is None, "one that is not there yet is no damage"


def test_a_damaged_lock_is_not_taken_for_a_damaged_chain(path: Path, store: SqliteStore) -> None:
    store.close()
    lock = path.with_name(f"{path.name}.lock")
    lock.write_bytes(b"no database" * 999)
    with pytest.raises(NetworkError, match=r"the lock .*\.lock is damaged: .* Delete it: nothing is kept in it"):
        open_store(path)
    lock.unlink()
    open_store(path).close()


@pytest.mark.parametrize("left", [None, b"", b"no database" * 999], ids=["gone", "empty", "damaged"])
def test_whoever_reads_a_chain_file_that_is_none_makes_none_and_goes_on(tmp_path: Path, left: bytes | None) -> None:
    file, copy = tmp_path / "chain.sqlite", tmp_path / "backup.sqlite"
    if left is not None:
        file.write_bytes(left)
    assert kept_height(file) == 0
    assert file.exists() is (left is not None)
    if left == b"":  # which SQLite takes for a database without tables
        return
    with pytest.raises(NetworkError, match=r"cannot copy the chain file .*chain\.sqlite to .*backup\.sqlite"):
        back_up(file, copy)
    assert not copy.exists()


# --- the full disk -------------------------------------------------------------------------------------------------


def fill(store: SqliteStore) -> None:
    for height in itertools.count(1):
        with store.turn():
            keep(store, block(height))
            store.remember(b"held", bytes(2_000 * height))


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
            store.remember(b"said", encode(vote(height, 0, made.header.id)))
            store.remember(b"held", encode(made))
        print("said", height, flush=True)
        with store.turn():
            keep(store, made)
            store.remember(b"said", None)
            store.remember(b"held", None)
        print("kept", height, flush=True)
        parent = made.header.id


def change_for_ever(path: Path) -> None:
    """Take blocks back and keep more in their place, as a miner does; say how many stand."""
    store = open_store(path)
    for turn in itertools.count(1):
        with store.turn():
            for _ in range(min(turn % 4, store.height())):
                store.undo_block()
            for height in range(store.height() + 1, store.height() + 2 + turn % 4):
                last = store.block(height - 1)
                keep(store, block(height, last.block.header.id if last else bytes(32), turn), for_ever=False)
        print("kept", store.height(), flush=True)


def require_whole(store: SqliteStore, safe: dict[str, int]) -> None:
    height, parent = store.height(), bytes(32)
    assert height >= safe["kept"], "a block that was called final is gone"
    for each in range(1, height + 1):
        kept = store.block(each)
        assert kept is not None
        assert (kept.block.header.height, kept.block.header.parent) == (each, parent)
        assert (store.receipts(each), store.find(tx_id(each))) == ((b"receipt %d" % each,), (each, 0))
        parent = kept.block.header.id
    assert (store.block(height + 1), store.find(tx_id(height + 1))) == (None, None)
    expected = {**dict(ITEMS), b"height": b"%d" % height, **({b"odd": b"1"} if height % 2 else {})}
    assert dict(store.state_items()) == expected
    memory = store.memory()
    assert memory or safe["said"] <= height, "a vote that was sent is forgotten"
    if memory:
        made = block(height + 1, parent)
        assert memory == {b"said": encode(vote(height + 1, 0, made.header.id)), b"held": encode(made)}


@pytest.mark.parametrize("life", ["write_for_ever", "change_for_ever"])
def test_a_killed_process_loses_nothing_that_it_said(path: Path, life: str) -> None:
    chance = random.Random(1)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    safe = {"said": 0, "kept": 0}
    for _ in range(10):
        child = subprocess.Popen(
            [sys.executable, __file__, life, str(path)], stdout=subprocess.PIPE, text=True, env=environment
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
    LIVES: dict[str, Callable[[Path], None]] = {"write_for_ever": write_for_ever, "change_for_ever": change_for_ever}
    LIVES[sys.argv[1]](Path(sys.argv[2]))
