"""Encrypted votes: for each choice 0 or 1, closed under the key of an election, with a proof that this is all.

A choice is closed by exponential ElGamal (Cramer, Gennaro and Schoenmakers, Eurocrypt 1997): A = r*G, B = v*G + r*K.
The proof says of each choice that v is 0 or 1, and of the sum of all that it is from `least` to `most`: "one of these
values" is the disjunction of Cramer, Damgård and Schoenmakers (Crypto 1994) over Chaum and Pedersen's proof, and they
all answer one challenge, which hashes the election, the voter and the whole ballot (see `proofs`). So a ballot that was
copied, changed, or made for another voter or election proves nothing; and only who knows the votes can make one.

    ballot = (A, B) of each choice | challenge | of each statement: challenges of all values but the last, all answers
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Final, NamedTuple

from minichain.elgamal.group import IDENTITY, SIZE, add, is_point, multiply, pack, scalar_of, split, subtract, unpack
from minichain.errors import DecodeError, UsageError

MAX_CHOICES: Final = 32

Pair = tuple[bytes, bytes]  # a ciphertext (A, B)


class Form(NamedTuple):
    """What a ballot may say: of how many choices, how many at least and at most."""

    choices: int
    least: int
    most: int

    @property
    def fault(self) -> str:
        """Say why there can be no such ballot; empty if there can."""
        if not 1 <= self.choices <= MAX_CHOICES:
            return f"a ballot has 1 to {MAX_CHOICES} choices"
        in_order = 0 <= self.least <= self.most <= self.choices
        return "" if in_order else f"of {self.choices} choices, {self.least} to {self.most} cannot be taken"

    @property
    def values(self) -> list[range]:
        """What each statement of the proof allows: 0 or 1 for each choice, then the sum of all."""
        return [range(2)] * self.choices + [range(self.least, self.most + 1)]

    @property
    def size(self) -> int:
        """Return the bytes of a ballot."""
        return SIZE * (2 * self.choices + 1 + sum(2 * len(values) - 1 for values in self.values))

    @property
    def multiplications(self) -> int:
        """Return how often a point is multiplied to check one: four times for each value, and for each point once."""
        return 4 * sum(map(len, self.values)) + 2 * self.choices


class _Statement(NamedTuple):
    """That a ciphertext holds one of these values."""

    pair: Pair
    values: range


def close(form: Form, key: bytes, context: bytes, votes: Sequence[int], seed: bytes) -> bytes:
    """Encrypt votes, 0 or 1 for each choice, for one election and voter (`context`), and prove them well formed.

    `seed` is 32 secret bytes used for this ballot only; who has them can read it. The same arguments give the same
    ballot, which is what an audit asks for (see `is_opened_by`). Raises `UsageError` for votes the form does not allow.
    """
    _require_allowed(form, votes)
    if len(seed) != SIZE:
        raise UsageError(f"the seed of a ballot has {SIZE} bytes")
    chance = _chance(seed, form, key, context, votes)
    blinds = [next(chance) for _ in votes]
    pairs = [
        (multiply(blind), add(multiply(vote), multiply(blind, key))) for vote, blind in zip(votes, blinds, strict=True)
    ]
    secrets = [*zip(votes, blinds, strict=True), (sum(votes), sum(blinds))]
    proven = [
        _Proven(statement, key, *secret, chance)
        for statement, secret in zip(_statements(form, pairs), secrets, strict=True)
    ]
    commitments = [pair for one in proven for pair in one.commitments]
    challenge = _challenge(form, key, context, pairs, commitments)
    return b"".join([*map(b"".join, pairs), pack(challenge), *(one.answered(challenge) for one in proven)])


def fault_of(form: Form, key: bytes, context: bytes, ballot: bytes) -> str:
    """Say why a ballot may not be counted in this election for this voter (`context`); empty if it may."""
    if form.fault or not is_point(key):
        return form.fault or "the key of the election is not a point of the group"
    if len(ballot) != form.size:
        return f"a ballot of {form.choices} choices has {form.size} bytes here, not {len(ballot)}: it is malformed"
    pairs = ciphertexts(form, ballot)
    for place, pair in enumerate(pairs, 1):
        if not all(map(is_point, pair)):
            return f"choice {place} of the ballot is no ciphertext: it is malformed"
    try:
        challenge, *numbers = unpack(ballot[2 * SIZE * form.choices :])
    except DecodeError:
        return "the proof of the ballot is malformed: one of its numbers is not in its only form"
    if challenge == _challenge(form, key, context, pairs, _shown(form, key, pairs, challenge, numbers)):
        return ""
    allowed = str(form.least) if form.least == form.most else f"{form.least} to {form.most}"
    return (
        f"the ballot does not prove that it takes {allowed} of {form.choices} choices, each at most once: it was "
        "changed, copied, or made for another voter, election or key"
    )


def ciphertexts(form: Form, ballot: bytes) -> list[Pair]:
    """Return the encrypted choices of a ballot."""
    points = split(ballot[: 2 * SIZE * form.choices])
    return list(zip(points[::2], points[1::2], strict=True))


def is_opened_by(ballot: bytes, form: Form, key: bytes, context: bytes, votes: Sequence[int], seed: bytes) -> bool:
    """Tell whether a device that shows votes and seed had really put these votes into its ballot.

    Benaloh's challenge ("Ballot casting assurance via voter-initiated poll station auditing", EVT 2007): the device
    shows the ballot before it learns whether it will be cast or opened, and one that was opened is not cast.
    """
    try:
        return close(form, key, context, votes, seed) == ballot
    except UsageError:
        return False


def _require_allowed(form: Form, votes: Sequence[int]) -> None:
    if form.fault:
        raise UsageError(form.fault)
    is_allowed = len(votes) == form.choices and all(vote in (0, 1) for vote in votes)
    if not is_allowed or not form.least <= sum(votes) <= form.most:
        raise UsageError(
            f"a ballot says 0 or 1 for each of {form.choices} choices, {form.least} to {form.most} times 1: "
            f"{list(votes)} does not"
        )


def _chance(seed: bytes, form: Form, key: bytes, context: bytes, votes: Sequence[int]) -> Iterator[int]:
    """Draw numbers that follow from the seed and from all that is said: no two ballots ever share one."""
    number = 0
    while True:
        yield scalar_of("chance of a ballot", seed, form, key, context, list(votes), number)
        number += 1


def _statements(form: Form, pairs: Sequence[Pair]) -> list[_Statement]:
    total = reduce(lambda one, other: (add(one[0], other[0]), add(one[1], other[1])), pairs, (IDENTITY, IDENTITY))
    return [_Statement(pair, values) for pair, values in zip([*pairs, total], form.values, strict=True)]


def _challenge(form: Form, key: bytes, context: bytes, pairs: Sequence[Pair], commitments: Sequence[Pair]) -> int:
    return scalar_of("ballot", form, key, context, list(pairs), list(commitments))


def _commitment(statement: _Statement, key: bytes, value: int, challenge: int, answer: int) -> Pair:
    """Return the commitment that this answer to this challenge belongs to, if the ciphertext holds this value."""
    a, b = statement.pair
    return (
        subtract(multiply(answer), multiply(challenge, a)),
        subtract(multiply(answer, key), multiply(challenge, subtract(b, multiply(value)))),
    )


class _Proven:
    """One statement while it is proven: the true value by what is known, the others by answers that came first."""

    def __init__(self, statement: _Statement, key: bytes, value: int, blind: int, chance: Iterator[int]) -> None:
        self._blind = blind
        self._true = statement.values.index(value)
        self._challenges = [next(chance) for _ in statement.values]
        self._answers = [next(chance) for _ in statement.values]
        self._challenges[self._true] = 0  # so that the commitment is the answer's multiple, until it is answered
        self.commitments = [
            _commitment(statement, key, *told)
            for told in zip(statement.values, self._challenges, self._answers, strict=True)
        ]

    def answered(self, challenge: int) -> bytes:
        self._challenges[self._true] = challenge - sum(self._challenges)
        self._answers[self._true] += self._challenges[self._true] * self._blind
        return pack(*self._challenges[:-1], *self._answers)


def _shown(form: Form, key: bytes, pairs: Sequence[Pair], challenge: int, numbers: Sequence[int]) -> list[Pair]:
    """Return the commitments that the numbers of a proof belong to."""
    rest, commitments = iter(numbers), []
    for statement in _statements(form, pairs):
        challenges = [next(rest) for _ in statement.values[:-1]]
        challenges.append(challenge - sum(challenges))
        commitments += [
            _commitment(statement, key, value, part, next(rest))
            for value, part in zip(statement.values, challenges, strict=True)
        ]
    return commitments
