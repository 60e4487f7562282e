"""The simulated world: one heap of events and a clock that jumps from each to the next.

Nothing here decides for a node. After every event the checkers look; the same seed, script and chain give the same
trace digest, in every process.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from functools import lru_cache
from random import Random
from typing import Final

from minichain.consensus.interface import Mine, Mined, StopMining
from minichain.crypto import KeyPair, is_valid_signature
from minichain.errors import UsageError
from minichain.ledger.certificate import seek_nonce
from minichain.ledger.genesis import Genesis
from minichain.node.core import Node
from minichain.node.execution import Executor
from minichain.node.interface import (
    Asked,
    Broadcast,
    Effect,
    Event,
    NodeTimer,
    Received,
    Reply,
    Send,
    SetTimer,
    Started,
    TimerFired,
)
from minichain.node.messages import read_peer_message
from minichain.node.turn import take_turn
from minichain.sim.checkers import Checkers
from minichain.sim.memory import MemoryStore, PowerCut
from minichain.sim.network import Network, Weather
from minichain.sim.trace import Trace

MOMENTS: Final = ("now", "before commit", "after commit")  # of a crash; the last two in the middle of the next turn
CLIENT_DELAY_MS: Final = 1
MESSAGES_READ: Final = 512  # kept decoded: the members all get the same bytes, and what they read cannot change

Adversary = Callable[[str, bytes, Random], Iterable[bytes]]
"""What a faulty member sends to `receiver` in place of a message: (receiver, message, random) -> messages."""


class _Signing(KeyPair):
    """A key pair whose signatures the world remembers, so that checking one is a look into a set."""

    __slots__ = ("_made",)

    def __init__(self, seed: bytes, made: set[tuple[bytes, str, bytes, bytes]]) -> None:
        super().__init__(seed)
        self._made = made

    def sign(self, domain: str, data: bytes) -> bytes:
        signature = super().sign(domain, data)
        self._made.add((self.public, domain, data, signature))
        return signature


class _Machine:
    """One member's computer: a disk that stays, and a node that may be off."""

    __slots__ = (
        *("adversary", "crash_after_commit", "executor", "hash_rate", "key"),
        *("life", "name", "node", "search", "store"),
    )

    def __init__(self, name: str, key: KeyPair, store: MemoryStore, hash_rate: float) -> None:
        self.name = name
        self.key = key
        self.store = store
        self.node: Node | None = None
        self.executor: Executor | None = None
        self.life = 0  # how often it was switched on; events of an earlier life are void
        self.crash_after_commit = False
        self.adversary: Adversary | None = None
        self.hash_rate = hash_rate  # tries in a millisecond
        self.search: Mine | None = None


class World:
    """Simulated members of one chain. `keys` are their key pairs by name; names are those of the genesis."""

    def __init__(
        self,
        genesis: Genesis,
        keys: dict[str, KeyPair],
        *,
        seed: int = 0,
        weather: Weather | None = None,
        keep_lines: bool = False,
    ) -> None:
        self.genesis = genesis
        self.seed = seed
        self.now_ms = genesis.spec.genesis_time_ms
        self._start_ms = self.now_ms
        self._random = Random(seed)
        self.network = Network(weather or Weather(), self._random)
        self._made: set[tuple[bytes, str, bytes, bytes]] = set()
        self.checkers = Checkers(genesis, self._is_valid)
        members = {member.public: member.name for member in genesis.committee.members}
        self.trace = Trace(members, keep_lines)
        self._machines = {name: self._machine(name, key) for name, key in keys.items()}
        self._of_key = {machine.key.public: machine for machine in self._machines.values()}
        self._read = lru_cache(MESSAGES_READ)(read_peer_message)
        self._queue: list[tuple[int, int, _Machine, int, Event | Mine]] = []
        self._sequence = 0
        self._replies: dict[bytes, list[bytes]] = {}
        self.delivered = 0  # messages between members
        for name in self._machines:
            self.restart(name)

    def _machine(self, name: str, key: KeyPair) -> _Machine:
        def on_remember(item: bytes, data: bytes) -> None:
            self.checkers.on_remembered(name, item, data)

        work = self.genesis.spec.work
        rate = work.difficulty / work.block_ms / len(self.genesis.committee.members)
        store = MemoryStore(self.genesis.state_items(), on_remember)
        return _Machine(name, _Signing(key.seed, self._made), store, rate)

    def _is_valid(self, public: bytes, domain: str, data: bytes, signature: bytes) -> bool:
        known = (public, domain, data, signature)
        if known in self._made:
            return True
        if is_valid_signature(public, domain, data, signature):
            self._made.add(known)
            return True
        return False

    # --- what people do to the world ---

    @property
    def names(self) -> tuple[str, ...]:
        """Return the members' names."""
        return tuple(self._machines)

    def node(self, name: str) -> Node | None:
        """Return a node, or None while it is off."""
        return self._named(name).node

    def store(self, name: str) -> MemoryStore:
        """Return a member's disk."""
        return self._named(name).store

    def crash(self, name: str, moment: str = "now") -> None:
        """Switch a node off, now or in the middle of its next turn (see `MOMENTS`)."""
        machine = self._named(name)
        if moment not in MOMENTS:
            raise UsageError(f"a crash happens {' or '.join(MOMENTS)}, not {moment!r}")
        if machine.node is None:
            raise UsageError(f"{name} is already off")
        self.trace.note(self.elapsed_ms, f"{name} crashes {moment}")
        if moment == "now":
            self._switch_off(machine)
        elif moment == "before commit":
            machine.store.cut_power = True
        else:
            machine.crash_after_commit = True

    def settle(self) -> None:
        """Take back crashes that have not happened yet."""
        for machine in self._machines.values():
            machine.store.cut_power = machine.crash_after_commit = False

    def restart(self, name: str) -> None:
        """Switch a node on; it has what its disk kept."""
        machine = self._named(name)
        if machine.node is not None:
            raise UsageError(f"{name} is already running")
        self.trace.note(self.elapsed_ms, f"{name} starts")
        store = machine.store
        last = store.block(store.height())
        machine.executor = Executor(self.genesis, store.state_items(), last.block.header if last else None)
        random = Random(f"{self.seed} {name} {machine.life}")
        machine.node = Node(name, machine.key, self.genesis, store, random, self._is_valid, self._read)
        machine.life += 1
        self._push(0, machine, Started())

    def part(self, *groups: Iterable[str]) -> None:
        """Let no message pass between the groups."""
        parts = [[self._named(name).name for name in group] for group in groups]
        self.trace.note(self.elapsed_ms, "network parts: " + " | ".join(" ".join(part) for part in parts))
        self.network.part(parts)

    def heal(self) -> None:
        """Join the network again."""
        self.trace.note(self.elapsed_ms, "network heals")
        self.network.heal()

    def corrupt(self, name: str, adversary: Adversary | None) -> None:
        """Let a member send what `adversary` makes of its messages; None makes it correct again."""
        self._named(name).adversary = adversary

    def inject(self, sender: str, receiver: str, data: bytes) -> None:
        """Let a member send any bytes to another."""
        machine = self._named(sender)
        self._post(machine, self._named(receiver), data)

    def ask(self, name: str, client: bytes, data: bytes) -> None:
        """Send a client's bytes to a node; the answer will be among `replies`."""
        machine = self._named(name)
        self._replies.setdefault(client, [])
        self._push(CLIENT_DELAY_MS, machine, Asked(client, data))

    def has_replies(self, client: bytes) -> bool:
        """Tell whether `replies` has any."""
        return bool(self._replies.get(client))

    def replies(self, client: bytes) -> list[bytes]:
        """Take the answers a client has got since it last looked."""
        replies, self._replies[client] = self._replies.get(client, []), []
        return replies

    # --- time ---

    @property
    def elapsed_ms(self) -> int:
        """Return how much virtual time has passed."""
        return self.now_ms - self._start_ms

    def step(self) -> bool:
        """Let the next event happen; False if there is none."""
        while self._queue:
            time_ms, _, machine, life, event = heapq.heappop(self._queue)
            self.now_ms = time_ms
            if machine.node is None or machine.life != life:
                continue
            if isinstance(event, Mine):
                if event is not machine.search:
                    continue  # that search has ended
                event = self._found(machine, event)
            self._happen(machine, event)
            return True
        return False

    def run_for(self, ms: int) -> None:
        """Let time pass."""
        end = self.now_ms + ms
        while self._queue and self._queue[0][0] <= end:
            self.step()
        self.now_ms = end

    def run_until(self, condition: Callable[[], bool], within_ms: int) -> bool:
        """Let time pass until a condition holds; False if it does not within that many milliseconds."""
        end = self.now_ms + within_ms
        while not condition():
            if not self._queue or self._queue[0][0] > end:
                self.now_ms = end
                return condition()
            self.step()
        return True

    # --- one event ---

    def _happen(self, machine: _Machine, event: Event) -> None:
        self.trace.add(self.elapsed_ms, machine.name, event)
        node, executor = machine.node, machine.executor
        assert node is not None
        assert executor is not None
        try:
            effects = take_turn(node, machine.store, executor, (event,), self.now_ms)
        except PowerCut:
            self._switch_off(machine)
            return
        except AssertionError as bug:
            raise AssertionError(f"{bug} (seed {self.seed}, {self.elapsed_ms} ms, {machine.name})") from bug
        self.checkers.after_event(machine.name, node.height, machine.store)
        if machine.crash_after_commit:
            self._switch_off(machine)
            return
        for effect in effects:
            self._perform(machine, effect)

    def _perform(self, machine: _Machine, effect: Effect) -> None:
        match effect:
            case Broadcast(data):
                for other in self._machines.values():
                    if other is not machine:
                        self._send(machine, other, data)
            case Send(peer, data):
                self._send(machine, self._of_key[peer], data)
            case SetTimer(timer, delay_ms):
                self._set_timer(machine, timer, delay_ms)
            case Mine(_, difficulty):
                machine.search = effect
                self._push(round(self._random.expovariate(machine.hash_rate / difficulty)), machine, effect)
            case StopMining():
                machine.search = None
            case Reply(client, data):
                self._replies.setdefault(client, []).append(data)

    def _send(self, sender: _Machine, receiver: _Machine, data: bytes) -> None:
        if sender.adversary is None:
            self._post(sender, receiver, data)
            return
        for other in sender.adversary(receiver.name, data, self._random):
            self._post(sender, receiver, other)

    def _post(self, sender: _Machine, receiver: _Machine, data: bytes) -> None:
        for delay_ms in self.network.delays(sender.name, receiver.name):
            self.delivered += 1
            self._push(delay_ms, receiver, Received(sender.key.public, data))

    def _found(self, machine: _Machine, search: Mine) -> Mined:
        """Find the nonce now: how long it took was drawn before, but it must be a true one."""
        machine.search, nonce = None, None
        while nonce is None:
            nonce = seek_nonce(search.block_id, search.difficulty, self._random.getrandbits(40), 1_000)
        return Mined(search.block_id, nonce)

    def _set_timer(self, machine: _Machine, timer: NodeTimer, delay_ms: int) -> None:
        self._push(delay_ms, machine, TimerFired(timer))

    def _push(self, delay_ms: int, machine: _Machine, event: Event | Mine) -> None:
        self._sequence += 1
        heapq.heappush(self._queue, (self.now_ms + delay_ms, self._sequence, machine, machine.life, event))

    def _switch_off(self, machine: _Machine) -> None:
        machine.store.lose_turn()
        machine.node = machine.executor = machine.search = None
        machine.crash_after_commit = False

    def _named(self, name: str) -> _Machine:
        if name not in self._machines:
            raise UsageError(f"there is no node {name!r}; there are {', '.join(self._machines)}")
        return self._machines[name]
