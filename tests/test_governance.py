"""Who the members are, decided on the chain itself: each change takes effect at one height on every node, and whoever
was not there follows it from committee to committee, or does not believe it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from random import Random
from typing import Any

import builders
import msgspec
import pytest
from builders import key
from society import Society, require_consistent

from minichain.codec import decode, encode
from minichain.consensus.bft.messages import Equivocation, cast_vote, sign_proposal
from minichain.crosschain.light import Trust, follow
from minichain.crosschain.proofs import Proof, verify
from minichain.crypto import KeyPair, curve_public, did_of
from minichain.errors import ConfigError, DecodeError, ProofError
from minichain.ledger.certificate import (
    PRECOMMIT,
    PREVOTE,
    Certificate,
    Handover,
    LogCertificate,
    QuorumCertificate,
    WorkCertificate,
    in_order,
    log_statement,
    seek_nonce,
    sign_log,
    sign_vote,
    vote_statement,
)
from minichain.ledger.committee import Committee, Member
from minichain.ledger.genesis import Authority, ChainSpec, Delegation, Genesis, Stake
from minichain.ledger.state import contract_key
from minichain.ledger.types import Call, Header, Receipt
from minichain.node.core import Node
from minichain.node.interface import Meet, Received, Started
from minichain.node.messages import Addresses, FinalBlocks, Request, Submit
from minichain.transition import first_state

replace = msgspec.structs.replace
BALANCES = ((key("bank").public, 10**9),)
VOTING = Authority(voting_blocks=100, delay=3)


def chain(size: int = 4, **settings: Any) -> Genesis:
    return builders.genesis(weights=(1,) * size, **{"balances": BALANCES, "membership": VOTING, **settings})


def decide(society: Society, action: str, *voters: str, **args: Any) -> int:
    """Propose a change and vote for it; return the height at which it takes effect."""
    receipt = society.do(voters[0], "members", action, reason="as agreed", **args)
    number = receipt.results[0]
    for voter in voters:
        receipt = society.do(voter, "members", "vote", proposal=number, yes=True)
    (decided,) = [event for event in receipt.events if event.name == "Decided"]
    assert decided.data["status"] == "accepted"
    first: int = decided.data["first"]
    assert first == receipt.height + society.genesis.spec.membership.delay
    return first


def admit(society: Society, name: str, *voters: str) -> int:
    return decide(society, "propose_admission", *voters, name=name, did=key(name).did, weight=1)


def remove(society: Society, name: str, *voters: str) -> int:
    return decide(society, "propose_removal", *voters, did=key(name).did)


FOUNDERS = ("node-0", "node-1", "node-2", "node-3")


# --- an alliance ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["bft", "raft"])
def test_an_admission_takes_effect_at_one_height_on_every_node(engine: str) -> None:
    society = Society(chain(engine=engine), ["newcomer"])
    first = admit(society, "newcomer", *FOUNDERS[:3])
    society.grow(first + 3)
    society.settle()
    for name in society.run.names:
        for height in range(1, first + 3):
            expected = [*FOUNDERS, "newcomer"] if height >= first else list(FOUNDERS)
            assert sorted(society.committee(height, name)) == sorted(expected), (name, height)
        assert society.run.store(name).handovers(10**6)[0].header.height == first - 1
    proof = society.proof(society.pay())
    assert len(proof.handovers) == 1
    assert verify(proof, society.genesis.hash).height > first
    with pytest.raises(ProofError, match="names another committee"):
        verify(replace(proof, handovers=()))
    assert [member[0] for member in society.view("members")] == sorted([*FOUNDERS, "newcomer"])


@pytest.mark.parametrize("engine", ["bft", "raft"])
def test_a_member_added_by_vote_takes_part(engine: str) -> None:
    society = Society(chain(engine=engine), ["newcomer"])
    first = admit(society, "newcomer", *FOUNDERS[:3])
    society.grow(first)
    away = FOUNDERS[3:] if engine == "bft" else FOUNDERS[2:4]  # the others decide only with the newcomer's voice
    for name in away:
        society.run.crash(name)
    society.grow(first + 3)
    assert all("newcomer" in society.signers(height) for height in range(first + 2, first + 4))
    for name in away:
        society.run.restart(name)
    society.settle()
    society.grow(first + 9)
    if engine == "bft":
        made = [society.run.store("node-0").block(height).block.header for height in range(first, first + 9)]
        assert key("newcomer").public in {header.proposer for header in made}, "it takes its turns"


def test_whoever_is_no_member_follows_and_says_nothing_that_counts() -> None:
    society = Society(chain(), ["guest"])
    society.grow(5)
    society.settle()
    assert all("guest" not in society.signers(height) for height in range(1, 6))
    assert not society.run.store("guest").memory(), "it has signed something"
    for name in ("node-2", "node-3"):
        society.run.crash(name)
    submit(society, society.sign("bank", builders.transfer("shop", 1)).raw)  # two of four are no quorum
    society.run.run_for(20_000)
    assert society.heights()["node-0"] == 5


def test_a_removed_node_keeps_following_but_its_voice_counts_for_nothing() -> None:
    society = Society(chain())
    first = remove(society, "node-3", *FOUNDERS[:3])
    society.grow(first + 4)
    society.settle()
    assert all("node-3" not in society.signers(height) for height in range(first, first + 4))
    assert "node-3" in society.committee(first - 1)
    society.run.crash("node-2")  # of three all are needed, and the fourth is none of them
    waiting = society.sign("bank", builders.transfer("shop", 1))
    height = max(society.heights().values())
    submit(society, waiting.raw)
    head = society.run.store("node-3").block(height).block.header
    for round_ in range(3):
        for kind in (PREVOTE, PRECOMMIT):
            for block_id in (head.id, None):
                vote = cast_vote(key("node-3"), society.genesis.hash, kind, height + 1, round_, block_id)
                society.run.inject("node-3", "node-0", encode(vote))
    society.run.run_for(20_000)
    assert set(society.heights().values()) == {height}
    society.run.restart("node-2")
    assert society.run.run_until(lambda: set(society.heights().values()) == {height + 1}, 60_000)
    assert society.signers(height + 1) == {"node-0", "node-1", "node-2"}


def test_a_node_knows_who_decides_before_it_has_begun_also_when_the_first_members_are_history() -> None:
    society = Society(chain())
    for name in ("node-3", "node-2"):
        society.grow(remove(society, name, *FOUNDERS[:3]) + 1)
    society.settle()
    node = Node("node-0", key("node-0"), society.genesis, society.run.store("node-0"), Random(0))
    assert [member.name for member in node.committee.members] == ["node-0", "node-1"]
    assert node.height == max(society.heights().values())


def told(node: Node, teller: str, *addresses: str) -> list[tuple[bytes, str]]:
    """Let a member say where it listens; return whom the node connects to."""
    said = encode(Addresses(tuple((key(teller).public, address) for address in addresses)))
    effects = node.handle(Received(key(teller).public, said), 0)
    return [(effect.member, effect.address) for effect in effects if isinstance(effect, Meet)]


def test_a_member_that_was_admitted_once_is_spoken_to_after_everybody_has_started_anew() -> None:
    society = Society(chain(), ["newcomer"])
    society.grow(admit(society, "newcomer", *FOUNDERS[:3]))
    society.settle()
    node = Node("node-0", key("node-0"), society.genesis, society.run.store("node-0"), Random(0))
    node.handle(Started(), 0)
    place = key("newcomer").public, "tcp://127.0.0.1:7001"
    assert told(node, "newcomer", place[1]) == [place], "it is heard already, and nobody else says where it is"
    assert told(node, "newcomer", place[1]) == []
    moved = place[0], "tcp://office.example:7002"
    assert told(node, "newcomer", moved[1]) == [moved], "it comes back to another port"


def test_nobody_connects_to_what_is_no_address() -> None:
    society = Society(chain())
    for odd in ("", "office", "tcp://", "tcp://x", "ipc:///tmp/x", "inproc://x", f"tcp://{'x' * 999}:1"):
        assert told(society.node("node-0"), "node-1", odd) == []


def submit(society: Society, *txs: bytes, to: str = "node-0") -> None:
    society.run.ask(to, b"somebody", encode(Request(1, Submit(txs))))


def test_the_chain_goes_on_when_a_member_crashes_in_the_change_of_committee() -> None:
    society = Society(chain(), ["newcomer"])
    first = admit(society, "newcomer", *FOUNDERS[:3])
    while max(society.heights().values()) < first - 1:
        society.pay()
    for moment, victim in (("before commit", "node-3"), ("after commit", "newcomer")):
        society.run.crash(victim, moment)
        society.pay()
        society.run.settle()
        if society.run.node(victim) is None:
            society.run.restart(victim)
    society.grow(first + 2)
    society.settle()
    for name in society.run.names:
        require_consistent(society.genesis, society.run.store(name))
        assert society.node(name).committee.hash == society.node("node-0").committee.hash


def test_a_newcomer_that_was_off_for_all_the_changes_catches_up_through_them() -> None:
    society = Society(chain(), ["newcomer", "sleeper"])
    society.run.crash("sleeper")
    remove_at = admit(society, "newcomer", *FOUNDERS[:3])
    society.grow(remove_at)
    last = remove(society, "node-3", "node-0", "node-1", "node-2", "newcomer")
    society.grow(last + 2)
    society.run.restart("sleeper")
    society.settle()
    ways = [society.run.store(name).handovers(10**6) for name in ("sleeper", "node-0")]
    one, other = ([(handover.header, handover.members) for handover in way] for way in ways)
    assert one == other, "certificates may differ: any sufficient signatures do"
    require_consistent(society.genesis, society.run.store("sleeper"))


def nobodys_key() -> bytes:
    """Return 32 bytes that are the key of no one, as every second typing mistake is."""
    for number in range(100):
        public = bytes([number]) * 32
        try:
            curve_public(public)
        except DecodeError:
            return public
    raise AssertionError("all of them are keys")


def test_a_key_that_nobody_can_own_never_becomes_a_member() -> None:
    """Every node would try to let it in, and none could: it is not even voted on."""
    society = Society(chain())
    args = {"name": "typo", "did": did_of(nobodys_key()), "weight": 1, "reason": "a typing mistake"}
    words = society.fail("node-0", "members", "propose_admission", **args)
    assert "a member is named by its did:key: ask the member for it" in words
    assert not society.view("planned")


# --- raft: one at a time -------------------------------------------------------------------------------------------


def test_with_raft_one_change_is_made_at_a_time() -> None:
    society = Society(chain(engine="raft"), ["newcomer"])
    society.do("node-0", "members", "propose_removal", did=key("node-3").did, reason="first")
    words = society.fail(
        "node-1", "members", "propose_admission", name="newcomer", did=key("newcomer").did, weight=1, reason="second"
    )
    assert "one change at a time" in words
    for name in FOUNDERS[:3]:
        receipt = society.do(name, "members", "vote", proposal=1, yes=True)
    words = society.fail(
        "node-1", "members", "propose_admission", name="newcomer", did=key("newcomer").did, weight=1, reason="second"
    )
    assert f"takes effect at height {receipt.height + 3}, wait for it" in words
    society.grow(receipt.height + 3)
    first = admit(society, "newcomer", *FOUNDERS[:3])
    society.grow(first + 1)
    assert sorted(society.committee(first)) == ["newcomer", "node-0", "node-1", "node-2"]


def test_with_raft_a_leader_that_is_removed_gives_way() -> None:
    society = Society(chain(engine="raft"))
    society.pay()
    society.run.run_for(3_000)
    leader = next(name for name in FOUNDERS if society.node(name).status().engine["role"] == "leader")
    others = [name for name in FOUNDERS if name != leader]
    first = remove(society, leader, *others)
    society.grow(first + 2)
    society.settle()
    assert leader not in society.committee(first)
    assert society.node(leader).status().engine["role"] != "leader"


# --- proofs across handovers ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def changed() -> tuple[Society, list[Receipt]]:
    """An alliance that admits two and removes one, with a payment between each two changes."""
    society = Society(chain(), ["fifth", "sixth"])
    receipts = [society.pay()]
    for first in (
        lambda: admit(society, "fifth", *FOUNDERS[:3]),
        lambda: admit(society, "sixth", *FOUNDERS),
        lambda: remove(society, "node-3", *FOUNDERS[:3], "fifth", "sixth"),
    ):
        society.grow(first())
        receipts.append(society.pay())
    return society, receipts


def test_a_proof_follows_the_trust_through_every_change(changed: tuple[Society, list[Receipt]]) -> None:
    society, receipts = changed
    found = [verify(Proof.from_bytes(society.proof(receipt).to_bytes()), society.genesis.hash) for receipt in receipts]
    assert [len(society.proof(receipt).handovers) for receipt in receipts] == [0, 1, 2, 3]
    assert set(found[0].signers) <= set(FOUNDERS)
    assert "node-3" not in found[-1].signers
    assert len(found[-1].signers) >= 4, "four of five are a quorum"


def test_the_cost_of_trust_is_one_certificate_for_each_change(changed: tuple[Society, list[Receipt]]) -> None:
    society, receipts = changed
    sizes = [len(encode(society.proof(receipt).handovers)) for receipt in receipts]
    assert sizes[0] == 1
    assert all(later - earlier < 1_500 for earlier, later in itertools.pairwise(sizes))
    far = society.proof(receipts[-1])
    society.grow(receipts[-1].height + 20)
    later = society.proof(society.pay())
    assert later.handovers == far.handovers, "blocks in between cost nothing"
    assert sum(len(handover.certificate.signatures) for handover in far.handovers) <= 4 + 5 + 6


def member(name: str) -> Member:
    return Member(name, key(name).public)


def certified_by(header: Header, names: list[str], genesis: bytes) -> QuorumCertificate:
    committee = Committee(member(name) for name in names)
    statement = vote_statement(genesis, PRECOMMIT, header.height, 0, header.id)
    signatures = {key(name).public: sign_vote(key(name), statement) for name in names}
    return QuorumCertificate(header.height, 0, header.id, in_order(committee, signatures))


Handovers = tuple[Handover, ...]


def by_the_wrong_committee(handovers: Handovers) -> Handovers:
    """The committee before the last signs for the one that it no longer is, in a header that names it."""
    header = replace(handovers[2].header, committee=handovers[1].header.committee)
    names = [one.name for one in handovers[0].members]
    forged = Handover(header, certified_by(header, names, header.genesis), handovers[2].members)
    return (*handovers[:2], forged)


def by_too_few(handovers: Handovers) -> Handovers:
    certificate = handovers[0].certificate
    assert isinstance(certificate, QuorumCertificate)
    few = replace(certificate, signatures=certificate.signatures[:2])
    return (replace(handovers[0], certificate=few), *handovers[1:])


def by_strangers(handovers: Handovers) -> Handovers:
    """Strangers name themselves as the founders' successors."""
    strangers = [f"stranger-{number}" for number in range(4)]
    committee = Committee(member(name) for name in strangers)
    header = replace(handovers[0].header, next_committee=committee.hash)
    return (Handover(header, handovers[0].certificate, committee.members), *handovers[1:])


def of_another_chain(handovers: Handovers) -> Handovers:
    header = replace(handovers[0].header, genesis=bytes(32))
    names = [f"node-{number}" for number in range(4)]
    return (Handover(header, certified_by(header, names, bytes(32)), handovers[0].members), *handovers[1:])


def with_members(change: Callable[[tuple[Member, ...]], tuple[Member, ...]]) -> Callable[[Handovers], Handovers]:
    return lambda handovers: (*handovers[:2], replace(handovers[2], members=change(handovers[2].members)))


def certified_as(make: Callable[[Header], Certificate]) -> Callable[[Handovers], Handovers]:
    return lambda handovers: (replace(handovers[0], certificate=make(handovers[0].header)), *handovers[1:])


def little_work(header: Header) -> WorkCertificate:
    return WorkCertificate(header.height, header.id, 1, 0)


def acknowledged(header: Header) -> LogCertificate:
    """Three of the four founders acknowledge, which is enough where nobody lies."""
    names = [f"node-{number}" for number in range(3)]
    statement = log_statement(header.genesis, 1, header.height, header.id)
    committee = Committee(member(f"node-{number}") for number in range(4))
    signatures = {key(name).public: sign_log(key(name), statement) for name in names}
    return LogCertificate(header.height, 1, header.id, in_order(committee, signatures))


HOSTILE: dict[str, Callable[[Handovers], Handovers]] = {
    "names another committee (first skipped)": lambda handovers: handovers[1:],
    "names another committee (middle skipped)": lambda handovers: (handovers[0], handovers[2]),
    "names another committee (last skipped)": lambda handovers: handovers[:2],
    "names another committee (none)": lambda handovers: (),
    "names another committee (in reverse)": lambda handovers: handovers[::-1],
    "begins after height (twice)": lambda handovers: (handovers[0], *handovers),
    "begins after height (back to the first)": lambda handovers: (*handovers, handovers[0]),
    "names another committee (the wrong one signs)": by_the_wrong_committee,
    "are not more than two thirds": by_too_few,
    "is for another block": by_strangers,
    "belongs to another chain": of_another_chain,
    "another committee than the one given here (one less)": with_members(lambda members: members[1:]),
    "another committee than the one given here (weight)": with_members(
        lambda members: (replace(members[0], weight=2), *members[1:])
    ),
    "another committee than the one given here (order)": with_members(lambda members: members[::-1]),
    "cannot be: a committee has 1 to": with_members(lambda members: ()),
    "cannot be: two members": with_members(lambda members: (*members, members[0])),
    "a WorkCertificate makes no block final": certified_as(little_work),
    "a LogCertificate makes no block final": certified_as(acknowledged),
}


@pytest.mark.parametrize("words", HOSTILE)
def test_trust_is_not_handed_over_by_anybody_else(words: str, changed: tuple[Society, list[Receipt]]) -> None:
    society, receipts = changed
    proof = society.proof(receipts[-1])
    verify(proof)
    with pytest.raises(ProofError, match=words.split(" (", maxsplit=1)[0]):
        verify(replace(proof, handovers=HOSTILE[words](proof.handovers)))


def test_a_block_that_changes_nothing_is_no_handover(changed: tuple[Society, list[Receipt]]) -> None:
    """A proof has one form: padding it is refused."""
    society, receipts = changed
    proof, first = society.proof(receipts[-1]), society.run.store("node-0").block(1)
    padding = Handover(first.block.header, first.certificate, society.genesis.spec.members)
    with pytest.raises(ProofError, match="hands over to the same committee"):
        verify(replace(proof, handovers=(padding, *proof.handovers)))


def test_a_block_without_any_signature_is_not_final(changed: tuple[Society, list[Receipt]]) -> None:
    """A seal of little work can be made by anybody, without any key."""
    society, receipts = changed
    proof = society.proof(receipts[0])
    forged = replace(proof.header, state_root=bytes(32))
    nonce = seek_nonce(forged.id, 1, 0, 10)
    assert nonce is not None
    with pytest.raises(ProofError, match="a WorkCertificate makes no block final on a chain of the engine bft"):
        verify(replace(proof, header=forged, certificate=WorkCertificate(forged.height, forged.id, 1, nonce)))


@pytest.mark.parametrize("forge", [little_work, acknowledged])
def test_a_node_takes_no_block_that_was_certified_more_cheaply(forge: Callable[[Header], Certificate]) -> None:
    society = Society(chain())
    society.run.crash("node-3")
    society.grow(2)
    final = society.run.store("node-0").block(1)
    society.run.cut([("node-3", name) for name in FOUNDERS[:3]])  # it cannot ask for the true one
    society.run.restart("node-3")
    forged = replace(final, certificate=forge(final.block.header))
    society.run.inject("node-2", "node-3", encode(FinalBlocks((forged,))))
    society.run.run_for(1_000)
    assert society.heights()["node-3"] == 0
    assert society.node("node-3").status().counters["bad_final_blocks"] == 1


def test_a_chain_of_another_engine_is_not_trusted_by_the_same_keys() -> None:
    trust = follow(chain(), ())
    assert trust == Trust(chain().hash, "bft", trust.committee)


# --- epochs: stakes, elections -------------------------------------------------------------------------------------

STAKE = Stake(seats=4, least=5, epoch=6, unbonding=20, slash_percent=50, holders=((key("rich").public, 1_000),))


def staked(**settings: Any) -> Genesis:
    return builders.genesis(weights=(10, 10, 10, 10), **{"balances": BALANCES, "membership": STAKE, **settings})


def test_the_largest_stakes_sit_from_the_first_height_of_the_next_epoch_on() -> None:
    society = Society(staked(), ["rich"])
    receipt = society.do("rich", "members", "bond", amount=12, name="rich")
    first = (receipt.height // 6 + 1) * 6
    society.grow(first + 2)
    society.settle()
    for name in society.run.names:
        assert "rich" not in society.committee(first - 1, name)
        assert "rich" in society.committee(first, name)
        assert len(society.committee(first, name)) == 4, "one founder has lost its seat"
    assert verify(society.proof(society.pay())).signers


def test_the_elected_sit_from_the_first_height_of_the_next_epoch_on() -> None:
    holders = ((key("citizen").public, 100), (key("candidate").public, 1))
    elections = Delegation(seats=4, epoch=5, turnover=1, holders=holders)
    society = Society(chain(membership=elections), ["candidate"])
    receipt = society.do("candidate", "members", "register", amount=1, name="candidate")
    society.do("citizen", "members", "delegate", candidate=key("candidate").did, amount=60)
    first = (receipt.height // 5 + 1) * 5
    society.grow(first + 2)
    society.settle()
    for name in society.run.names:
        assert "candidate" not in society.committee(first - 1, name)
        assert "candidate" in society.committee(first, name)
    assert len(society.committee(first)) == 4


# --- who else would like to say who the members are ------------------------------------------------------------------

PRETENDER = '''"""Says that others are members now."""
from minichain.contracts.api import Contract, action, emit


class Pretender(Contract):
    """Speak in another's name."""

    @action
    def usurp(self, first: int, members: list) -> None:
        """Announce a committee."""
        emit("Committee", first=first, members=members)

    @action
    def borrow(self, proposal: int) -> str:
        """Vote with the voice of whoever calls."""
        return self.call("members", "vote", proposal=proposal, yes=True)

    @action
    def punish(self, did: str, height: int) -> int:
        """Slash somebody."""
        return self.call("members", "slash", did=did, height=height, kind="dislike")
'''


@pytest.mark.parametrize("membership", [None, VOTING, STAKE])
def test_the_name_of_the_governing_contract_is_not_to_be_had(membership: Any) -> None:
    society = Society(builders.genesis(weights=(10,) * 4, balances=BALANCES, membership=membership))
    words = society.fail("bank", "ledger", "deploy", name="members", source=PRETENDER, args={})
    assert "the name members is kept" in words


@pytest.mark.parametrize("membership", [None, VOTING])
def test_another_contract_names_no_committee(membership: Any) -> None:
    society = Society(chain(membership=membership))
    society.do("bank", "ledger", "deploy", name="member", source=PRETENDER, args={})
    before = society.node("node-0").committee.hash
    receipt = society.do("bank", "member", "usurp", first=5, members=[["bank", key("bank").did, 1]])
    assert [event.name for event in receipt.events] == ["Committee"]
    society.grow(7)
    assert society.node("node-0").committee.hash == before
    assert not society.run.store("node-0").handovers(10**6)


def test_a_contract_has_no_voice_and_no_whip() -> None:
    society = Society(chain())
    society.do("node-0", "ledger", "deploy", name="pretender", source=PRETENDER, args={})
    society.do("node-0", "members", "propose_removal", did=key("node-3").did, reason="spite")
    assert "may vote" in society.fail("node-0", "pretender", "borrow", proposal=1)
    society = Society(staked())
    society.do("node-0", "ledger", "deploy", name="pretender", source=PRETENDER, args={})
    for call in (
        ("pretender", "punish", {"did": key("node-3").did, "height": 1}),
        ("members", "slash", {"did": key("node-3").did, "height": 1, "kind": "dislike"}),
    ):
        assert "only the ledger slashes" in society.fail("node-0", call[0], call[1], **call[2])
    assert "only the ledger rewards" in society.fail("node-0", "members", "reward", did=key("node-0").did)


# --- evidence ------------------------------------------------------------------------------------------------------


def double_vote(society: Society, name: str, height: int, kind: int = PREVOTE, round_: int = 0) -> tuple[bytes, bytes]:
    genesis, pair = society.genesis.hash, key(name)
    return tuple(encode(cast_vote(pair, genesis, kind, height, round_, vote)) for vote in (bytes(32), None))


def bonded(society: Society, name: str) -> int:
    stake: int = society.view("account", did=key(name).did)["bonded"]
    return stake


def test_evidence_costs_a_part_of_the_stake_and_the_seat() -> None:
    society = Society(staked())
    society.pay()
    first, second = double_vote(society, "node-3", 1)
    receipt = society.do("bank", "ledger", "accuse", first=first, second=second)
    (slashed, planned) = receipt.events
    assert (slashed.name, slashed.data["kind"], slashed.data["amount"]) == ("Slashed", "double prevote", 5)
    assert planned.name == "Committee"
    assert bonded(society, "node-3") == 5
    society.grow(8)
    society.settle()
    for name in FOUNDERS:
        assert society.committee(5, name) == list(FOUNDERS)
        assert society.committee(6, name) == list(FOUNDERS[:3])
        require_consistent(society.genesis, society.run.store(name))
    words = society.fail("bank", "ledger", "accuse", first=second, second=first)
    assert "was slashed for height 1 already" in words
    assert bonded(society, "node-3") == 5


def test_what_a_node_kept_as_evidence_is_what_the_ledger_takes() -> None:
    society = Society(staked())
    society.run.behave("node-3", "double-voter")
    for _ in range(4):
        society.pay()
    kept = [name for name in FOUNDERS[:3] if society.run.store(name).evidence()]
    assert kept, "nobody has noticed"
    evidence = decode(society.run.store(kept[0]).evidence()[0], Equivocation)
    first, second = encode(evidence.first), encode(evidence.second)
    society.do("bank", "ledger", "accuse", first=first, second=second)
    assert bonded(society, "node-3") == 5


def test_two_proposals_are_evidence_without_their_transactions() -> None:
    society = Society(staked())
    society.pay()
    block = society.run.store("node-0").block(1).block
    other = replace(block, header=replace(block.header, time_ms=5))
    made = [sign_proposal(key("node-1"), society.genesis.hash, 1, 0, each, -1) for each in (block, other)]
    bare = [encode(replace(each, block=replace(each.block, txs=()))) for each in made]
    society.do("bank", "ledger", "accuse", first=bare[0], second=bare[1])
    assert bonded(society, "node-1") == 5


def votes(pair: KeyPair, genesis: bytes, *ids: bytes | None, **fields: Any) -> tuple[bytes, ...]:
    made = [cast_vote(pair, genesis, PREVOTE, 1, 0, block_id) for block_id in ids]
    return encode(made[0]), encode(replace(made[1], **fields))


def no_evidence(genesis: bytes) -> dict[str, tuple[Any, Any]]:
    pair, a, b = key("node-1"), bytes(32), b"b" * 32
    first, second = votes(pair, genesis, a, b)
    prevote = cast_vote(pair, genesis, PREVOTE, 1, 0, a)
    own, others = "not two statements of one member", "has not signed both"
    return {
        f"{own}: the same": (first, first),
        f"{own}: other height": (first, encode(cast_vote(pair, genesis, PREVOTE, 2, 0, b))),
        f"{own}: other round": (first, encode(cast_vote(pair, genesis, PREVOTE, 1, 1, b))),
        f"{own}: other step": (first, encode(cast_vote(pair, genesis, PRECOMMIT, 1, 0, b))),
        f"{own}: other member": (first, encode(cast_vote(key("node-2"), genesis, PREVOTE, 1, 0, b))),
        f"{others}: other chain": votes(pair, bytes(32), a, b),
        f"{others}: second for another chain": (first, votes(pair, bytes(32), a, b)[1]),
        f"{others}: forged": (first, encode(replace(prevote, block_id=b))),
        f"{others}: no signature": (first, encode(replace(prevote, block_id=b, signature=b""))),
        f"{others}: in another's name": tuple(
            encode(replace(cast_vote(pair, genesis, PREVOTE, 1, 0, each), voter=key("node-2").public))
            for each in (a, b)
        ),
        f"{others}: a key that is none": tuple(
            encode(replace(cast_vote(pair, genesis, PREVOTE, 1, 0, each), voter=b"x")) for each in (a, b)
        ),
        "takes `first` and `second`: garbage": (first, b"\xff\xfe"),
        "takes `first` and `second`: trailing": (first, second + b"\0"),
        "takes `first` and `second`: empty": (first, b""),
        "takes `first` and `second`: text": (first, "vote"),
        "takes `first` and `second`: nothing": (None, second),
        "takes `first` and `second`: a list": (first, [1, 2]),
        "nothing at stake": votes(key("passer-by"), genesis, a, b),
        "evidence is of height": (
            encode(cast_vote(pair, genesis, PREVOTE, 10**9, 0, a)),
            encode(cast_vote(pair, genesis, PREVOTE, 10**9, 0, b)),
        ),
        "evidence is of height 0": (
            encode(cast_vote(pair, genesis, PREVOTE, -(10**9), 0, a)),
            encode(cast_vote(pair, genesis, PREVOTE, -(10**9), 0, b)),
        ),
    }


@pytest.fixture(scope="module")
def court() -> Society:
    society = Society(staked())
    society.pay()
    return society


@pytest.mark.parametrize("words", no_evidence(bytes(32)))
def test_what_is_no_evidence_harms_nobody(words: str, court: Society) -> None:
    first, second = no_evidence(court.genesis.hash)[words]
    before = court.view("candidates")
    assert words.split(":", maxsplit=1)[0].removesuffix(" 0") in court.fail(
        "bank", "ledger", "accuse", first=first, second=second
    )
    assert court.view("candidates") == before


def test_evidence_that_is_too_old_is_refused() -> None:
    society = Society(staked(membership=replace(STAKE, unbonding=2)))
    society.grow(5)
    first, second = double_vote(society, "node-3", 1)
    assert "evidence is of height" in society.fail("bank", "ledger", "accuse", first=first, second=second)


@pytest.mark.parametrize("membership", [None, VOTING])
def test_where_nothing_is_at_stake_there_is_nothing_to_take(membership: Any) -> None:
    society = Society(chain(membership=membership))
    first, second = double_vote(society, "node-3", 1)
    assert "nobody has anything at stake" in society.fail("bank", "ledger", "accuse", first=first, second=second)


def test_an_accusation_is_taken_back_with_the_rest_of_its_transaction() -> None:
    society = Society(staked())
    society.pay()
    first, second = double_vote(society, "node-3", 1)
    accuse = Call("ledger", "accuse", {"first": first, "second": second})
    receipt = society.send("bank", accuse, accuse)
    assert "was slashed for height 1 already" in receipt.error
    assert not receipt.events
    assert bonded(society, "node-3") == 10
    assert not society.view("planned")


# --- rewards -------------------------------------------------------------------------------------------------------


def test_whoever_proposed_the_block_before_is_paid_once_for_it() -> None:
    society = Society(staked(membership=replace(STAKE, reward=3)))
    society.grow(9)
    society.settle()
    store = society.run.store("node-0")
    paid = dict.fromkeys(FOUNDERS, 0)
    names = {key(name).public: name for name in FOUNDERS}
    for height in range(1, store.height()):
        paid[names[store.block(height).block.header.proposer]] += 3
    free = {name: society.view("account", did=key(name).did)["free"] for name in FOUNDERS}
    assert free == paid
    assert sum(free.values()) == 3 * (store.height() - 1)
    for name in FOUNDERS:
        require_consistent(society.genesis, society.run.store(name))
    assert all(not receipt.startswith(b"Rewarded") for receipt in store.receipts(3))


def test_nobody_is_paid_where_no_reward_is_set() -> None:
    society = Society(staked())
    society.grow(4)
    assert {society.view("account", did=key(name).did)["free"] for name in FOUNDERS} == {0}


# --- chains that could never begin -----------------------------------------------------------------------------------

CANNOT_BEGIN: dict[str, Callable[[], Any]] = {
    "a committee has 1 to 1000 members, not 0": lambda: builders.genesis(weights=()),
    "a weight is 1 to": lambda: builders.genesis(weights=(0, 0, 0, 0)),
    "a weight is 1 to 1099511627776": lambda: builders.genesis(weights=(2**41,)),
    "membership.seats is 0: it must be positive": lambda: staked(membership=replace(STAKE, seats=0)),
    "membership.epoch is 0: it must be positive": lambda: staked(membership=replace(STAKE, epoch=0)),
    "membership.delay is 0": lambda: chain(membership=Authority(delay=0)),
    "members refuses the settings: .*a seat for each founder": lambda: staked(membership=replace(STAKE, seats=3)),
    "members refuses the settings: .*a founder has at least 11": lambda: staked(membership=replace(STAKE, least=11)),
    "members refuses the settings: .*1 to 100 percent": lambda: staked(membership=replace(STAKE, slash_percent=101)),
    "members refuses the settings: .*at most 1099511627776 units": lambda: staked(
        membership=replace(STAKE, holders=((key("rich").public, 2**40),))
    ),
    "members refuses the settings: .*a founder weighs 1": lambda: staked(
        membership=Delegation(seats=4, turnover=1, holders=STAKE.holders)
    ),
    "members refuses the settings: .*1 to 1099511627776 units": lambda: chain(
        membership=Delegation(seats=4, turnover=1)
    ),
    "members refuses the settings: .*one seat or more may change": lambda: chain(
        membership=Delegation(seats=4, turnover=5, holders=STAKE.holders)
    ),
    "members refuses the settings: .*every member has weight 1": lambda: builders.genesis(
        weights=(2, 1, 1), engine="raft", membership=Authority()
    ),
    "members refuses the settings: .*a member's name is letters": lambda: Genesis(
        ChainSpec(chain_id="x", members=(Member("\u0416", key("a").public),), membership=VOTING)
    ),
    "members refuses the settings: .*1 to 100 founders": lambda: chain(101),
    "holders: the same key occurs twice": lambda: staked(membership=replace(STAKE, holders=STAKE.holders * 2)),
    "holders: a public key of 32 bytes": lambda: staked(membership=replace(STAKE, holders=((b"x", 5),))),
    "holders: .*a positive amount, not 0": lambda: staked(membership=replace(STAKE, holders=((b"x" * 32, 0),))),
    "engine pow has no membership": lambda: chain(engine="pow", clock="wall"),
    "engine raft changes its members one at a time": lambda: staked(engine="raft"),
    "engine raft changes its members one at a time: its": lambda: chain(engine="raft", membership=Delegation()),
}


@pytest.mark.parametrize("words", CANNOT_BEGIN)
def test_a_chain_that_could_never_begin_is_refused_with_the_reason(words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        first_state(CANNOT_BEGIN[words]())


def test_the_first_state_holds_the_contract_that_governs() -> None:
    assert contract_key("members") in dict(first_state(chain()))
    assert contract_key("members") not in dict(first_state(chain(membership=None)))
