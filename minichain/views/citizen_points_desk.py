"""What every screen of contribution points needs: the model, a way to the street, and small controls that end in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.errors import CallFailed, UsageError
from minichain.views import citizen_points_words as words
from minichain.views import parts, proofs
from minichain.views.citizen_points_model import Points, PointsReader
from minichain.views.i18n import _, language, moment, number
from minichain.views.markup import Child, Safe, tag
from minichain.views.moving import Pick, PickList
from minichain.views.panels import Content, Kind, bar, button, errand, field, html, stack
from minichain.views.polling import Errands, LiveLoop
from minichain.views.telling import name_of, with_names

Work = Callable[[Any], Any]  # is given the street; returns a receipt
_TIME: Final = re.compile(r"\b\d{13}\b")  # milliseconds, of these centuries
# The places for answers, each with the choice that clears it.
PLACES: Final = {
    "entry": "entry",
    "redeem": "resident",
    "giving": "resident",
    "gift": "resident",
    "cause": "resident",
    "door": "resident",
    "offer": "resident",
    "clerk": "paper",
    "scale": "clerk",
    "case": "case",
    "dispute": "case",
}


class Blank:
    """A line to write on; `box` is what is shown."""

    def __init__(self, label: str) -> None:
        self._text = W.Text()
        self.box = field(self._text, label, _("Kept beside the chain, which gets only a fingerprint of it."))

    @property
    def value(self) -> str:
        return str(self._text.value).strip()

    def needed(self) -> str:
        """Return what was written; raises `UsageError` where that is nothing."""
        if not self.value:
            raise UsageError(_("Write the reasons first, in a sentence: the resident reads them."))
        return self.value


class Desk:
    """The model, and how to reach the street."""

    def __init__(self, connect: Callable[[], Any], street: Any, workshop: Any) -> None:
        self.street = street  # the class: who there is
        self.model, self.errands = Points(workshop, street.residents), Errands(connect)
        self.tries: Errands[Any] = Errands(lambda: None)  # what is tried without a network
        self.live = LiveLoop(connect, PointsReader(), self.model.show)
        self._answers = {name: stack(stack(), stack()) for name in PLACES}  # what is under way, and how it ended
        for where, trait in PLACES.items():
            self.model.observe(partial(self._clear, where), trait)

    def _clear(self, where: str, _change: Any) -> None:
        for part in self._answers[where].children:
            part.children = []

    # --- controls

    def choose(self, trait: str, label: str, names: Sequence[str]) -> W.Box:
        """Return a list to choose a role from."""
        chosen = W.Dropdown(options=[(_(name), name) for name in names])
        setattr(self.model, trait, names[0])
        W.link((self.model, trait), (chosen, "value"))
        return field(chosen, label)

    def picks(
        self, trait: str, label: str, empty: str, follows: Sequence[str], rows: Callable[[], list[Pick]]
    ) -> PickList:
        """Return a list to choose one thing from by its number, kept in a trait of the model."""
        picks = PickList(label, empty)
        picks.observe(lambda change: setattr(self.model, trait, int(change.new or 0)), "selected")
        self.model.observe(lambda change: picks.set_trait("selected", str(change.new or "")), trait)
        self.model.observe(lambda _change: picks.show(rows()), list(follows))
        return picks

    def blank(self, label: str) -> Blank:
        """Return a line to write on."""
        return Blank(label)

    def answer(self, where: str) -> W.Box:
        """Return the place for the answers on a screen."""
        return self._answers[where]

    # --- acts

    def go(self, told: str, work: Work, where: str, task: str = "", kind: Kind = "primary") -> W.Button:
        """Return a button that has something signed and sent."""
        return button(told, lambda: self.say(task, where, work), kind)

    def say(self, task: str, where: str, work: Work) -> None:
        """Have something signed and sent; the proof, or the reason why not, appears on that screen."""

        under_way, ended = self._answers[where].children
        ended.children = []

        def then(proof: Any) -> None:
            ended.children = [html(_final(proof), "mc-live")]
            if task:
                self.model.tick_off(task)

        errand(self.errands, lambda street: self._signed(street, work), then, under_way)

    def _signed(self, street: Any, work: Work) -> Any:
        try:
            return work(street).proof()
        except CallFailed as error:
            raise CallFailed(_told(str(error), street.names()), error.receipt) from error

    def send(self, work: Work, place: W.Box, then: Callable[[Any], None] = lambda _done: None) -> None:
        """Ask the street for something that is more than one transaction."""

        def done(result: Any) -> None:
            place.children = []
            then(result)

        errand(self.errands, work, done, place)

    # --- words

    def until(self, time_ms: int) -> str:
        """Say until when something is possible, and how many days of the street are left."""
        return words.until(time_ms, self.model.now_ms, self.street.day_ms)

    def days(self, ms: int) -> str:
        """Say how many days of the street something lasts."""
        return words.days(ms, self.street.day_ms)

    def name(self, did: str) -> str:
        """Name an account, if it is known whose it is."""
        return name_of(did, self.model.names) if did else ""

    def rule(self, code: str) -> Mapping[str, Any] | None:
        """Return the newest version of a rule."""
        found = self.model.seen.rules if self.model.seen else ()
        return next((rule for rule in found if rule["code"] == code), None)

    def behaviour(self, rule: Mapping[str, Any]) -> str:
        """Say what a rule is about, in the viewer's language if the scheme knows it."""
        return self._of_preset("rules", rule["code"], "behaviour")

    def item(self, code: str) -> str:
        """Name something that can be had."""
        return self._of_preset("items", code, "title")

    def _of_preset(self, kind: str, code: str, name: str) -> str:
        made = self.model.workshop.schemes()[self.street.scheme]
        found: Mapping[str, Any] = next((one for one in getattr(made, kind) if one["code"] == code), {})
        return str(found.get(f"{name}_zh" if language() == "zh" else name, code))

    def quoted(self, commitment: str) -> Child:
        """Return what a paper says; after it was destroyed, that."""
        said = self.model.said(commitment)
        return tag("q", _(said)) if said else tag("em", _("destroyed, only its fingerprint is left"))


def line(told: Content, *controls: Content) -> W.Box:
    """Put controls at the end of the line that they are about; on a phone under it."""
    made = bar(told, *controls)
    made.add_class("mc-line")
    return made


def _told(error: str, names: Mapping[str, str]) -> str:
    """Put names in the place of accounts, and dates in the place of times."""
    return _TIME.sub(lambda found: moment(int(found[0])), with_names(error, names))


def _final(proof: Any) -> Safe:
    told = _("Final in block {height}.").format(height=number(proof.header.height))
    return parts.note("ok", told, tag("p", proofs.link(proof)))
