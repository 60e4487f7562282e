"""The apps of a folder, as its notebooks describe themselves: one source for the gallery and for each page's title.

A notebook is an app if its metadata has a table `minichain`:

    {"title": "Explorer", "sentence": "Find any record and check it yourself.", "for": ["auditor", "resident"],
     "minutes": 10, "icon": "search", "order": 1}

Texts are English and translated from the catalogue, like any other text of the views. `for` names the roles that an app
is made for (`roles`), the first one above all; the gallery puts it there, and shows it to whoever chose one of them.
One with `"by_link": true` is opened by a link of its own, and the gallery leaves it out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

from minichain.views.i18n import translate
from minichain.views.icons import PATHS, icon
from minichain.views.markup import Safe

EVERYBODY: Final = ""
ROLE: Final = "role"  # the parameter of the gallery's address


def roles(language: str) -> dict[str, str]:
    """Return whom apps are for, in the order of the gallery."""
    return {
        "resident": translate("Residents", language),
        "clerk": translate("Clerks", language),
        "official": translate("Officials", language),
        "auditor": translate("Auditors", language),
        "trainer": translate("Trainers", language),
        "engineer": translate("Engineers", language),
    }


def chosen_role(query: str) -> str:
    """Return the role that an address asks for; one that nobody knows is everybody."""
    asked = parse_qs(query).get(ROLE, [EVERYBODY])[0]
    return asked if asked in roles("en") else EVERYBODY


@dataclass(frozen=True, slots=True)
class App:
    """One app as the gallery shows it; `path` is relative to the folder."""

    path: str
    title: str
    sentence: str = ""
    audience: tuple[str, ...] = ()
    made_for: str = ""  # its audience in words
    minutes: int = 0
    icon: str = "blocks"
    order: int = 1000

    @property
    def picture(self) -> Safe:
        return icon(self.icon, 26)


def describe(path: str, metadata: Mapping[str, Any], language: str) -> App:
    """Read an app's own description; a notebook without one goes by its file name."""
    card = metadata.get("minichain", {})
    told: dict[str, Any] = {key: translate(str(card[key]), language) for key in ("title", "sentence") if card.get(key)}
    told.setdefault("title", Path(path).stem.replace("_", " ").capitalize())
    if card.get("icon") in PATHS:
        told["icon"] = card["icon"]
    audience = tuple(role for role in card.get("for", ()) if role in roles(language))
    minutes, order = int(card.get("minutes", 0)), int(card.get("order", 1000))
    told["made_for"] = " · ".join(roles(language)[role] for role in audience)
    return App(path, **told, audience=audience, minutes=minutes, order=order)


def read_apps(folder: Path, language: str) -> list[App]:
    """Read the apps of a folder in the order they ask for; those that are opened by a link are left out."""
    read = {path.name: json.loads(path.read_text("utf-8"))["metadata"] for path in folder.glob("*.ipynb")}
    found = (
        describe(name, metadata, language)
        for name, metadata in read.items()
        if not metadata.get("minichain", {}).get("by_link")
    )
    return sorted(found, key=lambda app: (app.order, app.path))


def grouped(apps: list[App], language: str, role: str = EVERYBODY) -> list[tuple[str, list[App]]]:
    """Gather apps under those they are made for above all; with a role, only what is made for it, in one group."""
    names = roles(language)
    if role:
        return [(names[role], [app for app in apps if role in app.audience])]
    heads = {name: [app for app in apps if app.audience[:1] == (key,)] for key, name in names.items()}
    heads[EVERYBODY] = [app for app in apps if not app.audience]
    return [(name, members) for name, members in heads.items() if members]
