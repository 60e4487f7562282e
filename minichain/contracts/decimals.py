"""Decimals: amounts with a fixed number of digits after the point. On the ledger and in a contract such an amount is a
whole number of its smallest unit; outside it is a `decimal.Decimal`. The way between them is exact, or it is refused.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from minichain.codec import INT_MAX, INT_MIN
from minichain.contracts.types import Type
from minichain.errors import UsageError

MAX_SCALE: Final = 12  # digits after the point; seven more are left in 64 bits

_WRITTEN: Final = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)
_LARGEST: Final = 40  # digits before or after the point of a number that is looked at; far beyond what fits


def portion(amount: int, numerator: int, denominator: int) -> int:
    """Return amount * numerator / denominator, exact and then rounded to the nearest whole number, ties to even."""
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    whole, rest = divmod(amount * numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))


def to_units(value: Any, scale: int, where: str) -> int:
    """Return an amount as the ledger holds it; raises `UsageError` for what is not exactly such an amount."""
    number = _number(value, where)
    if not number.is_finite():
        raise UsageError(f"{where} is an amount, not {number}")
    if not number:
        return 0
    if number.adjusted() > _LARGEST:
        raise UsageError(f"{where} is too large: an amount has 64 bits")
    digits = -int(number.as_tuple().exponent)
    units = Fraction(number) * 10**scale if digits <= _LARGEST else Fraction(1, 2)
    if units.denominator != 1:
        raise UsageError(f"{where} has at most {scale} digits after the point, not {digits}: {str(value)[:40]}")
    if not INT_MIN <= units <= INT_MAX:
        raise UsageError(f"{where} is too large: an amount has 64 bits")
    return units.numerator


def _number(value: Any, where: str) -> Decimal:
    match value:
        case Decimal():
            return value
        case str() if _WRITTEN.fullmatch(value):
            return Decimal(value)
        case float():
            why = "a float is not exact"
        case bool() | None:
            why = f"{value} is no amount"
        case int():
            why = "an integer may mean the whole or the smallest unit"
        case _:
            why = f"{str(value)[:40]!r} is no amount"
    raise UsageError(f"{where} takes a decimal.Decimal or text like '12.50': {why}")


def from_units(units: int, scale: int) -> Decimal:
    """Return an amount of the ledger as people count it."""
    digits = tuple(map(int, str(abs(units))))
    return Decimal((int(units < 0), digits, -scale))


# --- whole values ------------------------------------------------------------------------------------------------


def into_units(value: Any, type_: Type, where: str) -> Any:
    """Replace the amounts in an argument, wherever its type has decimals; `where` names the argument."""
    if value is None or not type_.holds_decimal:
        return value
    if type_.scale:
        return to_units(value, type_.scale, where)
    if isinstance(value, dict):
        inner = {key: _inner(type_, key) for key in value}
        return {
            key: into_units(item, one, f"{where}.{key}") if (one := inner[key]) else item for key, item in value.items()
        }
    if isinstance(value, list | tuple) and type_.item:
        return [into_units(item, type_.item, f"{where}[{index}]") for index, item in enumerate(value)]
    return value  # the contract will say what is wrong with it


def out_of_units(value: Any, type_: Type | None) -> Any:
    """Replace the amounts in a result, wherever its type has decimals."""
    if type_ is None or value is None or not type_.holds_decimal:
        return value
    if type_.scale:
        return from_units(value, type_.scale) if type(value) is int else value
    if isinstance(value, dict):
        return {key: out_of_units(item, _inner(type_, key)) for key, item in value.items()}
    if isinstance(value, list) and type_.item:
        return [out_of_units(item, type_.item) for item in value]
    return value


def _inner(type_: Type, key: Any) -> Type | None:
    return type_.item or next((field.type for field in type_.fields if field.name == key), None)
