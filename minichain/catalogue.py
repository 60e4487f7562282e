"""Catalogues of translated words: gettext's plain text files, LOCALE/LC_MESSAGES/NAME.po, read as they are.

Nothing has to be compiled. A fuzzy or an empty entry counts as no translation, as it does for gettext.
"""

from __future__ import annotations

import ast
import re
import struct
from pathlib import Path
from typing import Final

LOCALES: Final = {"en": "en", "zh": "zh_CN"}
LESSONS: Final = "course.json"  # what a folder of lessons says of itself, its language among it

_FIELD: Final = re.compile(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[\d+\])?)?\s*(".*")')


def po_file(folder: Path, language: str, name: str) -> Path:
    """Return where a folder of locales keeps the catalogue of that name."""
    return folder / LOCALES[language] / "LC_MESSAGES" / f"{name}.po"


def read_po(text: str) -> dict[str, str]:
    """Read a .po file into gettext's own table: source text (plural forms after a NUL) -> translation.

    Fuzzy and empty entries are left out, as gettext does.
    """
    return dict(filter(None, map(_entry, re.split(r"\n\s*\n", text))))


def _entry(block: str) -> tuple[str, str] | None:
    fields: dict[str, str] = {}
    name = ""
    for line in block.splitlines():
        if line.startswith("#,") and "fuzzy" in line:
            return None
        if match := _FIELD.fullmatch(line.strip()):
            name = match[1] or name
            fields[name] = fields.get(name, "") + ast.literal_eval(match[2])
    forms = [value for key, value in fields.items() if key.startswith("msgstr")]
    if "msgid" not in fields or not all(forms):
        return None
    source = [fields["msgid"], *([fields["msgid_plural"]] if "msgid_plural" in fields else [])]
    return "\0".join(source), "\0".join(forms)


def to_mo(table: dict[str, str]) -> bytes:
    """Write gettext's binary form of a table, which the standard library reads with plural rules and all."""
    pairs = sorted((source.encode(), target.encode()) for source, target in table.items())
    count, start = len(pairs), 28 + 16 * len(pairs)
    index, body = b"", b""
    for column in (0, 1):
        for pair in pairs:
            index += struct.pack("<II", len(pair[column]), start + len(body))
            body += pair[column] + b"\0"
    return struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, start) + index + body
