"""The way of a transfer between shards as steps with their times: sent, delivered, answered. Until then one waits.

Heights come from `client.stages`, that is, from the events of both chains, and times from their headers.
"""

from __future__ import annotations

from minichain.client.network import Network
from minichain.client.sharded import ShardedNetwork
from minichain.client.stages import Crossing, Crossings
from minichain.codec import Plain

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
        is_settled = self.state == ANSWERED or self.steps[-1].outcome == "done"
        return 0 if is_settled else self.amount


class Tracer:
    """The transfers between all shards of a network."""

    def __init__(self, net: ShardedNetwork) -> None:
        self._pairs = [
            (one, other, Crossings(one, other)) for one in net.shards for other in net.shards if one is not other
        ]

    def look(self) -> tuple[Way, ...]:
        """Return every transfer of units so far, in the order of the times when they were sent."""
        found = [
            _way(one, other, crossing)
            for one, other, crossings in self._pairs
            for crossing in crossings.look()
            if crossing.kind == "units"
        ]
        return tuple(sorted(found, key=lambda way: way.steps[0].time_ms))


def _way(source: Network, target: Network, crossing: Crossing) -> Way:
    reached = [
        (SENT, source, crossing.sent, ""),
        (DELIVERED, target, crossing.decided, crossing.outcome),
        (ANSWERED, source, crossing.settled, crossing.outcome),
    ]
    steps = tuple(_step(*one) for one in reached if one[2])
    return Way(_id(source), _id(target), crossing.number, crossing.amount, steps)


def _step(kind: str, chain: Network, height: int, outcome: str) -> Step:
    return Step(kind, _id(chain), height, chain.headers(height, 1)[0][0].time_ms, outcome)


def _id(chain: Network) -> str:
    return chain.genesis.spec.chain_id
