"""Verifiable Credentials (W3C, VC Data Model 2.0) with Data Integrity proofs: issue, present, verify.

Nothing is fetched: contexts, types of status and properties that are not known here are refused by name. A verifier
brings its own clock, its own list of whom it trusts for what, and its own way to read a status, and gets a `Report`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from minichain.codec import Plain
from minichain.crypto import KeyPair
from minichain.errors import CredentialError, DecodeError
from minichain.identity.clauses import Checklist, Report
from minichain.identity.integrity import KeyAt, add_proof, check_proof, did_key_at, read_time, write_time
from minichain.identity.jcs import Json, canonical, copy
from minichain.identity.status import Entry, read_entry

BASE: Final = "https://www.w3.org/ns/credentials/v2"
OWN: Final = "urn:minichain:credentials:v1"  # our own types of credentials
CONTEXTS: Final = frozenset({BASE, "https://www.w3.org/ns/credentials/examples/v2", OWN})
CREDENTIAL: Final = "VerifiableCredential"
PRESENTATION: Final = "VerifiablePresentation"
PROPERTIES: Final = frozenset(
    {"@context", "id", "type", "name", "description", "issuer", "validFrom", "validUntil"}
    | {"credentialSubject", "credentialStatus", "proof"}
)
PRESENTED: Final = frozenset({"@context", "id", "type", "holder", "verifiableCredential", "proof"})
MAX_CREDENTIALS: Final = 16  # in one presentation

# (issuer, type of credential, time) -> why it is trusted, in words; raises `CredentialError` if it is not.
Trust = Callable[[str, str, int], str]
# A status entry -> what was read, in words; raises `CredentialError` if the bit is set or cannot be read.
ReadStatus = Callable[[Entry], str]


class Verifier(Plain):
    """What somebody goes by who checks credentials: the time and whose clock that is, whom they trust, how they read a
    status (None: they cannot), and which key belongs to a did at a time.
    """

    now_ms: int
    clock: str
    trust: Trust
    read_status: ReadStatus | None = None
    key_at: KeyAt = did_key_at


def trust_list(issuers: Mapping[str, Collection[str]]) -> Trust:
    """Trust the issuers of a list of one's own: type -> dids."""

    def trust(issuer: str, kind: str, _now_ms: int) -> str:
        if issuer not in issuers.get(kind, ()):
            raise CredentialError("issuer", f"{issuer} is not on the verifier's list for {kind}")
        return f"{issuer} is on the verifier's list for {kind}"

    return trust


# --- issuing and presenting --------------------------------------------------------------------------------------


def unsigned(
    kind: str,
    issuer: str,
    subject: Json,
    valid_from_ms: int,
    valid_until_ms: int | None = None,
    status: Sequence[Json] = (),
) -> Json:
    """Return the content of a credential; `subject` has the holder's did as its `id`, if it is bound to one."""
    content: Json = {"@context": [BASE, OWN], "type": [CREDENTIAL, kind], "issuer": issuer}
    content["validFrom"] = write_time(valid_from_ms)
    if valid_until_ms is not None:
        content["validUntil"] = write_time(valid_until_ms)
    if status:
        content["credentialStatus"] = list(status)
    return {**content, "credentialSubject": copy(subject)}


def issue(content: Json, key: KeyPair, time_ms: int) -> Json:
    """Sign a credential's content; raises `CredentialError` for content that no verifier would read."""
    require_form(content)
    return add_proof(content, key, "assertionMethod", time_ms, did=issuer_of(content))


def present(
    credentials: Sequence[Json], key: KeyPair, time_ms: int, challenge: str, domain: str, holder: str = ""
) -> Json:
    """Present credentials to one verifier: `challenge` is what it asked with, `domain` is who it is."""
    content: Json = {"@context": [BASE], "type": [PRESENTATION], "holder": holder or key.did}
    content["verifiableCredential"] = list(credentials)
    return add_proof(content, key, "authentication", time_ms, content["holder"], challenge=challenge, domain=domain)


# --- verifying ---------------------------------------------------------------------------------------------------


def verify(credential: Json, by: Verifier) -> Report:
    """Check a credential, whoever shows it."""
    checks = Checklist()
    _check_credential(credential, by, checks)
    return report(credential, checks)


def verify_presentation(presentation: Json, by: Verifier, challenge: str, domain: str) -> tuple[Report, ...]:
    """Check a presentation: one report for each credential. The presentation's own form counts as each one's."""
    shown = presentation.get("verifiableCredential") if isinstance(presentation, dict) else None
    documents = shown if isinstance(shown, list) and 1 <= len(shown) <= MAX_CREDENTIALS else [None]
    return tuple(_verify_presented(presentation, one, by, challenge, domain) for one in documents)


def _verify_presented(presentation: Json, credential: Any, by: Verifier, challenge: str, domain: str) -> Report:
    checks = Checklist()
    checks.check("form", lambda: _require_presentation(presentation))
    if not checks.has_failed:
        checks.clauses.clear()
    _check_credential(credential, by, checks)
    checks.check("holder", lambda: _require_holder(presentation, credential, by))
    checks.check("challenge", lambda: _require_challenge(presentation["proof"], challenge, domain))
    return report(credential, checks)


def _check_credential(credential: Any, by: Verifier, checks: Checklist) -> None:
    if not checks.has_failed:
        checks.check("form", lambda: require_form(credential))
    checks.check("signature", lambda: _require_signature(credential, by))
    check_content(credential, by, checks)


def check_content(credential: Json, by: Verifier, checks: Checklist) -> None:
    """Check what a signed credential says: who may issue it, when it is valid, whether it was revoked."""
    checks.check("issuer", lambda: _require_trusted(credential, by))
    checks.check("time", lambda: _require_time(credential, by))
    checks.check("status", lambda: _require_status(credential, by))


def report(credential: Any, checks: Checklist) -> Report:
    """Sum up; a credential that does not hold says nothing."""
    if checks.has_failed:
        return Report(tuple(checks.clauses), {})
    subject = credential["credentialSubject"]
    return Report(tuple(checks.clauses), subject, issuer_of(credential), kinds_of(credential))


def issuer_of(credential: Json) -> str:
    """Return the issuer's did."""
    issuer = credential.get("issuer")
    did = issuer.get("id") if isinstance(issuer, dict) else issuer
    if not isinstance(did, str) or not did:
        raise CredentialError("form", "the credential names no issuer")
    return did


def kinds_of(credential: Json) -> tuple[str, ...]:
    """Return what kinds of credential this is, beside being one."""
    return tuple(kind for kind in credential["type"] if kind != CREDENTIAL)


# --- the clauses -------------------------------------------------------------------------------------------------


def require_form(credential: Any) -> str:
    """Refuse what is not a credential as it is known here."""
    if not isinstance(credential, dict):
        raise CredentialError("form", "a credential is a JSON object")
    _require_known(credential, PROPERTIES, CREDENTIAL)
    if not kinds_of(credential):  # else nobody would have to be trusted for it
        raise CredentialError("form", "the credential does not say what kind it is")
    issuer_of(credential)
    subject = credential.get("credentialSubject")
    if not isinstance(subject, dict) or not subject:
        raise CredentialError("form", "credentialSubject is one JSON object, about one subject")
    try:
        for name in ("validFrom", "validUntil"):
            if name in credential:
                read_time(credential[name], name)
        entries = status_of(credential)
    except DecodeError as error:
        raise CredentialError("form", str(error)) from None
    return f"{', '.join(kinds_of(credential))}, with {len(entries)} status entries"


def _require_known(document: Json, properties: frozenset[str], base: str) -> None:
    """Refuse contexts, properties and types by name; no context is ever loaded."""
    canonical(document)  # else it is no JSON, whoever has read it: half a character, say, or a name that is no text
    contexts, types = document.get("@context"), document.get("type")
    if not isinstance(contexts, list) or contexts[:1] != [BASE]:
        raise CredentialError("form", f"@context is a list that begins with {BASE}")
    if unknown := [one for one in contexts if not isinstance(one, str) or one not in CONTEXTS]:
        raise CredentialError("form", f"the context {str(unknown[0])[:80]!r} is not known here, and none is loaded")
    if unknown := sorted(document.keys() - properties):
        raise CredentialError("form", f"the property {unknown[0][:80]!r} is not known here")
    if not isinstance(types, list) or base not in types or not all(isinstance(kind, str) for kind in types):
        raise CredentialError("form", f"type is a list that holds {base}")


def status_of(credential: Json) -> tuple[Entry, ...]:
    """Return a credential's status entries; raises `DecodeError` for a kind that is not known here."""
    status = credential.get("credentialStatus", [])
    return tuple(read_entry(one) for one in (status if isinstance(status, list) else [status]))


def _require_signature(credential: Json, by: Verifier) -> str:
    did, created = check_proof(credential, "assertionMethod", by.key_at)
    if did != issuer_of(credential):
        raise CredentialError("signature", f"signed by {did}, but the issuer is {issuer_of(credential)}")
    return f"signed by {did} at {write_time(created)}, as it says"


def _require_trusted(credential: Json, by: Verifier) -> str:
    return "; ".join(by.trust(issuer_of(credential), kind, by.now_ms) for kind in kinds_of(credential))


def _require_time(credential: Json, by: Verifier) -> str:
    now = f"{write_time(by.now_ms)} by {by.clock}"
    if "validFrom" in credential and by.now_ms < read_time(credential["validFrom"], "validFrom"):
        raise CredentialError("time", f"valid only from {credential['validFrom']}, and it is {now}")
    if "validUntil" in credential and by.now_ms >= read_time(credential["validUntil"], "validUntil"):
        raise CredentialError("time", f"expired at {credential['validUntil']}, and it is {now}")
    return f"valid at {now}"


def _require_status(credential: Json, by: Verifier) -> str:
    entries = status_of(credential)
    if not entries:
        return "names no status list: it cannot be revoked"
    if by.read_status is None:
        raise CredentialError("status", "it may have been revoked, and this verifier cannot read its status")
    return "; ".join(map(by.read_status, entries))


def _require_presentation(presentation: Any) -> str:
    if not isinstance(presentation, dict):
        raise CredentialError("form", "a presentation is a JSON object")
    _require_known(presentation, PRESENTED, PRESENTATION)
    shown = presentation.get("verifiableCredential")
    if not isinstance(shown, list) or not 1 <= len(shown) <= MAX_CREDENTIALS:
        raise CredentialError("form", f"a presentation shows 1 to {MAX_CREDENTIALS} credentials")
    return "a presentation"


def _require_holder(presentation: Json, credential: Json, by: Verifier) -> str:
    try:  # it answers a question of now, so the key of now counts: who stole an older one can write an older time
        did, _created = check_proof(presentation, "authentication", lambda did, _created: by.key_at(did, by.now_ms))
    except CredentialError as error:
        raise CredentialError("holder", f"the presentation's {error}") from None
    subject = credential["credentialSubject"].get("id")
    if did != presentation.get("holder"):
        raise CredentialError("holder", f"presented by {did}, who is not the holder it names")
    if did != subject:
        raise CredentialError("holder", f"presented by {did}, but it is about {subject or 'nobody in particular'}")
    return f"presented by its own subject, {did}"


def _require_challenge(proof: Json, challenge: str, domain: str) -> str:
    if not challenge or proof.get("challenge") != challenge:
        raise CredentialError("challenge", "made for another question than the one asked now: it may be a replay")
    if not domain or proof.get("domain") != domain:
        raise CredentialError("challenge", f"made for {str(proof.get('domain'))[:80]!r}, not for {domain!r}")
    return f"made for this question, and for {domain}"
