"""Ballots sorted into piles, the rule that decides ties, and results from which a person can count again by hand.

A ballot that cannot be counted is set aside with its number and the reason; it never stops a count. A ranking may end
early, but never puts two candidates side by side. Equal ballots make one pile, and nothing else of them is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from hashlib import sha256
from typing import Any, Final

from minichain.codec import Plain
from minichain.errors import UsageError

Amount = int | Fraction
Matrix = Mapping[tuple[str, str], int]  # (one, other) -> how many put one before the other
Levels = tuple[tuple[str, ...], ...]  # best first; who is level stands together

RESERVED: Final = frozenset(">=,:\n")
DECIMALS: Final = 5


class Spoilt(Plain):
    """A ballot that is not counted: its number in the order in which they came, from 1, and why."""

    number: int
    why: str


class Ballots(Plain):
    """Valid ballots: what is on them -> how many say so."""

    candidates: tuple[str, ...]
    piles: Mapping[tuple[Any, ...], int]
    spoilt: tuple[Spoilt, ...] = ()

    @property
    def valid(self) -> int:
        """How many ballots count; without any there is nothing to count."""
        if not self.piles:
            raise UsageError(f"no ballot can be counted: {len(self.spoilt)} are spoilt, and there are no others")
        return sum(self.piles.values())


class Rankings(Ballots):
    """Ballots that put candidates in order, best first: ("A", "C") says A before C, and both before all others."""


class Approvals(Ballots):
    """Ballots that name candidates without an order."""


class Credits(Ballots):
    """Ballots that buy votes: (("A", 3), ("B", -2)) gives three votes for A and two against B."""


def rankings(candidates: Sequence[str], ballots: Iterable[Sequence[str]]) -> Rankings:
    """Sort ranked ballots; each is a sequence of names or a text such as "A > C > B"."""
    return Rankings(*_sorted(candidates, ballots, _ranking, _fault))


def approvals(candidates: Sequence[str], ballots: Iterable[Collection[str]]) -> Approvals:
    """Sort ballots of approval; each is a collection of names or a text such as "A, C"."""

    def form(ballot: Collection[str]) -> tuple[Any, ...]:
        return tuple(sorted(_ranking(ballot.replace(",", ">") if isinstance(ballot, str) else ballot), key=str))

    return Approvals(*_sorted(candidates, ballots, form, _fault))


def credits(candidates: Sequence[str], ballots: Iterable[Mapping[str, int]], budget: int) -> Credits:
    """Sort ballots of quadratic voting; n votes for or against somebody cost n x n of a ballot's `budget` credits."""
    if budget < 1:
        raise UsageError(f"{budget} credits buy no vote: give each ballot 1 or more")

    def fault(form: tuple[Any, ...], known: frozenset[str]) -> str:
        if any(type(votes) is not int for _, votes in form):
            return "it gives votes that are no whole number"
        spent = sum(votes * votes for _, votes in form)
        if spent > budget:
            return f"it spends {spent} of {budget} credits"
        return _fault(tuple(name for name, _ in form), known)

    def form(ballot: Mapping[str, int]) -> tuple[Any, ...]:
        if not isinstance(ballot, Mapping):
            return ((repr(ballot), 0),)
        return tuple(sorted((str(name), votes) for name, votes in ballot.items() if votes != 0))

    return Credits(*_sorted(candidates, ballots, form, fault))


def read(candidates: Sequence[str], text: str) -> Rankings:
    """Read rankings from lines such as `42: Memphis > Nashville`: how many, and what they say."""
    cast: list[str] = []
    for place, line in enumerate(filter(None, map(str.strip, text.splitlines())), 1):
        many, colon, ballot = line.partition(":")
        if not colon or not many.strip().isdecimal():
            raise UsageError(f"line {place} is {line!r}: write how many, a colon, and the ranking, as in 42: A > B")
        cast += [ballot] * int(many)
    return rankings(candidates, cast)


def _sorted(
    candidates: Sequence[str],
    ballots: Iterable[Any],
    form: Callable[[Any], tuple[Any, ...]],
    fault: Callable[[tuple[Any, ...], frozenset[str]], str],
) -> tuple[tuple[str, ...], dict[tuple[Any, ...], int], tuple[Spoilt, ...]]:
    """Group equal ballots first, so that each kind is examined once."""
    if not candidates or len(set(candidates)) != len(candidates):
        raise UsageError(f"the candidates are {', '.join(candidates) or 'none'}: name each once, and at least one")
    if wrong := [name for name in candidates if not name.strip() or RESERVED & set(name) or name != name.strip()]:
        raise UsageError(f"{wrong[0]!r} cannot be written on a ballot: leave out > = , : and spaces around it")
    known, cast = frozenset(candidates), [form(ballot) for ballot in ballots]
    piles = Counter(cast)
    faults = {pile: why for pile in piles if (why := fault(pile, known))}
    spoilt = [Spoilt(number, faults[pile]) for number, pile in enumerate(cast, 1) if pile in faults] if faults else []
    return tuple(candidates), {pile: many for pile, many in piles.items() if pile not in faults}, tuple(spoilt)


def _ranking(ballot: Any) -> tuple[Any, ...]:
    """Bring a ballot into its form: names in order, and a tuple of names where several stand side by side."""
    if isinstance(ballot, str):
        ranks = [[name.strip() for name in rank.split("=")] for rank in ballot.split(">")] if ballot.strip() else []
        return tuple(rank[0] if len(rank) == 1 else tuple(rank) for rank in ranks)
    if not isinstance(ballot, Iterable):
        return (repr(ballot),)
    form = tuple(ballot)
    try:
        hash(form)
    except TypeError:  # lists within it, as JSON has them
        return tuple(tuple(map(str, name)) if isinstance(name, list | set) else str(name) for name in form)
    return form


def _fault(form: tuple[Any, ...], known: frozenset[str]) -> str:
    """Say why a ballot cannot be counted; nothing if it can."""
    if form and known.issuperset(form) and len(set(form)) == len(form):
        return ""
    for place, name in enumerate(form):
        if isinstance(name, tuple | frozenset) and known.issuperset(name):
            return f"it ranks {' and '.join(sorted(name)) or 'nobody'} side by side: one must come before the other"
        if name not in known:
            return f"it names {name!r}, who is not a candidate"
        if name in form[:place]:
            return f"it names {name!r} twice"
    return "it names nobody"


# --- ties --------------------------------------------------------------------------------------------------------


class Tie(Plain):
    """One use of a rule for ties: where, between whom, whom it took, and what decided."""

    where: str
    among: tuple[str, ...]
    taken: str
    by: str


def lot(candidates: Sequence[str], seed: str) -> tuple[str, ...]:
    """Draw an order of candidates, best first, from a seed that was published before: by SHA-256 of seed and name.

    Anybody can draw it again; nobody can choose it, if the seed was fixed before the candidates were known, or is a
    number that nobody controls.
    """
    return tuple(sorted(candidates, key=lambda name: sha256(f"{seed}\n{name}".encode()).digest()))


class TieBreak:
    """Decides ties by an order of all candidates, best first, and remembers each use."""

    def __init__(self, order: Sequence[str], candidates: Sequence[str]) -> None:
        if order and (len(order) != len(candidates) or set(order) != set(candidates)):
            raise UsageError(f"the order for ties is {', '.join(order)}: name each candidate once, best first")
        self.order = tuple(order)
        self.uses: list[Tie] = []

    def best(self, among: Collection[str], where: str) -> str:
        """Return who comes first in the order."""
        return self._take(among, where, 0)

    def worst(self, among: Collection[str], where: str) -> str:
        """Return who comes last in the order."""
        return self._take(among, where, -1)

    def note(self, among: Collection[str], where: str, taken: str, by: str) -> str:
        self.uses.append(Tie(where, tuple(sorted(among)), taken, by))
        return taken

    def pairs(self, among: Sequence[tuple[str, str]], where: str) -> list[tuple[str, str]]:
        """Sort majorities: by who wins them, and then by who loses them, from the end of the order."""
        self._need([f"{one} over {two}" for one, two in among], where)
        ranked = sorted(among, key=lambda pair: (self.order.index(pair[0]), -self.order.index(pair[1])))
        names = [f"{one} over {two}" for one, two in ranked]
        self.note(names, where, names[0], "the order for ties")
        return ranked

    def _take(self, among: Collection[str], where: str, place: int) -> str:
        if len(among) == 1:
            return next(iter(among))
        self._need(among, where)
        return self.note(among, where, sorted(among, key=self.order.index)[place], "the order for ties")

    def _need(self, among: Collection[str], where: str) -> None:
        if not self.order:
            raise UsageError(
                f"{where}: {', '.join(sorted(among))} are level; state the rule: tie=lot(candidates, a published seed)"
            )


# --- results -----------------------------------------------------------------------------------------------------


class Round(Plain):
    """The votes of each candidate at the end of a round, those that count for nobody any more, and what came of it."""

    votes: Mapping[str, Amount]
    done: str
    spent: Amount = 0


class Lock(Plain):
    """A majority of ranked pairs in the order in which they are looked at, and whether it was locked in."""

    winner: str
    loser: str
    margin: int
    is_locked: bool


class Result(Plain):
    """What a method found, with everything it was found from."""

    method: str
    candidates: tuple[str, ...]
    valid: int
    spoilt: tuple[Spoilt, ...]
    winners: tuple[str, ...]
    ranking: Levels = ()
    quota: int | None = None
    rounds: tuple[Round, ...] = ()
    pairwise: Matrix | None = None
    paths: Matrix | None = None
    locks: tuple[Lock, ...] = ()
    ties: tuple[Tie, ...] = ()

    def text(self) -> str:
        """Tell the whole count."""
        wide = max(map(len, self.candidates))
        lines = [f"{self.method}: {self.valid} valid ballots, {len(self.spoilt)} spoilt"]
        lines += [f"  ballot {ballot.number} is not counted: {ballot.why}" for ballot in self.spoilt]
        lines += [f"quota {self.quota}"] if self.quota is not None else []
        for number, step in enumerate(self.rounds, 1):
            lines.append(f"round {number}: {step.done}")
            lines += [f"  {name:{wide}} {amount(votes):>12}" for name, votes in step.votes.items()]
            lines += [f"  {'-':{wide}} {amount(step.spent):>12}"] if step.spent else []
        for title, matrix in (("before", self.pairwise), ("strongest path", self.paths)):
            lines += _told(title, matrix, self.candidates) if matrix else []
        for lock in self.locks:
            done = "locked" if lock.is_locked else "passed over: it would close a circle"
            lines.append(f"{lock.winner} over {lock.loser} by {lock.margin}: {done}")
        lines += [f"tie, {t.where}: {', '.join(t.among)}; {t.by} takes {t.taken}" for t in self.ties]
        lines += [f"ranking: {' > '.join(' = '.join(level) for level in self.ranking)}"] if self.ranking else []
        return "\n".join([*lines, f"elected: {', '.join(self.winners)}"]) + "\n"


def levels(scores: Mapping[str, Amount]) -> Levels:
    """Put names with the same score together, the highest score first."""
    heights = sorted(set(scores.values()), reverse=True)
    return tuple(tuple(name for name, score in scores.items() if score == height) for height in heights)


def amount(value: Amount) -> str:
    """Write votes: whole, with five decimals, or, where those would not be exact, as a fraction."""
    scaled = Fraction(value) * 10**DECIMALS
    if Fraction(value).denominator == 1 or scaled.denominator != 1:
        return str(value)
    sign, digits = "-" if value < 0 else "", abs(scaled.numerator)
    return f"{sign}{digits // 10**DECIMALS}.{digits % 10**DECIMALS:0{DECIMALS}}"


def _told(title: str, matrix: Matrix, names: Sequence[str]) -> list[str]:
    wide = max(len(title), *map(len, names))
    rows = [f"{title:{wide}} " + " ".join(f"{name:>{wide}}" for name in names)]
    for one in names:
        cells = ("-" if one == other else str(matrix[one, other]) for other in names)
        rows.append(f"{one:{wide}} " + " ".join(f"{cell:>{wide}}" for cell in cells))
    return [row.rstrip() for row in rows]
