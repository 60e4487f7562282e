"""Several chains with a relayer that can be killed, live and simulated: what a story about crossing needs of a world.

Live, the relayer is a process of its own, as everything else is. In the simulation it does a transaction at a time, so
that it can be killed after any of them.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, cast

from minichain.client.network import Network
from minichain.client.relaying import Rounds
from minichain.client.simulated import SimulatedWorld
from minichain.errors import TimedOut
from minichain.faults.network import Weather
from minichain.ledger.genesis import ChainSpec, Genesis
from minichain.ledger.local import new_chain, root_of
from minichain.live import chains, keyfile, supervisor
from minichain.live.carrier import Carrier
from minichain.live.home import Home

PATIENCE_S: Final = 60.0
LOOK_S: Final = 0.02
CALM_LOOKS: Final = 5  # without anything new, until a killed relayer's last words have come through

Condition = Callable[[], bool]


class _Chains:
    """Networks that leave with their `with` block."""

    networks: list[Network]

    def __init__(self) -> None:
        self._held = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()


class LiveChains(_Chains):
    """Chains of processes, under this one, and a relayer process."""

    def __init__(self, specs: Sequence[ChainSpec], seed: int) -> None:
        super().__init__()
        with ExitStack() as held:
            place = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="minichain-")))
            home = Home(place)
            keyfile.write_private(home.path / "root", root_of(seed))
            settled = chains.settle(home, specs)
            held.enter_context(supervisor.within(home, settled))
            self.networks = [held.enter_context(Network.attach(part.path)) for part, _, _ in settled]
            self._carrier = Carrier(home.path / "relay.log", [part for part, _, _ in settled])
            held.callback(self._carrier.close)
            self._held = held.pop_all()

    def start_relayer(self) -> None:
        self._carrier.spawn()

    def kill_relayer(self) -> None:
        """Kill it, and wait until what it has handed in is final: nobody knows how far it came."""
        self._carrier.kill()
        calm, seen = 0, None
        deadline = time.monotonic() + PATIENCE_S
        while calm < CALM_LOOKS:
            now = [(report.height, report.status and report.status.waiting) for report in self._reports()]
            is_calm = now == seen and not any(waiting for _, waiting in now)
            calm, seen = calm + 1 if is_calm else 0, now
            _require_time(deadline, "the chains to be calm")

    def _reports(self) -> list[Any]:
        return [report for network in self.networks for report in network.status() if report.is_up]

    def carry_until(self, condition: Condition) -> None:
        """Wait, while the relayer carries."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            _require_time(deadline, "the relayer to carry")


def _require_time(deadline: float, what: str) -> None:
    if time.monotonic() > deadline:
        raise TimedOut(f"waited {PATIENCE_S:.0f} s for {what}")
    time.sleep(LOOK_S)


class _Reached(Exception):
    """What was waited for has come, in the middle of the relayer's work."""


class _Watched:
    """A network, as a relayer sees it that is looked at after each of its transactions."""

    def __init__(self, network: Network, look: Callable[[], None]) -> None:
        self._network, self._look = network, look

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)

    def send(self, *args: Any, **options: Any) -> Any:
        receipt = self._network.send(*args, **options)
        self._look()
        return receipt

    def begin_together(self, *args: Any, **options: Any) -> Callable[[], Any]:
        wait = self._network.begin_together(*args, **options)

        def finish() -> Any:
            receipts = wait()
            self._look()
            return receipts

        return finish


class SimulatedChains(_Chains):
    """Chains under one virtual time, and a relayer that carries while somebody waits."""

    def __init__(self, specs: Sequence[ChainSpec], seed: int) -> None:
        super().__init__()
        self.networks, shared = [], None
        root, first = root_of(seed), 0
        for spec in specs:
            keys = new_chain(len(spec.members), root, {}, first)[1]
            world = SimulatedWorld(Genesis(spec), keys, root, seed, Weather(), keep_lines=False, time=shared)
            shared, first = world.world.time, first + len(spec.members)
            self.networks.append(self._held.enter_context(Network(world)))
        self._rounds: Rounds | None = None
        self._condition: Condition = bool

    def start_relayer(self) -> None:
        self._rounds = Rounds([cast(Network, _Watched(network, self._look)) for network in self.networks])

    def kill_relayer(self) -> None:
        self._rounds = None

    def _look(self) -> None:
        if self._condition():
            raise _Reached

    def carry_until(self, condition: Condition) -> None:
        """Let the relayer carry, no further than this."""
        assert self._rounds is not None, "nobody carries"
        self._condition = condition
        try:
            while not condition():
                if not self._rounds.carry():
                    raise TimedOut("nothing is due any more, and what was waited for has not come")
        except _Reached:
            pass
