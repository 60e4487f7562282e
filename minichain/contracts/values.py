"""The values of a running contract, and what it costs to look at all of one or to copy it.

A value is None, a boolean, an integer, text, bytes, a list, a tuple, a dict, a range, a constant dict or frozenset of
the module, a record, or something `Guarded`; nothing else can come into being. The work is charged before it is done.
"""

from __future__ import annotations

from types import MappingProxyType, NoneType
from typing import Any, ClassVar, Final, NoReturn

from minichain.codec import INT_MAX, INT_MIN, MAX_VALUE_DEPTH
from minichain.contracts.language import INT_BITS
from minichain.contracts.meter import GAS, GasMeter
from minichain.contracts.types import Type
from minichain.errors import ContractFault

SCALARS: Final = frozenset({int, bool, NoneType})
TEXTS: Final = frozenset({str, bytes})
PLAIN: Final = SCALARS | TEXTS
SEQUENCES: Final = frozenset({str, bytes, list, tuple, range})
DICTS: Final = frozenset({dict, MappingProxyType})

MOST_HOLES: Final = 8  # in a dict, before it matters that they are there

_LIMIT: Final = 1 << INT_BITS
_BYTE: Final = GAS["byte"]
_COPIED: Final = GAS["copied_item"]
_COMPARED: Final = GAS["compared_item"]
_LEFT: Final = GAS["left_item"]


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


class RecordValue(dict[str, Any]):
    """A record of the module. It is compared, charged and stored as the dict it is; the language reaches its fields by
    their names alone, because no operation on dicts accepts this type.
    """

    __slots__ = ("type",)

    def __init__(self, type_: Type, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.type = type_


def kind_of(value: Any) -> str:
    """Name the type of a value in words of the contract language."""
    if isinstance(value, Guarded):
        return value.KIND
    if type(value) is RecordValue:
        return value.type.name
    return _KINDS.get(type(value), type(value).__name__)


_KINDS: Final[dict[type, str]] = {NoneType: "None", MappingProxyType: "constant dict"}


def checked(number: int) -> int:
    """Refuse a number that grew too large."""
    if -_LIMIT < number < _LIMIT:
        return number
    fault(f"a number grew beyond {INT_BITS} bits")


def integers(symbol: str, a: Any, b: Any) -> tuple[int, int]:
    """Refuse whatever is not an integer or a boolean."""
    if isinstance(a, int) and isinstance(b, int):
        return a, b
    fault(f"{symbol} does not work on {kind_of(a)} and {kind_of(b)}")


def index_of(value: Any, key: Any) -> int:
    """Refuse whatever does not name an item of a sequence."""
    if not isinstance(key, int):
        fault(f"an item of {kind_of(value)} is named by an integer, not by {kind_of(key)}")
    length = len(value)
    if not -length <= key < length:
        fault(f"item {key} is outside a {kind_of(value)} of length {length}")
    return int(key)


def search_cost(text: Any, part: Any) -> int:
    """Bound CPython's search: quadratic for short text (at most about 3 million steps), linear for long text."""
    n, m = len(text), len(part)
    return n + m + min(n * m // 4, 1_000_000 + 4 * n)


class Measures:
    """What a running contract is charged for whole values."""

    __slots__ = ("charge", "meter")

    def __init__(self, meter: GasMeter) -> None:
        self.meter = meter
        self.charge = meter.charge

    def weigh(self, value: Any, depth: int = 0) -> int:
        """Charge for visiting every part of a value; return the same amount, a bound on comparing it once."""
        kind = type(value)
        if kind in SCALARS:
            return _COMPARED
        if kind in TEXTS:
            cost = _COMPARED + len(value) // 16
            self.charge(cost)
            return cost
        if depth >= MAX_VALUE_DEPTH:
            fault(f"a value is nested deeper than {MAX_VALUE_DEPTH} levels")
        if kind is frozenset:  # has a partial order only: what a sort makes of it would depend on its algorithm
            fault("a constant frozenset cannot be compared: ask it with `in`")
        cost = _COMPARED if kind is range else _COMPARED * (1 + len(value))
        self.charge(cost)
        if kind is list or kind is tuple:
            return cost + sum([self.weigh(item, depth + 1) for item in value])
        if kind in DICTS or kind is RecordValue:
            return cost + sum([self.weigh(key) + self.weigh(item, depth + 1) for key, item in value.items()])
        return cost

    def plain(self, value: Any, depth: int = 0) -> Any:
        """Charge for and copy a value that enters or leaves the contract; a tuple becomes a list."""
        kind = type(value)
        if kind is str or kind is bytes:
            self.charge(_LEFT + len(value) * _BYTE)
            return value
        self.charge(_LEFT)
        if kind is int:
            if not INT_MIN <= value <= INT_MAX:
                fault("a number that is stored, returned, passed on or announced must fit in 64 bits")
            return value
        if kind in SCALARS:
            return value
        if depth >= MAX_VALUE_DEPTH:
            fault(f"a value is nested deeper than {MAX_VALUE_DEPTH} levels")
        if kind is list or kind is tuple:
            return [self.plain(item, depth + 1) for item in value]
        if kind in DICTS or kind is RecordValue:
            return {self.plain(self.text_key(key)): self.plain(item, depth + 1) for key, item in value.items()}
        fault(f"{kind_of(value)} is not a value the ledger can hold: use int, str, bool, bytes, list, dict or None")

    def text_key(self, key: Any) -> Any:
        if type(key) is not str:
            fault(f"the keys of a dict are text, not {kind_of(key)}: use str(key)")
        if len(key) > 64:
            self.charge(len(key) // 4)
        return key

    def put_in(self, item: Any) -> None:
        """Note that something comes into a list, a dict or a record that was there before it: only so can values come
        to hold each other, which nobody but the garbage collector takes apart.
        """
        if type(item) not in PLAIN:
            self.meter.has_knots = True

    def take_out(self, value: dict[str, Any], key: str) -> Any:
        """Take a key out of a dict. Python leaves a hole where it was, and steps over each hole whenever it looks at
        the whole; so a dict is made anew each time about half of it is gone.
        """
        item, left = value.pop(key), len(value)
        if left >= MOST_HOLES and left & (left - 1) == 0:
            self.charge_copy(value)
            rest = dict(value)
            value.clear()
            value.update(rest)
        return item

    def iterate(self, value: Any) -> Any:
        kind = type(value)
        if kind in SEQUENCES:
            return value
        if kind in DICTS:
            self.charge(len(value) * _COPIED)
            return tuple(value)  # a loop may change the dict it runs over
        hint = ": read its keys(), values() or items() page by page" if isinstance(value, Guarded) else ""
        return fault(f"cannot loop over {kind_of(value)}{hint}")

    def listed(self, value: Any) -> Any:
        """Return what can be looped over, charged as if it were copied."""
        values = self.iterate(value)
        self.charge_copy(values)
        return values

    def charge_copy(self, value: Any) -> None:
        self.charge(len(value) * _COPIED)

    def charge_visits(self, value: Any) -> None:
        self.charge(len(value) * _COMPARED)

    def charge_search(self, item: Any, container: Any) -> None:
        self.charge(len(container) * self.weigh(item) // 4)
