"""Epochs of a sharded network, as whoever runs all its validators turns them: chance is drawn, some members change
their shard, each with a snapshot of the new one, and the shards hand over.

On a network of several owners each validator does its part itself; the contract `shards` asks nobody to wait for all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from minichain.client.wallet import Wallet
from minichain.contracts import system
from minichain.crypto import KeyPair
from minichain.errors import UsageError
from minichain.ledger.local import BANK, node_key
from minichain.ledger.types import Call
from minichain.sharding.assignment import commitment

if TYPE_CHECKING:
    from minichain.client.network import Network
    from minichain.client.sharded import ShardedNetwork

CONTRACT: Final = "shards"
PHASE_BLOCKS: Final = 12  # what is carried meanwhile makes blocks too
GAS: Final = 60_000_000  # of a draw
MAX_REGISTERED: Final = 512

Moves = dict[str, tuple[list[str], list[str]]]  # by the id of a shard: who came, and who went


class Epochs:
    """What a sharded network does to have its committees drawn anew."""

    def __init__(self, network: ShardedNetwork) -> None:
        self._network = network
        self._coordinator = network.coordinator

    @property
    def _root(self) -> bytes:
        return self._coordinator.world.root

    def begin(self, turnover: int = 1) -> None:
        """Register all validators and shards, and connect the shards with the coordinating chain.

        Nobody can change the contract that draws, for as long as the chain lives.
        """
        shards = self._network.shards
        founders = [
            (shard.genesis.spec.chain_id, [member.did for member in shard.genesis.committee.members])
            for shard in shards
        ]
        names = [[member.name, member.did] for shard in shards for member in shard.genesis.committee.members]
        bank = self._coordinator.wallet(BANK)
        setup = {
            "size": len(founders[0][1]),
            "turnover": turnover,
            "commit_blocks": PHASE_BLOCKS,
            "reveal_blocks": PHASE_BLOCKS,
            "validators": names,
            "shards": founders,
            "authority": bank.did,
        }
        for shard in shards:
            self._network.relayer(self._coordinator, shard)
        self._coordinator.deploy(system.SHARDS, sender=bank, name=CONTRACT, setup=setup, authority="")
        begin = [Call(CONTRACT, "begin", {"chain": chain}) for chain, _ in founders]
        self._coordinator.send(bank, begin, gas_limit=GAS)

    def turn(self) -> Moves:
        """Turn to the next epoch; returns who has moved once they certify where they are now."""
        if CONTRACT not in {name for name, _, _ in self._coordinator.contracts()}:
            raise UsageError("no committee is drawn on this network yet: call epochs.begin() once")
        self._draw()
        return self.settle()

    def settle(self) -> Moves:
        """Let everybody be where the last draw says; what has been done of that is not done again.

        Nobody leaves before everything was carried that lies in blocks which whoever came with a snapshot has not.
        """
        moves = {chain: move for chain, move in self._moves() if move != ([], [])}
        for chain, (came, _) in moves.items():
            for name in came:
                self._network.chain(chain).join(name)
        self._network.meet()
        while self._do("tell"):
            self._network.carry()
        self._network.carry()
        for chain, (_, gone) in moves.items():
            shard = self._network.chain(chain)
            _make_block(shard)  # which the new committee certifies
            for name in gone:
                shard.leave(name)
        return moves

    def _draw(self) -> None:
        contract = self._coordinator.contract(CONTRACT)
        if contract.phase()["phase"] != "commit":  # nobody was there in this epoch
            self._wait_for("turn")
            self._do("turn")
        epoch, calls = contract.epoch(), []
        for one in self._registered():
            if not one["is_excluded"] and one["committed"] < epoch:
                digest = commitment(epoch, one["did"], self._secret(one, epoch))
                calls.append((self._wallet(one), [Call(CONTRACT, "commit", {"digest": digest})]))
        self._coordinator.send_together(calls)
        self._wait_for("reveal")
        self._coordinator.send_together(
            (self._wallet(one), [Call(CONTRACT, "reveal", {"secret": self._secret(one, epoch)})])
            for one in self._registered()
            if one["revealed"] < one["committed"] == epoch
        )
        self._wait_for("turn")
        self._do("turn")

    def _registered(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._coordinator.contract(CONTRACT).registered(limit=MAX_REGISTERED)
        return found

    def _wallet(self, one: dict[str, Any]) -> Wallet:
        return Wallet(one["name"], node_key(self._root, one["name"]))

    def _secret(self, one: dict[str, Any], epoch: int) -> bytes:
        return bytes(KeyPair.derive(self._root, f"secret {one['name']} {epoch}").seed)

    def _wait_for(self, phase: str) -> None:
        """Let blocks pass: phases are counted in them."""
        while self._coordinator.contract(CONTRACT).phase()["phase"] != phase:
            _make_block(self._coordinator)

    def _do(self, action: str, **args: Any) -> Any:
        sender = self._coordinator.wallet(BANK)
        return self._coordinator.send(sender, [Call(CONTRACT, action, args)], gas_limit=GAS).result

    def _moves(self) -> Iterable[tuple[str, tuple[list[str], list[str]]]]:
        for shard in self._network.shards:
            chain, here = shard.genesis.spec.chain_id, set(shard.nodes)
            drawn = {name for name, _, _ in self._committee(chain)}
            yield chain, (sorted(drawn - here), sorted(here - drawn))

    def _committee(self, chain: str) -> list[list[Any]]:
        committees = self._coordinator.contract(CONTRACT).committees(limit=len(self._network.shards))
        found: list[list[Any]] = next(one["members"] for one in committees if one["chain"] == chain)
        return found


def _make_block(network: Network) -> None:
    bank = network.wallet(BANK)
    network.send(bank, [Call("ledger", "transfer", {"to": bank.did, "amount": 1})])
