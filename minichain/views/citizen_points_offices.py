"""The screens of the offices on the page of contribution points: record, verify and approve, and the audit.

Whoever is chosen really signs; the contracts refuse who may not. So one can try what one must not do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.views import citizen_points_words as words
from minichain.views import parts
from minichain.views.citizen_points_desk import Desk, line
from minichain.views.citizen_points_model import ARRIVED, percent
from minichain.views.citizen_points_people import facts, signed
from minichain.views.i18n import _, ngettext, number
from minichain.views.loads import stops
from minichain.views.markup import Child, Safe, join, tag
from minichain.views.moving import Pick
from minichain.views.panels import (
    ConfirmButton,
    Content,
    LongAction,
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
    tabs,
)

RECORDABLE: Final = ("service-hour", "mixed-waste")


# --- verify and approve ------------------------------------------------------------------------------------------


def clerks(desk: Desk) -> W.Box:
    """Return the screen on which one clerk records and another one verifies."""
    model = desk.model
    who = desk.choose("clerk", _("You are"), desk.street.verifiers)
    picks = desk.picks("paper", _("Waiting entries"), _("Nothing waits."), ["seen", "tick"], lambda: _waiting(desk))
    title = parts.heading(_("Waiting entries"), _("Oldest first. Whoever recorded an entry does not verify it."))
    opened = card(rebuilt(model, ["filed"], partial(_file, desk)), desk.answer("clerk"))
    return tabs(
        (_("Waiting entries"), split(card(who, html(title), picks), opened)),
        (_("Record something"), _recording(desk)),
        (_("Weigh a drop"), _scale(desk)),
    )


def _waiting(desk: Desk) -> list[Pick]:
    made, model = [], desk.model
    for one in model.desk:
        entry = one["entry"]
        points = _("{points} points").format(points=signed(entry["delta"]))
        told = f"{desk.name(entry['account'])} · {points}"
        flagged: tuple[parts.State, str] = ("warn", _("look at this"))
        shown = flagged if entry["flags"] else _awaited(model, entry) or words.entry_state(entry["state"])
        made.append(Pick(str(one["number"]), words.rule_name(entry["code"]), told, *shown))
    return made


def _awaited(model: Any, entry: Mapping[str, Any]) -> tuple[parts.State, str] | None:
    """Say that an entry is overdue, or that a drop waits for its load."""
    if entry["closes_at"] <= model.now_ms:
        return "warn", _("overdue")
    load = model.load_of(entry["drop"])
    return ("info", _("waits for its load")) if load and load["state"] not in ARRIVED else None


def _file(desk: Desk) -> Sequence[Content]:
    model, filed = desk.model, desk.model.filed
    if filed is None:
        return [html(parts.paragraph(_("Choose an entry that waits.")))]
    entry, number_ = filed["entry"], filed["number"]
    account, is_negative = entry["account"], entry["severity"] != ""
    told = f"{desk.name(account)} · {_('{points} points').format(points=signed(entry['delta']))}"
    evidence = [] if entry["drop"] else [(_("Evidence"), desk.quoted(entry["evidence"]))]
    shown: list[Content] = [html(parts.heading(words.rule_name(entry["code"]), told))]
    shown += [html(facts(desk, entry, *evidence)), *_travelled(desk, filed["load"])]
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
    if filed["is_over"]:
        then = _("Anybody may say so; then it ends.") if is_negative else _("Anybody may say so; then it goes on.")
        lapse = desk.go(_("Say that the time is over"), lambda street: street.let_lapse(model.clerk, number_), "clerk")
        shown += [html(parts.note("warn", _("No office looked at it in time."), tag("p", then))), lapse]
    said = desk.blank(_asked_of(entry))

    def verify(street: Any) -> Any:
        decision, looked = (said.value, "") if is_negative else ("", said.value)
        return street.verify(model.clerk, account, number_, decision, looked)

    def reject(street: Any) -> Any:
        return street.reject(model.clerk, account, number_, said.needed())

    refuse = desk.go(_("Reject"), reject, "clerk", kind="plain")
    return [*shown, said.box, bar(desk.go(_("Verify"), verify, "clerk", "approved"), refuse)]


def _asked_of(entry: Mapping[str, Any]) -> str:
    """Say which words are asked of who verifies or rejects."""
    if entry["severity"]:
        return _("Your decision, as the resident reads it")
    if entry["flags"]:
        return _("What you looked at, or why you reject it")
    return _("If you reject it: why, as the resident reads it")


def _travelled(desk: Desk, load: Mapping[str, Any] | None) -> list[Content]:
    """Show the load in which a drop travels, as garbage custody does, and whether it has arrived."""
    if load is None:
        return []
    way = html(parts.custody(_("The load that the drop is in"), stops(load, desk.model.names)), "mc-way")
    if load["state"] in ARRIVED:
        return [way, html(parts.note("ok", _("The load has arrived, and the plant has signed for it.")))]
    told = _("The contract lets nobody verify this drop before the plant has signed for load {number}.")
    waits = parts.note("warn", _("The load is not at the plant."), tag("p", told.format(number=load["number"])))
    bring = desk.go(
        _("Truck and plant: bring it in"), lambda street: street.bring_in(load["number"]), "clerk", "weighed", "plain"
    )
    return [way, html(waits), bring]


def _scale(desk: Desk) -> W.Box:
    """Let the scale sign a drop, and the office record it."""
    model = desk.model
    whom = W.Dropdown(options=[(_(name), name) for name in desk.street.residents])
    grams = W.BoundedIntText(value=3_000, min=1, max=60_000)

    def weigh() -> None:
        chosen = (whom.value, grams.value)
        desk.say("", "scale", lambda street: street.weigh(*chosen))

    def waiting() -> Sequence[Content]:
        return [_drop(desk, one) for one in model.weighed]

    sentence = _("An enrolled scale signs by itself. The drop goes into the load that waits for its truck.")
    form = stack(field(whom, _("For")), field(grams, _("Grams of kitchen waste")))
    send = button(_("Weigh: the scale signs"), weigh, "primary")
    drops = rebuilt(model, ["weighed"], waiting)
    return card(form, send, drops, desk.answer("scale"), title=_("Weigh a drop"), sentence=sentence)


def _drop(desk: Desk, one: Mapping[str, Any]) -> W.Box:
    weighing, clerk = one["weighing"], desk.street.clerks[0]
    told = _("{who} · {grams} g").format(who=desk.name(weighing["account"]), grams=number(weighing["grams"]))
    load = _("load {number}").format(number=weighing["manifest"])
    signs = _("{who}: record it").format(who=_(clerk))
    record = desk.go(signs, lambda street: street.record_drop(clerk, one["drop"]), "scale")
    return line(join(tag("strong", told), tag("div", load, class_="mc-hint")), record)


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
    return card(form, send, place, title=_("What somebody did"), sentence=signs)


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
        (_("Decisions that changed something"), percent(found.overturn_permille)),
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
