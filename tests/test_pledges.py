"""Units pledged to a contract: it holds them, lets them go or burns them, and has none of its own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_decisions import FREEZE, House, rules

import minichain as mc
from minichain.codec import decode_own, encode
from minichain.contracts import Sandbox
from minichain.contracts.pledges import Pledge, pledge_key
from minichain.contracts.sandbox import Outcome
from minichain.crosschain.supply import units_burnt, units_present
from minichain.crypto import public_of
from minichain.errors import CallFailed, Reverted
from minichain.ledger.state import BURNT_KEY, Account, State, account_key, read_account
from minichain.ledger.types import Call

KEEPER = '''from minichain.contracts.api import Contract, action, view


class Keeper(Contract):
    """Ask the ledger about pledges."""

    @action
    def ask(self, what: str, args: dict) -> None:
        """Ask the ledger."""
        self.call_with("ledger", what, args)

    @view
    def look(self) -> None:
        """Try to hold units without a transaction."""
        self.call("ledger", "hold", of="", amount=1)
'''
UNITS = 100


def give(box: Sandbox, *dids: str) -> None:
    """Let accounts begin with units."""
    box.state = State([(account_key(public_of(did)), encode(Account(balance=UNITS))) for did in dids])


class Town:
    """Two people with units, and a contract to which they may pledge some."""

    def __init__(self) -> None:
        self.box = Sandbox()
        self.ada, self.ben = self.box.account("Ada"), self.box.account("Ben")
        give(self.box, self.ada, self.ben)
        self.keeper: Any = self.box.deploy(KEEPER, sender=self.ada)

    def asks(self, who: str, action: str, amount: Any, to: Any = "keeper") -> Outcome:
        return self.box.call(who, "ledger", action, {"to": to, "amount": amount})

    def keeps(self, action: str, of: Any, amount: Any) -> Outcome:
        return self.keeper.attempt("ask", action, {"of": of, "amount": amount})

    def has(self, who: str) -> tuple[int, int, int]:
        """Return the units of somebody: own, pledged and free, held."""
        stored = self.box.state.values.get(pledge_key("keeper", public_of(who)))
        pledge = decode_own(stored, Pledge) if stored else Pledge()
        return read_account(self.box.state.values.get(account_key(public_of(who)))).balance, pledge.free, pledge.held

    def sums(self) -> tuple[int, int]:
        """Return how many units there are, and how many were burnt."""
        items = list(self.box.state.values.items())
        return sum(units_present(*item) for item in items), sum(units_burnt(*item) for item in items)


def test_what_is_pledged_is_held_let_go_or_burnt_and_every_unit_is_accounted_for() -> None:
    town = Town()
    assert town.asks(town.ada, "pledge", 60).events[0].data == {"contract": "keeper", "account": town.ada, "amount": 60}
    assert town.asks(town.ada, "unpledge", 10).ok
    assert town.keeps("hold", town.ada, 40).ok
    assert town.has(town.ada) == (50, 10, 40)
    assert town.keeps("release", town.ada, 25).ok
    assert town.keeps("burn", town.ada, 15).events[0].name == "Burnt"
    assert town.has(town.ada) == (75, 10, 0)
    assert town.sums() == (185, 15)


@pytest.mark.parametrize(
    ("who", "action", "args", "words"),
    [
        ("ada", "pledge", {"amount": 101}, "the balance is 50, less than the 101 to be pledged"),
        ("ada", "pledge", {"amount": 2**64 - 1}, "the balance is"),
        ("keeper", "hold", {"amount": 2**64 - 1}, "only 20 units are pledged to keeper and free"),
        ("ada", "pledge", {"amount": 1, "to": "nobody"}, "is not the name of a contract there is"),
        ("ada", "pledge", {"amount": 1, "to": 5}, "is not the name of a contract there is"),
        ("ada", "pledge", {"amount": 0}, "an amount of units is a positive integer"),
        ("ada", "pledge", {"amount": True}, "an amount of units is a positive integer"),
        ("ada", "unpledge", {"amount": 21}, "only 20 units are pledged to keeper and free, less than 21"),
        ("ben", "unpledge", {"amount": 1}, "only 0 units are pledged"),
        ("ada", "unpledge", {"amount": 1, "to": None}, "only 0 units are pledged"),
        ("keeper", "hold", {"amount": 21}, "pledge them first"),
        ("keeper", "release", {"amount": 31}, "keeper holds only 30 units of this account, less than 31"),
        ("keeper", "burn", {"amount": -1}, "an amount of units is a positive integer"),
        ("keeper", "burn", {"amount": 1, "of": "Ada"}, "`of` is an account: its did:key is needed"),
        ("keeper", "pledge", {"amount": 1, "to": "keeper"}, "who pledges units is an account"),
        ("ada", "hold", {"amount": 1}, "only 0 units are pledged to did:key"),
        ("ada", "burn", {"amount": 1}, "holds only 0 units"),
    ],
)
def test_nobody_takes_what_is_not_theirs(who: str, action: str, args: dict[str, Any], words: str) -> None:
    town = Town()
    town.asks(town.ada, "pledge", 50)
    town.keeps("hold", town.ada, 30)
    before = town.box.state.root
    given_ = {"to": "keeper"} if action in ("pledge", "unpledge") else {"of": town.ada}
    given_ |= args
    if who == "keeper":
        outcome = town.keeper.attempt("ask", action, given_)
    else:
        outcome = town.box.call(getattr(town, who), "ledger", action, given_)
    assert words in outcome.error
    assert town.box.state.root == before, "nothing was changed"


def test_a_view_holds_nothing() -> None:
    town = Town()
    town.asks(town.ada, "pledge", 50)
    assert "a view cannot ask the ledger to change anything" in town.box.view("", "keeper", "look", {}).error


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(1, 80)), max_size=20))
@settings(max_examples=30, deadline=None)
def test_units_are_never_made_and_never_lost(deeds: list[tuple[int, bool, int]]) -> None:
    town = Town()
    for what, is_ada, amount in deeds:
        who = town.ada if is_ada else town.ben
        verb = ("pledge", "unpledge", "hold", "release", "burn")[what]
        town.asks(who, verb, amount) if what < 2 else town.keeps(verb, who, amount)
        assert sum(town.sums()) == 2 * UNITS
        assert min(*town.has(town.ada), *town.has(town.ben)) >= 0


# --- the deposit of a proposal -----------------------------------------------------------------------------------


class Asking(House):
    """A house that asks for a deposit of 10 units, which is burnt where too few vote or a veto stops it."""

    def __init__(self) -> None:
        super().__init__(rules("cosmos", deposit=10, burns=["no_quorum", "vetoed"]), units=UNITS)

    def pledge(self, amount: int) -> None:
        assert self.box.call(self.city, "ledger", "pledge", {"to": "governance", "amount": amount}).ok

    def ends(self, **ballots: str) -> str:
        """Propose, vote, wait for the end, and return what has become of the deposit."""
        self.pledge(10)
        number = self.propose(FREEZE)
        assert self.units("City") == self.before - 10
        for name, choice in ballots.items():
            self.vote(number, name, say=choice)
        self.box.advance(hours=25)
        return str(self.house.with_sender(self.stranger).settle_deposit(number).result)

    @property
    def before(self) -> int:
        return UNITS - units_burnt(BURNT_KEY, self.box.state.values.get(BURNT_KEY, b""))


def test_a_deposit_is_burnt_after_a_veto_or_too_few_votes_and_given_back_otherwise() -> None:
    house = Asking()
    assert house.ends(City="yes", District="yes") == "returned"
    assert house.ends(City="no", District="no") == "returned", "it was defeated, and not in bad faith"
    assert (house.units("City"), house.before) == (100, 100)
    assert house.ends(District="yes") == "burnt", "a quarter is no quorum"
    assert house.ends(City="veto", District="yes", Operator="yes") == "burnt"
    assert (house.units("City"), house.before) == (80, 80)
    assert house.house.proposal(4)["why"] == "vetoed"


def test_without_a_deposit_nothing_is_proposed_and_it_is_settled_once_at_the_end() -> None:
    house = Asking()
    words = "only 0 units are pledged to governance and free, less than 10: pledge them first"
    assert words in house.refusal("City", "propose", "t", "r", [FREEZE])
    house.pledge(12)
    number = house.propose(FREEZE)
    assert "is Active: it cannot be settled" in house.refusal("City", "settle_deposit", number)
    taken = house.box.call(house.city, "ledger", "unpledge", {"to": "governance", "amount": 3})
    assert "only 2 units are pledged to governance and free, less than 3" in taken.error
    house.house.cancel(number)
    settled = house.house.settle_deposit(number)
    assert [event.name for event in settled.events] == ["Released", "Settled", "Stage"][: len(settled.events)]
    assert house.units("City") == 98, "two are pledged still"
    assert "there was none, or it is settled" in house.refusal("City", "settle_deposit", number)


@pytest.mark.parametrize("change", [{"deposit": -1}, {"deposit": 2**41}, {"deposit": True}])
def test_a_pack_asks_for_a_whole_number_of_units(change: dict[str, Any]) -> None:
    with pytest.raises(Reverted, match="deposit is a whole number of units from 0 to"):
        rules("cosmos", **change)


@pytest.mark.parametrize("burns", [["vetoed", "no_quorum"], ["late"], "vetoed", ["vetoed"]])
def test_a_pack_says_when_a_deposit_is_lost_in_one_way_only(burns: Any) -> None:
    with pytest.raises(Reverted, match="burns lists why a deposit is lost: no_quorum, no_majority, vetoed"):
        rules("cosmos", deposit=0 if burns == ["vetoed"] else 5, burns=burns)


def test_on_a_network_the_supply_falls_by_what_is_burnt() -> None:
    """And the checkers of the simulation count along: a unit that vanished unseen would end it."""
    with mc.Network.simulated(4, seed=5) as net:
        office = net.wallet("office", units=50)
        keeper = net.deploy(KEEPER, sender=office)
        before = net.supply()
        calls = [
            Call("ledger", "pledge", {"to": keeper.name, "amount": 20}),
            Call(keeper.name, "ask", {"what": "hold", "args": {"of": office.did, "amount": 20}}),
            Call(keeper.name, "ask", {"what": "burn", "args": {"of": office.did, "amount": 15}}),
        ]
        net.send(office, calls)
        assert net.supply() == before - 15
        assert units_burnt(BURNT_KEY, net.proven(BURNT_KEY).value or b"") == 15
        with pytest.raises(CallFailed, match="the balance is 30, less than the 31 to be pledged"):
            net.send(office, [Call("ledger", "pledge", {"to": keeper.name, "amount": 31})])
