"""A brief as PDF, printed by a browser that is installed here. Nothing is fetched: neither the browser nor a page."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from minichain.errors import UsageError
from minichain.views.i18n import _

VARIABLE: Final = "MINICHAIN_CHROMIUM"
NAMES: Final = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge"),
    *("msedge", "chrome"),
)
PLACES: Final = {
    "darwin": (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ),
    "win32": (
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
        r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    ),
}
TIMEOUT_S: Final = 60.0
FLAGS: Final = (
    *("--headless", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-pdf-header-footer"),
)


def browser() -> str | None:
    """Return the browser that prints: the one that the environment names, or one that is found."""
    if named := os.environ.get(VARIABLE):
        return named
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or next((place for place in PLACES.get(sys.platform, ()) if Path(place).exists()), None)


def pdf(document: str) -> bytes:
    """Print an HTML document; raises `UsageError` if no browser is installed or it does not print."""
    program = browser()
    if program is None:
        raise UsageError(
            _(
                "No browser that prints is installed here. Install Chromium, Chrome or Edge (on Debian: apt install "
                "chromium), or press Print and choose Save as PDF."
            )
        )
    with TemporaryDirectory(prefix="minichain-brief-") as folder:
        source, target = Path(folder, "brief.html"), Path(folder, "brief.pdf")
        source.write_text(document, "utf-8")
        alone = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()  # root has no sandbox
        profile = f"--user-data-dir={Path(folder, 'profile')}"
        command = [program, *FLAGS, *alone, profile, f"--print-to-pdf={target}", source.as_uri()]
        try:
            subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=True)
            return target.read_bytes()
        except (OSError, subprocess.SubprocessError) as error:
            raise UsageError(
                _(
                    "{program} did not print the brief. Press Print and choose Save as PDF instead, or name another "
                    "browser in the environment variable {variable}."
                ).format(program=Path(program).name, variable=VARIABLE)
            ) from error
