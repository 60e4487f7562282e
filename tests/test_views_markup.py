"""Everything shown may be hostile: whatever a name says, the page shows exactly that text and nothing else happens."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minichain import merkle
from minichain.errors import CallFailed, Reverted, UsageError
from minichain.views import parts, pictures
from minichain.views.icons import PATHS, icon
from minichain.views.markup import Safe, clean, escape, fill, join, tag

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</text></svg><script>alert(1)</script>",
    "javascript:alert(1)",
    "&lt;b&gt;",
    "{{7*7}} ${7*7}",
    "a\u202egnp.exe",
    "\x00\x1b[31mred",
]


class Reader(HTMLParser):
    """Reads markup as a browser would: what is text, what is an element, what is an attribute."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.tags, self.attributes = "", [], []
        self.feed(markup)
        self.close()

    def handle_starttag(self, name, attributes):
        self.tags.append(name)
        self.attributes += attributes

    def handle_data(self, data):
        self.text += data


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_out_as_the_same_text(text):
    read = Reader(tag("p", text, title=text))
    assert read.tags == ["p"]
    assert read.text.replace("\r", "\n") == clean(text).replace("\r", "\n")
    assert dict(read.attributes)["title"] == clean(text)


def test_a_text_is_filled_with_markup_and_with_words_each_as_what_it_is():
    made = fill("{who} & <{count}> of {count}", who="<b>", count=tag("b", 3))
    assert isinstance(made, Safe)
    assert made == "&lt;b&gt; &amp; &lt;<b>3</b>&gt; of <b>3</b>"
    with pytest.raises(KeyError):
        fill("{nobody}")


def test_a_control_that_reorders_text_is_made_visible():
    assert clean("a\u202egnp.exe") == "a\N{REPLACEMENT CHARACTER}gnp.exe"


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", " javascript:alert(1)", "data:image/svg+xml,<svg/>", "vbscript:x", "ftp://x"]
)
def test_a_link_leads_only_where_links_may_lead(address):
    with pytest.raises(UsageError, match="not allowed"):
        tag("a", "x", href=address)


@pytest.mark.parametrize(
    "address", ["/voila/", "?lang=zh", "#top", "https://example.org", "data:text/csv;charset=utf-8,a"]
)
def test_ordinary_links_work(address):
    assert dict(Reader(tag("a", "x", href=address)).attributes)["href"] == address


def test_no_attribute_can_run_a_script():
    with pytest.raises(UsageError, match="scripts"):
        tag("p", onclick="alert(1)")
    with pytest.raises(UsageError):
        tag("p", **{'x"><script': "1"})
    with pytest.raises(UsageError):
        tag("p><script", "x")


def test_a_slip_shows_instead_of_opening_a_door():
    assert not isinstance(tag("b", "x") + "<i>", Safe)
    assert "&lt;b&gt;" in tag("p", tag("b", "x") + "<i>")


def test_children_nest_and_nothing_is_left_out():
    assert join("a", None, 7, [tag("b", "c"), ("d", "<")]) == "a7<b>c</b>d&lt;"
    assert tag("i", hidden=True, open=False, title=None, data_x=0, class_="y") == '<i hidden data-x="0" class="y"></i>'


def everything(text: str) -> list[Safe]:
    """Every part and picture, with one text in every place that takes one."""
    entries = [text.encode("utf-8", "replace"), b"b", b"c"]
    stop = parts.Stop(text, "truck", "bad", text, text, text, text)
    flows = [pictures.Flow(text, "b", 3, "bad", text), pictures.Flow("b", text + "2", 2)]
    return [
        parts.chip("ok", text),
        parts.heading(text, text),
        parts.paragraph(text),
        parts.kpi(text, text, text, text),
        parts.table(text, [text, "b"], [[text, 1], [text, text]]),
        parts.table(text, [text], [], text),
        parts.facts([(text, text)]),
        parts.sentences([text, ("warn", text)]),
        parts.note("info", text, text),
        parts.limits([text]),
        parts.drawer(text, text),
        parts.tasks(text, [(True, text), (False, text)]),
        parts.progress([(text, "done"), (text, "failed")], text),
        parts.codeline(text),
        parts.error_card(text, text, text, text),
        parts.explain(Reverted(text)),
        parts.explain(CallFailed(text, None)),
        parts.custody(text, [stop, stop]),
        pictures.sankey(text, flows, text),
        pictures.merkle_picture(text, entries[0], 0, 3, merkle.inclusion_proof(0, entries), merkle.root(entries)),
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_part_lets_hostile_text_become_markup(text):
    harmless = [Reader(part) for part in everything("harmless")]
    for expected, part in zip(harmless, everything(text), strict=True):
        read = Reader(part)
        assert read.tags == expected.tags
        assert [name for name, _value in read.attributes] == [name for name, _value in expected.attributes]


def test_what_our_own_bugs_say_is_not_shown_to_readers():
    card = parts.explain(KeyError("/home/someone/secret"))
    assert "secret" not in card
    assert "KeyError" in card


def test_every_icon_can_be_drawn():
    assert all(escape(path) == path for path in PATHS.values())
    assert 'aria-hidden="true"' in icon("check")
    assert 'aria-label="done"' in icon("check", label="done")
