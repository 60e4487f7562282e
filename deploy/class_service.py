"""The class of a hub, as a service of it: one network with its desk, begun once and gone with the hub.

python class_service.py HOME NAMES      who is in the file NAMES comes in without asking
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from minichain.live import supervisor
from minichain.live.home import Home

START = "from minichain.cli import main; main()"
LOOK_S = 0.5


def main(home: Path, names: Path) -> None:
    """Start the class, or go on with one that runs, until told to stop or the hub is gone."""
    hub, told = os.getppid(), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    options = ["--home", str(home), "--list", str(names), "--no-dashboards", "--json"]
    subprocess.run(  # what it says has the token in it, and is not for the log of the hub
        [sys.executable, "-c", START, "class", "start", *options], check=True, stdout=subprocess.DEVNULL
    )
    place = Home(home)
    while not told.wait(LOOK_S) and os.getppid() == hub and place.find():
        pass
    if running := place.find():
        supervisor.ask_to_stop(place, running)
        supervisor.stop(place, running)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
