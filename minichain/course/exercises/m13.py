"""M13, custody of waste: what each party signs, which loads have a fault, and what no ledger can see.

Every load is played on the real contracts of waste custody. A load has a true side and a signed one, and only the
signed one gets to the contract: what differs on the true side alone is what the ledger cannot see.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from minichain.contracts import Sandbox
from minichain.course.exercise import Exercise, Miss, miss, seeds
from minichain.crypto import digest
from minichain.scenarios import Step
from minichain.scenarios.waste import day
from minichain.scenarios.waste.document import Document, Line, Site
from minichain.scenarios.waste.story import CUSTODY, OFFICE, plan, roles, setup

Forms = Mapping[str, Mapping[str, Any]]  # number -> manifest, as the contract shows it
Samples = Mapping[str, int]  # number -> kg that an inspector's own scale showed at the bins

WHOLE, DITCHED, GIVEN = "HH-20260201", "HH-20260202", "HH-20260203"
SITES: Final = {"generator": "office", "transporter-1": "truck", "facility": "plant"}  # role -> who it is here


# --- a load, and what the ledger gets of it --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Load:
    """One load. `written` and `reported` are signed; all below is true, and stands nowhere. Masses are in kg."""

    written: int = 1_000  # at the first weighing
    reported: int = 1_000  # by the plant
    ends: str = ""  # the action before which its story ends
    corrected_by: str = ""  # who corrects the weight alone

    in_bins: int = 1_000
    arrived: int = 1_000
    in_bags: str = "kitchen waste"
    key_of_truck_with: str = "the driver"


class Town:
    """A sandbox with the contracts of waste custody and their parties, in which loads are played."""

    def __init__(self) -> None:
        self.box = Sandbox()
        document = _document(WHOLE, Load())  # the parties of all loads are the same
        self.dids = {role: self.box.account(SITES.get(role, role)) for role in roles(document)}
        self.names = {self.dids[role]: name for role, name in SITES.items()}
        for address, arguments in setup(document, self.dids).items():
            self.box.deploy(day.CONTRACTS[address], sender=self.dids[OFFICE], name=address, **arguments)
        for step in self._steps(document):
            if step.action == "register":
                self._do(self.dids[step.role], step.action, step.args, step.contract)

    def play(self, found: Mapping[str, Load]) -> Forms:
        """Play loads from the draft on, and return their manifests."""
        for number, load in found.items():
            self._play(number, load)
        return {number: self.box.view("", CUSTODY, "manifest", {"number": number}).result for number in found}

    def _steps(self, document: Document) -> tuple[Step, ...]:
        return plan(document, self.dids, digest("load", document.number.encode()))

    def _play(self, number: str, load: Load) -> None:
        for step in self._steps(_document(number, load)):
            if step.action == load.ends:
                return
            if step.action != "register":
                self._do(self.dids[step.role], step.action, _as_weighed(step.args, load))
        if load.corrected_by:
            did, change = self.box.account(load.corrected_by), {"line": 1, "quantity": load.reported}
            reason = {"changes": [change], "reason": "The first scale was wrong."}
            self._do(did, "propose_correction", {"number": number, **reason})
            self._do(did, "sign_correction", {"number": number, "attempt": 1})

    def _do(self, did: str, action: str, args: Mapping[str, Any], contract: str = CUSTODY) -> None:
        outcome = self.box.call(did, contract, action, args)
        assert outcome.ok, outcome.error


def _as_weighed(args: Mapping[str, Any], load: Load) -> Mapping[str, Any]:
    """Put what the plant writes down in the place of what a load of the story has."""
    if "received" not in args.get("lines", [{}])[0]:
        return args
    weighed = {"received": load.reported, "accepted": load.reported, "comment": "as weighed"}
    return {**args, "lines": [{**args["lines"][0], **weighed}]}


def _document(number: str, load: Load) -> Document:
    line = Line(1, "kitchen waste", load.written, "K", 1, "TRUCK", local_codes=("W-3",))
    generator, truck, plant = (Site(name, "District 1") for name in SITES.values())
    return Document("household", generator, (truck,), plant, (line,), number=number, category="")


# --- m13.p1: who signs what ------------------------------------------------------------------------------------------

# What happens on the road -> which acts in the log of a manifest are about it: the first two come before the road.
ROAD: Final = {"into the truck": slice(2, 4), "at the gate": slice(4, 6), "on the scale": slice(6, 8)}
SUNK: Final = Load(arrived=500)  # half of it is in a ditch, and the plant writes down what the driver says


@cache
def who_signs() -> Mapping[str, Any]:
    """Play a load, one that loses half in a ditch, and one that is only given; return who signed for what."""
    town = Town()
    forms = town.play({WHOLE: Load(), DITCHED: SUNK, GIVEN: Load(ends="take_over")})
    signed, ditched = ([(entry["act"], town.names[entry["by"]]) for entry in forms[n]["log"]] for n in (WHOLE, DITCHED))
    signers = {event: {by for _act, by in signed[part]} for event, part in ROAD.items()}
    ditch = {by for _act, by in set(ditched) - set(signed)}
    return {**signers, "into a ditch": ditch, "custody": town.names[forms[GIVEN]["custodian"]]}


P1 = Exercise("m13.p1", expects=dict)


@P1.part
def a_handover_has_two_sides(answer: Mapping[str, Any]) -> Miss | None:
    """Judge who signs when a load goes from hand to hand."""
    for event in ("into the truck", "at the gate"):
        if set(answer.get(event, ())) != who_signs()[event]:
            return miss("one_side", event=event, said=sorted(answer.get(event, ())))
    return None


@P1.part
def the_plant_answers_for_its_scale(answer: Mapping[str, Any]) -> Miss | None:
    """Judge who signs for what the plant weighed."""
    return None if set(answer.get("on the scale", ())) == who_signs()["on the scale"] else miss("scale")


@P1.part
def nobody_signs_for_a_ditch(answer: Mapping[str, Any]) -> Miss | None:
    """Judge who is expected to sign for waste that is thrown into a ditch."""
    said = set(answer.get("into a ditch", ("nobody was named",)))
    return None if said == who_signs()["into a ditch"] else miss("ditch_signed", said=sorted(said))


@P1.part
def custody_waits_for_the_second_signature(answer: Mapping[str, Any]) -> Miss | None:
    """Judge who has custody of what was given and not taken."""
    return None if answer.get("custody") == who_signs()["custody"] else miss("custody", said=answer.get("custody"))


# --- m13.e1: three faults --------------------------------------------------------------------------------------------

Inspect = Callable[[Forms, Samples], Mapping[str, Any]]
LOADS: Final = 12

E1 = Exercise("m13.e1", expects=callable)


@dataclass(frozen=True, slots=True)
class Day:
    """A day to be inspected, and the numbers of the loads that have each fault."""

    forms: Forms
    samples: Samples
    faults: Mapping[str, frozenset[str]]


GAP, SHORT, FALSE = "nobody has it", "mass is missing", "first weighing is false"
CAUSES: Final = {  # fault -> what is said of one that was not found, and of one that is none
    GAP: ("gap_missed", "gap_invented"),
    SHORT: ("mass_missed", "mass_invented"),
    FALSE: ("ledger_believed", "sample_overdone"),
}


def is_disputed(form: Mapping[str, Any]) -> bool:
    """Tell whether the contract has marked a difference that nobody has answered."""
    return any(entry["open"] for entry in form["discrepancies"])


def _day(forms: Forms, samples: Samples, false_start: Iterable[str]) -> Day:
    gaps = frozenset(number for number, form in forms.items() if form["offered"])
    short = frozenset(number for number, form in forms.items() if is_disputed(form))
    return Day(forms, samples, {GAP: gaps, SHORT: short, FALSE: frozenset(false_start)})


@cache
def published_day() -> Day:
    """Play the example day in a sandbox, and return it with what its inspector noted."""
    box = Sandbox()
    dids = {name: box.account(name) for name in day.people()}
    for address, arguments in day.arguments(dids).items():
        box.deploy(day.CONTRACTS[address], sender=dids[OFFICE], name=address, **arguments)
    for step in (step for steps in day.rounds(dids) for step in steps):
        box.call(dids[step.role], step.contract, step.action, step.args)
    numbers = [document.number for document, _end in day.LOADS]
    forms = {number: box.view("", CUSTODY, "manifest", {"number": number}).result for number in numbers}
    return _day(forms, day.SPOT_CHECKS, ("HH-20260102",))


@cache
def some_day(seed: int) -> Day:
    """Play a made-up day. An inspector's scale has been at every second bin, and is off by a kilogram or two."""
    found, draw = _made_up(seed), random.Random(seed)
    samples = {number: one.in_bins + draw.randint(-2, 2) for number, one in found.items() if draw.random() < 0.5}
    return _day(Town().play(found), samples, (n for n in samples if found[n].in_bins > found[n].written))


def _made_up(seed: int) -> dict[str, Load]:
    """Make up loads: some are never taken, some lose mass on the road, some before they are weighed."""
    draw = random.Random(seed)
    return {f"HH-2026{300 + place:04}": _a_load(draw) for place in range(LOADS)}


def _a_load(draw: random.Random) -> Load:
    kg = 100 * draw.randint(4, 30)
    honest = Load(kg, kg, in_bins=kg, arrived=kg)
    came = kg * draw.choice((50, 80, 96, 97)) // 100  # three percent are still within the tolerance
    kinds = (
        honest,
        replace(honest, ends=draw.choice(("take_over", "receive"))),  # given, and nobody signs for it
        replace(honest, ends=draw.choice(("schedule", "report"))),  # not there yet, as it should be
        replace(honest, reported=came, arrived=came),
        replace(honest, in_bins=kg * 3 // 2),
    )
    return draw.choice(kinds)


def wrong(inspect: Inspect, fault: str, days: Iterable[Day]) -> Miss | None:
    """Name the first load of some days with a fault that was not found, or that was found with none."""
    missed, invented = CAUSES[fault]
    for one in days:
        said, truth = set(inspect(one.forms, one.samples).get(fault, ())), one.faults[fault]
        if truth - said:
            return miss(missed, number=min(truth - said))
        if said - truth:
            return miss(invented, number=min(said - truth))
    return None


@E1.each(CAUSES)
def faults_are_found(inspect: Inspect, fault: str) -> Miss | None:
    """Judge one kind of fault, by the example day and by others."""
    return wrong(inspect, fault, (published_day(), *(some_day(seed) for seed in seeds(3))))


# --- m13.e2: what a ledger cannot see --------------------------------------------------------------------------------

SITUATIONS: Final = {
    "the plant weighs half of what was sent": Load(reported=500, arrived=500),
    "no truck signs for what was handed over": Load(ends="take_over"),
    "the truck corrects the weight alone": Load(reported=700, arrived=700, corrected_by="truck"),
    "two of a hundred kilograms fall off the truck": Load(reported=980, arrived=980),
    "a third is taken out before the first weighing": Load(written=660, reported=660, arrived=660),
    "half is dumped, and the plant writes what the driver says": Load(arrived=500),
    "a stranger drives, with the key of the truck": Load(key_of_truck_with="a stranger"),
    "there are batteries in the bags": Load(in_bags="kitchen waste and batteries"),
}
FLAGGED, READABLE, UNSEEN = "flagged", "readable", "unseen"


@cache
def seen() -> Mapping[str, str]:
    """Play each situation beside an honest load with the same first weighing, and say what a reader of the ledger has.

    `flagged`: the contract marks it. `readable`: it does not, but the manifests differ. `unseen`: they are the same.
    """
    honest = [Load(one.written, one.written, in_bins=one.written, arrived=one.written) for one in SITUATIONS.values()]
    town = Town()
    numbered = {f"HH-2026{place:04}": one for place, one in enumerate((*SITUATIONS.values(), *honest))}
    forms = [*town.play(numbered).values()]
    pairs = zip(SITUATIONS, forms[: len(honest)], forms[len(honest) :], strict=True)
    return {name: _told_apart(form, other) for name, form, other in pairs}


def _told_apart(form: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    if is_disputed(form) or form["offered"]:
        return FLAGGED
    acts, others = ([(entry["act"], entry["by"]) for entry in one["log"]] for one in (form, other))
    return UNSEEN if form["lines"] == other["lines"] and acts == others else READABLE


E2 = Exercise("m13.e2", expects=dict)


@E2.each(SITUATIONS)
def sight_is_judged(answer: Mapping[str, str], name: str) -> Miss | None:
    """Judge what is said of one situation."""
    said, truth = answer.get(name), seen()[name]
    if said == truth:
        return None
    if truth == UNSEEN:
        return miss("ledger_knows", name=name)
    return miss("no_mark" if truth == READABLE else "ledger_blind", name=name)


EXERCISES: Final = {one.id: one for one in (P1, E1, E2)}
