"""What the forms of a class tell about their questions: how hard each is, whether it divides, which beliefs it shows.

A line of the table is one filled-in form: a number in place of a name, then a letter for each question, or nothing.
Few forms say little: below `ENOUGH` nothing is called good or bad.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from statistics import StatisticsError, correlation, fmean, pvariance
from typing import Final

from minichain.course import material
from minichain.course.papers import LETTERS
from minichain.errors import UsageError

FORM: Final = "form"  # the name of the first column
ENOUGH: Final = 50  # forms
HARD, EASY = 0.3, 0.9  # share of right answers
DIVIDES: Final = 0.3
RELIABLE: Final = 0.7


@dataclass(frozen=True, slots=True)
class Item:
    """One question: share of right answers, correlation with all others (None if all answered alike), its beliefs."""

    id: str
    difficulty: float
    discrimination: float | None
    beliefs: dict[str, int]

    @property
    def verdict(self) -> str:
        """Say what speaks against it; nothing if it does what a question should."""
        if self.difficulty < HARD:
            return "too hard"
        if self.difficulty > EASY:
            return "too easy"
        weak = self.discrimination is None or self.discrimination < DIVIDES
        return "does not divide" if weak else ""


@dataclass(frozen=True, slots=True)
class Statistics:
    """All questions of a form, and how well they measure one thing together (Kuder and Richardson's formula 20)."""

    forms: int
    items: tuple[Item, ...]
    kr20: float | None

    @property
    def is_enough(self) -> bool:
        return self.forms >= ENOUGH


Answers = dict[str, list[int | None]]  # question -> the place of the chosen answer on each form


def read(text: str) -> Answers:
    """Read a table of forms. Raises `UsageError` with the line of the mistake."""
    rows = list(csv.reader(StringIO(text)))
    if not rows or rows[0][:1] != [FORM] or len(rows[0]) < 3:
        raise UsageError(
            f"the first line names the columns: {FORM}, then two questions or more, such as {FORM},A01,A02"
        )
    ids, known = rows[0][1:], material.inventory()
    if strange := [id for id in ids if id not in known]:
        raise UsageError(f"there is no question {strange[0]!r}: the forms have {', '.join(known)}")
    answers: Answers = {id: [] for id in ids}
    seen = set[str]()
    for number, row in enumerate(rows[1:], 2):
        if not any(row):
            continue
        if len(row) != len(rows[0]):
            raise UsageError(f"line {number} has {len(row)} fields, the first line {len(rows[0])}")
        if row[0] in seen:
            raise UsageError(f"line {number}: form {row[0]!r} was there before; each form is one line")
        seen.add(row[0])
        for id, letter in zip(ids, row[1:], strict=True):
            answers[id].append(_place(letter.strip().lower(), len(known[id].options), number, id))
    if len(seen) < 2:
        raise UsageError("there are fewer than two forms: nothing can be said about the questions")
    return answers


def _place(letter: str, options: int, number: int, id: str) -> int | None:
    if not letter:
        return None
    if letter not in LETTERS[:options] or len(letter) > 1:
        raise UsageError(f"line {number}, {id}: {letter!r} is no answer; write one of {', '.join(LETTERS[:options])}")
    return LETTERS.index(letter)


def statistics(answers: Answers) -> Statistics:
    """Count; what was not answered is not right."""
    right = {id: [_is_right(id, place) for place in places] for id, places in answers.items()}
    totals = [sum(marks) for marks in zip(*right.values(), strict=True)]
    items = tuple(
        Item(
            id,
            fmean(marks),
            _correlation(marks, [total - mark for total, mark in zip(totals, marks, strict=True)]),
            _beliefs(id, answers[id]),
        )
        for id, marks in right.items()
    )
    return Statistics(len(totals), items, _kr20([item.difficulty for item in items], totals))


def _is_right(id: str, place: int | None) -> int:
    return int(place is not None and not material.inventory()[id].options[place][1])


def _beliefs(id: str, places: Sequence[int | None]) -> dict[str, int]:
    options = material.inventory()[id].options
    found = Counter(options[place][1] for place in places if place is not None and options[place][1])
    return dict(sorted(found.items()))


def _correlation(marks: Sequence[int], rest: Sequence[int]) -> float | None:
    try:
        return correlation(marks, rest)
    except StatisticsError:  # all alike
        return None


def _kr20(shares: Sequence[float], totals: Sequence[int]) -> float | None:
    spread, count = pvariance(totals), len(shares)
    if not spread:
        return None
    return count / (count - 1) * (1 - sum(share * (1 - share) for share in shares) / spread)
