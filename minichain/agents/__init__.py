"""The policy laboratory: seeded populations act on the real contracts, and their figures come with intervals.

from minichain import agents

found = agents.sweep("hauliers", {"fine": [500, 1_000, 2_000]}, seeds=range(20))
for cell in found.cells:
    print(cell.settings["fine"], cell.intervals["dumping"])
"""

from __future__ import annotations

from minichain.agents.catalogue import EXPERIMENTS, find
from minichain.agents.experiment import Experiment, Figure, Parameter, Run
from minichain.agents.intervals import FORMULAS, Interval
from minichain.agents.sweeping import Cell, Sweep, replay, run, sweep

__all__ = [
    "EXPERIMENTS",
    "FORMULAS",
    "Cell",
    "Experiment",
    "Figure",
    "Interval",
    "Parameter",
    "Run",
    "Sweep",
    "find",
    "replay",
    "run",
    "sweep",
]
