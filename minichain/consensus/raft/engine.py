"""The `raft` engine: who leads. Elections, terms and timers, between messages on one side and effects on the other.

Members may crash, but do not lie; that is Raft's promise and its limit. Still, whatever a peer sends, nothing raises.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from minichain.consensus.interface import (
    Begin,
    Behind,
    Build,
    Built,
    Effect,
    Event,
    Heard,
    Judged,
    Send,
    Setup,
    StartTimer,
    Tell,
    TimedOut,
    Timer,
    Work,
)
from minichain.consensus.raft import rules
from minichain.consensus.raft.following import Follower
from minichain.consensus.raft.leading import Leader
from minichain.consensus.raft.log import Entry
from minichain.consensus.raft.member import Member
from minichain.consensus.raft.messages import (
    AppendEntries,
    AppendReply,
    InstallSnapshot,
    Message,
    RequestVote,
    VoteReply,
    is_sound,
)
from minichain.ledger.types import Block

HEARTBEATS = 6  # in one election timeout
ELECTION, HEARTBEAT = "election", "heartbeat"


class Role(StrEnum):
    """What a member is in its term; a pre-candidate has not begun a new one yet (9.6)."""

    FOLLOWER = "follower"
    PRE_CANDIDATE = "pre-candidate"
    CANDIDATE = "candidate"
    LEADER = "leader"


class Raft:
    """One member's Raft engine."""

    def __init__(self, setup: Setup) -> None:
        self._me = Member(setup)
        self.rejected = 0
        self._timeout_ms = setup.spec.timeouts.propose
        self._random = setup.random
        self._role = Role.FOLLOWER
        self._leader: bytes | None = None
        self._votes: set[bytes] = set()
        self._following = Follower(self._me)
        self._leading: Leader | None = None
        self._heard_ms: int | None = None  # when a leader spoke last
        self._patience_ms = 0  # this member's own election timeout
        self._deadline_ms = 0
        self._timers: set[Timer] = set()
        self._has_work = False
        self._asked: Build | None = None

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        """Take one event; return what must be done, in order."""
        self._me.clock.advance(now_ms)
        match event:
            case Begin():
                self._begin(event)
            case _ if not self._me.height:
                pass
            case Heard(sender, message):
                self._hear(sender, message)
            case TimedOut(timer):
                self._on_timer(timer)
            case Work():
                self._has_work = True
            case Built(height, term, block):
                self._on_built(height, term, block)
            case Judged(block_id, valid):
                self._following.on_judged(block_id, valid)
        self._ask_to_build()
        self.rejected = self._me.rejected
        effects, self._me.out = self._me.out, []
        return effects

    def heard(self) -> bytes:
        """Return nothing: a leader knows what its followers have."""
        return b""

    def recall(self, round_: int, heard: bytes) -> list[Any]:
        """Return nothing: heartbeats bring out what a follower lacks."""
        return []

    def summary(self) -> dict[str, Any]:
        """Return what people may see of the engine."""
        is_idle = not (self._has_work or self._me.log.entries or self._following.waiting)
        role = "candidate" if self._role == Role.PRE_CANDIDATE else str(self._role)
        return {
            "height": self._me.height,
            "round": self._me.ballot.term,
            "step": "idle" if is_idle else role,
            "role": str(self._role),
            "leader": self._leader.hex() if self._leader else "",
            "last_index": self._me.log.last_index,
            "commit_index": self._me.commit,
        }

    # --- the chain ---------------------------------------------------------------------------------------------------

    def _begin(self, begin: Begin) -> None:
        is_first = not self._me.height
        self._has_work = False
        self._me.begin(begin)
        if is_first:
            self._wait()
        elif self._leading and not self._is_member:
            self._follow(self._me.ballot.term)  # 4.2.2: whoever is not in the new committee does not lead it
        elif self._leading:
            self._leading.begin()
        self._following.begin()

    @property
    def _is_member(self) -> bool:
        return self._me.committee.weight(self._me.own) > 0

    def _ask_to_build(self) -> None:
        """Ask for a block once everything before it is committed and applied, the no-op of the term included (6.4)."""
        wish = Build(self._me.height, self._me.ballot.term, may_be_empty=False)
        if self._leading and self._has_work and not self._me.log.entries and wish != self._asked:
            self._asked = wish
            self._me.out.append(wish)

    def _on_built(self, height: int, term: int, block: Block) -> None:
        is_wanted = (height, term) == (self._me.height, self._me.ballot.term) and not self._me.log.entries
        if self._leading and is_wanted:
            self._leading.append(Entry(term, block))

    # --- messages ----------------------------------------------------------------------------------------------------

    def _hear(self, sender: bytes, message: Any) -> None:
        if not is_sound(message) or sender == self._me.own:
            self._me.rejected += 1
        elif self._me.committee.weight(sender):
            self._on_message(sender, message)
        elif isinstance(message, AppendEntries) and message.height > self._me.height:
            # Not a member here, but perhaps one since a block that is not here yet; so it is no fault either.
            self._me.out.append(Behind(sender))

    def _on_message(self, sender: bytes, message: Message) -> None:
        match message:
            case RequestVote():
                self._on_request_vote(sender, message)
            case VoteReply():
                self._on_vote_reply(sender, message)
            case AppendReply(term) if term > self._me.ballot.term:
                self._follow(term)
            case AppendReply(term) if self._leading and term == self._me.ballot.term:
                self._leading.hear(sender, message)
            case AppendReply():
                pass  # of an earlier term
            case AppendEntries(term) | InstallSnapshot(term) if term < self._me.ballot.term:
                self._me.send(sender, AppendReply(self._me.ballot.term, False, 0, b""))  # AppendEntries 1
            case AppendEntries() if self._is_led_by(sender, message.term):
                self._following.append(sender, message)
            case InstallSnapshot() if self._is_led_by(sender, message.term):
                self._following.install(sender, message)

    def _is_led_by(self, sender: bytes, term: int) -> bool:
        """3.4: whoever speaks as the leader of this term or a later one is followed. A term has one leader."""
        if term == self._me.ballot.term and self._leader not in (None, sender):
            self._me.rejected += 1
            return False
        self._follow(term)
        self._leader, self._heard_ms = sender, self._me.clock.ms
        self._extend()
        return True

    # --- elections ---------------------------------------------------------------------------------------------------

    def _follow(self, term: int) -> None:
        """3.3: a later term makes everybody a follower; a leader makes followers of the candidates of its term."""
        if term > self._me.ballot.term:
            self._me.vote(term, None)
        was_leader = self._role == Role.LEADER
        self._role, self._leader, self._votes, self._leading = Role.FOLLOWER, None, set(), None
        if was_leader:
            self._wait()

    def _canvass(self) -> None:
        """9.6: before a new term, ask whether an election would be won. Only members ask."""
        self._wait()
        if self._is_member:
            self._role, self._leader = Role.PRE_CANDIDATE, None
            self._request_votes(self._me.ballot.term + 1)

    def _stand(self) -> None:
        """3.4: begin a term and ask for its votes."""
        self._me.vote(self._me.ballot.term + 1, self._me.own)
        self._role = Role.CANDIDATE
        self._wait()
        self._request_votes(self._me.ballot.term)

    def _request_votes(self, term: int) -> None:
        log, pre_vote = self._me.log, self._role == Role.PRE_CANDIDATE
        self._votes = set()
        self._me.out.append(Tell(RequestVote(term, log.last_index, log.last_term, pre_vote)))
        self._count_vote(self._me.own)

    def _count_vote(self, voter: bytes) -> None:
        self._votes.add(voter)
        committee = self._me.committee
        if committee.is_majority(committee.weigh(self._votes)):
            if self._role == Role.PRE_CANDIDATE:
                self._stand()
            else:
                self._lead()

    def _lead(self) -> None:
        """3.4 and 6.4: be the leader, and begin the term with an entry of its own, so that it can be committed."""
        self._role, self._leader = Role.LEADER, self._me.own
        self._leading = Leader(self._me)
        self._start_timer(HEARTBEAT, self._beat_ms)
        self._leading.append(Entry(self._me.ballot.term, None))

    def _on_request_vote(self, candidate: bytes, request: RequestVote) -> None:
        """3.4; 4.1: also a member that does not know yet that it is one gives its vote. The candidate knows."""
        if self._leading or rules.has_leader(self._heard_ms, self._me.clock.ms, self._timeout_ms):
            return  # 4.2.3: not even its term is looked at
        if not request.pre_vote and request.term > self._me.ballot.term:
            self._follow(request.term)
        granted = rules.grants(self._me.ballot, self._me.log, candidate, request)
        if granted and not request.pre_vote:
            self._me.vote(request.term, candidate)
            self._extend()
        term = request.term if granted else self._me.ballot.term
        self._me.out.append(Send(candidate, VoteReply(term, request.pre_vote, granted)))

    def _on_vote_reply(self, voter: bytes, reply: VoteReply) -> None:
        term, asks_first = self._me.ballot.term, self._role == Role.PRE_CANDIDATE
        if reply.granted and reply.pre_vote:
            if asks_first and reply.term == term + 1:
                self._count_vote(voter)
        elif reply.term > term:
            self._follow(reply.term)
        elif reply.granted and self._role == Role.CANDIDATE and reply.term == term:
            self._count_vote(voter)

    # --- time --------------------------------------------------------------------------------------------------------

    @property
    def _beat_ms(self) -> int:
        return max(1, self._timeout_ms // HEARTBEATS)

    def _wait(self) -> None:
        """3.4: wait for a leader or a candidate, each member for a time of its own."""
        self._patience_ms = self._random.randint(self._timeout_ms, 2 * self._timeout_ms)
        self._extend()

    def _extend(self) -> None:
        """Wait from now on. A timer that is running will find that the deadline has moved."""
        self._deadline_ms = self._me.clock.ms + self._patience_ms
        if not any(timer.kind == ELECTION for timer in self._timers):
            self._start_timer(ELECTION, self._patience_ms)

    def _start_timer(self, kind: str, delay_ms: int) -> None:
        timer = Timer(kind, self._me.height, self._me.ballot.term)
        self._timers.add(timer)
        self._me.out.append(StartTimer(timer, delay_ms))

    def _on_timer(self, timer: Timer) -> None:
        if timer not in self._timers:
            return  # of an earlier life
        self._timers.discard(timer)
        if timer.kind == HEARTBEAT:
            if self._leading and timer.round == self._me.ballot.term:
                self._beat(self._leading)
        elif not self._leading and self._me.clock.ms < self._deadline_ms:
            self._start_timer(ELECTION, self._deadline_ms - self._me.clock.ms)
        elif not self._leading:
            self._canvass()

    def _beat(self, leading: Leader) -> None:
        """6.2: a leader that a majority does not answer steps down, so that nobody waits for it in vain."""
        if leading.is_followed(self._me.clock.ms - self._timeout_ms):
            self._start_timer(HEARTBEAT, self._beat_ms)
            leading.send_all()
        else:
            self._follow(self._me.ballot.term)
