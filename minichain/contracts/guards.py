"""The operations of a running contract: each charges for the size of its data, then does the work, and refuses what
Python versions would do differently.

Contract code reaches values only through these operations: the rewriter of `meter` and RestrictedPython see to that.
Dispatch is by exact type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final

from minichain.contracts.api import is_did_key
from minichain.contracts.decimals import portion
from minichain.contracts.language import INT_BITS
from minichain.contracts.meter import GAS, OPERATIONS, GasMeter
from minichain.contracts.methods import METHODS, sort
from minichain.contracts.values import (
    PLAIN,
    SCALARS,
    SEQUENCES,
    TEXTS,
    Guarded,
    Measures,
    checked,
    fault,
    index_of,
    integers,
    kind_of,
    search_cost,
)
from minichain.elgamal.ballots import Form, fault_of
from minichain.elgamal.group import combine
from minichain.elgamal.proofs import knows
from minichain.errors import DecodeError

MAX_DEPTH: Final = 48  # function calls inside each other, over all contracts of a transaction
MAX_RANGE: Final = 1 << 61  # bounds of a range, so that its length fits in a machine word
MAX_KEY: Final = 64  # characters of a did:key that is read at all
MAX_DIGITS: Final = 80  # of a number written as text: more than 256 bits need

_BYTE: Final = GAS["byte"]
_COPIED: Final = GAS["copied_item"]
_MULTIPLICATION: Final = GAS["multiplication"]
_ALSO: Final = {bool: "int", MappingProxyType: "dict"}  # what `isinstance` takes these for, besides themselves
_DIGITS: Final = re.compile(rf"-?[0-9]{{1,{MAX_DIGITS}}}", re.ASCII)


class Guards(Measures):
    """The operations of one running contract."""

    __slots__ = ("_held",)

    def __init__(self, meter: GasMeter) -> None:
        super().__init__(meter)
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
            return checked(a + b)
        if kind is type(b):
            if kind in TEXTS:
                self.charge((len(a) + len(b)) * _BYTE)
                return a + b
            if kind is list or kind is tuple:
                self.charge((len(a) + len(b)) * _COPIED)
                return a + b
        a, b = integers("+", a, b)
        return checked(a + b)

    def subtract(self, a: Any, b: Any) -> Any:
        if not (type(a) is int and type(b) is int):
            a, b = integers("-", a, b)
        return checked(a - b)

    def multiply(self, a: Any, b: Any) -> Any:
        if isinstance(a, int) and isinstance(b, int):
            return checked(a * b)
        if isinstance(a, int):
            a, b = b, a
        kind = type(a)
        if not isinstance(b, int) or kind not in (str, bytes, list, tuple):
            fault(f"* does not work on {kind_of(a)} and {kind_of(b)}")
        each = _BYTE if kind in TEXTS else _COPIED
        self.charge(len(a) * max(b, 0) * each)
        return a * b

    def floor_divide(self, a: Any, b: Any) -> int:
        x, y = integers("//", a, b)
        return x // y if y else fault("division by zero")

    def remainder(self, a: Any, b: Any) -> int:
        x, y = integers("%", a, b)
        return x % y if y else fault("division by zero")

    def power(self, a: Any, b: Any) -> int:
        x, y = integers("**", a, b)
        if y < 0:
            fault("a negative power is not an integer")
        if abs(x) > 1 and (abs(x).bit_length() - 1) * y > INT_BITS:
            fault(f"a number grew beyond {INT_BITS} bits")
        self.charge(100 * y.bit_length())
        return checked(int(x**y))

    def shift_left(self, a: Any, b: Any) -> int:
        x, y = integers("<<", a, b)
        if not 0 <= y <= INT_BITS:
            fault(f"a shift is from 0 to {INT_BITS} bits")
        return checked(x << y)

    def shift_right(self, a: Any, b: Any) -> int:
        x, y = integers(">>", a, b)
        if not 0 <= y <= INT_BITS:
            fault(f"a shift is from 0 to {INT_BITS} bits")
        return x >> y

    def bit_and(self, a: Any, b: Any) -> int:
        x, y = integers("&", a, b)
        return x & y

    def bit_or(self, a: Any, b: Any) -> int:
        x, y = integers("|", a, b)
        return x | y

    def bit_xor(self, a: Any, b: Any) -> int:
        x, y = integers("^", a, b)
        return x ^ y

    def in_place(self, operator: str, a: Any, b: Any) -> Any:
        """As the operator; a list changes itself, as in Python."""
        if type(a) is list and operator == "+=":
            self.put_in(b)
            a.extend(self.listed(b))
            return a
        made = _IN_PLACE[operator](self, a, b)
        if type(a) is list:
            a[:] = made
            return a
        return made

    # comparisons

    def equal(self, a: Any, b: Any) -> bool:
        if type(a) not in SCALARS and type(b) not in SCALARS:
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
        if kind is dict or kind is MappingProxyType:
            self.text_key(item)
        elif kind in TEXTS and type(item) is kind:
            self.charge(search_cost(container, item))
        elif kind is list or kind is tuple:
            self.charge_search(item, container)
        elif (kind is frozenset and type(item) not in PLAIN) or (kind is range and not isinstance(item, int)):
            return False
        elif kind is not frozenset and kind is not range and not isinstance(container, Guarded):
            fault(f"cannot search {kind_of(item)} in {kind_of(container)}")
        return item in container

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
        if kind not in SEQUENCES:
            fault(f"{kind_of(value)} has no items")
        if type(key) is slice:
            return self._slice(value, key)
        return value[index_of(value, key)]

    def _slice(self, value: Any, part: slice) -> Any:
        for bound in (part.start, part.stop, part.step):
            if bound is not None and type(bound) is not int:
                fault(f"the bounds of a slice are integers, not {kind_of(bound)}")
        if part.step == 0:
            fault("the step of a slice cannot be 0")
        if type(value) is range:
            return value[part]
        each = _BYTE if type(value) in TEXTS else _COPIED
        self.charge(len(range(*part.indices(len(value)))) * each)
        return value[part]

    def set_item(self, item: Any, value: Any, key: Any) -> None:
        kind = type(value)
        if kind is dict:
            self.put_in(item)
            value[self.text_key(key)] = item
        elif kind is list:
            self.put_in(item)
            value[index_of(value, key)] = item
        elif isinstance(value, Guarded):
            value[key] = item
        else:
            fault(f"the items of {kind_of(value)} cannot be changed" + _copy_hint(value))

    def delete_item(self, value: Any, key: Any) -> None:
        kind = type(value)
        if kind is dict:
            if self.text_key(key) not in value:
                fault(f'the dict has no key "{key[:60]}"')
            self.take_out(value, key)
        elif kind is list:
            self.charge(len(value) // 4)
            del value[index_of(value, key)]
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
        return fault(f"{kind_of(value)} has no method {name}" + _copy_hint(value))

    # functions of the language

    def text(self, *parts: Any) -> str:
        texts = [self.text_of(part) for part in parts]
        self.charge(sum(map(len, texts)) * _BYTE)
        return "".join(texts)

    def text_of(self, value: Any = "") -> str:
        if type(value) is str:
            return value
        if type(value) in SCALARS:
            return str(value)
        return fault(f"{kind_of(value)} has no text of its own: take the parts you need")

    def length(self, value: Any) -> int:
        if type(value) in (str, bytes, list, tuple, dict, MappingProxyType, range, frozenset):
            return len(value)
        if isinstance(value, Guarded):
            return len(value)
        return fault(f"{kind_of(value)} has no length")

    def is_instance(self, value: Any, names: tuple[str, ...]) -> bool:
        return kind_of(value) in names or _ALSO.get(type(value)) in names

    def to_int(self, value: Any = 0) -> int:
        if isinstance(value, int):
            return int(value)
        if type(value) is str and _DIGITS.fullmatch(value):
            self.charge(4 * len(value))
            return checked(int(value))
        return fault(f"int takes an integer, a boolean or text of 1 to {MAX_DIGITS} digits")

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
        return list(enumerate(values, integers("enumerate", start, 0)[0]))

    def zipped(self, *values: Any) -> list[tuple[Any, ...]]:
        parts = [self.iterate(value) for value in values]
        self.charge((1 + min(map(len, parts), default=0)) * (1 + len(parts)) * _COPIED)
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
        return checked(sum(items))

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
        return abs(integers("abs", value, 0)[0])

    def portion(self, amount: Any, numerator: Any, denominator: Any) -> int:
        for number in (amount, numerator, denominator):
            integers("portion", number, 0)
        return checked(portion(amount, numerator, denominator)) if denominator else fault("division by zero")

    def divide_with_rest(self, a: Any, b: Any) -> tuple[int, int]:
        return self.floor_divide(a, b), self.remainder(a, b)

    def sha256_of(self, data: Any) -> bytes:
        if type(data) is not bytes:
            fault(f"sha256 is of bytes, not of {kind_of(data)}: write text.encode()")
        self.charge(GAS["hash"] + len(data) * GAS["hash_byte"])
        return sha256(data).digest()

    # the group of Ed25519; looking whether bytes are a point takes a multiplication too

    def combine_points(self, factors: Any, points: Any) -> bytes:
        self._require_each("combine_points", int, factors)
        self._require_each("combine_points", bytes, points)
        self.charge((len(points) + sum([factor not in (0, 1) for factor in factors])) * _MULTIPLICATION)
        try:
            return combine(factors, points)
        except DecodeError as error:
            return fault(f"combine_points: {error}")

    def is_did_key(self, did: Any) -> bool:
        self._require_each("is_did_key", str, [did])
        self.charge(_MULTIPLICATION)
        return len(did) <= MAX_KEY and is_did_key(did)

    def knows_secret(self, context: Any, bases: Any, images: Any, proof: Any) -> bool:
        self._require_each("knows_secret", bytes, [context, proof])
        self._require_each("knows_secret", bytes, bases)
        self._require_each("knows_secret", bytes, images)
        self.charge(4 * len(bases) * _MULTIPLICATION + self._hashing(context))
        return knows(context, bases, images, proof)

    def ballot_fault(self, choices: Any, least: Any, most: Any, key: Any, context: Any, ballot: Any) -> str:
        self._require_each("ballot_fault", int, [choices, least, most])
        self._require_each("ballot_fault", bytes, [key, context, ballot])
        form = Form(int(choices), int(least), int(most))
        if not form.fault:
            self.charge((1 + form.multiplications) * _MULTIPLICATION + self._hashing(context))
        return fault_of(form, key, context, ballot)

    def _require_each(self, name: str, kind: type, values: Any) -> None:
        if type(values) not in (list, tuple):
            fault(f"{name} takes a list of {kind.__name__}, not {kind_of(values)}")
        self.charge(len(values) * _COPIED)
        for value in values:
            if type(value) is not kind:
                fault(f"{name} takes {kind.__name__} here, not {kind_of(value)}")

    def _hashing(self, data: bytes) -> int:
        return GAS["hash"] + len(data) * GAS["hash_byte"]


_SYMBOLS: Final = ("+", "-", "*", "//", "%", "**", "<<", ">>", "&", "|", "^")
_IN_PLACE: Final[dict[str, Any]] = {f"{symbol}=": getattr(Guards, OPERATIONS[symbol]) for symbol in _SYMBOLS}


def _copy_hint(value: Any) -> str:
    return ": take a copy with dict(...)" if type(value) is MappingProxyType else ""
