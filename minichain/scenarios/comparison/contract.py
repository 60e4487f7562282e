# mypy: disable-error-code="no-any-return"
"""A contract small enough to be one of two hundred: what residents brought to a collection point."""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, action, emit, require, view


class Collections(Contract):
    """Keep how many kilograms each resident has brought."""

    kilograms = Map(str, int)

    @action
    def bring(self, weight: int) -> int:
        """Add what the caller has brought, from 1 to 50 kilograms; return what that makes together."""
        require(1 <= weight <= 50, "a resident brings from 1 to 50 kilograms")
        self.kilograms[self.caller] = self.kilograms.get(self.caller, 0) + weight
        emit("Brought", who=self.caller, weight=weight)
        return self.kilograms[self.caller]

    @view
    def brought(self, who: str) -> int:
        """Return what somebody has brought so far."""
        return self.kilograms.get(who, 0)
