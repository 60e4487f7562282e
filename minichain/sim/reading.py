"""What a recording shows at one moment, for an observer who sees all members at once. Nothing here knows any words.

Everything is counted from messages that were really sent, or handled by whoever is asked about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from minichain.codec import Plain
from minichain.ledger.committee import Committee
from minichain.membership.authority import proposer
from minichain.sim.recording import Message, Recording, two_quorums

VOTES: Final = ("prevote", "precommit")
PRIME: Final = "\N{PRIME}"
ANSWER_MS: Final = 3_000  # members tell their position every two seconds; who was not heard for so long is not there


class Ballot(Plain):
    """Who supports what: `kind` prevote, precommit, leader, entry or branch. `needed` is 0 where nothing is counted."""

    kind: str
    block: bytes | None
    members: tuple[str, ...]
    needed: int
    of: int


class Progress(Plain):
    """Whether anything goes on. `state` is nothing (asked for), done, moving or stopped.

    `last` is the (time, height) of the last new final block; `reach` are the members that hear each other.
    """

    state: str
    waiting: int
    last: tuple[int, int] | None
    reach: frozenset[str]
    needed: int
    round: int


def needed(recording: Recording) -> int:
    """Return how many equal members must agree; 0 where work is counted and not members."""
    match recording.timeline.engine:
        case "bft":
            return two_quorums(recording.committee)[0]
        case "raft":
            return len(recording.names) // 2 + 1
    return 0


# --- is it safe, does it move ------------------------------------------------------------------------------------


def progress(recording: Recording, ms: int, patience_ms: int) -> Progress:
    """Tell whether something has become final in the last `patience_ms`, and if not, what is missing."""
    waiting = recording.submitted(ms) - recording.settled(ms)
    last = _last_final(recording, ms)
    since = max(last[0] if last else 0, _waiting_since(recording, ms))
    late = waiting > 0 and ms - since > patience_ms
    state = "stopped" if late else "moving" if waiting > 0 else "done" if last else "nothing"
    reach = recording.reached(ms, ANSWER_MS)
    round_ = max((recording.state(name, ms).round for name in recording.honest), default=0)
    return Progress(state, max(0, waiting), last, reach, needed(recording), round_)


def _last_final(recording: Recording, ms: int) -> tuple[int, int] | None:
    first: dict[bytes, tuple[int, int]] = {}
    for kept in recording.finals(ms):
        at = kept.final_ms or 0
        first[kept.id] = min(first.get(kept.id, (at, kept.height)), (at, kept.height))
    return max(first.values(), default=None)


def _waiting_since(recording: Recording, ms: int) -> int:
    """Return when the oldest transaction was sent that is not final."""
    settled, total = recording.settled(ms), 0
    for step in recording.timeline.steps:
        if step.verb == "submit":
            total += step.args[0]
            if total > settled:
                return step.at_ms
    return ms


# --- what is under discussion ------------------------------------------------------------------------------------


def discussion(recording: Recording, ms: int) -> tuple[int, int] | None:
    """Return the highest height and round that an honest member works on; None while all are at rest."""
    states = [recording.state(name, ms) for name in recording.honest]
    busy = [(s.at_height, s.round) for s in states if s.is_on and s.step not in ("idle", "off")]
    return max(busy, default=None)


def ballots(recording: Recording, ms: int) -> tuple[Ballot, ...]:
    """List what is being voted on, with who has said yes up to a time."""
    match recording.timeline.engine:
        case "bft":
            return tuple(_votes(recording, ms))
        case "raft":
            return tuple(_elections(recording, ms))
    return tuple(_branches(recording, ms))


def _votes(recording: Recording, ms: int) -> Iterator[Ballot]:
    place = discussion(recording, ms)
    if place is None:
        return
    for kind in VOTES:
        voters: dict[bytes | None, dict[str, None]] = {}
        for message in _own(recording, ms):
            said = message.saying
            if (said.kind, said.height, said.round) == (kind, *place):
                voters.setdefault(said.block, {})[message.sender] = None
        for block, names in voters.items():
            yield Ballot(kind, block, tuple(names), needed(recording), len(recording.names))


def _own(recording: Recording, ms: int) -> Iterator[Message]:
    """Yield what members said by a time, without what they only passed on."""
    for message in recording.messages:
        if message.sent_ms > ms:
            return
        if not message.saying.author or recording.name_of.get(message.saying.author) == message.sender:
            yield message


def _elections(recording: Recording, ms: int) -> Iterator[Ballot]:
    term = max((recording.state(name, ms).round for name in recording.honest), default=0)
    voters: dict[str, dict[str, None]] = {}
    entry: Message | None = None
    acks: dict[str, int] = {}
    for message in _own(recording, ms):
        said = message.saying
        if said.round != term:
            continue
        if said.kind == "ask":
            voters.setdefault(message.sender, {message.sender: None})
        elif said.kind == "yes" and message.receiver in voters:
            voters[message.receiver][message.sender] = None
        elif said.kind == "entry" and said.block and (entry is None or said.index > entry.saying.index):
            entry = message
        elif said.kind == "ack":
            acks[message.sender] = max(acks.get(message.sender, 0), said.index)
    for names in sorted(voters.values(), key=len, reverse=True):
        yield Ballot("leader", None, tuple(names), needed(recording), len(recording.names))
    if entry:
        have = [name for name, index in acks.items() if index >= entry.saying.index]
        members = (entry.sender, *have)
        yield Ballot("entry", entry.saying.block, members, needed(recording), len(recording.names))


def _branches(recording: Recording, ms: int) -> Iterator[Ballot]:
    holders: dict[bytes, list[str]] = {}
    for name in recording.honest:
        state = recording.state(name, ms)
        if state.is_on and state.height:
            holders.setdefault(state.head, []).append(name)
    for head, names in sorted(holders.items(), key=lambda item: -len(item[1])):
        yield Ballot("branch", head, tuple(names), 0, len(recording.names))


# --- what one member knows ---------------------------------------------------------------------------------------


def proposer_of(recording: Recording, height: int, round_: int) -> str:
    """Return whose turn it is to propose."""
    return recording.name_of[proposer(recording.committee, height, round_)]


def heard_votes(recording: Recording, name: str, ms: int, kind: str) -> Mapping[bytes | None, tuple[str, ...]]:
    """Return whose votes of its present round a member knows, its own first, by what they are for."""
    state = recording.state(name, ms)
    place = (kind, state.at_height, state.round)
    found: dict[bytes | None, dict[str, None]] = {}
    for message in _known(recording, name, ms):
        said = message.saying
        if (said.kind, said.height, said.round) == place and said.author in recording.name_of:
            found.setdefault(said.block, {})[recording.name_of[said.author]] = None
    return {block: tuple(names) for block, names in found.items()}


def heard_proposal(recording: Recording, name: str, ms: int) -> Message | None:
    """Return the proposal of its present round that a member knows."""
    state = recording.state(name, ms)
    place = ("proposal", state.at_height, state.round)
    proposer = proposer_of(recording, state.at_height, state.round)
    for message in _known(recording, name, ms):
        said = message.saying
        if (said.kind, said.height, said.round) == place and recording.name_of.get(said.author) == proposer:
            return message
    return None


def _known(recording: Recording, name: str, ms: int) -> Iterator[Message]:
    yield from (m for m in _own(recording, ms) if m.sender == name)
    yield from recording.heard(name, ms)


def lock_of(recording: Recording, name: str, ms: int) -> tuple[bytes, int] | None:
    """Return the block that a member is locked on and the round it was; its own second vote locked it."""
    state = recording.state(name, ms)
    if state.said.get("locked_round", -1) < 0:
        return None
    for message in _own(recording, ms):
        said = message.saying
        is_lock = (said.kind, said.height, said.round) == ("precommit", state.at_height, state.said["locked_round"])
        if message.sender == name and is_lock and said.block:
            return said.block, said.round
    return None


def caught(recording: Recording, name: str, ms: int) -> tuple[str, ...]:
    """Return who has told this member two things that contradict each other, signed."""
    said: dict[tuple[str, int, int, bytes], set[bytes | None]] = {}
    for message in recording.heard(name, ms):
        key = message.saying
        if key.author in recording.name_of and key.kind in ("proposal", *VOTES):
            said.setdefault((key.kind, key.height, key.round, key.author), set()).add(key.block)
    return tuple(sorted({recording.name_of[author] for (*_, author), ids in said.items() if len(ids) > 1}))


@lru_cache(maxsize=8)
def versions(recording: Recording) -> Mapping[bytes, tuple[int, int]]:
    """Return (height, how many others of that height came before it) of every block that was spoken of."""
    seen: dict[bytes, tuple[int, int]] = {}
    count: Counter[int] = Counter()
    named = [(m.saying.block, m.saying.height) for m in recording.messages if m.saying.block and m.saying.height]
    for block, height in [*named, *((kept.id, kept.height) for kept in recording.kept)]:
        if block not in seen:
            seen[block] = height, count[height]
            count[height] += 1
    return seen


def label(recording: Recording, block: bytes) -> str:
    """Name a block by its height; a second one of the same height gets a prime, a third one two."""
    height, version = versions(recording).get(block, (0, 0))
    return f"{height}" + PRIME * version


def signers(committee: Committee, positions: tuple[int, ...]) -> tuple[str, ...]:
    """Return the names of those who signed a certificate."""
    return tuple(committee.members[position].name for position in positions)
