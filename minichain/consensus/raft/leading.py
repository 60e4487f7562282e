"""What a leader does, from its election to its end (thesis, figure 3.1: "Leaders").

Entries are sent once, ahead of the answer (section 10.2.1); a heartbeat names the last one that was sent, so that
whoever lacks it says so. What a majority has acknowledged is committed, and their signatures are the certificate.
"""

from __future__ import annotations

from minichain.consensus.raft import rules
from minichain.consensus.raft.log import Entry, Log
from minichain.consensus.raft.member import Member
from minichain.consensus.raft.messages import MAX_ENTRIES, AppendEntries, AppendReply, InstallSnapshot
from minichain.ledger.certificate import LogCertificate, in_order, log_statement, sign_log


class Progress:
    """nextIndex and matchIndex of one follower. `match` is certain, and `next` always lies after it."""

    __slots__ = ("heard_ms", "match", "next", "signature")

    def __init__(self, next_index: int, now_ms: int) -> None:
        self.next = next_index
        self.match = 0
        self.heard_ms = now_ms
        self.signature = b""  # over the undecided block, once the follower has it

    def take(self, log: Log) -> tuple[int, tuple[Entry, ...]]:
        """Return (previous index, entries) to send now, and count them as sent."""
        first = self.next
        entries = log.slice(first, MAX_ENTRIES)
        self.next += len(entries)
        return first - 1, entries

    def back_up(self, index: int) -> bool:
        """Go on at an earlier index, as the follower asks; tells whether that is news."""
        before = self.next
        self.next = max(self.match + 1, min(index, before))
        return self.next < before

    def confirm(self, index: int) -> None:
        """The follower's log is the leader's through this index."""
        self.match = index
        self.next = max(self.next, index + 1)


class Leader:
    """The leader of one term."""

    def __init__(self, member: Member) -> None:
        self._me = member
        self._followers: dict[bytes, Progress] = {}
        self.begin()

    def begin(self) -> None:
        """4.1: lead the committee of this height, whoever is new in it from now on.

        That is safe while any majority of one committee meets any majority of the next: so one member at a time.
        """
        me, known = self._me, self._followers
        others = [member.public for member in me.committee.members if member.public != me.own]
        self._followers = {o: known.get(o) or Progress(me.log.last_index + 1, me.clock.ms) for o in others}
        for follower in self._followers.values():
            follower.signature = b""
        self._advance()

    def append(self, entry: Entry) -> None:
        """3.5: the leader's own log first, then the others'."""
        self._me.out.append(self._me.log.append(entry))
        self.send_all()
        self._advance()

    def is_followed(self, since_ms: int) -> bool:
        """6.2: tell whether a majority was heard since then."""
        heard = [public for public, follower in self._followers.items() if follower.heard_ms >= since_ms]
        return self._me.committee.is_majority(self._me.committee.weigh([self._me.own, *heard]))

    def send_all(self) -> None:
        for public in self._followers:
            self._send(public)

    def hear(self, sender: bytes, reply: AppendReply) -> None:
        """Take the answer of a follower in this term."""
        follower = self._followers[sender]
        follower.heard_ms = self._me.clock.ms
        if reply.matches:
            self._on_match(sender, follower, reply)
        elif follower.back_up(reply.index):
            self._send(sender)

    def _send(self, public: bytes) -> None:
        me, follower = self._me, self._followers[public]
        if follower.next <= me.log.base.index:
            me.send(public, InstallSnapshot(me.ballot.term, me.log.base))
            return
        index, entries = follower.take(me.log)
        term = me.log.term_at(index)
        assert term is not None, "a leader has everything after its base"
        me.send(public, AppendEntries(me.ballot.term, me.next_height, index, term, entries, me.commit, me.certificate))

    def _on_match(self, sender: bytes, follower: Progress, reply: AppendReply) -> None:
        if reply.index <= follower.match:
            return
        me, statement = self._me, self._me.statement(reply.index, self._me.next_height)
        is_signed = statement is None or me.is_valid(sender, "log", statement, reply.signature)
        if reply.index > me.log.last_index or not is_signed:
            me.rejected += 1
            return
        follower.confirm(reply.index)
        follower.signature = reply.signature if statement else b""
        self._advance()
        if me.log.base.index < follower.next <= me.log.last_index:
            self._send(sender)

    def _advance(self) -> None:
        """3.6.2: commit what a majority has; a block that is committed by that is decided."""
        me = self._me
        matched = {me.own: me.log.last_index} | {public: f.match for public, f in self._followers.items()}
        me.commit = rules.committed(me.log, me.ballot.term, me.commit, me.committee, matched)
        block = me.undecided(me.commit)
        if block and not me.has_decided:
            decision = me.decide(block, self._certify(block.header.id))
            self.send_all()
            me.out.append(decision)
        me.compact()

    def _certify(self, block_id: bytes) -> LogCertificate:
        """Whoever has matched an entry of this term has signed the block before it; so does the leader."""
        me = self._me
        statement = log_statement(me.genesis, me.ballot.term, me.height, block_id)
        signatures = {public: f.signature for public, f in self._followers.items() if f.signature}
        signatures[me.own] = sign_log(me.key, statement)
        return LogCertificate(me.height, me.ballot.term, block_id, in_order(me.committee, signatures))
