"""What people do between networks: connect them, send units, prove what crossed. Who carries it is in `relayer`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import TYPE_CHECKING, Final

from minichain.client.receipt import Receipt
from minichain.client.wallet import Wallet
from minichain.codec import encode
from minichain.crosschain import relay
from minichain.crosschain.proofs import Certified, CrossingProof, Told
from minichain.errors import UsageError
from minichain.ledger.local import node_key
from minichain.ledger.types import Call

if TYPE_CHECKING:
    from minichain.client.network import Network

TRUSTING_MS: Final = 14 * 86_400_000
WITHIN_MS: Final = 600_000
GAS: Final = 30_000_000  # of an agreement to connect


def connect(one: Network, other: Network, *, mints: bool = False, trusting_ms: int = TRUSTING_MS) -> None:
    """Let the members of `one` agree to follow `other`, until they are enough.

    With `mints`, units that come from there and were never sent there are made here.
    """
    args = {"spec": encode(other.genesis.spec), "mints": mints, "trusting_ms": trusting_ms, "checkpoint": b""}
    for name in (member.name for member in one.members() if member.name in one.nodes):
        wallet = Wallet(name, node_key(one.world.root, name))
        if one.send(wallet, [Call("ledger", "connect", args)], gas_limit=GAS).result:
            return
    raise UsageError(f"the members of {one.genesis.spec.chain_id} have not agreed: some of their keys are elsewhere")


def alliance(networks: Sequence[Network], *, mints: bool = True) -> None:
    """Connect each network to each, so that there is none in the middle.

    With `mints`, units of each are good on all: then each of them trusts the members of all others not to send units
    that they do not have. Without, units go nowhere, and what is left is to ask contracts and to swap by locks.
    """
    for one, other in permutations(networks, 2):
        connect(one, other, mints=mints)


def cross(
    source: Network, target: Network, sender: Wallet, to: Wallet, amount: int, *, within_ms: int = WITHIN_MS
) -> Receipt:
    """Send units to an account of another network; its result is the number of the message."""
    return source.send(sender, [crossing(target, to, amount, within_ms)])


def crossing(target: Network, to: Wallet, amount: int, within_ms: int = WITHIN_MS) -> Call:
    """Make the call that does so."""
    where = {"chain": target.genesis.spec.chain_id, "to": to.did, "amount": amount, "within_ms": within_ms}
    return Call("ledger", "cross", where)


def crossing_proof(source: Network, target: Network, number: int) -> CrossingProof:
    """Return the proof that a message, by its number, was sent on one network and decided on the other.

    Raises `UsageError` while one of both is not final.
    """
    sent, decided = _told(source, target, "messages", number), _told(target, source, "answers", number)
    return CrossingProof(number=number, sent=sent, decided=decided)


def _told(network: Network, other: Network, what: str, number: int) -> Told:
    for height in range(1, network.height() + 1):
        receipts = network.block(height).receipts
        for due in relay.due_in(receipts, other.genesis.hash):
            if number in (one for one, _gas in getattr(due, what)):
                proof = network.proof(receipts[due.index].tx_id.hex())
                shared = {
                    name: getattr(proof, name) for name in (*Certified.__struct_fields__, "receipt", "index", "count")
                }
                return Told(**shared, path=proof.receipt_path)
    told = "was sent from" if what == "messages" else "was answered by"
    raise UsageError(f"no message {number} {told} {network.genesis.spec.chain_id} yet: have it carried, and ask again")


def unsettled(network: Network) -> Iterator[tuple[str, int]]:
    """Yield (chain, how many) of messages whose answer has not come back."""
    for channel in network.contract("bridge").connections():
        yield channel["chain"], channel["sent"] - channel["settled"]
