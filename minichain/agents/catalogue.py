"""The experiments that there are, by name: a process elsewhere finds in here what it is asked to run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from minichain.agents import hauliers, members, residents
from minichain.agents.experiment import Experiment
from minichain.errors import UsageError

EXPERIMENTS: Final[Mapping[str, Experiment]] = {
    one.name: one for one in (hauliers.EXPERIMENT, residents.EXPERIMENT, members.EXPERIMENT)
}


def find(name: str) -> Experiment:
    """Return the experiment of a name; raises `UsageError`."""
    if name not in EXPERIMENTS:
        raise UsageError(f"there is no experiment {name!r}: choose one of {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]
