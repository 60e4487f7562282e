"""A brief on paper: what somebody may write at most, and whether all of it stands on its two pages then."""

from __future__ import annotations

from typing import Any, Final

from browser import open_browser

from minichain.views import briefing, i18n
from minichain.views.brief import MAX_QUESTION, MAX_SIGNER, MAX_WORDS, Written
from minichain.views.case import Case

FILL: Final = {"en": "wage ", "zh": "字"}
A4: Final = {"width": 794, "height": 1123}
# How far what is on each sheet goes, as a part of the sheet: a page without its margins.
_MEASURE: Final = """() => {
    document.body.style.width = "180mm";
    const part = sheet => Math.max(sheet.scrollHeight / sheet.clientHeight, sheet.scrollWidth / sheet.clientWidth);
    return [...document.querySelectorAll(".sheet")].map(part);
}"""


def longest(case: Case, language: str) -> Written:
    """Fill in all that a person may write."""
    question, surprise, signer = ((FILL[language] * most)[:most] for most in (MAX_QUESTION, MAX_WORDS, MAX_SIGNER))
    return Written(question, surprise, frozenset(case.told().safeguards), "no", signer)


def fullness(page: Any) -> list[float]:
    """Return for each page of the brief that is shown how far it is filled: 1 is the whole of it."""
    page.set_viewport_size(A4)
    page.emulate_media(media="print")
    found: list[float] = page.evaluate(_MEASURE)
    return found


def assert_two_pages(case: Case) -> None:
    """Lay out a brief in both languages, with all that a person may write; nothing may run over two pages."""
    with open_browser() as browser:
        for language in FILL:
            i18n.use(language)
            page = browser.new_page()
            page.set_content(briefing.document(case, longest(case, language)))
            found = fullness(page)
            page.close()
            assert len(found) == 2
            assert max(found) <= 1, f"the brief of {case.name} in {language}: its pages are full to {found}"
