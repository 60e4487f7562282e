"""Raft against its thesis: one test for each rule of figure 3.1 (figure 2 of the paper) and for each further mechanism.

Then stories: texts that say what is done, and everything that happened then (`tests/golden/raft`). Then engines in a
bad network, in which members crash within a turn: a term never has two leaders, a height never has two blocks.
A failing seed is in the test's name: `pytest tests/test_raft.py -k "seed and 17"`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from minichain.codec import decode, encode
from minichain.consensus.bft import Vote
from minichain.consensus.interface import (
    Behind,
    Build,
    Built,
    Decide,
    Effect,
    Engine,
    Heard,
    Judge,
    Judged,
    Remember,
    Send,
    StartTimer,
    Tell,
    Tick,
    TimedOut,
    Timer,
    Work,
)
from minichain.consensus.raft import (
    AppendEntries,
    AppendReply,
    Base,
    Entry,
    InstallSnapshot,
    Message,
    Raft,
    RequestVote,
    VoteReply,
)
from minichain.consensus.raft.following import MAX_JUDGED
from minichain.consensus.raft.log import MAX_LOG
from minichain.consensus.raft.messages import MAX_ENTRIES, MAX_NUMBER
from minichain.ledger.certificate import LogCertificate, in_order, log_statement, sign_log
from minichain.ledger.committee import MAX_MEMBERS, Committee
from minichain.ledger.types import Block
from tests.builders import committee, key
from tests.raftnet import BEAT, CHAIN, NAMES, PLACES, TIMEOUT, Net, Story, begin, block, describe, public, setup

THREE = committee(1, 1, 1)
A, B = block("A", proposer=1), block("B", proposer=1)
NOTHING = b""


class Process:
    """One engine, node-0 unless said otherwise; `hear` speaks with the voices of the others."""

    def __init__(
        self, group: Committee = THREE, me: int = 0, memory: dict[bytes, bytes] | None = None, height: int = 1
    ) -> None:
        self.group, self.me = group, me
        self.memory = dict(memory or {})
        self.engine = Raft(setup(me, self.memory))
        self.now_ms = 0
        self.timers: dict[str, Timer] = {}
        self.begin(height, CHAIN if height == 1 else bytes([height]) * 32)

    def do(self, event: Any) -> list[Effect]:
        effects = self.engine.handle(event, self.now_ms)
        for effect in effects:
            match effect:
                case Remember(name, data):
                    self.memory |= {name: data or NOTHING}
                    if data is None:
                        del self.memory[name]
                case StartTimer(timer):
                    self.timers[timer.kind] = timer
        return effects

    def begin(self, height: int, head: bytes, group: Committee | None = None) -> list[Effect]:
        self.group = group or self.group
        return self.do(begin(height, head, self.group))

    def hear(self, sender: int, *messages: Message) -> list[Effect]:
        return [effect for message in messages for effect in self.do(Heard(public(sender), message))]

    def timeout(self) -> list[Effect]:
        """This member's patience ends."""
        self.now_ms += 2 * TIMEOUT
        return self.do(TimedOut(self.timers["election"]))

    def beat(self, after_ms: int = BEAT) -> list[Effect]:
        self.now_ms += after_ms
        return self.do(TimedOut(self.timers["heartbeat"]))

    def restarted(self) -> Process:
        return Process(self.group, self.me, self.memory)

    @property
    def summary(self) -> dict[str, Any]:
        return self.engine.summary()

    @property
    def role(self) -> tuple[str, int]:
        return self.summary["role"], self.summary["round"]

    @property
    def terms(self) -> list[int]:
        """Return the terms of the log's entries."""
        log = self.engine._me.log
        return [entry.term for entry in log.entries]


def said(effects: list[Effect]) -> list[str]:
    """Return what was done, in short; timers and what is remembered are left out."""
    return [text for effect in effects if (text := tell(effect))]


def tell(effect: Effect) -> str:
    match effect:
        case Tell(message):
            return f"to all: {describe(message)}"
        case Send(to, message):
            return f"to {PLACES[to]}: {describe(message)}"
        case Judge(value) | Decide(value, _):
            return f"{type(effect).__name__.lower()} {NAMES[value.header.id]}"
        case Build(height, term):
            return f"build {height} in term {term}"
        case Behind(source):
            return f"behind {PLACES[source]}"
    return ""


def append(
    term: int, index: int = 0, previous_term: int = 0, entries: tuple[Entry, ...] = (), commit: int = 0, **fields: Any
) -> AppendEntries:
    return AppendEntries(
        term, fields.get("height", 1), index, previous_term, entries, commit, fields.get("certificate")
    )


def noops(*terms: int) -> tuple[Entry, ...]:
    return tuple(Entry(term, None) for term in terms)


def match(
    index: int, term: int = 1, who: int | None = None, value: Block | None = None, height: int = 1
) -> AppendReply:
    """Return an acknowledgement, signed by `who` if it covers a block."""
    signature = NOTHING
    if who is not None and value is not None:
        signature = sign_log(key(f"node-{who}"), log_statement(CHAIN, term, height, value.header.id))
    return AppendReply(term, True, index, signature)


def certificate(
    value: Block, *signers: int, term: int = 1, height: int = 1, group: Committee = THREE
) -> LogCertificate:
    statement = log_statement(CHAIN, term, height, value.header.id)
    signatures = {public(i): sign_log(key(f"node-{i}"), statement) for i in signers}
    return LogCertificate(height, term, value.header.id, in_order(group, signatures))


def with_log(*terms: int, **fields: Any) -> Process:
    """Return a follower in the last of these terms, which has one no-op of each; node-1 leads."""
    process = Process(**fields)
    process.hear(1, append(terms[-1], entries=noops(*terms)))
    assert process.terms == list(terms)
    process.now_ms += 2 * TIMEOUT
    return process


def leader(group: Committee = THREE, memory: dict[bytes, bytes] | None = None) -> Process:
    """Return the leader of the next term; everybody voted for it."""
    process = Process(group, memory=memory)
    process.timeout()
    term = process.summary["round"] + 1
    for pre_vote in (True, False):
        for i in range(1, len(group.members)):
            process.hear(i, VoteReply(term, pre_vote, True))
    assert process.role == ("leader", term)
    return process


def ready_leader(group: Committee = THREE) -> Process:
    """Return a leader of term 1 whose no-op is committed."""
    process = leader(group)
    for i in range(1, len(group.members)):
        process.hear(i, match(1))
    return process


def own(name: str, height: int = 1) -> Block:
    return block(name, height, proposer=0)


# --- RequestVote: receiver -------------------------------------------------------------------------------------------


def test_request_vote_1_an_earlier_term_is_refused() -> None:
    process = with_log(1, 5)
    assert said(process.hear(2, RequestVote(4, 9, 3, False))) == ["to 2: no (term 5)"]


@pytest.mark.parametrize(
    ("last_index", "last_term", "answer"),
    [
        (2, 3, "yes (term 9)"),
        (1, 4, "yes (term 9)"),
        (3, 3, "yes (term 9)"),
        (1, 3, "no (term 9)"),
        (7, 2, "no (term 9)"),
    ],
)
def test_request_vote_2_for_a_log_as_complete_as_ones_own(last_index: int, last_term: int, answer: str) -> None:
    """3.6.1: the later last term wins; of equal terms, the longer log."""
    process = with_log(1, 3)
    effects = process.hear(2, RequestVote(9, last_index, last_term, False))
    assert said(effects) == [f"to 2: {answer}"]


def test_request_vote_2_one_vote_in_a_term_and_the_same_again_if_asked_again() -> None:
    process = Process()
    request = RequestVote(1, 0, 0, False)
    assert said(process.hear(1, request)) == ["to 1: yes (term 1)"]
    assert said(process.hear(2, request)) == ["to 2: no (term 1)"]
    assert said(process.hear(1, request)) == ["to 1: yes (term 1)"]


def test_a_vote_is_remembered_before_it_is_given() -> None:
    effects = Process().hear(1, RequestVote(1, 0, 0, False))
    kinds = [type(effect).__name__ for effect in effects]
    assert kinds.index("Send") > kinds.index("Remember")


# --- AppendEntries: receiver -----------------------------------------------------------------------------------------


def test_append_entries_1_an_earlier_term_is_refused_and_told_the_later_one() -> None:
    process = with_log(1, 5)
    assert said(process.hear(2, append(4))) == ["to 2: no match: go on at 0 (term 5)"]
    assert said(process.hear(2, InstallSnapshot(4, Base(9, 4, 0, CHAIN)))) == ["to 2: no match: go on at 0 (term 5)"]
    assert process.summary["leader"] == public(1).hex()


def test_append_entries_2_what_precedes_must_match() -> None:
    process = with_log(1, 2)
    assert said(process.hear(1, append(4, 2, 3, noops(4)))) == ["to 1: no match: go on at 2 (term 4)"]
    assert said(process.hear(1, append(4, 5, 3))) == ["to 1: no match: go on at 3 (term 4)"]
    assert process.terms == [1, 2], "nothing is changed by what does not match"


def test_append_entries_3_what_conflicts_is_cut_off() -> None:
    process = with_log(1, 2, 3)
    effects = process.hear(1, append(5, 1, 1, noops(4)))
    assert said(effects) == ["to 1: match through 2 (term 5)"]
    assert process.terms == [1, 4]
    assert Remember(b"log" + (3).to_bytes(8), None) in effects, "what was cut off does not come back"


def test_append_entries_4_what_is_there_already_is_not_cut_off() -> None:
    """An old message, come late, must not undo a later one that was acknowledged."""
    process = with_log(1, 2, 3)
    assert said(process.hear(1, append(3, 0, 0, noops(1)))) == ["to 1: match through 1 (term 3)"]
    assert process.terms == [1, 2, 3]


def test_append_entries_5_the_commit_index_reaches_no_further_than_what_matched() -> None:
    process = with_log(1, 2, 3)
    process.hear(1, append(4, 1, 1, (), commit=3))
    assert process.summary["commit_index"] == 1
    process.hear(1, append(4, 1, 1, noops(2), commit=3))
    assert process.summary["commit_index"] == 2


def test_what_is_committed_is_never_cut_off() -> None:
    process = with_log(1, 2)
    process.hear(1, append(2, 2, 2, commit=2))
    process.hear(1, append(9, 0, 0, noops(8, 9)))
    assert process.summary["commit_index"] == 2
    assert process.engine._me.log.base.term == 2


def test_what_is_committed_matches_though_the_log_no_longer_has_it() -> None:
    assert said(decided_a().hear(1, append(1, 0, 0, noops(1)))) == ["to 1: match through 1 (term 1)"]
    assert said(decided_a().hear(1, append(1, 1, 1, height=2))) == ["to 1: match through 1 (term 1)"]


# --- all servers -----------------------------------------------------------------------------------------------------


def test_all_servers_a_later_term_makes_a_follower_of_everybody() -> None:
    process = leader()
    process.hear(1, AppendReply(7, False, 0, NOTHING))
    assert process.role == ("follower", 7)
    process = Process()
    process.timeout()
    process.hear(1, VoteReply(8, True, False))
    assert process.role == ("follower", 8)


def test_all_servers_what_is_committed_is_applied() -> None:
    process = Process()
    process.hear(1, append(1, 0, 0, (*noops(1), Entry(1, A))))
    process.do(Judged(A.header.id, True))
    effects = process.hear(1, append(1, 2, 1, (), 2, certificate=certificate(A, 1, 2)))
    assert said(effects)[0] == "decide A"
    assert said(process.hear(1, append(1, 2, 1, (), 2, certificate=certificate(A, 1, 2))))[0] != "decide A", "once"


# --- followers and candidates ----------------------------------------------------------------------------------------


def test_followers_wait_between_one_and_two_timeouts_each_for_a_time_of_its_own() -> None:
    """3.4: so that split votes are rare."""
    delays = set()
    for me in range(3):
        process = Process(me=me)
        effects = Raft(setup(me)).handle(begin(1, CHAIN, THREE), 0)
        delays |= {effect.delay_ms for effect in effects if isinstance(effect, StartTimer)}
        for _ in range(20):
            delays |= {effect.delay_ms for effect in process.timeout() if isinstance(effect, StartTimer)}
    assert all(TIMEOUT <= delay <= 2 * TIMEOUT for delay in delays)
    assert len(delays) > 30


def test_followers_a_leader_heard_in_time_puts_the_election_off() -> None:
    process = Process()
    process.now_ms = TIMEOUT
    process.hear(1, append(1))
    process.now_ms += TIMEOUT - 1
    effects = process.do(TimedOut(process.timers["election"]))
    assert said(effects) == []
    assert [type(effect) for effect in effects] == [StartTimer], "it waits for the rest"
    assert process.role == ("follower", 1)


def test_followers_a_vote_puts_the_election_off_too() -> None:
    process = Process()
    process.now_ms = TIMEOUT
    process.hear(1, RequestVote(1, 0, 0, False))
    process.now_ms += TIMEOUT - 1
    assert said(process.do(TimedOut(process.timers["election"]))) == []


def test_candidates_begin_a_term_vote_for_themselves_and_ask_everybody() -> None:
    process = Process()
    process.timeout()
    effects = process.hear(1, VoteReply(1, True, True))
    assert said(effects) == ["to all: vote in term 1? my log ends at 0/0"]
    assert process.role == ("candidate", 1)
    assert said(process.hear(2, RequestVote(1, 0, 0, False))) == ["to 2: no (term 1)"]


def test_candidates_lead_with_the_votes_of_a_majority() -> None:
    process = Process(committee(1, 1, 1, 1, 1))
    process.timeout()
    for voter in (1, 2):
        process.hear(voter, VoteReply(1, True, True))
    process.hear(1, VoteReply(1, False, True), VoteReply(1, False, True), VoteReply(1, False, True))
    process.hear(2, VoteReply(1, False, False))
    assert process.role == ("candidate", 1), "a member has one vote"
    process.hear(3, VoteReply(1, False, True))
    assert process.role == ("leader", 1)


def test_candidates_follow_a_leader_of_their_term() -> None:
    process = Process()
    process.timeout()
    process.hear(1, VoteReply(1, True, True))
    process.hear(2, append(1))
    assert process.role == ("follower", 1)
    assert process.summary["leader"] == public(2).hex()
    process.hear(1, VoteReply(1, False, True))
    assert process.role == ("follower", 1), "late votes elect nobody"


def test_candidates_without_a_majority_try_again() -> None:
    process = Process()
    process.timeout()
    process.hear(1, VoteReply(1, True, True))
    assert said(process.timeout()) == ["to all: would you vote in term 2? my log ends at 0/0"]
    assert process.role == ("pre-candidate", 1)


def test_votes_of_another_election_do_not_count() -> None:
    process = Process()
    process.timeout()
    process.hear(1, VoteReply(2, True, True), VoteReply(0, False, True))
    assert process.role == ("pre-candidate", 0)


# --- leaders ---------------------------------------------------------------------------------------------------------


def test_leaders_begin_with_a_no_op() -> None:
    """6.4: and 3.4, which has an empty AppendEntries here: the no-op says as well who leads."""
    process = Process()
    process.timeout()
    process.hear(1, VoteReply(1, True, True))
    effects = process.hear(1, VoteReply(1, False, True))
    expected = "append after 0/0: 1/1 - (term 1, commit 0)"
    assert said(effects) == [f"to 1: {expected}", f"to 2: {expected}"]
    assert process.memory[b"log" + (1).to_bytes(8)] == encode(Entry(1, None))


def test_leaders_send_heartbeats() -> None:
    process = ready_leader()
    expected = "append after 1/1: nothing (term 1, commit 1)"
    assert said(process.beat()) == [f"to 1: {expected}", f"to 2: {expected}"]


def test_leaders_append_a_block_when_there_is_work_and_everything_before_is_applied() -> None:
    process = leader()
    assert said(process.do(Work())) == [], "not before its own no-op is committed"
    assert said(process.hear(1, match(1))) == ["build 1 in term 1"]
    assert said(process.do(Work())) == [], "once"
    effects = process.do(Built(1, 1, own("A")))
    expected = "append after 1/1: 2/1 A (term 1, commit 1)"
    assert said(effects) == [f"to 1: {expected}", f"to 2: {expected}"]
    assert process.do(Built(1, 1, own("B"))) == [], "one block at a time"


def test_leaders_ask_for_no_block_while_idle_and_none_that_may_be_empty() -> None:
    process = ready_leader()
    assert process.summary["step"] == "idle"
    assert process.do(Work()) == [Build(1, 1, may_be_empty=False)]
    assert process.summary["step"] == "leader"


def test_a_block_that_was_built_too_late_is_dropped() -> None:
    process = ready_leader()
    process.do(Work())
    assert process.do(Built(2, 1, own("A"))) == []
    assert process.do(Built(1, 2, own("A"))) == []
    process.hear(1, append(2))
    assert process.do(Built(1, 1, own("A"))) == []


def test_leaders_3_success_moves_match_and_failure_moves_next() -> None:
    five = committee(1, 1, 1, 1, 1)
    process = leader(five, with_log(1, 2, 4, group=five).memory)
    backed = ["to 1: append after 1/1: 2/2 -, 3/4 -, 4/5 - (term 5, commit 0)"]
    assert said(process.hear(1, AppendReply(5, False, 2, NOTHING))) == backed
    process.hear(1, match(1, 5))
    assert said(process.hear(1, AppendReply(5, False, 1, NOTHING))) == backed, "what has matched is never sent again"
    process.hear(1, match(4, 5))
    assert said(process.hear(1, AppendReply(5, False, 1, NOTHING))) == []


def test_leaders_4_commit_what_a_majority_has() -> None:
    process = leader(committee(1, 1, 1, 1, 1))
    process.hear(1, match(1))
    assert process.summary["commit_index"] == 0
    process.hear(2, match(1))
    assert process.summary["commit_index"] == 1


def test_leaders_4_an_entry_of_an_earlier_term_is_not_committed_by_counting() -> None:
    """3.6.2 and figure 3.7: all have it, and still the leader waits until they have an entry of its own term."""
    process = leader(memory=with_log(1, 2).memory)
    process.hear(1, match(2, 3))
    process.hear(2, match(2, 3))
    assert process.summary["commit_index"] == 0
    process.hear(1, match(3, 3))
    assert process.summary["commit_index"] == 3


def test_majorities_are_by_weight() -> None:
    process = ready_leader(committee(1, 1, 3))
    process.do(Work())
    a = block("A", group=process.group)
    process.do(Built(1, 1, a))
    assert said(process.hear(1, match(2, 1, 1, a))) == [], "weight 2 of 5"
    assert "decide A" in said(process.hear(2, match(2, 1, 2, a)))


def test_a_single_member_decides_alone() -> None:
    process = Process(committee(1))
    process.timeout()
    assert process.role == ("leader", 1)
    assert said(process.do(Work())) == ["build 1 in term 1"]
    a = block("A", group=process.group)
    decided = process.do(Built(1, 1, a))[-1]
    assert isinstance(decided, Decide)
    decided.certificate.verify(a.header, process.group)
    assert said(process.beat(10 * TIMEOUT)) == []
    assert process.role == ("leader", 1)


# --- 3.5: going back quickly -----------------------------------------------------------------------------------------


def test_a_follower_that_lacks_entries_names_the_end_of_its_log() -> None:
    assert said(with_log(1, 2).hear(1, append(9, 40, 9))) == ["to 1: no match: go on at 3 (term 9)"]


def test_a_whole_term_that_conflicts_is_skipped() -> None:
    process = Process()
    process.hear(1, append(3, 0, 0, (*noops(2), Entry(2, A))))
    process.do(Judged(A.header.id, True))
    assert process.terms == [2, 2]
    assert said(process.hear(1, append(4, 2, 3))) == ["to 1: no match: go on at 1 (term 4)"]


def test_a_leader_backs_up_only_as_far_as_it_is_certain() -> None:
    process = ready_leader()
    process.do(Work())
    process.do(Built(1, 1, own("A")))
    assert said(process.hear(1, AppendReply(1, False, 0, NOTHING))) == [
        "to 1: append after 1/1: 2/1 A (term 1, commit 1)"
    ]


def test_entries_are_sent_once_and_a_heartbeat_finds_out_whether_they_came() -> None:
    process = ready_leader()
    process.do(Work())
    process.do(Built(1, 1, own("A")))
    assert said(process.beat())[0] == "to 1: append after 2/1: nothing (term 1, commit 1)"
    assert "2/1 A" in said(process.hear(1, AppendReply(1, False, 2, NOTHING)))[0]


def test_many_entries_travel_in_several_messages() -> None:
    terms = range(1, MAX_ENTRIES + 11)
    process = Process()
    process.hear(1, append(terms[-1], entries=noops(*terms[:MAX_ENTRIES])))
    process.hear(1, append(terms[-1], MAX_ENTRIES, MAX_ENTRIES, noops(*terms[MAX_ENTRIES:])))
    process = leader(memory=process.memory)
    sent = process.hear(1, AppendReply(terms[-1] + 1, False, 1, NOTHING))
    assert [len(effect.message.entries) for effect in sent if isinstance(effect, Send)] == [MAX_ENTRIES]
    sent = process.hear(1, match(MAX_ENTRIES, terms[-1] + 1))
    assert [len(effect.message.entries) for effect in sent if isinstance(effect, Send)] == [11]


# --- 9.6: pre-vote ---------------------------------------------------------------------------------------------------


def test_pre_vote_changes_nothing_and_promises_nothing() -> None:
    process = with_log(1, 3)
    effects = process.hear(2, RequestVote(4, 2, 3, True)) + process.hear(1, RequestVote(4, 2, 3, True))
    assert said(effects) == ["to 2: yes, I would (term 4)", "to 1: yes, I would (term 4)"]
    assert not any(isinstance(effect, Remember) for effect in effects)
    assert process.role == ("follower", 3)


def test_pre_vote_only_for_a_later_term_and_a_complete_log() -> None:
    process = with_log(1, 3)
    assert said(process.hear(2, RequestVote(4, 1, 3, True))) == ["to 2: no (term 3)"]
    assert said(process.hear(2, RequestVote(3, 9, 2, True))) == ["to 2: no (term 3)"]


def test_a_refused_pre_candidate_learns_the_term() -> None:
    process = Process()
    process.timeout()
    process.hear(1, VoteReply(6, True, False))
    assert process.role == ("follower", 6)
    assert said(process.timeout()) == ["to all: would you vote in term 7? my log ends at 0/0"]


# --- 4.2.3 and 6.2: who hears a leader, and who is heard -------------------------------------------------------------


@pytest.mark.parametrize("pre_vote", [True, False])
def test_whoever_hears_a_leader_ignores_vote_requests(pre_vote: bool) -> None:
    process = Process()
    process.hear(1, append(1))
    process.now_ms = TIMEOUT - 1
    assert process.hear(2, RequestVote(9, 0, 0, pre_vote)) == []
    assert process.role == ("follower", 1)
    process.now_ms = TIMEOUT
    assert said(process.hear(2, RequestVote(9, 0, 0, pre_vote))) != []


def test_a_leader_ignores_vote_requests_and_gives_way_to_whoever_was_elected() -> None:
    process = ready_leader()
    assert process.hear(2, RequestVote(9, 5, 1, False)) == []
    assert process.role == ("leader", 1)
    process.hear(2, append(9))
    assert process.role == ("follower", 9)


def test_check_quorum_a_leader_that_no_majority_answers_steps_down() -> None:
    process = ready_leader(committee(1, 1, 1, 1, 1))
    for _ in range(TIMEOUT // BEAT):
        process.hear(1, match(1))
        process.beat()
    assert process.role == ("leader", 1)
    process.beat()
    assert process.role == ("follower", 1)
    assert said(process.timeout()) == ["to all: would you vote in term 2? my log ends at 1/1"]


def test_a_leader_that_steps_down_waits_for_the_next_one() -> None:
    process = ready_leader()
    assert process.do(TimedOut(process.timers["election"])) == [], "a leader holds no election"
    effects = process.hear(1, append(2))
    assert [effect.timer.kind for effect in effects if isinstance(effect, StartTimer)] == ["election"]
    assert said(process.timeout()) == ["to all: would you vote in term 3? my log ends at 1/1"]


def test_check_quorum_a_leader_that_a_majority_answers_stays() -> None:
    process = ready_leader()
    for _ in range(50):
        process.hear(1, AppendReply(1, True, 0, NOTHING))
        process.beat()
    assert process.role == ("leader", 1)


# --- acknowledgements and certificates -------------------------------------------------------------------------------


def test_a_follower_judges_a_block_before_it_acknowledges_it() -> None:
    process = with_log(1)
    assert said(process.hear(1, append(1, 1, 1, (Entry(1, A),)))) == ["judge A"]
    assert said(process.hear(1, append(1, 1, 1, (Entry(1, A),)))) == [], "it asks once"
    assert process.terms == [1]
    assert said(process.do(Judged(A.header.id, True))) == ["to 1: match through 2, signed (term 1)"]
    assert process.terms == [1, 1]


def test_an_invalid_block_is_never_acknowledged() -> None:
    process = with_log(1)
    process.hear(1, append(1, 1, 1, (Entry(1, A),)))
    assert said(process.do(Judged(A.header.id, False))) == ["to 1: match through 1 (term 1)"]
    assert said(process.hear(1, append(1, 1, 1, (Entry(1, A),)))) == ["to 1: match through 1 (term 1)"]
    assert process.engine.rejected == 1
    assert process.terms == [1]


def test_while_a_block_is_judged_heartbeats_are_answered_and_it_is_not_sent_again() -> None:
    process = with_log(1)
    process.hear(1, append(1, 1, 1, (Entry(1, A),)))
    assert said(process.hear(1, append(1, 2, 1))) == ["to 1: match through 0 (term 1)"]
    assert process.summary["step"] == "follower"


def test_a_block_of_the_next_height_waits_for_it() -> None:
    process = Process()
    process.hear(1, append(1, 0, 0, (*noops(1), Entry(1, A))))
    process.do(Judged(A.header.id, True))
    next_block = block("B", 2, proposer=1)
    proof = certificate(A, 1, 2)
    effects = process.hear(1, append(1, 2, 1, (Entry(1, next_block),), 2, height=2, certificate=proof))
    assert said(effects) == ["decide A"]
    assert said(process.begin(2, A.header.id)) == ["judge B"]
    assert said(process.do(Judged(next_block.header.id, True))) == ["to 1: match through 3, signed (term 1)"]


def test_a_verdict_that_comes_for_another_leader_changes_nothing() -> None:
    process = with_log(1)
    process.hear(1, append(1, 1, 1, (Entry(1, A),)))
    process.hear(2, append(2, 1, 1, noops(2)))
    assert process.do(Judged(A.header.id, True)) == []
    assert process.terms == [1, 2]


def test_nothing_is_signed_before_an_entry_of_the_leaders_term_matches() -> None:
    """A signature says that the block cannot be replaced, and an older entry alone can be (3.6.2)."""
    process = Process()
    process.hear(1, append(1, 0, 0, (*noops(1), Entry(1, A))))
    process.do(Judged(A.header.id, True))
    assert said(process.hear(2, append(2, 2, 1))) == ["to 2: match through 2 (term 2)"]
    assert said(process.hear(2, append(2, 2, 1, noops(2)))) == ["to 2: match through 3, signed (term 2)"]


def test_the_certificate_holds_the_leaders_signature_and_those_of_a_majority() -> None:
    process = ready_leader()
    process.do(Work())
    a = own("A")
    process.do(Built(1, 1, a))
    effects = process.hear(2, match(2, 1, 2, a))
    expected = "append after 2/1: nothing (term 1, commit 2, A is final)"
    assert said(effects) == [f"to 1: {expected}", f"to 2: {expected}", "decide A"]
    decided = effects[-1]
    assert isinstance(decided, Decide)
    assert isinstance(decided.certificate, LogCertificate)
    decided.certificate.verify(a.header, THREE)
    assert [position for position, _ in decided.certificate.signatures] == [0, 2]
    assert said(process.hear(1, match(2, 1, 1, a))) == [], "once"


def test_a_block_of_an_earlier_term_is_certified_in_the_term_that_commits_it() -> None:
    before = Process()
    before.hear(1, append(1, 0, 0, (*noops(1), Entry(1, A))))
    before.do(Judged(A.header.id, True))
    process = leader(memory=before.memory)
    effects = process.hear(2, match(3, 2, 2, A))
    decided = effects[-1]
    assert isinstance(decided, Decide)
    assert isinstance(decided.certificate, LogCertificate)
    assert decided.certificate.term == 2
    decided.certificate.verify(A.header, THREE)


def test_whoever_dropped_the_block_from_its_log_still_signs_it() -> None:
    """Its leader may have crashed before anybody else heard that the block is decided."""
    process = Process()
    process.hear(1, append(1, 0, 0, (*noops(1), Entry(1, A))))
    process.do(Judged(A.header.id, True))
    process.hear(1, append(1, 2, 1, (), 2, height=2, certificate=certificate(A, 0, 1)))
    process.begin(2, A.header.id)
    assert process.terms == []
    reply = said(process.hear(2, append(2, 2, 1, noops(2), 1, height=1)))
    assert reply == ["to 2: match through 3, signed (term 2)"]


@pytest.mark.parametrize("signature", [NOTHING, bytes(64), match(2, 1, 1, A).signature, match(2, 2, 2, A).signature])
def test_an_acknowledgement_without_the_right_signature_does_not_count(signature: bytes) -> None:
    process = ready_leader()
    process.do(Work())
    process.do(Built(1, 1, own("own")))
    assert process.hear(2, AppendReply(1, True, 2, signature)) == []
    assert process.engine.rejected == 1
    assert process.summary["commit_index"] == 1


@pytest.mark.parametrize(
    "bad",
    [
        certificate(A, 1),
        certificate(A, 1, 2, term=7, height=1, group=committee(1, 1, 1, 1)),
        msgspec.structs.replace(certificate(A, 1, 2), term=3),
        msgspec.structs.replace(certificate(A, 1, 2), signatures=((-1, b""), (2**62, bytes(64)))),
    ],
)
def test_a_certificate_that_does_not_convince_decides_nothing(bad: LogCertificate) -> None:
    group = committee(1, 1, 1, 1)
    a = block("A", proposer=1, group=group)
    process = Process(group)
    process.hear(1, append(1, 0, 0, (*noops(1), Entry(1, a))))
    process.do(Judged(a.header.id, True))
    bad = msgspec.structs.replace(bad, block_id=a.header.id)
    assert "decide A" not in said(process.hear(1, append(1, 2, 1, (), 2, certificate=bad)))
    assert process.engine.rejected == 1


def test_a_leader_that_has_the_block_but_not_the_certificate_is_asked_for_both() -> None:
    process = Process()
    process.hear(1, append(1, 0, 0, (*noops(1), Entry(1, A))))
    process.do(Judged(A.header.id, True))
    assert "behind 1" in said(process.hear(1, append(1, 2, 1, (), 2, height=2)))


def test_a_block_that_waits_for_the_next_height_does_not_hide_that_one_is_missing() -> None:
    process = Process()
    process.hear(1, append(1, 0, 0, (*noops(1), Entry(1, A))))
    process.do(Judged(A.header.id, True))
    assert "behind 1" in said(process.hear(1, append(1, 2, 1, (Entry(1, block("B", 2, proposer=1)),), 2, height=2)))
    assert "behind 1" in said(process.hear(1, append(1, 3, 1, (), 2, height=2))), "as often as it is told"


# --- 4: membership ---------------------------------------------------------------------------------------------------


def test_a_member_that_left_does_not_stand_and_its_vote_does_not_count() -> None:
    process = Process()
    process.begin(2, A.header.id, Committee(committee(1, 1, 1, 1).members[1:]))
    assert said(process.timeout()) == []
    assert said(process.hear(2, RequestVote(1, 0, 0, False))) == ["to 2: yes (term 1)"], "perhaps it is back"
    other = candidate()
    other.hear(7, VoteReply(1, False, True))
    assert other.role == ("candidate", 1)
    assert said(process.hear(2, append(1, 0, 0, noops(1)))) == ["to 2: match through 1 (term 1)"], "it may follow"


def test_a_leader_that_left_steps_down() -> None:
    process = ready_leader()
    process.begin(2, A.header.id, Committee(THREE.members[1:]))
    assert process.role == ("follower", 1)
    assert said(process.beat()) == []


def test_a_leader_leads_the_new_committee() -> None:
    process = ready_leader()
    process.begin(2, A.header.id, committee(1, 1, 1, 1))
    process.do(Work())
    a = block("A", 2, group=process.group)
    sent = said(process.do(Built(2, 1, a)))
    assert [text[:5] for text in sent] == ["to 1:", "to 2:", "to 3:"]
    assert said(process.hear(1, match(2, 1, 1, a, 2))) == [], "two of four"
    assert "decide A" in said(process.hear(3, match(2, 1, 3, a, 2)))


def test_a_stranger_is_not_heard_but_may_know_more() -> None:
    process = Process()
    for message in (
        append(1),
        RequestVote(1, 0, 0, False),
        AppendReply(9, False, 0, NOTHING),
        VoteReply(9, True, False),
    ):
        assert process.hear(5, message) == []
    assert said(process.hear(5, append(1, height=9))) == ["behind 5"]
    assert process.role == ("follower", 0)
    assert process.engine.rejected == 0, "a member of the next committee is one"


# --- 5: what is applied is dropped -----------------------------------------------------------------------------------


def decided_a() -> Process:
    """Return a follower at height 2, whose log was compacted through block A."""
    process = Process()
    process.hear(1, append(1, 0, 0, (*noops(1), Entry(1, A))))
    process.do(Judged(A.header.id, True))
    process.hear(1, append(1, 2, 1, (), 2, height=2, certificate=certificate(A, 0, 1)))
    process.begin(2, A.header.id)
    process.now_ms = 2 * TIMEOUT
    return process


def test_what_is_applied_is_dropped_and_forgotten() -> None:
    process = decided_a()
    assert process.terms == []
    assert sorted(process.memory) == [b"base", b"vote"]
    assert process.summary["step"] == "idle"
    assert process.summary["last_index"] == 2


def test_a_follower_behind_the_log_gets_a_snapshot() -> None:
    process = leader(memory=decided_a().memory)
    assert said(process.hear(1, AppendReply(2, False, 1, NOTHING))) == [
        "to 1: snapshot: the log up to 2/1 is the chain up to 1 (term 2)"
    ]
    assert said(process.hear(1, match(0, 2))) == [], "its chain is not so far"
    assert said(process.beat())[0] == "to 1: snapshot: the log up to 2/1 is the chain up to 1 (term 2)"
    assert said(process.hear(1, match(2, 2))) == ["to 1: append after 2/1: 3/2 - (term 2, commit 2)"]


def test_a_snapshot_waits_for_the_chain() -> None:
    process = with_log(1)
    snapshot = InstallSnapshot(3, Base(7, 2, 1, A.header.id))
    assert said(process.hear(2, snapshot)) == ["behind 2", "to 2: match through 0 (term 3)"]
    assert process.terms == [1]
    process.begin(2, A.header.id)
    assert said(process.hear(2, snapshot)) == ["to 2: match through 7 (term 3)"]
    assert process.terms == []
    assert (process.summary["last_index"], process.summary["commit_index"]) == (7, 7)


def test_a_snapshot_keeps_what_follows_it() -> None:
    process = with_log(1, 2, 3)
    process.hear(1, InstallSnapshot(3, Base(2, 2, 0, CHAIN)))
    assert process.terms == [3]
    process.hear(1, InstallSnapshot(3, Base(1, 1, 0, CHAIN)))
    assert process.summary["commit_index"] == 2, "an old one changes nothing"


def test_a_snapshot_of_another_chain_is_refused() -> None:
    process = with_log(1)
    assert said(process.hear(1, InstallSnapshot(3, Base(7, 2, 0, bytes(32))))) == []
    assert process.engine.rejected == 1


def test_a_chain_that_grew_by_itself_commits_what_the_log_has_of_it() -> None:
    """The node caught up from another member before the certificate came."""
    process = Process()
    process.hear(1, append(1, 0, 0, (*noops(1), Entry(1, A))))
    process.do(Judged(A.header.id, True))
    process.begin(2, A.header.id)
    assert process.terms == []
    assert process.summary["commit_index"] == 2


def test_a_block_that_is_on_the_chain_already_need_not_be_judged() -> None:
    process = Process()
    process.begin(2, A.header.id)
    effects = process.hear(1, append(1, 0, 0, (*noops(1), Entry(1, A))))
    assert said(effects) == ["to 1: match through 2, signed (term 1)"]


# --- restart: everything that is remembered is needed ----------------------------------------------------------------


def test_a_restart_remembers_term_and_vote() -> None:
    process = Process()
    process.hear(1, RequestVote(4, 0, 0, False))
    after = process.restarted()
    assert after.role == ("follower", 4)
    assert said(after.hear(2, RequestVote(4, 0, 0, False))) == ["to 2: no (term 4)"]


def test_a_restart_remembers_the_log() -> None:
    process = Process()
    process.hear(1, append(2, 0, 0, (*noops(1), Entry(1, A), *noops(2))))
    process.do(Judged(A.header.id, True))
    after = process.restarted()
    assert after.terms == [1, 1, 2]
    assert said(after.timeout()) == ["to all: would you vote in term 3? my log ends at 3/2"]


def test_a_restart_remembers_what_was_cut_off() -> None:
    process = with_log(1, 2, 3)
    process.hear(1, append(5, 1, 1, noops(4)))
    assert process.restarted().terms == [1, 4]


def test_a_restart_remembers_where_the_log_begins() -> None:
    after = Process(memory=decided_a().memory, height=2)
    assert said(after.hear(2, RequestVote(9, 1, 1, False))) == ["to 2: no (term 9)"]
    after.hear(1, append(9, 2, 1, noops(9)))
    assert after.restarted().summary["last_index"] == 3


def test_a_restart_remembers_a_snapshot() -> None:
    process = Process(height=2)
    process.hear(2, InstallSnapshot(3, Base(7, 2, 1, bytes([2]) * 32)))
    assert Process(memory=process.memory, height=2).summary["last_index"] == 7


def test_a_restart_between_the_block_and_the_next_height_loses_nothing() -> None:
    """The chain has the block; the log still has it too."""
    process = Process()
    process.hear(1, append(1, 0, 0, (*noops(1), Entry(1, A))))
    process.do(Judged(A.header.id, True))
    after = Raft(setup(0, process.memory))
    after.handle(begin(2, A.header.id, THREE), 0)
    assert after.summary()["commit_index"] == 2


def test_a_timer_of_an_earlier_life_means_nothing() -> None:
    process = ready_leader()
    timers = list(process.timers.values())
    after = process.restarted()
    after.now_ms = 9 * TIMEOUT
    assert [effect for timer in timers if timer.round for effect in after.do(TimedOut(timer))] == []
    for kind in ("election", "heartbeat", "tea"):
        for each in (after, ready_leader()):
            each.now_ms = 9 * TIMEOUT
            assert each.do(TimedOut(Timer(kind, 7, 1))) == []


def test_before_the_first_height_nothing_happens() -> None:
    engine = Raft(setup(0))
    for event in (Work(), Heard(public(1), append(1)), Judged(bytes(32), True), Tick(), Built(0, 0, A)):
        assert engine.handle(event, 0) == []


# --- bad input -------------------------------------------------------------------------------------------------------

FAR = 2**63 - 1


def candidate() -> Process:
    process = Process()
    process.timeout()
    process.hear(1, VoteReply(1, True, True))
    return process


def waiting() -> Process:
    """Return a follower that judges a block."""
    process = with_log(1)
    process.hear(1, append(1, 1, 1, (Entry(1, A),)))
    return process


def bent(value: Block, **fields: Any) -> Block:
    return Block(msgspec.structs.replace(value.header, **fields), value.txs)


def one(value: Block) -> AppendEntries:
    return append(1, 0, 0, (*noops(1), Entry(1, value)))


HOSTILE: dict[str, Callable[[], Any]] = {
    "something else": lambda: "append",
    "a message of another engine": lambda: Vote(0, 1, 0, None, public(1), bytes(64)),
    "a vote request of a negative term": lambda: RequestVote(-1, 0, 0, False),
    "a vote request of a huge term": lambda: RequestVote(FAR, 0, 0, False),
    "a vote request with a log of its own term": lambda: RequestVote(3, 3, 3, False),
    "a vote request with a log before the first entry": lambda: RequestVote(3, -1, 1, True),
    "a vote request with an index of no term": lambda: RequestVote(3, 5, 0, True),
    "a vote of a huge term": lambda: VoteReply(MAX_NUMBER + 1, False, True),
    "a vote of a negative term": lambda: VoteReply(-FAR, True, True),
    "an answer of a huge term": lambda: AppendReply(FAR, True, 1, NOTHING),
    "an answer at a huge index": lambda: AppendReply(1, True, FAR, NOTHING),
    "an answer at a negative index": lambda: AppendReply(1, False, -1, NOTHING),
    "an answer with a megabyte of signature": lambda: AppendReply(1, True, 1, bytes(2**20)),
    "entries after a negative index": lambda: append(1, -1, 1, noops(1)),
    "entries after a huge index": lambda: append(1, FAR, 1, noops(1)),
    "entries of a later term than their leader's": lambda: append(1, 0, 0, noops(2)),
    "entries whose terms fall": lambda: append(3, 0, 0, noops(1, 3, 2)),
    "entries of a negative term": lambda: append(1, 0, 0, noops(-1)),
    "two no-ops of one term": lambda: append(3, 0, 0, noops(2, 2)),
    "too many entries": lambda: append(9_999, 0, 0, noops(*range(1, MAX_ENTRIES + 2))),
    "very many entries": lambda: append(2**20, 0, 0, noops(*range(1, 2**12))),
    "two blocks": lambda: append(1, 0, 0, (*noops(1), Entry(1, A), Entry(1, B))),
    "a negative commit index": lambda: append(1, 0, 0, (), -5),
    "a huge commit index": lambda: append(1, 0, 0, (), FAR),
    "a negative height": lambda: append(1, height=-1),
    "a certificate of a huge height": lambda: append(1, certificate=LogCertificate(FAR, 1, bytes(32), ())),
    "a certificate for nothing": lambda: append(1, certificate=LogCertificate(1, 1, b"", ())),
    "a certificate with too many signatures": lambda: append(
        1, certificate=LogCertificate(1, 1, bytes(32), ((0, b""),) * (MAX_MEMBERS + 1))
    ),
    "a block of another chain": lambda: one(bent(A, genesis=bytes(32))),
    "other transactions than the header says": lambda: one(Block(A.header, (b"tx",))),
    "a block that its leader did not make": lambda: one(block("A", proposer=2)),
    "a block that no member made": lambda: append(2, 0, 0, (*noops(1), Entry(1, block("A", proposer=7)))),
    "a snapshot before the first entry": lambda: InstallSnapshot(1, Base(-1, 1, 0, CHAIN)),
    "a snapshot of the future": lambda: InstallSnapshot(1, Base(5, 2, 0, CHAIN)),
    "a snapshot of a negative height": lambda: InstallSnapshot(1, Base(5, 1, -1, CHAIN)),
    "a snapshot of no block": lambda: InstallSnapshot(1, Base(5, 1, 0, b"")),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
def test_bad_input_is_dropped_and_counted(make: Callable[[], Any]) -> None:
    process = Process()
    assert not any(isinstance(effect, Decide | Judge) for effect in process.hear(1, make()))
    assert process.engine.rejected == 1
    assert process.summary["commit_index"] == 0


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
def test_bad_input_in_every_role_raises_nothing_and_decides_nothing(make: Callable[[], Any]) -> None:
    for process in (candidate(), ready_leader(), waiting(), decided_a()):
        before = process.summary["commit_index"]
        effects = process.hear(2, make()) + process.hear(1, make())
        assert not any(isinstance(effect, Decide) for effect in effects)
        assert process.summary["commit_index"] == before


@pytest.mark.parametrize("height", [-FAR, -1, 0, 2, FAR])
def test_a_block_of_another_height_is_never_judged(height: int) -> None:
    process = Process()
    assert not any(isinstance(effect, Judge) for effect in process.hear(1, one(block("A", height, proposer=1))))
    assert process.terms == [1]


def test_nobody_speaks_to_itself_and_a_term_has_one_leader() -> None:
    process = ready_leader()
    assert process.hear(0, append(1)) == []
    assert process.hear(1, append(1)) == []
    assert process.engine.rejected == 2
    assert process.role == ("leader", 1)
    process = Process()
    process.hear(1, append(1))
    assert process.hear(2, append(1)) == []
    assert process.engine.rejected == 1


def test_an_acknowledgement_of_more_than_there_is_counts_for_nothing() -> None:
    process = ready_leader()
    assert process.hear(1, match(2), match(MAX_NUMBER)) == []
    assert process.engine.rejected == 2
    assert process.summary["commit_index"] == 1


def test_a_log_is_bounded() -> None:
    process = Process()
    for first in range(1, MAX_LOG + 2 * MAX_ENTRIES, MAX_ENTRIES):
        terms = range(first, first + MAX_ENTRIES)
        process.hear(1, append(terms[-1], first - 1, first - 1, noops(*terms)))
    assert len(process.terms) == MAX_LOG


def test_how_many_blocks_are_judged_at_one_height_is_bounded() -> None:
    process = with_log(1)
    asked = [process.hear(1, append(1, 1, 1, (Entry(1, block(str(i), proposer=1)),))) for i in range(MAX_JUDGED + 5)]
    assert sum(isinstance(effect, Judge) for effects in asked for effect in effects) == MAX_JUDGED
    assert process.engine.rejected == 5
    process.begin(2, A.header.id)
    assert said(process.hear(1, append(1, 1, 1, (Entry(1, block("B", 2, proposer=1)),)))) == ["judge B"]


@pytest.mark.parametrize(
    "message",
    [
        RequestVote(1, 2, 1, True),
        VoteReply(1, False, True),
        append(1, 0, 0, (*noops(1), Entry(1, A)), certificate=certificate(A, 0, 1)),
        AppendReply(1, True, 2, bytes(64)),
        InstallSnapshot(1, Base(2, 1, 1, A.header.id)),
    ],
)
def test_messages_travel(message: Message) -> None:
    union = RequestVote | VoteReply | AppendEntries | AppendReply | InstallSnapshot
    assert decode(encode(message), union) == message  # type: ignore[arg-type]


def test_the_engine_has_the_face_of_all_engines() -> None:
    engine: Engine = Raft(setup(0))
    assert {"height", "round", "step", "role", "leader"} <= engine.summary().keys()
    assert (engine.heard(), engine.recall(0, b"")) == (b"", [])


# --- stories ---------------------------------------------------------------------------------------------------------

STORIES = sorted((Path(__file__).parent / "golden" / "raft").glob("*.txt"))


def retold(text: str) -> str:
    """Carry out the commands of a story; return its text with what really happens."""
    story, lines = None, []
    for line in text.splitlines():
        if line.startswith("    "):
            continue
        lines.append(line)
        if line.startswith("members "):
            story = Story(*map(int, line.split()[1:]))
        elif line and not line.startswith("#"):
            assert story, "a story begins with its members"
            lines += [f"    {happened}" for happened in story.tell(line)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("path", STORIES, ids=[path.stem for path in STORIES])
def test_story(path: Path) -> None:
    """`GOLDEN=write pytest tests/test_raft.py -k story` writes what happens now; read it before you believe it."""
    told = path.read_text(encoding="utf-8")
    happened = retold(told)
    if os.environ.get("GOLDEN") == "write":
        path.write_text(happened, encoding="utf-8")
    assert happened == told


# --- a bad network ---------------------------------------------------------------------------------------------------

GROUPS = ((1, 1, 1), (1, 1, 1, 1, 1), (3, 1, 1, 2))


def stormy(seed: int, *weights: int) -> Net:
    """Return a network after a time in which everything went wrong."""
    net = Net(seed, *weights)
    net.loss, net.double, net.late, net.stumble = 0.1, 0.05, 0.05, 0.002
    for _ in range(20):
        net.run(net.random.randrange(1_500))
        net.disturb()
    return net


@pytest.mark.parametrize("seed", range(120))
def test_seed_agreement_in_a_bad_network_and_progress_after_it(seed: int) -> None:
    net = stormy(seed, *GROUPS[seed % 3])
    reached = max(net.heights)
    net.calm()
    net.run(8 * TIMEOUT)
    assert min(net.heights) > reached + 1, f"no progress after calm: {net.heights}"
    assert net.rejected + sum(engine.rejected for engine in net.engines if engine) == 0, "nobody lied"


@pytest.mark.parametrize("seed", range(20))
def test_seed_agreement_while_members_come_and_go(seed: int) -> None:
    net = Net(seed, 1, 1, 1, 1, 1)
    everybody = net.group.members
    net.group = Committee(everybody[:3])
    for height, chosen in enumerate(("0123", "01234", "1234", "234", "0234", "034"), 2):
        net.changes[2 * height] = Committee(everybody[int(i)] for i in chosen)
    for i in range(net.size):
        net.begin(i)
        net.later(i, net.random.randrange(2 * TIMEOUT), Tick())
    net.loss, net.double, net.late, net.stumble = 0.05, 0.05, 0.02, 0.001
    for _ in range(30):
        net.run(net.random.randrange(1_500))
        net.disturb()
    net.calm()
    before = max(net.heights)
    net.run(10 * TIMEOUT)
    assert sorted(net.heights)[2] > before + 1, f"no progress after calm: {net.heights}"


def test_seed_the_same_seed_gives_the_same_run() -> None:
    first, second = stormy(7, 1, 1, 1), stormy(7, 1, 1, 1)
    assert (first.heights, first.leaders, first.final) == (second.heights, second.leaders, second.final)


def test_an_idle_group_has_one_leader_and_makes_no_blocks() -> None:
    story = Story(1, 1, 1)
    story.tell("lead 1")
    story.tell("beats 1 50")
    assert story.tell("show") == [
        f"{i}: {role} of term 1, chain [], log after 1/1 [], commit 1, idle"
        for i, role in enumerate(("leader", "follower", "follower"), 1)
    ]


# The checks of `World` are worth something: whoever forgets is caught.


def test_a_forgotten_vote_makes_two_leaders_and_is_caught() -> None:
    story = Story(1, 1, 1)
    for command in ("elect 1", "deliver 1 > 3", "deliver 3 > 1", "deliver 1 > 3", "crash 3"):
        story.tell(command)
    del story.memory[2][b"vote"]
    story.tell("restart 3")
    for command in ("elect 2", "deliver 2 > 3", "deliver 3 > 2", "deliver 2 > 3"):
        story.mail = [mail for mail in story.mail if mail[:2] != (2, 0)] if command == "elect 2" else story.mail
        story.tell(command)
    story.mail.append((2, 0, VoteReply(1, False, True)))
    story.tell("deliver 3 > 1")
    with pytest.raises(AssertionError, match="two leaders of term 1"):
        story.tell("deliver 3 > 2")


def test_a_forgotten_entry_makes_two_blocks_and_is_caught() -> None:
    story = Story(1, 1, 1)
    for command in ("lead 1", "cut 1 2 | 3", "propose A", "deliver", "crash 1", "crash 2"):
        story.tell(command)
    assert len(story.chains[1]) == 1
    story.chains[1].clear()
    story.memory[1].clear()
    for command in ("heal", "restart 2", "elect 3", "deliver", "propose B"):
        story.tell(command)
    with pytest.raises(AssertionError, match="two blocks at height 1: A and B"):
        story.tell("deliver")
