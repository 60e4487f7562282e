from __future__ import annotations
import os
from pathlib import Path
import pytest
from tests.raftnet import Story
STORIES = sorted((Path(__file__).parent / "golden" / "raft").glob("*.txt"))


def retold(text: str) -> str:
    """Carry out the commands of a story; return its text with what really happens."""
    story, lines = None, []
    for line in text.splitlines():
        if line.startswith("    "):
            continue
        lines.append(line)
        if line.startswith("members "):
            story = Story(*map(int, line.split()[1:]))
        elif line and not line.startswith("#"):
            assert story, "a story begins with its members"
            lines += [f"    {happened}" for happened in story.tell(line)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("path", STORIES, ids=[path.stem for path in STORIES])
def test_story(path: Path) -> None:
    """`GOLDEN=write pytest tests/test_raft.py -k story` writes what happens now; read it before you believe it."""
    told = path.read_text(encoding="utf-8")
    happened = retold(told)
    if os.environ.get("GOLDEN") == "write":
        path.write_text(happened, encoding="utf-8")
    assert happened == told
