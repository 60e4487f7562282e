"""Transactions that wait for a block, in the order they came. Bounded; a full list refuses, it never forgets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from minichain.errors import Refused
from minichain.ledger.types import Envelope

MAX_WAITING: Final = 20_000
MAX_WAITING_BYTES: Final = 32 * 1024 * 1024
MAX_WAITING_OF_ONE: Final = 2_000  # of one sender, so that nobody can fill the list alone


CONTAINER_BYTES: Final = 80  # of an empty list in memory: in a transaction it is one byte


def _room(envelope: Envelope) -> int:
    """Return about how many bytes of memory a waiting transaction takes."""
    return len(envelope.raw) + envelope.containers * CONTAINER_BYTES


class Mempool:
    """The waiting transactions of one node. Those of one sender follow each other by nonce."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, Envelope] = {}
        self._of_raw: dict[bytes, Envelope] = {}
        self._of_sender: dict[bytes, dict[int, bytes]] = {}  # sender -> nonce -> id
        self._of_expiry: dict[int, dict[bytes, None]] = {}  # last height -> ids
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Envelope]:
        return iter(self._waiting.values())

    def get(self, tx_id: bytes) -> Envelope | None:
        """Return a waiting transaction."""
        return self._waiting.get(tx_id)

    def find(self, raw: bytes) -> Envelope | None:
        """Return a waiting transaction by its bytes: that is quicker than to name it first."""
        return self._of_raw.get(raw)

    def first(self, most_bytes: int) -> tuple[Envelope, ...]:
        """Return the transactions that came first, up to a size."""
        chosen = []
        for envelope in self._waiting.values():
            most_bytes -= len(envelope.raw)
            if most_bytes < 0:
                break
            chosen.append(envelope)
        return tuple(chosen)

    def next_nonce(self, sender: bytes, account_nonce: int) -> int:
        """Return the nonce of a sender's next transaction, those that wait included."""
        waiting = self._of_sender.get(sender)
        return max(account_nonce, next(reversed(waiting)) + 1) if waiting else account_nonce

    def require_next(self, sender: bytes, nonce: int, account_nonce: int) -> None:
        """Raise `Refused` unless this is the nonce of the sender's next transaction."""
        waiting = self._of_sender.get(sender)
        expected = self.next_nonce(sender, account_nonce)
        if nonce != expected:
            raise Refused("wrong_nonce", f"nonce {nonce}, the sender's next is {expected}: sign it with that nonce")
        if waiting and len(waiting) >= MAX_WAITING_OF_ONE:
            raise Refused("full", f"{len(waiting)} transactions of this sender are waiting: send it again in a moment")

    def add(self, envelope: Envelope) -> None:
        """Put a checked transaction last; raises `Refused` if there is no room."""
        room = _room(envelope)
        if len(self._waiting) >= MAX_WAITING or self._bytes + room > MAX_WAITING_BYTES:
            raise Refused("full", "too many transactions are waiting: send it again in a moment")
        self._keep(envelope, room)

    def _keep(self, envelope: Envelope, room: int) -> None:
        body = envelope.body
        self._waiting[envelope.id] = self._of_raw[envelope.raw] = envelope
        self._of_sender.setdefault(body.sender, {})[body.nonce] = envelope.id
        self._of_expiry.setdefault(body.expires, {})[envelope.id] = None
        self._bytes += room

    def put_back(self, envelopes: Iterable[Envelope]) -> None:
        """Put transactions of blocks that were taken back before all others: they came first."""
        waiting = list(self._waiting.values())
        self._waiting, self._of_raw, self._of_sender, self._of_expiry, self._bytes = {}, {}, {}, {}, 0
        for envelope in [*envelopes, *waiting]:
            self._keep(envelope, _room(envelope))

    def remove(self, tx_ids: Iterable[bytes]) -> None:
        """Take out transactions that are final or can never be."""
        for tx_id in tx_ids:
            envelope = self._waiting.pop(tx_id, None)
            if envelope is None:
                continue
            body = envelope.body
            del self._of_raw[envelope.raw]
            _take_out(self._of_sender, body.sender, body.nonce)
            _take_out(self._of_expiry, body.expires, tx_id)
            self._bytes -= _room(envelope)

    def overtaken(self, sender: bytes, account_nonce: int) -> list[bytes]:
        """Return the waiting transactions of a sender whose nonce another one has used."""
        waiting = self._of_sender.get(sender, {})
        return [tx_id for nonce, tx_id in waiting.items() if nonce < account_nonce]

    def signed_otherwise(self, sender: bytes, key: bytes) -> list[bytes]:
        """Return the waiting transactions of a sender that another key has signed."""
        return [tx_id for tx_id in self._of_sender.get(sender, {}).values() if self._waiting[tx_id].body.key != key]

    def expired(self, height: int) -> list[bytes]:
        """Return the waiting transactions that no block from `height` on may hold."""
        return [tx_id for expires, tx_ids in self._of_expiry.items() if expires < height for tx_id in tx_ids]


def _take_out(table: dict[Any, dict[Any, Any]], key: Any, item: Any) -> None:
    items = table[key]
    del items[item]
    if not items:
        del table[key]
