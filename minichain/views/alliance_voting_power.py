"""The screens of power: who can decide what under which rules, and the same ballots under every rule pack."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from typing import Any

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.errors import UsageError
from minichain.views import alliance_voting_words as words
from minichain.views import frame, parts
from minichain.views.alliance_voting_hall import Hall, dropdown
from minichain.views.alliance_voting_model import FULL, LETTERS, MOST_NEWCOMER, Alliance
from minichain.views.i18n import _, in_percent, listed, ngettext, number
from minichain.views.markup import Child, Safe, join, tag
from minichain.views.moving import Slide
from minichain.views.panels import bar, bound, card, field, rebuilt, stack
from minichain.views.parts import State

NOTHING = "\N{EN DASH}"


# --- who can decide ----------------------------------------------------------------------------------------------


def power_screen(hall: Hall) -> W.Box:
    """Return the screen of power: weight beside power, and what would be if somebody joined."""
    model = hall.model
    options = [(words.rule_name(name), name) for name in model.council.names_of_rules()]
    rules, chosen = dropdown(options, _("Rules"), model.rules)
    W.link((model, "rules"), (rules, "value"))
    controls = bar(
        chosen,
        _slide(model, "quota", _("Share needed in favour, % (0: as the rules have it)"), FULL),
        _slide(model, "newcomer", _("Weight of a new member (0: nobody joins)"), MOST_NEWCOMER),
    )
    sentence = _(
        "A member has power when its vote decides: with it a proposal passes, and without it the proposal fails."
    )
    shown = bound(model, ["members", "rules", "quota", "newcomer"], lambda: power_told(model), "mc-live")
    return card(controls, shown, title=_("Who has power?"), sentence=sentence)


def _slide(model: Alliance, trait: str, told: str, most: int) -> Slide:
    made = Slide(told, 0, most)

    def change(_change: Any) -> None:
        setattr(model, trait, made.value)
        model.do("power")

    made.observe(change, "value")
    model.observe(lambda change: made.set_trait("value", change.new), trait)
    return made


def power_told(model: Alliance) -> Safe:
    """Tell who has which power, in sentences, as bars and as a table."""
    try:
        before, after = model.power(False), model.power()
    except UsageError:
        return parts.note("warn", _("By these rules these members could never decide anything."))
    names = [_(row[0]) for row in model.with_newcomer]
    return join(
        parts.sentences(_sentences(after, names)),
        _bars(model, after, names),
        parts.drawer(_("The same in figures, exactly"), _table(model, before, after, names)),
    )


def _sentences(power: Any, names: Sequence[str]) -> list[tuple[State, str]]:
    told: list[tuple[State, str]] = []
    if power.dictator is not None:
        told.append(("bad", _("{name} decides alone, whatever the others say.").format(name=names[power.dictator])))
    elif power.veto_players:
        who = listed(names[one] for one in power.veto_players)
        words_ = ngettext(
            "Nothing passes without {who}.", "Nothing passes without each of {who}.", len(power.veto_players)
        )
        told.append(("warn", words_.format(who=who)))
    else:
        told.append(("ok", _("Nobody can stop a decision alone.")))
    if power.dummies:
        who = listed(names[one] for one in power.dummies)
        told.append(
            (
                "bad",
                _("Without any power, whatever the weight: {who}. This vote never makes a difference.").format(who=who),
            )
        )
    else:
        told.append(("ok", _("Everybody's vote can make a difference.")))
    share = percent(power.act)
    told.append(("info", _("Of all ways to vote for or against, {share} pass something.").format(share=share)))
    return told


def _bars(model: Alliance, power: Any, names: Sequence[str]) -> Safe:
    whole = sum(row[2] for row in model.with_newcomer) or 1
    rows = []
    for at, row in enumerate(model.with_newcomer):
        weight, share = Fraction(row[2], whole), power.banzhaf[at]
        told = _("{weight} of the weight, {power} of the power").format(weight=percent(weight), power=percent(share))
        bars = [
            tag("span", class_=f"mc-share {kind}", style=f"--mc-part:{float(100 * part):.2f}%")
            for kind, part in (("mc-share-weight", weight), ("mc-share-power", share))
        ]
        rows.append(tag("li", tag("strong", names[at]), tag("span", bars, class_="mc-shares"), tag("small", told)))
    legend = tag(
        "figcaption",
        tag("span", tag("i", class_="mc-share-weight"), _("share of the weight"), class_="mc-legend-name"),
        tag("span", tag("i", class_="mc-share-power"), _("share of the power (Banzhaf)"), class_="mc-legend-name"),
        class_="mc-tally-legend",
    )
    return tag("figure", legend, tag("ul", rows, class_="mc-powers"), class_="mc-figure")


def _table(model: Alliance, before: Any, after: Any, names: Sequence[str]) -> Safe:
    is_joined = model.newcomer > 0
    columns = [_("Member"), _("Weight"), _("Seat"), _("Banzhaf"), _("Shapley-Shubik"), _("Can stop")]
    rows: list[list[Child]] = []
    for at, row in enumerate(model.with_newcomer):
        figures = [after.banzhaf[at], after.shapley_shubik[at], after.prevent[at]]
        shown: list[Child] = [str(one) for one in figures]
        if is_joined:
            was = str(before.banzhaf[at]) if at < before.members else NOTHING
            shown = [_("{now}, was {before}").format(now=shown[0], before=was), *shown[1:]]
        rows.append([names[at], row[2], words.seats().get(row[3], row[3]), *shown])
    note = _("“Can stop”: of all coalitions that pass something, those that fail without this member (Coleman).")
    return join(parts.table(_("Power, as exact fractions"), columns, rows), parts.paragraph(note))


def percent(share: Fraction) -> str:
    """Write a share in per cent, rounded to one place."""
    return in_percent(f"{float(100 * share):.1f}")


# --- the same ballots under other rules --------------------------------------------------------------------------


def compare_screen(hall: Hall) -> W.Box:
    """Return the screen that puts the same ballots under every rule pack, side by side."""
    model = hall.model
    preset, chosen = dropdown([(told, name) for name, told in words.presets().items()], _("Whose ballots"))

    def choose(change: Any) -> None:
        model.preset(change.new)
        model.do("compared")

    preset.observe(choose, "value")
    members = rebuilt(model, ["members", "chosen", "what_if"], partial(_ballots, model))
    follows = ["members", "proposals", "chosen", "what_if"]
    shown = bound(model, follows, lambda: compared(model), "mc-live")
    sentence = _("Nobody changes a vote; only the rules change. The clause that made the difference stands beside it.")
    return card(
        chosen,
        frame.more(_("Change single ballots"), members),
        shown,
        title=_("The same ballots, other rules"),
        sentence=sentence,
    )


def _ballots(model: Alliance) -> Sequence[W.Box]:
    says, now = words.choices(), model.said

    def one(name: str) -> W.Box:
        made = W.Dropdown(options=[(says[choice], choice) for choice in LETTERS], value=now[name])
        made.observe(lambda change: model.say(name, change.new), "value")
        return field(made, _(name))

    place = W.Box([one(name) for name in now])
    place.add_class("mc-needs")
    return [stack(place)]


def compared(model: Alliance) -> Safe:
    """Tell what every rule pack makes of the ballots."""
    if not model.rows:
        return parts.paragraph(_("Nobody is a member yet."))
    decisions = model.decisions
    passed = sum(one.status == "Succeeded" for one in decisions)
    says = words.choices()
    said = model.said
    ballots = listed(f"{_(row[0])} ({row[2]}) {says[said[row[0]]]}" for row in model.rows)
    title = _("These ballots pass under {passed} of {all} rules.").format(
        passed=number(passed), all=number(len(decisions))
    )
    rows = [_decision(model, one) for one in decisions]
    columns = [_("Rules"), _("Outcome"), _("The clause that made the difference")]
    table = tag("div", parts.table(_("One line for each rule pack"), columns, rows), class_="mc-compared")
    return join(parts.note("info", title, tag("p", ballots)), table)


def _decision(model: Alliance, one: Any) -> list[Child]:
    name = tag("strong", words.rule_name(one.pack))
    result = parts.chip("ok", _("passes")) if one.status == "Succeeded" else parts.chip("bad", _("fails"))
    return [name, result, decisive(model, one)]


def decisive(model: Alliance, one: Any) -> Child:
    """Say by which clause a pack has decided, with its figures."""
    clauses = {clause["id"]: clause for clause in model.council.rules(one.pack)["tracks"]["ordinary"]["clauses"]}
    if one.clause not in clauses:
        return _("No clause asks for anything.")
    clause = clauses[one.clause]
    row = next(row for row in one.clauses if row["id"] == one.clause)
    found = words.found(clause, row)
    lack = tag("small", _("Among these members nobody has a seat with this veto.")) if one.lack else None
    return tag("div", words.clause_words(clause), tag("small", found), lack)
