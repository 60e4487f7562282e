"""What a timeline of crossings shows, read from the chains themselves, at each step of the way."""

from __future__ import annotations

from collections.abc import Iterator

import builders
import pytest
from test_crossing import DESK

import minichain as mc
from minichain.client.crossing import alliance, connect, cross
from minichain.client.relayer import Relayer
from minichain.client.stages import STAGES, Crossings
from minichain.crosschain import relay
from minichain.ledger.genesis import Work
from minichain.ledger.types import Call, sign_transaction


@pytest.fixture
def networks() -> Iterator[tuple[mc.Network, mc.Network]]:
    main, side = mc.Network.simulated(4, seed=1, chain_id="main"), mc.Network.simulated(4, seed=2, chain_id="side")
    with main, side:
        connect(main, side)
        connect(side, main, mints=True)
        yield main, side


def bring_header(source: mc.Network, target: mc.Network) -> int:
    """Bring the newest header; returns the height of the block that takes it."""
    final = source.block(source.height()).final
    call = relay.follow(source.genesis.spec.chain_id, final.block.header, final.certificate)
    return target.send(target.wallet("relayer"), [call]).height


def bring_receipt(source: mc.Network, target: mc.Network) -> int:
    receipts = source.block(source.height()).receipts
    call = relay.deliver(source.genesis.spec.chain_id, receipts, 0, 1)
    return target.send(target.wallet("relayer"), [call]).height


def test_a_message_goes_through_all_stages(networks: tuple[mc.Network, mc.Network]) -> None:
    main, side = networks
    crossings, seen = Crossings(main, side), []

    def stage() -> str:
        (one,) = crossings.look()
        seen.append(one.stage)
        return one.stage

    assert crossings.look() == ()
    sent = cross(main, side, main.wallet("bank"), side.wallet("shop"), 300).height
    assert stage() == "final", "with these members, what is in a block is final"
    followed = bring_header(main, side)
    assert stage() == "followed"
    decided = bring_receipt(main, side)
    assert stage() == "decided"
    answered = bring_header(side, main)
    assert stage() == "answered"
    settled = bring_receipt(side, main)
    assert stage() == "settled"
    (one,) = crossings.look()
    assert (one.sent, one.followed, one.decided, one.answered, one.settled) == (
        sent,
        followed,
        decided,
        answered,
        settled,
    )
    assert (one.kind, one.amount, one.outcome, one.to) == ("units", 300, "done", side.wallet("shop").did)
    assert seen == list(STAGES[1:])
    assert Crossings(main, side).look() == crossings.look(), "who begins to read now sees the same"
    assert Crossings(side, main).look() == ()


def test_what_failed_and_what_was_refused_are_told_with_the_reason(networks: tuple[mc.Network, mc.Network]) -> None:
    main, side = networks
    here = main.deploy(DESK, sender=main.wallet("office"))
    side.deploy(DESK, sender=side.wallet("office"))
    here.ask(chain="side", text="")
    cross(side, main, side.wallet("bank"), main.wallet("shop"), 7)
    Relayer(main, side).carry()
    (failed,) = Crossings(main, side).look()
    assert (failed.kind, failed.action, failed.outcome, failed.stage) == ("call", "note", "failed", "settled")
    assert "nothing to write down" in failed.reason
    (refused,) = Crossings(side, main).look()
    assert (refused.outcome, refused.reason) == ("refused", "more units than have gone there cannot come back")


def test_messages_of_a_third_chain_are_kept_apart(networks: tuple[mc.Network, mc.Network]) -> None:
    """On each channel the numbers begin with 1."""
    main, side = networks
    with mc.Network.simulated(1, seed=3, chain_id="third") as third:
        alliance((side, third))
        connect(main, third)
        cross(third, side, third.wallet("bank"), side.wallet("shop"), 5)
        Relayer(third, side).carry()
        (arrived,) = Crossings(third, side).look()
        assert arrived.stage == "settled"
        cross(main, side, main.wallet("bank"), side.wallet("shop"), 300)
        (sent,) = Crossings(main, side).look()
        assert (sent.number, sent.amount, sent.stage, sent.outcome, sent.followed) == (1, 300, "final", "", 0)
        assert Crossings(main, third).look() == Crossings(side, third).look() == ()


def test_on_a_chain_of_work_a_message_is_sent_long_before_it_is_final() -> None:
    work = Work(difficulty=4, confirmations=3, block_ms=500)
    main = mc.Network.simulated(4, seed=1, chain_id="main", clock="wall")
    mined = mc.Network.simulated(3, seed=2, chain_id="mined", engine="pow", work=work)
    with main, mined:
        connect(main, mined, mints=True)
        connect(mined, main)
        bank, crossings, seen = mined.wallet("bank"), Crossings(mined, main), set[str]()
        where = {"chain": "main", "to": main.wallet("shop").did, "amount": 5, "within_ms": 600_000}
        signed = builders.sign(
            mined.genesis,
            "bank",
            Call("ledger", "cross", where),
            sender=bank.account,
            nonce=mined.account(bank).nonce,
            expires=mined.height() + 100,
        )
        assert mined.offer(sign_transaction(signed.body, bank.key).raw)[0] == "accepted"
        while "final" not in seen:
            mined.pass_time(100)
            seen |= {one.stage for one in crossings.look()}
        assert seen == {"sent", "final"}
