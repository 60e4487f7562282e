"""A client's lines to the validators' client doors. One request at a time; an answer that comes too late is dropped."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import zmq

from minichain.codec import decode, encode, prepare
from minichain.crypto import KeyPair
from minichain.errors import DecodeError
from minichain.live.transport import knock
from minichain.node.messages import MAX_MESSAGE_BYTES, ClientAnswer, ClientRequest, Request, Response

prepare(Response)  # there may be a channel in each of many threads


class LiveChannel:
    """Reach nodes by name. `find` returns (public key, address) of each node that runs now.

    `key` proves who reads, where a chain is not read by everybody; without one, nobody in particular asks.
    """

    def __init__(self, find: Callable[[], dict[str, tuple[bytes, str]]], key: KeyPair | None = None) -> None:
        self._find = find
        self._context = zmq.Context()
        self._key = key or KeyPair(os.urandom(32))
        self._lines: dict[str, tuple[str, Any]] = {}
        self._number = 0

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._find())

    def request(self, name: str, body: ClientRequest, timeout_ms: int) -> ClientAnswer | None:
        line = self._line(name)
        if line is None:
            return None
        self._number += 1
        deadline = time.monotonic() + timeout_ms / 1000
        try:
            line.send(encode(Request(self._number, body)))
        except zmq.Again:
            self._drop(name)
            return None
        while (left := deadline - time.monotonic()) > 0:
            if line.poll(int(left * 1000) + 1):
                answer = self._read(line.recv())
                if answer is not None:
                    return answer
        self._drop(name)  # what is still queued for a silent node must not reach it later
        return None

    def _read(self, data: bytes) -> ClientAnswer | None:
        try:
            response = decode(data, Response, MAX_MESSAGE_BYTES)
        except DecodeError:
            return None
        return response.body if response.number == self._number else None

    def _line(self, name: str) -> Any:
        place = self._find().get(name)
        if place is None:
            self._drop(name)
            return None
        public, address = place
        if name in self._lines and self._lines[name][0] != address:
            self._drop(name)
        if name not in self._lines:
            self._lines[name] = address, knock(self._context, self._key, public, address)
        return self._lines[name][1]

    def _drop(self, name: str) -> None:
        if name in self._lines:
            self._lines.pop(name)[1].close()

    def pause(self, ms: int) -> None:
        time.sleep(ms / 1000)

    def now_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def close(self) -> None:
        for name in list(self._lines):
            self._drop(name)
        self._context.term()
