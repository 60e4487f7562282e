"""Where a contract keeps its data. Every access is charged, and nothing but the overlay of the call remembers it.

The keys are `data_key(contract, field, ...)` of `ledger.state`; every value is `codec.encode`d:

    field                    the value of a Value
    field "=" key            the value of one key of a Map (a tuple key is a list)
    field "*"                [number of keys, next slot] of a Map
    field "@" key            the slot of that key: 0 for the first key ever set, then 1, ...
    field "#" slot           the key in that slot; removed with its key, so a Map has holes
    field "-" level, index   how many holes there are below each of FANOUT parts of the slots, as a list

A Map is in the order of its slots. The last kind of record exists only where keys were deleted; it lets a page start
at any position after a few reads.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, Final

from minichain.codec import decode_own, decode_value, encode
from minichain.contracts.abi import Field
from minichain.contracts.language import MAX_STORED_BYTES, METHODS
from minichain.contracts.meter import GAS, GasMeter
from minichain.contracts.records import Records
from minichain.contracts.types import Type
from minichain.contracts.values import Guarded, fault, kind_of
from minichain.ledger.state import Overlay, data_key

MAX_KEY_BYTES: Final = 512  # one key of a Map
SHORT_KEY: Final = MAX_KEY_BYTES // 8  # characters: however they are encoded, the key is not too long
MAX_PAGE: Final = 1_000  # keys of one page of a Map
FANOUT: Final = 64

_READ: Final = GAS["read"]
_READ_BYTE: Final = GAS["read_byte"]
_WRITE: Final = GAS["write"]
_WRITE_BYTE: Final = GAS["write_byte"]
_TEXT: Final = ("str",)


class Storage(Records):
    """The operations of a contract, with those on its stored values."""

    __slots__ = ("_contract", "_overlay", "_writable")

    def __init__(self, contract: str, overlay: Overlay, meter: GasMeter, *, writable: bool) -> None:
        super().__init__(meter)
        self._contract = contract
        self._overlay = overlay
        self._writable = writable

    def key(self, field: str, *path: Any) -> bytes:
        return data_key(self._contract, field, *path)

    def read(self, key: bytes) -> bytes | None:
        stored = self._overlay.get(key)
        self.charge(_READ if stored is None else _READ + len(stored) * _READ_BYTE)
        return stored

    def read_plain(self, key: bytes, absent: Any) -> Any:
        stored = self.read(key)
        return absent if stored is None else self.opened(stored)

    def opened(self, stored: bytes) -> Any:
        """Decode a stored value; a list or a dict takes more room, and more time, than its bytes."""
        value = decode_value(stored)
        if type(value) is list or type(value) is dict:
            self.charge(_parts(value) * GAS["opened_item"])
        return value

    def write(self, key: bytes, stored: bytes | None) -> None:
        if not self._writable:
            fault("a view cannot change a stored value")
        self.charge(_WRITE if stored is None else _WRITE + (len(key) + len(stored)) * _WRITE_BYTE)
        self._overlay.put(key, stored)

    def stored(self, value: Any, type_: Type, name: str) -> bytes:
        """Encode a value to be stored."""
        encoded = encode(self.shaped(self.plain(value), type_, f"self.{name}"))
        if len(encoded) > MAX_STORED_BYTES:
            fault(f"self.{name}: a stored value has at most {MAX_STORED_BYTES} bytes, not {len(encoded)}")
        return encoded


class StoredMap(Guarded):
    """A Map of a running contract. See the head of this file for its layout."""

    METHODS = frozenset(METHODS["Map"])
    KIND = "Map"
    __slots__ = ("_field", "_prefix", "_storage")

    def __init__(self, storage: Storage, field: Field) -> None:
        self._storage = storage
        self._field = field
        self._prefix = storage.key(field.name, "=", None)[:-1]  # of the keys of its values

    def __getitem__(self, key: Any) -> Any:
        stored = self._storage.read(self._item(self._encodable(key)))
        if stored is None:
            fault(f"self.{self._field.name} has no key {_shown(key)}: test it with `in`, or use .get(key, default)")
        return self._shaped(self._storage.opened(stored))

    def __setitem__(self, key: Any, value: Any) -> None:
        storage, name, plain = self._storage, self._field.name, self._encodable(key)
        where = self._item(plain)
        is_new = storage.read(where) is None
        storage.write(where, storage.stored(value, self._field.type, name))
        if is_new:
            live, slot = self._head()
            storage.write(self._key("@", plain), encode(slot))
            storage.write(self._key("#", slot), encode(plain))
            storage.write(self._key("*"), encode([live + 1, slot + 1]))
            self._grow(live, slot)

    def __delitem__(self, key: Any) -> None:
        storage, plain = self._storage, self._encodable(key)
        slot = storage.read_plain(self._key("@", plain), None)
        if slot is None:
            fault(f"self.{self._field.name} has no key {_shown(key)}")
        live, end = self._head()
        for path in (("=", plain), ("@", plain), ("#", slot)):
            storage.write(self._key(*path), None)
        storage.write(self._key("*"), encode([live - 1, end]))
        for level in range(_height(end)):
            index, part = divmod(slot // FANOUT**level, FANOUT)
            holes = self._holes(level, index)
            holes[part] += 1
            storage.write(self._key("-", level, index), encode(holes))

    def __contains__(self, key: Any) -> bool:
        return self._storage.read(self._item(self._encodable(key))) is not None

    def __len__(self) -> int:
        return self._head()[0]

    def get(self, key: Any, default: Any = None) -> Any:
        stored = self._storage.read(self._item(self._encodable(key)))
        return default if stored is None else self._shaped(self._storage.opened(stored))

    def keys(self, start: int = 0, limit: int = 100) -> list[Any]:
        return [self._readable(plain) for plain in self._page(start, limit)]

    def values(self, start: int = 0, limit: int = 100) -> list[Any]:
        return [self._value(plain) for plain in self._page(start, limit)]

    def items(self, start: int = 0, limit: int = 100) -> list[tuple[Any, Any]]:
        return [(self._readable(plain), self._value(plain)) for plain in self._page(start, limit)]

    def _value(self, plain: Any) -> Any:
        return self._shaped(self._storage.read_plain(self._item(plain), None))

    def _shaped(self, value: Any) -> Any:
        field = self._field
        return self._storage.shaped(value, field.type, f"self.{field.name}") if field.type.holds_record else value

    # keys

    def _key(self, *path: Any) -> bytes:
        return self._storage.key(self._field.name, *path)

    def _item(self, plain: Any) -> bytes:
        """Return the key of a value: the usual one, so it is put together of what is known already."""
        return self._prefix + encode(plain)

    def _encodable(self, key: Any) -> Any:
        """Check a key and return it as it is encoded: a tuple as a list."""
        plain, kinds = self._storage.plain(key), self._field.keys
        if type(plain) is str and kinds == _TEXT and len(plain) <= SHORT_KEY:
            return plain  # the usual key
        parts = plain if type(key) is tuple and len(kinds) > 1 else [plain]
        if tuple(map(kind_of, parts)) != kinds:
            wanted = kinds[0] if len(kinds) == 1 else f"({', '.join(kinds)})"
            fault(f"a key of self.{self._field.name} is {wanted}, not {kind_of(key)}")
        if len(encode(plain)) > MAX_KEY_BYTES:
            fault(f"a key of self.{self._field.name} has at most {MAX_KEY_BYTES} bytes")
        return plain

    def _readable(self, plain: Any) -> Any:
        return tuple(plain) if len(self._field.keys) > 1 else plain

    # order

    def _head(self) -> tuple[int, int]:
        live, end = self._storage.read_plain(self._key("*"), (0, 0))
        return live, end

    def _holes(self, level: int, index: int) -> list[int]:
        return list(self._storage.read_plain(self._key("-", level, index), [0] * FANOUT))

    def _grow(self, live: int, slot: int) -> None:
        """Start a higher level of holes when the slots outgrow the levels there are."""
        top = _height(slot)
        if live < slot and slot == FANOUT**top:
            self._storage.write(self._key("-", top, 0), encode([slot - live] + [0] * (FANOUT - 1)))

    def _page(self, start: Any, limit: Any) -> list[Any]:
        """Return the encoded keys of the positions from `start` on, at most `limit`."""
        if type(start) is not int or type(limit) is not int or start < 0 or not 0 <= limit <= MAX_PAGE:
            fault(f"a page starts at 0 or later and has at most {MAX_PAGE} keys")
        live, end = self._head()
        stop = min(start + limit, live)
        keys: list[Any] = []
        while start + len(keys) < stop:
            slot = self._slot_at(start + len(keys), live, end)
            chunk = slot // FANOUT
            holes = self._holes(0, chunk) if live < end else [0] * FANOUT
            for candidate in range(slot, min((chunk + 1) * FANOUT, end)):
                if not holes[candidate % FANOUT] and start + len(keys) < stop:
                    keys.append(self._storage.read_plain(self._key("#", candidate), None))
        return keys

    def _slot_at(self, position: int, live: int, end: int) -> int:
        """Find the slot of the key at a position, going down the levels of holes."""
        if live == end:
            return position
        index = 0
        for level in reversed(range(_height(end))):
            part, width = 0, FANOUT**level
            holes = self._holes(level, index)
            while position >= width - holes[part]:
                position -= width - holes[part]
                part += 1
            index = index * FANOUT + part
        return index


def _parts(value: Any) -> int:
    """Count what a list or a dict holds, and what those inside it hold; level by level, as there may be many."""
    count, level = 0, [value]
    while level:
        count += sum(map(len, level))
        inner = chain.from_iterable([held.values() if type(held) is dict else held for held in level])
        level = [item for item in inner if type(item) is list or type(item) is dict]
    return count


def _height(slots: int) -> int:
    """Return how many levels of holes this many slots need."""
    height = 1
    while FANOUT**height < slots:
        height += 1
    return height


def _shown(key: Any) -> str:
    return f'"{key[:60]}"' if type(key) is str else str(key) if type(key) is int else f"of this {kind_of(key)}"


# --- for whoever proves or explains the state --------------------------------------------------------------------


def state_key(contract: str, field: str, *key: Any) -> bytes:
    """Return the state key of `contract.field`, or of `contract.field[key]`; a tuple key is given as one argument."""
    if not key:
        return data_key(contract, field)
    (one,) = key
    return data_key(contract, field, "=", list(one) if isinstance(one, tuple) else one)


def explain_key(key: bytes) -> tuple[str, str, tuple[Any, ...]] | None:
    """Tell (contract, field, (key,) or ()) of the state key of a stored value; None for every other key."""
    match decode_own(key, Any):
        case ["data", contract, field]:
            return contract, field, ()
        case ["data", contract, field, "=", one]:
            return contract, field, (tuple(one) if isinstance(one, list) else one,)
    return None
