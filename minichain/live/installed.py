"""Where the folders lie that come with the package: inside it when it is installed, beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

import minichain
from minichain.errors import UsageError


def shipped(name: str) -> Path:
    """Return the folder of that name. Raises `UsageError` if the installation lacks it."""
    package = Path(minichain.__file__).resolve().parent
    for directory in (package / name, package.parent / name):
        if directory.is_dir():
            return directory
    raise UsageError(f"the folder {name} is missing from {package}: install minichain again")
