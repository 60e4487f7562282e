"""The apps of a folder, as its notebooks describe themselves: one source for the gallery and for each page's title.

A notebook is an app if its metadata has a table `minichain`:

    {"title": "Explorer", "sentence": "Find any record and check it yourself.", "group": "For officials",
     "minutes": 10, "icon": "search", "order": 1}

Texts are English and translated from the catalogue, like any other text of the views.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from minichain.views.i18n import translate
from minichain.views.icons import PATHS, icon
from minichain.views.markup import Safe


@dataclass(frozen=True, slots=True)
class App:
    """One app as the gallery shows it; `path` is relative to the folder."""

    path: str
    title: str
    sentence: str = ""
    group: str = ""
    minutes: int = 0
    icon: str = "blocks"
    order: int = 1000

    @property
    def picture(self) -> Safe:
        return icon(self.icon, 26)


def describe(path: str, metadata: Mapping[str, Any], language: str) -> App:
    """Read an app's own description; a notebook without one goes by its file name."""
    card = metadata.get("minichain", {})
    words = {key: translate(str(card[key]), language) for key in ("title", "sentence", "group") if card.get(key)}
    words.setdefault("title", Path(path).stem.replace("_", " ").capitalize())
    known = {"icon": card["icon"]} if card.get("icon") in PATHS else {}
    return App(path, **words, **known, minutes=int(card.get("minutes", 0)), order=int(card.get("order", 1000)))


def read_apps(folder: Path, language: str) -> list[App]:
    """Read the apps of a folder in the order they ask for."""
    found = (
        describe(path.name, json.loads(path.read_text("utf-8"))["metadata"], language)
        for path in folder.glob("*.ipynb")
    )
    return sorted(found, key=lambda app: (app.order, app.path))


def grouped(apps: list[App]) -> list[tuple[str, list[App]]]:
    """Gather apps under their groups, groups in the order of their first app."""
    first = {app.group: app.order for app in reversed(apps)}
    ordered = sorted(apps, key=lambda app: (first[app.group], app.group, app.order, app.path))
    return [(group, list(members)) for group, members in groupby(ordered, lambda app: app.group)]
