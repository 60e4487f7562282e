"""Plays a twins scenario in the simulated world: its leaders take turns, and its partitions stand, round by round.

A round of the scenario begins when the first machine begins a new round, of whatever height, or when nobody has got
further for `PATIENCE_MS`: then the next partition stands, so that none lasts for ever. After the last round everybody
hears everybody, and what clients have sent must become final.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import msgspec

from minichain.consensus.bft import Vote
from minichain.consensus.bft.messages import KIND_NAMES
from minichain.faults.timeline import Timeline
from minichain.ledger.committee import Committee
from minichain.membership.authority import proposer
from minichain.node.messages import read_peer_message
from minichain.sim.clients import Load
from minichain.sim.player import chain_of
from minichain.sim.search import PROMISES, Report, wait_in_calm, watch
from minichain.sim.twins import KINDS, Round, Scenario, Twins
from minichain.sim.world import MESSAGES_READ, World

PATIENCE_MS: Final = 5_000  # longer than a round that ends by its timeouts
LOOK_MS: Final = 20
AHEAD_MS: Final = 7  # is a twin's clock: else two that know the same transactions would make the same block


class Course:
    """One run of a scenario, the only one of `twins`: the world, and how far it has come in the scenario."""

    def __init__(self, twins: Twins, seed: int, *, keep_lines: bool = False) -> None:
        genesis, keys = chain_of(Timeline("bft", twins.nodes, seed))
        self._keys = {name: keys[twins.name(number % twins.nodes)] for number, name in enumerate(twins.names)}
        self._twins = twins
        (self._rounds,) = twins.scenarios
        self._sides = [_sides(round_, twins.names) for round_ in self._rounds]
        self._kind_of = lru_cache(MESSAGES_READ)(_kind_of)
        self._leaders: dict[tuple[int, int], bytes] = {}  # (height, round) -> the proposer's key
        self._front = (0, 0)  # the last (height, round) that somebody has begun
        self.round = 0  # of the scenario; 0 before its first
        self.world = World(genesis, self._keys, seed=seed, keep_lines=keep_lines, rotation=self._rotation)
        self.world.network.guard(self._lets_pass)
        for name in twins.names[twins.nodes :]:
            self.world.skew(name, AHEAD_MS)

    def play(self) -> str:
        """Let every round pass, then wait; return what is missing at the end of patience."""
        load = Load(self.world, self.world.seed)
        while self.round <= len(self._rounds):
            for name in self.world.names:
                load.submit(1, name)
            self._pass_round(load)
        return wait_in_calm(self.world, load)

    def _pass_round(self, load: Load) -> None:
        round_ = self.round
        for _ in range(PATIENCE_MS // LOOK_MS):
            load.wait(LOOK_MS)
            if self.round != round_:
                return
        self._begin_next()

    def _rotation(self, committee: Committee, height: int, round_: int) -> bytes:
        """Return the proposer of a round. Who is the first to ask about one is beginning it."""
        place = height, round_
        if place > self._front:
            self._front = place
            self._begin_next()
            if self.round <= len(self._rounds):
                leader = self._twins.names[self._rounds[self.round - 1].leader]
                self._leaders[place] = self._keys[leader].public
        return self._leaders.get(place) or proposer(committee, height, round_)

    def _begin_next(self) -> None:
        if self.round > len(self._rounds):
            return
        self.round += 1
        is_over = self.round > len(self._rounds)
        told = "the scenario is over" if is_over else f"round {self.round} of {len(self._rounds)}"
        self.world.trace.note(self.world.elapsed_ms, f"{told} ({self._front[0]}/{self._front[1]})")

    def _lets_pass(self, sender: str, receiver: str, data: bytes) -> bool:
        """Tell whether the two hear each other in this round, in messages of this kind."""
        if not 1 <= self.round <= len(self._rounds):
            return True
        side = self._sides[self.round - 1][self._kind_of(data)]
        return side[sender] == side[receiver]


def _sides(round_: Round, names: tuple[str, ...]) -> dict[str, dict[str, int]]:
    """Return for each kind of message in which group each machine is."""
    return {
        kind: {names[number]: side for side, group in enumerate(round_.partition(kind)) for number in group}
        for kind in KINDS
    }


def _kind_of(data: bytes) -> str:
    message = read_peer_message(data)
    return KIND_NAMES.get(message.kind, KINDS[0]) if isinstance(message, Vote) else KINDS[0]


def run(twins: Twins, seed: int = 0) -> Report:
    """Play the only scenario of `twins`; safety is asked for always, progress after the last round."""
    return run_traced(twins, seed, keep_lines=False)[0]


def run_traced(twins: Twins, seed: int = 0, *, keep_lines: bool = True) -> tuple[Report, list[str]]:
    """Do as `run`, and return every event in words as well."""
    course = Course(twins, seed, keep_lines=keep_lines)
    report = watch(course.world, course.play)
    if report.words and twins.twins > PROMISES["bft"].faulty(twins.nodes):
        excess = f"(with {twins.twins} members run twice, more than bft promises to bear)"
        report = msgspec.structs.replace(report, words=f"{report.words} {excess}")
    return report, course.world.trace.lines


def minimise(twins: Twins, seed: int = 0) -> Twins:
    """Return a plainer scenario that fails in the same way: without rounds, and without partitions, that do not matter.

    The same one if it does not fail.
    """
    kind, (scenario,) = run(twins, seed).kind, twins.scenarios
    before: Scenario | None = None
    while kind.strip() and before != scenario:
        before = scenario
        for plainer in _plainer(scenario, len(twins.names)):
            if run(Twins(twins.nodes, twins.twins, (plainer,)), seed).kind == kind:
                scenario = plainer
                break
    return Twins(twins.nodes, twins.twins, (scenario,))


def _plainer(scenario: Scenario, machines: int) -> Iterator[Scenario]:
    """Yield what is plainer by one change: a round left out, or one partition of it healed."""
    if len(scenario) > 1:
        yield from (scenario[:at] + scenario[at + 1 :] for at in range(len(scenario)))
    whole = (tuple(range(machines)),)
    for at, round_ in enumerate(scenario):
        for place, partition in enumerate(round_.partitions):
            if partition != whole:
                healed = (*round_.partitions[:place], whole, *round_.partitions[place + 1 :])
                yield (*scenario[:at], Round(round_.leader, healed), *scenario[at + 1 :])
