"""The train and the hotel: a seat on one chain and a room on another, both or neither, whoever refuses or is silent."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import builders
import pytest
from builders import key
from hypothesis import given, settings
from hypothesis import strategies as st
from test_crossing import Chain, connect, delivery, follow

import minichain as mc
from minichain.client.crossing import connect as join
from minichain.client.relayer import Relayer
from minichain.contracts import Sandbox, source_of
from minichain.contracts.system import ATOMIC
from minichain.contracts.testing import reverts
from minichain.errors import MinichainError
from minichain.ledger.types import Call, Receipt
from minichain.scenarios.crossings.places import Places

PLACES = source_of(Places)
LONG_BOOKING = PLACES.replace(  # it takes more gas than the coordinator gives
    "        self.booked[whom] =",
    "        for _ in range(300):\n            self.held_places += 0\n        self.booked[whom] =",
)

PURSE = '''"""Vouchers that one account gives to another."""
from minichain.contracts.api import Contract, Map, require, view
from minichain.contracts.parts import Participant

COORDINATORS = ("desk:atomic",)


class Purse(Contract, Participant):
    """Who has how many vouchers."""

    vouchers = Map(str, int)

    def setup(self, owner: str, amount: int) -> None:
        self.vouchers[owner] = amount

    def hold(self, whom: str, wish: dict) -> None:
        has = self.vouchers.get(whom, 0)
        require(0 < wish["amount"] <= has, f"{whom} has {has} vouchers")
        self.vouchers[whom] = has - wish["amount"]

    def keep(self, whom: str, wish: dict) -> None:
        self.vouchers[wish["to"]] = self.vouchers.get(wish["to"], 0) + wish["amount"]

    def free(self, whom: str, wish: dict) -> None:
        self.vouchers[whom] += wish["amount"]

    @view
    def has(self, who: str) -> int:
        """Tell how many vouchers somebody has."""
        return self.vouchers.get(who, 0)
'''
GAS = 1_500_000


def deploy(name: str, source: str, **args: Any) -> Call:
    return Call("ledger", "deploy", {"name": name, "source": source, "args": args})


def part(chain: str, contract: str, gas: int = GAS, **wish: Any) -> dict[str, Any]:
    return {"chain": chain, "contract": contract, "arguments": wish, "gas": gas}


class Travel:
    """A travel desk on one chain, a train on a second, a hotel on a third; and what is carried between them."""

    def __init__(self, seats: int = 5, rooms: int = 5, train: str = PLACES) -> None:
        self.desk, self.rail, self.inn = (Chain(name, clock="logical") for name in ("desk", "rail", "inn"))
        self.chains = {"desk": self.desk, "rail": self.rail, "inn": self.inn}
        for chain in (self.rail, self.inn):
            connect(self.desk, chain)
            connect(chain, self.desk)
        assert self.desk.do("bank", deploy("atomic", ATOMIC)).ok
        assert self.rail.do("bank", deploy("train", train, places=seats)).ok
        assert self.inn.do("bank", deploy("hotel", PLACES, places=rooms)).ok
        self.whole = {"train": seats, "hotel": rooms}
        self.brought: dict[tuple[str, str], int] = {}

    def begin(self, *parts: dict[str, Any], seconds: int = 60) -> Receipt:
        parts = parts or (part("rail", "train", places=1), part("inn", "hotel", places=2))
        return self.desk.do("bank", Call("atomic", "begin", {"parts": list(parts), "within_ms": 1_000 * seconds}))

    def carry(self, source: str, target: str) -> Receipt | None:
        """Bring the next block of one chain that has something for the other; None if there is none."""
        chain, to = self.chains[source], self.chains[target]
        height = self.brought.get((source, target), 0)
        while height < len(chain.blocks):
            height += 1
            self.brought[source, target] = height
            events = [event for receipt in chain.blocks[height - 1][1] for event in receipt.events]
            if any(event.contract == "bridge" and event.data.get("to") == to.genesis.hash for event in events):
                assert follow(to, chain, height).ok
                receipt = to.do("carrier", delivery(chain, height))
                assert receipt.ok, receipt.error
                return receipt
        return None

    def carry_all(self) -> None:
        ways = [("desk", "rail"), ("desk", "inn"), ("rail", "desk"), ("inn", "desk")]
        while any([self.carry(*way) for way in ways]):  # noqa: C419 - each way is tried
            pass

    def wait(self, chain: str, seconds: int) -> None:
        for _ in range(seconds):
            self.chains[chain].do("carrier", builders.transfer("carrier", 1))

    def outcome(self, number: int = 1) -> str:
        found: str = self.desk.ask("atomic", "outcome", number=number)
        return found

    def states(self, number: int = 1) -> list[str]:
        return [share["state"] for share in self.desk.ask("atomic", "shares", number=number)]

    def train(self, number: int = 1) -> str:
        found: str = self.rail.ask("train", "deal_state", origin="desk:atomic", number=number)
        return found

    def hotel(self, number: int = 1) -> str:
        found: str = self.inn.ask("hotel", "deal_state", origin="desk:atomic", number=number)
        return found

    def counts(self) -> tuple[list[int], list[int]]:
        """Count the seats and the rooms: free, held, booked."""
        return self.rail.ask("train", "count"), self.inn.ask("hotel", "count")


@pytest.fixture
def travel() -> Travel:
    return Travel()


# --- the story ----------------------------------------------------------------------------------------------------


def test_a_seat_and_a_room_are_booked_together(travel: Travel) -> None:
    assert travel.begin().results == (1,)
    assert travel.carry("desk", "rail")
    (held,) = travel.rail.ask("train", "held")
    assert (held["whom"], held["origin"], held["number"]) == (key("bank").did, "desk:atomic", 1)
    assert travel.counts() == ([4, 1, 0], [5, 0, 0])
    assert travel.carry("rail", "desk")
    assert travel.outcome() == "asking", "the hotel has not answered"
    assert travel.carry("desk", "inn")
    assert travel.carry("inn", "desk")
    assert (travel.outcome(), travel.states()) == ("commit", ["told", "told"])
    assert travel.carry("desk", "rail")
    assert (travel.train(), travel.hotel()) == ("committed", "held")
    travel.carry_all()
    assert (travel.outcome(), travel.states()) == ("done", ["closed", "closed"])
    assert travel.counts() == ([4, 0, 1], [3, 0, 2])
    assert travel.desk.ask("atomic", "open_deals") == []


def test_where_the_hotel_is_full_nobody_has_a_seat(travel: Travel) -> None:
    travel.begin(part("rail", "train", places=1), part("inn", "hotel", places=6))
    travel.carry_all()
    assert travel.outcome() == "undone"
    assert "not so many places" in travel.desk.ask("atomic", "shares", number=1)[1]["reason"]
    assert (travel.train(), travel.hotel()) == ("aborted", "unknown")
    assert travel.counts() == ([5, 0, 0], [5, 0, 0])


def test_who_is_asked_too_late_does_not_prepare(travel: Travel) -> None:
    travel.begin(seconds=20)
    travel.wait("inn", 30)
    travel.carry_all()
    assert travel.outcome() == "undone"
    assert (travel.train(), travel.hotel()) == ("aborted", "unknown")
    assert travel.counts() == ([5, 0, 0], [5, 0, 0])


def test_who_does_not_answer_is_given_up_and_let_go_when_it_comes_back(travel: Travel) -> None:
    travel.begin(seconds=40)
    assert travel.carry("desk", "inn"), "it prepares, and then nothing more is heard of it"
    assert travel.carry("desk", "rail")
    give_up = Call("atomic", "give_up", {"number": 1})
    assert "its time is not over" in travel.desk.do("shop", give_up).error
    travel.wait("desk", 40)
    assert travel.carry("rail", "desk")
    assert travel.outcome() == "abort", "an answer after the time is too late"
    assert "this deal is decided: abort" in travel.desk.do("shop", give_up).error
    assert travel.carry("desk", "rail")
    assert (travel.train(), travel.hotel()) == ("aborted", "held"), "it does not decide alone"
    travel.wait("inn", 100)
    assert travel.hotel() == "held"
    travel.carry_all()
    assert (travel.outcome(), travel.hotel()) == ("undone", "aborted")
    assert travel.counts() == ([5, 0, 0], [5, 0, 0])


def test_a_deal_that_nobody_answers_is_given_up_by_anybody(travel: Travel) -> None:
    travel.begin(seconds=5)
    travel.wait("desk", 6)
    assert travel.desk.do("shop", Call("atomic", "give_up", {"number": 1})).ok
    travel.carry_all()
    assert (travel.outcome(), travel.counts()) == ("undone", ([5, 0, 0], [5, 0, 0]))


def test_a_contract_of_the_desk_itself_is_called_at_once(travel: Travel) -> None:
    assert travel.desk.do("bank", deploy("taxi", PLACES, places=1)).ok
    parts = part("desk", "taxi", places=1), part("rail", "train", places=1)
    assert travel.begin(*parts).ok
    assert travel.states() == ["prepared", "asked"]
    refused = travel.begin(*parts)
    assert "taxi.prepare" in refused.error
    assert "not so many places" in refused.error
    travel.carry_all()
    assert travel.outcome() == "done"
    assert travel.desk.ask("taxi", "count") == [0, 0, 1]
    assert travel.rail.ask("train", "count") == [4, 0, 1], "the second deal has asked nobody"


def test_an_account_pays_on_two_chains_or_on_none(travel: Travel) -> None:
    bank, shop = key("bank").did, key("shop").did
    for chain in (travel.rail, travel.inn):
        assert chain.do("bank", deploy("purse", PURSE, owner=bank, amount=10)).ok

    def pay(here: int, there: int) -> None:
        travel.begin(part("rail", "purse", to=shop, amount=here), part("inn", "purse", to=shop, amount=there))
        travel.carry_all()

    def purses() -> list[int]:
        return [chain.ask("purse", "has", who=who) for chain in (travel.rail, travel.inn) for who in (bank, shop)]

    pay(3, 4)
    assert (travel.outcome(1), purses()) == ("done", [7, 3, 6, 4])
    pay(7, 7)
    assert (travel.outcome(2), purses()) == ("undone", [7, 3, 6, 4])


# --- what fails when it is too late to refuse -----------------------------------------------------------------------


def test_a_commit_that_fails_is_shown_and_told_again_by_anybody_with_more_gas() -> None:
    travel = Travel(train=LONG_BOOKING)
    travel.begin(part("rail", "train", places=1), part("inn", "hotel", places=1))
    travel.carry_all()
    assert (travel.outcome(), travel.states()) == ("commit", ["unheard", "closed"])
    assert "gas limit" in travel.desk.ask("atomic", "shares", number=1)[0]["reason"]
    assert (travel.train(), travel.hotel()) == ("held", "committed")
    again = {"number": 1, "place": 0}
    assert "at least the" in travel.desk.do("shop", Call("atomic", "tell", {**again, "gas": 1})).error
    assert "it is closed" in travel.desk.do("shop", Call("atomic", "tell", {**again, "place": 1, "gas": GAS})).error
    assert travel.desk.do("shop", Call("atomic", "tell", {**again, "gas": 5 * GAS})).ok
    assert "it is told" in travel.desk.do("shop", Call("atomic", "tell", {**again, "gas": GAS})).error
    travel.carry_all()
    assert (travel.outcome(), travel.train()) == ("done", "committed")


def test_a_contract_that_is_frozen_while_it_holds_keeps_what_it_holds(travel: Travel) -> None:
    travel.begin()
    travel.carry("desk", "rail")
    assert travel.rail.do("bank", Call("ledger", "freeze", {"name": "train"})).ok
    travel.carry_all()
    assert (travel.outcome(), travel.states(), travel.train()) == ("commit", ["unheard", "closed"], "held")
    assert travel.rail.do("bank", Call("ledger", "unfreeze", {"name": "train"})).ok
    assert travel.desk.do("shop", Call("atomic", "tell", {"number": 1, "place": 0, "gas": GAS})).ok
    travel.carry_all()
    assert (travel.outcome(), travel.train()) == ("done", "committed")


def test_a_contract_of_the_desk_that_fails_does_not_hold_up_the_decision(travel: Travel) -> None:
    assert travel.desk.do("bank", deploy("taxi", PLACES, places=1)).ok
    travel.begin(part("desk", "taxi", places=1), part("rail", "train", places=1))
    assert travel.desk.do("bank", Call("ledger", "freeze", {"name": "taxi"})).ok
    travel.carry("desk", "rail")
    heard = travel.carry("rail", "desk")
    assert heard is not None
    assert [event.name for event in heard.events if event.contract == "ledger"] == ["Unheard"]
    assert travel.outcome() == "asking"
    gather = Call("atomic", "gather", {"chain": "rail", "message": 1})
    assert travel.desk.do("shop", gather).ok
    assert "nothing is expected" in travel.desk.do("shop", gather).error
    travel.carry_all()
    assert (travel.outcome(), travel.states()) == ("commit", ["prepared", "closed"])
    assert travel.desk.do("bank", Call("ledger", "unfreeze", {"name": "taxi"})).ok
    assert travel.desk.do("shop", Call("atomic", "tell", {"number": 1, "place": 0, "gas": GAS})).ok
    assert (travel.outcome(), travel.desk.ask("taxi", "count")) == ("done", [0, 0, 1])


# --- who lies -------------------------------------------------------------------------------------------------------


def test_a_stranger_decides_nothing(travel: Travel) -> None:
    travel.begin()
    travel.carry("desk", "rail")
    assert "is no coordinator here" in travel.rail.do("shop", Call("train", "commit", {"number": 1})).error
    lie = {"number": 1, "origin": "desk:atomic"}
    assert "said by the bridge" in travel.rail.do("shop", Call("train", "abort", lie)).error
    asked = {"chain": "rail", "contract": "train", "name": "abort", "gas": GAS, "within_ms": 60_000}
    assert travel.desk.do("shop", Call("bridge", "send", {**asked, "arguments": {"number": 1}})).ok
    travel.carry("desk", "rail")
    assert travel.train() == "held", "an account of the desk's chain is not the desk"
    hear = {"chain": "rail", "number": 1, "outcome": "done", "result": []}
    assert "the bridge tells" in travel.desk.do("shop", Call("atomic", "hear", hear)).error
    gather = Call("atomic", "gather", {"chain": "rail", "message": 1})
    assert "has not come yet" in travel.desk.do("shop", gather).error
    travel.carry_all()
    assert travel.outcome() == "done"


@pytest.mark.parametrize("named", [(), ("desk:atomic",), ("inn:atomic", "atomic-of-mine")])
def test_a_contract_may_name_the_chains_whose_coordinator_it_believes(travel: Travel, named: tuple[str, ...]) -> None:
    """Whoever follows a chain need not lend it what it holds: any chain has its own contract `atomic`."""
    source = PLACES.replace("\n\nclass", f"\n\nCOORDINATORS = {named}\n\n\nclass", 1) if named else PLACES
    assert travel.rail.do("bank", deploy("night-train", source, places=5)).ok
    connect(travel.inn, travel.rail)
    connect(travel.rail, travel.inn)
    assert travel.inn.do("bank", deploy("atomic", ATOMIC)).ok
    found = {}
    for name in ("desk", "inn"):
        parts = [part("rail", "night-train", places=1)]
        begun = travel.chains[name].do("bank", Call("atomic", "begin", {"parts": parts, "within_ms": 60_000}))
        assert begun.ok, begun.error
        while travel.carry(name, "rail") or travel.carry("rail", name):
            pass
        (share,) = travel.chains[name].ask("atomic", "shares", number=1)
        found[f"{name}:atomic"] = share["reason"].partition("of the parts: ")[2]
    told = ", ".join(named)
    believed = [origin for origin in found if not named or origin in named]
    assert found == {
        origin: "" if origin in believed else f"{origin} is no coordinator here: only {told}" for origin in found
    }
    assert travel.rail.ask("night-train", "count") == [5 - len(believed), 0, len(believed)]


def test_the_desk_is_the_one_that_comes_with_the_ledger_and_nobody_changes_it(travel: Travel) -> None:
    false = ATOMIC.replace('"commit"\n', '"abort"\n')
    assert "comes with the ledger" in travel.rail.do("shop", deploy("atomic", false)).error
    upgrade = {"name": "atomic", "source": false, "args": {}}
    assert "nobody can upgrade it" in travel.desk.do("bank", Call("ledger", "upgrade", upgrade)).error


def test_what_is_brought_again_does_nothing(travel: Travel) -> None:
    travel.begin()
    travel.carry_all()
    before = travel.counts()
    for source, target in (("desk", "rail"), ("desk", "inn"), ("rail", "desk"), ("inn", "desk")):
        chain, to = travel.chains[source], travel.chains[target]
        for height, (_, receipts) in enumerate(chain.blocks, 1):
            if any(event.data.get("to") == to.genesis.hash for event in receipts[0].events):
                assert "not had already" in to.do("carrier", delivery(chain, height)).error
    assert travel.counts() == before


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({"parts": []}, "1 to 5 parts"),
    "too many": ({"parts": [part("rail", f"train-{place}") for place in range(6)]}, "1 to 5 parts"),
    "one twice": ({"parts": [part("rail", "train", places=1)] * 2}, "ask for both in one"),
    "no time": ({"within_ms": 0}, "within 1 to"),
    "too long": ({"within_ms": 10**12}, "within 1 to"),
    "no such chain": ({"parts": [part("moon", "train")]}, "not connected to moon"),
    "no gas": ({"parts": [part("rail", "train", gas=0)]}, "may use 1 to"),
    "no wish": ({"parts": [{"chain": "rail"}]}, "parts"),
}


@pytest.mark.parametrize("why", WRONG)
def test_a_deal_that_cannot_be(travel: Travel, why: str) -> None:
    wrong, words = WRONG[why]
    receipt = travel.desk.do(
        "bank", Call("atomic", "begin", {"parts": [part("rail", "train")], "within_ms": 1, **wrong})
    )
    assert words in receipt.error


def test_an_abort_that_overtakes_its_prepare_is_remembered() -> None:
    box = Sandbox()
    source = PLACES.replace("\n\nclass", '\n\nCOORDINATORS = ("anna",)\n\n\nclass', 1)
    train = box.deploy(source, sender="anna", name="train", places=5)
    train.abort(1)
    with reverts("this deal was here before"):
        train.prepare(1, "bea", box.now_ms, {"places": 1})
    with reverts("nothing is decided twice"):
        train.commit(1)
    train.abort(1)
    assert train.count() == [5, 0, 0]


def test_who_is_asked_directly_prepares_until_the_time_and_commits_once() -> None:
    box = Sandbox()
    source = PLACES.replace("\n\nclass", '\n\nCOORDINATORS = ("anna",)\n\n\nclass', 1)
    train = box.deploy(source, sender="anna", name="train", places=5)
    with reverts("nothing is prepared for this deal"):
        train.commit(1)
    with reverts("it is too late to prepare"):
        train.prepare(1, "bea", box.now_ms - 1, {"places": 1})
    train.prepare(1, "bea", box.now_ms, {"places": 2})
    with reverts("this deal was here before"):
        train.prepare(1, "bea", box.now_ms, {"places": 2})
    box.advance(days=400)
    with reverts("is no coordinator here"):
        train.with_sender("cy").commit(1)
    train.commit(1)
    train.commit(1)
    with reverts("nothing is decided twice"):
        train.abort(1)
    assert (train.count(), train.deal_state("sandbox:anna", 1), train.held()) == ([3, 0, 2], "committed", [])


def test_the_largest_deal_is_decided_with_the_gas_of_an_answer(travel: Travel) -> None:
    names = [f"train-{place}".ljust(40, "x") for place in range(5)]
    for name in names:
        assert travel.rail.do("bank", deploy(name, PLACES, places=1)).ok
    assert travel.begin(*[part("rail", name, places=1) for name in names]).ok
    travel.carry_all()
    assert travel.outcome() == "done"


# --- whatever happens -----------------------------------------------------------------------------------------------

WAYS = [("desk", "rail"), ("rail", "desk"), ("desk", "inn"), ("inn", "desk")]


def test_in_whatever_order_messages_come_and_whoever_refuses() -> None:
    travel, number = Travel(seats=1_000, rooms=1_000), 0
    for order in permutations(WAYS):
        for seats, rooms in ((1, 1), (2_000, 1), (1, 2_000)):
            number += 1
            assert travel.begin(part("rail", "train", places=seats), part("inn", "hotel", places=rooms)).ok
            for way in (*order, *order):
                travel.carry(*way)
                require_whole(travel, number, number)
            travel.carry_all()
            assert travel.outcome(number) == ("done" if (seats, rooms) == (1, 1) else "undone")
    assert travel.counts() == ([976, 0, 24], [976, 0, 24])


STEPS = st.lists(
    st.sampled_from([*WAYS, *WAYS, "begin", "give up", "wait desk", "wait rail", "wait inn", "freeze", "unfreeze"]),
    max_size=24,
)
WISHES = st.tuples(st.integers(1, 4), st.integers(1, 4), st.sampled_from([8, 20, 60]))


@settings(max_examples=30, deadline=None)
@given(STEPS, st.lists(WISHES, min_size=4, max_size=4))
def test_never_on_one_and_not_on_the_other(steps: list[Any], wishes: list[tuple[int, int, int]]) -> None:
    """Deals that compete for the same places, each delivery delayed as it comes."""
    travel = Travel()
    begun = begin_next(travel, wishes, 0)
    for step in steps:
        if step == "begin":
            begun = begin_next(travel, wishes, begun)
        elif step == "give up":
            travel.desk.do("shop", Call("atomic", "give_up", {"number": begun}))
        elif step in ("freeze", "unfreeze"):
            travel.inn.do("bank", Call("ledger", step, {"name": "hotel"}))
        elif isinstance(step, str):
            travel.wait(step.removeprefix("wait "), 12)
        else:
            travel.carry(*step)
        require_whole(travel, 1, begun)
    travel.inn.do("bank", Call("ledger", "unfreeze", {"name": "hotel"}))
    finish(travel)
    require_whole(travel, 1, begun)
    assert [counts[1] for counts in travel.counts()] == [0, 0], "nothing is held"
    for number in range(1, begun + 1):
        assert travel.outcome(number) in ("done", "undone")
        assert (travel.outcome(number) == "done") == (travel.train(number) == travel.hotel(number) == "committed")
    booked = [sum(wishes[n - 1][place] for n in range(1, begun + 1) if travel.outcome(n) == "done") for place in (0, 1)]
    assert [counts[2] for counts in travel.counts()] == booked


def begin_next(travel: Travel, wishes: list[tuple[int, int, int]], begun: int) -> int:
    if begun == len(wishes):
        return begun
    seats, rooms, seconds = wishes[begun]
    assert travel.begin(part("rail", "train", places=seats), part("inn", "hotel", places=rooms), seconds=seconds).ok
    return begun + 1


def require_whole(travel: Travel, first: int, last: int) -> None:
    """Nothing is lost, and what is committed on one chain is aborted on none, and was decided."""
    assert [sum(counts) for counts in travel.counts()] == list(travel.whole.values())
    for number in range(first, last + 1):
        assert {travel.train(number), travel.hotel(number)} != {"committed", "aborted"}
        if "committed" in (travel.train(number), travel.hotel(number)):
            assert travel.outcome(number) in ("commit", "done")


def finish(travel: Travel) -> None:
    """Carry all there is, and tell those again who could not hear."""
    travel.carry_all()
    for number in travel.desk.ask("atomic", "open_deals"):
        for place, state in enumerate(travel.states(number)):
            if state == "unheard":
                assert travel.desk.do("shop", Call("atomic", "tell", {"number": number, "place": place, "gas": GAS})).ok
    travel.carry_all()


# --- networks -------------------------------------------------------------------------------------------------------


def test_those_who_prepared_wait_for_a_desk_whose_validators_are_all_down() -> None:
    desk = mc.Network.simulated(4, seed=1, chain_id="desk")
    rail = mc.Network.simulated(4, seed=2, chain_id="rail")
    with desk, rail:
        join(desk, rail)
        join(rail, desk)
        office = desk.wallet("office")
        atomic = desk.deploy(ATOMIC, sender=office)
        taxi = desk.deploy(PLACES, sender=office, name="taxi", places=3)
        train = rail.deploy(PLACES, sender=rail.wallet("railway"), name="train", places=3)
        guest = desk.wallet("guest")
        parts = [part("desk", "taxi", places=1), part("rail", "train", places=2)]
        number = atomic.with_sender(guest).begin(parts=parts, within_ms=600_000).result
        relayer = Relayer(desk, rail)
        assert relayer._ways[0].begin()() == 1
        for name in desk.nodes:
            desk.crash(name)
        with pytest.raises(MinichainError):
            relayer.carry()
        rail.pass_time(3_600_000)
        (held,) = train.held()
        assert (held["whom"], held["number"]) == (guest.did, number)
        for name in desk.nodes:
            desk.restart(name)
        assert atomic.outcome(number) == "asking", "it knows what it knew"
        Relayer(rail, desk, "another relayer").carry()
        assert (atomic.outcome(number), train.held(), taxi.held()) == ("done", [], [])
        assert (taxi.count(), train.count()) == ([2, 0, 1], [1, 0, 2])
