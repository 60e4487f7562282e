"""Try rules on synthetic residents before they bind a real one. The same seed gives the same figures.

Nobody in here exists: groups and their habits are assumptions, written down below, to be changed by who knows better.
What a rule does to real people, only a pilot shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from statistics import median
from typing import Any, Final

from minichain.codec import Plain
from minichain.errors import UsageError
from minichain.scenarios.points.figures import LEAST_SHOWN, gini_permille, shown

RESIDENTS: Final = 1_000
WEEKS: Final = 52
WEEKS_OF_A_MONTH: Final = 4
PATIENCE: Final = 3  # deeds in a row that were not counted, after which somebody stays away
BINS: Final = (0, 1, 50, 100, 200, 400, 800)  # points; the last one has no upper end


class Group(Plain):
    """A part of the residents, in percent: how many they are, who of them has a device, and how often they do what a
    rule rewards in a week; `errors` is how much more often than others their evidence fails, `weeks` is how long
    they are there in a year, and `objects` how many object to what was not counted.
    """

    name: str
    share: int
    devices: int
    acts: int
    errors: int
    objects: int
    weeks: int = WEEKS


GROUPS: Final = (
    Group("elderly", share=22, devices=45, acts=38, errors=150, objects=10),
    Group("disabled", share=8, devices=60, acts=22, errors=180, objects=15),
    Group("migrant", share=18, devices=92, acts=26, errors=130, objects=8),
    Group("seasonal", share=10, devices=85, acts=30, errors=120, objects=8, weeks=20),
    Group("others", share=42, devices=96, acts=34, errors=100, objects=25),
)


class Trial(Plain):
    """What is tried: rules as a preset has them, how many percent of the evidence fail, whether there is a desk."""

    rules: tuple[Mapping[str, Any], ...]
    error_percent: int = 5
    has_desk: bool = True
    residents: int = RESIDENTS
    seed: int = 1


class GroupFigures(Plain):
    """What a trial did to one group; None where fewer than ten residents would be shown."""

    name: str
    residents: int
    median_points: int | None
    without_points: int | None
    shut_out: int | None  # who cannot take part: no device, and no desk
    dropped_out: int | None
    uncounted: int  # deeds that were done and not counted
    wrongly_deducted: int


class Result(Plain):
    """What a trial did: `histogram` has how many residents have points from each of `BINS` on, None for too few."""

    trial: Trial
    points: int
    gini_permille: int
    histogram: tuple[tuple[int, int | None], ...]
    groups: tuple[GroupFigures, ...]
    dropped_out: int | None
    objections: int
    widest_gap_permille: int  # the lowest median of a group, of the highest


class _Resident:
    def __init__(self, group: Group, random: Random, trial: Trial) -> None:
        self.group, self.random = group, random
        has_device = random.randrange(100) < group.devices
        self.takes_part = has_device or trial.has_desk
        self.first_week = random.randrange(WEEKS - group.weeks + 1)
        self.points = self.in_a_row = self.uncounted = self.wrongly = self.objections = 0
        self.has_left = False

    def is_there(self, week: int) -> bool:
        return self.takes_part and not self.has_left and 0 <= week - self.first_week < self.group.weeks


def simulate(trial: Trial) -> Result:
    """Let synthetic residents live a year under some rules."""
    if not 0 <= trial.error_percent <= 100:
        raise UsageError("the error of the evidence is 0 to 100 percent")
    if trial.residents < LEAST_SHOWN * len(GROUPS):
        raise UsageError(f"try a rule on {LEAST_SHOWN * len(GROUPS)} residents or more: fewer could be somebody")
    groups = [group for group in GROUPS for _ in range(trial.residents * group.share // 100)]
    # Each has chances of their own: what changes for one in another trial changes nothing for the others.
    residents = [_Resident(group, Random(f"{trial.seed}/{number}"), trial) for number, group in enumerate(groups)]
    for person in residents:
        for week in range(WEEKS):
            if person.is_there(week):
                _live(person, trial)
    return _result(trial, residents)


def _live(person: _Resident, trial: Trial) -> None:
    """Let one resident live one week."""
    random = person.random
    fails = trial.error_percent * person.group.errors
    for rule in trial.rules:
        if rule["points"] > 0 and random.randrange(100) < person.group.acts:
            is_counted = random.randrange(10_000) >= fails
            if not is_counted and random.randrange(100) < person.group.objects:
                person.objections += 1
                is_counted = True  # a human being looks, and the deed was done
            _count(person, _earned(rule, random), is_counted=is_counted)
        elif rule["points"] < 0 and random.randrange(1_000_000) < fails:  # nothing was done, and it is deducted
            person.wrongly += 1
            person.points = max(0, person.points + rule["points"])


def _earned(rule: Mapping[str, Any], random: Random) -> int:
    """Draw how much was done, and judge it as the catalogue does, with the cap of a week's share of a month."""
    per = rule.get("per", 1)
    amount = random.randrange(per, 4 * per + 1)
    counted = min(amount, rule.get("at_most") or amount)
    points = counted // per * rule["points"]
    caps = [rule.get("per_day") or points, (rule.get("per_month") or points * WEEKS_OF_A_MONTH) // WEEKS_OF_A_MONTH]
    return int(min(points, *caps))


def _count(person: _Resident, points: int, *, is_counted: bool) -> None:
    if is_counted:
        person.points += points
        person.in_a_row = 0
        return
    person.uncounted += 1
    person.in_a_row += 1
    person.has_left = person.in_a_row >= PATIENCE


# --- what came of it ---------------------------------------------------------------------------------------------


def _result(trial: Trial, residents: Sequence[_Resident]) -> Result:
    points = [person.points for person in residents]
    groups = tuple(_figures(group, [one for one in residents if one.group is group]) for group in GROUPS)
    ends = (*BINS[1:], max(points) + max(BINS) + 1)
    counts = [sum(first <= value < last for value in points) for first, last in zip(BINS, ends, strict=True)]
    medians = [one.median_points for one in groups if one.median_points is not None]
    return Result(
        trial=trial,
        points=sum(points),
        gini_permille=gini_permille(points),
        histogram=tuple(zip(BINS, map(shown, counts), strict=True)),
        groups=groups,
        dropped_out=shown(sum(person.has_left for person in residents)),
        objections=sum(person.objections for person in residents),
        widest_gap_permille=1_000 * min(medians, default=0) // max(1, *medians, 1),
    )


def _figures(group: Group, members: Sequence[_Resident]) -> GroupFigures:
    return GroupFigures(
        name=group.name,
        residents=len(members),
        median_points=int(median(person.points for person in members)) if len(members) >= LEAST_SHOWN else None,
        without_points=shown(sum(person.points == 0 for person in members)),
        shut_out=shown(sum(not person.takes_part for person in members)),
        dropped_out=shown(sum(person.has_left for person in members)),
        uncounted=sum(person.uncounted for person in members),
        wrongly_deducted=sum(person.wrongly for person in members),
    )
