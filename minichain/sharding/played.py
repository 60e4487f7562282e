"""Shards under load, played block by block with measured costs: what `capacity` calculates, without its averages.

Each shard begins a block whenever its last one is final, none at the same moment as another. It first takes what was
brought from other shards, then what its own people have submitted, as long as there is time in the block; the rest
waits. What crosses goes on in another shard when its block is final, and comes back as an answer in the same way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from heapq import heappop, heappush
from random import Random
from statistics import median_low

from minichain.codec import Plain
from minichain.sharding.capacity import SECOND, Costs, Design, follow_cost, spare, throughput


class Played(Plain):
    """What came of it in the second half of the time; delays in block times, None where there were none.

    `delay` is from submission until a transaction is final where it takes effect, `delivery` from when it is final
    where it was sent until it is final where it is delivered. Both are medians.
    """

    throughput: Fraction
    delay: Fraction | None
    delivery: Fraction | None


class _Job(Plain):
    """Something to be done in a shard from `ready` on; `header` is the block that it comes from, unless it is new."""

    kind: str
    ready: int
    submitted: int
    home: int
    header: tuple[int, int] | None = None
    sent: int = 0


class _Shard:
    def __init__(self) -> None:
        self.brought: list[tuple[int, int, _Job]] = []  # a heap: when, the how manieth, what
        self.submitted: deque[_Job] = deque()
        self.followed: set[tuple[int, int]] = set()
        self.overdrawn = 0  # by the last piece of work in the block before, which was not cut in two
        self.counted = Fraction(0)  # transactions that arrived, as a fraction

    def next_job(self, now: int) -> _Job | None:
        if self.brought and self.brought[0][0] <= now:
            return heappop(self.brought)[2]
        return self.submitted.popleft() if self.submitted else None


class _Play:
    def __init__(self, costs: Costs, design: Design, load: Fraction, random: Random) -> None:
        self._costs, self._design, self._random = costs, design, random
        self._block = design.block_ms * SECOND // 1_000
        self._room = int(spare(costs, design) * self._block)
        self._follow = follow_cost(costs, design.members)
        self._each_block = load * throughput(costs, design) * Fraction(design.block_ms, 1_000 * design.shards)
        self._crossing = design.crossing if design.shards > 1 else Fraction(0)
        self._shards = [_Shard() for _ in range(design.shards)]
        self._brought = 0
        self.settled: list[int] = []  # when each transaction was settled
        self.delays: list[tuple[int, int]] = []  # (when, how long) of each that took effect
        self.deliveries: list[tuple[int, int]] = []

    def run(self, blocks: int) -> None:
        phases = [self._block * place // self._design.shards for place in range(self._design.shards)]
        self._random.shuffle(phases)
        for number in range(blocks):
            for phase, place in sorted((phase, place) for place, phase in enumerate(phases)):
                self._make_block(place, number * self._block + phase)

    def _make_block(self, place: int, now: int) -> None:
        shard = self._shards[place]
        shard.submitted.extend(self._arrivals(place, shard, now))
        left = self._room - shard.overdrawn
        while left > 0 and (job := shard.next_job(now)) is not None:
            left -= self._cost(shard, job)
            self._done(place, job, now)
        shard.overdrawn = max(0, -left)

    def _arrivals(self, place: int, shard: _Shard, now: int) -> Iterator[_Job]:
        """Yield what was submitted since the block before, in its order."""
        shard.counted += self._each_block
        count, shard.counted = int(shard.counted), shard.counted % 1
        many, of = self._crossing.as_integer_ratio()
        for time in sorted(now - self._random.randrange(self._block) for _ in range(count)):
            crosses = many > 0 and self._random.randrange(of) < many
            yield _Job("send" if crosses else "transfer", time, time, place)

    def _cost(self, shard: _Shard, job: _Job) -> int:
        cost: int = getattr(self._costs, job.kind)
        if job.header is None or job.header in shard.followed:
            return cost
        shard.followed.add(job.header)
        return cost + self._follow

    def _done(self, place: int, job: _Job, now: int) -> None:
        final = now + self._block
        if job.kind in ("transfer", "settle"):
            self.settled.append(final)
        if job.kind in ("transfer", "deliver"):
            self.delays.append((final, final - job.submitted))
        if job.kind == "send":
            other = self._random.randrange(self._design.shards - 1)
            target = other + (other >= place)
            self._bring(target, _Job("deliver", final, job.submitted, place, (place, now), final))
        elif job.kind == "deliver":
            self.deliveries.append((final, final - job.sent))
            self._bring(job.home, _Job("settle", final, job.submitted, job.home, (place, now)))

    def _bring(self, target: int, job: _Job) -> None:
        self._brought += 1
        heappush(self._shards[target].brought, (job.ready, self._brought, job))


def play(costs: Costs, design: Design, load: Fraction, random: Random, blocks: int = 20) -> Played:
    """Play so many blocks of each shard, with `load` times as many transactions as the formula says they can carry."""
    one = _Play(costs, design, load, random)
    one.run(blocks)
    block = design.block_ms * SECOND // 1_000
    half, end = blocks // 2 * block, blocks * block
    settled = sum(half < time <= end for time in one.settled)
    delay, delivery = (_median(half, found, block) for found in (one.delays, one.deliveries))
    return Played(Fraction(settled * SECOND, end - half), delay, delivery)


def _median(since: int, found: list[tuple[int, int]], block: int) -> Fraction | None:
    late = [took for time, took in found if time > since]
    return Fraction(median_low(late), block) if late else None
