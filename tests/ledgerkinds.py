"""Short runs of the kinds of ledger, each made once for all tests of a process: they are the dear part."""

from __future__ import annotations

from functools import cache

from minichain.scenarios.comparison import Attempt, Design, Figures, attempt, measure

SHORT = 24  # transactions


def small(kind: str, transactions: int = SHORT, validators: int = 4, owners: int | None = None) -> Figures:
    return _small(Design(kind, validators, owners or validators, transactions))


def tried(kind: str, attack: str, validators: int = 4, owners: int | None = None) -> Attempt:
    return _tried(Design(kind, validators, owners or validators), attack)


_small, _tried = cache(measure), cache(attempt)
