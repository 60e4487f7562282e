"""What a network takes of a computer, and whether this one has it: asked before anything starts, never assumed.

The constants were measured with `minichain bench idle` and psutil on a machine of two cores (Linux, Python 3.11): the
resident memory of a validator and of the process its contracts run in, 67 MB together after 50 blocks, of which 27 MB
are pages that all of them share; and the processor time of both until they listen, 1.3 s.
"""

from __future__ import annotations

import os
from math import ceil
from typing import Final

import psutil

from minichain.codec import Plain
from minichain.errors import NetworkError

VALIDATOR_MB: Final = 90  # the 67 that were measured, and room for a chain that grows
SUPERVISOR_MB: Final = 60
RELAY_MB: Final = 60
KERNEL_MB: Final = 160  # the dashboards' server and one viewer
START_S: Final = 1.3  # seconds of one core that a validator takes to start
PATIENCE_S: Final = 30.0  # that a start may take with all cores at work
LONG_S: Final = 120.0  # from here on people count minutes


class Need(Plain):
    """What so many validators in so many chains take."""

    chains: int
    validators: int  # of all chains
    with_dashboards: bool

    @property
    def memory_mb(self) -> int:
        relay = RELAY_MB if self.chains > 1 else 0
        return self.validators * VALIDATOR_MB + SUPERVISOR_MB + relay + (KERNEL_MB if self.with_dashboards else 0)

    def start_s(self, cores: int) -> float:
        """Return how long they take to start when nothing else uses the cores."""
        return self.validators * START_S / cores

    def __str__(self) -> str:
        validators = "1 validator" if self.validators == 1 else f"{self.validators} validators"
        return f"{validators} in {self.chains} chains" if self.chains > 1 else validators


class Room(Plain):
    """What a computer has to spare."""

    memory_mb: int
    cores: int

    def lack(self, need: Need) -> str:
        """Return what there is too little of, with the numbers; empty if it is enough."""
        lacking = []
        if need.memory_mb > self.memory_mb:
            # One is rounded up and the other down, so that they always differ.
            needed, free = ceil(need.memory_mb / 100) / 10, self.memory_mb // 100 / 10
            lacking.append(f"about {needed} GB of memory where {free} GB are free")
        if (seconds := need.start_s(self.cores)) > PATIENCE_S:
            lacking.append(
                f"about {_duration(seconds)} to start on {self.cores} {'core' if self.cores == 1 else 'cores'} "
                f"where {_duration(PATIENCE_S)} are reasonable"
            )
        return ", and ".join(lacking)

    def fit(self, shards: int, validators: int, *, with_dashboards: bool) -> tuple[int, int] | None:
        """Return the most (shards, validators of each chain) that have room, fewer validators first; None: nothing.

        Without shards (0) it is one chain.
        """
        for fewer in range(shards, -1 if shards == 0 else 0, -1):
            for each in range(validators, 0, -1):
                if not self.lack(Need(fewer + 1, (fewer + 1) * each, with_dashboards)):
                    return fewer, each
        return None


def room() -> Room:
    """Look at this computer."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else psutil.cpu_count() or 1
    return Room(int(psutil.virtual_memory().available // 10**6), cores)


def require_room(need: Need, shards: int, *, is_new: bool) -> None:
    """Raise `NetworkError` with the numbers, and what would fit, unless this computer has room for a network."""
    here = room()
    lacking = here.lack(need)
    if not lacking:
        return
    fits = here.fit(shards, need.validators // need.chains, with_dashboards=need.with_dashboards)
    if not is_new:
        told = (
            "Close other programs, take a larger computer, or begin a smaller network: in another directory "
            "with `--home`, or in this one with `--fresh`, which deletes what is there"
        )
    elif fits:
        told = f"Ask for `{options(*fits)}`, which has room; with `--fit` the network is made that small by itself"
    else:
        told = "Not even the smallest network has room: close other programs, or take a larger computer"
    raise NetworkError(f"this computer has no room for {need}: {_they(need)} {lacking}. {told}")


def scale_down(shards: int, validators: int, with_dashboards: bool) -> tuple[int, int, str]:
    """Return (shards, validators of each chain) that this computer has room for, and why they are fewer, if they are.

    Where nothing fits, it is what was asked for.
    """
    here, need = room(), Need(shards + 1, (shards + 1) * validators, with_dashboards)
    fits = here.fit(shards, validators, with_dashboards=with_dashboards)
    if fits in (None, (shards, validators)):
        return shards, validators, ""
    assert fits is not None
    why = f"this computer has no room for {need}: {_they(need)} {here.lack(need)}"
    return *fits, f"Made smaller, `{options(*fits)}` instead of `{options(shards, validators)}`: {why}."


def options(shards: int, validators: int) -> str:
    """Return how to ask `minichain up` for so many."""
    return f"--shards {shards} --validators {validators}" if shards else f"--validators {validators}"


def _they(need: Need) -> str:
    return "it needs" if need.validators == 1 else "they need"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < LONG_S else f"{seconds / 60:.0f} minutes"
