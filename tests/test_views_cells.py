"""What a notebook shows of contracts, without a browser: the magic in a real IPython shell, and its pictures."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from test_views_i18n import raw_words
from test_views_markup import Reader

import minichain as mc
from minichain.catalogue import LESSONS
from minichain.contracts import ContractText, Sandbox
from minichain.contracts.written import read_cell
from minichain.errors import LanguageError
from minichain.views import cells, i18n

POT = '''LIMIT = 10


def capped(amount):
    return min(amount, LIMIT)


class Pot(Contract):
    """Keep what people bring."""

    total = Value(int)
    by = Map(str, int)

    @action
    def put(self, amount: int) -> int:
        """Put an amount into the pot."""
        require(amount > 0, "bring something")
        if amount > LIMIT:
            emit("Capped", by=self.caller)
        self.total += capped(amount)
        return self.total

    @view
    def twice(self) -> int:
        """Tell twice the total."""
        return self.total * 2
'''
BROKEN = '''class Pot(Contract):
    """Keep what people bring."""

    total = Value(int)

    @action
    def put(self, amount: int) -> None:
        self.total += amount * 1.5
        print("<b>done</b>")
'''


@pytest.fixture(autouse=True)
def _own_language() -> Iterator[None]:
    yield
    i18n.use("en")


@pytest.fixture
def shell() -> Iterator[Any]:
    main = sys.modules["__main__"]  # a shell takes that place, and processes that are started later miss it
    made = InteractiveShell.instance()
    made.user_ns.clear()
    made.run_cell("%load_ext minichain")
    yield made
    InteractiveShell.clear_instance()
    sys.modules["__main__"] = main


def magic(shell: Any, cell: str, line: str = "") -> tuple[Any, str]:
    """Run a cell with the magic and return the result with what was displayed."""
    with capture_output() as seen:
        result = shell.run_cell(f"%%contract {line}\n{cell}")
    return result, "".join(output.data.get("text/html", "") for output in seen.outputs)


# --- the magic ---------------------------------------------------------------------------------------------------


def test_a_good_cell_gives_its_contract_to_the_notebook_and_shows_its_interface(shell: Any) -> None:
    result, page = magic(shell, POT)
    result.raise_error()
    text = shell.user_ns["Pot"]
    assert isinstance(text, ContractText)
    assert Reader(page).text.startswith("PotKeep what people bring.")
    assert "put(amount: int) -> int" in Reader(page).text
    assert "Put an amount into the pot." in Reader(page).text
    box = Sandbox()
    pot = box.deploy(text, sender=box.account("Ann"))
    assert (pot.put(25).result, pot.twice()) == (10, 20)


def test_a_network_takes_it_as_well() -> None:
    with mc.Network.simulated(validators=1, seed=1) as net:
        pot = net.deploy(read_cell(POT), sender=net.wallet("Ann"))
        assert pot.put(3).result == 3


def test_lines_have_the_numbers_of_the_cell(shell: Any) -> None:
    """The line of the magic is line 1 of a cell, and of the source on chain."""
    magic(shell, POT)
    source = shell.user_ns["Pot"].source
    assert (
        source.splitlines()[0]
        == "from minichain.contracts.api import Contract, Value, Map, action, view, require, emit"
    )
    assert source.splitlines()[1:] == POT.splitlines()
    box = Sandbox()
    pot = box.deploy(source, sender=box.account("Ann"))
    line = POT.splitlines().index('        require(amount > 0, "bring something")') + 2
    assert pot.attempt("put", 0).error == f"pot.put, line {line}: bring something"


def test_a_cell_may_import_the_interface_itself() -> None:
    own = "from minichain.contracts.api import Contract, Value, action\n\n" + BROKEN
    text = read_cell(own)
    assert text.source.startswith("\nfrom minichain")
    assert [found.line for found in text.violations] == [11, 12], "below an empty line 1"


def test_violations_are_marked_and_explained_in_the_cell_and_the_contract_cannot_be_deployed(shell: Any) -> None:
    result, page = magic(shell, BROKEN)
    result.raise_error()
    assert re.findall(r"<mark>(.*?)</mark>", page) == ["1.5", "print"]
    read = Reader(page).text
    assert "2 places leave the contract language" in read
    assert "count in the smallest unit, as an integer" in read
    assert "MC115" in read
    assert "<b>" not in page
    with pytest.raises(LanguageError, match="line 9"):
        Sandbox().deploy(shell.user_ns["Pot"], sender="Ann")


def test_the_text_form_marks_the_place_too() -> None:
    lines = str(read_cell(BROKEN)).splitlines()
    assert lines[0] == "2 places leave the contract language"
    at = lines[1].index("1.5")
    assert lines[2][at : at + 9] == "^^^ MC115"
    assert lines[4].strip().startswith("instead: count in the smallest unit")
    assert repr(read_cell(BROKEN)) == "<contract text Pot: 2 violations>"
    interface = str(read_cell(POT)).splitlines()
    assert interface[:4] == [
        "Pot: Keep what people bring.",
        "actions",
        "  put(amount: int) -> int",
        "      Put an amount into the pot.",
    ]


@pytest.mark.parametrize(
    ("cell", "code"),
    [("class Pot(Contract)\n    pass", "MC001"), ("", "MC301"), ("x = 1\ny = open('f')", "MC403"), ("\x00", "MC003")],
)
def test_any_cell_gets_an_answer(cell: str, code: str) -> None:
    text = read_cell(cell)
    assert code in {found.code for found in text.violations}
    assert code in Reader(cells.contract(text)).text
    assert code in str(text)


def test_the_card_speaks_chinese_for_one_cell(shell: Any) -> None:
    _, page = magic(shell, POT, "--lang zh")
    assert "可以做什么" in Reader(page).text
    assert i18n.language() == "en"


@pytest.mark.parametrize(("record", "said"), [('{"language": "zh"}', "可以做什么"), ("{", "What may be done")])
def test_in_a_chinese_lesson_the_card_speaks_chinese(record: str, said: str, tmp_path: Path, monkeypatch: Any) -> None:
    for asked in ("QUERY_STRING", "HTTP_ACCEPT_LANGUAGE"):
        monkeypatch.delenv(asked, raising=False)
    (tmp_path / LESSONS).write_text(record, "utf-8")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    i18n.use(None)
    assert said in Reader(cells.contract(read_cell(POT))).text


@pytest.mark.parametrize("line", ["--lang fr", "--lang", "zh", "--name x"])
def test_an_unknown_option_is_an_error_that_names_the_options(shell: Any, line: str) -> None:
    result, _ = magic(shell, POT, line)
    with pytest.raises(Exception, match=rf"takes one option: --lang en or zh, not '{line}'"):
        result.raise_error()
    assert "Pot" not in shell.user_ns


# --- the pictures ------------------------------------------------------------------------------------------------


def played() -> tuple[Sandbox, Any]:
    box = Sandbox(steps=True)
    return box, box.deploy(read_cell(POT), sender=box.account("Ann"))


def test_outcomes_traces_and_reports_are_shown_as_pictures(shell: Any) -> None:
    box, pot = played()
    formatter = shell.display_formatter.formatters["text/html"]
    outcome = Reader(formatter(pot.put(25))).text
    assert all(word in outcome for word in ("pot.total", "Capped", "by Ann", " steps"))
    assert "did:key" not in outcome
    assert "bring something" in Reader(formatter(pot.attempt("put", 0))).text
    assert "amount = 25" in Reader(formatter(pot.put(25).steps)).text
    assert "never ran" in Reader(formatter(box.report())).text
    with mc.Network.simulated(validators=1, seed=1) as net:
        receipt = net.deploy(read_cell(POT), sender=net.wallet("Ann")).put(3)
        assert "Block 2" in Reader(formatter(receipt)).text


def test_what_others_wrote_is_shown_as_text() -> None:
    hostile = '<img src=x onerror="alert(1)">'
    source = POT.replace("Keep what people bring.", hostile.replace('"', "'")).replace(
        "bring something", hostile.replace('"', "'")
    )
    box = Sandbox(steps=True)
    pot = box.deploy(read_cell(source), sender=box.account(hostile))
    pictures = [
        cells.contract(read_cell(source)),
        cells.outcome(pot.put(25)),
        cells.outcome(pot.attempt("put", 0)),
        cells.report(box.report()),
    ]
    assert not [page for page in pictures if "<img" in page]


def test_no_picture_shows_a_text_that_was_never_wrapped() -> None:
    i18n.use(i18n.PSEUDO)
    box, pot = played()
    done, refused = pot.put(25), pot.attempt("put", 0)
    own = POT + "PotKeep intPut intTell intby pot line Ann from minichain contracts api import"
    for page in (
        cells.outcome(done),
        cells.outcome(refused),
        cells.report(box.report()),
        cells.contract(read_cell(POT)),
    ):
        assert set(raw_words(Reader(page).text)) <= set(re.findall(r"\w+", own))
