"""Which members together can carry a decision under a rule pack, whatever all the others say.

So power under a pack can be measured: the pack becomes a game (see `power`), in which a coalition wins if its yes
passes although everybody else does the most harm that the pack allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from minichain.contracts.rulebook import counter_of, total
from minichain.errors import UsageError
from minichain.scenarios.voting.power import Game, Rule, at_least, either, more_than, together
from minichain.scenarios.voting.rulebook import Electorate, Pack

Clause = dict[str, Any]


def game_of(pack: Pack, electorate: Electorate, track: str = "ordinary") -> Game:
    """Return the game that a pack makes of these members; raises `UsageError` if they could never decide by it."""
    rows = [list(row) for row in electorate]
    deciding = [clause for clause in pack["tracks"][track]["clauses"] if clause["kind"] != "super"]
    rules = [rule for clause in deciding if not clause["blockers"] for rule in _rules(clause, rows)]
    games = [_together(rules, rows)]
    for clause in deciding:
        if clause["blockers"]:  # it holds by itself, or because too few stand against it
            few = Rule(len(rows) - clause["blockers"] + 1, (1,) * len(rows))
            games = [_together([*rules, *_rules(clause, rows)], rows), _together([*rules, few], rows)]
    return either(*games)


def _together(rules: Sequence[Rule], rows: Sequence[Sequence[Any]]) -> Game:
    anybody = Rule(1, (1,) * len(rows))  # where no clause needs a yes, there must still be somebody who wants it
    return together(*(rules or [anybody]))


def _rules(clause: Clause, rows: list[list[Any]]) -> list[Rule]:
    """Return what a clause asks of a coalition while all others say no, or nothing; no rule if it asks for nothing."""
    weights = tuple(total([row], counter_of(clause)) for row in rows)
    least = at_least if clause["comparator"] == ">=" else more_than
    quota = least(Fraction(*clause["share"]), weights)
    if clause["kind"] == "veto":
        quota = sum(weights) - quota + 1  # whoever is left must be too few to use it
    elif not sum(weights) or quota > sum(weights):
        raise UsageError(f"clause {clause['id']} is out of reach for these members, even if all of them say yes")
    return [Rule(quota, weights)] if quota > 0 else []
