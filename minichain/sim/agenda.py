"""What will happen, by time; what is due in one millisecond happens in the order in which it was put in.

A heap of the milliseconds that have something, and a queue for each: in a large network a millisecond has much.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Agenda(Generic[T]):
    """Everything that is still to happen."""

    def __init__(self) -> None:
        self._times: list[int] = []
        self._due: dict[int, deque[T]] = {}

    def put(self, time_ms: int, entry: T) -> None:
        """Let something be due at a time."""
        due = self._due.get(time_ms)
        if due is None:
            due = self._due[time_ms] = deque()
            heapq.heappush(self._times, time_ms)
        due.append(entry)

    def take(self, until_ms: int) -> tuple[int, T] | None:
        """Take out what happens next, with its time; None if that is nothing up to a time."""
        if not self._times or self._times[0] > until_ms:
            return None
        time_ms = self._times[0]
        due = self._due[time_ms]
        entry = due.popleft()
        if not due:
            del self._due[time_ms]
            heapq.heappop(self._times)
        return time_ms, entry
