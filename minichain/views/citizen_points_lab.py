"""The rules on the page of contribution points: as they are in force, and tried on nobody before they are.

The laboratory reaches no chain: synthetic residents are drawn from a seed, scripted schemes are only read, and a
safeguard is taken out of a copy of the contracts in a sandbox.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses
import plotly.graph_objects as go

from minichain.views import citizen_points_words as words
from minichain.views import frame, parts
from minichain.views.charts import Chart
from minichain.views.citizen_points_desk import Desk
from minichain.views.citizen_points_model import LIMITS, Points
from minichain.views.citizen_points_people import basis
from minichain.views.citizen_points_safeguards import harm_words
from minichain.views.i18n import _, moment, ngettext, number
from minichain.views.markup import Child, Safe, join, tag
from minichain.views.moving import Pick, PickList, Slide
from minichain.views.panels import Content, bound, button, card, errand, field, html, rebuilt, row, stack
from minichain.views.sharding_pictures import ACCENT, FONT, INK, LINE, SHEET

HEIGHT: Final = 300


# --- the rules in force ------------------------------------------------------------------------------------------


def rules(desk: Desk) -> W.Box:
    """Return a card for each rule, and one for the scheme."""
    model = desk.model

    def cards() -> Sequence[Content]:
        if model.seen is None:
            return []
        return [_scheme(desk), row(*(_rule(desk, rule) for rule in model.seen.rules))]

    return rebuilt(model, ["catalogue"], cards)


def _scheme(desk: Desk) -> W.Box:
    scheme = desk.model.seen.scheme
    clocks = {
        _("To object"): scheme["objection_ms"],
        _("To decide on an objection"): scheme["review_ms"],
        _("To appeal"): scheme["appeal_ms"],
        _("For the panel"): scheme["panel_ms"],
    }
    pairs: list[tuple[str, Child]] = [
        (_("What it is for"), _(scheme["purpose"])),
        (_("It rests on"), _(scheme["basis_reference"])),
        (_("Points are for"), ", ".join(words.use_name(use) for use in scheme["uses"])),
        (_("Who decides on an appeal"), _(scheme["appeal_body"])),
        *((name, words.span(ms)) for name, ms in clocks.items()),
    ]
    day = words.span(desk.street.day_ms)
    sentence = _("In this street a day of these clocks lasts {day}, so that you can watch it pass.").format(day=day)
    return card(html(parts.facts(pairs)), title=_("The scheme"), sentence=sentence)


def _rule(desk: Desk, rule: Mapping[str, Any]) -> W.Box:
    pairs: list[tuple[str, Child]] = [
        (_("Behaviour"), _(rule["behaviour"])),
        (_("Points"), _per(rule)),
        (_("At most"), _caps(rule)),
        (_("Ends after"), _ends(desk, rule)),
        (_("It rests on"), basis(rule)),
        (_("Evidence"), _evidence(rule["evidence"])),
        (_("Proposed by"), desk.name(rule["proposed_by"])),
        (_("Adopted by"), desk.name(rule["adopted_by"])),
        (_("Version"), number(rule["version"])),
        (_("In force since"), moment(rule["effective_from"])),
    ]
    return card(html(parts.facts(pairs)), title=words.rule_name(rule["code"]))


def _per(rule: Mapping[str, Any]) -> str:
    amount = words.amount_words(rule["code"], rule["per"])
    return _("{points} for {amount}").format(points=number(rule["points"]), amount=amount or _("each decision"))


def _caps(rule: Mapping[str, Any]) -> str:
    caps = {_("{points} a day"): rule["per_day"], _("{points} a month"): rule["per_month"]}
    told = [name.format(points=number(cap)) for name, cap in caps.items() if cap]
    return " · ".join(told) or "\N{EN DASH}"


def _ends(desk: Desk, rule: Mapping[str, Any]) -> str:
    terms = desk.model.seen.scheme["terms"]
    months = terms[rule["severity"]]["ends_after"] if rule["severity"] else rule["expires_after"]
    return ngettext("{count} month", "{count} months", months).format(count=number(months))


def _evidence(kind: str) -> str:
    return {
        "device": _("an enrolled scale"),
        "document": _("a signed sheet"),
        "decision": _("a decision that can be contested"),
    }[kind]


# --- tried on synthetic residents --------------------------------------------------------------------------------


def trial(desk: Desk) -> W.Box:
    """Return the laboratory: synthetic residents, scripted schemes, a safeguard taken out."""
    return stack(
        row(_settings(desk.model), _told(desk.model)), _groups(desk.model), row(_packs(desk.model), _safeguards(desk))
    )


def setting_names() -> dict[str, str]:
    """Name what can be set of a trial, beside the scheme and the desk."""
    return {
        "error": _("Evidence that fails, %"),
        "deduction": _("Points of a deduction"),
        "cap": _("Most points of a rule in a month (0: as it is)"),
        "residents": _("Synthetic residents"),
        "seed": _("Seed"),
    }


def _settings(model: Points) -> W.Box:
    schemes = {words.own(made, "title"): name for name, made in model.workshop.schemes().items()}
    scheme = W.Dropdown(options=list(schemes.items()), value=model.trial.scheme)
    desk = W.Checkbox(value=bool(model.trial.desk))
    scheme.observe(lambda change: model.change(scheme=change.new), "value")
    desk.observe(lambda change: model.change(desk=int(change.new)), "value")

    def follow(_change: Any) -> None:
        scheme.value, desk.value = model.trial.scheme, bool(model.trial.desk)

    model.observe(follow, "trial")
    first, *others = (_slide(model, name, told) for name, told in setting_names().items())
    return card(
        field(scheme, _("Scheme")),
        first,
        field(desk, _("A desk for people without a device")),
        frame.more(_("More settings"), *others),
        title=_("Try it on nobody"),
        sentence=_(
            "Synthetic residents live a year under the rules. None of them exists; their habits are assumptions."
        ),
    )


def _slide(model: Points, name: str, told: str) -> Slide:
    made = Slide(told, *LIMITS[name])
    made.value = getattr(model.trial, name)
    made.observe(
        lambda change: model.change(**{name: change.new}) if change.new != getattr(model.trial, name) else None, "value"
    )
    model.observe(lambda _change: made.set_trait("value", getattr(model.trial, name)), "trial")
    return made


def _told(model: Points) -> W.Box:
    chart = Chart(distribution(model.result), has_caption=True)
    model.observe(lambda _change: chart.show(distribution(model.result)), "result")
    return card(bound(model, ["result"], lambda: parts.sentences(findings(model.result)), "mc-live"), chart)


def findings(result: Any) -> list[tuple[parts.State, str]]:
    """Say what stands out of a trial."""
    behind = [one for one in result.groups if not one.median_points]
    wrong = sum(one.wrongly_deducted for one in result.groups)
    lost = sum(one.uncounted for one in result.groups)
    most = max(result.groups, key=lambda one: one.median_points or 0)
    least = min(result.groups, key=lambda one: one.median_points or 0)
    gap = _("{least}: {few} points in the middle. {most}: {many}.").format(
        least=words.group_name(least.name),
        few=number(least.median_points or 0),
        most=words.group_name(most.name),
        many=number(most.median_points or 0),
    )
    told: list[tuple[parts.State, str]] = [("bad" if behind else "info", gap)]
    if wrong:
        words_ = ngettext(
            "{count} deduction hit somebody who had done nothing.",
            "{count} deductions hit somebody who had done nothing.",
            wrong,
        )
        told.append(("bad", words_.format(count=number(wrong))))
    if lost:
        words_ = ngettext(
            "{count} good deed was not counted, and nobody objected.",
            "{count} good deeds were not counted, and nobody objected.",
            lost,
        )
        told.append(("warn", words_.format(count=number(lost))))
    return told


def distribution(result: Any) -> go.Figure:
    """Draw how many residents have how many points after a year; fewer than ten are not shown."""
    starts = [start for start, _count in result.histogram]
    names = [
        f"{start:,}\N{EN DASH}{end - 1:,}" if end - start > 1 else number(start) for start, end in pairwise(starts)
    ] + [f"{starts[-1]:,}+"]
    counts = [count or 0 for _start, count in result.histogram]
    figure = go.Figure(go.Bar(x=names, y=counts, marker={"color": ACCENT}))
    figure.update_layout(
        title={"text": _("Residents by their points after a year"), "font": {"size": 15}},
        font={"family": FONT, "size": 13, "color": INK},
        paper_bgcolor=SHEET,
        plot_bgcolor=SHEET,
        margin={"l": 50, "r": 10, "t": 40, "b": 50},
        height=HEIGHT,
    )
    figure.update_xaxes(title=_("points"), type="category")
    figure.update_yaxes(title=_("residents"), gridcolor=LINE)
    return figure


def group_columns() -> list[str]:
    """Name the columns of the table of groups."""
    return [
        _("Group"),
        _("Residents"),
        _("Points in the middle"),
        _("Shut out"),
        _("Dropped out"),
        _("Deeds not counted"),
        _("Wrong deductions"),
    ]


def group_rows(result: Any) -> list[list[Child]]:
    """Say what a trial did to each group."""
    return [
        [
            words.group_name(one.name),
            number(one.residents),
            _shown(one.median_points),
            _shown(one.shut_out),
            _shown(one.dropped_out),
            number(one.uncounted),
            number(one.wrongly_deducted),
        ]
        for one in result.groups
    ]


def _shown(count: int | None) -> str:
    return _("under 10") if count is None else number(count)


def _groups(model: Points) -> W.Box:
    def told() -> Safe:
        return parts.table(_("The same rules, group by group"), group_columns(), group_rows(model.result))

    return card(bound(model, ["result"], told))


# --- scripted schemes --------------------------------------------------------------------------------------------


def _packs(model: Points) -> W.Box:
    known = model.workshop.packs()
    picks = PickList(_("Schemes"))
    picks.show([Pick(name, _pack_title(name), words.own(made, "say"), "plain", "") for name, made in known.items()])
    picks.observe(lambda change: model.set_trait("pack", change.new), "selected")
    told = bound(model, ["pack"], lambda: _linted(model), "mc-live")
    sentence = _("Twelve schemes, made up. Say first whether you would begin with it; then see what the check finds.")
    return card(picks, told, title=_("May this scheme begin?"), sentence=sentence)


def _pack_title(name: str) -> str:
    return {
        "sorting-rewards": _("Rewards for sorting"),
        "hours-of-help": _("Hours of help"),
        "time-bank": _("Time bank"),
        "street-with-ordinance": _("A street with an ordinance"),
        "culture-card": _("Culture card"),
        "bottle-return": _("Bottle return"),
        "jaywalking-list": _("Jaywalking list"),
        "honour-wall": _("Honour wall"),
        "points-for-jobs": _("Points for jobs"),
        "everybody-is-in": _("Everybody is in"),
        "last-years-sins": _("Last year's sins"),
        "because-we-say-so": _("Because we say so"),
    }.get(name, name)


def _linted(model: Points) -> Safe:
    made = model.workshop.packs().get(model.pack)
    if made is None:
        return parts.paragraph(_("Choose a scheme."))
    found = model.workshop.lint(made.scheme, made.practices)
    if not found:
        return parts.note("ok", _("Nothing stands against it."))
    lines = [_finding(one) for one in found]
    if model.workshop.is_refused(found):
        return join(parts.note("bad", _("It may not begin.")), parts.sentences(lines))
    return join(parts.note("warn", _("It may begin, and somebody answers for this:")), parts.sentences(lines))


def _finding(one: Any) -> tuple[parts.State, Child]:
    state: parts.State = "bad" if one.level == "refuse" else "warn"
    where = words.practice_name(one.where)
    return state, join(f"{words.own(one, 'reason')} ({where})", tag("small", words.own(one, "clause")))


# --- without a safeguard -----------------------------------------------------------------------------------------


def _safeguards(desk: Desk) -> W.Box:
    model, place = desk.model, stack()
    known = model.workshop.safeguards()
    chosen = W.Dropdown(options=[(_(made.clause), name) for name, made in known.items()])

    def take_out() -> None:
        name = chosen.value
        errand(
            desk.tries, lambda _nothing: model.workshop.harm(name), lambda harm: _show(model, name, harm, place), place
        )

    told = bound(model, ["harms"], lambda: _harms(model), "mc-live")
    sentence = _(
        "Only here, in a copy of the contracts in a sandbox. On the running chain every safeguard stays where it is."
    )
    take = button(_("Take it out, in the laboratory"), take_out, "danger")
    return card(field(chosen, _("Safeguard")), take, place, told, title=_("Without a safeguard"), sentence=sentence)


def _show(model: Points, name: str, harm: tuple[str, str], place: W.Box) -> None:
    place.children = []
    model.told(name, harm)


def _harms(model: Points) -> Safe:
    known = model.workshop.safeguards()
    lines = [_seen(known[name].clause, *harm) for name, harm in reversed(model.harms.items())]
    return join(*lines) if lines else parts.paragraph(_("Every safeguard is in its place."))


def _seen(clause: str, kept: str, harm: str) -> Safe:
    with_it: tuple[parts.State, str] = ("ok", _("With it: the same attempt is refused."))
    if kept:
        with_it = ("bad", harm_words(kept))
    without = _("Without it: {harm}.").format(harm=harm_words(harm))
    return parts.note("bad", _(clause), parts.sentences([with_it, ("bad", without)]))
