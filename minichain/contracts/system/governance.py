# mypy: disable-error-code="type-arg,no-any-return"
"""Decisions among institutions: proposed, voted on by a rule pack, left to wait, and then carried out as written.

A decision is a list of calls. Who votes, what passes, how long it takes and who may stop it are data: a rule pack (see
`contracts/rulebook.py`). A proposal keeps the pack and the electorate that there were when it was made. A call that
fails is no accident of the vote: the proposal is `ExecutionFailed`, nothing of it stands, and it may be tried again
until its time is over. This contract does nothing to its own code: leave it without an authority, or give it to a
second one.

    Draft -> Pending -> Active -> Extended -> Succeeded -> Queued -> Executed, or ExecutionFailed and again
    else Defeated {no_quorum, no_majority, vetoed}, Cancelled, Expired

A deposit, where the rules ask for one, is held by the ledger (`contracts/pledges.py`): pledge it in the same
transaction, before proposing. When the vote has ended, `settle_deposit` gives it back or burns it.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Value, action, emit, is_did_key, require, view
from minichain.contracts.parts import check_founders
from minichain.contracts.rulebook import (
    at_time,
    blank,
    check_pack,
    check_seat,
    conclude,
    count,
    delegations,
    heard,
    in_full,
    is_quorate,
    may_take_back,
    out_of_reach,
    put,
    resource,
    row_of,
    standing,
    subject,
    verdict,
)

MAX_TITLE = 120  # characters
MAX_REASON = 2_000  # characters
MAX_CALLS = 10  # of one decision
MAX_POPULATION = 1_099_511_627_776  # of one member, as a weight: 2**40
OF_THE_LEDGER = ("deploy", "upgrade", "freeze", "unfreeze", "restrict", "entrust")
OWN = {"set_pack": "pack", "set_members": "members", "set_guardian": "guardian"}  # what it changes about itself
BUSY = ("Pending", "Active", "Extended", "Succeeded", "Queued")  # what it is about, where one at a time is
ENDED = ("Succeeded", "Queued", "ExecutionFailed", "Executed", "Defeated", "Cancelled", "Expired")
OPEN = ("Draft", "Pending", "Active", "Extended", "Succeeded", "Queued", "ExecutionFailed")


# --- decisions ---------------------------------------------------------------------------------------------------


def check_members(members: list) -> None:
    """Refuse members who could not vote."""
    told = "each member is [name, did, weight], or also with a seat and a population"
    for member in members:
        require(isinstance(member, list) and len(member) in (3, 5), told)
        require(isinstance(member[0], str) and isinstance(member[1], str), told)
    check_founders([member[:3] for member in members])
    for row in in_full(members):
        name, population = row[0], row[4]
        check_seat(row[3])
        is_number = isinstance(population, int) and not isinstance(population, bool)
        require(is_number and 0 <= population <= MAX_POPULATION, f"{name}: a population is 0 to {MAX_POPULATION}")


def check_guardian(guardian: str) -> None:
    """Refuse a guardian who is nobody; "" is that there is none."""
    require(guardian == "" or is_did_key(guardian), "a guardian is named by its did:key; nothing is no guardian")


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
        require(contract != "ledger" or name in OF_THE_LEDGER, "the ledger does not do this for a contract")
        require(isinstance(subject(call), str), "each of the calls is about a contract, by its name")
        if subject(call) == own_name:
            known = ", ".join(list(OWN))
            is_own = contract == own_name and name in OWN and sorted(call["arguments"]) == [OWN[name]]
            require(is_own, f"this contract does for itself only: {known}")
            require(len(calls) == 1, "a change of the rules or of the members stands alone: propose the rest by itself")


class Governance(Contract):
    """Decisions that institutions make by vote, and that are then carried out as they were written.

    zh: 各机构投票作出决定，等待期满后按原文执行。
    """

    own_members = Value(list)  # empty where the members of the chain decide
    guardian = Value(str)
    pack_count = Value(int)
    packs = Map(int, dict)  # every rule pack there was, numbered from 1
    delegates = Value(dict)  # member -> who votes in its place
    proposal_count = Value(int)  # they are numbered from 1
    texts = Map(int, dict)  # what was proposed, and never changes
    cases = Map(int, dict)  # how it stands
    votes = Map((int, str), str)
    latest_on = Map(str, int)  # the last proposal on a resource that was put to the vote
    # Those who may vote, as they were when something was proposed, or, where the rules weigh by the moment, when it was
    # last counted; the same list is kept once.
    latest = Value(int)
    electorates = Map(int, list)

    def setup(self, members: list, pack: dict, guardian: str = "") -> None:
        if members != []:
            check_members(members)
        check_guardian(guardian)
        self.own_members = in_full(members)
        self.guardian = guardian
        self.adopt(pack)
        lack = out_of_reach(pack, self.electorate(pack))
        require(lack == "", lack)

    def adopt(self, pack: dict) -> None:
        check_pack(pack)
        self.pack_count += 1
        self.packs[self.pack_count] = pack

    def present(self) -> list:
        """List who decides now: the own members, or those of the chain, who change."""
        return self.own_members or in_full(self.call("members", "members"))

    def electorate(self, pack: dict) -> list:
        """List who decides now, each with whom the vote is delegated to."""
        if not pack["delegation"]:
            return [row + [""] for row in self.present()]
        delegates = self.delegates
        return [row + [delegates.get(row[1], "")] for row in self.present()]

    def clock(self, pack: dict) -> int:
        return self.height if pack["clock"] == "blocks" else self.now

    # --- proposals

    @action
    def propose(self, title: str, reason: str, calls: list[dict], urgent: bool = False) -> int:
        """Propose a decision: calls that are to be made together; returns its number.

        zh: 提出一项决定：须一并执行的调用；返回编号。
        """
        pack, number = self.packs[self.pack_count], self.proposal_count + 1
        rows = self.electorate(pack)
        require(row_of(rows, self.caller) != [], "only a member may propose: ask a member to propose it")
        check_text(title, MAX_TITLE, "a title")
        check_text(reason, MAX_REASON, "a reason")
        check_calls(calls, self.address)
        about = [subject(call) for call in calls]
        track = self.track_of(about, urgent)
        require(track in pack["tracks"], "these rules know no urgent way: propose it in the ordinary one")
        lack = self.hindrance(calls[0]) if self.address in about else ""
        require(lack == "", lack)
        is_own = self.caller in [call["arguments"].get("did", "") for call in calls]
        is_barred = is_own and not pack["about_oneself"]
        require(not is_barred, "by these rules nobody proposes what is about itself: ask another member")
        deposit = pack["deposit"]
        case = {"number": number, "status": "Draft", "track": track, "pack": self.pack_count, "extended": False}
        case.update({"electorate": self.keep_electorate(rows), "begins": 0, "recused": [], "sponsors": []})
        case.update({"ends": self.clock(pack) + pack["tracks"][track]["voting"], "decided": 0, "ready": 0, "until": 0})
        case.update({"why": "", "clause": "", "tally": blank(pack, rows, []), "deposit": deposit})
        what = [".".join([call["contract"], call["action"]]) for call in calls]
        text: dict = {"title": title, "reason": reason, "by": self.caller, "what": what, "about": about, "calls": calls}
        text["versions"] = {name: self.version_of(name) for name in about}
        self.proposal_count = number
        self.texts[number] = text
        emit("Proposed", proposal=number, title=title, what=what, about=about, by=self.caller, track=track)
        if deposit > 0:
            self.call("ledger", "hold", of=self.caller, amount=deposit)
        self.back(case, pack, rows)
        if pack["proposer_votes"] and case["status"] == "Pending":
            self.cast(at_time(case, pack, self.clock(pack)), pack, rows, "yes", "proposed it")
        self.keep(case, "")
        return number

    def track_of(self, about: list, urgent: bool) -> str:
        """Name the way of a proposal. What changes the rules, or those who decide, is an amendment."""
        if self.address in about or (self.own_members == [] and "members" in about):
            return "amendment"
        return "urgent" if urgent else "ordinary"

    def keep_electorate(self, rows: list) -> int:
        if self.latest == 0 or self.electorates[self.latest] != rows:
            self.latest += 1
            self.electorates[self.latest] = rows
        return self.latest

    @action
    def sponsor(self, number: int) -> str:
        """Stand behind a draft of another member; enough of them put it to the vote. Returns what has become of it.

        zh: 联署他人的草案；联署权重足够即付诸表决。返回提案的状态。
        """
        case = self.expect(number, ("Draft",), "sponsored")
        require(self.caller not in case["sponsors"], "you stand behind this already")
        self.back(case, self.packs[case["pack"]], self.electorates[case["electorate"]])
        self.keep(case, "Draft")
        return case["status"]

    def back(self, case: dict, pack: dict, rows: list) -> None:
        """Add a sponsor; with enough weight behind it, a draft is put to the vote."""
        require(row_of(rows, self.caller) != [], "only those who were members when this was proposed may sponsor it")
        case["sponsors"].append(self.caller)
        weight = sum([row[2] for row in rows if row[1] in case["sponsors"]])
        part, whole = pack["threshold"]
        if weight * whole >= part * sum([row[2] for row in rows]):
            if pack["one_per_subject"]:
                self.claim(case["number"])
            track = pack["tracks"][case["track"]]
            case["status"] = "Pending"
            case["begins"] = self.clock(pack) + track["delay"]
            case["ends"] = case["begins"] + track["voting"]

    def claim(self, number: int) -> None:
        """Refuse a second vote on the same thing."""
        for call in self.texts[number]["calls"]:
            what = resource(call)
            other = self.latest_on.get(what, 0)
            is_open = other not in (0, number) and self.seen(other)["status"] in BUSY
            require(not is_open, f"one proposal at a time on the same thing: proposal {other} is open")
            self.latest_on[what] = number

    @action
    def cancel(self, number: int) -> None:
        """Take back an own proposal as long as the rules allow it; or, as the guardian, stop what is not executed.

        The guardian does not stop a change of the rules or of the members: it could make itself irremovable.

        zh: 在规则允许的阶段撤回本方提案；监护方可叫停尚未执行的提案，但不得叫停对规则或成员的修改。
        """
        case = self.expect(number, OPEN, "cancelled")
        pack = self.packs[case["pack"]]
        is_guarded = pack["guardian_cancels"] and case["track"] != "amendment"
        if not (is_guarded and self.caller == self.guardian):
            require(self.caller == self.texts[number]["by"], "only who made a proposal takes it back")
            found = case["status"]
            require(may_take_back(pack, found), f"proposal {number} is {found}: it is not yours any more")
            cast = sum([share for choice, share in case["tally"]["members:"].items() if choice != "eligible"])
            is_in_time = cast == 0 or pack["proposer_cancels"] != "before_votes"
            require(is_in_time, "somebody has voted on it already: vote against it instead")
        self.keep_as(case, "Cancelled")

    @action
    def settle_deposit(self, number: int) -> str:
        """Give the deposit of a proposal back to who made it, or burn it, as the rules say; anybody may, when it ended.

        zh: 提案表决结束后，按规则退还或销毁其押金；任何人可操作。返回 returned（已退还）或 burnt（已销毁）。
        """
        case = self.expect(number, ENDED, "settled")
        pack, amount = self.packs[case["pack"]], case["deposit"]
        require(amount > 0, f"no deposit of proposal {number} is held: there was none, or it is settled")
        is_burnt = case["status"] == "Defeated" and case["why"] in pack["burns"]
        self.call("ledger", "burn" if is_burnt else "release", of=self.texts[number]["by"], amount=amount)
        case["deposit"] = 0
        end = "burnt" if is_burnt else "returned"
        emit("Settled", proposal=number, deposit=amount, end=end)
        self.keep(case, case["status"])
        return end

    # --- votes

    @action
    def delegate(self, to: str) -> None:
        """Let another member vote in your place; "" takes it back. Own votes go first.

        It holds for what is proposed from now on, and, where the rules count who votes at each vote, for what is open.

        zh: 委托另一成员代为投票，适用于今后的提案（权重按当时计算的，亦适用于进行中的提案）；空值撤回。本人投票优先。
        """
        require(self.packs[self.pack_count]["delegation"], "by these rules nobody votes in another's place")
        members = self.present()
        require(row_of(members, self.caller) != [], "only a member delegates its vote")
        require(to == "" or row_of(members, to) != [], "a vote is delegated to a member: see members")
        delegates, at = self.delegates, to
        while at != "":
            require(at != self.caller, "this would make a circle: the vote would come back to you")
            at = delegates.get(at, "")
        delegates[self.caller] = to
        self.delegates = delegates
        emit("Delegated", member=self.caller, to=to)

    @action
    def recuse(self, number: int, reason: str) -> None:
        """Step aside from a proposal because of an own interest, before voting on it.

        zh: 因利益冲突，在投票前就某提案回避。
        """
        case = self.expect(number, ("Draft", "Pending", "Active", "Extended"), "stepped aside from")
        pack = self.packs[case["pack"]]
        rows = self.voters(case, pack)
        check_text(reason, MAX_REASON, "a reason")
        require(pack["recusal"] != "none", "by these rules nobody steps aside: abstain instead")
        require(row_of(rows, self.caller) != [], "only those who may vote on it step aside")
        require((number, self.caller) not in self.votes, "you have voted on this: step aside before you vote")
        require(self.caller not in case["recused"], "you have stepped aside already")
        case["recused"].append(self.caller)
        emit("Recused", proposal=number, member=self.caller, reason=reason)
        was, before = case["status"], case["tally"]
        case["tally"] = self.recount(case, pack, rows)
        if was in ("Active", "Extended"):
            self.settle(case, pack, before)
        self.keep(case, was)

    @action
    def vote(self, number: int, choice: str, reason: str = "") -> str:
        """Vote on an open proposal: yes, no, and what else the rules know; returns what has become of it.

        zh: 对进行中的提案投票：yes（赞成）、no（反对）及规则允许的其他选项；返回提案的状态。
        """
        case = self.expect(number, ("Active", "Extended"), "voted on")
        pack, was = self.packs[case["pack"]], case["status"]
        require(len(reason) <= MAX_REASON, f"a reason has at most {MAX_REASON} characters")
        self.cast(case, pack, self.voters(case, pack), choice, reason)
        self.keep(case, was)
        return case["status"]

    def voters(self, case: dict, pack: dict) -> list:
        """List who may vote: as it was when this was proposed, or, where the rules say so, as it is until it ends."""
        is_now = pack["electorate"] == "live" and case["decided"] == 0
        return self.electorate(pack) if is_now else self.electorates[case["electorate"]]

    def cast(self, case: dict, pack: dict, rows: list, choice: str, reason: str) -> None:
        number, row = case["number"], row_of(rows, self.caller)
        told = ", ".join(pack["choices"])
        require(choice in pack["choices"], f"by these rules a vote is one of: {told}")
        was_then = "were members when this was proposed" if pack["electorate"] == "snapshot" else "are members"
        require(row != [], f"only those who {was_then} may vote on it")
        require(self.caller not in case["recused"], "you have stepped aside from this")
        before, tally = self.votes.get((number, self.caller), ""), case["tally"]
        require(before == "" or pack["revote"], "you have voted on this: by these rules a vote cannot be changed")
        self.votes[(number, self.caller)] = choice
        emit("Voted", proposal=number, voter=self.caller, choice=choice, weight=row[2], reason=reason)
        if pack["electorate"] == "live" or (pack["delegation"] and self.is_between(rows)):
            case["tally"] = self.recount(case, pack, rows)
        else:
            case["tally"] = {counter: counts.copy() for counter, counts in tally.items()}
            put(case["tally"], [row], before, -1)
            put(case["tally"], [row], choice, 1)
        self.settle(case, pack, tally)

    def is_between(self, rows: list) -> bool:
        """Tell whether the caller votes for somebody else, or has somebody who votes for it."""
        return any([self.caller in (row[1], row[5]) for row in rows if row[5] != ""])

    def recount(self, case: dict, pack: dict, rows: list) -> dict:
        if pack["electorate"] == "live":
            case["electorate"] = self.keep_electorate(rows)
        return count(pack, rows, self.cast_on(case["number"], rows), case["recused"])

    def cast_on(self, number: int, rows: list) -> dict:
        return {row[1]: self.votes.get((number, row[1]), "") for row in rows}

    def settle(self, case: dict, pack: dict, before: dict) -> None:
        """End a vote that the rules end early; give it more time where the quorum was reached late, once."""
        track, now = pack["tracks"][case["track"]], self.clock(pack)
        is_new = is_quorate(track, case["tally"]) and not is_quorate(track, before)
        if is_new and not case["extended"] and case["ends"] - now < track["extension"]:
            case.update({"extended": True, "ends": now + track["extension"], "status": "Extended"})
        found = verdict(pack, track, case["tally"], False)
        if found["status"] != "Active":
            conclude(case, track, found, now)

    # --- carrying out

    @action
    def queue(self, number: int) -> int:
        """Let the wait of a proposal that succeeded begin; returns the time from which on it can be executed.

        zh: 使已通过的提案进入等待期；返回可以执行的时间。
        """
        case = self.expect(number, ("Succeeded",), "queued")
        pack = self.packs[case["pack"]]
        self.check_member("puts a decision in the queue")
        track = pack["tracks"][case["track"]]
        case["ready"] = self.clock(pack) + track["timelock"]
        case["until"] = case["ready"] + track["grace"]
        self.keep_as(case, "Queued")
        return case["ready"]

    @action
    def execute(self, number: int) -> dict:
        """Carry out a decision after its wait: all of its calls or none. Returns {status, why, results}.

        zh: 等待期满后执行决定：全部调用一并生效，任一失败则全部不生效，并可在期限内重试。返回 {status, why, results}。
        """
        case = self.expect(number, ("Succeeded", "Queued", "ExecutionFailed"), "executed")
        pack = self.packs[case["pack"]]
        ready, now = case["ready"], self.clock(pack)
        self.check_member("carries a decision out")
        must_wait = case["status"] == "Succeeded" and pack["tracks"][case["track"]]["timelock"] > 0
        require(not must_wait, "it has succeeded, and has to wait before it is executed: queue it first")
        require(now >= ready, f"it waits: execute it from {ready} on; by its clock it is {now} now")
        why, results = self.carry_out(number, self.texts[number]["calls"])
        case["why"] = why
        self.keep_as(case, "ExecutionFailed" if why else "Executed")
        return {"status": case["status"], "why": why, "results": results}

    def carry_out(self, number: int, calls: list) -> list:
        """Make the calls, all or none; returns [why not, results]."""
        call, why = calls[0], self.obstacle(number)
        if why != "":
            return [why, []]
        if call["contract"] != self.address:
            return self.attempt(calls)
        if call["action"] == "set_pack":
            self.adopt(call["arguments"]["pack"])
        elif call["action"] == "set_guardian":
            self.guardian = call["arguments"]["guardian"]
        else:
            self.own_members = in_full(call["arguments"]["members"])
        return ["", []]

    def hindrance(self, call: dict) -> str:
        """Say why this contract cannot be changed so; refuse what nobody could adopt."""
        if call["action"] == "set_pack":
            pack = call["arguments"]["pack"]
            check_pack(pack)
            return out_of_reach(pack, self.electorate(pack))
        if call["action"] == "set_guardian":
            check_guardian(call["arguments"]["guardian"])
            return ""
        if self.own_members == []:
            return "the members of the chain decide here: propose the change to the contract members"
        members = call["arguments"]["members"]
        require(isinstance(members, list), "members are a list")
        check_members(members)
        return out_of_reach(self.packs[self.pack_count], [row + [""] for row in in_full(members)])

    def version_of(self, name: str) -> int:
        """Tell which version of its code a contract is; 0 where there is none of this name."""
        return self.call("ledger", "version", name=name)

    def check_member(self, does: str) -> None:
        require(row_of(self.present(), self.caller) != [], f"only a member {does}")

    # --- keeping

    def seen(self, number: int) -> dict:
        """Return a case as it stands now."""
        require(number in self.cases, f"there is no proposal {number}: see proposals")
        case = self.cases[number]
        pack = self.packs[case["pack"]]
        return at_time(case, pack, self.clock(pack))

    def expect(self, number: int, statuses: tuple, what: str) -> dict:
        """Return a proposal that has one of these statuses."""
        case = self.seen(number)
        found, why = case["status"], case["why"]
        because = f" ({why})" if why else ""
        require(found in statuses, f"proposal {number} is {found}{because}: it cannot be {what}")
        return case

    def keep_as(self, case: dict, status: str) -> None:
        was = case["status"]
        case["status"] = status
        self.keep(case, was)

    def keep(self, case: dict, was: str) -> None:
        """Store a case, and announce each state it has come to since it was stored."""
        number = case["number"]
        stored = self.cases[number]["status"] if number in self.cases else ""
        for state in [was, case["status"]]:
            if state not in ("", stored):
                stored = state
                why, clause = (case["why"], case["clause"]) if state == case["status"] else ("", "")
                emit("Stage", proposal=number, state=state, why=why, clause=clause)
        self.cases[number] = case

    # --- views

    @view
    def members(self) -> list:
        """List who decides now as [name, did, weight, seat, population].

        zh: 列出现有成员：[名称, did, 权重, 席位, 人口]。
        """
        return self.present()

    @view
    def rules(self) -> dict:
        """Show the rule pack by which new proposals are decided.

        zh: 显示新提案适用的规则包。
        """
        return self.packs[self.pack_count]

    @view
    def guarded_by(self) -> str:
        """Name the guardian, who may stop what is not executed; nothing where there is none.

        zh: 显示监护方；没有则为空。
        """
        return self.guardian

    @view
    def count_proposals(self) -> int:
        """Count the proposals.

        zh: 提案总数。
        """
        return self.proposal_count

    @view
    def proposal(self, number: int) -> dict:
        """Show a proposal as it stands now; its calls are shown by `calls`.

        zh: 显示提案现状；其调用见 calls。
        """
        case, text = self.seen(number), self.texts[number]
        pack, weight = self.packs[case["pack"]], case["tally"]["weight:"]
        shown = {field: text[field] for field in ["title", "reason", "by", "what", "about"]}
        shown.update(case)
        shown.update({"begun": case["begins"], "clock": pack["clock"], "rules": pack["name"]})
        shown.update({"total": weight["eligible"], "yes": weight["yes"], "no": weight["no"]})
        return shown

    @view
    def decided_by(self, number: int) -> dict:
        """Show {rules, electorate}: by which rules and among whom a proposal is decided, or was last counted.

        Each of the electorate is [name, did, weight, seat, population, delegate].

        zh: 显示提案适用的规则与计票所依据的成员名单：{rules, electorate}。
        """
        case = self.seen(number)
        return {"rules": self.packs[case["pack"]], "electorate": self.electorates[case["electorate"]]}

    @view
    def standing(self, number: int) -> dict:
        """Tell whether a proposal can still pass or be blocked, and what each clause still needs.

        zh: 说明提案能否通过、能否被阻止，以及各条款尚缺多少。
        """
        case = self.seen(number)
        pack = self.packs[case["pack"]]
        return standing(pack, pack["tracks"][case["track"]], case["tally"])

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
        require(number in self.texts, f"there is no proposal {number}: see proposals")
        return self.texts[number]["calls"]

    @view
    def obstacle(self, number: int) -> str:
        """Say why a proposal could not be carried out now, whatever its calls do; nothing if there is no such reason.

        zh: 说明提案目前因何无法执行（与调用本身的结果无关）；无此类原因则为空。
        """
        calls = self.calls(number)
        for name, version in self.texts[number]["versions"].items():
            if version not in (0, self.version_of(name)):  # 0: what was to come was voted on
                return f"the code of {name} has changed since this was proposed: propose it anew"
        return self.hindrance(calls[0]) if calls[0]["contract"] == self.address else ""

    @view
    def ballots(self, number: int, start: int = 0, limit: int = 100) -> list:
        """List who may vote on a proposal as [name, did, weight, choice]; the choice may be "recused" or "not yet".

        zh: 列出可投票者：[名称, did, 权重, 选项]；选项也可为 "recused"（回避）或 "not yet"（未投）。
        """
        require(start >= 0 and 0 <= limit <= 100, "a page starts at 0 or later and has at most 100 members")
        case = self.seen(number)
        rows = self.voters(case, self.packs[case["pack"]])
        cast = self.cast_on(number, rows)
        delegates = delegations(rows)
        aside = {did: "recused" for did in case["recused"]}
        page = rows[start : start + limit]
        return [[r[0], r[1], r[2], aside.get(r[1], heard(r[1], delegates, cast) or "not yet")] for r in page]
