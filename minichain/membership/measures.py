"""How concentrated a chain is: how few owners can stop it, split it or change its past; how unequal their shares are.

Every measure is of (owner, weight) pairs: seats, stakes, votes or work. One owner may occur several times, and counts
once, with all of it. Thresholds are compared in integers, and the Gini coefficient is an exact fraction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Final

from minichain.errors import UsageError

Holdings = Iterable[tuple[str, int]]
Enough = Callable[[int, int], bool]  # (weight of some owners, total weight) -> do they suffice?

# Who together can keep the others from going on.
HALT: Final[dict[str, Enough]] = {
    # The rest no longer weighs more than two thirds, so no block is certified (arXiv:1807.04938, section 3).
    "bft": lambda weight, total: 3 * weight >= total,
    # The rest no longer weighs more than half, so no leader is elected and no entry committed (thesis, section 3.4).
    "raft": lambda weight, total: 2 * weight >= total,
    # With more work than all others they build on their own blocks only, and leave them empty (Bitcoin, section 11).
    "pow": lambda weight, total: 2 * weight > total,
}

# Who together can make another past, as old as they like, that a newcomer cannot tell from the true one: without
# anybody else's help or mistake.
REWRITE: Final[dict[str, Enough]] = {
    # They sign another certificate alone: it needs more than two thirds.
    "bft": lambda weight, total: 3 * weight > 2 * total,
    # The same with acknowledgements of more than half. (In a Raft without signatures, one leader who lies is enough.)
    "raft": lambda weight, total: 2 * weight > total,
    # In the long run they outgrow any branch, however deep (Bitcoin, section 11).
    "pow": lambda weight, total: 2 * weight > total,
}

# Who together, by lying to honest members, may have two blocks of the newest height become final.
FORK: Final[dict[str, Enough]] = {
    # Two sets of more than two thirds share more than one third: so much has signed both blocks. Fewer cannot do it;
    # these may, if the network keeps the others apart.
    "bft": lambda weight, total: 3 * weight > total,
    # Raft survives crashes, not lies. Whoever claims a newer term and a longer log than it has gets the votes, and the
    # honest members who acknowledged one block acknowledge another in its place: one owner of any weight is enough.
    "raft": lambda weight, total: weight > 0,
    # Fewer succeed now and then, and the more confirmations are asked for, the more rarely (Bitcoin, section 11).
    "pow": lambda weight, total: 2 * weight > total,
}

TOP: Final = 10


def owners_to_halt(engine: str, holdings: Holdings) -> int:
    """Return how many owners, the largest first, can keep the others from going on."""
    return _fewest(_shares(holdings), _of(HALT, engine))


def owners_to_rewrite(engine: str, holdings: Holdings) -> int:
    """Return how many owners, the largest first, can make another past, all by themselves."""
    return _fewest(_shares(holdings), _of(REWRITE, engine))


def owners_to_fork(engine: str, holdings: Holdings) -> int:
    """Return how many owners, the largest first, must lie before two blocks of one height may become final."""
    return _fewest(_shares(holdings), _of(FORK, engine))


def nakamoto_coefficient(holdings: Holdings) -> int:
    """Return the smallest number of owners that hold more than half together (Srinivasan and Lee 2017)."""
    return _fewest(_shares(holdings), lambda weight, total: 2 * weight > total)


def gini(holdings: Holdings) -> Fraction:
    """Return the Gini coefficient: 0 if all own the same, (n - 1) / n if one of n owns everything.

    With the shares in ascending order it is the sum of (2i - n - 1) x_i over n times the sum of x_i, for i from 1 to n:
    half the mean difference of two owners, relative to the mean. Owners of nothing count.
    """
    shares = sorted(_shares(holdings))
    n = len(shares)
    return Fraction(sum((2 * i - n - 1) * share for i, share in enumerate(shares, 1)), n * sum(shares))


def top_share_permille(holdings: Holdings, count: int = TOP) -> int:
    """Return what the largest owners hold together, in thousandths of all, rounded down."""
    if count < 1:
        raise UsageError(f"the share of the {count} largest owners: ask for 1 or more")
    shares = _shares(holdings)
    return 1_000 * sum(shares[:count]) // sum(shares)


def _of(table: dict[str, Enough], engine: str) -> Enough:
    if engine not in table:
        raise UsageError(f"there is no engine {engine!r}: choose one of {', '.join(table)}")
    return table[engine]


def _shares(holdings: Holdings) -> list[int]:
    """Add up what each owner has; the largest first."""
    owned: dict[str, int] = {}
    for owner, weight in holdings:
        if weight < 0:
            raise UsageError(f"{owner} holds {weight}: a weight is never negative")
        owned[owner] = owned.get(owner, 0) + weight
    if not any(owned.values()):
        raise UsageError("nobody holds anything: there is nothing to measure")
    return sorted(owned.values(), reverse=True)


def _fewest(shares: list[int], is_enough: Enough) -> int:
    """Return how many of the largest owners suffice; no other group of owners is smaller and suffices."""
    total, together = sum(shares), 0
    for number, share in enumerate(shares, 1):
        together += share
        if is_enough(together, total):
            return number
    raise AssertionError("all owners together are enough for anything")
