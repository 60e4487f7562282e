"""A proof is shown as it is judged, and each step of a cheat is caught by the check that is there for it."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasteday import act, played

from minichain.crosschain.proofs import Proof
from minichain.errors import ProofError
from minichain.views import proofs

CHAIN, SEALED, SIGNED, ENTRY, RECEIPT = range(5)  # the checks, in their order


@cache
def proof() -> Proof:
    network = played()
    return act(
        network, "Street office A", "report_incident", number="HH-20260101", kind="delay", comment="a flat tyre"
    ).proof()


@cache
def trusted() -> bytes:
    return played().genesis.hash


def failing(copy: Proof) -> set[int]:
    return {place for place, check in enumerate(proofs.checks(copy, trusted())) if check.problem}


def test_a_true_proof_passes_every_check():
    assert proofs.verdict(proof(), trusted()) == ""
    assert failing(proof()) == set()
    assert len(proofs.checks(proof(), trusted())) == 5


def test_what_a_cheat_would_like_to_change_is_listed_in_words():
    names = {spot.name: spot.value for spot in proofs.spots(proof())}
    assert names["how it ended"] == "ok"
    assert names["Manifest · number"] == "HH-20260101"


@pytest.mark.parametrize(("effort", "caught_by"), [(0, {RECEIPT}), (1, {SEALED}), (2, {SEALED}), (3, {CHAIN})])
def test_each_further_effort_is_caught_by_another_check(effort, caught_by):
    for spot in proofs.spots(proof()):
        copy = proofs.cheat(proof(), spot, "HH-20260102", effort)
        assert failing(copy) == caught_by
        assert proofs.verdict(copy, trusted()) != ""


def test_a_chain_of_ones_own_convinces_only_who_trusts_that_chain():
    copy = proofs.cheat(proof(), proofs.spots(proof())[0], "reverted", 3)
    assert proofs.verdict(copy, copy.header.genesis) == ""
    assert proofs.verdict(copy, trusted()) != ""


def test_the_proof_itself_is_never_touched():
    before = proof().to_bytes()
    proofs.cheat(proof(), proofs.spots(proof())[0], "x", 3)
    assert proof().to_bytes() == before


def test_a_number_is_replaced_by_a_number_only():
    spot = proofs.Spot(("outcome",), 7)
    assert [spot.accepts(wish) for wish in ("8", "-1", "", "many", str(2**70))] == [True, True, False, False, False]


@given(st.data())
def test_no_changed_byte_of_a_file_is_believed(data):
    content = bytearray(proof().to_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    try:
        copy = Proof.from_bytes(bytes(content))
    except ProofError:
        return
    assert proofs.verdict(copy, trusted()) != ""
    assert failing(copy)
    proofs.spots(copy)


def test_the_file_is_in_the_page_and_nobody_is_asked_for_it():
    link = proofs.link(proof())
    assert 'href="data:application/json;base64,' in link
    assert f'download="proof-{proofs.entry_of(proof()).id:.12}.json"' in link
