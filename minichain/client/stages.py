"""How far each message from one network to another has come, as both chains tell: `Crossings(source, target).look()`.

A message is sent, its block is final, the other chain follows that block's header, carries the message out or not and
thereby answers it, the first chain follows the header with the answer, and settles. Each of these is a block on one of
the two chains, and is shown by its height; nothing here is guessed from the clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from minichain.client.network import Network
from minichain.codec import Plain
from minichain.crosschain.gate import BRIDGE
from minichain.ledger.types import Event

STAGES: Final = ("sent", "final", "followed", "decided", "answered", "settled")


class Crossing(Plain):
    """One message. Heights of 0 are still to come: `sent`, `answered` and `settled` are on the source, `followed` and
    `decided` on the target.

    `outcome` is "done", "failed" or "refused" once decided; `amount` are units, 0 for a call of `action`.
    """

    number: int
    kind: str
    sender: str
    to: str
    action: str
    amount: int
    until: int
    sent: int
    is_final: bool
    followed: int = 0
    decided: int = 0
    outcome: str = ""
    reason: str = ""
    answered: int = 0
    settled: int = 0

    @property
    def stage(self) -> str:
        """Return the last of `STAGES` that it has reached."""
        reached = (True, self.is_final, self.followed, self.decided, self.answered, self.settled)
        return [stage for stage, has in zip(STAGES, reached, strict=True) if has][-1]


class Crossings:
    """The messages from one network to another. Each look reads only the blocks that are new, or not yet final."""

    def __init__(self, source: Network, target: Network) -> None:
        self._source, self._target = _Reader(source), _Reader(target)
        self._from, self._to = source.genesis, target.genesis

    def look(self) -> tuple[Crossing, ...]:
        """Return every message there is, the oldest first, with what has become of it by now."""
        there = _Told(self._target.read(), self._from.spec.chain_id, self._from.hash)
        here = _Told(self._source.read(), self._to.spec.chain_id, self._to.hash)
        return tuple(self._tell(number, at, message, here, there) for number, (at, message) in here.sent.items())

    def _tell(self, number: int, at: int, message: dict[str, Any], here: _Told, there: _Told) -> Crossing:
        decided, outcome, reason = there.received.get(number, (0, "", ""))
        asked = {name: message[name] for name in ("kind", "sender", "to", "action", "amount", "until")}
        return Crossing(
            **asked,
            number=number,
            sent=at,
            is_final=at <= self._source.final,
            followed=there.followed.get(at, 0),
            decided=decided,
            outcome=outcome,
            reason=reason,
            answered=here.followed.get(decided, 0),
            settled=here.settled.get(number, 0),
        )


class _Told:
    """What the events of one chain say about the chain with this id and genesis."""

    def __init__(self, events: list[tuple[int, Event]], chain: str, genesis: bytes) -> None:
        self.sent: dict[int, tuple[int, dict[str, Any]]] = {}
        self.received: dict[int, tuple[int, str, str]] = {}
        self.settled: dict[int, int] = {}
        self.followed: dict[int, int] = {}  # height there -> height here
        for at, event in events:
            data = event.data
            match (event.contract, event.name):
                case ("bridge", "Sent") if data["to"] == genesis:
                    self.sent[data["number"]] = (at, data["message"])
                case ("bridge", "Received") if data["to"] == genesis:
                    self.received[data["number"]] = (at, data["outcome"], data["reason"])
                case ("bridge", "Settled") if data["chain"] == chain:
                    self.settled[data["number"]] = at
                case ("ledger", "Followed") if data["chain"] == chain:
                    self.followed[data["height"]] = at


class _Reader:
    """The events of a chain that are about other ones, each with its height; up to `final` they are kept."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._kept: list[tuple[int, Event]] = []
        self.final = 0

    def read(self) -> list[tuple[int, Event]]:
        spec, top = self._network.genesis.spec, self._network.height()
        final = top - spec.work.confirmations + 1 if spec.engine == "pow" else top
        self._kept += self._events(self.final + 1, final)
        self.final = max(self.final, final)
        return [*self._kept, *self._events(self.final + 1, top)]

    def _events(self, first: int, last: int) -> Iterator[tuple[int, Event]]:
        for height in range(first, last + 1):
            for receipt in self._network.block(height).receipts:
                yield from ((height, event) for event in receipt.events if event.contract in (BRIDGE, "ledger"))
