"""Whoever carries between chains may lie, repeat and mix up: each lie is refused with the check that it fails at."""

from __future__ import annotations

from typing import Any

import builders
import pytest
from builders import finalise, key
from msgspec.structs import replace
from test_crossing import LOUD, Chain, connect, cross, delivery, follow, lie

import minichain as mc
from minichain import merkle
from minichain.client.crossing import connect as connect_networks
from minichain.client.relayer import Relayer
from minichain.codec import MAX_VALUE_DEPTH, encode
from minichain.contracts.runtime import MAX_EVENTS
from minichain.contracts.system.bridge import MAX_ON_THE_WAY
from minichain.crosschain.gate import (
    GAS_RECEIPT_BYTE,
    LEAST_BYTES,
    LEAST_GAS,
    MAX_RECEIPT_BYTES,
    MAX_TOLD_BYTES,
    MAX_TOLD_DEPTH,
    MAX_TOLD_EVENTS,
)
from minichain.crypto import KEY_SIZE
from minichain.ledger.certificate import Handover, QuorumCertificate
from minichain.ledger.genesis import Authority, Limits, Quota
from minichain.ledger.types import Call, Event, Receipt

FORGED_PATH = "its path does not lead to the root"

TRAP = '''"""Answers that are hard to carry."""
from minichain.contracts.api import Contract, action, emit


class Trap(Contract):
    """Do what was asked, and say so in the worst way."""

    @action
    def announce(self, size: int, origin: str = "") -> None:
        """Announce so many events."""
        for number in range(size):
            emit("Noise")

    @action
    def nest(self, size: int, origin: str = "") -> list:
        """Return a list of so many levels."""
        found = []
        for level in range(size - 1):
            found = [found]
        return found

    @action
    def shout(self, size: int, origin: str = "") -> str:
        """Return so many letters."""
        return "x" * size
'''


@pytest.fixture
def chains() -> tuple[Chain, Chain, Chain]:
    """A side chain that follows a main chain and another one, which have both sent to it."""
    main, side, other = (Chain(name, clock="logical") for name in ("main", "side", "other"))
    for chain in (main, other):
        connect(chain, side)
        connect(side, chain, mints=True)
    main.do("bank", builders.transfer("shop", 10))
    sends, keeps = ("bank", cross("side", 5)), ("carrier", builders.transfer("shop", 1))
    main.do_all(sends, keeps, ("shop", cross("side", 6, to="bank")))
    for _ in range(2):
        other.do("bank", builders.transfer("shop", 10))
    for chain in (main, other):
        assert follow(side, chain).ok
    assert len(main.blocks) == len(other.blocks)
    return main, side, other


def leaf(receipt: bytes) -> bytes:
    return merkle.root([receipt])


def test_a_receipt_that_is_not_what_and_where_it_is_said_to_be(chains: tuple[Chain, Chain, Chain]) -> None:
    """Block 5 of the main chain has three receipts; the first and the third hold a message each."""
    main, side, _ = chains
    height, receipts = len(main.blocks), [encode(receipt) for receipt in main.blocks[-1][1]]
    good, third = delivery(main).args, delivery(main, index=2).args
    path, pair = good["path"], encode([leaf(receipts[0]), leaf(receipts[1])])
    lies: dict[str, tuple[dict[str, Any], str]] = {
        "forged": ({"receipt": receipts[0].replace(encode(5), encode(6))}, FORGED_PATH),
        "truncated": ({"receipt": receipts[0][:-1]}, FORGED_PATH),
        "prolonged": ({"receipt": receipts[0] + b"\0"}, FORGED_PATH),
        "another one in its place": ({"receipt": receipts[1]}, FORGED_PATH),
        "index shifted": ({"index": 1}, FORGED_PATH),
        "index shifted, with the path of that place": ({**delivery(main, index=1).args, "receipt": receipts[0]}, ""),
        "index from the end": ({"index": -3}, FORGED_PATH),
        "index behind the last": ({"index": 3}, FORGED_PATH),
        "the last leaf doubled": ({**third, "index": 3, "path": [leaf(receipts[2]), *third["path"]]}, FORGED_PATH),
        "the last leaf doubled in its place": ({**third, "path": [leaf(receipts[2]), *third["path"]]}, FORGED_PATH),
        "an inner node as a leaf": ({"receipt": pair, "path": path[1:]}, FORGED_PATH),
        "a path in another order": ({"path": path[::-1]}, FORGED_PATH),
        "a path cut short": ({"path": path[:-1]}, FORGED_PATH),
        "a path too long": ({"path": [*path, path[-1]]}, FORGED_PATH),
        "no path": ({"path": []}, FORGED_PATH),
        "a path of words": ({"path": ["x", "y"]}, FORGED_PATH),
        "a path of short hashes": ({"path": [path[0][:31], path[1]]}, FORGED_PATH),
        "the wrong height": ({"height": height - 1}, f"block {height - 1} of main is not followed"),
        "a height in words": ({"height": str(height)}, "`height` and `index` say where"),
        "a chain of that height that is another": ({"chain": "other"}, FORGED_PATH),
        "a chain that is not followed": ({"chain": "third"}, "not connected to that one"),
        "this chain itself": ({"chain": "side"}, "not connected to that one"),
        "no bytes": ({"receipt": "x"}, "`receipt` is bytes"),
        "a path that is none": ({"path": b"x"}, "`receipt` is bytes, and `path` a list"),
        "nothing at once": ({"most": 0}, "`most`, how many messages"),
        "all at once, in words": ({"most": "all"}, "`most`, how many messages"),
        "one that is for nobody here": (delivery(main, index=1).args, "nothing in it for this chain"),
        "the second message first": (third, "message 2 is not the next one: that is 1"),
    }
    for name, (changed, words) in lies.items():
        refused = side.do("carrier", Call("ledger", "deliver", {**good, **changed}))
        assert not refused.ok, name
        assert (words or FORGED_PATH) in refused.error, (name, refused.error)
    assert side.balance("shop") == 0
    assert side.do("carrier", delivery(main)).ok
    assert "nothing in it for this chain that it has not had" in side.do("carrier", delivery(main)).error, "replayed"
    assert side.do("carrier", delivery(main, index=2)).ok


def test_what_was_sent_to_another_chain_is_not_for_this_one(chains: tuple[Chain, Chain, Chain]) -> None:
    main, side, other = chains
    connect(main, other)
    assert main.do("bank", cross("other", 7)).ok
    assert follow(side, main).ok
    assert "nothing in it for this chain" in side.do("carrier", delivery(main)).error


# --- headers ---------------------------------------------------------------------------------------------------------


def bring(to: Chain, header: Any, certificate: Any) -> Receipt:
    block = encode(Handover(header, certificate, ()))
    return to.do("carrier", Call("ledger", "follow", {"chain": "main", "block": block}))


def test_a_header_that_its_committee_has_not_made_final(chains: tuple[Chain, Chain, Chain]) -> None:
    main, side, _ = chains
    assert main.do("bank", cross("side", 5)).ok
    final, _ = main.blocks[-1]
    header, good = final.block.header, final.certificate
    assert isinstance(good, QuorumCertificate)
    first, second, third, *_ = good.signatures
    strangers = Chain("main", clock="logical", weights=(1, 1, 1))
    strangers.do("bank", builders.transfer("shop", 1))
    neighbours = [(place, signature) for place, (_, signature) in enumerate(neighbour_signatures(main))]
    lies: dict[str, tuple[Any, Any, str]] = {
        "signed by a minority": (header, replace(good, signatures=(first, second)), "not more than two thirds"),
        "signed by nobody": (header, replace(good, signatures=()), "not more than two thirds"),
        "one who signs twice": (header, replace(good, signatures=(first, second, second)), "order"),
        "signers in another order": (header, replace(good, signatures=(third, second, first)), "order"),
        "a signer who is none": (
            header,
            replace(good, signatures=(first, second, (9, third[1]))),
            "distinct committee members",
        ),
        "forged": (header, replace(good, signatures=tuple((n, bytes(64)) for n in range(4))), "wrong"),
        "signed by validators of another chain": (header, replace(good, signatures=tuple(neighbours)), "wrong"),
        "another round": (header, replace(good, round=1), "wrong"),
        "other receipts": (replace(header, receipt_root=bytes(32)), good, "another block"),
        "more transactions": (replace(header, tx_count=9), good, "another block"),
        "another height": (replace(header, height=header.height + 1), good, "another block than the header of height"),
        "another committee": (replace(header, committee=bytes(32)), good, "another block than"),
        "another chain of that name": (strangers.blocks[-1][0].block.header, good, "another chain"),
    }
    for name, (told, certificate, words) in lies.items():
        refused = bring(side, told, certificate)
        assert refused.outcome == "fault", name
        assert words in refused.error, (name, refused.error)
    junk = side.do("carrier", Call("ledger", "follow", {"chain": "main", "block": b"x"}))
    assert "is not the encoding of a Handover" in junk.error
    assert bring(side, header, good).ok


def neighbour_signatures(main: Chain) -> tuple[tuple[int, bytes], ...]:
    """Sign the main chain's newest block with the keys of people who validate elsewhere."""
    final, _ = main.blocks[-1]
    elsewhere = builders.Committee(builders.Member(f"elsewhere-{n}", key(f"elsewhere-{n}").public) for n in range(4))
    certificate = finalise(main.genesis, final.block, by=elsewhere).certificate
    assert isinstance(certificate, QuorumCertificate)
    return certificate.signatures


def test_a_committee_that_has_handed_over_certifies_nothing_any_more() -> None:
    """Members who have left keep their keys: what they sign later is refused, also in a header that names them."""
    main, side = Chain("main", clock="logical", membership=Authority(voting_blocks=50, delay=2)), Chain("side")
    connect(side, main)
    former = main.committees[0]
    removal = {"did": key("node-3").did, "reason": "it has closed"}
    assert main.do("node-0", Call("members", "propose_removal", removal)).ok
    for member in ("node-0", "node-1", "node-2"):
        assert main.do(member, Call("members", "vote", {"proposal": 1, "yes": True})).ok
    while len(main.committees[-1].members) == 4:
        main.do("carrier", builders.transfer("shop", 1))
    last, _ = main.blocks[-1]
    step = encode(Handover(last.block.header, last.certificate, main.committees[-1].members))
    assert side.do("carrier", Call("ledger", "follow", {"chain": "main", "block": step})).ok
    main.do("carrier", builders.transfer("shop", 1))
    final, _ = main.blocks[-1]
    named = replace(final.block.header, committee=former.hash, next_committee=former.hash)
    for header, words in ((final.block.header, "not distinct committee members"), (named, "names another committee")):
        stale = finalise(main.genesis, builders.Block(header, ()), by=former).certificate
        assert words in bring(side, header, stale).error
    assert bring(side, final.block.header, final.certificate).ok


# --- bounds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("setting", "least"), [("transaction_bytes", LEAST_BYTES), ("transaction_gas", LEAST_GAS)])
def test_a_chain_whose_transactions_are_too_small_takes_no_part(setting: str, least: int) -> None:
    """A receipt of another chain must fit into one, and what it asks for; so the members of neither side can agree."""
    small = Chain("small", limits=Limits(**{setting: least - 1}))
    usual, enough = Chain("usual"), Chain("enough", limits=Limits(**{setting: least}))
    for one, other in ((usual, small), (small, usual)):
        args = {"spec": encode(other.genesis.spec), "mints": False, "trusting_ms": 1, "checkpoint": b""}
        words = f"small: limits.{setting} is less than the {least} that crossing needs"
        assert words in one.do("node-0", Call("ledger", "connect", args), gas=least - 1).error
    connect(usual, enough)


def test_messages_in_a_receipt_that_nobody_could_carry_are_not_sent(chains: tuple[Chain, Chain, Chain]) -> None:
    main, _, _ = chains
    assert main.do("bank", builders.deploy("loud", LOUD)).ok
    before, shout = main.balance("bank"), Call("loud", "shout", {"size": MAX_RECEIPT_BYTES // 4})
    refused = main.do("bank", cross("side", 1), *[shout] * 4)
    assert f"where other chains must hear of it at most {MAX_RECEIPT_BYTES}" in refused.error
    assert main.balance("bank") == before
    assert main.do("bank", *[shout] * 4).ok, "without a message it may say as much as gas pays for"
    assert main.do("bank", cross("side", 1), *[shout] * 3).ok


def test_a_channel_has_room_for_so_many_without_an_answer() -> None:
    main, side = (Chain(name, clock="logical", policy=Quota(10**10)) for name in ("main", "side"))
    connect(main, side)
    connect(side, main, mints=True)
    assert main.do("bank", cross("side", 1)).ok
    first = len(main.blocks)
    for count in (*[111] * (MAX_ON_THE_WAY // 111 - 1), 111 + MAX_ON_THE_WAY % 111 - 1):
        assert main.do("bank", *[cross("side", 1)] * count).ok
    assert main.do("carrier", builders.transfer("bank", 100)).ok, "what it lacks is not units"
    before = main.balance("bank")
    assert f"{MAX_ON_THE_WAY} messages wait for their answers" in main.do("bank", cross("side", 1)).error
    assert main.balance("bank") == before
    assert follow(side, main, first).ok
    assert side.do("carrier", delivery(main, first)).ok
    assert follow(main, side).ok
    assert main.do("carrier", delivery(side)).ok
    assert main.do("bank", cross("side", 1)).ok, "one is answered, and leaves its room to another"
    assert f"{MAX_ON_THE_WAY} messages wait" in main.do("bank", cross("side", 1)).error


@pytest.mark.parametrize(("size", "outcome"), [(MAX_TOLD_BYTES - 100, "done"), (MAX_TOLD_BYTES, "failed")])
def test_a_call_from_elsewhere_says_no_more_than_an_answer_holds(size: int, outcome: str) -> None:
    main, side = Chain("main", clock="logical"), Chain("side", clock="logical")
    connect(main, side)
    connect(side, main)
    assert side.do("bank", builders.deploy("loud", LOUD)).ok
    assert main.do("bank", ask(size)).ok
    assert follow(side, main).ok
    assert side.do("carrier", delivery(main)).ok
    assert follow(main, side).ok
    assert main.do("carrier", delivery(side)).ok
    told = main.ask("bridge", "outcome", chain="side", number=1)
    assert told["outcome"] == outcome
    assert ("more than 16384 bytes" in told["reason"]) == (outcome == "failed")


def ask(size: int, name: str = "shout", contract: str = "loud", gas: int = 1_000_000) -> Call:
    asked = {"chain": "side", "contract": contract, "name": name, "arguments": {"size": size}}
    return Call("bridge", "send", {**asked, "gas": gas, "within_ms": 600_000})


def test_what_a_captured_chain_says_at_length_is_paid_for_before_it_is_read() -> None:
    """Each byte of this receipt is a list: reading it takes fifty times as long as carrying it."""
    main, side = Chain("main", clock="logical"), Chain("side", clock="logical")
    connect(main, side)
    lie(side, Event("noise", "Noise", {"lists": [[] for _ in range(50_000)]}))
    assert follow(main, side).ok
    assert main.do("carrier", delivery(side)).gas > 50_000 * GAS_RECEIPT_BYTE


def test_a_large_committee_costs_whoever_has_it_looked_at() -> None:
    """Also where that is for nothing: a header without a signature."""
    gas = []
    for size in (4, 400):
        main, side = Chain("main", clock="logical"), Chain("side", clock="logical", weights=(1,) * size)
        connect(main, side)
        side.do("bank", builders.transfer("shop", 1))
        final, _ = side.blocks[-1]
        step = encode(Handover(final.block.header, replace(final.certificate, signatures=()), ()))
        refused = main.do("carrier", Call("ledger", "follow", {"chain": "side", "block": step}))
        assert "signatures of weight 0" in refused.error
        gas.append(refused.gas)
    assert gas[1] - gas[0] > 396 * 2 * KEY_SIZE


def test_a_relayer_takes_fewer_at_once_where_the_gas_does_not_do() -> None:
    """Each answer is long: to bring all of them costs more than what their calls may use and the books usually need."""
    names = enumerate(("main", "side"))
    main, side = (mc.Network.simulated(1, seed=n, chain_id=name, policy=Quota(10**9)) for n, name in names)
    with main, side:
        connect_networks(main, side)
        connect_networks(side, main)
        side.deploy(LOUD, sender=side.wallet("office"))
        main.send(main.wallet("office"), [ask(MAX_TOLD_BYTES - 100, gas=800_000)] * 24, gas_limit=30_000_000)
        Relayer(main, side).carry()
        bridge = main.contract("bridge")
        assert {bridge.outcome(chain="side", number=n)["outcome"] for n in range(1, 25)} == {"done"}


@pytest.fixture
def trapped() -> tuple[Chain, Chain]:
    """A main chain, and a side chain with a contract that answers in the worst way."""
    main, side = Chain("main", clock="logical"), Chain("side", clock="logical")
    connect(main, side)
    connect(side, main, mints=True)
    assert side.do("bank", builders.deploy("trap", TRAP)).ok
    return main, side


@pytest.mark.parametrize(
    ("name", "size", "why"),
    [
        ("announce", MAX_TOLD_EVENTS, ""),
        ("announce", MAX_TOLD_EVENTS + 1, "more than 500 events"),
        ("announce", MAX_EVENTS, "more than 500 events"),
        ("announce", MAX_EVENTS + 1, "at most 1000 events"),
        *(("nest", levels, "") for levels in range(MAX_TOLD_DEPTH - 2, MAX_TOLD_DEPTH + 1)),
        *(("nest", levels, "deeper than 12 levels") for levels in range(MAX_TOLD_DEPTH + 1, MAX_VALUE_DEPTH + 1)),
        ("nest", MAX_VALUE_DEPTH + 1, "deeper than 16 levels"),
        ("shout", MAX_RECEIPT_BYTES // 2, "more than 16384 bytes"),
        ("shout", MAX_RECEIPT_BYTES + 1, "more than 16384 bytes"),
    ],
)
def test_no_answer_blocks_those_after_it(trapped: tuple[Chain, Chain], name: str, size: int, why: str) -> None:
    """Anybody may deploy such a contract and ask it: what could not be carried back fails there."""
    main, side = trapped
    assert main.do("bank", ask(size, name, "trap", gas=9_000_000), cross("side", 1)).ok
    assert follow(side, main).ok
    assert side.do("carrier", delivery(main)).ok
    assert follow(main, side).ok
    assert main.do("carrier", delivery(side)).ok
    told = main.ask("bridge", "outcome", chain="side", number=1)
    assert why in told["reason"]
    assert (told["outcome"], len(told["result"])) == (("failed", 0) if why else ("done", int(name != "announce")))
    assert main.ask("bridge", "outcome", chain="side", number=2)["outcome"] == "done"


def test_whoever_brings_a_message_does_not_make_it_fail_with_events_of_its_own(trapped: tuple[Chain, Chain]) -> None:
    main, side = trapped
    assert main.do("bank", ask(2, "announce", "trap")).ok
    assert follow(side, main).ok
    noise = Call("trap", "announce", {"size": MAX_EVENTS - 1})
    assert "bring fewer messages at once" in side.do("shop", noise, delivery(main)).error
    receipt = side.do("carrier", delivery(main))
    assert [event.data["outcome"] for event in receipt.events if event.name == "Received"] == ["done"]


def test_a_relayer_takes_fewer_at_once_where_the_answers_are_long() -> None:
    """Five long answers do not fit into one receipt, though the gas would do for them."""
    main, side = (mc.Network.simulated(1, seed=seed, chain_id=name) for seed, name in enumerate(("main", "side")))
    with main, side:
        connect_networks(main, side)
        connect_networks(side, main)
        side.deploy(LOUD, sender=side.wallet("office"))
        main.send(main.wallet("office"), [ask(MAX_TOLD_BYTES - 100)] * 5)
        Relayer(main, side).carry()
        bridge = main.contract("bridge")
        assert [bridge.outcome(chain="side", number=n)["outcome"] for n in range(1, 6)] == ["done"] * 5
