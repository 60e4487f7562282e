"""Schemes as data: what a programme says, where it says so and since when. A preset is read, never trusted.

A time in a preset is in days or minutes and becomes milliseconds here; nothing of a preset is a constant of the code.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from minichain.codec import Plain
from minichain.errors import UsageError

DAY_MS: Final = 86_400_000
UNITS: Final = {"_days": DAY_MS, "_minutes": 60_000}
_PROFILES: Final = Path(__file__).with_name("profiles")


class Preset(Plain):
    """One programme: `vectors` say which amount gives how many points, so that its rules can be tested."""

    name: str
    title: str
    title_zh: str
    source: str
    as_of: str
    note: str
    scheme: Mapping[str, Any]
    rules: tuple[Mapping[str, Any], ...]
    items: tuple[Mapping[str, Any], ...]
    vectors: tuple[Mapping[str, Any], ...]


def presets() -> dict[str, Path]:
    """Return the files of all presets by name."""
    return {path.stem: path for path in sorted(_PROFILES.glob("*.toml"))}


def preset(name: str) -> Preset:
    """Read a preset; raises `UsageError` for a name that is none."""
    known = presets()
    if name not in known:
        raise UsageError(f"there is no preset {name!r}: choose one of {', '.join(known)}")
    return read(name, tomllib.loads(known[name].read_text(encoding="utf-8")))


def read(name: str, content: Mapping[str, Any]) -> Preset:
    """Make a preset of what stands in its file."""
    lists = {field: tuple(content.get(field, ())) for field in ("rules", "items", "vectors")}
    return Preset(name=name, **{**content, **lists})


def scheme_of(made: Preset, owner: str, now_ms: int) -> dict[str, Any]:
    """Return the scheme as the catalogue takes it: of this owner (a did), beginning now."""
    own = {_in_ms(name): _scaled(name, value) for name, value in made.scheme.items()}
    until = now_ms + own.pop("lasts_ms")
    told = {"title": made.title, "owner": owner, "effective_from": now_ms, "effective_until": until}
    return {"terms": {}, "quiet_ms": DAY_MS, **told, **own}


def rules_of(made: Preset, from_ms: int) -> list[dict[str, Any]]:
    """Return the rules as the catalogue takes them, in force from a time on."""
    return [{**_plain(rule, "behaviour_zh"), "effective_from": from_ms} for rule in made.rules]


def item_of(made: Preset, code: str) -> dict[str, Any]:
    """Return what can be had as the redemption lists it."""
    return _plain(next(item for item in made.items if item["code"] == code), "title", "title_zh")


def _plain(told: Mapping[str, Any], *words: str) -> dict[str, Any]:
    """Leave out the words that are for people only."""
    return {name: value for name, value in told.items() if name not in words}


def _unit(name: str) -> str:
    return next((unit for unit in UNITS if name.endswith(unit)), "")


def _scaled(name: str, value: Any) -> Any:
    return value * UNITS[_unit(name)] if _unit(name) else value


def _in_ms(name: str) -> str:
    return name.removesuffix(_unit(name)) + "_ms" if _unit(name) else name
