"""The contract language, through its front door: `check` takes any text and answers with violations."""

from __future__ import annotations

import inspect
import sys
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain.contracts import check, describe, language, methods
from minichain.contracts.declared import MAX_VIOLATIONS
from minichain.contracts.language import MAX_LOOPS, MAX_NESTING, MAX_NODES, MAX_SOURCE_BYTES, RULES
from minichain.contracts.meter import OPERATIONS
from minichain.errors import LanguageError

IMPORT = "from minichain.contracts.api import Contract, Map, Value, action, emit, require, view\n"
TYPES = (
    "from minichain.contracts.api import (\n    Contract, Decimal, Interface, Map, Record, Value, action, emit,\n"
    "    portion, require, view,\n)\nfrom minichain.contracts.parts import Pausable, Roles\n"
)

GOOD = '''"""Notes of a street office."""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Value, action, emit, require, view

DAY = 24 * 60 * 60 * 1000
KINDS = ("note", "notice")
PRICES = {"note": 1, "notice": {"first": 2, "more": -1}}
BLOCKED = frozenset({"spam", "noise"})
NAME: str = "登记"


def doubled(amount: int, times: int = 1) -> int:
    """Helpers stand at the top of the module."""
    for _ in range(times):
        amount *= 2
    return amount


class Register(Contract):
    """Keep one note for each account.

    More about it.
    """

    owner = Value(str)
    total = Value(int, 5)
    latest = Value(dict, default={"who": None, "list": [1, 2]})
    maybe = Value(list[int] | None)
    notes = Map(str, dict[str, int])
    pairs = Map((str, int), bool)

    def setup(self, owner: str, start: int = 0) -> None:
        self.owner = owner
        self.total = start

    @action
    def write(self, text: str, tags: list[str] | None = None) -> int:
        """Keep a note of at most 100 characters.

        Everybody has one.
        """
        require(0 < len(text) <= 100 and text not in BLOCKED, f"{text} has {len(text)} characters")
        note = self.notes.get(self.caller, {"count": 0})
        note["count"] += 1
        self.notes[self.caller] = note
        self.pairs[self.caller, note["count"]] = True
        self.total += doubled(PRICES["note"])
        kinds = [kind for kind in KINDS if kind != "note"]
        counted = {kind: number for number, kind in enumerate(kinds)}
        if tags is not None and isinstance(tags, (list, tuple)):
            del counted["notice"]
        elif self.now > DAY or not tags:
            pass
        else:
            while True:
                break
        emit("Written", who=self.caller, count=note["count"], first=text[:1])
        return note["count"]

    @view
    def read(self, who: str) -> dict:
        return self.notes[who]

    def own(self) -> bool:
        return self.caller == self.owner
'''


def in_method(body: str) -> str:
    """Put statements into an action."""
    lines = "".join(f"        {line}\n" for line in body.split("\n"))
    return (
        f"{IMPORT}LIMIT = 7\nTABLE = {{'a': 1}}\n\n\ndef helper(a):\n    return a\n\n\n"
        "class Register(Contract):\n    total = Value(int)\n    notes = Map(str, dict)\n\n"
        f"    @action\n    def go(self, a: int, b: list, s: str) -> int:\n{lines}"
        "    def own(self):\n        return 1\n"
    )


def in_class(member: str) -> str:
    """Put statements into the contract class."""
    lines = "".join(f"    {line}\n" for line in member.split("\n"))
    return f"{IMPORT}\n\nclass Register(Contract):\n    total = Value(int)\n{lines}"


def in_module(statement: str) -> str:
    """Put statements above the contract."""
    return f"{IMPORT}{statement}\n\n\nclass Register(Contract):\n    total = Value(int)\n"


def with_types(statements: str, body: str = "return 0", bases: str = "Contract") -> str:
    """Put statements above a contract that has records, decimals and interfaces, and statements into its action."""
    lines = "".join(f"        {line}\n" for line in body.split("\n"))
    return (
        f"{TYPES}\nYuan = Decimal(2)\n\n\nclass Author(Record):\n    name: str\n    tags: list[str] = []\n\n\n"
        "class Note(Record):\n    text: str\n    stars: int = 0\n    author: Author | None = None\n\n\n"
        "class Registry(Interface):\n    @view\n    def permits(self, site: str, code: str = 'x') -> bool:\n"
        '        """Tell whether a site may."""\n\n    @action\n    def enrol(self, note: Note) -> None:\n'
        f'        """Put a site on the list."""\n\n\n{statements}\n\n\n'
        f"class Register({bases}):\n    notes = Map(str, Note)\n    best = Value(Note | None)\n\n"
        f"    @action\n    def go(self, a: int, note: Note, price: Yuan) -> Note:\n{lines}"
    )


TAKES_PART = (
    "from minichain.contracts.parts import Participant\n"
    + with_types("", bases="Contract, Participant")
    + (
        "".join(
            f"\n    def {name}(self, whom: str, wish: dict) -> None:\n        pass\n"
            for name in ("hold", "keep", "free")
        )
    )
)


def codes(source: str | bytes) -> set[str]:
    return {violation.code for violation in check(source)}


# --- what is good ------------------------------------------------------------------------------------------------


def test_a_good_contract_has_no_violations() -> None:
    assert check(GOOD) == []
    assert check(GOOD.encode()) == []
    assert check(GOOD.replace("\n", "\r\n")) == []
    assert check(TAKES_PART) == []


def test_a_contract_describes_itself() -> None:
    abi = describe(GOOD)
    assert (abi.name, abi.doc.splitlines()[0], abi.events) == (
        "Register",
        "Keep one note for each account.",
        ("Written",),
    )
    assert [(p.name, str(p.type), p.required, p.default) for p in abi.setup] == [
        ("owner", "str", True, None),
        ("start", "int", False, 0),
    ]
    (write,) = abi.actions
    assert (write.name, write.sentence, write.returns) == ("write", "Keep a note of at most 100 characters.", "int")
    assert [(p.name, str(p.type), p.required) for p in write.parameters] == [
        ("text", "str", True),
        ("tags", "list[str] | None", False),
    ]
    assert [view.name for view in abi.views] == ["read"]
    assert [(field.name, str(field.type), field.keys, field.default) for field in abi.fields] == [
        ("owner", "str", (), ""),
        ("total", "int", (), 5),
        ("latest", "dict", (), {"who": None, "list": [1, 2]}),
        ("maybe", "list[int] | None", (), None),
        ("notes", "dict[str, int]", ("str",), None),
        ("pairs", "bool", ("str", "int"), None),
    ]


def test_what_is_written_back_and_what_a_method_returns_may_be_changed() -> None:
    assert check(in_method("note = self.notes[s]\nnote['a'] = 1\nself.notes[s] = note")) == []
    assert check(in_method("self.own()['a'] = 1\nself.notes[s] = {}\ndel self.notes[s]\nself.total += 1")) == []


def test_records_decimals_interfaces_and_parts_are_in_the_language() -> None:
    body = (
        "note.stars += portion(price, 1, 3)\nnote.author = Author(name='x')\nnote.author.tags.append('a')\n"
        "if isinstance(note, Note) and Registry('r').permits('a', code='b'):\n    Registry('r').enrol(note)\n"
        "self.notes['a'] = note\nbest = self.best\nx = self.notes['a'].author.tags[0]\nreturn self.notes['a']"
    )
    assert check(with_types("ROLES = ('weigher',)", body, "Contract, Roles, Pausable")) == []
    assert (
        check(with_types("class Odd(Record):\n    keys: int\n    self: int\n    len: int = 0\n    list: list = []"))
        == []
    )


def test_describe_refuses_what_check_refuses() -> None:
    with pytest.raises(LanguageError, match=r"line 16.*MC102.*test the condition first") as error:
        describe(in_method("try:\n    pass\nfinally:\n    pass"))
    assert [violation.code for violation in error.value.violations] == ["MC102"]


def test_every_entry_of_the_allow_list_has_a_reason_and_an_implementation() -> None:
    tables = language.NODES, language.BUILTINS, language.API, language.SELF, language.TYPES
    for table in (*tables, language.PARTS, language.HELPERS):
        assert all(table.values())
    assert language.METHODS.keys() - {"Map"} == methods.METHODS.keys()
    for kind, offered in methods.METHODS.items():
        assert language.METHODS[kind].keys() == offered.keys()
    assert language.BUILTINS.keys() | language.CALLABLE_API <= OPERATIONS.keys()
    written = {name for name in OPERATIONS if name.isidentifier() and not name.startswith("_")}
    assert written == language.BUILTINS.keys() | language.CALLABLE_API


def test_a_violation_says_where_what_why_and_what_instead() -> None:
    (violation,) = check(in_method("x = '登记'; y = 1.5"))
    assert (violation.line, violation.column, violation.construct) == (16, 23, "1.5")
    assert str(violation).startswith("line 16, column 23: 1.5: floating-point")
    assert "smallest unit" in str(violation)


def test_all_problems_are_listed_in_order_up_to_a_bound() -> None:
    source = in_method("x = 1.5\nimport os\nlambda: 1\ny = unknown")
    assert [violation.code for violation in check(source)] == ["MC115", "MC101", "MC105", "MC202"]
    assert len(check(in_method("\n".join(["x = 1.5"] * 200)))) == MAX_VIOLATIONS


def test_words_for_names_people_try_first() -> None:
    (violation,) = check(in_method("print(a)"))
    assert violation.code == "MC202"
    assert "emit" in violation.suggestion


# --- what is not -------------------------------------------------------------------------------------------------

FORBIDDEN = [
    # MC0: the file
    ("MC001", "class Register(Contract:"),
    ("MC001", in_method("x = = 1")),
    ("MC001", in_method("break")),
    ("MC001", in_method("x = 08")),
    ("MC001", in_method("x = 1\n y = 2")),
    ("MC001", in_method("continue")),
    ("MC002", "#" * (MAX_SOURCE_BYTES + 1)),
    ("MC002", "#" + "登" * (MAX_SOURCE_BYTES // 2)),
    ("MC002", in_method("x = [" + "1," * MAX_NODES + "]")),
    ("MC003", "x = 1\0"),
    ("MC003", "x = '\ud800'"),
    ("MC003", b"x = '\xff'"),
    ("MC003", "\ufeff" + GOOD),
    ("MC003", "# \u202e reversed"),
    ("MC003", "# hidden\rimport os"),
    ("MC003", "x = 1\x0c"),
    ("MC003", "# line\u2028import os"),
    ("MC004", in_method("x = " + "(" * (MAX_NESTING + 1) + "1" + ")" * (MAX_NESTING + 1))),
    ("MC004", in_method("x = " + "-" * (MAX_NESTING + 1) + "1")),
    ("MC004", in_method("x = f'" + "{a}" * (MAX_NESTING + 1) + "'")),
    ("MC004", in_method("\n".join("    " * level + "for x in b:" for level in range(MAX_LOOPS + 1)) + " pass")),
    ("MC004", in_method("x = [a" + " for a in b" * (MAX_LOOPS + 1) + "]")),
    ("MC005", in_method(r"x = '\N{GREEK SMALL LETTER ALPHA}'")),
    # MC1: syntax
    ("MC101", "import os\n" + GOOD),
    ("MC101", "from os import path\n" + GOOD),
    ("MC101", in_method("import os")),
    ("MC101", in_method("from os import path")),
    ("MC101", in_module("from minichain.contracts.api import *")),
    ("MC101", in_module("from minichain.contracts.api import Contract as Base")),
    ("MC101", in_module("from minichain.contracts.runtime import Runtime")),
    ("MC101", in_module("from __future__ import braces")),
    ("MC101", in_module("from . import secret")),
    ("MC102", in_method("try:\n    pass\nexcept:\n    pass")),
    ("MC102", in_method("try:\n    pass\nfinally:\n    pass")),
    ("MC102", in_method("try:\n    pass\nexcept* ValueError:\n    pass")),
    ("MC103", in_method("raise a")),
    ("MC103", in_method("assert a, 'no'")),
    ("MC104", in_method("with a:\n    pass")),
    ("MC105", in_method("x = lambda: 1")),
    ("MC105", in_method("def inner():\n    pass")),
    ("MC106", in_method("yield 1")),
    ("MC106", in_method("x = yield")),
    ("MC106", in_method("yield from b")),
    ("MC106", in_method("x = sum(y for y in b)")),
    ("MC107", in_class("async def go(self):\n    pass")),
    ("MC107", in_method("async def inner():\n    pass")),
    ("MC107", in_class("async def go(self):\n    await x").replace("async def", "async  def")),
    ("MC108", in_method("class Inner:\n    pass")),
    ("MC108", in_class("class Inner:\n    pass")),
    ("MC109", in_method("global LIMIT")),
    ("MC109", in_method("nonlocal a")),
    ("MC110", in_method("x = {1, 2}")),
    ("MC110", in_method("x = {y for y in b}")),
    ("MC111", in_method("x = max(*b)")),
    ("MC111", in_method("x = dict(**b)")),
    ("MC111", in_method("x = [*b]")),
    ("MC111", in_method("x, *y = b")),
    ("MC111", in_method("for x, *y in b:\n    pass")),
    ("MC112", in_method("if (x := a) > 1:\n    pass")),
    ("MC113", in_method("match a:\n    case 1:\n        pass")),
    ("MC113", in_method("match a:\n    case object(__class__=x):\n        pass")),
    ("MC114", in_method("x = 1\ndel x")),
    ("MC114", in_method("del self.total")),
    ("MC115", in_method("x = 1.5")),
    ("MC115", in_method("x = 1e3")),
    ("MC115", in_method("x = 1j")),
    ("MC115", in_method("...")),
    ("MC115", in_module("RATE = 0.5")),
    ("MC116", in_method("x = a / 2")),
    ("MC116", in_method("x = a @ a")),
    ("MC116", in_method("x = ~a")),
    ("MC116", in_method("x = +a")),
    ("MC116", in_method("x = a\nx /= 2")),
    ("MC117", in_method("x = a is 1")),
    ("MC117", in_method("x = a is not b")),
    ("MC117", in_method("x = a is None is None")),
    ("MC118", in_method("x = f'{a!r}'")),
    ("MC118", in_method("x = f'{a:>10}'")),
    ("MC118", in_method("x = f'{a:{a}}'")),
    ("MC118", in_method("x = f'{a:}'")),
    ("MC118", in_method("x = f'{a=}'")),
    ("MC118", in_method("x = f'{b[\"k\"]}'")),
    ("MC118", in_method("x = f'{ {s: 1} }'")),
    ("MC118", in_method("x = f'''{a\n}'''")),
    ("MC119", in_method("x = y = 1")),
    ("MC119", in_method("[x, y] = b")),
    ("MC119", in_method("x: int")),
    ("MC119", in_method("for b[0] in b:\n    pass")),
    ("MC119", in_method("x, b[0] = b")),
    ("MC119", in_method("() = b")),
    ("MC120", in_method("for x in b:\n    pass\nelse:\n    pass")),
    ("MC120", in_method("while a:\n    pass\nelse:\n    pass")),
    ("MC121", in_method("b[0:1] = b")),
    ("MC121", in_method("del b[:]")),
    ("MC121", in_method("x = b[0:1, 2]")),
    ("MC122", in_method("x = {**b}")),
    ("MC123", in_method("self.notes[s]['count'] = 1")),
    ("MC123", in_method("self.notes[s]['all'][0] += 1")),
    ("MC123", in_method("self.notes.get(s)['count'] = 1")),
    ("MC123", in_method("del self.notes[s]['count']")),
    ("MC123", in_method("self.notes[s]['all'].append(1)")),
    ("MC123", in_method("self.notes.get(s, {}).update({})")),
    ("MC123", in_method("self.total[0] = 1")),
    ("MC123", in_method("x = self.total.pop()")),
    # MC2: names
    ("MC201", in_method("_x = 1")),
    ("MC201", in_method("x = self._secret")),
    ("MC201", in_method("x = a.__class__")),
    ("MC201", in_method("x = __builtins__")),
    ("MC201", in_method("x = __debug__")),
    ("MC201", in_class("def __init__(self):\n    pass")),
    ("MC201", in_class("_hidden = Value(int)")),
    ("MC201", in_method("self.__dict__['a'] = 1")),
    ("MC201", in_method("self.__class__ = a")),
    ("MC201", in_method("emit('A', _x=1)")),
    ("MC202", in_method("x = unknown")),
    ("MC202", in_method("x = float(a)")),
    ("MC202", in_method("x = eval('1')")),
    ("MC202", in_method("x = getattr(self, s)")),
    ("MC202", GOOD.replace(", emit,", ",")),
    ("MC202", GOOD.replace("import Contract, ", "import ")),
    ("MC203", in_method("list = b")),
    ("MC203", in_method("LIMIT = 8")),
    ("MC203", in_method("LIMIT += 8")),
    ("MC203", in_method("self = 1")),
    ("MC203", in_method("for helper in b:\n    pass")),
    ("MC203", in_method("printed = 1")),
    ("MC203", in_method("x = [len for len in b]")),
    ("MC203", in_class("def go(self, emit):\n    pass")),
    ("MC204", in_method("x = a.real")),
    ("MC204", in_method("x = self.unknown")),
    ("MC204", in_method("self.unknown()")),
    ("MC204", in_method("a.x = 1")),
    ("MC204", in_method("x = s.upper.lower")),
    ("MC205", in_method("x = s.format(a)")),
    ("MC205", in_method("x = s.format_map(b)")),
    ("MC205", in_method("x = s.translate(b)")),
    ("MC205", in_method("x = self.notes.pop('a')")),
    ("MC205", in_method("x = helper.unknown()")),
    ("MC206", in_method("x = self")),
    ("MC206", in_method("helper(self)")),
    ("MC206", in_method("self()")),
    ("MC206", in_module("def helper():\n    return self")),
    ("MC207", in_method("x = helper")),
    ("MC207", in_method("x = len")),
    ("MC207", in_method("x = sorted(b, key=len)")),
    ("MC207", in_method("x = self.own")),
    ("MC207", in_method("x = self.call")),
    ("MC207", in_method("a()")),
    ("MC207", in_method("LIMIT()")),
    ("MC207", in_method("b[0]()")),
    ("MC207", in_method("helper(1)(2)")),
    ("MC207", in_method("x = Value(int)")),
    ("MC208", in_method("größe = 1")),
    ("MC208", in_method("\uff53\uff45\uff4c\uff46 = 1")),
    ("MC208", in_method("x = self.\uff54otal")),
    ("MC208", in_method("x = f'登{self.\uff54otal}'")),
    ("MC208", in_method("x = f'{{{self.\uff54otal}}}'")),
    ("MC208", in_method("x" * 65 + " = 1")),
    ("MC209", in_method("self.notes = {}")),
    ("MC209", in_method("self.caller = s")),
    ("MC209", in_method("self.unknown = 1")),
    ("MC210", in_method("x = isinstance(a, object)")),
    ("MC210", in_method("x = isinstance(a, b)")),
    ("MC210", in_method("x = isinstance(a)")),
    # MC3: the shape of a contract
    ("MC301", IMPORT),
    ("MC301", GOOD + "\n\nclass Second(Contract):\n    pass\n"),
    ("MC301", in_module("class Plain:\n    pass")),
    ("MC301", with_types("@action\nclass Other(Record):\n    a: int")),
    ("MC301", with_types("class Other(Record, Note):\n    a: int")),
    ("MC301", with_types("class Other(Note):\n    a: int")),
    ("MC301", GOOD.replace("Register(Contract)", "Register(Contract, metaclass=type)")),
    ("MC316", GOOD.replace("Register(Contract)", "Register(Contract, dict)")),
    ("MC301", GOOD.replace("class Register", "@action\nclass Register")),
    ("MC302", in_module("helper()")),
    ("MC302", in_module("if True:\n    X = 1")),
    ("MC302", in_module("for x in (1,):\n    pass")),
    ("MC302", in_module("X, Y = 1, 2")),
    ("MC302", in_module("X = 1\nX += 1")),
    ("MC303", in_class("if True:\n    pass")),
    ("MC303", in_class("total += 1")),
    ("MC304", in_class("x = 5")),
    ("MC304", in_class("x = Value(float)")),
    ("MC304", in_class("x = Value(int, 'a')")),
    ("MC304", in_class("x = Value(int, helper())")),
    ("MC304", in_class("x = Value()")),
    ("MC304", in_class("x = Map(str)")),
    ("MC304", in_class("x = Map(list, int)")),
    ("MC304", in_class("x = Map((str,), int)")),
    ("MC304", in_class("x = Map(str, tuple)")),
    ("MC304", in_class("x = dict")),
    ("MC305", in_class("@staticmethod\ndef go():\n    pass")),
    ("MC305", in_class("@property\ndef go(self):\n    pass")),
    ("MC305", in_class("@action\n@view\ndef go(self):\n    pass")),
    ("MC305", in_class("@action()\ndef go(self):\n    pass")),
    ("MC305", in_class("@action\ndef setup(self):\n    pass")),
    ("MC305", in_module("@action\ndef helper():\n    pass")),
    ("MC306", in_class("def go():\n    pass")),
    ("MC306", in_class("def go(this):\n    pass")),
    ("MC306", in_class("def go(self=1):\n    pass")),
    ("MC306", in_class("def go(self, *a):\n    pass")),
    ("MC306", in_class("def go(self, **a):\n    pass")),
    ("MC306", in_class("def go(self, *, a):\n    pass")),
    ("MC306", in_class("def go(self, _getattr_, /):\n    pass")),
    ("MC307", in_class("@action\ndef go(self, a):\n    pass")),
    ("MC307", in_class("@view\ndef go(self, a: float):\n    pass")),
    ("MC307", in_class("@view\ndef go(self, a: 'int'):\n    pass")),
    ("MC307", in_class("@view\ndef go(self, a: tuple):\n    pass")),
    ("MC307", in_class("def setup(self, a):\n    pass")),
    ("MC307", in_class("def go(self, a: open('x')):\n    pass")),
    ("MC307", in_class("def go(self) -> print(1):\n    pass")),
    ("MC307", in_method("x: eval('1') = 1")),
    ("MC308", in_module("X = 1\nX = 2")),
    ("MC308", in_module("def len():\n    pass")),
    ("MC308", in_module("Value = 1")),
    ("MC308", in_class("def total(self):\n    pass")),
    ("MC308", in_class("caller = Value(int)")),
    ("MC308", in_class("def go(self):\n    pass\ndef go(self):\n    pass")),
    ("MC309", in_method("emit(s, x=1)")),
    ("MC309", in_method("emit()")),
    ("MC309", in_method("emit('two words')")),
    ("MC309", in_method("emit('A', a)")),
    ("MC310", with_types("class Other(Record):\n    pass")),
    ("MC310", with_types("class Other(Record):\n    a: float")),
    ("MC310", with_types("class Other(Record):\n    a: Later\n\n\nclass Later(Record):\n    b: int")),
    ("MC310", with_types("class Other(Record):\n    inner: Other | None = None")),
    ("MC310", with_types("class Other(Record):\n    many: list[Other] = []")),
    ("MC310", with_types("class Other(Record):\n    a: int\n    a: str")),
    ("MC310", with_types("class Other(Record):\n    a: int = 'x'")),
    ("MC310", with_types("class Other(Record):\n    a: list = helper()")),
    ("MC310", with_types("class Other(Record):\n    a = 5")),
    ("MC310", with_types("class Other(Record):\n    a: int\n\n    def b(self):\n        return 1")),
    ("MC310", with_types("class Other(Record):\n    (a): int")),
    ("MC310", with_types("class Other(Record):\n" + "".join(f"    a{i}: int\n" for i in range(65)))),
    (
        "MC310",
        with_types(
            "class R0(Record):\n    a: int"
            + "".join(f"\n\n\nclass R{i}(Record):\n    a: R{i - 1}\n    b: R{i - 1}" for i in range(1, 40))
        ),
    ),
    (
        "MC310",
        with_types(
            "class R0(Record):\n    a: int"
            + "".join(f"\n\n\nclass R{i}(Record):\n    a: R{i - 1}" for i in range(1, 20))
        ),
    ),
    ("MC201", with_types("class Other(Record):\n    __class__: int")),
    ("MC208", with_types("class Other(Record):\n    größe: int")),
    ("MC308", with_types("class dict(Record):\n    a: int")),
    ("MC308", with_types("class Note(Record):\n    a: int")),
    ("MC308", with_types("class Map(Interface):\n    @view\n    def a(self) -> int:\n        'Ask.'")),
    ("MC311", with_types("", "return Note('x')")),
    ("MC311", with_types("", "return Note(stars=5)")),
    ("MC311", with_types("", "return Note(text='x', colour='red')")),
    ("MC311", with_types("", "return Note()")),
    ("MC311", with_types("", "return Note(**note)")),
    ("MC111", with_types("", "return Note(text='x', **note)")),
    ("MC123", with_types("", "self.notes['a'].stars = 1")),
    ("MC123", with_types("", "self.notes['a'].stars += 1")),
    ("MC123", with_types("", "self.notes['a'].author.name = 'x'")),
    ("MC123", with_types("", "self.notes.get('a').author.tags.append('x')")),
    ("MC123", with_types("", "self.best.text = 'x'")),
    ("MC123", with_types("", "self.best.author.tags[0] = 'x'")),
    ("MC201", with_types("", "x = note.__class__")),
    ("MC201", with_types("", "note.__class__ = a")),
    ("MC201", with_types("", "x = Note(text='x', _y=1)")),
    ("MC204", with_types("", "x = note.colour")),
    ("MC204", with_types("", "note.colour = 5")),
    ("MC204", with_types("", "x = note.author.type")),
    ("MC202", with_types("", "x = unknown.text")),
    ("MC206", with_types("def helper():\n    return self.text", "return helper()")),
    ("MC206", with_types("def helper():\n    self.text = 1", "return helper()")),
    ("MC207", with_types("", "x = Note")),
    ("MC207", with_types("", "x = Yuan")),
    ("MC207", with_types("", "x = Yuan(5)")),
    ("MC207", with_types("", "x = portion")),
    ("MC203", with_types("", "Note = 5")),
    ("MC203", with_types("", "Yuan = 5")),
    ("MC203", with_types("", "Registry = 5")),
    ("MC205", with_types("", "x = note.values()").replace("x = note.values()", "x = note.items_of()")),
    ("MC210", with_types("", "x = isinstance(note, Registry)")),
    ("MC312", with_types("Fen = Decimal(0)")),
    ("MC312", with_types("Fen = Decimal(13)")),
    ("MC312", with_types("Fen = Decimal(2.5)")),
    ("MC312", with_types("Fen = Decimal(True)")),
    ("MC312", with_types("Fen = Decimal('2')")),
    ("MC312", with_types("Fen = Decimal(2, 3)")),
    ("MC312", with_types("Fen = Decimal(digits=2)")),
    ("MC207", with_types("", "Fen = Decimal(2)")),
    ("MC313", with_types("class Empty(Interface):\n    pass")),
    ("MC313", with_types("class Other(Interface):\n    a: int")),
    ("MC313", with_types("class Other(Interface):\n    def a(self) -> int:\n        'Unmarked.'")),
    ("MC313", with_types("class Other(Interface):\n    @view\n    def a(self):\n        'No result.'")),
    ("MC313", with_types("class Other(Interface):\n    @view\n    def a(self) -> float:\n        'A float.'")),
    ("MC313", with_types("class Other(Interface):\n    @view\n    def a(self) -> int:\n        return 1")),
    (
        "MC313",
        with_types(
            "class Other(Interface):\n    @view\n    def a(self) -> int:\n        'Twice.'\n\n"
            "    @view\n    def a(self) -> int:\n        'Twice.'"
        ),
    ),
    ("MC307", with_types("class Other(Interface):\n    @view\n    def a(self, b) -> int:\n        'No type.'")),
    ("MC306", with_types("class Other(Interface):\n    @view\n    def a() -> int:\n        'No self.'")),
    ("MC314", with_types("", "x = Registry('r').unknown()")),
    ("MC314", with_types("", "x = Registry('r').permits()")),
    ("MC314", with_types("", "x = Registry('r').permits('a', 'b', 'c')")),
    ("MC314", with_types("", "x = Registry('r').permits('a', site='b')")),
    ("MC314", with_types("", "x = Registry('r').permits('a', place='b')")),
    ("MC314", with_types("", "x = Registry().permits('a')")),
    ("MC314", with_types("", "x = Registry('r', 's').permits('a')")),
    ("MC314", with_types("", "x = Registry(contract='r').permits('a')")),
    ("MC314", with_types("", "x = Registry('r')")),
    ("MC314", with_types("", "x = Registry")),
    ("MC314", with_types("", "x = Registry('r').permits")),
    ("MC201", with_types("", "x = Registry('r').__init__('a')")),
    ("MC315", with_types("", bases="Contract, Roles").replace("    best", "    role_grants")),
    ("MC315", with_types("", bases="Contract, Roles").replace("def go", "def grant_role")),
    ("MC315", with_types("class RoleGrant(Record):\n    a: int", bases="Contract, Roles")),
    ("MC315", with_types("def check_reason(a):\n    return a", bases="Contract, Roles, Pausable")),
    ("MC308", with_types("Roles = 5")),
    ("MC315", with_types("def ROLES(a):\n    return a", bases="Contract, Roles")),
    ("MC315", in_module("from minichain.contracts.parts import check_key\ndef check_key(a):\n    return a")),
    ("MC315", in_module("def check_key(a):\n    return a\nfrom minichain.contracts.parts import check_key")),
    ("MC315", in_module("from minichain.contracts.parts import check_founders\nPLAIN = 5")),
    ("MC315", in_module("from minichain.contracts.parts import check_founders\ndef MAX_MEMBERS(a):\n    return a")),
    ("MC317", in_module("from minichain.contracts.parts import check_founders\nMAX_MEMBERS = True")),
    ("MC101", in_module("from minichain.contracts.parts import check_founders as check")),
    ("MC101", in_module("from minichain.contracts.parts import MAX_MEMBERS")),
    ("MC202", with_types("", "check_reason('late')", bases="Contract, Roles, Pausable")),
    ("MC202", with_types("", "check_founders([])")),
    ("MC316", with_types("", bases="Contract, check_name")),
    ("MC316", with_types("", bases="Contract, Pausable")),
    ("MC316", with_types("", bases="Contract, Roles, Roles")),
    ("MC316", with_types("", bases="Contract, Note")),
    ("MC316", with_types("", bases="Contract, Unknown")),
    ("MC316", with_types("", bases="Contract, Roles, Pausable").replace("import Pausable, Roles", "import Roles")),
    ("MC301", with_types("", bases="Roles, Contract")),
    ("MC101", with_types("").replace("import Pausable, Roles", "import Pausable as Roles")),
    ("MC101", with_types("").replace("import Pausable, Roles", "import Part")),
    ("MC101", with_types("").replace("import Pausable, Roles", "import *")),
    ("MC317", with_types("ROLES = 'weigher'", bases="Contract, Roles")),
    ("MC317", with_types("ROLES = ('weigher', 5)", bases="Contract, Roles")),
    ("MC317", with_types("PAUSED_BY = ('weigher',)", bases="Contract, Roles, Pausable")),
    ("MC318", TAKES_PART.replace("def hold", "def holds")),
    ("MC318", TAKES_PART.replace("def hold", "@action\n    def hold")),
    ("MC318", TAKES_PART.replace("wish: dict", "wishes: dict")),
    # MC4: values
    ("MC401", in_method(f"x = {1 << 256}")),
    ("MC401", in_method("x = 0x" + "f" * 5000)),
    ("MC402", in_method(r"x = '\ud800'")),
    ("MC402", in_module(r"X = '\udc00'")),
    ("MC403", in_module("X = [1]")),
    ("MC403", in_module("X = {1: 2}")),
    ("MC403", in_module("X = len('a')")),
    ("MC403", in_module("X = 10 ** 10 ** 10")),
    ("MC403", in_module("X = 1 // 0")),
    ("MC403", in_module("X = 'a' * 9")),
    ("MC403", in_module("X = (1,)\nY = (X, X)")),
    ("MC403", in_module("X = {'a', 'b'}")),
    ("MC403", in_module("X = frozenset([1])")),
    ("MC404", in_class("def go(self, a: list = []):\n    pass")),
    ("MC404", in_class("@view\ndef go(self, a: int = None):\n    pass")),
    ("MC404", in_module("def helper(a=dict()):\n    pass")),
    ("MC404", in_class(f"@view\ndef go(self, a: int = {2**64}):\n    pass")),
    ("MC304", in_class(f"x = Value(int, {2**64})")),
    ("MC304", in_class("x = Value(list, " + "[" * 20 + "]" * 20 + ")")),
    # MC9: the second opinion
    ("MC900", in_class("f_code = Value(int)\n@view\ndef go(self) -> int:\n    return self.f_code")),
]


@pytest.mark.parametrize(("code", "source"), FORBIDDEN)
def test_a_forbidden_construct_is_found(code: str, source: str | bytes) -> None:
    assert code in codes(source)


def test_every_rule_has_an_example() -> None:
    assert {code for code, _ in FORBIDDEN} | {"MC100"} == RULES.keys()


def test_a_construct_nobody_thought_of_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(language.RULE_OF_NODE, "Match")  # as a new Python would bring it: without words of its own
    assert codes(in_method("match a:\n    case 1:\n        pass")) == {"MC100"}
    assert codes(in_method("type Alias = int")) <= {"MC100", "MC001"}
    assert codes(in_module("def helper[T](a):\n    pass")) <= {"MC306", "MC001"}
    assert codes(GOOD.replace("class Register(", "class Register[T](")) <= {"MC301", "MC001"}
    assert codes(in_method("x = t'{a}'")) <= {"MC100", "MC001"}


# Ways out of a Python sandbox that are known from RestrictedPython's advisories and from other sandboxes.
ESCAPES = [
    "x = ().__class__.__base__.__subclasses__()",
    "x = ''.__class__.__mro__[1].__subclasses__()",
    "x = [].__reduce_ex__(2)",
    "x = {}.__init__.__globals__",
    "x = self.__init__.__globals__",
    "x = self.go.__func__.__code__",
    "x = helper.__globals__['__builtins__']",
    "x = helper.__code__.replace(co_code=b'')",
    "x = '{0.__class__}'.format(a)",
    "x = '{0.__class__}'.format_map(b)",
    "x = str.format('{0.__class__}', a)",
    "x = f'{a.__class__}'",
    "x = f'{a.__class__!r:>{a}}'",
    "x = (y for y in b).gi_frame.f_back.f_globals",
    "x = [y for y in b].gi_frame",
    "x = b.gi_frame",
    "x = b.f_globals",
    "x = b.tb_frame.f_locals",
    "try:\n    a()\nexcept Exception as e:\n    x = e.__traceback__.tb_frame",
    "try:\n    a()\nexcept* Exception as e:\n    x = e.exceptions",
    "with a as (x, y):\n    pass",
    "x = type(a)",
    "x = type('X', (object,), {})",
    "x = object()",
    "x = getattr(a, '__class__')",
    "x = setattr(self, 'a', 1)",
    "x = vars(self)",
    "x = globals()",
    "x = locals()",
    "x = dir(a)",
    "x = __import__('os')",
    "x = compile('1', 'x', 'eval')",
    "x = exec('import os')",
    "x = open('/etc/passwd')",
    "x = input()",
    "x = breakpoint()",
    "x = memoryview(b'')",
    "x = super().__init__()",
    "x = classmethod(helper)",
    "x = property(helper)",
    "def _getattr_(a, b):\n    return a",
    "def inner(_getattr_, /):\n    return a.b",
    "_getattr_ = helper",
    "_write_ = helper",
    "x = (_getattr_ := helper)",
    "x = [_getattr_ for _getattr_ in b]",
    "for _getitem_ in b:\n    pass",
    "for self in b:\n    pass",
    "match a:\n    case str(__class__=x):\n        pass",
    "match a:\n    case {'a': _getattr_}:\n        pass",
    "x = lambda _getattr_: a.b",
    "@helper\ndef inner():\n    pass",
    "global _getattr_",
    "self.total.__class__ = a",
    "self.__class__.total = a",
    "Register.total = 1",
    "Register.go = helper",
    "helper.x = 1",
    "helper.__defaults__ = (1,)",
    "TABLE.update.__self__['a'] = 2",
    "x = b.sort(key=helper)",
    "x = max(b, key=str)",
    "x = sorted(b, key=lambda y: y.__class__)",
    "x = ''.join.__self__",
    "import minichain.contracts.runtime as r",
    "from minichain.contracts.api import require as _getattr_",
    "del _getattr_",
    "del self.__dict__['total']",
    "x = \uff4c\uff45\uff4e",
    "x = self.\uff43aller",
    "printed = 1\nx = print",
    "x = a if b else __builtins__",
    "x = b[().__class__]",
    "b[a.__class__] = 1",
    "x: ().__class__ = 1",
    "return self",
    "return [self]",
    "emit('A', x=self)",
    "x = await a",
    "x = yield a",
    "x = not_there.y",
    "x = Contract.__subclasses__",
    "x = Record.__init__",
    "x = Contract.call",
    "x = s.count.__self__",
    "x = 'a'.join.__class__",
    "x = b.append.__self__",
    "x = [].sort.__call__",
    "x = b.gi_yieldfrom",
    "x = a.ag_frame",
    "x = a.cr_await",
    "x = a.f_builtins",
    "x = a.tb_next",
    "x = a.__traceback__",
    "x = a.__cause__",
    "x = a.with_traceback",
    "x = a.args",
    "x = next(iter(b))",
    "x = map(helper, b)",
    "x = filter(helper, b)",
    "x = iter(b)",
    "x = list(map(str, b))",
    "x = id(a)",
    "x = hash(s)",
    "x = set(b)",
    "x = frozenset(b)",
    "x = float(a)",
    "x = a / 2",
    "x = round(a, 2)",
    "x = divmod(a, 2.0)",
    "x = complex(a)",
    "x = 1e400",
    "x = callable(helper)",
    "x = format(a, '{}')",
    "x = bytearray(10)",
    "x = slice(a)",
    "x = chr(a)",
    "x = s.encode().decode.__func__",
    "x = s.maketrans(s)",
    "x = s.casefold()",
    "x = s.title()",
    "x = s.splitlines()",
    "x = s.isidentifier()",
    "x = self.now.real",
    "x = self.time",
    "x = time.time()",
    "x = random.random()",
    "x = NotImplemented",
    "x = Ellipsis",
    "x = __name__",
    "x = __file__",
    "x = __loader__",
    "x = a.__getattr__('b')",
    "x = self.notes.storage",
    "x = self.call.__func__",
    "x = self.call_contract",
    "x = emit.__globals__",
    "x = require.__code__",
    "async def inner():\n    pass",
    "x = [await y for y in b]",
    "x = [y async for y in b]",
    "x = {**{}}",
    "x = a if (lambda: 1) else b",
    "return (yield)",
]


@pytest.mark.parametrize("attempt", ESCAPES)
def test_a_known_way_out_of_a_sandbox_is_closed(attempt: str) -> None:
    assert check(in_method(attempt))


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "(" * 30_000,
        "x = " + "[" * 199 + "a b" + "]" * 199,
        "x = " + "not " * 8_000 + "1",
        "x = " + "-" * 32_000 + "1",
        "x = a" + ".b" * 15_000,
        "x = 1" + "+1" * 15_000,
        "x = " + "1 if 1 else " * 2_500 + "1",
        "x = " + "lambda:" * 4_000 + "1",
        "x = " + "9" * 32_000,
        "x = 0x" + "f" * 32_000,
        "x = '" + "a" * 32_000,
        '"""' + "\\" * 32_000,
        '"\\"' * 10_000,
        "if a:\n pass\n" + "elif b:\n pass\n" * 2_000,
        "".join(" " * level + "if a:\n" for level in range(200)),
        "x = " + "f'{" * 100,
        "@a" * 10_000,
        "\\\n" * 15_000,
        ";" * 30_000,
        "\n" * 32_000,
        "# -*- coding: utf-7 -*-\n+AGkAbQBwAG8AcgB0-",
        b"# -*- coding: latin-1 -*-\nx = '\xe4'",
        b"\xff\xfe" + "x = 1".encode("utf-16-le"),
        "",
        " ",
    ],
)
def test_a_hostile_source_gets_an_answer(source: str | bytes) -> None:
    assert check(source)


def test_the_deepest_source_leaves_room_on_the_stack() -> None:
    """A node may check a contract from any depth: half of Python's usual stack is enough."""
    deepest = in_method("a = " + "(" * 53 + "a" + " < a < a)" * 53)
    assert check(deepest) == []
    assert "MC004" in codes(in_method("a = " + "(" * 58 + "a" + " < a < a)" * 58))
    usual = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(len(inspect.stack()) + 500)
        assert check(deepest) == []
    finally:
        sys.setrecursionlimit(usual)


def test_python_says_nothing_and_decides_nothing_about_style() -> None:
    source = in_method(r"x = '\d'")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check(source) == []


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_text_gets_an_answer(text: str) -> None:
    assert check(text)


WEIGHBRIDGE = Path(__file__).with_name("weighbridge.py").read_text(encoding="utf-8")
WHOLE = (GOOD, WEIGHBRIDGE)
PIECES = (
    sorted({token for text in WHOLE for token in text.split()})
    + list("()[]{}:=,.+-*@'\"\\\n")
    + [
        "    ",
        "__class__",
    ]
)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_contract_gets_an_answer_and_what_passes_compiles(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(WHOLE))
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, min(len(text), start + 30)))
    piece = " ".join(data.draw(st.lists(st.sampled_from(PIECES), max_size=3)))
    source = text[:start] + piece + text[stop:]
    if not check(source):
        assert describe(source).name
