"""A proof that a value of the state, or its absence, was there after a block; anybody can check it.

Two steps, each checked: the committee that the chain's genesis leads to certified the header, or work was done for it;
and the header's state root holds the value. On a chain of work the newest blocks may still be replaced, so the number
of blocks that confirm it is told.
"""

from __future__ import annotations

from collections.abc import Sequence

from minichain.codec import Plain
from minichain.crosschain import light, work
from minichain.errors import ProofError
from minichain.ledger.certificate import Certificate, Handover
from minichain.ledger.genesis import Genesis
from minichain.ledger.types import Header
from minichain.merkle import StateProof, verify_state


class ProvenValue(Plain):
    """A value (None: absent) after block `height`; who certified the block, or how many blocks confirm it."""

    value: bytes | None
    height: int
    time_ms: int
    signers: tuple[str, ...]
    confirmations: int


def require_value(
    genesis: Genesis,
    key: bytes,
    value: bytes | None,
    proof: StateProof,
    header: Header,
    certificate: Certificate,
    handovers: Sequence[Handover] = (),
    links: Sequence[work.Link] = (),
) -> ProvenValue:
    """Check a value; raises `ProofError` with the step that fails. `links` are needed on a chain of work."""
    signers: tuple[str, ...] = ()
    if genesis.spec.engine == "pow":
        confirmations = len(work.follow_to(genesis, header, links)) - header.height
    else:
        trust, confirmations = light.follow(genesis, handovers), 1
        trust.require_final(header, certificate)
        signers = tuple(trust.committee.members[place].name for place in certificate.signers)
    if not verify_state(key, value, proof, header.state_root):
        raise ProofError(f"the value is not the one in the state after block {header.height}: its path leads elsewhere")
    return ProvenValue(value, header.height, header.time_ms, signers, confirmations)
