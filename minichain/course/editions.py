"""The editions of a lesson: one master, and the prose of a language put in the place of its own.

A master (notebooks/NAME.ipynb) is English and holds solutions and real outputs, which nbval compares. An edition in
another language differs from it in the text of markdown cells only: code, outputs and ids stay. What has no translation
keeps its English. An edition for learners has neither solutions nor outputs (marks.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

import minichain
from minichain.catalogue import LOCALES, po_file, read_po
from minichain.course import marks, place, trainer
from minichain.course.marks import Notebook
from minichain.errors import UsageError
from minichain.live.installed import shipped

MASTERS: Final = "en"  # their language

Words = Mapping[str, str]  # the text of a markdown cell -> its translation


# --- one notebook ------------------------------------------------------------------------------------------------


def prose(notebook: Notebook) -> tuple[str, ...]:
    """Return the texts of a notebook's markdown cells, in their order."""
    return tuple(_text(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown")


def edition(master: Notebook, words: Words) -> Notebook:
    """Return a master with its prose translated."""
    return {**master, "cells": [_translated(cell, words) for cell in master["cells"]]}


def _translated(cell: Notebook, words: Words) -> Notebook:
    if cell["cell_type"] != "markdown" or _text(cell) not in words:
        return cell
    return {**cell, "source": words[_text(cell)].splitlines(keepends=True)}


def _text(cell: Notebook) -> str:
    return "".join(cell["source"])


# --- a folder of them --------------------------------------------------------------------------------------------


def masters() -> Path:
    """Return the folder of the masters, with the catalogues of their translations below it."""
    return shipped("notebooks")


def names(folder: Path, wanted: Iterable[str] = ()) -> list[str]:
    """Return the notebooks of a folder, or those that are wanted: by name, or by what stands before the first hyphen.

    Raises `UsageError` for one that is not there.
    """
    there = sorted(path.stem for path in folder.glob("*.ipynb"))
    asked = {want: [name for name in there if want in (name, f"{name}.ipynb", name.split("-")[0])] for want in wanted}
    for want, found in asked.items():
        if not found:
            raise UsageError(f"there is no notebook {want!r}: choose from {', '.join(there)}")
    return sorted({name for found in asked.values() for name in found}) if asked else there


def read_master(folder: Path, name: str) -> Notebook:
    """Read a master of a folder."""
    return marks.read(folder / f"{name}.ipynb")


def read_words(folder: Path, name: str, language: str) -> Words:
    """Read the translations of a notebook's prose; there are none in the language of the masters."""
    path = catalogue_of(folder, name, language)
    return read_po(path.read_text("utf-8")) if path.exists() else {}


def catalogue_of(folder: Path, name: str, language: str) -> Path:
    """Return where a folder of masters keeps a notebook's translations."""
    if language not in LOCALES:
        raise UsageError(f"there is no edition in {language!r}: choose one of {', '.join(LOCALES)}")
    return po_file(folder / "locale", language, name)


def lessons(language: str = MASTERS, kind: str = place.LEARNERS, folder: Path | None = None) -> dict[str, bytes]:
    """Return every notebook of a language and kind, by the names of their files.

    Raises `ConfigError` where masters are asked for and are not: they stay with the trainer.
    """
    if kind != place.LEARNERS and folder is None:
        trainer.checkout()
    folder = folder or masters()
    found = {}
    for name in names(folder):
        told = edition(read_master(folder, name), read_words(folder, name, language))
        found[f"{name}.ipynb"] = marks.written(marks.learners(told) if kind == place.LEARNERS else told)
    return found


def copy(
    into: Path,
    language: str = MASTERS,
    wanted: Iterable[str] = (),
    *,
    kind: str = place.LEARNERS,
    overwrite: bool = False,
    folder: Path | None = None,
) -> list[Path]:
    """Write the notebooks of a language and kind into a folder of the user's, with its record; returns the notebooks.

    Raises `UsageError`, before anything is written, if one of them is there already, the folder holds another edition,
    or it is the masters' own.
    """
    chosen = names(folder or masters(), wanted)
    every = lessons(language, kind, folder)
    files = {into / f"{name}.ipynb": every[f"{name}.ipynb"] for name in chosen}
    if into.resolve() == (folder or masters()).resolve():
        raise UsageError(f"{into} holds the masters: name another folder for copies")
    before = place.read_record(into) or place.Bundle(language, kind)
    there = [path.name for path in files if path.exists()]
    if (before.language, before.edition) != (language, kind):
        there.append(f"lessons of another edition ({before.language}, {before.edition})")
    if there and not overwrite:
        raise UsageError(f"{into} has {', '.join(there)} already: name another folder, or replace them with --force")
    into.mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        path.write_bytes(content)
    now = {"language": language, "edition": kind, "version": minichain.__version__, "digest": place.digest(every)}
    place.write_record(into, msgspec.structs.replace(before, **now))
    return list(files)
