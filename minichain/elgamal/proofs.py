"""Proofs that somebody knows a secret number, without telling it, made non-interactive by Fiat and Shamir's hash.

The hash is over everything: who proves it, for what (`context`), the whole statement and the commitments. A hash over
the commitments alone is "weak Fiat-Shamir", by which Helios could be cheated (Bernhard, Pereira and Warinschi, "How not
to prove yourself", Asiacrypt 2012): whoever may choose the statement afterwards proves what is not so.
"""

from __future__ import annotations

from collections.abc import Sequence

from minichain.elgamal.group import SIZE, is_point, multiply, pack, scalar_of, subtract, unpack
from minichain.errors import DecodeError

PROOF_SIZE = 2 * SIZE


def prove(context: bytes, secret: int, bases: Sequence[bytes]) -> bytes:
    """Prove that one secret is behind all images `secret * base`; 64 bytes, the same every time.

    With one base that is Schnorr's proof (RFC 8235, section 3), with two Chaum and Pedersen's (Crypto 1992; RFC 9497,
    section 2.2), with more theirs for all at once under one challenge.
    """
    images = [multiply(secret, base) for base in bases]
    # As in RFC 8032 the one-time number follows from the secret and from all that is said: it can never be used twice.
    once = scalar_of("nonce of a proof", pack(secret), context, list(bases), images)
    challenge = _challenge(context, bases, images, [multiply(once, base) for base in bases])
    return pack(challenge, once + challenge * secret)


def knows(context: bytes, bases: Sequence[bytes], images: Sequence[bytes], proof: bytes) -> bool:
    """Tell whether a proof shows that whoever made it knows the one secret that takes each base to its image."""
    if not bases or len(bases) != len(images) or len(proof) != PROOF_SIZE:
        return False
    if not all(map(is_point, (*bases, *images))):
        return False
    try:
        challenge, answer = unpack(proof)
    except DecodeError:
        return False
    commitments = [
        subtract(multiply(answer, base), multiply(challenge, image)) for base, image in zip(bases, images, strict=True)
    ]
    return challenge == _challenge(context, bases, images, commitments)


def _challenge(context: bytes, bases: Sequence[bytes], images: Sequence[bytes], commitments: Sequence[bytes]) -> int:
    return scalar_of("knowledge of a secret", context, list(bases), list(images), list(commitments))
