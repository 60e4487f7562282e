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
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import psutil
import zmq
from msgspec.structs import replace

from minichain.crypto import Passphrase
from minichain.errors import MinichainError, NetworkError, TimedOut
from minichain.live import afar, chains, dashboards, keyfile, origin, resources, scheduler
from minichain.live.carrier import DESK, Carrier
from minichain.live.chain import Chain, OwnChain
from minichain.live.cluster import HOST, import_path
from minichain.live.control import control
from minichain.live.home import VARIABLE, Home, Running, is_alive
from minichain.live.installed import shipped

POLL_MS: Final = 1_000
STOP_TIMEOUT_S: Final = 20.0
PORT: Final = 8866  # of the dashboards, if it is free

log = logging.getLogger("minichain")


class Supervisor:
    """Runs one home's network, of one chain or of several; the dashboards are of the first."""

    def __init__(
        self, home: Home, chains: Sequence[Chain], *, carries: bool, teaches: bool = False, note: str = ""
    ) -> None:
        self._home = home
        self._chains = chains
        self.note = note
        self._dashboards: dashboards.Dashboards | None = None
        self._carrier = Carrier(home.path / "relay.log", [chain.home for chain in chains]) if carries else None
        self._desk = Carrier(home.path / "desk.log", [home], DESK) if teaches else None

    def start(self, port: int | None, with_dashboards: bool) -> None:
        """Start everything; raises `NetworkError` with the reason, leaving nothing behind."""
        try:
            for chain in self._chains:  # one after the other, so that the computer can still be used
                chain.start()
            if with_dashboards:
                self._dashboards = self._serve(port)
        except BaseException:
            self.close()
            raise
        self._publish()

    def _serve(self, port: int | None) -> dashboards.Dashboards:
        with (self._home.path / "dashboards.log").open("ab") as output:
            environment = {VARIABLE: str(self._chains[0].home.path)}
            if port is None:
                with suppress(NetworkError):
                    return dashboards.start(apps(), PORT, log=output, environment=environment)
            return dashboards.start(apps(), port or 0, log=output, environment=environment)

    def _publish(self) -> None:
        """Write down where everything is, if that has changed or somebody has lost it; see to the relayer."""
        url = self._dashboards.url if self._dashboards else None
        found = [replace(chain.now(), dashboards=url, note=self.note) for chain in self._chains]
        for chain, running in zip(self._chains, found, strict=True):
            _write(chain.home, running)
        for helper in filter(None, (self._carrier, self._desk)):
            helper.see_to_it()
        if self._chains[0].home is not self._home:
            nodes = tuple(node for running in found for node in running.nodes)
            pid = self._carrier.pid if self._carrier else None
            names = tuple(chain.home.path.name for chain in self._chains)
            _write(self._home, replace(found[0], nodes=nodes, chains=names, relay=pid))

    def run(self) -> None:
        """Obey until told to stop."""
        poller = zmq.Poller()
        for chain in self._chains:
            chain.door.watch(poller)
        is_told = False
        while not is_told:
            poller.poll(POLL_MS)
            is_told = any(self._serve_operator(chain) for chain in self._chains)
            self._publish()  # a validator may have ended by itself

    def _serve_operator(self, chain: Chain) -> bool:
        """Do what the operator of one chain says, if it says something; returns whether that is to stop."""
        asked = chain.door.wait(0)
        if asked is None:
            return False
        client, command = asked
        error = chain.obey(command)
        self._publish()
        chain.door.answer(client, error)
        return bool(command.get("stop"))

    def close(self) -> None:
        """Stop everything."""
        if self._dashboards:
            self._dashboards.close()
        for helper in filter(None, (self._carrier, self._desk)):
            helper.close()
        for chain in self._chains:
            chain.leave()
        for chain in self._chains:
            chain.close()


def _write(home: Home, running: Running) -> None:
    if running != home.find():
        home.write(running)


@contextmanager
def within(home: Home, found: Sequence[chains.Chain]) -> Iterator[None]:
    """Run the chains of a home under this process, which others can reach as those of `minichain up`; no relayer."""
    with ExitStack() as held:
        for place in dict.fromkeys((home, *(part for part, _, _ in found))):  # one chain is at home itself
            _lock(place, held)
        supervisor = Supervisor(home, [OwnChain(*chain) for chain in found], carries=False)
        supervisor.start(None, with_dashboards=False)
        held.callback(supervisor.close)
        thread = threading.Thread(target=supervisor.run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ask_to_stop(home, home.require())
            thread.join()


def apps() -> Path:
    """Return the directory of the dashboards' notebooks."""
    return shipped("apps")


def spawn(home: Home, **chosen: Any) -> Running:
    """Start a supervisor that outlives this process, with options of `read_options`; returns once everything runs.

    It is told the passphrase of the home, if there is one, over its standard input.
    """
    keyfile.make_private(home.path)
    detached: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        detached = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    with (home.path / "supervisor.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "minichain.live.supervisor", str(home.path), *_words(chosen)],
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


def _words(chosen: dict[str, Any]) -> list[str]:
    """Write options as a command line has them; those that are None or False are left out."""
    words: list[str] = []
    for name, value in chosen.items():
        if value is not None and value is not False:
            words += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
    return words


def read_options(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read what a supervisor is told on its command line, or by these words."""
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("--shards", type=int)
    parser.add_argument("--validators", type=int)
    parser.add_argument("--chain-id")
    parser.add_argument("--profile")
    parser.add_argument("--port", type=int)
    parser.add_argument("--scheduler")
    parser.add_argument("--host", default=HOST)
    parser.add_argument("--class-desk", action="store_true")
    parser.add_argument("--no-dashboards", action="store_true")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--fit", action="store_true")
    return parser.parse_args(words)


def main() -> int:
    """Run a home's network until told to stop; returns the exit code."""
    chosen = read_options()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, stream=sys.stderr)
    return run(Home(chosen.home, _told_passphrase()), chosen)


def _told_passphrase() -> Passphrase | None:
    """Read all of standard input: whoever starts this process closes it."""
    told = Passphrase(sys.stdin.buffer.read().decode())
    return told if told.reveal() else None


def run(home: Home, chosen: argparse.Namespace) -> int:
    """Run a home's network in this process, and write one line about it to standard output.

    `fresh` forgets the chain that is there, which only whoever holds the lock may do.
    """
    with ExitStack() as held:
        try:
            _lock(home, held)
            if chosen.fresh:
                home.forget_chain()
            supervisor = (prepare_afar if chosen.scheduler else prepare)(home, chosen, held)
            supervisor.start(chosen.port, not chosen.no_dashboards)
            print(json.dumps({"pid": os.getpid()}), flush=True)
            held.callback(supervisor.close)
            supervisor.run()
        except (MinichainError, OSError) as error:  # a file or a disk is the user's to mend, too
            log.error("%s", error)
            print(json.dumps({"error": str(error)}), flush=True)
            return 1
    return 0


def _lock(home: Home, held: ExitStack) -> None:
    home.lock()
    held.callback(home.unlock)


def prepare(home: Home, chosen: argparse.Namespace, held: ExitStack) -> Supervisor:
    """Return what will run, if there is room for it; `--fit` makes a new network smaller, and says so."""
    afar.require_here(home)
    shards, validators, note = chosen.shards, chosen.validators, ""
    is_new, with_dashboards = not chains.is_there(home), not chosen.no_dashboards
    if is_new and chosen.fit:
        shards, validators, note = resources.scale_down(shards or 0, validators or chains.VALIDATORS, with_dashboards)
    need = resources.Need(*chains.count(home, shards, validators), with_dashboards)
    resources.require_room(need, shards or 0, is_new=is_new)
    found = chains.chains_of(home, shards, validators, chosen.profile, chosen.chain_id)
    for part, _, _ in found:
        if part is not home:
            _lock(part, held)
    note = note or origin.notice([(part.chain, genesis) for part, genesis, _ in found])
    own = [OwnChain(*chain, host=chosen.host) for chain in found]
    return Supervisor(home, own, carries=len(found) > 1, teaches=chosen.class_desk, note=note)


def prepare_afar(home: Home, chosen: argparse.Namespace, held: ExitStack) -> Supervisor:
    """Return what will run on the machines of a cluster; only the dashboards are here."""
    client = held.enter_context(scheduler.connected(chosen.scheduler, has_actors=True))
    chain = afar.chain_of(home, client, chosen.validators, chosen.chain_id)
    note = f"The validators are on the machines of the cluster at {chosen.scheduler}, and so are their keys."
    return Supervisor(home, [chain], carries=False, note=note)


if __name__ == "__main__":
    sys.exit(main())
