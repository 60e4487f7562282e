"""M14, citizen points with due process: what stops a deduction, a rule in fields, whom a rule wrongs, what may begin.

Rules are adopted and entries recorded on the real contracts of the scheme, in a sandbox whose clock moves when told to.
Nobody in here exists: residents are drawn from the groups of the simulation.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from minichain.course import place
from minichain.course.exercise import Exercise, Miss, miss, seeds
from minichain.errors import UsageError
from minichain.scenarios.points import redflags
from minichain.scenarios.points.laboratory import stage
from minichain.scenarios.points.simulation import GROUPS, WEEKS, Group, Trial, simulate
from minichain.scenarios.points.staging import Stage
from minichain.scenarios.points.story import (
    ACCOUNTS,
    CASES,
    CATALOGUE,
    CHAIR,
    LEDGER,
    MEMBER,
    RECORDER,
    RESIDENT,
    named,
)

# --- m14.p1: from the notice to the repair ---------------------------------------------------------------------------

EFFECT: Final = {True: "counts", False: "waits"}


@cache
def due_process() -> Mapping[str, str]:
    """Play two deductions, one that nobody decides about and one that is repaired; then the resident leaves."""
    on = stage()
    number = on.notified("mixed-waste", 1)
    at_once = on.attempt(RECORDER, LEDGER, "settle", number=number).ok
    on.wait(days=4)
    case = on.objected(number)
    on.wait(days=2)
    objected = on.attempt(RECORDER, LEDGER, "settle", number=number).ok
    on.wait(days=4)
    on.do(RESIDENT, CASES, "lapse", number=case)
    return {
        "at the notice": EFFECT[at_once],
        "objected": EFFECT[objected],
        "nobody decides": "ends" if on.entry(number)["state"] == "Withdrawn" else "counts",
        "repaired": _repaired(on),
        "left": _left(on),
    }


def _repaired(on: Stage) -> str:
    on.effective("service-hour", 120)  # twenty points to lose something from
    number = on.effective("mixed-waste", 1)
    case = on.do(RESIDENT, CASES, "ask_repair", entry=number, evidence=named("four weeks of sorted waste"))
    on.decided(case, "Withdrawn")
    return "kept" if on.entry(number)["state"] == "Repaired" else "deleted"


def _left(on: Stage) -> str:
    """Let the resident leave, and the desk destroy what it keeps; then read whose account it was."""
    account = on.did(RESIDENT)
    consent = on.ask(ACCOUNTS, "account", account=account)["consent"]
    on.do(RESIDENT, ACCOUNTS, "withdraw", account=account)
    on.consents.erase(consent)
    try:
        on.consents.read(consent)
    except UsageError:
        return "unknown"
    return "known"


P1 = Exercise("m14.p1", expects=dict)
CAUSES_P1: Final = {
    "at the notice": "no_notice",
    "objected": "no_suspension",
    "nobody decides": "silence_is_guilt",
    "repaired": "repair_deletes",
    "left": "no_way_out",
}


@P1.each(CAUSES_P1)
def a_step_is_expected(answer: Mapping[str, str], step: str) -> Miss | None:
    """Judge what is expected of one step."""
    return None if answer.get(step) == due_process()[step] else miss(CAUSES_P1[step], said=answer.get(step))


# --- m14.e1: from an article to a rule -------------------------------------------------------------------------------

READING, BULKY = "reading", "bulky-waste"
ARTICLES: Final = {  # code -> what its article says, as fields; and amounts with their points
    READING: (
        {"unit": "minute", "evidence": "document", "basis": "community", "severity": ""},
        {39: 0, 40: 3, 100: 6, 400: 30},
    ),
    BULKY: ({"unit": "decision", "evidence": "decision", "basis": "law", "severity": "minor"}, {1: -6, 2: -12}),
}
REFERENCES: Final = {READING: "11", BULKY: "14"}
MOST_A_MONTH, MONTHS = 60, 18  # of reading

Rules = Mapping[str, Mapping[str, Any]]  # code -> fields of a rule

E1 = Exercise("m14.e1", expects=dict)


@dataclass(frozen=True, slots=True)
class Adopted:
    """What a real committee and catalogue made of rules: the reason of each refusal, and the entry of a long read."""

    on: Stage
    refused: Mapping[str, str]  # by code; "" for a rule that is in force
    entry: Mapping[str, Any]


def adopted(rules: Rules) -> Adopted:
    """Let one member of the committee propose rules and another one adopt them; then somebody reads for 200 hours."""
    return _adopted(json.dumps(rules))


@lru_cache(maxsize=1)
def _adopted(written: str) -> Adopted:
    rules, on = json.loads(written), stage()
    refused = {code: _refusal(on, code, rules[code]) for code in ARTICLES if code in rules}
    try:
        entry = on.entry(on.effective(READING, 200 * 60))
    except UsageError:
        entry = {}
    return Adopted(on, refused, entry)


def _refusal(on: Stage, code: str, fields: Mapping[str, Any]) -> str:
    draft = {"code": code, "behaviour": f"See the article on {code}.", "effective_from": on.box.now_ms, **fields}
    proposed = on.attempt(CHAIR, CATALOGUE, "propose", rule=draft)
    done = on.attempt(MEMBER, CATALOGUE, "adopt", number=proposed.result) if proposed.ok else proposed
    return "" if done.ok else done.error.partition(": ")[2]


@E1.part
def the_committee_adopts_them(rules: Rules) -> Miss | None:
    """Judge by a real catalogue: what it refuses is no rule."""
    for code in ARTICLES:
        if code not in rules:
            return miss("no_rule", code=code)
        if error := adopted(rules).refused[code]:
            lacks_law = rules[code].get("points", 0) < 0 and rules[code].get("basis") != "law"
            return miss("no_law" if lacks_law else "refused", code=code, error=error)
    return None


@E1.each(ARTICLES)
def points_are_those_of_the_article(rules: Rules, code: str) -> Miss | None:
    """Judge by amounts and the points that the catalogue gives for them."""
    on = adopted(rules).on
    for amount, points in ARTICLES[code][1].items():
        given = on.ask(CATALOGUE, "judged", code=code, amount=amount, at=on.box.now_ms)["points"]
        if given != points:
            return miss("points_differ", code=code, amount=amount, given=given, points=points)
    return None


@E1.each(ARTICLES)
def it_says_what_it_rests_on(rules: Rules, code: str) -> Miss | None:
    """Judge whether somebody who objects can find the article, and what the evidence has to be."""
    rule = adopted(rules).on.ask(CATALOGUE, "rule", code=code, version=1)
    if REFERENCES[code] not in rule["basis_reference"]:
        return miss("no_article", code=code, number=REFERENCES[code])
    wrong = [name for name, value in ARTICLES[code][0].items() if rule[name] != value]
    return miss("field_differs", code=code, field=wrong[0]) if wrong else None


@E1.part
def a_month_has_its_cap(rules: Rules) -> Miss | None:
    """Judge by what somebody is given who reads for two hundred hours in a month."""
    given = adopted(rules).entry.get("delta", 0)
    return None if given == MOST_A_MONTH else miss("no_cap", given=given)


@E1.part
def points_have_their_end(rules: Rules) -> Miss | None:
    """Judge by when these points end."""
    made = adopted(rules)
    ends = made.on.ask(CATALOGUE, "months_after", at=made.entry["effective_at"], months=MONTHS)
    return None if made.entry["ends_at"] == ends else miss("no_end", months=MONTHS)


# --- m14.p2: whom does it hit? ---------------------------------------------------------------------------------------

Year = list[int | None]  # kilograms of each week; None: not there


def a_year(group: Group, least: int, most: int, draw: random.Random) -> Year:
    """Make up a year of somebody of a group, who sorts from `least` to `most` kilograms in each week they are there."""
    first = draw.randrange(WEEKS - group.weeks + 1)
    return [draw.randint(least, most) if first <= week < first + group.weeks else None for week in range(WEEKS)]


def averaging(year: Year, least: int = 1) -> bool:
    """Tell by the rule of the lesson whether points go: less than `least` kilograms a week, on average of the year."""
    return sum(kg or 0 for kg in year) < least * WEEKS


@cache
def whom_it_hits() -> Mapping[str, Any]:
    """Try three things on a thousand synthetic residents."""
    draw, rules = random.Random(7), stage().preset.rules
    hit = {group.name for group in GROUPS for _ in range(group.share * 10) if averaging(a_year(group, 1, 3, draw))}
    shut = {group.name for group in simulate(Trial(rules, has_desk=False)).groups if group.median_points == 0}
    wronged = sum(group.wrongly_deducted for group in simulate(Trial(rules, error_percent=5)).groups)
    return {"averaging": hit, "no desk": shut, "error of 5 %": "somebody" if wronged else "nobody"}


P2 = Exercise("m14.p2", expects=dict)


@P2.part
def the_average_hits_a_group(answer: Mapping[str, Any]) -> Miss | None:
    """Judge who is expected to lose points by the average, though they sort in each week they are there."""
    said = set(answer.get("averaging", ()))
    if said == whom_it_hits()["averaging"]:
        return None
    return miss("another_group", said=sorted(said)) if said else miss("hits_nobody")


@P2.part
def a_desk_is_a_way_in(answer: Mapping[str, Any]) -> Miss | None:
    """Judge whose middle is expected to fall to nothing without a desk."""
    said = set(answer.get("no desk", ()))
    return None if said == whom_it_hits()["no desk"] else miss("desk", said=sorted(said))


@P2.part
def an_error_wrongs_somebody(answer: Mapping[str, Any]) -> Miss | None:
    """Judge whether an error of the evidence is expected to wrong anybody."""
    return None if answer.get("error of 5 %") == whom_it_hits()["error of 5 %"] else miss("error_is_noise")


# --- m14.e4: find whom the average wrongs ----------------------------------------------------------------------------

E4 = Exercise("m14.e4", expects=callable)


@E4.each(range(1, 4))
def somebody_is_wronged(wronged: Callable[[int], Year], least: int) -> Miss | None:
    """Judge by the rule itself, with several least amounts: it has to take points from somebody who did enough."""
    year = wronged(least)
    here = [kg for kg in year if kg is not None]
    if len(year) != WEEKS or not here:
        return miss("no_year", weeks=len(year), here=len(here))
    if min(here) < least:
        return miss("too_little", least=least)
    return None if averaging(year, least) else miss("not_hit", least=least)


# --- m14.e2: mend the rule -------------------------------------------------------------------------------------------

Loses = Callable[[Year], bool]

E2 = Exercise("m14.e2", expects=callable)


@E2.part
def who_sorts_keeps(loses: Loses) -> Miss | None:
    """Judge by residents of every group who sort a kilogram or more in each week they are there."""
    for group in GROUPS:
        for seed in seeds(5):
            if loses(a_year(group, 1, 3, random.Random(seed))):
                return miss("wronged", group=group.name, weeks=group.weeks)
    return None


@E2.part
def too_little_loses(loses: Loses) -> Miss | None:
    """Judge by residents of every group who sort nothing while they are there, or a kilogram less than enough."""
    missed = {
        group.name
        for group in GROUPS
        for seed in seeds(5)
        for kg in (0, 1)
        if not loses(_less(a_year(group, kg, kg, random.Random(seed))))
    }
    if not missed:
        return None
    return miss("nobody_loses" if len(missed) == len(GROUPS) else "exempt", group=min(missed))


def _less(year: Year) -> Year:
    """Take out what there was in the first week: where each had a kilogram, it is just too little on average."""
    week = next(week for week, kg in enumerate(year) if kg is not None)
    return [*year[:week], 0, *year[week + 1 :]]


@E2.part
def a_good_week_makes_up(loses: Loses) -> Miss | None:
    """Judge by residents who bring two kilograms every second week: that is one on average."""
    for group in GROUPS:
        year = a_year(group, 1, 1, random.Random(0))
        here = [week for week, kg in enumerate(year) if kg is not None]
        if loses([kg if kg is None else 2 * ((week - here[0]) % 2) for week, kg in enumerate(year)]):
            return miss("stricter", group=group.name)
    return None


@E2.part
def who_was_never_here_keeps(loses: Loses) -> Miss | None:
    """Judge by a year of somebody who was away."""
    return miss("away") if loses([None] * WEEKS) else None


# --- m14.e3: may it begin? -------------------------------------------------------------------------------------------

MAY_BEGIN: Final = "may begin"


@cache
def _packs() -> Mapping[str, redflags.Pack]:
    return redflags.packs()


def schemes() -> dict[str, str]:
    """Return what the twelve scripted schemes say, in the language of the course."""
    is_zh = place.bundle().language == "zh"
    return {name: pack.say_zh if is_zh else pack.say for name, pack in _packs().items()}


def flags() -> dict[str, str]:
    """Return the flags for which a scheme may not begin, with their reasons, in the language of the course."""
    reason = "reason_zh" if place.bundle().language == "zh" else "reason"
    return {code: words[reason] for code, words in redflags.flags().items() if words["level"] == "refuse"}


@cache
def raised(name: str) -> frozenset[str]:
    """Return the flags for which a scripted scheme may not begin."""
    pack = _packs()[name]
    return frozenset(one.code for one in redflags.lint(pack.scheme, pack.practices) if one.level == "refuse")


E3 = Exercise("m14.e3", expects=dict)


@E3.each(redflags.packs())
def a_scheme_is_judged(answer: Mapping[str, str], name: str) -> Miss | None:
    """Judge what is said of one scheme: one flag that it raises is enough."""
    said, truth = answer.get(name), raised(name)
    if said in (truth or {MAY_BEGIN}):
        return None
    if not truth:
        return miss("too_strict", name=name, said=said)
    if said != MAY_BEGIN:
        return miss("another_flag", name=name, said=said)
    if "on-chain-names" in truth:
        return miss("chain_is_lawful", name=name)
    return miss("program_is_fair" if "program-decides" in truth else "waved_through", name=name)


EXERCISES: Final = {one.id: one for one in (P1, E1, E3, P2, E4, E2)}
