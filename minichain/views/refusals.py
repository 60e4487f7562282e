"""Why a contract refused, in the viewer's language. A contract speaks English only, as everything on a chain does.

Where no translation fits, the page shows the contract's own words: a reason is never left out and never guessed.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Final

from minichain.views.i18n import language

FILE: Final = Path(__file__).with_name("refusals.toml")
_HOLE: Final = re.compile(r"\\\{(\d+)\\\}")


def said(message: str) -> str:
    """Return a refusal in the viewer's language, or as it is."""
    if language() != "zh":
        return message
    for pattern, chinese in _patterns():
        if found := pattern.fullmatch(message):
            return chinese.format("", *found.groups())
    return message


@cache
def known() -> dict[str, str]:
    """Return the refusals that have a translation."""
    return dict(tomllib.loads(FILE.read_text("utf-8")))


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Return the refusals as patterns; those that say most by themselves come first."""
    ordered = sorted(known().items(), key=lambda pair: -len(re.sub(r"\{\d+\}", "", pair[0])))
    return [(re.compile(_HOLE.sub("(.+?)", re.escape(english)), re.DOTALL), chinese) for english, chinese in ordered]
