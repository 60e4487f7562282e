"""How long a message takes between two shards that are in use, in block times: relayers wait for blocks as all do.

Two simulated shards make a block a second, and everybody pays somebody all the time. Virtual time: what is counted is
how many blocks a delivery has to wait for, not how fast this computer is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from statistics import median, quantiles
from typing import Any, Final, cast

from minichain.client.crossing import crossing
from minichain.client.network import Network
from minichain.client.relayer import Relayer
from minichain.client.simulated import SimulatedWorld
from minichain.codec import encode
from minichain.crosschain.gate import BRIDGE
from minichain.ledger.genesis import Timeouts
from minichain.ledger.local import wallet_key
from minichain.ledger.types import Call, Header, Receipt, Transaction, sign_transaction
from minichain.node.messages import Request, Submit
from minichain.sim.world import World

BLOCK_MS: Final = 1_000
PAY_EVERY_MS: Final = 100  # on each shard
SEND_EVERY_MS: Final = 700
MESSAGES: Final = 40
LOOK_MS: Final = 50  # a relayer with nothing to do looks again after this time
GAS_LIMIT: Final = 5_000_000
PATIENCE_MS: Final = 600_000


class _Person:
    """An account that sends one transaction after the other and waits for none."""

    def __init__(self, network: Network, name: str) -> None:
        self.network, self.name, self._nonce = network, name, 0
        self.world: World = cast(SimulatedWorld, network.world).world
        self._key = wallet_key(network.world.root, name)

    def send(self, call: Call) -> bool:
        genesis = self.network.genesis
        told = (genesis.spec.chain_id, genesis.hash, self._key.public, self._nonce, (call,), GAS_LIMIT, 9_000)
        self._nonce += 1
        raw = sign_transaction(Transaction(*told), self._key).raw
        self.world.ask(self.world.names[0], b"load", encode(Request(self._nonce, Submit((raw,)))))
        return False


class _Clock:
    """When each message of one shard was final there, and when it was delivered and answered."""

    def __init__(self, source: World, target: World) -> None:
        self.sent: dict[int, int] = {}
        self.delivered: dict[int, int] = {}
        self.settled: dict[int, int] = {}
        self.blocks: list[int] = []
        self._world = source
        source.checkers.listeners.append(partial(self._look, {"Sent": self.sent, "Settled": self.settled}))
        target.checkers.listeners.append(partial(self._look, {"Received": self.delivered}))
        target.checkers.listeners.append(self._count)

    def _count(self, header: Header, receipts: Sequence[Receipt]) -> None:
        self.blocks.append(self._world.now_ms)

    def _look(self, wanted: dict[str, dict[int, int]], header: Header, receipts: Sequence[Receipt]) -> None:
        for event in (event for receipt in receipts for event in receipt.events if event.contract == BRIDGE):
            if event.name in wanted:
                wanted[event.name].setdefault(event.data["number"], self._world.now_ms)

    def since_sent(self, moments: dict[int, int]) -> list[int]:
        return [moment - self.sent[number] for number, moment in moments.items()]


def delivery() -> dict[str, Any]:
    """Let one shard send messages to another one while both are in use."""
    with Network.simulated(
        shards=2, seed=1, clock="wall", timeouts=Timeouts(block_interval=BLOCK_MS), identity=False
    ) as net:
        source, target = net.shards
        relayer = net.relayer(source, target)
        people = [_Person(shard, "payer") for shard in (source, target)]
        sender, receiver = _Person(source, "sender"), target.wallet("receiver")
        for person, units in ((people[0], 10**6), (people[1], 10**6), (sender, 10**6)):
            person.network.wallet(person.name, units)
        clock = _Clock(sender.world, people[1].world)
        time, begun = sender.world.time, sender.world.now_ms
        for at in range(0, SEND_EVERY_MS * (MESSAGES + 10), PAY_EVERY_MS):
            for person in people:
                pay = Call("ledger", "transfer", {"to": receiver.did, "amount": 1})
                time.put(at, partial(person.send, pay))
        for number in range(MESSAGES):
            time.put(number * SEND_EVERY_MS, partial(sender.send, crossing(target, receiver, 1)))
        while len(clock.settled) < MESSAGES and time.now_ms < begun + PATIENCE_MS:
            _carry(relayer, source)
        return _figures(clock)


def _carry(relayer: Relayer, network: Network) -> None:
    if not relayer.carry():
        network.pass_time(LOOK_MS)


def _figures(clock: _Clock) -> dict[str, Any]:
    block_ms = median(after - before for before, after in zip(clock.blocks, clock.blocks[1:], strict=False))
    found = {"delivered": clock.since_sent(clock.delivered), "answered": clock.since_sent(clock.settled)}
    cuts = {name: quantiles(waits, n=20) for name, waits in found.items()}
    return {
        "block_ms": block_ms,
        "messages": len(clock.sent),
        **{
            name: {"p50": round(cut[9] / block_ms, 2), "p95": round(cut[18] / block_ms, 2), "answers": len(found[name])}
            for name, cut in cuts.items()
        },
        "formula": "block times = (time at which the block with the delivery, or with its answer at home, is final - "
        "time at which the block with the message is final) / median time between blocks of the receiving shard",
    }
