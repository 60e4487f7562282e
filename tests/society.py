"""A simulated chain and the people who use it: each signs in its own name, and what they send becomes final.

Keys come from names, as in `builders`. A name that is no member of the genesis is a node that only listens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import builders

from minichain.client import receipt as told
from minichain.client.client import Client
from minichain.client.simulated import SimulatedChannel
from minichain.client.wallet import Wallet
from minichain.codec import decode_own
from minichain.contracts.runtime import Runtime
from minichain.crosschain.proofs import Proof
from minichain.faults.network import Weather
from minichain.ledger.committee import Committee
from minichain.ledger.genesis import Genesis
from minichain.ledger.state import State
from minichain.ledger.types import Call, Envelope, Receipt, open_envelope
from minichain.node.core import Node
from minichain.node.messages import AskReceipt, AskView, ReceiptAnswer, Value
from minichain.sim.world import World
from minichain.transition import apply_block, first_state, open_transaction

RUNTIME = Runtime()


class Society:
    """The nodes of one chain, `listeners` among them, and one client."""

    def __init__(self, chain: Genesis, listeners: Iterable[str] = (), *, seed: int = 1) -> None:
        names = [member.name for member in chain.committee.members]
        keys = {name: builders.key(name) for name in [*names, *listeners]}
        self.genesis = chain
        self.run = World(chain, keys, seed=seed, weather=Weather(1, 5))
        self.client = Client(chain, SimulatedChannel(self.run))
        self._nonces: Counter[str] = Counter()

    def node(self, name: str) -> Node:
        node = self.run.node(name)
        assert node is not None, f"{name} is off"
        return node

    def heights(self) -> dict[str, int]:
        return {name: self.run.store(name).height() for name in self.run.names}

    # --- transactions

    def sign(self, who: str, *calls: Call, **fields: Any) -> Envelope:
        """Sign with the nonce after the last one signed here."""
        envelope = builders.sign(
            self.genesis, who, *calls, **{"nonce": self._nonces[who], "gas_limit": 20_000_000, **fields}
        )
        self._nonces[who] = envelope.body.nonce + 1
        return envelope

    def send(self, who: str, *calls: Call) -> Receipt:
        """Send a transaction; return its receipt, also that of a failure."""
        receipt = self.client.send(Wallet(who, builders.key(who)), calls, "a transaction")
        self._nonces[who] += 1
        return receipt

    def do(self, who: str, contract: str, action: str, **args: Any) -> Receipt:
        """Send one call that succeeds."""
        receipt = self.send(who, Call(contract, action, args))
        assert receipt.ok, receipt.error
        return receipt

    def fail(self, who: str, contract: str, action: str, **args: Any) -> str:
        """Send one call that fails; return why."""
        receipt = self.send(who, Call(contract, action, args))
        assert not receipt.ok
        return receipt.error

    def pay(self) -> Receipt:
        return self.do("bank", "ledger", "transfer", to=builders.key("shop").did, amount=1)

    def grow(self, height: int) -> None:
        """Let the chain have this height, with a payment in each block."""
        while max(self.heights().values()) < height:
            self.pay()

    def settle(self, names: Iterable[str] | None = None) -> None:
        """Let nodes (all, if none are named) come to the same height."""
        names = tuple(names or self.run.names)
        assert self.run.run_until(lambda: len({self.run.store(name).height() for name in names}) == 1, 60_000), (
            f"not at one height: {self.heights()}"
        )

    # --- what is known

    def view(self, name: str, **args: Any) -> Any:
        """Ask the contract that governs the members."""
        return self.client.ask(AskView("members", name, args), Value, name).value

    def committee(self, height: int, at: str = "node-0") -> list[str]:
        """Return who certified the block of a height by a node's own records."""
        store = self.run.store(at)
        changes = store.handovers(height)
        members = changes[-1].members if changes else self.genesis.spec.members
        final = store.block(height)
        assert final is not None
        assert final.block.header.committee == Committee(members).hash
        return [member.name for member in members]

    def signers(self, height: int, at: str = "node-0") -> set[str]:
        """Return who signed the certificate of a block."""
        final = self.run.store(at).block(height)
        assert final is not None
        names = self.committee(height, at)
        return {names[position] for position in final.certificate.signers}

    def receipt(self, tx_id: bytes, at: str) -> Receipt:
        """Ask a certain node for the receipt of a final transaction."""
        self.client._last_good = at
        return decode_own(self.client.ask(AskReceipt(tx_id), ReceiptAnswer, "a receipt").receipt, Receipt)

    def proof(self, receipt: Receipt) -> Proof:
        """Return the proof that a transaction is final, as a stranger gets it."""
        return told.Receipt(self.client, receipt).proof()


def replay(chain: Genesis, store: Any) -> bytes:
    """Return the state root that a node's blocks lead to, executed anew from the genesis."""
    state, head = State(first_state(chain)), None
    for height in range(1, store.height() + 1):
        block = store.block(height).block
        execution = apply_block(RUNTIME, chain, state, head, block, lambda raw: open_transaction(chain, raw))
        state.commit(execution.writes, execution.tree)
        head = block.header
    return state.root


def require_consistent(chain: Genesis, store: Any) -> bytes:
    """Check that a disk holds one chain: its state, receipts and places are what its blocks make of them.

    Returns the state root.
    """
    root = replay(chain, store)
    assert State(store.state_items()).root == root, "the state is not that of the blocks"
    for height in range(1, store.height() + 1):
        block = store.block(height).block
        receipts = [decode_own(raw, Receipt) for raw in store.receipts(height)]
        ids = [open_envelope(raw, chain.spec.limits.transaction_bytes).id for raw in block.txs]
        assert [receipt.tx_id for receipt in receipts] == ids
        assert [store.find(tx_id) for tx_id in ids] == [(height, place) for place in range(len(ids))]
    return root
