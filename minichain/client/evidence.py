"""What nodes kept of a member that contradicted itself. Anybody can check it, and bring it before the ledger."""

from __future__ import annotations

from msgspec.structs import replace

from minichain.codec import Record, decode, encode
from minichain.consensus.bft import Equivocation, Message, Proposal
from minichain.consensus.bft.messages import is_signed
from minichain.consensus.bft.votes import contradiction, step_of
from minichain.crypto import did_of, is_valid_signature
from minichain.errors import ProofError
from minichain.ledger.genesis import Genesis


class Misbehaviour(Record):
    """Two statements of one member about one step, of which at most one can be meant: "proposal", "prevote" or
    "precommit" of a round. `first` and `second` are what it signed, encoded; a proposal comes without transactions.
    """

    did: str
    step: str
    height: int
    round: int
    first: bytes
    second: bytes


def read_misbehaviour(data: bytes, genesis: Genesis) -> Misbehaviour:
    """Read and check what a node kept; raises `DecodeError`, or `ProofError` if it proves nothing on this chain."""
    found = decode(data, Equivocation)
    both = (found.first, found.second)
    step, height, round_, member = step_of(found.first)
    if (
        step_of(found.second) != step_of(found.first)
        or contradiction(*both) is None
        or not all(is_signed(message, genesis.hash, is_valid_signature) for message in both)
    ):
        raise ProofError("a node shows evidence that proves nothing: these are not two statements of one member")
    first, second = (encode(_bare(message)) for message in both)
    return Misbehaviour(did_of(member), step, height, round_, first, second)


def _bare(message: Message) -> Message:
    """Leave out what is not signed: the header alone is."""
    return replace(message, block=replace(message.block, txs=())) if isinstance(message, Proposal) else message
