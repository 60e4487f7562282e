"""A recording in plain words: what an office knows, what a message says, whether all is safe and whether it moves.

The numbers come from `sim.reading`; here they only become sentences, in the viewer's language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from minichain.errors import ProofError
from minichain.ledger.certificate import WorkCertificate
from minichain.sim import reading
from minichain.sim.recording import Conflict, Kept, Message, Recording, Saying, State, two_quorums
from minichain.views import parts
from minichain.views.i18n import _, listed, ngettext, number, short
from minichain.views.icons import icon
from minichain.views.markup import Child, Safe, join, tag
from minichain.views.parts import State as Lamp

LETTERS: Final = "ABCDEFGHIJKLM"
CONTRADICTED: Final = "a certified block is invalid"  # how the node says it
PATIENCE_MS: Final = {"bft": 3_500, "raft": 3_500, "pow": 6_000}


# --- names -------------------------------------------------------------------------------------------------------


def office(name: str) -> str:
    """Return what people call a node."""
    at = int(name.rpartition("-")[2])
    roles = (
        _("Street office {letter}"),
        _("Collection point {letter}"),
        _("Transfer station {letter}"),
        _("Sorting plant {letter}"),
        _("Compost plant {letter}"),
        _("Incinerator {letter}"),
        _("Landfill {letter}"),
        _("District office {letter}"),
        _("City office {letter}"),
        _("Environment bureau {letter}"),
        _("Health office {letter}"),
        _("Audit office {letter}"),
        _("Archive {letter}"),
    )
    return roles[at].format(letter=LETTERS[at]) if at < len(roles) else name


def offices(names: Iterable[str]) -> str:
    """List offices."""
    return listed(office(name) for name in sorted(names, key=_place))


def letters(names: Iterable[str]) -> str:
    """List offices by their letters."""
    return listed(LETTERS[_place(name)] for name in sorted(names, key=_place))


def _place(name: str) -> int:
    return int(name.rpartition("-")[2])


def block_name(recording: Recording, block: bytes | None) -> str:
    """Return what people call a block; a second one of the same height gets a prime."""
    if block is None:
        return _("no block")
    height, version = reading.versions(recording).get(block, (0, 0))
    if not height:
        return _("block {id}").format(id=short(block))
    return _("block {height}").format(height=number(height)) + reading.PRIME * version


def seconds(ms: int) -> str:
    """Write a time of the run."""
    return _("{seconds} s").format(seconds=f"{ms / 1000:.1f}")


# --- the two lamps -----------------------------------------------------------------------------------------------


def safe(recording: Recording, ms: int) -> tuple[Lamp, str]:
    """Say whether two honest offices hold different blocks of one height for final."""
    conflict = recording.conflict(ms)
    if conflict is None:
        return "ok", _("Yes. No two honest offices have made different blocks final.")
    words = _("No. {one} and {other} have each made a different block {height} final.")
    told = words.format(
        one=office(conflict.first.name), other=office(conflict.second.name), height=number(conflict.first.height)
    )
    losers = [kept.name for kept in (conflict.first, conflict.second) if (kept.undone_ms or ms + 1) <= ms]
    taken_back = _("Since then {office} has had to take its own back.").format(office=offices(losers))
    return "bad", f"{told} {taken_back}" if losers else told


def moving(recording: Recording, ms: int) -> tuple[Lamp, str]:
    """Say whether anything has become final lately, and if not, why."""
    now = reading.progress(recording, ms, PATIENCE_MS[recording.timeline.engine])
    match now.state:
        case "nothing":
            return "info", _("Nothing has been asked of them yet.")
        case "done":
            return "ok", _("Yes. Everything that was asked for is final.")
        case "moving" if now.last:
            words = _("Yes. Block {height} became final {ago} ago.")
            return "ok", words.format(height=number(now.last[1]), ago=seconds(ms - now.last[0]))
        case "moving":
            return "info", _("They have begun. Nothing is final yet.")
    return "bad", join(_waiting(now), " ", _why(recording, now))


def _waiting(now: reading.Progress) -> str:
    words = ngettext("No. {count} transfer is waiting.", "No. {count} transfers are waiting.", now.waiting)
    return words.format(count=number(now.waiting))


def _why(recording: Recording, now: reading.Progress) -> str:
    reach, size = len(now.reach), len(recording.names)
    if reach < now.needed:
        words = _("Only {reach} of {size} reach each other; {needed} are needed.")
        return words.format(reach=number(reach), size=number(size), needed=number(now.needed))
    if recording.timeline.engine == "pow":
        return _("No block has enough blocks on top of it yet.")
    words = _("{reach} of {size} reach each other, but their messages get lost or come too late. They try again.")
    return words.format(reach=number(reach), size=number(size))


def outcome(recording: Recording) -> tuple[bool, bool]:
    """Return what a run came to: it stayed safe, and it still moved at its end."""
    now = reading.progress(recording, recording.end_ms, PATIENCE_MS[recording.timeline.engine])
    return not recording.conflicts, now.state != "stopped"


# --- the count ---------------------------------------------------------------------------------------------------


def ballot_title(recording: Recording, ballot: reading.Ballot) -> str:
    """Say what a ballot is about."""
    name = block_name(recording, ballot.block)
    match ballot.kind:
        case "prevote":
            return _("First vote, for {block}").format(block=name)
        case "precommit":
            return _("Second vote, for {block}").format(block=name)
        case "leader":
            return _("{office} as leader").format(office=office(ballot.members[0]))
        case "entry":
            return _("Copies of {block}").format(block=name)
    return _("Chain that ends with {block}").format(block=name)


def ballot_count(ballot: reading.Ballot) -> str:
    """Say how many support it, and how many are needed."""
    count, of = number(len(ballot.members)), number(ballot.of)
    if not ballot.needed:
        return _("{count} of {of} follow it; the one with most work wins.").format(count=count, of=of)
    words = _("{count} of {of} have said yes; {needed} are needed.")
    return words.format(count=count, of=of, needed=number(ballot.needed))


def discussion_title(recording: Recording, ms: int) -> str:
    """Say what is under discussion."""
    place = reading.discussion(recording, ms)
    if recording.timeline.engine == "pow":
        return _("Which chain they follow")
    if recording.timeline.engine == "raft":
        term = max((recording.state(name, ms).round for name in recording.names), default=0)
        return _("Term {term}: who leads, and who has copied").format(term=number(term))
    if place is None:
        return _("Nothing is under discussion")
    return _("Block {height}, try {round}").format(height=number(place[0]), round=number(place[1] + 1))


# --- what an office knows ----------------------------------------------------------------------------------------

Line = tuple[Lamp, Child]


def knows(recording: Recording, name: str, ms: int) -> list[Line]:
    """Say what an office knows at a time, one sentence a line."""
    state = recording.state(name, ms)
    lines: list[Line] = []
    if name in recording.liars:
        lines.append(("warn", _("It lies: to one half of the honest offices it says this, to the other half that.")))
    if not state.is_on:
        lines.append(("bad", _("It is switched off.")))
        if state.stopped_by:
            lines.append(("bad", _why_stopped(state)))
        return [*lines, ("plain", _kept(recording, state))]
    if state.is_paused:
        lines.append(("warn", _("It is frozen: what comes for it waits.")))
    tell: Callable[[Recording, str, int, State], Iterable[Line]] = _TELLERS[recording.timeline.engine]
    return [*lines, ("plain", _kept(recording, state)), *tell(recording, name, ms, state)]


def _why_stopped(state: State) -> str:
    if state.stopped_by.startswith(CONTRADICTED):
        return _("It stopped itself: it was shown a certified block that does not fit the one it had made final.")
    return _("It stopped itself: {reason}.").format(reason=state.stopped_by)


def _kept(recording: Recording, state: State) -> str:
    if not state.height:
        return _("It has no block yet.")
    return _("The last block it keeps is {block}.").format(block=block_name(recording, state.head))


def _in_bft(recording: Recording, name: str, ms: int, state: State) -> Iterable[Line]:
    caught = reading.caught(recording, name, ms)
    if caught:
        words = _("It has caught {names}: it holds two signed messages that contradict each other.")
        yield "warn", words.format(names=offices(caught))
    if state.step == "idle":
        yield "plain", _("It has nothing to decide.")
        return
    words = _("It works on block {height}, try {round}.")
    yield "plain", words.format(height=number(state.at_height), round=number(state.round + 1))
    yield "plain", _proposal(recording, name, ms, state)
    for kind, words in (("prevote", _("First votes it knows")), ("precommit", _("Second votes it knows"))):
        yield "plain", _known_votes(recording, name, ms, kind, words)
    yield _lock(recording, name, ms)


def _proposal(recording: Recording, name: str, ms: int, state: State) -> str:
    proposer = reading.proposer_of(recording, state.at_height, state.round)
    found = reading.heard_proposal(recording, name, ms)
    if found:
        words = _("It knows what {office} proposes: {block}.")
        return words.format(office=office(proposer), block=block_name(recording, found.saying.block))
    if proposer == name:
        return _("It is its own turn to propose.")
    return _("It has not heard a proposal; it is the turn of {office}.").format(office=office(proposer))


def _known_votes(recording: Recording, name: str, ms: int, kind: str, words: str) -> str:
    found = reading.heard_votes(recording, name, ms, kind)
    need = number(reading.needed(recording))
    if not found:
        return _("{what}: none of the {needed} that are needed.").format(what=words, needed=need)
    told = listed(
        _("{count} for {block} ({names})").format(
            count=number(len(names)), block=block_name(recording, block), names=letters(names)
        )
        for block, names in found.items()
    )
    return _("{what}: {told}. {needed} for the same are needed.").format(what=words, told=told, needed=need)


def _lock(recording: Recording, name: str, ms: int) -> Line:
    lock = reading.lock_of(recording, name, ms)
    if lock is None:
        return "plain", _("It is not locked: it may vote for any valid block.")
    words = _("It is locked on {block} since try {round}: it votes for no other until enough others show it a reason.")
    return "info", words.format(block=block_name(recording, lock[0]), round=number(lock[1] + 1))


def _in_raft(recording: Recording, name: str, ms: int, state: State) -> Iterable[Line]:
    said = state.said
    roles = {
        "leader": _("It leads: it orders the blocks, and the others copy them."),
        "follower": _("It follows: it copies what its leader sends."),
        "candidate": _("It asks the others to make it their leader."),
        "pre-candidate": _("It has not heard its leader for a while, and asks whether the others have."),
    }
    yield "plain", _("It is in term {term}.").format(term=number(state.round))
    leader = recording.name_of.get(bytes.fromhex(said.get("leader", "")))
    role = said.get("role", "").replace("_", "-")
    is_waiting = role == "follower" and not leader
    yield "info", _("It waits: it knows of no leader yet.") if is_waiting else roles.get(role, roles["follower"])
    if leader and leader != name:
        yield "plain", _("Its leader is {office}.").format(office=office(leader))
    words = _("Its list has {last} entries; of {commit} it knows that more than half have them.")
    yield "plain", words.format(last=number(said.get("last_index", 0)), commit=number(said.get("commit_index", 0)))


def _in_pow(recording: Recording, name: str, ms: int, state: State) -> Iterable[Line]:
    if state.step == "mining":
        yield "info", _("It searches for the number that seals block {height}.").format(height=number(state.at_height))
    yield "plain", _("Its chain holds the work of {tries} tries.").format(tries=number(state.said.get("work", 0)))
    if undone := sum(kept.name == name and (kept.undone_ms or ms + 1) <= ms for kept in recording.kept):
        words = ngettext("It has taken back {count} block.", "It has taken back {count} blocks.", undone)
        yield "warn", words.format(count=number(undone))


_TELLERS: Final = {"bft": _in_bft, "raft": _in_raft, "pow": _in_pow}


# --- what a message says -----------------------------------------------------------------------------------------


def kind_name(kind: str) -> str:
    """Return what people call a kind of message."""
    names = {
        "proposal": _("proposal"),
        "prevote": _("first vote"),
        "precommit": _("second vote"),
        "ask": _("request to lead"),
        "pre-ask": _("question before an election"),
        "yes": _("a yes"),
        "pre-yes": _("yes, if you stood"),
        "no": _("a no"),
        "entry": _("entry to copy"),
        "heartbeat": _("sign of life"),
        "ack": _("copied"),
        "mismatch": _("does not fit"),
        "snapshot": _("pointer to the chain"),
        "block": _("mined block"),
        "tip": _("end of my chain"),
        "question": _("request for blocks"),
        "blocks": _("blocks asked for"),
        "forgotten": _("too old"),
        "transactions": _("transfers"),
        "position": _("where I am"),
        "copy": _("final blocks"),
    }
    return names.get(kind, _("noise"))


def says(recording: Recording, message: Message) -> str:
    """Say what a message says."""
    said = message.saying
    words = _sentence(said, block_name(recording, said.block))
    signer = recording.name_of.get(said.author) if said.author else None
    if signer and signer != message.sender:
        return _("It passes on what {office} has signed: {words}").format(office=office(signer), words=words)
    return words


def _sentence(said: Saying, block: str) -> str:
    if said.kind == "transactions":
        words = ngettext("“Here is {count} transfer.”", "“Here are {count} transfers.”", said.height)
        return words.format(count=number(said.height))
    words = (_empty_sentences() if said.block is None else {}).get(said.kind) or _sentences().get(said.kind, "“…”")
    numbers = {"height": number(said.height), "term": number(said.round), "index": number(said.index)}
    return words.format(block=block, round=number(said.round + 1), **numbers)


def _empty_sentences() -> Mapping[str, str]:
    """Return what messages say that could name a block and name none."""
    return {
        "prevote": _("“I have seen no block that I can support.”"),
        "precommit": _("“I did not see enough support. Let us try again.”"),
        "entry": _("“I lead term {term}. Copy my first entry, which is empty.”"),
        "copy": _("“I have no final blocks for you.”"),
        "tip": _("“My chain is still empty.”"),
    }


def _sentences() -> Mapping[str, str]:
    return {
        "proposal": _("“I propose {block}, in try {round}.”"),
        "prevote": _("“I have checked {block} and support it.”"),
        "precommit": _("“I saw enough support for {block} and confirm it.”"),
        "position": _("“I work on block {height}. Tell me what I lack.”"),
        "copy": _("“Here are final blocks, up to {block}.”"),
        "ask": _("“Make me your leader for term {term}.”"),
        "pre-ask": _("“Would you make me your leader for term {term}?”"),
        "yes": _("“Yes, in term {term}.”"),
        "pre-yes": _("“I would, in term {term}.”"),
        "no": _("“No. I am in term {term}.”"),
        "entry": _("“I lead term {term}. Copy {block}.”"),
        "heartbeat": _("“I lead term {term}, and I am here.”"),
        "ack": _("“I have copied everything up to entry {index}.”"),
        "mismatch": _("“This does not fit my list. Go on at entry {index}.”"),
        "snapshot": _("“You lack too much. Get the chain from me.”"),
        "block": _("“I have {block}, sealed with work.”"),
        "tip": _("“My chain ends with {block}.”"),
        "question": _("“Send me what leads to {block}.”"),
        "blocks": _("“Here are blocks, up to {block}.”"),
        "forgotten": _("“What you lack is older than what I keep.”"),
    }


def way(message: Message, end_ms: int) -> Line:
    """Say when a message was sent and what became of it."""
    sent = seconds(message.sent_ms)
    if message.due_ms is None:
        return "bad", _("Sent at {sent}; it got lost on the way.").format(sent=sent)
    due = seconds(message.due_ms)
    if message.due_ms > end_ms:
        return "info", _("Sent at {sent}; it is still on its way at the end.").format(sent=sent)
    if message.seen_ms is None:
        return "bad", _("Sent at {sent}; it came at {due}, and nobody was there.").format(sent=sent, due=due)
    return "ok", _("Sent at {sent}, arrived at {due}.").format(sent=sent, due=seconds(message.seen_ms))


# --- two certificates --------------------------------------------------------------------------------------------


def certificate(recording: Recording, kept: Kept) -> Safe:
    """Show what makes a block final for an office, and whether it holds."""
    proof, header = kept.final.certificate, kept.final.block.header
    try:
        proof.verify(header, recording.committee)
        is_work = isinstance(proof, WorkCertificate)
        holds = parts.chip("ok", _("the work was done") if is_work else _("the certificate holds"))
    except ProofError as error:
        holds = parts.chip("bad", str(error))
    names = reading.signers(recording.committee, proof.signers)
    signed = _("{count} of {of} offices: {names}").format(
        count=number(len(names)), of=number(len(recording.names)), names=letters(names)
    )
    transfers = ngettext("{count} transfer", "{count} transfers", header.tx_count).format(count=number(header.tx_count))
    pairs: list[tuple[str, Child]] = [
        (_("Final for"), office(kept.name)),
        (_("Fingerprint"), parts.codeline(header.id.hex()[:16] + "…")),
        (_("Holds"), transfers),
        *([(_("Signed by"), signed)] if names else []),
        (_("Checked here"), holds),
    ]
    title = block_name(recording, kept.id)
    return tag(
        "div", tag("h3", title[:1].upper() + title[1:], class_="mc-lab-h3"), parts.facts(pairs), class_="mc-cert"
    )


def both_signers(recording: Recording, conflict: Conflict) -> Sequence[str]:
    """Return who signed both certificates of a conflict."""
    sets = [
        reading.signers(recording.committee, kept.final.certificate.signers)
        for kept in (conflict.first, conflict.second)
    ]
    return [name for name in sets[0] if name in sets[1]]


def verdict_on_conflict(recording: Recording, conflict: Conflict) -> Safe:
    """Say how it could come to two final blocks of one height."""
    proof = conflict.first.final.certificate
    if isinstance(proof, WorkCertificate):
        words = _(
            "Work shows what a block cost, not that it is the only one. Each side of the cut kept working by itself."
        )
        return parts.note("bad", _("Nobody lied, and yet there are two results."), tag("p", words))
    both = both_signers(recording, conflict)
    quorum, shared = two_quorums(recording.committee)
    words = _(
        "Any two groups of {quorum} out of {size} share at least {shared} offices. "
        "If those {shared} lie, both groups can agree."
    )
    told = words.format(quorum=number(quorum), size=number(len(recording.names)), shared=number(shared))
    title = _("Signed both: {names}").format(names=offices(both))
    return parts.note("bad", title, tag("p", told), tag("p", _("Their two signatures prove who lied, for ever.")))


def seats(ballot: reading.Ballot, names: Sequence[str], liars: Iterable[str]) -> Safe:
    """Draw a seat for each office: filled with a tick if it has said yes, empty if not; a liar's is square."""
    return tag(
        "span",
        (_seat(name, name in ballot.members, name in set(liars)) for name in names),
        class_="mc-seats",
        aria_hidden="true",
    )


def _seat(name: str, is_yes: bool, is_liar: bool) -> Safe:
    class_ = "mc-seat" + (" mc-yes" if is_yes else "") + (" mc-liar" if is_liar else "")
    return tag("i", icon("check", 12) if is_yes else None, LETTERS[_place(name)], class_=class_)
