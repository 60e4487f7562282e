"""How likely it is that a drawn committee falls into the wrong hands. Exact: integers and fractions, no rounding.

Committees are drawn without putting anybody back, so the number of dishonest members is hypergeometric: of all ways to
draw `members` out of `validators`, those with x dishonest ones are C(dishonest, x) C(validators - dishonest,
members - x). The share of the ways with enough of them is the risk of one committee in one draw. So RapidChain has it
(Zamani et al., CCS 2018, "Epoch Security"), where OmniLedger (Kokoris-Kogias et al., S&P 2018, "Shard-Size Security")
takes the binomial, as if the validators were without number. What is enough, `membership.measures` says.
"""

from __future__ import annotations

from fractions import Fraction
from math import comb, isqrt
from random import Random
from typing import Final

from minichain.codec import Plain
from minichain.errors import ConfigError, UsageError
from minichain.membership.measures import FORK, HALT, REWRITE, Enough

POWERS: Final[dict[str, Enough]] = {"halt": HALT["bft"], "fork": FORK["bft"], "rewrite": REWRITE["bft"]}
MOST_PRODUCTS: Final = 4_000_000  # of an exact calculation for all shards: some seconds
Z: Final = Fraction(196, 100)  # 95 % of a normal distribution lie within so many standard deviations
DIGITS: Final = 10**12  # of a square root


class Draw(Plain):
    """Committees of so many members for so many shards, drawn from validators of whom some are dishonest."""

    validators: int
    dishonest: int
    members: int
    shards: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.dishonest <= self.validators:
            raise ConfigError(f"of {self.validators} validators {self.dishonest} cannot be dishonest")
        if not 1 <= self.members <= self.validators:
            raise ConfigError(f"a committee drawn from {self.validators} validators cannot have {self.members} members")
        if self.shards < 1:
            raise ConfigError(f"committees are drawn for 1 shard or more, not for {self.shards}")

    @property
    def is_disjoint(self) -> bool:
        """Tell whether there are enough validators for each to serve in one committee only."""
        return self.members * self.shards <= self.validators


class Risk(Plain):
    """The chance of a draw; where it is not exact, it is an upper bound: the sum of the shards' chances."""

    chance: Fraction
    is_exact: bool = True


def enough(members: int, power: str = "halt") -> int:
    """Return how many dishonest members are enough: to "halt" a committee, to "fork" its chain, to "rewrite" it.

    With a third they can refuse to certify anything. With more than a third they can sign two blocks of one height.
    With more than two thirds they certify whatever they like, and no other chain can tell.
    """
    if power not in POWERS:
        raise UsageError(f"there is no power {power!r}: choose one of {', '.join(POWERS)}")
    return next(count for count in range(members + 1) if POWERS[power](count, members))


def distribution(draw: Draw) -> list[Fraction]:
    """Return the chance of each number of dishonest members in one committee, from 0 on."""
    every = comb(draw.validators, draw.members)
    return [Fraction(count, every) for count in _ways(draw)]


def _ways(draw: Draw) -> list[int]:
    """Return in how many ways a committee gets each number of dishonest members, each from the one before."""
    dishonest, honest, members = draw.dishonest, draw.validators - draw.dishonest, draw.members
    least, most = max(0, members - honest), min(members, dishonest)
    ways = [0] * (members + 1)
    ways[least] = comb(dishonest, least) * comb(honest, members - least)
    for bad in range(least, most):
        more = ways[bad] * (dishonest - bad) * (members - bad)
        ways[bad + 1] = more // ((bad + 1) * (honest - members + bad + 1))
    return ways


def one_shard(draw: Draw, power: str = "halt") -> Fraction:
    """Return the chance that the committee of a certain shard is captured in one draw."""
    captured = sum(_ways(draw)[enough(draw.members, power) :])
    return Fraction(captured, comb(draw.validators, draw.members))


def any_shard(draw: Draw, power: str = "halt") -> Risk:
    """Return the chance that at least one shard is captured in one draw.

    Where each validator serves once it is counted: the dishonest take places in all committees and outside of them, and
    (1 + z)^(outside) times, for each shard, the terms of (1 + z)^members with too few of them, gives by the coefficient
    of z^dishonest the ways in which all shards are safe. Where validators serve several times, or it would take too
    long, it is the sum of the shards' chances, which is never too small.
    """
    few = min(enough(draw.members, power), draw.dishonest + 1)
    single = one_shard(draw, power)
    products = draw.shards * few * min(draw.dishonest, draw.shards * few)
    if not draw.is_disjoint or products > MOST_PRODUCTS:
        return Risk(min(Fraction(1), draw.shards * single), is_exact=draw.shards == 1)
    safe, ways = [comb(draw.members, bad) for bad in range(few)], [1]
    for _shard in range(draw.shards):
        ways = _product(ways, safe, draw.dishonest)
    outside = draw.validators - draw.members * draw.shards
    all_safe = sum(count * comb(outside, draw.dishonest - bad) for bad, count in enumerate(ways))
    return Risk(1 - Fraction(all_safe, comb(draw.validators, draw.dishonest)))


def _product(left: list[int], right: list[int], degree: int) -> list[int]:
    """Multiply two polynomials, up to a degree."""
    product = [0] * min(len(left) + len(right) - 1, degree + 1)
    for i, a in enumerate(left):
        for j, b in enumerate(right[: len(product) - i]):
            product[i + j] += a * b
    return product


def once_in(chance: Fraction) -> int | None:
    """Return in how many draws it happens once on average, rounded; None if it cannot happen."""
    return round(Fraction(chance.denominator, chance.numerator)) if chance else None


def within(chance: Fraction, epochs: int) -> Fraction:
    """Return the chance that it happens in one of so many epochs, if each draws anew.

    Where only some members change at a time, each committee is still as likely to be captured as one drawn anew, but a
    captured one stays captured for longer, and is found as much more rarely.
    """
    return 1 - (1 - chance) ** epochs


def smallest_committee(
    validators: int, dishonest: int, limit: Fraction, shards: int = 1, power: str = "halt"
) -> int | None:
    """Return the smallest committees with which no shard is captured more often than `limit`; None if there are none.

    A slightly larger one may be riskier: of 6 members 2 are enough to halt, and of 7 already 3.
    """
    for members in range(1, validators // max(shards, 1) + 1):
        draw = Draw(validators, dishonest, members, shards)
        if one_shard(draw, power) <= limit and any_shard(draw, power).chance <= limit:
            return members
    return None


# --- by drawing --------------------------------------------------------------------------------------------------


class Sample(Plain):
    """In how many of so many draws the committee of the first shard was captured, and that of any shard."""

    draws: int
    one: int
    any: int


def sample(draw: Draw, draws: int, random: Random, power: str = "halt") -> Sample:
    """Draw committees so often, and count. Where validators serve several times, each committee is drawn by itself."""
    need, one, several = enough(draw.members, power), 0, 0
    for _draw in range(draws):
        captured = [sum(place < draw.dishonest for place in drawn) >= need for drawn in committees(draw, random)]
        one += captured[0]
        several += any(captured)
    return Sample(draws, one, several)


def committees(draw: Draw, random: Random) -> list[list[int]]:
    """Draw the committees of all shards once; validators go by number, the dishonest ones first."""
    everybody, size = range(draw.validators), draw.members
    if not draw.is_disjoint:
        return [random.sample(everybody, size) for _shard in range(draw.shards)]
    drawn = random.sample(everybody, size * draw.shards)
    return [drawn[start : start + size] for start in range(0, len(drawn), size)]


def interval(hits: int, draws: int) -> tuple[Fraction, Fraction]:
    """Return within which bounds the true chance lies, by Wilson's 95 % interval (JASA 22, 1927, page 209).

    Unlike hits / draws with its standard error, it also says something where nothing was hit.
    """
    if not 0 <= hits <= draws or draws < 1:
        raise UsageError(f"{hits} hits in {draws} draws: draw once or more")
    centre = hits + Z**2 * Fraction(1, 2)
    half = Z * _root(Fraction(hits * (draws - hits), draws) + Z**2 * Fraction(1, 4))
    low, high = (Fraction(edge, draws + Z**2) for edge in (centre - half, centre + half))
    return max(Fraction(0), low), min(Fraction(1), high)


def _root(value: Fraction) -> Fraction:
    return Fraction(isqrt(value.numerator * value.denominator * DIGITS**2), value.denominator * DIGITS)
