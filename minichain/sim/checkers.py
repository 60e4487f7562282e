"""What must always be true, looked at after every event. A false one stops the world with the seed that finds it;
a lesson that wants to see it may have it noted instead.

agreement      no two nodes have different final blocks at one height, and none ever takes one back
validity       every final block is what `transition` makes of its transactions, each signed by its sender
certificates   every final block carries a certificate that its committee's weight supports
conservation   no unit of the native asset appears or is lost
truthfulness   no correct node ever signs two messages that contradict each other, crashes included
"""

from __future__ import annotations

from typing import Any

from minichain.codec import decode_own
from minichain.consensus.bft import Message, Proposal
from minichain.consensus.bft.engine import SAID
from minichain.consensus.bft.messages import read_own
from minichain.contracts.runtime import Runtime
from minichain.crypto import SignatureCheck
from minichain.errors import InvalidBlock, MinichainError, ProofError, SignatureError, UsageError
from minichain.ledger.certificate import FinalBlock
from minichain.ledger.genesis import Genesis
from minichain.ledger.state import TREASURY_KEY, Account, State, Writes, is_account_key
from minichain.ledger.types import Envelope, Header, open_envelope
from minichain.sim.memory import MemoryStore
from minichain.transition import apply_block, first_state


class Violated(MinichainError):
    """Something that must always be true is not."""


class Checkers:
    """An observer who sees all nodes at once and trusts none."""

    def __init__(self, genesis: Genesis, is_valid: SignatureCheck, on_violation: str = "stop") -> None:
        if on_violation not in ("stop", "note"):
            raise UsageError(f"on a violation a world can stop or note it, not {on_violation!r}")
        self._stops = on_violation == "stop"
        self.violations: list[str] = []  # noted, where they do not stop the world
        self._genesis = genesis
        self._is_valid = is_valid
        self._runtime = Runtime()
        self._state = State(first_state(genesis))
        self._head: Header | None = None
        self._ids: list[bytes] = [genesis.hash]
        self._said: dict[tuple[Any, ...], bytes | None] = {}
        self._seen: dict[str, int] = {}  # node -> height of its last final block
        work = genesis.spec.work
        self._open = work.confirmations - 1 if genesis.spec.engine == "pow" else 0  # last blocks that are not final
        self._distrusted: set[str] = set()
        self._ignored: set[str] = set()

    def ignore(self, name: str) -> None:
        """Expect nothing any more of a member that lies: it may even deceive itself."""
        self._ignored.add(name)
        self._distrusted.add(name)

    def distrust(self, name: str, store: MemoryStore) -> None:
        """Expect no truthfulness of a node any more that has lost its memory; its chain begins anew here."""
        self._distrusted.add(name)
        self._seen[name] = max(0, store.height() - self._open)

    def after_event(self, name: str, height: int, store: MemoryStore) -> None:
        """Look at a node: its height as it says, and what its disk holds. Who has violated something is ignored."""
        if name in self._ignored:
            return
        try:
            self._look(name, height, store)
        except Violated as violated:
            if self._stops:
                raise
            self.violations.append(str(violated))
            self.ignore(name)

    def _look(self, name: str, height: int, store: MemoryStore) -> None:
        if store.height() != height:
            raise Violated(f"agreement: {name} is at height {height}, and its disk at {store.height()}")
        before = self._seen.get(name, 0)
        if before:
            kept = store.block(before)
            if kept is None or kept.block.header.id != self._ids[before]:
                raise Violated(f"agreement: {name} took back block {before}, which was final")
        for at in range(before + 1, height - self._open + 1):
            final = store.block(at)
            assert final is not None
            self._check(name, final)
            self._seen[name] = at

    def _check(self, name: str, final: FinalBlock) -> None:
        height, block_id = final.block.header.height, final.block.header.id
        if height == len(self._ids):
            self._check_new(name, final)
            self._ids.append(block_id)
        elif self._ids[height] != block_id:
            raise Violated(f"agreement: {name} has another block at height {height} than a node before it")

    def on_remembered(self, name: str, item: bytes, data: bytes) -> None:
        """Look at what the engine of a correct node will not forget: among it, everything that it signed."""
        if item.startswith(SAID) and name not in self._distrusted:
            self._on_said(name, read_own(data))

    def _on_said(self, name: str, message: Message) -> None:
        if isinstance(message, Proposal):
            key: tuple[Any, ...] = (name, "proposal", message.height, message.round)
            block_id: bytes | None = message.block.header.id
        else:
            key, block_id = (name, message.kind, message.height, message.round), message.block_id
        if self._said.setdefault(key, block_id) != block_id:
            raise Violated(f"truthfulness: {name} signed two different messages of kind {key[1:]}")

    def _check_new(self, name: str, final: FinalBlock) -> None:
        header = final.block.header
        try:
            final.certificate.verify(header, self._state.committee(header.height), self._is_valid)
        except ProofError as error:
            raise Violated(f"certificates: block {header.height} of {name}: {error}") from error
        try:
            execution = apply_block(
                self._runtime, self._genesis, self._state, self._head, final.block, self._open_checked
            )
        except InvalidBlock as error:
            raise Violated(f"validity: block {header.height} of {name}: {error}") from error
        if self._units_in(execution.writes) != self._units_before(execution.writes):
            raise Violated(f"conservation: block {header.height} of {name} changes how many units there are")
        self._state.commit(execution.writes, execution.tree)
        self._head = header

    def _open_checked(self, raw: bytes) -> Envelope:
        envelope = open_envelope(raw, self._genesis.spec.limits.transaction_bytes)
        if not envelope.has_valid_signature(self._is_valid):
            raise SignatureError("not signed by its sender")
        return envelope

    def _units_in(self, writes: Writes) -> int:
        return sum(_units(key, value) for key, value in writes.items())

    def _units_before(self, writes: Writes) -> int:
        return sum(_units(key, self._state.values.get(key)) for key in writes)


def _units(key: bytes, value: bytes | None) -> int:
    if value is None:
        return 0
    if key == TREASURY_KEY:
        return int.from_bytes(value)
    return decode_own(value, Account).balance if is_account_key(key) else 0
