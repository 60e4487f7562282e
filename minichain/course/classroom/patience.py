"""How often an address may ask: a bucket of tokens each, which fills as time goes by. Time is an argument.

What fails costs much more than what is right: a class behind one address works, and whoever guesses does not.
"""

from __future__ import annotations

from typing import Final

from minichain.course.classroom.register import Declined

FULL: Final = 600.0  # tokens: a class that opens a page together
PER_S: Final = 40.0
LETTER: Final = 0.25  # of somebody who is in the class; a page costs one
FAILURE: Final = 60.0
MAX_ADDRESSES: Final = 4_096


class Patience:
    """The buckets of all addresses."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, int]] = {}  # tokens, and when (ms) there were so many

    def take(self, address: str, now: int, cost: float = 1.0) -> None:
        """Let an address ask. Raises `Declined` if it has to wait."""
        left = self._left(address, now)
        if left < cost:
            raise Declined("too_often", seconds=max(1, round((cost - left) / PER_S)))
        self._put(address, left - cost, now)

    def fail(self, address: str, now: int) -> None:
        """Remember that what an address asked was wrong: it waits longer for the next time."""
        self._put(address, self._left(address, now) - FAILURE, now)

    def _left(self, address: str, now: int) -> float:
        tokens, since = self._buckets.get(address, (FULL, now))
        return min(FULL, tokens + max(0, now - since) / 1000 * PER_S)

    def _put(self, address: str, tokens: float, now: int) -> None:
        self._buckets.pop(address, None)
        if len(self._buckets) >= MAX_ADDRESSES:
            self._buckets.pop(next(iter(self._buckets)))  # who has asked nothing for the longest time
        self._buckets[address] = max(tokens, -2 * FULL), now
