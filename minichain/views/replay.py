"""Check it yourself: a chain executed anew in this process, block by block from the first, believing nobody.

Every block must be certified by the committee that the block before names, and everything its header promises must be
what its transactions really make. So a figure that is read from the replayed state stands on blocks alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol

from minichain.contracts.meter import GasMeter
from minichain.contracts.runtime import Frame, Runtime
from minichain.errors import Crashed, ProofError, UsageError
from minichain.ledger.genesis import Genesis
from minichain.ledger.state import State, contract_key
from minichain.ledger.types import Header, Receipt
from minichain.node.execution import VIEW_GAS
from minichain.node.messages import BlockDetail
from minichain.transition import apply_block, first_state, open_transaction
from minichain.views.case import Settings
from minichain.views.i18n import _, number, short

MOST_BLOCKS: Final = 5_000  # more would keep a page busy for minutes


class Blocks(Protocol):
    """The part of a client that blocks are read from."""

    @property
    def genesis(self) -> Genesis: ...
    def height(self) -> int: ...
    def block(self, height: int) -> BlockDetail: ...


class Replay:
    """A chain so far: its state, its receipts, and its last header; views can be asked as of a client."""

    def __init__(self, genesis: Genesis) -> None:
        self.genesis = genesis
        self.head: Header | None = None
        self.receipts: list[Receipt] = []
        self._state, self._runtime = State(first_state(genesis)), Runtime()

    @property
    def height(self) -> int:
        return self.head.height if self.head else 0

    def take(self, detail: BlockDetail) -> None:
        """Check a block and execute it; raises `ProofError` or `InvalidBlock` if it is not what it says."""
        final, header = detail.final, detail.final.block.header
        if any(receipt.outcome == Crashed.outcome for receipt in detail.receipts):
            words = _("Block {height} holds a contract that broke a validator. Nobody should run it again on a page.")
            raise ProofError(words.format(height=number(header.height)))
        committee = self._state.committee(self.height + 1)
        final.certificate.verify(header, committee)
        checked = partial(open_transaction, self.genesis)
        execution = apply_block(self._runtime, self.genesis, self._state, self.head, final.block, checked)
        self._state.commit(execution.writes, execution.tree)
        self.receipts += execution.receipts
        self.head = header

    def view(self, contract: str, name: str, args: dict[str, Any]) -> Any:
        """Ask a view of a contract in the replayed state."""
        frame = Frame(
            overlay=self._state.overlay(),
            meter=GasMeter(VIEW_GAS),
            events=[],
            signer="",
            height=self.height,
            now_ms=self.head.time_ms if self.head else self.genesis.spec.genesis_time_ms,
            chain=self.genesis.spec.chain_id,
        )
        return self._runtime.view(frame, contract, name, args)

    def blocks_of(self, *contracts: str) -> list[int]:
        """Return the heights of the blocks in which one of these contracts announced what it had done."""
        return sorted({one.height for one in self.receipts if {event.contract for event in one.events} & {*contracts}})

    def has_contract(self, name: str) -> bool:
        """Tell whether a contract of this name is there."""
        return contract_key(name) in self._state.values

    def values(self) -> dict[bytes, bytes]:
        """Return the replayed state, key by key."""
        return self._state.values


def replay(chain: Blocks, until: int | None = None, told: Callable[[int], None] = lambda height: None) -> Replay:
    """Execute a chain anew up to a height, or its last block; raises `TheirFault` if a block does not hold."""
    made, last = Replay(chain.genesis), chain.height() if until is None else until
    if last > MOST_BLOCKS:
        words = _("This chain has {count} blocks, too many for a page. Run `minichain verify` on a proof instead.")
        raise ProofError(words.format(count=number(last)))
    for height in range(1, last + 1):
        made.take(chain.block(height))
        told(height)
    return made


def back_to(wanted: Settings, client: Blocks) -> Replay:
    """Execute a chain anew up to the `height` of a run code; raises `UsageError` if that is about another `chain`."""
    until = int(wanted["height"])
    if short(client.genesis.hash) != wanted["chain"]:
        words = _("The brief is about another network: its chain begins with {id}.")
        raise UsageError(words.format(id=wanted["chain"]))
    if not 0 <= until <= client.height():
        words = _("The brief is about block {height}, which this network does not have yet.")
        raise UsageError(words.format(height=number(until)))
    return replay(client, until)


def behind(made: Replay) -> str:
    """Say from which blocks a figure was read."""
    words = _("blocks 1 to {height}, each executed anew; the last one is {id}")
    return words.format(height=number(made.height), id=f"{made.head.id.hex():.8}" if made.head else "\N{EN DASH}")
