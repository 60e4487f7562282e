"""The methods of text, bytes, lists, tuples and dicts. Each is charged by the size of its data before it does the work.

They are called with the value as it is: `Guards.method` has looked up its exact type in `METHODS`.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final

from minichain.contracts.meter import GAS
from minichain.contracts.values import Measures, fault, index_of, integers, kind_of, search_cost

_BYTE: Final = GAS["byte"]
_COPIED: Final = GAS["copied_item"]
_NOTHING: Final = object()

Method = Callable[..., Any]


def _text_arguments(name: str, *args: Any) -> None:
    for argument in args:
        if type(argument) not in (str, int):
            fault(f"{name} takes text and integers, not {kind_of(argument)}")


def _scan(name: str) -> Method:
    """Make a method of text whose cost is the length of the text."""
    native: Method = getattr(str, name)

    def method(guards: Measures, value: str, *args: Any) -> Any:
        _text_arguments(name, *args)
        guards.charge(len(value) * (1 + sum([len(part) for part in args if type(part) is str])) // 2)
        return native(value, *args)

    return method


def _edge(name: str) -> Method:
    """Make a method of text or bytes that looks at one end."""

    def method(guards: Measures, value: Any, part: Any) -> Any:
        if type(part) is not type(value):
            fault(f"{name} takes {kind_of(value)}, not {kind_of(part)}")
        guards.charge(len(part) // 16 + (len(value) * _BYTE if name.startswith("remove") else 0))
        return getattr(value, name)(part)

    return method


def _search(name: str) -> Method:
    native: Method = getattr(str, name)

    def method(guards: Measures, value: str, part: str, *bounds: Any) -> Any:
        _text_arguments(name, part, *bounds)
        guards.charge(search_cost(value, part) if type(part) is str else 0)
        return native(value, part, *bounds)

    return method


def _ascii_test(name: str) -> Method:
    native: Method = getattr(str, name)

    def method(guards: Measures, value: str) -> bool:
        guards.charge(len(value) * _BYTE * 2)
        return value.isascii() and native(value)

    return method


def _ascii_case(name: str) -> Method:
    native: Method = getattr(str, name)

    def method(guards: Measures, value: str) -> Any:
        guards.charge(len(value) * _BYTE)
        return native(value) if value.isascii() else fault(f"{name} works on ASCII text only")

    return method


def _padded(name: str) -> Method:
    native: Method = getattr(str, name)

    def method(guards: Measures, value: str, width: int, *fill: str) -> Any:
        _text_arguments(name, *fill)
        guards.charge(max(len(value), integers(name, width, 0)[0]) * _BYTE)
        return native(value, width, *fill)

    return method


def _replace(guards: Measures, value: str, old: str, new: str) -> str:
    _text_arguments("replace", old, new)
    guards.charge(search_cost(value, old))
    found = value.count(old)
    guards.charge((len(value) + found * len(new)) * _BYTE + found * _COPIED)
    return value.replace(old, new)


def _split(guards: Measures, value: str, sep: str | None = None, maxsplit: int = -1) -> list[str]:
    if sep is not None:
        _text_arguments("split", sep)
        guards.charge(search_cost(value, sep))
    guards.charge(len(value) * _BYTE)
    pieces = value.count(sep) + 1 if sep else len(value) // 2 + 1
    guards.charge(pieces * 2 * _COPIED)
    return value.split(sep, maxsplit)


def _join(guards: Measures, value: str, parts: Any) -> str:
    items = guards.iterate(parts)
    guards.charge_visits(items)
    if not all(type(item) is str for item in items):
        fault("join takes a list of text")
    guards.charge((len(value) * len(items) + sum(map(len, items))) * _BYTE)
    return value.join(items)


def _encode(guards: Measures, value: str) -> bytes:
    guards.charge(len(value) * _BYTE * 2)
    return value.encode()


def _decode(guards: Measures, value: bytes) -> str:
    guards.charge(len(value) * _BYTE)
    return value.decode()


def _hex(guards: Measures, value: bytes) -> str:
    guards.charge(len(value) * _BYTE * 2)
    return value.hex()


def _append(guards: Measures, value: list[Any], item: Any) -> None:
    guards.put_in(item)
    value.append(item)


def _extend(guards: Measures, value: list[Any], items: Any) -> None:
    guards.put_in(items)
    value.extend(guards.listed(items))


def _insert(guards: Measures, value: list[Any], index: int, item: Any) -> None:
    guards.charge(len(value) // 4)
    guards.put_in(item)
    value.insert(max(-len(value), min(len(value), integers("insert", index, 0)[0])), item)


def _pop(guards: Measures, value: list[Any], index: int = -1) -> Any:
    guards.charge(len(value) // 4 if index != -1 else 0)
    return value.pop(index_of(value, index))


def _remove(guards: Measures, value: list[Any], item: Any) -> None:
    del value[_position(guards, value, item)]


def _position(guards: Measures, value: Any, item: Any) -> int:
    guards.charge_search(item, value)
    return int(value.index(item)) if item in value else fault("the value is not in the list")


def _count(guards: Measures, value: Any, item: Any) -> int:
    guards.charge_search(item, value)
    return int(value.count(item))


def _reverse(guards: Measures, value: list[Any]) -> None:
    guards.charge(len(value))
    value.reverse()


def _copy(guards: Measures, value: Any) -> Any:
    guards.charge_copy(value)
    return value.copy()


def _clear(guards: Measures, value: Any) -> None:
    value.clear()


def sort(guards: Measures, value: list[Any], *, reverse: bool = False) -> None:
    """Sort in place, charged for n log n comparisons of the largest items."""
    if value:
        largest = max([guards.weigh(item) for item in value])
        guards.charge(len(value) * len(value).bit_length() * largest // 4)
    value.sort(reverse=bool(reverse))


def _get(guards: Measures, value: Any, key: Any, default: Any = None) -> Any:
    return value.get(guards.text_key(key), default)


def _pop_key(guards: Measures, value: dict[str, Any], key: Any, default: Any = _NOTHING, /) -> Any:
    if guards.text_key(key) in value:
        return guards.take_out(value, key)
    return default if default is not _NOTHING else fault(f'the dict has no key "{key[:60]}"')


def _set_default(guards: Measures, value: dict[str, Any], key: Any, default: Any = None) -> Any:
    guards.put_in(default)
    return value.setdefault(guards.text_key(key), default)


def _update(guards: Measures, value: dict[str, Any], other: Any) -> None:
    if type(other) not in (dict, MappingProxyType):
        fault(f"update takes a dict, not {kind_of(other)}")
    guards.charge_copy(other)
    guards.put_in(other)
    value.update(other)


def _keys(guards: Measures, value: Any) -> list[str]:
    guards.charge_copy(value)
    return list(value)


def _values(guards: Measures, value: Any) -> list[Any]:
    guards.charge_copy(value)
    return list(value.values())


def _items(guards: Measures, value: Any) -> list[tuple[str, Any]]:
    guards.charge_copy(value)
    return list(value.items())


_SEARCHABLE: Final[dict[str, Method]] = {"count": _count, "index": _position}
_READABLE: Final[dict[str, Method]] = {"get": _get, "items": _items, "keys": _keys, "values": _values}
METHODS: Final[dict[type, dict[str, Method]]] = {
    str: {
        **{name: _scan(name) for name in ("strip", "lstrip", "rstrip", "isascii")},
        **{name: _edge(name) for name in ("startswith", "endswith", "removeprefix", "removesuffix")},
        **{name: _search(name) for name in ("count", "find")},
        **{name: _ascii_test(name) for name in ("isalnum", "isalpha", "isdigit")},
        **{name: _ascii_case(name) for name in ("lower", "upper")},
        **{name: _padded(name) for name in ("ljust", "rjust", "zfill")},
        "encode": _encode,
        "join": _join,
        "replace": _replace,
        "split": _split,
    },
    bytes: {"decode": _decode, "hex": _hex, **{name: _edge(name) for name in ("startswith", "endswith")}},
    list: {
        **_SEARCHABLE,
        "append": _append,
        "clear": _clear,
        "copy": _copy,
        "extend": _extend,
        "insert": _insert,
        "pop": _pop,
        "remove": _remove,
        "reverse": _reverse,
        "sort": sort,
    },
    tuple: _SEARCHABLE,
    dict: {
        **_READABLE,
        "clear": _clear,
        "copy": _copy,
        "pop": _pop_key,
        "setdefault": _set_default,
        "update": _update,
    },
    MappingProxyType: _READABLE,
}
