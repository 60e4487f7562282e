"""What became of a transaction, as the sender holds it: with its block, and a proof to give to others."""

from __future__ import annotations

from typing import Any

from minichain import ledger
from minichain.client.client import Client
from minichain.crosschain.proofs import Proof
from minichain.ledger.types import Event
from minichain.node.messages import AskBlock, AskReceipt, BlockDetail, ReceiptAnswer


class Receipt:
    """A final transaction's receipt."""

    def __init__(self, client: Client, content: ledger.types.Receipt) -> None:
        self._client = client
        self.content = content
        self._result = content.results[0] if content.results else None

    @property
    def ok(self) -> bool:
        """Tell whether the calls took effect."""
        return self.content.ok

    @property
    def tx_id(self) -> str:
        """Return the transaction's id in hexadecimal."""
        return self.content.tx_id.hex()

    @property
    def height(self) -> int:
        """Return the height of its block."""
        return self.content.height

    @property
    def outcome(self) -> str:
        """Return "ok", "reverted", "out_of_gas", "fault" or "crashed"."""
        return self.content.outcome

    @property
    def error(self) -> str:
        """Return why it failed, in the contract's words; empty if it did not."""
        return self.content.error

    @property
    def events(self) -> tuple[Event, ...]:
        """Return what the contracts announced."""
        return self.content.events

    @property
    def gas(self) -> int:
        """Return the gas it used."""
        return self.content.gas

    @property
    def result(self) -> Any:
        """Return what the (first) call returned."""
        return self._result

    def with_result(self, result: Any) -> Receipt:
        """Return the same receipt with another form of its result."""
        other = Receipt(self._client, self.content)
        other._result = result
        return other

    @property
    def block(self) -> BlockDetail:
        """Return its block, with certificate and receipts."""
        return self._client.ask(AskBlock(self.height), BlockDetail, f"block {self.height}")

    def comparable(self) -> dict[str, Any]:
        """Return the part that is the same in both worlds: outcome, events, gas and height."""
        events = [{"contract": event.contract, "name": event.name, "data": event.data} for event in self.events]
        return {"outcome": self.outcome, "events": events, "gas": self.gas, "height": self.height}

    def proof(self) -> Proof:
        """Return a proof that this transaction is final; it verifies offline."""
        found = self._client.ask(AskReceipt(self.content.tx_id), ReceiptAnswer, "the proof of a transaction")
        return Proof(
            spec=self._client.genesis.spec,
            header=found.header,
            certificate=found.certificate,
            tx=found.tx,
            receipt=found.receipt,
            index=found.index,
            count=found.count,
            tx_path=found.tx_path,
            receipt_path=found.receipt_path,
            handovers=found.handovers,
            links=found.links,
        )

    def __repr__(self) -> str:
        what = ", ".join(event.name for event in self.events) if self.ok else self.error
        return f"<Receipt {self.outcome} at height {self.height}, {self.gas} gas: {what or 'no events'}>"
