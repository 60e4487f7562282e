"""The consensus lab knows situations, runs and predictions, and says them in plain words; no browser is needed."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from pathlib import Path

import ipywidgets as W  # noqa: N812
import pytest
from test_views_i18n import raw_words
from test_views_markup import Reader

from minichain.errors import ConfigError, UsageError
from minichain.faults.timeline import VERBS, parse
from minichain.sim import reading
from minichain.sim.recording import record
from minichain.views import consensus_lab, consensus_text, i18n
from minichain.views import consensus_words as words
from minichain.views.consensus_model import (
    MOST,
    PRESETS,
    Lab,
    Situation,
    end_of,
    read_file,
    read_timeline,
    timeline_of,
)


@pytest.fixture(autouse=True)
def _own_language():
    yield
    i18n.use("en")


def played(preset: str = "well", engine: str = "bft", *, safe: bool = True, moving: bool = True) -> Lab:
    """Return a lab in which a prepared situation was predicted and run."""
    lab = Lab()
    lab.change(engine=engine)
    lab.choose(preset)
    lab.guess_safe, lab.guess_moving = safe, moving
    lab.run()
    return lab


def finish(lab: Lab) -> Lab:
    lab.position = lab.recording.end_ms
    return lab


# --- the situations are as theory says --------------------------------------------------------------------------------

THEORY = {
    ("bft", "well"): (True, True),
    ("bft", "offline"): (True, True),
    ("bft", "liar"): (True, True),
    ("bft", "liars"): (False, True),
    ("bft", "cable"): (True, False),
    ("bft", "slow"): (True, True),
    ("raft", "well"): (True, True),
    ("raft", "offline"): (True, True),
    ("raft", "cable"): (True, True),  # four of seven are more than half
    ("raft", "slow"): (True, True),
    ("pow", "well"): (True, True),
    ("pow", "offline"): (True, True),
    ("pow", "cable"): (False, True),
}


@pytest.mark.parametrize(("engine", "preset"), THEORY)
def test_a_prepared_situation_ends_as_theory_says(engine: str, preset: str):
    lab = finish(played(preset, engine))
    assert words.outcome(lab.recording) == THEORY[engine, preset]
    assert lab.guessed_right == tuple(THEORY[engine, preset])
    assert words.safe(lab.recording, lab.position)[0] == ("ok" if THEORY[engine, preset][0] else "bad")
    assert (words.moving(lab.recording, lab.position)[0] == "bad") is not THEORY[engine, preset][1]


def test_a_stop_says_how_many_are_missing():
    lab = finish(played("cable"))
    told = words.moving(lab.recording, lab.position)[1]
    assert told == "No. 10 transfers are waiting. Only 4 of 7 reach each other; 5 are needed."


def test_two_results_come_with_both_certificates_and_the_names_of_the_liars():
    lab = finish(played("liars"))
    shown = Reader(consensus_lab._conflict(lab)).text
    assert shown.count("the certificate holds") == 2
    assert "Signed both: Collection point B, Transfer station C, Sorting plant D" in shown
    assert "Any two groups of 5 out of 7 share at least 3 offices." in shown
    assert {"run", "conflict"} <= lab.done


def test_work_shows_two_results_without_a_liar():
    lab = finish(played("cable", "pow"))
    assert "Nobody lied" in consensus_lab._conflict(lab)


def test_a_block_that_was_taken_back_is_told_from_then_on():
    recording = played("cable", "pow").recording
    conflict = recording.conflicts[0]
    undone = [kept for kept in (conflict.first, conflict.second) if kept.undone_ms]
    assert len(undone) == 1
    assert "take its own back" not in words.safe(recording, undone[0].undone_ms - 1)[1]
    told = f"Since then {words.office(undone[0].name)} has had to take its own back."
    assert told in words.safe(recording, undone[0].undone_ms)[1]


def test_the_same_settings_give_the_same_run():
    assert played("liar").recording.digest == played("liar").recording.digest


# --- prediction -------------------------------------------------------------------------------------------------------


def test_nothing_is_shown_before_somebody_has_said_what_will_happen():
    lab = Lab()
    with pytest.raises(UsageError, match="Say first"):
        lab.run()
    lab.guess_safe = True
    with pytest.raises(UsageError, match="both questions"):
        lab.run()
    assert lab.recording is None
    lab.guess_moving = False
    lab.run()
    assert lab.recording is not None


def test_how_it_came_out_is_told_at_the_end_only():
    lab = played("liars", safe=True, moving=True)
    lab.position = 5_000
    assert not lab.is_told
    assert "Watch it to its end" in consensus_lab._answer(lab)
    finish(lab)
    assert "right about one of the two" in consensus_lab._answer(lab)


def test_another_situation_begins_anew():
    lab = finish(played())
    lab.change(liars=2)
    assert (lab.recording, lab.guess_safe, lab.is_told, lab.position, lab.preset) == (None, None, False, 0, "")


def test_lies_need_the_method_that_answers_them():
    lab = Lab()
    lab.change(engine="raft", liars=3)
    assert lab.situation.liars == 0
    lab.choose("liar")
    assert lab.situation.engine == "bft"


def test_there_are_never_more_liars_or_absent_offices_than_offices():
    lab = Lab()
    lab.change(offices=4, liars=12, offline=12)
    assert (lab.situation.liars, lab.situation.offline) == (3, 3)


# --- touching a run ---------------------------------------------------------------------------------------------------


def test_a_message_is_dropped_and_taken_back():
    lab = played()
    before = lab.recording.digest
    lab.message = next(m.number for m in lab.recording.messages if m.saying.kind == "proposal")
    lab.drop()
    assert lab.position == next(m.sent_ms for m in lab.recording.messages if m.due_ms is None)
    assert "lose 1 " in str(lab.timeline)
    assert lab.recording.digest != before
    lab.undo()
    assert lab.recording.digest == before
    with pytest.raises(UsageError, match="Nothing was added"):
        lab.undo()


def test_what_was_done_by_hand_is_listed_line_by_line():
    lab = played()
    consensus_lab.page(lab)  # it looks on
    lab.position = 3_000
    lab.switch("node-6")
    lab.position = 1_000
    lab.switch("node-5")
    assert [str(step) for step in lab.added_steps] == ["at 3000 crash node-6", "at 1000 crash node-5"]
    assert "You have added 2 lines" in shown(consensus_lab._changes(lab))
    lab.undo()
    assert [str(step) for step in lab.added_steps] == ["at 3000 crash node-6"]


def test_without_a_message_there_is_nothing_to_drop():
    with pytest.raises(UsageError, match="Choose a message"):
        played().hold()


def test_an_office_is_switched_off_and_on_at_the_moment_shown():
    lab = played()
    lab.position = 3_000
    lab.switch("node-6")
    assert "at 3000 crash node-6" in str(lab.timeline)
    lab.position = 6_000
    lab.switch("node-6")
    assert "at 6000 restart node-6" in str(lab.timeline)
    assert lab.recording.state("node-6", 5_000).is_on is False


@pytest.mark.parametrize("at", [4_000, 12_000])
def test_mending_lets_a_stopped_run_go_on_even_at_its_end(at):
    lab = finish(played("cable"))
    lab.position = at
    lab.mend()
    assert words.outcome(lab.recording) == (True, True)


def shown(box: object) -> str:
    """Return what a reader reads in a box."""
    children = getattr(box, "children", ())
    return Reader(box.value).text if isinstance(box, W.HTML) else " ".join(map(shown, children))


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["bft", "raft", "pow"])
@pytest.mark.parametrize("language", ["en", "zh", i18n.PSEUDO])
def test_every_message_and_every_state_is_said_in_the_viewers_language(engine: str, language: str):
    lab = played("slow", engine)
    lab.change(loss=15, trouble="cable")
    lab.guess_safe = lab.guess_moving = True
    lab.run()
    i18n.use(language)
    recording = lab.recording
    told = [words.says(recording, m) + words.way(m, recording.end_ms)[1] for m in recording.messages[::7]]
    for ms in range(0, recording.end_ms, 1_500):
        told += [words.safe(recording, ms)[1], words.moving(recording, ms)[1], words.discussion_title(recording, ms)]
        told += [line for name in recording.names for _state, line in words.knows(recording, name, ms)]
        for ballot in reading.ballots(recording, ms):
            told += [words.ballot_title(recording, ballot), words.ballot_count(ballot)]
    assert not any("{" in line for line in told)
    if language == "zh":
        assert all(re.search(r"[\u4e00-\u9fff]", line) for line in told)
    if language == i18n.PSEUDO:
        assert [line for line in told if raw_words(without_brackets(line))] == []


def without_brackets(text: str) -> str:
    """Take away what the pseudo-language has marked, from the inside out."""
    while "⟦" in text:
        text = re.sub("⟦[^⟦⟧]*⟧", " ", text)
    return text


def test_an_office_tells_what_it_is_locked_on_and_whom_it_caught():
    lab = played("liars")
    told = " ".join(str(line) for _state, line in words.knows(lab.recording, "node-0", 800))
    assert "5 for block 1 (A, B, C, D, E); 2 for block 1\N{PRIME} (F, G)" in told.replace(", 2 for", "; 2 for")
    assert "It is locked on block 1 since try 1" in told
    assert "It lies" in str(words.knows(lab.recording, "node-1", 800))


def test_an_office_without_a_leader_waits_for_one():
    lab = played("well", "raft")
    assert "It waits: it knows of no leader yet." in str(words.knows(lab.recording, "node-3", 100))
    lab.position = 100
    assert "Nobody has said yes to anything" in shown(consensus_lab._count(lab))
    roles = str(words.knows(lab.recording, "node-3", lab.recording.end_ms))
    assert "It follows" in roles or "It leads" in roles


def test_a_recording_that_is_full_says_so(monkeypatch):
    monkeypatch.setattr("minichain.sim.recording.MAX_MESSAGES", 300)
    lab = played()
    assert "It ends after" in consensus_lab._cut(lab)
    assert consensus_lab._cut(Lab()) == ""


def test_every_office_has_a_name_of_its_own():
    for language in ("en", "zh"):
        i18n.use(language)
        assert len({words.office(f"node-{number}") for number in range(MOST)}) == MOST


def test_what_the_picture_gets_is_plain_numbers():
    run = consensus_lab.staged(played("liars"))
    assert len(json.dumps(run)) < 200_000
    assert {kind["mark"] for kind in run["kinds"]} >= {"square", "ring", "disc"}
    assert any(flag[3] for flag in run["finals"])
    assert run["liars"] == [1, 2, 3]


# --- a text of one's own ----------------------------------------------------------------------------------------------


def test_the_text_that_is_saved_is_the_run():
    lab = played("liar")
    assert parse(consensus_text.text_of(lab)) == lab.timeline
    assert "# node-1: Collection point B" in consensus_text.text_of(lab)
    box = consensus_text.own(lab)
    link = next(child.value for bar in box.children for child in getattr(bar, "children", ()) if "href" in str(child))
    data = re.search(r"base64,([^\"]+)", link)
    assert data
    assert b64decode(data[1]).decode() == consensus_text.text_of(lab)


def test_a_text_is_taken_with_its_method_and_offices():
    lab = Lab()
    lab.bring(read_timeline("engine raft\nvalidators 5\nat 0 submit 3"))
    assert (lab.situation.engine, lab.situation.offices) == ("raft", 5)
    assert lab.preset == ""


def test_the_text_that_the_course_plays_with_real_processes_plays_here_too():
    morning = Path(__file__).parents[1] / "curriculum/bad-morning.timeline"
    lab = Lab()
    lab.bring(read_timeline(read_file(morning.read_bytes())))
    lab.guess_safe = lab.guess_moving = True
    lab.run()
    finish(lab)
    assert lab.guessed_right == (True, True)
    assert lab.recording.settled(lab.position) == lab.recording.submitted(lab.position)
    assert {kept.name for kept in lab.recording.kept if kept.undone_ms} == {"node-1"}  # its disk was an old copy
    caught = {name for n in lab.recording.honest for name in reading.caught(lab.recording, n, lab.position)}
    assert caught == {"node-2"}


def test_a_file_is_taken_and_what_is_no_text_is_refused():
    assert read_file("\ufeff# Straße\nvalidators 5".encode()) == "# Straße\nvalidators 5"
    with pytest.raises(UsageError, match="not a text"):
        read_file(b"\x89PNG\xff")
    with pytest.raises(UsageError, match="too long"):
        read_timeline(read_file(b"# and so on\n" * 10_000))


def test_a_wrong_line_is_quoted_in_the_viewers_language_and_as_text():
    text = "validators 4\nat 0 <b>explode</b> node-1"
    with pytest.raises(ConfigError) as error:
        read_timeline(text)
    i18n.use("zh")
    assert Reader(consensus_text.wrong_line(text, error.value)).text.startswith("文本的第 2 行")
    assert "&lt;b&gt;explode" in consensus_text.wrong_line(text, error.value)
    assert consensus_text.wrong_line(text, UsageError("too many offices")) == ""


def test_everything_that_may_be_written_is_explained_in_both_languages():
    for language, does in (("en", "no message passes between groups"), ("zh", "各组之间没有消息能通过")):
        i18n.use(language)
        told = Reader(consensus_text.grammar()).text
        assert all(verb in told for verb in VERBS)
        assert "part NODE NODE | NODE NODE" in told
        assert does in told


@pytest.mark.parametrize(
    ("text", "error", "reason"),
    [
        ("engine bft\nat 0 explode node-1", ConfigError, "line 2: there is no verb 'explode'"),
        ("engine paper", ConfigError, "line 1: there is no engine 'paper'"),
        ("at 0 crash node-9", ConfigError, "line 1: there is no node 'node-9'"),
        ("validators 40", UsageError, "4 to 13 offices"),
        ("at 0 submit 5000", UsageError, "200 transfers"),
        ("at 99999999 calm", UsageError, "60 seconds"),
    ],
)
def test_a_text_that_does_not_fit_is_refused_with_its_line_and_reason(text: str, error: type, reason: str):
    with pytest.raises(error, match=re.escape(reason)):
        read_timeline(text)


def test_every_prepared_situation_has_its_words():
    assert set(consensus_lab._presets()) == {*PRESETS, ""}


@pytest.mark.parametrize(("offices", "goes_on"), [(7, False), (8, False), (9, False), (10, True)])
def test_three_that_say_nothing_need_ten_offices_as_the_task_card_lets_one_find(offices, goes_on):
    assert outcome_of(Situation(offices=offices, offline=3)) == (True, goes_on)


def test_ten_offices_bear_three_liars_too():
    assert outcome_of(Situation(offices=10, liars=3)) == (True, True)


def outcome_of(situation: Situation):
    """Run a situation of the lab; returns whether it stayed safe, and whether it went on."""
    timeline = timeline_of(situation, Lab().seed)
    return words.outcome(record(timeline, end_of(timeline)))


def test_the_page_is_built():
    page = consensus_lab.page(played("liars"))
    assert len(page.children) >= 4
