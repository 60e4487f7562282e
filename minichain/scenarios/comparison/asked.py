"""The comparison as plain dictionaries: the same for the command, the page and a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minichain.ledger.profiles import PROFILES
from minichain.scenarios.comparison import attacks, measuring
from minichain.scenarios.comparison.design import DATABASE, Design
from minichain.scenarios.comparison.figures import concentration, content

Answer = Mapping[str, Any]


def outline(kind: str, validators: int = 4, owners: int | None = None) -> Answer:
    """Return who owns which validator, and how few decide, without running anything."""
    members = Design(kind, validators, owners).members
    engine = "raft" if kind == DATABASE else PROFILES[kind]["engine"]
    measured = concentration(engine, [(member.owner, member.weight) for member in members])
    return {
        "kind": kind,
        "members": [(member.name, member.owner) for member in members],
        "concentration": content(measured),
    }


def run(kind: str, validators: int = 4, owners: int | None = None, transactions: int = 200, seed: int = 7) -> Answer:
    """Do the work on one kind, and return its figures."""
    return content(measuring.measure(Design(kind, validators, owners, transactions, seed)))


def attack(kind: str, name: str, validators: int = 4, owners: int | None = None, seed: int = 7) -> Answer:
    """Try an attack on one kind, and return what happened."""
    return content(attacks.attempt(Design(kind, validators, owners, seed=seed), name))
