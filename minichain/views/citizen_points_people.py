"""The screens of a resident on the page of contribution points: my points, and what they are good for.

There is no ranking and no other person's list. An entry is three clicks away from an objection: the entry, *Object*,
the grounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.views import citizen_points_words as words
from minichain.views import parts
from minichain.views.citizen_points_desk import Desk
from minichain.views.i18n import _, number
from minichain.views.markup import Child, Safe, join, tag
from minichain.views.moving import Pick
from minichain.views.panels import Content, bar, bound, button, card, field, html, rebuilt, split, stack


def signed(points: int) -> str:
    """Write points with their sign."""
    return f"+{number(points)}" if points > 0 else number(points).replace("-", "\N{MINUS SIGN}")


# --- my points ---------------------------------------------------------------------------------------------------


def mine(desk: Desk) -> W.Box:
    """Return the resident's own screen."""
    model = desk.model
    who = desk.choose("resident", _("You are"), desk.street.residents)
    place = stack()
    picks = desk.picks("entry", _("My entries"), _("Nothing yet."), ["seen", "resident", "tick"], lambda: _rows(desk))

    def fresh() -> None:
        desk.send(lambda street: street.news(model.resident), place)

    def aside() -> Sequence[Content]:
        if not model.takes_part:
            return [html(parts.note("plain", _("You take no part."), tag("p", _("See “Audit and erasure”."))))]
        title = parts.heading(
            _("My entries"), _("Newest first. There is no ranking, and nobody else's entries are here.")
        )
        again = button(_("Bring something new"), fresh)
        return [bound(model, ["seen"], lambda: _balance(desk)), html(title), picks, again]

    side = card(who, rebuilt(model, ["resident", "is_in"], aside), place)
    return split(side, card(rebuilt(model, ["opened"], partial(_entry, desk)), desk.answer("entry")))


def _balance(desk: Desk) -> Safe:
    model = desk.model
    note = _("{count} more if nobody objects").format(count=signed(model.coming)) if model.coming else ""
    return parts.kpi(_("In effect"), model.balance, _("points"), note=note)


def _rows(desk: Desk) -> list[Pick]:
    return [_row(line, line.number in desk.model.due) for line in desk.model.lines]


def _row(line: Any, is_due: bool) -> Pick:
    title = words.rule_name(line.rule.partition(" ")[0]) if line.rule else words.kind_name(line.kind)
    told = _("{points} points").format(points=signed(line.points))
    state = words.entry_due() if is_due else words.entry_state(line.state)
    return Pick(str(line.number), title, told, *state)


def _entry(desk: Desk) -> Sequence[Content]:
    model, opened = desk.model, desk.model.opened
    if opened is None:
        return [html(parts.paragraph(_("Choose an entry.")))]
    entry = opened["entry"]
    top = tag(
        "div",
        tag("div", parts.heading(_title(entry), _points(entry))),
        parts.chip(*(words.entry_due() if opened["number"] in model.due else words.entry_state(entry["state"]))),
        class_="mc-line",
    )
    shown: list[Content] = [html(top), *_notes(desk, opened), html(facts(desk, entry)), *_actions(desk, opened)]
    if opened["moments"]:
        way = bound(model, ["tick", "opened"], lambda: _way(desk), "mc-way")
        shown.append(way)
    return shown


def _title(entry: Mapping[str, Any]) -> str:
    return words.rule_name(entry["code"]) if entry["code"] else words.kind_name(entry["kind"])


def _points(entry: Mapping[str, Any]) -> str:
    told = _("{points} points").format(points=signed(entry["delta"]))
    amount = words.amount_words(entry["code"], entry["amount"])
    return f"{told} · {amount}" if amount else told


def _way(desk: Desk) -> Safe:
    opened = desk.model.opened
    if opened is None:
        return join()
    return parts.custody(_("From notice to effect"), words.stops(opened, desk.model.now_ms))


def _notes(desk: Desk, opened: Mapping[str, Any]) -> list[Content]:
    """Say what is suspended, and what was decided with which reasons."""
    made: list[Content] = []
    if opened["entry"]["state"] in ("Objected", "Appealed"):
        told = _("Nothing happens to your points until a person who had no part in it has decided, {deadline}.")
        late = _("If nobody decides in time, you are right.")
        deadline = words.until(opened["cases"][0]["case"]["deadline"], desk.model.now_ms)
        made.append(
            html(parts.note("warn", _("The effect is suspended."), tag("p", told.format(deadline=deadline), " ", late)))
        )
    for one in opened["cases"]:
        if one["case"]["reasons"]:
            who, outcome = desk.name(one["case"]["reviewer"]), words.outcomes()[one["case"]["outcome"]]
            reasons = desk.quoted(one["case"]["reasons"])
            made.append(html(parts.note("info", f"{who} · {outcome}", tag("p", reasons))))
    return made


def facts(desk: Desk, entry: Mapping[str, Any]) -> Safe:
    """Say what an entry rests on: its rule, the basis, the notice, and who had a part in it."""
    pairs: list[tuple[str, Child]] = []
    rule = desk.rule(entry["code"])
    if rule:
        version = _("version {version}, adopted by {who}").format(
            version=number(entry["version"]), who=desk.name(rule["adopted_by"])
        )
        behaviour = join(desk.behaviour(rule), tag("div", version, class_="mc-hint"))
        pairs += [(_("Rule"), behaviour), (_("It rests on"), basis(rule))]
    if entry["notice"]:
        pairs.append((_("What you were told"), desk.quoted(entry["notice"])))
    if entry["by"] and entry["code"]:
        told = _("recorded by {by}").format(by=desk.name(entry["by"]))
        other = _("verified by {by}").format(by=desk.name(entry["verified_by"])) if entry["verified_by"] else ""
        pairs.append((_("Who"), " · ".join(filter(None, (told, other)))))
    return parts.facts(pairs)


def basis(rule: Mapping[str, Any]) -> Safe:
    """Say on what a rule rests."""
    reference, is_law = rule["basis_reference"], rule["basis"] == "law"
    return join(_("a law") if is_law else _("an agreement of the residents"), " · ", _(reference))


# --- what the resident can do ------------------------------------------------------------------------------------


def _actions(desk: Desk, opened: Mapping[str, Any]) -> list[Content]:
    entry, is_over, model = opened["entry"], opened["is_over"], desk.model
    state, number_ = entry["state"], opened["number"]
    if state in ("Notified", "Rejected", "Upheld", "Amended", "Final") and is_over:
        late = html(parts.paragraph(_("Nobody objected in time. Anybody may now let it take effect.")))
        return [
            late,
            desk.go(_("Let it take effect"), lambda street: street.settle(model.resident, model.due), "entry"),
        ]
    if state in ("Notified", "Rejected"):
        of = entry if state == "Notified" else None  # of a rejection no other amount is claimed
        return [_objecting(desk, of, _("Object"), partial(_object, model.resident, number_))]
    if state in ("Upheld", "Amended") and opened["cases"]:
        case = opened["cases"][0]["number"]
        return [_objecting(desk, None, _("Appeal"), partial(_appeal, model.resident, case))]
    if state in ("Effective", "RepairRefused") and entry["severity"]:
        said = desk.blank(_("What you have done since"))
        ask = desk.go(
            _("Ask that it is undone"), lambda street: street.ask_repair(model.resident, number_, said.value), "entry"
        )
        return [said.box, ask]
    return []


def _object(resident: str, entry: int, grounds: str, said: str, claim: int, street: Any) -> Any:
    return street.object_to(resident, entry, grounds, said, claim)


def _appeal(resident: str, case: int, grounds: str, said: str, _claim: int, street: Any) -> Any:
    return street.appeal(resident, case, grounds, said)


def _objecting(desk: Desk, entry: Mapping[str, Any] | None, name: str, work: Callable[..., Any]) -> W.Box:
    """Offer the grounds after one click; the second click sends."""
    place = stack()

    def ask() -> None:
        said = desk.blank(_("In your own words, if you like"))
        is_reward = entry is not None and not entry["severity"]
        claim = W.BoundedIntText(value=entry["amount"] if is_reward and entry else 0, min=0, max=100_000)

        def send(ground: str) -> Callable[[Any], Any]:
            right = claim.value if is_reward and entry and claim.value != entry["amount"] else 0
            return partial(work, ground, said.value or words.grounds()[ground], right)

        shown = [
            button(told, partial(lambda ground: desk.say("objected", "entry", send(ground)), ground))
            for ground, told in words.grounds().items()
        ]
        right = [field(claim, _("What would be right, in minutes"))] if is_reward else []
        question = parts.paragraph(_("Why? Choose one; that sends it. It costs nothing."))
        place.children = [html(question), bar(*shown), *right, said.box]

    return stack(button(name, ask, "primary"), place)


# --- what they are good for --------------------------------------------------------------------------------------


def redeem(desk: Desk) -> W.Box:
    """Return the screen on which points are redeemed."""
    model = desk.model

    def listed() -> Sequence[Content]:
        return [_item(desk, item) for item in (model.seen.items if model.seen else ())]

    def orders() -> Sequence[Content]:
        found = [_order(desk, one) for one in model.orders]
        return found or [html(parts.paragraph(_("No order yet.")))]

    who = desk.choose("resident", _("You are"), desk.street.residents)
    balance = bound(model, ["seen", "resident", "tick"], lambda: _to_spend(desk))
    goods = card(
        who,
        balance,
        rebuilt(model, ["goods", "resident"], listed),
        desk.answer("redeem"),
        title=_("What points are good for"),
    )
    sentence = _("Points are taken when the money is reserved, and given back if nothing comes.")
    return split(goods, card(rebuilt(model, ["ordered"], orders), title=_("My orders"), sentence=sentence))


def _to_spend(desk: Desk) -> Safe:
    model = desk.model
    soon = [line for line in model.lines if line.object_until > model.now_ms and line.points > 0]
    note = ""
    if soon:
        first = min(line.object_until for line in soon)
        words_ = _("{count} more from {time} on, if nobody objects")
        more = sum(line.points for line in soon)
        note = words_.format(count=signed(more), time=words.when(first, model.now_ms))
    return parts.kpi(_("{who} has").format(who=_(model.resident)), model.balance, _("points"), note=note)


def _item(desk: Desk, item: Mapping[str, Any]) -> W.Box:
    told = _("{points} points · {use}").format(points=number(item["points"]), use=words.use_name(item["use"]))
    order = desk.go(_("Order"), lambda street: street.order(desk.model.resident, item["code"]), "redeem")
    return bar(html(join(tag("strong", desk.item(item["code"])), tag("div", told, class_="mc-hint"))), order)


def _order(desk: Desk, one: Mapping[str, Any]) -> W.Box:
    order, number_ = one["order"], one["number"]
    top = html(join(tag("strong", desk.item(order["item"])), " ", parts.chip(*words.order_state(order["state"]))))
    street, account = desk.street, order["account"]
    steps = {
        "Requested": (street.treasury, lambda place: place.reserve(street.treasury, number_)),
        "Reserved": (street.provider, lambda place: place.fulfil(street.provider, account, number_, "Slip")),
    }
    names = {"Requested": _("{who}: reserve the money"), "Reserved": _("{who}: hand it over")}
    if order["state"] not in steps:
        return bar(top)
    who, work = steps[order["state"]]
    cancel = desk.go(
        _("Cancel"), lambda place: place.cancel(place.signer(desk.model.resident), number_), "redeem", kind="plain"
    )
    return bar(top, desk.go(names[order["state"]].format(who=_(who)), work, "redeem"), cancel)
