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
from minichain.views.citizen_points_desk import Desk, line
from minichain.views.citizen_points_model import ENDING
from minichain.views.i18n import _, number
from minichain.views.loads import state_of
from minichain.views.markup import Child, Safe, join, tag
from minichain.views.moving import Pick
from minichain.views.panels import Content, Kind, bar, bound, button, card, field, html, rebuilt, row, split, stack


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
    note = _("{count} points more if nobody objects").format(count=signed(model.coming)) if model.coming else ""
    return parts.kpi(_("In effect"), model.balance, _("points"), note=note)


def _rows(desk: Desk) -> list[Pick]:
    due = set(desk.model.due)
    return [_row(line, line.number in due) for line in desk.model.lines]


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
        parts.chip(*(words.entry_due() if opened["is_due"] else words.entry_state(entry["state"]))),
        class_="mc-line",
    )
    shown: list[Content] = [html(top), *_notes(desk, opened), html(facts(desk, entry)), *_actions(desk, opened)]
    if opened["moments"]:
        way = bound(model, ["tick", "opened"], lambda: _way(desk), "mc-way")
        shown += [way, html(tag("p", words.day_lasts(desk.street.day_ms), class_="mc-hint"))]
    return shown


def _title(entry: Mapping[str, Any]) -> str:
    return words.rule_name(entry["code"]) if entry["code"] else words.kind_name(entry["kind"])


def _points(entry: Mapping[str, Any]) -> str:
    told = _("{points} points").format(points=signed(entry["delta"]))
    amount = words.amount_words(entry["code"], entry["amount"])
    return f"{told} · {amount}" if amount else told


def _way(desk: Desk) -> Safe:
    opened = desk.model.clocked
    if opened is None:
        return join()
    return parts.custody(_("From notice to effect"), words.stops(opened, desk.model.now_ms, desk.street.day_ms))


def _notes(desk: Desk, opened: Mapping[str, Any]) -> list[Content]:
    """Say what is suspended, and what was decided with which reasons."""
    made: list[Content] = []
    if opened["entry"]["state"] in ("Recorded", "Verified", "Notified", "Rejected", "Objected", "Appealed"):
        made.append(bound(desk.model, ["tick"], partial(_standing, desk, opened)))
    for one in opened["cases"]:
        if one["case"]["reasons"]:
            who, known = desk.name(one["case"]["reviewer"]), words.outcomes(one["case"]["kind"])
            outcome = known[one["case"]["outcome"]]
            reasons = desk.quoted(one["case"]["reasons"])
            made.append(html(parts.note("info", f"{who} · {outcome}", tag("p", reasons))))
    return made


def _standing(desk: Desk, opened: Mapping[str, Any]) -> Safe:
    """Say in plain words what has happened to the points so far, and until when what is possible."""
    entry = opened["entry"]
    if entry["state"] in ("Objected", "Appealed"):
        return _suspended(desk, opened)
    if entry["state"] in words.AWAITED:
        return _awaited(desk, opened)
    if opened["is_over"]:
        return join()
    points, is_taken = number(abs(entry["delta"])), entry["delta"] < 0
    what, yet = _("{points} points are on their way to you."), _("They do not count yet.")
    if entry["is_rejected"]:
        what, yet = _("{points} points were refused."), _("You find the reasons below.")
    elif is_taken:
        what, yet = _("{points} points would be taken from you."), _("Nothing has been taken yet.")
    until = desk.until(desk.model.clocks(opened)["closes"])
    told = _("Is it wrong? You may object {until}. It costs nothing.").format(until=until)
    is_adverse = is_taken or entry["is_rejected"]
    return parts.note("warn" if is_adverse else "info", what.format(points=points), tag("p", yet, " ", told))


def _suspended(desk: Desk, opened: Mapping[str, Any]) -> Safe:
    told = _("Nothing happens to your points until a person who had no part in it has decided, {deadline}.")
    silence = _("If nobody decides in time, you are right.")
    if opened["entry"]["is_rejected"]:
        silence = _("If nobody decides in time, another office looks.")
    deadline = desk.until(opened["cases"][0]["case"]["deadline"])
    return parts.note("warn", _("The effect is suspended."), tag("p", told.format(deadline=deadline), " ", silence))


def _awaited(desk: Desk, opened: Mapping[str, Any]) -> Safe:
    """Say what an office owes the resident, and what its silence means."""
    entry = opened["entry"]
    if not opened["is_over"]:
        is_new = entry["state"] == "Recorded"
        told = _("An office has to look at it {until}.") if is_new else _("An office has to tell you why {until}.")
        return parts.paragraph(told.format(until=desk.until(entry["closes_at"])))
    is_for = _("It goes on as if somebody had, unless it was flagged.")
    silence = _("It ends: nothing is taken from you.") if entry["severity"] else is_for
    return parts.note("info", _("No office looked at it in time."), tag("p", silence))


def facts(desk: Desk, entry: Mapping[str, Any], *more: tuple[str, Child]) -> Safe:
    """Say what an entry rests on: its rule, the basis, the notice, and who had a part in it; `more` comes last."""
    pairs: list[tuple[str, Child]] = []
    rule = desk.rule(entry["code"])
    if rule:
        version = _("version {version}, adopted by {who}").format(
            version=number(entry["version"]), who=desk.name(rule["adopted_by"])
        )
        behaviour = join(desk.behaviour(rule), tag("div", version, class_="mc-hint"))
        pairs += [(_("Rule"), behaviour), (_("It rests on"), basis(rule))]
    if entry["drop"]:
        pairs.append((_("Weighed"), _weighed(desk, entry["drop"])))
    if entry["notice"]:
        pairs.append((_("What you were told"), desk.quoted(entry["notice"])))
    if entry["by"] and entry["code"]:
        told = _("recorded by {by}").format(by=desk.name(entry["by"]))
        other = _("verified by {by}").format(by=desk.name(entry["verified_by"])) if entry["verified_by"] else ""
        pairs.append((_("Who"), " · ".join(filter(None, (told, other)))))
    return parts.facts([*pairs, *more])


def _weighed(desk: Desk, drop: str) -> str:
    """Say what the scale signed, and in which load it travels."""
    weighing, load = desk.model.weighing(drop), desk.model.load_of(drop)
    told = _("{grams} g, signed by {scale}").format(
        grams=number(weighing["grams"]), scale=desk.name(weighing["device"])
    )
    if load is None:
        return told
    return _("{weight}; load {number}: {state}").format(weight=told, number=load["number"], state=state_of(load)[1])


def basis(rule: Mapping[str, Any]) -> Safe:
    """Say on what a rule rests."""
    reference, is_law = rule["basis_reference"], rule["basis"] == "law"
    return join(_("a law") if is_law else _("an agreement of the residents"), " · ", _(reference))


# --- what the resident can do ------------------------------------------------------------------------------------


def _actions(desk: Desk, opened: Mapping[str, Any]) -> list[Content]:
    if opened["entry"]["state"] in words.AWAITED and opened["is_over"]:
        return _unseen(desk, opened)
    return [*(_settling(desk) if opened["is_due"] else []), *_contesting(desk, opened)]


def _settling(desk: Desk) -> list[Content]:
    model = desk.model
    told = html(parts.paragraph(_("Nobody has objected. Anybody may now let it take effect.")))
    return [told, desk.go(_("Let it take effect"), lambda street: street.settle(model.resident, model.due), "entry")]


def _contesting(desk: Desk, opened: Mapping[str, Any]) -> list[Content]:
    entry, is_over, model = opened["entry"], opened["is_over"], desk.model
    state, number_ = entry["state"], opened["number"]
    if state in ENDING and is_over:
        return []
    if state in ("Notified", "Rejected"):
        claimed = None if entry["is_rejected"] else entry
        return [_objecting(desk, claimed, _("Object"), partial(_object, model.resident, number_))]
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


def _unseen(desk: Desk, opened: Mapping[str, Any]) -> list[Content]:
    """Offer what a resident may do whose entry no office looked at: say so, and of a reward ask for a review."""
    resident, number_, entry = desk.model.resident, opened["number"], opened["entry"]

    def lapse(street: Any) -> Any:
        return street.let_lapse(street.signer(resident), number_)

    say = desk.go(_("Say that the time is over"), lapse, "entry")
    if entry["state"] != "Recorded" or entry["severity"]:
        return [say]
    return [say, _objecting(desk, None, _("Ask for a review"), partial(_object, resident, number_), "plain")]


def _object(resident: str, entry: int, grounds: str, said: str, claim: int, street: Any) -> Any:
    return street.object_to(resident, entry, grounds, said, claim)


def _appeal(resident: str, case: int, grounds: str, said: str, _claim: int, street: Any) -> Any:
    return street.appeal(resident, case, grounds, said)


def _objecting(
    desk: Desk, entry: Mapping[str, Any] | None, name: str, work: Callable[..., Any], kind: Kind = "primary"
) -> W.Box:
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

    return stack(button(name, ask, kind), place)


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
    balance = bound(model, ["seen", "resident", "tick"], lambda: to_spend(desk))
    goods = card(who, balance, rebuilt(model, ["goods", "resident"], listed), title=_("What points are good for"))
    sentence = _("Points are taken when the money is reserved, and given back if nothing comes.")
    mine = rebuilt(model, ["ordered"], orders)
    return row(goods, card(mine, desk.answer("redeem"), title=_("My orders"), sentence=sentence))


def to_spend(desk: Desk) -> Safe:
    model = desk.model
    soon = model.soon
    note = ""
    if soon:
        first = min(model.clocks(one)["effect"] for one in soon)
        words_ = _("{count} more from {time} on, if nobody objects")
        more = sum(one["entry"]["delta"] for one in soon)
        note = words_.format(count=signed(more), time=words.when(first, model.now_ms))
    return parts.kpi(_("{who} has").format(who=_(model.resident)), model.balance, _("points"), note=note)


def _item(desk: Desk, item: Mapping[str, Any]) -> W.Box:
    told = _("{points} points · {use}").format(points=number(item["points"]), use=words.use_name(item["use"]))
    order = desk.go(_("Order"), lambda street: street.order(desk.model.resident, item["code"]), "redeem")
    return line(join(tag("strong", desk.item(item["code"])), tag("div", told, class_="mc-hint")), order)


def _order(desk: Desk, one: Mapping[str, Any]) -> W.Box:
    order = one["order"]
    told = bound(desk.model, ["tick"], lambda: _order_told(desk, order))
    return line(told, *_order_acts(desk, one))


def _order_told(desk: Desk, order: Mapping[str, Any]) -> Safe:
    made: list[Child] = [tag("strong", desk.item(order["item"])), " ", parts.chip(*words.order_state(order["state"]))]
    clock = "" if order["decided_by"] else words.order_clock(order["state"])
    if clock:
        made.append(tag("div", clock.format(until=desk.until(order["due"])), class_="mc-hint"))
    if order["decided_by"]:
        made.append(tag("div", desk.name(order["decided_by"]), ": ", desk.quoted(order["reasons"]), class_="mc-hint"))
    return join(*made)


def _order_acts(desk: Desk, one: Mapping[str, Any]) -> list[Content]:
    """Offer what comes next of an order: the office's step, and what the resident may do about it."""
    order, number_, street, model = one["order"], one["number"], desk.street, desk.model
    treasury, provider, account = street.treasury, street.provider, order["account"]

    def cancel(place: Any) -> Any:
        return place.cancel(place.signer(model.resident), number_)

    def act(told: str, work: Callable[[Any], Any], *, is_plain: bool = False) -> W.Button:
        return desk.go(told, work, "redeem", kind="plain" if is_plain else "primary")

    match order["state"], one["is_over"]:
        case "Requested", _over:
            reserve = _("{who}: reserve the money").format(who=_(treasury))
            first = act(reserve, lambda place: place.reserve(treasury, number_))
            return [first, act(_("Cancel"), cancel, is_plain=True)]
        case "Reserved", _over:
            fulfil = _("{who}: hand it over").format(who=_(provider))
            first = act(fulfil, lambda place: place.fulfil(provider, account, number_, street.slip))
            return [first, act(_("Cancel"), cancel, is_plain=True)]
        case "Fulfilled", False if not order["decided_by"]:
            return [act(_("I have not received it"), lambda place: place.dispute(model.resident, number_))]
        case "Disputed", True:
            return [act(_("Nobody has decided: take the points back"), cancel)]
        case _other:
            return []
