"""What crossing costs a validator, as `minichain bench shards` has measured it on a machine that is named."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

from minichain.codec import Plain
from minichain.sharding.capacity import Costs

MEASURED: Final = Path(__file__).with_name("measured.json")


class Calibration(Plain):
    """Costs, and where and when they were measured."""

    costs: Costs
    machine: str
    date: str


@cache
def calibration() -> Calibration:
    """Read the figures that come with the package."""
    found = json.loads(MEASURED.read_text("utf-8"))
    costs = {name: round(1_000 * cost) for name, cost in found["costs_us"].items()}
    return Calibration(Costs(**costs), found["machine"], found["date"])
