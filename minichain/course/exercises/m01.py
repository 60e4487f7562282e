"""M1, do we need a chain: twelve cases with what decides them, and the rule of the worksheet, written down.

The verdicts are those of `scenarios.need`: a chain is the last rung of a ladder, and doubt never leads to it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Final

from minichain.course.exercise import Exercise, Miss, miss, seeds
from minichain.scenarios.need import NO, UNSURE, YES, Answers, Card, cards, data, judge

CHAINS: Final = ("alliance", "public")

# --- m01.e1: which rung is enough, and which question decides it? -----------------------------------------------------

# The case cards, each with the cause where somebody wants a chain that is not needed; the first three need one.
CASES: Final = {
    **dict.fromkeys(("manifests", "receivables", "claims"), ""),
    "invoices": "coin",
    **dict.fromkeys(("rooms", "addresses", "neighbours"), "sharing"),
    **dict.fromkeys(("land", "procurement", "minutes", "cameras"), "trustless"),
    "settlement": "coin",
}

E1 = Exercise("m01.e1", expects=dict)


def case(id: str) -> Card:
    """Return a case card."""
    return next(card for card in cards() if card.id == id)


def deciding(card: Card) -> set[str]:
    """Return the questions that decide a card: those that leave no more than the panel's rung.

    Where a chain is left, nobody is there to keep the record, and who may write decides its kind.
    """
    capped = {one.id for one in data().question if one.cap == card.panel and card.answers.get(one.id) != YES}
    return capped or {"keeper", "open"}


@E1.each(CASES)
def a_card_is_where_the_panel_puts_it(answer: Mapping[str, str], id: str) -> Miss | None:
    """Judge a card by the panel's rung and by what leaves no higher one: `rung: question`."""
    rung, _, question = answer.get(id, "?").partition(": ")
    card = case(id)
    if rung != card.panel:
        return miss(_astray(id, rung, card.panel), card=id, said=rung)
    return None if question in deciding(card) else miss("another_question", card=id, said=question or "?")


def _astray(id: str, rung: str, panel: str) -> str:
    if (rung in CHAINS) == (panel in CHAINS):
        return "another_rung"
    return CASES[id] or "no_keeper"


# --- m01.e2: the rule of the worksheet --------------------------------------------------------------------------------

DRAWN: Final = 200  # sets of answers
Simplest = Callable[[Answers], str]

E2 = Exercise("m01.e2", expects=callable)
ALL_YES: Final = {question.id: YES for question in data().question}


@E2.part
def a_chain_is_the_answer_where_all_is_yes(simplest: Simplest) -> Miss | None:
    """Judge by a case that passes every question, with members that are named."""
    return None if simplest({**ALL_YES, "open": NO}) == "alliance" else miss("never")


@E2.part
def departments_that_share_need_none(simplest: Simplest) -> Miss | None:
    """Judge by cards on which several write, and one head stands over them."""
    for id in ("rooms", "addresses"):
        if (said := simplest(case(id).answers)) in CHAINS:
            return miss("sharing", card=id, said=said)
    return None


@E2.part
def doubt_leads_to_no_chain(simplest: Simplest) -> Miss | None:
    """Judge by cases where somebody is not sure about one question, or has left it out."""
    for question in data().question:
        others = {name: YES for name in ALL_YES if name != question.id}
        if not simplest(others) == simplest({**others, question.id: UNSURE}) == question.cap:
            return miss("doubt", question=question.id)
    return None


@E2.part
def anybody_makes_it_public(simplest: Simplest) -> Miss | None:
    """Judge by a case in which anybody must be able to write: that alone asks for nothing."""
    if simplest({**ALL_YES, "open": YES}) != "public":
        return miss("open")
    return None if simplest({**ALL_YES, "keeper": NO, "open": YES}) == "log" else miss("open_is_enough")


@E2.part
def the_lowest_rung_counts(simplest: Simplest) -> Miss | None:
    """Judge by answers that are drawn: the worksheet says the same."""
    for seed in seeds(DRAWN):
        answers = drawn(seed)
        if (said := simplest(answers)) != (wanted := judge(answers).rung):
            return miss("not_the_lowest", said=said, wanted=wanted, no=", ".join(_not_yes(answers)))
    return None


def drawn(seed: int) -> dict[str, str]:
    """Draw answers to all questions; most are yes, so that each rung comes up."""
    draw = random.Random(seed)
    names = [question.id for question in (*data().question, *data().kind)]
    return {name: draw.choice((YES, YES, YES, YES, NO, UNSURE)) for name in names}


def _not_yes(answers: Answers) -> list[str]:
    return [question.id for question in data().question if answers[question.id] != YES]


EXERCISES: Final = {one.id: one for one in (E1, E2)}
