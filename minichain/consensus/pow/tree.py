"""The tree of blocks, and which of its branches counts. This file knows no messages, no timers and no clock.

Rules, from Nakamoto, "Bitcoin: A Peer-to-Peer Electronic Cash System" (2008), and Bitcoin's developer reference:

1. Most work (section 4). A block counts with its difficulty, the number of tries it takes on average. The best
   branch has the greatest sum, however many blocks it has; of equals, the one seen first (section 5).
2. Retargeting (section 4; developer guide, "Proof of Work"). Every `window` blocks the difficulty follows the time
   that the last `window` took. Windows share their border blocks, so that no interval goes uncounted; the first
   begins with block 1, because nobody mined the genesis. A block must carry exactly what its ancestors demand.
3. Median time past (developer reference, "Block Headers"; BIP 113). A block is later than the median of the eleven
   before it, and at most `max_skew_ms` ahead of now. Too early is no fault: time heals it.
4. What lies `depth` below the node's chain stays (Bitcoin has checkpoints for this): a branch from further down is
   refused, whatever its work. That bounds what is kept, and what old, cheap difficulty can be used for. The price:
   a network that was parted for longer has to be put together by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final

from minichain.codec import Record
from minichain.consensus.pow.messages import MAX_ANSWER_BLOCKS, MAX_ANSWER_BYTES
from minichain.ledger.certificate import FinalBlock, WorkCertificate, is_sealed
from minichain.ledger.genesis import ChainSpec, Work
from minichain.ledger.types import Block
from minichain.merkle import root

MAX_DIFFICULTY: Final = 2**40  # a million tries a second take twelve days; sums of it stay far below 2**63
MEDIAN_OF: Final = 11
MIN_DEPTH: Final = 128  # blocks; more if the chain asks for more confirmations
MAX_CHAINS: Final = 4  # at most so many times the blocks of one chain are kept
MAX_INVALID: Final = 1_024  # ids remembered of blocks that can never be valid
DENSE: Final = 10  # ids at the start of a locator without gaps


class Kept(Record):
    """A block as it is remembered, with the work of its branch up to it."""

    final: FinalBlock
    work: int


class Standing(Enum):
    """What may be done with a block that is not in the tree. Only `FAULTY` is something no correct member sends."""

    NEW = "may join"
    KNOWN = "in the tree already, or known to be invalid"
    ORPHAN = "its parent is not here"
    EARLY = "too far ahead of now"
    OLD = "it branches off below what can change"
    CROWDED = "the tree is full of heavier branches"
    FAULTY = "it breaks a rule"


class Entry:
    """A block in the tree. `work` is the sum of difficulties up to it; the genesis has no `final` block.

    `full` is the height of the last block with transactions on the way to it, 0 if there is none.
    """

    __slots__ = ("children", "difficulty", "final", "full", "height", "id", "median_ms", "parent", "time_ms", "work")

    def __init__(self, block_id: bytes, parent: Entry | None, height: int, time_ms: int, difficulty: int) -> None:
        self.id = block_id
        self.parent = parent
        self.height = height
        self.time_ms = time_ms
        self.difficulty = difficulty
        self.work: int = parent.work + difficulty if parent else 0
        self.final: FinalBlock | None = None
        self.full: int = parent.full if parent else 0
        self.children: tuple[Entry, ...] = ()
        self.median_ms: int | None = None  # once somebody asks: below it nothing changes


# --- rules over one branch -----------------------------------------------------------------------------------------


def retarget(old: int, actual_ms: int, work: Work) -> int:
    """Return the difficulty after a window that took `actual_ms`: in proportion, within the factor `most_change`."""
    wanted = old * work.window * work.block_ms // max(actual_ms, 1)
    least, most = -(-old // work.most_change), old * work.most_change
    return min(max(wanted, least), most, MAX_DIFFICULTY)


def difficulty_after(parent: Entry, work: Work) -> int:
    """Return the difficulty that a child of `parent` must have."""
    windows, past = divmod(parent.height - 1, work.window)
    if past or windows < 1:
        return parent.difficulty
    first = ancestor(parent, parent.height - work.window)
    return retarget(parent.difficulty, parent.time_ms - first.time_ms, work)


def median_time(entry: Entry) -> int:
    """Return the median of the last eleven times, those of `entry` and its ancestors; of an even number the later."""
    if entry.median_ms is None:
        times: list[int] = []  # no generator: this is asked for each block at each of a thousand simulated nodes
        at: Entry | None = entry
        while at is not None and len(times) < MEDIAN_OF:
            times.append(at.time_ms)
            at = at.parent
        times.sort()
        entry.median_ms = times[len(times) // 2]
    return entry.median_ms


def ancestors(entry: Entry | None) -> Iterator[Entry]:
    """Yield a block and all below it that are kept."""
    while entry is not None:
        yield entry
        entry = entry.parent


def ancestor(entry: Entry, height: int) -> Entry:
    """Return the block of a height on the way to `entry`."""
    while entry.height > height:
        assert entry.parent is not None, f"height {height} is below what is kept"
        entry = entry.parent
    return entry


def fork_of(one: Entry, other: Entry) -> Entry:
    """Return the last block that two branches share."""
    while one is not other:
        if one.height < other.height:
            one, other = other, one
        one = ancestor(one, one.height - 1)
    return one


def branch(fork: Entry, tip: Entry) -> list[Entry]:
    """List the blocks above `fork` that lead to `tip`."""
    above = []
    while tip is not fork:
        above.append(tip)
        assert tip.parent is not None, "the tip does not descend from the fork"
        tip = tip.parent
    return above[::-1]


def locator(tip: Entry) -> tuple[bytes, ...]:
    """Name blocks of a branch, newest first: the last ten, then with gaps that double, and the lowest kept."""
    chain = list(ancestors(tip))
    ids, at, gap = [], 0, 1
    while at < len(chain) - 1:
        ids.append(chain[at].id)
        gap = gap if len(ids) < DENSE else 2 * gap
        at += gap
    return (*ids, chain[-1].id)


def confirmed(head: Entry, confirmations: int) -> bool:
    """Tell whether every block with transactions is the lowest of at least `confirmations` blocks."""
    return not head.full or head.height - head.full >= confirmations - 1


# --- the tree ------------------------------------------------------------------------------------------------------


class Tree:
    """All branches that may still win. `head` is where the node's chain ends, `best` the tip with the most work.

    Every block but those between `base` and `fixed`, which are one chain, descends from `fixed`.
    """

    def __init__(self, genesis: bytes, spec: ChainSpec) -> None:
        self._genesis = genesis
        self._spec = spec
        self._depth = max(MIN_DEPTH, spec.work.confirmations)
        self._spare = spec.work.window + MEDIAN_OF  # below `fixed`, so that its children can be checked
        self.limit = MAX_CHAINS * (self._depth + self._spare)
        self._invalid: dict[bytes, None] = {}  # oldest first
        self.forgotten: list[bytes] = []  # ids that have left since the engine looked
        self._plant(Entry(genesis, None, 0, spec.genesis_time_ms, spec.work.difficulty))

    def _plant(self, base: Entry) -> None:
        self._entries = {base.id: base}
        self.leaves = {base.id: base}  # the tips of all branches
        self.base = self.fixed = self.head = self.best = base
        self.offered: Entry | None = None  # the tip that the node was asked to adopt

    def restore(self, remembered: Iterable[Kept]) -> None:
        """Return to what was remembered; without the genesis, the lowest block is the new base."""
        lowest_first = sorted(remembered, key=lambda kept: kept.final.block.header.height)
        if lowest_first and lowest_first[0].final.block.header.height > 1:
            self._plant(_entry(lowest_first[0].final, None))
            self.base.work = lowest_first[0].work
        for kept in lowest_first:
            if kept.final.block.header.parent in self._entries:
                self.add(kept.final)

    def get(self, block_id: bytes) -> Entry | None:
        return self._entries.get(block_id)

    def knows(self, block_id: bytes) -> bool:
        """Tell whether there is no need to hear of this block again."""
        return block_id in self._entries or block_id in self._invalid

    def __len__(self) -> int:
        return len(self._entries)

    # --- may it join? ---

    def standing(self, final: FinalBlock, now_ms: int) -> Standing:
        """Tell what may be done with a block from outside. Whether it executes, the node says later."""
        header = final.block.header
        if self.knows(header.id):
            return Standing.KNOWN
        if not self._shows_work(final):
            return Standing.FAULTY
        if header.height <= self.fixed.height:
            return Standing.OLD
        parent = self._entries.get(header.parent)
        if parent is None:
            return self._standing_without_parent(header.id, header.parent)
        return self._standing_under(parent, final, now_ms)

    def _shows_work(self, final: FinalBlock) -> bool:
        """Check what a block says about itself, without its ancestors."""
        header, seal = final.block.header, final.certificate
        return (
            isinstance(seal, WorkCertificate)
            and header.genesis == self._genesis
            and (seal.height, seal.block_id) == (header.height, header.id)
            and header.height >= 1
            and 1 <= seal.difficulty <= MAX_DIFFICULTY
            and is_sealed(seal.block_id, seal.nonce, seal.difficulty)
        )

    def _standing_without_parent(self, block_id: bytes, parent: bytes) -> Standing:
        if parent not in self._invalid:
            return Standing.ORPHAN
        self._condemn(block_id)
        return Standing.KNOWN

    def _standing_under(self, parent: Entry, final: FinalBlock, now_ms: int) -> Standing:
        if not self._follows(parent, final):
            return Standing.FAULTY
        if final.block.header.time_ms > now_ms + self._spec.max_skew_ms:
            return Standing.EARLY
        if not _is_body(final.block, self._spec.limits.block_bytes):
            return Standing.FAULTY
        return Standing.NEW if self._has_room(parent, final) else Standing.CROWDED

    def _follows(self, parent: Entry, final: FinalBlock) -> bool:
        header, seal = final.block.header, final.certificate
        return (
            header.height == parent.height + 1
            and isinstance(seal, WorkCertificate)
            and seal.difficulty == difficulty_after(parent, self._spec.work)
            and header.time_ms > median_time(parent)
        )

    def _has_room(self, parent: Entry, final: FinalBlock) -> bool:
        if len(self._entries) < self.limit:
            return True
        victim = self._lightest(parent)
        return victim is not None and victim.work < parent.work + _difficulty(final)

    def _lightest(self, parent: Entry) -> Entry | None:
        """Return the tip that a child of `parent` may push out."""
        spared = (self.head, self.offered, parent)
        return min((leaf for leaf in self.leaves.values() if leaf not in spared), key=_work, default=None)

    # --- growing ---

    def add(self, final: FinalBlock) -> Entry:
        """Let a block join that was found `NEW`, or was remembered."""
        parent = self._entries[final.block.header.parent]
        if len(self._entries) >= self.limit and (victim := self._lightest(parent)):
            self._remove(victim)
        entry = _entry(final, parent)
        parent.children += (entry,)
        self.leaves.pop(parent.id, None)
        self._entries[entry.id] = self.leaves[entry.id] = entry
        if entry.work > self.best.work:
            self.best = entry
        return entry

    def is_contested(self) -> bool:
        """Tell whether another tip has as much work as the node's chain: only a further block can settle that."""
        return any(leaf.work >= self.head.work and leaf is not self.head for leaf in self.leaves.values())

    # --- shrinking ---

    def reject(self, entry: Entry) -> None:
        """A block turned out invalid: so are all that descend from it, for ever."""
        for block_id in self._remove(entry):
            self._condemn(block_id)
        self.best = self._heaviest()

    def settle(self, head: Entry) -> None:
        """The node's chain ends with `head` now: let go of what can no longer win, and of what is too old."""
        self.head, self.offered = head, None
        while self.fixed.height < head.height - self._depth:
            only, *others = self.fixed.children
            self._fix(ancestor(head, only.height) if others else only)
        while self.base.height < self.fixed.height - self._spare:
            self._raise_base()
        self.best = self._heaviest()

    def _heaviest(self) -> Entry:
        return max(self.leaves.values(), key=_work)  # of equals the first

    def _fix(self, following: Entry) -> None:
        for child in self.fixed.children:
            if child is not following:
                self._remove(child)
        self.fixed = following

    def _raise_base(self) -> None:
        if self.base.final:  # the genesis was never remembered
            self.forgotten.append(self.base.id)
        del self._entries[self.base.id]
        (self.base,) = self.base.children
        self.base.parent = None

    def _remove(self, entry: Entry) -> list[bytes]:
        """Take a block with all its descendants away; return their ids."""
        removed, left = [], [entry]
        while left:
            gone = left.pop()
            left.extend(gone.children)
            gone.children = ()
            removed.append(gone.id)
            del self._entries[gone.id]
            self.leaves.pop(gone.id, None)
        self._cut(entry)
        self.forgotten += removed
        return removed

    def _cut(self, entry: Entry) -> None:
        parent = entry.parent
        assert parent is not None, "the base is never removed"
        parent.children = tuple(child for child in parent.children if child is not entry)
        if not parent.children:
            self.leaves[parent.id] = parent

    def _condemn(self, block_id: bytes) -> None:
        self._invalid[block_id] = None
        if len(self._invalid) > MAX_INVALID:
            del self._invalid[next(iter(self._invalid))]

    # --- helping others ---

    def blocks_after(self, known: Iterable[bytes], target: bytes) -> tuple[FinalBlock, ...] | None:
        """Return the next blocks towards `target`, or else the head, after the first of `known` on that way.

        None: there is none, and whoever asks knows only older blocks, or others.
        """
        chain = list(ancestors(self._entries.get(target) or self.head))
        place = {entry.id: at for at, entry in enumerate(chain)}
        at = next((place[block_id] for block_id in known if block_id in place), None)
        if at is None:
            return None
        return _first_few(entry.final for entry in reversed(chain[:at]) if entry.final)


def _first_few(blocks: Iterable[FinalBlock]) -> tuple[FinalBlock, ...]:
    """Take as many blocks as one answer holds."""
    taken: list[FinalBlock] = []
    size = 0
    for final in blocks:
        size += sum(map(len, final.block.txs))
        if taken and (size > MAX_ANSWER_BYTES or len(taken) == MAX_ANSWER_BLOCKS):
            break
        taken.append(final)
    return tuple(taken)


def _entry(final: FinalBlock, parent: Entry | None) -> Entry:
    header = final.block.header
    entry = Entry(header.id, parent, header.height, header.time_ms, _difficulty(final))
    entry.final = final
    if final.block.txs:
        entry.full = entry.height
    return entry


def _difficulty(final: FinalBlock) -> int:
    assert isinstance(final.certificate, WorkCertificate), "checked before"
    return final.certificate.difficulty


def _is_body(block: Block, most_bytes: int) -> bool:
    """Tell whether these are the transactions that the header stands for."""
    header, txs = block.header, block.txs
    return len(txs) == header.tx_count and sum(map(len, txs)) <= most_bytes and root(txs) == header.tx_root


def _work(entry: Entry) -> int:
    return entry.work
