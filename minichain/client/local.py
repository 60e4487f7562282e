"""A network of processes that this program starts, owns and stops."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minichain.client.client import Channel
from minichain.crypto import KeyPair, Secret
from minichain.errors import UsageError
from minichain.faults.timeline import Step, Timeline
from minichain.ledger.genesis import Genesis
from minichain.ledger.local import new_chain, node_key, root_of
from minichain.live.channel import LiveChannel
from minichain.live.cluster import Cluster
from minichain.live.director import Director
from minichain.live.home import memory_of


class LocalWorld:
    """The live world, owned by this process. A temporary directory is removed at the end."""

    def __init__(self, genesis: Genesis, keys: dict[str, KeyPair], root: bytes, directory: Path | None) -> None:
        self.genesis = genesis
        self.root = root
        self._temporary = None if directory else tempfile.TemporaryDirectory(prefix="minichain-")
        self.directory = directory or Path(self._temporary.name if self._temporary else "")
        self.cluster = Cluster(self.directory, genesis, keys)
        self._director = Director(self.cluster, genesis)

    @classmethod
    def create(
        cls, validators: int, seed: int | None, directory: Path | None, settings: dict[str, Any], first: int = 0
    ) -> LocalWorld:
        """Make a new network, not yet started; its validators are numbered from `first` on."""
        root = Secret(os.urandom(32)) if seed is None else root_of(seed)
        if settings.get("clock", "wall") == "wall":
            settings = {"genesis_time_ms": time.time_ns() // 1_000_000, **settings}
        genesis, keys = new_chain(validators, root, settings, first)
        return cls(genesis, keys, root, directory)

    def start(self) -> Channel:
        if not self.directory.exists():
            raise UsageError("this network was temporary and is gone: make a new one, or give it a directory")
        self.cluster.start()
        return LiveChannel(self.places, node_key(self.root, self.genesis.committee.members[0].name))

    @property
    def machines(self) -> Mapping[str, bytes]:
        return self.cluster.publics

    def places(self) -> dict[str, tuple[bytes, str]]:
        """Return (public key, address for clients) of each running validator."""
        return {
            name: (public, self.cluster.client_address(name))
            for name, public in self.cluster.publics.items()
            if self.cluster.is_running(name)
        }

    def fault(self, step: Step) -> None:
        self._director.fault(step)

    def join(self, name: str) -> None:
        self._director.join(name, node_key(self.root, name))

    def leave(self, name: str) -> None:
        self._director.leave(name)

    def begin(self, timeline: Timeline) -> None:
        """End every fault, then let the network have the weather and the seed of a timeline that fits it."""
        self._director.begin(timeline)

    def end(self) -> None:
        """End every fault, and the weather."""
        self._director.end()

    def pass_time(self, ms: int) -> None:
        time.sleep(ms / 1000)

    def is_running(self, name: str) -> bool:
        return self.cluster.is_running(name)

    def memory(self, name: str) -> int | None:
        return memory_of(self.cluster.pid(name))

    def close(self) -> None:
        self.cluster.stop()
        if self._temporary:
            self._temporary.cleanup()
