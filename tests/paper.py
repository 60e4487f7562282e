"""A brief on paper: what somebody may write at most, and whether all of it stands on its two pages then."""

from __future__ import annotations

from collections.abc import Callable
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


def assert_two_pages(*cases: Callable[[], Case]) -> None:
    """Print briefs in both languages, and refuse one of which something does not fit on two pages."""
    with open_browser() as browser:
        for language in FILL:
            i18n.use(language)
            for describe in cases:
                _assert_fits(browser, describe(), language)


def _assert_fits(browser: Any, case: Case, language: str) -> None:
    page = browser.new_page(viewport=A4)
    page.emulate_media(media="print")
    page.set_content(briefing.document(case, longest(case, language)))
    found = page.evaluate(_MEASURE)
    page.close()
    assert len(found) == 2
    assert max(found) <= 1, f"the brief of {case.name} in {language}: its pages are full to {found}"
