"""Contracts that were read once are not read again: to read a large one takes a tenth of a second, and a call pays for
a thousandth of that.

The last ones used are kept ready to run, all others packed. Nothing is ever dropped, as whoever could make us forget
could make us read for hours; the sender of the deployment has paid for a place in memory that is some ten times larger.
"""

from __future__ import annotations

import io
import marshal
import pickle
from collections.abc import Callable
from functools import wraps
from types import CodeType, MappingProxyType
from typing import Any, Final, TypeVar

from minichain.crypto import digest

T = TypeVar("T")

MAX_READY: Final = 64


class _Packer(pickle.Pickler):
    """Packs what `pickle` alone cannot. Only this process reads it again."""

    def reducer_override(self, value: Any) -> Any:
        if type(value) is CodeType:
            return marshal.loads, (marshal.dumps(value),)
        if type(value) is MappingProxyType:
            return _frozen, (dict(value),)
        return NotImplemented


def _frozen(values: dict[str, Any]) -> MappingProxyType[str, Any]:
    return MappingProxyType(values)


def _pack(program: Any) -> bytes:
    out = io.BytesIO()
    _Packer(out).dump(program)
    return out.getvalue()


def remembered(read: Callable[..., T]) -> Callable[..., T]:
    """Let a function that reads a source remember each that it could read; with options, the last ones only."""
    ready: dict[tuple[Any, ...], T] = {}
    packed: dict[bytes, bytes] = {}

    @wraps(read)
    def read_once(source: str | bytes, *options: Any) -> T:
        key = source, *options
        program = ready.pop(key, None)
        if program is None:
            kept = packed.get(_name(source)) if packed and not options else None
            program = read(source, *options) if kept is None else pickle.loads(kept)
            if len(ready) >= MAX_READY:
                _put_away(next(iter(ready)))
        ready[key] = program
        return program

    def _put_away(key: tuple[Any, ...]) -> None:
        program = ready.pop(key)
        if len(key) == 1 and _name(key[0]) not in packed:
            packed[_name(key[0])] = _pack(program)

    return read_once


def _name(source: str | bytes) -> bytes:
    return digest("source", source.encode(errors="surrogatepass") if isinstance(source, str) else source)
