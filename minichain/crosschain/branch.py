"""The newest headers of a chain of work, as another chain keeps them, and which branch of them it believes.

By the chain's own rules (see `consensus.pow.tree`): the branch with most work counts; a block is final here once
enough others lie on top of it. Whoever can do that much work faster than all honest miners can deceive us: that is
what Nakamoto 2008, section 8, promises and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from minichain.codec import Record
from minichain.consensus.pow.tree import MEDIAN_OF, Entry
from minichain.crosschain.work import Link, next_entry
from minichain.errors import ProofError
from minichain.ledger.committee import Committee
from minichain.ledger.genesis import Genesis, Work

SPARE: Final = 16  # blocks that may be replaced beyond those that are not final


class Step(Record):
    """What is kept of a header."""

    id: bytes
    time_ms: int
    difficulty: int
    receipts: bytes
    count: int


class Branch(Record):
    """Headers in a row, the oldest at height `first`; what lies before them is forgotten."""

    genesis: bytes
    work: Work
    first: int
    steps: tuple[Step, ...]

    @property
    def height(self) -> int:
        """Return the height of the newest header."""
        return self.first + len(self.steps) - 1

    def at(self, height: int) -> Step:
        return self.steps[height - self.first]

    def final(self) -> range:
        """Return the heights kept here that are final, the genesis apart."""
        return range(max(self.first, 1), self.height - self.work.confirmations + 2)

    def grown(self, links: Sequence[Link], committee: Committee) -> Branch:
        """Return the branch after these headers, which follow each other; raises `ProofError`.

        They may replace headers that are known, if there is more work in them.
        """
        if not links:
            raise ProofError("no header is given")
        fork = links[0].header.height - 1
        oldest = self.first and self.first + self.work.window + MEDIAN_OF  # the rules look so far back
        if not oldest <= fork <= self.height:
            raise ProofError(
                f"the first header given is of height {fork + 1}: give those from {self.height + 1} on, or others from "
                f"{oldest + 1} on with more work in them"
            )
        entry = self._entries(fork)
        below = entry.work
        added = []
        for link in links:
            entry = next_entry(self.genesis, self.work, committee, entry, link)
            header = link.header
            added.append(Step(header.id, header.time_ms, entry.difficulty, header.receipt_root, header.tx_count))
        replaced = self.steps[fork + 1 - self.first :]
        if replaced and entry.work - below <= sum(step.difficulty for step in replaced):
            raise ProofError("there is not more work in these headers than in those that are known")
        return Branch(self.genesis, self.work, self.first, (*self.steps[: fork + 1 - self.first], *added))

    def shortened(self) -> Branch:
        """Return what must be kept of this once the headers that are final are kept elsewhere."""
        kept = self.work.window + MEDIAN_OF + self.work.confirmations + SPARE
        gone = max(0, len(self.steps) - kept)
        return Branch(self.genesis, self.work, self.first + gone, self.steps[gone:])

    def _entries(self, height: int) -> Entry:
        """Return the header of a height, with those before it, as the rules want them."""
        entry: Entry | None = None
        for place, step in enumerate(self.steps[: height - self.first + 1]):
            entry = Entry(step.id, entry, self.first + place, step.time_ms, step.difficulty)
        assert entry is not None
        return entry


def rooted(chain: Genesis) -> Branch:
    """Return the branch of a chain that has no block yet."""
    spec = chain.spec
    root = Step(chain.hash, spec.genesis_time_ms, spec.work.difficulty, b"", 0)
    return Branch(chain.hash, spec.work, 0, (root,))
