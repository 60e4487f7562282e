"""A brief: two pages that say what was tried, what came of it and what stays open; static, escaped, printable."""

from __future__ import annotations

import re
import sys

import plotly.graph_objects as go
import pytest
from browser import require_browser
from paper import assert_two_pages
from test_views_frame import lie, of_consensus, of_crossings, of_custody, of_kinds, of_sharding, weigh_risk
from test_views_markup import HOSTILE, Reader

from minichain.errors import UsageError
from minichain.scenarios import need as needs
from minichain.views import brief, briefing, i18n, printing, stills
from minichain.views.brief import Written
from minichain.views.briefs import need
from minichain.views.markup import Safe
from minichain.views.need_a_chain import Worksheet

HEADINGS = [
    *("What we tried", "Which run this is", "What came of it", "What happened", "What surprised us", "Safeguards"),
    *("What this does not prove", "A simpler alternative", "Decision"),
]


@pytest.fixture(autouse=True)
def _own_language():
    yield
    i18n.use("en")


def cases():
    first, second = of_sharding(), of_consensus()
    weigh_risk(first)
    lie(second)
    return {"sharding": first, "consensus": second, "custody": of_custody()}


@pytest.fixture(scope="module")
def made():
    return cases()


@pytest.mark.parametrize("name", ["sharding", "consensus", "custody"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_brief_has_every_section_and_can_be_brought_back(made, name, language):
    i18n.use(language)
    case = made[name]
    page = briefing.document(case, Written(surprise="It went on.", decision="pilot", signer="Section chief"))
    read = Reader(page)
    assert ("lang", i18n.TAGS[language]) in read.attributes
    assert page.count('class="sheet"') == 2
    assert briefing.code_of(case) in page
    assert "It went on." in read.text
    assert "script" not in read.tags
    assert not re.search(r"https?://", page.replace("http-equiv", ""))
    if language == "en":
        assert [words for words in HEADINGS if words not in read.text] == []
        assert [limit for limit in case.limits if limit not in read.text] == []


def test_what_people_write_stays_text(made):
    for words in HOSTILE:
        read = Reader(briefing.document(made["consensus"], Written(question=words, surprise=words, signer=words)))
        assert not {"script", "img", "iframe"} & set(read.tags)
        assert not [name for name, _value in read.attributes if name.startswith("on")]


def test_what_does_not_fit_on_two_pages_is_told():
    for words, most in (({"surprise": "x" * 701}, 700), ({"question": "x" * 201}, 200), ({"signer": "x" * 61}, 60)):
        with pytest.raises(UsageError, match=f"at most {most} letters"):
            Written(**words)


def test_nothing_is_decided_until_somebody_decides(made):
    page = briefing.document(made["sharding"], Written())
    assert "\N{BALLOT BOX WITH CHECK}" not in page
    kept = made["sharding"].told().safeguards[0]
    ticked = briefing.document(made["sharding"], Written(kept=frozenset({kept}), decision="no"))
    assert ticked.count("\N{BALLOT BOX WITH CHECK}") == 2


def test_the_same_run_gives_the_same_brief():
    first, second = (briefing.document(cases()["consensus"], Written()) for _turn in range(2))
    assert first == second


# --- pictures that stand still -----------------------------------------------------------------------------------


def test_lines_dots_and_bars_are_drawn_and_nothing_without_a_place():
    figure = go.Figure(
        [
            go.Scatter(x=[1, 2, 3], y=[1.0, 0.1, 0.0], name="calculated", mode="lines"),
            go.Scatter(x=[2], y=[0.1], name="drawn", mode="markers", error_y={"array": [0.1], "arrayminus": [0.05]}),
        ]
    )
    figure.update_yaxes(type="log", title="Chance")
    figure.update_layout(title="A <title>")
    drawn = stills.still(figure)
    assert isinstance(drawn, Safe)
    assert "&lt;title&gt;" in drawn
    assert "nan" not in drawn
    assert drawn.count("<circle") == 2, "a dot, and one in the legend"
    assert stills.still(go.Figure(go.Bar(x=["a", "b"], y=[1, 3], name="n"))).count("<rect") == 3


def test_a_kind_that_is_not_drawn_is_told():
    with pytest.raises(UsageError, match="draw it as a table"):
        stills.still(go.Figure(go.Pie(values=[1])))


# --- on paper ----------------------------------------------------------------------------------------------------


def test_without_a_browser_the_reader_is_told_how_to_print(monkeypatch):
    monkeypatch.delenv(printing.VARIABLE, raising=False)
    monkeypatch.setattr(printing.shutil, "which", lambda name: None)
    monkeypatch.setattr(printing, "PLACES", {})
    with pytest.raises(UsageError, match="Install Chromium, Chrome or Edge"):
        printing.pdf("<p>")


def test_a_program_that_prints_nothing_is_told(monkeypatch):
    monkeypatch.setenv(printing.VARIABLE, sys.executable)
    with pytest.raises(UsageError, match="did not print the brief"):
        printing.pdf("<p>")


def test_a_brief_is_two_pages_of_paper_in_both_languages(made, monkeypatch):
    monkeypatch.setenv(printing.VARIABLE, require_browser())
    for language, name in (("en", "sharding"), ("zh", "custody"), ("zh", "consensus")):
        i18n.use(language)
        case = made[name]
        written = Written("Q" * 120, "w " * 300, frozenset(case.told().safeguards), "no", "Section chief")
        document = printing.pdf(briefing.document(case, written))
        assert document.startswith(b"%PDF")
        assert len(re.findall(rb"/Type\s*/Page\b", document)) == 2, (language, name)
        assert brief.pdf_link(document, "brief").count("data:application/pdf;base64,") == 1


def test_the_longest_brief_stands_on_two_pages():
    """Those of the other pages are looked at in their own tests, where their models are."""
    assert_two_pages(of_sharding, of_consensus, of_custody, of_crossings, of_kinds, lambda: need.case(Worksheet(needs)))
