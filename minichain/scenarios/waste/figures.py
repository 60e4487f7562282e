"""What a dashboard shows of waste, as plain rows made from the views of the contract. Pure; drawing is done elsewhere.

`names` maps DIDs to the words shown for them. States are ok, warn, bad, info or plain, as in the parts of a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

Names = Mapping[str, str]

DONE: Final = ("Signed", "Corrected", "Treated", "Disposed", "ReturnedToGenerator", "Cancelled")


class Moment(NamedTuple):
    """One entry of a manifest's log."""

    at_ms: int
    who: str
    act: str
    note: str


class Stop(NamedTuple):
    """One place on the way of a load. `signed_ms` is 0 until it has signed."""

    role: str
    who: str
    signed_ms: int
    state: str
    word: str


class Flow(NamedTuple):
    """An amount that went from one place to another: the fields of `views.pictures.Flow`, in their order."""

    source: str
    target: str
    amount: int
    state: str = "plain"
    word: str = ""


class Late(NamedTuple):
    """One clock that has run out, of one manifest."""

    number: str
    what: str
    duty: str
    holder: str
    since_ms: int
    due_ms: int
    days_over: int
    source: str


def _name(did: str, names: Names) -> str:
    return names.get(did, did[:16] + "…" if len(did) > 17 else did)


def timeline(manifest: Mapping[str, Any], names: Names) -> list[Moment]:
    """List what happened to a manifest, in order; from the view `manifest`."""
    return [Moment(e["at"], _name(e["by"], names), e["act"], e["note"]) for e in manifest["log"]]


def route(manifest: Mapping[str, Any], names: Names) -> list[Stop]:
    """List the places on the way of a load and how far it has come; from the view `manifest`."""
    signed = {(entry["role"], entry["order"]): entry["at"] for entry in manifest["signatures"]}
    places = [("generator", manifest["offeror"], signed.get(("generator", 0), 0))]
    for order, did in enumerate(manifest["transporters"], 1):
        places.append((f"transporter {order}", did, signed.get(("transporter", order), 0)))
    for order, rejection in enumerate(manifest["rejections"], 1):
        places.append(("rejecting facility", rejection["by"], signed.get(("rejecting facility", order), 0)))
    last = signed.get(("facility", 0), 0) or signed.get(("generator", 1), 0)
    places.append(("destination", manifest["destination"], last))
    return [Stop(role, _name(did, names), at, *_standing(role, did, at, manifest)) for role, did, at in places]


def _standing(role: str, did: str, signed_ms: int, manifest: Mapping[str, Any]) -> tuple[str, str]:
    """Say in a state and a word how a place stands."""
    if role == "rejecting facility":
        return "bad", "rejected the load"
    if did == manifest["custodian"] and manifest["state"] not in DONE:
        return "info", "handed over, not confirmed" if manifest["offered"] else "has the load"
    return ("ok", "signed") if signed_ms else ("plain", "to come")


def mass_flow(balance: Iterable[Mapping[str, Any]]) -> dict[str, list[Flow]]:
    """Show where the quantity went, by unit, as flows without a circle; from the view `balance` of any manifests."""
    totals: dict[str, dict[str, int]] = {}
    for row in balance:
        total = totals.setdefault(row["unit"], dict.fromkeys(("shipped", "received", *_PARTS, "missing", "excess"), 0))
        for name in ("shipped", "received", *_PARTS):
            total[name] += row[name]
        if row["received"]:
            total["missing"] += max(row["difference"], 0)
            total["excess"] += max(-row["difference"], 0)
    return {unit: _flows(total) for unit, total in totals.items()}


_PARTS: Final = ("accepted", "rejected", "residue", "loss")
_LOOKS: Final[Mapping[str, tuple[str, str]]] = {
    "accepted": ("ok", ""),
    "rejected": ("bad", "rejected"),
    "residue": ("warn", "residue"),
    "loss": ("warn", "explained loss"),
}


def _flows(total: Mapping[str, int]) -> list[Flow]:
    on_the_way = total["shipped"] + total["excess"] - total["missing"] - total["received"]
    flows = [
        Flow("Shipped", "Received", total["received"] - total["excess"]),
        Flow("Shipped", "On the way", on_the_way, "info"),
        Flow("Shipped", "Did not arrive", total["missing"], "bad", "missing"),
        Flow("In excess", "Received", total["excess"], "warn", "more than shipped"),
        *(Flow("Received", part.capitalize(), total[part], *_LOOKS[part]) for part in _PARTS),
    ]
    return [flow for flow in flows if flow.amount > 0]


def exceptions(alarms: Mapping[str, Any], names: Names) -> list[Late]:
    """List what is overdue, the longest overdue first; from the view `alarms`."""
    rows = [
        Late(
            a["number"], a["id"], a["duty"], _name(a["custodian"], names), a["since"], a["due"], a["days"], a["source"]
        )
        for a in alarms["alarms"]
    ]
    return sorted(rows, key=lambda row: (row.due_ms, row.number, row.what))


def key_figures(summaries: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Count manifests: all, on the way, complete, overdue, with a discrepancy, rejected; from `manifests_for`."""
    return {
        "manifests": len(summaries),
        "on the way": sum(row["state"] in ("InTransit", "Received", "ReadyForSignature") for row in summaries),
        "complete": sum(row["state"] in DONE for row in summaries),
        "overdue": sum(bool(row["late"]) for row in summaries),
        "discrepancies": sum(bool(row["discrepancies"]) for row in summaries),
        "rejected": sum(bool(row["outcome"]) and row["outcome"] != "Cancelled" for row in summaries),
    }


def trace(manifests: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str, int, str]]:
    """List which manifest continues which: parent, child, quantity and part; `manifests` by number."""
    return [
        (origin["manifest"], number, origin["quantity"], origin["part"])
        for number, manifest in manifests.items()
        for line in manifest["lines"]
        for origin in line["origins"]
    ]
