"""What a learner's notebook leaves out of a master: solutions, hidden tests and everything that was printed.

The marks are nbgrader's, so that a master can be read by it, too: `### BEGIN SOLUTION` to `### END SOLUTION` and
`### BEGIN HIDDEN TESTS` to `### END HIDDEN TESTS`, and the same words in the cell's metadata. Only the standard library
is used here: the wheel is built by it (.ci/hatch_build.py), before anything is installed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any, Final

Notebook = Mapping[str, Any]  # a notebook's JSON, nbformat 4

STUB: Final = "...  # your turn"
SCHEMA: Final = 3  # of nbgrader's metadata

_REGION: Final = re.compile(
    r"^([ \t]*)### BEGIN (SOLUTION|HIDDEN TESTS)\n(.*?)^[ \t]*### END \2[ \t]*(\n|\Z)", re.M | re.S
)
MARK: Final = re.compile(r"### (BEGIN|END) (SOLUTION|HIDDEN TESTS)")
_PAPERS: Final = frozenset({"instructor", "runbook", "rubric", "inventory", "ticket"})  # in any language
_CALL: Final = re.compile(r"^\s*(?:check|predict)\(\s*[\"'](m\d\d\.[ep]\d+)[\"']", re.M)


def text_of(cell: Notebook) -> str:
    """Return the source of a cell."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def is_trainers(path: PurePath) -> bool:
    """Tell whether a file of `curriculum/` stays with the trainer; the path is relative to that folder."""
    return path.parts[0] == "trainer" or path.name.partition(".")[0] in _PAPERS


def learners(master: Notebook) -> Notebook:
    """Return a master without its solutions, hidden tests, outputs and numbers of execution."""
    metadata = {key: value for key, value in master.get("metadata", {}).items() if key != "widgets"}  # outputs, too
    return {**master, "metadata": metadata, "cells": [_learners_cell(cell) for cell in master["cells"]]}


def _learners_cell(cell: Notebook) -> Notebook:
    if cell["cell_type"] != "code":
        return cell
    source = _REGION.sub(_cut, text_of(cell))
    if left := MARK.search(source):
        raise ValueError(f"{left[0]} has no other end, in the cell that begins with {text_of(cell)[:40]!r}")
    return {**cell, "source": source.splitlines(keepends=True), "outputs": [], "execution_count": None}


def _cut(region: re.Match[str]) -> str:
    if region[2] == "HIDDEN TESTS":
        return ""
    return f"{region[1]}{STUB}{region[4]}"


def solutions(master: Notebook) -> Iterator[str]:
    """Yield the lines of a master that no learner may get."""
    for cell in master["cells"]:
        if cell["cell_type"] == "code":
            for region in _REGION.finditer(text_of(cell)):
                yield from filter(None, map(str.strip, region[3].splitlines()))


def exercises(master: Notebook) -> Iterator[str]:
    """Yield the exercises that a notebook asks to be checked or predicted, in their order."""
    for cell in master["cells"]:
        if cell["cell_type"] == "code":
            yield from _CALL.findall(text_of(cell))


def annotated(master: Notebook) -> Notebook:
    """Return a master whose cells carry nbgrader's metadata for the marks and checks that stand in them."""
    named = set[str]()
    return {**master, "cells": [_annotated(cell, named) for cell in master["cells"]]}


def _annotated(cell: Notebook, named: set[str]) -> Notebook:
    if cell["cell_type"] != "code":
        return cell
    found, kinds = _CALL.search(text_of(cell)), {region[2] for region in _REGION.finditer(text_of(cell))}
    is_solution, is_check = "SOLUTION" in kinds, bool(found) or "HIDDEN TESTS" in kinds
    metadata = {key: value for key, value in cell["metadata"].items() if key != "nbgrader"}
    if is_solution or is_check:
        # nbgrader takes neither a dot in a name nor a solution without its region: it would empty the cell
        name = f"{found[1].replace('.', '-')}-check" if found else f"answer-{cell.get('id', '')}"
        name = f"{name}-{cell.get('id', '')}" if name in named else name  # an exercise may be checked twice
        named.add(name)
        metadata["nbgrader"] = {
            "grade": is_check,
            "grade_id": name,
            "locked": is_check and not is_solution,
            "schema_version": SCHEMA,
            "solution": is_solution,
            "task": False,
        } | ({"points": 1} if is_check else {})
    return {**cell, "metadata": metadata}


def read(path: Path) -> Notebook:
    """Read a notebook."""
    found: Notebook = json.loads(path.read_text("utf-8"))
    return found


def written(notebook: Notebook) -> bytes:
    """Write a notebook as Jupyter does, with the same line ends everywhere."""
    return (json.dumps(notebook, ensure_ascii=False, indent=1) + "\n").encode()


def write(path: Path, notebook: Notebook) -> None:
    """Write a notebook to a file."""
    path.write_bytes(written(notebook))
