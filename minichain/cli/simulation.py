"""Searches and measurements in the simulator, and faults: on its timelines, or on real processes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from msgspec import to_builtins

from minichain.cli.terminal import (
    DIRECTORY,
    EXISTING,
    NEW,
    NO,
    notes,
    plain,
    print_table,
    screen,
    show,
    with_home,
    with_json,
)
from minichain.errors import UsageError

_LONG_MS = 100  # what took longer is told


@click.command()
@click.option("--engine", default="bft", show_default=True, help="bft, raft or pow.")
@click.option("--validators", type=click.IntRange(1, 100), default=4, show_default=True)
@click.option("--seeds", metavar="A:B", help="The seeds from A up to, but not including, B. [0:1]")
@click.option("--seed", type=click.IntRange(0), help="One seed; as --seeds SEED:SEED+1.")
@click.option("--faults", default="all", show_default=True, metavar="all|NAME,...", help="Which faults may occur.")
@click.option("--jobs", type=click.IntRange(0), default=0, help="How many processes [one for each core].")
@click.option("--timeline", type=EXISTING, help="Play this file; it says which engine, validators and seed.")
@click.option(
    "--twins", type=EXISTING, help="Play this file's twins scenarios: leaders, partitions, members run twice."
)
@click.option("--scenario", type=click.IntRange(1), help="Only this one of the twins scenarios, counted from 1.")
@click.option("--crossing", is_flag=True, help="Search between chains: three of them, and what crosses.")
@click.option("--minimise", is_flag=True, help="Shorten the first timeline or scenario that fails.")
@click.option("--write", type=NEW, help="Write what fails first, or the only run's timeline or scenario, to this file.")
@click.option("--trace", type=NEW, help="Write every event of the only run to this file.")
@with_json
def sim(
    engine: str,
    validators: int,
    seeds: str | None,
    seed: int | None,
    faults: str,
    jobs: int,
    timeline: Path | None,
    twins: Path | None,
    scenario: int | None,
    crossing: bool,
    minimise: bool,
    write: Path | None,
    trace: Path | None,
    as_json: bool,
) -> None:
    """Search for faults of the ledger: each seed draws a timeline of trouble, and every event of it is checked."""
    if crossing and minimise:
        raise UsageError("--minimise shortens the timeline of one chain: leave it out with --crossing")
    hunt = _hunt_of(engine, validators, seeds, seed, faults, timeline, twins, scenario, crossing=crossing)
    if trace is not None:
        trace.write_text("\n".join(hunt.trace()) + "\n", encoding="utf-8")
    with notes.status("running") as progress:
        reports = hunt.run(jobs, progress.update, lambda line: click.echo(line, err=True))
        if minimise:
            progress.update("shortening")
        shown = hunt.shown(reports, shorten=minimise)
    if write is not None and shown is not None:
        write.write_text(str(shown), encoding="utf-8")
    content = hunt.summary(reports, shown, write)
    show(as_json, content, lambda: _print_hunt(content))
    sys.exit(NO if content["violations"] or content["stalls"] else 0)


def _hunt_of(
    engine: str,
    validators: int,
    seeds: str | None,
    seed: int | None,
    faults: str,
    timeline: Path | None,
    twins: Path | None,
    scenario: int | None,
    *,
    crossing: bool,
) -> Any:
    """Choose what to look at; refuse options that something else already says."""
    from minichain.scenarios.crossings.hunt import CrossingHunt
    from minichain.sim.hunt import Hunt, TwinsHunt, read_seeds

    chosen = read_seeds(seeds or f"{seed or 0}:{(seed or 0) + 1}")
    if crossing and (timeline, twins, scenario, engine, validators, faults) != (None, None, None, "bft", 4, "all"):
        raise UsageError("--crossing draws the chains and what befalls them: add only --seeds or --seed")
    if crossing:
        return CrossingHunt(chosen)
    if timeline is not None and (seeds is not None or seed is not None):
        raise UsageError("--timeline is one run with its own seed: leave --seeds and --seed out")
    if timeline is not None and (engine, validators, faults) != ("bft", 4, "all"):
        raise UsageError("--timeline says itself which engine, validators and faults: leave these options out")
    if twins is not None and (timeline, seeds, engine, validators, faults) != (None, None, "bft", 4, "all"):
        raise UsageError(
            "--twins is of bft, and its file says the rest: add only --scenario or --seed, for other delays"
        )
    if twins is None and scenario is not None:
        raise UsageError("--scenario is one of a file of twins scenarios: add --twins FILE")
    if twins is not None:
        return TwinsHunt(twins, scenario, seed or 0)
    if timeline is not None:
        return Hunt.of_file(timeline)
    return Hunt(engine, validators, chosen, faults)


def _print_hunt(content: dict[str, Any]) -> None:
    """Print the timeline of a single run, the figures, and each failure with its command."""
    failures = [("violation", one) for one in content["violations"]] + [("stall", one) for one in content["stalls"]]
    figures = {**content, "violations": len(content["violations"]), "stalls": len(content["stalls"])}
    text = figures.pop("timeline")
    if text:
        click.echo(text)
    print_table([{"figure": name, "value": value} for name, value in figures.items()])
    for what, failure in failures:
        run = f"scenario {failure['scenario']}" if "scenario" in failure else f"seed {failure['seed']}"
        screen.print(f"[bold red]{what}[/] {run}: {plain(failure['words'])}", soft_wrap=True)
        click.echo(f"  {failure['replay']}")


@click.command()
@click.argument("file", type=EXISTING)
@click.option(
    "--home",
    type=DIRECTORY,
    help="Play on the network that runs there [on one of its own].",
)
@with_json
def play(file: Path, home: Path | None, as_json: bool) -> None:
    """Let the faults of a timeline happen to real processes, and say whether the chain stayed safe and live.

    It is the file that `minichain sim --timeline` plays in the simulation. Only the network's owner can do this, and no
    root is needed. At the end every fault ends. `minichain fault` lists what may happen.
    """
    from minichain.client import playing
    from minichain.client.network import Network
    from minichain.faults.timeline import parse
    from minichain.live.faults import require_playable
    from minichain.sim.hunt import read_file

    timeline = read_file(file, parse)
    net = Network.attach(home) if home else playing.network_of(timeline)
    require_playable(timeline, net.genesis.spec)  # before anything starts
    with net:
        outcome = playing.play(net, timeline, (lambda line: None) if as_json else _print_line)
    content = to_builtins(outcome)
    show(as_json, content, lambda: _print_outcome(content))
    sys.exit(0 if outcome.is_safe and outcome.is_live else NO)


def _print_line(line: Any) -> None:
    late = line.done_ms - line.begun_ms
    took = f"  ({late} ms)" if late >= _LONG_MS else ""
    screen.print(f"{line.begun_ms:8} ms  {plain(line.words)}{took}", highlight=False, soft_wrap=True)


def _print_outcome(content: dict[str, Any]) -> None:
    heights = ", ".join(f"{name} {height}" for name, height in content["heights"].items())
    if content["is_safe"]:
        screen.print(
            f"[bold green]Safe[/]: the correct members have one chain ({heights}).", highlight=False, soft_wrap=True
        )
    for words in content["contradictions"]:
        screen.print(f"[bold red]Not safe[/]: {plain(words)}", soft_wrap=True, highlight=False)
    of = f"of {content['submitted']} transactions"
    if content["is_live"]:
        screen.print(
            f"[bold green]Live[/]: all {of} are final, {content['calm_ms']} ms after the calm.", highlight=False
        )
    else:
        screen.print(f"[bold red]Not live[/]: {content['missing']} {of} are not final everywhere.", highlight=False)


@click.command()
@click.argument("words", nargs=-1)
@with_home
@with_json
def fault(words: tuple[str, ...], home: Path | None, as_json: bool) -> None:
    """Let one thing happen to the running network, such as `pause node-2`, `loss 10` or `calm`.

    Without words: list everything that may happen. In a shell, put "node-0 -> node-1" in quotes.
    """
    from minichain.client.network import Network
    from minichain.faults.timeline import VERBS, VOTED

    if not words:
        rows = [
            {"fault": f"{name} {verb.form}".strip(), "what happens": verb.does, "ended by": verb.ended_by or None}
            for name, verb in VERBS.items()
            if name not in ("submit", *VOTED)
        ]
        show(as_json, {"faults": rows}, lambda: print_table(rows))
        return
    with Network.attach(home) as net:
        net.fault(" ".join(words))
    show(as_json, {"done": " ".join(words)}, lambda: screen.print("Done. `minichain fault calm` ends every fault."))


@click.command()
@click.option(
    "--profiles", default="all", show_default=True, metavar="all|NAME,...", help="Which; database is one too."
)
@click.option("--transactions", type=click.IntRange(1, 2_000), default=200, show_default=True)
@click.option("--validators", type=click.IntRange(4, 13), default=4, show_default=True)
@click.option("--owners", type=click.IntRange(1, 13), help="Who share the validators [each has its own].")
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True, help="Fixes everything.")
@click.option("--attacks", is_flag=True, help="Attack each of them, too.")
@with_json
def compare(
    profiles: str, transactions: int, validators: int, owners: int | None, seed: int, attacks: bool, as_json: bool
) -> None:
    """Do the same work on each kind of chain, and on a database, in the simulator; say what it took."""
    from minichain.scenarios import comparison

    kinds = comparison.KINDS if profiles == "all" else tuple(profiles.split(","))
    designs = [comparison.Design(kind, validators, owners, transactions, seed) for kind in kinds]
    tried = comparison.ATTACKS if attacks else ()
    content: dict[str, Any] = {"figures": [], "attempts": []}
    with notes.status("running") as progress:
        for design in designs:
            progress.update(f"running {design.kind}")
            content["figures"].append(comparison.content(comparison.measure(design)))
            content["attempts"] += [comparison.content(comparison.attempt(design, attack)) for attack in tried]
    show(as_json, content, lambda: _print_comparison(content))


def _print_comparison(content: dict[str, Any]) -> None:
    """Print one column for each ledger, and one sentence for each attack."""
    from minichain.views import ledgers

    print_table(ledgers.rows(content["figures"]), "Times are those of the simulation.")
    for attempt in content["attempts"]:
        screen.print(ledgers.line(attempt), soft_wrap=True, highlight=False)
