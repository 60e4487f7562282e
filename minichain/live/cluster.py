"""Validators as child processes of this one: start them, wait until they are ready, stop them, leave nothing behind.

Each child holds a pipe whose other end is here. When this process ends, for whatever reason, the pipes close and the
children leave by themselves.
"""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from minichain import store
from minichain.crypto import KeyPair
from minichain.errors import NetworkError, TimedOut, UsageError
from minichain.ledger.genesis import Genesis
from minichain.live import keyfile, origin
from minichain.live.faults import Faults
from minichain.live.home import SETTINGS
from minichain.live.process import Place

PROGRAM: Final = ("-m", "minichain.live.process")
START_TIMEOUT_S: Final = 20.0
STOP_TIMEOUT_S: Final = 5.0
BACKUP: Final = "backup.sqlite"  # beside the chain file
NAMED: Final = re.compile("node-(0|[1-9][0-9]*)")
GONE: Final = "gone"  # the file that names who has left
HOST: Final = "127.0.0.1"
LOG_TAIL: Final = 2_000  # characters of a log shown in an error


class Child:
    """One validator's process, and where it listens."""

    def __init__(self, place: Place, config: Path, log: Path, key: KeyPair | None = None) -> None:
        self.place = place
        self._key = key  # where it is in no file, the process is told
        self.config = config
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def spawn(self) -> queue.Queue[bytes]:
        """Start the process; the queue gets the line in which it says where it listens, or an empty one."""
        self.config.write_bytes(msgspec.json.encode(self.place))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *PROGRAM, str(self.config)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONPATH": import_path()},
            )
        if self._key is not None:
            self.tell({"key": self._key.seed.hex()})
        return first_line(self.process)

    def start(self) -> None:
        """Start the process and return once it listens; raises `NetworkError` with the reason."""
        self.hear(self.spawn(), time.monotonic() + START_TIMEOUT_S)

    def hear(self, line: queue.Queue[bytes], deadline: float) -> None:
        """Wait until the process says where it listens."""
        name = self.place.name
        try:
            text = line.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise TimedOut(f"{name} did not start within {START_TIMEOUT_S:.0f} s; its log: {self.log}") from None
        said = json.loads(text) if text else {"error": f"its process ended: {self.last_words()}"}
        if "error" in said:
            raise NetworkError(f"{name} cannot start: {said['error']}")
        self.place = msgspec.structs.replace(self.place, **said)

    def end(self) -> None:
        """Stop the process and wait until it is gone."""
        self.stop(time.monotonic() + STOP_TIMEOUT_S)

    def tell(self, command: dict[str, Any]) -> None:
        """Send a command; a process that is gone does not need it."""
        if self.process is not None and self.process.stdin is not None:
            with suppress(OSError):
                self.process.stdin.write(json.dumps(command).encode() + b"\n")
                self.process.stdin.flush()

    def close_input(self) -> None:
        """Tell the process to stop: its input ends."""
        if self.process is not None and self.process.stdin is not None:
            with suppress(OSError):
                self.process.stdin.close()

    def stop(self, deadline: float) -> None:
        """Wait for a process that was told to stop; end it if it does not."""
        self.close_input()
        process, self.process = self.process, None
        if process is None:
            return
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            with self.log.open("a") as log:
                log.write("it did not stop in time and was killed\n")
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-LOG_TAIL:] if self.log.exists() else ""


def first_line(process: subprocess.Popen[bytes]) -> queue.Queue[bytes]:
    """Return where the first line that a process says will be; empty if it ends without one."""
    news: queue.Queue[bytes] = queue.Queue()
    output = process.stdout
    assert output is not None
    # A pipe cannot be waited for with a time limit on every system; a thread can.
    threading.Thread(target=lambda: news.put(output.readline()), daemon=True).start()
    return news


def settled(directory: Path) -> list[str]:
    """Return whose chain is kept in a directory: committees change, and whoever has joined keeps what it has.

    A directory of another name is nobody's, such as one that somebody has moved away as node-0-old.
    """
    names = sorted(file.parent.name for file in directory.glob("node-*/chain.sqlite"))
    return [name for name in names if NAMED.fullmatch(name)]


def import_path() -> str:
    """Let a child process import the very package this one runs, installed or not."""
    package = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))


class Cluster:
    """The validators of one chain on this computer. `keys` are their key pairs by name; `in_files` says whether each
    lies in a file, bare, or is told to its process only; `host` is where others reach this computer.
    """

    def __init__(
        self, directory: Path, genesis: Genesis, keys: dict[str, KeyPair], *, in_files: bool = True, host: str = HOST
    ) -> None:
        self.directory = directory
        self.genesis = genesis
        self._host = host
        self._elsewhere: dict[str, str] = {}  # members on other computers, and where they listen to members
        self._in_files = in_files
        origin.keep(directory, genesis)
        self._keys = {name: key for name, key in keys.items() if name not in self._gone()}
        self._children = {name: self._settle(name, key) for name, key in self._keys.items()}

    def _settle(self, name: str, key: KeyPair) -> Child:
        home = self.directory.resolve() / name
        home.mkdir(exist_ok=True)
        secret = home / "key"
        secret.unlink(missing_ok=True)
        if self._in_files:
            keyfile.write_private(secret, key.seed)
        file = str(secret) if self._in_files else ""
        spec = self.directory.resolve() / SETTINGS
        place = Place(name, str(spec), file, str(home / "chain.sqlite"), self._host)
        return Child(place, home / "config.json", home / "log.txt", None if self._in_files else key)

    def add(self, name: str, key: KeyPair) -> None:
        """Settle one more validator, not yet started."""
        if name in self._children:
            raise UsageError(f"{name} is here already")
        self._keys[name] = key
        self._children[name] = self._settle(name, key)
        self._remember_gone(self._gone() - {name})

    def remove(self, name: str) -> None:
        """Stop a validator for good, and remove what it kept."""
        child = self._named(name)
        child.end()
        del self._children[name], self._keys[name]
        shutil.rmtree(child.config.parent)
        self._remember_gone(self._gone() | {name})

    def _gone(self) -> set[str]:
        """Return who has left for good: started again, a founder among them would know an old state only."""
        file = self.directory / GONE
        return set(file.read_text("utf-8", errors="replace").split()) if file.exists() else set()

    def _remember_gone(self, names: set[str]) -> None:
        (self.directory / GONE).write_text("\n".join(sorted(names)), encoding="utf-8")

    @property
    def names(self) -> tuple[str, ...]:
        """Return the validators' names."""
        return tuple(self._children)

    @property
    def publics(self) -> dict[str, bytes]:
        """Return the validators' public keys, by name."""
        return {name: key.public for name, key in self._keys.items()}

    def key(self, name: str) -> KeyPair:
        """Return a validator's key pair."""
        return self._keys[name]

    def place(self, name: str) -> Place:
        """Return where a validator lives."""
        return self._named(name).place

    def client_address(self, name: str) -> str:
        """Return where a validator listens to clients."""
        return f"tcp://{self._host}:{self._named(name).place.client_port}"

    def peer_address(self, name: str) -> str:
        """Return where a validator listens to the other members."""
        return f"tcp://{self._host}:{self._named(name).place.peer_port}"

    def is_running(self, name: str) -> bool:
        """Tell whether a validator's process is alive."""
        return self._named(name).is_running

    def running(self) -> list[str]:
        """Return whose process is alive, whoever has most of the chain first."""
        names = [name for name, child in self._children.items() if child.is_running]
        return sorted(names, key=lambda name: -store.kept_height(Path(self.place(name).chain)))

    def pid(self, name: str) -> int | None:
        """Return the process id of a running validator."""
        child = self._named(name)
        return child.process.pid if child.is_running and child.process else None

    def log(self, name: str) -> str:
        """Return everything a validator wrote to its log."""
        path = self._named(name).log
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Start every validator and return once all of them listen; raises `NetworkError` with the reason."""
        try:
            news = {child: child.spawn() for child in self._children.values()}
            deadline = time.monotonic() + START_TIMEOUT_S
            for child, line in news.items():
                child.hear(line, deadline)
        except BaseException:
            self.stop()
            raise
        self._introduce()

    def meet(self, addresses: dict[str, str]) -> None:
        """Tell every validator where members on other computers listen."""
        self._elsewhere = addresses
        self._introduce()

    def _introduce(self) -> None:
        """Tell every validator where the others are, and whom it may follow as long as it is no member."""
        known = {member.name: member.public for member in self.genesis.committee.members} | self.publics
        addresses = self._elsewhere | {name: self.peer_address(name) for name in self._children}
        peers = {known[name].hex(): address for name, address in addresses.items()}
        sources = [(known[name].hex(), self.client_address(name), self.peer_address(name)) for name in self.running()]
        for child in self._children.values():
            child.tell({"peers": peers, "follow": sources})

    def tell(self, name: str, command: dict[str, Any]) -> None:
        """Give a running validator a command."""
        self._named(name).tell(command)

    def burden(self, name: str, faults: Faults) -> None:
        """Let a validator bear this from now on, and whenever it starts."""
        child = self._named(name)
        child.place = msgspec.structs.replace(child.place, faults=faults)
        child.tell({"faults": msgspec.to_builtins(faults)})

    def crash(self, name: str) -> None:
        """Kill a validator, with no chance to put anything in order."""
        child = self._named(name)
        if not child.is_running:
            raise UsageError(f"{name} is not running")
        assert child.process is not None
        child.process.kill()
        child.process.wait()
        child.stop(time.monotonic())

    def restart(self, *names: str) -> None:
        """Start validators again, on the same ports if they are still free."""
        children = [self._named(name) for name in names]
        for child in children:
            if child.is_running:
                raise UsageError(f"{child.place.name} is already running")
            child.stop(time.monotonic())
        deadline = time.monotonic() + START_TIMEOUT_S
        for child, line in [(child, child.spawn()) for child in children]:
            try:
                child.hear(line, deadline)
            except NetworkError:
                child.stop(time.monotonic())
                child.place = msgspec.structs.replace(child.place, peer_port=0, client_port=0)
                child.hear(child.spawn(), deadline)
        self._introduce()

    def back_up(self, name: str) -> None:
        """Copy a validator's chain file, also while it runs."""
        chain = Path(self._named(name).place.chain)
        store.back_up(chain, chain.with_name(BACKUP))

    def restore(self, name: str, *, is_lost: bool = False) -> None:
        """Put the last backup in the place of a stopped validator's chain file; nothing, if there is none."""
        chain = Path(self._named(name).place.chain)
        store.remove(chain)
        backup = chain.with_name(BACKUP)
        if backup.exists() and not is_lost:
            shutil.copyfile(backup, chain)

    def leave(self) -> None:
        """Tell every validator to stop."""
        for child in self._children.values():
            child.close_input()

    def stop(self) -> None:
        """Stop every validator; returns when no process is left."""
        self.leave()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for child in self._children.values():
            child.stop(deadline)

    def _named(self, name: str) -> Child:
        if name not in self._children:
            raise UsageError(f"there is no validator {name!r}; there are {', '.join(self._children)}")
        return self._children[name]
