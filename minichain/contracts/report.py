"""What a contract did, for whoever reads it: its steps, the gas of its lines, and the lines that never ran.

Data and their plain text; the pictures are made in `views`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Self

from minichain.contracts.mixing import SOURCES
from minichain.contracts.source import text_of

MAX_SHOWN: Final = 60  # characters of one value
MAX_ROWS: Final = 60  # of a trace in print; all are in the trace
_BAR: Final = 12  # characters of the longest bar


# --- words -------------------------------------------------------------------------------------------------------


def in_words(value: Any, people: Mapping[str, str] | None = None, limit: int = MAX_SHOWN) -> str:
    """Write a ledger value for people: accounts by their names, and no more than `limit` characters."""
    words = _words(value, people or {})
    return words if len(words) <= limit else words[: limit - 1] + "…"


def _words(value: Any, people: Mapping[str, str]) -> str:
    match value:
        case None:
            return "nothing"
        case str():
            return people.get(value) or f'"{value}"'
        case bytes():
            return value.hex() or "no bytes"
        case list() | tuple():
            return f"[{', '.join(_words(item, people) for item in value)}]"
        case dict():
            return f"{{{', '.join(f'{people.get(key, key)}: {_words(item, people)}' for key, item in value.items())}}}"
    return str(value)


def with_names(text: str, people: Mapping[str, str]) -> str:
    """Write accounts inside a text by their names."""
    for did in sorted(people):
        text = text.replace(did, people[did])
    return text


# --- what a call changed -----------------------------------------------------------------------------------------


class Change(NamedTuple):
    """A stored value before and after a call; None is absent."""

    name: str
    before: Any
    after: Any


def name_of(owner: str, field: str, key: tuple[Any, ...]) -> str:
    """Write where a value is stored: `register.count`, `register.notes[office]`, `register.pages[office, 3]`."""
    parts = [part for one in key for part in (one if isinstance(one, tuple) else (one,))]
    return f"{owner}.{field}" + (f"[{', '.join(map(str, parts))}]" if key else "")


def told_apart(diff: Iterable[Change]) -> Iterator[Change]:
    """Of a record that was changed, and of a list of records, tell only the fields that differ."""
    for name, before, after in diff:
        yield from _differing(name, before, after)


def _differing(name: str, before: Any, after: Any) -> Iterator[Change]:
    match before, after:
        case dict(), dict() if before != after:
            pairs = ((f"{name}.{one}", before.get(one), after.get(one)) for one in {**before, **after})
        case [dict(), *_], [dict(), *_] if before != after and len(before) == len(after):
            pairs = ((f"{name}[{at}]", *both) for at, both in enumerate(zip(before, after, strict=True)))
        case _:
            yield Change(name, before, after)
            return
    for one, old, new in pairs:
        if old != new:
            yield from _differing(one, old, new)


# --- steps -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """One line while it ran.

    `source` is indented within its function, `depth` counts the calls around it. `gas` is what the line used this
    time, `gas_so_far` the sum of all steps up to this one. `changed` holds variables, and stored values as
    `self.name`, with what they became; on the line of a `def` these are its arguments.
    """

    contract: str
    line: int
    source: str
    depth: int
    gas: int
    gas_so_far: int
    changed: Mapping[str, Any]
    failed: bool = False


class Trace(tuple[Step, ...]):
    """The steps of one call, in order; `people` gives accounts their names."""

    people: Mapping[str, str]

    def __new__(cls, steps: Iterable[Step] = (), people: Mapping[str, str] = MappingProxyType({})) -> Self:
        made = super().__new__(cls, steps)
        made.people = people
        return made

    def __str__(self) -> str:
        if not self:
            return "no steps: they are kept by Sandbox(steps=True)"
        wide = len({step.contract for step in self}) > 1
        rows = [_row(step, wide, self.people) for step in self]
        if len(rows) > MAX_ROWS:
            left_out = f"{'…':>12}  {len(rows) - MAX_ROWS:,} more steps"
            rows[MAX_ROWS // 2 : -MAX_ROWS // 2] = [left_out]
        return "\n".join(["  gas so far  line  code", *rows])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def _row(step: Step, wide: bool, people: Mapping[str, str]) -> str:
    where = f"{step.contract}:{step.line}" if wide else f"{step.line}"
    text, line = text_of(step.line)
    if text:
        where = f"{text}:{line}"
    code = "  " * step.depth + step.source
    changed = with_names(
        ", ".join(f"{name} = {in_words(value, people, 40)}" for name, value in step.changed.items()), people
    )
    end = "   <- failed here" if step.failed else f"   # {changed}" if changed else ""
    return f"{step.gas_so_far:>12,}  {where:>4}  {code}{end}"


# --- lines -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the source. `runs` is None where there is nothing to run; `missing` says which way it never went."""

    number: int
    source: str
    runs: int | None
    gas: int
    missing: str


@dataclass(frozen=True, slots=True)
class Report:
    """The lines of a contract, how often each ran and the gas it used, over all calls so far."""

    contract: str
    calls: int
    lines: tuple[Line, ...]
    gas: int  # of all lines, and of the parts the contract is made of

    @property
    def never_ran(self) -> tuple[int, ...]:
        """Return the numbers of the lines that could run and never did."""
        return tuple(line.number for line in self.lines if line.runs == 0)

    @property
    def covered(self) -> tuple[int, int]:
        """Return how many lines ran, and how many could."""
        could = [line for line in self.lines if line.runs is not None]
        return sum(1 for line in could if line.runs), len(could)

    def dearest(self, count: int = 3) -> tuple[Line, ...]:
        """Return the lines that used most gas."""
        return tuple(sorted(self.lines, key=lambda line: (-line.gas, line.number))[:count])

    def __str__(self) -> str:
        ran, could = self.covered
        calls = f"{self.calls:,} call" + ("s" if self.calls != 1 else "")
        head = f"{self.contract}: {ran} of {could} lines ran, {self.gas:,} gas in {calls}"
        top = max((line.gas for line in self.lines), default=0)
        return "\n".join([head, " line  runs         gas", *(_figures(line, top) for line in self.lines)])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def _figures(line: Line, top: int) -> str:
    if line.runs is None:
        return f"{line.number:>5}{'':31}{line.source}".rstrip()
    bar = "█" * -(-line.gas * _BAR // top) if top else ""
    note = "never ran" if line.runs == 0 else line.missing
    text = f"{line.number:>5}{line.runs:>6}{line.gas:>12,} {note or bar:<12} {line.source}"
    return text.rstrip()


@dataclass(slots=True)
class Figures:
    """Counts for one contract; a `Report` is a picture of them."""

    contract: str
    source: str
    calls: int = 0
    runs: dict[int, int] = field(default_factory=dict)
    gas: dict[int, int] = field(default_factory=dict)
    ways: dict[int, set[bool]] = field(default_factory=dict)

    def ran(self, line: int, gas: int) -> None:
        self.runs[line] = self.runs.get(line, 0) + 1
        self.gas[line] = self.gas.get(line, 0) + gas

    def took(self, line: int, way: bool) -> None:
        self.ways.setdefault(line, set()).add(way)

    def source_of(self, line: int, start: int) -> str:
        """Return a line, indented as in a function that starts at the margin."""
        text, line = text_of(line)
        rows, start = (SOURCES[text][0] if text else self.source).rstrip().split("\n"), text_of(start)[1]
        margin = len(rows[start - 1]) - len(rows[start - 1].lstrip())
        return rows[line - 1][margin:].rstrip()

    def report(self) -> Report:
        code, forks = _code_lines(self.source)
        lines = tuple(
            Line(
                number,
                text,
                self.runs.get(number, 0) if number in code else None,
                self.gas.get(number, 0),
                self._missing(number) if number in forks else "",
            )
            for number, text in enumerate(self.source.rstrip().split("\n"), 1)
        )
        return Report(self.contract, self.calls, lines, sum(self.gas.values()))

    def _missing(self, line: int) -> str:
        ways = self.ways.get(line, set())
        return {frozenset({True}): "never false", frozenset({False}): "never true"}.get(frozenset(ways), "")


def _code_lines(source: str) -> tuple[set[int], set[int]]:
    """Return the lines on which something can run, and those of them where the way forks."""
    code: set[int] = set()
    forks: set[int] = set()
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef):
            code.add(function.lineno)
            for inner in ast.walk(function):
                is_words = isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Constant)
                if isinstance(inner, ast.stmt) and not is_words:
                    code.add(inner.lineno)
                if isinstance(inner, ast.If | ast.While):
                    forks.add(inner.lineno)
    return code, forks
