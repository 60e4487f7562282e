"""Make my brief: what a person adds to what the page shows, the two pages, and the way back from a run code.

Nothing is decided here: the boxes are empty until somebody fills them in, and a gate of the app may refuse a decision.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from typing import Any, Final
from urllib.parse import parse_qs

import anywidget
import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses
from traitlets import Unicode

from minichain.errors import UsageError
from minichain.views import brief, parts, printing, runcode
from minichain.views.brief import Run, Written
from minichain.views.case import Case, fingerprint
from minichain.views.i18n import _
from minichain.views.markup import Safe, tag
from minichain.views.moving import script
from minichain.views.panels import bar, bound, button, card, errand, field, guarded, html, stack
from minichain.views.polling import Errands

RUN: Final = "run"  # the parameter of a page's address that has a run code


class Sheet(anywidget.AnyWidget):  # type: ignore[misc]
    """Shows a document as it will be printed, and prints it."""

    _esm = script("sheet.js")
    document = Unicode("").tag(sync=True)
    label = Unicode("").tag(sync=True)
    words = Unicode("").tag(sync=True)

    def __init__(self, document: str) -> None:
        super().__init__(document=document, label=_("Your brief"), words=_("Print"))


def asked_for(name: str = RUN) -> str:
    """Return a parameter of the page's address, or ""; Voila hands the request over in CGI's own variables."""
    return parse_qs(os.environ.get("QUERY_STRING", "")).get(name, [""])[0]


def code_of(case: Case) -> str:
    """Return the run code of what a page shows now."""
    return runcode.write(case.name, case.settings(), case.start, fingerprint(case.figures()))


def reload(case: Case, text: str) -> None:
    """Bring a run back; raises `UsageError` if the code is none of this page."""
    settings, _figures = runcode.read(text, case.name, case.start)
    case.reload(settings)


def is_reproduced(case: Case, text: str) -> bool:
    """Tell whether the figures now are those of the run code."""
    _settings, figures = runcode.read(text, case.name, case.start)
    return figures == fingerprint(case.figures())


def document(case: Case, written: Written) -> str:
    """Return the brief of what a page shows now."""
    told = case.told()
    missing = [words for words in told.safeguards if words not in written.kept]
    case.gate(case.model, written.decision, missing)
    run = Run(case.name, case.title, code_of(case), told.seed or _("no chance was involved"), date.today().isoformat())
    return brief.page(run, told, case.tried(), case.figures(), case.limits, written)


class Form:
    """The boxes of a brief."""

    def __init__(self, case: Case) -> None:
        told = case.told()
        self._question = W.Textarea(told.question, rows=2)
        self._surprise = W.Textarea(rows=4)
        self._signer = W.Text()
        options = [(_("not decided yet"), ""), *((words, name) for name, words in brief.decisions().items())]
        self._decision = W.Dropdown(options=options, value="")
        self._safeguards = {words: _tick(words) for words in told.safeguards}

    def shown(self) -> W.Box:
        """Lay the boxes out."""
        hint = _("Everybody who gets the brief can read it: leave out names of private persons.")
        return stack(
            field(self._question, _("The question")),
            field(self._surprise, _("What surprised you?"), hint),
            html(tag("p", tag("strong", _("Which safeguards are in place?")), class_="mc-p")),
            W.Box([*self._safeguards.values()], _dom_classes=["mc-ticks"]),
            field(self._decision, _("The decision")),
            field(self._signer, _("Who signs (role)")),
        )

    def written(self) -> Written:
        """Return what stands in the boxes; raises `UsageError` if it is too long."""
        kept = frozenset(words for words, tick in self._safeguards.items() if tick.value)
        return Written(
            self._question.value.strip(),
            self._surprise.value.strip(),
            kept,
            self._decision.value,
            self._signer.value.strip(),
        )


def _tick(words: str) -> W.Checkbox:
    made = W.Checkbox(description=words, indent=False)
    made.add_class("mc-failure")
    return made


def panel(case: Case, errands: Errands[Any]) -> W.Box:
    """Offer to make a brief, and to bring back the run of another."""
    place, form = stack(), stack()
    made = button(_("Make my brief"), guarded(lambda: _fill(case, form, errands), place), "primary")
    sentence = _("Two pages to print: what was asked, what was tried, what came of it, what stays open, who decides.")
    return card(
        bar(made),
        place,
        form,
        _return(case),
        title=_("Make my brief"),
        sentence=sentence,
    )


def _fill(case: Case, form_place: W.Box, errands: Errands[Any]) -> None:
    form, sheets, trouble = Form(case), stack(), stack()
    make = guarded(lambda: _lay_out(case, form, sheets, errands), trouble)
    form_place.children = [form.shown(), button(_("Show both pages"), make, "primary"), trouble, sheets]


def _lay_out(case: Case, form: Form, sheets: W.Box, errands: Errands[Any]) -> None:
    made = document(case, form.written())
    name, place = f"brief-{case.name}", stack()

    def arrived(printed: bytes) -> None:
        place.children = [html(tag("p", brief.pdf_link(printed, name), class_="mc-p"))]

    as_pdf = button(_("Make a PDF"), lambda: errand(errands, lambda _client: printing.pdf(made), arrived, place))
    sheets.children = [
        bar(html(brief.link(made, name)), as_pdf),
        place,
        html(parts.facts([(_("Run code"), parts.codeline(code_of(case)))])),
        Sheet(made),
    ]


def _return(case: Case) -> W.Box:
    code, place = W.Text(), stack()

    def bring() -> None:
        if not code.value.strip():
            raise UsageError(_("Write the run code that stands at the foot of the brief."))
        reload(case, code.value)
        place.children = [compared(case, code.value)]

    hint = _("It stands at the foot of a brief, and brings that run back.")
    trouble = stack()
    return stack(
        bar(field(code, _("Run code of a brief"), hint), button(_("Bring it back"), _showing(bring, trouble, place))),
        trouble,
        place,
    )


def _showing(bring: Callable[[], None], trouble: W.Box, place: W.Box) -> Callable[[], None]:
    def act() -> None:
        place.children = []
        guarded(bring, trouble)()

    return act


def reproduced(case: Case, text: str) -> Safe:
    """Say whether the page shows the figures of the brief with this run code."""
    if is_reproduced(case, text):
        return parts.note("ok", _("You see the figures of the brief."))
    words = _("They were changed since, or are still being brought back. Bring the run back to see those of the brief.")
    return parts.note("info", _("These are not the figures of the brief."), tag("p", words))


def compared(case: Case, text: str) -> W.HTML:
    """Say it now, and again whenever the page shows something else."""
    return bound(case.model, case.follows, lambda: reproduced(case, text))
