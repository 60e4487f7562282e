# mypy: disable-error-code="type-arg,no-any-return"
"""Readings from the world: several sources report a figure, its median counts, and whoever doubts it may object.

A contract sees nothing but the ledger. What it can do is to ask several who do not depend on each other, to refuse
instruments whose calibration has run out, and to leave room for an objection. Who signed which reading, and when, is
proven; that the reading is right is only claimed. Nothing is ever deleted: what was wrong is corrected by a new entry.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Value, action, emit, require, view

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


class Readings(Contract):
    """Agree on measured figures: independent sources, a median in time, objections, corrections that delete nothing."""

    operator = Value(str)
    judges = Map(str, bool)
    feeds = Map(str, dict)
    sources = Map(str, dict)
    given = Map((str, int, str), dict)  # feed, round, source -> its reading
    rounds = Map((str, int), dict)
    history = Map((str, int, int), dict)  # feed, round, number -> an entry; written once and never again

    def setup(self, judge: str) -> None:
        require(judge != self.caller, "who decides on objections is somebody else than the operator")
        self.operator = self.caller
        self.judges[judge] = True

    # --- what holds before anything else

    def only_operator(self) -> None:
        require(self.caller == self.operator, "only the operator may do this")

    def known_feed(self, feed: str) -> dict:
        require(feed in self.feeds, f"there is no feed {feed}")
        return self.feeds[feed]

    def now_in(self, rules: dict) -> int:
        return (self.now - rules["start"]) // rules["length"]

    def found(self, feed: str, round: int) -> dict:
        key = (feed, round)
        require(key in self.rounds, f"nobody has reported anything for round {round} of {feed}")
        return self.rounds[key]

    def enter(self, feed: str, round: int, form: dict, kind: str, value: int, note: str) -> None:
        """Add an entry to the history of a round, and keep the round."""
        require(form["entries"] < MAX_ENTRIES, f"the history of a round has at most {MAX_ENTRIES} entries")
        entry = {"kind": kind, "value": value, "by": self.caller, "at": self.now, "note": note}
        self.history[(feed, round, form["entries"])] = entry
        form["entries"] += 1
        self.rounds[(feed, round)] = form

    # --- the operator

    @action
    def open_feed(self, feed: str, unit: str, length: int, needed: int, tolerance: int, objection_time: int) -> None:
        """Open a feed: its unit, the length of a round, how many owners are needed, and the time to object.

        Times are in milliseconds. A reading further than `tolerance` from the median is flagged.

        zh: 开设一个数据项：单位、每轮时长、所需的所有者数目和异议期限。
        """
        self.only_operator()
        check_name(feed, "the name of a feed")
        check_name(unit, "a unit")
        require(feed not in self.feeds, f"feed {feed} exists: its rules do not change under those who rely on it")
        require(length >= 1_000 and objection_time >= 1_000, "a round and the time to object last a second or longer")
        require(1 <= needed <= MAX_SOURCES, f"needed are 1 to {MAX_SOURCES} owners")
        require(tolerance >= 0, "a tolerance is not negative")
        self.feeds[feed] = {
            "unit": unit,
            "start": self.now,
            "length": length,
            "needed": needed,
            "tolerance": tolerance,
            "objection_time": objection_time,
        }
        emit("FeedOpened", feed=feed, unit=unit, needed=needed)

    @action
    def admit(self, source: str, owner: str, calibrated_from: int, calibrated_until: int) -> None:
        """Register a source: whose it is, and from when until when its instrument is calibrated.

        zh: 登记一个来源：归谁所有，仪器校准的有效期从何时到何时。
        """
        self.only_operator()
        check_name(owner, "an owner")
        require(source not in self.judges, "who decides on objections reports nothing")
        require(len(self.sources) < MAX_SOURCES or source in self.sources, f"there are at most {MAX_SOURCES} sources")
        require(calibrated_from < calibrated_until, "a calibration ends after it begins")
        known = self.sources.get(source, {"owner": owner})
        require(known["owner"] == owner, "a source does not change its owner: register another one")
        self.sources[source] = {"owner": owner, "from": calibrated_from, "until": calibrated_until, "active": True}
        emit("Admitted", source=source, owner=owner, until=calibrated_until)

    @action
    def suspend(self, source: str, note: str) -> None:
        """Take no more readings from a source; those it gave remain.

        zh: 不再接受某个来源的读数；它以前的读数保留。
        """
        self.only_operator()
        require(source in self.sources, "this source is not registered")
        check_name(note, "the reason")
        known = self.sources[source]
        known["active"] = False
        self.sources[source] = known
        emit("Suspended", source=source, note=note)

    @action
    def appoint(self, judge: str) -> None:
        """Name one more person who decides on objections.

        zh: 再任命一名裁决异议的人。
        """
        self.only_operator()
        require(judge != self.operator and judge not in self.sources, "who decides neither operates nor reports")
        self.judges[judge] = True

    # --- the sources

    @action
    def report(self, feed: str, round: int, value: int, measured_at: int) -> None:
        """Report what was measured in the present round, as a whole number of the unit.

        zh: 报告本轮测得的数值，以计量单位的整数表示。
        """
        rules = self.known_feed(feed)
        require(self.caller in self.sources, "only a registered source reports")
        source = self.sources[self.caller]
        require(source["active"], "this source is suspended")
        present, until = self.now_in(rules), source["until"]
        require(round == present, f"now is round {present}, not {round}: what is late, or early, does not count")
        start = rules["start"] + round * rules["length"]
        require(start <= measured_at <= self.now, "it was measured in this round, and not after the time of this block")
        require(source["from"] <= measured_at < until, "the calibration of this source does not cover it: renew it")
        require(-LIMIT <= value <= LIMIT, "this figure is too large to be one")
        key = (feed, round, self.caller)
        require(key not in self.given, "this source has reported in this round: what was wrong is objected to")
        self.given[key] = {"value": value, "measured_at": measured_at, "at": self.now, "owner": source["owner"]}
        form = self.rounds.get((feed, round), self.empty())
        form["sources"].append(self.caller)
        self.rounds[(feed, round)] = form
        emit("Reported", feed=feed, round=round, source=self.caller, value=value)

    def empty(self) -> dict:
        return {
            "state": "open",
            "value": 0,
            "sources": [],
            "flagged": [],
            "settled_at": 0,
            "closes_at": 0,
            "objections": [],
            "entries": 0,
        }

    @action
    def settle(self, feed: str, round: int) -> str:
        """Close a round that is over: the median of the owners counts. Anybody may do this.

        zh: 结束已过期的一轮：以各所有者读数的中位数为准。任何人都可以这样做。
        """
        rules, form = self.known_feed(feed), self.found(feed, round)
        require(form["state"] == "open", f"round {round} is settled already")
        require(self.now_in(rules) > round, f"round {round} is not over")
        values = {source: self.given[(feed, round, source)] for source in form["sources"]}
        voices = self.voices(list(values.values()))
        needed, count = rules["needed"], len(voices)
        form["settled_at"] = self.now
        form["closes_at"] = self.now + rules["objection_time"]
        if count < needed:
            form["state"] = "void"
            self.enter(feed, round, form, "void", 0, f"{count} owners reported, {needed} are needed")
            emit("Void", feed=feed, round=round, owners=count, needed=needed)
            return "void"
        form["value"] = middle(voices)
        form["state"] = "settled"
        form["flagged"] = [
            source for source, reading in values.items() if abs(reading["value"] - form["value"]) > rules["tolerance"]
        ]
        self.enter(feed, round, form, "settled", form["value"], f"median of {count} owners")
        emit("Settled", feed=feed, round=round, value=form["value"], flagged=form["flagged"])
        return "settled"

    def voices(self, readings: list[dict]) -> list[int]:
        """Give each owner one voice, however many instruments it has."""
        by_owner = {
            reading["owner"]: [other["value"] for other in readings if other["owner"] == reading["owner"]]
            for reading in readings
        }
        return [middle(values) for values in by_owner.values()]

    # --- objections

    @action
    def object(self, feed: str, round: int, reason: str, evidence: str) -> int:
        """Object to a figure, at no cost. In time it suspends the figure; later it can still be corrected.

        zh: 对某个数值提出异议，不收费用。期限内的异议使该数值暂停使用；过期后仍可更正。
        """
        form = self.found(feed, round)
        require(form["state"] == "settled", "only a settled figure can be objected to")
        known = ", ".join(REASONS)
        require(reason in REASONS, f"a reason is one of {known}")
        check_digest(evidence)
        is_open = [one for one in form["objections"] if one["by"] == self.caller and one["outcome"] == "open"]
        require(not is_open, "your objection to this figure is being decided already")
        is_late = self.now > form["closes_at"]
        form["objections"].append(
            {"by": self.caller, "reason": reason, "evidence": evidence, "late": is_late, "outcome": "open"}
        )
        number = len(form["objections"]) - 1
        self.enter(feed, round, form, "objection", form["value"], f"{reason}, late" if is_late else reason)
        emit("Objected", feed=feed, round=round, number=number, reason=reason, late=is_late)
        return number

    @action
    def decide(self, feed: str, round: int, number: int, upheld: bool, value: int, grounds: str) -> str:
        """Decide on an objection, with grounds; an upheld one adds an entry with the corrected figure.

        zh: 说明理由，对异议作出裁决；异议成立时，追加一条更正后的数值。
        """
        require(self.caller in self.judges, "only who was appointed decides on objections")
        form = self.found(feed, round)
        require(0 <= number < len(form["objections"]), "there is no such objection")
        objection = form["objections"][number]
        require(objection["outcome"] == "open", "this objection is decided")
        require(objection["by"] != self.caller, "nobody decides on an objection of their own")
        require(20 <= len(grounds) <= 500, "grounds have 20 to 500 characters: whoever objected will read them")
        require(-LIMIT <= value <= LIMIT, "this figure is too large to be one")
        objection["outcome"] = "upheld" if upheld else "rejected"
        if upheld:
            form["value"] = value
            self.enter(feed, round, form, "correction", value, grounds)
            emit("Corrected", feed=feed, round=round, value=value, late=objection["late"])
        else:
            self.enter(feed, round, form, "rejection", form["value"], grounds)
        emit("Decided", feed=feed, round=round, number=number, outcome=objection["outcome"])
        return objection["outcome"]

    # --- what others may rely on

    def status(self, form: dict) -> str:
        """Say how far a figure can be relied on."""
        in_time = [one for one in form["objections"] if one["outcome"] == "open" and not one["late"]]
        if form["state"] != "settled":
            return form["state"]
        if in_time:
            return "disputed"
        return "provisional" if self.now <= form["closes_at"] else "final"

    @view
    def round_now(self, feed: str) -> int:
        """Tell the number of the present round.

        zh: 告知当前是第几轮。
        """
        return self.now_in(self.known_feed(feed))

    @view
    def figure(self, feed: str, round: int) -> dict:
        """Tell a figure with its unit, and how far it can be relied on.

        zh: 告知某个数值及其单位，以及它在多大程度上可以采信。
        """
        form = self.found(feed, round)
        form["status"] = self.status(form)
        form["unit"] = self.known_feed(feed)["unit"]
        return form

    @view
    def relied_on(self, feed: str, round: int) -> int:
        """Tell a figure that is final; other contracts ask for this one.

        zh: 告知已经确定的数值；其他合约查询的就是它。
        """
        form = self.found(feed, round)
        status = self.status(form)
        require(status == "final", f"the figure of round {round} is {status}: wait until it is final")
        return form["value"]

    @view
    def readings(self, feed: str, round: int) -> list[dict]:
        """List who reported what, and when, in the order of the blocks.

        zh: 按区块顺序列出谁在何时报告了什么。
        """
        return [
            {"source": source, "reading": self.given[(feed, round, source)]}
            for source in self.found(feed, round)["sources"]
        ]

    @view
    def story(self, feed: str, round: int) -> list[dict]:
        """List everything that ever became of a figure; no entry was changed after it was written.

        zh: 列出某个数值的全部经过；任何一条写入后都没有改动过。
        """
        return [self.history[(feed, round, number)] for number in range(self.found(feed, round)["entries"])]
