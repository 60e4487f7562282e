"""Base64url without padding (RFC 4648, section 5), as tokens and multibase write bytes. Each has one spelling."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from minichain.errors import DecodeError


def to_text(data: bytes) -> str:
    """Write bytes in base64url without padding."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def from_text(text: str) -> bytes:
    """Read base64url without padding; raises `DecodeError` for another spelling of the same bytes."""
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        data = b""
    if to_text(data) != text:
        raise DecodeError(f"{text[:40]!r} is not base64url")
    return data
