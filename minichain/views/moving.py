"""Pictures that move: small SVG widgets without a library, fed with short lists.

The scripts in esm/ make every element through dom.js, which takes text as text. Words and formatted numbers are made
here, in the viewer's language; the scripts only place them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import anywidget
from traitlets import Bool, Dict, Int, List, Unicode, validate

from minichain.views.i18n import _, clock, ngettext, number, short
from minichain.views.icons import PATHS
from minichain.views.markup import clean
from minichain.views.models import BlockCard, NodeCard
from minichain.views.parts import State
from minichain.views.polling import LiveLoop

_ESM: Final = Path(__file__).with_name("esm")
_STATE_PATHS: Final = {
    "ok": PATHS["check"],
    "warn": PATHS["warn"],
    "bad": PATHS["cross"],
    "info": PATHS["info"],
    "plain": PATHS["dot"],
}


def script(name: str) -> str:
    return "\n".join((_ESM / part).read_text("utf-8") for part in ("dom.js", name))


class Pulse(anywidget.AnyWidget):  # type: ignore[misc]
    """The badge that says whether what you see is live, and the bar that says when it is not.

    The page asks once a second; the first question calls `opened`, which is where a page starts its `LiveLoop`.
    """

    _esm = script("pulse.js")
    state = Unicode("").tag(sync=True)  # "" shows no badge: the page has no network behind it
    notice = Unicode("").tag(sync=True)
    words = Dict().tag(sync=True)

    def __init__(self, opened: Callable[[], None] = lambda: None) -> None:
        super().__init__(words=_pulse_words())
        self._opened = opened
        self.add_class("mc-pulse-home")
        self.on_msg(self._asked)

    def _asked(self, _widget: Any, _content: Any, _buffers: Any) -> None:
        self._opened()
        self.send({"answer": True})

    def follow(self, live: LiveLoop[Any, Any]) -> None:
        """Show what a `LiveLoop` knows about the network."""
        live.observe(lambda change: self._turn(change.old, change.new), "state")
        self.state = live.state

    def _turn(self, before: str, now: str) -> None:
        lost = _("The network is not answering. You see the last state it told us; this page goes on by itself.")
        with self.hold_sync():
            self.state, self.notice = now, lost if (before, now) == ("live", "lost") else ""


def _pulse_words() -> Mapping[str, str]:
    return {
        "waiting": _("Connecting…"),
        "live": _("Live"),
        "lost": _("No answer"),
        "gone": _("Disconnected"),
        "goneNotice": _(
            "This page has lost its connection. It goes on by itself if the connection comes back; otherwise reload it."
        ),
        "reload": _("Reload"),
    }


class NodeRing(anywidget.AnyWidget):  # type: ignore[misc]
    """Validators on a ring with their heights and states; `selected` is the index of the chosen one, or -1."""

    _esm = script("ring.js")
    nodes: Any = List().tag(sync=True)
    centre = Dict().tag(sync=True)
    selected = Int(-1).tag(sync=True)
    label = Unicode("").tag(sync=True)
    icons = Dict(_STATE_PATHS).tag(sync=True)

    def __init__(self, label: str = "") -> None:
        super().__init__(label=label or _("Validators"))

    def show(self, nodes: Sequence[NodeCard], value: str = "", caption: str = "") -> None:
        """Show these nodes, and one figure in the middle of the ring."""
        with self.hold_sync():
            self.nodes = [_node(node) for node in nodes]
            self.centre = {"value": value, "label": caption}


def _node(node: NodeCard) -> dict[str, str]:
    return {"name": clean(node.name), "height": number(node.height), "state": node.state, "word": node.word}


class BlockStrip(anywidget.AnyWidget):  # type: ignore[misc]
    """The last blocks as linked cards; `selected` is the height of the chosen one, or -1."""

    _esm = script("strip.js")
    blocks: Any = List().tag(sync=True)
    selected = Int(-1).tag(sync=True)
    label = Unicode("").tag(sync=True)
    words = Dict().tag(sync=True)
    icons = Dict({**_STATE_PATHS, "chain": PATHS["chain"]}).tag(sync=True)

    def __init__(self, label: str = "") -> None:
        super().__init__(
            label=label or _("Last blocks"),
            words={"empty": _("No block yet. The first one comes with the first entry.")},
        )

    def show(self, blocks: Sequence[BlockCard]) -> None:
        """Show these blocks, lowest first."""
        self.blocks = [_block(block) for block in blocks]


def seal(block: BlockCard) -> str:
    """Say what stands behind a block."""
    if block.tries:
        return _("about {tries} tries").format(tries=number(block.tries))
    return _("{signed} of {members} signed").format(signed=block.signed, members=block.members)


def _block(block: BlockCard) -> dict[str, str | int]:
    return {
        "height": block.height,
        "title": number(block.height),
        "time": clock(block.time_ms),
        "txs": block.txs,
        "txsText": ngettext("{count} entry", "{count} entries", block.txs).format(count=number(block.txs)),
        "by": clean(block.proposer),
        "seal": seal(block),
        "state": "ok" if block.is_final else "warn",
        "id": short(block.id),
    }


@dataclass(frozen=True, slots=True)
class Pick:
    """One row of a `PickList`; `key` is what choosing it selects."""

    key: str
    title: str
    line: str
    state: State
    word: str


class PickList(anywidget.AnyWidget):  # type: ignore[misc]
    """A list to choose one row from; `selected` is its key, or empty."""

    _esm = script("picklist.js")
    items: Any = List().tag(sync=True)
    selected = Unicode("").tag(sync=True)
    label = Unicode("").tag(sync=True)
    empty = Unicode("").tag(sync=True)
    icons = Dict(_STATE_PATHS).tag(sync=True)

    def __init__(self, label: str, empty: str = "") -> None:
        super().__init__(label=label, empty=empty or _("Nothing yet."))

    def show(self, picks: Sequence[Pick]) -> None:
        """Show these rows."""
        self.items = [{name: clean(value) for name, value in asdict(pick).items()} for pick in picks]


class Opener(anywidget.AnyWidget):  # type: ignore[misc]
    """A button that opens a file; `take` gets its content, cut off one byte after `limit`."""

    _esm = script("opener.js")
    words = Unicode("").tag(sync=True)
    accept = Unicode("").tag(sync=True)
    limit = Int(0).tag(sync=True)

    def __init__(self, words: str, accept: str, limit: int, take: Callable[[bytes], None]) -> None:
        super().__init__(words=words, accept=accept, limit=limit)
        self.on_msg(lambda _widget, _content, buffers: take(bytes(buffers[0])))


class Stage(anywidget.AnyWidget):  # type: ignore[misc]
    """A recorded run on a ring and on lanes; `position` is the moment shown, in milliseconds, while it plays or rests.

    `run` is what `consensus_lab.staged` makes of a recording; `office` and `message` are what was clicked.
    """

    _esm = script("stage.js")
    run: Any = Dict().tag(sync=True)
    position = Int(0).tag(sync=True)
    playing = Bool(False).tag(sync=True)
    office = Unicode("").tag(sync=True)
    message = Int(-1).tag(sync=True)
    words = Dict().tag(sync=True)
    icons = Dict({name: PATHS[name] for name in ("play", "pause", "back", "next")}).tag(sync=True)

    def __init__(self, run: Mapping[str, Any]) -> None:
        super().__init__(run=run, words=_stage_words())


def _stage_words() -> Mapping[str, str]:
    return {
        "play": _("Play"),
        "pause": _("Pause"),
        "back": _("Step back"),
        "next": _("Step"),
        "speed": _("Speed"),
        "moment": _("Moment of the run"),
        "time": _("{now} of {end} s"),
        "offices": _("Offices"),
        "lanes": _("One lane for each office, time to the right. The messages are also listed below as buttons."),
        "legend": _("Kinds of messages"),
        "talk": _("Show the small talk too"),
        "off": _("off"),
        "liar": _("lies"),
        "none": _("no block yet"),
        "block": _("has block {block}"),
    }


class Slide(anywidget.AnyWidget):  # type: ignore[misc]
    """A whole number from `least` to `most`, by `step`; what the page sends outside is put at the nearer end."""

    _esm = script("slide.js")
    words = Unicode("").tag(sync=True)
    least = Int(0).tag(sync=True)
    most = Int(1).tag(sync=True)
    step = Int(1).tag(sync=True)
    value = Int(0).tag(sync=True)

    def __init__(self, words: str, least: int, most: int, step: int = 1) -> None:
        super().__init__(words=words, least=least, most=most, step=step, value=least)
        self.add_class("mc-slide-home")

    @validate("value")  # type: ignore[untyped-decorator]
    def _bound(self, proposal: Any) -> int:
        return max(self.least, min(self.most, int(proposal["value"])))
