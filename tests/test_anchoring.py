"""A side chain anchored in a main chain: deposits, withdrawals, and members who lie about what was."""

from __future__ import annotations

from collections.abc import Iterator

import builders
import pytest
from builders import key
from test_crossing import MESSAGE, Chain, carry, cross, delivery, follow, lie
from test_crossing import connect as connect_chains

import minichain as mc
from minichain.client.anchoring import Anchors, anchors, report
from minichain.client.crossing import connect
from minichain.client.crossing import cross as cross_networks
from minichain.client.relayer import Relayer
from minichain.codec import encode
from minichain.errors import CallFailed, UsageError
from minichain.ledger.certificate import Handover
from minichain.ledger.genesis import Work
from minichain.ledger.types import Call, Event


def side_chain() -> mc.Network:
    """Make the side chain; called twice, its members make two histories of one chain."""
    return mc.Network.simulated(4, seed=2, chain_id="side")


@pytest.fixture
def networks() -> Iterator[tuple[mc.Network, mc.Network]]:
    main, side = mc.Network.simulated(4, seed=1, chain_id="main"), side_chain()
    with main, side:
        connect(main, side)
        connect(side, main, mints=True)
        yield main, side


def deposit(main: mc.Network, side: mc.Network, amount: int = 300) -> None:
    assert cross_networks(main, side, main.wallet("bank"), side.wallet("shop"), amount).ok
    Relayer(main, side).carry()


def test_a_side_chain_that_keeps_to_its_history_agrees(networks: tuple[mc.Network, mc.Network]) -> None:
    main, side = networks
    assert str(anchors(main, side)) == f"not anchored since height 0: the side chain is at {side.height()}"
    deposit(main, side)
    assert cross_networks(side, main, side.wallet("shop"), main.wallet("shop"), 120).ok
    Relayer(main, side).carry()
    height = side.height()
    anchored = anchors(main, side)
    assert anchored == Anchors(anchored.height, 0, 0, 0, height)
    assert anchored.height == height - 1, "the last one takes the answer to the withdrawal: main has no use for it"
    assert main.contract("bridge").channel(chain="side")["abroad"] == 180
    side.deploy(builders.COUNTER, sender=side.wallet("office"))
    assert str(anchors(main, side)) == f"not anchored since height {anchored.height}: the side chain is at {height + 1}"


def test_members_who_write_history_anew_are_found_out_and_believed_no_more(
    networks: tuple[mc.Network, mc.Network],
) -> None:
    """The same members sign another history, in which the shop never got what was deposited."""
    main, side = networks
    deposit(main, side)
    before = anchors(main, side)
    assert (before.height, before.rewritten) == (side.height(), 0)
    with side_chain() as rewritten:
        assert "anchored, and the side chain shows 0 blocks only" in str(anchors(main, rewritten))
        connect(rewritten, main, mints=True)
        for _ in range(3):
            rewritten.send(rewritten.wallet("bank"), [Call("ledger", "transfer", {"to": key("x").did, "amount": 1})])
        found = anchors(main, rewritten)
        assert str(found) == (
            f"rewritten at height {found.rewritten}: the side chain shows another block than the one anchored"
        )
        told = report(main, rewritten, found.rewritten, main.wallet("anybody"))
        assert told.result == "forked"
        assert [event.name for event in told.events] == ["Forked"]
    assert anchors(main, side).forked == found.rewritten
    assert str(anchors(main, side)).startswith(f"forked at height {found.rewritten}")
    withdrawn = cross_networks(side, main, side.wallet("shop"), main.wallet("shop"), 100)
    with pytest.raises(CallFailed, match="it is not believed any more"):
        Relayer(main, side).carry()
    with pytest.raises(CallFailed, match="it is not believed any more"):
        deposit(main, side)
    assert (withdrawn.result, side.account(side.wallet("shop")).balance) == (1, 200), "there, the units are gone"
    assert main.contract("bridge").channel(chain="side")["abroad"] == 300, "what was deposited stays recorded"


def test_of_a_chain_that_is_not_connected_nothing_is_anchored(networks: tuple[mc.Network, mc.Network]) -> None:
    main, _ = networks
    with mc.Network.simulated(1, seed=3, chain_id="side") as other, pytest.raises(UsageError, match="does not follow"):
        anchors(main, other)
    work = mc.Network.simulated(1, seed=3, chain_id="mined", engine="pow")
    with work, pytest.raises(UsageError, match="a relayer brings the branch"):
        report(main, work, 1, main.wallet("anybody"))


def test_a_side_chain_of_work_is_anchored_by_what_lies_deep_enough() -> None:
    main = mc.Network.simulated(4, seed=1, chain_id="main", clock="wall")
    side = mc.Network.simulated(
        3, seed=2, chain_id="mined", engine="pow", work=Work(difficulty=4, confirmations=3, block_ms=500)
    )
    with main, side:
        connect(main, side)
        connect(side, main, mints=True)
        side.pass_time(10_000)
        Relayer(main, side).carry()
        found = anchors(main, side)
        assert (found.height, found.rewritten, found.missing) == (found.shown - 2, 0, 0)
        assert found.height > 3


# --- what members of a side chain can take ---------------------------------------------------------------------------


def sent(main: Chain, amount: int, number: int) -> Event:
    """Say that units were sent, which nobody had."""
    message = {**MESSAGE, "to": key("thief").did, "amount": amount}
    return Event("bridge", "Sent", {"chain": "main", "to": main.genesis.hash, "number": number, "message": message})


@pytest.fixture
def chains() -> tuple[Chain, Chain]:
    main, side = Chain("main", clock="logical"), Chain("side", clock="logical")
    connect_chains(main, side)
    connect_chains(side, main, mints=True)
    assert main.do("bank", cross("side", 300)).ok
    assert carry(side, main).ok
    return main, side


def test_members_who_make_units_of_nothing_take_what_was_deposited_and_no_more(chains: tuple[Chain, Chain]) -> None:
    """This is what whoever deposits must know: the main chain guards itself, not the depositor."""
    main, side = chains
    lie(side, sent(main, 301, 1), sent(main, 200, 2), sent(main, 100, 3), sent(main, 1, 4))
    assert follow(main, side).ok
    answers = [e.data for e in main.do("carrier", delivery(side)).events if e.name == "Received"]
    assert [answer["outcome"] for answer in answers] == ["refused", "done", "done", "refused"]
    assert {answer["reason"] for answer in answers} == {"", "more units than have gone there cannot come back"}
    assert (main.balance("thief"), main.ask("bridge", "channel", chain="side")["abroad"]) == (300, 0)
    assert main.whole() + main.balance("thief") == 2_000, "nobody else has lost anything"
    assert side.balance("shop") == 300, "the depositor's units are nothing but a number now"


def test_after_a_fork_the_members_of_the_main_chain_can_vouch_for_one_branch(chains: tuple[Chain, Chain]) -> None:
    main, side = chains
    twin, _, _ = side.build([])
    assert side.do("shop", cross("main", 120, to="bank")).ok
    withdrawal = len(side.blocks)
    assert follow(main, side).ok
    fraud = builders.finalise(side.genesis, twin)
    step = encode(Handover(fraud.block.header, fraud.certificate, ()))
    told = main.do("carrier", Call("ledger", "follow", {"chain": "side", "block": step}))
    assert [(event.name, event.data["height"]) for event in told.events] == [("Forked", withdrawal)]
    assert "is not believed any more" in main.do("carrier", delivery(side)).error
    assert "is not believed any more" in main.do("bank", cross("side", 1)).error
    assert main.ask("bridge", "channel", chain="side")["abroad"] == 300
    assert main.whole() == 2_000
    connect_chains(main, side)
    assert main.do("carrier", delivery(side)).ok, "the branch that was seen first"
    assert (main.balance("bank"), main.ask("bridge", "channel", chain="side")["abroad"]) == (820, 180)
