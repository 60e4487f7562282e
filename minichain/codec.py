"""One canonical encoding for hashing, signing, the wire and the disk.

Two rules. Equal values have equal bytes, in every process. Bytes from outside are accepted only if they are
exactly the bytes we would have written: no trailing byte, no unknown field, no second spelling of a number.

The encoding is MessagePack by msgspec: a `Record` is an array of its fields in order, a `dict` is written with
sorted keys. There are no floats anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import NoneType
from typing import Any, Final, TypeVar, dataclass_transform

import msgspec

from minichain.errors import DecodeError

MAX_VALUE_DEPTH = 16
INT_MIN, INT_MAX = -(2**63), 2**64 - 1  # what MessagePack can carry

T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder(order="deterministic")
_json_encoder = msgspec.json.Encoder(order="deterministic")
encode = _encoder.encode

# What bytes from outside can make msgspec raise. The last two come from writing what was read again: a dictionary
# whose keys are not strings, a number of more than 64 bits.
_DECODING = (msgspec.DecodeError, RecursionError, UnicodeError, TypeError, OverflowError)


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class _Frozen(msgspec.StructMeta):
    """Tells type checkers that every record is frozen."""


class Plain(msgspec.Struct, metaclass=_Frozen, frozen=True):
    """An immutable value passed within one process: an event, an effect, a task. Never encoded."""


class Record(msgspec.Struct, metaclass=_Frozen, frozen=True, array_like=True, forbid_unknown_fields=True):
    """An immutable value with a canonical encoding: the base of everything hashed, signed, sent or stored."""


_decoder: Callable[[Any], msgspec.msgpack.Decoder[Any]] = lru_cache(maxsize=256)(msgspec.msgpack.Decoder)
_json_decoder: Callable[[Any], msgspec.json.Decoder[Any]] = lru_cache(maxsize=64)(msgspec.json.Decoder)


def prepare(type_: Any) -> None:
    """Make the decoder of a type now. msgspec can crash where two threads make the first one of a type at a time."""
    _decoder(type_)


def decode(data: bytes, type_: type[T], limit: int | None = None) -> T:
    """Decode bytes from outside, refusing everything but the canonical encoding of a `type_`.

    `limit` is the largest accepted size in bytes.
    """
    if limit is not None and len(data) > limit:
        raise DecodeError(f"{len(data)} bytes where at most {limit} are accepted")
    try:
        value: T = _decoder(type_).decode(data)
        is_canonical = encode(value) == data
    except _DECODING as error:
        raise DecodeError(f"not a valid {_name(type_)}: {error}") from None
    if not is_canonical:
        raise DecodeError(f"not the canonical encoding of this {_name(type_)}")
    return value


def decode_own(data: bytes, type_: type[T]) -> T:
    """Decode bytes this node wrote or has already checked; a failure here is our bug or a damaged disk."""
    value: T = _decoder(type_).decode(data)
    return value


decode_value: Final[Callable[[bytes], Any]] = msgspec.msgpack.Decoder(Any).decode  # `decode_own` of any plain value


def to_json(value: Any) -> bytes:
    """Write the one JSON form of a value (bytes as base64), for files that people open."""
    return _json_encoder.encode(value)


def from_json(data: bytes, type_: type[T]) -> T:
    """Read a JSON file written by `to_json`; any other spelling of the same content is refused."""
    try:
        value: T = _json_decoder(type_).decode(data)
        is_canonical = to_json(value) == data
        encode(value)  # what was read from a file can be hashed
    except _DECODING as error:
        raise DecodeError(f"not a valid {_name(type_)} file: {error}") from None
    if not is_canonical:
        raise DecodeError(f"not the canonical form of this {_name(type_)} file, byte for byte")
    return value


_SIMPLE: Final = frozenset({str, bytes, bool, NoneType})


def check_value(value: Any, depth: int = 0) -> int:
    """Accept only what a contract may receive, store or return: None, bool, int, str, bytes, list, dict of str.

    Returns how many lists and dicts it holds, or is: each takes much more room in memory than its one byte.
    """
    if type(value) in _SIMPLE:
        return 0
    if isinstance(value, int):
        if not INT_MIN <= value <= INT_MAX:
            raise DecodeError(f"integer {value} does not fit in 64 bits")
        return 0
    if depth >= MAX_VALUE_DEPTH:
        raise DecodeError(f"nested deeper than {MAX_VALUE_DEPTH} levels")
    if isinstance(value, dict):
        odd = next((key for key in value if not isinstance(key, str)), None)
        if odd is not None:
            raise DecodeError(f"dictionary key {odd!r} is not a string")
        value = list(value.values())
    if isinstance(value, list):
        return 1 + sum([check_value(item, depth + 1) for item in value])
    if isinstance(value, str | bytes):  # of a kind of its own
        return 0
    raise DecodeError(f"{type(value).__name__} is not a ledger value (use int, str, bytes, bool, list, dict, None)")


def _name(type_: Any) -> str:
    return str(getattr(type_, "__name__", type_))
