"""Panels put parts and moving pictures together with ipywidgets. They hold no logic: a callback calls a model.

Wherever a panel takes content it takes `Safe` markup or a widget, never a bare string, so text is escaped before it
gets here. An error in a callback becomes a card on the page; its traceback goes to the server's log, not to the reader.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses
from IPython.display import display
from traitlets import HasTraits

from minichain.errors import MinichainError, NetworkError
from minichain.views import glossary, parts
from minichain.views.i18n import _
from minichain.views.markup import Child, Safe, join, tag
from minichain.views.moving import Pulse
from minichain.views.parts import Step
from minichain.views.polling import C, Errands, LiveLoop, S
from minichain.views.renewed import Renewed, follow

Content: TypeAlias = "Safe | W.Widget"
Handler = Callable[[], None]

STYLE_SHEET: Final = Path(__file__).parent / "voila/templates/minichain/static/minichain.css"


def html(content: Safe, class_: str = "") -> W.HTML:
    """Wrap markup as a widget; set `.value` to other `Safe` markup to change it."""
    return _styled(W.HTML(_shown(content)), "mc-html", class_)


def _shown(content: Safe) -> Safe:
    assert isinstance(content, Safe), f"a page shows markup built by `tag`, not {type(content).__name__}"
    return glossary.marked(content)


def _styled(widget: W.DOMWidget, *classes: str) -> Any:
    for name in filter(None, classes):
        widget.add_class(name)
    return widget


def _widgets(children: Sequence[Content]) -> list[W.Widget]:
    return [html(child) if isinstance(child, Safe) else child for child in children]


def bound(model: HasTraits, traits: Sequence[str], render: Callable[[], Safe], class_: str = "") -> W.HTML:
    """Show `render()` now, and again whenever one of the model's traits has changed."""
    widget = html(render(), class_)
    follow(widget, model, traits, lambda: widget.set_trait("value", _shown(render())))
    return widget


def rebuilt(model: HasTraits, traits: Sequence[str], build: Callable[[], Sequence[Content]]) -> W.Box:
    """Hold what `build()` makes now, and make it again whenever one of the model's traits has changed."""
    return _styled(Renewed(model, traits, lambda: _widgets(build())), "mc-stack")


# --- layout ------------------------------------------------------------------------------------------------------


def stack(*children: Content) -> W.Box:
    """Put panels under each other."""
    return _styled(W.VBox(_widgets(children)), "mc-stack")


def row(*children: Content) -> W.Box:
    """Put panels side by side, of equal width, as many as fit."""
    return _styled(W.Box(_widgets(children)), "mc-row")


def split(side: Content, main: Content) -> W.Box:
    """Put a narrow panel (a task card, a form) left of a wide one; on a phone above it."""
    return _styled(W.Box(_widgets((side, main))), "mc-split")


def band(*figures: Content) -> W.Box:
    """Join key figures to one band."""
    return _styled(W.Box(_widgets(figures)), "mc-band")


def card(*children: Content, title: str = "", sentence: Child = None) -> W.Box:
    """Set panels on one sheet with a title."""
    top = [html(parts.heading(title, sentence))] if title else []
    return _styled(W.VBox([*top, *_widgets(children)]), "mc-card")


def bar(*children: Content) -> W.Box:
    """Put buttons and short fields in a line that wraps."""
    return _styled(W.Box(_widgets(children)), "mc-bar")


def tabs(*pages: tuple[str, Content]) -> W.Tab:
    """Let the reader choose between screens."""
    return _styled(
        W.Tab(_widgets([content for _title, content in pages]), titles=[title for title, _content in pages]), "mc-tabs"
    )


# --- controls ----------------------------------------------------------------------------------------------------

Kind = Literal["primary", "plain", "danger"]


def guarded(handler: Handler, place: W.Box) -> Handler:
    """Return a handler whose errors appear as a card in `place`; the next call that works clears it."""

    def call() -> None:
        try:
            handler()
        except Exception as error:
            place.children = [html(report(error))]
        else:
            place.children = []

    return call


def report(error: BaseException) -> Safe:
    """Write an error's traceback to the server's log and return the card for the reader."""
    traceback.print_exception(error, file=sys.__stderr__)
    return parts.explain(error)


def button(words: str, on_click: Handler, kind: Kind = "plain", place: W.Box | None = None) -> W.Button:
    """Make a button; with a `place`, errors of its handler appear there."""
    made = _styled(W.Button(description=words, tooltip=words), "mc-button", f"mc-{kind}")
    call = on_click if place is None else guarded(on_click, place)
    made.on_click(lambda _button: call())
    return made


def errand(errands: Errands[C], work: Callable[[C], S], then: Callable[[S], None], place: W.Box) -> None:
    """Ask the network for something without making the page wait; what goes wrong appears in `place`."""

    def failed(error: Exception) -> None:
        place.children = [html(report(error))]

    def arrived(answer: S) -> None:
        guarded(lambda: then(answer), place)()

    place.children = [html(parts.paragraph(_("One moment…")), "mc-live")]
    if not errands.run(lambda client, _say: work(client), arrived, failed):
        place.children = [html(parts.paragraph(_("Too much is waiting. Try again in a moment.")))]


def field(control: W.DOMWidget, label: str, hint: str = "") -> W.Box:
    """Put a label above an input and a hint under it."""
    control.description = label
    below = [html(tag("p", hint, class_="mc-hint"))] if hint else []
    return _styled(W.VBox([control, *below]), "mc-field")


def offer(choice: W.Dropdown, options: Sequence[tuple[str, Any]], wanted: Any = None) -> None:
    """Change what a list offers; what was chosen stays so while it is offered, else `wanted`, else the first."""
    if list(choice.options) == list(options):
        return
    values = [value for _name, value in options]
    kept = next((one for one in (choice.value, wanted) if one in values), values[0] if values else None)
    choice.options = list(options)
    choice.value = kept


class ConfirmButton(W.VBox):  # type: ignore[misc]
    """A button that asks once more, in a full sentence, before it does what cannot be undone."""

    def __init__(self, words: str, question: str, confirm: str, on_confirm: Handler, kind: Kind = "danger") -> None:
        self._place = W.VBox()
        self._first = button(words, self._ask, kind)
        yes = button(confirm, self._confirmed, kind)
        no = button(_("Cancel"), self._rest)
        self._asking = _styled(W.VBox([html(parts.paragraph(question)), bar(yes, no)]), "mc-confirm")
        self._do = guarded(on_confirm, self._place)
        super().__init__([self._first, self._place])
        self.add_class("mc-stack")

    def _ask(self) -> None:
        self._place.children = []
        self.children = [self._asking, self._place]

    def _rest(self) -> None:
        self.children = [self._first, self._place]

    def _confirmed(self) -> None:
        self._rest()
        self._do()


class Progress(W.HTML):  # type: ignore[misc]
    """How far a long action has come: `at(step)` while it runs, then `finish` or `fail`."""

    def __init__(self, *steps: str) -> None:
        self._steps, self._now = steps, -1
        super().__init__("")
        _styled(self, "mc-html", "mc-live")

    def at(self, step: int, sentence: Child = "") -> None:
        """Say that this step (counted from 0) is under way."""
        self._now = step
        self.value = self._picture("now", sentence)

    def finish(self, sentence: Child = "") -> None:
        """Say that all steps are done."""
        self._now = len(self._steps)
        self.value = self._picture("now", sentence)

    def fail(self, error: BaseException) -> None:
        """Say that the step under way failed, and why."""
        self.value = join(self._picture("failed", ""), report(error))

    def _picture(self, now: Step, sentence: Child) -> Safe:
        states: list[Step] = [
            "done" if i < self._now else now if i == self._now else "todo" for i in range(len(self._steps))
        ]
        return parts.progress(list(zip(self._steps, states, strict=True)), sentence)


class LongAction(W.VBox):  # type: ignore[misc]
    """A button for work that takes seconds: the page stays alive, the steps show, the button waits.

    `prepare()` reads the page and returns the work. `work(client, say)` runs in the errands' thread and calls
    `say(step, sentence)`; `done(result)` returns the closing sentence.
    """

    def __init__(
        self,
        words: str,
        steps: Sequence[str],
        errands: Errands[Any],
        prepare: Callable[[], Callable[..., Any]],
        done: Callable[[Any], Child],
    ) -> None:
        self.button = button(words, self.start, "primary")
        self.progress = Progress(*steps)
        self._errands, self._prepare, self._done = errands, prepare, done
        super().__init__([self.button, self.progress])
        self.add_class("mc-stack")

    def start(self) -> None:
        """Begin, unless too much is waiting already."""
        self.progress.at(0)
        try:
            work = self._prepare()
        except MinichainError as error:
            self.progress.fail(error)
            return
        self.button.disabled = True
        if not self._errands.run(work, self._finished, self._failed, self.progress.at):
            self._end(lambda: self.progress.at(0, _("Too much is waiting. Try again in a moment.")))

    def forget(self) -> None:
        """Take away what came of it, once the page is about something else."""
        if not self.button.disabled:
            self.progress.value = Safe("")

    def _finished(self, result: Any) -> None:
        self._end(lambda: self.progress.finish(self._done(result)))

    def _failed(self, error: Exception) -> None:
        self._end(lambda: self.progress.fail(error))

    def _end(self, show: Handler) -> None:
        self.button.disabled = False
        show()


# --- the page ----------------------------------------------------------------------------------------------------


class Page(W.VBox):  # type: ignore[misc]
    """The frame of every page: connection badge, content, limits box.

    Under Voila the title, the sentence and the language switch come from the server's template, before the kernel is
    up; in a notebook give `title` and `sentence` here. `live` starts when somebody opens the page.
    """

    def __init__(
        self,
        *children: Content,
        limits: Sequence[str] = (),
        live: LiveLoop[Any, Any] | None = None,
        title: str = "",
        sentence: str = "",
    ) -> None:
        self.live = live
        self.pulse = Pulse(live.start if live else lambda: None)
        self._content = _widgets(children)
        self._top = [] if is_under_voila() else [html(_notebook_head(title, sentence))]
        self._bottom = [html(parts.limits(limits))] if limits else []
        super().__init__()
        _styled(self, "mc-page", "mc-stack")
        self._lay_out(self._content)
        if live:
            self.pulse.follow(live)
            live.observe(lambda change: self._turn(change.old, change.new), "state")

    def _lay_out(self, content: Sequence[W.Widget]) -> None:
        self.children = [*self._top, self.pulse, *content, *self._bottom]

    def _turn(self, before: str, now: str) -> None:
        """Show a card in place of an empty page while no network was ever seen."""
        if (before, now) == ("waiting", "lost"):
            trouble = (self.live and self.live.trouble) or NetworkError()
            is_missing = isinstance(trouble, NetworkError)
            self._lay_out([html(parts.no_network() if is_missing else parts.explain(trouble))])
        elif now == "live":
            self._lay_out(self._content)


def is_under_voila() -> bool:
    """Tell whether a Voila template frames the page, style sheet included."""
    return os.environ.get("SERVER_SOFTWARE", "").startswith("voila/")


def _notebook_head(title: str, sentence: str) -> Safe:
    style = Safe(f"<style>{STYLE_SHEET.read_text('utf-8')}</style>")
    return join(
        style, title and tag("h1", title, class_="mc-h1"), sentence and tag("p", sentence, class_="mc-sentence")
    )


def show(build: Callable[[], W.Widget]) -> None:
    """Build a page and show it, or a card that says why it cannot be shown."""
    try:
        page = build()
    except Exception as error:
        page = Page(report(error))
    display(page)
