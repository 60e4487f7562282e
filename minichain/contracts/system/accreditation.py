# mypy: disable-error-code="type-arg,no-any-return"
"""Who may issue which type of credential, decided by one authority (an account, or a contract that decides by vote).

An accreditation ends at its time, or when it is withdrawn; both stay readable. A verifier may go by this list.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Value, action, emit, require, view

MAX_NAME = 64


class Accreditation(Contract):
    """Accredited issuers of credentials."""

    authority = Value(str)
    issuers = Map((str, str), dict)  # (issuer's did, type of credential)

    def setup(self, authority: str = "") -> None:
        self.authority = authority or self.caller

    @action
    def accredit(self, issuer: str, kind: str, until: int) -> None:
        """Accredit an issuer for one type of credential, until a time."""
        require(self.caller == self.authority, "only the authority accredits")
        require(issuer.startswith("did:") and len(issuer) <= 255, "an issuer is named by its did")
        require(1 <= len(kind) <= MAX_NAME and kind.isalnum(), f"a type has 1 to {MAX_NAME} letters and digits")
        require(until > self.now, "an accreditation ends in the future")
        self.issuers[(issuer, kind)] = {"since": self.now, "until": until, "withdrawn": 0}
        emit("Accredited", issuer=issuer, kind=kind, until=until)

    @action
    def withdraw(self, issuer: str, kind: str) -> None:
        """Withdraw an accreditation from now on."""
        require(self.caller == self.authority, "only the authority withdraws")
        require(self.is_accredited(issuer, kind), "this issuer is not accredited for this type")
        found = self.issuers[(issuer, kind)]
        found["withdrawn"] = self.now
        self.issuers[(issuer, kind)] = found
        emit("Withdrawn", issuer=issuer, kind=kind)

    @action
    def hand_over(self, authority: str) -> None:
        """Let somebody else decide from now on."""
        require(self.caller == self.authority, "only the authority hands over")
        require(1 <= len(authority) <= 255, "name the account or the contract that takes over")
        self.authority = authority
        emit("HandedOver", authority=authority)

    @view
    def is_accredited(self, issuer: str, kind: str) -> bool:
        """Tell whether an issuer may issue a type of credential now."""
        found = self.issuers.get((issuer, kind))
        return found is not None and found["withdrawn"] == 0 and self.now < found["until"]

    @view
    def accreditation(self, issuer: str, kind: str) -> dict:
        """Show an accreditation: since, until, and when it was withdrawn (0: it was not)."""
        return self.issuers.get((issuer, kind), {"since": 0, "until": 0, "withdrawn": 0})

    @view
    def accredited(self, start: int = 0, limit: int = 100) -> list:
        """List accreditations as [issuer, type, accreditation], oldest first."""
        return [[key[0], key[1], found] for key, found in self.issuers.items(start, limit)]
