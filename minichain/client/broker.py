"""Payments through a broker: who has units on two networks pays out on one what is locked for him on the other.

Neither chain needs to know of the other. The receiver makes a secret and tells its digest; the sender locks units for
the broker under it, the broker as many for the receiver on the other chain, for half the time. Whoever takes the second
shows the secret, with which the broker takes the first. Whoever is asleep when his lock ends, loses: nobody else does.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from minichain.client.receipt import Receipt
from minichain.client.wallet import Wallet
from minichain.codec import Record, decode_own
from minichain.crosschain.locks import Lock, lock_key
from minichain.errors import UsageError
from minichain.ledger.types import Call

if TYPE_CHECKING:
    from minichain.client.network import Network

WITHIN_MS: Final = 600_000
LEAST_MS: Final = 60_000  # for a receiver to claim, and then for the broker


def lock(to: Wallet, amount: int, digest: bytes, *, within_ms: int = WITHIN_MS) -> Call:
    """Make the call that locks units for who shows what has this digest; its result is the number of the lock."""
    return Call("ledger", "lock", {"to": to.did, "amount": amount, "digest": digest, "within_ms": within_ms})


def claim(number: bytes, secret: bytes) -> Call:
    """Make the call that takes what is locked for whoever signs."""
    return Call("ledger", "claim", {"lock": number, "secret": secret})


def reclaim(number: bytes) -> Call:
    """Make the call that gives back what nobody has taken in time."""
    return Call("ledger", "reclaim", {"lock": number})


class _Locked(Record):
    """A lock that the broker gave or takes; `until` is block time in ms."""

    number: bytes
    is_given: bool
    digest: bytes
    until: int


class _Side:
    """The broker on one network: what is on the chain is all he remembers."""

    def __init__(self, network: Network, wallet: Wallet) -> None:
        self.network = network
        self.wallet = wallet
        self.open: dict[bytes, _Locked] = {}
        self.given: set[bytes] = set()  # digests that were ever given for
        self.shown: dict[bytes, bytes] = {}  # digest -> secret
        self._height = 0  # the last block that was looked at

    def read(self) -> None:
        """Look at the blocks that are new."""
        top = self.network.height()
        while self._height < top:
            self._height += 1
            for receipt in self.network.block(self._height).receipts:
                for event in receipt.events:
                    if event.contract == "ledger":
                        self._note(event.name, event.data)

    def _note(self, name: str, data: dict[str, Any]) -> None:
        if name == "Locked" and self.wallet.did in (data["from"], data["to"]):
            is_given = data["from"] == self.wallet.did
            self.open[data["lock"]] = _Locked(data["lock"], is_given, data["digest"], data["until"])
            self.given |= {data["digest"]} if is_given else set()
        elif name in ("Claimed", "Reclaimed"):
            self.open.pop(data["lock"], None)
            if name == "Claimed":
                self.shown[sha256(data["secret"]).digest()] = data["secret"]

    def end(self, shown: dict[bytes, bytes], now_ms: int) -> int:
        """End the locks that can be ended now; returns how many that were."""
        calls = []
        for one in self.open.values():
            if one.is_given and now_ms > one.until:
                calls.append(reclaim(one.number))
            elif not one.is_given and one.digest in shown and now_ms <= one.until:
                calls.append(claim(one.number, shown[one.digest]))
        sent = [(self.wallet, [call], f"ledger.{call.action}") for call in calls]
        return sum(receipt.ok for receipt in self.network.client.send_together(sent))

    def now_ms(self, clock_ms: int) -> int:
        """Return the newest time that is known: of the last block, or of a clock that shows the chain's time."""
        head = self.network.head()
        return max(clock_ms, head.time_ms if head else 0)


class Broker:
    """Serves payments between two networks, both ways, with the units he has there.

    `clock_ms`, where a method takes it, is the time of his own clock. It is needed where blocks have real time: an idle
    chain shows none.
    """

    def __init__(self, one: Network, other: Network, name: str = "broker", units: int = 0) -> None:
        self._sides = [_Side(network, network.wallet(name, units)) for network in (one, other)]

    def on(self, network: Network) -> Wallet:
        """Return his wallet on a network."""
        return self._side(network).wallet

    def _side(self, network: Network) -> _Side:
        for side in self._sides:
            if side.network is network:
                return side
        raise UsageError(f"this broker has nothing on {network.genesis.spec.chain_id}")

    def accept(self, source: Network, number: bytes, to: Wallet, *, clock_ms: int = 0) -> Receipt:
        """Lock for the receiver on the other network what lock `number` has for the broker on `source`.

        The result is the number of that lock. Raises `UsageError` where he would risk his units.
        """
        return self.accept_all(source, [(number, to)], clock_ms=clock_ms)[0]

    def accept_all(
        self, source: Network, offers: Sequence[tuple[bytes, Wallet]], *, clock_ms: int = 0
    ) -> list[Receipt]:
        """Do so with several locks at once, each (number, receiver): with all, or with none where one is a risk."""
        here = self._side(source)
        (there,) = (side for side in self._sides if side is not here)
        there.read()
        promises, now_ms, given = [], here.now_ms(clock_ms), set(there.given)
        for number, to in offers:
            found = self._offered(here, number)
            within_ms = (found.until - now_ms) // 2
            if within_ms < LEAST_MS:
                raise UsageError(f"the lock ends too soon: the broker and the receiver each need {LEAST_MS} ms")
            if found.digest in given:
                raise UsageError("there was a lock under this digest: make a new secret for each payment")
            given.add(found.digest)
            promises.append(lock(to, found.amount, found.digest, within_ms=within_ms))
        there.given = given  # before anything is sent: whatever becomes of it, nobody is paid twice
        return there.network.send_together((there.wallet, [promise]) for promise in promises)

    def _offered(self, here: _Side, number: bytes) -> Lock:
        stored = here.network.proven(lock_key(number)).value
        found = decode_own(stored, Lock) if stored is not None else None
        if found is None or found.taker != here.wallet.account:
            raise UsageError("there is no such lock for this broker: lock the units for him first")
        return found

    def settle(self, *, clock_ms: int = 0) -> int:
        """Take what secrets were shown for, and take back what nobody took in time; returns how many locks ended."""
        for side in self._sides:
            side.read()
        shown = {digest: secret for side in self._sides for digest, secret in side.shown.items()}
        return sum(side.end(shown, side.now_ms(clock_ms)) for side in self._sides)
