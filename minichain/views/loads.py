"""What the manifests of a waste ledger mean, read from what its contract shows and from nothing else.

A manifest is a plain mapping, as the view `manifest` of the contract returns it. The contract alone decides what is
allowed; `next_step` only says whom everybody is waiting for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, NamedTuple

from minichain.views.i18n import _, listed, moment, number
from minichain.views.parts import State, Stop
from minichain.views.pictures import Flow
from minichain.views.telling import Names, name_of

Manifest = Mapping[str, Any]

GRAMS: Final = {"K": (1_000, 1), "M": (1_000_000, 1), "P": (45_359_237, 100_000), "T": (90_718_474, 100)}  # exact
LITRES: Final = {"L": (1, 1), "N": (1_000, 1), "G": (3_785_411_784, 1_000_000_000), "Y": (764_554_857_984, 10**9)}
COMPLETE: Final = ("Signed", "Corrected", "Treated", "Disposed")
PRIVATE: Final = "Explained in the private part of the document."  # what the stories write
WITH_COMMENT: Final = ("report", "reconcile", "reject_on_site", "report_incident")


# --- words -------------------------------------------------------------------------------------------------------


def state_of(manifest: Manifest) -> tuple[State, str]:
    """Say how far a load has come."""
    words: dict[str, tuple[State, str]] = {
        "Pending": ("plain", _("being prepared")),
        "Scheduled": ("plain", _("ready for pickup")),
        "InTransit": ("info", _("on the way")),
        "Received": ("info", _("arrived")),
        "ReadyForSignature": ("info", _("to be signed")),
        "Signed": ("ok", _("complete")),
        "Corrected": ("ok", _("complete, corrected")),
        "UnderCorrection": ("warn", _("under correction")),
        "Treated": ("ok", _("treated")),
        "Disposed": ("ok", _("disposed of")),
        "Cancelled": ("plain", _("cancelled")),
        "ReturnedToGenerator": ("warn", _("went back")),
    }
    return words.get(manifest["state"], ("plain", manifest["state"]))


def unit_name(unit: str) -> str:
    """Name a unit by its letter in a manifest; one that no manifest has stays a letter."""
    weights = {"K": _("kg"), "M": _("t"), "P": _("lb"), "T": _("short tons")}
    return (weights | {"L": _("L"), "N": _("m³"), "G": _("gal"), "Y": _("yd³")}).get(unit, unit)


def amount(quantity: int, unit: str) -> str:
    """Write a quantity with its unit."""
    return f"{number(quantity)} {unit_name(unit)}"


def remark(comment: str) -> str:
    """Write what somebody wrote, word for word; only the remark of the example day is put into other words."""
    return _(comment) if comment == PRIVATE else comment


def what(manifest: Manifest) -> str:
    """Describe a load in a few words."""
    first, *rest = manifest["lines"] or [{"description": "", "quantity": 0, "unit": "K"}]
    more = f" +{len(rest)}" if rest else ""
    description = first["description"]
    return f"{_(description)} · {amount(first['quantity'], first['unit'])}{more}"


# --- who is waited for -------------------------------------------------------------------------------------------


class Step(NamedTuple):
    """What comes next on a manifest, and whose turn it is (a did)."""

    act: str
    did: str


def next_step(manifest: Manifest) -> Step | None:
    """Say whom everybody is waiting for; None if nobody has to do anything."""
    destination = manifest["destination"]
    waiting = {
        "Pending": Step("schedule", manifest["preparer"]),
        "Scheduled": _hand_over(manifest),
        "InTransit": _hand_over(manifest),
        "Received": Step("report", destination),
        "ReadyForSignature": Step("sign", destination),
    }
    if open_discrepancies(manifest):
        waiting.setdefault(manifest["state"], Step("reconcile", manifest["generator"]))
    return waiting.get(manifest["state"])


def _hand_over(manifest: Manifest) -> Step:
    legs, position = manifest["transporters"], manifest["position"]
    if not manifest["offered"]:
        return Step("hand_over", manifest["custodian"])
    return Step("take_over", legs[position]) if position < len(legs) else Step("receive", manifest["destination"])


def open_discrepancies(manifest: Manifest) -> list[Mapping[str, Any]]:
    """List the discrepancies that nobody has answered."""
    return [entry for entry in manifest["discrepancies"] if entry["open"]]


def act_names() -> dict[str, str]:
    """Return what a person may do with a load, in the order of its way."""
    return {
        "schedule": _("declare it ready for pickup"),
        "hand_over": _("hand it over"),
        "take_over": _("sign for it as transporter"),
        "receive": _("confirm that it arrived"),
        "report": _("report what arrived"),
        "sign": _("sign the complete manifest"),
        "reconcile": _("answer a discrepancy"),
        "reject_on_site": _("reject the load"),
        "report_incident": _("report an incident"),
    }


def arguments(act: str, manifest: Manifest, received: Sequence[int], comment: str) -> dict[str, Any]:
    """Return what an act says: the amounts that arrived, line by line, and a comment, as far as it asks for them."""
    first = next(iter(open_discrepancies(manifest)), {"line": 1, "kind": "quantity"})
    said: dict[str, dict[str, Any]] = {
        "report": {"lines": [_report(*pair, comment) for pair in zip(manifest["lines"], received, strict=True)]},
        "reject_on_site": {"back_to_generator": True, "comment": comment},
        "reconcile": {"line": first["line"], "kind": first["kind"], "answer": comment},
        "report_incident": {"kind": "other", "comment": comment},
    }
    return {"number": manifest["number"], **said.get(act, {})}


def _report(line: Mapping[str, Any], received: int, comment: str) -> dict[str, Any]:
    same = {name: line[name] for name in ("line", "unit", "density", "containers", "method")}
    return {
        **same,
        "received": received,
        "accepted": received,
        "comment": comment if received != line["quantity"] else "",
    }


# --- from hand to hand -------------------------------------------------------------------------------------------


def stops(manifest: Manifest, names: Names) -> list[Stop]:
    """Follow a load: everybody who had it or should have it, with what they signed."""
    signed = {(entry["role"], entry["order"]): entry["at"] for entry in manifest["signatures"]}
    lines = manifest["lines"]
    sent = listed(amount(line["quantity"], line["unit"]) for line in lines[:2])
    found = [_stop(manifest, manifest["offeror"], "bin", signed.get(("generator", 0)), 0, names, sent)]
    for order, did in enumerate(manifest["transporters"], 1):
        found.append(_stop(manifest, did, "truck", signed.get(("transporter", order)), order, names))
    for past in manifest["rejections"]:
        who, at = name_of(past["by"], names), moment(past["at"])
        found.append(Stop(who, "plant", "bad", _("rejected the load"), at, "", remark(past["comment"])))
    return [*found, _arrival(manifest, names, len(manifest["transporters"]) + 1)]


def _stop(manifest: Manifest, did: str, icon: str, at: int | None, place: int, names: Names, facts: str = "") -> Stop:
    signed: tuple[State, str] = ("ok", _("signed"))
    state, word = signed if at else _unsigned(manifest, place)
    return Stop(name_of(did, names), icon, state, word, moment(at) if at else "", facts)


def _unsigned(manifest: Manifest, place: int) -> tuple[State, str]:
    if manifest["offered"] and manifest["position"] + 1 == place:
        return "bad", _("signature missing")
    return "plain", _("not yet")


def _arrival(manifest: Manifest, names: Names, place: int) -> Stop:
    times, lines = manifest["times"], manifest["lines"]
    who, icon = name_of(manifest["destination"], names), "plant"
    if "received" not in times:
        state, word = _unsigned(manifest, place)
        return Stop(who, icon, state, word)
    at = moment(times.get("signed", times["received"]))
    if "reported" not in times:
        return Stop(who, icon, "info", _("arrived, not weighed"), at)
    came = listed(amount(line["received"], line["unit"]) for line in lines[:2])
    remarks = "; ".join(remark(line["comment"]) for line in lines if line["comment"])
    if open_discrepancies(manifest):
        return Stop(who, icon, "warn", _("differs"), at, came, remarks)
    return Stop(who, icon, "ok", _("signed") if "signed" in times else _("weighed"), at, came, remarks)


# --- what needs attention ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Alert:
    """Something on a manifest that somebody should look at."""

    state: State
    number: str
    words: str


def alerts(manifest: Manifest, names: Names) -> list[Alert]:
    """List what is late, missing or different on a manifest, worst first."""
    found = [Alert("bad", manifest["number"], _late(entry)) for entry in manifest["late"]]
    step = next_step(manifest)
    if manifest["offered"] and step:
        who, since = name_of(step.did, names), moment(manifest["offered"])
        words = _("Handed over at {since}, and never confirmed by {who}.").format(since=since, who=who)
        found.append(Alert("bad", manifest["number"], words))
    found += [Alert("warn", manifest["number"], _difference(manifest, entry)) for entry in open_discrepancies(manifest)]
    for entry in manifest["rejections"]:
        who, why = name_of(entry["by"], names), remark(entry["comment"])
        words = _("{who} rejected the load: {reason}").format(who=who, reason=why)
        found.append(Alert("warn", manifest["number"], words))
    for by, reason in corrected_alone(manifest):
        words = _("{who} alone corrected what was signed: {reason} The earlier version is kept.")
        found.append(Alert("warn", manifest["number"], words.format(who=name_of(by, names), reason=reason)))
    for entry in manifest["incidents"]:
        who = name_of(entry["by"], names)
        words = _("{who} reported an incident: {reason}").format(who=who, reason=remark(entry["comment"]))
        found.append(Alert("info", manifest["number"], words))
    return found


def corrected_alone(manifest: Manifest) -> list[tuple[str, str]]:
    """List (who, why) of corrections that one party both proposed and signed, as EPA's rules allow.

    A difference that nobody else has looked at can go away like that.
    """
    acts = [entry for entry in manifest["log"] if entry["act"].startswith("correction")]
    return [
        (signed["by"], signed["note"])
        for proposed, signed in pairwise(acts)
        if signed["act"] == "correction signed" and signed["by"] == proposed["by"]
    ]


def _late(entry: Mapping[str, Any]) -> str:
    words, clock = _("{what}: due {due}, {days} days ago."), entry["id"]
    return words.format(what=_(clock).capitalize(), due=moment(entry["due"]), days=number(entry["days"]))


def _difference(manifest: Manifest, entry: Mapping[str, Any]) -> str:
    line = manifest["lines"][entry["line"] - 1]
    if entry["kind"] == "quantity":
        sent, came = (amount(line[name], line["unit"]) for name in ("quantity", "received"))
        return _("{sent} were sent and {came} arrived; nobody has answered.").format(sent=sent, came=came)
    if entry["kind"] == "pieces":
        sent, came = number(line["containers"]), number(line["received_containers"])
        return _("{sent} containers were sent and {came} arrived; nobody has answered.").format(sent=sent, came=came)
    return _("What arrived is not what was described; nobody has answered.")


# --- where the mass went -----------------------------------------------------------------------------------------


def mass_kg(line: Mapping[str, Any], quantity: int) -> int | None:
    """Return a quantity of a line in whole kilograms; None for a volume without a density."""
    times, by = GRAMS.get(line["unit"]) or LITRES[line["unit"]]
    if line["unit"] in LITRES:
        times *= line["density"]
    return (quantity * times // by + 500) // 1_000 if times else None


def mass_reported(manifests: Sequence[Manifest]) -> tuple[int, int]:
    """Return the kilograms that were sent and that arrived, over all loads on which the destination has reported."""
    sent = came = 0
    for manifest in manifests:
        for line in manifest["lines"] if "reported" in manifest["times"] else ():
            sent += mass_kg(line, line["quantity"]) or 0
            came += mass_kg(line, line["received"]) or 0
    return sent, came


def mass_flows(manifests: Sequence[Manifest], names: Names) -> tuple[list[Flow], int]:
    """Return how the mass of all loads went from place to place, and how many lines could not be weighed."""
    sums: Counter[tuple[str, str, State]] = Counter()
    unweighed = 0
    for manifest in manifests:
        if manifest["state"] == "Cancelled":
            continue
        for line in manifest["lines"]:
            if mass_kg(line, line["quantity"]) is None:
                unweighed += 1
            else:
                _add(sums, manifest, line, names)
    return [_flow(*key, mass) for key, mass in sums.items() if mass > 0], unweighed


def _add(sums: Counter[tuple[str, str, State]], manifest: Manifest, line: Mapping[str, Any], names: Names) -> None:
    """Add the way of one line: along the parties that had it, then into what became of it."""
    sent = mass_kg(line, line["quantity"]) or 0
    legs = [name_of(did, names) for did in manifest["transporters"]]
    position = min(manifest["position"], len(legs))
    places = [name_of(manifest["offeror"], names), *legs[:position]]
    for source, target in pairwise(places):
        sums[source, target, "plain"] += sent
    if manifest["state"] == "ReturnedToGenerator":
        sums[places[-1], _("went back"), "warn"] += sent
    elif "reported" in manifest["times"]:
        _add_arrival(sums, places[-1], name_of(manifest["destination"], names), line, sent)
    elif "received" in manifest["times"]:
        sums[places[-1], name_of(manifest["destination"], names), "info"] += sent
    else:
        sums[places[-1], _("on the way") if position else _("not picked up"), "info"] += sent


def _add_arrival(
    sums: Counter[tuple[str, str, State]], last: str, facility: str, line: Mapping[str, Any], sent: int
) -> None:
    came = mass_kg(line, line["received"]) or 0
    sums[last, facility, "ok"] += min(came, sent)
    sums[last, _("did not arrive"), "bad"] += max(0, sent - came)
    ends: list[tuple[str, str, State]] = [
        ("accepted", _("accepted"), "ok"),
        ("rejected", _("rejected"), "warn"),
        ("residue", _("left in containers"), "warn"),
        ("loss", _("lost, with a reason"), "warn"),
    ]
    for name, words, state in ends:
        sums[facility, words, state] += mass_kg(line, line[name]) or 0


def _flow(source: str, target: str, state: State, mass: int) -> Flow:
    word = _("{mass} kg missing").format(mass=number(mass)) if state == "bad" else ""
    return Flow(source, target, mass, state, word)
