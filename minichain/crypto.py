"""SHA-256 with domain separation, and Ed25519 by PyNaCl, which alone decides whether a signature is valid.

Nothing signed or hashed for one purpose can be taken for another: every digest and every signature begins with
the name of its purpose. An account is a `did:key` (W3C CCG did:key, multicodec 0xed01, base58btc).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256

import nacl.bindings
import nacl.exceptions
import nacl.public
import nacl.pwhash
import nacl.secret
import nacl.signing
import nacl.utils

from minichain.errors import DecodeError, SignatureError

DIGEST_SIZE = 32
KEY_SIZE = 32
SIGNATURE_SIZE = 64

_ED25519_MULTICODEC = b"\xed\x01"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


@lru_cache(maxsize=256)
def _tag(domain: str) -> bytes:
    return b"minichain:" + domain.encode() + b"\0"


def _tagged(domain: str, data: bytes) -> bytes:
    return _tag(domain) + data


def _untagged(data: bytes) -> bytes:
    if data.startswith(b"minichain:"):
        raise DecodeError("these bytes belong to a purpose of minichain's own: sign them with its name")
    return data


def digest(domain: str, data: bytes) -> bytes:
    """Hash `data` for one purpose; 32 bytes."""
    return sha256(_tag(domain) + data).digest()


def commitment(salt: bytes, data: bytes) -> bytes:
    """Return what stands for somebody or something on a chain without being read there; 32 bytes."""
    if len(salt) != DIGEST_SIZE:
        raise DecodeError(f"a salt has {DIGEST_SIZE} bytes: a shorter one can be guessed")
    return digest("commitment", salt + data)


class Secret(bytes):
    """Bytes that are never shown by mistake: not in a log, not in a traceback with its variables."""

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__


class Passphrase:
    """A passphrase that is never shown by mistake."""

    __slots__ = ("_text",)

    def __init__(self, text: str | Passphrase) -> None:
        self._text = text if isinstance(text, str) else text.reveal()

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __repr__(self) -> str:
        return "<passphrase>"


class KeyPair:
    """An Ed25519 key pair made from a 32-byte seed."""

    __slots__ = ("_secret", "did", "public")

    def __init__(self, seed: bytes) -> None:
        seed = Secret(seed)
        if len(seed) != KEY_SIZE:
            raise DecodeError(f"a key seed has {KEY_SIZE} bytes, not {len(seed)}")
        self.public, self._secret = nacl.bindings.crypto_sign_seed_keypair(seed)
        self.did = did_of(self.public)

    @classmethod
    def derive(cls, root: bytes, name: str) -> KeyPair:
        """Make the key pair that belongs to `name` under a root secret; the same inputs give the same keys."""
        return cls(digest("derived key", digest("root secret", root) + name.encode()))

    @property
    def seed(self) -> Secret:
        return Secret(self._secret[:KEY_SIZE])

    def sign(self, domain: str, data: bytes) -> bytes:
        """Sign `data` for one purpose; 64 bytes, the same every time."""
        return nacl.bindings.crypto_sign(_tagged(domain, data), self._secret)[:SIGNATURE_SIZE]

    def sign_bare(self, data: bytes) -> bytes:
        """Sign bytes whose form somebody else's standard fixes, without our name of a purpose; 64 bytes.

        Such a form (two digests, a JSON web token) must never begin as our tagged data do.
        """
        return nacl.bindings.crypto_sign(_untagged(data), self._secret)[:SIGNATURE_SIZE]

    def curve_keys(self) -> tuple[bytes, bytes]:
        """Return the Curve25519 (public, secret) pair of the same identity, for transport encryption."""
        return curve_public(self.public), Secret(nacl.bindings.crypto_sign_ed25519_sk_to_curve25519(self._secret))

    def shared_with(self, public: bytes) -> Secret:
        """Return the secret that this identity and another one have in common (X25519): hash it for one purpose.

        Raises `DecodeError` for a key nobody can own.
        """
        return Secret(nacl.bindings.crypto_scalarmult(self.curve_keys()[1], curve_public(public)))

    def unseal(self, sealed: bytes) -> bytes:
        """Open what `seal` closed for this key."""
        _, secret = self.curve_keys()
        try:
            return nacl.public.SealedBox(nacl.public.PrivateKey(secret)).decrypt(sealed)
        except nacl.exceptions.CryptoError:
            raise DecodeError("this sealed box was not made for this key, or was changed") from None


# How a node checks a signature. A world may hand it a check that remembers what it saw being signed.
SignatureCheck = Callable[[bytes, str, bytes, bytes], bool]


def is_valid_signature(public: bytes, domain: str, data: bytes, signature: bytes) -> bool:
    """Tell whether `signature` is libsodium-valid: canonical S, canonical point, no small-order key."""
    return _is_signed(public, _tagged(domain, data), signature)


def is_valid_bare_signature(public: bytes, data: bytes, signature: bytes) -> bool:
    """Tell the same of a signature in the form of somebody else's standard."""
    return not data.startswith(b"minichain:") and _is_signed(public, data, signature)


def _is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    if len(signature) != SIGNATURE_SIZE or len(public) != KEY_SIZE:
        return False
    try:
        nacl.bindings.crypto_sign_open(signature + message, public)
    except (nacl.exceptions.BadSignatureError, ValueError):
        return False
    return True


def require_signature(public: bytes, domain: str, data: bytes, signature: bytes) -> None:
    """Raise `SignatureError` unless the signature is valid."""
    if not is_valid_signature(public, domain, data, signature):
        raise SignatureError(f"the {domain} signature does not verify under {did_of(public)}")


def base58(data: bytes) -> str:
    """Write bytes in base58btc; each zero byte in front is a 1."""
    number, text = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        text = _BASE58[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def from_base58(text: str, limit: int = 128) -> bytes:
    """Read base58btc of at most `limit` characters; raises `DecodeError`."""
    number = 0
    for char in text[: limit + 1]:
        digit = _BASE58.find(char)
        if digit < 0 or len(text) > limit:
            raise DecodeError(f"{text[:80]!r} is not base58btc of at most {limit} characters")
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)


@lru_cache(maxsize=65_536)
def did_of(public: bytes) -> str:
    """Write an Ed25519 public key as a `did:key`."""
    return f"did:key:z{base58(_ED25519_MULTICODEC + public)}"


@lru_cache(maxsize=65_536)
def public_of(did: str) -> bytes:
    """Read the Ed25519 public key out of a `did:key`."""
    try:
        public = from_base58(did.removeprefix("did:key:z"), 64)[-KEY_SIZE:]
    except DecodeError:
        public = b""
    if len(public) != KEY_SIZE or did_of(public) != did:
        raise DecodeError(f"{did[:80]!r} is not a did:key of an Ed25519 key")
    return public


@lru_cache(maxsize=4_096)  # a hundred times as long as finding it here, and asked of the same members all day
def curve_public(public: bytes) -> bytes:
    """Return the Curve25519 public key of an Ed25519 identity; raises `DecodeError` for a point that is none."""
    try:
        return nacl.bindings.crypto_sign_ed25519_pk_to_curve25519(public)
    except nacl.exceptions.CryptoError:
        raise DecodeError("this is not a usable Ed25519 public key") from None


def seal(public: bytes, data: bytes) -> bytes:
    """Close `data` so that only the owner of `public` can read it (libsodium sealed box; draws randomness).

    Raises `DecodeError` for a key nobody can own.
    """
    return nacl.public.SealedBox(nacl.public.PublicKey(curve_public(public))).encrypt(data)


def encrypt(key: bytes, data: bytes) -> bytes:
    """Close `data` under a secret key of 32 bytes (libsodium secretbox; draws randomness)."""
    return bytes(nacl.secret.SecretBox(key).encrypt(data))


def decrypt(key: bytes, closed: bytes) -> bytes:
    """Open what `encrypt` closed; raises `DecodeError` for another key or changed bytes."""
    try:
        return nacl.secret.SecretBox(key).decrypt(closed)
    except (nacl.exceptions.CryptoError, ValueError):
        raise DecodeError("this was not closed under this key, or was changed") from None


def close_with(passphrase: Passphrase, data: bytes) -> bytes:
    """Encrypt `data` with a passphrase: argon2id for the passphrase, secretbox for the data (draws randomness)."""
    salt = nacl.utils.random(nacl.pwhash.argon2id.SALTBYTES)
    return salt + _passphrase_box(passphrase, salt).encrypt(data)


def open_with(passphrase: Passphrase, closed: bytes) -> bytes:
    """Decrypt what `close_with` encrypted; raises `DecodeError` for another passphrase or changed bytes."""
    salt, box = closed[: nacl.pwhash.argon2id.SALTBYTES], closed[nacl.pwhash.argon2id.SALTBYTES :]
    try:
        return _passphrase_box(passphrase, salt).decrypt(box)
    except (nacl.exceptions.CryptoError, ValueError):
        raise DecodeError("this was not closed with this passphrase, or was changed") from None


def _passphrase_box(passphrase: Passphrase, salt: bytes) -> nacl.secret.SecretBox:
    return nacl.secret.SecretBox(
        nacl.pwhash.argon2id.kdf(
            nacl.secret.SecretBox.KEY_SIZE,
            unicodedata.normalize("NFKC", passphrase.reveal()).encode(),  # keyboards differ in writing one letter
            salt,
            opslimit=nacl.pwhash.argon2id.OPSLIMIT_INTERACTIVE,
            memlimit=nacl.pwhash.argon2id.MEMLIMIT_INTERACTIVE,
        )
    )
