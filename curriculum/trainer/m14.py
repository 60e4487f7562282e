"""M14: what stays with the trainer."""

import random

from minichain.course.exercise import Exercise, miss
from minichain.course.exercises.m14 import averaging
from minichain.course.trainer import Bot, Key


def wronged(least):
    return [least] + [None] * 51


def half_a_year(least):
    return [least] * 26 + [None] * 26


def diligent(least):
    return [least] * 52


def lazy(least):
    return [0] * 52


def nobody(least):
    return [None] * 52


def two_of_three(least):
    return [least, least, 0] * 17 + [least]


def loses(year):
    here = [kg for kg in year if kg is not None]
    return sum(here) < len(here)


def loses_by_balance(year):
    short = 0
    for kg in year:
        if kg is not None:
            short += 1 - kg
    return short > 0


def never(year):
    return False


def each_week(year):
    return any(kg < 1 for kg in year if kg is not None)


def more_than_enough(year):
    here = [kg for kg in year if kg is not None]
    return bool(here) and sum(here) <= len(here)


def only_who_is_here_all_year(year):
    return None not in year and sum(year) < len(year)


def away_is_guilty(year):
    here = [kg for kg in year if kg is not None]
    return not here or sum(here) < len(here)


def divided_by_nothing(year):
    here = [kg for kg in year if kg is not None]
    return sum(here) / len(here) < 1


E2_HIDDEN = Exercise("m14.e2", expects=callable)


@E2_HIDDEN.part
def gaps_in_a_year(mended):
    for seed in range(20):
        draw = random.Random(seed)
        year = [draw.choice((None, 0, 1, 2)) for _ in range(52)]
        if mended(year) != loses(year):
            return miss("wronged" if mended(year) else "exempt", group="others", weeks=52 - year.count(None))
    return None


STEPS = {
    "at the notice": "waits",
    "objected": "waits",
    "nobody decides": "ends",
    "repaired": "kept",
    "left": "unknown",
}
RULES = {
    "reading": {
        "points": 3,
        "unit": "minute",
        "per": 40,
        "evidence": "document",
        "basis": "community",
        "basis_reference": "Residents' assembly, article 11",
        "per_month": 60,
        "expires_after": 18,
    },
    "bulky-waste": {
        "points": -6,
        "unit": "decision",
        "evidence": "decision",
        "basis": "law",
        "basis_reference": "City ordinance, article 14",
        "severity": "minor",
    },
}
HIT = {"averaging": {"seasonal"}, "no desk": {"elderly"}, "error of 5 %": "somebody"}
JUDGED = {
    "sorting-rewards": "may begin",
    "hours-of-help": "may begin",
    "time-bank": "may begin",
    "street-with-ordinance": "may begin",
    "culture-card": "may begin",
    "bottle-return": "may begin",
    "jaywalking-list": "program-decides",
    "honour-wall": "named-ranking",
    "points-for-jobs": "other-context",
    "everybody-is-in": "no-consent",
    "last-years-sins": "reaches-back",
    "because-we-say-so": "no-basis",
}


def rules(code, **changes):
    return {**RULES, code: {**RULES[code], **changes}}


KEYS = {
    "m14.p1": Key(
        solutions=(STEPS, dict(reversed(STEPS.items()))),
        bots=(
            Bot({**STEPS, "at the notice": "counts"}, "no_notice"),
            Bot({**STEPS, "objected": "counts"}, "no_suspension"),
            Bot({**STEPS, "nobody decides": "counts"}, "silence_is_guilt"),
            Bot({**STEPS, "repaired": "deleted"}, "repair_deletes"),
            Bot({**STEPS, "left": "known"}, "no_way_out"),
        ),
    ),
    "m14.e1": Key(
        solutions=(
            RULES,
            {
                "bulky-waste": {**RULES["bulky-waste"], "per": 1, "basis_reference": "市容条例第14条"},
                "reading": {**RULES["reading"], "whom": "person", "basis_reference": "居民会议公约第11条"},
            },
        ),
        bots=(
            Bot({"reading": RULES["reading"]}, "no_rule"),
            Bot(rules("bulky-waste", basis="community"), "no_law"),
            Bot(rules("bulky-waste", severity=""), "refused"),
            Bot(rules("reading", whom="household"), "refused"),
            Bot(rules("reading", points=1, per=13), "points_differ"),
            Bot(rules("bulky-waste", points=6, severity=""), "points_differ"),
            Bot(rules("reading", basis_reference="as agreed"), "no_article"),
            Bot(rules("reading", evidence="device"), "field_differs"),
            Bot(rules("reading", per_month=0), "no_cap"),
            Bot(rules("reading", expires_after=0), "no_end"),
        ),
    ),
    "m14.p2": Key(
        solutions=(HIT, {**HIT, "averaging": ["seasonal"], "no desk": ["elderly"]}),
        bots=(
            Bot({**HIT, "averaging": set()}, "hits_nobody"),
            Bot({**HIT, "averaging": {"elderly", "seasonal"}}, "another_group"),
            Bot({**HIT, "no desk": set()}, "desk"),
            Bot({**HIT, "error of 5 %": "nobody"}, "error_is_noise"),
        ),
    ),
    "m14.e4": Key(
        solutions=(wronged, half_a_year),
        bots=(
            Bot(diligent, "not_hit"),
            Bot(lazy, "too_little"),
            Bot(two_of_three, "too_little"),
            Bot(nobody, "no_year"),
        ),
    ),
    "m14.e2": Key(
        solutions=(loses, loses_by_balance),
        bots=(
            Bot(averaging, "wronged"),
            Bot(never, "nobody_loses"),
            Bot(only_who_is_here_all_year, "exempt"),
            Bot(each_week, "stricter"),
            Bot(more_than_enough, "stricter"),
            Bot(away_is_guilty, "away"),
            Bot(divided_by_nothing, "raised"),
        ),
        hidden=E2_HIDDEN,
    ),
    "m14.e3": Key(
        solutions=(
            JUDGED,
            {**JUDGED, "jaywalking-list": "punishes-volunteers", "everybody-is-in": "on-chain-names"},
        ),
        bots=(
            Bot({**JUDGED, "everybody-is-in": "may begin"}, "chain_is_lawful"),
            Bot({**JUDGED, "jaywalking-list": "may begin"}, "program_is_fair"),
            Bot({**JUDGED, "honour-wall": "may begin"}, "waved_through"),
            Bot({**JUDGED, "street-with-ordinance": "punishes-volunteers"}, "too_strict"),
            Bot({**JUDGED, "points-for-jobs": "children"}, "another_flag"),
        ),
    ),
}
