"""An attempt: what a learner answered, and what the check said to it, signed and chained to the one before.

Each kernel writes a chain of its own, so two notebooks never wait for each other. A trainer takes attempts in any
order, any number of times, over a bad wire or from a file: nothing counts twice, and what is missing is seen.
An attempt names its learner by a key. Names and scores are never on a chain of the network.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

import msgspec

from minichain.codec import Plain, from_json, to_json
from minichain.crypto import KeyPair, public_of, require_signature
from minichain.errors import DecodeError

PURPOSE = "attempt"
LARGEST = 64 * 1024  # bytes of one attempt


class Attempt(Plain, forbid_unknown_fields=True):
    """One answer. Times are milliseconds since 1970 on the learner's clock; digests are 64 hexadecimal digits."""

    learner: str  # did:key
    session: str  # names the chain, 16 hexadecimal digits
    number: int  # in its chain, from 1 on
    previous: str  # digest of the attempt before it; empty for the first
    exercise: str
    kind: str  # check, predict, reveal, ticket
    at: int
    answer: str  # JSON of data, source text of a function
    score: int = 0
    of: int = 0
    is_right: bool = False
    cause: str = ""
    misconception: str = ""
    bundle: str = ""  # digest of the material it was made with
    signature: bytes = b""

    @property
    def digest(self) -> str:
        """Return what the next attempt of the chain names."""
        return sha256(to_json(self)).hexdigest()


def is_within(exercise: str, what: str) -> bool:
    """Tell whether an exercise (m06.e1) belongs to a module (m06, or m06.), is this one, or "" means all."""
    return not what or f"{exercise}.".startswith(f"{what.rstrip('.')}.")


def signed(attempt: Attempt, key: KeyPair) -> Attempt:
    """Sign an attempt."""
    return msgspec.structs.replace(attempt, signature=key.sign(PURPOSE, _content(attempt)))


def _content(attempt: Attempt) -> bytes:
    return to_json(msgspec.structs.replace(attempt, signature=b""))


def read_attempt(line: bytes) -> Attempt:
    """Read an attempt from outside. Raises `DecodeError` or `SignatureError`, each with the reason."""
    if len(line) > LARGEST:
        raise DecodeError(f"an attempt of {len(line)} bytes: at most {LARGEST} are taken")
    attempt = from_json(line, Attempt)
    require_signed(attempt)
    return attempt


def require_signed(attempt: Attempt) -> None:
    """Raise `SignatureError` unless the learner that an attempt names has signed it."""
    require_signature(public_of(attempt.learner), PURPOSE, _content(attempt), attempt.signature)


def gaps(attempts: Iterable[Attempt]) -> list[str]:
    """Name what is missing or does not fit in chains of attempts, whatever order they came in."""
    chains: dict[tuple[str, str], dict[int, Attempt]] = {}
    for one in attempts:
        chains.setdefault((one.learner, one.session), {})[one.number] = one
    return [fault for chain in chains.values() for fault in _faults(chain)]


def _faults(chain: dict[int, Attempt]) -> Iterable[str]:
    before = ""
    for number in range(1, max(chain) + 1):
        if number not in chain:
            yield f"session {next(iter(chain.values())).session}: attempt {number} is missing"
            before = ""
            continue
        if before and chain[number].previous != before:
            yield f"session {chain[number].session}: attempt {number} does not follow attempt {number - 1}"
        before = chain[number].digest
