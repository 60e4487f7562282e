"""What every engine is: a machine that takes an event and the time, and returns effects.

An engine decides one height after another. It never executes a block: it asks (`Build`, `Judge`) and is answered
(`Built`, `Judged`) by later events, so a slow execution cannot hold up its other rules.

What a validator has said is all that it must remember. Whoever performs `Tell` stores the engine's own message
first, in the same turn; after a crash `Begin` hands all of them back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from minichain.codec import Plain
from minichain.ledger.certificate import QuorumCertificate
from minichain.ledger.committee import Committee
from minichain.ledger.types import Block


class Timer(Plain):
    """Names one timeout of an engine."""

    kind: str
    height: int
    round: int


# --- events ------------------------------------------------------------------------------------------------------


class Begin(Plain):
    """Work on `height` starts. `proposer_of` gives each round's proposer.

    `said` holds this node's own messages for this height from before a crash, `held` the blocks it was told to hold.
    """

    height: int
    committee: Committee
    proposer_of: Callable[[int], bytes]
    said: tuple[Any, ...] = ()
    held: tuple[Block, ...] = ()


class Work(Plain):
    """There is something to decide; an idle chain makes no blocks."""


class Heard(Plain):
    """A member's message arrived; nothing about it has been checked."""

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
    """The answer to `Judge`."""

    block_id: bytes
    valid: bool


Event = Begin | Work | Heard | TimedOut | Built | Judged

# --- effects -----------------------------------------------------------------------------------------------------


class Tell(Plain):
    """Store this node's own signed message, then send it to every member."""

    message: Any


class Hold(Plain):
    """Store this block until its height is decided."""

    block: Block


class StartTimer(Plain):
    """Answer with `TimedOut(timer)` after `delay_ms`."""

    timer: Timer
    delay_ms: int


class Build(Plain):
    """Answer with a `Built` new block for this height and round."""

    height: int
    round: int


class Judge(Plain):
    """Answer with `Judged`: would this block be valid on top of the last final one?"""

    block: Block


class Decide(Plain):
    """This block is final."""

    block: Block
    certificate: QuorumCertificate


class Accuse(Plain):
    """Keep this proof that a member signed two contradicting messages."""

    evidence: Any


Effect = Tell | Hold | StartTimer | Build | Judge | Decide | Accuse


class Engine(Protocol):
    """The face all engines share."""

    height: int
    rejected: int  # messages so far that no correct member sends

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        """Take one event; return what must be done, in order."""

    def recall(self, round_: int) -> list[Any]:
        """Return the messages of this height that help a member who is in `round_` and has not decided."""

    def summary(self) -> dict[str, Any]:
        """Return what people may see: round, step, who was heard."""
