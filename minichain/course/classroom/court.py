"""The desk's side of judging: answers in, verdicts out, each by a process that holds nothing worth stealing.

Data are judged one after the other by one process. A function is a stranger's program: each has a process of its own,
started beforehand so that nobody waits for it, and ended after it. The same answer is judged once.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec
from msgspec.structs import replace

from minichain.course.answers import is_source
from minichain.course.attempts import Attempt
from minichain.course.classroom.judge import Case
from minichain.course.classroom.register import Verdict
from minichain.course.exercise import OWN
from minichain.live.cluster import import_path
from minichain.live.executor import can_confine
from minichain.live.worker import ENVIRONMENT

PROGRAM: Final = ("-m", "minichain.course.classroom.judge")
START_S: Final = 60.0  # machines are busy
PATIENCE_S: Final = 90.0  # for one answer, however busy the machine; the judge itself counts its processor's time
KEPT: Final = 10_000  # verdicts
LANES: Final = (False, True, True)  # processes that judge: one for data, two for functions
UNSAFE: Final = Verdict(0, 0, False, trouble="this system cannot run a stranger's function safely: it counts as told")
OVERDUE: Final = Verdict(0, 0, False, trouble="it took too long, or ended the judge")

Asked = tuple[str, str, str]  # exercise, answer, and the learner where it matters whose it is


class Bench:
    """One process that judges."""

    def __init__(self) -> None:
        kept = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-P", *PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**kept, "PYTHONPATH": import_path()},
        )
        self._lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self._is_ready = False

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def judge(self, case: Case) -> Verdict | None:
        """Judge one answer; None if it took too long, or the process ended."""
        assert self._process.stdin is not None
        with suppress(OSError, queue.Empty, msgspec.MsgspecError):
            if not self._is_ready:
                self._is_ready = self._lines.get(timeout=START_S) == b"ready\n"
            self._process.stdin.write(msgspec.json.encode(case) + b"\n")
            self._process.stdin.flush()
            return msgspec.json.decode(self._lines.get(timeout=PATIENCE_S), type=Verdict)
        return None

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                assert pipe is not None
                pipe.close()


class Court:
    """Judges attempts in threads of its own, and tells each verdict. Data never wait for functions."""

    def __init__(self, seed: int, tell: Callable[[Attempt, Verdict], None]) -> None:
        self._seed = seed
        self._tell = tell
        self._lock = threading.Lock()
        self._known: dict[Asked, Verdict] = {}
        self._waiting: dict[Asked, list[Attempt]] = {}  # whose answer is being judged, or will be
        self._cases: dict[bool, queue.Queue[Asked | None]] = {True: queue.Queue(), False: queue.Queue()}
        self._threads = [threading.Thread(target=self._run, args=(is_code,), daemon=True) for is_code in LANES]
        for thread in self._threads:
            thread.start()

    def judge(self, attempt: Attempt) -> None:
        """Let an attempt be judged; what came of it is told later, or at once where the answer is known."""
        whose = attempt.learner if attempt.exercise in OWN else ""
        asked, is_code = (attempt.exercise, attempt.answer, whose), is_source(attempt.answer)
        if is_code and not can_confine():
            self._tell(attempt, replace(UNSAFE, is_right=attempt.is_right))
            return
        with self._lock:
            known = self._known.get(asked)
            if known is None:
                self._waiting.setdefault(asked, []).append(attempt)
                if len(self._waiting[asked]) == 1:
                    self._cases[is_code].put(asked)
        if known is not None:
            self._tell(attempt, known)

    def _run(self, is_code: bool) -> None:
        bench: Bench | None = None  # not before it is needed: a desk that starts has other things to do
        while (asked := self._cases[is_code].get()) is not None:
            bench = bench or Bench()
            found = bench.judge(Case(*asked, self._seed))
            if is_code or found is None:
                bench.close()
                bench = Bench()
            for attempt in self._keep(asked, found or OVERDUE):
                self._tell(attempt, found or OVERDUE)
        if bench:
            bench.close()

    def _keep(self, asked: Asked, found: Verdict) -> list[Attempt]:
        """Keep a verdict; returns who waits for it."""
        with self._lock:
            if len(self._known) >= KEPT:
                self._known.clear()
            self._known[asked] = found
            return self._waiting.pop(asked)

    def close(self) -> None:
        """Stop; what is not judged yet is judged when the desk starts again."""
        for cases in self._cases.values():
            with suppress(queue.Empty):
                while True:
                    cases.get_nowait()
        for is_code in LANES:
            self._cases[is_code].put(None)
        for thread in self._threads:
            thread.join()
