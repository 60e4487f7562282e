"""The keeper of the executor: it starts one from what the store has, and another one when that dies.

The place where contracts run may end while it works: the meter or a guard of ours has a hole, or the machine is too
small. A validator must neither stop for that nor leave the others, so such a death has an outcome:

1.  The first death says nothing about who caused it. Another executor is started from the store, which has the state
    that the task began with, and does the task again; now it says before each transaction which one is next.
2.  Where it dies twice at the same transaction, that one is doomed: from then on it is executed as one that failed,
    with one fixed text and all of its gas, and nothing else of it is done. It explains no further death.
3.  A block holds at most one such transaction, as its last (`transition`), so a block full of them costs no more
    deaths than a block with one.

Where the cause is the same everywhere, so is the outcome. Whoever proposes dies, puts the transaction into its block
as failed, and promises that receipt in the header; the others die at the same place, and find the same receipt.
Whoever catches up later, does too. Where the cause is one machine, that one promises or expects a receipt that
nobody else has: the others vote against its block, and it votes against theirs. Once theirs is certified, it
executes it afresh, as if nothing had died, and follows if it can. If it dies again it finds that a certified block is
invalid, and stops with words that say why: it cannot follow this chain on this machine.

What is doomed is remembered until the chain grows, so that a further round costs no further deaths. A question is not
asked again: its asker is told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from typing import Final, Protocol

import msgspec

from minichain.errors import NetworkError
from minichain.ledger.genesis import Genesis
from minichain.ledger.state import State
from minichain.ledger.types import Header
from minichain.node.execution import (
    CRASHED,
    Answer,
    AskContract,
    ChainChanged,
    ChangeChain,
    ContractAnswered,
    Executor,
    Task,
)
from minichain.store import Store

MAX_DEATHS: Final = 6  # in one task: three are explained, more are the machine's


class Died(Exception):
    """The executor ended while it did a task; `tx_id` is the transaction it was at, if it said so."""

    def __init__(self, tx_id: bytes = b"") -> None:
        super().__init__("the place where contracts run has ended")
        self.tx_id = tx_id


class Place(Protocol):
    """Where an executor runs."""

    def start(self, genesis: Genesis, items: Iterable[tuple[bytes, bytes]], head: Header | None) -> None:
        """Start an executor with this state, in the place of the one before it."""

    def run(self, task: Task, doomed: Collection[bytes], *, is_told: bool) -> Answer:
        """Do a task; raises `Died`, which names the transaction only if that is to be told."""

    def close(self) -> None:
        """Leave nothing behind."""


class InPlace:
    """An executor in this process. What a contract breaks here without our wish is our bug, and is heard as such."""

    def __init__(self, make: Callable[..., Executor] = Executor) -> None:
        self._make = make

    def start(self, genesis: Genesis, items: Iterable[tuple[bytes, bytes]], head: Header | None) -> None:
        self._executor = self._make(genesis, items, head)

    def run(self, task: Task, doomed: Collection[bytes], *, is_told: bool) -> Answer:
        said = [b""]
        try:
            return self._executor.run(task, doomed, said.append if is_told else None)
        except (MemoryError, RecursionError):
            raise Died(said[-1]) from None

    def close(self) -> None:
        pass


class Keeper:
    """Keeps one executor for one node."""

    def __init__(self, genesis: Genesis, store: Store, place: Place) -> None:
        self.deaths = 0
        self._genesis = genesis
        self._store = store
        self._place = place
        self._is_up = False
        self._doomed: frozenset[bytes] = frozenset()  # what dies on top of this chain
        self._last: tuple[ChangeChain, frozenset[bytes]] | None = None  # which the store may not have yet
        with suppress(Died):
            self._start()

    def run(self, task: Task) -> Answer:
        """Do one task, whatever dies on the way."""
        doomed = frozenset[bytes]() if isinstance(task, ChangeChain) else self._doomed
        suspect, is_told, unexplained = b"", False, 0
        while unexplained < MAX_DEATHS:
            try:
                self._start()
                return self._noted(self._place.run(task, doomed, is_told=is_told), doomed)
            except Died as death:
                self.deaths += 1
                self._is_up = False
                if isinstance(task, AskContract):
                    return ContractAnswered(task.ticket, None, CRASHED, self._store.height())
                if death.tx_id and death.tx_id == suspect and suspect not in doomed:
                    doomed |= {suspect}
                    unexplained = 0
                suspect, is_told, unexplained = death.tx_id, True, unexplained + 1
        raise NetworkError(self._why_it_dies())

    def _why_it_dies(self) -> str:
        kept = self._store.block(self._store.height())
        if kept and State(self._store.state_items()).root != kept.block.header.state_root:
            return (
                "the state in the chain file is not that of its last block: it was damaged or changed; move the file "
                "away, and start this node again: it fetches the chain from the others"
            )
        return (
            f"the place where contracts run has ended {MAX_DEATHS} times in a row: look into the log of this node; if "
            "that says nothing, this machine may have too little memory"
        )

    def close(self) -> None:
        """Leave nothing behind."""
        self._place.close()

    def _start(self) -> None:
        """Start an executor if there is none; it gets to know what the store does not know yet."""
        if self._is_up:
            return
        kept = self._store.block(self._store.height())
        head = kept.block.header if kept else None
        self._place.start(self._genesis, self._store.state_items(), head)
        if self._last is not None and (head is None or head.id != self._last[0].blocks[-1][0].block.header.id):
            self._place.run(*self._last, is_told=False)
        self._is_up = True

    def _noted(self, answer: Answer, doomed: frozenset[bytes]) -> Answer:
        if not isinstance(answer, ChainChanged):
            self._doomed = doomed
        elif not answer.invalid:
            self._doomed, self._last = frozenset(), (answer.task, doomed)
        elif doomed:
            why = "executing it has ended the place where contracts run, so far only here: is there too little memory?"
            return msgspec.structs.replace(answer, problem=f"{answer.problem}; {why}")
        return answer
