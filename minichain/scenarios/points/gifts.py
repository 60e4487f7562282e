"""Points that residents of a street give away: the causes they are given for, and what becomes of each gift.

A cause is nobody's: its papers are about no account. Whose a gift is, the entry says by which its points were taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from minichain.client.network import Network
from minichain.client.receipt import Receipt
from minichain.scenarios.points.acting import Deed
from minichain.scenarios.points.figures import Ask, asker, pages
from minichain.scenarios.points.story import GIVING, PROVIDER, TREASURER

CAUSE_DAYS: Final = 100
EVENT: Final = "gift-"  # before the number of a gift, in the entry of its points


class Place(Protocol):
    """What giving needs of a street."""

    net: Network
    day_ms: int

    def do(self, role: str, *deeds: Deed) -> Receipt: ...
    def did(self, role: str) -> str: ...
    def signer(self, resident: str) -> str: ...
    def now_ms(self) -> int: ...


class Gifts:
    """Each method ends in one signed transaction; the contracts decide who may do what."""

    # --- the resident

    def give(self: Place, resident: str, cause: str, points: int) -> Receipt:
        """Give points for a cause."""
        told = {"account": self.did(resident), "cause": cause, "points": points}
        return self.do(self.signer(resident), Deed(GIVING, "give", told))

    def take_back(self: Place, resident: str, gift: int) -> Receipt:
        """Take a gift back."""
        return self.do(self.signer(resident), Deed(GIVING, "take_back", {"number": gift}))

    def dispute_gift(self: Place, resident: str, gift: int) -> Receipt:
        """Say, as one who gave, that nobody was helped."""
        return self.do(self.signer(resident), Deed(GIVING, "dispute", {"gift": gift}))

    # --- the offices

    def open_cause(self: Place, item: str, count: int) -> Receipt:
        """Let points be given for so many of something on the list, for some months."""
        return self.do(TREASURER, opening(self, len(codes(asker(self.net))) + 1, item, count))

    def reserve_cause(self: Place, cause: str) -> Receipt:
        """Reserve the money for a cause that has enough."""
        return self.do(TREASURER, Deed(GIVING, "reserve", {"cause": cause}))

    def deliver_cause(self: Place, cause: str, words: str) -> Receipt:
        """Say that those in need have what was given for."""
        return self.do(PROVIDER, Deed(GIVING, "deliver", {"cause": cause}, {"proof": words}))

    def decide_cause(self: Place, role: str, cause: str, is_returned: bool, reasons: str) -> Receipt:
        """Decide on a disputed cause, with reasons."""
        told = {"cause": cause, "is_returned": is_returned}
        return self.do(role, Deed(GIVING, "decide", told, {"reasons": reasons}))

    def end_cause(self: Place, role: str, cause: str) -> Receipt:
        """Say that a cause came to nothing in its time; anybody may."""
        return self.do(role, Deed(GIVING, "end", {"cause": cause}))


def opening(place: Place, number: int, item: str, count: int) -> Deed:
    """Return what opens the cause of a number."""
    until = place.now_ms() + CAUSE_DAYS * place.day_ms
    return Deed(GIVING, "open_cause", {"code": f"cause-{number}", "item": item, "count": count, "until": until})


# --- what was given ----------------------------------------------------------------------------------------------


def codes(ask: Ask) -> list[str]:
    """Return the codes of all causes, the oldest first."""
    return list(pages(ask, GIVING, "causes_listed"))


def causes(ask: Ask) -> Iterator[Mapping[str, Any]]:
    """Yield all causes, each with its code."""
    for code in codes(ask):
        yield {"code": code, "cause": ask(GIVING, "cause", code=code)}


def gifts_of(ask: Ask, entries: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the gifts whose points some entries have taken, each with its number, in the order of the entries."""
    for one in entries:
        if one["entry"]["kind"] == "gift":
            number = int(one["entry"]["event"].removeprefix(EVENT))
            yield {"number": number, "gift": ask(GIVING, "gift", number=number)}
