"""Raft engines in one process, for its tests: what a node does around an engine, reduced to a few lines, and the
checks that hold for every run. `Net` keeps time and chance; `Story` lets a text decide what happens next.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from minichain.consensus.interface import (
    Begin,
    Behind,
    Build,
    Built,
    Decide,
    Effect,
    Heard,
    Judge,
    Judged,
    Remember,
    Send,
    Setup,
    StartTimer,
    Tell,
    Tick,
    TimedOut,
    Timer,
    Work,
)
from minichain.consensus.raft import (
    AppendEntries,
    AppendReply,
    Entry,
    InstallSnapshot,
    Raft,
    RequestVote,
    VoteReply,
)
from minichain.crypto import is_valid_signature
from minichain.ledger.certificate import FinalBlock, LogCertificate
from minichain.ledger.committee import Committee
from minichain.ledger.genesis import ChainSpec, Timeouts
from minichain.ledger.types import Block, Header
from minichain.merkle import root
from tests.builders import committee, key

CHAIN = b"\7" * 32
TIMEOUT = 1_200
BEAT = TIMEOUT // 6
TIMEOUTS = Timeouts(propose=TIMEOUT)
NAMES: dict[bytes, str] = {}
checked = lru_cache(maxsize=100_000)(is_valid_signature)  # the same signatures are looked at by every engine


def public(i: int) -> bytes:
    return key(f"node-{i}").public


PLACES = {public(i): i for i in range(20)}


def setup(i: int, memory: Mapping[bytes, bytes] | None = None, seed: int = 0) -> Setup:
    """Return what node-i's engine is made from."""
    spec = ChainSpec(chain_id="raft", engine="raft", members=committee(1, 1, 1).members, timeouts=TIMEOUTS)
    chance = random.Random(f"{seed}/{i}")
    return Setup(key(f"node-{i}"), CHAIN, spec, checked, chance, dict(memory or {}))


def block(
    name: str, height: int = 1, proposer: int = 0, group: Committee | None = None, txs: tuple[bytes, ...] = ()
) -> Block:
    """Return a block; its name makes it different from others."""
    fields: dict[str, Any] = {field: bytes(32) for field in Header.__struct_fields__}
    fields |= {"genesis": CHAIN, "height": height, "time_ms": 0, "tx_count": len(txs), "tx_root": root(txs)}
    fields |= {"state_root": name.encode().ljust(32, b"."), "proposer": public(proposer)}
    fields["committee"] = (group or committee(1, 1, 1)).hash
    made = Block(Header(**fields), txs)
    NAMES[made.header.id] = name
    return made


def begin(height: int, head: bytes, group: Committee) -> Begin:
    return Begin(height, head, group, lambda _: group.members[0].public)


# --- many engines --------------------------------------------------------------------------------------------------


class World:
    """Engines with what survives a crash of each: its memory and its chain. Subclasses decide when things happen.

    Every effect is checked: a term has one leader, a height one block, and a certificate convinces its committee.
    """

    def __init__(self, *weights: int, seed: int = 0) -> None:
        self.group = committee(*weights)
        self.size, self.seed = len(weights), seed
        self.now_ms = 0
        self.changes: dict[int, Committee] = {}  # from a height on
        self.memory: list[dict[bytes, bytes]] = [{} for _ in weights]
        self.chains: list[list[FinalBlock]] = [[] for _ in weights]
        self.engines: list[Raft | None] = [None for _ in weights]
        self.leaders: dict[int, int] = {}
        self.final: dict[int, bytes] = {}
        self.rejected = 0

    def committee_at(self, height: int) -> Committee:
        begun = [at for at in self.changes if at <= height]
        return self.changes[max(begun)] if begun else self.group

    def start(self, i: int) -> None:
        self.engines[i] = Raft(setup(i, self.memory[i], self.seed))
        self.begin(i)

    def crash(self, i: int) -> None:
        self.rejected += self.engines[i].rejected if self.engines[i] else 0
        self.engines[i] = None

    def begin(self, i: int) -> None:
        height = len(self.chains[i]) + 1
        head = self.chains[i][-1].block.header.id if height > 1 else CHAIN
        self.give(i, begin(height, head, self.committee_at(height)))

    def give(self, i: int, event: Any) -> None:
        engine = self.engines[i]
        if engine is not None:
            effects = engine.handle(event, self.now_ms)
            self.check_leader(i, engine)
            for effect in effects[: self.surviving(i, len(effects))]:
                self.perform(i, effect)

    def surviving(self, i: int, count: int) -> int:
        """Return how many effects of a turn happen; fewer than all if the member crashes before the next."""
        return count

    def perform(self, i: int, effect: Effect) -> None:
        match effect:
            case Remember(name, None):
                self.memory[i].pop(name, None)
            case Remember(name, data):
                assert data is not None
                self.memory[i][name] = data
            case Tell(message):
                for j in range(self.size):
                    if j != i:
                        self.post(i, j, message)
            case Send(to, message):
                self.post(i, PLACES[to], message)
            case StartTimer(timer, delay_ms):
                self.on_timer(i, timer, delay_ms)
            case Build(height, round_):
                self.on_build(i, height, round_)
            case Judge(value):
                self.on_judge(i, value)
            case Decide(value, certificate):
                self.check_final(value, certificate)
                self.on_final(i, FinalBlock(value, certificate))
            case Behind(source):
                self.on_behind(i, PLACES[source])
            case _:
                raise AssertionError(f"an effect that Raft does not have: {effect}")

    def keep(self, i: int, final: FinalBlock) -> bool:
        """Let the chain have a final block, if it is the next; tells whether it was."""
        if final.block.header.height != len(self.chains[i]) + 1:
            return False
        self.chains[i].append(final)
        return True

    def check_leader(self, i: int, engine: Raft) -> None:
        found = engine.summary()
        if found["role"] == "leader":
            first = self.leaders.setdefault(found["round"], i)
            assert first == i, f"two leaders of term {found['round']}: node-{first} and node-{i}"

    def check_final(self, value: Block, certificate: Any) -> None:
        header = value.header
        assert isinstance(certificate, LogCertificate)
        certificate.verify(header, self.committee_at(header.height), checked)
        first = self.final.setdefault(header.height, header.id)
        assert first == header.id, f"two blocks at height {header.height}: {NAMES[first]} and {NAMES[header.id]}"

    def post(self, i: int, j: int, message: Any) -> None:
        raise NotImplementedError

    def on_timer(self, i: int, timer: Timer, delay_ms: int) -> None:
        raise NotImplementedError

    def on_build(self, i: int, height: int, round_: int) -> None:
        raise NotImplementedError

    def on_judge(self, i: int, value: Block) -> None:
        raise NotImplementedError

    def on_final(self, i: int, final: FinalBlock) -> None:
        raise NotImplementedError

    def on_behind(self, i: int, source: int) -> None:
        raise NotImplementedError


class Net(World):
    """Time and chance: messages are late, lost, doubled; links are cut; members crash, also within a turn."""

    def __init__(self, seed: int, *weights: int) -> None:
        super().__init__(*weights, seed=seed)
        self.random = random.Random(seed)
        self.heap: list[tuple[int, int, int, int, Any]] = []  # (time, order, member, its life, what)
        self.order = 0
        self.lives = [0] * self.size
        self.sides = [0] * self.size  # members on the same side hear each other
        self.fetching: set[int] = set()
        self.loss = self.double = self.late = self.stumble = 0.0
        for i in range(self.size):
            self.start(i)

    def later(self, i: int, delay_ms: int, what: Any) -> None:
        self.order += 1
        heapq.heappush(self.heap, (self.now_ms + delay_ms, self.order, i, self.lives[i], what))

    def run(self, duration_ms: int) -> None:
        end = self.now_ms + duration_ms
        while self.heap and self.heap[0][0] <= end:
            self.now_ms, _, i, life, what = heapq.heappop(self.heap)
            if isinstance(what, tuple):
                self.arrive(i, *what)
            elif life == self.lives[i]:
                self.happen(i, what)
        self.now_ms = end

    def arrive(self, i: int, sender: int, message: Any) -> None:
        if self.sides[i] == self.sides[sender]:
            self.give(i, Heard(public(sender), message))

    def happen(self, i: int, what: Any) -> None:
        if isinstance(what, FinalBlock):
            if self.keep(i, what):
                self.go_on(i)
        elif isinstance(what, Behind):
            self.fetch(i, PLACES[what.source])
        elif isinstance(what, Tick):
            self.tick(i)
        else:
            self.give(i, what)

    def tick(self, i: int) -> None:
        """Nodes tell each other how far they are: who has no leader, and is in no committee yet, hears of it so."""
        self.later(i, 2 * TIMEOUT, Tick())
        self.fetch(i, self.random.randrange(self.size))

    def go_on(self, i: int) -> None:
        self.begin(i)
        self.later(i, self.random.randrange(1_000), Work())

    def fetch(self, i: int, source: int) -> None:
        self.fetching.discard(i)
        if self.sides[i] == self.sides[source] and self.engines[source] is not None:
            before = len(self.chains[i])
            for final in self.chains[source][before:]:
                self.keep(i, final)
            if len(self.chains[i]) > before:
                self.go_on(i)

    def start(self, i: int) -> None:
        super().start(i)
        self.later(i, self.random.randrange(1_000), Work())

    def crash(self, i: int) -> None:
        super().crash(i)
        self.lives[i] += 1
        self.fetching.discard(i)

    def surviving(self, i: int, count: int) -> int:
        if self.random.random() >= self.stumble:
            return count
        self.crash(i)
        return self.random.randint(0, count)

    def post(self, i: int, j: int, message: Any) -> None:
        for _ in range(2 if self.random.random() < self.double else 1):
            if self.random.random() >= self.loss:
                is_late = self.random.random() < self.late
                self.later(j, self.random.randint(1, 3 * TIMEOUT if is_late else 20), (i, message))

    def on_timer(self, i: int, timer: Timer, delay_ms: int) -> None:
        self.later(i, delay_ms, TimedOut(timer))

    def on_build(self, i: int, height: int, round_: int) -> None:
        made = block(f"{height}.{round_}", height, i, self.committee_at(height))
        self.later(i, self.random.randint(1, 300), Built(height, round_, made))

    def on_judge(self, i: int, value: Block) -> None:
        self.later(i, self.random.randint(1, 100), Judged(value.header.id, True))

    def on_final(self, i: int, final: FinalBlock) -> None:
        self.later(i, self.random.randint(1, 50), final)

    def on_behind(self, i: int, source: int) -> None:
        if i not in self.fetching:
            self.fetching.add(i)
            self.later(i, self.random.randint(1, 100), Behind(public(source)))

    def disturb(self) -> None:
        """Do one thing that goes wrong, or mends itself."""
        i = self.random.randrange(self.size)
        match self.random.randrange(5):
            case 0:
                self.crash(i)
            case 1 | 2:
                if self.engines[i] is None:
                    self.start(i)
            case 3:
                self.sides = [self.random.randrange(2) for _ in range(self.size)]
            case 4:
                self.sides = [0] * self.size

    def calm(self) -> None:
        """From now on nothing goes wrong: then there must be progress."""
        self.loss = self.double = self.late = self.stumble = 0.0
        self.sides = [0] * self.size
        for i in range(self.size):
            if self.engines[i] is None:
                self.start(i)

    @property
    def heights(self) -> list[int]:
        return [len(chain) for chain in self.chains]


# --- a story -------------------------------------------------------------------------------------------------------


class Story(World):
    """Members 1, 2, 3...; each command of a text is carried out, and everything that happens is written down."""

    def __init__(self, *weights: int) -> None:
        super().__init__(*weights)
        self.mail: list[tuple[int, int, Any]] = []
        self.timers: list[dict[str, Timer]] = [{} for _ in weights]
        self.sides = [0] * self.size
        self.slow: set[int] = set()
        self.judging: list[tuple[int, Block]] = []
        self.name = ""
        self.lines: list[str] = []
        self.roles = [""] * self.size
        for i in range(self.size):
            self.start(i)
        self.lines.clear()

    def tell(self, command: str) -> list[str]:
        """Carry out one command; return what happened."""
        verb, *words = command.split()
        getattr(self, f"do_{verb}")(*words)
        lines, self.lines = self.lines, []
        return lines

    # --- commands ---

    def do_elect(self, member: str) -> None:
        """Nobody has heard a leader for long, and this member's patience ends first."""
        self.now_ms += 2 * TIMEOUT
        self.do_timeout(member)

    def do_timeout(self, member: str) -> None:
        self.fire(member, "election")

    def do_beat(self, member: str) -> None:
        self.now_ms += BEAT
        self.fire(member, "heartbeat")

    def do_lead(self, member: str) -> None:
        """This member is elected, and what it says is heard. Not told."""
        self.do_elect(member)
        self.do_deliver()
        self.do_beats(member, "1")

    def do_beats(self, member: str, count: str) -> None:
        """So many heartbeats are answered. Not told."""
        for _ in range(int(count)):
            self.do_beat(member)
            self.do_deliver()
        self.lines.clear()

    def do_wait(self, delay_ms: str) -> None:
        self.now_ms += int(delay_ms)

    def do_deliver(self, *link: str) -> None:
        """Deliver what is under way, and what follows from it; `deliver 1 > 2` only what goes that way now."""
        if not link:
            while self.mail:
                self.arrive(*self.mail.pop(0))
            return
        way = (int(link[0]) - 1, int(link[2]) - 1)
        chosen = [entry for entry in self.mail if entry[:2] == way]
        self.mail = [entry for entry in self.mail if entry[:2] != way]
        for entry in chosen:
            self.arrive(*entry)

    def do_lose(self) -> None:
        mail, self.mail = self.mail, []
        for i, j, message in mail:
            self.lines.append(f"{i + 1} x {j + 1}  {describe(message)}")

    def do_step(self) -> None:
        """Deliver what is under way, but not what follows from it."""
        mail, self.mail = self.mail, []
        for entry in mail:
            self.arrive(*entry)

    def do_propose(self, name: str) -> None:
        """A client tells the leaders that it wants block `name`."""
        self.name = name
        for i, role in enumerate(self.roles):
            if role.startswith("leader"):
                self.give(i, Work())

    def do_crash(self, member: str) -> None:
        i = int(member) - 1
        self.crash(i)
        self.timers[i], self.roles[i] = {}, ""

    def do_restart(self, member: str) -> None:
        self.start(int(member) - 1)

    def do_cut(self, *words: str) -> None:
        """`cut 1 | 2 3`: members on different sides do not hear each other."""
        for side, names in enumerate(" ".join(words).split("|")):
            for member in names.split():
                self.sides[int(member) - 1] = side

    def do_heal(self) -> None:
        self.sides = [0] * self.size

    def do_slow(self, member: str) -> None:
        self.slow.add(int(member) - 1)

    def do_judged(self, member: str) -> None:
        """A slow member has executed the blocks that wait."""
        self.slow.discard(int(member) - 1)
        waiting, self.judging = self.judging, []
        for i, value in waiting:
            self.on_judge(i, value)

    def do_only(self, *members: str) -> None:
        """At first these members decide."""
        everybody = self.group.members
        self.group = Committee(everybody[int(member) - 1] for member in members)
        for i in range(self.size):
            self.begin(i)

    def do_committee(self, *members: str) -> None:
        """The next block changes the committee: from the height after it on, these members decide."""
        everybody = committee(*[1] * self.size).members
        changed = Committee(everybody[int(member) - 1] for member in members)
        self.changes[max(map(len, self.chains)) + 2] = changed

    def do_show(self) -> None:
        for i, engine in enumerate(self.engines):
            self.lines.append(f"{i + 1}: " + (self.describe_member(i, engine) if engine else "crashed"))

    # --- what happens ---

    def fire(self, member: str, kind: str) -> None:
        i = int(member) - 1
        self.give(i, TimedOut(self.timers[i].pop(kind)))

    def arrive(self, i: int, j: int, message: Any) -> None:
        is_heard = self.sides[i] == self.sides[j] and self.engines[j] is not None
        self.lines.append(f"{i + 1} {'>' if is_heard else 'x'} {j + 1}  {describe(message)}")
        if is_heard:
            self.give(j, Heard(public(i), message))

    def give(self, i: int, event: Any) -> None:
        super().give(i, event)
        engine = self.engines[i]
        if engine is not None:
            found = engine.summary()
            role = f"{found['role']} of term {found['round']}"
            if role != self.roles[i]:
                self.lines.append(f"  {i + 1} is {role}")
            self.roles[i] = role

    def post(self, i: int, j: int, message: Any) -> None:
        self.mail.append((i, j, message))

    def on_timer(self, i: int, timer: Timer, delay_ms: int) -> None:
        self.timers[i][timer.kind] = timer

    def on_build(self, i: int, height: int, round_: int) -> None:
        self.lines.append(f"  {i + 1} builds {self.name}")
        self.give(i, Built(height, round_, block(self.name, height, i, self.committee_at(height))))

    def on_judge(self, i: int, value: Block) -> None:
        if i in self.slow:
            self.judging.append((i, value))
            self.lines.append(f"  {i + 1} has not judged {NAMES[value.header.id]} yet")
            return
        is_valid = not NAMES[value.header.id].startswith("bad")
        self.lines.append(f"  {i + 1} finds {NAMES[value.header.id]} {'valid' if is_valid else 'invalid'}")
        self.give(i, Judged(value.header.id, is_valid))

    def on_final(self, i: int, final: FinalBlock) -> None:
        self.lines.append(f"  {i + 1} decides {NAMES[final.block.header.id]} (term {final.certificate.term})")  # type: ignore[union-attr]
        self.keep(i, final)
        self.begin(i)

    def on_behind(self, i: int, source: int) -> None:
        missing = self.chains[source][len(self.chains[i]) :]
        names = " ".join(NAMES[final.block.header.id] for final in missing)
        self.lines.append(f"  {i + 1} gets {names or 'nothing'} from {source + 1}")
        for final in missing:
            self.keep(i, final)
        if missing:
            self.begin(i)

    def describe_member(self, i: int, engine: Raft) -> str:
        found, log = engine.summary(), engine._me.log
        chain = "".join(NAMES[final.block.header.id] for final in self.chains[i])
        entries = " ".join(name_entry(log.base.index + n, entry) for n, entry in enumerate(log.entries, 1))
        return (
            f"{found['role']} of term {found['round']}, chain [{chain}], "
            f"log after {log.base.index}/{log.base.term} [{entries}], commit {found['commit_index']}, {found['step']}"
        )


def name_entry(index: int, entry: Entry) -> str:
    return f"{index}/{entry.term} {NAMES[entry.block.header.id] if entry.block else '-'}"


def describe(message: Any) -> str:
    """Write a message in short; `3/2` is index 3 of term 2, and `-` the no-op."""
    match message:
        case RequestVote(term, index, last_term, pre_vote):
            return f"{'would you vote' if pre_vote else 'vote'} in term {term}? my log ends at {index}/{last_term}"
        case VoteReply(term, pre_vote, granted):
            return f"{'yes' if granted else 'no'}{', I would' if granted and pre_vote else ''} (term {term})"
        case AppendEntries(term, _, index, previous_term, entries, commit, certificate):
            shown = ", ".join(name_entry(index + n, entry) for n, entry in enumerate(entries, 1)) or "nothing"
            final = f", {NAMES[certificate.block_id]} is final" if certificate else ""
            return f"append after {index}/{previous_term}: {shown} (term {term}, commit {commit}{final})"
        case AppendReply(term, matches, index, signature):
            if not matches:
                return f"no match: go on at {index} (term {term})"
            return f"match through {index}{', signed' if signature else ''} (term {term})"
        case InstallSnapshot(term, base):
            return f"snapshot: the log up to {base.index}/{base.term} is the chain up to {base.height} (term {term})"
    raise AssertionError(message)
