"""What a learner calls in a lesson: `check` an answer, `predict` before a result is shown, `reveal` it afterwards.

An answer is kept before anything is said to it. A wrong one gets its cause, the belief behind it, and the next of three
hints; a result stays closed until somebody has said what they expect. What is said is in the language of the folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, overload

from minichain.course import place
from minichain.course.answers import read_data, written
from minichain.course.attempts import Attempt
from minichain.course.exercise import KIND, RAISED, Exercise, Judged, Miss, NoAnswer, in_class
from minichain.course.journal import Journal
from minichain.course.material import HINTS, Cause, Task, phrases, task
from minichain.errors import UsageError

if TYPE_CHECKING:
    from minichain.client.network import Network
    from minichain.client.wallet import Wallet

T = TypeVar("T")

_journals: dict[str, Journal] = {}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is said to an answer. `score` of `of` parts hold."""

    exercise: str
    score: int
    of: int
    is_right: bool
    said: str
    misconception: str = ""
    hint: int = 0

    def __repr__(self) -> str:
        return self.said


class NotYet(UsageError):
    """A result was to be opened before anybody said what they expect."""


def check(exercise: str, answer: Any) -> Outcome:
    """Judge an answer, keep it, and say what came of it.

    Raises `ConfigError` for an exercise that there is not; whatever is wrong with the answer is in the outcome.
    """
    return _told(task(exercise), "check", answer)


def predict(exercise: str, answer: Any) -> Outcome:
    """Keep what somebody expects, without saying whether it is right."""
    asked, say = task(exercise), place.bundle().language
    _require_kind(asked, "predict")
    found = _judged(asked, answer)
    if found is None:
        return _nothing(asked, say)
    _keep(exercise, "predict", answer)
    return Outcome(exercise, 0, found.of, is_right=False, said=phrases()["kept"](say))


@overload
def reveal(exercise: str) -> Outcome: ...
@overload
def reveal(exercise: str, run: Callable[[], T]) -> T: ...
def reveal(exercise: str, run: Callable[[], T] | None = None) -> Outcome | T:
    """Open a result: run what makes it, or without that judge what was expected.

    Raises `NotYet` before `predict` has kept an answer to it.
    """
    asked = task(exercise)
    _require_kind(asked, "predict")
    kept = _journal().of(exercise, "predict")
    if not kept:
        raise NotYet(phrases()["not_yet"](place.bundle().language, exercise=exercise))
    return run() if run else _told(asked, "reveal", read_data(kept[-1].answer))


def own_wallet(net: Network) -> Wallet:
    """Return the learner's own wallet, ready to write to a network: by its key a class knows whose a note is."""
    from minichain.client.wallet import Wallet  # noqa: PLC0415 - an answer can be judged without a network

    joined = place.membership()
    wallet = Wallet(joined.name if joined else "Me", _journal().key)
    net.open([wallet])
    return wallet


# --- judging and telling -----------------------------------------------------------------------------------------


def exercise_of(id: str) -> Exercise:
    """Return the parts of an exercise. Raises `ConfigError` for one that there is not."""
    task(id)
    found: Exercise = import_module(f"minichain.course.exercises.{id.partition('.')[0]}").EXERCISES[id]
    return found


def judge(id: str, answer: Any, seed: int = 0, learner: str = "") -> Judged:
    """Judge an answer to an exercise, with the seed of a class and the account of a learner. Raises `NoAnswer`."""
    with in_class(seed, learner):
        return exercise_of(id).judge(answer, task(id).needs)


def _judged(asked: Task, answer: Any) -> Judged | None:
    learner = _journal().key.did if place.membership() else ""
    try:
        return judge(asked.id, answer, place.seed(), learner)
    except NoAnswer:
        return None


def _told(asked: Task, kind: str, answer: Any) -> Outcome:
    found, language = _judged(asked, answer), place.bundle().language
    if found is None:
        return _nothing(asked, language)
    missed = None if found.is_right else found.misses[0]
    belief = cause_of(asked, missed).misconception if missed else ""
    step = _step(asked, missed)  # before this attempt is one of them
    _keep(
        asked.id,
        kind,
        answer,
        score=found.score,
        of=found.of,
        is_right=found.is_right,
        cause=missed.cause if missed else "",
        misconception=belief,
    )
    said = _right(asked, found, language) if missed is None else _wrong(asked, found, missed, step, language)
    return Outcome(asked.id, found.score, found.of, found.is_right, said, belief, step if missed else 0)


def cause_of(asked: Task, missed: Miss) -> Cause:
    """Return what the material says of a cause. Those that every exercise has are in the phrases."""
    if missed.cause in (RAISED, KIND):
        hints = tuple(phrases()[f"{missed.cause}_hint_{step}"] for step in range(1, HINTS + 1))
        return Cause(phrases()[missed.cause], hints)
    return asked.causes[missed.cause]


def _step(asked: Task, missed: Miss | None) -> int:
    """Return which hint is next: each attempt that misses for the same cause brings the next one."""
    if missed is None:
        return 0
    before = [one for kind in ("check", "reveal") for one in _journal().of(asked.id, kind)]
    return min(HINTS, 1 + sum(one.cause == missed.cause for one in before))


def _right(asked: Task, found: Judged, language: str) -> str:
    head = phrases()["score"](language, score=found.score, of=found.of)
    return f"{head} {phrases()['right'](language)} {asked.right(language)}"


def _wrong(asked: Task, found: Judged, missed: Miss, step: int, language: str) -> str:
    cause = cause_of(asked, missed)
    says = cause.says(language, **missed.values)
    belief = f" ({cause.misconception})" if cause.misconception else ""
    head = phrases()["score"](language, score=found.score, of=found.of)
    hint = phrases()["hint"](language, step=step, of=HINTS)
    return f"{head} {says}{belief}\n{hint} {cause.hints[step - 1](language, **missed.values)}"


def _nothing(asked: Task, language: str) -> Outcome:
    return Outcome(asked.id, 0, 0, is_right=False, said=phrases()["no_answer"](language, asks=asked.asks(language)))


def _require_kind(asked: Task, kind: str) -> None:
    if asked.kind != kind:
        raise UsageError(f"{asked.id} is not a prediction: give its answer to check({asked.id!r}, ...)")


def _keep(exercise: str, kind: str, answer: Any, **found: object) -> None:
    """Keep an attempt and, where a class was joined, let its desk have it some time; nobody waits for that."""
    attempt = _journal().add(exercise, kind, written(answer), **found)
    if place.membership() is not None:
        import_module("minichain.course.classroom.member").hand_in(place.home(), attempt)


def _journal() -> Journal:
    folder = place.home()
    return _journals.setdefault(str(folder), Journal(folder))


def attempts() -> list[Attempt]:
    """Return what this learner has answered so far."""
    return list(_journal().all())


def counting() -> list[Attempt]:
    """Return what counts of it: what was answered since the trainer let this learner begin again."""
    return _journal().counting()
