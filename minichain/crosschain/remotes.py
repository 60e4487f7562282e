"""What a chain keeps of another one that it follows, and how that grows. Pure: the state is `gate`'s affair.

A followed chain is believed within bounds. After `trusting_ms` without a header it is not believed any more, because
members who left long ago could sign anything; on a chain of work that does not matter, as nobody signs. And a chain
that is found to have made two blocks of one height final is believed no more at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from minichain.codec import Record, encode
from minichain.crosschain.branch import Branch, rooted
from minichain.crosschain.light import Trust
from minichain.crosschain.work import Link
from minichain.errors import ConfigError, ProofError
from minichain.ledger.certificate import Handover
from minichain.ledger.committee import Committee, Member
from minichain.ledger.genesis import Genesis
from minichain.ledger.types import Header


class Followed(Record):
    """What is kept of a final header."""

    id: bytes
    receipts: bytes
    count: int

    @classmethod
    def of(cls, header: Header) -> Followed:
        return cls(header.id, header.receipt_root, header.tx_count)


class Remote(Record):
    """A followed chain: the committee that is trusted after height `after`, and its newest header.

    `forked` is the height at which it contradicted itself. `branch` are the newest headers of a chain of work.
    """

    chain: str
    genesis: bytes
    engine: str
    members: tuple[Member, ...]
    after: int
    height: int
    time_ms: int
    trusting_ms: int
    forked: int = 0
    branch: Branch | None = None

    def grown(self, brought: Handover, now_ms: int) -> tuple[Remote, dict[int, Followed]]:
        """Return this after a header, with what became final; raises `ProofError`.

        The members are those of the next committee, or, where the header's own is not the trusted one, of that; there
        are none where nothing changes.
        """
        header, unheard_ms = brought.header, now_ms - self.time_ms
        if unheard_ms > self.trusting_ms:
            raise ProofError(f"it was not heard of for {unheard_ms} ms and is not trusted so long: connect it anew")
        trust = Trust(self.genesis, self.engine, Committee(self.members), self.after)
        if not brought.members:
            trust.require_final(header, brought.certificate)
        elif header.committee == trust.committee.hash:
            trust = trust.advance(brought)
        else:
            trust = trust.skip_to(header, brought.certificate, brought.members)
        height, time_ms = max((self.height, self.time_ms), (header.height, header.time_ms))
        members = trust.committee.members
        grown = replace(self, members=members, after=trust.after, height=height, time_ms=time_ms)
        return grown, {header.height: Followed.of(header)}

    def mined(self, links: Sequence[Link], latest_ms: int | None) -> tuple[Remote, dict[int, Followed]]:
        """Return this after headers of a chain of work, with what is final there now; raises `ProofError`.

        None may be of a later time than `latest_ms`: as if much time had passed, blocks would soon cost nothing.
        """
        assert self.branch is not None, "it is a chain of work"
        for header in (link.header for link in links):
            if latest_ms is not None and header.time_ms > latest_ms:
                raise ProofError(f"the header of height {header.height} is of a time to come: bring it again then")
        branch = self.branch.grown(links, Committee(self.members))
        newest = branch.at(branch.height)
        steps = {height: branch.at(height) for height in branch.final()}
        final = {height: Followed(step.id, step.receipts, step.count) for height, step in steps.items()}
        return replace(self, branch=branch.shortened(), height=branch.height, time_ms=newest.time_ms), final


def first_trust(chain: Genesis, trusting_ms: int, checkpoint: Handover | None = None) -> Remote:
    """Return what is trusted of a chain to begin with: its founders, or a later committee that somebody vouches for.

    Raises `ProofError`.
    """
    spec = chain.spec
    remote = Remote(spec.chain_id, chain.hash, spec.engine, spec.members, 0, 0, spec.genesis_time_ms, trusting_ms)
    if spec.engine == "pow":
        if checkpoint is not None:
            raise ProofError("a chain of work is followed from its genesis on: leave the checkpoint out")
        return replace(remote, branch=rooted(chain))
    if checkpoint is None:
        return remote
    header, members = checkpoint.header, checkpoint.members
    try:
        is_named = header.genesis == chain.hash and header.next_committee == Committee(members).hash
    except ConfigError:
        is_named = False
    if not is_named:
        raise ProofError("the checkpoint is not of this chain, or its header names another committee")
    return replace(remote, members=members, after=header.height, height=header.height, time_ms=header.time_ms)


def remote_key(chain: str) -> bytes:
    """Return the state key of a followed chain."""
    return encode(["remote", chain])


def followed_key(chain: str, height: int) -> bytes:
    """Return the state key of a final header of it."""
    return encode(["remote", chain, height])
