"""Keys in files that a passphrase encrypts."""

from __future__ import annotations

import os
from pathlib import Path

import click

from minichain.cli.terminal import EXISTING, NEW, ask_passphrase, print_table, show, with_json, with_passphrase
from minichain.crypto import KEY_SIZE, KeyPair, Secret
from minichain.errors import UsageError


@click.group()
def key() -> None:
    """Make and keep keys in files that a passphrase encrypts."""


@key.command("new")
@click.argument("file", type=NEW)
@click.option("--name", default="me", show_default=True, help="What the wallet is called; people read it.")
@with_passphrase
@with_json
def new_key(file: Path, name: str, passphrase_file: Path | None, as_json: bool) -> None:
    """Draw a key and write it to a file, which must not exist yet."""
    from minichain.live import keyfile

    if file.exists():
        raise UsageError(f"{file} exists already: choose another name, or move that file away")
    pair = KeyPair(Secret(os.urandom(KEY_SIZE)))
    keyfile.save(file, keyfile.Held(name, pair.did, pair), ask_passphrase(passphrase_file, is_new=True))
    _show_key(file, as_json)


@key.command("show")
@click.argument("file", type=EXISTING)
@with_json
def show_key(file: Path, as_json: bool) -> None:
    """Show what is public of a key file; that needs no passphrase."""
    _show_key(file, as_json)


def _show_key(path: Path, as_json: bool) -> None:
    from minichain.live import keyfile

    found = keyfile.show(path)
    content = {"file": str(path), "name": found.name, "account": found.account, "key": found.key}
    show(as_json, content, lambda: print_table([{"": what, " ": value} for what, value in content.items()]))


@key.command("change-passphrase")
@click.argument("file", type=EXISTING)
@with_passphrase
@click.option("--new-passphrase-file", type=EXISTING, help="The new one is the first line of this file [asked for].")
@with_json
def change_passphrase(
    file: Path, passphrase_file: Path | None, new_passphrase_file: Path | None, as_json: bool
) -> None:
    """Encrypt a key file anew, with another passphrase."""
    from minichain.live import keyfile

    held = keyfile.load(file, ask_passphrase(passphrase_file))
    keyfile.save(file, held, ask_passphrase(new_passphrase_file, "New passphrase", is_new=True), replace=True)
    _show_key(file, as_json)
