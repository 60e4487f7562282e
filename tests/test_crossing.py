"""Messages and units between two chains: sent once, carried out once and in order, answered once, or given back."""

from __future__ import annotations

from typing import Any

import builders
import msgspec
import pytest
from builders import Ledger, finalise, key, sign
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain import merkle
from minichain.codec import decode_own, encode
from minichain.consensus.pow.tree import difficulty_after
from minichain.contracts import state_key
from minichain.contracts.meter import GasMeter
from minichain.contracts.runtime import Frame
from minichain.contracts.system.bridge import MAX_MADE
from minichain.crosschain.branch import rooted
from minichain.crosschain.remotes import followed_key
from minichain.crosschain.work import Link
from minichain.ledger.certificate import FinalBlock, Handover, WorkCertificate, is_sealed, seek_nonce
from minichain.ledger.genesis import MAX_SUPPLY, Authority, Fee, Work
from minichain.ledger.types import Block, Call, Envelope, Event, Receipt

DAY = 86_400_000
GAS = 30_000_000  # of a transaction

DESK = '''"""A desk that other chains may ask."""
from minichain.contracts.api import Contract, Value, action, require


class Desk(Contract):
    """Take notes for whoever asks through the bridge."""

    notes = Value(list)
    told = Value(list)

    @action
    def note(self, origin: str, text: str) -> int:
        """Write down who says what."""
        require(self.caller == "bridge", "ask through the bridge")
        require(text != "", "there is nothing to write down")
        self.notes = self.notes + [[origin, text]]
        return len(self.notes)

    @action
    def ask(self, chain: str, text: str) -> int:
        """Ask the desk of another chain."""
        return self.call(
            "bridge", "send", chain=chain, contract="desk", name="note", arguments={"text": text}, gas=1000000,
            within_ms=60000, answer="hear",
        )

    @action
    def hear(self, chain: str, number: int, outcome: str, result: list) -> None:
        """Be told what became of it."""
        require(self.caller == "bridge", "only the bridge tells")
        self.told = self.told + [[chain, number, outcome, result]]
'''

LOUD = '''"""Much to say."""
from minichain.contracts.api import Contract, action


class Loud(Contract):
    """Talk."""

    @action
    def shout(self, size: int, origin: str = "") -> str:
        """Return so many letters."""
        return "x" * size
'''


class Chain(Ledger):
    """A chain with its blocks, and what to carry from it."""

    def __init__(self, name: str, **settings: Any) -> None:
        balances = ((key("bank").public, 1_000), (key("carrier").public, 1_000))
        super().__init__(builders.genesis(**{"chain_id": name, "balances": balances, **settings}))
        self.blocks: list[tuple[FinalBlock, tuple[Receipt, ...]]] = []
        self.committees = [self.genesis.committee]  # after each block
        self.nonces: dict[str, int] = {}

    def do(self, who: str, *calls: Call, by: str = "", gas: int = GAS) -> Receipt:
        """Put a transaction into the next block; it is signed with the first key, or that of `by`."""
        return self.do_all((who, *calls), by=by, gas=gas)[0]

    def do_all(self, *items: tuple[Any, ...], by: str = "", gas: int = GAS) -> tuple[Receipt, ...]:
        """Put transactions, each (who, call, ...), into one block."""
        block, execution, refused = self.grow(*[self.signed(who, *calls, by=by, gas=gas) for who, *calls in items])
        assert not refused
        self.blocks.append((finalise(self.genesis, block, by=self.committees[-1]), execution.receipts))
        self.committees.append(execution.next_committee)
        return execution.receipts

    def signed(self, who: str, *calls: Call, by: str = "", gas: int = GAS) -> Envelope:
        nonce = self.nonces.get(who, 0)
        self.nonces[who] = nonce + 1
        expires = len(self.blocks) + 100
        return sign(self.genesis, who, *calls, by=by, nonce=nonce, gas_limit=gas, expires=expires)

    def ask(self, contract: str, view: str, **args: Any) -> Any:
        overlay, height = self.state.overlay(), len(self.blocks) + 1
        frame = Frame(overlay=overlay, meter=GasMeter(10**7), events=[], signer="", height=height, now_ms=0, chain="")
        return self.runtime.view(frame, contract, view, args)

    def balance(self, who: str) -> int:
        return self.state.overlay().account(key(who).public).balance

    def whole(self) -> int:
        """Add up what is here and what went away, which never changes."""
        here = sum(self.state.overlay().account(key(who).public).balance for who in ("bank", "carrier", "shop"))
        return here + sum(channel["abroad"] for channel in self.ask("bridge", "connections"))


def connect(one: Chain, other: Chain, *, mints: bool = False) -> None:
    args = {"spec": encode(other.genesis.spec), "mints": mints, "trusting_ms": DAY, "checkpoint": b""}
    for member in ("node-0", "node-1", "node-2"):
        assert one.do(member, Call("ledger", "connect", args)).ok


def follow(one: Chain, other: Chain, height: int = 0) -> Receipt:
    """Bring a header of the other chain, the newest one unless said otherwise."""
    final, _ = other.blocks[(height or len(other.blocks)) - 1]
    step = encode(Handover(final.block.header, final.certificate, ()))
    return one.do("carrier", Call("ledger", "follow", {"chain": other.genesis.spec.chain_id, "block": step}))


def delivery(other: Chain, height: int = 0, index: int = 0, most: int = 10) -> Call:
    """Make the call that brings a receipt of the other chain."""
    height = height or len(other.blocks)
    encoded = [encode(receipt) for receipt in other.blocks[height - 1][1]]
    args = {"chain": other.genesis.spec.chain_id, "height": height, "receipt": encoded[index], "index": index}
    return Call("ledger", "deliver", {**args, "path": list(merkle.inclusion_proof(index, encoded)), "most": most})


def carry(one: Chain, other: Chain, height: int = 0) -> Receipt:
    """Bring a header and its first receipt."""
    height = height or len(other.blocks)
    assert follow(one, other, height).ok
    return one.do("carrier", delivery(other, height))


def cross(chain: str, amount: int, to: str = "shop", within_ms: int = 60_000) -> Call:
    return Call("ledger", "cross", {"chain": chain, "to": key(to).did, "amount": amount, "within_ms": within_ms})


@pytest.fixture
def chains() -> tuple[Chain, Chain]:
    """A main chain, and a side chain that makes units for what is deposited."""
    main, side = Chain("main", clock="logical"), Chain("side", clock="logical")
    connect(main, side)
    connect(side, main, mints=True)
    return main, side


def test_units_go_and_come_back(chains: tuple[Chain, Chain]) -> None:
    main, side = chains
    assert main.do("bank", cross("side", 300)).results == (1,)
    assert carry(side, main).results == (1,)
    assert (main.balance("bank"), side.balance("shop")) == (700, 300)
    assert carry(main, side).ok, "the answer"
    assert main.ask("bridge", "outcome", chain="side", number=1)["outcome"] == "done"
    assert side.do("shop", cross("main", 120, to="bank")).ok
    assert carry(main, side).ok
    assert (main.balance("bank"), side.balance("shop")) == (820, 180)
    assert (main.whole(), side.whole()) == (2_000, 2_000)


def test_a_contract_asks_another_chain_and_is_told(chains: tuple[Chain, Chain]) -> None:
    main, side = chains
    for chain in chains:
        assert chain.do("bank", builders.deploy("desk", DESK)).ok
    assert main.do("bank", Call("desk", "ask", {"chain": "side", "text": "how much is there?"})).ok
    received = carry(side, main)
    assert [event.data["outcome"] for event in received.events if event.name == "Received"] == ["done"]
    assert side.ask("bridge", "channel", chain="main")["received"] == 1
    notes = decode_own(side.state.values[state_key("desk", "notes")], list)
    assert notes == [["main:desk", "how much is there?"]], "who asks is said by the bridge, not by whoever asks"
    assert carry(main, side).ok
    assert decode_own(main.state.values[state_key("desk", "told")], list) == [["side", 1, "done", [1]]]


FAILS = {
    "by the contract": ({"contract": "desk", "name": "note", "arguments": {"text": ""}}, "nothing to write down"),
    "no contract": ({"contract": "nobody", "name": "note", "arguments": {}}, "there is no contract"),
    "the ledger": ({"contract": "ledger", "name": "transfer", "arguments": {"to": "x"}}, "there is no contract"),
    "out of gas": ({"contract": "desk", "name": "note", "arguments": {"text": "x"}, "gas": 20_000}, "gas limit"),
    "another origin": ({"contract": "desk", "name": "hear", "arguments": {}}, "no argument"),
}


@pytest.mark.parametrize("how", FAILS)
def test_a_call_that_fails_leaves_nothing_and_is_answered(chains: tuple[Chain, Chain], how: str) -> None:
    main, side = chains
    assert side.do("bank", builders.deploy("desk", DESK)).ok
    (args, words), before = FAILS[how], side.state.values.get(state_key("desk", "notes"))
    asked = {"chain": "side", "gas": 1_000_000, "within_ms": 60_000, **args}
    assert main.do("bank", Call("bridge", "send", asked)).ok
    assert carry(side, main).ok
    assert side.state.values.get(state_key("desk", "notes")) == before
    assert carry(main, side).ok
    outcome = main.ask("bridge", "outcome", chain="side", number=1)
    assert outcome["outcome"] == "failed"
    assert words in outcome["reason"]


def test_units_that_cannot_be_paid_out_or_come_too_late_are_given_back(chains: tuple[Chain, Chain]) -> None:
    main, side = chains
    assert main.do("bank", cross("side", 100, within_ms=1_000)).ok
    for _ in range(9):  # its clock goes on by a second with each block
        side.do("carrier", builders.transfer("shop", 1))
    assert carry(side, main).ok
    assert side.balance("shop") == 9
    assert carry(main, side).ok
    outcome = main.ask("bridge", "outcome", chain="side", number=1)
    assert (outcome["outcome"], outcome["reason"]) == ("refused", "it came too late")
    assert (main.balance("bank"), main.whole()) == (1_000, 2_000)


def test_no_more_comes_back_than_has_gone(chains: tuple[Chain, Chain]) -> None:
    """A side chain that is captured can make units as it likes: on the main chain it gets what was deposited."""
    main, side = chains
    assert main.do("bank", cross("side", 100)).ok
    assert carry(side, main).ok
    assert side.do("bank", cross("main", 101)).ok
    assert carry(main, side).ok
    assert main.balance("shop") == 0
    assert carry(side, main).ok
    assert side.ask("bridge", "outcome", chain="main", number=1)["outcome"] == "refused"
    assert side.balance("bank") == 1_000


def test_what_is_brought_again_or_out_of_order_is_refused(chains: tuple[Chain, Chain]) -> None:
    main, side = chains
    assert main.do("bank", cross("side", 1)).ok
    assert main.do("bank", cross("side", 2)).ok
    second, first = len(main.blocks), len(main.blocks) - 1
    assert follow(side, main, first).ok
    assert follow(side, main, second).ok
    late = side.do("carrier", delivery(main, second))
    assert "message 2 is not the next one: that is 1" in late.error
    assert side.do("carrier", delivery(main, first)).ok
    again = side.do("carrier", delivery(main, first))
    assert "nothing in it for this chain that it has not had already" in again.error
    assert side.do("carrier", delivery(main, second)).ok
    assert side.balance("shop") == 3


def test_a_message_needs_the_gas_it_names(chains: tuple[Chain, Chain]) -> None:
    """Whoever brings a message cannot make its call fail by bringing little gas."""
    main, side = chains
    assert side.do("bank", builders.deploy("desk", DESK)).ok
    asked = {"chain": "side", "contract": "desk", "name": "note", "arguments": {"text": "x"}, "gas": 9_000_000}
    assert main.do("bank", Call("bridge", "send", {**asked, "within_ms": 60_000})).ok
    assert follow(side, main).ok
    nonce = side.nonces["carrier"]
    block, execution, _ = side.grow(sign(side.genesis, "carrier", delivery(main), nonce=nonce, gas_limit=8_000_000))
    assert execution.receipts[0].outcome == "out_of_gas"
    side.nonces["carrier"] += 1
    side.blocks.append((finalise(side.genesis, block), execution.receipts))
    side.committees.append(execution.next_committee)
    assert side.do("carrier", delivery(main)).ok


# --- who lies ------------------------------------------------------------------------------------------------------


def test_a_chain_that_made_two_blocks_final_is_not_believed_any_more(chains: tuple[Chain, Chain]) -> None:
    main, side = chains
    twin, _, _ = main.build([])
    assert main.do("bank", cross("side", 5)).ok
    assert follow(side, main).ok
    fraud = finalise(main.genesis, twin)
    step = encode(Handover(fraud.block.header, fraud.certificate, ()))
    assert side.do("carrier", Call("ledger", "follow", {"chain": "main", "block": step})).results == ("forked",)
    refused = side.do("carrier", delivery(main))
    assert "has made two blocks of height" in refused.error
    assert side.balance("shop") == 0


def test_who_was_not_heard_of_for_long_is_connected_anew() -> None:
    main, side = Chain("main", clock="logical", interval_ms=DAY // 4), Chain("side", clock="logical")
    connect(main, side)
    for _ in range(5):
        main.do("carrier", builders.transfer("shop", 1))
    side.do("carrier", builders.transfer("shop", 1))
    refused = follow(main, side)
    assert "is not trusted so long" in refused.error
    final, _ = side.blocks[-1]
    checkpoint = encode(Handover(final.block.header, final.certificate, side.genesis.spec.members))
    args = {"spec": encode(side.genesis.spec), "mints": False, "trusting_ms": 10**9 * 100, "checkpoint": checkpoint}
    for member in ("node-0", "node-1", "node-2"):
        assert main.do(member, Call("ledger", "connect", args)).ok
    side.do("carrier", builders.transfer("shop", 1))
    assert follow(main, side).ok


def test_members_connect_chains_and_nobody_else() -> None:
    main, side = Chain("main", weights=(1,) * 6), Chain("side")
    side.do("bank", builders.transfer("shop", 1))
    final, _ = side.blocks[0]
    nobody = encode(Handover(final.block.header, final.certificate, ()))
    alone = encode(msgspec.structs.replace(side.genesis.spec, members=()))
    args = {"spec": encode(side.genesis.spec), "mints": True, "trusting_ms": DAY, "checkpoint": b""}
    refused = {
        "bank": (args, "only a member"),
        "node-0": ({**args, "mints": 1}, "`mints`, true or false"),
        "node-1": ({**args, "spec": b"\xff"}, "is not the encoding of a ChainSpec"),
        "node-2": ({**args, "spec": encode(main.genesis.spec)}, "is called main itself"),
        "node-3": ({**args, "checkpoint": b"x"}, "is not the encoding of a Handover"),
        "node-4": ({**args, "checkpoint": nobody}, "names another committee"),
        "node-5": ({**args, "spec": alone}, "the members in `spec` are no committee"),
    }
    for who, (wrong, words) in refused.items():
        assert words in main.do(who, Call("ledger", "connect", wrong)).error
    assert main.do("node-0", Call("ledger", "connect", args)).results == (False,)
    assert "you have agreed" in main.do("node-0", Call("ledger", "connect", args)).error
    assert main.do("node-1", Call("ledger", "connect", {**args, "mints": False})).results == (False,)
    assert main.do("node-1", Call("ledger", "connect", args)).results == (False,)
    for member in ("node-2", "node-3"):
        assert main.do(member, Call("ledger", "connect", args)).results == (False,)
    assert main.do("node-4", Call("ledger", "connect", args)).results == (True,), "five of six"
    assert "only the ledger does this" in main.do("bank", Call("bridge", "settle", SETTLE)).error


SETTLE = {"chain": "side", "number": 1, "outcome": "failed", "reason": "", "result": []}


def lie(chain: Chain, *events: Event) -> None:
    """Let all members of a chain together make a block final whose receipt says whatever they like."""
    block, _, _ = chain.build([])
    height = len(chain.blocks) + 1
    receipt = Receipt(bytes(32), height, 0, "ok", "", 0, events, ())
    header = msgspec.structs.replace(block.header, tx_count=1, receipt_root=merkle.root([encode(receipt)]))
    chain.blocks.append((finalise(chain.genesis, Block(header, ())), (receipt,)))
    chain.head = header


RICH = tuple((key(name).public, 10**12) for name in ("bank", "carrier", "node-0", "node-1", "node-2"))
PAID = {"kind": "units", "sender": "x", "to": key("shop").did, "until": 2**60, "amount": 5, "action": "", "gas": 0}
MESSAGE = {**PAID, "arguments": {}, "answer": ""}
LIES: dict[str, Any] = {
    "a number in words": {"number": "one"},
    "no number": {"number": None},
    "a fraction": {"number": 1.5},
    "a number from the past": {"number": -1},
    "a number too far ahead": {"number": 2**63},
    "no message": {"message": None},
    "half a message": {"message": PAID},
    "more than a message": {"message": {**MESSAGE, "more": 1}},
    "another kind": {"message": {**MESSAGE, "kind": "magic"}},
    "units of nothing": {"message": {**MESSAGE, "amount": 0}},
    "units taken": {"message": {**MESSAGE, "amount": -5}},
    "more units than there can be": {"message": {**MESSAGE, "amount": 2**64 - 1}},
    "units to nobody": {"message": {**MESSAGE, "to": "nobody"}},
    "a time that cannot be": {"message": {**MESSAGE, "until": "later"}},
    "a call without gas": {"message": {**MESSAGE, "kind": "call", "amount": 0, "to": "desk", "gas": -1}},
    "a call with all gas": {"message": {**MESSAGE, "kind": "call", "amount": 0, "to": "desk", "gas": 2**62}},
    "an argument that is none": {
        "message": {**MESSAGE, "kind": "call", "amount": 0, "to": "desk", "action": "note", "gas": 10**6}
        | {"arguments": {"text": 1.5}}
    },
}


@pytest.mark.parametrize("how", LIES)
def test_a_captured_chain_can_say_anything_and_gets_nothing(chains: tuple[Chain, Chain], how: str) -> None:
    main, side = chains
    assert main.do("bank", builders.deploy("desk", DESK)).ok
    told = {"chain": "main", "to": main.genesis.hash, "number": 1, "message": MESSAGE, **LIES[how]}
    lie(side, Event("bridge", "Sent", told))
    assert follow(main, side).ok
    receipt = main.do("carrier", delivery(side))
    assert receipt.outcome in ("ok", "fault", "reverted")
    if receipt.ok:
        (answer,) = [event.data for event in receipt.events if event.name == "Received"]
        assert answer["outcome"] in ("failed", "refused")
    assert main.balance("shop") == 0
    assert main.whole() == 2_000


@pytest.mark.parametrize("amount", [-500, 50])
def test_units_that_a_captured_chain_speaks_of_in_a_call_change_no_books(
    chains: tuple[Chain, Chain], amount: int
) -> None:
    """Below zero they would be units that may come back though they never went."""
    main, side = chains
    assert main.do("bank", builders.deploy("desk", DESK), cross("side", 100)).ok
    asked = {**MESSAGE, "kind": "call", "to": "desk", "action": "note", "arguments": {"text": "x"}, "gas": 10**6}
    told = {"chain": "main", "to": main.genesis.hash, "number": 1, "message": {**asked, "amount": amount}}
    lie(side, Event("bridge", "Sent", told))
    assert follow(main, side).ok
    (answer,) = [event.data for event in main.do("carrier", delivery(side)).events if event.name == "Received"]
    assert answer["outcome"] == "done"
    assert main.ask("bridge", "channel", chain="side")["abroad"] == 100


@pytest.mark.parametrize("gas", [-1, -(10**9), -(2**63)])
def test_a_call_of_less_than_no_gas_gives_back_none(gas: int) -> None:
    """Whoever brings it would be paid for that: by units out of nothing, where gas costs units."""
    main, side = Chain("main", clock="logical", policy=Fee(1), balances=RICH), Chain("side", clock="logical")
    connect(main, side)
    asked = {**MESSAGE, "kind": "call", "amount": 0, "to": "desk", "action": "note", "gas": gas}
    lie(side, Event("bridge", "Sent", {"chain": "main", "to": main.genesis.hash, "number": 1, "message": asked}))
    assert follow(main, side).ok
    receipt = main.do("carrier", delivery(side))
    assert [event.data["outcome"] for event in receipt.events if event.name == "Received"] == ["failed"]
    assert receipt.gas > 100_000


@pytest.mark.parametrize("levels", [17, 400])
def test_how_deep_a_receipt_may_be_does_not_depend_on_who_reads_it(chains: tuple[Chain, Chain], levels: int) -> None:
    """One Python reads a thousand levels, another one more; then validators would answer in two ways."""
    main, side = chains
    deep: Any = 1
    for _ in range(levels):
        deep = [deep]
    message = {**MESSAGE, "kind": "call", "amount": 0, "to": "desk", "gas": 10**6, "arguments": {"text": deep}}
    lie(side, Event("bridge", "Sent", {"chain": "main", "to": main.genesis.hash, "number": 1, "message": message}))
    assert follow(main, side).ok
    assert "`receipt` is not the encoding of a Receipt" in main.do("carrier", delivery(side)).error


def test_a_captured_chain_gets_no_more_made_than_can_be_counted(chains: tuple[Chain, Chain]) -> None:
    """Where units are made for other chains, an account that has many still gets back what was not delivered."""
    main, side = chains
    other = Chain("other", clock="logical")
    connect(other, side)
    connect(side, other, mints=True)
    rest = MAX_MADE - 1
    for number, (amount, outcome) in enumerate(((rest, "done"), (2, "refused"), (1, "done"), (1, "refused")), 1):
        paid = {**MESSAGE, "amount": amount, "to": key("bank").did}
        lie(
            main, Event("bridge", "Sent", {"chain": "side", "to": side.genesis.hash, "number": number, "message": paid})
        )
        assert follow(side, main).ok
        (answer,) = [event.data for event in side.do("carrier", delivery(main)).events if event.name == "Received"]
        assert answer["outcome"] == outcome
    assert side.balance("bank") == 1_000 + MAX_MADE


def test_who_has_as_much_as_an_account_holds_gets_back_what_was_not_delivered() -> None:
    """Otherwise whoever is paid enough meanwhile, by units made here, would block the answers to everybody."""
    settings: dict[str, Any] = {"clock": "logical", "balances": ((key("bank").public, MAX_SUPPLY),)}
    main, side = Chain("main", **settings), Chain("side", clock="logical")
    connect(main, side, mints=True)
    connect(side, main)
    assert main.do("bank", cross("side", 5)).ok
    paid = {**MESSAGE, "to": key("bank").did}
    lie(side, Event("bridge", "Sent", {"chain": "main", "to": main.genesis.hash, "number": 1, "message": paid}))
    assert follow(main, side).ok
    assert main.do("carrier", delivery(side)).ok
    assert main.balance("bank") == MAX_SUPPLY
    refused = {"chain": "main", "to": main.genesis.hash, "number": 1, "outcome": "refused", "reason": "", "result": []}
    lie(side, Event("bridge", "Received", refused))
    assert follow(main, side).ok
    assert main.do("carrier", delivery(side)).ok
    assert main.balance("bank") == MAX_SUPPLY + 5


def test_an_answer_that_nobody_asked_for_gives_nothing_back(chains: tuple[Chain, Chain]) -> None:
    main, side = chains
    answer = {"chain": "main", "to": main.genesis.hash, "outcome": "failed", "reason": "", "result": []}
    assert main.do("bank", cross("side", 5)).ok
    lie(side, Event("bridge", "Received", {**answer, "number": 2}))
    assert follow(main, side).ok
    assert "answer 2 is not the next one: that is 1" in main.do("carrier", delivery(side)).error
    assert main.balance("bank") == 995


# --- committees change -----------------------------------------------------------------------------------------------


def handover(chain: Chain, height: int) -> bytes:
    """Make the step over a block after which another committee certifies."""
    final, _ = chain.blocks[height - 1]
    return encode(Handover(final.block.header, final.certificate, chain.committees[height].members))


def test_only_the_committee_that_the_former_has_named_is_believed() -> None:
    main = Chain("main", clock="logical")
    side = Chain("side", clock="logical", membership=Authority(voting_blocks=50, delay=2))
    connect(main, side)
    connect(side, main)
    removal = {"did": key("node-3").did, "reason": "it has closed"}
    assert side.do("node-0", Call("members", "propose_removal", removal)).ok
    for member in ("node-0", "node-1", "node-2"):
        assert side.do(member, Call("members", "vote", {"proposal": 1, "yes": True})).ok
    while len(side.committees[-1].members) == 4:
        side.do("carrier", builders.transfer("shop", 1))
    changed_at = len(side.blocks)
    assert side.do("bank", cross("main", 1)).ok
    assert side.blocks[-1][0].certificate.signers == (0, 1, 2)

    assert "names another committee" in follow(main, side).error, "nobody has told of the new committee yet"
    forged = Handover(side.blocks[0][0].block.header, side.blocks[0][0].certificate, side.committees[-1].members)
    for step, words in (
        (encode(forged), "hands over to another committee"),
        (handover(side, changed_at), ""),
    ):
        receipt = main.do("carrier", Call("ledger", "follow", {"chain": "side", "block": step}))
        assert words in receipt.error
    assert follow(main, side).ok
    assert "begins after height" in follow(main, side, 1).error, "who has left cannot sign for the past any more"


def test_handovers_may_be_skipped_as_long_as_enough_of_those_trusted_have_signed() -> None:
    """One of four leaves after the other: three were trusted, two still were, one alone is not enough to follow."""
    main = Chain("main", clock="logical")
    side = Chain("side", clock="logical", membership=Authority(voting_blocks=50, delay=2))
    connect(main, side)
    for number, (leaver, voters) in enumerate((("node-3", 3), ("node-2", 3), ("node-1", 2)), 1):
        removal = {"did": key(leaver).did, "reason": "it has closed"}
        assert side.do("node-0", Call("members", "propose_removal", removal)).ok
        for voter in range(voters):
            side.do(f"node-{voter}", Call("members", "vote", {"proposal": number, "yes": True}))
        while len(side.committees[-1].members) > 4 - number:
            side.do("carrier", builders.transfer("shop", 1))
    side.do("carrier", builders.transfer("shop", 1))

    def skip(height: int) -> Receipt:
        final, _ = side.blocks[height - 1]
        step = Handover(final.block.header, final.certificate, side.committees[height - 1].members)
        return main.do("carrier", Call("ledger", "follow", {"chain": "side", "block": encode(step)}))

    last, two = len(side.blocks), max(h for h, one in enumerate(side.committees) if len(one.members) == 2)
    assert "only weight 1 of 4 has signed" in skip(last).error
    assert skip(two).ok
    assert skip(last).ok


# --- chains of work -------------------------------------------------------------------------------------------------


class Mined(Chain):
    """A chain of work, mined here; two with the same first blocks are two branches of one chain."""

    def __init__(self) -> None:
        super().__init__(
            "mined", engine="pow", clock="wall", work=Work(difficulty=4, window=5, confirmations=3, block_ms=1_000)
        )
        self.branch = rooted(self.genesis)
        self.links: list[Link] = []

    def mine(self, *calls: Call, seconds: int = 1) -> Receipt | None:
        """Find the next block, so many seconds after the last one."""
        entry = self.branch._entries(self.branch.height)
        now_ms = entry.time_ms + 1_000 * seconds
        txs = [sign(self.genesis, "bank", *calls, nonce=self.nonces.get("bank", 0))] if calls else []
        self.nonces["bank"] = self.nonces.get("bank", 0) + len(txs)
        block, execution, _ = self.build(txs, now_ms)
        self.keep(block, execution)
        header, wanted = block.header, difficulty_after(entry, self.genesis.spec.work)
        nonce = seek_nonce(header.id, wanted, 0, 10_000)
        assert nonce is not None
        certificate = WorkCertificate(header.height, header.id, wanted, nonce)
        self.links.append(Link(header, certificate))
        self.blocks.append((FinalBlock(block, certificate), execution.receipts))
        self.branch = self.branch.grown(self.links[-1:], self.genesis.committee).shortened()
        return execution.receipts[0] if calls else None

    def bring(self, to: Chain, first: int = 1) -> Receipt:
        args = {"chain": "mined", "block": encode(tuple(self.links[first - 1 :]))}
        return to.do("carrier", Call("ledger", "follow", args))


def followed(chain: Chain) -> int:
    """Return the newest final block of the mined chain, as another one sees it."""
    heights = [decode_own(k, list)[2] for k in chain.state.values if k.startswith(followed_key("mined", 0)[:-1])]
    return max(heights, default=0)


def test_of_a_chain_of_work_many_headers_at_once_are_all_kept() -> None:
    main, mined = Chain("main"), Mined()
    connect(main, mined)
    for _ in range(60):
        mined.mine()
    assert mined.bring(main).ok
    assert all(main.state.values.get(followed_key("mined", height)) for height in range(1, 59))


def test_of_a_chain_of_work_what_lies_deep_enough_counts_and_the_rest_may_be_replaced() -> None:
    main, honest, other = Chain("main"), Mined(), Mined()
    connect(main, honest)
    for _ in range(4):
        honest.mine()
        other.mine()
    assert honest.bring(main).ok
    assert followed(main) == 2, "under three confirmations, its own included"
    honest.mine(seconds=2)
    for _ in range(2):
        other.mine()
    assert honest.bring(main, 5).ok
    assert other.bring(main, 5).results == ("followed",), "two blocks in the place of one"
    assert "there is not more work in these headers" in honest.bring(main, 5).error
    assert followed(main) == 4


def test_a_chain_of_work_that_replaces_what_was_final_is_not_believed_any_more() -> None:
    """Whoever out-mines everybody can do that; it is seen, and nothing more is taken."""
    main, honest, attacker = Chain("main"), Mined(), Mined()
    connect(main, honest)
    for _ in range(5):
        honest.mine(builders.transfer("shop", 1))
    for _ in range(6):
        attacker.mine()
    assert honest.bring(main).ok
    assert attacker.bring(main).results == ("forked",)
    assert "it is not believed any more" in main.do("carrier", delivery(honest, 2)).error


def test_headers_that_break_the_rules_of_work_are_refused() -> None:
    main, mined = Chain("main"), Mined()
    connect(main, mined)
    for _ in range(3):
        mined.mine()
    first, second, third = mined.links
    cheap = msgspec.structs.replace(second.certificate, difficulty=1)
    lies = {
        "a gap": ((first, third), "does not follow the one before it"),
        "too little work": ((first, msgspec.structs.replace(second, certificate=cheap)), "asks for 1 tries"),
        "no work": ((first, Link(second.header, unsealed(second))), "does not show the work"),
        "from the middle": ((third,), "give those from 1 on"),
        "nothing": ((), "no header is given"),
    }
    for name, (links, words) in lies.items():
        told = main.do("carrier", Call("ledger", "follow", {"chain": "mined", "block": encode(links)}))
        assert words in told.error, name
    assert mined.bring(main).ok


def test_work_that_is_cheap_because_it_is_dated_in_the_future_does_not_count() -> None:
    """A miner who need not wait could let a century pass in eleven headers: every block after them is for nothing."""
    main, mined = Chain("main", clock="wall"), Mined()
    connect(main, mined)
    for _ in range(3):
        mined.mine()
    main.now_ms = mined.blocks[-1][0].block.header.time_ms
    mined.mine(seconds=main.genesis.spec.max_skew_ms // 1_000 + 1)
    told = mined.bring(main)
    assert "mined: the header of height 4 is of a time to come: bring it again then" in told.error
    main.now_ms += 1_000
    assert mined.bring(main).ok


def unsealed(link: Link) -> WorkCertificate:
    found = link.certificate
    nonce = next(n for n in range(10_000) if not is_sealed(found.block_id, n, found.difficulty))
    return msgspec.structs.replace(found, nonce=nonce)


# --- whatever happens -----------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["go", "back", "to side", "to main", "again", "wait"]), st.integers(1, 400), st.integers(1, 9)
    ),
    max_size=14,
)


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_nothing_is_lost_doubled_or_given_back_while_it_may_still_arrive(steps: list[tuple[str, int, int]]) -> None:
    main, side = Chain("main", clock="logical"), Chain("side", clock="logical")
    connect(main, side)
    connect(side, main, mints=True)
    brought = {"main": 0, "side": 0}  # blocks of each that the other has had
    for what, amount, seconds in steps:
        if what == "go":
            main.do("bank", cross("side", amount, within_ms=1_000 * seconds))
        elif what == "back":
            side.do("shop", cross("main", amount, to="bank", within_ms=1_000 * seconds))
        elif what == "wait":
            side.do("carrier", builders.transfer("shop", 1))
        elif what == "again" and len(main.blocks) > 3:
            side.do("carrier", delivery(main, len(main.blocks)))
        else:
            source, target = (main, side) if what == "to side" else (side, main)
            bring_all(target, source, brought)
        assert main.whole() == side.whole() == 2_000
    for _ in range(2):
        bring_all(side, main, brought)
        bring_all(main, side, brought)
    (there,), (here,) = main.ask("bridge", "connections"), side.ask("bridge", "connections")
    assert there["abroad"] == -here["abroad"] >= 0
    assert (there["sent"], here["sent"]) == (there["settled"], here["settled"])
    assert (here["received"], there["received"]) == (there["sent"], here["sent"])


def bring_all(target: Chain, source: Chain, brought: dict[str, int]) -> None:
    """Bring every block that has something for the other chain, as a relayer does."""
    name = source.genesis.spec.chain_id
    for height in range(brought[name] + 1, len(source.blocks) + 1):
        events = [event for receipt in source.blocks[height - 1][1] for event in receipt.events]
        if any(event.data.get("to") == target.genesis.hash for event in events):
            assert carry(target, source, height).ok
    brought[name] = len(source.blocks)
