# mypy: disable-error-code="type-arg,no-any-return"
"""Which credentials were revoked or are suspended, as bits: a place of a list does not say whose credential it is.

An issuer opens a list and alone changes it. A revocation is for good; a suspension can be lifted. A change counts from
the block that holds it.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Value, action, emit, require, view

PLACES = 131_072  # of a list: a small one would not hide anybody (W3C Bitstring Status List)
CHUNK = 32  # bytes that are stored together
PURPOSES = ("revocation", "suspension")


class Status(Contract):
    """Status lists of credentials.

    zh: 证件状态名单。
    """

    count = Value(int)
    lists = Map(int, dict)
    chunks = Map((int, int), bytes)  # (list, part of it) -> bits, the first place the highest; absent: all clear

    @action
    def open(self, purpose: str) -> int:
        """Open a list for revocation or suspension; returns its number.

        zh: 开设一份吊销或暂停名单；返回其编号。
        """
        require(purpose in PURPOSES, "a list is for revocation or suspension")
        number = self.count + 1
        self.count = number
        self.lists[number] = {"issuer": self.caller, "purpose": purpose, "places": PLACES, "opened": self.height}
        emit("StatusListOpened", number=number, issuer=self.caller, purpose=purpose)
        return number

    @action
    def mark(self, number: int, place: int) -> None:
        """Revoke, or suspend, what has this place.

        zh: 吊销或暂停占有此位置的证件。
        """
        self.write(number, place, True)

    @action
    def clear(self, number: int, place: int) -> None:
        """Lift the suspension of what has this place.

        zh: 解除此位置上的暂停。
        """
        require(number in self.lists, f"there is no list {number}: open one first")
        require(self.lists[number]["purpose"] == "suspension", "a revocation is for good: issue a new credential")
        self.write(number, place, False)

    def write(self, number: int, place: int, is_on: bool) -> None:
        require(number in self.lists, f"there is no list {number}: open one first")
        require(self.lists[number]["issuer"] == self.caller, "only the issuer that opened a list changes it")
        require(0 <= place < PLACES, f"a list has the places 0 to {PLACES - 1}")
        part, index, bit = place // (CHUNK * 8), place % (CHUNK * 8) // 8, 128 >> place % 8
        chunk = self.chunks.get((number, part), b"\x00" * CHUNK)
        was_on = chunk[index] & bit > 0
        require(was_on != is_on, "it is so already")
        changed = chunk[index] ^ bit
        self.chunks[(number, part)] = chunk[:index] + bytes([changed]) + chunk[index + 1 :]
        emit("StatusChanged", number=number, place=place, on=is_on)

    @view
    def get(self, number: int, place: int) -> bool:
        """Tell whether a place is marked.

        zh: 说明某个位置是否被标记。
        """
        require(number in self.lists, f"there is no list {number}")
        require(0 <= place < PLACES, f"a list has the places 0 to {PLACES - 1}")
        chunk = self.chunks.get((number, place // (CHUNK * 8)), b"\x00" * CHUNK)
        return chunk[place % (CHUNK * 8) // 8] & 128 >> place % 8 > 0

    @view
    def opened(self, number: int) -> dict:
        """Show who opened a list, and for what.

        zh: 显示谁为何开设了名单。
        """
        require(number in self.lists, f"there is no list {number}")
        return self.lists[number]

    @view
    def bits(self, number: int, start: int = 0, limit: int = 64) -> bytes:
        """Return some parts of a list, of 256 places each, for export.

        zh: 返回名单的若干部分，每部分 256 位，供导出。
        """
        require(number in self.lists, f"there is no list {number}")
        require(start >= 0 and 0 <= limit <= 64, "ask for at most 64 parts at a time")
        end = min(start + limit, PLACES // (CHUNK * 8))
        parts = [self.chunks.get((number, part), b"\x00" * CHUNK) for part in range(start, end)]
        whole = b""
        for part in parts:
            whole += part
        return whole
