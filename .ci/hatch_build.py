"""What a wheel carries of the course: the learner's editions of the lessons, and nothing that stays with the trainer.

Only the standard library and hatchling are there when a wheel is built, so `marks.py` is loaded by its path. An
editable install keeps to the checkout, where the masters are.
"""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class LearnersEditions(BuildHookInterface):
    """Puts notebooks without solutions, their translations, and the learner's part of the curriculum into a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files, unless the wheel is that of an editable install."""
        if version == "editable":
            return
        root = Path(self.root)
        marks = _load(root / "minichain" / "course" / "marks.py")
        self._made = TemporaryDirectory(prefix="minichain-wheel-")
        carried = build_data["force_include"]
        for master in sorted((root / "notebooks").glob("*.ipynb")):
            lesson = Path(self._made.name, master.name)
            marks.write(lesson, marks.learners(marks.read(master)))
            carried[str(lesson)] = f"minichain/notebooks/{master.name}"
        carried[str(root / "notebooks" / "locale")] = "minichain/notebooks/locale"
        for path in sorted((root / "curriculum").rglob("*")):
            name = path.relative_to(root / "curriculum")
            if path.is_file() and path.suffix != ".pyc" and not marks.is_trainers(name):
                carried[str(path)] = f"minichain/curriculum/{name.as_posix()}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was made for the wheel."""
        if version != "editable":
            self._made.cleanup()


def _load(path: Path) -> Any:
    spec = spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
