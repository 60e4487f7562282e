"""Deliberate bugs, each a small slip that somebody could make, and the only place where they exist.

A mutant names a module, a piece of its text as it is and as the slip has it. Planting one compiles the changed text
and gives its code to the function in question; taking it back gives the function its own code again. The old text
must occur exactly once, so that this table cannot go stale.

    python tests/mutants.py NAME [OPTIONS OF minichain sim]

runs the ordinary search with one of them planted, in every process of the search.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import msgspec


class Change(msgspec.Struct, frozen=True):
    """In this module, this text becomes that one."""

    module: str
    old: str
    new: str


class Mutant(msgspec.Struct, frozen=True):
    """A bug: its changes, where to look for it, and which checkers find it, soon after the seed `start`.

    No earlier seed finds it.
    """

    changes: tuple[Change, ...]
    engine: str
    checkers: frozenset[str]
    validators: int = 4
    faults: str = "all"
    start: int = 0


def mutant(engine: str, checkers: str, *texts: str, **options: Any) -> Mutant:
    """Make a mutant of triples: module, old text, new text."""
    triples = zip(texts[::3], texts[1::3], texts[2::3], strict=True)
    changes = tuple(Change(f"minichain.{module}", old, new) for module, old, new in triples)
    return Mutant(changes, engine, frozenset(checkers.split()), **options)


MUTANTS: dict[str, Mutant] = {
    "vote-not-fsynced": mutant(
        "bft",
        "prudence",
        "consensus.bft.engine",
        "        return [*self._remember(SAID + self._said.to_bytes(8), encode(message)), Tell(message)]\n",
        "        name = SAID + self._said.to_bytes(8)\n"
        "        safe, self._unsafe = getattr(self, '_unsafe', []), self._remember(name, encode(message))\n"
        "        return [*safe, Tell(message)]\n",
    ),
    "lock-not-restored": mutant(
        "bft",
        "locks",
        "consensus.bft.engine",
        "                current.locked_block, current.locked_round = blocks[message.block_id], message.round\n",
        "                current.locked_block = blocks[message.block_id]\n",
        start=270,
    ),
    "at-least-for-more-than": mutant(
        "bft",
        "quorums certificates",
        "ledger.committee",
        "        return 3 * weight > 2 * self.total\n",
        "        return 3 * weight >= 2 * self.total\n",
        validators=6,
    ),
    "nil-counted-for-the-block": mutant(
        "bft",
        "quorums certificates",
        "consensus.bft.votes",
        "        if self._committee.is_quorum(weight):\n",
        "        if self._committee.is_quorum(weight + self._weights.get(None, 0)):\n",
        start=4,
    ),
    "receipts-not-persisted": mutant(
        "pow",
        "receipts",
        "node.core",
        "        self._store.add_block(kept.final, kept.encoded_receipts, ids, kept.writes, undo)\n",
        "        self._store.add_block(kept.final, (), ids, kept.writes, undo)\n",
    ),
    "validators-switched-a-block-early": mutant(
        "bft",
        "certificates",
        "node.core",
        "        return committee_at(self._terms, self.height + 1)\n",
        "        return committee_at(self._terms, self.height + 2)\n",
        start=2,
    ),
    "set-order-iteration": mutant(
        "raft",
        "determinism",
        "consensus.raft.leading",
        "        for public in self._followers:\n",
        "        for public in set(self._followers):\n",
    ),
    "mempool-not-cleaned-after-a-reorganisation": mutant(
        "pow",
        "answers",
        "node.core",
        "        self._settle(self._intake.put_back(returned, self.height))\n"
        "        self._settle(self._leave_behind(changed.kept))\n",
        "        self._settle(self._leave_behind(changed.kept))\n        self._intake.waiting.put_back(returned)\n",
        start=3,
    ),
    "gas-refunded-on-failure": mutant(
        "bft",
        "charges",
        "transition",
        "    _settle(genesis, overlay, body.sender, gas, reserve, block.height)\n",
        "    _settle(genesis, overlay, body.sender, gas if outcome == 'ok' else 0, reserve, block.height)\n",
    ),
    "old-term-entry-committed-by-count": mutant(
        "raft",
        "confirmation",
        "consensus.raft.rules",
        "            return max(commit, index) if log.term_at(index) == term else commit\n",
        "            return max(commit, index)\n",
        "consensus.raft.member",
        "        if last_height != height or self.log.term_at(index) != self.ballot.term:\n",
        "        if last_height != height:\n",
        "consensus.raft.engine",
        "        self._leading.append(Entry(self._me.ballot.term, None))\n",
        "        self._leading.send_all()\n",
    ),
    "light-client-skips-next-validators": mutant(
        "raft",
        "handovers",
        "crosschain.light",
        "        if header.next_committee != committee.hash:\n",
        "        if False:\n",
        faults="members",
    ),
    "duplicate-vote-counted": mutant(
        "bft",
        "quorums certificates",
        "consensus.bft.votes",
        "        return tally.votes.get(message.voter) if tally else None\n",
        "        return None\n",
        "consensus.bft.votes",
        '        assert vote.voter not in self.votes, "a vote counted twice"\n',
        "",
    ),
}

# --- planting --------------------------------------------------------------------------------------------------------

Restore = Callable[[], None]


@contextmanager
def planted(name: str) -> Iterator[Mutant]:
    """Plant a mutant, and take it back at the end."""
    with ExitStack() as stack:
        for restore in plant(name):
            stack.callback(restore)
        yield MUTANTS[name]


def plant(name: str) -> list[Restore]:
    """Plant a mutant; return what takes it back."""
    return plant_all(MUTANTS[name].changes)


def plant_all(changes: Sequence[Change]) -> list[Restore]:
    """Make these changes; return what takes them back."""
    modules = dict.fromkeys(change.module for change in changes)
    return [restore for module in modules for restore in _plant_in(module, changes)]


def _plant_in(name: str, changes: Iterable[Change]) -> list[Restore]:
    module = importlib.import_module(name)
    text = changed = Path(str(module.__file__)).read_text(encoding="utf-8")
    functions: dict[str, None] = {}
    for change in changes:
        if change.module == name:
            assert text.count(change.old) == 1, f"{name} has this {text.count(change.old)} times:\n{change.old}"
            functions[_function_at(text, text[: text.index(change.old)].count("\n") + 1)] = None
            changed = changed.replace(change.old, change.new)
    code = compile(changed, f"{module.__file__} (mutant)", "exec", dont_inherit=True)
    return [_give_code(module, function, _code_of(code, function)) for function in functions]


def _function_at(text: str, line: int) -> str:
    """Return the qualified name of the function or method that a line lies in."""
    found: list[str] = []
    scope: Any = ast.parse(text)
    while not isinstance(scope, ast.FunctionDef):
        scope = next(node for node in scope.body if node.lineno <= line <= (node.end_lineno or 0))
        found.append(scope.name)
    return ".".join(found)


def _code_of(code: CodeType, function: str) -> CodeType:
    """Find the code of a function in that of its module."""
    for inner in (constant for constant in code.co_consts if isinstance(constant, CodeType)):
        if inner.co_qualname == function:
            return inner
        if function.startswith(f"{inner.co_qualname}."):
            return _code_of(inner, function)
    raise AssertionError(f"the changed text has no function {function}")


def _give_code(module: ModuleType, name: str, code: CodeType) -> Restore:
    found: Any = module
    for part in name.split("."):
        found = inspect.getattr_static(found, part)
    found = found.fget if isinstance(found, property) else found
    assert isinstance(found, FunctionType), f"{name} is no plain function"
    own, found.__code__ = found.__code__, code
    return lambda: setattr(found, "__code__", own)


if __name__ in ("__main__", "__mp_main__"):  # the search's other processes read this file again
    plant(sys.argv[1])

if __name__ == "__main__":
    from minichain.cli import main

    chosen = MUTANTS[sys.argv[1]]
    options = {"--engine": chosen.engine, "--validators": str(chosen.validators), "--faults": chosen.faults}
    given = [word for option in options.items() for word in option if option[0] not in sys.argv]
    main(["sim", *given, *sys.argv[2:]], prog_name="minichain")
