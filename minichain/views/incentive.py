"""Does cheating pay? A subsidy by the kilogram invites to write down more of them; what stops it is a second weighing.

All amounts are fen (hundredths of a yuan) and all shares percent; what is left of a fen is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from minichain.codec import Plain
from minichain.errors import UsageError
from minichain.views.i18n import _, number

LOAD_KG: Final = 1_000  # of the load that is weighed here
LIMITS: Final = {"subsidy": (0, 200), "overstated": (0, 100), "checked": (0, 100), "fine": (0, 50)}


class Offer(Plain):
    """What is offered and risked.

    `subsidy` fen a kilogram; `overstated` percent of a load's weight are invented; `checked` percent of the loads are
    weighed again; whoever is caught pays back what was too much, and `fine` times as much again.
    """

    subsidy: int = 50
    overstated: int = 20
    checked: int = 5
    fine: int = 5

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Offer:
        """Read an offer; raises `UsageError` if something in it cannot be."""
        values: dict[str, Any] = {name: settings.get(name) for name in LIMITS}
        for name, (least, most) in LIMITS.items():
            if not isinstance(values[name], int) or not least <= values[name] <= most:
                raise UsageError(_("This run asks for more than a page can do."))
        return cls(**values)

    @property
    def settings(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in LIMITS}

    def told(self) -> list[tuple[str, str]]:
        """Say it in words."""
        return [(words, number(getattr(self, name))) for name, words in names().items()]


def names() -> dict[str, str]:
    """Return what can be set, in words."""
    return {
        "subsidy": _("Subsidy, fen a kilogram"),
        "overstated": _("Weight that is invented, %"),
        "checked": _("Loads that are weighed again, %"),
        "fine": _("Fine, times what was too much"),
    }


def balance_fen(offer: Offer) -> int:
    """Return what a cheat gains on average with a load of 1 000 kg, in fen; less than nothing if it loses."""
    gain = LOAD_KG * offer.overstated * offer.subsidy  # hundredths of a fen
    caught = offer.checked * (1 + offer.fine)
    return gain * (100 - caught) // 10_000


def balance(offer: Offer) -> str:
    """Write what a cheat gains on average, in yuan."""
    fen = balance_fen(offer)
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100:,}.{abs(fen) % 100:02}"


def break_even(offer: Offer) -> int:
    """Return the smallest share of loads to weigh again with which cheating brings nothing, in percent."""
    return -(-100 // (1 + offer.fine))
