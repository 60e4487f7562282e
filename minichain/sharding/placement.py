"""Which shard keeps an account or a contract: by its hash, unless it is placed explicitly.

The hash is of the name (for an account, its did:key) with the number of each shard, and the highest wins (Thaler and
Ravishankar 1998, "Using Name-Based Mappings to Increase Hit Rates"). So everybody finds the same shard without asking,
and when a shard is added, what moves goes to that one and nowhere else: about one name in as many as there are shards.
"""

from __future__ import annotations

import msgspec

from minichain.codec import Record, encode
from minichain.crypto import did_of, digest
from minichain.errors import ConfigError

MAX_SHARDS = 1_024


def name_of(what: bytes | str) -> str:
    """Return the name of an account, given as public key, or of a contract."""
    return did_of(what) if isinstance(what, bytes) else what


class Placement(Record):
    """So many shards, numbered from 0; `explicit` are names with their shard, whatever their hash says."""

    shards: int
    explicit: dict[str, int] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 1 <= self.shards <= MAX_SHARDS:
            raise ConfigError(f"a placement has 1 to {MAX_SHARDS} shards, not {self.shards}")
        for name, shard in self.explicit.items():
            if not 0 <= shard < self.shards:
                raise ConfigError(f"{name} is placed on shard {shard}: the shards are 0 to {self.shards - 1}")

    def shard_of(self, what: bytes | str) -> int:
        """Return the shard of an account (public key or did:key) or of a contract (its name)."""
        name = name_of(what)
        placed = self.explicit.get(name)
        return hashed(name, self.shards) if placed is None else placed


def hashed(name: str, shards: int) -> int:
    """Return the shard that the hash alone gives a name."""
    return max(range(shards), key=lambda shard: digest("placement", encode([name, shard])))
