"""Votes that move: instant-runoff voting for one seat, the single transferable vote for several.

A ballot counts for its first candidate who is still in. IRV takes out the last until somebody has more than half of the
ballots that still count; whom nobody puts first is taken out together, as their order cannot matter.

STV is that of the Scottish Local Government Elections Order 2007 (SSI 2007/42, Schedule 1, rules 45 to 52): the Droop
quota, and surpluses by the weighted inclusive Gregory method. Its votes have five decimals and the rest is ignored
(rule 48), so they are counted here as whole hundred-thousandths. Its lot (rules 49 and 51) is the order for ties.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from fractions import Fraction
from typing import Final

from minichain.codec import Plain
from minichain.errors import UsageError
from minichain.scenarios.voting.ballots import DECIMALS, Rankings, Result, Round, TieBreak, levels

ONE: Final = 10**DECIMALS  # vote

Ranking = tuple[str, ...]


def first_of(ranking: Ranking, still_in: Collection[str]) -> str | None:
    """Return for whom a ballot counts now."""
    for name in ranking:
        if name in still_in:
            return name
    return None


def irv(ballots: Rankings, tie: Sequence[str] = ()) -> Result:
    """Count instant-runoff voting. The last is taken out; of several, who is last in the order for ties."""
    valid, ties = ballots.valid, TieBreak(tie, ballots.candidates)
    still_in, spent = dict.fromkeys(ballots.candidates), 0
    rounds, out = list[Round](), list[tuple[str, ...]]()
    held: dict[str, list[tuple[Ranking, int]]] = {name: [] for name in ballots.candidates}
    for ranking, many in ballots.piles.items():
        held[ranking[0]].append((ranking, many))
    votes = {name: sum(many for _, many in piles) for name, piles in held.items()}
    while True:
        leader = max(still_in, key=lambda name: votes[name])
        if 2 * votes[leader] > sum(votes.values()) or len(still_in) == 1:
            rounds.append(Round(dict(votes), f"{leader} has more than half", spent))
            break
        lowest = min(votes.values())
        last = [name for name in still_in if votes[name] == lowest]
        leaving = last if lowest == 0 else [ties.worst(last, f"round {len(rounds) + 1}, who is out")]
        rounds.append(Round(dict(votes), f"out: {', '.join(leaving)}", spent))
        out.insert(0, tuple(leaving))
        for name in leaving:
            del still_in[name], votes[name]
        for ranking, many in (pile for name in leaving for pile in held.pop(name)):
            if (to := first_of(ranking, still_in)) is None:
                spent += many
            else:
                held[to].append((ranking, many))
                votes[to] += many
    others = levels({name: many for name, many in votes.items() if name != leader})
    return Result(
        method="instant-runoff voting",
        candidates=ballots.candidates,
        valid=valid,
        spoilt=ballots.spoilt,
        winners=(leader,),
        ranking=((leader,), *others, *out),
        rounds=tuple(rounds),
        ties=tuple(ties.uses),
    )


# --- the single transferable vote --------------------------------------------------------------------------------


class _Paper(Plain):
    """Equal ballots that a candidate received together, each worth so many hundred-thousandths."""

    ranking: Ranking
    many: int
    value: int


class _Count:
    """The state of one count: who holds which papers, who is in, who is elected, and the stages so far."""

    def __init__(self, ballots: Rankings, seats: int, tie: Sequence[str]) -> None:
        self.seats, self.ties = seats, TieBreak(tie, ballots.candidates)
        self.quota = ballots.valid // (seats + 1) + 1  # rule 46
        self.papers: dict[str, list[_Paper]] = {name: [] for name in ballots.candidates}
        self.votes = dict.fromkeys(ballots.candidates, 0)
        self.continuing = dict.fromkeys(ballots.candidates)
        self.elected: list[str] = []
        self.all = ballots.valid * ONE
        self.stages: list[dict[str, int]] = []
        self.rounds: list[Round] = []
        for ranking, many in ballots.piles.items():  # rule 45
            self._give(_Paper(ranking, many, ONE))

    def _give(self, paper: _Paper) -> None:
        """Credit a paper to the next candidate on it who is continuing, if there is one."""
        if (to := first_of(paper.ranking, self.continuing)) is not None:
            self.papers[to].append(paper)
            self.votes[to] += paper.many * paper.value

    def end_stage(self, done: str) -> None:
        """Elect who has the quota (rule 47), and the rest once there are as many as places (rule 52)."""
        self.stages.append(dict(self.votes))
        enough = [name for name in self.continuing if self.votes[name] >= self.quota * ONE]
        self._elect(sorted(enough, key=lambda name: -self.votes[name]))
        said = [done, *(f"{name} has the quota" for name in self.elected[-len(enough) :] if enough)]
        if self.continuing and len(self.continuing) == self.seats - len(self.elected):
            said.append(f"the last places are filled: {', '.join(self.continuing)}")
            self._elect(sorted(self.continuing, key=lambda name: -self.votes[name]))
        votes = {name: Fraction(many, ONE) for name, many in self.votes.items()}
        self.rounds.append(Round(votes, "; ".join(said), Fraction(self.all - sum(self.votes.values()), ONE)))

    def _elect(self, names: Sequence[str]) -> None:
        for name in names:
            self.elected.append(name)
            del self.continuing[name]

    def step(self) -> None:
        surplus = {name: self.votes[name] - self.quota * ONE for name in self.elected}
        if (most := max(surplus.values(), default=0)) > 0:
            self._transfer([name for name, over in surplus.items() if over == most], most)
        else:
            lowest = min(self.votes[name] for name in self.continuing)
            self._exclude([name for name in self.continuing if self.votes[name] == lowest])

    def _transfer(self, level: list[str], surplus: int) -> None:
        """Pass on the largest surplus; each paper keeps surplus / votes of its value (rules 48 and 49)."""
        name = self._look_back(level, "whose surplus is first", max)
        total, papers = self.votes[name], self.papers.pop(name)
        self.votes[name] = self.quota * ONE
        for paper in papers:
            self._give(_Paper(paper.ranking, paper.many, surplus * paper.value // total))
        self.end_stage(f"surplus of {name}")

    def _exclude(self, level: list[str]) -> None:
        """Take out the last; each paper passes on at the value at which it came (rules 50 and 51)."""
        name = self._look_back(level, "who is out", min)
        del self.continuing[name]
        self.votes[name] = 0
        for paper in self.papers.pop(name):
            self._give(paper)
        self.end_stage(f"out: {name}")

    def _look_back(self, level: list[str], why: str, extreme: Callable[[Iterable[int]], int]) -> str:
        """Take of several who are level who was first or last at the latest stage at which they were not."""
        where, among = f"round {len(self.stages) + 1}, {why}", level
        for number in range(len(self.stages) - 1, 0, -1):
            votes = self.stages[number - 1]
            edge = extreme(votes[name] for name in level)
            level = [name for name in level if votes[name] == edge]
            if len(level) == 1 < len(among):
                return self.ties.note(among, where, level[0], f"round {number}")
        return (self.ties.best if extreme is max else self.ties.worst)(level, where)


def stv(ballots: Rankings, seats: int, tie: Sequence[str] = ()) -> Result:
    """Count the single transferable vote for so many seats; the elected in the order in which they were elected."""
    if not 1 <= seats <= len(ballots.candidates):
        raise UsageError(f"{seats} seats for {len(ballots.candidates)} candidates: fill from 1 to that many")
    count = _Count(ballots, seats, tie)
    count.end_stage("first preferences")
    while len(count.elected) < seats:
        count.step()
    return Result(
        method="single transferable vote",
        candidates=ballots.candidates,
        valid=ballots.valid,
        spoilt=ballots.spoilt,
        winners=tuple(count.elected),
        quota=count.quota,
        rounds=tuple(count.rounds),
        ties=tuple(count.ties.uses),
    )
