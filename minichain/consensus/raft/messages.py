"""The messages of Raft (thesis, figures 3.1 and 5.3), and what a message must look like to be looked at.

No message names its author: the transport knows who speaks. Only one thing is signed, the acknowledgement of a block,
because others are to believe it later. Heights and indexes are bounded far above what a chain can reach.
"""

from __future__ import annotations

from typing import Any

from minichain.codec import Record
from minichain.consensus.raft.log import Base, Entry
from minichain.crypto import DIGEST_SIZE, SIGNATURE_SIZE
from minichain.ledger.certificate import LogCertificate
from minichain.ledger.committee import MAX_MEMBERS

MAX_NUMBER = 2**53  # terms, indexes, heights
MAX_ENTRIES = 64  # in one message
MAX_BLOCKS = 1  # in one message: the next block is made when this one is applied


class RequestVote(Record, tag=10):
    """Ask for a vote in `term`; or, with `pre_vote`, whether it would be given (section 9.6)."""

    term: int
    last_index: int
    last_term: int
    pre_vote: bool


class VoteReply(Record, tag=11):
    """The answer: `term` is the one asked about if granted, else the voter's own."""

    term: int
    pre_vote: bool
    granted: bool


class AppendEntries(Record, tag=12):
    """The leader's entries after `previous_index`; without any, a heartbeat.

    `height` is what the leader works on, `certificate` that of the last block it saw decided.
    """

    term: int
    height: int
    previous_index: int
    previous_term: int
    entries: tuple[Entry, ...]
    commit: int
    certificate: LogCertificate | None


class AppendReply(Record, tag=13):
    """The follower's log is the leader's through `index`; or, if it does not match, the leader should go on at `index`.

    The signature is that of a log statement, where the leader needs one for its certificate.
    """

    term: int
    matches: bool
    index: int
    signature: bytes


class InstallSnapshot(Record, tag=14):
    """The leader no longer has what you lack: get the chain up to `base.height`, and go on after `base.index`."""

    term: int
    base: Base


Message = RequestVote | VoteReply | AppendEntries | AppendReply | InstallSnapshot


def is_sound(message: Any) -> bool:
    """Tell whether this is a message of Raft with numbers that a correct member may write."""
    match message:
        case RequestVote(term, last_index, last_term):
            return last_term < term and _is_place(last_index, last_term) and _is_number(term)
        case VoteReply(term):
            return _is_number(term)
        case AppendEntries():
            is_short = len(message.entries) <= MAX_ENTRIES
            return is_short and _are_sound_entries(message) and _is_sound_certificate(message.certificate)
        case AppendReply(term, _, index, signature):
            return _is_number(term) and _is_number(index) and len(signature) in (0, SIGNATURE_SIZE)
        case InstallSnapshot(term, base):
            is_place = _is_place(base.index, base.term) and base.term <= term and _is_number(term)
            return is_place and _is_number(base.height) and len(base.block_id) == DIGEST_SIZE
    return False


def _is_number(value: int) -> bool:
    return 0 <= value <= MAX_NUMBER


def _is_place(index: int, term: int) -> bool:
    """Before the first entry is index 0 of term 0."""
    return _is_number(index) and _is_number(term) and (index == 0) == (term == 0)


def _are_sound_entries(message: AppendEntries) -> bool:
    """Terms never fall along a log, and only the first entry of a term may be a no-op."""
    entries, terms = message.entries, [message.previous_term, *(entry.term for entry in message.entries)]
    return (
        _is_place(message.previous_index, message.previous_term)
        and all(map(_is_number, (message.term, message.height, message.commit)))
        and [*terms, message.term] == sorted([*terms, message.term])
        and all(entry.block or entry.term > before for before, entry in zip(terms, entries, strict=False))
        and sum(entry.block is not None for entry in entries) <= MAX_BLOCKS
    )


def _is_sound_certificate(certificate: LogCertificate | None) -> bool:
    return certificate is None or (
        _is_number(certificate.height)
        and _is_number(certificate.term)
        and len(certificate.block_id) == DIGEST_SIZE
        and len(certificate.signatures) <= MAX_MEMBERS
    )
