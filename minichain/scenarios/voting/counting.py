"""Ways to count the same ballots. Each result carries what it was found from; every tie that was decided is in it.

    plurality         whom most put first
    approval          whom most name: Brams & Fishburn, Am. Polit. Sci. Rev. 72 (1978) 831
    borda             m-1 points for the first of m, m-2 for the second, ...; who is not ranked gets an equal part of
                      what is left
    irv, stv          votes that move: see `transferable`
    schulze           the strongest path of majorities, a link being as strong as its winning votes: Schulze,
                      arXiv:1804.02973
    ranked_pairs      majorities by margin, the largest first, unless they close a circle: Tideman, Social Choice and
                      Welfare 4 (1987) 185; ties by an order of candidates after Zavist & Tideman, there 6 (1989) 167
    quadratic         votes that cost their square: Lalley & Weyl, AEA Papers and Proceedings 108 (2018) 33

Who is ranked stands before all who are not; two who are not ranked stand level. `tie` is an order of all candidates,
best first, such as `lot` draws from a seed; without one, a tie that decides something is refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from fractions import Fraction
from itertools import groupby, permutations
from typing import Final

from minichain.scenarios.voting.ballots import (
    Amount,
    Approvals,
    Ballots,
    Credits,
    Lock,
    Matrix,
    Rankings,
    Result,
    Round,
    TieBreak,
    approvals,
    credits,
    levels,
    lot,
    rankings,
    read,
)
from minichain.scenarios.voting.transferable import irv, stv

__all__ = [
    "METHODS",
    "approval",
    "approvals",
    "borda",
    "condorcet_winner",
    "credits",
    "irv",
    "lot",
    "pairwise",
    "plurality",
    "quadratic",
    "ranked_pairs",
    "rankings",
    "read",
    "schulze",
    "stv",
]

Below = Mapping[str, frozenset[str]]  # whom each reaches over locked majorities


# --- by points ---------------------------------------------------------------------------------------------------


def plurality(ballots: Rankings, tie: Sequence[str] = ()) -> Result:
    """Count first places."""
    votes: dict[str, Amount] = dict.fromkeys(ballots.candidates, 0)
    for ranking, many in ballots.piles.items():
        votes[ranking[0]] += many
    return _by_points("plurality", ballots, votes, tie)


def approval(ballots: Approvals, tie: Sequence[str] = ()) -> Result:
    """Count on how many ballots each is named."""
    votes: dict[str, Amount] = dict.fromkeys(ballots.candidates, 0)
    for named, many in ballots.piles.items():
        for name in named:
            votes[name] += many
    return _by_points("approval voting", ballots, votes, tie)


def borda(ballots: Rankings, tie: Sequence[str] = ()) -> Result:
    """Count points by place."""
    halves, size = dict.fromkeys(ballots.candidates, 0), len(ballots.candidates)
    for ranking, many in ballots.piles.items():
        for place, name in enumerate(ranking, 1):
            halves[name] += 2 * many * (size - place)
        if len(ranking) < size:
            for name in set(ballots.candidates).difference(ranking):
                halves[name] += many * (size - len(ranking) - 1)
    votes = {name: points // 2 if points % 2 == 0 else Fraction(points, 2) for name, points in halves.items()}
    return _by_points("Borda count", ballots, votes, tie)


def quadratic(ballots: Credits, tie: Sequence[str] = ()) -> Result:
    """Add up the votes that were bought, for and against."""
    votes: dict[str, Amount] = dict.fromkeys(ballots.candidates, 0)
    for bought, many in ballots.piles.items():
        for name, each in bought:
            votes[name] += many * each
    return _by_points("quadratic voting", ballots, votes, tie)


def _by_points(method: str, ballots: Ballots, votes: Mapping[str, Amount], tie: Sequence[str]) -> Result:
    ties, ranking = TieBreak(tie, ballots.candidates), levels(votes)
    winner = ties.best(ranking[0], "who is first")
    return Result(
        method=method,
        candidates=ballots.candidates,
        valid=ballots.valid,
        spoilt=ballots.spoilt,
        winners=(winner,),
        ranking=ranking,
        rounds=(Round(votes, f"{winner} has most"),),
        ties=tuple(ties.uses),
    )


# --- by pairs ----------------------------------------------------------------------------------------------------


def pairwise(ballots: Rankings) -> Matrix:
    """Count for each two candidates how many put the one before the other."""
    bits = {name: 1 << place for place, name in enumerate(ballots.candidates)}
    ahead: dict[str, dict[int, int]] = {name: defaultdict(int) for name in bits}  # by the set of all who are behind
    for ranking, many in ballots.piles.items():
        behind = (1 << len(bits)) - 1
        for name in ranking:
            behind ^= bits[name]
            ahead[name][behind] += many
    return {
        (one, two): sum(many for behind, many in ahead[one].items() if behind & bits[two])
        for one, two in permutations(bits, 2)
    }


def condorcet_winner(ballots: Rankings) -> str | None:
    """Return who beats each other in a majority of two, if anybody does."""
    before, names = pairwise(ballots), ballots.candidates
    beats_all = (one for one in names if all(before[one, two] > before[two, one] for two in names if two != one))
    return next(beats_all, None)


def schulze(ballots: Rankings, tie: Sequence[str] = ()) -> Result:
    """Let who has the stronger path to everybody win; a path is as strong as its weakest majority."""
    before, names = pairwise(ballots), ballots.candidates
    paths = {(one, two): many if many > before[two, one] else 0 for (one, two), many in before.items()}
    for via, one, two in permutations(names, 3):  # via changes slowest: Floyd and Warshall
        paths[one, two] = max(paths[one, two], min(paths[one, via], paths[via, two]))
    better = {(one, two) for (one, two), strength in paths.items() if strength > paths[two, one]}
    ties = TieBreak(tie, ballots.candidates)
    return _by_pairs("Schulze method", ballots, before, better, ties, paths=paths)


def ranked_pairs(ballots: Rankings, tie: Sequence[str] = ()) -> Result:
    """Lock in majorities, the largest first, except those that would close a circle.

    Of equal majorities all are locked where that closes no circle; else who wins them decides, by the order for ties,
    and then who loses them, from its end.
    """
    before, ties = pairwise(ballots), TieBreak(tie, ballots.candidates)
    margins = {pair: many - before[pair[1], pair[0]] for pair, many in before.items()}
    majorities = sorted((pair for pair, margin in margins.items() if margin > 0), key=lambda pair: -margins[pair])
    below: Below = {name: frozenset() for name in ballots.candidates}
    locks = list[Lock]()
    for margin, group in groupby(majorities, key=margins.__getitem__):
        equal = [*group]
        if not _fit([pair for pair in equal if pair[0] not in below[pair[1]]], below):
            equal = ties.pairs(equal, f"majorities by {margin}")
        for one, two in equal:
            locks.append(Lock(one, two, margin, is_locked=one not in below[two]))
            if locks[-1].is_locked:
                below = _locked(one, two, below)
    better = {(one, two) for one, lower in below.items() for two in lower}
    return _by_pairs("ranked pairs", ballots, before, better, ties, locks=tuple(locks))


def _locked(one: str, two: str, below: Below) -> Below:
    """Put two, and all who are below, below one and all who are above."""
    lower = below[two] | {two}
    return {name: under | lower if name == one or one in under else under for name, under in below.items()}


def _fit(pairs: Sequence[tuple[str, str]], below: Below) -> bool:
    """Tell whether all of them can be locked: then their order does not matter."""
    for one, two in pairs:
        if one in below[two]:
            return False
        below = _locked(one, two, below)
    return True


def _by_pairs(
    method: str,
    ballots: Rankings,
    before: Matrix,
    better: Set[tuple[str, str]],
    ties: TieBreak,
    paths: Matrix | None = None,
    locks: tuple[Lock, ...] = (),
) -> Result:
    """Rank by a relation without circles: first those whom nobody is better than, then the same of the rest."""
    rest, ranking = [*ballots.candidates], list[tuple[str, ...]]()
    while rest:
        ranking.append(tuple(name for name in rest if not any((other, name) in better for other in rest)))
        rest = [name for name in rest if name not in ranking[-1]]
    winner = ties.best(ranking[0], "whom nobody is better than")
    return Result(
        method=method,
        candidates=ballots.candidates,
        valid=ballots.valid,
        spoilt=ballots.spoilt,
        winners=(winner,),
        ranking=tuple(ranking),
        pairwise=before,
        paths=paths,
        locks=locks,
        ties=tuple(ties.uses),
    )


METHODS: Final[Mapping[str, Callable[[Rankings, Sequence[str]], Result]]] = {
    "plurality": plurality,
    "borda": borda,
    "irv": irv,
    "schulze": schulze,
    "ranked_pairs": ranked_pairs,
}
"""The methods that find one winner from rankings, by name."""
