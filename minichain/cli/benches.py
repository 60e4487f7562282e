"""Measurements of this computer."""

from __future__ import annotations

import sys
from inspect import signature
from pathlib import Path
from typing import Any

import click

from minichain.cli.terminal import NO, notes, print_table, show, with_json


@click.command()
@click.argument(
    "what",
    type=click.Choice(
        [
            *("throughput", "latency", "idle", "start", "recovery", "simulator"),
            *("committee", "miners", "public", "tree", "contracts", "attacks", "shards", "delivery", "split"),
            *("power", "counting", "ballots", "viewers", "newcomer", "checks", "lessons", "console"),
        ]
    ),
)
@click.option(
    "--validators", type=click.IntRange(1, 100), help="How many [4; for recovery 7, for split 8]; of each shard."
)
@click.option("--transfers", type=click.IntRange(1_000), help="For throughput [20000] and split [8000].")
@click.option("--rounds", type=click.IntRange(2), help="For recovery: kill two so often [20].")
@click.option("--viewers", type=click.IntRange(2, 60), help="For viewers: how many look at once [30].")
@click.option("--learners", type=click.IntRange(1, 200), help="For console: how many are at work [30].")
@click.option("--seconds", type=click.IntRange(5), help="For viewers: for so long [30].")
@click.option(
    "--page",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="For shards: write a page with a table and a picture into this directory.",
)
@with_json
def bench(what: str, page: Path | None, as_json: bool, **told: int | None) -> None:
    """Measure this machine; every figure comes with its formula."""
    from minichain import bench as benches

    if page is not None and what != "shards":
        raise click.UsageError(f"--page is for shards: there is no page of {what}")
    measure = benches.BENCHES[what]
    options = {name: value for name, value in told.items() if value is not None}
    for name in options:
        if name not in signature(measure).parameters:
            raise click.UsageError(f"{what} takes no --{name}")
    with notes.status(f"measuring {what}"):
        content = measure(**options)
    if page is not None:
        from minichain.views import capacity_page

        capacity_page.write(content, page)
    show(as_json, content, lambda: _print_figures(content))
    sys.exit(0 if content.get("passed", True) else NO)


def _print_figures(content: dict[str, Any]) -> None:
    """Print figures with their names, and each that has rows and columns of its own as a table."""
    tables = {name: rows for name, rows in content.items() if _has_rows(rows)}
    print_table([{"figure": name, "value": value} for name, value in content.items() if name not in tables])
    for name, rows in tables.items():
        print_table([{name: row, **{str(key): value for key, value in cells.items()}} for row, cells in rows.items()])


def _has_rows(value: Any) -> bool:
    return isinstance(value, dict) and value != {} and all(isinstance(cells, dict) for cells in value.values())
