"""Units that an account pledges to a contract, such as the deposit of a proposal: the contract still has none itself.

What the contract does not hold, the giver takes back at any time. What it holds it can only let go, back to the giver,
or burn: it can neither keep units nor give them to anybody else. What was burnt is counted, so none is ever lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from minichain.codec import Record, decode_own, encode
from minichain.contracts.values import fault
from minichain.crypto import did_of, public_of
from minichain.errors import DecodeError
from minichain.ledger.state import BURNT_KEY, contract_key
from minichain.ledger.types import Event

if TYPE_CHECKING:
    from minichain.contracts.runtime import Frame, Runtime

GAS_PLEDGE: Final = 5_000


class Pledge(Record):
    """Units of one giver with one contract: `free` to be taken back, and `held` until the contract decides."""

    free: int = 0
    held: int = 0


_PREFIX: Final = encode(["pledge", "", b""])[: -len(encode("") + encode(b""))]


def pledge_key(contract: str, giver: bytes) -> bytes:
    """Return the state key of what an account, by its public key, has pledged to a contract."""
    return encode(["pledge", contract, giver])


def units_pledged(key: bytes, value: bytes) -> int:
    """Return the units that a value of the state keeps as a pledge."""
    if not key.startswith(_PREFIX):
        return 0
    pledge = decode_own(value, Pledge)
    return pledge.free + pledge.held


# --- what the giver does -----------------------------------------------------------------------------------------


def pledge(_runtime: Runtime, frame: Frame, *, to: Any, amount: Any) -> None:
    """Pledge own units to a contract."""
    giver = _account(frame.asking, "who pledges units")
    if not isinstance(to, str) or frame.overlay.get(contract_key(to)) is None:
        fault("ledger.pledge: `to` is not the name of a contract there is")
    balance = frame.overlay.account(giver).balance
    if balance < _positive(amount):
        fault(f"the balance is {balance}, less than the {amount} to be pledged")
    frame.overlay.add_units(giver, -amount)
    _change(frame, to, giver, amount, free=1)
    _announce(frame, "Pledged", to, giver, amount)


def unpledge(_runtime: Runtime, frame: Frame, *, to: Any, amount: Any) -> None:
    """Take back what one has pledged and the contract does not hold."""
    giver = _account(frame.asking, "who takes a pledge back")
    _change(frame, to, giver, amount, free=-1)
    frame.overlay.add_units(giver, amount)
    _announce(frame, "Unpledged", to, giver, amount)


# --- what the contract does --------------------------------------------------------------------------------------


def hold(_runtime: Runtime, frame: Frame, *, of: Any, amount: Any) -> None:
    """Hold units that somebody has pledged to the contract that asks."""
    giver = _account(of, "`of`")
    _change(frame, frame.asking, giver, amount, free=-1, held=1)
    _announce(frame, "Held", frame.asking, giver, amount)


def release(_runtime: Runtime, frame: Frame, *, of: Any, amount: Any) -> None:
    """Let units go that the contract that asks holds: they are their giver's again."""
    giver = _account(of, "`of`")
    _change(frame, frame.asking, giver, amount, held=-1)
    frame.overlay.add_units(giver, amount)
    _announce(frame, "Released", frame.asking, giver, amount)


def burn(_runtime: Runtime, frame: Frame, *, of: Any, amount: Any) -> None:
    """Destroy units that the contract that asks holds."""
    giver = _account(of, "`of`")
    _change(frame, frame.asking, giver, amount, held=-1)
    burnt = int.from_bytes(frame.overlay.get(BURNT_KEY) or b"")
    frame.overlay.put(BURNT_KEY, (burnt + amount).to_bytes(16))
    _announce(frame, "Burnt", frame.asking, giver, amount)


def _account(did: Any, who: str) -> bytes:
    try:
        return public_of(did if isinstance(did, str) else "")
    except DecodeError:
        fault(f"{who} is an account: its did:key is needed")


def _positive(amount: Any) -> int:
    return amount if type(amount) is int and amount > 0 else fault("an amount of units is a positive integer")


def _change(frame: Frame, contract: Any, giver: bytes, amount: Any, *, free: int = 0, held: int = 0) -> None:
    """Add an amount to what is free and held, times 1 or -1; refuse to go below nothing."""
    frame.meter.charge(GAS_PLEDGE)
    _positive(amount)
    key = pledge_key(contract if isinstance(contract, str) else "", giver)
    stored = frame.overlay.get(key)
    was = decode_own(stored, Pledge) if stored else Pledge()
    now = Pledge(was.free + free * amount, was.held + held * amount)
    if now.free < 0:
        fault(f"only {was.free} units are pledged to {contract} and free, less than {amount}: pledge them first")
    if now.held < 0:
        fault(f"{contract} holds only {was.held} units of this account, less than {amount}")
    frame.overlay.put(key, encode(now) if now != Pledge() else None)


def _announce(frame: Frame, event: str, contract: str, giver: bytes, amount: int) -> None:
    frame.announce(Event("ledger", event, {"contract": contract, "account": did_of(giver), "amount": amount}))


ACTIONS: Final[dict[str, tuple[Callable[..., Any], tuple[str, ...]]]] = {
    "pledge": (pledge, ("to", "amount")),
    "unpledge": (unpledge, ("to", "amount")),
    "hold": (hold, ("of", "amount")),
    "release": (release, ("of", "amount")),
    "burn": (burn, ("of", "amount")),
}
