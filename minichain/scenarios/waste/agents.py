"""A seeded population that ships waste: the same seed gives the same towns, loads and misfortunes. It only plans.

Each shipment is a document told by `story.plan`; what goes wrong is part of its document, or its story stops early.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, Final

from minichain.codec import Plain
from minichain.errors import UsageError
from minichain.scenarios import Dids, Step
from minichain.scenarios.waste.document import Document, Line, Origin, Rejection, Site
from minichain.scenarios.waste.story import CUSTODY, OFFICE, REGISTRY, SENTENCES, plan, profile, role_of, sites

MINUTE_MS: Final = 60_000
BATCH: Final = 4  # collections that a transfer station joins to one load


class Member(Plain):
    """One party of a population."""

    kinds: tuple[str, ...]
    site: Site
    category: str = ""


class Flow(Plain):
    """A kind of traffic: who takes part, under which profile, and what is shipped."""

    profile: str
    cast: Mapping[str, Member]
    goods: tuple[Line, ...]


def _line(text: str, code: str, kind: str, unit: str, **more: Any) -> Line:
    return Line(1, text, 1, unit, 1, kind, codes=(code,), **more)


HOUSEHOLD: Final = Flow(
    profile="household",
    cast={
        "street-office-a": Member(("generator",), Site("S-A", "town-a")),
        "street-office-b": Member(("generator",), Site("S-B", "town-a")),
        "street-office-c": Member(("generator",), Site("S-C", "town-b")),
        "collection-crew-a": Member(("transporter",), Site("T-A", "town-a")),
        "collection-crew-b": Member(("transporter",), Site("T-B", "town-b")),
        "transfer-station": Member(("facility", "generator"), Site("F-A", "town-a")),
        "plant": Member(("facility",), Site("F-B", "town-b")),
        "regulator-town-a": Member(("regulator",), Site("", "town-a")),
        "regulator-town-b": Member(("regulator",), Site("", "town-b")),
    },
    goods=(
        _line("Kitchen waste", "W-3", "TRUCK", "K", method="M1"),
        _line("Other household waste", "W-4", "TRUCK", "K", method="M1"),
        _line("Recyclables", "W-1", "BIN", "K", method="M2"),
        _line("Batteries and paint", "W-2", "BIN", "K", method="M3", hazardous=True),
    ),
)
INDUSTRIAL: Final = Flow(
    profile="cn_hw",
    cast={
        "works-a": Member(("generator",), Site("91330400TEST0000A1", "CN-33")),
        "works-b": Member(("generator",), Site("91330400TEST0000B1", "CN-33")),
        "works-c": Member(("generator",), Site("91310000TEST0000C1", "CN-31")),
        "carrier-a": Member(("transporter",), Site("91330400TEST0000D1", "CN-33")),
        "carrier-b": Member(("transporter",), Site("91310000TEST0000E1", "CN-31")),
        "incinerator": Member(("facility",), Site("91330400TEST0000F1", "CN-33")),
        "landfill": Member(("facility",), Site("91310000TEST0000G1", "CN-31")),
        "regulator-33": Member(("regulator",), Site("", "CN-33")),
        "regulator-31": Member(("regulator",), Site("", "CN-31")),
    },
    goods=(
        _line("Waste mineral oil", "900-249-08", "TT", "K", waste_class="HW08", method="D10", hazardous=True),
        _line("Contaminated packaging", "900-041-49", "DM", "K", waste_class="HW49", method="D10", hazardous=True),
        _line("Spent acid", "900-300-34", "TT", "K", waste_class="HW34", method="D9", hazardous=True),
    ),
)
FLOWS: Final[Mapping[str, Flow]] = {"household": HOUSEHOLD, "industrial": INDUSTRIAL}

# What may happen to a load, and how many in a hundred.
FATES: Final[Mapping[str, int]] = {
    "well": 70,
    "short weight": 10,
    "silent transporter": 6,
    "never confirmed": 6,
    "rejected on site": 4,
    "partly rejected": 4,
}


def roles(flow: str) -> tuple[str, ...]:
    """Return the wallets a population needs."""
    return (OFFICE, *_flow(flow).cast)


def setup(flow: str, dids: Dids) -> dict[str, dict[str, Any]]:
    """Return the arguments with which each contract is deployed, by its address."""
    registry = {"operator": dids[OFFICE], "profile": profile(_flow(flow).profile)}
    return {REGISTRY: registry, CUSTODY: {"registry": REGISTRY}}


def stream(seed: int, count: int, dids: Dids, flow: str = "household") -> Iterator[Step]:
    """Yield the steps of `count` shipments, one after the other, with the time that passes before each.

    Registration comes first. Of the household flow, each fourth accepted collection leaves the transfer station as one
    batch for the plant, so there are more manifests than shipments.
    """
    made, random = _flow(flow), Random(seed)
    yield from _registrations(made, dids)
    waiting: list[Origin] = []
    for serial in range(count):
        document, fate = _shipment(random, made, serial)
        yield from _told(document, fate, made, dids, random)
        if made is HOUSEHOLD:
            waiting += _accepted(document, fate)
            if len(waiting) >= BATCH:
                yield from _told(_batch(waiting, serial), "well", made, dids, random)
                waiting = []


def _flow(name: str) -> Flow:
    if name not in FLOWS:
        raise UsageError(f"there is no flow {name!r}: choose one of {', '.join(FLOWS)}")
    return FLOWS[name]


def _registrations(flow: Flow, dids: Dids) -> Iterator[Step]:
    for role, member in flow.cast.items():
        args = {"did": dids[role], "roles": list(member.kinds), "site": member.site.number, "category": member.category}
        permit = {"codes": ["*"], "methods": ["*"], "jurisdiction": member.site.jurisdiction}
        yield Step(OFFICE, "register", args | permit, SENTENCES["register"], REGISTRY)


def _members(flow: Flow, kind: str) -> list[Site]:
    """List the sites that are first of all of this kind."""
    return [member.site for member in flow.cast.values() if member.kinds[0] == kind]


def _shipment(random: Random, flow: Flow, serial: int) -> tuple[Document, str]:
    fate = random.choices([*FATES], [*FATES.values()])[0]
    good = random.choice(flow.goods)
    is_bulk = good.container_type in profile(flow.profile)["bulk_types"]
    containers = 1 if is_bulk else random.randint(4, 20)
    quantity = random.randint(2_000, 9_000) if is_bulk else containers * random.randint(20, 180)
    differs = ("quantity",) if fate == "short weight" else ()
    line = _changed(good, quantity=quantity, containers=containers, differs=differs)
    facilities = _members(flow, "facility")
    facility = facilities[0] if flow is HOUSEHOLD else random.choice(facilities)
    document = Document(
        profile=flow.profile,
        generator=random.choice(_members(flow, "generator")),
        transporters=(random.choice(_members(flow, "transporter")),),
        facility=facility,
        lines=(line,),
        number=_number(flow, 4 * serial),
        rejection=_rejection(fate, next(site for site in facilities if site != facility)),
    )
    return document, fate


def _rejection(fate: str, alternate: Site) -> Rejection | None:
    match fate:
        case "rejected on site":
            return Rejection(is_full=True, transporter_on_site=True, alternate=alternate)
        case "partly rejected":
            return Rejection(is_full=False, transporter_on_site=False, back_to_generator=True)
    return None


def _changed(line: Line, **changes: Any) -> Line:
    return Line(**({name: getattr(line, name) for name in line.__struct_fields__} | changes))


def _number(flow: Flow, serial: int) -> str:
    return f"HH-{serial:08}" if flow is HOUSEHOLD else f"20263304{serial:06}"


def _accepted(document: Document, fate: str) -> list[Origin]:
    """Name what a transfer station has accepted and can send on."""
    if fate not in ("well", "short weight"):
        return []
    line = document.lines[0]
    quantity = max(1, line.quantity * 85 // 100) if line.differs else line.quantity
    return [Origin(document.number, 1, "accepted", quantity)]


def _batch(parents: list[Origin], serial: int) -> Document:
    """Join what several collections brought into one load for the plant."""
    cast = HOUSEHOLD.cast
    total = sum(origin.quantity for origin in parents)
    good = HOUSEHOLD.goods[1]
    return Document(
        profile="household",
        generator=cast["transfer-station"].site,
        transporters=(cast["collection-crew-b"].site,),
        facility=cast["plant"].site,
        lines=(_changed(good, description="Batch of household waste", quantity=total, origins=tuple(parents)),),
        number=_number(HOUSEHOLD, 4 * serial + 2),
    )


def _told(document: Document, fate: str, flow: Flow, dids: Dids, random: Random) -> Iterator[Step]:
    """Tell one document with the roles of the population, up to where its fate lets it come."""
    names = {member.site.number: role for role, member in flow.cast.items() if member.site.number}
    local = {role: names[site.number] for role, site in sites(document).items()}
    known = {role: dids[name] for role, name in local.items()}
    known |= dict.fromkeys((OFFICE, "regulator-origin", "regulator-destination"), dids[OFFICE])
    facility = role_of(document, document.facility)
    is_batched = "generator" in flow.cast[local[facility]].kinds  # it sends on what it accepts, and treats nothing
    for step in plan(document, known, document.number.encode()):
        if step.contract == REGISTRY or (is_batched and step.action == "certify"):
            continue
        is_gone = fate == "silent transporter" and step.role != "generator" and step.action == "hand_over"
        if is_gone or (fate == "never confirmed" and step.role == facility):
            return
        wait_ms = random.randint(10, 90) * MINUTE_MS
        yield Step(local[step.role], step.action, step.args, step.sentence, step.contract, wait_ms)
