"""The command line: parsing and printing, nothing else. Each family of commands has a file.

A command imports what it needs when it runs, so that `--help` does not wait for a network or for Jupyter.
"""

import os
from typing import Any

import click

from minichain import __version__
from minichain.cli.benches import bench
from minichain.cli.class_ import class_
from minichain.cli.contracts import contract
from minichain.cli.course import course
from minichain.cli.demos import demo
from minichain.cli.keys import key
from minichain.cli.laboratory import lab
from minichain.cli.network import doctor, down, node, relay, status, up
from minichain.cli.proofs import verify
from minichain.cli.simulation import compare, fault, play, sim
from minichain.cli.terminal import COULD_NOT, PASSPHRASE, notes
from minichain.crypto import Passphrase
from minichain.errors import MinichainError

__all__ = ["main"]


class _Group(click.Group):
    """Turns minichain's own errors into a message and an exit code; a bug keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except (MinichainError, OSError) as error:  # a file or a disk is the user's to mend, too
            notes.print(f"[bold red]{type(error).__name__}[/]", end=": ")
            notes.print(_told(error), markup=False, highlight=False, soft_wrap=True)
            ctx.exit(COULD_NOT)


def _told(error: Exception) -> str:
    """Say what was wrong, where, and what to do, also where only the operating system has said anything."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}. Name another place, or make room or give leave to write there"
    return str(error)


@click.group(cls=_Group)
@click.version_option(__version__)
@click.pass_context
def main(context: click.Context) -> None:
    """A compact ledger for teaching and governance."""
    context.obj = Passphrase(os.environ.pop(PASSPHRASE, ""))  # no process started from here finds it in its environment


_COMMANDS = (
    *(up, status, down, relay, doctor, node, key, demo, lab, verify),
    *(sim, play, fault, compare, bench, contract, course, class_),
)
for _command in _COMMANDS:
    main.add_command(_command)
