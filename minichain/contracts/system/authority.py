# mypy: disable-error-code="type-arg,no-any-return"
"""An alliance: the members decide by vote who is one of them, and with which weight.

A change needs more than two thirds of the weight there was when it was proposed. It takes effect `delay` blocks after
it is accepted, at one height that its event names; what is accepted later builds on what is accepted already. In the
same way the members may entrust these decisions to a contract, such as one that votes by a rule pack, and take them
back: from then on it alone decides who is a member, at once.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Value, action, emit, is_did_key, require, view
from minichain.contracts.parts import check_founders, check_name, check_weight

MAX_MEMBERS = 100
MAX_REASON = 255  # characters
MAX_BLOCKS = 1_000_000  # of a vote, or until a change takes effect


# --- changes -----------------------------------------------------------------------------------------------------


def weight_of(members: list, did: str) -> int:
    return sum([weight for name, key, weight in members if key == did])


def name_of(members: list, did: str) -> str:
    names = [name for name, key, weight in members if key == did]
    return names[0] if names else ""


def check_owner(did: str) -> None:
    """Refuse a key that nobody can own: with such a member, no committee could be made."""
    require(is_did_key(did), "a member is named by its did:key: ask the member for it")


def hindrance(members: list, change: dict) -> str:
    """Say why a change cannot be made to these members; nothing if it can."""
    kind, name, did = change["kind"], change["name"], change["did"]
    present = weight_of(members, did)
    if kind == "admission":
        if present > 0:
            return "this key is a member already: propose another weight for it"
        if name in [other for other, key, weight in members]:
            return f"the name {name} is taken: choose another name"
        return "" if len(members) < MAX_MEMBERS else f"there are {MAX_MEMBERS} members already: remove one first"
    if present == 0:
        return "this key is not a member, or will not be one any more: see members and planned"
    if kind == "weight":
        return "" if present != change["weight"] else "the member has this weight already"
    return "" if len(members) > 1 else "the last member cannot be removed: admit another one first"


def changed(members: list, change: dict) -> list:
    """Return the members after a change, ordered by name."""
    did = change["did"]
    others = [member for member in members if member[1] != did]
    if change["kind"] != "removal":
        name = name_of(members, did) or change["name"]
        others.append([name, did, change["weight"]])
    return sorted(others)


class Authority(Contract):
    """Who the members of an alliance are, decided by vote of the members."""

    voting_blocks = Value(int)
    delay = Value(int)
    one_at_a_time = Value(bool)
    governor = Value(str)  # the contract that decides in the place of the members' votes; "" if there is none
    count = Value(int)  # of the proposals, which are numbered from 1
    cases = Map(int, dict)
    votes = Map((int, str), bool)
    # Every committee there was, is, or is planned, numbered from 1, and the height from which on it certifies blocks.
    latest = Value(int)
    editions = Map(int, list)
    firsts = Map(int, int)

    def setup(self, founders: list, voting_blocks: int, delay: int, one_at_a_time: bool = False) -> None:
        check_founders(founders)
        require(1 <= voting_blocks <= MAX_BLOCKS, f"a vote is open for 1 to {MAX_BLOCKS} blocks")
        require(1 <= delay <= MAX_BLOCKS, f"a change takes effect 1 to {MAX_BLOCKS} blocks after it is accepted")
        is_equal = sum([weight for name, did, weight in founders]) == len(founders)
        require(is_equal or not one_at_a_time, "where one change is made at a time every member has weight 1")
        self.voting_blocks = voting_blocks
        self.delay = delay
        self.one_at_a_time = one_at_a_time
        self.latest = 1
        self.editions[1] = sorted(founders)
        self.firsts[1] = self.height

    # --- proposals

    @action
    def propose_admission(self, name: str, did: str, weight: int, reason: str) -> int:
        """Propose to admit a member; returns the number of the proposal."""
        self.require_own_votes()
        check_name(name)
        check_owner(did)
        return self.propose("admission", name, did, weight, reason)

    @action
    def propose_removal(self, did: str, reason: str) -> int:
        """Propose to remove a member; returns the number of the proposal."""
        self.require_own_votes()
        return self.propose("removal", name_of(self.editions[self.latest], did), did, 1, reason)

    @action
    def propose_weight(self, did: str, weight: int, reason: str) -> int:
        """Propose another weight for a member; returns the number of the proposal."""
        self.require_own_votes()
        return self.propose("weight", name_of(self.editions[self.latest], did), did, weight, reason)

    @action
    def propose_governor(self, contract: str, reason: str) -> int:
        """Propose that a contract decides who the members are, or, with "", that they vote here again.

        zh: 提议由某合约决定成员资格；空值表示恢复由成员在此投票。
        """
        require(contract == "" or isinstance(self.call(contract, "rules"), dict), "a governor has rules that it shows")
        return self.propose("governor", contract, "", 1, reason)

    def propose(self, kind: str, name: str, did: str, weight: int, reason: str) -> int:
        edition = self.edition_at(self.height)
        electorate = self.editions[edition]
        require(weight_of(electorate, self.caller) > 0, "only a member may propose: ask a member to propose it")
        require(reason.strip() != "" and len(reason) <= MAX_REASON, f"give a reason of 1 to {MAX_REASON} characters")
        check_weight(weight)
        if self.one_at_a_time:
            self.check_alone(kind, weight)
        number = self.count + 1
        case = {"number": number, "kind": kind, "name": name, "did": did, "weight": weight, "reason": reason}
        why_not = "" if kind == "governor" else hindrance(self.editions[self.latest], case)
        require(why_not == "", why_not)
        case.update({"by": self.caller, "begun": self.height, "ends": self.height + self.voting_blocks})
        case.update({"edition": edition, "total": sum([share for own, key, share in electorate]), "yes": 0, "no": 0})
        case.update({"status": "open", "first": 0, "why": ""})
        self.count = number
        self.cases[number] = case
        emit("Proposed", proposal=number, kind=kind, name=name, did=did, weight=weight, by=self.caller, reason=reason)
        return number

    def require_own_votes(self) -> None:
        elsewhere = self.elsewhere()
        require(elsewhere == "", elsewhere)

    def elsewhere(self) -> str:
        """Say who decides in the place of the members' votes; nothing if nobody does."""
        who = self.governor
        return f"the contract {who} decides who the members are: propose it there" if who else ""

    def check_alone(self, kind: str, weight: int) -> None:
        """Refuse a change beside another one: such committees overlap only if they differ by one member."""
        require(kind != "weight" and weight == 1, "here every member has weight 1: propose an admission or a removal")
        first, number = self.firsts[self.latest], self.count
        require(first <= self.height, f"one change at a time: the last one takes effect at height {first}, wait for it")
        if number > 0:
            case = self.proposal(number)
            ends, is_other = case["ends"], case["status"] == "open" and case["kind"] != "governor"
            require(not is_other, f"one change at a time: proposal {number} is open until height {ends}")

    # --- votes

    @action
    def vote(self, proposal: int, yes: bool) -> str:
        """Vote on an open proposal, once; returns what has become of the proposal."""
        status = self.proposal(proposal)["status"]
        require(status == "open", f"proposal {proposal} is {status}: there is nothing to vote on any more")
        case = self.cases[proposal]
        weight = weight_of(self.editions[case["edition"]], self.caller)
        begun = case["begun"]
        require(weight > 0, f"only those who were members at height {begun}, when this was proposed, may vote on it")
        require((proposal, self.caller) not in self.votes, "you have voted on this: a vote cannot be changed")
        self.votes[(proposal, self.caller)] = yes
        emit("Voted", proposal=proposal, voter=self.caller, yes=yes, weight=weight)
        side = "yes" if yes else "no"
        case[side] += weight
        if 3 * case["yes"] > 2 * case["total"]:
            self.accept(case)
        elif 3 * (case["total"] - case["no"]) <= 2 * case["total"]:
            case["status"] = "rejected"
        if case["status"] != "open":
            emit("Decided", proposal=proposal, status=case["status"], first=case["first"], why=case["why"])
        self.cases[proposal] = case
        return case["status"]

    def accept(self, case: dict) -> None:
        """Plan the change on top of the newest plan; it fails if another change has made it impossible meanwhile."""
        members, is_change = self.editions[self.latest], case["kind"] != "governor"
        case["why"] = (self.elsewhere() or hindrance(members, case)) if is_change else ""
        case["status"] = "failed" if case["why"] else "accepted"
        if not is_change:
            self.governor = case["name"]
            emit("Governor", contract=case["name"])
        elif case["why"] == "":
            case["first"] = self.height + self.delay
            self.plan(case["first"], changed(members, case))

    # --- what the governor decides

    @action
    def admit(self, name: str, did: str, weight: int) -> int:
        """Admit a member, as the contract that decides; returns the height from which on it certifies blocks.

        zh: 由受托合约接纳成员；返回其开始签署区块的高度。
        """
        check_name(name)
        check_owner(did)
        return self.decree("admission", name, did, weight)

    @action
    def remove(self, did: str) -> int:
        """Remove a member, as the contract that decides; returns the height from which on it does not certify.

        zh: 由受托合约移除成员；返回其停止签署区块的高度。
        """
        return self.decree("removal", "", did, 1)

    @action
    def reweigh(self, did: str, weight: int) -> int:
        """Give a member another weight, as the contract that decides; returns the height from which on it counts.

        zh: 由受托合约调整成员权重；返回生效高度。
        """
        return self.decree("weight", "", did, weight)

    def decree(self, kind: str, name: str, did: str, weight: int) -> int:
        is_governor = self.governor != "" and self.caller == self.governor
        require(is_governor, "only the contract that the members have entrusted decides this: see propose_governor")
        check_weight(weight)
        if self.one_at_a_time:
            self.check_alone(kind, weight)
        change = {"kind": kind, "name": name, "did": did, "weight": weight}
        why_not = hindrance(self.editions[self.latest], change)
        require(why_not == "", why_not)
        first = self.height + self.delay
        self.plan(first, changed(self.editions[self.latest], change))
        return first

    def plan(self, first: int, members: list) -> None:
        if self.firsts[self.latest] < first:  # two changes accepted in one block are one edition
            self.latest += 1
        self.firsts[self.latest] = first
        self.editions[self.latest] = members
        emit("Committee", first=first, members=members)

    # --- views

    @view
    def members(self) -> list:
        """List the members as [name, did, weight]."""
        return self.committee_at(self.height)

    @view
    def committee_at(self, height: int) -> list:
        """List those who certify the block of a height, past or to come, as [name, did, weight]."""
        return self.editions[self.edition_at(height)]

    @view
    def planned(self) -> list:
        """List the committees to come as [first height, members]."""
        begun = self.edition_at(self.height)
        return [[self.firsts[number], self.editions[number]] for number in range(begun + 1, self.latest + 1)]

    @view
    def proposal(self, number: int) -> dict:
        """Show a proposal, and how much weight is still needed to accept or to reject it."""
        require(number in self.cases, f"there is no proposal {number}: see proposals")
        case = self.cases[number]
        total = case["total"]
        if case["status"] == "open" and case["ends"] < self.height:
            case["status"] = "lapsed"
        case["yes_needed"] = max(0, 2 * total // 3 + 1 - case["yes"])
        case["no_needed"] = max(0, (total + 2) // 3 - case["no"])
        return case

    @view
    def proposals(self, start: int = 0, limit: int = 100) -> list:
        """List the proposals in the order in which they were made."""
        return [self.proposal(number) for number in self.cases.keys(start, limit)]

    @view
    def ballots(self, number: int) -> list:
        """List who may vote on a proposal as [name, did, weight, "yes", "no" or "not yet"]."""
        words = {"True": "yes", "False": "no", "None": "not yet"}
        voters = self.editions[self.proposal(number)["edition"]]
        return [[name, did, share, words[str(self.votes.get((number, did)))]] for name, did, share in voters]

    def edition_at(self, height: int) -> int:
        """Find the committee of a height; it is nearly always one of the newest."""
        number = self.latest
        while number > 1 and self.firsts[number] > height:
            number -= 1
        return number
