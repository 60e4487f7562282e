"""Icons are one path each on a 24 x 24 grid, drawn with a 1.7 pen in the colour of the text around them.

They are our own drawings, so no icon font is needed. An icon beside a word is decoration; one alone carries a label.
"""

from __future__ import annotations

from typing import Final

from minichain.views.markup import Safe, tag

_CIRCLE: Final = "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z"

PATHS: Final = {
    # states
    "check": "M5 12.5l4.5 4.5L19 7.5",
    "cross": "M6.5 6.5l11 11M17.5 6.5l-11 11",
    "warn": "M12 4.2L21 19.5H3zM12 10v4.2M12 16.8v.2",
    "info": f"{_CIRCLE}M12 11.2v5.3M12 7.6v.2",
    "dot": "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
    "clock": f"{_CIRCLE}M12 7v5l3.4 2.2",
    # deeds
    "search": "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L21 21",
    "download": "M12 4v11M7 10.5l5 5 5-5M5 20h14",
    "play": "M8 5.5v13l10.5-6.5z",
    "pause": "M8 5.5v13M16 5.5v13",
    "back": "M18 5.5v13L8.5 12zM6 5.5v13",
    "next": "M6 5.5v13l9.5-6.5zM18 5.5v13",
    # things
    "agree": "M12 3.5a2.2 2.2 0 1 0 .01 0zM5 16a2.2 2.2 0 1 0 .01 0zM19 16a2.2 2.2 0 1 0 .01 0z"
    "M10.8 7.8l-4.6 8M13.2 7.8l4.6 8M7.4 18.2h9.2",
    "blocks": "M3 8h7v7H3zM14 8h7v7h-7zM10 11.5h4",
    "chain": "M10 14a4 4 0 0 1 0-5.6l2.6-2.6a4 4 0 0 1 5.6 5.6L17 12.6"
    "M14 10a4 4 0 0 1 0 5.6l-2.6 2.6a4 4 0 0 1-5.6-5.6L7 11.4",
    "card": "M3 6h18v12.5H3zM3 10h18M6.5 14.5h5",
    "bin": "M5 7h14M9 7V4.5h6V7M6.5 7l1 13h9l1-13M10.5 10.5v6M13.5 10.5v6",
    "truck": "M2.5 6.5h11v10h-11zM13.5 10h4l3.5 3.5v3h-7.5M7 15a2 2 0 1 0 .01 0zM17 15a2 2 0 1 0 .01 0z",
    "scales": "M12 4v16M7 20h10M5 7h14M5 7l-3 7h6zM19 7l-3 7h6z",
    "question": f"{_CIRCLE}M9.4 9.3a2.7 2.7 0 1 1 4.1 2.4c-1 .6-1.5 1.2-1.5 2.3M12 16.9v.2",
    "star": "M12 3.8l2.5 5.2 5.7.8-4.1 4 1 5.7-5.1-2.7-5.1 2.7 1-5.7-4.1-4 5.7-.8z",
    "ballot": "M4 12h16v8H4zM7.5 12V4h9v8M10 7.8l1.5 1.5 2.8-2.8",
    "districts": "M3.5 3.5h7v7h-7zM13.5 3.5h7v7h-7zM3.5 13.5h7v7h-7zM17 13.5v7M13.5 17h7",
    "plant": "M3 20V10.5l5.5 3.5v-3.5L14 14V5h6v15z",
}


def icon(name: str, size: int = 20, label: str = "") -> Safe:
    """Draw an icon; give a label only where no word stands beside it."""
    path = tag("path", d=PATHS[name])
    role = {"role": "img", "aria_label": label} if label else {"aria_hidden": "true"}
    return tag("svg", path, class_="mc-icon", viewBox="0 0 24 24", width=size, height=size, **role)
