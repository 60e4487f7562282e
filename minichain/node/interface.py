"""What goes into a node and what comes out. Everything on the wire is bytes; nothing here does anything."""

from __future__ import annotations

from minichain.codec import Plain
from minichain.consensus.interface import Mine, Mined, StopMining, Timer
from minichain.node.execution import Answer, Task

NodeTimer = Timer | str  # an engine's timeout, or one of the node's own

# --- events ------------------------------------------------------------------------------------------------------


class Started(Plain):
    """The node was made, or made again after a crash; the first event it gets."""


class Received(Plain):
    """Bytes from a member, whose key the transport has authenticated."""

    peer: bytes
    data: bytes


class Asked(Plain):
    """Bytes from a client, whom `client` names to the transport; `reader` is the Curve25519 key that it has proven."""

    client: bytes
    data: bytes
    reader: bytes = b""


class TimerFired(Plain):
    """A timer that was set has run out."""

    timer: NodeTimer


class Executed(Plain):
    """The answer to `Execute`."""

    answer: Answer


Event = Started | Received | Asked | TimerFired | Executed | Mined

# --- effects -----------------------------------------------------------------------------------------------------


class Send(Plain):
    """Send bytes to one member."""

    peer: bytes
    data: bytes


class Broadcast(Plain):
    """Send bytes to every other member."""

    data: bytes


class Reply(Plain):
    """Send bytes to a client."""

    client: bytes
    data: bytes


class SetTimer(Plain):
    """Answer with `TimerFired(timer)` after `delay_ms`."""

    timer: NodeTimer
    delay_ms: int


class Admit(Plain):
    """Let exactly these members in from now on."""

    members: tuple[bytes, ...]


class Meet(Plain):
    """A member listens at this address."""

    member: bytes
    address: str


class Execute(Plain):
    """Answer with `Executed` once the executor has done the task."""

    task: Task


Effect = Send | Broadcast | Reply | SetTimer | Admit | Meet | Execute | Mine | StopMining
