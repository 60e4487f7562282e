"""The laboratory: what intervals promise, what ties a run to its chain, what is refused, and the same everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from random import Random
from statistics import fmean
from typing import Annotated, Any

import msgspec
import psutil
import pytest
from distributed import LocalCluster
from msgspec import Meta

from minichain import agents
from minichain.agents import Experiment, Figure, Run, catalogue, intervals, sweeping
from minichain.agents.stage import Stage
from minichain.codec import Plain
from minichain.errors import CallFailed, NetworkError, UsageError
from minichain.ledger.types import Call
from minichain.live import scheduler

FINES = {"fine": [500, 2_000]}
SMALL = {"hauliers": 2, "days": 1}


# --- intervals ----------------------------------------------------------------------------------------------------

PUBLISHED = [(1, 12.7062), (2, 4.3027), (5, 2.5706), (9, 2.2622), (10, 2.2281), (29, 2.0452), (100, 1.9840)]


@pytest.mark.parametrize(("freedom", "quantile"), PUBLISHED)
def test_the_quantiles_of_student_are_those_of_the_tables(freedom: int, quantile: float):
    assert intervals.student(0.975, freedom) == pytest.approx(quantile, abs=5e-5)


def test_a_share_has_the_interval_that_newcombe_published():
    """Newcombe 1998, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    published = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for (ones, runs), ends in published.items():
        found = intervals.of_shares([1] * ones + [0] * (runs - ones))
        assert (round(found.low, 4), round(found.high, 4)) == ends


def test_nineteen_of_twenty_intervals_hold_the_true_value():
    """Known cases: means of ten throws of a die (3.5), and shares of sixes in forty throws (1/6)."""
    chance, times = Random(1), 2_000
    means = [intervals.of_means([chance.randint(1, 6) for _ in range(10)]) for _ in range(times)]
    shares = [intervals.of_shares([int(chance.randint(1, 6) == 6) for _ in range(40)]) for _ in range(times)]
    for found, true in ((means, 3.5), (shares, 1 / 6)):
        covered = fmean(one.low <= true <= one.high for one in found)
        assert 0.93 < covered < 0.97


def test_more_confidence_is_a_wider_interval_and_one_run_says_nothing():
    values = [3, 4, 8, 1]
    widths = [one.high - one.low for one in (intervals.of_means(values, percent) for percent in (50, 90, 95, 99))]
    assert widths == sorted(widths)
    assert not intervals.of_means([3]).is_bounded
    same = intervals.of_means([7, 7, 7])
    assert (same.low, same.high) == (7, 7)
    for percent in (49, 100):
        with pytest.raises(UsageError, match="50 to 99 percent"):
            agents.sweep("hauliers", seeds=[1], confidence=percent)


# --- a run and its chain ------------------------------------------------------------------------------------------


class Throws(Plain):
    dice: Annotated[int, Meta(ge=1, le=9, description="how many dice")] = 1


def throw(stage: Stage, settings: Throws, chance: Random) -> dict[str, int]:
    """Throw dice, and pay on the chain what was thrown."""
    dids = stage.invite(["bank", "player"])
    thrown = sum(chance.randint(1, 6) for _ in range(settings.dice))
    stage.must([("bank", [Call("ledger", "transfer", {"to": dids["player"], "amount": thrown})])])
    return {"thrown": thrown, "is_even": int(thrown % 2 == 0)}


FIGURES = {"thrown": Figure("what was thrown", "units"), "is_even": Figure("whether it is even", is_yes_or_no=True)}
DICE = Experiment("dice", "How much does one throw?", Throws, FIGURES, throw)


def test_an_experiment_of_ones_own_covers_the_mean_that_is_known():
    found = agents.sweep(DICE, {"dice": [1, 2]}, range(60), confidence=99)
    one, two = found.cells
    assert one.intervals["thrown"].low < 3.5 < one.intervals["thrown"].high
    assert two.intervals["thrown"].low < 7 < two.intervals["thrown"].high
    assert one.intervals["thrown"].method == "t"
    assert one.intervals["is_even"].method == "Wilson"
    assert one.intervals["is_even"].low < 0.5 < one.intervals["is_even"].high


def test_a_run_is_tied_to_the_chain_on_which_it_came_about():
    first = agents.run(DICE, seed=3)
    assert first == agents.run(DICE, seed=3)
    assert first.digest != agents.run(DICE, seed=4).digest
    assert (first.height, first.transactions, first.refused) == (1, 1, 0)
    for changed in (
        {"figures": {"thrown": 6, "is_even": 1}},
        {"state_root": bytes(32)},
        {"receipts": b""},
        {"seed": 4},
    ):
        assert msgspec.structs.replace(first, **changed).digest != first.digest


def test_the_same_population_on_another_seed_is_another_chain():
    roots = {run.state_root for run in agents.sweep(DICE, seeds=range(5)).cells[0].runs}
    assert len(roots) == 5


def test_a_reported_run_is_played_again_and_a_changed_one_is_found_out():
    reported = agents.run("hauliers", seed=2, **SMALL)
    assert agents.replay(reported) == reported
    own = agents.run(DICE, seed=2)
    assert agents.replay(own, DICE) == own
    nicer = msgspec.structs.replace(reported, figures={**reported.figures, "dumping": 0})
    with pytest.raises(UsageError, match="its figures were changed, or another version"):
        agents.replay(nicer)


def test_what_a_contract_refuses_is_counted_and_what_must_succeed_is_not_passed_over():
    with Stage(1) as stage:
        dids = stage.invite(["bank", "player"])
        too_much = [("player", [Call("ledger", "transfer", {"to": dids["bank"], "amount": 5})])]
        assert not stage.act(too_much)[0].ok
        assert (stage.transactions, stage.refused) == (1, 1)
        with pytest.raises(CallFailed, match="a step that an experiment relies on was refused"):
            stage.must(too_much)


# --- wherever it runs ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def here() -> agents.Sweep:
    return agents.sweep("hauliers", FINES, range(2), SMALL)


def test_another_process_where_sets_have_another_order_comes_to_the_same(here: agents.Sweep):
    script = f"from minichain.agents import sweep; print(sweep('hauliers', {FINES}, range(2), {SMALL}).digest)"
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, check=True, text=True
        )
        assert done.stdout.strip() == here.digest


def test_several_processes_come_to_the_same_in_whatever_order_they_end(here: agents.Sweep):
    told: list[tuple[int, int, str]] = []
    found = agents.sweep(
        "hauliers",
        FINES,
        range(2),
        SMALL,
        jobs=2,
        progress=lambda done, total, run: told.append((done, total, run.digest)),
    )
    assert found == here
    assert [(done, total) for done, total, _ in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert {name for _, _, name in told} == {run.digest for cell in here.cells for run in cell.runs}


def test_seeds_in_another_order_are_the_same_runs(here: agents.Sweep):
    turned = agents.sweep("hauliers", FINES, [1, 0], SMALL)
    assert [cell.runs[::-1] for cell in turned.cells] == [cell.runs for cell in here.cells]
    assert [cell.settings["fine"] for cell in here.cells] == [500, 2_000]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two workers, each a process of its own."""
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as running:
        yield running


def test_a_cluster_comes_to_the_same(here: agents.Sweep, cluster: Any):
    pids = {worker.pid for worker in cluster.workers.values()}
    assert len(pids | {os.getpid()}) == 3
    told: list[Run] = []
    found = agents.sweep(
        "hauliers",
        FINES,
        range(2),
        SMALL,
        scheduler=cluster.scheduler_address,
        progress=lambda _, __, run: told.append(run),
    )
    assert found == here
    assert len(told) == 4


def test_a_run_whose_machine_dies_is_done_again_on_another(here: agents.Sweep, cluster: Any):
    killed: list[int] = []

    def kill_one(done: int, total: int, run: Run) -> None:
        if not killed:
            killed.append(next(iter(cluster.workers.values())).pid)
            psutil.Process(killed[0]).kill()

    found = agents.sweep("hauliers", FINES, range(2), SMALL, scheduler=cluster.scheduler_address, progress=kill_one)
    assert killed
    assert found == here


def test_a_cluster_refuses_before_it_runs_what_cannot_be_run(cluster: Any):
    with pytest.raises(UsageError, match="fine is a whole number from 0 to 1000000, not -1"):
        agents.sweep("hauliers", {"fine": [-1]}, [1], scheduler=cluster.scheduler_address)


def test_workers_with_another_minichain_are_refused(cluster: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(scheduler, "edition", lambda: str(os.getpid()))  # another one in each process
    with pytest.raises(
        NetworkError, match=r"(\d) of \1 workers have no minichain, or another one.*install the same version"
    ):
        agents.sweep(DICE, seeds=[1], scheduler=cluster.scheduler_address)


def test_a_cluster_without_a_machine_says_so():
    with (
        LocalCluster(n_workers=0, processes=True, dashboard_address=":0") as empty,
        pytest.raises(NetworkError, match=r"has no machine: start `dask worker tcp://"),
    ):
        agents.sweep(DICE, seeds=[1], scheduler=empty.scheduler_address)


@pytest.mark.parametrize(
    "address", ["", "somewhere", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", "http://127.0.0.1:80"]
)
def test_what_is_no_address_of_a_scheduler_is_refused(address: str):
    with pytest.raises(UsageError, match=r"write tcp://HOST:PORT. Start one with `dask scheduler`"):
        agents.sweep(DICE, seeds=[1], scheduler=address)


def test_a_scheduler_that_is_not_there_is_named_with_what_to_do():
    with pytest.raises(NetworkError, match=r"no Dask scheduler listens at tcp://127.0.0.1:1 .*`dask worker ADDRESS`"):
        agents.sweep(DICE, seeds=[1], scheduler="tcp://127.0.0.1:1")


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(NetworkError, match=r"pip install \"minichain\[cluster\]\""):
        agents.sweep(DICE, seeds=[1], scheduler="tcp://127.0.0.1:1")


def test_nobody_loads_dask_who_does_not_use_it():
    script = (
        "import sys, minichain.agents, minichain.cli, minichain.live.supervisor; print('distributed' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "False"


# --- what cannot be run -------------------------------------------------------------------------------------------

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"experiment": "unknown"}, "there is no experiment 'unknown': choose one of hauliers"),
    ({"grid": {"fien": [1]}}, "hauliers has no parameter 'fien': it has hauliers, days"),
    ({"settings": {"fien": 1}}, "hauliers has no parameter 'fien'"),
    ({"settings": {"fine": -1}}, "fine is a whole number from 0 to 1000000, not -1"),
    ({"settings": {"fine": 1_000_001}}, "not 1000001"),
    ({"settings": {"fine": "high"}}, "not 'high'"),
    ({"settings": {"fine": 1.5}}, "not 1.5"),
    ({"settings": {"fine": True}}, "not True"),
    ({"settings": {"reads_versions": "perhaps"}}, "reads_versions is no or yes, not 'perhaps'"),
    ({"grid": {"fine": []}}, "fine: give one or more values, each once"),
    ({"grid": {"fine": [1, 1]}}, "fine: give one or more values, each once"),
    ({"grid": {"fine": [1]}, "settings": {"fine": 2}}, "fine is varied and set: leave one of them out"),
    ({"seeds": []}, "seeds: give one or more values, each once"),
    ({"seeds": [1, 2, 1]}, "two equal ones would count twice"),
    ({"seeds": [-1]}, "a seed is a whole number from 0"),
    ({"seeds": [2**63]}, "a seed is a whole number from 0"),
    ({"seeds": range(sweeping.MAX_RUNS + 1)}, "these are 100001 runs: 100000 at most"),
    ({"jobs": 0}, "jobs is how many processes, 1 to 256, not 0"),
    ({"jobs": 257}, "jobs is how many processes, 1 to 256, not 257"),
]


@pytest.mark.parametrize(("asked", "words"), REFUSED, ids=[words[:40] for _, words in REFUSED])
def test_what_cannot_be_run_is_refused_in_words(asked: dict[str, Any], words: str):
    with pytest.raises(UsageError) as refused:
        agents.sweep(**{"experiment": "hauliers", "seeds": [0], **asked})
    assert words in str(refused.value)


@pytest.mark.parametrize("one", catalogue.EXPERIMENTS.values(), ids=catalogue.EXPERIMENTS)
def test_every_experiment_says_what_can_be_set_and_what_it_counts(one: Experiment):
    assert one.question.endswith("?")
    assert all(parameter.meaning for parameter in one.parameters)
    assert all(figure.meaning for figure in one.figures.values())
    for parameter in one.parameters:
        parameter.check(parameter.usual)
        parameter.check(parameter.read(str(parameter.usual)))
