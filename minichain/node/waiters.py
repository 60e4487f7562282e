"""Who waits for which transactions. Bounded: when too many are waited for, whoever has waited longest is sent away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from minichain.node.messages import Verdict

MAX_AWAITED: Final = 50_000

Ticket = tuple[bytes, int]  # a client, and the number of its request


class Waiters:
    """Clients' open `Await` requests."""

    def __init__(self) -> None:
        self._open: dict[Ticket, dict[bytes, Verdict | None]] = {}  # in the order they came
        self._of: dict[bytes, list[Ticket]] = {}
        self._missing: dict[Ticket, int] = {}

    def add(self, ticket: Ticket, verdicts: dict[bytes, Verdict | None]) -> None:
        """Let a client wait for those of these transactions whose verdict is None."""
        missing = [tx_id for tx_id, verdict in verdicts.items() if verdict is None]
        self._open[ticket] = verdicts
        self._missing[ticket] = len(missing)
        for tx_id in missing:
            self._of.setdefault(tx_id, []).append(ticket)

    def settle(self, verdicts: Iterable[Verdict]) -> Iterator[tuple[Ticket, tuple[Verdict, ...]]]:
        """Take verdicts; yield each ticket that waits for nothing more, with all of its verdicts."""
        for verdict in verdicts:
            for ticket in self._of.pop(verdict.tx_id, ()):
                self._open[ticket][verdict.tx_id] = verdict
                self._missing[ticket] -= 1
                if not self._missing[ticket]:
                    del self._missing[ticket]
                    yield ticket, tuple(filter(None, self._open.pop(ticket).values()))

    def send_away(self) -> Iterator[Ticket]:
        """Yield the tickets that are no longer waited on, because there are too many."""
        while len(self._of) > MAX_AWAITED:
            ticket = next(iter(self._open))
            for tx_id in self._open.pop(ticket):
                tickets = self._of.get(tx_id, [])
                if ticket in tickets:
                    tickets.remove(ticket)
                    if not tickets:
                        del self._of[tx_id]
            del self._missing[ticket]
            yield ticket
