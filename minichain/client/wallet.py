"""A wallet: a name for people, and the key pair behind it."""

from __future__ import annotations

from minichain.crypto import KeyPair
from minichain.ledger.local import wallet_key


class Wallet:
    """Somebody who can sign."""

    __slots__ = ("key", "name")

    def __init__(self, name: str, key: KeyPair) -> None:
        self.name = name
        self.key = key

    @classmethod
    def derive(cls, root: bytes, name: str) -> Wallet:
        """Make the wallet that belongs to a name under a network's root secret."""
        return cls(name, wallet_key(root, name))

    @property
    def did(self) -> str:
        """Return the account, as a did:key."""
        return self.key.did

    def __repr__(self) -> str:
        return f"<Wallet {self.name}: {self.did}>"
