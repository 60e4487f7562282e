"""The node: an event and the time go in, effects come out. It wires the engine, the waiting transactions, the
executor and the store together, and decides nothing itself.

Its effects are performed after everything it wrote in the same turn is safe (see `turn`). A message that is not what
it should be is dropped and counted; only our own bugs raise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from random import Random
from types import MappingProxyType
from typing import Any, Final

from minichain.codec import decode_own, encode
from minichain.consensus import interface as engine
from minichain.consensus.bft import Bft, Proposal
from minichain.consensus.clock import SteadyClock
from minichain.consensus.pow import Blocks, Pow
from minichain.consensus.raft import Raft
from minichain.crypto import DIGEST_SIZE, KeyPair, SignatureCheck, is_valid_signature
from minichain.errors import DecodeError, InvalidBlock, ProofError, Refused, SignatureError
from minichain.ledger.certificate import FinalBlock, Handover
from minichain.ledger.committee import Committee, committee_at
from minichain.ledger.genesis import Genesis
from minichain.ledger.state import COMMITTEE_KEY, Writes
from minichain.ledger.types import Block, Envelope, Header, Receipt, open_envelope, transaction_id
from minichain.membership.authority import Rotation, proposer
from minichain.node import execution, queries
from minichain.node.acquaintances import Acquaintances
from minichain.node.intake import Intake
from minichain.node.interface import (
    Admit,
    Asked,
    Broadcast,
    Effect,
    Event,
    Execute,
    Executed,
    Meet,
    NodeTimer,
    Received,
    Reply,
    Send,
    SetTimer,
    Started,
    TimerFired,
)
from minichain.node.messages import (
    MAX_MESSAGE_BYTES,
    AccountState,
    Addresses,
    AskAccount,
    AskChain,
    AskSnapshot,
    AskStatus,
    Await,
    ChainAnswer,
    ClientAnswer,
    ClientRequest,
    Failure,
    FinalBlocks,
    NodeStatus,
    Offer,
    Outcomes,
    PeerMessage,
    Position,
    Response,
    Submit,
    Submitted,
    Taken,
    Transactions,
    Verdict,
    read_peer_message,
    read_request,
)
from minichain.node.peers import Peers
from minichain.node.readers import NOT_A_READER, Readers
from minichain.node.snapshots import Snapshots
from minichain.node.sync import MAX_BLOCKS, CatchUp, blocks_from, require_final
from minichain.node.waiters import Ticket, Waiters
from minichain.store import Store
from minichain.transition import first_root

TICK_MS: Final = 2_000  # an idle node tells its position this often
STUCK_MS: Final = 1_000  # a node that is deciding and heard nothing new for this long asks for help
MAX_ASKED: Final = 10_000  # transactions in one request
ENGINES: Final[dict[str, Callable[[engine.Setup], engine.Engine]]] = {"bft": Bft, "raft": Raft, "pow": Pow}
PROGRESS: Final = frozenset(
    {engine.Remember, engine.Judge, engine.Build, engine.Decide, engine.Adopt}
)  # a heartbeat is none
OWN_WORDS: Final = frozenset({Transactions, Position, Addresses, FinalBlocks, Proposal})  # the node looks at these
EMPTY: Final[Mapping[bytes, bytes]] = MappingProxyType({})
FAULTY_REFUSALS: Final = frozenset({"malformed", "oversize", "wrong_chain", "bad_signature"})  # no correct member sends


class Node:
    """One member's node."""

    def __init__(
        self,
        name: str,
        key: KeyPair,
        genesis: Genesis,
        store: Store,
        random: Random,
        is_valid: SignatureCheck = is_valid_signature,
        read: Callable[[bytes], PeerMessage] = read_peer_message,
        addresses: Mapping[bytes, str] | None = None,
        rotation: Rotation = proposer,
        *,
        mines: bool = True,
        relays: bool = False,
    ) -> None:
        self.name = name
        self._rotation = rotation
        self._acquaintances = Acquaintances(addresses or {})
        self._key = key
        self._genesis = genesis
        self._store = store
        self._relays = relays  # what it broadcasts reaches only some: it passes transactions on
        self._is_valid = is_valid
        self._read = read
        self._engine = ENGINES[genesis.spec.engine](
            engine.Setup(key, genesis.hash, genesis.spec, is_valid, random, store.memory(), mines)
        )
        self._decides = genesis.spec.engine != "pow"  # else it prefers, and may change its mind
        self._intake = Intake(genesis, store, is_valid)
        self._waiters = Waiters()
        self._peers = Peers()
        self._catching_up = CatchUp()
        self._snapshots = Snapshots(genesis, store)
        self._head = self._header(store.height())
        self._final = self._final_height()
        self._readers = Readers(genesis)
        self._terms = b""  # of committees, as the state has them
        self._note_writes(dict(store.state_items()))
        self._is_changed = False  # the committee, by the last block
        self._is_changing = False  # the executor is changing the chain
        self._has_begun = False  # the engine was told that there is something to decide at this height
        self._owed: engine.Build | None = None  # a block the engine waits for, for want of transactions
        self._asked_in_round = 0
        self._timers: set[str] = set()
        self._now_ms = 0  # for the times of blocks
        self._clock = SteadyClock()  # for how long something took: these two are by it
        self._last_block_ms = 0
        self._progress_ms = 0
        self._counts: Counter[str] = Counter()
        self._out: list[Effect] = []

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        """Take one event; return what must be done, in order."""
        self._now_ms = now_ms
        self._clock.advance(now_ms)
        match event:
            case Received():
                self._on_peer(event.peer, event.data)
            case TimerFired():
                self._on_timer(event.timer)
            case Executed():
                self._on_executed(event.answer)
            case engine.Mined():
                self._run(event)
            case Asked():
                self._on_client(event)
            case Started():
                self._on_started()
        effects, self._out = self._out, []
        return effects

    @property
    def head(self) -> Header | None:
        """Return the header of the last final block."""
        return self._head

    @property
    def height(self) -> int:
        """Return the height of the last final block."""
        return self._head.height if self._head else 0

    @property
    def waiting(self) -> Iterable[Envelope]:
        """Return the transactions that wait for a block."""
        return self._intake.waiting

    @property
    def engine_summary(self) -> dict[str, Any]:
        """Return what people may see of the engine."""
        return self._engine.summary()

    @property
    def committee(self) -> Committee:
        """Return the committee that certifies the next block."""
        return committee_at(self._terms, self.height + 1)

    # --- starting and timers ---

    def _on_started(self) -> None:
        self._admit_members()
        was_here = bool(self._head or self._store.memory())
        self._begin_height()
        self._on_tick(is_stuck=was_here)
        self._set_timer("stuck", STUCK_MS)  # what it asked for may get lost

    def _admit_members(self) -> None:
        """Let in who may certify the next block, and who has just done so: they have last words to say."""
        last = committee_at(self._terms, max(1, self.height))
        both = dict.fromkeys(member.public for group in (self.committee, last) for member in group.members)
        self._out.append(Admit(tuple(both)))

    def _on_tick(self, is_stuck: bool = False) -> None:
        if self._decides:
            self._broadcast(self._position(is_stuck))
        self._introduce()
        self._run(engine.Tick())
        self._set_timer("tick", TICK_MS)

    def _header(self, height: int) -> Header | None:
        kept = self._store.block(height)
        return kept.block.header if kept else None

    def _final_height(self) -> int:
        """Return the last height whose transactions count as final: a decided one, or one that is deep enough."""
        return self.height if self._decides else max(0, self.height - self._genesis.spec.work.confirmations + 1)

    def _begin_height(self) -> None:
        height, committee = self.height + 1, self.committee
        head = self._head.id if self._head else self._genesis.hash
        self._has_begun, self._owed, self._asked_in_round = False, None, 0
        self._intake.forget_opened()
        self._run(engine.Begin(height, head, committee, lambda round_: self._rotation(committee, height, round_)))
        self._consider_work()

    def _consider_work(self) -> None:
        """Let the engine start once there is something to decide and the block interval has passed."""
        if not self._intake.waiting or self._is_changing:
            return
        if self._owed:
            self._build(self._owed)
        if not self._has_begun:
            wait = self._last_block_ms + self._genesis.spec.timeouts.block_interval - self._clock.ms
            if wait > 0:
                self._set_timer("work", wait)
                return
            self._has_begun = True
            self._run(engine.Work())

    def _set_timer(self, name: str, delay_ms: int) -> None:
        if name not in self._timers:
            self._timers.add(name)
            self._out.append(SetTimer(name, delay_ms))

    def _on_timer(self, timer: NodeTimer) -> None:
        if not isinstance(timer, str):
            self._run(engine.TimedOut(timer))
            return
        self._timers.discard(timer)
        if timer == "work":
            self._consider_work()
        elif timer == "tick":
            self._on_tick()
        elif timer == "stuck":
            self._on_maybe_stuck()

    def _on_maybe_stuck(self) -> None:
        if self._engine.summary()["step"] == "idle" and not self._intake.waiting:
            return
        if self._clock.ms >= self._progress_ms + STUCK_MS:
            if self._decides:
                self._broadcast(self._position(is_stuck=True))
            waiting = self._intake.waiting.first(self._genesis.spec.limits.block_bytes)
            if waiting:  # the proposer may never have got them
                self._broadcast(Transactions(tuple(envelope.raw for envelope in waiting)))
        self._set_timer("stuck", STUCK_MS)

    def _position(self, is_stuck: bool = False) -> Position:
        heard = self._engine.heard() if is_stuck else b""
        return Position(self.height + 1, self._engine.summary()["round"], heard, is_stuck)

    # --- the engine ---

    def _run(self, event: engine.Event) -> None:
        for effect in self._engine.handle(event, self._now_ms):
            self._perform(effect)

    def _perform(self, effect: engine.Effect) -> None:
        if type(effect) in PROGRESS:
            self._progress_ms = self._clock.ms
        match effect:  # the usual ones first
            case engine.Remember():
                self._store.remember(effect.name, effect.data)
            case engine.Tell():
                self._broadcast(effect.message)
            case engine.StartTimer():
                self._start_timer(effect)
            case engine.Adopt():
                self._adopt(effect.height, effect.blocks)
            case engine.Judge():
                self._judge(effect.block)
            case engine.Decide():
                self._change(self.height + 1, (FinalBlock(effect.block, effect.certificate),))
            case engine.Build():
                self._set_timer("stuck", STUCK_MS)
                self._build(effect)
            case engine.Mine() | engine.StopMining():
                self._out.append(effect)
            case engine.Send(to, message):
                self._out.append(Send(to, encode(message)))
            case engine.Behind(source):
                self._ask_for_blocks(source)
            case engine.Accuse(evidence):
                self._store.accuse(encode(evidence))

    def _start_timer(self, start: engine.StartTimer) -> None:
        self._out.append(SetTimer(start.timer, start.delay_ms))
        self._set_timer("stuck", STUCK_MS)
        self._ask_for_votes(start.timer.round)

    def _ask_for_votes(self, round_: int) -> None:
        """A round that decided nothing may have failed for want of messages: ask for them once, as the next begins."""
        if round_ > self._asked_in_round:
            self._asked_in_round = round_
            self._broadcast(self._position(is_stuck=True))

    def _build(self, wish: engine.Build) -> None:
        if not self._intake.waiting and not wish.may_be_empty:
            self._owed = wish
            return
        self._owed = None
        candidates = self._intake.waiting.first(self._genesis.spec.limits.block_bytes)
        time_ms = max(self._now_ms, wish.not_before_ms)
        self._execute(execution.MakeBlock(wish, candidates, self._key.public, time_ms))

    def _on_made(self, made: execution.BlockMade) -> None:
        self._settle(self._intake.refuse(made.refused))
        wish = made.wish
        if made.block.txs or wish.may_be_empty:
            self._run(engine.Built(wish.height, wish.round, made.block))
        elif wish.height == self.height + 1:
            self._build(wish)

    def _judge(self, block: Block) -> None:
        try:
            self._execute(execution.TryBlock(block, self._intake.open_all(block)))
        except (DecodeError, SignatureError):
            self._counts["invalid_blocks"] += 1
            self._run(engine.Judged(block.header.id, False))

    # --- final blocks ---

    def _on_executed(self, answer: execution.Answer) -> None:
        match answer:
            case execution.ChainChanged():
                self._on_changed(answer)
            case execution.BlockTried():
                self._counts["invalid_blocks"] += bool(answer.problem)
                self._run(engine.Judged(answer.block_id, not answer.problem))
            case execution.BlockMade():
                self._on_made(answer)
            case _:
                self._reply(answer.ticket, queries.from_executor(self._store, answer))

    def _adopt(self, height: int, blocks: tuple[FinalBlock, ...]) -> None:
        for final in blocks:
            try:
                self._intake.open_all(final.block)
            except (DecodeError, SignatureError):
                self._counts["invalid_blocks"] += 1
                self._run(engine.Judged(final.block.header.id, False))
                return
        self._change(height, blocks)

    def _change(self, height: int, blocks: tuple[FinalBlock, ...]) -> None:
        """Let the chain have these blocks from a height on; what stands there is taken back."""
        if self._is_changing:
            return
        opened = tuple((final, self._intake.open_all(final.block)) for final in blocks)
        undo = tuple(self._store.undo(at) for at in range(self.height, height - 1, -1))
        base = self._head if height == self.height + 1 else self._header(height - 1)
        self._execute(execution.ChangeChain(undo, base, opened))
        self._is_changing = True

    def _on_changed(self, changed: execution.ChainChanged) -> None:
        self._is_changing = False
        if changed.invalid:
            self._on_invalid(changed)
            return
        returned = self._take_back(changed.task.undo)
        for kept in changed.kept:
            self._add(kept)
        self._head, self._last_block_ms = changed.kept[-1].final.block.header, self._clock.ms
        self._settle(self._intake.put_back(returned, self.height))
        self._settle(self._leave_behind(changed.kept))
        self._greet()
        self._settle_final(changed.kept)
        self._begin_height()
        self._catch_up()

    def _leave_behind(self, added: tuple[execution.Kept, ...]) -> list[Verdict]:
        held = [envelope for kept in added for envelope in kept.envelopes]
        keys = self._intake.keys_changed(raw for kept in added for raw in kept.encoded_receipts)
        return self._intake.leave_behind(held, keys, self.height)

    def _greet(self) -> None:
        """Let new members in, and tell them where everybody is."""
        if self._is_changed:
            self._is_changed = False
            self._admit_members()
            if self.committee.weight(self._key.public):
                self._out += [Meet(*place) for place in self._places() if place[0] != self._key.public]
            self._introduce()

    def _on_invalid(self, changed: execution.ChainChanged) -> None:
        if self._decides:
            # More than a third of the committee is faulty, or this program is. There is nothing to go on with.
            raise InvalidBlock(f"a certified block is invalid: {changed.problem}")
        self._counts["invalid_blocks"] += 1
        self._run(engine.Judged(changed.invalid, False))
        self._consider_work()

    def _take_back(self, undo: tuple[Writes, ...]) -> list[Envelope]:
        """Take back the last blocks; return their transactions, oldest first."""
        returned: list[Envelope] = []
        for writes in undo:
            last = self._store.block(self._store.height())
            assert last is not None
            self._store.undo_block()
            self._note_writes(writes)
            self._counts["undone_blocks"] += 1
            limit = self._genesis.spec.limits.transaction_bytes
            returned = [*(open_envelope(raw, limit) for raw in last.block.txs), *returned]
        self._final = min(self._final, self._store.height())
        return returned

    def _add(self, kept: execution.Kept) -> None:
        ids = [envelope.id for envelope in kept.envelopes]
        undo = None if self._decides else kept.undo
        self._store.add_block(kept.final, kept.encoded_receipts, ids, kept.writes, undo)
        self._note_writes(kept.writes)
        header = kept.final.block.header
        if header.next_committee != header.committee:
            members = committee_at(self._terms, header.height + 1).members
            self._store.hand_over(Handover(header, kept.final.certificate, members))
            self._is_changed = True
        self._counts["transactions"] += len(ids)
        self._intake.placed(ids)

    def _note_writes(self, writes: Mapping[bytes, bytes | None]) -> None:
        self._terms = writes.get(COMMITTEE_KEY) or self._terms
        self._readers.note(writes)
        self._intake.note(writes)

    def _settle_final(self, added: tuple[execution.Kept, ...]) -> None:
        """Tell those who wait what has become final; these blocks are new."""
        known = {kept.final.block.header.height: kept.encoded_receipts for kept in added}
        for height in range(self._final + 1, self._final_height() + 1):
            if self._waiters:
                found = (decode_own(raw, Receipt) for raw in known.get(height) or self._store.receipts(height))
                self._settle(Verdict(receipt.tx_id, "final", "", receipt) for receipt in found)
            self._final = height
            self._settle(self._intake.refuse_doomed(height))

    def _catch_up(self) -> None:
        """Apply the next of the final blocks that another member sent, then ask for more."""
        final = None if self._is_changing else self._catching_up.next(self.height + 1)
        if final is None:
            return
        try:
            require_final(final, self._genesis, self.committee, self._is_valid)
            self._change(self.height + 1, (final,))
        except (ProofError, DecodeError, SignatureError):
            self._count_fault(self._catching_up.sender, "bad_final_blocks")
            self._catching_up.drop()
            return
        if not self._catching_up:
            self._broadcast(Position(self.height + 2, 0))

    # --- members ---

    def _on_peer(self, peer: bytes, data: bytes) -> None:
        if self._peers.is_muted(peer, self._clock.ms):
            self._counts["muted"] += 1
            return
        self._peers.count_heard(peer, self._clock.ms)
        try:
            self._hear(peer, self._read(data))
        except DecodeError:
            self._count_fault(peer, "garbage")

    def _hear(self, peer: bytes, message: PeerMessage) -> None:
        if type(message) not in OWN_WORDS:  # most of what is heard
            self._hear_engine(peer, message)
            return
        match message:
            case Transactions(txs):
                self._hear_transactions(peer, txs)
            case Position():
                self._help(peer, message)
            case Addresses(known):
                if fresh := self._acquaintances.learn(peer, known, self.committee.weight):
                    self._out += [Meet(*place) for place in fresh]  # heard or not: its old door may be another's now
                    self._introduce()
            case FinalBlocks(blocks) if self._decides:
                self._catching_up.offer(peer, blocks)
                self._catch_up()
            case FinalBlocks(blocks):
                self._hear_engine(peer, Blocks(blocks))
            case Proposal() if not self._is_timely(message):
                self._counts["untimely"] += 1
            case _:
                self._hear_engine(peer, message)

    def _introduce(self) -> None:
        """Tell where members listen; knock anew at the doors of those who are not heard, they may not have known us."""
        if not self.committee.weight(self._key.public):
            return
        heard = self._peers.heard_since(self._clock.ms - 3 * TICK_MS) | {self._key.public}
        places = self._places()
        self._out += [Meet(*place) for place in places if place[0] not in heard]
        if places:
            self._broadcast(Addresses(places))

    def _places(self) -> tuple[tuple[bytes, str], ...]:
        return self._acquaintances.members(self.committee.weight)

    def _hear_engine(self, peer: bytes, message: PeerMessage) -> None:
        rejected = self._engine.rejected
        self._run(engine.Heard(peer, message))
        if self._engine.rejected > rejected:
            self._count_fault(peer, "rejected")

    def _is_timely(self, proposal: Proposal) -> bool:
        """Refuse a new block whose time is not about now; one that was voted on before is judged by those votes.

        This is `timely` of CometBFT's proposer-based timestamps, which applies where valid_round is -1. Here the
        earliest time that a block may have is never too late: clocks that were ahead, and are set right, go on.
        """
        spec, header = self._genesis.spec, proposal.block.header
        if spec.clock == "logical" or proposal.valid_round >= 0:
            return True
        ahead_ms = header.time_ms - self._now_ms
        is_earliest = self._head is not None and header.time_ms == self._head.time_ms + 1
        return abs(ahead_ms) <= spec.max_skew_ms or (ahead_ms > 0 and is_earliest)

    def _count_fault(self, peer: bytes, kind: str) -> None:
        self._counts[kind] += 1
        self._peers.count_fault(peer, self._clock.ms)

    def _ask_for_blocks(self, peer: bytes) -> None:
        if "behind" not in self._timers:
            self._set_timer("behind", STUCK_MS)
            first = self.height + 1 if self._decides else max(1, self.height - MAX_BLOCKS // 2)  # they may have parted
            self._out.append(Send(peer, encode(Position(first, self._engine.summary()["round"]))))

    def _help(self, peer: bytes, position: Position) -> None:
        height = position.height
        if height > self.height + 1:
            if self._decides:
                self._ask_for_blocks(peer)
        elif height <= self.height and self._peers.may_help(peer, self._clock.ms):
            self._out.append(Send(peer, encode(FinalBlocks(blocks_from(self._store, height)))))
        elif position.is_stuck and height == self.height + 1 and self._peers.may_help(peer, self._clock.ms):
            self._out += [
                Send(peer, encode(message)) for message in self._engine.recall(position.round, position.heard)
            ]

    # --- transactions ---

    def _hear_transactions(self, peer: bytes, txs: tuple[bytes, ...]) -> None:
        muted = self._peers.is_muted
        fresh = [raw for raw in txs if not muted(peer, self._clock.ms) and self._admit_from_peer(peer, raw)]
        if fresh and self._relays:
            self._broadcast(Transactions(tuple(fresh)))
        self._consider_work()

    def _admit_from_peer(self, peer: bytes, raw: bytes) -> bool:
        """Let a member's transaction wait; returns whether it is new here."""
        try:
            return self._intake.admit(raw, self.height + 1)
        except Refused as refusal:
            self._counts[f"peer_{refusal.code}"] += 1
            if refusal.code in FAULTY_REFUSALS:
                self._peers.count_fault(peer, self._clock.ms)
            return False

    # --- clients ---

    def _on_client(self, asked: Asked) -> None:
        try:
            request = read_request(asked.data)
        except DecodeError as error:
            self._counts["garbage"] += 1
            self._reply((asked.client, 0), Failure("malformed", str(error)))
            return
        ticket = asked.client, request.number
        if self._readers.may_ask(asked.reader, request.body, self.committee):
            self._answer(ticket, request.body)
        else:
            self._reply(ticket, NOT_A_READER)

    def _answer(self, ticket: Ticket, body: ClientRequest) -> None:
        match body:
            case Submit(items) | Await(items) if len(items) > MAX_ASKED:
                text = f"{len(items)} transactions in one request, where at most {MAX_ASKED} are taken"
                self._reply(ticket, Failure("too_many", f"{text}: send them in parts"))
            case Submit(txs):
                self._reply(ticket, Submitted(self._submit(txs)))
                self._consider_work()
            case Await(tx_ids):
                self._await(ticket, tx_ids)
            case AskStatus():
                self._reply(ticket, self.status())
            case AskChain():
                own = self._key.public
                self._reply(ticket, ChainAnswer(self._genesis.spec, own, self._acquaintances.get(own)))
            case Offer(blocks):
                self._reply(ticket, self._take_offer(blocks))
            case AskSnapshot():
                self._reply(ticket, self._snapshots.answer(body))
            case AskAccount(public):
                known = self._intake
                self._reply(ticket, AccountState(known.account(public), known.next_nonce(public), self.height))
            case _:
                self._look_up(ticket, body)

    def _take_offer(self, blocks: tuple[FinalBlock, ...]) -> ClientAnswer:
        """Let the engine look at blocks that somebody mined who is no member, and follows this node's chain."""
        if self._decides:
            return Failure("not_open", "on this chain its members make the blocks: be voted in")
        if not blocks:
            return Failure("malformed", "no block is offered")
        header = blocks[0].block.header
        below = self._header(header.height - 1)
        if header.parent != (below.id if below else self._genesis.hash):
            return Failure("stale", f"the parent of this block {header.height} is not on this node's chain: follow it")
        self._run(engine.Heard(b"", Blocks(blocks)))
        return Taken()

    def _look_up(self, ticket: Ticket, body: ClientRequest) -> None:
        task = queries.to_executor(ticket, body)
        if task is not None:
            self._execute(task)
        else:
            self._reply(ticket, queries.answer(self._genesis, self._store, body, self._final))

    def _submit(self, txs: tuple[bytes, ...]) -> tuple[Verdict, ...]:
        verdicts, fresh = [], []
        for raw in txs:
            tx_id = transaction_id(raw)
            try:
                if self._intake.admit(raw, self.height + 1):
                    fresh.append(raw)
                verdicts.append(Verdict(tx_id, "accepted"))
            except Refused as refusal:
                verdicts.append(Verdict(tx_id, refusal.code, str(refusal)))
        if fresh:
            self._broadcast(Transactions(tuple(fresh)))
        return tuple(verdicts)

    def _await(self, ticket: Ticket, tx_ids: tuple[bytes, ...]) -> None:
        odd = next((tx_id for tx_id in tx_ids if len(tx_id) != DIGEST_SIZE), None)
        if odd is not None:
            self._reply(ticket, Failure("malformed", f"a transaction's id has {DIGEST_SIZE} bytes, not {len(odd)}"))
            return
        gone = [tx_id for tx_id in tx_ids if not self._intake.waiting.get(tx_id)]
        final = queries.find_verdicts(self._store, gone, self._final)
        # What was refused here may have become final elsewhere.
        verdicts = {tx_id: final.get(tx_id) or self._intake.refusal(tx_id) for tx_id in tx_ids}
        if all(verdicts.values()):
            self._reply(ticket, Outcomes(tuple(filter(None, verdicts.values()))))
            return
        self._waiters.add(ticket, verdicts)
        for left in self._waiters.send_away():
            self._reply(left, Failure("busy", "too many transactions are waited for here: ask again, or another node"))

    def _settle(self, verdicts: Iterable[Verdict]) -> None:
        for ticket, settled in self._waiters.settle(verdicts):
            self._reply(ticket, Outcomes(settled))

    def status(self) -> NodeStatus:
        """Return how this node is doing."""
        head, genesis = self._head, self._genesis
        names = {member.public: member.name for member in self.committee.members}
        heard = self._peers.heard_since(self._clock.ms - 2 * TICK_MS)
        return NodeStatus(
            name=self.name,
            public=self._key.public,
            height=self.height,
            head=head.id if head else genesis.hash,
            state_root=head.state_root if head else first_root(genesis),
            time_ms=head.time_ms if head else genesis.spec.genesis_time_ms,
            waiting=len(self._intake.waiting),
            peers=tuple(sorted(names[peer] for peer in heard if peer in names)),
            engine=self._engine.summary(),
            evidence=len(self._store.evidence()),
            counters=dict(sorted(self._counts.items())),
        )

    # --- out ---

    def _broadcast(self, message: PeerMessage) -> None:
        self._out.append(Broadcast(encode(message)))

    def _reply(self, ticket: Ticket, answer: ClientAnswer) -> None:
        client, number = ticket
        data = encode(Response(number, answer))
        if len(data) > MAX_MESSAGE_BYTES:
            text = f"the answer has {len(data)} bytes, a message at most {MAX_MESSAGE_BYTES}: ask for less at once"
            data = encode(Response(number, Failure("too_large", text)))
        self._out.append(Reply(client, data))

    def _execute(self, task: execution.Task) -> None:
        self._out.append(Execute(task))
