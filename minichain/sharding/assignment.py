"""Who certifies which shard: the definition. The contract `shards` of the coordinating chain does the same, and a test
holds both equal.

Every validator has one seat at most. At the first draw chance places everybody; later each shard gives up at most
`turnover` seats at a time, first those of who may not stay. More than two thirds of its committee therefore stay, so
that it can hand over itself, and whoever trusted it still knows enough of the next one (OmniLedger, section IV.B).

Chance is 32 bytes that many have made together (`mixed`): validators first commit to a secret, then show it. The k who
show last, if they act together, choose among 2**k draws, for each of them may stay silent instead; whoever does is the
first to leave and the last to get a seat.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final

from minichain.errors import ConfigError

RANDOMNESS: Final = 32  # bytes
LEAVE, COME = b"leave", b"come"  # two orders that say nothing about each other

Committees = tuple[tuple[str, ...], ...]  # of each shard, the dids of its members in order; () for a shard without


def commitment(epoch: int, did: str, secret: bytes) -> bytes:
    """Return what a validator commits to; nobody else can commit to the same secret and show it after its owner."""
    return sha256(f"{epoch} {did} ".encode() + secret).digest()


def mixed(former: bytes, secrets: Mapping[str, bytes]) -> bytes:
    """Return the randomness that follows the former one, from the secrets that validators (by did) have shown."""
    seed = sha256(former).digest()
    for did in sorted(secrets):
        seed = sha256(seed + secrets[did]).digest()
    return seed


def draw(
    validators: Collection[str],
    present: Sequence[Collection[str]],
    *,
    size: int,
    turnover: int,
    randomness: bytes,
    late: Collection[str] = (),
    busy: Collection[int] = (),
) -> Committees:
    """Return the committees of the next epoch, of `size` members each, out of the registered validators.

    `late` are validators who kept back a secret: they leave first, and get only a seat that nobody else can take.
    `busy` are shards that have not confirmed their last change: they stay as they are. Raises `ConfigError`.
    """
    _require_sound(validators, present, size, turnover, randomness)
    eligible = frozenset(validators)
    staying = [
        frozenset(members) if shard in busy else _staying(members, eligible, late, turnover, randomness)
        for shard, members in enumerate(present)
    ]
    free = _in_order(eligible.difference(*staying), randomness, COME)
    waiting = [did for did in free if did not in late] + [did for did in free if did in late]
    committees = []
    for shard, members in enumerate(staying):
        needed = 0 if shard in busy else size - len(members)
        if len(waiting) < needed:
            raise ConfigError(
                f"shard {shard} would have {len(members) + len(waiting)} of {size} members: register "
                f"{needed - len(waiting)} more validators"
            )
        committees.append(tuple(sorted([*members, *waiting[:needed]])))
        del waiting[:needed]
    return tuple(committees)


def _staying(
    members: Collection[str], eligible: Collection[str], late: Collection[str], turnover: int, randomness: bytes
) -> frozenset[str]:
    """Return who keeps a seat: all but those who may not stay, then the late ones, then whom chance names."""
    order = _in_order(members, randomness, LEAVE)
    gone = [did for did in order if did not in eligible]
    tardy = [did for did in order if did in eligible and did in late]
    others = [did for did in order if did in eligible and did not in late]
    return frozenset([*gone, *tardy, *others][turnover:])


def _in_order(dids: Iterable[str], randomness: bytes, which: bytes) -> list[str]:
    return sorted(dids, key=lambda did: sha256(randomness + which + did.encode()).digest())


def _require_sound(
    validators: Collection[str], present: Sequence[Collection[str]], size: int, turnover: int, randomness: bytes
) -> None:
    if not present or size < 1:
        raise ConfigError(f"{len(present)} shards of {size} members: there is at least one of each")
    require_turnover(size, turnover)
    if len(randomness) != RANDOMNESS:
        raise ConfigError(f"randomness has {RANDOMNESS} bytes, not {len(randomness)}")
    if len(set(validators)) < len(validators):
        raise ConfigError("a validator is registered twice")
    for shard, members in enumerate(present):
        if len(members) not in (0, size):
            raise ConfigError(f"shard {shard} has {len(members)} members: it begins with {size}, or with none")
    seated = [did for members in present for did in members]
    if len(set(seated)) < len(seated):
        twice = next(did for did in seated if seated.count(did) > 1)
        raise ConfigError(f"{twice} sits twice: every validator has one seat at most")


def require_turnover(size: int, turnover: int) -> None:
    """Raise `ConfigError` unless more than two thirds of a committee stay."""
    if turnover < 0 or 3 * turnover >= size:
        raise ConfigError(f"a turnover of {turnover} is too large: of {size} members more than two thirds stay")
