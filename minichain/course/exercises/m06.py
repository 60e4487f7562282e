"""M6, agreeing among liars: how many are borne, a fork that is shown, the steps of one round, and what final means.

Everything is judged by recordings of real members: what they sent, signed and kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from minichain.course.exercise import Exercise, Miss, miss, seeds
from minichain.errors import ConfigError
from minichain.faults.timeline import Timeline, parse
from minichain.ledger.certificate import QuorumCertificate, WorkCertificate
from minichain.ledger.committee import Committee, Member
from minichain.sim.recording import Recording, record, two_quorums

ENGINES: Final = ("bft", "raft", "pow")


@cache
def run(text: str, end_ms: int = 4_000) -> Recording:
    """Record a timeline, once."""
    return record(parse(text), end_ms)


def with_liars(offices: int, liars: int, seed: int = 7) -> str:
    """Return the timeline in which so many offices lie together."""
    lies = [f"at 0 behave node-{number} colluder" for number in range(1, liars + 1)]
    return "\n".join([f"validators {offices}", f"seed {seed}", "delay 50 150", *lies, "at 0 submit 3"])


# --- m06.p1: a cut cable, with work and with certificates ------------------------------------------------------------

CUT_MS, HEALED_MS, END_MS = 5_000, 13_000, 20_000
CUT: Final = """engine pow
validators 5
seed 19
delay 50 150
at 0 submit 2
at 4000 submit 2
at 5000 part node-0 node-1 | node-2 node-3 node-4
at 6000 submit 2
at 13000 heal"""


def under_cut(engine: str) -> Recording:
    """Run the story of the cut cable with another engine."""
    return run(CUT.replace("engine pow", f"engine {engine}"), END_MS)


def taken_back(found: Recording) -> dict[str, int]:
    """Return how many blocks each office took back once the cable was mended."""
    undone = [kept.name for kept in found.kept if kept.undone_ms and kept.undone_ms >= HEALED_MS]
    return {name: undone.count(name) for name in found.names if name in undone}


def goes_on(found: Recording, name: str) -> bool:
    """Tell whether an office took new blocks while the cable was cut."""
    return any(kept.name == name and CUT_MS + 1_000 < kept.ms < HEALED_MS for kept in found.kept)


def after_the_cut() -> Mapping[str, Any]:
    """Run all that is to be predicted, and return what happened."""
    work, votes = under_cut("pow"), under_cut("bft")
    deepest = [max(taken_back(found).values(), default=0) for found in (work, votes)]
    return {
        "loser": set(taken_back(work)),
        "confirmations": deepest[0] + 1,
        "certificates": deepest[1] + 1,
        "goes_on": {name for name, found in (("work", work), ("votes", votes)) if goes_on(found, "node-0")},
    }


P1 = Exercise("m06.p1", expects=dict)


@P1.part
def one_side_is_undone(answer: Mapping[str, Any]) -> Miss | None:
    """Judge who has to take blocks back."""
    said, truth = set(answer.get("loser", ())), after_the_cut()["loser"]
    if said == truth:
        return None
    return miss("never_undone") if "loser" in answer and not said else miss("wrong_side", said=sorted(said))


@P1.part
def deep_enough(answer: Mapping[str, Any]) -> Miss | None:
    """Judge how many confirmations would have been enough in this run."""
    said, truth = answer.get("confirmations", 0), after_the_cut()["confirmations"]
    if said == truth:
        return None
    return miss("in_a_block" if said <= 1 else "wrong_depth", said=said)


@P1.part
def certificates_do_not_wait(answer: Mapping[str, Any]) -> Miss | None:
    """Judge after how many blocks a certificate is final."""
    said = answer.get("certificates", 0)
    return None if said == after_the_cut()["certificates"] else miss("waits_for_nothing", said=said)


@P1.part
def one_of_them_stops(answer: Mapping[str, Any]) -> Miss | None:
    """Judge with which method the smaller side goes on while the cable is cut."""
    said, truth = set(answer.get("goes_on", ())), after_the_cut()["goes_on"]
    if said == truth:
        return None
    return miss("stopping_is_failing" if "votes" in said else "work_does_not_stop")


# --- m06.e1: how many liars are borne --------------------------------------------------------------------------------

Borne = Callable[[int], int]
MOST: Final = 40
RUN_WITH: Final = (4, 7)

E1 = Exercise("m06.e1", expects=callable)


@cache
def most_borne(offices: int) -> int:
    """Return how many may lie, by the committee's own rule: the rest still decides without them."""
    committee = Committee(Member(f"node-{number}", bytes([number]) * 32) for number in range(offices))
    return max(liars for liars in range(offices) if committee.can_lose(liars))


@E1.part
def the_bound_is_met(borne: Borne) -> Miss | None:
    """Judge by the committee's rule, for every number of offices."""
    wrong = [n for n in range(1, MOST + 1) if borne(n) != most_borne(n)]
    if not wrong:
        return None
    offices, said, truth = wrong[0], borne(wrong[0]), most_borne(wrong[0])
    if borne(MOST) > MOST // 3 + 1:
        return miss("half", said=borne(MOST), offices=MOST)
    if all(n % 3 == 0 for n in wrong):
        return miss("a_whole_third", said=said, offices=offices)
    return miss("nobody_may_lie" if borne(MOST) == 0 else "other", said=said, truth=truth, offices=offices)


@E1.each(RUN_WITH)
def so_many_are_borne(borne: Borne, offices: int) -> Miss | None:
    """Judge by two runs: with so many liars nothing forks, with one more it does."""
    said = borne(offices)
    if not 0 <= said < offices - 1:
        return miss("half", said=said, offices=offices)
    forks = [bool(run(with_liars(offices, liars)).conflicts) for liars in (said, said + 1)]
    return None if forks == [False, True] else miss("run_differs", said=said, offices=offices)


# --- m06.e2: break it, and show it -----------------------------------------------------------------------------------

SEVEN: Final = 7
MOST_STEPS, MOST_SUBMITTED, LAST_MS = 40, 20, 3_000
MOST_OFFICES: Final = 13

E2 = Exercise("m06.e2", expects=dict)


def _fork(answer: Mapping[str, Any]) -> Recording | Miss:
    """Run the timeline that somebody brings, or say why it is none that can be judged."""
    try:
        timeline = parse(answer["run"])
    except ConfigError as error:
        return miss("unreadable", error=str(error))
    return run(str(timeline)) if _is_small(timeline) else miss("not_seven", said=timeline.validators)


def _is_small(timeline: Timeline) -> bool:
    steps = timeline.steps
    submitted = sum(step.args[0] for step in steps if step.verb == "submit")
    is_short = len(steps) <= MOST_STEPS and submitted <= MOST_SUBMITTED and all(s.at_ms <= LAST_MS for s in steps)
    is_lying_only = all(step.verb != "restart" for step in steps)  # who loses a disk forgets without a lie
    return is_short and is_lying_only and (timeline.engine, len(timeline.names)) == ("bft", SEVEN)


def signed_both(found: Recording) -> set[str]:
    """Return who signed both certificates of a conflict. Raises `ProofError` if one of them does not hold."""
    signers: list[set[str]] = []
    for kept in (found.conflicts[0].first, found.conflicts[0].second):
        certificate = kept.final.certificate
        assert isinstance(certificate, QuorumCertificate)
        certificate.verify(kept.final.block.header, found.committee)
        signers.append({found.names[place] for place in certificate.signers})
    return signers[0] & signers[1]


@E2.part
def two_results_are_shown(answer: Mapping[str, Any]) -> Miss | None:
    """Judge the run: two honest offices hold different blocks of one height for final."""
    found = _fork(answer)
    if isinstance(found, Miss):
        return found
    return None if found.conflicts else miss("no_fork", liars=len(found.liars))


@E2.part
def by_the_fewest(answer: Mapping[str, Any]) -> Miss | None:
    """Judge whether fewer liars would have been enough."""
    found, fewest = _fork(answer), most_borne(SEVEN) + 1
    if isinstance(found, Miss):
        return found
    return miss("too_many", liars=len(found.liars)) if len(found.liars) > fewest else None


@E2.part
def who_signed_both(answer: Mapping[str, Any]) -> Miss | None:
    """Judge who is named as having signed both certificates."""
    found, said = _fork(answer), set(answer.get("both", ()))
    if isinstance(found, Miss):
        return found
    if not said:
        return miss("nobody_named")
    return None if found.conflicts and said == signed_both(found) else miss("wrong_names", said=sorted(said))


@E2.part
def enough_offices(answer: Mapping[str, Any]) -> Miss | None:
    """Judge by rule and by run how many offices bear as many liars as broke seven."""
    said, liars = answer.get("offices", 0), most_borne(SEVEN) + 1
    if not 1 <= said <= MOST_OFFICES:
        return miss("more_than_needed", said=said)
    if most_borne(said) < liars:
        return miss("majority_is_not_enough" if 2 * liars < said else "too_few", said=said, liars=liars)
    if most_borne(said - 1) >= liars:
        return miss("more_than_needed", said=said)
    return miss("too_few", said=said, liars=liars) if run(with_liars(said, liars)).conflicts else None


# --- m06.e3: the steps of one round ----------------------------------------------------------------------------------

STEPS: Final = {
    "everybody": "wait until every office has voted",
    "final": "keep the block as final",
    "first count": "count first votes of more than two thirds",
    "first vote": "send the first vote",
    "proposal": "hear the proposal",
    "seal": "search for a number that seals the block",
    "second count": "count second votes of more than two thirds",
    "second vote": "send the second vote",
    "wise": "decide whether the payment is a wise one",
}
FOREIGN: Final = {"seal": "mines", "wise": "judges_truth", "everybody": "waits_for_all"}


@cache
def order(seed: int) -> tuple[str, ...]:
    """Return what an office that did not propose does until the first block is final, in the order of a run.

    Each message takes 100 ms. In one moment an office hears first, then sends, then keeps.
    """
    found = run(f"validators 4\nseed {seed}\ndelay 100 100\nat 0 submit 1")
    proposed = next(m for m in found.messages if m.saying.kind == "proposal")
    office = next(name for name in found.names if name != proposed.sender)
    heard = next(m.seen_ms or 0 for m in found.heard(office, found.end_ms) if m.saying.kind == "proposal")
    kept = next(kept.ms for kept in found.kept if kept.name == office)
    happened = [(heard, 0, "proposal"), (kept, 2, "final")]
    for kind, which in (("prevote", "first"), ("precommit", "second")):
        voted, counted = _vote(found, office, kind)
        happened += [(voted, 1, f"{which} vote"), (counted, 0, f"{which} count")]
    return tuple(step for _ms, _turn, step in sorted(happened))


def _vote(found: Recording, office: str, kind: str) -> tuple[int, int]:
    """Return when an office sent its vote of this kind for block 1, and when it had counted enough of them."""
    own = next(m.sent_ms for m in found.messages if m.sender == office and m.saying.kind == kind)
    others = [m for m in found.heard(office, found.end_ms) if m.saying.kind == kind and m.saying.height == 1]
    first = {m.saying.author: m.seen_ms or 0 for m in reversed(others)}
    return own, sorted([own, *first.values()])[two_quorums(found.committee)[0] - 1]


def a_list_of_texts(answer: Any) -> bool:
    """Tell whether an answer is a list of texts."""
    return isinstance(answer, list | tuple) and all(isinstance(one, str) for one in answer)


E3 = Exercise("m06.e3", expects=a_list_of_texts)


@E3.each(FOREIGN)
def nothing_foreign(answer: Sequence[str], step: str) -> Miss | None:
    """Judge whether a step is named that no office takes."""
    return miss(FOREIGN[step]) if step in answer else None


@E3.part
def nothing_missing(answer: Sequence[str]) -> Miss | None:
    """Judge whether each step of the run is named once."""
    missing = [step for step in order(0) if answer.count(step) != 1]
    return miss("missing", count=len(missing)) if missing else None


@E3.part
def in_the_order_of_the_run(answer: Sequence[str]) -> Miss | None:
    """Judge the order by runs."""
    for seed in seeds(3):
        for said, truth in zip(answer, order(seed), strict=False):
            if said != truth:
                return miss("order", said=said)
    return None


# --- m06.e4: three methods -------------------------------------------------------------------------------------------

CARDS: Final = (
    "safe when one member denies what it signed",
    "safe when the cable is cut",
    "goes on in every part of a cut network",
    "goes on with two of five off",
    "needs no mining",
)


def denial(engine: str) -> str:
    """Return the timeline in which the last member confirms a block, wipes its disk, and says it never did."""
    offices = 3 if engine == "raft" else 4
    *honest, last = [f"node-{number}" for number in range(offices)]
    apart = honest.pop()
    lines = [f"engine {engine}", f"validators {offices}", "seed 1", "delay 50 150", f"at 0 behave {last} amnesiac"]
    lines += [f"at 0 part {' '.join(honest)} {last} | {apart}", "at 0 submit 1 node-0"]
    lines += [f"at 6000 part {' '.join(honest)} | {apart} {last}", f"at 6000 crash {last}"]
    return "\n".join([*lines, f"at 6100 restart {last} lost", f"at 6100 submit 1 {apart}"])


def _of_five(engine: str, *lines: str) -> Recording:
    return run("\n".join([f"engine {engine}", "validators 5", "seed 19", "delay 50 150", *lines]), 12_000)


@cache
def passes(engine: str, card: str) -> bool:
    """Run an engine, and tell whether it does what a card says."""
    match CARDS.index(card):
        case 0:
            return not run(denial(engine), 14_000).conflicts
        case 1:
            return not under_cut(engine).conflicts
        case 2:
            parts = [f"at 100 submit 1 {name}" for name in ("node-0", "node-1", "node-3")]
            found = _of_five(engine, "at 0 part node-0 | node-1 node-2 | node-3 node-4", *parts)
            return {kept.name for kept in found.kept} == set(found.names)
        case 3:
            found = _of_five(engine, "at 0 crash node-3", "at 0 crash node-4", "at 100 submit 2")
            return found.settled(found.end_ms) == found.submitted(found.end_ms)
    return not any(isinstance(kept.final.certificate, WorkCertificate) for kept in under_cut(engine).kept)


E4 = Exercise("m06.e4", expects=dict)


@E4.each(CARDS)
def cards_are_matched(answer: Mapping[str, Iterable[str]], card: str) -> Miss | None:
    """Judge which engines are said to do what a card says."""
    said, truth = set(answer.get(card, ())), {engine for engine in ENGINES if passes(engine, card)}
    if said == truth:
        return None
    if card == CARDS[0] and "raft" in said:
        return miss("raft_and_liars")
    if card == CARDS[4]:
        return miss("all_mine", said=sorted(said))
    return miss("card", card=card, said=sorted(said), more=len(truth - said), fewer=len(said - truth))


EXERCISES: Final = {one.id: one for one in (P1, E1, E2, E3, E4)}
