# mypy: disable-error-code="type-arg,no-any-return,empty-body"
"""How an entry comes about: recorded by one, verified or rejected by another, told to the resident, each in its time.

Nothing in here has an effect: that begins in the ledger, after the notice and the time to object. An office that does
not look in time has looked for the resident: what takes away ends, and a reward goes on, unless somebody has to look.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Interface, Value, action, require, view

MAX_AMOUNT = 100_000_000


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


class Ledger(Interface):
    """The entries."""

    @view
    def entry(self, number: int) -> dict:
        """Show an entry."""

    @action
    def enter(self, entry: dict, judged: dict, zone: str) -> int:
        """Take an entry in."""

    @action
    def bring(self, number: int, entry: dict) -> str:
        """Take over how far an entry has come."""


def check_digest(text: str, what: str) -> None:
    is_digest = len(text) == 64 and text.strip("0123456789abcdef") == ""
    require(is_digest, f"{what} is named by its SHA-256, in 64 small hex digits: the text itself stays outside")


class Intake(Contract):
    """How entries of contribution points come about: recorded, verified or rejected, and told to the resident.

    zh: 贡献积分的受理：记录、核实或驳回，并告知居民。
    """

    catalogue = Value(str)
    scheme = Value(dict)  # of the catalogue, where it does not change
    others = Value(dict)  # the contracts accounts, evidence and ledger, by these names

    def setup(self, catalogue: str, accounts: str, evidence: str, ledger: str) -> None:
        self.catalogue = catalogue
        self.scheme = Catalogue(catalogue).scheme()
        self.others = {"accounts": accounts, "evidence": evidence, "ledger": ledger}

    def has_role(self, role: str) -> bool:
        return Catalogue(self.catalogue).has_role(role, self.caller)

    def require_role(self, role: str) -> None:
        require(self.has_role(role), f"only the role {role} may do this: the owner of the scheme grants it")

    def require_taking_part(self, account: str) -> None:
        Accounts(self.others["accounts"]).require_taking_part(account)

    def require_arrived(self, entry: dict) -> None:
        if entry["drop"] != "":
            Evidence(self.others["evidence"]).require_arrived(entry["drop"])

    def found(self, number: int, states: tuple) -> dict:
        """Return an entry in one of some states, of somebody who takes part."""
        entry = Ledger(self.others["ledger"]).entry(number)
        wanted, state = ", ".join(states), entry["state"]
        require(state in states, f"entry {number} is {state}: this is done with one that is {wanted}")
        self.require_taking_part(entry["account"])
        return entry

    def bring(self, number: int, entry: dict, state: str) -> str:
        entry["state"] = state
        return Ledger(self.others["ledger"]).bring(number, entry)

    # --- the safeguards

    def guard_four_eyes(self, entry: dict) -> None:
        """Who recorded does not verify; nor does who acts for the resident, or has rejected it before."""
        is_party = Accounts(self.others["accounts"]).acts_for(entry["account"], self.caller)
        is_other = self.caller != entry["by"] and self.caller not in entry["rejected_by"] and not is_party
        why = "who recorded or rejected an entry, or gains by it, does not verify it: another person has to"
        require(is_other, why)

    def guard_flags(self, entry: dict, looked_at: str) -> None:
        """What looks impossible is looked at by a human being before it counts; it is not punished by itself."""
        why = ", ".join(entry["flags"])
        require(why == "" or looked_at != "", f"this entry is flagged ({why}): say with what you have looked at it")

    def guard_human_decision(self, entry: dict, decision: str) -> None:
        """Nothing is taken away by a machine: a human being has decided, in a document, and signs."""
        is_signed = self.caller == self.signer and decision != ""
        require(entry["severity"] == "" or is_signed, "a negative entry needs a person's decision")

    def guard_rejection(self, reasons: str) -> None:
        """A rejection has reasons, which the resident is given, and a person signs it."""
        require(self.caller == self.signer, "a person rejects and signs: a contract cannot do it instead")
        check_digest(reasons, "the reasons of a rejection")

    def guard_late(self, entry: dict) -> None:
        """What no office looked at in time is not decided against the resident any more."""
        until = entry["closes_at"]
        is_late = self.now > until and self.is_left_to_silence(entry)
        require(not is_late, f"an office had to look at this until {until}: it is as the resident would have it")

    def guard_unseen(self, entry: dict) -> None:
        """Silence verifies no reward that is flagged or that no cap limits: a human being has to look at it."""
        is_left = self.is_left_to_silence(entry)
        require(is_left, "silence does not verify this: it is flagged, or no cap limits it; ask for a review")

    # --- recorded by one

    @action
    def record_drop(self, drop: str, code: str) -> int:
        """Record a drop that a device has weighed, under a rule; returns the number of the entry.

        zh: 按规则记录一次已由设备称重的投放；返回分录编号。
        """
        self.require_role("recorder")
        weighing = Evidence(self.others["evidence"]).weighing(drop)
        if weighing["entry"] > 0:
            return weighing["entry"]
        entry = self.begun(weighing["account"], code, weighing["grams"], weighing["at"])
        entry["drop"] = drop
        return self.enter(entry, weighing["zone"])

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
            known = Ledger(self.others["ledger"]).entry(number)
            told = {"account": account, "code": code, "amount": amount, "evidence": evidence}
            is_same = known["occurred_at"] == occurred_at and told == {name: known[name] for name in told}
            require(is_same, f"event {event} is entry {number}, and says something else: an event is recorded once")
            return number
        entry = self.begun(account, code, amount, occurred_at)
        entry["event"] = event
        entry["evidence"] = evidence
        return self.enter(entry, zone)

    def begun(self, account: str, code: str, amount: int, at: int) -> dict:
        """Return what an entry says of itself."""
        self.require_taking_part(account)
        require(1 <= amount <= MAX_AMOUNT, "an amount is more than nothing")
        require(at <= self.now, "what is recorded has happened: its time is not after that of this block")
        return {
            "account": account,
            "state": "Recorded",
            "recorded_at": self.now,
            "by": self.caller,
            "code": code,
            "amount": amount,
            "occurred_at": at,
            "flags": [],
            "rejected_by": [],
            "closes_at": self.until(),
        }

    def enter(self, entry: dict, zone: str) -> int:
        """Judge what happened by the rule of its day, and give it to the ledger."""
        code = entry["code"]
        judged = Catalogue(self.catalogue).judged(code=code, amount=entry["amount"], at=entry["occurred_at"])
        rule, points = judged["rule"], judged["points"]
        is_source = (rule["evidence"] == "device") == ("drop" in entry)
        require(is_source, f"rule {code} counts what a device weighed, and nothing else, only if it says so")
        has_effect = rule["points"] != 0 or rule["severity"] != ""
        require(has_effect, f"rule {code} gives no points: nothing about anybody is recorded under it")
        negative = "deduction" if points < 0 else "record"
        entry["kind"] = "reward" if rule["severity"] == "" else negative
        entry["delta"] = points
        entry["version"] = rule["version"]
        entry["severity"] = rule["severity"]
        return Ledger(self.others["ledger"]).enter(entry, judged, zone)

    def until(self) -> int:
        """Return until when an office has to do the next step."""
        return self.now + self.scheme["review_ms"]

    # --- verified or rejected by another

    @action
    def verify(self, number: int, decision: str = "", looked_at: str = "") -> str:
        """Verify an entry as another person; a negative one with a decision, a flagged one after looking at it.

        zh: 由另一人核实分录；扣减须附决定书，被标记的须经查看。
        """
        self.require_role("verifier")
        entry = self.found(number, ("Recorded",))
        self.guard_four_eyes(entry)
        self.guard_flags(entry, looked_at)
        self.guard_human_decision(entry, decision)
        if entry["severity"] != "":
            self.guard_late(entry)
        for text in (decision, looked_at):
            if text != "":
                check_digest(text, "a decision, or a note")
        self.require_arrived(entry)
        entry["verified_by"] = self.caller
        entry["verified_at"] = self.now
        entry["closes_at"] = self.until()
        entry["looked_at"] = looked_at
        entry["decision"] = decision
        return self.bring(number, entry, "Verified")

    @action
    def reject(self, number: int, reasons: str) -> str:
        """Reject an entry that is not right, and give the resident the reasons: from now on the time to object runs.

        zh: 驳回不实的分录，并向居民说明理由；自此异议期开始计算。
        """
        self.require_role("verifier")
        entry = self.found(number, ("Recorded",))
        self.guard_four_eyes(entry)
        self.guard_rejection(reasons)
        self.guard_late(entry)
        entry["rejected_by"].append(self.caller)
        entry["is_rejected"] = True
        return self.tell(number, entry, reasons, "Rejected")

    # --- told to the resident

    @action
    def notify(self, number: int, notice: str) -> str:
        """Put on record that the resident was told, with reasons: from now on the time to object runs.

        zh: 登记已通知居民并说明理由；自此异议期开始计算。
        """
        is_office = self.has_role("recorder") or self.has_role("verifier")
        require(is_office, "an office that records or verifies tells the resident")
        entry = self.found(number, ("Verified",))
        check_digest(notice, "the notice with its reasons")
        if entry["severity"] != "":
            self.guard_late(entry)
        return self.tell(number, entry, notice, "Notified")

    def tell(self, number: int, entry: dict, notice: str, state: str) -> str:
        entry["notice"] = notice
        entry["noticed_at"] = self.now
        return self.bring(number, entry, state)

    # --- or by nobody

    @action
    def lapse(self, number: int) -> str:
        """Say that no office looked at an entry in time, or told the resident: what takes away ends, a reward goes on.

        zh: 逾期无机构核实或通知：扣减终止，奖励继续；任何人均可操作。
        """
        entry = self.found(number, ("Recorded", "Verified"))
        until = entry["closes_at"]
        require(self.now > until, f"there is time to look at this entry until {until}")
        if entry["severity"] != "":
            return self.bring(number, entry, "Lapsed")
        self.require_arrived(entry)
        self.guard_unseen(entry)
        entry["silent_at"] = self.now
        return self.bring(number, entry, "Notified")

    def is_left_to_silence(self, entry: dict) -> bool:
        """Tell whether nobody needs to look at an entry: it takes away, was looked at, or something bears it out."""
        if entry["severity"] != "" or entry["state"] == "Verified":
            return True
        return not entry["flags"] and (self.has_arrived(entry["drop"]) if entry["drop"] != "" else self.has_cap(entry))

    def has_arrived(self, drop: str) -> bool:
        asked = {"contract": self.others["evidence"], "action": "require_arrived", "arguments": {"drop": drop}}
        return self.attempt([asked])[0] == ""

    def has_cap(self, entry: dict) -> bool:
        code, amount, at = entry["code"], entry["amount"], entry["occurred_at"]
        rule = Catalogue(self.catalogue).judged(code=code, amount=amount, at=at)["rule"]
        return max(rule["per_day"], rule["per_month"], self.scheme["ceiling"]) > 0
