"""The verbs that both worlds read alike: what happens to messages, as one change of weather or one mark on a link."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

from minichain.faults.network import Link


class Wires(ABC):
    """Whoever changes what the wires of a network do. Each method is a verb of a timeline."""

    @abstractmethod
    def _change_weather(self, links: Iterable[Link] | None, **changes: int) -> None:
        """Change the weather on these links, or, for None, on all."""

    @abstractmethod
    def _mark(self, which: int, hold_ms: int | None, links: Iterable[Link]) -> None:
        """Lose a single message of each of these links, or hold it back for so long; the first from now on is 1."""

    def delay(self, least_ms: int, most_ms: int, links: Iterable[Link] | None = None) -> None:
        """Let messages take so long; in the live world, so much longer than they take anyway."""
        self._change_weather(links, least_ms=least_ms, most_ms=most_ms)

    def loss(self, percent: int, links: Iterable[Link] | None = None) -> None:
        """Lose so many messages."""
        self._change_weather(links, loss=percent)

    def duplication(self, percent: int, links: Iterable[Link] | None = None) -> None:
        """Let so many messages arrive twice."""
        self._change_weather(links, duplication=percent)

    def reordering(self, percent: int, links: Iterable[Link] | None = None) -> None:
        """Hold so many messages back until others have overtaken them."""
        self._change_weather(links, reordering=percent)

    def corruption(self, percent: int, links: Iterable[Link] | None = None) -> None:
        """Turn over a bit of so many messages, in the live world before they are encrypted."""
        self._change_weather(links, corruption=percent)

    def lose(self, which: int, links: Iterable[Link]) -> None:
        """Lose a single message of each of these links."""
        self._mark(which, None, links)

    def hold(self, which: int, hold_ms: int, links: Iterable[Link]) -> None:
        """Hold a single message of each of these links back."""
        self._mark(which, hold_ms, links)
