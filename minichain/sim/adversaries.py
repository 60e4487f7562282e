"""Faulty members, for tests and lessons: each turns what a correct node would send into what this one sends.

A committee bears them while their weight is less than a third of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Final

from minichain.codec import encode
from minichain.consensus.bft import Vote
from minichain.consensus.bft.messages import cast_vote
from minichain.crypto import KeyPair
from minichain.errors import DecodeError
from minichain.ledger.certificate import PRECOMMIT
from minichain.node.messages import Position, read_peer_message

FLOOD: Final = 20
FAR: Final = 10**9


def silent(receiver: str, data: bytes, random: Random) -> Iterable[bytes]:
    """Say nothing to anybody."""
    return ()


def garbage(receiver: str, data: bytes, random: Random) -> Iterable[bytes]:
    """Send the message, a damaged one, and noise."""
    place = random.randrange(len(data))
    damaged = data[:place] + bytes([data[place] ^ 1 << random.randrange(8)]) + data[place + 1 :]
    return data, damaged, data + b"\0", data[:-1], random.randbytes(random.randrange(200))


def flood(receiver: str, data: bytes, random: Random) -> Iterable[bytes]:
    """Send everything many times."""
    return [data] * FLOOD


def lie_about_height(receiver: str, data: bytes, random: Random) -> Iterable[bytes]:
    """Claim to be far ahead, and to lack everything."""
    return data, encode(Position(FAR, 0)), encode(Position(1, FAR)), encode(Position(-1, -1))


class Replayer:
    """Sends old messages again, at random."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []

    def __call__(self, receiver: str, data: bytes, random: Random) -> Iterable[bytes]:
        self._kept = [*self._kept[-200:], data]
        return [data, *random.sample(self._kept, min(3, len(self._kept)))]


class Equivocator:
    """Tells half of the members that it votes for nil whenever it votes for a block."""

    def __init__(self, key: KeyPair, genesis: bytes, deceived: Iterable[str]) -> None:
        self._key = key
        self._genesis = genesis
        self._deceived = frozenset(deceived)

    def __call__(self, receiver: str, data: bytes, random: Random) -> Iterable[bytes]:
        try:
            message = read_peer_message(data)
        except DecodeError:
            return (data,)
        if not isinstance(message, Vote) or message.voter != self._key.public or message.block_id is None:
            return (data,)
        if receiver not in self._deceived:
            return (data,)
        return (encode(cast_vote(self._key, self._genesis, message.kind, message.height, message.round, None)),)


class DoubleTalker(Equivocator):
    """Sends both of its contradicting precommits to everybody: the plainest evidence there is."""

    def __call__(self, receiver: str, data: bytes, random: Random) -> Iterable[bytes]:
        other = tuple(super().__call__(receiver, data, random))
        message = read_peer_message(data)
        is_precommit = isinstance(message, Vote) and message.kind == PRECOMMIT
        return (data, *other) if is_precommit else (data,)
