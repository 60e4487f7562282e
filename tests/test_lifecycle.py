"""The life of a contract: who may change it, what an upgrade keeps, what a frozen or restricted contract refuses, and
what those can reach who try to get around it.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain.codec import decode_own
from minichain.contracts import Deployed, Outcome, Runtime, Sandbox, check, state_key
from minichain.contracts.changes import difference
from minichain.contracts.deployed import MAX_RETIRED, Version, fingerprint, version_key
from minichain.contracts.lifecycle import KEPT_NAMES, MAX_LISTED
from minichain.contracts.meter import GAS
from minichain.errors import CallFailed, ContractFault
from minichain.ledger.state import State, contract_key
from minichain.ledger.types import Call
from tests.builders import Ledger, genesis, key, sign

HEAD = "from minichain.contracts.api import Contract, Map, Value, action, emit, require, view\n"

SHOP = (
    HEAD
    + '''

class Shop(Contract):
    """Sell at one price."""

    price = Value(int, 3)
    sold = Map(str, int)

    @action
    def buy(self, count: int) -> int:
        """Buy some."""
        require(count > 0, "buy something")
        self.sold[self.signer] = self.sold.get(self.signer, 0) + count
        return count * self.price

    @action
    def close(self) -> None:
        """Do nothing."""

    @view
    def bought(self, who: str) -> int:
        """Count what somebody bought."""
        return self.sold.get(who, 0)
'''
)

# The same shop with a discount, a price in cents, and a first customer who is thanked.
SHOP_2 = (
    HEAD
    + '''

class Shop(Contract):
    """Sell at one price, cheaper to those who buy much."""

    price = Value(int, 3)
    cents = Value(int)
    sold = Map(str, int)
    thanked = Value(str)

    def migrate(self, first: str) -> None:
        require(first in self.sold, "thank somebody who bought something")
        self.thanked = first
        self.cents = self.price * 100
        emit("Thanked", who=first, by=self.caller)

    @action
    def buy(self, count: int, code: str = "") -> int:
        """Buy some, perhaps with a discount code."""
        self.sold[self.signer] = self.sold.get(self.signer, 0) + count
        return count * self.cents - (100 if code == "spring" else 0)

    @action
    def close(self) -> None:
        """Do nothing."""

    @view
    def bought(self, who: str) -> int:
        """Count what somebody bought."""
        return self.sold.get(who, 0)
'''
)

KIOSK = (
    HEAD
    + '''

class Kiosk(Contract):
    """Pass orders on, and ask the ledger for whatever it is told to ask."""

    notes = Value(int)

    @action
    def order(self, shop: str, count: int) -> int:
        """Buy in another shop."""
        return self.call(shop, "buy", count=count)

    @action
    def ask(self, what: str, arguments: dict) -> list:
        """Ask the ledger."""
        return [self.call_with("ledger", what, arguments), self.address]

    @action
    def in_turn(self, calls: list[dict]) -> int:
        """Do several calls."""
        for call in calls:
            self.notes += 1
            self.call_with(call["contract"], call["action"], call["arguments"])
        return self.notes

    @view
    def peek(self, name: str) -> int:
        """Try to freeze something while nobody looks."""
        self.call("ledger", "freeze", name=name)
        return 1
'''
)


class Town:
    """A sandbox with a shop of Ada's, and Ben and Cleo who are customers."""

    def __init__(self) -> None:
        self.box = Sandbox()
        self.ada, self.ben, self.cleo = (self.box.account(name) for name in ("Ada", "Ben", "Cleo"))
        self.shop = self.box.deploy(SHOP, sender=self.ada)

    def ask(self, who: str, action: str, /, **args: Any) -> Outcome:
        return self.box.call(who, "ledger", action, args)

    def upgrade(self, source: str = SHOP_2, who: str = "", **args: Any) -> Outcome:
        return self.ask(who or self.ada, "upgrade", name="shop", source=source, args=args)

    def buy(self, who: str, count: int = 1, version: int = 0) -> Outcome:
        return self.box.call(who, "shop", "buy", {"count": count}, version)

    def kept(self, name: str = "shop") -> Deployed:
        return decode_own(self.box.state.values[contract_key(name)], Deployed)

    def kiosk(self, name: str = "kiosk", who: str = "") -> Any:
        return self.box.deploy(KIOSK, sender=who or self.ben, name=name)


@pytest.fixture
def town() -> Town:
    return Town()


# --- upgrades ----------------------------------------------------------------------------------------------------


def test_an_upgrade_keeps_what_is_stored_and_migrates_once(town: Town) -> None:
    town.buy(town.ben, 2)
    town.box.advance(hours=1)
    outcome = town.upgrade(first=town.ben)
    assert outcome.result == 2
    thanked, upgraded = outcome.events
    assert (thanked.name, thanked.data) == ("Thanked", {"who": town.ben, "by": town.ada})
    assert (upgraded.contract, upgraded.name) == ("ledger", "Upgraded")
    assert upgraded.data == {"by": town.ada, "contract": "shop", "version": 2, "source": fingerprint(SHOP_2)}
    assert town.buy(town.cleo, 2).result == 600
    assert town.shop.bought(town.ben) == 2
    assert town.box.call(town.ada, "shop", "migrate", {"first": town.ben}).error.startswith("shop has no action")


def test_older_versions_stay_readable(town: Town) -> None:
    town.buy(town.ben)
    town.box.advance(hours=1)
    town.upgrade(first=town.ben)
    town.upgrade(SHOP.replace("buy something", "buy more"))
    first, second = (decode_own(town.box.state.values[version_key("shop", number)], Version) for number in (1, 2))
    assert (first.source, first.by, first.height) == (SHOP, town.ada, 1)
    assert (second.source, second.number, second.height) == (SHOP_2, 2, 2)
    assert town.kept().version == 3
    assert (town.kept().height, town.kept().since) == (1, 2)
    assert fingerprint(SHOP) == first.fingerprint


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            ("price = Value(int, 3)", "price = Value(str)"),
            "the field price holds Value(int) and cannot become Value(str)",
        ),
        (
            ("sold = Map(str, int)", "sold = Map(int, int)"),
            "the field sold holds Map(str, int) and cannot become Map(int",
        ),
        (
            ("sold = Map(str, int)", "sold = Map(str, list[int])"),
            "sold holds Map(str, int) and cannot become Map(str, li",
        ),
        (
            ("price = Value(int, 3)", "price = Map(str, int)"),
            "the field price holds Value(int) and cannot become Map(str, int)",
        ),
        (
            ("price = Value(int, 3)", "price = Value(int | None)"),
            "price holds Value(int) and cannot become Value(int | None",
        ),
        (("self.price", "self.prize"), "is not in the contract language: check it with `minichain contract check`"),
        (("Sell at", "Sell at"), "this is the source that shop has already"),
    ],
)
def test_a_bad_upgrade_is_refused_and_says_what_is_wrong(town: Town, change: tuple[str, str], words: str) -> None:
    root = town.box.state.root
    outcome = town.upgrade(SHOP.replace(*change))
    assert outcome.outcome == "fault"
    assert words in outcome.error
    assert town.box.state.root == root


def test_a_field_that_was_left_out_for_a_while_comes_back_as_it_was_or_not_at_all(town: Town) -> None:
    town.buy(town.ben, 2)
    assert town.upgrade(HEAD + "\n\nclass Shop(Contract):\n    price = Value(int)\n").ok
    assert [field.name for field in town.kept().retired] == ["sold"]
    other = town.upgrade(SHOP.replace("sold = Map(str, int)", "sold = Map(str, int | None)"))
    assert "the field sold holds Map(str, int) and cannot become Map(str, int | None)" in other.error
    assert town.upgrade(SHOP).ok
    assert town.box.view("", "shop", "bought", {"who": town.ben}).result == 2
    assert town.kept().retired == ()


def test_what_a_contract_remembers_of_fields_it_left_out_is_bounded(town: Town) -> None:
    def declaring(first: int, count: int) -> str:
        fields = "".join(f"    field_{number} = Value(int)\n" for number in range(first, first + count))
        return f"{HEAD}\n\nclass Shop(Contract):\n    price = Value(int)\n{fields}"

    town.upgrade(declaring(0, MAX_RETIRED - 1))
    assert town.upgrade(declaring(1_000, 2)).ok, "with the field sold, as many as there may be"
    assert len(town.kept().retired) == MAX_RETIRED
    error = town.upgrade(declaring(2_000, 1)).error
    assert error == f"more than {MAX_RETIRED} fields of earlier versions are left out: declare some of them again"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"first": "nobody"}, "shop.migrate, line 13: thank somebody who bought something"),
        ({}, "shop.migrate: argument first is missing"),
        ({"first": 1}, "argument first must be str, not int"),
        ({"second": ""}, 'there is no argument "second"; it takes first'),
    ],
)
def test_a_failing_migration_undoes_the_upgrade(town: Town, args: dict[str, Any], words: str) -> None:
    town.buy(town.ben)
    root = town.box.state.root
    outcome = town.upgrade(**args)
    assert words in outcome.error
    assert outcome.gas > 1_000 * len(SHOP_2), "reading the source is paid for all the same"
    assert town.box.state.root == root
    assert town.buy(town.ben).result == 3


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ("    @action\n    def migrate(self) -> None:", "MC305"),
        ("    @view\n    def migrate(self) -> None:", "MC305"),
        ("    def migrate(self, first) -> None:", "MC307"),
        ("    def migrate(self, first: set) -> None:", "MC307"),
    ],
)
def test_a_migration_is_written_like_a_setup(head: str, code: str) -> None:
    source = f"{HEAD}\n\nclass Shop(Contract):\n    price = Value(int)\n\n{head}\n        self.price = 1\n"
    assert code in [violation.code for violation in check(source)]


def test_only_the_authority_upgrades_and_nobody_where_there_is_none(town: Town) -> None:
    assert f"only the authority of shop, which is {town.ada}, can upgrade it" in town.upgrade(who=town.ben).error
    assert town.ask(town.ada, "entrust", name="shop", authority=town.ben).events[0].data["authority"] == town.ben
    assert "only the authority" in town.upgrade(who=town.ada).error
    assert town.upgrade(SHOP + "\n", who=town.ben).ok
    assert town.ask(town.ben, "entrust", name="shop", authority="").ok
    for action in ("upgrade", "freeze", "unfreeze", "restrict", "entrust"):
        args = {"upgrade": {"source": SHOP, "args": {}}, "entrust": {"authority": town.ben}}.get(action, {})
        args = {"action": "buy", "mode": "allow", "accounts": []} if action == "restrict" else args
        error = town.ask(town.ben, action, name="shop", **args).error
        assert error == f"shop has no authority: nobody can {action} it, now or later"


@pytest.mark.parametrize("authority", ["nobody-here", "did:key:z6Mk", "Ada", 5, None, "ledger"])
def test_a_contract_is_not_entrusted_to_somebody_who_is_not_there(town: Town, authority: Any) -> None:
    assert "ledger.entrust" in town.ask(town.ada, "entrust", name="shop", authority=authority).error
    assert town.kept().authority == town.ada


def test_a_contract_in_use_by_another_is_upgraded_under_it(town: Town) -> None:
    kiosk = town.kiosk()
    assert kiosk.order("shop", 2).result == 6
    town.upgrade(first=town.ben)
    assert kiosk.order("shop", 2).result == 600
    assert town.shop.bought(town.ben) == 4
    assert town.upgrade(SHOP.replace("count", "number")).ok
    assert 'there is no argument "count"; it takes number' in kiosk.attempt("order", "shop", 2).error


# --- who calls by an old interface ---------------------------------------------------------------------------------


def test_a_client_that_knows_an_older_version_is_told_so_where_it_matters(town: Town) -> None:
    town.buy(town.ben)
    shop = town.shop.with_sender(town.ben)
    town.upgrade(first=town.ben)
    assert shop.close().ok, "what has not changed can be called"
    assert shop.bought(town.ben) == 1
    with pytest.raises(CallFailed) as changed:
        shop.buy(1)
    assert str(changed.value) == (
        'shop.buy fault: this call of "buy" was made for version 1 of shop, which is now version 2 and has changed it: '
        "get the contract anew"
    )
    assert town.upgrade(
        SHOP_2.replace("def close", "def shut").replace("def bought", "def how_many"), first=town.ben
    ).ok
    with pytest.raises(
        CallFailed, match='"close" was made for version 1 of shop, which is now version 3 and has it no'
    ):
        shop.close()
    with pytest.raises(ContractFault, match='"bought" was made for version 1 of shop, which is now version 3'):
        shop.bought(town.ben)
    assert town.buy(town.ben, version=2).ok, "version 3 kept what version 2 changed"
    assert "shop has no version 4: it is at version 3" in town.buy(town.ben, version=4).error
    assert "shop has no version -1" in town.buy(town.ben, version=-1).error


def test_what_was_changed_and_changed_back_is_not_what_was_signed_for(town: Town) -> None:
    town.upgrade(SHOP.replace("count: int", "count: str").replace("count > 0", "count").replace("+ count", "+ 1"))
    assert "count: str" in town.kept().source
    town.upgrade(SHOP)
    assert "was made for version 1 of shop, which is now version 3" in town.buy(town.ben, version=1).error


STALL = """from minichain.contracts.api import Contract, Decimal, Map, Record, action, view

Yuan = Decimal(2)


class Note(Record):
    text: str
    stars: int = 0


class Stall(Contract):
    \"\"\"Sell fruit, and keep notes.\"\"\"

    notes = Map(str, Note)
    taken = Map(str, Yuan)

    @action
    def pay(self, amount: Yuan) -> Yuan:
        \"\"\"Pay an amount.\"\"\"
        self.taken[self.signer] = amount
        return amount

    @action
    def praise(self, note: Note) -> None:
        \"\"\"Leave a note.\"\"\"
        self.notes[self.signer] = note

    @view
    def note_of(self, who: str) -> Note:
        \"\"\"Read somebody's note.\"\"\"
        return self.notes[who]
"""


def test_records_and_amounts_keep_what_they_are(town: Town) -> None:
    stall = town.box.deploy(STALL, sender=town.ada)
    stall.praise({"text": "good", "stars": 5})
    new = {"name": "stall", "args": {}}
    more = STALL.replace("stars: int = 0", "stars: int = 0\n    by: str = ''")
    other = STALL.replace("Decimal(2)", "Decimal(3)")
    for source, words in (
        (more, "the field notes holds Map(str, Note) and cannot become another Map(str, Note)"),
        (other, "the field taken holds Map(str, Yuan) and cannot become another Map(str, Yuan)"),
    ):
        assert words in town.ask(town.ada, "upgrade", **new, source=source).error
    without = STALL.replace("    notes = Map(str, Note)\n", "").replace("self.notes[self.signer] = note", "pass")
    without = without.replace("return self.notes[who]", "return Note(text=who)")
    assert town.ask(town.ada, "upgrade", **new, source=without).ok
    assert town.ask(town.ada, "upgrade", **new, source=more).error.startswith("the field notes holds")
    assert town.ask(town.ada, "upgrade", **new, source=STALL).ok
    assert town.box.view("", "stall", "note_of", {"who": town.ada}).result == {"text": "good", "stars": 5}
    assert "A kind of value has changed: Yuan = Decimal(2) becomes Yuan = Decimal(3)" in str(difference(STALL, other))


def test_who_signs_for_yuan_does_not_pay_in_tenths_of_a_fen(town: Town) -> None:
    """The numbers on the ledger would be the same, so only the version tells that another amount is meant."""
    source = STALL.replace("    taken = Map(str, Yuan)\n", "").replace("self.taken[self.signer] = amount", "pass")
    stall = town.box.deploy(source, sender=town.ada)
    assert str(stall.pay("12.50").result) == "12.50"
    assert town.ask(town.ada, "upgrade", name="stall", source=source.replace("l(2)", "l(3)"), args={}).ok
    with pytest.raises(CallFailed, match='"pay" was made for version 1 of stall, which is now version 2'):
        stall.pay("12.50")


def test_an_upgrade_can_take_in_a_part_and_set_it_up(town: Town) -> None:
    town.buy(town.ben)
    head = 'from minichain.contracts.parts import Roles\n\nROLES = ("seller",)\n'
    source = SHOP.replace("\n\n\nclass Shop(Contract):", f"\n{head}\n\nclass Shop(Contract, Roles):").replace(
        "    @action\n    def close",
        "    def migrate(self) -> None:\n        self.setup_roles()\n\n    @action\n    def close",
    )
    assert check(source) == []
    assert town.upgrade(source).ok
    grant = {"role": "admin", "account": town.ben}
    assert not town.box.call(town.ben, "shop", "grant_role", grant).ok
    assert town.box.call(town.ada, "shop", "grant_role", grant).ok, "who upgraded is the first admin"
    assert town.box.view("", "shop", "bought", {"who": town.ben}).result == 1


# --- freezing and lists --------------------------------------------------------------------------------------------


def test_a_frozen_contract_refuses_actions_and_still_answers(town: Town) -> None:
    kiosk = town.kiosk()
    town.buy(town.ben, 2)
    frozen = town.ask(town.ada, "freeze", name="shop").events[0]
    assert (frozen.name, frozen.data["by"], frozen.data["version"]) == ("Frozen", town.ada, 1)
    assert town.buy(town.ben).error == f"shop is frozen by its authority, {town.ada}: no action until it is unfrozen"
    assert (
        f"kiosk.order, line 12: shop is frozen by its authority, {town.ada}" in kiosk.attempt("order", "shop", 1).error
    )
    assert town.shop.bought(town.ben) == 2
    assert "shop is frozen already" in town.ask(town.ada, "freeze", name="shop").error
    assert town.upgrade(first=town.ben).ok, "a frozen contract can be mended"
    assert not town.buy(town.ben).ok
    assert town.ask(town.ada, "unfreeze", name="shop").events[0].name == "Unfrozen"
    assert town.buy(town.ben).ok
    assert "shop is not frozen" in town.ask(town.ada, "unfreeze", name="shop").error


def test_an_action_is_denied_to_one_account_also_through_another_contract(town: Town) -> None:
    kiosk, args = town.kiosk(), {"name": "shop", "action": "buy"}
    event = town.ask(town.ada, "restrict", **args, mode="deny", accounts=[town.ben]).events[0]
    assert event.data.items() >= {"action": "buy", "mode": "deny", "accounts": [town.ben], "by": town.ada}.items()
    assert town.buy(town.ben).error == "shop.buy is restricted: its deny list names the account that signed"
    assert "its deny list names the account that signed" in kiosk.attempt("order", "shop", 1).error
    assert kiosk.with_sender(town.cleo).order("shop", 1).ok
    assert town.box.call(town.ben, "shop", "close", {}).ok, "the list is about one action"
    town.ask(town.ada, "restrict", **args, mode="allow", accounts=[town.ben])
    assert kiosk.order("shop", 1).ok, "who is let in may come through another contract"
    assert "its allow list does not name the account that signed" in town.buy(town.cleo).error
    town.ask(town.ada, "restrict", **args, mode="allow", accounts=[])
    assert not town.buy(town.ben).ok
    assert town.ask(town.ada, "restrict", **args, mode="open", accounts=[]).ok
    assert town.buy(town.ben).ok
    assert town.buy(town.cleo).ok


def test_a_list_outlives_an_upgrade_and_a_version_without_the_action(town: Town) -> None:
    town.ask(town.ada, "restrict", name="shop", action="buy", mode="deny", accounts=[town.ben])
    town.upgrade(SHOP.replace("def buy", "def order"))
    town.upgrade(SHOP)
    assert "its deny list names" in town.buy(town.ben).error
    assert town.ask(town.ada, "restrict", name="shop", action="buy", mode="open", accounts=[]).ok


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"action": "sell"}, "shop has no such action to restrict; it has: buy, close"),
        ({"action": "bought"}, "shop has no such action to restrict"),
        ({"action": 5}, "shop has no such action to restrict"),
        ({"mode": "forbid"}, "takes `mode`, allow, deny or open"),
        ({"accounts": {}}, "`accounts`, a list of did:key"),
        ({"accounts": ["Ben"]}, "each of `accounts` is the did:key of an Ed25519 key"),
        ({"accounts": [7]}, "each of `accounts` is the did:key of an Ed25519 key"),
        ({"accounts": []}, "a deny list names somebody"),
        ({"mode": "open", "accounts": []}, "open lifts the list of an action, and names nobody; restricted are: none"),
        ({"accounts": ["x"] * (MAX_LISTED + 1)}, f"a list names at most {MAX_LISTED} accounts"),
        ({"name": "shops"}, 'there is no contract "shops"'),
        ({"name": 5}, 'there is no contract "5"'),
    ],
)
def test_a_list_that_makes_no_sense_is_refused(town: Town, args: dict[str, Any], words: str) -> None:
    usual = {"name": "shop", "action": "buy", "mode": "deny", "accounts": [town.ben]}
    assert words in town.ask(town.ada, "restrict", **{**usual, **args}).error
    assert town.kept().access == {}


def test_the_lists_of_a_contract_are_bounded_together(town: Town) -> None:
    people = [town.box.account(f"person {number}") for number in range(MAX_LISTED)]
    assert town.ask(town.ada, "restrict", name="shop", action="buy", mode="deny", accounts=people).ok
    free = town.box.call(town.ben, "shop", "close", {}).gas
    town.ask(town.ada, "restrict", name="shop", action="buy", mode="open", accounts=[])
    town.ask(town.ada, "restrict", name="shop", action="close", mode="deny", accounts=people)
    assert town.box.call(town.ben, "shop", "close", {}).gas - free == MAX_LISTED * GAS["compared_item"]
    more = town.ask(town.ada, "restrict", name="shop", action="buy", mode="deny", accounts=people[:1])
    assert f"name at most {MAX_LISTED} accounts" in more.error


# --- those who try to get around it ----------------------------------------------------------------------------------


def test_a_contract_that_is_the_authority_asks_the_ledger_itself(town: Town) -> None:
    kiosk = town.kiosk()
    town.ask(town.ada, "entrust", name="shop", authority="kiosk")
    assert "only the authority of shop, which is kiosk" in town.upgrade(first=town.ben).error
    outcome = kiosk.ask("freeze", {"name": "shop"})
    assert (outcome.result, outcome.events[0].data["by"]) == ([None, "kiosk"], "kiosk")
    assert kiosk.ask("upgrade", {"name": "shop", "source": SHOP + "\n", "args": {}}).result == [2, "kiosk"]
    other = town.kiosk("other", town.ada)
    assert "only the authority of shop, which is kiosk" in other.attempt("ask", "unfreeze", {"name": "shop"}).error


def test_a_running_contract_is_not_upgraded_under_its_own_feet(town: Town) -> None:
    kiosk, other = town.kiosk(), town.kiosk("other")
    town.ask(town.ben, "entrust", name="kiosk", authority="kiosk")
    new = {"name": "kiosk", "source": KIOSK + "\n", "args": {}}
    assert "kiosk is running in this call" in kiosk.attempt("ask", "upgrade", new).error
    town.ask(town.ben, "entrust", name="other", authority="kiosk")
    calls = [{"contract": "other", "action": "ask", "arguments": {"what": "upgrade", "arguments": new}}]
    assert "only the authority of kiosk, which is kiosk" in kiosk.attempt("in_turn", calls).error
    assert kiosk.ask("upgrade", {**new, "name": "other"}).ok
    assert other._version == 1
    assert town.kept("other").version == 2


def test_a_contract_that_freezes_itself_ends_its_call_and_begins_no_other(town: Town) -> None:
    kiosk = town.kiosk()
    town.ask(town.ben, "entrust", name="kiosk", authority="kiosk")
    freeze = {"contract": "ledger", "action": "freeze", "arguments": {"name": "kiosk"}}
    order = {"contract": "shop", "action": "buy", "arguments": {"count": 1}}
    assert kiosk.in_turn([freeze, order]).result == 2
    assert "kiosk is frozen by its authority, kiosk" in kiosk.attempt("in_turn", []).error


def test_what_is_frozen_within_a_call_is_frozen_for_the_rest_of_it(town: Town) -> None:
    kiosk = town.kiosk()
    town.ask(town.ada, "entrust", name="shop", authority="kiosk")
    freeze = {"contract": "ledger", "action": "freeze", "arguments": {"name": "shop"}}
    order = {"contract": "shop", "action": "buy", "arguments": {"count": 1}}
    assert "shop is frozen" in kiosk.attempt("in_turn", [order, freeze, order]).error
    assert town.buy(town.ben).ok, "and all of it is undone where the call fails"
    assert kiosk.attempt("in_turn", [order, freeze, {**freeze, "action": "unfreeze"}, order]).ok


def test_a_migration_that_calls_back_finds_the_contract_running(town: Town) -> None:
    kiosk = town.kiosk()
    town.ask(town.ada, "entrust", name="shop", authority="kiosk")
    back = SHOP.replace(
        "    @action\n    def close",
        '    def migrate(self, how: str) -> None:\n        self.call("kiosk", "order", shop=how, count=1)\n\n'
        "    @action\n    def close",
    )
    new = {"name": "shop", "source": back, "args": {"how": "shop"}}
    assert "kiosk is already running in this call" in kiosk.attempt("ask", "upgrade", new).error
    town.kiosk("second")
    new["source"] = back.replace('"kiosk"', '"second"')
    assert "shop is already running in this call" in kiosk.attempt("ask", "upgrade", new).error
    assert town.kept().version == 1


def test_a_contract_may_be_upgraded_twice_in_one_call_or_not_at_all(town: Town) -> None:
    kiosk = town.kiosk()
    town.ask(town.ada, "entrust", name="shop", authority="kiosk")

    def to(source: str) -> dict[str, Any]:
        return {"contract": "ledger", "action": "upgrade", "arguments": {"name": "shop", "source": source, "args": {}}}

    assert kiosk.in_turn([to(SHOP + "\n"), to(SHOP + "\n\n")]).ok
    assert town.kept().version == 3
    root = town.box.state.root
    assert "has already" in kiosk.attempt("in_turn", [to(SHOP), to(SHOP)]).error
    assert town.box.state.root == root


def test_a_contract_deploys_another_and_is_its_authority(town: Town) -> None:
    kiosk = town.kiosk()
    outcome = kiosk.ask("deploy", {"name": "branch", "source": SHOP, "args": {}})
    assert [event.name for event in outcome.events] == ["Deployed"]
    assert (town.kept("branch").deployer, town.kept("branch").authority) == ("kiosk", "kiosk")
    assert (
        "the name branch is taken"
        in kiosk.attempt("ask", "deploy", {"name": "branch", "source": SHOP, "args": {}}).error
    )
    for name, what in KEPT_NAMES.items():
        error = kiosk.attempt("ask", "deploy", {"name": name, "source": SHOP, "args": {}}).error
        assert f"the name {name} is kept for {what}" in error


@pytest.mark.parametrize(
    ("action", "arguments", "words"),
    [
        ("transfer", {"to": "x", "amount": 1}, "a contract cannot ask the ledger for this action, only for deploy"),
        ("admit", {}, "is asked by an account, in a transaction"),
        ("accuse", {}, "is asked by an account, in a transaction"),
        ("", {}, "a contract cannot ask the ledger for this action"),
        ("freeze", {}, "ledger.freeze takes the arguments name, all of them"),
        ("freeze", {"name": "shop", "why": ""}, "ledger.freeze takes the arguments name, all of them"),
        ("upgrade", {"name": "shop", "source": b"", "args": {}}, "only the authority of shop"),
        ("deploy", {"name": "a", "source": b"", "args": {}}, "the source of a contract is text"),
        ("deploy", {"name": "a", "source": SHOP, "args": []}, "ledger.deploy takes `args`, a dictionary"),
        ("deploy", {"name": ["a"], "source": SHOP, "args": {}}, "a contract's name is 1 to 40 of"),
    ],
)
def test_what_the_ledger_does_not_do_for_a_contract_is_said(
    town: Town, action: str, arguments: dict[str, Any], words: str
) -> None:
    kiosk, root = town.kiosk(), town.box.state.root
    assert words in kiosk.attempt("ask", action, arguments).error
    assert town.box.state.root != State().root
    assert town.box.state.root == root


def test_a_view_asks_the_ledger_for_nothing(town: Town) -> None:
    kiosk = town.kiosk()
    town.ask(town.ada, "entrust", name="shop", authority="kiosk")
    with pytest.raises(ContractFault, match="a view cannot ask the ledger to change anything"):
        kiosk.peek("shop")
    assert not town.kept().is_frozen


def test_the_record_of_a_contract_is_out_of_reach_of_its_fields(town: Town) -> None:
    """A contract of a chosen name and field cannot write what the ledger keeps of another."""
    keys = {
        contract_key("shop"),
        version_key("shop", 1),
        state_key("contract", "shop"),
        state_key("version", "shop", 1),
    }
    assert len(keys) == 4


def test_deploying_from_the_deepest_place_there_is_reads_the_most_nested_source(town: Town) -> None:
    """How much stack is left must not decide what a source is: a fresh node and a warm one would differ."""
    deep = (
        HEAD
        + '''

class Deep(Contract):
    """Dig, then deploy."""

    @action
    def dig(self, names: list[str], source: str) -> int:
        """Go on in another contract."""
        return self.down(4, names, source)

    def down(self, more: int, names: list[str], source: str) -> int:
        if more > 0:
            return [self.down(more - 1, names, source) for x in range(1)][0]
        if names:
            return [self.call(names[0], "dig", names=names[1:], source=source) for x in range(1)][0]
        self.call("ledger", "deploy", name="found", source=source, args={})
        return 1
'''
    )
    nested = (
        HEAD + "\n\nclass Nested(Contract):\n    @view\n    def v(self) -> int:\n        return " + "-" * 54 + "1\n"
    )
    names = [f"deep-{number}" for number in range(7)]
    for name in names:
        town.box.deploy(deep, sender=town.ada, name=name)
    outcome = town.box.call(town.ada, names[0], "dig", {"names": names[1:], "source": nested})
    assert outcome.ok, outcome.error


PEOPLE = ("Ada", "Ben", "Cleo")
DEEDS = st.one_of(
    st.tuples(st.just("upgrade"), st.integers(0, 2)),
    st.tuples(st.just("freeze"), st.none()),
    st.tuples(st.just("unfreeze"), st.none()),
    st.tuples(st.sampled_from(["allow", "deny", "open"]), st.sampled_from(PEOPLE)),
    st.tuples(st.just("entrust"), st.sampled_from(PEOPLE)),
    st.tuples(st.just("buy"), st.none()),
)


class Told:
    """What a contract's life must be, in five variables."""

    def __init__(self) -> None:
        self.source, self.authority, self.is_frozen, self.version = 0, "Ada", False, 1
        self.list: tuple[str, str] | None = None

    def do(self, who: str, deed: str, what: Any) -> bool:
        """Do what the rules allow; return whether they do."""
        if deed == "buy":
            is_let_in = self.list is None or (self.list[1] == who) == (self.list[0] == "allow")
            return not self.is_frozen and is_let_in
        if who != self.authority:
            return False
        match deed:
            case "upgrade" if what != self.source:
                self.source, self.version = what, self.version + 1
            case "freeze" | "unfreeze" if self.is_frozen == (deed == "unfreeze"):
                self.is_frozen = deed == "freeze"
            case "open" if self.list:
                self.list = None
            case "allow" | "deny":
                self.list = deed, what
            case "entrust":
                self.authority = what
            case _:
                return False
        return True


@given(st.lists(st.tuples(st.sampled_from(PEOPLE), DEEDS), max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_life_is_what_the_rules_say(deeds: list[tuple[str, tuple[str, Any]]]) -> None:
    town, told = Town(), Told()
    dids = {name: town.box.account(name) for name in PEOPLE}
    for who, (deed, what) in deeds:
        args: dict[str, Any] = {"name": "shop"}
        if deed == "upgrade":
            args |= {"source": SHOP + "\n" * what, "args": {}}
        elif deed == "entrust":
            args |= {"authority": dids[what]}
        elif deed in ("allow", "deny", "open"):
            args |= {"action": "buy", "mode": deed, "accounts": [] if deed == "open" else [dids[what]]}
        verb = "restrict" if "mode" in args else deed
        outcome = town.buy(dids[who]) if deed == "buy" else town.ask(dids[who], verb, **args)
        assert outcome.ok == told.do(who, deed, what), outcome.error
        kept = town.kept()
        assert (kept.version, kept.is_frozen, kept.authority) == (told.version, told.is_frozen, dids[told.authority])
        assert kept.source == SHOP + "\n" * told.source
    assert sum(is_older_version(key_) for key_ in town.box.state.values) == told.version - 1, "every version stays"


def is_older_version(key_: bytes) -> bool:
    return key_ in {version_key("shop", number) for number in range(1, 40)}


# --- in transactions -------------------------------------------------------------------------------------------------

RICH = ((key("Ada").public, 10**9), (key("Ben").public, 10**9))
CHAIN = genesis(balances=RICH)


def do(ledger: Ledger, who: str, *calls: Call, gas_limit: int = 20_000_000) -> Any:
    nonce = ledger.state.overlay().account(key(who).public).nonce
    _, execution, refused = ledger.grow(sign(CHAIN, who, *calls, nonce=nonce, gas_limit=gas_limit))
    assert not refused
    return execution.receipts[0]


def own(action: str, /, **args: Any) -> Call:
    return Call("ledger", action, args)


def test_a_transaction_deploys_entrusts_and_restricts_together() -> None:
    ledger = Ledger(CHAIN)
    calls = [
        own("deploy", name="shop", source=SHOP, args={}),
        own("restrict", name="shop", action="close", mode="allow", accounts=[key("Ada").did]),
        own("entrust", name="shop", authority=key("Ben").did),
    ]
    receipt = do(ledger, "Ada", *calls)
    assert [event.name for event in receipt.events] == ["Deployed", "Restricted", "Entrusted"]
    assert do(ledger, "Ada", own("freeze", name="shop")).outcome == "fault"
    assert "allow list does not name" in do(ledger, "Ben", Call("shop", "close")).error
    assert do(ledger, "Ben", own("upgrade", name="shop", source=SHOP + "\n", args={})).results == (2,)
    assert "was made for version 1" in do(ledger, "Ben", Call("shop", "sell", {}, 1)).error
    assert do(ledger, "Ben", Call("shop", "buy", {"count": 1}, 1)).ok
    assert do(ledger, "Ben", Call("ledger", "freeze", {"name": "shop"}, 1)).error.startswith("the ledger's own actions")


def test_a_failed_upgrade_costs_its_gas_and_changes_nothing_else() -> None:
    ledger = Ledger(CHAIN)
    do(ledger, "Ada", own("deploy", name="shop", source=SHOP, args={}))
    before = dict(ledger.state.values)
    receipt = do(ledger, "Ada", own("upgrade", name="shop", source=SHOP_2, args={"first": "nobody"}))
    assert (receipt.outcome, receipt.events) == ("reverted", ())
    assert receipt.gas > 1_000 * len(SHOP_2)
    account = [bytes_ for bytes_, value in ledger.state.values.items() if before.get(bytes_) != value]
    assert len(account) == 1, "only the account of who sent it: its nonce and its gas"
    short = do(ledger, "Ada", own("upgrade", name="shop", source=SHOP_2, args={"first": "x"}), gas_limit=900_000)
    assert (short.outcome, short.gas) == ("out_of_gas", 900_000)


def test_out_of_gas_at_every_point_of_an_upgrade_leaves_no_trace(town: Town) -> None:
    town.buy(town.ben)
    whole = town.upgrade(first=town.ben).gas
    other = Town()
    other.buy(other.ben)
    root = other.box.state.root
    for gas in range(0, whole, whole // 60):
        other.box.gas_limit = gas
        outcome = other.upgrade(first=other.ben)
        assert (outcome.outcome, outcome.gas) == ("out_of_gas", gas)
        assert other.box.state.root == root
    other.box.gas_limit = whole
    assert other.upgrade(first=other.ben).gas == whole, "the same gas, whether the source was seen before or not"


def test_a_fresh_runtime_and_a_warm_one_agree(town: Town) -> None:
    town.buy(town.ben)
    town.upgrade(first=town.ben)
    warm = town.buy(town.cleo)
    town.box._runtime = Runtime()
    assert town.buy(town.cleo).gas - warm.gas < 0, "a second purchase writes less"
    again = Town()
    again.buy(again.ben)
    again.box._runtime = Runtime()
    again.upgrade(first=again.ben)
    again.box._runtime = Runtime()
    assert again.buy(again.cleo) == warm


# --- the difference --------------------------------------------------------------------------------------------------


def test_the_difference_is_told_in_lines_and_in_facts() -> None:
    found = difference(SHOP, SHOP_2, "shop, version 1", "shop, proposed")
    assert found.text.startswith("--- shop, version 1\n+++ shop, proposed\n")
    assert '+    def buy(self, count: int, code: str = "") -> int:' in found.text
    assert list(map(str, found.changes)) == [
        "The action buy is called differently: buy(count: int) -> int becomes buy(count: int, code: str = '') -> int",
        "It keeps one thing more: cents, Value(int)",
        "It keeps one thing more: thanked, Value(str)",
        "It can announce Thanked",
        "The code of buy has changed",
        "It changes what is stored, once, when the upgrade takes effect",
    ]
    assert [change.kind for change in difference(SHOP_2, SHOP).changes] == [
        "action changed",
        "field removed",
        "field removed",
        "event removed",
        "code changed",
    ]
    assert [change.kind for change in difference(SHOP, SHOP + "\n").changes] == ["nothing"]
    dearer = difference(SHOP, SHOP.replace("Value(int, 3)", "Value(int, 4)")).changes
    assert list(map(str, dearer)) == ["price starts as 4 instead of 3, where nothing was written yet"]
