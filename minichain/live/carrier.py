"""A client as a process of its own, which ends with its owner: a relayer, which carries what is due between the chains
of a home, or the desk of a class.

It is a program and no import, because clients stand above this room. It may be killed at any moment, and is started
again; others may carry beside a relayer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from minichain.live.cluster import import_path
from minichain.live.home import Home

RELAYER: Final = "minichain.client.relaying"
DESK: Final = "minichain.course.classroom.server"
PAUSES_S: Final = (0.0, 1.0, 5.0, 30.0)  # before it is started again, the more often it ends
STOP_TIMEOUT_S: Final = 5.0


class Carrier:
    """The process, once it is seen to. `homes` are those whose chains it is a client of."""

    def __init__(self, log: Path, homes: Sequence[Home], program: str = RELAYER) -> None:
        self._log = log
        self._program = program
        self._homes = homes
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self._again_s = 0.0

    @property
    def pid(self) -> int | None:
        """Return the number of the process; None if it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def see_to_it(self) -> None:
        """Start the process if it does not run; one that ends again and again is given time."""
        if self.pid is None and time.monotonic() >= self._again_s:
            self.close()
            self.spawn()
            self._again_s = time.monotonic() + PAUSES_S[min(self._starts, len(PAUSES_S) - 1)]
            self._starts += 1

    def spawn(self) -> None:
        """Start the process."""
        paths = [str(home.path) for home in self._homes]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._program, *paths],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": import_path()},
            )
        assert self._process.stdin is not None
        passphrase = self._homes[0].passphrase
        with suppress(OSError):
            self._process.stdin.write(json.dumps(passphrase.reveal() if passphrase else None).encode() + b"\n")
            self._process.stdin.flush()

    def kill(self) -> None:
        """End the process with no chance to put anything in order."""
        if self._process:
            self._process.kill()
        self.close()

    def close(self) -> None:
        """Stop the process; returns when it is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        with suppress(OSError):
            process.stdin.close()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
