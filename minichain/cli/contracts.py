"""Contracts of an author, before they are on any chain."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from minichain.cli.terminal import EXISTING, NO, plain_line, print_table, show, with_json
from minichain.errors import LanguageError


@click.group()
def contract() -> None:
    """Work on contracts."""


@contract.command("check")
@click.argument("file", type=EXISTING)
@with_json
def check_contract(file: Path, as_json: bool) -> None:
    """List where a file leaves the contract language: line, code, explanation. Or tell what the contract offers."""
    from minichain.contracts import check, describe
    from minichain.contracts.explain import explain, outline

    try:
        source = file.read_text(encoding="utf-8")
    except UnicodeError:
        raise LanguageError(f"{file} is not UTF-8 text") from None
    found = [
        {"line": v.line, "code": v.code, "explanation": v.explanation, "instead": v.suggestion} for v in check(source)
    ]
    if found:
        show(as_json, {"violations": found}, lambda: print_table(found))
        sys.exit(NO)
    abi = describe(source)
    lines = [f"{file} is in the contract language.", "", *map(plain_line, explain(abi))]
    show(as_json, {"violations": [], "contract": outline(abi)}, lambda: click.echo("\n".join(lines)))


@contract.command("try")
@click.argument("file", type=EXISTING)
@click.option("--setup", default="{}", help="Arguments of its setup, as JSON; Office A, B and C stand for accounts.")
@with_json
def try_contract(file: Path, setup: str, as_json: bool) -> None:
    """Let Office A, B and C call its actions at random: how the calls end, the gas they use, and what never runs."""
    from minichain.contracts.testing import explore

    try:
        given = json.loads(setup)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise click.UsageError(f'--setup takes a JSON object such as \'{{"keeper": "Office A"}}\', not {setup[:80]}')

    def deployed(box: Any) -> Any:
        args = {key: box.account(value) if value in box.people.values() else value for key, value in given.items()}
        return box.deploy(file, sender=box.account("Office A"), **args)

    explored = explore(deployed)
    rows = explored.rows()
    unseen = [line.number for line in explored.report().lines if line.runs == 0]
    end = f"Lines that never ran: {', '.join(map(str, unseen)) or 'none'}."
    show(as_json, {"actions": rows, "never_ran": unseen}, lambda: print_table(rows, end))
