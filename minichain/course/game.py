"""The consensus game: people are the replicas, some lie in secret, and the rules of the ledger judge what came of it.

A move goes in, and it is so, or it is refused; there is no clock and no chance here. Who leads a phase to its end calls
`Stepped`: whoever has not answered by then was down in that phase.

An honest replica can only say what it may say (Castro and Liskov 1999, one sequence number in one view): it prepares
the proposal it got, and confirms what it got a quorum of prepares for. A liar may say one thing to some and another to
others, in its own name only: nobody can write a slip for somebody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from minichain.codec import Plain
from minichain.crypto import public_of
from minichain.errors import TheirFault
from minichain.ledger.committee import Committee, Member

PROPOSE, PREPARE, COMMIT, OVER = "propose", "prepare", "commit", "over"
PHASES: Final = (PROPOSE, PREPARE, COMMIT, OVER)
FIRST, SECOND = "A", "B"  # the two entries that could be decided on
VALUES: Final = (FIRST, SECOND)
SPLIT, SILENT = "split", "silent"
LEAST, MOST = 4, 13  # players

Slips = tuple[str, ...]  # what one replica said in a phase, by the seat of who got it; "" is nothing


class Refused(TheirFault):
    """A move that is not one. `code` names why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Began(Plain, tag="began", forbid_unknown_fields=True):
    """A round begins: who sits where (each a did:key), which seats lie, and which one proposes."""

    seats: tuple[str, ...]
    liars: tuple[int, ...]
    proposer: int


class Answered(Plain, tag="answered", forbid_unknown_fields=True):
    """Somebody chose: one of the `VALUES`, `SPLIT` or `SILENT`."""

    did: str
    phase: str
    choice: str


class Stepped(Plain, tag="stepped", forbid_unknown_fields=True):
    """The phase is over."""


Move = Began | Answered | Stepped


@dataclass(slots=True)
class Game:
    """One round, as the moves tell."""

    seats: tuple[str, ...]
    liars: frozenset[int]
    proposer: int
    committee: Committee
    phase: str = PROPOSE
    said: dict[str, dict[int, Slips]] = field(default_factory=lambda: {phase: {} for phase in PHASES})

    # --- who may say what ---

    def seat(self, did: str) -> int:
        """Return where somebody sits. Raises `Refused` for who does not play."""
        if did not in self.seats:
            raise Refused("game_not_in")
        return self.seats.index(did)

    def choices(self, seat: int) -> tuple[str, ...]:
        """Return what a seat may say now; nothing means that it has to wait."""
        if self.phase == OVER or (self.phase == PROPOSE and seat != self.proposer):
            return ()
        if seat in self.liars:
            return (*VALUES, SPLIT, SILENT)
        match self.phase:
            case "propose":
                return VALUES
            case "prepare":
                found = self.proposal(seat)
            case _:
                found = self.prepared(seat)
        return (found,) if found else ()

    def waits_for(self) -> list[int]:
        """Return the seats that could say something and have not yet."""
        return [seat for seat in range(len(self.seats)) if self.choices(seat) and seat not in self.said[self.phase]]

    def halves(self) -> Slips:
        """Return what a liar who splits says to each seat: one half of the honest hears this, the other half that."""
        honest = [seat for seat in range(len(self.seats)) if seat not in self.liars]
        first = set(honest[: len(honest) // 2]) | self.liars
        return tuple(FIRST if seat in first else SECOND for seat in range(len(self.seats)))

    # --- what a seat has heard ---

    def heard(self, seat: int, phase: str) -> dict[int, str]:
        """Return who said what to a seat in a phase."""
        return {other: slips[seat] for other, slips in self.said[phase].items() if slips[seat]}

    def proposal(self, seat: int) -> str:
        """Return what was proposed to a seat, "" if nothing."""
        return self.heard(seat, PROPOSE).get(self.proposer, "")

    def prepared(self, seat: int) -> str:
        """Return what a seat is prepared for: its proposal, if a quorum says that it got the same."""
        mine = self.proposal(seat)
        return mine if mine and self.is_quorum(self.heard(seat, PREPARE), mine) else ""

    def final(self, seat: int) -> str:
        """Return what is final for a seat: that which a quorum has confirmed to it, "" if nothing is."""
        slips = self.heard(seat, COMMIT)
        return next((value for value in VALUES if self.is_quorum(slips, value)), "")

    def is_quorum(self, slips: Mapping[int, str], value: str) -> bool:
        """Tell whether those who say a value are a quorum, as the ledger counts one."""
        return self.committee.is_quorum(self.weigh(other for other, said in slips.items() if said == value))

    def weigh(self, seats: Iterable[int]) -> int:
        """Return the weight of seats together."""
        return self.committee.weigh(self.committee.members[seat].public for seat in seats)

    # --- moves ---

    def apply(self, move: Answered | Stepped) -> None:
        """Let a move be so; `require` has let it pass."""
        match move:
            case Stepped():
                self.phase = PHASES[PHASES.index(self.phase) + 1]
            case Answered(did, phase, choice):
                self.said[phase][self.seat(did)] = self._slips(choice)

    def _slips(self, choice: str) -> Slips:
        return {SPLIT: self.halves(), SILENT: ("",) * len(self.seats)}.get(choice) or (choice,) * len(self.seats)

    def require(self, move: Answered | Stepped) -> None:
        """Raise `Refused` for a move that is not one now."""
        if self.phase == OVER:
            raise Refused("game_ended")
        if isinstance(move, Answered):
            seat = self.seat(move.did)
            if move.phase != self.phase:
                raise Refused("game_too_late")
            if seat in self.said[self.phase]:
                raise Refused("game_said")
            if move.choice not in self.choices(seat):
                raise Refused("game_not_allowed")


def begin(move: Began) -> Game:
    """Start a round. Raises `Refused` unless there are enough players, and not too many."""
    if not LEAST <= len(move.seats) <= MOST:
        raise Refused("game_players")
    if not set(move.liars) < set(range(len(move.seats))) or move.proposer not in range(len(move.seats)):
        raise Refused("game_players")
    members = (Member(f"seat {at}", public_of(did)) for at, did in enumerate(move.seats, 1))
    return Game(move.seats, frozenset(move.liars), move.proposer, Committee(members))


# --- judging -----------------------------------------------------------------------------------------------------


class Verdict(Plain):
    """What came of a round. Seats count from 0; `finals` has what is final for each, `down` who said nothing when."""

    finals: tuple[str, ...]
    is_safe: bool
    is_live: bool
    liars: tuple[int, ...]
    bears: int  # liars that so many players bear
    needed: int  # of a quorum
    two_faced: tuple[tuple[str, int], ...]  # (phase, seat) that said one thing to some and another to others
    down: tuple[tuple[str, int], ...]
    in_both: tuple[int, ...]  # seats that stand in two quorums for different entries
    where: str  # it went wrong: nowhere, too_many_liars, two_proposals, silent_proposer, too_few


def judge(game: Game) -> Verdict:
    """Judge a round that is over, or say how it stands."""
    seats = range(len(game.seats))
    honest = [seat for seat in seats if seat not in game.liars]
    finals = tuple(game.final(seat) for seat in seats)
    reached = {finals[seat] for seat in honest} - {""}
    is_live = all(finals[seat] for seat in honest)
    two_faced = tuple((phase, seat) for phase in PHASES for seat, slips in game.said[phase].items() if _splits(slips))
    return Verdict(
        finals=finals,
        is_safe=len(reached) <= 1,
        is_live=is_live,
        liars=tuple(sorted(game.liars)),
        bears=bearable(game.committee),
        needed=needed(game.committee),
        two_faced=two_faced,
        down=_down(game),
        in_both=_in_both(game, finals, honest),
        where=_where(game, len(reached) > 1, is_live, two_faced),
    )


def bearable(committee: Committee) -> int:
    """Return how many of equal weight may lie or be down while the others still decide: f of 3f + 1."""
    return max(count for count in range(len(committee.members)) if committee.can_lose(count))


def needed(committee: Committee) -> int:
    """Return how many of equal weight are a quorum."""
    return min(count for count in range(len(committee.members) + 1) if committee.is_quorum(count))


def _splits(slips: Slips) -> bool:
    return len(set(slips) - {""}) > 1


def _down(game: Game) -> tuple[tuple[str, int], ...]:
    """Return who could have said something, in which phase, and did not."""
    found = list[tuple[str, int]]()
    for phase in PHASES[:-1]:
        as_it_was = Game(game.seats, game.liars, game.proposer, game.committee, phase, game.said)
        found += [(phase, seat) for seat in as_it_was.waits_for()]
        found += [(phase, seat) for seat, slips in game.said[phase].items() if not any(slips)]
    return tuple(found) if game.phase == OVER else ()


def _in_both(game: Game, finals: Slips, honest: Iterable[int]) -> tuple[int, ...]:
    """Return who confirmed one entry to one honest replica and the other to another: both certificates name them."""
    signers: dict[str, set[int]] = {value: set() for value in VALUES}
    for seat in honest:
        if value := finals[seat]:
            signers[value] |= {other for other, said in game.heard(seat, COMMIT).items() if said == value}
    return tuple(sorted(signers[FIRST] & signers[SECOND]))


def _where(game: Game, is_forked: bool, is_live: bool, two_faced: tuple[tuple[str, int], ...]) -> str:
    """Name the first thing that went wrong, and had a consequence."""
    if is_forked:
        return "too_many_liars"
    if is_live:
        return "nowhere"
    if not any(game.said[PROPOSE].get(game.proposer, ())):
        return "silent_proposer"
    return "two_proposals" if (PROPOSE, game.proposer) in two_faced else "too_few"


def told(game: Game) -> dict[str, Any]:
    """Return the game as a console shows it; who lies, and what was said, only when it is over."""
    is_over = game.phase == OVER
    common = {
        "seats": game.seats,
        "proposer": game.proposer,
        "phase": game.phase,
        "needed": needed(game.committee),
        "answered": sorted(game.said[game.phase]),
        "waits_for": game.waits_for(),
        "bears": bearable(game.committee),
    }
    if not is_over:
        return {**common, "verdict": None, "said": {}}
    verdict = judge(game)
    said = {phase: {str(seat): slips for seat, slips in sorted(game.said[phase].items())} for phase in PHASES[:-1]}
    return {**common, "verdict": {name: getattr(verdict, name) for name in verdict.__struct_fields__}, "said": said}
