"""Services that come to the door: an office offers them to residents who have agreed to that, nobody has to apply.

Declining has no consequence. For whom an office plans, it has asked for points: that is put on record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.views import citizen_points_words as words
from minichain.views import parts
from minichain.views.citizen_points_desk import Desk, line
from minichain.views.i18n import _
from minichain.views.markup import Safe, join, tag
from minichain.views.panels import Content, bar, bound, button, card, field, html, rebuilt, split, tabs


def services(desk: Desk) -> W.Box:
    """Return the screen on which services are offered, accepted and declined."""
    model = desk.model
    who = desk.choose("resident", _("You are"), desk.street.residents)
    consent = rebuilt(model, ["is_in", "is_willing", "resident"], partial(_consent, desk))
    offers = rebuilt(model, ["offered", "resident"], partial(_offers, desk))
    sentence = _("You need not apply. If you decline, nothing changes for you.")
    clock = html(tag("p", words.day_lasts(desk.street.day_ms), class_="mc-hint"))
    mine = card(offers, desk.answer("door"), clock, title=_("Offered to you"), sentence=sentence)
    return tabs(
        (_("Offered to you"), split(card(who, consent), mine)), (_("The office offers a service"), _offering(desk))
    )


def _consent(desk: Desk) -> Sequence[Content]:
    model = desk.model
    if not model.is_in:
        return [html(parts.note("plain", _("You take no part."), tag("p", _("See “Audit and erasure”."))))]
    if model.is_willing:
        told = parts.note("ok", _("You have agreed to be offered services."), tag("p", _("You may change your mind.")))
        return [html(told), _choosing(desk, _("Offer me nothing any more"), is_willing=False)]
    told = parts.note("plain", _("You are offered nothing."), tag("p", _("An offer needs your consent first.")))
    return [html(told), _choosing(desk, _("Agree to be offered services"), is_willing=True)]


def _choosing(desk: Desk, told: str, *, is_willing: bool) -> W.Button:
    resident = desk.model.resident
    return desk.go(told, lambda street: street.agree_to_offers(resident, is_willing), "door", kind="plain")


def _offers(desk: Desk) -> Sequence[Content]:
    found = [_offer(desk, one) for one in desk.model.offered]
    return found or [html(parts.paragraph(_("Nothing has been offered yet.")))]


def _offer(desk: Desk, one: Mapping[str, Any]) -> W.Box:
    model, number_ = desk.model, one["number"]
    told = bound(model, ["tick"], partial(_told, desk, one))
    if one["state"] == "Accepted":
        done = _("{who}: it was delivered").format(who=_(desk.street.provider))
        return line(told, desk.go(done, lambda street: street.deliver(number_), "door"))
    if one["state"] != "Offered" or one["is_over"]:
        return bar(told)

    def answer(*, is_accepted: bool) -> Any:
        return lambda street: street.answer(model.resident, number_, is_accepted)

    accept = desk.go(_("Accept"), answer(is_accepted=True), "door", "served")
    return line(told, accept, desk.go(_("Decline"), answer(is_accepted=False), "door", kind="plain"))


def _told(desk: Desk, one: Mapping[str, Any]) -> Safe:
    state = parts.chip(*words.offer_state(one["state"], is_over=one["is_over"]))
    who = _(desk.street.provider)
    if one["state"] == "Offered":
        who = _("{who} · answer {until}").format(who=who, until=desk.until(one["until"]))
    return join(tag("strong", words.service_name(one["service"])), " ", state, tag("div", who, class_="mc-hint"))


def _offering(desk: Desk) -> W.Box:
    """Let the office offer something; the contract refuses where the resident has not agreed."""
    whom = W.Dropdown(options=[(_(name), name) for name in desk.street.residents])
    service = W.Dropdown(options=[(words.service_name(name), name) for name in desk.street.services])

    def offer() -> None:
        chosen = (whom.value, service.value)
        desk.say("", "offer", lambda street: street.offer(*chosen))

    signs = _("{who} signs. That it has asked for the resident's points is put on record under “Audit and erasure”.")
    title, sentence = _("The office offers a service"), signs.format(who=_(desk.street.provider))
    fields = bar(field(whom, _("For")), field(service, _("Service")), button(_("Offer it"), offer, "primary"))
    return card(fields, desk.answer("offer"), title=title, sentence=sentence)
