"""The search between chains finds what would lose units or tell a lie, and without such a slip it finds nothing.

What the ledger does is planted as in `mutants`; a slip in the contract `bridge` is planted in its text.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from click.testing import CliRunner
from mutants import Change, plant_all

from minichain.cli import main
from minichain.contracts import system
from minichain.scenarios.crossings.hunt import CrossingHunt, run

BUDGET = 12  # seeds
GATE, LOCKS, BRIDGE = "minichain.crosschain.gate", "minichain.crosschain.locks", "bridge"
SLIPS = {
    "what was delivered is given back as well": (
        "conservation supply",
        Change(GATE, '        if answer.outcome != "done" and message["amount"]:\n', '        if message["amount"]:\n'),
    ),
    "what came too late is not given back": (
        "conservation supply",
        Change(GATE, '        if answer.outcome != "done" and', '        if answer.outcome == "failed" and'),
    ),
    "who sends units keeps them": (
        "conservation supply",
        Change(GATE, "        self._frame.overlay.add_units(self._sender, -amount)\n", "        pass\n"),
    ),
    "any path leads to the root": (
        "forgery crossing conservation supply",
        Change(
            GATE,
            "    if not all(isinstance(node, bytes) for node in path) or not merkle.verify_inclusion(\n",
            "    if not all(isinstance(node, bytes) for node in path) or 1 < 0 and merkle.verify_inclusion(\n",
        ),
    ),
    "a header needs no certificate": (
        "forgery",
        Change(
            "minichain.crosschain.remotes",
            "            trust.require_final(header, brought.certificate)\n",
            "            pass\n",
        ),
    ),
    "a claimed lock stays": (
        "conservation",
        Change(LOCKS, "    frame.overlay.put(lock_key(lock), None)\n", "    pass\n"),
    ),
    "a message is taken twice": (
        "crossing conservation supply",
        Change(
            GATE, '                if sent.number > channel["received"]:\n', "                if sent.number > 0:\n"
        ),
        Change(
            BRIDGE,
            'require(number == channel.received + 1, f"message {number} is not the next one: that is '
            '{channel.received + 1}")',
            "pass",
        ),
    ),
    "the books forget what came back": (
        "conservation",
        Change(BRIDGE, '        if outcome != "done":\n', '        if outcome == "never":\n'),
    ),
    "the answer is another one": (
        "crossing conservation supply",
        Change(GATE, '            outcome = "failed" if why else "done"\n', '            outcome = "done"\n'),
        Change(
            GATE,
            '        told = {"chain": remote.chain, "number": answer.number, "outcome": answer.outcome}\n',
            '        told = {"chain": remote.chain, "number": answer.number, "outcome": "done"}\n',
        ),
    ),
}


@contextmanager
def planted(*changes: Change) -> Iterator[None]:
    with ExitStack() as stack:
        for restore in plant_all([change for change in changes if change.module != BRIDGE]):
            stack.callback(restore)
        whole = system.BRIDGE
        stack.callback(setattr, system, "BRIDGE", whole)
        for change in changes:
            if change.module == BRIDGE:
                assert whole.count(change.old) == 1, (
                    f"the bridge has this {whole.count(change.old)} times: {change.old}"
                )
                system.BRIDGE = system.BRIDGE.replace(change.old, change.new)
        yield


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_found(slip: str) -> None:
    checkers, *changes = SLIPS[slip]
    with planted(*changes):
        for seed in range(BUDGET):
            report = run(seed)
            if report.problem:
                break
    assert report.problem == "violation", f"{BUDGET} seeds find nothing"
    assert report.words.partition(":")[0] in checkers.split(), report.words


def test_nothing_is_lost_doubled_or_made_between_chains_that_suffer() -> None:
    reports = CrossingHunt(range(12)).run(jobs=1)
    assert [report.words for report in reports if report.problem] == []
    assert run(7) == reports[7], "the same seed is the same run"


def test_the_command_tells_what_it_searched_and_refuses_what_it_draws_itself() -> None:
    done = CliRunner().invoke(main, ["sim", "--crossing", "--seeds", "0:2", "--jobs", "1", "--json"])
    told = json.loads(done.stdout)
    assert (told["chains"], told["seeds"], told["violations"], told["stalls"]) == (3, "0:2", [], [])
    refused = CliRunner().invoke(main, ["sim", "--crossing", "--engine", "raft"])
    assert refused.exit_code == 3
    assert "draws the chains" in refused.output


def test_a_trace_names_the_chain_of_each_event() -> None:
    lines = CrossingHunt(range(1)).trace()
    assert {line.split()[0] for line in lines} == {"chain-0", "chain-1", "chain-2"}
    assert importlib.import_module(GATE).BRIDGE == BRIDGE
