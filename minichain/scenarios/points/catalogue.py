# mypy: disable-error-code="type-arg,no-any-return"
"""The rules of a scheme of contribution points: what counts, for how much, on which basis and since when.

The catalogue is closed: what does not stand in it earns nothing and costs nothing. A rule changes by a new version
that begins later, so that everything is judged by the rule of the day on which it happened. Points are a voluntary
reward and no public credit record; a scheme that may take something away says by which law.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Record, Value, action, emit, require, view
from minichain.contracts.parts import Roles

ROLES = (
    "committee",
    "registrar",
    "assistant",
    "recorder",
    "verifier",
    "reviewer",
    "appeals",
    "panellist",
    "treasurer",
    "provider",
)
DAY = 86_400_000  # milliseconds
MAX_CODE = 40
MAX_TEXT = 200
MAX_POINTS = 1_000_000  # of one unit
MAX_FIGURE = 1_000_000_000_000  # of a rule
MAX_MONTHS = 120
MAX_CLOCK = 366 * DAY
MINOR = "minor"  # the severity that is never published
SIGNS = "abcdefghijklmnopqrstuvwxyz0123456789-"
BASES = ("law", "community")
EVIDENCE = ("device", "document", "decision")
PERIODS = ("day", "month", "quarter")
# What nobody may have to earn: no rule and no reward is about it.
BASIC_RIGHTS = ("health", "school", "housing", "transport", "court", "welfare", "payment", "employment")


def check_code(code: str, what: str) -> None:
    is_word = 1 <= len(code) <= MAX_CODE and code.strip(SIGNS) == ""
    require(is_word, f"{what} has 1 to {MAX_CODE} of a-z, 0-9 and dash")


def check_text(text: str, what: str) -> None:
    require(text.strip() != "" and len(text) <= MAX_TEXT, f"{what} is said in 1 to {MAX_TEXT} characters")


def civil(day: int) -> tuple:
    """Return (year, month, day of the month) of a day since 1970 (H. Hinnant, chrono-compatible algorithms, 2013)."""
    shifted = day + 719_468
    era, rest = divmod(shifted, 146_097)
    year = (rest - rest // 1_460 + rest // 36_524 - rest // 146_096) // 365
    of_year = rest - (365 * year + year // 4 - year // 100)
    march = (5 * of_year + 2) // 153
    month = march + 3 if march < 10 else march - 9
    return year + era * 400 + (1 if month <= 2 else 0), month, of_year - (153 * march + 2) // 5 + 1


def day_number(year: int, month: int, day: int) -> int:
    """Return the days since 1970 of a date: the inverse of `civil`."""
    shifted = year - 1 if month <= 2 else year
    era, rest = divmod(shifted, 400)
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146_097 + rest * 365 + rest // 4 - rest // 100 + of_year - 719_468


class Term(Record):
    """How long a negative entry of one severity lasts, in calendar months, and whether anybody else may see it."""

    repair_after: int
    ends_after: int
    is_published: bool = False


class Scheme(Record):
    """What a scheme is for, who answers for it, and its clocks, in milliseconds. It does not change."""

    title: str
    owner: str
    purpose: str
    basis: str  # "law" or "community"
    basis_reference: str
    appeal_body: str
    effective_from: int
    effective_until: int
    objection_ms: int  # after the notice
    review_ms: int  # to look at an entry, to tell the resident, to decide on an objection or on a repair
    appeal_ms: int  # after the decision
    panel_ms: int  # to decide on an appeal
    order_ms: int  # to fulfil what was redeemed
    retention_ms: int  # of what is kept outside
    uses: list[str]  # what points may be asked for and spent on
    terms: dict[str, Term]  # of negative entries, by severity
    utc_offset: int = 28_800_000  # of the calendar that days, months and quarters are counted in: China's
    rewards_only: bool = True
    ceiling: int = 0  # points an account holds at most; 0: no such limit, here and below
    redeem_from: int = 0  # points an account has earned before it redeems any
    redeem_per_quarter: int = 0
    travel_ms: int = 0  # in less time nobody gets from one zone to another
    quiet_ms: int = 86_400_000  # of a time without a call, what counts as time to object: longer may be a standstill
    gifts: bool = False  # whether points may be given away


class Rule(Record):
    """One version of a rule: so many points for each whole `per` of an amount (grams, minutes, items)."""

    code: str
    behaviour: str
    points: int
    unit: str
    evidence: str
    basis: str
    basis_reference: str
    effective_from: int
    per: int = 1
    at_most: int = 0  # of the amount of one event
    per_day: int = 0  # points
    per_month: int = 0
    cooldown_ms: int = 0
    severity: str = ""
    expires_after: int = 0  # calendar months
    whom: str = "person"
    version: int = 0
    proposed_by: str = ""
    adopted_by: str = ""


class Catalogue(Contract, Roles):
    """The rules of a scheme of contribution points, and who has which task in it.

    zh: 贡献积分计划的规则目录，以及各岗位的职责。
    """

    terms_of_scheme = Value(Scheme | None)
    proposals = Map(int, Rule)
    proposal_count = Value(int)
    rules = Map((str, int), Rule)
    latest = Map(str, int)

    def setup(self, scheme: Scheme) -> None:
        require(scheme.owner == self.caller, "a scheme is set up by its owner")
        check_text(scheme.title, "the title of a scheme")
        check_text(scheme.purpose, "the purpose of a scheme")
        check_text(scheme.appeal_body, "the appeal body of a scheme")
        require(scheme.basis in BASES, "a scheme rests on law or on the agreement of a community")
        check_text(scheme.basis_reference, "the basis of a scheme")
        require(self.now <= scheme.effective_from < scheme.effective_until, "a scheme begins now or later, and ends")
        for span in (scheme.objection_ms, scheme.review_ms, scheme.appeal_ms, scheme.panel_ms, scheme.order_ms):
            is_time = 1_000 <= span <= MAX_CLOCK
            require(
                is_time, "every clock of a scheme leaves people time, and runs out: a second to a year, days in earnest"
            )
        figures = (scheme.retention_ms, scheme.ceiling, scheme.redeem_from, scheme.redeem_per_quarter, scheme.travel_ms)
        require(min(figures) >= 0, "the figures of a scheme are not negative")
        is_time = 1_000 <= scheme.quiet_ms <= MAX_CLOCK
        require(
            is_time, "of a time without a call something counts as time to object: a second to a year, a day in earnest"
        )
        require(-DAY < scheme.utc_offset < DAY, "a calendar is within a day of UTC")
        for severity, term in scheme.terms.items():
            has_end = 0 <= term.repair_after < term.ends_after <= MAX_MONTHS
            require(
                has_end, f"a negative entry of each severity ends, in {MAX_MONTHS} months at most; repair comes before"
            )
            require(severity != MINOR or not term.is_published, "a minor entry is not published")
        for use in scheme.uses:
            check_code(use, "a use of points")
        require(scheme.rewards_only or scheme.basis == "law", "only a law lets a scheme take something away")
        self.terms_of_scheme = scheme
        emit("SchemeOpened", title=scheme.title, basis=scheme.basis, rewards_only=scheme.rewards_only)

    # --- the safeguards

    def guard_two_of_the_committee(self, rule: Rule) -> None:
        """A rule is adopted by another member of the committee than the one who proposed it."""
        require(rule.proposed_by != self.caller, "who proposed a rule does not adopt it: another member has to")

    def guard_not_retroactive(self, rule: Rule) -> None:
        """A rule begins when it is adopted, a new version later: nobody is judged by a rule that was not there."""
        is_known = rule.code in self.latest
        require(
            rule.effective_from > self.now or (rule.effective_from == self.now and not is_known),
            "a rule never reaches back: what happened is judged by the rule of its day; let it begin later",
        )

    def guard_legal_basis(self, rule: Rule) -> None:
        """Whatever takes something away rests on a law, with its reference and a severity that has a term."""
        terms = self.known_scheme().terms
        has_basis = rule.basis == "law" and rule.basis_reference.strip() != "" and rule.severity in terms
        require(has_basis, "a negative rule needs its law, the reference to it, and a severity whose term has an end")

    def guard_rewards_only(self, rule: Rule) -> None:
        """A scheme that people join of their own will rewards, and does nothing else."""
        is_allowed = not self.known_scheme().rewards_only
        require(is_allowed, "this scheme only rewards: it has no negative entries")

    def guard_persons_only(self, rule: Rule) -> None:
        """What somebody did concerns nobody else: not the family, not the building."""
        require(rule.whom == "person", "an entry concerns the person who acted, never a family or a group")

    # --- the committee

    @action
    def propose(self, rule: Rule) -> int:
        """Propose a rule, or a new version of one; returns the number of the proposal.

        zh: 提出一条规则或其新版本；返回提案编号。
        """
        self.require_role("committee")
        self.check_rule(rule)
        number = self.proposal_count + 1
        self.proposal_count = number
        rule.proposed_by = self.caller
        self.proposals[number] = rule
        emit("RuleProposed", number=number, code=rule.code, points=rule.points)
        return number

    @action
    def adopt(self, number: int) -> int:
        """Adopt a proposed rule as another member of the committee; returns its version.

        zh: 由委员会另一成员通过提案；返回规则版本号。
        """
        self.require_role("committee")
        require(number in self.proposals, f"there is no proposal {number}, or it was adopted")
        rule = self.proposals[number]
        self.guard_two_of_the_committee(rule)
        self.guard_not_retroactive(rule)
        before = self.latest.get(rule.code, 0)
        is_later = before == 0 or self.rules[(rule.code, before)].effective_from < rule.effective_from
        require(is_later, f"a version of {rule.code} begins after the one before it")
        rule.version = before + 1
        rule.adopted_by = self.caller
        self.rules[(rule.code, rule.version)] = rule
        self.latest[rule.code] = rule.version
        del self.proposals[number]
        emit("RuleAdopted", code=rule.code, version=rule.version, effective_from=rule.effective_from)
        return rule.version

    def check_rule(self, rule: Rule) -> None:
        check_code(rule.code, "the code of a rule")
        check_code(rule.unit, "the unit of a rule")
        check_text(rule.behaviour, "the behaviour of a rule")
        check_text(rule.basis_reference, "the basis of a rule")
        require(rule.basis in BASES, "a rule rests on law or on the agreement of a community")
        known = ", ".join(EVIDENCE)
        require(rule.evidence in EVIDENCE, f"the evidence of a rule is one of {known}")
        figures = (rule.per - 1, rule.at_most, rule.per_day, rule.per_month, rule.cooldown_ms, rule.expires_after)
        is_sane = min(figures) >= 0 and max(figures) <= MAX_FIGURE and rule.expires_after <= MAX_MONTHS
        require(is_sane, "the figures of a rule are neither negative nor endless, and it counts by one unit or more")
        ends = self.known_scheme().effective_until
        require(rule.effective_from < ends, f"a rule begins while the scheme lasts, before {ends}")
        require(-MAX_POINTS <= rule.points <= MAX_POINTS, f"a rule gives at most {MAX_POINTS} points")
        self.guard_persons_only(rule)
        if rule.points < 0 or rule.severity != "":
            require(rule.points <= 0, "a rule with a severity gives no points")
            self.guard_rewards_only(rule)
            self.guard_legal_basis(rule)

    # --- what can be read

    def known_scheme(self) -> Scheme:
        scheme = self.terms_of_scheme
        require(scheme is not None, "the scheme is not set up")
        return scheme

    @view
    def scheme(self) -> Scheme:
        """Tell what the scheme is for, who answers for it, and its clocks.

        zh: 查询计划的目的、负责机构和各项期限。
        """
        return self.known_scheme()

    @view
    def rule(self, code: str, version: int) -> Rule:
        """Show one version of a rule.

        zh: 查询某条规则的某一版本。
        """
        require((code, version) in self.rules, f"the catalogue has no version {version} of {code}")
        return self.rules[(code, version)]

    @view
    def rule_at(self, code: str, at: int) -> Rule:
        """Show the version of a rule by which something that happened at a time is judged.

        zh: 查询某一时刻适用的规则版本。
        """
        first, last = 1, self.latest.get(code, 0)
        require(last > 0, f"the catalogue is closed and has no rule {code}: only what it lists counts")
        was_there = self.rules[(code, first)].effective_from <= at
        require(was_there, f"rule {code} was not in force then: nothing is judged by a later rule")
        while first < last:  # each version begins after the one before it
            middle = (first + last + 1) // 2
            if self.rules[(code, middle)].effective_from <= at:
                first = middle
            else:
                last = middle - 1
        return self.rules[(code, first)]

    @view
    def codes(self, start: int = 0, limit: int = 100) -> list[str]:
        """List the codes of the rules.

        zh: 分页列出规则代码。
        """
        return self.latest.keys(start, limit)

    @view
    def judged(self, code: str, amount: int, at: int) -> dict:
        """Judge an amount by the rule of its day: the rule, the points, and the day and month it counts in.

        zh: 按行为发生之日的规则评定数量：规则、积分及其所属日、月。
        """
        scheme = self.known_scheme()
        require(scheme.effective_from <= at < scheme.effective_until, "the scheme was not in force then")
        rule = self.rule_at(code, at)
        counted = min(amount, rule.at_most) if rule.at_most > 0 else amount
        points = counted // rule.per * rule.points
        return {"rule": rule, "points": points, "day": self.period("day", at), "month": self.period("month", at)}

    @view
    def period(self, kind: str, at: int) -> int:
        """Number the day, month or quarter of a time, in the calendar of the scheme.

        zh: 返回某一时刻所属的日、月或季度的编号。
        """
        known = ", ".join(PERIODS)
        require(kind in PERIODS, f"a period is one of {known}")
        day = (at + self.known_scheme().utc_offset) // DAY
        if kind == "day":
            return day
        date = civil(day)
        months = date[0] * 12 + date[1] - 1
        return months if kind == "month" else months // 3

    @view
    def months_after(self, at: int, months: int) -> int:
        """Tell the time some calendar months later; the last day of a shorter month stands for a later one.

        zh: 返回若干个日历月之后的时刻；遇短月取月末。
        """
        offset = self.known_scheme().utc_offset
        day, rest = divmod(at + offset, DAY)
        year, month, of_month = civil(day)
        later = year * 12 + month - 1 + months
        last = day_number((later + 1) // 12, (later + 1) % 12 + 1, 1) - 1
        first = day_number(later // 12, later % 12 + 1, 1)
        return min(first + of_month - 1, last) * DAY + rest - offset

    @view
    def is_use(self, use: str) -> bool:
        """Tell whether points may be asked for, or spent, for this.

        zh: 查询积分可否用于某一用途。
        """
        return use in self.known_scheme().uses and use not in BASIC_RIGHTS
