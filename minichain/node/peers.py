"""How much trouble a member may make. Bad input is dropped and counted; who sends a lot of it is not heard for a
while, so that a faulty member costs the others a bounded share of their time.
"""

from __future__ import annotations

from typing import Final

MAX_FAULTS: Final = 50  # bad messages of one member in one window
WINDOW_MS: Final = 10_000
HELP_INTERVAL_MS: Final = 200  # help is costly: a member gets it at most this often


class Peers:
    """The other members, as this node met them."""

    def __init__(self) -> None:
        self._faults: dict[bytes, tuple[int, int]] = {}  # member -> (start of the window, bad messages in it)
        self._helped: dict[bytes, int] = {}
        self._heard: dict[bytes, int] = {}

    def is_muted(self, peer: bytes, now_ms: int) -> bool:
        """Tell whether a member's messages are dropped unread at the moment."""
        start, faults = self._faults.get(peer, (0, 0))
        return faults >= MAX_FAULTS and now_ms < start + WINDOW_MS

    def count_fault(self, peer: bytes, now_ms: int) -> None:
        """Remember a bad message."""
        start, faults = self._faults.get(peer, (now_ms, 0))
        self._faults[peer] = (now_ms, 1) if now_ms >= start + WINDOW_MS else (start, faults + 1)

    def count_heard(self, peer: bytes, now_ms: int) -> None:
        """Remember that a member is alive."""
        self._heard[peer] = now_ms

    def heard_since(self, since_ms: int) -> set[bytes]:
        """Return the members who were heard at or after a time."""
        return {peer for peer, heard in self._heard.items() if heard >= since_ms}

    def may_help(self, peer: bytes, now_ms: int) -> bool:
        """Tell whether a member may get help now; a yes counts as having given it."""
        if now_ms < self._helped.get(peer, -HELP_INTERVAL_MS) + HELP_INTERVAL_MS:
            return False
        self._helped[peer] = now_ms
        return True
