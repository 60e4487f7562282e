"""HTML is built by `tag` alone, and everything that `tag` did not build is escaped.

A name, a note or a contract's message may come from anyone. So escaping is not a step someone can forget: a plain
`str` is always text. Joining `Safe` with `+` or `.format` gives back a plain `str`, so a slip shows as visible markup
and never as an open door.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Final, TypeAlias

from minichain.errors import UsageError


class Safe(str):
    """Markup that `tag` built."""

    __slots__ = ()


Child: TypeAlias = "Safe | str | int | Iterable[Child] | None"
Attribute = str | int | float | bool | None

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_PLACE: Final = re.compile(r"\{(\w+)\}")
_LINK: Final = re.compile(
    r"(https?://|[/?#]|data:(application/json|application/pdf|text/html|text/csv|text/plain)[;,])"
)
# C0 controls, and the Unicode controls that reorder text, with which a name can pose as another name.
_DECEPTIVE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Make invisible controls visible; for text that a widget's own script puts on the page as text."""
    return _DECEPTIVE.sub("\N{REPLACEMENT CHARACTER}", text)


def escape(text: str) -> Safe:
    """Turn any text into markup that shows exactly that text."""
    return Safe(html.escape(clean(text)))


def join(*children: Child) -> Safe:
    """Put markup and text side by side."""
    return Safe("".join(map(_render, children)))


def tag(name: str, *children: Child, **attributes: Attribute) -> Safe:
    """Build one element.

    An attribute's name drops a trailing underscore (`class_`) and turns others into hyphens; None and False leave it
    out, True gives it no value. A link may lead to the web, into this site, or hold the reader's own download.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is not the name of an element: use letters, digits and hyphens")
    start = "".join(_attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    return Safe(f"<{name}{start}>{join(*children)}</{name}>")


def fill(words: str, **values: Child) -> Safe:
    """Put values into the places that a text names: `"{count} loads"`; of plain words it makes plain text."""
    pieces = _PLACE.split(words)
    return join(*(values[piece] if at % 2 else piece for at, piece in enumerate(pieces)))


def _render(child: Child) -> str:
    match child:
        case None:
            return ""
        case Safe():
            return child
        case str():
            return escape(child)
        case int():
            return str(child)
        case _:
            return join(*child)


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    if name.lower().startswith("on") or not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot be an attribute here: scripts live in the widgets' own files")
    if name == "href" and not _LINK.match(str(value)):
        raise UsageError(f"a link to {value!r} is not allowed: start it with http://, https://, /, ? or #")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
