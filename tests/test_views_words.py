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
SYSTEM = ("status", "grants", "accreditation", "governance")
POINTS = ("catalogue", "accounts", "evidence", "intake", "ledger", "cases", "redemption", "giving")
SIGNED_FOR = [
    ROOT / "minichain/scenarios/waste/contract.py",
    ROOT / "minichain/scenarios/waste/registry.py",
    *(ROOT / f"minichain/scenarios/points/{name}.py" for name in POINTS),
    *(Path(str(system.__file__)).with_name(f"{name}.py") for name in SYSTEM),
    ROOT / "minichain/contracts/parts.py",
    ROOT / "minichain/contracts/rulebook.py",
    ROOT / "minichain/elgamal/ballots.py",
    ROOT / "minichain/scenarios/voting/elections/contract.py",
    ROOT / "minichain/scenarios/voting/terms.py",
]
# What else an official may meet on the page of alliance voting; and the ledger, of which some is translated.
ACTED_BY = [
    ROOT / "minichain/contracts/pledges.py",
    *(ROOT / f"minichain/scenarios/voting/{name}.py" for name in ("polls", "council", "coalitions")),
    *(ROOT / f"minichain/scenarios/voting/elections/{name}.py" for name in ("booth", "trustees")),
    ROOT / "minichain/client/rehearsing.py",
]
LEDGER = [ROOT / f"minichain/contracts/{name}.py" for name in ("lifecycle", "runtime")]  # some refusals are translated
REFUSING = ("require", "fault", "UsageError", "TimedOut")
# Functions that return a refusal, or "".
WHY_NOT = {
    "governance": ("hindrance", "obstacle"), "rulebook": ("out_of_reach",), "ballots": ("fault", "fault_of"),
}  # fmt: skip
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
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    required = [call.args[-1] for call in calls if getattr(call.func, "id", "") in REFUSING and call.args]
    names = {node.id for node in required if isinstance(node, ast.Name)}
    named = [node.value for node in nodes if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in names]
    telling = [node for node in nodes if getattr(node, "name", "") in WHY_NOT.get(path.stem, ())]
    returned = [node.value for one in telling for node in ast.walk(one) if isinstance(node, ast.Return)]
    said = [one for node in required + named + returned for one in alternatives(node)]
    return {words for words in map(pattern, said) if words}


def alternatives(node: ast.expr) -> list[ast.expr]:
    """Return what an expression may be."""
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    return node.values if isinstance(node, ast.BoolOp) else [node]


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


@pytest.mark.parametrize("path", SIGNED_FOR + ACTED_BY, ids=lambda path: path.stem)
def test_every_refusal_has_a_translation(path):
    said = refused_with(path)
    assert said
    assert said - set(refusals.known()) == set(), "add these to minichain/views/refusals.toml"


def test_no_translation_of_a_refusal_is_left_over_and_each_fills_in_what_the_contract_does():
    said = set().union(*map(refused_with, SIGNED_FOR + ACTED_BY + LEDGER))
    assert set(refusals.known()) - said == set()
    for english, chinese in refusals.known().items():
        assert holes(english) == holes(chinese), english


def holes(text: str) -> list[str]:
    return sorted(re.findall(r"\{(\d)(?::\w+)?\}", text))


def test_every_word_that_is_filled_in_stands_in_a_contract_and_every_table_is_used():
    sources = "\n".join(path.read_text("utf-8") for path in SIGNED_FOR + ACTED_BY)
    tables = refusals.tables()
    for english, chinese in (*tables["voting"].items(), *tables["points"].items()):
        assert all(part.strip(" ()") in sources for part in re.split(r"\{\d\}", english)), english
        assert holes(english) == holes(chinese), english
    texts = [chinese for table in tables.values() for chinese in table.values()]
    assert {name for text in texts for name in re.findall(r"\{\d:(\w+)\}", text)} == set(tables) - {refusals.REFUSALS}


def test_the_weight_of_a_vote_has_one_chinese_name_everywhere():
    """It was called by two: the rules said one, the page the other. The right to vote is another thing."""
    rooms = [ROOT / "minichain", ROOT / "notebooks/locale"]
    texts = [path for room in rooms for kind in ("po", "toml") for path in room.rglob(f"*.{kind}")]
    texts += [path for room in ("scenarios/voting", "contracts") for path in (rooms[0] / room).rglob("*.py")]
    assert len(texts) > 20
    assert [path.name for path in texts if re.search("(?<!投)票权", path.read_text("utf-8"))] == []


def test_an_official_reads_the_reason_in_the_language_of_the_page():
    error = Reverted("line 1: a comment is mandatory, because of the difference; explain it")
    assert "a comment is mandatory" in parts.explain(error)
    i18n.use("zh")
    assert "必须填写备注" in parts.explain(error)
    assert "what nobody has translated" in parts.explain(Reverted("what nobody has translated"))


def test_a_refused_vote_is_told_with_the_state_and_the_rules_in_the_language_of_the_page():
    i18n.use("zh")
    told = {
        "proposal 3 is Active: it cannot be executed": "提案 3 的状态是“表决中”：不能执行",
        "proposal 3 is Defeated (no_quorum): it cannot be sponsored": "提案 3 的状态是“未通过（参加者不足）”：不能联署",
        "by these rules a vote is one of: yes, no, abstain": "按现行规则，投票只能是：赞成、反对、弃权",
        "rule pack ours, track urgent, clause two: its part begins with yes": (
            "规则包 ours、紧急程序、条款 two：部分（part）须以 yes（赞成）开头"
        ),
        "only the role open may do this: an admin grants it": "只有角色 open 可以这样做：由管理员授予",
    }
    assert {english: refusals.said(english) for english in told} == told


def test_a_refused_entry_is_told_with_its_state_and_whose_task_it_is_in_the_language_of_the_page():
    i18n.use("zh")
    told = {
        "manifest HH-20260401 is Scheduled: a drop is verified when its load has arrived": (
            "联单 HH-20260401 的状态是 待收运：批次到达后才能核实投放"
        ),
        "entry 4 is Objected: this is done with one that is Recorded, Verified": (
            "分录 4 的状态是 异议中：此操作要求 已记录、已核实"
        ),
        "only the role verifier may do this: the owner of the scheme grants it": (
            "只有“核实单位”可以这样做：由计划负责机构授予"
        ),
    }
    assert {english: refusals.said(english) for english in told} == told


def test_sentences_about_transactions_are_translated():
    i18n.use("zh")
    assert re.search(r"[\u4e00-\u9fff]", telling.deed("submitted", "A"))
