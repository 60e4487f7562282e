"""Contribution points: a resident sees each entry with its reason and objects; offices record, verify and decide.

`Points` (in `citizen_points_model`) is what the page knows; here is only how it is put together. One visitor plays all
the roles, because a demonstration has to show both sides of each: the page says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.errors import UsageError
from minichain.views import citizen_points_appeals as appeals
from minichain.views import citizen_points_door as door
from minichain.views import citizen_points_gifts as giving
from minichain.views import citizen_points_lab as lab
from minichain.views import citizen_points_offices as offices
from minichain.views import citizen_points_people as people
from minichain.views import frame, parts
from minichain.views.briefs import points
from minichain.views.case import Settings
from minichain.views.citizen_points_desk import Desk
from minichain.views.citizen_points_model import Snapshot
from minichain.views.i18n import _, number, short
from minichain.views.panels import Content, LongAction, Page, bar, button, card, errand, html, rebuilt, stack, tabs
from minichain.views.replay import replay


def page(connect: Callable[[], Any], street: Any, workshop: Any) -> Page:
    """Build the dashboard; `connect()` opens a street, `street` is its class, `workshop` what is tried on nobody."""
    desk = Desk(connect, street, workshop)
    model = desk.model
    lives = {
        _("My points"): people.mine(desk),
        _("The rules"): lab.rules(desk),
        _("Verify and approve"): offices.clerks(desk),
        _("Appeal desk"): appeals.appeals(desk),
        _("Redeem"): tabs((_("For yourself"), people.redeem(desk)), (_("For somebody in need"), giving.gifts(desk))),
        _("Services at the door"): door.services(desk),
        _("Audit and erasure"): offices.audit(desk),
    }
    trial, begin = lab.trial(desk), _start(desk)

    def screens() -> Sequence[Content]:
        if not model.is_known:
            return [html(parts.paragraph(_("One moment…")))]
        if not model.is_open:
            return [begin, trial]
        own, *others = lives.items()
        return [tabs(own, (_("Try a rule"), trial), *others)]

    case = points.case(model, desk.errands)
    return frame.page(case, _earlier(desk), rebuilt(model, ["is_open", "is_known"], screens), live=desk.live)


def _start(desk: Desk) -> W.Box:
    """Offer to open the street, as long as there is none."""

    def play(street: Any, say: Callable[..., None]) -> None:
        say(0)
        street.play(lambda told: say(1, _(told)))

    steps = [_("Rules on the ledger"), _("A morning"), _("Final")]
    begin = LongAction(_("Open the street"), steps, desk.errands, lambda: play, lambda _nothing: "")
    sentence = _(
        "Two residents, offices and a pool of money. Everything is really signed; only the people are made up."
    )
    return card(begin, title=_("There are no points on this network yet."), sentence=sentence)


# --- the ledger as it was ----------------------------------------------------------------------------------------


def as_it_was(wanted: Settings, street: Any) -> Snapshot:
    """Execute the ledger anew up to the block of a run code, and return what it was then."""
    chain, until = short(street.net.genesis.hash), int(wanted["height"])
    if chain != wanted["chain"]:
        raise UsageError(
            _("The brief is about another network: its chain begins with {id}.").format(id=wanted["chain"])
        )
    if not 0 < until <= street.net.height():
        words = _("The brief is about block {height}, which this network does not have yet.")
        raise UsageError(words.format(height=number(until)))
    run = replay(street.net, until)
    return Snapshot(until, chain, run.head.time_ms if run.head else 0, street.names(), points.seen_in(run, street))


def _earlier(desk: Desk) -> W.Box:
    """Say that an earlier block is shown, and offer to follow the ledger again."""
    model, place = desk.model, stack()

    def fetch(change: Any) -> None:
        if change.new:
            errand(desk.errands, partial(as_it_was, change.new), partial(_pin, desk, place), place)

    def shown() -> Sequence[Content]:
        if not model.is_pinned:
            return []
        words = _("You see the ledger as it was at block {height}, executed anew.").format(height=number(model.height))
        return [bar(parts.note("info", words), button(_("Follow the ledger again"), model.follow))]

    model.observe(fetch, "wanted")
    return stack(place, rebuilt(model, ["is_pinned"], shown))


def _pin(desk: Desk, place: W.Box, snapshot: Snapshot) -> None:
    place.children = []
    desk.model.pin(snapshot)
