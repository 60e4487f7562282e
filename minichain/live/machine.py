"""The validators of one network on one machine of a cluster: an actor in the worker there.

Their keys are drawn here and never leave. Whoever started the network renews a lease; where that one is gone, however
it went, the lease runs out and the validators stop. They end with the worker, too.
"""

from __future__ import annotations

import threading
from typing import Final

from minichain.codec import from_json
from minichain.crypto import KeyPair
from minichain.ledger.genesis import ChainSpec, Genesis
from minichain.live import keyfile
from minichain.live.cluster import Cluster
from minichain.live.home import Home

LEASE_S: Final = 10.0
PLACE: Final = "machines"  # in the home directory of minichain on that machine: a directory for each network


class Machine:
    """What the one who started a network asks of this machine; `host` is where others reach it."""

    def __init__(self, network: str, host: str, lease_s: float = LEASE_S) -> None:
        self._directory = Home().path / PLACE / network
        self._host = host
        self._lease_s = lease_s
        self._cluster: Cluster | None = None
        self._renewed = threading.Event()
        self._stopping = threading.Lock()

    def draw(self, names: tuple[str, ...]) -> dict[str, bytes]:
        """Draw keys for validators, where there are none yet; returns the public ones by name."""
        return {name: self._key(name).public for name in names}

    def kept(self) -> dict[str, bytes]:
        """Return the validators of this network whose keys are here, and their public keys."""
        return self.draw(tuple(sorted(path.parent.name for path in self._directory.glob("node-*/key"))))

    def settle(self, settings: bytes, names: tuple[str, ...]) -> None:
        """Prepare these validators for a chain of these settings."""
        genesis = Genesis(from_json(settings, ChainSpec))
        self._cluster = Cluster(self._directory, genesis, {name: self._key(name) for name in names}, host=self._host)

    def start(self) -> dict[str, tuple[str, str]]:
        """Start them; returns where each listens: to members, and to clients. From now on the lease counts."""
        cluster = self._settled
        cluster.start()
        threading.Thread(target=self._hold, daemon=True).start()
        return {name: (cluster.peer_address(name), cluster.client_address(name)) for name in cluster.names}

    def meet(self, addresses: dict[str, str]) -> None:
        """Tell them where the members on other machines listen."""
        self._settled.meet(addresses)

    def renew(self) -> dict[str, int | None]:
        """Renew the lease; returns the process of each validator, None for one that has ended."""
        self._renewed.set()
        return self.pids

    @property
    def pids(self) -> dict[str, int | None]:
        return {name: self._settled.pid(name) for name in self._settled.names}

    def stop(self) -> None:
        """Stop them; returns when no process is left."""
        with self._stopping:
            if self._cluster:
                self._cluster.stop()

    @property
    def _settled(self) -> Cluster:
        assert self._cluster, "a machine is settled before it is started"
        return self._cluster

    def _key(self, name: str) -> KeyPair:
        return KeyPair(keyfile.secret(self._directory / name / "key", None))

    def _hold(self) -> None:
        """Stop when nobody has renewed the lease in time."""
        while self._renewed.wait(self._lease_s):
            self._renewed.clear()
        self.stop()
