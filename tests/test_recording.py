"""A recording holds what happened and nothing else; a message that is singled out is lost or late, and no other is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from minichain.errors import UsageError
from minichain.faults.timeline import Step, Timeline, parse
from minichain.sim import reading
from minichain.sim.player import play, world_of
from minichain.sim.recording import Recording, record, single_out, two_quorums, with_step

SEEDS = range(4)
END_MS = 6_000


def run(*lines: str, engine: str = "bft", validators: int = 4, seed: int = 7, end_ms: int = END_MS) -> Recording:
    options = [f"engine {engine}", f"validators {validators}", f"seed {seed}", "delay 50 150"]
    return record(parse("\n".join([*options, *lines])), end_ms)


def colluders(count: int) -> list[str]:
    return [f"at 0 behave node-{number} colluder" for number in range(1, count + 1)]


def heights(recording: Recording) -> set[int]:
    return {recording.state(name, recording.end_ms).height for name in recording.names}


# --- what is in it ----------------------------------------------------------------------------------------------------


def test_watching_changes_nothing():
    timeline = parse("seed 5\ndelay 50 150\nloss 10\nat 0 submit 3\nat 2000 crash node-2\nat 3000 restart node-2")
    world = world_of(timeline)
    play(world, timeline).wait(1_000)
    recording = record(timeline, 4_000)
    assert recording.digest == world.trace.digest()
    assert record(timeline, 4_000).digest == recording.digest


@pytest.mark.parametrize("engine", ["bft", "raft", "pow"])
def test_every_message_is_there_with_its_way(engine: str):
    recording = run("at 0 submit 2", "at 0 loss 20", engine=engine)
    assert [message.number for message in recording.messages] == list(range(len(recording.messages)))
    assert any(message.due_ms is None for message in recording.messages)
    for message in recording.messages:
        if message.due_ms is None:
            assert message.seen_ms is None
        else:
            assert 50 <= message.due_ms - message.sent_ms <= 150
            assert message.seen_ms == message.due_ms or message.due_ms > recording.end_ms
    assert not any(message.saying.kind == "noise" for message in recording.messages)


def test_what_is_damaged_on_the_way_is_heard_as_noise():
    recording = run("at 0 submit 3", "at 0 corruption 30")
    assert any(message.saying.kind == "noise" for message in recording.messages)
    assert recording.settled(END_MS) == 3
    assert not any(reading.caught(recording, name, END_MS) for name in recording.names)


def test_a_vote_with_another_signature_is_heard_as_noise():
    """Half of what node-1 sends is changed; what it really voted still counts where it arrived unchanged."""
    submits = [f"at {at} submit 1" for at in range(0, 4_000, 1_000)]
    recording = run("at 0 behave node-1 mutate:vote.signature", *submits)
    kinds = {message.saying.kind for message in recording.messages if message.sender == "node-1"}
    assert {"noise", *reading.VOTES} <= kinds
    assert not any(message.saying.kind == "noise" for message in recording.messages if message.sender != "node-1")
    assert not any(reading.caught(recording, name, END_MS) for name in recording.honest)


def test_a_vote_in_the_name_of_a_stranger_counts_nowhere():
    recording = run("at 0 behave node-1 mutate:vote.voter", "at 0 submit 3")
    for ms in range(0, END_MS, 250):
        known = [reading.heard_votes(recording, name, ms, kind) for name in recording.names for kind in reading.VOTES]
        assert {voter for votes in known for voters in votes.values() for voter in voters} <= set(recording.names)
        assert all(set(ballot.members) <= set(recording.names) for ballot in reading.ballots(recording, ms))
    assert recording.settled(END_MS) == 3


def test_who_begins_with_a_snapshot_has_no_block_from_before_it():
    lines = [f"at {at} submit 2" for at in range(0, 4_000, 500)]
    recording = run(*lines, "at 4500 crash node-3", "at 5000 restart node-3 snapshot", "at 6000 submit 2", end_ms=9_000)
    assert heights(recording) == {recording.state("node-0", 9_000).height}
    held = [kept.height for kept in recording.kept if kept.name == "node-3" and kept.ms > 5_000]
    assert held
    assert min(held) > 1
    assert not recording.conflicts


def test_a_member_that_is_off_hears_nothing_and_says_nothing():
    recording = run("at 0 submit 1", "at 1000 crash node-3", "at 4000 restart node-3")
    off = [m for m in recording.messages if m.receiver == "node-3" and m.due_ms and 1_000 < m.due_ms < 4_000]
    assert off
    assert all(message.seen_ms is None for message in off)
    assert not [m for m in recording.messages if m.sender == "node-3" and 1_000 < m.sent_ms < 4_000]
    assert not recording.state("node-3", 2_000).is_on
    assert recording.state("node-3", 4_500).is_on


def test_a_full_recording_ends_and_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("minichain.sim.recording.MAX_MESSAGES", 50)
    recording = run("at 0 submit 1")
    assert recording.is_cut
    assert recording.end_ms < END_MS


# --- one message ------------------------------------------------------------------------------------------------------


def picked(recording: Recording) -> Iterator[int]:
    """Take one message of each kind, and the very first ones."""
    seen: set[str] = set()
    for message in recording.messages:
        if message.number < 3 or message.saying.kind not in seen:
            seen.add(message.saying.kind)
            yield message.number


@pytest.mark.parametrize("engine", ["bft", "raft", "pow"])
def test_a_message_that_is_singled_out_is_lost_and_nothing_before_it_changes(engine: str):
    recording = run("at 0 submit 2", "at 500 submit 2", engine=engine, end_ms=2_000)
    for number in picked(recording):
        chosen = recording.messages[number]
        again = record(single_out(recording, chosen), 2_000)
        lost = again.messages[number]
        assert (lost.sender, lost.receiver, lost.saying) == (chosen.sender, chosen.receiver, chosen.saying)
        assert lost.due_ms is None
        for before, after in zip(recording.messages[:number], again.messages[:number], strict=True):
            assert (before.sender, before.receiver, before.sent_ms, before.due_ms) == (
                after.sender,
                after.receiver,
                after.sent_ms,
                after.due_ms,
            )


def test_a_message_that_is_held_back_comes_so_much_later():
    recording = run("at 0 submit 2")
    chosen = next(message for message in recording.messages if message.saying.kind == "proposal")
    timeline = single_out(recording, chosen, 2_000)
    assert parse(str(timeline)) == timeline
    late = record(timeline, END_MS).messages[chosen.number]
    assert (late.due_ms, late.seen_ms) == (chosen.due_ms + 2_000, chosen.due_ms + 2_000)


def test_two_messages_of_one_link_are_singled_out_apart():
    recording = run("at 0 submit 2")
    link = [m for m in recording.messages if (m.sender, m.receiver) == ("node-0", "node-2")][:4]
    once = record(single_out(recording, link[1]), END_MS)
    twice = record(single_out(once, once.messages[link[3].number]), END_MS)
    again = [m for m in twice.messages if (m.sender, m.receiver) == ("node-0", "node-2")][:4]
    assert [message.due_ms is None for message in again] == [False, True, False, True]


def test_calm_forgets_who_was_singled_out():
    recording = run("at 0 lose 1 node-0 -> node-1", "at 0 lose 40 node-0 -> node-2", "at 1 calm", "at 10 submit 20")
    assert sum(message.due_ms is None for message in recording.messages) == 1  # what was lost before the calm


def test_a_new_line_comes_after_those_of_its_time():
    timeline = with_step(parse("at 0 submit 1\nat 5 heal\nat 9 calm"), Step(5, "submit", (2,)))
    assert [str(step) for step in timeline.steps] == ["at 0 submit 1", "at 5 heal", "at 5 submit 2", "at 9 calm"]


# --- what theory says -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("members", "liars"), [(4, 1), (7, 2), (10, 3)])
def test_fewer_than_a_third_of_liars_are_borne(members: int, liars: int, seed: int):
    recording = run(*colluders(liars), "at 0 submit 4", validators=members, seed=seed)
    assert recording.conflicts == ()
    assert recording.violations == ()
    assert recording.settled(END_MS) == recording.submitted(END_MS) == 4
    assert heights(recording) == {recording.state("node-0", END_MS).height}


@pytest.mark.parametrize(("members", "liars"), [(4, 2), (7, 3), (10, 4), (13, 5)])
def test_as_many_liars_as_two_quorums_share_make_two_certificates_that_both_hold(members: int, liars: int):
    recording = run(*colluders(liars), "at 0 submit 4", validators=members)
    assert two_quorums(recording.committee)[1] == liars
    conflict = recording.conflicts[0]
    assert conflict.first.height == conflict.second.height
    assert conflict.first.id != conflict.second.id
    signers = []
    for kept in (conflict.first, conflict.second):
        kept.final.certificate.verify(kept.final.block.header, recording.committee)
        signers.append(set(reading.signers(recording.committee, kept.final.certificate.signers)))
    assert signers[0] & signers[1] == recording.liars
    assert recording.violations[0].startswith("agreement")


def test_a_third_that_is_less_than_two_quorums_share_cannot_split():
    """Six members: a quorum is five, and two of them share four."""
    recording = run(*colluders(3), "at 0 submit 4", validators=6)
    assert recording.conflicts == ()


def test_an_honest_member_catches_the_liar():
    recording = run(*colluders(2), "at 0 submit 4", "at 0 loss 20", validators=7, end_ms=8_000)
    caught = {name for honest in recording.honest for name in reading.caught(recording, honest, 8_000)}
    assert caught <= recording.liars
    assert caught


def test_work_lets_both_sides_of_a_cut_go_on_and_takes_one_back():
    recording = run(
        "at 0 submit 2",
        "at 0 part node-0 node-1 | node-2 node-3 node-4",
        "at 9000 heal",
        engine="pow",
        validators=5,
        end_ms=14_000,
    )
    assert recording.conflicts
    assert any(kept.final_ms and kept.undone_ms for kept in recording.kept)
    assert len({recording.state(name, 14_000).head for name in recording.names}) == 1


@pytest.mark.parametrize(("engine", "answer"), [("bft", 4), ("raft", 4)])
def test_who_reaches_whom_is_measured(engine: str, answer: int):
    groups = "at 0 part node-0 node-1 node-2 | node-3 node-4 node-5 node-6"
    recording = run(groups, "at 0 submit 1", engine=engine, validators=7)
    now = reading.progress(recording, END_MS, 3_000)
    assert len(now.reach) == answer
    assert now.state == ("stopped" if engine == "bft" else "done")


# --- the count --------------------------------------------------------------------------------------------------------


def test_votes_are_counted_as_they_are_cast():
    recording = run("at 0 submit 1", validators=7)
    counts = [
        max((len(ballot.members) for ballot in reading.ballots(recording, ms) if ballot.kind == "precommit"), default=0)
        for ms in range(0, 700, 20)
    ]
    rising = counts[: counts.index(max(counts)) + 1]
    assert rising == sorted(rising)
    assert max(counts) >= 5
    assert reading.needed(recording) == 5


def test_a_lock_is_what_the_member_confirmed():
    recording = run("at 0 submit 1")
    locks = [(ms, reading.lock_of(recording, "node-0", ms)) for ms in range(0, 1_000, 10)]
    found = next(lock for _, lock in locks if lock)
    assert found == (recording.kept[0].id, 0)
    assert locks[0][1] is None


def test_a_raft_leader_is_elected_by_more_than_half():
    recording = run("at 0 submit 1", engine="raft", validators=5)
    ballots = reading.ballots(recording, END_MS)
    elected = next(ballot for ballot in ballots if ballot.kind == "leader")
    leader = bytes.fromhex(recording.state("node-0", END_MS).said["leader"])
    assert recording.name_of[leader] == elected.members[0]
    assert len(elected.members) >= elected.needed == 3
    assert all(len(ballot.members) >= 3 for ballot in ballots if ballot.kind == "entry")


def test_the_checker_takes_only_the_two_words():
    with pytest.raises(UsageError, match="stop or note"):
        world_of(Timeline()).checkers.__class__(world_of(Timeline()).genesis, lambda *_: True, "ignore")
