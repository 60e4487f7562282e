"""What the page of contribution points says: names of roles, rules, states and clocks, in the viewer's language.

What stands on the chain, or in a preset, is English; it is listed here so that the catalogues have it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from minichain.views.i18n import _, clock, language, moment, ngettext, number
from minichain.views.parts import State, Stop

SECOND: Final = 1_000
DAY: Final = 86_400_000
AWAITED: Final = ("Recorded", "Verified")  # an office has to do the next step with an entry


def own(record: Any, name: str) -> str:
    """Return a text that a preset, a flag or a pack has in both languages."""
    return str(getattr(record, f"{name}_zh" if language() == "zh" else name))


# --- what is listed for the catalogues ---------------------------------------------------------------------------


def roles() -> tuple[str, ...]:
    """Return the roles of the street that no other page has."""
    return (
        _("Scheme office"),
        _("Committee chair"),
        _("Committee member"),
        _("Registration desk"),
        _("Assisted desk"),
        _("Review office"),
        _("Appeals office"),
        _("Panellist 1"),
        _("Panellist 2"),
        _("Panellist 3"),
        _("Treasury"),
        _("Home help service"),
        _("Street office C"),
        _("Street scale"),
        _("Weights laboratory"),
        _("Accreditation board"),
    )


def said_by_street() -> tuple[str, ...]:
    """Return what the street tells while it opens."""
    return (
        _("The rules go on the ledger, and everybody gets a task."),
        _("Two residents take part, one of them through the desk."),
        _("The street office records, another office verifies, the residents are told."),
        _("The desk objects for a resident, and a reviewer decides."),
    )


def of_scheme() -> tuple[str, ...]:
    """Return what the scheme of the street and its rules say."""
    return (
        _("Thank residents who sort waste or help others, and bring services to their door."),
        _("Ordinance on household waste of the training city, and the agreement of the residents' assembly"),
        _("Residents' appeals office"),
        _("Agreement of the residents' assembly, article 2"),
        _("Agreement of the residents' assembly, article 3"),
        _("Ordinance on household waste of the training city, article 12"),
    )


def written() -> tuple[str, ...]:
    """Return what the offices and residents of the example wrote."""
    return (
        _("I take part of my own will, and may leave at any time."),
        _("Sheet of hours 12, signed by who was helped: one hour at the community kitchen."),
        _("Sheet of hours 13: four hours of reading to a neighbour."),
        _("Sheet of hours 14: one hour of shopping for a neighbour."),
        _("Second finding after a warning: kitchen waste and glass in one bag, bin 4."),
        _("Decision under article 12 of the ordinance: ten points, after a warning on the first finding."),
        _("The sheet says two hours: the clerk misread it. The entry is put right."),
        _("The photograph shows the bag with the account's own label."),
        _("I helped for three hours."),
        _("I helped for two hours."),
        _("Somebody else used my bin at night."),
        _("A neighbour saw who it was."),
        _("Delivery slip 31: nobody was at home to sign for it."),
        _("Delivery slip 32: handed over at the neighbourhood office."),
    )


# --- names -------------------------------------------------------------------------------------------------------


def rule_name(code: str) -> str:
    """Name a rule of the street."""
    names = {
        "kitchen-waste": _("Sorted kitchen waste"),
        "service-hour": _("Help for neighbours"),
        "mixed-waste": _("Unsorted waste, after a warning"),
    }
    return names.get(code, code)


def amount_words(code: str, amount: int) -> str:
    """Say how much of something was done."""
    if code == "kitchen-waste":
        return _("{count} g").format(count=number(amount))
    if code == "service-hour":
        return _("{count} minutes").format(count=number(amount))
    return ""


def use_name(code: str) -> str:
    """Name what points are for."""
    names = {
        "goods": _("goods"),
        "culture": _("culture"),
        "home-help": _("help at home"),
        "service-planning": _("planning of services"),
    }
    return names.get(code, code)


def kind_name(kind: str) -> str:
    """Name a kind of entry that no rule made."""
    return {
        "redemption": _("Redeemed"),
        "gift": _("Given away"),
        "refund": _("Given back"),
        "expiry": _("Expired"),
        "reversal": _("Undone by a second entry"),
    }.get(kind, kind)


def entry_state(state: str) -> tuple[State, str]:
    """Say where an entry stands."""
    known: dict[str, tuple[State, str]] = {
        "Recorded": ("plain", _("recorded")),
        "Rejected": ("warn", _("rejected, you may object")),
        "Dismissed": ("plain", _("rejected, no effect")),
        "Lapsed": ("ok", _("lapsed in the resident's favour")),
        "Verified": ("plain", _("verified")),
        "Notified": ("info", _("you may object")),
        "Objected": ("warn", _("effect suspended")),
        "Appealed": ("warn", _("effect suspended")),
        "Upheld": ("info", _("you may appeal")),
        "Amended": ("info", _("put right")),
        "Withdrawn": ("ok", _("withdrawn, no effect")),
        "Final": ("plain", _("decided")),
        "Effective": ("ok", _("in effect")),
        "RepairRequested": ("warn", _("repair asked for")),
        "RepairRefused": ("plain", _("repair refused")),
        "Repaired": ("ok", _("repaired")),
        "Expired": ("plain", _("ended")),
    }
    return known.get(state, ("plain", state))


def entry_due() -> tuple[State, str]:
    """Say where an entry stands whose time to object is over."""
    return "plain", _("may take effect now")


def grounds() -> dict[str, str]:
    """Say why somebody objects."""
    return {
        "not-me": _("It was not me"),
        "facts": _("It did not happen like that"),
        "amount": _("The amount is wrong"),
        "rule": _("The rule does not fit"),
        "person": _("I could not do otherwise"),
        "other": _("Something else"),
    }


def outcomes(kind: str) -> dict[str, str]:
    """Say how a case may be decided: an objection to an entry, one to its rejection, or a repair."""
    if kind == "rejection":
        return {"Upheld": _("The rejection stands"), "Withdrawn": _("Another office verifies it")}
    if kind == "repair":
        return {"Upheld": _("No repair"), "Withdrawn": _("The entry is repaired")}
    return {
        "Upheld": _("The entry stands"),
        "Amended": _("The entry is put right"),
        "Withdrawn": _("The entry is taken back"),
    }


def case_state(case: Mapping[str, Any]) -> tuple[State, str]:
    """Say where a case stands."""
    known: dict[str, tuple[State, str]] = {
        "Open": ("info", _("waits for a reviewer")),
        "Appealed": ("info", _("waits for the panel")),
        "Lapsed": ("ok", _("lapsed in the resident's favour")),
    }
    done = outcomes(case["kind"]).get(case["outcome"], case["outcome"])
    return known.get(case["state"], ("ok" if case["outcome"] != "Upheld" else "plain", done))


def order_state(state: str) -> tuple[State, str]:
    """Say where an order stands."""
    known: dict[str, tuple[State, str]] = {
        "Requested": ("info", _("asked for")),
        "Reserved": ("info", _("money reserved")),
        "Fulfilled": ("ok", _("handed over")),
        "Cancelled": ("plain", _("cancelled, points given back")),
        "Disputed": ("warn", _("disputed")),
    }
    return known.get(state, ("plain", state))


def order_clock(state: str) -> str:
    """Say what is to be done with an order until when; nothing of one that is cancelled."""
    return {
        "Requested": _("to be answered {until}"),
        "Reserved": _("to be handed over {until}"),
        "Fulfilled": _("you may dispute it {until}"),
        "Disputed": _("a person has to decide {until}"),
    }.get(state, "")


def cause_state(state: str) -> tuple[State, str]:
    """Say how far a cause has come for which points are given."""
    known: dict[str, tuple[State, str]] = {
        "Open": ("info", _("points are asked for")),
        "Reserved": ("info", _("money reserved")),
        "Delivered": ("ok", _("handed over")),
        "Disputed": ("warn", _("disputed")),
        "Returned": ("plain", _("came to nothing")),
    }
    return known.get(state, ("plain", state))


def cause_clock(state: str) -> str:
    """Say what is to be done about a cause until when; nothing of one that came to nothing."""
    return {
        "Open": _("you may give {until}"),
        "Reserved": _("to be handed over {until}"),
        "Delivered": _("whoever gave may dispute it {until}"),
        "Disputed": _("a person has to decide {until}"),
    }.get(state, "")


def gift_state(state: str, cause: str) -> tuple[State, str]:
    """Say what became of a gift, whose cause is in some state."""
    if state == "Returned":
        return "plain", _("came back to you")
    known: dict[str, tuple[State, str]] = {
        "Open": ("info", _("you may take it back")),
        "Reserved": ("info", _("is being bought with it")),
        "Delivered": ("ok", _("somebody has it now")),
        "Disputed": ("warn", _("disputed")),
        "Returned": ("warn", _("waits to be taken back")),
    }
    return known.get(cause, ("plain", state))


def service_name(code: str) -> str:
    """Name a service that comes to the door."""
    return {
        "window-cleaning": _("Windows cleaned"),
        "bag-carrying": _("Heavy bags carried upstairs"),
        "hot-meals": _("A hot meal at noon"),
    }.get(code, code)


def offer_state(state: str, *, is_over: bool) -> tuple[State, str]:
    """Say where an offer of a service stands."""
    if state == "Offered" and is_over:
        return "plain", _("ended")
    known: dict[str, tuple[State, str]] = {
        "Offered": ("info", _("waits for your answer")),
        "Accepted": ("ok", _("accepted")),
        "Declined": ("plain", _("declined")),
        "Delivered": ("ok", _("came to the door")),
    }
    return known.get(state, ("plain", state))


def group_name(name: str) -> str:
    """Name a group of synthetic residents."""
    return {
        "elderly": _("Older people"),
        "disabled": _("People with disabilities"),
        "migrant": _("Migrants"),
        "seasonal": _("Seasonal workers"),
        "others": _("All others"),
    }.get(name, name)


def practice_name(where: str) -> str:
    """Name where in a scheme something is wrong: a practice, a field, or the code of a rule."""
    return {
        "scheme": _("the scheme"),
        "objection_days": _("the time to object"),
        "quiet_days": _("what counts while the ledger stands still"),
        "appeal_body": _("who decides on an appeal"),
        "retention_days": _("how long things are kept"),
        "rules_begin_before_adoption": _("when rules begin"),
        "named_ranking": _("the ranking"),
        "names_on_chain": _("names on the chain"),
        "feeds_credit_record": _("the credit record"),
        "consent": _("consent"),
        "may_leave": _("leaving"),
        "guardians": _("guardians"),
        "assisted_desk": _("the assisted desk"),
    }.get(where, where)


# --- clocks ------------------------------------------------------------------------------------------------------


def days(ms: int, day_ms: int) -> str:
    """Say how long something lasts, in days of the street."""
    count = max(0, ms) // day_ms
    return ngettext("{count} day", "{count} days", count).format(count=number(count)) if count else _("less than a day")


def day_lasts(day_ms: int) -> str:
    """Say how long a day of the street lasts."""
    told = _("A day of these clocks lasts {seconds} seconds in this street, so that you can watch it pass.")
    return told.format(seconds=number(day_ms // SECOND))


def until(time_ms: int, now_ms: int, day_ms: int) -> str:
    """Say until when something is possible, and how much time is left."""
    if time_ms <= now_ms:
        return _("the time is over since {time}").format(time=when(time_ms, now_ms))
    return _("until {time}, {left} left").format(time=when(time_ms, now_ms), left=days(time_ms - now_ms, day_ms))


def when(time_ms: int, now_ms: int) -> str:
    """Write a time: of today as on a clock, otherwise with its date."""
    return clock(time_ms) if abs(time_ms - now_ms) < DAY else moment(time_ms)


def moment_name(name: str) -> str:
    """Name one step of due process."""
    return {
        "recorded": _("Recorded"),
        "verified": _("Verified by another office"),
        "notice": _("Notice with reasons"),
        "objection": _("Objection"),
        "repair": _("Repair asked for"),
        "decision": _("Human review"),
        "appeal": _("Appeal"),
        "effect": _("Takes effect"),
        "end": _("Ends by itself"),
    }.get(name, name)


def stops(opened: Mapping[str, Any], now_ms: int, day_ms: int) -> list[Stop]:
    """Lay out the due process of an entry, each step with its clock; what an objection would bring stands in it too."""
    made, entry = [], opened["entry"]
    for one in opened["moments"]:
        if one.name == "effect":
            made += _open_ways(opened, now_ms, day_ms)
        if one.name != "verified" or one.at or not entry["is_rejected"]:
            made.append(_stop(one, opened, now_ms, day_ms))
    return made


def _open_ways(opened: Mapping[str, Any], now_ms: int, day_ms: int) -> list[Stop]:
    """Say that an objection is open to the resident, and what follows it."""
    if opened["entry"]["state"] not in ("Notified", "Rejected") or opened["is_over"]:
        return []
    clock_ = until(opened["closes"], now_ms, day_ms)
    objection = Stop(moment_name("objection"), "clock", "info", _("the clock runs"), remark=clock_)
    review = Stop(moment_name("decision"), "dot", "plain", _("to come"), remark=_("only if you object"))
    return [objection, review]


def _stop(one: Any, opened: Mapping[str, Any], now_ms: int, day_ms: int) -> Stop:
    entry = opened["entry"]
    name = _("Rejection with reasons") if one.name == "notice" and entry["is_rejected"] else moment_name(one.name)
    if one.at:
        return Stop(name, "check", "ok", _("done"), when=when(one.at, now_ms))
    if one.name == "effect":
        return _effect(entry, opened["effect"] if one.due or entry["is_rejected"] else 0, now_ms, day_ms)
    if one.name == "end":  # in calendar months, which are nobody's to shorten
        return Stop(name, "dot", "plain", _("to come"), when=when(one.due, now_ms))
    if one.due:
        is_late: tuple[str, State, str] = ("warn", "warn", _("overdue"))
        runs: tuple[str, State, str] = ("clock", "info", _("the clock runs"))
        return Stop(name, *(is_late if one.due <= now_ms else runs), remark=until(one.due, now_ms, day_ms))
    return Stop(name, "dot", "plain", _("to come"))


def _effect(entry: Mapping[str, Any], due: int, now_ms: int, day_ms: int) -> Stop:
    state = entry["state"]
    name = _("The rejection counts") if entry["is_rejected"] else moment_name("effect")
    if state in ("Objected", "Appealed"):
        return Stop(name, "warn", "warn", _("effect suspended"), remark=_("until a person has decided"))
    if state in ("Withdrawn", "Lapsed"):
        return Stop(name, "dot", "plain", _("never"))
    if state == "Dismissed":
        return Stop(name, "check", "ok", _("done"))
    if not due:
        return Stop(name, "dot", "plain", _("to come"))
    if due <= now_ms:
        return Stop(name, "clock", "info", _("may take effect now"))
    remark = _("in {left}, if nobody objects").format(left=days(due - now_ms, day_ms))
    return Stop(name, "clock", "plain", _("to come"), remark=remark)
