"""The stories of crossings that tests look at, each told once."""

from __future__ import annotations

from functools import cache

from minichain.scenarios.crossings import stories

TOLD = (
    ("units", "shards"),
    ("units", "shards", "altered", "forged", "replay"),
    ("units", "alliance", "stale"),
    ("units", "side", "offline"),
    ("units", "shards", "late"),
    ("units", "shards", "paused"),
    ("units", "shards", "stolen"),
    ("units", "work", "reorganised"),
    ("call", "side"),
    ("call", "alliance", "late"),
    ("swap", "alliance"),
    ("swap", "shards", "replay"),
    ("swap", "alliance", "timeout"),
    ("swap", "side", "disorder"),
    ("deal", "shards"),
    ("deal", "shards", "full"),
    ("deal", "shards", "crash"),
    ("deal", "shards", "late"),
)


@cache
def told(what: str, pair: str, *failures: str) -> stories.Story:
    """Tell a story; the second time, from memory."""
    return stories.tell(what, pair, failures)
