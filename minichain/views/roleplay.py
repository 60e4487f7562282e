"""What every screen of cards and data needs: the model, how to reach the town, and lists to choose from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.views.i18n import _, listed
from minichain.views.markup import Child
from minichain.views.moving import Pick, PickList
from minichain.views.panels import (
    LongAction,
    field,
)
from minichain.views.polling import Errands, LiveLoop
from minichain.views.residents import Desk, DeskReader, claim_names


class View:
    """What every screen needs: the model, how to reach the town, and what a person may choose from."""

    def __init__(self, connect: Callable[[], Any], town: Any) -> None:
        self.model, self.errands = Desk(), Errands(connect)
        self.live = LiveLoop(connect, DeskReader(), self.model.show)
        self.model.supervisor = town.parties[-1]
        self.town = town  # the class: who there is, and what is on a card

    def choose(self, trait: str, label: str, names: Sequence[str]) -> W.Box:
        """Return a list to choose a role from."""
        chosen = W.Dropdown(options=[(_(name), name) for name in names])
        setattr(self.model, trait, names[0])
        W.link((self.model, trait), (chosen, "value"))
        return field(chosen, label)

    def picks(self, trait: str, label: str, empty: str, follows: Sequence[str], rows: Callable[[], Any]) -> PickList:
        """Return a list to choose one thing from, kept in a trait of the model."""
        picks = PickList(label, empty)
        W.link((self.model, trait), (picks, "selected"))
        self.model.observe(lambda _change: picks.show(rows()), list(follows))
        return picks

    def action(
        self, words: str, prepare: Callable[[], Callable[[Any], Any]], done: Callable[[Any], Child]
    ) -> LongAction:
        """Return a button for something that the network has to agree on."""
        steps = [_("Signed"), _("Agreed"), _("Final")]

        def begin() -> Callable[..., Any]:
            work = prepare()

            def run(town: Any, say: Callable[..., None]) -> Any:
                say(1, _("More than two thirds of the validators have to agree."))
                return work(town)

            return run

        return LongAction(words, steps, self.errands, begin, done)

    def do(self, name: str) -> None:
        """Tick a task."""
        self.model.done |= {name}


def question_pick(question: Any, title: str) -> Pick:
    """Return a question as a row to choose."""
    names = claim_names()
    line = listed(names.get(path, path) for path in question.wanted)
    word = _("answered") if question.answer else _("waiting")
    return Pick(str(question.number), title, line, "ok" if question.answer else "info", word)
