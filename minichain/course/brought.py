"""Text that people bring, whatever program wrote it: UTF-8, with or without the mark that spreadsheets put first."""

from __future__ import annotations

from pathlib import Path

from minichain.errors import UsageError


def read_brought(file: Path) -> str:
    """Read a text; raises `UsageError` where it is in another encoding."""
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not UTF-8 text: save it anew as text or CSV with the encoding UTF-8") from None
