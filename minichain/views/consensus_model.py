"""What the consensus lab knows: a situation, a prediction, a recording, and where in it one looks. No widget, no words.

A situation is a `Timeline`. What is done to a run, a message lost or an office switched off, is one more line in it,
and the run is recorded anew; so a run can be taken back line by line, saved, and played by anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise, zip_longest
from typing import Any, Final

import msgspec
import traitlets as T  # noqa: N812 - as everywhere in the views

from minichain.codec import Plain
from minichain.errors import UsageError
from minichain.faults.network import Weather
from minichain.faults.timeline import Step, Timeline, parse
from minichain.sim.recording import Message, Recording, record, single_out, with_step
from minichain.views.consensus_words import LETTERS, PATIENCE_MS, outcome
from minichain.views.i18n import _

LEAST, MOST = 4, len(LETTERS)
END_MS: Final = {"bft": 12_000, "raft": 12_000, "pow": 24_000}
TRANSFERS: Final = 2  # each time
EVERY_MS: Final = 2_500
SLOW_DISK_MS: Final = 250
HEAL_MS: Final = {"bft": 0, "raft": 0, "pow": 12_000}  # a cut of the cable is mended then; 0: never
HOLD_MS: Final = 2_000
MOST_SUBMITTED: Final = 200  # transfers in a timeline that somebody brings
LONGEST_MS: Final = 60_000
MAX_TEXT: Final = 64 * 1024  # bytes of a timeline that somebody brings
AFTER_LAST_MS: Final = 5_000
PREDICTION: Final = "prediction"  # where on the page one says what will happen


class Situation(Plain):
    """What the sliders say. `trouble` is "", "cable" or "slow"; `loss` in percent."""

    engine: str = "bft"
    offices: int = 7
    offline: int = 0
    liars: int = 0
    delay_ms: int = 200
    loss: int = 0
    trouble: str = ""


PRESETS: Final[Mapping[str, Situation]] = {
    "well": Situation(),
    "offline": Situation(offline=1),
    "liar": Situation(offices=4, liars=1),
    "liars": Situation(liars=3),
    "cable": Situation(trouble="cable"),
    "slow": Situation(trouble="slow"),
}
NEEDS_BFT: Final = frozenset({"liar", "liars"})  # the other methods have no answer to lies


def timeline_of(situation: Situation, seed: int) -> Timeline:
    """Write a situation as a timeline. Liars come first in the order of proposers; who is off or slow comes last."""
    weather = Weather(situation.delay_ms // 2, situation.delay_ms * 3 // 2, situation.loss)
    timeline = Timeline(situation.engine, situation.offices, seed, "wall", weather)
    steps = [*_faults(situation, timeline.names)]
    steps += [Step(at, "submit", (TRANSFERS,)) for at in range(0, END_MS[situation.engine] - 1_000, EVERY_MS)]
    return msgspec.structs.replace(timeline, steps=tuple(sorted(steps, key=lambda step: step.at_ms)))


def _faults(situation: Situation, names: tuple[str, ...]) -> list[Step]:
    size, off = situation.offices, min(situation.offline, situation.offices)
    steps = [Step(0, "behave", (name, "colluder")) for name in _liars(situation, names)]
    steps += [Step(0, "crash", (name,)) for name in names[size - off :]]
    if situation.trouble == "slow":
        steps.append(Step(0, "slow", (names[max(0, size - off - 1)], SLOW_DISK_MS)))
    if situation.trouble == "cable":
        steps.append(Step(0, "part", ((names[: size // 2], names[size // 2 :]),)))
        if HEAL_MS[situation.engine]:
            steps.append(Step(HEAL_MS[situation.engine], "heal"))
    return steps


def _liars(situation: Situation, names: tuple[str, ...]) -> tuple[str, ...]:
    """The second office proposes first."""
    return (*names[1:], names[0])[: situation.liars] if situation.engine == "bft" else ()


def end_of(timeline: Timeline) -> int:
    """Return how long a run of a timeline is recorded: what is mended at its end has time to show."""
    usual = END_MS[timeline.engine]
    late = (step.at_ms for step in timeline.steps if step.at_ms > usual or step.verb == "calm")
    return max(usual, max(late, default=0) + AFTER_LAST_MS)


def _new_steps(before: Timeline, after: Timeline) -> Iterator[Step]:
    pairs = zip_longest(before.steps, after.steps)
    return (new for old, new in pairs if new is not None and old != new)


def read_timeline(text: str) -> Timeline:
    """Read a timeline that somebody brings; raises what is wrong with it, or too much for a page."""
    if len(text.encode()) > MAX_TEXT:
        raise UsageError(_("This is too long for a run: {count} bytes are enough.").format(count=MAX_TEXT))
    timeline = parse(text)
    if not LEAST <= timeline.validators <= MOST:
        words = _("This page shows {least} to {most} offices: write validators and a number between them.")
        raise UsageError(words.format(least=LEAST, most=MOST))
    if sum(step.args[0] for step in timeline.steps if step.verb == "submit") > MOST_SUBMITTED:
        raise UsageError(_("This page bears {count} transfers in one run: submit fewer.").format(count=MOST_SUBMITTED))
    if timeline.steps and timeline.steps[-1].at_ms > LONGEST_MS:
        words = _("This page shows {seconds} seconds: let the last line happen before that.")
        raise UsageError(words.format(seconds=LONGEST_MS // 1000))
    return timeline


def read_file(data: bytes) -> str:
    """Read a file that somebody opens; raises what makes it no text."""
    try:
        return data[: MAX_TEXT + 1].decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(_("This file is not a text. A run is a text file, saved as UTF-8.")) from None


class Lab(T.HasTraits):
    """The lab. `recording` is None until somebody has said what will happen (`guess_safe`, `guess_moving`)."""

    preset = T.Unicode("well")
    situation: Any = T.Any(PRESETS["well"])
    timeline: Any = T.Any(None)
    added: Any = T.Tuple()  # the timelines before each line that was added by hand
    guess_safe: Any = T.Any(None)
    guess_moving: Any = T.Any(None)
    recording: Any = T.Any(None)
    position = T.Int(0)
    is_told = T.Bool(False)  # how the prediction came out
    office = T.Unicode("")
    message = T.Int(-1)
    done: Any = T.Any(frozenset())

    def __init__(self, seed: int = 7) -> None:
        super().__init__()
        self.seed = seed
        self.set_up(self.situation)

    # --- before the run ---

    def choose(self, preset: str) -> None:
        """Take one of the prepared situations, with the method that is chosen."""
        engine = "bft" if preset in NEEDS_BFT else self.situation.engine
        self.preset = preset
        self.set_up(msgspec.structs.replace(PRESETS[preset], engine=engine))

    def change(self, **settings: Any) -> None:
        """Change some settings of the situation."""
        wanted = msgspec.structs.replace(self.situation, **settings)
        if wanted != self.situation:
            is_prepared = settings.keys() == {"engine"} and self.preset not in NEEDS_BFT
            self.preset = self.preset if is_prepared else ""
            self.set_up(wanted)

    def set_up(self, situation: Situation) -> None:
        """Begin with a situation: nothing was predicted, nothing was run."""
        offices = situation.offices
        liars = min(situation.liars, offices - 1) if situation.engine == "bft" else 0
        bounded = msgspec.structs.replace(situation, liars=liars, offline=min(situation.offline, offices - 1))
        self.bring(timeline_of(bounded, self.seed), bounded)

    def bring(self, timeline: Timeline, situation: Situation | None = None) -> None:
        """Begin with a timeline; without the situation that it was written from, it is somebody's own."""
        with self.hold_trait_notifications():
            if situation is None:
                self.preset = ""
            self.situation = situation or Situation(timeline.engine, timeline.validators)
            self.timeline, self.added, self.recording = timeline, (), None
            self.guess_safe = self.guess_moving = None
            self.position, self.is_told, self.office, self.message = 0, False, "", -1

    def run(self) -> None:
        """Record the run; raises `UsageError` while nobody has said what will happen."""
        if self.guess_safe is None or self.guess_moving is None:
            raise UsageError(_("Say first what you expect: answer both questions."))
        self._record(0)

    def _record(self, position: int) -> None:
        recording = record(self.timeline, end_of(self.timeline))
        with self.hold_trait_notifications():
            self.recording, self.position, self.message = recording, position, -1
        self._tick("run")

    # --- looking ---

    @T.observe("position")
    def _reach(self, _change: Any) -> None:
        if self.recording and self.position >= self.recording.end_ms:
            self.is_told = True
            if self.recording.conflicts:
                self._tick("conflict")

    @T.observe("office")
    def _open(self, _change: Any) -> None:
        if self.office:
            self._tick("office")

    def _tick(self, task: str) -> None:
        self.done |= {task}

    @property
    def chosen(self) -> Message | None:
        """Return the message that was clicked."""
        found: Recording | None = self.recording
        return found.messages[self.message] if found and 0 <= self.message < len(found.messages) else None

    @property
    def guessed_right(self) -> tuple[bool, bool]:
        """Tell which of both predictions came true."""
        safe, moving = outcome(self.recording)
        return self.guess_safe == safe, self.guess_moving == moving

    # --- doing something to it ---

    @property
    def added_steps(self) -> list[Step]:
        """Return what was added by hand, oldest first."""
        versions = [*self.added, self.timeline]
        return [next(_new_steps(before, after)) for before, after in pairwise(versions)]

    def drop(self) -> None:
        """Let the chosen message get lost."""
        self._touch(None)

    def hold(self) -> None:
        """Let the chosen message come later."""
        self._touch(HOLD_MS)

    def _touch(self, hold_ms: int | None) -> None:
        message = self.chosen
        if message is None:
            raise UsageError(_("Choose a message first."))
        self._add(single_out(self.recording, message, hold_ms), message.sent_ms)
        self._tick("touch")

    def switch(self, name: str) -> None:
        """Switch an office off at the time one looks at, or on again."""
        is_on = self.recording.state(name, self.position).is_on
        step = Step(self.position, "crash" if is_on else "restart", (name,))
        self._add(with_step(self.timeline, step), self.position)

    def mend(self) -> None:
        """End every fault at the time one looks at; liars stay liars."""
        self._add(with_step(self.timeline, Step(self.position, "calm")), self.position)

    def undo(self) -> None:
        """Take back the line that was added last."""
        if not self.added:
            raise UsageError(_("Nothing was added to this run."))
        *before, timeline = self.added
        self._replay(tuple(before), timeline, min(self.position, end_of(timeline)))

    def _add(self, timeline: Timeline, position: int) -> None:
        self._replay((*self.added, self.timeline), timeline, position)

    def _replay(self, added: tuple[Timeline, ...], timeline: Timeline, position: int) -> None:
        with self.hold_trait_notifications():  # whoever shows one of them reads the others too
            self.added, self.timeline = added, timeline
            self._record(position)


__all__ = [
    "END_MS",
    "HOLD_MS",
    "LEAST",
    "MOST",
    "PATIENCE_MS",
    "PRESETS",
    "Lab",
    "Situation",
    "read_timeline",
    "timeline_of",
]
