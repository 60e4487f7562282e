"""Who may ask a node, where a chain is read by its members and by whom they admit.

A connection proves a Curve25519 key; it is that of an account's present Ed25519 key, or that with which a member
certifies, which stays when its account gets another one. What the chain is, anybody is
told: whoever wants to be admitted must know what to ask for. Transactions and work, anybody brings: whether they may
write is checked with each of the first, and the second speaks for itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Final

from minichain.crypto import curve_public
from minichain.errors import DecodeError
from minichain.ledger.committee import Committee
from minichain.ledger.genesis import Genesis
from minichain.ledger.state import is_account_key, public_in, read_account
from minichain.node.messages import AskChain, ClientRequest, Failure, Offer, Submit

OPEN: Final = (AskChain, Submit, Offer)
NOT_A_READER: Final = Failure(
    "not_a_reader",
    "this chain is read by its members and by accounts that they admit: ask a member to admit your key "
    "(ledger.admit), and connect with it",
)


class Readers:
    """The keys of those who may read, as the state of accounts says."""

    def __init__(self, genesis: Genesis) -> None:
        self._is_closed = genesis.spec.access.reads == "members"
        self._reader: dict[bytes, bytes] = {}  # state key of an account that may read -> the key it connects with
        self._keys: Counter[bytes] = Counter()  # and of how many accounts that is the key

    def note(self, writes: Mapping[bytes, bytes | None]) -> None:
        """Let the accounts be as a block, or its undoing, leaves them."""
        if self._is_closed:
            for key, value in writes.items():
                if is_account_key(key):
                    self._note(key, value)

    def _note(self, key: bytes, value: bytes | None) -> None:
        self._keys[self._reader.pop(key, b"")] -= 1
        account = read_account(value)
        with suppress(DecodeError):  # a key that nobody can own reads nothing
            if account.may_write:
                self._reader[key] = curve_public(account.key or public_in(key))
                self._keys[self._reader[key]] += 1

    def may_ask(self, reader: bytes, body: ClientRequest, committee: Committee) -> bool:
        """Tell whether a connection's proven key (empty: none) may ask this."""
        if not self._is_closed or isinstance(body, OPEN) or self._keys[reader] > 0:
            return True
        return any(_connects_with(member.public) == reader for member in committee.members)


_connects_with = lru_cache(maxsize=1_024)(curve_public)
