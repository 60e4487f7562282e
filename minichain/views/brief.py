"""A brief: two pages on paper from what a page shows, for somebody who has to decide and to sign.

It is one file without a script and without a request to anybody. Everything in it is text that `tag` escaped. It says
which run it is about, so that whoever doubts a figure can bring that run back.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Final

from minichain import __version__
from minichain.errors import UsageError
from minichain.views.case import Figure, Told
from minichain.views.i18n import TAGS, _, language, number
from minichain.views.icons import icon
from minichain.views.markup import Child, Safe, join, tag

MAX_WORDS: Final = 700  # letters in what somebody writes: more does not fit on two pages
MAX_QUESTION: Final = 200  # letters: it is written large, above everything else
MAX_SIGNER: Final = 60  # letters
MOST_ROWS: Final = 8  # of the table
MOST_FIGURES: Final = 10
MOST_POINTS: Final = 7

_STYLE: Final = Path(__file__).with_name("brief.css")
_CHECKED, _UNCHECKED = "\N{BALLOT BOX WITH CHECK}", "\N{BALLOT BOX}"


@dataclass(frozen=True, slots=True)
class Written:
    """What a person adds: nothing of it is decided by the page. `kept` are the safeguards that were ticked."""

    question: str = ""
    surprise: str = ""
    kept: frozenset[str] = frozenset()
    decision: str = ""
    signer: str = ""

    def __post_init__(self) -> None:
        for words, most in ((self.question, MAX_QUESTION), (self.surprise, MAX_WORDS), (self.signer, MAX_SIGNER)):
            if len(words) > most:
                told = _("A brief has two pages: write at most {count} letters in one box.")
                raise UsageError(told.format(count=number(most)))


@dataclass(frozen=True, slots=True)
class Run:
    """Which run a brief is about: its page and code, from what chance it came, and when it was looked at."""

    app: str
    title: str
    code: str
    seed: str
    date: str


def decisions() -> dict[str, str]:
    """Return what may be decided."""
    return {"go": _("Go ahead"), "pilot": _("Try it as a pilot"), "no": _("Do not do it")}


def page(
    run: Run,
    told: Told,
    tried: Sequence[tuple[str, str]],
    figures: Sequence[Figure],
    limits: Sequence[str],
    written: Written,
) -> str:
    """Return the brief as an HTML document; raises `UsageError` if something is too long for two pages."""
    if len(told.rows) > MOST_ROWS:
        told = replace(told, rows=told.rows[:MOST_ROWS])
    style = _STYLE.read_text("utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}' 'unsafe-hashes'; img-src data:; base-uri 'none'"
    title = _("Brief: {title}").format(title=run.title)
    body = join(
        _first(run, told, tried, figures[:MOST_FIGURES], written, title),
        _second(run, told, limits, written, title),
    )
    head = join(
        Safe('<meta charset="utf-8">'),
        Safe(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        Safe('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        tag("title", title),
        Safe(f"<style>{style}</style>"),
    )
    html = tag("html", tag("head", head), tag("body", body, lang=_tag()), lang=_tag())
    return f"<!DOCTYPE html>\n{html}\n"


def _tag() -> str:
    return TAGS.get(language(), "en")


def _top(title: str, run: Run, number: int) -> Safe:
    place = _("page {number} of 2").format(number=number)
    return tag("header", tag("h1" if number == 1 else "strong", title), tag("small", f"{run.date} · {place}"))


def _first(
    run: Run,
    told: Told,
    tried: Sequence[tuple[str, str]],
    figures: Sequence[Figure],
    written: Written,
    title: str,
) -> Safe:
    settings = tag("div", tag("h2", _("What we tried")), _pairs(tried))
    happened = tag(
        "div",
        tag("h2", _("What came of it")),
        _pairs([(figure.name, figure.shown) for figure in figures]),
        tag("h2", _("Which run this is")),
        _pairs([(_("Seed"), run.seed), (_("Version"), f"minichain {__version__}"), (_("Date"), run.date)]),
    )
    back = _("Run code, which brings this page back with its figures: open “{app}” and enter it under “Make my brief”.")
    return tag(
        "section",
        _top(title, run, 1),
        tag("p", written.question or told.question, class_="question"),
        tag("div", settings, happened, class_="columns"),
        tag("h2", _("What happened")),
        *([told.chart, _table(told)] if told.rows else [tag("p", _("Nothing was run before this brief was made."))]),
        tag("footer", back.format(app=run.title), " ", tag("code", run.code)),
        class_="sheet",
    )


def _second(run: Run, told: Told, limits: Sequence[str], written: Written, title: str) -> Safe:
    unproven = list(chain(told.unproven, limits))[:MOST_POINTS]
    return tag(
        "section",
        _top(title, run, 2),
        tag("h2", _("What surprised us")),
        tag("div", written.surprise, class_="write"),
        tag("h2", _("Safeguards")),
        tag("ul", (_safeguard(words, words in written.kept) for words in told.safeguards), class_="checks"),
        tag("h2", _("What this does not prove")),
        tag("ul", (tag("li", words) for words in unproven)),
        tag("h2", _("A simpler alternative")),
        tag("p", told.alternative),
        tag("h2", _("Decision")),
        tag("p", *_decided(written.decision), class_="decision"),
        tag(
            "div",
            tag("div", tag("b", written.signer), tag("br"), _("Who signs (role)")),
            tag("div", tag("b", ""), tag("br"), _("Signature")),
            tag("div", tag("b", ""), tag("br"), _("Date")),
            class_="sign",
        ),
        tag("footer", _("Training data: all people, places and figures are invented. This is no legal advice.")),
        class_="sheet",
    )


def _pairs(pairs: Sequence[tuple[str, str]]) -> Safe:
    return tag("dl", ((tag("dt", name), tag("dd", value)) for name, value in pairs))


def _table(told: Told) -> Safe:
    head = tag("tr", (tag("th", name) for name in told.columns))
    body = (tag("tr", map(_cell, row)) for row in told.rows)
    return tag("table", tag("caption", told.caption), tag("thead", head), tag("tbody", body))


def _cell(value: Child) -> Safe:
    return tag("td", number(value), class_="n") if isinstance(value, int) else tag("td", value)


def _safeguard(words: str, is_kept: bool) -> Safe:
    said = _("in place: ") if is_kept else _("not in place: ")
    mark = tag("span", _CHECKED if is_kept else _UNCHECKED, class_="box", aria_label=said, role="img")
    return tag("li", mark, tag("span", words))


def _decided(decision: str) -> list[Safe]:
    return [
        tag(
            "span",
            tag("span", _CHECKED if name == decision else _UNCHECKED, class_="box", aria_hidden="true"),
            " ",
            tag("b", words, class_="chosen") if name == decision else words,
        )
        for name, words in decisions().items()
    ]


def link(document: str, name: str) -> Safe:
    """Offer a brief as a file; it is in the page already, and nobody is asked for it."""
    return _download(document.encode(), "text/html", f"{name}.html", _("Save as a web page"))


def pdf_link(document: bytes, name: str) -> Safe:
    """Offer a printed brief as a file."""
    return _download(document, "application/pdf", f"{name}.pdf", _("Save the PDF"))


def _download(data: bytes, kind: str, name: str, words: str) -> Safe:
    href = f"data:{kind};base64,{b64encode(data).decode()}"
    return tag("a", icon("download", 18), words, href=href, download=name, class_="mc-link mc-save")
