# mypy: disable-error-code="type-arg,no-any-return,empty-body"
"""The entries of a scheme of contribution points, from their notice to their end. Nothing is ever deleted.

An entry has an effect only after a notice with reasons and the time to object, which stands still while this ledger
does; while somebody objects it has none. What is undone is undone by a second entry, so that the sum of all entries
that have had an effect is the balance. There is no list of persons in here, and no order among them.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Interface, Map, Record, Value, action, emit, require, view

MAX_AMOUNT = 100_000_000
LEAST_SHOWN = 10  # accounts: a total over fewer could be somebody
BEFORE_EFFECT = ("Verified", "Notified", "Rejected", "Upheld", "Amended", "Final", "Objected", "Appealed")
OPEN_TO_OBJECTION = ("Recorded", "Notified", "Rejected", "Upheld", "Amended")
IN_EFFECT = ("Effective", "RepairRequested", "RepairRefused")
OUTCOMES = ("Upheld", "Amended", "Withdrawn", "Final")


class Catalogue(Interface):
    """The rules."""

    @view
    def scheme(self) -> dict:
        """Tell the clocks and limits of the scheme."""

    @view
    def judged(self, code: str, amount: int, at: int) -> dict:
        """Judge an amount by the rule of its day."""

    @view
    def months_after(self, at: int, months: int) -> int:
        """Tell the time some calendar months later."""


class Accounts(Interface):
    """The accounts."""

    @view
    def acts_for(self, account: str, who: str) -> bool:
        """Tell whether somebody may act for an account."""

    @view
    def require_taking_part(self, account: str) -> None:
        """Refuse an account about which nothing may be recorded."""


class Evidence(Interface):
    """What entries rest on."""

    @action
    def use_drop(self, drop: str, number: int) -> list:
        """Use what a device weighed."""

    @action
    def use_paper(self, event: str, paper: str, account: str, zone: str, at: int, number: int) -> list:
        """Use a paper."""

    @action
    def release(self, drop: str, paper: str) -> None:
        """Let what was used be used again."""


def check_digest(text: str, what: str) -> None:
    is_digest = len(text) == 64 and text.strip("0123456789abcdef") == ""
    require(is_digest, f"{what} is named by its SHA-256, in 64 small hex digits: the text itself stays outside")


class Book(Record):
    """What an account has: the balance is `earned` less `used`; points are used before those that end later."""

    count: int = 0
    earned: int = 0
    used: int = 0
    lasting: int = 0  # what was earned by rewards that have not ended


class Entry(Record):
    """One entry; `delta` is what it adds to the balance when it takes effect, times are 0 until they have come."""

    account: str
    kind: str  # reward, deduction, record; redemption, refund, expiry, reversal
    delta: int
    state: str
    recorded_at: int
    by: str
    flags: list[str]  # what a human being has to look at
    rejected_by: list[str]  # none of them verifies it any more
    is_rejected: bool = False  # what is told, objected to and decided is that it does not count
    code: str = ""
    version: int = 0
    event: str = ""
    evidence: str = ""
    amount: int = 0
    occurred_at: int = 0
    drop: str = ""
    verified_by: str = ""
    verified_at: int = 0
    looked_at: str = ""  # of a flagged entry: the SHA-256 of what the verifier has looked at
    decision: str = ""  # of a negative entry: the SHA-256 of the decision of a human being
    notice: str = ""  # the SHA-256 of the notice with its reasons, also those of a rejection
    noticed_at: int = 0
    silent_at: int = 0  # when somebody said that no office had looked at it in time
    closes_at: int = 0  # the end of the time that runs: to verify, to tell the resident, to object or to appeal
    lost_before: int = 0  # of the time that the ledger stood still, what had been before that
    effective_at: int = 0
    ends_at: int = 0
    severity: str = ""
    case: int = 0
    about: int = 0  # the entry that this one undoes


class PointsLedger(Contract):
    """The entries of contribution points: open to objection after the notice, then effective, and expired in the end.

    zh: 贡献积分分录：通知后为异议期，其后生效，最终到期。
    """

    catalogue = Value(str)
    scheme = Value(dict)  # of the catalogue, where it does not change
    others = Value(dict)  # the contracts accounts, evidence, intake, cases, redemption, giving, by these names
    entries = Map(int, Entry)
    entry_count = Value(int)
    books = Map(str, Book)
    pages = Map((str, int), int)  # account, position -> entry
    used_up = Map((str, str, str, int), int)  # account, rule, "day" or "month", which -> points
    last = Map((str, str), int)  # account, rule -> when it last counted
    reach = Map(str, list)  # rule -> [accounts, entries, points]
    reached = Map((str, str), bool)  # rule, account
    called_at = Value(int)  # when this contract was last called
    stood_still = Value(int)  # in all, as `standstill` counts it

    def setup(
        self, catalogue: str, accounts: str, evidence: str, intake: str, cases: str, redemption: str, giving: str
    ) -> None:
        self.catalogue = catalogue
        self.scheme = Catalogue(catalogue).scheme()
        others = {"accounts": accounts, "evidence": evidence, "intake": intake, "cases": cases}
        others.update({"redemption": redemption, "giving": giving})
        self.others = others
        self.called_at = self.now

    def require_taking_part(self, account: str) -> None:
        Accounts(self.others["accounts"]).require_taking_part(account)

    def found(self, number: int) -> Entry:
        require(number in self.entries, f"there is no entry {number}")
        return self.entries[number]

    def acts_for(self, account: str) -> bool:
        return Accounts(self.others["accounts"]).acts_for(account, self.caller)

    def judged(self, entry: Entry) -> dict:
        """Return the rule of an entry, and the day and month it counts in."""
        return Catalogue(self.catalogue).judged(code=entry.code, amount=entry.amount, at=entry.occurred_at)

    def require_state(self, number: int, states: tuple) -> Entry:
        entry = self.found(number)
        wanted = ", ".join(states)
        require(entry.state in states, f"entry {number} is {entry.state}: this is done with one that is {wanted}")
        return entry

    # --- the safeguards; what returns a value returns the first argument where it is left out

    def guard_silence(self, amount: int, entry: Entry, rule: dict) -> int:
        """Silence grants what was claimed only within a limit of its rule, and no more than a scale has weighed."""
        has_limit = entry.drop == "" and max(rule["at_most"], rule["per_day"], rule["per_month"]) > 0
        return amount if has_limit else min(amount, entry.amount)

    def guard_standstill(self, silence: int, most: int) -> int:
        """While the ledger stands still, so does the time to object: of a time without a call, little counts."""
        return min(silence, most)

    def guard_noticed(self, entry: Entry) -> None:
        """No entry has an effect before the resident has been told, with reasons."""
        is_told = entry.notice != "" or entry.silent_at > 0
        require(is_told, "the resident has not been told: an entry takes effect after a notice with reasons")

    def guard_window(self, entry: Entry) -> None:
        """No entry has an effect before the time to object is over."""
        closes = entry.closes_at
        require(self.now >= closes, f"the resident may object or appeal until {closes}: no effect before")

    def guard_suspended(self, entry: Entry) -> None:
        """An entry that is objected to has no effect until the objection is decided."""
        is_open = entry.state in ("Objected", "Appealed")
        require(not is_open, "an objection suspends: no effect before it is decided")

    def guard_never_worse(self, points: int, before: int) -> int:
        """Who objects never comes off worse for it."""
        return max(points, before)

    def guard_caps(self, points: int, account: str, judged: dict) -> int:
        """A rule gives so much a day and a month and no more: nobody farms points."""
        rule, left = judged["rule"], points
        for kind in ("day", "month"):
            most, place = rule["per_" + kind], (account, rule["code"], kind, judged[kind])
            if most > 0:
                left = min(left, most - self.used_up.get(place, 0))
        return max(left, 0)

    def guard_ceiling(self, points: int, balance: int, ceiling: int) -> int:
        """An account holds no more than the ceiling of the scheme."""
        return max(0, min(points, ceiling - balance)) if ceiling > 0 else points

    def guard_no_debt(self, points: int, balance: int) -> int:
        """A balance never falls below nothing: nobody owes points."""
        return max(points, -balance)

    def guard_few(self, accounts: int) -> None:
        """A total over few residents is not shown: it could be one of them."""
        require(accounts >= LEAST_SHOWN, f"fewer than {LEAST_SHOWN} residents: a total over so few is not shown")

    def guard_published(self, entry: Entry) -> None:
        """A minor entry is nobody's business but the resident's."""
        terms = self.scheme["terms"]
        is_published = entry.severity in terms and terms[entry.severity]["is_published"]
        require(is_published, "this entry is not published: only the resident and who decides on it know whose it is")

    def guard_term(self, entry: Entry) -> None:
        """A negative entry ends by itself, whether or not anybody thinks of it."""
        require(entry.ends_at == 0 or self.now < entry.ends_at, "this entry has ended: it is shown and used no more")

    # --- for the contract of intake

    @action
    def enter(self, entry: Entry, judged: dict, zone: str) -> int:
        """Take in what was recorded; a reward is cut to the caps of its rule. Only the contract of intake does this.

        zh: 收录分录；奖励按规则上限计。仅受理合约可操作。
        """
        self.require_contract("intake")
        number, evidence = self.entry_count + 1, self.others["evidence"]
        if entry.drop != "":
            entry.flags = Evidence(evidence).use_drop(entry.drop, number)
        else:
            paper, at = entry.evidence, entry.occurred_at
            entry.flags = Evidence(evidence).use_paper(entry.event, paper, entry.account, zone, at, number)
        if entry.severity == "":
            entry.delta = self.rewarded(entry.delta, entry.account, judged, entry.occurred_at)
        return self.add(entry)

    @action
    def bring(self, number: int, entry: Entry) -> str:
        """Take over how far an entry has come before its effect. Only the contract of intake does this.

        zh: 采纳分录生效前的进展。仅受理合约可操作。
        """
        self.require_contract("intake")
        if entry.state in ("Notified", "Rejected"):
            self.open_window(entry, self.scheme["objection_ms"])
        elif entry.state == "Lapsed":
            self.release(entry, entry.drop)
        return self.keep(number, entry, entry.state)

    # --- the caps

    def rewarded(self, points: int, account: str, judged: dict, at: int) -> int:
        """Cut a reward to what the caps leave of it, and count it against them."""
        rule = judged["rule"]
        code, last = rule["code"], self.last.get((account, rule["code"]), 0)
        wait = rule["cooldown_ms"]
        require(last == 0 or abs(at - last) >= wait, f"rule {code} counts once in {wait} ms: this was too soon")
        self.last[(account, code)] = max(at, last)
        return self.capped(points, account, judged)

    def capped(self, points: int, account: str, judged: dict) -> int:
        """Cut points to what the caps leave, and count them against the caps."""
        points = self.guard_caps(points, account, judged)
        self.use_up(points, account, judged)
        return points

    def use_up(self, points: int, account: str, judged: dict) -> None:
        rule = judged["rule"]
        for kind in ("day", "month"):
            if rule["per_" + kind] > 0:
                place = (account, rule["code"], kind, judged[kind])
                self.used_up[place] = self.used_up.get(place, 0) + points

    def add(self, entry: Entry) -> int:
        """Give an entry its number, and its place in the book of its account."""
        self.tick()
        number = self.entry_count + 1
        self.entry_count = number
        self.entries[number] = entry
        book = self.books.get(entry.account, Book())
        self.pages[(entry.account, book.count)] = number
        book.count += 1
        self.books[entry.account] = book
        emit("Entry", number=number, account=entry.account, kind=entry.kind, delta=entry.delta, state=entry.state)
        return number

    def keep(self, number: int, entry: Entry, state: str) -> str:
        self.tick()
        entry.state = state
        self.entries[number] = entry
        emit("Entry", number=number, account=entry.account, kind=entry.kind, delta=entry.delta, state=state)
        return state

    def release(self, entry: Entry, drop: str) -> None:
        """Give back what an entry that never counts has used up: its evidence, and of a reward its part of the caps."""
        Evidence(self.others["evidence"]).release(drop, entry.evidence)
        if entry.severity != "":
            return
        judged = self.judged(entry)
        self.use_up(-entry.delta, entry.account, judged)
        if self.last.get((entry.account, entry.code), 0) == entry.occurred_at:
            del self.last[(entry.account, entry.code)]

    # --- a ledger that stands still
    # A quiet ledger and one that takes no calls look the same from here: all that counts is that somebody called.
    # Validators who let every call through but an objection are not noticed.

    @action
    def beat(self) -> None:
        """Show that this ledger takes calls: without any, the time to object stands still. Anybody may do this.

        zh: 表明本账本正常受理：无人调用时异议期停止计算；任何人均可操作。
        """
        self.tick()

    def tick(self) -> None:
        self.stood_still = self.standstill()
        self.called_at = self.now

    def standstill(self) -> int:
        """Return the time in which this ledger may have stood still, in all and up to now."""
        silence = self.now - self.called_at
        return self.stood_still + silence - self.guard_standstill(silence, self.scheme["quiet_ms"])

    def open_window(self, entry: Entry, span: int) -> None:
        """Open the time to object or to appeal."""
        entry.closes_at = self.now + span
        entry.lost_before = self.standstill()

    def close_of(self, entry: Entry) -> int:
        """Return the end of the time to object or to appeal, later by the time that the ledger stood still."""
        return entry.closes_at + self.standstill() - entry.lost_before

    # --- the effect

    @action
    def settle(self, number: int) -> str:
        """Let an entry take effect, or a rejection, once nothing stands in its way. Anybody may do this.

        Where the ledger stood still, what takes away waits for as long: then this only says until when.

        zh: 在没有障碍时使分录或驳回生效；账本停滞的，不利分录相应顺延。任何人均可操作。
        """
        entry = self.require_state(number, BEFORE_EFFECT)
        self.guard_suspended(entry)
        self.require_taking_part(entry.account)
        if entry.is_rejected and self.acts_for(entry.account):  # who agrees need not wait
            return self.dismiss(number, entry)
        if not entry.is_rejected:
            self.guard_noticed(entry)
        closes = self.close_of(entry)
        is_adverse = entry.is_rejected or entry.severity != ""
        if is_adverse and entry.closes_at <= self.now < closes:
            self.open_window(entry, closes - self.now)
            return self.keep(number, entry, entry.state)
        self.guard_window(entry)
        return self.dismiss(number, entry) if entry.is_rejected else self.take_effect(number, entry)

    def dismiss(self, number: int, entry: Entry) -> str:
        self.release(entry, entry.drop)
        return self.keep(number, entry, "Dismissed")

    def take_effect(self, number: int, entry: Entry) -> str:
        scheme, book = self.scheme, self.books[entry.account]
        balance = book.earned - book.used
        if entry.severity == "":
            entry.delta = self.guard_ceiling(entry.delta, balance, scheme["ceiling"])
            book.earned += entry.delta
            book.lasting += entry.delta
            months = self.judged(entry)["rule"]["expires_after"]
        else:
            entry.delta = self.guard_no_debt(entry.delta, balance)
            book.used -= entry.delta
            months = scheme["terms"][entry.severity]["ends_after"]
        self.books[entry.account] = book
        entry.effective_at = self.now
        entry.ends_at = Catalogue(self.catalogue).months_after(at=self.now, months=months) if months > 0 else 0
        self.count(entry)
        return self.keep(number, entry, "Effective")

    def count(self, entry: Entry) -> None:
        """Add an entry to the totals of its rule."""
        totals = self.reach.get(entry.code, [0, 0, 0])
        if (entry.code, entry.account) not in self.reached:
            self.reached[(entry.code, entry.account)] = True
            totals[0] += 1
        totals[1] += 1
        totals[2] += entry.delta
        self.reach[entry.code] = totals

    @action
    def expire(self, number: int) -> str:
        """End an entry whose term is over: what is left of a reward goes, what was taken away comes back.

        zh: 期限届满后终止分录：奖励的剩余部分失效，被扣减的予以恢复。任何人均可操作。
        """
        entry = self.require_state(number, IN_EFFECT)
        ends = entry.ends_at
        require(ends > 0 and self.now >= ends, f"entry {number} ends at {ends}" if ends else "this entry does not end")
        if entry.kind == "reward":
            book = self.books[entry.account]
            book.lasting -= entry.delta
            self.books[entry.account] = book
            left = min(entry.delta, book.earned - book.used - book.lasting)  # in whatever order entries are ended
            if left > 0:
                self.post(entry.account, "expiry", -left, number)
        elif entry.delta < 0:
            self.post(entry.account, "reversal", -entry.delta, number)
        return self.keep(number, entry, "Expired")

    def post(self, account: str, kind: str, delta: int, about: int = 0, event: str = "") -> int:
        """Add an entry that takes effect at once, because it follows from one that was open to objection."""
        book = self.books.get(account, Book())
        book.used -= delta
        self.books[account] = book
        entry = Entry(
            account=account,
            kind=kind,
            delta=delta,
            state="Effective",
            recorded_at=self.now,
            by=self.caller,
            flags=[],
            rejected_by=[],
            about=about,
        )
        entry.event = event
        entry.effective_at = self.now
        return self.add(entry)

    # --- for the contract of cases

    @action
    def suspend(self, number: int, case: int, state: str) -> str:
        """Suspend an entry while a case about it is open; only the contract of cases does this.

        zh: 案件审理期间暂停分录效力；仅案件合约可操作。
        """
        self.require_contract("cases")
        entry = self.require_state(number, OPEN_TO_OBJECTION)
        require(state in ("Objected", "Appealed"), "an entry is suspended by an objection or an appeal")
        entry.is_rejected = entry.is_rejected or entry.state == "Recorded"  # not to look is to reject
        entry.case = case
        return self.keep(number, entry, state)

    @action
    def resolve(self, number: int, outcome: str, amount: int, appeal_ms: int, is_silent: bool = False) -> str:
        """Take over what was decided about an entry; an amended one is judged again by the same rule.

        Where a rejection is withdrawn, the entry is verified anew, by somebody else.

        zh: 采纳对分录的裁决；修正的分录按同一规则重新评定；撤销驳回的，由他人重新核实。
        """
        self.require_contract("cases")
        entry = self.require_state(number, ("Objected", "Appealed"))
        require(outcome in OUTCOMES, "an objection ends with an entry that is upheld, amended or withdrawn")
        if entry.is_rejected and outcome == "Withdrawn":
            entry.is_rejected = False
            entry.notice = ""
            entry.noticed_at = 0
            entry.closes_at = self.now + self.scheme["review_ms"]
            return self.keep(number, entry, "Recorded")
        self.open_window(entry, appeal_ms)
        if outcome == "Amended":
            self.amend(entry, amount, is_silent)
        elif outcome == "Withdrawn" and entry.severity == "":
            self.release(entry, "")
        return self.keep(number, entry, outcome)

    def amend(self, entry: Entry, amount: int, is_silent: bool) -> None:
        require(0 <= amount <= MAX_AMOUNT, f"an amended amount is 0 to {MAX_AMOUNT}")
        if is_silent:
            amount = self.guard_silence(amount, entry, self.judged(entry)["rule"])
        judged = Catalogue(self.catalogue).judged(code=entry.code, amount=amount, at=entry.occurred_at)
        points = judged["points"]
        if entry.severity == "" and points > entry.delta:
            points = entry.delta + self.capped(points - entry.delta, entry.account, judged)
        entry.delta = self.guard_never_worse(points, entry.delta)
        entry.amount = amount

    @action
    def repair(self, number: int, state: str) -> str:
        """Take over how far the repair of a negative entry has come; what is repaired is undone by a second entry.

        zh: 采纳负面分录的修复进展；获准修复的以补偿分录撤销。仅案件合约可操作。
        """
        self.require_contract("cases")
        entry = self.require_state(number, IN_EFFECT)
        require(entry.severity != "", "only a negative entry is repaired")
        require(state in ("RepairRequested", "RepairRefused", "Repaired"), "a repair is asked for, refused or granted")
        if state == "Repaired" and entry.delta < 0:
            self.post(entry.account, "reversal", -entry.delta, number)
        return self.keep(number, entry, state)

    def require_contract(self, name: str) -> None:
        require(self.caller == self.others[name], f"only the contract of {name} does this")

    # --- for the contracts of redemption and of giving

    @action
    def spend(self, account: str, points: int, order: str) -> int:
        """Take points for an order or a gift; only the contracts of redemption and of giving do this.

        zh: 为兑换或捐赠扣取积分；仅兑换与捐赠合约可操作。
        """
        return self.post(account, self.buyer(), -points, 0, order)

    @action
    def refund(self, account: str, points: int, order: str) -> int:
        """Give points of an order or a gift back; only the contracts of redemption and of giving do this.

        zh: 退还兑换或捐赠所用积分；仅兑换与捐赠合约可操作。
        """
        self.buyer()
        return self.post(account, "refund", points, 0, order)

    def buyer(self) -> str:
        """Return what points are taken for."""
        if self.caller == self.others["giving"]:
            return "gift"
        self.require_contract("redemption")
        return "redemption"

    # --- what can be read

    @view
    def entry(self, number: int) -> Entry:
        """Show an entry.

        zh: 查询一条分录。
        """
        return self.found(number)

    @view
    def closes(self, number: int) -> int:
        """Tell until when the resident may object or appeal, with the time that the ledger stood still.

        zh: 查询居民提出异议或申诉的截止时间（含账本停滞顺延的时间）。
        """
        return self.close_of(self.found(number))

    @view
    def stands(self) -> dict:
        """Tell from when on this ledger stands still, unless it is called before, and the time of this answer.

        zh: 查询无人调用时本账本自何时起视为停滞，以及答复时间。
        """
        return {"from": self.called_at + self.scheme["quiet_ms"], "at": self.now}

    @view
    def entries_of(self, account: str, start: int = 0, limit: int = 50) -> list[dict]:
        """List the entries of an account, each with its number, the oldest first.

        zh: 分页列出某账户的分录及编号，最早的在前。
        """
        end = min(start + limit, self.books.get(account, Book()).count)
        numbers = [self.pages[(account, place)] for place in range(start, end)]
        return [{"number": number, "entry": self.entries[number]} for number in numbers]

    @view
    def all_entries(self, start: int = 0, limit: int = 50) -> list[dict]:
        """List one page of all entries, each with its number, for an audit.

        zh: 分页列出全部分录及编号，供审计。
        """
        page = self.entries.items(start, limit)
        return [{"number": number, "entry": entry} for number, entry in page]

    @view
    def balance(self, account: str) -> int:
        """Tell what an account has to spend; what is not effective, or objected to, is not in it.

        zh: 查询账户可用积分；未生效或异议中的不计入。
        """
        book = self.books.get(account, Book())
        return book.earned - book.used

    @view
    def earned(self, account: str) -> int:
        """Tell what an account has ever earned; it stays when points are redeemed.

        zh: 查询账户累计获得的积分；兑换后不减少。
        """
        return self.books.get(account, Book()).earned

    @view
    def totals(self, code: str) -> dict:
        """Tell for one rule how many residents, entries and points there are, unless they are too few.

        zh: 查询某规则的居民数、分录数和积分；人数过少时不显示。
        """
        accounts, count, points = self.reach.get(code, [0, 0, 0])
        self.guard_few(accounts)
        return {"accounts": accounts, "entries": count, "points": points}

    @view
    def published(self, number: int) -> dict:
        """Show others what may be published of a negative entry, while it lasts: rule, severity, since, until.

        zh: 向他人显示可公示的负面分录：规则、程度、起止时间。
        """
        entry = self.require_state(number, IN_EFFECT)
        self.guard_published(entry)
        self.guard_term(entry)
        return {
            "account": entry.account,
            "code": entry.code,
            "version": entry.version,
            "severity": entry.severity,
            "since": entry.effective_at,
            "until": entry.ends_at,
        }
