"""The same payments carried in two styles, and what each takes: relayed by proofs, or brokered under locks.

Everything here is measured: counted in the blocks that the payments have made, and in the accounts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from secrets import token_bytes
from typing import TYPE_CHECKING, Final, NamedTuple

from minichain.client.broker import Broker, claim, lock
from minichain.client.crossing import connect, crossing
from minichain.client.receipt import Receipt
from minichain.client.relayer import Relayer
from minichain.client.wallet import Wallet
from minichain.codec import Plain, encode
from minichain.ledger.types import Call, open_envelope

if TYPE_CHECKING:
    from minichain.client.network import Network

CARRIER: Final = {"relayed": "relayer", "brokered": "broker"}
TRUST: Final = {
    "relayed": "The members of each chain, with what the other one believes: two thirds of them could deceive it. "
    "Whoever carries, with nothing: anybody else may carry as well. Nobody needs to be awake.",
    "brokered": "Nobody with units, as long as one is awake before one's lock ends. The broker, with being there: "
    "where he does not serve, units stay locked until their time. No chain believes another one.",
}


class Payment(Plain):
    """Units from somebody on the chain of this id to somebody on the other; people are named as their wallets are."""

    chain: str
    sender: str
    to: str
    amount: int


class Taken(Plain):
    """What one chain had to take for it; `signed` are transactions by who signed them.

    `blocks` is how many it made until the last receiver had units, `standing` the units of whoever is between that were
    out at once.
    """

    transactions: int
    signed: dict[str, int]
    bytes: int
    gas: int
    blocks: int
    standing: int


class Style(Plain):
    """How payments fare in a style: what each chain takes, and who must be trusted with what."""

    name: str
    chains: dict[str, Taken]
    trust: str

    def total(self, figure: str) -> int:
        """Add up a figure over the chains."""
        return sum(getattr(taken, figure) for taken in self.chains.values())


class _Ready(NamedTuple):
    """A payment whose sender has the units."""

    source: Network
    target: Network
    sender: Wallet
    to: Wallet
    amount: int


class _Payments:
    """Payments between two networks, made ready, and how the chains were before them."""

    def __init__(self, name: str, networks: tuple[Network, Network], payments: Sequence[Payment]) -> None:
        self.name = name
        self.networks = {network.genesis.spec.chain_id: network for network in networks}
        self.people: dict[str, dict[bytes, str]] = {chain: {} for chain in self.networks}
        self.all = [self._ready(pay, payments) for pay in payments]
        self.carriers = {chain: network.wallet(CARRIER[name]) for chain, network in self.networks.items()}
        self.start = {chain: network.height() for chain, network in self.networks.items()}
        self.had = self.balances()
        self.lowest = dict(self.had)
        self.paid_at = dict(self.start)

    def _ready(self, pay: Payment, payments: Sequence[Payment]) -> _Ready:
        source = self.networks[pay.chain]
        (target,) = (network for network in self.networks.values() if network is not source)
        needed = sum(other.amount for other in payments if (other.chain, other.sender) == (pay.chain, pay.sender))
        sender, to = source.wallet(pay.sender, needed), target.wallet(pay.to)
        self.people[pay.chain][sender.account] = "sender"
        self.people[target.genesis.spec.chain_id].setdefault(to.account, "receiver")
        return _Ready(source, target, sender, to, pay.amount)

    def send(self, items: Sequence[tuple[Network, Wallet, Call]]) -> list[Receipt]:
        """Do these calls, on each network all at once; returns their receipts in order."""
        receipts: dict[int, Receipt] = {}
        for network in self.networks.values():
            places = [place for place, item in enumerate(items) if item[0] is network]
            sent = network.send_together((items[place][1], [items[place][2]]) for place in places)
            receipts |= dict(zip(places, sent, strict=True))
        return [receipts[place] for place in range(len(items))]

    def balances(self) -> dict[str, int]:
        """Return what whoever is between has on each chain."""
        return {chain: network.account(self.carriers[chain]).balance for chain, network in self.networks.items()}

    def look(self) -> None:
        """Note how little whoever is between has left."""
        self.lowest = {chain: min(self.lowest[chain], has) for chain, has in self.balances().items()}

    def count_until(self, network: Network, height: int) -> None:
        """Note that a block was needed before the last receiver had units."""
        chain = network.genesis.spec.chain_id
        self.paid_at[chain] = max(self.paid_at[chain], height)

    def result(self) -> Style:
        self.look()
        return Style(self.name, {chain: self._taken(chain) for chain in self.networks}, TRUST[self.name])

    def _taken(self, chain: str) -> Taken:
        network, people = self.networks[chain], {self.carriers[chain].account: CARRIER[self.name]}
        people = {**self.people[chain], **people}
        signed: dict[str, int] = {}
        size = gas = 0
        for height in range(self.start[chain] + 1, network.height() + 1):
            detail = network.block(height)
            size += len(encode(detail.final))
            gas += sum(receipt.gas for receipt in detail.receipts)
            for raw in detail.final.block.txs:
                who = people[open_envelope(raw, len(raw)).body.sender]
                signed[who] = signed.get(who, 0) + 1
        blocks = self.paid_at[chain] - self.start[chain]
        return Taken(sum(signed.values()), signed, size, gas, blocks, self.had[chain] - self.lowest[chain])


def relayed(networks: tuple[Network, Network], payments: Sequence[Payment]) -> Style:
    """Let units cross, and a relayer carry; the networks are connected already."""
    ready = _Payments("relayed", networks, payments)
    sent = ready.send([(one.source, one.sender, crossing(one.target, one.to, one.amount)) for one in ready.all])
    Relayer(*networks, CARRIER["relayed"]).carry()
    for one, receipt in zip(ready.all, sent, strict=True):
        ready.count_until(one.source, receipt.height)
        ready.count_until(one.target, _received(one.target, one.source.genesis.spec.chain_id)[receipt.result])
    return ready.result()


def _received(network: Network, chain: str) -> dict[int, int]:
    """Return the heights at which a network has taken the messages of another chain, by their numbers."""
    return {
        event.data["number"]: height
        for height in range(1, network.height() + 1)
        for receipt in network.block(height).receipts
        for event in receipt.events
        if (event.contract, event.name, event.data.get("chain")) == ("bridge", "Received", chain)
    }


def brokered(networks: tuple[Network, Network], payments: Sequence[Payment]) -> Style:
    """Let a broker pay out; he has enough on each network for all payments that go there."""
    broker = Broker(*networks, CARRIER["brokered"], sum(pay.amount for pay in payments))
    ready = _Payments("brokered", networks, payments)
    secrets = [token_bytes(32) for _ in ready.all]
    under = list(zip(ready.all, secrets, strict=True))
    locked = ready.send(
        [
            (one.source, one.sender, lock(broker.on(one.source), one.amount, sha256(secret).digest()))
            for one, secret in under
        ]
    )
    claims = []
    for source in networks:
        mine = [place for place, one in enumerate(ready.all) if one.source is source]
        offers = broker.accept_all(source, [(locked[place].result, ready.all[place].to) for place in mine])
        for place, offer in zip(mine, offers, strict=True):
            claims.append((ready.all[place].target, ready.all[place].to, claim(offer.result, secrets[place])))
        ready.look()
    for (target, _, _), receipt in zip(claims, ready.send(claims), strict=True):
        ready.count_until(target, receipt.height)
    for one, receipt in zip(ready.all, locked, strict=True):
        ready.count_until(one.source, receipt.height)
    broker.settle()
    return ready.result()


def compare(make: Callable[[], tuple[Network, Network]], payments: Sequence[Payment]) -> tuple[Style, Style]:
    """Carry the same payments in both styles, each between two networks made anew, which only relaying connects."""
    one, other = make()
    with one, other:
        connect(one, other, mints=True)
        connect(other, one, mints=True)
        first = relayed((one, other), payments)
    one, other = make()
    with one, other:
        return first, brokered((one, other), payments)


def table(styles: Sequence[Style]) -> list[dict[str, str | int]]:
    """Return a row for each style and chain, for a table."""
    return [
        {
            "style": style.name,
            "chain": chain,
            "transactions": taken.transactions,
            "signed by": ", ".join(f"{who} {count}" for who, count in taken.signed.items()),
            "bytes": taken.bytes,
            "gas": taken.gas,
            "blocks until paid": taken.blocks,
            "units standing by": taken.standing,
        }
        for style in styles
        for chain, taken in style.chains.items()
    ]
