"""What is true after any sequence of actions by anybody, most of them out of turn: nothing has an effect without a
notice and its time, nothing while somebody objects, no balance below nothing, and no money that is not there.
"""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from minichain.scenarios.points.presets import DAY_MS
from minichain.scenarios.points.staging import Stage
from minichain.scenarios.points.story import (
    ACCOUNTS,
    APPEALS,
    CASES,
    GIVING,
    INTAKE,
    LEDGER,
    PANEL,
    PROVIDER,
    RECORDER,
    REDEMPTION,
    RESIDENT,
    REVIEWER,
    SECOND,
    TREASURER,
    VERIFIER,
    named,
)

OTHER = "Resident 2"
LATER = ("refund", "reversal", "expiry")  # what may still be entered about who has left: it follows from what was
NEVER_CHANGES = ("account", "kind", "code", "version", "event", "evidence", "occurred_at", "recorded_at", "by")
LIVES = (
    "verify",
    "reject",
    "unseen",
    "notify",
    "settle",
    "object",
    "decide",
    "appeal",
    "vote",
    "lapse",
    "repair",
    "expire",
    "wait",
)
DEEDS = (
    *LIVES,
    *("give", "take_back", "buy", "deliver", "end", "leave"),
    "record",
    "deduct",
    "request",
    "request",
    "reserve",
    "reserve",
    "fulfil",
    "cancel",
    "dispute",
    "refund",
)
NEXT = {  # what may well be tried with an entry in a state
    "Recorded": ("verify", "verify", "verify_again", "reject", "unseen"),
    "Rejected": ("object", "object", "settle"),
    "Verified": ("notify", "notify", "unseen", "settle"),
    "Notified": ("object", "object", "settle"),
    "Objected": ("decide", "settle", "lapse"),
    "Upheld": ("appeal", "settle"),
    "Amended": ("appeal", "settle"),
    "Appealed": ("vote", "settle", "lapse"),
    "Final": ("settle",),
    "Effective": ("repair", "expire"),
    "RepairRequested": ("decide", "lapse"),
    "RepairRefused": ("appeal", "repair"),
}
OF_CASES = ("decide", "appeal", "vote", "lapse")
ON = "go on"  # with an entry, as its state asks for

DEED = st.tuples(
    st.sampled_from([*DEEDS, *[ON] * len(DEEDS)]),
    st.integers(1, 6),
    st.integers(0, 2),
    st.sampled_from([RESIDENT, OTHER]),
)


def in_turn(on: Stage, number: int, choice: int) -> tuple[str, int, int, str]:
    """Return what comes next for one of the entries that are there."""
    found = entries(on)
    place = number % len(found)
    entry = found[place]
    deeds = NEXT.get(entry["state"], ("wait",))
    deed, who = deeds[choice % len(deeds)], next(role for role in (RESIDENT, OTHER) if on.did(role) == entry["account"])
    if deed in ("settle", "lapse", "expire", "unseen") and number % 3:
        on.stand_still(6 * DAY_MS) if choice == 1 else on.wait(days=100 if deed == "expire" else 6)
    cases = [one["number"] for one in on.ask(CASES, "all_cases", limit=100) if one["case"]["entry"] == place + 1]
    return deed, cases[-1] if deed in OF_CASES and cases else place + 1, choice, who


def do(on: Stage, deed: str, number: int, choice: int, who: str) -> bool:
    """Try something, by whom it would be right to; the number may be of anything."""
    reasons, outcome = named(f"reasons {choice}"), ("Upheld", "Amended", "Withdrawn")[choice]
    decision = named("decision") if choice else ""
    calls: dict[str, tuple[str, str, str, dict[str, Any]]] = {
        "record": (RECORDER, INTAKE, "record", on.event(amount=60 * number, role=who)),
        "deduct": (RECORDER, INTAKE, "record", on.event("mixed-waste", number, who)),
        "verify": (VERIFIER, INTAKE, "verify", {"number": number, "decision": decision}),
        "verify_again": (SECOND, INTAKE, "verify", {"number": number, "decision": decision}),
        "reject": (VERIFIER, INTAKE, "reject", {"number": number, "reasons": reasons}),
        "unseen": (who, INTAKE, "lapse", {"number": number}),
        "give": (who, GIVING, "give", {"account": on.did(who), "cause": "help", "points": number}),
        "take_back": (who, GIVING, "take_back", {"number": number}),
        "buy": (TREASURER, GIVING, "reserve", {"cause": "help"}),
        "deliver": (PROVIDER, GIVING, "deliver", {"cause": "help", "proof": reasons}),
        "end": (who, GIVING, "end", {"cause": "help"}),
        "leave": (who, ACCOUNTS, "withdraw", {"account": on.did(who)}),
        "notify": (RECORDER, INTAKE, "notify", {"number": number, "notice": named("notice")}),
        "settle": (who, LEDGER, "settle", {"number": number}),
        "expire": (who, LEDGER, "expire", {"number": number}),
        "object": (
            who,
            CASES,
            "object",
            {"entry": number, "grounds": "facts", "evidence": reasons, "claim": 90 * choice},
        ),
        "repair": (who, CASES, "ask_repair", {"entry": number, "evidence": reasons}),
        "decide": (
            REVIEWER,
            CASES,
            "decide",
            {"number": number, "outcome": outcome, "reasons": reasons, "amount": 120},
        ),
        "appeal": (who, CASES, "appeal", {"number": number, "grounds": "rule", "evidence": reasons}),
        "vote": (PANEL[choice], CASES, "vote", {"number": number, "outcome": outcome, "reasons": reasons}),
        "lapse": (who, CASES, "lapse", {"number": number}),
        "request": (who, REDEMPTION, "request", {"account": on.did(who), "item": "thing"}),
        "reserve": (TREASURER, REDEMPTION, "reserve", {"number": number}),
        "fulfil": (PROVIDER, REDEMPTION, "fulfil", {"number": number, "proof": reasons}),
        "cancel": (who, REDEMPTION, "cancel", {"number": number}),
        "dispute": (who, REDEMPTION, "dispute", {"number": number}),
        "refund": (REVIEWER, REDEMPTION, "decide", {"number": number, "is_refunded": choice > 0, "reasons": reasons}),
    }
    if deed == "wait":
        on.wait(days=(1, 5, 95)[choice])
        return True
    if deed == "vote":
        on.attempt(APPEALS, CASES, "seat", number=number, members=[on.did(member) for member in PANEL])
    role, contract, action, args = calls[deed]
    result = on.attempt(role, contract, action, **args)
    assert result.outcome in ("ok", "reverted"), result.error  # never a fault of the contract
    return result.ok


def entries(on: Stage) -> list[dict[str, Any]]:
    return [one["entry"] for one in on.ask(LEDGER, "all_entries", limit=100)]


def check(on: Stage, before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    now = entries(on)
    for old, new in zip(before, now, strict=False):
        assert all(old[name] == new[name] for name in NEVER_CHANGES)
    for role in (RESIDENT, OTHER):
        effective = [one for one in now if one["account"] == on.did(role) and one["effective_at"]]
        assert sum(one["delta"] for one in effective) == on.balance(role) >= 0
        left = on.ask(ACCOUNTS, "account", account=on.did(role))["closed_at"]
        new = [one["kind"] for one in now if one["account"] == on.did(role) and one["recorded_at"] > left > 0]
        assert set(new) <= set(LATER)
        assert not left or all(one["effective_at"] <= left for one in effective if one["kind"] not in LATER)
    for one in now:
        if one["effective_at"] and one["code"]:
            assert one["notice"] or (one["silent_at"] and not one["severity"])
            assert not one["is_rejected"]
            assert one["verified_by"] not in [one["by"], *one["rejected_by"]]
            assert one["effective_at"] >= one["closes_at"] > 0
        if one["state"] in (
            "Recorded",
            "Verified",
            "Notified",
            "Objected",
            "Appealed",
            "Withdrawn",
            "Rejected",
            "Dismissed",
            "Lapsed",
        ):
            assert one["effective_at"] == 0
        if one["severity"] and one["verified_by"]:
            assert one["decision"]
    cause = on.ask(GIVING, "cause", code="help")
    given = [one["delta"] for one in now if one["event"].startswith("gift-")]
    assert cause["given"] == -sum(given) <= cause["goal"]
    pool = on.ask(REDEMPTION, "pool")
    assert min(pool.values()) >= 0
    assert pool["reserved"] + pool["paid"] <= pool["funded"]
    for case in (one["case"] for one in on.ask(CASES, "all_cases", limit=100)):
        assert " version " in case["rule"]
        is_open = case["kind"] == "objection" and case["state"] in ("Open", "Appealed")
        assert not is_open or now[case["entry"] - 1]["effective_at"] == 0
        assert not case["outcome"] or case["reasons"] or case["state"] == "Lapsed"
        assert case["state"] == "Appealed" or not case["reviewer"] or case["reviewer"] not in case["involved"][:2]
    return now


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(DEED, min_size=20, max_size=50))
def test_whatever_anybody_does(deeds: list[tuple[str, int, int, str]]) -> None:
    on = Stage()
    on.join(OTHER)
    on.caused()
    on.stocked(points=10, price=700, money=1_000)
    for number, (role, code) in enumerate(
        ((RESIDENT, "service-hour"), (OTHER, "mixed-waste"), (RESIDENT, "mixed-waste"))
    ):
        (on.effective, on.notified, on.verified)[number](code, 120 if number == 0 else 1, role)
    known = check(on, [])
    for deed, number, choice, who in deeds:
        chosen = in_turn(on, number, choice) if deed == ON else (deed, number, choice, who)
        if do(on, *chosen):
            event(chosen[0])
        known = check(on, known)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 5)), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_what_is_earned_is_spent_left_or_expired(deeds: list[tuple[bool, int]], chance: Random) -> None:
    """In whatever order points are earned, spent and ended, in the end all of them have gone one way."""
    on = Stage()
    on.stocked(points=10, price=1, money=1_000)
    earned = []
    for is_order, size in deeds:
        if not is_order:
            earned.append(on.effective(amount=60 * min(size, 4)))
        elif on.balance() >= 10:
            number = on.ordered()
            on.do(TREASURER, REDEMPTION, "reserve", number=number)
    spent = -sum(one["delta"] for one in entries(on) if one["kind"] == "redemption")
    total = sum(on.entry(number)["delta"] for number in earned)
    assert on.balance() == total - spent
    on.wait(days=800)
    chance.shuffle(earned)  # whoever calls says which one ends next
    for number in earned:
        on.do("Passer-by", LEDGER, "expire", number=number)
    assert on.balance() == 0
    assert -sum(one["delta"] for one in entries(on) if one["kind"] == "expiry") == total - spent
