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
    "up": "M12 19V6M6.5 11.5L12 6l5.5 5.5",
    "down": "M12 5v13M6.5 12.5L12 18l5.5-5.5",
    "level": "M5 12h14M14 7l5 5-5 5",
    # deeds
    "search": "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L21 21",
    "refresh": "M19.5 12a7.5 7.5 0 1 1-2.3-5.4M17.5 3v4h-4",
    "download": "M12 4v11M7 10.5l5 5 5-5M5 20h14",
    "print": "M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7z",
    "play": "M8 5.5v13l11-6.5z",
    "stop": "M7 7h10v10H7z",
    "pen": "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
    "plus": "M12 5v14M5 12h14",
    # things
    "blocks": "M3 8h7v7H3zM14 8h7v7h-7zM10 11.5h4",
    "chain": "M10 14a4 4 0 0 1 0-5.6l2.6-2.6a4 4 0 0 1 5.6 5.6L17 12.6"
    "M14 10a4 4 0 0 1 0 5.6l-2.6 2.6a4 4 0 0 1-5.6-5.6L7 11.4",
    "network": "M12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM10 10.2L6.3 6.3M14 10.2l3.7-3.9M12 14.5V19"
    "M5 3.5a1.8 1.8 0 1 0 .01 0zM19 3.5a1.8 1.8 0 1 0 .01 0zM12 18.6a1.5 1.5 0 1 0 .01 0z",
    "shards": "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
    "bin": "M5 7h14M9 7V4.5h6V7M6.5 7l1 13h9l1-13M10.5 10.5v6M13.5 10.5v6",
    "truck": "M2.5 6.5h11v10h-11zM13.5 10h4l3.5 3.5v3h-7.5M7 15a2 2 0 1 0 .01 0zM17 15a2 2 0 1 0 .01 0z",
    "station": "M4 20V9.5L12 4l8 5.5V20M3 20h18M9.5 20v-6h5v6",
    "plant": "M3 20V10.5l5.5 3.5v-3.5L14 14V5h6v15z",
    "coins": "M4 7c0-1.7 2.7-3 6-3s6 1.3 6 3-2.7 3-6 3-6-1.3-6-3zM4 7v5c0 1.7 2.7 3 6 3s6-1.3 6-3V7"
    "M8 15v2.5c0 1.7 2.7 2.5 6 2.5"
    "s6-1.3 6-3v-5c0-1.3-1.6-2.3-4-2.8",
    "ballot": "M5 12l-1.5 2v6h17v-6L19 12M7.5 14.5V4h9v10.5M3.5 14.5h17M10 8l1.5 1.5L14.5 7",
    "scales": "M12 4v16M7.5 20h9M5 7h14M5 7l-2.7 6.2h5.4zM19 7l-2.7 6.2h5.4z",
    "shield": "M12 3.5l7.5 2.8v5.2c0 4.4-3 7.4-7.5 9-4.5-1.6-7.5-4.6-7.5-9V6.3z",
    "people": "M8.5 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM2.5 20c0-3.6 2.6-6 6-6s6 2.4 6 6M16 5.3a3 3 0 0 1 0 5.4"
    "M17.5 14.4c2.4.8 4 2.8 4 5.6",
    "question": f"{_CIRCLE}M9.4 9.2a2.7 2.7 0 1 1 3.9 2.6c-.9.5-1.3 1-1.3 2M12 16.8v.2",
    "paper": "M6 3.5h8.5L18 7v13.5H6zM9 11h6M9 14.5h6M14 3.5V7.5h4",
    "chart": "M4 4v16h16M8 15l3.5-4.5 3 2.5L19 7",
    "map": "M4 6.5l5-2 6 2 5-2v13l-5 2-6-2-5 2zM9 4.5v13M15 6.5v13",
    "lock": "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
    "key": "M8 12a3.5 3.5 0 1 0 0 .01zM8 12h12M17 12v3.5M13.5 12v2.5",
    "eye": "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z"
    "M12 9.3a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4z",
    "flag": "M6 21V4M6 4.5h11l-2.2 4 2.2 4H6",
}


def icon(name: str, size: int = 20, label: str = "") -> Safe:
    """Draw an icon; give a label only where no word stands beside it."""
    path = tag("path", d=PATHS[name])
    role = {"role": "img", "aria_label": label} if label else {"aria_hidden": "true"}
    return tag("svg", path, class_="mc-icon", viewBox="0 0 24 24", width=size, height=size, **role)
