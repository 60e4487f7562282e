# mypy: disable-error-code="type-arg,no-any-return"
"""Deals over several contracts and chains that happen in all of them or in none: two-phase commit (J. Gray, 1978).

The contract is the coordinator, so it cannot lose its memory: a decision is on the chain before anybody is told, and
nobody but the answers and the clock makes it. Whoever carries messages may stop at any moment; while this chain stands
still, those who prepared wait. A deal asks all to prepare; if all have by its time, it is committed, otherwise aborted,
and whoever holds something for it is told, and told again if that fails.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Record, Value, action, emit, require, view

MAX_PARTS = 5  # the last answer decides and tells them all, with the gas of an answer
MAX_MS = 31_622_400_000  # a decision is told within a year
MAX_DEAL_MS = 2_678_400_000  # a deal is decided within a month: so long others are locked out
ASKED = "asked"
PREPARED = "prepared"  # and waits
OUT = "out"  # has refused, failed or come too late: it holds nothing
TOLD = "told"  # what was decided
UNHEARD = "unheard"  # it was told, and that failed: tell it again
CLOSED = "closed"  # it has done what was decided


class Wish(Record):
    """What is wanted of a contract; `gas` is for preparing, and as much again for what is decided."""

    chain: str
    contract: str
    arguments: dict
    gas: int


class Share(Record):
    """A contract's share in a deal, and how far it has come."""

    chain: str
    contract: str
    gas: int
    state: str
    reason: str = ""


class Deal(Record):
    """Who wants it, when it was begun and until when it is decided (block times), and how."""

    by: str
    shares: int
    begun: int
    until: int
    decision: str = ""
    is_closed: bool = False


class Asked(Record):
    """Whose answer a message will bring."""

    number: int
    place: int


class Atomic(Contract):
    """Deals that happen in all contracts or in none.

    zh: 多合约、多链的原子交易：全部执行，或全部不执行。
    """

    count = Value(int)
    deals = Map(int, Deal)
    parts = Map((int, int), Share)
    asked = Map((str, int), Asked)  # by chain and message
    unfinished = Map(int, bool)

    # --- the deal

    @action
    def begin(self, parts: list[Wish], within_ms: int) -> int:
        """Ask all contracts to prepare, those of this chain at once; returns the number of the deal.

        zh: 请求所有合约预留（本链合约立即执行）；返回交易编号。
        """
        require(1 <= len(parts) <= MAX_PARTS, f"a deal has 1 to {MAX_PARTS} parts")
        require(1 <= within_ms <= MAX_DEAL_MS, f"a deal is decided within 1 to {MAX_DEAL_MS} ms")
        number = self.count + 1
        self.count = number
        by = self.caller if self.caller == self.signer else f"{self.chain}:{self.caller}"
        self.deals[number] = Deal(by=by, shares=len(parts), begun=self.now, until=self.now + within_ms)
        self.unfinished[number] = True
        emit("Begun", number=number, by=by, until=self.now + within_ms)
        seen = []
        for place, wish in enumerate(parts):
            require((wish.chain, wish.contract) not in seen, f"{wish.contract} has two parts: ask for both in one")
            seen.append((wish.chain, wish.contract))
            self.parts[number, place] = Share(chain=wish.chain, contract=wish.contract, gas=wish.gas, state=ASKED)
            asked = {"number": number, "whom": by, "until": self.now + within_ms, "wish": wish.arguments}
            is_here = self.pass_on(number, place, "prepare", asked, wish.gas, within_ms)
            if is_here:
                self.mark(number, place, PREPARED, "")
        if self.advance(number):
            self.tell_here(number)
        return number

    @action
    def hear(self, chain: str, number: int, outcome: str, result: list) -> None:
        """Be told by the bridge that an answer has come.

        zh: 由跨链桥通知：答复已到。
        """
        require(self.caller == "bridge", "the bridge tells; use `gather` for an answer that was not heard")
        decided = self.take(chain, number)
        if decided > 0:
            self.tell_here(decided)

    @action
    def gather(self, chain: str, message: int) -> None:
        """Take an answer from the bridge's books that was not heard, for want of gas or by a failure; anybody may.

        zh: 从跨链桥账册取回未被处理的答复；任何人可操作。
        """
        self.take(chain, message)

    @action
    def give_up(self, number: int) -> None:
        """Abort a deal whose time is over before all have answered; anybody may.

        zh: 期限已过而答复未齐时中止交易；任何人可操作。
        """
        deal = self.known(number)
        require(deal.decision == "", f"this deal is decided: {deal.decision}")
        require(self.now > deal.until, f"its time is not over: until {deal.until}, block time in ms")
        self.advance(number)

    @action
    def tell(self, number: int, place: int, gas: int) -> None:
        """Tell a contract again what was decided, with more gas if need be, after it was not heard; anybody may.

        zh: 通知失败后再次告知决定，可增加 gas；任何人可操作。
        """
        require(0 <= place < self.known(number).shares, "there is no such part")
        share = self.parts[number, place]
        require(gas >= share.gas, f"it is told with at least the {share.gas} gas it was asked with")
        is_waiting = share.state == PREPARED and self.known(number).decision != ""
        require(is_waiting or share.state == UNHEARD, f"it need not be told: it is {share.state}")
        self.announce(number, place, gas)
        self.advance(number)

    # --- how it goes on

    def take(self, chain: str, message: int) -> int:
        require((chain, message) in self.asked, "nothing is expected from this message: it was heard, or is no deal's")
        found = self.call("bridge", "outcome", chain=chain, number=message)
        require(found["outcome"] != "on its way", "the answer has not come yet")
        asked = self.asked[chain, message]
        del self.asked[chain, message]
        is_done, was = found["outcome"] == "done", self.parts[asked.number, asked.place].state
        if was == ASKED:
            self.mark(asked.number, asked.place, PREPARED if is_done else OUT, found["reason"])
        else:
            self.mark(asked.number, asked.place, CLOSED if is_done else UNHEARD, found["reason"])
        return asked.number if self.advance(asked.number) else 0

    def advance(self, number: int) -> bool:
        """Decide if that is due, and tell other chains; returns whether it was.

        The contracts of this chain are told apart: if they fail, a decision must stand.
        """
        deal, shares = self.deals[number], self.shares(number)
        states = [share.state for share in shares]
        is_due = deal.decision == ""
        if is_due:
            if OUT in states or self.now > deal.until:
                deal.decision = "abort"
            elif ASKED not in states:
                deal.decision = "commit"
            else:
                return False
            self.deals[number] = deal
            emit("Decided", number=number, decision=deal.decision)
        for place, share in enumerate(shares):
            if share.state == PREPARED and share.chain != self.chain:
                self.announce(number, place, share.gas)
        if not deal.is_closed and not [state for state in states if state not in (OUT, CLOSED)]:
            deal.is_closed = True
            self.deals[number] = deal
            del self.unfinished[number]
            emit("Closed", number=number, decision=deal.decision)
        return is_due

    def tell_here(self, number: int) -> None:
        """Tell the contracts of this chain; if one fails, the call fails, and they are left to `tell`."""
        for place, share in enumerate(self.shares(number)):
            if share.state == PREPARED and share.chain == self.chain:
                self.announce(number, place, share.gas)
        self.advance(number)

    def announce(self, number: int, place: int, gas: int) -> None:
        is_here = self.pass_on(number, place, self.deals[number].decision, {"number": number}, gas, MAX_MS)
        self.mark(number, place, CLOSED if is_here else TOLD, "")

    def pass_on(self, number: int, place: int, name: str, arguments: dict, gas: int, within_ms: int) -> bool:
        """Call a contract of this chain, or send to one of another; returns whether it is of this chain."""
        share = self.parts[number, place]
        if share.chain == self.chain:
            self.call_with(share.contract, name, arguments)
            return True
        message = self.call(
            "bridge",
            "send",
            chain=share.chain,
            contract=share.contract,
            name=name,
            arguments=arguments,
            gas=gas,
            within_ms=within_ms,
            answer="hear",
        )
        self.asked[share.chain, message] = Asked(number=number, place=place)
        return False

    def mark(self, number: int, place: int, state: str, reason: str) -> None:
        share = self.parts[number, place]
        share.state = state
        share.reason = reason
        self.parts[number, place] = share
        if state in (UNHEARD, OUT):
            emit("Failed", number=number, place=place, state=state, reason=reason)

    def known(self, number: int) -> Deal:
        require(number in self.deals, f"there is no deal {number}")
        return self.deals[number]

    # --- views

    @view
    def shares(self, number: int) -> list[Share]:
        """Show the parts of a deal, in their order: each is asked, prepared, out, told, unheard or closed.

        zh: 按顺序列出一笔交易各部分的状态。
        """
        return [self.parts[number, place] for place in range(self.known(number).shares)]

    @view
    def deal(self, number: int) -> Deal:
        """Show a deal: by whom, until when, how it was decided, and whether all have done what was decided.

        zh: 显示一笔交易：发起人、期限、决定，以及是否已全部完成。
        """
        return self.known(number)

    @view
    def outcome(self, number: int) -> str:
        """Tell how a deal stands: "asking", "commit" or "abort" while some are yet to act, "done" or "undone" at last.

        zh: 一笔交易的进展：asking、commit、abort、done 或 undone。
        """
        deal = self.known(number)
        if deal.decision == "":
            return "asking"
        if not deal.is_closed:
            return deal.decision
        return "done" if deal.decision == "commit" else "undone"

    @view
    def open_deals(self, start: int = 0, limit: int = 100) -> list:
        """List the numbers of the deals that are not at their end, the oldest first.

        zh: 分页列出尚未结束的交易编号。
        """
        return self.unfinished.keys(start, limit)
