"""Weighed drops on a street: the scale that signs them, the load they travel in, and its way to the plant.

The load is one of garbage custody, on the same chain and with the same roles as there. That a drop is verified only
when its load is accounted for is checked by the contracts; here everybody only does what is theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import count, groupby
from typing import Any, Final, Protocol

from msgspec.structs import replace

from minichain.client.network import Network
from minichain.client.receipt import Receipt
from minichain.crypto import digest
from minichain.errors import ExecutionError, UsageError
from minichain.scenarios import Dids, Step, examples
from minichain.scenarios.points.acting import Deed
from minichain.scenarios.points.figures import Ask, asker
from minichain.scenarios.points.presets import DAY_MS
from minichain.scenarios.points.story import (
    ACCREDITOR,
    DOCUMENT,
    EVIDENCE,
    IDENTITY,
    INTAKE,
    LABORATORY,
    PLANT,
    RECORDER,
    SCALE,
    TRUCK,
)
from minichain.scenarios.waste import SCENARIO as WASTE
from minichain.scenarios.waste.story import CUSTODY, sites

WEIGHING: Final = (SCALE, LABORATORY, ACCREDITOR, TRUCK, PLANT)  # the roles that a weighed drop takes, beside offices
RULE: Final = "kitchen-waste"
ZONE: Final = "street-1"
YEAR_MS: Final = 365 * DAY_MS
BEFORE_PICKUP: Final = ("draft", "submit", "schedule")
ON_THE_WAY: Final = ("handed over", "taken over", "handed over", "received", "reported", "signed")  # in a load's log


class Place(Protocol):
    """What weighing needs of a street."""

    net: Network

    def do(self, role: str, *deeds: Deed) -> Receipt: ...
    def did(self, role: str) -> str: ...
    def now_ms(self) -> int: ...


class Drops:
    """What happens at the scale, and to what was weighed."""

    def install_scale(self: Place) -> None:
        """Enrol a scale whose calibration counts, and bring garbage custody where it is not there yet."""
        examples.load(self.net, lambda _words: None)
        scale, laboratory, office = (self.did(role) for role in (SCALE, LABORATORY, RECORDER))
        year = {"valid_from": 0, "valid_until": self.now_ms() + YEAR_MS}
        grant = Deed(IDENTITY, "grant_role", {"did": laboratory, "role": "laboratory", **year})
        offer = {"device": scale, "model": "Platform scale 60 kg", "serial": digest("document", scale.encode())}
        enrol = Deed(IDENTITY, "enrol", {**offer, "accreditor": self.did(ACCREDITOR)})
        certificate = {"device": scale, "digest": digest("document", b"calibration"), **year}
        self.do(ACCREDITOR, *_founded(self, ACCREDITOR), grant)
        self.do(RECORDER, *_founded(self, RECORDER), enrol)
        self.do(SCALE, Deed(IDENTITY, "join", {"organisation": office}))
        self.do(LABORATORY, Deed(IDENTITY, "certify", certificate))

    def weigh(self: Place, resident: str, grams: int) -> Receipt:
        """Let the scale sign what a resident drops, into the load that waits for its truck."""
        code = code_of(sum(1 for _one in weighings(asker(self.net))) + 1)
        told = {"drop": code, "account": self.did(resident), "grams": grams, "zone": ZONE, "manifest": _load(self)}
        return self.do(SCALE, Deed(EVIDENCE, "weigh", told))

    def record_drop(self: Place, role: str, drop: str) -> Receipt:
        """Record what the scale has signed."""
        return self.do(role, Deed(INTAKE, "record_drop", {"drop": drop, "code": RULE}))

    def bring_in(self: Place, number: str) -> Receipt:
        """Bring a load to the plant, from wherever it is: the truck takes it, the plant weighs it and signs."""
        log = self.net.view(CUSTODY, "manifest", {"number": number})["log"]
        done = sum(entry["act"] in ON_THE_WAY for entry in log)
        way = [step for step in _steps(self, number) if step.action not in (*BEFORE_PICKUP, "certify")]
        if not way[done:]:
            raise UsageError(f"load {number} is at the plant already: look at the page again")
        return [_together(self, steps) for _role, steps in groupby(way[done:], lambda step: step.role)][-1]


def _founded(place: Place, office: str) -> list[Deed]:
    """Return what makes an office an organisation, if it is none yet: another page may have done it."""
    is_person = place.net.view(IDENTITY, "record", {"did": place.did(office)})["kind"] == "person"
    return [Deed(IDENTITY, "found", {"name": office, "services": []})] if is_person else []


# --- the load ----------------------------------------------------------------------------------------------------


def _load(place: Place) -> str:
    """Return the number of the load that waits for its truck; where there is none, a new one is made ready."""
    ask, first = asker(place.net), int(DOCUMENT.number.removeprefix("HH-"))
    states = ((number, _state(ask, number)) for number in (f"HH-{first + more}" for more in count()))
    number, state = next((number, state) for number, state in states if state in ("", "Scheduled"))
    if not state:
        _together(place, (step for step in _steps(place, number) if step.action in BEFORE_PICKUP))
    return number


def _state(ask: Ask, number: str) -> str:
    """Return the state of a load, or nothing where there is none."""
    try:
        return str(ask(CUSTODY, "manifest", number=number)["state"])
    except ExecutionError:
        return ""


def _steps(place: Place, number: str) -> Iterator[Step]:
    """Tell the life of one load of this street; who takes part in it is registered already."""
    document = replace(DOCUMENT, number=number)
    known = sites(document)
    names = {role: known[role].number if role in known else RECORDER for role in WASTE.roles(document)}
    dids: Dids = {role: place.did(name) for role, name in names.items()}
    for step in WASTE.plan(document, dids, digest("load", number.encode())):
        if step.action != "register":
            yield replace(step, role=names[step.role])


def _together(place: Place, steps: Iterable[Step]) -> Receipt:
    """Do consecutive steps of one role in one transaction."""
    found = list(steps)
    return place.do(found[0].role, *(Deed(step.contract, step.action, step.args) for step in found))


# --- what was weighed --------------------------------------------------------------------------------------------


def code_of(number: int) -> str:
    """Return the code that the scale of the street gives to a drop."""
    return f"street-drop-{number}"


def weighings(ask: Ask) -> Iterator[Mapping[str, Any]]:
    """Yield what the scale of the street has weighed, the oldest first."""
    for number in count(1):
        try:
            yield {"drop": code_of(number), "weighing": ask(EVIDENCE, "weighing", drop=code_of(number))}
        except ExecutionError:
            return


def loads_of(drops: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the numbers of the loads that drops travel in, the oldest first."""
    return list(dict.fromkeys(one["weighing"]["manifest"] for one in drops))
