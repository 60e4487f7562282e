"""Hauliers who weigh what dumping saves against what it may cost, on the real contracts of garbage custody.

The rule of decision is Becker's (1968): dump if, and only if, what is saved exceeds the probability of being found
times the fine. Everybody knows both. What is found follows from the chain: the plant weighs, the contract opens a
discrepancy above its tolerance, and the office follows up some of those it can still see.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from random import Random
from typing import Annotated, Final

from msgspec import Meta

from minichain.agents.experiment import Experiment, Figure, YesNo
from minichain.agents.loads import Trip, open_custody, travel
from minichain.agents.stage import Stage
from minichain.codec import Plain
from minichain.ledger.types import Call
from minichain.scenarios.waste.story import CUSTODY, PRIVATE

LEAST_KG, MOST_KG = 8_000, 10_000  # of a load, which fills a truck
DUMPED_PERCENT: Final = 30  # of a load, by who dumps: more could be seen from the weighbridge


class Settings(Plain):
    """The rule, and who lives under it."""

    hauliers: Annotated[int, Meta(ge=1, le=100, description="how many hauliers")] = 10
    days: Annotated[int, Meta(ge=1, le=30, description="days, on each of which every haulier has one load")] = 2
    gate_fee: Annotated[
        int, Meta(ge=0, le=5_000, description="yuan that dumping a tonne of the dearest waste saves")
    ] = 330
    fine: Annotated[int, Meta(ge=0, le=1_000_000, description="yuan for each load that was found short")] = 1_000
    inspected: Annotated[
        int, Meta(ge=0, le=100, description="percent of the discrepancies it sees that the office follows up")
    ] = 50
    tolerance: Annotated[
        int, Meta(ge=0, le=20, description="percent of a load that may be missing without a discrepancy")
    ] = 3
    colluding: Annotated[
        int, Meta(ge=0, le=100, description="percent of loads whose weighing officer writes what was shipped")
    ] = 0
    corrects_alone: Annotated[
        int,
        Meta(ge=0, le=100, description="percent of hauliers who correct the signed manifest themselves, and alone"),
    ] = 0
    reads_versions: Annotated[
        YesNo, Meta(description="whether the office also looks at the versions before a correction")
    ] = "no"


FIGURES: Final = {
    "dumping": Figure("loads of which more was dumped than the tolerance", "loads"),
    "skimming": Figure("loads of which just the tolerance was dumped", "loads"),
    "dumped": Figure("what was really dumped, which no chain knows", "kg"),
    "open": Figure("loads whose manifest still shows a discrepancy when the office looks", "loads"),
    "vanished": Figure("discrepancies that a correction by one party made vanish", "loads"),
    "found": Figure("loads that the office followed up and found short", "loads"),
    "fines": Figure("fines", "yuan"),
    "saved": Figure("gate fees that were not paid", "yuan"),
    "stopped": Figure("whether nobody dumped more than the tolerance", is_yes_or_no=True),
}


# --- deciding: pure rules -----------------------------------------------------------------------------------------


class Haulier(Plain):
    """One of them. `saving` is yuan for each tonne that does not reach the plant."""

    name: str
    saving: int
    corrects_alone: bool


def likelihood(settings: Settings, haulier: Haulier, percent: int) -> Fraction:
    """Return the probability that a load, of which so many percent were dumped, is found short."""
    if percent <= settings.tolerance or (haulier.corrects_alone and settings.reads_versions == "no"):
        return Fraction(0)
    return Fraction(settings.inspected, 100) * Fraction(100 - settings.colluding, 100)


def gain(settings: Settings, haulier: Haulier, weight: int, percent: int) -> Fraction:
    """Return the expected yuan from dumping so many percent of a load in kilograms."""
    saved = Fraction(weight * percent * haulier.saving, 100 * 1_000)
    return saved - likelihood(settings, haulier, percent) * settings.fine


def decide(settings: Settings, haulier: Haulier, weight: int) -> int:
    """Return how many percent of a load a haulier dumps: what gains most, and of equals the least."""
    options = (0, settings.tolerance, max(DUMPED_PERCENT, settings.tolerance))
    return max(options, key=lambda percent: (gain(settings, haulier, weight, percent), -percent))


def becker_point(settings: Settings) -> Fraction | None:
    """Return the fine from which on nobody dumps more than the tolerance; None where no fine does it.

    It is where, for the dearest load, the expected fine equals what dumping saves beyond what the tolerance gives away.
    """
    dearest = Haulier("the dearest", settings.gate_fee, settings.corrects_alone > 0)
    likely = likelihood(settings, dearest, DUMPED_PERCENT)
    beyond = Fraction(MOST_KG * (DUMPED_PERCENT - settings.tolerance) * settings.gate_fee, 100 * 1_000)
    return beyond / likely if likely else None


def population(settings: Settings, chance: Random) -> list[Haulier]:
    """Draw the hauliers: what they save differs, up to the gate fee; the first has the dearest waste."""
    savings = [settings.gate_fee] + [
        chance.randint(settings.gate_fee // 2, settings.gate_fee) for _ in range(settings.hauliers - 1)
    ]
    alone = round(settings.hauliers * settings.corrects_alone / 100)
    order = chance.sample(range(settings.hauliers), settings.hauliers)  # the same people whatever the settings
    return [Haulier(f"haulier {n}", saving, order[n] < alone) for n, saving in enumerate(savings)]


# --- acting on the contracts --------------------------------------------------------------------------------------


class Load(Plain):
    """One load: what its manifest says, how much of it was dumped, whether the weighing officer covers that up, and
    whether the office follows up what it sees of it.
    """

    haulier: Haulier
    number: str
    weight: int
    percent: int
    is_covered: bool
    is_followed_up: bool

    @property
    def dumped(self) -> int:
        return self.weight * self.percent // 100

    @property
    def weighed(self) -> int:
        """Return what the plant writes: the officer who colludes writes what was shipped."""
        return self.weight - (0 if self.is_covered else self.dumped)


def play(stage: Stage, settings: Settings, chance: Random) -> dict[str, int]:
    """Let the hauliers drive for some days, and the office look at what the chain shows at the end of each."""
    hauliers = population(settings, chance)
    dids = open_custody(stage, [haulier.name for haulier in hauliers], bulk_percent=settings.tolerance)
    totals = dict.fromkeys(FIGURES, 0)
    for day in range(settings.days):
        loads = [_load(settings, haulier, day * len(hauliers) + n, chance) for n, haulier in enumerate(hauliers)]
        travel(stage, [Trip(load.number, load.haulier.name, load.weight, load.weighed) for load in loads], dids)
        vanished = _correct_alone(stage, loads)
        seen = [load for load in loads if _shows(stage, load, settings.reads_versions)]
        found = [load for load in seen if load.is_followed_up]
        for name, count in _count(settings, loads).items():
            totals[name] += count
        totals["open"] += len(seen)
        totals["vanished"] += vanished
        totals["found"] += len(found)
        totals["fines"] += len(found) * settings.fine
    return {**totals, "stopped": int(totals["dumping"] == 0)}


def _count(settings: Settings, loads: Sequence[Load]) -> dict[str, int]:
    return {
        "dumping": sum(load.percent > settings.tolerance for load in loads),
        "skimming": sum(0 < load.percent <= settings.tolerance for load in loads),
        "dumped": sum(load.dumped for load in loads),
        "saved": sum(load.dumped * load.haulier.saving // 1_000 for load in loads),
    }


def _load(settings: Settings, haulier: Haulier, serial: int, chance: Random) -> Load:
    """Draw a load; whatever the settings, a seed has the same luck, so that settings can be compared."""
    weight, officer, office = chance.randint(LEAST_KG, MOST_KG), chance.randrange(100), chance.randrange(100)
    percent = decide(settings, haulier, weight)
    is_covered, is_followed_up = officer < settings.colluding, office < settings.inspected
    return Load(haulier, f"HH-{serial:08}", weight, percent, is_covered, is_followed_up)


def _correct_alone(stage: Stage, loads: Sequence[Load]) -> int:
    """Let hauliers correct what was shipped to what was weighed: any party may propose it, and sign it too.

    The manifest then shows no discrepancy; the version before it does. Returns how many vanished.
    """
    own = [load for load in loads if load.haulier.corrects_alone and _shows(stage, load, "no")]
    for action in ("propose_correction", "sign_correction"):
        stage.must((load.haulier.name, [_correction(action, load)]) for load in own)
    return sum(not _shows(stage, load, "no") for load in own)


def _correction(action: str, load: Load) -> Call:
    if action == "sign_correction":
        return Call(CUSTODY, action, {"number": load.number, "attempt": 1})
    changes = [{"line": 1, "quantity": load.weighed}]
    return Call(CUSTODY, action, {"number": load.number, "changes": changes, "reason": PRIVATE})


def _shows(stage: Stage, load: Load, reads_versions: YesNo) -> bool:
    """Tell whether a manifest shows a discrepancy, as the contract has it; or did before it was corrected."""
    form = stage.ask(CUSTODY, "manifest", number=load.number)
    if reads_versions == "yes" and form["version"] > 1:
        form = stage.ask(CUSTODY, "version", number=load.number, version=1)
    return bool(form["discrepancies"])


EXPERIMENT: Final = Experiment(
    name="hauliers",
    question="From which fine on does nobody dump waste, and what do tolerance, collusion and corrections do to that?",
    settings=Settings,
    figures=FIGURES,
    play=play,
)
