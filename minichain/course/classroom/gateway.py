"""The network of a class as a learner has it: read and written by way of the desk, which passes on what it is given.

What is signed is signed here, with the learner's own key; the desk could hold a transaction back, and change none.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from minichain.client.network import Network
from minichain.client.wallet import Wallet
from minichain.codec import decode, encode
from minichain.course.classroom.letters import Ask
from minichain.course.classroom.member import Line
from minichain.crypto import Secret
from minichain.errors import ConfigError, MinichainError, NetworkError, UsageError
from minichain.faults.timeline import Step
from minichain.ledger.genesis import Genesis
from minichain.node.messages import MAX_MESSAGE_BYTES, AskChain, ChainAnswer, ClientAnswer, ClientRequest

PATIENCE_MS: Final = 3_000


def network(line: Line, genesis: str) -> Network:
    """Return the network of a class, whose chain has this hash, in hexadecimal."""
    net = Network(ClassWorld(line, genesis))
    net.start()
    return net


class DeskChannel:
    """Requests to nodes, by way of the desk, which passes them on."""

    names = ("desk",)

    def __init__(self, line: Line) -> None:
        self._line = line

    def request(self, name: str, body: ClientRequest, timeout_ms: int) -> ClientAnswer | None:
        try:
            found = self._line.send(Ask(encode(body), timeout_ms)).found
            return decode(found, ClientAnswer, MAX_MESSAGE_BYTES) if found else None  # type: ignore[arg-type]
        except (OSError, MinichainError):
            return None

    def pause(self, ms: int) -> None:
        time.sleep(ms / 1000)

    def now_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def close(self) -> None:
        pass


class ClassWorld:
    """The network of a class, as a learner has it: to read and to write, and nothing to break."""

    machines: ClassVar[Mapping[str, bytes]] = {}

    def __init__(self, line: Line, genesis: str) -> None:
        self._channel = DeskChannel(line)
        answer = self._channel.request("desk", AskChain(), PATIENCE_MS)
        if not isinstance(answer, ChainAnswer):
            raise NetworkError("the network of the class does not answer: ask your trainer whether it runs")
        self.genesis = Genesis(answer.spec)
        if self.genesis.hash.hex() != genesis:
            raise ConfigError("the class is on another chain now: join it again")

    @property
    def root(self) -> Secret:
        raise UsageError("a learner has one wallet, the own: `Member().wallet`")

    def start(self) -> DeskChannel:
        return self._channel

    def _not_mine(self, *what: Any) -> None:
        raise UsageError("the network belongs to the trainer, who can do that")

    def fault(self, step: Step) -> None:
        self._not_mine(step)

    join = leave = _not_mine

    def pass_time(self, ms: int) -> None:
        time.sleep(ms / 1000)

    def is_running(self, name: str) -> bool:
        return True

    def memory(self, name: str) -> int | None:
        return None

    def close(self) -> None:
        pass


def found(net: Network, wallet: Wallet, name: str) -> None:
    """Let an account be that of an institution, if it is not."""
    contract = net.identity.by(wallet)
    if contract.record(did=wallet.did)["kind"] == "person":
        contract.found(name=name, services=[])
