"""What the roles of a street do: one method each, and each ends in one signed transaction.

Words are never sent. They are kept beside the chain, with the account that they are about, and the call gets a salted
commitment to them. The contracts decide who may do what; nothing is checked here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from minichain.client.receipt import Receipt
from minichain.codec import Plain
from minichain.scenarios.points.story import ACCOUNTS, CASES, INTAKE, LEDGER, PANEL, PROVIDER, REDEMPTION

OFFER_DAYS: Final = 30


class Deed(Plain):
    """One call. `papers` are texts about the account `of`: they stay outside, and the call gets commitments to them."""

    contract: str
    action: str
    args: Mapping[str, Any] = {}
    papers: Mapping[str, str] = {}
    of: str = ""


class Place(Protocol):
    """What acting needs of a street."""

    day_ms: int

    def do(self, role: str, *deeds: Deed) -> Receipt: ...
    def did(self, role: str) -> str: ...
    def signer(self, resident: str) -> str: ...
    def now_ms(self) -> int: ...


class Acts:
    """Each method names who signs first: a resident (or the desk in the place of one), or an office."""

    # --- the resident

    def object_to(self: Place, resident: str, entry: int, grounds: str, words: str, claim: int = 0) -> Receipt:
        """Object to an entry; of a reward `claim` is the amount that would be right, if one is named."""
        told = {"entry": entry, "grounds": grounds, "claim": claim}
        return _file(self, self.signer(resident), CASES, "object", self.did(resident), {"evidence": words}, told)

    def appeal(self: Place, resident: str, case: int, grounds: str, words: str) -> Receipt:
        """Appeal against a decision."""
        told = {"number": case, "grounds": grounds}
        return _file(self, self.signer(resident), CASES, "appeal", self.did(resident), {"evidence": words}, told)

    def ask_repair(self: Place, resident: str, entry: int, words: str) -> Receipt:
        """Ask that a negative entry is undone."""
        papers = {"evidence": words}
        return _file(self, self.signer(resident), CASES, "ask_repair", self.did(resident), papers, {"entry": entry})

    def order(self: Place, resident: str, item: str) -> Receipt:
        """Ask for something on the list."""
        told = {"account": self.did(resident), "item": item}
        return self.do(self.signer(resident), Deed(REDEMPTION, "request", told))

    def settle(self: Place, resident: str, entries: Sequence[int]) -> Receipt:
        """Let entries take effect whose time to object is over; anybody may."""
        return self.do(self.signer(resident), *(Deed(LEDGER, "settle", {"number": number}) for number in entries))

    def dispute(self: Place, resident: str, order: int) -> Receipt:
        """Say that what is called handed over was not received."""
        return self.do(self.signer(resident), Deed(REDEMPTION, "dispute", {"number": order}))

    # --- services that come to the door

    def agree_to_offers(self: Place, resident: str, offers: bool) -> Receipt:
        """Agree to be offered services, or agree no longer."""
        told = {"account": self.did(resident), "offers": offers}
        return self.do(self.signer(resident), Deed(ACCOUNTS, "accept_offers", told))

    def offer(self: Place, resident: str, service: str) -> Receipt:
        """Offer a service for some weeks; that the points were asked for to plan it is put on record."""
        account, until = self.did(resident), self.now_ms() + OFFER_DAYS * self.day_ms
        asked = Deed(ACCOUNTS, "ask", {"account": account, "use": "service-planning"})
        offered = Deed(ACCOUNTS, "offer", {"account": account, "service": service, "until": until})
        return self.do(PROVIDER, asked, offered)

    def answer(self: Place, resident: str, offer: int, is_accepted: bool) -> Receipt:
        """Accept an offered service, or decline it."""
        told = {"number": offer, "is_accepted": is_accepted}
        return self.do(self.signer(resident), Deed(ACCOUNTS, "answer", told))

    def deliver(self: Place, offer: int) -> Receipt:
        """Say that a service was delivered."""
        return self.do(PROVIDER, Deed(ACCOUNTS, "deliver", {"number": offer}))

    # --- the clerks

    def verify(self: Place, role: str, account: str, entry: int, decision: str = "", looked_at: str = "") -> Receipt:
        """Verify an entry; a negative one with a decision, a flagged one with a note on what was looked at."""
        papers = {name: words for name, words in (("decision", decision), ("looked_at", looked_at)) if words}
        return _file(self, role, INTAKE, "verify", account, papers, {"number": entry})

    def reject(self: Place, role: str, account: str, entry: int, reasons: str) -> Receipt:
        """Reject an entry that is not right, and tell the resident why."""
        return _file(self, role, INTAKE, "reject", account, {"reasons": reasons}, {"number": entry})

    def tell(self: Place, role: str, account: str, entry: int, words: str) -> Receipt:
        """Tell the resident, with reasons."""
        return _file(self, role, INTAKE, "notify", account, {"notice": words}, {"number": entry})

    def let_lapse(self: Place, role: str, entry: int) -> Receipt:
        """Say that no office looked at an entry in time, or told the resident; anybody may."""
        return self.do(role, Deed(INTAKE, "lapse", {"number": entry}))

    # --- who decides

    def decide(self: Place, role: str, account: str, case: int, outcome: str, reasons: str, amount: int = 0) -> Receipt:
        """Decide on a case, with reasons."""
        told = {"number": case, "outcome": outcome, "amount": amount}
        return _file(self, role, CASES, "decide", account, {"reasons": reasons}, told)

    def seat(self: Place, role: str, case: int) -> Receipt:
        """Seat the panel."""
        told = {"number": case, "members": [self.did(member) for member in PANEL]}
        return self.do(role, Deed(CASES, "seat", told))

    def vote(self: Place, role: str, account: str, case: int, outcome: str, reasons: str) -> Receipt:
        """Vote as a member of the panel, with reasons."""
        return _file(self, role, CASES, "vote", account, {"reasons": reasons}, {"number": case, "outcome": outcome})

    def lapse(self: Place, role: str, case: int) -> Receipt:
        """Say that the deadline of a case has passed; anybody may."""
        return self.do(role, Deed(CASES, "lapse", {"number": case}))

    # --- what points are good for

    def reserve(self: Place, role: str, order: int) -> Receipt:
        """Reserve the money for an order, and take its points."""
        return self.do(role, Deed(REDEMPTION, "reserve", {"number": order}))

    def fulfil(self: Place, role: str, account: str, order: int, words: str) -> Receipt:
        """Say that an order was handed over."""
        return _file(self, role, REDEMPTION, "fulfil", account, {"proof": words}, {"number": order})

    def cancel(self: Place, role: str, order: int) -> Receipt:
        """Cancel an order: the points come back."""
        return self.do(role, Deed(REDEMPTION, "cancel", {"number": order}))

    def decide_order(self: Place, role: str, account: str, order: int, is_refunded: bool, reasons: str) -> Receipt:
        """Decide on a disputed order, with reasons."""
        told = {"number": order, "is_refunded": is_refunded}
        return _file(self, role, REDEMPTION, "decide", account, {"reasons": reasons}, told)


def _file(
    place: Place, role: str, contract: str, action: str, of: str, papers: Mapping[str, str], args: Mapping[str, Any]
) -> Receipt:
    return place.do(role, Deed(contract, action, args, papers, of))
