"""What the declarations of a contract say: types, constants, fields, methods. Read from the syntax tree, never by
running it.

A constant is frozen while it is read (tuples, read-only dicts, frozensets), so that no call can leave a trace in it.
"""

from __future__ import annotations

import ast
from types import MappingProxyType
from typing import Any, Final

from minichain.codec import Record
from minichain.contracts.language import INT_BITS, KEY_TYPES, TEST_TYPES, TYPES

MAX_KEY_PARTS: Final = 4  # of a Map whose keys are tuples
PLAIN_CONSTANTS: Final = (int, str, bytes, bool, type(None))


class Type(Record):
    """A type a contract can name: int, str, bool, bytes, list, dict, list[T], dict[str, T], each or None."""

    name: str
    item: Type | None = None
    optional: bool = False

    def __str__(self) -> str:
        inner = "" if self.item is None else f"[str, {self.item}]" if self.name == "dict" else f"[{self.item}]"
        return self.name + inner + (" | None" if self.optional else "")

    def zero(self) -> Any:
        """Return the value a stored value of this type starts with."""
        return None if self.optional else _PYTHON_TYPES[self.name]()


_PYTHON_TYPES: Final[dict[str, type]] = {
    "int": int,
    "str": str,
    "bool": bool,
    "bytes": bytes,
    "list": list,
    "dict": dict,
}


class Parameter(Record):
    """One argument of a method. `default` counts only if the argument is not `required`."""

    name: str
    type: Type
    required: bool
    default: Any = None


class Method(Record):
    """What people may call or ask; `sentence` is the first line of its docstring."""

    name: str
    sentence: str
    parameters: tuple[Parameter, ...]
    returns: str


class Field(Record):
    """One stored field. `keys` holds the types of a Map's key, and is empty for a Value."""

    name: str
    type: Type
    keys: tuple[str, ...] = ()
    default: Any = None


class Abi(Record):
    """The interface of a contract, read from its source."""

    name: str
    doc: str
    setup: tuple[Parameter, ...]
    actions: tuple[Method, ...]
    views: tuple[Method, ...]
    fields: tuple[Field, ...]
    events: tuple[str, ...]
    migrate: tuple[Parameter, ...] = ()


# --- methods -----------------------------------------------------------------------------------------------------


def mark_of(node: ast.FunctionDef) -> str:
    """Return "action", "view" or "" for a method."""
    match node.decorator_list:
        case [ast.Name(id="action" | "view" as mark)]:
            return mark
    return ""


def describe_method(node: ast.FunctionDef) -> Method:
    """Describe an action or a view."""
    sentence = (ast.get_docstring(node) or "").split("\n")[0]
    returns = "" if node.returns is None else ast.unparse(node.returns)
    return Method(node.name, sentence, parameters_of(node), returns)


def parameters_of(node: ast.FunctionDef) -> tuple[Parameter, ...]:
    """Read the parameters of a method, without self."""
    arguments = node.args.args[1:]
    defaults = [None] * (len(arguments) - len(node.args.defaults)) + list(node.args.defaults)
    return tuple(_parameter(argument, default) for argument, default in zip(arguments, defaults, strict=True))


def _parameter(argument: ast.arg, default: ast.expr | None) -> Parameter:
    type_ = type_of(argument.annotation)
    assert type_ is not None
    if default is None:
        return Parameter(argument.arg, type_, required=True)
    return Parameter(argument.arg, type_, required=False, default=constant_of(default, {}))


# --- types and constants -----------------------------------------------------------------------------------------


def fits(value: Any, type_: Type) -> bool:
    """Tell whether a ledger value is of a type; True is not an int here."""
    if value is None:
        return type_.optional
    inner = type_.item
    is_right: bool = type(value) is _PYTHON_TYPES[type_.name]
    return is_right and (inner is None or all(fits(item, inner) for item in _items(value)))


def _items(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value


def type_of(node: ast.expr | None) -> Type | None:
    """Read a type; None if this is not one of the types a ledger value can have."""
    match node:
        case ast.Name(id=name) if name in TYPES:
            return Type(name)
        case ast.BinOp(op=ast.BitOr(), left=left, right=ast.Constant(value=None)):
            inner = type_of(left)
            return None if inner is None or inner.optional else Type(inner.name, inner.item, optional=True)
        case ast.Subscript(value=ast.Name(id="list"), slice=item):
            inner = type_of(item)
            return inner and Type("list", inner)
        case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[ast.Name(id="str"), item])):
            inner = type_of(item)
            return inner and Type("dict", inner)
    return None


def is_annotation(node: ast.expr) -> bool:
    """Tell whether an annotation that nobody checks is at least made of types."""
    match node:
        case ast.Constant(value=None):
            return True
        case ast.Name(id=name):
            return name in TEST_TYPES
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return is_annotation(left) and is_annotation(right)
        case ast.Subscript(value=value, slice=ast.Tuple(elts=items)):
            return all(map(is_annotation, [value, *items]))
        case ast.Subscript(value=value, slice=item):
            return is_annotation(value) and is_annotation(item)
    return False


class NotConstantError(Exception):
    """Raised with the node that is not part of a constant."""


def constant_of(node: ast.expr, known: dict[str, Any]) -> Any:
    """Compute a constant, frozen: tuples, read-only dicts and frozensets; raises `NotConstantError`."""
    match node:
        case ast.Constant(value=value) if isinstance(value, PLAIN_CONSTANTS):
            return value
        case ast.Name(id=name) if isinstance(known.get(name, ()), PLAIN_CONSTANTS):
            return known[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_integer(operand, known)
        case ast.BinOp():
            return _arithmetic(node, _integer(node.left, known), _integer(node.right, known))
    return _collection(node, known)


def _collection(node: ast.expr, known: dict[str, Any]) -> Any:
    match node:
        case ast.Tuple(elts=items):
            return tuple(constant_of(item, known) for item in items)
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return MappingProxyType({_text(key, node, known): constant_of(value, known) for key, value in pairs})
        case ast.Call(func=ast.Name(id="frozenset"), args=[ast.Set(elts=items) | ast.Tuple(elts=items)], keywords=[]):
            return frozenset(_plain(item, known) for item in items)
    raise NotConstantError(node)


def _plain(node: ast.expr, known: dict[str, Any]) -> Any:
    value = constant_of(node, known)
    if isinstance(value, PLAIN_CONSTANTS):
        return value
    raise NotConstantError(node)


def _text(node: ast.expr | None, within: ast.expr, known: dict[str, Any]) -> str:
    value = None if node is None else constant_of(node, known)
    if isinstance(value, str):
        return value
    raise NotConstantError(node or within)


def _integer(node: ast.expr, known: dict[str, Any]) -> int:
    value = constant_of(node, known)
    if type(value) is int:
        return value
    raise NotConstantError(node)


def _arithmetic(node: ast.BinOp, a: int, b: int) -> int:
    value = 1 << INT_BITS
    match node.op:
        case ast.Add():
            value = a + b
        case ast.Sub():
            value = a - b
        case ast.Mult():
            value = a * b
        case ast.FloorDiv() if b:
            value = a // b
        case ast.Mod() if b:
            value = a % b
        case ast.Pow() if 0 <= b <= INT_BITS and a.bit_length() * b <= 2 * INT_BITS:
            value = a**b
    if abs(value) >> INT_BITS:
        raise NotConstantError(node)
    return value


def is_plain(node: ast.expr) -> bool:
    """Tell whether an expression is one number, text, bytes, True, False or None."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return isinstance(operand, ast.Constant) and type(operand.value) is int
        case ast.Constant(value=value):
            return isinstance(value, PLAIN_CONSTANTS)
    return False


def as_tuples(node: ast.expr) -> ast.expr:
    """Let the default of a Value be written with lists; a constant has tuples."""
    match node:
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return ast.copy_location(ast.Tuple([as_tuples(item) for item in items], ast.Load()), node)
        case ast.Dict(keys=keys, values=values):
            return ast.copy_location(ast.Dict(keys, [as_tuples(value) for value in values]), node)
    return node


def thaw(value: Any) -> Any:
    """Turn a frozen constant into a ledger value."""
    if isinstance(value, tuple):
        return [thaw(item) for item in value]
    if isinstance(value, MappingProxyType):
        return {key: thaw(item) for key, item in value.items()}
    return value


def key_types(node: ast.expr) -> tuple[str, ...]:
    """Read the type of a Map's key, or of the parts of its key; empty if it is none."""
    match node:
        case ast.Name(id=name) if name in KEY_TYPES:
            return (name,)
        case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=items)) | ast.Tuple(elts=items):
            names = tuple(item.id for item in items if isinstance(item, ast.Name) and item.id in KEY_TYPES)
            return names if len(names) == len(items) and 2 <= len(items) <= MAX_KEY_PARTS else ()
    return ()
