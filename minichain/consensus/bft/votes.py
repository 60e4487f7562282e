"""Counting. Everything heard at one height, by round; one vote of each kind counts for each member and round.

A member that says two things is faulty, yet each of them counts where it is said: some correct member may have heard
only the other, and must be understood (in the paper everybody hears both).

Nothing here decides anything: `rounds` reads the counts and applies the rules.
"""

from __future__ import annotations

from collections.abc import Iterator

from minichain.consensus.bft.messages import Equivocation, Message, Proposal, Vote, author, kind_name
from minichain.ledger.certificate import PRECOMMIT, PREVOTE
from minichain.ledger.committee import Committee

MAX_ROUNDS_AHEAD = 16  # messages of later rounds are not kept; their senders' progress is


class Tally:
    """The votes of one kind in one round."""

    __slots__ = ("_committee", "_second", "_weights", "any_quorum", "quorum_id", "total", "votes")

    def __init__(self, committee: Committee) -> None:
        self._committee = committee
        self._weights: dict[bytes | None, int] = {}
        self.votes: dict[bytes, Vote] = {}
        self._second: dict[tuple[bytes, bytes | None], Vote] = {}  # further votes of faulty members
        self.total = 0
        self.any_quorum = False  # 2f+1 votes for whatever ("*" in the paper)
        self.quorum_id: bytes | bool | None = False  # the block id or nil with 2f+1 votes; False while there is none

    def add(self, vote: Vote) -> bool:
        """Count a vote of a member who has not voted here yet; tells whether a quorum was reached by it."""
        assert vote.voter not in self.votes, "a vote counted twice"
        had_any, had_id = self.any_quorum, self.quorum_id
        self.votes[vote.voter] = vote
        self.total += self._committee.weight(vote.voter)
        self.any_quorum = had_any or self._committee.is_quorum(self.total)
        self._weigh(vote)
        return self.any_quorum != had_any or self.quorum_id != had_id

    def add_second(self, vote: Vote) -> None:
        """Count a vote of a member who has cast another one here, if somebody else voted so.

        That bounds what a faulty member can make us keep.
        """
        mark = (vote.voter, vote.block_id)
        if mark not in self._second and self._weights.get(vote.block_id):
            self._second[mark] = vote
            self._weigh(vote)

    def _weigh(self, vote: Vote) -> None:
        weight = self._weights.get(vote.block_id, 0) + self._committee.weight(vote.voter)
        self._weights[vote.block_id] = weight
        if self._committee.is_quorum(weight):
            self.quorum_id = vote.block_id

    def all(self) -> Iterator[Vote]:
        """Yield every vote that counts."""
        yield from self.votes.values()
        yield from self._second.values()

    def for_block(self, block_id: bytes) -> tuple[Vote, ...]:
        """Return the votes for a block."""
        return tuple(vote for vote in self.all() if vote.block_id == block_id)


class Log:
    """What was heard at one height."""

    def __init__(self, committee: Committee) -> None:
        self.committee = committee
        self.proposals: dict[int, Proposal] = {}
        self._tallies: tuple[dict[int, Tally], dict[int, Tally]] = ({}, {})
        self._reached: dict[bytes, int] = {}
        self.decided_round: int | None = None  # a round with 2f+1 precommits for one block
        self._empty = Tally(committee)

    def prevotes(self, round_: int) -> Tally:
        return self._tallies[PREVOTE].get(round_, self._empty)

    def precommits(self, round_: int) -> Tally:
        return self._tallies[PRECOMMIT].get(round_, self._empty)

    def voters(self, kind: int, round_: int) -> dict[bytes, Vote]:
        """Return the votes of one kind in a round, by voter."""
        return self._tallies[kind].get(round_, self._empty).votes

    def earlier(self, message: Message) -> Message | None:
        """Return the message this member already sent for the same height, round and step."""
        if isinstance(message, Proposal):
            return self.proposals.get(message.round)
        tally = self._tallies[message.kind].get(message.round)
        return tally.votes.get(message.voter) if tally else None

    def add(self, message: Message, current_round: int) -> bool:
        """Keep a checked message that has no `earlier` one; tells whether some rule may apply now that did not."""
        member, round_ = author(message), message.round
        if round_ > self._reached.get(member, -1):
            self._reached[member] = round_
        if round_ > current_round + MAX_ROUNDS_AHEAD:
            return True
        if isinstance(message, Proposal):
            self.proposals[round_] = message
            return True
        tally = self._tallies[message.kind].get(round_)
        if tally is None:
            tally = self._tallies[message.kind][round_] = Tally(self.committee)
        changed = tally.add(message)
        if changed and message.kind == PRECOMMIT:
            self._note_decision(message)
        return changed or round_ > current_round

    def add_second(self, message: Message) -> None:
        """Keep a checked message that contradicts its `earlier` one. The first proposal of a round stands alone."""
        if isinstance(message, Vote):
            self._tallies[message.kind][message.round].add_second(message)
            self._note_decision(message)

    def add_again(self, vote: Vote) -> None:
        """Keep a vote that was checked when it was first heard, and may be known again already."""
        earlier = self.earlier(vote)
        if earlier is None:
            self.add(vote, vote.round)
        elif contradiction(earlier, vote):
            self.add_second(vote)

    def _note_decision(self, vote: Vote) -> None:
        if vote.kind == PRECOMMIT and isinstance(self.precommits(vote.round).quorum_id, bytes):
            self.decided_round = vote.round

    def round_reached_by_correct(self, above: int) -> int | None:
        """Return the latest round after `above` that members of weight f+1 have reached.

        Line 55 asks for f+1 messages of one round; a member heard in a later round has been in it as well.
        """
        if not any(round_ > above for round_ in self._reached.values()):
            return None
        weight = 0
        for member, round_ in sorted(self._reached.items(), key=lambda item: (-item[1], item[0])):
            weight += self.committee.weight(member)
            if round_ <= above:
                return None
            if self.committee.has_correct_member(weight):
                return round_
        return None

    def messages_of(self, rounds: set[int]) -> Iterator[Message]:
        """Yield everything kept of some rounds, proposals first."""
        for round_ in sorted(rounds):
            if round_ in self.proposals:
                yield self.proposals[round_]
            for tallies in self._tallies:
                if round_ in tallies:
                    yield from tallies[round_].all()


def step_of(message: Message) -> tuple[str, int, int, bytes]:
    """Return what a member may say one thing about: (kind, height, round, member)."""
    kind = "proposal" if isinstance(message, Proposal) else kind_name(message.kind)
    return kind, message.height, message.round, author(message)


def contradiction(first: Message, second: Message) -> Equivocation | None:
    """Return the proof if two messages of one member for one step are not the same statement."""
    if isinstance(first, Vote) and isinstance(second, Vote):
        return Equivocation(first, second) if first.block_id != second.block_id else None
    if isinstance(first, Proposal) and isinstance(second, Proposal):
        same = first.block.header.id == second.block.header.id and first.valid_round == second.valid_round
        return None if same else Equivocation(first, second)
    return None
