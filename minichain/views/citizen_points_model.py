"""What the page of contribution points knows: the street as last seen, what is open, and what is tried on nobody.

`PointsReader` looks at a street again and again (`scenarios.points.street`); `Points` holds what it saw and what is
chosen. The rules of the scheme are the contracts'; here are only sums over what they said.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as field_
from typing import Any, Final

import traitlets as T  # noqa: N812 - beside W in the other pages
from msgspec.structs import asdict

from minichain.codec import Plain
from minichain.errors import UsageError
from minichain.views.i18n import _, in_percent, number, short
from minichain.views.models import ChainReader

CONTRACT: Final = "points-redemption"  # the last one that a street puts on the chain
TICK_MS: Final = 2_000  # how often clocks on the page move
LEAST_DECIDED: Final = 3  # before "never changed" says anything about a desk
WAITING: Final = ("Notified", "Upheld", "Amended", "Final")  # an entry takes effect when its time is over
ENDING: Final = (*WAITING, "Rejected")  # one that is rejected has none, and this is said
ARRIVED: Final = ("Signed", "Corrected", "Treated", "Disposed")  # states of a load that is accounted for
SUSPENDED: Final = ("Objected", "Appealed")
OPEN_CASE: Final = ("Open", "Appealed")


# --- the street --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one look showed: `seen` is None where there is no street. `now_ms` is the time by which clocks are read."""

    height: int = 0
    chain: str = ""
    now_ms: int = 0
    names: Mapping[str, str] = field_(default_factory=dict)
    seen: Any = None


class PointsReader:
    """Look at a street again and again; ask the chain only when it has a new block."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._chain, self._clock = ChainReader(keep=1), clock
        self._last, self._head = Snapshot(), b""

    def __call__(self, street: Any) -> Snapshot:
        """Ask; raises what the client raises."""
        chain = self._chain(street.net)
        head = chain.blocks[-1] if chain.blocks else None
        now = max(int(self._clock() * 1000), head.time_ms if head else 0)
        if head and head.id != self._head:
            is_there = CONTRACT in {name for name, _deployer, _height in chain.contracts}
            seen = street.look() if is_there else None
            self._last = Snapshot(chain.height, short(street.net.genesis.hash), now, street.names(), seen)
            self._head = head.id
        last = self._last
        return Snapshot(last.height, last.chain, now, last.names, last.seen)


# --- what is tried on nobody -------------------------------------------------------------------------------------

LIMITS: Final = {
    "error": (0, 40),
    "desk": (0, 1),
    "cap": (0, 400),
    "deduction": (0, 50),
    "residents": (200, 2_000),
    "seed": (1, 999),
}


class Trial(Plain):
    """A scheme to be tried: its name, how many percent of the evidence fail, a desk or none, and two figures of rules.

    `cap` is the most points of a rule in a month, `deduction` those of a rule that takes something away; 0 is none.
    """

    scheme: str = "training"
    error: int = 5
    desk: int = 1
    cap: int = 0
    deduction: int = 10
    residents: int = 1_000
    seed: int = 1

    @classmethod
    def of(cls, settings: Mapping[str, Any], schemes: Sequence[str]) -> Trial:
        """Read a trial; raises `UsageError` if something in it cannot be."""
        fits = all(isinstance(settings.get(name), int) and a <= settings[name] <= b for name, (a, b) in LIMITS.items())
        if not fits or settings.get("scheme") not in schemes:
            raise UsageError(_("This run asks for more than a page can do."))
        return cls(**{name: settings[name] for name in cls.__struct_fields__})

    @property
    def settings(self) -> dict[str, Any]:
        return asdict(self)


# --- the page ----------------------------------------------------------------------------------------------------


class Points(T.HasTraits):
    """The street as last seen, what is open on each screen, the trial, and the safeguard that is taken out."""

    height = T.Int(-1)
    chain = T.Unicode("")
    now_ms = T.Int(0)
    tick = T.Int(0)
    names: Any = T.Dict()
    seen: Any = T.Any(None)
    is_known = T.Bool(False)  # somebody has looked at the network
    is_open = T.Bool(False)  # and there is a street with people in it
    resident = T.Unicode("")
    is_in = T.Bool(False)  # the resident takes part
    goods: Any = T.Any(())  # what can be had
    catalogue: Any = T.Any(())  # the rules in force
    ordered: Any = T.Any(())  # the resident's orders
    causes: Any = T.Any(())  # what points may be given for, and what became of it
    given: Any = T.Any(())  # the resident's gifts, each with its cause
    offered: Any = T.Any(())  # the services offered to the resident
    is_willing = T.Bool(False)  # the resident has agreed to be offered services
    weighed: Any = T.Any(())  # drops that nobody has recorded
    disputed: Any = T.Any(())  # orders that somebody has to decide on
    contested: Any = T.Any(())  # and causes
    entry = T.Int(0)  # that the resident looks at
    opened: Any = T.Any(None)  # all that the resident's screen says of it
    clerk = T.Unicode("")
    paper = T.Int(0)  # the entry that the clerk looks at
    filed: Any = T.Any(None)
    judge = T.Unicode("")
    arbiter = T.Unicode("")  # who decides on a disputed order
    case = T.Int(0)
    heard: Any = T.Any(None)
    trial: Any = T.Any(Trial())
    result: Any = T.Any(None)
    guard = T.Unicode("")  # the safeguard that is looked at
    missing = T.Unicode("")  # the safeguard that is taken out, in the laboratory
    harms: Any = T.Dict()  # whether a harm was seen with a safeguard and without it, by its name
    pack = T.Unicode("")  # the scripted scheme that is looked at
    judged: Any = T.Any(frozenset())  # those that were
    wanted: Any = T.Dict()  # what a run code asks for: the ledger as it was at a block
    is_pinned = T.Bool(False)
    done: Any = T.Any(frozenset())

    def __init__(self, workshop: Any, residents: Sequence[str] = ()) -> None:
        super().__init__()
        self.workshop = workshop
        self.resident = next(iter(residents), "")
        self.try_out()

    def show(self, snapshot: Snapshot) -> None:
        """Take over what a look showed; while an earlier block is looked at, the ledger stays as it was then."""
        if not self.is_pinned:
            self._take(snapshot)

    def _take(self, snapshot: Snapshot) -> None:
        with self.hold_trait_notifications():
            self.height, self.chain, self.names = snapshot.height, snapshot.chain, dict(snapshot.names)
            self.seen, self.now_ms, self.tick = snapshot.seen, snapshot.now_ms, snapshot.now_ms // TICK_MS
        self._choose_first()

    def pin(self, snapshot: Snapshot) -> None:
        """Show the ledger as it was."""
        self.is_pinned = True
        self._take(snapshot)

    def follow(self) -> None:
        """Show what comes from now on."""
        self.is_pinned, self.wanted = False, {}

    # --- what is open

    def _choose_first(self) -> None:
        """Open what somebody has to do, until somebody chooses."""
        if not self.entry and self.lines:
            ruled = [line for line in self.lines if line.rule]
            worst = [line for line in ruled if line.kind == "deduction" and line.object_until > self.now_ms]
            self.entry = (worst or ruled or self.lines)[0].number
        if not self.paper and self.desk:
            self.paper = self.desk[0]["number"]
        if not self.case and self.cases:
            self.case = (self.waiting or self.cases)[0]["number"]

    @T.observe("resident")
    def _another_resident(self, _change: Any) -> None:
        self.entry = 0
        self._choose_first()

    @T.observe("height", "seen", "tick", "resident", "entry", "paper", "case")
    def _open(self, _change: Any) -> None:
        """Gather what each open card says, so that a card changes when that does and at no other time."""
        with self.hold_trait_notifications():
            self.is_known, self.is_open = self.height >= 0, bool(self.seen and self.seen.entries)
            self.is_in, self.ordered = self.takes_part, self.orders
            self.offered, self.is_willing = self.offers, self.agrees_to_offers
            self.weighed, self.disputed = self.unrecorded, self.quarrels
            self.causes, self.given = self.all_causes, self.gifts
            self.contested = [one for one in self.causes if one["cause"]["state"] == "Disputed"]
            self.goods, self.catalogue = (self.seen.items, self.seen.rules) if self.seen else ((), ())
            self.opened = self._found(self.entry, {line.number for line in self.lines})
            self.filed = self._found(self.paper, {one["number"] for one in self.desk})
            heard = next((one for one in self.cases if one["number"] == self.case), None)
            self.heard = heard and {**heard, "is_over": heard["case"]["deadline"] < self.now_ms}

    def _found(self, entry: int, known: set[int]) -> Any:
        if self.seen is None or entry not in known:
            return None
        one = next(one for one in self.seen.entries if one["number"] == entry)
        cases = [case for case in self.cases if case["case"]["entry"] == entry]
        told = {"cases": cases, "moments": self.seen.timelines.get(entry, ())}
        flags = {name: value for name, value in self.clocks(one).items() if name.startswith("is_")}
        return {**one, **flags, **told, "load": self.load_of(one["entry"]["drop"])}

    def clocks(self, one: Mapping[str, Any]) -> dict[str, Any]:
        """Return until when the time of an entry runs, and from when on it may take effect, as the contract has it.

        While the ledger stands still the time to object does not pass, and what takes away waits for as long.
        """
        entry, closes = one["entry"], self.seen.closes.get(one["number"])
        if closes is None:  # it is an office's time that runs, or none
            closes = entry["closes_at"]
        else:
            closes += max(0, self.now_ms - max(self.seen.stands["from"], self.seen.stands["at"]))
        effect = closes if entry["is_rejected"] or entry["severity"] else entry["closes_at"]
        is_due = entry["state"] in ENDING and effect <= self.now_ms
        return {"closes": closes, "is_over": closes <= self.now_ms, "effect": effect, "is_due": is_due}

    @property
    def clocked(self) -> Any:
        """Return what is open with its clocks: they may move at any time, and the card is not made anew for that."""
        return self.opened and {**self.opened, **self.clocks(self.opened)}

    def weighing(self, drop: str) -> Mapping[str, Any]:
        """Return what the scale signed of a drop."""
        return next((dict(one["weighing"]) for one in self.seen.drops if one["drop"] == drop), {})

    def load_of(self, drop: str) -> Any:
        """Return the load that a drop travels in, or None."""
        return self.seen.loads.get(self.weighing(drop).get("manifest", "")) if drop else None

    def said(self, commitment: str) -> str:
        """Return what a paper beside the chain says, or nothing if it was destroyed."""
        return str(self.seen.papers.get(commitment, "")) if self.seen else ""

    @property
    def takes_part(self) -> bool:
        """Tell whether the resident takes part."""
        known = self.seen.accounts.get(self.resident) if self.seen else None
        return known is not None and not known["closed_at"]

    @property
    def lines(self) -> Sequence[Any]:
        """Return the resident's entries, the latest first: no order but that of time."""
        return self.seen.lines.get(self.resident, ()) if self.seen else ()

    @property
    def balance(self) -> int:
        """Return what the resident has to spend."""
        return int(self.seen.balances.get(self.resident, 0)) if self.seen else 0

    @property
    def coming(self) -> int:
        """Return what the resident gets if nobody objects."""
        return sum(line.points for line in self.lines if line.state in ("Verified", *WAITING))

    @property
    def due(self) -> list[int]:
        """Return the resident's entries whose time to object is over."""
        return [one["number"] for one in self.own if self.clocks(one)["is_due"]]

    @property
    def soon(self) -> list[Mapping[str, Any]]:
        """Return the resident's rewards that take effect later, if nobody objects."""
        told = (one for one in self.own if one["entry"]["state"] == "Notified" and one["entry"]["delta"] > 0)
        return [one for one in told if not self.clocks(one)["is_due"]]

    @property
    def own(self) -> list[Mapping[str, Any]]:
        """Return the resident's entries as the contract has them, the oldest first."""
        numbers = {line.number for line in self.lines}
        return [one for one in (self.seen.entries if self.seen else ()) if one["number"] in numbers]

    @property
    def desk(self) -> list[Mapping[str, Any]]:
        """Return the entries that wait for a clerk, the oldest first."""
        return [
            one for one in (self.seen.entries if self.seen else ()) if one["entry"]["state"] in ("Recorded", "Verified")
        ]

    @property
    def cases(self) -> Sequence[Mapping[str, Any]]:
        """Return all cases, the latest first."""
        return tuple(reversed(self.seen.cases)) if self.seen else ()

    @property
    def account(self) -> str:
        """Return the resident's account, or nothing where there is none."""
        return next((did for did, name in self.names.items() if name == self.resident), "")

    @property
    def orders(self) -> list[Mapping[str, Any]]:
        """Return the resident's orders, the latest first."""
        found = reversed(self.seen.orders if self.seen else ())
        return [self._timed(one) for one in found if one["order"]["account"] == self.account]

    def _timed(self, one: Mapping[str, Any]) -> dict[str, Any]:
        return {**one, "is_over": 0 < one["order"]["due"] < self.now_ms}

    @property
    def all_causes(self) -> list[Mapping[str, Any]]:
        """Return what points were ever asked for, the latest first."""
        found = reversed(self.seen.causes if self.seen else ())
        return [{**one, "is_over": one["cause"]["due"] < self.now_ms} for one in found]

    @property
    def gifts(self) -> list[Mapping[str, Any]]:
        """Return the resident's gifts, the latest first, each with its cause."""
        known = {one["code"]: one for one in self.all_causes}
        found = reversed(self.seen.gifts.get(self.resident, ()) if self.seen else ())
        return [{**known[one["gift"]["cause"]], **one} for one in found]

    @property
    def offers(self) -> list[Mapping[str, Any]]:
        """Return the services that were offered to the resident, the latest first."""
        found = self.seen.offers.get(self.resident, ()) if self.seen else ()
        return [{**one, "is_over": one["until"] < self.now_ms} for one in reversed(found)]

    @property
    def agrees_to_offers(self) -> bool:
        """Tell whether the resident has agreed to be offered services."""
        return self.takes_part and bool(self.seen.accounts[self.resident]["offers"])

    @property
    def unrecorded(self) -> list[Mapping[str, Any]]:
        """Return the drops that a scale has signed and nobody has recorded, the oldest first."""
        return [one for one in (self.seen.drops if self.seen else ()) if not one["weighing"]["entry"]]

    @property
    def quarrels(self) -> list[Mapping[str, Any]]:
        """Return the orders that a resident says have not come, the oldest first."""
        found = self.seen.orders if self.seen else ()
        return [self._timed(one) for one in found if one["order"]["state"] == "Disputed"]

    # --- the appeal desk

    @property
    def waiting(self) -> list[Mapping[str, Any]]:
        """Return the cases that wait for a decision, the oldest first."""
        return [one for one in reversed(self.cases) if one["case"]["state"] in OPEN_CASE]

    @property
    def decided(self) -> list[Mapping[str, Any]]:
        """Return the cases about which somebody has decided, at least once."""
        return [one for one in self.cases if one["case"]["outcome"] and one["case"]["state"] != "Lapsed"]

    @property
    def lapsed(self) -> int:
        """Count the cases that nobody decided in time."""
        return sum(one["case"]["state"] == "Lapsed" for one in self.cases)

    @property
    def changed(self) -> int:
        """Count the decisions that changed something for the resident."""
        return sum(one["case"]["outcome"] != "Upheld" for one in self.decided)

    @property
    def is_rubber_stamp(self) -> bool:
        """Tell whether enough was decided, and nothing was ever changed."""
        return len(self.decided) >= LEAST_DECIDED and not self.changed

    # --- on nobody

    def change(self, **settings: Any) -> None:
        """Try other settings."""
        self.trial = Trial.of({**self.trial.settings, **settings}, tuple(self.workshop.schemes()))
        self.try_out()
        if any(group.median_points == 0 for group in self.result.groups):
            self.tick_off("unequal")

    def bring(self, trial: Trial, missing: str) -> None:
        """Bring a trial back, and the safeguard that was taken out; raises `UsageError` for one that is none."""
        harms = {missing: self.workshop.harm(missing)} if missing else {}
        with self.hold_trait_notifications():
            self.trial, self.guard, self.missing, self.harms = trial, missing, missing, {**self.harms, **harms}
            self.try_out()

    def again(self) -> Points:
        """Return the same trial, tried anew."""
        made = Points(self.workshop)
        made.bring(self.trial, self.missing)
        return made

    def try_out(self) -> None:
        """Let synthetic residents live a year."""
        self.result = self.workshop.run(**self.trial.settings)

    def look_at(self, pack: str) -> None:
        """Look at a scripted scheme; from then on its verdict shows."""
        with self.hold_trait_notifications():
            self.pack, self.judged = pack, self.judged | ({pack} - {""})

    def tick_off(self, task: str) -> None:
        """Count a task as done."""
        self.done |= {task}

    def told(self, name: str, harm: tuple[bool, bool]) -> None:
        """Take over what was seen with and without a safeguard."""
        with self.hold_trait_notifications():
            self.missing, self.harms = name, {**self.harms, name: harm}
            self.tick_off("harm")


def percent(permille: int | None) -> str:
    """Write a share."""
    return _("too few to tell") if permille is None else in_percent(number(permille // 10))
