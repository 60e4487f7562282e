"""Between a node and its sockets: what its owner wants to happen to a message happens here, at its sender.

So no root, no proxy and no second process is needed. Messages to somebody who is in no timeline, such as a member that
joined later, pass unharmed.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Mapping
from random import Random
from typing import Final

from minichain.faults.adversaries import Adversary
from minichain.faults.network import Conditions, Link, Network, Weather
from minichain.live.transport import Transport

MAX_DELAYED: Final = 10_000  # messages under way; what comes on top is lost
PLAIN: Final = Conditions()


class Wire:
    """One node's way to the others. `names` are theirs, by key."""

    def __init__(self, transport: Transport, name: str, names: Mapping[bytes, str]) -> None:
        self._transport = transport
        self._name = name
        self._names = names
        self._delayed: list[tuple[float, int, bytes, bytes]] = []
        self._sequence = 0
        self.adversary: Adversary | None = None
        self.begin(0)

    def begin(self, seed: int) -> None:
        """Draw anew from a seed; marks of single messages are gone."""
        self._random = Random(f"{seed} {self._name}")
        self._network = Network(Weather(0, 0), self._random)
        self._has_marks = False
        self._is_plain = True

    def take(self, conditions: Conditions) -> None:
        """Let messages fare so from now on; those under way arrive as they would have."""
        self._network.take(conditions)
        self._is_plain = conditions == PLAIN and not self._has_marks

    def mark(self, which: int, hold_ms: int | None, links: list[Link]) -> None:
        """Lose or hold back a single message."""
        self._network.mark(which, hold_ms, links)
        self._has_marks, self._is_plain = True, False

    def broadcast(self, data: bytes) -> None:
        """Send to every other member."""
        for peer in self._transport.peers:
            self.send(peer, data)

    def send(self, peer: bytes, data: bytes) -> None:
        """Send to a member, as well as the weather and this node's character allow."""
        receiver = self._names.get(peer)
        if receiver is None or (self._is_plain and self.adversary is None):
            self._transport.send(peer, data)
            return
        for said in self.adversary(receiver, data, self._random) if self.adversary else (data,):
            for delay_ms, arrived in self._network.carry(self._name, receiver, said):
                self._post(peer, arrived, delay_ms)

    def _post(self, peer: bytes, data: bytes, delay_ms: int) -> None:
        if not delay_ms:
            self._transport.send(peer, data)
        elif len(self._delayed) < MAX_DELAYED:
            self._sequence += 1
            heapq.heappush(self._delayed, (time.monotonic() + delay_ms / 1000, self._sequence, peer, data))
        else:
            self._transport.counts["dropped"] += 1

    @property
    def next_s(self) -> float | None:
        """Return when the next delayed message is due, by the monotonic clock."""
        return self._delayed[0][0] if self._delayed else None

    def flush(self) -> None:
        """Send what is due."""
        while self._delayed and self._delayed[0][0] <= time.monotonic():
            _, _, peer, data = heapq.heappop(self._delayed)
            self._transport.send(peer, data)
