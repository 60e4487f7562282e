"""Several chains that are one network: a coordinating chain, and shards that keep the accounts and contracts.

with Network.simulated(shards=4) as net:
    shop = net.wallet("shop")
    net.transfer(net.wallet("bank"), shop, 100)   # each lives on the shard that the placement says

A shard is a chain like any other, and what goes from one to another crosses as it does between any two chains: two
shards are connected when something first goes between them. One currency: units that leave a shard are made anew where
they arrive, and all shards together always hold as many as there were.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import combinations
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from minichain.client.crossing import WITHIN_MS, connect, cross
from minichain.client.epochs import Epochs
from minichain.client.local import LocalWorld
from minichain.client.receipt import Receipt
from minichain.client.relayer import Relayer
from minichain.client.simulated import SimulatedWorld
from minichain.client.wallet import Wallet
from minichain.crypto import Passphrase
from minichain.errors import UsageError
from minichain.faults.network import Weather
from minichain.ledger.local import COORDINATOR, MAX_SHARDS, chain_ids, shard_settings
from minichain.ledger.types import Call
from minichain.live.home import Home
from minichain.sharding.placement import Placement
from minichain.sim.agenda import Time

if TYPE_CHECKING:
    from minichain.client.network import Network


class ShardedNetwork:
    """A coordinating chain and its shards."""

    def __init__(self, coordinator: Network, shards: tuple[Network, ...], placement: Placement | None = None) -> None:
        self.coordinator = coordinator
        self.shards = shards
        self.placement = placement or Placement(len(shards))
        self.epochs = Epochs(self)
        self._relayers: dict[frozenset[str], Relayer] = {}

    @classmethod
    def simulated(
        cls,
        kind: type[Network],
        shards: int,
        validators: int,
        seed: int,
        weather: Weather | None,
        keep_lines: bool,
        settings: dict[str, Any],
    ) -> Self:
        """Make chains in this process that share one virtual time; each has so many validators."""
        time: Time | None = None
        made = []
        for place, chain_id in enumerate(chain_ids(shards)):
            told = shard_settings(chain_id, settings)
            first = place * validators
            world = SimulatedWorld.create(validators, seed, weather, keep_lines, told, first=first, time=time)
            time = world.world.time
            made.append(kind(world))
        return cls(made[0], tuple(made[1:]))

    @classmethod
    def local(
        cls,
        kind: type[Network],
        shards: int,
        validators: int,
        seed: int | None,
        directory: Path | None,
        settings: dict[str, Any],
    ) -> Self:
        """Make chains of processes on this computer; each has so many validators, and a directory below this one."""
        made = []
        for place, chain_id in enumerate(chain_ids(shards)):
            where = directory / chain_id if directory else None
            told = shard_settings(chain_id, settings)
            made.append(kind(LocalWorld.create(validators, seed, where, told, first=place * validators)))
        return cls(made[0], tuple(made[1:]))

    @classmethod
    def attach(cls, home: Path | str | None = None, passphrase: str | Passphrase | None = None) -> Self:
        """Reach the sharded network that `minichain up --shards` started; its own relayer carries between its chains.

        Raises `NetworkError` if there is none, `UsageError` if it has no shards.
        """
        from minichain.client.network import Network  # noqa: PLC0415 - it imports this module

        place = Home(None if home is None else Path(home))
        chains = place.require().chains
        if chains[:1] != (COORDINATOR,):
            raise UsageError(f"the network in {place.path} has no shards: reach it by `Network.attach`")
        made = [Network.attach(place.part(chain_id).path, passphrase) for chain_id in chains]
        return cls(made[0], tuple(made[1:]))

    # --- life ---

    @property
    def chains(self) -> tuple[Network, ...]:
        """Return all chains, the coordinating one first."""
        return self.coordinator, *self.shards

    def start(self) -> None:
        """Start all chains; those that have started are stopped where one cannot."""
        with ExitStack() as started:
            for chain in self.chains:  # an attached one has been
                started.enter_context(chain)
            started.pop_all()

    def close(self) -> None:
        """Stop what was started here, and leave nothing behind."""
        with ExitStack() as closing:
            for chain in self.chains:
                closing.callback(chain.close)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- who is where ---

    def chain(self, chain_id: str) -> Network:
        """Return a chain by its id."""
        found = next((chain for chain in self.chains if chain.genesis.spec.chain_id == chain_id), None)
        if found is None:
            known = ", ".join(chain.genesis.spec.chain_id for chain in self.chains)
            raise UsageError(f"there is no chain {chain_id!r}; there are {known}")
        return found

    def home(self, who: Wallet | str) -> Network:
        """Return the shard that keeps an account, or the contract of a name."""
        return self.shards[self.placement.shard_of(who if isinstance(who, str) else who.account)]

    def wallet(self, name: str, units: int = 0) -> Wallet:
        """Return the wallet of a name, ready for use on its shard, whose bank tops it up to `units`."""
        return self.home(self._known(name)).wallet(name, units)

    def _known(self, name: str) -> Wallet:
        return Wallet.derive(self.coordinator.world.root, name)

    def balance(self, who: Wallet) -> int:
        """Return the units of an account on its shard."""
        return self.home(who).account(who).balance

    # --- what crosses ---

    def relayer(self, one: Network, other: Network) -> Relayer:
        """Return who carries between two chains; they are connected now if they were not."""
        between = frozenset((one.genesis.spec.chain_id, other.genesis.spec.chain_id))
        if between not in self._relayers:
            for here, there in ((one, other), (other, one)):
                if there.genesis.spec.chain_id not in connected(here):
                    connect(here, there, mints=True)
            self._relayers[between] = Relayer(one, other)
        return self._relayers[between]

    def meet(self) -> None:
        """Get to know which chains somebody else has connected, to carry between them too."""
        for one, other in mutual(self.chains):
            self.relayer(one, other)

    def transfer(self, sender: Wallet, to: Wallet, amount: int, *, within_ms: int = WITHIN_MS) -> Receipt:
        """Send units to wherever the receiver's account is. Across shards they are there after a `carry`."""
        source, target = self.home(sender), self.home(to)
        if source is target:
            return source.send(sender, [Call("ledger", "transfer", {"to": to.did, "amount": amount})])
        self.relayer(source, target)
        return cross(source, target, sender, to, amount, within_ms=within_ms)

    def move(self, who: Wallet, shard: int) -> None:
        """Let a shard keep an account from now on; its units follow, and are there after a `carry`."""
        placement = Placement(len(self.shards), {**self.placement.explicit, who.did: shard})
        source, target = self.home(who), self.shards[shard]
        units = source.account(who).balance
        if units and target is not source:
            self.relayer(source, target)
            cross(source, target, who, who, units)
        self.placement = placement

    def carry(self) -> int:
        """Bring what is due between all chains known to be connected; returns how many receipts.

        What becomes due by that is brought too.
        """
        total = 0
        while brought := sum(relayer.carry() for relayer in self._relayers.values()):
            total += brought
        return total

    def supply(self) -> dict[str, int]:
        """Return the units on each chain, by its id."""
        return {chain.genesis.spec.chain_id: chain.supply() for chain in self.chains}


def mutual(networks: Sequence[Network]) -> Iterator[tuple[Network, Network]]:
    """Yield each two networks that follow each other."""
    follows = {network.genesis.spec.chain_id: set(connected(network)) for network in networks}
    for one, other in combinations(networks, 2):
        here, there = one.genesis.spec.chain_id, other.genesis.spec.chain_id
        if there in follows[here] and here in follows[there]:
            yield one, other


def connected(network: Network) -> Iterator[str]:
    """Yield the ids of the chains that one is connected to."""
    names = [name for name, _, _ in network.contracts()]
    if "bridge" in names:
        for channel in network.contract("bridge").connections(limit=MAX_SHARDS + 1):
            yield channel["chain"]
