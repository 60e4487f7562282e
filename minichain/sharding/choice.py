"""What a city may choose about its districts, what it needs, and whether the choice meets the need.

Who has so many validators can have many small committees or few large ones: more districts carry more, and each is
easier to capture. Everything here is exact.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from minichain.codec import Plain
from minichain.errors import ConfigError
from minichain.sharding import capacity, risk
from minichain.sharding.capacity import Costs, Design
from minichain.sharding.risk import Draw, Risk

LEAST_MEMBERS: Final = 4  # fewer cannot bear a single dishonest one


class Choice(Plain):
    """So many validators, drawn into the committees of so many districts; shares in percent.

    `dishonest` of the validators would cheat, and `crossing` of the transfers go to another district.
    """

    validators: int = 100
    shards: int = 4
    members: int = 16
    dishonest: int = 25
    crossing: int = 10

    def __post_init__(self) -> None:
        if self.shards < 1 or not LEAST_MEMBERS <= self.members <= most_members(self.validators, self.shards):
            raise ConfigError(
                f"{self.validators} validators, who serve in one district each, are not enough for {self.shards} "
                f"districts of {self.members}, or a committee has fewer than {LEAST_MEMBERS}: have fewer districts"
            )

    @property
    def draw(self) -> Draw:
        """Return how committees are drawn."""
        return Draw(self.validators, self.validators * self.dishonest // 100, self.members, self.shards)

    @property
    def design(self) -> Design:
        """Return what is to be carried."""
        return Design(self.shards, Fraction(self.crossing, 100), self.members)


class Need(Plain):
    """So many transactions a second, and a capture in no more than one of so many draws."""

    demand: int = 6_000
    draws: int = 1_000

    @property
    def limit(self) -> Fraction:
        return Fraction(1, self.draws)


class Verdict(Plain):
    """What a choice carries, and how likely a draw gives some district into the wrong hands."""

    throughput: int
    risk: Risk
    is_fast: bool
    is_safe: bool


def most_members(validators: int, shards: int) -> int:
    """Return how large committees can be where each validator serves in one only."""
    return validators // shards


def most_shards(validators: int) -> int:
    """Return how many districts can have the smallest committees."""
    return max(1, validators // LEAST_MEMBERS)


def judge(costs: Costs, choice: Choice, need: Need, power: str = "halt") -> Verdict:
    """Tell whether a choice meets a need."""
    carried, found = int(capacity.throughput(costs, choice.design)), risk.any_shard(choice.draw, power)
    return Verdict(carried, found, carried >= need.demand, found.chance <= need.limit)


def sizes(choice: Choice, at_most: int = 14) -> list[int]:
    """Return sizes of committees, each of 3 f + 1: no smaller one bears as many dishonest members."""
    largest = most_members(choice.validators, choice.shards)
    every = range(LEAST_MEMBERS, largest + 1, 3)
    step = -(-len(every) // at_most)
    return list(every[::step])
