"""What a follower does with its leader's entries (thesis, figure 3.1: "AppendEntries RPC", and figure 5.3).

A block comes into the log, and is acknowledged, only after it was judged valid on top of this member's chain. Until
that is known its message waits; one message, because the leader has at most one block under way.
"""

from __future__ import annotations

from minichain.consensus.interface import Behind, Judge
from minichain.consensus.raft import rules
from minichain.consensus.raft.log import MAX_LOG, Base, Entry
from minichain.consensus.raft.member import Member
from minichain.consensus.raft.messages import AppendEntries, AppendReply, InstallSnapshot
from minichain.errors import ProofError
from minichain.ledger.certificate import LogCertificate, sign_log
from minichain.ledger.types import Block
from minichain.merkle import root

MAX_JUDGED = 64  # blocks at one height; each new leader may bring one


class Follower:
    """The follower's part of a member."""

    def __init__(self, member: Member) -> None:
        self._me = member
        self._verdicts: dict[bytes, bool | None] = {}  # by block; None while it is being judged
        self._waiting: tuple[bytes, AppendEntries] | None = None  # (leader, message)
        self._offered: LogCertificate | None = None  # by the leader for this height, not checked

    @property
    def waiting(self) -> AppendEntries | None:
        """Return the message that waits for its block, if its term is still this one."""
        return self._waiting[1] if self._waiting and self._waiting[1].term == self._me.ballot.term else None

    def begin(self) -> None:
        """At a new height other blocks are valid."""
        self._verdicts, self._offered = {}, None
        self._resume()

    def on_judged(self, block_id: bytes, valid: bool) -> None:
        if self._verdicts.get(block_id, valid) is None:
            self._verdicts[block_id] = valid
            self._me.rejected += not valid
            self._resume()

    def append(self, leader: bytes, message: AppendEntries) -> None:
        """Take entries, or a heartbeat, from the leader of this term."""
        if message.certificate and message.certificate.height == self._me.height:
            self._offered = message.certificate
        if all(self._is_of_this_chain(entry.block) for entry in message.entries if entry.block):
            self._compare(leader, message)
        else:
            self._me.rejected += 1

    def install(self, leader: bytes, message: InstallSnapshot) -> None:
        """5.3: go on after what the leader no longer keeps. Its blocks are on its chain: they come from there."""
        me, base = self._me, message.base
        if base.index > me.commit and base.height >= me.height:
            me.out.append(Behind(leader))
            self._reply(leader, True, me.commit)
        elif base.height == me.height - 1 and base.block_id != me.head:
            me.rejected += 1
        else:
            self._begin_after(base)
            self._reply(leader, True, base.index)

    # --- AppendEntries -----------------------------------------------------------------------------------------------

    def _is_of_this_chain(self, block: Block) -> bool:
        return block.header.genesis == self._me.genesis and root(block.txs) == block.header.tx_root

    def _compare(self, leader: bytes, message: AppendEntries) -> None:
        """AppendEntries 2: what precedes the new entries must be the same here."""
        log, commit, previous = self._me.log, self._me.commit, message.previous_index
        if rules.has_previous(log, commit, previous, message.previous_term):
            self._take(leader, message)
        elif self._waits_for(previous, message.previous_term):
            self._learn(leader, message)
            self._reply(leader, True, commit)
        else:
            self._reply(leader, False, rules.retry_from(log, commit, previous))

    def _take(self, leader: bytes, message: AppendEntries) -> None:
        """AppendEntries 3 to 5; and answer, unless something waits, through where the logs are the same now."""
        me, index = self._me, message.previous_index
        for entry in message.entries:
            if not self._accept(index + 1, entry, leader, message):
                break
            index += 1
        me.commit = max(me.commit, min(message.commit, index))
        self._learn(leader, message)
        me.compact()
        if self.waiting is not message:
            statement = me.statement(index, message.height)
            self._reply(leader, True, index, sign_log(me.key, statement) if statement else b"")

    def _accept(self, index: int, entry: Entry, leader: bytes, message: AppendEntries) -> bool:
        """Have this entry in the log at this index; tells whether it is there now."""
        me, term = self._me, self._me.log.term_at(index)
        if index <= me.commit or term == entry.term:
            return True
        if term is not None:
            me.out += me.log.cut(index)
        if index > me.log.base.index + MAX_LOG or not self._is_judged(entry, leader, message):
            return False
        me.out.append(me.log.append(entry))
        return True

    def _is_judged(self, entry: Entry, leader: bytes, message: AppendEntries) -> bool:
        """A no-op is always welcome, a block if it is valid on top of this chain. Wait if that is not known yet."""
        me, block = self._me, entry.block
        if block is None or block.header.id == me.head:
            return True
        if not self._may_be_judged(block, leader if entry.term == message.term else None):
            me.rejected += 1
            return False
        if block.header.height == me.height and block.header.id not in self._verdicts:
            self._verdicts[block.header.id] = None
            me.out.append(Judge(block))
        verdict = self._verdicts.get(block.header.id)
        if verdict is None and block.header.height >= me.height:
            self._waiting = (leader, message)
        return verdict is True

    def _may_be_judged(self, block: Block, leader: bytes | None) -> bool:
        """A leader makes the blocks of its term; those of earlier terms were made by some member."""
        proposer = block.header.proposer
        is_made_by_right = proposer == leader if leader else self._me.committee.weight(proposer) > 0
        return is_made_by_right and (block.header.id in self._verdicts or len(self._verdicts) < MAX_JUDGED)

    def _resume(self) -> None:
        """Go on with what has waited."""
        waiting, message = self._waiting, self.waiting
        self._waiting = None
        if waiting and message:
            self._compare(waiting[0], message)

    def _waits_for(self, index: int, term: int) -> bool:
        """Tell whether an entry is here, but not in the log yet: then it need not be sent again."""
        if not (message := self.waiting):
            return False
        at = index - message.previous_index - 1
        return 0 <= at < len(message.entries) and message.entries[at].term == term

    # --- what is decided ---------------------------------------------------------------------------------------------

    def _learn(self, leader: bytes, message: AppendEntries) -> None:
        """What the leader saw decided is final, as the certificate shows. If it has lost that, it has the block."""
        self._use_certificate()
        is_judging = None in self._verdicts.values()
        if message.height > self._me.next_height and not is_judging:
            self._me.out.append(Behind(leader))

    def _use_certificate(self) -> None:
        me, offered = self._me, self._offered
        block = me.undecided(me.log.last_index)
        if me.has_decided or not offered or not block or offered.block_id != block.header.id:
            return
        try:
            offered.verify(block.header, me.committee, me.is_valid)
        except ProofError:
            me.rejected += 1
            self._offered = None
        else:
            me.out.append(me.decide(block, offered))

    # --- snapshots, answers ------------------------------------------------------------------------------------------

    def _begin_after(self, base: Base) -> None:
        """Figure 5.3, 6 and 7: keep the entries that follow, if the log has the last one of the snapshot."""
        me = self._me
        if base.index > me.commit:
            if me.log.term_at(base.index) != base.term:
                me.out += me.log.reset(base)
            me.commit = base.index
            me.compact()

    def _reply(self, leader: bytes, matches: bool, index: int, signature: bytes = b"") -> None:
        self._me.send(leader, AppendReply(self._me.ballot.term, matches, index, signature))
