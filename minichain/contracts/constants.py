"""Constants of a contract: read from the syntax tree, never by running it.

A constant is frozen while it is read (tuples, read-only dicts, frozensets), so that no call can leave a trace in it.
"""

from __future__ import annotations

import ast
from types import MappingProxyType
from typing import Any, Final

from minichain.codec import INT_MAX, INT_MIN
from minichain.contracts.language import INT_BITS

PLAIN_CONSTANTS: Final = (int, str, bytes, bool, type(None))


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
    """Compute what a frozenset may hold. Larger numbers could be chosen so that they all have one hash."""
    value = constant_of(node, known)
    if isinstance(value, PLAIN_CONSTANTS) and not (isinstance(value, int) and not INT_MIN <= value <= INT_MAX):
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
