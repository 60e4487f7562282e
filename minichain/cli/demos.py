"""A real case carried through a network of its own, with a proof at its end."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from minichain.cli.terminal import EXISTING, notes, print_table, screen, show, with_json

_Command = TypeVar("_Command", bound=Callable[..., object])

_world = click.option("--world", type=click.Choice(["live", "sim"]), default="live", show_default=True)
_seed = click.option("--seed", type=int, default=1, show_default=True, help="Fixes every key.")


def _written(name: str, default: str, what: str) -> Callable[[_Command], _Command]:
    """Take the path of a file that is written at the end, and refuse before the beginning what cannot be."""

    def checked(_context: click.Context, _option: click.Parameter, path: Path) -> Path:
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise click.BadParameter(f"nothing can be written to {path}: name another place, in a folder that is there")
        return path

    kind = click.Path(dir_okay=False, path_type=Path, resolve_path=True)
    return click.option(name, type=kind, default=default, show_default=True, callback=checked, help=what)


def _proof(default: str) -> Callable[[_Command], _Command]:
    return _written("--proof", default, "Where to write the proof.")


@click.group()
def demo() -> None:
    """Carry a real case through a network of its own."""


@demo.command()
@click.option("--manifest", type=EXISTING, help="EPA e-Manifest JSON [an example].")
@_world
@_seed
@_proof("waste-proof.json")
@with_json
def waste(manifest: Path | None, world: str, seed: int, proof: Path, as_json: bool) -> None:
    """Carry a waste manifest through its whole life, with a validator killed half way."""
    from minichain.scenarios import demo
    from minichain.scenarios.waste import SCENARIO

    with notes.status("starting") as progress:
        document = manifest or SCENARIO.samples["full_electronic"]
        result = demo.run(SCENARIO, document, world, seed, proof, progress.update)
    show(as_json, result, lambda: _print_story(result))


@demo.command()
@_world
@_seed
@_proof("crossing-proof.json")
@with_json
def crossing(world: str, seed: int, proof: Path, as_json: bool) -> None:
    """Let units and calls cross between two shards and a side chain, while relayer and validators are killed."""
    from minichain.scenarios.crossings import demo

    with notes.status("starting") as progress:
        result = demo.run(world, seed, proof, progress.update)
    show(as_json, result, lambda: _print_crossings(result))


@demo.command()
@_world
@_seed
@_written("--record", "election.json", "Where to write the record of the election.")
@with_json
def voting(world: str, seed: int, record: Path, as_json: bool) -> None:
    """Decide in secret on a fifth validator, with a trustee missing and a validator killed; then it signs blocks."""
    from minichain.scenarios.voting import demo

    with notes.status("starting") as progress:
        result = demo.run(world, seed, record, progress.update)
    show(as_json, result, lambda: _print_decision(result))


def _print_decision(result: dict[str, Any]) -> None:
    print_table([{"choice": choice, "votes": votes} for choice, votes in result["result"].items()])
    screen.print(" -> ".join(result["states"]), soft_wrap=True)
    roots, signed = set(result["state_roots"].values()), ", ".join(map(str, result["signed_by_newcomer"]))
    screen.print(f"{result['members'][-1]} has signed blocks {signed}", soft_wrap=True, highlight=False)
    screen.print(f"{len(result['state_roots'])} validators agree on state root {min(roots)}", soft_wrap=True)
    path = result["record"]
    screen.print(f"Record: {path}  (count it again with `minichain verify {path}`)", soft_wrap=True)


@demo.command()
@_world
@_seed
@_proof("points-proof.json")
@with_json
def points(world: str, seed: int, proof: Path, as_json: bool) -> None:
    """Let residents earn, object, redeem and withdraw, with a validator killed half way."""
    from minichain.scenarios.points import demo

    with notes.status("starting") as progress:
        result = demo.run(world, seed, proof, progress.update)
    show(as_json, result, lambda: _print_story(result))


def _print_crossings(result: dict[str, Any]) -> None:
    names = ("from", "to", "number", "units", "call", "outcome", "reason")
    crossed = [*result["delivered"], *result["refunded"]]
    print_table([{name: one.get(name) or None for name in names} for one in crossed])
    for chain_id, before in result["supply_before"].items():
        screen.print(f"{chain_id}: {before} units before, {result['supply_after'][chain_id]} after", highlight=False)
    _print_proof(result["proof"])


def _print_story(result: dict[str, Any]) -> None:
    print_table(result["steps"])
    roots = set(result["state_roots"].values())
    screen.print(f"{len(result['state_roots'])} validators agree on state root {min(roots)}", soft_wrap=True)
    _print_proof(result["proof"])


def _print_proof(path: str) -> None:
    screen.print(f"Proof: {path}  (check it with `minichain verify {path}`)", soft_wrap=True)
