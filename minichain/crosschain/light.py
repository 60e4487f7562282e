"""What somebody can trust who does not follow a chain: its genesis, and from there one committee after the other.

A committee may change. The header of the last block that the old one certifies names the hash of the new one, so the
old committee itself hands the trust over. A committee is believed that the one before has named; or, where handovers
are skipped, one that enough of the trusted committee signs with ("A Tendermint Light Client", arXiv:2010.07031): of
more than a third, one is honest.
"""

from __future__ import annotations

from collections.abc import Iterable

from minichain.codec import Plain
from minichain.errors import ConfigError, ProofError
from minichain.ledger.certificate import Certificate, Handover, require_kind
from minichain.ledger.committee import Committee, Member
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
        committee = _committee(handover.members, f"after height {header.height}")
        if committee.hash == self.committee.hash:
            raise ProofError(f"block {header.height} hands over to the same committee, which is no handover")
        if header.next_committee != committee.hash:
            raise ProofError(f"block {header.height} hands over to another committee than the one given here")
        return Trust(self.genesis, self.engine, committee, header.height)

    def skip_to(self, header: Header, certificate: Certificate, members: Iterable[Member]) -> Trust:
        """Return the trust in a later committee, of these members, that has made `header` final.

        Raises `ProofError` unless enough of the present one has signed too: more than a third of its weight, or with
        Raft, where nobody is expected to lie, more than half.
        """
        committee = _committee(members, f"of height {header.height}")
        later = Trust(self.genesis, self.engine, committee, max(self.after, header.height - 1))
        later.require_final(header, certificate)
        signed = self.committee.weigh(committee.members[position].public for position in certificate.signers)
        is_enough = self.committee.is_majority if self.engine == "raft" else self.committee.has_correct_member
        if not is_enough(signed):
            raise ProofError(
                f"of the committee that is trusted only weight {signed} of {self.committee.total} has signed block "
                f"{header.height}: bring the handovers between, or a checkpoint"
            )
        return later


def _committee(members: Iterable[Member], which: str) -> Committee:
    try:
        return Committee(members)
    except ConfigError as error:
        raise ProofError(f"the committee {which} cannot be: {error}") from None


def follow(genesis: Genesis, handovers: Iterable[Handover]) -> Trust:
    """Return the trust that a chain's genesis and its handovers lead to; raises `ProofError`."""
    trust = Trust(genesis.hash, genesis.spec.engine, genesis.committee)
    for handover in handovers:
        trust = trust.advance(handover)
    return trust
