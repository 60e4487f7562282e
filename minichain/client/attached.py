"""A network that `minichain up` runs, reached from another process. Leaving it does not stop it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from minichain.client.client import Channel
from minichain.codec import from_json
from minichain.crypto import Passphrase, Secret
from minichain.errors import NetworkError, UsageError
from minichain.faults.timeline import Step, Timeline
from minichain.ledger.genesis import ChainSpec, Genesis
from minichain.ledger.local import node_key
from minichain.live.channel import LiveChannel
from minichain.live.control import control
from minichain.live.home import Home, Running


class AttachedWorld:
    """Somebody else's network."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._running = home.require()
        self._seen = 0
        if self._running.chains:
            raise UsageError(
                f"the network in {home.path} has several chains: `ShardedNetwork.attach` reaches all of them, and "
                f"`Network.attach` one, by its own home such as {home.part(self._running.chains[0]).path}"
            )
        try:
            self.genesis = Genesis(from_json((home.chain / "genesis.json").read_bytes(), ChainSpec))
        except OSError as error:
            raise NetworkError(f"the network runs, but its chain cannot be read: {error}") from None

    @classmethod
    def find(cls, home: Path | None, passphrase: Passphrase | None = None) -> AttachedWorld:
        """Find the running network; raises `NetworkError` if there is none."""
        return cls(Home(home, passphrase))

    @cached_property
    def root(self) -> Secret:
        """Return the secret of the network's wallets; raises `NetworkError` if it is encrypted, and stays so."""
        return self._home.root()

    def start(self) -> Channel:
        if self._home.passphrase is None and self._home.is_encrypted:
            return LiveChannel(self.places, None)
        return LiveChannel(self.places, node_key(self.root, self.genesis.committee.members[0].name))

    def _now(self) -> Running:
        """Return where everything is now; a restarted validator may listen elsewhere."""
        try:
            written = self._home.record.stat().st_mtime_ns
        except OSError:
            written = 0
        if written != self._seen:
            self._running = self._home.require()
            self._seen = written
        return self._running

    @property
    def machines(self) -> Mapping[str, bytes]:
        return {node.name: bytes.fromhex(node.public) for node in self._now().nodes}

    def places(self) -> dict[str, tuple[bytes, str]]:
        """Return (public key, address for clients) of each running validator."""
        return {node.name: (bytes.fromhex(node.public), node.address) for node in self._now().nodes if node.pid}

    def _control(self, **command: Any) -> None:
        running = self._home.require()
        control(running.control, bytes.fromhex(running.control_public), self._home.operator(), command)

    def fault(self, step: Step) -> None:
        self._control(fault=step.words)

    def join(self, name: str) -> None:
        self._control(join=name)

    def leave(self, name: str) -> None:
        self._control(leave=name)

    def begin(self, timeline: Timeline) -> None:
        """End every fault, then let the network have the weather and the seed of a timeline that fits it."""
        self._control(begin=str(timeline))

    def end(self) -> None:
        """End every fault, and the weather."""
        self._control(end=True)

    def stop(self) -> None:
        """Stop the network, for everybody."""
        self._control(stop=True)

    def pass_time(self, ms: int) -> None:
        time.sleep(ms / 1000)

    def is_running(self, name: str) -> bool:
        # A validator that ended by itself is written down a little later.
        nodes = [node for node in self._now().nodes if node.name == name and node.pid]
        return any(node.machine or node.memory for node in nodes)

    def memory(self, name: str) -> int | None:
        return next((node.memory for node in self._now().nodes if node.name == name), None)

    def close(self) -> None:
        pass
