"""Whoever carries between networks is not trusted, may stop at any moment, and need not be alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace
from test_crossing import DESK

import minichain as mc
from minichain.client import relayer, relaying
from minichain.client.crossing import connect, cross, unsettled
from minichain.client.relayer import Relayer
from minichain.client.wallet import Wallet
from minichain.crosschain import relay
from minichain.errors import CallFailed, NotKept, ProofError
from minichain.ledger.certificate import shortened
from minichain.ledger.committee import Committee
from minichain.ledger.genesis import Authority, Work
from minichain.ledger.local import validator_key
from minichain.ledger.types import Call


@pytest.fixture
def networks() -> Iterator[tuple[mc.Network, mc.Network]]:
    main = mc.Network.simulated(4, seed=1, chain_id="main")
    side = mc.Network.simulated(3, seed=2, chain_id="side", engine="raft")
    with main, side:
        connect(main, side)
        connect(side, main, mints=True)
        yield main, side


def test_units_cross_between_networks_that_agree_in_other_ways(networks: tuple[mc.Network, mc.Network]) -> None:
    main, side = networks
    bank, shop, relayer = main.wallet("bank"), side.wallet("shop"), Relayer(main, side)
    before = main.account(bank).balance
    assert cross(main, side, bank, shop, 300).result == 1
    assert list(unsettled(main)) == [("side", 1)]
    assert relayer.carry() == 2, "the message there, its answer back"
    assert side.account(shop).balance == 300
    assert list(unsettled(main)) == [("side", 0)]
    assert cross(side, main, shop, main.wallet("bank"), 100).ok
    assert relayer.carry() == 2
    assert (side.account(shop).balance, main.account(bank).balance) == (200, before - 200)
    assert relayer.carry() == 0, "nothing is due any more"


def test_a_relayer_that_stops_is_replaced_and_two_do_no_harm(networks: tuple[mc.Network, mc.Network]) -> None:
    main, side = networks
    bank, shop = main.wallet("bank"), side.wallet("shop")
    first, second = Relayer(main, side), Relayer(side, main, "another relayer")
    for amount in (1, 2, 3):
        cross(main, side, bank, shop, amount)
    assert first._ways[0].begin()() == 3, "it brings three messages, and is never seen again"
    assert second.carry() == 1, "the answers, in one receipt; the messages are there"
    assert Relayer(main, side).carry() == 0, "one that begins anew finds nothing to do"
    assert side.account(shop).balance == 6


def test_a_relayer_begins_where_blocks_are_kept(networks: tuple[mc.Network, mc.Network]) -> None:
    main, side = networks
    bank, shop = main.wallet("bank"), side.wallet("shop")
    cross(main, side, bank, shop, 1)
    Relayer(main, side).carry()
    main.join("node-4")
    main.wait_for_height(main.height())
    cross(main, side, bank, shop, 20)
    for name in main.nodes[:4]:
        main.crash(name)  # whoever is left has come with a snapshot
    with pytest.raises(NotKept, match="and has no block 1: ask another one"):
        main.block(1)
    assert Relayer(main, side)._ways[0].begin()() == 1
    assert side.account(shop).balance == 21


def test_a_relayer_brings_no_header_again_and_no_more_signatures_than_are_needed(
    networks: tuple[mc.Network, mc.Network],
) -> None:
    main, side = networks
    receipt = cross(main, side, main.wallet("bank"), side.wallet("shop"), 4)
    block = receipt.block
    whole, committee = block.final.certificate, Committee(block.members)
    short = shortened(whole, committee)
    assert len(short.signers) == 3 <= len(whole.signers)
    short.verify(block.final.block.header, committee)
    with pytest.raises(ProofError, match="are not more than two thirds"):
        replace(short, signatures=short.signatures[1:]).verify(block.final.block.header, committee)
    side.send(side.wallet("relayer"), [relay.follow("main", block.final.block.header, short)], gas_limit=relayer.GAS)
    assert Relayer(main, side).carry() == 2, "the message and its answer"
    events = [event.name for one in side.block(side.height()).receipts for event in one.events]
    assert "Received" in events
    assert "Followed" not in events, "somebody had brought that header"


def test_a_validator_that_is_down_holds_up_neither_chain(networks: tuple[mc.Network, mc.Network]) -> None:
    main, side = networks
    main.crash("node-1")
    side.crash("node-0")
    cross(main, side, main.wallet("bank"), side.wallet("shop"), 5)
    relayer = Relayer(main, side)
    assert relayer.carry() == 2
    main.restart("node-1")
    side.restart("node-0")
    cross(main, side, main.wallet("bank"), side.wallet("shop"), 6)
    assert relayer.carry() == 2
    assert side.account(side.wallet("shop")).balance == 11


def test_a_relayer_that_begins_anew_leaves_alone_the_handovers_that_are_known() -> None:
    main = mc.Network.simulated(4, seed=1, chain_id="main")
    side = mc.Network.simulated(4, seed=2, chain_id="side", membership=Authority(voting_blocks=50, delay=2))
    with main, side:
        connect(main, side)
        connect(side, main, mints=True)
        leave(side)
        while len(side.members()) == 4:
            cross(side, main, side.wallet("bank"), main.wallet("shop"), 1)
        assert Relayer(main, side).carry() > 0, "the block that hands over is the last one there is"
        cross(side, main, side.wallet("bank"), main.wallet("shop"), 1)
        assert Relayer(main, side).carry() == 2, "it has seen nothing before, and brings what is due"


def test_what_lies_before_a_handover_that_somebody_else_has_brought_is_carried_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A relayer comes late: the committee that certified the message has handed over, and that is known there."""
    monkeypatch.setattr(relayer, "TRACED", 2)
    main = mc.Network.simulated(4, seed=1, chain_id="main")
    side = mc.Network.simulated(4, seed=2, chain_id="side", membership=Authority(voting_blocks=50, delay=2))
    with main, side:
        connect(main, side, mints=True)
        connect(side, main)
        bank, shop = side.wallet("bank"), main.wallet("shop")
        assert cross(side, main, bank, shop, 7).ok
        sent = side.height()
        leave(side)
        while len(side.members()) == 4:
            side.send(bank, [Call("ledger", "transfer", {"to": shop.did, "amount": 1})])
        handed = next(
            h
            for h in range(sent, side.height() + 1)
            if side.block(h).final.block.header.next_committee != side.genesis.committee.hash
        )
        final = side.block(handed).final
        step = relay.follow("side", final.block.header, final.certificate, side.members())
        assert main.send(main.wallet("somebody"), [step], gas_limit=relayer.GAS).ok
        assert handed - sent > 2, "more than one transaction brings"
        assert Relayer(main, side).carry() == 2
        assert main.account(shop).balance == 7
        assert list(unsettled(side)) == [("main", 0)]


def leave(network: mc.Network) -> None:
    """Let all agree that the last member leaves."""
    voters = [Wallet(name, validator_key(network.world.root, place)) for place, name in enumerate(network.nodes[:3])]
    members = network.contract("members")
    leaver = network.genesis.committee.members[3].did
    members.with_sender(voters[0]).propose_removal(did=leaver, reason="it has closed")
    for voter in voters:
        members.with_sender(voter).vote(proposal=1, yes=True)


def test_a_contract_hears_what_the_other_chain_made_of_its_request(networks: tuple[mc.Network, mc.Network]) -> None:
    main, side = networks
    here = main.deploy(DESK, sender=main.wallet("office"))
    side.deploy(DESK, sender=side.wallet("office"))
    here.ask(chain="side", text="is it open?")
    here.ask(chain="side", text="")
    assert Relayer(main, side).carry() == 3, "two messages, and both answers in one receipt"
    outcomes = [main.contract("bridge").outcome(chain="side", number=number)["outcome"] for number in (1, 2)]
    assert outcomes == ["done", "failed"]


def test_who_is_not_connected_is_told_how_to_be() -> None:
    one, two = (mc.Network.simulated(1, seed=seed, chain_id=f"chain-{seed}") for seed in (1, 2))
    with one, two, pytest.raises(CallFailed, match="not connected to that one: its members connect it"):
        cross(one, two, one.wallet("bank"), two.wallet("shop"), 1)


def test_units_come_home_from_a_chain_of_work_when_they_lie_deep_enough() -> None:
    main = mc.Network.simulated(4, seed=1, chain_id="main", clock="wall")
    mined = mc.Network.simulated(3, seed=2, chain_id="mined", engine="pow", work=Work(confirmations=3, block_ms=500))
    with main, mined:
        connect(main, mined)
        connect(mined, main, mints=True)
        relayer = Relayer(main, mined)
        cross(main, mined, main.wallet("bank"), mined.wallet("shop"), 50)
        carried_by(relayer, mined, lambda: mined.account(mined.wallet("shop")).balance == 50)
        cross(mined, main, mined.wallet("shop"), main.wallet("shop"), 20)
        carried_by(relayer, mined, lambda: main.account(main.wallet("shop")).balance == 20)
        carried_by(relayer, mined, lambda: list(unsettled(mined)) == [("main", 0)])


def carried_by(relayer: Relayer, mined: mc.Network, condition: Callable[[], bool]) -> None:
    """Let blocks be mined until what is due has been carried."""
    for _ in range(40):
        relayer.carry()
        if condition():
            return
        mined.world.pass_time(1_000)
    raise AssertionError("it never came")


@pytest.mark.parametrize("left", [0, 1], ids=["silent", "stands still"])
def test_one_shard_that_is_down_keeps_the_others_waiting_for_nothing(left: int) -> None:
    with mc.Network.simulated(shards=3, validators=2, seed=4) as net:
        one, two, three = net.shards
        for here, there in ((two, three), (one, three), (one, two)):  # whoever is well comes last
            net.relayer(here, there)
        for shard in (two, three):
            cross(one, shard, one.wallet("bank"), shard.wallet("shop"), 7)
        has = three.height()
        for name in two.nodes[left:]:
            two.crash(name)
        for network in net.chains:
            network.client.timeout_ms = relaying.PATIENCE_MS
        rounds = relaying.Rounds(net.chains)
        assert rounds.carry() == 2
        assert three.account(three.wallet("shop")).balance == 7
        assert three.height() > has
        assert ("shard-1",) in rounds.troubles if left == 0 else ("shard-0", "shard-1") in rounds.troubles
        for name in two.nodes[left:]:
            two.restart(name)
        for _ in range(3):
            rounds.carry()
        assert (rounds.troubles, two.account(two.wallet("shop")).balance) == ({}, 7)
        assert dict(unsettled(one)) == {"shard-1": 0, "shard-2": 0}
