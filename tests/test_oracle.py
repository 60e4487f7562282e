"""Stories of readings: one source that lies, too few that report, objections in time and late, and nothing deleted."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from typing import Any

import pytest

from minichain.client import Network
from minichain.contracts import Sandbox, check, source_of
from minichain.contracts.testing import explore, faults, reverts
from minichain.scenarios import oracle
from minichain.scenarios.oracle import FEED, RULES, contract
from minichain.scenarios.oracle.story import BOARD, DAY_MS, EVIDENCE, MINUTE_MS, OFFICE, RESIDENT, SOURCES

GROUNDS = "The photograph shows what happened to the inlet."


class Street:
    """A sandbox with the feed opened and three sources admitted."""

    def __init__(self, sources: Mapping[str, str] = SOURCES, box: Sandbox | None = None) -> None:
        self.box = box or Sandbox()
        self.board = self.box.account(BOARD)
        self.readings = self.box.deploy(oracle.Readings, sender=self.box.account(OFFICE), judge=self.board)
        self.readings.open_feed(FEED, **RULES)
        for name, owner in sources.items():
            self.admit(name, owner)

    def admit(self, name: str, owner: str, days: int = 365) -> None:
        self.readings.admit(self.box.account(name), owner, **oracle.days_from(self.box.now_ms, days))

    def by(self, name: str) -> Any:
        return self.readings.with_sender(self.box.account(name))

    def report(self, **values: int) -> None:
        """Each of these sensors (by the first word of its name) reports in the present round."""
        for word, value in values.items():
            name = next(known for known in self.box.people.values() if known.startswith(word))
            self.by(name).report(FEED, self.readings.round_now(FEED), value, self.box.now_ms)

    def next_round(self) -> None:
        self.box.advance(ms=RULES["length"])

    def settled(self, **values: int) -> dict[str, Any]:
        number = self.readings.round_now(FEED)
        self.report(**values)
        self.next_round()
        self.readings.settle(FEED, number)
        return dict(self.readings.figure(FEED, number))

    def names(self, dids: list[str]) -> list[str]:
        return [self.box.people[did] for did in dids]


def test_the_contract_is_in_the_language_and_deletes_nothing() -> None:
    source = source_of(oracle.Readings)
    assert check(source) == []
    tree = ast.parse(source)
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Delete)]
    assert "clear" not in {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert "history[" in inspect.getsource(contract.Readings.enter)


def test_one_liar_of_three_neither_moves_the_figure_far_nor_goes_unseen() -> None:
    street = Street()
    figure = street.settled(Office=61, University=58, Factory=12)
    assert (figure["value"], figure["unit"], figure["status"]) == (58, "µg/m³", "provisional")
    assert street.names(figure["flagged"]) == ["Factory sensor"]


def test_two_liars_of_three_win_and_the_honest_one_is_flagged() -> None:
    """What a median cannot do: it counts owners, it does not know the truth."""
    figure = Street().settled(Office=12, University=61, Factory=12)
    assert figure["value"] == 12


def test_an_owner_has_one_voice_however_many_sensors_it_brings() -> None:
    street = Street(SOURCES | {"Second factory sensor": "Factory", "Third factory sensor": "Factory"})
    assert street.settled(Office=61, University=58, Factory=12, Second=12, Third=12)["value"] == 58


def test_too_few_owners_give_no_figure_rather_than_a_weak_one() -> None:
    street = Street(SOURCES | {"Second factory sensor": "Factory"})
    figure = street.settled(Factory=12, Second=13)
    assert (figure["status"], figure["value"]) == ("void", 0)
    assert street.readings.story(FEED, 0)[0]["note"] == "1 owners reported, 2 are needed"
    with reverts("is void: wait until it is final"):
        street.readings.relied_on(FEED, 0)


def test_of_two_middle_figures_the_half_way_counts() -> None:
    assert Street().settled(Office=61, Factory=12)["value"] == 36


@pytest.mark.parametrize(
    ("minutes", "round_", "measured", "words"),
    [
        (0, 1, 0, "now is round 0, not 1"),
        (10, 0, 0, "now is round 1, not 0"),
        (10, 1, 0, "it was measured in this round"),
        (0, 0, 1, "it was measured in this round"),
    ],
)
def test_a_reading_belongs_to_the_round_in_which_it_was_measured(
    minutes: int, round_: int, measured: int, words: str
) -> None:
    street = Street()
    start = street.box.now_ms
    street.box.advance(minutes=minutes)
    with reverts(words):
        street.by("Office sensor").report(FEED, round_, 61, start + measured)


def test_who_may_report() -> None:
    street = Street()
    street.report(Office=61)
    with reverts("this source has reported in this round"):
        street.report(Office=60)
    with reverts("only a registered source reports"):
        street.by("Resident").report(FEED, 0, 5, street.box.now_ms)
    street.readings.suspend(street.box.account("Factory sensor"), "found beside its place")
    with reverts("this source is suspended"):
        street.report(Factory=5)
    with faults("argument value must be int, not str"):
        street.by("University sensor").report(FEED, 0, "58", street.box.now_ms)


def test_an_instrument_without_a_valid_calibration_is_not_heard_until_it_is_renewed() -> None:
    street = Street()
    street.box.advance(days=364)
    street.report(Office=61)
    street.box.advance(days=1)
    with reverts("the calibration of this source does not cover it"):
        street.report(Office=61)
    street.admit("Office sensor", OFFICE)
    street.report(Office=61)
    with reverts("a source does not change its owner"):
        street.admit("Office sensor", "Factory")


def test_an_objection_in_time_suspends_the_figure_until_somebody_else_decides() -> None:
    street = Street()
    street.settled(Office=61, University=58, Factory=12)
    number = street.by(RESIDENT).object(FEED, 0, "instrument", EVIDENCE).result
    assert street.readings.figure(FEED, 0)["status"] == "disputed"
    street.box.advance(days=3)
    with reverts("is disputed: wait until it is final"):
        street.readings.relied_on(FEED, 0)
    with reverts("only the role judge may do this"):
        street.by("University sensor").decide(FEED, 0, number, True, 99, GROUNDS)
    with reverts("grounds have 20 to 500 characters"):
        street.by(BOARD).decide(FEED, 0, number, False, 58, "no")
    assert street.by(BOARD).decide(FEED, 0, number, False, 58, GROUNDS).result == "rejected"
    assert street.readings.relied_on(FEED, 0) == 58
    with reverts("this objection is decided"):
        street.by(BOARD).decide(FEED, 0, number, True, 99, GROUNDS)


def test_a_late_objection_leaves_the_figure_in_use_and_corrects_it_by_a_new_entry() -> None:
    street = Street()
    street.settled(Office=40, University=64)
    street.box.advance(ms=RULES["objection_time"] + 1)
    before = street.readings.story(FEED, 0)
    assert street.readings.relied_on(FEED, 0) == 52
    number = street.by(RESIDENT).object(FEED, 0, "place", EVIDENCE).result
    assert (street.readings.figure(FEED, 0)["status"], street.readings.relied_on(FEED, 0)) == ("final", 52)
    street.by(BOARD).decide(FEED, 0, number, True, 64, GROUNDS)
    assert street.readings.relied_on(FEED, 0) == 64
    story = street.readings.story(FEED, 0)
    assert story[: len(before)] == before
    assert [entry["kind"] for entry in story] == ["settled", "objection", "correction"]
    assert [entry["value"] for entry in story] == [52, 52, 64]


def test_the_last_moment_to_object_is_in_time() -> None:
    street = Street()
    street.settled(Office=40, University=64)
    street.box.advance(ms=RULES["objection_time"])
    street.by(RESIDENT).object(FEED, 0, "other", EVIDENCE)
    assert street.readings.figure(FEED, 0)["status"] == "disputed"


def test_nobody_is_judge_in_their_own_cause() -> None:
    street = Street()
    street.settled(Office=40, University=64)
    street.by(BOARD).object(FEED, 0, "unit", EVIDENCE)
    with reverts("nobody decides on an objection of their own"):
        street.by(BOARD).decide(FEED, 0, 0, True, 64, GROUNDS)
    street.readings.grant_role("judge", street.box.account("Factory sensor"))
    with reverts("who decides neither operates nor reports"):
        street.by("Factory sensor").decide(FEED, 0, 0, True, 12, GROUNDS)
    with reverts("who decides on objections reports nothing"):
        street.readings.admit(street.board, "Board", 0, 1)


@pytest.mark.parametrize(
    ("action", "args", "words"),
    [
        ("open_feed", {"feed": FEED, **RULES}, "its rules do not change under those who rely on it"),
        ("open_feed", {"feed": "x", **RULES | {"length": 5}}, "last a second or longer"),
        ("open_feed", {"feed": "x", **RULES | {"needed": 0}}, "needed are 1 to 30 owners"),
        ("open_feed", {"feed": "", **RULES}, "the name of a feed has 1 to 60 characters"),
        ("settle", {"feed": "x", "round": 0}, "there is no feed x"),
        ("settle", {"feed": FEED, "round": 0}, "nobody has reported anything for round 0"),
        ("object", {"feed": FEED, "round": 7, "reason": "unit", "evidence": EVIDENCE}, "nobody has reported"),
    ],
)
def test_what_makes_no_sense_is_refused_in_plain_words(action: str, args: dict[str, Any], words: str) -> None:
    with reverts(words):
        getattr(Street().readings, action)(**args)


def test_a_round_is_settled_once_and_not_before_its_end() -> None:
    street = Street()
    street.report(Office=61, University=58)
    with reverts("round 0 is not over"):
        street.readings.settle(FEED, 0)
    street.next_round()
    street.readings.settle(FEED, 0)
    with reverts("round 0 is settled already"):
        street.readings.settle(FEED, 0)


def test_whatever_anybody_does_the_history_of_a_figure_only_grows() -> None:
    known: list[Any] = []

    def street(box: Sandbox) -> Any:
        known.clear()
        made = Street(box=box)
        made.report(Office=40, University=64)
        made.next_round()
        return made.readings

    def only_grows(_readings: Any, box: Sandbox) -> None:
        view = box.view("", "readings", "story", {"feed": FEED, "round": 0})
        story = view.result if view.ok else []
        assert story[: len(known)] == known, "an entry was changed"
        known[:] = story

    explored = explore(
        street,
        invariants=[only_grows],
        people=["Office sensor", "University sensor", RESIDENT, BOARD],
        draw={
            "report": {"feed": FEED, "round": 1},
            "settle": {"feed": FEED, "round": 0},
            "object": {"feed": FEED, "round": 0, "reason": "unit", "evidence": EVIDENCE},
            "decide": {"feed": FEED, "round": 0, "number": 0, "grounds": GROUNDS},
        },
        examples=12,
    )
    assert explored.counts["settle"].get("ok", 0) > 0
    assert explored.counts["object"].get("ok", 0) > 0


def test_the_whole_story_is_told_on_a_network() -> None:
    with Network.simulated(validators=4, seed=7, clock="wall") as net:
        told = [(step, receipt) for step, receipt in oracle.tell(net)]
        assert {receipt.outcome for _, receipt in told} == {"ok"}
        readings = net.contract("readings")
        assert [readings.relied_on(FEED, number) for number in (0, 1)] == [58, 64]
        assert [entry["kind"] for entry in readings.story(FEED, 1)] == ["settled", "objection", "correction"]
    assert (DAY_MS, MINUTE_MS) == (86_400_000, 60_000)
