"""Readings from the world: several sources report a figure, its median counts, and whoever doubts it may object.

A contract sees nothing but the ledger. What it can do is to ask several who do not depend on each other, to refuse
instruments whose calibration has run out, and to leave room for an objection. Who signed which reading, and when, is
proven; that the reading is right is only claimed. Nothing is ever deleted: what was wrong is corrected by a new entry.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Record, action, emit, require, view
from minichain.contracts.parts import Roles

ROLES = ("judge",)
MAX_SOURCES = 30
MAX_ENTRIES = 100
REASONS = ("instrument", "place", "time", "unit", "other")
LIMIT = 2**53  # of a figure: what every reader's program can hold exactly


def middle(numbers: list[int]) -> int:
    """Return the median; of two middle numbers, what lies half-way, rounded down."""
    ordered = sorted(numbers)
    size = len(ordered)
    return (ordered[(size - 1) // 2] + ordered[size // 2]) // 2


def check_name(text: str, what: str) -> None:
    require(1 <= len(text) <= 60, f"{what} has 1 to 60 characters")


def check_digest(text: str) -> None:
    strange = [char for char in text if char not in "0123456789abcdef"]
    require(len(text) == 64 and not strange, "evidence is named by its SHA-256, in 64 small hex digits")


class Feed(Record):
    """What is measured, and the rules for it."""

    unit: str
    start: int  # of round 0, in milliseconds as all times here
    length: int  # of a round
    needed: int  # owners
    tolerance: int
    objection_time: int


class Source(Record):
    """Who reports, for which owner, and for how long its instrument is calibrated."""

    owner: str
    calibrated_from: int
    calibrated_until: int
    is_active: bool = True


class Reading(Record):
    """What a source reported."""

    source: str
    owner: str
    value: int
    measured_at: int
    at: int


class Objection(Record):
    """A doubt about a figure; `outcome` is open, upheld or rejected."""

    by: str
    reason: str
    evidence: str
    is_late: bool
    outcome: str = "open"


class Round(Record):
    """A figure; `state` is open, settled or void."""

    sources: list[str]
    flagged: list[str]
    objections: list[Objection]
    state: str = "open"
    value: int = 0
    settled_at: int = 0
    closes_at: int = 0
    entries: int = 0


class Figure(Record):
    """A figure as others see it; `status` is open, void, provisional, disputed or final."""

    value: int
    unit: str
    status: str
    flagged: list[str]
    closes_at: int
    objections: list[Objection]


class Entry(Record):
    """One line of the history of a figure."""

    kind: str
    value: int
    by: str
    at: int
    note: str


class Readings(Contract, Roles):
    """Agree on measured figures: independent sources, a median in time, objections, corrections that delete nothing.

    zh: 就测量数值达成一致：来源互相独立，取按时读数的中位数，可提异议，更正不删除任何记录。
    """

    feeds = Map(str, Feed)
    sources = Map(str, Source)
    given = Map((str, int, str), Reading)  # feed, round, source
    rounds = Map((str, int), Round)
    history = Map((str, int, int), Entry)  # feed, round, number; written once and never again

    def setup(self, judge: str) -> None:
        require(judge != self.caller, "who decides on objections is somebody else than the operator")
        self.give_role("judge", judge, "decides on objections")

    # --- what holds before anything else

    def known_feed(self, feed: str) -> Feed:
        require(feed in self.feeds, f"there is no feed {feed}")
        return self.feeds[feed]

    def now_in(self, rules: Feed) -> int:
        return (self.now - rules.start) // rules.length

    def found(self, feed: str, round: int) -> Round:
        key = (feed, round)
        require(key in self.rounds, f"nobody has reported anything for round {round} of {feed}")
        return self.rounds[key]

    def enter(self, feed: str, round: int, form: Round, kind: str, note: str) -> None:
        """Add an entry to the history of a round, and keep the round."""
        require(form.entries < MAX_ENTRIES, f"the history of a round has at most {MAX_ENTRIES} entries")
        self.history[(feed, round, form.entries)] = Entry(
            kind=kind, value=form.value, by=self.caller, at=self.now, note=note
        )
        form.entries += 1
        self.rounds[(feed, round)] = form

    # --- the operator

    @action
    def open_feed(self, feed: str, unit: str, length: int, needed: int, tolerance: int, objection_time: int) -> None:
        """Open a feed: its unit, the length of a round, how many owners are needed, and the time to object.

        Times are in milliseconds. A reading further than `tolerance` from the median is flagged.

        zh: 开设一个数据项：单位、每轮时长、所需的所有者数目和异议期限。
        """
        self.require_role("admin")
        check_name(feed, "the name of a feed")
        check_name(unit, "a unit")
        require(feed not in self.feeds, f"feed {feed} exists: its rules do not change under those who rely on it")
        require(length >= 1_000 and objection_time >= 1_000, "a round and the time to object last a second or longer")
        require(1 <= needed <= MAX_SOURCES, f"needed are 1 to {MAX_SOURCES} owners")
        require(tolerance >= 0, "a tolerance is not negative")
        self.feeds[feed] = Feed(
            unit=unit,
            start=self.now,
            length=length,
            needed=needed,
            tolerance=tolerance,
            objection_time=objection_time,
        )
        emit("FeedOpened", feed=feed, unit=unit, needed=needed)

    @action
    def admit(self, source: str, owner: str, calibrated_from: int, calibrated_until: int) -> None:
        """Register a source: whose it is, and from when until when its instrument is calibrated.

        zh: 登记一个来源：归谁所有，仪器校准的有效期从何时到何时。
        """
        self.require_role("admin")
        check_name(owner, "an owner")
        require(not self.has_role("judge", source), "who decides on objections reports nothing")
        require(len(self.sources) < MAX_SOURCES or source in self.sources, f"there are at most {MAX_SOURCES} sources")
        require(calibrated_from < calibrated_until, "a calibration ends after it begins")
        if source in self.sources:
            known = self.sources[source]
            require(known.owner == owner, "a source does not change its owner: register another one")
        self.sources[source] = Source(owner=owner, calibrated_from=calibrated_from, calibrated_until=calibrated_until)
        emit("Admitted", source=source, owner=owner, until=calibrated_until)

    @action
    def suspend(self, source: str, note: str) -> None:
        """Take no more readings from a source; those it gave remain.

        zh: 不再接受某个来源的读数；它以前的读数保留。
        """
        self.require_role("admin")
        require(source in self.sources, "this source is not registered")
        check_name(note, "the reason")
        known = self.sources[source]
        known.is_active = False
        self.sources[source] = known
        emit("Suspended", source=source, note=note)

    # --- the sources

    @action
    def report(self, feed: str, round: int, value: int, measured_at: int) -> None:
        """Report what was measured in the present round, as a whole number of the unit.

        zh: 报告本轮测得的数值，以计量单位的整数表示。
        """
        rules = self.known_feed(feed)
        require(self.caller in self.sources, "only a registered source reports")
        source = self.sources[self.caller]
        require(source.is_active, "this source is suspended")
        present = self.now_in(rules)
        require(round == present, f"now is round {present}, not {round}: what is late, or early, does not count")
        start = rules.start + round * rules.length
        require(start <= measured_at <= self.now, "it was measured in this round, and not after the time of this block")
        is_covered = source.calibrated_from <= measured_at < source.calibrated_until
        require(is_covered, "the calibration of this source does not cover it: renew it")
        require(-LIMIT <= value <= LIMIT, "this figure is too large to be one")
        key = (feed, round, self.caller)
        require(key not in self.given, "this source has reported in this round: what was wrong is objected to")
        self.given[key] = Reading(
            source=self.caller, owner=source.owner, value=value, measured_at=measured_at, at=self.now
        )
        form = (
            self.rounds[(feed, round)] if (feed, round) in self.rounds else Round(sources=[], flagged=[], objections=[])
        )
        form.sources.append(self.caller)
        self.rounds[(feed, round)] = form
        emit("Reported", feed=feed, round=round, source=self.caller, value=value)

    @action
    def settle(self, feed: str, round: int) -> str:
        """Close a round that is over: the median of the owners counts. Anybody may do this.

        zh: 结束已过期的一轮：以各所有者读数的中位数为准。任何人都可以这样做。
        """
        rules, form = self.known_feed(feed), self.found(feed, round)
        require(form.state == "open", f"round {round} is settled already")
        require(self.now_in(rules) > round, f"round {round} is not over")
        readings = [self.given[(feed, round, source)] for source in form.sources]
        voices = self.voices(readings)
        needed, count = rules.needed, len(voices)
        form.settled_at = self.now
        form.closes_at = self.now + rules.objection_time
        if count < needed:
            form.state = "void"
            self.enter(feed, round, form, "void", f"{count} owners reported, {needed} are needed")
            emit("Void", feed=feed, round=round, owners=count, needed=needed)
            return "void"
        form.state = "settled"
        form.value = middle(voices)
        form.flagged = [one.source for one in readings if abs(one.value - form.value) > rules.tolerance]
        self.enter(feed, round, form, "settled", f"median of {count} owners")
        emit("Settled", feed=feed, round=round, value=form.value, flagged=form.flagged)
        return "settled"

    def voices(self, readings: list[Reading]) -> list[int]:
        """Give each owner one voice, however many instruments it has."""
        owners = {one.owner: True for one in readings}
        return [middle([one.value for one in readings if one.owner == owner]) for owner in owners]

    # --- objections

    @action
    def object(self, feed: str, round: int, reason: str, evidence: str) -> int:
        """Object to a figure, at no cost. In time it suspends the figure; later it can still be corrected.

        zh: 对某个数值提出异议，不收费用。期限内的异议使该数值暂停使用；过期后仍可更正。
        """
        form = self.found(feed, round)
        require(form.state == "settled", "only a settled figure can be objected to")
        known = ", ".join(REASONS)
        require(reason in REASONS, f"a reason is one of {known}")
        check_digest(evidence)
        is_open = [one for one in form.objections if one.by == self.caller and one.outcome == "open"]
        require(not is_open, "your objection to this figure is being decided already")
        is_late = self.now > form.closes_at
        form.objections.append(Objection(by=self.caller, reason=reason, evidence=evidence, is_late=is_late))
        number = len(form.objections) - 1
        self.enter(feed, round, form, "objection", f"{reason}, late" if is_late else reason)
        emit("Objected", feed=feed, round=round, number=number, reason=reason, late=is_late)
        return number

    @action
    def decide(self, feed: str, round: int, number: int, upheld: bool, value: int, grounds: str) -> str:
        """Decide on an objection, with grounds; an upheld one adds an entry with the corrected figure.

        zh: 说明理由，对异议作出裁决；异议成立时，追加一条更正后的数值。
        """
        self.require_role("judge")
        is_apart = self.caller not in self.sources and not self.has_role("admin", self.caller)
        require(is_apart, "who decides neither operates nor reports")
        form = self.found(feed, round)
        require(0 <= number < len(form.objections), "there is no such objection")
        objection = form.objections[number]
        require(objection.outcome == "open", "this objection is decided")
        require(objection.by != self.caller, "nobody decides on an objection of their own")
        require(20 <= len(grounds) <= 500, "grounds have 20 to 500 characters: whoever objected will read them")
        require(-LIMIT <= value <= LIMIT, "this figure is too large to be one")
        objection.outcome = "upheld" if upheld else "rejected"
        if upheld:
            form.value = value
            emit("Corrected", feed=feed, round=round, value=value, late=objection.is_late)
        self.enter(feed, round, form, "correction" if upheld else "rejection", grounds)
        emit("Decided", feed=feed, round=round, number=number, outcome=objection.outcome)
        return objection.outcome

    # --- what others may rely on

    def status(self, form: Round) -> str:
        """Say how far a figure can be relied on."""
        in_time = [one for one in form.objections if one.outcome == "open" and not one.is_late]
        if form.state != "settled":
            return form.state
        if in_time:
            return "disputed"
        return "provisional" if self.now <= form.closes_at else "final"

    @view
    def round_now(self, feed: str) -> int:
        """Tell the number of the present round.

        zh: 告知当前是第几轮。
        """
        return self.now_in(self.known_feed(feed))

    @view
    def figure(self, feed: str, round: int) -> Figure:
        """Tell a figure with its unit, and how far it can be relied on.

        zh: 告知某个数值及其单位，以及它在多大程度上可以采信。
        """
        form = self.found(feed, round)
        return Figure(
            value=form.value,
            unit=self.known_feed(feed).unit,
            status=self.status(form),
            flagged=form.flagged,
            closes_at=form.closes_at,
            objections=form.objections,
        )

    @view
    def relied_on(self, feed: str, round: int) -> int:
        """Tell a figure that is final; other contracts ask for this one.

        zh: 告知已经确定的数值；其他合约查询的就是它。
        """
        form = self.found(feed, round)
        status = self.status(form)
        require(status == "final", f"the figure of round {round} is {status}: wait until it is final")
        return form.value

    @view
    def readings(self, feed: str, round: int) -> list[Reading]:
        """List who reported what, and when, in the order of the blocks.

        zh: 按区块顺序列出谁在何时报告了什么。
        """
        return [self.given[(feed, round, source)] for source in self.found(feed, round).sources]

    @view
    def story(self, feed: str, round: int) -> list[Entry]:
        """List everything that ever became of a figure; no entry was changed after it was written.

        zh: 列出某个数值的全部经过；任何一条写入后都没有改动过。
        """
        return [self.history[(feed, round, number)] for number in range(self.found(feed, round).entries)]
