"""What will happen, by time; what is due in one millisecond happens in the order in which it was put in.

A heap of the milliseconds that have something, and a queue for each: in a large network a millisecond has much.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Agenda(Generic[T]):
    """Everything that is still to happen."""

    def __init__(self) -> None:
        self._times: list[int] = []
        self._due: dict[int, deque[T]] = {}

    def put(self, time_ms: int, entry: T) -> None:
        """Let something be due at a time."""
        self._at(time_ms).append(entry)

    def put_first(self, time_ms: int, entry: T) -> None:
        """Let something be due at a time, before all else that is."""
        self._at(time_ms).appendleft(entry)

    def _at(self, time_ms: int) -> deque[T]:
        due = self._due.get(time_ms)
        if due is None:
            due = self._due[time_ms] = deque()
            heapq.heappush(self._times, time_ms)
        return due

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


class Time:
    """The virtual time of a world, or of several that share it: whatever is due first, in any of them, happens first.

    What is due is a function; it returns whether something came of it.
    """

    def __init__(self, now_ms: int = 0) -> None:
        self.now_ms = now_ms
        self._agenda = Agenda[Callable[[], bool]]()

    def put(self, delay_ms: int, happen: Callable[[], bool]) -> None:
        """Let something be due after a delay."""
        self._agenda.put(self.now_ms + delay_ms, happen)

    def put_first(self, happen: Callable[[], bool]) -> None:
        """Let something happen now, before all else that is due."""
        self._agenda.put_first(self.now_ms, happen)

    def step(self, until_ms: int) -> bool:
        """Let the next thing happen; False if there is none up to this time."""
        while found := self._agenda.take(until_ms):
            self.now_ms, happen = found
            if happen():
                return True
        return False

    def run_for(self, ms: int) -> None:
        """Let time pass."""
        end = self.now_ms + ms
        while self.step(end):
            pass
        self.now_ms = end

    def run_until(self, condition: Callable[[], bool], within_ms: int) -> bool:
        """Let time pass until a condition holds; False if it does not within that many milliseconds."""
        end = self.now_ms + within_ms
        while not condition():
            if not self.step(end):
                self.now_ms = end
                return condition()
        return True
