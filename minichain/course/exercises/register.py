"""A contract that keeps whatever is entered: what a ledger does for people is decided by what they write to it."""

from __future__ import annotations

from minichain.contracts.api import Contract, Value, action, emit


class Register(Contract):
    """Keep entries as they are, each with the key that signed it.

    zh: 原样保存条目，连同签名的密钥。
    """

    count = Value(int)

    @action
    def enter(self, entry: dict) -> int:  # type: ignore[type-arg]
        """Enter something.

        zh: 登记一条内容。
        """
        self.count += 1
        emit("Entered", entry=entry, by=self.caller)
        return self.count
