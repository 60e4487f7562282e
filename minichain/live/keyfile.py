"""Secrets at rest: a key file is encrypted with a passphrase, readable by its owner only, and never overwritten
silently.

What is public of a key can be read without the passphrase. It is in the encrypted part too, so that a file whose public
part was changed is found out. Not even a traceback that shows variables shows a passphrase or a seed.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

import msgspec

from minichain.codec import Plain, encode
from minichain.crypto import KEY_SIZE, KeyPair, Passphrase, Secret, close_with, digest, open_with, public_of
from minichain.errors import DecodeError, NetworkError, UsageError

FORMAT: Final = "minichain key file 1"
LEAST_PASSPHRASE: Final = 8  # characters
MAX_FILE_BYTES: Final = 64 * 1024
_BEGIN: Final = b'{\n  "format": "'  # of every key file


class Held(Plain):
    """A key pair, the account it signs for, and its name for people."""

    name: str
    account: str
    key: KeyPair


class KeyFile(Plain, forbid_unknown_fields=True):
    """The content of a key file. `check` finds damage; only the passphrase finds out what somebody changed."""

    format: str
    name: str
    account: str
    key: str
    closed: bytes
    check: bytes


def _check(name: str, account: str, key: str, closed: bytes) -> bytes:
    return digest("key file", encode([FORMAT, name, account, key, closed]))


def save(path: Path, held: Held, passphrase: Passphrase, *, replace: bool = False) -> None:
    """Write a key file; raises `UsageError` if there is a file already, unless that is to be replaced."""
    public = held.name, held.account, held.key.did
    closed = close_with(passphrase, Secret(held.key.seed + encode(public)))
    write_private(path, _written(KeyFile(FORMAT, *public, closed, _check(*public, closed))), replace=replace)


def _written(file: KeyFile) -> bytes:
    return msgspec.json.format(msgspec.json.encode(file)) + b"\n"


def show(path: Path) -> KeyFile:
    """Read what is public of a key file; raises `DecodeError` for one that is damaged, or none."""
    content = read(path)
    try:
        file = msgspec.json.decode(content, type=KeyFile)
        public_of(file.account)
        is_whole = content == _written(file) and file.check == _check(file.name, file.account, file.key, file.closed)
    except (msgspec.MsgspecError, UnicodeError, DecodeError):
        raise DecodeError(f"{path} is not a key file, or is damaged: take another copy") from None
    if file.format != FORMAT:
        raise DecodeError(f"{path} is of another version: this program reads {FORMAT!r}")
    if not is_whole:
        raise DecodeError(f"{path} is damaged: take another copy")
    return file


def load(path: Path, passphrase: Passphrase) -> Held:
    """Open a key file; raises `DecodeError` for a wrong passphrase or a damaged file."""
    file = show(path)
    try:
        opened = Secret(open_with(passphrase, file.closed))
    except DecodeError:
        raise DecodeError(f"wrong passphrase for {path}") from None
    public = file.name, file.account, file.key
    if opened[KEY_SIZE:] != encode(public):
        raise DecodeError(f"{path} was changed: name, account and key are not those that were saved")
    return Held(file.name, file.account, KeyPair(opened[:KEY_SIZE]))


def is_key_file(path: Path) -> bool:
    """Tell whether this is a key file, of any version or what is left of it, rather than a bare secret."""
    return path.is_file() and read(path).startswith(_BEGIN)


def read(path: Path) -> bytes:
    """Read a small file."""
    with path.open("rb") as opened:
        return opened.read(MAX_FILE_BYTES)


def secret(path: Path, passphrase: Passphrase | None) -> Secret:
    """Return the 32 secret bytes of a file, drawn when first asked for, and encrypted once there is a passphrase.

    Raises `NetworkError` where they are encrypted and no passphrase was given.
    """
    if is_key_file(path):
        if passphrase is None:
            raise NetworkError(f"{path} is encrypted: give its passphrase, by --passphrase-file or when asked for it")
        return load(path, passphrase).key.seed
    is_new = not path.exists()
    found = Secret(os.urandom(KEY_SIZE) if is_new else read(path))
    if len(found) != KEY_SIZE:
        raise DecodeError(f"{path} is damaged: a secret has {KEY_SIZE} bytes, not {len(found)}: take another copy")
    if passphrase is not None:
        own = KeyPair(found)
        save(path, Held(path.name, own.did, own), passphrase, replace=not is_new)
    elif is_new:
        write_private(path, found)
    return found


# --- passphrases -------------------------------------------------------------------------------------------------


def require_passphrase(passphrase: Passphrase) -> Passphrase:
    """Refuse a passphrase that is no protection, or no text."""
    if any("\ud800" <= char <= "\udfff" for char in passphrase.reveal()):
        raise UsageError("a passphrase is text: this one holds bytes that are no UTF-8")
    if len(passphrase.reveal()) < LEAST_PASSPHRASE:
        raise UsageError(f"a passphrase has at least {LEAST_PASSPHRASE} characters: several words are easy to keep")
    return passphrase


def read_passphrase(path: Path) -> Passphrase:
    """Read a passphrase from the first line of a file, for machines."""
    try:
        return require_passphrase(Passphrase([*read(path).decode().splitlines(), ""][0]))
    except UnicodeError:
        raise UsageError(f"{path} holds no passphrase: its first line is UTF-8 text") from None


# --- files -------------------------------------------------------------------------------------------------------


def make_private(directory: Path) -> None:
    """Make a directory that only its owner may enter, where the system has such modes; one that exists stays."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_private(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Write a file that only its owner may read, as a whole or not at all."""
    make_private(path.parent)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        if replace:
            draft.replace(path)
        else:
            _put_new(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def drafts_of(path: Path) -> list[Path]:
    """Return what writes of a file have left that broke off."""
    return list(path.parent.glob(f".{path.name}.*"))


def _put_new(draft: Path, path: Path) -> None:
    """Give a file its name unless another has it: a link can be made once, where the disk has links."""
    try:
        os.link(draft, path)
    except FileExistsError:
        raise UsageError(f"{path} exists already: choose another name, or move that file away") from None
    except OSError:
        if path.exists():
            raise UsageError(f"{path} exists already: choose another name, or move that file away") from None
        draft.replace(path)
