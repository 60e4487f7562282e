"""A directory as a mapping of names to bytes: where a vault or a wallet of this computer keeps what is closed.

Each value is one file that only its owner may read, replaced as a whole. What is deleted is overwritten first; a disk
may keep old sectors all the same, so what must vanish is kept closed under a key, and the key goes too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Final

from minichain.errors import UsageError

_NAME: Final = re.compile(r"[a-z0-9-]{1,80}(/[a-z0-9-]{1,80}){0,3}")


class Drawer(MutableMapping[str, bytes]):
    """Values by name; a name is up to four words of small letters, digits and hyphens, with slashes between."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __getitem__(self, name: str) -> bytes:
        try:
            return self._file(name).read_bytes()
        except OSError:
            raise KeyError(name) from None

    def __setitem__(self, name: str, value: bytes) -> None:
        file = self._file(name)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = file.with_suffix(f".{os.getpid()}.new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
            opened.write(value)
        draft.replace(file)

    def __delitem__(self, name: str) -> None:
        file = self._file(name)
        try:
            size = file.stat().st_size
            with file.open("r+b") as opened:
                opened.write(bytes(size))
                opened.flush()
                os.fsync(opened.fileno())
            file.unlink()
        except OSError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        found = (file.relative_to(self.path).with_suffix("").as_posix() for file in self.path.rglob("*.bin"))
        return iter(sorted(found))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _file(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise UsageError(f"{name[:80]!r} is no name for a value: use small letters, digits, hyphens and slashes")
        return self.path / f"{name}.bin"
