"""The executor: it holds the state and runs contracts, and it holds neither a key nor a socket.

A node asks it by `Execute` and is answered by `Executed`, so code that a learner wrote can run in another process
than the validator's key. It takes signatures as checked by whoever asks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, Final, Protocol

from minichain.codec import Plain, decode_own
from minichain.consensus.interface import Build
from minichain.contracts.deployed import Deployed
from minichain.contracts.meter import GasMeter
from minichain.contracts.runtime import Frame, Runtime
from minichain.errors import Crashed, ExecutionError, InvalidBlock, Refused
from minichain.ledger.certificate import FinalBlock
from minichain.ledger.genesis import Genesis
from minichain.ledger.state import State, Writes, contract_key, name_of_contract
from minichain.ledger.types import Block, Envelope, Header
from minichain.merkle import StateProof, StateTree
from minichain.transition import BlockContext, Execution, apply_block, build_block

VIEW_GAS: Final = 20_000_000  # what one question to a view may use: some hundred times a usual one
CRASHED: Final = (
    "the place where contracts run ended each time it executed this: nothing of it was done, all of its gas is used"
)

# --- tasks ---------------------------------------------------------------------------------------------------------


class MakeBlock(Plain):
    """Make the block that an engine wishes of these transactions; answered by `BlockMade`. `now_ms` is its time."""

    wish: Build
    candidates: tuple[Envelope, ...]
    proposer: bytes
    now_ms: int


class TryBlock(Plain):
    """Would this block be valid now? Answered by `BlockTried`. `envelopes` are its transactions, opened."""

    block: Block
    envelopes: tuple[Envelope, ...]


class ChangeChain(Plain):
    """Take back the last blocks, then add these; answered by `ChainChanged`.

    `undo` are the writes that take blocks back, the last block's first, `base` is the header that is then the last.
    Each block comes with its transactions, opened.
    """

    undo: tuple[Writes, ...]
    base: Header | None
    blocks: tuple[tuple[FinalBlock, tuple[Envelope, ...]], ...]


class AskContract(Plain):
    """Ask a contract's view; answered by `ContractAnswered`. `ticket` comes back; `version` is as in a `Call`."""

    ticket: Any
    contract: str
    name: str
    args: dict[str, Any]
    version: int = 0


class ReadState(Plain):
    """Read a value with its proof; answered by `StateRead`."""

    ticket: Any
    key: bytes


class ListContracts(Plain):
    """List what is deployed; answered by `ContractsListed`."""

    ticket: Any


Work = MakeBlock | TryBlock | ChangeChain
Question = AskContract | ReadState | ListContracts
Task = Work | Question

# --- answers -------------------------------------------------------------------------------------------------------


class BlockMade(Plain):
    """`refused` are the candidates that no block may hold now, with the reason."""

    wish: Build
    block: Block
    refused: tuple[tuple[bytes, Refused], ...]


class BlockTried(Plain):
    """`problem` says why the block is invalid; it is empty for a valid one."""

    block_id: bytes
    problem: str


class Kept(Plain):
    """What a block of the chain did, and the writes that would take it back."""

    final: FinalBlock
    envelopes: tuple[Envelope, ...]
    encoded_receipts: tuple[bytes, ...]
    writes: Writes
    undo: Writes


class ChainChanged(Plain):
    """What the new blocks did. If one of them, `invalid`, cannot be, nothing was changed and `problem` says why."""

    task: ChangeChain
    kept: tuple[Kept, ...]
    invalid: bytes = b""
    problem: str = ""


class ContractAnswered(Plain):
    """What a view returned, or why it failed."""

    ticket: Any
    value: Any
    problem: str
    height: int


class StateRead(Plain):
    """A value (None: absent) with its proof under the state root of block `height`."""

    ticket: Any
    value: bytes | None
    proof: StateProof
    height: int


class ContractsListed(Plain):
    """(name, deployer, height) of each contract, oldest first."""

    ticket: Any
    contracts: tuple[tuple[str, str, int], ...]


Answer = BlockMade | BlockTried | ChainChanged | ContractAnswered | StateRead | ContractsListed


class Does(Protocol):
    """Whoever answers tasks: an executor, or the keeper of one."""

    def run(self, task: Task) -> Answer:
        """Do one task."""


class Executor:
    """The state after the last final block, and what the blocks under discussion would make of it."""

    def __init__(
        self,
        genesis: Genesis,
        items: Iterable[tuple[bytes, bytes]],
        head: Header | None,
        apply: Callable[..., Execution] = apply_block,
    ) -> None:
        self._genesis = genesis
        self._runtime = Runtime(self._begin)
        self._doomed: Collection[bytes] = ()
        self._say: Callable[[bytes], None] | None = None
        self._head = head
        self._apply_block = apply
        self._state = State(items)
        self._tried: dict[bytes, Execution] = {}
        self._contracts = self._find_contracts()
        assert head is None or self._state.root == head.state_root, "the stored state is not that of the last block"

    @property
    def root(self) -> bytes:
        """Return the state root after the last final block."""
        return self._state.root

    def run(self, task: Task, doomed: Collection[bytes] = (), say: Callable[[bytes], None] | None = None) -> Answer:
        """Do one task. The transactions that are `doomed` end as crashed; `say` is told before each one is executed."""
        self._doomed, self._say = doomed, say
        match task:
            case ChangeChain():
                return self._change(task)
            case TryBlock():
                return BlockTried(task.block.header.id, self._try(task.block, task.envelopes))
            case MakeBlock():
                return self._make(task)
            case AskContract():
                return self._ask(task)
            case ReadState(ticket, key):
                return StateRead(ticket, *self._state.prove(key), self._height)
            case ListContracts(ticket):
                found = sorted((height, name, by) for name, (height, by) in self._contracts.items())
                return ContractsListed(ticket, tuple((name, by, height) for height, name, by in found))

    def _begin(self, tx_id: bytes) -> None:
        if self._say:
            self._say(tx_id)
        if tx_id in self._doomed:
            raise Crashed(CRASHED)

    @property
    def _height(self) -> int:
        return self._head.height if self._head else 0

    def _make(self, task: MakeBlock) -> BlockMade:
        block, execution, refused = build_block(
            self._runtime, self._genesis, self._state, self._head, task.candidates, task.proposer, task.now_ms
        )
        self._tried[block.header.id] = execution
        return BlockMade(task.wish, block, tuple(refused))

    def _try(self, block: Block, envelopes: tuple[Envelope, ...]) -> str:
        if block.header.id in self._tried:
            return ""
        try:
            self._tried[block.header.id] = self._apply(block, envelopes)
        except InvalidBlock as error:
            return str(error)
        return ""

    def _apply(self, block: Block, envelopes: tuple[Envelope, ...]) -> Execution:
        opened = {envelope.raw: envelope for envelope in envelopes}
        return self._apply_block(self._runtime, self._genesis, self._state, self._head, block, opened.__getitem__)

    def _change(self, task: ChangeChain) -> ChainChanged:
        before, head = self._state.tree, self._head
        journal: list[Writes] = []
        kept: list[Kept] = []
        for undo in task.undo:
            journal.append(self._commit(undo, self._state.tree.update(undo)))
        self._head = task.base
        for final, envelopes in task.blocks:
            try:
                execution = self._tried.get(final.block.header.id) or self._apply(final.block, envelopes)
            except InvalidBlock as error:
                for undo in reversed(journal):
                    self._commit(undo, before)
                self._head = head
                return ChainChanged(task, (), final.block.header.id, str(error))
            journal.append(self._commit(execution.writes, execution.tree))
            self._head = final.block.header
            self._tried.clear()
            kept.append(Kept(final, envelopes, execution.encoded_receipts, execution.writes, journal[-1]))
        self._note_contracts(task, kept)
        return ChainChanged(task, tuple(kept))

    def _commit(self, writes: Writes, tree: StateTree) -> Writes:
        """Write to the state, and return the writes that undo it."""
        undo = {key: self._state.values.get(key) for key in writes}
        self._state.commit(writes, tree)
        return undo

    def _note_contracts(self, task: ChangeChain, kept: Iterable[Kept]) -> None:
        if task.undo:
            self._contracts = self._find_contracts()
            self._tried.clear()
            return
        for block in kept:
            self._contracts |= self._deployed_in(block.writes)

    def _ask(self, task: AskContract) -> ContractAnswered:
        context = BlockContext(self._height, self._head.time_ms if self._head else self._genesis.spec.genesis_time_ms)
        frame = Frame(
            overlay=self._state.overlay(),
            meter=GasMeter(VIEW_GAS),
            events=[],
            signer="",
            height=context.height,
            now_ms=context.time_ms,
            chain=self._genesis.spec.chain_id,
        )
        try:
            value = self._runtime.view(frame, task.contract, task.name, task.args, task.version)
        except ExecutionError as error:
            return ContractAnswered(task.ticket, None, str(error), context.height)
        return ContractAnswered(task.ticket, value, "", context.height)

    def _find_contracts(self) -> dict[str, tuple[int, str]]:
        return self._deployed_in(self._state.values)

    def _deployed_in(self, values: dict[bytes, bytes] | Writes) -> dict[str, tuple[int, str]]:
        found = {}
        for key in values:
            name = name_of_contract(key)
            if name is not None:
                deployed = decode_own(self._state.values[contract_key(name)], Deployed)
                found[name] = deployed.height, deployed.deployer
        return found
