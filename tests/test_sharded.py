"""A network with shards: everybody has a home, what goes to another one crosses, and nothing is lost while one is down.

Committees are drawn anew in epochs, and whoever moves takes the state of its new shard over by a snapshot.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import minichain as mc
from minichain.client.crossing import connect, cross, unsettled
from minichain.client.sharded import COORDINATOR, ShardedNetwork
from minichain.client.wallet import Wallet
from minichain.errors import ConfigError, TimedOut, UsageError
from minichain.ledger.state import COMMITTEE_KEY


@pytest.fixture
def net() -> Iterator[ShardedNetwork]:
    with mc.Network.simulated(shards=2, seed=5) as made:
        yield made


def neighbours(net: ShardedNetwork) -> tuple[Wallet, Wallet]:
    """Return two wallets with 1,000 units, on two shards."""
    wallets = [net.wallet(f"resident {number}", units=1_000) for number in range(8)]
    first = wallets[0]
    return first, next(wallet for wallet in wallets if net.home(wallet) is not net.home(first))


def test_everybody_has_a_home_and_units_cross_to_another_one(net: ShardedNetwork) -> None:
    one, other = neighbours(net)
    before = sum(net.supply().values())
    net.transfer(one, other, 300)
    assert (net.balance(one), net.balance(other)) == (700, 1_000), "it is on its way"
    assert net.carry() == 2
    assert (net.balance(one), net.balance(other)) == (700, 1_300)
    assert sum(net.supply().values()) == before


def test_at_home_nothing_has_to_cross() -> None:
    with mc.Network.simulated(shards=1, seed=5) as net:
        one, other = net.wallet("resident 1", units=10), net.wallet("resident 2")
        net.transfer(one, other, 4)
        assert net.carry() == 0
        assert net.balance(other) == 4


def test_while_a_shard_stands_still_nothing_is_lost_and_then_it_arrives(net: ShardedNetwork) -> None:
    one, other = neighbours(net)
    net.transfer(one, other, 1)
    net.carry()
    before, target = sum(net.supply().values()), net.home(other)
    for name in target.nodes[:2]:
        target.crash(name)
    net.transfer(one, other, 50)
    target.client.timeout_ms = 3_000
    with pytest.raises(TimedOut):
        net.carry()
    assert net.balance(one) == 949, "it has left, and is nowhere else"
    for name in target.nodes[:2]:
        target.restart(name)
    net.carry()
    assert net.balance(other) == 1_051
    assert sum(net.supply().values()) == before


def test_what_came_too_late_goes_home(net: ShardedNetwork) -> None:
    one, other = neighbours(net)
    net.transfer(one, other, 50, within_ms=1)
    for number in range(6):
        net.home(other).wallet(f"somebody {number}", units=1)
    net.carry()
    assert (net.balance(one), net.balance(other)) == (1_000, 1_000)


def test_one_clock_rules_all_chains(net: ShardedNetwork) -> None:
    worlds = [chain.world.world for chain in net.chains]  # type: ignore[attr-defined]
    net.wallet("resident", units=1)
    assert len({world.now_ms for world in worlds}) == 1
    assert len({world.time for world in worlds}) == 1


def test_an_epoch_moves_validators_who_take_the_state_over(net: ShardedNetwork) -> None:
    one, other = neighbours(net)
    net.epochs.begin()
    moved = [net.epochs.turn() for _ in range(3)]
    assert any(moved), "chance may put two back where they were, but not every time"
    assert all(len(came) == len(gone) == 1 for moves in moved for came, gone in moves.values())
    for shard in net.shards:
        assert {member.name for member in shard.members()} == set(shard.nodes)
        heights = {report.height for report in shard.status()}
        assert heights == {shard.height()}, "who came is where the others are"
        assert shard.proven(COMMITTEE_KEY).signers
    net.transfer(one, other, 10)
    net.carry()
    assert net.balance(other) == 1_010
    committees = net.coordinator.contract("shards").committees()
    assert [one["state"] for one in committees] == ["settled", "settled"]


def test_nobody_leaves_a_shard_before_what_lies_in_its_blocks_was_carried(net: ShardedNetwork) -> None:
    here, there = net.shards
    connect(here, there, mints=True)  # by somebody else, who tells nobody here
    connect(there, here, mints=True)
    net.epochs.begin()
    cross(here, there, here.wallet("bank"), there.wallet("shop"), 7)
    net.epochs.turn()
    assert there.account(there.wallet("shop")).balance == 7
    assert dict(unsettled(here)) == {"coordinator": 0, "shard-1": 0}


def test_an_epoch_that_nobody_attends_ends_all_the_same(net: ShardedNetwork) -> None:
    net.epochs.begin()
    for number in range(40):
        net.coordinator.wallet(f"somebody {number}", units=1)
    assert net.coordinator.contract("shards").phase()["phase"] == "turn"
    net.epochs.turn()
    assert net.coordinator.contract("shards").epoch() == 3


def test_an_account_that_moves_takes_its_units_along(net: ShardedNetwork) -> None:
    who = net.wallet("resident", units=40)
    elsewhere = 1 - net.placement.shard_of(who.account)
    net.move(who, elsewhere)
    assert net.home(who) is net.shards[elsewhere]
    assert net.balance(who) == 0, "they are on their way"
    net.carry()
    assert net.balance(who) == 40
    net.move(who, elsewhere)
    assert net.carry() == 0
    with pytest.raises(ConfigError, match="is placed on shard 2: the shards are 0 to 1"):
        net.move(who, 2)
    assert net.home(who) is net.shards[elsewhere]


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(UsageError, match="1 to 64 shards, not 65"):
        mc.Network.simulated(shards=65)
    with mc.Network.simulated(shards=2, seed=5) as net:
        with pytest.raises(UsageError, match="there is no chain 'shard-2'; there are coordinator, shard-0, shard-1"):
            net.chain("shard-2")
        with pytest.raises(UsageError, match=r"call epochs\.begin"):
            net.epochs.turn()
        with pytest.raises(UsageError, match="node-4 is here already"):
            net.shards[0].join("node-4")
        with pytest.raises(UsageError, match="there is no validator 'node-9'"):
            net.shards[0].leave("node-9")
        assert net.chain(COORDINATOR) is net.coordinator


def test_sixty_four_shards_are_a_network_too() -> None:
    with mc.Network.simulated(shards=64, validators=1, seed=5) as net:
        one, other = neighbours(net)
        net.transfer(one, other, 5)
        net.carry()
        assert net.balance(other) == 1_005
        assert len({chain.genesis.hash for chain in net.chains}) == 65
