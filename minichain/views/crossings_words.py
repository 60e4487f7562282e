"""A crossing in plain words: what may cross, what may go wrong, what each step is, and what is to be learnt from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minichain.views.i18n import _, number

# --- the choice --------------------------------------------------------------------------------------------------


def kinds() -> Mapping[str, str]:
    """Return what may cross."""
    return {
        "units": _("Units to somebody on the other chain"),
        "call": _("A note to a desk on the other chain, and its answer"),
        "swap": _("A swap by two locks, with nobody between"),
        "deal": _("A seat and a room on two chains: both or neither"),
    }


def pairs() -> Mapping[str, str]:
    """Return between which chains."""
    return {
        "shards": _("Two shards of one network"),
        "side": _("A main chain and its side chain"),
        "alliance": _("Two allied chains, one with votes, one with a leader"),
        "work": _("From a chain of work to a chain with votes"),
    }


def failures() -> Mapping[str, tuple[str, str]]:
    """Return what may go wrong, with a sentence each."""
    return {
        "offline": (_("The relayer goes offline"), _("Nobody carries for a minute; then somebody else does.")),
        "forged": (
            _("A forged header"),
            _("A liar, who has the key of one of four offices, wants a hundred times more."),
        ),
        "altered": (_("An altered receipt"), _("The header is true, and what is shown from its block is not.")),
        "stale": (_("A stale certificate"), _("Offices that have handed over to others sign once more.")),
        "replay": (_("Once more"), _("What was brought already is brought again.")),
        "late": (_("Too late"), _("It is good for half a minute, and arrives after one.")),
        "paused": (_("The other chain stands still"), _("Two of its four offices are off for a while.")),
        "reorganised": (_("The past is replaced"), _("The miners' cable is cut, and the weaker side had the payment.")),
        "stolen": (_("Three of four keys are stolen"), _("Whoever has them can sign anything.")),
        "timeout": (_("One falls silent"), _("Both locks run out. Who has lost what?")),
        "disorder": (_("Times in the wrong order"), _("The first lock ends before the second.")),
        "full": (_("No room is left"), _("The hotel cannot do what it is asked.")),
        "crash": (_("The coordinator crashes"), _("All its offices go off when both hold places for it.")),
    }


def late(what: str) -> tuple[str, str]:
    """Return what being late means for a deal."""
    told = _("Nobody carries the question to the hotel until the time is over.")
    return (_("Too late"), told) if what == "deal" else failures()["late"]


# --- names -------------------------------------------------------------------------------------------------------


def lane(name: str) -> str:
    """Return what people call a chain, or whoever carries."""
    left, _dash, count = name.partition("-")
    named = {
        "relayer": _("Relayer"),
        "main": _("Main chain"),
        "side": _("Side chain"),
        "north": _("North chain"),
        "south": _("South chain"),
        "mined": _("Chain of work"),
        "coordinator": _("Coordinator"),
    }
    return _("Shard {number}").format(number=count) if left == "shard" else named.get(name, name)


def somebody(name: str) -> str:
    """Return what people call who did something."""
    named = {
        "resident A": _("Resident A"),
        "resident B": _("Resident B"),
        "liar": _("A liar"),
        "relayer": _("A relayer"),
        "second relayer": _("Another relayer"),
        "atomic": _("The travel desk"),
    }
    return named.get(name, name)


def place(who: str) -> str:
    """Return where units are on a chain, or places in a house."""
    house, _colon, state = who.partition(": ")
    houses = {"train": _("Seats"), "hotel": _("Rooms")}
    states = {"free": _("free"), "held": _("held"), "booked": _("booked")}
    named = {"locked": _("locked"), "others": _("everybody else"), "on the way": _("on its way")}
    return f"{houses[house]}, {states[state]}" if house in houses else named.get(who, somebody(who))


def shapes() -> Mapping[str, str]:
    """Return what the shapes of the picture mean."""
    return {
        "plain": _("asked, or heard"),
        "block": _("in a final block"),
        "info": _("a header followed"),
        "ok": _("carried out"),
        "back": _("given back, or let go"),
        "warn": _("trouble"),
        "bad": _("refused"),
        "harm": _("somebody loses"),
    }


def seconds(ms: int) -> str:
    """Write a time of the story: to the hundredth where it is short, in minutes where it is some of them."""
    if ms > 60_000 and not ms % 60_000:
        return _("{count} minutes").format(count=number(ms // 60_000))
    places = 2 if ms < 10_000 and ms % 1_000 else 1 if ms % 1_000 else 0
    return _("{seconds} s").format(seconds=f"{ms / 1_000:.{places}f}")


# --- the steps ---------------------------------------------------------------------------------------------------


def title(step: Any) -> str:
    """Name a step."""
    if step.facts.get("lie") == "stolen":
        return _("A lie is believed")
    named = {
        "sent": _("Handed in"),
        "cut": _("The cable is cut"),
        "mined": _("In a block"),
        "headers": _("Headers followed"),
        "replaced": _("The block is replaced"),
        "final": _("Final"),
        "offline": _("Nobody carries"),
        "replacing": _("Somebody else carries"),
        "handover": _("Handover followed"),
        "paused": _("It stands still"),
        "unanswered": _("No answer"),
        "resumed": _("It goes on"),
        "followed": _("Header followed"),
        "delivered": _("Delivered"),
        "declined": _("Declined"),
        "answered": _("Header of the answer followed"),
        "settled": _("Settled"),
        "refunded": _("Refunded"),
        "refused": _("Refused"),
        "stolen": _("Keys are stolen"),
        "forked": _("Two blocks of one height"),
        "locked": _("Locked"),
        "claimed": _("Taken with the secret"),
        "reclaimed": _("Taken back"),
        "waited": _("Time passes"),
        "swapped": _("Swapped"),
        "lost": _("One has lost"),
        "begun": _("Both are asked"),
        "held": _("Held"),
        "heard": _("An answer is heard"),
        "decided": _("Decided"),
        "committed": _("Booked"),
        "released": _("Let go"),
        "given up": _("Given up"),
        "booked": _("Both are booked"),
        "undone": _("Neither is booked"),
    }
    return named[step.kind]


def told(story: Any, step: Any) -> str:
    """Explain a step in plain words."""
    facts = step.facts
    sentence = _of_refusal(facts.get("lie", "")) if step.kind == "refused" else _of_kind(story.what, step)
    shown = {name: number(value) for name, value in facts.items() if type(value) is int}
    shown |= {name: seconds(value) for name, value in facts.items() if name.endswith("ms")}
    shown |= {
        "who": somebody(step.who),
        "here": lane(step.lane),
        "there": lane(step.came),
        "to": somebody(facts.get("to", "")),
    }
    shown |= {"height": number(step.height), "text": facts.get("text", ""), "house": house(facts.get("house", ""))}
    shown |= {"decision": _("yes") if facts.get("decision") == "commit" else _("no")}
    return sentence.format(**shown)


def house(name: str) -> str:
    """Return what people call where one books."""
    return {"train": _("The train"), "hotel": _("The hotel")}.get(name, name)


def _of_kind(what: str, step: Any) -> str:
    if step.facts.get("lie") == "stolen":
        return {
            "followed": _("{who} brings a block that never was. Three of four have signed it, so {here} believes it."),
            "delivered": _("{who} shows a receipt from that block, and gets {amount} units that nobody has sent."),
        }[step.kind]
    named = {**_of_sending(what), **_of_carrying(what), **_of_trouble(), **_of_swaps(), **_of_deals()}
    return named[step.kind]


def _of_sending(what: str) -> Mapping[str, str]:
    sent = _("{who} sends {amount} units to {to} on another chain. It is good for {within_ms}. Nothing has moved yet.")
    final = _("Block {height} is final. The units have left {who} and are on their way: {here} keeps count of them.")
    if what == "call":
        sent = _("{who} lets the desk here send a note to the desk on the other chain: “{text}”")
        final = _("Block {height} is final. The note is on its way, and the desk here waits for an answer.")
    return {
        "sent": sent,
        "final": final,
        "mined": _(
            "Block {height} has it, with {depth} of the {needed} confirmations that are asked for. It may "
            "still be replaced."
        ),
        "replaced": _(
            "The cable is mended. The others had done more work, so their blocks replace block {height}. The "
            "payment waits again."
        ),
    }


def _of_carrying(what: str) -> Mapping[str, str]:
    delivered = _(
        "{who} shows the receipt from block {of} and its path. It leads to the root in the followed header, so"
        " {amount} units are made here."
    )
    settled = _("{who} brings the answer: done. The message is closed; the units are on the other chain for good.")
    if what == "call":
        delivered = _(
            "{who} shows the receipt from block {of} and its path. The desk writes the note down, and answers."
        )
        settled = _("{who} brings the answer, and the desk that had asked is told. The message is closed.")
    return {
        "headers": _(
            "{who} brings the newest headers of {there}. {here} checks the work, and keeps them; they are not"
            " deep enough yet."
        ),
        "handover": _(
            "{who} brings block {of}, in which {before} offices hand over to {after}. From here on only those"
            " are believed."
        ),
        "followed": _(
            "{who} brings the header of block {of} with its proof that it is final. {here} checks it and keeps it."
        ),
        "delivered": delivered,
        "declined": _("{house} says no, and answers so.")
        if what == "deal"
        else _("The receipt is true, and it came too late: nothing is done here. {here} answers so."),
        "answered": _("The answer is a receipt on the other chain. {who} brings the header of its block {of} back."),
        "settled": settled,
        "refunded": _(
            "{who} brings the answer: not done. Only now are the {amount} units given back. They were never "
            "in two places."
        ),
    }


def _of_trouble() -> Mapping[str, str]:
    return {
        "cut": _("No message passes between {alone} miner and the {others} others."),
        "offline": _("The relayer is gone. What was sent is neither lost nor stolen: it waits on its chain."),
        "replacing": _("{away_ms} later another relayer carries. Nobody had to permit it: a relayer is not trusted."),
        "paused": _("{off} of {all} offices of {here} are off, so nothing becomes final there."),
        "unanswered": _("{who} gets no answer and has to wait. On no chain has anything changed."),
        "resumed": _("After {still_ms} the offices are back, with everything they knew."),
        "stolen": _("{who} has the keys of {signed} of {all} offices of {here}. Nobody notices."),
        "forked": _(
            "{who} brings the true block of the same height. {here} sees that {there} has signed two, and "
            "believes it no more."
        ),
    }


def _of_swaps() -> Mapping[str, str]:
    return {
        "locked": _(
            "{who} locks {amount} units for {to}. Whoever shows the secret within {within_ms} gets them; "
            "afterwards they go back."
        ),
        "claimed": _(
            "{who} shows the secret and takes the {amount} units. From here on everybody can read the secret."
        ),
        "reclaimed": _("The time of the lock is over: {who} takes the {amount} units back."),
        "waited": _("{who} waits, until {ms} have passed."),
        "swapped": _("Both have what they wanted: {gives} against {gets} units. Nobody stood between them."),
        "lost": _("{who} has given {amount} units and got nothing. No rule was broken: the times were wrong."),
    }


def _of_deals() -> Mapping[str, str]:
    return {
        "begun": _(
            "{who} asks the travel desk for {places} seats and {places} rooms, within {within_ms}. It asks "
            "both houses to prepare."
        ),
        "held": _("{house} sets the places aside. It cannot change its mind any more: it waits for the decision."),
        "heard": _("The desk hears from one house."),
        "decided": _(
            "The desk has heard enough and decides: {decision}. The decision is on its chain before anybody is told."
        ),
        "committed": _("{house} is told yes, and books what it has held."),
        "released": _("{house} is told no, and lets go what it has held."),
        "given up": _("The time is over and one answer is missing, so anybody may let the desk decide: no."),
        "booked": _("Seats and rooms are booked, all of them."),
        "undone": _("No seat and no room is booked, and nothing is held any more."),
    }


def _of_refusal(lie: str) -> str:
    named = {
        "forged": _("{who} brings a header that promises more. Only {signed} of four has signed it; three are needed."),
        "altered": _("{who} shows a receipt with another content. Its path does not lead to the root in the header."),
        "stale": _("{who} brings a block signed by {signed} offices that were members once. They have handed over."),
        "replay": _("{who} brings the same once more. Each message counts once, whoever brings it."),
        "early": _("{who} is too early, and has to wait."),
        "late": _("{who} comes too late: the time of the lock is over."),
    }
    return named.get(lie, _("{who} tries it, and is refused. Read the reason."))


# --- what is to be learnt ----------------------------------------------------------------------------------------


def lesson(story: Any) -> tuple[str, str]:
    """Return what a story shows, when it is over."""
    failures_ = story.failures
    if "stolen" in failures_:
        return _("A bridge is a trust of its own"), _(
            "No rule of the bridge was broken. Whoever connects two chains trusts the offices of the other one: at"
            " least a third of them must be honest. The units from nothing stay. What helps is to mint little, late,"
            " and only for chains one would trust anyway."
        )
    if story.what == "swap":
        return _("Two locks need no bridge, and need clocks"), _(
            "Nobody was trusted but both chains. The first lock must end last, by the time it takes to see a block"
            " there and to get an answer into one here. Who waits too long, or lets the times be wrong, loses."
        )
    if story.what == "deal":
        return _("Both or neither, and somebody waits"), _(
            "Who has prepared cannot decide alone: while the coordinator is down, places stay held. It cannot forget"
            " either, because it is a contract on a chain."
        )
    return _("A bridge is a trust of its own"), _(
        "Relayers were not trusted: they could be late, or gone, or lie, and no unit was lost. What is trusted are"
        " the offices of both chains. If enough keys of one of them are stolen, the other one believes a lie: try that,"
        " too."
    )
