"""Rule packs on a chain: the whole life of a proposal under each, and that a contract decides as the page tells."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_decisions import FREEZE, HOUR, SHOP, UPGRADE, House, call, majority, rules

from minichain.codec import decode_value
from minichain.contracts import rulebook
from minichain.errors import ContractFault
from minichain.scenarios.voting.rulebook import PACKS, Pack, pack, verdict

GAS_OF_A_VOTE = 2_500_000  # with 100 members; the most where weights are of the moment: all is counted anew, and kept


def asking(made: Pack, share: list[int]) -> Pack:
    """Let the first clause of a pack ask for a share, and for nearly all where the pack itself is changed."""
    for title, track in made["tracks"].items():
        track["clauses"][0]["share"] = [99, 100] if title == "amendment" else share
    return made


# --- the life of a proposal --------------------------------------------------------------------------------------


def states(outcome: Any) -> list[str]:
    return [event.data["state"] for event in outcome.events if event.name == "Stage"]


def test_a_proposal_passes_through_every_state() -> None:
    """Sponsored, voted on after a delay, extended by a late quorum, queued, failed once, executed."""
    made = rules("oz", threshold=[1, 2], delay=HOUR, extension=3 * HOUR)
    house = House(asking(made, [60, 100]), rows=[["City", 40], ["District", 30], ["Operator", 30]])
    outcome = house.house.propose("Stop it", "It is broken.", [call("ledger", "freeze", name="stall")])
    number, seen = outcome.result, states(outcome)
    assert "is Draft: it cannot be voted on" in house.refusal("City", "vote", number, "yes")
    seen += states(house.house.with_sender(house.district).sponsor(number))
    assert "is Pending: it cannot be sponsored" in house.refusal("Operator", "sponsor", number)
    assert "is Pending: it cannot be voted on" in house.refusal("City", "vote", number, "yes")
    house.box.advance(hours=2)
    seen += states(house.house.vote(number, "yes"))
    house.box.advance(hours=23)
    seen += states(house.house.with_sender(house.operator).vote(number, "abstain"))
    house.box.advance(hours=3, ms=1)
    seen += states(house.house.queue(number))
    house.box.advance(hours=2)
    seen += states(house.house.execute(number))
    house.box.deploy(SHOP, sender=house.city, name="stall")
    house.box.call(house.city, "ledger", "entrust", {"name": "stall", "authority": "governance"})
    seen += states(house.house.execute(number))
    assert seen == ["Draft", "Pending", "Active", "Extended", "Succeeded", "Queued", "ExecutionFailed", "Executed"]


def test_the_last_blocks_whale_extends_the_vote_once() -> None:
    made = rules("oz", clock="blocks", voting=10, extension=5, timelock=0, grace=10)
    house = House(asking(made, [50, 100]), rows=[["City", 60], ["District", 30], ["Operator", 70]])
    number = house.propose()
    house.box.advance(blocks=10)
    assert house.vote(number, "City") == "Active", "60 of 160 are less than half"
    assert house.vote(number, "District", say="abstain") == "Extended"
    ends = house.house.proposal(number)["ends"]
    house.box.advance(blocks=5)
    assert house.box.height == ends
    house.vote(number, "Operator", say="no")
    assert house.house.proposal(number)["ends"] == ends, "it is extended once"
    house.box.advance(blocks=1)
    assert house.house.proposal(number)["why"] == "no_majority", "the others had time to answer"


def test_a_draft_that_nobody_stands_behind_runs_out() -> None:
    house = House(rules(threshold=[3, 4]))
    number = house.propose(by=house.district)
    assert "you stand behind this already" in house.refusal("District", "sponsor", number)
    assert "only those who were members" in house.refusal("stranger", "sponsor", number)
    assert house.house.with_sender(house.operator).sponsor(number).result == "Draft"
    house.box.advance(hours=25)
    assert house.status(number) == "Expired"
    again = house.propose(by=house.district)
    assert house.house.sponsor(again).result == "Pending", "with the city, three of four stand behind it"


def test_an_urgent_matter_is_decided_sooner_by_more() -> None:
    house = House(pack("one_org_one_vote"))
    refused = House(rules())
    assert "these rules know no urgent way" in refused.refusal("City", "propose", "t", "r", [FREEZE], True)
    number = house.house.propose("Stop", "It is broken.", [FREEZE], urgent=True).result
    assert house.house.proposal(number)["track"] == "urgent"
    house.vote(number, "City", "District")
    assert house.status(number) == "Active", "two of three could still be outvoted: three in four of yes and no"
    assert house.vote(number, "Operator") == "Succeeded"
    assert house.house.execute(number).result["status"] == "Executed", "without a wait"


def test_one_proposal_at_a_time_on_the_same_thing() -> None:
    house = House(rules("one_org_one_vote"))
    first = house.propose(UPGRADE)
    assert f"proposal {first} is open" in house.refusal("District", "propose", "t", "r", [UPGRADE])
    other = house.propose(FREEZE, by=house.district)
    assert house.status(other) == "Active", "that is another thing"
    house.house.cancel(first)
    assert house.propose(UPGRADE, by=house.operator) == other + 1


def test_a_draft_that_nobody_stands_behind_keeps_nobody_from_the_same_thing() -> None:
    """It cannot be voted down; whoever makes a new one each week would block the topic for ever."""
    house = House(rules("one_org_one_vote", threshold=[1, 2]))
    draft = house.propose(by=house.district)
    number = house.propose()
    assert (house.status(draft), house.status(number)) == ("Draft", "Active")
    words = f"one proposal at a time on the same thing: proposal {number} is open"
    assert words in house.refusal("Operator", "sponsor", draft)
    house.house.cancel(number)
    assert house.house.with_sender(house.operator).sponsor(draft).result == "Pending"


def test_where_the_rules_say_so_nobody_proposes_what_is_about_itself() -> None:
    house = House(rules("fisco_safe"))
    remove = call("members", "remove", did=house.city)
    assert "by these rules nobody proposes what is about itself" in house.refusal("City", "propose", "t", "r", [remove])
    house.propose(remove, by=house.district)


# --- who votes ---------------------------------------------------------------------------------------------------


def change_members(house: House, rows: list[list[Any]]) -> None:
    """Give a house other members, as its amendment track decides it."""
    listed = [[name, house.did(name), weight] for name, weight in rows]
    number = house.propose(call("governance", "set_members", members=listed))
    for did in house.dids:
        house.house.with_sender(did).attempt("vote", number, "yes")  # who proposed, or comes too late, need not
    assert house.carry_out(number) == {"status": "Executed", "why": "", "results": []}


OTHERS = [["City", 1], ["Operator", 1], ["Newcomer", 5]]


def test_under_a_snapshot_the_tally_is_not_changed_by_who_comes_and_goes() -> None:
    house = House(rules("fisco_safe"))
    number = house.propose()
    house.vote(number, "District")
    change_members(house, OTHERS)
    assert house.vote(number, "Operator", say="no") == "Active"
    shown = house.house.proposal(number)
    assert (shown["yes"], shown["no"], shown["total"]) == (1, 1, 4)


def test_where_weights_are_of_the_moment_they_change_while_a_vote_is_open() -> None:
    """And of a member who has voted and was removed nothing is left."""
    house = House(asking(rules("fisco"), [80, 100]))
    number = house.propose(by=house.district)
    assert house.house.proposal(number)["yes"] == 1, "who proposes says yes by that"
    change_members(house, OTHERS)
    assert house.vote(number, "City", say="no") == "Active"
    shown = house.house.proposal(number)
    assert (shown["yes"], shown["no"], shown["total"]) == (0, 1, 7)
    assert "only those who are members may vote" in house.refusal("District", "vote", number, "yes")
    assert house.vote(number, "Newcomer") == "Succeeded"


def test_a_deadline_that_is_not_enforced_lets_latecomers_decide() -> None:
    for name, words in (("fisco", "Succeeded"), ("fisco_safe", "Defeated")):
        house = House(asking(rules(name), [80, 100]))
        number = house.propose()
        house.house.with_sender(house.district).vote(number, "yes")
        house.box.advance(hours=100)
        for who in ("City", "Operator"):
            house.house.with_sender(house.did(who)).attempt("vote", number, "yes")
        assert house.status(number) == words


def test_a_member_admitted_while_a_vote_is_open_has_no_part_in_it() -> None:
    house = House()
    number = house.propose()
    change_members(house, [["City", 2], ["District", 1], ["Operator", 1], ["Newcomer", 9]])
    assert "only those who were members when this was proposed" in house.refusal("Newcomer", "vote", number, "yes")
    assert "Newcomer" not in [row[0] for row in house.house.ballots(number)]
    assert "Newcomer" in [row[0] for row in house.house.ballots(house.propose())]


def test_a_ballot_is_replaced_where_the_rules_say_so_and_refused_elsewhere() -> None:
    house = House(rules("cosmos"))
    number = house.propose()
    house.vote(number, "City")
    house.vote(number, "City", say="no")
    shown = house.house.proposal(number)
    assert (shown["yes"], shown["no"]) == (0, 2)
    safe = House(rules())
    safe.vote(safe.propose(), "City")
    assert "you have voted on this" in safe.refusal("City", "vote", 1, "no")


def test_a_delegate_speaks_for_others_until_they_speak() -> None:
    house = House(rules("oz"), rows=[["City", 5], ["District", 3], ["Operator", 1]])
    house.house.with_sender(house.district).delegate(house.operator)
    house.house.delegate(house.district)
    number = house.propose()
    house.vote(number, "Operator")
    assert house.house.proposal(number)["yes"] == 9, "the operator, who speaks for the district, and so for the city"
    house.vote(number, "District", say="no")
    shown = house.house.proposal(number)
    assert (shown["yes"], shown["no"]) == (1, 8)
    house.vote(number, "City", say="abstain")
    assert [row[3] for row in house.house.ballots(number)] == ["abstain", "no", "yes"]
    house.house.with_sender(house.operator).delegate("")
    assert "by these rules nobody votes in another's place" in House().refusal("City", "delegate", "")


def test_a_vote_does_not_come_back_to_who_gave_it_away() -> None:
    house = House(rules("oz"))
    assert "this would make a circle" in house.refusal("City", "delegate", house.city)
    house.house.delegate(house.district)
    house.house.with_sender(house.district).delegate(house.operator)
    assert "this would make a circle" in house.refusal("Operator", "delegate", house.city)
    assert "a vote is delegated to a member" in house.refusal("Operator", "delegate", house.stranger)
    house.house.delegate("")
    house.house.with_sender(house.operator).delegate(house.city)


@pytest.mark.parametrize(("name", "eligible"), [("fisco_safe", 2), ("supermajority", 4)])
def test_who_steps_aside_does_not_vote_and_counts_as_the_rules_say(name: str, eligible: int) -> None:
    house = House(rules(name))
    number = house.propose()
    house.house.recuse(number, "The contractor is our own subsidiary.")
    assert house.house.proposal(number)["total"] == eligible
    assert "you have stepped aside from this" in house.refusal("City", "vote", number, "yes")
    assert "you have stepped aside already" in house.refusal("City", "recuse", number, "again")
    assert house.house.ballots(number)[0][3] == "recused"
    assert "a reason of 1 to 2000" in house.refusal("District", "recuse", number, " ")
    house.vote(number, "District")
    if house.status(number) == "Active":
        assert "step aside before you vote" in house.refusal("District", "recuse", number, "too late")
    other = House(rules("oz"))
    assert "by these rules nobody steps aside: abstain instead" in other.refusal("City", "recuse", other.propose(), "x")


# --- the rules themselves ----------------------------------------------------------------------------------------


def test_the_rules_change_by_more_than_they_ask_of_others() -> None:
    house = House(rows=[["City", 7], ["District", 2], ["Operator", 1]])
    softer = majority([1, 2])
    number = house.propose(call("governance", "set_pack", pack=softer))
    assert house.house.proposal(number)["track"] == "amendment"
    assert house.vote(number, "City") == "Active", "seven tenths are enough for the rest, not for this"
    assert house.vote(number, "District") == "Succeeded"
    assert house.carry_out(number)["status"] == "Executed"
    assert house.house.rules() == softer


def test_what_was_defeated_stays_so_when_the_quorum_is_lowered() -> None:
    house = House()
    number = house.propose()
    house.vote(number, "City")
    house.box.advance(hours=25)
    assert house.status(number) == "Defeated"
    open_one = house.propose()
    change = house.propose(call("governance", "set_pack", pack=majority([1, 2], ">=")))
    house.vote(change, "City", "District", "Operator")
    assert house.carry_out(change)["status"] == "Executed"
    assert house.status(number) == "Defeated"
    assert house.vote(open_one, "City") == "Active", "it began under the rules of then"
    assert house.vote(house.propose(), "City") == "Succeeded"


def test_rules_that_nobody_could_meet_are_refused_when_they_are_proposed_and_when_they_are_adopted() -> None:
    house = House()
    words = house.refusal("City", "propose", "t", "r", [call("governance", "set_pack", pack=pack("unsc"))])
    assert "nobody among these members can use the veto permanent" in words
    seated = House(rules("two_chamber"), rows=[["City", 2, "operators", 0], ["District", 1, "regulators", 0]])
    listed = [["City", seated.city, 2, "operators", 0]]
    words = seated.refusal("City", "propose", "t", "r", [call("governance", "set_members", members=listed)])
    assert "clause regulators_present is out of reach" in words
    seats = [[name, house.did(name), 1, seat, 0] for name, seat in (("City", "permanent"), ("District", "elected"))]
    change, council = (
        house.propose(call("governance", "set_members", members=seats)),
        seated.propose(call("governance", "set_pack", pack=rules("two_chamber", voting=HOUR))),
    )
    house.vote(change, "City", "District", "Operator")
    assert house.carry_out(change)["status"] == "Executed"
    new = house.propose(call("governance", "set_pack", pack=rules("unsc")))
    plain = house.propose(call("governance", "set_members", members=[["City", house.city, 1]]))
    house.vote(plain, "City", "District")
    house.vote(new, "City", "District")
    house.carry_out(plain)
    assert "nobody among these members can use the veto permanent" in house.carry_out(new)["why"]
    assert house.status(new) == "ExecutionFailed", "the member with that seat is gone"
    assert seated.status(council) == "Active"


def test_a_dry_run_tells_what_would_change() -> None:
    house = House()
    told = house.box.rehearse("governance", [FREEZE, call("ledger", "entrust", name="shop", authority="")])
    assert [tuple(change) for change in told.changes] == [
        ("shop: authority", "governance", ""),
        ("shop: is_frozen", False, True),
    ]
    assert (told.why, [event.name for event in told.events]) == ("", ["Frozen", "Entrusted"])
    assert house.shop.buy(1).ok, "it was a rehearsal"
    twice = house.box.rehearse("governance", [FREEZE, FREEZE])
    assert "shop is frozen already" in twice.why
    assert (twice.changes, twice.events) == ((), ())
    assert "is already running" in house.box.rehearse("governance", [call("governance", "members")]).why


# --- the page and the contract -----------------------------------------------------------------------------------

SEATED = [["A", 5, "operators", 40], ["B", 3, "regulators", 30], ["C", 2, "permanent", 20], ["D", 1, "operators", 10]]


@given(st.sampled_from(PACKS), st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=9), st.data())
@settings(max_examples=40, deadline=None)
def test_a_contract_decides_as_the_page_tells(name: str, said: Any, data: Any) -> None:
    """Members delegate, step aside and vote in any order; the contract adds, the page counts from the beginning."""
    made = rules(name, timelock=0)
    house = House(made, rows=SEATED)
    names = [row[0] for row in SEATED]
    if made["delegation"]:
        for one in data.draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=3)):
            house.house.with_sender(house.did(names[one[0]])).attempt("delegate", house.did(names[one[1]]))
    stored = house.box.prove("governance", "delegates")[0]
    delegates = decode_value(stored) if stored else {}
    electorate = [[*row, delegates.get(row[1], "")] for row in house.house.members()]
    number = house.propose(by=house.did("A"))
    cast = {house.did("A"): "yes"} if made["proposer_votes"] else {}
    recused: list[str] = []
    for who, choice in said:
        did, asked = house.did(names[who]), ["yes", "no", "abstain", "veto", "recuse"][choice % 5]
        if asked == "recuse":
            done = house.house.with_sender(did).attempt("recuse", number, "an own interest")
            recused += [did] if done.ok else []
        else:
            done = house.house.with_sender(did).attempt("vote", number, asked)
            cast |= {did: asked} if done.ok else {}
        told = verdict(made, made["tracks"]["ordinary"], rulebook.count(made, electorate, cast, recused), False)
        assert_same(house, number, told)
        if told["status"] != "Active":
            return
    if made["deadline"]:
        house.box.advance(hours=25)
        tally = rulebook.count(made, electorate, cast, recused)
        assert_same(house, number, verdict(made, made["tracks"]["ordinary"], tally, True))


def assert_same(house: House, number: int, told: dict[str, Any]) -> None:
    shown = house.house.proposal(number)
    status = "Active" if shown["status"] == "Extended" else shown["status"]
    assert {"status": status, "why": shown["why"], "clause": shown["clause"]} == told


@pytest.mark.parametrize("name", PACKS)
def test_a_vote_among_a_hundred_costs_little_under_every_pack(name: str) -> None:
    seats = ["operators", "regulators", "permanent"]
    rows = [[f"office-{number:03}", 1, seats[number % 3], 10] for number in range(100)]
    house = House(rules(name), rows=rows)
    number = house.propose(by=house.did("office-000"))
    gas = [
        house.house.with_sender(house.did(row[0])).attempt("vote", number, "yes").gas
        for row in rows[1:]
        if house.status(number) in ("Pending", "Active")
    ]
    print(f"\n{name}: {len(gas)} votes, {min(gas):,} to {max(gas):,} gas")
    assert max(gas) < GAS_OF_A_VOTE


def test_what_a_proposal_needs_is_told_by_the_contract_itself() -> None:
    house = House()
    number = house.propose()
    house.vote(number, "City")
    told = house.house.standing(number)
    assert (told["can_pass"], told["can_block"], told["clauses"][0]["missing"]) == (True, True, 1)
    with pytest.raises(ContractFault, match="there is no proposal 9: see proposals"):
        house.house.standing(9)
