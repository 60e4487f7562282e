"""What the crossing timeline knows: what crosses between which chains, what shall go wrong, and the step one looks at.

Where stories come from is handed in (`scenarios.crossings.stories`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Protocol

import traitlets as T  # noqa: N812 - as everywhere in the views

FIRST: Final = ("units", "shards")
LIES: Final = frozenset({"forged", "altered", "stale", "replay"})
KINDS: Final = ("units", "call", "swap", "deal")


class Teller(Protocol):
    """Who lets things cross (`scenarios.crossings.stories`)."""

    def tell(self, what: str, pair: str, failures: Iterable[str]) -> Any:
        """Let something cross while these things go wrong, and return what happened."""

    def pairs_for(self, what: str) -> tuple[str, ...]:
        """Return between which chains this can cross."""

    def failures_for(self, what: str, pair: str) -> tuple[str, ...]:
        """Return what can go wrong."""

    def fits(self, chosen: Iterable[str], one: str) -> bool:
        """Tell whether something can go wrong beside what is chosen."""


class Timeline(T.HasTraits):
    """The page. `position` is the number of the step one looks at, from 0 on."""

    what = T.Enum(KINDS, FIRST[0])
    pair = T.Unicode(FIRST[1])
    failures: Any = T.Any(frozenset())
    story: Any = T.Any(None)
    position = T.Int(0)
    done: Any = T.Any(frozenset())

    def __init__(self, teller: Teller) -> None:
        super().__init__()
        self.teller = teller
        self.play()

    # --- the choice ---

    @property
    def pairs(self) -> tuple[str, ...]:
        """Return between which chains it can cross."""
        return self.teller.pairs_for(self.what)

    @property
    def possible(self) -> tuple[str, ...]:
        """Return what can go wrong."""
        return self.teller.failures_for(self.what, self.pair)

    def choose(self, what: str, pair: str) -> None:
        """Let something else cross, or between others; what cannot go wrong there is left out."""
        with self.hold_trait_notifications():
            self.what = what
            self.pair = pair if pair in self.pairs else self.pairs[0]
            self.failures = frozenset(name for name in self.failures if name in self.possible)
        self.play()

    def befall(self, failure: str, is_wanted: bool) -> None:
        """Let something go wrong, or no longer; what has a story of its own leaves no room for others."""
        kept = [name for name in self.failures - {failure} if not is_wanted or self.teller.fits([failure], name)]
        wanted = frozenset([*kept, failure] if is_wanted else kept)
        if wanted != self.failures:
            self.failures = wanted
            self.play()

    # --- the story ---

    def play(self) -> None:
        """Let it happen, and look at the first step."""
        story = self.teller.tell(self.what, self.pair, self.failures)
        with self.hold_trait_notifications():
            self.story, self.position = story, 0

    @property
    def last(self) -> int:
        return len(self.story.steps) - 1

    @property
    def step(self) -> Any:
        """Return the step one looks at."""
        return self.story.steps[min(self.position, self.last)]

    def go(self, by: int) -> None:
        """Look at a later step, or an earlier one."""
        self.position = max(0, min(self.last, self.position + by))

    @T.observe("position")
    def _look(self, _change: Any) -> None:
        if self.position != self.last or self.last == 0:
            return
        self.done |= {"whole"} if not self.failures else {"failure"}
        if any(step.refusal and step.facts.get("lie") in LIES for step in self.story.steps):
            self.done |= {"lie"}
        if "stolen" in self.failures:
            self.done |= {"stolen"}


def state_of(step: Any) -> str:
    """Return how a step is to be taken: as good, bad, trouble, something given back, or neither."""
    if step.refusal and step.kind == "refused":
        return "bad"
    return _BAD.get(step.facts.get("lie"), _STATES.get(step.kind, "info"))


_BAD: Final = {"stolen": "harm"}
_STATES: Final = {
    **dict.fromkeys(
        ("final", "delivered", "settled", "claimed", "swapped", "committed", "booked", "held", "decided"), "ok"
    ),
    **dict.fromkeys(("refunded", "reclaimed", "released", "undone", "declined"), "back"),
    **dict.fromkeys(("offline", "paused", "unanswered", "cut", "replaced", "waited", "given up"), "warn"),
    **dict.fromkeys(("lost", "stolen"), "harm"),
    **dict.fromkeys(("sent", "mined", "locked", "begun", "replacing", "resumed", "heard"), "plain"),
    "forked": "warn",
}
