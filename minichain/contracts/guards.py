"""The operations of a running contract. Each is charged for the size of its data before it does the work, and refuses
what Python versions would do differently.

Contract code reaches values only through these operations: the rewriter of `meter` and RestrictedPython see to that.
Dispatch is by exact type, so a value can be nothing but None, a boolean, an integer, text, bytes, a list, a tuple, a
dict, a range, a frozen constant, or something `Guarded`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from types import MappingProxyType, NoneType
from typing import Any, ClassVar, Final, NoReturn

from minichain.codec import INT_MAX, INT_MIN, MAX_VALUE_DEPTH
from minichain.contracts.language import INT_BITS
from minichain.contracts.meter import GAS, OPERATIONS, GasMeter
from minichain.errors import ContractFault

MAX_DEPTH: Final = 48  # function calls inside each other, over all contracts of a transaction
MAX_RANGE: Final = 1 << 61  # bounds of a range, so that its length fits in a machine word
MAX_DIGITS: Final = 80  # of a number written as text: more than 256 bits need

_LIMIT: Final = 1 << INT_BITS
_BYTE: Final = GAS["byte"]
_COPIED: Final = GAS["copied_item"]
_COMPARED: Final = GAS["compared_item"]
_LEFT: Final = GAS["left_item"]
_SCALARS: Final = frozenset({int, bool, NoneType})
_TEXTS: Final = frozenset({str, bytes})
_SEQUENCES: Final = frozenset({str, bytes, list, tuple, range})
_TESTS: Final[dict[str, tuple[type, ...]]] = {
    "int": (int,),
    "str": (str,),
    "bool": (bool,),
    "bytes": (bytes,),
    "list": (list,),
    "tuple": (tuple,),
    "dict": (dict, MappingProxyType),
}
_DIGITS: Final = re.compile(rf"-?[0-9]{{1,{MAX_DIGITS}}}", re.ASCII)


def fault(message: str) -> NoReturn:
    """Raise `ContractFault`."""
    raise ContractFault(message)


class Guarded:
    """A value that charges and checks for itself; its items and its `METHODS` are used as they are."""

    METHODS: ClassVar[frozenset[str]] = frozenset()
    KIND: ClassVar[str] = ""

    def __getitem__(self, key: Any) -> Any:
        raise NotImplementedError

    def __setitem__(self, key: Any, value: Any) -> None:
        raise NotImplementedError

    def __delitem__(self, key: Any) -> None:
        raise NotImplementedError

    def __contains__(self, key: Any) -> bool:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError


def kind_of(value: Any) -> str:
    """Name the type of a value in words of the contract language."""
    if isinstance(value, Guarded):
        return value.KIND
    return _KINDS.get(type(value), type(value).__name__)


_KINDS: Final[dict[type, str]] = {NoneType: "None", MappingProxyType: "constant dict"}


def _checked(number: int) -> int:
    if -_LIMIT < number < _LIMIT:
        return number
    fault(f"a number grew beyond {INT_BITS} bits")


def _integers(symbol: str, a: Any, b: Any) -> tuple[int, int]:
    if isinstance(a, int) and isinstance(b, int):
        return a, b
    fault(f"{symbol} does not work on {kind_of(a)} and {kind_of(b)}")


class Guards:
    """The operations of one running contract. Each charges for the size of its data, then does the work."""

    __slots__ = ("_held", "charge", "meter")

    def __init__(self, meter: GasMeter) -> None:
        self.meter = meter
        self.charge = meter.charge
        self._held: Any = None

    # control

    def call(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        meter = self.meter
        if meter.depth >= MAX_DEPTH:
            fault(f"calls are nested deeper than {MAX_DEPTH}")
        meter.depth += 1
        value = function(*args, **kwargs)
        meter.depth -= 1
        return value

    def round(self, cost: int) -> bool:
        self.charge(cost)
        return True

    def hold(self, value: Any) -> Any:
        self._held = value
        return value

    def held(self) -> Any:
        return self._held

    # size

    def weigh(self, value: Any, depth: int = 0) -> int:
        """Charge for visiting every part of a value; return the same amount, a bound on comparing it once."""
        kind = type(value)
        if kind in _SCALARS:
            return _COMPARED
        if kind in _TEXTS:
            cost = _COMPARED + len(value) // 16
            self.charge(cost)
            return cost
        if depth >= MAX_VALUE_DEPTH:
            fault(f"a value is nested deeper than {MAX_VALUE_DEPTH} levels")
        cost = _COMPARED if kind is range else _COMPARED * (1 + len(value))
        self.charge(cost)
        if kind is list or kind is tuple:
            return cost + sum([self.weigh(item, depth + 1) for item in value])
        if kind is dict or kind is MappingProxyType:
            return cost + sum([self.weigh(key) + self.weigh(item, depth + 1) for key, item in value.items()])
        return cost

    def plain(self, value: Any, depth: int = 0) -> Any:
        """Charge for and copy a value that enters or leaves the contract; a tuple becomes a list."""
        kind = type(value)
        if kind in _TEXTS:
            self.charge(_LEFT + len(value) * _BYTE)
            return value
        self.charge(_LEFT)
        if kind is int:
            if not INT_MIN <= value <= INT_MAX:
                fault("a number that is stored, returned, passed on or announced must fit in 64 bits")
            return value
        if kind in _SCALARS:
            return value
        if depth >= MAX_VALUE_DEPTH:
            fault(f"a value is nested deeper than {MAX_VALUE_DEPTH} levels")
        if kind is list or kind is tuple:
            return [self.plain(item, depth + 1) for item in value]
        if kind is dict or kind is MappingProxyType:
            return {self.plain(self.text_key(key)): self.plain(item, depth + 1) for key, item in value.items()}
        fault(f"{kind_of(value)} is not a value the ledger can hold: use int, str, bool, bytes, list, dict or None")

    def text_key(self, key: Any) -> Any:
        if type(key) is not str:
            fault(f"the keys of a dict are text, not {kind_of(key)}: use str(key)")
        if len(key) > 64:
            self.charge(len(key) // 4)
        return key

    def iterate(self, value: Any) -> Any:
        kind = type(value)
        if kind in _SEQUENCES:
            return value
        if kind is dict or kind is MappingProxyType:
            self.charge(len(value) * _COPIED)
            return tuple(value)  # a loop may change the dict it runs over
        fault(f"cannot loop over {kind_of(value)}" + _loop_hint(value))

    def listed(self, value: Any) -> Any:
        """Return what can be looped over, charged as if it were copied."""
        values = self.iterate(value)
        self.charge_copy(values)
        return values

    def charge_copy(self, value: Any) -> None:
        self.charge(len(value) * _COPIED)

    def charge_visits(self, value: Any) -> None:
        self.charge(len(value) * _COMPARED)

    def unpack(self, value: Any, spec: dict[str, Any], _: Any = None) -> list[Any]:
        """Follow RestrictedPython's specification of how a tuple of names is filled."""
        values = self.iterate(value)
        if len(values) != spec["min_len"]:
            fault(f"{len(values)} values do not fit {spec['min_len']} names")
        parts = list(values)
        for index, inner in spec["childs"]:
            parts[index] = self.unpack(parts[index], inner)
        return parts

    def iterate_unpacking(self, value: Any, spec: dict[str, Any], _: Any = None) -> Iterator[list[Any]]:
        for item in self.iterate(value):
            yield self.unpack(item, spec)

    # operators

    def add(self, a: Any, b: Any) -> Any:
        kind = type(a)
        if kind is int and type(b) is int:
            return _checked(a + b)
        if kind is type(b):
            if kind in _TEXTS:
                self.charge((len(a) + len(b)) * _BYTE)
                return a + b
            if kind is list or kind is tuple:
                self.charge((len(a) + len(b)) * _COPIED)
                return a + b
        a, b = _integers("+", a, b)
        return _checked(a + b)

    def subtract(self, a: Any, b: Any) -> Any:
        if not (type(a) is int and type(b) is int):
            a, b = _integers("-", a, b)
        return _checked(a - b)

    def multiply(self, a: Any, b: Any) -> Any:
        if isinstance(a, int) and isinstance(b, int):
            return _checked(a * b)
        if isinstance(a, int):
            a, b = b, a
        kind = type(a)
        if not isinstance(b, int) or kind not in (str, bytes, list, tuple):
            fault(f"* does not work on {kind_of(a)} and {kind_of(b)}")
        each = _BYTE if kind in _TEXTS else _COPIED
        self.charge(len(a) * max(b, 0) * each)
        return a * b

    def floor_divide(self, a: Any, b: Any) -> int:
        x, y = _integers("//", a, b)
        return x // y if y else fault("division by zero")

    def remainder(self, a: Any, b: Any) -> int:
        x, y = _integers("%", a, b)
        return x % y if y else fault("division by zero")

    def power(self, a: Any, b: Any) -> int:
        x, y = _integers("**", a, b)
        if y < 0:
            fault("a negative power is not an integer")
        if abs(x) > 1 and (abs(x).bit_length() - 1) * y > INT_BITS:
            fault(f"a number grew beyond {INT_BITS} bits")
        self.charge(100 * y.bit_length())
        return _checked(int(x**y))

    def shift_left(self, a: Any, b: Any) -> int:
        x, y = _integers("<<", a, b)
        if not 0 <= y <= INT_BITS:
            fault(f"a shift is from 0 to {INT_BITS} bits")
        return _checked(x << y)

    def shift_right(self, a: Any, b: Any) -> int:
        x, y = _integers(">>", a, b)
        if not 0 <= y <= INT_BITS:
            fault(f"a shift is from 0 to {INT_BITS} bits")
        return x >> y

    def bit_and(self, a: Any, b: Any) -> int:
        x, y = _integers("&", a, b)
        return x & y

    def bit_or(self, a: Any, b: Any) -> int:
        x, y = _integers("|", a, b)
        return x | y

    def bit_xor(self, a: Any, b: Any) -> int:
        x, y = _integers("^", a, b)
        return x ^ y

    def in_place(self, operator: str, a: Any, b: Any) -> Any:
        """As the operator; a list changes itself, as in Python."""
        if type(a) is list and operator == "+=":
            a.extend(self.listed(b))
            return a
        made = getattr(self, OPERATIONS[operator[:-1]])(a, b)
        if type(a) is list:
            a[:] = made
            return a
        return made

    # comparisons

    def equal(self, a: Any, b: Any) -> bool:
        if type(a) not in _SCALARS and type(b) not in _SCALARS:
            self.weigh(a)
        return bool(a == b)

    def not_equal(self, a: Any, b: Any) -> bool:
        return not self.equal(a, b)

    def _ordered(self, a: Any, b: Any) -> None:
        """Refuse what has no order; charge for the rest."""
        if type(a) is int and type(b) is int:
            return
        if type(a) is type(b) and type(a) in (str, bytes, list, tuple):
            self.weigh(a)
        elif not (isinstance(a, int) and isinstance(b, int)):
            fault(f"{kind_of(a)} and {kind_of(b)} have no order")

    def less(self, a: Any, b: Any) -> bool:
        self._ordered(a, b)
        return bool(a < b)

    def less_equal(self, a: Any, b: Any) -> bool:
        self._ordered(a, b)
        return bool(a <= b)

    def greater(self, a: Any, b: Any) -> bool:
        self._ordered(a, b)
        return bool(a > b)

    def greater_equal(self, a: Any, b: Any) -> bool:
        self._ordered(a, b)
        return bool(a >= b)

    def contains(self, item: Any, container: Any) -> bool:
        kind = type(container)
        if isinstance(container, Guarded):
            return item in container
        if kind is dict or kind is MappingProxyType:
            return self.text_key(item) in container
        if kind in _TEXTS and (type(item) is kind):
            self.charge(_search_cost(container, item))
            return item in container
        if kind is list or kind is tuple:
            self.charge_search(item, container)
            return item in container
        if kind is frozenset:
            return type(item) in _SCALARS | _TEXTS and item in container
        if kind is range:
            return isinstance(item, int) and item in container
        fault(f"cannot search {kind_of(item)} in {kind_of(container)}")

    def charge_search(self, item: Any, container: Any) -> None:
        self.charge(len(container) * self.weigh(item) // 4)

    def absent(self, item: Any, container: Any) -> bool:
        return not self.contains(item, container)

    # items and methods

    def get_item(self, value: Any, key: Any) -> Any:
        kind = type(value)
        if kind is dict or kind is MappingProxyType:
            if self.text_key(key) in value:
                return value[key]
            fault(f'the dict has no key "{key[:60]}"')
        if isinstance(value, Guarded):
            return value[key]
        if kind not in _SEQUENCES:
            fault(f"{kind_of(value)} has no items")
        if type(key) is slice:
            return self._slice(value, key)
        return value[_index(value, key)]

    def _slice(self, value: Any, part: slice) -> Any:
        for bound in (part.start, part.stop, part.step):
            if bound is not None and type(bound) is not int:
                fault(f"the bounds of a slice are integers, not {kind_of(bound)}")
        if part.step == 0:
            fault("the step of a slice cannot be 0")
        if type(value) is range:
            return value[part]
        each = _BYTE if type(value) in _TEXTS else _COPIED
        self.charge(len(range(*part.indices(len(value)))) * each)
        return value[part]

    def set_item(self, item: Any, value: Any, key: Any) -> None:
        kind = type(value)
        if kind is dict:
            value[self.text_key(key)] = item
        elif kind is list:
            value[_index(value, key)] = item
        elif isinstance(value, Guarded):
            value[key] = item
        else:
            fault(f"the items of {kind_of(value)} cannot be changed" + _copy_hint(value))

    def delete_item(self, value: Any, key: Any) -> None:
        kind = type(value)
        if kind is dict:
            if self.text_key(key) not in value:
                fault(f'the dict has no key "{key[:60]}"')
            del value[key]
        elif kind is list:
            self.charge(len(value) // 4)
            del value[_index(value, key)]
        elif isinstance(value, Guarded):
            del value[key]
        else:
            fault(f"the items of {kind_of(value)} cannot be deleted" + _copy_hint(value))

    def method(self, value: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, Guarded):
            if name in value.METHODS:
                return getattr(value, name)(*args, **kwargs)
        else:
            implementation = METHODS.get(type(value), {}).get(name)
            if implementation is not None:
                return implementation(self, value, *args, **kwargs)
        fault(f"{kind_of(value)} has no method {name}" + _copy_hint(value))

    # functions of the language

    def text(self, *parts: Any) -> str:
        texts = [self.text_of(part) for part in parts]
        self.charge(sum(map(len, texts)) * _BYTE)
        return "".join(texts)

    def text_of(self, value: Any = "") -> str:
        if type(value) is str:
            return value
        if type(value) in _SCALARS:
            return str(value)
        fault(f"{kind_of(value)} has no text of its own: take the parts you need")

    def length(self, value: Any) -> int:
        if type(value) in (str, bytes, list, tuple, dict, MappingProxyType, range, frozenset):
            return len(value)
        if isinstance(value, Guarded):
            return len(value)
        fault(f"{kind_of(value)} has no length")

    def is_instance(self, value: Any, names: tuple[str, ...]) -> bool:
        return any(isinstance(value, _TESTS[name]) for name in names)

    def to_int(self, value: Any = 0) -> int:
        if isinstance(value, int):
            return int(value)
        if type(value) is str and _DIGITS.fullmatch(value):
            self.charge(4 * len(value))
            return _checked(int(value))
        fault(f"int takes an integer, a boolean or text of 1 to {MAX_DIGITS} digits")

    def to_bool(self, value: Any = False) -> bool:
        return bool(value)

    def to_bytes(self, value: Any = b"") -> bytes:
        if type(value) is bytes:
            return value
        if type(value) not in (list, tuple):
            fault(f"bytes takes a list of integers, not {kind_of(value)}; text has .encode()")
        self.charge_visits(value)
        if not all(type(item) is int and 0 <= item < 256 for item in value):
            fault("bytes takes a list of integers from 0 to 255")
        return bytes(value)

    def to_list(self, value: Any = ()) -> list[Any]:
        return list(self.listed(value))

    def to_tuple(self, value: Any = ()) -> tuple[Any, ...]:
        return tuple(self.listed(value))

    def to_dict(self, value: Any = MappingProxyType({})) -> dict[str, Any]:
        if type(value) not in (dict, MappingProxyType):
            fault(f"dict copies a dict, not {kind_of(value)}")
        self.charge_copy(value)
        return dict(value)

    def range_of(self, *bounds: Any) -> range:
        if not 1 <= len(bounds) <= 3:
            fault("range takes one to three integers")
        for bound in bounds:
            if type(bound) is not int or not -MAX_RANGE <= bound <= MAX_RANGE:
                fault("the bounds of a range are integers, not too large")
        return range(*bounds) if len(bounds) < 3 or bounds[2] else fault("the step of a range cannot be 0")

    def enumerated(self, value: Any, start: int = 0) -> list[tuple[int, Any]]:
        values = self.listed(value)
        self.charge_copy(values)
        return list(enumerate(values, _integers("enumerate", start, 0)[0]))

    def zipped(self, *values: Any) -> list[tuple[Any, ...]]:
        parts = [self.iterate(value) for value in values]
        self.charge(min(map(len, parts), default=0) * (1 + len(parts)) * _COPIED)
        return list(zip(*parts, strict=False))

    def reversed_list(self, value: Any) -> list[Any]:
        return list(self.listed(value))[::-1]

    def sorted_list(self, value: Any, *, reverse: bool = False) -> list[Any]:
        items = list(self.listed(list(value) if type(value) is frozenset else value))
        sort(self, items, reverse=reverse)
        return items

    def any_true(self, value: Any) -> bool:
        return any(self.listed(value))

    def all_true(self, value: Any) -> bool:
        return all(self.listed(value))

    def total(self, value: Any) -> int:
        items = self.iterate(value)
        self.charge_visits(items)
        if type(items) is not range and not all(isinstance(item, int) for item in items):
            fault("sum adds integers")
        return _checked(sum(items))

    def smallest(self, *values: Any, **options: Any) -> Any:
        return self._extreme("min", min, values, options)

    def largest(self, *values: Any, **options: Any) -> Any:
        return self._extreme("max", max, values, options)

    def _extreme(self, name: str, pick: Callable[[Any], Any], values: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if options.keys() - {"default"} or not values:
            fault(f"{name} takes values, or one list of them, and at most a default")
        items = values if len(values) > 1 else self.iterate(values[0])
        self.charge_visits(items)
        if not items:
            return options["default"] if "default" in options else fault(f"{name} of nothing")
        if type(items) is not range:
            for a, b in pairwise(items):
                self._ordered(a, b)
        return pick(items)

    def absolute(self, value: Any) -> int:
        return abs(_integers("abs", value, 0)[0])

    def divide_with_rest(self, a: Any, b: Any) -> tuple[int, int]:
        return self.floor_divide(a, b), self.remainder(a, b)


def _index(value: Any, key: Any) -> int:
    if not isinstance(key, int):
        fault(f"an item of {kind_of(value)} is named by an integer, not by {kind_of(key)}")
    length = len(value)
    if not -length <= key < length:
        fault(f"item {key} is outside a {kind_of(value)} of length {length}")
    return int(key)


def _loop_hint(value: Any) -> str:
    return ": read its keys(), values() or items() page by page" if isinstance(value, Guarded) else ""


def _copy_hint(value: Any) -> str:
    return ": take a copy with dict(...)" if type(value) is MappingProxyType else ""


def _search_cost(text: Any, part: Any) -> int:
    """Bound CPython's search: quadratic for short text (at most about 3 million steps), linear for long text."""
    n, m = len(text), len(part)
    return n + m + min(n * m // 4, 1_000_000 + 4 * n)


# --- methods -----------------------------------------------------------------------------------------------------

Method = Callable[..., Any]


def _text_arguments(name: str, *args: Any) -> None:
    for argument in args:
        if type(argument) not in (str, int):
            fault(f"{name} takes text and integers, not {kind_of(argument)}")


def _scan(name: str) -> Method:
    """Make a method of text whose cost is the length of the text."""
    native: Method = getattr(str, name)

    def method(guards: Guards, value: str, *args: Any) -> Any:
        _text_arguments(name, *args)
        guards.charge(len(value) * (1 + sum([len(part) for part in args if type(part) is str])) // 2)
        return native(value, *args)

    return method


def _edge(name: str) -> Method:
    """Make a method of text or bytes that looks at one end."""

    def method(guards: Guards, value: Any, part: Any) -> Any:
        if type(part) is not type(value):
            fault(f"{name} takes {kind_of(value)}, not {kind_of(part)}")
        guards.charge(len(part) // 16 + (len(value) * _BYTE if name.startswith("remove") else 0))
        return getattr(value, name)(part)

    return method


def _search(name: str) -> Method:
    native: Method = getattr(str, name)

    def method(guards: Guards, value: str, part: str, *bounds: Any) -> Any:
        _text_arguments(name, part, *bounds)
        guards.charge(_search_cost(value, part) if type(part) is str else 0)
        return native(value, part, *bounds)

    return method


def _ascii_test(name: str) -> Method:
    native: Method = getattr(str, name)

    def method(guards: Guards, value: str) -> bool:
        guards.charge(len(value) * _BYTE * 2)
        return value.isascii() and native(value)

    return method


def _ascii_case(name: str) -> Method:
    native: Method = getattr(str, name)

    def method(guards: Guards, value: str) -> Any:
        guards.charge(len(value) * _BYTE)
        return native(value) if value.isascii() else fault(f"{name} works on ASCII text only")

    return method


def _padded(name: str) -> Method:
    native: Method = getattr(str, name)

    def method(guards: Guards, value: str, width: int, *fill: str) -> Any:
        _text_arguments(name, *fill)
        guards.charge(max(len(value), _integers(name, width, 0)[0]) * _BYTE)
        return native(value, width, *fill)

    return method


def _replace(guards: Guards, value: str, old: str, new: str) -> str:
    _text_arguments("replace", old, new)
    guards.charge(_search_cost(value, old))
    found = value.count(old)
    guards.charge((len(value) + found * len(new)) * _BYTE + found * _COPIED)
    return value.replace(old, new)


def _split(guards: Guards, value: str, sep: str | None = None, maxsplit: int = -1) -> list[str]:
    if sep is not None:
        _text_arguments("split", sep)
        guards.charge(_search_cost(value, sep))
    guards.charge(len(value) * _BYTE)
    pieces = value.count(sep) + 1 if sep else len(value) // 2 + 1
    guards.charge(pieces * 2 * _COPIED)
    return value.split(sep, maxsplit)


def _join(guards: Guards, value: str, parts: Any) -> str:
    items = guards.iterate(parts)
    guards.charge_visits(items)
    if not all(type(item) is str for item in items):
        fault("join takes a list of text")
    guards.charge((len(value) * len(items) + sum(map(len, items))) * _BYTE)
    return value.join(items)


def _encode(guards: Guards, value: str) -> bytes:
    guards.charge(len(value) * _BYTE * 2)
    return value.encode()


def _decode(guards: Guards, value: bytes) -> str:
    guards.charge(len(value) * _BYTE)
    return value.decode()


def _hex(guards: Guards, value: bytes) -> str:
    guards.charge(len(value) * _BYTE * 2)
    return value.hex()


def _append(guards: Guards, value: list[Any], item: Any) -> None:
    value.append(item)


def _extend(guards: Guards, value: list[Any], items: Any) -> None:
    value.extend(guards.listed(items))


def _insert(guards: Guards, value: list[Any], index: int, item: Any) -> None:
    guards.charge(len(value) // 4)
    value.insert(max(-len(value), min(len(value), _integers("insert", index, 0)[0])), item)


def _pop(guards: Guards, value: list[Any], index: int = -1) -> Any:
    guards.charge(len(value) // 4 if index != -1 else 0)
    return value.pop(_index(value, index))


def _remove(guards: Guards, value: list[Any], item: Any) -> None:
    del value[_position(guards, value, item)]


def _position(guards: Guards, value: Any, item: Any) -> int:
    guards.charge_search(item, value)
    return int(value.index(item)) if item in value else fault("the value is not in the list")


def _count(guards: Guards, value: Any, item: Any) -> int:
    guards.charge_search(item, value)
    return int(value.count(item))


def _reverse(guards: Guards, value: list[Any]) -> None:
    guards.charge(len(value))
    value.reverse()


def _copy(guards: Guards, value: Any) -> Any:
    guards.charge_copy(value)
    return value.copy()


def _clear(guards: Guards, value: Any) -> None:
    value.clear()


def sort(guards: Guards, value: list[Any], *, reverse: bool = False) -> None:
    """Sort in place, charged for n log n comparisons of the largest items."""
    if value:
        largest = max([guards.weigh(item) for item in value])
        guards.charge(len(value) * len(value).bit_length() * largest // 4)
    value.sort(reverse=bool(reverse))


def _get(guards: Guards, value: Any, key: Any, default: Any = None) -> Any:
    return value.get(guards.text_key(key), default)


def _pop_key(guards: Guards, value: dict[str, Any], key: Any, *default: Any) -> Any:
    if guards.text_key(key) in value or len(default) == 1:
        return value.pop(key, *default)
    fault(f'the dict has no key "{key[:60]}"')


def _set_default(guards: Guards, value: dict[str, Any], key: Any, default: Any = None) -> Any:
    return value.setdefault(guards.text_key(key), default)


def _update(guards: Guards, value: dict[str, Any], other: Any) -> None:
    value.update(guards.to_dict(other))


def _keys(guards: Guards, value: Any) -> list[str]:
    guards.charge_copy(value)
    return list(value)


def _values(guards: Guards, value: Any) -> list[Any]:
    guards.charge_copy(value)
    return list(value.values())


def _items(guards: Guards, value: Any) -> list[tuple[str, Any]]:
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
