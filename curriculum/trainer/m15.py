"""M15: what stays with the trainer."""

from minichain.course.exercise import Exercise, miss
from minichain.course.exercises.m15 import WEIGHT_OF, measured, story
from minichain.course.trainer import Bot, Key

ENDS = {
    "tie, more than half": "falls",
    "tie, at least half": "passes",
    "votes twice": "last",
    "expelled after voting": "stays",
    "frozen before it is done": "nothing done",
    "mistake in the code": "by a vote",
    "seals twice": "first",
    "never shows its sealed vote": "not cast",
    "votes late": "refused",
    "weight raised meanwhile": "old",
}
SEALS = {"seals twice": "last", "never shows its sealed vote": "cast"}
THREE_BIG = ["Environment bureau", "Street office A", "Street office B"]
NEEDS = {
    "everybody counts": 13,
    "one veto": {"quota": 8, "weights": [7, 1, 1, 1]},
    "who can stop": THREE_BIG,
    "silence agrees": "optimistic",
    "one no stops": "consensus",
    "members, not weight": "one_org_one_vote",
    "two thirds of all": "supermajority",
}
LESS_HEAVY = {**NEEDS, "one veto": {"quota": 6, "weights": [5, 2, 2, 1]}, "who can stop": set(THREE_BIG)}
BALLOTS = {
    "fee": "open",
    "contributions": "open",
    "forecast": "sealed",
    "offers": "sealed",
    "chair": "secret",
    "director": "secret",
    "mayor": "paper",
    "referendum": "paper",
    "why not": ["device", "bystander", "no paper"],
}


def recount(records, number, weights, told):
    last = {one["who"]: one["choice"] for one in records if one["accepted"] and one["proposal"] == number}
    return {choice: sum(weights[who] for who in last if last[who] == choice) for choice in ("yes", "no", "abstain")}


def one_after_the_other(records, number, weights, told):
    counts, before = {"yes": 0, "no": 0, "abstain": 0}, {}
    for one in records:
        if one["proposal"] != number or not one["accepted"]:
            continue
        who = one["who"]
        if who in before:
            counts[before[who]] -= weights[who]
        before[who] = one["choice"]
        counts[one["choice"]] += weights[who]
    return counts


def believing(records, number, weights, told):
    return told


def heads(records, number, weights, told):
    return recount(records, number, dict.fromkeys(weights, 1), told)


def each_vote(records, number, weights, told):
    fine = [one for one in records if one["accepted"] and one["proposal"] == number]
    return {kind: sum(weights[one["who"]] for one in fine if one["choice"] == kind) for kind in told}


def refused_too(records, number, weights, told):
    return recount([{**one, "accepted": True} for one in records], number, weights, told)


def all_proposals(records, number, weights, told):
    return recount([{**one, "proposal": number} for one in records], number, weights, told)


def never_abstains(records, number, weights, told):
    found = recount(records, number, weights, told)
    return found if number == 1 else {**found, "abstain": 0}


E2_HIDDEN = Exercise("m15.e2", expects=callable)


@E2_HIDDEN.part
def other_votes_agree(answer):
    """Judge by votes that no practice check plays."""
    for seed in range(100, 110):
        one = story(seed)
        if dict(said := answer(one.records, one.number, WEIGHT_OF, one.told)) != one.told:
            return miss("another_count", said=dict(said), truth=one.told)
    return None


E1_HIDDEN = Exercise("m15.e1", expects=dict)


@E1_HIDDEN.part
def the_bureau_does_not_decide_alone(answer):
    """Judge the veto by the coalitions that win: none of one member does."""
    design = answer["one veto"]
    found = measured(design["quota"], design["weights"])
    return None if found.banzhaf[0] < 1 else miss("not_with_one", **design)


KEYS = {
    "m15.p1": Key(
        solutions=(ENDS, dict(reversed(ENDS.items()))),
        bots=(
            Bot({**ENDS, "tie, at least half": "equal", "votes late": "?", "votes twice": ""}, "no_such_end"),
            Bot({**ENDS, **SEALS, "tie, more than half": "passes", "tie, at least half": "falls"}, "tie"),
            Bot({**ENDS, "votes twice": "both", "seals twice": "both", "votes late": "counted"}, "each_vote_is_kept"),
            Bot({**ENDS, **SEALS, "expelled after voting": "goes", "votes late": "counted"}, "voters_change"),
            Bot({**ENDS, **SEALS, "frozen before it is done": "half done"}, "half_done"),
            Bot({**ENDS, **SEALS, "mistake in the code": "by nobody"}, "code_is_final"),
            Bot({**ENDS, **SEALS, "votes late": "counted"}, "seal"),
        ),
    ),
    "m15.e1": Key(
        solutions=(NEEDS, LESS_HEAVY),
        bots=(
            Bot({**NEEDS, "everybody counts": 18}, "no_quota"),
            Bot({**NEEDS, "everybody counts": 12}, "dummy"),
            Bot({**NEEDS, "everybody counts": 15}, "veto"),
            Bot({**NEEDS, "everybody counts": 9}, "higher"),
            Bot({**NEEDS, "one veto": {"quota": 8, "weights": [7, 1, 1]}}, "not_ten"),
            Bot({**NEEDS, "one veto": {"quota": 6, "weights": [4, 2, 2, 2]}}, "not_the_bureau"),
            Bot({**NEEDS, "one veto": {"quota": 7, "weights": [7, 1, 1, 1]}}, "not_with_one"),
            Bot({**NEEDS, "who can stop": []}, "nobody_can"),
            Bot({**NEEDS, "who can stop": [*THREE_BIG, "Composting plant"]}, "others_can"),
            Bot({**NEEDS, "one no stops": "veto"}, "no_pack"),
            Bot({**NEEDS, "two thirds of all": "fisco"}, "another_pack"),
        ),
        hidden=E1_HIDDEN,
    ),
    "m15.e2": Key(
        solutions=(recount, one_after_the_other),
        bots=(
            Bot(believing, "believed"),
            Bot(heads, "not_weight"),
            Bot(each_vote, "each_vote"),
            Bot(refused_too, "refused_counts"),
            Bot(all_proposals, "other_proposal"),
            Bot(never_abstains, "another_count"),
        ),
        hidden=E2_HIDDEN,
    ),
    "m15.e3": Key(
        solutions=(BALLOTS, {**BALLOTS, "why not": {"no paper", "bystander", "device"}}),
        bots=(
            Bot({**BALLOTS, "fee": "public"}, "no_kind"),
            Bot({**BALLOTS, "mayor": "secret", "referendum": "secret"}, "elections"),
            Bot({**BALLOTS, "fee": "secret"}, "must_answer"),
            Bot({**BALLOTS, "offers": "open"}, "copied"),
            Bot({**BALLOTS, "chair": "open"}, "afraid"),
            Bot({**BALLOTS, "director": "paper"}, "not_public"),
            Bot({**BALLOTS, "why not": ["too slow", "no coin"]}, "mended_by_more"),
            Bot({**BALLOTS, "why not": ["device"]}, "reason_missing"),
        ),
    ),
}
