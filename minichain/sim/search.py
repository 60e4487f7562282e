"""The search for faults of the ledger itself: each seed draws a timeline, the checkers look, and then there is calm.

Safety is asked for always, whatever happens; progress in the calm only. A drawn timeline never makes more members
faulty than the engine promises to bear, so whatever is found is a bug. The same seed is the same run everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from random import Random
from typing import Any, Final

import msgspec

from minichain.codec import Record
from minichain.errors import UsageError
from minichain.faults.adversaries import ADVERSARIES, CORRECT, FOR_ANY_ENGINE
from minichain.faults.network import CHANCES, Weather
from minichain.faults.timeline import CLIENTS, MOMENTS, USUAL, VOTED, Step, Timeline
from minichain.ledger.genesis import ENGINES
from minichain.ledger.local import MAX_VALIDATORS
from minichain.sim.checkers import Violated
from minichain.sim.clients import Load
from minichain.sim.player import play, world_of
from minichain.sim.world import World

CALM_MS: Final = 120_000  # after the faults, everything must be final within this time
LOOK_MS: Final = 250  # so often it is looked whether it is
MAX_ATTEMPTS: Final = 400  # to shorten a timeline

# --- what an engine promises -------------------------------------------------------------------------------------


class Promise(msgspec.Struct, frozen=True):
    """What an engine bears: so many faulty members of so many, who behave like this, and all but these faults.

    A member that has lost what it said may contradict itself, so it counts as faulty; so does one whose clock is far
    off (`SOUND_SKEW_MS`).
    """

    faulty: Callable[[int], int]
    characters: tuple[str, ...]
    excludes: frozenset[str] = frozenset()
    parted_ms: int = 10_000  # the longest partition
    skew_ms: int = 60_000  # the furthest that a faulty member's clock is off
    disks: tuple[str, ...] = ("lost", "restored", "snapshot")  # that a faulty member may come back with


# Stated here and not taken from `Committee`: an observer does not trust the formulas that it is to check.
PROMISES: Final[dict[str, Promise]] = {
    "bft": Promise(lambda n: (n - 1) // 3, tuple(ADVERSARIES)),
    # Nobody lies, and what arrives is what was sent: acknowledgements are believed.
    "raft": Promise(lambda n: 0, (), frozenset({"adversary", "amnesia", "corruption"})),
    # Whoever is parted for several block times may see confirmed what the others then undo; no engine of this kind
    # promises otherwise (section 11 of Nakamoto 2008 says how likely it is). A false clock parts as well: for as long
    # as two clocks differ by more than `max_skew_ms`, one of them finds the other's blocks too early.
    "pow": Promise(
        lambda n: (n - 1) // 3,
        tuple(FOR_ANY_ENGINE),
        frozenset({"members"}),
        parted_ms=2_000,
        skew_ms=8_000,
        disks=("lost", "restored"),
    ),
}
SOUND_SKEW_MS: Final = 4_000  # of a correct member; two may be off in two directions, and `max_skew_ms` is 10 000


def faulty(timeline: Timeline) -> frozenset[str]:
    """Return the nodes that a timeline makes faulty members."""
    return frozenset(step.args[0] for step in timeline.steps if _makes_faulty(step))


def _makes_faulty(step: Step) -> bool:
    match step.verb, step.args:
        case "restart", (_, disk):
            return bool(disk != "kept")
        case "behave", (_, character):
            return bool(character != CORRECT)
        case "skew", (_, ahead_ms):
            return bool(abs(ahead_ms) > SOUND_SKEW_MS)
    return False


# --- drawing -----------------------------------------------------------------------------------------------------


class _Drawing:
    """One timeline as it is drawn: who may be faulty, who leaves, and until when faults begin.

    The committee bears its faulty members also when all have left who will, and nobody has joined yet.
    """

    def __init__(self, timeline: Timeline, random: Random, end_ms: int) -> None:
        self.random = random
        self.names = timeline.names
        self.weather = timeline.weather
        self.end_ms = end_ms
        self.promise = PROMISES[timeline.engine]
        self.is_wall = timeline.clock == "wall"
        founders, self.listeners = self.names[: timeline.validators], self.names[timeline.validators :]
        going = random.randint(0, min(MOST_LEAVING, len(founders) - 1)) if timeline.membership == "voted" else 0
        most = min(self.promise.faulty(len(founders) - going), len(founders) - 1 - going)
        chosen = random.sample(founders, going + random.randint(0, most))
        self.leaving, self.bad = chosen[:going], chosen[going:]

    def name(self) -> str:
        return self.random.choice(self.names)

    def span(self, longest_ms: int = 10_000) -> tuple[int, int]:
        """Return when a fault begins and when it ends."""
        begin = self.random.randrange(self.end_ms)
        return begin, min(self.end_ms, begin + self.random.randint(50, longest_ms))

    def links(self) -> tuple[tuple[str, str], ...]:
        one, other = self.random.sample(self.names, 2)
        return ((one, other), (other, one))[: self.random.randint(1, 2)]


def _crash(draw: _Drawing) -> Iterable[Step]:
    begin, end = draw.span()
    name = draw.name()
    return Step(begin, "crash", (name, draw.random.choice(MOMENTS))), Step(end, "restart", (name,))


def _amnesia(draw: _Drawing) -> Iterable[Step]:
    if draw.bad:
        name, (begin, end) = draw.random.choice(draw.bad), draw.span()
        yield Step(draw.random.randrange(begin + 1), "backup", (name,))
        yield Step(begin, "crash", (name,))
        yield Step(end, "restart", (name, draw.random.choice(draw.promise.disks)))


def _adversary(draw: _Drawing) -> Iterable[Step]:
    if draw.bad and draw.promise.characters:
        name = draw.random.choice(draw.bad)
        kinds = [kind for kind in draw.promise.characters if not kind.startswith("mutate:")]
        allowed = kinds if len(kinds) < len(draw.promise.characters) and draw.random.random() * 3 < 2 else None
        character = draw.random.choice(allowed or draw.promise.characters)
        yield Step(draw.random.randrange(draw.end_ms), "behave", (name, character))
        if character == "amnesiac":
            begin, end = draw.span(1_000)
            yield from (Step(begin, "crash", (name,)), Step(end, "restart", (name,)))


def _part(draw: _Drawing) -> Iterable[Step]:
    if len(draw.names) > 1:
        begin, end = draw.span(draw.promise.parted_ms)
        names = tuple(draw.random.sample(draw.names, len(draw.names)))
        size = draw.random.randrange(1, len(names))
        yield from (Step(begin, "part", ((names[:size], names[size:]),)), Step(end, "heal"))


def _cut(draw: _Drawing) -> Iterable[Step]:
    if len(draw.names) > 1:
        begin, end = draw.span(draw.promise.parted_ms)
        yield from (Step(begin, "cut", (draw.links(),)), Step(end, "heal"))


def _pause(draw: _Drawing) -> Iterable[Step]:
    begin, end = draw.span()
    name = draw.name()
    return Step(begin, "pause", (name,)), Step(end, "resume", (name,))


def _skew(draw: _Drawing) -> Iterable[Step]:
    begin, end = draw.span()
    name, most = draw.name(), SOUND_SKEW_MS
    if draw.bad and draw.random.random() * 2 < 1:
        name, most = draw.random.choice(draw.bad), draw.promise.skew_ms
    return Step(begin, "skew", (name, draw.random.randint(-most, most))), Step(end, "skew", (name, 0))


def _full(draw: _Drawing) -> Iterable[Step]:
    begin, end = draw.span()
    name = draw.name()
    return Step(begin, "fill", (name,)), Step(end, "free", (name,)), Step(end, "restart", (name,))


def _slow(draw: _Drawing) -> Iterable[Step]:
    begin, end = draw.span()
    name = draw.name()
    return Step(begin, "slow", (name, draw.random.randint(1, 300))), Step(end, "slow", (name, 0))


def _delay(draw: _Drawing) -> Iterable[Step]:
    begin, end = draw.span()
    least, most = sorted(draw.random.randint(0, 2_000) for _ in range(2))
    return _weather(draw, "delay", begin, end, (least, most), (draw.weather.least_ms, draw.weather.most_ms))


def _chance(name: str, draw: _Drawing) -> Iterable[Step]:
    begin, end = draw.span()
    percent = draw.random.randint(1, 100 if name == "loss" else 30)
    return _weather(draw, name, begin, end, (percent,), (getattr(draw.weather, name),))


def _weather(
    draw: _Drawing, name: str, begin: int, end: int, worse: tuple[int, ...], usual: tuple[int, ...]
) -> Iterable[Step]:
    where = (draw.links(),) if len(draw.names) > 1 and draw.random.random() * 2 < 1 else ()
    return Step(begin, name, (*worse, *where)), Step(end, name, (*usual, *where))


def _members(draw: _Drawing) -> Iterable[Step]:
    changes = [("leave", name) for name in draw.leaving] + [("join", name) for name in draw.listeners]
    draw.leaving, draw.listeners = [], ()
    return [Step(draw.random.randrange(draw.end_ms), verb, (name,)) for verb, name in changes]


FAULTS: Final[dict[str, Callable[[_Drawing], Iterable[Step]]]] = {
    "crash": _crash,
    "amnesia": _amnesia,
    "adversary": _adversary,
    "part": _part,
    "cut": _cut,
    "pause": _pause,
    "skew": _skew,
    "full": _full,
    "slow": _slow,
    "delay": _delay,
    **{name: partial(_chance, name) for name in CHANCES},
    "members": _members,  # no fault, and no rest either
}
RARE: Final = {"members": 0.125}  # each more node costs time; other faults are in every second timeline
ALL: Final = "all"
SUBMITS: Final = (5, 20)  # so often clients send something: each may begin a block
MOST_OF_A_KIND: Final = 3
MOST_LEAVING: Final = 1
PRICES: Final = (0, 0, 1, 7)
USUAL_CHANCE: Final = 12  # percent, at most, of what happens to a message all the time


def allowed_faults(engine: str, faults: str = ALL) -> tuple[str, ...]:
    """Return the faults that "all" or a list with commas means for an engine; raises `UsageError`."""
    if engine not in ENGINES:
        raise UsageError(f"there is no engine {engine!r}; there are {', '.join(ENGINES)}")
    borne = [name for name in FAULTS if name not in PROMISES[engine].excludes]
    if faults == ALL:
        return tuple(borne)
    chosen = [name.strip() for name in faults.split(",")]
    for name in chosen:
        if name not in FAULTS:
            raise UsageError(f"there is no fault {name!r}; there are {ALL}, {', '.join(FAULTS)}")
        if name not in borne:
            raise UsageError(f"{engine} does not promise to bear {name}; it bears {', '.join(borne)}")
    return tuple(name for name in borne if name in chosen)


def draw(engine: str, validators: int, seed: int, faults: str = ALL) -> Timeline:
    """Draw a timeline. Each seed uses some of the allowed faults only: rare combinations come of leaving others out."""
    allowed = allowed_faults(engine, faults)
    random = Random(f"{engine} {validators} {seed} {','.join(allowed)}")
    some = [name for name in allowed if random.random() < RARE.get(name, 0.5)] or [random.choice(allowed)]
    chances = {name: random.randint(0, USUAL_CHANCE) for name in CHANCES if name in some}
    weather = Weather(1, random.choice([5, 20, 50, 150]) if "delay" in some else 20, **chances)
    clock = "wall" if engine == "pow" else random.choice(["wall", "logical"])
    timeline = Timeline(engine, validators, seed, clock, weather, price=random.choice(PRICES))
    timeline = msgspec.structs.replace(timeline, clients=random.choice(CLIENTS))
    if "members" in some:
        listeners = random.randint(0, min(1, MAX_VALIDATORS - validators))
        timeline = msgspec.structs.replace(timeline, membership="voted", listeners=listeners)
    return msgspec.structs.replace(timeline, steps=_draw_steps(_Drawing(timeline, random, 10_000), some))


def _draw_steps(drawing: _Drawing, faults: Sequence[str]) -> tuple[Step, ...]:
    random, end_ms = drawing.random, drawing.end_ms
    steps = [Step(random.randrange(end_ms), "submit", (random.randint(1, 3),)) for _ in range(random.randint(*SUBMITS))]
    for name in faults:
        for _ in range(random.randint(1, MOST_OF_A_KIND)):
            steps += FAULTS[name](drawing)
    return (*sorted(steps, key=lambda step: step.at_ms), Step(end_ms, "calm"))


# --- running -----------------------------------------------------------------------------------------------------


class Report(Record):
    """What a run came to: `problem` is "violation", "stall" or empty, `words` say which.

    `digest` names the run: the same timeline gives the same. `commits` is the height that all correct members have.
    """

    seed: int
    digest: str
    commits: int
    virtual_ms: int
    events: int
    delivered: int
    problem: str = ""
    words: str = ""

    @property
    def kind(self) -> str:
        """Return what kind of failure it is; a shorter timeline must fail in the same way."""
        return f"{self.problem} {self.words.partition(':')[0]}"


def run(timeline: Timeline) -> Report:
    """Play a timeline, then require that in the calm everything becomes final."""
    return run_traced(timeline, keep_lines=False)[0]


def run_traced(timeline: Timeline, *, keep_lines: bool = True) -> tuple[Report, list[str]]:
    """Do as `run`, and return every event in words as well."""
    world = world_of(timeline, keep_lines=keep_lines)
    report = watch(world, partial(_go, world, timeline))
    if report.words and len(faulty(timeline)) > PROMISES[timeline.engine].faulty(timeline.validators):
        excess = f"(with {len(faulty(timeline))} faulty members, more than {timeline.engine} promises to bear)"
        report = msgspec.structs.replace(report, words=f"{report.words} {excess}")
    return report, world.trace.lines


def watch(world: World, go: Callable[[], str]) -> Report:
    """Let a world go, and report what it came to; `go` returns what is missing at the end, if anything is."""
    problem, words = "", ""
    try:
        words = go()
        problem = "stall" if words else ""
    except Violated as violated:
        problem, words = "violation", str(violated)
    except Exception as bug:  # no node may ever raise anything else: that is what is looked for here
        problem, words = "violation", f"bug: {type(bug).__name__}: {bug}"
    commits = min((world.store(name).height() for name in _correct(world)), default=0)
    events = world.trace.events
    figures = world.seed, world.trace.digest(), commits, world.elapsed_ms, events, world.delivered
    return Report(*figures, problem, words)


def _go(world: World, timeline: Timeline) -> str:
    """Play, then wait."""
    return wait_in_calm(world, play(world, timeline))


def wait_in_calm(world: World, load: Load) -> str:
    """End every fault; wait until everything is final, and return what is missing at the end of patience."""
    world.calm()
    for _ in range(CALM_MS // LOOK_MS):
        if not load.missing() and load.voting.is_over and _is_one_chain(world):
            return ""
        load.wait(LOOK_MS)
    return _what_is_missing(world, load)


def _correct(world: World) -> list[str]:
    return [name for name in world.names if not world.is_adversary(name)]


def _is_one_chain(world: World) -> bool:
    heads = {world.head(name) for name in _correct(world)}
    return len(heads) == 1


def _what_is_missing(world: World, load: Load) -> str:
    heights = ", ".join(f"{name} {world.store(name).height()}" for name in world.names)
    missing = f"{load.missing()} of {load.submitted} transactions are not final everywhere"
    members = "" if load.voting.is_over else "; a change of members is under way"
    return f"progress: {missing} {CALM_MS} ms after the calm; heights: {heights}{members}"


# --- shortening --------------------------------------------------------------------------------------------------


def minimise(timeline: Timeline) -> Timeline:
    """Return a shorter timeline that fails in the same way; the same one if it does not fail.

    Delta debugging (Zeller and Hildebrandt 2002): leave out half of the lines, then quarters, then single ones.
    """
    kind, budget = run(timeline).kind, [MAX_ATTEMPTS]
    if not kind.strip():
        return timeline

    def fails(candidate: Timeline) -> bool:
        budget[0] -= 1
        return budget[0] >= 0 and run(candidate).kind == kind

    before = None
    while before != timeline:
        before = timeline
        timeline = _with_fewer_steps(timeline, fails)
        for simpler in _simpler(timeline):
            timeline = simpler(timeline) if fails(simpler(timeline)) else timeline
    return timeline


def _with_fewer_steps(timeline: Timeline, fails: Callable[[Timeline], bool]) -> Timeline:
    size = len(timeline.steps)
    while size := size // 2:
        at = 0
        while at < len(timeline.steps):
            fewer = msgspec.structs.replace(timeline, steps=timeline.steps[:at] + timeline.steps[at + size :])
            if fails(fewer):
                timeline = fewer
            else:
                at += size
    return timeline


def _simpler(timeline: Timeline) -> Iterator[Callable[[Timeline], Timeline]]:
    """Yield the changes that make options and numbers plainer; each is tried alone."""
    for name in CHANCES:
        if getattr(timeline.weather, name):
            yield partial(_with_weather, changes={name: 0})
    if timeline.weather.most_ms != Weather().most_ms:
        yield partial(_with_weather, changes={"least_ms": Weather().least_ms, "most_ms": Weather().most_ms})
    for place, step in enumerate(timeline.steps):
        if step.verb == "submit" and step.args[0] > 1:
            yield partial(_with_one_transaction, place=place)
    words = {word for step in timeline.steps for word in str(step).split()}
    needed = {"membership": VOTED, "listeners": timeline.names[timeline.validators :]}
    for name, value in USUAL.items():
        if getattr(timeline, name) != value and words.isdisjoint(needed.get(name, ())):
            yield partial(msgspec.structs.replace, **{name: value})


def _with_weather(timeline: Timeline, changes: dict[str, Any]) -> Timeline:
    return msgspec.structs.replace(timeline, weather=msgspec.structs.replace(timeline.weather, **changes))


def _with_one_transaction(timeline: Timeline, place: int) -> Timeline:
    step = timeline.steps[place]
    fewer = msgspec.structs.replace(step, args=(1, *step.args[1:]))
    return msgspec.structs.replace(timeline, steps=(*timeline.steps[:place], fewer, *timeline.steps[place + 1 :]))
