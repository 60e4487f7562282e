"""A timeline: what happens to a network and when, as a text that people read and write. It is data; `play` acts.

First come the options, one a line, then what happens, in order of time:

    engine bft
    validators 4
    seed 17
    delay 1 20                              # milliseconds from and to
    at 0 submit 20
    at 1500 cut node-0 -> node-2            # one direction; with "-" both
    at 4000 crash node-1 before commit
    at 6000 behave node-2 equivocator
    at 9000 calm                            # every fault ends

With `listeners 1` and `membership voted` there is a node-4 that is no member, and `at 2000 join node-4` lets the
members vote for it. Such options are left out where nothing asks for them.

`parse(str(timeline))` is the same timeline. Every time is in milliseconds since the beginning, of virtual time in the
simulated world and of real time in the live one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from minichain.codec import Record
from minichain.errors import ConfigError, MinichainError
from minichain.faults.adversaries import ADVERSARIES, CORRECT
from minichain.faults.network import CHANCES, Weather
from minichain.ledger.genesis import CLOCKS, ENGINES
from minichain.ledger.local import MAX_VALIDATORS

MAX_MS: Final = 7 * 24 * 3_600_000
MAX_SKEW_MS: Final = MAX_MS
MAX_SUBMIT: Final = 5_000
MAX_STEPS: Final = 10_000
MAX_SEED: Final = 2**63 - 1
MOMENTS: Final = ("now", "before commit", "after commit")  # of a crash; the last two in the middle of the next turn
DISKS: Final = ("kept", "restored", "lost", "snapshot")  # what a node finds when it starts again
MAX_PRICE: Final = 1_000
MEMBERSHIPS: Final = ("fixed", "voted")
CLIENTS: Final = ("payments", "mixed")  # mixed: also calls of a contract, what fails, and two of one nonce
COMMENT: Final = "#"
NUMBER: Final = re.compile(r"[+-]?[0-9]{1,20}")


class Step(Record):
    """One line: at this time, this happens. `args` are what the verb's `Argument`s have read."""

    at_ms: int
    verb: str
    args: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return f"at {self.at_ms} {self.words}"

    @property
    def words(self) -> str:
        """Return what happens, without the time."""
        words = [argument.write(value) for argument, value in zip(VERBS[self.verb].arguments, self.args, strict=False)]
        return " ".join([self.verb, *words])


class Timeline(Record):
    """Options of a network, and what happens to it.

    The `listeners` come after the validators and are no members. Where `membership` is "voted" members may `join` and
    `leave`. A unit of gas costs `price`; at 0 there are quotas instead. `clients` is what they send (see `CLIENTS`).
    """

    engine: str = "bft"
    validators: int = 4
    seed: int = 0
    clock: str = "wall"
    weather: Weather = Weather()
    steps: tuple[Step, ...] = ()
    listeners: int = 0
    membership: str = "fixed"
    price: int = 0
    clients: str = "payments"

    def __post_init__(self) -> None:
        if self.engine == "pow" and self.membership != "fixed":
            raise ConfigError("engine pow has no members to vote on: whoever does the work makes the blocks")
        if self.validators + self.listeners > MAX_VALIDATORS:
            raise ConfigError(f"there are at most {MAX_VALIDATORS} nodes, the listeners among them")

    def __str__(self) -> str:
        return "\n".join([*self.options(), *map(str, self.steps), ""])

    def options(self) -> list[str]:
        """Return the first lines; chances of 0 are left out."""
        lines = [f"{name} {getattr(self, name)}" for name in ("engine", "validators", "seed", "clock")]
        lines += [f"{name} {value}" for name, least in USUAL.items() if (value := getattr(self, name)) != least]
        lines.append(f"delay {self.weather.least_ms} {self.weather.most_ms}")
        return lines + [f"{name} {chance}" for name in CHANCES if (chance := getattr(self.weather, name))]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the nodes' names, those of the listeners last."""
        return tuple(f"node-{number}" for number in range(self.validators + self.listeners))


USUAL: Final = {"listeners": 0, "membership": "fixed", "price": 0, "clients": "payments"}  # and not written

# --- what may stand in a line ------------------------------------------------------------------------------------

Links = tuple[tuple[str, str], ...]
Words = list[str]  # the rest of a line; what an argument reads, it takes away
Names = tuple[str, ...]


class Argument(msgspec.Struct, frozen=True):
    """A part of a line: how to read it and how to write it. `form` is how it looks, for people."""

    form: str
    read: Callable[[Words, Names], Any]
    write: Callable[[Any], str] = str


def _number(form: str, least: int, most: int, write: Callable[[int], str] = str) -> Argument:
    def read(words: Words, names: Names) -> int:
        word = words.pop(0)
        if not NUMBER.fullmatch(word):
            raise ConfigError(f"{word!r} is no whole number; {form} goes from {least} to {most}")
        if not least <= int(word) <= most:
            raise ConfigError(f"{form} is {word}; it goes from {least} to {most}")
        return int(word)

    return Argument(form, read, write)


def _choice(form: str, what: str, allowed: Iterable[str]) -> Argument:
    """Return an argument that is the rest of the line, one of the `allowed`."""
    known = tuple(allowed)

    def read(words: Words, names: Names) -> str:
        text, words[:] = " ".join(words), []
        return _known(text, what, known)

    return Argument(form, read)


def _known(word: str, what: str, allowed: Iterable[str]) -> str:
    allowed = tuple(allowed)
    if word not in allowed:
        raise ConfigError(f"there is no {what} {word!r}; there are {', '.join(allowed)}")
    return word


def _read_node(words: Words, names: Names) -> str:
    return _known(words.pop(0), "node", names)


def _read_links(words: Words, names: Names) -> Links:
    if len(words) != 3 or words[1] not in ("->", "-"):
        raise ConfigError(f"{' '.join(words)!r} is no link; write {LINK.form}, with -> for one direction, - for both")
    one, way, other = words
    words.clear()
    _known(one, "node", names)
    _known(other, "node", names)
    if one == other:
        raise ConfigError(f"a link has two ends, and {one} is only one")
    return ((one, other),) if way == "->" else ((one, other), (other, one))


def _write_links(links: Links) -> str:
    return f"{links[0][0]} {'->' if len(links) == 1 else '-'} {links[0][1]}"


def _read_groups(words: Words, names: Names) -> tuple[Names, ...]:
    groups = tuple(tuple(part.split()) for part in " ".join(words).split("|"))
    words.clear()
    members = [_known(name, "node", names) for group in groups for name in group]
    if len(groups) < 2 or not all(groups) or len(set(members)) < len(members):
        raise ConfigError(f"write {GROUPS.form}: two groups or more, and each node in one of them")
    return groups


def _write_groups(groups: tuple[Names, ...]) -> str:
    return " | ".join(" ".join(group) for group in groups)


def _signed(value: int) -> str:
    return f"{value:+}"


NODE: Final = Argument("NODE", _read_node)
LINK: Final = Argument("NODE -> NODE", _read_links, _write_links)
GROUPS: Final = Argument("NODE NODE | NODE NODE", _read_groups, _write_groups)
PERCENT: Final = _number("PERCENT", 0, 100)
MS: Final = _number("MS", 0, MAX_MS)
AHEAD_MS: Final = _number("AHEAD_MS", -MAX_SKEW_MS, MAX_SKEW_MS, _signed)
COUNT: Final = _number("COUNT", 1, MAX_SUBMIT)
MOMENT: Final = _choice("MOMENT", "moment", MOMENTS)
DISK: Final = _choice("DISK", "disk", DISKS)
CHARACTER: Final = _choice("CHARACTER", "character", (CORRECT, *ADVERSARIES))


class Verb(msgspec.Struct, frozen=True):
    """What may happen: the arguments that follow the word, what it does, and the verb that ends it.

    The `optional` last ones may be missing. What people do, the player does; every other verb is a method of the world,
    and `calm` ends them all.
    """

    arguments: tuple[Argument, ...]
    does: str
    ended_by: str = ""
    optional: int = 0

    @property
    def form(self) -> str:
        """Return what follows the word, for people."""
        required = len(self.arguments) - self.optional
        return " ".join(a.form if i < required else f"[{a.form}]" for i, a in enumerate(self.arguments))


VERBS: Final[dict[str, Verb]] = {
    "submit": Verb((COUNT, NODE), "clients send transactions, to this node or any", optional=1),
    "cut": Verb((LINK,), "no message passes over a link", "heal"),
    "part": Verb((GROUPS,), "no message passes between groups", "heal"),
    "heal": Verb((), "ends cut and part"),
    "delay": Verb((MS, MS, LINK), "messages take from so long to so long", "delay", optional=1),
    "loss": Verb((PERCENT, LINK), "messages get lost", "loss", optional=1),
    "duplication": Verb((PERCENT, LINK), "messages arrive twice", "duplication", optional=1),
    "reordering": Verb((PERCENT, LINK), "messages are overtaken", "reordering", optional=1),
    "corruption": Verb((PERCENT, LINK), "a bit of a message turns over", "corruption", optional=1),
    "lose": Verb((COUNT, LINK), "one message of a link is lost, the first from now on or a later one"),
    "hold": Verb((COUNT, MS, LINK), "one message of a link is held back for so long"),
    "crash": Verb((NODE, MOMENT), "a node goes off, at once or in the middle of its next turn", "restart", optional=1),
    "restart": Verb((NODE, DISK), "a node starts with its disk, a backup, nothing, or a snapshot", optional=1),
    "backup": Verb((NODE,), "a copy of the disk is put aside for restart NODE restored"),
    "pause": Verb((NODE,), "a node freezes, and what comes for it waits", "resume"),
    "resume": Verb((NODE,), "ends pause"),
    "skew": Verb((NODE, AHEAD_MS), "a node's clock is ahead, or behind", "skew"),
    "fill": Verb((NODE,), "a disk is full, and the next write stops its node", "free"),
    "free": Verb((NODE,), "ends fill; the node has to be restarted"),
    "slow": Verb((NODE, MS), "a disk takes so long for each turn", "slow"),
    "behave": Verb((NODE, CHARACTER), "a member becomes an adversary", "behave"),
    "join": Verb((NODE,), "the members vote for a node that is none, and it becomes one", "leave"),
    "leave": Verb((NODE,), "the members vote a member out; its node goes on listening", "join"),
    "calm": Verb((), "every fault ends; who is no correct member stays so"),
}

VOTED: Final = ("join", "leave")

OPTIONS: Final[dict[str, tuple[Argument, ...]]] = {
    "engine": (_choice("ENGINE", "engine", ENGINES),),
    "validators": (_number("COUNT", 1, MAX_VALIDATORS),),
    "seed": (_number("SEED", 0, MAX_SEED),),
    "clock": (_choice("CLOCK", "clock", CLOCKS),),
    "listeners": (_number("COUNT", 0, MAX_VALIDATORS),),
    "membership": (_choice("MEMBERSHIP", "membership", MEMBERSHIPS),),
    "price": (_number("PRICE", 0, MAX_PRICE),),
    "clients": (_choice("CLIENTS", "kind of clients", CLIENTS),),
    "delay": (MS, MS),
    **dict.fromkeys(CHANCES, (PERCENT,)),
}

# --- reading -----------------------------------------------------------------------------------------------------


def parse(text: str) -> Timeline:
    """Read a timeline; raises `ConfigError` that names the line, what is wrong there, and what is allowed."""
    options: dict[str, tuple[Any, ...]] = {}
    steps: list[Step] = []
    timeline = Timeline()
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition(COMMENT)[0].split()
        try:
            if words and words[0] == "at":
                timeline = timeline if steps else _with_options(options)
                steps.append(_read_step(words[1:], timeline.names, steps))
                if steps[-1].verb in VOTED and timeline.membership != "voted":
                    raise ConfigError(
                        f"{steps[-1].verb}: here the members never change: add the option membership voted"
                    )
            elif words:
                _read_option(words, options, bool(steps))
        except MinichainError as error:
            raise ConfigError(f"line {number}: {error}") from None
    return msgspec.structs.replace(_with_options(options), steps=tuple(steps))


def parse_step(text: str, names: Names) -> Step:
    """Read what happens, without a time, such as `cut node-0 -> node-2`; raises `ConfigError`."""
    if not text.split():
        raise ConfigError("say what is to happen, such as pause node-2; a verb is one of " + ", ".join(VERBS))
    step = _read_step(["0", *text.split()], names, [])
    if step.verb in VOTED:
        raise ConfigError(f"{step.verb} is no fault: the members vote on it, by the contract that governs them")
    return step


def _read_option(words: Words, options: dict[str, tuple[Any, ...]], is_late: bool) -> None:
    name = _known(words[0], "option", (*OPTIONS, "at"))
    if is_late:
        raise ConfigError(f"the option {name} comes before the first line that begins with at")
    if name in options:
        raise ConfigError(f"the option {name} is already given")
    options[name] = _read_arguments(name, OPTIONS[name], 0, words[1:], ())
    _with_options(options)


def _with_options(options: dict[str, tuple[Any, ...]]) -> Timeline:
    plain = {name: values[0] for name, values in options.items() if name not in ("delay", *CHANCES)}
    weather = {name: values[0] for name, values in options.items() if name in CHANCES}
    if "delay" in options:
        weather |= dict(zip(("least_ms", "most_ms"), options["delay"], strict=True))
    return Timeline(**plain, weather=Weather(**weather))


def _read_step(words: Words, names: Names, before: list[Step]) -> Step:
    if len(words) < 2:
        raise ConfigError("write at MS VERB; a verb is one of " + ", ".join(VERBS))
    at_ms = MS.read(words, names)
    if before and at_ms < before[-1].at_ms:
        raise ConfigError(f"at {at_ms} comes after at {before[-1].at_ms}: put the lines in order of time")
    if len(before) >= MAX_STEPS:
        raise ConfigError(f"a timeline has at most {MAX_STEPS} lines that begin with at")
    name = _known(words.pop(0), "verb", VERBS)
    verb = VERBS[name]
    step = Step(at_ms, name, _read_arguments(name, verb.arguments, verb.optional, words, names))
    if name == "delay":
        Weather(*step.args[:2])
    return step


def _read_arguments(
    name: str, arguments: tuple[Argument, ...], optional: int, words: Words, names: Names
) -> tuple[Any, ...]:
    form = " ".join([name, Verb(arguments, "", "", optional).form]).strip()
    found: list[Any] = []
    for argument in arguments:
        if not words:
            break
        found.append(argument.read(words, names))
    if words:
        raise ConfigError(f"{' '.join(words)!r} is too much: write {form}")
    if len(found) < len(arguments) - optional:
        raise ConfigError(f"{name} needs more: write {form}")
    return tuple(found)
