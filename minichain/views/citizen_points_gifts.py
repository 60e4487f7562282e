"""Points given away: for what they are asked, what a resident has given, and what became of it.

Who is helped stands nowhere. Until a cause has enough and its money is reserved, whoever gave may take it back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.views import citizen_points_words as words
from minichain.views import parts
from minichain.views.citizen_points_desk import Desk, line
from minichain.views.citizen_points_people import to_spend
from minichain.views.i18n import _, number
from minichain.views.markup import Child, Safe, join, tag
from minichain.views.panels import Content, bar, bound, button, card, field, html, rebuilt, row, stack


def gifts(desk: Desk) -> W.Box:
    """Return the screen on which points are given away and taken back."""
    model = desk.model
    who = desk.choose("resident", _("You are"), desk.street.residents)
    balance = bound(model, ["seen", "resident", "tick"], lambda: to_spend(desk))
    causes = rebuilt(model, ["causes", "resident"], partial(_causes, desk))
    clock = html(tag("p", words.day_lasts(desk.street.day_ms), class_="mc-hint"))
    sentence = _("For somebody in need, who is named nowhere. Nobody is made to give.")
    asked = card(who, balance, causes, desk.answer("giving"), clock, title=_("Give points away"), sentence=sentence)
    given = rebuilt(model, ["given"], partial(_given, desk))
    sentence = _("You may take it back until the money is reserved; if it comes to nothing, all of it comes back.")
    mine = card(given, desk.answer("gift"), title=_("What you have given"), sentence=sentence)
    return row(asked, stack(mine, _opening(desk)))


# --- what is asked for -------------------------------------------------------------------------------------------


def purpose(desk: Desk, cause: Mapping[str, Any]) -> str:
    """Name what a cause is for."""
    return _("{what} ({count})").format(count=number(cause["count"]), what=desk.item(cause["item"]))


def _causes(desk: Desk) -> Sequence[Content]:
    found = [_cause(desk, one) for one in desk.model.causes]
    return found or [html(parts.paragraph(_("No points are asked for.")))]


def _cause(desk: Desk, one: Mapping[str, Any]) -> W.Box:
    return line(bound(desk.model, ["tick"], partial(_cause_told, desk, one)), *_cause_acts(desk, one))


def _cause_told(desk: Desk, one: Mapping[str, Any]) -> Safe:
    cause = one["cause"]
    given = _("{given} of {goal} points given").format(given=number(cause["given"]), goal=number(cause["goal"]))
    clock = "" if cause["reasons"] else words.cause_clock(cause["state"]).format(until=desk.until(cause["due"]))
    made: list[Child] = [tag("strong", purpose(desk, cause)), " ", parts.chip(*words.cause_state(cause["state"]))]
    made.append(tag("div", " · ".join(filter(None, (given, clock))), class_="mc-hint"))
    for paper in filter(None, (cause["proof"], cause["reasons"])):
        made.append(tag("div", desk.quoted(paper), class_="mc-hint"))
    return join(*made)


def _cause_acts(desk: Desk, one: Mapping[str, Any]) -> list[Content]:
    """Offer what comes next of a cause: to give, the office's step, or what anybody may say when its time is over."""
    cause, code, street, model = one["cause"], one["code"], desk.street, desk.model

    def end(place: Any) -> Any:
        return place.end_cause(place.signer(model.resident), code)

    match cause["state"], one["is_over"]:
        case "Open" | "Reserved" | "Disputed", True:
            return [desk.go(_("Its time is over: everything goes back"), end, "giving")]
        case "Open", _over if cause["given"] >= cause["goal"]:
            reserve = _("{who}: reserve the money").format(who=_(street.treasury))
            return [desk.go(reserve, lambda place: place.reserve_cause(code), "giving")]
        case "Open", _over:
            return [_giving(desk, code, cause["goal"] - cause["given"])]
        case "Reserved", _over:
            fulfil = _("{who}: hand it over").format(who=_(street.provider))
            return [desk.go(fulfil, lambda place: place.deliver_cause(code, street.handed_over), "giving")]
        case _other:
            return []


def _giving(desk: Desk, code: str, missing: int) -> W.Box:
    points = W.BoundedIntText(value=min(10, missing), min=1, max=missing)

    def give(place: Any) -> Any:
        return place.give(desk.model.resident, code, points.value)

    return bar(field(points, _("Points to give")), desk.go(_("Give"), give, "giving"))


def _opening(desk: Desk) -> W.Box:
    """Let the treasury ask for points."""

    def goods() -> Sequence[Content]:
        listed = desk.model.goods
        if not listed:
            return []
        item = W.Dropdown(options=[(desk.item(one["code"]), one["code"]) for one in listed])
        count = W.BoundedIntText(value=1, min=1, max=100)

        def ask() -> None:
            chosen = (item.value, count.value)
            desk.say("", "cause", lambda street: street.open_cause(*chosen))

        fields = (field(item, _("What is needed")), field(count, _("How many")))
        return [bar(*fields, button(_("Ask for points"), ask))]

    sentence = _("{who} signs. Enough points buy it from the pool of money.").format(who=_(desk.street.treasury))
    form = rebuilt(desk.model, ["goods"], goods)
    return card(form, desk.answer("cause"), title=_("Ask for points"), sentence=sentence)


# --- what was given ----------------------------------------------------------------------------------------------


def _given(desk: Desk) -> Sequence[Content]:
    found = [_gift(desk, one) for one in desk.model.given]
    return found or [html(parts.paragraph(_("You have given nothing yet.")))]


def _gift(desk: Desk, one: Mapping[str, Any]) -> W.Box:
    gift, cause = one["gift"], one["cause"]
    points = _("{points} points").format(points=number(gift["points"]))
    chip = parts.chip(*words.gift_state(gift["state"], cause["state"]))
    told = join(tag("strong", points), " ", chip, tag("div", purpose(desk, cause), class_="mc-hint"))
    return line(told, *_gift_acts(desk, one))


def _gift_acts(desk: Desk, one: Mapping[str, Any]) -> list[Content]:
    """Offer what the resident may do about a gift, as far as its cause has come."""
    gift, cause, number_ = one["gift"], one["cause"], one["number"]
    resident = desk.model.resident

    def act(told: str, work: Callable[[Any], Any]) -> list[Content]:
        return [desk.go(told, work, "gift", kind="plain")]

    if gift["state"] == "Given" and cause["state"] in ("Open", "Returned"):
        return act(_("Take the gift back"), lambda street: street.take_back(resident, number_))
    if gift["state"] == "Given" and cause["state"] == "Delivered" and not (one["is_over"] or cause["reasons"]):
        return act(_("Nobody was helped"), lambda street: street.dispute_gift(resident, number_))
    return []
