"""Who waits for which transactions. Bounded: when too many are waited for, whoever has waited longest is sent away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from minichain.node.messages import Verdict

MAX_AWAITED: Final = 50_000  # transactions in all open requests together

Ticket = tuple[bytes, int]  # a client, and the number of its request


class Waiters:
    """Clients' open `Await` requests."""

    def __init__(self) -> None:
        self._open: dict[Ticket, dict[bytes, Verdict | None]] = {}  # in the order they came
        self._of: dict[bytes, dict[Ticket, None]] = {}
        self._missing: dict[Ticket, int] = {}
        self._awaited = 0

    def __len__(self) -> int:
        return len(self._open)

    def add(self, ticket: Ticket, verdicts: dict[bytes, Verdict | None]) -> None:
        """Let a client wait for those of these transactions whose verdict is None.

        A ticket that is open already stands for the new question only.
        """
        if ticket in self._open:
            self._forget(ticket)
        missing = [tx_id for tx_id, verdict in verdicts.items() if verdict is None]
        self._awaited += len(verdicts)
        self._open[ticket] = verdicts
        self._missing[ticket] = len(missing)
        for tx_id in missing:
            self._of.setdefault(tx_id, {})[ticket] = None

    def settle(self, verdicts: Iterable[Verdict]) -> Iterator[tuple[Ticket, tuple[Verdict, ...]]]:
        """Take verdicts; yield each ticket that waits for nothing more, with all of its verdicts."""
        for verdict in verdicts:
            for ticket in self._of.pop(verdict.tx_id, ()):
                self._open[ticket][verdict.tx_id] = verdict
                self._missing[ticket] -= 1
                if not self._missing[ticket]:
                    del self._missing[ticket]
                    settled = self._open.pop(ticket)
                    self._awaited -= len(settled)
                    yield ticket, tuple(filter(None, settled.values()))

    def send_away(self) -> Iterator[Ticket]:
        """Yield the tickets that are no longer waited on, because there are too many."""
        while self._awaited > MAX_AWAITED:
            ticket = next(iter(self._open))
            self._forget(ticket)
            yield ticket

    def _forget(self, ticket: Ticket) -> None:
        verdicts = self._open.pop(ticket)
        self._awaited -= len(verdicts)
        del self._missing[ticket]
        for tx_id, verdict in verdicts.items():
            if verdict is None:
                self._of[tx_id].pop(ticket)
                if not self._of[tx_id]:
                    del self._of[tx_id]
