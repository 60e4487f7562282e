"""What stays with the trainer, in `curriculum/trainer/`: solutions, hidden checks, answers that are wrong on purpose.

The folder is in a checkout and in the trainer's bundle, in no wheel and no learner's bundle. A misconception bot is
somebody who holds a belief and answers by it; the tests see it refused with the right hint.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from minichain.course import place
from minichain.course.exercise import Exercise
from minichain.course.material import curriculum
from minichain.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Bot:
    """A wrong answer that a belief leads to, and the cause that a check has to find in it first."""

    answer: Any
    cause: str


@dataclass(frozen=True, slots=True)
class Key:
    """What a trainer knows of one exercise: right answers that differ, wrong ones, and what is checked at hand-in.

    `equivalent` are changes of the first solution that change nothing, as source lines: no mutant of them counts.
    """

    solutions: Sequence[Any]
    bots: Sequence[Bot]
    hidden: Exercise | None = None
    equivalent: Sequence[str] = field(default_factory=tuple)


def folder() -> Path:
    """Return the trainer's folder: that of a checkout, or of the trainer's bundle that one works in.

    Raises `ConfigError` where neither is, and it is with no learner.
    """
    for path in filter(None, (curriculum() / place.TRAINERS, place.trainers())):
        if path.is_dir():
            return path
    raise ConfigError("solutions and hidden checks stay with the trainer: go into the trainer's bundle, or a checkout")


def checkout() -> Path:
    """Return the curriculum with all that stays with the trainer. Raises `ConfigError` in an installation."""
    if not (curriculum() / place.TRAINERS).is_dir():
        raise ConfigError("an installation has no masters and no solutions: this needs a checkout of minichain")
    return curriculum()


@cache
def keys(module: str) -> Mapping[str, Key]:
    """Return what the trainer knows of a module's exercises, by id."""
    found: Mapping[str, Key] = _load(folder() / f"{module}.py").KEYS
    return found


def _load(path: Path) -> ModuleType:
    name = f"minichain_trainer_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.exists():
        raise ConfigError(f"{path} is missing")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # so that the source of a solution is found
    spec.loader.exec_module(module)
    return module
