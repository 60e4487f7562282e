"""What miners say to each other. Nothing is signed: a block is believed for its work, everything else is a hint.

The forms are Bitcoin's (developer reference, "P2P Network": `block`, `getblocks` with its locator), made smaller.
"""

from __future__ import annotations

from typing import Final

from minichain.codec import Record
from minichain.crypto import DIGEST_SIZE
from minichain.ledger.certificate import FinalBlock

MAX_LOCATOR: Final = 64  # ids; with gaps that double, more than any chain has
MAX_ANSWER_BLOCKS: Final = 128
MAX_ANSWER_BYTES: Final = 2 * 1024 * 1024  # of transactions; one block may always be sent, and is no larger
MAX_WORK: Final = 2**63 - 1


class Sealed(Record, tag=20):
    """A block that somebody has mined, told on by everybody who had not seen it."""

    final: FinalBlock


class Tip(Record, tag=21):
    """My chain ends here, and so much work is in it."""

    block_id: bytes
    height: int
    work: int


class Ask(Record, tag=22):
    """Send what follows on the way to `target`; I have the blocks of the locator, newest first, with growing gaps."""

    locator: tuple[bytes, ...]
    target: bytes


class Blocks(Record, tag=23):
    """The next blocks on the way to what you asked for, in ascending height; more may follow."""

    blocks: tuple[FinalBlock, ...]


class Forgotten(Record, tag=24):
    """What follows your blocks is older than what I keep; my oldest has this height."""

    oldest: int


Message = Sealed | Tip | Ask | Blocks | Forgotten


def is_sound(message: Message) -> bool:
    """Tell whether a correct member could send these sizes and numbers. The blocks themselves are not looked at."""
    match message:
        case Sealed():
            return True
        case Tip(block_id, height, work):
            return len(block_id) == DIGEST_SIZE and height >= 0 and 0 <= work <= MAX_WORK
        case Ask(locator, target):
            ids = (target, *locator)
            return 1 <= len(locator) <= MAX_LOCATOR and all(len(block_id) == DIGEST_SIZE for block_id in ids)
        case Blocks(blocks):
            return len(blocks) <= MAX_ANSWER_BLOCKS
        case Forgotten(oldest):
            return oldest >= 0
        case _:
            return False
