"""What a console shows of a class, as data for a page: the grid, who needs help, what is believed, what was expected.

Texts of the course come in all its languages, so that whoever shows them chooses. Names are in it: it is for the
trainer only, and whoever shows it leaves them out for a projector.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any, Final

from minichain.course import game
from minichain.course.answers import read_data
from minichain.course.attempts import Attempt
from minichain.course.classroom import grid
from minichain.course.classroom.grid import DONE, STUCK, TOP, TRYING, Cell, Grid
from minichain.course.classroom.register import Flagged, Happened, Learner, Register, Taken
from minichain.course.material import Module, Said, Task, misconceptions, syllabus, tasks

SILENT_MS: Final = 10 * 60_000  # without an answer to an exercise that was begun
BREAK_MS: Final = 30 * 60_000  # between two answers: whoever was away this long was not at work
CALM: Final = "calm"
MOST_SPREAD: Final = 6  # values of one prediction


def overview(register: Register, now: int) -> dict[str, Any]:
    """Return what there is to see now; times are milliseconds since 1970 on the desk's clock."""
    cells = grid.grid(register)
    present = grid.present(register)
    times = durations(register)
    return {
        "class": register.id,
        "now": now,
        "learners": [_learner(one, cells.get(one.did, {})) for one in present],
        "waiting": [one.name for one in register.waiting()],
        "modules": [_module(module, cells, times) for module in syllabus().modules],
        "beliefs": [_belief(one.id, len(one.learners)) for one in grid.beliefs(register, now)[:TOP]],
        "help": heads_up(present, cells, now),
        "flags": [one.said for one in register.events if isinstance(one, Flagged)],
        "trouble": [{"what": one.what, "where": one.where, "blocks": one.blocks} for one in under_way(register)],
        "players": len(register.players()),
        "game": game.told(register.game) if register.game else None,
        "attempts": len(register.taken),
        "archived": sum(grid.is_reset(register.learners[one.attempt.learner], one) for one in register.taken.values()),
        "unjudged": len(register.unjudged),
    }


def _learner(one: Learner, row: dict[str, Cell]) -> dict[str, Any]:
    return {
        "did": one.did,
        "name": one.name,
        "number": one.number,
        "colour": one.colour,
        "state": one.state,
        "role": one.role,
        "seen": one.seen,
        "cells": {id: {"state": cell.state, "tries": cell.tries, "misses": cell.misses} for id, cell in row.items()},
    }


def _belief(id: str, learners: int) -> dict[str, Any]:
    known = misconceptions().get(id)
    said, so = (known.belief, known.so) if known else (Said(id), Said(""))
    return {"id": id, "belief": _both(said), "so": _both(so), "learners": learners}


def _both(said: Said) -> dict[str, str]:
    return {"en": said.en, "zh": said.zh}


# --- modules and exercises ---------------------------------------------------------------------------------------


def _module(module: Module, cells: Grid, times: dict[str, list[int]]) -> dict[str, Any]:
    rows = [_exercise(task, cells, times.get(task.id, [])) for task in tasks(module.id).values()]
    return {"id": module.id, "label": module.label, "title": _both(module.title), "exercises": rows}


def _exercise(task: Task, cells: Grid, times: Sequence[int]) -> dict[str, Any]:
    counts = Counter(row[task.id].state for row in cells.values() if task.id in row)
    return {
        "id": task.id,
        "title": _both(task.title),
        "kind": task.kind,
        "median_ms": round(median(times)) if times else 0,
        **{state: counts[state] for state in (TRYING, STUCK, DONE)},
    }


def durations(register: Register) -> dict[str, list[int]]:
    """Return for each exercise how long those took who are done, in milliseconds on their own clocks.

    It begins with the answer before, to another exercise; after a break, with the first answer to this one.
    """
    found: dict[str, list[int]] = {}
    for tries in _by_learner(register).values():
        last, begun = tries[0].attempt.at, dict[str, int]()
        done = set[str]()
        for one in tries:
            at, id = one.attempt.at, one.attempt.exercise
            begun.setdefault(id, last if at - last < BREAK_MS else at)
            if id not in done and grid.cell([one]).state == DONE:
                done.add(id)
                found.setdefault(id, []).append(at - begun[id])
            last = at
    return found


def _by_learner(register: Register) -> dict[str, list[Taken]]:
    """Return who made which attempts, by when they were made; those that count no longer are left out."""
    found: dict[str, list[Taken]] = {}
    for one in sorted(register.taken.values(), key=lambda one: one.attempt.at):
        if not grid.is_reset(register.learners[one.attempt.learner], one):
            found.setdefault(one.attempt.learner, []).append(one)
    return found


# --- who needs help ----------------------------------------------------------------------------------------------


def heads_up(present: Iterable[Learner], cells: Grid, now: int) -> list[dict[str, Any]]:
    """List who is stuck, or has begun something and is silent since; who has waited longest comes first."""
    found = [
        {"did": one.did, "exercise": id, "why": why, "misses": cell.misses, "since": cell.last}
        for one in present
        for id, cell in cells.get(one.did, {}).items()
        if (why := _why(cell, now))
    ]
    return sorted(found, key=lambda one: (one["why"] != STUCK, one["since"]))


def _why(cell: Cell, now: int) -> str:
    if cell.state == STUCK:
        return STUCK
    return "silent" if cell.state == TRYING and now - cell.last >= SILENT_MS else ""


# --- predictions -------------------------------------------------------------------------------------------------


def spread(register: Register, exercise: str) -> dict[str, Any]:
    """Return how many expect what, for each thing that a prediction names: the last answer of each learner counts."""
    last: dict[str, Attempt] = {}
    for tries in _by_learner(register).values():
        for one in tries:
            if (one.attempt.exercise, one.attempt.kind) == (exercise, "predict"):
                last[one.attempt.learner] = one.attempt
    counts: dict[str, Counter[str]] = {}
    for attempt in last.values():
        for name, value in _named(attempt.answer).items():
            counts.setdefault(name, Counter())[value] += 1
    named = {name: counted.most_common(MOST_SPREAD) for name, counted in sorted(counts.items())}
    return {"exercise": exercise, "learners": len(last), "values": named}


def _named(answer: str) -> dict[str, str]:
    """Return what a prediction says, by name; whatever a learner wrote, it becomes text."""
    try:
        found = read_data(answer)
    except (ValueError, KeyError, TypeError):
        return {"": answer[:60]}
    return {str(name): _text(value) for name, value in found.items()} if isinstance(found, dict) else {"": _text(found)}


def _text(value: Any) -> str:
    ordered = sorted(value, key=str) if isinstance(value, set | frozenset) else value
    return ordered if isinstance(ordered, str) else json.dumps(ordered, ensure_ascii=False, default=str)[:60]


# --- what happens to the network ---------------------------------------------------------------------------------


def under_way(register: Register) -> list[Happened]:
    """Return what the trainer has let happen to the network since everything was well."""
    found = list[Happened]()
    for one in register.events:
        if isinstance(one, Happened):
            found = [] if one.what == CALM else [*found, one]
    return found
