"""Who owns which computer, drawn: one square each, its owner by letter, colour and pattern: any one would do.

Seven patterns and colours serve for thirteen owners: from the eighth on, light and dark are exchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from minichain.views.markup import Safe, tag

SIDE: Final = 30.0
STEP: Final = 36.0
ACROSS: Final = 5  # squares in a row

PATTERNS: Final = (
    "",
    "M0 10L10 0M0 20L20 0M0 30L30 0M10 30L30 10M20 30L30 20",
    "M0 5H30M0 12H30M0 19H30M0 26H30",
    "M5 5h.1M15 5h.1M25 5h.1M5 15h.1M25 15h.1M5 25h.1M15 25h.1M25 25h.1",
    "M5 0V30M12 0V30M19 0V30M26 0V30",
    "M0 20L10 30M0 10L20 30M0 0L30 30M10 0L30 20M20 0L30 10",
    "M0 7H30M0 23H30M7 0V30M23 0V30",
)


def owner_map(label: str, letters: Sequence[str]) -> Safe:
    """Draw the computers of a ledger, each with the letter of its owner, those of one owner together."""
    ordered = sorted(letters)
    rows = -(-len(ordered) // ACROSS)
    squares = [_square(at, one) for at, one in enumerate(ordered)]
    box = f"0 0 {ACROSS * STEP - STEP + SIDE + 2:g} {rows * STEP - STEP + SIDE + 2:g}"
    return tag("svg", *squares, class_="mc-svg mc-owners", viewBox=box, role="img", aria_label=label)


def _square(at: int, letter: str) -> Safe:
    x, y = 1 + at % ACROSS * STEP, 1 + at // ACROSS * STEP
    number = ord(letter) - ord("A")
    look = number % len(PATTERNS)
    shade = "mc-light" if number >= len(PATTERNS) else "mc-dark"
    return tag(
        "g",
        tag("rect", width=SIDE, height=SIDE, rx=6),
        tag("path", d=PATTERNS[look]) if PATTERNS[look] else None,
        tag("text", letter, x=SIDE / 2, y=SIDE / 2 + 5, text_anchor="middle"),
        class_=f"mc-owner mc-owner-{look} {shade}",
        transform=f"translate({x:g} {y:g})",
    )
