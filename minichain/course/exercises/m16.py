"""M16, the casebook and the brief: what a pilot does not show, what a ledger refuses and what it cannot, two pages.

A brief is judged by what a machine can see: its sections, runs that are played again, and claims that hold in them.
Whether it is a good one people say, by the rubric.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from minichain.course.casebook import Card, Run, card, cards, found, play
from minichain.course.exercise import Exercise, Miss, miss
from minichain.errors import UsageError
from minichain.scenarios import comparison
from minichain.scenarios.need import RUNGS

# --- m16.p1: what a pilot does not show ------------------------------------------------------------------------------

PILOT: Final = 4  # members
LARGER: Final = {"8 members": 8, "12 members": 12}
TRANSACTIONS: Final = 6
GROWTH: Final = {"same": 0, "members": 1, "square": 2}  # as which power of the members messages grow
AWAY: Final = {"one away": 1, "two away": 2}
TRIED: Final = "receivable"


@cache
def messages(members: int) -> int:
    """Return how many messages so many members send for one transaction."""
    counted = comparison.run("alliance", validators=members, transactions=TRANSACTIONS)
    return round(float(counted["messages_per_transaction"]))


def growth(members: int) -> str:
    """Say how messages grew from the pilot: the word whose figure is nearest to what was counted."""
    ratio, more = messages(members) / messages(PILOT), members / PILOT
    return min(GROWTH, key=lambda word: abs(ratio - more ** GROWTH[word]))


@cache
def grown() -> dict[str, int | str]:
    """Return how messages grew, and how many of five steps were answered."""
    answered = {name: sum(map(bool, play(TRIED, away=away).outcomes)) for name, away in AWAY.items()}
    return {name: growth(members) for name, members in LARGER.items()} | answered


P1 = Exercise("m16.p1", expects=dict)


@P1.each(LARGER)
def growth_is_expected(answer: Mapping[str, Any], what: str) -> Miss | None:
    """Judge what is expected of a larger alliance."""
    said = answer.get(what, "")
    if said not in GROWTH:
        return miss("no_word", what=what, said=said)
    return None if said == grown()[what] else miss("as_the_pilot", what=what, said=said)


@P1.each(AWAY)
def waiting_is_expected(answer: Mapping[str, Any], what: str) -> Miss | None:
    """Judge what is expected where somebody is away."""
    said, truth = answer.get(what, -1), grown()[what]
    if said == truth:
        return None
    return miss("always_on" if said > truth else "stops_early", what=what, said=said)


# --- m16.e1: the lie, and what the ledger refuses --------------------------------------------------------------------

E1 = Exercise("m16.e1", expects=dict)


@E1.each(cards())
def lie_and_refusal_are_told_apart(answer: Mapping[str, tuple[int, int]], id: str) -> Miss | None:
    """Judge the steps of one story: (the lie that stands, what the ledger refuses)."""
    said = tuple(answer.get(id, ()))
    if len(said) != 2:
        return miss("two_steps", card=id)
    lie, (refused,) = card(id).lie.step, play(id).refused
    if said == (lie, refused):
        return None
    if said[1] == lie or said[0] == refused:
        return miss("lie_is_refused", card=id)
    return miss("not_refused", card=id, step=said[1]) if said[1] != refused else miss("no_lie", card=id, step=said[0])


# --- m16.e2: the brief -----------------------------------------------------------------------------------------------

Brief = Mapping[str, Any]
SECTIONS: Final = (
    "question",
    "tried",
    "happened",
    "surprise",
    "safeguards",
    "unproven",
    "simpler",
    "decision",
    "signer",
)
FEWEST_RUNS: Final = 3
SHORTEST: Final = 6  # letters of something that was said
DECISIONS: Final = ("go", "pilot", "no")
OPEN_POINTS: Final = ("scale", "rules", "joining", "cost")  # of which a pilot says nothing
SAFEGUARDS: Final = (
    "told",
    "suspended",
    "reviewed",
    "repaired",
    "served",
    "erasable",
    "settled",
)  # as in the worksheet
FOR_ALL: Final = frozenset({"erasable", "settled"})
CLAIMS: Final[dict[str, Callable[[Run], bool]]] = {  # what a brief may claim of a run, and the check of it
    "used once": lambda run: run.is_whole and bool(run.refused),
    "same state": lambda run: run.is_whole and not run.away and len(set(run.roots)) == 1,
    "one may be away": lambda run: run.is_whole and run.away == 1,
    "two away, it waits": lambda run: not run.is_whole and run.away > 1 and len(set(run.roots)) == 1,
}
TRUTH: Final = "what is entered is true"

E2 = Exercise("m16.e2", expects=dict)


def _card(brief: Brief) -> Card:
    return card(brief.get("card", ""))


@E2.part
def it_has_all_sections(brief: Brief) -> Miss | None:
    """Judge by the nine sections, and the card that it is about."""
    if brief.get("card") not in cards():
        return miss("no_card", card=brief.get("card", ""))
    empty = [name for name in SECTIONS if not brief.get(name)]
    return miss("section_missing", section=empty[0]) if empty else None


@E2.part
def its_runs_are_found_again(brief: Brief) -> Miss | None:
    """Judge by playing each run again: what it is said to have come to is what it comes to."""
    runs = list(brief.get("tried", ()))
    for id in runs:
        try:
            run = found(str(id))
        except UsageError as error:
            return miss("no_such_run", run=id, error=str(error))
        if run.card != brief["card"]:
            return miss("other_card", run=id, card=brief["card"])
    return None if len(set(runs)) == len(runs) >= FEWEST_RUNS else miss("too_few_runs", count=len(set(runs)))


@E2.part
def each_claim_holds_in_its_run(brief: Brief) -> Miss | None:
    """Judge each property that is claimed by its check, and that each run is there for one."""
    claimed = brief.get("happened", {})
    for name, id in claimed.items():
        if name == TRUTH:
            return miss("truth_claimed")
        if name not in CLAIMS:
            return miss("no_check", claim=name, known=", ".join(CLAIMS))
        if id not in brief["tried"] or not CLAIMS[name](found(id)):
            return miss("claim_fails", claim=name, run=id)
    return None if sorted(claimed.values()) == sorted(brief["tried"]) else miss("run_for_nothing")


@E2.part
def the_worksheet_is_attached(brief: Brief) -> Miss | None:
    """Judge by the answers of the card's worksheet."""
    attached, answers = brief.get("worksheet", {}), _card(brief).answers
    wrong = [name for name in answers if attached.get(name) != answers[name]]
    return miss("another_worksheet", question=wrong[0]) if wrong else None


@E2.part
def the_decision_follows(brief: Brief) -> Miss | None:
    """Judge the decision by the worksheet, and by what runs in a sandbox can bear."""
    said, verdict = brief.get("decision", ""), _card(brief).verdict
    if said not in DECISIONS:
        return miss("no_decision", said=said)
    if said == "go":
        return miss("pilot_is_enough")
    return None if said == "no" or verdict.is_chain else miss("chain_anyway", rung=verdict.rung)


@E2.part
def the_simpler_way_is_named(brief: Brief) -> Miss | None:
    """Judge the alternative, written as `rung: how`, by the rung that the worksheet leaves."""
    rung, _, how = str(brief.get("simpler", "")).partition(": ")
    verdict = _card(brief).verdict
    fits = RUNGS[: RUNGS.index("alliance")] if verdict.is_chain else (verdict.rung,)
    return None if rung in fits and len(how) >= SHORTEST else miss("not_simpler", said=rung, rungs=", ".join(fits))


@E2.part
def it_says_what_a_pilot_leaves_open(brief: Brief) -> Miss | None:
    """Judge by the four points of which no pilot says anything."""
    said = brief.get("unproven", {})
    left = [name for name in OPEN_POINTS if name not in said]
    return miss("nothing_open", point=left[0]) if left else None


@E2.part
def rights_are_kept(brief: Brief) -> Miss | None:
    """Judge by the safeguards: all of them where the record is about persons."""
    said, needed = list(brief.get("safeguards", ())), set(SAFEGUARDS) if _card(brief).persons else FOR_ALL
    unknown = [name for name in said if name not in SAFEGUARDS]
    if unknown or len(set(said)) < len(said):
        return miss("no_safeguard", said=(unknown or said)[0])
    left = sorted(needed - set(said))
    return miss("right_missing", name=left[0]) if left else None


@E2.part
def each_box_says_something_of_its_own(brief: Brief) -> Miss | None:
    """Judge what people wrote: a box is not filled with the words of another, nor with a run."""
    texts = list(_texts(brief))
    short = [text for text in texts if len(text) < SHORTEST]
    if short:
        return miss("too_short", text=short[0])
    is_own = len(set(texts)) == len(texts) and not {*brief["tried"], *SAFEGUARDS} & {*texts}
    return None if is_own else miss("said_twice")


def _texts(brief: Brief) -> Iterator[str]:
    for name in ("question", "surprise", "simpler", "signer"):
        yield str(brief.get(name, ""))
    yield from map(str, brief.get("unproven", {}).values())


EXERCISES: Final = {one.id: one for one in (P1, E1, E2)}
