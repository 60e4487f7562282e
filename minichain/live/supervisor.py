"""The process behind `minichain up`: it owns the validators and the dashboards, and ends with all of them.

`python -m minichain.live.supervisor HOME` writes one line when everything runs, or when it cannot. All of its standard
input, up to the end, is the passphrase of that home; it is empty where the keys are not encrypted.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psutil

import minichain
from minichain.codec import from_json
from minichain.crypto import KeyPair, Passphrase
from minichain.errors import ConfigError, MinichainError, NetworkError, TimedOut
from minichain.faults.timeline import parse
from minichain.ledger.genesis import ChainSpec, Genesis
from minichain.ledger.local import new_chain, node_key
from minichain.live import dashboards, keyfile
from minichain.live.cluster import HOST, Cluster, import_path
from minichain.live.control import ControlDoor, control
from minichain.live.director import Director
from minichain.live.home import VARIABLE, Home, NodePlace, Running, is_alive

POLL_MS: Final = 1_000
START_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 20.0
PORT: Final = 8866  # of the dashboards, if it is free

log = logging.getLogger("minichain")


class Supervisor:
    """Runs one home's network."""

    def __init__(self, home: Home, genesis: Genesis, keys: dict[str, KeyPair]) -> None:
        self._home = home
        self._genesis = genesis
        self._key = KeyPair(os.urandom(32))
        self._cluster = Cluster(home.chain, genesis, keys, in_files=home.passphrase is None)
        self._director = Director(self._cluster, genesis)
        self._dashboards: dashboards.Dashboards | None = None
        self._door = ControlDoor(self._key, home.operator().public, HOST)

    def start(self, port: int | None, with_dashboards: bool) -> Running:
        """Start everything; raises `NetworkError` with the reason, leaving nothing behind."""
        try:
            self._cluster.start()
            if with_dashboards:
                self._dashboards = self._serve(port)
        except BaseException:
            self.close()
            raise
        return self._publish()

    def _serve(self, port: int | None) -> dashboards.Dashboards:
        with (self._home.path / "dashboards.log").open("ab") as output:
            environment = {VARIABLE: str(self._home.path)}
            if port is None:
                with suppress(NetworkError):
                    return dashboards.start(apps(), PORT, log=output, environment=environment)
            return dashboards.start(apps(), port or 0, log=output, environment=environment)

    def _publish(self) -> Running:
        """Write down where everything is, if that has changed or somebody has lost it."""
        nodes = tuple(
            NodePlace(name, public.hex(), self._cluster.client_address(name), self._cluster.pid(name))
            for name, public in self._cluster.publics.items()
        )
        own = psutil.Process()
        url = self._dashboards.url if self._dashboards else None
        running = Running(own.pid, own.create_time(), self._door.address, self._key.public.hex(), nodes, url)
        if running != self._home.find():
            self._home.write(running)
        return running

    def run(self) -> None:
        """Obey until told to stop."""
        while True:
            asked = self._door.wait(POLL_MS)
            if asked is not None:
                client, command = asked
                error = self._obey(command)
                self._publish()
                self._door.answer(client, error)
                if command.get("stop"):
                    return
            self._publish()  # a validator may have ended by itself

    def _obey(self, command: dict[str, Any]) -> str:
        log.info("command %s", command)
        try:
            match command:
                case {"fault": str(words)}:
                    self._director.do(words)
                case {"begin": str(timeline)}:
                    self._director.begin(parse(timeline))
                case {"end": True}:
                    self._director.end()
                case {"join": str(name)}:
                    self._director.join(name, node_key(self._home.root(), name))
                case {"leave": str(name)}:
                    self._director.leave(name)
                case {"stop": True}:
                    pass
                case _:
                    return f"unknown command {sorted(command)}"
        except MinichainError as error:
            return str(error)
        return ""

    def close(self) -> None:
        """Stop everything."""
        if self._dashboards:
            self._dashboards.close()
        self._cluster.stop()
        self._door.close()


def chain_of(home: Home, validators: int | None, profile: str | None) -> tuple[Genesis, dict[str, KeyPair]]:
    """Return the chain this home has, or make a new one of so many validators (None: 4) and of a profile."""
    root, file = home.root(), home.chain / "genesis.json"
    if not file.exists():
        settings: dict[str, Any] = {"genesis_time_ms": time.time_ns() // 1_000_000}
        return new_chain(validators or 4, root, {**settings, **({"profile": profile} if profile else {})})
    genesis = Genesis(from_json(file.read_bytes(), ChainSpec))
    count = len(genesis.committee.members)
    if validators not in (None, count):
        raise ConfigError(
            f"the chain in {home.path} has {count} validators, not {validators}: leave the number out to go on with "
            "it, or start a new chain with `--fresh`"
        )
    if profile not in (None, genesis.spec.profile):
        raise ConfigError(
            f"the chain in {home.path} has the profile {genesis.spec.profile}, not {profile}: leave the profile out to "
            "go on with it, or start a new chain with `--fresh`"
        )
    keys = new_chain(count, root, {})[1]
    if {key.public for key in keys.values()} != {member.public for member in genesis.committee.members}:
        raise ConfigError(
            f"the secret {home.path / 'root'} is not the one that the chain in {home.chain} was made with: put the "
            "right one back, or start a new chain with `--fresh`"
        )
    return genesis, keys


def apps() -> Path:
    """Return the directory of the dashboards' notebooks: inside the installed package, or beside it in a checkout."""
    package = Path(minichain.__file__).resolve().parent
    for directory in (package / "apps", package.parent / "apps"):
        if directory.is_dir():
            return directory
    raise NetworkError(f"the dashboards' notebooks are missing from {package}: install minichain again")


def spawn(home: Home, options: list[str]) -> Running:
    """Start a supervisor that outlives this process; returns once everything runs.

    It is told the passphrase of the home, if there is one, over its standard input.
    """
    keyfile.make_private(home.path)
    detached: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        detached = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    with (home.path / "supervisor.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "minichain.live.supervisor", str(home.path), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            env={**os.environ, "PYTHONPATH": import_path()},
            **detached,
        )
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(OSError), process.stdin:
        process.stdin.write(home.passphrase.reveal().encode() if home.passphrase else b"")
    with process.stdout:
        line = process.stdout.readline()
    said = json.loads(line) if line else {"error": f"it ended without a word: see {home.path / 'supervisor.log'}"}
    if "error" in said:
        process.wait(STOP_TIMEOUT_S)
        raise NetworkError(said["error"])
    return home.require()


def ask_to_stop(home: Home, running: Running) -> None:
    """Tell a supervisor to stop; raises `TimedOut` if it does not answer."""
    control(running.control, bytes.fromhex(running.control_public), home.operator(), {"stop": True})


def stop(home: Home, running: Running) -> None:
    """Wait until a supervisor that was told to stop is gone with all its processes; end what does not leave."""
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while is_alive(running.pid, running.started):
        if time.monotonic() > deadline:
            with suppress(psutil.Error):
                for process in [*psutil.Process(running.pid).children(recursive=True), psutil.Process(running.pid)]:
                    process.kill()
            home.unlock()
            raise TimedOut(f"the network did not stop within {STOP_TIMEOUT_S:.0f} s and was ended by force")
        time.sleep(0.05)


def main() -> int:
    """Run a home's network until told to stop; returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("--validators", type=int)
    parser.add_argument("--profile")
    parser.add_argument("--port", type=int)
    parser.add_argument("--no-dashboards", action="store_true")
    parser.add_argument("--fresh", action="store_true")
    chosen = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, stream=sys.stderr)
    home, with_dashboards = Home(chosen.home, _told_passphrase()), not chosen.no_dashboards
    return run(home, chosen.validators, chosen.profile, chosen.port, with_dashboards, chosen.fresh)


def _told_passphrase() -> Passphrase | None:
    """Read all of standard input: whoever starts this process closes it."""
    told = Passphrase(sys.stdin.buffer.read().decode())
    return told if told.reveal() else None


def run(
    home: Home, validators: int | None, profile: str | None, port: int | None, with_dashboards: bool, fresh: bool
) -> int:
    """Run a home's network in this process, and write one line about it to standard output.

    `fresh` forgets the chain that is there, which only whoever holds the lock may do.
    """
    try:
        home.lock()
    except MinichainError as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return 1
    try:
        if fresh:
            home.forget_chain()
        supervisor = Supervisor(home, *chain_of(home, validators, profile))
        supervisor.start(port, with_dashboards)
        print(json.dumps({"pid": os.getpid()}), flush=True)
        try:
            supervisor.run()
        finally:
            supervisor.close()
    except MinichainError as error:
        log.error("%s", error)
        print(json.dumps({"error": str(error)}), flush=True)
        return 1
    finally:
        home.unlock()
    return 0


if __name__ == "__main__":
    sys.exit(main())
