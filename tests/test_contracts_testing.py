"""The tools for testing contracts, tested: expected failures, drawn values, and explorations that find planted bugs."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from noticeboard import NoticeBoard
from weighbridge import Weighbridge

from minichain.client import Network
from minichain.contracts import Sandbox
from minichain.contracts.testing import abi_of, arguments, explore, faults, machine, reverts, runs_out_of_gas, values
from minichain.contracts.types import Type, fits
from minichain.errors import UsageError

CASH = '''from minichain.contracts.api import Contract, Map, Value, action, emit, require, view


class Cash(Contract):
    """Hold what people bring, and let them give it to each other."""

    total = Value(int)
    held = Map(str, int)

    @action
    def bring(self, amount: int) -> None:
        require(0 < amount < 1000, "bring 1 to 999")
        self.held[self.caller] = self.held.get(self.caller, 0) + amount
        self.total += amount

    @action
    def give(self, to: str, amount: int) -> None:
        mine, theirs = self.held.get(self.caller, 0), self.held.get(to, 0)
        require(0 < amount <= mine, "you do not hold so much")
        self.held[self.caller] = mine - amount
        self.held[to] = theirs + amount

    @view
    def sum(self) -> int:
        return sum(self.held.values(0, 100))

    @view
    def brought(self) -> int:
        return self.total
'''
MENDED = CASH.replace("self.held[to] = theirs + amount", "self.held[to] = self.held.get(to, 0) + amount")


def nothing_is_lost(cash: Any) -> None:
    assert cash.sum() == cash.brought(), f"{cash.brought()} were brought, {cash.sum()} are held"


def board() -> Any:
    box = Sandbox()
    return box.deploy(NoticeBoard, sender=box.account("Office A"), keeper=box.account("Office B"))


# --- failures ----------------------------------------------------------------------------------------------------


def test_an_expected_failure_is_caught_with_its_words_and_outcome() -> None:
    notices = board()
    with reverts("at most 20 characters") as refused:
        notices.post("x" * 21)
    assert refused.error == "notice-board.post, line 18: a notice has at most 20 characters"
    assert refused.receipt.outcome == "reverted"
    with faults("argument text must be str, not int"):
        notices.post(5)
    with faults("has no key"):
        notices.with_sender(Sandbox().account("Office B")).clear("nobody")


def test_a_failing_view_counts_as_well() -> None:
    with faults("argument who is missing") as broken:
        board().read()
    assert broken.receipt is None


def test_running_out_of_gas_is_a_failure_of_its_own() -> None:
    box = Sandbox(gas_limit=3_000_000)
    notices = box.deploy(NoticeBoard, sender="Office A", keeper="Office A")
    box.gas_limit = 20_000
    with runs_out_of_gas():
        notices.post("hello")


@pytest.mark.parametrize(
    ("expected", "text", "words"),
    [
        (reverts, "fine", "expected a call that is refused, but nothing failed"),
        (faults, "x" * 21, "expected a call that is broken off, but the outcome is reverted: notice-board.post, line"),
        (runs_out_of_gas, "x" * 21, "expected a call that is out of gas, but the outcome is reverted"),
    ],
)
def test_another_end_than_the_expected_one_fails_the_test(expected: Any, text: str, words: str) -> None:
    with pytest.raises(AssertionError, match=words), expected():
        board().post(text)


def test_other_words_than_the_expected_ones_fail_the_test() -> None:
    words = r"saying 'only the keeper', but the outcome is reverted: .*20 characters"
    with pytest.raises(AssertionError, match=words), reverts("only the keeper"):
        board().post("x" * 21)


def test_an_error_of_the_test_itself_is_not_swallowed() -> None:
    with pytest.raises(AttributeError), reverts():
        board().nonsense()


def test_it_works_on_a_network_too() -> None:
    with Network.simulated(validators=1, seed=3) as net:
        ann = net.wallet("Office A")
        notices = net.deploy(NoticeBoard, sender=ann, keeper=ann.did)
        with reverts("at most 20 characters") as refused:
            notices.post("x" * 21)
        assert refused.receipt.height == net.height()
        with faults("argument who is missing"):
            notices.read()
        with pytest.raises(AssertionError, match="nothing failed"), reverts():
            notices.post("fine")


# --- values ------------------------------------------------------------------------------------------------------

TYPES = [
    *(Type(name) for name in ("int", "str", "bool", "bytes", "list", "dict")),
    Type("str", optional=True),
    Type("list", Type("list", Type("int"))),
    Type("dict", Type("bytes", optional=True)),
]


@pytest.mark.parametrize("type_", TYPES, ids=map(str, TYPES))
def test_what_is_drawn_for_a_type_is_of_that_type(type_: Type) -> None:
    @settings(max_examples=40, deadline=None)
    @given(values(type_, ["did:a", "did:b"]))
    def drawn(value: Any) -> None:
        assert fits(value, type_)

    drawn()


@settings(max_examples=30, deadline=None)
@given(arguments(Weighbridge, "weigh"))
def test_records_and_amounts_are_drawn_too(named: dict[str, Any]) -> None:
    axle = next(one.type for one in abi_of(Weighbridge).actions[1].parameters if one.name == "axle")
    assert fits(named["axle"], axle)
    assert {"kilograms"} <= named["axle"].keys() <= {"kilograms", "note"}


@settings(max_examples=30, deadline=None)
@given(arguments(NoticeBoard, "post"))
def test_arguments_go_straight_into_a_call(named: dict[str, Any]) -> None:
    assert board().attempt("post", **named).outcome in ("ok", "reverted")


@settings(max_examples=30, deadline=None)
@given(arguments(CASH, "give", accounts=["a", "b"], amount=st.integers(1, 3), to="b"))
def test_own_strategies_and_fixed_values_take_their_place(named: dict[str, Any]) -> None:
    assert named["to"] == "b"
    assert 1 <= named["amount"] <= 3


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: arguments(CASH, "steal"),
            "Cash has no action or view 'steal'; it has: bring, give, sum, brought, setup",
        ),
        (lambda: arguments(CASH, "give", whom=1), r"Cash\.give has no argument 'whom'; it takes to, amount"),
        (lambda: values(Type("float")), "there are no values to draw for float"),
        (lambda: explore(CASH, draw={"steal": {}}), "draw names the action 'steal', which Cash does not have"),
        (lambda: explore(CASH.replace("@action", "@view")), "Cash has no action, so there is nothing to call"),
    ],
)
def test_what_cannot_be_drawn_says_why(call: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        call()


def test_without_hypothesis_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(UsageError, match="run `pip install hypothesis`"):
        arguments(CASH, "give")
    with reverts("at most 20"):  # needs none
        board().post("x" * 21)


def test_the_interface_of_anything_that_can_be_deployed_is_known() -> None:
    assert abi_of(board()) == abi_of(NoticeBoard)


# --- explorations ------------------------------------------------------------------------------------------------


def test_an_exploration_finds_the_planted_bug_and_tells_the_shortest_story() -> None:
    with pytest.raises(AssertionError) as found:
        explore(CASH, invariants=[nothing_is_lost])
    assert str(found.value).startswith(
        "nothing_is_lost does not hold after\n"
        "  1. Office A: bring(amount=1) -> ok\n"
        "  2. Office A: give(to=Office A, amount=1) -> ok\n"
        "1 were brought, 2 are held"
    )


def test_an_exploration_of_the_mended_contract_ends_with_figures_that_are_the_same_each_time() -> None:
    first, again = (explore(MENDED, invariants=[nothing_is_lost], examples=8) for _ in range(2))
    assert str(first) == str(again)
    assert first.counts["give"]["ok"] > 0
    assert first.report().never_ran == ()
    low, high = first.gas["bring"]
    assert 50_000 < low < high < 120_000


def test_a_rule_may_look_at_the_sandbox_and_say_no_by_its_answer() -> None:
    def nothing_is_ever_stored(_cash: Any, box: Sandbox) -> bool:
        return len(box.state.values) == 1  # the contract itself

    with pytest.raises(
        AssertionError, match=r"^nothing_is_ever_stored does not hold after\n  1\. Office A: bring\(amount=1\)"
    ):
        explore(CASH, invariants=[nothing_is_ever_stored])


def test_several_contracts_are_set_up_by_a_function() -> None:
    def deployed(box: Sandbox) -> Any:
        box.deploy(NoticeBoard, sender=box.account("Office A"), keeper="nobody")
        return box.deploy(CASH, sender=box.account("Office A"))

    assert "bring" in explore(deployed, examples=3).counts


class TestMended(machine(MENDED, invariants=[nothing_is_lost]).TestCase):  # type: ignore[misc]
    """As an author would write it for pytest."""

    settings = settings(max_examples=5, stateful_step_count=10, deadline=None)
