"""A node that was not there at the beginning: it follows, is voted in, votes, and is missed when it is gone."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import zmq
from msgspec.structs import replace

from minichain.client.client import Client
from minichain.client.network import Network
from minichain.client.wallet import Wallet
from minichain.codec import decode, encode
from minichain.consensus.pow import Tip
from minichain.crypto import KeyPair, Passphrase, did_of
from minichain.errors import ConfigError, DecodeError, NetworkError, ProofError, UsageError
from minichain.ledger.local import BANK, validator_key
from minichain.ledger.state import State
from minichain.ledger.types import Call
from minichain.live import joining, keyfile
from minichain.live.chains import chains_of, is_there
from minichain.live.channel import LiveChannel
from minichain.live.follower import Follower
from minichain.live.home import Home
from minichain.live.supervisor import within
from minichain.node.messages import (
    AskBlock,
    AskFinal,
    AskStatus,
    BlockDetail,
    Failure,
    FinalAnswer,
    NodeStatus,
    Offer,
    Request,
    Response,
)

WAIT_S = 30
NOBODY = KeyPair(bytes(32)).public.hex()


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with Network.local(4, seed=31, profile="open_alliance") as network:
        yield network


def validators(net: Network) -> list[Wallet]:
    return [Wallet(name, validator_key(net.world.root, number)) for number, name in enumerate(net.nodes)]


def invitation(net: Network) -> joining.Invitation:
    public, address = net.world.places()["node-0"]  # type: ignore[attr-defined]
    return joining.Invitation(public.hex(), address)


def pay(net: Network) -> Any:
    receiver = net.wallet("receiver").did
    return net.send(net.wallet(BANK), [Call("ledger", "transfer", {"to": receiver, "amount": 1})]).block


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)


def test_a_newcomer_follows_is_voted_in_and_then_its_vote_is_needed(net: Network, tmp_path: Path) -> None:
    for _ in range(3):
        pay(net)
    passphrase = Passphrase("four words of it")
    place, chain, key = joining.settle(tmp_path, "newcomer", invitation(net), net.genesis.hash.hex(), passphrase)
    assert chain.hash == net.genesis.hash
    assert keyfile.load(tmp_path / "key", passphrase).key.seed == key.seed, "it lies encrypted, and the node is told it"
    with joining.running(tmp_path, place, key) as child, closing(_line(key, child.place.client_port)) as line:
        until(lambda: _status(line).height == net.height())
        assert _status(line).state_root == net.status()[0].status.state_root  # type: ignore[union-attr]
        _vote_in(net, "newcomer", did_of(key.public))
        assert len(pay(net).members) == 4, "the change takes effect at its height, not before"
        assert len(pay(net).members) == 5
        place_of = [member.name for member in pay(net).members].index("newcomer")
        net.crash("node-3")  # of the other four, four are needed: more than two thirds of five
        assert place_of in pay(net).final.certificate.signers
        net.restart("node-3")
        _vote_out(net, did_of(key.public))
        until(lambda: len(pay(net).members) == 4)
    net.crash("node-3")
    net.restart("node-3")
    net.crash("node-2")  # of the four that are left, three are needed: the one that was started anew among them
    assert len(pay(net).final.certificate.signers) == 3, "a node restarts on a chain whose first members are history"
    net.restart("node-2")


def test_a_network_goes_on_after_its_founder_was_voted_out_and_after_it_has_left(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with _going_on(home) as net:
        net.join("node-1")
        founder, other = validators(net)
        _vote_in(net, "node-1", other.did, votes=1)
        until(lambda: len(pay(net).members) == 2)
        _vote_out(net, founder.did, votes=2)
        until(lambda: len(pay(net).members) == 1)
    with _going_on(home) as net:
        pay(net)
        net.wait_for_height(net.height())  # whoever is no member any more follows
        net.leave("node-0")
    with _going_on(home) as net:
        assert net.nodes == ("node-1",)
        height = net.height()
        pay(net)
        assert net.height() == height + 1


@contextmanager
def _going_on(home: Home) -> Iterator[Network]:
    """Start the network of a home, as `minichain up` does."""
    found = chains_of(home) if is_there(home) else chains_of(home, validators=1, profile="open_alliance")
    with within(home, found), Network.attach(home.path) as net:
        yield net


def _line(key: KeyPair, port: int) -> LiveChannel:
    return LiveChannel(lambda: {"newcomer": (key.public, f"tcp://127.0.0.1:{port}")})


def _vote_in(net: Network, name: str, did: str, votes: int = 3) -> None:
    wish = {"name": name, "did": did, "weight": 1, "reason": "it keeps the record of another district"}
    _decide(net, "propose_admission", wish, votes)


def _vote_out(net: Network, did: str, votes: int = 4) -> None:
    _decide(net, "propose_removal", {"did": did, "reason": "another office keeps that record now"}, votes)


def _decide(net: Network, action: str, what: dict[str, Any], votes: int) -> None:
    members = validators(net)[:votes]
    proposal = net.send(members[0], [Call("members", action, what)]).result
    for member in members:
        net.send(member, [Call("members", "vote", {"proposal": proposal, "yes": True})])


def test_another_chain_than_the_one_expected_is_refused(net: Network, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"belongs to the chain {net.genesis.hash.hex()}, not to {'0' * 64}"):
        joining.settle(tmp_path / "home", "newcomer", invitation(net), "0" * 64)
    assert not (tmp_path / "home").exists()


def test_a_directory_of_another_chain_is_left_alone(net: Network, tmp_path: Path) -> None:
    (tmp_path / "genesis.json").write_bytes(b"{}")
    with pytest.raises(ConfigError, match="holds another chain: choose another directory"):
        joining.settle(tmp_path, "newcomer", invitation(net), None)
    assert (tmp_path / "genesis.json").read_bytes() == b"{}"


def test_a_directory_keeps_its_key(net: Network, tmp_path: Path) -> None:
    first, second = (joining.settle(tmp_path, "newcomer", invitation(net), None)[2] for _ in range(2))
    assert first.public == second.public


def test_where_nobody_answers_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(joining, "ANSWER_MS", 200)
    with pytest.raises(NetworkError, match=r"no node answers at tcp://127\.0\.0\.1:9 within 0\.2 s: check the address"):
        joining.settle(tmp_path, "newcomer", joining.Invitation(NOBODY, "tcp://127.0.0.1:9"), None)


def test_a_key_that_can_be_nobodys_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(DecodeError, match="not a usable Ed25519 public key"):
        joining.settle(tmp_path, "newcomer", joining.Invitation("ab" * 32, "tcp://127.0.0.1:9"), None)


@pytest.mark.parametrize(
    "text", ["", "127.0.0.1:80", "ab@127.0.0.1:80", "ab" * 32, "zz" * 32 + "@h:1", "ab" * 32 + "@h"]
)
def test_what_is_no_place_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(UsageError, match="write KEY@HOST:PORT, as `minichain status --json` has it"):
        joining.read_invitation(text)


def test_the_command_says_who_it_is_and_ends_with_its_input(net: Network, tmp_path: Path) -> None:
    found = invitation(net)
    where = f"{found.public}@{found.address.removeprefix('tcp://')}"
    command = [
        sys.executable,
        "-c",
        "from minichain.cli import main; main()",
        "node",
        "--join",
        where,
        "--home",
        str(tmp_path),
        "--json",
    ]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    assert said["genesis"] == net.genesis.hash.hex()
    assert said["did"].startswith("did:key:z6Mk")
    process.communicate("", timeout=WAIT_S)
    assert process.returncode == 0


@pytest.mark.parametrize("options", [[], ["--join", "ab" * 32 + "@127.0.0.1:9"]])
def test_the_command_says_what_is_missing(options: list[str]) -> None:
    command = [sys.executable, "-c", "from minichain.cli import main; main()", "node", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert done.returncode == 2
    assert "--home" in done.stderr


def test_a_node_that_begins_with_a_snapshot_follows_without_the_past(net: Network, tmp_path: Path) -> None:
    for _ in range(3):
        pay(net)
    at = invitation(net)
    place, chain, key = joining.settle(tmp_path, "newcomer", at, None)
    height = joining.begin_with_snapshot(place, chain, at, key)
    assert height == net.height()
    assert joining.begin_with_snapshot(place, chain, at, key) == height, "once it has blocks, it goes on from them"
    pay(net)
    with joining.running(tmp_path, place) as child, closing(_line(key, child.place.client_port)) as line:
        until(lambda: _status(line).height == net.height())
        assert _status(line).state_root == net.status()[0].status.state_root  # type: ignore[union-attr]
        refused = line.request("newcomer", AskBlock(1), 3_000)
        assert isinstance(refused, Failure)
        assert f"began with a snapshot at {height}" in refused.message


def test_a_snapshot_that_a_member_made_up_leaves_nothing_behind(
    net: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay(net)
    monkeypatch.setattr(State, "root", property(lambda state: bytes(32)))  # as if the values made another root
    at = invitation(net)
    place, chain, key = joining.settle(tmp_path, "newcomer", at, None)
    with pytest.raises(ProofError, match=r"have the root 0{64}, and block \d+ was certified with"):
        joining.begin_with_snapshot(place, chain, at, key)
    monkeypatch.undo()
    assert joining.begin_with_snapshot(place, chain, at, key) > 0, "its directory is as good as new"


def test_on_a_public_chain_anybody_joins_hands_in_transactions_and_makes_blocks(tmp_path: Path) -> None:
    with Network.local(3, seed=37, profile="public") as public:
        pay(public)
        place, chain, key = joining.settle(tmp_path, "newcomer", invitation(public), None)
        place = replace(place, tries_per_second=10_000)  # ten times the others': it soon finds a block
        rich = public.wallet("resident")
        with joining.running(tmp_path, place) as child, closing(_line(key, child.place.client_port)) as line:
            client, funded = Client(chain, line), public.height()
            until(lambda: _status(line).height >= funded)
            receipt = client.send(rich, [Call("ledger", "transfer", {"to": rich.did, "amount": 1})], "a payment")
            public.wait_for_height(receipt.height + public.genesis.spec.work.confirmations - 1)
            assert public.receipt(receipt.tx_id.hex()).ok, "what it was handed, the others have too"

            def makers() -> set[bytes]:
                pay(public)
                return {header.proposer for header, _ in public.headers(1, 500)}

            until(lambda: key.public in makers())
            # They agree. The newest block of one moment may be replaced; that of some moment both have.
            until(lambda: (head := public.head()) is not None and _at(line, head.height) == head.id)


def test_what_the_member_that_is_followed_lacks_is_offered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a branch whose first block was lost on the way could never be told, however much work is in it."""
    with Network.simulated(2, seed=3, profile="public") as public:
        for _ in range(2):
            pay(public)
        own = tuple(public.block(height).final for height in range(1, public.height() + 1))
    line = _Line([FinalAnswer(own[:1])])
    monkeypatch.setattr("minichain.live.follower.knock", lambda *_: line)
    follower = Follower(None, KeyPair(bytes(32)), b"", "", 32, lambda first: own[first - 1 :])
    follower.ask(1)
    assert len(list(follower.heard())) == 1
    follower.pass_on(encode(Tip(own[-1].block.header.id, len(own), 1)))
    assert [decode(data, Request).body for data in line.sent] == [AskFinal(1), Offer(own[1:])]


class _Line:
    """Answers of a member, and what it is sent."""

    def __init__(self, answers: list[FinalAnswer]) -> None:
        self.answers, self.sent = answers, list[bytes]()

    def send(self, data: bytes, _flags: int) -> None:
        self.sent.append(data)

    def recv(self, _flags: int) -> bytes:
        if not self.answers:
            raise zmq.Again
        return encode(Response(1, self.answers.pop(0)))


def _status(line: LiveChannel) -> NodeStatus:
    found = line.request("newcomer", AskStatus(), 3_000)
    assert isinstance(found, NodeStatus)
    return found


def _at(line: LiveChannel, height: int) -> bytes | None:
    found = line.request("newcomer", AskBlock(height), 3_000)
    return found.final.block.header.id if isinstance(found, BlockDetail) else None


def test_an_alliance_takes_no_block_of_a_stranger(net: Network) -> None:
    pay(net)
    final = net.block(1).final
    answer = net.client.channel.request("node-0", Offer((final,)), 3_000)
    assert isinstance(answer, Failure)
    assert answer.message == "on this chain its members make the blocks: be voted in"
