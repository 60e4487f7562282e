"""What a member of a Raft group has in every role: its log and its ballot, which outlive a crash, and where it stands.

Every log has at most one block that is not on the chain yet, because the next one is made, or judged, only after it
was applied. This file knows neither messages nor who leads.
"""

from __future__ import annotations

from typing import Final

from minichain.codec import Record, decode_own, encode
from minichain.consensus.clock import SteadyClock
from minichain.consensus.interface import Begin, Decide, Effect, Remember, Send, Setup
from minichain.consensus.raft.log import Log
from minichain.consensus.raft.messages import Message
from minichain.ledger.certificate import LogCertificate, log_statement
from minichain.ledger.committee import Committee
from minichain.ledger.types import Block

BALLOT: Final = b"vote"


class Ballot(Record):
    """currentTerm and votedFor of figure 3.1: what a member must never forget."""

    term: int
    voted_for: bytes | None


class Member:
    """One member: what it remembers, what it knows of the chain, and the effects of the turn."""

    def __init__(self, setup: Setup) -> None:
        self.key = setup.key
        self.own = setup.key.public
        self.genesis = setup.genesis
        self.is_valid = setup.is_valid
        self.log = Log.restore(setup.memory, setup.genesis)
        self.ballot = decode_own(setup.memory[BALLOT], Ballot) if BALLOT in setup.memory else Ballot(0, None)
        self.commit = self.log.base.index  # commitIndex; what is dropped from the log was committed and applied
        self.certificate: LogCertificate | None = None  # of the last block this member saw decided
        self.rejected = 0
        self.clock = SteadyClock()
        self.height = 0
        self.head = b""
        self.committee: Committee
        self.has_decided = False  # this height; the chain will have the block when the next one begins
        self.out: list[Effect] = []

    def send(self, to: bytes, message: Message) -> None:
        self.out.append(Send(to, message))

    def vote(self, term: int, candidate: bytes | None) -> None:
        """Enter a term, or vote in it. Whatever is said next depends on this not being forgotten."""
        self.ballot = Ballot(term, candidate)
        self.out.append(Remember(BALLOT, encode(self.ballot)))

    def begin(self, begin: Begin) -> None:
        """The chain has grown, by this log's block or by what others sent."""
        self.height, self.head, self.committee = begin.height, begin.head, begin.committee
        self.has_decided = False
        found = [index for index, block in self.log.blocks(self.log.last_index) if block.header.id == begin.head]
        self.commit = max([self.commit, *found])
        self.compact()

    def compact(self) -> None:
        """Section 5.1: drop what is committed, once the chain has its blocks."""
        if self.commit > self.log.base.index and self.undecided(self.commit) is None:
            self.out += self.log.compact(self.commit)

    def undecided(self, through: int) -> Block | None:
        """Return the block up to an index that the chain does not have yet."""
        blocks = [block for _, block in self.log.blocks(through) if block.header.height >= self.height]
        return blocks[-1] if blocks else None

    def decide(self, block: Block, certificate: LogCertificate) -> Decide:
        self.has_decided, self.certificate = True, certificate
        return Decide(block, certificate)

    @property
    def next_height(self) -> int:
        """Return the first height that this member has not seen decided."""
        return self.height + self.has_decided

    def statement(self, index: int, height: int) -> bytes | None:
        """Return what a member signs whose log is the leader's through `index`: the last block, if it has this height.

        Only an entry of this term shows that nothing else can be in the block's place any more (section 3.6.2).
        """
        last_height, block_id = self.log.last_block(index)
        if last_height != height or self.log.term_at(index) != self.ballot.term:
            return None
        return log_statement(self.genesis, self.ballot.term, height, block_id)
