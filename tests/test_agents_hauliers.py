"""Hauliers under a rule: each behaviour has the effect that its description says, on the contracts of waste."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest

from minichain import agents
from minichain.agents.hauliers import Haulier, Settings, becker_point, decide, gain, likelihood, population

DEAREST = Haulier("the dearest", Settings().gate_fee, corrects_alone=False)
FULL = 10_000


def figures(**settings: int | str) -> dict[str, int]:
    return agents.run("hauliers", seed=1, **{"hauliers": 5, "days": 1, **settings}).figures


# --- deciding -----------------------------------------------------------------------------------------------------


def test_one_dumps_if_and_only_if_the_saving_exceeds_the_expected_fine():
    """Becker 1968: 30 % of 10 t at 330 yuan saves 990, the tolerance of 3 % alone 99; half of them are followed up."""
    assert becker_point(Settings()) == 1_782 == (990 - 99) / 0.5
    assert gain(Settings(fine=1_782), DEAREST, FULL, 30) == gain(Settings(fine=1_782), DEAREST, FULL, 3) == 99
    assert [decide(Settings(fine=fine), DEAREST, FULL) for fine in (1_781, 1_782, 17_820)] == [30, 3, 3]


def test_collusion_makes_the_fine_dearer_that_is_needed():
    assert becker_point(Settings(colluding=40)) == 2_970 == 1_782 / 0.6
    assert becker_point(Settings(colluding=100)) is None


def test_whoever_corrects_alone_fears_no_fine_unless_the_office_reads_the_versions():
    alone = Haulier("a haulier", 330, corrects_alone=True)
    assert likelihood(Settings(), alone, 30) == 0
    assert likelihood(Settings(reads_versions="yes"), alone, 30) == Fraction(1, 2)
    assert becker_point(Settings(corrects_alone=10)) is None
    assert becker_point(Settings(corrects_alone=10, reads_versions="yes")) == 1_782


def test_who_has_nothing_to_gain_is_honest():
    assert decide(Settings(fine=0), Haulier("a haulier", 0, corrects_alone=False), FULL) == 0
    assert decide(Settings(tolerance=0, fine=2_000), DEAREST, FULL) == 0


def test_the_same_seed_is_the_same_people_whatever_the_rule():
    strict, mild = (population(Settings(fine=fine), Random(3)) for fine in (0, 9_000))
    assert strict == mild
    few, many = (population(Settings(corrects_alone=share), Random(3)) for share in (20, 50))
    assert [one.saving for one in few] == [one.saving for one in many]
    assert {one.name for one in few if one.corrects_alone} < {one.name for one in many if one.corrects_alone}
    assert sum(one.corrects_alone for one in many) == 5


# --- acting on the contracts --------------------------------------------------------------------------------------


def test_dumping_stops_above_the_becker_point_and_ten_times_the_fine_changes_nothing():
    below, above, far_above = figures(fine=500), figures(fine=1_800), figures(fine=18_000)
    assert below["dumping"] == below["open"] == 5
    assert below["fines"] == 500 * below["found"] > 0
    assert (above["dumping"], above["open"], above["stopped"]) == (0, 0, 1)
    assert above == far_above


def test_what_is_within_the_tolerance_goes_on_and_only_the_tolerance_changes_that():
    assert figures(fine=18_000)["skimming"] == 5
    wide, narrow, none = (figures(fine=18_000, tolerance=percent)["dumped"] for percent in (6, 3, 0))
    assert wide > narrow > none == 0


def test_colluding_officers_hide_from_the_contract_what_was_dumped():
    found = figures(fine=0, colluding=100)
    assert (found["dumping"], found["open"]) == (5, 0)
    assert figures(fine=2_000)["dumping"] == 0 < figures(fine=2_000, colluding=40)["dumping"]
    assert figures(fine=3_000, colluding=40)["dumping"] == 0


def test_one_party_alone_corrects_a_signed_manifest_and_the_discrepancy_vanishes():
    found = figures(fine=18_000, corrects_alone=100)
    assert (found["dumping"], found["vanished"], found["open"], found["found"]) == (5, 5, 0, 0)


def test_the_earlier_version_is_kept_so_an_office_that_reads_it_restores_the_fine():
    greedy = figures(fine=0, corrects_alone=100, reads_versions="yes")
    assert (greedy["vanished"], greedy["open"]) == (5, 5)
    assert figures(fine=18_000, corrects_alone=100, reads_versions="yes")["dumping"] == 0


@pytest.mark.parametrize(("inspected", "found"), [(0, 0), (100, 5)])
def test_what_is_found_is_what_is_followed_up(inspected: int, found: int):
    assert figures(fine=0, inspected=inspected)["found"] == found


def test_every_step_was_accepted_by_the_contracts():
    run = agents.run("hauliers", seed=1, hauliers=5, days=1, corrects_alone=40)
    assert run.refused == 0
    assert run.transactions == 8 + 3 * 5 + 2 * 2  # registrations, three of each load, two of each correction
