"""A learner who does nothing: each lesson is run as it is handed out, errors or not, and no exercise may be right.

That a master passes every check is seen by nbval, which compares its results; this is the other half.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from minichain.course import editions, journal, marks, place
from minichain.course.attempts import Attempt

TIMEOUT_S: Final = 120  # of one cell


def given_away(wanted: Iterable[str] = ()) -> Iterator[str]:
    """Run the learners' editions of lessons; name the exercises that are right without anybody's doing."""
    for name in editions.names(editions.masters(), wanted):
        lesson = marks.learners(editions.read_master(editions.masters(), name))
        if list(marks.exercises(lesson)):
            yield from (f"{name}: {fault}" for fault in undone(lesson))


def undone(lesson: marks.Notebook) -> Iterator[str]:
    """Run a lesson as it is; name the exercises that count as right, and those that nothing was said to."""
    with TemporaryDirectory(prefix="minichain-untouched-") as folder:
        ran = _run(lesson, Path(folder))
        attempts = list(journal.read_folder(Path(folder) / "attempts"))
    yield from (f"{one} is right before anybody did anything" for one in sorted(_right(attempts)))
    yield from silent(ran)


def _run(lesson: marks.Notebook, folder: Path) -> marks.Notebook:
    """Return a lesson as a kernel of its own leaves it, which goes on after errors."""
    import nbformat  # noqa: PLC0415 - only this needs a kernel
    from nbclient import NotebookClient  # noqa: PLC0415

    notebook = nbformat.reads(json.dumps(lesson), 4)  # type: ignore[no-untyped-call, unused-ignore]
    client = NotebookClient(notebook, timeout=TIMEOUT_S, allow_errors=True, resources={"metadata": {"path": folder}})
    ran: marks.Notebook = client.execute(env={**os.environ, place.VARIABLE: str(folder)}, stderr=subprocess.DEVNULL)
    return ran


def _right(attempts: Iterable[Attempt]) -> set[str]:
    return {one.exercise for one in attempts if one.is_right}


def silent(ran: marks.Notebook) -> Iterator[str]:
    """Name the exercises of a lesson that was run whose cells show nothing."""
    for cell in ran["cells"]:
        if cell["cell_type"] == "code" and not cell["outputs"]:
            yield from (f"{one} is not asked: its cell says nothing" for one in marks.exercises({"cells": [cell]}))
