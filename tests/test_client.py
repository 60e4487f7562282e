"""The public face, used as a course uses it; and one script in both worlds, which must come to the same."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import builders
import pytest
from noticeboard import NoticeBoard

import minichain as mc
from minichain.client.client import GAS_LIMIT, Client
from minichain.client.evidence import read_misbehaviour
from minichain.client.simulated import SimulatedChannel, SimulatedWorld
from minichain.codec import encode
from minichain.consensus.bft import Equivocation
from minichain.consensus.bft.messages import cast_vote
from minichain.contracts.system import IDENTITY
from minichain.contracts.written import source_of
from minichain.crosschain.proofs import verify
from minichain.errors import (
    CallFailed,
    ContractFault,
    DecodeError,
    LanguageError,
    NetworkError,
    ProofError,
    Refused,
    TimedOut,
    UsageError,
)
from minichain.faults import adversaries
from minichain.ledger.genesis import Fee, Limits, Quota, Stake
from minichain.ledger.state import TREASURY_KEY
from minichain.ledger.types import Call
from minichain.node import core
from minichain.node.messages import AskEvidence, AskStatus, Await, Failure, Headers, Outcomes, Submit, Verdict


@pytest.fixture
def net() -> Iterator[mc.Network]:
    with mc.Network.simulated(validators=4, seed=7) as running:
        yield running


@pytest.fixture
def board(net: mc.Network) -> Any:
    return net.deploy(NoticeBoard, sender=net.wallet("keeper"), keeper=net.wallet("keeper").did)


def pay(net: mc.Network, **options: Any) -> mc.Receipt:
    shop = net.wallet("shop")
    return net.send(net.wallet("bank"), [Call("ledger", "transfer", {"to": shop.did, "amount": 1})], **options)


# --- several at once -------------------------------------------------------------------------------------------------


def transfer(net: mc.Network, amount: int) -> list[Call]:
    return [Call("ledger", "transfer", {"to": net.wallet("shop").did, "amount": amount})]


def test_what_is_sent_together_is_handed_in_before_anybody_waits(net: mc.Network):
    wallets = net.wallets([f"resident {number}" for number in range(5)], units=10)
    assert net.height() <= 2, "many wallets are opened as fast as one"
    before = net.height()
    receipts = net.send_together((wallet, transfer(net, 1)) for wallet in [*wallets.values(), *wallets.values()])
    assert len({receipt.tx_id for receipt in receipts}) == 10
    assert net.height() <= before + 3
    assert net.account(net.wallet("shop")).balance == 10
    assert net.send_together([]) == []


def test_of_several_the_first_that_failed_is_named_and_the_others_stand(net: mc.Network):
    poor, rich = net.wallet("poor"), net.wallet("bank")
    with pytest.raises(CallFailed, match="the balance is 0, less than the 7 to be sent"):
        net.send_together([(rich, transfer(net, 2)), (poor, transfer(net, 7)), (rich, transfer(net, 3))])
    assert net.account(net.wallet("shop")).balance == 5


def test_of_several_one_whose_nonce_was_taken_is_signed_anew(net: mc.Network):
    bank = net.wallet("bank")
    other = Client(net.genesis, SimulatedChannel(world_of(net).world))
    net.wallet("shop")
    asked: list[Any] = []

    def be_quicker(name: str, body: Any) -> None:
        if isinstance(body, Submit):
            asked.append(body)
            if len(asked) == 1:
                assert other.send(bank, transfer(net, 10), "the quicker one").ok

    net.client.channel = Spy(net.client.channel, be_quicker)
    net.send_together([(bank, transfer(net, 1)), (bank, transfer(net, 2))])
    assert net.account(net.wallet("shop")).balance == 13, "each once"


def test_what_was_handed_in_and_lost_is_not_waited_for_by_what_comes_later(net: mc.Network):
    bank = net.wallet("bank")
    net.begin_together([(bank, transfer(net, 1)), (bank, transfer(net, 2))])
    for name in net.nodes:  # before any block has them
        net.crash(name)
    for name in net.nodes:
        net.restart(name)
    assert net.send(bank, transfer(net, 10)).ok
    net.send_together([(bank, transfer(net, 20))])
    assert net.account(net.wallet("shop")).balance == 30


# --- members and evidence ---------------------------------------------------------------------------------------------


def test_who_contradicts_itself_is_shown_and_can_be_accused():
    with mc.Network.simulated(4, seed=5, membership=Stake(epoch=5)) as net:
        world_of(net).world.behave("node-3", "double-voter")
        for _ in range(3):
            pay(net)
        shown = net.evidence()[0]
        assert (shown.did, shown.height) == (net.members()[3].did, shown.height)
        assert shown.step in ("prevote", "precommit")
        net.accuse(net.wallet("resident"), shown)
        while len(net.members()) == 4:
            pay(net)
        assert [member.name for member in net.members()] == ["node-0", "node-1", "node-2"]
        with pytest.raises(CallFailed, match="was slashed for height"):
            net.accuse(net.wallet("resident"), shown)


def test_evidence_that_proves_nothing_is_not_believed(net: mc.Network):
    votes = [cast_vote(builders.key("node-0"), bytes(32), 0, 1, 0, each) for each in (None, bytes(32))]
    with pytest.raises(ProofError, match="proves nothing"):
        read_misbehaviour(encode(Equivocation(*votes)), net.genesis)
    refused = net.client.channel.request("node-0", AskEvidence(0), 1_000)
    assert isinstance(refused, Failure)
    assert "has 0 proofs of misbehaviour, and none numbered 0" in refused.message


# --- wallets and contracts ------------------------------------------------------------------------------------------


def test_the_same_name_is_the_same_wallet(net: mc.Network):
    office = net.wallet("Street Office A")
    assert net.wallet("Street Office A").did == office.did != net.wallet("Street Office B").did
    assert repr(office) == f"<Wallet Street Office A: {office.did}>"
    with mc.Network.simulated(seed=8) as another:
        assert another.wallet("Street Office A").did != office.did


def test_the_bank_tops_a_wallet_up_and_no_further(net: mc.Network):
    for wanted in (5, 5, 3, 9):
        net.wallet("shop", units=wanted)
    assert net.account(net.wallet("shop")).balance == 9
    assert net.height() == 2


def test_a_class_a_file_and_source_text_are_the_same_contract(net: mc.Network, tmp_path: Path):
    keeper = net.wallet("keeper")
    file = tmp_path / "board.py"
    file.write_text(source_of(NoticeBoard), encoding="utf-8")
    contracts = (NoticeBoard, file, str(file), source_of(NoticeBoard))
    for number, contract in enumerate(contracts):
        made = net.deploy(contract, sender=keeper, name=f"board-{number}", keeper=keeper.did)
        made.post("hello")
    assert {net.source(name) for name, _, _ in net.contracts()} == {source_of(NoticeBoard), IDENTITY}
    assert [(by, height) for name, by, height in net.contracts() if name != "identity"] == [
        (keeper.did, 1 + 2 * n) for n in range(4)
    ]


def test_a_contract_is_named_after_its_class(net: mc.Network, board: Any):
    assert board.name == "notice-board"
    assert "read" in dir(board)
    assert repr(board) == "<contract notice-board: post, clear, read>"
    found = net.contract("notice-board")
    assert found.abi == board.abi
    assert found.sender is None


def test_a_receipt_tells_everything(net: mc.Network, board: Any):
    resident = net.wallet("resident")
    receipt = board.with_sender(resident).post("hello")
    assert (receipt.ok, receipt.outcome, receipt.error, receipt.result, receipt.height) == (True, "ok", "", 1, 2)
    (event,) = receipt.events
    assert (event.contract, event.name, event.data) == (
        "notice-board",
        "Posted",
        {"who": resident.did, "text": "hello"},
    )
    assert receipt.block.final.block.header.height == 2
    assert receipt.block.receipts == (receipt.content,)
    assert verify(receipt.proof(), net.genesis.hash).sender == resident.did
    assert repr(receipt) == f"<Receipt ok at height 2, {receipt.gas} gas: Posted>"
    assert net.receipt(receipt.tx_id).content == receipt.content
    assert net.proof(receipt.tx_id) == receipt.proof()


def test_views_are_free(net: mc.Network, board: Any):
    resident = net.wallet("resident")
    board.with_sender(resident).post("hello")
    before = net.account(resident), net.height()
    for asker in (board, board.with_sender(resident), net.contract("notice-board")):
        assert asker.read(resident.did) == asker.read(who=resident.did) == "hello"
        assert asker.read("nobody") == ""
    assert (net.account(resident), net.height()) == before


def test_a_refusal_of_the_contract_carries_its_receipt(net: mc.Network, board: Any):
    resident = board.with_sender(net.wallet("resident"))
    with pytest.raises(CallFailed, match=r"notice-board.post reverted: .*a notice has at most 20 characters") as failed:
        resident.post("x" * 21)
    receipt = failed.value.receipt
    assert (receipt.outcome, receipt.events, receipt.result) == ("reverted", (), None)
    assert resident.attempt("post", "x" * 21).outcome == "reverted"
    assert "only the keeper takes notices down" in resident.attempt("clear", who="nobody").error
    assert verify(receipt.proof()).receipt.outcome == "reverted"


def test_several_calls_are_one_transaction(net: mc.Network, board: Any):
    resident = net.wallet("resident")
    post = Call("notice-board", "post", {"text": "hello"})
    clear = Call("notice-board", "clear", {"who": resident.did})
    with pytest.raises(CallFailed, match=r"notice-board.post and notice-board.clear reverted: .*only the keeper"):
        net.send(resident, [post, clear])
    assert board.read(resident.did) == ""
    assert len(net.send(net.wallet("keeper"), [post, post]).events) == 2


def test_a_contract_can_be_copied(board: Any):
    twin = copy.copy(board)
    assert (twin.name, twin.abi) == (board.name, board.abi)
    assert twin.post("hello").ok


# --- wrong use says what is right -----------------------------------------------------------------------------------


def test_wrong_use_of_a_contract_says_what_is_right(net: mc.Network, board: Any):
    with pytest.raises(UsageError, match="no contract 'bord' on this chain; deployed are: identity, notice-board"):
        net.contract("bord")
    with pytest.raises(UsageError, match="no contract 'bord'"):
        net.source("bord")
    with pytest.raises(AttributeError, match="no action or view 'write'; it has: post, clear, read"):
        board.write("hello")
    with pytest.raises(UsageError, match=r"say who calls it, with notice-board.with_sender"):
        net.contract("notice-board").post("hello")
    with pytest.raises(UsageError, match=r"notice-board.post takes 1 arguments \(text\), not 2"):
        board.post("hello", "again")
    with pytest.raises(UsageError, match="was given text twice"):
        board.post("hello", text="again")
    with pytest.raises(CallFailed, match='no argument "tekst"; it takes text'):
        board.post(tekst="hello")
    with pytest.raises(CallFailed, match="argument text must be str, not int"):
        board.post(5)
    with pytest.raises(ContractFault, match="argument who is missing"):
        board.read()
    assert "has no action" in board.attempt("write").error
    height = net.height()
    assert height == 4  # the deployment, and three calls that only the contract could refuse


def test_wrong_use_of_deploy_says_what_is_right(net: mc.Network):
    keeper = net.wallet("keeper")
    with pytest.raises(LanguageError):
        net.deploy("import os", sender=keeper)
    with pytest.raises(UsageError, match="class derived from minichain's Contract"):
        net.deploy(dict, sender=keeper)
    with pytest.raises(UsageError, match="cannot be read as UTF-8 text"):
        net.deploy("nowhere.py", sender=keeper)
    with pytest.raises(CallFailed, match="argument keeper is missing"):
        net.deploy(NoticeBoard, sender=keeper)
    with pytest.raises(CallFailed, match="a contract's name is 1 to 40"):
        net.deploy(NoticeBoard, sender=keeper, name="Notice Board", keeper="")
    net.deploy(NoticeBoard, sender=keeper, keeper="")
    with pytest.raises(CallFailed, match="the name notice-board is taken: choose another name"):
        net.deploy(NoticeBoard, sender=keeper, keeper="")


def test_an_argument_of_setup_is_not_swallowed_by_deploy(net: mc.Network):
    keeper = net.wallet("keeper")
    source = source_of(NoticeBoard).replace("keeper: str", "name: str").replace("= keeper", "= name")
    with pytest.raises(UsageError, match=r"deploy itself has an argument name: give that of NoticeBoard's setup in"):
        net.deploy(source, sender=keeper, name="resident")
    made = net.deploy(source, sender=keeper, name="board", setup={"name": keeper.did})
    assert made.name == "board"
    assert made.attempt("clear", "nobody").outcome == "fault"  # the keeper may, but there is nothing


def test_a_network_that_does_not_run_says_so():
    net = mc.Network.simulated(validators=1)
    with pytest.raises(UsageError, match=r"inside `with net:`, or call net.start"):
        net.height()
    with net:
        assert net.head() is None
        with pytest.raises(UsageError, match="already running"):
            net.start()
    with pytest.raises(UsageError, match="not running"):
        pay(net)


@pytest.mark.parametrize("validators", [0, -1, 101])
def test_a_network_of_no_size_is_refused(validators: int):
    with pytest.raises(UsageError, match=f"has 1 to 100 validators, not {validators}"):
        mc.Network.simulated(validators=validators)


@pytest.mark.parametrize("tx_id", ["", "zz", "00" * 32, "00" * 40])
def test_a_receipt_that_is_not_there_is_named(net: mc.Network, tx_id: str):
    with pytest.raises(UsageError, match=r"is not a transaction id|no final transaction has the id"):
        net.receipt(tx_id)


def test_a_block_that_is_not_there_is_named(net: mc.Network):
    with pytest.raises(UsageError, match="there is no block 7 yet; the last one is 0"):
        net.block(7)
    assert net.headers(1) == ()


def test_unknown_validators_are_named(net: mc.Network):
    for use in (
        net.crash,
        net.restart,
        lambda name: net.partition([name]),
        lambda name: net.wait_for_height(0, [name]),
    ):
        with pytest.raises(UsageError, match="no validator 'node-9'; there are node-0, node-1, node-2, node-3"):
            use("node-9")
    with pytest.raises(UsageError, match="already running"):
        net.restart("node-0")
    net.crash("node-0")
    with pytest.raises(UsageError, match="already off"):
        net.crash("node-0")


# --- quotas, fees, limits -------------------------------------------------------------------------------------------


def test_several_contracts_are_deployed_within_one_quota():
    with mc.Network.simulated(1, policy=Quota(gas=60_000_000, window=1_000)) as net:
        office = net.wallet("office")
        for number in range(4):
            assert net.deploy(builders.COUNTER, sender=office, name=f"counter-{number}").add(1).ok


def test_a_quota_is_refused_with_the_height_to_come_back_at():
    limits = Limits(transaction_gas=1_000_000)
    with mc.Network.simulated(validators=1, policy=Quota(gas=3_000_000, window=10), limits=limits) as net:
        author = net.wallet("author")
        counter = net.deploy(builders.COUNTER, sender=net.wallet("deployer"))
        for _ in range(3):
            assert counter.with_sender(author).attempt("spin").outcome == "out_of_gas"
        with pytest.raises(Refused, match=r"3000000 of 3000000 gas of this window are used.*from height 10 on") as no:
            counter.with_sender(author).add(1)
        assert no.value.code == "over_quota"
        while net.height() < 9:
            pay(net)
        assert counter.with_sender(author).add(1).height == 10


def test_where_transactions_cost_fees_the_bank_funds_new_wallets():
    with mc.Network.simulated(validators=4, policy=Fee(price=2)) as net:
        author = net.wallet("author")
        funded = net.account(author).balance
        assert funded == 100 * GAS_LIMIT * 2
        receipt = net.deploy(builders.COUNTER, sender=author).add(1)
        spent = funded - net.account(author).balance
        assert spent == 2 * (receipt.gas + net.block(2).receipts[0].gas)
        assert net.wallet("author").did == author.did
        assert net.account(author).balance == funded  # topped up again
        treasury = net.state(TREASURY_KEY).value
        paid = sum(2 * r.gas for height in range(1, net.height() + 1) for r in net.block(height).receipts)
        assert int.from_bytes(treasury or b"") == paid


def test_who_cannot_pay_is_refused():
    with mc.Network.simulated(validators=1, policy=Fee(price=10**9)) as net:
        with pytest.raises(Refused, match=r"the fee may be .*, the balance is") as no:
            net.send(net.wallet("bank"), [Call("nobody", "nothing")])
        assert no.value.code == "cannot_pay"


def test_a_short_expiry_is_kept():
    with mc.Network.simulated(validators=1, limits=Limits(max_expiry=3)) as net:
        assert pay(net).ok
        assert pay(net).ok


def test_what_is_too_large_is_refused_before_it_is_sent(net: mc.Network):
    bank, sent = net.wallet("bank"), []
    net.client.channel = Spy(net.client.channel, lambda name, body: sent.append(body))
    with pytest.raises(Refused, match=r"\d+ bytes, where a transaction has at most 131072") as no:
        net.send(bank, [Call("nobody", "nothing", {"x": bytes(5_000_000)})])
    assert no.value.code == "oversize"
    assert not any(isinstance(body, Submit) for body in sent)


# --- validators come and go ----------------------------------------------------------------------------------------


def test_killed_validators_come_back_with_everything(net: mc.Network):
    for victim in net.nodes:
        net.crash(victim)
        assert [report.name for report in net.status() if not report.is_up] == [victim]
        receipt = pay(net)
        net.restart(victim)
        net.wait_for_height(receipt.height)
    assert net.height() == 4
    assert len({report.state_root for report in net.status()}) == 1


def test_a_minority_waits_and_catches_up(net: mc.Network):
    net.partition(["node-0"], ["node-1", "node-2", "node-3"])
    net.client._last_good = "node-1"
    receipt = pay(net)
    with pytest.raises(TimedOut, match="waited 3 s for node-0 to reach height 1"):
        net.wait_for_height(receipt.height, timeout_ms=3_000)
    net.wait_for_height(receipt.height, ["node-1", "node-2", "node-3"])
    net.heal()
    net.wait_for_height(receipt.height)


def test_two_halves_wait_for_each_other_and_the_error_says_what_for(net: mc.Network):
    net.partition(["node-0", "node-1"], ["node-2", "node-3"])
    words = r"waited 2 s for ledger.transfer to become final; running nodes: node-0, node-1, node-2, node-3 \(a chain"
    began = world_of(net).world.elapsed_ms
    with pytest.raises(TimedOut, match=words):
        pay(net, timeout_ms=2_000)
    assert world_of(net).world.elapsed_ms - began <= 2_050  # as long as it says
    net.heal()
    net.wait_for_height(1)  # it was sent, and becomes final all the same
    assert pay(net).height == 2


def test_validators_that_no_group_names_stay_together(net: mc.Network):
    net.partition(["node-0"])
    net.client._last_good = "node-1"
    assert pay(net).height == 1


def test_with_no_validator_left_nobody_waits_for_ever(net: mc.Network):
    for name in net.nodes:
        net.crash(name)
    with pytest.raises(TimedOut, match="waited 30 s for the status of any node; running nodes: none"):
        net.height()
    with pytest.raises(TimedOut, match=r"waited 2 s for .*; running nodes: none"):
        pay(net, timeout_ms=2_000)
    for name in net.nodes:
        net.restart(name)
    assert pay(net).ok


# --- failover, and one wallet in two hands -------------------------------------------------------------------------


Watcher = Callable[[str, Any], object]


def ignore(name: str, body: Any) -> None:
    pass


class Spy:
    """A channel that tells somebody about each request before it is made, or after."""

    def __init__(self, channel: Any, before: Watcher = ignore, after: Watcher = ignore) -> None:
        self._channel = channel
        self._before = before
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    def request(self, name: str, body: Any, timeout_ms: int) -> Any:
        self._before(name, body)
        answer = self._channel.request(name, body, timeout_ms)
        self._after(name, body)
        return answer


@pytest.mark.parametrize(
    ("request_type", "moment"), [(Submit, "before"), (Submit, "after"), (Await, "before")], ids=str
)
def test_when_the_preferred_node_dies_another_one_answers(net: mc.Network, moment: str, request_type: type):
    killed = []

    def kill(name: str, body: Any) -> None:
        if isinstance(body, request_type) and not killed:
            killed.append(name)
            net.crash(name)

    net.client.channel = Spy(net.client.channel, **{moment: kill})
    receipt = pay(net)
    assert killed == ["node-0"]
    assert net.client._last_good != "node-0"
    assert receipt.ok
    assert net.account(net.wallet("bank")).nonce == 1  # signed once, sent to two
    net.restart("node-0")
    net.wait_for_height(1)
    assert net.height() == 1


def test_a_node_that_lags_is_given_time(net: mc.Network):
    """The node that answers next has not yet seen what this client did last."""
    net.partition(["node-1"], ["node-0", "node-2", "node-3"])
    assert pay(net).height == 1
    net.heal()
    net.crash("node-0")
    assert net.client.channel.names[0] == "node-1"
    assert net.status()[1].height == 0
    assert pay(net).height == 2
    assert net.account(net.wallet("shop")).balance == 2


def test_a_busy_node_is_passed_over(net: mc.Network):
    class Busy(Spy):
        def request(self, name: str, body: Any, timeout_ms: int) -> Any:
            answer = super().request(name, body, timeout_ms)
            return Failure("busy", "later") if isinstance(body, Await) and name == "node-0" else answer

    net.client.channel = Busy(net.client.channel)
    assert pay(net).ok
    assert net.account(net.wallet("bank")).nonce == 1


class Liar(Spy):
    """A node-0 that gives one answer to every request of one type."""

    def __init__(self, channel: Any, request_type: type, answer: Any) -> None:
        super().__init__(channel)
        self.lie = request_type, answer

    def request(self, name: str, body: Any, timeout_ms: int) -> Any:
        request_type, answer = self.lie
        return (
            answer if isinstance(body, request_type) and name == "node-0" else super().request(name, body, timeout_ms)
        )


@pytest.mark.parametrize("lie", [Outcomes(()), Outcomes((Verdict(bytes(32), "final"),)), Headers(())], ids=repr)
def test_what_a_faulty_node_says_of_something_else_is_not_believed(net: mc.Network, lie: Any):
    net.client.channel = Liar(net.client.channel, Await, lie)
    assert pay(net).ok
    assert net.account(net.wallet("bank")).nonce == 1


def test_an_answer_to_another_question_is_the_fault_of_the_node(net: mc.Network):
    net.client.channel = Liar(net.client.channel, AskStatus, Headers(()))
    with pytest.raises(DecodeError, match="a node answered Headers, not NodeStatus: it is faulty, ask another one"):
        net.height()


def world_of(net: mc.Network) -> SimulatedWorld:
    assert isinstance(net.world, SimulatedWorld)
    return net.world


def test_one_wallet_in_two_hands(net: mc.Network):
    bank = net.wallet("bank")
    other = Client(net.genesis, SimulatedChannel(world_of(net).world))
    call = [Call("ledger", "transfer", {"to": net.wallet("shop").did, "amount": 1})]
    for _ in range(3):
        assert other.send(bank, call, "a transfer").ok
        assert pay(net).ok
    assert net.account(bank).nonce == 6


def test_a_nonce_taken_at_the_last_moment_is_taken_anew(net: mc.Network):
    bank = net.wallet("bank")
    other = Client(net.genesis, SimulatedChannel(world_of(net).world))
    call = [Call("ledger", "transfer", {"to": net.wallet("shop").did, "amount": 10})]
    submitted: list[bytes] = []

    def be_quicker(name: str, body: Any) -> None:
        if isinstance(body, Submit):
            submitted.append(body.txs[0])
            if len(submitted) == 1:
                assert other.send(bank, call, "the quicker one").ok

    net.client.channel = Spy(net.client.channel, be_quicker)
    assert pay(net).height == 2
    assert len(set(submitted)) == 2
    assert net.account(net.wallet("shop")).balance == 11


def test_time_passes_when_told(net: mc.Network):
    before = world_of(net).world.elapsed_ms
    net.pass_time(5_000)
    assert world_of(net).world.elapsed_ms == before + 5_000
    assert net.height() == 0


def test_a_run_with_a_faulty_member_can_be_read():
    with mc.Network.simulated(validators=4, seed=7, keep_lines=True) as net:
        world = world_of(net).world
        world.corrupt("node-3", adversaries.garbage)
        assert pay(net).ok
        assert any("bytes that are no message" in line for line in world.trace.lines)


def test_a_network_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(NetworkError, match=r"no network is running in .*: start one with `minichain up`"):
        mc.Network.attach(tmp_path)


def test_a_temporary_network_cannot_be_started_twice():
    net = mc.Network.local(validators=1)
    net.close()
    with pytest.raises(UsageError, match="was temporary and is gone: make a new one"):
        net.start()


# --- one script, two worlds -----------------------------------------------------------------------------------------


def script(net: mc.Network) -> dict[str, Any]:
    """What a lesson does, with everything that anybody can see of it."""
    keeper, resident = net.wallet("keeper"), net.wallet("resident", units=5)
    board = net.deploy(NoticeBoard, sender=keeper, keeper=keeper.did)
    receipts = [board.with_sender(resident).post("hello"), board.attempt("post", "x" * 21)]
    net.crash("node-2")
    receipts.append(board.post("one is missing"))
    net.restart("node-2")
    net.wait_for_height(receipts[-1].height)
    net.partition(["node-3"])
    receipts.append(board.clear(resident.did))
    net.heal()
    with suppress(CallFailed):
        net.send(resident, [Call("ledger", "transfer", {"to": keeper.did, "amount": 9})])
    receipts.append(net.send(resident, [Call("ledger", "transfer", {"to": keeper.did, "amount": 2})]))
    net.wait_for_height(net.height())
    genesis = net.genesis.hash
    return {
        "genesis": genesis,
        "receipts": [receipt.comparable() for receipt in receipts],
        "views": [board.read(who.did) for who in (keeper, resident)],
        "balances": [net.account(who).balance for who in (keeper, resident)],
        "contracts": net.contracts(),
        "roots": {report.state_root for report in net.status()},
        "times": [header.time_ms for header, _ in net.headers(1)],
        "proofs": [verify(receipt.proof(), genesis).height for receipt in receipts],
    }


def test_the_same_script_gives_the_same_receipts_and_the_same_state_root():
    with mc.Network.simulated(validators=4, seed=7) as simulated:
        seen = script(simulated)
    with mc.Network.local(validators=4, seed=7, clock="logical") as local:
        assert script(local) == seen
    assert len(seen["roots"]) == 1
    assert [receipt["outcome"] for receipt in seen["receipts"]] == ["ok", "reverted", "ok", "ok", "ok"]
    assert seen["views"] == ["one is missing", ""]
    assert seen["balances"] == [2, 3]


def test_the_node_says_when_an_answer_is_too_large(net: mc.Network, monkeypatch: pytest.MonkeyPatch):
    receipt = pay(net)
    monkeypatch.setattr(core, "MAX_MESSAGE_BYTES", 200)
    with pytest.raises(UsageError, match="ask for less at once"):
        _ = receipt.block
