"""What an author sees of a call: what it changed, which lines ran and what each cost. Watching changes nothing."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import weighbridge
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain.contracts import Sandbox
from minichain.contracts.report import Change, in_words
from minichain.contracts.sandbox import SandboxContract
from minichain.contracts.stepping import MAX_STEPS
from minichain.contracts.testing import arguments
from minichain.errors import UsageError
from minichain.scenarios.waste import contract as waste

POT = '''from minichain.contracts.api import Contract, Map, Value, action, emit, require, view


def half(amount):
    """Round down."""
    return amount // 2


class Pot(Contract):
    """Keep half of what people bring."""

    total = Value(int, 5)
    by = Map(str, int)
    last = Map(str, dict)

    @action
    def put(self, amounts: list[int]) -> int:
        """Bring amounts."""
        rest = 0
        for amount in amounts:
            if amount < 0:
                continue
            rest += half(amount)
        while rest > 100:
            rest -= 50
        require(rest != 13, "13 brings bad luck")
        self.total += rest
        self.by[self.caller] = self.by.get(self.caller, 0) + rest
        self.last["put"] = {"who": self.caller, "rest": rest}
        emit("Put", rest=rest)
        return self.total

    @action
    def forget(self) -> None:
        """Forget the last one."""
        del self.last["put"]

    @view
    def twice(self) -> int:
        return self.total * 2
'''
ASKER = """from minichain.contracts.api import Contract, Value, action


class Asker(Contract):
    seen = Value(int)

    @action
    def ask(self, amounts: list[int]) -> int:
        got = self.call("pot", "put", amounts=amounts)
        self.seen = got
        return got + 1
"""
TRACE = """\
  gas so far  line  code
      18,800    17  def put(self, amounts: list[int]) -> int:   # amounts = [10, -3, 301]
      18,905    19      rest = 0   # rest = 0
      19,140    20      for amount in amounts:   # amount = 10
      19,385    21          if amount < 0:
      19,750    23          rest += half(amount)   # rest = 5
      19,950     4    def half(amount):   # amount = 10
      20,235     6        return amount // 2
      20,380    20      for amount in amounts:   # amount = -3
      20,625    21          if amount < 0:
      20,665    22              continue
      20,810    20      for amount in amounts:   # amount = 301
      21,055    21          if amount < 0:
      21,420    23          rest += half(amount)   # rest = 155
      21,620     4    def half(amount):   # amount = 301
      21,905     6        return amount // 2
      21,905    20      for amount in amounts:
      22,475    24      while rest > 100:
      22,540    25          rest -= 50   # rest = 105
      22,865    24      while rest > 100:
      22,930    25          rest -= 50   # rest = 55
      22,930    24      while rest > 100:
      23,450    26      require(rest != 13, "13 brings bad luck")
      39,050    27      self.total += rest   # self.total = 60
     106,499    28      self.by[self.caller] = self.by.get(self.caller, 0) + rest   # self.by[Ann] = 55
     167,676    29      self.last["put"] = {"who": self.caller, "rest": rest}   # self.last[put] = {rest: 55, who: Ann}
     170,446    30      emit("Put", rest=rest)
     173,389    31      return self.total"""


def pots(**settings: Any) -> tuple[Sandbox, SandboxContract]:
    box = Sandbox(**settings)
    return box, box.deploy(POT, sender=box.account("Ann"))


# --- what a call changed -----------------------------------------------------------------------------------------


def test_a_call_tells_what_each_stored_value_was_and_became() -> None:
    box, pot = pots()
    ann = box.account("Ann")
    record = {"who": ann, "rest": 5}
    assert pot.put([10]).diff == (
        Change("pot.total", 5, 10),
        Change(f"pot.by[{ann}]", None, 5),
        Change("pot.last[put]", None, record),
    )
    assert pot.put([0]).diff[0] == Change("pot.total", 10, 10), "written, and the same as before"
    assert pot.forget().diff == (Change("pot.last[put]", record | {"rest": 0}, None),)
    assert pot.attempt("forget").diff == ()


def test_an_outcome_reads_like_a_sentence_with_the_names_people_know() -> None:
    _box, pot = pots()
    assert (
        str(pot.put([10]))
        == """pot.put: ok, 170,639 gas
  returned 10
  pot.total: 5 -> 10
  pot.by[Ann]: nothing -> 5
  pot.last[put]: nothing -> {rest: 5, who: Ann}
  event Put(rest=5)"""
    )
    assert (
        str(pot.attempt("put", [26]))
        == "pot.put: reverted, 24,251 gas\n  pot.put, line 26: 13 brings bad luck; nothing was changed"
    )
    assert repr(pot.put([0])) == "<Outcome ok of pot.put, 85015 gas: Put>"
    assert "pot.total: 10 (written again)" in str(pot.put([0]))


def test_long_values_are_shown_in_part() -> None:
    assert in_words("x" * 100).endswith("…")
    assert len(in_words("x" * 100)) == 60
    assert in_words([None, True, b"\x01", {"a": "b"}]) == '[nothing, True, 01, {a: "b"}]'


# --- steps -------------------------------------------------------------------------------------------------------


def test_the_steps_of_a_call_are_lines_with_gas_and_what_they_changed() -> None:
    _box, pot = pots(steps=True)
    done = pot.put([10, -3, 301])
    assert str(done.steps) == TRACE
    assert done.steps[-1].gas_so_far == sum(step.gas for step in done.steps) == done.gas


def test_contracts_that_call_each_other_are_followed() -> None:
    box, pot = pots(steps=True)
    done = box.deploy(ASKER, sender=pot.sender).ask([4])
    assert [(step.contract, step.line, step.depth) for step in done.steps if step.line < 11 or step.depth == 1] == [
        ("asker", 8, 0),
        ("asker", 9, 0),
        *[("pot", line, 1) for line in (17, 19, 20, 21, 23)],
        ("pot", 4, 2),
        ("pot", 6, 2),
        *[("pot", line, 1) for line in (20, 24, 26, 27, 28, 29, 30, 31)],
        ("asker", 10, 0),
    ]
    assert dict(done.steps[1].changed) == {"got": 7}
    assert done.steps[-1].gas_so_far == done.gas
    assert "asker:9" in str(done.steps)


def test_the_step_that_failed_is_the_last_one() -> None:
    _box, pot = pots(steps=True)
    done = pot.attempt("put", [26])
    assert (done.steps[-1].line, done.steps[-1].failed) == (26, True)
    assert str(done.steps).endswith('require(rest != 13, "13 brings bad luck")   <- failed here')
    assert not any(step.failed for step in done.steps[:-1])


def test_a_call_that_never_began_has_no_steps() -> None:
    _box, pot = pots(steps=True)
    assert pot.attempt("put", ["x"]).steps == ()


def test_steps_are_kept_only_when_asked_for_and_leave_tracers_alone() -> None:
    tracer = sys.gettrace()
    _box, pot = pots()
    assert str(pot.put([1]).steps) == "no steps: they are kept by Sandbox(steps=True)"
    pots(steps=True)[1].put([1])
    assert sys.gettrace() is tracer


def test_a_call_of_very_many_steps_is_counted_in_full_and_kept_in_part() -> None:
    box, pot = pots(steps=True)
    done = pot.put([500_000])
    assert len(done.steps) == MAX_STEPS
    assert "more steps" in str(done.steps)
    assert len(str(done.steps).splitlines()) < 100
    assert box.report().gas == done.gas
    runs = {line.number: line.runs for line in box.report().lines}
    assert runs[24] == runs[25] + 1 > MAX_STEPS // 2


# --- watching changes nothing ------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(arguments(POT, "put"), st.integers(15_000, 190_000))
def test_a_watched_call_does_the_same_for_the_same_gas(values: dict[str, Any], limit: int) -> None:
    ends = []
    for steps in (False, True):
        box, pot = pots(steps=steps)
        box.gas_limit = limit
        done = pot.attempt("put", **values)
        ends.append((done.outcome, done.error, done.gas, done.events, done.diff, box.state.root))
    assert ends[0] == ends[1]
    assert box.report().gas <= done.gas


def test_a_large_contract_compiles_watched_and_every_line_has_its_place() -> None:
    source = Path(str(waste.__file__)).read_text(encoding="utf-8")
    box = Sandbox(steps=True)
    town = box.deploy(source, sender=box.account("office"), registry="none")
    done = town.attempt("submit", "no draft", "1")
    assert [step.source.strip() for step in done.steps][-1].startswith("require(reference in self.drafts")
    ran, could = box.report(town).covered
    assert 0 < ran < could
    assert could > 300


REGISTRY = """from minichain.contracts.api import Contract, view


class Registry(Contract):
    @view
    def is_permitted(self, carrier: str, code: str = "*") -> bool:
        return carrier != "thief"
"""


def weighed(*, steps: bool) -> tuple[Sandbox, list[Any]]:
    """Records, amounts, an interface and both parts at once."""
    box = Sandbox(steps=steps)
    ann = box.account("Ann")
    box.deploy(REGISTRY, sender=ann)
    bridge = box.deploy(weighbridge.Weighbridge, sender=ann, registry="registry", price="12.50")
    return box, [
        bridge.grant_role("weigher", ann),
        bridge.arrive("L-1", "carrier"),
        bridge.weigh("L-1", {"kilograms": 1_840}),
        bridge.attempt("arrive", "L-2", "thief"),
        bridge.attempt("pause", "broken scales"),
    ]


def test_all_of_the_language_can_be_watched() -> None:
    (plain, unseen), (box, seen) = weighed(steps=False), weighed(steps=True)
    assert [(done.outcome, done.gas, done.diff) for done in unseen] == [
        (done.outcome, done.gas, done.diff) for done in seen
    ]
    assert plain.state.root == box.state.root
    for done in seen:
        assert done.steps[-1].gas_so_far == done.gas or not done.ok
    changed = [step.changed for step in seen[2].steps]
    assert {"load": {"carrier": "carrier", "axles": [], "fee": 0, "is_paid": False}} in changed
    granted = str(seen[0].steps)
    assert re.search(r"parts:\d+  def grant_role\(self, role: str, account: str", granted)
    assert "is not permitted" in seen[3].error
    assert box.report("weighbridge").gas > sum(line.gas for line in box.report("weighbridge").lines)


# --- the report --------------------------------------------------------------------------------------------------


def test_a_report_tells_what_lines_cost_and_which_never_ran() -> None:
    box, pot = pots(steps=True)
    gas = pot.put([10]).gas + pot.put([4]).gas
    report = box.report(pot)
    assert (report.calls, report.gas) == (2, gas)
    assert [line.number for line in report.dearest(2)] == [28, 29]
    assert report.never_ran == (22, 25, 34, 36, 39, 40)
    assert {line.number: line.missing for line in report.lines if line.missing} == {21: "never true", 24: "never true"}
    assert report.covered == (14, 20)
    pot.put([-1, 300])
    pot.twice()
    pot.forget()
    assert box.report(pot).never_ran == ()
    assert str(box.report("pot")).startswith("pot: 20 of 20 lines ran, ")


def test_what_a_deployment_costs_belongs_to_no_line() -> None:
    box = Sandbox(steps=True)
    source = POT.replace(
        "    @action\n    def put", "    def setup(self) -> None:\n        self.total = 1\n\n    @action\n    def put"
    )
    box.deploy(source, sender=box.account("Ann"))
    lines = {line.source.strip(): line for line in box.report().lines}
    assert lines["self.total = 1"].runs == 1
    assert box.report().gas < 30_000


@pytest.mark.parametrize(
    ("steps", "asked", "words"),
    [
        (False, None, r"make the sandbox with Sandbox\(steps=True\)"),
        (True, None, "name a contract that was called: there is none yet"),
        (True, "pit", "name a contract that was called: pot"),
    ],
)
def test_a_report_that_cannot_be_given_says_why(steps: bool, asked: str | None, words: str) -> None:
    box, pot = pots(steps=steps)
    if asked:
        pot.twice()
    with pytest.raises(UsageError, match=words):
        box.report(asked)
