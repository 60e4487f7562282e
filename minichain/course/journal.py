"""The learner's own attempts on disk: appended, never changed, and there again after a crash.

key             the learner's key, made with the first attempt; who joins a class joins with it
attempts/*      one file for each kernel that answered something, a line for each attempt
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from minichain.codec import to_json
from minichain.course import place
from minichain.course.attempts import Attempt, is_within, read_attempt, signed
from minichain.crypto import KEY_SIZE, KeyPair
from minichain.errors import DecodeError, SignatureError, UsageError
from minichain.live import keyfile


class Journal:
    """What one learner has answered; one object for each kernel."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or place.home()
        self._session = secrets.token_hex(8)
        self._last: Attempt | None = None
        self._earlier: list[Attempt] | None = None

    @property
    def key(self) -> KeyPair:
        """Return the learner's key; make it if there is none."""
        path = self.folder / "key"
        if not path.exists():
            with suppress(UsageError):  # another kernel may be as fast
                keyfile.write_private(path, secrets.token_bytes(KEY_SIZE))
        return KeyPair(path.read_bytes())

    def add(self, exercise: str, kind: str, answer: str, **found: object) -> Attempt:
        """Keep an attempt; it is on the disk when this returns."""
        key, last = self.key, self._last
        attempt = Attempt(
            learner=key.did,
            session=self._session,
            number=last.number + 1 if last else 1,
            previous=last.digest if last else "",
            exercise=exercise,
            kind=kind,
            at=time.time_ns() // 1_000_000,
            answer=answer,
            bundle=place.bundle().digest,
            **found,  # type: ignore[arg-type]
        )
        attempt = signed(attempt, key)
        self._append(to_json(attempt))
        earlier = self.all()  # before it is added to them
        if attempt not in earlier:
            earlier.append(attempt)
        self._last = attempt
        return attempt

    def _append(self, line: bytes) -> None:
        path = self.folder / "attempts" / f"{self._session}.jsonl"
        keyfile.make_private(path.parent)
        with path.open("ab") as opened:
            opened.write(line + b"\n")
            opened.flush()
            os.fsync(opened.fileno())

    def all(self) -> list[Attempt]:
        """Return what was kept, by this kernel and by those before it."""
        if self._earlier is None:
            self._earlier = list(read_folder(self.folder / "attempts"))
        return self._earlier

    def of(self, exercise: str, kind: str) -> list[Attempt]:
        """Return the attempts at an exercise that count, the oldest first."""
        return sorted(
            (one for one in self.counting() if (one.exercise, one.kind) == (exercise, kind)), key=lambda one: one.at
        )

    def counting(self) -> list[Attempt]:
        """Return what was kept since the trainer let this learner begin again with it, if that was ever so."""
        resets = place.again(self.folder)
        return [
            one
            for one in self.all()
            if not any(one.at <= reset.at and is_within(one.exercise, reset.prefix) for reset in resets)
        ]


def read_folder(folder: Path) -> Iterator[Attempt]:
    """Read the attempts of a folder; a last line that was torn by a crash is left out."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_bytes().split(b"\n"):
            with suppress(DecodeError, SignatureError):
                if line:
                    yield read_attempt(line)
