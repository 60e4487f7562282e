"""A public network in which nobody knows everybody: what is meant for all reaches all, and costs each node little."""

from __future__ import annotations

from random import Random

import pytest

from minichain.bench.core import _grow
from minichain.ledger.genesis import Work
from minichain.ledger.local import BANK, new_chain, root_of, validator_key, wallet_key
from minichain.sim.agenda import Agenda
from minichain.sim.engines import EngineWorld
from minichain.sim.gossip import GossipWorld, neighbours

ROOT = root_of(3)


def public(nodes: int = 40, miners: int = 8, block_ms: int = 600) -> GossipWorld:
    work = Work(difficulty=64, block_ms=block_ms)
    genesis, keys = new_chain(miners, ROOT, {"engine": "pow", "clock": "wall", "work": work})
    keys |= {f"node-{number}": validator_key(ROOT, number) for number in range(miners, nodes)}
    return GossipWorld(genesis, keys, seed=3)


def grow(world: GossipWorld, blocks: int) -> None:
    _grow(world, blocks, wallet_key(ROOT, BANK))


def test_links_are_two_way_and_make_one_network():
    linked = neighbours(tuple(map(str, range(200))), Random(1))
    assert all(one in linked[other] for one, others in linked.items() for other in others)
    assert all(one not in others for one, others in linked.items())
    reached, left = {"0"}, ["0"]
    while left:
        fresh = set(linked[left.pop()]) - reached
        reached |= fresh
        left += fresh
    assert len(reached) == 200


def test_every_node_follows_the_chain_and_only_members_mine():
    world = public()
    grow(world, 10)
    world.run_for(20_000)
    assert len({world.head(name) for name in world.names}) == 1
    assert {name for name, _ in world.sealed} <= {f"node-{number}" for number in range(8)}


def test_a_transaction_passes_from_node_to_node():
    world = public()
    assert len(world.neighbours["node-39"]) < 39
    _grow(world, 1, wallet_key(ROOT, BANK))
    assert all(world.store(name).receipts(1) or world.store(name).receipts(2) for name in world.names)


def test_a_node_hears_each_message_once():
    world = public()
    grow(world, 10)
    links = sum(map(len, world.neighbours.values()))
    assert world.dropped > world.delivered / 3  # most come a second time
    assert world.delivered < 10 * 8 * links


def test_the_same_seed_is_the_same_run():
    digests = []
    for _ in range(2):
        world = public(nodes=12, miners=4, block_ms=80)
        grow(world, 8)
        digests.append(world.trace.digest())
    assert digests[0] == digests[1]


def test_a_network_that_was_parted_finds_together_again():
    world = public(nodes=16, miners=6, block_ms=200)
    grow(world, 3)
    world.part([f"node-{n}" for n in range(0, 16, 2)], [f"node-{n}" for n in range(1, 16, 2)])
    world.run_for(600)
    world.heal()
    assert world.run_until(lambda: len({world.head(name) for name in world.names}) == 1, 60_000)


@pytest.mark.parametrize("times", [[5, 3, 5, 3, 9], [1], [2, 2, 2]])
def test_the_agenda_keeps_the_order_of_what_is_due_at_once(times: list[int]):
    agenda = Agenda[int]()
    for number, time_ms in enumerate(times):
        agenda.put(time_ms, number)
    taken = []
    while found := agenda.take(until_ms=8):
        taken.append(found)
    assert taken == sorted((time_ms, number) for number, time_ms in enumerate(times) if time_ms <= 8)


# --- engines alone -----------------------------------------------------------------------------------------------


def engines(seed: int, block_ms: int = 60) -> EngineWorld:
    work = Work(difficulty=64, block_ms=block_ms)
    genesis, keys = new_chain(8, ROOT, {"engine": "pow", "clock": "wall", "work": work})
    keys |= {f"node-{number}": validator_key(ROOT, number) for number in range(8, 60)}
    return EngineWorld(genesis, keys, seed=seed)


def test_engines_alone_fork_and_agree_below_the_last_blocks():
    world = engines(1)
    world.grow(40)
    peers = world.peers.values()
    assert {peer.engine.rejected for peer in peers} == {0}
    assert len({peer.chain[30].block.header.id for peer in peers}) == 1
    assert sum(peer.engine.summary()["reorganisations"] for peer in peers) > 0
    for peer in peers:
        ids = [world.genesis.hash, *(final.block.header.id for final in peer.chain)]
        assert [final.block.header.parent for final in peer.chain] == ids[:-1]
        assert {final.block.header.proposer for final in peer.chain} <= {m.public for m in world.genesis.spec.members}


def test_the_same_seed_makes_the_same_branches_and_another_one_others():
    heads = []
    for seed in (1, 1, 2):
        world = engines(seed)
        world.grow(12)
        heads.append([peer.chain[-1].block.header.id for peer in world.peers.values()])
    assert heads[0] == heads[1] != heads[2]


def test_blocks_take_as_long_as_the_chain_says():
    world = engines(3, block_ms=600)
    world.grow(60)
    took_ms = world.now_ms - world.genesis.spec.genesis_time_ms
    assert 400 < took_ms / 60 < 900
