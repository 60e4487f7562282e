"""A brief: two pages that say what was tried, what came of it and what stays open; static, escaped, printable."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from itertools import product
from random import Random

import plotly.graph_objects as go
import pytest
from browser import require_browser, visit
from paper import fullness, longest
from test_views_frame import (
    lie,
    of_consensus,
    of_crossings,
    of_custody,
    of_kinds,
    of_sharding,
    steal,
    weigh_risk,
)
from test_views_markup import HOSTILE, Reader
from test_views_server import ROOT
from wasteday import played

from minichain.client import Network
from minichain.errors import UsageError
from minichain.scenarios import comparison
from minichain.scenarios import need as worksheet
from minichain.scenarios.points import workshop
from minichain.scenarios.points.street import Street
from minichain.scenarios.residents import Town
from minichain.scenarios.residents.town import Place
from minichain.scenarios.voting.council import Council
from minichain.views import brief, briefing, i18n, ledgers, printing, stills
from minichain.views.alliance_voting_model import Alliance
from minichain.views.alliance_voting_model import Reader as CouncilReader
from minichain.views.brief import Written
from minichain.views.briefs import credentials, explorer, need, points, voting
from minichain.views.case import Case
from minichain.views.citizen_points_model import Points, PointsReader
from minichain.views.explorer import Explorer
from minichain.views.gallery import read_apps
from minichain.views.markup import Safe
from minichain.views.models import ChainReader
from minichain.views.need_a_chain import Worksheet
from minichain.views.residents import Desk, DeskReader

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


@pytest.fixture(scope="module")
def all_cases(made) -> Iterator[dict[str, Case]]:
    """Every app with something to tell: the longest brief that a visitor comes to without trying."""
    with (
        Network.simulated(4, seed=7, clock="wall") as one,
        Network.simulated(1, seed=7, clock="wall") as two,
        Network.simulated(1, seed=21) as three,
    ):
        yield {
            **made,
            "crossings": stolen(),
            "kinds": compared(),
            "explorer": cheated(),
            "need": answered(),
            "voting": of_council(one),
            "points": of_street(two),
            "credentials": of_town(three),
        }


def stolen() -> Case:
    case = of_crossings()
    steal(case)
    return case


def compared() -> Case:
    case = of_kinds()
    for kind in ledgers.names():
        case.model.keep_figures((kind, *case.model.design), comparison.run(kind, *case.model.design))
    return case


def cheated() -> Case:
    case = explorer.case(Explorer(), None)
    case.model.show(ChainReader()(played()))
    case.model.proof = played().proof(case.model.recent[0].id)
    case.model.effort, case.model.wish = 2, "another"
    return case


def answered() -> Case:
    model = Worksheet(worksheet)
    model.choose(worksheet.cards()[0].id)
    model.compare()
    return need.case(model)


def of_council(net: Network) -> Case:
    council, case = Council(net), voting.case(Alliance(Council), None)
    council.play()
    case.model.show(CouncilReader()(council))
    return case


def of_street(net: Network) -> Case:
    street, model = Street(net, {}, Random(7).randbytes), Points(workshop, Street.residents)
    street.play()
    model.show(PointsReader(lambda: 0)(street))
    return points.case(model, None)


def of_town(net: Network) -> Case:
    town, model = Town(Place(net, {}, Random(21).randbytes)), Desk()
    town.play()
    model.show(DeskReader()(town))
    return credentials.case(model, None, Town)


def test_every_brief_is_two_pages_of_paper_in_both_languages(all_cases, chromium):
    assert len(all_cases) == len(read_apps(ROOT / "apps", "en"))
    wrong = []
    for language, (name, case) in product(("en", "zh"), all_cases.items()):
        i18n.use(language)
        document = briefing.document(case, longest(case, language))
        assert "data-figure" not in document, "nothing opens on paper"
        with visit(chromium) as seen:
            seen.page.set_content(document)
            pages = len(re.findall(rb"/Type\s*/Page\b", seen.page.pdf(prefer_css_page_size=True)))
            full = fullness(seen.page)
        wrong += [(language, name, pages, full)] if pages != 2 or max(full) > 1 else []
    assert wrong == []


def test_a_brief_is_printed_by_the_browser_that_is_installed(made, monkeypatch):
    monkeypatch.setenv(printing.VARIABLE, require_browser())
    document = printing.pdf(briefing.document(made["consensus"], Written()))
    assert document.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", document)) == 2
    assert brief.pdf_link(document, "brief").count("data:application/pdf;base64,") == 1
