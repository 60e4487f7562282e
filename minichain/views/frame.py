"""The frame of every app: its task card, what if, where each figure comes from, its words, its limits, and the brief.

An app describes itself once, as a `Case` (in a module of `views/briefs`), and hands its content over:

    case = briefs.sharding.case(lab, found)
    return frame.page(case, choice, screens, live=None)

The title and the one sentence of purpose stand in the notebook's metadata (`gallery`). At first a page shows six
controls at most; what else can be set goes under `more`. Terms are marked wherever a panel shows text (`glossary`),
and figures that it marks with `parts.proven` open the drawer that says where they come from (`frame_proof`).
A case of a network hands over its errands, so that nothing waits for the network.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses
import traitlets as T  # noqa: N812 - beside W

from minichain.views import briefing, frame_proof, glossary, parts
from minichain.views.case import Case, Figure, Settings
from minichain.views.frame_proof import NOTHING
from minichain.views.i18n import _, language, number
from minichain.views.markup import Child, Safe, join, tag
from minichain.views.panels import Content, Page, bar, bound, button, card, guarded, html, report, stack
from minichain.views.polling import Errands, LiveLoop

WHAT_IF, PROOF, BRIEF = "mc-what-if", "mc-proof", "mc-brief"  # places on the page


def page(case: Case, *content: Content, live: LiveLoop[Any, Any] | None = None) -> Page:
    """Put an app into its frame; the run code in the page's address is brought back first."""
    proofs = frame_proof.Proofs(case)
    return Page(
        _top(case),
        *_bring_back(case),
        *content,
        _what_if(case),
        _anchored(PROOF, frame_proof.listed(case, proofs)),
        frame_proof.Drawer(case, proofs),
        _anchored(BRIEF, briefing.panel(case, Errands(lambda: None))),
        html(words()),
        limits=case.limits,
        live=live,
    )


def more(words: str, *controls: Content) -> W.Box:
    """Keep controls away until somebody asks for them."""
    place = stack()
    toggle = W.ToggleButton(description=words)
    toggle.add_class("mc-button")
    shown = stack(*controls)
    toggle.observe(lambda change: place.set_trait("children", [shown] if change.new else []), "value")
    return stack(toggle, place)


def _bring_back(case: Case) -> list[Content]:
    code = briefing.asked_for()
    if not code:
        return []
    try:
        briefing.reload(case, code)
    except Exception as error:
        return [report(error)]
    return [briefing.compared(case, code)]


def _anchored(name: str, box: W.Box) -> W.Box:
    box.children = [html(tag("span", id=name), "mc-anchor"), *box.children]
    return box


# --- the task card -----------------------------------------------------------------------------------------------


def _top(case: Case) -> W.HTML:
    def shown() -> Safe:
        done: frozenset[str] = getattr(case.model, "done", frozenset())
        tasks = [(name in done, words) for name, words in case.tasks().items()]
        count = _("{done} of {all} done").format(
            done=number(sum(is_done for is_done, _words in tasks)), all=number(len(tasks))
        )
        places = {WHAT_IF: _("What if?"), PROOF: _("Check the figures"), BRIEF: _("Make my brief")}
        links = (tag("a", words, href=f"#{name}", class_="mc-link") for name, words in places.items())
        title = _("Try this: {count}").format(count=count)
        return join(parts.tasks(title, tasks), tag("nav", links, class_="mc-jumps", aria_label=_("On this page")))

    follows = ["done"] if case.model.has_trait("done") else []
    return bound(case.model, follows, shown, "mc-top-card")


# --- what if -----------------------------------------------------------------------------------------------------


class Kept(T.HasTraits):
    """What the page showed when somebody began to compare."""

    tried: Any = T.Any(())
    figures: Any = T.Any(())
    settings: Any = T.Any({})

    def __init__(self, case: Case) -> None:
        super().__init__()
        self._case = case
        self.keep()

    def keep(self) -> None:
        """Compare from what the page shows now."""
        with self.hold_trait_notifications():
            self.tried, self.figures = tuple(self._case.tried()), tuple(self._case.figures())
            self.settings = dict(self._case.settings())
        self._was_blind = self._is_blind()

    def begin(self) -> None:
        """Compare from the first thing that was read, on a page of a network: before that it shows nothing yet."""
        if self._was_blind and not self._is_blind():
            self.keep()

    def _is_blind(self) -> bool:
        return self._case.settings().get("chain") == "" or getattr(self._case.model, "height", 0) < 0

    def rows(self) -> list[list[Child]]:
        """List each setting that differs, and each figure: before, and now."""
        before, now = dict(self.tried), dict(self._case.tried())
        made: list[list[Child]] = [
            [name, before.get(name, NOTHING), tag("b", value)]
            for name, value in now.items()
            if before.get(name) != value
        ]
        old = {figure.name: figure for figure in self.figures}
        return made + [_compared(old.get(figure.name), figure) for figure in self._case.figures()]


def _compared(before: Figure | None, now: Figure) -> list[Child]:
    if before is None:
        return [now.name, NOTHING, parts.proven(now.name, now.shown)]
    shown = parts.proven(now.name, now.shown)
    return [now.name, before.shown, tag("b", shown) if before.value != now.value else shown]


def _what_if(case: Case) -> W.Box:
    kept, place = Kept(case), stack()

    def go(settings: Callable[[], Settings]) -> Callable[[], None]:
        return guarded(lambda: case.reload(settings()), place)

    def shown() -> Safe:
        kept.begin()
        columns = ["", _("Before"), _("Now")]
        return tag("div", parts.table(_("Before and now, side by side"), columns, kept.rows()), class_="mc-before")

    table = bound(case.model, case.follows, shown)
    kept.observe(lambda _change: table.set_trait("value", glossary.marked(shown())), ["figures"])
    buttons = bar(
        button(_("Compare from here on"), guarded(kept.keep, place)),
        button(_("Back to before"), go(lambda: kept.settings)),
        button(_("Reset to the start"), go(lambda: case.start)),
    )
    sentence = _("Change something above: what it was and what it is now stand side by side.")
    return _anchored(WHAT_IF, card(table, buttons, place, title=_("What if?"), sentence=sentence))


# --- words -------------------------------------------------------------------------------------------------------


def words() -> Safe:
    """Explain the terms that pages mark."""
    pairs: list[tuple[str, Child]] = [(term.name, term.tip) for term in glossary.terms(language())]
    return parts.drawer(_("Words on these pages"), parts.facts(pairs))
