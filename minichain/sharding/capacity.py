"""What a number of shards can carry: costs that were measured on one validator, multiplied out. Exact fractions.

A shard is as fast as each of its validators, which execute the same blocks. Of each second a validator spends some on
the votes for its blocks; the rest is for transactions. A transfer within a shard costs what it costs. One that crosses
costs more, in two places: it is sent in one shard, delivered in another, and the answer is settled in the first. In
addition a shard follows a header for each block of another shard that has something for it, messages or answers.
Nobody waits for anybody, all shards are equally busy, and the relayers' own machines do not count.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from minichain.codec import Plain
from minichain.errors import ConfigError

SECOND: Final = 10**9  # all costs are in nanoseconds
SHARDS: Final = (1, 2, 4, 8, 16, 32, 64)
CROSSING: Final = (Fraction(0), Fraction(1, 10), Fraction(1, 2), Fraction(1))
FINAL: Final = Fraction(3, 2)  # block times until a transaction is final: half of one until the next begins, and that

DEFINITIONS: Final = {
    "throughput": "transactions that became final / seconds, on all shards together; one that crosses counts once, "
    "when it is settled (committed transactions over time at the committing nodes: Hyperledger, Blockchain Performance "
    "Metrics, 2018)",
    "confirmation latency": "time when a transaction is final - time when it was submitted; of one that crosses, final "
    "where it is delivered (the same white paper: confirmation time at the network threshold - submit time)",
    "cross-shard ratio": "by transaction: crossing / all; by operation: 2 x crossing / (within + 2 x crossing), as one "
    "that crosses stands in a block of either shard (so counted in BlockEmulator, arXiv:2311.03612)",
    "efficiency of a doubling": "throughput of 2 S shards / (2 x throughput of S shards)",
}


class Costs(Plain):
    """What one validator needs for each of these, in nanoseconds, the check of the sender's signature included."""

    transfer: int
    send: int
    deliver: int
    settle: int
    header: int  # to follow a header, without the signatures of its certificate
    signature: int  # to check one


class Design(Plain):
    """So many shards with so many members each; of the transactions `crossing` go to another shard."""

    shards: int
    crossing: Fraction = Fraction(0)
    members: int = 4
    block_ms: int = 1_000
    epoch_blocks: int = 100  # once in so many, the coordinating chain announces a committee to each shard

    def __post_init__(self) -> None:
        if min(self.shards, self.members, self.block_ms, self.epoch_blocks) < 1 or not 0 <= self.crossing <= 1:
            raise ConfigError("a design has positive numbers of everything, and a crossing share from 0 to 1")

    @property
    def quorum(self) -> int:
        return 2 * self.members // 3 + 1


class Row(Plain):
    """One line of the table; throughput in transactions per second, rounded down, and its ratio to half the shards."""

    shards: int
    throughput: tuple[int, ...]
    efficiency: tuple[Fraction | None, ...]
    coordinator: Fraction


def follow_cost(costs: Costs, members: int) -> int:
    """Return what it costs to follow a header that a committee of so many has certified."""
    return costs.header + Design(1, members=members).quorum * costs.signature


def spare(costs: Costs, design: Design) -> Fraction:
    """Return which part of its time a validator has for transactions.

    The rest goes into two votes of each member for each block and, where there are several shards, into one header and
    one message of the coordinating chain in each epoch.
    """
    block = design.block_ms * SECOND // 1_000
    votes = Fraction(2 * design.members * costs.signature, block)
    news = Fraction(follow_cost(costs, design.members) + costs.deliver, block * design.epoch_blocks)
    return max(Fraction(0), 1 - votes - (news if design.shards > 1 else 0))


def throughput(costs: Costs, design: Design) -> Fraction:
    """Return how many transactions per second all shards can carry together.

    Let a shard start x transactions per second, of which a share c crosses. They take x ((1 - c) transfer + c (send +
    deliver + settle)) of each second. Headers take `follow` times the smaller of two numbers: 2 c x, for as many
    messages and answers arrive, and all blocks of all other shards. What x makes use of all spare time?
    """
    crossing = design.crossing if design.shards > 1 else Fraction(0)
    work = (1 - crossing) * costs.transfer + crossing * (costs.send + costs.deliver + costs.settle)
    follow, time = follow_cost(costs, design.members), spare(costs, design) * SECOND
    every_header = Fraction(follow * (design.shards - 1) * 1_000, design.block_ms)
    each_its_own = Fraction(time, work + 2 * crossing * follow)
    shared = Fraction(time - every_header, work)
    return design.shards * max(each_its_own, shared)  # the smaller number of headers leaves more to do


def coordinator_load(costs: Costs, design: Design) -> Fraction:
    """Return which part of its time the coordinating chain needs to follow each block of each shard; 1 is too much."""
    return Fraction(design.shards * follow_cost(costs, design.members) * 1_000, design.block_ms * SECOND)


def delay(design: Design) -> Fraction:
    """Return the mean time until a transaction is final where it takes effect, in block times, with room in each block.

    Within a shard 3/2. One that crosses is final in its own shard first, then brought to the other one, whose block has
    to be waited for and made in the same way; the answer takes as long again.
    """
    return FINAL * (1 + (design.crossing if design.shards > 1 else 0))


def table(costs: Costs, crossing: Iterable[Fraction] = CROSSING, members: int = 4, block_ms: int = 1_000) -> list[Row]:
    """Return what 1 to 64 shards carry, a column for each share that crosses."""
    shares, rows = tuple(crossing), []
    before: tuple[Fraction, ...] = ()
    for shards in SHARDS:
        rates = tuple(throughput(costs, Design(shards, share, members, block_ms)) for share in shares)
        ratios = tuple(Fraction(rate, 2 * half) for rate, half in zip(rates, before, strict=True)) if before else ()
        load = coordinator_load(costs, Design(shards, Fraction(0), members, block_ms))
        rows.append(Row(shards, tuple(map(int, rates)), ratios or (None,) * len(rates), load))
        before = rates
    return rows
