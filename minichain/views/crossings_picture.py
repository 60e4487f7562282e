"""The picture of the crossing timeline: a lane for each chain, and one for whoever carries; what went where, and when.

Each step has a column of its own, however little time lies between, and its time under it. What a colour says, the
shape of a mark says too. It is drawn twice, lying and standing, and the style sheet shows the one that fits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from minichain.views import crossings_words as words
from minichain.views.crossings_model import state_of
from minichain.views.i18n import _
from minichain.views.markup import Safe, join, tag

R: Final = 11.0
FOLLOWS: Final = frozenset(
    {"followed", "headers", "answered", "handover", "forked"}
)  # headers, and nothing else, cross
OFF: Final = {"offline": "replacing", "paused": "resumed", "cut": "replaced"}  # what stands still until then


class Paper(NamedTuple):
    """How a drawing lies: time runs `along`, lanes lie beside each other `across`."""

    first: float  # of the first column
    step: float
    lane: float  # from one lane to the next
    edge: float  # of the first lane
    standing: bool

    def at(self, along: float, across: float) -> tuple[float, float]:
        return (across, along) if self.standing else (along, across)

    def column(self, place: float) -> float:
        return self.first + self.step * place

    def row(self, lane: int) -> float:
        return self.edge + self.lane * lane


def picture(story: Any, position: int) -> Safe:
    """Draw a story up to a step."""
    count, lanes = len(story.steps), len(story.lanes)
    lying = Paper(206, min(140.0, 730 / max(1, count - 1)), 82, 50, standing=False)
    standing = Paper(92, 58, 270 / max(1, lanes - 1), 66, standing=True)
    drawings = (_draw(story, position, paper) for paper in (lying, standing))
    return tag("figure", *drawings, legend(story), class_="mc-figure mc-crossing")


def _draw(story: Any, position: int, paper: Paper) -> Safe:
    steps, lanes = story.steps, {lane: place for place, lane in enumerate(story.lanes)}
    end = paper.column(len(steps) - 1) + 42
    width, height = (360, end) if paper.standing else (max(end, 980), paper.row(len(lanes) - 1) + 74)
    done = steps[: position + 1]
    content = (
        _now(steps[position], position, len(lanes), paper),
        join(_lane(lane, place, end, paper) for lane, place in lanes.items()),
        join(_still(story, position, lanes, paper)),
        join(_arrow(step, place, lanes, paper) for place, step in enumerate(done) if step.came),
        join(_mark(step, place, lanes, paper, is_now=place == position) for place, step in enumerate(done)),
        join(_times(steps, position, len(lanes), paper)),
    )
    label = _("Step {number} of {count}: {title}").format(
        number=position + 1, count=len(steps), title=words.title(steps[position])
    )
    class_ = "mc-narrow" if paper.standing else "mc-wide"
    box = f"0 0 {width:g} {height:g}"
    return tag("svg", *content, class_=f"mc-svg {class_}", viewBox=box, role="img", aria_label=label)


def _lane(lane: str, place: int, end: float, paper: Paper) -> Safe:
    row = paper.row(place)
    (x, y), (x2, y2) = paper.at(paper.column(0) - 24, row), paper.at(end - 18, row)
    is_relayer = lane == "relayer"
    line = tag("path", d=f"M{x:g} {y:g}L{x2:g} {y2:g}", class_="mc-lane mc-carrier" if is_relayer else "mc-lane")
    name = words.lane(lane)
    if paper.standing:
        dy = 18 if place % 2 == 0 else 38  # neighbours would run into each other
        return join(line, _text(row, dy, name, "mc-lane-name", "middle"), _stem(row, dy, paper))
    return join(line, _text(8, row + 5, name, "mc-lane-name"))


def _stem(row: float, dy: float, paper: Paper) -> Safe:
    return tag("path", d=f"M{row:g} {dy + 6:g}V{paper.column(0) - 26:g}", class_="mc-stem")


def _text(x: float, y: float, said: str, class_: str, anchor: str = "start") -> Safe:
    return tag("text", said, x=round(x, 1), y=round(y, 1), class_=class_, text_anchor=anchor)


def _now(step: Any, position: int, lanes: int, paper: Paper) -> Safe:
    """Shade the column of the step one looks at."""
    half = min(paper.step, 60) / 2 - 2
    along, across = paper.column(position) - half, paper.row(0) - 30
    x, y = paper.at(along, across)
    wide, high = paper.at(2 * half, paper.row(lanes - 1) - paper.row(0) + 60)
    return tag("rect", x=round(x, 1), y=round(y, 1), width=round(wide, 1), height=round(high, 1), rx=8, class_="mc-now")


def _still(story: Any, position: int, lanes: dict[str, int], paper: Paper) -> Iterator[Safe]:
    """Draw where a lane stands still, up to the step one looks at."""
    for place, step in enumerate(story.steps[: position + 1]):
        if step.kind not in OFF:
            continue
        kinds = [one.kind for one in story.steps]
        until = kinds.index(OFF[step.kind], place) if OFF[step.kind] in kinds[place:] else position
        (x, y), (x2, y2) = (
            paper.at(paper.column(at), paper.row(lanes[step.lane])) for at in (place, min(until, position))
        )
        yield tag("path", d=f"M{x:g} {y:g}L{x2:g} {y2:g}", class_="mc-still")


def _arrow(step: Any, place: int, lanes: dict[str, int], paper: Paper) -> Safe:
    """Draw what came from another lane, up to the edge of its mark, and where a relayer had it."""
    start, end, state = lanes[step.came], lanes[step.lane], state_of(step)
    tail = paper.column(place) - min(paper.step * 0.62, 46), paper.row(start)
    head = paper.column(place), paper.row(end)
    length = ((head[0] - tail[0]) ** 2 + (head[1] - tail[1]) ** 2) ** 0.5
    back = (R + 5) / length
    tip = head[0] - (head[0] - tail[0]) * back, head[1] - (head[1] - tail[1]) * back
    (x, y), (x2, y2) = paper.at(*tail), paper.at(*tip)
    line = tag("path", d=f"M{x:.1f} {y:.1f}L{x2:.1f} {y2:.1f}", class_=f"mc-arrow mc-{state}")
    return join(line, _head(tail, tip, paper, state), _carrier(tail, head, lanes, (start, end), paper, state))


def _head(tail: tuple[float, float], tip: tuple[float, float], paper: Paper, state: str) -> Safe:
    length = ((tip[0] - tail[0]) ** 2 + (tip[1] - tail[1]) ** 2) ** 0.5
    ux, uy = (tip[0] - tail[0]) / length, (tip[1] - tail[1]) / length
    corners = [tip, *((tip[0] - 10 * ux - side * 5 * uy, tip[1] - 10 * uy + side * 5 * ux) for side in (1, -1))]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (paper.at(*corner) for corner in corners))
    return tag("polygon", points=points, class_=f"mc-tip mc-{state}")


def _carrier(
    tail: tuple[float, float],
    head: tuple[float, float],
    lanes: dict[str, int],
    ends: tuple[int, int],
    paper: Paper,
    state: str,
) -> Safe:
    between = lanes.get("relayer", -1)
    if not min(ends) < between < max(ends):
        return Safe("")
    part = (paper.row(between) - tail[1]) / (head[1] - tail[1])
    x, y = paper.at(tail[0] + part * (head[0] - tail[0]), paper.row(between))
    return tag("circle", cx=round(x, 1), cy=round(y, 1), r=4.5, class_=f"mc-hand mc-{state}")


# --- marks -------------------------------------------------------------------------------------------------------

_SHAPES: Final = {
    "plain": f"M-{R} 0a{R} {R} 0 1 0 {2 * R} 0a{R} {R} 0 1 0 -{2 * R} 0z",
    "ok": f"M-{R} 0a{R} {R} 0 1 0 {2 * R} 0a{R} {R} 0 1 0 -{2 * R} 0z",
    "block": "M-10 -10H10V10H-10z",
    "info": "M0 -13L13 0L0 13L-13 0z",
    "bad": "M-13 -7L-7 -13L0 -6L7 -13L13 -7L6 0L13 7L7 13L0 6L-7 13L-13 7L-6 0z",
    "warn": "M0 -13L13 10H-13z",
    "back": "M-13 0L4 -12V-5H12V5H4V12z",
    "harm": "M0 -14L4 -4.5L14 -4.5L6 2L9 12.5L0 6.5L-9 12.5L-6 2L-14 -4.5L-4 -4.5z",
}


def shape_of(step: Any) -> str:
    """Return which shape stands for a step."""
    state = state_of(step)
    return "block" if step.kind == "final" else "info" if step.kind in FOLLOWS and state == "info" else state


def _mark(step: Any, place: int, lanes: dict[str, int], paper: Paper, *, is_now: bool) -> Safe:
    x, y = paper.at(paper.column(place), paper.row(lanes[step.lane]))
    name = tag("title", f"{place + 1}. {words.title(step)}")
    shape = shape_of(step)
    number = _text(0, 4, str(place + 1), "mc-number", "middle") if shape in ("plain", "ok", "block", "info") else None
    class_ = f"mc-cross-mark mc-{shape}" + (" mc-here" if is_now else "")
    return tag("g", name, tag("path", d=_SHAPES[shape]), number, class_=class_, transform=f"translate({x:g} {y:g})")


def _times(steps: Sequence[Any], position: int, lanes: int, paper: Paper) -> Iterator[Safe]:
    for place, step in enumerate(steps):
        class_ = "mc-when" if place <= position else "mc-when mc-later"
        if paper.standing:
            yield _text(4, paper.column(place) + 4, words.seconds(step.ms), class_)
        else:
            down = paper.row(lanes - 1) + (44 if paper.step > 56 or place % 2 == 0 else 60)
            yield _text(paper.column(place), down, words.seconds(step.ms), class_, "middle")


def legend(story: Any) -> Safe:
    """Say what the shapes mean that this story has."""
    found = dict.fromkeys(shape_of(step) for step in story.steps)
    named = words.shapes()
    items = (tag("li", _sample(shape), tag("span", named[shape])) for shape in named if shape in found)
    return tag("ul", items, class_="mc-stage-legend")


def _sample(shape: str) -> Safe:
    mark = tag("g", tag("path", d=_SHAPES[shape]), class_=f"mc-cross-mark mc-{shape}", transform="translate(16 16)")
    return tag("svg", mark, viewBox="0 0 32 32", width=22, height=22, aria_hidden="true", class_="mc-svg")
