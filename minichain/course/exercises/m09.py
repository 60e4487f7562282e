"""M9, contracts meet the world: who tells the ledger what it knows, what of it is proven, rules that bear one liar."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from hashlib import sha256
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from minichain.client.network import Network
from minichain.codec import decode, encode
from minichain.contracts.sandbox import Sandbox, SandboxContract
from minichain.course.exercise import Exercise, Miss, miss, seeds
from minichain.course.exercises.deposits import Deposits
from minichain.crosschain.proofs import Proof, verify
from minichain.errors import MinichainError
from minichain.ledger.certificate import QuorumCertificate
from minichain.ledger.types import Receipt
from minichain.scenarios.oracle import FEED, RULES, Readings, days_from, tell

OFFICE, BOARD, RESIDENT = "Environment office", "Arbitration board", "Resident"
HOUR_MS: Final = 3_600_000
LIE: Final = 12

# --- a street with sensors -------------------------------------------------------------------------------------------

OWNERS: Final = {  # of the sensors that could be used
    "Office sensor": OFFICE,
    "University sensor": "University",
    "School sensor": "School",
    "Factory sensor": "Factory",
    "Factory sensor 2": "Factory",
    "Factory sensor 3": "Factory",
}
THREE: Final = ("Office sensor", "University sensor", "Factory sensor")


class Street:
    """The contract of readings with some sensors and rules, in a sandbox."""

    def __init__(self, sensors: Collection[str] = THREE, **rules: int) -> None:
        self.box = Sandbox()
        self.readings: SandboxContract = self.box.deploy(
            Readings, sender=self.box.account(OFFICE), judge=self.box.account(BOARD)
        )
        self.readings.open_feed(FEED, **{**RULES, **rules})
        for name in sensors:
            self.readings.admit(self.box.account(name), OWNERS[name], **days_from(self.box.now_ms, 365))

    def by(self, name: str) -> Any:
        """Return the contract as somebody calls it."""
        return self.readings.with_sender(self.box.account(name))

    def report(self, values: Mapping[str, int]) -> None:
        """Let sensors report in round 0, and let its time pass."""
        for name, value in values.items():
            self.by(name).report(FEED, 0, value, self.box.now_ms)
        self.box.advance(ms=RULES["length"])

    def settled(self, values: Mapping[str, int]) -> Mapping[str, Any]:
        """Return the figure of round 0 after these reports, once somebody has closed it."""
        self.report(values)
        self.by(RESIDENT).settle(FEED, 0)
        return self.figure()

    def figure(self) -> Mapping[str, Any]:
        """Return what others see of round 0."""
        found: Mapping[str, Any] = self.readings.figure(FEED, 0)
        return found

    def story(self) -> Sequence[Mapping[str, Any]]:
        """Return the history of round 0."""
        found: Sequence[Mapping[str, Any]] = self.readings.story(FEED, 0)
        return found


# --- m09.p1: one day at Canal Street ---------------------------------------------------------------------------------

ONE_LIAR: Final = {"Office sensor": 61, "University sensor": 58, "Factory sensor": LIE}
TWO_LIARS: Final = {**ONE_LIAR, "Office sensor": LIE}
CANNOT_TELL: Final = frozenset({"the contract", "the validators"})


@cache
def what_happens() -> dict[str, Any]:
    """Play the street: who told the ledger a figure, what counts with liars, and what nobody does by itself."""
    with Network.simulated(validators=4, seed=7, clock="wall") as net:
        told = list(tell(net))
        first = next(receipt for step, receipt in told if step.args.get("value") == LIE)
        lie = verify(Proof.from_bytes(first.proof().to_bytes()))
    untouched = Street()
    untouched.report(ONE_LIAR)
    untouched.box.advance(days=1)
    return {
        "oracles": {step.role for step, receipt in told if receipt.events and receipt.events[0].name == "Reported"},
        "lie_proven": lie.receipt.ok,
        "one_liar": Street().settled(ONE_LIAR)["value"],
        "two_liars": Street().settled(TWO_LIARS)["value"],
        "a_day_later": untouched.figure()["status"],
    }


P1 = Exercise("m09.p1", expects=dict)


@P1.part
def sources_are_oracles(answer: Mapping[str, Any]) -> Miss | None:
    """Judge who brings figures in."""
    said, truth = set(answer.get("oracles", ())), what_happens()["oracles"]
    if said == truth:
        return None
    if said & CANNOT_TELL:
        return miss("looks_for_itself")
    return miss("wrong_oracles", said=", ".join(sorted(map(str, said))) or "-")


@P1.part
def a_lie_can_be_proven(answer: Mapping[str, Any]) -> Miss | None:
    """Judge whether the proof of a reading holds that is a lie."""
    return None if answer.get("lie_proven") is what_happens()["lie_proven"] else miss("chain_would_notice")


@P1.part
def the_middle_counts(answer: Mapping[str, Any]) -> Miss | None:
    """Judge which figure counts where one of three lies."""
    said, truth = answer.get("one_liar"), what_happens()["one_liar"]
    return None if said == truth else miss("not_the_middle", said=said)


@P1.part
def two_liars_win(answer: Mapping[str, Any]) -> Miss | None:
    """Judge which figure counts where two of three lie."""
    said, truth = answer.get("two_liars"), what_happens()["two_liars"]
    return None if said == truth else miss("truth_wins", said=said)


@P1.part
def nothing_wakes_up(answer: Mapping[str, Any]) -> Miss | None:
    """Judge what became of a round that nobody closed."""
    said, truth = answer.get("a_day_later"), what_happens()["a_day_later"]
    return None if said == truth else miss("wakes_up", said=said)


# --- m09.e1: a photograph before a court -----------------------------------------------------------------------------

NOTE: Final = "Canal Street, Monday, 120 kg"


class Package(NamedTuple):
    """What a party hands to the court: the file, and the proof of its deposit."""

    file: bytes
    proof: Proof


def photograph(street: str = "Canal Street", day: str = "Monday", kg: int = 120, *, is_edited: bool = False) -> bytes:
    """Return the bytes of what a camera makes of a scene, and somebody perhaps of that."""
    return f"pixels of {street} on {day} with {kg} kg{', retouched' if is_edited else ''}".encode()


@cache
def court() -> Network:
    """Return the chain on which files are deposited."""
    net = Network.simulated(validators=4, seed=7)
    net.start()
    net.deploy(Deposits, sender=net.wallet("Court"), name="deposits")
    return net


@cache
def deposited(file: bytes = photograph(), by: str = "Clerk", hand: str = "Clerk") -> Package:
    """Deposit a file with the note that always says the same. The key signs, whoever's `hand` presses the button."""
    receipt = court().contract("deposits", sender=court().wallet(by)).deposit(sha256(file).hexdigest(), NOTE)
    return Package(file, receipt.proof())


def accepts(package: Package) -> bool:
    """Judge as the court's program does: all that a ledger can be asked about a deposit."""
    try:
        found = verify(package.proof, court().genesis.hash)
    except MinichainError:
        return False
    said = found.receipt.events[0].data
    is_file = said["fingerprint"] == sha256(package.file).hexdigest()
    return is_file and said["note"] == NOTE and found.sender == court().wallet("Clerk").did


def _with_another_note() -> Package:
    package = deposited()
    receipt = decode(package.proof.receipt, Receipt)
    event = replace(receipt.events[0], data={**receipt.events[0].data, "note": NOTE.replace("120", "20")})
    return package._replace(proof=replace(package.proof, receipt=encode(replace(receipt, events=(event,)))))


def _back_dated() -> Package:
    package = deposited()
    earlier = replace(package.proof.header, time_ms=package.proof.header.time_ms - HOUR_MS)
    return package._replace(proof=replace(package.proof, header=earlier))


def _signed_by_fewer() -> Package:
    package = deposited()
    certificate = package.proof.certificate
    assert isinstance(certificate, QuorumCertificate), "this chain is one of members who vote"
    fewer = replace(certificate, signatures=certificate.signatures[:2])
    return package._replace(proof=replace(package.proof, certificate=fewer))


# A statement, and the best that somebody can hand in where it is false.
LIES: Final[dict[str, Callable[[], Package]]] = {
    "this is the file that was deposited": lambda: deposited()._replace(file=photograph(kg=20)),
    "the note is as it was on that day": _with_another_note,
    "the clerk's key signed the deposit": lambda: deposited(by="Somebody"),
    "the block has the time that it says": _back_dated,
    "three of four offices signed the block": _signed_by_fewer,
    "the clerk pressed the button": lambda: deposited(hand="Somebody"),
    "nobody edited the photograph before": lambda: deposited(photograph(is_edited=True)),
    "the photograph was taken on Monday": lambda: deposited(photograph(day="Sunday")),
    "the photograph shows Canal Street": lambda: deposited(photograph(street="Mill Lane")),
    "there were 120 kg in the bin": lambda: deposited(photograph(kg=20)),
}
WHOSE_HAND: Final = "the clerk pressed the button"


@cache
def standing(statement: str) -> str:
    """Return "proven" if the court's program refuses whoever hands in a lie, and "claimed" if it accepts it."""
    return "claimed" if accepts(LIES[statement]()) else "proven"


E1 = Exercise("m09.e1", expects=dict)


@E1.each(LIES)
def proven_or_claimed(answer: Mapping[str, str], statement: str) -> Miss | None:
    """Judge one statement."""
    said, truth = answer.get(statement), standing(statement)
    if said == truth:
        return None
    if said not in ("proven", "claimed"):
        return miss("not_said", statement=statement)
    if truth == "proven":
        return miss("doubts_all", statement=statement)
    return miss("key_is_hand" if statement == WHOSE_HAND else "chain_is_truth", statement=statement)


# --- m09.e2: rules that bear one liar --------------------------------------------------------------------------------

ROUNDS: Final = 3
HONEST: Final = 60
SPREAD: Final = 4  # of honest sensors of one street, either way
WEEKEND_HOURS: Final = 48
WEEK_HOURS: Final = 168
STEPS: Final = ("object", "decide", "delete", "report", "settle")
PEOPLE: Final = (OFFICE, BOARD, RESIDENT)
CORRECTED: Final = 44
GROUNDS: Final = "Both sensors stood beside a building site that day."
Rules = Mapping[str, Any]

E2 = Exercise("m09.e2", expects=dict)


def _whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and least <= value <= most


def street(rules: Rules) -> Street:
    """Return a street with the rules of an answer."""
    return Street(
        rules["sensors"],
        needed=rules["needed"],
        tolerance=rules["tolerance"],
        objection_time=rules["objection_hours"] * HOUR_MS,
    )


def _honest(rules: Rules, seed: int) -> dict[str, int]:
    draw = random.Random(seed)
    return {name: HONEST + draw.randint(-SPREAD, SPREAD) for name in rules["sensors"]}


def _owners(rules: Rules) -> list[str]:
    return sorted({OWNERS[name] for name in rules["sensors"]})


def _lying(values: Mapping[str, int], owner: str) -> dict[str, int]:
    return {name: LIE if OWNERS[name] == owner else value for name, value in values.items()}


def _is_borne(figure: Mapping[str, Any]) -> bool:
    return figure["status"] == "void" or bool(abs(figure["value"] - HONEST) <= SPREAD)


@E2.part
def can_be_tried(rules: Rules) -> Miss | None:
    """Judge whether a program can follow the rules at all."""
    if not isinstance(rules.get("objection_hours"), int):
        return miss("reasonable", said=rules.get("objection_hours"))
    sensors = rules.get("sensors", ())
    is_known = bool(sensors) and len(set(sensors)) == len(sensors) and set(sensors) <= OWNERS.keys()
    numbers = _whole(rules.get("needed"), 1, 30) and _whole(rules.get("tolerance"), 0, 1000)
    if is_known and numbers and rules["objection_hours"] >= 1 and set(rules.get("late", ())) <= set(STEPS):
        return None
    return miss("not_rules")


@E2.part
def one_liar_is_borne(rules: Rules) -> Miss | None:
    """Judge by runs in which one owner lies with all its sensors, and perhaps another is silent."""
    if wrong := can_be_tried(rules):
        return wrong
    for seed in seeds(ROUNDS):
        values = _honest(rules, seed)
        for owner in _owners(rules):
            if not _is_borne(figure := street(rules).settled(_lying(values, owner))):
                return miss("liar_wins", owner=owner, value=figure["value"], owners=len(_owners(rules)))
            for silent in set(_owners(rules)) - {owner}:
                heard = {name: value for name, value in values.items() if OWNERS[name] != silent}
                if not _is_borne(figure := street(rules).settled(_lying(heard, owner))):
                    return miss("too_few_needed", owner=owner, silent=silent, value=figure["value"])
    return None


@E2.part
def all_give_a_figure(rules: Rules) -> Miss | None:
    """Judge whether a round in which everybody reports has a figure."""
    if wrong := can_be_tried(rules):
        return wrong
    status = street(rules).settled(_honest(rules, 0))["status"]
    return miss("never_a_figure", needed=rules["needed"], owners=len(_owners(rules))) if status == "void" else None


@E2.part
def the_liar_is_flagged(rules: Rules) -> Miss | None:
    """Judge whether the liar is flagged, and nobody else."""
    if wrong := all_give_a_figure(rules):
        return wrong
    for seed in seeds(ROUNDS):
        place, owner = street(rules), _owners(rules)[seed % len(_owners(rules))]
        flagged = {place.box.people[did] for did in place.settled(_lying(_honest(rules, seed), owner))["flagged"]}
        liars = {name for name in rules["sensors"] if OWNERS[name] == owner}
        if flagged != liars:
            return miss("all_flagged" if flagged > liars else "nobody_flagged", tolerance=rules["tolerance"])
    return None


@E2.part
def somebody_closes_the_round(rules: Rules) -> Miss | None:
    """Judge whether the round is closed by somebody who exists."""
    if wrong := all_give_a_figure(rules):
        return wrong
    place, closer = street(rules), rules.get("closed_by")
    place.report(_honest(rules, 0))
    if closer in (*PEOPLE, *OWNERS):
        place.by(str(closer)).settle(FEED, 0)
    return miss("by_itself", said=closer) if place.figure()["status"] == "open" else None


@E2.part
def there_is_time_to_object(rules: Rules) -> Miss | None:
    """Judge by somebody who objects after a weekend, and by somebody who has to act on the figure after a week."""
    if wrong := all_give_a_figure(rules):
        return wrong
    hours = rules["objection_hours"]
    place = street(rules)
    place.settled(_honest(rules, 0))
    place.box.advance(hours=WEEKEND_HOURS)
    if place.by(RESIDENT).object(FEED, 0, "instrument", "5f" * 32).events[0].data["late"]:
        return miss("too_short", hours=hours)
    place = street(rules)
    place.settled(_honest(rules, 0))
    place.box.advance(hours=WEEK_HOURS)
    return None if place.figure()["status"] == "final" else miss("too_long", hours=hours)


@E2.part
def a_late_mistake_is_corrected(rules: Rules) -> Miss | None:
    """Judge by what is done, long after, about a figure that was wrong: by a new entry, and with the old one there."""
    if wrong := all_give_a_figure(rules):
        return wrong
    place = street(rules)
    place.settled(_honest(rules, 0))
    place.box.advance(hours=rules["objection_hours"], days=30)
    before = place.story()
    for step in rules.get("late", ()):
        outcome = _done(place, step)
        if not outcome.ok:
            return miss("step_refused", step=step, error=outcome.error)
    if place.figure()["value"] != CORRECTED:
        return miss("not_corrected", value=place.figure()["value"])
    assert place.story()[: len(before)] == before, "no step of this contract touches what was entered"
    return None


def _done(place: Street, step: str) -> Any:
    ways: dict[str, tuple[str, dict[str, Any]]] = {
        "object": (RESIDENT, {"round": 0, "reason": "place", "evidence": "a7" * 32}),
        "decide": (BOARD, {"round": 0, "number": 0, "upheld": True, "value": CORRECTED, "grounds": GROUNDS}),
        "delete": (OFFICE, {"round": 0}),
        "report": ("Office sensor", {"round": 0, "value": CORRECTED, "measured_at": place.box.now_ms}),
        "settle": (RESIDENT, {"round": 0}),
    }
    name, args = ways[step]
    return place.box.call(place.box.account(name), place.readings.name, step, {"feed": FEED, **args})


EXERCISES: Final = {one.id: one for one in (P1, E1, E2)}
