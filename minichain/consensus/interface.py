"""What every engine is: a machine that takes an event and the time, and returns effects.

An engine agrees with its peers on one chain of blocks. It never executes a block: it asks (`Build`, `Judge`) and is
answered (`Built`, `Judged`) by later events, so a slow execution cannot hold up its other rules. It knows neither
its world nor what the blocks are for.

Whatever an engine must not forget it hands out as `Remember`, before the `Tell` or `Send` that depends on it: both
happen in one turn, and what was remembered is safe before anything is sent. After a crash all of it comes back in
`Setup.memory`.

An engine either decides (`Decide`: this block is final, for ever) or prefers (`Adopt`: this is the best chain now,
and it may change). Both are answered by `Begin`, once the node's chain stands where the engine put it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Protocol

from minichain.codec import Plain
from minichain.crypto import KeyPair, SignatureCheck
from minichain.ledger.certificate import Certificate, FinalBlock
from minichain.ledger.committee import Committee
from minichain.ledger.genesis import ChainSpec
from minichain.ledger.types import Block


class Setup(Plain):
    """What an engine is made from. `random` is its own seeded source, `memory` what it remembered before a crash.

    Where blocks are mined, not everybody `mines`: most nodes of a public network check and pass on what others mined.
    """

    key: KeyPair
    genesis: bytes
    spec: ChainSpec
    is_valid: SignatureCheck
    random: Random
    memory: Mapping[bytes, bytes]
    mines: bool = True


class Timer(Plain):
    """Names one timeout of an engine."""

    kind: str
    height: int
    round: int


# --- events ------------------------------------------------------------------------------------------------------


class Begin(Plain):
    """The node's chain stands at `height - 1`, with the block `head` (the genesis hash at height 0): go on.

    `committee` certifies `height`; `proposer_of` gives each round's proposer, for engines that take turns.
    """

    height: int
    head: bytes
    committee: Committee
    proposer_of: Callable[[int], bytes]


class Work(Plain):
    """There is something to decide; an idle chain makes no blocks."""


class Heard(Plain):
    """A message arrived from `sender`, whose key the transport knows; nothing about the message has been checked."""

    sender: bytes
    message: Any


class TimedOut(Plain):
    """A timer that was started has run out."""

    timer: Timer


class Built(Plain):
    """The block asked for by `Build`."""

    height: int
    round: int
    block: Block


class Judged(Plain):
    """The answer to `Judge`; or, unasked, that a block of an `Adopt` is invalid and the chain stays as it was."""

    block_id: bytes
    valid: bool


class Mined(Plain):
    """The answer to `Mine`: a nonce that seals the block."""

    block_id: bytes
    nonce: int


class Tick(Plain):
    """Some time has passed: tell the others where you are, if they may need to know."""


Event = Begin | Work | Heard | TimedOut | Built | Judged | Mined | Tick

# --- effects -----------------------------------------------------------------------------------------------------


class Remember(Plain):
    """Store `data` under `name`, in this turn; None forgets it. It comes back in `Setup.memory`."""

    name: bytes
    data: bytes | None


class Tell(Plain):
    """Send a message to every member."""

    message: Any


class Send(Plain):
    """Send a message to one member."""

    to: bytes
    message: Any


class StartTimer(Plain):
    """Answer with `TimedOut(timer)` after `delay_ms`."""

    timer: Timer
    delay_ms: int


class Build(Plain):
    """Answer with a `Built` new block on top of the node's chain; an empty one only if it `may_be_empty`.

    `not_before_ms` is the earliest time that it may carry.
    """

    height: int
    round: int
    may_be_empty: bool
    not_before_ms: int = 0


class Judge(Plain):
    """Answer with `Judged`: would this block be valid on top of the node's chain?"""

    block: Block


class Mine(Plain):
    """Answer with `Mined` when a nonce is found that takes `difficulty` tries on average; an earlier search ends."""

    block_id: bytes
    difficulty: int


class StopMining(Plain):
    """End the search."""


class Decide(Plain):
    """This block is final."""

    block: Block
    certificate: Certificate


class Adopt(Plain):
    """The chain shall be what it is up to `height` - 1, and then these blocks. What stood there before is undone."""

    height: int
    blocks: tuple[FinalBlock, ...]


class Behind(Plain):
    """The member `source` has final blocks that this node lacks: get them."""

    source: bytes


class Accuse(Plain):
    """Keep this proof that a member signed two contradicting messages."""

    evidence: Any


Effect = (
    Remember | Tell | Send | StartTimer | Build | Judge | Mine | StopMining | Decide | Adopt | Behind | Accuse
)  # in order: what is remembered comes before what is said


class Engine(Protocol):
    """The face all engines share. Each is made from one `Setup`."""

    rejected: int  # messages so far that no correct member sends

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        """Take one event; return what must be done, in order."""

    def heard(self) -> bytes:
        """Return, in the engine's own form, what was heard in the present round; for another member's `recall`."""

    def recall(self, round_: int, heard: bytes) -> list[Any]:
        """Return the messages of this height that a member lacks who is in `round_` and has `heard` so much of it."""

    def summary(self) -> dict[str, Any]:
        """Return what people may see; always "height", "round" and "step", which is "idle" while nothing is due."""
