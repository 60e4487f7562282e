"""Where members listen, as one of them knows it. What a member says of itself counts most."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

Place = tuple[bytes, str]  # a member's key, and its address
IsMember = Callable[[bytes], int]  # more than 0 for members

DOOR: Final = re.compile(r"tcp://[A-Za-z0-9.:\[\]-]{1,255}:[0-9]{1,5}")  # anything else is no place on a network


class Acquaintances:
    """The addresses that a node knows, its own among them."""

    def __init__(self, known: Mapping[bytes, str]) -> None:
        self._addresses = dict(known)

    def get(self, member: bytes) -> str:
        """Return where a member listens; empty if that is not known."""
        return self._addresses.get(member, "")

    def learn(self, teller: bytes, told: Iterable[Place], is_member: IsMember) -> tuple[Place, ...]:
        """Take what somebody says of members; return what of it is new."""
        fresh = {
            member: address
            for member, address in told
            if is_member(member) and self._addresses.get(member) != address
            if member == teller or member not in self._addresses
            if DOOR.fullmatch(address)
        }
        self._addresses |= fresh
        return tuple(fresh.items())

    def members(self, is_member: IsMember) -> tuple[Place, ...]:
        """Return where those listen who are members now."""
        return tuple(place for place in self._addresses.items() if is_member(place[0]))
