"""Where a lesson is being worked on: which bundle it came with, in which language, and where attempts are kept.

A folder that `minichain course copy` or `release` wrote holds `course.json`; without one, English and no bundle.
Attempts are kept in `~/.minichain/course`, or where MINICHAIN_COURSE says.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

from minichain.codec import Plain, from_json, to_json
from minichain.errors import ConfigError, DecodeError

VARIABLE: Final = "MINICHAIN_COURSE"
RECORD: Final = "course.json"
LEARNERS, MASTERS, TRAINERS = "learner", "master", "trainer"  # editions


class Bundle(Plain, forbid_unknown_fields=True):
    """What a folder of lessons says of itself; `digest` is that of its other files, `seed` that of the class."""

    language: str = "en"
    edition: str = MASTERS
    version: str = ""
    digest: str = ""
    seed: int = 0
    desk: str = ""  # the class it belongs to: where attempts are handed in


def home() -> Path:
    """Return the folder in which a learner's key and attempts are kept."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else Path.home() / ".minichain" / "course"


def bundle(folder: Path | None = None) -> Bundle:
    """Return the bundle that a folder (the current one) lies in. Raises `ConfigError` for a damaged record."""
    here = (folder or Path.cwd()).resolve()
    return next(filter(None, map(read_record, (here, *here.parents))), Bundle())


def read_record(folder: Path) -> Bundle | None:
    """Read what a folder of lessons says of itself, if it says anything. Raises `ConfigError` for a damaged record."""
    path = folder / RECORD
    if not path.is_file():
        return None
    try:
        return from_json(path.read_bytes().strip(), Bundle)
    except DecodeError as error:
        raise ConfigError(f"{path} is damaged ({error}): copy the lessons anew") from None


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
