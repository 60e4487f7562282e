"""The first contract of the course: notes that anybody may sign."""

from __future__ import annotations

from minichain.contracts.api import Contract, Value, action, emit, require


class Notes(Contract):
    """Keep the notes that anybody signs.

    zh: 保存任何人签名的便条。
    """

    count = Value(int)

    @action
    def write(self, text: str) -> int:
        """Write a note of at most 80 characters.

        zh: 写一张不超过 80 个字符的便条。
        """
        require(1 <= len(text) <= 80, "a note has 1 to 80 characters")
        self.count += 1
        emit("Written", text=text, by=self.caller)
        return self.count
