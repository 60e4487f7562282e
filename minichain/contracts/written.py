"""The text of a contract, wherever its author wrote it: a file, a module, a cell of a notebook, or a text.

A contract goes on chain as text. Here it is found, and never run.
"""

from __future__ import annotations

import ast
import linecache
import re
from dataclasses import dataclass
from pathlib import Path, PurePath
from types import FunctionType
from typing import Final

from minichain.contracts.abi import Abi
from minichain.contracts.api import Contract
from minichain.contracts.check import check, describe
from minichain.contracts.explain import explain
from minichain.contracts.language import API, API_MODULE, SHARED
from minichain.contracts.mixing import part
from minichain.contracts.source import Violation
from minichain.errors import UsageError

_CLASS: Final = re.compile(r"^class\s+(\w+)\s*\(\s*Contract\b", re.MULTILINE)
_OWN_IMPORT: Final = re.compile(r"^from\s+minichain\.contracts(\.api)?\s+import\b", re.MULTILINE)


@dataclass(frozen=True, slots=True, repr=False)
class ContractText:
    """A contract that was written and checked, to be deployed; deploying one with violations is refused."""

    name: str
    source: str
    violations: tuple[Violation, ...]

    @property
    def abi(self) -> Abi:
        """Return the interface; raises `LanguageError` where the text is not in the contract language."""
        return describe(self.source)

    def __repr__(self) -> str:
        state = f"{len(self.violations)} violations" if self.violations else "ready to be deployed"
        return f"<contract text {self.name}: {state}>"

    def __str__(self) -> str:
        return "\n".join(self._trouble() if self.violations else explain(self.abi))

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:
        printer.text(str(self))  # type: ignore[attr-defined]

    def _trouble(self) -> list[str]:
        rows, count = self.source.split("\n"), len(self.violations)
        lines = [f"{count} {'place leaves' if count == 1 else 'places leave'} the contract language"]
        for found in self.violations:
            lines += [
                f"line {found.line:>3}: {rows[found.line - 1]}",
                f"{'':10}{'':{found.column - 1}}{'^' * width_of(found, rows[found.line - 1])} {found.code}",
                f"{'':10}why: {found.explanation}",
                f"{'':10}instead: {found.suggestion}",
            ]
        return lines


Source = type | str | PurePath | ContractText  # what can be deployed


def width_of(found: Violation, row: str) -> int:
    """Return how many characters of its line a violation is about."""
    rest = row[found.column - 1 :]
    return len(found.construct) if rest.startswith(found.construct) else max(1, len(rest.rstrip()))


def read_text(contract: Source) -> ContractText:
    """Check a contract, wherever it is written, and return its text: a notebook shows its interface."""
    source = source_of(contract)
    named = _CLASS.search(source)
    return ContractText(named[1] if named else "", source, tuple(check(source)))


def read_cell(body: str) -> ContractText:
    """Read the cell of a notebook that holds nothing but a contract, below a line with the magic.

    The line of the magic becomes the import of the names that are used, unless the cell imports them itself: so the
    lines of the source on chain have the numbers of the cell.
    """
    used = [name for name in API if re.search(rf"\b{name}\b", body)]
    starts_itself = re.match(r"\s*(from __future__|\"\"\"|''')", body)
    needs = used and not starts_itself and not _OWN_IMPORT.search(body)
    first = f"from minichain.contracts.api import {', '.join(used)}" if needs else ""
    return read_text(f"{first}\n{body.rstrip()}\n")


def source_of(contract: Source) -> str:
    """Return the source that goes on chain for a contract class, a file, or source text.

    A class of a module: the text of the whole module. A class of a notebook cell or a script: the class, with the
    constants, types, interfaces and helper functions of the same cell that it uses, below the imports.
    """
    if isinstance(contract, ContractText):
        return contract.source
    if isinstance(contract, PurePath) or (isinstance(contract, str) and contract.endswith(".py")):
        return _read(Path(contract))
    if isinstance(contract, str):
        return contract
    if not (isinstance(contract, type) and issubclass(contract, Contract)) or contract is Contract:
        raise UsageError("deploy takes a class derived from minichain's Contract, or its source text, or its file")
    text = _text_of(contract)
    return _cell_part(text, contract.__name__) if contract.__module__ == "__main__" else text


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise UsageError(f"{path} cannot be read as UTF-8 text: {error}") from None


def _text_of(contract: type) -> str:
    """Return the file or cell of a class. Its methods know it; the class alone does not, in a notebook."""
    methods = [value for value in vars(contract).values() if isinstance(value, FunctionType)]
    filename = methods[0].__code__.co_filename if methods else ""
    text = "".join(linecache.getlines(filename))
    if not text:
        raise UsageError(
            f"the source of {contract.__name__} cannot be found: define it in a file or a notebook cell, with at "
            "least one method, or pass its source text"
        )
    return text


def _cell_part(cell: str, name: str) -> str:
    tree = ast.parse(cell)
    definitions: dict[str, ast.stmt] = {}
    for statement in tree.body:
        match statement:
            case ast.ClassDef(name=own) | ast.FunctionDef(name=own):
                definitions[own] = statement
            case ast.Assign(targets=[ast.Name(id=own)]) | ast.AnnAssign(target=ast.Name(id=own)):
                definitions[own] = statement
    if name not in definitions:
        raise UsageError(f"{name} is not defined at the top of its cell: define it there, or pass its source text")
    used = _uses(name, definitions)
    texts = [ast.get_source_segment(cell, node) or "" for own, node in definitions.items() if own in used]
    shared = [own for own in SHARED if own in used - definitions.keys()]
    imports = [f"from {API_MODULE} import {', '.join(API)}"]
    for module in dict.fromkeys(SHARED[own] for own in shared):
        imports.append(f"from {module} import {', '.join(own for own in shared if SHARED[own] == module)}")
    return "\n\n\n".join(["\n".join(imports), *texts]) + "\n"


def _uses(name: str, definitions: dict[str, ast.stmt]) -> set[str]:
    used, waiting = set(), [name]
    while waiting:
        own = waiting.pop()
        if own in definitions and own not in used:
            used.add(own)
            waiting += [node.id for node in ast.walk(definitions[own]) if isinstance(node, ast.Name)]
        elif own in SHARED and own not in used:
            used.add(own)
            waiting += part(own).settings
    return used
