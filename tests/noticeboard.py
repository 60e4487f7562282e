"""A contract in a file of its own, for tests that deploy a class."""

from minichain.contracts.api import Contract, Map, Value, action, emit, require, view


class NoticeBoard(Contract):
    """Keep one notice for each account."""

    keeper = Value(str)
    notices = Map(str, str)

    def setup(self, keeper: str) -> None:
        self.keeper = keeper

    @action
    def post(self, text: str) -> int:
        """Put up a notice of at most 20 characters."""
        require(len(text) <= 20, "a notice has at most 20 characters")
        self.notices[self.caller] = text
        emit("Posted", who=self.caller, text=text)
        return len(self.notices)

    @action
    def clear(self, who: str) -> None:
        """Take a notice down; only the keeper may."""
        require(self.caller == self.keeper, "only the keeper takes notices down")
        del self.notices[who]

    @view
    def read(self, who: str) -> str:
        """Return somebody's notice, or nothing."""
        return self.notices.get(who, "")
