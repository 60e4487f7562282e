"""The two messages of Tendermint, and the proof that somebody sent two that contradict each other.

Proposal carries PROPOSAL of the paper, Vote carries PREVOTE and PRECOMMIT. Each signature covers the genesis hash.
"""

from __future__ import annotations

from typing import Any, cast

from minichain.codec import Record, decode, decode_own, encode
from minichain.crypto import KeyPair, SignatureCheck
from minichain.ledger.certificate import PRECOMMIT, PREVOTE, sign_vote, vote_statement
from minichain.ledger.types import Block

KIND_NAMES = {PREVOTE: "prevote", PRECOMMIT: "precommit"}


def kind_name(kind: int) -> str:
    """Name what a vote is; one that was damaged, or that a liar has made, may be of any kind."""
    return KIND_NAMES.get(kind, f"vote of kind {kind}")


class Proposal(Record, tag=1):
    """PROPOSAL(height, round, block, valid_round); `valid_round` is -1 for a block never voted on before."""

    height: int
    round: int
    block: Block
    valid_round: int
    proposer: bytes
    signature: bytes

    def statement(self, genesis: bytes) -> bytes:
        """Return the signed bytes; the block stands for itself through its id."""
        return encode([genesis, self.height, self.round, self.block.header.id, self.valid_round])


class Vote(Record, tag=2):
    """PREVOTE or PRECOMMIT(height, round, block id or nil)."""

    kind: int
    height: int
    round: int
    block_id: bytes | None
    voter: bytes
    signature: bytes


class Equivocation(Record):
    """Two messages one member signed for the same height, round and step, for different blocks."""

    first: Proposal | Vote
    second: Proposal | Vote


Message = Proposal | Vote


def read_own(data: bytes) -> Message:
    """Decode a message that this validator remembered."""
    return cast(Message, decode_own(data, cast(Any, Message)))


def read_message(data: bytes) -> Message:
    """Decode a message from somebody else; raises `DecodeError`."""
    return cast(Message, decode(data, cast(Any, Message)))


def author(message: Message) -> bytes:
    """Return the key that claims to have signed a message."""
    return message.voter if isinstance(message, Vote) else message.proposer


def sign_proposal(key: KeyPair, genesis: bytes, height: int, round_: int, block: Block, valid_round: int) -> Proposal:
    """Make this validator's proposal."""
    unsigned = Proposal(height, round_, block, valid_round, key.public, b"")
    signature = key.sign("proposal", unsigned.statement(genesis))
    return Proposal(height, round_, block, valid_round, key.public, signature)


def cast_vote(key: KeyPair, genesis: bytes, kind: int, height: int, round_: int, block_id: bytes | None) -> Vote:
    """Make this validator's vote."""
    signature = sign_vote(key, vote_statement(genesis, kind, height, round_, block_id))
    return Vote(kind, height, round_, block_id, key.public, signature)


def is_signed(message: Message, genesis: bytes, is_valid: SignatureCheck) -> bool:
    """Tell whether a message carries its author's signature for this chain."""
    if isinstance(message, Proposal):
        return is_valid(message.proposer, "proposal", message.statement(genesis), message.signature)
    statement = vote_statement(genesis, message.kind, message.height, message.round, message.block_id)
    return is_valid(message.voter, "vote", statement, message.signature)
