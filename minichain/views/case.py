"""What the frame of every app needs to know of an app: plain records and functions of its model, no widget.

A value is the same in every language, a name and a `told` are words of the viewer's language. Settings alone decide
what a page shows, so whoever has them sees the same figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as field_
from hashlib import sha256
from typing import Any

from traitlets import HasTraits

from minichain.codec import encode
from minichain.views.i18n import number
from minichain.views.markup import Child, Safe

Value = int | str
Settings = Mapping[str, Value]

FINGERPRINT = 4  # bytes: enough to notice another result, short enough for paper


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a page; `told` is how people read it, if not by its value, and `how` says how it is made."""

    name: str
    value: Value
    told: str = ""
    how: str = ""

    @property
    def shown(self) -> str:
        return self.told or (number(self.value) if isinstance(self.value, int) else self.value)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a recomputation gave in place of a figure, and from what: which blocks, or why there are none.

    `blocks` are the heights that made the figure what it is, on the network that the explorer shows.
    """

    figure: Figure
    again: Figure
    source: str
    blocks: Sequence[int] = ()

    @property
    def is_same(self) -> bool:
        return self.figure.value == self.again.value


@dataclass(frozen=True, slots=True)
class Told:
    """What the brief of an app says beside its figures and limits; `unproven` adds to the limits of the page."""

    question: str
    chart: Safe
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Child]]
    safeguards: Sequence[str]
    alternative: str
    seed: str = ""
    unproven: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Functions:
    """What an app tells the frame, as functions of its model.

    `settings` are all that decides what the page shows, and `reload` shows it again. `tried` says the settings in
    words, `figures` are what came of them, `told` is the rest of the brief. `recompute` gets the figures anew, from
    blocks where there are any: in the errands' thread with their client, or with None.
    """

    settings: Callable[[Any], Settings]
    reload: Callable[[Any, Settings], None]
    tried: Callable[[Any], Sequence[tuple[str, str]]]
    figures: Callable[[Any], Sequence[Figure]]
    told: Callable[[Any], Told]
    recompute: Callable[[Any, Any], Sequence[Finding]]


@dataclass(frozen=True, slots=True)
class Case:
    """An app as the frame sees it.

    `name` and `title` are those of its notebook. `follows` are the traits of `model` after which anything that `does`
    tells may have changed. `gate(model, decision, missing)` raises `UsageError` if nobody may decide so while these
    safeguards are missing. `start` are the settings at the beginning.
    """

    name: str
    title: str
    model: HasTraits
    follows: Sequence[str]
    does: Functions
    tasks: Callable[[], Mapping[str, str]]
    limits: Sequence[str]
    errands: Any = None
    gate: Callable[[Any, str, Sequence[str]], None] = lambda model, decision, missing: None
    start: Settings = field_(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", dict(self.settings()))

    def settings(self) -> Settings:
        return self.does.settings(self.model)

    def reload(self, settings: Settings) -> None:
        self.does.reload(self.model, settings)

    def tried(self) -> Sequence[tuple[str, str]]:
        return self.does.tried(self.model)

    def figures(self) -> Sequence[Figure]:
        return self.does.figures(self.model)

    def told(self) -> Told:
        return self.does.told(self.model)

    def recompute(self, client: Any) -> Sequence[Finding]:
        return self.does.recompute(self.model, client)


def fingerprint(figures: Sequence[Figure]) -> bytes:
    """Return what two pages with the same figures have in common, in whatever language they are read."""
    return sha256(encode([str(figure.value) for figure in figures])).digest()[:FINGERPRINT]
