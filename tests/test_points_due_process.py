"""What becomes of an entry that is rejected, that nobody looks at, or whose time runs while the ledger stands still."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from minichain.client import Network
from minichain.scenarios.points import street as streets
from minichain.scenarios.points import workshop
from minichain.scenarios.points.harms import ROBOT
from minichain.scenarios.points.presets import DAY_MS
from minichain.scenarios.points.staging import Stage
from minichain.scenarios.points.story import (
    ACCOUNTS,
    APPEALS,
    CASES,
    CATALOGUE,
    INTAKE,
    LEDGER,
    OWNER,
    PANEL,
    RECORDER,
    RESIDENT,
    REVIEWER,
    SECOND,
    VERIFIER,
    named,
)
from minichain.views.citizen_points_model import Points, Snapshot

STRANGER = "Stranger"
LAW = "cn_2025"


def refused(on: Stage, role: str, contract: str, action: str, words: str, /, **args: Any) -> None:
    before = on.box.state.root
    outcome = on.attempt(role, contract, action, **args)
    assert (outcome.outcome, words in outcome.error) == ("reverted", True), (outcome.outcome, outcome.error)
    assert on.box.state.root == before, "nothing is lost and nothing is changed"


def settled(on: Stage, number: int, role: str = STRANGER) -> str:
    state: str = on.do(role, LEDGER, "settle", number=number)
    return state


def lapsed(on: Stage, contract: str, number: int) -> str:
    state: str = on.do(STRANGER, contract, "lapse", number=number)
    return state


@pytest.fixture
def on() -> Stage:
    return Stage()


# --- a rejection -------------------------------------------------------------------------------------------------


def test_a_rejection_is_objected_to_reviewed_by_somebody_else_and_the_entry_verified_by_another(on: Stage) -> None:
    number = on.rejected()
    entry = on.entry(number)
    assert (entry["state"], entry["notice"]) == ("Rejected", named(f"rejection {number}")), "told, with reasons"
    case = on.objected(number)
    on.wait(days=2)
    refused(on, STRANGER, LEDGER, "settle", "an objection suspends", number=number)
    on.grant(VERIFIER, "reviewer")
    told = {"number": case, "outcome": "Withdrawn", "reasons": named("the sheet is signed")}
    refused(on, VERIFIER, CASES, "decide", "who had a part in this entry", **told)
    refused(on, REVIEWER, CASES, "decide", "nothing is amended", **{**told, "outcome": "Amended"})
    on.do(REVIEWER, CASES, "decide", **told)
    assert on.entry(number)["state"] == "Recorded"
    refused(on, VERIFIER, INTAKE, "verify", "who recorded or rejected an entry", number=number)
    on.do(SECOND, INTAKE, "verify", number=number)
    on.do(RECORDER, INTAKE, "notify", number=number, notice=named("notice"))
    on.wait(days=5)
    assert (settled(on, number), on.balance()) == ("Effective", 10)


def test_a_rejection_that_is_upheld_goes_to_the_panel_and_uses_nothing_up_in_the_end(on: Stage) -> None:
    number = on.rejected(amount=240)
    case = on.objected(number)
    on.decided(case, "Upheld")
    again = {"entry": number, "grounds": "facts", "evidence": named("again")}
    refused(on, RESIDENT, CASES, "object", "is Upheld", **again)
    on.do(RESIDENT, CASES, "appeal", number=case, grounds="facts", evidence=named("appeal"))
    seats = [on.did(member) for member in PANEL]
    on.grant(VERIFIER, "panellist")
    words = "who had a part in this entry"
    refused(on, APPEALS, CASES, "seat", words, number=case, members=[*seats[:2], on.did(VERIFIER)])
    on.do(APPEALS, CASES, "seat", number=case, members=seats)
    for member in PANEL[:2]:
        on.do(member, CASES, "vote", number=case, outcome="Upheld", reasons=named("v"))
    assert on.entry(number)["state"] == "Final"
    assert (settled(on, number), on.balance()) == ("Dismissed", 0)
    evidence = on.entry(number)["evidence"]
    assert on.recorded(evidence=evidence) > number
    assert sum(on.entry(on.recorded(amount=240))["delta"] for _ in range(10)) == 390, "the cap of the month is 400"


def test_a_panel_for_the_resident_puts_a_rejected_entry_back_to_be_verified(on: Stage) -> None:
    number = on.rejected()
    case = on.objected(number)
    on.decided(case, "Upheld")
    on.do(RESIDENT, CASES, "appeal", number=case, grounds="facts", evidence=named("appeal"))
    on.do(APPEALS, CASES, "seat", number=case, members=[on.did(member) for member in PANEL])
    for member in PANEL[:2]:
        on.do(member, CASES, "vote", number=case, outcome="Withdrawn", reasons=named("v"))
    assert on.entry(number)["state"] == "Recorded"


def test_nobody_decides_on_a_rejection_in_time_so_another_office_looks(on: Stage) -> None:
    number = on.rejected()
    case = on.objected(number)
    on.wait(days=6)
    lapsed(on, CASES, case)
    assert on.entry(number)["state"] == "Recorded"
    refused(on, VERIFIER, INTAKE, "verify", "another person has to", number=number)
    on.wait(days=6)
    assert lapsed(on, INTAKE, number) == "Notified", "and if nobody does, it counts"


def test_a_rejection_has_reasons_a_person_and_a_time(on: Stage) -> None:
    number = on.recorded()
    told = {"number": number, "reasons": named("no name on the sheet")}
    refused(on, VERIFIER, INTAKE, "reject", "the reasons of a rejection is named by", **{**told, "reasons": "no"})
    refused(on, RECORDER, INTAKE, "reject", "only the role verifier", **told)
    on.box.deploy(ROBOT, sender=on.did(OWNER), name="robot")
    on.do(OWNER, CATALOGUE, "grant_role", role="verifier", account="robot")
    deed = {"contract": INTAKE, "deed": "reject", "arguments": told}
    refused(on, STRANGER, "robot", "act", "a person rejects and signs", **deed)
    on.do(VERIFIER, INTAKE, "reject", **told)
    refused(on, VERIFIER, INTAKE, "reject", "is Rejected", **told)
    refused(on, SECOND, INTAKE, "verify", "is Rejected", number=number)
    objection = {"entry": number, "grounds": "facts", "evidence": named("x")}
    refused(on, RESIDENT, CASES, "object", "what is claimed is 0 to 0", **objection, claim=120)
    refused(on, STRANGER, CASES, "object", "only the resident", **objection)
    refused(on, STRANGER, LEDGER, "settle", "the resident may object", number=number)
    on.wait(days=5)
    refused(on, RESIDENT, CASES, "object", "the time to object ended", **objection)
    assert settled(on, number) == "Dismissed"
    refused(on, RESIDENT, CASES, "object", "is Dismissed", **objection)


def test_an_entry_that_was_put_back_is_told_anew_before_it_counts(on: Stage) -> None:
    """Else the reasons of its rejection would stand for the notice."""
    number = on.rejected()
    on.decided(on.objected(number), "Withdrawn")
    on.do(SECOND, INTAKE, "verify", number=number)
    on.wait(days=6)
    refused(on, STRANGER, LEDGER, "settle", "the resident has not been told", number=number)


def test_nobody_objects_to_the_rejection_of_what_would_take_something_away(on: Stage) -> None:
    number = on.rejected("mixed-waste", 1)
    told = {"entry": number, "grounds": "facts", "evidence": named("x")}
    refused(on, RESIDENT, CASES, "object", "is Rejected", **told)
    assert settled(on, number, RESIDENT) == "Dismissed"


# --- nobody looks ------------------------------------------------------------------------------------------------


def test_a_reward_that_nobody_looks_at_counts_as_it_was_recorded_and_no_more_than_its_cap(on: Stage) -> None:
    numbers = [on.recorded(amount=240) for _ in range(11)]
    refused(on, STRANGER, INTAKE, "lapse", "there is time to look", number=numbers[0])
    on.wait(days=5, ms=1)
    for number in numbers:
        assert lapsed(on, INTAKE, number) == "Notified"
    refused(on, VERIFIER, INTAKE, "reject", "is Notified", number=numbers[0], reasons=named("late"))
    refused(on, STRANGER, LEDGER, "settle", "the resident may object", number=numbers[0])
    on.objected(numbers[1], grounds="not-me")
    on.wait(days=5)
    for number in (numbers[0], *numbers[2:]):
        settled(on, number)
    assert on.balance() == 360, "the cap of the month is 400, and forty were objected to"
    assert on.entry(numbers[0])["silent_at"] > 0


def test_after_the_time_to_look_nobody_rejects_and_nobody_verifies_a_deduction(on: Stage) -> None:
    reward, deduction, told = on.recorded(), on.recorded("mixed-waste", 1), on.verified("mixed-waste", 1)
    on.wait(days=5, ms=1)
    words = "it is as the resident would have it"
    refused(on, VERIFIER, INTAKE, "reject", words, number=reward, reasons=named("late"))
    refused(on, VERIFIER, INTAKE, "verify", words, number=deduction, decision=named("late"))
    refused(on, RECORDER, INTAKE, "notify", words, number=told, notice=named("late"))
    assert on.do(VERIFIER, INTAKE, "verify", number=reward) == "Verified", "late, and for the resident"
    for number in (deduction, told):
        assert lapsed(on, INTAKE, number) == "Lapsed"
        refused(on, STRANGER, LEDGER, "settle", "is Lapsed", number=number)
    evidence = on.entry(deduction)["evidence"]
    assert on.recorded("mixed-waste", 1, evidence=evidence) > deduction, "its evidence is free again"


def test_a_reward_of_which_nobody_was_told_goes_on_and_may_be_objected_to(on: Stage) -> None:
    number = on.verified()
    on.wait(days=5, ms=1)
    assert lapsed(on, INTAKE, number) == "Notified"
    on.objected(number, grounds="amount", claim=120)


@pytest.mark.parametrize(("preset", "is_flagged"), [("training", True), ("hailin", False)])
def test_what_is_flagged_or_has_no_cap_is_looked_at_by_a_person_whom_the_resident_asks(
    preset: str, is_flagged: bool
) -> None:
    on = Stage(preset)
    days = on.ask(CATALOGUE, "scheme")["review_ms"] // DAY_MS
    if is_flagged:
        on.recorded(zone="street-1")
    number = on.recorded(zone="street-9")
    told = {"entry": number, "grounds": "facts", "evidence": named("nobody looks")}
    refused(on, RESIDENT, CASES, "object", "an objection is made after the notice", **told)
    on.wait(days=days, ms=1)
    refused(on, STRANGER, INTAKE, "lapse", "silence does not verify this", number=number)
    case = on.do(RESIDENT, CASES, "object", **told)
    assert on.ask(CASES, "case", number=case)["kind"] == "rejection"
    on.decided(case, "Withdrawn")
    looked_at = named("both sheets") if is_flagged else ""
    assert on.do(VERIFIER, INTAKE, "verify", number=number, looked_at=looked_at) == "Verified"


def test_what_is_flagged_may_still_be_rejected_late_with_reasons_and_an_objection(on: Stage) -> None:
    on.recorded(zone="street-1")
    number = on.recorded(zone="street-9")
    on.wait(days=30)
    on.do(VERIFIER, INTAKE, "reject", number=number, reasons=named("two sheets of the same hour"))
    on.objected(number)


def test_a_refusal_by_silence_that_a_reviewer_upholds_ends_the_entry() -> None:
    on = Stage("hailin")
    number = on.recorded()
    on.wait(days=11)
    on.decided(on.objected(number), "Upheld")
    on.wait(days=10)
    assert settled(on, number) == "Dismissed"


def test_after_withdrawal_nothing_is_rejected_or_lapses(on: Stage) -> None:
    recorded, rejected = on.recorded(), on.rejected()
    on.do(RESIDENT, ACCOUNTS, "withdraw", account=on.did(RESIDENT))
    on.wait(days=6)
    words = "this resident has withdrawn"
    refused(on, VERIFIER, INTAKE, "reject", words, number=recorded, reasons=named("r"))
    refused(on, STRANGER, INTAKE, "lapse", words, number=recorded)
    refused(on, STRANGER, LEDGER, "settle", words, number=rejected)


# --- what silence grants -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "amount", "claim", "delta"),
    [
        ("training", 60, 600, 40),  # four hours of one event
        ("hailin", 60, 600, 2),  # two hours of one activity
        ("guangzhou", 60, 600, 1),  # no limit of the rule: as it was recorded
    ],
)
def test_silence_grants_what_the_rule_allows_and_a_person_what_is_right(
    preset: str, amount: int, claim: int, delta: int
) -> None:
    on = Stage(preset)
    number = on.notified(amount=amount)
    case = on.objected(number, grounds="amount", claim=claim)
    on.wait(days=11)
    lapsed(on, CASES, case)
    assert (on.entry(number)["state"], on.entry(number)["delta"]) == ("Amended", delta)
    other = on.notified(amount=amount)
    on.decided(on.objected(other, grounds="amount", claim=claim), "Amended", amount=claim)
    assert on.entry(other)["delta"] == max(delta, {"guangzhou": 10}.get(preset, 0)), "a person may grant more"


# --- a ledger that stands still ----------------------------------------------------------------------------------


def test_a_standstill_takes_nothing_of_the_time_to_object_but_a_day(on: Stage) -> None:
    on.effective(amount=240)
    number = on.notified("mixed-waste", 1)
    told = on.entry(number)["closes_at"]
    on.stand_still(10 * DAY_MS)
    closes = told + 9 * DAY_MS
    assert on.ask(LEDGER, "closes", number=number) == closes
    assert settled(on, number) == "Notified", "no effect: it says until when, and that is on record"
    assert (on.entry(number)["closes_at"], on.balance()) == (closes, 40)
    refused(on, STRANGER, LEDGER, "settle", f"may object or appeal until {closes}", number=number)
    on.objected(number, grounds="not-me")
    assert on.entry(number)["state"] == "Objected"


def test_two_standstills_and_one_call_between_them_do_not_use_the_time_up_either(on: Stage) -> None:
    number = on.notified("mixed-waste", 1)
    for _ in range(2):
        on.stand_still(10 * DAY_MS)
        on.do(STRANGER, LEDGER, "beat")
    assert settled(on, number) == "Notified"
    on.wait(days=3)
    assert settled(on, number) == "Effective", "on five days somebody could have objected"


def test_an_appeal_has_its_time_too_and_so_has_an_objection_to_a_rejection(on: Stage) -> None:
    deduction, rejected = on.notified("mixed-waste", 1), on.rejected()
    case = on.objected(deduction)
    on.decided(case, "Upheld")
    on.stand_still(20 * DAY_MS)
    for number in (deduction, rejected):
        assert settled(on, number) in ("Upheld", "Rejected")
    on.do(RESIDENT, CASES, "appeal", number=case, grounds="facts", evidence=named("late, and in time"))
    on.objected(rejected)


def test_a_reward_does_not_wait_for_a_ledger_that_stood_still(on: Stage) -> None:
    number = on.notified()
    on.stand_still(10 * DAY_MS)
    assert (settled(on, number), on.balance()) == ("Effective", 10)


def test_with_a_call_a_day_the_time_to_object_is_as_long_as_it_was_told() -> None:
    on = Stage(LAW)
    number = on.notified("dumping", 1)
    closes = on.entry(number)["closes_at"]
    on.wait_until(closes - 1)
    refused(on, STRANGER, LEDGER, "settle", "may object", number=number)
    on.wait(ms=1)
    assert settled(on, number) == "Effective"


def test_validators_that_are_down_for_days_do_not_take_the_time_to_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of four are down: no block comes. When they are back, the first call finds that the time is not over."""
    monkeypatch.setattr(streets, "CLOCKS", (*streets.CLOCKS, "quiet_ms"))
    with Network.simulated(validators=4, seed=5, clock="wall", identity=True) as net:
        street = streets.Street(net, {}, Random(5).randbytes)
        street.open()
        street.join(RESIDENT)
        (number,) = street.notify([(RESIDENT, *streets.MIXED)])
        told = net.view(LEDGER, "entry", {"number": number})["closes_at"]
        for node in ("node-1", "node-2"):
            net.crash(node)
        height = net.height()
        net.pass_time(10 * street.day_ms)
        assert net.height() == height
        seen = street.look()
        for node in ("node-1", "node-2"):
            net.restart(node)
        assert street.settle(RESIDENT, [number]).result == "Notified"
        head = net.head()
        assert head is not None
        assert head.time_ms > told, "it would have been over"
        closes = net.view(LEDGER, "entry", {"number": number})["closes_at"]
        assert closes - head.time_ms > 3 * street.day_ms
        page = Points(workshop, street.residents)
        page.show(Snapshot(height, "", head.time_ms, street.names(), seen))
        assert page.clocks(seen.entries[0])["closes"] == closes, "the page knew before anybody called"
        street.object_to(RESIDENT, number, "not-me", "Somebody else used my bin.")
        assert net.view(LEDGER, "entry", {"number": number})["state"] == "Objected"
