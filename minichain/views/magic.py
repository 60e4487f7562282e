"""`%load_ext minichain`: the cell magic `%%contract`, and pictures of contracts and calls in place of their text.

A cell with the magic holds a contract and nothing else. It is checked and never run; its name in the notebook then
stands for its text, which a sandbox or a network deploys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from IPython.core.error import UsageError as CellError
from IPython.display import display

from minichain.catalogue import LOCALES
from minichain.client.receipt import Receipt
from minichain.contracts.report import Report, Trace
from minichain.contracts.sandbox import Outcome
from minichain.contracts.written import ContractText, read_cell
from minichain.views import cells, i18n
from minichain.views.markup import Safe
from minichain.views.panels import STYLE_SHEET

OPTIONS: Final = f"%%contract takes one option: --lang {' or '.join(LOCALES)}"
PICTURES: Final[dict[type, Callable[[Any], Safe]]] = {
    ContractText: cells.contract,
    Outcome: cells.outcome,
    Receipt: cells.receipt,
    Report: cells.report,
    Trace: cells.trace,
}


def load(shell: Any) -> None:
    """Give a notebook the magic, the pictures and their style sheet."""
    formatter = shell.display_formatter.formatters["text/html"]
    for kind, picture in PICTURES.items():
        formatter.for_type(kind, picture)
    shell.register_magic_function(lambda line, cell: contract(shell, line, cell), "cell", "contract")
    style = f"<style>{STYLE_SHEET.read_text('utf-8')}</style>"
    display({"text/html": style, "text/plain": "minichain: %%contract is ready"}, raw=True)


def contract(shell: Any, line: str, cell: str) -> None:
    """Check the cell, show what was found, and give the notebook the contract under its name."""
    with _spoken(_language(line)):
        text = read_cell(cell)
        if text.name:
            shell.push({text.name: text})
        display(text)


def _language(line: str) -> str | None:
    match line.split():
        case []:
            return None
        case ["--lang", name] if name in LOCALES:
            return name
    raise CellError(f"{OPTIONS}, not {line.strip()!r}")


@contextmanager
def _spoken(language: str | None) -> Iterator[None]:
    before = i18n.language()
    i18n.use(language or before)
    try:
        yield
    finally:
        i18n.use(before)
