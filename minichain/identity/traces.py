"""Search bytes for traces of personal data: in plain, in the usual encodings, and as a digest without a salt.

A digest of a telephone number is the number: whoever tries all numbers finds it. So known values are looked for in
every form in which somebody in a hurry would have written them. What this finds is there; what it does not find may
still be there in a form that nobody thought of.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final
from urllib.parse import quote, quote_plus

from minichain.codec import Plain
from minichain.crypto import digest
from minichain.errors import UsageError

LEAST: Final = 4  # characters of a value, bytes of a number; shorter ones stand everywhere by chance
SEPARATORS: Final = " -./()+"
ENCODINGS: Final = ("utf-8", "utf-16-le", "utf-16-be", "latin-1", "gb18030")
DIGESTS: Final = ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b")
DOMAINS: Final = ("commitment", "document")  # of our own tagged digests
# How bytes are looked at: as they are, without regard to case, and without what people put between digits.
AS_IS, FOLDED, BARE = range(3)


class Trace(Plain):
    """A known value that was found: which, where, and in which form."""

    value: str
    where: str
    form: str


def find_personal(places: Iterable[tuple[str, bytes]], values: Iterable[str]) -> tuple[Trace, ...]:
    """Search each place (its name, its bytes) for each known value; values are names, numbers, addresses."""
    wanted = {value: _distinct(forms_of(value)) for value in values}
    found = []
    for where, data in places:
        looks = (data, data.lower(), data.lower().translate(None, SEPARATORS.encode()))
        for value, forms in wanted.items():
            hit = next((form for (needle, look), form in forms.items() if needle in looks[look]), None)
            if hit:
                found.append(Trace(value, where, hit))
    return tuple(found)


def find_secret(places: Iterable[tuple[str, bytes]], salt: bytes, candidates: Iterable[bytes]) -> bytes | None:
    """Try every candidate with a known salt against commitments in these places: as an attacker with the salt does."""
    whole = b"\n".join(data for _, data in places)
    lowered = whole.lower()
    tries = ((candidate, digest("commitment", salt + candidate)) for candidate in candidates)
    return next((one for one, tried in tries if tried in whole or tried.hex().encode() in lowered), None)


def forms_of(value: str) -> Iterator[tuple[bytes, int, str]]:
    """Yield the bytes to look for, each with how to look and the name of its form."""
    if len(value.strip()) < LEAST:
        raise UsageError(f"{value!r} is too short to search for: give at least {LEAST} characters")
    for spelling in sorted(spellings(value)):
        raw = spelling.encode()
        for encoding in ENCODINGS:
            with suppress(UnicodeEncodeError):
                yield spelling.encode(encoding).lower(), FOLDED, "plain" if encoding == "utf-8" else encoding
        yield json.dumps(spelling)[1:-1].lower().encode(), FOLDED, "JSON"
        yield from ((coded(spelling).lower().encode(), FOLDED, "URL") for coded in (quote, quote_plus))
        yield raw.hex().encode(), FOLDED, "hexadecimal"
        yield from ((part, AS_IS, "base64") for part in _inside_base64(raw))
        for made in _digests(raw):
            yield made, AS_IS, "digest without salt"
            yield made.hex().encode(), FOLDED, "digest in hexadecimal"
            for coded in (b64encode(made), urlsafe_b64encode(made)):
                yield coded.rstrip(b"="), AS_IS, "digest in base64"
    bare = _bare(value).lower()
    if len(bare) >= LEAST:
        yield bare.encode(), BARE, "without separators"
    yield from ((number, AS_IS, "number") for number in _numbers(bare))


def _distinct(forms: Iterable[tuple[bytes, int, str]]) -> dict[tuple[bytes, int], str]:
    """Name each form once, by the simplest name."""
    found: dict[tuple[bytes, int], str] = {}
    for needle, look, form in forms:
        found.setdefault((needle, look), form)
    return found


def _bare(value: str) -> str:
    return "".join(char for char in value if char not in SEPARATORS)


def _numbers(digits: str) -> Iterator[bytes]:
    """Yield how programs keep a number, the highest byte first or last."""
    number = int(digits) if digits.isascii() and digits.isdecimal() else 0
    size = (number.bit_length() + 7) // 8
    if size >= LEAST:
        yield from (number.to_bytes(size, "big"), number.to_bytes(size, "little"))


def spellings(value: str) -> set[str]:
    """Return a value as people would write it: in small and capital letters, without separators, composed."""
    found = {value, value.lower(), value.upper(), value.replace(" ", ""), _bare(value)}
    found |= {unicodedata.normalize(form, one) for form in ("NFC", "NFD") for one in found}
    return {one for one in found if len(one) >= LEAST}


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
