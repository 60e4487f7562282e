# mypy: disable-error-code="type-arg,no-any-return"
"""Who may issue which type of credential, decided by one accreditor (an account, or a contract that decides by vote).

An accreditation ends at its time, or when it is withdrawn; both stay readable. A verifier may go by this list.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Value, action, emit, require, view

MAX_NAME = 64


class Accreditation(Contract):
    """Accredited issuers of credentials.

    zh: 获认可的发证机关。
    """

    accreditor = Value(str)
    issuers = Map((str, str), dict)  # (issuer's did, type of credential)

    def setup(self, accreditor: str = "") -> None:
        self.accreditor = accreditor or self.caller

    @action
    def accredit(self, issuer: str, kind: str, until: int) -> None:
        """Accredit an issuer for one type of credential, until a time.

        zh: 认可一个机关在某时之前发放一类证件。
        """
        require(self.caller == self.accreditor, "only the accreditor accredits")
        require(issuer.startswith("did:") and len(issuer) <= 255, "an issuer is named by its did")
        require(1 <= len(kind) <= MAX_NAME and kind.isalnum(), f"a type has 1 to {MAX_NAME} letters and digits")
        require(until > self.now, "an accreditation ends in the future")
        self.issuers[(issuer, kind)] = {"since": self.now, "until": until, "withdrawn": 0}
        emit("Accredited", issuer=issuer, kind=kind, until=until)

    @action
    def withdraw(self, issuer: str, kind: str) -> None:
        """Withdraw an accreditation from now on.

        zh: 从现在起撤回认可。
        """
        require(self.caller == self.accreditor, "only the accreditor withdraws")
        require(self.is_accredited(issuer, kind), "this issuer is not accredited for this type")
        found = self.issuers[(issuer, kind)]
        found["withdrawn"] = self.now
        self.issuers[(issuer, kind)] = found
        emit("Withdrawn", issuer=issuer, kind=kind)

    @action
    def hand_over(self, accreditor: str) -> None:
        """Let somebody else decide from now on.

        zh: 从现在起由别人决定。
        """
        require(self.caller == self.accreditor, "only the accreditor hands over")
        require(1 <= len(accreditor) <= 255, "name the account or the contract that takes over")
        self.accreditor = accreditor
        emit("HandedOver", accreditor=accreditor)

    @view
    def is_accredited(self, issuer: str, kind: str) -> bool:
        """Tell whether an issuer may issue a type of credential now.

        zh: 说明某机关现在是否可以发放某类证件。
        """
        found = self.issuers.get((issuer, kind))
        return found is not None and found["withdrawn"] == 0 and self.now < found["until"]

    @view
    def accreditation(self, issuer: str, kind: str) -> dict:
        """Show an accreditation: since, until, and when it was withdrawn (0: it was not).

        zh: 显示一项认可：起始、截止、撤回时间（0 表示未撤回）。
        """
        return self.issuers.get((issuer, kind), {"since": 0, "until": 0, "withdrawn": 0})

    @view
    def accredited(self, start: int = 0, limit: int = 100) -> list:
        """List accreditations as [issuer, type, accreditation], oldest first.

        zh: 列出各项认可，最早的在前。
        """
        return [[key[0], key[1], found] for key, found in self.issuers.items(start, limit)]
