"""A simulated network: time passes only while somebody waits for an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minichain.client.client import Channel
from minichain.codec import decode, encode
from minichain.crypto import KeyPair
from minichain.faults.network import Weather
from minichain.faults.timeline import Step
from minichain.ledger.genesis import Genesis
from minichain.ledger.local import new_chain, node_key, root_of, with_profile
from minichain.node.messages import MAX_MESSAGE_BYTES, ClientAnswer, ClientRequest, Request, Response
from minichain.sim.agenda import Time
from minichain.sim.world import World

CLIENT = b"client"


class SimulatedWorld:
    """The sim world behind the common face. `world` is the simulation itself, for lessons that look inside."""

    def __init__(
        self,
        genesis: Genesis,
        keys: dict[str, KeyPair],
        root: bytes,
        seed: int,
        weather: Weather,
        keep_lines: bool,
        time: Time | None = None,
    ) -> None:
        self.genesis = genesis
        self.root = root
        self.world = World(genesis, keys, seed=seed, weather=weather, keep_lines=keep_lines, time=time)

    @classmethod
    def create(
        cls,
        validators: int,
        seed: int,
        weather: Weather | None,
        keep_lines: bool,
        settings: dict[str, Any],
        first: int = 0,
        time: Time | None = None,
    ) -> SimulatedWorld:
        """Make a new network; a lesson's clock is logical where it can be, unless it says otherwise.

        The validators are numbered from `first` on; networks with one `time` live beside each other.
        """
        root = root_of(seed)
        clock = "wall" if with_profile(settings).get("engine") == "pow" else "logical"
        genesis, keys = new_chain(validators, root, {"clock": clock, **settings}, first)
        return cls(genesis, keys, root, seed, weather or Weather(), keep_lines, time)

    def start(self) -> Channel:
        return SimulatedChannel(self.world, self.genesis.committee.members[0].public)

    @property
    def machines(self) -> Mapping[str, bytes]:
        return {name: self.world.key(name).public for name in self.world.names}

    def fault(self, step: Step) -> None:
        self.world.fault(step)

    def join(self, name: str) -> None:
        self.world.join(name, node_key(self.root, name))

    def leave(self, name: str) -> None:
        self.world.leave(name)

    def pass_time(self, ms: int) -> None:
        self.world.run_for(ms)

    def is_running(self, name: str) -> bool:
        return self.world.node(name) is not None

    def memory(self, name: str) -> int | None:
        return None

    def close(self) -> None:
        pass


class SimulatedChannel:
    """A client of a simulated world."""

    def __init__(self, world: World, reader: bytes = b"") -> None:
        self._world = world
        self._reader = reader
        self._number = 0

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name in self._world.names if self._world.node(name) is not None)

    def request(self, name: str, body: ClientRequest, timeout_ms: int) -> ClientAnswer | None:
        if self._world.node(name) is None:
            return None
        self._number += 1
        self._world.ask(name, CLIENT, encode(Request(self._number, body)), self._reader)
        found: list[ClientAnswer] = []

        def is_answered() -> bool:
            if not self._world.has_replies(CLIENT):
                return False
            responses = (decode(data, Response, MAX_MESSAGE_BYTES) for data in self._world.replies(CLIENT))
            found.extend(response.body for response in responses if response.number == self._number)
            return bool(found)

        self._world.run_until(is_answered, timeout_ms)
        return found[0] if found else None

    def pause(self, ms: int) -> None:
        self._world.run_for(ms)

    def now_ms(self) -> int:
        return self._world.now_ms

    def close(self) -> None:
        pass
