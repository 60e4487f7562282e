"""What the registration desk keeps beside the chain: who gave which consent, under the commitment that stands there.

When a resident withdraws, the record is destroyed with its salt: after that nobody can tell whose account it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Final

from minichain.crypto import DIGEST_SIZE, KeyPair, commitment
from minichain.errors import UsageError
from minichain.identity.jcs import canonical, parse_object
from minichain.identity.vault import pairwise

PURPOSE: Final = "contribution-points"


def pseudonym(root: KeyPair, owner: str) -> KeyPair:
    """Derive the key with which a resident takes part in the scheme of this owner (a did), and in no other."""
    return pairwise(root, owner, PURPOSE)


class Consents:
    """Consents in the storage that is handed in; `random(n)` draws n secret bytes."""

    def __init__(self, storage: MutableMapping[str, bytes], random: Callable[[int], bytes]) -> None:
        self._storage, self._random = storage, random

    def keep(self, person: Mapping[str, Any]) -> str:
        """Keep what a person has signed; returns the commitment, in 64 hex digits."""
        salt, data = self._random(DIGEST_SIZE), canonical(dict(person))
        named = commitment(salt, data).hex()
        self._storage[named] = salt + data
        return named

    def read(self, consent: str) -> dict[str, Any]:
        """Return what is kept under a commitment; raises `UsageError` after it was erased."""
        return parse_object(self._found(consent)[DIGEST_SIZE:], "a consent")

    def erase(self, consent: str) -> None:
        """Destroy what is kept, and the salt with it."""
        self._found(consent)
        del self._storage[consent]

    def _found(self, consent: str) -> bytes:
        if consent not in self._storage:
            raise UsageError("nothing is kept under this consent: it was erased, or never given here")
        return self._storage[consent]
