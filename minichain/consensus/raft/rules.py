"""The decisions of Raft, apart from messages and effects: each function answers one question of figure 3.1.

Section and figure numbers, here and in the files around, are those of Ongaro, "Consensus: Bridging Theory and
Practice" (2014); its figure 3.1 is figure 2 of the extended paper.

| question                                           | where                 | here                  |
| -------------------------------------------------- | --------------------- | --------------------- |
| is the candidate's log as complete as mine?        | 3.6.1, RequestVote 2  | `is_as_complete`      |
| does it get my vote? would it, if it stood?        | 3.4, 9.6              | `grants`              |
| is there a leader, so that nobody needs my vote?   | 4.2.3                 | `has_leader`          |
| does my log have what precedes the new entries?    | 3.5, AppendEntries 2  | `has_previous`        |
| if not, where should the leader go on?             | 3.5, at its end       | `retry_from`          |
| which entries are committed?                       | 3.6.2, figure 3.7     | `committed`           |
| does a majority still hear the leader?             | 6.2                   | `Leader.is_followed`  |
"""

from __future__ import annotations

from collections.abc import Mapping

from minichain.consensus.raft.log import Log
from minichain.consensus.raft.member import Ballot
from minichain.consensus.raft.messages import RequestVote
from minichain.ledger.committee import Committee


def is_as_complete(log: Log, request: RequestVote) -> bool:
    """The later last term wins; of equal terms, the longer log."""
    return (request.last_term, request.last_index) >= (log.last_term, log.last_index)


def grants(ballot: Ballot, log: Log, candidate: bytes, request: RequestVote) -> bool:
    """One vote in each term, and only for a log as complete as one's own. A pre-vote promises nothing."""
    is_free = request.term == ballot.term and ballot.voted_for in (None, candidate)
    return (request.term > ballot.term if request.pre_vote else is_free) and is_as_complete(log, request)


def has_leader(heard_ms: int | None, now_ms: int, timeout_ms: int) -> bool:
    """Whoever hears a leader knows that no election is needed, whatever a member that is cut off may think."""
    return heard_ms is not None and now_ms < heard_ms + timeout_ms


def has_previous(log: Log, commit: int, index: int, term: int) -> bool:
    """What is committed is the same in every log, and need not be compared."""
    return index <= commit or log.term_at(index) == term


def retry_from(log: Log, commit: int, index: int) -> int:
    """Skip a whole term that conflicts, rather than one entry with each answer."""
    if index > log.last_index:
        return log.last_index + 1
    return max(commit + 1, log.first_of_term(index))


def committed(log: Log, term: int, commit: int, committee: Committee, matched: Mapping[bytes, int]) -> int:
    """Return the new commit index: what a majority has, if the leader of this very term made it.

    An older entry may lie on a majority and still be overwritten (figure 3.7); it is committed by an entry after it.
    """
    weight = 0
    for member, index in sorted(matched.items(), key=lambda item: (-item[1], item[0])):
        weight += committee.weight(member)
        if committee.is_majority(weight):
            return max(commit, index) if log.term_at(index) == term else commit
    return commit
