"""Words in the viewer's language. English is the source text; a missing translation shows the English, never a key.

Catalogues are the plain text files locale/<locale>/LC_MESSAGES/minichain.po, read when they are first needed, so an
installation needs no compile step. To collect new texts and hand them to the translators (Babel comes with JupyterLab):

    pybabel extract -F minichain/views/babel.cfg -k translate:1 -k Verb:2 -k phrase:1 -s -w 120 --no-location \\
        --omit-header -o views.pot minichain/views minichain/faults/timeline.py minichain/contracts/changes.py apps
    pybabel update -D minichain -d minichain/views/locale -i views.pot -w 120 --no-fuzzy-matching --omit-header

The language is one setting per process, because Voila gives each viewer a process of their own.
"""

from __future__ import annotations

import gettext
import io
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import parse_qs

from minichain.catalogue import LESSONS, LOCALES, po_file, read_po, to_mo

PLURALS: Final = {"en": "nplurals=2; plural=(n != 1);", "zh": "nplurals=1; plural=0;"}
NAMES: Final = {"en": "English", "zh": "中文"}
TAGS: Final = {"en": "en", "zh": "zh-Hans"}  # for the HTML lang attribute
PSEUDO: Final = "pseudo"  # marks every translated text, so a text that was never wrapped in _() stands out

_FOLDER: Final = Path(__file__).with_name("locale")
_PLACEHOLDER: Final = re.compile(r"\{[^{}]*\}")


# --- which language ----------------------------------------------------------------------------------------------


def choose(query: str, accept_language: str = "") -> str:
    """Return the language a request asks for: `?lang=` first, then the browser's own list, then English."""
    asked = parse_qs(query).get("lang", [""])[0]
    for name in [asked, *(part.split(";")[0] for part in accept_language.split(","))]:
        base = name.strip().lower().partition("-")[0]
        if base in LOCALES or base == PSEUDO:
            return base
    return "en"


class _Chosen:
    language: str | None = None


def use(language: str | None) -> None:
    """Set the language of this process; None goes back to what the page request asks for."""
    if language is not None and language not in LOCALES and language != PSEUDO:
        raise ValueError(f"no catalogue for {language!r}: choose one of {', '.join(LOCALES)}")
    _Chosen.language = language


def language() -> str:
    """Return the language in use: Voila hands the page's request to a kernel in CGI's variables; a lesson has none."""
    if _Chosen.language is None:
        asked = os.environ.get("QUERY_STRING", ""), os.environ.get("HTTP_ACCEPT_LANGUAGE", "")
        _Chosen.language = choose(*asked) if any(asked) else choose("", _of_lessons())
    return _Chosen.language


def _of_lessons() -> str:
    """Return the language of the lessons that the current folder holds; "" where it holds none."""
    here = Path.cwd()
    found = next((path for path in (folder / LESSONS for folder in (here, *here.parents)) if path.is_file()), None)
    try:
        return str(json.loads(found.read_text("utf-8"))["language"]) if found else ""
    except (ValueError, KeyError, TypeError):
        return ""  # a damaged record: `minichain.course` says so, and what to do


# --- translating -------------------------------------------------------------------------------------------------


def _(text: str) -> str:
    """Return a text in the viewer's language."""
    return _translation(language()).gettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    """Return the text that fits a count, in the viewer's language; put the number in with `.format`."""
    return _translation(language()).ngettext(one, many, count)


def translate(text: str, into: str) -> str:
    """Return a text in a named language, whatever language is in use."""
    return _translation(into).gettext(text)


@cache
def _translation(name: str) -> gettext.NullTranslations:
    if name == PSEUDO:
        return _Pseudo()
    path = po_file(_FOLDER, name, "minichain")
    header = f"Content-Type: text/plain; charset=UTF-8\nPlural-Forms: {PLURALS[name]}\n"
    return gettext.GNUTranslations(io.BytesIO(to_mo({"": header} | read_po(path.read_text("utf-8")))))


class _Pseudo(gettext.NullTranslations):
    """Bracket each text and lengthen it by a third, as German or Russian would; placeholders stay."""

    def gettext(self, message: str) -> str:
        words = len(_PLACEHOLDER.sub("", message))
        return f"⟦{message}{'·' * (words // 3)}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


# --- collecting texts --------------------------------------------------------------------------------------------


def extract_ipynb(
    file: IO[bytes], keywords: Any, comment_tags: Sequence[str], options: Any
) -> Iterator[tuple[Any, ...]]:
    """Babel's door to notebooks: texts in code cells, and the title and sentence of an app in its metadata."""
    from babel.messages.extract import extract_python  # noqa: PLC0415 - only translators have to have Babel

    notebook = json.load(file)
    card = notebook["metadata"].get("minichain", {})
    yield from ((1, "_", card[name], []) for name in ("title", "sentence") if name in card)
    for number, cell in enumerate(notebook["cells"], 1):
        if cell["cell_type"] == "code":
            code = io.BytesIO("".join(cell["source"]).encode())
            for line, *rest in extract_python(code, keywords, comment_tags, options):
                yield (1000 * number + line, *rest)


# --- numbers and times -------------------------------------------------------------------------------------------


def number(value: int) -> str:
    """Write a whole number with its thousands apart."""
    return f"{value:,}"


def listed(items: Iterable[str]) -> str:
    """Write several names side by side."""
    return ("、" if language() == "zh" else ", ").join(items)


def shortened(text: str, most: int) -> str:
    """Write so many letters of a text, and a sign for the rest."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def clock(time_ms: int, zone: tzinfo | None = None) -> str:
    """Write a block's time as hours, minutes and seconds, on this computer's clock unless a zone is given."""
    return datetime.fromtimestamp(time_ms / 1000, zone).strftime("%H:%M:%S")


def moment(time_ms: int, zone: tzinfo | None = None) -> str:
    """Write a block's time as a date with hours and minutes, on this computer's clock unless a zone is given."""
    at = datetime.fromtimestamp(time_ms / 1000, zone)
    return f"{day(at)} {at:%H:%M}"


def day(at: date) -> str:
    """Write a date."""
    return f"{at.year}年{at.month}月{at.day}日" if language() == "zh" else f"{at.day} {at:%b %Y}"


def in_percent(share: str) -> str:
    """Write a share that is already in per cent; Chinese leaves no space before the sign."""
    return f"{share}%" if language() == "zh" else f"{share} %"


def short(digest: bytes | str) -> str:
    """Write the first characters of a hash: enough to compare by eye, too few to pass for the whole."""
    return f"{digest.hex() if isinstance(digest, bytes) else digest:.8}"
