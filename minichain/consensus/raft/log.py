"""The log of one member: what it has accepted, in order, after the last entry that it no longer keeps.

Index 1 is the first entry there ever was. Entries are added at the end and cut from the end; what is applied is
dropped from the front, because the chain itself is the snapshot (thesis, section 5.1). Whatever changes the log
returns what must be remembered of the change. An entry is not a block: a no-op makes none, so that an index is not
a height.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from minichain.codec import Record, decode_own, encode
from minichain.consensus.interface import Remember
from minichain.ledger.types import Block

ENTRY: Final = b"log"  # + the index in 8 bytes: names an entry
BASE: Final = b"base"
MAX_LOG = 1_024  # entries kept; so many leaders in a row would have to come and go without committing anything


class Entry(Record):
    """One entry: the term of the leader that made it, and a block or the no-op (None) that opens a term."""

    term: int
    block: Block | None


class Base(Record):
    """The last entry that is no longer kept, and the last block up to it (figure 5.3: lastIncludedIndex and Term)."""

    index: int
    term: int
    height: int
    block_id: bytes


class Log:
    """Entries after a base."""

    def __init__(self, base: Base, entries: Iterable[Entry] = ()) -> None:
        self.base = base
        self.entries = list(entries)

    @classmethod
    def restore(cls, memory: Mapping[bytes, bytes], genesis: bytes) -> Log:
        """Return the log as it was remembered; that of a new member is empty."""
        base = decode_own(memory[BASE], Base) if BASE in memory else Base(0, 0, 0, genesis)
        log = cls(base)
        while (name := _name(log.last_index + 1)) in memory:
            log.entries.append(decode_own(memory[name], Entry))
        return log

    @property
    def last_index(self) -> int:
        return self.base.index + len(self.entries)

    @property
    def last_term(self) -> int:
        return self.entries[-1].term if self.entries else self.base.term

    def term_at(self, index: int) -> int | None:
        """Return the term of an entry; None if it is not kept."""
        if index == self.base.index:
            return self.base.term
        return self.entries[index - self.base.index - 1].term if self._keeps(index) else None

    def slice(self, first: int, count: int) -> tuple[Entry, ...]:
        """Return at most `count` entries from index `first` on, which lies after the base."""
        start = first - self.base.index - 1
        return tuple(self.entries[start : start + count])

    def blocks(self, through: int) -> list[tuple[int, Block]]:
        """Return (index, block) of the kept blocks up to an index."""
        kept = enumerate(self.slice(self.base.index + 1, through - self.base.index), self.base.index + 1)
        return [(index, entry.block) for index, entry in kept if entry.block]

    def last_block(self, through: int) -> tuple[int, bytes]:
        """Return (height, id) of the last block up to an index."""
        for _, block in reversed(self.blocks(through)):
            return block.header.height, block.header.id
        return self.base.height, self.base.block_id

    def first_of_term(self, index: int) -> int:
        """Return the first kept index whose term is that of `index`."""
        term = self.term_at(index)
        while self.term_at(index - 1) == term and index - 1 > self.base.index:
            index -= 1
        return index

    # --- changes ---

    def append(self, entry: Entry) -> Remember:
        self.entries.append(entry)
        return Remember(_name(self.last_index), encode(entry))

    def cut(self, first: int) -> list[Remember]:
        """Forget the entries from index `first` on, which lies after the base."""
        forgotten = [Remember(_name(index), None) for index in range(first, self.last_index + 1)]
        del self.entries[first - self.base.index - 1 :]
        return forgotten

    def compact(self, through: int) -> list[Remember]:
        """Drop the entries up to an index: the chain has their blocks."""
        term = self.term_at(through)
        assert term is not None, "what is dropped was kept"
        base = Base(through, term, *self.last_block(through))
        rest = self.slice(through + 1, len(self.entries))
        forgotten = [Remember(_name(index), None) for index in range(self.base.index + 1, through + 1)]
        self.base, self.entries = base, list(rest)
        return [Remember(BASE, encode(base)), *forgotten]

    def reset(self, base: Base) -> list[Remember]:
        """Begin anew after what another member no longer keeps."""
        forgotten = self.cut(self.base.index + 1)
        self.base = base
        return [Remember(BASE, encode(base)), *forgotten]

    def _keeps(self, index: int) -> bool:
        return self.base.index < index <= self.last_index


def _name(index: int) -> bytes:
    return ENTRY + index.to_bytes(8)
