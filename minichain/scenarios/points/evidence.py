# mypy: disable-error-code="type-arg,no-any-return,empty-body"
"""What an entry rests on: a weight that a scale has signed, or a paper; each counts once, and none names a person.

A scale counts while an office that records here answers for it and its calibration is valid; what it weighed counts
when the load it went into has arrived. What cannot be (one person in two places) is said, for a human being to look at.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Interface, Map, Record, Value, action, emit, require, view

MAX_WORD = 40
MAX_GRAMS = 100_000_000
SIGNS = "abcdefghijklmnopqrstuvwxyz0123456789-"
ARRIVED = ("Signed", "Corrected", "Treated", "Disposed")  # states of a manifest whose load is accounted for


class Catalogue(Interface):
    """The rules."""

    @view
    def has_role(self, role: str, account: str) -> bool:
        """Tell whether an account has a task."""

    @view
    def scheme(self) -> dict:
        """Tell the clocks and limits of the scheme."""


class Accounts(Interface):
    """The accounts."""

    @view
    def require_taking_part(self, account: str) -> None:
        """Refuse an account about which nothing may be recorded."""


class Identity(Interface):
    """The devices of the chain."""

    @view
    def device_state(self, did: str) -> dict:
        """Answer whether a device counts now, and why it does not."""

    @view
    def device(self, did: str) -> dict:
        """Show a device and its organisation."""


class Custody(Interface):
    """The custody of waste."""

    @view
    def manifest(self, number: str) -> dict:
        """Show a manifest."""


def check_word(word: str, what: str) -> None:
    is_word = 1 <= len(word) <= MAX_WORD and word.strip(SIGNS) == ""
    require(is_word, f"{what} has 1 to {MAX_WORD} of a-z, 0-9 and dash")


def check_digest(text: str, what: str) -> None:
    is_digest = len(text) == 64 and text.strip("0123456789abcdef") == ""
    require(is_digest, f"{what} is named by its SHA-256, in 64 small hex digits: the text itself stays outside")


class Weighing(Record):
    """What a device has weighed for an account, and on which manifest it travels; `entry` is 0 until it counts."""

    device: str
    account: str
    grams: int
    zone: str
    manifest: str
    at: int
    entry: int = 0


class Sighting(Record):
    """Where somebody was last, as far as anything was recorded."""

    zone: str
    at: int


class Evidence(Contract):
    """The evidence of contribution points: weights that enrolled scales have signed, and papers by their digests.

    zh: 贡献积分的证据：已登记的秤所签的重量，以及以摘要存证的文件。
    """

    catalogue = Value(str)
    travel_ms = Value(int)  # in less time nobody gets from one zone to another
    others = Value(dict)  # the contracts accounts, ledger, identity and custody, by these names
    weighings = Map(str, Weighing)
    events = Map(str, int)  # event -> entry
    papers = Map(str, int)  # digest -> entry
    sightings = Map(str, Sighting)

    def setup(self, catalogue: str, accounts: str, ledger: str, identity: str, custody: str) -> None:
        self.catalogue = catalogue
        self.travel_ms = Catalogue(catalogue).scheme()["travel_ms"]
        self.others = {"accounts": accounts, "ledger": ledger, "identity": identity, "custody": custody}

    def require_ledger(self) -> None:
        require(self.caller == self.others["ledger"], "only the contract of entries does this")

    def found(self, drop: str) -> Weighing:
        require(drop in self.weighings, f"no device has weighed a drop {drop}")
        return self.weighings[drop]

    # --- the safeguards

    def guard_device(self, device: str) -> None:
        """A weight counts only from a device of an office that records here, enrolled and with a valid calibration."""
        state = Identity(self.others["identity"]).device_state(device)
        word, reason = state["state"], state["reason"]
        require(word == "active", f"this device does not count, it is {word}: {reason}")
        office = Identity(self.others["identity"]).device(device)["organisation"]
        is_own = Catalogue(self.catalogue).has_role("recorder", office)
        require(is_own, "this device is of no office that records here: anybody can found an office and enrol a scale")

    def guard_arrival(self, weighing: Weighing) -> None:
        """A drop is verified only when the load it went into has arrived and is accounted for."""
        number = weighing.manifest
        require(number != "", "this drop is on no manifest: nobody can say where it went")
        state = Custody(self.others["custody"]).manifest(number)["state"]
        require(state in ARRIVED, f"manifest {number} is {state}: a drop is verified when its load has arrived")

    def guard_evidence_once(self, paper: str) -> None:
        """One piece of evidence counts once, under whatever event it comes again."""
        known = self.papers.get(paper, 0)
        require(known == 0, f"this evidence was used for entry {known}: it counts once")

    def guard_plain_event(self, code: str, what: str = "the code of an event") -> None:
        """An event is a code, and so is a zone: no telephone number or name may come onto the chain in its place."""
        check_word(code, what)
        digits = code.replace("-", "")
        for digit in "123456789":
            digits = digits.replace(digit, "0")
        require("0000000" not in digits, f"{what} looks like a telephone number: everybody can read it")

    # --- the scale

    @action
    def weigh(self, drop: str, account: str, grams: int, zone: str, manifest: str = "") -> None:
        """As an enrolled scale, sign what was dropped for an account, and on which manifest it travels.

        zh: 由已登记的秤签署：账户、重量、区域及所在联单。
        """
        self.guard_plain_event(drop)
        self.guard_plain_event(zone, "a zone")
        require(drop not in self.weighings, f"drop {drop} was weighed: each drop has a code of its own")
        require(1 <= grams <= MAX_GRAMS, "a drop weighs more than nothing")
        is_number = len(manifest) <= MAX_WORD and manifest.lower().strip(SIGNS) == ""
        require(is_number, f"the number of a manifest has at most {MAX_WORD} characters: letters, digits and dash")
        Accounts(self.others["accounts"]).require_taking_part(account)
        self.guard_device(self.caller)
        self.weighings[drop] = Weighing(
            device=self.caller, account=account, grams=grams, zone=zone, manifest=manifest, at=self.now
        )
        emit("Weighed", drop=drop, account=account, grams=grams, device=self.caller)

    # --- for the contract of entries

    @action
    def use_drop(self, drop: str, number: int) -> list[str]:
        """Use what a device weighed for an entry; returns what a human being has to look at. Only the ledger does this.

        zh: 将一次称重用于分录；返回须由人查看的事项。仅分录合约可操作。
        """
        self.require_ledger()
        weighing = self.found(drop)
        weighing.entry = number
        self.weighings[drop] = weighing
        return self.sighted(weighing.account, weighing.zone, weighing.at)

    @action
    def use_paper(self, event: str, paper: str, account: str, zone: str, at: int, number: int) -> list[str]:
        """Use a paper for an entry; returns what a human being has to look at. Only the ledger does this.

        zh: 将一份文件用于分录；返回须由人查看的事项。仅分录合约可操作。
        """
        self.require_ledger()
        self.guard_plain_event(event)
        check_digest(paper, "evidence")
        self.guard_evidence_once(paper)
        self.events[event] = number
        self.papers[paper] = number
        if zone == "":
            return []
        self.guard_plain_event(zone, "a zone")
        return self.sighted(account, zone, at)

    def sighted(self, account: str, zone: str, at: int) -> list:
        """Remember where somebody was, and say what cannot be: nobody is in two zones at once."""
        before = self.sightings.get(account, Sighting(zone=zone, at=at))
        is_strange = before.zone != zone and abs(at - before.at) < self.travel_ms
        self.sightings[account] = Sighting(zone=zone, at=at)
        return ["in two zones at once"] if is_strange else []

    @action
    def release(self, drop: str, paper: str) -> None:
        """Let what an entry rested on that never counts be used again. Only the ledger does this.

        zh: 分录不计入时，释放其证据以供再用。仅分录合约可操作。
        """
        self.require_ledger()
        if drop != "":
            weighing = self.weighings[drop]
            weighing.entry = 0
            self.weighings[drop] = weighing
        if paper != "":
            del self.papers[paper]

    # --- what can be read

    @view
    def weighing(self, drop: str) -> Weighing:
        """Show what a device weighed.

        zh: 查询一次称重。
        """
        return self.found(drop)

    @view
    def entry_of(self, event: str) -> int:
        """Tell the number of the entry of an event, 0 for an event that was not recorded.

        zh: 查询某一事件的分录编号；未记录者为 0。
        """
        return self.events.get(event, 0)

    @view
    def require_arrived(self, drop: str) -> None:
        """Refuse a drop whose load has not arrived.

        zh: 投放物所在批次尚未到达时拒绝。
        """
        self.guard_arrival(self.found(drop))
