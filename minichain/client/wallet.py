"""A wallet: a name for people, an account, and the key pair that signs for it now.

The account is named after its first key. When its key changes there is a new wallet of the same account.
"""

from __future__ import annotations

from pathlib import Path

from minichain.crypto import KeyPair, Passphrase, did_of, public_of
from minichain.ledger.local import wallet_key
from minichain.live import keyfile


class Wallet:
    """Somebody who can sign."""

    __slots__ = ("account", "key", "name")

    def __init__(self, name: str, key: KeyPair, account: bytes | None = None) -> None:
        self.name = name
        self.key = key
        self.account = key.public if account is None else account

    @classmethod
    def derive(cls, root: bytes, name: str) -> Wallet:
        """Make the wallet that belongs to a name under a network's root secret."""
        return cls(name, wallet_key(root, name))

    @classmethod
    def load(cls, path: Path, passphrase: str | Passphrase) -> Wallet:
        """Read a wallet from an encrypted key file; raises `DecodeError` for a wrong passphrase or a damaged file."""
        passphrase = Passphrase(passphrase)  # from here on a traceback that shows variables does not show it
        held = keyfile.load(path, keyfile.require_passphrase(passphrase))
        return cls(held.name, held.key, public_of(held.account))

    def save(self, path: Path, passphrase: str | Passphrase) -> None:
        """Write an encrypted key file that only its owner may read; raises `UsageError` if there is a file already."""
        passphrase = Passphrase(passphrase)
        keyfile.save(path, keyfile.Held(self.name, self.did, self.key), keyfile.require_passphrase(passphrase))

    @property
    def did(self) -> str:
        """Return the account, as a did:key."""
        return did_of(self.account)

    @property
    def signing_key(self) -> bytes:
        """Return what a transaction names as its `key`: empty while the account has its first one."""
        return b"" if self.key.public == self.account else self.key.public

    def __repr__(self) -> str:
        return f"<Wallet {self.name}: {self.did}>"
