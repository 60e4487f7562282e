"""The process in which the desk of a class judges answers: `python -m minichain.course.classroom.judge`.

It begins with what it needs in its memory, and then gives away the means to write, to reach anybody and to start
anything: a learner's function may do what it likes in it. One that has run such a function judges nothing after it;
what it says is about that learner only. Where the system cannot let it read files and do nothing else, it reads all
that it may need before. It leaves when its input ends.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any, Final

import msgspec

from minichain.codec import Plain
from minichain.course import trainer
from minichain.course.answers import is_source, made, read_data
from minichain.course.classroom.register import Verdict
from minichain.course.desk import cause_of, judge
from minichain.course.exercise import Judged, NoAnswer
from minichain.course.material import phrases, syllabus, task, tasks
from minichain.errors import MinichainError
from minichain.live.executor import ROOM, MemoryGuard, can_only_read, resource, shut_in

PROCESSOR_S: Final = 15  # for one answer; a practice check takes two seconds at most
WARM: Final = ("yaml", "minichain.sim.world", "minichain.client.network", "minichain.contracts.sandbox")


class Case(Plain, forbid_unknown_fields=True):
    """One answer to be judged, with the seed of the class; whose it is, where that matters."""

    exercise: str
    answer: str
    learner: str
    seed: int


def judged(case: Case) -> Verdict:
    """Judge one answer; whatever is wrong with it is in the verdict."""
    try:
        answer = made(case.answer) if is_source(case.answer) else read_data(case.answer)
        found = judge(case.exercise, answer, case.seed, case.learner)
    except NoAnswer:
        return Verdict(0, 0, False, trouble="there is no answer in it")
    except BaseException as error:  # a stranger's code: it may raise anything
        return Verdict(0, 0, False, trouble=f"{type(error).__name__}: {error}"[:300])
    return _told(case.exercise, found, _hidden(case.exercise, answer) if found.is_right else "")


def _told(exercise: str, found: Judged, hidden: str) -> Verdict:
    if found.is_right:
        return Verdict(found.score, found.of, True, hidden=hidden)
    cause = found.misses[0]
    return Verdict(found.score, found.of, False, cause.cause, cause_of(task(exercise), cause).misconception)


def _hidden(exercise: str, answer: Any) -> str:
    """Judge what only the trainer's computer judges; "" where there is nothing of that kind."""
    try:
        key = trainer.keys(exercise.partition(".")[0]).get(exercise)
    except MinichainError:
        return ""
    if key is None or key.hidden is None:
        return ""
    return "right" if key.hidden.accepts(answer) else "wrong"


def _read_all() -> None:
    """Read every exercise, and what only the trainer has of it."""
    for module in syllabus().modules:
        if tasks(module.id):
            import_module(f"minichain.course.exercises.{module.id}")
            with suppress(MinichainError):
                trainer.keys(module.id)


def _limit_time() -> None:
    """Let this process use so much of a processor from now on, and then end, where the system can do that."""
    if resource is not None:
        used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        most = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (int(used) + PROCESSOR_S, most))


def main() -> int:
    """Judge what comes, line by line; returns the exit code."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    for name in WARM:
        import_module(name)
    phrases()
    if not can_only_read():
        _read_all()
    memory = MemoryGuard(ROOM)
    shut_in(may_read=True)
    output.write(b"ready\n")
    for line in sys.stdin.buffer:
        memory.renew()
        _limit_time()
        verdict = judged(msgspec.json.decode(line, type=Case))
        output.write(msgspec.json.encode(verdict) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
