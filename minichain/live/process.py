"""One validator as a process: `python -m minichain.live.process CONFIG`.

Its owner holds the other end of its standard input. A line there is a command; the end of it means that the owner is
gone, however it went, and the validator leaves too. It writes one line, once it listens: where.

Everything that waits is handled in one turn and shares one commit.
"""

from __future__ import annotations

import heapq
import json
import logging
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import IO, Any, Final

import msgspec

from minichain.codec import Plain, from_json
from minichain.consensus.interface import Mine, Mined, StopMining
from minichain.crypto import KeyPair
from minichain.errors import ConfigError, MinichainError
from minichain.ledger.genesis import ChainSpec, Genesis
from minichain.live.follower import Follower
from minichain.live.miner import TRIES_PER_SECOND, Miner
from minichain.live.transport import STOP, Transport
from minichain.node.core import Node
from minichain.node.execution import Executor
from minichain.node.interface import (
    Admit,
    Asked,
    Broadcast,
    Effect,
    Event,
    Meet,
    NodeTimer,
    Received,
    Reply,
    Send,
    SetTimer,
    Started,
    TimerFired,
)
from minichain.node.turn import take_turn
from minichain.store import SqliteStore
from minichain.transition import first_state

IDLE_MS: Final = 60_000
FOLLOW_MS: Final = 100  # a follower looks for answers this often
MAX_REBUILDS: Final = 3  # of a node that broke, before its process gives up

log = logging.getLogger("minichain")


class Place(Plain, forbid_unknown_fields=True):
    """Where a validator lives; the content of its config file. Paths are absolute, port 0 is any free one.

    `source` is the member that a node follows as long as it is none itself: its public key in hexadecimal, its door
    for clients, its door for members.
    """

    name: str
    genesis: str
    key: str
    chain: str
    host: str = "127.0.0.1"
    peer_port: int = 0
    client_port: int = 0
    tries_per_second: int = TRIES_PER_SECOND
    source: tuple[str, str, str] | None = None


class Process:
    """A validator, its sockets and its clock."""

    def __init__(self, place: Place) -> None:
        self._name = place.name
        self._genesis = Genesis(from_json(Path(place.genesis).read_bytes(), ChainSpec))
        self._key = KeyPair(Path(place.key).read_bytes())
        others = tuple(m.public for m in self._genesis.committee.members if m.public != self._key.public)
        self._of_name = {member.name: member.public for member in self._genesis.committee.members}
        self._store = SqliteStore(Path(place.chain), self._genesis.hash, first_state(self._genesis))
        self.transport = Transport(self._key, others, place.host, place.peer_port, place.client_port)
        self._timers: list[tuple[float, int, NodeTimer]] = []
        self._miner = self._new_miner(place) if self._genesis.spec.engine == "pow" else None
        self._addresses = {self._key.public: f"tcp://{place.host}:{self.transport.peer_port}"}
        self._follower = self._follow(*place.source) if place.source else None
        self._sequence = 0
        self._rebuilds = 0
        self._is_stopping = False
        self._build()

    def _new_miner(self, place: Place) -> Miner:
        say = self.transport.controller()

        def found(block_id: bytes, nonce: int) -> None:
            say(json.dumps({"mined": block_id.hex(), "nonce": nonce}).encode())

        return Miner(found, place.tries_per_second)

    def _follow(self, public: str, clients: str, members: str) -> Follower:
        source = bytes.fromhex(public)
        self._addresses[source] = members
        return Follower(self.transport.context, self._key, source, clients)

    def _build(self) -> None:
        last = self._store.block(self._store.height())
        self._executor = Executor(self._genesis, self._store.state_items(), last.block.header if last else None)
        random = Random(secrets.randbits(64))
        self._node = Node(self._name, self._key, self._genesis, self._store, random, addresses=self._addresses)
        self._timers.clear()
        self._waiting: list[Event] = [Started()]

    def run(self) -> None:
        """Work until told to stop."""
        while not self._is_stopping:
            events = self._gather()
            if events:
                self._turn(events)
        if self._miner:
            self._miner.close()
        if self._follower:
            self._follower.close()
        self._store.close()
        self.transport.close()

    def _gather(self) -> list[Event]:
        """Wait for something to happen, and take all of it."""
        waiting, self._waiting = self._waiting, []
        self.transport.wait(0 if waiting else self._until_timer_ms())
        for command in self.transport.commands():
            self._obey(json.loads(command))
        events = waiting + self._waiting + self._due_timers()
        self._waiting = []
        events += [Received(peer, data) for peer, data in self.transport.from_members()]
        if self._follower and not self._node.committee.weight(self._key.public):
            self._follower.ask(self._node.height)
            events += self._follower.heard()
        events += [Asked(*asked) for asked in self.transport.from_clients()]
        return events

    def _until_timer_ms(self) -> int:
        if self._follower:
            return FOLLOW_MS
        if not self._timers:
            return IDLE_MS
        return max(0, int((self._timers[0][0] - time.monotonic()) * 1000) + 1)

    def _due_timers(self) -> list[Event]:
        due: list[Event] = []
        while self._timers and self._timers[0][0] <= time.monotonic():
            due.append(TimerFired(heapq.heappop(self._timers)[2]))
        return due

    def _turn(self, events: list[Event]) -> None:
        now_ms = time.time_ns() // 1_000_000
        try:
            effects = take_turn(self._node, self._store, self._executor, events, now_ms)
        except MinichainError:
            raise  # the disk, or a certified block that is not valid: there is nothing to go on with
        except Exception:
            # Our own bug: nothing of this turn was kept. The node starts again from what is safe.
            log.exception("this node broke and starts again from its store")
            self._rebuilds += 1
            if self._rebuilds > MAX_REBUILDS:
                raise
            self._build()
            return
        for effect in effects:
            self._perform(effect)

    def _perform(self, effect: Effect) -> None:
        match effect:
            case Broadcast(data):
                self.transport.broadcast(data)
            case Send(peer, data):
                self.transport.send(peer, data)
            case Reply(client, data):
                self.transport.reply(client, data)
            case SetTimer(timer, delay_ms):
                self._sequence += 1
                heapq.heappush(self._timers, (time.monotonic() + delay_ms / 1000, self._sequence, timer))
            case Admit(members):
                self.transport.allow(members)
            case Meet(member, address):
                self.transport.set_peer(member, address, anew=True)
            case Mine(block_id, difficulty):
                assert self._miner, "an engine that does not mine has mined"
                self._miner.seek(block_id, difficulty)
            case StopMining():
                assert self._miner, "an engine that does not mine has mined"
                self._miner.stop()

    def _obey(self, command: dict[str, Any]) -> None:
        match command:
            case {"stop": True}:
                self._is_stopping = True
            case {"peers": addresses}:
                for name, address in addresses.items():
                    if self._of_name[name] != self._key.public:
                        self.transport.set_peer(self._of_name[name], address)
            case {"mined": block_id, "nonce": nonce}:
                self._waiting.append(Mined(bytes.fromhex(block_id), nonce))
            case {"cut": names}:
                self.transport.cut = frozenset(self._of_name[name] for name in names)
            case _:
                log.error("unknown command %s", command)


def _read(config: Path) -> Place:
    try:
        return msgspec.json.decode(config.read_bytes(), type=Place)
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError(f"{config} is not a validator's config file: {error}") from None


def _pass_on(lines: IO[str], say: Callable[[bytes], None]) -> None:
    """Hand each line of the owner to the main thread; the owner's end is a command to stop."""
    for line in lines:
        if line.encode().strip() != STOP:
            say(line.encode())
    say(STOP)


def main(config: str) -> int:
    """Run one validator; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the owner, who then stops this process
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, stream=sys.stderr)
    try:
        process = Process(_read(Path(config)))
    except (MinichainError, OSError) as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return 1
    transport = process.transport
    log.info("listening on ports %s and %s", transport.peer_port, transport.client_port)
    print(json.dumps({"peer_port": transport.peer_port, "client_port": transport.client_port}), flush=True)
    threading.Thread(target=_pass_on, args=(sys.stdin, transport.controller()), daemon=True).start()
    try:
        process.run()
    except MinichainError as error:
        log.error("%s", error)
        return 1
    log.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
