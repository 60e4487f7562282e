"""A run as a text: to read, change, save, or bring along. It is a timeline, as `minichain sim` plays it."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Final

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.errors import MinichainError
from minichain.faults.timeline import VERBS
from minichain.views import consensus_words as words
from minichain.views import parts
from minichain.views.consensus_model import MAX_TEXT, PREDICTION, Lab, read_file, read_timeline
from minichain.views.i18n import _, number
from minichain.views.icons import icon
from minichain.views.markup import Safe, join, tag
from minichain.views.moving import Opener
from minichain.views.panels import bar, bound, button, card, field, html, report, stack

_LINE: Final = re.compile(r"line (\d+): ")


def text_of(model: Lab) -> str:
    """Write the run as a text that people read and that can be played again, with the offices' names as comments."""
    names = (f"# {name}: {words.office(name)}\n" for name in model.timeline.names)
    return "".join(names) + str(model.timeline)


def own(model: Lab) -> W.Box:
    """Show the text of the run, and take another one."""
    text, place = W.Textarea(text_of(model), rows=12), stack()
    text.add_class("mc-code-area")
    model.observe(lambda _change: text.set_trait("value", text_of(model)), "timeline")

    def take() -> None:
        try:
            model.bring(read_timeline(text.value))
        except MinichainError as error:
            place.children = [html(wrong_line(text.value, error)), html(report(error))]
        else:
            place.children = [html(_ready())]

    def open_file(data: bytes) -> None:
        try:
            text.value = read_file(data)
        except MinichainError as error:
            place.children = [html(report(error))]
        else:
            take()

    sentence = _("Every run is a text: who takes part, and what happens when. The same text is always the same run.")
    return card(
        field(text, _("Times are milliseconds; paste another run here, or change this one")),
        bar(
            button(_("Take this run"), take, "primary"),
            Opener(_("Open a run"), ".timeline,.txt", MAX_TEXT, open_file),
            bound(model, ["timeline"], lambda: _save(model)),
        ),
        place,
        html(grammar()),
        title=_("The run as a text"),
        sentence=sentence,
    )


def _save(model: Lab) -> Safe:
    data = f"data:text/plain;charset=utf-8;base64,{b64encode(text_of(model).encode()).decode()}"
    name = f"{model.timeline.engine}-{model.timeline.validators}.timeline"
    return tag("a", join(icon("download", 18), _("Save this run")), href=data, download=name, class_="mc-link mc-save")


def _ready() -> Safe:
    link = tag("a", _("Say what will happen"), href=f"#{PREDICTION}", class_="mc-link")
    return parts.note("ok", _("This run is ready."), tag("p", link))


def wrong_line(text: str, error: Exception) -> Safe:
    """Quote the line that an error is about; nothing if it is about no single one."""
    found = _LINE.match(str(error))
    if not found:
        return Safe("")
    line = text.splitlines()[int(found[1]) - 1].strip()
    title = tag("strong", _("Line {number} of your text").format(number=number(int(found[1]))))
    return tag("div", tag("div", title), parts.codeline(line))


def grammar() -> Safe:
    """List what may happen in a run, in words, from the table that reads the text."""
    rows = [[parts.codeline(f"{name} {verb.form}".strip()), _(verb.does)] for name, verb in VERBS.items()]
    return parts.drawer(
        _("What can be written"),
        tag(
            "p", _("Before anything happens: engine, validators, seed, delay. Then lines like this one:"), class_="mc-p"
        ),
        parts.codeline("at 2000 crash node-1"),
        parts.table(_("What can happen"), [_("Write"), _("What it does")], rows),
    )
