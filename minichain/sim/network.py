"""A network that delays, loses, repeats, reorders and parts. Every choice comes from one seeded source."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from minichain.codec import Record
from minichain.errors import UsageError


class Weather(Record):
    """How unkind the network is. Delays in milliseconds, chances in percent.

    A message takes from `least_ms` to `most_ms`, each time anew, so messages overtake each other.
    """

    least_ms: int = 1
    most_ms: int = 20
    loss: int = 0
    duplication: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.least_ms <= self.most_ms:
            raise UsageError(f"a delay from {self.least_ms} to {self.most_ms} ms makes no sense: least_ms comes first")
        for name in ("loss", "duplication"):
            if not 0 <= getattr(self, name) <= 100:
                raise UsageError(f"{name} is {getattr(self, name)}: it is a chance in percent, 0 to 100")


class Network:
    """Decides when, and whether, each message arrives."""

    def __init__(self, weather: Weather, random: Random) -> None:
        self.weather = weather
        self._random = random
        self._side: dict[str, int] = {}  # node -> which part of a parted network it is in

    def part(self, groups: Iterable[Iterable[str]]) -> None:
        """Let no message pass between groups; nodes in none of them are alone together."""
        self._side = {name: side for side, group in enumerate(groups, 1) for name in group}

    def heal(self) -> None:
        """Let everything pass again."""
        self._side = {}

    def is_open(self, sender: str, receiver: str) -> bool:
        """Tell whether messages can pass between two nodes."""
        return self._side.get(sender, 0) == self._side.get(receiver, 0)

    def delays(self, sender: str, receiver: str) -> tuple[int, ...]:
        """Return after how many milliseconds a message arrives: usually one number, none if lost, two if repeated."""
        weather, chance = self.weather, self._random.random
        if self._side and not self.is_open(sender, receiver):
            return ()
        if weather.loss and chance() * 100 < weather.loss:
            return ()
        span = weather.most_ms - weather.least_ms + 1
        first = weather.least_ms + int(chance() * span)
        if weather.duplication and chance() * 100 < weather.duplication:
            return first, weather.least_ms + int(chance() * span)
        return (first,)
