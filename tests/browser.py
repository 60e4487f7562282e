"""One headless browser for tests: found, never downloaded; every request it makes is written down.

Set MINICHAIN_CHROMIUM to name it. Without one, browser tests are skipped, unless MINICHAIN_REQUIRE_BROWSER=1 says that
they must run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from minichain.client.attached import AttachedWorld
from minichain.live import dashboards, supervisor
from minichain.live.home import VARIABLE, Home

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge", "microsoft-edge")
ADVICE = (
    "no browser: install Chromium (Debian: apt-get install chromium), Chrome or Edge, "
    "or name one in the environment variable MINICHAIN_CHROMIUM"
)
NAMELESS = """[...document.querySelectorAll('button, a[href], input, select, [role=slider], [role=tab]')]
    .filter(e => e.checkVisibility() && !(e.innerText?.trim() || e.getAttribute('aria-label')
        || e.labels?.length && e.labels[0].innerText.trim()))
    .map(e => e.outerHTML)"""
PATIENCE_MS = 180_000  # a machine that is busy is late, and not wrong
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_browser() -> str | None:
    """Return the path of a browser, or None."""
    named = os.environ.get("MINICHAIN_CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


def require_browser() -> str:
    """Return the path of a browser; without one, skip the test or fail it as the environment says."""
    if path := find_browser():
        return path
    if os.environ.get("MINICHAIN_REQUIRE_BROWSER") == "1":
        pytest.fail(f"MINICHAIN_REQUIRE_BROWSER=1, but {ADVICE}")
    pytest.skip(ADVICE)


@dataclass
class Visit:
    """A page with a record of what it asked for and what went wrong in it."""

    page: Any
    hosts: set[str] = field(default_factory=set)
    trouble: list[str] = field(default_factory=list)

    def width(self) -> int:
        """Measure how wide the page is, scrolling included."""
        return int(self.page.evaluate("document.documentElement.scrollWidth"))

    def outside(self) -> set[str]:
        """Return the hosts other than this computer that the page asked for anything."""
        return {host for host in self.hosts if host and host.partition(":")[0] != "127.0.0.1"}

    def nameless(self) -> list[str]:
        """Return the visible controls that have no name a screen reader could say."""
        return list(self.page.evaluate(NAMELESS))


@contextmanager
def open_browser() -> Iterator[Any]:
    """Run a browser."""
    path = require_browser()
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415 - only where there is a browser to drive

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(browser: Any, width: int = 1280, height: int = 720, locale: str = "en-GB") -> Iterator[Visit]:
    """Open an empty page of its own, as a visitor with no cookies and no cache would."""
    context = browser.new_context(viewport={"width": width, "height": height}, locale=locale)
    context.set_default_timeout(PATIENCE_MS)
    record = Visit(context.new_page())
    record.page.on("request", lambda request: record.hosts.add(urlsplit(request.url).netloc))
    record.page.on("websocket", lambda socket: record.hosts.add(urlsplit(socket.url).netloc))
    record.page.on("pageerror", lambda error: record.trouble.append(str(error)))
    record.page.on("console", lambda line: record.trouble.append(line.text) if "Security Policy" in line.text else None)
    try:
        yield record
    except Exception as error:
        error.add_note(f"The page then said:\n{record.page.inner_text('body')}")
        raise
    finally:
        context.close()


def press(page: Any, words: str) -> None:
    """Press the first button whose words begin so: "Erase" is not "Have it erased"."""
    page.locator("button:visible", has_text=re.compile(rf"^\s*{re.escape(words)}")).first.click()


def write(page: Any, field: str, text: str) -> None:
    """Write into a field and leave it; once more where it was drawn anew between the two."""
    for _ in range(3):
        page.get_by_label(field).fill(text)
        page.get_by_label(field).press("Tab")
        if page.get_by_label(field).input_value() == text:
            return
    raise AssertionError(f"{field!r} does not keep {text!r}")


@dataclass(frozen=True)
class Running:
    """A network of processes with the dashboards of this checkout, as `minichain up` runs them."""

    home: Path
    url: str

    def open(self, seen: Visit, app: str, query: str = "?lang=en") -> Any:
        """Open an app and wait until it follows the network; returns its page."""
        seen.page.goto(f"{self.url}voila/render/{app}.ipynb{query}")
        seen.page.wait_for_selector('.mc-pulse[data-state="live"]')
        return seen.page

    def stop_network(self) -> None:
        """Stop the validators; the dashboards stay."""
        place = Home(self.home)
        running = place.require()
        AttachedWorld(place).stop()
        supervisor.stop(place, running)

    def start_network(self) -> None:
        """Start the validators, on the chain that is there."""
        supervisor.spawn(Home(self.home), no_dashboards=True)


@contextmanager
def running_network(home: Path) -> Iterator[Running]:
    """Run a network of four validators, and beside it a dashboard server that survives it."""
    supervisor.spawn(Home(home), no_dashboards=True, validators=4)
    try:
        environment = {VARIABLE: str(home)}
        with dashboards.start(supervisor.apps(), log=subprocess.DEVNULL, environment=environment) as server:
            yield Running(home, server.url)
    finally:
        if Home(home).find():
            Running(home, "").stop_network()
