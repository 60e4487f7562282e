"""Who pays whom, and where they should live: a placement that follows the traffic, beside the one by hash.

Accounts that deal with each other are found as communities (Louvain: Blondel et al., arXiv:0803.0476) and kept together
as far as no shard gets more than a stated load. A placement made from the traffic of one day always suits that day;
what it is worth shows in the traffic of another. Nothing here is decided by chance that was not handed in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from random import Random
from typing import Final

import networkx as nx

from minichain.codec import Plain
from minichain.errors import ConfigError
from minichain.sharding.placement import Placement, hashed

Transfer = tuple[str, str]  # who pays whom; accounts and contracts by name, as in a placement

ROUNDS: Final = 10  # of moving single accounts; far fewer are needed until nothing gets better
FULL: Final = Fraction(11, 10)


class Measured(Plain):
    """What a placement makes of some traffic: transfers, those between two shards, and the load of each shard.

    The load of an account is in how many transfers it takes part, on either side.
    """

    transfers: int
    crossing: int
    loads: tuple[int, ...]

    @property
    def by_transaction(self) -> Fraction:
        """Return the crossing share of transactions: each transfer counts once."""
        return Fraction(self.crossing, self.transfers) if self.transfers else Fraction(0)

    @property
    def by_operation(self) -> Fraction:
        """Return the crossing share of what blocks hold: a crossing transfer counts twice, once on either shard."""
        return crossing_operations(self.by_transaction)

    @property
    def fullest(self) -> Fraction:
        """Return the load of the fullest shard, relative to the mean: 1 is even."""
        total = sum(self.loads)
        return Fraction(max(self.loads) * len(self.loads), total) if total else Fraction(1)


class Proposal(Plain):
    """Another placement, which accounts move to it, and both placements measured on the traffic it was made from."""

    placement: Placement
    moved: tuple[str, ...]
    before: Measured
    after: Measured


def crossing_operations(share: Fraction) -> Fraction:
    """Return the crossing share of operations, for a share of transactions."""
    return Fraction(2 * share, 1 + share)


def graph_of(traffic: Iterable[Transfer]) -> nx.Graph:
    """Return who deals with whom, how often as `weight`; in the order of their names, so that all find the same."""
    pairs = Counter(tuple(sorted(transfer)) for transfer in traffic)
    graph = nx.Graph()
    graph.add_nodes_from(sorted({name for pair in pairs for name in pair}))
    graph.add_weighted_edges_from((one, other, count) for (one, other), count in sorted(pairs.items()) if one != other)
    return graph


def measure(placement: Placement, traffic: Sequence[Transfer]) -> Measured:
    """Count what a placement makes of some traffic."""
    where = {name: placement.shard_of(name) for name in {name for transfer in traffic for name in transfer}}
    loads = Counter(where[name] for transfer in traffic for name in transfer)
    crossing = sum(where[one] != where[other] for one, other in traffic)
    return Measured(len(traffic), crossing, tuple(loads[shard] for shard in range(placement.shards)))


def rebalance(traffic: Sequence[Transfer], current: Placement, seed: int, full: Fraction = FULL) -> Proposal:
    """Propose a placement by communities in which no shard has more than `full` times the mean load.

    The current one stays if it keeps that and fewer transfers cross with it. Raises `ConfigError` where the load cannot
    be shared out so evenly.
    """
    graph = graph_of(traffic)
    names = list(graph)  # from here on by number: sets of small numbers have the same order in every process
    numbered = nx.relabel_nodes(graph, {name: number for number, name in enumerate(names)})
    loads = Counter(name for transfer in traffic for name in transfer)
    house = _House([loads[name] for name in names], numbered, current.shards, full, names)
    communities = nx.community.louvain_communities(numbered, weight="weight", seed=seed)
    for community in sorted(map(sorted, communities), key=house.load_of, reverse=True):
        house.admit(community)
    house.improve()
    homes = _renumbered(house.homes, [current.shard_of(name) for name in names], current.shards)
    placed = {name: shard for name, shard in zip(names, homes, strict=True) if hashed(name, current.shards) != shard}
    others = {name: shard for name, shard in current.explicit.items() if name not in graph}
    before = measure(current, traffic)
    proposed = Placement(current.shards, {**others, **placed})
    after = measure(proposed, traffic)
    if before.fullest <= full and before.crossing <= after.crossing:
        return Proposal(current, (), before, before)
    moved = tuple(name for name in names if proposed.shard_of(name) != current.shard_of(name))
    return Proposal(proposed, moved, before, after)


class _House:
    """Accounts by number, each with its load, and the shard where each lives."""

    def __init__(self, loads: list[int], graph: nx.Graph, shards: int, full: Fraction, names: list[str]) -> None:
        self._loads, self._graph, self._names = loads, graph, names
        self._most = Fraction(full * sum(loads), shards)
        self._shards = [0] * shards  # the load of each
        self._at: dict[int, int] = {}

    @property
    def homes(self) -> list[int]:
        return [self._at[account] for account in range(len(self._loads))]

    def load_of(self, community: list[int]) -> int:
        return sum(self._loads[account] for account in community)

    def admit(self, community: list[int]) -> None:
        """Let a community live on the emptiest shard, or, where it is too large, each account where it knows most."""
        emptiest = self._shards.index(min(self._shards))
        if self._shards[emptiest] + self.load_of(community) <= self._most:
            for account in community:
                self._move(account, emptiest)
            return
        for account in sorted(community, key=lambda account: -self._loads[account]):
            self._move(account, self._best(account))

    def improve(self) -> None:
        """Let single accounts move to where they deal more, while there is room; each move helps."""
        for _round in range(ROUNDS):
            before = dict(self._at)
            for account in range(len(self._loads)):
                self._move(account, self._best(account))
            if before == self._at:
                return

    def _best(self, account: int) -> int:
        """Return the shard with room where an account deals most; where it is, if no other is better."""
        own, load, dealings = self._at.get(account), self._loads[account], self._dealings(account)
        room = [shard for shard, full in enumerate(self._shards) if shard == own or full + load <= self._most]
        if not room:
            raise ConfigError(
                f"{self._names[account]} takes part in {load} transfers, and no shard has room for so many: "
                "let a shard have more than the mean, or make fewer shards"
            )
        return max(room, key=lambda shard: (dealings[shard], shard == own, -self._shards[shard], -shard))

    def _dealings(self, account: int) -> Counter[int]:
        dealings: Counter[int] = Counter()
        for other, edge in self._graph[account].items():
            if other in self._at:
                dealings[self._at[other]] += edge["weight"]
        return dealings

    def _move(self, account: int, shard: int) -> None:
        if account in self._at:
            self._shards[self._at[account]] -= self._loads[account]
        self._at[account] = shard
        self._shards[shard] += self._loads[account]


def _renumbered(homes: list[int], current: list[int], shards: int) -> list[int]:
    """Give each group of accounts the number of the shard where most of them are already, the largest overlap first."""
    overlaps = Counter(zip(homes, current, strict=True))
    every = ((-overlaps[group, shard], group, shard) for group in range(shards) for shard in range(shards))
    number: dict[int, int] = {}
    for _overlap, group, shard in sorted(every):
        if group not in number and shard not in number.values():
            number[group] = shard
    return [number[group] for group in homes]


# --- a town to try it on -----------------------------------------------------------------------------------------


def town(random: Random, districts: int, residents: int, transfers: int, at_home: Fraction) -> list[Transfer]:
    """Make the transfers of one day: with chance `at_home` within the payer's district, else to anybody in town.

    With `at_home` 0 nobody prefers anybody, and there are no communities to be found.
    """
    names = [[f"district-{place}/resident-{number}" for number in range(residents)] for place in range(districts)]
    everybody = [name for district in names for name in district]
    day = []
    for _transfer in range(transfers):
        district = random.choice(names)
        stays = random.randrange(at_home.denominator) < at_home.numerator
        payer = random.choice(district)
        day.append((payer, random.choice([name for name in (district if stays else everybody) if name != payer])))
    return day


class Days(Plain):
    """A placement made from the traffic of one day, beside the one by hash, and both on the day after it."""

    shards: int
    day: list[Transfer]
    proposal: Proposal
    next_before: Measured
    next_after: Measured


def two_days(random: Random, shards: int, at_home: Fraction, residents: int = 12, each: int = 10) -> Days:
    """Rebalance a town after one day, and see what it is worth on the next; each resident pays `each` times a day.

    The names of residents are the same on both days, and so are their districts.
    """
    day, after = (town(random, shards, residents, shards * residents * each, at_home) for _ in range(2))
    hashes = Placement(shards)
    found = rebalance(day, hashes, random.randrange(2**32))
    return Days(shards, day, found, measure(hashes, after), measure(found.placement, after))
