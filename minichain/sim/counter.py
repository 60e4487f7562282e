# mypy: disable-error-code="no-any-return"
"""The contract that simulated clients call. It writes first and refuses afterwards: a failure has writes to undo."""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Value, action, emit, require


class Counter(Contract):
    """Count what each caller adds, up to 9 at once."""

    total = Value(int)
    counts = Map(str, int)

    @action
    def add(self, amount: int) -> int:
        """Add to the caller's count; return the total."""
        self.counts[self.caller] = self.counts.get(self.caller, 0) + amount
        self.total += amount
        require(1 <= amount <= 9, "from 1 to 9 at once")
        emit("Added", who=self.caller, amount=amount)
        return self.total
