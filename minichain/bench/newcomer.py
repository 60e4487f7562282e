"""How long the machine of a newcomer takes, from nothing but Python to an own signed note in a final block.

Each part is a command, in a virtual environment that knows nothing of this one. What a person reads and types is not
in the figure, and what pip downloads comes as fast as from wherever it comes here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import psutil

import minichain
from minichain.bench.timing import children_cpu_s, machine
from minichain.errors import NetworkError, UsageError

TARGET_S: Final = 60.0
PATIENCE_S: Final = 900.0
CHECKOUT: Final = Path(minichain.__file__).parents[1]
NAME: Final = "Newcomer"
VARIABLE: Final = "MINICHAIN_COURSE"  # names the folder of whoever learns
NOTE: Final = f"""
from minichain.course.classroom.member import Member
from minichain.crosschain.proofs import verify
from minichain.ledger.types import Call

newcomer = Member()
with newcomer.network() as net:
    receipt = net.send(newcomer.wallet, [Call("board", "sign", {{"text": "{NAME} was here."}})])
print(verify(receipt.proof()).height)
"""


def newcomer() -> dict[str, Any]:
    """Install this checkout into a new environment, start a class, join it, and sign a note; time each part."""
    if not (CHECKOUT / "pyproject.toml").exists():
        raise UsageError("this needs a checkout: what is installed has nothing to install from")
    load, before = psutil.getloadavg()[0], children_cpu_s()  # the load is of what else this machine does
    with TemporaryDirectory(prefix="minichain-newcomer-", ignore_cleanup_errors=True) as folder:
        parts, height = _Machine(Path(folder)).from_nothing()
    seconds = sum(parts.values())
    return {
        "seconds": round(seconds, 1),
        **{f"{part}_s": round(took, 1) for part, took in parts.items()},
        "cpu_s": round(children_cpu_s() - before, 1),
        "block": height,
        "target_s": TARGET_S,
        "passed": seconds <= TARGET_S,
        "load_before": round(load, 1),
        **machine(),
        "formula": "seconds = environment (venv) + install + start (four validators and the desk) + join (an "
        "institution with its own key) + note (signed, final, its proof verified); each from its command to its "
        "end; cpu_s = what the commands took of a processor, the validators aside",
    }


class _Machine:
    """A computer that has Python and nothing else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bin = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
        self._parts: dict[str, float] = {}

    def from_nothing(self) -> tuple[dict[str, float], int]:
        """Do all of it; returns the seconds of each part, and the block of the note."""
        names, home = self._folder / "names.txt", ("--home", str(self._folder / "home"))
        names.write_text(NAME, "utf-8")
        self._do("environment", sys.executable, "-m", "venv", str(self._folder / "venv"))
        self._do("install", self._own("python"), "-m", "pip", "install", "--quiet", str(CHECKOUT))
        try:
            started = self._minichain("start", "start", "--no-dashboards", "--list", str(names), *home)
            self._minichain("join", "join", json.loads(started)["link"], "--name", NAME)
            height = int(self._do("note", self._own("python"), "-c", NOTE))
        finally:
            subprocess.run([self._own("minichain"), "down", *home], capture_output=True, check=False)
        return self._parts, height

    def _own(self, program: str) -> str:
        return str(self._bin / program)

    def _minichain(self, part: str, *words: str) -> bytes:
        return self._do(part, self._own("minichain"), "class", *words, "--json")

    def _do(self, part: str, *command: str) -> bytes:
        """Run a command, and note how long it took; returns what it prints. Raises `NetworkError` if it fails."""
        kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        environment = {**kept, VARIABLE: str(self._folder / "course")}
        began = time.monotonic()
        done = subprocess.run(
            command, cwd=self._folder, env=environment, capture_output=True, timeout=PATIENCE_S, check=False
        )
        self._parts[part] = time.monotonic() - began
        if done.returncode:
            raise NetworkError(f"{part} failed: {done.stderr.decode(errors='replace').strip()[-500:]}")
        return done.stdout
