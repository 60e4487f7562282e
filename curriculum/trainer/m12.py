"""M12: what stays with the trainer."""

from minichain.course.exercise import Exercise
from minichain.course.exercises.m12 import PARTIES, STUCK, names, nobody_in_time_loses
from minichain.course.trainer import Bot, Key


def lock_times(late):
    return 3 * late, late


def lock_times_added(late):
    second = late
    first = late + second + late
    return first, second


def both_alike(late):
    return 3 * late, 3 * late


def mine_first(late):
    return late, 3 * late


def once_longer(late):
    return 2 * late, late


def a_minute_more(late):
    return 2 * late + 1, late


def hurried(late):
    return 3 * late, max(1, late - 1)


def generous(late):
    return 10 * late, 4 * late


def a_year(late):
    return 525_600, late


def one_time(late):
    return 3 * late


E1_HIDDEN = Exercise("m12.e1", expects=callable)
E1_HIDDEN.each((6,))(nobody_in_time_loses)

FOUND = dict(
    zip(
        STUCK,
        (
            ("on the way", "carry the message"),
            ("on the way", "wake the offices"),
            ("on the way", "carry the answer"),
            ("A", "wait for blocks"),
        ),
        strict=True,
    )
)
HARM = dict(zip(PARTIES, ("nothing", "a delay", "nothing", "units from nothing"), strict=True))
AWAY, STILL, DECLINED, SHALLOW = STUCK
LIAR, ABSENT, ONE_KEY, THREE_KEYS = PARTIES
BROKEN = {"keys": [*names("north", 5)], "offices": 8}

KEYS = {
    "m12.p1": Key(
        solutions=(FOUND, {name: list(said) for name, said in FOUND.items()}),
        bots=(
            Bot({**FOUND, STILL: ("B", "wake the offices")}, "moved_already"),
            Bot({**FOUND, AWAY: ("relayer", "carry the message")}, "relayer_holds_them"),
            Bot({**FOUND, SHALLOW: ("on the way", "wait for blocks")}, "other_place"),
            Bot({**FOUND, DECLINED: ("A", "carry the answer")}, "other_place"),
            Bot({**FOUND, DECLINED: ("on the way", "take it back")}, "taken_back"),
            Bot({**FOUND, AWAY: ("on the way", "wait for blocks")}, "other_help"),
        ),
    ),
    "m12.e1": Key(
        solutions=(lock_times, lock_times_added),
        bots=(
            Bot(both_alike, "wrong_order"),
            Bot(mine_first, "wrong_order"),
            Bot(once_longer, "lock_takes_time"),
            Bot(a_minute_more, "b_too_late"),
            Bot(hurried, "a_too_late"),
            Bot(generous, "too_long"),
            Bot(a_year, "too_long"),
            Bot(one_time, "no_times"),
        ),
        hidden=E1_HIDDEN,
    ),
    "m12.e2": Key(
        solutions=(HARM, dict(reversed(HARM.items()))),
        bots=(
            Bot({**HARM, THREE_KEYS: "nothing"}, "as_safe_as_the_chains"),
            Bot({**HARM, LIAR: "units from nothing"}, "carrier_is_trusted"),
            Bot({**HARM, ONE_KEY: "units from nothing"}, "carrier_is_trusted"),
            Bot({**HARM, ABSENT: "nothing"}, "delay_misjudged"),
        ),
    ),
    "m12.e3": Key(
        solutions=(BROKEN, {"keys": tuple(f"north {number}" for number in (6, 4, 3, 1, 0)), "offices": 8}),
        bots=(
            Bot({**BROKEN, "keys": [*names("south", 5)]}, "keys_of_the_south"),
            Bot({**BROKEN, "keys": [*names("north", 4)]}, "majority"),
            Bot({**BROKEN, "keys": ["north 0"]}, "too_few_keys"),
            Bot({**BROKEN, "keys": [*names("north", 7)]}, "too_many_keys"),
            Bot({**BROKEN, "offices": 7}, "too_few_offices"),
            Bot({**BROKEN, "offices": 16}, "more_than_needed"),
            Bot({**BROKEN, "offices": 100}, "other_offices"),
        ),
    ),
}
