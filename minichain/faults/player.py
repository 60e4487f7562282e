"""How a timeline is played, in either world: each line happens at its time, and clients go on meanwhile.

A line that changes nothing when its time comes, such as the crash of a node that is off, is passed over.
"""

from __future__ import annotations

from typing import Any, Protocol

from minichain.faults.timeline import VOTED, Step, Timeline


class Stage(Protocol):
    """The network that a timeline happens to."""

    @property
    def elapsed_ms(self) -> int:
        """Return how much time has passed, by this world's clock."""

    def is_running(self, name: str) -> bool:
        """Tell whether a node is on."""

    def fault(self, step: Step) -> None:
        """Let one line happen now, whatever time it names."""

    def note(self, text: str) -> None:
        """Take down what was not done."""


class Clients(Protocol):
    """Who sends transactions to that network."""

    def submit(self, count: int, name: str = "") -> None:
        """Send so many new transactions, to a node or to any."""

    def move(self, verb: str, name: str) -> None:
        """Let the members vote on whether a node is to join them, or leave."""

    def wait(self, ms: int) -> None:
        """Let time pass, and care for what was sent."""


def play(stage: Stage, clients: Clients, timeline: Timeline) -> None:
    """Let everything happen; returns when the last line has."""
    for step in timeline.steps:
        if step.at_ms > stage.elapsed_ms:  # what is at 0 is there before anything happens
            clients.wait(step.at_ms - stage.elapsed_ms)
        perform(stage, clients, step)


def perform(stage: Stage, clients: Clients, step: Step) -> None:
    """Let one line of a timeline happen now."""
    match step.verb, step.args:
        case "submit", args:
            clients.submit(*args)
        case verb, (name,) if verb in VOTED:
            clients.move(verb, name)
        case (("crash" | "restart"), (name, *_)) if stage.is_running(name) == (step.verb == "restart"):
            stage.note(f"passed over, since {name} is so already: {step.verb}")
        case _:
            stage.fault(step)


def act(target: Any, step: Step) -> None:
    """Call the method of `target` that has the name of the verb."""
    match step.verb, step.args:
        case "part", (groups,):
            target.part(*groups)
        case verb, args:
            getattr(target, verb)(*args)
