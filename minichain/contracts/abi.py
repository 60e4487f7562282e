"""The interface of a contract, read from its syntax tree: what people and other contracts may know of it.

A sentence that explains a method to people is a line of its docstring: the first one in English, and one that begins
with `zh:` in Chinese. Nobody is made to write either.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from minichain.codec import Record
from minichain.contracts.constants import constant_of
from minichain.contracts.types import Parameter, Type, type_of

_CHINESE: Final = re.compile(r"zh[:\uff1a]\s*(.*)")


class Method(Record):
    """What people may call or ask. `result` is the type of what it returns, if the ledger has one for it."""

    name: str
    sentences: dict[str, str]
    parameters: tuple[Parameter, ...]
    returns: str
    result: Type | None = None
    part: str = ""  # that it comes from

    @property
    def sentence(self) -> str:
        """What it does, in English."""
        return self.sentences.get("en", "")


class Field(Record):
    """One stored field. `keys` holds the types of a Map's key, and is empty for a Value."""

    name: str
    type: Type
    keys: tuple[str, ...] = ()
    default: Any = None
    part: str = ""


class Interface(Record):
    """What a contract expects of another one: the methods it calls there, and which of them only read."""

    name: str
    sentences: dict[str, str]
    actions: tuple[Method, ...]
    views: tuple[Method, ...]

    def method(self, name: str) -> Method | None:
        """Return an action or a view by its name."""
        return next((method for method in (*self.actions, *self.views) if method.name == name), None)


class Abi(Record):
    """The interface of a contract, read from its source."""

    name: str
    doc: str
    setup: tuple[Parameter, ...]
    actions: tuple[Method, ...]
    views: tuple[Method, ...]
    fields: tuple[Field, ...]
    events: tuple[str, ...]
    sentences: dict[str, str] = msgspec.field(default_factory=dict)
    types: tuple[Type, ...] = ()  # decimals and records, in the order of the source
    interfaces: tuple[Interface, ...] = ()
    parts: tuple[str, ...] = ()
    migrate: tuple[Parameter, ...] = ()


def mark_of(node: ast.FunctionDef) -> str:
    """Return "action", "view" or "" for a method."""
    match node.decorator_list:
        case [ast.Name(id="action" | "view" as mark)]:
            return mark
    return ""


def describe_method(node: ast.FunctionDef, named: Mapping[str, Type], part: str = "") -> Method:
    """Describe an action or a view."""
    returns = "" if node.returns is None else ast.unparse(node.returns)
    return Method(
        node.name, sentences_of(node), parameters_of(node, named), returns, type_of(node.returns, named), part
    )


def sentences_of(node: ast.FunctionDef | ast.ClassDef) -> dict[str, str]:
    """Read what a docstring says, one sentence for each language: {"en": ..., "zh": ...}."""
    lines = (ast.get_docstring(node) or "").split("\n")
    chinese = [found[1] for found in map(_CHINESE.fullmatch, map(str.strip, lines)) if found]
    english = [lines[0]] if lines[0] and not _CHINESE.fullmatch(lines[0].strip()) else []
    return dict(_first(("en", english), ("zh", chinese)))


def _first(*found: tuple[str, list[str]]) -> Iterable[tuple[str, str]]:
    return [(language, sentences[0]) for language, sentences in found if sentences]


def parameters_of(node: ast.FunctionDef, named: Mapping[str, Type]) -> tuple[Parameter, ...]:
    """Read the parameters of a method, without self."""
    arguments = node.args.args[1:]
    defaults = [None] * (len(arguments) - len(node.args.defaults)) + list(node.args.defaults)
    return tuple(_parameter(argument, default, named) for argument, default in zip(arguments, defaults, strict=True))


def _parameter(argument: ast.arg, default: ast.expr | None, named: Mapping[str, Type]) -> Parameter:
    type_ = type_of(argument.annotation, named)
    assert type_ is not None
    if default is None:
        return Parameter(argument.arg, type_, required=True)
    return Parameter(argument.arg, type_, required=False, default=constant_of(default, {}))
