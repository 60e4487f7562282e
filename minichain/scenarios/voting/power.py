"""Who can decide what under a voting rule. Exact: every figure is an integer or a `Fraction`, and nothing is sampled.

A rule is a quota and one weight for each member, in any unit they share; members go by their place, from 0. A
coalition meets a rule if its weights together are *at least* the quota (>=), which may be a `Fraction`. "More than
half" is therefore `more_than(Fraction(1, 2), weights)`. A game lets a coalition win that meets every rule of one of its
ways: one rule is weighted voting, several rules are chambers, seats or a double majority, several ways are exceptions.

    swings            coalitions that win with a member and lose without: Banzhaf, Rutgers Law Review 19 (1965) 317
    banzhaf           a member's share of everybody's swings; hides how seldom anybody swings at all
    absolute          swings / 2^(n-1), the chance to decide where all others toss coins: Penrose, J. R. Stat. Soc.
                      109 (1946) 53
    shapley_shubik    in which part of all n! orders one is pivotal: Shapley & Shubik, Am. Polit. Sci. Rev. 48 (1954)
                      787
    act               winning coalitions / all: Coleman, Control of Collectivities and the Power of a Collectivity to
                      Act, in Lieberman (ed.), Social Choice (1971) 269
    prevent           swings / winning coalitions, and initiate: swings / losing coalitions; both Coleman, there

Counted by generating functions (Brams & Affuso, Theory and Decision 7 (1976) 29; Bilbao, Fernandez, Losada & Lopez, Top
8 (2000) 191), here of those who are *absent*: a coalition wins while what it does without stays within W - quota in
every rule. The product of (1 + z x^w) over all members, cut off there, has by z^k x^a the number of ways in which k
members of weight a together are absent. Dividing by one member's factor leaves the others; that is a short alternating
sum. The work is members x sizes x slack of each rule. Where it is less to look at every coalition, as it may be up to
20 members, that is done, whatever their weights; of more members, too much is refused with what to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, combinations
from math import ceil, comb, factorial, floor, gcd, isqrt, prod
from typing import Any, Final

import numpy as np

from minichain.codec import Plain
from minichain.errors import UsageError

Quota = int | Fraction

MOST_STEPS: Final = 2_000_000_000  # additions of machine integers: some seconds
MOST_BIG_STEPS: Final = 40_000_000  # of integers that fit no machine word, as from 67 members on: some seconds
MOST_CELLS: Final = 40_000_000  # of a table: 320 MB
MOST_LISTED: Final = 20  # members, all of whose coalitions can be looked at
MOST_WAYS: Final = 4
MOST_VISITS: Final = 1_000_000  # of a search for minimal winning coalitions
WORD: Final = 2**63


class Rule(Plain):
    """What a coalition must bring together: at least `quota` of these weights, one for each member."""

    quota: Quota
    weights: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.weights:
            raise UsageError("a rule needs a weight for each member: there are none")
        for member, weight in enumerate(self.weights):
            if type(weight) is not int or weight < 0:
                raise UsageError(f"member {member} has the weight {weight!r}: give whole numbers from 0 on")
        if type(self.quota) not in (int, Fraction):
            raise UsageError(f"the quota is {self.quota!r}: give a whole number or a Fraction, so that >= is exact")
        if self.quota <= 0:
            raise UsageError(f"a quota of {self.quota} is met by nobody at all: ask for more than 0")
        if self.quota > sum(self.weights):
            raise UsageError(f"the quota {self.quota} cannot be met: all weights together are {sum(self.weights)}")

    def is_met(self, coalition: frozenset[int]) -> bool:
        return sum(self.weights[member] for member in coalition) >= self.quota

    def admit(self, weight: int, quota: Quota | None = None) -> Rule:
        """Return the rule with one more member, at the end; the quota stays unless another is given."""
        return Rule(self.quota if quota is None else quota, (*self.weights, weight))


def at_least(share: Fraction, weights: Sequence[int]) -> int:
    """Return the quota of "at least this share": the smallest whole number that is not below it."""
    return ceil(share * sum(weights))


def more_than(share: Fraction, weights: Sequence[int]) -> int:
    """Return the quota of "more than this share": the smallest whole number above it."""
    return floor(share * sum(weights)) + 1


class Game(Plain):
    """A coalition wins if it meets every rule of at least one way."""

    ways: tuple[tuple[Rule, ...], ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.ways) <= MOST_WAYS or not all(self.ways):
            raise UsageError(f"a game has 1 to {MOST_WAYS} ways to win, each of one rule or more")
        if len(sizes := {len(rule.weights) for way in self.ways for rule in way}) > 1:
            raise UsageError(f"the rules of a game weigh the same members; these weigh {sorted(sizes)} of them")

    @property
    def members(self) -> int:
        return len(self.ways[0][0].weights)

    def is_won_by(self, coalition: frozenset[int]) -> bool:
        return any(all(rule.is_met(coalition) for rule in way) for way in self.ways)


def weighted(quota: Quota, weights: Sequence[int]) -> Game:
    """Return the game of one rule."""
    return together(Rule(quota, tuple(weights)))


def together(*rules: Rule) -> Game:
    """Return the game in which a coalition must meet every one of these rules."""
    return Game((rules,))


def either(*games: Game) -> Game:
    """Return the game in which a coalition wins if it wins one of these."""
    return Game(tuple(way for game in games for way in game.ways))


# --- counting ----------------------------------------------------------------------------------------------------

Counts = tuple[list[int], list[list[int]]]  # by absent members: winning coalitions; and for each member, those without


class _Absence(Plain):
    """How much may be absent in each rule, in the largest unit that keeps all weights whole."""

    slack: tuple[int, ...]
    weights: tuple[tuple[int, ...], ...]  # of each member, in each of these rules
    most: int  # members that can be absent together

    @property
    def shape(self) -> tuple[int, ...]:
        return self.most + 1, *(spare + 1 for spare in self.slack)

    @property
    def is_small(self) -> bool:
        """Tell whether every number of the table fits a machine word."""
        return comb(len(self.weights), len(self.weights) // 2) < WORD

    @property
    def most_cells(self) -> int:
        return min(MOST_CELLS, (MOST_STEPS if self.is_small else MOST_BIG_STEPS) // len(self.weights))


def _absence(rules: Sequence[Rule]) -> _Absence:
    """Leave out rules that only count heads: the number of absent members is counted anyway."""
    slack, columns, most = [], [], len(rules[0].weights)
    for rule in rules:
        unit = gcd(*rule.weights)
        weights = [weight // unit for weight in rule.weights]
        spare = floor(sum(rule.weights) - rule.quota) // unit
        most = min(most, sum(total <= spare for total in accumulate(sorted(weights))))
        if set(weights) != {1}:
            slack.append(spare)
            columns.append(weights)
    return _Absence(tuple(slack), tuple(zip(*columns, strict=True)) or ((),) * len(rules[0].weights), most)


def _table(absence: _Absence) -> Any:
    """Return an array: in [k, a, b, ...] in how many ways k members of at most these weights are absent."""
    shape = absence.shape
    table = np.zeros(shape, dtype=np.int64 if absence.is_small else object)
    table[(0,) * len(shape)] = 1
    reach = [0] * len(shape)  # beyond it there are only zeros
    for weights in sorted(absence.weights):
        step = (1, *weights)
        if any(by >= size for by, size in zip(step, shape, strict=True)):
            continue  # the others cannot do without
        reach = [min(far + by, size - 1) for far, by, size in zip(reach, step, shape, strict=True)]
        with_it = tuple(slice(by, far + 1) for far, by in zip(reach, step, strict=True))
        without = tuple(slice(0, far + 1 - by) for far, by in zip(reach, step, strict=True))
        table[with_it] += table[without]
    for axis in range(1, len(shape)):
        np.cumsum(table, axis=axis, out=table)
    return table


def _count(rules: Sequence[Rule]) -> Counts:
    absence = _absence(rules)
    members, cells = len(absence.weights), prod(absence.shape)
    can_list = members <= MOST_LISTED and all(sum(rule.weights) < WORD for rule in rules)
    if can_list and cells > min(absence.most_cells, 2**members):
        return _listed(rules)
    if cells > absence.most_cells:
        raise UsageError(
            f"{members} members need a table of {cells} numbers; at most {absence.most_cells} are counted: give the "
            "weights and the quota in a larger unit (thousands), or leave out a rule"
        )
    table, pad = _table(absence), [0] * (members - absence.most)
    without = [[*map(int, _without(table, absence, weights)), *pad] for weights in absence.weights]
    return [*map(int, table[(slice(None), *absence.slack)]), *pad], without


def _listed(rules: Sequence[Rule]) -> Counts:
    """Count by looking at every coalition, each a number whose bits are its members."""
    members = len(rules[0].weights)
    coalitions: Any = np.arange(2**members)
    for rule in rules:
        total = sum((coalitions >> member & 1) * weight for member, weight in enumerate(rule.weights))
        coalitions = coalitions[total >= ceil(rule.quota)]
    absent = members - np.bitwise_count(coalitions).astype(int)

    def by_absent(chosen: Any) -> list[int]:
        return [int(count) for count in np.bincount(chosen, minlength=members + 1)]

    return by_absent(absent), [by_absent(absent[coalitions >> member & 1 == 0]) for member in range(members)]


def _without(table: Any, absence: _Absence, weights: tuple[int, ...]) -> Any:
    """Count the winning coalitions that a member is absent from, by how many are absent.

    With F of everybody and G of all others, F(k, a) = G(k, a) + G(k-1, a-w); so what is wanted, G(k-1, a-w), is
    F(k-1, a-w) - F(k-2, a-2w) + F(k-3, a-3w) ... Sums that pass a machine word on the way come back into it.
    """
    found = np.zeros(absence.most + 1, dtype=table.dtype)
    for times in range(1, absence.most + 1):
        place = tuple(spare - times * weight for spare, weight in zip(absence.slack, weights, strict=True))
        if min(place, default=0) < 0:
            break
        column = table[(slice(0, absence.most + 1 - times), *place)]
        found[times:] += column if times % 2 else -column
    return found


def _count_ways(game: Game) -> Counts:
    """Count coalitions that win in some way: those of each, less those of each two, plus those of each three, ..."""
    size = game.members + 1
    winning, without = [0] * size, [[0] * size for _ in range(game.members)]
    for chosen in range(1, len(game.ways) + 1):
        sign = 1 if chosen % 2 else -1
        for ways in combinations(game.ways, chosen):
            some, lacking = _count(_merged([rule for way in ways for rule in way]))
            winning = [a + sign * b for a, b in zip(winning, some, strict=True)]
            for row, more in zip(without, lacking, strict=True):
                row[:] = [a + sign * b for a, b in zip(row, more, strict=True)]
    return winning, without


def _merged(rules: Sequence[Rule]) -> list[Rule]:
    """Keep of several rules with the same weights the one that asks for most."""
    quotas: dict[tuple[int, ...], Quota] = {}
    for rule in rules:
        quotas[rule.weights] = max(rule.quota, quotas.get(rule.weights, 0))
    return [Rule(quota, weights) for weights, quota in quotas.items()]


# --- the figures -------------------------------------------------------------------------------------------------


class Power(Plain, dict=True):
    """What is counted of a game: the winning coalitions of so many members, and each member's swings and index."""

    members: int
    winning: int
    swings: tuple[int, ...]
    shapley_shubik: tuple[Fraction, ...]

    @cached_property
    def banzhaf(self) -> tuple[Fraction, ...]:
        """Each member's share of all swings; they sum to 1."""
        return tuple(Fraction(swings, sum(self.swings)) for swings in self.swings)

    @cached_property
    def absolute(self) -> tuple[Fraction, ...]:
        """The chance that a member decides, if each other is for and against equally often."""
        return tuple(Fraction(swings, 2 ** (self.members - 1)) for swings in self.swings)

    @property
    def act(self) -> Fraction:
        """Coleman's power of the collectivity to act: the share of coalitions that win."""
        return Fraction(self.winning, 2**self.members)

    @cached_property
    def prevent(self) -> tuple[Fraction, ...]:
        """Coleman's power to prevent action: of the winning coalitions, those that a member can stop by leaving."""
        return tuple(Fraction(swings, self.winning) for swings in self.swings)

    @cached_property
    def initiate(self) -> tuple[Fraction, ...]:
        """Coleman's power to initiate action: of the losing coalitions, those that a member lets win by joining."""
        return tuple(Fraction(swings, 2**self.members - self.winning) for swings in self.swings)

    @property
    def dummies(self) -> tuple[int, ...]:
        """Members whose vote never matters, whatever their weight."""
        return tuple(member for member, swings in enumerate(self.swings) if not swings)

    @property
    def veto_players(self) -> tuple[int, ...]:
        """Members without whom nothing is decided: each winning coalition is one of their swings."""
        return tuple(member for member, swings in enumerate(self.swings) if swings == self.winning)

    @property
    def dictator(self) -> int | None:
        """The member who decides alone: all others are dummies."""
        return self.veto_players[0] if len(self.dummies) == self.members - 1 else None

    def text(self, names: Sequence[str] = ()) -> str:
        """Return a table for people, one line for each member."""
        told, wide = _names(names, self.members)
        head = f"{'':{wide}} {'swings':>10} {'Banzhaf':>12} {'Shapley-Shubik':>15} {'prevent':>10} {'initiate':>10}"
        rows = zip(told, self.swings, self.banzhaf, self.shapley_shubik, self.prevent, self.initiate, strict=True)
        lines = [
            f"{name:{wide}} {swings:>10} {share!s:>12} {pivot!s:>15} {stop!s:>10} {start!s:>10}"
            for name, swings, share, pivot, stop, start in rows
        ]
        return "\n".join([head, *lines, f"{self.winning} of {2**self.members} coalitions win\n"])


def _names(names: Sequence[str], members: int) -> tuple[Sequence[str], int]:
    told = names or [f"member {member}" for member in range(members)]
    return told, max(map(len, told))


def measure(game: Game) -> Power:
    """Count a game. 60 members with weights up to 1,000 take less than a second; `minichain bench power` says more."""
    members = game.members
    winning, without = _count_ways(game)
    orders = [factorial(members - 1 - absent) * factorial(absent) for absent in range(members)]
    total, swings, pivots = sum(winning), [], []
    for lacking in without:
        swings.append(total - 2 * sum(lacking))
        # coalitions that win with the member while k others are absent, less those that still win when it leaves too
        ways = (winning[k] - lacking[k] - lacking[k + 1] for k in range(members))
        pivots.append(Fraction(sum(a * b for a, b in zip(ways, orders, strict=True)), factorial(members)))
    return Power(members, total, tuple(swings), tuple(pivots))


def banzhaf(quota: Quota, weights: Sequence[int]) -> tuple[Fraction, ...]:
    """Return each member's normalised Banzhaf index."""
    return measure(weighted(quota, weights)).banzhaf


def shapley_shubik(quota: Quota, weights: Sequence[int]) -> tuple[Fraction, ...]:
    """Return each member's Shapley-Shubik index."""
    return measure(weighted(quota, weights)).shapley_shubik


# --- coalitions, newcomers, suggestions --------------------------------------------------------------------------


def minimal_winning(game: Game) -> Iterator[frozenset[int]]:
    """Yield the coalitions that win, and lose whoever leaves: one after the other, as there may be very many.

    Take a few by `itertools.islice`. A search that has become hopeless ends with `UsageError`.
    """
    seats = {member: [-rule.weights[member] for way in game.ways for rule in way] for member in range(game.members)}
    order = sorted((member for member, weights in seats.items() if any(weights)), key=lambda member: seats[member])
    stack, visits = [(frozenset[int](), 0)], 0
    while stack:
        inside, place = stack.pop()
        visits += 1
        if visits > MOST_VISITS:
            raise UsageError(f"{MOST_VISITS} partial coalitions were looked at: take fewer by itertools.islice")
        if any(game.is_won_by(inside - {member}) for member in inside):
            continue
        if game.is_won_by(inside):
            yield inside
        elif game.is_won_by(inside.union(order[place:])):
            stack += [(inside, place + 1), (inside | {order[place]}, place + 1)]


class WhatIf(Plain):
    """The power in a body before somebody joins, and after: the old members come first, in the same order."""

    before: Power
    after: Power

    @property
    def gainers(self) -> tuple[int, ...]:
        """Old members with more power than before: the paradox of new members (Brams & Affuso 1976)."""
        old, new = self.before, self.after
        return tuple(
            member
            for member in range(old.members)
            if new.banzhaf[member] > old.banzhaf[member] or new.shapley_shubik[member] > old.shapley_shubik[member]
        )

    def text(self, names: Sequence[str] = ()) -> str:
        """Return a table for people, one line for each member; who is new was nothing before."""
        old, new, gainers = self.before, self.after, self.gainers
        told, wide = _names(names, new.members)
        lines = [f"{'':{wide}} {'Banzhaf before':>16} {'after':>16} {'Shapley-Shubik before':>22} {'after':>16}"]
        for member, name in enumerate(told):
            was = (old.banzhaf[member], old.shapley_shubik[member]) if member < old.members else ("-", "-")
            cells = f"{was[0]!s:>16} {new.banzhaf[member]!s:>16} {was[1]!s:>22} {new.shapley_shubik[member]!s:>16}"
            lines.append(f"{name:{wide}} {cells}{'  gains' if member in gainers else ''}")
        return "\n".join(lines) + "\n"


def what_if(before: Game, after: Game) -> WhatIf:
    """Compare a body with the one that it becomes when members join at the end, as by `Rule.admit`."""
    if after.members < before.members:
        raise UsageError(f"of {before.members} members only {after.members} are left: compare where somebody joins")
    return WhatIf(measure(before), measure(after))


def penrose(populations: Sequence[int]) -> Rule:
    """Suggest weights by the square root of each member's people, so that all people have about the same influence.

    Penrose (1946). The quota is the one at which power follows weight best, (1 + sqrt(sum of w^2) / sum of w) / 2 of
    all: Slomczynski & Zyczkowski, Acta Physica Polonica B 37 (2006) 3133. Both are rounded to whole numbers.
    """
    weights = tuple((isqrt(4 * people) + 1) // 2 for people in populations)
    return Rule(ceil(Fraction(sum(weights) + isqrt(sum(weight**2 for weight in weights)), 2)), weights)
