"""The crossing timeline: something goes from chain to chain, this and that goes wrong, and one looks at each step.

`Timeline` (crossings_model) is what the page knows, `crossings_words` how it says it, `crossings_picture` how it draws
it; here is only how it is put together. Nothing is staged: each step has happened on simulated chains.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.views import crossings_words as words
from minichain.views import frame, parts
from minichain.views.briefs import crossings as brief
from minichain.views.crossings_model import Teller, Timeline, state_of
from minichain.views.crossings_picture import picture
from minichain.views.i18n import _, number, short
from minichain.views.markup import Child, Safe, fill, join, tag
from minichain.views.moving import Slide
from minichain.views.panels import Content, Page, bar, bound, button, card, field, html, rebuilt, row, stack
from minichain.views.parts import State
from minichain.views.pictures import merkle_picture

LOOK: tuple[str, ...] = ("story", "position")
_STATE: dict[str, State] = {"back": "info", "harm": "bad"}


def page(teller: Teller) -> Page:
    """Build the page."""
    model = Timeline(teller)
    seen = row(_places(model), _receipt(model))
    return frame.page(brief.case(model), _choice(model), _screen(model), seen)


# --- the choice --------------------------------------------------------------------------------------------------


def _choice(model: Timeline) -> W.Box:
    what = W.Dropdown(options=[(told, name) for name, told in words.kinds().items()], value=model.what)
    what.observe(lambda change: model.choose(change.new, model.pair), "value")
    return card(
        row(field(what, _("What crosses")), rebuilt(model, ["what"], lambda: [_pairs(model)])),
        frame.more(_("Let something go wrong"), rebuilt(model, ["what", "pair"], lambda: [_failures(model)])),
        title=_("What shall happen?"),
        sentence=_("Each choice is played at once, on chains of four offices each that share one clock."),
    )


def _pairs(model: Timeline) -> W.Box:
    options = [(words.pairs()[name], name) for name in model.pairs]
    made = W.Dropdown(options=options, value=model.pair if model.pair in model.pairs else model.pairs[0])
    made.observe(lambda change: model.choose(model.what, change.new), "value")
    return field(made, _("Between which chains"))


def _failures(model: Timeline) -> W.Box:
    title = tag("p", tag("strong", _("What goes wrong")), class_="mc-p")
    return stack(title, W.Box([_failure(model, name) for name in model.possible], _dom_classes=["mc-failures"]))


def _failure(model: Timeline, name: str) -> W.Checkbox:
    title, told = words.late(model.what) if name == "late" else words.failures()[name]
    made = W.Checkbox(value=name in model.failures, description=f"{title}: {told}", indent=False)
    made.observe(lambda change: model.befall(name, change.new), "value")
    model.observe(lambda _change: made.set_trait("value", name in model.failures), "failures")
    made.add_class("mc-failure")
    return made


# --- the timeline ------------------------------------------------------------------------------------------------


def _screen(model: Timeline) -> W.Box:
    slide = Slide(_("Number of the step"), 1, model.last + 1)
    slide.observe(lambda change: model.go(change.new - 1 - model.position), "value")

    def follow(_change: Any) -> None:
        slide.most, slide.value = model.last + 1, model.position + 1

    model.observe(follow, list(LOOK))
    made = card(
        bar(
            button(_("Back"), lambda: model.go(-1)),
            button(_("Next step"), lambda: model.go(1), "primary"),
            button(_("To the end"), lambda: model.go(model.last)),
            bound(model, LOOK, lambda: _where(model)),
        ),
        bound(model, LOOK, lambda: picture(model.story, min(model.position, model.last))),
        slide,
        bound(model, LOOK, lambda: _told(model), "mc-live"),
        bound(model, LOOK, lambda: _lesson(model)),
        bound(model, ["story"], lambda: _all(model)),
    )
    made.add_class("mc-crossing-screen")
    return made


def _where(model: Timeline) -> Safe:
    steps = parts.proven(_("Steps"), number(model.last + 1))
    said = fill(_("Step {number} of {count}"), number=number(model.position + 1), count=steps)
    return tag("span", said, class_="mc-stage-time")


def _chip(step: Any) -> Safe:
    state = state_of(step)
    return parts.chip(_STATE.get(state, state), words.title(step))  # type: ignore[arg-type]


def _told(model: Timeline) -> Safe:
    step = model.step
    said = step.refusal and tag("p", _("In its own words: "), tag("q", step.refusal), class_="mc-said")
    place = _("{chain}, block {height}").format(chain=words.lane(step.lane), height=number(step.height))
    facts = [
        (_("When"), _("{time} after the beginning").format(time=words.seconds(step.ms))),
        (_("Where"), place if step.height else words.lane(step.lane)),
        *([(_("Who"), words.somebody(step.who))] if step.who else []),
    ]
    told = tag("p", words.told(model.story, step), class_="mc-p mc-step-told")
    return tag("div", _chip(step), told, said, parts.facts(facts), class_="mc-step-card")


def _lesson(model: Timeline) -> Safe:
    if model.position < model.last:
        return Safe("")
    title, told = words.lesson(model.story)
    return parts.note("info", title, tag("p", told))


def _all(model: Timeline) -> Safe:
    """List all steps: what the picture shows, for who reads."""
    rows: list[Sequence[Child]] = [
        [place, words.seconds(step.ms), words.lane(step.lane), number(step.height) if step.height else "-", _chip(step)]
        for place, step in enumerate(model.story.steps, 1)
    ]
    columns = [_("Number of the step"), _("When"), _("Where"), _("Block"), _("What")]
    return parts.drawer(_("All steps as a table"), parts.table(_("All steps"), columns, rows))


# --- where the units are, and what was shown ----------------------------------------------------------------------


def _places(model: Timeline) -> W.Box:
    sentence = _("Counted from final blocks by somebody who sees all chains at once. None of the chains can.")
    title = _("Where everything is after this step")
    return card(bound(model, LOOK, lambda: _count(model)), title=title, sentence=sentence)


def _count(model: Timeline) -> Safe:
    step = model.step
    before = {(place.chain, place.who): place.amount for place in model.story.before}
    used = {(place.chain, place.who) for one in model.story.steps for place in one.places if place.amount}
    rows: list[Sequence[Child]] = [
        [words.lane(place.chain) if place.chain else _("Between the chains"), words.place(place.who), place.amount,
         _change(place.amount - before[place.chain, place.who])]
        for place in step.places
        if (place.chain, place.who) in used
    ]  # fmt: skip
    surplus = step.total - model.story.total
    rows.append([tag("strong", _("All together")), "", step.total, _change(surplus)])
    columns = [_("Chain"), _("Who, or where"), _("How many"), _("Since the beginning")]
    table = tag("div", parts.table("", columns, rows), class_="mc-places")
    return join(table, _adds_up(surplus))


def _change(amount: int) -> Safe:
    state = "mc-plus" if amount > 0 else "mc-minus" if amount < 0 else "mc-same"
    return tag("span", f"{amount:+,}" if amount else "±0", class_=state)


def _adds_up(surplus: int) -> Safe:
    if not surplus:
        return parts.sentences([("ok", _("It adds up: as many as in the beginning."))])
    told = _("It does not add up: {count} units come from nothing.").format(count=number(surplus))
    return parts.sentences([("bad", told)])


def _receipt(model: Timeline) -> W.Box:
    def build() -> Sequence[Content]:
        carried = model.step.carried
        if carried is None:
            return [parts.paragraph(_("Nothing is shown in this step. Go on to one in which a receipt is carried."))]
        expected, path = carried.root, list(carried.path)
        drawn = merkle_picture(
            _("How the receipt leads to the root in the header"),
            carried.entry,
            carried.index,
            carried.count,
            path,
            expected,
        )
        return [html(_carried(carried)), html(drawn)]

    sentence = _("What a relayer shows the other chain: a receipt, and the hashes that lead to the root in a header.")
    return card(rebuilt(model, list(LOOK), build), title=_("The receipt"), sentence=sentence)


def _carried(carried: Any) -> Safe:
    receipt = carried.receipt
    said = [f"{event.contract}.{event.name}" for event in receipt.events]
    where = _("{chain}, block {height}").format(chain=words.lane(carried.chain), height=number(carried.height))
    return parts.facts(
        [
            (_("Comes from"), where),
            (_("Transaction"), parts.codeline(short(receipt.tx_id))),
            (_("Announced"), parts.codeline(" ".join(dict.fromkeys(said)))),
            (_("Size"), _("{count} bytes").format(count=number(len(carried.entry)))),
        ]
    )
