"""Which version made a chain of a home, and whether this version can go on with it.

A chain is what its settings say, to the byte, and begins with a state in which its system contracts lie as text.
Another version may write the settings in another way: the chain would have another hash here, so this version refuses
it. Where only the first state differs, it goes on with what it has; but nobody follows it here from its first block.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from minichain import __version__
from minichain.codec import Plain, to_json
from minichain.crypto import digest
from minichain.errors import ConfigError
from minichain.ledger.genesis import Genesis
from minichain.live import keyfile
from minichain.live.home import MARK, SETTINGS, has_chain
from minichain.transition import first_root

_WAYS_ON: Final = (
    "Nothing was changed or deleted: begin another chain in another directory with `--home`, or delete this one and "
    "begin anew with `--fresh`"
)


class Made(Plain):
    """How a chain was made; what is hashed is in hexadecimal."""

    version: str
    settings: str  # fingerprint of the file genesis.json
    first_root: str  # root of the state before the first block


def keep(directory: Path, genesis: Genesis) -> None:
    """Write into a directory what its chain is and, if the chain is new, which version made it; raises `ConfigError`
    where another chain is kept there.
    """
    keyfile.make_private(directory)
    file, settings = directory / SETTINGS, to_json(genesis.spec)
    if file.exists():
        if file.read_bytes() != settings:
            raise ConfigError(f"{directory} holds another chain: choose another directory, or remove that one")
        return
    if has_chain(directory):
        raise _lost(directory)
    file.write_bytes(settings)
    made = Made(__version__, fingerprint(settings), first_root(genesis).hex())
    (directory / MARK).write_bytes(msgspec.json.format(msgspec.json.encode(made)))


def settings_of(directory: Path) -> bytes:
    """Return the settings of the chain in a directory, as they were written; raises `ConfigError` if they are lost."""
    try:
        return (directory / SETTINGS).read_bytes()
    except FileNotFoundError:
        raise _lost(directory) from None


def _lost(directory: Path) -> ConfigError:
    return ConfigError(
        f"{directory / SETTINGS} is missing, and without it nobody can tell which chain this was: put it back from a "
        f"copy, such as that of another member. {_WAYS_ON}"
    )


def refused(directory: Path, settings: bytes, why: str) -> ConfigError:
    """Return what to tell about settings of a chain that this version would not have written so."""
    made, file = _made(directory), directory / SETTINGS
    if made is None:
        said = (
            f"{file}: {why}. Another version than this, minichain {__version__}, made this chain and can go on with "
            "it, or the file was damaged"
        )
    elif made.settings != fingerprint(settings):
        said = f"{file}: {why}. It was changed after the chain was made: put it back as it was"
    else:
        said = (
            f"the chain in {directory} was made by {_maker(made)}, which writes its settings in another way than this "
            f"version, minichain {__version__}: only that one can go on with it"
        )
    return ConfigError(f"{said}. {_WAYS_ON}")


def notice(chains: Sequence[tuple[Path, Genesis]]) -> str:
    """Return what whoever goes on with these chains should know; empty where this version would begin them alike."""
    found = {genesis.spec.chain_id: made for place, genesis in chains if (made := _differing(place, genesis))}
    if not found:
        return ""
    makers = ", ".join(sorted({_maker(made) for made in found.values()}))
    return (
        f"Made by {makers}, with other system contracts than those of this version: {', '.join(found)}. It goes on "
        "with its own. A node can join with `--snapshot`; from the first block on, only with the version that made it."
    )


def _differing(directory: Path, genesis: Genesis) -> Made | None:
    made = _made(directory)
    return made if made is not None and made.first_root != first_root(genesis).hex() else None


def _made(directory: Path) -> Made | None:
    try:
        return msgspec.json.decode((directory / MARK).read_bytes(), type=Made)
    except (OSError, msgspec.MsgspecError):
        return None


def _maker(made: Made) -> str:
    return (
        f"another revision of minichain {__version__}" if made.version == __version__ else f"minichain {made.version}"
    )


def fingerprint(settings: bytes) -> str:
    """Return what stands for a file of settings, in hexadecimal."""
    return digest("genesis file", settings).hex()
