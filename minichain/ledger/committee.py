"""Who certifies a block, and every quorum formula, written once.

With total weight W and faulty weight below W/3, two sets each heavier than 2W/3 share more than W/3, so at least
one correct member is in both: two conflicting certificates cannot exist (arXiv:1807.04938, section 3).
All comparisons are strict and in integers.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property, lru_cache

from minichain.codec import Record, decode_own, encode
from minichain.crypto import KEY_SIZE, did_of, digest
from minichain.errors import ConfigError

MAX_MEMBERS = 1_000
MAX_WEIGHT = 2**40
MAX_NAME = 64


class Member(Record):
    """One member organisation's validator: a name for people, a public key, a voting weight.

    `owner` says who runs it, where that is somebody else than the name says: two validators of one owner are one
    when it is asked who could stop the chain.
    """

    name: str
    public: bytes
    weight: int = 1
    owner: str = ""

    @property
    def did(self) -> str:
        return did_of(self.public)


class Committee:
    """The weighted members that certify a block."""

    def __init__(self, members: Iterable[Member]) -> None:
        self.members = tuple(members)
        self._weights = {member.public: member.weight for member in self.members}
        self.total = sum(self._weights.values())
        _require_sound(self.members)

    @cached_property
    def hash(self) -> bytes:
        """Return the hash that headers carry."""
        return digest("committee", encode(self.members))

    @cached_property
    def order(self) -> dict[bytes, int]:
        """Return the position of each member's key; certificates list signatures in this order."""
        return {member.public: position for position, member in enumerate(self.members)}

    def weight(self, public: bytes) -> int:
        """Return a member's weight; 0 for anybody else."""
        return self._weights.get(public, 0)

    def weigh(self, keys: Iterable[bytes]) -> int:
        """Add up the weight of distinct keys."""
        return sum(self._weights.get(public, 0) for public in set(keys))

    def is_quorum(self, weight: int) -> bool:
        """More than two thirds: enough to decide ("2f + 1")."""
        return 3 * weight > 2 * self.total

    def is_majority(self, weight: int) -> bool:
        """More than half: any two such sets share a member, which is enough where nobody lies."""
        return 2 * weight > self.total

    def distance(self, other: Committee) -> int:
        """Return by how much weight two committees differ. Majorities of two always meet if it is at most 1."""
        keys = self._weights.keys() | other._weights.keys()
        return sum(abs(self.weight(key) - other.weight(key)) for key in keys)

    def has_correct_member(self, weight: int) -> bool:
        """More than one third: at least one of them is not faulty ("f + 1")."""
        return 3 * weight > self.total

    def can_lose(self, weight: int) -> bool:
        """Tell whether the rest still decides when members of this weight are gone."""
        return self.is_quorum(self.total - weight)


# --- which committee, when ---------------------------------------------------------------------------------------


class Term(Record):
    """These members certify the blocks from height `first` on, until the next term begins."""

    first: int
    members: tuple[Member, ...]


def first_terms(members: tuple[Member, ...]) -> bytes:
    """Return what the state of a new chain says about its committees: one term, without an end."""
    return encode((Term(1, members),))


@lru_cache(maxsize=256)
def committee_at(terms: bytes, height: int) -> Committee:
    """Return the committee of a height, by what the state says about its terms."""
    begun = [term for term in decode_own(terms, tuple[Term, ...]) if term.first <= height]
    return _committee(begun[-1].members)


@lru_cache(maxsize=64)
def _committee(members: tuple[Member, ...]) -> Committee:
    return Committee(members)


def certifies_from(terms: bytes, height: int, public: bytes) -> bool:
    """Tell whether a key is a member at a height, or in a committee that is planned."""
    planned = [term for term in decode_own(terms, tuple[Term, ...]) if term.first > height]
    committees = [committee_at(terms, height), *(_committee(term.members) for term in planned)]
    return any(committee.weight(public) for committee in committees)


def with_term(terms: bytes, height: int, term: Term) -> bytes:
    """Return the terms after block `height` has planned another one; it replaces those that begin no earlier.

    Raises `ConfigError` if it would begin in the past, or its members are no committee.
    """
    if term.first <= height:
        raise ConfigError(f"a committee cannot begin at height {term.first}: block {height} is being made")
    Committee(term.members)
    kept = [old for old in decode_own(terms, tuple[Term, ...]) if old.first < term.first]
    begun = [old for old in kept if old.first <= height]
    return encode((begun[-1], *(old for old in kept if old.first > height), term))


def _require_sound(members: tuple[Member, ...]) -> None:
    if not 1 <= len(members) <= MAX_MEMBERS:
        raise ConfigError(f"a committee has 1 to {MAX_MEMBERS} members, not {len(members)}")
    if len({member.public for member in members}) < len(members):
        raise ConfigError("two members of the committee have the same key: give each its own")
    if len({member.name for member in members}) < len(members):
        raise ConfigError("two members of the committee have the same name: give each its own")
    for member in members:
        if not 1 <= len(member.name) <= MAX_NAME or not member.name.isprintable() or set(member.name) & set("/\\"):
            raise ConfigError(f"member name {member.name!r}: use 1 to {MAX_NAME} printable characters, no slashes")
        if len(member.owner) > MAX_NAME or not (member.owner.isprintable() or not member.owner):
            raise ConfigError(f"{member.name}: an owner's name has at most {MAX_NAME} printable characters")
        if not 1 <= member.weight <= MAX_WEIGHT:
            raise ConfigError(f"{member.name}: a weight is 1 to {MAX_WEIGHT}, not {member.weight}")
        if len(member.public) != KEY_SIZE:
            raise ConfigError(f"{member.name}: a public key has {KEY_SIZE} bytes, not {len(member.public)}")
