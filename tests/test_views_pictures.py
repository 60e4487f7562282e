"""A picture is checked against what it pictures: the tree it climbs, the amounts it spreads."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minichain import merkle
from minichain.errors import UsageError
from minichain.views import pictures
from minichain.views.pictures import Flow


@pytest.mark.parametrize("size", range(1, 34))
def test_the_climb_ends_at_the_root_of_the_tree(size):
    entries = [bytes([i]) for i in range(size)]
    for index in range(size):
        steps = pictures.climb(entries[index], index, size, merkle.inclusion_proof(index, entries))
        top = steps[-1].parent if steps else merkle.leaf_hash(entries[index])
        assert top == merkle.root(entries)
        assert [step.mine for step in steps[1:]] == [step.parent for step in steps[:-1]]


def test_a_true_entry_is_drawn_proven_and_an_altered_one_is_not():
    entries = [b"one", b"two", b"three"]
    proof, root = merkle.inclusion_proof(1, entries), merkle.root(entries)
    true = pictures.merkle_picture("t", b"two", 1, 3, proof, root)
    altered = pictures.merkle_picture("t", b"twO", 1, 3, proof, root)
    assert "the entry leads to the root" in true
    assert "mc-broken" not in true
    assert "the entry does not lead to the root" in altered
    assert "mc-broken" in altered


def test_a_proof_of_the_wrong_length_is_drawn_and_not_believed():
    entries = [bytes([i]) for i in range(8)]
    proof = merkle.inclusion_proof(3, entries)
    assert "mc-broken" in pictures.merkle_picture("t", entries[3], 3, 8, proof[:-1], merkle.root(entries))
    assert "mc-broken" in pictures.merkle_picture("t", entries[3], 3, 8, proof * 40, merkle.root(entries))


FLOWS = [Flow("a", "m", 30), Flow("b", "m", 10), Flow("m", "x", 25, "ok"), Flow("m", "y", 15, "bad", "late")]


def thicknesses(drawing: str) -> list[float]:
    """Read the width of each band where it leaves its place."""
    starts = re.findall(r'd="M[\d.-]+,([\d.-]+)C.*? [\d.-]+,([\d.-]+)Z"', drawing)
    return [float(end) - float(start) for start, end in starts]


def test_every_band_is_as_wide_as_its_amount():
    wide = pictures.sankey("t", FLOWS, "kg").partition("mc-narrow")[0]
    widths = sorted(thicknesses(wide))
    assert widths == pytest.approx([widths[0] * amount / 10 for amount in (10, 15, 25, 30)], abs=0.3)


def test_each_place_stands_after_those_that_send_to_it():
    assert pictures._layers([*FLOWS, Flow("a", "y", 1)]) == {"a": 0, "m": 1, "b": 0, "x": 2, "y": 2}


def test_a_circle_is_refused_with_advice():
    with pytest.raises(UsageError, match="circle"):
        pictures.sankey("t", [Flow("a", "b", 1), Flow("b", "a", 1)], "kg")


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(5, 9), st.integers(0, 10**12)), min_size=1, max_size=12))
def test_any_amounts_stay_on_the_paper(triples):
    flows = [Flow(str(a), str(b), amount) for a, b, amount in triples]
    places, scale = pictures._places(flows, pictures._layers(flows), pictures._WIDE)
    height = pictures._WIDE.across + 2 * pictures._EDGE
    assert scale >= 0
    assert all(place.start >= -0.01 and place.start + place.size <= height for place in places.values())


def test_a_label_is_cut_by_what_its_letters_need():
    assert pictures._fit("Transfer station", 500, 14) == "Transfer station"
    assert pictures._fit("中转站中转站", 60, 14).endswith("…")
    assert len(pictures._fit("中转站中转站", 60, 14)) < len(pictures._fit("abcdefghijk", 60, 14))


def test_a_name_too_long_for_a_phone_is_broken_and_not_cut():
    assert pictures._in_two("Composting plant", 84) == ["Composting", "plant"]
    assert pictures._in_two("Composting plant", 300) == ["Composting plant"]


def test_labels_that_would_touch_are_moved_apart_and_stay_on_the_paper():
    first, second, third = pictures._apart([100, 110, 298], [60, 60, 60], 320)
    assert second - first >= 60
    assert third == 290
