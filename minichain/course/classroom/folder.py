"""The class in the directory of its network: what it is, what was decided, and the keys of those who came by browser.

class/settings.json   id, token, the trainer's secret, language, where the desk listens: readable by the trainer only
class/entries.jsonl   what was decided, one entry a line, appended and never changed
class/keys/           a key for each who came by browser, encrypted with the secret that their link has
class/running.json    where the desk listens now, while it runs
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
import psutil

from minichain.codec import Plain, from_json, to_json
from minichain.course import place
from minichain.course.classroom.register import Entry, Register
from minichain.errors import ConfigError, DecodeError, NetworkError, UsageError
from minichain.live import keyfile
from minichain.live.home import Home, is_alive

PORT: Final = 8877  # of the desk, if it is free
ELSEWHERE: Final = "10.254.254.254"  # any address that is not this computer's: it decides which way out
LOOPBACK: Final = "127.0.0.1"
_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that is read for another


class Settings(Plain, forbid_unknown_fields=True):
    """What a class is. `token` lets learners ask to come in, `secret` is the trainer's; `seed` that of its checks."""

    id: str
    token: str
    secret: str
    language: str = "en"
    host: str = LOOPBACK
    port: int = PORT
    seed: int = 0
    bundles: tuple[str, ...] = ()


class Running(Plain):
    """A desk that runs."""

    pid: int
    started: float
    url: str


def new_settings(language: str = "en", host: str = LOOPBACK, port: int = PORT) -> Settings:
    """Draw a new class."""
    return Settings(
        id=_word(5),
        token=_word(10),
        secret=secrets.token_hex(32),
        language=language,
        host=host,
        port=port,
        seed=1 + secrets.randbelow(10_000),
    )


def _word(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


class Folder:
    """One class on disk."""

    def __init__(self, home: Path | None = None) -> None:
        self.home = Home(home)
        self.path = self.home.path / "class"

    # --- settings ---

    @property
    def exists(self) -> bool:
        return (self.path / "settings.json").exists()

    def settings(self) -> Settings:
        """Read what the class is. Raises `ConfigError`."""
        path = self.path / "settings.json"
        try:
            return from_json(path.read_bytes(), Settings)
        except FileNotFoundError:
            raise ConfigError(
                f"there is no class in {self.home.path}: start one with `minichain class start`"
            ) from None
        except DecodeError as error:
            raise ConfigError(f"{path} is damaged ({error}): put a copy of it back") from None

    def write(self, settings: Settings) -> None:
        """Keep what the class is."""
        keyfile.make_private(self.home.path)
        keyfile.write_private(self.path / "settings.json", to_json(settings), replace=True)

    def link(self, settings: Settings, url: str = "") -> str:
        """Return the link that learners are given."""
        return f"{url or f'http://{settings.host}:{settings.port}/'}?class={settings.id}&token={settings.token}"

    # --- a desk that runs ---

    def announce(self, url: str) -> None:
        """Say where the desk of this process listens. Raises `NetworkError` if another one runs."""
        if (other := self.running()) and other.pid != os.getpid():
            raise NetworkError(f"the desk of this class runs already (process {other.pid}), at {other.url}")
        own = psutil.Process()
        keyfile.write_private(
            self.path / "running.json", to_json(Running(own.pid, own.create_time(), url)), replace=True
        )

    def running(self) -> Running | None:
        """Return where the desk listens; None if it does not run."""
        try:
            found = msgspec.json.decode((self.path / "running.json").read_bytes(), type=Running)
        except (OSError, msgspec.MsgspecError):
            return None
        return found if is_alive(found.pid, found.started) else None

    def silence(self) -> None:
        """Say that no desk runs any more."""
        (self.path / "running.json").unlink(missing_ok=True)

    def wipe(self) -> None:
        """Delete all that is known of the people of this class. Raises `UsageError` while the desk runs."""
        if self.running():
            raise UsageError("the desk of this class runs: stop it first with `minichain down`")
        if self.path.exists():
            shutil.rmtree(self.path)

    # --- keys of those who came by browser ---

    def key_file(self, did: str) -> Path:
        """Return where the key of somebody who came by browser lies."""
        return self.path / "keys" / did.removeprefix("did:key:")


class Entries:
    """The file of what was decided, as this process has read it."""

    def __init__(self, folder: Folder) -> None:
        self._path = folder.path / "entries.jsonl"
        self._at = 0

    def read(self) -> Iterator[Entry]:
        """Yield what is there and was not read yet; a last line that is not whole is left for later."""
        with suppress(FileNotFoundError), self._path.open("rb") as opened:
            opened.seek(self._at)
            for line in opened:
                if not line.endswith(b"\n"):
                    return
                self._at += len(line)
                yield msgspec.json.decode(line, type=Entry)

    def into(self, register: Register) -> bool:
        """Let all that was not read yet be so in a register; tell whether there was anything. Raises `ConfigError`."""
        is_new = False
        try:
            for entry in self.read():
                register.apply(entry)
                is_new = True
        except (msgspec.MsgspecError, UnicodeDecodeError, KeyError):  # the last: of somebody of whom it knows nothing
            with self._path.open("rb") as opened:
                line = opened.read(self._at).count(b"\n")
            raise ConfigError(
                f"{self._path} is damaged in line {line}: put a copy of it back, or take this line out if it was added "
                "by hand"
            ) from None
        return is_new

    def mend(self) -> None:
        """Cut a last line off that a crash has torn; only for the one that writes, after it has read."""
        if self._path.exists() and self._path.stat().st_size > self._at:
            with self._path.open("r+b") as opened:
                opened.truncate(self._at)

    def append(self, entries: Iterable[Entry]) -> None:
        """Keep entries; they are on the disk when this returns."""
        lines = b"".join(to_json(entry) + b"\n" for entry in entries)
        if lines:
            keyfile.make_private(self._path.parent)
            with self._path.open("ab") as opened:
                opened.write(lines)
                opened.flush()
                os.fsync(opened.fileno())
            self._at += len(lines)


def chosen(
    folder: Folder,
    *,
    lan: bool = False,
    address: str | None = None,
    bundle: Path | None = None,
    language: str | None = None,
    port: int | None = None,
) -> Settings:
    """Return the class of a folder, made if there is none, as it is to be from now on. Raises `ConfigError` where it
    has lost what it is.
    """
    if not folder.exists and (folder.path / "entries.jsonl").exists():
        raise ConfigError(
            f"{folder.path / 'settings.json'} is missing, and without it nobody of this class is known again: put a "
            "copy of it back, or delete the class with `minichain class wipe`"
        )
    known = folder.settings() if folder.exists else new_settings()
    host = (address or lan_address()) if lan else LOOPBACK
    settings = msgspec.structs.replace(
        known,
        host=host,
        language=language or known.language,
        port=port or known.port,
        bundles=_editions(bundle) if bundle else known.bundles,
    )
    if settings != known or not folder.exists:
        folder.write(settings)
    return settings


def _editions(bundle: Path) -> tuple[str, ...]:
    """Return the digests of a release: of what learners have, in each language. Raises `UsageError` if it is none."""
    found = place.bundle(bundle)
    if not (found.siblings or found.digest):
        raise UsageError(f"{bundle} is no bundle: give a folder that `minichain course release` wrote")
    return found.siblings or (found.digest,)


def lan_address() -> str:
    """Return this computer's address in its local network; nothing is sent. Raises `NetworkError` if it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect((ELSEWHERE, 9))
            return str(asked.getsockname()[0])
        except OSError:
            raise NetworkError(
                "this computer is in no local network: connect it, or name its address with --address"
            ) from None


def register_of(settings: Settings) -> Register:
    """Return the empty register of a class."""
    return Register(settings.id, settings.bundles)
