"""Running contracts: a call takes effect as a whole or not at all, and nothing outlives it but what it wrote."""

from __future__ import annotations

import gc
import weakref
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain.codec import INT_MAX, MAX_VALUE_DEPTH
from minichain.contracts import GasMeter, Outcome, Runtime, Sandbox, explain_key, runtime, state_key, storage
from minichain.contracts.abi import Field
from minichain.contracts.meter import GAS
from minichain.contracts.runtime import MAX_EVENTS, MAX_MESSAGE, MAX_STACK, Frame, Session
from minichain.contracts.sandbox import SandboxContract
from minichain.contracts.storage import FANOUT, MAX_KEY_BYTES, MAX_PAGE, MAX_STORED_BYTES, Storage, StoredMap
from minichain.contracts.types import Type
from minichain.errors import ContractFault, ExecutionError, OutOfGas, Reverted
from minichain.ledger.state import Overlay, State, data_key
from minichain.ledger.types import Event

HEAD = "from minichain.contracts.api import Contract, Map, Value, action, emit, require, view\n"

DESK = (
    HEAD
    + '''
PRICES = {"note": {"first": 2}}


class Desk(Contract):
    """One desk of an office; desks ask each other."""

    total = Value(int)
    last = Value(dict, {"who": None, "list": [1]})
    notes = Map(str, dict)

    @action
    def put(self, key: str, note: dict) -> int:
        """Keep a note."""
        self.notes[key] = note
        self.total += 1
        emit("Put", key=key)
        return self.total

    @action
    def fail(self, how: str, other: str = "") -> int:
        """Do a little of everything, then fail."""
        self.total += 1
        self.last = {"who": self.caller}
        self.notes["new"] = {"a": 1}
        self.notes["old"] = {"a": 2}
        del self.notes["gone"]
        emit("Tried", how=how)
        if other:
            self.call(other, "put", key="x", note={})
        return self.broken(how)

    def broken(self, how: str) -> int:
        require(how != "require", "the desk is closed")
        if how == "gas":
            while True:
                self.total += 1
        if how == "missing":
            return self.notes["nobody"]["a"]
        if how == "types":
            return 1 + how
        if how == "unset":
            return later
        if how == "utf-8":
            return b"\\xff".decode()
        if how == "depth":
            return self.broken(how)
        if how == "store":
            self.total = "many"
        if how == "return":
            return 2**64
        if how == "call":
            self.call("desk-b", "fail", how="missing")
        later = 0
        return later

    @view
    def whole(self) -> dict:
        """Tell everything."""
        return {"total": self.total, "last": self.last, "notes": self.notes.items(), "n": len(self.notes)}

    @view
    def who(self) -> list:
        """Tell who asks."""
        return [self.caller, self.signer, self.address, self.now, self.height, self.chain]

    @action
    def ask(self, other: str, name: str) -> list:
        """Ask another desk."""
        before = self.caller
        answer = self.call(other, name)
        return [answer, before == self.caller]

    @action
    def loop(self, other: str, back: str) -> list:
        """Ask a desk that asks back."""
        return self.call(other, "ask", other=back, name="who")

    @action
    def chain_of(self, names: list[str]) -> int:
        """Ask desk after desk."""
        return 1 + self.call(names[0], "chain_of", names=names[1:]) if names else 1

    @action
    def copies(self) -> list:
        """Change copies only."""
        note = self.notes["old"]
        again = self.notes["old"]
        note["a"] = 99
        last = self.last
        last["list"].append(2)
        price = dict(PRICES["note"])
        price["first"] = 7
        return [again, self.notes["old"], self.last, PRICES["note"]]

    @action
    def keep_argument(self, note: dict) -> dict:
        """Store an argument, then change it."""
        self.notes["old"] = note
        note["a"] = "changed"
        return self.notes["old"]
'''
)

ALICE, BOB = Sandbox().account("alice"), Sandbox().account("bob")


def desks(*names: str) -> tuple[Sandbox, list[SandboxContract]]:
    """Open a sandbox with desks, each with the notes `old` and `gone`."""
    box = Sandbox()
    found = []
    for name in names:
        box.advance()
        desk = box.deploy(DESK, sender=ALICE, name=name)
        desk.put("old", {"a": 0})
        desk.put("gone", {})
        found.append(desk)
    box.gas_limit = 3_000_000
    return box, found


def frame_on(box: Sandbox, gas: int = 3_000_000, overlay: Overlay | None = None) -> Frame:
    overlay = overlay or box.state.overlay()
    return Frame(overlay=overlay, meter=GasMeter(gas), events=[], signer=BOB, height=5, now_ms=50, chain="test")


def one(body: str, fields: str = "number = Value(int)", **args: Any) -> Outcome:
    """Run one action that has these lines."""
    lines = "".join(f"        {line}\n" for line in body.split("\n"))
    declared = "".join(f"    {line}\n" for line in fields.split("\n"))
    parameters = "".join(f", {name}: {type(value).__name__}" for name, value in args.items())
    source = f"{HEAD}\n\nclass One(Contract):\n{declared}\n    @action\n    def go(self{parameters}):\n{lines}"
    return Sandbox().deploy(source, sender=ALICE).attempt("go", **args)


# --- all or nothing ----------------------------------------------------------------------------------------------

FAILURES = {
    "require": ("reverted", "desk-a.fail, line 35: the desk is closed"),
    "gas": ("out_of_gas", "the gas limit of 3000000 is reached: allow more gas, or do less in one call"),
    "missing": ("fault", 'self.notes has no key "nobody": test it with `in`, or use .get(key, default)'),
    "types": ("fault", "+ does not work on int and str"),
    "unset": ("fault", "a variable is used before it has a value"),
    "utf-8": ("fault", "these bytes are not UTF-8 text"),
    "depth": ("fault", "calls are nested deeper than 48"),
    "store": ("fault", "self.total must be int, not str"),
    "return": ("fault", "must fit in 64 bits"),
    "call": ("fault", "desk-b.fail, line 40"),
}


@pytest.mark.parametrize("how", FAILURES)
def test_a_failure_of_any_kind_leaves_nothing_but_its_gas(how: str) -> None:
    box, _ = desks("desk-a", "desk-b")
    frame = frame_on(box)
    runtime_ = Runtime()
    runtime_.call(frame, "desk-a", "put", {"key": "first", "note": {}})  # an earlier call of the same transaction
    writes, events, used = dict(frame.overlay.writes), list(frame.events), frame.meter.used
    word, words = FAILURES[how]
    with pytest.raises(ExecutionError) as error:
        runtime_.call(frame, "desk-a", "fail", {"how": how, "other": "desk-b"})
    assert error.value.outcome == word
    assert words in str(error.value)
    assert (frame.overlay.writes, frame.events) == (writes, events)
    assert (frame.stack, frame.caller, frame.meter.depth) == ([], BOB, 0)
    assert frame.meter.used > used
    runtime_.call(frame, "desk-a", "put", {"key": "next", "note": {}}) if how != "gas" else None


@pytest.mark.parametrize("how", FAILURES)
def test_a_failed_transaction_leaves_the_state_root(how: str) -> None:
    box, (desk, _) = desks("desk-a", "desk-b")
    root, whole = box.state.root, desk.whole()
    outcome = desk.attempt("fail", how)
    assert (outcome.ok, outcome.events, outcome.changes, outcome.result) == (False, (), {}, None)
    assert (box.state.root, desk.whole()) == (root, whole)
    assert desk.attempt("fail", how) == outcome  # nothing was remembered


class _Watched(Overlay):
    """A write buffer that can be missed."""


@pytest.mark.parametrize("how", ["", "require", "missing", "call"])
def test_a_call_is_let_go_of_at_once(how: str) -> None:
    """What serves the next call holds nothing of this one, and no garbage collector is needed for that."""
    box, _ = desks("desk-a", "desk-b")
    runtime_, overlay = Runtime(), _Watched(box.state.values.get)
    gone, frame = weakref.ref(overlay), frame_on(box, overlay=overlay)
    del overlay
    gc.disable()
    try:
        for _ in range(2):
            runtime_.call(frame, "desk-a", "put", {"key": "k", "note": {}})
            if how:
                with pytest.raises(ExecutionError):
                    runtime_.call(frame, "desk-a", "fail", {"how": how, "other": "desk-b"})
        del frame
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("how", ["there are too many", "it was upgraded"])
def test_what_serves_no_call_any_more_is_gone_at_once(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds a copy of the names of its whole module: thousands of those must not wait for a garbage collector."""
    box, _ = desks("desk-a", "desk-b")
    runtime_ = Runtime()
    frame = frame_on(box, gas=10**9)
    frame.signer = ALICE
    monkeypatch.setattr(runtime, "MAX_READY", 1 if how == "there are too many" else 10)
    before = sessions()
    gc.disable()
    try:
        for version in range(3):
            for desk in ("desk-a", "desk-b"):
                runtime_.call(frame, desk, "put", {"key": "k", "note": {}})
                if how == "it was upgraded":
                    source = f"{DESK}# {version}\n"
                    runtime_.own_action(frame, "upgrade", {"name": desk, "source": source, "args": {}})
        assert sessions() - before == min(2, runtime.MAX_READY)
    finally:
        gc.enable()


def sessions() -> int:
    return sum(type(each) is Session for each in gc.get_objects())


DESKS = "desk-a", "desk-b", "desk-c"


def some_call(random: Random) -> tuple[str, Any]:
    """Return a call that may succeed, fail, change the code of a desk, or stop it."""
    desk, other = random.choice(DESKS), random.choice([*DESKS, "nobody"])
    source = DESK.replace("total += 1", f"total += {random.randrange(1, 4)}")
    return random.choice(
        [
            ("call", (desk, "put", {"key": random.choice(["k", "gone"]), "note": {"a": [1]}})),
            (
                "call",
                (
                    desk,
                    "fail",
                    {"how": random.choice(["require", "types", "call"]), "other": random.choice(["", other])},
                ),
            ),
            ("call", (desk, "ask", {"other": other, "name": random.choice(["who", "whole"])})),
            ("call", (desk, "loop", {"other": other, "back": desk})),
            ("view", (desk, random.choice(["who", "whole"]), {})),
            ("own_action", ("upgrade", {"name": desk, "source": source, "args": {}})),
            ("own_action", (random.choice(["freeze", "unfreeze", "unfreeze"]), {"name": desk})),
        ]
    )


def test_a_runtime_that_has_served_two_chains_does_what_a_new_one_does() -> None:
    """Whatever came before: calls that failed, other code under the same name, the same contract on another chain."""
    random, warm, seen = Random(4), Runtime(), set()
    box, _ = desks(*DESKS)
    chains = [box.state, State(box.state.values.items())]
    for _ in range(600):
        state, (how, what) = random.choice(chains), some_call(random)
        gas = random.choice([3_000_000, 20_000_000, random.randrange(20_000, 120_000)])
        told = []
        for runtime_ in (warm, Runtime()):
            frame = Frame(
                overlay=state.overlay(), meter=GasMeter(gas), events=[], signer=ALICE, height=5, now_ms=50, chain="test"
            )
            try:
                result: Any = getattr(runtime_, how)(frame, *what)
            except ExecutionError as error:
                result = type(error), str(error)
            told.append((result, frame.meter.used, frame.meter.has_knots, frame.events, frame.overlay.writes))
        assert told[0] == told[1], (how, what)
        seen.add(result[0] if isinstance(result, tuple) else how)
        state.commit(frame.overlay.writes, state.tree.update(frame.overlay.writes))
    assert seen == {"call", "view", "own_action", ContractFault, OutOfGas, Reverted}


def test_a_contract_of_many_fields_pays_for_those_it_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    box, made = Sandbox(), []
    fields = "".join(f"    v{i} = Value(int)\n    m{i} = Map(int, int)\n" for i in range(200))
    body = "    @action\n    def go(self) -> None:\n        self.v7 = self.v8\n        self.m9[1] = 1\n"
    many = box.deploy(f"{HEAD}class Many(Contract):\n{fields}{body}", sender=ALICE)
    monkeypatch.setattr(storage, "data_key", lambda *path: made.append(path) or data_key(*path))
    assert many.go().ok
    assert {path[1] for path in made} == {"v7", "v8", "m9"}


SHELF = """from minichain.contracts.api import Contract, Record, Value, action


class Box(Record):
    inner: list


class Shelf(Contract):
    kept = Value(list)

    @action
    def put(self) -> None:
        a, b, d, r = [0], [1], {{}}, Box(inner=[2])
        {line}
"""
KNOTS = {
    "append": "a.append(b)",
    "insert": "a.insert(0, b)",
    "extend": "a.extend([b])",
    "+=": "a += [b]",
    "item of a list": "a[0] = b",
    "item of a dict": "d['x'] = b",
    "setdefault": "d.setdefault('x', b)",
    "update": "d.update({'x': b})",
    "field of a record": "r.inner = b",
}
NO_KNOTS = (
    "a.append(1)",
    "d['x'] = 'text'",
    "a = [a, b]",
    "d = {'x': a}",
    "r = Box(inner=b)",
    "a[0] += 1",
    "self.kept = a",
)


@pytest.mark.parametrize("line", [*KNOTS.values(), *NO_KNOTS], ids=[*KNOTS, *NO_KNOTS])
def test_the_collector_looks_only_where_values_may_hold_each_other(line: str) -> None:
    box = Sandbox()
    box.deploy(SHELF.format(line=line), sender="office")
    frame = frame_on(box)
    Runtime().call(frame, "shelf", "put", {})
    assert frame.meter.has_knots == (line in KNOTS.values())


def test_our_own_bugs_and_an_exhausted_machine_are_no_outcome() -> None:
    box, _ = desks("desk-a")
    for bug in (AssertionError, MemoryError, RecursionError):
        with patch.object(Storage, "write", side_effect=bug), pytest.raises(bug):
            Runtime().call(frame_on(box), "desk-a", "put", {"key": "a", "note": {}})


def test_out_of_gas_at_every_single_point_is_clean() -> None:
    box, (desk,) = desks("desk-a")
    root, needed = box.state.root, 0
    frame = frame_on(box)
    Runtime().call(frame, "desk-a", "put", {"key": "k", "note": {"a": [1, "x"]}})
    needed = frame.meter.used
    for limit in [*range(0, needed, 997), needed - 1]:
        box.gas_limit = limit
        outcome = desk.attempt("put", "k", {"a": [1, "x"]})
        assert (outcome.outcome, outcome.gas) == ("out_of_gas", limit)
        assert box.state.root == root
    box.gas_limit = needed
    assert desk.attempt("put", "k", {"a": [1, "x"]}).gas == needed


# --- contracts that call each other ------------------------------------------------------------------------------


def test_each_contract_sees_who_called_it_and_who_signed() -> None:
    box, (a, _) = desks("desk-a", "desk-b")
    box.now_ms, box.height = 77, 9
    assert a.with_sender(BOB).who() == [BOB, BOB, "desk-a", 77, 9, "sandbox"]
    outcome = a.with_sender(BOB).ask("desk-b", "who")
    assert outcome.result == [["desk-a", BOB, "desk-b", 77, 9, "sandbox"], True]


def test_a_contract_cannot_be_entered_again() -> None:
    _, (a, _) = desks("desk-a", "desk-b")
    assert "desk-a is already running in this call" in a.attempt("ask", "desk-a", "who").error
    outcome = a.attempt("loop", "desk-b", "desk-a")
    assert outcome.outcome == "fault"
    assert outcome.error == ("desk-a.who: desk-a is already running in this call: a contract cannot be entered again")


def test_contracts_call_each_other_up_to_a_bound() -> None:
    names = [f"desk-{number}" for number in range(MAX_STACK + 1)]
    _, (first, *_) = desks(*names)
    assert first.chain_of(names[1:MAX_STACK]).result == MAX_STACK
    assert f"more than {MAX_STACK} contracts call each other" in first.attempt("chain_of", names[1:]).error


@pytest.mark.parametrize(
    ("other", "name", "words"),
    [
        ("nobody", "who", 'there is no contract "nobody": deploy it first'),
        ("desk-b", "setup", 'desk-b has no method "setup"; it has: put, fail'),
        ("desk-b", "broken", 'desk-b has no method "broken"'),
        ("desk-b", "put", "argument key is missing"),
        ("ledger", "transfer", "a contract cannot ask the ledger for this action, only for deploy, upgrade, freeze"),
    ],
)
def test_a_call_to_what_is_not_there_says_so(other: str, name: str, words: str) -> None:
    _, (a, _) = desks("desk-a", "desk-b")
    assert words in a.attempt("ask", other, name).error


def test_actions_are_called_and_views_are_asked() -> None:
    box, _ = desks("desk-a")
    with pytest.raises(ContractFault, match=r"desk-a\.whole is a view: ask for it without a transaction"):
        Runtime().call(frame_on(box), "desk-a", "whole", {})
    with pytest.raises(ContractFault, match=r"desk-a\.put is an action: send a transaction"):
        Runtime().view(frame_on(box), "desk-a", "put", {"key": "a", "note": {}})


# --- views -------------------------------------------------------------------------------------------------------

LOOKER = (
    HEAD
    + """

class Looker(Contract):
    total = Value(int)
    notes = Map(str, int)

    @action
    def change(self) -> int:
        self.total += 1
        return self.total

    @action
    def both(self) -> int:
        before = self.peek()
        self.total += 10
        return before + self.peek()

    @action
    def sly(self) -> int:
        return self.value()

    @view
    def peek(self) -> int:
        return self.total

    @view
    def value(self) -> int:
        self.total = 1
        return 1

    @view
    def item(self) -> int:
        self.notes["a"] = 1
        return 1

    @view
    def removed(self) -> int:
        del self.notes["kept"]
        return 1

    @view
    def event(self) -> int:
        emit("Seen")
        return 1

    @view
    def own_action(self) -> int:
        return self.change()

    @view
    def lent(self) -> int:
        return self.through(self.notes)

    def through(self, notes) -> int:
        notes["a"] = 1
        return 1

    @view
    def foreign(self) -> int:
        return self.call("other", "change")

    @view
    def foreign_view(self) -> int:
        return self.call("other", "peek")

    @action
    def set(self) -> None:
        self.notes["kept"] = 1
"""
)


@pytest.mark.parametrize("name", ["value", "item", "removed", "event", "own_action", "lent", "foreign"])
def test_a_view_changes_nothing(name: str) -> None:
    box = Sandbox()
    looker, _ = (box.deploy(LOOKER, sender=ALICE, name=name) for name in ("looker", "other"))
    looker.set()
    root = box.state.root
    with pytest.raises(ContractFault, match=r"a view cannot|is an action: send a transaction"):
        getattr(looker, name)()
    assert box.state.root == root


def test_a_view_is_no_way_to_write_from_an_action_and_takes_no_right_away() -> None:
    box = Sandbox()
    looker, _ = (box.deploy(LOOKER, sender=ALICE, name=name) for name in ("looker", "other"))
    assert "a view cannot change a stored value" in looker.attempt("sly").error
    assert looker.both().result == 0 + 10
    assert looker.foreign_view() == 0


# --- values ------------------------------------------------------------------------------------------------------


def test_what_is_read_is_a_copy() -> None:
    _, (desk,) = desks("desk-a")
    last = {"who": None, "list": [1]}
    for _ in range(2):
        assert desk.copies().result == [{"a": 0}, {"a": 0}, last, {"first": 2}]


def test_an_argument_and_a_result_are_copies() -> None:
    _, (desk,) = desks("desk-a")
    note = {"a": [1, 2]}
    result = desk.keep_argument(note).result
    assert result == note == {"a": [1, 2]}
    result["a"].append(3)
    assert desk.whole()["notes"][0] == ["old", {"a": [1, 2]}]


TYPED = (
    HEAD
    + """

class Typed(Contract):
    kept = Value(list[int])

    @action
    def go(
        self,
        n: int = 0,
        s: str = "",
        b: bool = False,
        raw: bytes = b"",
        many: list[int] | None = None,
        table: dict[str, list[str]] | None = None,
        maybe: int | None = None,
        rest: list | None = None,
    ) -> list:
        return [n, s, b, raw, many, table, maybe, rest]

    @action
    def need(self, n: int, more: list) -> int:
        return n
"""
)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"n": "1"}, "argument n must be int, not str"),
        ({"n": True}, "argument n must be int, not bool"),
        ({"n": None}, "argument n must be int, not None"),
        ({"n": 1.5}, "float is not a value the ledger can hold"),
        ({"n": INT_MAX + 1}, "must fit in 64 bits"),
        ({"s": b"a"}, "argument s must be str, not bytes"),
        ({"b": 1}, "argument b must be bool, not int"),
        ({"many": [1, "2"]}, "argument many[1] must be int, not str"),
        ({"many": {}}, "argument many must be list[int] | None, not dict"),
        ({"table": {"a": ["b", 1]}}, 'argument table["a"][1] must be str, not int'),
        ({"table": {1: []}}, "the keys of a dict are text, not int"),
        ({"rest": [{1, 2}]}, "set is not a value the ledger can hold"),
        ({"unknown": 1}, 'there is no argument "unknown"; it takes n, s, b, raw, many, table, maybe, rest'),
    ],
)
def test_arguments_are_checked_before_any_code_runs(args: dict[str, Any], words: str) -> None:
    typed = Sandbox().deploy(TYPED, sender=ALICE)
    outcome = typed.attempt("go", **args)
    assert outcome.outcome == "fault"
    assert outcome.error.startswith("typed.go: ")
    assert words in outcome.error


def test_good_arguments_arrive_and_missing_ones_have_their_default() -> None:
    typed = Sandbox().deploy(TYPED, sender=ALICE)
    assert typed.go().result == [0, "", False, b"", None, None, None, None]
    table = {"a": ["b"]}
    args = {"n": INT_MAX, "s": "登", "b": True, "raw": b"\0", "many": [1], "table": table, "maybe": 5, "rest": ["", []]}
    assert typed.go(**args).result == list(args.values())
    assert typed.go(rest=(1, (2,))).result[-1] == [1, [2]]
    assert "argument more is missing" in typed.attempt("need", 1).error


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def test_values_are_nested_up_to_a_bound() -> None:
    typed = Sandbox().deploy(TYPED, sender=ALICE)
    assert typed.attempt("go", rest=nested(MAX_VALUE_DEPTH - 2)).ok
    assert f"deeper than {MAX_VALUE_DEPTH}" in typed.attempt("go", rest=nested(MAX_VALUE_DEPTH)).error
    assert f"deeper than {MAX_VALUE_DEPTH}" in typed.attempt("go", rest=nested(5_000)).error


# --- bounds ------------------------------------------------------------------------------------------------------


def test_a_stored_value_has_a_largest_size() -> None:
    body = "self.text = 'a' * n\nreturn 0"
    assert one(body, "text = Value(str)", n=MAX_STORED_BYTES - 5).ok
    assert f"at most {MAX_STORED_BYTES} bytes" in one(body, "text = Value(str)", n=MAX_STORED_BYTES).error


def test_a_key_has_a_largest_size() -> None:
    body = "self.notes['a' * n] = 1\nreturn 0"
    assert one(body, "notes = Map(str, int)", n=MAX_KEY_BYTES - 3).ok
    assert f"at most {MAX_KEY_BYTES} bytes" in one(body, "notes = Map(str, int)", n=MAX_KEY_BYTES).error


def test_events_are_counted_and_messages_are_cut() -> None:
    body = "for i in range(n):\n    emit('A', i=i)\nreturn 0"
    assert len(one(body, n=MAX_EVENTS).events) == MAX_EVENTS
    assert f"at most {MAX_EVENTS} events" in one(body, n=MAX_EVENTS + 1).error
    assert one("require(False, 'no' * 1000)").error == "one.go, line 9: " + "no" * (MAX_MESSAGE // 2)


def test_what_a_transaction_leaves_behind_is_charged_by_the_byte() -> None:
    gas = [one("return 'a' * n", n=n).gas for n in (1_000, 2_000)]
    assert gas[1] - gas[0] == 1_000 * (GAS["byte"] * 2 + GAS["receipt_byte"])


@pytest.mark.parametrize(
    ("key", "fields"),
    [
        ("5", "Map(str, int)"),
        ("'a'", "Map(int, int)"),
        ("True", "Map(int, int)"),
        ("None", "Map(str, int)"),
        ("{}", "Map(str, int)"),
        ("self.notes", "Map(str, int)"),
        ("('a', 1)", "Map(str, int)"),
        ("('a',)", "Map((str, int), int)"),
        ("['a', 1]", "Map((str, int), int)"),
        ("(1, 'a')", "Map((str, int), int)"),
    ],
)
def test_a_key_of_another_type_is_refused(key: str, fields: str) -> None:
    for use in (f"self.notes[{key}] = 1", f"x = {key} in self.notes", f"x = self.notes.get({key})"):
        outcome = one(use + "\nreturn 0", f"notes = {fields}")
        assert outcome.outcome == "fault"
        assert "a key of self.notes is" in outcome.error or "not a value the ledger can hold" in outcome.error


def test_a_runtime_keeps_a_bounded_number_of_programs_and_needs_none() -> None:
    box, (a, b, c) = desks("desk-a", "desk-b", "desk-c")
    whole = [desk.whole() for desk in (a, b, c)]
    with patch.object(runtime, "MAX_PROGRAMS", 2):
        forgetful = Runtime()
        for _ in range(2):
            for name, expected in zip(("desk-a", "desk-b", "desk-c"), whole, strict=True):
                assert forgetful.view(frame_on(box), name, "whole", {}) == expected
        assert len(forgetful._loaded) == 2
        assert len(forgetful._programs) == 1, "three contracts of one source are compiled once"


# --- deployment --------------------------------------------------------------------------------------------------

OWNED = (
    HEAD
    + """

class Owned(Contract):
    owner = Value(str)

    def setup(self, owner: str, price: int = 3) -> None:
        require(price > 0, "the price is positive")
        self.owner = owner
        emit("Opened", by=self.caller, price=price)
"""
)


def test_setup_runs_once_with_the_deploy_arguments() -> None:
    box = Sandbox()
    frame = frame_on(box)
    Runtime().deploy(frame, "shop", OWNED, {"owner": "alice"})
    assert frame.events == [Event("shop", "Opened", {"by": BOB, "price": 3})]
    with pytest.raises(ContractFault, match='shop has no action "setup"; it has: none'):
        Runtime().call(frame, "shop", "setup", {"owner": "bob"})


@pytest.mark.parametrize(
    ("name", "source", "args", "words"),
    [
        ("shop", OWNED, {}, "shop.setup: argument owner is missing"),
        ("shop", OWNED, {"owner": 5}, "shop.setup: argument owner must be str, not int"),
        ("shop", OWNED, {"owner": "a", "price": 0}, "shop.setup, line 8: the price is positive"),
        ("shop", OWNED, {"owner": "a", "x": 1}, 'there is no argument "x"; it takes owner, price'),
        ("shop", OWNED, ["owner"], "the arguments of its setup are named values"),
        ("shop", OWNED, None, "the arguments of its setup are named values"),
        ("shop", 5, {}, "the source of a contract is text"),
        ("shop", OWNED + "\nimport os\n", {}, "shop is not in the contract language: check it with"),
        ("shop", "\ud800", {}, "shop is not in the contract language"),
        ("shop", "x = " + "(" * 30_000, {}, "shop is not in the contract language"),
        ("taken", OWNED, {"owner": "a"}, "the name taken is taken: choose another name"),
        ("ledger", OWNED, {"owner": "a"}, "a contract's name is"),
        ("Shop", OWNED, {"owner": "a"}, "a contract's name is"),
        ("", OWNED, {"owner": "a"}, "a contract's name is"),
        ("shop\n", OWNED, {"owner": "a"}, "a contract's name is"),
        ("a" * 41, OWNED, {"owner": "a"}, "a contract's name is"),
        (5, OWNED, {"owner": "a"}, "a contract's name is"),
    ],
)
def test_a_deployment_that_fails_leaves_the_name_free(name: Any, source: Any, args: Any, words: str) -> None:
    box = Sandbox()
    box.deploy(TYPED, sender=ALICE, name="taken")
    frame = frame_on(box, gas=50_000_000)
    with pytest.raises(ExecutionError) as error:
        Runtime().deploy(frame, name, source, args)
    assert words in str(error.value)
    assert (frame.overlay.writes, frame.events, frame.stack) == ({}, [], [])


# --- a Map -------------------------------------------------------------------------------------------------------


def open_map(keys: tuple[str, ...] = ("int",)) -> tuple[Storage, StoredMap]:
    store = Storage("desk", State().overlay(), GasMeter(10**15), writable=True)
    return store, StoredMap(store, Field("notes", Type("int"), keys))


STEPS = st.lists(st.tuples(st.sampled_from(["set", "set", "delete"]), st.integers(0, 40)), max_size=120)


@given(steps=STEPS, fanout=st.integers(2, 5), start=st.integers(0, 45), limit=st.integers(0, 45))
@settings(max_examples=150, deadline=None)
def test_a_map_is_a_dict_in_pages(steps: list[tuple[str, int]], fanout: int, start: int, limit: int) -> None:
    model: dict[int, int] = {}
    with patch.object(storage, "FANOUT", fanout):  # few slots below each part: many levels of holes
        _, stored = open_map()
        for number, (step, key) in enumerate(steps):
            if step == "set":
                stored[key] = model[key] = number
            elif key in model:
                del stored[key], model[key]
            else:
                with pytest.raises(ContractFault, match=f"no key {key}"):
                    del stored[key]
        assert len(stored) == len(model)
        assert stored.items(0, MAX_PAGE) == list(model.items())
        assert stored.keys(start, limit) == list(model)[start : start + limit]
        assert stored.values(start, limit) == list(model.values())[start : start + limit]
        assert [key in stored for key in range(41)] == [key in model for key in range(41)]
        assert [stored.get(key, -1) for key in range(41)] == [model.get(key, -1) for key in range(41)]


def test_a_map_with_many_holes_is_paged_at_the_real_size() -> None:
    _, stored = open_map()
    total = FANOUT * FANOUT + 3 * FANOUT
    for key in range(total):
        stored[key] = key
    kept = [key for key in range(total) if key % 97 == 5]
    for key in range(total):
        if key % 97 != 5:
            del stored[key]
    stored[0] = 0
    assert stored.keys(0, MAX_PAGE) == [*kept, 0]
    assert [stored.keys(start, 1) for start in range(len(kept))] == [[key] for key in kept]


def test_a_page_anywhere_costs_about_the_same() -> None:
    store, stored = open_map()
    for key in range(1_000):
        stored[key] = key
    for key in range(0, 1_000, 2):
        del stored[key]

    def cost(start: int) -> int:
        before = store.meter.used
        assert stored.keys(start, 5) == [2 * (start + i) + 1 for i in range(5)]
        return store.meter.used - before

    assert max(map(cost, (0, 10, 250, 490))) < 2 * cost(0)
    assert cost(490) < 15 * GAS["read"]


def test_a_removed_key_leaves_no_record_of_itself() -> None:
    store, stored = open_map(("str", "int"))
    stored["a", 1] = 5
    assert stored.items() == [(("a", 1), 5)]
    del stored["a", 1]
    left = {key for key, value in store._overlay.writes.items() if value is not None}
    assert left == {store.key("notes", "*"), store.key("notes", "-", 0, 0)}
    assert (len(stored), stored.items(), ("a", 1) in stored) == (0, [], False)


@pytest.mark.parametrize(("start", "limit"), [(-1, 5), (0, -1), (0, MAX_PAGE + 1), ("0", 5), (0, None), (True, 5)])
def test_a_page_has_bounds(start: Any, limit: Any) -> None:
    _, stored = open_map()
    with pytest.raises(ContractFault, match="a page starts at 0 or later"):
        stored.keys(start, limit)


def test_maps_and_values_of_one_contract_never_share_a_key() -> None:
    fields = "a = Value(int)\nb = Map(str, int)\nc = Map((str, str), int)\nd = Map(bytes, int)\ne = Map(int, int)"
    keys = "self.b['*'] = 2\nself.c['=', '*'] = 3\nself.d[b'*'] = 4\nself.e[0] = 5\nself.a = 1\n"
    outcome = one(keys + "return [self.a, self.b['*'], self.c['=', '*'], self.d[b'*'], self.e[0]]", fields)
    assert outcome.result == [1, 2, 3, 4, 5]
    assert outcome.changes == {"one.a": 1, "one.b[*]": 2, "one.c[=, *]": 3, "one.d[b'*']": 4, "one.e[0]": 5}


def test_a_state_key_is_explained_as_it_was_made() -> None:
    assert explain_key(state_key("desk", "total")) == ("desk", "total", ())
    assert explain_key(state_key("desk", "notes", "a")) == ("desk", "notes", ("a",))
    assert explain_key(state_key("desk", "pairs", ("a", 1))) == ("desk", "pairs", (("a", 1),))
    store, stored = open_map()
    stored[1] = 1
    told = [explain_key(key) for key in store._overlay.writes]
    assert [place for place in told if place] == [("desk", "notes", (1,))]
