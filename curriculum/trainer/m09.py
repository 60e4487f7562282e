"""M9: what stays with the trainer."""

from minichain.course.exercises.m09 import LIES, THREE
from minichain.course.trainer import Bot, Key

EXPECTED = {"oracles": set(THREE), "lie_proven": True, "one_liar": 58, "two_liars": 12, "a_day_later": "open"}

PROVEN = tuple(LIES)[:5]
MARKED = {statement: "proven" if statement in PROVEN else "claimed" for statement in LIES}

RULES = {
    "sensors": [*THREE],
    "needed": 3,
    "tolerance": 15,
    "objection_hours": 72,
    "closed_by": "Resident",
    "late": ["object", "decide"],
}
FOUR = {
    "sensors": ("Office sensor", "School sensor", "Factory sensor", "Factory sensor 2", "University sensor"),
    "needed": 4,
    "tolerance": 30,
    "objection_hours": 120,
    "closed_by": "Environment office",
    "late": ("object", "decide"),
}


def other(rules, **changes):
    return {**rules, **changes}


def but(*statements):
    return {**MARKED, **{one: "claimed" if MARKED[one] == "proven" else "proven" for one in statements}}


KEYS = {
    "m09.p1": Key(
        solutions=(EXPECTED, {**EXPECTED, "oracles": [*THREE]}),
        bots=(
            Bot(other(EXPECTED, oracles={"the contract"}), "looks_for_itself"),
            Bot(other(EXPECTED, oracles={*THREE, "the validators"}), "looks_for_itself"),
            Bot(other(EXPECTED, oracles={*THREE, "Resident"}), "wrong_oracles"),
            Bot(other(EXPECTED, oracles=set()), "wrong_oracles"),
            Bot(other(EXPECTED, lie_proven=False), "chain_would_notice"),
            Bot(other(EXPECTED, one_liar=43), "not_the_middle"),
            Bot(other(EXPECTED, two_liars=58), "truth_wins"),
            Bot(other(EXPECTED, a_day_later="settled"), "wakes_up"),
        ),
    ),
    "m09.e1": Key(
        solutions=(MARKED, dict(reversed(MARKED.items()))),
        bots=(
            Bot(dict.fromkeys(LIES, "proven"), "key_is_hand"),
            Bot(but("there were 120 kg in the bin", "the photograph was taken on Monday"), "chain_is_truth"),
            Bot(dict.fromkeys(LIES, "claimed"), "doubts_all"),
            Bot({}, "not_said"),
        ),
    ),
    "m09.e2": Key(
        solutions=(RULES, FOUR),
        equivalent=(
            *(f"'needed': {fewer}, 'tolerance': 30" for fewer in (2, 3)),  # of four owners
            *(f"'tolerance': {near}" for near in (13, 14, 16, 17, 28, 29, 31, 32)),
            *(f"'objection_hours': {near}" for near in (70, 71, 73, 74, 118, 119, 121, 122)),
            *(f"'closed_by': '{name}'" for name in FOUR["sensors"]),
        ),
        bots=(
            Bot(other(RULES, objection_hours="a reasonable time"), "reasonable"),
            Bot(other(RULES, sensors=["My telephone"]), "not_rules"),
            Bot(other(RULES, sensors=["Factory sensor"], needed=1), "liar_wins"),
            Bot(other(RULES, sensors=["Office sensor", "Factory sensor", "Factory sensor 2"], needed=2), "liar_wins"),
            Bot(other(RULES, needed=2), "too_few_needed"),
            Bot(other(RULES, needed=4), "never_a_figure"),
            Bot(other(RULES, tolerance=60), "nobody_flagged"),
            Bot(other(RULES, tolerance=3), "all_flagged"),
            Bot(other(RULES, closed_by="the contract itself"), "by_itself"),
            Bot(other(RULES, objection_hours=24), "too_short"),
            Bot(other(RULES, objection_hours=200), "too_long"),
            Bot(other(RULES, late=["delete"]), "step_refused"),
            Bot(other(RULES, late=["decide"]), "step_refused"),
            Bot(other(RULES, late=["object"]), "not_corrected"),
        ),
    ),
}
