"""What a node has refused, and what it will refuse once that is final.

A chain of work may change its mind: a transaction that one branch has no place for may find it in another. So it is
set aside, and refused only when a block that is final leaves it no place. Bounded: the oldest is forgotten first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from minichain.errors import Refused
from minichain.ledger.types import Envelope, Transaction

MAX_REFUSALS: Final = 10_000  # remembered, so that whoever waits for one of them is answered

Refusal = tuple[bytes, Refused]  # a transaction's id, and why


class Refusals:
    """The refused transactions of one node, and those set aside, oldest first."""

    def __init__(self) -> None:
        self._known: dict[bytes, Refused] = {}
        self._aside: dict[bytes, tuple[Envelope, Refused]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def get(self, tx_id: bytes) -> Refused | None:
        """Return why a transaction was refused here; it may have become final elsewhere."""
        return self._known.get(tx_id)

    def remember(self, refusal: Refusal) -> None:
        """Keep a refusal for whoever asks for it later."""
        tx_id, why = refusal
        self._known[tx_id] = why
        if len(self._known) > MAX_REFUSALS:
            del self._known[next(iter(self._known))]

    def forget(self, tx_id: bytes) -> None:
        """Let go of a refusal: the transaction has found a place after all."""
        self._known.pop(tx_id, None)

    @property
    def aside(self) -> int:
        """Return how many transactions are set aside."""
        return len(self._aside)

    def set_aside(self, doomed: Iterable[tuple[Envelope, Refused]]) -> list[Refusal]:
        """Keep transactions until it is final that they have no place; return those there is no room for."""
        self._aside |= {envelope.id: (envelope, why) for envelope, why in doomed}
        surplus = list(self._aside)[: max(0, len(self._aside) - MAX_REFUSALS)]
        return [(tx_id, self._aside.pop(tx_id)[1]) for tx_id in surplus]

    def take_final(
        self,
        held: Iterable[Transaction],
        rekeyed: Mapping[bytes, bytes],
        height: int,
        is_kept: Callable[[bytes], bool],
    ) -> list[Refusal]:
        """Take out whom a block that is final now, and holds these, has left no place; return who is refused.

        It has changed the keys of the accounts in `rekeyed`. Those that are `is_kept` in a block have found a place.
        """
        used = {body.sender: body.nonce for body in held}
        found: list[Refusal] = []
        for tx_id, (envelope, why) in list(self._aside.items()):
            body, has_place = envelope.body, is_kept(tx_id)
            is_signed = rekeyed.get(body.sender, body.key) == body.key
            if not has_place and is_signed and body.nonce > used.get(body.sender, -1) and body.expires > height:
                continue
            del self._aside[tx_id]
            found += [] if has_place else [(tx_id, why)]
        return found
