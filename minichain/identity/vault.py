"""Personal data beside the chain: closed for those who may read, handed out against a recorded access, erasable.

What goes on the chain is a salted commitment. The salt is closed up with the data: as long as it is there, whoever may
read can check that the data are the ones that were registered; when it is destroyed, nobody can tell whose the
commitment was, not even by trying every value. The keeper of a vault holds closed records and no key to them.

Revoking does not reach into a head or a copy: who has read has read. It ends every further access, and the record is
closed anew under another key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any, Final, Protocol

from msgspec.structs import replace

from minichain.codec import Record, decode, encode
from minichain.crypto import DIGEST_SIZE, KEY_SIZE, KeyPair, Secret, commitment, decrypt, encrypt, public_of, seal
from minichain.errors import CredentialError, DecodeError

MAX_DATA: Final = 1 << 20

Random = Callable[[int], bytes]  # draws secret bytes
KeyOf = Callable[[str], bytes]  # which key a did has now; whoever stole an earlier one opens nothing that is closed now


class Content(Record):
    """What a record holds when it is open."""

    salt: bytes
    data: bytes

    @property
    def commitment(self) -> bytes:
        return commitment(self.salt, self.data)

    def __repr__(self) -> str:
        return "<content of a record>"  # no traceback shows it


class Stored(Record):
    """A closed record: the data under a key of its own, that key sealed for each reader, and what was handed out."""

    record: bytes
    closed: bytes
    boxes: dict[str, bytes]
    handed: tuple[int, ...] = ()


class Handed(Record):
    """What one reader gets: the closed data and the key to them, sealed for that reader alone."""

    record: bytes
    closed: bytes
    box: bytes


class Grants(Protocol):
    """What a vault asks the chain: the views of the system contract `grants`."""

    def entry(self, record: bytes, number: int) -> Mapping[str, Any]: ...
    def hindrance(self, record: bytes, party: str, purpose: str) -> str: ...


def pairwise(root: KeyPair, party: str, purpose: str, nonce: bytes = b"") -> KeyPair:
    """Derive the key that a person uses towards one party for one purpose, and nowhere else.

    Without the root nobody can tell that two such keys are one person's. With a `nonce` that is destroyed later, not
    even the person can find the key again, nor whoever takes the root away.
    """
    return KeyPair.derive(root.seed, f"pairwise {party} {purpose} {nonce.hex()}".rstrip())


def close(
    data: bytes, readers: Iterable[str], random: Random, salt: bytes = b"", *, key_of: KeyOf = public_of
) -> Stored:
    """Close data under a fresh key, sealed for each reader by did. A new salt is drawn unless one is given."""
    if len(data) > MAX_DATA:
        raise DecodeError(f"a record has at most {MAX_DATA} bytes, not {len(data)}")
    key, content = Secret(random(KEY_SIZE)), Content(salt or random(DIGEST_SIZE), data)
    boxes = {did: seal(key_of(did), key) for did in sorted(set(readers))}
    return Stored(content.commitment, encrypt(key, encode(content)), boxes)


def open_handed(handed: Handed, key: KeyPair) -> bytes:
    """Open what was handed out to this key, and check it against the commitment; raises `DecodeError`."""
    return _open(handed.record, handed.closed, handed.box, key).data


def _open(record: bytes, closed: bytes, box: bytes, key: KeyPair) -> Content:
    content = decode(decrypt(key.unseal(box), closed), Content)
    if content.commitment != record:
        raise DecodeError("these are not the data whose commitment is on the chain")
    return content


def _name(record: bytes) -> str:
    return f"records/{record.hex()}"


class Vault:
    """Closed records in the storage that it is given (on a disk, or in memory), by the commitment of each."""

    def __init__(self, storage: MutableMapping[str, bytes], grants: Grants) -> None:
        self._storage = storage
        self._grants = grants

    def keep(self, stored: Stored) -> None:
        """Take in a closed record, or the same one closed anew."""
        self._storage[_name(stored.record)] = encode(stored)

    def has(self, record: bytes) -> bool:
        """Tell whether a record is still here."""
        return _name(record) in self._storage

    def hand_out(self, record: bytes, number: int, to: str) -> Handed:
        """Hand out a record for one access that the chain has recorded and allowed, once; raises `CredentialError`.

        What was allowed and taken back since is not handed out: the chain is asked again.
        """
        entry = self._grants.entry(record, number)
        if not entry or entry["party"] != to:
            raise CredentialError("access", "no access by this party is recorded on the chain: record it first")
        if not entry["allowed"]:
            raise CredentialError("access", f"refused: {entry['why']}")
        if why := self._grants.hindrance(record, to, entry["purpose"]):
            raise CredentialError("access", f"allowed when it was recorded, but not any more: {why}")
        stored = self._stored(record)
        if number in stored.handed:
            raise CredentialError("access", "handed out for this access already: record another one")
        if to not in stored.boxes:
            raise CredentialError("access", "the record is not closed for this party: its subject has to do that")
        self.keep(replace(stored, handed=(*stored.handed, number)))
        return Handed(record, stored.closed, stored.boxes[to])

    def reseal(
        self, record: bytes, subject: KeyPair, readers: Iterable[str], random: Random, *, key_of: KeyOf = public_of
    ) -> None:
        """Close a record under another key, for these readers and its subject only; the subject's key opens it."""
        stored = self._stored(record)
        content = self._open_own(stored, subject)
        again = close(content.data, [*readers, subject.did], random, content.salt, key_of=key_of)
        self.keep(replace(again, handed=stored.handed))

    def open_own(self, record: bytes, subject: KeyPair) -> bytes:
        """Let a subject read its own record; that needs no grant and is no access by another."""
        return self._open_own(self._stored(record), subject).data

    def readers(self, record: bytes) -> tuple[str, ...]:
        """Return for whom a record is closed."""
        return tuple(sorted(self._stored(record).boxes))

    def erase(self, record: bytes) -> None:
        """Destroy a record with its salt and its keys."""
        self._stored(record)
        del self._storage[_name(record)]

    def _stored(self, record: bytes) -> Stored:
        found = self._storage.get(_name(record))
        if found is None:
            raise CredentialError("access", "this record is not in the vault: it was erased, or never kept here")
        return decode(found, Stored)

    def _open_own(self, stored: Stored, subject: KeyPair) -> Content:
        if subject.did not in stored.boxes:
            raise CredentialError("access", "this record is not closed for this subject")
        return _open(stored.record, stored.closed, stored.boxes[subject.did], subject)
