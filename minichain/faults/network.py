"""A network that delays, loses, repeats, reorders, damages and parts. Every choice comes from one seeded source."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Any, Final

import msgspec

from minichain.codec import Plain, Record
from minichain.errors import UsageError

OVERTAKING_MS: Final = 200  # a message that is held back lets those of so much time overtake it
CHANCES: Final = ("loss", "duplication", "reordering", "corruption")


class Weather(Record):
    """How unkind the network is. Delays in milliseconds, chances in percent.

    A message takes from `least_ms` to `most_ms`, each time anew, so messages overtake each other.
    """

    least_ms: int = 1
    most_ms: int = 20
    loss: int = 0
    duplication: int = 0
    reordering: int = 0
    corruption: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.least_ms <= self.most_ms:
            raise UsageError(f"a delay from {self.least_ms} to {self.most_ms} ms makes no sense: least_ms comes first")
        for name in CHANCES:
            if not 0 <= getattr(self, name) <= 100:
                raise UsageError(f"{name} is {getattr(self, name)}: it is a chance in percent, 0 to 100")


Link = tuple[str, str]  # (sender, receiver): each direction is a link of its own
Guard = Callable[[str, str, bytes], bool]  # may this message pass? (sender, receiver, message)


class Conditions(Plain, forbid_unknown_fields=True):
    """All that is the matter with a network at one time, as data; messages that are marked are not among it."""

    weather: Weather = Weather(0, 0)
    of_link: tuple[tuple[str, str, Weather], ...] = ()
    cut: tuple[Link, ...] = ()
    side: dict[str, int] = msgspec.field(default_factory=dict)


class _Mark:
    """A single message that something happens to: counted on its link from now on, it is lost or held back."""

    def __init__(self, which: int, hold_ms: int | None) -> None:
        self.left = which
        self.hold_ms = hold_ms

    def apply(self, arrivals: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        self.left -= 1
        if self.left:
            return arrivals
        return [] if self.hold_ms is None else [(delay_ms + self.hold_ms, data) for delay_ms, data in arrivals]


class Network:
    """Decides when, whether, and how whole each message arrives."""

    def __init__(self, weather: Weather, random: Random) -> None:
        self._first = weather
        self._turn(weather)
        self._random = random
        self._of_link: dict[Link, Weather] = {}
        self._cut: set[Link] = set()
        self._marks: dict[Link, list[_Mark]] = {}
        self._side: dict[str, int] = {}  # node -> which part of a parted network it is in
        self._guard: Guard | None = None

    @property
    def conditions(self) -> Conditions:
        """Return what is the matter with it, for another one to `take`."""
        of_link = tuple((*link, weather) for link, weather in self._of_link.items())
        return Conditions(self._weather, of_link, tuple(sorted(self._cut)), dict(self._side))

    def take(self, conditions: Conditions) -> None:
        """Be in these conditions from now on."""
        self._turn(conditions.weather)
        self._side = dict(conditions.side)
        self._of_link = {(sender, receiver): weather for sender, receiver, weather in conditions.of_link}
        self._cut = set(conditions.cut)

    def part(self, groups: Iterable[Iterable[str]]) -> None:
        """Let no message pass between groups; nodes in none of them are alone together."""
        self._side = {name: side for side, group in enumerate(groups, 1) for name in group}

    def cut(self, links: Iterable[Link]) -> None:
        """Let no message pass over these links, in their direction."""
        self._cut.update(links)

    def guard(self, guard: Guard) -> None:
        """Let only those messages pass that a guard lets pass."""
        self._guard = guard

    def mark(self, which: int, hold_ms: int | None, links: Iterable[Link]) -> None:
        """Lose one message of each link, or hold it back: the first from now on is 1; what is lost anyway counts."""
        for link in links:
            self._marks.setdefault(link, []).append(_Mark(which, hold_ms))

    def heal(self) -> None:
        """Let everything pass again."""
        self._side, self._cut, self._guard = {}, set(), None

    def change(self, links: Iterable[Link] | None, **changes: Any) -> None:
        """Change the weather of some links; None means all of them, those with a weather of their own included."""
        if links is None:
            self._turn(msgspec.structs.replace(self._weather, **changes))
            links = tuple(self._of_link)
        for link in links:
            self._of_link[link] = msgspec.structs.replace(self._of_link.get(link, self._weather), **changes)

    def calm(self) -> None:
        """Heal, and let nothing happen to a message but the delay that the network began with."""
        self.heal()
        self._of_link, self._marks = {}, {}
        self._turn(Weather(self._first.least_ms, self._first.most_ms))

    def _turn(self, weather: Weather) -> None:
        self._weather = weather
        self._is_uneven = any(getattr(weather, name) for name in CHANCES)

    def is_open(self, sender: str, receiver: str) -> bool:
        """Tell whether messages can pass from one node to another."""
        return self._side.get(sender, 0) == self._side.get(receiver, 0) and (sender, receiver) not in self._cut

    def carry(self, sender: str, receiver: str, data: bytes) -> list[tuple[int, bytes]]:
        """Return what arrives of a message, and after how many milliseconds: nothing if lost, two if repeated.

        A marked message costs as many draws as any other, so that those around it fare as they would without.
        """
        if not (self._is_uneven or self._side or self._cut or self._guard or self._of_link or self._marks):
            return [(self._delay_ms(self._weather), data)]  # nearly always, so it is worth a line
        arrivals = self._carry(sender, receiver, data)
        if marks := self._marks.get((sender, receiver)):
            for mark in marks:
                arrivals = mark.apply(arrivals)
            self._marks[sender, receiver] = [mark for mark in marks if mark.left]
        return arrivals

    def _carry(self, sender: str, receiver: str, data: bytes) -> list[tuple[int, bytes]]:
        if (self._side or self._cut) and not self.is_open(sender, receiver):
            return []
        if self._guard and not self._guard(sender, receiver, data):
            return []
        weather = self._of_link.get((sender, receiver), self._weather) if self._of_link else self._weather
        if weather.loss and self._is(weather.loss):
            return []
        copies = 2 if weather.duplication and self._is(weather.duplication) else 1
        return [self._carry_one(weather, data) for _ in range(copies)]

    def _carry_one(self, weather: Weather, data: bytes) -> tuple[int, bytes]:
        delay_ms = self._delay_ms(weather)
        if weather.reordering and self._is(weather.reordering):
            delay_ms += self._random.randrange(OVERTAKING_MS)
        if weather.corruption and self._is(weather.corruption):
            data = damaged(data, self._random)
        return delay_ms, data

    def _delay_ms(self, weather: Weather) -> int:
        return weather.least_ms + int(self._random.random() * (weather.most_ms - weather.least_ms + 1))

    def _is(self, percent: int) -> bool:
        return self._random.random() * 100 < percent


def damaged(data: bytes, random: Random) -> bytes:
    """Return the bytes with one bit turned over; where there are none, none."""
    if not data:
        return data
    place = random.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << random.randrange(8)]) + data[place + 1 :]
