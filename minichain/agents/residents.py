"""Residents who sort, forget, cheat or appeal, on the contracts of contribution points and of garbage custody.

Each round everybody may drop a bag at an enrolled scale, and gives two hours of help, of which a clerk may forget one.
A bag is worth its points; sorting it costs effort. Who cheats drops an unsorted bag for the same points, and loses them
where the bag is opened: a voluntary scheme has no fine. Who is told of too few points objects if that is worth it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from random import Random
from typing import Annotated, Any, Final

from msgspec import Meta

from minichain.agents.experiment import Experiment, Figure
from minichain.agents.loads import Trip, open_custody, travel
from minichain.agents.stage import Act, Stage
from minichain.codec import Plain
from minichain.crypto import digest
from minichain.ledger.types import Call
from minichain.scenarios import Dids
from minichain.scenarios.points.presets import DAY_MS, Preset, preset, rules_of
from minichain.scenarios.points.story import (
    ACCOUNTS,
    ACCREDITOR,
    AUTHORITIES,
    CASES,
    CATALOGUE,
    CHAIR,
    CONTRACTS,
    DESK,
    EVIDENCE,
    IDENTITY,
    INTAKE,
    LABORATORY,
    LEDGER,
    MEMBER,
    OWNER,
    RECORDER,
    REVIEWER,
    SCALE,
    TASKS,
    VERIFIER,
    arguments,
    named,
)

HAULIER: Final = "collection truck"
BEGINS: Final = 30  # days after the chain, when everybody has entered
HELPED, FORGOTTEN = 120, 60  # minutes of help in a round, and what a clerk who forgets writes down
LEAST_G, MOST_G = 2_000, 9_000  # of a bag
A_POINT_G: Final = 1_000
AN_HOUR_POINTS: Final = 10
AT_ONCE: Final = 16  # calls in one transaction, for which its gas is enough
CLOCKS: Final = 6  # days in which objections and appeals run out


class Settings(Plain):
    """The scheme, and who takes part. A fen is a hundredth of a yuan."""

    residents: Annotated[int, Meta(ge=1, le=100, description="how many residents")] = 20
    rounds: Annotated[int, Meta(ge=1, le=10, description="bags and hours of help of each resident")] = 2
    worth: Annotated[int, Meta(ge=0, le=1_000, description="fen that a point can be exchanged for")] = 10
    effort: Annotated[int, Meta(ge=0, le=10_000, description="fen that sorting a bag is to the least willing")] = 60
    forgets: Annotated[int, Meta(ge=0, le=100, description="percent of bags that are forgotten")] = 10
    cheats: Annotated[int, Meta(ge=0, le=100, description="percent of residents who cheat where it pays")] = 20
    inspected: Annotated[int, Meta(ge=0, le=100, description="percent of bags that are opened")] = 10
    errors: Annotated[int, Meta(ge=0, le=100, description="percent of records in which a clerk forgets an hour")] = 10
    trouble: Annotated[
        int, Meta(ge=0, le=10_000, description="fen that an objection is to whom it costs most time")
    ] = 150


FIGURES: Final = {
    "sorted": Figure("bags that were sorted", "bags"),
    "forgotten": Figure("bags that were forgotten", "bags"),
    "skipped": Figure("bags not brought because it is not worth the effort", "bags"),
    "cheated": Figure("unsorted bags that were dropped as sorted", "bags"),
    "rejected": Figure("unsorted bags that were opened, so that their entry was rejected", "bags"),
    "unearned": Figure("points for unsorted bags", "points"),
    "points": Figure("points that the residents have in the end, as the contract has it", "points"),
    "objections": Figure("objections to a forgotten hour", "cases"),
    "lost": Figure("points for help that were forgotten, and not objected to", "points"),
    "all_right": Figure("whether nobody lost points and none were unearned", is_yes_or_no=True),
}


# --- deciding: pure rules -----------------------------------------------------------------------------------------


class Resident(Plain):
    """One of them: the effort of a bag and the trouble of an objection in fen, and whether one would cheat."""

    name: str
    effort: int
    trouble: int
    would_cheat: bool


def bring(settings: Settings, resident: Resident, points: int) -> str:
    """Return what a resident does with a bag: "sorted", "cheated" or "skipped", whichever gains most.

    Of equals it is the most honest.
    """
    value = points * settings.worth
    gains = {"sorted": Fraction(value - resident.effort), "skipped": Fraction(0)}
    if resident.would_cheat:
        gains["cheated"] = Fraction(value * (100 - settings.inspected), 100)
    return max(gains, key=lambda choice: gains[choice])  # the first of equals


def objects(settings: Settings, resident: Resident, points: int) -> bool:
    """Tell whether so many missing points are worth the trouble of an objection."""
    return points * settings.worth > resident.trouble


def population(settings: Settings, chance: Random) -> list[Resident]:
    """Draw the residents; the same seed gives the same ones, in the same order of who would cheat."""
    shares = [(chance.random(), chance.random()) for _ in range(settings.residents)]
    order = chance.sample(range(settings.residents), settings.residents)
    cheats = settings.residents * settings.cheats // 100
    return [
        Resident(f"resident {n}", int(effort * settings.effort), int(trouble * settings.trouble), order[n] < cheats)
        for n, (effort, trouble) in enumerate(shares)
    ]


# --- acting on the contracts --------------------------------------------------------------------------------------


class Round(Plain):
    """What a resident does in one round. `choice` is that of `bring`, or "forgotten"."""

    resident: Resident
    code: str  # of the bag, and of the help
    grams: int
    choice: str
    is_opened: bool
    is_forgotten: bool  # an hour of help, by the clerk

    @property
    def points(self) -> int:
        return self.grams // A_POINT_G

    @property
    def is_dropped(self) -> bool:
        return self.choice in ("sorted", "cheated")

    @property
    def is_rejected(self) -> bool:
        return self.choice == "cheated" and self.is_opened


def play(stage: Stage, settings: Settings, chance: Random) -> dict[str, int]:
    """Let the residents live for some rounds, each of two weeks or so."""
    residents = population(settings, chance)
    dids = _open(stage, [resident.name for resident in residents])
    totals = dict.fromkeys(FIGURES, 0)
    for number in range(settings.rounds):
        lived = [_draw(settings, resident, number, chance) for resident in residents]
        objections = _live(stage, settings, dids, number, lived)
        for name, count in _count(lived).items():
            totals[name] += count
        totals["objections"] += objections
        totals["lost"] += AN_HOUR_POINTS * (sum(one.is_forgotten for one in lived) - objections)
    totals["points"] = sum(stage.ask(LEDGER, "balance", account=dids[one.name]) for one in residents)
    return {**totals, "all_right": int(totals["lost"] == totals["unearned"] == 0)}


def _count(lived: Sequence[Round]) -> dict[str, int]:
    counts = {name: sum(one.choice == name for one in lived) for name in ("sorted", "forgotten", "skipped", "cheated")}
    unearned = sum(one.points for one in lived if one.choice == "cheated" and not one.is_opened)
    return {**counts, "rejected": sum(one.is_rejected for one in lived), "unearned": unearned}


def _draw(settings: Settings, resident: Resident, number: int, chance: Random) -> Round:
    """Draw a round; whatever the settings, a seed has the same luck, so that settings can be compared."""
    grams, memory, eye, clerk = chance.randint(LEAST_G, MOST_G), *(chance.randrange(100) for _ in range(3))
    choice = "forgotten" if memory < settings.forgets else bring(settings, resident, grams // A_POINT_G)
    code = f"{resident.name.replace(' ', '-')}-round-{number}"
    return Round(resident, code, grams, choice, eye < settings.inspected, clerk < settings.errors)


def _live(stage: Stage, settings: Settings, dids: Dids, number: int, lived: Sequence[Round]) -> int:
    """Let one round happen: weighed, brought away, recorded, verified, told, objected to, settled.

    Returns how many objected.
    """
    dropped, manifest = [one for one in lived if one.is_dropped], f"HH-{number:08}"
    _all(stage, SCALE, [_weighing(one, dids, manifest) for one in dropped])
    if dropped:
        kilograms = max(1, sum(one.grams for one in dropped) // 1_000)
        travel(stage, [Trip(manifest, HAULIER, kilograms, kilograms)], dids)
    bags = _all(stage, RECORDER, [_on(INTAKE, "record_drop", drop=one.code, code="kitchen-waste") for one in dropped])
    hours = _all(stage, RECORDER, [_help(one, dids, stage.now_ms) for one in lived])
    found = named("what was in the opened bag")
    mixed = [bag for bag, one in zip(bags, dropped, strict=True) if one.is_rejected]
    opened = [_on(INTAKE, "reject", number=bag, reasons=found) for bag in mixed]
    kept = [bag for bag, one in zip(bags, dropped, strict=True) if not one.is_rejected] + hours
    _all(stage, VERIFIER, opened + [_on(INTAKE, "verify", number=entry) for entry in kept])
    _all(stage, RECORDER, [_on(INTAKE, "notify", number=entry, notice=named(f"notice {entry}")) for entry in kept])
    cases = _object(stage, settings, dict(zip(hours, lived, strict=True)))
    stage.pass_blocks(CLOCKS)
    _all(stage, RECORDER, [_on(LEDGER, "settle", number=entry) for entry in kept])
    return cases


def _object(stage: Stage, settings: Settings, hours: dict[int, Round]) -> int:
    """Let those object of whom an hour was forgotten, and to whom it is worth it; the reviewer finds they are right."""
    acts: list[Act] = [
        (
            one.resident.name,
            [_on(CASES, "object", entry=entry, grounds="amount", evidence=named(one.code), claim=HELPED)],
        )
        for entry, one in hours.items()
        if one.is_forgotten and objects(settings, one.resident, AN_HOUR_POINTS)
    ]
    cases = [receipt.result for receipt in stage.must(acts)]
    right = {"outcome": "Amended", "amount": HELPED, "reasons": named("who was helped has said so")}
    _all(stage, REVIEWER, [_on(CASES, "decide", number=case, **right) for case in cases])
    return len(cases)


def _on(contract: str, action: str, /, **args: Any) -> Call:
    return Call(contract, action, args)


def _all(stage: Stage, who: str, calls: Sequence[Call]) -> list[Any]:
    """Let one person make many calls, in as few transactions as there can be; returns what each came to."""
    parts = [calls[first : first + AT_ONCE] for first in range(0, len(calls), AT_ONCE)]
    return [result for receipt in stage.must((who, part) for part in parts) for result in receipt.content.results]


def _weighing(one: Round, dids: Dids, manifest: str) -> Call:
    account = dids[one.resident.name]
    return _on(EVIDENCE, "weigh", drop=one.code, account=account, grams=one.grams, zone="street-1", manifest=manifest)


def _help(one: Round, dids: Dids, at: int) -> Call:
    minutes = FORGOTTEN if one.is_forgotten else HELPED
    told = {"event": f"help-{one.code}", "account": dids[one.resident.name], "code": "service-hour", "amount": minutes}
    return _on(INTAKE, "record", **told, occurred_at=at, evidence=named(f"sheet of {one.code}"))


# --- founding the scheme ------------------------------------------------------------------------------------------


def _open(stage: Stage, residents: Sequence[str]) -> Dids:
    """Found the scheme of the training preset, with its offices, an enrolled scale, and the residents."""
    made = preset("training")
    stage.invite(dict.fromkeys([*AUTHORITIES.values(), *(role for role, _ in TASKS), SCALE, LABORATORY, ACCREDITOR]))
    stage.invite(residents)
    dids = open_custody(stage, [HAULIER])
    _found(stage, dids, made)
    _enrol(stage, dids)
    stage.must((name, [_on(ACCOUNTS, "open", consent=named(f"consent of {name}"))]) for name in residents)
    _all(stage, DESK, [_on(ACCOUNTS, "confirm", account=dids[name], is_adult=True) for name in residents])
    stage.pass_blocks(BEGINS - stage.height)
    return dids


def _found(stage: Stage, dids: Dids, made: Preset) -> None:
    given = arguments(made, dids[OWNER], stage.now_ms + DAY_MS * (len(CONTRACTS) + 1))
    for name, contract in CONTRACTS.items():
        stage.deploy(name, contract, AUTHORITIES[name], **given[name])
    rules = rules_of(made, stage.now_ms + DAY_MS * (BEGINS - stage.height))
    _all(stage, OWNER, [_on(CATALOGUE, "grant_role", role=task, account=dids[role]) for role, task in TASKS])
    _all(stage, CHAIR, [_on(CATALOGUE, "propose", rule=rule) for rule in rules])
    _all(stage, MEMBER, [_on(CATALOGUE, "adopt", number=number) for number in range(1, len(rules) + 1)])


def _enrol(stage: Stage, dids: Dids) -> None:
    """Let the scale be one that counts: offered a place, taken by its own key, and calibrated."""
    until = {"valid_from": 0, "valid_until": stage.now_ms + DAY_MS * 3_650}
    scale, serial = dids[SCALE], digest("laboratory", b"serial number of the scale")
    offer = {"device": scale, "model": "Platform scale 60 kg", "serial": serial, "accreditor": dids[ACCREDITOR]}
    accredited = _on(IDENTITY, "grant_role", did=dids[LABORATORY], role="laboratory", **until)
    calibration = {"device": scale, "digest": digest("laboratory", b"calibration"), **until}
    for who, calls in (
        (ACCREDITOR, [_on(IDENTITY, "found", name=ACCREDITOR, services=[]), accredited]),
        (RECORDER, [_on(IDENTITY, "found", name=RECORDER, services=[]), _on(IDENTITY, "enrol", **offer)]),
        (SCALE, [_on(IDENTITY, "join", organisation=dids[RECORDER])]),
        (LABORATORY, [_on(IDENTITY, "certify", **calibration)]),
    ):
        stage.must([(who, calls)])


EXPERIMENT: Final = Experiment(
    name="residents",
    question="Which rewards and checks let residents sort, and what do errors cost who finds it too much to object?",
    settings=Settings,
    figures=FIGURES,
    play=play,
    block_ms=DAY_MS,
)
