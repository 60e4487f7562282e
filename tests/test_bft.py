"""Tendermint against its paper: one test for each rule of Algorithm 1 (arXiv:1807.04938v3), named by its lines.

Then four engines in a bad network: they may be slow, but they never disagree and never contradict themselves.
A failing seed is in the test's name: `pytest tests/test_bft.py -k "seed and 17"`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec
import pytest

from minichain.codec import Record, encode
from minichain.consensus.bft import Bft, Equivocation, Proposal, Vote
from minichain.consensus.bft.engine import HELD, MAX_EARLY_MESSAGES, MAX_ROUNDS_AHEAD, SAID
from minichain.consensus.bft.messages import author, cast_vote, read_own, sign_proposal
from minichain.consensus.interface import (
    Accuse,
    Begin,
    Behind,
    Build,
    Built,
    Decide,
    Effect,
    Heard,
    Judge,
    Judged,
    Mined,
    Remember,
    Setup,
    StartTimer,
    Tell,
    Tick,
    TimedOut,
    Timer,
    Work,
)
from minichain.crypto import DIGEST_SIZE, is_valid_signature
from minichain.ledger.certificate import PRECOMMIT, PREVOTE
from minichain.ledger.committee import Committee
from minichain.ledger.genesis import Timeouts
from minichain.ledger.types import Block, Header
from minichain.merkle import root
from tests.builders import committee, genesis, key

CHAIN = b"\7" * 32
FOUR = committee(1, 1, 1, 1)
TIMEOUTS = Timeouts(propose=1_000, prevote=500, precommit=300, growth=10)
SPEC = genesis(timeouts=TIMEOUTS).spec
NOTHING: Final[Mapping[bytes, bytes]] = MappingProxyType({})


NAMES: dict[bytes, str] = {}


def block(name: str, height: int = 1, proposer: int = 0, txs: tuple[bytes, ...] = ()) -> Block:
    """Return a block; its name makes it different from others."""
    fields: dict[str, Any] = {field: bytes(32) for field in Header.__struct_fields__}
    fields |= {"genesis": CHAIN, "height": height, "time_ms": 0, "tx_count": len(txs), "tx_root": root(txs)}
    fields |= {"state_root": name.encode().ljust(32, b"."), "proposer": key(f"node-{proposer}").public}
    made = Block(Header(**fields), txs)
    NAMES[made.header.id] = name
    return made


def block_id(value: Block | None) -> bytes | None:
    return None if value is None else value.header.id


A, B = block("A"), block("B")


def engine_of(me: int, memory: Mapping[bytes, bytes]) -> Bft:
    return Bft(Setup(key(f"node-{me}"), CHAIN, SPEC, is_valid_signature, random.Random(me), dict(memory)))


def begin(height: int, group: Committee = FOUR) -> Begin:
    """Return the beginning of a height, in whose round r member r proposes."""
    publics = [member.public for member in group.members]
    return Begin(height, bytes(32), group, lambda r: publics[r % len(publics)])


def keep(memory: dict[bytes, bytes], effects: Iterable[Effect]) -> None:
    """Do to the memory what a node does; and look whether everything is remembered that is said."""
    for effect in effects:
        match effect:
            case Remember(name, None):
                del memory[name]
            case Remember(name, data):
                assert name not in memory or memory[name] == data, "what was remembered under this name is lost"
                memory[name] = data
            case Tell(message):
                assert encode(message) in memory.values(), f"said, and not remembered: {message}"


class Process:
    """One engine at height 1; `hear` speaks with the voices of the others. Proposers: node-0 in round 0, and so on.

    `memory` is what its effects made of the memory that it was started with.
    """

    def __init__(self, me: int, group: Committee = FOUR, memory: Mapping[bytes, bytes] = NOTHING) -> None:
        self.me, self.group = me, group
        self.memory = dict(memory)
        self.engine = engine_of(me, memory)
        self.first = self.do(begin(1, group))

    def restarted(self) -> Process:
        return Process(self.me, self.group, self.memory)

    def do(self, event: Any) -> list[Effect]:
        effects = self.engine.handle(event, 0)
        keep(self.memory, effects)
        return effects

    def hear(self, *messages: Any) -> list[Effect]:
        """Hear messages from their authors; what is none comes from node-0."""
        return [effect for message in messages for effect in self.do(Heard(sender_of(message), message))]

    def timeout(self, step: str, round_: int) -> list[Effect]:
        return self.do(TimedOut(Timer(step, 1, round_)))

    def judge(self, value: Block, valid: bool = True) -> list[Effect]:
        return self.do(Judged(value.header.id, valid))

    def propose(self, round_: int, value: Block, valid_round: int = -1, valid: bool = True) -> list[Effect]:
        """Hear the proposal of a round and know whether its block is valid."""
        return self.hear(proposal(round_, value, valid_round)) + self.judge(value, valid)

    def votes(self, kind: int, round_: int, value: Block | None, *voters: int) -> list[Effect]:
        return self.hear(*(vote(voter, kind, round_, value) for voter in voters))

    @property
    def summary(self) -> tuple[int, str, int]:
        found = self.engine.summary()
        return found["round"], found["step"], found["locked_round"]


def sender_of(message: Any) -> bytes:
    return author(message) if isinstance(message, Proposal | Vote) else key("node-0").public


def vote(voter: int, kind: int, round_: int, value: Block | None, height: int = 1) -> Vote:
    return cast_vote(key(f"node-{voter}"), CHAIN, kind, height, round_, block_id(value))


def proposal(
    round_: int, value: Block, valid_round: int = -1, proposer: int | None = None, height: int = 1
) -> Proposal:
    """Return a round's proposal; a new block is the proposer's own."""
    who = round_ % 4 if proposer is None else proposer
    return sign_proposal(key(f"node-{who}"), CHAIN, height, round_, value, valid_round)


def own(name: str, round_: int) -> Block:
    """Return a new block of a round's proposer."""
    return block(name, proposer=round_ % 4)


def said(effects: list[Effect]) -> list[str]:
    """Return what was done, in short: "prevote 0 A", "timer PREVOTE 0"..."""
    return [text for effect in effects if (text := tell(effect))]


def name_of(value: bytes | None) -> str:
    return "nil" if value is None else NAMES[value]


def tell(effect: Effect) -> str:  # noqa: PLR0911
    match effect:
        case Tell(Vote() as cast):
            return f"{('prevote', 'precommit')[cast.kind]} {cast.round} {name_of(cast.block_id)}"
        case Tell(Proposal() as made):
            return f"proposal {made.round} {name_of(made.block.header.id)} {made.valid_round}"
        case StartTimer(timer, delay):
            return f"timer {timer.kind} {timer.round} {delay}"
        case Build(_, round_):
            return f"build {round_}"
        case Remember(name) if name.startswith(HELD):
            return f"hold {name_of(name.removeprefix(HELD)[:DIGEST_SIZE])}"
        case Decide(value, certificate):
            return f"decide {name_of(value.header.id)} {certificate.round}"
        case Accuse():
            return "accuse"
    return ""


# --- the rules -----------------------------------------------------------------------------------------------------


def test_line_10_round_0_begins_with_work_and_an_idle_chain_does_nothing() -> None:
    process = Process(3)
    assert process.first == []
    assert process.summary == (0, "idle", -1)
    assert said(process.do(Work())) == ["timer PROPOSE 0 1000"]
    assert process.do(Work()) == []


def test_line_10_somebody_else_has_begun() -> None:
    assert said(Process(3).votes(PREVOTE, 0, None, 1)) == ["timer PROPOSE 0 1000"]


def test_line_14_to_19_the_proposer_asks_for_a_value_and_proposes_it() -> None:
    process = Process(0)
    assert said(process.do(Work())) == ["build 0", "timer PROPOSE 0 1000"], "it may be too slow for its own round"
    assert said(process.do(Built(1, 0, A))) == ["proposal 0 A -1", "prevote 0 A"]
    assert process.do(Built(1, 0, B)) == [], "one proposal a round"


def test_line_16_the_proposer_proposes_its_valid_value_again() -> None:
    process = Process(1)
    process.propose(0, A)
    process.votes(PREVOTE, 0, A, 0, 2)
    assert process.summary == (0, "precommit", 0)
    # In round 1 it proposes A with valid round 0, and prevotes for it by line 28 at once.
    assert said(process.timeout("PRECOMMIT", 0)) == ["proposal 1 A 0", "prevote 1 A"]


def test_line_21_whoever_does_not_propose_waits() -> None:
    process = Process(3)
    process.do(Work())
    assert process.timeout("PRECOMMIT", 1) == []
    assert said(process.timeout("PRECOMMIT", 0)) == ["timer PROPOSE 1 1010"], "each round is given more time"


def test_line_23_a_valid_proposal_is_prevoted() -> None:
    process = Process(3)
    effects = process.hear(proposal(0, A))
    assert effects[-1] == Judge(A)
    assert said(effects) == ["timer PROPOSE 0 1000"]
    assert said(process.judge(A)) == ["prevote 0 A"]
    assert process.judge(A) == []


def test_line_25_an_invalid_proposal_is_prevoted_nil() -> None:
    assert said(Process(3).propose(0, A, valid=False)) == ["timer PROPOSE 0 1000", "prevote 0 nil"]


def locked_on_a() -> Process:
    process = Process(3)
    process.propose(0, A)
    process.votes(PREVOTE, 0, A, 0, 1)
    assert process.summary == (0, "precommit", 0)
    process.timeout("PRECOMMIT", 0)
    return process


def test_line_25_a_lock_forbids_another_value() -> None:
    assert said(locked_on_a().propose(1, own("B", 1))) == ["prevote 1 nil"]


def test_line_23_a_lock_allows_its_own_value_though_proposed_as_new() -> None:
    # node-0 makes block A again in its next round, round 4.
    process = locked_on_a()
    for round_ in (1, 2, 3):
        process.timeout("PROPOSE", round_)
        process.timeout("PREVOTE", round_)
        process.timeout("PRECOMMIT", round_)
    assert "prevote 4 A" in said(process.propose(4, A))


def test_line_28_a_value_of_a_later_round_than_the_lock_opens_it() -> None:
    process, b = locked_on_a(), own("B", 1)
    process.propose(1, b)
    process.timeout("PREVOTE", 1)
    process.timeout("PRECOMMIT", 1)
    assert process.summary == (2, "propose", 0)
    assert process.hear(proposal(2, b, 1)) == [], "two thirds must have prevoted for it in round 1"
    assert said(process.votes(PREVOTE, 1, b, 0, 1, 2)) == ["prevote 2 B"]


def test_line_28_a_value_of_an_earlier_round_than_the_lock_does_not_open_it() -> None:
    process, b = Process(3), own("B", 0)
    process.votes(PREVOTE, 0, b, 0, 1, 2)
    process.timeout("PROPOSE", 0)
    process.timeout("PRECOMMIT", 0)
    a = own("A", 1)
    process.propose(1, a)
    process.votes(PREVOTE, 1, a, 0, 1)
    process.timeout("PRECOMMIT", 1)
    assert process.summary == (2, "propose", 1)
    assert said(process.propose(2, b, 0)) == ["prevote 2 nil"]


def test_line_28_the_locked_value_is_prevoted_again() -> None:
    process = locked_on_a()
    assert said(process.propose(1, A, 0)) == ["prevote 1 A"]


def test_line_28_a_valid_round_must_lie_in_the_past() -> None:
    process = Process(3)
    process.do(Work())
    for valid_round in (0, 1, 5, -2):
        assert process.hear(proposal(0, A, valid_round)) == []


def test_line_34_any_two_thirds_of_prevotes_start_a_timer_once() -> None:
    process = Process(3)
    process.propose(0, A)
    assert process.votes(PREVOTE, 0, None, 0) == []
    assert said(process.votes(PREVOTE, 0, B, 1)) == ["timer PREVOTE 0 500"]
    assert process.votes(PREVOTE, 0, B, 2) == []


def test_line_36_two_thirds_of_prevotes_lock_and_precommit() -> None:
    process = Process(3)
    process.propose(0, A)
    # The block is remembered before the precommit is said: a restart must find what it is locked on.
    assert said(process.votes(PREVOTE, 0, A, 0, 1)) == ["timer PREVOTE 0 500", "hold A", "precommit 0 A"]
    assert process.summary == (0, "precommit", 0)
    assert process.votes(PREVOTE, 0, A, 2) == [], "the first time only"


def test_line_36_waits_for_the_proposal_and_its_validity() -> None:
    process = Process(3)
    process.do(Work())
    process.timeout("PROPOSE", 0)
    assert said(process.votes(PREVOTE, 0, A, 0, 1, 2)) == ["timer PREVOTE 0 500"]
    assert process.hear(proposal(0, A)) == [Judge(A)]
    assert said(process.judge(A)) == ["hold A", "precommit 0 A"]


def test_line_36_nothing_locks_before_the_own_prevote() -> None:
    process = Process(3)
    process.do(Work())
    assert process.votes(PREVOTE, 0, A, 0, 1, 2) == []
    process.hear(proposal(0, A))
    assert said(process.judge(A)) == ["prevote 0 A", "timer PREVOTE 0 500", "hold A", "precommit 0 A"]


def test_line_36_not_in_the_propose_step_even_if_line_28_cannot_fire() -> None:
    process = Process(3)
    process.do(Work())
    process.timeout("PRECOMMIT", 0)
    process.propose(1, A, 0)  # the prevotes of round 0 are not known here
    assert process.votes(PREVOTE, 1, A, 0, 1, 2) == []
    assert said(process.timeout("PROPOSE", 1)) == ["prevote 1 nil", "timer PREVOTE 1 510", "hold A", "precommit 1 A"]


def test_line_42_after_the_own_precommit_only_the_valid_value_changes() -> None:
    process = Process(2)
    process.propose(0, A)
    process.votes(PREVOTE, 0, None, 3)
    process.timeout("PREVOTE", 0)
    assert process.summary == (0, "precommit", -1)
    process.votes(PREVOTE, 0, A, 0)
    assert said(process.votes(PREVOTE, 0, A, 1)) == ["hold A"]
    assert process.summary == (0, "precommit", -1)
    process.timeout("PRECOMMIT", 0)
    process.timeout("PROPOSE", 1)
    process.timeout("PREVOTE", 1)
    assert "proposal 2 A 0" in said(process.timeout("PRECOMMIT", 1)), "what is valid is proposed, locked or not"


def test_line_44_two_thirds_of_nil_prevotes_precommit_nil() -> None:
    process = Process(3)
    process.propose(0, A)
    assert said(process.votes(PREVOTE, 0, None, 0, 1, 2)) == ["timer PREVOTE 0 500", "precommit 0 nil"]


def test_line_47_any_two_thirds_of_precommits_start_a_timer_in_any_step() -> None:
    process = Process(3)
    process.do(Work())
    assert said(process.votes(PRECOMMIT, 0, None, 0)) == []
    assert said(process.votes(PRECOMMIT, 0, A, 1)) == []
    assert said(process.votes(PRECOMMIT, 0, B, 2)) == ["timer PRECOMMIT 0 300"]
    assert process.summary == (0, "propose", -1)


def test_line_49_two_thirds_of_precommits_decide() -> None:
    process = Process(3)
    process.propose(0, A)
    process.votes(PREVOTE, 0, A, 0, 1)
    effects = process.votes(PRECOMMIT, 0, A, 0, 1)
    assert said(effects) == ["timer PRECOMMIT 0 300", "decide A 0"] or said(effects) == ["decide A 0"]
    decide = effects[-1]
    assert isinstance(decide, Decide)
    final = Block(msgspec.structs.replace(A.header), A.txs)
    assert (decide.block, len(decide.certificate.signatures)) == (final, 3)
    assert process.votes(PRECOMMIT, 0, A, 2) == [], "once"
    assert process.timeout("PRECOMMIT", 0) == []


def test_line_49_an_earlier_round_still_decides() -> None:
    process = Process(3)
    process.propose(0, A)
    process.timeout("PRECOMMIT", 0)
    process.timeout("PRECOMMIT", 1)
    assert process.summary[0] == 2
    assert said(process.votes(PRECOMMIT, 0, A, 0, 1, 2)) == ["decide A 0"]


def test_line_49_waits_for_the_proposal() -> None:
    process = Process(3)
    process.do(Work())
    assert said(process.votes(PRECOMMIT, 0, A, 0, 1, 2)) == ["timer PRECOMMIT 0 300"]
    assert "decide A 0" in said(process.propose(0, A))


def test_line_49_an_invalid_value_is_never_decided() -> None:
    process = Process(3)
    process.propose(0, A, valid=False)
    assert "decide A 0" not in said(process.votes(PRECOMMIT, 0, A, 0, 1, 2))


def test_line_55_one_third_in_a_later_round_draws_along() -> None:
    process = Process(3)
    process.do(Work())
    assert process.votes(PREVOTE, 5, None, 0) == [], "one may be faulty"
    assert process.votes(PRECOMMIT, 5, None, 0) == [], "two messages of one member are still one member"
    assert said(process.votes(PRECOMMIT, 5, A, 1)) == ["timer PROPOSE 5 1050"]
    assert process.summary[0] == 5


def test_line_55_a_member_heard_later_has_been_there() -> None:
    process = Process(3)
    process.do(Work())
    process.votes(PREVOTE, 9, None, 0)
    assert said(process.votes(PREVOTE, 4, None, 1)) == ["timer PROPOSE 4 1040"], "the round both have reached"


def test_line_55_reaches_far_beyond_what_is_kept() -> None:
    process, far = Process(3), 10 * MAX_ROUNDS_AHEAD + 1
    process.do(Work())
    process.votes(PREVOTE, far, None, 0)
    assert said(process.votes(PREVOTE, far, None, 2)) == [f"timer PROPOSE {far} {1_000 + 10 * far}"]


def test_line_57_no_proposal_in_time_is_prevoted_nil() -> None:
    process = Process(3)
    process.do(Work())
    assert said(process.timeout("PROPOSE", 0)) == ["prevote 0 nil"]
    assert process.timeout("PROPOSE", 0) == []


def test_line_61_no_two_thirds_of_one_kind_in_time_is_precommitted_nil() -> None:
    process = Process(3)
    process.propose(0, A)
    assert said(process.timeout("PREVOTE", 0)) == ["precommit 0 nil"]
    assert process.timeout("PREVOTE", 0) == []
    assert process.timeout("PROPOSE", 0) == []


def test_line_65_the_next_round() -> None:
    process = Process(1)
    process.do(Work())
    assert said(process.timeout("PRECOMMIT", 0)) == ["build 1", "timer PROPOSE 1 1010"]
    assert process.timeout("PRECOMMIT", 0) == []


def test_timers_of_other_heights_and_rounds_mean_nothing() -> None:
    process = Process(3)
    process.do(Work())
    for kind in ("PROPOSE", "PREVOTE", "PRECOMMIT"):
        assert process.timeout(kind, 1) == []
        assert process.do(TimedOut(Timer(kind, 2, 0))) == []


# --- weight --------------------------------------------------------------------------------------------------------


def test_votes_are_counted_by_weight() -> None:
    process = Process(3, committee(7, 1, 1, 1))
    process.propose(0, A)
    assert said(process.votes(PREVOTE, 0, A, 1, 2)) == [], "weight 3 of 10"
    assert said(process.votes(PREVOTE, 0, A, 0)) == ["timer PREVOTE 0 500", "hold A", "precommit 0 A"]
    assert "decide A 0" in said(process.votes(PRECOMMIT, 0, A, 0))


def test_a_single_member_decides_alone() -> None:
    process = Process(0, committee(1))
    process.do(Work())
    story = said(process.do(Built(1, 0, A)))
    assert (story[:2], story[-1]) == (["proposal 0 A -1", "prevote 0 A"], "decide A 0")


# --- bad input -----------------------------------------------------------------------------------------------------


def bent(message: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(message, **fields)


HOSTILE: dict[str, Callable[[], Any]] = {
    "a stranger's vote": lambda: cast_vote(key("stranger"), CHAIN, PREVOTE, 1, 0, None),
    "a vote in another's name": lambda: bent(vote(1, PREVOTE, 0, A), voter=key("node-2").public),
    "a vote for another chain": lambda: cast_vote(key("node-1"), bytes(32), PREVOTE, 1, 0, None),
    "a vote whose block was changed": lambda: bent(vote(1, PREVOTE, 0, A), block_id=bytes(32)),
    "a precommit made of a prevote": lambda: bent(vote(1, PREVOTE, 0, A), kind=PRECOMMIT),
    "a vote of a third kind": lambda: cast_vote(key("node-1"), CHAIN, 2, 1, 0, None),
    "a vote of a negative kind": lambda: cast_vote(key("node-1"), CHAIN, -1, 1, 0, None),
    "a vote of a huge kind": lambda: cast_vote(key("node-1"), CHAIN, 2**63, 1, 0, None),
    "a vote in round -1": lambda: cast_vote(key("node-1"), CHAIN, PREVOTE, 1, -1, None),
    "a vote in round 2**60": lambda: cast_vote(key("node-1"), CHAIN, PREVOTE, 1, 2**60, None),
    "a vote for the past": lambda: vote(1, PREVOTE, 0, A, height=0),
    "a vote for the far future": lambda: vote(1, PREVOTE, 0, A, height=3),
    "a vote at a negative height": lambda: vote(1, PREVOTE, 0, A, height=-1),
    "a vote for an id of no length": lambda: cast_vote(key("node-1"), CHAIN, PREVOTE, 1, 0, b""),
    "a vote for a megabyte": lambda: cast_vote(key("node-1"), CHAIN, PREVOTE, 1, 0, bytes(2**20)),
    "a signature of no length": lambda: bent(vote(1, PREVOTE, 0, A), signature=b""),
    "a proposal by the wrong member": lambda: proposal(0, A, proposer=1),
    "a proposal in the proposer's name": lambda: bent(proposal(0, A, proposer=1), proposer=key("node-0").public),
    "a new block of somebody else": lambda: proposal(0, block("A", proposer=2)),
    "a block of another height": lambda: proposal(0, block("A", height=2)),
    "a block of another chain": lambda: proposal(0, Block(bent(A.header, genesis=bytes(32)), ())),
    "other transactions than the header says": lambda: proposal(0, Block(A.header, (b"tx",))),
    "a valid round that was changed": lambda: bent(proposal(2, A, 0), valid_round=1),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
def test_bad_input_is_dropped_and_changes_nothing(make: Callable[[], Any]) -> None:
    process = Process(3)
    assert [effect for effect in process.hear(make()) if not isinstance(effect, Behind)] == []
    assert process.summary == (0, "idle", -1)
    assert process.engine.recall(0, b"") == []
    process.propose(0, A)
    before = process.summary
    assert [effect for effect in process.hear(make()) if not isinstance(effect, Accuse | Behind)] == []
    assert process.summary == before
    assert process.memory.keys() == {SAID + (1).to_bytes(8)}, "its prevote for A"


def test_nothing_is_heard_before_the_first_height() -> None:
    engine, one = engine_of(3, NOTHING), key("node-1").public
    assert engine.handle(Heard(one, vote(1, PREVOTE, 0, A)), 0) == []
    assert engine.handle(Heard(one, vote(1, PREVOTE, 0, A, height=0)), 0) == []


class Heartbeat(Record, tag=99):
    """What an engine of another kind might say."""

    height: int
    round: int


@pytest.mark.parametrize("message", [Heartbeat(1, 0), Heartbeat(2, 0), Heartbeat(10**9, 0), None, b"", 7, "vote"])
def test_messages_of_other_engines_are_rejected(message: Any) -> None:
    process = Process(3)
    process.propose(0, A)
    before, memory = process.summary, dict(process.memory)
    assert process.hear(message, message) == []
    assert process.engine.rejected == 2
    assert (process.summary, process.memory) == (before, memory)


def test_events_of_other_engines_mean_nothing() -> None:
    process = Process(3)
    process.propose(0, A)
    assert process.do(Mined(A.header.id, 7)) + process.do(Tick()) == []


def test_two_votes_of_one_member_are_evidence_and_count_once() -> None:
    process = Process(3)
    process.propose(0, A)
    first, second, third = vote(1, PREVOTE, 0, A), vote(1, PREVOTE, 0, None), vote(1, PREVOTE, 0, B)
    process.hear(first)
    assert process.hear(first) == []
    assert process.hear(second) == [Accuse(Equivocation(first, second))]
    assert process.hear(third, second) == [], "one proof for each member and height is enough"
    assert said(process.votes(PREVOTE, 0, None, 0)) == ["timer PREVOTE 0 500"]
    assert process.votes(PREVOTE, 0, A, 2)[-1] == Tell(vote(3, PRECOMMIT, 0, A))


def test_two_proposals_of_one_round_are_evidence_and_the_first_stands() -> None:
    process, other = Process(3), own("B", 0)
    process.hear(proposal(0, A))
    accusation = process.hear(proposal(0, other))
    assert accusation == [Accuse(Equivocation(proposal(0, A), proposal(0, other)))]
    assert said(process.judge(A)) == ["prevote 0 A"]


def test_a_forged_contradiction_accuses_nobody() -> None:
    process = Process(3)
    process.hear(vote(1, PREVOTE, 0, A))
    assert process.hear(bent(vote(2, PREVOTE, 0, None), voter=key("node-1").public)) == []


def test_what_one_member_can_make_us_keep_is_bounded() -> None:
    process = Process(3)
    process.do(Work())
    process.hear(*(vote(1, kind, r, None) for r in range(100) for kind in (PREVOTE, PRECOMMIT)))
    kept = {message for r in range(100) for message in process.engine.recall(r, b"")}
    assert len(kept) == 2 * (MAX_ROUNDS_AHEAD + 1)


# --- the next height -----------------------------------------------------------------------------------------------


def test_whoever_speaks_of_a_later_height_has_blocks_that_are_lacking_here() -> None:
    """Who passed the message on has them, whoever signed it; a false one costs a question."""
    process, helper = Process(3), key("node-2").public
    for height in (2, 3, 10**9):
        assert process.do(Heard(helper, vote(1, PREVOTE, 0, A, height=height))) == [Behind(helper)]
    assert process.do(Heard(helper, vote(1, PREVOTE, 0, A, height=0))) == []


def test_what_was_remembered_of_a_height_is_forgotten_when_the_next_begins() -> None:
    """In one list of effects, so in one turn with the block that ended it."""
    process = Process(3)
    process.propose(0, A)
    process.votes(PREVOTE, 0, A, 0, 1)
    names = [*process.memory]
    assert len(names) == 3, "two votes and a block"
    effects = process.do(begin(2))
    assert effects == [Remember(name, None) for name in names]
    assert process.memory == {}
    process.timeout("PROPOSE", 0)
    assert process.do(begin(3)) == []
    assert process.restarted().first == []


def test_what_is_remembered_of_an_earlier_height_is_forgotten_after_a_restart() -> None:
    before = Process(3)
    before.propose(0, A)
    before.votes(PREVOTE, 0, A, 0, 1)
    after = engine_of(3, before.memory)
    assert after.handle(begin(2), 0) == [Remember(name, None) for name in before.memory]
    assert after.summary()["step"] == "idle"
    assert after.summary()["locked_round"] == -1


def test_messages_of_the_next_height_are_kept_for_it() -> None:
    process, ahead = Process(3), block("A", height=2)
    early = (proposal(0, ahead, height=2), *(vote(n, PREVOTE, 0, ahead, height=2) for n in (0, 1)))
    assert process.hear(*early) == [Behind(author(message)) for message in early]
    effects = process.do(begin(2))
    assert Judge(ahead) in effects
    assert Tell(vote(3, PRECOMMIT, 0, ahead, height=2)) in process.judge(ahead)


def test_nobody_can_take_the_place_of_anothers_early_messages() -> None:
    process, ahead = Process(3), block("A", height=2)
    for n in range(4 * MAX_EARLY_MESSAGES):
        process.hear(bent(vote(2, PREVOTE, n, None, height=2), voter=key("node-0").public))
        process.hear(bent(vote(2, PREVOTE, n, None, height=2), voter=key("node-1").public))
    process.hear(proposal(0, ahead, height=2), *(vote(n, PREVOTE, 0, ahead, height=2) for n in (0, 1)))
    process.do(begin(2))
    assert Tell(vote(3, PRECOMMIT, 0, ahead, height=2)) in process.judge(ahead)


# --- restart -------------------------------------------------------------------------------------------------------


def words(process: Process) -> list[Any]:
    """Return what a process said, in its order, as its memory has it."""
    return [read_own(data) for name, data in sorted(process.memory.items()) if name.startswith(SAID)]


def told(process: Process) -> list[Any]:
    """Return what a process said when it started."""
    return [effect.message for effect in process.first if isinstance(effect, Tell)]


def locked_on_a_in_its_round() -> Process:
    process = Process(3)
    process.propose(0, A)
    process.votes(PREVOTE, 0, A, 0, 1)
    return process


def test_a_restart_returns_to_the_step_and_the_lock() -> None:
    before = locked_on_a_in_its_round()
    assert words(before) == [vote(3, PREVOTE, 0, A), vote(3, PRECOMMIT, 0, A)]
    after = before.restarted()
    assert told(after) == words(before), "it says the same again"
    assert after.memory == before.memory, "and remembers it once"
    assert after.summary == (0, "precommit", 0)
    assert after.propose(0, B) == [Judge(B)], "it has prevoted"
    after.timeout("PRECOMMIT", 0)
    assert said(after.propose(1, own("C", 1))) == ["prevote 1 nil"], "it is locked"


def test_a_lock_comes_back_with_its_proof_though_who_voted_for_it_denies_it() -> None:
    """Seed 1709 of the nightly search: locked for ever on what nobody else could see two thirds for."""
    locked, other = locked_on_a_in_its_round().restarted(), Process(2)
    other.votes(PREVOTE, 0, B, 1)  # node-1 has prevoted A as well
    other.votes(PREVOTE, 3, None, 0, 1)
    assert other.summary == (3, "propose", -1)
    assert said(other.propose(3, A, 0)) == [], "nobody has shown it two thirds for A in round 0"
    assert "prevote 3 A" in said(other.hear(*locked.engine.recall(3, b"")))


def test_who_repeats_a_precommit_for_a_block_it_has_lost_starts_again_all_the_same() -> None:
    """Seed 19469 of the nightly search: others had told it what it had said before it lost its memory."""
    process = Process(3)
    process.hear(vote(3, PRECOMMIT, 0, A))  # its own, which another member has kept
    process.propose(0, block("B", proposer=0))
    process.timeout("PREVOTE", 0)
    process.votes(PREVOTE, 0, None, 0, 1)
    assert vote(3, PRECOMMIT, 0, A) in words(process), "it stands by that"
    assert process.restarted().summary == (0, "precommit", -1)


def first_of(memory: Mapping[bytes, bytes], count: int) -> dict[bytes, bytes]:
    """Return what was remembered first: a crash came before the rest."""
    return dict(list(memory.items())[:count])


def test_a_proposer_that_restarts_does_not_propose_twice() -> None:
    before = Process(0)
    before.do(Work())
    before.do(Built(1, 0, A))
    made = words(before)[0]
    assert made == proposal(0, A)
    after = Process(0, memory=first_of(before.memory, 1))
    assert made in told(after)
    assert Judge(A) in after.first
    assert after.do(Work()) == []
    assert after.do(Built(1, 0, B)) == []
    assert said(after.judge(A)) == ["prevote 0 A"]


def test_a_proposal_of_a_later_round_begins_that_round() -> None:
    """After a restart it must still vote in the round it has proposed in."""
    before, c = Process(1), own("C", 1)
    before.do(Work())
    before.timeout("PROPOSE", 0)
    before.votes(PREVOTE, 0, None, 0, 2)
    before.timeout("PRECOMMIT", 0)
    before.do(Built(1, 1, c))
    assert words(before)[:3] == [vote(1, PREVOTE, 0, None), vote(1, PRECOMMIT, 0, None), proposal(1, c)]
    after = Process(1, memory=first_of(before.memory, 3))
    assert after.summary == (1, "propose", -1)
    assert said(after.judge(c)) == ["prevote 1 C"]


def the_same(process: Process) -> Process:
    return Process(3, memory=process.memory)


def three_times_with_its_own_effects(process: Process) -> Process:
    for _ in range(3):
        process = process.restarted()
        process.do(Work())
    return process.restarted()


def three_times_with_the_first_memory(process: Process) -> Process:
    for _ in range(3):
        process.restarted().timeout("PRECOMMIT", 0)  # a life that is lost: a copy of the file was put back
    return process.restarted()


RESTARTS = (the_same, three_times_with_its_own_effects, three_times_with_the_first_memory)


@pytest.mark.parametrize("restart", RESTARTS, ids=lambda restart: restart.__name__)
def test_however_often_a_member_restarts_it_counts_once(restart: Callable[[Process], Process]) -> None:
    """Its words come back each time, and are said again each time."""
    before = locked_on_a_in_its_round()
    after = restart(before)
    assert told(after) == [vote(3, PREVOTE, 0, A), vote(3, PRECOMMIT, 0, A)]
    assert not any(isinstance(effect, Decide) for effect in after.first)
    assert "decide A 0" not in said(after.propose(0, A))
    assert "decide A 0" not in said(after.votes(PRECOMMIT, 0, A, 0))
    assert "decide A 0" in said(after.votes(PRECOMMIT, 0, A, 1))


def test_what_is_said_after_a_restart_joins_what_was_said_before() -> None:
    """Its words and its blocks have names of their own, and come back in the order in which they were said."""
    process = locked_on_a_in_its_round()
    for round_ in range(1, 12):
        process = process.restarted()
        process.timeout("PRECOMMIT", round_ - 1)
        process.timeout("PROPOSE", round_)
        process.votes(PREVOTE, round_, None, 0, 1)
    votes = [(word.round, word.kind) for word in words(process) if isinstance(word, Vote)]
    assert votes == [(round_, kind) for round_ in range(12) for kind in (PREVOTE, PRECOMMIT)]
    assert [word.round for word in words(process) if isinstance(word, Proposal)] == [3, 7, 11]
    assert [*process.restarted().memory] == [*process.memory]
    assert process.restarted().summary == (11, "precommit", 0)


# --- four engines in one story -------------------------------------------------------------------------------------

STORY = """\
node-0: build 0, timer PROPOSE 0 1000 (line 10)
node-0: proposal 0 A -1, prevote 0 A (line 24)
node-1: timer PROPOSE 0 1000 (line 10)
node-2: timer PROPOSE 0 1000 (line 10)
node-3: timer PROPOSE 0 1000 (line 10)
node-1: prevote 0 A (line 24)
node-2: prevote 0 A (line 24)
node-3: prevote 0 A (line 24)
node-2: timer PREVOTE 0 500, hold A, precommit 0 A (line 40)
node-3: timer PREVOTE 0 500, hold A, precommit 0 A (line 40)
node-0: timer PREVOTE 0 500, hold A, precommit 0 A (line 40)
node-1: timer PREVOTE 0 500, hold A, precommit 0 A (line 40)
node-0: decide A 0 (line 49)
node-1: decide A 0 (line 49)
node-2: decide A 0 (line 49)
node-3: decide A 0 (line 49)
"""


class Net:
    """Engines, what each remembers, and the messages and timers under way."""

    def __init__(self, seed: int, group: Committee = FOUR, liars: tuple[int, ...] = ()) -> None:
        self.random = random.Random(seed)
        self.group, self.liars = group, liars
        self.size = len(group.members)
        self.memory: list[dict[bytes, bytes]] = [{} for _ in range(self.size)]
        self.mail: list[tuple[int, Any]] = []
        self.timers: list[tuple[int, Timer]] = []
        self.decided: dict[int, bytes] = {}
        self.accused: set[bytes] = set()
        self.asked: set[tuple[Any, ...]] = set()
        self.statements: dict[tuple[Any, ...], Any] = {}
        self.log: list[str] = []
        self.loss = self.haste = 0.0
        self.engines: list[Bft] = [self.start(i) for i in range(self.size)]

    def start(self, i: int) -> Bft:
        engine = engine_of(i, self.memory[i])
        self.perform(i, engine, engine.handle(begin(1, self.group), 0))
        return engine

    def restart(self, i: int) -> None:
        self.timers = [entry for entry in self.timers if entry[0] != i]
        self.engines[i] = self.start(i)
        self.give(i, Work())

    def give(self, i: int, event: Any) -> None:
        self.perform(i, self.engines[i], self.engines[i].handle(event, 0))

    def perform(self, i: int, engine: Bft, effects: list[Effect]) -> None:
        if done := ", ".join(said(effects)):
            self.log.append(f"node-{i}: {done} (line {engine.last_line})")
        keep(self.memory[i], effects)
        for effect in effects:
            match effect:
                case Tell(message):
                    self.tell(i, message)
                case StartTimer(timer, _):
                    self.timers.append((i, timer))
                case Build(_, round_):
                    self.give_later(i, Built(1, round_, block("ABC"[round_ % 3], proposer=i)))
                case Judge(value):
                    self.give_later(i, Judged(value.header.id, True))
                case Decide(value, certificate):
                    header = bent(value.header, committee=self.group.hash)
                    assert certificate.block_id == value.header.id
                    weight = sum(self.group.members[p].weight for p, _ in certificate.signatures)
                    assert self.group.is_quorum(weight), header
                    self.decided[i] = value.header.id
                case Accuse(evidence):
                    self.accused.add(evidence.first.voter if isinstance(evidence.first, Vote) else b"")

    def give_later(self, i: int, event: Any) -> None:
        self.mail.append((i, event))

    def tell(self, i: int, message: Any) -> None:
        step = (i, message.kind if isinstance(message, Vote) else "proposal", message.round)
        statement = message.block_id if isinstance(message, Vote) else (message.block.header.id, message.valid_round)
        assert self.statements.setdefault(step, statement) == statement, f"node-{i} contradicts itself: {message}"
        for j in range(self.size):
            if j != i:
                self.mail.append((j, self.heard_from(i, j, message)))

    def heard_from(self, i: int, j: int, message: Any) -> Heard:
        return Heard(key(f"node-{i}").public, self.twisted(i, j, message))

    def twisted(self, i: int, j: int, message: Any) -> Any:
        """A liar tells even and odd members different things."""
        if (
            i not in self.liars
            or j % 2 == 0
            or not isinstance(message, Vote)
            or message.voter != key(f"node-{i}").public
        ):
            return message
        other = None if message.block_id else self.random.choice([block_id(own(n, r)) for n in "AB" for r in (0, 1)])
        return cast_vote(key(f"node-{i}"), CHAIN, message.kind, 1, message.round, other)

    def step(self) -> None:
        """One thing happens: mail arrives, is lost, comes twice or too late, or a timer runs out."""
        if not self.mail:
            self.remind()
        if not self.mail and not self.timers:
            self.asked.clear()
            return self.remind()
        if self.timers and (not self.mail or self.random.random() < self.haste):
            i, timer = self.timers.pop(self.random.randrange(len(self.timers)))
            return self.give(i, TimedOut(timer))
        at = self.random.randrange(len(self.mail))
        i, event = self.mail[at]
        if self.random.random() >= self.loss:
            self.mail.pop(at)  # else it will come once more
        elif isinstance(event, Heard) and self.random.random() < 0.5:
            self.mail.pop(at)
            return None
        return self.give(i, event)

    def remind(self) -> None:
        """Whoever hears nothing new asks the others once in each state, as a node does."""
        for j, asking in enumerate(self.engines):
            state = (j, *asking.summary().values())
            if j not in self.decided and state not in self.asked:
                self.asked.add(state)
                for i, engine in enumerate(self.engines):
                    words = engine.recall(asking.summary()["round"], asking.heard())
                    self.mail += [
                        (j, Heard(key(f"node-{i}").public, self.twisted(i, j, message))) for message in words if i != j
                    ]

    def calm(self) -> None:
        """From now on everything arrives before a timer runs out: then the paper promises a decision."""
        self.loss = self.haste = 0.0

    def run(self, steps: int) -> None:
        for _ in range(steps):
            if len(self.decided) == self.size:
                return
            self.step()


def test_one_height_told_line_by_line() -> None:
    net = Net(0)
    net.give(0, Work())
    while net.mail:
        i, event = net.mail.pop(0)
        net.give(i, event)
    assert net.decided == dict.fromkeys(range(4), A.header.id)
    assert "\n".join(net.log) + "\n" == STORY


@pytest.mark.parametrize("seed", range(25))
def test_seed_agreement_in_a_bad_network_with_restarts(seed: int) -> None:
    net = Net(seed)
    for i in range(4):
        net.give(i, Work())
    net.loss, net.haste = net.random.choice([0.0, 0.1, 0.3]), 0.03
    for _ in range(6):
        net.run(net.random.randrange(60))
        undecided = [i for i in range(4) if i not in net.decided]
        if undecided:
            net.restart(net.random.choice(undecided))
    net.calm()
    net.run(20_000)
    assert len(net.decided) == 4, "not everybody decided"
    assert len(set(net.decided.values())) == 1, "two blocks are final"


@pytest.mark.parametrize("seed", range(25))
def test_seed_agreement_though_one_member_lies(seed: int) -> None:
    group = (FOUR, committee(2, 2, 2, 1), committee(1, 1, 1, 1, 1, 1, 1))[seed % 3]
    liars = (3,) if len(group.members) == 4 else (3, 5)
    net = Net(seed, group, liars)
    for i in range(net.size):
        net.give(i, Work())
    net.loss, net.haste = 0.2, 0.03
    net.run(300)
    net.calm()
    for _ in range(40_000):
        if all(i in net.decided for i in range(net.size) if i not in liars):
            break
        net.step()
    honest = {net.decided.get(i) for i in range(net.size) if i not in liars}
    assert len(honest) == 1
    assert None not in honest
    assert net.accused <= {key(f"node-{i}").public for i in liars}
