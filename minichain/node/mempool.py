"""Transactions that wait for a block, in the order they came. Bounded; a full list refuses, it never forgets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from minichain.errors import Refused
from minichain.ledger.types import Envelope

MAX_WAITING: Final = 20_000
MAX_WAITING_BYTES: Final = 32 * 1024 * 1024
MAX_WAITING_OF_ONE: Final = 2_000  # of one sender, so that nobody can fill the list alone


class Mempool:
    """The waiting transactions of one node."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, Envelope] = {}
        self._next: dict[bytes, int] = {}  # sender -> the nonce after its last waiting transaction
        self._of_sender: dict[bytes, int] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, tx_id: bytes) -> bool:
        return tx_id in self._waiting

    def __iter__(self) -> Iterator[Envelope]:
        return iter(self._waiting.values())

    def get(self, tx_id: bytes) -> Envelope | None:
        """Return a waiting transaction."""
        return self._waiting.get(tx_id)

    def expected_nonce(self, sender: bytes, account_nonce: int) -> int:
        """Return the nonce of the sender's next transaction, those that wait included."""
        return max(account_nonce, self._next.get(sender, 0))

    def add(self, envelope: Envelope, account_nonce: int) -> None:
        """Put a checked transaction last; raises `Refused` if its nonce does not follow, or there is no room."""
        sender, nonce = envelope.body.sender, envelope.body.nonce
        expected = self.expected_nonce(sender, account_nonce)
        if nonce != expected:
            raise Refused("wrong_nonce", f"nonce {nonce}, the sender's next is {expected}: sign it with that nonce")
        full = len(self._waiting) >= MAX_WAITING or self.bytes + len(envelope.raw) > MAX_WAITING_BYTES
        if full or self._of_sender.get(sender, 0) >= MAX_WAITING_OF_ONE:
            raise Refused("full", "too many transactions are waiting: send it again in a moment")
        self._waiting[envelope.id] = envelope
        self._next[sender] = nonce + 1
        self._of_sender[sender] = self._of_sender.get(sender, 0) + 1
        self.bytes += len(envelope.raw)

    def remove(self, tx_ids: Iterable[bytes]) -> None:
        """Take out transactions that are final or can never be."""
        for tx_id in tx_ids:
            envelope = self._waiting.pop(tx_id, None)
            if envelope is None:
                continue
            sender = envelope.body.sender
            self.bytes -= len(envelope.raw)
            self._of_sender[sender] -= 1
            if not self._of_sender[sender]:
                del self._of_sender[sender], self._next[sender]
