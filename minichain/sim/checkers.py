"""What must always be true, looked at after every event. A false one stops the world with the seed that finds it;
a lesson that wants to see it may have it noted instead.

agreement      no two nodes have different final blocks at one height, and none ever takes one back
validity       every final block is what `transition` makes of its transactions, each signed by its sender
certificates   every final block carries a certificate that its committee's weight supports
conservation   no unit of the native asset appears or is lost; what is burnt is counted
charges        every transaction in a block pays for its gas and uses its nonce, also one that fails
receipts       a node keeps, with every final block, the receipts of what it did
handovers      whoever knows only the genesis follows the committees by the blocks, and is led to no other
prudence       what a member signs is on its disk before it leaves
confirmation   whoever acknowledges a block has an entry of that very term there or after it (raft, section 3.6.2)
mempools       no transaction waits at a node that its own chain holds or has no place for
crashes        no transaction ends the place where contracts run, unless somebody has planted that
answers        what a client is told is final is, with this receipt; what it is told is refused is not on that chain

What correct members say is looked at by `conduct`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from minichain.codec import decode, decode_own, encode
from minichain.consensus.bft import Message, Proposal, Vote
from minichain.consensus.bft.messages import author
from minichain.consensus.raft import AppendReply
from minichain.consensus.raft.log import Log
from minichain.contracts.runtime import Runtime
from minichain.crosschain.gate import units_abroad
from minichain.crosschain.light import follow
from minichain.crosschain.supply import units_burnt, units_present
from minichain.crypto import SignatureCheck
from minichain.errors import Crashed, InvalidBlock, ProofError, SignatureError, UsageError
from minichain.ledger.certificate import FinalBlock
from minichain.ledger.committee import Committee
from minichain.ledger.genesis import Fee, Genesis
from minichain.ledger.state import TREASURY_KEY, Account, State, Writes, account_key, read_account
from minichain.ledger.types import Envelope, Header, Receipt, open_envelope
from minichain.node.execution import CRASHED
from minichain.node.messages import ClientAnswer, Outcomes, Response
from minichain.sim.conduct import Conduct, Violated, is_majority, is_quorum
from minichain.sim.memory import MemoryStore
from minichain.transition import Execution, apply_block, first_state, intrinsic_gas

__all__ = ["Checkers", "Violated"]


class Checkers:
    """An observer who sees all nodes at once and trusts none. `stores` are their disks, by name."""

    def __init__(
        self,
        genesis: Genesis,
        is_valid: SignatureCheck,
        on_violation: str = "stop",
        stores: dict[str, MemoryStore] | None = None,
    ) -> None:
        if on_violation not in ("stop", "note"):
            raise UsageError(f"on a violation a world can stop or note it, not {on_violation!r}")
        self._stops = on_violation == "stop"
        self.violations: list[str] = []  # noted, where they do not stop the world
        self._genesis = genesis
        self._is_valid = is_valid
        self.stores = {} if stores is None else stores
        self._runtime = Runtime(self._begin)
        self._crashed: set[bytes] = set()  # transactions of the block that is checked
        self.may_crash = False  # somebody has planted what ends the place where contracts run
        self._state = State(first_state(genesis))
        self._head: Header | None = None
        self._ids: list[bytes] = [genesis.hash]
        self._committees: list[Committee] = [genesis.committee]  # by height
        self._encoded_receipts: list[tuple[bytes, ...]] = [()]  # by height
        self.receipts: dict[bytes, Receipt] = {}  # of final transactions
        self._trust = follow(genesis, ())
        self._conduct = Conduct(self._committee_of)
        self._seen: dict[str, int] = {}  # node -> height of its last final block
        self._last: dict[str, FinalBlock | None] = {}  # node -> its last block
        work = genesis.spec.work
        self._open = work.confirmations - 1 if genesis.spec.engine == "pow" else 0  # last blocks that are not final
        self._distrusted: set[str] = set()
        self._ignored: set[str] = set()
        self.listeners: list[Callable[[Header, tuple[Receipt, ...]], None]] = []  # told of every final block, once

    @property
    def height(self) -> int:
        """Return how many blocks are final."""
        return len(self._ids) - 1

    @property
    def committee(self) -> Committee:
        """Return who certifies the next block."""
        return self._state.committee(len(self._ids))

    def _committee_of(self, height: int) -> Committee | None:
        return (*self._committees, self.committee)[height] if height <= len(self._ids) else None

    def ignore(self, name: str) -> None:
        """Expect nothing any more of a member that lies: it may even deceive itself."""
        self._ignored.add(name)
        self._distrusted.add(name)

    def distrust(self, name: str, store: MemoryStore) -> None:
        """Expect no truthfulness of a node any more that has lost its memory; its chain begins anew here."""
        self._distrusted.add(name)
        self._seen[name] = max(0, store.height() - self._open)

    def on_sent(self, name: str, public: bytes, peer: str, message: Any) -> None:
        """Look at a message as it leaves a member, for `peer` or, "", for everybody."""
        if name in self._distrusted:
            self._conduct.hear(public, message)
            return
        try:
            self._conduct.on_said(name, public, peer, message)
            if isinstance(message, Proposal | Vote) and author(message) == public:
                self._check_prudence(name, message)
            elif isinstance(message, AppendReply) and message.signature:
                self._check_confirmation(name, message)
        except Violated as violated:
            self._found(name, violated)

    def after_event(self, name: str, height: int, store: MemoryStore, waiting: Iterable[Envelope] = ()) -> None:
        """Look at a node: its height as it says, what its disk holds, which transactions wait.

        Who has violated something is ignored.
        """
        if name in self._ignored:
            return
        try:
            self._look(name, height, store, waiting)
        except Violated as violated:
            self._found(name, violated)

    def on_answer(self, name: str, data: bytes) -> None:
        """Look at what a node tells a client."""
        if name in self._ignored:
            return
        try:
            self._check_answer(name, decode(data, Response).body)
        except Violated as violated:
            self._found(name, violated)

    def _found(self, name: str, violated: Violated) -> None:
        if self._stops:
            raise violated
        self.violations.append(str(violated))
        self.ignore(name)

    # --- one node ---

    def _look(self, name: str, height: int, store: MemoryStore, waiting: Iterable[Envelope]) -> None:
        if store.height() != height:
            raise Violated(f"agreement: {name} is at height {height}, and its disk at {store.height()}")
        last = store.block(height)
        if last is self._last.get(name):
            return
        self._last[name] = last
        before = self._seen.get(name, 0)
        if before:
            kept = store.block(before)
            if kept is None or kept.block.header.id != self._ids[before]:
                raise Violated(f"agreement: {name} took back block {before}, which was final")
        for at in range(before + 1, height - self._open + 1):
            final = store.block(at)
            assert final is not None
            self._check(name, final, store)
            self._seen[name] = at
        self._check_waiting(name, height, store, waiting)

    def _check(self, name: str, final: FinalBlock, store: MemoryStore) -> None:
        height, block_id = final.block.header.height, final.block.header.id
        if height == len(self._ids):
            self._check_new(name, final, store)
            self._ids.append(block_id)
        elif self._ids[height] != block_id:
            raise Violated(f"agreement: {name} has another block at height {height} than a node before it")
        if store.receipts(height) != self._encoded_receipts[height]:
            raise Violated(f"receipts: {name} keeps others with block {height} than those of what it did")

    def _check_waiting(self, name: str, height: int, store: MemoryStore, waiting: Iterable[Envelope]) -> None:
        for envelope in waiting:
            body = envelope.body
            nonce = read_account(store.value(account_key(body.sender))).nonce
            if body.nonce < nonce or body.expires <= height:
                what = f"nonce {body.nonce} where {nonce} is next, valid up to height {body.expires}"
                raise Violated(f"mempools: at {name} waits, at height {height}, a transaction with {what}")

    def _check_prudence(self, name: str, message: Message) -> None:
        """Look for what is said on the disk, unless its height is decided by now: a crash must not let it be denied."""
        store = self.stores[name]
        if message.height == store.height() + 1 and encode(message) not in store.memory().values():
            raise Violated(f"prudence: {name} says what its disk does not hold, about height {message.height}")

    def _check_confirmation(self, name: str, reply: AppendReply) -> None:
        """A signed acknowledgement says that nothing else can take the block's place; only its own term shows that."""
        term = Log.restore(self.stores[name].memory(), self._genesis.hash).term_at(reply.index)
        if term not in (reply.term, None):  # None: it has applied the block since
            raise Violated(f"confirmation: {name} signed in term {reply.term} what it has of term {term} only")

    def _check_answer(self, name: str, answer: ClientAnswer) -> None:
        for verdict in answer.verdicts if isinstance(answer, Outcomes) else ():
            if verdict.code == "final" and verdict.receipt != self.receipts.get(verdict.tx_id):
                raise Violated(f"answers: {name} tells of a final transaction what did not happen")
            if verdict.code != "final" and self.stores[name].find(verdict.tx_id):
                raise Violated(f"answers: {name} has refused a transaction ({verdict.code}) that is on its own chain")

    # --- a new block ---

    def _check_new(self, name: str, final: FinalBlock, store: MemoryStore) -> None:
        header, opened = final.block.header, list[Envelope]()
        self._check_certificate(name, final)
        self._check_crashes(name, header.height, store)

        def open_checked(raw: bytes) -> Envelope:
            opened.append(self._open_checked(raw))
            return opened[-1]

        try:
            execution = apply_block(self._runtime, self._genesis, self._state, self._head, final.block, open_checked)
        except InvalidBlock as error:
            raise Violated(f"validity: block {header.height} of {name}: {error}") from error
        if self._units_in(execution.writes) != self._units_before(execution.writes):
            raise Violated(f"conservation: block {header.height} of {name} changes how many units there are")
        self._check_charges(header.height, opened, execution)
        self._check_handover(name, final, store)
        self._committees.append(self.committee)
        self._encoded_receipts.append(execution.encoded_receipts)
        self.receipts |= {receipt.tx_id: receipt for receipt in execution.receipts}
        self._state.commit(execution.writes, execution.tree)
        self._head = header
        for listener in self.listeners:
            listener(header, execution.receipts)

    def _check_crashes(self, name: str, height: int, store: MemoryStore) -> None:
        """A contract that ends the place where it runs has found a hole in our guards; here it would end us as well."""
        receipts = [decode_own(raw, Receipt) for raw in store.receipts(height) if Crashed.outcome.encode() in raw]
        self._crashed = {receipt.tx_id for receipt in receipts if receipt.outcome == Crashed.outcome}
        if self._crashed and not self.may_crash:
            raise Violated(f"crashes: block {height} of {name} holds a transaction that nobody could execute")

    def _begin(self, tx_id: bytes) -> None:
        if tx_id in self._crashed:
            raise Crashed(CRASHED)

    def _check_certificate(self, name: str, final: FinalBlock) -> None:
        """Check the signatures, and then once more what they weigh, by formulas of our own."""
        header, committee, engine = final.block.header, self.committee, self._genesis.spec.engine
        try:
            final.certificate.verify(header, committee, self._is_valid)
        except ProofError as error:
            raise Violated(f"certificates: block {header.height} of {name}: {error}") from error
        weight = sum(committee.members[position].weight for position in set(final.certificate.signers))
        is_enough = {"bft": is_quorum, "raft": is_majority}.get(engine)
        if is_enough and not is_enough(committee, weight):
            raise Violated(f"certificates: block {header.height} of {name} has weight {weight} of {committee.total}")

    def _open_checked(self, raw: bytes) -> Envelope:
        envelope = open_envelope(raw, self._genesis.spec.limits.transaction_bytes)
        if not envelope.has_valid_signature(self._is_valid):
            raise SignatureError("not signed by its sender")
        return envelope

    def _check_charges(self, height: int, opened: list[Envelope], execution: Execution) -> None:
        """Whoever sends a transaction pays: what the receipts say was used must be gone, and no nonce is free."""
        policy, used, count = self._genesis.spec.policy, Counter[bytes](), Counter[bytes]()
        for envelope, receipt in zip(opened, execution.receipts, strict=True):
            used[envelope.body.sender] += receipt.gas
            count[envelope.body.sender] += 1
            if receipt.gas < intrinsic_gas(envelope):
                raise Violated(f"charges: transaction {receipt.index} of block {height} costs less than to carry it")
        if isinstance(policy, Fee):
            values = self._state.values.get(TREASURY_KEY), execution.writes.get(TREASURY_KEY)
            before, after = (int.from_bytes(value or b"") for value in values)
            if opened and after - before != policy.price * used.total():
                raise Violated(f"charges: block {height} used {used.total()} gas and {after - before} units were paid")
        for sender in used:
            old, new = (
                read_account(values.get(account_key(sender))) for values in (self._state.values, execution.writes)
            )
            window = old.window if isinstance(policy, Fee) else height // policy.window
            spent = new.gas_used - (old.gas_used if old.window == window else 0)
            if new.nonce != old.nonce + count[sender] or spent != (0 if isinstance(policy, Fee) else used[sender]):
                raise Violated(
                    f"charges: in block {height} a sender of {count[sender]} transactions has not paid for them"
                )

    def _check_handover(self, name: str, final: FinalBlock, store: MemoryStore) -> None:
        """Be a light client: go on to the committee that a node's records name, and to no other."""
        header = final.block.header
        if header.next_committee == header.committee:
            return
        kept = [handover for handover in store.handovers(header.height + 1) if handover.header == header]
        if not kept:
            raise Violated(f"handovers: block {header.height} of {name} hands over, and the node keeps no record of it")
        true, last = kept[0], kept[0].members[-1]
        stranger = msgspec.structs.replace(last, weight=last.weight + 1)
        try:
            trust = self._trust.advance(true)
        except ProofError as error:
            raise Violated(f"handovers: block {header.height} of {name}: {error}") from error
        try:
            self._trust.advance(msgspec.structs.replace(true, members=(*true.members[:-1], stranger)))
        except ProofError:
            self._trust = trust
        else:
            raise Violated(f"handovers: block {header.height} leads to a committee that it does not name")

    def values(self) -> Iterable[tuple[bytes, bytes]]:
        """Return the state that is final: keys and values."""
        return self._state.values.items()

    def account(self, public: bytes) -> Account:
        """Return an account as it is in that state."""
        return read_account(self._state.values.get(account_key(public)))

    def units_present(self) -> int:
        """Return the units that are on this chain: of accounts, locks, pledges and fees, wherever they were made."""
        return sum(units_present(key, value) for key, value in self.values())

    def _units_in(self, writes: Writes) -> int:
        return sum(_units(key, value) for key, value in writes.items())

    def _units_before(self, writes: Writes) -> int:
        return sum(_units(key, self._state.values.get(key)) for key in writes)


def _units(key: bytes, value: bytes | None) -> int:
    return 0 if value is None else units_present(key, value) + units_abroad(key, value) + units_burnt(key, value)
