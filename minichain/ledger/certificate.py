"""What makes a block final: enough signatures over one statement.

A certificate proves nothing by itself; it is checked against the committee of its height, and whoever checks it must
know that committee from somewhere it trusts.
"""

from __future__ import annotations

from collections.abc import Mapping

from minichain.codec import Record, encode
from minichain.crypto import KeyPair, SignatureCheck, is_valid_signature
from minichain.errors import ProofError
from minichain.ledger.committee import Committee
from minichain.ledger.types import Block, Header

PREVOTE, PRECOMMIT = 0, 1


def vote_statement(genesis: bytes, kind: int, height: int, round_: int, block_id: bytes | None) -> bytes:
    """Return the bytes a member signs to vote; `block_id` None is a vote for nil."""
    return encode([genesis, kind, height, round_, block_id])


def sign_vote(key: KeyPair, statement: bytes) -> bytes:
    """Sign a vote statement."""
    return key.sign("vote", statement)


class QuorumCertificate(Record):
    """Precommits for one block by more than two thirds of the committee's weight.

    `signatures` holds (position in the committee, signature), in ascending positions.
    """

    height: int
    round: int
    block_id: bytes
    signatures: tuple[tuple[int, bytes], ...]

    def verify(self, header: Header, committee: Committee, is_valid: SignatureCheck = is_valid_signature) -> None:
        """Raise `ProofError` unless this certificate makes `header` final under `committee`.

        Which chain that is, `header.genesis` says: whoever expects a certain chain compares it.
        """
        if (self.height, self.block_id) != (header.height, header.id):
            raise ProofError(f"the certificate is for another block than the header of height {header.height}")
        if header.committee != committee.hash:
            raise ProofError(f"the header of height {header.height} names another committee")
        positions = [position for position, _ in self.signatures]
        if positions != sorted(set(positions)) or not all(0 <= p < len(committee.members) for p in positions):
            raise ProofError("the certificate's signers are not distinct committee members in order")
        statement = vote_statement(header.genesis, PRECOMMIT, self.height, self.round, self.block_id)
        for position, signature in self.signatures:
            member = committee.members[position]
            if not is_valid(member.public, "vote", statement, signature):
                raise ProofError(f"the precommit signature of {member.name} is wrong")
        weight = sum(committee.members[position].weight for position in positions)
        if not committee.is_quorum(weight):
            raise ProofError(f"signatures of weight {weight} of {committee.total} are not more than two thirds")


def certify(
    committee: Committee, height: int, round_: int, block_id: bytes, signatures: Mapping[bytes, bytes]
) -> QuorumCertificate:
    """Assemble a certificate from precommit signatures by public key."""
    ordered = sorted((committee.order[public], signature) for public, signature in signatures.items())
    return QuorumCertificate(height, round_, block_id, tuple(ordered))


class FinalBlock(Record):
    """A block with the certificate that makes it final."""

    block: Block
    certificate: QuorumCertificate
