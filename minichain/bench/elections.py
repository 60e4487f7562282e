"""Figures of secret ballots: what it takes to make, check, cast, open and count one, beside a check of a signature."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from minichain.bench.timing import seconds_each, signature_seconds
from minichain.contracts.sandbox import Outcome, Sandbox
from minichain.crypto import KeyPair, digest
from minichain.elgamal.ballots import Form, close, fault_of
from minichain.elgamal.group import ORDER, multiply, remembered_point, scalar_of
from minichain.ledger.genesis import Limits
from minichain.scenarios.voting.elections.contract import Elections, context_of
from minichain.scenarios.voting.elections.recount import Entry, count_again, opened_counts
from minichain.scenarios.voting.elections.trustees import Ceremony, deal, opening, polynomial, value_at

LEAST_S: Final = 0.5  # how long each figure is measured
HOUR_MS: Final = 3_600_000


def ballots(voters: int = 50, choices: int = 3) -> dict[str, Any]:
    """Make, check, cast, open and count secret ballots with one of some choices; everything runs in this process."""
    form, key, context = Form(choices, 1, 1), multiply(scalar_of("bench", 1)), b"bench"
    votes = [int(place == 0) for place in range(choices)]
    ballot = close(form, key, context, votes, bytes(32))

    def check() -> None:
        remembered_point.cache_clear()
        assert fault_of(form, key, context, ballot) == ""

    make_s = _each(lambda: close(form, key, context, votes, bytes(32)))
    check_s, signature_s = _each(check), signature_seconds(clock=time.process_time)
    gas, seconds = _election(voters, form)
    limits = Limits()
    return {
        "choices": choices,
        "voters": voters,
        "ballot_bytes": form.size,
        "make_ms": round(make_s * 1e3, 2),
        "check_ms": round(check_s * 1e3, 2),
        "signature_check_ms": round(signature_s * 1e3, 4),
        "check_in_signatures": round(check_s / signature_s, 1),
        "multiplications": form.multiplications,
        "gas": {name: {"used": used} for name, used in gas.items()},
        "ballots_per_block": limits.block_gas // gas["cast"],
        "seconds": {name: {"took": took} for name, took in seconds.items()},
        "formula": "processor time; check_in_signatures = check_ms / signature_check_ms; ballots_per_block = "
        f"{limits.block_gas} gas of a block / gas of the last cast; seconds: opening the sum by a trustee, searching "
        "the counts, and counting again from receipts, all ballots checked anew",
    }


def _each(work: Callable[[], Any]) -> float:
    return seconds_each(work, LEAST_S, time.process_time)


def _election(voters: int, form: Form) -> tuple[dict[str, int], dict[str, float]]:
    """Hold a whole election with two trustees; return the gas of its actions, and how long it takes to count."""
    sandbox, told, gas = Sandbox(), list[Entry](), dict[str, int]()
    trustees = [KeyPair.derive(bytes(32), f"trustee {number}") for number in range(2)]
    clerk = trustees[0]
    people = [KeyPair.derive(bytes(32), f"voter {number}") for number in range(voters)]
    elections = sandbox.deploy(Elections, sender=clerk.did, name="elections")

    def do(who: KeyPair, action: str, **arguments: Any) -> Outcome:
        outcome = elections.with_sender(who.did).attempt(action, **arguments)
        assert outcome.ok, outcome.error
        gas[action] = outcome.gas
        told.extend(Entry(who.did, sandbox.height, sandbox.now_ms, event.name, event.data) for event in outcome.events)
        return outcome

    rules = _rules(sandbox.now_ms, [trustee.did for trustee in trustees], form)
    do(clerk, "announce", rules=rules, voters=_listed(people))
    statement = elections.election(number=1)["statement"]
    ceremony = Ceremony(bytes(32), statement, tuple(rules["trustees"]), rules["threshold"])
    for trustee in trustees:
        dealt = deal(trustee, ceremony)
        do(trustee, "deal", number=1, commitments=dealt.commitments, proofs=dealt.proofs, shares=dealt.shares)
    for trustee in trustees:
        do(trustee, "agree", number=1)
    do(clerk, "fix_key", number=1)
    key = elections.election(number=1)["key"]
    for number, person in enumerate(people):
        votes = [int(place == number % form.choices) for place in range(form.choices)]
        context, seed = context_of(statement, "voter", person.did), digest("bench", person.public)
        do(person, "cast", number=1, ballot=close(form, key, context, votes, seed))
    do(clerk, "close", number=1)
    sums, parts = elections.election(number=1)["sums"], dict[int, list[bytes]]()
    for place, trustee in enumerate(trustees, 1):
        secret = sum(value_at(polynomial(dealer, ceremony), place) for dealer in trustees) % ORDER
        context = context_of(statement, "trustee", trustee.did)
        opening_s, (parts[place], proof) = _timed(partial(opening, context, secret, sums))
        do(trustee, "decrypt", number=1, shares=parts[place], proof=proof)
    counting_s, counts = _timed(lambda: opened_counts(sums, parts, voters))
    do(clerk, "tally", number=1, counts=counts)
    remembered_point.cache_clear()
    again_s, _ = _timed(lambda: count_again(told, sandbox.chain, "elections", 1))
    return gas, {"opening": opening_s, "counting": counting_s, "counting again": again_s}


def _rules(now_ms: int, trustees: list[str], form: Form) -> dict[str, Any]:
    return {
        "title": "bench",
        "text": "00" * 32,
        "choices": [f"choice {number}" for number in range(form.choices)],
        "least": form.least,
        "most": form.most,
        "secrecy": "secret",
        "opens": now_ms,
        "closes": now_ms + HOUR_MS,
        "fewest": 2,
        "trustees": trustees,
        "threshold": 2,
        "step_ms": HOUR_MS // 6,
    }


def _listed(people: list[KeyPair]) -> list[dict[str, Any]]:
    return [{"did": person.did, "weight": 1} for person in people]


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    found = work()
    return round(time.process_time() - start, 4), found
