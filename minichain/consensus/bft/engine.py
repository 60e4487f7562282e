"""The `bft` engine: Tendermint's rules between checked messages on one side and effects on the other.

Bad input is data here: a message that is not from a member, not signed, or for another height is dropped; two that
contradict each other become evidence. Nothing a peer sends raises.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from minichain.codec import Record, decode_own, encode
from minichain.consensus.bft import rounds
from minichain.consensus.bft.messages import (
    Message,
    Proposal,
    Vote,
    author,
    cast_vote,
    is_signed,
    read_own,
    sign_proposal,
)
from minichain.consensus.bft.rounds import Rounds, Step
from minichain.consensus.bft.votes import MAX_ROUNDS_AHEAD, Log, contradiction
from minichain.consensus.interface import (
    Accuse,
    Begin,
    Behind,
    Build,
    Built,
    Decide,
    Effect,
    Event,
    Heard,
    Judge,
    Judged,
    Remember,
    Setup,
    StartTimer,
    Tell,
    TimedOut,
    Timer,
    Work,
)
from minichain.crypto import DIGEST_SIZE
from minichain.ledger.certificate import PRECOMMIT, PREVOTE, QuorumCertificate, in_order
from minichain.ledger.committee import Committee
from minichain.ledger.types import Block
from minichain.merkle import root

MAX_EARLY_MESSAGES = 8  # kept for each member's messages of the next height
MAX_ROUND = 2**31
SAID: Final = b"said"  # names what this validator said, in its order
MESSAGES: Final = (Proposal, Vote)
HELD: Final = b"held"  # names the blocks that it may have to propose again, each with its proof of lock


class Held(Record):
    """A valid block, and the prevotes that made it so.

    Without them a member that comes back could never show why it is locked: who has cast one of them may deny it now,
    and the others wait for line 28. (CometBFT keeps all that it has heard, in its write-ahead log.)
    """

    block: Block
    round: int
    prevotes: tuple[Vote, ...]


class Bft:
    """One validator's Tendermint engine."""

    def __init__(self, setup: Setup) -> None:
        self._key = setup.key
        self._genesis = setup.genesis
        self._timeouts = setup.spec.timeouts
        self._is_valid = setup.is_valid
        self._memory = dict(setup.memory)  # what it still has to remember
        self._said = len(self._memory)
        self.height = 0
        self.rejected = 0
        self._committee: Committee
        self._proposer_of: Callable[[int], bytes]
        self._log: Log
        self._rounds: Rounds
        self._valid: dict[bytes, bool] = {}
        self._asked: set[bytes] = set()
        self._early: dict[bytes, list[Message]] = {}
        self._accused: set[tuple[bytes, int]] = set()
        self.last_line = 0  # the paper's line that acted last, for the trace

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        """Take one event; return what must be done, in order."""
        match event:
            case Heard() if self.height:
                heard = self._receive(event.sender, event.message)
                if heard is None:
                    return []
                effects = heard
            case Begin():
                return self._begin(event, now_ms)
            case _ if not self.height:
                return []
            case Work():
                effects = self._perform(self._start())
            case TimedOut(timer):
                effects = self._on_timer(timer)
            case Built(height, round_, block):
                effects = self._on_built(height, round_, block)
            case Judged(block_id, valid):
                self._valid[block_id] = valid
                effects = []
            case _:
                return []
        return effects + self._advance() + self._ask_to_judge()

    def heard(self) -> bytes:
        """Return a bit for each vote heard in this round: in the committee's order, prevotes before precommits."""
        voters = [self._log.voters(kind, self._rounds.round) for kind in (PREVOTE, PRECOMMIT)]
        order = self._committee.members
        bits = [member.public in heard for heard in voters for member in order]
        return sum(bit << place for place, bit in enumerate(bits)).to_bytes(-(-len(bits) // 8), "little")

    def recall(self, round_: int, heard: bytes) -> list[Any]:
        """Return the messages that help a member in `round_`: that round's, this one's, the valid one's."""
        current = self._rounds
        wanted = {round_, current.round, current.valid_round, self._log.decided_round or 0}
        known = int.from_bytes(heard[: 2 * len(self._committee.members)], "little")
        return [m for m in self._log.messages_of(wanted) if not self._has_heard(m, round_, known)]

    def _has_heard(self, message: Message, round_: int, known: int) -> bool:
        if not isinstance(message, Vote) or message.round != round_:
            return False
        place = self._committee.order[message.voter] + (message.kind == PRECOMMIT) * len(self._committee.members)
        return bool(known >> place & 1)

    def summary(self) -> dict[str, Any]:
        """Return what people may see of the engine."""
        current = self._rounds
        return {
            "height": self.height,
            "round": max(current.round, 0),
            "step": "idle" if current.round < 0 else current.step.name.lower(),
            "locked_round": current.locked_round,
        }

    # --- events ---

    def _begin(self, begin: Begin, now_ms: int) -> list[Effect]:
        self.height, self._committee, self._proposer_of = begin.height, begin.committee, begin.proposer_of
        self._log = Log(begin.committee)
        self._valid, self._asked = {}, set()
        self._rounds = Rounds(self._log, lambda r: self._proposer_of(r) == self._key.public, self._valid)
        effects = self._restore()
        early, self._early = self._early, {}
        for message in [message for messages in early.values() for message in messages]:
            effects += self.handle(Heard(author(message), message), now_ms)
        return effects

    def _restore(self) -> list[Effect]:
        """Return to where this validator was: its own messages say which steps it has taken and what it locked.

        What it remembers of another height is decided by now.
        """
        told = [read_own(data) for name, data in sorted(self._memory.items()) if name.startswith(SAID)]
        held = [decode_own(data, Held) for name, data in self._memory.items() if name.startswith(HELD)]
        said = [message for message in told if message.height == self.height]
        if not said:
            return self._forget()
        return self._resume(said, [one for one in held if one.block.header.height == self.height])

    def _forget(self) -> list[Effect]:
        forgotten: list[Effect] = [Remember(name, None) for name in self._memory]
        self._memory, self._said = {}, 0
        return forgotten

    def _resume(self, said: list[Message], held: list[Held]) -> list[Effect]:
        current, blocks = self._rounds, {one.block.header.id: one.block for one in held}
        for message in said:
            self._log.add(message, message.round)
            current.round = message.round
            if isinstance(message, Proposal):
                current.step = Step.PROPOSE
                blocks[message.block.header.id] = message.block
                continue
            current.step = Step.PREVOTE if message.kind == PREVOTE else Step.PRECOMMIT
            # Who had lost its memory may have repeated a precommit that others told it of, for a block it lacks.
            if message.kind == PRECOMMIT and message.block_id in blocks:
                current.locked_block, current.locked_round = blocks[message.block_id], message.round
        for one in sorted(held, key=lambda one: one.round):
            current.valid_block, current.valid_round = one.block, one.round
            for vote in one.prevotes:
                self._log.add_again(vote)
        again: list[Effect] = [Tell(message) for message in said if message.round == current.round]
        return again + self._advance() + self._ask_to_judge()

    def _start(self) -> list[rounds.Action]:
        """Line 10: StartRound(0), put off until there is something to decide or somebody else has begun."""
        return self._rounds.start_round(0, 10) if self._rounds.round < 0 else []

    def _receive(self, sender: bytes, message: Any) -> list[Effect] | None:
        """Take a message; None if it changes nothing that a rule looks at. Who passed it on does not matter."""
        if not isinstance(message, MESSAGES):
            self.rejected += 1
            return None
        if message.height > self.height:
            if message.height == self.height + 1:
                self._keep_early(message)
            return [Behind(sender)]
        if message.height < self.height or not _is_meaningful(message):
            return None
        return self._hear(message)

    def _hear(self, message: Message) -> list[Effect] | None:
        earlier = self._log.earlier(message)
        if earlier is not None and contradiction(earlier, message) is None:
            return None
        if not self._is_acceptable(message):
            self.rejected += 1
            return None
        if earlier is not None:
            self._log.add_second(message)
            return self._accuse(earlier, message)
        if self._log.add(message, self._rounds.round) or self._rounds.round < 0:
            return self._perform(self._start())
        return None

    def _is_acceptable(self, message: Message) -> bool:
        """Check author, form and signature; a proposal's transactions must be those its block id stands for."""
        if not self._is_from_member(message):
            return False
        if isinstance(message, Vote):
            return message.block_id is None or len(message.block_id) == DIGEST_SIZE
        header = message.block.header
        return (
            message.proposer == self._proposer_of(message.round)
            and -1 <= message.valid_round < message.round
            and (message.valid_round >= 0 or header.proposer == message.proposer)
            and header.height == message.height
            and header.genesis == self._genesis
            and root(message.block.txs) == header.tx_root
        )

    def _is_from_member(self, message: Message) -> bool:
        return self._committee.weight(author(message)) > 0 and is_signed(message, self._genesis, self._is_valid)

    def _keep_early(self, message: Message) -> None:
        # The committee of the next height may differ; whoever is in neither is not kept. The signature is checked
        # already now, or anybody could fill the place of another member's messages.
        kept = self._early.get(author(message), [])
        if len(kept) < MAX_EARLY_MESSAGES and message not in kept and self._is_from_member(message):
            self._early[author(message)] = [*kept, message]

    def _accuse(self, earlier: Message, later: Message) -> list[Effect]:
        mark = (author(later), self.height)
        evidence = contradiction(earlier, later)
        if mark in self._accused or evidence is None:
            return []
        self._accused = {kept for kept in self._accused if kept[1] == self.height} | {mark}
        return [Accuse(evidence)]

    def _on_timer(self, timer: Timer) -> list[Effect]:
        if timer.height != self.height:
            return []
        return self._perform(self._rounds.on_timeout(Step[timer.kind], timer.round))

    def _on_built(self, height: int, round_: int, block: Block) -> list[Effect]:
        current = self._rounds
        stale = (height, round_) != (self.height, current.round) or current.step != Step.PROPOSE or current.decided
        if stale or round_ in self._log.proposals:
            return []
        self._valid[block.header.id] = True
        return self._say(sign_proposal(self._key, self._genesis, height, round_, block, -1))

    # --- rules to effects ---

    def _advance(self) -> list[Effect]:
        effects: list[Effect] = []
        while actions := self._rounds.next_action():
            effects += self._perform(actions)
        return effects

    def _perform(self, actions: list[rounds.Action]) -> list[Effect]:
        effects: list[Effect] = []
        for action in actions:
            self.last_line = action.line
            effects += self._translate(action)
        return effects

    def _translate(self, action: rounds.Action) -> list[Effect]:
        current = self._rounds
        match action:
            case rounds.Propose(_, None, _):
                # In later rounds members disagree about what waits: an empty block lets them all go back to rest.
                return [Build(self.height, current.round, may_be_empty=current.round > 0)]
            case rounds.Propose(_, block, valid_round):
                assert block is not None
                proposal = sign_proposal(self._key, self._genesis, self.height, current.round, block, valid_round)
                return self._say(proposal)
            case rounds.CastVote(_, kind, voted):
                block_id = None if voted is None else voted.header.id
                return self._say(cast_vote(self._key, self._genesis, kind, self.height, current.round, block_id))
            case rounds.Schedule(_, step):
                return [StartTimer(Timer(step.name, self.height, current.round), self._delay(step))]
            case rounds.Hold(_, block):
                return self._hold(block, current.round)
            case rounds.Commit(_, block, round_):
                block_id = block.header.id
                precommits = self._log.precommits(round_).for_block(block_id)
                signatures = {vote.voter: vote.signature for vote in precommits}
                ordered = in_order(self._committee, signatures)
                return [Decide(block, QuorumCertificate(self.height, round_, block_id, ordered))]

    def _say(self, message: Message) -> list[Effect]:
        """Send a message to everybody, this validator included; who is no member only listens.

        Another member may have told it what it said here before it lost its memory: it stands by that.
        """
        if self._committee.weight(self._key.public) == 0:
            return []
        earlier = self._log.earlier(message)
        if earlier is None:
            self._log.add(message, self._rounds.round)
        message = earlier or message
        self._said += 1
        return [*self._remember(SAID + self._said.to_bytes(8), encode(message)), Tell(message)]

    def _hold(self, block: Block, round_: int) -> list[Effect]:
        name = HELD + block.header.id + round_.to_bytes(8)
        prevotes = self._log.prevotes(round_).for_block(block.header.id)
        return [] if name in self._memory else self._remember(name, encode(Held(block, round_, prevotes)))

    def _remember(self, name: bytes, data: bytes) -> list[Effect]:
        self._memory[name] = data
        return [Remember(name, data)]

    def _ask_to_judge(self) -> list[Effect]:
        """Ask once about every proposed block; those of rounds that may still matter are all kept in the log."""
        effects: list[Effect] = []
        for proposal in self._log.proposals.values():
            block_id = proposal.block.header.id
            if block_id not in self._valid and block_id not in self._asked:
                self._asked.add(block_id)
                effects.append(Judge(proposal.block))
        return effects

    def _delay(self, step: Step) -> int:
        base = (self._timeouts.propose, self._timeouts.prevote, self._timeouts.precommit)[step]
        return base + self._timeouts.growth * self._rounds.round


def _is_meaningful(message: Message) -> bool:
    if isinstance(message, Vote) and message.kind not in (PREVOTE, PRECOMMIT):
        return False
    return 0 <= message.round <= MAX_ROUND


__all__ = ["MAX_EARLY_MESSAGES", "MAX_ROUNDS_AHEAD", "Bft"]
