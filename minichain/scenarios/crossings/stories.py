"""Stories of what crosses between chains, told step by step: `tell("units", "shards", {"forged"})`.

Everything happens on simulated chains that share one virtual time, failures included; a step is written down when it
has happened, and a refusal is in the ledger's own words. The same choice always gives the same story.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from minichain.codec import Plain
from minichain.errors import UsageError
from minichain.scenarios.crossings import deals, swaps, transfers
from minichain.scenarios.crossings.staging import RELAYER, Place, Stage, Step, Story


class Pair(Plain):
    """Two chains by their ids, and how the members of each agree."""

    chains: tuple[str, str]
    engines: tuple[str, str] = ("bft", "bft")


PAIRS: Final[Mapping[str, Pair]] = {
    "shards": Pair(("shard-0", "shard-1")),
    "side": Pair(("main", "side")),
    "alliance": Pair(("north", "south"), ("bft", "raft")),
    "work": Pair(("mined", "main"), ("pow", "bft")),
}
SEALED: Final = ("shards", "side", "alliance")  # the first of the two chains has certificates of votes
_CARRIED: Final = ("offline", "forged", "altered", "stale", "replay", "late", "paused", "reorganised", "stolen")
FAILURES: Final[Mapping[str, tuple[str, ...]]] = {
    "units": _CARRIED,
    "call": _CARRIED[:-1],
    "swap": ("timeout", "disorder", "replay"),
    "deal": ("full", "crash", "late"),
}
_ONLY_BETWEEN: Final[Mapping[str, tuple[str, ...]]] = {
    "swap": ("shards", "side", "alliance"),
    "deal": ("shards",),
    "reorganised": ("work",),
    "forged": SEALED,
    "stale": SEALED,
    "stolen": SEALED,
}
_ALONE: Final = frozenset({"stolen", "timeout", "disorder", "crash", "full"})  # each leaves no room for another


def pairs_for(what: str) -> tuple[str, ...]:
    """Return between which chains this can cross."""
    return _ONLY_BETWEEN.get(what, tuple(PAIRS))


def failures_for(what: str, pair: str) -> tuple[str, ...]:
    """Return what can go wrong with this between these."""
    return tuple(name for name in FAILURES[what] if pair in _ONLY_BETWEEN.get(name, PAIRS))


def fits(chosen: Iterable[str], one: str) -> bool:
    """Tell whether something can go wrong beside what is chosen: some things have a story of their own."""
    others = set(chosen) - {one}
    return not others or not (_ALONE & {one, *others})


def require_possible(what: str, pair: str, failures: Iterable[str]) -> None:
    """Raise `UsageError` unless there is such a story."""
    if what not in FAILURES:
        raise UsageError(f"no story has {what!r}; what crosses is one of {', '.join(FAILURES)}")
    if pair not in pairs_for(what):
        raise UsageError(f"{what} crosses between {', '.join(pairs_for(what))}, not {pair!r}")
    chosen = list(failures)
    for name in chosen:
        if name not in failures_for(what, pair):
            known = ", ".join(failures_for(what, pair))
            raise UsageError(f"{name!r} cannot befall {what} between {pair}; what can is {known}")
        if not all(fits([name], other) for other in chosen if other != name):
            raise UsageError(f"{name!r} has a story of its own: leave the other failures out")


def tell(what: str = "units", pair: str = "shards", failures: Iterable[str] = (), seed: int = 7) -> Story:
    """Let something cross, let these things go wrong, and return what happened; raises `UsageError`."""
    chosen = frozenset(failures)
    require_possible(what, pair, chosen)
    between = PAIRS[pair]
    play: Any = {"swap": swaps.play, "deal": deals.play}.get(what, transfers.play)
    with Stage(what, between.chains, between.engines, chosen, seed) as stage:
        play(stage)
        return stage.story()


__all__ = ["FAILURES", "PAIRS", "RELAYER", "Place", "Step", "Story", "failures_for", "fits", "pairs_for", "tell"]
