"""JSON that is signed: RFC 8785 writes each value in exactly one way, and only I-JSON (RFC 7493) is read.

What means two things to two readers is refused: a name that stands twice in an object, a number that no double can be,
half a character, bytes that are no UTF-8. Who signs or checks takes the canonical bytes, never the text as it came.
"""

from __future__ import annotations

import json
from typing import Any, Final

import rfc8785

from minichain.errors import DecodeError

MAX_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 32
MAX_INTEGER: Final = 2**53 - 1  # up to here every integer is a double; numbers of JSON are doubles to most readers

Json = dict[str, Any]


def canonical(value: Any) -> bytes:
    """Write a JSON value as RFC 8785 demands; raises `DecodeError` for what JSON cannot carry exactly."""
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeError) as error:
        raise DecodeError(f"this has no canonical JSON form: {error}") from None


def parse(text: str | bytes) -> Any:
    """Read JSON from outside; raises `DecodeError`."""
    if len(text) > MAX_BYTES:
        raise DecodeError(f"{len(text)} bytes of JSON where at most {MAX_BYTES} are read")
    try:
        known = text if isinstance(text, str) else text.decode()
        value = json.loads(known, object_pairs_hook=_object, parse_int=_integer, parse_constant=_refuse)
        _require_shallow(value, 0)
        canonical(value)
    except (ValueError, OverflowError, RecursionError, DecodeError) as error:  # errors of UTF-8 are ValueErrors
        raise DecodeError(f"not JSON: {error}") from None
    return value


def parse_object(text: str | bytes, what: str) -> Json:
    """Read a JSON object; `what` names it in the error."""
    value = parse(text)
    if not isinstance(value, dict):
        raise DecodeError(f"{what} is a JSON object, not a {type(value).__name__}")
    return value


def copy(value: Any) -> Any:
    """Return a JSON value that shares nothing with this one; raises `DecodeError` for what is no JSON."""
    return parse(canonical(value))


def _object(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the name {next(name for name in names if names.count(name) > 1)!r} stands twice")
    return found


def _integer(digits: str) -> int | float:
    """Read an integer; a large one is the double that it spells, as RFC 8785 would write that double again."""
    number = int(digits)
    if abs(number) <= MAX_INTEGER:
        return number
    if int(float(number)) != number and canonical(float(number)).decode() != digits:
        raise ValueError(f"{digits[:40]} is no number that a double can be")
    return float(number)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def _require_shallow(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _require_shallow(item, depth + 1)
