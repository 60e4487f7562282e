"""The Sandbox, as a trainee meets it: write a contract, deploy it, call it, look at what it did."""

from __future__ import annotations

import copy
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from minichain.codec import encode
from minichain.contracts import (
    Contract,
    Map,
    Sandbox,
    Value,
    action,
    check,
    emit,
    require,
    source_of,
    state_key,
    view,
)
from minichain.contracts.sandbox import START_MS, SandboxContract
from minichain.errors import CallFailed, ContractFault, LanguageError, UsageError
from minichain.ledger.types import Event
from minichain.merkle import verify_state

CUSTODY = '''"""Who holds which load of waste."""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Value, action, emit, require, view

DAY = 24 * 60 * 60 * 1000


class WasteCustody(Contract):
    """Follow each load of waste from hand to hand."""

    office = Value(str)
    created = Value(int)
    loads = Map(str, dict)

    def setup(self, days: int = 2) -> None:
        require(days > 0, "a load needs at least one day")
        self.office = self.caller

    @action
    def create(self, number: str, grams: int, to: str) -> int:
        """Hand a load to a carrier."""
        require(self.caller == self.office, "only the office creates loads")
        require(number not in self.loads, f"load {number} exists")
        self.loads[number] = {"grams": grams, "holder": to, "due": self.now + 2 * DAY}
        self.created += 1
        emit("Created", number=number, grams=grams, to=to)
        return self.created

    @action
    def accept(self, number: str) -> None:
        """Take over a load."""
        load = self.loads[number]
        load["holder"] = self.caller
        self.loads[number] = load
        emit("Accepted", number=number, by=self.caller)

    @view
    def holder(self, number: str) -> str:
        """Tell who holds a load."""
        return self.loads[number]["holder"]

    @view
    def overdue(self) -> list[str]:
        """List the loads that are late."""
        return [number for number, load in self.loads.items() if load["due"] < self.now]
'''


class Counter(Contract):
    """Count up to a limit."""

    limit = Value(int, 3)
    count = Value(int)
    by = Map(str, int)

    @action
    def up(self, step: int = 1) -> int:
        """Count."""
        require(self.count + step <= self.limit, f"the limit is {self.limit}")
        self.count += step
        self.by[self.caller] = self.by.get(self.caller, 0) + step
        emit("Counted", count=self.count)
        return self.count

    @view
    def total(self) -> int:
        """Tell the count."""
        return self.count


def custody() -> tuple[Sandbox, SandboxContract, str, str]:
    sandbox = Sandbox()
    office, carrier = sandbox.account("street office A"), sandbox.account("carrier")
    return sandbox, sandbox.deploy(CUSTODY, sender=office), office, carrier


# --- the lesson --------------------------------------------------------------------------------------------------

LESSON = """
sandbox = Sandbox()
office, carrier = sandbox.account("street office A"), sandbox.account("carrier")
waste = sandbox.deploy(CUSTODY, sender=office)
print(waste)
outcome = waste.create("W-1", grams=750, to=carrier)
print(outcome.ok, outcome.result, outcome.gas)
print([(event.contract, event.name, event.data["number"]) for event in outcome.events])
print(sorted(outcome.changes))
print(waste.with_sender(carrier).accept("W-1").changes["waste-custody.loads[W-1]"]["holder"] == carrier)
print(waste.overdue())
sandbox.advance(days=2, minutes=1)
print(waste.overdue(), sandbox.height)
refused = waste.with_sender(carrier).attempt("create", "W-2", 1, carrier)
print(refused.outcome, refused.error, refused.gas)
print(waste.attempt("accept", "W-9").error)
print(waste.attempt("create", "W-3", grams="heavy", to=carrier).error)
print(sandbox.state.root.hex())
"""

PRINTED = """\
<contract waste-custody: create, accept, holder, overdue>
True 1 114963
[('waste-custody', 'Created', 'W-1')]
['waste-custody.created', 'waste-custody.loads[W-1]']
True
[]
['W-1'] 2
reverted waste-custody.create, line 24: only the office creates loads 24953
waste-custody.accept, line 34: self.loads has no key "W-9": test it with `in`, or use .get(key, default)
waste-custody.create: argument grams must be int, not str
"""


def test_a_lesson_prints_the_same_in_every_process(capsys: pytest.CaptureFixture[str]) -> None:
    exec(LESSON, {"Sandbox": Sandbox, "CUSTODY": CUSTODY})
    printed = capsys.readouterr().out
    assert printed.splitlines()[:-1] == PRINTED.splitlines()
    program = f"from minichain.contracts import Sandbox\nCUSTODY = {CUSTODY!r}\n{LESSON}"
    for seed in ("0", "77"):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
        )
        assert (done.stdout, done.stderr) == (printed, "")


# --- deploying ---------------------------------------------------------------------------------------------------


def test_a_class_its_module_its_text_and_its_file_are_the_same_contract(tmp_path: Path) -> None:
    file = tmp_path / "custody.py"
    file.write_text(CUSTODY, encoding="utf-8")
    assert source_of(CUSTODY) == source_of(file) == source_of(str(file)) == CUSTODY
    sandbox = Sandbox()
    office = sandbox.account("office")
    assert sandbox.deploy(file, sender=office).abi == sandbox.deploy(CUSTODY, sender=office, name="other").abi


CELL = '''
from minichain.contracts import Contract, Map, Sandbox, Value, action, emit, require, view
import os

LIMIT = 10
OTHER = os.getcwd()

def half(amount):
    return amount // 2

def unused():
    return os.getcwd()

class Counter(Contract):
    """Count."""

    count = Value(int)

    @action
    def up(self, step: int = LIMIT) -> int:
        self.count += half(step) + LIMIT
        return self.count

sandbox = Sandbox()
counter = sandbox.deploy(Counter, sender=sandbox.account("a"))
print(counter.up(4).result)
'''


def test_a_class_of_a_script_takes_along_what_it_uses_and_nothing_else(tmp_path: Path) -> None:
    script = tmp_path / "cell.py"
    script.write_text(CELL.replace("step: int = LIMIT", "step: int = 1"), encoding="utf-8")
    environment = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("12\n", "")


def test_the_source_of_a_class_of_a_module_is_the_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "custody_of_test.py").write_text(CUSTODY, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    module = __import__("custody_of_test")
    sandbox = Sandbox()
    assert source_of(module.WasteCustody) == CUSTODY
    assert sandbox.deploy(module.WasteCustody, sender=sandbox.account("a"), days=3).name == "waste-custody"


def test_a_contract_that_leaves_the_language_is_refused_with_its_violations() -> None:
    sandbox = Sandbox()
    with pytest.raises(LanguageError, match=r"line 27.*MC115") as error:
        sandbox.deploy(CUSTODY.replace("self.created += 1", "x = 1.5"), sender=sandbox.account("a"))
    assert [violation.line for violation in error.value.violations] == [27]


@pytest.mark.parametrize(
    ("contract", "words"),
    [
        (Contract, "deploy takes a class derived from"),
        (int, "deploy takes a class derived from"),
        (5, "deploy takes a class derived from"),
        (Path("nowhere.py"), "nowhere.py cannot be read"),
        ("nowhere.py", "nowhere.py cannot be read"),
        (type("Made", (Contract,), {}), "the source of Made cannot be found"),
    ],
)
def test_what_cannot_be_deployed_says_what_could(contract: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Sandbox().deploy(contract, sender="a")


def test_a_failed_setup_raises_with_its_outcome_and_leaves_the_name_free() -> None:
    sandbox = Sandbox()
    office = sandbox.account("office")
    with pytest.raises(
        CallFailed, match=r"^ledger\.deploy reverted: waste-custody\.setup, line 18: a load needs"
    ) as error:
        sandbox.deploy(CUSTODY, sender=office, days=0)
    assert error.value.receipt.outcome == "reverted"
    assert sandbox.deploy(CUSTODY, sender=office).name == "waste-custody"
    with pytest.raises(CallFailed, match="the name waste-custody is taken"):
        sandbox.deploy(CUSTODY, sender=office)


def test_a_setup_argument_that_deploy_would_swallow_is_refused() -> None:
    with pytest.raises(UsageError, match="rename it in the setup of WasteCustody"):
        Sandbox().deploy(CUSTODY.replace("days", "name"), sender="a")


# --- calling -----------------------------------------------------------------------------------------------------


def test_arguments_go_by_position_and_by_name() -> None:
    sandbox, waste, _, carrier = custody()
    for number, outcome in enumerate(
        [
            waste.create("W-1", 5, carrier),
            waste.create("W-2", to=carrier, grams=5),
            waste.create(number="W-3", grams=5, to=carrier),
            sandbox.call(waste.sender, "waste-custody", "create", {"number": "W-4", "grams": 5, "to": carrier}),
        ],
        1,
    ):
        assert outcome.result == number
    with pytest.raises(UsageError, match=r"create takes 3 arguments \(number, grams, to\), not 4"):
        waste.create(1, 2, 3, 4)
    with pytest.raises(UsageError, match="given number twice"):
        waste.create("W-5", number="W-5")


def test_a_failed_call_raises_and_carries_its_outcome() -> None:
    _, waste, _, carrier = custody()
    with pytest.raises(CallFailed, match=r"^waste-custody\.create reverted: .*only the office creates") as error:
        waste.with_sender(carrier).create("W-1", 5, carrier)
    outcome = error.value.receipt
    assert (outcome.ok, outcome.outcome, outcome.events, outcome.changes) == (False, "reverted", (), {})
    assert outcome == waste.with_sender(carrier).attempt("create", "W-1", 5, carrier)


def test_a_failed_view_raises_too() -> None:
    _, waste, _, _ = custody()
    with pytest.raises(ContractFault, match='no key "W-9"'):
        waste.holder("W-9")


def test_an_unknown_action_lists_what_there_is() -> None:
    _, waste, _, _ = custody()
    with pytest.raises(AttributeError, match="'destroy'; it has: create, accept, holder, overdue"):
        waste.destroy()
    assert {"create", "holder", "with_sender"} <= set(dir(waste))
    assert "setup" not in dir(waste)
    assert copy.copy(waste).name == waste.name


def test_accounts_have_names_and_the_same_did_everywhere() -> None:
    assert Sandbox().account("carrier") == Sandbox().account("carrier") != Sandbox().account("office")
    assert Sandbox().account("carrier").startswith("did:key:z6Mk")


def test_time_stands_still_until_it_is_moved_and_never_runs_back() -> None:
    sandbox = Sandbox()
    assert (sandbox.now_ms, sandbox.height) == (START_MS, 1)
    sandbox.advance(days=1, hours=2, minutes=3, seconds=4, ms=5)
    assert (sandbox.now_ms - START_MS, sandbox.height) == (93_784_005, 2)
    sandbox.advance(blocks=10)
    assert (sandbox.now_ms - START_MS, sandbox.height) == (93_784_005, 12)
    sandbox.now_ms = 5
    assert sandbox.now_ms == 5
    with pytest.raises(UsageError, match="time runs forward"):
        sandbox.advance(days=-1)


def test_gas_is_bounded_for_each_call() -> None:
    sandbox, waste, _, carrier = custody()
    sandbox.gas_limit = 30_000
    outcome = waste.attempt("create", "W-1", 5, carrier)
    assert (outcome.outcome, outcome.gas) == ("out_of_gas", 30_000)


# --- looking -----------------------------------------------------------------------------------------------------


def test_an_outcome_tells_what_changed_by_name() -> None:
    sandbox = Sandbox()
    counter = sandbox.deploy(source_of_counter(), sender="somebody")
    outcome = counter.up(2)
    assert outcome.changes == {"counter.count": 2, "counter.by[somebody]": 2}
    assert outcome.events == (Event("counter", "Counted", {"count": 2}),)
    assert counter.total() == 2
    with pytest.raises(CallFailed, match="the limit is 3"):
        counter.up(2)


def source_of_counter() -> str:
    """A class of this test module, alone: the module itself is no contract."""
    text = source_of(Counter)
    start = text.index("class Counter(Contract)")
    source = "from minichain.contracts.api import Contract, Map, Value, action, emit, require, view\n\n\n"
    source += text[start : text.index("\n\n\n", start)] + "\n"
    assert check(source) == []
    return source


def test_a_stored_value_is_proved_under_the_state_root() -> None:
    sandbox, waste, _, carrier = custody()
    waste.create("W-1", 5, carrier)
    value, proof = sandbox.prove("waste-custody", "created")
    assert value == encode(1)
    assert verify_state(state_key("waste-custody", "created"), value, proof, sandbox.state.root)
    absent, proof = sandbox.prove("waste-custody", "loads", "W-9")
    assert absent is None
    assert verify_state(state_key("waste-custody", "loads", "W-9"), None, proof, sandbox.state.root)


def test_sandboxes_share_nothing() -> None:
    first, waste, _, carrier = custody()
    second, other, _, _ = custody()
    assert first.state.root == second.state.root
    waste.create("W-1", 5, carrier)
    assert first.state.root != second.state.root
    assert other.overdue() == []
    with pytest.raises(ContractFault):
        other.holder("W-1")


def test_as_plain_python_a_contract_only_describes_itself() -> None:
    with pytest.raises(UsageError, match="an object of Counter exists only while a ledger runs the contract"):
        Counter()
    with pytest.raises(UsageError, match="an event exists only while"):
        emit("Counted", count=1)
    with pytest.raises(UsageError, match="a stored map exists only while"):
        len(Counter.by)
    assert isinstance(Counter.limit, Value)
    assert textwrap.dedent(Counter.__doc__ or "") == "Count up to a limit."
