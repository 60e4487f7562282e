"""What happens without a safeguard: one small story for each, which tells whether its harm was seen.

Each is told twice, on the ordinary contracts and on those without the safeguard; the first time nothing is seen. The
words for the harm stand in `safeguards.toml`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from minichain.contracts import Outcome
from minichain.scenarios.points.laboratory import stage
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
    GIVING,
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

Harm = Callable[[str], bool]  # is told which safeguard is missing, "" for none; tells whether the harm was seen

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


def _robot(on: Stage, task: str) -> Callable[..., Outcome]:
    """Give a program a task of an office, and return what makes it act."""
    on.box.deploy(ROBOT, sender=on.did(VERIFIER), name="robot")
    on.do(OWNER, CATALOGUE, "grant_role", role=task, account="robot")

    def act(contract: str, deed: str, **arguments: Any) -> Outcome:
        return on.attempt(VERIFIER, "robot", "act", contract=contract, deed=deed, arguments=arguments)

    return act


# --- rules -------------------------------------------------------------------------------------------------------


def two_of_the_committee(missing: str) -> bool:
    on = stage(missing)
    number = on.do(CHAIR, CATALOGUE, "propose", rule=on.rule())
    return on.attempt(CHAIR, CATALOGUE, "adopt", number=number).ok


def not_retroactive(missing: str) -> bool:
    on = stage(missing)
    past = on.box.now_ms
    on.wait(days=30)
    number = on.do(CHAIR, CATALOGUE, "propose", rule=on.rule(code="new", effective_from=past))
    if not on.attempt(MEMBER, CATALOGUE, "adopt", number=number).ok:
        return False
    judged = on.ask(CATALOGUE, "judged", code="new", amount=5_000, at=past)
    return bool(judged["points"])


def legal_basis(missing: str) -> bool:
    on = stage(missing, LAW)
    rule = on.rule(points=-50, basis="community", severity="general", evidence="decision")
    return on.attempt(CHAIR, CATALOGUE, "propose", rule=rule).ok


def rewards_only(missing: str) -> bool:
    made = preset(LAW)
    voluntary = replace(made, scheme={**made.scheme, "rewards_only": True}, rules=made.rules[-1:])
    on = stage(missing, voluntary)
    rule = rules_of(made, on.box.now_ms)[3]
    return on.attempt(CHAIR, CATALOGUE, "propose", rule=rule).ok


def persons_only(missing: str) -> bool:
    on = stage(missing)
    rule = on.rule(whom="household")
    return on.attempt(CHAIR, CATALOGUE, "propose", rule=rule).ok


# --- accounts ----------------------------------------------------------------------------------------------------


def consent(missing: str) -> bool:
    on = stage(missing)
    return on.attempt(ASSISTED, ACCOUNTS, "open_assisted", account=on.did(ELDER), consent="").ok


def guardian(missing: str) -> bool:
    on = stage(missing)
    on.do("Resident 2", ACCOUNTS, "open", consent=on.consents.keep({"consent": "of a child"}))
    return on.attempt(DESK, ACCOUNTS, "confirm", account=on.did("Resident 2"), is_adult=False).ok


def pseudonym(missing: str) -> bool:
    on = stage(missing)
    told = {"account": TELEPHONE, "consent": on.consents.keep({"consent": "x"})}
    return on.attempt(ASSISTED, ACCOUNTS, "open_assisted", **told).ok


def open_(missing: str) -> bool:
    on = stage(missing)
    on.do(RESIDENT, ACCOUNTS, "withdraw", account=on.did(RESIDENT))
    return on.attempt(RECORDER, INTAKE, "record", **on.event()).ok


def offers(missing: str) -> bool:
    on = stage(missing)
    told = {"account": on.did(RESIDENT), "service": "loan", "until": on.box.now_ms + 1}
    return on.attempt(PROVIDER, ACCOUNTS, "offer", **told).ok


def use(missing: str) -> bool:
    on = stage(missing)
    told = {"account": on.did(RESIDENT), "use": "employment"}
    return on.attempt(PROVIDER, ACCOUNTS, "ask", **told).ok


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
    return on.attempt(SCALE, EVIDENCE, "weigh", **told)


def device(missing: str) -> bool:
    on = stage(missing)
    _scale(on, is_calibrated=False)
    return _weighed(on).ok


def arrival(missing: str) -> bool:
    on = stage(missing)
    _scale(on, is_calibrated=True)
    _weighed(on)
    number = on.do(RECORDER, INTAKE, "record_drop", drop="drop-1", code="kitchen-waste")
    return on.attempt(VERIFIER, INTAKE, "verify", number=number).ok


def evidence_once(missing: str) -> bool:
    on = stage(missing)
    first = on.event()
    on.do(RECORDER, INTAKE, "record", **first)
    again = on.event(evidence=first["evidence"])
    return on.attempt(RECORDER, INTAKE, "record", **again).ok


def plain_event(missing: str) -> bool:
    on = stage(missing)
    told = on.event(event=TELEPHONE)
    return on.attempt(RECORDER, INTAKE, "record", **told).ok


def four_eyes(missing: str) -> bool:
    on = stage(missing)
    on.grant(RECORDER, "verifier")
    return on.attempt(RECORDER, INTAKE, "verify", number=on.recorded()).ok


def flags(missing: str) -> bool:
    on = stage(missing)
    on.recorded(zone="street-1")
    on.wait(minutes=1)
    return on.attempt(VERIFIER, INTAKE, "verify", number=on.recorded(zone="street-9")).ok


def human_decision(missing: str) -> bool:
    on = stage(missing, LAW)
    act = _robot(on, "verifier")
    return act(INTAKE, "verify", number=on.recorded("dumping", 1)).ok


def _settled(on: Stage, number: int) -> bool:
    return bool(on.attempt(PASSER_BY, LEDGER, "settle", number=number).result == "Effective")


def rejection(missing: str) -> bool:
    on = stage(missing)
    act = _robot(on, "verifier")
    return act(INTAKE, "reject", number=on.recorded(), reasons="").ok


def late(missing: str) -> bool:
    on = stage(missing, LAW)
    number = on.recorded("dumping", 1)
    on.wait(days=300)
    return on.attempt(VERIFIER, INTAKE, "verify", number=number, decision=named("decision")).ok


def unseen(missing: str) -> bool:
    on = stage(missing)
    on.recorded(zone="street-1")
    number = on.recorded(zone="street-9")
    on.wait(days=6)
    return on.attempt(PASSER_BY, INTAKE, "lapse", number=number).ok


def silence(missing: str) -> bool:
    on = stage(missing, "guangzhou")
    number = on.notified(amount=60)
    case = on.objected(number, claim=600)
    on.wait(days=11)
    on.do(PASSER_BY, CASES, "lapse", number=case)
    return bool(on.entry(number)["delta"] == 10)


def standstill(missing: str) -> bool:
    on = stage(missing, LAW)
    number = on.notified("dumping", 1)
    on.stand_still(10 * DAY_MS)
    return _settled(on, number)


def noticed(missing: str) -> bool:
    on = stage(missing, LAW)
    number = on.verified("dumping", 1)
    on.wait(days=11)
    return _settled(on, number)


def window(missing: str) -> bool:
    on = stage(missing, LAW)
    return _settled(on, on.notified("dumping", 1))


def suspended(missing: str) -> bool:
    on = stage(missing, LAW)
    number = on.notified("dumping", 1)
    on.objected(number)
    on.wait(days=30)
    return _settled(on, number)


def never_worse(missing: str) -> bool:
    on = stage(missing)
    number = on.notified(amount=120)
    before = on.entry(number)["delta"]
    on.decided(on.objected(number, claim=180), "Amended", amount=60)
    after = on.entry(number)["delta"]
    return bool(after < before)


def caps(missing: str) -> bool:
    on = stage(missing)
    points = sum(on.entry(on.recorded(amount=240))["delta"] for _ in range(11))
    return bool(points > 400)


def ceiling(missing: str) -> bool:
    on = stage(missing, "guangzhou")
    on.effective(amount=1_501 * 60)
    return on.balance() > 1_500


def no_debt(missing: str) -> bool:
    on = stage(missing, LAW)
    on.effective("dumping", 1)
    return on.balance() < 0


def _shown(on: Stage, view: str, **args: Any) -> bool:
    return on.box.view("", LEDGER, view, args).ok


def few(missing: str) -> bool:
    on = stage(missing)
    on.effective()
    return _shown(on, "totals", code="service-hour")


def published(missing: str) -> bool:
    on = stage(missing, LAW)
    return _shown(on, "published", number=on.effective("warning", 1))


def term(missing: str) -> bool:
    on = stage(missing, LAW)
    number = on.effective("large-fine", 1)
    on.wait(days=366)
    return _shown(on, "published", number=number)


# --- cases -------------------------------------------------------------------------------------------------------


def _decide(on: Stage, role: str, case: int, reasons: str = named("reasons")) -> Outcome:
    return on.attempt(role, CASES, "decide", number=case, outcome="Upheld", reasons=reasons)


def not_involved(missing: str) -> bool:
    on = stage(missing)
    on.grant(RECORDER, "reviewer")
    return _decide(on, RECORDER, on.objected(on.notified())).ok


def reasons(missing: str) -> bool:
    on = stage(missing)
    return _decide(on, REVIEWER, on.objected(on.notified()), reasons="").ok


def deadline(missing: str) -> bool:
    on = stage(missing)
    case = on.objected(on.notified())
    on.wait(days=300)
    return _decide(on, REVIEWER, case).ok


def odd_panel(missing: str) -> bool:
    on = stage(missing)
    case = on.objected(on.notified())
    on.decided(case, "Upheld")
    on.do(RESIDENT, CASES, "appeal", number=case, grounds="facts", evidence=named("appeal"))
    seats = [on.did(member) for member in PANEL[:2]]
    if not on.attempt(APPEALS, CASES, "seat", number=case, members=seats).ok:
        return False
    for member, outcome in zip(PANEL, ("Upheld", "Withdrawn"), strict=False):
        on.do(member, CASES, "vote", number=case, outcome=outcome, reasons=named("vote"))
    state = on.ask(CASES, "case", number=case)["state"]
    return bool(state == "Appealed")


def human(missing: str) -> bool:
    on = stage(missing)
    case = on.objected(on.notified())
    act = _robot(on, "reviewer")
    return act(CASES, "decide", number=case, outcome="Upheld", reasons=named("by a program")).ok


# --- redemption --------------------------------------------------------------------------------------------------


def no_basic_right(missing: str) -> bool:
    on = stage(missing)
    told = {"code": "visit", "points": 500, "price": 0, "use": "health"}
    return on.attempt(TREASURER, REDEMPTION, "list_item", **told).ok


def pool(missing: str) -> bool:
    on = stage(missing)
    on.effective()
    on.stocked(money=0)
    return on.attempt(TREASURER, REDEMPTION, "reserve", number=on.ordered()).ok


def covered(missing: str) -> bool:
    on = stage(missing)
    on.stocked()
    on.objected(on.notified())
    told = {"account": on.did(RESIDENT), "item": "thing"}
    if not on.attempt(RESIDENT, REDEMPTION, "request", **told).ok:
        return False
    on.do(TREASURER, REDEMPTION, "reserve", number=1)
    return on.balance() < 0


def two_hands(missing: str) -> bool:
    on = stage(missing)
    on.grant(TREASURER, "provider")
    on.effective()
    on.stocked()
    number = on.ordered()
    on.do(TREASURER, REDEMPTION, "reserve", number=number)
    return on.attempt(TREASURER, REDEMPTION, "fulfil", number=number, proof=named("slip")).ok


def fresh(missing: str) -> bool:
    on = stage(missing)
    on.effective()
    on.stocked()
    number = on.ordered()
    on.wait(days=300)
    return on.attempt(TREASURER, REDEMPTION, "reserve", number=number).ok


# --- gifts -------------------------------------------------------------------------------------------------------


def _cause(on: Stage) -> str:
    on.effective()
    return on.caused()


def own_will(missing: str) -> bool:
    on = stage(missing)
    told = {"account": on.did(RESIDENT), "cause": _cause(on), "points": 10}
    return on.attempt(PASSER_BY, GIVING, "give", **told).ok


def reached(missing: str) -> bool:
    on = stage(missing)
    on.given(_cause(on), 1)
    return on.attempt(TREASURER, GIVING, "reserve", cause="help").ok


def unnamed(missing: str) -> bool:
    on = stage(missing)
    on.given(_cause(on), 1)
    return on.box.view("", GIVING, "givers", {"code": "help"}).ok


_ALL: Final[tuple[Harm, ...]] = (
    *(two_of_the_committee, not_retroactive, legal_basis, rewards_only, persons_only),
    *(consent, guardian, pseudonym, open_, offers, use),
    *(device, arrival, evidence_once, plain_event, four_eyes, flags, human_decision, rejection, late, unseen),
    *(silence, standstill, noticed, window, suspended, never_worse, caps, ceiling, no_debt, few, published, term),
    *(not_involved, reasons, deadline, odd_panel, human),
    *(no_basic_right, pool, covered, two_hands, fresh),
    *(own_will, reached, unnamed),
)
HARMS: Final[dict[str, Harm]] = {story.__name__.removesuffix("_"): story for story in _ALL}
