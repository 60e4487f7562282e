"""What stands behind a block: enough signatures over one statement, or enough work.

A certificate proves nothing by itself; it is checked against the committee of its height, and whoever checks it must
know that committee from somewhere it trusts. A seal of work proves only what it cost; how much later work stands on
top of it says how unlikely it is to be replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from msgspec.structs import replace

from minichain.codec import Plain, Record, encode
from minichain.crypto import KeyPair, SignatureCheck, digest, is_valid_signature
from minichain.errors import ProofError
from minichain.ledger.committee import Committee, Member
from minichain.ledger.types import Block, Header

PREVOTE, PRECOMMIT = 0, 1
MAX_NONCE = 2**63 - 1

Signatures = tuple[tuple[int, bytes], ...]  # (position in the committee, signature), in ascending positions


@lru_cache(maxsize=256)  # a whole committee signs the same few
def vote_statement(genesis: bytes, kind: int, height: int, round_: int, block_id: bytes | None) -> bytes:
    """Return the bytes a member signs to vote; `block_id` None is a vote for nil."""
    return encode([genesis, kind, height, round_, block_id])


def sign_vote(key: KeyPair, statement: bytes) -> bytes:
    """Sign a vote statement."""
    return key.sign("vote", statement)


class QuorumCertificate(Record, tag="quorum"):
    """Precommits for one block by more than two thirds of the committee's weight."""

    height: int
    round: int
    block_id: bytes
    signatures: Signatures

    @property
    def signers(self) -> tuple[int, ...]:
        """Return the positions of those who signed in the committee."""
        return tuple(position for position, _ in self.signatures)

    def verify(self, header: Header, committee: Committee, is_valid: SignatureCheck = is_valid_signature) -> None:
        """Raise `ProofError` unless this certificate makes `header` final under `committee`.

        Which chain that is, `header.genesis` says: whoever expects a certain chain compares it.
        """
        _require_header(self, header, committee)
        statement = vote_statement(header.genesis, PRECOMMIT, self.height, self.round, self.block_id)
        weight = _signed_weight(self.signatures, committee, "vote", statement, "precommit", is_valid)
        if not committee.is_quorum(weight):
            raise ProofError(f"signatures of weight {weight} of {committee.total} are not more than two thirds")


def log_statement(genesis: bytes, term: int, height: int, block_id: bytes) -> bytes:
    """Return the bytes a member signs when its log, confirmed by the leader of `term`, holds this block last."""
    return encode([genesis, term, height, block_id])


def sign_log(key: KeyPair, statement: bytes) -> bytes:
    """Sign a log statement."""
    return key.sign("log", statement)


class LogCertificate(Record, tag="log"):
    """Acknowledgements of one leader's log, with this block last in it, by more than half of the committee's weight.

    They prove that members who crash but never lie cannot lose the block. Against members who lie they prove nothing.
    """

    height: int
    term: int
    block_id: bytes
    signatures: Signatures

    @property
    def signers(self) -> tuple[int, ...]:
        """Return the positions of those who signed in the committee."""
        return tuple(position for position, _ in self.signatures)

    def verify(self, header: Header, committee: Committee, is_valid: SignatureCheck = is_valid_signature) -> None:
        """Raise `ProofError` unless this certificate makes `header` final under `committee`."""
        _require_header(self, header, committee)
        statement = log_statement(header.genesis, self.term, self.height, self.block_id)
        weight = _signed_weight(self.signatures, committee, "log", statement, "acknowledgement", is_valid)
        if not committee.is_majority(weight):
            raise ProofError(f"signatures of weight {weight} of {committee.total} are not more than half")


def seal_number(block_id: bytes, nonce: int) -> int:
    """Return the number that must be small for `nonce` to seal a block."""
    return int.from_bytes(digest("work", block_id + nonce.to_bytes(8)))


def is_sealed(block_id: bytes, nonce: int, difficulty: int) -> bool:
    """Tell whether a nonce seals a block; one in `difficulty` does, on average."""
    return 0 <= nonce <= MAX_NONCE and seal_number(block_id, nonce) * difficulty < 2**256


def seek_nonce(block_id: bytes, difficulty: int, start: int, tries: int) -> int | None:
    """Try so many nonces from `start` on; return the first that seals the block."""
    return next((nonce for nonce in range(start, start + tries) if is_sealed(block_id, nonce, difficulty)), None)


class WorkCertificate(Record, tag="work"):
    """A nonce that seals one block. Whether `difficulty` is what the chain asks for, its earlier headers say."""

    height: int
    block_id: bytes
    difficulty: int
    nonce: int
    signers = ()

    def verify(self, header: Header, committee: Committee, is_valid: SignatureCheck = is_valid_signature) -> None:
        """Raise `ProofError` unless the work was done for `header`."""
        _require_header(self, header, committee)
        if self.difficulty < 1 or not is_sealed(self.block_id, self.nonce, self.difficulty):
            raise ProofError(f"the nonce of block {self.height} does not show the work of {self.difficulty} tries")


Certificate = QuorumCertificate | LogCertificate | WorkCertificate

KINDS: Final[Mapping[str, type[Certificate]]] = {
    "bft": QuorumCertificate,
    "raft": LogCertificate,
    "pow": WorkCertificate,
}


def require_kind(certificate: Certificate, engine: str) -> None:
    """Raise `ProofError` unless this is what makes blocks final where `engine` agrees.

    A certificate of another kind may be sound in itself, and far cheaper to make: a seal of little work needs no key.
    """
    if not isinstance(certificate, KINDS[engine]):
        raise ProofError(f"a {type(certificate).__name__} makes no block final on a chain of the engine {engine}")


class FinalBlock(Record):
    """A block with what stands behind it."""

    block: Block
    certificate: Certificate


class Handover(Record):
    """A final block after which another committee certifies, and who that is."""

    header: Header
    certificate: Certificate
    members: tuple[Member, ...]


Items = tuple[tuple[bytes, bytes], ...]  # keys and values of a state


class Snapshot(Plain):
    """The whole state after a final block, and the handovers from the genesis to the committee that certified it."""

    final: FinalBlock
    handovers: tuple[Handover, ...]
    items: Items

    @property
    def height(self) -> int:
        return self.final.block.header.height


def in_order(committee: Committee, signatures: Mapping[bytes, bytes]) -> Signatures:
    """Put signatures by public key into the order of a certificate."""
    return tuple(sorted((committee.order[public], signature) for public, signature in signatures.items()))


def shortened(certificate: Certificate, committee: Committee) -> Certificate:
    """Return a certificate with as few signatures as make its block final, the first of them: who brings it elsewhere
    pays for each.
    """
    if isinstance(certificate, WorkCertificate):
        return certificate
    is_enough = committee.is_quorum if isinstance(certificate, QuorumCertificate) else committee.is_majority
    kept, weight = [], 0
    for position, signature in certificate.signatures:
        if not is_enough(weight):
            kept.append((position, signature))
            weight += committee.members[position].weight
    return replace(certificate, signatures=tuple(kept))


def _require_header(certificate: Certificate, header: Header, committee: Committee) -> None:
    if (certificate.height, certificate.block_id) != (header.height, header.id):
        raise ProofError(f"the certificate is for another block than the header of height {header.height}")
    if header.committee != committee.hash:
        raise ProofError(f"the header of height {header.height} names another committee")


def _signed_weight(
    signatures: Signatures, committee: Committee, domain: str, statement: bytes, what: str, is_valid: SignatureCheck
) -> int:
    """Check every signature and return the weight of the signers; raises `ProofError`."""
    positions = [position for position, _ in signatures]
    if positions != sorted(set(positions)) or not all(0 <= p < len(committee.members) for p in positions):
        raise ProofError("the certificate's signers are not distinct committee members in order")
    for position, signature in signatures:
        member = committee.members[position]
        if not is_valid(member.public, domain, statement, signature):
            raise ProofError(f"the {what} signature of {member.name} is wrong")
    return sum(committee.members[position].weight for position in positions)
