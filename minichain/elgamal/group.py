"""The prime-order group of Ed25519 by libsodium: points are 32 bytes, secrets are integers modulo `ORDER`.

A point from outside is one only if `is_point` says so: on the curve, in its only encoding, in the group of prime order,
and not the identity. A multiplication tells, not `crypto_core_ed25519_is_valid_point`: until the end of 2025 libsodium
took points with a part of order two for valid (CVE-2025-69277), and all validators must say the same. Sums may be the
identity, which libsodium does not multiply; that is done here. Nothing here hides how long it takes: whoever measures
the device of a voter or a trustee while it works may learn something.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha512
from math import isqrt
from typing import Final

import nacl.bindings
import nacl.exceptions

from minichain.codec import encode
from minichain.errors import DecodeError

if not nacl.bindings.has_crypto_scalarmult_ed25519:  # nothing would be a point, and this validator alone would say so
    raise ImportError("this is a minimal build of libsodium, without Ed25519's group: install PyNaCl as its own wheel")

ORDER: Final = 2**252 + 27742317777372353535851937790883648493  # RFC 8032, section 5.1
SIZE: Final = 32  # bytes of a point, and of a scalar
BASE: Final = b"X" + b"f" * 31  # RFC 8032, section 5.1: y = 4/5, x even
IDENTITY: Final = b"\1" + bytes(31)
MAX_LOGARITHM: Final = 2**32  # a search takes some 2**17 additions, two seconds


def scalar_of(purpose: str, *parts: object) -> int:
    """Hash plain values to an integer modulo `ORDER`, evenly: 512 bits leave no bias that matters."""
    tagged = b"minichain:" + purpose.encode() + b"\0" + encode(parts)
    return int.from_bytes(sha512(tagged).digest(), "little") % ORDER


def pack(*scalars: int) -> bytes:
    """Write scalars one after the other, each in 32 bytes, the lowest first."""
    return b"".join((scalar % ORDER).to_bytes(SIZE, "little") for scalar in scalars)


def unpack(data: bytes) -> list[int]:
    """Read what `pack` wrote; raises `DecodeError` for a scalar that is not in its only form."""
    scalars = [int.from_bytes(part, "little") for part in split(data)]
    if any(scalar >= ORDER for scalar in scalars):
        raise DecodeError("a number is not written in its only form, below the order of the group")
    return scalars


def split(data: bytes) -> list[bytes]:
    """Cut data into pieces of 32 bytes; raises `DecodeError` if they do not come out even."""
    if len(data) % SIZE:
        raise DecodeError(f"{len(data)} bytes are no whole number of pieces of {SIZE}")
    return [data[first : first + SIZE] for first in range(0, len(data), SIZE)]


def is_point(data: bytes) -> bool:
    """Tell whether bytes from outside are a point of the group, other than the identity."""
    return len(data) == SIZE and remembered_point(data)


@lru_cache(maxsize=4_096)  # the same ballot is looked at when it is proposed, executed and counted again
def remembered_point(data: bytes) -> bool:
    """Do as `is_point` for 32 bytes, and remember it."""
    try:
        negated = nacl.bindings.crypto_scalarmult_ed25519_noclamp(_BEFORE_ORDER, data)
    except nacl.exceptions.CryptoError:
        return False
    return negated == negate(data)  # (order - 1) * P is -P for a P of this order, and for no other


_BEFORE_ORDER: Final = (ORDER - 1).to_bytes(SIZE, "little")


def negate(point: bytes) -> bytes:
    """Return the point that adds up to the identity with this one."""
    return point if point == IDENTITY else point[:-1] + bytes([point[-1] ^ 0x80])


def add(one: bytes, other: bytes) -> bytes:
    """Add two points."""
    return nacl.bindings.crypto_core_ed25519_add(one, other)


def subtract(one: bytes, other: bytes) -> bytes:
    """Subtract a point from another one."""
    return nacl.bindings.crypto_core_ed25519_sub(one, other)


def multiply(factor: int, point: bytes = BASE) -> bytes:
    """Add a point to itself so many times; a factor below zero counts from the other side."""
    factor %= ORDER
    if factor == 0 or point == IDENTITY:
        return IDENTITY
    scalar = factor.to_bytes(SIZE, "little")
    if point == BASE:
        return nacl.bindings.crypto_scalarmult_ed25519_base_noclamp(scalar)
    return point if factor == 1 else nacl.bindings.crypto_scalarmult_ed25519_noclamp(scalar, point)


def combine(factors: Sequence[int], points: Sequence[bytes]) -> bytes:
    """Add up multiples of points; raises `DecodeError` for a point that is none."""
    if len(factors) != len(points):
        raise DecodeError(f"{len(factors)} factors do not fit {len(points)} points")
    total = IDENTITY
    for place, (factor, point) in enumerate(zip(factors, points, strict=True), 1):
        if point != IDENTITY and not is_point(point):
            raise DecodeError(f"point {place} is not a point of the group")
        total = add(total, multiply(factor, point))
    return total


def interpolate(shares: dict[int, int]) -> dict[int, int]:
    """Return by what the value of a polynomial at each place is multiplied to get its value at 0 (Lagrange).

    Only the places (1, 2, ...) matter, not the values.
    """
    factors = {}
    for place in shares:
        above = below = 1
        for other in shares:
            if other != place:
                above, below = above * other % ORDER, below * (other - place) % ORDER
        factors[place] = above * pow(below, -1, ORDER) % ORDER
    return factors


def logarithm(point: bytes, most: int) -> int | None:
    """Find the number from 0 to `most` whose multiple of the base this is, by baby and giant steps (D. Shanks, 1971).

    None: there is none. Takes about twice the square root of `most` additions.
    """
    if most > MAX_LOGARITHM:
        raise DecodeError(f"a count of up to {most} would take too long to find: at most {MAX_LOGARITHM}")
    width = isqrt(most) + 1
    small = {IDENTITY: 0}
    step = IDENTITY
    for number in range(1, width):
        step = add(step, BASE)
        small[step] = number
    giant = multiply(width)
    for turn in range(width + 1):
        if point in small and (found := turn * width + small[point]) <= most:
            return found
        point = subtract(point, giant)
    return None
