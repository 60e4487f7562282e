"""What somebody can trust of a chain of work who has its headers only (Nakamoto 2008, section 8).

The headers show how much work was done on top of a block, and by the chain's own rules for its difficulty. They do not
show that no heavier chain exists: whoever must know asks more than one source, and takes the one with the most work.
"""

from __future__ import annotations

from collections.abc import Sequence

from minichain.codec import Plain, Record
from minichain.consensus.pow.tree import Entry, difficulty_after, median_time
from minichain.errors import ProofError
from minichain.ledger.certificate import WorkCertificate
from minichain.ledger.committee import Committee
from minichain.ledger.genesis import Genesis, Work
from minichain.ledger.types import Header


class Link(Record):
    """A header of a chain of work, and the work done for it."""

    header: Header
    certificate: WorkCertificate


class Depth(Plain):
    """How deep a block lies: the blocks that confirm it, its own included, and the tries they took on average."""

    confirmations: int
    work: int


def follow(genesis: Genesis, links: Sequence[Link]) -> list[Entry]:
    """Check the headers of a whole chain, from its first block on; raises `ProofError` with the height that fails."""
    root = Entry(genesis.hash, None, 0, genesis.spec.genesis_time_ms, genesis.spec.work.difficulty)
    entries = [root]
    for link in links:
        entries.append(next_entry(genesis.hash, genesis.spec.work, genesis.committee, entries[-1], link))
    return entries


def next_entry(genesis: bytes, work: Work, committee: Committee, parent: Entry, link: Link) -> Entry:
    """Check a header that follows `parent`; raises `ProofError`."""
    header, height = link.header, parent.height + 1
    if (header.genesis, header.height, header.parent) != (genesis, height, parent.id):
        raise ProofError(f"the header given for height {height} does not follow the one before it on this chain")
    if header.time_ms <= median_time(parent):
        raise ProofError(f"the header of height {height} is too early: later than the median of the eleven before it")
    wanted = difficulty_after(parent, work)
    if link.certificate.difficulty != wanted:
        raise ProofError(f"block {height} asks for {link.certificate.difficulty} tries, the chain for {wanted}")
    link.certificate.verify(header, committee)
    return Entry(header.id, parent, height, header.time_ms, wanted)


def follow_to(genesis: Genesis, header: Header, links: Sequence[Link]) -> list[Entry]:
    """Do as `follow`; raises `ProofError` also unless `header` is one of these headers."""
    entries = follow(genesis, links)
    if not 1 <= header.height < len(entries) or entries[header.height].id != header.id:
        raise ProofError(f"the block of height {header.height} is not in the chain of headers given with it")
    return entries


def depth_of(genesis: Genesis, header: Header, links: Sequence[Link]) -> Depth:
    """Return how deep a block lies in a chain of headers; raises `ProofError` unless it is in it."""
    entries = follow_to(genesis, header, links)
    return Depth(len(entries) - header.height, entries[-1].work - entries[header.height - 1].work)


def require_deep(genesis: Genesis, header: Header, depth: Depth) -> None:
    """Raise `ProofError` unless a block is deep enough to be final."""
    needed = genesis.spec.work.confirmations
    if depth.confirmations < needed:
        told = f"block {header.height} has {depth.confirmations} confirmations"
        raise ProofError(f"{told}, where this chain asks for {needed}")


__all__ = ["Depth", "Link", "depth_of", "follow", "follow_to", "next_entry", "require_deep"]
