"""What happens without a safeguard: one small story for each. A story returns what was seen, or nothing.

Each is told twice, on the ordinary contracts and on those without the safeguard; the first time nothing is seen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from minichain.contracts import Outcome
from minichain.errors import UsageError
from minichain.scenarios.points.laboratory import stage
from minichain.scenarios.points.presets import preset
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
    IDENTITY,
    LABORATORY,
    LEDGER,
    MEMBER,
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

Harm = Callable[[str], str]  # is told which safeguard is missing; returns the harm that was seen, or ""

PASSER_BY: Final = "Passer-by"  # without any task
LAW: Final = "cn_2025"
TELEPHONE: Final = "tel-13800000000"  # made up
ROBOT: Final = '''
from minichain.contracts.api import Contract, action


class Robot(Contract):
    """A program that acts in an office's place."""

    @action
    def act(self, contract: str, deed: str, arguments: dict) -> None:
        """Do what it is told."""
        self.call_with(contract, deed, arguments)
'''


def _seen(outcome: Outcome, harm: str) -> str:
    return harm if outcome.ok else ""


def _robot(on: Stage, task: str) -> Callable[..., Outcome]:
    """Give a program a task of an office, and return what makes it act."""
    on.box.deploy(ROBOT, sender=on.did(VERIFIER), name="robot")
    on.grant("robot", task)

    def act(contract: str, deed: str, **arguments: Any) -> Outcome:
        return on.attempt(VERIFIER, "robot", "act", contract=contract, deed=deed, arguments=arguments)

    return act


# --- rules -------------------------------------------------------------------------------------------------------


def two_of_the_committee(missing: str) -> str:
    on = stage(missing)
    number = on.do(CHAIR, CATALOGUE, "propose", rule=on.rule())
    return _seen(on.attempt(CHAIR, CATALOGUE, "adopt", number=number), "one person alone has made a rule for everybody")


def not_retroactive(missing: str) -> str:
    on = stage(missing)
    past = on.box.now_ms
    on.wait(days=30)
    number = on.do(CHAIR, CATALOGUE, "propose", rule=on.rule(code="new", effective_from=past))
    if not on.attempt(MEMBER, CATALOGUE, "adopt", number=number).ok:
        return ""
    judged = on.ask(CATALOGUE, "judged", code="new", amount=5_000, at=past)
    return f"what happened a month before the rule was made is judged by it: {judged['points']} points"


def legal_basis(missing: str) -> str:
    on = stage(missing, LAW)
    rule = on.rule(points=-50, basis="community", severity="general", evidence="decision")
    return _seen(on.attempt(CHAIR, CATALOGUE, "propose", rule=rule), "points are taken away on no law")


def rewards_only(missing: str) -> str:
    made = preset(LAW)
    voluntary = replace(made, scheme={**made.scheme, "rewards_only": True}, rules=made.rules[-1:])
    on = stage(missing, voluntary)
    rule = {**on.rule(), **made.rules[3], "effective_from": on.box.now_ms}
    return _seen(on.attempt(CHAIR, CATALOGUE, "propose", rule=rule), "who joined for a reward is punished")


def persons_only(missing: str) -> str:
    on = stage(missing)
    rule = on.rule(whom="household")
    return _seen(on.attempt(CHAIR, CATALOGUE, "propose", rule=rule), "a family answers for what one of them did")


# --- accounts ----------------------------------------------------------------------------------------------------


def consent(missing: str) -> str:
    on = stage(missing)
    outcome = on.attempt(ASSISTED, ACCOUNTS, "open_assisted", account=on.did(ELDER), consent="")
    return _seen(outcome, "somebody takes part who never agreed")


def guardian(missing: str) -> str:
    on = stage(missing)
    on.do("Resident 2", ACCOUNTS, "open", consent=on.consents.keep({"consent": "of a child"}))
    outcome = on.attempt(DESK, ACCOUNTS, "confirm", account=on.did("Resident 2"), is_adult=False)
    return _seen(outcome, "a child is recorded and no guardian knows")


def pseudonym(missing: str) -> str:
    on = stage(missing)
    told = {"account": TELEPHONE, "consent": on.consents.keep({"consent": "x"})}
    return _seen(on.attempt(ASSISTED, ACCOUNTS, "open_assisted", **told), "a telephone number stands on the chain")


def open_(missing: str) -> str:
    on = stage(missing)
    on.do(RESIDENT, ACCOUNTS, "withdraw", account=on.did(RESIDENT))
    outcome = on.attempt(RECORDER, LEDGER, "record", **on.event())
    return _seen(outcome, "somebody who has withdrawn is recorded still")


def offers(missing: str) -> str:
    on = stage(missing)
    told = {"account": on.did(RESIDENT), "service": "loan", "until": on.box.now_ms + 1}
    return _seen(on.attempt(PROVIDER, ACCOUNTS, "offer", **told), "somebody is pressed who asked to be left alone")


def use(missing: str) -> str:
    on = stage(missing)
    told = {"account": on.did(RESIDENT), "use": "employment"}
    return _seen(on.attempt(PROVIDER, ACCOUNTS, "ask", **told), "points are asked for when somebody looks for work")


# --- entries -----------------------------------------------------------------------------------------------------


def _scale(on: Stage, *, is_calibrated: bool) -> None:
    on.do(RECORDER, IDENTITY, "found", name=RECORDER, services=[])
    on.do(ACCREDITOR, IDENTITY, "found", name=ACCREDITOR, services=[])
    device, year = on.did(SCALE), {"valid_from": 0, "valid_until": on.box.now_ms + 1_000_000_000}
    offer = {"device": device, "model": "Scale", "serial": bytes(32), "accreditor": on.did(ACCREDITOR)}
    on.do(RECORDER, IDENTITY, "enrol", **offer)
    on.do(SCALE, IDENTITY, "join", organisation=on.did(RECORDER))
    if is_calibrated:
        on.do(ACCREDITOR, IDENTITY, "grant_role", did=on.did(LABORATORY), role="laboratory", **year)
        on.do(LABORATORY, IDENTITY, "certify", device=device, digest=bytes(32), **year)


def _weighed(on: Stage) -> Outcome:
    told = {"drop": "drop-1", "account": on.did(RESIDENT), "grams": 5_000, "zone": "street-1"}
    return on.attempt(SCALE, LEDGER, "weigh", **told)


def device(missing: str) -> str:
    on = stage(missing)
    _scale(on, is_calibrated=False)
    return _seen(_weighed(on), "points come from a scale that nobody has checked")


def arrival(missing: str) -> str:
    on = stage(missing)
    _scale(on, is_calibrated=True)
    _weighed(on)
    number = on.do(RECORDER, LEDGER, "record_drop", drop="drop-1", code="kitchen-waste")
    outcome = on.attempt(VERIFIER, LEDGER, "verify", number=number)
    return _seen(outcome, "points are given for waste that never arrived anywhere")


def evidence_once(missing: str) -> str:
    on = stage(missing)
    first = on.event()
    on.do(RECORDER, LEDGER, "record", **first)
    again = on.event(evidence=first["evidence"])
    return _seen(on.attempt(RECORDER, LEDGER, "record", **again), "one sheet of hours is paid twice")


def plain_event(missing: str) -> str:
    on = stage(missing)
    told = on.event(event=TELEPHONE)
    return _seen(on.attempt(RECORDER, LEDGER, "record", **told), "a telephone number stands on the chain for ever")


def four_eyes(missing: str) -> str:
    on = stage(missing)
    on.grant(RECORDER, "verifier")
    outcome = on.attempt(RECORDER, LEDGER, "verify", number=on.recorded())
    return _seen(outcome, "one clerk alone makes points for a friend")


def flags(missing: str) -> str:
    on = stage(missing)
    on.recorded(zone="street-1")
    on.wait(minutes=1)
    outcome = on.attempt(VERIFIER, LEDGER, "verify", number=on.recorded(zone="street-9"))
    return _seen(outcome, "somebody was in two places at once, and nobody looked")


def human_decision(missing: str) -> str:
    on = stage(missing, LAW)
    act = _robot(on, "verifier")
    return _seen(act(LEDGER, "verify", number=on.recorded("dumping", 1)), "a program alone takes points away")


def _settled(on: Stage, number: int, harm: str) -> str:
    return _seen(on.attempt(PASSER_BY, LEDGER, "settle", number=number), harm)


def noticed(missing: str) -> str:
    on = stage(missing, LAW)
    return _settled(on, on.verified("dumping", 1), "points are gone and the resident was never told")


def window(missing: str) -> str:
    on = stage(missing, LAW)
    return _settled(on, on.notified("dumping", 1), "points are gone on the day of the notice, with no time to object")


def suspended(missing: str) -> str:
    on = stage(missing, LAW)
    number = on.notified("dumping", 1)
    on.objected(number)
    on.wait(days=30)
    return _settled(on, number, "points are gone while the objection lies on a desk")


def never_worse(missing: str) -> str:
    on = stage(missing)
    number = on.notified(amount=120)
    before = on.entry(number)["delta"]
    on.decided(on.objected(number, claim=180), "Amended", amount=60)
    after = on.entry(number)["delta"]
    return f"who objected to {before} points has {after} now" if after < before else ""


def caps(missing: str) -> str:
    on = stage(missing)
    points = sum(on.entry(on.recorded(amount=240))["delta"] for _ in range(11))
    return f"{points} points in one month, where 400 are allowed" if points > 400 else ""


def ceiling(missing: str) -> str:
    on = stage(missing, "guangzhou")
    on.effective(amount=1_501 * 60)
    return f"{on.balance()} points, where 1500 are allowed" if on.balance() > 1_500 else ""


def no_debt(missing: str) -> str:
    on = stage(missing, LAW)
    on.effective("dumping", 1)
    return f"a resident owes points: {on.balance()}" if on.balance() < 0 else ""


def _shown(on: Stage, harm: str, view: str, **args: Any) -> str:
    try:
        on.ask(LEDGER, view, **args)
    except UsageError:
        return ""
    return harm


def few(missing: str) -> str:
    on = stage(missing)
    on.effective()
    return _shown(on, "the total of one resident is that resident's", "totals", code="service-hour")


def published(missing: str) -> str:
    on = stage(missing, LAW)
    return _shown(on, "a minor matter is shown to everybody", "published", number=on.effective("warning", 1))


def term(missing: str) -> str:
    on = stage(missing, LAW)
    number = on.effective("large-fine", 1)
    on.wait(days=366)
    return _shown(on, "a record of a year ago is shown still", "published", number=number)


# --- cases -------------------------------------------------------------------------------------------------------


def _decide(on: Stage, role: str, case: int, reasons: str = named("reasons")) -> Outcome:
    return on.attempt(role, CASES, "decide", number=case, outcome="Upheld", reasons=reasons)


def not_involved(missing: str) -> str:
    on = stage(missing)
    on.grant(RECORDER, "reviewer")
    outcome = _decide(on, RECORDER, on.objected(on.notified()))
    return _seen(outcome, "a clerk has judged the own mistake")


def reasons(missing: str) -> str:
    on = stage(missing)
    outcome = _decide(on, REVIEWER, on.objected(on.notified()), reasons="")
    return _seen(outcome, "an objection is refused and nobody says why")


def deadline(missing: str) -> str:
    on = stage(missing)
    case = on.objected(on.notified())
    on.wait(days=300)
    return _seen(_decide(on, REVIEWER, case), "an objection is refused after most of a year")


def odd_panel(missing: str) -> str:
    on = stage(missing)
    case = on.objected(on.notified())
    on.decided(case, "Upheld")
    on.do(RESIDENT, CASES, "appeal", number=case, grounds="facts", evidence=named("appeal"))
    seats = [on.did(member) for member in PANEL[:2]]
    if not on.attempt(APPEALS, CASES, "seat", number=case, members=seats).ok:
        return ""
    for member, outcome in zip(PANEL, ("Upheld", "Withdrawn"), strict=False):
        on.do(member, CASES, "vote", number=case, outcome=outcome, reasons=named("vote"))
    state = on.ask(CASES, "case", number=case)["state"]
    return f"both have voted, and the appeal is {state} still" if state == "Appealed" else ""


def human(missing: str) -> str:
    on = stage(missing)
    case = on.objected(on.notified())
    act = _robot(on, "reviewer")
    outcome = act(CASES, "decide", number=case, outcome="Upheld", reasons=named("by a program"))
    return _seen(outcome, "a program has refused the objection")


# --- redemption --------------------------------------------------------------------------------------------------


def no_basic_right(missing: str) -> str:
    on = stage(missing)
    told = {"code": "visit", "points": 500, "price": 0, "use": "health"}
    return _seen(on.attempt(TREASURER, REDEMPTION, "list_item", **told), "a visit to the clinic costs 500 points")


def pool(missing: str) -> str:
    on = stage(missing)
    on.effective()
    on.stocked(money=0)
    outcome = on.attempt(TREASURER, REDEMPTION, "reserve", number=on.ordered())
    return _seen(outcome, "goods are promised that nobody can pay for")


def covered(missing: str) -> str:
    on = stage(missing)
    on.stocked()
    on.objected(on.notified())
    told = {"account": on.did(RESIDENT), "item": "thing"}
    if not on.attempt(RESIDENT, REDEMPTION, "request", **told).ok:
        return ""
    on.do(TREASURER, REDEMPTION, "reserve", number=1)
    return f"suspended points were spent: the balance is {on.balance()}" if on.balance() < 0 else ""


def two_hands(missing: str) -> str:
    on = stage(missing)
    on.grant(TREASURER, "provider")
    on.effective()
    on.stocked()
    number = on.ordered()
    on.do(TREASURER, REDEMPTION, "reserve", number=number)
    outcome = on.attempt(TREASURER, REDEMPTION, "fulfil", number=number, proof=named("slip"))
    return _seen(outcome, "one clerk alone moves money out of the pool")


_ALL: Final[tuple[Harm, ...]] = (
    *(two_of_the_committee, not_retroactive, legal_basis, rewards_only, persons_only),
    *(consent, guardian, pseudonym, open_, offers, use),
    *(device, arrival, evidence_once, plain_event, four_eyes, flags, human_decision, noticed, window, suspended),
    *(never_worse, caps, ceiling, no_debt, few, published, term),
    *(not_involved, reasons, deadline, odd_panel, human),
    *(no_basic_right, pool, covered, two_hands),
)
HARMS: Final[dict[str, Harm]] = {story.__name__.removesuffix("_"): story for story in _ALL}
