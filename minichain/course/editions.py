"""The editions of a lesson: one master, and the prose of a language put in the place of its own.

A master (notebooks/NAME.ipynb) is English and holds real outputs, which nbval compares. An edition differs from it in
the text of markdown cells only: code, outputs and ids stay. What has no translation keeps its English.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from minichain.catalogue import LOCALES, po_file, read_po
from minichain.errors import UsageError
from minichain.live.installed import shipped

MASTERS: Final = "en"

Notebook = Mapping[str, Any]  # a notebook's JSON, nbformat 4
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
    notebook: Notebook = json.loads((folder / f"{name}.ipynb").read_text("utf-8"))
    return notebook


def read_words(folder: Path, name: str, language: str) -> Words:
    """Read the translations of a notebook's prose; there are none in the language of the masters."""
    path = catalogue_of(folder, name, language)
    return read_po(path.read_text("utf-8")) if path.exists() else {}


def catalogue_of(folder: Path, name: str, language: str) -> Path:
    """Return where a folder of masters keeps a notebook's translations."""
    if language not in LOCALES:
        raise UsageError(f"there is no edition in {language!r}: choose one of {', '.join(LOCALES)}")
    return po_file(folder / "locale", language, name)


def copy(
    into: Path,
    language: str = MASTERS,
    wanted: Iterable[str] = (),
    *,
    overwrite: bool = False,
    folder: Path | None = None,
) -> list[Path]:
    """Write the notebooks of a language into a folder of the user's; returns the files.

    Raises `UsageError`, before anything is written, if one of them is there already, or the folder is the masters' own.
    """
    folder = folder or masters()
    editions = {
        into / f"{name}.ipynb": edition(read_master(folder, name), read_words(folder, name, language))
        for name in names(folder, wanted)
    }
    if into.resolve() == folder.resolve():
        raise UsageError(f"{into} holds the masters: name another folder for copies")
    there = [path.name for path in editions if path.exists()]
    if there and not overwrite:
        raise UsageError(f"{into} has {', '.join(there)} already: name another folder, or replace them with --force")
    into.mkdir(parents=True, exist_ok=True)
    for path, notebook in editions.items():
        path.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", "utf-8", newline="\n")
    return list(editions)
