"""Runs over settings and seeds: here, in several processes, or on the machines of a Dask cluster, with the same result.

A run is a task that any process can do from its name, its settings and its seed; runs are put in their order whichever
ends first. Each seed is used for every setting, so that what differs between settings is not luck.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import product
from math import prod
from multiprocessing import get_context
from threading import Lock
from types import MappingProxyType
from typing import Any, Final

from minichain.agents import intervals
from minichain.agents.catalogue import find
from minichain.agents.experiment import Experiment, Run, Value, play
from minichain.agents.intervals import Interval
from minichain.codec import Plain
from minichain.crypto import digest
from minichain.errors import UsageError
from minichain.live import scheduler as cluster

MAX_RUNS: Final = 100_000
MAX_JOBS: Final = 256

Task = tuple[Experiment | str, int, Mapping[str, Any]]
Progress = Callable[[int, int, Run], None]  # runs that are done, of how many, and the one that ended now

_one_at_a_time = Lock()  # threads of one process would only wait for each other


class Cell(Plain):
    """One choice of settings: its runs in order of the seeds, and an interval for each figure."""

    settings: Mapping[str, Value]
    runs: tuple[Run, ...]
    intervals: Mapping[str, Interval]


class Sweep(Plain):
    """All of it. `digest` is over the digests of the runs in their order: it is the same wherever they ran."""

    experiment: str
    varied: tuple[str, ...]
    seeds: tuple[int, ...]
    cells: tuple[Cell, ...]

    @property
    def digest(self) -> str:
        return digest(
            "laboratory sweep", "".join(run.digest for cell in self.cells for run in cell.runs).encode()
        ).hex()


def run(experiment: Experiment | str, seed: int = 0, **settings: Value) -> Run:
    """Run an experiment once. Raises `UsageError` for settings that it does not have."""
    return _do((experiment, seed, settings))


def replay(earlier: Run, experiment: Experiment | None = None) -> Run:
    """Run again what somebody reports; raises `UsageError` if it does not come to the same figures and chain.

    An `experiment` of one's own is named: the others are found.
    """
    again = run(experiment or earlier.experiment, earlier.seed, **earlier.settings)
    if again.digest != earlier.digest:
        raise UsageError(
            f"seed {earlier.seed} of {earlier.experiment} comes to run {again.digest[:12]}, not {earlier.digest[:12]}: "
            "its figures were changed, or another version of minichain made them"
        )
    return again


def sweep(
    experiment: Experiment | str,
    grid: Mapping[str, Sequence[Value]] = MappingProxyType({}),
    seeds: Sequence[int] = range(10),
    settings: Mapping[str, Value] = MappingProxyType({}),
    *,
    jobs: int = 1,
    scheduler: str | None = None,
    confidence: int = 95,
    progress: Progress | None = None,
) -> Sweep:
    """Run every combination of the values in `grid`, the rest as in `settings`, with every seed.

    With `jobs` it is in so many processes here; with `scheduler`, on the Dask cluster of that address (which needs the
    extra `cluster`, here and there). Raises `UsageError` for what cannot be run, before anything runs.
    """
    one = find(experiment) if isinstance(experiment, str) else experiment
    cells = list(_cells(one, grid, seeds, settings))
    intervals.check(confidence)
    tasks: list[Task] = [(experiment, seed, cell) for cell in cells for seed in seeds]
    done: dict[int, Run] = {}
    for place, found in _spread(tasks, jobs, scheduler):
        done[place] = found
        if progress:
            progress(len(done), len(tasks), found)
    rows = [[done[place] for place in range(first, first + len(seeds))] for first in range(0, len(tasks), len(seeds))]
    summed = tuple(_cell(one, row, confidence) for row in rows)
    return Sweep(one.name, tuple(grid), tuple(seeds), summed)


def _cells(
    one: Experiment, grid: Mapping[str, Sequence[Value]], seeds: Sequence[int], settings: Mapping[str, Value]
) -> Iterator[dict[str, Value]]:
    """Yield the settings of each cell; refuse all that could not be run."""
    if twice := sorted(grid.keys() & settings.keys()):
        raise UsageError(f"{twice[0]} is varied and set: leave one of them out")
    for what, values in [*grid.items(), ("seeds", seeds)]:
        if not values or len(set(values)) < len(values):
            raise UsageError(f"{what}: give one or more values, each once; two equal ones would count twice")
    count = prod(len(values) for values in grid.values()) * len(seeds)
    if count > MAX_RUNS:
        raise UsageError(f"these are {count} runs: {MAX_RUNS} at most, so take fewer values or seeds")
    for values in product(*grid.values()):
        yield one.choose({**settings, **dict(zip(grid, values, strict=True))})


def _cell(one: Experiment, runs: Sequence[Run], confidence: int) -> Cell:
    found = {}
    for name, figure in one.figures.items():
        of = intervals.of_shares if figure.is_yes_or_no else intervals.of_means
        found[name] = of([run.figures[name] for run in runs], confidence)
    return Cell(runs[0].settings, tuple(runs), found)


# --- where it runs ------------------------------------------------------------------------------------------------


def _do(task: Task) -> Run:
    """Do one task, in whatever process this is."""
    experiment, seed, settings = task
    with _one_at_a_time:
        gc.freeze()  # contracts have garbage looked for, time and again: not among what was here before
        try:
            return play(find(experiment) if isinstance(experiment, str) else experiment, seed, settings)
        finally:
            gc.unfreeze()


def _spread(tasks: Sequence[Task], jobs: int, scheduler: str | None) -> Iterator[tuple[int, Run]]:
    """Yield runs with their places, as they end."""
    if not 1 <= jobs <= MAX_JOBS:
        raise UsageError(f"jobs is how many processes, 1 to {MAX_JOBS}, not {jobs}")
    if scheduler is not None:
        return cluster.spread(_do, tasks, scheduler)
    return _in_processes(tasks, jobs) if min(jobs, len(tasks)) > 1 else enumerate(map(_do, tasks))


def _in_processes(tasks: Sequence[Task], jobs: int) -> Iterator[tuple[int, Run]]:
    with ProcessPoolExecutor(min(jobs, len(tasks)), mp_context=get_context("spawn")) as pool:
        places = {pool.submit(_do, task): place for place, task in enumerate(tasks)}
        try:
            for future in as_completed(places):
                yield places[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)  # whoever stops to listen does not wait for the rest
