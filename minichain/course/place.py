"""Where a lesson is being worked on: which bundle it came with, in which language, and where attempts are kept.

A folder that `minichain course copy` or `release` wrote holds `course.json`; without one, English and no bundle.
Attempts are kept in `~/.minichain/course`, or where MINICHAIN_COURSE says.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from minichain.catalogue import LESSONS
from minichain.codec import Plain, from_json, to_json
from minichain.errors import ConfigError, DecodeError
from minichain.live import keyfile

VARIABLE: Final = "MINICHAIN_COURSE"
RECORD: Final = LESSONS
LEARNERS, MASTERS, TRAINERS = "learner", "master", "trainer"  # editions
MEMBERSHIP: Final = "class.json"
AGAIN: Final = "begin-again.json"


class Bundle(Plain, forbid_unknown_fields=True):
    """What a folder of lessons says of itself; `digest` is that of its other files, `seed` that of the class.

    `siblings` are the digests of the learners' bundles that were released together, one in each language.
    """

    language: str = "en"
    edition: str = MASTERS
    version: str = ""
    digest: str = ""
    seed: int = 0
    desk: str = ""  # the class it belongs to: where attempts are handed in
    siblings: tuple[str, ...] = ()


def home() -> Path:
    """Return the folder in which a learner's key and attempts are kept."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else Path.home() / ".minichain" / "course"


def bundle(folder: Path | None = None) -> Bundle:
    """Return the bundle that a folder (the current one) lies in. Raises `ConfigError` for a damaged record."""
    here = (folder or Path.cwd()).resolve()
    return next(filter(None, map(read_record, (here, *here.parents))), Bundle())


def trainers() -> Path | None:
    """Return what a trainer's bundle keeps from learners, if the current folder lies in one."""
    here = Path.cwd().resolve()
    found = next((parent for parent in (here, *here.parents) if read_record(parent)), None)
    return found / TRAINERS if found and bundle(found).edition == TRAINERS else None


def read_record(folder: Path) -> Bundle | None:
    """Read what a folder of lessons says of itself, if it says anything. Raises `ConfigError` for a damaged record."""
    path = folder / RECORD
    if not path.is_file():
        return None
    try:
        return from_json(path.read_bytes().strip(), Bundle)
    except DecodeError as error:
        raise ConfigError(f"{path} is damaged ({error}): copy the lessons anew") from None


class Membership(Plain, forbid_unknown_fields=True):
    """The class that somebody has joined: where its desk is, its token, the name there, and the seed of its checks.

    `genesis` is the hash, in hexadecimal, of the class's chain.
    """

    url: str
    of: str
    token: str
    name: str
    role: str
    seed: int
    genesis: str = ""


class Again(Plain, forbid_unknown_fields=True):
    """A learner begins again with the exercises within `prefix`; what was answered up to `at`, on the own clock, counts
    no longer, and is kept. `said` is the same moment on the desk's clock.
    """

    prefix: str
    at: int
    said: int


def again(folder: Path | None = None) -> tuple[Again, ...]:
    """Return where the learner of this folder begins again. A damaged record is as none: the class says it again."""
    with suppress(FileNotFoundError, DecodeError):
        return from_json(((folder or home()) / AGAIN).read_bytes(), tuple[Again, ...])
    return ()


def write_again(content: tuple[Again, ...], folder: Path | None = None) -> None:
    """Remember where a learner begins again."""
    keyfile.write_private((folder or home()) / AGAIN, to_json(content), replace=True)


def membership(folder: Path | None = None) -> Membership | None:
    """Return the class that somebody has joined whose attempts are kept in this folder; None for nobody's.

    Raises `ConfigError` for a damaged record.
    """
    path = (folder or home()) / MEMBERSHIP
    try:
        return from_json(path.read_bytes(), Membership)
    except FileNotFoundError:
        return None
    except DecodeError as error:
        raise ConfigError(f"{path} is damaged ({error}): join the class again") from None


def write_membership(content: Membership, folder: Path | None = None) -> None:
    """Remember the class that was joined; its token is readable by the owner of the folder only."""
    keyfile.write_private((folder or home()) / MEMBERSHIP, to_json(content), replace=True)


def seed() -> int:
    """Return the seed by which answers are checked: that of the class, if one was joined, or of the bundle."""
    joined = membership()
    return joined.seed if joined else bundle().seed


def write_record(folder: Path, content: Bundle) -> Path:
    """Write what a folder of lessons says of itself."""
    path = folder / RECORD
    path.write_bytes(record(content))
    return path


def record(content: Bundle) -> bytes:
    """Return the text of a record."""
    return to_json(content) + b"\n"


def digest(files: Mapping[str, bytes]) -> str:
    """Return the digest of files, by their names and content, whatever order they come in."""
    lines = (f"{sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return sha256("".join(lines).encode()).hexdigest()
