"""The state of the ledger: canonical keys and values, a write buffer with checkpoints, and one root.

Every key is the canonical encoding of a list whose first item names its kind, so no two kinds can collide and any
key can be read back. A block is executed in an `Overlay`; nothing reaches `State` until the block is final.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from msgspec.structs import replace

from minichain.codec import Record, decode_own, encode
from minichain.ledger.committee import Committee, committee_at
from minichain.merkle import StateProof, StateTree

Writes = dict[bytes, bytes | None]  # net changes: key -> new value, or None where the key is removed
_ABSENT: Final = object()
NO_KEY: Final = bytes(32)  # a point of small order: no signature is valid under it


class Account(Record):
    """What the ledger keeps of one account.

    `nonce` is the number of transactions so far. `gas_used` was used in quota window number `window`. `may_write`
    matters on chains that only members, and whom they admit, may write on or read. `key` is the present key, where it
    is not the first one, after which the account is named; `NO_KEY` where nobody may sign for it any more.
    """

    nonce: int = 0
    balance: int = 0
    window: int = 0
    gas_used: int = 0
    may_write: bool = False
    key: bytes = b""


_ACCOUNT_PREFIX: Final = encode(["account", bytes(32)])[:-32]


def account_key(public: bytes) -> bytes:
    """Return the state key of an account: the encoding of ["account", public]."""
    return _ACCOUNT_PREFIX + public if len(public) == 32 else encode(["account", public])


def contract_key(name: str) -> bytes:
    """Return the state key of a deployed contract."""
    return encode(["contract", name])


def data_key(contract: str, field: str, *path: Any) -> bytes:
    """Return the state key of one stored value of a contract."""
    return encode(["data", contract, field, *path])


_CONTRACT_PREFIX: Final = contract_key("")[:-1]


@lru_cache(maxsize=4_096)  # a sender's next transaction finds what the last one left
def read_account(value: bytes | None) -> Account:
    """Read the stored value of an account; one that was never used has the values of a new one."""
    return Account() if value is None else decode_own(value, Account)


def is_account_key(key: bytes) -> bool:
    """Tell whether a state key is that of an account."""
    return key.startswith(_ACCOUNT_PREFIX)


def public_in(key: bytes) -> bytes:
    """Return the public key in the state key of an account."""
    return key[len(_ACCOUNT_PREFIX) :]


def name_of_contract(key: bytes) -> str | None:
    """Return the name in the state key of a deployed contract; None for every other key."""
    return decode_own(key, tuple[str, str])[1] if key.startswith(_CONTRACT_PREFIX) else None


COMMITTEE_KEY: Final = encode(["committee"])  # the terms of committees: the present one and those to come
TREASURY_KEY: Final = encode(["treasury"])  # fees collected so far, so that no unit is ever lost
BURNT_KEY: Final = encode(["burnt"])  # units destroyed so far: those there are and these together never change


class Overlay:
    """A write buffer over values that somebody else keeps, with checkpoints.

    Every transaction changes accounts, a sender's next one the same again: they are encoded when all is done.
    """

    __slots__ = ("_accounts", "_read", "_undo", "_values")

    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        self._read = read
        self._values: Writes = {}
        self._accounts: dict[bytes, Account] = {}
        self._undo: list[tuple[dict[bytes, Any], bytes, Any]] = []

    @property
    def writes(self) -> Writes:
        """Return all net changes, those of accounts included."""
        accounts = {account_key(public): encode(account) for public, account in self._accounts.items()}
        return self._values | accounts

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key, or None. Of an account, `account` tells."""
        values = self._values
        return values[key] if key in values else self._read(key)

    def put(self, key: bytes, value: bytes | None) -> None:
        """Write a value; None removes the key."""
        values = self._values
        self._undo.append((values, key, values.get(key, _ABSENT)))
        values[key] = value

    def checkpoint(self) -> int:
        """Return a mark that `rollback` can return to."""
        return len(self._undo)

    def rollback(self, mark: int) -> None:
        """Undo every write since the mark."""
        while len(self._undo) > mark:
            table, key, before = self._undo.pop()
            if before is _ABSENT:
                del table[key]
            else:
                table[key] = before

    def account(self, public: bytes) -> Account:
        """Return an account."""
        return self._accounts.get(public) or read_account(self._read(account_key(public)))

    def put_account(self, public: bytes, account: Account) -> None:
        """Write an account."""
        accounts = self._accounts
        self._undo.append((accounts, public, accounts.get(public, _ABSENT)))
        accounts[public] = account

    def add_units(self, public: bytes, amount: int) -> None:
        """Give units to an account, or, below zero, take them; whether it has them, the caller has asked."""
        account = self.account(public)
        self.put_account(public, replace(account, balance=account.balance + amount))


class State:
    """The committed values and the tree that commits to them."""

    __slots__ = ("tree", "values")

    def __init__(self, items: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self.values: dict[bytes, bytes] = dict(items)
        self.tree = StateTree().update(self.values)

    @property
    def root(self) -> bytes:
        return self.tree.root

    def committee(self, height: int) -> Committee:
        """Return the committee that certifies the block of a height, as far as this state knows."""
        return committee_at(self.values[COMMITTEE_KEY], height)

    def overlay(self) -> Overlay:
        """Open a write buffer on top of the committed values."""
        return Overlay(self.values.get)

    def commit(self, writes: Mapping[bytes, bytes | None], tree: StateTree) -> None:
        """Make the outcome of a block the committed state; `tree` is this state's tree after `writes`."""
        for key, value in writes.items():
            if value is None:
                self.values.pop(key, None)
            else:
                self.values[key] = value
        self.tree = tree

    def prove(self, key: bytes) -> tuple[bytes | None, StateProof]:
        """Return the value of a key and its proof under `root`."""
        return self.values.get(key), self.tree.prove(key)
