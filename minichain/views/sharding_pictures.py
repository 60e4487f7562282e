"""Pictures of sharding as pure functions: exact figures in, a Plotly figure out. Nothing is calculated here.

What a colour says, a dash, a shape or a word says too. Where a picture shows a calculation, what was drawn or measured
lies beside it, with its interval. A chance of nothing has no place on a logarithmic scale and is left out of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from html import escape
from typing import Any, Final

import networkx as nx
import plotly.graph_objects as go

from minichain.sharding import capacity, risk
from minichain.sharding.placement import Placement
from minichain.sharding.rebalance import Measured
from minichain.sharding.risk import Draw, Sample
from minichain.views.charts import ACCENT, BAD, COLOURS, FONT, INFO, INK, LINE, SHEET
from minichain.views.i18n import _, number

DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash")
SHAPES: Final = ("circle", "square", "diamond", "triangle-up", "x", "star", "hexagon", "cross")
HEIGHT: Final = 440
RAREST: Final = 12  # a chance of one in 10^12 is the rarest that an axis has a word for


def percent(share: Fraction) -> str:
    """Write a share with three digits."""
    return f"{float(100 * share):.3g} %"


def _dressed(figure: go.Figure, title: str, across: str = "", up: str = "") -> go.Figure:
    """Give a figure the house's paper, type and axes."""
    figure.update_layout(
        title={"text": title, "font": {"size": 15}},
        font={"family": FONT, "size": 13, "color": INK},
        paper_bgcolor=SHEET,
        plot_bgcolor=SHEET,
        margin={"l": 60, "r": 20, "t": 60, "b": 50},
        height=HEIGHT,
        legend={"orientation": "h", "y": -0.25, "yanchor": "top"},
    )
    figure.update_xaxes(title=across or None, gridcolor=LINE, zerolinecolor=LINE)
    figure.update_yaxes(title=up or None, gridcolor=LINE, zerolinecolor=LINE, automargin=True)
    return figure


def _line(place: int, name: str, x: Iterable[Any], y: Iterable[Any], **more: Any) -> go.Scatter:
    colour, dash = COLOURS[place % len(COLOURS)], DASHES[place % len(DASHES)]
    return go.Scatter(
        x=[*x], y=[*y], name=name, mode="lines", line={"color": colour, "dash": dash, "width": 2.5}, **more
    )


# --- capture -----------------------------------------------------------------------------------------------------


def capture_sentence(draw: Draw, power: str = "halt") -> str:
    """Say how often a draw gives some shard into the wrong hands."""
    found = risk.any_shard(draw, power)
    count = risk.once_in(found.chance)
    if count is None:
        return _("Committees of {members}: no draw can give a shard into the wrong hands.").format(members=draw.members)
    words = (
        _("Committees of {members}: some shard is in the wrong hands in {share} of draws, once in {count} draws.")
        if found.is_exact
        else _(
            "Committees of {members}: some shard is in the wrong hands in at most {share} of draws, once in {count}."
        )
    )
    return words.format(members=draw.members, share=percent(found.chance), count=number(count))


def capture_figure(
    chosen: Draw,
    sizes: Sequence[int],
    samples: Mapping[int, Sample] | None = None,
    power: str = "halt",
    limit: Fraction | None = None,
) -> go.Figure:
    """Draw the risk of committees of several sizes; `samples` are what draws gave, by size.

    With a `limit`, it is a line, and the chosen size stands out.
    """
    draws = [Draw(chosen.validators, chosen.dishonest, size, chosen.shards) for size in sizes]
    figure = go.Figure()
    one, several = _("one shard, calculated"), _("any of {count} shards, calculated").format(count=chosen.shards)
    figure.add_trace(_line(0, one, sizes, [_above_zero(risk.one_shard(draw, power)) for draw in draws]))
    if chosen.shards > 1:
        chances = [_above_zero(risk.any_shard(draw, power).chance) for draw in draws]
        figure.add_trace(_line(1, several, sizes, chances))
    for place, field, name in _drawn(chosen.shards) if samples else ():
        hits = {size: (getattr(found, field), found.draws) for size, found in (samples or {}).items()}
        figure.add_trace(_dots(place, name, hits))
    if limit is not None:
        chance = _above_zero(risk.any_shard(chosen, power).chance)
        figure.add_trace(_dot(_("your choice"), chosen.members, chance))
        figure.add_trace(_line(3, _("your risk line"), (sizes[0], sizes[-1]), [float(limit)] * 2))
    powers = range(RAREST + 1)
    words = [_("1 in {count}").format(count=number(10**power)) for power in powers]
    figure.update_yaxes(type="log", tickvals=[10**-power for power in powers], ticktext=words)
    return _dressed(figure, capture_sentence(chosen, power), _("Members of a committee"), _("Chance in one draw"))


def _dot(name: str, x: float, y: float | None) -> go.Scatter:
    marker = {"color": INK, "symbol": "circle-open", "size": 17, "line": {"width": 3}}
    return go.Scatter(x=[x], y=[y], name=name, mode="markers", marker=marker)


def _drawn(shards: int) -> list[tuple[int, str, str]]:
    one = (0, "one", _("one shard, drawn (95 % interval)"))
    return [one, (1, "any", _("any shard, drawn (95 % interval)"))] if shards > 1 else [one]


def _above_zero(chance: Fraction) -> float | None:
    return float(chance) or None


def _dots(place: int, name: str, hits: Mapping[int, tuple[int, int]]) -> go.Scatter:
    """Draw what was counted, as dots with the interval in which the truth lies; a count of nothing gives no dot."""
    seen = {size: Fraction(*pair) for size, pair in hits.items() if pair[0]}
    bounds = {size: risk.interval(*hits[size]) for size in seen}
    return go.Scatter(
        x=list(seen),
        y=[float(share) for share in seen.values()],
        name=name,
        mode="markers",
        marker={"color": COLOURS[place], "symbol": SHAPES[place], "size": 9},
        error_y={
            "array": [float(bounds[size][1] - share) for size, share in seen.items()],
            "arrayminus": [float(share - bounds[size][0]) for size, share in seen.items()],
            "color": COLOURS[place],
        },
    )


# --- capacity ----------------------------------------------------------------------------------------------------


def throughput_figure(
    rows: Sequence[capacity.Row],
    crossing: Sequence[Fraction],
    chosen: tuple[int, int] | None = None,
    demand: int = 0,
) -> go.Figure:
    """Draw what a number of shards carries, a line for each share that crosses.

    A choice is (shards, throughput) and stands out; what is demanded is a line.
    """
    figure, shards = go.Figure(), [row.shards for row in rows]
    for place, share in enumerate(crossing):
        name = _("{share} to another shard").format(share=percent(share))
        figure.add_trace(_line(place, name, shards, [row.throughput[place] for row in rows]))
    if chosen:
        figure.add_trace(_dot(_("your choice"), *chosen))
        figure.add_trace(_line(len(crossing), _("your demand"), (shards[0], shards[-1]), [demand] * 2))
    figure.update_xaxes(type="log", tickvals=shards)
    tens = [10**power for power in range(8)]
    figure.update_yaxes(type="log", tickvals=tens, ticktext=[number(value) for value in tens])
    most = max(rows[-1].throughput)
    title = _("{shards} shards carry up to {count} transactions a second").format(shards=shards[-1], count=number(most))
    return _dressed(figure, title, _("Shards"), _("Transactions a second"))


def delay_figure(crossing: Sequence[Fraction], block_ms: int) -> go.Figure:
    """Draw the mean time until a transaction takes effect, for each share that crosses."""
    delays = [capacity.delay(capacity.Design(2, share)) for share in crossing]
    own = [float(capacity.FINAL)] * len(delays)
    other = [float(delay - capacity.FINAL) for delay in delays]
    names = [percent(share) for share in crossing]
    figure = go.Figure(
        [
            go.Bar(x=names, y=own, name=_("final in its own shard"), marker={"color": ACCENT}),
            go.Bar(
                x=names,
                y=other,
                name=_("delivered in another shard"),
                marker={"color": INFO, "pattern": {"shape": "/"}},
                text=[f"{float(delay * block_ms / 1_000):.3g} s" for delay in delays],
                textposition="outside",
            ),
        ]
    )
    figure.update_layout(barmode="stack")
    figure.update_xaxes(type="category")  # "10 %" would else be read as a number
    title = _("A transfer to another shard takes twice as long")
    return _dressed(figure, title, _("Share of transfers to another shard"), _("Block times"))


# --- placement ---------------------------------------------------------------------------------------------------


def placement_figure(graph: nx.Graph, placement: Placement, measured: Measured, seed: int = 1) -> go.Figure:
    """Draw who deals with whom, coloured and shaped by shard; what crosses is dashed. A seed gives the same places."""
    where = nx.spring_layout(graph, seed=seed, weight="weight")
    shard = {name: placement.shard_of(name) for name in graph}
    figure = go.Figure([*_edges(graph, where, shard), *_accounts(graph, where, shard)])
    words = _("{share} of transfers cross; the fullest shard has {load} of the mean")
    shares = {"share": percent(measured.by_transaction), "load": percent(measured.fullest)}
    _dressed(figure, words.format(**shares))
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def _edges(graph: nx.Graph, where: Mapping[str, Any], shard: Mapping[str, int]) -> list[go.Scatter]:
    drawn = []
    for crosses, colour, dash in ((False, LINE, "solid"), (True, BAD, "dot")):
        ends = [(where[one], where[other]) for one, other in graph.edges if (shard[one] != shard[other]) == crosses]
        x = [value for one, other in ends for value in (one[0], other[0], None)]
        y = [value for one, other in ends for value in (one[1], other[1], None)]
        line = {"color": colour, "dash": dash, "width": 0.6 if crosses else 1}
        drawn.append(go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False))
    return drawn


def _accounts(graph: nx.Graph, where: Mapping[str, Any], shard: Mapping[str, int]) -> Iterable[go.Scatter]:
    for place in sorted(set(shard.values())):
        names = [name for name in graph if shard[name] == place]
        yield go.Scatter(
            x=[where[name][0] for name in names],
            y=[where[name][1] for name in names],
            text=[escape(name) for name in names],
            name=_("District {number}").format(number=place + 1),
            mode="markers",
            marker={"color": COLOURS[place % len(COLOURS)], "symbol": SHAPES[place % len(SHAPES)], "size": 8},
        )
