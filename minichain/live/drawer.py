"""A directory as a mapping of names to bytes: where a vault or a wallet of this computer keeps what is closed.

Each value is one file that only its owner may read, replaced as a whole. What is deleted is overwritten first, and
what a write that broke off has left of it; a disk may keep old sectors all the same, so what must vanish is kept
closed under a key, and the key goes too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Final

from minichain.errors import UsageError
from minichain.live.keyfile import drafts_of, write_private

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
        write_private(self._file(name), value, replace=True)

    def __delitem__(self, name: str) -> None:
        file = self._file(name)
        if not file.is_file():
            raise KeyError(name)
        for each in (*drafts_of(file), file):
            with each.open("r+b") as opened:
                opened.write(bytes(each.stat().st_size))
                opened.flush()
                os.fsync(opened.fileno())
            each.unlink()

    def __iter__(self) -> Iterator[str]:
        found = (file.relative_to(self.path).with_suffix("").as_posix() for file in self.path.rglob("*.bin"))
        return iter(sorted(found))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _file(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise UsageError(f"{name[:80]!r} is no name for a value: use small letters, digits, hyphens and slashes")
        return self.path / f"{name}.bin"
