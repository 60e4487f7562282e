# mypy: disable-error-code="type-arg,no-any-return"
"""The rules of a vote, written in the contract language: a contract that decides by them, and a page that tells what
they would do, run this same text.

    from minichain.contracts.rulebook import verdict

A rule pack is data: who votes, what may be said, and for each track (ordinary, urgent, amendment) times and clauses. A
clause asks for a share: votes of some kinds, of a whole, compared by > or >=; a veto is a clause that must *not* hold.
Shares are compared by multiplication, never by division. A share of nothing is no share.
"""

from __future__ import annotations

from minichain.contracts.api import require

TRACKS = ("ordinary", "urgent", "amendment")
CHOICES = ("yes", "no", "abstain", "veto")
KINDS = ("quorum", "majority", "veto", "super")
MEASURES = ("weight", "members", "population")
EARLY = ("none", "certain", "super", "immediate")
SPANS = ("delay", "voting", "extension", "timelock", "grace")
FAILURE = {"quorum": "no_quorum", "majority": "no_majority"}
UNDECIDED = ("Pending", "Active", "Extended")  # a proposal that was put to the vote
DEFEATS = ("no_quorum", "no_majority", "vetoed")
MIN_SPAN = {"ms": 60_000, "blocks": 1}  # to vote, and to carry out: a shorter one is over before anybody acts
MAX_SPAN = {"ms": 315_576_000_000, "blocks": 100_000_000}  # ten years, or so many blocks of three seconds
MAX_DENOMINATOR = 1_000_000
MAX_CLAUSES = 8
MAX_PACK_TEXT = 1_000  # characters
MAX_DEPOSIT = 1_099_511_627_776  # units: 2**40

PACK_TEXTS = ("name", "source", "as_of", "en", "zh")
PACK_WORDS = {  # what each word of a pack may be
    "clock": ("ms", "blocks"),
    "electorate": ("snapshot", "live"),  # who votes: as it was proposed, or as it is at each vote
    "recusal": ("none", "lowers", "stays"),  # whether a member may step aside, and still counts in what is eligible
    "proposer_cancels": ("never", "pending", "before_votes", "open"),
}
PACK_FLAGS = (
    "deadline",  # whether votes after the end are refused
    "revote",  # whether a vote may be changed
    "delegation",  # whether one member may vote in another's place
    "proposer_votes",  # whether to propose is to say yes
    "one_per_subject",  # whether only one proposal at a time is about the same thing
    "guardian_cancels",  # whether the guardian may stop what is not executed
    "about_oneself",  # whether a member may propose what is about itself, such as its removal
)
TAKEN_BACK = {
    "never": (),
    "pending": ("Draft", "Pending"),
    "before_votes": ("Draft", "Pending", "Active", "Extended"),
    "open": ("Draft", "Pending", "Active", "Extended"),
}
CLAUSE_FIELDS = ("id", "kind", "measure", "seat", "part", "whole", "comparator", "share", "blockers")

# --- counting ----------------------------------------------------------------------------------------------------
#
# An electorate is a list of [name, did, weight, seat, population, delegate]. A tally counts in several measures, each
# of all members or of one seat: {"weight:": {"eligible": 9, "yes": 4, ...}, "members:permanent": {...}}.

DID = 1
WEIGHT = 2
SEAT = 3
POPULATION = 4
DELEGATE = 5


def row_of(members: list, did: str) -> list:
    """Return the row of a member; an empty one if there is none."""
    rows = [row for row in members if row[DID] == did]
    return rows[0] if rows else []


def in_full(members: list) -> list:
    """Return members as [name, did, weight, seat, population]; the last two may be left out."""
    return sorted([(member + ["", 0])[:5] if len(member) == 3 else member for member in members])


def total(rows: list, counter: str) -> int:
    """Return what some members are together in a counter, such as "members:permanent"."""
    measure, seat = counter.split(":")
    counted = rows if seat == "" else [row for row in rows if row[SEAT] == seat]
    if measure == "members":
        return len(counted)
    column = WEIGHT if measure == "weight" else POPULATION
    return sum([row[column] for row in counted])


def counters(pack: dict) -> list:
    """Name the counters that the clauses of a pack need; weight and members are always told."""
    needed = {"weight:": True, "members:": True}
    for track in pack["tracks"].values():
        for clause in track["clauses"]:
            needed[counter_of(clause)] = True
    return list(needed)


def counter_of(clause: dict) -> str:
    return ":".join([clause["measure"], clause["seat"]])


def blank(pack: dict, electorate: list, recused: list) -> dict:
    """Return the tally before anybody has voted."""
    tally = {}
    counted = electorate
    if recused != [] and pack["recusal"] == "lowers":
        counted = [row for row in electorate if row[DID] not in recused]
    for counter in counters(pack):
        counts = {choice: 0 for choice in pack["choices"]}
        counts["eligible"] = total(counted, counter)
        tally[counter] = counts
    return tally


def put(tally: dict, rows: list, choice: str, sign: int) -> None:
    """Add what members say to a tally, or, with the sign -1, take it out; no vote is the choice ""."""
    if choice != "":
        for counter, counts in tally.items():
            counts[choice] += sign * total(rows, counter)


def heard(did: str, delegates: dict, ballots: dict) -> str:
    """Return what somebody's vote says: an own ballot, or that of whom it is delegated to; "" if there is none."""
    choice = ballots.get(did, "")
    while choice == "" and did in delegates:
        did = delegates[did]
        choice = ballots.get(did, "")
    return choice


def delegations(electorate: list) -> dict:
    """Tell who votes in whose place."""
    return {row[DID]: row[DELEGATE] for row in electorate if row[DELEGATE] != ""}


def count(pack: dict, electorate: list, ballots: dict, recused: list) -> dict:
    """Count ballots {did: choice} from the beginning."""
    tally = blank(pack, electorate, recused)
    delegates = delegations(electorate)
    said: dict[str, list] = {choice: [] for choice in [""] + pack["choices"]}
    for row in electorate:
        did = row[DID]
        choice = heard(did, delegates, ballots) if did in delegates else ballots.get(did, "")
        said[choice if did not in recused else ""].append(row)
    for choice, rows in said.items():
        put(tally, rows, choice, 1)
    return tally


# --- clauses -----------------------------------------------------------------------------------------------------


def sides(clause: dict, tally: dict) -> list:
    """Return [part, whole] of a clause, in its measure."""
    counts = tally[counter_of(clause)]
    whole = counts["eligible"] if clause["whole"] == [] else sum([counts[choice] for choice in clause["whole"]])
    return [sum([counts[choice] for choice in clause["part"]]), whole]


def holds(clause: dict, tally: dict) -> bool:
    """Tell whether a clause holds. One that needs `blockers` members to stop it holds where fewer do not say yes."""
    members = tally["members:"]
    if members["eligible"] - members["yes"] < clause["blockers"]:
        return True
    part, whole = sides(clause, tally)
    numerator, denominator = clause["share"]
    found, asked = part * denominator, numerator * whole
    return whole > 0 and (found > asked or (found == asked and clause["comparator"] == ">="))


def outcome(track: dict, tally: dict) -> dict:
    """Decide by what was cast: the first clause that fails decides, or, where all is well, the closest one is named."""
    for clause in track["clauses"]:
        kind = clause["kind"]
        if kind == "veto" and holds(clause, tally):
            return {"status": "Defeated", "why": "vetoed", "clause": clause["id"]}
        if kind in FAILURE and not holds(clause, tally):
            return {"status": "Defeated", "why": FAILURE[kind], "clause": clause["id"]}
    return {"status": "Succeeded", "why": "", "clause": closest(track, tally)}


def closest(track: dict, tally: dict) -> str:
    """Name the clause that was decided by the smallest part of its whole."""
    nearest, least, base = "", 1, 1
    for clause in track["clauses"]:
        part, whole = sides(clause, tally)
        numerator, denominator = clause["share"]
        margin = abs(part * denominator - numerator * whole)
        is_closer = nearest == "" or margin * base < least * whole * denominator
        if clause["kind"] != "super" and whole > 0 and is_closer:
            nearest, least, base = clause["id"], margin, whole * denominator
    return nearest


def verdict(pack: dict, track: dict, tally: dict, is_over: bool) -> dict:
    """Tell {status: Active, Succeeded or Defeated, why, clause}, early where the pack decides early.

    `why` is no_quorum, no_majority, vetoed or "". `clause` is the id of the clause that made the difference.
    """
    found = outcome(track, tally)
    if is_over or is_decided(pack, track, tally, found):
        return found
    return {"status": "Active", "why": "", "clause": ""}


def is_decided(pack: dict, track: dict, tally: dict, found: dict) -> bool:
    """Tell whether a vote ends before its time."""
    early = track["early"]
    if early == "certain":
        return not (can_pass(pack, track, tally) and can_block(pack, track, tally))
    if early == "super":
        above = [clause for clause in track["clauses"] if clause["kind"] == "super" and holds(clause, tally)]
        return found["status"] == "Succeeded" and above != []
    return early == "immediate" and is_quorate(track, tally)


def is_quorate(track: dict, tally: dict) -> bool:
    """Tell whether enough take part."""
    return all([holds(clause, tally) for clause in track["clauses"] if clause["kind"] == "quorum"])


# --- proposals -----------------------------------------------------------------------------------------------------


def conclude(case: dict, track: dict, found: dict, at: int) -> None:
    """Write down how a vote ended, and until when it may be carried out."""
    case.update(found)
    case.update({"decided": at, "until": at + track["grace"]})


def at_time(case: dict, pack: dict, now: int) -> dict:
    """Return a case as it stands at a time: votes begin, end and run out without anybody's doing."""
    track, status = pack["tracks"][case["track"]], case["status"]
    if status in UNDECIDED and now >= case["begins"]:
        case["status"] = "Extended" if case["extended"] else "Active"
        if pack["deadline"] and now > case["ends"]:
            conclude(case, track, verdict(pack, track, case["tally"], True), case["ends"])
    if case["status"] == "Draft" and now > case["ends"]:
        case["status"] = "Expired"
    if case["status"] in ("Succeeded", "Queued", "ExecutionFailed") and now > case["until"]:
        case["status"] = "Expired"
    return case


def may_take_back(pack: dict, status: str) -> bool:
    """Tell whether who made a proposal may still take it back, as far as its status goes."""
    return status in TAKEN_BACK[pack["proposer_cancels"]]


def subject(call: dict) -> str:
    """Name the contract that a call is about."""
    return call["arguments"].get("name", "") if call["contract"] == "ledger" else call["contract"]


def resource(call: dict) -> str:
    """Name what a call changes, for rules by which only one proposal at a time is about one thing."""
    about = call["arguments"].get("did", subject(call))
    return " ".join([call["contract"], call["action"], about if isinstance(about, str) else ""])


# --- what can still happen ---------------------------------------------------------------------------------------
#
# Yes helps every clause, and each clause is hurt most where all the others say one and the same thing, or nothing:
# `check_pack` sees to that. So it is enough to look at a few ends of a vote.


def pushed(pack: dict, tally: dict, choice: str) -> dict:
    """Return the tally if all who can still speak said this; where votes may change, that is everybody."""
    may_change = pack["revote"] or pack["delegation"]
    ends = {}
    for counter, counts in tally.items():
        after = {one: 0 if may_change else counts[one] for one in pack["choices"]}
        left = counts["eligible"] - sum(list(after.values()))
        after["eligible"] = counts["eligible"]
        if choice != "":
            after[choice] += left
        ends[counter] = after
    return ends


def can_pass(pack: dict, track: dict, tally: dict) -> bool:
    """Tell whether it can still succeed."""
    return outcome(track, pushed(pack, tally, "yes"))["status"] == "Succeeded"


def can_block(pack: dict, track: dict, tally: dict) -> bool:
    """Tell whether it can still be defeated."""
    ends = [outcome(track, pushed(pack, tally, choice))["status"] for choice in [""] + pack["choices"]]
    return "Defeated" in ends


def missing(clause: dict, tally: dict) -> int:
    """Return how much more yes (or, for a veto, how much more veto) a clause needs to hold; -1: more than is left."""
    choice = clause["part"][0]
    counts = tally[counter_of(clause)]
    spoken = sum([share for one, share in counts.items() if one != "eligible"])
    low, high = 0, counts["eligible"] - spoken + 1
    cast = counts[choice]
    most = high
    while low < high:
        middle = (low + high) // 2
        counts[choice] = cast + middle
        if holds(clause, tally):
            high = middle
        else:
            low = middle + 1
    counts[choice] = cast
    return low if low < most else -1


def standing(pack: dict, track: dict, tally: dict) -> dict:
    """Tell what can still happen, and for each clause its share, whether it holds, and how much is missing."""
    rows = []
    for clause in track["clauses"]:
        part, whole = sides(clause, tally)
        row = {"id": clause["id"], "kind": clause["kind"], "part": part, "whole": whole}
        row.update({"holds": holds(clause, tally), "missing": missing(clause, tally)})
        rows.append(row)
    return {"can_pass": can_pass(pack, track, tally), "can_block": can_block(pack, track, tally), "clauses": rows}


# --- which packs there may be ------------------------------------------------------------------------------------


def check_pack(pack: dict) -> None:
    """Refuse a rule pack that is not written in full, or by which a vote could not be told early or explained."""
    fields = list(PACK_TEXTS) + list(PACK_WORDS) + list(PACK_FLAGS)
    check_fields(pack, fields + ["choices", "threshold", "deposit", "burns", "tracks"], "a rule pack")
    name = pack["name"]
    for field in PACK_TEXTS:
        is_text = isinstance(pack[field], str) and 1 <= len(pack[field]) <= MAX_PACK_TEXT
        require(is_text, f"rule pack: {field} is text of 1 to {MAX_PACK_TEXT} characters")
    for field, words in PACK_WORDS.items():
        told = ", ".join(words)
        require(pack[field] in words, f"rule pack {name}: {field} is one of {told}")
    for field in PACK_FLAGS:
        require(isinstance(pack[field], bool), f"rule pack {name}: {field} is true or false")
    choices = pack["choices"]
    are_known = isinstance(choices, list) and choices == [choice for choice in CHOICES if choice in choices]
    require(are_known and choices[:2] == ["yes", "no"], f"rule pack {name}: choices are yes, no, and perhaps more")
    check_share(pack["threshold"], f"rule pack {name}: threshold")
    deposit, burns = pack["deposit"], pack["burns"]
    is_amount = is_count(deposit) and deposit <= MAX_DEPOSIT
    require(is_amount, f"rule pack {name}: deposit is a whole number of units from 0 to {MAX_DEPOSIT}")
    are_ends = isinstance(burns, list) and burns == [why for why in DEFEATS if why in burns]
    told = ", ".join(DEFEATS)
    require(are_ends and (deposit > 0 or burns == []), f"rule pack {name}: burns lists why a deposit is lost: {told}")
    tracks = pack["tracks"]
    are_tracks = isinstance(tracks, dict) and all([track in TRACKS for track in tracks])
    is_whole = are_tracks and "ordinary" in tracks and "amendment" in tracks
    require(is_whole, f"rule pack {name}: tracks are ordinary, amendment, and perhaps urgent")
    for title, track in tracks.items():
        check_track(pack, track, f"rule pack {name}, track {title}")
    for title in tracks:
        if title != "ordinary":
            check_stronger(tracks["ordinary"]["clauses"], tracks[title]["clauses"], f"rule pack {name}, track {title}")
    ordinary, amendment = tracks["ordinary"], tracks["amendment"]
    is_slower = all([amendment[span] >= ordinary[span] for span in ("delay", "voting", "timelock")])
    is_as_late = is_slower and amendment["early"] == ordinary["early"]
    require(
        is_as_late, f"rule pack {name}: an amendment takes no less time than an ordinary decision, nor ends earlier"
    )


def check_fields(value: dict, fields: list, where: str) -> None:
    known = ", ".join(fields)
    is_whole = isinstance(value, dict) and sorted(value) == sorted(fields)
    require(is_whole, f"{where} has these fields and no other: {known}")


def check_share(share: list, where: str) -> None:
    """Refuse what is no share [numerator, denominator] from nothing to all."""
    is_pair = isinstance(share, list) and len(share) == 2 and all([is_count(one) for one in share])
    is_share = is_pair and share[0] <= share[1] and 1 <= share[1] <= MAX_DENOMINATOR
    require(is_share, f"{where} is a share [part, whole] of whole numbers, from 0 to all, such as [2, 3]")


def is_count(value: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def check_track(pack: dict, track: dict, where: str) -> None:
    check_fields(track, ["early", "clauses"] + list(SPANS), where)
    clock = pack["clock"]
    most = MAX_SPAN[clock]
    for span in SPANS:
        least = MIN_SPAN[clock] if span in ("voting", "grace") else 0
        is_span = is_count(track[span]) and least <= track[span] <= most
        require(is_span, f"{where}: {span} is {least} to {most}, counted in {clock}")
    require(track["delay"] == 0 or not pack["proposer_votes"], f"{where}: no delay where to propose is to vote")
    early, clauses = track["early"], track["clauses"]
    told = ", ".join(EARLY)
    require(early in EARLY, f"{where}: early is one of {told}")
    may_change = pack["revote"] or pack["delegation"] or pack["electorate"] == "live"
    require(early != "certain" or not may_change, f"{where}: nothing is certain where votes or weights may change")
    require(pack["deadline"] or early == "immediate", f"{where}: without a deadline, early is immediate")
    is_list = isinstance(clauses, list) and 1 <= len(clauses) <= MAX_CLAUSES
    require(is_list, f"{where} has 1 to {MAX_CLAUSES} clauses")
    for clause in clauses:
        check_clause(pack, clause, where)
    ids = [clause["id"] for clause in clauses]
    require(sorted(ids) == sorted({one: 0 for one in ids}), f"{where}: two clauses have the same id")
    kinds = [clause["kind"] for clause in clauses]
    require(early != "immediate" or "quorum" in kinds, f"{where}: where early is immediate, one clause is a quorum")
    require((early == "super") == ("super" in kinds), f"{where}: early is super where a clause is, and only there")


def check_clause(pack: dict, clause: dict, where: str) -> None:
    """Refuse a clause by which more votes of yes could do harm, or more votes of a veto could help."""
    check_fields(clause, list(CLAUSE_FIELDS), f"{where}: a clause")
    require(isinstance(clause["id"], str) and 1 <= len(clause["id"]) <= 40, f"{where}: a clause has an id")
    known, part, whole = clause["id"], clause["part"], clause["whole"]
    here = f"{where}, clause {known}"
    require(clause["kind"] in KINDS and clause["measure"] in MEASURES, f"{here}: no such kind or measure")
    check_seat(clause["seat"])
    require(clause["comparator"] in (">", ">="), f"{here}: comparator is > or >=")
    require(is_count(clause["blockers"]), f"{here}: blockers is a number of members, 0 if any may block")
    check_share(clause["share"], f"{here}: share")
    for side in (part, whole):
        is_known = isinstance(side, list) and side == [choice for choice in pack["choices"] if choice in side]
        require(
            is_known, f"{here}: part and whole list choices of this pack, in its order; no whole is all who may vote"
        )
    is_part = part != [] and all([choice in whole or whole == [] for choice in part])
    require(is_part, f"{here}: the part is something, and of the whole")
    if clause["kind"] == "veto":
        is_sound = "yes" not in part and (whole == [] or "yes" in whole) and clause["blockers"] == 0
        require(is_sound, f"{here}: a veto does not count yes in its part, but in its whole")
    else:
        require(part[0] == "yes", f"{here}: its part begins with yes")


def check_seat(seat: str) -> None:
    """Refuse what names no kind of seat; "" is any seat, or none in particular."""
    is_word = isinstance(seat, str) and len(seat) <= 40 and ":" not in seat
    require(is_word, "a seat is named in up to 40 characters, without a colon")


def check_stronger(ordinary: list, others: list, where: str) -> None:
    """Refuse the clauses of an urgent matter, or of an amendment, that are as easily met as those of the ordinary."""
    after = {clause["id"]: clause for clause in others}
    before = [clause["id"] for clause in ordinary]
    has_more = any([clause["id"] not in before and clause["kind"] != "super" for clause in others])
    for clause in ordinary:
        known = clause["id"]
        other = after.get(known, {})
        is_kept = all([other.get(field) == clause[field] for field in CLAUSE_FIELDS if field != "share"])
        require(is_kept, f"{where}: it keeps clause {known} of the ordinary track, and changes at most its share")
        harder, easier = other["share"], clause["share"]
        if clause["kind"] == "veto":
            harder, easier = easier, harder
        above, below = harder[0] * easier[1], easier[0] * harder[1]
        require(above >= below, f"{where}: it asks for no less than clause {known} of the ordinary track does")
        has_more = has_more or (above > below and clause["kind"] != "super")
    require(has_more, f"{where}: it needs more than an ordinary decision, in one clause at least")


def out_of_reach(pack: dict, electorate: list) -> str:
    """Say why these members could never decide by a pack, stop anything, or use a veto it promises; "" if they can."""
    tally, name = blank(pack, electorate, []), pack["name"]
    for title, track in pack["tracks"].items():
        found = outcome(track, pushed(pack, tally, "yes"))
        clause = found["clause"]
        if found["status"] != "Succeeded":
            return f"rule pack {name}, track {title}: clause {clause} is out of reach, even if all members say yes"
        against = [choice for choice in pack["choices"] if choice in ("no", "veto")]
        if all([outcome(track, pushed(pack, tally, one))["status"] == "Succeeded" for one in against]):
            return f"rule pack {name}, track {title}: nobody could stop a decision, even if all members are against it"
        for one in track["clauses"]:
            known = one["id"]
            if one["kind"] == "veto" and not holds(one, pushed(pack, tally, one["part"][0])):
                return f"rule pack {name}, track {title}: nobody among these members can use the veto {known}"
    return ""
