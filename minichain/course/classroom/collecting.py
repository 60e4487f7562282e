"""Files that were handed in where there is no network: the desk takes each as it takes a letter, and says why not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minichain.course.classroom.letters import LARGEST
from minichain.course.classroom.register import Declined
from minichain.course.classroom.room import ClassRoom
from minichain.errors import UsageError


def collect_folder(home: Path | None, files: Sequence[Path]) -> list[dict[str, Any]]:
    """Let the desk take files; returns for each file, name, how many are kept, and what was refused."""
    room = ClassRoom(home)
    found = [_collected(room, path) for path in files]
    room.catch_up()
    return found


def _collected(room: ClassRoom, path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as opened:
            answer = room.collect(opened.read(LARGEST + 1))
    except (UsageError, OSError) as why:  # one that cannot be taken keeps no other away
        said = why.strerror if isinstance(why, OSError) and why.strerror else str(why)
        return {"file": path.name, "name": "", "kept": 0, "refused": [said]}
    language = room.settings.language
    codes = sorted(set(answer.refused.values()))
    refused = [Declined(code).said(language) for code in codes]
    return {
        "file": path.name,
        "name": answer.place.name if answer.place else "",
        "kept": len(answer.have),
        "refused": refused,
    }
