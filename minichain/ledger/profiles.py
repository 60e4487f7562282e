"""The kinds of chain that people compare, each as the settings that make it one (from the cases' own descriptions).

A profile is a starting point: any setting may be changed, and the chain is then what its settings say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from minichain.errors import ConfigError
from minichain.ledger.genesis import Access, Authority, Delegation, Fee, Quota, Work

Settings = Mapping[str, Any]

PROFILES: Final[Mapping[str, Settings]] = {
    # Open to all; anyone reads, writes, joins and leaves; what is written may still be replaced for a while.
    "public": {
        **{"engine": "pow", "policy": Fee(1), "access": Access("anyone", "anyone")},
        "work": Work(difficulty=2_000, block_ms=500, confirmations=3),  # a public chain at the pace of a class
    },
    # One organisation; fast and closed; its owner could write everything anew.
    "private": {"engine": "raft", "policy": Quota(), "access": Access("members", "members")},
    # Each member organisation runs a validator; they vote on who joins and leaves.
    "alliance": {"engine": "bft", "membership": Authority(), "access": Access("members", "members")},
    # The members run the validators, and anyone may use the chain within a quota.
    "open_alliance": {"engine": "bft", "membership": Authority(), "access": Access("anyone", "anyone")},
    # For the public, governed by elected members.
    "public_consortium": {"engine": "bft", "membership": Delegation(), "access": Access("anyone", "anyone")},
}
OWNED_BY_ONE: Final = frozenset({"private"})


def settings_of(profile: str) -> dict[str, Any]:
    """Return a profile's settings; raises `ConfigError` for a name that is none."""
    if profile not in PROFILES:
        raise ConfigError(f"there is no profile {profile!r}: choose one of {', '.join(PROFILES)}")
    return {"profile": profile, **PROFILES[profile]}
