"""The way of a transfer between shards, read from the blocks of both chains and from nothing else.

A step is there when a final block says so: sent, then delivered, then answered. Until then one waits.
"""

from __future__ import annotations

from collections.abc import Iterator

from minichain.client.network import Network
from minichain.client.sharded import ShardedNetwork
from minichain.codec import Plain
from minichain.ledger.types import Event

SENT, DELIVERED, ANSWERED, WAITING = "sent", "delivered", "answered", "waiting"


class Step(Plain):
    """Something that a final block of a chain says; `outcome` is "done" or why not, where it is known."""

    kind: str
    chain: str
    height: int
    time_ms: int
    outcome: str = ""


class Way(Plain):
    """One transfer from shard to shard, and how far it has come."""

    source: str
    target: str
    number: int
    amount: int
    steps: tuple[Step, ...]

    @property
    def state(self) -> str:
        """Return the last step, or "waiting" while the receiver's shard has not decided."""
        return self.steps[-1].kind if len(self.steps) > 1 else WAITING

    @property
    def on_the_way(self) -> int:
        """Return the units that are in neither shard: sent and not delivered, or refused and not given back."""
        delivered, answered = self._outcome(DELIVERED), self._outcome(ANSWERED)
        return 0 if answered or delivered == "done" else self.amount

    def _outcome(self, kind: str) -> str:
        return next((step.outcome for step in self.steps if step.kind == kind), "")


def ways(net: ShardedNetwork) -> list[Way]:
    """Follow every transfer of units from shard to shard, by sender's shard and number."""
    said = {_id(chain): list(_events(chain)) for chain in net.shards}
    found = []
    for source, lines in said.items():
        for sent, event in lines:
            if event.name == "Sent" and event.data["message"]["kind"] == "units":
                target, number = event.data["chain"], event.data["number"]
                later = [*_said(said[target], "Received", source, number), *_said(lines, "Settled", target, number)]
                found.append(Way(source, target, number, event.data["message"]["amount"], (sent, *later)))
    return found


def _id(chain: Network) -> str:
    return chain.genesis.spec.chain_id


def _events(chain: Network) -> Iterator[tuple[Step, Event]]:
    """Yield what the bridge of a chain has said about messages, each as a step."""
    kinds = {"Sent": SENT, "Received": DELIVERED, "Settled": ANSWERED}
    for height in range(1, chain.height() + 1):
        block = chain.block(height)
        time_ms = block.final.block.header.time_ms
        for receipt in block.receipts:
            for event in receipt.events:
                if event.contract == "bridge" and event.name in kinds:
                    outcome = event.data.get("outcome", "")
                    yield Step(kinds[event.name], _id(chain), height, time_ms, outcome), event


def _said(lines: list[tuple[Step, Event]], name: str, about: str, number: int) -> Iterator[Step]:
    """Yield what a chain has said about a message that came from `about` (Received) or went there (Settled)."""
    for step, event in lines:
        if (event.name, event.data["chain"], event.data["number"]) == (name, about, number):
            yield step
