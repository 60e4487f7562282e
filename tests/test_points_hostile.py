"""Attacks on the contribution points, by people with a key and a task: what they try is refused, or in vain."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from minichain.errors import CallFailed
from minichain.scenarios.points.figures import audit, worklist
from minichain.scenarios.points.harms import ROBOT
from minichain.scenarios.points.presets import DAY_MS, preset, rules_of
from minichain.scenarios.points.staging import Stage
from minichain.scenarios.points.story import (
    ACCOUNTS,
    ACCREDITOR,
    APPEALS,
    ASSISTED,
    CASES,
    CATALOGUE,
    CHAIR,
    DESK,
    ELDER,
    EVIDENCE,
    IDENTITY,
    INTAKE,
    LABORATORY,
    LEDGER,
    MEMBER,
    OWNER,
    PANEL,
    PROVIDER,
    RECORDER,
    REDEMPTION,
    RESIDENT,
    REVIEWER,
    SCALE,
    TREASURER,
    VERIFIER,
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


# --- entries -----------------------------------------------------------------------------------------------------


def test_a_false_record_that_was_rejected_uses_nothing_up(on: Stage) -> None:
    on.adopt(
        on.rule(code="course", unit="item", per=1, evidence="document", cooldown_ms=7 * DAY_MS, per_day=5, points=5)
    )
    told = on.event("course", 1)
    false = on.do(RECORDER, INTAKE, "record", **told)
    on.do(VERIFIER, INTAKE, "reject", number=false, reasons=named("nobody came"))
    again = on.event("course", 1, evidence=told["evidence"])
    refused(on, RECORDER, INTAKE, "record", "it counts once", **again)
    on.do(RESIDENT, LEDGER, "settle", number=false)  # who agrees with a rejection need not wait
    number = on.recorded("course", 1, evidence=told["evidence"])
    assert on.entry(number)["delta"] == 5, "neither the cap, nor the cooldown, nor the evidence is gone"


def test_a_reward_that_was_not_theirs_leaves_its_evidence_to_whose_it_is(on: Stage) -> None:
    on.join("Resident 2")
    told = on.event()
    number = on.notified(evidence=told["evidence"])
    on.decided(on.objected(number, grounds="not-me"), "Withdrawn")
    assert on.recorded(role="Resident 2", evidence=told["evidence"]) > number


def test_a_drop_that_was_recorded_under_a_wrong_rule_is_recorded_again() -> None:
    on = Stage()
    enrolled(on)
    on.adopt(on.rule(code="other-waste", points=1, per=1_000_000))
    on.do(SCALE, EVIDENCE, "weigh", **drop(on))
    wrong = on.do(RECORDER, INTAKE, "record_drop", drop="drop-1", code="other-waste")
    on.do(VERIFIER, INTAKE, "reject", number=wrong, reasons=named("kitchen waste"))
    on.wait(days=5)
    on.do(STRANGER, LEDGER, "settle", number=wrong)
    right = on.do(RECORDER, INTAKE, "record_drop", drop="drop-1", code="kitchen-waste")
    assert on.entry(right)["delta"] == 5


def test_a_drop_whose_load_never_arrived_does_not_become_points_by_waiting_and_may_be_rejected_late() -> None:
    on = Stage()
    enrolled(on)
    for code, manifest in (("drop-1", ""), ("drop-2", "HH-00000000")):
        on.do(SCALE, EVIDENCE, "weigh", **drop(on, drop=code, manifest=manifest))
        number = on.do(RECORDER, INTAKE, "record_drop", drop=code, code="kitchen-waste")
        on.wait(days=6)
        assert not on.attempt(STRANGER, INTAKE, "lapse", number=number).ok
        on.do(VERIFIER, INTAKE, "reject", number=number, reasons=named("nothing came to the plant"))


def enrolled(on: Stage, office: str = RECORDER) -> None:
    """Enrol the scale at an office, with an accreditor and a laboratory that the office's friends have founded."""
    for role in (office, ACCREDITOR):
        on.do(role, IDENTITY, "found", name=role, services=[])
    year = {"valid_from": 0, "valid_until": on.box.now_ms + 365 * DAY_MS}
    offer = {"device": on.did(SCALE), "model": "Scale", "serial": bytes(32), "accreditor": on.did(ACCREDITOR)}
    on.do(office, IDENTITY, "enrol", **offer)
    on.do(SCALE, IDENTITY, "join", organisation=on.did(office))
    on.do(ACCREDITOR, IDENTITY, "grant_role", did=on.did(LABORATORY), role="laboratory", **year)
    on.do(LABORATORY, IDENTITY, "certify", device=on.did(SCALE), digest=bytes(32), **year)


def drop(on: Stage, **changes: Any) -> dict[str, Any]:
    return {"drop": "drop-1", "account": on.did(RESIDENT), "grams": 5_000, "zone": "street-1", **changes}


def test_a_scale_of_another_place_weighs_nothing_here(on: Stage) -> None:
    enrolled(on, STRANGER)
    refused(on, SCALE, EVIDENCE, "weigh", "is of no office that records here", **drop(on))


@pytest.mark.parametrize("changes", [{"manifest": "call 138 0000 0000"}, {"zone": "call-138-0000-0000"}])
def test_no_telephone_number_comes_in_beside_a_weight(changes: dict[str, str], on: Stage) -> None:
    enrolled(on)
    words = "telephone number" if "zone" in changes else "the number of a manifest has"
    refused(on, SCALE, EVIDENCE, "weigh", words, **drop(on, **changes))


def test_no_telephone_number_comes_in_as_a_zone_or_a_service(on: Stage) -> None:
    words = "a zone looks like a telephone number"
    refused(on, RECORDER, INTAKE, "record", words, **on.event(zone="138-0000-0000"))
    on.join("Resident 2", offers=True)
    told = {"account": on.did("Resident 2"), "service": "call-138-0000-0000", "until": on.box.now_ms + 1}
    refused(on, PROVIDER, ACCOUNTS, "offer", "1 to 40 of a-z and dash", **told)


def test_nobody_verifies_what_they_earn_themselves(on: Stage) -> None:
    on.assist(ELDER)
    for role in (RESIDENT, ASSISTED):
        on.grant(role, "verifier")
    for role, resident in ((RESIDENT, RESIDENT), (ASSISTED, ELDER)):
        number = on.recorded(role=resident)
        refused(on, role, INTAKE, "verify", "another person has to", number=number)


def test_a_key_whose_task_was_revoked_starts_no_clock_and_a_successor_does(on: Stage) -> None:
    number = on.verified()
    for role, task in ((RECORDER, "recorder"), (VERIFIER, "verifier")):
        on.do(OWNER, CATALOGUE, "revoke_role", role=task, account=on.did(role))
        refused(on, role, INTAKE, "notify", "tells the resident", number=number, notice=named("n"))
    on.grant("Street office D", "recorder")
    assert on.do("Street office D", INTAKE, "notify", number=number, notice=named("n")) == "Notified"


def test_what_somebody_has_looked_at_stays_on_record(on: Stage) -> None:
    on.recorded(zone="street-1")
    number = on.recorded(zone="street-9")
    on.do(VERIFIER, INTAKE, "verify", number=number, looked_at=named("two sheets"))
    assert on.entry(number)["looked_at"] == named("two sheets")


def test_bad_behaviour_is_not_put_on_record_as_a_reward_of_nothing() -> None:
    on = Stage("hailin")
    on.adopt(on.rule(code="jaywalking", points=0))
    refused(on, RECORDER, INTAKE, "record", "gives no points", **on.event("jaywalking"))


# --- rules -------------------------------------------------------------------------------------------------------


def test_a_version_that_begins_in_the_moment_of_a_deed_does_not_judge_it(on: Stage) -> None:
    number = on.notified(amount=60)
    version = {**rules_of(on.preset, on.box.now_ms)[1], "points": 1}
    proposed = on.do(CHAIR, CATALOGUE, "propose", rule=version)
    refused(on, MEMBER, CATALOGUE, "adopt", "a rule never reaches back", number=proposed)
    on.adopt({**version, "effective_from": on.box.now_ms + 1})
    on.decided(on.objected(number, claim=120), "Amended", amount=120)
    assert on.entry(number)["delta"] == 20


@pytest.mark.parametrize(
    ("term", "words"),
    [
        ({"ends_after": 0}, "a negative entry of each severity ends"),
        ({"ends_after": -1}, "a negative entry of each severity ends"),
        ({"ends_after": 10**15}, "a negative entry of each severity ends"),
        ({"repair_after": 3}, "a negative entry of each severity ends"),
        ({"repair_after": -1}, "a negative entry of each severity ends"),
        ({"is_published": True}, "a minor entry is not published"),
    ],
)
def test_a_term_without_an_end_or_a_repair_is_none(term: dict[str, Any], words: str) -> None:
    made = preset("training")
    terms = {"minor": {**made.scheme["terms"]["minor"], **term}}
    with pytest.raises(CallFailed, match=words):
        Stage(replace(made, scheme={**made.scheme, "terms": terms}))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"review_days": 100_000}, "every clock of a scheme"),
        ({"utc_offset": 10**15}, "a calendar is within a day of UTC"),
        ({"ceiling": -1}, "the figures of a scheme are not negative"),
    ],
)
def test_a_clock_that_never_runs_out_is_none(changes: dict[str, int], words: str) -> None:
    made = preset("training")
    with pytest.raises(CallFailed, match=words):
        Stage(replace(made, scheme={**made.scheme, **changes}))


@pytest.mark.parametrize("figure", ["expires_after", "per_day", "cooldown_ms"])
def test_no_figure_of_a_rule_stops_the_entries_under_it(figure: str, on: Stage) -> None:
    refused(on, CHAIR, CATALOGUE, "propose", "the figures of a rule", rule=on.rule(**{figure: 2**62}))


def test_no_version_that_begins_after_the_scheme_keeps_the_next_one_away(on: Stage) -> None:
    ends = on.ask(CATALOGUE, "scheme")["effective_until"]
    words = "a rule begins while the scheme lasts"
    refused(on, CHAIR, CATALOGUE, "propose", words, rule=on.rule(code="service-hour", effective_from=ends))


# --- accounts ----------------------------------------------------------------------------------------------------


def test_one_desk_alone_makes_no_residents(on: Stage) -> None:
    on.grant(ASSISTED, "registrar")
    told = {"account": on.did(ELDER), "consent": on.consents.keep({"consent": ELDER})}
    on.do(ASSISTED, ACCOUNTS, "open_assisted", **told)
    words = "who acts for an account does not confirm it"
    refused(on, ASSISTED, ACCOUNTS, "confirm", words, account=on.did(ELDER), is_adult=True)
    on.do(DESK, ACCOUNTS, "confirm", account=on.did(ELDER), is_adult=True)


def test_after_withdrawal_no_guardian_is_put_on_record(on: Stage) -> None:
    on.join("Resident 2", guardian="Guardian")
    on.do("Resident 2", ACCOUNTS, "withdraw", account=on.did("Resident 2"))
    told = {"account": on.did("Resident 2"), "consent": on.consents.keep({"guardian": "again"})}
    refused(on, "Guardian", ACCOUNTS, "agree", "this resident has withdrawn", **told)


# --- redemption --------------------------------------------------------------------------------------------------


def fulfilled(on: Stage) -> int:
    on.effective()
    on.stocked()
    number = on.ordered()
    on.do(TREASURER, REDEMPTION, "reserve", number=number)
    on.do(PROVIDER, REDEMPTION, "fulfil", number=number, proof=named("slip"))
    return number


def test_no_points_are_taken_from_who_has_withdrawn(on: Stage) -> None:
    on.effective()
    on.stocked()
    number = on.ordered()
    on.do(RESIDENT, ACCOUNTS, "withdraw", account=on.did(RESIDENT))
    refused(on, TREASURER, REDEMPTION, "reserve", "this resident has withdrawn", number=number)
    on.do(RESIDENT, REDEMPTION, "cancel", number=number)


def test_a_dispute_that_nobody_decides_is_decided_for_the_resident(on: Stage) -> None:
    number = fulfilled(on)
    on.do(RESIDENT, REDEMPTION, "dispute", number=number)
    words = "anybody else only when it is overdue"
    refused(on, STRANGER, REDEMPTION, "cancel", words, number=number)
    refused(on, RESIDENT, REDEMPTION, "cancel", words, number=number)
    on.wait(days=6)
    on.do(STRANGER, REDEMPTION, "cancel", number=number)
    assert (on.balance(), on.ask(REDEMPTION, "pool")["paid"]) == (10, 0)


def test_a_dispute_is_raised_in_time_decided_by_another_person_and_once(on: Stage) -> None:
    number = fulfilled(on)
    on.do(RESIDENT, REDEMPTION, "dispute", number=number)
    told = {"number": number, "is_refunded": False, "reasons": named("the slip is signed")}
    on.grant(RESIDENT, "reviewer")
    refused(on, RESIDENT, REDEMPTION, "decide", "who handled an order", **told)
    on.box.deploy(ROBOT, sender=on.did(OWNER), name="robot")
    on.do(OWNER, CATALOGUE, "grant_role", role="reviewer", account="robot")
    deed = {"contract": REDEMPTION, "deed": "decide", "arguments": told}
    refused(on, STRANGER, "robot", "act", "a person decides and signs", **deed)
    on.do(REVIEWER, REDEMPTION, "decide", **told)
    order = on.ask(REDEMPTION, "order", number=number)
    assert (order["decided_by"], order["reasons"]) == (on.did(REVIEWER), told["reasons"])
    refused(on, RESIDENT, REDEMPTION, "dispute", "was decided", number=number)
    late = fulfilled(on)
    on.wait(days=31)
    refused(on, RESIDENT, REDEMPTION, "dispute", "is disputed until", number=late)


# --- who has withdrawn, and what is counted ------------------------------------------------------------------------


def test_after_withdrawal_an_entry_goes_no_further_and_is_no_task_any_more(on: Stage) -> None:
    on.join("Resident 2")
    recorded, verified, notified = on.recorded(), on.verified(), on.notified()
    other = on.recorded(role="Resident 2")
    on.do(RESIDENT, ACCOUNTS, "withdraw", account=on.did(RESIDENT))
    words = "this resident has withdrawn"
    refused(on, VERIFIER, INTAKE, "verify", words, number=recorded)
    refused(on, RECORDER, INTAKE, "notify", words, number=verified, notice=named("n"))
    on.wait(days=6)
    refused(on, STRANGER, LEDGER, "settle", words, number=notified)
    assert [task.number for task in worklist(on.ask, on.box.now_ms)] == [other]


def test_accounts_that_nobody_has_confirmed_hide_nobody_in_an_audit(on: Stage) -> None:
    for number in range(9):
        on.do(f"Invented {number}", ACCOUNTS, "open", consent=on.consents.keep({"invented": number}))
    found = audit(on.ask)
    assert (found.accounts, found.gini_permille) == (None, None)


def test_few_residents_are_not_told_by_subtraction_either(on: Stage) -> None:
    for number in range(10):
        on.assist(f"Neighbour {number}")
    found = audit(on.ask)
    assert (found.accounts, found.assisted) == (11, None), "else one of eleven is known to have a device"


# --- a hundred of everything -------------------------------------------------------------------------------------


def test_a_committee_does_not_stop_old_entries_by_a_hundred_new_versions(on: Stage) -> None:
    """Else each version makes judging dearer, until no transaction can pay for settling what is open."""

    def gas() -> int:
        told = {"code": "service-hour", "amount": 60, "at": on.box.now_ms}
        outcome = on.box.view("", CATALOGUE, "judged", told)
        assert outcome.result["rule"]["version"] == 1
        return outcome.gas

    before = gas()
    for later in range(1, 101):
        on.adopt(rules_of(on.preset, on.box.now_ms + later)[1])
    assert gas() < 3 * before
    for later in (1, 50, 100):
        rule = on.ask(CATALOGUE, "rule_at", code="service-hour", at=on.box.now_ms + later)
        assert rule["version"] == later + 1


def test_an_account_with_a_hundred_entries_pays_no_more_for_the_next(on: Stage) -> None:
    def gas() -> int:
        return on.attempt(RECORDER, INTAKE, "record", **on.event()).gas

    on.recorded()
    before = gas()
    for _ in range(100):
        on.recorded()
    assert gas() <= before + before // 50
