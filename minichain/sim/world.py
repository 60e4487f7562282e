"""The simulated world: one agenda of events and a clock that jumps from each to the next.

Nothing here decides for a node. After every event the checkers look; the same seed, script and chain give the same
trace digest, in every process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from random import Random
from typing import Final, Protocol

from minichain.consensus.interface import Mine, Mined, StopMining
from minichain.crypto import KeyPair, curve_public, is_valid_signature
from minichain.errors import DecodeError, InvalidBlock, NetworkError, UsageError
from minichain.faults.adversaries import ADVERSARIES, CORRECT, Adversary, Insider, Ring, remade
from minichain.faults.network import Link, Network, Weather
from minichain.faults.player import act
from minichain.faults.timeline import DISKS, MOMENTS, Step
from minichain.faults.wires import Wires
from minichain.ledger.certificate import seek_nonce
from minichain.ledger.genesis import Genesis
from minichain.ledger.types import Block
from minichain.membership.authority import Rotation, proposer
from minichain.node.core import Node
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
from minichain.node.keeper import InPlace, Keeper
from minichain.node.messages import read_peer_message
from minichain.node.snapshots import Snapshots, fetch
from minichain.node.turn import take_turn
from minichain.sim.agenda import Time
from minichain.sim.checkers import Checkers
from minichain.sim.machine import Late, Machine, SigningKey
from minichain.sim.memory import MemoryStore, PowerCut
from minichain.sim.trace import Trace
from minichain.transition import first_state

CLIENT_DELAY_MS: Final = 1
NEVER_MS: Final = 2**63
MESSAGES_READ: Final = 512  # kept decoded: the members all get the same bytes, and what they read cannot change


class Observer(Protocol):
    """Sees everything and changes nothing; for whoever records what happens."""

    def on_sent(self, sender: str, receiver: str, data: bytes, arrivals: Sequence[tuple[int, Received]]) -> None:
        """See a message: the delays with which it will arrive, and as what; none if it is lost."""

    def on_turn(self, name: str, event: Event) -> None:
        """See that a node has handled an event, or was stopped by it."""


class World(Wires):
    """Simulated nodes of one chain. `keys` are their key pairs by name; who is not in the genesis only listens.

    A key under two names is a member run twice: each twin is a correct node on a computer of its own, knows nothing
    of the other, and gets what is sent to either. Together they are one faulty member (Bano et al., "Twins: BFT
    Systems Made Robust", arXiv:2004.10617). `rotation` says whose turn it is to propose. Worlds of several chains may
    share one `time`.
    """

    def __init__(
        self,
        genesis: Genesis,
        keys: dict[str, KeyPair],
        *,
        seed: int = 0,
        weather: Weather | None = None,
        keep_lines: bool = False,
        on_violation: str = "stop",
        observer: Observer | None = None,
        rotation: Rotation = proposer,
        time: Time | None = None,
    ) -> None:
        self.genesis = genesis
        self._rotation = rotation
        self.seed = seed
        self._observer = observer
        self.time = time or Time(genesis.spec.genesis_time_ms)
        self._start_ms = self.time.now_ms
        self._random = Random(seed)
        self._ring = Ring()
        self.network = Network(weather or Weather(), self._random)
        self._made: set[tuple[bytes, str, bytes, bytes]] = set()
        self._machines = {name: self._machine(name, key) for name, key in keys.items()}
        stores = {name: machine.store for name, machine in self._machines.items()}
        self.checkers = Checkers(genesis, self._is_valid, on_violation, stores)
        self._of_key: dict[bytes, list[Machine]] = {}
        for machine in self._machines.values():
            self._of_key.setdefault(machine.key.public, []).append(machine)
        who = {public: " or ".join(one.name for one in machines) for public, machines in self._of_key.items()}
        self.trace = Trace(who, keep_lines)
        for name in filter(self.is_adversary, self._machines):
            self.checkers.ignore(name)
        self._read = lru_cache(MESSAGES_READ)(read_peer_message)
        self._replies: dict[bytes, list[bytes]] = {}
        self.delivered = 0  # messages between members
        self.delivered_bytes = 0
        self.sealed: list[tuple[str, int]] = []  # (miner, difficulty) of every block of work, also of those that lost
        for name in self._machines:
            self.restart(name)

    def join(self, name: str, key: KeyPair) -> None:
        """Let one more node run this chain; it begins with a snapshot, and is a member once the members say so."""
        if name in self._machines:
            raise UsageError(f"{name} is here already")
        machine = self._machines[name] = self._machine(name, key)
        self._of_key.setdefault(machine.key.public, []).append(machine)
        self.trace.names[machine.key.public] = name
        self.checkers.stores[name] = machine.store
        self.restart(name, "snapshot")

    def leave(self, name: str) -> None:
        """Let a node go for good; what it kept of this chain goes with it."""
        machine = self._named(name)
        self.trace.note(self.elapsed_ms, f"{name} is taken away")
        self._switch_off(machine)
        del self._machines[name], self._of_key[machine.key.public], self.checkers.stores[name]
        self.checkers.ignore(name)

    def _machine(self, name: str, key: KeyPair) -> Machine:
        work = self.genesis.spec.work
        rate = work.difficulty / work.block_ms / len(self.genesis.committee.members)
        store = MemoryStore(first_state(self.genesis))
        return Machine(name, SigningKey(key.seed, self._made), store, rate)

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

    def key(self, name: str) -> KeyPair:
        """Return a node's key pair."""
        return self._named(name).key

    def node(self, name: str) -> Node | None:
        """Return a node, or None while it is off."""
        return self._named(name).node

    def store(self, name: str) -> MemoryStore:
        """Return a member's disk."""
        return self._named(name).store

    def is_running(self, name: str) -> bool:
        """Tell whether a node is on."""
        return self._named(name).node is not None

    def note(self, text: str) -> None:
        """Write a line into the trace."""
        self.trace.note(self.elapsed_ms, text)

    def fault(self, step: Step) -> None:
        """Let a line of a timeline happen now."""
        act(self, step)

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

    def restart(self, name: str, disk: str = "kept") -> None:
        """Switch a node on; it has what its disk kept, or less (see `DISKS`)."""
        machine = self._named(name)
        if disk not in DISKS:
            raise UsageError(f"a disk is {' or '.join(DISKS)}, not {disk!r}")
        if machine.node is not None:
            raise UsageError(f"{name} is already running")
        self.trace.note(self.elapsed_ms, f"{name} starts" if disk == "kept" else f"{name} starts, its disk is {disk}")
        store = machine.store
        if disk != "kept":
            store.restore(is_lost=disk != "restored")
            if disk == "snapshot":
                self._settle_with_snapshot(machine)
            self.checkers.distrust(name, store)
        if machine.is_forgetful:
            store.forget()
        machine.executor, machine.node = self._install(machine, Random(f"{self.seed} {name} {machine.life}"))
        machine.life += 1
        machine.stopped_by = ""
        self._push(0, machine, Started())

    def _settle_with_snapshot(self, machine: Machine) -> None:
        """Let an empty disk begin with what the furthest other node hands out, if that has a block yet."""
        others = [other.store for other in self._machines.values() if other is not machine]
        furthest = max(others, key=MemoryStore.height, default=machine.store)
        if furthest.height() and not machine.store.is_full:  # a full one stays empty
            snapshot = fetch(self.genesis, Snapshots(self.genesis, furthest).answer)
            with machine.store.turn():
                machine.store.begin_at(snapshot)

    def _install(self, machine: Machine, random: Random) -> tuple[Keeper, Node]:
        """Make what runs on a machine, from what its disk has."""
        store = machine.store
        executor = Keeper(self.genesis, store, InPlace())
        checks = self._is_valid, self._read
        rotation = self._rotation
        return executor, Node(machine.name, machine.key, self.genesis, store, random, *checks, rotation=rotation)

    def part(self, *groups: Iterable[str]) -> None:
        """Let no message pass between the groups."""
        parts = [[self._named(name).name for name in group] for group in groups]
        self.trace.note(self.elapsed_ms, "network parts: " + " | ".join(" ".join(part) for part in parts))
        self.network.part(parts)

    def cut(self, links: Iterable[Link]) -> None:
        """Let no message pass over these links; each is one direction."""
        links = self._links(links)
        self.trace.note(self.elapsed_ms, "network cuts: " + ", ".join(f"{one} -> {other}" for one, other in links))
        self.network.cut(links)

    def _mark(self, which: int, hold_ms: int | None, links: Iterable[Link]) -> None:
        links = self._links(links)
        told = "lost" if hold_ms is None else f"held back for {hold_ms} ms"
        self.trace.note(self.elapsed_ms, f"{told}, message {which} of: " + ", ".join(f"{a} -> {b}" for a, b in links))
        self.network.mark(which, hold_ms, links)

    def heal(self) -> None:
        """Join the network again."""
        self.trace.note(self.elapsed_ms, "network heals")
        self.network.heal()

    def _change_weather(self, links: Iterable[Link] | None, **changes: int) -> None:
        self.trace.note(self.elapsed_ms, " ".join(f"{name} {value}" for name, value in changes.items()))
        self.network.change(None if links is None else self._links(links), **changes)

    def _links(self, links: Iterable[Link]) -> tuple[Link, ...]:
        return tuple((self._named(sender).name, self._named(receiver).name) for sender, receiver in links)

    def pause(self, name: str) -> None:
        """Freeze a node: it handles nothing, and what comes for it waits."""
        self.trace.note(self.elapsed_ms, f"{name} freezes")
        self._named(name).is_paused = True

    def resume(self, name: str) -> None:
        """Let a frozen node go on, with all that has waited for it."""
        machine = self._named(name)
        self.trace.note(self.elapsed_ms, f"{name} goes on")
        machine.is_paused, waiting, machine.waiting = False, machine.waiting, []
        for event in reversed(waiting):  # it came before what comes now
            self.time.put_first(partial(self._arrive, machine, machine.life, event))

    def skew(self, name: str, ahead_ms: int) -> None:
        """Set a node's clock ahead of the world's, or, below zero, behind it."""
        self.trace.note(self.elapsed_ms, f"{name} has its clock {ahead_ms:+} ms from ours")
        self._named(name).skew_ms = ahead_ms

    def fill(self, name: str) -> None:
        """Fill a node's disk: the next write fails, and stops it."""
        self.trace.note(self.elapsed_ms, f"{name} has a full disk")
        self._named(name).store.is_full = True

    def free(self, name: str) -> None:
        """Give a node's disk space again; the node has to be started."""
        self.trace.note(self.elapsed_ms, f"{name} has space on its disk")
        self._named(name).store.is_full = False

    def slow(self, name: str, disk_ms: int) -> None:
        """Let a node's disk take so long for each turn; meanwhile the node waits, and so does what it would send."""
        self.trace.note(self.elapsed_ms, f"{name} has a disk that takes {disk_ms} ms")
        self._named(name).disk_ms = disk_ms

    def backup(self, name: str) -> None:
        """Copy a node's disk, for a `restart` that finds it "restored"."""
        self.trace.note(self.elapsed_ms, f"{name} is backed up")
        self._named(name).store.back_up()

    def head(self, name: str) -> bytes:
        """Return the id of the last block on a member's disk."""
        store = self._named(name).store
        last = store.block(store.height())
        return last.block.header.id if last else self.genesis.hash

    def is_adversary(self, name: str) -> bool:
        """Tell whether a member was made a faulty one, or is run twice."""
        machine = self._named(name)
        return machine.adversary is not None or len(self._of_key[machine.key.public]) > 1

    def is_paused(self, name: str) -> bool:
        """Tell whether a node is frozen."""
        return self._named(name).is_paused

    def why_off(self, name: str) -> str:
        """Return the error that stopped a node; empty if it runs or was switched off."""
        return self._named(name).stopped_by

    def calm(self) -> None:
        """End every fault. Who was made a faulty member stays one."""
        self.trace.note(self.elapsed_ms, "calm")
        self.network.calm()
        self.settle()
        for name, machine in self._machines.items():
            machine.skew_ms = machine.disk_ms = 0
            machine.store.is_full = False
            if machine.is_paused:
                self.resume(name)
            if machine.node is None:
                self.restart(name)

    def behave(self, name: str, character: str) -> None:
        """Make a member an adversary of this name (see `ADVERSARIES`), or "correct" again; it is trusted no more."""
        machine = self._named(name)
        if character != CORRECT and character not in ADVERSARIES:
            raise UsageError(f"nobody behaves {character!r}: choose {CORRECT} or {', '.join(ADVERSARIES)}")
        self.trace.note(self.elapsed_ms, f"{name} behaves: {character}")
        insider = Insider(name, machine.key, self.genesis.hash, self.names, partial(self._remake, machine), self._ring)
        machine.is_forgetful = character == "amnesiac"
        machine.adversary = None if character == CORRECT else ADVERSARIES[character](insider)
        self.checkers.ignore(name)

    def _remake(self, machine: Machine, block: Block, txs: Iterable[bytes]) -> Block:
        """Let a member's own executor make another valid block in the place of this one, of these transactions."""
        assert machine.executor is not None
        return remade(machine.executor, self.genesis, machine.key.public, block, txs)

    def corrupt(self, name: str, adversary: Adversary | None) -> None:
        """Let a member send what `adversary` makes of its messages; None makes it correct again."""
        self._named(name).adversary = adversary
        self.checkers.distrust(name, self.store(name))

    def inject(self, sender: str, receiver: str, data: bytes) -> None:
        """Let a member send any bytes to another."""
        machine = self._named(sender)
        self._post(machine, self._named(receiver), data)

    def ask(self, name: str, client: bytes, data: bytes, reader: bytes = b"") -> None:
        """Send a client's bytes to a node, as the owner of the key `reader`; the answer will be among `replies`."""
        machine = self._named(name)
        self._replies.setdefault(client, [])
        self._push(CLIENT_DELAY_MS, machine, Asked(client, data, curve_public(reader) if reader else b""))

    def has_replies(self, client: bytes) -> bool:
        """Tell whether `replies` has any."""
        return bool(self._replies.get(client))

    def replies(self, client: bytes) -> list[bytes]:
        """Take the answers a client has got since it last looked."""
        replies, self._replies[client] = self._replies.get(client, []), []
        return replies

    # --- time ---

    @property
    def now_ms(self) -> int:
        """Return the virtual time."""
        return self.time.now_ms

    @property
    def elapsed_ms(self) -> int:
        """Return how much virtual time has passed here."""
        return self.now_ms - self._start_ms

    def step(self, until_ms: int = NEVER_MS) -> bool:
        """Let the next event happen; False if there is none up to this time."""
        return self.time.step(until_ms)

    def _arrive(self, machine: Machine, life: int, event: Event | Mine | Late) -> bool:
        """Let an event come to a machine; False if nothing comes of it, or not yet."""
        if machine.node is None or machine.life != life:
            return False
        if machine.is_paused:
            machine.waiting.append(event)
            return False
        if machine.busy_until_ms > self.now_ms:
            self._push(machine.busy_until_ms - self.now_ms, machine, event)
            return False
        return self._reach(machine, event)

    def _reach(self, machine: Machine, event: Event | Mine | Late) -> bool:
        """Let an event reach its node; False if it comes to nothing."""
        match event:
            case Received():  # most of what happens
                self._happen(machine, event)
            case Late():
                self._perform_all(machine, event.effects)
            case Mine():
                if event is not machine.search:
                    return False  # that search has ended
                self._happen(machine, self._found(machine, event))
            case _:
                self._happen(machine, event)
        return True

    def run_for(self, ms: int) -> None:
        """Let time pass."""
        self.time.run_for(ms)

    def run_until(self, condition: Callable[[], bool], within_ms: int) -> bool:
        """Let time pass until a condition holds; False if it does not within that many milliseconds."""
        return self.time.run_until(condition, within_ms)

    # --- one event ---

    def _happen(self, machine: Machine, event: Event) -> None:
        self.trace.add(self.elapsed_ms, machine.name, event)
        self._take_turn(machine, event)
        if self._observer:
            self._observer.on_turn(machine.name, event)

    def _take_turn(self, machine: Machine, event: Event) -> None:
        node, executor = machine.node, machine.executor
        assert node is not None
        assert executor is not None
        try:
            effects = take_turn(node, machine.store, executor, (event,), self.now_ms + machine.skew_ms)
        except PowerCut:
            self._switch_off(machine)
            return
        except (NetworkError, InvalidBlock) as error:  # its disk is full, or more than it can bear are faulty
            if isinstance(error, InvalidBlock) and not self.checkers.violations:
                raise
            self.trace.note(self.elapsed_ms, f"{machine.name} stops: {error}")
            self._switch_off(machine)
            machine.stopped_by = str(error)
            return
        except AssertionError as bug:
            raise AssertionError(f"{bug} (seed {self.seed}, {self.elapsed_ms} ms, {machine.name})") from bug
        self.checkers.after_event(machine.name, node.height, machine.store, node.waiting)
        if machine.crash_after_commit:
            self._switch_off(machine)
            return
        if machine.disk_ms:
            machine.busy_until_ms = self.now_ms + machine.disk_ms
            self._push(machine.disk_ms, machine, Late(effects))
        else:
            self._perform_all(machine, effects)

    def _perform_all(self, machine: Machine, effects: Sequence[Effect]) -> None:
        for effect in effects:
            self._perform(machine, effect)

    def _perform(self, machine: Machine, effect: Effect) -> None:
        match effect:
            case Broadcast():
                self._overhear(machine, None, effect.data)
                self._spread(machine, effect.data)
            case SetTimer():
                self._set_timer(machine, effect.timer, effect.delay_ms)
            case Send(peer, data):
                for other in self._of_key.get(peer, ()):
                    self._overhear(machine, other, data)
                    self._send(machine, other, data)
            case Mine(_, difficulty):
                machine.search = effect
                self._push(round(self._random.expovariate(machine.hash_rate / difficulty)), machine, effect)
            case StopMining():
                machine.search = None
            case Reply(client, data):
                self.checkers.on_answer(machine.name, data)
                self._replies.setdefault(client, []).append(data)

    def _spread(self, machine: Machine, data: bytes) -> None:
        """Send bytes to every other node."""
        for other in self._machines.values():
            if other.key.public != machine.key.public:  # nobody calls itself
                self._send(machine, other, data)

    def _send(self, sender: Machine, receiver: Machine, data: bytes) -> None:
        if sender.adversary is None:
            self._post(sender, receiver, data)
            return
        for other in sender.adversary(receiver.name, data, self._random):
            self._tell_checkers(sender, receiver, other)
            self._post(sender, receiver, other)

    def _overhear(self, sender: Machine, receiver: Machine | None, data: bytes) -> None:
        """Let the checkers hear what leaves a node, for one or, None, for all; what a liar sends is heard later."""
        if sender.adversary is None:
            self._tell_checkers(sender, receiver, data)

    def _tell_checkers(self, sender: Machine, receiver: Machine | None, data: bytes) -> None:
        if self.genesis.spec.engine == "pow":
            return  # there nobody is bound by what it says
        try:
            message = self._read(data)
        except DecodeError:
            return  # only a liar sends what cannot be read
        self.checkers.on_sent(sender.name, sender.key.public, receiver.name if receiver else "", message)

    def _post(self, sender: Machine, receiver: Machine, data: bytes) -> None:
        carried = self.network.carry(sender.name, receiver.name, data)
        arrivals = [(delay_ms, Received(sender.key.public, arrived)) for delay_ms, arrived in carried]
        for delay_ms, event in arrivals:
            self.delivered += 1
            self.delivered_bytes += len(event.data)
            self._push(delay_ms, receiver, event)
        if self._observer:
            self._observer.on_sent(sender.name, receiver.name, data, arrivals)

    def _found(self, machine: Machine, search: Mine) -> Mined:
        """Find the nonce now: how long it took was drawn before, but it must be a true one."""
        machine.search, nonce = None, None
        self.sealed.append((machine.name, search.difficulty))
        while nonce is None:
            nonce = seek_nonce(search.block_id, search.difficulty, self._random.getrandbits(40), 1_000)
        return Mined(search.block_id, nonce)

    def _set_timer(self, machine: Machine, timer: NodeTimer, delay_ms: int) -> None:
        self._push(delay_ms, machine, TimerFired(timer))

    def _push(self, delay_ms: int, machine: Machine, event: Event | Mine | Late) -> None:
        self.time.put(delay_ms, partial(self._arrive, machine, machine.life, event))

    def _switch_off(self, machine: Machine) -> None:
        machine.store.lose_turn()
        machine.node = machine.executor = machine.search = None
        machine.crash_after_commit = machine.is_paused = False
        machine.waiting = []
        machine.busy_until_ms = 0

    def _named(self, name: str) -> Machine:
        if name not in self._machines:
            raise UsageError(f"there is no node {name!r}; there are {', '.join(self._machines)}")
        return self._machines[name]
