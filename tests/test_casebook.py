"""The casebook: each card is whole, its story has one refusal and one lie that stands, and a run is found again."""

from __future__ import annotations

import pytest

from minichain.course import casebook
from minichain.course.casebook import Card
from minichain.errors import UsageError
from minichain.scenarios.need import NO, UNSURE, YES, data

STEPS = 5
QUESTIONS = {question.id for question in (*data().question, *data().kind)}

every_card = pytest.mark.parametrize("card", casebook.cards().values(), ids=lambda card: card.id)


def test_there_are_eleven_cards_and_most_need_no_chain() -> None:
    found = casebook.cards().values()
    assert len(found) == 11
    assert {card.kind for card in found} == {"transfer", "depository", "authorisation"}
    assert sum(card.verdict.is_chain for card in found) == 3


@every_card
def test_a_worksheet_answers_every_question(card: Card) -> None:
    assert set(card.answers) == QUESTIONS
    assert set(card.answers.values()) <= {YES, NO, UNSURE}
    assert len(card.safeguards) >= 2


@every_card
def test_the_ledger_refuses_one_step_and_keeps_the_lie(card: Card) -> None:
    run = casebook.play(card.id)
    assert len(run.outcomes) == len(card.story) == STEPS
    assert len(run.refused) == 1
    assert run.outcomes[card.lie.step - 1] == "ok", "nothing on the ledger shows that it is not so"
    assert len(set(run.roots)) == 1, "all validators hold the same"


@every_card
def test_a_card_is_read_aloud_in_both_languages_without_its_lie(card: Card) -> None:
    for language in ("en", "zh"):
        text = card.text(language)
        assert card.dispute(language) in text
        assert card.lie.says(language) not in text


def test_one_of_four_may_be_away_and_with_two_nothing_is_answered() -> None:
    whole, one, two = (casebook.play("waybill", away=away) for away in (0, 1, 2))
    assert whole.outcomes == one.outcomes
    assert two.outcomes == ("",) * STEPS
    assert len({whole.id, one.id, two.id}) == 3


def test_a_run_is_found_by_its_id_and_by_no_other() -> None:
    run = casebook.play("bill", seed=3)
    casebook.play.cache_clear()
    assert casebook.found(run.id) == run
    with pytest.raises(UsageError, match="was not found again"):
        casebook.found(run.id[:-1] + ("0" if run.id[-1] != "0" else "1"))


@pytest.mark.parametrize(
    ("id", "words"),
    [("a rumour", "no run"), ("bill-3", "no run"), ("bill-x-0-00", "no run"), ("lottery-3-0-00", "there is no card")],
)
def test_what_is_no_run_is_said_to_be_none(id: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        casebook.found(id)


@pytest.mark.parametrize(("seed", "away"), [(-1, 0), (7, 3), (7, -1)])
def test_what_cannot_be_played_is_refused(seed: int, away: int) -> None:
    with pytest.raises(UsageError, match="a seed is 0 or more"):
        casebook.play("bill", seed, away)
