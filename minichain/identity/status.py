"""Whether a credential was revoked or suspended: W3C Bitstring Status List v1.0, and the same bits kept on a chain.

A list has at least 131,072 places, and an issuer draws each credential's place at random, so that neighbours tell
nothing. A set bit says that something was revoked, never what: only who has the credential knows its place.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Container, Mapping
from contextlib import suppress
from typing import Final

from minichain.codec import Plain
from minichain.errors import CredentialError, DecodeError
from minichain.identity.base64url import from_text, to_text
from minichain.identity.jcs import Json

SIZE: Final = 131_072  # places of a list: the least that the standard allows
MAX_BYTES: Final = 1 << 20  # of a list from outside, unpacked
CHUNK_BITS: Final = 256  # of one stored value of the contract `status`
MAX_DIGITS: Final = 9  # of a place, and of a list's number on a chain
PURPOSES: Final = ("revocation", "suspension")
_ENTRY: Final = frozenset({"id", "type", "statusPurpose", "statusListIndex", "statusListCredential"})


class Entry(Plain):
    """Where a credential's status is: a place of a list, for one purpose."""

    list: str
    index: int
    purpose: str


def write_entry(entry: Entry) -> Json:
    """Return the credentialStatus of a credential."""
    return {
        "type": "BitstringStatusListEntry",
        "statusPurpose": entry.purpose,
        "statusListIndex": str(entry.index),
        "statusListCredential": entry.list,
    }


def read_entry(status: object) -> Entry:
    """Read one credentialStatus; raises `DecodeError` naming what is not known here."""
    if not isinstance(status, dict) or status.get("type") != "BitstringStatusListEntry":
        kind = status.get("type") if isinstance(status, dict) else status
        raise DecodeError(f"the status type {str(kind)[:80]!r} is not known here, only 'BitstringStatusListEntry'")
    if unknown := sorted(status.keys() - _ENTRY):
        raise DecodeError(f"the status property {unknown[0][:80]!r} is not known here")
    purpose, index, where = (status.get(name) for name in ("statusPurpose", "statusListIndex", "statusListCredential"))
    if purpose not in PURPOSES:
        raise DecodeError(f"the status purpose {str(purpose)[:80]!r} is not known here, only {' and '.join(PURPOSES)}")
    if not isinstance(index, str) or not index.isascii() or not index.isdecimal() or len(index) > MAX_DIGITS:
        raise DecodeError(f"statusListIndex is a number in text, not {str(index)[:80]!r}")
    if not isinstance(where, str) or not where:
        raise DecodeError("statusListCredential names the list")
    return Entry(where, int(index), purpose)


def draw_index(randbelow: Callable[[int], int], taken: Container[int], size: int = SIZE) -> int:
    """Draw a free place; `randbelow(n)` draws a number below n. The issuer keeps which places are taken."""
    while (index := randbelow(size)) in taken:
        pass
    return index


def is_set(bits: bytes, index: int) -> bool:
    """Tell a bit of a list: place 0 is the highest bit of the first byte."""
    if index >= len(bits) * 8:
        raise CredentialError("status", f"the list has {len(bits) * 8} places, and no place {index}")
    return bool(bits[index // 8] & 0x80 >> index % 8)


def judge(entry: Entry, is_on: bool, source: str) -> str:
    """Say what a bit means; raises `CredentialError` if it is set."""
    word = "revoked" if entry.purpose == "revocation" else "suspended"
    if is_on:
        raise CredentialError("status", f"{word}, by place {entry.index} of {source}")
    return f"not {word}, by place {entry.index} of {source}"


# --- the standard's own form -------------------------------------------------------------------------------------


def encode(bits: bytes) -> str:
    """Write a list as `encodedList`: packed with GZIP, in multibase base64url."""
    if len(bits) * 8 < SIZE:
        raise DecodeError(f"a status list has at least {SIZE} places, not {len(bits) * 8}: no smaller crowd hides one")
    return "u" + to_text(gzip.compress(bits, mtime=0))


def decode(text: object) -> bytes:
    """Read an `encodedList`; raises `DecodeError` for one that is too short, or larger than it may become."""
    if not isinstance(text, str) or not text.startswith("u"):
        raise DecodeError("encodedList is multibase base64url: it begins with u")
    unpack = zlib.decompressobj(wbits=31)
    packed = from_text(text[1:])
    try:
        bits = unpack.decompress(packed, MAX_BYTES + 1)
    except zlib.error as error:
        raise DecodeError(f"encodedList cannot be unpacked: {error}") from None
    if not unpack.eof or len(bits) > MAX_BYTES or len(bits) * 8 < SIZE:
        raise DecodeError(f"an encodedList has {SIZE} to {MAX_BYTES * 8} places")
    return bits


def list_subject(where: str, purpose: str, bits: bytes) -> Json:
    """Return the credentialSubject of a BitstringStatusListCredential, for its issuer to sign."""
    return {
        "id": f"{where}#list",
        "type": "BitstringStatusList",
        "statusPurpose": purpose,
        "encodedList": encode(bits),
    }


def read_lists(subjects: Mapping[str, Json]) -> Callable[[Entry], str]:
    """Read statuses from list credentials that were verified: name of a list -> its credentialSubject."""

    def read(entry: Entry) -> str:
        subject = subjects.get(entry.list)
        if subject is None or subject.get("type") != "BitstringStatusList":
            raise CredentialError("status", f"there is no verified status list {entry.list}")
        if subject.get("statusPurpose") != entry.purpose:
            raise CredentialError("status", f"{entry.list} is a list for {subject.get('statusPurpose')}")
        try:
            bits = decode(subject.get("encodedList"))
        except DecodeError as error:
            raise CredentialError("status", str(error)) from None
        return judge(entry, is_set(bits, entry.index), entry.list)

    return read


# --- the same on a chain -----------------------------------------------------------------------------------------


def chain_list(genesis: bytes, contract: str, number: int) -> str:
    """Name a list that a contract of a chain keeps."""
    return f"urn:minichain:{genesis.hex()}:{contract}:{number}"


def read_chain_list(name: str) -> tuple[bytes, str, int]:
    """Return genesis hash, contract and number of such a name; raises `CredentialError` for another spelling, too."""
    match name.split(":"):
        case ["urn", "minichain", genesis, contract, number] if len(number) <= MAX_DIGITS:
            with suppress(ValueError):
                found = bytes.fromhex(genesis), contract, int(number)
                if chain_list(*found) == name:
                    return found
    raise CredentialError("status", f"{name[:120]!r} is no status list of a chain")
