# mypy: disable-error-code="type-arg,no-any-return,empty-body"
"""The entries of a scheme of contribution points, each from the record to its end. Nothing is ever deleted.

An entry is recorded by one, verified by another, and has an effect only after a notice with reasons and the time to
object; while somebody objects it has none. What is undone is undone by a second entry, so that the sum of all entries
that have had an effect is the balance. There is no list of persons in here, and no order among them.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Interface, Map, Record, Value, action, emit, require, view

MAX_AMOUNT = 100_000_000
LEAST_SHOWN = 10  # accounts: a total over fewer could be somebody
BEFORE_EFFECT = ("Verified", "Notified", "Upheld", "Amended", "Final", "Objected", "Appealed")
WAITING = ("Notified", "Upheld", "Amended", "Final", "Objected", "Appealed")
IN_EFFECT = ("Effective", "RepairRequested", "RepairRefused")
OUTCOMES = ("Upheld", "Amended", "Withdrawn", "Final")


class Catalogue(Interface):
    """The rules."""

    @view
    def has_role(self, role: str, account: str) -> bool:
        """Tell whether an account has a task."""

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

    @view
    def weighing(self, drop: str) -> dict:
        """Show what a device weighed."""

    @view
    def entry_of(self, event: str) -> int:
        """Tell the number of the entry of an event."""

    @view
    def require_arrived(self, drop: str) -> None:
        """Refuse a drop whose load has not arrived."""

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
    """What an account has: the balance is `earned` less `used`; points that were used are taken to be the oldest."""

    count: int = 0
    earned: int = 0
    used: int = 0


class Entry(Record):
    """One entry; `delta` is what it adds to the balance when it takes effect, times are 0 until they have come."""

    account: str
    kind: str  # reward, deduction, record; redemption, refund, expiry, reversal
    delta: int
    state: str
    recorded_at: int
    by: str
    flags: list[str]  # what a human being has to look at
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
    notice: str = ""  # the SHA-256 of the notice with its reasons
    noticed_at: int = 0
    closes_at: int = 0  # the end of the time to object or appeal
    effective_at: int = 0
    ends_at: int = 0
    earned: int = 0  # by the account, with this one
    severity: str = ""
    case: int = 0
    about: int = 0  # the entry that this one undoes


class PointsLedger(Contract):
    """The entries of contribution points: recorded, verified, notified, open to objection, effective, expired.

    zh: 贡献积分分录：记录、核实、通知、异议期、生效、到期。
    """

    catalogue = Value(str)
    others = Value(dict)  # the contracts accounts, evidence, cases and redemption, by these names
    entries = Map(int, Entry)
    entry_count = Value(int)
    books = Map(str, Book)
    pages = Map((str, int), int)  # account, position -> entry
    used_up = Map((str, str, str, int), int)  # account, rule, "day" or "month", which -> points
    last = Map((str, str), int)  # account, rule -> when it last counted
    reach = Map(str, list)  # rule -> [accounts, entries, points]
    reached = Map((str, str), bool)  # rule, account

    def setup(self, catalogue: str, accounts: str, evidence: str, cases: str, redemption: str) -> None:
        self.catalogue = catalogue
        self.others = {"accounts": accounts, "evidence": evidence, "cases": cases, "redemption": redemption}

    def require_role(self, role: str) -> None:
        has_role = Catalogue(self.catalogue).has_role(role, self.caller)
        require(has_role, f"only the role {role} may do this: the owner of the scheme grants it")

    def require_taking_part(self, account: str) -> None:
        Accounts(self.others["accounts"]).require_taking_part(account)

    def found(self, number: int) -> Entry:
        require(number in self.entries, f"there is no entry {number}")
        return self.entries[number]

    def require_state(self, number: int, states: tuple) -> Entry:
        entry = self.found(number)
        wanted = ", ".join(states)
        require(entry.state in states, f"entry {number} is {entry.state}: this is done with one that is {wanted}")
        return entry

    # --- the safeguards; what returns a value returns the first argument where it is left out

    def guard_four_eyes(self, entry: Entry) -> None:
        """Who recorded does not verify; nor does who acts for the resident."""
        is_party = Accounts(self.others["accounts"]).acts_for(entry.account, self.caller)
        is_other = entry.by != self.caller and not is_party
        require(is_other, "who recorded an entry, or gains by it, does not verify it: another person has to")

    def guard_flags(self, entry: Entry, looked_at: str) -> None:
        """What looks impossible is looked at by a human being before it counts; it is not punished by itself."""
        why = ", ".join(entry.flags)
        require(why == "" or looked_at != "", f"this entry is flagged ({why}): say with what you have looked at it")

    def guard_human_decision(self, entry: Entry, decision: str) -> None:
        """Nothing is taken away by a machine: a human being has decided, in a document, and signs."""
        is_signed = self.caller == self.signer and decision != ""
        require((entry.delta >= 0 and entry.severity == "") or is_signed, "a negative entry needs a person's decision")

    def guard_noticed(self, entry: Entry) -> None:
        """No entry has an effect before the resident has been told, with reasons."""
        require(entry.notice != "", "the resident has not been told: an entry takes effect after a notice with reasons")

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
        terms = Catalogue(self.catalogue).scheme()["terms"]
        is_published = entry.severity in terms and terms[entry.severity]["is_published"]
        require(is_published, "this entry is not published: only the resident and who decides on it know whose it is")

    def guard_term(self, entry: Entry) -> None:
        """A negative entry ends by itself, whether or not anybody thinks of it."""
        require(entry.ends_at == 0 or self.now < entry.ends_at, "this entry has ended: it is shown and used no more")

    # --- what has happened

    @action
    def record_drop(self, drop: str, code: str) -> int:
        """Record a drop that a device has weighed, under a rule; returns the number of the entry.

        zh: 按规则记录一次已由设备称重的投放；返回分录编号。
        """
        self.require_role("recorder")
        weighing = Evidence(self.others["evidence"]).weighing(drop)
        if weighing["entry"] > 0:
            return weighing["entry"]
        entry = self.judge(weighing["account"], code, weighing["grams"], weighing["at"], "device")
        entry.drop = drop
        entry.flags = Evidence(self.others["evidence"]).use_drop(drop, self.entry_count + 1)
        return self.add(entry)

    @action
    def record(
        self, event: str, account: str, code: str, amount: int, occurred_at: int, evidence: str, zone: str = ""
    ) -> int:
        """Record what a resident did, with the digest of the evidence; returns the number of the entry.

        The same event again changes nothing, and returns the same number.

        zh: 记录居民行为及证据摘要；返回分录编号。同一事件重复提交不产生变化。
        """
        self.require_role("recorder")
        number = Evidence(self.others["evidence"]).entry_of(event)
        if number > 0:
            known = self.entries[number]
            same = (account, code, amount, occurred_at, evidence)
            is_same = same == (known.account, known.code, known.amount, known.occurred_at, known.evidence)
            require(is_same, f"event {event} is entry {number}, and says something else: an event is recorded once")
            return number
        entry = self.judge(account, code, amount, occurred_at, "")
        entry.event = event
        entry.evidence = evidence
        number = self.entry_count + 1
        entry.flags = Evidence(self.others["evidence"]).use_paper(event, evidence, account, zone, occurred_at, number)
        return self.add(entry)

    def judge(self, account: str, code: str, amount: int, at: int, source: str) -> Entry:
        """Judge what happened by the rule of its day; a reward is counted against the caps."""
        self.require_taking_part(account)
        require(1 <= amount <= MAX_AMOUNT, "an amount is more than nothing")
        require(at <= self.now, "what is recorded has happened: its time is not after that of this block")
        judged = Catalogue(self.catalogue).judged(code=code, amount=amount, at=at)
        rule = judged["rule"]
        is_source = (rule["evidence"] == "device") == (source == "device")
        require(is_source, f"rule {code} counts what a device weighed, and nothing else, only if it says so")
        points, severity = judged["points"], rule["severity"]
        has_effect = rule["points"] != 0 or severity != ""
        require(has_effect, f"rule {code} gives no points: nothing about anybody is recorded under it")
        kind = "reward"
        if severity != "":
            kind = "deduction" if points < 0 else "record"
        else:
            points = self.rewarded(points, account, judged, at)
        return Entry(
            account=account,
            kind=kind,
            delta=points,
            state="Recorded",
            recorded_at=self.now,
            by=self.caller,
            code=code,
            version=rule["version"],
            amount=amount,
            occurred_at=at,
            severity=severity,
            flags=[],
        )

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
        entry.state = state
        self.entries[number] = entry
        emit("Entry", number=number, account=entry.account, kind=entry.kind, delta=entry.delta, state=state)
        return state

    def release(self, entry: Entry, drop: str) -> None:
        """Give back what an entry that never counts has used up: its evidence, and of a reward its part of the caps."""
        Evidence(self.others["evidence"]).release(drop, entry.evidence)
        if entry.severity != "":
            return
        judged = Catalogue(self.catalogue).judged(code=entry.code, amount=entry.amount, at=entry.occurred_at)
        self.use_up(-entry.delta, entry.account, judged)
        if self.last.get((entry.account, entry.code), 0) == entry.occurred_at:
            del self.last[(entry.account, entry.code)]

    # --- from the record to its effect

    @action
    def reject(self, number: int) -> str:
        """Reject an entry that is not right, before it was verified: it never has an effect, and uses nothing up.

        zh: 核实前驳回不实的分录；其不产生任何效果，也不占用额度与证据。
        """
        self.require_role("verifier")
        entry = self.require_state(number, ("Recorded",))
        self.guard_four_eyes(entry)
        entry.verified_by = self.caller
        self.release(entry, entry.drop)
        return self.keep(number, entry, "Rejected")

    @action
    def verify(self, number: int, decision: str = "", looked_at: str = "") -> str:
        """Verify an entry as another person; a negative one with a decision, a flagged one after looking at it.

        zh: 由另一人核实分录；扣减须附决定书，被标记的须经查看。
        """
        self.require_role("verifier")
        entry = self.require_state(number, ("Recorded",))
        self.require_taking_part(entry.account)
        self.guard_four_eyes(entry)
        self.guard_flags(entry, looked_at)
        self.guard_human_decision(entry, decision)
        for text in (decision, looked_at):
            if text != "":
                check_digest(text, "a decision, or a note")
        if entry.drop != "":
            Evidence(self.others["evidence"]).require_arrived(entry.drop)
        entry.verified_by = self.caller
        entry.verified_at = self.now
        entry.looked_at = looked_at
        entry.decision = decision
        return self.keep(number, entry, "Verified")

    @action
    def notify(self, number: int, notice: str) -> str:
        """Put on record that the resident was told, with reasons: from now on the time to object runs.

        zh: 登记已通知居民并说明理由；自此异议期开始计算。
        """
        entry = self.require_state(number, ("Verified",))
        self.require_taking_part(entry.account)
        is_recorder = Catalogue(self.catalogue).has_role("recorder", self.caller)
        is_office = is_recorder or Catalogue(self.catalogue).has_role("verifier", self.caller)
        require(is_office, "an office that records or verifies tells the resident")
        check_digest(notice, "the notice with its reasons")
        entry.notice = notice
        entry.noticed_at = self.now
        entry.closes_at = self.now + Catalogue(self.catalogue).scheme()["objection_ms"]
        return self.keep(number, entry, "Notified")

    @action
    def settle(self, number: int) -> str:
        """Let an entry take effect once nothing stands in its way. Anybody may do this.

        zh: 在没有障碍时使分录生效；任何人均可操作。
        """
        entry = self.require_state(number, BEFORE_EFFECT)
        self.guard_noticed(entry)
        self.guard_window(entry)
        self.guard_suspended(entry)
        self.require_taking_part(entry.account)
        scheme, book = Catalogue(self.catalogue).scheme(), self.books[entry.account]
        balance = book.earned - book.used
        if entry.severity == "":
            entry.delta = self.guard_ceiling(entry.delta, balance, scheme["ceiling"])
            book.earned += entry.delta
            judged = Catalogue(self.catalogue).judged(code=entry.code, amount=entry.amount, at=entry.occurred_at)
            months = judged["rule"]["expires_after"]
        else:
            entry.delta = self.guard_no_debt(entry.delta, balance)
            book.used -= entry.delta
            months = scheme["terms"][entry.severity]["ends_after"]
        self.books[entry.account] = book
        entry.earned = book.earned
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
            left = min(entry.delta, entry.earned - self.books[entry.account].used)
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
        entry = self.require_state(number, WAITING)
        require(state in ("Objected", "Appealed"), "an entry is suspended by an objection or an appeal")
        entry.case = case
        return self.keep(number, entry, state)

    @action
    def resolve(self, number: int, outcome: str, amount: int, appeal_ms: int) -> str:
        """Take over what was decided about an entry; an amended one is judged again by the same rule.

        zh: 采纳对分录的裁决；修正的分录按同一规则重新评定。
        """
        self.require_contract("cases")
        entry = self.require_state(number, ("Objected", "Appealed"))
        require(outcome in OUTCOMES, "an objection ends with an entry that is upheld, amended or withdrawn")
        entry.closes_at = self.now + appeal_ms
        if outcome == "Amended":
            require(0 <= amount <= MAX_AMOUNT, f"an amended amount is 0 to {MAX_AMOUNT}")
            judged = Catalogue(self.catalogue).judged(code=entry.code, amount=amount, at=entry.occurred_at)
            points = judged["points"]
            if entry.severity == "" and points > entry.delta:
                points = entry.delta + self.capped(points - entry.delta, entry.account, judged)
            entry.delta = self.guard_never_worse(points, entry.delta)
            entry.amount = amount
        elif outcome == "Withdrawn" and entry.severity == "":
            self.release(entry, "")
        return self.keep(number, entry, outcome)

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

    # --- for the contract of redemption

    @action
    def spend(self, account: str, points: int, order: str) -> int:
        """Take points for an order; only the contract of redemption does this.

        zh: 为兑换扣取积分；仅兑换合约可操作。
        """
        self.require_contract("redemption")
        return self.post(account, "redemption", -points, 0, order)

    @action
    def refund(self, account: str, points: int, order: str) -> int:
        """Give points of an order back; only the contract of redemption does this.

        zh: 退还兑换所用积分；仅兑换合约可操作。
        """
        self.require_contract("redemption")
        return self.post(account, "refund", points, 0, order)

    # --- what can be read

    @view
    def entry(self, number: int) -> Entry:
        """Show an entry.

        zh: 查询一条分录。
        """
        return self.found(number)

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
