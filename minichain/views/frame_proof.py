"""Where a figure comes from: how it is made, and from which blocks, wherever on a page it stands.

A panel marks a figure with `parts.proven` and the name it has in the app's `Case`; that is all. One drawer listens to
the whole page and opens at the figure that was pressed. What was made anew once, all figures are compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import anywidget
import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses
import traitlets as T  # noqa: N812 - beside W

from minichain.views import glossary, parts
from minichain.views.case import Case, Figure, Finding
from minichain.views.i18n import _, language, ngettext, number
from minichain.views.icons import PATHS
from minichain.views.markup import Child, Safe, clean, join, tag
from minichain.views.moving import script
from minichain.views.panels import bar, bound, button, card, is_under_voila, report
from minichain.views.polling import Errands

MOST_BLOCKS: Final = 12  # that the drawer names
NOTHING: Final = "\N{EN DASH}"  # in the place of a figure that is not there


class Proofs(T.HasTraits):
    """What was made anew, and how that went; `state` is "", "busy", "made" or "failed"."""

    state = T.Unicode("")
    findings: Any = T.Any(())
    trouble: Any = T.Any(None)

    def __init__(self, case: Case) -> None:
        super().__init__()
        self._case = case
        self._errands: Errands[Any] = case.errands or Errands(lambda: None)

    def check(self) -> None:
        """Make every figure anew, without making the page wait."""
        if self.state == "busy":
            return
        self.state = "busy"
        if not self._errands.run(lambda client, _say: self._case.recompute(client), self._arrived, self._failed):
            self.state = ""

    def _arrived(self, findings: Sequence[Finding]) -> None:
        self.findings, self.state = findings, "made"

    def _failed(self, error: Exception) -> None:
        self.trouble, self.state = error, "failed"

    def of(self, figure: Figure) -> Finding | None:
        """Return what a figure was compared with; None if it was not, or has changed since."""
        return next((one for one in self.findings if one.figure == figure), None)


# --- the drawer --------------------------------------------------------------------------------------------------


class Drawer(anywidget.AnyWidget):  # type: ignore[misc]
    """Opens at the figure that was pressed; the page sends its name, and gets what there is to say about it."""

    _esm = script("drawer.js")
    shown: Any = T.Dict().tag(sync=True)
    words: Any = T.Dict().tag(sync=True)
    icons: Any = T.Dict({"ok": PATHS["check"], "bad": PATHS["cross"]}).tag(sync=True)

    def __init__(self, case: Case, proofs: Proofs) -> None:
        super().__init__(words=_words())
        self._case, self._proofs, self._name = case, proofs, ""
        self.add_class("mc-proofs-home")
        self.on_msg(lambda _widget, content, _buffers: self._asked(content))
        proofs.observe(lambda _change: self._show(), ["state"])
        case.model.observe(lambda _change: self._show(), list(case.follows))

    def _asked(self, content: Any) -> None:
        if content.get("check"):
            self._proofs.check()
        else:
            self._name = str(content.get("figure", ""))
            self._show()

    def _show(self) -> None:
        """Say again what is known of the figure that is open; nothing is made for a drawer that is shut."""
        if self._name:
            gone = Figure(self._name, NOTHING, how=_("The page does not show this figure any more."))
            figure = next((one for one in self._case.figures() if one.name == self._name), gone)
            self.shown = told(figure, self._case.tried(), self._proofs)


def _words() -> dict[str, str]:
    return {
        "close": _("Close"),
        "check": _("Check it yourself"),
        "settings": _("Set on this page"),
        "anew": _("Made anew"),
        "source": _("Made from"),
        "blocks": _("Blocks behind it"),
        "busy": _("One moment…"),
        "all": _("All figures of this page"),
    }


def told(figure: Figure, tried: Sequence[tuple[str, str]], proofs: Proofs) -> dict[str, Any]:
    """Say where a figure comes from, as the drawer shows it: texts, and blocks with their links."""
    found = proofs.of(figure)
    said: dict[str, Any] = {
        "name": clean(figure.name),
        "value": clean(figure.shown),
        "how": figure.how,
        "tried": [[clean(name), clean(value)] for name, value in tried],
        "state": proofs.state,
        "trouble": glossary.plain(report(proofs.trouble)) if proofs.state == "failed" else "",
    }
    if found:
        outcome = {
            "outcome": "ok" if found.is_same else "bad",
            "word": _outcome(found),
            "again": clean(found.again.shown),
        }
        said |= {**outcome, "source": found.source, "blocks": _blocks(found.blocks)}
    return said


def _outcome(found: Finding) -> str:
    return _("the same") if found.is_same else _("differs")


def _blocks(heights: Sequence[int]) -> list[dict[str, str]]:
    """Name the last blocks behind a figure; where a server has the explorer, each with the way there."""
    href = "explorer.ipynb?lang={lang}&block={height}" if is_under_voila() else ""
    left = len(heights) - MOST_BLOCKS
    shown = [
        {"text": number(height), "href": href.format(lang=language(), height=height)}
        for height in heights[-MOST_BLOCKS:]
    ]
    return [{"text": _("{count} earlier ones").format(count=number(left)), "href": ""}, *shown] if left > 0 else shown


# --- all of them -------------------------------------------------------------------------------------------------


def listed(case: Case, proofs: Proofs) -> W.Box:
    """List all figures of a page with what they were compared with."""

    def shown() -> Safe:
        match proofs.state:
            case "busy":
                return parts.paragraph(_("One moment…"))
            case "failed":
                return report(proofs.trouble)
            case "made":
                return checked(proofs.findings)
        return Safe("")

    sentence = _("Each figure of this page is made anew, from the blocks behind it where there are any.")
    return card(
        bar(button(_("Check it yourself"), proofs.check)),
        bound(proofs, ["state"], shown, "mc-live"),
        title=_("Where the figures come from"),
        sentence=sentence,
    )


def checked(findings: Sequence[Finding]) -> Safe:
    """Set what was recomputed beside what the page shows."""
    rows: list[list[Child]] = [
        [
            one.figure.name,
            parts.proven(one.figure.name, one.figure.shown),
            one.again.shown,
            parts.chip("ok" if one.is_same else "bad", _outcome(one)),
            one.source,
        ]
        for one in findings
    ]
    columns = [_("Figure"), _("On this page"), _("Made anew"), _("Outcome"), _("Made from")]
    wrong = sum(not one.is_same for one in findings)
    words = ngettext("{count} figure differs.", "{count} figures differ.", wrong).format(count=number(wrong))
    title = words if wrong else _("Every figure came out the same.")
    table = tag("div", parts.table(_("What was made anew"), columns, rows), class_="mc-findings")
    return join(parts.note("bad" if wrong else "ok", title), table)
