"""Authority: the alliance names its validators, one list from the genesis on; a vote will change it.

The turn to propose goes round in proportion to weight, and every member has its turn within one cycle of rounds:
smooth weighted round robin, in which each step everybody gains its weight and the leader pays the total.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import gcd

from minichain.ledger.committee import Committee, Member

MAX_CYCLE = 1_000  # steps of one rotation; larger weights are scaled down to it

Rotation = Callable[[Committee, int, int], bytes]  # (committee, height, round) -> the key whose turn it is


@lru_cache(maxsize=64)
def rotation(members: tuple[Member, ...]) -> tuple[bytes, ...]:
    """Return one whole cycle of proposers' keys; every member occurs at least once."""
    total, divisor = sum(m.weight for m in members), gcd(*(m.weight for m in members))
    scale = max(divisor, -(-total // MAX_CYCLE))
    shares = [max(1, m.weight // scale) for m in members]
    credit, order = [0] * len(members), []
    for _ in range(sum(shares)):
        credit = [have + share for have, share in zip(credit, shares, strict=True)]
        leader = max(range(len(members)), key=lambda i: (credit[i], -i))
        credit[leader] -= sum(shares)
        order.append(members[leader].public)
    return tuple(order)


def proposer(committee: Committee, height: int, round_: int) -> bytes:
    """Return the key whose turn it is."""
    cycle = rotation(committee.members)
    return cycle[(height + round_) % len(cycle)]
