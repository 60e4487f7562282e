# mypy: disable-error-code="type-arg"
"""The notes of a class: each institution may sign some, for everybody to read. No names of people belong there."""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Value, action, emit, require, view

MAX_NOTE = 80
MAX_NOTES = 50


class Board(Contract):
    """Keep short notes, each signed by an institution that the desk of the class has let in."""

    keeper = Value(str)
    places = Map(str, int)  # did -> number of the institution in the class
    counts = Map(str, int)
    notes = Map(int, dict)
    total = Value(int)

    def setup(self, keeper: str) -> None:
        self.keeper = keeper
        self.total = 0

    @action
    def admit(self, did: str, number: int) -> None:
        """Let an institution sign notes; only the desk of the class may.
        zh: 允许一个机构签写留言；只有课堂服务台可以。
        """
        require(self.caller == self.keeper, "only the desk of the class lets institutions in")
        require(number > 0, "number: institutions are counted from 1")
        self.places[did] = number
        emit("Admitted", did=did, number=number)

    @action
    def sign(self, text: str) -> int:
        """Sign a note of 1 to 80 characters; returns its number.
        zh: 签写一条 1 到 80 个字符的留言；返回其编号。
        """
        require(self.caller in self.places, "only institutions of the class sign notes: join it first")
        require(1 <= len(text) <= MAX_NOTE, f"a note has 1 to {MAX_NOTE} characters")
        count = self.counts.get(self.caller, 0)
        require(count < MAX_NOTES, f"an institution signs {MAX_NOTES} notes at most")
        self.counts[self.caller] = count + 1
        self.total += 1
        self.notes[self.total] = {"by": self.caller, "institution": self.places[self.caller], "text": text}
        emit("Signed", by=self.caller, number=self.total)
        return self.total

    @action
    def anchor(self, digest: str) -> None:
        """Put the digest of something on record that stays elsewhere, such as a certificate; it says whose and when.
        zh: 登记某份另行保存的文件（如证书）的摘要；只说明由谁、何时登记。
        """
        is_digest = len(digest) == 64 and digest.strip("0123456789abcdef") == ""
        require(is_digest, "a digest has 64 small hexadecimal digits: the text itself stays outside")
        emit("Anchored", by=self.caller, digest=digest)

    @view
    def latest(self, count: int) -> list[dict]:
        """List the newest notes, the newest first."""
        first = max(1, self.total - min(count, 100) + 1)
        return [self.notes[number] for number in range(self.total, first - 1, -1)]

    @view
    def may_sign(self, did: str) -> bool:
        """Tell whether an institution may sign notes."""
        return did in self.places
