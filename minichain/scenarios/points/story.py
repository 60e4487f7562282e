"""The story of a street: a drop, hours of service, a deduction; objections, a repair, orders, a gift, help at the door.

It is a plan: nothing is sent here. One step is one block, and the clock of its chain moves a day with each block, so
that the time to object passes while others act. All roles and figures are made up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec.structs import replace

from minichain.crypto import digest
from minichain.scenarios import Dids, Step
from minichain.scenarios.points.accounts import Accounts
from minichain.scenarios.points.cases import Cases
from minichain.scenarios.points.catalogue import Catalogue
from minichain.scenarios.points.evidence import Evidence
from minichain.scenarios.points.giving import Giving
from minichain.scenarios.points.intake import Intake
from minichain.scenarios.points.ledger import PointsLedger
from minichain.scenarios.points.presets import DAY_MS, Preset, item_of, rules_of, scheme_of
from minichain.scenarios.points.redemption import Redemption
from minichain.scenarios.waste import SCENARIO as WASTE
from minichain.scenarios.waste import WasteCustody, WasteRegistry
from minichain.scenarios.waste.document import Document, Line, Site
from minichain.scenarios.waste.story import CUSTODY, REGISTRY
from minichain.scenarios.waste.story import OFFICE as WASTE_OFFICE

CATALOGUE, ACCOUNTS, LEDGER = "points-catalogue", "points-accounts", "points-ledger"
EVIDENCE, INTAKE, GIVING = "points-evidence", "points-intake", "points-giving"
CASES, REDEMPTION, IDENTITY = "points-cases", "points-redemption", "identity"
CONTRACTS: Final[dict[str, type]] = {
    CATALOGUE: Catalogue,
    ACCOUNTS: Accounts,
    EVIDENCE: Evidence,
    INTAKE: Intake,
    LEDGER: PointsLedger,
    CASES: Cases,
    GIVING: Giving,
    REDEMPTION: Redemption,
}
CUSTODY_CONTRACTS: Final[dict[str, type]] = {REGISTRY: WasteRegistry, CUSTODY: WasteCustody}

OWNER, CHAIR, MEMBER = "Scheme office", "Committee chair", "Committee member"
DESK, ASSISTED = "Registration desk", "Assisted desk"
RECORDER, VERIFIER, SECOND, REVIEWER = "Street office A", "Street office B", "Street office C", "Review office"
APPEALS, PANEL = "Appeals office", ("Panellist 1", "Panellist 2", "Panellist 3")
TREASURER, PROVIDER = "Treasury", "Home help service"
RESIDENT, ELDER = "Resident 1", "Resident 3"
SCALE, LABORATORY, ACCREDITOR = "Street scale", "Weights laboratory", "Accreditation board"
TRUCK, PLANT, WASTE_AUTHORITY = "Collection truck 7", "Composting plant", "Environment office"

TASKS: Final[tuple[tuple[str, str], ...]] = (
    (CHAIR, "committee"),
    (MEMBER, "committee"),
    (DESK, "registrar"),
    (ASSISTED, "assistant"),
    (RECORDER, "recorder"),
    (VERIFIER, "verifier"),
    (SECOND, "verifier"),
    (REVIEWER, "reviewer"),
    (TREASURER, "treasurer"),
    (PROVIDER, "provider"),
)
# Who deploys a contract can change it: who runs the scheme changes neither evidence, nor how one objects, nor the pool.
AUTHORITIES: Final = {
    **dict.fromkeys(CONTRACTS, OWNER),
    **{EVIDENCE: CHAIR, CASES: APPEALS, GIVING: TREASURER, REDEMPTION: TREASURER},
}
RESIDENTS: Final = (RESIDENT, ELDER)
ROLES: Final = (
    *dict.fromkeys([*AUTHORITIES.values(), *(role for role, _ in TASKS), *RESIDENTS]),
    *(SCALE, LABORATORY, ACCREDITOR, TRUCK, PLANT, WASTE_AUTHORITY),
)
BEGINS: Final = 1_767_225_600_000 + 30 * DAY_MS  # of the rules: when the roles are given and the rules are adopted
DROP: Final = "drop-riverside-1"
MANIFEST: Final = "HH-20260401"
DOCUMENT: Final = Document(
    profile="household",
    generator=Site(RECORDER, "District 1"),
    transporters=(Site(TRUCK, "District 1"),),
    facility=Site(PLANT, "District 1"),
    lines=(
        Line(
            line=1,
            description="kitchen waste",
            quantity=860,
            unit="K",
            containers=1,
            container_type="TRUCK",
            local_codes=("W-3",),
        ),
    ),
    number=MANIFEST,
    category="",
)


def named(text: str) -> str:
    """Return the digest under which a document of the story stands on the chain; the document stays outside."""
    return digest("document", text.encode()).hex()


def arguments(made: Preset, owner: str, now_ms: int) -> dict[str, dict[str, Any]]:
    """Return the arguments with which each contract of a scheme is deployed, by its address."""
    rules = {"catalogue": CATALOGUE}
    residents = {**rules, "accounts": ACCOUNTS}
    books = {**residents, "ledger": LEDGER}
    others = {"evidence": EVIDENCE, "intake": INTAKE, "cases": CASES, "redemption": REDEMPTION, "giving": GIVING}
    return {
        CATALOGUE: {"scheme": scheme_of(made, owner, now_ms)},
        ACCOUNTS: rules,
        EVIDENCE: {**books, "identity": IDENTITY, "custody": CUSTODY},
        INTAKE: {**books, "evidence": EVIDENCE},
        LEDGER: {**residents, **others},
        CASES: books,
        GIVING: {**books, "redemption": REDEMPTION},
        REDEMPTION: {**books, "giving": GIVING},
    }


def custody_arguments(dids: Dids) -> dict[str, dict[str, Any]]:
    """Return the arguments of the contracts of garbage custody, whose loads the drops travel in."""
    return dict(WASTE.setup(DOCUMENT, {**dids, WASTE_OFFICE: dids[WASTE_AUTHORITY]}))


def plan(made: Preset, dids: Dids, consents: Mapping[str, str]) -> tuple[Step, ...]:
    """Tell the story with the rules of the training preset; `consents` are commitments, by resident."""
    return tuple(_Story(made, dids, consents).tell())


class _Story:
    def __init__(self, made: Preset, dids: Dids, consents: Mapping[str, str]) -> None:
        self.made, self.dids, self.consents = made, dids, consents
        self.load = [step for step in _custody(dids) if step.action != "certify"]

    def tell(self) -> Iterator[Step]:
        yield from self._found()
        yield from self._residents()
        yield from self._scale()
        signed = next(place for place, step in enumerate(self.load) if step.action == "hand_over")
        yield from self.load[:signed]
        yield self._do(SCALE, EVIDENCE, "weigh", **self._drop())
        yield from self.load[signed:]
        yield from self._entries()
        yield from self._due_process()
        yield from self._orders()
        yield from self._gift()
        yield from self._at_the_door()

    def _found(self) -> Iterator[Step]:
        for role, task in TASKS:
            yield self._do(OWNER, CATALOGUE, "grant_role", role=task, account=self.dids[role])
        for number, rule in enumerate(rules_of(self.made, BEGINS), 1):
            yield self._do(CHAIR, CATALOGUE, "propose", rule=rule)
            yield self._do(MEMBER, CATALOGUE, "adopt", number=number)

    def _residents(self) -> Iterator[Step]:
        elder = self.dids[ELDER]
        yield self._do(RESIDENT, ACCOUNTS, "open", consent=self.consents[RESIDENT], offers=False)
        yield self._do(ASSISTED, ACCOUNTS, "open_assisted", account=elder, consent=self.consents[ELDER], offers=True)
        for role in RESIDENTS:
            yield self._do(DESK, ACCOUNTS, "confirm", account=self.dids[role], is_adult=True)

    def _scale(self) -> Iterator[Step]:
        recorder, scale, laboratory = (self.dids[role] for role in (RECORDER, SCALE, LABORATORY))
        year = {"valid_from": 0, "valid_until": BEGINS + 365 * DAY_MS}
        serial = digest("document", b"serial number of the scale")
        yield self._do(RECORDER, IDENTITY, "found", name=RECORDER, services=[])
        yield self._do(ACCREDITOR, IDENTITY, "found", name=ACCREDITOR, services=[])
        yield self._do(ACCREDITOR, IDENTITY, "grant_role", did=laboratory, role="laboratory", **year)
        offer = {"device": scale, "model": "Platform scale 60 kg", "serial": serial}
        yield self._do(RECORDER, IDENTITY, "enrol", **offer, accreditor=self.dids[ACCREDITOR])
        yield self._do(SCALE, IDENTITY, "join", organisation=recorder)
        certificate = digest("document", b"calibration")
        yield self._do(LABORATORY, IDENTITY, "certify", device=scale, digest=certificate, **year)

    def _drop(self) -> dict[str, Any]:
        return {"drop": DROP, "account": self.dids[RESIDENT], "grams": 21_500, "zone": "street-1", "manifest": MANIFEST}

    def _entries(self) -> Iterator[Step]:
        """Record a drop (entry 1), service of which an hour is forgotten (2), and unsorted waste (3)."""
        yield self._do(RECORDER, INTAKE, "record_drop", drop=DROP, code="kitchen-waste")
        yield self._do(VERIFIER, INTAKE, "verify", number=1)
        yield self._do(RECORDER, INTAKE, "notify", number=1, notice=named("notice 1"))
        service = {"event": "service-riverside-1", "account": self.dids[ELDER], "code": "service-hour", "amount": 120}
        evidence = named("sheet of hours 1")
        yield self._do(RECORDER, INTAKE, "record", **service, occurred_at=BEGINS + DAY_MS, evidence=evidence)
        yield self._do(VERIFIER, INTAKE, "verify", number=2)
        yield self._do(RECORDER, INTAKE, "notify", number=2, notice=named("notice 2"))
        mixed = {"event": "decision-riverside-1", "account": self.dids[ELDER], "code": "mixed-waste", "amount": 1}
        evidence = named("warning and second finding")
        yield self._do(RECORDER, INTAKE, "record", **mixed, occurred_at=BEGINS + 2 * DAY_MS, evidence=evidence)
        yield self._do(VERIFIER, INTAKE, "verify", number=3, decision=named("decision 1"))
        yield self._do(RECORDER, INTAKE, "notify", number=3, notice=named("notice 3"))
        doubt = {"grounds": "amount", "evidence": named("letter of who was helped"), "claim": 180}
        yield self._do(ASSISTED, CASES, "object", entry=2, **doubt)
        yield self._do(RESIDENT, LEDGER, "settle", number=1)
        answer = {"outcome": "Amended", "amount": 180, "reasons": named("reasons 1")}
        yield self._do(REVIEWER, CASES, "decide", number=1, **answer)

    def _due_process(self) -> Iterator[Step]:
        """Reject service (4) that a review puts back and another office verifies, and look at the next (5) never."""
        for sheet in (2, 3):
            service = {"event": f"service-riverside-{sheet}", "account": self.dids[RESIDENT], "code": "service-hour"}
            told = {
                **service,
                "amount": 60,
                "occurred_at": BEGINS + DAY_MS,
                "evidence": named(f"sheet of hours {sheet}"),
            }
            yield self._do(RECORDER, INTAKE, "record", **told)
        yield self._do(VERIFIER, INTAKE, "reject", number=4, reasons=named("nobody has signed the sheet"))
        yield self._do(
            RESIDENT, CASES, "object", entry=4, grounds="facts", evidence=named("the other side of the sheet")
        )
        yield self._do(REVIEWER, CASES, "decide", number=2, outcome="Withdrawn", reasons=named("reasons 2"))
        yield self._do(SECOND, INTAKE, "verify", number=4)
        yield self._do(RECORDER, INTAKE, "notify", number=4, notice=named("notice 4"))
        yield self._do(RESIDENT, INTAKE, "lapse", number=5)
        yield self._do(OWNER, LEDGER, "beat")

    def _orders(self) -> Iterator[Step]:
        resident, elder = self.dids[RESIDENT], self.dids[ELDER]
        yield self._do(TREASURER, REDEMPTION, "fund", amount=100_000, reference=named("budget"))
        yield self._do(TREASURER, REDEMPTION, "list_item", **item_of(self.made, "shopping-bag"))
        yield self._do(RESIDENT, REDEMPTION, "request", account=resident, item="shopping-bag")
        yield self._do(TREASURER, REDEMPTION, "reserve", number=1)
        yield self._do(PROVIDER, REDEMPTION, "fulfil", number=1, proof=named("slip 1"))
        for number, role in ((2, ASSISTED), (3, RECORDER), (4, RESIDENT), (5, RESIDENT)):
            yield self._do(role, LEDGER, "settle", number=number)
        yield self._do(ASSISTED, CASES, "ask_repair", entry=3, evidence=named("four weeks of sorted waste"))
        yield self._do(REVIEWER, CASES, "decide", number=3, outcome="Withdrawn", reasons=named("reasons 3"))
        yield self._do(ASSISTED, REDEMPTION, "request", account=elder, item="shopping-bag")
        yield self._do(TREASURER, REDEMPTION, "reserve", number=2)
        yield self._do(ASSISTED, REDEMPTION, "cancel", number=2)

    def _gift(self) -> Iterator[Step]:
        """Give away what is left, so that somebody has a bag of shopping who is named nowhere."""
        cause = {"code": "neighbours", "item": "shopping-bag", "count": 1, "until": BEGINS + 300 * DAY_MS}
        yield self._do(TREASURER, GIVING, "open_cause", **cause)
        yield self._do(RESIDENT, GIVING, "give", account=self.dids[RESIDENT], cause="neighbours", points=20)
        yield self._do(TREASURER, GIVING, "reserve", cause="neighbours")
        yield self._do(PROVIDER, GIVING, "deliver", cause="neighbours", proof=named("slip 2"))

    def _at_the_door(self) -> Iterator[Step]:
        """Offer a service to who agreed to that; and let who wants to go, go."""
        offer = {"account": self.dids[ELDER], "service": "window-cleaning", "until": BEGINS + 300 * DAY_MS}
        yield self._do(PROVIDER, ACCOUNTS, "ask", account=self.dids[ELDER], use="service-planning")
        yield self._do(PROVIDER, ACCOUNTS, "offer", **offer)
        yield self._do(ASSISTED, ACCOUNTS, "answer", number=1, is_accepted=True)
        yield self._do(PROVIDER, ACCOUNTS, "deliver", number=1)
        yield self._do(RESIDENT, ACCOUNTS, "withdraw", account=self.dids[RESIDENT])

    def _do(self, role: str, contract: str, action: str, /, **args: Any) -> Step:
        return Step(role, action, args, SENTENCES[action], contract)


def _custody(dids: Dids) -> Iterator[Step]:
    """Tell how the load travels to the plant, with the roles of this street."""
    sites = {"generator": RECORDER, "transporter-1": TRUCK, "facility": PLANT}
    local = {**dict.fromkeys(WASTE.roles(DOCUMENT), WASTE_AUTHORITY), **sites}
    for step in WASTE.plan(DOCUMENT, {role: dids[name] for role, name in local.items()}, digest("document", b"load")):
        yield replace(step, role=local[step.role])


# Each sentence is also its message id: translate them with the words of the page.
SENTENCES: Final = {
    "grant_role": "The owner of the scheme, or an accreditor, gives somebody a task.",
    "propose": "A member of the committee proposes a rule.",
    "adopt": "Another member adopts it; it begins later.",
    "open": "The resident takes part, under a key made for this alone.",
    "open_assisted": "The desk opens an account for somebody who has no device.",
    "confirm": "The desk has looked at a card: the resident may take part.",
    "found": "An organisation enters its public name.",
    "enrol": "The street office offers its scale a place.",
    "join": "The scale takes it, with its own key.",
    "certify": "The laboratory says for how long the scale measures truly.",
    "weigh": "The scale signs what was dropped.",
    "record_drop": "The street office records the drop.",
    "record": "The street office records what happened, with the digest of the evidence.",
    "verify": "Another office verifies the entry.",
    "reject": "The office rejects the entry and tells the resident why: the time to object begins.",
    "lapse": "No office has looked in time: the entry counts, as far as its rule has a limit.",
    "beat": "Somebody shows that the ledger takes calls: only then the time to object passes.",
    "notify": "The resident is told, with reasons: the time to object begins.",
    "object": "The resident objects: the entry is suspended.",
    "ask_repair": "The duty is met: the resident asks that the deduction is undone.",
    "settle": "Nothing stands in the way any more: the entry takes effect.",
    "decide": "A reviewer who had no part in it decides, with reasons.",
    "fund": "The treasury puts money into the pool.",
    "list_item": "The treasury puts something on the list.",
    "request": "The resident asks for something on the list.",
    "reserve": "The treasury reserves the money: the points are spent.",
    "open_cause": "Points may be given so that somebody in need has something on the list.",
    "give": "The resident gives points away.",
    "fulfil": "The goods were handed over, and the pool pays.",
    "cancel": "The order is cancelled, and the points come back.",
    "ask": "An office puts on record for what it asks for points.",
    "offer": "A service is offered to somebody who has agreed to that.",
    "answer": "The resident accepts it.",
    "deliver": "The help comes to the door.",
    "withdraw": "The resident withdraws; what is kept outside is destroyed.",
}
