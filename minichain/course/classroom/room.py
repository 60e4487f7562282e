"""The trainer's end of a class: what a console shows and does. Reading needs no desk that runs; deciding does.

room = ClassRoom()          # of ~/.minichain, or where MINICHAIN_HOME says
room.refresh()              # what is new since the last time; a few milliseconds
room.learners, room.grid(), room.beliefs(), room.waiting, room.events
room.approve("Institution 3")
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from minichain.codec import from_json, to_json
from minichain.course.classroom import grid
from minichain.course.classroom.desk import (
    Approve,
    Collect,
    Command,
    Desk,
    Dismiss,
    LetHappen,
    ListNames,
    Recover,
    ResetClass,
    ResetLearner,
)
from minichain.course.classroom.folder import Entries, Folder, register_of
from minichain.course.classroom.grid import NOW_MS, Belief, Cell, Grid
from minichain.course.classroom.letters import Answer
from minichain.course.classroom.register import Entry, Flagged, Happened, Learner, Register
from minichain.errors import NetworkError, UsageError

PATIENCE_S: Final = 15.0
ACT_S: Final = 60.0  # for what happens to a network


class ClassRoom:
    """One class, as its trainer sees it."""

    def __init__(self, home: Path | None = None) -> None:
        self.folder = Folder(home)
        self.settings = self.folder.settings()
        self.register: Register = register_of(self.settings)
        self._entries = Entries(self.folder)
        self.refresh()

    # --- looking ---

    def refresh(self) -> bool:
        """Read what was decided since the last time; tell whether there was anything."""
        return self._entries.into(self.register)

    @property
    def link(self) -> str:
        """Return the link that learners are given."""
        running = self.folder.running()
        return self.folder.link(self.settings, running.url if running else "")

    def console(self, dashboards: str) -> str:
        """Return the link of the trainer's console; whoever has it is the trainer."""
        return f"{dashboards}voila/render/trainer_console.ipynb?trainer={self.settings.secret}"

    @property
    def is_open(self) -> bool:
        """Tell whether the desk runs."""
        return self.folder.running() is not None

    @property
    def learners(self) -> list[Learner]:
        """Return who belongs to the class, by number: name, colour, state, when last seen."""
        return grid.present(self.register)

    @property
    def waiting(self) -> list[Learner]:
        """Return who asks to come in."""
        return list(self.register.waiting())

    def grid(self) -> Grid:
        """Return how far everybody has come: did -> exercise -> cell; what is not started is left out."""
        return grid.grid(self.register)

    def cell(self, learner: Learner, exercise: str) -> Cell:
        """Return how one learner is doing with one exercise."""
        return self.grid().get(learner.did, {}).get(exercise, Cell())

    def beliefs(self, window_ms: int = NOW_MS) -> list[Belief]:
        """Return what most believe just now, the commonest first."""
        return grid.beliefs(self.register, _now(), window_ms)

    @property
    def events(self) -> list[Entry]:
        """Return what happened, attempts aside: who asked, came, went, was let in, and what was refused."""
        return self.register.events

    @property
    def flags(self) -> list[Flagged]:
        """Return what was refused that a trainer should know of."""
        return [one for one in self.register.events if isinstance(one, Flagged)]

    def status(self) -> dict[str, Any]:
        """Return all of it for machines."""
        return {**grid.status(self.register, _now()), "open": self.is_open, "link": self.link}

    # --- deciding ---

    def approve(self, *names: str) -> str:
        """Let learners in; without names everybody who waits. Returns who. Raises `UsageError`."""
        return self.tell(Approve(names)).said

    def dismiss(self, name: str) -> None:
        """Do not let somebody in, or no longer."""
        self.tell(Dismiss(name))

    def reset(self, name: str, prefix: str = "") -> None:
        """Let a learner begin again with a module (m06), an exercise (m06.e1), or all."""
        self.tell(ResetLearner(name, prefix))

    def reset_all(self, prefix: str = "") -> None:
        """Let everybody begin again with a module, an exercise, or all."""
        self.tell(ResetClass(prefix))

    def let_happen(self, what: str, node: str = "") -> list[int]:
        """Let something of `trouble.KINDS` happen to the network; returns the blocks that tell of it."""
        self.tell(LetHappen(what, node), ACT_S)
        happened = [one for one in self.events if isinstance(one, Happened)]
        return list(happened[-1].blocks)

    def recover(self) -> None:
        """End all that was let happen to the network."""
        self.tell(Recover(), ACT_S)

    def list_names(self, *names: str) -> None:
        """Let these names in without asking from now on."""
        self.tell(ListNames(names))

    def collect(self, letter: bytes) -> Answer:
        """Take a file that somebody handed in."""
        return self.tell(Collect(letter))

    def catch_up(self) -> None:
        """Let what was collected be judged, if no desk runs that does it; it takes its time."""
        if not self.is_open:
            Desk(self.folder.home.path).catch_up()
        self.refresh()

    def tell(self, command: Command, patience_s: float = PATIENCE_S) -> Answer:
        """Tell the desk something; where none runs, decide here. Raises `UsageError` with what it says against it."""
        running = self.folder.running()
        answer = self._post(running.url, command, patience_s) if running else self._here(command)
        self.refresh()
        if answer.code:
            raise UsageError(answer.said)
        return answer

    def _here(self, command: Command) -> Answer:
        return Desk(self.folder.home.path).obey(command)

    def _post(self, url: str, command: Command, patience_s: float) -> Answer:
        headers = {"Authorization": f"Bearer {self.settings.secret}"}
        try:
            opener = build_opener(ProxyHandler({}))
            with opener.open(Request(f"{url}trainer", to_json(command), headers), timeout=patience_s) as found:
                return from_json(found.read(), Answer)
        except HTTPError as error:
            raise NetworkError(f"the desk at {url} answers {error.code}: is it another class's?") from None
        except OSError as error:
            raise NetworkError(f"the desk at {url} does not answer ({error}): `minichain class start`") from None


def _now() -> int:
    return time.time_ns() // 1_000_000
