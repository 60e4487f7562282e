"""The arrival code: what the doctor found on one computer, short enough to be read out across a room.

Eight letters and digits, none of which sounds or looks like another: version (14 bits), minor version of Python (4),
what is not well (12), and a check of 10 bits that finds each wrong letter and each pair that changed places.
It names no person and no computer.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from minichain.errors import UsageError

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U
ALIKE: Final = str.maketrans("OIL", "011")
LENGTH: Final = 8
PARTS: Final = (4, 5, 5)  # bits of major, minor and patch
PYTHON: Final = 4
FINDINGS: Final = 12
CHECK: Final = 10
DIVISOR: Final = 0b11000110011  # of ITU-T I.610: finds any error within ten bits, so within two letters


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a code says; `ill` are the places of what is not well in the doctor's order."""

    version: str
    python: str
    ill: tuple[int, ...]


def code(version: str, ill: Sequence[int], python: int = sys.version_info.minor) -> str:
    """Return the code of a computer; a version that is none counts as 0.0.0."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    content = 0
    for part, bits in zip(map(int, found.groups()) if found else (0, 0, 0), PARTS, strict=True):
        content = content << bits | min(part, 2**bits - 1)
    content = content << PYTHON | min(python, 2**PYTHON - 1)
    content = content << FINDINGS | sum(1 << place for place in ill)
    whole = content << CHECK | _remainder(content << CHECK)
    letters = "".join(ALPHABET[whole >> 5 * place & 31] for place in reversed(range(LENGTH)))
    return f"{letters[:4]}-{letters[4:]}"


def read(text: str) -> Arrival:
    """Read a code as it was heard. Raises `UsageError` that says what is wrong with it."""
    letters = re.sub(r"[\s-]", "", text).upper().translate(ALIKE)
    if strange := set(letters) - set(ALPHABET):
        raise UsageError(f"no arrival code has {', '.join(sorted(strange))} in it: ask for it letter by letter")
    if len(letters) != LENGTH:
        raise UsageError(f"an arrival code has {LENGTH} letters and digits, this has {len(letters)}")
    whole = sum(ALPHABET.index(letter) << 5 * place for place, letter in enumerate(reversed(letters)))
    if _remainder(whole):
        raise UsageError("a letter of this arrival code is wrong: ask for it once more, letter by letter")
    content = whole >> CHECK
    ill = tuple(place for place in range(FINDINGS) if content >> place & 1)
    content >>= FINDINGS
    python, content = content & (2**PYTHON - 1), content >> PYTHON
    major, minor, patch = content >> 10, content >> 5 & 31, content & 31
    return Arrival(f"{major}.{minor}.{patch}", f"3.{python}", ill)


def _remainder(number: int) -> int:
    """Divide polynomials over two elements; what is left is the check."""
    while number.bit_length() > CHECK:
        number ^= DIVISOR << number.bit_length() - CHECK - 1
    return number
