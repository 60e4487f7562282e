"""What an alliance votes on and by which rules, in words: clauses and effects are told from data, never from a name.

Names that stand on the chain in English are listed here, so that the catalogues have them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from minichain.views.alliance_voting_model import Proposal
from minichain.views.i18n import _, clock, in_percent, language, listed, number
from minichain.views.parts import State, own_words

Clause = Mapping[str, Any]
NOTHING = "\N{EN DASH}"


# --- names -------------------------------------------------------------------------------------------------------


def on_the_chain() -> tuple[str, ...]:
    """Return what the example council writes on the chain."""
    return (
        _("Environment bureau"),
        _("Street office A"),
        _("Street office B"),
        _("Street office C"),
        _("Incineration plant"),
        _("Transfer station"),
        _("Composting plant"),
        _("Recycling company"),
        _("Auditor"),
        _("University"),
        _("Notary office"),
        _("new member"),
        _("collection fee, yuan per tonne"),
        _("days to object"),
        _("weighing tolerance, per cent"),
        _("Lower the collection fee"),
        _("The new sorting line takes a quarter less time for each tonne."),
    )


def told_by_council() -> tuple[str, ...]:
    """Return what the council tells while it is founded."""
    return (
        _("The rules of the vote go on the ledger."),
        _("What the members have agreed on goes on the ledger, and the vote alone may change it."),
        _("A street office proposes to lower the collection fee, and two members vote."),
    )


def choices() -> dict[str, str]:
    """Name what a ballot may say."""
    return {
        "yes": _("in favour"),
        "no": _("against"),
        "abstain": _("abstaining"),
        "veto": _("veto"),
        "": _("no vote"),
        "not yet": _("not voted yet"),
        "recused": _("stepped aside"),
    }


def rule_names() -> dict[str, str]:
    """Name the rule packs."""
    return {
        "council": _("This council: two thirds of all weight"),
        "fisco": _("FISCO BCOS committee"),
        "fisco_safe": _("FISCO BCOS, gaps closed"),
        "oz": _("OpenZeppelin Governor"),
        "aragon": _("Aragon token voting"),
        "cosmos": _("Cosmos Hub"),
        "eu_qmv": _("Council of the European Union"),
        "unsc": _("United Nations Security Council"),
        "consensus": _("Consensus: nobody objects"),
        "one_org_one_vote": _("One member, one vote"),
        "two_chamber": _("Two chambers"),
        "optimistic": _("Passes unless vetoed"),
        "supermajority": _("More than two thirds"),
    }


def rule_name(name: str) -> str:
    """Name a rule pack; one that came later goes by its own name."""
    return rule_names().get(name, name)


def rule_text(pack: Mapping[str, Any]) -> str:
    """Return what a rule pack says of itself in the viewer's language."""
    return str(pack["zh"] if language() == "zh" else pack["en"])


def statuses() -> dict[str, tuple[State, str]]:
    """Name the states of a proposal."""
    return {
        "Draft": ("info", _("looking for support")),
        "Pending": ("info", _("not begun")),
        "Active": ("info", _("being voted on")),
        "Extended": ("info", _("being voted on, extended")),
        "Succeeded": ("ok", _("passed")),
        "Queued": ("ok", _("passed, waiting")),
        "Executed": ("ok", _("carried out")),
        "Defeated": ("bad", _("defeated")),
        "Cancelled": ("plain", _("withdrawn")),
        "Expired": ("warn", _("lapsed")),
        "ExecutionFailed": ("warn", _("could not be carried out")),
    }


def whys() -> dict[str, str]:
    """Say why a proposal was defeated."""
    return {
        "no_quorum": _("too few took part"),
        "no_majority": _("too few in favour"),
        "vetoed": _("it was stopped"),
    }


def why(text: str) -> str:
    """Say why a proposal is where it is; what a contract said stays as it is."""
    return whys().get(text, text)


def seats() -> dict[str, str]:
    """Name the kinds of seats."""
    return {"regulators": _("regulators"), "operators": _("operators"), "permanent": _("permanent members"), "": ""}


# --- clauses -----------------------------------------------------------------------------------------------------


def share(pair: Sequence[int]) -> str:
    """Write a share as people do: in per cent where that is exact, else as a fraction."""
    part, whole = pair
    tenths, is_exact = 1_000 * part // whole, 1_000 * part % whole == 0
    whole_part, tenth = divmod(tenths, 10)
    return in_percent(f"{whole_part}.{tenth}".removesuffix(".0")) if is_exact else f"{part}/{whole}"


def _kinds(kinds: Sequence[str]) -> str:
    """Name some kinds of votes together."""
    *some, last = [choices()[one] for one in kinds]
    return _("{some} and {last}").format(some=listed(some), last=last) if some else last


def _votes(kinds: Sequence[str]) -> str:
    """Name votes of some kinds, of which there is one at least."""
    if {"yes", "no", "abstain"} <= set(kinds):
        return _("all votes")
    return _("votes {kinds}").format(kinds=_kinds(kinds))


def _whole(clause: Clause) -> str:
    measure, seat = clause["measure"], clause["seat"]
    all_of = {
        "weight": _("the weight of all who may vote"),
        "members": _("all members"),
        "population": _("the population of all members"),
    }
    of_votes = {
        "weight": _("the weight of {votes}"),
        "members": _("the members with {votes}"),
        "population": _("the population of {votes}"),
    }
    match clause["whole"]:
        case []:
            told = all_of[measure]
        case found:
            told = of_votes[measure].format(votes=_votes(found))
    return _("{whole} ({seat} only)").format(whole=told, seat=seats().get(seat, seat)) if seat else told


def clause_words(clause: Clause) -> str:
    """Say in one sentence what a clause asks."""
    whole, parts = _whole(clause), _votes(clause["part"])
    if clause["kind"] == "veto":
        parts = _kinds(clause["part"])
    if clause["share"][0] == 0:
        return _("A single “{parts}” among {whole} stops it.").format(parts=parts, whole=whole)
    least = _("at least") if clause["comparator"] == ">=" else _("more than")
    facts = {"parts": parts, "least": least, "share": share(clause["share"]), "whole": whole}
    if clause["kind"] == "veto":
        return _("It is stopped if “{parts}” has {least} {share} of {whole}.").format(**facts)
    words = {
        "quorum": _("To count at all, {parts} must have {least} {share} of {whole}."),
        "majority": _("To pass, {parts} must have {least} {share} of {whole}."),
    }
    told = words.get(clause["kind"], words["majority"]).format(**facts)
    if clause["blockers"]:
        few = _("Fewer than {count} members cannot stop it by this clause.")
        told = f"{told} {few.format(count=number(clause['blockers']))}"
    return told


def found(clause: Clause, row: Mapping[str, Any]) -> str:
    """Say what a clause found: so much of so much."""
    facts = {"parts": _votes(clause["part"]), "part": number(row["part"]), "whole": number(row["whole"])}
    return _("Found: {parts} {part} of {whole}.").format(**facts)


def needed(row: Mapping[str, Any]) -> str:
    """Say how much is still missing for a clause, or that it holds."""
    unit = {"weight": _("weight"), "members": _("members"), "population": _("population, thousands")}
    facts = {"missing": number(row["missing"]), "whole": number(row["whole"]), "unit": unit[row["clause"]["measure"]]}
    if row["kind"] == "veto":
        if row["holds"]:
            return _("It is stopped.")
        if row["missing"] < 0:
            return _("Nobody can stop it by this clause any more.")
        of_all, of_votes = (
            _("{missing} of {whole} ({unit}) more would stop it."),
            _("{missing} ({unit}) more would stop it."),
        )
    else:
        if row["holds"]:
            return _("Reached.")
        if row["missing"] < 0:
            return _("Out of reach with the votes that are left.")
        of_all, of_votes = _("{missing} of {whole} ({unit}) still needed."), _("{missing} ({unit}) still needed.")
    # A share of votes has no fixed whole: each vote that comes adds to it.
    return (of_votes if row["clause"]["whole"] else of_all).format(**facts)


# --- what a decision does ----------------------------------------------------------------------------------------


def effects(calls: Sequence[Mapping[str, Any]], rows: Any, terms: Mapping[str, int]) -> list[str]:
    """Say what calls would do, seen from the members `rows` and the terms as they were."""
    return [words for call in calls for words in _effect(call, rows, terms)]


def _effect(call: Mapping[str, Any], rows: Any, terms: Mapping[str, int]) -> Iterator[str]:
    match call:
        case {"action": "set_term", "arguments": {"name": str(name), "figure": int(figure)}}:
            before = terms.get(name)
            facts = {"term": _(name), "after": number(figure), "before": "" if before is None else number(before)}
            if before is None:
                yield _("Sets “{term}” to {after}.").format(**facts)
            elif before == figure:
                yield _("Leaves “{term}” as it is, at {after}.").format(**facts)
            else:
                words = _("Raises “{term}” from {before} to {after}.")
                yield (words if figure > before else _("Lowers “{term}” from {before} to {after}.")).format(**facts)
        case {"contract": "ledger", "action": "freeze"}:
            yield _("Freezes the terms: nobody can change one until another decision ends the freeze.")
        case {"contract": "ledger", "action": "unfreeze"}:
            yield _("Ends the freeze of the terms.")
        case {"action": "set_members", "arguments": {"members": list(members)}}:
            yield from _of_members(rows, members)
        case {"action": "set_pack", "arguments": {"pack": dict(pack)}}:
            words = _("From then on decisions are made by other rules, “{name}”: {text}")
            yield words.format(name=rule_name(pack["name"]), text=rule_text(pack))
        case {"action": "set_guardian", "arguments": {"guardian": str(guardian)}}:
            told = _("From then on {who} may stop what is not carried out yet.")
            yield told.format(who=guardian) if guardian else _("From then on nobody watches what is carried out.")
        case {"contract": str(contract), "action": str(action)}:
            yield _("Asks {contract} for “{action}”.").format(contract=contract, action=action)


def _of_members(rows: Any, members: Any) -> Iterator[str]:
    before, after = ({row[0]: row[2] for row in some} for some in (rows, members))
    whole = sum(after.values())
    for name in sorted({*before, *after}):
        facts = {"name": _(name), "before": before.get(name, 0), "after": after.get(name, 0), "whole": whole}
        if name not in before:
            yield _("Admits {name} as a member, with a weight of {after} in {whole}.").format(**facts)
        elif name not in after:
            yield _("Removes {name}, which has a weight of {before}; {whole} are left.").format(**facts)
        elif facts["before"] != facts["after"]:
            yield _("Changes the weight of {name} from {before} to {after}.").format(**facts)


def differences(call: Mapping[str, Any], changes: Any, rows: Any, pack: Mapping[str, Any]) -> list[list[str]]:
    """List what a dry run found: what, now, and after; of rules and members what people ask about."""
    match call:
        case {"action": "set_pack", "arguments": {"pack": dict(other)}}:
            return _between(_of_rules(pack), _of_rules(other))
        case {"action": "set_members", "arguments": {"members": list(members)}}:
            before, after = ({_(row[0]): number(row[2]) for row in some} for some in (rows, members))
            return _between(before, after)
    return [[_place(name), _value(before), _value(after)] for name, before, after in changes]


def _between(before: Mapping[str, str], after: Mapping[str, str]) -> list[list[str]]:
    names = [*before, *(name for name in after if name not in before)]
    return [
        [name, before.get(name, NOTHING), after.get(name, NOTHING)]
        for name in names
        if before.get(name) != after.get(name)
    ]


def _of_rules(pack: Mapping[str, Any]) -> dict[str, str]:
    ordinary = pack["tracks"]["ordinary"]
    clauses = [clause_words(clause) for clause in ordinary["clauses"] if clause["kind"] != "super"]
    return {
        _("rules"): rule_name(pack["name"]),
        _("what a vote may say"): listed(choices()[one] for one in pack["choices"]),
        _("clauses"): " ".join(clauses),
        _("votes may be changed"): _value(pack["revote"]),
        _("votes may be delegated"): _value(pack["delegation"]),
        _("members may step aside"): _value(pack["recusal"] != "none"),
        _("weights are those of"): _("the proposal") if pack["electorate"] == "snapshot" else _("the moment"),
        _("deposit"): deposit_rule(pack) or NOTHING,
        _("voting lasts"): _span(pack, "voting"),
        _("wait before it is carried out"): _span(pack, "timelock"),
    }


def _span(pack: Mapping[str, Any], name: str) -> str:
    length = pack["tracks"]["ordinary"][name]
    if pack["clock"] == "blocks":
        return _("{count} blocks").format(count=number(length))
    return _("{count} seconds").format(count=number(length // 1_000))


def _place(name: str) -> str:
    """Name a stored value of a dry run as people know it."""
    if "figures[" in name:
        return _(name.partition("[")[2].removesuffix("]"))
    fields = {"is_frozen": _("frozen"), "version": _("version of the contract")}
    return fields.get(name.rpartition(" ")[2], name)


def _value(found: Any) -> str:
    """Write a value of a dry run."""
    match found:
        case None:
            return NOTHING
        case bool():
            return _("yes") if found else _("no")
        case int():
            return number(found)
    return str(found)


# --- how a proposal stands ---------------------------------------------------------------------------------------


def chip(proposal: Proposal) -> tuple[State, str]:
    """Say in one word how a proposal stands."""
    return statuses().get(proposal.status, ("plain", proposal.status))


def decided_by(proposal: Proposal) -> str:
    """Say which clause decided, and why."""
    case = proposal.case
    clauses = {clause["id"]: clause for clause in proposal.track["clauses"]}
    if case["status"] == "ExecutionFailed":
        return _("It could not be carried out, and nothing of it was done: {why}").format(why=own_words(case["why"]))
    if case["clause"] not in clauses:
        return ""
    told = clause_words(clauses[case["clause"]])
    if case["status"] == "Defeated":
        return _("Defeated, {why}. The clause that decided: {clause}").format(why=why(case["why"]), clause=told)
    return _("Passed. The clause that was closest: {clause}").format(clause=told)


def deposit_rule(pack: Mapping[str, Any]) -> str:
    """Say what a deposit rules ask for, and when it is lost; "" for none."""
    if not pack["deposit"]:
        return ""
    told = _("{units} units; burnt if {whys}, else given back") if pack["burns"] else _("{units} units, given back")
    return told.format(units=number(pack["deposit"]), whys=_(" or ").join(whys()[one] for one in pack["burns"]))


def deposit(proposal: Proposal) -> str:
    """Say what is held of whoever proposes, and what becomes of it; "" where nothing is held."""
    case = proposal.case
    if not case["deposit"]:
        return ""
    if case["status"] in ("Draft", "Pending", "Active", "Extended"):
        return _("A deposit is held: {rule}.").format(rule=deposit_rule(proposal.pack))
    is_burnt = case["status"] == "Defeated" and case["why"] in proposal.pack["burns"]
    told = _("The deposit of {units} units is to be burnt.") if is_burnt else _("{units} units are to be given back.")
    return told.format(units=number(case["deposit"]))


def times(proposal: Proposal) -> str:
    """Say until when the next thing can be done."""
    case, is_height = proposal.case, proposal.pack["clock"] == "blocks"

    def at(when: int) -> str:
        return _("block {height}").format(height=number(when)) if is_height else clock(when)

    match case["status"]:
        case "Active" | "Extended":
            return _("Votes are taken until {at}.").format(at=at(case["ends"]))
        case "Pending":
            return _("Voting begins at {at}.").format(at=at(case["begins"]))
        case "Queued":
            return _("It can be carried out from {at} on; until then, whom it concerns can act.").format(
                at=at(case["ready"])
            )
    return ""


# --- ballots to try out, and secret ones -------------------------------------------------------------------------


def presets() -> dict[str, str]:
    """Name the ballots that can be tried out."""
    return {
        "cast": _("as cast on the open proposal"),
        "one_no": _("the heaviest against, all others in favour"),
        "few": _("the two heaviest in favour, the others silent"),
        "abstain": _("the two heaviest in favour, the others abstain"),
        "tie": _("as even as it can be"),
        "veto": _("the heaviest says veto, all others in favour"),
    }


def phases() -> dict[str, tuple[State, str]]:
    """Name what can be done with a secret or sealed ballot."""
    return {
        "Preparing": ("info", _("the trustees make the key")),
        "Soon": ("info", _("opens in a moment")),
        "Voting": ("info", _("votes are taken")),
        "Revealing": ("info", _("votes are shown")),
        "Over": ("info", _("to be closed")),
        "Closed": ("info", _("being counted")),
        "Counted": ("ok", _("counted")),
        "Void": ("warn", _("too few voted: nothing is opened")),
        "Failed": ("bad", _("the key was not made")),
    }


def secrecies() -> dict[str, str]:
    """Name the two ways to hide a vote."""
    return {"secret": _("secret: only the sum is opened"), "sealed": _("sealed: shown after the close")}


def ways_to_hide() -> tuple[str, ...]:
    """Say what each way to vote is good for."""
    return (
        _("Open, under “Decide”: what institutions decide for others they should answer for by name."),
        _("Sealed: all vote before anybody sees how. Whoever will lose may keep its vote, and everybody sees that."),
        _("Secret: two of three trustees open the sum, nothing else. For electing somebody, or where one is feared."),
    )


def reasons() -> tuple[str, ...]:
    """Say why none of this is for public elections: the reasons of Park, Specter, Narula and Rivest (2021)."""
    return (
        _("A voter's own device can be taken over without a trace, and many at once."),
        _("Outside a booth a vote can be watched, bought or forced."),
        _("There is no paper to count again if the software was wrong; a chain keeps a wrong vote just as well."),
    )
