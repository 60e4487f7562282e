"""What the contracts of a scheme show to people: my entries, the clocks of a case, the desk of appeals, an audit.

Everything is asked of the chain, through `ask(contract, view, **arguments)`; nothing is kept here. A number of
residents below ten is not shown, and nobody is put in an order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any, Final, Protocol

from minichain.client.network import Network
from minichain.codec import Plain
from minichain.scenarios.points.presets import DAY_MS
from minichain.scenarios.points.story import ACCOUNTS, CASES, CATALOGUE, LEDGER, REDEMPTION

LEAST_SHOWN: Final = 10
LEAST_DECIDED: Final = 5  # before a rate says anything
PAGE: Final = 50
OUTLIER_FACTOR: Final = 3
OPEN: Final = ("Notified", "Rejected", "Upheld", "Amended", "Final")  # no effect before the time to object is over
RULED: Final = ("reward", "deduction", "record")  # the kinds of entries that a rule makes; the others follow from them


class Ask(Protocol):
    """Asks a view of a contract."""

    def __call__(self, contract: str, view: str, /, **arguments: Any) -> Any: ...


def asker(net: Network) -> Ask:
    """Return what asks the views of contracts on a network."""
    return lambda contract, view, /, **arguments: net.view(contract, view, arguments)


class Line(Plain):
    """One entry as its resident reads it, with the rule, its basis, and until when an objection is possible."""

    number: int
    kind: str
    points: int
    state: str
    at: int
    behaviour: str = ""
    basis: str = ""
    reference: str = ""
    rule: str = ""
    object_until: int = 0
    ends_at: int = 0
    case: int = 0


class Moment(Plain):
    """One step of due process: when it was done (0: not yet), and until when it has to be or may be done."""

    name: str
    at: int = 0
    due: int = 0
    by: str = ""


class Task(Plain):
    """What is to be done next with an entry, and who may: a role, or "anybody"; `flags` are to be looked at first."""

    number: int
    action: str
    role: str
    since: int
    flags: tuple[str, ...] = ()


class Waiting(Plain):
    """A case that waits for a decision, with its age and the time that is left, in days."""

    number: int
    entry: int
    kind: str
    state: str
    age_days: int
    days_left: int


class Audit(Plain):
    """How a scheme is run. Rates are per mille of what they are rates of; None says that there is too little to tell.

    `is_rubber_stamping` is that enough was decided, and never for a resident. `outliers` are (clerk, resident) pairs
    with far more entries than usual: to be looked at, not to be punished.
    """

    entries: int
    accounts: int | None
    assisted: int | None
    withdrawn: int | None
    objection_permille: int | None
    overturn_permille: int | None
    lapsed: int  # what nobody decided on or looked at in time, cases and entries
    median_days: int | None
    is_rubber_stamping: bool
    evidence_permille: int | None
    gini_permille: int | None
    unredeemed_points: int
    liability_fen: int
    pool_left_fen: int
    outliers: tuple[tuple[str, str, int], ...]


# --- reading -----------------------------------------------------------------------------------------------------


def pages(ask: Ask, contract: str, view: str, **arguments: Any) -> Iterator[Any]:
    """Yield everything that a view lists page by page."""
    start = 0
    while found := ask(contract, view, start=start, limit=PAGE, **arguments):
        yield from found
        start += PAGE


def statement(ask: Ask, account: str) -> list[Line]:
    """Return the entries of an account, the latest first."""
    return lines(ask, pages(ask, LEDGER, "entries_of", account=account))


def lines(ask: Ask, entries: Iterable[Mapping[str, Any]]) -> list[Line]:
    """Return entries that were read already, each with its number, as their resident reads them: the latest first."""
    rules: dict[tuple[str, int], Any] = {}
    return [_line(ask, rules, one["number"], one["entry"]) for one in entries][::-1]


def _line(ask: Ask, rules: dict[tuple[str, int], Any], number: int, entry: Mapping[str, Any]) -> Line:
    told = {"number": number, "kind": entry["kind"], "points": entry["delta"], "state": _state(entry)}
    told |= {"at": entry["effective_at"] or entry["recorded_at"], "ends_at": entry["ends_at"], "case": entry["case"]}
    if entry["kind"] not in RULED:
        return Line(**told)
    key = (entry["code"], entry["version"])
    if key not in rules:
        rules[key] = ask(CATALOGUE, "rule", code=key[0], version=key[1])
    rule = rules[key]
    told |= {"behaviour": rule["behaviour"], "basis": rule["basis"], "reference": rule["basis_reference"]}
    until = ask(LEDGER, "closes", number=number) if entry["state"] in ("Notified", "Rejected") else 0
    return Line(**told, rule=f"{key[0]} {key[1]}", object_until=until)


def _state(entry: Mapping[str, Any]) -> str:
    """Return the state of an entry; one whose rejection was upheld is rejected."""
    return "Rejected" if entry["is_rejected"] and entry["state"] in ("Upheld", "Final") else str(entry["state"])


def timeline(ask: Ask, number: int) -> list[Moment]:
    """Return the due process of an entry: notice, objection, review, appeal, effect, end, each with its clock."""
    return moments(ask, number, ask(LEDGER, "entry", number=number))


def moments(ask: Ask, number: int, entry: Mapping[str, Any]) -> list[Moment]:
    """Return the due process of an entry that was read already."""
    office_due = entry["closes_at"] if entry["state"] in ("Recorded", "Verified") else 0
    made = [
        Moment("recorded", entry["recorded_at"], by=entry["by"]),
        Moment("verified", entry["verified_at"], 0 if entry["verified_at"] else office_due, by=entry["verified_by"]),
        Moment("notice", entry["noticed_at"], office_due if entry["verified_at"] else 0),
    ]
    for one in pages(ask, CASES, "all_cases"):
        if one["case"]["entry"] == number:
            made += _moments(one["case"])
    is_told = entry["noticed_at"] or entry["silent_at"]
    due = entry["closes_at"] if is_told and not entry["effective_at"] and not entry["is_rejected"] else 0
    made.append(Moment("effect", entry["effective_at"], due))
    return [*made, Moment("end", due=entry["ends_at"])] if entry["ends_at"] else made


def _moments(case: Mapping[str, Any]) -> Iterator[Moment]:
    yield Moment("repair" if case["kind"] == "repair" else "objection", case["opened_at"])
    is_open = case["state"] in ("Open", "Appealed")
    if case["appealed_at"]:
        yield Moment("appeal", case["appealed_at"])
    yield Moment("decision", 0 if is_open else case["decided_at"], case["deadline"] if is_open else 0, case["reviewer"])
    if case["state"] == "Decided":
        yield Moment("appeal", due=case["appeal_until"])


def queue(ask: Ask, now_ms: int) -> list[Waiting]:
    """Return the cases that wait for a decision, the oldest first."""
    return [
        Waiting(
            number=one["number"],
            entry=one["case"]["entry"],
            kind=one["case"]["kind"],
            state=one["case"]["state"],
            age_days=(now_ms - one["case"]["opened_at"]) // DAY_MS,
            days_left=(one["case"]["deadline"] - now_ms) // DAY_MS,
        )
        for one in pages(ask, CASES, "all_cases")
        if one["case"]["state"] in ("Open", "Appealed")
    ]


def worklist(ask: Ask, now_ms: int) -> list[Task]:
    """Return what is to be done now with entries of who takes part, the oldest first."""
    closed = {one["account"] for one in pages(ask, ACCOUNTS, "all_accounts") if one["known"]["closed_at"]}
    found = (one for one in pages(ask, LEDGER, "all_entries") if one["entry"]["account"] not in closed)
    return [task for one in found for task in _tasks(one["number"], one["entry"], now_ms)]


def _tasks(number: int, entry: Mapping[str, Any], now_ms: int) -> Iterator[Task]:
    match entry["state"]:
        case "Recorded" | "Verified" if now_ms > entry["closes_at"] and entry["severity"]:
            yield Task(number, "lapse", "anybody", entry["closes_at"])
        case "Recorded":
            yield Task(number, "verify", "verifier", entry["recorded_at"], tuple(entry["flags"]))
        case "Verified":
            yield Task(number, "notify", "recorder", entry["verified_at"])
        case "Notified" | "Rejected" | "Upheld" | "Amended" | "Final" if now_ms >= entry["closes_at"]:
            yield Task(number, "settle", "anybody", entry["closes_at"])
        case "Effective" | "RepairRefused" if 0 < entry["ends_at"] <= now_ms:
            yield Task(number, "expire", "anybody", entry["ends_at"])


# --- the audit ---------------------------------------------------------------------------------------------------


def audit(ask: Ask) -> Audit:
    """Measure how a scheme is run, over all that its contracts hold."""
    entries = [one["entry"] for one in pages(ask, LEDGER, "all_entries")]
    ruled = [entry for entry in entries if entry["kind"] in RULED]
    cases = [one["case"] for one in pages(ask, CASES, "all_cases")]
    # Anybody can open accounts: only those that a desk has confirmed are residents, among whom one is hidden.
    accounts = [one for one in pages(ask, ACCOUNTS, "all_accounts") if one["known"]["confirmed_by"]]
    known = [one["known"] for one in accounts]
    told = [entry for entry in ruled if entry["notice"] or entry["silent_at"] or entry["case"]]
    objected = [case for case in cases if case["kind"] != "repair"]
    decided = [case for case in cases if case["outcome"] and case["state"] != "Lapsed"]
    won = [case for case in decided if case["outcome"] != "Upheld"]
    days = [(case["decided_at"] - (case["appealed_at"] or case["opened_at"])) // DAY_MS for case in decided]
    balances = [ask(LEDGER, "balance", account=one["account"]) for one in accounts]
    pool = ask(REDEMPTION, "pool")
    return Audit(
        entries=len(entries),
        accounts=shown(len(known)),
        assisted=shown(sum(one["channel"] == "assisted" for one in known), len(known)),
        withdrawn=shown(sum(one["closed_at"] > 0 for one in known), len(known)),
        objection_permille=_permille(len(objected), len(told), 1),
        overturn_permille=_permille(len(won), len(decided), LEAST_DECIDED),
        lapsed=sum(one["state"] == "Lapsed" or one.get("silent_at", 0) > 0 for one in (*cases, *ruled)),
        median_days=int(median(days)) if days else None,
        is_rubber_stamping=len(decided) >= LEAST_DECIDED and not won,
        evidence_permille=_permille(sum(map(_is_complete, ruled)), len(ruled), 1),
        gini_permille=gini_permille(balances) if len(balances) >= LEAST_SHOWN else None,
        unredeemed_points=sum(balances),
        liability_fen=_liability(ask, sum(balances)),
        pool_left_fen=pool["funded"] - pool["reserved"] - pool["paid"],
        outliers=outliers(ruled),
    )


def shown(count: int, whole: int = 0) -> int | None:
    """Return a number of residents, or None where so few, or so few others of a `whole`, could be recognised."""
    is_few = any(0 < few < LEAST_SHOWN for few in (count, whole - count))
    return None if count and is_few else count


def gini_permille(values: Sequence[int]) -> int:
    """Return the Gini coefficient of some amounts, none negative, in per mille: 0 where all have the same."""
    total, count = sum(values), len(values)
    if not total:
        return 0
    ranked = sum((2 * rank - count - 1) * value for rank, value in enumerate(sorted(values), 1))
    return 1_000 * ranked // (count * total)


def outliers(entries: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, str, int], ...]:
    """Return the pairs of a clerk and an account with far more entries than the usual pair, for somebody to look at."""
    pairs = Counter((entry["by"], entry["account"]) for entry in entries)
    usual = median(pairs.values()) if pairs else 0
    found = ((by, account, count) for (by, account), count in sorted(pairs.items()) if count > OUTLIER_FACTOR * usual)
    return tuple(found) if len(pairs) >= LEAST_SHOWN else ()


def _is_complete(entry: Mapping[str, Any]) -> bool:
    has_decision = bool(entry["decision"]) or not entry["severity"] or not entry["verified_by"]
    return bool(entry["evidence"] or entry["drop"]) and has_decision


def _permille(part: int, whole: int, least: int) -> int | None:
    return 1_000 * part // whole if whole >= least else None


def _liability(ask: Ask, points: int) -> int:
    """Return what all points would cost the pool if they were spent on what is dearest for it."""
    listed = list(pages(ask, REDEMPTION, "listed"))
    return max((points * item["price"] // item["points"] for item in listed), default=0)
