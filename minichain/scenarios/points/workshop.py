"""What can be tried on rules without a network: on synthetic residents, on scripted schemes, without a safeguard.

Nothing in here reaches a running chain.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from minichain.scenarios.points.harms import HARMS
from minichain.scenarios.points.laboratory import safeguards
from minichain.scenarios.points.presets import Preset, preset, presets
from minichain.scenarios.points.redflags import is_refused, lint, packs
from minichain.scenarios.points.simulation import GROUPS, Result, Trial, simulate

__all__ = ["GROUPS", "harm", "is_refused", "lint", "packs", "run", "safeguards", "schemes"]


@cache
def schemes() -> Mapping[str, Preset]:
    """Return the schemes that reward something, by name; their files are read once."""
    made = {name: preset(name) for name in presets()}
    return {name: one for name, one in made.items() if one.items}


def run(scheme: str, error: int, desk: int, cap: int, deduction: int, residents: int, seed: int) -> Result:
    """Let synthetic residents live a year under a scheme; `error` is in percent, `desk` 0 or 1.

    `cap` is the most that each rule gives in a month, `deduction` the points of a rule that takes something away; with
    0 they are as the scheme has them, or not there.
    """
    kept = [rule for rule in preset(scheme).rules if rule["points"] > 0]
    rules = [{**rule, "per_month": min(cap, rule.get("per_month") or cap)} if cap else rule for rule in kept]
    taking = [{"code": "deduction", "points": -deduction}] if deduction else []
    return simulate(Trial((*rules, *taking), error, bool(desk), residents, seed))


def harm(name: str) -> tuple[bool, bool]:
    """Tell the story of a safeguard twice, with it and without it; returns each time whether the harm was seen."""
    return HARMS[name](""), HARMS[name](name)
