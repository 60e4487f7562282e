"""Who may write, and who may read, on a chain that only its members and whom they admit may write on or read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import builders
import pytest
from builders import Ledger, key, sign, transfer
from msgspec.structs import replace
from society import Society
from test_governance import BALANCES, admit, remove, submit
from test_joining import until

import minichain as mc
from minichain.client.client import Client
from minichain.client.simulated import SimulatedChannel
from minichain.crypto import KeyPair
from minichain.errors import InvalidBlock, NetworkError, Refused
from minichain.ledger.genesis import Access, Authority, Genesis
from minichain.ledger.local import validator_key
from minichain.ledger.types import Call
from minichain.live import joining
from minichain.live.channel import LiveChannel
from minichain.merkle import root
from minichain.node.messages import (
    AskAccount,
    AskBlock,
    AskChain,
    AskContracts,
    AskEvidence,
    AskFinal,
    AskHeaders,
    AskReceipt,
    AskSnapshot,
    AskState,
    AskStatus,
    AskView,
    Await,
    BlockDetail,
    ChainAnswer,
    ClientRequest,
    Failure,
    Offer,
    Submit,
    Submitted,
)
from minichain.transition import apply_block

CLOSED = Access(reads="anyone", writes="members")
REFUSED = "only members, and accounts that a member has admitted, may write"
NODES = ("node-0", "node-1", "node-2", "node-3")


def chain(**settings: Any) -> Genesis:
    voting = Authority(voting_blocks=100, delay=3)
    return builders.genesis(**{"balances": BALANCES, "membership": voting, "access": CLOSED, **settings})


def allow(society: Society, by: str, who: str, may_write: bool = True) -> None:
    society.do(by, "ledger", "admit", account=key(who).did, may_write=may_write)


def is_refused(society: Society, who: str) -> bool:
    """Tell whether the ledger takes no word of somebody who is no member."""
    try:
        receipt = society.send(who, Call("ledger", "admit", {"account": key("x").did, "may_write": True}))
    except Refused as refusal:
        code, words = refusal.code, str(refusal)
    else:
        assert "only a member admits accounts" in receipt.error
        return False
    assert code == "not_allowed"
    assert REFUSED in words
    return True


@pytest.mark.parametrize("engine", ["bft", "raft"])
def test_refused_before_accepted_after_and_refused_again(engine: str) -> None:
    society = Society(chain(engine=engine))
    assert is_refused(society, "resident")
    allow(society, "node-2", "resident")
    assert not is_refused(society, "resident")
    allow(society, "node-1", "resident", may_write=False)
    assert is_refused(society, "resident")
    allow(society, "node-0", "resident")
    assert not is_refused(society, "resident")


def test_members_and_first_owners_write_from_the_first_block_on() -> None:
    society = Society(chain())
    for who in (*NODES, "bank"):
        society.do(who, "ledger", "deploy", name=who, source=builders.COUNTER, args={})
    assert is_refused(society, "shop")


def test_to_be_paid_is_not_to_be_admitted() -> None:
    society = Society(chain())
    society.do("bank", "ledger", "transfer", to=key("resident").did, amount=5)
    assert is_refused(society, "resident")


def test_only_members_admit() -> None:
    society = Society(chain())
    allow(society, "node-0", "resident")
    for who in ("resident", "bank"):
        words = society.fail(who, "ledger", "admit", account=key("shop").did, may_write=True)
        assert words == "only a member admits accounts: send it with a validator's key"
    assert is_refused(society, "shop")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"account": "resident", "may_write": True}, "is not the did:key of an Ed25519 key"),
        ({"account": 5, "may_write": True}, "takes `account`, a did:key"),
        ({"account": key("shop").did, "may_write": 1}, "takes `account`, a did:key"),
        ({"account": key("shop").did}, "takes the arguments account, may_write"),
        ({"account": key("node-1").did, "may_write": False}, "remove the member first"),
        ({"account": key("node-0").did, "may_write": False}, "remove the member first"),
    ],
)
def test_what_nobody_can_admit(args: dict[str, Any], words: str) -> None:
    society = Society(chain())
    assert words in society.fail("node-0", "ledger", "admit", **args)


def test_an_admission_that_fails_with_its_transaction_admits_nobody() -> None:
    society = Society(chain())
    good = Call("ledger", "admit", {"account": key("shop").did, "may_write": True})
    assert not society.send("node-0", good, Call("nobody", "nothing")).ok
    assert is_refused(society, "shop")


def test_a_new_member_may_write_and_admit() -> None:
    society = Society(chain(), ["newcomer"])
    assert is_refused(society, "newcomer")
    first = admit(society, "newcomer", *NODES[:3])
    words = society.fail("node-0", "ledger", "admit", account=key("newcomer").did, may_write=False)
    assert "remove the member first" in words, "it could not write when its term begins"
    society.grow(first)
    allow(society, "newcomer", "resident")
    assert not is_refused(society, "resident")


def test_a_removed_member_admits_nobody_and_can_be_shut_out() -> None:
    society = Society(chain())
    society.grow(remove(society, "node-3", *NODES[:3]))
    assert "only a member admits" in society.fail("node-3", "ledger", "admit", account=key("x").did, may_write=True)
    allow(society, "node-0", "node-3", may_write=False)
    assert is_refused(society, "node-3")


def test_what_waits_when_its_sender_is_shut_out_is_refused_and_the_chain_goes_on() -> None:
    society = Society(chain())
    allow(society, "node-0", "resident")
    society.run.part(["node-0", "node-1"], ["node-2", "node-3"])
    submit(
        society,
        society.sign("node-1", Call("ledger", "admit", {"account": key("resident").did, "may_write": False})).raw,
    )
    late = builders.sign(society.genesis, "resident", transfer("shop", 1))
    submit(society, late.raw)
    society.run.run_for(500)
    society.run.heal()
    society.run.run_for(20_000)
    assert all(society.node(name).status().waiting == 0 for name in NODES)
    assert society.run.store("node-0").find(late.id) is None
    assert society.pay().ok


def test_a_block_with_the_word_of_a_stranger_is_invalid() -> None:
    """Whoever makes the block cannot let him in."""
    shut = chain(membership=None)
    open_to_all = chain(membership=None, access=Access())
    stranger = sign(shut, "resident", Call("nobody", "nothing"))
    block, _, refused = Ledger(shut).build([stranger])
    assert refused == {stranger.id: "not_allowed"}
    elsewhere, _, _ = Ledger(open_to_all).build([sign(open_to_all, "resident", Call("nobody", "nothing"))])
    header = replace(elsewhere.header, genesis=shut.hash, parent=shut.hash, tx_root=root([stranger.raw]))
    forged = replace(block, header=header, txs=(stranger.raw,))
    ledger = Ledger(shut)
    with pytest.raises(InvalidBlock, match=REFUSED):
        apply_block(ledger.runtime, shut, ledger.state, None, forged, ledger.open)


def test_where_anybody_writes_nobody_needs_to_be_admitted() -> None:
    society = Society(chain(access=Access()))
    assert not is_refused(society, "resident")
    allow(society, "node-0", "resident", may_write=False)
    assert not is_refused(society, "resident")


def test_a_wallet_of_the_network_is_admitted_by_the_first_validator() -> None:
    with mc.Network.simulated(validators=4, seed=2, access=CLOSED) as net:
        office = net.wallet("office")
        height = net.height()
        assert net.wallet("office").did == office.did
        assert net.height() == height, "admitted once"
        net.deploy(builders.COUNTER, sender=office).add(2)
        stranger = mc.Wallet("stranger", KeyPair(b"s" * 32))
        with pytest.raises(Refused, match=REFUSED):
            net.send(stranger, [Call("nobody", "nothing")])


# --- reading -------------------------------------------------------------------------------------------------------

REQUESTS = (
    AskStatus(),
    AskAccount(key("resident").public),
    AskBlock(1),
    AskHeaders(1, 5),
    AskContracts(),
    AskView("members", "members", {}),
    AskState(b"key"),
    AskReceipt(bytes(32)),
    AskFinal(1),
    AskSnapshot(0, 0),
    AskEvidence(0),
    Await((bytes(32),)),
)


def asked(society: Society, who: str, body: ClientRequest) -> Any:
    reader = key(who).public if who else b""
    return SimulatedChannel(society.run, reader).request("node-0", body, 5_000)


def may_read(society: Society, who: str) -> bool:
    answers = [asked(society, who, body) for body in REQUESTS if not isinstance(body, Await)]
    refused = [isinstance(answer, Failure) and answer.code == "not_a_reader" for answer in answers]
    assert len(set(refused)) == 1, "all or nothing"
    return not refused[0]


def closed_society(**settings: Any) -> Society:
    society = Society(chain(access=Access(reads="members", writes="members"), **settings), ["node-4"])
    society.client = Client(society.genesis, SimulatedChannel(society.run, key("bank").public))
    return society


def test_members_and_whom_they_admit_read_and_nobody_else() -> None:
    society = closed_society()
    assert [may_read(society, who) for who in ("", "resident", "node-4", "node-0", "bank")] == [False] * 3 + [True] * 2
    allow(society, "node-1", "resident")
    assert may_read(society, "resident")
    allow(society, "node-1", "resident", may_write=False)
    assert not may_read(society, "resident")
    admit(society, "node-4", "node-0", "node-1", "node-2")
    assert may_read(society, "node-4"), "a member to be has to catch up"


def test_a_member_whose_account_got_another_key_still_reads_with_the_one_it_certifies_with() -> None:
    society = closed_society(identity=True)
    society.do("node-0", "identity", "rotate", key=key("second key").did)
    assert may_read(society, "node-0"), "its node has to catch up"
    assert may_read(society, "second key")
    society.grow(remove(society, "node-0", "node-1", "node-2", "node-3"))
    society.settle()
    assert not may_read(society, "node-0")


def test_a_network_goes_on_admitting_after_its_first_member_has_got_another_key() -> None:
    with mc.Network.simulated(4, profile="alliance") as net:
        net.identity.rotate(mc.Wallet("node-0", validator_key(net.world.root, 0)))
        net.client._keys.clear()  # the next program has not seen it
        assert net.account(net.wallet("somebody")).may_write


def test_every_question_has_its_door_keeper() -> None:
    society = closed_society()
    kinds = {type(body) for body in REQUESTS} | {Submit, AskChain, Offer}
    assert kinds == set(get_args(ClientRequest)), "a new question has to be thought of here"
    for body in REQUESTS:
        answer = asked(society, "resident", body)
        assert isinstance(answer, Failure)
        assert answer.message.startswith("this chain is read by its members and by accounts that they admit")
    assert isinstance(asked(society, "resident", AskChain()), ChainAnswer)
    assert isinstance(asked(society, "resident", Submit(())), Submitted)


def test_where_anybody_reads_nobody_needs_a_key() -> None:
    assert may_read(Society(chain()), "")


@pytest.fixture(scope="module")
def alliance() -> Iterator[mc.Network]:
    with mc.Network.local(4, seed=77, profile="alliance") as net:
        yield net


def test_a_stranger_with_a_line_of_its_own_is_told_to_be_admitted(alliance: mc.Network) -> None:
    places = alliance.world.places  # type: ignore[attr-defined]
    with closing(LiveChannel(places)) as stranger, closing(LiveChannel(places, key("resident"))) as resident:
        for line in (stranger, resident):
            answer = line.request("node-0", AskBlock(1), 5_000)
            assert isinstance(answer, Failure)
            assert answer.code == "not_a_reader"
        alliance.send(
            mc.Wallet("node-0", validator_key(alliance.world.root, 0)),
            [Call("ledger", "admit", {"account": key("resident").did, "may_write": True})],
        )
        alliance.wait_for_height(alliance.height())
        assert isinstance(resident.request("node-0", AskBlock(1), 5_000), BlockDetail)
        assert isinstance(stranger.request("node-0", AskBlock(1), 5_000), Failure)


def test_a_newcomer_is_told_why_it_gets_nothing_until_it_is_admitted(alliance: mc.Network, tmp_path: Path) -> None:
    public, address = alliance.world.places()["node-0"]  # type: ignore[attr-defined]
    at = joining.Invitation(public.hex(), address)
    place, genesis, own = joining.settle(tmp_path, "newcomer", at, None)
    with pytest.raises(NetworkError, match="no snapshot to begin with: this chain is read by its members"):
        joining.begin_with_snapshot(place, genesis, at, own)
    alliance.wallet("somebody")  # a block, at least
    with joining.running(tmp_path, place) as child:
        where = {"newcomer": (own.public, f"tcp://127.0.0.1:{child.place.client_port}")}
        with closing(LiveChannel(lambda: where, validator_key(alliance.world.root, 0))) as line:

            def height() -> int:
                return line.request("newcomer", AskStatus(), 5_000).height  # type: ignore[union-attr]

            until(lambda: "refuses: this chain is read by its members" in (tmp_path / "log.txt").read_text())
            assert height() == 0
            admitted = Call("ledger", "admit", {"account": own.did, "may_write": True})
            alliance.send(mc.Wallet("node-0", validator_key(alliance.world.root, 0)), [admitted])
            until(lambda: height() == alliance.height())
