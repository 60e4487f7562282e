"""One validator as a process: `python -m minichain.live.process CONFIG`.

Its owner holds the other end of its standard input. A line there is a command; the end of it means that the owner is
gone, however it went, and the validator leaves too. It writes one line, once it listens: where.

Everything that waits is handled in one turn and shares one commit. Contracts run in a process of their own, which this
one starts (see `worker`). What its owner wants it to bear (see `faults`)
happens in here: to its messages in `Wire`, to its clock, its disk and its sleep in `Process`.
"""

from __future__ import annotations

import gc
import heapq
import json
import logging
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from random import Random
from typing import IO, Any, Final

import msgspec

from minichain.codec import Plain, from_json
from minichain.consensus.interface import Mine, Mined, StopMining
from minichain.crypto import KeyPair, Secret
from minichain.errors import ConfigError, MinichainError
from minichain.faults.adversaries import ADVERSARIES, CORRECT, Insider, remade
from minichain.ledger.genesis import ChainSpec, Genesis
from minichain.ledger.types import Block
from minichain.live.faults import Faults
from minichain.live.follower import Follower
from minichain.live.miner import TRIES_PER_SECOND, Miner
from minichain.live.transport import STOP, Transport
from minichain.live.wire import Wire
from minichain.live.worker import Worker
from minichain.node.core import Node
from minichain.node.execution import ListContracts
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
from minichain.node.keeper import Keeper
from minichain.node.sync import MAX_BLOCKS, blocks_from
from minichain.node.turn import take_turn
from minichain.store import SqliteStore
from minichain.transition import first_state

IDLE_MS: Final = 60_000
FOLLOW_MS: Final = 100  # a follower looks for answers this often
POWER_LOST: Final = 137  # the exit code, as of a process that was killed
MAX_REBUILDS: Final = 3  # of a node that broke, before its process gives up

log = logging.getLogger("minichain")


class Place(Plain, forbid_unknown_fields=True):
    """Where a validator lives; the content of its config file. Paths are absolute, port 0 is any free one.

    Without a path of its `key` its owner tells the key on the first line of standard input.

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
    faults: Faults = msgspec.field(default_factory=Faults)


class Process:
    """A validator, its sockets and its clock."""

    def __init__(self, place: Place, told: IO[str] | None = None) -> None:
        self._name = place.name
        self._worker = Worker()  # it gets ready while this process does
        self._genesis = Genesis(from_json(Path(place.genesis).read_bytes(), ChainSpec))
        self._key = KeyPair(Path(place.key).read_bytes() if place.key else _told_key(told))
        others = tuple(m.public for m in self._genesis.committee.members if m.public != self._key.public)
        self._of_name = {member.name: member.public for member in self._genesis.committee.members}
        first = first_state(self._genesis)
        self._store = SqliteStore(Path(place.chain), self._genesis.hash, first, self._on_commit)
        self.transport = Transport(self._key, others, place.host, place.peer_port, place.client_port)
        self._wire = Wire(self.transport, place.name, {public: name for name, public in self._of_name.items()})
        self._timers: list[tuple[float, int, NodeTimer]] = []
        works = self._genesis.spec.engine == "pow"
        self._miner = Miner(self.transport.controller(), place.tries_per_second) if works else None
        self._addresses = {self._key.public: f"tcp://{place.host}:{self.transport.peer_port}"}
        self._source, self._follower = place.source, self._follow(*place.source) if place.source else None
        self._sequence = 0
        self._rebuilds = 0
        self._is_stopping = False
        self._crash_at = "never"
        self._has_written = False  # in this turn
        self._late: tuple[float, list[Effect]] | None = None  # what a slow disk holds back, and until when
        self._faults = Faults()
        self._suffer(place.faults)
        if place.faults.character == "amnesiac":
            self._store.forget()
        self._build()
        self.transport.allow(member.public for member in self._node.committee.members)

    def _follow(self, public: str, clients: str, members: str) -> Follower:
        source = bytes.fromhex(public)
        self._addresses[source] = members
        back = 0 if self._genesis.spec.engine != "pow" else MAX_BLOCKS // 2
        return Follower(self.transport.context, self._key, source, clients, back, partial(blocks_from, self._store))

    def _turn_to(self, sources: list[tuple[str, str, str]]) -> None:
        """Follow a member from now on; where this node knows none of them, whoever has most of the chain: the first."""
        weight = self._node.committee.weight
        others = [
            (public, clients, members) for public, clients, members in sources if public != self._key.public.hex()
        ]
        source = max(others, key=lambda one: weight(bytes.fromhex(one[0])) > 0, default=self._source)
        if source != self._source:
            if self._follower:
                self._follower.close()
            self._source, self._follower = source, source and self._follow(*source)

    @property
    def _following(self) -> Follower | None:
        """Return the line to the member that is followed, as long as this node is no member itself."""
        return None if self._node.committee.weight(self._key.public) else self._follower

    def _build(self) -> None:
        self._executor = Keeper(self._genesis, self._store, self._worker)
        self._executor.run(ListContracts(None))  # it looks whether the state is whole, and is ready to execute then
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
        self._executor.close()
        self._store.close()
        self.transport.close()

    def _gather(self) -> list[Event]:
        """Wait for something to happen, and take all of it. A node that is held takes commands only."""
        self.transport.wait(self._until_ms(), only_commands=self._is_held)
        for command in self.transport.commands():
            self._obey(json.loads(command))
        self._wire.flush()
        self._let_go()
        if self._is_held:
            return []
        waiting, self._waiting = self._waiting, []
        events = waiting + self._due_timers()
        events += [Received(peer, data) for peer, data in self.transport.from_members()]
        if following := self._following:
            following.ask(self._node.height)
            events += following.heard()
        events += [Asked(*asked) for asked in self.transport.from_clients()]
        return events

    @property
    def _is_held(self) -> bool:
        """Tell whether the node is frozen, or waits for its disk; what comes for it waits in the sockets' queues."""
        return self._faults.is_paused or self._late is not None

    def _until_ms(self) -> int:
        """Return how long there may be nothing to do."""
        times = [self._wire.next_s] if self._wire.next_s else []
        if self._late and not self._faults.is_paused:
            times.append(self._late[0])
        if not self._is_held:
            if self._waiting:
                return 0
            if self._following:
                return FOLLOW_MS
            times += [timer[0] for timer in self._timers[:1]]
        return int(max(0.0, min(times) - time.monotonic()) * 1000) + 1 if times else IDLE_MS

    def _let_go(self) -> None:
        """Do what the disk has held back, if it is ready."""
        if self._late and not self._faults.is_paused and self._late[0] <= time.monotonic():
            effects, self._late = self._late[1], None
            self._perform_all(effects)

    def _due_timers(self) -> list[Event]:
        due: list[Event] = []
        while self._timers and self._timers[0][0] <= time.monotonic():
            due.append(TimerFired(heapq.heappop(self._timers)[2]))
        return due

    def _turn(self, events: list[Event]) -> None:
        now_ms = time.time_ns() // 1_000_000 + self._faults.skew_ms
        self._has_written = False
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
        if self._has_written and self._crash_at == "after commit":
            _lose_power()
        if self._has_written and self._faults.disk_ms:
            self._late = time.monotonic() + self._faults.disk_ms / 1000, effects
        else:
            self._perform_all(effects)

    def _on_commit(self) -> None:
        self._has_written = True
        if self._crash_at == "before commit":
            _lose_power()

    def _perform_all(self, effects: list[Effect]) -> None:
        for effect in effects:
            self._perform(effect)

    def _perform(self, effect: Effect) -> None:
        match effect:
            case Broadcast(data) if following := self._following:
                following.pass_on(data)
            case Broadcast(data):
                self._wire.broadcast(data)
            case Send(peer, data):
                self._wire.send(peer, data)
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
            case {"peers": addresses, "follow": sources}:
                for public, address in addresses.items():
                    self.transport.set_peer(bytes.fromhex(public), address)
                self._turn_to(sources)
            case {"mined": block_id, "nonce": nonce}:
                self._waiting.append(Mined(bytes.fromhex(block_id), nonce))
            case {"faults": told}:
                self._suffer(msgspec.convert(told, Faults))
            case {"mark": [which, hold_ms, receivers]}:
                self._wire.mark(which, hold_ms, [(self._name, receiver) for receiver in receivers])
            case {"crash": moment}:
                self._crash_at = moment
            case _:
                log.error("unknown command %s", command)

    def _suffer(self, faults: Faults) -> None:
        """Bear this from now on."""
        before, self._faults = self._faults, faults
        if (faults.era, faults.seed) != (before.era, before.seed):
            self._crash_at = "never"
            self._wire.begin(faults.seed)
        self._wire.take(faults.network)
        if faults.is_disk_full != before.is_disk_full:
            self._store.limit(is_full=faults.is_disk_full)
        if faults.character != before.character:
            correct = faults.character == CORRECT
            self._wire.adversary = None if correct else ADVERSARIES[faults.character](self._insider())

    def _insider(self) -> Insider:
        def remake(block: Block, txs: Iterable[bytes]) -> Block:
            return remade(self._executor, self._genesis, self._key.public, block, txs)

        return Insider(self._name, self._key, self._genesis.hash, tuple(self._of_name), remake)


def _lose_power() -> None:
    """End at once, with nothing put in order: no handler, no flush, no goodbye. This works on every system."""
    os._exit(POWER_LOST)


def _read(config: Path) -> Place:
    try:
        return msgspec.json.decode(config.read_bytes(), type=Place)
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError(f"{config} is not a validator's config file: {error}") from None


def _told_key(lines: IO[str] | None) -> Secret:
    """Read the key that the owner tells; nothing that is wrong with it is repeated."""
    try:
        return Secret(bytes.fromhex(json.loads(lines.readline() if lines else "")["key"]))
    except (ValueError, KeyError, TypeError):
        raise ConfigError("this validator's key is in no file, and its owner has not told it: start it again") from None


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
        process = Process(_read(Path(config)), sys.stdin)
    except (MinichainError, OSError) as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return 1
    gc.set_threshold(50_000, 10, 10)  # messages and transactions are many, and few things hold each other
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
