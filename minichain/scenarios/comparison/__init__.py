"""The kinds of ledger that people compare, each run with the same work, and each attacked."""

from __future__ import annotations

from minichain.scenarios.comparison.asked import attack, outline, run
from minichain.scenarios.comparison.attacks import ATTACKS, Attempt, attempt
from minichain.scenarios.comparison.design import KINDS, Design
from minichain.scenarios.comparison.figures import Figures, content
from minichain.scenarios.comparison.measuring import measure

__all__ = [
    "ATTACKS",
    "KINDS",
    "Attempt",
    "Design",
    "Figures",
    "attack",
    "attempt",
    "content",
    "measure",
    "outline",
    "run",
]
