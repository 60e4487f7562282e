"""One node and its neighbours, told things as bytes: what is wrong is refused with a reason, and nothing breaks it.

Where a bound is too large to reach in a test it is made smaller; the bound itself is the one the node reads.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import builders
import msgspec
import pytest

from minichain import merkle
from minichain.codec import Record, decode, encode
from minichain.consensus.bft import Message, Proposal, engine, votes
from minichain.consensus.bft.messages import cast_vote, read_own, sign_proposal
from minichain.crypto import SIGNATURE_SIZE
from minichain.errors import Refused
from minichain.faults.network import Weather
from minichain.ledger.certificate import PRECOMMIT, PREVOTE, FinalBlock
from minichain.ledger.genesis import Fee, Limits, Quota
from minichain.ledger.state import Account, account_key, contract_key
from minichain.ledger.types import Block, Envelope, Receipt, SignedTransaction, open_envelope
from minichain.node import core, execution, mempool, messages, peers, queries, refusals, sync, waiters
from minichain.node.core import Node
from minichain.node.execution import Executor
from minichain.node.interface import Asked, Reply, Started
from minichain.node.messages import (
    AccountState,
    AskAccount,
    AskBlock,
    AskContracts,
    AskHeaders,
    AskReceipt,
    AskState,
    AskStatus,
    AskView,
    Await,
    BlockDetail,
    Contracts,
    Failure,
    FinalBlocks,
    Headers,
    NodeStatus,
    Outcomes,
    Position,
    ReceiptAnswer,
    Request,
    Response,
    StateAnswer,
    Submit,
    Submitted,
    Transactions,
    Value,
    Verdict,
)
from minichain.node.turn import take_turn
from minichain.sim.world import World
from minichain.store import SqliteStore
from minichain.transition import REFUSALS, first_root

BALANCES = ((builders.key("bank").public, 10**6),)
ORDER = 2**252 + 27742317777372353535851937790883648493  # of the Ed25519 group
FAR = 2**63 + 5  # more than SQLite can hold
NUMBERS = itertools.count(1)


def world(size: int = 4, seed: int = 1, **settings: Any) -> World:
    chain = builders.genesis(weights=(1,) * size, **{"balances": BALANCES, **settings})
    return World(chain, {f"node-{i}": builders.key(f"node-{i}") for i in range(size)}, seed=seed, weather=Weather(1, 5))


def pay(run: World, nonce: int = 0, signer: str = "bank", **fields: Any) -> Envelope:
    return builders.sign(run.genesis, signer, builders.transfer("shop", 1), nonce=nonce, **fields)


class Client:
    """Somebody with one connection to one node."""

    def __init__(self, run: World, node: str = "node-0", name: bytes = b"client") -> None:
        self.run = run
        self.node = node
        self.name = name
        self.heard: dict[int, Any] = {}

    def send(self, body: Record, number: int | None = None) -> int:
        number = next(NUMBERS) if number is None else number
        self.run.ask(self.node, self.name, encode(Request(number, body)))
        return number

    def listen(self) -> dict[int, Any]:
        for data in self.run.replies(self.name):
            response = decode(data, Response)
            self.heard[response.number] = response.body
        return self.heard

    def wait(self, number: int, within_ms: int = 30_000) -> Any:
        assert self.run.run_until(lambda: number in self.listen(), within_ms), "no answer"
        return self.heard.pop(number)

    def ask(self, body: Record) -> Any:
        return self.wait(self.send(body))

    def submit(self, *txs: Envelope | bytes) -> tuple[Verdict, ...]:
        raw = tuple(tx.raw if isinstance(tx, Envelope) else tx for tx in txs)
        answer = self.ask(Submit(raw))
        assert isinstance(answer, Submitted)
        return answer.verdicts

    def finalise(self, *txs: Envelope) -> tuple[Receipt, ...]:
        assert [verdict.code for verdict in self.submit(*txs)] == ["accepted"] * len(txs)
        outcome = self.ask(Await(tuple(tx.id for tx in txs)))
        assert [verdict.code for verdict in outcome.verdicts] == ["final"] * len(txs)
        return tuple(verdict.receipt for verdict in outcome.verdicts)


def counters(run: World, name: str = "node-0") -> dict[str, int]:
    return node_of(run, name).status().counters


def node_of(run: World, name: str = "node-0") -> Node:
    node = run.node(name)
    assert node is not None
    return node


# --- what a node refuses, and in which words ------------------------------------------------------------------------


def resigned(tx: Envelope, signature: bytes) -> bytes:
    return encode(SignedTransaction(tx.body, signature))


def malleated(tx: Envelope) -> bytes:
    """The other S that satisfies the same equation: not the signature its sender made."""
    s = int.from_bytes(tx.signature[32:], "little") + ORDER
    return resigned(tx, tx.signature[:32] + s.to_bytes(32, "little"))


def unsorted(tx: Envelope) -> bytes:
    return b"\xdc\x00\x02" + tx.raw[1:]  # the same array with a longer header


REFUSED: dict[str, tuple[str, Callable[[World], bytes], str]] = {
    "nothing": ("malformed", lambda run: b"", "not a valid SignedTransaction"),
    "too large": ("oversize", lambda run: bytes(2_001), "2001 bytes, where a transaction has at most 2000"),
    "truncated": ("malformed", lambda run: pay(run).raw[:-1], "truncated"),
    "a trailing byte": ("malformed", lambda run: pay(run).raw + b"\0", "trailing"),
    "a second spelling": ("malformed", lambda run: unsorted(pay(run)), "not the canonical encoding"),
    "no call": ("malformed", lambda run: pay_body(run, calls=()), "has 1 to 64 calls, not 0"),
    "a negative nonce": ("malformed", lambda run: pay(run, -1).raw, "never negative"),
    "a float": ("malformed", lambda run: pay_body(run, calls=(builders.Call("a", "b", {"x": 0.5}),)), "float"),
    "unsigned": ("malformed", lambda run: resigned(pay(run), b""), "has 64 bytes, not 0: sign the transaction"),
    "a short signature": ("malformed", lambda run: resigned(pay(run), b"s" * 63), "has 64 bytes, not 63"),
    "a made-up signature": ("bad_signature", lambda run: resigned(pay(run), bytes(SIGNATURE_SIZE)), "sign it again"),
    "a malleated signature": ("bad_signature", lambda run: malleated(pay(run)), "sign it again"),
    "another signer": (
        "bad_signature",
        lambda run: resigned(pay(run), pay(run, signer="thief").signature),
        "does not belong to this sender",
    ),
    "another chain": (
        "wrong_chain",
        lambda run: builders.sign(builders.genesis(chain_id="elsewhere"), "bank").raw,
        "'elsewhere'.*'test'",
    ),
    "another genesis": ("wrong_chain", lambda run: pay(run, genesis=bytes(32)).raw, "signed for another chain"),
    "a later nonce": ("wrong_nonce", lambda run: pay(run, 1).raw, "nonce 1, the sender's next is 0"),
    "another key": (
        "wrong_key",
        lambda run: pay(run, by="thief").raw,
        "the present key of the account .* sign it with",
    ),
    "a short key": ("malformed", lambda run: pay(run, key=b"k" * 31).raw, "otherwise another one of 32 bytes"),
    "the sender as key": (
        "malformed",
        lambda run: pay(run, by="bank").raw,
        "key is empty where the sender's first key",
    ),
    "expired": ("expired", lambda run: pay(run, expires=0).raw, "expired at height 0.*sign it again"),
    "valid too long": ("expires_too_late", lambda run: pay(run, expires=10**6).raw, "at height 10001 at the latest"),
    "too little gas": ("gas_limit", lambda run: pay(run, gas_limit=1).raw, r"gas limit 1 is not from \d+ to"),
    "too much gas": ("gas_limit", lambda run: pay(run, gas_limit=10**12).raw, "to 50000000"),
    "over quota": (
        "over_quota",
        lambda run: pay(run, gas_limit=3_000_000).raw,
        "is more than the quota of 2500000: lower it",
    ),
}


def pay_body(run: World, **fields: Any) -> bytes:
    return builders.sign(run.genesis, "bank", **fields).raw


@pytest.fixture(scope="module")
def strict() -> World:
    return world(1, limits=Limits(transaction_bytes=2_000), policy=Quota(gas=2_500_000))


@pytest.mark.parametrize("what", REFUSED)
def test_what_no_block_may_hold_is_refused_at_the_door(strict: World, what: str):
    code, make, words = REFUSED[what]
    (verdict,) = Client(strict).submit(make(strict))
    assert verdict.code == code
    assert code in REFUSALS
    assert re.search(words, verdict.message), verdict.message
    assert node_of(strict).status().waiting == 0


def test_who_cannot_pay_the_fee_is_told_what_it_may_be():
    run = world(1, policy=Fee(price=2))
    (verdict,) = Client(run).submit(pay(run, gas_limit=600_000))
    assert (verdict.code, verdict.message) == ("cannot_pay", "the fee may be 1200000, the balance is 1000000")
    (receipt,) = Client(run).finalise(pay(run, gas_limit=100_000))
    assert receipt.ok


def test_every_code_of_refusal_is_reached_by_a_client():
    elsewhere = {"cannot_pay", "full", "not_allowed"}  # in the tests above and below
    assert {code for code, _, _ in REFUSED.values()} | elsewhere == set(REFUSALS)


def test_one_bad_transaction_does_not_spoil_the_others():
    run = world(1)
    client = Client(run)
    verdicts = client.submit(pay(run, 0), b"nonsense", pay(run, 5), pay(run, 1))
    assert [verdict.code for verdict in verdicts] == ["accepted", "malformed", "wrong_nonce", "accepted"]


def test_a_call_of_nothing_is_executed_and_fails_in_its_receipt():
    run = world(1)
    tx = builders.sign(run.genesis, "bank", builders.Call("nobody", "nothing"))
    (receipt,) = Client(run).finalise(tx)
    assert receipt.outcome == "fault"
    assert 'there is no contract "nobody": deploy it first, or correct the name' in receipt.error
    assert receipt.gas > 0
    assert Client(run).ask(AskAccount(builders.key("bank").public)).next_nonce == 1


# --- a full list refuses -------------------------------------------------------------------------------------------


@pytest.fixture
def parted() -> World:
    """A world where nothing becomes final, so that transactions wait."""
    run = world()
    run.part(["node-0"], ["node-1"], ["node-2"], ["node-3"])
    return run


def test_one_sender_cannot_fill_the_list(parted: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mempool, "MAX_WAITING_OF_ONE", 3)
    client = Client(parted)
    codes = [verdict.code for verdict in client.submit(*(pay(parted, nonce) for nonce in range(4)))]
    assert codes == ["accepted"] * 3 + ["full"]
    assert client.submit(pay(parted, 3))[0].message.endswith("waiting: send it again in a moment")
    assert client.submit(pay(parted, signer="somebody else"))[0].code == "accepted"


def test_the_list_has_a_last_place(parted: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mempool, "MAX_WAITING", 3)
    verdicts = Client(parted).submit(*(pay(parted, signer=f"sender {number}") for number in range(4)))
    assert [verdict.code for verdict in verdicts] == ["accepted"] * 3 + ["full"]
    assert verdicts[-1].message == "too many transactions are waiting: send it again in a moment"


def test_the_list_has_a_largest_size(parted: World, monkeypatch: pytest.MonkeyPatch):
    first, second = pay(parted, signer="a"), pay(parted, signer="b")
    monkeypatch.setattr(mempool, "MAX_WAITING_BYTES", len(first.raw) + len(second.raw) - 1)
    assert [verdict.code for verdict in Client(parted).submit(first, second)] == ["accepted", "full"]


def test_a_list_that_was_full_has_room_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mempool, "MAX_WAITING", 2)
    run = world(1)
    client = Client(run)
    for batch in range(3):
        client.finalise(*(pay(run, 2 * batch + i) for i in range(2)))
    left = node_of(run)._intake.waiting
    assert (len(left), left._bytes, left._of_sender, left._of_expiry) == (0, 0, {}, {})


# --- once is once --------------------------------------------------------------------------------------------------


def places_of(run: World, tx: Envelope) -> list[tuple[int, int]]:
    blocks = itertools.takewhile(bool, (run.store("node-0").block(height) for height in itertools.count(1)))
    return [(b.block.header.height, i) for b in blocks if b for i, raw in enumerate(b.block.txs) if raw == tx.raw]


def test_a_transaction_submitted_again_and_elsewhere_is_final_once():
    run = world()
    tx = pay(run)
    for name in run.names:
        for _ in range(2):
            assert Client(run, name, name.encode()).submit(tx)[0].code == "accepted"
    assert run.run_until(lambda: all(run.store(name).find(tx.id) for name in run.names), 10_000)
    later = pay(run, 1)
    Client(run).finalise(later)
    assert Client(run).submit(tx)[0].code == "accepted"  # final already: nothing to do
    run.run_for(5_000)
    assert len(places_of(run, tx)) == 1
    assert {node_of(run, name).status().waiting for name in run.names} == {0}


def test_twice_in_one_request_is_once():
    run = world(1)
    tx = pay(run)
    assert [verdict.code for verdict in Client(run).submit(tx, tx)] == ["accepted", "accepted"]
    run.run_for(2_000)
    assert len(places_of(run, tx)) == 1


# --- waiting for finality -------------------------------------------------------------------------------------------


def test_what_is_already_final_is_told_at_once():
    run = world(1)
    client = Client(run)
    txs = [pay(run, nonce) for nonce in range(3)]
    receipts = client.finalise(*txs)
    outcome = client.ask(Await((txs[2].id, txs[0].id)))
    assert [verdict.receipt for verdict in outcome.verdicts] == [receipts[2], receipts[0]]
    assert client.ask(Await(())) == Outcomes(())


def test_who_waits_for_several_is_answered_when_the_last_is_final():
    run = world(1)
    client = Client(run)
    first, second = pay(run, 0), pay(run, 1)
    waiting = client.send(Await((second.id, first.id)))
    client.finalise(first)
    assert waiting not in client.listen()
    client.finalise(second)
    assert [verdict.tx_id for verdict in client.wait(waiting).verdicts] == [second.id, first.id]


def test_a_transaction_overtaken_by_another_of_its_nonce_is_told():
    run = world()
    run.part(["node-0"], ["node-1", "node-2", "node-3"])
    lost, winner = pay(run, gas_limit=900_000), pay(run)
    here, there = Client(run), Client(run, "node-1", b"other")
    assert here.submit(lost)[0].code == "accepted"
    waiting = here.send(Await((lost.id,)))
    there.finalise(winner)
    assert waiting not in here.listen()
    run.heal()
    (verdict,) = here.wait(waiting).verdicts
    assert (verdict.code, verdict.message) == ("wrong_nonce", "another transaction has used its nonce; the next is 1")
    assert here.ask(Await((lost.id,))).verdicts == (verdict,)  # and whoever asks later is told too


def test_a_transaction_that_expires_while_it_waits_is_told():
    run = world()
    run.part(["node-0"], ["node-1", "node-2", "node-3"])
    here, there = Client(run), Client(run, "node-1", b"other")
    late = pay(run, signer="latecomer", expires=1)
    assert here.submit(late)[0].code == "accepted"
    waiting = here.send(Await((late.id,)))
    there.finalise(pay(run, 0))
    run.heal()
    (verdict,) = here.wait(waiting).verdicts
    assert verdict.code == "expired"
    assert verdict.message == "its last height has passed, the chain is at 1: sign it again"
    assert node_of(run).status().waiting == 0


def test_too_many_awaited_send_the_longest_waiting_away(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(waiters, "MAX_AWAITED", 3)
    run = world(1)
    client = Client(run)
    txs = [pay(run, nonce) for nonce in range(4)]
    numbers = [client.send(Await((tx.id,))) for tx in txs]
    sent_away = client.wait(numbers[0])
    assert sent_away == Failure("busy", "too many transactions are waited for here: ask again, or another node")
    client.finalise(*txs)
    assert all(isinstance(client.wait(number), Outcomes) for number in numbers[1:])


def test_one_transaction_awaited_over_and_over_is_bounded_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(waiters, "MAX_AWAITED", 10)
    run = world(1)
    client = Client(run)
    for _ in range(50):
        client.send(Await((pay(run).id,)))
    run.run_for(100)
    gone = [answer for answer in client.listen().values() if isinstance(answer, Failure)]
    assert len(gone) == 40
    client.finalise(pay(run))
    assert sum(isinstance(answer, Outcomes) for answer in client.listen().values()) == 10


def test_a_client_that_uses_a_number_twice_harms_nobody():
    run = world(1)
    client = Client(run)
    first, second = pay(run, 0), pay(run, 1)
    for tx_ids in ((first.id,), (first.id, second.id), (first.id,), (second.id, second.id)):
        client.send(Await(tx_ids), number=7)
    assert client.finalise(first, second)
    assert isinstance(client.wait(7), Outcomes)
    assert not node_of(run)._waiters._open


def test_a_transaction_refused_here_and_final_by_others_is_final():
    """A node drops what its own next block cannot hold; the others may have room for it later."""
    run = world()
    tx = pay(run)
    run.part(["node-0"], ["node-1", "node-2", "node-3"])
    node_of(run)._intake.refuse([(tx.id, Refused("over_quota", "not now"))])
    assert Client(run).ask(Await((tx.id,))).verdicts[0].code == "over_quota"
    Client(run, "node-1", b"other").finalise(tx)
    run.heal()
    assert run.run_until(lambda: run.store("node-0").find(tx.id) is not None, 10_000)
    assert Client(run).ask(Await((tx.id,))).verdicts[0].code == "final"


def test_only_so_many_refusals_are_remembered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(refusals, "MAX_REFUSALS", 2)
    run = world(1)
    ids = [bytes([number]) * 32 for number in range(3)]
    node_of(run)._intake.refuse([(tx_id, Refused("expired", "too late")) for tx_id in ids])
    client = Client(run)
    forgotten = client.send(Await((ids[0],)))
    assert client.ask(Await(tuple(ids[1:]))).verdicts[0].code == "expired"
    assert forgotten not in client.listen()


# --- questions ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def grown() -> World:
    """A chain of a contract and a block of seventeen transfers."""
    run = world()
    client = Client(run)
    client.finalise(builders.sign(run.genesis, "author", builders.deploy("counter"), gas_limit=20_000_000))
    client.finalise(*(pay(run, nonce) for nonce in range(17)))
    for nonce in range(17, 20):
        client.finalise(pay(run, nonce))
    return run


def test_headers_come_in_pages(grown: World, monkeypatch: pytest.MonkeyPatch):
    client = Client(grown)
    last = node_of(grown).height

    def heights(first: int, count: int) -> list[int]:
        answer = client.ask(AskHeaders(first, count))
        assert isinstance(answer, Headers)
        return [header.height for header, _ in answer.headers]

    everything = list(range(1, last + 1))
    assert heights(1, 500) == heights(-FAR // 2, FAR) + everything == everything
    assert heights(2, 2) == [2, 3]
    assert heights(last, 9) == [last]
    assert heights(last + 1, 9) == heights(1, 0) == heights(1, -5) == heights(FAR, FAR) == []
    monkeypatch.setattr(queries, "MAX_HEADERS", 2)
    assert heights(1, 500) == [1, 2]
    assert [count for _, count in client.ask(AskHeaders(2, 1)).headers] == [17]


@pytest.mark.parametrize("height", [-1, 0, 6, FAR, -FAR // 2])
def test_a_block_that_is_not_there_is_named(grown: World, height: int):
    answer = Client(grown).ask(AskBlock(height))
    assert answer == Failure("no_block", f"there is no block {height} yet; the last one is 5")


@pytest.mark.parametrize("height", [FAR, -FAR // 2 - 3, 2**64 - 1])
def test_no_number_breaks_a_node_that_keeps_its_chain_in_sqlite(tmp_path: Path, height: int):
    chain = builders.genesis(weights=(1,))
    store = SqliteStore(tmp_path / "chain.sqlite", chain.hash, chain.state_items())
    node = Node("node-0", builders.key("node-0"), chain, store, Random(0))
    executor = Executor(chain, chain.state_items(), None)
    asked = [Asked(b"client", encode(Request(1, body))) for body in (AskBlock(height), AskHeaders(height, height))]
    effects = take_turn(node, store, executor, [Started(), *asked], 0)
    answers = [decode(effect.data, Response).body for effect in effects if isinstance(effect, Reply)]
    assert [type(answer) for answer in answers] == [Failure, Headers]
    store.close()


def test_every_transaction_of_a_block_can_be_proved(grown: World):
    client = Client(grown)
    detail = client.ask(AskBlock(2))
    assert isinstance(detail, BlockDetail)
    assert len(detail.receipts) == len(detail.final.block.txs) == 17
    for index, raw in enumerate(detail.final.block.txs):
        found = client.ask(AskReceipt(open_envelope(raw, 10**6).id))
        assert isinstance(found, ReceiptAnswer)
        assert (found.tx, found.index, found.count) == (raw, index, 17)
        assert decode(found.receipt, Receipt) == detail.receipts[index]
        header = found.header
        found.certificate.verify(header, grown.genesis.committee)
        assert merkle.verify_inclusion(raw, index, 17, found.tx_path, header.tx_root)
        assert merkle.verify_inclusion(found.receipt, index, 17, found.receipt_path, header.receipt_root)


def test_a_receipt_that_is_not_there_is_named(grown: World):
    answer = Client(grown).ask(AskReceipt(bytes(32)))
    assert answer == Failure("not_final", f"no final transaction has the id {'00' * 32}")


@pytest.mark.parametrize("who", ["shop", "a stranger"])
def test_presence_and_absence_are_proved_under_the_certified_header(grown: World, who: str):
    key = account_key(builders.key(who).public)
    answer = Client(grown).ask(AskState(key))
    assert isinstance(answer, StateAnswer)
    assert (answer.value is None) == (who == "a stranger")
    assert answer.header is not None
    assert answer.certificate is not None
    answer.certificate.verify(answer.header, grown.genesis.committee)
    assert merkle.verify_state(key, answer.value, answer.proof, answer.header.state_root)
    assert not merkle.verify_state(key, encode(Account(balance=10**9)), answer.proof, answer.header.state_root)


def test_before_the_first_block_the_state_is_that_of_the_genesis():
    run = world()
    key = account_key(builders.key("bank").public)
    answer = Client(run).ask(AskState(key))
    assert (answer.header, answer.certificate) == (None, None)
    assert merkle.verify_state(key, answer.value, answer.proof, first_root(run.genesis))


def test_contracts_are_listed_and_asked(grown: World):
    client = Client(grown)
    assert client.ask(AskContracts()) == Contracts((("counter", builders.key("author").did, 1),))
    assert client.ask(AskState(contract_key("counter"))).value is not None


@pytest.mark.parametrize(
    ("contract", "view", "args", "words"),
    [
        ("nobody", "total", {}, 'there is no contract "nobody": deploy it first'),
        ("counter", "total", {}, 'counter has no view "total"; it has: none'),
        ("counter", "add", {}, "counter.add is an action: send a transaction"),
        ("ledger", "transfer", {}, 'there is no contract "ledger"'),
        ("", "", {"x": [0.5, {"y": b""}]}, 'there is no contract ""'),
    ],
)
def test_a_view_that_fails_says_why(grown: World, contract: str, view: str, args: dict[str, Any], words: str):
    answer = Client(grown).ask(AskView(contract, view, args))
    assert isinstance(answer, Failure)
    assert answer.code == "view_failed"
    assert words in answer.message


def test_a_view_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(execution, "VIEW_GAS", 100_000)
    run = world(1)
    source = ECHO.replace("return x\n", "while True:\n            x = x\n        return x\n")
    Client(run).finalise(builders.sign(run.genesis, "author", builders.deploy("echo", source), gas_limit=20_000_000))
    answer = Client(run).ask(AskView("echo", "say", {"x": {}}))
    assert isinstance(answer, Failure)
    assert "the gas limit of 100000 is reached" in answer.message


HOSTILE_VALUES = [0.5, [[[0.5]]], {"a": {"b": None}}, msgspec.msgpack.Ext(5, b"x"), 2**64 - 1, "\0", b"\xff" * 9]


@pytest.mark.parametrize("value", HOSTILE_VALUES, ids=lambda value: type(value).__name__)
def test_no_argument_of_a_view_breaks_a_node(value: Any):
    run = world(1)
    client = Client(run)
    source = ECHO
    client.finalise(builders.sign(run.genesis, "author", builders.deploy("echo", source), gas_limit=20_000_000))
    for args in ({"x": value}, {"self": value}, {"": value}, {"x": {}, "y": value}):
        answer = client.ask(AskView("echo", "say", args))
        assert isinstance(answer, Value if args == {"x": {"a": {"b": None}}} else Failure)


ECHO = '''"""An echo."""
from minichain.contracts.api import Contract, action, view


class Echo(Contract):
    """Say it again."""

    @view
    def say(self, x: dict) -> dict:
        """Return what was given."""
        return x

    @action
    def shout(self, times: int) -> str:
        """Return a long text."""
        return "x" * times
'''


def test_an_account_counts_the_transactions_that_wait(parted: World):
    client = Client(parted)
    client.submit(pay(parted, 0), pay(parted, 1))
    answer = client.ask(AskAccount(builders.key("bank").public))
    assert answer == AccountState(Account(balance=10**6, may_write=True), next_nonce=2, height=0)
    assert client.ask(AskAccount(b"not a key")) == AccountState(Account(), next_nonce=0, height=0)


def test_a_node_tells_how_it_is(grown: World):
    answer = Client(grown).ask(AskStatus())
    assert isinstance(answer, NodeStatus)
    assert (answer.name, answer.height, answer.waiting, answer.evidence) == ("node-0", 5, 0, 0)
    assert answer.counters["transactions"] == 21
    assert answer.engine["step"] == "idle"


# --- questions that are too large ----------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x92\x01", encode(Request(1, AskStatus())) + b"\0", b"x" * 1_000])
def test_what_is_no_question_is_answered_and_counted(data: bytes):
    run = world(1)
    run.ask("node-0", b"client", data)
    run.run_for(100)
    (reply,) = run.replies(b"client")
    assert decode(reply, Response).body.code == "malformed"
    assert counters(run)["garbage"] == 1


def test_a_question_larger_than_a_message_is_not_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(messages, "MAX_MESSAGE_BYTES", 1_000)
    run = world(1)
    client = Client(run)
    client.send(Submit((bytes(1_000),)))
    assert "where at most 1000 are accepted" in client.wait(0).message


@pytest.mark.parametrize("make", [lambda n: Submit((b"",) * n), lambda n: Await((bytes(32),) * n)])
def test_a_question_about_too_many_is_not_worked_through(
    make: Callable[[int], Record], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(core, "MAX_ASKED", 5)
    client = Client(world(1))
    answer = client.ask(make(6))
    assert answer == Failure("too_many", "6 transactions in one request, where at most 5 are taken: send them in parts")


def test_who_waits_for_what_is_no_id_is_told():
    client = Client(world(1))
    answer = client.ask(Await((b"x" * 10_000,)))
    assert isinstance(answer, Failure)
    assert answer.message == "a transaction's id has 32 bytes, not 10000"


def test_an_answer_that_no_message_can_hold_is_replaced_by_a_reason(monkeypatch: pytest.MonkeyPatch):
    run = world(1)
    client = Client(run)
    client.finalise(builders.sign(run.genesis, "author", builders.deploy("echo", ECHO), gas_limit=20_000_000))
    shout = builders.Call("echo", "shout", {"times": 3_000})
    client.finalise(builders.sign(run.genesis, "author", shout, nonce=1))
    monkeypatch.setattr(core, "MAX_MESSAGE_BYTES", 2_000)
    answer = client.ask(AskBlock(2))
    assert isinstance(answer, Failure)
    assert answer.code == "too_large"
    assert "ask for less at once" in answer.message


# --- members --------------------------------------------------------------------------------------------------------


def test_a_member_is_muted_for_a_while(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(peers, "MAX_FAULTS", 3)
    run = world()
    run.run_for(500)
    for _ in range(5):
        run.inject("node-3", "node-0", b"noise")
    run.run_for(100)
    assert (counters(run)["garbage"], counters(run)["muted"]) == (3, 2)
    run.run_for(peers.WINDOW_MS + 5_000)
    assert "node-3" in node_of(run).status().peers
    Client(run).finalise(pay(run))


def test_bad_transactions_of_a_member_count_as_its_faults(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(peers, "MAX_FAULTS", 10)
    run = world()
    flood = tuple(resigned(pay(run, signer=f"victim {number}"), bytes(64)) for number in range(30))
    run.run_for(500)
    run.inject("node-3", "node-0", encode(Transactions(flood)))
    run.run_for(100)
    assert counters(run)["peer_bad_signature"] == 10  # the rest of the message was not looked at
    run.inject("node-3", "node-0", encode(Transactions((pay(run).raw,))))
    run.run_for(100)
    assert counters(run)["muted"] >= 1
    assert node_of(run).status().waiting == 0


def test_a_correct_member_may_send_what_others_have_decided(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(peers, "MAX_FAULTS", 3)
    run = world()
    txs = [pay(run, nonce) for nonce in range(5)]
    Client(run).finalise(*txs)
    run.inject("node-3", "node-0", encode(Transactions((*(tx.raw for tx in txs), pay(run, 9).raw))))
    run.run_for(100)
    assert "muted" not in counters(run)
    assert counters(run)["peer_wrong_nonce"] == 1


def watch(run: World, name: str) -> list[messages.PeerMessage]:
    """Keep what a member says to node-0; it goes on as before."""
    said: list[messages.PeerMessage] = []

    def listen(receiver: str, data: bytes, random: Any) -> Iterator[bytes]:
        if receiver == "node-3":
            said.append(messages.read_peer_message(data))
        yield data

    run.corrupt(name, listen)
    return said


@pytest.mark.parametrize("height", [-(2**63), -1, 0, 1])
def test_help_is_given_but_not_as_often_as_it_is_asked_for(height: int):
    run = world()
    Client(run).finalise(pay(run))
    run.run_for(3_000)
    said = watch(run, "node-0")
    for _ in range(20):
        run.inject("node-3", "node-0", encode(Position(height, 0)))
    run.run_for(50)
    helped = [message for message in said if isinstance(message, FinalBlocks)]
    assert len(helped) == 1
    run.run_for(peers.HELP_INTERVAL_MS)
    run.inject("node-3", "node-0", encode(Position(height, 0)))
    run.run_for(50)
    assert sum(isinstance(message, FinalBlocks) for message in said) == 2


@pytest.mark.parametrize("height", [3, 10**9, 2**64 - 1])
def test_a_member_that_says_it_is_ahead_is_asked_once_in_a_while(height: int):
    run = world()
    run.run_for(3_000)
    said = watch(run, "node-0")
    before = run.now_ms
    for _ in range(20):
        run.inject("node-3", "node-0", encode(Position(height, 2**64 - 1)))
    run.run_for(500)
    assert sum(isinstance(message, Position) for message in said) <= 2  # its own tick may be one of them
    assert run.now_ms - before == 500
    Client(run).finalise(pay(run))


def test_help_holds_only_so_many_blocks_and_bytes(monkeypatch: pytest.MonkeyPatch):
    run = world(1)
    for nonce in range(6):
        Client(run).finalise(pay(run, nonce))
    store = run.store("node-0")
    monkeypatch.setattr(sync, "MAX_BLOCKS", 4)
    assert [final.block.header.height for final in sync.blocks_from(store, 2)] == [2, 3, 4, 5]
    monkeypatch.setattr(sync, "MAX_BYTES", 2 * len(pay(run).raw) + 9)
    assert [final.block.header.height for final in sync.blocks_from(store, 0)] == [1, 2]
    monkeypatch.setattr(sync, "MAX_BYTES", 1)
    assert [final.block.header.height for final in sync.blocks_from(store, 6)] == [6]  # always one
    assert sync.blocks_from(store, 7) == ()
    catching_up = sync.CatchUp()
    catching_up.offer(b"peer", (store.block(1),) * 9)  # type: ignore[arg-type]
    assert len(catching_up) == 4


@pytest.fixture
def behind() -> tuple[World, FinalBlock]:
    """node-0 is parted and lacks block 1; node-3 is corrupt and can send it anything."""
    run = world()
    run.part(["node-0"], ["node-1", "node-2", "node-3"])
    Client(run, "node-1").finalise(pay(run))
    final = run.store("node-1").block(1)
    assert final is not None
    run.network.part([["node-0", "node-3"], ["node-1", "node-2"]])
    return run, final


def forged_certificate(final: FinalBlock) -> FinalBlock:
    certificate = final.certificate
    bad = tuple((position, bytes(64)) for position, _ in certificate.signatures)
    return msgspec.structs.replace(final, certificate=msgspec.structs.replace(certificate, signatures=bad))


def thin_certificate(final: FinalBlock) -> FinalBlock:
    certificate = final.certificate
    thin = msgspec.structs.replace(certificate, signatures=certificate.signatures[:2])
    return msgspec.structs.replace(final, certificate=thin)


def repeated_signer(final: FinalBlock) -> FinalBlock:
    certificate = final.certificate
    same = (certificate.signatures[0],) * 3
    return msgspec.structs.replace(final, certificate=msgspec.structs.replace(certificate, signatures=same))


def with_txs(*txs: bytes) -> Callable[[FinalBlock], FinalBlock]:
    return lambda final: msgspec.structs.replace(final, block=Block(final.block.header, txs))


def of_another_chain(final: FinalBlock) -> FinalBlock:
    """A sound final block of a chain that the same members run: its certificate is good, and not for here."""
    chain = builders.genesis(weights=(1,) * 4, chain_id="twin", balances=BALANCES)
    block, _, _ = builders.Ledger(chain).build([builders.sign(chain, "bank", builders.transfer("thief", 10**6))])
    return builders.finalise(chain, block)


def with_header(**fields: Any) -> Callable[[FinalBlock], FinalBlock]:
    def change(final: FinalBlock) -> FinalBlock:
        return msgspec.structs.replace(
            final, block=Block(msgspec.structs.replace(final.block.header, **fields), final.block.txs)
        )

    return change


FALSE_BLOCKS: dict[str, Callable[[FinalBlock], FinalBlock]] = {
    "forged signatures": forged_certificate,
    "two signatures of four": thin_certificate,
    "one signer three times": repeated_signer,
    "no transactions": with_txs(),
    "other transactions": with_txs(b"nonsense"),
    "a transaction twice": lambda final: with_txs(*final.block.txs, *final.block.txs)(final),
    "another state root": with_header(state_root=bytes(32)),
    "another chain": of_another_chain,
}


@pytest.mark.parametrize("what", FALSE_BLOCKS)
def test_a_false_final_block_is_dropped_and_its_sender_remembered(what: str, behind: tuple[World, FinalBlock]):
    run, final = behind
    run.inject("node-3", "node-0", encode(FinalBlocks((FALSE_BLOCKS[what](final),))))
    run.run_for(50)
    assert node_of(run).height == 0
    assert counters(run)["bad_final_blocks"] == 1
    run.inject("node-3", "node-0", encode(FinalBlocks((final,))))
    run.run_for(50)
    assert node_of(run).height == 1
    run.heal()
    Client(run).finalise(pay(run, 1))


def test_false_final_blocks_mute_their_sender(behind: tuple[World, FinalBlock], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(peers, "MAX_FAULTS", 3)
    run, final = behind
    for _ in range(10):
        run.inject("node-3", "node-0", encode(FinalBlocks((thin_certificate(final),))))
    run.run_for(50)
    assert (counters(run)["bad_final_blocks"], counters(run)["muted"]) == (3, 7)


def test_final_blocks_of_no_use_are_passed_over(behind: tuple[World, FinalBlock]):
    run, final = behind
    wrong = [with_header(height=height)(final) for height in (-1, 0, 3, 2**64 - 1)]
    run.inject("node-3", "node-0", encode(FinalBlocks((*wrong, final, *wrong))))
    run.inject("node-3", "node-0", encode(FinalBlocks(())))
    run.run_for(50)
    assert node_of(run).height == 1
    assert "bad_final_blocks" not in counters(run)
    run.heal()
    Client(run).finalise(pay(run, 1))


def test_a_false_block_does_not_spoil_one_that_was_judged():
    """The transactions of a proposal were opened and executed; a false final block of the same id brings others."""
    run = world()
    Client(run).submit(pay(run))
    assert run.run_until(lambda: bool(node_of(run)._intake._opened), 5_000)
    (block_id,) = node_of(run)._intake._opened
    held = next(block for block in (p.block for p in node_of(run)._engine._log.proposals.values()))
    certificate = builders.finalise(run.genesis, held).certificate
    thief = builders.sign(run.genesis, "bank", builders.transfer("thief", 10**6))
    run.inject("node-3", "node-0", encode(FinalBlocks((FinalBlock(Block(held.header, (thief.raw,)), certificate),))))
    assert run.run_until(lambda: node_of(run).height == 1, 5_000)
    final = run.store("node-0").block(1)
    assert final is not None
    assert final.block.txs == held.txs
    assert block_id == final.block.header.id


def propose(run: World, block: Block, round_: int = 0, valid_round: int = -1) -> Proposal:
    """Sign a block as the proposer of height 1."""
    name = proposer_name(run, round_)
    return sign_proposal(builders.key(name), run.genesis.hash, 1, round_, block, valid_round)


def said_by(run: World, name: str) -> list[Message]:
    """Return what a node has signed at this height, as its disk has it."""
    memory = run.store(name).memory()
    return [read_own(data) for item, data in memory.items() if item.startswith(engine.SAID)]


def proposer_name(run: World, round_: int = 0) -> str:
    public = core.proposer(run.genesis.committee, 1, round_)
    return next(member.name for member in run.genesis.committee.members if member.public == public)


def made_block(run: World, *txs: Envelope, now_ms: int = 0, **fields: Any) -> Block:
    ledger = builders.Ledger(run.genesis)
    block, _, _ = ledger.build(txs, now_ms)
    raw = fields.pop("raw", block.txs)
    proposer = builders.key(proposer_name(run)).public
    header = msgspec.structs.replace(block.header, proposer=proposer, tx_root=merkle.root(raw), **fields)
    return Block(header, tuple(raw))


@pytest.mark.parametrize(
    "make",
    [
        lambda run: made_block(run, raw=(b"nonsense",)),
        lambda run: made_block(run, raw=(resigned(pay(run), bytes(64)),)),
        lambda run: made_block(run, raw=(malleated(pay(run)),)),
        lambda run: made_block(run, raw=(pay(run, 7).raw,)),
        lambda run: made_block(run, raw=(pay(run).raw, pay(run).raw)),
        lambda run: made_block(run, pay(run), state_root=bytes(32)),
        lambda run: made_block(run, pay(run), receipt_root=bytes(32)),
        lambda run: made_block(run, pay(run), time_ms=1),
        lambda run: made_block(run, pay(run), parent=b"p" * 32),
    ],
    ids=["garbage", "unsigned", "malleated", "wrong nonce", "twice", "state root", "receipt root", "time", "parent"],
)
def test_nobody_votes_for_a_bad_block(make: Callable[[World], Block]):
    run = world()
    liar, block = proposer_name(run), make(run)
    for name in run.names:
        if name != liar:
            run.inject(liar, name, encode(propose(run, block)))
    run.run_for(500)
    for name in run.names:
        if name != liar:
            assert counters(run, name)["invalid_blocks"] == 1
            assert {message.block_id for message in said_by(run, name)} == {None}
    run.run_for(10_000)
    Client(run, "node-0" if liar != "node-0" else "node-2").finalise(pay(run))


@pytest.mark.parametrize("skew_ms", [-10_050, 10_050, 10**12, -(10**12)])
def test_a_block_whose_time_is_far_off_is_not_listened_to(skew_ms: int):
    run = world(clock="wall")
    liar = proposer_name(run)
    other = next(name for name in run.names if name != liar)
    block = made_block(run, pay(run), time_ms=run.now_ms + skew_ms)
    run.inject(liar, other, encode(propose(run, block)))
    run.run_for(20)
    assert counters(run, other)["untimely"] == 1
    assert said_by(run, other) == []


def test_a_block_whose_time_is_about_now_is_listened_to():
    run = world(clock="wall")
    liar = proposer_name(run)
    block = made_block(run, pay(run), now_ms=run.now_ms + 9_000)
    for other in set(run.names) - {liar}:
        run.inject(liar, other, encode(propose(run, block)))
    assert run.run_until(lambda: all(run.store(name).block(1) for name in run.names), 1_000)
    assert run.store("node-0").block(1).block == block


def test_a_node_forgets_what_it_said_in_the_turn_that_ends_its_height():
    run = world(seed=3)
    txs = [pay(run, nonce) for nonce in range(3)]
    for name in run.names:
        run.ask(name, b"client", encode(Request(next(NUMBERS), Submit(tuple(tx.raw for tx in txs)))))
    remembered, end = set[int](), run.now_ms + 5_000
    while run.step(end):
        for name in run.names:
            heights = {message.height for message in said_by(run, name)}
            assert heights <= {run.store(name).height() + 1}, name
            remembered |= heights
    assert 1 in remembered
    assert all(run.store(name).height() >= 1 and run.store(name).memory() == {} for name in run.names)


def test_early_votes_fill_only_their_senders_places(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine, "MAX_EARLY_MESSAGES", 3)
    run = world()
    liar = builders.key("node-3")
    for round_ in range(10):
        run.inject("node-3", "node-0", encode(cast_vote(liar, run.genesis.hash, PREVOTE, 2, round_, None)))
    run.run_for(50)
    early = node_of(run)._engine._early
    assert {author: len(kept) for author, kept in early.items()} == {liar.public: 3}
    Client(run).finalise(pay(run))


def test_votes_of_rounds_far_ahead_are_not_kept(monkeypatch: pytest.MonkeyPatch):
    run = world()
    liar = builders.key("node-3")
    for round_ in (votes.MAX_ROUNDS_AHEAD + 5, 10**6, 2**31, 2**40, -1):
        run.inject("node-3", "node-0", encode(cast_vote(liar, run.genesis.hash, PRECOMMIT, 1, round_, None)))
    run.run_for(50)
    assert not node_of(run)._engine._log._tallies[PRECOMMIT]
    Client(run).finalise(pay(run))


def test_a_message_larger_than_the_door_is_garbage(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(messages, "MAX_MESSAGE_BYTES", 100)
    run = world()
    run.inject("node-3", "node-0", encode(Transactions((bytes(200),))))
    run.run_for(20)
    assert counters(run)["garbage"] == 1
