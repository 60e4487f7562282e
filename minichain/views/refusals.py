"""Why a contract refused, in the viewer's language. A contract speaks English only, as everything on a chain does.

Where no translation fits, the page shows the contract's own words: a reason is never left out and never guessed.
What a contract fills in stays as it is, names above all; only {1:voting} is looked up in the words of that table.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache, partial
from pathlib import Path
from typing import Final

from minichain.views.i18n import language

FILE: Final = Path(__file__).with_name("refusals.toml")
REFUSALS: Final = "refusals"
_HOLE: Final = re.compile(r"\{(\d+)(?::(\w+))?\}")
_ESCAPED_HOLE: Final = re.compile(r"\\\{\d+\\\}")


def said(message: str) -> str:
    """Return a refusal in the viewer's language, or as it is."""
    return _told(message, REFUSALS) if language() == "zh" else message


def known() -> dict[str, str]:
    """Return the refusals that have a translation."""
    return tables()[REFUSALS]


@cache
def tables() -> dict[str, dict[str, str]]:
    """Read the file: the refusals stand at its head, the words that are filled in below, in tables."""
    read = tomllib.loads(FILE.read_text("utf-8"))
    words = {name: found for name, found in read.items() if isinstance(found, dict)}
    return {REFUSALS: {name: found for name, found in read.items() if name not in words}, **words}


def _told(text: str, table: str) -> str:
    for pattern, chinese in _patterns(table):
        if found := pattern.fullmatch(text):
            return _HOLE.sub(partial(_filled, found), chinese)
    return text


def _filled(found: re.Match[str], hole: re.Match[str]) -> str:
    """Return what a contract filled in; where the hole names a table, in its words, as a whole or else as a list."""
    text, table = found[int(hole[1])], hole[2]
    if not table:
        return text
    whole = _told(text, table)
    return whole if whole != text else "、".join(_told(part, table) for part in text.split(", "))


@cache
def _patterns(table: str) -> list[tuple[re.Pattern[str], str]]:
    """Return a table as patterns; those that say most by themselves come first."""
    ordered = sorted(tables()[table].items(), key=lambda pair: -len(_HOLE.sub("", pair[0])))
    return [(re.compile(_ESCAPED_HOLE.sub("(.*?)", re.escape(english)), re.DOTALL), zh) for english, zh in ordered]
