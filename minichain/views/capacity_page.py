"""What `minichain bench shards` has measured, as a page to read: a table, a picture of it, and what both leave out.

The page is written by the command and by nobody else, so a figure on it was measured on the machine that it names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import log2, log10
from pathlib import Path
from typing import Any, Final

from minichain.views.charts import COLOURS, FONT, INK, LINE, SHEET
from minichain.views.markup import Safe, tag

NAME: Final = "capacity"
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 720, 420, 80, 20, 150, 50
PATTERNS: Final = ("none", "8 5", "2 4", "9 4 2 4")

Column = Mapping[str, int]  # shards -> transactions a second


def write(content: Mapping[str, Any], folder: Path) -> None:
    """Write capacity.md and capacity.svg."""
    (folder / f"{NAME}.md").write_text(page(content), "utf-8", newline="\n")
    (folder / f"{NAME}.svg").write_text(picture(_columns(content)), "utf-8", newline="\n")


def _columns(content: Mapping[str, Any]) -> dict[str, Column]:
    """Return the columns of the table; what was read from JSON and what was just measured look the same."""
    return {share: {str(shards): rate for shards, rate in column.items()} for share, column in content["tps"].items()}


def page(content: Mapping[str, Any]) -> str:
    """Return the page as Markdown."""
    columns, costs = _columns(content), content["costs_us"]
    rows = ["| shards | " + " | ".join(columns) + " |", "| ---: |" + " ---: |" * len(columns)]
    for shards in next(iter(columns.values())):
        rows.append(f"| {shards} | " + " | ".join(f"{column[shards]:,}" for column in columns.values()) + " |")
    spent = [f"| {name} | {cost:,.0f} |" for name, cost in costs.items()]
    delays = ", ".join(f"{blocks:g} at {share}" for share, blocks in content["delay_blocks"].items())
    return _PAGE.format(
        machine=content["machine"],
        date=content["date"],
        members=content["members"],
        block_ms=content["block_ms"],
        table="\n".join(rows),
        efficiency=f"{content['efficiency_of_doubling']:.2f}",
        less=_less(columns),
        costs="\n".join(spent),
        delays=delays,
        receipt=f"{content['verification_us']['receipt']:.0f}",
        certificate=f"{content['verification_us']['with_certificate']:.0f}",
        played=_played(content),
        formula=content["formula"].replace("; ", "\n- "),
    )


def _less(columns: Mapping[str, Column]) -> str:
    """Say where two shards carry less than one."""
    found = [share for share, column in columns.items() if column["2"] < column["1"]]
    if not found:
        return "Two shards carry more than one, whatever crosses."
    return f"Two shards carry less than one at {', '.join(found)}: what crosses costs several times as much."


def _played(content: Mapping[str, Any]) -> str:
    """Say how well blocks that were played agree with the formula."""
    name = next(name for name in content if name.startswith("played_with_"))
    ratios = [one["of_formula"] for one in content[name].values()]
    shards = name.split("_")[2]
    return (
        f"{shards} shards, played block by block, carry {min(ratios):.2f} to {max(ratios):.2f} of the formula's rate."
    )


_PAGE: Final = """# What shards carry

Written by `minichain bench shards --page docs`. Measured: {machine}; {date}. Each shard has {members} validators and
makes a block every {block_ms} ms. **Transactions a second, all shards together, by the share that goes to another
shard** (counted once, when it is settled):

{table}

![The table as a picture](capacity.svg)

Where nothing crosses, twice the shards carry {efficiency} of twice as much at every doubling: such shards have nothing
to do with each other, so this says that the accounting is right, and not that sharding is easy. {less}

The mean time until a transfer is final where it takes effect, in block times: {delays}.

## Where the figures come from

Nobody ran 64 shards for this. What a validator needs for each step was measured, and multiplied out:

| step | µs |
| --- | ---: |
{costs}

A receipt of another shard is checked in {receipt} µs against a followed header, and in {certificate} µs with the
certificate. {played} In the words of the command:

- {formula}

What is left out: wires and disks, the relayers' own machines, shards that are not equally busy, and the chance that a
committee is captured, which grows with the number of shards (`notebooks/11-sharding.ipynb`).
"""


# --- the picture -------------------------------------------------------------------------------------------------


def picture(columns: Mapping[str, Column]) -> Safe:
    """Draw a line for each share that crosses, both axes logarithmic."""
    rates = [rate for column in columns.values() for rate in column.values()]
    scale = _Scale([int(shards) for shards in next(iter(columns.values()))], min(rates), max(rates))
    drawn = [line for place, one in enumerate(columns.items()) for line in _drawn(scale, place, *one)]
    ground = tag("rect", width=WIDTH, height=HEIGHT, fill=SHEET)
    title = tag("title", "Transactions a second by number of shards, a line for each share that crosses")
    look: dict[str, str | int] = {"role": "img", "font_family": FONT, "font_size": 13, "fill": INK}
    space, box = "http://www.w3.org/2000/svg", f"0 0 {WIDTH} {HEIGHT}"
    return tag("svg", title, ground, *scale.axes(), *drawn, xmlns=space, viewBox=box, **look)


class _Scale:
    """Where a number of shards and a rate lie on the paper."""

    def __init__(self, shards: list[int], least: int, most: int) -> None:
        self._shards, self._low, self._high = shards, int(log10(least)), int(log10(most)) + 1

    def x(self, shards: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * log2(shards) / log2(self._shards[-1])

    def y(self, rate: int) -> float:
        share = (log10(rate) - self._low) / (self._high - self._low)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    def axes(self) -> Iterator[Safe]:
        for power in range(self._low, self._high + 1):
            y = self.y(10**power)
            yield tag("path", d=f"M{LEFT} {y:.1f}H{WIDTH - RIGHT}", stroke=LINE)
            yield tag("text", f"{10**power:,}", x=LEFT - 8, y=f"{y + 4:.1f}", text_anchor="end")
        for shards in self._shards:
            yield tag("text", shards, x=f"{self.x(shards):.1f}", y=HEIGHT - BOTTOM + 20, text_anchor="middle")
        middle = (LEFT + WIDTH - RIGHT) / 2
        yield tag("text", "shards", x=f"{middle:.1f}", y=HEIGHT - 8, text_anchor="middle")


def _drawn(scale: _Scale, place: int, share: str, column: Column) -> Iterator[Safe]:
    points = [f"{scale.x(int(shards)):.1f},{scale.y(rate):.1f}" for shards, rate in column.items()]
    look: dict[str, str | float] = {
        "fill": "none",
        "stroke": COLOURS[place],
        "stroke_width": 2.5,
        "stroke_dasharray": PATTERNS[place],
    }
    yield tag("polyline", points=" ".join(points), **look)
    x, y = points[-1].split(",")
    yield tag("text", share, x=f"{float(x) + 8:.1f}", y=f"{float(y) + 4:.1f}", fill=COLOURS[place])
