# mypy: disable-error-code="type-arg,no-any-return,empty-body"
"""Objections, appeals and repairs: a human being who had no part in it decides, in time, and gives reasons.

An objection costs nothing and suspends its entry. First one reviewer decides; then, if the resident appeals, a panel
of an odd number. Who does not decide in time has decided for the resident: anybody may say so after the deadline.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Interface, Map, Record, Value, action, emit, require, view

GROUNDS = ("not-me", "facts", "amount", "rule", "person", "other")
OUTCOMES = ("Upheld", "Amended", "Withdrawn")
VOTES = ("Upheld", "Withdrawn")
NOT_THEIRS = "not-me"  # the ground on which even a reward is given up
LEAST_PANEL = 3
MAX_PANEL = 9
MAX_CLAIM = 10  # times what was recorded: it is granted if nobody decides in time


class Catalogue(Interface):
    """The rules."""

    @view
    def has_role(self, role: str, account: str) -> bool:
        """Tell whether an account has a task."""

    @view
    def scheme(self) -> dict:
        """Tell the clocks of the scheme."""

    @view
    def months_after(self, at: int, months: int) -> int:
        """Tell the time some calendar months later."""


class Accounts(Interface):
    """The accounts."""

    @view
    def acts_for(self, account: str, who: str) -> bool:
        """Tell whether somebody may act for an account."""


class Ledger(Interface):
    """The entries."""

    @view
    def entry(self, number: int) -> dict:
        """Show an entry."""

    @view
    def closes(self, number: int) -> int:
        """Tell until when the resident may object or appeal."""

    @action
    def suspend(self, number: int, case: int, state: str) -> str:
        """Suspend an entry."""

    @action
    def resolve(self, number: int, outcome: str, amount: int, appeal_ms: int, is_silent: bool) -> str:
        """Take over what was decided about an entry."""

    @action
    def repair(self, number: int, state: str) -> str:
        """Take over how far a repair has come."""


def check_digest(text: str, what: str) -> None:
    is_digest = len(text) == 64 and text.strip("0123456789abcdef") == ""
    require(is_digest, f"{what} is named by its SHA-256, in 64 small hex digits: the text itself stays outside")


class Case(Record):
    """A case about an entry: `state` is Open, Decided, Appealed, Closed or Lapsed; `claim` is the amount claimed."""

    kind: str  # objection, rejection (that it be withdrawn) or repair
    entry: int
    account: str
    rule: str  # code and version, by which everything here is decided
    grounds: str
    evidence: str
    claim: int
    opened_at: int
    deadline: int
    involved: list[str]  # who recorded, verified or decided: none of them decides now
    panel: list[str]
    votes: dict[str, str]  # member -> outcome
    state: str = "Open"
    reviewer: str = ""
    outcome: str = ""
    reasons: str = ""
    decided_at: int = 0
    appeal_until: int = 0
    appealed_at: int = 0


class Cases(Contract):
    """Objections, appeals and repairs of contribution points, each with its clock.

    zh: 贡献积分的异议、申诉与修复，各有期限。
    """

    catalogue = Value(str)
    accounts = Value(str)
    ledger = Value(str)
    cases = Map(int, Case)
    case_count = Value(int)
    open_of = Map(int, int)  # entry -> its open case

    def setup(self, catalogue: str, accounts: str, ledger: str) -> None:
        self.catalogue = catalogue
        self.accounts = accounts
        self.ledger = ledger

    def require_role(self, role: str) -> None:
        has_role = Catalogue(self.catalogue).has_role(role, self.caller)
        require(has_role, f"only the role {role} may do this: the owner of the scheme grants it")

    def require_resident(self, account: str) -> None:
        is_own = Accounts(self.accounts).acts_for(account, self.caller)
        require(is_own, "only the resident, a guardian or the assisted desk does this")

    def found(self, number: int, states: tuple) -> Case:
        require(number in self.cases, f"there is no case {number}")
        case = self.cases[number]
        wanted = ", ".join(states)
        require(case.state in states, f"case {number} is {case.state}: this is done with one that is {wanted}")
        return case

    def keep(self, number: int, case: Case, state: str) -> str:
        case.state = state
        self.cases[number] = case
        emit("Case", number=number, kind=case.kind, entry=case.entry, state=state, outcome=case.outcome)
        return state

    # --- the safeguards

    def guard_not_involved(self, case: Case, who: str) -> None:
        """Who recorded, verified or decided before does not decide again; nor does who acts for the resident."""
        is_free = who not in case.involved and not Accounts(self.accounts).acts_for(case.account, who)
        require(is_free, "who had a part in this entry does not decide about it: somebody else has to")

    def guard_reasons(self, reasons: str) -> None:
        """A decision has reasons, which the resident can read."""
        check_digest(reasons, "the reasons of a decision")

    def guard_deadline(self, case: Case) -> None:
        """After the deadline nobody decides against the resident any more."""
        deadline = case.deadline
        require(
            self.now <= deadline, f"this had to be decided until {deadline}: it has lapsed in the resident's favour"
        )

    def guard_odd_panel(self, members: list) -> None:
        """A panel has an odd number of members, so that it cannot end in a tie."""
        is_odd = LEAST_PANEL <= len(members) <= MAX_PANEL and len(members) % 2 == 1
        require(is_odd, f"a panel has an odd number of members, from {LEAST_PANEL} to {MAX_PANEL}")

    def guard_human(self) -> None:
        """A person decides and signs: no program does it instead."""
        require(self.caller == self.signer, "a person decides and signs: a contract cannot do it instead")

    # --- the resident

    @action
    def object(self, entry: int, grounds: str, evidence: str, claim: int = 0) -> int:
        """Object to an entry in time, or to its rejection; free of charge, and until it is decided without effect.

        Of a reward `claim` is the amount that would be right, in the unit of its rule. A reward at which no office has
        looked in time can be objected to as if it were rejected.

        zh: 在期限内对分录或其驳回提出异议；不收费，裁决前不生效。奖励可申明应计数量；逾期无人核实的视同驳回。
        """
        known = Ledger(self.ledger).entry(entry)
        self.require_resident(known["account"])
        state, is_rejected = known["state"], known["is_rejected"] or self.is_unseen(known)
        is_refused = state == "Rejected" and known["severity"] == ""
        is_told = state == "Notified" or is_refused or self.is_unseen(known)
        require(is_told, f"entry {entry} is {state}: an objection is made after the notice")
        closes = Ledger(self.ledger).closes(entry)
        is_open = self.is_unseen(known) or self.now < closes
        require(is_open, f"the time to object ended at {closes}: ask for a repair, or report new facts")
        most = 0 if is_rejected else MAX_CLAIM * known["amount"]
        require(0 <= claim <= most, f"what is claimed is 0 to {most}: report more than that as something new")
        kind = "rejection" if is_rejected else "objection"
        number = self.begin(kind, entry, known, grounds, evidence, claim)
        Ledger(self.ledger).suspend(entry, number, "Objected")
        return number

    def is_unseen(self, known: dict) -> bool:
        """Tell whether no office has looked at a reward in time: then the resident asks for somebody who does."""
        return known["state"] == "Recorded" and known["severity"] == "" and self.now > known["closes_at"]

    @action
    def ask_repair(self, entry: int, evidence: str) -> int:
        """Ask that a negative entry is undone, once its least time has passed and the duty is met.

        zh: 最短公示期满且已履行义务后，申请修复负面分录。
        """
        known = Ledger(self.ledger).entry(entry)
        self.require_resident(known["account"])
        state, severity = known["state"], known["severity"]
        is_one = state in ("Effective", "RepairRefused") and severity != ""
        require(is_one, f"entry {entry} is {state}: a negative one that is in effect is repaired")
        months = Catalogue(self.catalogue).scheme()["terms"][severity]["repair_after"]
        earliest = Catalogue(self.catalogue).months_after(at=known["effective_at"], months=months)
        require(self.now >= earliest, f"a {severity} entry is repaired after {months} months, from {earliest} on")
        number = self.begin("repair", entry, known, "other", evidence, 0)
        Ledger(self.ledger).repair(entry, "RepairRequested")
        return number

    def begin(self, kind: str, entry: int, known: dict, grounds: str, evidence: str, claim: int) -> int:
        words = ", ".join(GROUNDS)
        require(grounds in GROUNDS, f"the grounds are one of {words}")
        check_digest(evidence, "evidence")
        self.require_none_open(entry)
        number = self.case_count + 1
        self.case_count = number
        code, version = known["code"], known["version"]
        case = Case(
            kind=kind,
            entry=entry,
            account=known["account"],
            rule=f"{code} version {version}",
            grounds=grounds,
            evidence=evidence,
            claim=claim,
            opened_at=self.now,
            deadline=self.now + Catalogue(self.catalogue).scheme()["review_ms"],
            involved=[known["by"], known["verified_by"]] + known["rejected_by"],
            panel=[],
            votes={},
        )
        self.open_of[entry] = number
        self.keep(number, case, "Open")
        return number

    def require_none_open(self, entry: int) -> None:
        number = self.open_of.get(entry, 0)
        require(number == 0, f"case {number} about this entry is open")

    @action
    def appeal(self, number: int, grounds: str, evidence: str) -> str:
        """Appeal against a decision in time; the entry stays without effect until the panel has decided.

        zh: 在期限内对裁决提出申诉；合议庭裁决前分录不生效。
        """
        case = self.found(number, ("Decided",))
        self.require_resident(case.account)
        words, is_repair = ", ".join(GROUNDS), case.kind == "repair"
        until = case.appeal_until if is_repair else Ledger(self.ledger).closes(case.entry)
        require(grounds in GROUNDS, f"the grounds are one of {words}")
        require(self.now < until, f"the time to appeal ended at {until}: the decision stands")
        check_digest(evidence, "evidence")
        self.require_none_open(case.entry)
        case.involved.append(case.reviewer)
        case.grounds = grounds
        case.evidence = evidence
        case.appealed_at = self.now
        case.deadline = self.now + Catalogue(self.catalogue).scheme()["panel_ms"]
        self.open_of[case.entry] = number
        if is_repair:
            Ledger(self.ledger).repair(case.entry, "RepairRequested")
        else:
            Ledger(self.ledger).suspend(case.entry, number, "Appealed")
        return self.keep(number, case, "Appealed")

    # --- the reviewer

    @action
    def decide(self, number: int, outcome: str, reasons: str, amount: int = 0) -> str:
        """Decide, with reasons, on an objection (Upheld, Amended, Withdrawn), a rejection or a repair (no Amended).

        An amended entry is judged again by the same rule, with the amount that is right. Of a rejection, Withdrawn is
        that somebody else verifies the entry; of a repair, that it is repaired.

        zh: 说明理由，对异议（维持、修正、撤回）、驳回（撤回即由他人重新核实）或修复（撤回即修复）作出裁决。
        """
        self.require_role("reviewer")
        case = self.found(number, ("Open",))
        words = ", ".join(OUTCOMES)
        require(outcome in OUTCOMES, f"a decision is one of {words}")
        is_one = case.kind == "objection" or outcome != "Amended"
        require(
            is_one,
            "a repair or a rejection is decided for the resident (Withdrawn) or not (Upheld): nothing is amended",
        )
        self.guard_human()
        self.guard_not_involved(case, self.caller)
        self.guard_deadline(case)
        self.guard_reasons(reasons)
        is_fair = outcome != "Withdrawn" or self.for_the_resident(case) == outcome
        require(is_fair, "who objects never comes off worse for it: a reward is upheld or amended")
        case.reviewer = self.caller
        case.reasons = reasons
        return self.conclude(number, case, outcome, amount, Catalogue(self.catalogue).scheme()["appeal_ms"])

    def for_the_resident(self, case: Case) -> str:
        """Tell what it means that the resident is right: a reward is then as was claimed, everything else goes."""
        is_reward = case.kind == "objection" and Ledger(self.ledger).entry(case.entry)["severity"] == ""
        if not is_reward or case.grounds == NOT_THEIRS:
            return "Withdrawn"
        return "Amended" if case.claim > 0 else "Upheld"

    def conclude(
        self, number: int, case: Case, outcome: str, amount: int, appeal_ms: int, is_silent: bool = False
    ) -> str:
        """Carry a decision out; with no time to appeal it is the last one."""
        case.outcome = outcome
        case.decided_at = self.now
        case.appeal_until = self.now + appeal_ms
        self.open_of[case.entry] = 0
        is_last = appeal_ms == 0 or outcome == "Withdrawn"
        if case.kind == "repair":
            if Ledger(self.ledger).entry(case.entry)["state"] == "RepairRequested":  # it may have ended meanwhile
                Ledger(self.ledger).repair(case.entry, "Repaired" if outcome == "Withdrawn" else "RepairRefused")
        else:
            word = "Final" if outcome == "Upheld" and is_last else outcome
            Ledger(self.ledger).resolve(case.entry, word, amount, appeal_ms, is_silent)
        return self.keep(number, case, "Closed" if is_last else "Decided")

    # --- the panel

    @action
    def seat(self, number: int, members: list[str]) -> None:
        """Seat a panel of an odd number, or the places of those who stood aside; the appeals office does this.

        zh: 由申诉机构组成奇数合议庭，或补足回避者的席位。
        """
        self.require_role("appeals")
        case = self.found(number, ("Appealed",))
        self.guard_not_involved(case, self.caller)
        require(not case.votes, "the panel has begun to vote: it stays as it is")
        self.guard_odd_panel(members)
        for member in members:
            require(members.count(member) == 1, "nobody has two seats on a panel")
            self.guard_not_involved(case, member)
            is_panellist = Catalogue(self.catalogue).has_role("panellist", member)
            require(is_panellist, "a panel is made of panellists")
        case.panel = members
        self.keep(number, case, "Appealed")

    @action
    def recuse(self, number: int) -> None:
        """Stand aside as a member of a panel, and need not say why: the office seats another.

        zh: 合议庭成员回避，无需说明理由；由申诉机构另行安排。
        """
        case = self.found(number, ("Appealed",))
        require(
            self.caller in case.panel and self.caller not in case.votes, "only a member who has not voted stands aside"
        )
        require(not case.votes, "the panel has begun to vote: it stays as it is")
        case.panel.remove(self.caller)
        case.involved.append(self.caller)
        self.keep(number, case, "Appealed")

    @action
    def vote(self, number: int, outcome: str, reasons: str) -> str:
        """Vote, with reasons, as a member of the panel; the majority decides, and that is the last word here.

        Withdrawn is that the resident is right: a reward is then as was claimed.

        zh: 合议庭成员说明理由并投票；多数决定，为终局。撤回即支持居民：奖励按其申明计。
        """
        case = self.found(number, ("Appealed",))
        self.guard_human()
        require(self.caller in case.panel, "only a member of the panel votes")
        require(self.caller not in case.votes, "a member votes once")
        words = ", ".join(VOTES)
        require(outcome in VOTES, f"a panel decides for one of {words}")
        self.guard_odd_panel(case.panel)
        self.guard_deadline(case)
        self.guard_reasons(reasons)
        case.votes[self.caller] = outcome
        case.reasons = reasons
        if 2 * list(case.votes.values()).count(outcome) > len(case.panel):
            is_right = outcome == "Withdrawn"
            return self.conclude(number, case, self.for_the_resident(case) if is_right else outcome, case.claim, 0)
        return self.keep(number, case, "Appealed")

    # --- the clock

    @action
    def lapse(self, number: int) -> str:
        """Say that a deadline has passed without a decision: the resident is right. Anybody may do this.

        zh: 逾期未裁决的，视为支持居民；任何人均可操作。
        """
        case = self.found(number, ("Open", "Appealed"))
        deadline = case.deadline
        require(self.now > deadline, f"there is time to decide until {deadline}")
        self.conclude(number, case, self.for_the_resident(case), case.claim, 0, is_silent=True)
        return self.keep(number, case, "Lapsed")

    # --- what can be read

    @view
    def case(self, number: int) -> Case:
        """Show a case: grounds, deadline, decision, panel.

        zh: 查询案件：理由、期限、裁决、合议庭。
        """
        require(number in self.cases, f"there is no case {number}")
        return self.cases[number]

    @view
    def all_cases(self, start: int = 0, limit: int = 50) -> list[dict]:
        """List one page of all cases, each with its number, the oldest first.

        zh: 分页列出全部案件及编号，最早的在前。
        """
        page = self.cases.items(start, limit)
        return [{"number": number, "case": case} for number, case in page]
