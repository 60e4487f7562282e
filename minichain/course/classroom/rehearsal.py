"""A class of made-up learners, against a real desk: do all answers arrive, how soon, through losses and a restart?

Who is made up answers by a belief until the belief is given up, as the trainer's keys have it, at their own pace. Desk,
judge, letters, journals and threads are those of a real class; only what is typed is not. Learners are drawn by seed.
"""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from minichain.codec import Plain
from minichain.course import material, trainer
from minichain.course.answers import written
from minichain.course.attempts import Attempt, gaps
from minichain.course.classroom import grid
from minichain.course.classroom.folder import Folder, new_settings
from minichain.course.classroom.member import Sender, join, post
from minichain.course.classroom.register import JUDGED_KINDS
from minichain.course.classroom.room import ClassRoom
from minichain.course.desk import cause_of, exercise_of
from minichain.course.exercise import OWN, miss
from minichain.course.journal import Journal
from minichain.course.material import Task
from minichain.errors import NetworkError, TimedOut
from minichain.live.carrier import DESK, Carrier
from minichain.live.home import Home

SKILLS: Final = {"strong": (0.8, 0.95), "mixed": (0.3, 0.95), "lost": (0.1, 0.4)}  # chance to give the right answer
GIVE_UP: Final = (3, 5)  # misses after which somebody goes on with the next exercise
PACE_S: Final = 1.0  # between two answers of somebody, on average
LOOK_S: Final = 0.1  # how often the console looks
START_S: Final = 60.0
END_S: Final = 120.0  # for what is still under way at the end


class Plan(Plain):
    """What is to be tried. `modules` none means all; `loss` is percent of letters, and of answers to them."""

    learners: int = 30
    profile: str = "mixed"
    modules: tuple[str, ...] = ()
    loss: int = 10
    restart: bool = False
    seed: int = 0
    pace_s: float = PACE_S


def run(plan: Plan, tell: Callable[[str], None] = lambda said: None) -> dict[str, Any]:
    """Let a class go through the course; returns what was counted."""
    temporary = tempfile.TemporaryDirectory(prefix="minichain-class-", ignore_cleanup_errors=True)
    with temporary as folder, open_class(Path(folder) / "trainer") as (desk, room):
        return Rehearsal(plan, Path(folder), desk, room, tell).run()


@contextmanager
def open_class(home: Path) -> Iterator[tuple[Carrier, ClassRoom]]:
    """Start a desk of its own, without a network."""
    folder = Folder(home)
    folder.write(new_settings(port=0))
    desk = Carrier(home / "desk.log", [Home(home)], DESK)
    desk.spawn()
    try:
        _wait_for_it(folder)
        yield desk, ClassRoom(home)
    finally:
        desk.close()


def _wait_for_it(folder: Folder) -> None:
    deadline = time.monotonic() + START_S
    while folder.running() is None:
        if time.monotonic() > deadline:
            raise TimedOut(f"the desk did not start within {START_S:.0f} s")
        time.sleep(LOOK_S)


# --- one made-up learner -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Wire:
    """A wire that loses letters on their way, and answers on theirs."""

    loss: int
    draw: random.Random
    sent: int = 0
    lost: int = 0

    def __call__(self, url: str, data: bytes) -> bytes:
        self.sent += 1
        self._maybe_lose("letter")
        answer = post(url, data)
        self._maybe_lose("answer")
        return answer

    def _maybe_lose(self, what: str) -> None:
        if self.draw.randrange(100) < self.loss:
            self.lost += 1
            raise OSError(f"the {what} was lost, as it was to be")


@dataclass(slots=True)
class _Learner:
    """Somebody who is made up."""

    name: str
    folder: Path
    skill: float
    draw: random.Random
    wire: _Wire
    made: list[Attempt] = field(default_factory=list)
    journal: Journal = field(init=False)
    sender: Sender = field(init=False)

    def study(self, link: str, tasks: Sequence[Task], pace_s: float) -> None:
        """Join, then go through all exercises."""
        self._join(link)
        self.journal, self.sender = Journal(self.folder), Sender(self.folder, self.wire)
        for task in tasks:
            for kind, answer, right, cause in self._answers(task):
                time.sleep(self.draw.uniform(0.0, 2 * pace_s))
                self._answer(task, kind, answer, right, cause)

    def _join(self, link: str) -> None:
        while True:
            try:
                join(link, self.name, home=self.folder, wire=self.wire)
                return
            except NetworkError:
                time.sleep(LOOK_S)

    def _answers(self, task: Task) -> Iterator[tuple[str, Any, bool, str]]:
        """Yield what is said to one exercise: kind, answer, whether it is right, and the cause if not."""
        key = trainer.keys(task.id.partition(".")[0])[task.id]
        patience = self.draw.randint(*GIVE_UP)
        for _ in range(patience):
            is_right = self.draw.random() < self.skill
            answer = self.draw.choice(key.solutions) if is_right else self.draw.choice(key.bots)
            told = (answer, True, "") if is_right else (answer.answer, False, answer.cause)
            if task.kind == "predict":
                yield "predict", told[0], False, ""
                yield "reveal", *told
                return
            yield "check", *told
            if is_right:
                return

    def _answer(self, task: Task, kind: str, answer: Any, right: bool, cause: str) -> None:
        of = len(exercise_of(task.id).parts)
        belief = cause_of(task, miss(cause)).misconception if cause else ""
        attempt = self.journal.add(
            task.id,
            kind,
            written(answer),
            score=of if right else 0,
            of=of if kind in JUDGED_KINDS else 0,
            is_right=right,
            cause=cause,
            misconception=belief,
        )
        self.made.append(attempt)
        self.sender.put(attempt)


# --- the class ---------------------------------------------------------------------------------------------------


class Rehearsal:
    """One class, from the first letter to the last."""

    def __init__(self, plan: Plan, folder: Path, desk: Carrier, room: ClassRoom, tell: Callable[[str], None]) -> None:
        self._plan, self._desk, self._room, self._tell = plan, desk, room, tell
        self._seen: dict[str, int] = {}  # digest -> when the console had it
        self._judged: dict[str, int] = {}
        self._tasks = [
            material.task(id)
            for id in grid.exercises(plan.modules)
            if id in trainer.keys(id.partition(".")[0]) and id not in OWN  # the trainer's answers are nobody's own
        ]
        self._learners = [self._learner(number, folder) for number in range(1, plan.learners + 1)]
        self._restarts = 0

    def _learner(self, number: int, folder: Path) -> _Learner:
        draw = random.Random(self._plan.seed * 1_000 + number)
        least, most = SKILLS[self._plan.profile]
        wire = _Wire(self._plan.loss, random.Random(draw.random()))
        return _Learner(f"Institution {number}", folder / f"learner-{number}", draw.uniform(least, most), draw, wire)

    def run(self) -> dict[str, Any]:
        """Let everybody join and go through the exercises; returns what was counted."""
        begun = time.monotonic()
        self._room.list_names(*(one.name for one in self._learners))
        link = self._room.link
        threads = [
            threading.Thread(target=one.study, args=(link, self._tasks, self._plan.pace_s), daemon=True)
            for one in self._learners
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            self._look()
            self._restart_half_way()
        self._wait_for_the_last()
        for one in self._learners:
            one.sender.close()
        return self._counted(time.monotonic() - begun)

    def _look(self) -> None:
        """Look as a console does, and note what is new."""
        time.sleep(LOOK_S)
        self._room.refresh()
        now = time.time_ns() // 1_000_000
        for digest, taken in self._room.register.taken.items():
            self._seen.setdefault(digest, now)
            if taken.verdict:
                self._judged.setdefault(digest, now)
        self._tell(f"{len(self._seen)} answers at the desk, {len(self._judged)} judged")

    def _restart_half_way(self) -> None:
        """Kill the desk once, and start it again; nobody else is told."""
        expected = len(self._learners) * len(self._tasks) / 2
        if self._plan.restart and not self._restarts and len(self._seen) >= expected:
            self._restarts += 1
            self._desk.kill()
            self._desk.spawn()

    def _wait_for_the_last(self) -> None:
        deadline = time.monotonic() + END_S
        while time.monotonic() < deadline:
            self._look()
            if len(self._seen) == len(self._made()) and not self._room.register.unjudged:
                return

    @property
    def made(self) -> dict[str, list[Attempt]]:
        """Return what everybody has answered, by name."""
        return {one.name: one.made for one in self._learners}

    def _made(self) -> list[Attempt]:
        return [attempt for made in self.made.values() for attempt in made]

    def _counted(self, seconds: float) -> dict[str, Any]:
        made, register = self._made(), self._room.register
        kept = [one for one in made if one.digest in register.taken]
        lags = sorted(self._seen[one.digest] - one.at for one in kept)
        judged = sorted(self._judged[one.digest] - one.at for one in kept if one.digest in self._judged)
        beliefs = Counter(one.misconception for one in register.taken.values() if one.misconception)
        return {
            "learners": len(self._learners),
            "modules": len({task.id.partition(".")[0] for task in self._tasks}),
            "exercises": len(self._tasks),
            "made": len(made),
            "kept": len(kept),
            "lost": len(made) - len(kept) + len(gaps(one.attempt for one in register.taken.values())),
            "judged": len(judged),
            "differing": sorted({one.attempt.exercise for one in register.taken.values() if one.differs}),
            "letters": sum(one.wire.sent for one in self._learners),
            "letters_lost": sum(one.wire.lost for one in self._learners),
            "restarts": self._restarts,
            "lag_p50_ms": at_percent(lags, 50),
            "lag_p95_ms": at_percent(lags, 95),
            "lag_max_ms": at_percent(lags, 100),
            "judged_p95_ms": at_percent(judged, 95),
            "seconds": round(seconds),
            "beliefs": dict(beliefs.most_common()),
        }


def at_percent(values: Sequence[int], percent: int) -> int:
    """Return the value that so many percent do not exceed; 0 of none."""
    return values[min(len(values) - 1, len(values) * percent // 100)] if values else 0
