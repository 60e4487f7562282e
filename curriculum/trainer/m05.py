"""M5: what stays with the trainer."""

from minichain.course.exercise import Exercise
from minichain.course.exercises.m05 import LAMPS, SEEDS, late
from minichain.course.trainer import Bot, Key

TWENTY = range(20)


def quorum(offices):
    return offices // 2 + 1


def quorum_tried(offices):
    return next(size for size in range(1, offices + 1) if 2 * size > offices)


def everybody(offices):
    return offices


def one_less(offices):
    return max(1, offices - 1)


def half(offices):
    return (offices + 1) // 2


def two_thirds(offices):
    return 2 * offices // 3 + 1


E2_HIDDEN = Exercise("m05.e2", expects=dict)
E2_HIDDEN.each([seed for seed in TWENTY if seed not in SEEDS])(late)

READ = {
    "two are off": ("safe", "moving"),
    "three are off": ("safe", "waiting"),
    "the cable is cut, three and two": ("safe", "moving"),
    "two cables are cut": ("safe", "waiting"),
    "one message in five is lost": ("safe", "moving"),
    "two of four lie": ("split", "moving"),
}
EXPECTED = {"commits": {0, 1, 2}, "forks": set(), "frozen": "behind", "waiting": "made"}

KEYS = {
    "m05.p1": Key(
        solutions=(EXPECTED, {**EXPECTED, "commits": [0, 1, 2], "forks": []}),
        bots=(
            Bot({**EXPECTED, "commits": {0}}, "everybody_needed"),
            Bot({**EXPECTED, "commits": {0, 1, 2, 3}}, "wrong_count"),
            Bot({**EXPECTED, "forks": {3, 4}}, "forks"),
            Bot({**EXPECTED, "frozen": "same"}, "always_same"),
            Bot({**EXPECTED, "waiting": "lost"}, "stalled_is_lost"),
        ),
    ),
    "m05.e1": Key(
        solutions=(quorum, quorum_tried),
        equivalent=("range(1, offices + 2)", "range(0, offices + 1)"),
        bots=(
            Bot(everybody, "all_of_them"),
            Bot(one_less, "no_overlap"),
            Bot(half, "no_overlap"),
            Bot(two_thirds, "too_large"),
        ),
    ),
    "m05.e2": Key(
        solutions=({"offices": 3, "patience_ms": 300}, {"offices": 3, "patience_ms": 350}),
        equivalent=tuple(f"'patience_ms': {ms}" for ms in (298, 299, 301, 302, 348, 349, 351, 352)),
        bots=(
            Bot({"offices": 40, "patience_ms": 300}, "not_a_design"),
            Bot({"offices": 2, "patience_ms": 300}, "none_may_stop"),
            Bot({"offices": 3, "patience_ms": 100}, "hasty"),
            Bot({"offices": 3, "patience_ms": 1500}, "sluggish"),
            Bot({"offices": 4, "patience_ms": 300}, "no_spare"),
            Bot({"offices": 5, "patience_ms": 300}, "too_many"),
        ),
        hidden=E2_HIDDEN,
    ),
    "m05.e3": Key(
        solutions=(READ, {name: list(said) for name, said in READ.items()}),
        bots=(
            Bot({**READ, "three are off": ("split", "waiting")}, "stopped_is_unsafe"),
            Bot({**READ, "two of four lie": ("safe", "waiting")}, "safety_misread"),
            Bot({**READ, "two are off": ("safe", "waiting")}, "progress_misread"),
            Bot({**READ, "one message in five is lost": ("safe", "waiting")}, "line_too_good"),
        ),
    ),
}
assert READ.keys() == LAMPS.keys()
