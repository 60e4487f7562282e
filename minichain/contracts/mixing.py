"""Parts of contracts and helper functions, taken from the texts of `parts` and `rulebook` and made the contract's own.

A part is written in the contract language, so it is not judged again with each contract: a test does so once. Its own
setup, such as `setup_roles` of `Roles`, runs before that of the contract. Its lines are counted from `PARTS_FROM` or
`RULEBOOK_FROM` on, so that an error names them.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from minichain.contracts.meter import walk
from minichain.contracts.source import PARTS_FROM, RULEBOOK_FROM

PARTS_SOURCE: Final = Path(__file__).with_name("parts.py").read_text(encoding="utf-8")
RULEBOOK_SOURCE: Final = Path(__file__).with_name("rulebook.py").read_text(encoding="utf-8")
SOURCES: Final = {"parts": (PARTS_SOURCE, PARTS_FROM), "rulebook": (RULEBOOK_SOURCE, RULEBOOK_FROM)}


class Part(NamedTuple):
    """One part: statements to be read as if they stood in the contract, and what they rest on.

    A helper function is itself among the definitions, and has no members.
    """

    members: list[ast.stmt]  # fields and methods
    definitions: dict[str, ast.stmt]  # of the module, that it uses
    settings: dict[str, ast.expr]  # constants of the module that the contract may give another value
    needs: tuple[str, ...]  # other parts
    events: tuple[str, ...]
    hooks: dict[str, ast.FunctionDef]  # methods that the contract writes, without a body here


def part(name: str) -> Part:
    """Return a part, or a helper function as if it were one; its trees may be consumed."""
    return copy.deepcopy(_part(name))


@cache
def _part(name: str) -> Part:
    classes, definitions, settings = _module()
    body = classes[name].body if name in classes else []
    hooks = {node.name: node for node in body if isinstance(node, ast.FunctionDef) and _is_empty(node)}
    members = [node for node in body if not isinstance(node, ast.Expr) and node not in hooks.values()]
    used = _used([name] if name in definitions else sorted(_names(members)), definitions)
    names = _names([*members, *used.values()])
    attributes = {inner.attr for inner in _inside(members) if isinstance(inner, ast.Attribute)} - _members(body)
    return Part(
        members,
        used,
        {known: value for known, value in settings.items() if known in names},
        tuple(other for other in classes if other != name and attributes & _members(classes[other].body)),
        tuple(dict.fromkeys(_events(members))),
        hooks,
    )


def _is_empty(method: ast.FunctionDef) -> bool:
    return ast.get_docstring(method) is not None and len(method.body) == 1


def _module() -> tuple[dict[str, ast.ClassDef], dict[str, ast.stmt], dict[str, ast.expr]]:
    """Split the parts into classes, definitions they use, and settings, which are the annotated constants."""
    classes: dict[str, ast.ClassDef] = {}
    definitions: dict[str, ast.stmt] = {}
    settings: dict[str, ast.expr] = {}
    trees = [ast.increment_lineno(ast.parse(source), first) for source, first in SOURCES.values()]
    for node in [statement for tree in trees for statement in tree.body]:
        match node:
            case ast.ClassDef(name=name, bases=[ast.Name(id="Part")]):
                classes[name] = node
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.Assign(targets=[ast.Name(id=name)]):
                definitions[name] = node
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                settings[name] = value
    return classes, definitions, settings


def _members(body: list[ast.stmt]) -> set[str]:
    methods = {member.name for member in body if isinstance(member, ast.FunctionDef)}
    fields = {target.id for member in body if isinstance(member, ast.Assign) for target in _targets(member)}
    return methods | fields


def _targets(node: ast.Assign) -> list[ast.Name]:
    return [target for target in node.targets if isinstance(target, ast.Name)]


def _inside(nodes: Iterable[ast.AST]) -> list[ast.AST]:
    return [inner for node in nodes for inner in walk(node)]


def _names(nodes: Iterable[ast.AST]) -> set[str]:
    return {inner.id for inner in _inside(nodes) if isinstance(inner, ast.Name)}


def _used(waiting: list[str], definitions: dict[str, ast.stmt]) -> dict[str, ast.stmt]:
    """Return the definitions that have these names, and those that they use, in the order of the text."""
    used: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in definitions and name not in used:
            used.add(name)
            waiting += sorted(_names([definitions[name]]))
    return {name: node for name, node in definitions.items() if name in used}


def _events(nodes: Iterable[ast.AST]) -> list[str]:
    found = []
    for inner in _inside(nodes):
        match inner:
            case ast.Call(func=ast.Name(id="emit"), args=[ast.Constant(value=str() as name), *_], lineno=line):
                found.append((line, name))
    return [name for _, name in sorted(found)]


def setup_of(name: str) -> str:
    """Return the name of a part's own setup, if it has one."""
    return f"setup_{name.lower()}"


def with_setups(own: ast.FunctionDef | None, names: list[str], contract: ast.ClassDef) -> ast.FunctionDef:
    """Let the setup of a contract begin with those of its parts; `names` are their methods."""
    calls = "".join(f"    self.{name}()\n" for name in names)
    made = ast.parse(f"def setup(self):\n{calls}").body[0]
    assert isinstance(made, ast.FunctionDef)
    place = own or contract
    for inner in walk(made):
        ast.copy_location(inner, place)
    if own is None:
        return made
    own.body = [*made.body, *own.body]
    return own
