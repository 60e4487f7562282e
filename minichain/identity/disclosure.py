"""Selective disclosure: SD-JWT (RFC 9901) with EdDSA (RFC 8037) and key binding, around VC Data Model 2.0.

The issuer signs salted digests; the holder shows the disclosures it chooses; the verifier puts them where their digests
stand, and refuses every disclosure that has no place, every digest that stands twice, and every claim that would
overwrite another. What decides whether a credential is valid can never be hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from hashlib import sha256
from typing import Any, Final

from minichain.codec import Plain
from minichain.crypto import KEY_SIZE, KeyPair, did_of, is_valid_bare_signature
from minichain.errors import CredentialError, DecodeError, TheirFault
from minichain.identity import credentials
from minichain.identity.base64url import from_text, to_text
from minichain.identity.clauses import Checklist, Report
from minichain.identity.credentials import Verifier, issuer_of
from minichain.identity.integrity import method_of, read_time, signer_of, write_time
from minichain.identity.jcs import MAX_DEPTH, Json, canonical, parse, parse_object

TYPE: Final = "vc+sd-jwt"  # W3C, Securing Verifiable Credentials using JOSE and COSE
BINDING_TYPE: Final = "kb+jwt"
ALGORITHM: Final = "EdDSA"
HASH: Final = "sha-256"
SALT_BYTES: Final = 16  # the least of a salt
RESERVED: Final = frozenset({"_sd", "...", "_sd_alg"})  # names that say where something is hidden
MAX_DISCLOSURES: Final = 256
PATIENCE_MS: Final = 300_000  # from the making of a key binding to its arrival
SKEW_MS: Final = 60_000  # by which the holder's clock may be ahead
OPEN: Final = frozenset({"credentialSubject"})  # the only top-level claim in which anything may be hidden

Path = tuple[str, ...]  # names, and for the element of a list its place


class Hidden:
    """Marks a claim, or an element of a list, that the holder may keep back. Its value may hide more inside."""

    def __init__(self, value: Any) -> None:
        self.value = value


class SdJwt(Plain):
    """The parts of an SD-JWT: the issuer's token, the disclosures as they are written, and the key binding, if any."""

    token: str
    disclosures: tuple[str, ...]
    binding: str = ""

    def __str__(self) -> str:
        return self.bound + self.binding

    @property
    def bound(self) -> str:
        """Return the part that a key binding speaks for."""
        return "~".join([self.token, *self.disclosures, ""])


def digest_of(text: str) -> str:
    """Return the digest under which a disclosure, or what a key binding speaks for, stands."""
    return to_text(sha256(text.encode("ascii", "replace")).digest())


# --- issuing -----------------------------------------------------------------------------------------------------


class _Sealing:
    """Turns what is marked `Hidden` into digests, from the inside out."""

    def __init__(self, salt: Callable[[], bytes], decoys: int) -> None:
        self._draw, self._decoys = salt, decoys
        self._drawn: set[bytes] = set()
        self.disclosures: list[str] = []

    def close(self, value: Any) -> Any:
        match value:
            case dict():
                return self._close_object(value)
            case list():
                return [self._element(item) for item in value]
        return value

    def _close_object(self, value: Json) -> Json:
        if taken := sorted(RESERVED & value.keys()):
            raise CredentialError("form", f"the name {taken[0]!r} belongs to the form: a claim needs another one")
        hidden = {name: item.value for name, item in value.items() if isinstance(item, Hidden)}
        closed = {name: self.close(item) for name, item in value.items() if name not in hidden}
        digests = [self._disclose(name, self.close(item)) for name, item in hidden.items()]
        digests += [digest_of(self._salt()) for _ in range(self._decoys if hidden else 0)]
        return {**closed, "_sd": sorted(digests)} if digests else closed  # sorted: their order tells nothing

    def _element(self, item: Any) -> Any:
        return {"...": self._disclose(self.close(item.value))} if isinstance(item, Hidden) else self.close(item)

    def _disclose(self, *content: Any) -> str:
        self.disclosures.append(to_text(canonical([self._salt(), *content])))
        return digest_of(self.disclosures[-1])

    def _salt(self) -> str:
        salt = self._draw()
        if len(salt) < SALT_BYTES or salt in self._drawn:
            raise CredentialError("form", f"a salt has at least {SALT_BYTES} bytes, and none is drawn twice")
        self._drawn.add(salt)
        return to_text(salt)


def seal_claims(claims: Json, salt: Callable[[], bytes], decoys: int = 0) -> tuple[Json, tuple[str, ...]]:
    """Return the payload to be signed and the disclosures; `decoys` digests of nothing stand beside the real ones.

    `salt()` draws 16 secret bytes.
    """
    sealing = _Sealing(salt, decoys)
    return {**sealing.close(claims), "_sd_alg": HASH}, tuple(sealing.disclosures)


def issue(content: Json, key: KeyPair, holder: bytes, salt: Callable[[], bytes], decoys: int = 0) -> SdJwt:
    """Sign a credential's content, parts of whose credentialSubject are `Hidden`, for the key of one holder."""
    payload, disclosures = seal_claims({**content, "cnf": {"jwk": _jwk(holder)}}, salt, decoys)
    header = {"alg": ALGORITHM, "typ": TYPE, "kid": method_of(issuer_of(content), key.public)}
    made = SdJwt(_sign(header, payload, key), disclosures)
    credentials.require_form(_content(made, open_claims(payload, disclosures)))
    return made


def _jwk(public: bytes) -> Json:
    return {"kty": "OKP", "crv": "Ed25519", "x": to_text(public)}


def _sign(header: Json, payload: Json, key: KeyPair) -> str:
    text = f"{to_text(canonical(header))}.{to_text(canonical(payload))}"
    return f"{text}.{to_text(key.sign_bare(text.encode()))}"


# --- presenting --------------------------------------------------------------------------------------------------


def present(made: SdJwt, show: Collection[str], key: KeyPair, time_ms: int, nonce: str, audience: str) -> SdJwt:
    """Show only these claims, named by their paths (`credentialSubject.name`), to one verifier.

    What lies around a shown claim is shown too, as far as it was hidden itself. Raises `CredentialError` for a path
    that the credential does not hide.
    """
    opened = open_claims(payload_of(made.token), made.disclosures)
    paths = [_path(name, opened) for name in sorted(show)]
    chosen = {text for outer, text in opened.paths.items() if any(path[: len(outer)] == outer for path in paths)}
    shown = SdJwt(made.token, tuple(text for text in made.disclosures if text in chosen))
    claims = {"nonce": nonce, "aud": audience, "iat": time_ms // 1000, "sd_hash": digest_of(shown.bound)}
    return SdJwt(shown.token, shown.disclosures, _sign({"alg": ALGORITHM, "typ": BINDING_TYPE}, claims, key))


def _path(name: str, opened: Opened) -> Path:
    """Return the path that a name means; a claim's own name may have dots in it, so two may be written alike."""
    match [path for path in opened.paths if ".".join(path) == name]:
        case [path]:
            return path
        case []:
            raise CredentialError("disclosure", f"{name!r} is not hidden in this credential, but {opened.words}")
    raise CredentialError("disclosure", f"{name!r} names two hidden claims: have the card issued with other names")


# --- processing (RFC 9901, section 7.1) --------------------------------------------------------------------------


class Opened(Plain):
    """A payload with the disclosures in their places; `paths` says which disclosure opened what."""

    claims: Json
    paths: dict[Path, str]

    @property
    def words(self) -> str:
        """Return what was opened, by name."""
        return ", ".join(map(".".join, self.paths)) or "nothing"


def split(text: str) -> SdJwt:
    """Take an SD-JWT apart; raises `DecodeError`."""
    token, *rest = text.split("~")
    if not rest or "" in rest[:-1] or not text.isascii():
        raise DecodeError("an SD-JWT is a token and disclosures, each followed by ~")
    if len(rest) - 1 > MAX_DISCLOSURES:
        raise DecodeError(f"an SD-JWT has at most {MAX_DISCLOSURES} disclosures here")
    return SdJwt(token, tuple(rest[:-1]), rest[-1])


def open_claims(payload: Json, disclosures: Collection[str]) -> Opened:
    """Put disclosures where their digests stand; raises `CredentialError` of the clause `disclosure`."""
    if payload.get("_sd_alg", HASH) != HASH:
        raise CredentialError("disclosure", f"the hash {str(payload['_sd_alg'])[:80]!r} is not known here, only {HASH}")
    opening = _Opening(disclosures)
    claims = opening.open({name: value for name, value in payload.items() if name != "_sd_alg"}, ())
    if unplaced := opening.contents.keys() - opening.seen:
        raise CredentialError("disclosure", f"{len(unplaced)} disclosures have no place in what the issuer signed")
    return Opened(claims, opening.paths)


class _Opening:
    def __init__(self, disclosures: Collection[str]) -> None:
        self.contents = {digest_of(text): (text, _read_disclosure(text)) for text in disclosures}
        if len(self.contents) < len(disclosures):
            raise CredentialError("disclosure", "a disclosure is shown twice")
        self.seen: set[str] = set()
        self.paths: dict[Path, str] = {}

    def open(self, value: Any, path: Path) -> Any:
        if len(path) > MAX_DEPTH:  # each disclosure may be shallow, and hold the digest of the next
            raise CredentialError("disclosure", f"nested deeper than {MAX_DEPTH} levels")
        match value:
            case dict():
                return self._open_object(value, path)
            case list():
                items = (self._open_element(item, (*path, str(place))) for place, item in enumerate(value))
                return [item for found in items for item in found]
        return value

    def _open_object(self, value: Json, path: Path) -> Json:
        if "..." in value:
            raise CredentialError("disclosure", "the name '...' stands outside of a list")
        digests = value.get("_sd", [])
        if not isinstance(digests, list):
            raise CredentialError("disclosure", "_sd is a list of digests")
        opened = {name: self.open(item, (*path, name)) for name, item in value.items() if name != "_sd"}
        for digest in digests:
            if (content := self._find(digest)) is None:
                continue
            if len(content) != 3 or not isinstance(content[1], str) or content[1] in RESERVED:
                raise CredentialError("disclosure", "a claim's disclosure is [salt, name, value], with a free name")
            name = content[1]
            if name in opened:
                raise CredentialError("disclosure", f"the disclosure of {name[:80]!r} would overwrite a claim")
            self._note(digest, (*path, name))
            opened[name] = self.open(content[2], (*path, name))
        return opened

    def _open_element(self, item: Any, path: Path) -> list[Any]:
        if not isinstance(item, dict) or item.keys() != {"..."}:
            return [self.open(item, path)]
        if (content := self._find(item["..."])) is None:
            return []
        if len(content) != 2:
            raise CredentialError("disclosure", "the disclosure of a list's element is [salt, value]")
        self._note(item["..."], path)
        return [self.open(content[1], path)]

    def _find(self, digest: Any) -> list[Any] | None:
        if not isinstance(digest, str):
            raise CredentialError("disclosure", "a digest is text")
        if digest in self.seen:
            raise CredentialError("disclosure", f"the digest {digest[:80]!r} stands twice")
        self.seen.add(digest)
        return self.contents[digest][1] if digest in self.contents else None

    def _note(self, digest: str, path: Path) -> None:
        self.paths[path] = self.contents[digest][0]


def _read_disclosure(text: str) -> list[Any]:
    try:
        content = parse(from_text(text))
    except DecodeError as error:
        raise CredentialError("disclosure", str(error)) from None
    if not isinstance(content, list) or len(content) not in (2, 3) or not isinstance(content[0], str):
        raise CredentialError("disclosure", "a disclosure is a list: a salt, for a claim its name, and a value")
    return content


# --- verifying (RFC 9901, section 7.3) ---------------------------------------------------------------------------


def verify(text: str, by: Verifier, nonce: str, audience: str) -> Report:
    """Check a presentation that was made for this question and this verifier; key binding is always demanded."""
    checks, found = Checklist(), dict[str, Any]()

    def form() -> str:
        found["parts"] = split(text)
        header, _, _ = _parts(found["parts"].token)
        _require_header(header, TYPE)
        return f"{TYPE} with {len(found['parts'].disclosures)} disclosures"

    def disclosure() -> str:
        parts = found["parts"]
        opened = open_claims(payload_of(parts.token), parts.disclosures)
        found["credential"] = _content(parts, opened)
        return f"shown: {opened.words}"

    checks.check("form", form)
    checks.check("signature", lambda: _require_issuer_signature(found["parts"].token, by))
    checks.check("disclosure", disclosure)
    checks.check("form", lambda: credentials.require_form(found["credential"]))
    credentials.check_content(found.get("credential", {}), by, checks)
    checks.check("holder", lambda: _require_binding(found["parts"], by))
    checks.check("challenge", lambda: _require_question(found["parts"], by, nonce, audience))
    _merge_form(checks)
    return credentials.report(found.get("credential"), checks)


def _merge_form(checks: Checklist) -> None:
    """Tell the form of the token and that of the credential in it as one clause."""
    _token, content = (clause for clause in checks.clauses if clause.name == "form")
    checks.clauses.remove(content)
    if content.state != "unchecked":
        checks.clauses[0] = content


def payload_of(token: str) -> Json:
    """Return what a token says, checked or not; raises `DecodeError`."""
    return _parts(token)[1]


def _parts(token: str) -> tuple[Json, Json, bytes]:
    parts = token.split(".")
    if len(parts) != 3:
        raise DecodeError("a token has three parts: header.payload.signature")
    header, payload, signature = map(from_text, parts)
    return parse_object(header, "the header"), parse_object(payload, "the payload"), signature


def _require_header(header: Json, kind: str) -> None:
    if header.get("alg") != ALGORITHM:
        raise DecodeError(f"the algorithm {str(header.get('alg'))[:80]!r} is not accepted, only {ALGORITHM}")
    if header.get("typ") != kind:
        raise DecodeError(f"the type {str(header.get('typ'))[:80]!r} is not known here, only {kind!r}")
    if "crit" in header:
        raise DecodeError(f"the header demands {str(header['crit'])[:80]}, which is not known here")


def _require_signed(token: str, public: bytes) -> None:
    head, _, signature = token.rpartition(".")
    if not is_valid_bare_signature(public, head.encode(), from_text(signature)):
        raise DecodeError(f"it does not verify under {did_of(public)}: a byte was changed, or forged")


def _require_issuer_signature(token: str, by: Verifier) -> str:
    header, payload, _ = _parts(token)
    did, public = signer_of(header.get("kid"))
    if did != issuer_of(payload):
        raise CredentialError("signature", f"signed by {did}, but the issuer is {issuer_of(payload)}")
    # The token does not say when it was signed; what it says it is valid from is when its issuer had to have the key.
    since = read_time(payload.get("validFrom"), "validFrom")
    if by.key_at(did, since) != public:
        raise CredentialError("signature", f"{did} did not sign with this key at {write_time(since)}")
    _require_signed(token, public)
    return f"signed by {did}"


def _content(made: SdJwt, opened: Opened) -> Json:
    """Return the credential in an opened payload; raises `CredentialError` if what decides about it can be hidden."""
    payload = payload_of(made.token)
    around = {name: value for name, value in payload.items() if name not in OPEN}
    if any((name,) in opened.paths for name in OPEN) or _hides(around):
        raise CredentialError("disclosure", "something is hidden beside the subject: its validity could hang on it")
    return {name: value for name, value in opened.claims.items() if name != "cnf"}


def _hides(value: Any) -> bool:
    """Tell whether anything in what the issuer signed can be kept back."""
    match value:
        case dict():
            return "..." in value or bool(value.get("_sd")) or any(map(_hides, value.values()))
        case list():
            return any(map(_hides, value))
    return False


def _require_binding(parts: SdJwt, by: Verifier) -> str:
    if not parts.binding:
        raise CredentialError("holder", "nobody shows that it is theirs: the key binding is missing")
    try:
        public = _holder_key(payload_of(parts.token))
        _require_header(_parts(parts.binding)[0], BINDING_TYPE)
        _require_signed(parts.binding, public)
    except TheirFault as error:
        raise CredentialError("holder", f"the key binding: {error}") from None
    return f"presented with the key it was issued to, {did_of(public)}"


def _holder_key(payload: Json) -> bytes:
    match payload.get("cnf"):
        case {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": str(x)}} if len(from_text(x)) == KEY_SIZE:
            return from_text(x)
    raise DecodeError("cnf names no Ed25519 key as a jwk")


def _require_question(parts: SdJwt, by: Verifier, nonce: str, audience: str) -> str:
    claims = payload_of(parts.binding)
    if not nonce or claims.get("nonce") != nonce:
        raise CredentialError("challenge", "made for another question than the one asked now: it may be a replay")
    if not audience or claims.get("aud") != audience:
        raise CredentialError("challenge", f"made for {str(claims.get('aud'))[:80]!r}, not for {audience!r}")
    made = claims.get("iat")
    if type(made) is not int or not by.now_ms - PATIENCE_MS <= made * 1000 <= by.now_ms + SKEW_MS:
        raise CredentialError("challenge", f"made at {made!r}, too far from {by.now_ms // 1000} by {by.clock}")
    if claims.get("sd_hash") != digest_of(parts.bound):
        raise CredentialError("challenge", "made for other disclosures than are shown")
    return f"made for this question, and for {audience}"
