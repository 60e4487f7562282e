"""ZeroMQ with CURVE. Who may connect to the members' door is who is a member: their keys are the allow-list.

Every queue is bounded, and nothing here waits: what cannot be sent now is dropped and counted, for the node asks
again. Whoever sends more than a message may hold is disconnected by the library.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

import zmq
from zmq.auth.thread import ThreadAuthenticator
from zmq.utils import z85

from minichain.crypto import KeyPair, Secret, curve_public
from minichain.errors import NetworkError
from minichain.node.messages import MAX_MESSAGE_BYTES

MEMBERS: Final = "minichain"  # ZAP domains
CLIENTS: Final = "clients"
MAX_QUEUED: Final = 256  # messages to or from one member, or from all clients
HEARTBEAT_MS: Final = 2_000
RECONNECT_MS: Final = 50, 500
KNOCK_AGAIN_S: Final = 1.0  # after a refusal
MAX_FROM_MEMBERS: Final = 200  # messages taken in one turn
MAX_FROM_CLIENTS: Final = 4  # a few: between any two turns the members are heard, whatever clients ask
STOP: Final = b'{"stop": true}'  # the last command
SAY_MS: Final = 1_000


def curve_name(public: bytes) -> str:
    """Return the CURVE name of an Ed25519 identity, as ZeroMQ writes it."""
    return z85.encode(curve_public(public)).decode()


class _Anybody:
    """Lets everybody in. (pyzmq's own CURVE_ALLOW_ANY would open every domain.)"""

    def callback(self, domain: str, key: bytes) -> bool:
        return True


class _Members:
    """The allow-list, in the form pyzmq asks for. It asks in a thread of its own: `names` is replaced as a whole."""

    def __init__(self, names: dict[str, bytes]) -> None:
        self.names = names
        self.refused = 0

    def callback(self, domain: str, key: bytes) -> bool:
        allowed = key.decode() in self.names
        self.refused += not allowed
        return allowed


def guarded_context(members: dict[str, bytes], domain: str = MEMBERS) -> tuple[Any, Any, _Members]:
    """Make a context whose doors open to `members` (by CURVE name) in one domain, and to anybody for clients."""
    context = zmq.Context()
    guard = ThreadAuthenticator(context)
    guard.start()
    allowed = _Members(members)
    guard.configure_curve_callback(domain=domain, credentials_provider=allowed)
    guard.configure_curve_callback(domain=CLIENTS, credentials_provider=_Anybody())
    return context, guard, allowed


def open_door(context: Any, key: KeyPair, domain: str, host: str, port: int) -> tuple[Any, int]:
    """Bind a ROUTER that only lets in whom its domain allows; port 0 takes a free one. Returns (socket, port)."""
    door = context.socket(zmq.ROUTER)
    door.curve_publickey, door.curve_secretkey = map(z85.encode, key.curve_keys())
    door.curve_server = True
    door.zap_domain = domain.encode()
    door.linger = 0
    door.rcvhwm = door.sndhwm = MAX_QUEUED
    door.maxmsgsize = MAX_MESSAGE_BYTES + 64
    door.router_handover = True
    try:
        if port == 0:
            return door, int(door.bind_to_random_port(f"tcp://{host}"))
        door.bind(f"tcp://{host}:{port}")
    except zmq.ZMQError as error:
        door.close()
        raise NetworkError(
            f"cannot listen on {host}:{port}: {error}. Stop the program that uses this port, or choose another one"
        ) from error
    return door, port


def knock(context: Any, key: KeyPair, server: bytes, address: str) -> Any:
    """Connect a DEALER to the door of the Ed25519 identity `server`; raises `NetworkError` where there can be none."""
    own, other = [Secret(z85.encode(part)) for part in key.curve_keys()], z85.encode(curve_public(server))  # may raise
    line = context.socket(zmq.DEALER)
    line.curve_publickey, line.curve_secretkey = own
    line.curve_serverkey = other
    line.linger = 0
    line.sndhwm = line.rcvhwm = MAX_QUEUED
    line.maxmsgsize = MAX_MESSAGE_BYTES + 64
    line.sndtimeo = 0  # whoever was refused has no queue, and would wait for ever
    line.heartbeat_ivl = HEARTBEAT_MS
    line.reconnect_ivl, line.reconnect_ivl_max = RECONNECT_MS
    try:
        line.connect(address)
    except zmq.ZMQError as error:
        line.close()
        raise NetworkError(f"{address!r} is not where a node can be: {error.strerror}") from error
    return line


class _Line:
    """A connection to a member's door. Who is refused there is not let in by waiting: it must knock again."""

    def __init__(self, address: str, socket: Any) -> None:
        socket.immediate = True  # queue nothing for a member that is not there
        self.address = address
        self._socket = socket
        self._refusals = socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_FAILED_AUTH)
        self._knocked_s = time.monotonic()

    def send(self, data: bytes) -> bool:
        """Send now or not at all; tell whether it was possible."""
        try:
            self._socket.send(data, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    @property
    def is_refused(self) -> bool:
        """Tell whether it was refused, and may try again."""
        return bool(self._refusals.poll(0)) and time.monotonic() > self._knocked_s + KNOCK_AGAIN_S

    def close(self) -> None:
        """Leave nothing open."""
        self._socket.disable_monitor()
        self._refusals.close(0)
        self._socket.close()


class Transport:
    """One node's sockets. Peers are named by their Ed25519 keys."""

    def __init__(self, key: KeyPair, peers: tuple[bytes, ...], host: str, peer_port: int, client_port: int) -> None:
        self._key = key
        self.context, self._guard, self._allowed = guarded_context({curve_name(public): public for public in peers})
        self._door, self.peer_port = open_door(self.context, key, MEMBERS, host, peer_port)
        self._clients, self.client_port = open_door(self.context, key, CLIENTS, host, client_port)
        self._control = self.context.socket(zmq.PULL)
        self._control_name = f"inproc://control-{id(self)}"
        self._control.bind(self._control_name)
        self._lines: dict[bytes, _Line] = {}
        self.counts: Counter[str] = Counter()
        self._poller = zmq.Poller()
        for socket in (self._door, self._clients, self._control):
            self._poller.register(socket, zmq.POLLIN)

    def controller(self) -> Callable[[bytes], None]:
        """Return another end of `commands`, for one other thread; what is said after the end is lost."""
        socket = self.context.socket(zmq.PUSH)
        socket.linger = 0
        socket.connect(self._control_name)

        def say(command: bytes) -> None:
            with suppress(zmq.ZMQError):
                socket.send(command)
                if command == STOP:
                    socket.close(SAY_MS)

        return say

    def allow(self, peers: Iterable[bytes]) -> None:
        """Let exactly these members in from now on; whoever is no member any more is not heard."""
        self._allowed.names = {curve_name(public): public for public in peers if public != self._key.public}
        for gone in [public for public in self._lines if public not in self._allowed.names.values()]:
            self._lines.pop(gone).close()

    def set_peer(self, public: bytes, address: str, anew: bool = False) -> None:
        """Say where a member listens; a changed address replaces the old one. Nobody else is spoken to.

        `anew` connects again even to the same address.
        """
        if public not in self._allowed.names.values():
            return
        old = self._lines.get(public)
        if old is not None and old.address == address and not anew:
            return
        if old is not None:
            self._lines.pop(public).close()
        try:
            self._lines[public] = _Line(address, knock(self.context, self._key, public, address))
        except NetworkError:  # whoever says of itself that it listens nowhere is not spoken to
            self.counts["odd_addresses"] += 1

    def wait(self, timeout_ms: int, only_commands: bool = False) -> None:
        """Wait until something arrives, or a command at least, or the time is up."""
        (self._control if only_commands else self._poller).poll(max(0, timeout_ms))

    def from_members(self) -> Iterator[tuple[bytes, bytes]]:
        """Take what members sent: (who, as CURVE proved it; bytes)."""
        for frames in self._drain(self._door, MAX_FROM_MEMBERS):
            public = self._allowed.names.get(frames[-1].get("User-Id"))
            if len(frames) != 2 or public is None:
                self.counts["odd_frames"] += 1
            else:
                yield public, frames[-1].bytes

    def from_clients(self) -> Iterator[tuple[bytes, bytes, bytes]]:
        """Take what clients sent: (which connection, bytes, the Curve25519 key that it has proven)."""
        for frames in self._drain(self._clients, MAX_FROM_CLIENTS):
            if len(frames) == 2:
                yield frames[0].bytes, frames[1].bytes, z85.decode(frames[1].get("User-Id"))

    def commands(self) -> Iterator[bytes]:
        """Take what this process's owner said."""
        for frames in self._drain(self._control, MAX_FROM_MEMBERS):
            yield frames[0].bytes

    def _drain(self, socket: Any, most: int) -> Iterator[list[Any]]:
        for _ in range(most):
            try:
                yield socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return

    def send(self, peer: bytes, data: bytes) -> None:
        """Send to a member now or not at all."""
        line = self._lines.get(peer)
        if line is not None and not line.send(data):
            self.counts["dropped"] += 1
            if line.is_refused:
                self.set_peer(peer, line.address, anew=True)

    @property
    def peers(self) -> tuple[bytes, ...]:
        """Return the members whose address is known."""
        return tuple(self._lines)

    def reply(self, client: bytes, data: bytes) -> None:
        """Send to a client now or not at all."""
        try:
            self._clients.send_multipart((client, data), zmq.NOBLOCK)
        except zmq.ZMQError:
            self.counts["dropped_replies"] += 1

    @property
    def refused(self) -> int:
        """Return how many connections were refused, for want of membership."""
        return self._allowed.refused

    def close(self) -> None:
        """Leave nothing open."""
        for line in self._lines.values():
            line.close()
        for socket in (self._door, self._clients, self._control):
            socket.close()
        self._guard.stop()
        self.context.term()
