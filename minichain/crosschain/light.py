"""What somebody can trust who does not follow a chain: its genesis, and from there one committee after the other.

A committee may change. The header of the last block that the old one certifies names the hash of the new one, so the
old committee itself hands the trust over; no committee is ever believed that the one before has not named.
"""

from __future__ import annotations

from collections.abc import Iterable

from minichain.codec import Plain
from minichain.errors import ConfigError, ProofError
from minichain.ledger.certificate import Certificate, Handover, require_kind
from minichain.ledger.committee import Committee
from minichain.ledger.genesis import Genesis
from minichain.ledger.types import Header


class Trust(Plain):
    """The committee that certifies the blocks of one chain after height `after`, until it hands over."""

    genesis: bytes
    engine: str
    committee: Committee
    after: int = 0

    def require_final(self, header: Header, certificate: Certificate) -> None:
        """Raise `ProofError` unless this committee has made `header` final."""
        if header.genesis != self.genesis:
            raise ProofError(f"the header of height {header.height} belongs to another chain")
        if header.height <= self.after:
            raise ProofError(f"the committee trusted here begins after height {self.after}, not at {header.height}")
        require_kind(certificate, self.engine)
        certificate.verify(header, self.committee)

    def advance(self, handover: Handover) -> Trust:
        """Return the trust after a handover; raises `ProofError` unless this committee has handed over itself."""
        header = handover.header
        self.require_final(header, handover.certificate)
        try:
            committee = Committee(handover.members)
        except ConfigError as error:
            raise ProofError(f"the committee after height {header.height} cannot be: {error}") from None
        if committee.hash == self.committee.hash:
            raise ProofError(f"block {header.height} hands over to the same committee, which is no handover")
        if header.next_committee != committee.hash:
            raise ProofError(f"block {header.height} hands over to another committee than the one given here")
        return Trust(self.genesis, self.engine, committee, header.height)


def follow(genesis: Genesis, handovers: Iterable[Handover]) -> Trust:
    """Return the trust that a chain's genesis and its handovers lead to; raises `ProofError`."""
    trust = Trust(genesis.hash, genesis.spec.engine, genesis.committee)
    for handover in handovers:
        trust = trust.advance(handover)
    return trust
