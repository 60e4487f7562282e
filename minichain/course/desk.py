"""What a learner calls in a lesson: `check` an answer, `predict` before a result is shown, `reveal` it afterwards.

An answer is kept before anything is said to it. A wrong one gets its cause, the belief behind it, and the next of three
hints; a result stays closed until somebody has said what they expect. What is said is in the language of the folder.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from textwrap import dedent
from typing import Any, TypeVar, overload

from minichain.course import place
from minichain.course.attempts import LARGEST, Attempt
from minichain.course.exercise import KIND, RAISED, Exercise, Judged, Miss, NoAnswer, with_seed
from minichain.course.journal import Journal
from minichain.course.material import HINTS, Cause, Task, phrases, task
from minichain.errors import UsageError

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
    _journal().add(exercise, "predict", written(answer))
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


# --- an answer, written down -------------------------------------------------------------------------------------


def written(answer: Any) -> str:
    """Write an answer down: data as JSON, a function as its source.

    Sets become sorted lists, so the same answer is always the same text. Raises `UsageError` for what is neither.
    """
    if inspect.isfunction(answer) or inspect.isclass(answer):
        try:
            text = dedent(inspect.getsource(answer))
        except (OSError, TypeError):
            raise UsageError("the source of this function is not known: write it in a cell of the notebook") from None
    else:
        text = json.dumps(_plain(answer), ensure_ascii=False, sort_keys=True)
    if len(text.encode()) > LARGEST // 2:
        raise UsageError(f"an answer has at most {LARGEST // 2} bytes, this one has {len(text.encode())}")
    return text


def _plain(value: Any) -> Any:
    """Return what JSON can say of a value; numbers as keys stay numbers, for they are read again."""
    match value:
        case bool() | int() | float() | str() | None:
            return value
        case bytes():
            return {"!bytes": value.hex()}
        case dict():
            return {"!pairs": [[_plain(key), _plain(one)] for key, one in value.items()]}
        case set() | frozenset():
            return {"!set": sorted((_plain(one) for one in value), key=json.dumps)}
        case tuple() | list():
            return [_plain(one) for one in value]
    raise UsageError(
        f"an answer is made of numbers, texts, lists, sets and dictionaries, not of {type(value).__name__}"
    )


def read_data(text: str) -> Any:
    """Read data that were written down; what was a tuple is a list."""
    return json.loads(text, object_hook=_from_plain)


def _from_plain(found: dict[str, Any]) -> Any:
    if "!bytes" in found:
        return bytes.fromhex(found["!bytes"])
    if "!set" in found:
        return set(found["!set"])
    return {tuple(key) if isinstance(key, list) else key: value for key, value in found["!pairs"]}


# --- judging and telling -----------------------------------------------------------------------------------------


def exercise_of(id: str) -> Exercise:
    """Return the parts of an exercise. Raises `ConfigError` for one that there is not."""
    task(id)
    found: Exercise = import_module(f"minichain.course.exercises.{id.partition('.')[0]}").EXERCISES[id]
    return found


def judge(id: str, answer: Any, seed: int = 0) -> Judged:
    """Judge an answer to an exercise, with the seed of a class. Raises `NoAnswer`."""
    with with_seed(seed):
        return exercise_of(id).judge(answer, task(id).needs)


def _judged(asked: Task, answer: Any) -> Judged | None:
    try:
        return judge(asked.id, answer, place.bundle().seed)
    except NoAnswer:
        return None


def _told(asked: Task, kind: str, answer: Any) -> Outcome:
    found, language = _judged(asked, answer), place.bundle().language
    if found is None:
        return _nothing(asked, language)
    missed = None if found.is_right else found.misses[0]
    belief = cause_of(asked, missed).misconception if missed else ""
    step = _step(asked, missed)  # before this attempt is one of them
    _journal().add(
        asked.id,
        kind,
        written(answer),
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


def _journal() -> Journal:
    folder = place.home()
    return _journals.setdefault(str(folder), Journal(folder))


def attempts() -> list[Attempt]:
    """Return what this learner has answered so far."""
    return list(_journal().all())
