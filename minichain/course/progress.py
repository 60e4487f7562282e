"""How far a learner has come, as a lesson shows it: what is done, what was tried, and where to begin.

It is read from the learner's own attempts. A trainer may let somebody begin again: what was answered before that is
kept and counts no longer, which this computer hears from the desk of the class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from minichain.course import desk, place
from minichain.course.attempts import Attempt
from minichain.course.material import phrases, syllabus, task, tasks
from minichain.errors import UsageError

JUDGED = ("check", "reveal")


@dataclass(frozen=True, slots=True)
class Standing:
    """One exercise: whether it is done, how often it was tried and missed, and how many answers count no longer."""

    exercise: str
    is_done: bool
    tries: int
    misses: int
    kept: int


@dataclass(frozen=True, slots=True)
class Progress:
    """The exercises of a module, or of all that was begun."""

    standings: tuple[Standing, ...]

    @property
    def done(self) -> int:
        """Return how many are done."""
        return sum(one.is_done for one in self.standings)

    @property
    def begin(self) -> str:
        """Return the first exercise that is not done, "" if all are."""
        return next((one.exercise for one in self.standings if not one.is_done), "")

    def __repr__(self) -> str:
        say, language = phrases(), place.bundle().language
        head = say["progress"](language, done=self.done, of=len(self.standings))
        lines = [f"{_mark(one)} {one.exercise} {task(one.exercise).title(language)}" for one in self.standings]
        begin = [say["progress_begin"](language, exercise=self.begin)] if self.begin else []
        kept = sum(one.kept for one in self.standings)
        again = [say["progress_again"](language, kept=kept)] if kept else []
        return "\n".join([head, *lines, *begin, *again])


def _mark(one: Standing) -> str:
    word = "done" if one.is_done else "trying" if one.tries else "open"
    return phrases()[f"progress_{word}"](place.bundle().language, count=one.misses)


def progress(module: str = "") -> Progress:
    """Return how far this learner has come in a module (m06), or in all that was begun.

    Raises `UsageError` for a module that there is not.
    """
    if place.membership() is not None:
        import_module("minichain.course.classroom.member").hear(place.home())
    known = [one.id for one in syllabus().modules]
    if module and module not in known:
        raise UsageError(f"there is no module {module!r}: one of {', '.join(known)}")
    return standing(desk.attempts(), desk.counting(), module)


def standing(answered: Sequence[Attempt], counting: Sequence[Attempt], module: str) -> Progress:
    """Return what follows from all attempts, and from those that count."""
    begun = {one.exercise.partition(".")[0] for one in answered}
    wanted = [one.id for one in syllabus().modules if one.id == module or (not module and one.id in begun)]
    return Progress(tuple(_standing(id, answered, counting) for name in wanted for id in tasks(name)))


def _standing(exercise: str, answered: Sequence[Attempt], counting: Sequence[Attempt]) -> Standing:
    all_, tries = ([one for one in some if one.exercise == exercise] for some in (answered, counting))
    judged = [one for one in tries if one.kind in JUDGED]
    is_done = any(one.is_right or one.kind == "reveal" for one in judged)
    return Standing(exercise, is_done, len(tries), sum(not one.is_right for one in judged), len(all_) - len(tries))
