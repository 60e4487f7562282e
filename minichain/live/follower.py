"""How a node follows a chain whose members do not let it in yet: as a client of one of them.

It asks for final blocks and believes their certificates, not whoever sent them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

import zmq

from minichain.codec import decode, encode
from minichain.consensus.pow import Sealed, Tip
from minichain.crypto import KeyPair
from minichain.errors import DecodeError
from minichain.ledger.certificate import FinalBlock
from minichain.live.transport import knock
from minichain.node.interface import Received
from minichain.node.messages import (
    MAX_MESSAGE_BYTES,
    AskFinal,
    ClientRequest,
    Failure,
    FinalAnswer,
    FinalBlocks,
    Offer,
    Request,
    Response,
    Submit,
    Transactions,
    read_peer_message,
)

ASK_EVERY_S: Final = 0.3

log = logging.getLogger("minichain")


class Follower:
    """A line to one member's door for clients. It asks for the last `back` blocks again, where they may change.

    `own` returns the blocks of the own chain from a height on.
    """

    def __init__(
        self,
        context: Any,
        key: KeyPair,
        server: bytes,
        address: str,
        back: int,
        own: Callable[[int], tuple[FinalBlock, ...]],
    ) -> None:
        self._server = server
        self._back = back
        self._own = own
        self._height = 0
        self._first = 1  # height from which the member was asked
        self._theirs: frozenset[bytes] = frozenset()  # the blocks that it showed
        self._line = knock(context, key, server, address)
        self._next_s = 0.0
        self._number = 0
        self._told = ""

    def ask(self, height: int) -> None:
        """Ask for what follows a height, once in a while."""
        if time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + ASK_EVERY_S
            self._height = height
            self._first = max(1, height + 1 - self._back)
            self._send(AskFinal(self._first))

    def pass_on(self, data: bytes) -> None:
        """Hand in what the own node would tell the others: transactions, and blocks that it mined.

        Nobody can ask it for a block that was lost on the way, or came too late: what it lacks is offered again.
        """
        match read_peer_message(data):
            case Transactions(txs):
                self._send(Submit(txs))
            case Sealed(final):
                self._send(Offer((final,)))
            case Tip():
                lacking = tuple(final for final in self._own(self._first) if final.block.header.id not in self._theirs)
                if lacking:
                    self._send(Offer(lacking))

    def _send(self, body: ClientRequest) -> None:
        self._number += 1
        with suppress(zmq.Again):
            self._line.send(encode(Request(self._number, body)), zmq.NOBLOCK)

    def heard(self) -> Iterator[Received]:
        """Yield what came, as if the member had sent it on its own."""
        while True:
            try:
                data = self._line.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            with suppress(DecodeError):
                answer = decode(data, Response, MAX_MESSAGE_BYTES).body
                if isinstance(answer, Failure):
                    self._tell(answer)
                if isinstance(answer, FinalAnswer):
                    self._theirs = frozenset(final.block.header.id for final in answer.blocks)
                if isinstance(answer, FinalAnswer) and answer.blocks:
                    if answer.blocks[-1].block.header.height > self._height:
                        self._next_s = 0.0  # there may be more
                    yield Received(self._server, encode(FinalBlocks(answer.blocks)))

    def _tell(self, refusal: Failure) -> None:
        """Say once why the member gives no blocks; it is asked again all the same."""
        if refusal.message != self._told:
            self._told = refusal.message
            log.warning("the member that this node follows refuses: %s", refusal.message)

    def close(self) -> None:
        """Leave nothing open."""
        self._line.close()
