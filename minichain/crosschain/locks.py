"""Units locked under a digest and a time: who shows what has that digest gets them, and after the time they go back.

With one such lock on each of two chains, under the same digest, two people swap units and need nobody between them:
who takes one thereby shows the other how to take the second. The lock that is made first must end last, by as
much as the clocks may differ, and it takes to see a block of the other chain and to get an answer into one of this; who
waits until the end loses (T. Nolan, 2013).

A lock is open until its time, by the time of blocks, and over after it: never both.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

from minichain.codec import Record, decode_own, encode
from minichain.contracts.runtime import Frame, Runtime
from minichain.contracts.values import fault
from minichain.crypto import DIGEST_SIZE, did_of, public_of
from minichain.errors import DecodeError
from minichain.ledger.genesis import Genesis
from minichain.ledger.types import Event

GAS_LOCK: Final = 5_000
MAX_SECRET: Final = 64  # bytes
MAX_MS: Final = 31_622_400_000  # a year


class Lock(Record):
    """Units of `giver` for `taker`, by their public keys, until a block time in milliseconds."""

    giver: bytes
    taker: bytes
    amount: int
    digest: bytes
    until: int


_PREFIX: Final = encode(["lock", bytes(DIGEST_SIZE)])[:-DIGEST_SIZE]


def lock_key(lock: bytes) -> bytes:
    """Return the state key of a lock, by its number: 32 bytes."""
    return _PREFIX + lock


def units_locked(key: bytes, value: bytes) -> int:
    """Return the units that a value of the state locks."""
    return decode_own(value, Lock).amount if key.startswith(_PREFIX) else 0


def _lock(
    runtime: Runtime,
    genesis: Genesis,
    frame: Frame,
    sender: bytes,
    *,
    to: Any,
    amount: Any,
    digest: Any,
    within_ms: Any,
) -> bytes:
    """Lock own units; returns the number of the lock."""
    if type(amount) is not int or amount <= 0 or type(within_ms) is not int or not 1 <= within_ms <= MAX_MS:
        fault(f"ledger.lock takes `amount`, a positive integer, and `within_ms`, from 1 to {MAX_MS}")
    if type(digest) is not bytes or len(digest) != DIGEST_SIZE:
        fault(f"ledger.lock takes `digest`, the SHA-256 of a secret: {DIGEST_SIZE} bytes")
    try:
        taker = public_of(to if isinstance(to, str) else "")
    except DecodeError:
        fault("ledger.lock: `to` is not the did:key of an Ed25519 key")
    frame.meter.charge(GAS_LOCK)
    account = frame.overlay.account(sender)
    if account.balance < amount:
        fault(f"the balance is {account.balance}, less than the {amount} to be locked")
    made = Lock(sender, taker, amount, digest, frame.now_ms + within_ms)
    number = sha256(encode([sender, account.nonce, len(frame.events)])).digest()
    frame.overlay.add_units(sender, -amount)
    frame.overlay.put(lock_key(number), encode(made))
    told = {"lock": number, "from": did_of(sender), "to": to, "amount": amount, "digest": digest, "until": made.until}
    frame.announce(Event("ledger", "Locked", told))
    return number


def _claim(runtime: Runtime, genesis: Genesis, frame: Frame, sender: bytes, *, lock: Any, secret: Any) -> int:
    """Take what is locked for oneself, with the secret; whoever sees this block knows it too."""
    found = _found(frame, lock)
    if found.taker != sender:
        fault("these units are locked for somebody else")
    if frame.now_ms > found.until:
        fault("its time is over: these units go back to who locked them")
    if type(secret) is not bytes or len(secret) > MAX_SECRET or sha256(secret).digest() != found.digest:
        fault(f"this is not the secret, which has at most {MAX_SECRET} bytes")
    return _release(frame, lock, found.taker, found.amount, "Claimed", secret=secret)


def _reclaim(runtime: Runtime, genesis: Genesis, frame: Frame, sender: bytes, *, lock: Any) -> int:
    """Let the units of a lock whose time is over go back; anybody may ask for that."""
    found = _found(frame, lock)
    if frame.now_ms <= found.until:
        fault(f"its time is not over: until {found.until}, block time in ms, who knows the secret may take them")
    return _release(frame, lock, found.giver, found.amount, "Reclaimed")


def _found(frame: Frame, lock: Any) -> Lock:
    frame.meter.charge(GAS_LOCK)
    stored = frame.overlay.get(lock_key(lock)) if type(lock) is bytes and len(lock) == DIGEST_SIZE else None
    if stored is None:
        fault("there is no such lock: it was claimed or reclaimed, or never made")
    return decode_own(stored, Lock)


def _release(frame: Frame, lock: bytes, to: bytes, amount: int, how: str, **shown: bytes) -> int:
    frame.overlay.put(lock_key(lock), None)
    frame.overlay.add_units(to, amount)
    frame.announce(Event("ledger", how, {"lock": lock, "to": did_of(to), "amount": amount, **shown}))
    return amount


ACTIONS: Final[dict[str, tuple[Callable[..., Any], tuple[str, ...]]]] = {
    "lock": (_lock, ("to", "amount", "digest", "within_ms")),
    "claim": (_claim, ("lock", "secret")),
    "reclaim": (_reclaim, ("lock",)),
}
