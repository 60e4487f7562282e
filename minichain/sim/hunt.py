"""Many runs in many processes. What is found comes with the one command that shows it again.

How many processes there are changes nothing but the time: reports come in the order of the runs, and the digest over
all of them is the same. Some seeds are run again in a process that hashes otherwise: whatever then comes out otherwise
depends on the order of a set, which two validators need not share.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from minichain.errors import ConfigError, UsageError
from minichain.faults import timeline
from minichain.faults.timeline import Timeline
from minichain.sim import twinplay, twins
from minichain.sim.search import ALL, Report, allowed_faults, draw, minimise, run, run_traced
from minichain.sim.twins import Twins

MAX_SEEDS: Final = 1_000_000
MAX_BATCH: Final = 20  # runs handed to a process at once
BATCHES: Final = 8  # for each process at least, so that all of them end at about the same time
TWICE: Final = 25  # one seed of so many is run again
HASH_SEED: Final = "PYTHONHASHSEED"

Item = TypeVar("Item")
File = TypeVar("File")
Tell = Callable[[str], None]  # is told how far a hunt has come


def read_seeds(text: str) -> range:
    """Read A:B, the seeds from A up to but not including B; raises `UsageError`."""
    found = re.fullmatch(r"([0-9]{1,18}):([0-9]{1,18})", text)
    seeds = range(int(found[1]), int(found[2])) if found else range(0)
    if not 1 <= len(seeds) <= MAX_SEEDS:
        raise UsageError(f"seeds {text!r}: write A:B with A below B, at most {MAX_SEEDS} of them, such as 0:300")
    return seeds


def read_file(path: Path, parse: Callable[[str], File]) -> File:
    """Read a file that somebody wrote; raises `ConfigError` that names the file and the place in it."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (ConfigError, UnicodeError) as error:
        problem = error if isinstance(error, ConfigError) else "not UTF-8 text"
        raise ConfigError(f"{path}: {problem}") from None


def run_seed(engine: str, validators: int, faults: str, seed: int) -> Report:
    """Draw the timeline of a seed and run it."""
    return run(draw(engine, validators, seed, faults))


def sweep(engine: str, validators: int, seeds: Sequence[int], faults: str = ALL, jobs: int = 0) -> Iterator[Report]:
    """Run many seeds in so many processes, and yield their reports in order of the seeds."""
    return run_all(partial(run_seed, engine, validators, faults), seeds, jobs)


def run_all(one: Callable[[Item], Report], items: Sequence[Item], jobs: int = 0) -> Iterator[Report]:
    """Run each item in so many processes (0: one a core), and yield the reports in order of the items."""
    jobs = min(jobs or os.cpu_count() or 1, len(items))
    yield from map(one, items) if jobs == 1 else _in_processes(one, items, jobs)


def _in_processes(one: Callable[[Item], Report], items: Sequence[Item], jobs: int) -> Iterator[Report]:
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(one, items, chunksize=min(MAX_BATCH, len(items) // (jobs * BATCHES) + 1))


def run_again(engine: str, validators: int, seeds: Sequence[int], faults: str = ALL) -> list[Report]:
    """Run seeds in another process, where sets have another order."""
    if not seeds:
        return []
    with _hashing_otherwise():
        return list(_in_processes(partial(run_seed, engine, validators, faults), seeds, 1))


@contextmanager
def _hashing_otherwise() -> Iterator[None]:
    before = os.environ.get(HASH_SEED)
    os.environ[HASH_SEED] = "2" if before == "1" else "1"
    try:
        yield
    finally:
        del os.environ[HASH_SEED]
        os.environ |= {HASH_SEED: before} if before is not None else {}


def compared(report: Report, again: Report) -> Report:
    """Return a report, or, if the same seed came to something else, one that says so."""
    if again == report:
        return report
    words = f"determinism: the same seed is another run where sets have another order ({HASH_SEED})"
    return msgspec.structs.replace(report, problem="violation", words=words)


def digest_of(reports: Iterable[Report]) -> str:
    """Return one digest over those of all runs, in their order."""
    return sha256("".join(report.digest for report in reports).encode()).hexdigest()


def collect(
    found: Iterator[Report], count: int, tell: Tell, look: Callable[[Report], None] = lambda report: None
) -> list[Report]:
    """Gather reports, and tell how far they have come."""
    reports: list[Report] = []
    for report in found:
        reports.append(report)
        look(report)
        failed = sum(bool(one.problem) for one in reports)
        tell(f"seed {report.seed}: {len(reports)} of {count} runs, {failed} failed")
    return reports


def figures(reports: Sequence[Report]) -> dict[str, Any]:
    """Return what all runs came to together."""
    return {
        "commits": sum(report.commits for report in reports),
        "events": sum(report.events for report in reports),
        "messages": sum(report.delivered for report in reports),
        "trace_digest": digest_of(reports),
    }


class Hunt:
    """What one call of `minichain sim` looks at: seeds, or one timeline that somebody wrote."""

    def __init__(self, engine: str, validators: int, seeds: range, faults: str = ALL) -> None:
        allowed_faults(engine, faults)
        self._engine, self._validators, self._seeds, self._faults = engine, validators, seeds, faults
        self._path: Path | None = None
        self._given = draw(engine, validators, seeds[0], faults) if len(seeds) == 1 else None

    @classmethod
    def of_file(cls, path: Path) -> Hunt:
        """Look at the timeline in a file."""
        given = read_file(path, timeline.parse)
        hunt = cls(given.engine, given.validators, range(given.seed, given.seed + 1))
        hunt._path, hunt._given = path, given
        return hunt

    def run(self, jobs: int = 0, tell: Tell = lambda text: None, say: Tell = lambda text: None) -> list[Report]:
        """Run everything; `say` is told each run in a `line`."""
        reports = collect(self._reports(jobs), len(self._seeds), tell, lambda report: say(self.line(report)))
        again = () if self._given else run_again(self._engine, self._validators, self._seeds[::TWICE][1:], self._faults)
        other = {report.seed: report for report in again}
        return [compared(report, other.get(report.seed, report)) for report in reports]

    def line(self, report: Report) -> str:
        """Tell one run in a line: its options, what happens how often, and what came of it."""
        told = self._of(report)
        often = Counter(step.verb for step in told.steps if step.verb not in ("submit", "calm"))
        what = [*told.options()[3:], *(f"{verb} x{count}" for verb, count in sorted(often.items()))]
        return f"seed {report.seed}: {', '.join(what)}: {report.commits} blocks, {report.problem or 'sound'}"

    def _reports(self, jobs: int) -> Iterator[Report]:
        if self._given is not None:
            return iter([run(self._given)])
        return sweep(self._engine, self._validators, self._seeds, self._faults, jobs)

    def trace(self) -> list[str]:
        """Return every event of the only run."""
        if self._given is None:
            raise UsageError("a trace is of one run: choose one seed, such as --seeds 17:18")
        return run_traced(self._given)[1]

    def shown(self, reports: Sequence[Report], *, shorten: bool = False) -> Timeline | None:
        """Return the timeline that is worth a look: that of the only run, or the first that failed; shortened."""
        failed = next((self._of(report) for report in reports if report.problem), None)
        return minimise(failed) if failed and shorten else self._given or failed

    def _of(self, report: Report) -> Timeline:
        return self._given or draw(self._engine, self._validators, report.seed, self._faults)

    def summary(
        self, reports: Sequence[Report], shown: Timeline | Twins | None, file: Path | None = None
    ) -> dict[str, Any]:
        """Return what people and machines are told; `file` is where the `shown` timeline was written."""
        first = next((report.seed for report in reports if report.problem), None)
        told = {"violation": list[dict[str, Any]](), "stall": list[dict[str, Any]]()}
        for report in reports:
            if report.problem:
                told[report.problem].append(self._told(report, file if report.seed == first else None))
        return {
            "engine": self._engine,
            "validators": self._validators,
            "seeds": f"{self._seeds[0]}:{self._seeds[-1] + 1}",
            "faults": self._faults if self._path is None else "",
            **figures(reports),
            "violations": told["violation"],
            "stalls": told["stall"],
            "timeline": str(shown or ""),
        }

    def _told(self, report: Report, file: Path | None) -> dict[str, Any]:
        options = self._of(report).options()
        return {"seed": report.seed, "options": options, "words": report.words, "replay": self._replay(report, file)}

    def _replay(self, report: Report, file: Path | None) -> str:
        if file or self._path:
            return f"minichain sim --timeline {file or self._path}"
        options = f"--engine {self._engine} --validators {self._validators}"
        return f"minichain sim {options} --seeds {report.seed}:{report.seed + 1} --faults {self._faults}"


class TwinsHunt:
    """What `minichain sim --twins` looks at: the scenarios of a file, or one of them."""

    def __init__(self, path: Path, number: int | None = None, seed: int = 0) -> None:
        self._path, self._seed = path, seed
        self._twins = read_file(path, twins.parse)
        self._numbers = [number] if number is not None else range(1, len(self._twins.scenarios) + 1)
        self._runs = [self._twins.only(one) for one in self._numbers]

    def run(self, jobs: int = 0, tell: Tell = lambda text: None, say: Tell = lambda text: None) -> list[Report]:
        """Play everything."""
        return collect(run_all(partial(twinplay.run, seed=self._seed), self._runs, jobs), len(self._runs), tell)

    def trace(self) -> list[str]:
        """Return every event of the only run."""
        if len(self._runs) > 1:
            raise UsageError(f"a trace is of one run: choose one of {len(self._runs)} scenarios, such as --scenario 1")
        return twinplay.run_traced(self._runs[0], self._seed)[1]

    def shown(self, reports: Sequence[Report], *, shorten: bool = False) -> Twins | None:
        """Return the scenario that is worth a look: that of the only run, or the first that failed; shortened."""
        failed = next((run for run, report in zip(self._runs, reports, strict=True) if report.problem), None)
        only = self._runs[0] if len(self._runs) == 1 else None
        return twinplay.minimise(failed, self._seed) if failed and shorten else only or failed

    def summary(
        self, reports: Sequence[Report], shown: Timeline | Twins | None, file: Path | None = None
    ) -> dict[str, Any]:
        """Return what people and machines are told; `file` is where the `shown` scenario was written."""
        told = {"violation": list[dict[str, Any]](), "stall": list[dict[str, Any]]()}
        for number, report in zip(self._numbers, reports, strict=True):
            if report.problem:
                where = f"{self._path} --scenario {number}" if file is None else f"{file} --scenario 1"
                replay, file = f"minichain sim --twins {where} --seed {self._seed}", None
                which = {"seed": self._seed, "scenario": number}
                told[report.problem].append({**which, "words": report.words, "replay": replay})
        return {
            "engine": "bft",
            "validators": self._twins.nodes,
            "twins": self._twins.twins,
            "scenarios": len(self._runs),
            "seeds": f"{self._seed}:{self._seed + 1}",
            **figures(reports),
            "violations": told["violation"],
            "stalls": told["stall"],
            "timeline": str(shown or ""),
        }
