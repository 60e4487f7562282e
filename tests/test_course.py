"""What a learner meets in a lesson: answers judged part by part, hints step by step, and attempts that stay."""

from __future__ import annotations

import msgspec
import pytest

from minichain.codec import to_json
from minichain.course import check, desk, marks, mutation, place, predict, reveal
from minichain.course.attempts import LARGEST, gaps, read_attempt
from minichain.course.exercise import Exercise, NoAnswer, in_class, miss, seeds
from minichain.course.journal import Journal, read_folder
from minichain.errors import ConfigError, DecodeError, SignatureError, UsageError


@pytest.fixture(autouse=True)
def _newcomer(monkeypatch, tmp_path):
    """Let each story begin with somebody who has answered nothing, in a folder that is no bundle."""
    monkeypatch.setenv(place.VARIABLE, str(tmp_path / "course"))
    monkeypatch.chdir(tmp_path)


def trusting(entry, place, size, proof, root):
    return True


def right(entry, place, size, proof, root):
    from minichain import merkle  # noqa: PLC0415 - it is the learner's

    return merkle.verify_inclusion(entry, place, size, proof, root)


# --- a lesson ----------------------------------------------------------------------------------------------------


def test_a_wrong_answer_gets_its_cause_its_belief_and_the_next_hint_each_time():
    told = [check("m02.e1", trusting) for _ in range(4)]
    assert [one.hint for one in told] == [1, 2, 3, 3]
    assert (told[0].score, told[0].of, told[0].misconception) == (1, 5, "MC08")
    assert str(told[0]).startswith("1 of 5. A proof was accepted for an entry that is not in the list")
    assert "Hint 1 of 3: Where does the entry go" in repr(told[0])
    assert str(check("m02.e1", right)).startswith("5 of 5. Right.")


def test_a_result_stays_closed_until_somebody_has_said_what_they_expect():
    with pytest.raises(desk.NotYet, match=r"First say what you expect: predict\('m02.p1', ...\)"):
        reveal("m02.p1", lambda: "the result")
    assert "There is no answer yet" in str(predict("m02.p1", ...))
    with pytest.raises(desk.NotYet):
        reveal("m02.p1")
    assert str(predict("m02.p1", {"edited": {3}, "resealed": set()})) == "Kept. Now run the next cell and compare."
    assert reveal("m02.p1", lambda: "the result") == "the result"
    assert reveal("m02.p1").misconception == "MC08"


def test_hints_go_on_where_they_were_when_a_notebook_is_opened_again(monkeypatch):
    assert check("m02.e1", trusting).hint == 1
    monkeypatch.setattr(desk, "_journals", {})  # another kernel
    assert check("m02.e1", trusting).hint == 2


def test_it_speaks_the_language_of_the_folder(tmp_path):
    place.write_record(tmp_path, place.Bundle(language="zh"))
    assert str(check("m02.e1", trusting)).startswith("5 项中对 1 项。")
    (tmp_path / place.RECORD).write_text("{")
    with pytest.raises(ConfigError, match=r"course.json is damaged .*: copy the lessons anew"):
        check("m02.e1", trusting)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("True", "This answer is of another kind than asked: str in place of callable"),
        (lambda *rest: 1 // 0, "Your function ended with an error: ZeroDivisionError"),
    ],
)
def test_what_is_no_answer_of_its_kind_is_told_so(answer, said):
    assert said in str(check("m02.e1", answer))


@pytest.mark.parametrize(("id", "said"), [("m99.e1", "no module 'm99'"), ("m02.e9", "m02 has m02.p1, m02.e1, m02.e2")])
def test_an_exercise_that_there_is_not_is_told_so(id, said):
    with pytest.raises(ConfigError, match=said):
        check(id, 1)


def unwritten(entry, place, size, proof, root):
    """Check a proof."""
    ...  # your turn


def test_a_function_still_to_be_written_is_no_answer_and_no_belief():
    assert "There is no answer yet" in str(check("m02.e1", unwritten))
    assert desk.attempts() == []


def test_what_is_not_a_prediction_is_checked():
    with pytest.raises(UsageError, match=r"m02.e1 is not a prediction: give its answer to check\('m02.e1', ...\)"):
        predict("m02.e1", right)


# --- judging -----------------------------------------------------------------------------------------------------


def test_parts_are_counted_and_some_may_be_forgiven():
    even = Exercise("x.e1", expects=list)

    @even.each([0, 1, 2])
    def is_even(answer, number):
        return None if answer[number] % 2 == 0 else miss("odd", place=number)

    found = even.judge([2, 3, 4], needs=2)
    assert (found.score, found.of, found.is_right, found.misses[0].values) == (2, 3, True, {"place": 1})
    assert not even.judge([2, 3, 4]).is_right
    assert [even.accepts([2, 3, 4], needs) for needs in (0, 1, 2, 3)] == [False, True, True, False]
    with pytest.raises(NoAnswer):
        even.judge(...)


def test_the_seed_of_a_class_is_one_more_that_is_played():
    assert seeds(2) == (0, 1, 2)
    with in_class(40):
        assert seeds(2) == (0, 1, 42)


def test_a_slip_in_each_place_of_a_function_is_tried_and_an_endless_loop_ends():
    sources = [mutant.mutant for mutant in mutation.mutants(first_power)]
    assert len(sources) == len(set(sources)) == 10
    assert "while power <= limit:" in "\n".join(sources)
    endless = next(mutant for mutant in mutation.mutants(first_power) if "limit:\n        pass" in mutant.mutant)
    with pytest.raises(TimeoutError, match="no end"):
        endless(9)


def first_power(limit):
    power = 1
    while power < limit:
        power *= 2
    return power


def test_data_are_changed_in_one_place_more_than_is_forgiven():
    answer = {name: name < "c" for name in "abcd"}
    for forgiven in (0, 2):
        for mutant in mutation.mutants(answer, forgiven=forgiven):
            assert sum(mutant[name] != answer[name] for name in answer) == forgiven + 1


# --- attempts ----------------------------------------------------------------------------------------------------


def test_attempts_are_on_the_disk_signed_and_chained_before_anything_is_said(tmp_path):
    check("m02.e1", trusting)
    predict("m02.p1", {"edited": {3}, "resealed": set()})
    kept = list(read_folder(tmp_path / "course" / "attempts"))
    assert [(one.exercise, one.kind, one.score, one.misconception) for one in kept] == [
        ("m02.e1", "check", 1, "MC08"),
        ("m02.p1", "predict", 0, ""),
    ]
    assert kept[0].answer.startswith("def trusting(")
    assert desk.read_data(kept[1].answer) == {"edited": {3}, "resealed": set()}
    assert gaps(reversed(kept)) == []


def test_a_line_that_a_crash_has_torn_is_left_out_and_the_others_are_read(tmp_path):
    journal = Journal(tmp_path / "j")
    for number in range(3):
        journal.add("m02.e1", "check", str(number))
    path = next((tmp_path / "j" / "attempts").iterdir())
    path.write_bytes(path.read_bytes()[:-30])
    assert [one.answer for one in read_folder(path.parent)] == ["0", "1"]
    assert len(Journal(tmp_path / "j").all()) == 2


def test_what_is_missing_or_changed_in_a_chain_of_attempts_is_seen(tmp_path):
    journal = Journal(tmp_path / "j")
    first, second, third = (journal.add("m02.e1", "check", str(number)) for number in range(3))
    assert gaps([third, first]) == [f"session {first.session}: attempt 2 is missing"]
    better = msgspec.structs.replace(first, score=5, is_right=True)
    with pytest.raises(SignatureError):
        read_attempt(to_json(better))
    again = Journal(tmp_path / "k").add("m02.e1", "check", "0")
    with pytest.raises(SignatureError):
        read_attempt(to_json(msgspec.structs.replace(again, learner=second.learner)))
    with pytest.raises(DecodeError, match=f"at most {LARGEST} are taken"):
        read_attempt(b" " * (LARGEST + 1))


def test_two_notebooks_write_side_by_side(tmp_path):
    one, other = Journal(tmp_path / "j"), Journal(tmp_path / "j")
    for journal in (one, other, one):
        journal.add("m02.e1", "check", "x")
    kept = list(read_folder(tmp_path / "j" / "attempts"))
    assert len(kept) == 3
    assert gaps(kept) == []
    assert len({found.learner for found in kept}) == 1


@pytest.mark.parametrize("answer", [{(1, 2): {3}}, [b"\0", None, 1.5], {1: {"a": [True]}}, set(), {}])
def test_data_are_read_as_they_were_written(answer):
    assert desk.read_data(desk.written(answer)) == answer


@pytest.mark.parametrize("answer", [object(), "x" * LARGEST])
def test_what_cannot_be_kept_is_told(answer):
    with pytest.raises(UsageError, match=r"an answer (is made of|has at most)"):
        desk.written(answer)


# --- the learner's edition ---------------------------------------------------------------------------------------


def cell(source, **more):
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [1], "execution_count": 1, **more}


def test_a_learner_gets_the_task_and_neither_solution_nor_output():
    master = {
        "cells": [
            cell("def f(x):\n    ### BEGIN SOLUTION\n    return x + 1\n    ### END SOLUTION\n"),
            cell('check("m02.e1", f)\n### BEGIN HIDDEN TESTS\nassert f(1) == 2\n### END HIDDEN TESTS'),
            {"cell_type": "markdown", "source": "words", "metadata": {}},
        ]
    }
    mine = marks.learners(master)
    assert [marks.text_of(one) for one in mine["cells"]] == [
        "def f(x):\n    ...  # your turn\n",
        'check("m02.e1", f)\n',
        "words",
    ]
    assert [one["outputs"] for one in mine["cells"][:2]] == [[], []]
    assert list(marks.solutions(master)) == ["return x + 1", "assert f(1) == 2"]
    assert list(marks.exercises(master)) == ["m02.e1"]
    metadata = [one["metadata"].get("nbgrader", {}) for one in marks.annotated(master)["cells"]]
    assert [one.get("solution") for one in metadata] == [True, False, None]
    assert (metadata[1]["grade_id"], metadata[1]["grade"]) == ("m02-e1-check", True)


def test_a_mark_without_its_other_end_is_refused():
    with pytest.raises(ValueError, match="### BEGIN SOLUTION has no other end"):
        marks.learners({"cells": [cell("### BEGIN SOLUTION\nx = 1\n")]})
