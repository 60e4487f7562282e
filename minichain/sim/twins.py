"""Twins scenarios: who leads each round, and how the network is parted in it, where some members are run twice.

Two copies of correct code under one key contradict themselves, forget their locks and vote twice, as far as the
partitions let them: an adversary that nobody had to write (Bano et al., "Twins: BFT Systems Made Robust",
arXiv:2004.10617). A file has the form in which such scenarios are published:

    {"num_of_nodes": 4, "num_of_twins": 1, "scenarios": [
      {"round_leaders":    {"1": 0, "2": 3},
       "round_partitions": {"1": [[0, 1, 2], [3, 4]],
                            "2": {"proposal": [[0, 1, 2, 3, 4]], "prevote": [[0, 1, 4], [2, 3]],
                                  "precommit": [[0, 1, 2, 3, 4]]}}}]}

With n nodes, number i is node-i, and n + i is node-i', its twin. Rounds count from 1, through all heights, as they
begin. A leader may be a list, if all in it are one member. A round has one partition, or one for each kind of message:
whoever sees a quorum of prevotes behind one partition sees the precommits too, so only the second form makes locks
without decisions. What is no vote passes as proposals do. `parse(str(twins))` is the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from random import Random
from typing import Any, Final

from minichain.codec import Record
from minichain.errors import ConfigError, UsageError
from minichain.ledger.local import MAX_VALIDATORS

KINDS: Final = ("proposal", "prevote", "precommit")
MAX_ROUNDS: Final = 100
MAX_SCENARIOS: Final = 1_000_000
MAX_FILE_BYTES: Final = 2**28

Partition = tuple[tuple[int, ...], ...]


class Round(Record):
    """One round: whose turn it is, and who hears whom. `partitions` is one for all messages, or one of each kind."""

    leader: int
    partitions: tuple[Partition, ...]

    def partition(self, kind: str) -> Partition:
        """Return who hears whom in messages of a kind."""
        return self.partitions[KINDS.index(kind) % len(self.partitions)]


Scenario = tuple[Round, ...]


class Twins(Record):
    """Scenarios for one network. The first `twins` of its `nodes` are run twice."""

    nodes: int
    twins: int
    scenarios: tuple[Scenario, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the machines' names, by number."""
        return tuple(self.name(number) for number in range(self.nodes + self.twins))

    def name(self, number: int) -> str:
        """Return the name of a machine."""
        return f"node-{number}" if number < self.nodes else f"node-{number - self.nodes}'"

    def only(self, number: int) -> Twins:
        """Return one of the scenarios, counted from 1, alone."""
        if not 1 <= number <= len(self.scenarios):
            raise UsageError(f"there is no scenario {number}; there are 1 to {len(self.scenarios)}")
        return Twins(self.nodes, self.twins, (self.scenarios[number - 1],))

    def __str__(self) -> str:
        scenarios = ",\n".join(map(_write, self.scenarios))
        return f'{{"num_of_nodes": {self.nodes}, "num_of_twins": {self.twins}, "scenarios": [\n{scenarios}\n]}}\n'


def _write(scenario: Scenario) -> str:
    leaders = {str(number): round_.leader for number, round_ in enumerate(scenario, 1)}
    shown = [
        round_.partitions[0] if len(round_.partitions) == 1 else dict(zip(KINDS, round_.partitions, strict=True))
        for round_ in scenario
    ]
    partitions = ",\n    ".join(f'"{number}": {json.dumps(one)}' for number, one in enumerate(shown, 1))
    return f'  {{"round_leaders": {json.dumps(leaders)},\n   "round_partitions": {{\n    {partitions}}}}}'


# --- reading -----------------------------------------------------------------------------------------------------


def parse(text: str) -> Twins:
    """Read scenarios; raises `ConfigError` that names the place, what is wrong there, and what is allowed."""
    if len(text) > MAX_FILE_BYTES:
        raise ConfigError(f"{len(text)} characters, where at most {MAX_FILE_BYTES} are read: share them out")
    try:
        found = json.loads(text, object_pairs_hook=_no_key_twice)
    except json.JSONDecodeError as error:
        raise ConfigError(f"line {error.lineno}, column {error.colno}: this is no JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"this is no JSON that can be read: {error}") from None
    top = _fields(found, "the file", "num_of_nodes", "num_of_twins", "scenarios")
    nodes = _number(top["num_of_nodes"], "num_of_nodes", 1, MAX_VALIDATORS)
    twins = Twins(nodes, _number(top["num_of_twins"], "num_of_twins", 0, nodes))
    scenarios = _list(top["scenarios"], "scenarios", MAX_SCENARIOS)
    read = [_read_scenario(one, f"scenario {number}", twins) for number, one in enumerate(scenarios, 1)]
    return Twins(nodes, twins.twins, tuple(read))


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for place, (key, _) in enumerate(pairs) if key in dict(pairs[:place]))
        raise ConfigError(f"the key {twice!r} stands twice in one object, with {', '.join(found)}")
    return found


def _fields(value: Any, where: str, *names: str) -> dict[str, Any]:
    """Return an object that has these keys and no others."""
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: write an object with {', '.join(names)}")
    for name in value:
        if name not in names:
            raise ConfigError(f"{where}: there is no key {name!r}; there are {', '.join(names)}")
    for name in names:
        if name not in value:
            raise ConfigError(f"{where}: the key {name!r} is missing")
    return value


def _list(value: Any, where: str, most: int) -> list[Any]:
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        raise ConfigError(f"{where}: write a list of 1 to {most}")
    return value


def _number(value: Any, where: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ConfigError(f"{where}: {json.dumps(value)[:40]} is no whole number from {least} to {most}")
    return value


def _read_scenario(value: Any, where: str, twins: Twins) -> Scenario:
    fields = _fields(value, where, "round_leaders", "round_partitions")
    leaders = fields["round_leaders"]
    if not isinstance(leaders, dict) or not 1 <= len(leaders) <= MAX_ROUNDS:
        raise ConfigError(f'{where}: round_leaders is an object of 1 to {MAX_ROUNDS} rounds, such as {{"1": 0}}')
    rounds = [str(number) for number in range(1, len(leaders) + 1)]
    leaders = _fields(leaders, f"{where}, round_leaders", *rounds)
    partitions = _fields(fields["round_partitions"], f"{where}, round_partitions", *rounds)
    return tuple(_read_round(leaders[at], partitions[at], f"{where}, round {at}", twins) for at in rounds)


def _read_round(leader: Any, partitions: Any, where: str, twins: Twins) -> Round:
    lead = _read_leader(leader, f"{where}, leader", twins)
    if isinstance(partitions, dict):
        given = _fields(partitions, f"{where}, partition", *KINDS)
        return Round(lead, tuple(_read_partition(given[kind], f"{where}, {kind}", twins) for kind in KINDS))
    return Round(lead, (_read_partition(partitions, f"{where}, partition", twins),))


def _read_leader(value: Any, where: str, twins: Twins) -> int:
    given = value if isinstance(value, list) and value else [value]
    leaders = [_read_machine(number, where, twins) for number in given]
    members = sorted({number % twins.nodes for number in leaders})
    if len(members) > 1:
        named = " and ".join(twins.name(number) for number in members)
        raise ConfigError(f"{where}: {named} are not one member, and a round has one proposer")
    return leaders[0]


def _read_partition(value: Any, where: str, twins: Twins) -> Partition:
    groups = [_list(group, f"{where}, group", len(twins.names)) for group in _list(value, where, len(twins.names))]
    placed: list[int] = []
    for number in (number for group in groups for number in group):
        if _read_machine(number, where, twins) in placed:
            raise ConfigError(f"{where}: {number}, which is {twins.name(number)}, is in two places")
        placed.append(number)
    for number, name in enumerate(twins.names):
        if number not in placed:
            raise ConfigError(f"{where}: {number}, which is {name}, is in no group")
    return tuple(map(tuple, groups))


def _read_machine(value: Any, where: str, twins: Twins) -> int:
    most = len(twins.names) - 1
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        known = f"0 to {most}, the twins from {twins.nodes} on" if twins.twins else f"0 to {most}"
        raise ConfigError(f"{where}: there is no node {json.dumps(value)[:40]}; there are {known}")
    return value


# --- making ------------------------------------------------------------------------------------------------------


def partitions(size: int, groups: int = 2) -> Iterator[Partition]:
    """Yield every way to put so many machines into at most so many groups, once; the first is one group."""

    def place(number: int, placed: Partition) -> Iterator[Partition]:
        if number == size:
            yield placed
            return
        for at, group in enumerate(placed):
            yield from place(number + 1, (*placed[:at], (*group, number), *placed[at + 1 :]))
        if len(placed) < groups:
            yield from place(number + 1, (*placed, (number,)))

    yield from place(0, ())


def generate(
    nodes: int, twins: int, rounds: int, most: int, seed: int = 0, *, groups: int = 2, by_kind: bool = False
) -> Twins:
    """Return every scenario of so many rounds, with any leaders and partitions; `most` drawn ones if there are more.

    `by_kind` parts each kind of message in its own way; then half of the drawn partitions are none, since where all
    is parted nobody gets far.
    """
    parted = tuple(partitions(nodes + twins, groups))
    kinds = len(KINDS) if by_kind else 1
    if (nodes * len(parted) ** kinds) ** rounds <= most:
        every = [Round(leader, chosen) for leader in range(nodes) for chosen in product(parted, repeat=kinds)]
        return Twins(nodes, twins, tuple(product(every, repeat=rounds)))
    random, drawn = Random(seed), dict[Scenario, None]()
    whole = parted[:1] * (len(parted) if by_kind else 0)
    while len(drawn) < most:
        scenario = [
            Round(random.randrange(nodes), tuple(random.choice(parted + whole) for _ in range(kinds)))
            for _ in range(rounds)
        ]
        drawn[tuple(scenario)] = None
    return Twins(nodes, twins, tuple(drawn))
