"""The search for what no learner may get, in a finished archive: each file is opened as a learner would open it.

Solutions and hidden tests of the masters, parts of hidden checks, files of the trainer under any name, results, and
the marks themselves. A line of a solution counts if it says anything (`SHORTEST`): `return x` is nobody's secret.
"""

from __future__ import annotations

import ast
import html
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Final

from minichain.course import editions, marks, trainer

SHORTEST: Final = 12  # characters of a line, below which it may stand anywhere
VERDICT: Final = "miss("  # in the lines of a hidden check that give it away

_TRAINERS: Final = re.compile(  # their places in a bundle and in a wheel
    r"^([^/]+/|.*/curriculum/)?trainer/|"
    r"(^|[/-])(instructor|runbook|rubric|inventory|ticket|answers|solutions)\.(?!py$)[^/]+$"
)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What is searched for: lines of solutions by lesson, lines of hidden checks, digests of the trainer's files."""

    solutions: dict[str, frozenset[str]]
    hidden: frozenset[str]
    files: frozenset[str]


def secrets(masters: Path | None = None, material: Path | None = None) -> Secrets:
    """Read what has to stay with the trainer. Raises `ConfigError` where it is not: only a checkout can search."""
    folder, material = masters or editions.masters(), material or trainer.checkout()
    solutions = {name: solution_lines(editions.read_master(folder, name)) for name in editions.names(folder)}
    papers = [
        path for path in material.rglob("*.*") if path.stat().st_size and marks.is_trainers(path.relative_to(material))
    ]
    hidden = chain.from_iterable(_hidden_lines(path) for path in papers if path.suffix == ".py")
    return Secrets(solutions, frozenset(hidden), frozenset(sha256(path.read_bytes()).hexdigest() for path in papers))


def solution_lines(master: marks.Notebook) -> frozenset[str]:
    """Return the lines of a master's solutions and hidden tests that say anything."""
    return frozenset(line for line in marks.solutions(master) if len(line) > SHORTEST and not line.startswith("#"))


def _hidden_lines(path: Path) -> Iterator[str]:
    """Yield the lines of hidden checks that decide; what else is in them may be in a published one, too."""
    source = path.read_text("utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and any(map(_is_part, node.decorator_list)):
            lines = (ast.get_source_segment(source, node) or "").splitlines()
            yield from (line.strip() for line in lines if VERDICT in line and len(line.strip()) > SHORTEST)


def _is_part(decorator: ast.expr) -> bool:
    found = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(found, ast.Attribute) and found.attr in ("part", "each")


# --- searching ---------------------------------------------------------------------------------------------------


def search(archive: bytes, known: Secrets) -> Iterator[str]:
    """Name what a zip (a learner's bundle, a wheel) has in it and must not."""
    with zipfile.ZipFile(BytesIO(archive)) as opened:
        for name in opened.namelist():
            yield from (f"{name}: {fault}" for fault in _faults(name, opened.read(name), known))


def _faults(name: str, content: bytes, known: Secrets) -> Iterator[str]:
    path = PurePosixPath(name)
    if sha256(content).hexdigest() in known.files or _TRAINERS.search(name):
        yield "a file of the trainer"
    elif path.suffix == ".ipynb":
        yield from in_notebook(json.loads(content), known.solutions.get(path.stem, frozenset()) | known.hidden)
    elif path.suffix not in (".py", ".png"):  # a program of the wheel may be what a solution calls
        text = html.unescape(content.decode("utf-8", "replace"))
        yield from (f"the line {line!r}" for line in sorted(_all_lines(known)) if line in text)
        yield from (f"the mark {found[0]!r}" for found in marks.MARK.finditer(text))


def _all_lines(known: Secrets) -> frozenset[str]:
    return known.hidden.union(*known.solutions.values())


def in_notebook(notebook: marks.Notebook, lines: frozenset[str]) -> Iterator[str]:
    """Name the secret lines, marks and results that are in a notebook for learners."""
    for cell in notebook["cells"]:
        source = marks.text_of(cell)
        yield from (f"the line {line!r}" for line in sorted(lines & {line.strip() for line in source.splitlines()}))
        yield from (f"the mark {found[0]!r}" for found in marks.MARK.finditer(source))
        if cell.get("outputs") or cell.get("execution_count"):
            yield f"the result of {source[:40]!r}"
    if "widgets" in notebook.get("metadata", {}):
        yield "the results that widgets keep"
