"""What every command has in common: its options, and how a result is shown to people and to machines.

Exit codes: 0 done; 1 the answer is no; 2 wrong use; 3 it could not be done, and the message says what to do.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from minichain.crypto import Passphrase

NO, COULD_NOT = 1, 3
PASSPHRASE = "MINICHAIN_PASSPHRASE"

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW = click.Path(dir_okay=False, path_type=Path)
DIRECTORY = click.Path(path_type=Path, file_okay=False)
FOLDER = click.Path(exists=True, path_type=Path, file_okay=False)


screen = Console(emoji=False)
notes = Console(stderr=True, emoji=False)

with_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for machines.")
with_home = click.option("--home", type=DIRECTORY, help="Directory of the network [~/.minichain].")
with_passphrase = click.option(
    "--passphrase-file",
    type=EXISTING,
    help=f"The passphrase is the first line of this file [that of the variable {PASSPHRASE}, or asked for].",
)


def ask_passphrase(file: Path | None, what: str = "Passphrase", *, is_new: bool = False) -> Passphrase:
    """Get a passphrase, never from the command line."""
    from minichain.live import keyfile

    told: Passphrase = click.get_current_context().find_root().obj
    if file is not None:
        return keyfile.read_passphrase(file)
    if not told.reveal():
        told = Passphrase(click.prompt(what, hide_input=True, confirmation_prompt=is_new))
    return keyfile.require_passphrase(told)


def passphrase_if(is_encrypted: bool, file: Path | None, *, encrypt: bool = False) -> Passphrase | None:
    """Get the passphrase of what is encrypted, or will be from now on; None where there is nothing of that kind."""
    needed = is_encrypted or encrypt or file is not None
    return ask_passphrase(file, is_new=not is_encrypted) if needed else None


def show(as_json: bool, content: Any, print_for_people: Callable[[], None]) -> None:
    """Print a result in one of its two forms."""
    if as_json:
        click.echo(json.dumps(content, ensure_ascii=False, default=_as_text))
    else:
        print_for_people()


def plain(value: Any) -> str:
    """Write what somebody else chose so that it can neither style nor steer the terminal."""
    return escape(plain_line(value))


def plain_line(value: Any) -> str:
    """Write what somebody else chose in one line, for what does not read styles."""
    return "".join(char if char.isprintable() else "�" for char in str(value))


def _as_text(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def print_table(rows: list[dict[str, Any]], caption: str = "") -> None:
    """Print records, all with the same fields, as the rows of a table."""
    table = Table(caption=caption, caption_justify="left")
    for name in rows[0] if rows else ():
        table.add_column(name.replace("_", " "))
    for row in rows:
        table.add_row(*("-" if value is None else plain(value) for value in row.values()))
    screen.print(table)
