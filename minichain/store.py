"""One SQLite file per node, and the only place that imports `sqlite3`.

A turn is one transaction: everything a node writes while it handles its events is kept together or not at all, and
its effects are performed only after the commit. Every turn commits with `synchronous=FULL`: whatever a node signed
or called final is on the disk before anybody hears of it. A turn that writes nothing costs nothing.

A chain file has one owner: two processes with one key would contradict each other. The lock is a transaction left
open in an empty database beside the file, so it ends with its process, however that ends, on every system; anybody
may read the file itself at any time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from minichain.codec import decode, encode
from minichain.errors import ConfigError, DecodeError, NetworkError
from minichain.ledger.certificate import FinalBlock, Handover, Snapshot
from minichain.ledger.state import Writes
from minichain.ledger.types import transaction_id

T = TypeVar("T")

SQLITE_VERSION: Final = sqlite3.sqlite_version
SCHEMA_VERSION: Final = 2
MAX_PAGES: Final = 2**30 - 1  # of a file, as every version of SQLite allows
BUSY_SECONDS: Final = 5  # how long a turn waits for somebody who changes the file with another tool
_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE blocks (height INTEGER PRIMARY KEY, final BLOB NOT NULL, receipts BLOB, undo BLOB);
CREATE TABLE transactions (id BLOB PRIMARY KEY, height INTEGER NOT NULL, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE state (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE handovers (height INTEGER PRIMARY KEY, handover BLOB NOT NULL);
CREATE TABLE memory (name BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE evidence (id INTEGER PRIMARY KEY, found BLOB NOT NULL UNIQUE);
"""


class Store(Protocol):
    """What a node keeps. Both worlds have one; a node cannot tell which it was handed."""

    def turn(self) -> AbstractContextManager[None]:
        """Keep everything written inside together, or, after an exception, nothing of it."""

    def add_block(
        self,
        final: FinalBlock,
        receipts: tuple[bytes, ...],
        tx_ids: Iterable[bytes],
        writes: Writes,
        undo: Writes | None = None,
    ) -> None:
        """Keep a block with what it did; `undo` are the writes that take it back, where that may become necessary."""

    def hand_over(self, handover: Handover) -> None:
        """Note that other members certify from the next block on."""

    def handovers(self, below: int) -> tuple[Handover, ...]:
        """Return every change of committee after a block below a height."""

    def begin_at(self, snapshot: Snapshot) -> None:
        """Let an empty store begin with a snapshot, which was checked; the blocks before it will not be known here."""

    def began(self) -> int:
        """Return the height of the snapshot that this store began with: of its block, no receipts are known; else 0."""

    def undo_block(self) -> None:
        """Take the last block back, with everything it did."""

    def undo(self, height: int) -> Writes:
        """Return the writes that take a block back."""

    def height(self) -> int: ...
    def block(self, height: int) -> FinalBlock | None: ...
    def receipts(self, height: int) -> tuple[bytes, ...]: ...
    def find(self, tx_id: bytes) -> tuple[int, int] | None:
        """Return (height, position) of a final transaction."""

    def state_items(self) -> Iterable[tuple[bytes, bytes]]: ...
    def remember(self, name: bytes, data: bytes | None) -> None:
        """Keep something for the engine under a name; None forgets it."""

    def memory(self) -> dict[bytes, bytes]: ...
    def accuse(self, evidence: bytes) -> None: ...
    def evidence(self) -> tuple[bytes, ...]: ...
    def close(self) -> None: ...


class SqliteStore:
    """A `Store` in one file. `genesis` binds the file to its chain. `on_commit` is called just before a turn that
    wrote something is safe.
    """

    def __init__(
        self,
        path: Path,
        genesis: bytes,
        state_items: Iterable[tuple[bytes, bytes]],
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        self._path = path
        self._on_commit = on_commit
        with self._told("use"), ExitStack() as files:
            files.enter_context(closing(_locked(path.with_name(f"{path.name}.lock"))))
            self._db = files.enter_context(closing(_connect(path, BUSY_SECONDS)))
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._open(genesis, state_items)
            self._files = files.pop_all()

    def _open(self, genesis: bytes, state_items: Iterable[tuple[bytes, bytes]]) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._db.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version={SCHEMA_VERSION};COMMIT;")
        elif version != SCHEMA_VERSION:
            raise ConfigError(f"{self._path} was written by another version of minichain: use a new directory")
        row = self._db.execute("SELECT value FROM meta WHERE name='genesis'").fetchone()
        if row is None:
            self._db.execute("BEGIN")
            self._db.execute("INSERT INTO meta VALUES ('genesis', ?)", (genesis,))
            self._db.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", state_items)
            self._db.execute("COMMIT")
        elif row[0] != genesis:
            raise ConfigError(f"{self._path} belongs to another chain: use its own genesis, or a new directory")
        else:
            self._require_all_blocks(state_items)

    def _require_all_blocks(self, first_state: Iterable[tuple[bytes, bytes]]) -> None:
        first, last, count = next(self._rows("SELECT min(height), max(height), count(*) FROM blocks"))
        is_whole = first in (1, self.began()) and count == last - first + 1
        if not (is_whole if count else dict(self.state_items()) == dict(first_state)):
            raise self._damaged("blocks are missing")

    @contextmanager
    def turn(self) -> Iterator[None]:
        try:
            with self._told("write"):
                yield
                if self._db.in_transaction:
                    self._on_commit()
                    self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Tell the user about an error of SQLite: which file, what is wrong, what to do."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise NetworkError(f"cannot {what} the chain file {self._path}: {error}{_advice(error)}") from error

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        self._begin()
        self._db.execute(statement, values)

    def add_block(
        self,
        final: FinalBlock,
        receipts: tuple[bytes, ...],
        tx_ids: Iterable[bytes],
        writes: Writes,
        undo: Writes | None = None,
    ) -> None:
        height = final.block.header.height
        assert height == self.height() + 1, f"block {height} after block {self.height()}"
        kept = (height, encode(final), encode(receipts), None if undo is None else encode(tuple(undo.items())))
        self._write("INSERT INTO blocks VALUES (?, ?, ?, ?)", kept)
        self._db.executemany(
            "INSERT INTO transactions VALUES (?, ?, ?)", ((tx_id, height, i) for i, tx_id in enumerate(tx_ids))
        )
        self._write_state(writes)

    def hand_over(self, handover: Handover) -> None:
        self._write("INSERT INTO handovers VALUES (?, ?)", (handover.header.height, encode(handover)))

    def handovers(self, below: int) -> tuple[Handover, ...]:
        rows = self._rows("SELECT handover FROM handovers WHERE height<? ORDER BY height", (below,))
        return tuple(self._decode(row[0], Handover) for row in rows)

    def begin_at(self, snapshot: Snapshot) -> None:
        assert self.height() == 0, "a snapshot is for an empty store"
        self._write("INSERT INTO blocks VALUES (?, ?, NULL, NULL)", (snapshot.height, encode(snapshot.final)))
        self._db.execute("DELETE FROM state")
        self._db.executemany("INSERT INTO state VALUES (?, ?)", snapshot.items)
        for handover in snapshot.handovers:
            self.hand_over(handover)

    def began(self) -> int:
        return int(next(self._rows("SELECT coalesce(max(height), 0) FROM blocks WHERE receipts IS NULL"))[0])

    def undo_block(self) -> None:
        height = self.height()
        last = self.block(height)
        assert last is not None, "there is no block to take back"
        self._begin()
        self._write_state(self.undo(height))
        self._db.executemany("DELETE FROM transactions WHERE id=?", ((transaction_id(raw),) for raw in last.block.txs))
        self._db.execute("DELETE FROM handovers WHERE height=?", (height,))
        self._db.execute("DELETE FROM blocks WHERE height=?", (height,))

    def undo(self, height: int) -> Writes:
        row = next(self._rows("SELECT undo FROM blocks WHERE height=?", (height,)), (None,))
        assert row[0] is not None, f"block {height} was kept for ever"
        return dict(self._decode(row[0], tuple[tuple[bytes, bytes | None], ...]))

    def _write_state(self, writes: Writes) -> None:
        removed = [(key,) for key, value in writes.items() if value is None]
        kept = [(key, value) for key, value in writes.items() if value is not None]
        self._db.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", kept)
        self._db.executemany("DELETE FROM state WHERE key=?", removed)

    def height(self) -> int:
        return int(next(self._rows("SELECT coalesce(max(height), 0) FROM blocks"))[0])

    def block(self, height: int) -> FinalBlock | None:
        row = next(self._rows("SELECT final FROM blocks WHERE height=?", (height,)), None)
        if row is None and max(1, self.began()) <= height <= self.height():
            raise self._damaged(f"block {height} is missing")
        final = self._decode(row[0], FinalBlock) if row else None
        if final and final.block.header.height != height:
            raise self._damaged(f"block {final.block.header.height} is in the place of block {height}")
        return final

    def receipts(self, height: int) -> tuple[bytes, ...]:
        row = next(self._rows("SELECT receipts FROM blocks WHERE height=?", (height,)), None)
        return self._decode(row[0], tuple[bytes, ...]) if row and row[0] is not None else ()

    def find(self, tx_id: bytes) -> tuple[int, int] | None:
        row = next(self._rows("SELECT height, position FROM transactions WHERE id=?", (tx_id,)), None)
        return (row[0], row[1]) if row else None

    def state_items(self) -> Iterable[tuple[bytes, bytes]]:
        return self._rows("SELECT key, value FROM state")

    def remember(self, name: bytes, data: bytes | None) -> None:
        if data is None:
            self._write("DELETE FROM memory WHERE name=?", (name,))
        else:
            self._write("INSERT OR REPLACE INTO memory VALUES (?, ?)", (name, data))

    def memory(self) -> dict[bytes, bytes]:
        return dict(self._rows("SELECT name, data FROM memory ORDER BY name"))

    def forget(self) -> None:
        """Lose what the engine must not forget, and nothing else."""
        with self.turn():
            self._write("DELETE FROM memory", ())

    def limit(self, *, is_full: bool) -> None:
        """Let the file grow no further: SQLite then fails as it does on a full disk."""
        pages = self._db.execute("PRAGMA page_count").fetchone()[0] if is_full else MAX_PAGES
        self._db.execute(f"PRAGMA max_page_count={pages}")

    def accuse(self, evidence: bytes) -> None:
        self._write("INSERT OR IGNORE INTO evidence (found) VALUES (?)", (evidence,))

    def evidence(self) -> tuple[bytes, ...]:
        return tuple(row[0] for row in self._rows("SELECT found FROM evidence ORDER BY id"))

    def close(self) -> None:
        self._files.close()

    def _rows(self, statement: str, values: tuple[object, ...] = ()) -> Iterator[tuple[Any, ...]]:
        with self._told("read"):
            yield from self._db.execute(statement, values)

    def _decode(self, data: bytes, type_: type[T]) -> T:
        try:
            return decode(data, type_)
        except DecodeError as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, what: str) -> NetworkError:
        return NetworkError(f"the chain file {self._path} is damaged: {what}{_RESTORE}")


def back_up(path: Path, copy: Path) -> None:
    """Copy a chain file as it is after its last turn, also while its node writes it; an older copy is replaced.

    Raises `NetworkError` where it cannot be read, or the copy not be written.
    """
    draft = copy.with_name(f"{copy.name}.new")
    draft.unlink(missing_ok=True)
    try:
        with closing(_reader(path)) as source, closing(_connect(draft, BUSY_SECONDS)) as target:
            source.backup(target)
    except sqlite3.DatabaseError as error:
        raise NetworkError(f"cannot copy the chain file {path} to {copy}: {error}{_advice(error)}") from error
    draft.replace(copy)


def kept_height(path: Path) -> int:
    """Return the height of the last block in a chain file, also while its node writes it; 0 where it has none."""
    try:
        with closing(_reader(path)) as source:
            return int(source.execute("SELECT coalesce(max(height), 0) FROM blocks").fetchone()[0])
    except sqlite3.DatabaseError:  # the file is gone, or damaged: its own node says so
        return 0


def remove(path: Path) -> None:
    """Delete a chain file, with what SQLite keeps beside it."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)


def _locked(path: Path) -> sqlite3.Connection:
    lock = _connect(path, 0)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.DatabaseError as error:
        lock.close()
        if isinstance(error, sqlite3.OperationalError):
            raise
        raise NetworkError(f"the lock {path} is damaged: {error}. Delete it: nothing is kept in it") from error
    return lock


def _reader(path: Path) -> sqlite3.Connection:
    """Open a chain file only to read it: where there is none, none is made."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", timeout=BUSY_SECONDS, uri=True)


def _connect(path: Path, timeout: int) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)


_RESTORE: Final = (
    ": move it away; once the other members have decided a further block, start the node again, and it fetches the "
    "chain from them"
)


def _advice(error: sqlite3.DatabaseError) -> str:
    text = str(error)
    if "full" in text:
        return ": free some space, then restart the node; nothing that was final is lost"
    if "locked" in text:
        return ": another process has this chain open; run `minichain down` first"
    if "malformed" in text or "not a database" in text:
        return _RESTORE
    return ""
