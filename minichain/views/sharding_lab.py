"""The sharding lab: districts as shards, what they carry and risk, a transfer to one that sleeps, and who lives where.

`Lab` (sharding_model) is what the page knows, `sharding_words` how it says it; here is only how it looks. Every figure
is calculated from costs that were measured, drawn, or read from the blocks of a city that runs in this kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, Protocol

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.sharding.capacity import CROSSING
from minichain.sharding.choice import LEAST_MEMBERS, sizes
from minichain.sharding.placement import Placement
from minichain.sharding.rebalance import graph_of
from minichain.views import frame, parts
from minichain.views import sharding_pictures as pictures
from minichain.views import sharding_words as words
from minichain.views.briefs import sharding
from minichain.views.charts import Chart
from minichain.views.i18n import _, number
from minichain.views.markup import Child, Safe, join, tag
from minichain.views.moving import Slide
from minichain.views.panels import (
    Content,
    Page,
    bar,
    bound,
    button,
    card,
    errand,
    field,
    guarded,
    rebuilt,
    row,
    stack,
    tabs,
)
from minichain.views.parts import State
from minichain.views.polling import Errands
from minichain.views.sharding_model import MANY, MOST_DISHONEST, MOST_VALIDATORS, Lab

DEMANDS: Final = (1_000, 3_000, 6_000, 10_000, 30_000, 100_000)
LINES: Final = (10, 100, 1_000, 10_000, 1_000_000, 1_000_000_000)
AMOUNT: Final = 30
PLAN: Final = ["choice", "need", "power"]  # what a figure of the plan depends on


class Districts(Protocol):
    """Where costs and a running city come from (`scenarios.districts`)."""

    def calibration(self) -> Any:
        """Return measured costs, with the machine and the date."""

    @property
    def City(self) -> Callable[[], Any]:  # noqa: N802 - a class
        """Return what makes a city."""


ACTS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "p": lambda city: city.pay(AMOUNT),
    "c": lambda city: city.carry(),
    "s": lambda city: city.pause(),
    "w": lambda city: city.resume(),
}


class Cities:
    """The city to which certain things were done, letter by letter (`ACTS`); another beginning is another city."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make, self._done = make, ""
        self._city: Any = None

    def after(self, acts: str) -> Any:
        """Return what the city shows after these acts."""
        if self._city is None or not acts.startswith(self._done):
            self.close()
            self._city, self._done = self._make(), ""
        sight = self._city.look()
        for act in acts[len(self._done) :]:
            sight = ACTS[act](self._city)
            self._done += act
        return sight

    def chains(self) -> Sequence[Any]:
        """Return the chains of the city's districts."""
        return self._city.net.shards if self._city else ()

    def close(self) -> None:
        """End the city."""
        if self._city is not None:
            self._city.close()
            self._city = None


def page(districts: Districts, model: Lab | None = None) -> Page:
    """Build the lab."""
    found = districts.calibration()
    lab, errands = model or Lab(found.costs), Errands(lambda: Cities(districts.City))
    screens = tabs(
        (_("Capacity and risk"), _plan(lab, found)),
        (_("A district sleeps"), _city(lab, errands)),
        (_("Who lives where"), _town(lab)),
    )
    return frame.page(sharding.case(lab, found, errands), row(_choice(lab), _need(lab)), screens)


# --- what is chosen ----------------------------------------------------------------------------------------------


def _choice(model: Lab) -> W.Box:
    power = W.Dropdown(options=[(told, name) for name, told in words.powers().items()], value=model.power)
    W.link((model, "power"), (power, "value"))
    return card(
        _slide(model, "validators", _("Validators of the city"), LEAST_MEMBERS, lambda: MOST_VALIDATORS),
        _slide(model, "shards", _("Districts (shards)"), 1, lambda: model.most_shards),
        _slide(model, "members", _("Members of a district"), LEAST_MEMBERS, lambda: model.most_members),
        _slide(model, "dishonest", _("Dishonest validators, %"), 0, lambda: MOST_DISHONEST),
        frame.more(
            _("More settings"),
            _slide(model, "crossing", _("Transfers to another district, %"), 0, lambda: 100),
            field(power, _("A district is captured when the dishonest can…")),
        ),
        title=_("Your city"),
        sentence=_("Each validator serves in one district. Chance decides in which."),
    )


def _slide(model: Lab, name: str, told: str, least: int, most: Callable[[], int]) -> Slide:
    made = Slide(told, least, most())
    made.value = getattr(model.choice, name)
    made.observe(lambda change: model.change(**{name: change.new}), "value")

    def follow(_change: Any) -> None:
        with made.hold_sync():
            made.most = max(least, most())
            made.value = getattr(model.choice, name)

    model.observe(follow, "choice")
    return made


def _need(model: Lab) -> W.Box:
    def wanted(name: str, values: Sequence[int], told: Callable[[int], str]) -> W.Dropdown:
        made = W.Dropdown(options=[(told(value), value) for value in values], value=getattr(model.need, name))
        made.observe(lambda change: model.want(**{name: change.new}), "value")
        return made

    demand = wanted("demand", DEMANDS, lambda value: _("{count} a second").format(count=number(value)))
    line = wanted("draws", LINES, lambda value: _("1 of {count} draws").format(count=number(value)))

    def lamps() -> Safe:
        return tag("div", [parts.lamp(*answer) for answer in words.verdict(model)], class_="mc-lamps mc-needed")

    return card(
        field(demand, _("Transactions that are needed")),
        field(line, _("A captured district, at most in…")),
        bound(model, PLAN, lamps, "mc-live"),
        title=_("What it must meet"),
    )


# --- capacity and risk -------------------------------------------------------------------------------------------


def _plan(model: Lab, found: Any) -> W.Box:
    return stack(row(_risk(model), _districts(model)), row(_throughput(model, found), _delay(model)))


def _charted(model: Lab, traits: Sequence[str], draw: Callable[[], Any]) -> Chart:
    chart = Chart(draw())
    model.observe(lambda _change: chart.show(draw()), list(traits))
    return chart


def _formula(told: str) -> Safe:
    return tag("p", told, class_="mc-formula")


def _risk(model: Lab) -> W.Box:
    def drawn() -> Any:
        choice = model.choice
        return pictures.capture_figure(choice.draw, sizes(choice), model.drawn, model.power, model.need.limit)

    return card(
        bound(model, PLAN, lambda: parts.paragraph(words.capture(model))),
        _charted(model, [*PLAN, "samples"], drawn),
        bound(model, PLAN, lambda: _formula(words.capture_formula(model))),
        title=_("How likely is a captured district?"),
    )


def _districts(model: Lab) -> W.Box:
    place = stack()
    many = button(_("Draw committees 1,000 times"), guarded(lambda: model.draw(MANY), place), "primary")
    once = button(_("Draw once"), guarded(lambda: model.draw(1), place))

    def shown() -> Safe:
        sample = model.drawn.get(model.choice.members)
        told = parts.sentences([words.compared(sample, model.one)]) if sample else None
        return join(told, _tiles(model))

    return card(
        bar(many, once),
        place,
        bound(model, [*PLAN, "samples", "bad"], shown, "mc-live"),
        title=_("The draw"),
        sentence=_("Below is the last draw: each district with its dishonest members."),
    )


def _tiles(model: Lab) -> Safe:
    return tag("ul", (_tile(model, at, bad) for at, bad in enumerate(model.bad, 1)), class_="mc-tiles")


def _tile(model: Lab, at: int, bad: int) -> Safe:
    members, enough = model.choice.members, model.enough
    share, limit = (f"{100 * count / members:.1f}%" for count in (bad, enough))
    state: State = "bad" if bad >= enough else "ok"
    word = _("captured") if state == "bad" else _("safe")
    told = _("{bad} of {members} dishonest").format(bad=bad, members=members)
    gauge = tag("div", tag("i", style=f"width:{share}"), tag("b", style=f"left:{limit}"), class_="mc-gauge")
    name = _("District {number}").format(number=at)
    return tag("li", tag("strong", name), parts.chip(state, word), tag("small", told), gauge, class_=f"mc-{state}")


def _throughput(model: Lab, found: Any) -> W.Box:
    def drawn() -> Any:
        chosen = (model.choice.shards, model.verdict.throughput)
        return pictures.throughput_figure(model.rows, CROSSING, chosen, model.need.demand)

    def costs() -> Safe:
        told = _("Measured with {command} on {machine}, {date}.")
        where = told.format(command="minichain bench shards", machine=found.machine, date=found.date)
        listed = parts.facts(words.costs_told(model.costs, model.choice.members))
        return parts.drawer(_("What each thing costs a validator"), listed, parts.paragraph(where))

    return card(
        bound(model, ["choice"], lambda: parts.paragraph(words.gained(model))),
        _charted(model, PLAN, drawn),
        _formula(words.capacity_formula()),
        bound(model, ["choice"], lambda: _spaced(_as_table(model), costs())),
        title=_("How much does it carry?"),
    )


def _as_table(model: Lab) -> Safe:
    columns = [_("Shards"), *(pictures.percent(share) for share in CROSSING)]
    rows = [[row.shards, *row.throughput] for row in model.rows]
    table = parts.table(_("Transactions a second, by the share that crosses"), columns, rows)
    return parts.drawer(_("The same as a table"), table)


def _delay(model: Lab) -> W.Box:
    def drawn() -> Any:
        shares = sorted({*CROSSING, model.choice.design.crossing})
        return pictures.delay_figure(shares, model.choice.design.block_ms)

    return card(
        _charted(model, ["choice"], drawn),
        bound(model, ["choice"], lambda: _formula(words.delay_formula(model))),
        title=_("How long does it take?"),
        sentence=_("A transfer to another district waits for a block twice: where it is sent, and where it arrives."),
    )


# --- a district sleeps -------------------------------------------------------------------------------------------


def _city(model: Lab, errands: Errands[Any]) -> W.Box:
    place = stack()

    def do(act: str) -> Callable[[], None]:
        return lambda: model.set_trait("acts", model.acts + act)

    def follow(_change: Any) -> None:
        acts = model.acts
        if acts:
            errand(errands, lambda cities: cities.after(acts), model.keep_sight, place)
        else:
            model.sight = None

    model.observe(follow, "acts")
    buttons = bar(
        button(_("Pay 30 units to district 2"), do("p"), "primary"),
        button(_("Let the carrier go"), do("c")),
        button(_("Put district 2 to sleep"), do("s")),
        button(_("Wake district 2"), do("w")),
    )
    return card(
        buttons,
        place,
        bound(model, ["sight"], lambda: _seen(model), "mc-live"),
        title=_("Two districts, and a carrier between them"),
        sentence=_("Two chains with four members each really run here, in a simulated network. Pay, and follow it."),
    )


def _seen(model: Lab) -> Safe:
    sight = model.sight
    if sight is None:
        return parts.note("info", _("Nothing has happened yet. The first press builds the city, in some seconds."))
    return _spaced(_units(sight), _followed(sight) if sight.ways else None)


def _spaced(*shown: Child) -> Safe:
    return tag("div", *shown, class_="mc-spaced")


def _units(sight: Any) -> Safe:
    def kept(chain: str) -> Safe:
        chip = parts.chip("warn", _("asleep")) if chain in sight.asleep else parts.chip("ok", _("awake"))
        name = words.district(chain)
        return parts.kpi(name, sight.supply[chain], _("units"), chip, _("Units in {district}").format(district=name))

    way = parts.kpi(_("On the way"), sight.on_the_way, _("units"))
    note = _("as many as at the beginning") if sight.is_whole else _("not as many as at the beginning")
    whole = parts.chip("ok", note) if sight.is_whole else parts.chip("bad", note)
    total = parts.kpi(_("Together"), sight.total, _("units"), whole)
    return tag("div", [*map(kept, sight.supply), way, total], class_="mc-sums")


def _followed(sight: Any) -> Safe:
    *earlier, last = sight.ways
    title = _("Transfer {number}: {amount} units").format(number=last.number, amount=number(last.amount))
    shown = _spaced(parts.heading(title), parts.custody(title, words.stops(last, sight.asleep)))
    if not earlier:
        return shown
    rows: list[list[Child]] = [
        [way.number, way.amount, words.kinds()[way.state], words.took(way)] for way in reversed(earlier)
    ]
    columns = [_("Transfer"), _("Units"), _("How far"), _("Delivered after")]
    return _spaced(shown, parts.drawer(_("Earlier transfers"), parts.table(_("Earlier transfers"), columns, rows)))


# --- who lives where ---------------------------------------------------------------------------------------------


def _town(model: Lab) -> W.Box:
    place = stack()
    sentence = _(
        "By hash, everybody finds an account without asking; but neighbours are strangers. "
        "Here people pay within their district, except for the share you have set above."
    )
    return card(
        button(_("Let them trade for a day, then rebalance"), guarded(model.rebalance, place), "primary"),
        place,
        rebuilt(model, ["days"], lambda: _placed(model)),
        title=_("Placed by hash, or by whom they pay"),
        sentence=sentence,
    )


def _placed(model: Lab) -> Sequence[Content]:
    days = model.days
    if days is None:
        return [parts.note("info", _("Nobody has traded yet."))]
    graph, found = graph_of(days.day), days.proposal
    before = pictures.placement_figure(graph, Placement(days.shards), found.before)
    after = pictures.placement_figure(graph, found.placement, found.after)
    return [_what_it_brings(model), row(*(_side(*one) for one in _sides(before, after).items()))]


def _sides(before: Any, after: Any) -> Mapping[str, Any]:
    return {_("By hash"): before, _("By whom they pay"): after}


def _side(title: str, figure: Any) -> W.Box:
    return stack(parts.heading(title), Chart(figure, has_caption=True))


def _what_it_brings(model: Lab) -> Safe:
    days = model.days
    found = days.proposal

    def line(name: str, told: Callable[[Any], Child], *measured: Any) -> list[Child]:
        return [name, *(told(one) for one in measured)]

    def crosses(one: Any) -> Child:
        return pictures.percent(one.by_transaction)

    def carries(one: Any) -> Child:
        return number(model.carried(Fraction(one.by_transaction)))

    rows = [
        line(_("cross on the day it was made from"), crosses, found.before, found.after),
        line(_("cross on the next day"), crosses, days.next_before, days.next_after),
        line(_("the fullest district has, of the mean"), lambda one: pictures.percent(one.fullest), *_next(days)),
        line(_("carried a second on the next day"), carries, *_next(days)),
    ]
    moved = _("{count} of {all} accounts moved.").format(
        count=number(len(found.moved)), all=number(len(graph_of(days.day)))
    )
    table = parts.table(_("The same transfers under both"), ["", _("By hash"), _("By whom they pay")], rows)
    return _spaced(parts.paragraph(moved), table)


def _next(days: Any) -> tuple[Any, Any]:
    return days.next_before, days.next_after
