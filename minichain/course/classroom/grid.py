"""What a trainer sees of a class: who has come how far, who is stuck, and what many believe just now.

Everything is counted anew from the register; names are only here, and can be left out for a projector.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from minichain.codec import Plain
from minichain.course.attempts import is_within
from minichain.course.classroom.register import AWAY, IN, Learner, Register, Taken
from minichain.course.material import misconceptions, syllabus, tasks

NOT_STARTED, TRYING, STUCK, DONE = "not started", "trying", "stuck", "done"
STUCK_AFTER: Final = 3  # misses
NOW_MS: Final = 15 * 60_000  # what is "just now"
TOP: Final = 3
JUDGED: Final = ("check", "reveal")


class Cell(Plain):
    """How one learner is doing with one exercise; `first` and `last` are when attempts came, 0 before there are any."""

    state: str = NOT_STARTED
    tries: int = 0
    misses: int = 0
    is_right: bool = False
    hidden: str = ""
    misconception: str = ""
    differs: bool = False  # their check said what ours does not
    first: int = 0
    last: int = 0


class Belief(Plain):
    """A misconception that several hold just now."""

    id: str
    learners: tuple[str, ...]  # names


Grid = dict[str, dict[str, Cell]]  # did -> exercise -> cell; what is not started is left out


def exercises(modules: Iterable[str] = ()) -> list[str]:
    """Return the ids of exercises in the order of the syllabus."""
    wanted = list(modules) or [module.id for module in syllabus().modules]
    return [id for module in wanted for id in tasks(module)]


def grid(register: Register, *, with_reset: bool = False) -> Grid:
    """Return how everybody is doing; or how they did, what counts no longer among it."""
    found: dict[str, dict[str, list[Taken]]] = {}
    for taken in register.taken.values():
        learner = register.learners[taken.attempt.learner]
        if with_reset or not is_reset(learner, taken):
            found.setdefault(learner.did, {}).setdefault(taken.attempt.exercise, []).append(taken)
    return {did: {id: cell(tries) for id, tries in of.items()} for did, of in found.items()}


def is_reset(learner: Learner, taken: Taken) -> bool:
    """Tell whether an attempt counts no longer."""
    return any(taken.at <= one.at and is_within(taken.attempt.exercise, one.prefix) for one in learner.resets.values())


def cell(tries: Sequence[Taken]) -> Cell:
    """Return how somebody does who made these attempts at one exercise."""
    judged = [one for one in tries if one.attempt.kind in JUDGED]
    right = next((one for one in judged if one.is_right), None)
    is_opened = any(one.attempt.kind == "reveal" for one in judged)
    misses = sum(not one.is_right for one in judged)
    state = DONE if right or is_opened else STUCK if misses >= STUCK_AFTER else TRYING
    hidden = [one.verdict.hidden for one in judged if one.verdict and one.verdict.hidden]
    return Cell(
        state=state,
        tries=len(tries),
        misses=misses,
        is_right=right is not None,
        hidden="right" if "right" in hidden else "".join(hidden[-1:]),
        misconception="" if right or not judged else judged[-1].misconception,
        differs=any(one.differs for one in judged),
        first=min(one.at for one in tries),
        last=max(one.at for one in tries),
    )


def beliefs(register: Register, now: int, window_ms: int = NOW_MS) -> list[Belief]:
    """Return what most hold just now: misconceptions behind the last attempt at an exercise, the commonest first."""
    holders: dict[str, dict[str, None]] = {}
    for did, row in grid(register).items():
        for one in row.values():
            if one.misconception and one.last >= now - window_ms:
                holders.setdefault(one.misconception, {})[register.learners[did].name] = None
    ranked = sorted(holders.items(), key=lambda item: (-len(item[1]), item[0]))
    return [Belief(id, tuple(names)) for id, names in ranked]


def status(register: Register, now: int) -> dict[str, Any]:
    """Return all of it, as it is printed for machines."""
    cells = grid(register)
    counts = Counter(one.state for row in cells.values() for one in row.values())
    return {
        "class": register.id,
        "learners": [_told(one, cells.get(one.did, {})) for one in register.learners.values()],
        "waiting": [one.name for one in register.waiting()],
        "attempts": len(register.taken),
        "unjudged": len(register.unjudged),
        "cells": {state: counts[state] for state in (TRYING, STUCK, DONE)},
        "misconceptions": [_belief(one) for one in beliefs(register, now)[:TOP]],
        "differing": sum(one.differs for one in register.taken.values()),
    }


def _told(learner: Learner, row: dict[str, Cell]) -> dict[str, Any]:
    return {
        "name": learner.name,
        "state": learner.state,
        "role": learner.role,
        "number": learner.number,
        "colour": learner.colour,
        "did": learner.did,
        "seen": learner.seen,
        "on_chain": "account" in learner.done,
        "exercises": {id: one.state for id, one in sorted(row.items())},
    }


def _belief(one: Belief) -> dict[str, Any]:
    said = misconceptions()[one.id].belief.en if one.id in misconceptions() else ""
    return {"id": one.id, "belief": said, "learners": list(one.learners)}


def present(register: Register) -> list[Learner]:
    """Return who belongs to the class, by number."""
    return sorted((one for one in register.learners.values() if one.state in (IN, AWAY)), key=lambda one: one.number)
