"""The directory of the network that `minichain up` runs: what is where, and whether it is running.

network.json   where everything listens; there only while the network runs
lock           which process runs it
root           the secret that the network's keys are derived from; with a passphrase, an encrypted key file
operator       the key that may stop nodes and the network, and can sign nothing; never encrypted
chain/         the settings of the chain (genesis.json), which version made it (made.json), and one directory for each
               validator: key (none, if they are encrypted), chain, log
*.log          what supervisor, dashboards and relayer have to say

A network of several chains has no `chain/` but a directory for each of them, named by its id, and each is a home like
any other, with the same two secrets: what one does with a network one can do with one of its chains. `chains.json` has
their ids, so that one that is missing is missed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
import psutil

from minichain.codec import Plain
from minichain.crypto import KeyPair, Passphrase, Secret
from minichain.errors import NetworkError
from minichain.live import keyfile

VARIABLE: Final = "MINICHAIN_HOME"
SETTINGS: Final = "genesis.json"
MARK: Final = "made.json"  # beside the settings; homes of versions before it have none


class NodePlace(Plain):
    """One validator: public key in hexadecimal, where clients reach it, its process (None: not running), and the
    machine that has this process, if it is not this computer.
    """

    name: str
    public: str
    address: str
    pid: int | None
    machine: str = ""

    @property
    def memory(self) -> int | None:
        """Return how many bytes it uses; None if it is gone, or on another machine."""
        return None if self.machine else memory_of(self.pid)


class Running(Plain):
    """A running network; the content of network.json. One of several `chains` lists the validators of all of them."""

    pid: int
    started: float  # when that process was created, so that a later one with the same number is not mistaken for it
    control: str
    control_public: str
    nodes: tuple[NodePlace, ...]
    dashboards: str | None
    chains: tuple[str, ...] = ()
    relay: int | None = None  # the process that carries between the chains
    note: str = ""  # what whoever started it should know


class Home:
    """One network's directory."""

    def __init__(self, path: Path | None = None, passphrase: Passphrase | None = None) -> None:
        named = os.environ.get(VARIABLE)
        self.passphrase = passphrase
        self.path = (path or (Path(named) if named else Path.home() / ".minichain")).resolve()

    @property
    def chain(self) -> Path:
        return self.path / "chain"

    @property
    def record(self) -> Path:
        return self.path / "network.json"

    def root(self) -> Secret:
        """Return the secret of this network, drawn when first asked for, and from then on encrypted if there is a
        passphrase. Raises `NetworkError` where it is encrypted and none was given, or where a chain has lost it,
        `DecodeError` for a wrong one.
        """
        file = self.path / "root"
        if not file.exists() and (self.chains or has_chain(self.chain)):
            copies = "".join(f" {self.path / chain_id / file.name} is one." for chain_id in self.chains[:1])
            raise NetworkError(
                f"{file} is missing, the secret that all keys of this network are derived from: put it back from a "
                f"copy.{copies} `--fresh` begins a new chain, with a new one"
            )
        return keyfile.secret(file, self.passphrase)

    @property
    def is_encrypted(self) -> bool:
        """Tell whether the keys of this network are encrypted."""
        return keyfile.is_key_file(self.path / "root")

    def operator(self) -> KeyPair:
        """Return the key that may control the network."""
        return KeyPair(keyfile.secret(self.path / "operator", None))

    # --- one of several chains ---

    @property
    def chains(self) -> tuple[str, ...]:
        """Return the ids of the chains side by side here, as they are numbered; none where there is but one chain.

        What else lies here, such as a copy that somebody keeps of one of them, is none of them.
        """
        if has_chain(self.chain):
            return ()
        found = {file.parent.parent.name for name in (SETTINGS, MARK) for file in self.path.glob(f"*/chain/{name}")}
        return tuple(sorted(found & set(self._listed or found), key=_numbered))

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the ids of chains that were here and are not any more."""
        return tuple(chain_id for chain_id in self._listed if chain_id not in self.chains)

    @property
    def _listed(self) -> tuple[str, ...]:
        try:
            return msgspec.json.decode(self._list.read_bytes(), type=tuple[str, ...])
        except (OSError, msgspec.MsgspecError):  # of an earlier version, or lost: it is written anew
            return ()

    def list_chains(self, chain_ids: Iterable[str]) -> None:
        """Keep which chains there are."""
        self._list.write_bytes(msgspec.json.encode(tuple(chain_ids)))

    @property
    def _list(self) -> Path:
        return self.path / "chains.json"

    def part(self, chain_id: str) -> Home:
        """Return the home of one of several chains."""
        return Home(self.path / chain_id, self.passphrase)

    def share(self, chain_id: str) -> Home:
        """Let the home of one of several chains have the secrets of this one, and return it."""
        part = self.part(chain_id)
        self.root(), self.operator()  # drawn, and encrypted, if they were not
        for name in ("root", "operator"):
            secret = keyfile.read(self.path / name)
            if not (part.path / name).exists() or keyfile.read(part.path / name) != secret:
                keyfile.write_private(part.path / name, secret, replace=True)
        return part

    # --- running or not ---

    def write(self, running: Running) -> None:
        """Say where everything is, at once and as a whole."""
        draft = self.record.with_suffix(".new")
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(running)))
        draft.replace(self.record)

    def find(self) -> Running | None:
        """Return where the network is; None if it is not running."""
        try:
            running = msgspec.json.decode(self.record.read_bytes(), type=Running)
        except (OSError, msgspec.MsgspecError):
            return None
        return running if is_alive(running.pid, running.started) else None

    def require(self) -> Running:
        """Return where the network is; raises `NetworkError` if it is not running."""
        running = self.find()
        if running is None:
            raise NetworkError(f"no network is running in {self.path}: start one with `minichain up`")
        return running

    def lock(self) -> None:
        """Make this process the one that runs the network; raises `NetworkError` if there is another."""
        keyfile.make_private(self.path)
        own = psutil.Process()
        content = msgspec.json.encode((own.pid, own.create_time()))
        for _ in range(2):
            with suppress(FileExistsError):
                with os.fdopen(os.open(self._lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
                    opened.write(content)
                return
            self._remove_stale_lock()
        raise NetworkError(f"another process is starting a network in {self.path}: wait for it")

    def _remove_stale_lock(self) -> None:
        with suppress(OSError, msgspec.MsgspecError):
            pid, started = msgspec.json.decode(self._lock.read_bytes(), type=tuple[int, float])
            if is_alive(pid, started):
                raise NetworkError(
                    f"a network is already running in {self.path} (process {pid}): see `minichain status`, "
                    "stop it with `minichain down`, or start another one with `--home DIRECTORY`"
                )
        self._lock.unlink(missing_ok=True)

    def forget_chain(self) -> None:
        """Delete the chain, or chains, and their keys; only for whoever holds the lock."""
        for chain_id in self.chains:
            shutil.rmtree(self.path / chain_id)
        if has_chain(self.chain):  # a directory that is not ours stays
            shutil.rmtree(self.chain)
        for file in (self.path / "root", self._list):
            file.unlink(missing_ok=True)

    def unlock(self) -> None:
        """Say that nothing runs here any more."""
        self.record.unlink(missing_ok=True)
        self._lock.unlink(missing_ok=True)

    @property
    def _lock(self) -> Path:
        return self.path / "lock"


def _numbered(chain_id: str) -> tuple[str, int]:
    """Return what sorts shard-10 after shard-2."""
    stem = chain_id.rstrip("0123456789")
    return stem, int(chain_id[len(stem) :] or 0)


def has_chain(directory: Path) -> bool:
    """Tell whether a directory has a chain, even one that has lost its settings."""
    return any((directory / name).exists() for name in (SETTINGS, MARK))


def is_alive(pid: int, started: float) -> bool:
    """Tell whether the process of this number is still the one that was created then."""
    try:
        process = psutil.Process(pid)
        return bool(abs(process.create_time() - started) < 1.0 and process.status() != psutil.STATUS_ZOMBIE)
    except (psutil.Error, ValueError, OverflowError):  # the last two: a number that no process can have
        return False


def family(pid: int) -> list[psutil.Process]:
    """Return a process with those that it has started: a validator, and where its contracts run."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def memory_of(pid: int | None) -> int | None:
    """Return how many bytes of memory a process and its own processes use; None if it is gone."""
    try:
        return None if pid is None else sum(int(process.memory_info().rss) for process in family(pid))
    except psutil.Error:
        return None
