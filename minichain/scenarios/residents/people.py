"""Made-up residents and what there is to know about them. Every value is training data; none belongs to anybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

OFFICE: Final = "Residents' Office"
BOARD: Final = "Accreditation Board"
KEEPER: Final = "Data Office"
CLINIC: Final = "Riverside Clinic"
COURT: Final = "Training Court"
AUDITOR: Final = "Audit Office"
LIBRARY: Final = "Town Library"
HALL: Final = "Sports Hall"
VERIFIERS: Final = (LIBRARY, HALL)
PARTIES: Final = (CLINIC, AUDITOR)

PURPOSES: Final = MappingProxyType(
    {"treatment": "to treat the person", "billing": "to send a bill for treatment", "statistics": "to count cases"}
)


def _person(number: int, given: str, born: str, is_adult: bool, allergy: str) -> Mapping[str, Any]:
    return MappingProxyType(
        {
            "name": f"{given} Example-{number}",
            "document": f"TD-{number:04}-{4711 + 37 * number}",
            "phone": f"+86 10 5550 01{number:02}",
            "birthDate": born,
            "overEighteen": is_adult,
            "address": {"district": "Riverside", "street": f"{number} Training Road"},
            "allergy": allergy,
        }
    )


PEOPLE: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "Resident 1": _person(1, "Lin", "1988-04-12", True, "penicillin"),
        "Resident 2": _person(2, "Mara", "2011-09-30", False, "pollen of birches"),
        "Resident 3": _person(3, "Tao", "1951-01-05", True, "wasp stings"),
    }
)
ON_CARD: Final = ("name", "document", "birthDate", "overEighteen", "address")
IN_RECORD: Final = ("name", "phone", "document", "allergy")


def personal_values() -> tuple[str, ...]:
    """Return every text that must never be on a chain, to search for it."""

    def texts(value: Any) -> Iterator[str]:
        match value:
            case str():
                yield value
            case Mapping():
                for item in value.values():
                    yield from texts(item)

    found = {text for person in PEOPLE.values() for text in texts(person)}
    return tuple(sorted(found - {"Riverside"}))  # the district is also part of the clinic's name
