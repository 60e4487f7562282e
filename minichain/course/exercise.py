"""How an answer is judged: an exercise has parts, and each part holds or names the cause for which it does not.

An answer is data, or a function that a learner wrote. Parts look at properties of what it brings about (roots,
balances, receipts), never at its text; whatever a learner's function raises is a cause like any other. The judge
has no memory.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from textwrap import dedent
from typing import Any, Final

RAISED: Final = "raised"  # causes that every exercise has: curriculum/phrases.yaml says them
KIND: Final = "kind"
OWN: Final = frozenset({"m00.e1"})  # what is right for one learner is wrong for another

_seed: ContextVar[int] = ContextVar("seed", default=0)
_learner: ContextVar[str] = ContextVar("learner", default="")

Part = Callable[[Any], "Miss | None"]


@dataclass(frozen=True, slots=True)
class Miss:
    """Why a part does not hold: a cause of its exercise, and what its sentence is filled in with."""

    cause: str
    values: dict[str, Any]


def miss(cause: str, /, **values: Any) -> Miss:
    """Name a cause, and the values of its sentence."""
    return Miss(cause, values)


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of judging: how many parts hold, of how many, how many have to, and what the others missed."""

    score: int
    of: int
    needs: int
    misses: tuple[Miss, ...]

    @property
    def is_right(self) -> bool:
        return self.score >= self.needs


@contextmanager
def in_class(seed: int, learner: str = "") -> Iterator[None]:
    """Judge as in a class: with its seed, so that an answer that only fits the published cases is seen, and for one
    of its learners, by account.
    """
    tokens = _seed.set(seed), _learner.set(learner)
    try:
        yield
    finally:
        _seed.reset(tokens[0])
        _learner.reset(tokens[1])


def seeds(count: int) -> tuple[int, ...]:
    """Return the seeds that a part plays: the first ones, which everybody has, and that of the class."""
    return (*range(count), _seed.get() + count)


def is_anothers(account: str) -> bool:
    """Tell whether an account is not that of whoever answers; where no class knows who that is, it is not."""
    return _learner.get() not in ("", account)


class NoAnswer(Exception):
    """There is nothing to judge yet."""


@dataclass(slots=True)
class Exercise:
    """The parts of one exercise. `expects` is the type an answer has; `callable` stands for a function."""

    id: str
    expects: type | Callable[..., bool] = object
    parts: list[Part] = field(default_factory=list)

    def part(self, check: Part) -> Part:
        """Add a part: a function of the answer that returns None if it holds, and a miss if it does not."""
        self.parts.append(check)
        return check

    def each(self, cases: Iterable[Any]) -> Callable[[Callable[[Any, Any], Miss | None]], Any]:
        """Add a part for each case: the function takes the answer and the case."""

        def add(check: Callable[[Any, Any], Miss | None]) -> Callable[[Any, Any], Miss | None]:
            self.parts += [partial(_with, check, case) for case in cases]
            return check

        return add

    def judge(self, answer: Any, needs: int = 0) -> Judged:
        """Judge an answer by all parts; `needs` of them have to hold, 0 means all. Raises `NoAnswer` for none."""
        if answer is None or answer is ... or _is_unwritten(answer):
            raise NoAnswer
        of = len(self.parts)
        if not self._is_expected(answer):
            wrong = miss(KIND, wanted=getattr(self.expects, "__name__", "?"), given=type(answer).__name__)
            return Judged(0, of, needs or of, (wrong,))
        found = [_tried(part, answer) for part in self.parts]
        misses = tuple(one for one in found if one is not None)
        return Judged(of - len(misses), of, needs or of, misses)

    def accepts(self, answer: Any, needs: int = 0) -> bool:
        """Tell whether an answer is right, as soon as it is plain."""
        left = len(self.parts) - (needs or len(self.parts))
        try:
            for part in self.parts if self._is_expected(answer) else ():
                left -= _tried(part, answer) is not None
                if left < 0:
                    return False
        except NoAnswer:
            return False
        return self._is_expected(answer)

    def _is_expected(self, answer: Any) -> bool:
        return isinstance(answer, self.expects) if isinstance(self.expects, type) else self.expects(answer)


def _is_unwritten(answer: Any) -> bool:
    """Tell whether a function is as the learner's edition has it: nothing stands in it but words, or `...`."""
    try:
        lines = ast.parse(dedent(inspect.getsource(answer))).body[0].body  # type: ignore[attr-defined]
    except (TypeError, OSError, SyntaxError, AttributeError):
        return False
    return all(isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) for line in lines)


def _with(check: Callable[[Any, Any], Miss | None], case: Any, answer: Any) -> Miss | None:
    return check(answer, case)


def _tried(part: Part, answer: Any) -> Miss | None:
    """Judge one part; what the learner's function raises is a miss, and a function still to be written is no answer."""
    try:
        return part(answer)
    except NotImplementedError:
        raise NoAnswer from None
    except Exception as error:
        return miss(RAISED, error=f"{type(error).__name__}: {error}")
