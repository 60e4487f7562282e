"""Parts of a page as pure functions: data in, `Safe` markup out, no state and no widget.

A state is always said twice, by a word and by the shape of an icon, so that colour only helps. Texts that name a thing
come in translated; the few words that belong to a part itself are translated here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from minichain.errors import CallFailed, ExecutionError, MinichainError, NetworkError, TheirFault, TimedOut
from minichain.views import refusals
from minichain.views.i18n import _, number
from minichain.views.icons import icon
from minichain.views.markup import Child, Safe, join, tag

State = Literal["ok", "warn", "bad", "info", "plain"]

_STATE_ICON: Final[Mapping[State, str]] = {
    "ok": "check",
    "warn": "warn",
    "bad": "cross",
    "info": "info",
    "plain": "dot",
}


_PLACE: Final = re.compile(r"^(?:[\w.-]+ \w+: )?[\w.-]+, line \d+: ")


def chip(state: State, word: str) -> Safe:
    """Say a state in one word, with its icon."""
    return tag("span", icon(_STATE_ICON[state], 14), tag("span", word), class_=f"mc-chip mc-{state}")


def heading(text: str, sentence: Child = None) -> Safe:
    """Name a card, with one sentence under the name."""
    return join(tag("h2", text, class_="mc-h2"), sentence and tag("p", sentence, class_="mc-lead"))


def paragraph(*words: Child) -> Safe:
    """Write running text of a readable width."""
    return tag("p", *words, class_="mc-p")


def kpi(label: str, value: str | int, unit: str = "", note: Child = None, figure: str = "") -> Safe:
    """Show one figure with its unit, and a few words under it; `figure` is its name in the case of the app."""
    shown = number(value) if isinstance(value, int) else value
    marked = proven(figure, shown) if figure else shown
    large = tag("div", marked, unit and tag("small", " ", unit), class_="mc-kpi-value")
    below = note and tag("div", note, class_="mc-kpi-note")
    return tag("div", tag("div", label, class_="mc-kpi-label"), large, below, class_="mc-kpi")


def proven(figure: str, shown: Child) -> Safe:
    """Let a figure open the drawer that says where it comes from; `figure` is its name in the app's case."""
    title = _("{figure}: where does it come from?").format(figure=figure)
    # A link and no button, because it runs on in a sentence; until the drawer is there it leads to the list of figures.
    return tag(
        "a",
        shown,
        href="#mc-proof",
        role="button",
        class_="mc-proven",
        data_figure=figure,
        title=title,
        aria_haspopup="dialog",
    )


def table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[Child]], empty: str = "") -> Safe:
    """Show rows; whole numbers stand right-aligned. On a phone each row becomes a small card of its own."""
    if not rows:
        return tag(
            "div", tag("p", caption, class_="mc-caption"), paragraph(empty or _("Nothing yet.")), class_="mc-empty"
        )
    numeric = [all(isinstance(row[i], int) for row in rows) for i in range(len(columns))]
    head = tag("tr", map(_column, columns, numeric), role="row")
    body = (tag("tr", map(_cell, columns, row), role="row") for row in rows)
    return tag(
        "table",
        tag("caption", caption, class_="mc-caption"),
        tag("thead", head, role="rowgroup"),
        tag("tbody", body, role="rowgroup"),
        class_="mc-table",
        role="table",
    )


def _column(name: str, is_numeric: bool) -> Safe:
    return tag("th", name, class_="mc-n" if is_numeric else None, scope="col", role="columnheader")


def _cell(column: str, value: Child) -> Safe:
    if isinstance(value, int):
        return tag("td", number(value), class_="mc-n", data_label=column, role="cell")
    return tag("td", value, data_label=column, role="cell")


def facts(pairs: Sequence[tuple[str, Child]]) -> Safe:
    """List names with their values."""
    return tag("dl", ((tag("dt", name), tag("dd", value)) for name, value in pairs), class_="mc-facts")


def sentences(lines: Sequence[Child | tuple[State, Child]]) -> Safe:
    """Tell what happened, one plain sentence a line; a line may carry a state."""
    return tag("ul", map(_sentence, lines), class_="mc-sentences")


def _sentence(line: Child | tuple[State, Child]) -> Safe:
    state, words = line if isinstance(line, tuple) else ("plain", line)
    return tag("li", icon(_STATE_ICON[state], 16), tag("span", words), class_=f"mc-{state}")


def note(state: State, title: str, *words: Child) -> Safe:
    """Set something apart that the reader must not miss."""
    return tag("div", icon(_STATE_ICON[state]), tag("div", tag("strong", title), *words), class_=f"mc-note mc-{state}")


_LAMP: Final[Mapping[State, str]] = {**_STATE_ICON, "info": "clock"}


def lamp(name: str, state: State, told: Child) -> Safe:
    """Answer a question with a light and a sentence; several stand side by side in a `div` of class mc-lamps."""
    light = tag("span", icon(_LAMP[state], 22), class_="mc-lamp-light")
    return tag("div", light, tag("div", tag("h2", name, class_="mc-h2"), tag("p", told)), class_=f"mc-lamp mc-{state}")


def limits(lines: Sequence[str]) -> Safe:
    """Say what a screen does not show, so that nobody takes it for more than it is."""
    items = tag("ul", (tag("li", line) for line in lines))
    return tag(
        "aside",
        tag("strong", _("This does not show…")),
        items,
        class_="mc-limits",
        aria_label=_("Limits of this screen"),
    )


def drawer(title: str, *content: Child, is_open: bool = False) -> Safe:
    """Hide content behind its title until the reader asks for it."""
    return tag("details", tag("summary", title), tag("div", *content), class_="mc-drawer", open=is_open)


def tasks(title: str, steps: Sequence[tuple[bool, str]]) -> Safe:
    """Show a task card: what to do here, with what is done ticked."""
    items = tag("ol", map(_task, steps), class_="mc-tasks")
    return drawer(title, items, is_open=True)


def _task(step: tuple[bool, str]) -> Safe:
    done, words = step
    mark = icon("check", 14, _("done")) if done else icon("dot", 14, _("to do"))
    return tag("li", mark, tag("span", words), class_="mc-done" if done else None)


Step = Literal["done", "now", "todo", "failed"]
_STEP_ICON: Final[Mapping[str, str]] = {"done": "check", "now": "clock", "todo": "dot", "failed": "cross"}


def progress(steps: Sequence[tuple[str, Step]], sentence: Child = None) -> Safe:
    """Show how far a long action has come; `sentence` says what it is waiting for."""
    said = {"done": _("done"), "now": _("under way"), "todo": _("to come"), "failed": _("failed")}
    items = (
        tag("li", icon(_STEP_ICON[state], 16, said[state]), tag("span", name), class_=f"mc-step-{state}")
        for name, state in steps
    )
    return tag(
        "div",
        tag("ol", items, class_="mc-progress"),
        sentence and tag("p", sentence, class_="mc-lead"),
        class_="mc-steps",
    )


def codeline(text: str) -> Safe:
    """Show a hash or a key in full, breakable anywhere."""
    return tag("code", text, class_="mc-code")


# --- errors ------------------------------------------------------------------------------------------------------


def error_card(what: str, do: str, said: str = "", code: str = "") -> Safe:
    """Say in plain words what went wrong and what to do; `said` is the ledger's own message."""
    return tag(
        "div",
        icon("warn"),
        tag(
            "div",
            tag("strong", what),
            tag("p", do),
            said and tag("p", said, class_="mc-said"),
            code and tag("p", _("Code for your trainer: {code}").format(code=code), class_="mc-errorcode"),
        ),
        class_="mc-note mc-bad mc-error",
        role="alert",
    )


def explain(error: BaseException) -> Safe:
    """Turn an exception into an error card; only minichain's own messages are shown: others are not for people."""
    what, do = _explanation(error)
    return error_card(
        what, do, own_words(str(error)) if isinstance(error, MinichainError) else "", type(error).__name__
    )


def own_words(error: str) -> str:
    """Return what a contract said, without the place in its source that the ledger puts in front."""
    return refusals.said(_PLACE.sub("", error, count=1))


def _explanation(error: BaseException) -> tuple[str, str]:
    match error:
        case NetworkError():
            return _("The network is not answering."), _("Start it with `minichain up`, then try again.")
        case TimedOut():
            return _("This took too long."), _(
                "Check that enough validators are up, then look whether it happened before you repeat it."
            )
        case CallFailed() | ExecutionError():
            return _("The contract said no."), _(
                "Read its reason below, change what it names, and try again. Nothing was changed."
            )
        case TheirFault():
            return _("The ledger refused this."), _("Read the reason below, correct it, and try again.")
        case MinichainError():
            return _("This cannot be done like that."), _("Read the reason below and change what it names.")
        case _:
            return _("Something went wrong on our side."), _(
                "Reload the page. If it happens again, tell your trainer the code below."
            )


def no_network() -> Safe:
    """Say that there is nothing to show yet, and how to change that."""
    advice = _("Start one on this computer with `minichain up`. This page notices it by itself.")
    return note("info", _("No network is running here."), tag("p", advice))


# --- custody -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stop:
    """One hand-over of a consignment: who had it, what they said, and whether they signed."""

    place: str
    icon: str
    state: State
    word: str  # the state in words: "signed", "signature missing"
    when: str = ""
    amount: str = ""
    remark: str = ""


def custody(title: str, stops: Sequence[Stop]) -> Safe:
    """Follow a consignment from hand to hand; a broken line leads to a hand-over that nobody signed."""
    items = tag("ol", map(_stop, stops), class_="mc-custody", style=f"--mc-stops:{len(stops)}")
    return tag("figure", items, class_="mc-figure", aria_label=title)


def _stop(stop: Stop) -> Safe:
    facts_line = tag("div", " · ".join(filter(None, (stop.amount, stop.when))), class_="mc-stop-facts")
    remark = stop.remark and tag("div", stop.remark, class_="mc-stop-remark")
    body = tag("div", tag("strong", stop.place), facts_line, chip(stop.state, stop.word), remark, class_="mc-stop-body")
    return tag("li", tag("span", icon(stop.icon, 22), class_="mc-stop-mark"), body, class_=f"mc-stop mc-{stop.state}")
