"""How long learners wait: for what is said to an answer, and for a lesson to be run from its first cell to its last.

Answers are those that the trainer has, right ones and those that misconceptions lead to; lessons are the masters, run
and compared as the tests do. Both need a checkout.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from xml.etree import ElementTree

import psutil

from minichain.bench.timing import children_cpu_s, machine, share
from minichain.course import editions, material, place, trainer
from minichain.course.desk import check
from minichain.errors import ConfigError, NetworkError

CHECK_S: Final = 2.0  # for 95 of 100 answers
LESSON_S: Final = 60.0  # any lesson
ALL_LESSONS_S: Final = 360.0  # together, on two cores
PROCESSES: Final = 2
RUNNERS: Final = ("pytest", "xdist", "nbval")  # what runs lessons
RAN: Final = (0, 1)  # how pytest ends where cells were run: all as they are saved, or not


def checks() -> dict[str, Any]:
    """Have every right and wrong answer that the trainer has checked, as a lesson does, and time each."""
    load, waits, first = psutil.getloadavg()[0], list[tuple[float, str]](), dict[str, float]()
    with _as_a_newcomer():
        for exercise, answer in _answers():
            began = time.perf_counter()
            check(exercise, answer)
            waits.append((time.perf_counter() - began, exercise))
            first.setdefault(exercise, waits[-1][0])
    seconds = [waited for waited, _ in waits]
    longest_s, slowest = max(waits)
    p95_s = share(seconds, 95)
    return {
        "answers": len(waits),
        "exercises": len(first),
        "p50_ms": round(1_000 * share(seconds, 50), 1),
        "p95_ms": round(1_000 * p95_s, 1),
        "max_ms": round(1_000 * longest_s, 1),
        "slowest": slowest,
        "first_p95_ms": round(1_000 * share(list(first.values()), 95), 1),
        "target_p95_ms": round(1_000 * CHECK_S),
        "passed": p95_s <= CHECK_S,
        "load_before": round(load, 1),
        **machine(),
        "formula": "from check(exercise, answer) to what it says, the attempt kept on disk, for every answer in "
        "curriculum/trainer, right and wrong, in one process; first_p95_ms is that of the first answer to each "
        "exercise, which also waits for what the exercise loads and plays",
    }


def _answers() -> Iterator[tuple[str, Any]]:
    """Yield what the trainer has for each exercise: right answers, then wrong ones."""
    for module in material.syllabus().modules:
        for exercise, key in trainer.keys(module.id).items():
            yield from ((exercise, answer) for answer in (*key.solutions, *(bot.answer for bot in key.bots)))


@contextmanager
def _as_a_newcomer() -> Iterator[None]:
    """Keep attempts in a folder of their own meanwhile, as somebody does who has none yet."""
    before = os.environ.get(place.VARIABLE)
    with TemporaryDirectory(prefix="minichain-bench-") as folder:
        os.environ[place.VARIABLE] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ[place.VARIABLE]
            else:
                os.environ[place.VARIABLE] = before


def lessons() -> dict[str, Any]:
    """Run all lessons and compare their results as the tests do (nbval), in two processes; time each."""
    checkout = trainer.checkout().parent
    if missing := [name for name in RUNNERS if find_spec(name) is None]:
        raise ConfigError(f'{", ".join(missing)} is not installed: pip install -e ".[test]" in {checkout}')
    load, cpu_s, began = psutil.getloadavg()[0], children_cpu_s(), time.monotonic()
    took, failed = _run(editions.masters(), checkout)
    whole_s = time.monotonic() - began
    slowest = max(took, key=lambda name: took[name])
    return {
        "seconds": round(whole_s, 1),
        "lessons": len(took),
        "slowest": slowest,
        "slowest_s": round(took[slowest], 1),
        "cpu_s": round(children_cpu_s() - cpu_s, 1),
        "failed": sorted(failed),
        "target_s": ALL_LESSONS_S,
        "target_slowest_s": LESSON_S,
        "passed": not failed and whole_s <= ALL_LESSONS_S and took[slowest] <= LESSON_S,
        "load_before": round(load, 1),
        **machine(),
        "seconds_of": {name: {"seconds": round(took[name], 1)} for name in sorted(took)},
        "formula": f"seconds = from the command `pytest notebooks -n {PROCESSES}` to its end; of a lesson, those of "
        "its cells with the start of its kernel; failed = lessons with a cell whose result is not the saved one",
    }


def _run(folder: Path, checkout: Path) -> tuple[dict[str, float], set[str]]:
    """Run the lessons of a folder with the settings of the project; returns the seconds of each, and those that failed.

    Raises `NetworkError` where none was run.
    """
    with TemporaryDirectory(prefix="minichain-bench-") as made:
        told = Path(made) / "told.xml"
        settings = ("-c", str(checkout / "pyproject.toml"), "-n", str(PROCESSES), f"--junitxml={told}")
        command = (sys.executable, "-m", "pytest", str(folder), *settings)
        done = subprocess.run(command, cwd=checkout, capture_output=True, check=False)
        if done.returncode not in RAN:
            said = (done.stdout + done.stderr).decode(errors="replace").strip()
            raise NetworkError(f"no lesson of {folder} was run: {said[-500:]}")
        return read_times(told.read_text("utf-8"))


def read_times(junit: str) -> tuple[dict[str, float], set[str]]:
    """Read a JUnit report of nbval: the seconds of each lesson, and the lessons of which a cell failed."""
    took, failed = defaultdict[str, float](float), set[str]()
    for cell in ElementTree.fromstring(junit).iter("testcase"):
        lesson = cell.attrib["classname"].removesuffix(".ipynb").rpartition(".")[2]
        took[lesson] += float(cell.attrib["time"])
        if cell.find("failure") is not None or cell.find("error") is not None:
            failed.add(lesson)
    return dict(took), failed
