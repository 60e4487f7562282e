"""The screens of the offices on the page of contribution points: verify and approve, the appeal desk, the audit.

Whoever is chosen really signs; the contracts refuse who may not. So one can try what one must not do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.views import citizen_points_words as words
from minichain.views import parts
from minichain.views.citizen_points_desk import Desk
from minichain.views.citizen_points_model import LEAST_DECIDED, OPEN_CASE, percent
from minichain.views.citizen_points_people import facts, signed
from minichain.views.i18n import _, listed, ngettext, number
from minichain.views.markup import Child, Safe, join, tag
from minichain.views.moving import Pick
from minichain.views.panels import (
    ConfirmButton,
    Content,
    LongAction,
    band,
    bar,
    bound,
    button,
    card,
    field,
    html,
    rebuilt,
    row,
    split,
    stack,
)

RECORDABLE: Final = ("service-hour", "mixed-waste")


# --- verify and approve ------------------------------------------------------------------------------------------


def clerks(desk: Desk) -> W.Box:
    """Return the screen on which one clerk records and another one verifies."""
    model = desk.model
    who = desk.choose("clerk", _("You are"), tuple(reversed(desk.street.clerks)))
    picks = desk.picks("paper", _("Waiting entries"), _("Nothing waits."), ["seen"], lambda: _waiting(desk))
    title = parts.heading(_("Waiting entries"), _("Oldest first. Whoever recorded an entry does not verify it."))
    opened = card(rebuilt(model, ["filed"], partial(_file, desk)), desk.answer("clerk"))
    return split(card(who, html(title), picks), stack(opened, _recording(desk)))


def _waiting(desk: Desk) -> list[Pick]:
    made = []
    for one in desk.model.desk:
        entry = one["entry"]
        told = f"{desk.name(entry['account'])} · {signed(entry['delta'])}"
        flagged: tuple[parts.State, str] = ("warn", _("look at this"))
        shown = flagged if entry["flags"] else words.entry_state(entry["state"])
        made.append(Pick(str(one["number"]), words.rule_name(entry["code"]), told, *shown))
    return made


def _file(desk: Desk) -> Sequence[Content]:
    model, filed = desk.model, desk.model.filed
    if filed is None:
        return [html(parts.paragraph(_("Choose an entry that waits.")))]
    entry, number_ = filed["entry"], filed["number"]
    account, is_negative = entry["account"], entry["severity"] != ""
    told = f"{desk.name(account)} · {_('{points} points').format(points=signed(entry['delta']))}"
    shown: list[Content] = [html(parts.heading(words.rule_name(entry["code"]), told)), html(facts(desk, entry))]
    shown.append(html(parts.facts([(_("Evidence"), desk.quoted(entry["evidence"]))])))
    if entry["flags"]:
        title = _("In two zones within half an hour")
        shown.append(
            html(parts.note("warn", title, tag("p", _("A person looks at it first. It is not punished by itself."))))
        )
    if entry["state"] == "Verified":
        said = desk.blank(_("The reasons, as the resident reads them"))
        tell = desk.go(
            _("Tell the resident"), lambda street: street.tell(model.clerk, account, number_, said.value), "clerk"
        )
        return [*shown, said.box, tell]
    said = desk.blank(_("Your decision, in words") if is_negative else _("What you looked at, or why you reject it"))

    def verify(street: Any) -> Any:
        decision, looked = (said.value, "") if is_negative else ("", said.value)
        return street.verify(model.clerk, account, number_, decision, looked)

    reject = desk.go(
        _("Reject"), lambda street: street.reject(model.clerk, account, number_, said.value), "clerk", kind="plain"
    )
    return [*shown, said.box, bar(desk.go(_("Verify"), verify, "clerk", "approved"), reject)]


def _recording(desk: Desk) -> W.Box:
    model, place = desk.model, stack()
    whom = W.Dropdown(options=[(_(name), name) for name in desk.street.residents])
    code = W.Dropdown(options=[(words.rule_name(name), name) for name in RECORDABLE])
    amount = W.BoundedIntText(value=60, min=1, max=1_000)
    said = desk.blank(_("The evidence, in words"))

    def record() -> None:
        of, rule = whom.value, code.value
        count = amount.value if rule == "service-hour" else 1
        deeds = [(of, rule, count, said.value)]
        desk.send(lambda street: street.record(deeds), place, lambda numbers: setattr(model, "paper", numbers[0]))

    form = stack(field(whom, _("For")), field(code, _("Rule")), field(amount, _("Minutes, for help")), said.box)
    signs = _("{who} signs").format(who=_(desk.street.clerks[0]))
    send = button(_("Record"), record, "primary")
    return card(form, send, place, title=_("Record something"), sentence=signs)


# --- the appeal desk ---------------------------------------------------------------------------------------------


def appeals(desk: Desk) -> W.Box:
    """Return the screen on which objections and appeals are decided, each with its age."""
    model = desk.model
    picks = desk.picks("case", _("Cases"), _("No case yet."), ["seen", "tick"], lambda: _cases(desk))
    figures = band(
        *(bound(model, ["seen", "tick"], partial(part, desk)) for part in (_queue, _oldest, _late, _changed))
    )
    stamp = bound(model, ["seen"], lambda: _stamp(desk))
    side = card(html(parts.heading(_("Cases"), _("Those that wait come first."))), picks)
    return stack(
        figures, stamp, split(side, card(rebuilt(model, ["heard"], partial(_hear, desk)), desk.answer("case")))
    )


def _queue(desk: Desk) -> Safe:
    late = sum(one["case"]["deadline"] < desk.model.now_ms for one in desk.model.waiting)
    note = ngettext("{count} of them is late", "{count} of them are late", late).format(count=number(late))
    return parts.kpi(_("Waiting"), len(desk.model.waiting), note=note)


def _oldest(desk: Desk) -> Safe:
    ages = [desk.model.now_ms - one["case"]["opened_at"] for one in desk.model.waiting]
    return parts.kpi(_("The oldest waits for"), words.span(max(ages)) if ages else "\N{EN DASH}")


def _late(desk: Desk) -> Safe:
    return parts.kpi(_("Decided too late"), desk.model.lapsed, note=_("and so for the resident"))


def _changed(desk: Desk) -> Safe:
    model, count = desk.model, len(desk.model.decided)
    share = percent(1_000 * model.changed // count) if count else "\N{EN DASH}"
    note = _("{changed} of {count} decisions changed something").format(
        changed=number(model.changed), count=number(count)
    )
    return parts.kpi(_("Override rate"), share, note=note)


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
    title = _("Case {number}: {grounds}").format(number=number(number_), grounds=words.grounds()[case["grounds"]])
    age = _("since {age}").format(age=words.span(desk.model.now_ms - case["opened_at"]))
    told = age if case["state"] in OPEN_CASE else words.rule_name(case["rule"].partition(" ")[0])
    return Pick(str(number_), title, told, *words.case_state(case))


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
        *([clock] if case["state"] in OPEN_CASE else []),
        *_rulings(desk, heard),
    ]


def _deadline(desk: Desk, case: Mapping[str, Any]) -> Safe:
    told = words.until(case["deadline"], desk.model.now_ms)
    return parts.paragraph(_("Somebody has to decide {deadline}.").format(deadline=told))


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
    known = {name: told for name, told in words.outcomes().items() if not is_panel or name != "Amended"}
    outcome = W.Dropdown(options=[(told, name) for name, told in known.items()], value=_likely(desk, case, is_panel))
    amount = W.BoundedIntText(value=case["claim"], min=0, max=100_000)
    said = desk.blank(_("Reasons, as the resident reads them"))

    def decide(street: Any) -> Any:
        if is_panel:
            return street.vote(model.judge, account, number_, outcome.value, said.value)
        right = amount.value if outcome.value == "Amended" else 0
        return street.decide(model.judge, account, number_, outcome.value, said.value, right)

    fields = [who, field(outcome, _("Decision"))]
    fields += [] if is_panel else [field(amount, _("If it is put right: minutes"))]
    words_ = _("Vote and sign") if is_panel else _("Decide and sign")
    return stack(*fields, said.box, desk.go(words_, decide, "case", "decided"))


def _likely(desk: Desk, case: Mapping[str, Any], is_panel: bool) -> str:
    """Return the decision to begin with, for the resident: of a reward it is never that the entry goes."""
    rule = desk.rule(case["rule"].partition(" ")[0])
    if is_panel or (rule and rule["severity"]):
        return "Withdrawn"
    return "Amended" if case["claim"] else "Upheld"


# --- audit and erasure -------------------------------------------------------------------------------------------


def audit(desk: Desk) -> W.Box:
    """Return the screen on which one sees how the scheme is run, and leaves it."""
    model = desk.model
    shown = bound(model, ["seen", "tick"], lambda: _measured(desk))
    sentence = _("A number of people below ten is not shown: it could be one of them.")
    measured = card(shown, title=_("How the scheme is run"), sentence=sentence)
    return row(measured, stack(_asked(desk), _search(desk), _leaving(desk)))


def _measured(desk: Desk) -> Safe:
    if desk.model.seen is None:
        return join()
    found = desk.model.seen.audit
    pairs: list[tuple[str, Child]] = [
        (_("Entries"), number(found.entries)),
        (_("People who take part"), _few(found.accounts)),
        (_("Through the desk"), _few(found.assisted)),
        (_("Withdrawn"), _few(found.withdrawn)),
        (_("Notices that were objected to"), percent(found.objection_permille)),
        (_("Entries with complete evidence"), percent(found.evidence_permille)),
        (_("Decided too late"), number(found.lapsed)),
        (_("Points nobody has redeemed"), number(found.unredeemed_points)),
        (_("Left in the pool"), _("{yuan} yuan").format(yuan=number(found.pool_left_fen // 100))),
        (_("Clerk and resident who stand out"), number(len(found.outliers))),
        (_("Papers beside the chain"), number(desk.model.seen.kept)),
    ]
    return parts.facts(pairs)


def _few(count: int | None) -> str:
    return _("fewer than ten") if count is None else number(count)


def _asked(desk: Desk) -> W.Box:
    def told() -> Safe:
        found = desk.model.seen.asked if desk.model.seen else ()
        lines = [
            _("{who} asked for the points of {whom}, for {use}.").format(
                who=desk.name(one["by"]), whom=desk.name(one["account"]), use=words.use_name(one["use"])
            )
            for one in found
        ]
        return parts.sentences(lines) if lines else parts.paragraph(_("Nobody has asked."))

    sentence = _("For a purpose that the scheme does not name the contract refuses.")
    return card(bound(desk.model, ["seen"], told), title=_("Who asked for points, and why"), sentence=sentence)


def _search(desk: Desk) -> W.Box:
    def search(street: Any, say: Any) -> Any:
        say(0)
        return street.search()

    def done(searched: Any) -> Child:
        traces, values, blocks = searched
        found = ngettext("Found {count} time!", "Found {count} times!", len(traces)).format(count=number(len(traces)))
        told = _(
            "{found} We looked for {values} names, numbers and streets in {blocks} blocks: "
            "as they are, encoded, and as digests."
        )
        return told.format(
            found=found if traces else _("Nothing was found."), values=number(values), blocks=number(blocks)
        )

    name = _("Search every block for everybody's data")
    return card(
        LongAction(name, [_("Searched")], desk.errands, lambda: search, done), title=_("Is anybody on the chain?")
    )


def _leaving(desk: Desk) -> W.Box:
    model, place = desk.model, stack()

    def leave() -> None:
        resident = model.resident
        desk.send(lambda street: street.withdraw(resident), place, lambda _receipt: model.tick_off("erased"))

    def join_again() -> None:
        resident = model.resident
        desk.send(lambda street: street.join(resident), place)

    def shown() -> Sequence[Content]:
        if model.is_in:
            question = _(
                "The account is closed; consent, papers and the secret of the key are destroyed. "
                "Nobody can bring them back."
            )
            return [ConfirmButton(_("Withdraw, and have it all destroyed"), question, _("Withdraw"), leave)]
        told = _("The entries stay on the chain. Nobody can tell any more whose they were.")
        gone = html(parts.note("ok", _("Nothing says who this was."), tag("p", told)))
        return [gone, button(_("Take part again, under a new key"), join_again)]

    who = desk.choose("resident", _("You are"), desk.street.residents)
    return card(who, rebuilt(model, ["is_in", "resident"], shown), place, title=_("Leave"))
