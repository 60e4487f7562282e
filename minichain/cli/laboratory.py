"""The policy laboratory: rules tried on made-up populations, on the real contracts."""

from __future__ import annotations

from typing import Any

import click

from minichain.cli.terminal import notes, print_table, screen, show, with_json

_LARGE = 100  # from here on nobody reads what follows the point


@click.command()
@click.argument("experiment", required=False)
@click.option("--seeds", metavar="A:B", default="0:10", show_default=True, help="The seeds from A up to, not with, B.")
@click.option("--set", "chosen", multiple=True, metavar="NAME=VALUE", help="Set a parameter.")
@click.option("--sweep", "swept", multiple=True, metavar="NAME=A,B,C", help="Try each value, with all others.")
@click.option("--jobs", type=int, default=1, show_default=True, help="How many processes.")
@click.option("--scheduler", metavar="ADDRESS", help="Run on the Dask cluster of this scheduler: tcp://HOST:PORT.")
@click.option("--confidence", type=int, default=95, show_default=True, help="Of the intervals, in percent.")
@with_json
def lab(
    experiment: str | None,
    seeds: str,
    chosen: tuple[str, ...],
    swept: tuple[str, ...],
    jobs: int,
    scheduler: str | None,
    confidence: int,
    as_json: bool,
) -> None:
    """Try a rule on seeded populations who act on the real contracts; without an EXPERIMENT, list them.

    The same seeds give the same figures and the same digest, here, in several processes, or on a cluster.
    """
    from minichain import agents
    from minichain.sim.hunt import read_seeds

    if experiment is None:
        outlines = [_outline(one) for one in agents.EXPERIMENTS.values()]
        show(as_json, {"experiments": outlines}, lambda: _print_outlines(outlines))
        return
    one = agents.find(experiment)
    settings = {name: one.parameter(name).read(text) for name, text in map(_split, chosen)}
    grid = {name: [one.parameter(name).read(text) for text in texts.split(",")] for name, texts in map(_split, swept)}
    with notes.status("running") as status:
        found = agents.sweep(
            experiment,
            grid,
            read_seeds(seeds),
            settings,
            jobs=jobs,
            scheduler=scheduler,
            confidence=confidence,
            progress=lambda done, total, _: status.update(f"{done} of {total} runs"),
        )
    show(as_json, _content(found), lambda: _print_sweep(found, one))


def _split(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if not (name and value):
        raise click.UsageError(f"{text!r}: write NAME=VALUE")
    return name, value


def _outline(one: Any) -> dict[str, Any]:
    return {
        "name": one.name,
        "question": one.question,
        "parameters": [
            {"parameter": each.name, "usual": each.usual, "may be": each.range, "meaning": each.meaning}
            for each in one.parameters
        ],
        "figures": [
            {"figure": name, "unit": figure.unit or None, "meaning": figure.meaning}
            for name, figure in one.figures.items()
        ],
    }


def _print_outlines(outlines: list[dict[str, Any]]) -> None:
    for outline in outlines:
        screen.print(f"[bold]{outline['name']}[/]: {outline['question']}", soft_wrap=True, highlight=False)
        print_table(outline["parameters"])
        print_table(outline["figures"])


def _content(found: Any) -> dict[str, Any]:
    """Return a sweep for machines: with what is needed to run any of its runs again, and to compare it."""
    from minichain.agents import FORMULAS

    cells = [
        {
            "settings": cell.settings,
            "figures": {name: _interval(one) for name, one in cell.intervals.items()},
            "runs": [
                {"seed": run.seed, "digest": run.digest, "state_root": run.state_root, "figures": run.figures}
                for run in cell.runs
            ],
        }
        for cell in found.cells
    ]
    seeds = list(found.seeds)
    return {
        "experiment": found.experiment,
        "seeds": seeds,
        "formulas": FORMULAS,
        "digest": found.digest,
        "cells": cells,
    }


def _interval(one: Any) -> dict[str, Any]:
    low, high = (one.low, one.high) if one.is_bounded else (None, None)
    return {"mean": one.mean, "low": low, "high": high, "method": one.method, "confidence": one.confidence}


def _print_sweep(found: Any, one: Any) -> None:
    rows = [
        {"figure": name, **{varied: cell.settings[varied] for varied in found.varied}, **_told(cell.intervals[name])}
        | {"unit": figure.unit or None}
        for name, figure in one.figures.items()
        for cell in found.cells
    ]
    print_table(rows, f"Means over {len(found.seeds)} seeds. Digest {found.digest}")


def _told(one: Any) -> dict[str, str | None]:
    low, high = (_short(one.low), _short(one.high)) if one.is_bounded else (None, None)
    return {"mean": _short(one.mean), f"{one.confidence} % from": low, "to": high}


def _short(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= _LARGE else f"{number:.2f}"
