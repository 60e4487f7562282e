"""Institutions decide by vote: what they decide is carried out as it was written, in time, together, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

import minichain as mc
from minichain.codec import encode
from minichain.contracts import Sandbox, check
from minichain.contracts.language import MAX_SOURCE_BYTES
from minichain.contracts.system import GOVERNANCE
from minichain.crypto import KeyPair, digest, public_of
from minichain.errors import CallFailed, ContractFault, UsageError
from minichain.ledger.genesis import Authority
from minichain.ledger.local import validator_key
from minichain.ledger.state import Account, State, account_key, read_account
from minichain.scenarios.voting.rulebook import Pack, pack

SHOP = '''from minichain.contracts.api import Contract, Value, action, view


class Shop(Contract):
    """Sell at one price."""

    price = Value(int, 3)

    @action
    def buy(self, count: int) -> int:
        """Buy some."""
        return count * self.price

    @view
    def costs(self) -> int:
        """Tell the price."""
        return self.price
'''
MIGRATE = """    def migrate(self, price: int) -> None:
        self.price = price
        self.since = self.now

"""
DEARER = SHOP.replace("Value(int, 3)", "Value(int, 3)\n    since = Value(int)").replace(
    "    @view", MIGRATE + "    @view"
)
HOUR = 3_600_000


def rules(name: str = "supermajority", **changes: Any) -> Pack:
    """Return a pack with a day to vote, two hours to wait and two days to carry out, and without a deposit."""
    times = {"clock": "ms", "delay": 0, "voting": 24 * HOUR, "extension": 0, "timelock": 2 * HOUR, "grace": 48 * HOUR}
    return pack(name, **{**times, "threshold": [0, 1], "deposit": 0, "burns": [], **changes})


def majority(share: list[int], comparator: str = ">") -> Pack:
    """Return a pack that asks for a share of all weight."""
    made = rules()
    for track in made["tracks"].values():
        track["clauses"] = [{**track["clauses"][0], "share": share, "comparator": comparator}]
    made["tracks"]["amendment"]["clauses"][0]["share"] = [9, 10]
    return made


class House:
    """Three institutions with weights 2, 1 and 1 (or others), and a shop whose authority they are."""

    def __init__(self, made: Pack | None = None, rows: Any = None, units: int = 0, **setup: Any) -> None:
        self.box = Sandbox()
        self.names = ("City", "District", "Operator")
        self.dids = [self.box.account(name) for name in self.names]
        self.box.state = State([(account_key(public_of(did)), encode(Account(balance=units))) for did in self.dids])
        self.city, self.district, self.operator = self.dids
        self.stranger = self.box.account("stranger")
        usual = [[name, did, weight] for name, did, weight in zip(self.names, self.dids, (2, 1, 1), strict=True)]
        listed = [[row[0], self.box.account(row[0]), *row[1:]] for row in rows] if rows else usual
        setup = {"members": listed, "pack": made or rules(), **setup}
        self.house: Any = self.box.deploy(GOVERNANCE, sender=self.city, **setup)
        self.shop = self.box.deploy(SHOP, sender=self.city)
        self.box.call(self.city, "ledger", "entrust", {"name": "shop", "authority": "governance"})
        self.box.call(self.city, "ledger", "entrust", {"name": "governance", "authority": ""})

    def propose(self, *calls: dict[str, Any], by: str = "", title: str = "A new price") -> int:
        outcome = self.house.with_sender(by or self.city).propose(title, "Costs have risen.", list(calls or [UPGRADE]))
        return int(outcome.result)

    def vote(self, number: int, *who: str, say: str = "yes") -> str:
        """Let these vote, by did or by name; returns what has become of the proposal."""
        return str([self.house.with_sender(self.did(one)).vote(number, say).result for one in who][-1])

    def did(self, who: str) -> str:
        return who if who.startswith("did:") else self.box.account(who)

    def status(self, number: int) -> str:
        return str(self.house.proposal(number)["status"])

    def carry_out(self, number: int) -> Any:
        """Queue what has succeeded, wait, and execute it; returns what the house says of it."""
        self.house.queue(number)
        self.box.advance(hours=2)
        return self.house.execute(number).result

    def units(self, who: str) -> int:
        return read_account(self.box.state.values[account_key(public_of(self.did(who)))]).balance

    def refusal(self, who: str, action: str, *args: Any) -> str:
        return str(self.house.with_sender(self.did(who)).attempt(action, *args).error)


def call(contract: str, action: str, /, **arguments: Any) -> dict[str, Any]:
    return {"contract": contract, "action": action, "arguments": arguments}


UPGRADE = call("ledger", "upgrade", name="shop", source=DEARER, args={"price": 5})
FREEZE = call("ledger", "freeze", name="shop")


def test_it_is_in_the_language_and_small() -> None:
    assert check(GOVERNANCE) == []
    assert len(GOVERNANCE.encode()) < MAX_SOURCE_BYTES * 9 // 10


def test_a_contract_changes_by_decision_only() -> None:
    house = House()
    args = {"name": "shop", "source": DEARER, "args": {"price": 5}}
    assert (
        "only the authority of shop, which is governance" in house.box.call(house.city, "ledger", "upgrade", args).error
    )
    number = house.propose()
    assert house.vote(number, house.city) == "Active"
    assert house.vote(number, house.district) == "Succeeded"
    assert "has to wait before it is executed: queue it first" in house.refusal(house.city, "execute", number)
    ready = house.house.queue(number).result
    assert f"it waits: execute it from {ready} on" in house.refusal(house.city, "execute", number)
    house.box.advance(hours=2)
    outcome = house.house.execute(number)
    assert outcome.result == {"status": "Executed", "why": "", "results": [2]}
    assert [(event.contract, event.name) for event in outcome.events] == [
        ("ledger", "Upgraded"),
        ("governance", "Stage"),
    ]
    assert outcome.events[0].data["by"] == "governance"
    assert house.box.view("", "shop", "costs", {}).result == 5
    assert house.status(number) == "Executed"
    assert f"proposal {number} is Executed: it cannot be executed" in house.refusal(house.city, "execute", number)


def test_more_than_the_part_is_needed_and_a_proposal_that_cannot_reach_it_is_defeated() -> None:
    half = House(majority([1, 2]))
    assert half.vote(half.propose(), half.city) == "Active", "half is not more than half"
    assert half.vote(1, half.operator) == "Succeeded"
    assert half.vote(half.propose(), half.city, say="no") == "Defeated"
    house = House()
    number = house.propose()
    assert house.vote(number, house.district, say="no") == "Active", "three of four are more than two thirds"
    assert house.vote(number, house.operator, say="no") == "Defeated"
    words = f"proposal {number} is Defeated (no_majority): it cannot be voted on"
    assert words in house.refusal(house.city, "vote", number, "yes")
    assert house.house.ballots(number) == [
        ["City", house.city, 2, "not yet"],
        ["District", house.district, 1, "no"],
        ["Operator", house.operator, 1, "no"],
    ]
    assert house.house.ballots(number, start=1, limit=1)[0][0] == "District"


def test_a_tie_fails_where_more_is_asked_and_passes_where_as_much_is_enough() -> None:
    for comparator, end in ((">", "Defeated"), (">=", "Succeeded")):
        house = House(majority([1, 2], comparator))
        house.vote(house.propose(), house.city)
        house.box.advance(hours=25)
        assert house.status(1) == end


def test_votes_and_decisions_run_out() -> None:
    house = House()
    number = house.propose()
    house.box.advance(ms=24 * HOUR)
    assert house.vote(number, house.city) == "Active", "the last moment counts"
    house.box.advance(ms=1)
    assert house.status(number) == "Defeated"
    assert "is Defeated (no_majority)" in house.refusal(house.district, "vote", number, "yes")
    late = house.propose()
    house.vote(late, house.city, house.district)
    house.house.queue(late)
    house.box.advance(ms=50 * HOUR)
    assert house.status(late) == "Queued"
    house.box.advance(ms=1)
    assert house.status(late) == "Expired"
    assert "is Expired: it cannot be executed" in house.refusal(house.city, "execute", late)
    never = house.propose()
    house.vote(never, house.city, house.district)
    house.box.advance(ms=48 * HOUR + 1)
    assert "is Expired: it cannot be queued" in house.refusal(house.city, "queue", never)


def test_in_blocks_the_last_block_counts_and_the_one_after_is_too_late() -> None:
    house = House(rules("fisco_safe", clock="blocks", voting=5, timelock=0, grace=5))
    first, second = house.propose(), house.propose(FREEZE)
    house.box.advance(blocks=5)
    assert house.vote(first, house.district) == "Active"
    house.box.advance(blocks=1)
    assert "is Defeated (no_quorum): it cannot be voted on" in house.refusal(house.city, "vote", second, "yes")


def test_who_proposed_takes_it_back_until_somebody_has_voted() -> None:
    house = House()
    first, second = house.propose(), house.propose(by=house.district)
    assert "only who made a proposal takes it back" in house.refusal(house.city, "cancel", second)
    house.house.cancel(first)
    assert house.status(first) == "Cancelled"
    assert "is Cancelled: it cannot be voted on" in house.refusal(house.city, "vote", first, "yes")
    house.vote(second, house.city)
    assert "somebody has voted on it already" in house.refusal(house.district, "cancel", second)


def test_a_guardian_stops_what_is_not_executed_and_does_nothing_else() -> None:
    guardian = Sandbox().account("Auditor")
    house = House(rules("oz"), guardian=guardian)
    number = house.propose()
    house.vote(number, house.city)
    assert "is Active: it is not yours any more" in house.refusal(house.city, "cancel", number), "only while pending"
    assert "only those who were members" in house.refusal(guardian, "vote", number, "yes")
    house.box.advance(hours=25)
    house.house.queue(number)
    house.house.with_sender(guardian).cancel(number)
    house.box.advance(hours=2)
    assert "is Cancelled" in house.refusal(house.city, "execute", number)
    change = house.propose(call("governance", "set_pack", pack=rules()))
    assert "only who made a proposal takes it back" in house.refusal(guardian, "cancel", change), "not the rules"
    unwatched = House(rules("aragon"), guardian=guardian)
    assert "only who made a proposal" in unwatched.refusal(guardian, "cancel", unwatched.propose())
    assert "is Active: it is not yours any more" in unwatched.refusal(unwatched.city, "cancel", 1), "never, there"


def test_a_guardian_is_replaced_by_a_decision_as_the_rules_are() -> None:
    first, second = Sandbox().account("Auditor"), Sandbox().account("Notary")
    house = House(rules("oz"), guardian=first)
    other = call("governance", "set_guardian", guardian=second)
    number = house.propose(other)
    assert "only who made a proposal takes it back" in house.refusal(first, "cancel", number), "not its own end"
    assert house.house.proposal(number)["track"] == "amendment"
    house.vote(number, *house.dids)
    house.box.advance(hours=25)
    assert house.carry_out(number)["status"] == "Executed"
    assert house.house.guarded_by() == second
    watched = house.propose()
    assert "only who made a proposal" in house.refusal(first, "cancel", watched)
    house.house.with_sender(second).cancel(watched)
    nobody = call("governance", "set_guardian", guardian="the auditor")
    assert "a guardian is named by its did:key" in house.refusal("City", "propose", "t", "r", [nobody])
    house.propose(call("governance", "set_guardian", guardian=""))


def test_strangers_neither_propose_nor_vote_nor_carry_out() -> None:
    house = House()
    number = house.propose()
    assert "only a member may propose" in house.refusal(house.stranger, "propose", "t", "r", [FREEZE])
    assert "only those who were members" in house.refusal(house.stranger, "vote", number, "yes")
    assert "only a member delegates" in House(rules("oz")).refusal(house.stranger, "delegate", "")
    house.vote(number, house.city, house.district)
    assert "only a member puts a decision in the queue" in house.refusal(house.stranger, "queue", number)
    house.house.queue(number)
    house.box.advance(hours=3)
    assert "only a member carries a decision out" in house.refusal(house.stranger, "execute", number)
    house.vote(second := house.propose(), house.city)
    assert "you have voted on this: by these rules a vote cannot be changed" in house.refusal(
        house.city, "vote", second, "no"
    )
    assert "by these rules a vote is one of: yes, no" in house.refusal(house.district, "vote", second, "veto")


def test_a_decision_is_carried_out_together_or_not_at_all_and_can_be_tried_again() -> None:
    house = House()
    price = call("ledger", "upgrade", name="shop", source=DEARER, args={"price": 5})
    number = house.propose(price, call("ledger", "freeze", name="stall"))
    house.vote(number, house.city, house.district)
    told = house.carry_out(number)
    assert told["status"] == "ExecutionFailed"
    assert 'there is no contract "stall"' in told["why"]
    assert house.shop.buy(1).result == 3, "nothing of it stands"
    shown = house.house.proposal(number)
    assert (shown["status"], shown["why"]) == ("ExecutionFailed", told["why"])
    house.box.deploy(SHOP, sender=house.city, name="stall")
    house.box.call(house.city, "ledger", "entrust", {"name": "stall", "authority": "governance"})
    assert house.house.execute(number).result["status"] == "Executed"
    assert house.box.view("", "shop", "costs", {}).result == 5


def test_what_fails_leaves_no_event_and_is_tried_until_its_time_is_over() -> None:
    house = House()
    number = house.propose(FREEZE, FREEZE)
    house.vote(number, house.city, house.district)
    house.house.queue(number)
    house.box.advance(hours=2)
    for _ in range(2):
        outcome = house.house.execute(number)
        assert outcome.ok
        assert [(event.name, event.data["state"]) for event in outcome.events] in (
            [("Stage", "ExecutionFailed")],
            [],
        ), "of the freezing, which was undone, nothing is told"
        assert "shop is frozen already" in outcome.result["why"]
    house.box.advance(hours=49)
    assert house.status(number) == "Expired"


def test_an_action_that_has_become_stale_fails_and_says_so() -> None:
    house = House()
    number = house.propose(call("ledger", "unfreeze", name="shop"), call("shop", "buy", count=1))
    house.vote(number, house.city, house.district)
    assert "shop is not frozen" in house.carry_out(number)["why"]


def test_what_was_decided_about_code_that_is_gone_fails_and_says_so() -> None:
    """Two upgrades of the same version: the second one would undo the first, and nobody has voted on that."""
    house = House()
    older = house.propose(call("ledger", "upgrade", name="shop", source=SHOP.replace("some", "a few"), args={}))
    harmless = house.propose(call("shop", "buy", count=1))
    newer = house.propose()
    house.vote(newer, house.city, house.district)
    assert house.carry_out(newer)["status"] == "Executed"
    words = "the code of shop has changed since this was proposed: propose it anew"
    for number in (older, harmless):
        house.vote(number, house.city, house.district)
        assert house.house.obstacle(number) == words
        assert house.carry_out(number) == {"status": "ExecutionFailed", "why": words, "results": []}
    again = house.propose(call("ledger", "upgrade", name="shop", source=DEARER + "\n", args={"price": 6}))
    house.vote(again, house.city, house.district)
    assert (house.house.obstacle(again), house.carry_out(again)["status"]) == ("", "Executed")


def test_code_that_another_authority_has_changed_since_is_not_what_was_voted_on() -> None:
    house = House()
    house.box.deploy(SHOP, sender=house.stranger, name="stall")
    number, later = (house.propose(call(name, "buy", count=1)) for name in ("stall", "to-come"))
    house.vote(number, house.city, house.district)
    house.box.call(house.stranger, "ledger", "upgrade", {"name": "stall", "source": DEARER, "args": {"price": 9}})
    why = "the code of stall has changed since this was proposed: propose it anew"
    assert (house.house.obstacle(number), house.carry_out(number)["why"]) == (why, why)
    house.box.deploy(SHOP, sender=house.city, name="to-come")
    assert house.house.obstacle(later) == "", "it was voted on before it was there"


def test_nobody_makes_a_decision_fail_by_giving_it_too_little_gas() -> None:
    house = House()
    number = house.propose()
    house.vote(number, house.city, house.district)
    house.house.queue(number)
    house.box.advance(hours=2)
    plenty = house.box.gas_limit
    needed = house.box.rehearse("governance", house.house.calls(number)).gas
    for limit in (needed // 2, needed, needed + 100_000):
        house.box.gas_limit = limit
        outcome = house.house.attempt("execute", number)
        assert outcome.outcome == "out_of_gas"
        house.box.gas_limit = plenty
        assert house.status(number) == "Queued"
    assert house.house.execute(number).result["status"] == "Executed"


def test_decisions_call_other_contracts_and_deploy_new_ones() -> None:
    house = House()
    people = [house.city]
    calls = [
        call("ledger", "deploy", name="branch", source=SHOP, args={}),
        call("branch", "buy", count=2),
        call("ledger", "restrict", name="shop", action="buy", mode="allow", accounts=people),
        call("ledger", "entrust", name="branch", authority=house.operator),
    ]
    number = house.propose(*calls)
    assert house.house.calls(number) == calls
    house.vote(number, house.city, house.operator)
    assert house.carry_out(number)["results"] == ["branch", 6, None, None]
    assert "its allow list does not name" in house.box.call(house.district, "shop", "buy", {"count": 1}).error
    assert house.box.call(house.operator, "ledger", "freeze", {"name": "branch"}).ok


@pytest.mark.parametrize(
    ("title", "reason", "calls", "words"),
    [
        ("", "r", [FREEZE], "a title of 1 to 120 characters is needed"),
        ("t" * 121, "r", [FREEZE], "a title of 1 to 120"),
        ("t", " ", [FREEZE], "a reason of 1 to 2000"),
        ("t", "r", [], "a decision is 1 to 10 calls"),
        ("t", "r", [FREEZE] * 11, "a decision is 1 to 10 calls"),
        ("t", "r", [{}], "each call is written {contract, action, arguments}"),
        ("t", "r", [{**FREEZE, "why": ""}], "each call is written"),
        ("t", "r", [{**FREEZE, "arguments": []}], "each call is written"),
        ("t", "r", [{**FREEZE, "action": 5}], "are called by name"),
        (
            "t",
            "r",
            [call("governance", "vote", number=1, choice="yes")],
            "this contract does for itself only: set_pack",
        ),
        ("t", "r", [call("governance", "set_pack", rules={})], "this contract does for itself only: set_pack"),
        ("t", "r", [call("governance", "set_members", members=[]), FREEZE], "of the members stands alone"),
        ("t", "r", [call("governance", "set_members", members=[])], "there are 1 to 100 founders"),
        ("t", "r", [call("governance", "set_members", members={})], "members are a list"),
        (
            "t",
            "r",
            [call("governance", "set_pack", pack={})],
            "a rule pack has these fields and no other: name, source",
        ),
        ("t", "r", [call("ledger", "transfer", to="x", amount=1)], "the ledger does not do this for a contract"),
        ("t", "r", [call("ledger", "freeze", name=5)], "each of the calls is about a contract, by its name"),
        ("t", 5, [FREEZE], "argument reason must be str, not int"),
        ("t", "r", "freeze", "argument calls must be list[dict], not str"),
        ("t", "r", [call("shop", "x", note="x" * 66_000)], "a stored value has at most 65536 bytes"),
    ],
)
def test_a_proposal_that_could_not_be_carried_out_is_refused(title: Any, reason: Any, calls: Any, words: str) -> None:
    house = House()
    assert words in house.refusal(house.city, "propose", title, reason, calls)
    assert house.house.count_proposals() == 0


@pytest.mark.parametrize(
    ("setup", "words"),
    [
        ({"members": []}, 'there is no contract "members"'),
        ({"members": [["City", "did:key:z6Mk", 1]]}, "a member is named by its did:key"),
        ({"members": [["City"]]}, "each member is [name, did, weight], or also with a seat and a population"),
        ({"members": ["City"]}, "each member is [name, did, weight]"),
        ({"members": [[7, Sandbox().account("City"), 1]]}, "each member is [name, did, weight]"),
        ({"members": [["City", 7, 1]]}, "each member is [name, did, weight]"),
        ({"members": [["City", Sandbox().account("City"), 1, "a:b", 0]]}, "a seat is named in up to 40 characters"),
        ({"members": [["City", Sandbox().account("City"), 1, "", -1]]}, "City: a population is 0 to 1099511627776"),
        ({"guardian": "the auditor"}, "a guardian is named by its did:key"),
        ({"pack": pack("unsc")}, "nobody among these members can use the veto permanent"),
        ({"pack": pack("two_chamber")}, "clause operators_present is out of reach, even if all members say yes"),
    ],
)
def test_a_house_that_could_not_decide_cannot_be_founded(setup: dict[str, Any], words: str) -> None:
    with pytest.raises(CallFailed) as caught:
        House(**setup)
    assert words in str(caught.value)


def test_a_call_back_into_the_house_fails() -> None:
    house = House()
    hostile = SHOP.replace(
        "        return count * self.price",
        '        self.call("governance", "vote", number=2, choice="yes")\n        return count',
    )
    house.box.deploy(hostile, sender=house.city, name="bribed")
    number = house.propose(call("bribed", "buy", count=1))
    house.vote(number, house.city, house.district)
    assert "governance is already running in this call" in house.carry_out(number)["why"]


@pytest.mark.parametrize("action", ["upgrade", "freeze", "restrict", "entrust"])
def test_a_house_that_is_its_own_authority_is_not_captured_by_an_ordinary_decision(action: str) -> None:
    """Frozen it would be dead for ever; restricted or entrusted it would belong to whom an ordinary majority likes."""
    house = House()
    words = "this contract does for itself only: set_pack, set_members"
    assert words in house.refusal("City", "propose", "t", "r", [FREEZE, call("ledger", action, name="governance")])


def test_proposals_are_paged_and_say_what_they_are_about() -> None:
    house = House()
    for number in range(1, 6):
        house.propose(UPGRADE, call("shop", "buy", count=1), title=f"Price {number}")
    assert house.house.count_proposals() == 5
    page = house.house.proposals(start=1, limit=2)
    assert [(case["number"], case["title"]) for case in page] == [(2, "Price 2"), (3, "Price 3")]
    assert (page[0]["what"], page[0]["about"]) == (["ledger.upgrade", "shop.buy"], ["shop", "shop"])
    with pytest.raises(ContractFault, match="there is no proposal 6"):
        house.house.proposal(6)
    with pytest.raises(ContractFault, match="a page starts at 0 or later"):
        house.house.ballots(1, limit=101)
    assert len(house.box.state.values) < 60, "the same list of members is kept once"


# --- on a network ----------------------------------------------------------------------------------------------------


def decide(net: mc.Network, governance: Any, members: list[mc.Wallet], calls: list[dict[str, Any]]) -> mc.Receipt:
    """Let all members vote yes, wait, and carry it out."""
    number = governance.with_sender(members[0]).propose("A new price", "Costs have risen.", calls).result
    for member in members:
        if governance.proposal(number)["status"] == "Active":
            governance.with_sender(member).vote(number, "yes")
    governance.with_sender(members[0]).queue(number)
    net.pass_time(governance.rules()["tracks"]["ordinary"]["timelock"])
    receipt: mc.Receipt = governance.with_sender(members[0]).execute(number)
    return receipt


def found(net: mc.Network, members: list[mc.Wallet]) -> Any:
    """Deploy a governance contract that nobody can change, and a shop that it can."""
    listed = [[member.name, member.did, 1] for member in members]
    made = rules(voting=HOUR, timelock=50, grace=HOUR)
    governance = net.deploy(GOVERNANCE, sender=members[0], authority="", members=listed, pack=made)
    net.deploy(SHOP, sender=members[0], authority="governance")
    return governance


def lead_a_contract_through_its_life(net: mc.Network) -> list[dict[str, Any]]:
    """Upgrade, restrict and freeze a shop by decisions; returns the receipts in the form that two worlds share."""
    members = [net.wallet(name) for name in ("City", "District", "Operator")]
    governance = found(net, members)
    shop = net.contract("shop", members[1])
    number = governance.propose("A new price", "Costs have risen.", [UPGRADE]).result
    assert [one.number for one in net.proposals_on("shop")] == [number]
    assert "The code of buy" not in str(net.diff("shop", number))
    assert "It keeps one thing more: since, Value(int)" in str(net.diff("shop", number))
    assert net.diff("shop", number) == net.diff("shop", DEARER)
    governance.cancel(number)
    assert net.proposals_on("shop") == net.proposals_on("governance") == []
    allow = call("ledger", "restrict", name="shop", action="buy", mode="allow", accounts=[members[1].did])
    receipts = [decide(net, governance, members, [UPGRADE, allow])]
    assert shop.buy(2).result == 10
    with pytest.raises(CallFailed, match="its allow list does not name the account that signed"):
        shop.with_sender(members[2]).buy(2)
    assert [version.number for version in net.versions("shop")] == [1, 2]
    assert (net.source("shop", 1), net.source("shop", 2), net.source("shop")) == (SHOP, DEARER, DEARER)
    with pytest.raises(UsageError, match="shop has no version 3: it has 1 to 2"):
        net.source("shop", 3)
    assert "buy stays restricted: only those on its list may use it (1)" in str(net.diff("shop", SHOP))
    receipts.append(decide(net, governance, members, [FREEZE]))
    with pytest.raises(CallFailed, match="shop is frozen by its authority, governance"):
        shop.buy(1)
    assert shop.costs() == 5
    return [receipt.comparable() for receipt in receipts]


def test_a_contract_is_led_through_its_life_by_decisions_in_both_worlds() -> None:
    settings = {"clock": "wall", "interval_ms": 10}
    told = []
    for world in (mc.Network.simulated, mc.Network.local):
        with world(2, seed=7, **settings) as net:
            told.append(lead_a_contract_through_its_life(net))
    simulated, live = told
    assert [receipt["outcome"] for receipt in simulated] == ["ok", "ok"]
    names = [[event["name"] for event in receipt["events"]] for receipt in simulated]
    assert names == [["Upgraded", "Restricted", "Stage"], ["Frozen", "Stage"]]
    assert [receipt["gas"] for receipt in simulated] == [receipt["gas"] for receipt in live]
    assert names == [[event["name"] for event in receipt["events"]] for receipt in live]


def test_the_members_of_a_chain_decide_as_they_are_when_something_is_proposed() -> None:
    with mc.Network.simulated(3, seed=3, membership=Authority(voting_blocks=50, delay=2), clock="wall") as net:
        keys = [validator_key(net.world.root, number) for number in range(3)]
        members = [mc.Wallet(name, key) for name, key in zip(net.nodes, keys, strict=True)]
        governance = net.deploy(GOVERNANCE, sender=members[0], members=[], pack=rules())
        newcomer = mc.Wallet("newcomer", KeyPair(digest("test", b"newcomer")))
        assert [row[0] for row in governance.members()] == list(net.nodes)
        net.deploy(SHOP, sender=members[0], authority="governance")
        early = governance.propose("Stop", "Something is wrong.", [FREEZE]).result
        chain = net.contract("members", members[0])
        number = chain.propose_admission("newcomer", newcomer.did, 1, "They keep half of the records.").result
        for member in members:
            chain.with_sender(member).attempt("vote", number, True)
        while len(governance.members()) == 3:
            net.wallet(f"somebody {net.height()}", units=1)
        assert [name for name, *_ in governance.ballots(early)] == list(net.nodes), "those of then decide this one"
        _deployed, proven = net.verified("shop")
        assert set(proven.signers) <= {*net.nodes, "newcomer"}, "trust follows the committee that changed"
        late = governance.propose("Stop", "Something is wrong.", [FREEZE]).result
        assert "newcomer" in [name for name, *_ in governance.ballots(late)]
        for action in ("upgrade", "freeze", "entrust"):
            args = {"upgrade": {"source": SHOP, "args": {}}, "entrust": {"authority": members[0].did}}.get(action, {})
            receipt = net.attempt(members[0], "ledger", action, {"name": "members", **args})
            assert receipt.error == f"members has no authority: nobody can {action} it, now or later"
