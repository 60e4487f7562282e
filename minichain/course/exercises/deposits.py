"""A contract that keeps the fingerprints of files, and a note to each, as courts and notaries use it."""

from __future__ import annotations

from minichain.contracts.api import Contract, Value, action, emit, require


class Deposits(Contract):
    """Keep the fingerprint of a file, who deposited it, and a note.

    zh: 保存文件的指纹、存证人和备注。
    """

    count = Value(int)

    @action
    def deposit(self, fingerprint: str, note: str) -> int:
        """Deposit the SHA-256 fingerprint of a file, with a note of at most 80 characters.

        zh: 存入文件的 SHA-256 指纹，并附不超过 80 个字符的备注。
        """
        require(len(fingerprint) == 64, "a fingerprint has 64 hexadecimal digits")
        require(1 <= len(note) <= 80, "a note has 1 to 80 characters")
        self.count += 1
        emit("Deposited", fingerprint=fingerprint, note=note, by=self.caller)
        return self.count
