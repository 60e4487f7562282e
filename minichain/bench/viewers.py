"""How fast pages answer when many people look at once: real kernels, real pages, clicks over the pages' own sockets.

Each viewer opens a page as a browser does, fetches the state of its widgets, and presses buttons again and again, after
a while that chance decides. A click is answered when the kernel has done all of its work and sent every change.
What a browser needs to show it is not in the figure: that is done on the viewers' own computers.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from random import Random
from subprocess import DEVNULL
from typing import Any, Final
from uuid import uuid4

import psutil
from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import WebSocketClientConnection, websocket_connect

from minichain.bench.timing import share
from minichain.errors import NetworkError, TimedOut
from minichain.live import dashboards, supervisor

CLICKS: Final = {  # app -> the buttons that are pressed in turn, so that each press changes something
    "need_a_chain": ("Yes", "No"),
    "sharding_lab": ("Draw once",),
    "crossings": ("Next step", "Back"),
}
EVERY_S: Final = 3.0  # a viewer clicks so often on average
TARGET_S: Final = 1.0
OPENING_S: Final = 240.0
ANSWER_S: Final = 60.0
ORPHAN_S: Final = 120.0
CONTROL: Final = "jupyter.widget.control"
_KERNEL: Final = re.compile(r'"kernelId": ?"([0-9a-f-]{36})"')


@dataclass
class Viewer:
    """One person with one page; `waited_s` are the seconds until each click was answered."""

    app: str
    url: str
    chance: Random
    opened_s: float = 0.0
    waited_s: list[float] = field(default_factory=list)
    buttons: dict[str, str] = field(default_factory=dict)  # what stands on it -> its model

    async def open(self) -> None:
        """Open the page, as a browser would, and find the button."""
        began = time.monotonic()
        page = f"{self.url}voila/render/{self.app}.ipynb?lang=en"
        answer = await AsyncHTTPClient().fetch(page, request_timeout=OPENING_S)
        found = _KERNEL.search(answer.body.decode())
        if not found:
            raise NetworkError(f"the page {self.app} has no kernel: look at it in a browser")
        socket = f"{self.url.replace('http', 'ws', 1)}api/kernels/{found[1]}/channels"
        self._socket: WebSocketClientConnection = await websocket_connect(socket, max_message_size=1 << 28)
        for model, one in (await self._states()).items():
            self._learn(model, one["state"])
        self.opened_s = time.monotonic() - began

    async def _states(self) -> dict[str, Any]:
        """Ask for the state of all widgets, which is what a page does first."""
        comm = uuid4().hex
        await self._ask("comm_open", {"comm_id": comm, "target_name": CONTROL, "data": {}}, {"version": "1.0.0"})
        heard = await self._ask("comm_msg", {"comm_id": comm, "data": {"method": "request_states"}})
        for message in heard:
            data = message["content"].get("data", {})
            if message["msg_type"] == "comm_msg" and data.get("method") == "update_states":
                states: dict[str, Any] = data["states"]
                return states
        raise NetworkError(f"the kernel of {self.app} does not tell its widgets")

    def _learn(self, model: str, state: dict[str, Any]) -> None:
        if state.get("_model_name") == "ButtonModel":
            self.buttons[state["description"]] = model

    async def click(self) -> None:
        """Press the next button, and wait until everything that follows from it has arrived."""
        words = CLICKS[self.app][len(self.waited_s) % len(CLICKS[self.app])]
        if words not in self.buttons:
            raise NetworkError(f"the page {self.app} has no button {words!r}: bench.viewers names those that it has")
        began = time.monotonic()
        data = {"method": "custom", "content": {"event": "click"}}
        await self._ask("comm_msg", {"comm_id": self.buttons[words], "data": data})
        self.waited_s.append(time.monotonic() - began)

    async def look(self, seconds: float) -> None:
        """Click now and then for a while."""
        end = time.monotonic() + seconds
        while (pause := self.chance.uniform(0, 2 * EVERY_S)) < end - time.monotonic():
            await asyncio.sleep(pause)
            await self.click()

    def leave(self) -> None:
        """Close the page."""
        if hasattr(self, "_socket"):
            self._socket.close()

    async def _ask(self, kind: str, content: dict[str, Any], metadata: dict[str, Any] | None = None) -> list[Any]:
        """Send a message, and return what comes until the kernel is done with it."""
        name = uuid4().hex
        header = {"msg_id": name, "msg_type": kind, "username": "", "session": name, "date": "", "version": "5.3"}
        whole = {"header": header, "parent_header": {}, "metadata": metadata or {}, "content": content}
        await self._socket.write_message(json.dumps({**whole, "channel": "shell", "buffers": []}))
        return [message async for message in self._heard(name)]

    async def _heard(self, name: str) -> Any:
        while True:
            raw = await asyncio.wait_for(self._socket.read_message(), ANSWER_S)
            if raw is None:
                raise NetworkError(f"the page {self.app} lost its kernel")
            message = json.loads(raw) if isinstance(raw, str) else _decoded(raw)
            if message["parent_header"].get("msg_id") != name:
                continue
            if message["msg_type"] == "comm_open":  # the page is given another button in place of one
                self._learn(message["content"]["comm_id"], message["content"]["data"].get("state", {}))
            yield message
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return


def _decoded(raw: bytes) -> Any:
    """Read a message that carries buffers: a count, the offsets, and then the JSON before them."""
    offsets = [int.from_bytes(raw[at : at + 4]) for at in range(4, 4 + 4 * int.from_bytes(raw[:4]), 4)]
    return json.loads(raw[offsets[0] : offsets[1] if len(offsets) > 1 else None])


def viewers(viewers: int = 30, seconds: int = 30) -> dict[str, Any]:
    """Let so many people look at once, each with a kernel of their own, and measure how long clicks wait."""
    load = psutil.getloadavg()[0]  # of what else this machine does
    with dashboards.start(
        supervisor.apps(), log=DEVNULL, orphan_timeout_s=ORPHAN_S, most_viewers=viewers, environment={}
    ) as server:
        everybody = [
            Viewer(app, server.url, Random(number)) for number, app in enumerate(islice(cycle(CLICKS), viewers))
        ]
        began = time.monotonic()
        usage, busy = asyncio.run(_watch(everybody, seconds, server.process.pid))
    waits = [wait for viewer in everybody for wait in viewer.waited_s[1:-1]]
    together = [viewer.waited_s[-1] for viewer in everybody]
    return _told(everybody, waits, together, usage, busy, load) | {"seconds": round(time.monotonic() - began)}


async def _watch(everybody: list[Viewer], seconds: int, pid: int) -> tuple[int, float]:
    AsyncHTTPClient.configure(None, max_clients=len(everybody), max_body_size=1 << 28)
    try:
        await asyncio.wait_for(asyncio.gather(*(viewer.open() for viewer in everybody)), OPENING_S)
        await asyncio.gather(*(viewer.click() for viewer in everybody))  # the first click warms up
        psutil.cpu_percent()
        await asyncio.gather(*(viewer.look(seconds) for viewer in everybody))
        busy = psutil.cpu_percent()
        usage = sum(_memory(pid))
        await asyncio.gather(*(viewer.click() for viewer in everybody))
    except TimeoutError:
        raise TimedOut(f"not all pages were there after {OPENING_S:.0f} s: begin with fewer viewers") from None
    finally:
        for viewer in everybody:
            viewer.leave()
    return usage, busy


def _memory(pid: int) -> Iterator[int]:
    parent = psutil.Process(pid)
    for process in [parent, *parent.children(recursive=True)]:
        yield process.memory_info().rss


def _told(
    everybody: list[Viewer], waits: list[float], together: list[float], usage: int, busy: float, load: float
) -> dict[str, Any]:
    opened = sorted(viewer.opened_s for viewer in everybody)
    p95 = round(1_000 * share(waits, 95))
    return {
        "viewers": len(everybody),
        "clicks": len(waits),
        "click_p50_ms": round(1_000 * share(waits, 50)),
        "click_p95_ms": p95,
        "click_max_ms": round(1_000 * max(waits)),
        "all_at_once_p95_ms": round(1_000 * share(together, 95)),
        "opened_first_s": round(opened[0], 1),
        "opened_last_s": round(opened[-1], 1),
        "memory_mb": round(usage / 1e6),
        "busy_percent": round(busy),
        "load_before": round(load, 1),
        "cores": os.cpu_count(),
        "target_p95_ms": round(1_000 * TARGET_S),
        "passed": p95 <= 1_000 * TARGET_S,
        "formula": "from the message that says click to the kernel's idle after it, of every click but the first; each "
        f"viewer clicks every {EVERY_S:.0f} s on average, on {', '.join(CLICKS)}",
    }
