"""Take one safeguard out of a contract, and see the harm that it keeps away. Only in a sandbox, never on a network.

A safeguard is a method of a contract whose name begins with `guard_`; its docstring is the clause. Taken out, it
refuses nothing, or returns its first argument as it is.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from minichain.codec import Plain
from minichain.contracts import source_of
from minichain.errors import UsageError
from minichain.scenarios.points.presets import Preset
from minichain.scenarios.points.staging import Stage
from minichain.scenarios.points.story import CONTRACTS

GUARD: Final = "guard_"
_WORDS: Final = Path(__file__).with_name("safeguards.toml")


class Safeguard(Plain):
    """One safeguard: the contract (its address) that holds it, what it promises, and the harm without it."""

    name: str
    contract: str
    clause: str
    clause_zh: str
    harm: str
    harm_zh: str


@cache
def safeguards() -> Mapping[str, Safeguard]:
    """Return every safeguard of the contracts, by its name; their sources are read once."""
    return {made.name: made for address in CONTRACTS for made in _found(address)}


def without(name: str) -> dict[str, str]:
    """Return the source of the contract without one safeguard, by its address; nothing is taken out for no name."""
    if not name:
        return {}
    known = safeguards()
    if name not in known:
        raise UsageError(f"there is no safeguard {name!r}: choose one of {', '.join(known)}")
    address = known[name].contract
    return {address: _cut(source_of(CONTRACTS[address]), GUARD + name)}


def stage(missing: str = "", made: Preset | str = "training") -> Stage:
    """Return a stage on which one safeguard is missing, or none."""
    return Stage(made, instead=without(missing))


def _found(address: str) -> list[Safeguard]:
    words = tomllib.loads(_WORDS.read_text(encoding="utf-8"))
    clauses = {
        node.name.removeprefix(GUARD): ast.get_docstring(node) or "" for node in _guards(source_of(CONTRACTS[address]))
    }
    return [Safeguard(name, address, clause, **words[name]) for name, clause in clauses.items()]


def _guards(source: str) -> list[ast.FunctionDef]:
    tree = ast.parse(source)
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith(GUARD)]


def _cut(source: str, method: str) -> str:
    """Replace what a method does, below its docstring; all other lines stay as they are."""
    guard = next(node for node in _guards(source) if node.name == method)
    gives_back = isinstance(guard.returns, ast.Name)
    instead = f"return {guard.args.args[1].arg}" if gives_back else "pass"
    lines = source.splitlines(keepends=True)
    first, last = guard.body[1].lineno - 1, guard.end_lineno
    return "".join([*lines[:first], f"        {instead}\n", *lines[last:]])
