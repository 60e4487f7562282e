"""M6: what stays with the trainer."""

from minichain.course.exercise import Exercise, miss
from minichain.course.exercises.m06 import CARDS, most_borne, run, with_liars
from minichain.course.trainer import Bot, Key


def borne(offices):
    return (offices - 1) // 3


def borne_tried(offices):
    return max(liars for liars in range(offices) if 3 * liars < offices)


def less_than_half(offices):
    return (offices - 1) // 2


def a_third(offices):
    return offices // 3


def none_at_all(offices):
    return 0


def always_one(offices):
    return min(1, offices - 1)


E1_HIDDEN = Exercise("m06.e1", expects=callable)


@E1_HIDDEN.part
def ten_bear_three(function):
    said = function(10)
    forks = [bool(run(with_liars(10, liars)).conflicts) for liars in (said, said + 1)]
    return None if forks == [False, True] else miss("run_differs", said=said, offices=10)


@E1_HIDDEN.part
def a_hundred(function):
    said, truth = function(100), most_borne(100)
    return None if said == truth else miss("other", said=said, truth=truth, offices=100)


EXPECTED = {"loser": {"node-0", "node-1"}, "confirmations": 3, "certificates": 1, "goes_on": {"work"}}
BROKEN = {"run": with_liars(7, 3), "both": {"node-1", "node-2", "node-3"}, "offices": 10}
OTHERS = "\n".join([with_liars(7, 0, seed=11), *(f"at 0 behave node-{number} colluder" for number in (1, 4, 6))])
ROUND = ["proposal", "first vote", "first count", "second vote", "second count", "final"]
MATCHED = dict(zip(CARDS, ({"bft"}, {"bft", "raft"}, {"pow"}, {"raft", "pow"}, {"bft", "raft"}), strict=True))

KEYS = {
    "m06.p1": Key(
        solutions=(EXPECTED, {**EXPECTED, "loser": ["node-1", "node-0"], "goes_on": ["work"]}),
        bots=(
            Bot({**EXPECTED, "loser": set(), "confirmations": 1}, "never_undone"),
            Bot({**EXPECTED, "loser": {"node-2", "node-3", "node-4"}}, "wrong_side"),
            Bot({**EXPECTED, "confirmations": 1}, "in_a_block"),
            Bot({**EXPECTED, "confirmations": 2}, "wrong_depth"),
            Bot({**EXPECTED, "certificates": 3}, "waits_for_nothing"),
            Bot({**EXPECTED, "goes_on": {"work", "votes"}}, "stopping_is_failing"),
            Bot({**EXPECTED, "goes_on": set()}, "work_does_not_stop"),
        ),
    ),
    "m06.e1": Key(
        solutions=(borne, borne_tried),
        bots=(
            Bot(less_than_half, "half"),
            Bot(a_third, "a_whole_third"),
            Bot(none_at_all, "nobody_may_lie"),
            Bot(always_one, "other"),
        ),
        hidden=E1_HIDDEN,
    ),
    "m06.e2": Key(
        solutions=(BROKEN, {**BROKEN, "run": OTHERS, "both": ["node-1", "node-4", "node-6"]}),
        bots=(
            Bot({**BROKEN, "run": "seven offices"}, "unreadable"),
            Bot({**BROKEN, "run": with_liars(4, 2)}, "not_seven"),
            Bot({**BROKEN, "run": with_liars(7, 2)}, "no_fork"),
            Bot({**BROKEN, "run": with_liars(7, 4)}, "too_many"),
            Bot({**BROKEN, "both": set()}, "nobody_named"),
            Bot({**BROKEN, "both": {"node-0", "node-1"}}, "wrong_names"),
            Bot({**BROKEN, "offices": 7}, "majority_is_not_enough"),
            Bot({**BROKEN, "offices": 6}, "too_few"),
            Bot({**BROKEN, "offices": 13}, "more_than_needed"),
        ),
    ),
    "m06.e3": Key(
        solutions=(ROUND, tuple(ROUND)),
        bots=(
            Bot(["proposal", "seal", *ROUND[1:]], "mines"),
            Bot(["proposal", "wise", *ROUND[1:]], "judges_truth"),
            Bot([*ROUND[:-1], "everybody", "final"], "waits_for_all"),
            Bot(["proposal", "first vote", "first count", "final"], "missing"),
            Bot(["proposal", "first vote", "second vote", "first count", "second count", "final"], "order"),
        ),
    ),
    "m06.e4": Key(
        solutions=(MATCHED, {card: sorted(engines) for card, engines in MATCHED.items()}),
        bots=(
            Bot({**MATCHED, CARDS[0]: {"bft", "raft"}}, "raft_and_liars"),
            Bot({**MATCHED, CARDS[4]: set()}, "all_mine"),
            Bot({**MATCHED, CARDS[3]: {"bft", "raft", "pow"}}, "card"),
        ),
    ),
}
