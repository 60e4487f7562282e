"""No raw word in an app: every text is in both catalogues, errors and sentences about transactions included."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from test_views_i18n import ROOT, source_texts

from minichain.contracts import system
from minichain.errors import Reverted
from minichain.views import gallery, i18n, parts, refusals, telling

VIEWS = ROOT / "minichain/views"
POINTS = ("catalogue", "accounts", "ledger", "cases", "redemption")
SIGNED_FOR = [
    ROOT / "minichain/scenarios/waste/contract.py",
    ROOT / "minichain/scenarios/waste/registry.py",
    *(ROOT / f"minichain/scenarios/points/{name}.py" for name in POINTS),
    *(Path(str(system.__file__)).with_name(f"{name}.py") for name in ("status", "grants", "accreditation")),
]
# What takes words that a reader sees: the place of the argument, or its name.
SHOWN = {
    "heading": (0, 1), "paragraph": (0,), "kpi": (0, 2), "note": (1,), "lamp": (0, 2), "drawer": (0,), "chip": (1,),
    "button": (0,), "field": (1, 2), "tabs": (), "Slide": (0,), "PickList": (0, 1), "LongAction": (0,),
    "ConfirmButton": (0, 1, 2), "Figure": (0,), "more": (0,), "table": (0,),
}  # fmt: skip
NAMED = {"title", "sentence", "description", "note", "caption", "question", "alternative", "empty"}


@pytest.fixture(autouse=True)
def _own_language():
    yield
    i18n.use("en")


def pages() -> list[Path]:
    return [path for path in sorted(VIEWS.rglob("*.py")) if path.name not in ("magic.py", "capacity_page.py")]


def literals(call: ast.Call) -> list[ast.expr]:
    """Return the arguments of a call that a reader sees."""
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    places = [call.args[at] for at in SHOWN.get(name, ()) if at < len(call.args)]
    return places + [word.value for word in call.keywords if word.arg in NAMED and name != "ArgumentParser"]


def is_raw(node: ast.expr) -> bool:
    """Tell whether an expression is text that did not go through a catalogue; a single sign or unit is none."""
    if isinstance(node, ast.JoinedStr):
        return any(is_raw(part) for part in node.values if isinstance(part, ast.Constant))
    return isinstance(node, ast.Constant) and bool(re.search(r"[^\W\d_]{3,}", str(node.value or "")))


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.relative_to(VIEWS)))
def test_whatever_a_reader_sees_goes_through_a_catalogue(path):
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    raw = [f"line {node.lineno}: {ast.unparse(node)}" for call in calls for node in literals(call) if is_raw(node)]
    assert raw == []


def test_the_search_finds_a_raw_word():
    call = ast.parse('button("Press me", act)').body[0].value
    assert [is_raw(node) for node in literals(call)] == [True]


def test_every_text_stands_in_the_english_catalogue_too():
    read = (VIEWS / "locale/en/LC_MESSAGES/minichain.po").read_text("utf-8")
    listed = set(re.findall(r'^msgid "((?:[^"\\]|\\.)*)"$', read.replace('"\n"', ""), re.MULTILINE))
    texts = {json.dumps(text.split("\0")[0], ensure_ascii=False)[1:-1] for text in source_texts()}
    assert texts - listed == set(), "run pybabel update, as minichain/views/i18n.py says"
    assert listed - texts == set(), "these are no longer used: run pybabel update"


def test_no_english_text_is_an_identifier():
    """A text that is missing shows its English source, so that must be words and not a name from the code."""
    names = {text for text in source_texts() if re.fullmatch(r"[a-z]+(_[a-z]+)+|[A-Z]+(_[A-Z]+)+", text)}
    assert names == set()


def test_every_app_describes_itself_in_both_languages():
    for app in gallery.read_apps(ROOT / "apps", "zh"):
        assert re.search(r"[\u4e00-\u9fff]", app.title), app
        assert re.search(r"[\u4e00-\u9fff]", app.sentence), app


# --- refusals ----------------------------------------------------------------------------------------------------


def refused_with(path: Path) -> set[str]:
    """Return what a contract says when it refuses, with what it fills in as {1}, {2}, ..."""
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    required = [call.args[-1] for call in calls if getattr(call.func, "id", "") == "require" and call.args]
    return {words for words in map(pattern, required) if words}


def pattern(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if not isinstance(node, ast.JoinedStr):
        return ""
    words, holes = "", 0
    for part in node.values:
        holes += not isinstance(part, ast.Constant)
        words += str(part.value) if isinstance(part, ast.Constant) else f"{{{holes}}}"
    return words


@pytest.mark.parametrize("path", SIGNED_FOR, ids=lambda path: path.stem)
def test_every_refusal_has_a_translation(path):
    said = refused_with(path)
    assert said
    assert said - set(refusals.known()) == set(), "add these to minichain/views/refusals.toml"


def test_no_translation_of_a_refusal_is_left_over_and_each_fills_in_what_the_contract_does():
    said = set().union(*map(refused_with, SIGNED_FOR))
    assert set(refusals.known()) - said == set()
    for english, chinese in refusals.known().items():
        assert sorted(re.findall(r"\{\d\}", english)) == sorted(re.findall(r"\{\d\}", chinese)), english


def test_an_official_reads_the_reason_in_the_language_of_the_page():
    error = Reverted("line 1: a comment is mandatory, because of the difference; explain it")
    assert "a comment is mandatory" in parts.explain(error)
    i18n.use("zh")
    assert "必须填写备注" in parts.explain(error)
    assert "what nobody has translated" in parts.explain(Reverted("what nobody has translated"))


def test_sentences_about_transactions_are_translated():
    i18n.use("zh")
    assert re.search(r"[\u4e00-\u9fff]", telling.deed("submitted", "A"))
