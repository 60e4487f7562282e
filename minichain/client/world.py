"""What a network needs of the world it runs in. Both worlds, and a network that somebody else started, have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from minichain.client.client import Channel
from minichain.faults.timeline import Step
from minichain.ledger.genesis import Genesis


class World(Protocol):
    """A running network, seen from outside the nodes."""

    genesis: Genesis

    @property
    def machines(self) -> Mapping[str, bytes]:
        """Return the validators whose machines are here, by name: their public keys."""

    @property
    def root(self) -> bytes:
        """Return the secret that the network's wallets are derived from."""

    def start(self) -> Channel:
        """Start it and return how to reach its nodes."""

    def fault(self, step: Step) -> None:
        """Let something happen to it, as a line of a timeline says."""

    def join(self, name: str) -> None:
        """Let one more validator run this chain."""

    def leave(self, name: str) -> None:
        """Let a validator run this chain no longer."""

    def pass_time(self, ms: int) -> None: ...

    def is_running(self, name: str) -> bool:
        """Tell whether a node's machine is on."""

    def memory(self, name: str) -> int | None:
        """Return how many bytes of memory a node uses, if it has a process of its own."""

    def close(self) -> None:
        """Stop what `start` started."""
