"""A city of two districts, each a shard with four members, in the simulator; one of them can be put to sleep.

Everything is really done by the nodes: what is shown is read from their blocks and balances.
"""

from __future__ import annotations

from itertools import count
from typing import Final

from minichain.client.network import Network
from minichain.client.sharded import ShardedNetwork
from minichain.client.wallet import Wallet
from minichain.codec import Plain
from minichain.errors import TimedOut
from minichain.ledger.local import BANK, root_of
from minichain.scenarios.districts.tracing import Tracer, Way

DISTRICTS: Final = 2
RESERVE: Final = 10_000  # units of the bank in each district
PURSE: Final = 1_000  # units of a resident to begin with
SEED: Final = 7


class Sight(Plain):
    """The city at one moment: units in each district, and every transfer between them so far.

    `begun` is how many units all districts had before the first transfer.
    """

    begun: int
    supply: dict[str, int]
    heights: dict[str, int]
    ways: tuple[Way, ...]
    asleep: tuple[str, ...]

    @property
    def on_the_way(self) -> int:
        return sum(way.on_the_way for way in self.ways)

    @property
    def total(self) -> int:
        return sum(self.supply.values()) + self.on_the_way

    @property
    def is_whole(self) -> bool:
        return self.total == self.begun


class City:
    """The districts, a resident in each, and a carrier between them who goes when `carry` says so."""

    def __init__(self, seed: int = SEED) -> None:
        bank = Wallet.derive(root_of(seed), BANK)
        balances = ((bank.account, RESERVE),)
        self.net: ShardedNetwork = Network.simulated(shards=DISTRICTS, seed=seed, balances=balances, clock="wall")
        self.net.start()
        self.residents = tuple(_resident(self.net, district) for district in self.net.shards)
        self.net.relayer(*self.net.shards)
        self._tracer = Tracer(self.net)
        self._asleep: set[str] = set()

    def close(self) -> None:
        """End it."""
        self.net.close()

    def pay(self, amount: int, district: int = 0) -> Sight:
        """Let the resident of a district pay the one of the other district."""
        here, there = self.residents[district], self.residents[1 - district]
        self.net.transfer(here, there, amount)
        return self.look()

    def carry(self) -> Sight:
        """Let the carrier bring what is due; where a district sleeps it comes back without having delivered."""
        try:
            self.net.carry()
        except TimedOut:
            assert self._asleep, "the districts are awake, and yet a delivery was not final in time"
        return self.look()

    def pause(self, district: int = 1) -> Sight:
        """Freeze half of a district's members: the others are too few to make anything final."""
        return self._tell(district, "pause")

    def resume(self, district: int = 1) -> Sight:
        """Wake a district."""
        return self._tell(district, "resume")

    def _tell(self, district: int, verb: str) -> Sight:
        shard = self.net.shards[district]
        chain = shard.genesis.spec.chain_id
        if (verb == "pause") != (chain in self._asleep):
            for name in shard.nodes[len(shard.nodes) // 2 :]:
                shard.fault(f"{verb} {name}")
            self._asleep ^= {chain}
        return self.look()

    def look(self) -> Sight:
        """Read the city."""
        supply = {shard.genesis.spec.chain_id: shard.supply() for shard in self.net.shards}
        heights = {shard.genesis.spec.chain_id: shard.height() for shard in self.net.shards}
        return Sight(DISTRICTS * RESERVE, supply, heights, self._tracer.look(), tuple(sorted(self._asleep)))


def _resident(net: ShardedNetwork, district: Network) -> Wallet:
    """Find somebody whose account the placement puts into a district."""
    names = (f"resident {number}" for number in count(1))
    name = next(name for name in names if net.home(Wallet.derive(net.coordinator.world.root, name)) is district)
    return net.wallet(name, PURSE)
