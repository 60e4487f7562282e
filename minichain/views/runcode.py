"""A run code: everything that decides what a page shows, as a short text that can be printed, typed and sent.

It holds only what differs from the start of the page. Its check covers the start too, so a code never brings back
something else without a word: neither after a slip of the pen nor with another version of the page.
"""

from __future__ import annotations

import zlib
from base64 import b32decode, b32encode
from hashlib import sha256
from typing import Final

from minichain.codec import decode, encode
from minichain.errors import DecodeError, UsageError
from minichain.views.case import FINGERPRINT, Settings, Value
from minichain.views.i18n import _

MAX_CODE: Final = 2_000  # letters; what needs more is saved as a file
MAX_SETTINGS: Final = 64 * 1024  # bytes, unpacked
_CHECK: Final = 4  # bytes
_GROUP: Final = 5
_PLAIN, _PACKED = b"\0", b"\1"

# Crockford's alphabet has no I, L, O and U: what people mistake for another letter is read as it was meant.
_RFC: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_WRITE: Final = str.maketrans(_RFC, _CROCKFORD)
_READ: Final = str.maketrans(_CROCKFORD + "OIL", _RFC + "ABB", " -\t\r\n")


def write(app: str, settings: Settings, start: Settings, figures: bytes) -> str:
    """Return the code of a page whose figures have this fingerprint; raises `UsageError` if it is too long."""
    changed: dict[str, Value] = {name: value for name, value in settings.items() if value != start.get(name)}
    body = encode(changed)
    packed = zlib.compress(body, 9)
    data = _PACKED + packed if len(packed) < len(body) else _PLAIN + body
    data += figures
    text = b32encode(data + _check(app, start, data)).decode().rstrip("=").translate(_WRITE)
    code = "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))
    if len(code) > MAX_CODE:
        raise UsageError(_("This run is too long for a code. Save it as a file, and name the file on the brief."))
    return code


def read(text: str, app: str, start: Settings) -> tuple[Settings, bytes]:
    """Return the settings in a code, and the fingerprint of the figures; raises `UsageError` if it is not one."""
    try:
        data = _bytes(text)
        data, check = data[:-_CHECK], data[-_CHECK:]
        if check != _check(app, start, data):
            raise DecodeError("another check")
        data, figures = data[:-FINGERPRINT], data[-FINGERPRINT:]
        changed = decode(_unpacked(data), dict[str, int | str], MAX_SETTINGS)
    except (DecodeError, ValueError, zlib.error):
        told = _("This is not a run code of this page and version. Compare it with the brief letter by letter.")
        raise UsageError(told) from None
    return {**start, **changed}, figures


def _bytes(text: str) -> bytes:
    if len(text) > MAX_CODE:
        raise ValueError("too long")
    plain = text.upper().translate(_READ)
    return b32decode(plain + "=" * (-len(plain) % 8))


def _unpacked(data: bytes) -> bytes:
    if data[:1] == _PLAIN:
        return data[1:]
    opened = zlib.decompressobj()
    return opened.decompress(data[1:], MAX_SETTINGS)


def _check(app: str, start: Settings, data: bytes) -> bytes:
    return sha256(encode(["minichain run code", app, dict(start), data])).digest()[:_CHECK]
