"""What the sharding lab knows: a choice, what it must meet, draws, a city, a day. No widget, no words."""

from __future__ import annotations

from fractions import Fraction
from random import Random
from typing import Any, Final

import msgspec
import traitlets as T  # noqa: N812 - as everywhere in the views

from minichain.sharding import capacity, choice, rebalance, risk
from minichain.sharding.capacity import Costs
from minichain.sharding.choice import LEAST_MEMBERS, Choice, Need, Verdict
from minichain.sharding.risk import Sample

MOST_VALIDATORS: Final = 600
MOST_SHARDS: Final = 64
MOST_DISHONEST: Final = 33  # percent
MANY: Final = 1_000  # draws at once
SHOWN_SHARDS: Final = 6  # of a town whose accounts are drawn one by one
SEED: Final = 7
NEVER: Final = Sample(0, 0, 0)


class Lab(T.HasTraits):
    """The lab; `sight` is what the city shows, None before it was built, and `days` what rebalancing has brought.

    All chance comes from the seed and from what is chosen, draw by draw: the same choice and number of draws give the
    same figures, in whatever order somebody came to them. `acts` is what was done to the city, a letter each.
    """

    choice: Any = T.Any(Choice())
    need: Any = T.Any(Need())
    power = T.Unicode("halt")
    samples: Any = T.Dict()  # (validators, dishonest, shards, power) -> members -> Sample
    bad: Any = T.Tuple()  # dishonest members of each committee in the last draw of this choice
    acts = T.Unicode("")
    sight: Any = T.Any(None)
    days: Any = T.Any(None)
    done: Any = T.Any(frozenset())

    def __init__(self, costs: Costs, seed: int = SEED) -> None:
        super().__init__()
        self.costs = costs
        self.seed = seed
        self._waited = False
        self.bad = self._draw_once()

    # --- what is chosen ---

    @property
    def most_shards(self) -> int:
        return min(MOST_SHARDS, choice.most_shards(self.choice.validators))

    @property
    def most_members(self) -> int:
        return choice.most_members(self.choice.validators, self.choice.shards)

    def change(self, **settings: int) -> None:
        """Change the choice; where validators do not suffice, there are fewer districts, then smaller committees."""
        wanted = {name: getattr(self.choice, name) for name in self.choice.__struct_fields__} | settings
        most = min(MOST_SHARDS, choice.most_shards(wanted["validators"]))
        wanted["shards"] = max(1, min(wanted["shards"], most))
        largest = choice.most_members(wanted["validators"], wanted["shards"])
        wanted["members"] = max(LEAST_MEMBERS, min(wanted["members"], largest))
        if (changed := Choice(**wanted)) != self.choice:
            with self.hold_trait_notifications():
                self.choice = changed
                self.bad = self._draw_once()
            self._judge()

    def want(self, **settings: int) -> None:
        """Change what is needed."""
        self.need = msgspec.structs.replace(self.need, **settings)
        self._judge()

    def _judge(self) -> None:
        verdict = self.verdict
        if verdict.is_fast and verdict.is_safe and self.choice.shards > 1:
            self.done |= {"meet"}

    @property
    def verdict(self) -> Verdict:
        """Return whether the choice meets the need."""
        return choice.judge(self.costs, self.choice, self.need, self.power)

    @property
    def one(self) -> Fraction:
        """Return the chance that a certain district is captured in one draw."""
        return risk.one_shard(self.choice.draw, self.power)

    @property
    def rows(self) -> list[capacity.Row]:
        """Return what 1 to 64 shards carry with committees of the chosen size."""
        return capacity.table(self.costs, members=self.choice.members)

    # --- draws ---

    @property
    def drawn(self) -> dict[int, Sample]:
        """Return what draws of committees have given, by their size, with everything else as chosen."""
        found: dict[int, Sample] = self.samples.get(self._key, {})
        return found

    @property
    def _key(self) -> tuple[int, int, int, str]:
        draw = self.choice.draw
        return draw.validators, draw.dishonest, draw.shards, self.power

    def draw(self, count: int = MANY) -> None:
        """Draw committees so often, and keep the last draw to be looked at; counts add up."""
        draw, members = self.choice.draw, self.choice.members
        old = self.drawn.get(members, NEVER)
        new = [risk.sample(draw, 1, self._chance(number), self.power) for number in range(old.draws, old.draws + count)]
        added = Sample(old.draws + count, old.one + sum(s.one for s in new), old.any + sum(s.any for s in new))
        with self.hold_trait_notifications():
            self.samples = {**self.samples, self._key: {**self.drawn, members: added}}
            self.bad = self._draw_once()
        self.done |= {"draw"}

    def _draw_once(self) -> tuple[int, ...]:
        last = max(0, self.drawn.get(self.choice.members, NEVER).draws - 1)
        drawn = risk.committees(self.choice.draw, self._chance(last))
        return tuple(sum(member < self.choice.draw.dishonest for member in members) for members in drawn)

    def _chance(self, number: int) -> Random:
        """Return the chance of one draw."""
        return Random(f"{self.seed} {self._key} {self.choice.members} {number}")

    @property
    def enough(self) -> int:
        """Return how many dishonest members capture a committee."""
        return risk.enough(self.choice.members, self.power)

    # --- the city and the town ---

    def keep_sight(self, sight: Any) -> None:
        """Note what the city shows; a transfer that waited for a sleeping district, and arrived, is a task done."""
        self.sight = sight
        if sight.asleep and sight.on_the_way:
            self._waited = True
        elif self._waited and not sight.on_the_way:
            self.done |= {"wait"}

    def rebalance(self) -> None:
        """Let a town of this choice trade for two days, and place its accounts by what the first day showed."""
        shards = max(2, min(self.choice.shards, SHOWN_SHARDS))
        chance = Random(f"{self.seed} {shards} {self.choice.crossing}")
        self.days = rebalance.two_days(chance, shards, 1 - Fraction(self.choice.crossing, 100))
        self.done |= {"rebalance"}

    def bring(self, choice: Choice, need: Need, power: str, draws: int, acts: str, *, is_rebalanced: bool) -> None:
        """Show what somebody has chosen and done, as if it had been done here."""
        with self.hold_trait_notifications():
            self.choice, self.need, self.power = choice, need, power
            self.samples, self.days, self.acts = {}, None, acts
            self.bad = self._draw_once()
        if draws:
            self.draw(draws)
        if is_rebalanced:
            self.rebalance()
        self._judge()

    def carried(self, share: Fraction) -> int:
        """Return what the town's districts carry when such a share of transfers crosses."""
        design = capacity.Design(self.days.shards, share, self.choice.members)
        return int(capacity.throughput(self.costs, design))
