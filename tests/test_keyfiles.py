"""Secrets at rest and on the way: key files, an encrypted network, and nothing secret where people look."""

from __future__ import annotations

import base64
import json
import os
import re
import stat
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
from click.testing import CliRunner

import minichain as mc
from minichain.cli import main, terminal
from minichain.cli.keys import key
from minichain.client.local import LocalWorld
from minichain.crypto import KeyPair, Passphrase, Secret
from minichain.errors import DecodeError, MinichainError, NetworkError, UsageError
from minichain.identity import vault
from minichain.ledger.local import new_chain, root_of, validator_key, wallet_key
from minichain.ledger.types import Call
from minichain.live import keyfile, process
from minichain.live.home import Home
from minichain.live.transport import Transport

ROOT = Path(__file__).parent.parent
WORDS = "four words of it"
HAS_MODES = sys.platform != "win32"


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Alice's key file."""
    file = tmp_path / "keys" / "alice.key"
    mc.Wallet("Alice", KeyPair(b"a" * 32)).save(file, WORDS)
    return file


# --- one file --------------------------------------------------------------------------------------------------------


def test_a_wallet_is_kept_in_a_file_with_the_account_that_it_signs_for(tmp_path: Path) -> None:
    first = KeyPair(b"a" * 32)
    mc.Wallet("Älice 登", KeyPair(b"b" * 32), first.public).save(tmp_path / "key", WORDS)
    found = mc.Wallet.load(tmp_path / "key", WORDS)
    assert (found.name, found.did, found.key.seed) == ("Älice 登", first.did, b"b" * 32)
    assert keyfile.show(tmp_path / "key").account == first.did, "what is public needs no passphrase"
    assert b"b" * 32 not in (tmp_path / "key").read_bytes()


@pytest.mark.skipif(not HAS_MODES, reason="this system has no such modes")
def test_only_its_owner_may_read_it(saved: Path) -> None:
    before = os.umask(0)
    try:
        mc.Wallet("Bob", KeyPair(b"b" * 32)).save(saved.parent.parent / "open" / "key", WORDS)
    finally:
        os.umask(before)
    for file in (saved, saved.parent.parent / "open" / "key"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_it_is_never_overwritten_silently(saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(UsageError, match="exists already: choose another name, or move that file away"):
        mc.Wallet("Bob", KeyPair(b"b" * 32)).save(saved, WORDS)
    assert saved.read_bytes() == before
    assert [file.name for file in saved.parent.iterdir()] == ["alice.key"], "and no draft is left"


def test_a_disk_without_links_keeps_that_promise(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError("this disk has no links")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(UsageError, match="exists already"):
        mc.Wallet("Bob", KeyPair(b"b" * 32)).save(saved, WORDS)
    mc.Wallet("Bob", KeyPair(b"b" * 32)).save(saved.with_name("bob.key"), WORDS)
    assert mc.Wallet.load(saved.with_name("bob.key"), WORDS).name == "Bob"


def test_a_write_that_fails_leaves_the_old_file(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, held = saved.read_bytes(), keyfile.load(saved, Passphrase(WORDS))

    def refuse(*_: Any) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as full:
        full.setattr(os, "fsync", refuse)
        with pytest.raises(OSError, match="full"):
            keyfile.save(saved, held, Passphrase("quite another one"), replace=True)
    assert saved.read_bytes() == before
    assert [file.name for file in saved.parent.iterdir()] == ["alice.key"]


def test_a_wrong_passphrase_and_a_damaged_file_are_told_apart(saved: Path) -> None:
    with pytest.raises(DecodeError, match=r"^wrong passphrase for .*alice.key$"):
        mc.Wallet.load(saved, "four words of is")
    whole = saved.read_bytes()
    for at in range(0, len(whole), 7):
        saved.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(DecodeError, match=r"damaged|is not a key file|another version"):
            mc.Wallet.load(saved, WORDS)
        saved.write_bytes(whole[:at])
        with pytest.raises(DecodeError, match="is not a key file, or is damaged: take another copy"):
            mc.Wallet.load(saved, WORDS)
    with pytest.raises(FileNotFoundError):
        mc.Wallet.load(saved.with_name("none"), WORDS)


@pytest.mark.parametrize("length", [0, 5, 32, 100])
def test_what_is_left_of_a_secret_is_no_secret(saved: Path, length: int) -> None:
    """From an empty file, or from the first bytes that all key files share, anybody would derive the same keys."""
    (saved.parent / "root").write_bytes(saved.read_bytes()[:length])
    for passphrase in (None, Passphrase(WORDS)):
        with pytest.raises((DecodeError, NetworkError), match="root"):
            keyfile.secret(saved.parent / "root", passphrase)


def test_a_key_file_of_another_version_is_no_bare_secret(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes().replace(b"key file 1", b"key file 2"))
    assert keyfile.is_key_file(saved)
    with pytest.raises(DecodeError, match="of another version"):
        keyfile.secret(saved, Passphrase(WORDS))


def test_who_changes_what_is_public_in_a_file_is_found_out(saved: Path) -> None:
    file = keyfile.show(saved)
    for change in ({"name": "Mallory"}, {"account": KeyPair(b"m" * 32).did}, {"key": KeyPair(b"m" * 32).did}):
        lie = msgspec.structs.replace(file, **change)
        lie = msgspec.structs.replace(lie, check=keyfile._check(lie.name, lie.account, lie.key, lie.closed))
        saved.write_bytes(keyfile._written(lie))
        with pytest.raises(DecodeError, match="was changed: name, account and key are not those that were saved"):
            mc.Wallet.load(saved, WORDS)


def test_a_passphrase_that_protects_nothing_is_refused(tmp_path: Path) -> None:
    for short in ("", "1234567"):
        with pytest.raises(UsageError, match="a passphrase has at least 8 characters"):
            mc.Wallet("Alice", KeyPair(b"a" * 32)).save(tmp_path / "key", short)
    (tmp_path / "words").write_bytes(b"\xff\xff\xff\xff\xff\xff\xff\xff\n")
    with pytest.raises(UsageError, match="its first line is UTF-8 text"):
        keyfile.read_passphrase(tmp_path / "words")


# --- the commands ----------------------------------------------------------------------------------------------------


def run(*words: object, said: str = "", told: str | None = None, expect: int = 0) -> str:
    """Run a command; `said` is typed, `told` is the variable for machines."""
    done = CliRunner().invoke(main, [str(word) for word in words], input=said, env={terminal.PASSPHRASE: told})
    assert done.exit_code == expect, done.output
    return done.output


def test_a_key_is_made_shown_and_gets_another_passphrase(tmp_path: Path) -> None:
    file, words = tmp_path / "keys" / "me", tmp_path / "words"
    words.write_text("the words of a file\nnot this line\n", encoding="utf-8")
    made = run("key", "new", file, "--name", "Alice", said=f"{WORDS}\n{WORDS}\n")
    account = mc.Wallet.load(file, WORDS).did
    assert account in made
    assert WORDS not in made
    assert json.loads(run("key", "show", file, "--json")) == {
        "file": str(file),
        "name": "Alice",
        "account": account,
        "key": account,
    }
    run("key", "change-passphrase", file, "--new-passphrase-file", words, told=WORDS)
    assert mc.Wallet.load(file, "the words of a file").did == account
    assert "wrong passphrase" in run("key", "change-passphrase", file, told=WORDS, expect=3)
    assert "exists already" in run("key", "new", file, told=WORDS, expect=3)
    assert "at least 8 characters" in run("key", "new", tmp_path / "other", told="short", expect=3)
    assert not (tmp_path / "other").exists()


def test_no_process_started_later_finds_the_passphrase_in_its_environment(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(terminal.PASSPHRASE, WORDS)
    main(["key", "show", str(saved)], standalone_mode=False)
    assert terminal.PASSPHRASE not in os.environ


def test_no_command_takes_a_passphrase_on_its_command_line() -> None:
    """Everybody on a machine can read the arguments of its processes."""
    found = [
        (name, option.name)
        for name, command in [*main.commands.items(), *key.commands.items()]
        for option in command.params
        if "passphrase" in str(option.name)
    ]
    assert {option for _, option in found} == {"passphrase_file", "new_passphrase_file"}
    assert {name for name, _ in found} == {"up", "node", "relay", "new", "change-passphrase"}


# --- nothing secret where people look --------------------------------------------------------------------------------


def spellings(secret: bytes | str) -> set[bytes]:
    """The forms in which a secret may be written down."""
    raw = secret.encode() if isinstance(secret, str) else bytes(secret)
    coded = {raw.hex().encode(), raw.hex().upper().encode(), base64.b64encode(raw), base64.urlsafe_b64encode(raw)}
    return {raw, repr(raw)[2:-1].encode(), str(list(raw)).encode(), *coded}


def leaked(text: str | bytes, *secrets: bytes | str) -> list[bytes]:
    data = text.encode(errors="replace") if isinstance(text, str) else text
    return [form for secret in secrets for form in spellings(secret) if form in data]


SEED, PLANTED, SHORT = bytes(range(101, 133)), "planted passphrase 4711", "pw:4711"


def break_a_wallet(tmp_path: Path) -> None:
    mc.Wallet("Alice", KeyPair(Secret(SEED))).save(tmp_path / "missing\0", PLANTED)


def open_with_the_wrong_one(tmp_path: Path) -> None:
    mc.Wallet("Alice", KeyPair(Secret(SEED))).save(tmp_path / "a", WORDS)
    keyfile.load(tmp_path / "a", Passphrase(PLANTED))


def overwrite(tmp_path: Path) -> None:
    for _ in range(2):
        mc.Wallet("Alice", KeyPair(Secret(SEED))).save(tmp_path / "b", PLANTED)


def listen_twice(tmp_path: Path) -> None:
    first = Transport(KeyPair(Secret(SEED)), (), "127.0.0.1", 0, 0)
    try:
        Transport(KeyPair(Secret(SEED)), (), "127.0.0.1", first.peer_port, 0)
    finally:
        first.close()


def rotate_twice(tmp_path: Path) -> None:
    with mc.Network.simulated(1) as net:
        alice = mc.Wallet("Alice", KeyPair(Secret(SEED)))
        net.identity.guard(alice, [net.wallet("Ann")], 1)
        net.identity.rotate(alice)
        net.identity.guard(alice, [net.wallet("Ann")], 1)


def save_with_no_text(tmp_path: Path) -> None:
    held = keyfile.Held("A", KeyPair(SEED).did, KeyPair(SEED))
    keyfile.save(tmp_path / "a", held, Passphrase(PLANTED + "\udcff"))  # fails where it is worked out


def open_another_record(tmp_path: Path) -> None:
    reader = KeyPair(b"r" * 32)
    stored = vault.close(b"x", [reader.did], lambda size: SEED[:size])
    vault.open_handed(vault.Handed(bytes(32), stored.closed, stored.boxes[reader.did]), reader)


BROKEN: dict[str, Callable[[Path], Any]] = {
    "a path that cannot be": break_a_wallet,
    "a wrong passphrase": open_with_the_wrong_one,
    "a file that is there": overwrite,
    "a short passphrase": lambda tmp_path: mc.Wallet.load(tmp_path / "a", SHORT),
    "a short new passphrase": lambda tmp_path: mc.Wallet("A", KeyPair(Secret(SEED))).save(tmp_path / "a", SHORT),
    "a network's short passphrase": lambda tmp_path: mc.Network.attach(tmp_path, SHORT),
    "a seed of a wrong length": lambda tmp_path: KeyPair(SEED + SEED[:1]),
    "a setting that is none": lambda tmp_path: new_chain(1, Secret(SEED), {"colour": "red"}),
    "a network that is none": lambda tmp_path: LocalWorld.create(0, 5, tmp_path, {}),
    "a key told badly": lambda tmp_path: process._told_key(Line(f'{{"kei": "{SEED.hex()}"}}')),
    "a door that is taken": listen_twice,
    "an old key": rotate_twice,
    "a passphrase that is no text": lambda tmp_path: mc.Wallet("A", KeyPair(Secret(SEED))).save(
        tmp_path / "a", PLANTED + "\udcff"
    ),
    "a passphrase that cannot be written": save_with_no_text,
    "a reader that is none": lambda tmp_path: vault.close(b"x", ["nobody"], lambda size: SEED[:size]),
    "a record of other data": open_another_record,
}


class Line:
    """Stands for a standard input of one line, which shows nothing of itself."""

    def __init__(self, line: str) -> None:
        self._lines = [line]

    def readline(self) -> str:
        return self._lines.pop()


@pytest.mark.parametrize("what", BROKEN)
def test_no_traceback_shows_a_secret_not_even_with_its_variables(what: str, tmp_path: Path) -> None:
    with pytest.raises((MinichainError, ValueError)) as caught:
        BROKEN[what](tmp_path)
    chain = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in chain.stack if Path(frame.filename) != Path(__file__)]  # who calls knows what it says
    shown = "".join([*traceback.StackSummary.from_list(ours).format(), *chain.format_exception_only()])
    shown += "".join(f"{name}={value}" for frame in ours for name, value in (frame.locals or {}).items())
    assert leaked(shown, SEED, SEED + SEED[:1], PLANTED, SHORT, root_of(5), root_of(0)) == []


def test_nothing_that_is_shown_shows_a_secret(tmp_path: Path) -> None:
    pair = KeyPair(SEED)
    with mc.Network.simulated(1, seed=5) as net:
        alice = net.wallet("Alice")
        slips = net.identity.guard(alice, [net.wallet("Ann")], 1)
        things = [pair, mc.Wallet("A", pair), keyfile.Held("A", pair.did, pair), net, net.world, net.client, alice]
        things += [net.identity, slips, pair.seed, Passphrase(PLANTED), Home(tmp_path, Passphrase(PLANTED))]
        things += [net.identity.resolve(alice), net.world.root, net.client.channel, vars(net), vars(net.world)]
        shown = "".join(f"{thing!r}{thing!s}{thing}" for thing in things)
    salts = [bytes(slip.salt) for slip in slips.values()]
    assert leaked(shown, SEED, PLANTED, root_of(5), wallet_key(root_of(5), "Alice").seed, *salts) == []


def test_no_saved_notebook_holds_a_key() -> None:
    notebooks = [*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("apps/*.ipynb")]
    assert len(notebooks) >= 6
    for notebook in notebooks:
        text = notebook.read_text(encoding="utf-8")
        names = set(re.findall(r"\\\"([^\"\\]{1,40})\\\"", text))
        for root in map(root_of, range(32)):
            keys = [wallet_key(root, name) for name in names] + [validator_key(root, number) for number in range(7)]
            found = [key.did for key in keys if key.seed.hex() in text or repr(bytes(key.seed))[2:-1] in text]
            assert found == [], notebook
            assert leaked(text, root) == [], notebook


# --- an encrypted network --------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    running = Home(tmp_path / "home").find()
    if running is not None:
        for member in [*psutil.Process(running.pid).children(recursive=True), psutil.Process(running.pid)]:
            member.kill()


def test_a_network_whose_keys_are_encrypted_has_them_nowhere_else(home: Path) -> None:
    start = ("up", "--home", home, "--no-dashboards", "--empty", "--encrypt-keys", "--json")
    shown = run(*start, "--validators", 1, told=PLANTED)
    with mc.Network.attach(home, PLANTED) as net:
        root = net.world.root
        call = Call("ledger", "transfer", {"to": net.wallet("shop").did, "amount": 1})
        assert net.send(net.wallet("bank"), [call]).ok
        net.crash("node-0")
        net.restart("node-0")  # it is told its key again
        net.wait_for_height(1)
    secrets = [bytes(root), bytes(validator_key(root, 0).seed), PLANTED]
    running = Home(home).require()
    for pid in [running.pid, *(node.pid for node in running.nodes if node.pid)]:
        member = psutil.Process(pid)
        assert leaked(json.dumps([member.cmdline(), member.environ()]), *secrets) == []
    with mc.Network.attach(home) as guest:
        assert guest.height() == 1
        with pytest.raises(NetworkError, match="is encrypted: give its passphrase"):
            guest.wallet("bank")
    shown += run("down", "--home", home)
    for file in home.rglob("*"):
        if file.is_file():
            assert leaked(file.read_bytes(), *secrets) == [], file
    assert leaked(shown, *secrets) == []
    assert not list(home.rglob("key"))
    assert "wrong passphrase for" in run(*start, told="another passphrase", expect=3)
    run(*start, told=PLANTED)
    with mc.Network.attach(home) as net:
        assert net.height() == 1
    run("down", "--home", home)
