"""Attacks on the contribution points, each by somebody with a key and a task: what they tried is refused, or in vain."""

from __future__ import annotations

from typing import Any

import pytest

from minichain.scenarios.points.staging import Stage
from minichain.scenarios.points.story import (
    APPEALS,
    CASES,
    PANEL,
    RECORDER,
    RESIDENT,
    REVIEWER,
    named,
)

STRANGER = "Stranger"


def refused(on: Stage, role: str, contract: str, action: str, words: str, /, **args: Any) -> None:
    outcome = on.attempt(role, contract, action, **args)
    assert (outcome.outcome, words in outcome.error) == ("reverted", True), (outcome.outcome, outcome.error)


def appealed(on: Stage, number: int, **claim: Any) -> int:
    """Object, be turned down, appeal; returns the case."""
    case = on.objected(number, **claim)
    on.decided(case, "Upheld")
    told = {"grounds": claim.get("grounds", "facts"), "evidence": named("appeal")}
    on.do(RESIDENT, CASES, "appeal", number=case, **told)
    return case


def seated(on: Stage, case: int) -> None:
    on.do(APPEALS, CASES, "seat", number=case, members=[on.did(member) for member in PANEL])


@pytest.fixture
def on() -> Stage:
    return Stage()


# --- objections and appeals --------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", [-100, 100_000_001])
def test_a_reviewer_makes_no_points_out_of_an_amount_that_is_none(amount: int, on: Stage) -> None:
    case = on.objected(on.notified("mixed-waste", 1))
    told = {"number": case, "outcome": "Amended", "reasons": named("r"), "amount": amount}
    refused(on, REVIEWER, CASES, "decide", "an amended amount is 0 to 100000000", **told)


def test_an_objection_is_no_way_around_the_cap_of_a_month(on: Stage) -> None:
    numbers = [on.notified(amount=240) for _ in range(11)]
    assert [on.entry(number)["delta"] for number in numbers[9:]] == [40, 0], "the cap of the month is 400"
    on.decided(on.objected(numbers[10], claim=240), "Amended", amount=240)
    silent = on.objected(numbers[9], claim=2_400)
    on.wait(days=6)
    on.do(STRANGER, CASES, "lapse", number=silent)
    assert [on.entry(number)["delta"] for number in numbers[9:]] == [40, 0]


def test_what_an_objection_adds_counts_against_the_cap(on: Stage) -> None:
    first = on.notified(amount=60)
    on.decided(on.objected(first, claim=240), "Amended", amount=240)
    assert sum(on.entry(on.recorded(amount=240))["delta"] for _ in range(10)) == 360


def test_nobody_loses_a_reward_because_they_asked_for_more(on: Stage) -> None:
    words = "never comes off worse"
    number = on.notified(amount=60)
    told = {"number": on.objected(number, claim=180), "outcome": "Withdrawn", "reasons": named("r")}
    refused(on, REVIEWER, CASES, "decide", words, **told)
    case = appealed(on, on.notified(amount=60), claim=180)
    seated(on, case)
    for member in PANEL[:2]:
        on.do(member, CASES, "vote", number=case, outcome="Withdrawn", reasons=named("v"))
    entry = on.entry(on.ask(CASES, "case", number=case)["entry"])
    assert (entry["state"], entry["delta"]) == ("Amended", 30), "a panel for the resident grants what was claimed"


def test_a_reward_that_is_somebody_elses_is_taken_back_by_who_decides_and_by_silence(on: Stage) -> None:
    decided, silent = on.notified(), on.notified()
    on.decided(on.objected(decided, grounds="not-me"), "Withdrawn")
    case = on.objected(silent, grounds="not-me")
    on.wait(days=6)
    on.do(STRANGER, CASES, "lapse", number=case)
    assert [on.entry(number)["state"] for number in (decided, silent)] == ["Withdrawn", "Withdrawn"]


def test_a_deduction_that_nobody_decided_on_is_withdrawn_whatever_was_claimed(on: Stage) -> None:
    number = on.notified("mixed-waste", 1)
    case = on.objected(number, claim=1)
    on.wait(days=6)
    on.do(STRANGER, CASES, "lapse", number=case)
    assert on.entry(number)["state"] == "Withdrawn"


def test_a_member_of_a_panel_does_not_block_it_by_standing_aside_in_the_middle_of_a_vote(on: Stage) -> None:
    case = appealed(on, on.notified("mixed-waste", 1))
    seated(on, case)
    told = {"number": case, "outcome": "Upheld", "reasons": named("v")}
    on.do(PANEL[0], CASES, "vote", **told)
    refused(on, PANEL[1], CASES, "recuse", "the panel has begun to vote", number=case)
    on.do(PANEL[2], CASES, "vote", **told)
    assert on.ask(CASES, "case", number=case)["state"] == "Closed"


def test_an_appeal_against_an_old_refusal_waits_while_a_new_repair_is_open(on: Stage) -> None:
    """Else the second of two open cases would be decided and never carried out."""
    number = on.effective("mixed-waste", 1)
    told = {"entry": number, "evidence": named("met")}
    old = on.do(RESIDENT, CASES, "ask_repair", **told)
    on.decided(old, "Upheld")
    new = on.do(RESIDENT, CASES, "ask_repair", **told)
    appeal = {"number": old, "grounds": "facts", "evidence": named("appeal")}
    refused(on, RESIDENT, CASES, "appeal", f"case {new} about this entry is open", **appeal)
    on.decided(new, "Withdrawn")
    assert on.entry(number)["state"] == "Repaired"


def test_nobody_decides_on_their_own_case_or_chooses_who_does(on: Stage) -> None:
    guardian = "Guardian"
    on.join("Resident 2", guardian=guardian, is_adult=False)
    for role in (RESIDENT, guardian):
        on.grant(role, "reviewer")
    words = "who had a part in this entry"
    for role, resident in ((RESIDENT, RESIDENT), (guardian, "Resident 2")):
        case = on.objected(on.notified(role=resident), role=resident)
        refused(on, role, CASES, "decide", words, number=case, outcome="Upheld", reasons=named("r"))
    on.grant(RECORDER, "appeals")
    case = appealed(on, on.notified("mixed-waste", 1))
    refused(on, RECORDER, CASES, "seat", words, number=case, members=[on.did(member) for member in PANEL])
