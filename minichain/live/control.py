"""How a running network is told what is to happen to it: one encrypted door that opens to the operator's key only.

A command is a dict with one key: fault (what happens, as in a timeline), begin (a timeline whose weather and seed the
network gets; its lines are only looked at), end (True: every fault), stop (True: the network).
"""

from __future__ import annotations

import json
from typing import Any, Final

import zmq

from minichain.crypto import KeyPair
from minichain.errors import NetworkError, TimedOut, UsageError
from minichain.live.transport import curve_name, guarded_context, knock, open_door

DOMAIN: Final = "operator"
TIMEOUT_MS: Final = 30_000


class ControlDoor:
    """The network's end."""

    def __init__(self, key: KeyPair, operator: bytes, host: str) -> None:
        self._context, self._guard, _ = guarded_context({curve_name(operator): operator}, DOMAIN)
        self._door, port = open_door(self._context, key, DOMAIN, host, 0)
        self.address = f"tcp://{host}:{port}"

    def wait(self, timeout_ms: int) -> tuple[bytes, dict[str, Any]] | None:
        """Wait for a command; returns (whom to answer, command)."""
        if not self._door.poll(timeout_ms):
            return None
        client, *frames = self._door.recv_multipart()
        try:
            command = json.loads(b"".join(frames))
        except (ValueError, RecursionError):
            return None
        return (client, command) if isinstance(command, dict) else None

    def answer(self, client: bytes, error: str) -> None:
        """Say that it was done, or why not."""
        self._door.send_multipart((client, json.dumps({"error": error}).encode()))

    def watch(self, poller: zmq.Poller) -> None:
        """Let a poller wait for the next command, with those for other doors."""
        poller.register(self._door, zmq.POLLIN)

    def close(self) -> None:
        """Leave nothing open."""
        self._door.close(200)
        self._guard.stop()
        self._context.term()


def control(address: str, server: bytes, operator: KeyPair, command: dict[str, Any]) -> None:
    """Give a command and wait until it is done; raises `UsageError` with the reason if it is refused."""
    context: Any = zmq.Context()
    line = knock(context, operator, server, address)
    try:
        line.send(json.dumps(command).encode())
        if not line.poll(TIMEOUT_MS):
            raise TimedOut(f"waited {TIMEOUT_MS // 1000} s for the network to {next(iter(command))}")
        error = json.loads(line.recv())["error"]
    except zmq.ZMQError as failure:
        raise NetworkError(f"the network cannot be reached: {failure}") from failure
    finally:
        line.close()
        context.term()
    if error:
        raise UsageError(error)
