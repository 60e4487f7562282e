"""Every exercise of the course: right answers are accepted, and each wrong one gets the hint for the belief behind it.

Slightly wrong answers, by the thousand, are tried by `minichain course verify`.
"""

import pytest

from minichain.course import material, trainer, verification

TASKS = [task for module in material.syllabus().modules for task in material.tasks(module.id).values()]
every_task = pytest.mark.parametrize("task", TASKS, ids=[task.id for task in TASKS])


@every_task
def test_different_right_answers_are_accepted(task):
    key = trainer.keys(task.id.partition(".")[0])[task.id]
    assert len(key.solutions) >= verification.SOLUTIONS
    assert list(verification.refusals(task, key)) == []


@every_task
def test_a_wrong_answer_gets_the_hint_for_its_belief(task):
    key = trainer.keys(task.id.partition(".")[0])[task.id]
    assert len(key.bots) >= verification.BOTS
    assert list(verification.misdiagnoses(task, key)) == []


@every_task
def test_each_cause_has_its_hints_and_some_bot_meets_it(task):
    key = trainer.keys(task.id.partition(".")[0])[task.id]
    assert {bot.cause for bot in key.bots} <= {*task.causes, "raised", "kind"}
    assert all(len(cause.hints) == material.HINTS for cause in task.causes.values())
    assert all(cause.misconception in ("", *material.misconceptions()) for cause in task.causes.values())
