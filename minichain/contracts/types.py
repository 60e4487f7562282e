"""The types a contract can name: those of the ledger, its decimals and its records. A type knows all of itself, so
that a value can be judged by its type alone.

A record may hold only types declared above it: no type contains itself, and each is finite.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import msgspec

from minichain.codec import Record
from minichain.contracts.language import KEY_TYPES, TEST_TYPES, TYPES

MAX_KEY_PARTS: Final = 4  # of a Map whose keys are tuples


class Type(Record, dict=True):
    """int, str, bool, bytes, list, dict, list[T], dict[str, T], a decimal or a record of the module; each or None."""

    name: str
    item: Type | None = None
    optional: bool = False
    scale: int = 0  # of a decimal: digits after the point; the value is an integer of 10**-scale
    fields: tuple[Parameter, ...] = ()  # of a record

    def __str__(self) -> str:
        inner = "" if self.item is None else f"[str, {self.item}]" if self.name == "dict" else f"[{self.item}]"
        return self.name + inner + (" | None" if self.optional else "")

    def zero(self) -> Any:
        """Return the value a stored value of this type starts with."""
        if self.optional:
            return None
        if self.fields:
            return {field.name: field.type.zero() if field.required else field.default for field in self.fields}
        return self.kind()

    # What follows is worked out once: it is asked for whenever a value comes or goes.

    @cached_property
    def kind(self) -> Any:
        """The Python type of its values on the ledger."""
        return int if self.scale else _PYTHON_TYPES.get(self.name, dict)

    @cached_property
    def by_name(self) -> dict[str, Parameter]:
        """Its fields by their names."""
        return {field.name: field for field in self.fields}

    @cached_property
    def required(self) -> frozenset[str]:
        """The names of its fields that a value cannot leave out."""
        return frozenset(field.name for field in self.fields if field.required)

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """The defaults of its fields, in their order; None where there is none, or a new one is made each time."""
        return {field.name: None if field in self.made_anew else field.default for field in self.fields}

    @cached_property
    def made_anew(self) -> tuple[Parameter, ...]:
        """Its fields whose default is a list or a dict."""
        return tuple(field for field in self.fields if isinstance(field.default, list | dict))

    @cached_property
    def size(self) -> int:
        """How many fields it has, with those of the records inside."""
        return sum([1 + field.type.size for field in self.fields]) + (self.item.size if self.item else 0)

    @cached_property
    def is_simple(self) -> bool:
        """Whether the Python type of a value decides."""
        return not (self.fields or self.item or self.optional)

    @cached_property
    def holds_record(self) -> bool:
        """Whether there are records in its values."""
        return bool(self.fields) or (self.item is not None and self.item.holds_record)

    @cached_property
    def holds_decimal(self) -> bool:
        """Whether there are amounts in its values."""
        inner = [field.type for field in self.fields] + ([self.item] if self.item else [])
        return bool(self.scale) or any(type_.holds_decimal for type_ in inner)


class Parameter(Record):
    """One argument of a method, or one field of a record. `default` counts only if it is not `required`."""

    name: str
    type: Type
    required: bool
    default: Any = None


_PYTHON_TYPES: Final[dict[str, type]] = {
    "int": int,
    "str": str,
    "bool": bool,
    "bytes": bytes,
    "list": list,
    "dict": dict,
}
LEDGER_TYPES: Final = {name: Type(name) for name in TYPES}


# --- values ------------------------------------------------------------------------------------------------------


def fits(value: Any, type_: Type) -> bool:
    """Tell whether a ledger value is of a type; True is not an int here. A record may leave out what has a default."""
    if value is None:
        return type_.optional
    if type(value) is not type_.kind:
        return False
    if type_.fields:
        return _has_fields(value, type_)
    inner = type_.item
    return inner is None or all(fits(item, inner) for item in _items(value))


def _items(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value


def _has_fields(value: dict[str, Any], type_: Type) -> bool:
    """Look at what is there, which was paid for, and not at what is left out."""
    fields = type_.by_name
    for name, item in value.items():
        if name not in fields:
            return False
        own = fields[name].type
        if not (own.is_simple and type(item) is own.kind) and not fits(item, own):
            return False
    return type_.required <= value.keys()


# --- reading -----------------------------------------------------------------------------------------------------


def type_of(node: ast.expr | None, named: Mapping[str, Type]) -> Type | None:
    """Read a type; None if this is not one of the types a ledger value can have. `named` are the types with a name."""
    match node:
        case ast.Name(id=name):
            return named.get(name)
        case ast.BinOp(op=ast.BitOr(), left=left, right=ast.Constant(value=None)):
            inner = type_of(left, named)
            return None if inner is None or inner.optional else msgspec.structs.replace(inner, optional=True)
        case ast.Subscript(value=ast.Name(id="list"), slice=item):
            inner = type_of(item, named)
            return inner and Type("list", inner)
        case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[ast.Name(id="str"), item])):
            inner = type_of(item, named)
            return inner and Type("dict", inner)
    return None


def is_annotation(node: ast.expr, named: Mapping[str, Type]) -> bool:
    """Tell whether an annotation that nobody checks is at least made of types."""
    match node:
        case ast.Constant(value=None):
            return True
        case ast.Name(id=name):
            return name in TEST_TYPES or name in named
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return is_annotation(left, named) and is_annotation(right, named)
        case ast.Subscript(value=value, slice=ast.Tuple(elts=items)):
            return all(is_annotation(part, named) for part in (value, *items))
        case ast.Subscript(value=value, slice=item):
            return is_annotation(value, named) and is_annotation(item, named)
    return False


def key_types(node: ast.expr) -> tuple[str, ...]:
    """Read the type of a Map's key, or of the parts of its key; empty if it is none."""
    match node:
        case ast.Name(id=name) if name in KEY_TYPES:
            return (name,)
        case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=items)) | ast.Tuple(elts=items):
            names = tuple(item.id for item in items if isinstance(item, ast.Name) and item.id in KEY_TYPES)
            return names if len(names) == len(items) and 2 <= len(items) <= MAX_KEY_PARTS else ()
    return ()
