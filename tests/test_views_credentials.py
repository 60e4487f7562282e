"""The page of cards and data knows who asked what, who may read what and who looked; driven without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from test_views_i18n import raw_words
from test_views_markup import Reader

from minichain.client import Network
from minichain.identity.clauses import CLAUSES
from minichain.scenarios.residents import PEOPLE, Town
from minichain.scenarios.residents.people import IN_RECORD, PURPOSES
from minichain.scenarios.residents.town import Place
from minichain.views import askers, credentials, i18n, residents
from minichain.views.residents import Desk, DeskReader

LIBRARY, CLINIC, AUDITOR = "Town Library", "Riverside Clinic", "Audit Office"


@pytest.fixture(autouse=True)
def _own_language():
    yield
    i18n.use("en")


@pytest.fixture
def town() -> Iterator[Town]:
    with Network.simulated(validators=1, seed=21) as net:
        made = Town(Place(net, {}, Random(21).randbytes))
        made.play()
        yield made


def desk(town: Town, read: DeskReader | None = None) -> Desk:
    made = Desk(resident="Resident 1", verifier=LIBRARY, party=CLINIC, supervisor=AUDITOR)
    made.show((read or DeskReader())(town))
    return made


def test_a_network_without_a_town_says_so_and_a_town_plays_once() -> None:
    with Network.simulated(validators=1, seed=22) as net:
        town = Town(Place(net, {}, Random(1).randbytes))
        assert not DeskReader()(town).is_founded
        told: list[str] = []
        town.play(told.append)
        assert set(told) == set(credentials.told_by_town())
        height = net.height()
        town.play()
        assert net.height() == height


def test_the_desk_opens_what_somebody_has_to_do(town: Town) -> None:
    model = desk(town)
    assert model.is_founded
    assert [one.verifier for one in model.waiting] == [LIBRARY]
    assert model.chosen("question").wanted == ("overEighteen", "address.district")
    assert model.has_card_for(model.chosen("question"))
    assert (model.attempts, model.refused) == (3, 2)
    assert [(state, words) for state, words, _ in map(residents.log_line, model.logs[1])] == [
        ("ok", "Riverside Clinic read it for treatment."),
        ("warn", "Riverside Clinic asked for billing and got nothing: not granted for this purpose."),
        ("warn", "Audit Office asked for supervision under an order and got nothing: there is no order."),
    ]
    model.resident = "Resident 2"
    assert model.waiting == []
    assert model.chosen("share") is None
    assert len(model.own_cards) == 1


def test_each_role_sees_its_own(town: Town) -> None:
    model = desk(town)
    assert {one.resident for one in model.asked_by} == {"Resident 1", "Resident 2"}
    model.verifier = "Sports Hall"
    assert (model.asked_by, model.chosen("asked")) == ([], None)
    assert len(model.shared_with) == 1
    model.party = AUDITOR
    assert len(model.shared_with) == 1, "supervision may ask for any record, and is refused without an order"
    model.party = "Somebody Else"
    assert model.shared_with == []


def test_the_desk_follows_what_is_done(town: Town) -> None:
    read = DeskReader()
    model = desk(town, read)
    town.cards.answer(model.chosen("question").number)
    receipt = town.cards.revoke(model.own_cards[-1].number)
    town.data.take_back(1)
    model.show(read(town))
    assert model.waiting == []
    assert model.height == receipt.height + 1
    assert model.is_revoked(model.own_cards[-1])
    assert not model.is_revoked(model.own_cards[0])
    assert residents.share_state(model.chosen("share")) == ("warn", "taken back")
    town.data.erase(1)
    model.show(read(town))
    assert residents.share_state(model.chosen("share")) == ("plain", "erased")
    assert model.shared_with == []


def test_a_result_of_one_question_is_not_shown_under_another(town: Town) -> None:
    model = desk(town)
    model.asked = "1"
    model.report = town.cards.check(1)
    model.asked = "2"
    assert model.report is None


def test_the_chain_shows_numbers_and_keys_and_nobody(town: Town) -> None:
    lines = [line for entry in desk(town).calls for line in residents.raw_call(entry)]
    assert any(line.startswith("grants.access(purpose=billing, record=") for line in lines)
    traces, values, blocks = town.search()
    assert (traces, values, blocks) == ((), len({*traces, *_values()}), town.place.net.height())


def _values() -> set[str]:
    from minichain.scenarios.residents import personal_values  # noqa: PLC0415

    return set(personal_values())


def test_a_report_is_told_clause_by_clause(town: Town) -> None:
    town.cards.answer(2)
    held = Reader(askers.told_report(town.cards.check(2))).text
    assert "It holds. This is all you learn:" in held
    assert "Riverside" in held
    assert PEOPLE["Resident 1"]["name"] not in held
    town.cards.revoke(1)
    failed = Reader(askers.told_report(town.cards.check(2))).text
    assert "The office has revoked it; the last block says so." in failed
    assert "Not checked: something before it failed." in failed
    assert "Riverside" not in failed


def test_there_are_words_for_everything_that_can_come(town: Town) -> None:
    assert set(residents.clause_names()) == set(CLAUSES)
    for name in CLAUSES:
        assert len({residents.clause_words(name, state) for state in ("held", "failed", "unchecked")}) == 3
    assert set(residents.purpose_names()) == {*PURPOSES, "supervision"}
    assert set(residents.claim_names()) >= set(town.on_card("Resident 1")) | set(IN_RECORD)
    hindrances = ("not granted", "revoked", "expired", "no order", "order ended", "erased", "not registered")
    assert set(residents.reasons()) == set(hindrances)
    assert all(f'"{word}"' in town.place.net.source("grants") for word in hindrances)
    roles = {*town.residents, *town.verifiers, *town.parties, "Residents' Office", "Training Court"}
    assert set(residents.role_names()) == roles


def test_no_word_of_the_page_was_forgotten(town: Town) -> None:
    i18n.use(i18n.PSEUDO)
    town.cards.answer(2)
    report = askers.told_report(town.cards.check(2))
    shown = Reader(report).text.split("⟦In the words of the program")[0]
    assert raw_words(shown.replace("Riverside", "")) == []
