"""Records of a running contract: made and changed field by field, and made again from what is stored or handed in.

A field that is set is judged by what it is, not by what is inside it; what enters or leaves the contract is judged
whole, and the error names the place.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from minichain.contracts.guards import Guards
from minichain.contracts.meter import GAS
from minichain.contracts.types import Parameter, Type, fits
from minichain.contracts.values import RecordValue, fault, kind_of

MAX_SHOWN: Final = 40  # characters of a key in an error

_MADE: Final = 5 * GAS["operation"]
_FIELD: Final = GAS["operation"]  # that is judged
_COPIED: Final = GAS["copied_item"]


class Records(Guards):
    """The operations of a contract on records."""

    __slots__ = ()

    def make(self, type_: Type, values: dict[str, Any]) -> RecordValue:
        """Make a record of the fields that are given and the defaults of the others."""
        self.charge(_MADE + len(type_.fields) * _COPIED + len(values) * _FIELD)
        for name, value in values.items():
            _require_held(value, type_.by_name[name], type_)
        return self._completed(type_, values)

    def _completed(self, type_: Type, values: dict[str, Any]) -> RecordValue:
        made = RecordValue(type_, {**type_.defaults, **values})
        for field in type_.made_anew:
            if field.name not in values:
                made[field.name] = self._built(self.plain(field.default), field.type)
        return made

    def get_attribute(self, owner: Any, name: str) -> Any:
        if type(owner) is RecordValue and name in owner:
            return owner[name]
        return fault(_no_attribute(owner, name))

    def set_attribute(self, value: Any, owner: Any, name: str) -> None:
        if type(owner) is not RecordValue or name not in owner:
            fault(_no_attribute(owner, name))
        self.charge(_FIELD)
        _require_held(value, owner.type.by_name[name], owner.type)
        self.put_in(value)
        owner[name] = value

    def shaped(self, value: Any, type_: Type, where: str) -> Any:
        """Make the records in a ledger value, and give them the defaults they leave out. The value is consumed."""
        if not fits(value, type_):
            fault(mismatch(value, type_, where))
        return self._built(value, type_) if type_.holds_record else value

    def _built(self, value: Any, type_: Type) -> Any:
        inner = type_.item
        if value is None or not type_.holds_record:
            return value
        if type_.fields:
            self.charge(_MADE + len(type_.fields) * _FIELD)
            for field in type_.fields:
                if field.type.holds_record and field.name in value:
                    value[field.name] = self._built(value[field.name], field.type)
            return self._completed(type_, value)
        assert inner is not None
        self.charge_copy(value)
        if type_.name == "dict":
            return {key: self._built(item, inner) for key, item in value.items()}
        return [self._built(item, inner) for item in value]


def _require_held(value: Any, field: Parameter, owner: Type) -> None:
    """Refuse a value that a field cannot hold."""
    type_, kind = field.type, type(value)
    if type_.is_simple and kind is type_.kind:
        return
    if value is None:
        is_right = type_.optional
    elif type_.fields:
        is_right = kind is RecordValue and value.type.name == type_.name
    else:
        is_right = _AS.get(kind, kind) is type_.kind
    if not is_right:
        fault(f"{owner.name}.{field.name} must be {type_}, not {kind_of(value)}")


_AS: Final[dict[type, type]] = {tuple: list, MappingProxyType: dict}  # what these become on the ledger


def _no_attribute(owner: Any, name: str) -> str:
    if type(owner) is RecordValue:
        return f"{kind_of(owner)} has no field {name}; it has: {', '.join(owner.type.by_name)}"
    return f"{kind_of(owner)} has no field {name}: only a record has"


def mismatch(value: Any, type_: Type, where: str) -> str:
    """Say in what a ledger value differs from a type it does not fit, and where."""
    if type(value) is type_.kind:
        if type_.fields:
            return _mismatch_of_field(value, type_, where)
        if type_.item:
            places = value.items() if type_.name == "dict" else enumerate(value)
            key, item = next((key, item) for key, item in places if not fits(item, type_.item))
            return mismatch(item, type_.item, f"{where}[{_shown(key)}]")
    return f"{where} must be {type_}, not {kind_of(value)}"


def _mismatch_of_field(value: dict[str, Any], type_: Type, where: str) -> str:
    names = [field.name for field in type_.fields]
    for field in type_.fields:
        if field.name in value:
            if not fits(value[field.name], field.type):
                return mismatch(value[field.name], field.type, f"{where}.{field.name}")
        elif field.required:
            return f"{where}.{field.name} is missing"
    unknown = min(key for key in value if key not in names)
    return f"{where} has no field {_shown(unknown)}; {type_.name} has: {', '.join(names)}"


def _shown(key: Any) -> str:
    return f'"{key[:MAX_SHOWN]}"' if isinstance(key, str) else str(key)
