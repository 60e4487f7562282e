"""The disk of a simulated node: what a turn wrote is there after a crash if the turn was committed, else not at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from minichain.errors import NetworkError
from minichain.ledger.certificate import FinalBlock, Handover, Snapshot
from minichain.ledger.state import Writes

FULL: Final = (
    "cannot write the chain file: database or disk is full: free some space, then restart the node; "
    "nothing that was final is lost"
)


class PowerCut(Exception):
    """The node lost its power in the middle of a turn."""


class MemoryStore:
    """A `store.Store` that outlives the node using it, as a disk does.

    A full disk fails at the first write, in the words of a real one.
    """

    def __init__(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        self._blocks: dict[Any, tuple[FinalBlock, tuple[bytes, ...] | None, Writes | None]] = {}
        self._places: dict[Any, tuple[int, int]] = {}
        self._state: dict[Any, bytes] = dict(items)
        self._handovers: dict[Any, Handover] = {}
        self._memory: dict[Any, bytes] = {}
        self._evidence: dict[Any, bool] = {}
        self._undo: list[tuple[dict[Any, Any], Any, Any]] = []
        self._first = self._backup = self._copy()
        self.cut_power = False  # at the end of the next turn, just before its commit
        self.is_full = False

    def _tables(self) -> tuple[dict[Any, Any], ...]:
        return self._blocks, self._places, self._state, self._handovers, self._memory, self._evidence

    def _copy(self) -> list[dict[Any, Any]]:
        return [dict(table) for table in self._tables()]

    def back_up(self) -> None:
        """Put a copy of everything aside; the one before it is thrown away."""
        self._backup = self._copy()

    def restore(self, *, is_lost: bool = False) -> None:
        """Go back to the last backup, or, if the backups are lost with the disk, to how it all began."""
        for table, kept in zip(self._tables(), self._first if is_lost else self._backup, strict=True):
            table.clear()
            table.update(kept)

    def forget(self) -> None:
        """Lose what the engine must not forget, and nothing else."""
        self._memory.clear()

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
        self._undo.clear()

    def lose_turn(self) -> None:
        """Undo what was written since the last commit."""
        self.cut_power = False
        while self._undo:
            table, key, before = self._undo.pop()
            if before is None:
                table.pop(key, None)
            else:
                table[key] = before

    def _put(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        if self.is_full:
            raise NetworkError(FULL)
        self._undo.append((table, key, table.get(key)))
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value

    def add_block(
        self,
        final: FinalBlock,
        receipts: tuple[bytes, ...],
        tx_ids: Iterable[bytes],
        writes: Writes,
        undo: Writes | None = None,
    ) -> None:
        height = final.block.header.height
        assert height == self.height() + 1, f"block {height} after block {self.height()}"
        self._put(self._blocks, height, (final, receipts, undo))
        for position, tx_id in enumerate(tx_ids):
            self._put(self._places, tx_id, (height, position))
        for key, value in writes.items():
            self._put(self._state, key, value)

    def hand_over(self, handover: Handover) -> None:
        self._put(self._handovers, handover.header.height, handover)

    def handovers(self, below: int) -> tuple[Handover, ...]:
        return tuple(handover for height, handover in sorted(self._handovers.items()) if height < below)

    def begin_at(self, snapshot: Snapshot) -> None:
        assert not self._blocks, "a snapshot is for an empty store"
        self._put(self._blocks, snapshot.height, (snapshot.final, None, None))
        for key in list(self._state):
            self._put(self._state, key, None)
        for key, value in snapshot.items:
            self._put(self._state, key, value)
        for handover in snapshot.handovers:
            self.hand_over(handover)

    def began(self) -> int:
        first = next(iter(self._blocks), 0)
        return first if first and self._blocks[first][1] is None else 0

    def undo_block(self) -> None:
        height = self.height()
        self._put(self._handovers, height, None)
        for key, value in self.undo(height).items():
            self._put(self._state, key, value)
        for tx_id in [tx_id for tx_id, place in self._places.items() if place[0] == height]:
            self._put(self._places, tx_id, None)
        self._put(self._blocks, height, None)

    def undo(self, height: int) -> Writes:
        undo = self._blocks[height][2]
        assert undo is not None, f"block {height} was kept for ever"
        return undo

    def height(self) -> int:
        return next(reversed(self._blocks), 0)  # they come and go at that end

    def block(self, height: int) -> FinalBlock | None:
        kept = self._blocks.get(height)
        return kept[0] if kept else None

    def receipts(self, height: int) -> tuple[bytes, ...]:
        kept = self._blocks.get(height)
        return kept[1] or () if kept else ()

    def find(self, tx_id: bytes) -> tuple[int, int] | None:
        return self._places.get(tx_id)

    def state_items(self) -> Iterable[tuple[bytes, bytes]]:
        return list(self._state.items())

    def value(self, key: bytes) -> bytes | None:
        """Return one value of the state."""
        return self._state.get(key)

    def remember(self, name: bytes, data: bytes | None) -> None:
        self._put(self._memory, name, data)

    def memory(self) -> dict[bytes, bytes]:
        return dict(sorted(self._memory.items()))

    def accuse(self, evidence: bytes) -> None:
        self._put(self._evidence, evidence, True)

    def evidence(self) -> tuple[bytes, ...]:
        return tuple(self._evidence)

    def close(self) -> None:
        assert not self._undo, "closed in the middle of a turn"
