"""What every screen of alliance voting needs: the model, how to reach the council, and how somebody acts in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.errors import CallFailed, UsageError
from minichain.views import proofs
from minichain.views.alliance_voting_model import Alliance, Reader, Snapshot
from minichain.views.i18n import _, number
from minichain.views.markup import Child, join
from minichain.views.panels import LongAction, field
from minichain.views.polling import Errands, LiveLoop
from minichain.views.telling import with_names

Prepared = Callable[[Any], Any]  # what is done with the council, in the errands' thread


class Hall:
    """The model of one page, and its ways to the network; `council` is the class."""

    def __init__(self, connect: Callable[[], Any], council: Any) -> None:
        self.model = Alliance(council)
        self.errands: Errands[Any] = Errands(connect)
        self.live: LiveLoop[Any, Snapshot] = LiveLoop(connect, Reader(), self.model.show)

    def action(
        self,
        told: str,
        prepare: Callable[[], Prepared],
        done: Callable[[Any], Child] | None = None,
        steps: Sequence[str] = (),
    ) -> LongAction:
        """Return a button for something that the network has to agree on; by default it ends with the proof."""

        def begin() -> Callable[..., Any]:
            work = prepare()

            def run(council: Any, say: Callable[..., None]) -> Any:
                say(1, "" if steps else _("More than two thirds of the validators have to agree."))
                try:
                    found = work(council)
                    return found.proof() if done is None else found
                except CallFailed as error:
                    raise CallFailed(with_names(str(error), self.model.names), error.receipt) from error

            return run

        return LongAction(told, steps or [_("Signed"), _("Agreed"), _("Final")], self.errands, begin, done or final)

    def deed(self, told: str, action: str, arguments: Callable[[], dict[str, Any]], task: str = "") -> LongAction:
        """Return a button by which the chosen member acts in the contract that decides."""

        def prepare() -> Prepared:
            who, given = self.acting(), arguments()
            if task:
                self.model.do(task)
            return lambda council: council.act(who, action, **given)

        return self.action(told, prepare)

    def acting(self) -> str:
        """Return who acts; raises `UsageError` if nobody is chosen."""
        if not self.model.who:
            raise UsageError(_("Choose who acts."))
        return self.model.who

    def number(self) -> int:
        """Return the number of the open proposal."""
        if self.model.proposal is None:
            raise UsageError(_("Choose a proposal first."))
        return self.model.proposal.number

    def people(self) -> W.Box:
        """Return a list to choose from on whose behalf one acts."""
        chosen, model = W.Dropdown(), self.model

        def offer(_change: Any = None) -> None:
            who = model.who  # new options would clear it
            names = [row[0] for row in model.members]
            chosen.options = [("", ""), *((_(name), name) for name in names)]
            model.who = who if who in names else ""
            chosen.value = model.who

        offer()
        model.observe(offer, "members")
        W.link((model, "who"), (chosen, "value"))
        return field(chosen, _("You act as"))


def final(proof: Any) -> Child:
    """Say in which block something became final, and offer the proof."""
    words = _("Final in block {height}.").format(height=number(proof.header.height))
    return join(words, " ", proofs.link(proof))


def dropdown(options: Sequence[tuple[str, Any]], label: str, value: Any = None) -> tuple[W.Dropdown, W.Box]:
    """Return a list to choose from, and how it looks with its label."""
    made = W.Dropdown(options=list(options))
    if value is not None:
        made.value = value
    return made, field(made, label)
