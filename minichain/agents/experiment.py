"""What an experiment is: parameters with their bounds, figures with their meaning, and how one run is played.

Parameters are the fields of a record, each a whole number with bounds or one of some words, so that every run can be
written down. A run is named by its digest: the same experiment, settings and seed give the same one everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec

from minichain.agents.stage import HOUR_MS, Stage
from minichain.codec import Plain, Record, encode
from minichain.crypto import digest
from minichain.errors import UsageError

Value = int | str
YesNo = Literal["no", "yes"]
MAX_SEED: Final = 2**63 - 1


class Parameter(Plain):
    """One thing that can be set: a number from `least` to `most`, or one of `choices`."""

    name: str
    usual: Value
    meaning: str
    least: int = 0
    most: int = 0
    choices: tuple[str, ...] = ()

    @property
    def range(self) -> str:
        """Return what it may be, in words."""
        return " or ".join(self.choices) if self.choices else f"{self.least} to {self.most}"

    def read(self, text: str) -> Value:
        """Read a value from a command line or a field of a form; raises `UsageError`."""
        if self.choices:
            return text
        try:
            return int(text)
        except ValueError:
            raise UsageError(f"{self.name} is a whole number from {self.range}, not {text!r}") from None

    def check(self, value: Any) -> None:
        """Raise `UsageError` for a value that it cannot have."""
        if self.choices and value not in self.choices:
            raise UsageError(f"{self.name} is {self.range}, not {value!r}")
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if not self.choices and not (is_number and self.least <= value <= self.most):
            raise UsageError(f"{self.name} is a whole number from {self.range}, not {value!r}")


class Figure(Plain):
    """One thing that a run counts, as a whole number of its `unit`. One of yes or no is 1 or 0 in a run, and over runs
    it is a share.
    """

    meaning: str
    unit: str = ""
    is_yes_or_no: bool = False


class Experiment(Plain):
    """A question to a population. `play` acts on a stage, by the settings and by chance, and returns the figures.

    A block is `block_ms` later than the one before it.
    """

    name: str
    question: str
    settings: type[Plain]
    figures: Mapping[str, Figure]
    play: Callable[[Stage, Any, Random], dict[str, int]]
    block_ms: int = HOUR_MS

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Return what can be set."""
        hints = get_type_hints(self.settings, include_extras=True)
        usual = self.settings()
        return tuple(_parameter(name, getattr(usual, name), hints[name]) for name in self.settings.__struct_fields__)

    def parameter(self, name: str) -> Parameter:
        """Return one of them by its name; raises `UsageError`."""
        known = {parameter.name: parameter for parameter in self.parameters}
        if name not in known:
            raise UsageError(f"{self.name} has no parameter {name!r}: it has {', '.join(known)}")
        return known[name]

    def choose(self, settings: Mapping[str, Any]) -> dict[str, Value]:
        """Return the whole of the settings, the usual ones filled in; raises `UsageError`."""
        for name, value in settings.items():
            self.parameter(name).check(value)
        return {parameter.name: settings.get(parameter.name, parameter.usual) for parameter in self.parameters}


class Run(Record):
    """One run, and what ties its figures to the chain on which they came about.

    `receipts` is the digest of all receipts in their order; `digest` names the run, and `replay` must come to it again.
    """

    experiment: str
    settings: dict[str, Value]
    seed: int
    figures: dict[str, int]
    height: int
    transactions: int
    refused: int
    state_root: bytes
    receipts: bytes

    @property
    def digest(self) -> str:
        return digest("laboratory run", encode(self)).hex()


def play(experiment: Experiment, seed: int, settings: Mapping[str, Any] = MappingProxyType({})) -> Run:
    """Run an experiment once; the same settings and seed are the same run. Raises `UsageError`."""
    if not 0 <= seed <= MAX_SEED:
        raise UsageError(f"a seed is a whole number from 0 to {MAX_SEED}, not {seed}")
    chosen = experiment.choose(settings)
    with Stage(seed, experiment.block_ms) as stage:
        figures = experiment.play(stage, experiment.settings(**chosen), Random(seed))
        assert figures.keys() == experiment.figures.keys(), "an experiment counts what it says"
        counts = stage.height, stage.transactions, stage.refused
        return Run(experiment.name, chosen, seed, figures, *counts, stage.state_root, stage.receipts)


def _parameter(name: str, usual: Value, hint: Any) -> Parameter:
    kind, meta = get_args(hint)
    if get_origin(kind) is Literal:
        return Parameter(name, usual, _meaning(meta), choices=get_args(kind))
    assert kind is int
    return Parameter(name, usual, _meaning(meta), meta.ge, meta.le)


def _meaning(meta: msgspec.Meta) -> str:
    assert meta.description is not None, "a parameter says what it means"
    return meta.description
