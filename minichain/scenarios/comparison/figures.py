"""What one run showed, and what the chain's settings say. Every figure is counted in the run; none is typed in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from minichain.codec import Plain
from minichain.ledger.genesis import Authority, ChainSpec, Delegation, Fee, Quota, Stake
from minichain.membership import measures


class Rules(Plain):
    """Who may do what, as the settings say: "anyone", "members" (and whom they admit), "owner".

    `joins` is how one becomes a validator: "work", "vote", "stake", "election", or "owner" where nobody else is asked.
    """

    reads: str
    writes: str
    validates: str
    joins: str


class Concentration(Plain):
    """How few owners decide. `shares` are (owner, weight): votes or, with proof of work, blocks won in the run."""

    shares: tuple[tuple[str, int], ...]
    owners_to_halt: int
    owners_to_fork: int
    owners_to_rewrite: int
    nakamoto: int
    gini: float
    top10_percent: float


class Figures(Plain):
    """One kind of ledger after the work.

    Times are virtual milliseconds from submission to final. Messages and bytes are those between validators; stored
    bytes are those of blocks and receipts on one validator. Tries are what proof of work took on average, for every
    block that was mined, also for those that were undone.
    """

    kind: str
    engine: str
    seed: int
    transactions: int
    members: tuple[tuple[str, str], ...]  # (validator, its owner)
    rules: Rules
    concentration: Concentration
    latency_p50_ms: int
    latency_p90_ms: int
    duration_ms: int
    blocks: int
    transactions_per_block: float
    messages_per_transaction: float
    bytes_per_transaction: int
    stored_bytes_per_transaction: int
    copies: int
    final_after_blocks: int
    undone_blocks: int
    tries: int
    tries_per_transaction: int
    fee_per_transaction: int
    quota_transactions: int  # such transactions that an account may send free of charge in `quota_blocks`; 0: no quota
    quota_blocks: int
    proof_bytes: int  # of a file with which a stranger checks one transaction; 0 if there is none


def content(record: Plain) -> dict[str, Any]:
    """Return a record as the dictionary that `--json` prints and the page shows."""
    made: dict[str, Any] = msgspec.to_builtins(record)
    return made


def percentile(values: Sequence[int], percent: int) -> int:
    """Return the smallest value that so many percent of them do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def concentration(engine: str, holdings: Iterable[tuple[str, int]]) -> Concentration:
    """Measure who holds what, one owner counting once."""
    shares: dict[str, int] = {}
    for owner, weight in holdings:
        shares[owner] = shares.get(owner, 0) + weight
    owned = sorted(shares.items(), key=lambda share: (-share[1], share[0]))
    return Concentration(
        shares=tuple(owned),
        owners_to_halt=measures.owners_to_halt(engine, owned),
        owners_to_fork=measures.owners_to_fork(engine, owned),
        owners_to_rewrite=measures.owners_to_rewrite(engine, owned),
        nakamoto=measures.nakamoto_coefficient(owned),
        gini=round(float(measures.gini(owned)), 3),
        top10_percent=measures.top_share_permille(owned) / 10,
    )


def rules_of(spec: ChainSpec) -> Rules:
    """Read from a chain's settings who may do what."""
    return Rules(spec.access.reads, spec.access.writes, "anyone" if spec.engine == "pow" else "members", _joins(spec))


def _joins(spec: ChainSpec) -> str:
    if spec.engine == "pow":
        return "work"
    match spec.membership:
        case Authority():
            return "vote"
        case Stake():
            return "stake"
        case Delegation():
            return "election"
    return "owner"


def fee_of(spec: ChainSpec, gas: int) -> int:
    """Return what so much gas costs its sender."""
    return gas * spec.policy.price if isinstance(spec.policy, Fee) else 0


def quota_of(spec: ChainSpec, gas_each: int) -> tuple[int, int]:
    """Return how many transactions of so much gas an account may send without a fee, and in how many blocks."""
    return (spec.policy.gas // gas_each, spec.policy.window) if isinstance(spec.policy, Quota) else (0, 0)
