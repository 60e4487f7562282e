"""What the contracts of the contribution points refuse, each with the clause in words that an official understands."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from minichain.errors import CallFailed, UsageError
from minichain.scenarios.points.presets import DAY_MS, preset, presets, rules_of
from minichain.scenarios.points.staging import Stage
from minichain.scenarios.points.story import (
    ACCOUNTS,
    APPEALS,
    ASSISTED,
    CASES,
    CATALOGUE,
    CHAIR,
    DESK,
    ELDER,
    GIVING,
    INTAKE,
    LEDGER,
    MEMBER,
    OWNER,
    PANEL,
    PROVIDER,
    RECORDER,
    REDEMPTION,
    RESIDENT,
    REVIEWER,
    TREASURER,
    VERIFIER,
    named,
)

LAW = "cn_2025"
ENTRY = {
    **{"account": "x", "kind": "reward", "delta": 9, "state": "Effective", "recorded_at": 1, "by": "x"},
    **{"flags": [], "rejected_by": []},
}
CHILD, PARENT, STRANGER = "Resident 2", "Guardian", "Stranger"


def refused(on: Stage, role: str, contract: str, action: str, words: str, /, **args: Any) -> None:
    before = on.box.state.root
    outcome = on.attempt(role, contract, action, **args)
    assert (outcome.outcome, words in outcome.error) == ("reverted", True), (outcome.outcome, outcome.error)
    assert on.box.state.root == before, "nothing is lost and nothing is changed"


@pytest.fixture
def on() -> Stage:
    return Stage()


# --- tasks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("contract", "action", "role", "args"),
    [
        (CATALOGUE, "propose", "committee", {"rule": {}}),
        (CATALOGUE, "adopt", "committee", {"number": 1}),
        (ACCOUNTS, "confirm", "registrar", {"account": "x", "is_adult": True}),
        (ACCOUNTS, "open_assisted", "assistant", {"account": "x", "consent": "y"}),
        (ACCOUNTS, "offer", "provider", {"account": "x", "service": "y", "until": 1}),
        (ACCOUNTS, "ask", "provider", {"account": "x", "use": "y"}),
        (INTAKE, "record_drop", "recorder", {"drop": "x", "code": "y"}),
        (INTAKE, "verify", "verifier", {"number": 1}),
        (INTAKE, "reject", "verifier", {"number": 1, "reasons": "x"}),
        (CASES, "decide", "reviewer", {"number": 1, "outcome": "x", "reasons": "y"}),
        (CASES, "seat", "appeals", {"number": 1, "members": []}),
        (REDEMPTION, "fund", "treasurer", {"amount": 1, "reference": "x"}),
        (REDEMPTION, "reserve", "treasurer", {"number": 1}),
        (REDEMPTION, "fulfil", "provider", {"number": 1, "proof": "x"}),
        (REDEMPTION, "decide", "reviewer", {"number": 1, "is_refunded": True, "reasons": "x"}),
    ],
)
def test_who_has_no_task_does_nothing(contract: str, action: str, role: str, args: dict[str, Any], on: Stage) -> None:
    if "rule" in args:
        args = {"rule": on.rule()}
    refused(on, STRANGER, contract, action, f"only the role {role} may do this", **args)


@pytest.mark.parametrize(
    ("action", "args", "name"),
    [
        ("suspend", {"number": 1, "case": 1, "state": "Objected"}, "cases"),
        ("resolve", {"number": 1, "outcome": "Withdrawn", "amount": 0, "appeal_ms": 0}, "cases"),
        ("repair", {"number": 1, "state": "Repaired"}, "cases"),
        ("enter", {"entry": ENTRY, "judged": {}, "zone": ""}, "intake"),
        ("bring", {"number": 1, "entry": ENTRY}, "intake"),
        ("spend", {"account": "x", "points": 1, "order": "y"}, "redemption"),
        ("refund", {"account": "x", "points": 1, "order": "y"}, "redemption"),
    ],
)
def test_what_one_contract_asks_of_another_nobody_else_may_ask(
    action: str, args: dict[str, Any], name: str, on: Stage
) -> None:
    refused(on, OWNER, LEDGER, action, f"only the contract of {name} does this", **args)


# --- rules -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"points": -5, "basis": "community"}, "a negative rule needs its law"),
        ({"points": -5, "severity": "deadly"}, "a negative rule needs its law"),
        ({"points": 5, "severity": "general", "basis": "law"}, "a rule with a severity gives no points"),
        ({"code": "Five points!"}, "has 1 to 40 of a-z, 0-9 and dash"),
        ({"basis": "habit"}, "rests on law or on the agreement of a community"),
        ({"basis_reference": " "}, "the basis of a rule is said in 1 to 200 characters"),
        ({"evidence": "hearsay"}, "the evidence of a rule is one of"),
        ({"per": 0}, "counts by one unit or more"),
        ({"points": 2_000_000}, "at most 1000000 points"),
        ({"whom": "family"}, "never a family or a group"),
    ],
)
def test_a_rule_that_is_none_is_not_proposed(changes: dict[str, Any], words: str) -> None:
    on = Stage(LAW)
    refused(on, CHAIR, CATALOGUE, "propose", words, rule=on.rule(**changes))


def test_a_rule_never_reaches_back_and_what_happened_is_judged_by_the_rule_of_its_day(on: Stage) -> None:
    happened = on.box.now_ms
    on.wait(days=10)
    version = on.adopt({**rules_of(on.preset, on.box.now_ms + 1)[1], "points": 1})
    on.wait(ms=1)
    assert version == 2
    old = on.entry(on.recorded(amount=60, occurred_at=happened))
    new = on.entry(on.recorded(amount=60))
    assert (old["version"], old["delta"]) == (1, 10)
    assert (new["version"], new["delta"]) == (2, 1)
    number = on.do(CHAIR, CATALOGUE, "propose", rule=on.rule(effective_from=happened))
    refused(on, MEMBER, CATALOGUE, "adopt", "a rule never reaches back", number=number)
    number = on.do(CHAIR, CATALOGUE, "propose", rule=on.rule(code="service-hour", effective_from=on.box.now_ms + 1))
    on.do(MEMBER, CATALOGUE, "adopt", number=number)
    number = on.do(CHAIR, CATALOGUE, "propose", rule=on.rule(code="service-hour", effective_from=on.box.now_ms + 1))
    refused(on, MEMBER, CATALOGUE, "adopt", "begins after the one before it", number=number)
    with pytest.raises(UsageError, match="not in force then"):
        on.ask(CATALOGUE, "judged", code="service-hour", amount=60, at=happened - 1)
    with pytest.raises(UsageError, match="the catalogue is closed and has no rule jaywalking"):
        on.ask(CATALOGUE, "judged", code="jaywalking", amount=1, at=on.box.now_ms)


def test_one_hand_does_not_make_a_rule_and_no_rule_is_adopted_twice(on: Stage) -> None:
    number = on.do(CHAIR, CATALOGUE, "propose", rule=on.rule())
    refused(on, CHAIR, CATALOGUE, "adopt", "another member has to", number=number)
    on.do(MEMBER, CATALOGUE, "adopt", number=number)
    refused(on, MEMBER, CATALOGUE, "adopt", "or it was adopted", number=number)


@pytest.mark.parametrize("name", presets())
def test_the_presets_give_the_points_they_say(name: str) -> None:
    on = Stage(name)
    made = on.preset
    for vector in made.vectors:
        judged = on.ask(CATALOGUE, "judged", code=vector["code"], amount=vector["amount"], at=on.box.now_ms)
        assert judged["points"] == vector["points"], vector["say"]
    assert made.source
    assert made.as_of


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"basis": "habit"}, "rests on law or on the agreement"),
        ({"objection_days": 0}, "every clock of a scheme leaves people time"),
        ({"basis": "community", "rewards_only": False}, "only a law lets a scheme take something away"),
        ({"lasts_days": -1}, "and ends"),
    ],
)
def test_a_scheme_without_basis_or_time_does_not_begin(changes: dict[str, Any], words: str) -> None:
    made = preset("training")
    with pytest.raises(CallFailed, match=words):
        Stage(replace(made, scheme={**made.scheme, **changes}))


# --- who takes part ----------------------------------------------------------------------------------------------


def test_nobody_takes_part_without_consent_and_no_child_without_a_guardian(on: Stage) -> None:
    refused(on, CHILD, ACCOUNTS, "open", "nobody takes part without consent", consent="yes")
    used = on.ask(ACCOUNTS, "account", account=on.did(RESIDENT))["consent"]
    refused(on, CHILD, ACCOUNTS, "open", "each resident gives their own", consent=used)
    told = {"consent": on.consents.keep({"consent": CHILD}), "guardian": on.did(PARENT)}
    on.do(CHILD, ACCOUNTS, "open", **told)
    refused(on, DESK, ACCOUNTS, "confirm", "only when a guardian has agreed", account=on.did(CHILD), is_adult=False)
    refused(on, RECORDER, INTAKE, "record", "is not confirmed yet", **on.event(role=CHILD))
    agreed = {"account": on.did(CHILD), "consent": on.consents.keep({"guardian": PARENT})}
    refused(on, STRANGER, ACCOUNTS, "agree", "only the guardian whom this account names", **agreed)
    on.do(PARENT, ACCOUNTS, "agree", **agreed)
    on.do(DESK, ACCOUNTS, "confirm", account=on.did(CHILD), is_adult=False)
    refused(on, DESK, ACCOUNTS, "confirm", "is confirmed", account=on.did(CHILD), is_adult=False)
    assert on.ask(ACCOUNTS, "acts_for", account=on.did(CHILD), who=on.did(PARENT))
    on.objected(on.notified(role=CHILD), role=PARENT)


def test_the_desk_acts_for_whom_it_assists_and_for_nobody_else(on: Stage) -> None:
    on.assist(ELDER)
    on.objected(on.notified(role=ELDER), role=ASSISTED)
    own = on.notified()
    words = "only the resident, a guardian or the assisted desk"
    told = {"entry": own, "grounds": "facts", "evidence": named("x")}
    refused(on, ASSISTED, CASES, "object", words, **told)
    refused(on, STRANGER, CASES, "object", words, **told)
    refused(on, STRANGER, ACCOUNTS, "withdraw", words, account=on.did(RESIDENT))
    refused(on, ASSISTED, ACCOUNTS, "open_assisted", "never by a name", account="Lin", consent="")


def test_withdrawal_closes_the_account_for_good_and_nothing_is_recorded_any_more(on: Stage) -> None:
    number = on.notified()
    on.do(RESIDENT, ACCOUNTS, "withdraw", account=on.did(RESIDENT))
    account = on.ask(ACCOUNTS, "account", account=on.did(RESIDENT))
    on.consents.erase(account["consent"])
    with pytest.raises(UsageError, match="it was erased"):
        on.consents.read(account["consent"])
    words = "this resident has withdrawn"
    refused(on, RECORDER, INTAKE, "record", words, **on.event())
    on.wait(days=6)
    refused(on, RECORDER, LEDGER, "settle", words, number=number)
    refused(on, RESIDENT, ACCOUNTS, "withdraw", words, account=on.did(RESIDENT))
    refused(on, PROVIDER, ACCOUNTS, "ask", words, account=on.did(RESIDENT), use="goods")
    told = {"consent": on.consents.keep({"again": 1})}
    refused(on, RESIDENT, ACCOUNTS, "open", "who comes back takes a new key", **told)


def test_services_come_to_who_agreed_and_declining_costs_nothing(on: Stage) -> None:
    told = {"account": on.did(RESIDENT), "service": "window-cleaning", "until": on.box.now_ms + DAY_MS}
    refused(on, PROVIDER, ACCOUNTS, "offer", "has not agreed to be offered services", **told)
    on.do(RESIDENT, ACCOUNTS, "accept_offers", account=on.did(RESIDENT), offers=True)
    refused(on, PROVIDER, ACCOUNTS, "offer", "ends in the future", **{**told, "until": on.box.now_ms})
    refused(on, PROVIDER, ACCOUNTS, "offer", "1 to 40 of a-z and dash", **{**told, "service": "call-138-0000-0000"})
    first, second, third = (on.do(PROVIDER, ACCOUNTS, "offer", **told) for _ in range(3))
    on.effective()
    balance = on.balance()
    refused(on, RESIDENT, ACCOUNTS, "answer", "this offer has ended", number=third, is_accepted=True)
    on = Stage()
    on.join(ELDER, offers=True)
    told = {"account": on.did(ELDER), "service": "window-cleaning", "until": on.box.now_ms + DAY_MS}
    first, second = (on.do(PROVIDER, ACCOUNTS, "offer", **told) for _ in range(2))
    on.do(ELDER, ACCOUNTS, "answer", number=first, is_accepted=False)
    on.do(ELDER, ACCOUNTS, "answer", number=second, is_accepted=True)
    refused(on, PROVIDER, ACCOUNTS, "deliver", "offer 1 is Declined", number=first)
    on.do(PROVIDER, ACCOUNTS, "deliver", number=second)
    assert (balance, on.balance(ELDER)) == (10, 0)
    assert [one["state"] for one in on.ask(ACCOUNTS, "offers_to", account=on.did(ELDER))] == ["Declined", "Delivered"]


def test_points_are_asked_for_within_the_purpose_only_and_the_resident_sees_who_asked(on: Stage) -> None:
    for use in ("employment", "credit-check", "health"):
        refused(on, PROVIDER, ACCOUNTS, "ask", "points are not for", account=on.did(RESIDENT), use=use)
    on.do(PROVIDER, ACCOUNTS, "ask", account=on.did(RESIDENT), use="service-planning")
    (asked,) = on.ask(ACCOUNTS, "who_asked", account=on.did(RESIDENT))
    assert (asked["by"], asked["use"]) == (on.did(PROVIDER), "service-planning")


# --- entries -----------------------------------------------------------------------------------------------------


def test_the_same_event_again_changes_nothing_and_another_one_under_its_code_is_refused(on: Stage) -> None:
    told = on.event()
    number = on.do(RECORDER, INTAKE, "record", **told)
    assert on.do(RECORDER, INTAKE, "record", **told) == number
    assert len(on.ask(LEDGER, "entries_of", account=on.did(RESIDENT))) == 1
    refused(on, RECORDER, INTAKE, "record", "and says something else", **{**told, "amount": 600})
    words = "this evidence was used for entry 1: it counts once"
    refused(on, RECORDER, INTAKE, "record", words, **on.event(evidence=told["evidence"]))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"amount": 0}, "an amount is more than nothing"),
        ({"amount": -60}, "an amount is more than nothing"),
        ({"evidence": "a photograph of the person"}, "64 small hex digits"),
        ({"event": "call 138 0000 0000"}, "has 1 to 40 of a-z, 0-9 and dash"),
        ({"event": "call-138-0000-0000"}, "looks like a telephone number"),
        ({"code": "kitchen-waste"}, "counts what a device weighed"),
        ({"code": "jaywalking"}, "the catalogue is closed"),
        ({"zone": "Canal Street 7"}, "a zone has 1 to 40"),
    ],
)
def test_what_is_no_event_is_not_recorded(changes: dict[str, Any], words: str, on: Stage) -> None:
    refused(on, RECORDER, INTAKE, "record", words, **on.event(**changes))


def test_what_has_not_happened_yet_and_what_happened_before_the_scheme_does_not_count(on: Stage) -> None:
    later, earlier = on.box.now_ms + 1, on.box.now_ms - 1
    refused(on, RECORDER, INTAKE, "record", "what is recorded has happened", **on.event(occurred_at=later))
    refused(on, RECORDER, INTAKE, "record", "the scheme was not in force", **on.event(occurred_at=earlier))


def test_an_entry_goes_its_way_step_by_step_and_none_twice(on: Stage) -> None:
    number = on.recorded()
    refused(on, RECORDER, INTAKE, "notify", "is Recorded", number=number, notice=named("n"))
    refused(on, RECORDER, LEDGER, "settle", "is Recorded", number=number)
    refused(on, VERIFIER, INTAKE, "verify", "64 small hex digits", number=number, decision="because")
    on.do(VERIFIER, INTAKE, "verify", number=number)
    refused(on, VERIFIER, INTAKE, "verify", "is Verified", number=number)
    refused(on, VERIFIER, INTAKE, "reject", "is Verified", number=number, reasons=named("r"))
    refused(on, STRANGER, INTAKE, "notify", "records or verifies tells the resident", number=number, notice=named("n"))
    refused(on, RECORDER, INTAKE, "notify", "64 small hex digits", number=number, notice="you lose")
    on.do(VERIFIER, INTAKE, "notify", number=number, notice=named("n"))
    closes = on.entry(number)["closes_at"]
    on.wait_until(closes - 1)
    refused(on, STRANGER, LEDGER, "settle", f"may object or appeal until {closes}", number=number)
    on.wait(ms=1)
    on.do(STRANGER, LEDGER, "settle", number=number)
    refused(on, STRANGER, LEDGER, "settle", "is Effective", number=number)
    refused(on, STRANGER, LEDGER, "expire", "ends at", number=number)
    assert on.balance() == 10


def test_who_recorded_verifies_nothing_of_it_whatever_else_they_may(on: Stage) -> None:
    on.grant(RECORDER, "verifier")
    number = on.recorded()
    for action, told in (("verify", {}), ("reject", {"reasons": named("r")})):
        refused(on, RECORDER, INTAKE, action, "another person has to", number=number, **told)


def test_an_activity_that_ended_in_a_complaint_counts_nothing() -> None:
    on = Stage("hailin")
    number = on.rejected(amount=120)
    on.wait(days=99)
    assert on.do(RECORDER, LEDGER, "settle", number=number) == "Dismissed"
    assert on.balance() == 0


def test_a_negative_entry_needs_a_decision_and_leaves_no_debt(on: Stage) -> None:
    number = on.recorded("mixed-waste", 1)
    refused(on, VERIFIER, INTAKE, "verify", "a negative entry needs a person's decision", number=number)
    on.do(VERIFIER, INTAKE, "verify", number=number, decision=named("decision"))
    on.do(VERIFIER, INTAKE, "notify", number=number, notice=named("notice"))
    on.wait(days=6)
    on.do(STRANGER, LEDGER, "settle", number=number)
    assert (on.balance(), on.entry(number)["delta"]) == (0, 0)


def test_who_was_in_two_zones_at_once_is_looked_at_by_a_person_and_not_punished(on: Stage) -> None:
    on.recorded(zone="street-1")
    on.wait(minutes=5)
    number = on.recorded(zone="street-9")
    assert on.entry(number)["flags"] == ["in two zones at once"]
    refused(on, VERIFIER, INTAKE, "verify", "say with what you have looked at it", number=number)
    on.do(VERIFIER, INTAKE, "verify", number=number, looked_at=named("the two sheets"))
    assert on.entry(number)["delta"] == 10
    on.wait(minutes=31)
    assert on.entry(on.recorded(zone="street-1"))["flags"] == []


def test_a_rule_counts_again_after_its_time(on: Stage) -> None:
    on.adopt(on.rule(code="course", unit="item", per=1, evidence="document", cooldown_ms=7 * DAY_MS, points=5))
    on.recorded("course", 1)
    on.wait(days=6)
    refused(on, RECORDER, INTAKE, "record", "this was too soon", **on.event("course", 1))
    on.wait(days=1)
    assert on.entry(on.recorded("course", 1))["delta"] == 5


def test_points_are_used_before_those_that_end_later_so_only_what_is_left_expires(on: Stage) -> None:
    first = on.effective()  # 10
    second = on.effective(amount=120)  # 20
    on.stocked(points=15)
    number = on.ordered()
    on.do(TREASURER, REDEMPTION, "reserve", number=number)
    assert on.balance() == 15
    on.wait(days=800)
    for entry, left in ((first, 15), (second, 0)):
        on.do(STRANGER, LEDGER, "expire", number=entry)
        assert on.balance() == left
    refused(on, STRANGER, LEDGER, "expire", "is Expired", number=first)


# --- objections, appeals and repairs -----------------------------------------------------------------------------


def test_an_objection_suspends_and_late_is_late(on: Stage) -> None:
    number = on.notified("mixed-waste", 1)
    case = on.objected(number)
    assert on.entry(number)["state"] == "Objected"
    on.wait(days=5)
    refused(on, STRANGER, LEDGER, "settle", "an objection suspends", number=number)
    again = {"entry": number, "grounds": "facts", "evidence": named("again")}
    refused(on, RESIDENT, CASES, "object", "is Objected", **again)
    on.decided(case, "Upheld")
    refused(on, RESIDENT, CASES, "object", "is Upheld", **again)
    late = on.notified()
    on.wait(days=5)
    told = {"entry": late, "grounds": "facts", "evidence": named("late")}
    refused(on, RESIDENT, CASES, "object", "the time to object ended", **told)
    refused(on, RESIDENT, CASES, "object", "the grounds are one of", **{**told, "entry": on.notified(), "grounds": "x"})


def test_nobody_judges_their_own_work(on: Stage) -> None:
    for role in (RECORDER, VERIFIER):
        on.grant(role, "reviewer")
    case = on.objected(on.notified())
    told = {"number": case, "outcome": "Upheld", "reasons": named("r")}
    for role in (RECORDER, VERIFIER):
        refused(on, role, CASES, "decide", "who had a part in this entry", **told)
    refused(on, REVIEWER, CASES, "decide", "a decision is one of", **{**told, "outcome": "Guilty"})
    refused(on, REVIEWER, CASES, "decide", "the reasons of a decision", **{**told, "reasons": "no"})
    on.do(REVIEWER, CASES, "decide", **told)
    refused(on, REVIEWER, CASES, "decide", "is Decided", **told)


def test_what_is_amended_is_judged_again_by_the_same_rule_and_never_for_the_worse(on: Stage) -> None:
    number = on.notified(amount=60)
    on.wait(days=1)
    on.adopt({**rules_of(on.preset, on.box.now_ms + 1)[1], "points": 1})
    on.wait(ms=1)
    on.decided(on.objected(number, grounds="amount", claim=120), "Amended", amount=120)
    assert on.entry(number)["delta"] == 20
    other = on.notified(amount=180)
    on.decided(on.objected(other, grounds="amount"), "Amended", amount=60)
    assert on.entry(other)["delta"] == 3
    on.wait(days=5)
    on.do(STRANGER, LEDGER, "settle", number=number)
    assert on.balance() == 20


@pytest.mark.parametrize(
    ("code", "amount", "delta", "state"), [("mixed-waste", 1, -10, "Withdrawn"), ("service-hour", 60, 10, "Final")]
)
def test_who_does_not_decide_in_time_has_decided_for_the_resident(
    code: str, amount: int, delta: int, state: str, on: Stage
) -> None:
    number = on.notified(code, amount)
    case = on.objected(number)
    deadline = on.ask(CASES, "case", number=case)["deadline"]
    on.wait_until(deadline)
    refused(on, STRANGER, CASES, "lapse", "there is time to decide", number=case)
    on.wait(ms=1)
    told = {"number": case, "outcome": "Upheld", "reasons": named("r")}
    refused(on, REVIEWER, CASES, "decide", "it has lapsed in the resident's favour", **told)
    on.do(STRANGER, CASES, "lapse", number=case)
    assert on.ask(CASES, "case", number=case)["state"] == "Lapsed"
    assert (on.entry(number)["state"], on.entry(number)["delta"]) == (state, delta)


def test_what_was_claimed_is_granted_when_nobody_decides(on: Stage) -> None:
    number = on.notified(amount=60)
    case = on.objected(number, grounds="amount", claim=180)
    on.wait(days=6)
    on.do(STRANGER, CASES, "lapse", number=case)
    assert (on.entry(number)["state"], on.entry(number)["delta"]) == ("Amended", 30)
    told = {"entry": on.notified(amount=60), "grounds": "amount", "evidence": named("x")}
    for claim in (-1, 601):
        refused(on, RESIDENT, CASES, "object", "what is claimed is 0 to 600", **told, claim=claim)


def appealed(on: Stage) -> tuple[int, int]:
    number = on.notified("mixed-waste", 1)
    case = on.objected(number)
    on.decided(case, "Upheld")
    on.do(RESIDENT, CASES, "appeal", number=case, grounds="rule", evidence=named("appeal"))
    return number, case


def test_an_appeal_goes_to_an_odd_panel_of_others_and_its_majority_has_the_last_word(on: Stage) -> None:
    number, case = appealed(on)
    seats = [on.did(member) for member in PANEL]
    for members, words in (
        (seats[:2], "an odd number of members"),
        (seats[:1], "an odd number of members"),
        ([*seats[:2], seats[0]], "nobody has two seats"),
        ([*seats[:2], on.did(REVIEWER)], "who had a part in this entry"),
        ([*seats[:2], on.did(STRANGER)], "a panel is made of panellists"),
    ):
        refused(on, APPEALS, CASES, "seat", words, number=case, members=members)
    on.do(APPEALS, CASES, "seat", number=case, members=seats)
    refused(
        on, STRANGER, CASES, "vote", "only a member of the panel", number=case, outcome="Upheld", reasons=named("v")
    )
    on.do(PANEL[0], CASES, "recuse", number=case)
    told = {"number": case, "outcome": "Withdrawn", "reasons": named("v")}
    refused(on, PANEL[1], CASES, "vote", "an odd number of members", **told)
    refused(on, APPEALS, CASES, "seat", "who had a part in this entry", number=case, members=seats)
    on.grant("Panellist 4", "panellist")
    on.do(APPEALS, CASES, "seat", number=case, members=[*seats[1:], on.did("Panellist 4")])
    refused(on, PANEL[1], CASES, "vote", "a panel decides for one of", **{**told, "outcome": "Amended"})
    on.do(PANEL[1], CASES, "vote", **told)
    refused(on, PANEL[1], CASES, "vote", "votes once", **told)
    refused(on, PANEL[1], CASES, "recuse", "who has not voted", number=case)
    refused(on, APPEALS, CASES, "seat", "has begun to vote", number=case, members=seats)
    on.wait(days=9)
    refused(on, STRANGER, LEDGER, "settle", "an objection suspends", number=number)
    on.do(PANEL[2], CASES, "vote", **told)
    assert (on.ask(CASES, "case", number=case)["state"], on.entry(number)["state"]) == ("Closed", "Withdrawn")
    refused(on, STRANGER, LEDGER, "settle", "is Withdrawn", number=number)


def test_a_panel_that_upholds_makes_it_final_and_then_it_takes_effect(on: Stage) -> None:
    on.effective(amount=240)
    number, case = appealed(on)
    on.do(APPEALS, CASES, "seat", number=case, members=[on.did(member) for member in PANEL])
    for member in PANEL[:2]:
        on.do(member, CASES, "vote", number=case, outcome="Upheld", reasons=named("v"))
    assert on.entry(number)["state"] == "Final"
    on.do(STRANGER, LEDGER, "settle", number=number)
    assert on.balance() == 30


def test_an_appeal_in_time_and_a_panel_in_time(on: Stage) -> None:
    number, case = appealed(on)
    on.wait(days=11)
    on.do(STRANGER, CASES, "lapse", number=case)
    assert on.entry(number)["state"] == "Withdrawn"
    other = on.notified("mixed-waste", 1)
    second = on.objected(other)
    on.decided(second, "Upheld")
    on.wait(days=5)
    told = {"number": second, "grounds": "rule", "evidence": named("late")}
    refused(on, RESIDENT, CASES, "appeal", "the time to appeal ended", **told)


def test_the_periods_of_repair_are_those_of_the_calendar() -> None:
    on = Stage(LAW)
    number = on.effective("large-fine", 1)
    told = {"entry": number, "evidence": named("the fine is paid")}
    start = on.entry(number)["effective_at"]
    two, three = (on.ask(CATALOGUE, "months_after", at=start, months=months) for months in (2, 3))
    on.wait_until(two)
    refused(on, RESIDENT, CASES, "ask_repair", "a general entry is repaired after 3 months", **told)
    on.wait_until(three - 1)
    refused(on, RESIDENT, CASES, "ask_repair", "a general entry is repaired after 3 months", **told)
    on.wait_until(three)
    case = on.do(RESIDENT, CASES, "ask_repair", **told)
    refused(on, RESIDENT, CASES, "ask_repair", "is RepairRequested", **told)
    bad = {"number": case, "outcome": "Amended", "reasons": named("r")}
    refused(on, REVIEWER, CASES, "decide", "nothing is amended", **bad)
    on.decided(case, "Upheld")
    assert on.entry(number)["state"] == "RepairRefused"
    on.decided(on.do(RESIDENT, CASES, "ask_repair", **told), "Withdrawn")
    assert on.entry(number)["state"] == "Repaired"
    with pytest.raises(UsageError, match="is Repaired"):
        on.ask(LEDGER, "published", number=number)


def test_a_minor_record_is_shown_to_nobody_and_a_severe_one_ends_by_itself() -> None:
    on = Stage(LAW)
    minor, severe = on.effective("warning", 1), on.effective("licence-withdrawn", 1)
    with pytest.raises(UsageError, match="is not published"):
        on.ask(LEDGER, "published", number=minor)
    ends = on.ask(CATALOGUE, "months_after", at=on.entry(severe)["effective_at"], months=36)
    assert on.ask(LEDGER, "published", number=severe)["until"] == ends
    on.wait_until(ends - 1)
    on.ask(LEDGER, "published", number=severe)
    on.wait(ms=1)
    with pytest.raises(UsageError, match="this entry has ended"):
        on.ask(LEDGER, "published", number=severe)
    on.do(STRANGER, LEDGER, "expire", number=severe)
    assert on.entry(severe)["state"] == "Expired"


def test_a_deduction_that_was_repaired_is_undone_by_a_second_entry_and_nothing_is_deleted(on: Stage) -> None:
    on.effective(amount=240)
    number = on.effective("mixed-waste", 1)
    assert on.balance() == 30
    on.decided(on.do(RESIDENT, CASES, "ask_repair", entry=number, evidence=named("met")), "Withdrawn")
    last = on.ask(LEDGER, "entries_of", account=on.did(RESIDENT))[-1]["entry"]
    assert (last["kind"], last["delta"], last["about"]) == ("reversal", 10, number)
    assert on.balance() == 40


def test_a_deadline_of_a_repair_lapses_in_the_residents_favour_too(on: Stage) -> None:
    number = on.effective("mixed-waste", 1)
    case = on.do(RESIDENT, CASES, "ask_repair", entry=number, evidence=named("met"))
    on.wait(days=6)
    on.do(STRANGER, CASES, "lapse", number=case)
    assert on.entry(number)["state"] == "Repaired"


def test_a_repair_whose_entry_has_ended_meanwhile_closes_quietly(on: Stage) -> None:
    number = on.effective("mixed-waste", 1)
    on.wait(days=88)
    case = on.do(RESIDENT, CASES, "ask_repair", entry=number, evidence=named("met"))
    on.wait(days=10)
    on.do(STRANGER, LEDGER, "expire", number=number)
    on.do(STRANGER, CASES, "lapse", number=case)
    assert on.entry(number)["state"] == "Expired"


# --- redemption --------------------------------------------------------------------------------------------------


def test_hailin_redeems_once_in_a_quarter() -> None:
    on = Stage("hailin")
    for _ in range(6):
        on.effective(amount=180)
    assert on.balance() == 12, "three hours are two points, six times"
    on.stocked(points=2)
    told = {"account": on.did(RESIDENT), "item": "thing"}
    on.ordered()
    for _attempt in ("second", "third"):
        refused(on, RESIDENT, REDEMPTION, "request", "redeems 1 times in a quarter", **told)
    quarter = on.ask(CATALOGUE, "period", kind="quarter", at=on.box.now_ms)
    while on.ask(CATALOGUE, "period", kind="quarter", at=on.box.now_ms) == quarter:
        on.wait(days=1)
    on.ordered()
    assert on.ask(LEDGER, "earned", account=on.did(RESIDENT)) == 12, "hours are kept after redemption"


def test_guangzhou_redeems_from_a_hundred_hours_and_keeps_fifteen_hundred() -> None:
    on = Stage("guangzhou")
    on.stocked()
    told = {"account": on.did(RESIDENT), "item": "thing"}
    on.effective(amount=99 * 60)
    refused(on, RESIDENT, REDEMPTION, "request", "who has earned 100 points, and 99 are in effect", **told)
    on.effective(amount=60)
    assert on.ordered() == 1
    on.effective(amount=1_400 * 60)
    assert on.balance() == 1_500
    on.effective(amount=60)
    assert on.balance() == 1_500, "the 1501st is not added"


def test_the_pool_is_never_overspent_and_a_cancelled_order_gives_everything_back(on: Stage) -> None:
    on.effective(amount=240)
    on.stocked(points=10, price=600, money=1_000)
    first, second = on.ordered(), on.ordered()
    on.do(TREASURER, REDEMPTION, "reserve", number=first)
    refused(on, TREASURER, REDEMPTION, "reserve", "the pool does not cover this", number=second)
    refused(on, TREASURER, REDEMPTION, "reserve", "is Reserved", number=first)
    refused(on, STRANGER, REDEMPTION, "cancel", "only when it is overdue", number=first)
    on.do(RESIDENT, REDEMPTION, "cancel", number=first)
    assert (on.balance(), on.ask(REDEMPTION, "pool")) == (40, {"funded": 1_000, "reserved": 0, "paid": 0})
    on.do(TREASURER, REDEMPTION, "reserve", number=second)
    on.do(PROVIDER, REDEMPTION, "fulfil", number=second, proof=named("slip"))
    refused(on, RESIDENT, REDEMPTION, "cancel", "is Fulfilled", number=second)
    assert (on.balance(), on.ask(REDEMPTION, "pool")) == (30, {"funded": 1_000, "reserved": 0, "paid": 600})


def test_an_order_that_nobody_fulfils_is_refunded_by_anybody(on: Stage) -> None:
    on.effective()
    on.stocked()
    number = on.ordered()
    on.do(TREASURER, REDEMPTION, "reserve", number=number)
    on.wait(days=31)
    on.do(STRANGER, REDEMPTION, "cancel", number=number)
    assert on.balance() == 10


def test_goods_that_never_came_are_disputed_and_somebody_else_decides(on: Stage) -> None:
    on.grant(PROVIDER, "reviewer")
    on.effective()
    on.stocked()
    number = on.ordered()
    on.do(TREASURER, REDEMPTION, "reserve", number=number)
    refused(on, RESIDENT, REDEMPTION, "dispute", "is Reserved", number=number)
    on.do(PROVIDER, REDEMPTION, "fulfil", number=number, proof=named("slip"))
    refused(on, STRANGER, REDEMPTION, "dispute", "only the resident disputes", number=number)
    on.do(RESIDENT, REDEMPTION, "dispute", number=number)
    told = {"number": number, "is_refunded": True, "reasons": named("no slip was signed")}
    refused(on, PROVIDER, REDEMPTION, "decide", "who handled an order does not decide on it", **told)
    on.do(REVIEWER, REDEMPTION, "decide", **told)
    assert (on.balance(), on.ask(REDEMPTION, "pool")["paid"]) == (10, 0)


def test_suspended_points_are_not_spent(on: Stage) -> None:
    on.stocked()
    on.objected(on.notified(amount=240))
    words = "10 points are needed and 0 are in effect; suspended ones do not count"
    refused(on, RESIDENT, REDEMPTION, "request", words, account=on.did(RESIDENT), item="thing")


def test_what_was_enough_when_it_was_asked_for_may_not_be_any_more(on: Stage) -> None:
    on.effective()
    on.stocked()
    first, second = on.ordered(), on.ordered()
    on.do(TREASURER, REDEMPTION, "reserve", number=first)
    refused(on, TREASURER, REDEMPTION, "reserve", "10 points are needed and 0 are in effect", number=second)


@pytest.mark.parametrize("use", ["health", "school", "housing", "employment", "lottery"])
def test_no_reward_is_a_right_or_lies_outside_the_purpose(use: str, on: Stage) -> None:
    told = {"code": "thing", "points": 1, "price": 1, "use": use}
    refused(on, TREASURER, REDEMPTION, "list_item", "outside the purpose of the scheme, or a basic right", **told)


def test_a_total_over_few_residents_is_not_shown(on: Stage) -> None:
    residents = [RESIDENT, *(f"Neighbour {number}" for number in range(9))]
    for role in residents[1:]:
        on.join(role)
    for role in residents:
        with pytest.raises(UsageError, match="fewer than 10 residents"):
            on.ask(LEDGER, "totals", code="service-hour")
        on.effective(role=role)
    assert on.ask(LEDGER, "totals", code="service-hour") == {"accounts": 10, "entries": 10, "points": 100}


# --- orders that nobody answers ----------------------------------------------------------------------------------


def test_an_order_that_nobody_answers_is_cancelled_by_anybody_and_takes_no_points_any_more() -> None:
    on = Stage("hailin")
    on.effective(amount=120)
    on.stocked(points=2)
    number = on.ordered()
    words = "only when it is overdue"
    refused(on, STRANGER, REDEMPTION, "cancel", words, number=number)
    on.wait_until(on.ask(REDEMPTION, "order", number=number)["due"])
    refused(on, STRANGER, REDEMPTION, "cancel", words, number=number)
    on.wait(ms=1)
    refused(on, TREASURER, REDEMPTION, "reserve", "this had to be answered until", number=number)
    on.do(STRANGER, REDEMPTION, "cancel", number=number)
    assert (on.balance(), on.ask(REDEMPTION, "pool")["reserved"]) == (2, 0)
    assert on.ordered() == 2, "and its place in the quarter is free again"
    on.do(TREASURER, REDEMPTION, "reserve", number=2)
    on.wait(days=31)
    on.do(STRANGER, REDEMPTION, "cancel", number=2)
    assert (on.balance(), on.ask(REDEMPTION, "pool")["reserved"]) == (2, 0)


# --- gifts -------------------------------------------------------------------------------------------------------


def causing(on: Stage, points: int = 30) -> str:
    """Let the resident have some points, and a cause be open for two things of ten points and seven yuan each."""
    on.effective(amount=6 * points)
    on.stocked(points=10, price=700)
    told = {"code": "help", "item": "thing", "count": 2, "until": on.box.now_ms + 20 * DAY_MS}
    on.do(TREASURER, GIVING, "open_cause", **told)
    return "help"


def test_guangzhou_gives_hours_away_and_keeps_what_was_earned() -> None:
    """The vectors of a preset with `give` say what is left of what was earned."""
    on = Stage("guangzhou")
    (vector,) = [one for one in on.preset.vectors if "give" in one]
    on.effective(vector["code"], vector["amount"])
    on.caused(count=vector["give"] // 10)
    on.given("help", vector["give"])
    assert (on.balance(), on.ask(LEDGER, "earned", account=on.did(RESIDENT))) == (vector["left"], vector["points"])
    gift = on.ask(LEDGER, "entries_of", account=on.did(RESIDENT))[-1]["entry"]
    assert (gift["kind"], gift["delta"]) == ("gift", -vector["give"])


def test_points_of_two_residents_buy_help_for_somebody_who_is_named_nowhere(on: Stage) -> None:
    cause = causing(on)
    on.assist(ELDER)
    on.effective(role=ELDER)
    on.given(cause, 15)
    refused(on, TREASURER, GIVING, "reserve", "5 points are missing", cause=cause)
    on.do(ASSISTED, GIVING, "give", account=on.did(ELDER), cause=cause, points=10)
    assert (on.balance(), on.balance(ELDER)) == (15, 5), "no more is taken than is missing"
    on.do(TREASURER, GIVING, "reserve", cause=cause)
    assert on.ask(REDEMPTION, "pool")["reserved"] == 1_400
    refused(on, RESIDENT, GIVING, "take_back", "is Reserved", number=1)
    on.grant(TREASURER, "provider")
    told = {"cause": cause, "proof": named("slip")}
    refused(on, TREASURER, GIVING, "deliver", "another person has to", **told)
    on.do(PROVIDER, GIVING, "deliver", **told)
    assert on.ask(REDEMPTION, "pool") == {"funded": 10_000, "reserved": 0, "paid": 1_400}
    shown = on.ask(GIVING, "cause", code=cause)
    assert (shown["given"], shown["state"]) == (20, "Delivered")
    assert on.did(RESIDENT) not in str(shown)
    with pytest.raises(UsageError, match="fewer than 10 residents"):
        on.ask(GIVING, "givers", code=cause)


def test_a_gift_is_taken_back_while_its_cause_is_open_and_only_by_who_gave(on: Stage) -> None:
    cause = causing(on)
    number = on.given(cause, 15)
    refused(on, STRANGER, GIVING, "take_back", "only who gave", number=number)
    on.do(RESIDENT, GIVING, "take_back", number=number)
    refused(on, RESIDENT, GIVING, "take_back", "was given back", number=number)
    assert (on.balance(), on.ask(GIVING, "cause", code=cause)["given"]) == (30, 0)


@pytest.mark.parametrize("far", ["Open", "Reserved", "Disputed"])
def test_a_cause_that_comes_to_nothing_gives_everything_back_and_anybody_may_say_so(far: str, on: Stage) -> None:
    cause = causing(on)
    number = on.given(cause, 20 if far != "Open" else 15)
    if far != "Open":
        on.do(TREASURER, GIVING, "reserve", cause=cause)
    if far == "Disputed":
        on.do(PROVIDER, GIVING, "deliver", cause=cause, proof=named("slip"))
        refused(on, STRANGER, GIVING, "end", "is Delivered", cause=cause)
        on.do(RESIDENT, GIVING, "dispute", gift=number)
    refused(on, STRANGER, GIVING, "end", "there is time until", cause=cause)
    on.wait(days=31)
    words = "is Reserved" if far == "Reserved" else "is Disputed"
    if far != "Open":
        refused(on, RESIDENT, GIVING, "take_back", words, number=number)
    on.do(STRANGER, GIVING, "end", cause=cause)
    on.do(STRANGER, GIVING, "take_back", number=number)
    assert (on.balance(), on.ask(REDEMPTION, "pool")) == (30, {"funded": 10_000, "reserved": 0, "paid": 0})


def test_who_gave_disputes_in_time_and_somebody_else_decides_once(on: Stage) -> None:
    cause = causing(on)
    number = on.given(cause, 20)
    on.do(TREASURER, GIVING, "reserve", cause=cause)
    on.do(PROVIDER, GIVING, "deliver", cause=cause, proof=named("slip"))
    refused(on, STRANGER, GIVING, "dispute", "only who gave", gift=number)
    on.do(RESIDENT, GIVING, "dispute", gift=number)
    told = {"cause": cause, "is_returned": False, "reasons": named("the slip is signed")}
    for role in (PROVIDER, TREASURER, RESIDENT):
        on.grant(role, "reviewer")
        refused(on, role, GIVING, "decide", "who handled a cause, or gave for it", **told)
    refused(on, REVIEWER, GIVING, "decide", "64 small hex digits", **{**told, "reasons": "no"})
    on.do(REVIEWER, GIVING, "decide", **told)
    refused(on, RESIDENT, GIVING, "dispute", "was decided", gift=number)
    late = Stage()
    number = late.given(causing(late), 20)
    late.do(TREASURER, GIVING, "reserve", cause=cause)
    late.do(PROVIDER, GIVING, "deliver", cause=cause, proof=named("slip"))
    late.wait(days=31)
    refused(late, RESIDENT, GIVING, "dispute", "is disputed until", gift=number)


def test_a_reviewer_who_finds_that_nobody_was_helped_has_it_returned(on: Stage) -> None:
    cause = causing(on)
    number = on.given(cause, 20)
    on.do(TREASURER, GIVING, "reserve", cause=cause)
    on.do(PROVIDER, GIVING, "deliver", cause=cause, proof=named("slip"))
    on.do(RESIDENT, GIVING, "dispute", gift=number)
    on.do(REVIEWER, GIVING, "decide", cause=cause, is_returned=True, reasons=named("no slip was signed"))
    on.do(STRANGER, GIVING, "take_back", number=number)
    assert (on.balance(), on.ask(REDEMPTION, "pool")["paid"]) == (30, 0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"code": "For Lin!"}, "a cause is named by 1 to 40 of a-z"),
        ({"code": "help"}, "there was a cause help"),
        ({"item": "horse"}, "there is no horse on the list"),
        ({"count": 0}, "a cause is for 1 to 10000 of something"),
        ({"until": 0}, "a cause ends in the future"),
    ],
)
def test_what_is_no_cause_is_not_opened(changes: dict[str, Any], words: str, on: Stage) -> None:
    causing(on)
    told = {"code": "other", "item": "thing", "count": 1, "until": on.box.now_ms + 1}
    refused(on, STRANGER, GIVING, "open_cause", "only the role treasurer", **told)
    refused(on, TREASURER, GIVING, "open_cause", words, **{**told, **changes})


def test_nobody_gives_what_is_not_theirs_or_not_there(on: Stage) -> None:
    cause = causing(on, points=10)
    told = {"account": on.did(RESIDENT), "cause": cause, "points": 5}
    refused(on, STRANGER, GIVING, "give", "only the resident, a guardian or the desk gives", **told)
    refused(on, RESIDENT, GIVING, "give", "there is no cause", **{**told, "cause": "other"})
    for points in (0, -5):
        refused(on, RESIDENT, GIVING, "give", "a gift is more than nothing", **{**told, "points": points})
    refused(on, RESIDENT, GIVING, "give", "20 points are to be given and 10 are in effect", **{**told, "points": 20})
    refused(on, RESIDENT, GIVING, "take_back", "there is no gift 1", number=1)
    refused(on, RESIDENT, REDEMPTION, "cover", "only the contract of giving", reserved=0, paid=-500)
    on.wait(days=21)
    refused(on, RESIDENT, GIVING, "give", "this cause has ended", **told)
    refused(on, TREASURER, GIVING, "reserve", "this cause has ended", cause=cause)


def test_a_scheme_without_gifts_has_none() -> None:
    on = Stage("hailin")
    on.stocked()
    told = {"code": "help", "item": "thing", "count": 1, "until": on.box.now_ms + 1}
    refused(on, TREASURER, GIVING, "open_cause", "this scheme has no gifts", **told)


def test_the_pool_covers_what_gifts_buy_or_it_is_not_bought(on: Stage) -> None:
    on.effective(amount=120)
    on.stocked(points=10, price=6_000)
    told = {"code": "help", "item": "thing", "count": 2, "until": on.box.now_ms + 20 * DAY_MS}
    on.do(TREASURER, GIVING, "open_cause", **told)
    on.given("help", 20)
    refused(on, TREASURER, GIVING, "reserve", "the pool does not cover this", cause="help")
