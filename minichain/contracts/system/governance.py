# mypy: disable-error-code="type-arg,no-any-return"
"""Decisions among institutions: proposed, voted on, left to wait, and then carried out as they were written.

A decision is a list of calls. It needs more than a given part of the weight there was when it was proposed; after it is
accepted it waits, so that whom it concerns can act, and it must be carried out before it expires. A contract whose
authority is this contract changes only by such a decision. This contract cannot upgrade itself: leave it without an
authority, or give it to a second one of its kind.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Value, action, emit, require, view
from minichain.contracts.parts import check_founders

MAX_TITLE = 120  # characters
MAX_REASON = 2_000  # characters
MAX_CALLS = 10  # of one decision
MAX_MS = 315_576_000_000  # ten years
OF_THE_LEDGER = ("deploy", "upgrade", "freeze", "unfreeze", "restrict", "entrust")


# --- decisions ---------------------------------------------------------------------------------------------------


def weight_of(members: list, did: str) -> int:
    return sum([weight for name, key, weight in members if key == did])


def check_text(text: str, most: int, what: str) -> None:
    """Refuse a text that says nothing or too much."""
    require(text.strip() != "" and len(text) <= most, f"{what} of 1 to {most} characters is needed")


def check_calls(calls: list, own_name: str) -> None:
    """Refuse what could never be carried out."""
    require(1 <= len(calls) <= MAX_CALLS, f"a decision is 1 to {MAX_CALLS} calls")
    for call in calls:
        is_call = sorted(call) == ["action", "arguments", "contract"] and isinstance(call["arguments"], dict)
        require(is_call, "each call is written {contract, action, arguments}, and the arguments by their names")
        contract, name = call["contract"], call["action"]
        require(isinstance(contract, str) and isinstance(name, str), "a contract and its action are called by name")
        require(contract != own_name, "this contract cannot call itself: propose what is to be done elsewhere")
        require(contract != "ledger" or name in OF_THE_LEDGER, "the ledger does not do this for a contract")
        require(isinstance(subject(call), str), "each of the calls is about a contract, by its name")


def subject(call: dict) -> str:
    """Name the contract that a call is about."""
    return call["arguments"].get("name", "") if call["contract"] == "ledger" else call["contract"]


def is_more(part: int, rules: dict, total: int) -> bool:
    """Tell whether a part of the total is more than what the rules ask for; compared without dividing."""
    return part * rules["denominator"] > rules["numerator"] * total


class Governance(Contract):
    """Decisions that institutions make by vote, and that are then carried out as they were written.

    zh: 各机构投票作出决定，等待期满后按原文执行。
    """

    own_members = Value(list)  # empty where the members of the chain decide
    fixed = Value(dict)  # the rules
    count = Value(int)  # of the proposals, which are numbered from 1
    cases = Map(int, dict)
    written = Map(int, list)  # the calls of a proposal
    votes = Map((int, str), bool)
    # Those who may vote, as they were when something was proposed; the same list is kept once.
    latest = Value(int)
    electorates = Map(int, list)

    def setup(
        self,
        members: list,
        voting_ms: int,
        delay_ms: int,
        grace_ms: int,
        numerator: int = 2,
        denominator: int = 3,
    ) -> None:
        if members != []:
            check_founders(members)
        for span in (voting_ms, grace_ms):
            require(1 <= span <= MAX_MS, f"a vote, and the time to carry a decision out, last 1 to {MAX_MS} ms")
        require(0 <= delay_ms <= MAX_MS, f"a decision waits 0 to {MAX_MS} ms")
        is_part = 1 <= numerator < denominator <= 1_000 and 2 * numerator >= denominator
        require(is_part, "more than a part of the weight is needed, from one half to less than all: say 1/2 or 2/3")
        self.own_members = sorted(members)
        rules = {"voting_ms": voting_ms, "delay_ms": delay_ms, "grace_ms": grace_ms}
        rules.update({"numerator": numerator, "denominator": denominator})
        self.fixed = rules
        require(self.present() != [], "somebody must decide: name members, or use a chain that has some")

    def present(self) -> list:
        """List who decides now: the own members, or those of the chain, who change."""
        return self.own_members or self.call("members", "members")

    @action
    def propose(self, title: str, reason: str, calls: list[dict]) -> int:
        """Propose a decision: calls that are to be made together; returns its number.

        zh: 提出一项决定：须一并执行的调用；返回编号。
        """
        members = self.present()
        total = sum([weight for name, did, weight in members])
        require(weight_of(members, self.caller) > 0, "only a member may propose: ask a member to propose it")
        check_text(title, MAX_TITLE, "a title")
        check_text(reason, MAX_REASON, "a reason")
        check_calls(calls, self.address)
        if self.latest == 0 or self.electorates[self.latest] != members:
            self.latest += 1
            self.electorates[self.latest] = members
        number = self.count + 1
        what = [".".join([call["contract"], call["action"]]) for call in calls]
        about = [subject(call) for call in calls]
        case = {"number": number, "title": title, "reason": reason, "what": what, "about": about, "by": self.caller}
        case.update({"begun": self.now, "ends": self.now + self.fixed["voting_ms"], "ready": 0, "until": 0})
        case.update({"electorate": self.latest, "total": total, "yes": 0, "no": 0, "status": "open"})
        self.count = number
        self.cases[number] = case
        self.written[number] = calls
        emit("Proposed", proposal=number, title=title, what=what, about=about, by=self.caller, ends=case["ends"])
        return number

    @action
    def cancel(self, number: int) -> None:
        """Take back an own proposal on which nobody has voted yet.

        zh: 撤回本方提出、尚无人投票的提案。
        """
        case = self.expect(number, "open")
        require(self.caller == case["by"], "only who made a proposal takes it back")
        require(case["yes"] + case["no"] == 0, "somebody has voted on it already: vote against it instead")
        self.conclude(case, "cancelled")

    @action
    def vote(self, number: int, yes: bool) -> str:
        """Vote on an open proposal, once; returns what has become of it.

        zh: 对进行中的提案投票，每个成员一次；返回提案的状态。
        """
        case, rules = self.expect(number, "open"), self.fixed
        weight = weight_of(self.electorates[case["electorate"]], self.caller)
        require(weight > 0, "only those who were members when this was proposed may vote on it")
        require((number, self.caller) not in self.votes, "you have voted on this: a vote cannot be changed")
        self.votes[(number, self.caller)] = yes
        emit("Voted", proposal=number, voter=self.caller, yes=yes, weight=weight)
        side = "yes" if yes else "no"
        case[side] += weight
        if is_more(case["yes"], rules, case["total"]):
            case["ready"] = self.now + rules["delay_ms"]
            case["until"] = case["ready"] + rules["grace_ms"]
            self.conclude(case, "accepted")
        elif not is_more(case["total"] - case["no"], rules, case["total"]):
            self.conclude(case, "rejected")
        else:
            self.cases[number] = case
        return case["status"]

    @action
    def execute(self, number: int) -> list:
        """Carry out an accepted decision after its delay: all of its calls or none; returns their results.

        zh: 等待期满后执行已通过的决定：全部调用一并生效，任一失败则全部不生效；返回各调用的结果。
        """
        case = self.expect(number, "accepted")
        ready = case["ready"]
        require(weight_of(self.present(), self.caller) > 0, "only a member carries a decision out")
        require(self.now >= ready, f"it is accepted, and waits: carry it out from {ready} on, block time in ms")
        self.conclude(case, "executed")
        return [self.call_with(one["contract"], one["action"], one["arguments"]) for one in self.written[number]]

    def expect(self, number: int, status: str) -> dict:
        """Return a proposal that has this status."""
        found = self.proposal(number)["status"]
        require(found == status, f"proposal {number} is {found}, not {status}")
        return self.cases[number]

    def conclude(self, case: dict, status: str) -> None:
        case["status"] = status
        self.cases[case["number"]] = case
        emit("Decided", proposal=case["number"], status=status, ready=case["ready"], until=case["until"])

    # --- views

    @view
    def members(self) -> list:
        """List who decides now as [name, did, weight].

        zh: 列出现有成员：[名称, did, 权重]。
        """
        return self.present()

    @view
    def rules(self) -> dict:
        """Tell how long a vote, the wait and the time to carry out last, and the part of the weight that is exceeded.

        zh: 列明投票期、等待期、执行期，以及须超过的权重比例。
        """
        return self.fixed

    @view
    def count_proposals(self) -> int:
        """Count the proposals.

        zh: 提案总数。
        """
        return self.count

    @view
    def proposal(self, number: int) -> dict:
        """Show a proposal as it stands now; its calls are shown by `calls`.

        zh: 显示提案现状；其调用见 calls。
        """
        require(number in self.cases, f"there is no proposal {number}: see proposals")
        case = self.cases[number]
        if case["status"] == "open" and self.now > case["ends"]:
            case["status"] = "lapsed"
        if case["status"] == "accepted" and self.now > case["until"]:
            case["status"] = "expired"
        return case

    @view
    def proposals(self, start: int = 0, limit: int = 20) -> list:
        """List proposals in the order in which they were made.

        zh: 按提出顺序列出提案。
        """
        return [self.proposal(number) for number in self.cases.keys(start, limit)]

    @view
    def calls(self, number: int) -> list:
        """Show the calls of a proposal as they will be made.

        zh: 显示提案将要执行的调用。
        """
        require(number in self.cases, f"there is no proposal {number}: see proposals")
        return self.written[number]

    @view
    def ballots(self, number: int, start: int = 0, limit: int = 100) -> list:
        """List who may vote on a proposal as [name, did, weight, "yes", "no" or "not yet"].

        zh: 列出可投票者：[名称, did, 权重, "yes"、"no" 或 "not yet"]。
        """
        require(start >= 0 and 0 <= limit <= 100, "a page starts at 0 or later and has at most 100 members")
        words = {"True": "yes", "False": "no", "None": "not yet"}
        voters = self.electorates[self.proposal(number)["electorate"]][start : start + limit]
        return [[name, did, share, words[str(self.votes.get((number, did)))]] for name, did, share in voters]
