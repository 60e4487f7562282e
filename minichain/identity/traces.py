"""Search bytes for traces of personal data: in plain, in the usual encodings, and as a digest without a salt.

A digest of a telephone number is the number: whoever tries all numbers finds it. So known values are looked for in
every form in which somebody in a hurry would have written them. What this finds is there; what it does not find may
still be there in a form that nobody thought of.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from typing import Final

from minichain.codec import Plain
from minichain.crypto import digest
from minichain.errors import UsageError

LEAST: Final = 4  # characters of a value; shorter ones stand everywhere by chance
SEPARATORS: Final = " -./()+"
DIGESTS: Final = ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b")
DOMAINS: Final = ("commitment", "document")  # of our own tagged digests


class Trace(Plain):
    """A known value that was found: which, where, and in which form."""

    value: str
    where: str
    form: str


def find_personal(places: Iterable[tuple[str, bytes]], values: Iterable[str]) -> tuple[Trace, ...]:
    """Search each place (its name, its bytes) for each known value; values are names, numbers, addresses."""
    wanted = {value: dict(forms_of(value)) for value in values}
    found = []
    for where, data in places:
        lowered = data.lower()
        for value, forms in wanted.items():
            hit = next(
                (form for needle, form in forms.items() if needle in (lowered if form in _FOLDED else data)), None
            )
            if hit:
                found.append(Trace(value, where, hit))
    return tuple(found)


def find_secret(places: Iterable[tuple[str, bytes]], salt: bytes, candidates: Iterable[bytes]) -> bytes | None:
    """Try every candidate with a known salt against commitments in these places: as an attacker with the salt does."""
    blobs = [data for _, data in places]
    tries = ((candidate, digest("commitment", salt + candidate)) for candidate in candidates)
    return next((candidate for candidate, tried in tries if any(tried in blob for blob in blobs)), None)


_FOLDED: Final = frozenset({"plain", "hexadecimal", "digest in hexadecimal"})  # searched without regard to case


def forms_of(value: str) -> Iterator[tuple[bytes, str]]:
    """Yield the bytes to look for, each with the name of its form."""
    if len(value.strip()) < LEAST:
        raise UsageError(f"{value!r} is too short to search for: give at least {LEAST} characters")
    for spelling in spellings(value):
        raw = spelling.encode()
        yield raw.lower(), "plain"
        for text in (spelling.encode("utf-16-le"), spelling.encode("utf-16-be")):
            yield text, "UTF-16"
        yield raw.hex().encode(), "hexadecimal"
        yield from ((part, "base64") for part in _inside_base64(raw))
        for made in _digests(raw):
            yield made, "digest without salt"
            yield made.hex().encode(), "digest in hexadecimal"
            for coded in (b64encode(made), urlsafe_b64encode(made)):
                yield coded.rstrip(b"="), "digest in base64"


def spellings(value: str) -> set[str]:
    """Return a value as people would write it: as it is, in small and capital letters, without separators."""
    bare = "".join(char for char in value if char not in SEPARATORS)
    found = {value, value.lower(), value.upper(), value.replace(" ", "")}
    return found | ({bare} if len(bare) >= LEAST else set())


def _inside_base64(raw: bytes) -> Iterator[bytes]:
    """Yield what base64 makes of bytes that begin at each of the three places in a group of three."""
    for shift in range(3):
        for coded in (b64encode(bytes(shift) + raw), urlsafe_b64encode(bytes(shift) + raw)):
            first, last = (shift * 4 + 2) // 3 if shift else 0, (shift + len(raw)) * 8 // 6
            if last - first >= LEAST:
                yield coded[first:last]


def _digests(raw: bytes) -> Iterator[bytes]:
    yield from (hashlib.new(name, raw).digest() for name in DIGESTS)
    yield from (digest(domain, raw) for domain in DOMAINS)
