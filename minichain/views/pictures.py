"""Pictures as pure functions: numbers in, SVG out. A picture never says more than the table beside it.

Colours come from the style sheet, so a picture prints and follows high-contrast settings. What a colour says, a dash, a
word or an icon says too. Pictures that would be too small on a phone are drawn twice and the style sheet shows one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple
from unicodedata import east_asian_width

from minichain import merkle
from minichain.errors import UsageError
from minichain.views.i18n import _, number, short
from minichain.views.markup import Safe, join, tag
from minichain.views.parts import State


def _figure(title: str, *drawings: Safe) -> Safe:
    return tag("figure", tag("figcaption", title, class_="mc-caption"), *drawings, class_="mc-figure")


def _svg(label: str, width: float, height: float, *content: Safe, class_: str = "") -> Safe:
    box = f"0 0 {width:g} {height:g}"
    return tag("svg", *content, class_=f"mc-svg {class_}".strip(), viewBox=box, role="img", aria_label=label)


def _text(x: float, y: float, words: str, class_: str = "", anchor: str = "start") -> Safe:
    return tag("text", words, x=round(x, 1), y=round(y, 1), class_=class_ or None, text_anchor=anchor)


def _fit(words: str, width: float, size: float) -> str:
    """Cut a text to a width in user units, counting a Chinese character as wide as the type is high."""
    for position in range(len(words)):
        if _width(words[: position + 1], size) > width:
            return words[: max(1, position - 1)] + "…"
    return words


def _width(words: str, size: float) -> float:
    return size * sum(1.0 if east_asian_width(letter) in "WF" else 0.58 for letter in words)


# --- where the mass went -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Flow:
    """An amount that went from one place to another; a flow that is not plain says so in a word."""

    source: str
    target: str
    amount: int
    state: State = "plain"
    word: str = ""


class _Place(NamedTuple):
    layer: int
    start: float
    size: float


class _Paper(NamedTuple):
    """How one drawing lies: `along` is the way the flows run, `across` the way they are wide."""

    along: float
    across: float
    room: float  # kept free after each bar for its label
    gap: float
    vertical: bool

    def point(self, along: float, across: float) -> tuple[float, float]:
        return (across, along) if self.vertical else (along, across)


_BAR: Final = 10.0
_SMALL: Final = 11.0  # as wide as the letters of a phone are on average
_LABEL: Final = 84.0  # as wide as a name below its place may be
_EDGE: Final = 14.0  # for the names of small places at the rim
_WIDE: Final = _Paper(960, 320, 170, 34, vertical=False)
_NARROW: Final = _Paper(534, 320, 58, 16, vertical=True)


def sankey(title: str, flows: Sequence[Flow], unit: str) -> Safe:
    """Draw amounts as bands between places, each as wide as its amount; flows must not run in a circle."""
    layers = _layers(flows)
    label = "; ".join(f"{f.source} → {f.target}: {number(f.amount)} {unit} {f.word}".strip() for f in flows)
    drawings = (_sankey(label, flows, unit, layers, paper) for paper in (_WIDE, _NARROW))
    return _figure(title, *drawings)


def _layers(flows: Sequence[Flow]) -> dict[str, int]:
    """Put each place one step behind the last place that sends to it."""
    layers = {name: 0 for flow in flows for name in (flow.source, flow.target)}
    for _pass in layers:
        for flow in flows:
            layers[flow.target] = max(layers[flow.target], layers[flow.source] + 1)
    if any(layers[flow.target] >= len(layers) for flow in flows):
        raise UsageError("these flows run in a circle: draw what came back as a place of its own")
    return layers


def _places(flows: Sequence[Flow], layers: Mapping[str, int], paper: _Paper) -> tuple[dict[str, _Place], float]:
    """Stack the places of each layer; returns them and the width of one unit."""
    weight = {name: max(_sum(flows, "source", name), _sum(flows, "target", name)) for name in layers}
    columns = [[name for name in layers if layers[name] == step] for step in range(max(layers.values()) + 1)]
    scale = min((paper.across - paper.gap * (len(c) - 1)) / max(sum(weight[n] for n in c), 1) for c in columns)
    places = {}
    for step, column in enumerate(columns):
        start = _EDGE + (paper.across - scale * sum(weight[n] for n in column) - paper.gap * (len(column) - 1)) / 2
        for name in column:
            places[name] = _Place(step, start, scale * weight[name])
            start += scale * weight[name] + paper.gap
    return places, scale


def _sum(flows: Sequence[Flow], side: str, name: str) -> int:
    return sum(flow.amount for flow in flows if getattr(flow, side) == name)


def _sankey(label: str, flows: Sequence[Flow], unit: str, layers: Mapping[str, int], paper: _Paper) -> Safe:
    places, scale = _places(flows, layers, paper)
    step = (paper.along - paper.room - _BAR) / max(1, *layers.values())
    width, height = paper.point(paper.along, paper.across + 2 * _EDGE)
    bands = join(_bands(flows, places, scale, step, paper))
    bars = join(_bar(place, step, paper) for place in places.values())
    names = join((_names_below if paper.vertical else _names_beside)(flows, places, unit, step, paper))
    words = join(_word(flow, places, step, paper) for flow in flows if flow.word)
    return _svg(label, width, height, bands, bars, names, words, class_="mc-narrow" if paper.vertical else "mc-wide")


def _bands(
    flows: Sequence[Flow], places: Mapping[str, _Place], scale: float, step: float, paper: _Paper
) -> Iterator[Safe]:
    left = {name: place.start for name, place in places.items()}
    right = dict(left)
    drawn = []
    for flow in sorted(flows, key=lambda flow: (places[flow.source].start, places[flow.target].start)):
        thick = scale * flow.amount
        drawn.append((flow, (left[flow.source], right[flow.target]), max(thick, 1.5)))
        left[flow.source] += thick
        right[flow.target] += thick
    for flow, ends, thick in sorted(drawn, key=lambda band: bool(band[0].word)):  # what has a word lies on top
        yield _band(flow, places, ends, thick, step, paper)


def _band(
    flow: Flow, places: Mapping[str, _Place], ends: tuple[float, float], thick: float, step: float, paper: _Paper
) -> Safe:
    a, b = places[flow.source].layer * step + _BAR, places[flow.target].layer * step
    (c, d), middle = ends, (a + b) / 2
    corners = (
        (a, c),
        (middle, c),
        (middle, d),
        (b, d),
        (b, d + thick),
        (middle, d + thick),
        (middle, c + thick),
        (a, c + thick),
    )
    p = [f"{x:.1f},{y:.1f}" for x, y in (paper.point(*corner) for corner in corners)]
    path = f"M{p[0]}C{p[1]} {p[2]} {p[3]}L{p[4]}C{p[5]} {p[6]} {p[7]}Z"
    return tag(
        "path",
        tag("title", f"{flow.source} → {flow.target}: {number(flow.amount)}"),
        d=path,
        class_=f"mc-flow mc-{flow.state}",
    )


def _bar(place: _Place, step: float, paper: _Paper) -> Safe:
    x, y = paper.point(place.layer * step, place.start)
    width, height = paper.point(_BAR, max(place.size, 2))
    return tag(
        "rect", x=round(x, 1), y=round(y, 1), width=round(width, 1), height=round(height, 1), rx=3, class_="mc-place"
    )


def _amount(name: str, flows: Sequence[Flow], unit: str) -> str:
    return f"{number(max(_sum(flows, 'source', name), _sum(flows, 'target', name)))} {unit}"


def _names_beside(
    flows: Sequence[Flow], places: Mapping[str, _Place], unit: str, step: float, paper: _Paper
) -> Iterator[Safe]:
    for name, place in places.items():
        x, y = place.layer * step + _BAR + 10, place.start + place.size / 2
        yield _text(x, y - 2, _fit(name, paper.room - 12, 14), "mc-name")
        yield _text(x, y + 16, _amount(name, flows, unit), "mc-amount")


def _names_below(
    flows: Sequence[Flow], places: Mapping[str, _Place], unit: str, step: float, paper: _Paper
) -> Iterator[Safe]:
    """Write names below their places, on two lines where they are long, and moved apart where they would touch."""
    for layer in sorted({place.layer for place in places.values()}):
        row = sorted((place.start + place.size / 2, name) for name, place in places.items() if place.layer == layer)
        lines = [
            (*_in_two(name, max(_LABEL, paper.across / len(row))), _amount(name, flows, unit)) for _at, name in row
        ]
        widths = [max(_width(line, _SMALL) for line in label) for label in lines]
        for x, label in zip(_apart([at for at, _name in row], widths, paper.across + _EDGE), lines, strict=True):
            for at, line in enumerate(label):
                y = layer * step + _BAR + 16 + 14 * at
                yield _text(x, y, line, "mc-amount" if line is label[-1] else "mc-name", "middle")


def _in_two(words: str, width: float) -> list[str]:
    """Break words at the space nearest to their middle, where they are wider than a width in user units."""
    if _width(words, _SMALL) <= width or " " not in words:
        return [_fit(words, width, _SMALL)]
    at = min((at for at, letter in enumerate(words) if letter == " "), key=lambda gap: abs(2 * gap - len(words)))
    return [_fit(line, width, _SMALL) for line in (words[:at], words[at + 1 :])]


def _apart(centres: Sequence[float], widths: Sequence[float], end: float) -> list[float]:
    """Move labels, from left to right, until none lies on another or beyond the end."""
    moved = list(centres)
    for at, width in enumerate(widths):
        least = moved[at - 1] + (widths[at - 1] + width) / 2 + 3 if at else width / 2
        moved[at] = max(moved[at], least)
    for at in reversed(range(len(moved))):
        is_last = at == len(moved) - 1
        most = end - widths[at] / 2 if is_last else moved[at + 1] - (widths[at + 1] + widths[at]) / 2 - 3
        moved[at] = min(moved[at], most)
    return moved


def _word(flow: Flow, places: Mapping[str, _Place], step: float, paper: _Paper) -> Safe:
    source, target = places[flow.source], places[flow.target]
    across = (source.start + source.size / 2 + target.start + target.size / 2) / 2
    x, y = paper.point((source.layer + target.layer) / 2 * step + (30 if paper.vertical else 60), across)
    return _text(x, y, flow.word, f"mc-word mc-{flow.state}", "middle")


# --- why a hash proves an entry ----------------------------------------------------------------------------------


class Climb(NamedTuple):
    """One step up an audit path: the hash that was supplied, its side, and what both give together."""

    mine: bytes
    sibling: bytes
    sibling_is_left: bool
    parent: bytes


def climb(entry: bytes, index: int, size: int, proof: Sequence[bytes]) -> list[Climb]:
    """Recompute an audit path step by step (RFC 9162 section 2.1.3.2); `merkle.verify_inclusion` gives the verdict."""
    steps, position, last, mine = [], index, size - 1, merkle.leaf_hash(entry)
    for sibling in proof[: merkle.MAX_LIST_PROOF]:
        is_left = bool(position & 1) or position == last
        parent = sha256(b"\1" + (sibling + mine if is_left else mine + sibling)).digest()
        steps.append(Climb(mine, sibling, is_left, parent))
        while is_left and not position & 1 and position:
            position, last = position >> 1, last >> 1
        position, last, mine = position >> 1, last >> 1, parent
    return steps


_BOX: Final = (156, 46)
_LEFT, _MIDDLE, _RIGHT = 6, 102, 198
_ROW: Final = 84


def merkle_picture(title: str, entry: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> Safe:
    """Draw how one entry leads up to the root in a block header, every hash recomputed from the entry."""
    steps = climb(entry, index, size, proof)
    holds = merkle.verify_inclusion(entry, index, size, proof, expected)
    top = steps[-1].parent if steps else merkle.leaf_hash(entry)
    height = _ROW * (len(steps) + 1) + _BOX[1] + 8
    seats = [*(_RIGHT if step.sibling_is_left else _LEFT for step in steps), _MIDDLE]
    rows = join(_rung(step, seats[i], seats[i + 1], i, height) for i, step in enumerate(steps))
    reached = _box(_MIDDLE, 4 + _ROW, _("Root from this proof") if steps else _("Hash of the entry"), top, "mc-mine")
    named = _box(_MIDDLE, 4, _("Root in the block"), expected, "mc-given")
    sign = _text(
        _MIDDLE + _BOX[0] / 2, 4 + (_BOX[1] + _ROW) / 2 + 8, "=" if holds else "\N{NOT EQUAL TO}", "mc-sign", "middle"
    )
    said = (
        _("the entry leads to the root in the block")
        if holds
        else _("the entry does not lead to the root in the block")
    )
    class_ = "mc-merkle" + ("" if holds else " mc-broken")
    return _figure(title, _svg(f"{title}: {said}", 360, height, rows, reached, sign, named, class_=class_))


def _rung(step: Climb, seat: int, above: int, level: int, height: float) -> Safe:
    """Draw both hashes of one level, and the lines that lead from them to the hash above."""
    y = int(height) - 4 - _BOX[1] - _ROW * level
    other = _LEFT + _RIGHT - seat
    words = _("Hash of the entry") if level == 0 else _("Hash of both below")
    lines = (_rise(other, above, y, "mc-given"), _rise(seat, above, y, "mc-mine"))
    return join(
        *lines,
        _box(seat, y, words, step.mine, "mc-mine"),
        _box(other, y, _("Given by the proof"), step.sibling, "mc-given"),
    )


def _rise(seat: int, above: int, y: int, class_: str) -> Safe:
    half, gap = _BOX[0] // 2, _ROW - _BOX[1]
    return tag("path", d=f"M{seat + half},{y}v{-gap // 2}H{above + half}v{-gap // 2}", class_=f"mc-rise {class_}")


def _box(x: int, y: int, words: str, digest: bytes, class_: str) -> Safe:
    rect = tag("rect", x=x, y=y, width=_BOX[0], height=_BOX[1], rx=9)
    centre = x + _BOX[0] / 2
    lines = (
        _text(centre, y + 19, words, "mc-what", "middle"),
        _text(centre, y + 36, short(digest), "mc-hash", "middle"),
    )
    return tag("g", rect, *lines, class_=class_)
