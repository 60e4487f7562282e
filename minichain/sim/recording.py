"""A recording: everything that happened in a run of a timeline, so that it can be looked at in any order afterwards.

It is made by watching real nodes and holds only what they really sent, kept and said of themselves. The same timeline
gives the same recording; to try something else, add a line to the timeline and record again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import msgspec

from minichain.codec import Plain
from minichain.consensus import bft, pow, raft
from minichain.consensus.bft.messages import author, is_signed
from minichain.crypto import is_valid_signature
from minichain.errors import DecodeError
from minichain.faults.adversaries import CORRECT
from minichain.faults.player import perform
from minichain.faults.timeline import Step, Timeline
from minichain.ledger.certificate import PREVOTE, FinalBlock
from minichain.ledger.committee import Committee
from minichain.ledger.genesis import Work
from minichain.node.interface import Event, Received
from minichain.node.messages import FinalBlocks, PeerMessage, Position, Transactions, read_peer_message
from minichain.sim.clients import Load
from minichain.sim.player import chain_of
from minichain.sim.world import World

MAX_MESSAGES: Final = 20_000  # then the recording ends; about ten seconds of thirteen members that talk all the time
WORK: Final = Work(difficulty=16, block_ms=1_000, confirmations=2)  # quick enough to be watched
SLICE_MS: Final = 250

# --- what is recorded --------------------------------------------------------------------------------------------


class Saying(Plain):
    """What a message says: `kind` is one of the words below; `block` the id it names, in bft None for nil.

    bft    proposal, prevote, precommit
    raft   ask, pre-ask, yes, pre-yes, no, entry, heartbeat, ack, mismatch, snapshot
    pow    block, tip, question, blocks, forgotten
    all    transactions, position, copy (of final blocks), noise
    """

    kind: str
    height: int = 0
    round: int = 0
    block: bytes | None = None
    index: int = 0  # of the last entry that is sent or acknowledged, in raft
    author: bytes = b""  # who signed it, where that may be somebody else than who sent it


class Message(Plain):
    """A message that a member sent; times are those of the timeline.

    `due_ms` is None if it got lost on the way, `seen_ms` is None unless it was handled. `post` counts the messages of
    its link.
    """

    number: int
    sender: str
    receiver: str
    saying: Saying
    post: int
    sent_ms: int
    due_ms: int | None
    seen_ms: int | None = None


class State(Plain):
    """A member from this time on. `height` is its last block's, `at_height` the one it works on."""

    ms: int
    is_on: bool
    is_paused: bool
    height: int
    head: bytes
    at_height: int
    round: int
    step: str
    said: Mapping[str, Any]  # the engine's own summary
    stopped_by: str = ""


class Kept(Plain):
    """A block that a member took for its chain: final at once, or, with work, once it lies deep enough.

    `undone_ms` is when it took the block back, if it did.
    """

    ms: int
    name: str
    final: FinalBlock
    final_ms: int | None
    undone_ms: int | None = None

    @property
    def height(self) -> int:
        return self.final.block.header.height

    @property
    def id(self) -> bytes:
        return self.final.block.header.id


class Conflict(Plain):
    """Two members hold different blocks of one height for final. `first` was there before."""

    ms: int
    first: Kept
    second: Kept


class Recording(Plain, dict=True, eq=False):
    """A run, from 0 to `end_ms`. `is_cut` says that more happened than a recording holds."""

    timeline: Timeline
    committee: Committee
    end_ms: int
    messages: tuple[Message, ...]
    states: Mapping[str, tuple[State, ...]]
    kept: tuple[Kept, ...]
    violations: tuple[str, ...]
    digest: str
    is_cut: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return self.timeline.names

    @cached_property
    def name_of(self) -> Mapping[bytes, str]:
        """Return the members' names by their keys."""
        return {member.public: member.name for member in self.committee.members}

    @cached_property
    def liars(self) -> frozenset[str]:
        """Return the members that the timeline makes adversaries at some time."""
        steps = self.timeline.steps
        return frozenset(s.args[0] for s in steps if s.verb == "behave" and s.args[1] != CORRECT)

    @cached_property
    def honest(self) -> tuple[str, ...]:
        return tuple(name for name in self.names if name not in self.liars)

    def state(self, name: str, ms: int) -> State:
        """Return how a member was at a time."""
        states = self.states[name]
        return states[max(0, bisect_right(states, ms, key=lambda state: state.ms) - 1)]

    def heard(self, name: str, ms: int) -> Iterator[Message]:
        """Yield what had reached a member by a time."""
        return (m for m in self.messages if m.receiver == name and m.seen_ms is not None and m.seen_ms <= ms)

    def finals(self, ms: int) -> Iterator[Kept]:
        """Yield the blocks that honest members held for final by a time, also those they took back since."""
        return (k for k in self.kept if k.final_ms is not None and k.final_ms <= ms and k.name not in self.liars)

    def submitted(self, ms: int) -> int:
        """Return how many transactions clients had sent by a time."""
        return sum(step.args[0] for step in self.timeline.steps if step.verb == "submit" and step.at_ms <= ms)

    def settled(self, ms: int) -> int:
        """Return how many transactions some honest member held for final at a time."""
        totals: dict[str, int] = {}
        for kept in self.finals(ms):
            if kept.undone_ms is None or kept.undone_ms > ms:
                totals[kept.name] = totals.get(kept.name, 0) + len(kept.final.block.txs)
        return max(totals.values(), default=0)

    @cached_property
    def conflicts(self) -> tuple[Conflict, ...]:
        """List the pairs of different final blocks of honest members, one for each height, oldest first."""
        found: dict[int, Conflict] = {}
        first: dict[int, Kept] = {}
        for kept in sorted(self.finals(self.end_ms), key=lambda kept: kept.final_ms or 0):
            before = first.setdefault(kept.height, kept)
            if before.id != kept.id and kept.height not in found:
                found[kept.height] = Conflict(kept.final_ms or 0, before, kept)
        return tuple(found.values())

    def conflict(self, ms: int) -> Conflict | None:
        """Return the first conflict up to a time."""
        return next((conflict for conflict in self.conflicts if conflict.ms <= ms), None)

    def reached(self, ms: int, within_ms: int) -> frozenset[str]:
        """Return the largest group of members in which everybody was heard by, and heard, another in the last time.

        That is measured: by what arrived, not by what the timeline says.
        """
        links = {(m.sender, m.receiver) for m in self.messages if m.seen_ms and ms - within_ms <= m.seen_ms <= ms}
        both = {(a, b) for a, b in links if (b, a) in links}
        groups = (_joined(name, both) for name in self.names)
        return max(groups, key=len, default=frozenset())


def _joined(name: str, links: set[tuple[str, str]]) -> frozenset[str]:
    found, fresh = {name}, {name}
    while fresh:
        fresh = {b for a, b in links if a in fresh} - found
        found |= fresh
    return frozenset(found)


def two_quorums(committee: Committee) -> tuple[int, int]:
    """Return how many equal members are a quorum, and how many of them any two quorums share at least."""
    size = len(committee.members)
    quorum = next(count for count in range(1, size + 1) if committee.is_quorum(count * committee.total // size))
    return quorum, 2 * quorum - size


# --- what may be done to a message ------------------------------------------------------------------------------


def single_out(recording: Recording, message: Message, hold_ms: int | None = None) -> Timeline:
    """Return the timeline in which this one message is lost, or held back."""
    at_ms = max(0, message.sent_ms - 1)
    link = (message.sender, message.receiver)
    earlier = {m.post for m in recording.messages if (m.sender, m.receiver) == link and m.sent_ms <= at_ms and at_ms}
    which = message.post - len(earlier)
    args = (which, (link,)) if hold_ms is None else (which, hold_ms, (link,))
    return with_step(recording.timeline, Step(at_ms, "lose" if hold_ms is None else "hold", args))


def with_step(timeline: Timeline, step: Step) -> Timeline:
    """Return the timeline with one more line, after those of the same time."""
    place = bisect_right(timeline.steps, step.at_ms, key=lambda other: other.at_ms)
    return msgspec.structs.replace(timeline, steps=(*timeline.steps[:place], step, *timeline.steps[place:]))


# --- recording ---------------------------------------------------------------------------------------------------


def record(timeline: Timeline, end_ms: int) -> Recording:
    """Run a timeline, and record it up to a time; lines after it are not reached."""
    genesis, keys = chain_of(timeline, WORK) if timeline.engine == "pow" else chain_of(timeline)
    recorder = _Recorder(WORK.confirmations if timeline.engine == "pow" else 1)
    world = World(genesis, keys, seed=timeline.seed, weather=timeline.weather, on_violation="note", observer=recorder)
    recorder.watch(world)
    load = Load(world, timeline.seed, timeline.clients)
    for step in timeline.steps:
        if step.at_ms > end_ms or not recorder.wait(load, step.at_ms):
            break
        perform(world, load, step)
        recorder.look_at_all()
    recorder.wait(load, end_ms)
    return recorder.result(timeline, genesis.committee)


class _Recorder:
    """Watches a world. What it has not seen the end of yet, it keeps in lists."""

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._messages: list[Message] = []
        self._waiting: dict[int, tuple[Received, int]] = {}  # identity of an event -> the event, its message
        self._posts: dict[tuple[str, str], int] = {}
        self._states: dict[str, list[State]] = {}
        self._kept: list[Kept] = []
        self._chains: dict[str, dict[int, int]] = {}  # member -> height -> where in `_kept` its block is
        self._sayings: dict[bytes, Saying] = {}

    def watch(self, world: World) -> None:
        """Begin with this world."""
        self._world = world
        self._states = {name: [] for name in world.names}
        self._chains = {name: {} for name in world.names}

    @property
    def is_full(self) -> bool:
        return len(self._messages) >= MAX_MESSAGES

    def wait(self, load: Load, until_ms: int) -> bool:
        """Let time pass in small slices; False if the recording is full before it is over."""
        while self._world.elapsed_ms < until_ms and not self.is_full:
            load.wait(min(SLICE_MS, until_ms - self._world.elapsed_ms))
        return not self.is_full

    def on_sent(self, sender: str, receiver: str, data: bytes, arrivals: Sequence[tuple[int, Received]]) -> None:
        """Note what arrives: what the network has spoilt is heard as noise, and so is a forged vote."""
        post = self._posts[sender, receiver] = self._posts.get((sender, receiver), 0) + 1
        now = self._world.elapsed_ms
        for delay_ms, event in arrivals:
            saying = self._saying(event.data)
            self._waiting[id(event)] = event, len(self._messages)
            self._messages.append(Message(len(self._messages), sender, receiver, saying, post, now, now + delay_ms))
        if not arrivals:
            self._messages.append(Message(len(self._messages), sender, receiver, self._saying(data), post, now, None))

    def on_turn(self, name: str, event: Event) -> None:
        found = self._waiting.pop(id(event), None)
        if found:
            seen = msgspec.structs.replace(self._messages[found[1]], seen_ms=self._world.elapsed_ms)
            self._messages[found[1]] = seen
        self._look_at(name)

    def look_at_all(self) -> None:
        """Look at everybody, after something was done to the world from outside; who was off has not begun yet."""
        for name, states in self._states.items():
            if self._world.node(name) is None or (states and states[-1].is_on):
                self._look_at(name)

    def _saying(self, data: bytes) -> Saying:
        if data not in self._sayings:
            try:
                message = read_peer_message(data)
                is_forged = isinstance(message, bft.Message) and not self._is_signed(message)
                self._sayings[data] = Saying("noise") if is_forged else saying_of(message)
            except DecodeError:
                self._sayings[data] = Saying("noise")
        return self._sayings[data]

    def _is_signed(self, message: bft.Message) -> bool:
        return is_signed(message, self._world.genesis.hash, is_valid_signature)

    def _look_at(self, name: str) -> None:
        world = self._world
        head, states = world.head(name), self._states[name]
        if not states or states[-1].head != head:
            self._follow_chain(name)
        state = self._state(name, head)
        if not states or msgspec.structs.replace(states[-1], ms=state.ms) != state:
            states.append(state)

    def _state(self, name: str, head: bytes) -> State:
        world = self._world
        node, now, height = world.node(name), world.elapsed_ms, world.store(name).height()
        if node is None:
            return State(now, False, False, height, head, height + 1, 0, "off", {}, world.why_off(name))
        said = node.engine_summary
        is_paused = world.is_paused(name)
        return State(now, True, is_paused, height, head, said["height"], said["round"], said["step"], said)

    def _follow_chain(self, name: str) -> None:
        """Note which blocks a member took back and took on since it was last looked at, and which are final now."""
        store, chain, now = self._world.store(name), self._chains[name], self._world.elapsed_ms
        while chain and not self._has(store.block(max(chain)), self._kept[chain[max(chain)]]):
            at = chain.pop(max(chain))
            self._kept[at] = msgspec.structs.replace(self._kept[at], undone_ms=now)
        for height in range(max(chain, default=0) + 1, store.height() + 1):
            if block := store.block(height):  # who began with a snapshot has no block from before it
                chain[height] = len(self._kept)
                self._kept.append(Kept(now, name, block, None))
        for height, at in chain.items():
            if height <= store.height() - self._depth + 1 and self._kept[at].final_ms is None:
                self._kept[at] = msgspec.structs.replace(self._kept[at], final_ms=now)

    @staticmethod
    def _has(block: FinalBlock | None, kept: Kept) -> bool:
        return block is not None and block.block.header.id == kept.id

    def result(self, timeline: Timeline, committee: Committee) -> Recording:
        """Return what was seen."""
        return Recording(
            timeline,
            committee,
            self._world.elapsed_ms,
            tuple(self._messages),
            {name: tuple(states) for name, states in self._states.items()},
            tuple(self._kept),
            tuple(self._world.checkers.violations),
            self._world.trace.digest(),
            self.is_full,
        )


# --- what messages say -------------------------------------------------------------------------------------------


def saying_of(message: PeerMessage) -> Saying:
    """Return what a message says, whatever engine it is of."""
    match message:
        case bft.Proposal(height, round_, block):
            return Saying("proposal", height, round_, block.header.id, author=author(message))
        case bft.Vote(kind, height, round_, block_id):
            said = "prevote" if kind == PREVOTE else "precommit"
            return Saying(said, height, round_, block_id, author=author(message))
        case Transactions(txs):
            return Saying("transactions", len(txs))
        case Position(height, round_):
            return Saying("position", height, round_)
        case FinalBlocks(blocks):
            return _of_blocks("copy", blocks)
    return _of_work(message) if isinstance(message, pow.Message) else _of_log(message)


def _of_blocks(kind: str, blocks: Iterable[FinalBlock]) -> Saying:
    last = list(blocks)[-1:]
    return Saying(kind, last[0].block.header.height, 0, last[0].block.header.id) if last else Saying(kind)


def _of_work(message: Any) -> Saying:
    match message:
        case pow.Sealed(final):
            return _of_blocks("block", [final])
        case pow.Tip(block_id, height):
            return Saying("tip", height, 0, block_id if height else None)
        case pow.Blocks(blocks):
            return _of_blocks("blocks", blocks)
        case pow.Ask(_, target):
            return Saying("question", 0, 0, target)
    return Saying("forgotten")


def _of_log(message: Any) -> Saying:
    match message:
        case raft.RequestVote(term, _, _, pre_vote):
            return Saying("pre-ask" if pre_vote else "ask", 0, term)
        case raft.VoteReply(term, pre_vote, granted):
            return Saying(("pre-yes" if pre_vote else "yes") if granted else "no", 0, term)
        case raft.AppendEntries(term, height, previous, _, entries):
            blocks = [entry.block for entry in entries if entry.block]
            block_id = blocks[-1].header.id if blocks else None
            return Saying("entry" if entries else "heartbeat", height, term, block_id, previous + len(entries))
        case raft.AppendReply(term, matches, index):
            return Saying("ack" if matches else "mismatch", 0, term, index=index)
    return Saying("snapshot")
