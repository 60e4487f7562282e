"""A tip on every term: the first time a panel names one, it is underlined, and says in one sentence what it is.

The words are data (glossary.toml). Panels mark them by themselves; in links, buttons, code and pictures nothing is
marked. The page lists its terms once more for who reads by keyboard or ear.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from minichain.views.i18n import PSEUDO, language, translate
from minichain.views.markup import Safe, tag

FILE: Final = Path(__file__).with_name("glossary.toml")

_PIECES: Final = re.compile(r"(<[^>]*>)")
_OPENS: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)")
_LEFT_ALONE: Final = frozenset(
    {"a", "button", "code", "pre", "q", "svg", "summary", "th", "td", "caption", "h1", "h2", "dt", "style"}
)


@dataclass(frozen=True, slots=True)
class Term:
    """A term in one language: its name, the forms in which texts have it, and its tip."""

    name: str
    forms: tuple[str, ...]
    tip: str


@cache
def terms(language: str) -> tuple[Term, ...]:
    """Return the terms of a language; one without a glossary of its own has the English one."""
    read: list[Mapping[str, Any]] = tomllib.loads(FILE.read_text("utf-8"))["term"]
    code = language if language == "zh" else "en"

    def said(words: str) -> str:
        return translate(words, PSEUDO) if language == PSEUDO else words

    return tuple(Term(said(one[code][0]), tuple(one[code]), said(one[f"tip_{code}"])) for one in read)


@cache
def _pattern(language: str) -> re.Pattern[str]:
    forms = sorted((form for term in terms(language) for form in term.forms), key=len, reverse=True)
    words = "|".join(map(re.escape, forms))
    # A link (链接) is no chain (链).
    return re.compile(rf"(?:{words})(?!接)" if language == "zh" else rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE)


@cache
def _by_form(language: str) -> Mapping[str, Term]:
    return {form.lower(): term for term in terms(language) for form in term.forms}


def marked(content: Safe) -> Safe:
    """Mark the first mention of each term in a piece of markup."""
    speech, seen, closed = language(), set[Term](), 0

    def mark(found: re.Match[str]) -> str:
        term = _by_form(speech)[found[0].lower()]
        if term in seen:
            return found[0]
        seen.add(term)
        # Not a stop of the keyboard: those would be dozens. The list of words at the end of the page is one.
        return tag("span", Safe(found[0]), class_="mc-term", tabindex=-1, data_tip=term.tip)

    pieces = _PIECES.split(content)
    for at, piece in enumerate(pieces):
        if opens := _OPENS.match(piece):
            if opens[2].lower() in _LEFT_ALONE:
                closed += -1 if opens[1] else 1
        elif not closed and piece:
            pieces[at] = _pattern(speech).sub(mark, piece)
    return Safe("".join(pieces))


def plain(content: str) -> str:
    """Return the words of a piece of markup."""
    return _PIECES.sub(" ", content)
