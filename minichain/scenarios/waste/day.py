"""An example day of household waste: who signs what, in order. All of it is invented, and some of it goes wrong.

Like any story it is a plan: nothing is sent here. What goes wrong is not marked anywhere; it has to be found.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, Final

from msgspec.structs import replace

from minichain.crypto import digest
from minichain.scenarios import Dids, Step
from minichain.scenarios.waste.contract import WasteCustody
from minichain.scenarios.waste.document import Document, Line, Rejection, Site
from minichain.scenarios.waste.registry import WasteRegistry
from minichain.scenarios.waste.story import CUSTODY, OFFICE, REGISTRY, plan, roles, setup, sites

OFFICE_A, OFFICE_B = "Street office A", "Street office B"
MARKET, SCHOOL = "Vegetable market", "School kitchen"
TRUCK_7, TRUCK_9, STATION = "Collection truck 7", "Collection truck 9", "Transfer station"
COMPOST, BURNER = "Composting plant", "Incineration plant"

KITCHEN, RESIDUAL, PAPER = ("kitchen waste", "W-3"), ("residual waste", "W-4"), ("paper and cardboard", "W-1")


def _load(
    day: int,
    generator: str,
    way: tuple[str, ...],
    facility: str,
    waste: tuple[str, str],
    quantity: int,
    *,
    differs: tuple[str, ...] = (),
    rejection: Rejection | None = None,
) -> Document:
    description, code = waste
    line = Line(
        line=1,
        description=description,
        quantity=quantity,
        unit="K",
        containers=1,
        container_type="TRUCK",
        local_codes=(code,),
        differs=differs,
    )
    return Document(
        profile="household",
        generator=Site(generator, "District 1"),
        transporters=tuple(Site(name, "District 1") for name in way),
        facility=Site(facility, "District 1"),
        lines=(line,),
        number=f"HH-2026{day:04}",
        category="",
        rejection=rejection,
    )


# Each load, and the action before which its day ends ("" is the end of its story).
LOADS: Final[tuple[tuple[Document, str], ...]] = (
    (_load(101, OFFICE_A, (TRUCK_7, STATION), BURNER, RESIDUAL, 1_240), ""),
    (_load(102, OFFICE_B, (TRUCK_9,), COMPOST, KITCHEN, 860), ""),
    (_load(103, MARKET, (TRUCK_7,), COMPOST, KITCHEN, 2_150, differs=("quantity",)), "reconcile"),
    (_load(104, SCHOOL, (TRUCK_9,), COMPOST, KITCHEN, 190), "certify"),
    (_load(105, OFFICE_A, (TRUCK_7, STATION), BURNER, RESIDUAL, 1_310), "receive"),
    (_load(106, OFFICE_B, (TRUCK_9,), BURNER, PAPER, 420, rejection=Rejection(True, True, True)), "receive"),
    (_load(107, MARKET, (TRUCK_7, STATION), BURNER, RESIDUAL, 980), "report"),
    (_load(108, OFFICE_A, (TRUCK_9,), COMPOST, KITCHEN, 640), "take_over"),
    (_load(109, SCHOOL, (TRUCK_7,), COMPOST, KITCHEN, 205), "hand_over"),
)

# What an inspector's own scale showed at the bins before a truck came, in kg: a sample, and on no ledger.
SPOT_CHECKS: Final = {"HH-20260101": 1_246, "HH-20260102": 1_230, "HH-20260104": 188}

CONTRACTS: Final[dict[str, type]] = {REGISTRY: WasteRegistry, CUSTODY: WasteCustody}


def arguments(dids: Dids) -> dict[str, dict[str, Any]]:
    """Return the arguments with which each contract is deployed by the office, by its address."""
    return setup(LOADS[0][0], dids)


def people() -> tuple[str, ...]:
    """Return the names of the wallets of the day, the office first: those of the sites, and roles without a site."""
    others = [role for document, _end in LOADS for role in roles(document) if role not in sites(document)]
    named = [site.number for document, _end in LOADS for site in sites(document).values()]
    return tuple(dict.fromkeys([OFFICE, *others, *named]))


def rounds(dids: Dids) -> Iterator[tuple[Step, ...]]:
    """Tell the day; `dids` are those of `people()`. A step's role is a name of `people()` too.

    First everybody is registered; then, round by round, each load that is under way takes its next step. No step
    depends on another one of its round.
    """
    loads = [list(_steps(document, end, dids)) for document, end in LOADS]
    registered = {step.args["did"]: step for load in loads for step in load if step.action == "register"}
    yield tuple(replace(step, args={**step.args, "codes": ["*"], "methods": ["*"]}) for step in registered.values())
    on_the_way = [[step for step in load if step.action != "register"] for load in loads]
    for together in zip_longest(*on_the_way):
        yield tuple(step for step in together if step is not None)


def _steps(document: Document, end: str, dids: Dids) -> Iterator[Step]:
    named = {role: sites(document)[role].number if role in sites(document) else role for role in roles(document)}
    salt = digest("example day", document.number.encode())
    for planned in plan(document, {role: dids[name] for role, name in named.items()}, salt):
        if planned.action == end:
            return
        yield replace(planned, role=named[planned.role])
