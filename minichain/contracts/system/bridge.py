# mypy: disable-error-code="type-arg,no-any-return"
"""The books of what crosses to other chains and comes from them: each message is sent once, received once and in order,
answered once, and what failed or came too late is given back.

The ledger calls what is marked so below, after it has checked the proof of another chain (see `crosschain.gate`). It
says what another chain has decided; this contract decides only what follows. A message is decided where it arrives,
once: carried out, failed, or too late. Until its answer has come back it is on its way, and nothing is given back.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Record, action, emit, require, view

MAX_MS = 31_622_400_000  # a message is waited for a year at most
MAX_ON_THE_WAY = 1_000  # messages of one channel without an answer
MAX_GAS = 10_000_000  # what a call on the other chain may use
MAX_MADE = 9_007_199_254_740_992  # units made here for one other chain (2**53): all together are counted in 64 bits
MAX_NAME = 64
MAX_REASON = 200  # characters of why a call failed there
UNITS = "units"
CALL = "call"


class Channel(Record):
    """What is between this chain and another one: how far the numbers of messages have come, in both directions.

    `abroad` are the units of this chain that went there and have not come back. Below zero, they are units made here
    for what went out there: only where `mints` says so.
    """

    chain: str
    genesis: bytes
    mints: bool
    sent: int = 0
    settled: int = 0
    received: int = 0
    abroad: int = 0


class Message(Record):
    """What is asked of another chain, by whom, until when by its time; `to` is an account, or a contract.

    `answer` is the action of the sending contract that is told what became of it; "" if nobody needs to be told.
    """

    kind: str
    sender: str
    to: str
    until: int
    amount: int = 0
    action: str = ""
    arguments: dict = {}  # noqa: RUF012 - made anew for each
    gas: int = 0
    answer: str = ""


class Bridge(Contract):
    """Messages and units that cross to other chains, and what became of them.

    zh: 跨链消息与单位的账册：发出、收到、答复与退回。
    """

    agreed = Map(bytes, list)  # what is proposed -> the members who agree
    channels = Map(str, Channel)  # by the id of the other chain
    waiting = Map((str, int), Message)  # sent, and not answered
    outcomes = Map((str, int), dict)  # of what was sent

    # --- the ledger

    @action
    def agree(self, what: bytes, member: str) -> list:
        """Note that a member wants a connection, and return all who do; the ledger asks.

        zh: 记录一名成员同意建立连接，并返回所有同意者；由账本调用。
        """
        self.require_ledger()
        found = self.agreed.get(what, [])
        require(member not in found, "you have agreed to this already")
        self.agreed[what] = found + [member]  # noqa: RUF005 - the language writes arguments out
        return self.agreed[what]

    @action
    def connect(self, what: bytes, chain: str, genesis: bytes, mints: bool) -> None:
        """Open the channel to another chain, once its members' agreement is found to be enough; the ledger asks.

        zh: 成员同意足够后，开通与另一条链的通道；由账本调用。
        """
        self.require_ledger()
        del self.agreed[what]
        if chain in self.channels:
            require(self.channels[chain].genesis == genesis, f"there is a channel to another chain called {chain}")
            require(self.channels[chain].mints == mints, "whether units are made here is agreed on once")
        else:
            self.channels[chain] = Channel(chain=chain, genesis=genesis, mints=mints)
            emit("Connected", chain=chain, genesis=genesis, mints=mints)

    @action
    def send_units(self, chain: str, sender: str, to: str, amount: int, within_ms: int) -> int:
        """Send units that the ledger has taken from an account; the ledger asks. Returns the number of the message.

        zh: 发出账本已从账户扣除的单位；由账本调用。返回消息编号。
        """
        self.require_ledger()
        channel = self.expect(chain)
        channel.abroad += amount
        self.channels[chain] = channel
        until = self.now + within_ms
        return self.post(chain, Message(kind=UNITS, sender=sender, to=to, until=until, amount=amount), within_ms)

    @action
    def accept(self, chain: str, number: int, until: int, amount: int) -> str:
        """Take the next message of another chain; the ledger asks. Returns why it cannot be carried out, or "".

        zh: 接收另一条链的下一条消息；由账本调用。返回不能执行的原因，或空。
        """
        self.require_ledger()
        channel = self.expect(chain)
        require(number == channel.received + 1, f"message {number} is not the next one: that is {channel.received + 1}")
        channel.received = number
        why = ""
        if self.now > until:
            why = "it came too late"
        elif amount > channel.abroad + (MAX_MADE if channel.mints else 0):
            why = "more units than have gone there cannot come back"
        else:
            channel.abroad -= amount
        self.channels[chain] = channel
        return why

    @action
    def reply(self, chain: str, number: int, amount: int, outcome: str, reason: str, result: list) -> None:
        """Answer a message that was taken, with what became of it; the ledger asks.

        zh: 答复已接收的消息，说明结果；由账本调用。
        """
        self.require_ledger()
        channel = self.expect(chain)
        if outcome == "failed":
            channel.abroad += amount
            self.channels[chain] = channel
        emit("Received", chain=chain, to=channel.genesis, number=number, outcome=outcome, reason=reason, result=result)

    @action
    def settle(self, chain: str, number: int, outcome: str, reason: str, result: list) -> Message:
        """Take the answer to a message that was sent; the ledger asks. Returns the message.

        zh: 接收对已发消息的答复；由账本调用。返回该消息。
        """
        self.require_ledger()
        channel = self.expect(chain)
        require(number == channel.settled + 1, f"answer {number} is not the next one: that is {channel.settled + 1}")
        message = self.waiting[(chain, number)]
        del self.waiting[(chain, number)]
        channel.settled = number
        if outcome != "done":
            channel.abroad -= message.amount
        self.channels[chain] = channel
        self.outcomes[(chain, number)] = {"outcome": outcome, "reason": reason, "result": result, "at": self.now}
        emit("Settled", chain=chain, number=number, outcome=outcome, reason=reason, result=result)
        return message

    def require_ledger(self) -> None:
        require(self.caller == "ledger", "only the ledger does this, after it has checked a proof")

    # --- whoever sends

    @action
    def send(
        self, chain: str, contract: str, name: str, arguments: dict, gas: int, within_ms: int, answer: str = ""
    ) -> int:
        """Ask a contract of another chain for an action; returns the number of the message.

        The action there gets an argument `origin`, which says who asks: "chain:account" or "chain:contract". If
        `answer` names an action of the contract that asks, it is told (chain, number, outcome, result).

        zh: 请求另一条链上某合约执行一项操作；返回消息编号。
        """
        require(1 <= len(contract) <= MAX_NAME and 1 <= len(name) <= MAX_NAME, "a contract and its action have names")
        require("origin" not in arguments, "who asks is said by the bridge: leave `origin` out")
        require(1 <= gas <= MAX_GAS, f"a call may use 1 to {MAX_GAS} gas there")
        require(answer == "" or self.caller != self.signer, "only a contract can be told: leave `answer` out")
        require(len(answer) <= MAX_NAME, "`answer` names an action")
        asked = Message(kind=CALL, sender=self.caller, to=contract, until=self.now + within_ms, action=name)
        asked.arguments = arguments
        asked.gas = gas
        asked.answer = answer
        return self.post(chain, asked, within_ms)

    def post(self, chain: str, message: Message, within_ms: int) -> int:
        require(1 <= within_ms <= MAX_MS, f"a message is waited for 1 to {MAX_MS} ms")
        channel = self.expect(chain)
        require(channel.sent - channel.settled < MAX_ON_THE_WAY, f"{MAX_ON_THE_WAY} messages wait for their answers")
        channel.sent += 1
        self.channels[chain] = channel
        self.waiting[(chain, channel.sent)] = message
        emit("Sent", chain=chain, to=channel.genesis, number=channel.sent, message=message)
        return channel.sent

    def expect(self, chain: str) -> Channel:
        require(chain in self.channels, f"this chain is not connected to {chain}: its members connect it")
        return self.channels[chain]

    # --- views

    @view
    def channel(self, chain: str) -> Channel:
        """Tell how far the messages to and from another chain have come, and how many units are there.

        zh: 与另一条链往来消息的进度，以及在那边的单位数。
        """
        return self.expect(chain)

    @view
    def connections(self, start: int = 0, limit: int = 20) -> list:
        """List the chains that this one is connected to.

        zh: 列出已连接的链。
        """
        return self.channels.values(start, limit)

    @view
    def message(self, chain: str, number: int) -> Message:
        """Show a message that was sent and is not answered yet.

        zh: 显示已发出、尚未答复的消息。
        """
        require((chain, number) in self.waiting, f"no message {number} to {chain} is on its way")
        return self.waiting[(chain, number)]

    @view
    def outcome(self, chain: str, number: int) -> dict:
        """Tell what became of a message: {outcome, reason, result, at}; outcome is "done", "failed" or "on its way".

        zh: 一条消息的结果：{outcome, reason, result, at}。
        """
        if (chain, number) in self.waiting:
            return {"outcome": "on its way", "reason": "", "result": [], "at": 0}
        require((chain, number) in self.outcomes, f"no message {number} was sent to {chain}")
        return self.outcomes[(chain, number)]
