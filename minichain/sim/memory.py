"""The disk of a simulated node: what a turn wrote is there after a crash if the turn was committed, else not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from minichain.consensus.bft import Equivocation, Message
from minichain.ledger.certificate import FinalBlock
from minichain.ledger.state import Writes
from minichain.ledger.types import Block


class PowerCut(Exception):
    """The node lost its power in the middle of a turn."""


class MemoryStore:
    """A `store.Store` that outlives the node using it, as a disk does.

    `on_say` is told of each message the node signed, once it is safe.
    """

    def __init__(self, items: Iterable[tuple[bytes, bytes]], on_say: Callable[[Message], None]) -> None:
        self._on_say = on_say
        self._blocks: dict[Any, tuple[FinalBlock, tuple[bytes, ...]]] = {}
        self._places: dict[Any, tuple[int, int]] = {}
        self._state: dict[Any, bytes] = dict(items)
        self._said: dict[Any, Message] = {}
        self._held: dict[Any, Block] = {}
        self._evidence: dict[Any, None] = {}
        self._undo: list[tuple[dict[Any, Any], Any, Any]] = []
        self._saying: list[Message] = []
        self.cut_power = False  # at the end of the next turn, just before its commit

    def turn(self) -> MemoryStore:
        """Keep what is written inside, or, after an exception, nothing of it."""
        return self

    def __enter__(self) -> None:
        assert not self._undo, "a turn inside a turn"

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is not None or self.cut_power:
            self.lose_turn()
            if kind is None:
                raise PowerCut
        elif self._undo:
            self._undo.clear()
            saying, self._saying = self._saying, []
            for message in saying:
                self._on_say(message)

    def lose_turn(self) -> None:
        """Undo what was written since the last commit."""
        self._saying, self.cut_power = [], False
        while self._undo:
            table, key, before = self._undo.pop()
            if before is None:
                table.pop(key, None)
            else:
                table[key] = before

    def _put(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        self._undo.append((table, key, table.get(key)))
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value

    def add_block(
        self, final: FinalBlock, receipts: tuple[bytes, ...], tx_ids: Iterable[bytes], writes: Writes
    ) -> None:
        height = final.block.header.height
        assert height == self.height() + 1, f"block {height} after block {self.height()}"
        self._put(self._blocks, height, (final, receipts))
        for position, tx_id in enumerate(tx_ids):
            self._put(self._places, tx_id, (height, position))
        for key, value in writes.items():
            self._put(self._state, key, value)
        for table in (self._said, self._held):
            for key in list(table):
                self._put(table, key, None)

    def height(self) -> int:
        return len(self._blocks)

    def block(self, height: int) -> FinalBlock | None:
        kept = self._blocks.get(height)
        return kept[0] if kept else None

    def receipts(self, height: int) -> tuple[bytes, ...]:
        kept = self._blocks.get(height)
        return kept[1] if kept else ()

    def find(self, tx_id: bytes) -> tuple[int, int] | None:
        return self._places.get(tx_id)

    def state_items(self) -> Iterable[tuple[bytes, bytes]]:
        return list(self._state.items())

    def say(self, message: Message) -> None:
        if message not in self._said.values():
            self._put(self._said, len(self._said), message)
            self._saying.append(message)

    def said(self, height: int) -> tuple[Message, ...]:
        return tuple(message for message in self._said.values() if message.height == height)

    def hold(self, block: Block) -> None:
        self._put(self._held, block.header.id, block)

    def held(self, height: int) -> tuple[Block, ...]:
        return tuple(block for block in self._held.values() if block.header.height == height)

    def accuse(self, evidence: Equivocation) -> None:
        self._put(self._evidence, evidence, True)

    def evidence(self) -> tuple[Equivocation, ...]:
        return tuple(self._evidence)

    def close(self) -> None:
        assert not self._undo, "closed in the middle of a turn"
