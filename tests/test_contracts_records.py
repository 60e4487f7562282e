"""Records, amounts and declared interfaces: what an author may say about values, checked before and while it runs."""

from __future__ import annotations

import decimal
import re
import textwrap
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain import Network
from minichain.codec import INT_MAX, INT_MIN
from minichain.contracts import Outcome, Sandbox, check, describe
from minichain.contracts.decimals import MAX_SCALE, from_units, portion, to_units
from minichain.contracts.explain import explain, outline
from minichain.contracts.meter import GAS
from minichain.contracts.sandbox import SandboxContract
from minichain.errors import ContractFault, UsageError

HEAD = """from minichain.contracts.api import (
    Contract, Decimal, Interface, Map, Record, Value, action, emit, portion, require, view,
)

Yuan = Decimal(2)


class Author(Record):
    \"\"\"Who wrote a note.\"\"\"

    name: str
    tags: list[str] = ["new"]


class Note(Record):
    text: str
    stars: int = 0
    price: Yuan = 250
    author: Author | None = None
    marks: dict[str, int] = {}
"""

BOARD = (
    HEAD
    + '''

class Board(Contract):
    """A board of notes.

    zh: 公告板。
    """

    notes = Map(str, Note)
    best = Value(Note)
    last = Value(Note | None)
    shelf = Value(list[Note])
    rest = Value(dict[str, Note])

    @action
    def keep(self, note: Note, key: str = "k") -> Note:
        """Keep a note.

        zh：保存一张便条。
        """
        self.notes[key] = note
        return note

    @action
    def shelve(self, many: list[Note], table: dict[str, Note]) -> list[Note]:
        self.shelf = many
        self.rest = table
        return self.shelf

    @action
    def star(self, key: str) -> list:
        note = self.notes[key]
        again = self.notes[key]
        note.stars += 1
        note.marks["a"] = 5
        note.price = portion(note.price, 1, 3)
        before = self.notes[key]
        self.notes[key] = note
        return [before == again, note == self.notes[key], note != again, note in [again], note.stars]

    @action
    def price(self, key: str, price: Yuan, more: list[Yuan] = None) -> Yuan:
        note = self.notes[key]
        note.price = price
        self.notes[key] = note
        return price

    @view
    def prices(self) -> dict[str, Yuan]:
        return {key: note.price for key, note in self.notes.items()}

    @view
    def cheapest(self) -> Yuan | None:
        return None

    @view
    def all_notes(self) -> list[Note]:
        return self.notes.values()

    @view
    def untyped(self) -> list:
        return self.notes.values()
'''
).replace("more: list[Yuan] = None", "more: list[Yuan] | None = None")

WEIGHBRIDGE = Path(__file__).with_name("weighbridge.py")
ALICE = Sandbox().account("alice")


def board() -> SandboxContract:
    return Sandbox().deploy(BOARD, sender=ALICE)


def source_of(body: str, above: str = "", fields: str = "kept = Value(int)") -> str:
    """Write a contract whose action `go` has these lines, below these declarations."""
    declared = textwrap.indent(fields, " " * 4)
    head = "    @action\n    def go(self, a: int = 0):\n        note = Note(text='x')\n"
    return f"{HEAD}\n\n{above}\n\nclass Trial(Contract):\n{declared}\n\n{head}{textwrap.indent(body, ' ' * 8)}\n"


def run(body: str, **args: Any) -> Outcome:
    """Run one action that has these lines, in a contract that keeps records."""
    fields = "notes = Map(str, Note)\nbest = Value(Note)\nother = Value(dict)"
    return Sandbox().deploy(source_of(body, fields=fields), sender=ALICE).attempt("go", **args)


WHOLE = {"text": "hi", "stars": 0, "price": 250, "author": None, "marks": {}}


# --- records -----------------------------------------------------------------------------------------------------


def test_a_note_goes_in_as_a_dict_and_comes_back_whole() -> None:
    desk = board()
    outcome = desk.keep({"text": "hi"})
    assert outcome.result == {**WHOLE, "price": Decimal("2.50")}
    assert outcome.changes == {"board.notes[k]": WHOLE}
    assert desk.untyped() == [WHOLE]
    desk.keep({"text": "hi", "author": {"name": "Bo"}}, key="second")
    assert desk.untyped()[1]["author"] == {"name": "Bo", "tags": ["new"]}


def test_a_note_that_is_read_is_a_copy_and_is_compared_by_content() -> None:
    desk = board()
    desk.keep({"text": "hi", "price": "1.00"})
    assert desk.star("k").result == [True, True, True, False, 1]
    assert desk.untyped() == [{**WHOLE, "stars": 1, "price": 33, "marks": {"a": 5}}]


def test_records_are_held_in_lists_dicts_and_values() -> None:
    desk = board()
    shelved = desk.shelve([{"text": "a"}, {"text": "b", "stars": 2}], {"x": {"text": "c"}})
    assert [note["stars"] for note in shelved.result] == [0, 2]
    assert shelved.changes["board.rest"]["x"] == {**WHOLE, "text": "c"}
    assert run("return [self.best.text, self.best.stars, self.best.price]").result == ["", 0, 250]


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ({}, "argument note.text is missing"),
        ({"text": 5}, "argument note.text must be str, not int"),
        ({"text": None}, "argument note.text must be str, not None"),
        ({"text": "a", "stars": "1"}, "argument note.stars must be int, not str"),
        ({"text": "a", "stars": True}, "argument note.stars must be int, not bool"),
        (
            {"text": "a", "colour": 1},
            'argument note has no field "colour"; Note has: text, stars, price, author, marks',
        ),
        ({"text": "a", "author": {"name": 1}}, "argument note.author.name must be str, not int"),
        ({"text": "a", "author": {}}, "argument note.author.name is missing"),
        ({"text": "a", "author": []}, "argument note.author must be Author | None, not list"),
        ({"text": "a", "author": {"name": "b", "tags": ["c", 5]}}, "argument note.author.tags[1] must be str, not int"),
        ({"text": "a", "marks": {"k" * 99: ""}}, f'argument note.marks["{"k" * 40}"] must be int, not str'),
        (["text"], "argument note must be Note, not list"),
        (None, "argument note must be Note, not None"),
        ({1: "text"}, "the keys of a dict are text, not int"),
        ({"text": "a", "stars": 2**64}, "must fit in 64 bits"),
    ],
)
def test_an_argument_that_is_no_such_record_is_refused_with_its_place(note: Any, words: str) -> None:
    outcome = board().attempt("keep", note)
    assert outcome.outcome == "fault"
    assert outcome.error == f"board.keep: {words}" or words in outcome.error
    assert outcome.changes == {}


def test_the_place_is_named_in_lists_and_dicts_too() -> None:
    outcome = board().attempt("shelve", [{"text": "a"}, {"text": "b", "stars": []}], {})
    assert outcome.error == "board.shelve: argument many[1].stars must be int, not list"
    outcome = board().attempt("shelve", [], {"x": {}})
    assert outcome.error == 'board.shelve: argument table["x"].text is missing'


REFUSED = [
    ("note.stars = 'x'", "Note.stars must be int, not str"),
    ("note.stars = True", "Note.stars must be int, not bool"),
    ("note.stars = None", "Note.stars must be int, not None"),
    ("note.text += 5", r"\+ does not work on str and int"),
    ("note.author = note", r"Note.author must be Author \| None, not Note"),
    ("note.author = {'name': 'x'}", r"Note.author must be Author \| None, not dict"),
    ("note.marks = note", r"Note.marks must be dict\[str, int\], not Note"),
    ("x = Note(text=5)", "Note.text must be str, not int"),
    ("x = Note(text=self.notes)", "Note.text must be str, not Map"),
    ("x = Note(text='a', marks=range(3))", "Note.marks must be .* not range"),
    ("x = a.text", "int has no field text: only a record has"),
    ("x = note.marks.text", "dict has no field text"),
    ("a.text = 5", "int has no field text"),
    ("x = note.name", "Note has no field name; it has: text, stars, price, author, marks"),
    ("note.name = 'x'", "Note has no field name"),
    ("note.author.name = 'x'", "None has no field name"),
    ("x = self.notes.text", "Map has no field text"),
    ("x = note['text']", "Note has no items"),
    ("note['text'] = 'y'", "the items of Note cannot be changed"),
    ("del note['text']", "the items of Note cannot be deleted"),
    ("x = note.keys()", "Note has no method keys"),
    ("x = note.items()", "Note has no method items"),
    ("x = note.pop('text')", "Note has no method pop"),
    ("x = note.copy()", "Note has no method copy"),
    ("note.update({})", "Note has no method update"),
    ("note.clear()", "Note has no method clear"),
    ("x = 'text' in note", "cannot search str in Note"),
    ("for x in note:\n    pass", "cannot loop over Note"),
    ("x, y = note", "cannot loop over Note"),
    ("x = [y for y in note]", "cannot loop over Note"),
    ("x = len(note)", "Note has no length"),
    ("x = list(note)", "cannot loop over Note"),
    ("x = dict(note)", "dict copies a dict, not Note"),
    ("x = {}\nx.update(note)", "update takes a dict, not Note"),
    ("x = str(note)", "Note has no text of its own"),
    ("x = f'{note}'", "Note has no text of its own"),
    ("require(False, note)", "Note has no text of its own"),
    ("x = note < note", "Note and Note have no order"),
    ("x = sorted([note, Note(text='b')])", "do not go together"),
    ("x = max([note, note])", "no order"),
    ("x = note + note", "does not work on Note and Note"),
    ("x = {note: 1}", "the keys of a dict are text, not Note"),
    ("x = self.notes[note]", "a key of self.notes is str, not Note"),
    ("x = sum([note])", "sum adds integers"),
    ("x = int(note)", "int takes an integer"),
    ("self.notes['k'] = {'stars': 1}", "self.notes.text is missing"),
    ("self.notes['k'] = 5", "self.notes must be Note, not int"),
    ("self.best = None", "self.best must be Note, not None"),
    ("note.marks['a'] = 'x'\nself.best = note", r'self.best.marks\["a"\] must be int, not str'),
    ("note.stars = 2 ** 64\nself.best = note", "must fit in 64 bits"),
    ("x = []\nx.append(x)\nself.other = {'a': x}", "nested deeper"),
    ("note.marks['a'] = note\nx = note == note", "nested deeper"),
    ("note.marks['a'] = note\nreturn note", "nested deeper"),
    ("note.marks['a'] = note\nemit('A', x=note)", "nested deeper"),
]


@pytest.mark.parametrize(("body", "words"), REFUSED)
def test_a_record_is_reached_by_its_fields_and_by_nothing_else(body: str, words: str) -> None:
    outcome = run(f"{body}\nreturn 0")
    assert outcome.outcome in ("fault", "reverted")
    assert re.search(words, outcome.error), outcome.error


TRAP = """class Trap(Record):
    keys: int
    self: int
    items: list = []
    type: str = "x"
    len: int = 0
    caller: str = "me"
    name: str = "n"
    record: str = "r"
    gi_frame: int = 0
"""


def test_a_record_may_have_fields_that_look_dangerous() -> None:
    body = (
        "trap = Trap(keys=1, self=2, name='a', record='b')\ntrap.keys += 1\ntrap.self *= 5\n"
        "trap.items.append(trap.type)\ntrap.caller = self.caller\nself.trap = trap\n"
        "return [trap.keys, trap.self, trap.items, self.trap.caller == self.caller, self.trap.len, trap.name]"
    )
    contract = Sandbox().deploy(source_of(body, TRAP, "trap = Value(Trap)"), sender=ALICE)
    assert contract.go().result == [2, 10, ["x"], True, 0, "a"]


def test_a_field_with_the_name_of_a_python_frame_meets_the_second_opinion() -> None:
    assert [found.code for found in check(source_of("return Trap(keys=1, self=2).gi_frame", TRAP))] == ["MC900"]


def test_two_names_for_one_record_are_one_record_and_a_default_is_nobodys() -> None:
    body = (
        "other = note\nother.stars = 5\nother.marks['a'] = 1\nfresh = Note(text='y')\n"
        "writer = Author(name='a')\nwriter.tags.append('b')\n"
        "return [note.stars, note.marks, fresh.marks, writer.tags, Author(name='c').tags, isinstance(note, dict), "
        "isinstance(note, Note), isinstance(note, (int, Author)), isinstance(True, int), not note]"
    )
    assert run(body).result == [5, {"a": 1}, {}, ["new", "b"], ["new"], False, True, False, True, False]


def test_the_owner_of_a_field_is_looked_up_once() -> None:
    body = (
        "order = []\nnotes = [note]\n"
        "notes[order.append('where') or 0].stars += order.append('what') or 3\nreturn [order, note.stars]"
    )
    assert run(body).result == [["where", "what"], 3]


def test_a_record_is_charged_as_the_dict_it_is() -> None:
    made = run("return 0").gas
    assert run("other = Note(text='y')\nreturn 0").gas - made >= GAS["call"] + 5 * 2 * GAS["copied_item"]
    stored = [run("note.text = 'a' * a\nself.best = note\nreturn 0", a=size).gas for size in (1_000, 2_000)]
    assert stored[1] - stored[0] >= 1_000 * GAS["write_byte"]
    compared = [run("x = note == Note(text='a' * a)\nreturn 0", a=size).gas for size in (0, 16_000)]
    assert compared[1] - compared[0] >= 16_000 * GAS["byte"]


BOMBS = [
    "x = []\nwhile True:\n    x.append(Note(text='x'))",
    "while True:\n    note.marks = {'a': 1}\n    note.stars = note.stars + 1",
    "while True:\n    self.best = note",
    "while True:\n    x = self.best",
    "x = [note]\nfor i in range(20):\n    x = [x, x, x, x]\nreturn x == x",
    "note.marks['m'] = [note] * 100000\nwhile True:\n    x = note == note",
    "while True:\n    a = portion(2 ** 255, 2 ** 255, 2 ** 255)",
]


@pytest.mark.parametrize("body", BOMBS)
def test_a_bomb_of_records_ends_for_want_of_gas(body: str) -> None:
    box = Sandbox(gas_limit=50_000_000)
    contract = box.deploy(source_of(body, fields="best = Value(Note)"), sender=ALICE)
    box.gas_limit = 3_000_000
    first, second = contract.attempt("go"), contract.attempt("go")
    assert first.outcome in ("out_of_gas", "fault")
    assert (first.error, first.gas) == (second.error, second.gas)


NOTES = st.fixed_dictionaries(
    {"text": st.text(max_size=8)},
    optional={
        "stars": st.integers(INT_MIN, INT_MAX),
        "author": st.none()
        | st.fixed_dictionaries(
            {"name": st.text(max_size=3)}, optional={"tags": st.lists(st.text(max_size=3), max_size=3)}
        ),
        "marks": st.dictionaries(st.text(max_size=3), st.integers(0, 9), max_size=3),
    },
)
DESK = board()


@given(note=NOTES)
@settings(max_examples=60, deadline=None)
def test_any_note_survives_the_way_through_the_contract_and_the_ledger(note: dict[str, Any]) -> None:
    expected = {**WHOLE, "price": Decimal("2.50"), **note}
    if expected["author"] is not None:
        expected["author"] = {"tags": ["new"], **expected["author"]}
    assert DESK.keep(note).result == expected
    assert DESK.all_notes() == [expected]


# --- amounts -----------------------------------------------------------------------------------------------------


@given(amount=st.integers(-(2**70), 2**70), up=st.integers(-(10**9), 10**9), down=st.integers(-(10**9), 10**9))
def test_a_portion_is_the_exact_fraction_rounded_half_to_even(amount: int, up: int, down: int) -> None:
    if down:
        assert portion(amount, up, down) == round(Fraction(amount * up, down))


@given(amount=st.integers(-1000, 1000), half=st.integers(-50, 50).map(lambda n: 2 * n))
def test_a_portion_of_exactly_half_goes_to_the_even_neighbour(amount: int, half: int) -> None:
    if half:
        assert portion(amount, half // 2, half) == round(Fraction(amount, 2))
        assert portion(amount, half // 2, half) % 2 == 0 or amount % 2 == 0


@given(units=st.integers(INT_MIN, INT_MAX), scale=st.integers(1, MAX_SCALE))
def test_an_amount_keeps_its_value_on_the_way_out_and_in(units: int, scale: int) -> None:
    with decimal.localcontext(decimal.Context(prec=3)):  # whatever the caller's arithmetic does
        amount = from_units(units, scale)
        assert to_units(amount, scale, "amount") == units
        assert to_units(f"{amount:f}", scale, "amount") == units
    assert amount == Fraction(units, 10**scale)


@pytest.mark.parametrize(
    ("value", "units"),
    [
        ("12.50", 1250),
        ("12.5", 1250),
        ("12", 1200),
        ("-0.01", -1),
        ("+3.10", 310),
        ("-0", 0),
        ("0.000", 0),
        ("12.500", 1250),
        (Decimal("12.5"), 1250),
        (Decimal("1E+3"), 100_000),
        (Decimal("0E+999999"), 0),
        (Decimal("0E-999999"), 0),
        (Decimal(INT_MAX) / 100, INT_MAX),
    ],
)
def test_an_amount_may_be_written_in_several_ways(value: Any, units: int) -> None:
    assert to_units(value, 2, "price") == units


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (12.5, "price takes a decimal.Decimal or text like '12.50': a float is not exact"),
        (float("nan"), "a float is not exact"),
        (12, "an integer may mean the whole or the smallest unit"),
        (True, "True is no amount"),
        (b"12", "is no amount"),
        ([], "is no amount"),
        ("", "'' is no amount"),
        ("12,50", "'12,50' is no amount"),
        ("1e3", "'1e3' is no amount"),
        ("NaN", "'NaN' is no amount"),
        ("\uff11", "is no amount"),
        (" 1", "is no amount"),
        ("1_0", "is no amount"),
        ("12.345", "price has at most 2 digits after the point, not 3: 12.345"),
        (Decimal("0.001"), "at most 2 digits after the point"),
        (Decimal("1E-999999"), "at most 2 digits after the point"),
        (Decimal("NaN"), "price is an amount, not NaN"),
        (Decimal("-Infinity"), "price is an amount, not -Infinity"),
        (Decimal("1E+999999"), "price is too large: an amount has 64 bits"),
        (Decimal(INT_MAX + 1) / 100, "too large"),
        ("-92233720368547758.09", "too large"),
        ("9" * 40, "too large"),
    ],
)
def test_what_is_not_exactly_an_amount_is_refused(value: Any, words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        to_units(value, 2, "price")


def test_people_see_amounts_and_the_ledger_whole_numbers() -> None:
    desk = board()
    desk.keep({"text": "a", "price": "19.99"})
    desk.keep({"text": "b"}, key="b")
    assert desk.price("b", Decimal("-3"), more=["1", Decimal("2.5")]).result == Decimal("-3.00")
    assert desk.prices() == {"k": Decimal("19.99"), "b": Decimal("-3.00")}
    assert [note["price"] for note in desk.untyped()] == [1999, -300]
    assert [str(note["price"]) for note in desk.all_notes()] == ["19.99", "-3.00"]
    assert desk.cheapest() is None
    with pytest.raises(UsageError, match=r"board\.price: price takes a decimal\.Decimal .* a float is not exact"):
        desk.price("b", 3.0)
    with pytest.raises(UsageError, match=r"board\.price: more\[1\] has at most 2 digits"):
        desk.price("b", "3", more=["1", "2.555"])
    with pytest.raises(UsageError, match=r"board\.keep: note\.price takes"):
        desk.keep({"text": "a", "price": 19})


SHOP = (
    HEAD
    + """

class Shop(Contract):
    price = Value(Yuan, 5)

    def setup(self, price: Yuan) -> None:
        self.price = price

    @view
    def shown(self) -> Yuan:
        return self.price
"""
)


def test_setup_takes_amounts_as_people_write_them() -> None:
    assert Sandbox().deploy(SHOP, sender=ALICE, price="0.07").shown() == Decimal("0.07")
    with pytest.raises(UsageError, match=r"shop\.setup: price takes"):
        Sandbox().deploy(SHOP, sender=ALICE, price=7)


def test_a_portion_in_a_contract_is_of_integers() -> None:
    body = (
        "return [portion(5, 1, 2), portion(7, 1, 2), portion(-5, 1, 2), portion(100, 1, 3), portion(True, 3, 2), "
        "portion(10, 1, -4)]"
    )
    assert run(body).result == [2, 4, -2, 33, 2, -2]
    assert "division by zero" in run("return portion(1, 1, 0)").error
    assert "portion does not work on str and int" in run("return portion('a', 1, 2)").error
    assert "beyond 256 bits" in run("return portion(2 ** 255, 2 ** 255, 1) > 0").error
    assert run("return portion(2 ** 255, 2 ** 255, 2 ** 255) == 2 ** 255").result is True
    assert "do not go together" in run("return portion(1, 2)").error


def test_a_contract_tells_what_it_offers_in_words() -> None:
    abi = describe(BOARD)
    lines = list(explain(abi))
    assert lines[0] == "Board: A board of notes. / 公告板。"
    note_line = "Note: a record of text: str, stars: int = 0, price: Yuan = 2.50, author: Author | None = None, marks"
    assert [line for line in lines if line.startswith(f"  {note_line}: ")]
    assert "  Yuan: an amount with 2 digits after the point" in lines
    assert "  keep(note: Note, key: str = 'k') -> Note" in lines
    keep = abi.actions[0]
    assert (keep.sentence, keep.sentences) == ("Keep a note.", {"en": "Keep a note.", "zh": "保存一张便条。"})
    assert abi.actions[1].sentences == {}
    assert outline(abi)["actions"][0]["sentences"]["zh"] == "保存一张便条。"
    (yuan, author, note) = abi.types
    assert (yuan.scale, [field.name for field in author.fields]) == (2, ["name", "tags"])
    assert [str(field.type) for field in note.fields] == ["str", "int", "Yuan", "Author | None", "dict[str, int]"]


# --- interfaces --------------------------------------------------------------------------------------------------

PERMITS = (
    HEAD
    + """

class Permits(Contract):
    asked = Value(int)

    @view
    def permits(self, site: str, code: str = "x") -> bool:
        return site == code

    @view
    def wrong(self) -> str:
        return "yes"

    @view
    def note(self) -> dict:
        return {"text": "from there"}

    @action
    def enrol(self, note: dict) -> None:
        self.asked += note["stars"]

    @action
    def count(self, by: int) -> int:
        self.asked += by
        return self.asked

    @action
    def later(self, code: str, more: int) -> int:
        return more
"""
)
ASKER = (
    HEAD
    + '''

class Registry(Interface):
    """Who may do what.

    zh: 名录。
    """

    @view
    def permits(self, site: str, code: str = "y") -> bool:
        """Tell."""

    @view
    def wrong(self) -> bool:
        """Tell, wrongly."""

    @view
    def note(self) -> Note:
        """Show a note."""

    @view
    def missing(self) -> int:
        """Nobody has this."""

    @action
    def enrol(self, note: Note) -> None:
        """Put on the list."""

    @action
    def count(self, by: int) -> int:
        """Count."""

    @action
    def later(self, code: str) -> int:
        """A method that has got another argument since."""


class Sneaky(Interface):
    @view
    def count(self, by: int) -> int:
        """An action, called as if it only read."""

    @action
    def permits(self, site: str) -> bool:
        """A view, called as an action."""

    @view
    def enrol(self, note: dict) -> None:
        """Returns nothing."""

    @view
    def wrong(self) -> None:
        """Returns something."""


class Asker(Contract):
    @action
    def go(self, how: str, to: str = "permits") -> list:
        if how == "named":
            return [Registry(to).permits(code="a", site="a"), Registry(to).permits("a")]
        if how == "record":
            note = Registry(to).note()
            note.stars += 4
            Registry(to).enrol(note)
            Registry(to).enrol(note=note)
            return [note, Registry(to).count(0)]
        if how == "wrong":
            return [Registry(to).wrong()]
        if how == "missing":
            return [Registry(to).missing()]
        if how == "types":
            return [Registry(to).permits(self.height)]
        if how == "map":
            return [Registry(to).permits([to])]
        if how == "sneaky":
            return [Sneaky(to).count(5)]
        if how == "view":
            return [Sneaky(to).permits("x")]
        if how == "nothing":
            return [Sneaky(to).wrong()]
        if how == "later":
            return [Registry(to).later("a")]
        if how == "name":
            return [Registry(self.height).permits("a")]
        return [self.peek(to)]

    @view
    def peek(self, to: str) -> int:
        return Registry(to).count(1)
'''
)


def asker() -> SandboxContract:
    box = Sandbox()
    box.deploy(PERMITS, sender=ALICE)
    return box.deploy(ASKER, sender=ALICE)


def test_another_contract_is_asked_as_its_interface_says() -> None:
    ask = asker()
    assert ask.go("named").result == [True, False]
    note, counted = ask.go("record").result
    assert (note, counted) == ({**WHOLE, "text": "from there", "stars": 4}, 8)
    assert ask.go("view").result == [True]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("wrong", 'what Registry("permits").wrong returns must be bool, not str'),
        ("nothing", 'what Sneaky("permits").wrong returns must be None, not str'),
        ("missing", 'permits has no view "missing"'),
        ("types", "argument site of Registry.permits must be str, not int"),
        ("map", "argument site of Registry.permits must be str, not list"),
        ("sneaky", "permits.count is an action: send a transaction"),
        ("peek", "permits.count is an action: send a transaction"),
        ("later", "argument more is missing"),
        ("name", "Registry(...) takes the name of a contract, not int"),
    ],
)
def test_what_does_not_agree_with_the_interface_is_refused_by_name(how: str, words: str) -> None:
    outcome = asker().attempt("go", how)
    assert outcome.outcome == "fault"
    assert words in outcome.error
    assert outcome.changes == {}


def test_the_contract_behind_an_interface_must_be_there() -> None:
    assert 'there is no contract "nobody": deploy it first' in asker().attempt("go", "named", "nobody").error
    assert 'asker has no view "missing"' in asker().attempt("go", "missing", "asker").error


def test_a_client_learns_which_contracts_a_contract_calls() -> None:
    registry, sneaky = describe(ASKER).interfaces
    assert registry.sentences == {"en": "Who may do what.", "zh": "名录。"}
    assert [method.name for method in registry.views] == ["permits", "wrong", "note", "missing"]
    assert [method.name for method in registry.actions] == ["enrol", "count", "later"]
    assert sneaky.method("permits") is not None
    assert sneaky.method("nobody") is None


def test_a_view_that_fails_says_why() -> None:
    with pytest.raises(ContractFault, match="is an action"):
        asker().peek("permits")


# --- on a network ------------------------------------------------------------------------------------------------

PERMIT_OFFICE = """from minichain.contracts.api import Contract, view


class PermitOffice(Contract):
    @view
    def is_permitted(self, carrier: str, code: str) -> bool:
        return carrier == "hauler"
"""


def test_a_network_shows_amounts_and_records_as_a_sandbox_does() -> None:
    with Network.simulated(validators=1, seed=5) as net:
        anna = net.wallet("anna")
        net.deploy(PERMIT_OFFICE, sender=anna)
        bridge = net.deploy(WEIGHBRIDGE, sender=anna, registry="permit-office", price=Decimal("80.05"))
        bridge.grant_role("weigher", anna.did, "trained")
        bridge.arrive("l-1", "hauler")
        receipt = bridge.weigh("l-1", {"kilograms": 3125})
        assert (receipt.result, receipt.content.results) == (Decimal("250.16"), (25016,))
        assert net.contract("weighbridge").load("l-1") == {
            "carrier": "hauler",
            "axles": [{"kilograms": 3125, "note": ""}],
            "fee": Decimal("250.16"),
            "is_paid": False,
        }
        refused = bridge.attempt("arrive", "l-2", "smuggler")
        assert refused.error.endswith("smuggler is not permitted to bring waste")
