"""What a validator and the process that runs its contracts say to each other, and how it travels.

Two pipes, and on each frames: four bytes that say how long the next one is, then a record. Every job but `Load` is
answered by one record of its own; `Next` may come before it. What the other side has already is not sent again: of a
block that it tried, the header is enough.
"""

from __future__ import annotations

from contextlib import suppress
from typing import IO, Any, Final

import msgspec

from minichain.codec import Record, decode_own, encode
from minichain.ledger.certificate import FinalBlock
from minichain.ledger.genesis import ChainSpec
from minichain.ledger.types import Block, Header
from minichain.merkle import StateProof

MAX_LOADED: Final = 10_000  # values of the state in one frame
_SIZE: Final = 4  # bytes

Pairs = tuple[tuple[bytes, bytes | None], ...]
Named = tuple[tuple[bytes, bytes], ...]  # id and bytes of each transaction

# --- jobs ----------------------------------------------------------------------------------------------------------


class Load(Record, tag=1):
    """A part of the state to begin with."""

    items: tuple[tuple[bytes, bytes], ...]


class Begin(Record, tag=2):
    """That was the state, after this header. Not answered."""

    spec: ChainSpec
    head: Header | None


class Make(Record, tag=3):
    """Make a block of transactions, each with its id; answered by `Made`."""

    candidates: Named
    proposer: bytes
    now_ms: int


class Try(Record, tag=4):
    """Try a block, whose transactions have these ids; answered by `Tried`."""

    block: Block
    ids: tuple[bytes, ...]


class Change(Record, tag=5):
    """Take blocks back, then add others, each with the ids of its transactions; answered by `Changed`."""

    undo: tuple[Pairs, ...]
    base: Header | None
    blocks: tuple[tuple[FinalBlock, tuple[bytes, ...]], ...]


class Ask(Record, tag=6):
    """Ask a view; answered by `Answered`."""

    contract: str
    name: str
    args: dict[str, Any]
    version: int = 0


class Read(Record, tag=7):
    """Read a value; answered by `Found`."""

    key: bytes


class List(Record, tag=8):
    """List the contracts; answered by `Listed`."""


class Job(Record):
    """`doomed` transactions are executed as failed; `is_told` asks for `Next` before each transaction."""

    body: Load | Begin | Make | Try | Change | Ask | Read | List
    doomed: tuple[bytes, ...] = ()
    is_told: bool = False


# --- answers -------------------------------------------------------------------------------------------------------


class Next(Record, tag=1):
    """This transaction is executed next."""

    tx_id: bytes


class Made(Record, tag=2):
    """A block, and (id, code, reason) of each candidate that no block may hold now."""

    block: Block
    refused: tuple[tuple[bytes, str, str], ...]


class Tried(Record, tag=3):
    """Why the block is invalid; empty if it is not."""

    problem: str


class Changed(Record, tag=4):
    """(receipts, writes, what undoes them) of each block; or the first that cannot be, and why."""

    kept: tuple[tuple[tuple[bytes, ...], Pairs, Pairs], ...]
    invalid: bytes
    problem: str


class Answered(Record, tag=5):
    """What a view returned at a height, or why it failed."""

    value: Any
    problem: str
    height: int


class Found(Record, tag=6):
    """A value with its proof under the state root of a height."""

    value: bytes | None
    proof: StateProof
    height: int


class Listed(Record, tag=7):
    """(name, deployer, height) of each contract."""

    contracts: tuple[tuple[str, str, int], ...]


class Broken(Record, tag=8):
    """The last words of a process that cannot go on."""

    words: str


Result = Next | Made | Tried | Changed | Answered | Found | Listed | Broken

# --- frames --------------------------------------------------------------------------------------------------------


def write(pipe: IO[bytes], record: Record) -> None:
    """Send one record."""
    data = encode(record)
    pipe.write(len(data).to_bytes(_SIZE))
    pipe.write(data)
    pipe.flush()


def read(pipe: IO[bytes], type_: Any, most: int = 2 ** (8 * _SIZE)) -> Any:
    """Wait for one record of at most so many bytes; None where the other side is gone, or is not what it was."""
    size = int.from_bytes(pipe.read(_SIZE))
    if size > most:
        return None
    data = pipe.read(size)
    with suppress(msgspec.DecodeError, RecursionError):  # also of what was cut off
        return decode_own(data, type_)
    return None
