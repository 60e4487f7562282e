"""What must hold between chains, whatever happens to them and to whoever carries: a message is sent once, decided once
and in order, and answered once with what was decided; and units are neither lost nor made.

An observer's own books, kept from the receipts of final blocks alone. A chain's blocks may be seen here later than by
those who carry from it, so what is decided before it is seen to be sent is not wrong yet: it is at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from minichain.codec import Plain
from minichain.crosschain.gate import BRIDGE
from minichain.ledger.types import Event, Header, Receipt
from minichain.sim.conduct import Violated
from minichain.sim.world import World

Channel = tuple[str, str]  # from the chain of this id to that one


class Way(Plain):
    """What is known of the messages in one direction, by number from 1 on; what is decided and told are outcomes."""

    sent: list[dict[str, Any]]
    decided: list[str]
    told: list[str]

    def in_flight(self) -> int:
        """Return the units of messages that have left and are neither there nor back."""
        back = [outcome != "done" for outcome in self.told]
        there = [outcome == "done" for outcome in self.decided]
        return sum(
            message["amount"]
            for place, message in enumerate(self.sent)
            if not any(place < len(ended) and ended[place] for ended in (there, back))
        )


class Between:
    """Watches several worlds whose chains are connected."""

    def __init__(self, worlds: Iterable[World]) -> None:
        self._worlds = {world.genesis.spec.chain_id: world for world in worlds}
        self._ids = {world.genesis.hash: chain for chain, world in self._worlds.items()}
        self.ways: dict[Channel, Way] = {}
        self._total = self._units()
        for chain, world in self._worlds.items():
            world.checkers.listeners.append(partial(self._on_block, chain))

    def _on_block(self, chain: str, header: Header, receipts: Sequence[Receipt]) -> None:
        events = [event for receipt in receipts for event in receipt.events if event.contract == BRIDGE]
        for event in events:
            self._note(chain, event)
        if events:
            self._check_units(f"block {header.height} of {chain}")

    def _way(self, source: str, target: str) -> Way:
        return self.ways.setdefault((source, target), Way([], [], []))

    def _note(self, chain: str, event: Event) -> None:
        number = event.data.get("number", 0)
        match event.name:
            case "Sent":
                way = self._way(chain, self._ids[event.data["to"]])
                self._add(way.sent, event.data["message"], number, f"{chain} has sent")
            case "Received":
                way = self._way(self._ids[event.data["to"]], chain)
                self._add(way.decided, event.data["outcome"], number, f"{chain} has decided")
            case "Settled":
                way = self._way(chain, event.data["chain"])
                self._add(way.told, event.data["outcome"], number, f"{chain} was told of")
                if number <= len(way.decided) and way.decided[number - 1] != event.data["outcome"]:
                    raise Violated(f"crossing: {chain} was told {event.data['outcome']} of message {number}, falsely")

    @staticmethod
    def _add(known: list[Any], what: Any, number: int, told: str) -> None:
        if number != len(known) + 1:
            raise Violated(f"crossing: {told} message {number}, where the next one is {len(known) + 1}")
        known.append(what)

    def _units(self) -> int:
        present = sum(world.checkers.units_present() for world in self._worlds.values())
        return present + sum(way.in_flight() for way in self.ways.values())

    def _check_units(self, when: str) -> None:
        if any(len(way.told) > len(way.decided) or len(way.decided) > len(way.sent) for way in self.ways.values()):
            return  # a block that made it so is not seen here yet
        if self._units() != self._total:
            raise Violated(f"supply: {self._units() - self._total:+} units on all chains together with {when}")

    def finish(self) -> None:
        """Require that everything that was sent is decided and answered by now, and nothing else is."""
        for (source, target), way in self.ways.items():
            counts = len(way.sent), len(way.decided), len(way.told)
            if not counts[0] == counts[1] == counts[2]:
                raise Violated(
                    "crossing: from {} to {} {} messages were sent, {} decided, {} answered".format(
                        source, target, *counts
                    )
                )
            for number, (decided, told) in enumerate(zip(way.decided, way.told, strict=True), 1):
                if decided != told:
                    raise Violated(f"crossing: {source} was told {told} of message {number}, which was {decided}")
        self._check_units("the end")
