"""Alliance voting: propose, vote, see what is still needed and who has power, hold hidden ballots, count it again.

`Alliance` (in `alliance_voting_model`) is what the page knows; the contract decides what is allowed. One visitor acts
for all members, because a demonstration has to show every side: the page says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.errors import UsageError
from minichain.views import (
    alliance_voting_decisions,
    alliance_voting_polls,
    alliance_voting_power,
    alliance_voting_proposing,
    frame,
    parts,
)
from minichain.views import alliance_voting_words as words
from minichain.views.alliance_voting_hall import Hall
from minichain.views.alliance_voting_model import VOTING, Alliance, Snapshot
from minichain.views.briefs import voting
from minichain.views.case import Settings
from minichain.views.i18n import _, ngettext, number, short
from minichain.views.markup import Safe, join, tag
from minichain.views.panels import (
    Content,
    LongAction,
    Page,
    band,
    bar,
    bound,
    button,
    card,
    errand,
    html,
    rebuilt,
    stack,
    tabs,
)
from minichain.views.replay import replay


def page(connect: Callable[[], Any], council: Any) -> Page:
    """Build the dashboard; `connect()` opens a council, `council` is its class."""
    hall = Hall(connect, council)
    model, screens = hall.model, tabs()
    screens.children = [
        alliance_voting_decisions.screen(hall),
        alliance_voting_proposing.screen(hall),
        alliance_voting_power.power_screen(hall),
        alliance_voting_power.compare_screen(hall),
        alliance_voting_polls.screen(hall),
    ]
    screens.titles = (_("Decide"), _("Propose"), _("Who has power"), _("Other rules"), _("Hidden ballots"))
    begin, shown = _start(hall), [_figures(model), screens]

    def content() -> Sequence[Content]:
        return [begin] if model.height >= 0 and not model.is_founded else shown

    case = voting.case(model, hall.errands)
    place = rebuilt(model, ["is_founded", "height"], content)
    return frame.page(case, html(notice()), _earlier(hall), place, live=hall.live)


def notice() -> Safe:
    """Say what this is for, and why not for public elections."""
    reasons = tag("ol", (tag("li", one) for one in words.reasons()), class_="mc-reasons")
    source = _("S. Park, M. Specter, N. Narula, R. Rivest: Going from bad to worse, Journal of Cybersecurity 7 (2021).")
    return parts.note(
        "warn",
        _("For decisions among institutions. Not for public elections."),
        parts.drawer(_("Why not? Three reasons"), reasons, tag("p", source, class_="mc-hint")),
    )


def _start(hall: Hall) -> W.Box:
    """Offer to found the council, as long as there is none."""

    def play(council: Any, say: Callable[..., None]) -> None:
        say(0)
        council.play(lambda told: say(1, _(told)))

    steps = [_("Rules on the ledger"), _("A first proposal"), _("Final")]
    begin = LongAction(_("Found the council"), steps, hall.errands, lambda: play, lambda _nothing: "")
    sentence = _("Six offices and plants, with weights. Everything is really signed and agreed on; they are made up.")
    return card(begin, title=_("There is no council on this network yet."), sentence=sentence)


def _figures(model: Alliance) -> W.Box:
    def voted() -> Safe:
        note = ngettext("{count} proposal in all", "{count} proposals in all", len(model.proposals))
        note = note.format(count=number(len(model.proposals)))
        return parts.kpi(_("Being voted on"), model.count(*VOTING), note=note)

    def waiting() -> Safe:
        done = _("{count} carried out").format(count=number(model.count("Executed")))
        return parts.kpi(
            _("Passed, to be carried out"), model.count("Succeeded", "Queued", "ExecutionFailed"), note=done
        )

    def members() -> Safe:
        note = _("with a weight of {weight} together").format(weight=number(sum(row[2] for row in model.members)))
        return parts.kpi(_("Members"), len(model.members), note=note)

    def terms() -> Safe:
        told = [f"{_(name)}: {number(figure)}" for name, figure in model.terms.items()]
        label = _("Terms, frozen") if model.is_frozen else _("Terms")
        return parts.kpi(label, len(model.terms), note=join(*(tag("div", one) for one in told)))

    follows = ["proposals", "members", "terms", "is_frozen"]
    return band(*(bound(model, follows, render) for render in (voted, waiting, members, terms)))


# --- as it was ---------------------------------------------------------------------------------------------------


def _earlier(hall: Hall) -> W.Box:
    """Say that an earlier block is shown, and offer to follow the chain again."""
    place, model = stack(), hall.model

    def fetch(change: Any) -> None:
        if change.new:
            errand(hall.errands, partial(as_it_was, change.new), model.pin, place)

    def shown() -> Sequence[Content]:
        if not model.is_pinned:
            return []
        told = _("You see the council as it was at block {height}, executed anew.").format(height=number(model.height))
        return [bar(parts.note("info", told), button(_("Follow the chain again"), model.follow))]

    model.observe(fetch, "wanted")
    return stack(place, rebuilt(model, ["is_pinned"], shown))


def as_it_was(wanted: Settings, council: Any) -> Snapshot:
    """Execute the chain anew up to the block of a run code, and return the council as it was then."""
    chain, until = short(council.net.genesis.hash), int(wanted["height"])
    if chain != wanted["chain"]:
        told = _("The brief is about another network: its chain begins with {id}.")
        raise UsageError(told.format(id=wanted["chain"]))
    if not 0 <= until <= council.net.height():
        told = _("The brief is about block {height}, which this network does not have yet.")
        raise UsageError(told.format(height=number(until)))
    return voting.replayed(council, replay(council.net, until))
