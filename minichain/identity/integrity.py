"""Data Integrity proofs over JSON documents: the suite `eddsa-jcs-2022` (W3C, Data Integrity EdDSA Cryptosuites v1.0).

What is signed are two digests: of the proof's own options and of the document without it, each in RFC 8785. Any other
suite, purpose or kind of proof is refused by its name. One document carries one proof.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from minichain.crypto import KeyPair, base58, did_of, from_base58, is_valid_bare_signature, public_of
from minichain.errors import CredentialError, DecodeError, TheirFault
from minichain.identity.jcs import Json, canonical, copy

SUITE: Final = "eddsa-jcs-2022"
PURPOSES: Final = ("assertionMethod", "authentication")
_OPTIONS: Final = frozenset(
    {"@context", "type", "cryptosuite", "created", "verificationMethod", "proofPurpose", "challenge", "domain"}
)
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00Z")
_MS: Final = timedelta(milliseconds=1)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)

# Which key a did signs with at a time, in milliseconds since 1970; raises `TheirFault` if it has none then.
KeyAt = Callable[[str, int], bytes]


def did_key_at(did: str, _time_ms: int) -> bytes:
    """Return the key of a did:key, which never changes."""
    return public_of(did)


def read_time(text: object, name: str) -> int:
    """Read an XML dateTimeStamp as milliseconds since 1970; `name` says in errors what it is."""
    try:
        at = datetime.fromisoformat(text if isinstance(text, str) and _TIME.fullmatch(text) else "").astimezone(UTC)
    except (ValueError, OverflowError):  # no such day, or before year 1 or after 9999 in UTC
        raise DecodeError(
            f"{name} is a time with its zone, such as 2026-01-31T12:00:00Z, not {str(text)[:40]!r}"
        ) from None
    return (at - _EPOCH) // _MS


def write_time(time_ms: int) -> str:
    """Write milliseconds since 1970 as an XML dateTimeStamp, to the second."""
    return (_EPOCH + time_ms // 1000 * 1000 * _MS).strftime("%Y-%m-%dT%H:%M:%SZ")


def method_of(did: str, public: bytes) -> str:
    """Name the key that a did signs with: the fragment is the key itself, so a rotated one has another name."""
    return f"{did}#{did_of(public).removeprefix('did:key:')}"


def signer_of(method: object) -> tuple[str, bytes]:
    """Return the did and the key that a verification method names."""
    did, mark, fragment = method.partition("#") if isinstance(method, str) else ("", "", "")
    if not did.startswith("did:") or not mark:
        raise DecodeError(f"verificationMethod {str(method)[:80]!r} is not of the form did#key")
    return did, public_of(f"did:key:{fragment}")


def hash_data(document: Json, options: Json) -> bytes:
    """Return the 64 bytes that are signed: the digest of the options, then that of the document."""
    return sha256(canonical(options)).digest() + sha256(canonical(document)).digest()


def add_proof(document: Json, key: KeyPair, purpose: str, time_ms: int, did: str = "", **more: str) -> Json:
    """Return the document with a proof; `did` is whose key it is, if that is not the key's own did.

    `more` may be `challenge` and `domain`.
    """
    if "proof" in document:
        raise DecodeError("this document has a proof already: sign it without")
    method = method_of(did or key.did, key.public)
    options = {"type": "DataIntegrityProof", "cryptosuite": SUITE, "created": write_time(time_ms)}
    options |= {"verificationMethod": method, "proofPurpose": purpose, **more}
    own = copy(document)
    full = options | ({"@context": own["@context"]} if "@context" in own else {})
    value = "z" + base58(key.sign_bare(hash_data(own, full)))
    return {**own, "proof": {**full, "proofValue": value}}


def read_options(document: Json, purpose: str) -> Json:
    """Return the options of a document's proof; raises `DecodeError` naming what is not known here."""
    proof = document.get("proof")
    if not isinstance(proof, dict):
        kind = "several proofs (a set or chain)" if isinstance(proof, list) else "no proof"
        raise DecodeError(f"the document has {kind}: exactly one is read here")
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    if proof.get("type") != "DataIntegrityProof":
        raise DecodeError(
            f"the proof type {str(proof.get('type'))[:80]!r} is not known here, only 'DataIntegrityProof'"
        )
    if proof.get("cryptosuite") != SUITE:
        raise DecodeError(f"the suite {str(proof.get('cryptosuite'))[:80]!r} is not known here, only {SUITE!r}")
    if unknown := sorted(options.keys() - _OPTIONS):
        raise DecodeError(f"the proof option {unknown[0][:80]!r} is not known here")
    found = proof.get("proofPurpose")
    if found not in PURPOSES:
        raise DecodeError(f"the purpose {str(found)[:80]!r} is not known here, only {' and '.join(PURPOSES)}")
    if found != purpose:
        raise DecodeError(f"the proof was made for {found}, not for {purpose}")
    if "@context" in options and options["@context"] != document.get("@context"):
        raise DecodeError("the proof was made under another @context than the document has")
    return options


def check_proof(document: Json, purpose: str, key_at: KeyAt = did_key_at) -> tuple[str, int]:
    """Return who signed a document and when, as they say; raises `CredentialError` of the clause `signature`.

    A thief of an old key can write an old time: a verifier that fears this asks for the key of now, through `key_at`.
    """
    try:
        options = read_options(document, purpose)
        did, public = signer_of(options.get("verificationMethod"))
        created = read_time(options.get("created"), "the proof's created")
        value = document["proof"].get("proofValue")
        if not isinstance(value, str) or not value.startswith("z"):
            raise DecodeError("proofValue is multibase base58btc: it begins with z")
        signature = from_base58(value[1:])
        present = key_at(did, created)
    except TheirFault as error:
        raise CredentialError("signature", str(error)) from None
    if present != public:
        raise CredentialError("signature", f"{did} did not sign with this key at {write_time(created)}")
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    if not is_valid_bare_signature(public, hash_data(unsigned, options), signature):
        raise CredentialError("signature", f"it does not verify under {did_of(public)}: a byte was changed, or forged")
    return did, created
