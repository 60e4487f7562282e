"""A validator whose contracts run in `planted/executor.py`, and which searches its own memory if it is told to.

The tests start this in the place of `minichain.live.process`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import escaped

from minichain.live import process, worker

obey = process.Process._obey


def obey_or_search(self: process.Process, command: dict[str, Any]) -> None:
    if "search" in command:
        found = escaped.search(*map(bytes.fromhex, command["search"]))
        Path(command["into"]).write_text(json.dumps(found), encoding="utf-8")
    else:
        obey(self, command)


if __name__ == "__main__":
    *flags, config = sys.argv[1:]
    worker.PROGRAM = (str(Path(__file__).with_name("executor.py")), *flags)
    process.Process._obey = obey_or_search  # type: ignore[method-assign]
    sys.exit(process.main(config))
