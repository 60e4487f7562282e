"""Charts that stand still: the figure of a page as SVG for paper, drawn without a browser, a font or a program.

It knows what our pages use: lines, dots with their intervals and bars, on plain, logarithmic and named axes. What a
colour says, a dash, a shape or the legend says too, so it may be printed in grey.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any, Final
from unicodedata import east_asian_width

from minichain.errors import UsageError
from minichain.views.i18n import number
from minichain.views.markup import Safe, join, tag

WIDTH: Final = 700
_LEFT, _RIGHT, _TOP, _PLOT, _FOOT = 92, 16, 12, 250, 52
_SIZE: Final = 12.5
_ROW: Final = 21
_DASHES: Final = {"solid": None, "dash": "9 6", "dot": "2 5", "dashdot": "9 5 2 5", "longdash": "16 6"}
_INK, _ACCENT, _GRID = "#16211f", "#0b6e5f", "#cfd6d2"
_TICKS: Final = 6

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Axis:
    """Where values lie on one side of the picture: `place` gives units of the picture, None where there is no place."""

    place: Callable[[Any], float | None]
    ticks: Sequence[tuple[float, str]]
    title: str


def still(figure: Any) -> Safe:
    """Draw a Plotly figure; raises `UsageError` for a kind of trace that is not drawn here."""
    plot = figure.to_plotly_json()
    traces: list[dict[str, Any]] = [_plain(trace) for trace in plot["data"]]
    layout = plot["layout"]
    across = _axis(layout.get("xaxis", {}), _values(traces, "x"), _LEFT, WIDTH - _RIGHT)
    up = _axis(layout.get("yaxis", {}), [*_values(traces, "y"), *_floor(traces)], _TOP + _PLOT, _TOP)
    legend, rows = _legend(traces)
    height = _TOP + _PLOT + _FOOT + rows * _ROW
    drawn = join(_grid(across, up), *(_trace(trace, at, traces, across, up) for at, trace in enumerate(traces)))
    title = layout.get("title", {}).get("text", "")
    return svg(title, height, drawn, legend)


def svg(label: str, height: float, *content: Safe) -> Safe:
    """Set a drawing of the width of a page on paper."""
    return tag("svg", *content, viewBox=f"0 0 {WIDTH} {height:g}", role="img", aria_label=label, class_="mc-still")


def text(x: float, y: float, words: str, anchor: str = "start", weight: int = 400) -> Safe:
    """Write words into a drawing."""
    look: dict[str, float] = {"x": round(x, 1), "y": round(y, 1), "font_size": _SIZE, "font_weight": weight}
    return tag("text", words, text_anchor=anchor, fill=_INK, **look)


def columns(label: str, values: Sequence[tuple[str, float, str]]) -> Safe:
    """Draw one bar a row below what the bars say: its name, how long it is, and what is written behind it."""
    longest, side = max((value for _name, value, _told in values), default=0) or 1, WIDTH * 0.34
    room = WIDTH - side - max([150, *(16 + wide(told) for _name, _value, told in values)])
    rows = [
        _row(y, name, side, max(2, room * value / longest), told)
        for y, (name, value, told) in zip(range(28, 28 + 30 * len(values), 30), values, strict=True)
    ]
    return svg(label, 36 + 30 * len(values), text(0, 16, label, weight=600), *rows)


def _row(y: int, name: str, side: float, length: float, told: str) -> Safe:
    bar = tag("rect", x=round(side, 1), y=y + 4, width=round(length, 1), height=18, rx=3, fill=_ACCENT)
    return join(bar, text(side - 10, y + 17, name, "end"), text(side + length + 8, y + 17, told, weight=600))


def wide(words: str) -> float:
    """Guess how wide words are in a drawing; a Chinese character is as wide as it is high."""
    return _SIZE * sum(1.0 if east_asian_width(letter) in "WF" else 0.56 for letter in words)


# --- axes --------------------------------------------------------------------------------------------------------


def _plain(trace: Mapping[str, Any]) -> dict[str, Any]:
    if trace["type"] not in ("scatter", "bar"):
        raise UsageError(f"a still picture has lines, dots and bars, not {trace['type']!r}: draw it as a table")
    return {**trace, "x": list(trace.get("x", ())), "y": list(trace.get("y", ()))}


def _values(traces: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    return [value for trace in traces for value in trace[name] if value is not None]


def _floor(traces: Sequence[Mapping[str, Any]]) -> list[float]:
    return [0.0] if any(trace["type"] == "bar" for trace in traces) else []


def _axis(told: Mapping[str, Any], values: Sequence[Any], start: float, end: float) -> Axis:
    title = (told.get("title") or {}).get("text") or ""
    if any(isinstance(value, str) for value in values):
        return _named(list(dict.fromkeys(values)), start, end, title)
    is_log = told.get("type") == "log"
    scaled = sorted(log10(value) if is_log else float(value) for value in values if value > 0 or not is_log)
    low, high = (scaled[0], scaled[-1]) if scaled else (0.0, 1.0)
    if not is_log:
        low = min(low, 0.0)
    high = high if high > low else low + 1.0
    reach = (end - start) / ((high - low) * 1.04)

    def place(value: Any) -> float | None:
        if value is None or (is_log and value <= 0):
            return None
        return start + ((log10(value) if is_log else float(value)) - low) * reach

    given = zip(told.get("tickvals") or (), told.get("ticktext") or (), strict=False)
    wanted = [(float(at), str(words)) for at, words in given] or _round(low, high, is_log)
    near = 0.02 * (high - low)
    shown = [(at, words) for at, words in wanted if low - near <= (log10(at) if is_log else at) <= high * 1.0 + near]
    return Axis(place, [(place(at) or start, words) for at, words in shown], title)


def _named(names: Sequence[str], start: float, end: float, title: str) -> Axis:
    step = (end - start) / max(1, len(names))
    places = {name: start + step * (at + 0.5) for at, name in enumerate(names)}
    return Axis(places.get, [(place, name) for name, place in places.items()], title)


def _round(low: float, high: float, is_log: bool) -> list[tuple[float, str]]:
    """Return round values between two bounds (of their logarithms, on such an axis)."""
    if is_log:
        return [(10.0**power, f"{10.0**power:,g}") for power in range(floor(low), floor(high) + 2)]
    rough = (high - low) / _TICKS
    power = 10.0 ** floor(log10(rough))
    step = next(power * lead for lead in (1, 2, 5, 10) if power * lead >= rough)
    places = [low + step * turn for turn in range(floor((high - low) / step) + 2)]
    return [(at, number(round(at)) if step >= 1 else f"{at:.3g}") for at in places]


def _grid(across: Axis, up: Axis) -> Safe:
    bottom, right = _TOP + _PLOT, WIDTH - _RIGHT
    levels = [
        join(tag("path", d=f"M{_LEFT},{y:.1f}H{right}", stroke=_GRID), text(_LEFT - 8, y + 4, words, "end"))
        for y, words in up.ticks
    ]
    steps = [text(x, bottom + 18, words, "middle") for x, words in _apart(across.ticks)]
    base = tag("path", d=f"M{_LEFT},{bottom}H{right}", stroke=_INK, stroke_width=1.2)
    side = tag("g", text(0, 0, up.title, "middle"), transform=f"translate(14 {_TOP + _PLOT / 2}) rotate(-90)")
    return join(*levels, base, *steps, text((_LEFT + right) / 2, bottom + 40, across.title, "middle"), side)


def _apart(ticks: Sequence[tuple[float, str]]) -> Iterator[tuple[float, str]]:
    """Leave out words that would run into those before."""
    free = 0.0
    for x, words in ticks:
        if x - wide(words) / 2 >= free:
            yield x, words
            free = x + wide(words) / 2 + 8


# --- traces ------------------------------------------------------------------------------------------------------


def _look(trace: Mapping[str, Any]) -> tuple[str, str | None, str]:
    line, marker = trace.get("line") or {}, trace.get("marker") or {}
    colour = line.get("color") or marker.get("color") or _ACCENT
    symbol = marker.get("symbol") or "circle"
    return str(colour), _DASHES.get(line.get("dash") or "solid"), str(symbol)


def _trace(trace: Mapping[str, Any], at: int, traces: Sequence[Mapping[str, Any]], across: Axis, up: Axis) -> Safe:
    if trace["type"] == "bar":
        return _bars(trace, at, traces, across, up)
    colour, dash, symbol = _look(trace)
    placed = [(across.place(x), up.place(y)) for x, y in zip(trace["x"], trace["y"], strict=True)]
    points = [(x, y) for x, y in placed if x is not None and y is not None]
    mode = trace.get("mode") or "lines"
    drawn = []
    if "lines" in mode and points:
        path = "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points)
        drawn.append(tag("path", d=path, fill="none", stroke=colour, stroke_width=2, stroke_dasharray=dash))
    if "markers" in mode:
        drawn += [_mark(x, y, symbol, colour) for x, y in points]
        drawn += _intervals(trace, colour, across, up)
    return join(*drawn)


def _intervals(trace: Mapping[str, Any], colour: str, across: Axis, up: Axis) -> list[Safe]:
    spread = trace.get("error_y") or {}
    above = _numbers(spread.get("array"))
    below = _numbers(spread.get("arrayminus")) or above
    made = []
    for x, y, more, less in zip(trace["x"], trace["y"], above, below, strict=False):
        ends = (across.place(x), up.place(y + more), up.place(y - less))
        if None not in ends:
            made.append(tag("path", d=f"M{ends[0]:.1f},{ends[1]:.1f}V{ends[2]:.1f}", stroke=colour, stroke_width=1.4))
    return made


def _numbers(given: Any) -> list[float]:
    return [] if given is None else list(given)


def _mark(x: float, y: float, symbol: str, colour: str) -> Safe:
    fill = "#fff" if symbol.endswith("open") else colour
    look: dict[str, str | int] = {"fill": fill, "stroke": colour, "stroke_width": 2}
    match symbol.removesuffix("-open"):
        case "square":
            return tag("rect", x=round(x - 4, 1), y=round(y - 4, 1), width=8, height=8, **look)
        case "diamond":
            return tag("path", d=f"M{x:.1f},{y - 6:.1f}l6,6l-6,6l-6,-6z", **look)
        case "triangle-up":
            return tag("path", d=f"M{x:.1f},{y - 5:.1f}l6,10h-12z", **look)
        case _:
            return tag("circle", cx=round(x, 1), cy=round(y, 1), r=6 if symbol.endswith("open") else 4, **look)


def _bars(trace: Mapping[str, Any], at: int, traces: Sequence[Mapping[str, Any]], across: Axis, up: Axis) -> Safe:
    count = sum(other["type"] == "bar" for other in traces)
    names = max(1, len(across.ticks))
    width = min(60.0, (WIDTH - _LEFT - _RIGHT) / names * 0.7 / count)
    bottom, colour = _TOP + _PLOT, _look(trace)[0]
    made = []
    for x, y in zip(trace["x"], trace["y"], strict=True):
        centre, top = across.place(x), up.place(y)
        if centre is not None and top is not None:
            left = centre + (at - count / 2) * width
            made.append(_box(left, top, width, bottom - top, colour))
    return join(*made)


def _box(x: float, y: float, width: float, height: float, colour: str) -> Safe:
    return tag("rect", x=round(x, 1), y=round(y, 1), width=round(width, 1), height=round(height, 1), fill=colour)


def _legend(traces: Sequence[Mapping[str, Any]]) -> tuple[Safe, int]:
    """Name each trace beside a piece of it; returns the drawing and its rows."""
    x, row, made = float(_LEFT), 0, []
    top = _TOP + _PLOT + _FOOT + 4
    for trace in traces:
        words = str(trace.get("name") or "")
        if not words:
            continue
        room = 44 + wide(words) + 18
        if x + room > WIDTH and x > _LEFT:
            x, row = float(_LEFT), row + 1
        made.append(join(_sample(trace, x, top + row * _ROW), text(x + 42, top + row * _ROW + 4, words)))
        x += room
    return join(*made), row + 1 if made else 0


def _sample(trace: Mapping[str, Any], x: float, y: float) -> Safe:
    colour, dash, symbol = _look(trace)
    if trace["type"] == "bar":
        return tag("rect", x=x + 14, y=y - 6, width=18, height=12, fill=colour)
    line = tag("path", d=f"M{x:.1f},{y:.1f}h34", stroke=colour, stroke_width=2, stroke_dasharray=dash)
    mode = trace.get("mode") or "lines"
    return join(line if "lines" in mode else None, _mark(x + 17, y, symbol, colour) if "markers" in mode else None)
