"""What happened, event by event: always as one digest, and as lines for people if they want them.

The same seed gives the same digest in every process; that is how a run is known to be the same run.
"""

from __future__ import annotations

from hashlib import sha256

from minichain.consensus.bft import Proposal, Vote
from minichain.consensus.bft.messages import kind_name
from minichain.consensus.interface import Timer
from minichain.errors import DecodeError
from minichain.node.interface import Asked, Event, Received, Started, TimerFired
from minichain.node.messages import FinalBlocks, PeerMessage, Position, Transactions, read_peer_message


class Trace:
    """The record of one world. `names` tells who a member's key belongs to."""

    def __init__(self, names: dict[bytes, str], keep_lines: bool) -> None:
        self.names = names
        self._hash = sha256()
        self._keep_lines = keep_lines
        self.lines: list[str] = []
        self.events = 0

    def add(self, time_ms: int, name: str, event: Event) -> None:
        """Record an event just before its node handles it."""
        self.events += 1
        match event:
            case Received():
                content = event.peer + event.data
            case Asked(client, data):
                content = client + data
            case TimerFired(timer):
                content = str(timer).encode()
            case _:
                content = type(event).__name__.encode()
        self._hash.update(b"%d %s %d %s" % (time_ms, name.encode(), len(content), content))
        if self._keep_lines:
            self.lines.append(f"{time_ms:>7} ms  {name}  {self._describe(event)}")

    def note(self, time_ms: int, text: str) -> None:
        """Record something done to the world from outside, such as a crash."""
        self._hash.update(b"%d ! %s " % (time_ms, text.encode()))
        if self._keep_lines:
            self.lines.append(f"{time_ms:>7} ms  {text}")

    def digest(self) -> str:
        """Return the digest of everything so far, in hexadecimal."""
        return self._hash.hexdigest()

    def _describe(self, event: Event) -> str:
        match event:
            case Received(peer, data):
                return f"<- {self.names[peer]}  {_describe_bytes(data)}"
            case TimerFired(timer):
                return f"timer {timer}" if isinstance(timer, str) else f"timeout {_timeout(timer)}"
            case Asked():
                return "a client asks"
            case Started():
                return "starts"
        return type(event).__name__.lower()


def _describe_bytes(data: bytes) -> str:
    try:
        return describe(read_peer_message(data))
    except DecodeError:
        return f"{len(data)} bytes that are no message"


def describe(message: PeerMessage) -> str:
    """Say in a few words what a member's message says."""
    match message:
        case Proposal():
            header = message.block.header
            return f"proposal {message.height}/{message.round} {_short(header.id)} ({len(message.block.txs)} tx)"
        case Vote():
            return f"{kind_name(message.kind)} {message.height}/{message.round} {_short(message.block_id)}"
        case Transactions(txs):
            return f"transactions ({len(txs)})"
        case Position(height, round_):
            return f"position {height}/{round_}"
        case FinalBlocks(blocks):
            return f"final blocks ({len(blocks)})"
        case _:
            return type(message).__name__.lower()


def _timeout(timer: Timer) -> str:
    return f"{timer.kind.lower()} {timer.height}/{timer.round}"


def _short(block_id: bytes | None) -> str:
    return "nil" if block_id is None else block_id.hex()[:8]
