"""M5, agreeing while machines crash: five offices with some off, how many are enough, and what two lamps say.

Everything is judged by runs of real Raft members under a simulated clock; the same seed gives the same run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from minichain.course.exercise import Exercise, Miss, miss
from minichain.faults.network import Weather
from minichain.faults.timeline import parse
from minichain.ledger.committee import Committee, Member
from minichain.ledger.genesis import Timeouts
from minichain.ledger.local import new_chain, root_of, validator_key, wallet_key
from minichain.sim.clients import SENDERS, UNITS, Load
from minichain.sim.recording import Recording, record
from minichain.sim.world import World

OFFICES: Final = 5


@cache
def run(text: str, end_ms: int = 8_000) -> Recording:
    """Record a timeline, once."""
    return record(parse(text), end_ms)


# --- m05.p1: five offices, and some of them are off ------------------------------------------------------------------

OFF: Final = range(OFFICES)  # how many
FROZEN: Final = "engine raft\nvalidators 5\nseed 3\nat 0 submit 1\nat 4000 pause node-4\nat 4500 submit 2"
WAITING: Final = "\nat 9000 restart node-2\nat 9000 restart node-3\nat 9000 restart node-4"


def some_off(count: int) -> str:
    """Return the timeline in which so many of five are off, and a payment is made."""
    return "\n".join(["engine raft", "validators 5", "seed 3", *_crashes(count), "at 100 submit 1"])


def _crashes(count: int) -> list[str]:
    return [f"at 0 crash node-{number}" for number in range(OFFICES - count, OFFICES)]


def what_happens() -> Mapping[str, Any]:
    """Run all that is to be predicted, and return what happened."""
    runs = {count: run(some_off(count)) for count in OFF}
    frozen, mended = run(FROZEN), run(some_off(3) + WAITING, 16_000)
    heights = {frozen.state(name, frozen.end_ms).height for name in frozen.names}
    return {
        "commits": {count for count in OFF if runs[count].settled(runs[count].end_ms)},
        "forks": {count for count in OFF if runs[count].conflicts},
        "frozen": "behind" if len(heights) > 1 else "same",
        "waiting": "made" if mended.settled(mended.end_ms) else "lost",
    }


P1 = Exercise("m05.p1", expects=dict)


@P1.part
def a_majority_commits(answer: Mapping[str, Any]) -> Miss | None:
    """Judge with how many off a payment becomes final."""
    said, truth = set(answer.get("commits", ())), what_happens()["commits"]
    if said == truth:
        return None
    return miss("everybody_needed") if said == {0} else miss("wrong_count", said=sorted(said))


@P1.part
def nothing_forks(answer: Mapping[str, Any]) -> Miss | None:
    """Judge with how many off two different blocks become final."""
    said = set(answer.get("forks", ()))
    return None if said == what_happens()["forks"] else miss("forks", said=sorted(said))


@P1.part
def a_frozen_copy_is_behind(answer: Mapping[str, Any]) -> Miss | None:
    """Judge what is expected of the copy that a frozen office has."""
    return None if answer.get("frozen") == what_happens()["frozen"] else miss("always_same")


@P1.part
def waiting_is_no_loss(answer: Mapping[str, Any]) -> Miss | None:
    """Judge what is expected of a payment that had to wait."""
    return None if answer.get("waiting") == what_happens()["waiting"] else miss("stalled_is_lost")


# --- m05.e1: how many are enough -------------------------------------------------------------------------------------

Quorum = Callable[[int], int]
MOST: Final = 13
RUN_WITH: Final = (3, 4, 5, 7)
PATIENCE_MS: Final = 300

E1 = Exercise("m05.e1", expects=callable)


@cache
def final_after(offices: int, off: int = 0, loss: int = 0, patience_ms: int = PATIENCE_MS, seed: int = 0) -> int | None:
    """Return after how many ms a payment is final, in steps of 100 ms; None if it is not within ten seconds.

    The last `off` offices are off, and each message is lost with `loss` percent and takes 50 to 150 ms. Who has not
    heard of a leader for `patience_ms` to twice that holds an election.
    """
    root, names = root_of(seed), [f"node-{number}" for number in range(offices)]
    keys = {name: validator_key(root, number) for number, name in enumerate(names)}
    holders = tuple((wallet_key(root, name).public, UNITS) for name in SENDERS)
    settings = {"engine": "raft", "timeouts": Timeouts(propose=patience_ms), "balances": holders, "identity": False}
    world = World(new_chain(offices, root, settings)[0], keys, seed=seed, weather=Weather(50, 150, loss))
    for name in names[offices - off :]:
        world.crash(name)
    load = Load(world, seed)
    load.submit(1)
    while world.elapsed_ms < WITHIN_MS:
        load.wait(100)
        if any(world.store(name).height() for name in names):
            return world.elapsed_ms
    return None


def _committee(offices: int) -> Committee:
    return Committee(Member(f"node-{number}", bytes([number]) * 32) for number in range(offices))


@E1.part
def two_groups_share_an_office(quorum: Quorum) -> Miss | None:
    """Judge by the committee's own rule: no two groups of this size may be without a common member."""
    for offices in range(1, MOST + 1):
        if not _committee(offices).is_majority(said := quorum(offices)):
            return miss("no_overlap", said=said, offices=offices)
    return None


@E1.part
def no_more_than_needed(quorum: Quorum) -> Miss | None:
    """Judge by the same rule: one fewer must not be enough."""
    for offices in range(1, MOST + 1):
        if _committee(offices).is_majority(quorum(offices) - 1):
            is_all = quorum(MOST) == MOST
            return miss("all_of_them" if is_all else "too_large", said=quorum(offices), offices=offices)
    return None


@E1.part
def so_many_go_on(quorum: Quorum) -> Miss | None:
    """Judge by runs: with so many on a payment is final, with one fewer it is not."""
    for offices in RUN_WITH:
        off = offices - quorum(offices)
        if final_after(offices, off) is None or final_after(offices, off + 1) is not None:
            return miss("run_differs", said=quorum(offices), offices=offices)
    return None


# --- m05.e2: an agreement for a bad line -----------------------------------------------------------------------------

WITHIN_MS: Final = 10_000
LOSS: Final = 30
SEEDS: Final = (5, 7, 10, 13, 16)  # at hand-in there are twenty
MOST_OFFICES: Final = 7
ANSWER_MS: Final = 100  # the least that a question and its answer take

E2 = Exercise("m05.e2", expects=dict)


def is_late(answer: Mapping[str, int], seed: int) -> bool:
    """Tell whether a design misses its ten seconds, with one office off and three of ten messages lost."""
    if answer["patience_ms"] < ANSWER_MS:
        return True  # nobody waits for an answer: it would only take long to see it
    return final_after(answer["offices"], 1, LOSS, answer["patience_ms"], seed) is None


def late(answer: Mapping[str, int], seed: int) -> Miss | None:
    """Judge one run, and say what is most likely to have made it late."""
    offices, patience_ms = answer["offices"], answer["patience_ms"]
    if not is_late(answer, seed):
        return None
    if patience_ms <= ANSWER_MS:
        return miss("hasty", patience=patience_ms)
    if is_late({**answer, "patience_ms": PATIENCE_MS}, seed):
        return miss("no_spare", offices=offices, seed=seed)
    return miss("hasty" if patience_ms < PATIENCE_MS else "sluggish", patience=patience_ms)


@E2.part
def one_may_stop(answer: Mapping[str, int]) -> Miss | None:
    """Judge whether it is a design that can be tried, and one office may be off."""
    offices = answer.get("offices", 0)
    if not 1 <= offices <= MOST_OFFICES or not 1 <= answer.get("patience_ms", 0) <= WITHIN_MS:
        return miss("not_a_design", most=MOST_OFFICES)
    return None if offices > 1 and _committee(offices).is_majority(offices - 1) else miss("none_may_stop")


@E2.each(SEEDS)
def final_in_time(answer: Mapping[str, int], seed: int) -> Miss | None:
    """Judge one run on the bad line."""
    return one_may_stop(answer) or late(answer, seed)


@E2.part
def no_office_too_many(answer: Mapping[str, int]) -> Miss | None:
    """Judge whether a smaller design would do it, too."""
    if one_may_stop(answer) or any(is_late(answer, seed) for seed in SEEDS):
        return None  # that is told already
    fewer = [n for n in range(3, answer["offices"]) if not any(is_late({**answer, "offices": n}, s) for s in SEEDS)]
    return miss("too_many", offices=answer["offices"], fewer=fewer[0]) if fewer else None


# --- m05.e3: two lamps -----------------------------------------------------------------------------------------------

_FIVE: Final = "engine raft\nvalidators 5\nseed 3\ndelay 50 150\n"
_LIARS: Final = "validators 4\nseed 7\ndelay 50 150\nat 0 behave node-1 colluder\nat 0 behave node-2 colluder\n"
LAMPS: Final = {
    "two are off": _FIVE + "at 0 crash node-3\nat 0 crash node-4\nat 100 submit 2",
    "three are off": _FIVE + "at 0 crash node-2\nat 0 crash node-3\nat 0 crash node-4\nat 100 submit 2",
    "the cable is cut, three and two": _FIVE + "at 0 part node-0 node-1 | node-2 node-3 node-4\nat 100 submit 2",
    "two cables are cut": _FIVE + "at 0 part node-0 | node-1 node-2 | node-3 node-4\nat 100 submit 2",
    "one message in five is lost": _FIVE.replace("delay", "loss 20\ndelay") + "at 100 submit 2",
    "two of four lie": _LIARS + "at 100 submit 2",
}


def lamps(name: str) -> tuple[str, str]:
    """Run a situation, and return what the two lamps say: "safe" or "split", "moving" or "waiting"."""
    found = run(LAMPS[name], 10_000)
    is_done = found.settled(found.end_ms) == found.submitted(found.end_ms)
    return "split" if found.conflicts else "safe", "moving" if is_done else "waiting"


E3 = Exercise("m05.e3", expects=dict)


@E3.each(LAMPS)
def lamps_are_read(answer: Mapping[str, tuple[str, str]], name: str) -> Miss | None:
    """Judge what is said of both lamps in one situation."""
    said, (safe, moving) = tuple(answer.get(name, ("", ""))), lamps(name)
    if said == (safe, moving):
        return None
    if said[0] != safe:
        cause = "stopped_is_unsafe" if safe == "safe" and moving == "waiting" else "safety_misread"
        return miss(cause, name=name)
    return miss("line_too_good" if "lost" in name else "progress_misread", name=name)


EXERCISES: Final = {one.id: one for one in (P1, E1, E2, E3)}
