"""The `bft` engine: Tendermint's rules between checked messages on one side and effects on the other.

Bad input is data here: a message that is not from a member, not signed, or for another height is dropped; two that
contradict each other become evidence. Nothing a peer sends raises.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minichain.consensus.bft import rounds
from minichain.consensus.bft.messages import Message, Proposal, Vote, author, cast_vote, is_signed, sign_proposal
from minichain.consensus.bft.rounds import Rounds, Step
from minichain.consensus.bft.votes import MAX_ROUNDS_AHEAD, Log, contradiction
from minichain.consensus.interface import (
    Accuse,
    Begin,
    Build,
    Built,
    Decide,
    Effect,
    Event,
    Heard,
    Hold,
    Judge,
    Judged,
    StartTimer,
    Tell,
    TimedOut,
    Timer,
    Work,
)
from minichain.crypto import DIGEST_SIZE, KeyPair, SignatureCheck, is_valid_signature
from minichain.ledger.certificate import PRECOMMIT, PREVOTE, certify
from minichain.ledger.committee import Committee
from minichain.ledger.genesis import Timeouts
from minichain.ledger.types import Block
from minichain.merkle import root

MAX_EARLY_MESSAGES = 8  # kept for each member's messages of the next height
MAX_ROUND = 2**31


class Bft:
    """One validator's Tendermint engine."""

    def __init__(
        self, key: KeyPair, genesis: bytes, timeouts: Timeouts, is_valid: SignatureCheck = is_valid_signature
    ) -> None:
        self._key = key
        self._genesis = genesis
        self._timeouts = timeouts
        self._is_valid = is_valid
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
            case Heard(message) if self.height:
                heard = self._hear(message)
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
        return effects + self._advance() + self._ask_to_judge()

    def recall(self, round_: int) -> list[Any]:
        """Return the messages that help a member in `round_`: that round's, this one's, the valid one's."""
        current = self._rounds
        wanted = {round_, current.round, current.valid_round, self._log.decided_round or 0}
        return list(self._log.messages_of(wanted))

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
        effects = self._restore(begin)
        early, self._early = self._early, {}
        for message in [message for messages in early.values() for message in messages]:
            effects += self.handle(Heard(message), now_ms)
        return effects

    def _restore(self, begin: Begin) -> list[Effect]:
        """Return to where this validator was: its own messages say which steps it has taken and what it locked."""
        current, blocks = self._rounds, {block.header.id: block for block in begin.held}
        for message in begin.said:
            if self._log.earlier(message) is not None:
                continue  # said again after an earlier crash
            self._log.add(message, message.round)
            current.round = message.round
            if isinstance(message, Proposal):
                current.step = Step.PROPOSE
                blocks[message.block.header.id] = message.block
                continue
            current.step = Step.PREVOTE if message.kind == PREVOTE else Step.PRECOMMIT
            if message.kind == PRECOMMIT and message.block_id is not None:
                current.locked_block = current.valid_block = blocks[message.block_id]
                current.locked_round = current.valid_round = message.round
        again: list[Effect] = [Tell(message) for message in begin.said if message.round == current.round]
        return again + self._advance() + self._ask_to_judge()

    def _start(self) -> list[rounds.Action]:
        """Line 10: StartRound(0), put off until there is something to decide or somebody else has begun."""
        return self._rounds.start_round(0, 10) if self._rounds.round < 0 else []

    def _hear(self, message: Message) -> list[Effect] | None:
        """Take a member's message; None if it changes nothing that a rule looks at."""
        if message.height == self.height + 1:
            self._keep_early(message)
        if message.height != self.height or not _is_meaningful(message):
            return None
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
                return [Build(self.height, current.round)]
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
                return [Hold(block)]
            case rounds.Commit(_, block, round_):
                block_id = block.header.id
                signatures = self._log.precommits(round_).signatures_for(block_id)
                return [Decide(block, certify(self._committee, self.height, round_, block_id, signatures))]

    def _say(self, message: Message) -> list[Effect]:
        """Send a message to everybody, this validator included."""
        self._log.add(message, self._rounds.round)
        return [Tell(message)]

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
    is_known = isinstance(message, Proposal) or message.kind in (PREVOTE, PRECOMMIT)
    return is_known and 0 <= message.round <= MAX_ROUND


__all__ = ["MAX_EARLY_MESSAGES", "MAX_ROUNDS_AHEAD", "Bft"]
