"""Plotly figures on a page. Its program is 5 MB, so a page gets it once, from its own kernel, when a chart is shown."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import anywidget
import plotly
import plotly.graph_objects as go
from traitlets import Bool, Unicode

from minichain.views.moving import script

# How the house draws: its colours, its paper and its type.
ACCENT, INFO, BAD, WARN, SOFT, INK = "#0b6e5f", "#27507d", "#a3221c", "#7a4a00", "#4f5d5a", "#16211f"
LINE, SHEET = "#e1e6e3", "#ffffff"
COLOURS: Final = (ACCENT, INFO, BAD, WARN, "#6a3d9a", SOFT, "#9b2d6f")
FONT: Final = 'Inter, "Segoe UI", "Noto Sans", Arial, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif'


@cache
def _program() -> bytes:
    return (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_bytes()


class Chart(anywidget.AnyWidget):  # type: ignore[misc]
    """Shows one figure. A screen reader says its title; with `has_caption`, it stands above, where it can wrap."""

    _esm = script("chart.js")
    plot = Unicode("").tag(sync=True)
    label = Unicode("").tag(sync=True)
    has_caption = Bool(False).tag(sync=True)

    def __init__(self, figure: go.Figure, *, has_caption: bool = False) -> None:
        super().__init__(has_caption=has_caption)
        self.show(figure)
        self.on_msg(self._asked)

    def _asked(self, _widget: Any, _content: Any, _buffers: Any) -> None:
        self.send({"answer": "program"}, buffers=[_program()])

    def show(self, figure: go.Figure) -> None:
        """Show another figure in its place."""
        plot = json.loads(figure.to_json())
        title = plot["layout"].pop("title", {}).get("text", "")
        plot["layout"].pop("template", None)  # ours says all that is to be said
        plot["layout"]["margin"]["t"] = 12
        with self.hold_sync():
            self.plot, self.label = json.dumps(plot), title
