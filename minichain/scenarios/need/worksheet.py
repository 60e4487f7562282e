"""Do we need a chain? Answers in, a rung of the ladder out, with what decided it and what would change it.

Questions, frameworks and cards are data (frameworks.toml, cards.toml). Whoever is not sure is treated as if the answer
were no, so doubt never leads to a chain; and a further yes never leads to a lower rung.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from minichain.codec import Plain
from minichain.errors import ConfigError, UsageError

YES, NO, UNSURE = "yes", "no", "unsure"
ANSWERS: Final = (YES, NO, UNSURE)
RUNGS: Final = ("process", "database", "log", "alliance", "public")
FIRST_CHAIN: Final = RUNGS.index("alliance")
COMPARED: Final = ("original", "quoted", "")
OPEN: Final = "open"  # the question whose yes makes a chain public
DATA: Final = Path(__file__).with_name("frameworks.toml")
CARDS: Final = Path(__file__).with_name("cards.toml")

Answers = Mapping[str, str]  # question -> yes, no or unsure; what is missing is not sure


class Words(Plain):
    """A text in both languages."""

    en: str
    zh: str


class Question(Plain):
    """A question with an example of each answer; `cap` is the highest rung that is left without a clear yes."""

    id: str
    ask: Words
    yes: Words
    no: Words
    cap: str = ""


class Rung(Plain):
    """What one may do, and when it is enough."""

    id: str
    name: Words
    means: Words
    enough: Words


class Step(Plain):
    """A step of a framework: which question decides it (none: it counts as a yes), and where each answer leads."""

    id: str
    ask: Words
    yes: str
    no: str
    source: str = msgspec.field(default="", name="from")


class Framework(Plain):
    """A published way to decide; `compared` says with what its steps were: the "original", "quoted" copies, or ""."""

    id: str
    name: Words
    source: str
    compared: str
    steps: tuple[Step, ...]


class Addition(Plain):
    """What a chain may make possible, and what that costs in people, money, speed and privacy."""

    id: str
    ask: Words
    costs: dict[str, Words]


class Card(Plain):
    """A case with its answers; `panel` is the rung that its authors would choose."""

    id: str
    title: Words
    who: Words
    record: Words
    dispute: Words
    answers: dict[str, str]
    persons: bool
    panel: str


class Data(Plain):
    """Everything in frameworks.toml."""

    version: str
    date: Any
    question: tuple[Question, ...]
    kind: tuple[Question, ...]
    rung: tuple[Rung, ...]
    framework: tuple[Framework, ...]
    addition: tuple[Addition, ...]
    safeguard: tuple[Words, ...]


class Taken(Plain):
    """A step that was taken in a framework, and how it was answered."""

    step: Step
    answer: str


class Opinion(Plain):
    """What a framework says, and the steps that led there; the last one decided."""

    framework: Framework
    rung: str
    path: tuple[Taken, ...]


class Verdict(Plain):
    """What the worksheet says.

    `decisive` is the question on which it stands, `changes` are single answers with which it would be another, each
    with that rung, and `to_find_out` the questions that nobody was sure about.
    """

    rung: str
    decisive: str
    changes: tuple[tuple[str, str, str], ...]
    to_find_out: tuple[str, ...]

    @property
    def is_chain(self) -> bool:
        return RUNGS.index(self.rung) >= FIRST_CHAIN


# --- the data ----------------------------------------------------------------------------------------------------


@cache
def data() -> Data:
    """Read the questions and frameworks; raises `ConfigError` if they make no sense."""
    return checked(tomllib.loads(DATA.read_text("utf-8")))


def checked(read: Mapping[str, Any]) -> Data:
    """Return data that make sense: every rung and step that is named exists, and no framework runs in a circle."""
    try:
        found = msgspec.convert(read, Data)
    except msgspec.ValidationError as error:
        raise ConfigError(f"frameworks.toml: {error}") from None
    for question in found.question:
        if question.cap not in RUNGS[:FIRST_CHAIN]:
            raise ConfigError(f"frameworks.toml: {question.id} leaves {question.cap!r}, which is no rung below a chain")
    known = {question.id for question in (*found.question, *found.kind)}
    for framework in found.framework:
        if framework.compared not in COMPARED:
            raise ConfigError(f"frameworks.toml: {framework.id} was compared with one of {COMPARED}")
        _require_sound(framework, known)
    return found


def _require_sound(framework: Framework, known: set[str]) -> None:
    later = {step.id for step in framework.steps}
    if later & set(RUNGS):
        raise ConfigError(f"frameworks.toml: a step of {framework.id} has the name of a rung: call it otherwise")
    for step in framework.steps:
        later -= {step.id}
        place = f"frameworks.toml: {framework.id}.{step.id}"
        if step.source and step.source not in known:
            raise ConfigError(f"{place} asks {step.source!r}, which nobody answers")
        for target in (step.yes, step.no):
            if target not in later and target not in RUNGS:
                raise ConfigError(f"{place} leads to {target!r}: name a later step or a rung")


@cache
def cards() -> tuple[Card, ...]:
    """Read the cases."""
    read = tomllib.loads(CARDS.read_text("utf-8"))["card"]
    return msgspec.convert(read, tuple[Card, ...])


def fingerprint() -> str:
    """Return the hash of the rules, so that a brief can say by which it was judged."""
    return sha256(DATA.read_bytes()).hexdigest()


# --- judging -----------------------------------------------------------------------------------------------------


def judge(answers: Answers) -> Verdict:
    """Say what to do; raises `UsageError` for an answer or a question that is none."""
    _require_known(answers)
    rung = _rung(answers)
    changes = tuple(
        (question.id, answer, other)
        for question in (*data().question, *data().kind[:1])
        for answer in (YES, NO)
        if answer != answers.get(question.id) and (other := _rung({**answers, question.id: answer})) != rung
    )
    unsure = tuple(question.id for question in data().question if answers.get(question.id, UNSURE) == UNSURE)
    return Verdict(rung, _decisive(answers, rung), changes, unsure)


def _require_known(answers: Answers) -> None:
    known = [question.id for question in (*data().question, *data().kind)]
    for name, answer in answers.items():
        if name not in known:
            raise UsageError(f"there is no question {name!r}: choose one of {', '.join(known)}")
        if answer not in ANSWERS:
            raise UsageError(f"{answer!r} is no answer to {name}: say yes, no or unsure")


def _rung(answers: Answers) -> str:
    caps = [RUNGS.index(question.cap) for question in _not_yes(answers)]
    if caps:
        return RUNGS[min(caps)]
    return "public" if answers.get(OPEN) == YES else "alliance"


def _not_yes(answers: Answers) -> list[Question]:
    return [question for question in data().question if answers.get(question.id) != YES]


def _decisive(answers: Answers, rung: str) -> str:
    """Return the first question that leaves no more than this rung; with a chain, the one that makes its kind."""
    return next((question.id for question in _not_yes(answers) if question.cap == rung), OPEN)


def opinions(answers: Answers) -> list[Opinion]:
    """Return what each framework says."""
    return [follow(framework, answers) for framework in data().framework]


def follow(framework: Framework, answers: Answers) -> Opinion:
    """Take the steps of a framework; whoever is not sure takes the way that leads lower."""
    steps = {step.id: step for step in framework.steps}

    def end(target: str) -> tuple[str, tuple[Taken, ...]]:
        step = steps.get(target)
        if step is None:
            return target, ()
        answer = answers.get(step.source, UNSURE) if step.source else YES
        ways = {YES: (step.yes,), NO: (step.no,)}.get(answer, (step.yes, step.no))
        rung, path = min((end(way) for way in ways), key=lambda found: RUNGS.index(found[0]))
        return rung, (Taken(step, answer), *path)

    rung, path = end(framework.steps[0].id)
    return Opinion(framework, rung, path)


def funnel(answers: Answers) -> list[tuple[Question, bool]]:
    """Ask question by question, as long as a case is left: each with whether it is left after it."""
    left: list[tuple[Question, bool]] = []
    for question in data().question:
        left.append((question, answers.get(question.id) == YES))
        if not left[-1][1]:
            break
    return left


def agreement() -> tuple[int, int, list[str]]:
    """Return how many cards come out as their authors judged, of how many, and which do not."""
    other = [card.id for card in cards() if judge(card.answers).rung != card.panel]
    return len(cards()) - len(other), len(cards()), other


def may_decide(is_about_persons: bool, decision: str, missing: Sequence[str]) -> bool:
    """Tell whether a decision is open to anybody while these safeguards are missing."""
    return not (is_about_persons and decision in ("go", "pilot") and missing)
