"""A clock for durations, made from one that people may set: it only goes forward."""

from __future__ import annotations


class SteadyClock:
    """Counts the milliseconds that pass. While the other clock is set back, none do."""

    def __init__(self) -> None:
        self.ms = 0
        self._wall_ms = 0

    def advance(self, wall_ms: int) -> None:
        """Take what the clock on the wall says now."""
        if wall_ms > self._wall_ms:
            self.ms += wall_ms - self._wall_ms
        self._wall_ms = wall_ms
