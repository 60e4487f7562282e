# mypy: disable-error-code="type-arg,no-any-return"
"""A desk: takes notes for whoever asks through the bridge, and asks the desks of other chains."""

from __future__ import annotations

from minichain.contracts.api import Contract, Value, action, require, view

MAX_NOTES = 50


class Desk(Contract):
    """Notes from other chains, and what became of the notes sent there.

    zh: 记录其他链发来的便条，以及发往其他链的便条的结果。
    """

    notes = Value(list)  # [who, text]
    told = Value(list)  # [chain, number, outcome]

    @action
    def note(self, origin: str, text: str) -> int:
        """Write down what somebody on another chain says; returns how many notes there are.

        zh: 记下其他链上某人的话；返回便条数。
        """
        require(self.caller == "bridge", "ask through the bridge")
        require(text != "", "there is nothing to write down")
        require(len(self.notes) < MAX_NOTES, "the book is full")
        self.notes = self.notes + [[origin, text]]  # noqa: RUF005 - the language writes arguments out
        return len(self.notes)

    @action
    def ask(self, chain: str, text: str, within_ms: int = 600000) -> int:
        """Send a note to the desk of another chain; returns the number of the message.

        zh: 向另一条链的柜台发送便条；返回消息编号。
        """
        return self.call(
            "bridge",
            "send",
            chain=chain,
            contract="desk",
            name="note",
            arguments={"text": text},
            gas=1000000,
            within_ms=within_ms,
            answer="hear",
        )

    @action
    def hear(self, chain: str, number: int, outcome: str, result: list) -> None:
        """Be told what became of a note.

        zh: 得知便条的结果。
        """
        require(self.caller == "bridge", "only the bridge tells")
        self.told = self.told + [[chain, number, outcome]]  # noqa: RUF005

    @view
    def book(self) -> list:
        """Show the notes.

        zh: 查看便条。
        """
        return self.notes

    @view
    def answers(self) -> list:
        """Show what became of the notes that were sent.

        zh: 查看已发便条的结果。
        """
        return self.told
