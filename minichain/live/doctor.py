"""Look for what keeps a network or a lesson from running, and say how to mend it. Nothing is asked of the internet."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psutil
import zmq

import minichain
from minichain.codec import Plain
from minichain.errors import UsageError
from minichain.live import arrival
from minichain.live.cluster import HOST
from minichain.live.home import Home
from minichain.live.installed import shipped
from minichain.live.resources import KERNEL_MB, VALIDATOR_MB
from minichain.live.supervisor import PORT, apps

DISK_MB: Final = 200
CLOCK_S: Final = 3600
WORDS: Final = Path(__file__).with_suffix(".toml")
SUPERVISOR: Final = "minichain.live.supervisor"
PROGRAMS: Final = (
    SUPERVISOR,
    "minichain.live.process",
    "minichain.views.server",
    "minichain.client.relaying",
    "minichain.course.classroom.server",
    "minichain.course.classroom.judge",
)


class Finding(Plain):
    """One thing that was looked at; `fix` says what to do, and is empty if all is well."""

    what: str
    found: str
    fix: str


def examine(home: Home) -> list[Finding]:
    """Return every finding, good and bad."""
    return [
        _python(),
        _curve(),
        _memory(),
        _disk(home),
        _port(home),
        _dashboards(),
        _record(home),
        _leftovers(),
        _lessons(),
        _clock(),
        _folder(home),
    ]


@cache
def words() -> Mapping[str, Mapping[str, str]]:
    """Return what is looked at, in the order of arrival codes: its name in each language, and what to do in Chinese."""
    return tomllib.loads(WORDS.read_text("utf-8"))


def told(finding: Finding, language: str) -> tuple[str, str]:
    """Return the name of a finding in a language, and what to do about it; nothing if all is well."""
    said = words()[finding.what]
    return said.get(language, said["en"]), finding.fix and said.get(f"fix_{language}", finding.fix)


def arrival_code(findings: Sequence[Finding]) -> str:
    """Return what somebody reads out to the trainer."""
    places = list(words())
    return arrival.code(minichain.__version__, [places.index(finding.what) for finding in findings if finding.fix])


def _python() -> Finding:
    found = f"Python {sys.version.split()[0]}, jupyterlab {version('jupyterlab')}, voila {version('voila')}"
    fix = "" if sys.version_info >= (3, 11) else "install Python 3.11 or later, and minichain into it"
    return Finding("programs", found, fix)


def _curve() -> Finding:
    has_curve = zmq.has("curve")
    fix = "" if has_curve else "this pyzmq cannot encrypt: run `pip install --force-reinstall pyzmq`"
    return Finding("encryption", f"ZeroMQ {zmq.zmq_version()}, CURVE {'yes' if has_curve else 'no'}", fix)


def _memory() -> Finding:
    free = psutil.virtual_memory().available // 10**6
    need = 4 * VALIDATOR_MB + KERNEL_MB
    fix = "" if free >= need else f"close other programs: four validators and one dashboard need about {need} MB"
    return Finding("memory", f"{free} MB free", fix)


def _disk(home: Home) -> Finding:
    place = next(path for path in (home.path, *home.path.parents) if path.exists())
    free = shutil.disk_usage(place).free // 10**6
    fix = "" if free >= DISK_MB else f"make room: a course needs about {DISK_MB} MB, or use `--home` on another disk"
    return Finding("disk", f"{free} MB free in {place}", fix)


def _port(home: Home) -> Finding:
    running = home.find()
    if running and running.dashboards:
        return Finding("port", f"the dashboards are at {running.dashboards}", "")
    with socket.socket() as probe:
        is_free = probe.connect_ex((HOST, PORT)) != 0
    used = "used by another program: `minichain up` takes another one, or the one you name with `--port`"
    return Finding("port", f"{PORT} is {'free' if is_free else used}", "")


def _dashboards() -> Finding:
    notebooks = sorted(path.stem for path in apps().glob("*.ipynb"))
    fix = "" if notebooks else "install minichain again: its dashboards are missing"
    return Finding("dashboards", ", ".join(notebooks) or "none", fix)


def _record(home: Home) -> Finding:
    running = home.find()
    if running:
        down = [node.name for node in running.nodes if node.pid is None]
        fix = (
            f"start {', '.join(down)} again in the explorer, or run `minichain down` and `minichain up`" if down else ""
        )
        return Finding("network", f"running (process {running.pid}), {len(down)} validators down", fix)
    stale = home.record.exists()
    return Finding("network", "not running" + (", but it did not end in order" if stale else ""), "")


def _leftovers() -> Finding:
    """Other networks of this computer are no leftovers: each has a home that names the process that runs it."""
    running = psutil.process_iter(["pid", "ppid", "cmdline"])
    left = [one.pid for one in running if is_left(one.pid, one.info["ppid"], one.info["cmdline"] or ())]
    fix = f"end them: `kill {' '.join(map(str, left))}`" if left else ""
    return Finding("leftovers", f"{len(left)} processes without an owner", fix)


def is_left(pid: int, parent: int, command: Sequence[str]) -> bool:
    """Tell whether a process of ours has outlived its owner: its parent, or for a supervisor the home it runs."""
    program = next((word for word in command if word in PROGRAMS), None)
    if program is None or (parent > 1 and psutil.pid_exists(parent)):
        return False
    if program != SUPERVISOR:
        return True
    running = Home(Path(command[command.index(program) + 1])).find()
    return running is None or running.pid != pid


def _lessons() -> Finding:
    try:
        count = len(list(shipped("notebooks").glob("*.ipynb")))
    except UsageError:
        count = 0
    return Finding("lessons", f"{count} lessons", "" if count else "install minichain again: its lessons are missing")


def _clock() -> Finding:
    """A clock before the day on which this was installed is wrong, whatever the right one is."""
    behind = Path(minichain.__file__).stat().st_mtime - time.time()
    today = time.strftime("%Y-%m-%d %H:%M")
    return Finding("clock", today, "set the clock of this computer: it is behind" if behind > CLOCK_S else "")


def _folder(home: Home) -> Finding:
    place = next(path for path in (home.path, *home.path.parents) if path.exists())
    fix = "" if os.access(place, os.W_OK) else f"let yourself write to {place}, or name another in MINICHAIN_HOME"
    return Finding("folder", str(place), fix)
