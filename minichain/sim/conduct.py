"""What correct members say, looked at as it leaves them. Whoever sends is bound by it, whatever its disk has kept.

truthfulness   nobody says two different things about one step of one round, crashes included
locks          who has precommitted a block prevotes another one only if that one had a quorum since (bft, line 29)
quorums        nobody precommits a block for which no quorum prevoted (bft, line 36)
elections      a term has one leader, and nobody votes for two (raft, section 3.4)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from minichain.consensus.bft import Message, Proposal, Vote
from minichain.consensus.bft.messages import author
from minichain.consensus.raft import AppendEntries, InstallSnapshot, RequestVote, VoteReply
from minichain.errors import MinichainError
from minichain.ledger.certificate import PREVOTE
from minichain.ledger.committee import Committee


class Violated(MinichainError):
    """Something that must always be true is not."""


def is_quorum(committee: Committee, weight: int) -> bool:
    """More than two thirds. Stated here once more: an observer does not trust the formula that it is to check."""
    return weight * 3 > sum(member.weight for member in committee.members) * 2


def is_majority(committee: Committee, weight: int) -> bool:
    """More than half."""
    return weight * 2 > sum(member.weight for member in committee.members)


class Conduct:
    """An observer who hears everybody. `committee_of` returns the committee of a height, None if that is not known."""

    def __init__(self, committee_of: Callable[[int], Committee | None]) -> None:
        self._committee_of = committee_of
        self._said: dict[tuple[Any, ...], bytes | None] = {}  # (who, kind, height, round), (who, "vote", term)
        self._locks: dict[tuple[str, int], tuple[int, bytes]] = {}  # (who, height) -> round and block of its last lock
        self._valid_rounds: defaultdict[tuple[int, int, bytes], set[int]] = defaultdict(set)  # (height, round, block)
        self._prevoters: defaultdict[tuple[int, int, bytes | None], set[bytes]] = defaultdict(set)
        self._leaders: dict[int, str] = {}

    def hear(self, public: bytes, message: Any) -> None:
        """Note what any member sends in its own name, a liar too: others may act on it."""
        if isinstance(message, Proposal | Vote) and author(message) == public:
            self._note(message)

    def on_said(self, name: str, public: bytes, peer: str, message: Any) -> None:
        """Look at what a correct member sends; `peer` is who gets it, "" is everybody."""
        match message:
            case Proposal() | Vote() if author(message) == public:
                self._look(name, message)
                self._note(message)
            case AppendEntries(term) | InstallSnapshot(term):
                if self._leaders.setdefault(term, name) != name:
                    raise Violated(f"elections: {name} and {self._leaders[term]} both lead term {term}")
            case RequestVote(term, _, _, False):
                self._say(name, ("vote", term), name.encode())
            case VoteReply(term, False, True):
                self._say(name, ("vote", term), peer.encode())

    def _say(self, name: str, what: tuple[Any, ...], block_id: bytes | None) -> None:
        if self._said.setdefault((name, *what), block_id) != block_id:
            raise Violated(f"truthfulness: {name} said two different things of kind {what}")

    def _note(self, message: Message) -> None:
        place = message.height, message.round
        if isinstance(message, Proposal):
            self._valid_rounds[*place, message.block.header.id].add(message.valid_round)
        elif message.kind == PREVOTE:
            self._prevoters[*place, message.block_id].add(message.voter)

    def _look(self, name: str, message: Message) -> None:
        if isinstance(message, Proposal):
            self._say(name, ("proposal", message.height, message.round), message.block.header.id)
            return
        self._say(name, (message.kind, message.height, message.round), message.block_id)
        if message.block_id is not None and message.kind == PREVOTE:
            self._require_free(name, message, message.block_id)
        elif message.block_id is not None:
            if not self._had_quorum(name, message, message.round):
                raise Violated(f"quorums: {name} precommitted what no quorum prevoted {_where(message)}")
            self._locks[name, message.height] = message.round, message.block_id

    def _require_free(self, name: str, vote: Vote, block_id: bytes) -> None:
        """A lock forbids another block, unless a round since had a quorum for it."""
        locked_round, locked_id = self._locks.get((name, vote.height), (-1, block_id))
        if locked_id == block_id or locked_round >= vote.round:
            return
        since = (r for r in self._valid_rounds[vote.height, vote.round, block_id] if locked_round <= r < vote.round)
        if not any(self._had_quorum(name, vote, round_) for round_ in since):
            raise Violated(f"locks: {name}, locked in round {locked_round}, prevoted another block {_where(vote)}")

    def _had_quorum(self, name: str, vote: Vote, round_: int) -> bool:
        """Tell whether a quorum prevoted a block. What a member said just before it crashed, it alone may know of."""
        committee, voters = self._committee_of(vote.height), set(self._prevoters[vote.height, round_, vote.block_id])
        if (name, PREVOTE, vote.height, round_) not in self._said:
            voters.add(vote.voter)
        return committee is None or is_quorum(committee, sum(committee.weight(voter) for voter in voters))


def _where(vote: Vote) -> str:
    return f"in round {vote.round} of height {vote.height}"
