"""M11: what stays with the trainer."""

from fractions import Fraction
from math import comb

from minichain.course.exercise import Exercise
from minichain.course.exercises.m11 import exact
from minichain.course.trainer import Bot, Key


def captured(validators, dishonest, members):
    ways = [comb(dishonest, bad) * comb(validators - dishonest, members - bad) for bad in range(members + 1)]
    return Fraction(sum(ways[-(-members // 3) :]), comb(validators, members))


def not_safe(validators, dishonest, members):
    safe = sum(comb(members, bad) * comb(validators - members, dishonest - bad) for bad in range((members + 2) // 3))
    return 1 - safe / comb(validators, dishonest)


def _ways(validators, dishonest, members):
    every = comb(validators, members)
    return [
        Fraction(comb(dishonest, bad) * comb(validators - dishonest, members - bad), every)
        for bad in range(members + 1)
    ]


def like_the_whole(validators, dishonest, members):
    return 1 if dishonest / validators >= 1 / 3 else 0


def by_half(validators, dishonest, members):
    return sum(_ways(validators, dishonest, members)[members // 2 + 1 :])


def just_enough(validators, dishonest, members):
    return _ways(validators, dishonest, members)[-(-members // 3)]


def more_than_a_third(validators, dishonest, members):
    return sum(_ways(validators, dishonest, members)[-(-members // 3) + 1 :])


def put_back(validators, dishonest, members):
    share = Fraction(dishonest, validators)
    return sum(
        comb(members, bad) * share**bad * (1 - share) ** (members - bad) for bad in range(-(-members // 3), members + 1)
    )


def the_share(validators, dishonest, members):
    return dishonest / validators


def rounded(validators, dishonest, members):
    return round(float(captured(validators, dishonest, members)), 3)


E1_HIDDEN = Exercise("m11.e1", expects=callable)


@E1_HIDDEN.part
def larger_cities(chance):
    return exact(chance, [(1_000, 100, 61), (1_000, 250, 100), (31, 31, 5)])


EXPECTED = {
    "asleep": (9_950, 50, 10_000),
    "awake": (9_950, 0, 10_050),
    "blocks": 3,
    "again": 0,
    "larger": "not faster",
}

KEYS = {
    "m11.p1": Key(
        solutions=(EXPECTED, {**EXPECTED, "asleep": [9_950, 50, 10_000], "awake": [9_950, 0, 10_050]}),
        bots=(
            Bot({**EXPECTED, "asleep": (9_950, 0, 10_000)}, "not_whole"),
            Bot({**EXPECTED, "asleep": (9_950, 0, 10_050)}, "arrives_at_once"),
            Bot({**EXPECTED, "asleep": (10_000, 0, 10_000)}, "never_left"),
            Bot({**EXPECTED, "awake": (9_950, 50, 10_000)}, "does_not_arrive"),
            Bot({**EXPECTED, "blocks": 1}, "one_block"),
            Bot({**EXPECTED, "blocks": 2}, "other_blocks"),
            Bot({**EXPECTED, "again": 50}, "arrives_twice"),
            Bot({**EXPECTED, "larger": "faster"}, "larger_is_faster"),
        ),
    ),
    "m11.e1": Key(
        solutions=(captured, not_safe),
        bots=(
            Bot(like_the_whole, "like_the_whole"),
            Bot(by_half, "half"),
            Bot(just_enough, "only_just"),
            Bot(more_than_a_third, "one_more"),
            Bot(put_back, "put_back"),
            Bot(the_share, "draws_differ"),
            Bot(rounded, "other"),
        ),
        hidden=E1_HIDDEN,
    ),
    "m11.e2": Key(
        solutions=({"shards": 14, "members": 61}, {"shards": 14, "members": 70}),
        bots=(
            Bot({"shards": 14, "members": 100}, "no_design"),
            Bot({"shards": 4, "members": 250}, "more_members"),
            Bot({"shards": 13, "members": 61}, "too_slow"),
            Bot({"shards": 125, "members": 8}, "captured"),
            Bot({"shards": 15, "members": 61}, "too_many_shards"),
            Bot({"shards": 14, "members": 66}, "idle_seat"),
        ),
    ),
}
