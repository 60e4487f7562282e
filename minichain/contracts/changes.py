"""What differs between two versions of a contract: line by line for those who read code, and in facts for everybody.

The facts come from the two interfaces, and from comparing the code of each function: comments and docstrings count for
the lines, and not for the facts.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from difflib import unified_diff
from typing import Final

from minichain.codec import Plain
from minichain.contracts.abi import Abi, Field, Method
from minichain.contracts.check import describe
from minichain.contracts.deployed import Deployed, kind
from minichain.contracts.language import RUN_ONCE
from minichain.contracts.types import Parameter, Type


def phrase(text: str) -> str:
    """Mark a text that the views translate."""
    return text


# What can be said of a change; {name}, {before} and {after} are filled in.
SENTENCES: Final = {
    "action added": phrase("New action {name}: {after}"),
    "action removed": phrase("There is no action {name} any more; it was {before}"),
    "action changed": phrase("The action {name} is called differently: {before} becomes {after}"),
    "view added": phrase("New question {name}: {after}"),
    "view removed": phrase("There is no question {name} any more; it was {before}"),
    "view changed": phrase("The question {name} is asked differently: {before} becomes {after}"),
    "code changed": phrase("The code of {name} has changed"),
    "constant changed": phrase("{name} is {after} now, it was {before}"),
    "field added": phrase("It keeps one thing more: {name}, {after}"),
    "field removed": phrase("It uses {name} no more; what is stored there stays on the ledger"),
    "field changed": phrase("It keeps {name} as {after}, where it was {before}"),
    "start changed": phrase("{name} starts as {after} instead of {before}, where nothing was written yet"),
    "type added": phrase("New kind of value: {after}"),
    "type removed": phrase("There is no kind of value {name} any more; it was {before}"),
    "type changed": phrase("A kind of value has changed: {before} becomes {after}"),
    "event added": phrase("It can announce {name}"),
    "event removed": phrase("It announces {name} no more"),
    "migration": phrase("It changes what is stored, once, when the upgrade takes effect"),
    "allow list": phrase("{name} stays restricted: only those on its list may use it ({after})"),
    "deny list": phrase("{name} stays restricted: those on its list may not use it ({after})"),
    "refused": phrase("This source is not in the contract language: the ledger would refuse it"),
    "nothing": phrase("Everything is called as before and does the same: only comments, texts or the order differ"),
}


class Change(Plain):
    """One fact; `kind` is a key of `SENTENCES`."""

    kind: str
    name: str = ""
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        return SENTENCES[self.kind].format(name=self.name, before=self.before, after=self.after)


class Difference(Plain):
    """What differs: the unified diff, and the facts."""

    text: str
    changes: tuple[Change, ...]

    def __str__(self) -> str:
        return "\n".join([*map(str, self.changes), "", self.text])


def difference(old: str, new: str, old_title: str = "before", new_title: str = "after") -> Difference:
    """Compare two sources in the contract language; raises `LanguageError` where one of them is not."""
    changes = (*_of_interface(describe(old), describe(new)), *_of_code(old, new))
    lines = unified_diff(old.splitlines(), new.splitlines(), old_title, new_title, lineterm="")
    return Difference("\n".join(lines), changes or (Change("nothing"),))


def upgrade(deployed: Deployed, source: str, old_title: str, new_title: str) -> Difference:
    """Compare a contract with a source that may take its place; the lists of who may use what go on."""
    found = difference(deployed.source, source, old_title, new_title)
    lists = (Change(f"{one.mode} list", name, "", str(len(one.accounts))) for name, one in deployed.access.items())
    return Difference(found.text, (*found.changes, *lists))


def _of_interface(old: Abi, new: Abi) -> Iterator[Change]:
    yield from _pairs("action", _signatures(old.actions), _signatures(new.actions))
    yield from _pairs("view", _signatures(old.views), _signatures(new.views))
    yield from _pairs("field", _kinds(old.fields), _kinds(new.fields))
    yield from _starts(old, new)
    yield from _pairs("type", _types(old), _types(new))
    yield from (Change("event added", name) for name in new.events if name not in old.events)
    yield from (Change("event removed", name) for name in old.events if name not in new.events)


def _of_code(old: str, new: str) -> Iterator[Change]:
    before, after = _code(old), _code(new)
    for name, code in before.items():
        if after.get(name, code) != code and name not in RUN_ONCE:
            yield Change("code changed", name)
    is_changed = "constant changed"
    yield from (change for change in _pairs("constant", _constants(old), _constants(new)) if change.kind == is_changed)
    if "migrate" in after:
        yield Change("migration")


def _pairs(what: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    yield from (Change(f"{what} added", name, "", after) for name, after in new.items() if name not in old)
    yield from (Change(f"{what} removed", name, before) for name, before in old.items() if name not in new)
    for name, before in old.items():
        if new.get(name, before) != before:
            yield Change(f"{what} changed", name, before, new[name])


def _starts(old: Abi, new: Abi) -> Iterator[Change]:
    before = {field.name: field for field in old.fields if not field.keys}
    for field in new.fields:
        was = before.get(field.name)
        if was is not None and was.default != field.default:
            yield Change("start changed", field.name, str(was.default), str(field.default))


def _kinds(fields: tuple[Field, ...]) -> dict[str, str]:
    return {field.name: kind(field) for field in fields}


def _types(abi: Abi) -> dict[str, str]:
    return {type_.name: _declared(type_) for type_ in abi.types}


def _declared(type_: Type) -> str:
    if type_.fields:
        return f"{type_.name}({', '.join(map(_parameter, type_.fields))})"
    return f"{type_.name} = Decimal({type_.scale})"


def _signatures(methods: tuple[Method, ...]) -> dict[str, str]:
    return {method.name: signature(method) for method in methods}


def signature(method: Method) -> str:
    """Write how a method is called."""
    returned = f" -> {method.returns}" if method.returns not in ("", "None") else ""
    return f"{method.name}({', '.join(map(_parameter, method.parameters))}){returned}"


def _parameter(parameter: Parameter) -> str:
    default = "" if parameter.required else f" = {parameter.default!r}"
    return f"{parameter.name}: {parameter.type}{default}"


def _code(source: str) -> dict[str, str]:
    """Return what each function does, without its docstring and its parameters."""
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    return {node.name: _dump(node.body[ast.get_docstring(node) is not None :]) for node in functions}


def _constants(source: str) -> dict[str, str]:
    found = {}
    for node in ast.parse(source).body:
        match node:
            case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=ast.expr() as value):
                found[ast.unparse(target)] = ast.unparse(value)
    return found


def _dump(nodes: list[ast.stmt]) -> str:
    return "\n".join(map(ast.dump, nodes))
