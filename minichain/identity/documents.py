"""DID documents (W3C DID Core 1.0) of accounts. An account is a `did:key`; without a record on the chain its document
is the one that the method did:key gives, and with one its key is the present key of that record.

A record is one stored value of the system contract `identity`: version 1, 2, ... of a did. Version n is the present one
as long as version n + 1 is absent, and a state proof shows both.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from minichain.codec import Plain, decode_own
from minichain.crypto import base58, curve_public, public_of
from minichain.errors import DecodeError
from minichain.ledger.state import data_key

CONTEXTS: Final = ("https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1")
MEDIA_TYPE: Final = "application/did+ld+json"
CONTRACT: Final = "identity"
PURPOSES: Final = ("authentication", "assertionMethod", "capabilityInvocation", "capabilityDelegation")
_X25519_MULTICODEC: Final = b"\xec\x01"


class KeyRecord(Plain, forbid_unknown_fields=False):
    """One version of what the chain keeps of a did. Times in milliseconds; `services` are [name, type, address]."""

    version: int
    kind: str
    key: str
    controller: str
    name: str
    services: tuple[tuple[str, str, str], ...]
    since: int
    time: int
    created: int
    created_time: int
    deactivated: bool


def first_record(did: str) -> KeyRecord:
    """Return the record of a did that no chain has spoken of; raises `DecodeError` if it is not an Ed25519 did:key."""
    public_of(did)
    return KeyRecord(0, "person", did, did, "", (), 0, 0, 0, 0, deactivated=False)


def record_key(did: str, version: int) -> bytes:
    """Return the state key of a version of a did's record."""
    return data_key(CONTRACT, "versions", "=", [did, version])


def read_record(value: bytes) -> KeyRecord:
    """Read a stored record; raises `DecodeError` for what no contract `identity` has stored."""
    try:
        return decode_own(value, KeyRecord)
    except (msgspec.MsgspecError, UnicodeError):
        raise DecodeError("this is no record of a did: ask another node") from None


def agreement_key(did: str) -> str:
    """Return the X25519 key of an Ed25519 did:key, as a multibase key."""
    return "z" + base58(_X25519_MULTICODEC + curve_public(public_of(did)))


def document(did: str, record: KeyRecord) -> dict[str, Any]:
    """Return the DID document; that of a deactivated did holds nothing but its name."""
    written: dict[str, Any] = {"@context": list(CONTEXTS), "id": did}
    if record.deactivated:
        return written
    key, agreement = record.key.removeprefix("did:key:"), agreement_key(record.key)
    if record.controller != did:
        written["controller"] = record.controller
    written["verificationMethod"] = [_method(did, key)]
    written |= {purpose: [f"{did}#{key}"] for purpose in PURPOSES}
    written["keyAgreement"] = [_method(did, agreement)]
    if record.services:
        written["service"] = [
            {"id": f"{did}#{name}", "type": kind, "serviceEndpoint": address} for name, kind, address in record.services
        ]
    return written


def _method(did: str, key: str) -> dict[str, str]:
    return {"id": f"{did}#{key}", "type": "Multikey", "controller": did, "publicKeyMultibase": key}


def metadata(record: KeyRecord, following: KeyRecord | None = None) -> dict[str, Any]:
    """Return the document's metadata; `following` is the version after this one, where there is one."""
    told: dict[str, Any] = {"versionId": str(record.version), "deactivated": record.deactivated}
    if record.version:
        told |= {"created": _written(record.created_time), "createdHeight": record.created}
        told |= {"updated": _written(record.time), "updatedHeight": record.since}
    if following is not None:
        told |= {"nextUpdate": _written(following.time), "nextVersionId": str(following.version)}
    return told


def _written(time_ms: int) -> str:
    """Write a time as DID Core wants it: UTC, to the second."""
    return datetime.fromtimestamp(time_ms // 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
