"""Algorithm 1 of Tendermint (Buchman, Kwon, Milosevic, arXiv:1807.04938v3), rule by rule, with its line numbers.

This file does not know about messages, signatures or timers: it reads the counts of one height and answers with what
the paper says to do. "2f+1" and "f+1" are weights and are computed in `ledger.committee` alone.

| what was received                   | propose  | prevote        | precommit   | any step           |
| ----------------------------------- | -------- | -------------- | ----------- | ------------------ |
| proposal, never voted on            | 22       |                |             |                    |
| proposal + 2f+1 prevotes of vr      | 28       |                |             |                    |
| 2f+1 prevotes, any                  |          | 34 (timeout)   |             |                    |
| proposal + 2f+1 prevotes for it     |          | 36 (lock)      | 36 (valid)  |                    |
| 2f+1 prevotes for nil               |          | 44             |             |                    |
| 2f+1 precommits, any                |          |                |             | 47 (timeout)       |
| proposal + 2f+1 precommits for it   |          |                |             | 49 (decide)        |
| f+1 messages of a later round       |          |                |             | 55 (skip)          |

One thing is added: `valid(v)` and `getValue()` take time, because a block is executed. A rule whose `valid(v)` is not
known yet does not fire, and a proposer that waits for its block gives up with everybody else (line 57). The paper's
model, in which processes are as slow as they like, allows both.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from minichain.codec import Plain
from minichain.consensus.bft.votes import Log
from minichain.ledger.certificate import PRECOMMIT, PREVOTE
from minichain.ledger.types import Block


class Step(IntEnum):
    """Where a process is within its round."""

    PROPOSE = 0
    PREVOTE = 1
    PRECOMMIT = 2


class Do(Plain):
    """Something the paper says to do, and the line that says it."""

    line: int


class Propose(Do):
    """broadcast PROPOSAL; `block` None means getValue()."""

    block: Block | None
    valid_round: int


class CastVote(Do):
    """broadcast PREVOTE or PRECOMMIT; `block` None means nil."""

    kind: int
    block: Block | None


class Schedule(Do):
    """schedule OnTimeout... for the current round."""

    step: Step


class Hold(Do):
    """Keep the new valid value (it is the locked value too, or will be needed in its place)."""

    block: Block


class Commit(Do):
    """decision <- v."""

    block: Block
    round: int


Action = Propose | CastVote | Schedule | Hold | Commit


class Rounds:
    """The variables of Algorithm 1 for one process at one height."""

    def __init__(self, log: Log, am_proposer: Callable[[int], bool], valid: dict[bytes, bool]) -> None:
        self._log = log
        self._am_proposer = am_proposer
        self._valid = valid  # block id -> valid(v), once known
        self.round = -1  # not started
        self.step = Step.PROPOSE
        self.locked_block: Block | None = None
        self.locked_round = -1
        self.valid_block: Block | None = None
        self.valid_round = -1
        self.decided = False
        self._done: set[tuple[int, int]] = set()  # (line, round) of the rules "for the first time"

    def start_round(self, round_: int, line: int) -> list[Action]:
        """StartRound, lines 11 to 21."""
        self.round = round_
        self.step = Step.PROPOSE
        wait = Schedule(line, Step.PROPOSE)
        if not self._am_proposer(round_):
            return [wait]
        propose = Propose(line, self.valid_block, self.valid_round)
        return [propose] if self.valid_block else [propose, wait]

    def on_timeout(self, step: Step, round_: int) -> list[Action]:
        """OnTimeoutPropose, OnTimeoutPrevote and OnTimeoutPrecommit, lines 57 to 67."""
        if round_ != self.round or self.decided:
            return []
        if step == Step.PRECOMMIT:
            return self.start_round(self.round + 1, 67)
        if step != self.step:
            return []
        if step == Step.PROPOSE:
            return self._prevote(None, 59)
        return self._precommit(None, 63)

    def next_action(self) -> list[Action]:
        """Apply the first rule whose condition holds; an empty list means that none does."""
        if self.decided or self.round < 0:
            return []
        for rule in _RULES:
            actions = rule(self)
            if actions:
                return actions
        return []

    # --- the rules, each returning [] while its condition does not hold ---

    def _line_49(self) -> list[Action]:
        decided_round = self._log.decided_round
        if decided_round is None:
            return []
        block = self._proposed(decided_round, self._log.precommits(decided_round).quorum_id)
        if block is None or not self._is_valid(block):
            return []
        self.decided = True
        return [Commit(49, block, decided_round)]

    def _line_55(self) -> list[Action]:
        later = self._log.round_reached_by_correct(self.round)
        return [] if later is None else self.start_round(later, 55)

    def _line_22(self) -> list[Action]:
        proposal = self._log.proposals.get(self.round)
        if self.step != Step.PROPOSE or proposal is None or proposal.valid_round != -1:
            return []
        return self._judge(proposal.block, self.locked_round == -1, 24)

    def _line_28(self) -> list[Action]:
        proposal = self._log.proposals.get(self.round)
        if self.step != Step.PROPOSE or proposal is None or not 0 <= proposal.valid_round < self.round:
            return []
        if self._log.prevotes(proposal.valid_round).quorum_id != proposal.block.header.id:
            return []
        return self._judge(proposal.block, self.locked_round <= proposal.valid_round, 30)

    def _line_34(self) -> list[Action]:
        if self.step != Step.PREVOTE or not self._log.prevotes(self.round).any_quorum or not self._first(34):
            return []
        return [Schedule(35, Step.PREVOTE)]

    def _line_36(self) -> list[Action]:
        if self.step < Step.PREVOTE or (36, self.round) in self._done:
            return []
        block = self._proposed(self.round, self._log.prevotes(self.round).quorum_id)
        if block is None or not self._is_valid(block):
            return []
        self._first(36)
        self.valid_block, self.valid_round = block, self.round
        if self.step != Step.PREVOTE:
            return [Hold(42, block)]
        self.locked_block, self.locked_round = block, self.round
        return [Hold(38, block), *self._precommit(block, 40)]

    def _line_44(self) -> list[Action]:
        if self.step != Step.PREVOTE or self._log.prevotes(self.round).quorum_id is not None:
            return []
        return self._precommit(None, 45)

    def _line_47(self) -> list[Action]:
        if not self._log.precommits(self.round).any_quorum or not self._first(47):
            return []
        return [Schedule(48, Step.PRECOMMIT)]

    # --- what the rules share ---

    def _first(self, line: int) -> bool:
        mark = (line, self.round)
        fresh = mark not in self._done
        self._done.add(mark)
        return fresh

    def _proposed(self, round_: int, block_id: bytes | bool | None) -> Block | None:
        """Return the block proposed in a round if it is the one with this id."""
        proposal = self._log.proposals.get(round_)
        return proposal.block if proposal and proposal.block.header.id == block_id else None

    def _is_valid(self, block: Block) -> bool:
        return self._valid.get(block.header.id, False)

    def _judge(self, block: Block, unlocked: bool, line: int) -> list[Action]:
        """Prevote the proposed block if it is valid and no lock forbids it, else nil (lines 23-27 and 29-33)."""
        valid = self._valid.get(block.header.id)
        if valid is None:
            return []
        is_locked_block = self.locked_block is not None and self.locked_block.header.id == block.header.id
        return self._prevote(block if valid and (unlocked or is_locked_block) else None, line)

    def _prevote(self, block: Block | None, line: int) -> list[Action]:
        self.step = Step.PREVOTE
        return [CastVote(line, PREVOTE, block)]

    def _precommit(self, block: Block | None, line: int) -> list[Action]:
        self.step = Step.PRECOMMIT
        return [CastVote(line, PRECOMMIT, block)]


_RULES: tuple[Callable[[Rounds], list[Action]], ...] = (
    Rounds._line_49,
    Rounds._line_55,
    Rounds._line_22,
    Rounds._line_28,
    Rounds._line_34,
    Rounds._line_36,
    Rounds._line_44,
    Rounds._line_47,
)
