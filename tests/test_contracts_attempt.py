"""A call that may fail: all of it happens or nothing, what it cost stays charged, and nobody starves it of gas."""

from __future__ import annotations

from typing import Any

import pytest

from minichain.contracts import Sandbox, check
from minichain.errors import CallFailed

TILL = '''from minichain.contracts.api import Contract, Map, Value, action, emit, require, view


class Till(Contract):
    """Take money, up to a limit."""

    cents = Value(int)
    payers = Map(str, int)

    @action
    def pay(self, cents: int) -> int:
        """Pay something."""
        emit("Paid", cents=cents, by=self.caller)
        self.cents += cents
        self.payers[self.caller] = cents
        require(self.cents <= 100, "the till holds 100 cents")
        return self.cents

    @action
    def break_down(self) -> int:
        """Fail as a program does."""
        self.cents = 1
        return [][self.cents]

    @action
    def count_for_ever(self) -> None:
        """Use up all gas."""
        while True:
            self.cents += 1

    @action
    def call_back(self, name: str) -> None:
        """Call whoever called."""
        self.call(self.caller, name)

    @view
    def held(self) -> int:
        """Tell what is in it."""
        return self.cents
'''
OFFICE = '''from minichain.contracts.api import Contract, Value, action, emit, require, view


class Office(Contract):
    """Try things."""

    log = Value(list)

    @action
    def attempt_all(self, calls: list) -> list:
        """Try calls, and write down what came of it."""
        emit("Trying", count=len(calls))
        self.log = self.log + ["trying"]
        answer = self.attempt(calls)
        self.log = self.log + [answer[0]]
        emit("Tried", why=answer[0])
        return answer

    @action
    def attempt_amid_noise(self, events: int, calls: list) -> list:
        """Announce much, and then try calls."""
        for number in range(events):
            emit("Noise", number=number)
        return self.attempt(calls)

    @action
    def attempt_twice(self, first: list, second: list) -> list:
        """Try one thing, and then another."""
        return [self.attempt(first)[0], self.attempt(second)[0], self.caller]

    @action
    def attempt_and_fail(self, calls: list) -> None:
        """Try calls, and then fail."""
        self.attempt(calls)
        require(False, "it was all for nothing")

    @action
    def attempt_what(self, what: dict) -> list:
        """Try what is no list."""
        return self.attempt(what)

    @view
    def look(self, calls: list) -> list:
        """Try in a view."""
        return self.attempt(calls)
'''


class Street:
    """A till, and an office that tries things at it."""

    def __init__(self, *, steps: bool = False) -> None:
        self.box = Sandbox(steps=steps)
        clerk = self.box.account("Clerk")
        self.office: Any = self.box.deploy(OFFICE, sender=clerk)
        self.till: Any = self.box.deploy(TILL, sender=clerk)

    def held(self) -> int:
        return int(self.till.held())


def pay(cents: int) -> dict[str, Any]:
    return one("till", "pay", cents=cents)


def one(contract: str, action: str, /, **arguments: Any) -> dict[str, Any]:
    return {"contract": contract, "action": action, "arguments": arguments}


def test_it_is_in_the_language_and_has_no_other_use() -> None:
    assert check(OFFICE) == check(TILL) == []
    broken = OFFICE.replace("return self.attempt(what)", "return self.attempt")
    assert [violation.code for violation in check(broken)] == ["MC207"]


def test_what_succeeds_stands_and_gives_its_results() -> None:
    street = Street()
    outcome = street.office.attempt_all([pay(60), pay(30)])
    assert outcome.result == ["", [60, 90]]
    assert street.held() == 90
    assert [event.name for event in outcome.events] == ["Trying", "Paid", "Paid", "Tried"]
    assert outcome.events[1].data["by"] == "office"


def test_what_fails_leaves_nothing_behind_but_its_reason_and_its_gas() -> None:
    street = Street()
    done, failed = (street.office.attempt_all([pay(60), pay(cents)]) for cents in (30, 70))
    assert failed.ok
    assert failed.result == ["till.pay, line 16: the till holds 100 cents", []]
    assert street.held() == 90, "the first 60 of the second attempt are undone, too"
    assert [event.name for event in failed.events] == ["Trying", "Tried"], "of what was undone nothing is announced"
    assert failed.diff[-1].after[-2:] == ["trying", failed.result[0]], "who tried goes on"
    assert failed.gas > done.gas - 100_000, "the work was done, and is charged"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (one("till", "break_down"), "till.break_down, line 23: item 1 is outside a list of length 0"),
        (one("till", "pay", cents="5"), "argument cents must be int, not str"),
        (one("till", "steal"), 'till has no method "steal"'),
        (one("nobody", "pay"), 'there is no contract "nobody"'),
        (one("ledger", "freeze", name="till"), "only the authority of till"),
        (one("ledger", "mint"), "a contract cannot ask the ledger for this action"),
        (
            {**pay(5), "arguments": [5]},
            "self.call_with takes the name of a contract, the name of an action, and a dict",
        ),
        ({**pay(5), "contract": 5}, "self.call takes the name of a contract and the name of an action"),
        (one("office", "attempt_all", calls=[]), "office is already running in this call"),
        (one("till", "call_back", name="look"), "office is already running in this call"),
    ],
)
def test_every_failure_is_a_reason_in_the_words_of_a_receipt(call: dict[str, Any], words: str) -> None:
    street = Street()
    outcome = street.office.attempt_all([pay(5), call])
    assert outcome.ok
    assert words in outcome.result[0]
    assert (outcome.result[1], street.held()) == ([], 0)


def test_after_a_failure_the_next_attempt_is_as_if_nothing_had_been() -> None:
    street = Street()
    outcome = street.office.attempt_twice([pay(200)], [pay(20)])
    assert outcome.result == ["till.pay, line 16: the till holds 100 cents", "", street.box.account("Clerk")]
    assert street.held() == 20
    assert street.office.attempt_twice([one("till", "call_back", name="look")], [pay(1)]).result[1] == ""


def test_who_tries_and_then_fails_undoes_what_it_tried() -> None:
    street = Street()
    with pytest.raises(CallFailed, match="it was all for nothing"):
        street.office.attempt_and_fail([pay(5)])
    assert street.held() == 0


def test_to_run_out_of_gas_ends_it_all() -> None:
    """Whoever pays for a call cannot make a part of it fail by giving too little."""
    street = Street()
    for calls in ([one("till", "count_for_ever")], [pay(5), one("till", "count_for_ever")]):
        outcome = street.office.attempt("attempt_all", calls)
        assert outcome.outcome == "out_of_gas"
        assert outcome.gas == street.box.gas_limit
    assert street.held() == 0
    _, full = [street.office.attempt_all([pay(1)]).gas for _ in range(2)]  # the first one to pay costs more
    for limit in range(full // 4, full, full // 16):
        street.box.gas_limit = limit
        assert street.office.attempt("attempt_all", [pay(1)]).outcome == "out_of_gas", f"with {limit}"


def test_to_announce_too_much_ends_it_all() -> None:
    """Whoever sends a transaction cannot make a part of it fail by filling it up before."""
    street = Street()
    assert street.office.attempt_amid_noise(999, [pay(1)]).result == ["", [1]]
    outcome = street.office.attempt("attempt_amid_noise", 1000, [pay(1)])
    assert (outcome.outcome, outcome.result) == ("fault", None)
    assert "a transaction announces at most 1000 events" in outcome.error
    assert street.held() == 1


@pytest.mark.parametrize(
    ("action", "args", "words"),
    [
        ("attempt_what", ({},), "self.attempt takes a list of {contract, action, arguments}"),
        ("attempt_all", ([5],), "self.attempt takes a list of"),
        ("attempt_all", ([{"contract": "till"}],), "self.attempt takes a list of"),
        ("attempt_all", ([{**pay(1), "more": 1}],), "self.attempt takes a list of"),
    ],
)
def test_what_is_no_list_of_calls_is_a_fault_of_who_tries(action: str, args: Any, words: str) -> None:
    assert words in str(Street().office.attempt(action, *args).error)


def test_a_view_does_not_try_what_might_change_something() -> None:
    street = Street()
    with pytest.raises(Exception, match="a view cannot attempt what might change something"):
        street.office.look([pay(1)])


def test_who_watches_sees_each_line_and_the_same_gas() -> None:
    plain, watched = Street(), Street(steps=True)
    for calls in ([pay(60), pay(70)], [one("till", "call_back", name="look")], [pay(1)]):
        one_, other = (street.office.attempt_all(calls) for street in (plain, watched))
        assert (one_.gas, one_.result, one_.events) == (other.gas, other.result, other.events)
        assert other.steps[-1].contract == "office", "after the failure it goes on where it was"
        assert sum(step.gas for step in other.steps) == other.gas
        assert other.steps[-1].depth == other.steps[0].depth


def test_attempts_inside_each_other_fail_one_by_one() -> None:
    street = Street()
    street.box.deploy(OFFICE, sender=street.box.account("Clerk"), name="branch")
    inner = one("branch", "attempt_all", calls=[pay(200)])
    outcome = street.office.attempt_all([inner, pay(10)])
    assert outcome.result == ["", [["till.pay, line 16: the till holds 100 cents", []], 10]]
    assert [event.name for event in outcome.events] == ["Trying", "Trying", "Tried", "Paid", "Tried"]
    assert street.held() == 10
