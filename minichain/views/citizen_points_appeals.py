"""The appeal desk on the page of contribution points: objections, appeals and disputed orders, each with its age.

Whoever is chosen really signs; the contracts refuse who had a part in it. A desk that never changes anything is named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.views import citizen_points_words as words
from minichain.views import parts
from minichain.views.citizen_points_desk import Desk
from minichain.views.citizen_points_gifts import purpose
from minichain.views.citizen_points_model import LEAST_DECIDED, OPEN_CASE, percent
from minichain.views.i18n import _, listed, ngettext, number
from minichain.views.markup import Child, Safe, join, tag
from minichain.views.moving import Pick
from minichain.views.panels import Content, band, bar, bound, card, field, html, rebuilt, split, stack


def appeals(desk: Desk) -> W.Box:
    """Return the screen on which objections and appeals are decided, each with its age."""
    model = desk.model
    picks = desk.picks("case", _("Cases"), _("No case yet."), ["seen", "tick"], lambda: _cases(desk))
    figures = band(
        *(bound(model, ["seen", "tick"], partial(part, desk)) for part in (_queue, _oldest, _late, _changed))
    )
    stamp = bound(model, ["seen"], lambda: _stamp(desk))
    side = card(html(parts.heading(_("Cases"), _("Those that wait come first."))), picks)
    heard = card(rebuilt(model, ["heard"], partial(_hear, desk)), desk.answer("case"))
    return stack(figures, stamp, split(side, heard), _disputes(desk))


def _queue(desk: Desk) -> Safe:
    late = sum(one["case"]["deadline"] < desk.model.now_ms for one in desk.model.waiting)
    note = ngettext("{count} of them is late", "{count} of them are late", late).format(count=number(late))
    return parts.kpi(_("Waiting"), len(desk.model.waiting), note=note)


def _oldest(desk: Desk) -> Safe:
    ages = [desk.model.now_ms - one["case"]["opened_at"] for one in desk.model.waiting]
    return parts.kpi(_("The oldest waits for"), desk.days(max(ages)) if ages else "\N{EN DASH}")


def _late(desk: Desk) -> Safe:
    return parts.kpi(_("Decided too late"), desk.model.lapsed, note=_("and so for the resident"))


def _changed(desk: Desk) -> Safe:
    model, count = desk.model, len(desk.model.decided)
    share = percent(1_000 * model.changed // count) if count else "\N{EN DASH}"
    note = _("{changed} of {count} decisions changed something").format(
        changed=number(model.changed), count=number(count)
    )
    return parts.kpi(_("Decisions overturned"), share, note=note)


def _stamp(desk: Desk) -> Safe:
    model = desk.model
    if model.is_rubber_stamp:
        told = _("Nothing that was ever objected to was changed. Either no entry was ever wrong, or nobody looks.")
        return parts.note("bad", _("0 %: this looks like a rubber stamp."), tag("p", told))
    if len(model.decided) < LEAST_DECIDED:
        return parts.note("plain", _("Too few decisions to judge the desk by its rate."))
    return parts.note("ok", _("This desk changes decisions that were wrong."))


def _cases(desk: Desk) -> list[Pick]:
    model = desk.model
    ordered = sorted(model.cases, key=lambda one: (one["case"]["state"] not in OPEN_CASE, one["number"]))
    return [_case(desk, one["number"], one["case"]) for one in ordered]


def _case(desk: Desk, number_: int, case: Mapping[str, Any]) -> Pick:
    age = _("for {age}").format(age=desk.days(desk.model.now_ms - case["opened_at"]))
    told = age if case["state"] in OPEN_CASE else words.rule_name(case["rule"].partition(" ")[0])
    line = _("case {number} · {told}").format(number=number(number_), told=told)
    return Pick(str(number_), words.grounds()[case["grounds"]], line, *words.case_state(case))


def _hear(desk: Desk) -> Sequence[Content]:
    heard = desk.model.heard
    if heard is None:
        return [html(parts.paragraph(_("Choose a case.")))]
    case, number_ = heard["case"], heard["number"]
    pairs: list[tuple[str, Child]] = [
        (_("Who"), desk.name(case["account"])),
        (_("Rule"), words.rule_name(case["rule"].partition(" ")[0])),
        (_("The resident says"), desk.quoted(case["evidence"])),
    ]
    if case["claim"]:
        pairs.append((_("Claimed"), _("{count} minutes").format(count=number(case["claim"]))))
    if case["reasons"]:
        reasons = join(desk.name(case["reviewer"]), " · ", desk.quoted(case["reasons"]))
        pairs.append((_("Reasons of the decision"), reasons))
    if case["panel"]:
        pairs.append((_("Panel"), listed(desk.name(member) for member in case["panel"])))
    title = _("Case {number}: {grounds}").format(number=number(number_), grounds=words.grounds()[case["grounds"]])
    top = tag("div", tag("div", parts.heading(title)), parts.chip(*words.case_state(case)), class_="mc-line")
    clock = bound(desk.model, ["tick"], lambda: _deadline(desk, case))
    return [
        html(top),
        html(parts.facts(pairs)),
        *([clock] if case["state"] in OPEN_CASE and not heard["is_over"] else []),
        *_rulings(desk, heard),
    ]


def _deadline(desk: Desk, case: Mapping[str, Any]) -> Safe:
    return parts.paragraph(_("Somebody has to decide {deadline}.").format(deadline=desk.until(case["deadline"])))


def _rulings(desk: Desk, heard: Mapping[str, Any]) -> list[Content]:
    case, number_ = heard["case"], heard["number"]
    if case["state"] not in OPEN_CASE:
        return []
    if heard["is_over"]:
        late = html(
            parts.paragraph(_("Nobody has decided in time. Anybody may now say so, and the resident is right."))
        )
        lapse = desk.go(
            _("Say that the time is over"), lambda street: street.lapse(street.appeals, number_), "case", "decided"
        )
        return [late, lapse]
    if case["state"] == "Appealed" and not case["panel"]:
        return [desk.go(_("Seat the panel"), lambda street: street.seat(street.appeals, number_), "case")]
    return [_ruling(desk, case, number_, is_panel=case["state"] == "Appealed")]


def _ruling(desk: Desk, case: Mapping[str, Any], number_: int, *, is_panel: bool) -> W.Box:
    model, account = desk.model, case["account"]
    judges = desk.street.judges
    names = [*judges[1:], judges[0]] if is_panel else judges
    who = desk.choose("judge", _("Who decides"), names)
    known = {name: told for name, told in words.outcomes(case["kind"]).items() if not is_panel or name != "Amended"}
    outcome = W.Dropdown(options=[(told, name) for name, told in known.items()], value=_likely(desk, case, is_panel))
    amount = W.BoundedIntText(value=case["claim"], min=0, max=100_000)
    said = desk.blank(_("Reasons, as the resident reads them"))

    def decide(street: Any) -> Any:
        if is_panel:
            return street.vote(model.judge, account, number_, outcome.value, said.value)
        right = amount.value if outcome.value == "Amended" else 0
        return street.decide(model.judge, account, number_, outcome.value, said.value, right)

    fields = [who, field(outcome, _("Decision"))]
    fields += [] if "Amended" not in known else [field(amount, _("If it is put right: minutes"))]
    words_ = _("Vote and sign") if is_panel else _("Decide and sign")
    return stack(*fields, said.box, desk.go(words_, decide, "case", "decided"))


def _likely(desk: Desk, case: Mapping[str, Any], is_panel: bool) -> str:
    """Return the decision to begin with, for the resident: of a reward it is never that the entry goes."""
    rule = desk.rule(case["rule"].partition(" ")[0])
    if is_panel or case["kind"] != "objection" or (rule and rule["severity"]):
        return "Withdrawn"
    return "Amended" if case["claim"] else "Upheld"


# --- orders that did not come ------------------------------------------------------------------------------------


def _disputes(desk: Desk) -> W.Box:
    """Return the orders and gifts that did not come, as the residents say: a person decides on each."""
    model = desk.model

    def shown() -> Sequence[Content]:
        found = [_dispute(desk, one) for one in model.disputed] + [_contested(desk, one) for one in model.contested]
        return found or [html(parts.paragraph(_("No order is disputed.")))]

    sentence = _("A resident says that something never came. If nobody decides in time, the points go back.")
    listed_ = rebuilt(model, ["disputed", "contested"], shown)
    return card(listed_, desk.answer("dispute"), title=_("Disputed orders"), sentence=sentence)


def _dispute(desk: Desk, one: Mapping[str, Any]) -> W.Box:
    order, number_ = one["order"], one["number"]
    told = _("{who} · {points} points").format(who=desk.name(order["account"]), points=number(order["points"]))
    pairs: list[tuple[str, Child]] = [
        (_("Who"), told),
        (_("Handed over by"), desk.name(order["fulfilled_by"])),
        (_("The proof says"), desk.quoted(order["proof"])),
        (_("To be decided"), desk.until(order["due"])),
    ]

    def decide(street: Any, is_refunded: bool, said: str) -> Any:
        return street.decide_order(desk.model.arbiter, order["account"], number_, is_refunded, said)

    return _deciding(desk, desk.item(order["item"]), pairs, _("The order stands"), decide)


def _contested(desk: Desk, one: Mapping[str, Any]) -> W.Box:
    cause = one["cause"]
    pairs: list[tuple[str, Child]] = [
        (_("Given away"), _("{points} points").format(points=number(cause["given"]))),
        (_("The proof says"), desk.quoted(cause["proof"])),
        (_("To be decided"), desk.until(cause["due"])),
    ]

    def decide(street: Any, is_returned: bool, said: str) -> Any:
        return street.decide_cause(desk.model.arbiter, one["code"], is_returned, said)

    return _deciding(desk, purpose(desk, cause), pairs, _("Somebody was helped"), decide)


def _deciding(
    desk: Desk, name: str, pairs: list[tuple[str, Child]], stands: str, decide: Callable[[Any, bool, str], Any]
) -> W.Box:
    """Offer to decide with reasons; `decide` is told by the street, whether the points go back, and why."""
    who = desk.choose("arbiter", _("Who decides"), desk.street.arbiters)
    said = desk.blank(_("Reasons, as the resident reads them"))
    back = desk.go(_("Give the points back"), lambda street: decide(street, True, said.value), "dispute")
    keep = desk.go(stands, lambda street: decide(street, False, said.value), "dispute", kind="plain")
    return stack(html(parts.heading(name)), html(parts.facts(pairs)), who, said.box, bar(back, keep))
