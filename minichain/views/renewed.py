"""What a page shows no more is closed, and follows no model any more.

Widgets are kept by the kernel and by the page until somebody closes them. A panel that is made anew with each block
would leave both with all its earlier selves, each of them still drawn whenever its model changes. They are closed a
little later than they are gone: a click that was on its way still finds its button.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Final

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses
from traitlets import HasTraits

GRACE_S: Final = 5.0


def follow(widget: W.Widget, model: HasTraits, traits: Sequence[str], update: Callable[[], object]) -> None:
    """Update a widget whenever one of the model's traits has changed, as long as it is not closed."""

    def changed(_change: object) -> None:
        if widget.comm is None:
            model.unobserve(changed, list(traits))
        else:
            update()

    model.observe(changed, list(traits))


class Renewed(W.VBox):  # type: ignore[misc]
    """Holds what `build()` makes now, makes it again whenever one of the model's traits has changed, and closes what it
    made before. What others have made stays theirs, and what is shown again stays open.
    """

    def __init__(self, model: HasTraits, traits: Sequence[str], build: Callable[[], Sequence[W.Widget]]) -> None:
        self._build, self._made = build, list[W.Widget]()
        self._replaced: list[tuple[float, list[W.Widget]]] = []  # when, and what
        super().__init__()
        self._renew()
        follow(self, model, traits, self._renew)

    def _renew(self) -> None:
        with _noting() as made:
            self.children = self._build()
        self._replaced.append((time.monotonic(), self._made))
        self._made = made
        gone = [widgets for since, widgets in self._replaced if time.monotonic() - since >= GRACE_S]
        del self._replaced[: len(gone)]
        shown = set(_whole(self)) if any(gone) else set()
        for widget in chain.from_iterable(gone):
            if widget in shown:
                made.append(widget)
            else:
                widget.close()

    def close(self) -> None:
        """Close this and all that it has made."""
        super().close()
        for widgets in (self._made, *(widgets for _since, widgets in self._replaced)):
            for widget in widgets:
                widget.close()


_under_way: Final[list[list[W.Widget]]] = []  # what each build has made so far; a build may be part of another


def _note(widget: W.Widget) -> None:
    for made in _under_way:
        made.append(widget)


W.Widget.on_widget_constructed(_note)


@contextmanager
def _noting() -> Iterator[list[W.Widget]]:
    made: list[W.Widget] = []
    _under_way.append(made)
    try:
        yield made
    finally:
        _under_way.pop()


def _whole(widget: W.Widget) -> Iterator[W.Widget]:
    """Return a widget and all that it consists of: children, layouts, styles."""
    yield widget
    for name in widget.keys:
        value = getattr(widget, name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, W.Widget):
                yield from _whole(part)
