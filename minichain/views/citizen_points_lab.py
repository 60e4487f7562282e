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

from minichain.errors import UsageError
from minichain.views import citizen_points_words as words
from minichain.views import frame, parts
from minichain.views.charts import ACCENT, FONT, INK, LINE, SHEET, Chart
from minichain.views.citizen_points_desk import Desk
from minichain.views.citizen_points_model import LIMITS, Points
from minichain.views.citizen_points_people import basis, signed
from minichain.views.i18n import _, listed, moment, ngettext, number
from minichain.views.markup import Child, Safe, fill, join, tag
from minichain.views.moving import Pick, PickList, Slide
from minichain.views.panels import Content, bound, button, card, errand, field, html, rebuilt, row, split, stack, tabs

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
    purpose, reference, body = scheme["purpose"], scheme["basis_reference"], scheme["appeal_body"]
    pairs: list[tuple[str, Child]] = [
        (_("What it is for"), _(purpose)),
        (_("It rests on"), _(reference)),
        (_("Points are for"), listed(words.use_name(use) for use in scheme["uses"])),
        (_("Who decides on an appeal"), _(body)),
        *((name, desk.days(ms)) for name, ms in clocks.items()),
    ]
    return card(html(parts.facts(pairs)), title=_("The scheme"), sentence=words.day_lasts(desk.street.day_ms))


def _rule(desk: Desk, rule: Mapping[str, Any]) -> W.Box:
    pairs: list[tuple[str, Child]] = [
        (_("Behaviour"), desk.behaviour(rule)),
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
    return _("{points} for {amount}").format(points=signed(rule["points"]), amount=amount or _("each decision"))


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
    model = desk.model
    return tabs(
        (_("Try it on made-up residents"), stack(row(_settings(model), _drawn(model)), _groups(model))),
        (_("May this scheme begin?"), _packs(model)),
        (_("Without a safeguard"), _safeguards(desk)),
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
        bound(model, ["result"], lambda: parts.sentences(findings(model.result)), "mc-live"),
        title=_("Try it on made-up residents"),
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


def _drawn(model: Points) -> W.Box:
    chart = Chart(distribution(model.result), has_caption=True)
    model.observe(lambda _change: chart.show(distribution(model.result)), "result")
    return card(chart)


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
        told.append(("bad", fill(words_, count=parts.proven(_("Wrong deductions"), number(wrong)))))
    if lost:
        words_ = ngettext(
            "{count} good deed was not counted, and nobody objected.",
            "{count} good deeds were not counted, and nobody objected.",
            lost,
        )
        told.append(("warn", fill(words_, count=parts.proven(_("Deeds not counted"), number(lost)))))
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
    figure.update_xaxes(title={"text": _("points"), "standoff": 12}, type="category", automargin=True)
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
    picks = PickList(_("Schemes"))
    picks.observe(lambda change: model.look_at(change.new), "selected")
    model.observe(lambda _change: picks.show(_schemes(model)), "judged")
    picks.show(_schemes(model))
    title, sentence = (
        _("May this scheme begin?"),
        _("Twelve schemes, made up. Decide first; then see what the check finds."),
    )
    told = bound(model, ["pack"], lambda: _linted(model), "mc-live")
    return split(card(picks, title=title, sentence=sentence), card(told))


def _schemes(model: Points) -> list[Pick]:
    made = []
    for name, pack in model.workshop.packs().items():
        state, word = _verdict(model, pack) if name in model.judged else ("plain", _("your turn"))
        made.append(Pick(name, _pack_title(name), words.own(pack, "say"), state, word))
    return made


def _verdict(model: Points, pack: Any) -> tuple[parts.State, str]:
    is_refused = model.workshop.is_refused(model.workshop.lint(pack.scheme, pack.practices))
    return ("bad", _("may not begin")) if is_refused else ("ok", _("may begin"))


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
    top = join(parts.heading(_pack_title(model.pack)), parts.paragraph(words.own(made, "say")))
    if not found:
        return join(top, parts.note("ok", _("It may begin: nothing stands against it.")))
    lines = parts.sentences([_finding(one) for one in found])
    if model.workshop.is_refused(found):
        return join(top, parts.note("bad", _("It may not begin.")), lines)
    return join(top, parts.note("warn", _("It may begin, and somebody answers for this:")), lines)


def _finding(one: Any) -> tuple[parts.State, Child]:
    state: parts.State = "bad" if one.level == "refuse" else "warn"
    where = words.practice_name(one.where)
    return state, join(f"{words.own(one, 'reason')} ({where})", tag("small", words.own(one, "clause")))


# --- without a safeguard -----------------------------------------------------------------------------------------


def _safeguards(desk: Desk) -> W.Box:
    model, place = desk.model, stack()
    picks = PickList(_("Safeguards"))
    picks.observe(lambda change: model.set_trait("guard", change.new), "selected")
    model.observe(lambda change: picks.set_trait("selected", change.new), "guard")
    model.observe(lambda _change: picks.show(_guards(model)), "harms")
    picks.show(_guards(model))

    def take_out() -> None:
        name = model.guard
        if not name:
            raise UsageError(_("Choose a safeguard first."))

        def then(harm: tuple[bool, bool]) -> None:
            place.children = []
            model.told(name, harm)

        errand(desk.tries, lambda _nothing: model.workshop.harm(name), then, place)

    told = bound(model, ["harms", "guard"], lambda: _harm(model), "mc-live")
    take = button(_("Take it out, in the laboratory"), take_out, "danger", place)
    only = _(
        "Only here, in a copy of the contracts in a sandbox. On the running chain every safeguard stays in its place."
    )
    title = _("Without a safeguard")
    return split(card(picks, title=title, sentence=only), card(told, take, place))


def _guards(model: Points) -> list[Pick]:
    known = model.workshop.safeguards()
    return [_guard(made, name in model.harms) for name, made in known.items()]


def _guard(made: Any, is_out: bool) -> Pick:
    state: tuple[parts.State, str] = ("bad", _("tried")) if is_out else ("ok", _("in place"))
    return Pick(made.name, words.own(made, "clause"), "", *state)


def _harm(model: Points) -> Safe:
    known = model.workshop.safeguards()
    if model.guard not in known:
        return parts.paragraph(_("Choose a safeguard. What would happen to people without it?"))
    clause = words.own(known[model.guard], "clause")
    if model.guard not in model.harms:
        return parts.heading(clause, _("What would happen to people without it? Decide first, then take it out."))
    was_seen, is_seen = model.harms[model.guard]
    harm = words.own(known[model.guard], "harm")
    lines = [_line(_("With it"), harm, was_seen), _line(_("Without it"), harm, is_seen)]
    return join(parts.heading(clause), parts.sentences(lines))


def _line(when: str, harm: str, is_seen: bool) -> tuple[parts.State, Child]:
    told = harm if is_seen else _("The same attempt is refused.")
    return "bad" if is_seen else "ok", join(tag("strong", when, ": "), told)
