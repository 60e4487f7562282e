"""Snapshots: how somebody begins with the state of today instead of executing every block since the first.

A snapshot is believed because it is checked: the genesis leads through handovers to a committee, that committee has
certified a header, and the header's state root is the root of the very values that came. Who sent them does not matter.

A chain of work has none: how much work stands behind it, only all of its headers say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Final

from minichain.crosschain.light import follow
from minichain.errors import NetworkError, ProofError
from minichain.ledger.certificate import Items, Snapshot
from minichain.ledger.genesis import Genesis
from minichain.ledger.state import State
from minichain.merkle import root
from minichain.node.messages import MAX_MESSAGE_BYTES, AskSnapshot, ClientAnswer, Failure, SnapshotPart
from minichain.store import Store

PART_BYTES: Final = MAX_MESSAGE_BYTES // 4  # of keys and values; a single value is smaller
KEPT_FOR: Final = 1_000  # blocks that a snapshot of several parts is handed out for, before a newer one is taken
MAX_PARTS: Final = 4_096

Ask = Callable[[AskSnapshot], ClientAnswer]


class Snapshots:
    """What a node hands out: one snapshot at a time, kept as it was while the chain goes on."""

    def __init__(self, genesis: Genesis, store: Store) -> None:
        self._engine = genesis.spec.engine
        self._store = store
        self._kept: Snapshot | None = None
        self._parts: tuple[Items, ...] = ()

    def answer(self, asked: AskSnapshot) -> ClientAnswer:
        """Return one part, or why there is none."""
        if self._engine == "pow":
            return Failure("no_snapshot", "a chain of work has to be seen from its first block on: join without one")
        if asked.height == 0:
            self._refresh()
        kept = self._kept
        if kept is None:
            return Failure("no_snapshot", "there is no block yet: join without a snapshot")
        if asked.height not in (0, kept.height) or not 0 <= asked.part < len(self._parts):
            text = f"part {asked.part} of the snapshot at {asked.height} is not kept here: begin anew with height 0"
            return Failure("no_snapshot", text)
        return SnapshotPart(kept.final, kept.handovers, len(self._parts), self._parts[asked.part])

    def _refresh(self) -> None:
        height = self._store.height()
        final = self._store.block(height)
        if final is None or (len(self._parts) > 1 and self._kept and height < self._kept.height + KEPT_FOR):
            return  # somebody may be fetching its parts
        items = tuple(sorted(self._store.state_items()))
        self._kept = Snapshot(final, self._store.handovers(height), items)
        self._parts = tuple(_in_parts(items))


def _in_parts(items: Items) -> Iterable[Items]:
    part: list[tuple[bytes, bytes]] = []
    size = 0
    for key, value in items:
        if part and size + len(key) + len(value) > PART_BYTES:
            yield tuple(part)
            part, size = [], 0
        part.append((key, value))
        size += len(key) + len(value)
    yield tuple(part)


def fetch(genesis: Genesis, ask: Ask) -> Snapshot:
    """Get a snapshot part by part and check it; raises `NetworkError` if there is none, `ProofError` if it is wrong."""
    first = _part(ask(AskSnapshot(0, 0)))
    require_header(genesis, first)
    if not 1 <= first.parts <= MAX_PARTS:
        raise ProofError(f"a snapshot has 1 to {MAX_PARTS} parts, not {first.parts}: join at another node")
    height, items = first.final.block.header.height, list(first.items)
    for number in range(1, first.parts):
        items += _part(ask(AskSnapshot(height, number))).items
    require_state(first, items)
    return Snapshot(first.final, first.handovers, tuple(items))


def _part(answer: ClientAnswer) -> SnapshotPart:
    if isinstance(answer, Failure):
        raise NetworkError(f"there is no snapshot to begin with: {answer.message}")
    if not isinstance(answer, SnapshotPart):
        raise ProofError(f"asked for a snapshot, the node answered with {type(answer).__name__}: join at another one")
    return answer


def require_header(genesis: Genesis, part: SnapshotPart) -> None:
    """Raise `ProofError` unless the snapshot's block is final on this chain."""
    final = part.final
    follow(genesis, part.handovers).require_final(final.block.header, final.certificate)
    if root(final.block.txs) != final.block.header.tx_root:
        raise ProofError("the snapshot's block came with other transactions than its header names")


def require_state(part: SnapshotPart, items: list[tuple[bytes, bytes]]) -> None:
    """Raise `ProofError` unless these values are the state after the snapshot's block, all of it."""
    header = part.final.block.header
    if any(one >= other for (one, _), (other, _) in pairwise(items)):
        raise ProofError("the snapshot's values are not in order, each once: join at another node")
    found = State(items).root
    if found != header.state_root:
        raise ProofError(
            f"the snapshot's values have the root {found.hex()}, and block {header.height} was certified with "
            f"{header.state_root.hex()}: somebody has changed them; join at another node"
        )
