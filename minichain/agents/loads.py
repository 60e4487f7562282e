"""Loads of household waste on the contracts of garbage custody: who sends them, and what is signed on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Final

from msgspec.structs import replace

from minichain.agents.stage import Act, Stage
from minichain.codec import Plain
from minichain.ledger.types import Call
from minichain.scenarios import Dids, Step
from minichain.scenarios.demo import call_of
from minichain.scenarios.waste import WasteCustody, WasteRegistry
from minichain.scenarios.waste.document import Document, Line, Site
from minichain.scenarios.waste.story import CUSTODY, OFFICE, PRIVATE, REGISTRY, plan, profile

STREET, PLANT, INSPECTOR = "street office", "plant", "inspector"
DISTRICT: Final = "District 1"
SALT: Final = b"nothing personal is in these documents"


class Trip(Plain):
    """One load, in kilograms: what its manifest says, and what the plant writes down."""

    number: str
    haulier: str
    shipped: int
    weighed: int


def open_custody(stage: Stage, hauliers: Iterable[str], **rules: Any) -> Dids:
    """Put the contracts there with the household's rules, some of them changed, and let the office register everybody.

    Returns the dids of all who are there so far.
    """
    kinds = {STREET: "generator", PLANT: "facility", INSPECTOR: "regulator"} | dict.fromkeys(hauliers, "transporter")
    dids = stage.invite([OFFICE, *kinds])
    stage.deploy(REGISTRY, WasteRegistry, OFFICE, operator=dids[OFFICE], profile={**profile("household"), **rules})
    stage.deploy(CUSTODY, WasteCustody, OFFICE, registry=REGISTRY)
    stage.must((OFFICE, [_registration(dids[name], name, kind)]) for name, kind in kinds.items())
    return dids


def _registration(did: str, name: str, kind: str) -> Call:
    args = {"did": did, "roles": [kind], "site": name, "jurisdiction": DISTRICT, "codes": ["*"], "methods": ["*"]}
    return Call(REGISTRY, "register", args)


def travel(stage: Stage, trips: Iterable[Trip], dids: Dids) -> None:
    """Let loads travel together: the street office ships, the hauliers drive, the plant weighs and signs."""
    stories = [_story(trip, dids) for trip in trips]
    for together in zip(*stories, strict=True):
        stage.must(together)


def _story(trip: Trip, dids: Dids) -> list[Act]:
    """Tell one load as transactions: what one party does in a row is one of them."""
    roles = {"generator": STREET, "transporter-1": trip.haulier, "facility": PLANT, "regulator-origin": INSPECTOR}
    known = {role: dids[name] for role, name in roles.items()} | {OFFICE: dids[OFFICE]}
    told = groupby(_steps(trip, known), key=lambda step: roles[step.role])
    return [(name, [call_of(step) for step in row]) for name, row in told]


def _steps(trip: Trip, dids: Dids) -> Iterator[Step]:
    for step in plan(_document(trip), dids, SALT):
        if step.contract == CUSTODY and step.action != "certify":
            yield _weighed(step, trip) if step.action == "report" else step


def _document(trip: Trip) -> Document:
    line = Line(1, "household waste", trip.shipped, "K", 1, "TRUCK", local_codes=("W-4",))
    street, haulier, plant = (Site(name, DISTRICT) for name in (STREET, trip.haulier, PLANT))
    return Document("household", street, (haulier,), plant, (line,), trip.number, category="")


def _weighed(step: Step, trip: Trip) -> Step:
    """Let the plant report what it weighed."""
    comment = PRIVATE if trip.weighed < trip.shipped else ""
    told = {"received": trip.weighed, "accepted": trip.weighed, "comment": comment}
    return replace(step, args={**step.args, "lines": [{**line, **told} for line in step.args["lines"]]})
