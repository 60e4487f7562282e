"""An alliance decides on the chain itself: who is one of it, what its contracts do, and by which rules."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

import minichain as mc
from minichain.client import rehearsing
from minichain.client.rehearsing import dry_run, rehearsed
from minichain.contracts import Sandbox
from minichain.contracts.system import GOVERNANCE, SOURCES
from minichain.crypto import did_of
from minichain.errors import TimedOut, UsageError
from minichain.scenarios.voting import alliance
from minichain.scenarios.voting.alliance import asked, member

NAMES = ["node-0", "node-1", "node-2", "node-3"]
FEES = '''from minichain.contracts.api import Contract, Value, action, require, view


class Fees(Contract):
    """Keep what a collection costs; only the alliance sets it."""

    cents = Value(int, 300)

    @action
    def set_fee(self, cents: int) -> int:
        """Set the fee."""
        require(self.caller == "governance", "only the alliance sets the fee")
        require(cents >= 0, "a fee is not below zero")
        self.cents = cents
        return cents

    @view
    def fee(self) -> int:
        """Tell the fee."""
        return self.cents
'''


def yes(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "yes")


@pytest.fixture(scope="module")
def net() -> Iterator[mc.Network]:
    """An alliance that has entrusted its membership, with fees that it sets."""
    with mc.Network.simulated(4, seed=41, **alliance.SETTINGS) as network:
        assert [receipt.error for _, receipt in alliance.found(network, NAMES)] == [""] * 4
        network.deploy(FEES, sender=member(network, "node-0"), authority="governance")
        yield network


def decide(net: mc.Network, *calls: dict[str, Any], votes: dict[str, str] | None = None) -> Any:
    """Decide, and return what the last step told: {status, why, results} of the execution."""
    told = list(alliance.decide(net, "A decision", "It is time.", list(calls), votes or yes(*NAMES[:3])))
    return told[-1][1].result


def signs(net: mc.Network, name: str) -> bool:
    """Tell whether one of the next blocks carries a validator's signature."""
    for _ in range(6):
        alliance.pass_blocks(net, 1)
        if name in alliance.signers(net, net.height()):
            return True
    return False


def admit_a_fifth(world: Any) -> dict[str, Any]:
    with world(4, seed=42, **alliance.SETTINGS) as net:
        told = [*alliance.found(net, NAMES), *alliance.admit(net, "node-4", yes(*NAMES[:3]))]
        before = alliance.signers(net, 1)
        net.crash("node-3")  # of five, four are needed: now the fifth is one of them
        alliance.pass_blocks(net, 1)
        after = alliance.signers(net, net.height())
        states = [event.data["state"] for _, receipt in told for event in receipt.events if event.name == "Stage"]
        return {
            "told": [receipt.comparable() for _, receipt in told],
            "before": before,
            "after": after,
            "states": states,
        }


def test_a_fifth_validator_is_admitted_by_vote_and_signs_the_same_in_both_worlds() -> None:
    simulated, live = admit_a_fifth(mc.Network.simulated), admit_a_fifth(mc.Network.local)
    for run in (simulated, live):
        assert "node-4" not in run["before"]
        assert set(run["after"]) == {"node-0", "node-1", "node-2", "node-4"}
    assert simulated["states"] == ["Pending", "Active", "Succeeded", "Queued", "Executed"]
    assert simulated["told"] == live["told"]


def test_a_member_is_removed_by_vote_and_comes_back(net: mc.Network) -> None:
    first = decide(net, alliance.removal(net, "node-3"))["results"][0]
    alliance.pass_blocks(net, max(0, first - net.height()))
    assert [row[0] for row in net.view("members", "members", {})] == NAMES[:3]
    assert "only a member may propose" in str(
        net.attempt(
            member(net, "node-3"), "governance", "propose", {"title": "t", "reason": "r", "calls": [FREEZE_FEES]}
        ).error
    )
    assert not signs(net, "node-3")
    list(alliance.admit(net, "node-3", yes(*NAMES[:3])))
    assert signs(net, "node-3")


FREEZE_FEES = asked("ledger", "freeze", name="fees")


def test_a_parameter_is_set_and_a_contract_frozen_and_upgraded(net: mc.Network) -> None:
    refused = net.attempt(member(net, "node-0"), "fees", "set_fee", {"cents": 1}).error
    assert "only the alliance sets the fee" in refused
    dearer = FEES.replace('"""Tell the fee."""', '"""Tell the fee in cents."""')
    upgrade = asked("ledger", "upgrade", name="fees", source=dearer, args={})
    told = decide(net, asked("fees", "set_fee", cents=350), upgrade, FREEZE_FEES)
    assert told == {"status": "Executed", "why": "", "results": [350, 2, None]}
    assert net.view("fees", "fee", {}) == 350
    assert net.deployed("fees").is_frozen
    assert decide(net, asked("ledger", "unfreeze", name="fees"))["status"] == "Executed"


def test_what_fails_is_told_and_nothing_of_it_stands(net: mc.Network) -> None:
    fee = net.view("fees", "fee", {})
    told = decide(net, asked("fees", "set_fee", cents=900), asked("fees", "set_fee", cents=-1))
    assert (told["status"], told["results"]) == ("ExecutionFailed", [])
    assert "a fee is not below zero" in told["why"]
    assert net.view("fees", "fee", {}) == fee


def test_the_rules_of_the_alliance_change_by_its_amendment_track(net: mc.Network) -> None:
    new = alliance.rules("supermajority")
    told = decide(net, asked("governance", "set_pack", pack=new), votes=yes(*NAMES))
    assert told["status"] == "Executed"
    assert net.view("governance", "rules", {}) == new
    decide(net, asked("fees", "set_fee", cents=100), votes=yes(*NAMES[:2]))
    assert net.view("governance", "proposals", {})[-1]["why"] == "no_majority", "two of four are no two thirds"
    assert (
        decide(net, asked("governance", "set_pack", pack=alliance.rules()), votes=yes(*NAMES))["status"] == "Executed"
    )


def test_a_key_that_nobody_can_own_makes_a_decision_fail_with_a_reason(net: mc.Network) -> None:
    """It looks like a did:key; the committee it were in could not be made, and no proposal may hang on that."""
    nobody = asked("members", "admit", name="node-9", did=did_of(b"\2" + bytes(31)), weight=1)
    told = decide(net, nobody, votes=yes(*NAMES))
    assert (told["status"], "a member is named by its did:key" in told["why"]) == ("ExecutionFailed", True)


def test_who_is_a_member_is_decided_as_the_rules_are_and_never_in_a_hurry(net: mc.Network) -> None:
    """Else half of them admit their friends by an ordinary vote, and amend with those what they like."""
    calls = [asked("fees", "set_fee", cents=5), alliance.admission(net, "node-8")]
    for urgent in (False, True):
        number = propose(net, calls, urgent=urgent)
        assert net.view("governance", "proposal", {"number": number})["track"] == "amendment"


def test_the_chains_own_members_are_not_listed_a_second_time(net: mc.Network) -> None:
    calls = [asked("governance", "set_members", members=[["node-0", member(net, "node-0").did, 9]])]
    wish = {"title": "t", "reason": "r", "calls": calls}
    error = net.attempt(member(net, "node-0"), "governance", "propose", wish).error
    assert "the members of the chain decide here: propose the change to the contract members" in error


def test_a_dry_run_tells_what_a_proposal_would_change(net: mc.Network) -> None:
    calls = [asked("fees", "set_fee", cents=777), asked("ledger", "freeze", name="fees")]
    number = propose(net, calls)
    before, height = net.view("fees", "fee", {}), net.height()
    told = dry_run(net, "governance", number)
    assert [tuple(change) for change in told.changes] == [
        ("fees: is_frozen", False, True),
        ("fees.cents", before, 777),
    ]
    assert [event.name for event in told.events] == ["Frozen"]
    assert (net.view("fees", "fee", {}), net.height()) == (before, height), "nothing was sent"
    assert (
        "a fee is not below zero" in dry_run(net, "governance", propose(net, [asked("fees", "set_fee", cents=-5)])).why
    )
    admitted = dry_run(net, "governance", propose(net, [alliance.admission(net, "node-7")]))
    assert any(
        change.name.startswith("members.editions[") and "node-7" in str(change.after) for change in admitted.changes
    )
    rules = dry_run(net, "governance", propose(net, [asked("governance", "set_pack", pack=alliance.rules("oz"))]))
    assert ("governance.pack.name", "one_org_one_vote", "oz") in [tuple(change) for change in rules.changes]


def test_a_dry_run_believes_no_node(net: mc.Network, monkeypatch: pytest.MonkeyPatch) -> None:
    number = propose(net, [FREEZE_FEES])
    monkeypatch.setattr(net, "view", lambda *args: [asked("fees", "set_fee", cents=300)])  # a node that lies
    assert [event.name for event in dry_run(net, "governance", number).events] == ["Frozen"]
    with pytest.raises(UsageError, match="there is no proposal 999: see proposals"):
        dry_run(net, "governance", 999)
    monkeypatch.undo()


def test_a_dry_run_fails_where_rules_have_become_out_of_reach(net: mc.Network) -> None:
    operator, regulator = member(net, "node-0"), member(net, "node-1")
    rows = [["operator", operator.did, 1, "operators", 0], ["regulator", regulator.did, 1, "regulators", 0]]
    setup = {"members": rows, "pack": alliance.rules()}
    council = net.deploy(GOVERNANCE, sender=operator, name="council", authority="", setup=setup)
    fewer = [["operator", operator.did, 2]]
    chambers = asked("council", "set_pack", pack=alliance.rules("two_chamber"))
    wishes = [asked("council", "set_members", members=fewer), chambers]
    first, second = [council.propose("t", "r", [wish]).result for wish in wishes]
    assert [change.after for change in dry_run(net, "council", first).changes] == [[[*fewer[0], "", 0]]]
    assert dry_run(net, "council", second).why == ""
    for who in (operator, regulator):
        council.with_sender(who).vote(first, "yes")
    council.queue(first)
    alliance.pass_blocks(net, 3)
    assert council.execute(first).result["status"] == "Executed"
    told = dry_run(net, "council", second)
    assert "clause operators_present is out of reach" in told.why
    assert told.changes == ()


def propose(net: mc.Network, calls: list[dict[str, Any]], *, urgent: bool = False) -> int:
    """Propose, after taking back what was proposed before: one proposal at a time on the same thing."""
    net.attempt(
        member(net, "node-0"), "governance", "cancel", {"number": net.view("governance", "count_proposals", {})}
    )
    wish = {"title": "t", "reason": "r", "calls": calls, "urgent": urgent}
    receipt = net.attempt(member(net, "node-0"), "governance", "propose", wish)
    assert receipt.ok, receipt.error
    return int(receipt.result)


def test_a_dry_run_sees_one_state_or_says_that_it_cannot(net: mc.Network, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = [asked("fees", "set_fee", cents=1)]
    proven, blocks = net.proven, count()

    def busy(key: bytes) -> Any:
        if next(blocks) < limit:
            alliance.pass_blocks(net, 1)
        return proven(key)

    monkeypatch.setattr(net, "proven", busy)
    limit = 2
    assert rehearsed(net, "governance", calls).why == "", "after a while it is quiet enough"
    limit = 10**9
    with pytest.raises(TimedOut, match=f"the chain went on during each of {rehearsing.TIMES} rehearsals"):
        rehearsed(net, "governance", calls)


def test_a_chain_without_a_block_has_nothing_to_try_on() -> None:
    with mc.Network.simulated(1, seed=3) as net, pytest.raises(UsageError, match="the chain has no block yet"):
        rehearsed(net, "governance", [])


# --- whom the members entrust ------------------------------------------------------------------------------------


class Body:
    """The contract of an alliance's members in a sandbox, and a contract that decides in their place."""

    def __init__(self, *, one_at_a_time: bool = False) -> None:
        self.box = Sandbox()
        self.dids = [self.box.account(name) for name in NAMES]
        founders = [[name, did, 1] for name, did in zip(NAMES, self.dids, strict=True)]
        settings: dict[str, Any] = {"voting_blocks": 10, "delay": 2, "one_at_a_time": one_at_a_time}
        source = SOURCES["authority"]
        self.members: Any = self.box.deploy(source, sender=self.dids[0], name="members", founders=founders, **settings)
        pack = alliance.rules("consensus")
        self.box.deploy(GOVERNANCE, sender=self.dids[0], members=[], pack=pack)

    def entrust(self, contract: str = "governance") -> None:
        number = self.members.propose_governor(contract, "its rules are written down").result
        for did in self.dids[:3]:
            self.members.with_sender(did).vote(number, True)

    def refusal(self, action: str, *args: Any) -> str:
        return str(self.members.attempt(action, *args).error)

    def ask(self, action: str, **args: Any) -> str:
        """Let the contract that is entrusted ask, and tell why it could not."""
        return self.box.rehearse("governance", [asked("members", action, **args)]).why


def test_only_who_is_entrusted_decides_and_then_nobody_else() -> None:
    body = Body()
    newcomer = body.box.account("newcomer")
    assert "only the contract that the members have entrusted" in body.refusal("admit", "n", newcomer, 1)
    assert "only the contract that the members have entrusted" in body.ask("remove", did=newcomer)
    body.entrust()
    assert body.ask("admit", name="newcomer", did=newcomer, weight=1) == ""
    for action, args in (
        ("propose_admission", ("newcomer", newcomer, 1, "r")),
        ("propose_removal", (body.dids[1], "r")),
        ("propose_weight", (body.dids[1], 2, "r")),
    ):
        assert "the contract governance decides who the members are: propose it there" in body.refusal(action, *args)
    assert "only the contract that the members have entrusted" in body.refusal("reweigh", body.dids[1], 3)
    body.entrust("")
    assert "only the contract that the members have entrusted" in body.ask("remove", did=body.dids[1])
    assert body.members.propose_removal(body.dids[1], "r").ok, "they have taken it back"


def test_a_vote_that_was_open_when_a_contract_was_entrusted_changes_nothing_any_more() -> None:
    body = Body()
    number = body.members.propose_admission("newcomer", body.box.account("newcomer"), 1, "r").result
    body.entrust()
    for did in body.dids[:3]:
        body.members.with_sender(did).vote(number, True)
    case = body.members.proposal(number)
    assert (case["status"], body.members.planned()) == ("failed", [])
    assert "the contract governance decides who the members are" in case["why"]


def test_what_is_entrusted_must_be_there_and_decide_by_rules() -> None:
    body = Body()
    assert 'there is no contract "house"' in body.refusal("propose_governor", "house", "r")
    body.box.deploy(FEES, sender=body.dids[0])
    assert 'fees has no method "rules"' in body.refusal("propose_governor", "fees", "r")


@pytest.mark.parametrize(
    ("action", "args", "words"),
    [
        ("admit", {"name": "x/y", "weight": 1}, "a member's name is letters, digits and usual signs"),
        ("admit", {"name": "node-1", "weight": 1}, "the name node-1 is taken"),
        ("admit", {"name": "new", "weight": 0}, "a weight is a whole number from 1"),
        ("admit", {"name": "new", "weight": 1, "did": "did:key:z6Mk"}, "a member is named by its did:key"),
        ("admit", {"name": "new", "weight": 1, "did": did_of(b"\2" + bytes(31))}, "a member is named by its did:key"),
        ("remove", {}, "this key is not a member, or will not be one any more"),
        ("reweigh", {"weight": 2}, "this key is not a member"),
        ("reweigh", {"weight": 0}, "a weight is a whole number from 1"),
    ],
)
def test_what_cannot_be_so_is_refused_whoever_decides(action: str, args: dict[str, Any], words: str) -> None:
    body = Body()
    body.entrust()
    assert words in body.ask(action, **{"did": body.box.account("newcomer"), **args})


def test_where_one_change_is_made_at_a_time_that_binds_who_is_entrusted_too() -> None:
    body = Body(one_at_a_time=True)
    body.entrust()
    new = {"name": "new", "did": body.box.account("new")}
    assert "here every member has weight 1" in body.ask("admit", **new, weight=2)
    again = [asked("members", "admit", **new, weight=1), asked("members", "remove", did=body.dids[3])]
    assert "one change at a time" in body.box.rehearse("governance", again).why


def test_a_member_does_not_stop_who_is_entrusted_by_proposing_to_entrust_somebody_else() -> None:
    body = Body(one_at_a_time=True)
    body.entrust()
    body.members.with_sender(body.dids[3]).propose_governor("", "so that nobody removes me")
    assert body.ask("remove", did=body.dids[3]) == ""
    assert body.members.propose_governor("", "another one").ok
    body.entrust("")
    body.members.propose_removal(body.dids[3], "r")
    words = "one change at a time: proposal 5 is open"
    assert words in body.refusal("propose_admission", "new", body.box.account("new"), 1, "r")
    assert words in body.refusal("propose_governor", "governance", "r")
