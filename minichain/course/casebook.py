"""The casebook: eleven real cases, and a short story of each that is played on a ledger.

Cards are data (`curriculum/casebook.yaml`): what is said of the case, its parties and dispute, its worksheet, one lie,
safeguards, and what is simpler. A run is known by what it was made of and by a digest of what came of it, so whoever
doubts one plays it again. All people and figures in the stories are invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from minichain.client.network import Network
from minichain.codec import Plain, encode
from minichain.course import place
from minichain.course.exercises.holdings import Holdings
from minichain.course.material import Said, curriculum, read
from minichain.crypto import digest
from minichain.errors import TimedOut, UsageError
from minichain.scenarios.need import Verdict, judge

VALIDATORS: Final = 4
MOST_AWAY: Final = 2
SETTLING_MS: Final = 5_000  # of virtual time, until each validator has the last block
CONTRACT: Final = "holdings"


class Step(Plain, forbid_unknown_fields=True):
    """One transaction of a story; a role in `to` stands for whoever plays it."""

    role: str
    action: str
    args: dict[str, str]
    says: Said


class Lie(Plain, forbid_unknown_fields=True):
    """The step, from 1, in which somebody enters what is not so, and what is so."""

    step: int
    says: Said


class Card(Plain, forbid_unknown_fields=True):
    """A case: its kind is transfer, depository or authorisation; `answers` are those of the worksheet."""

    id: str
    kind: str
    title: Said
    case: Said
    outcome: Said
    parties: Said
    dispute: Said
    answers: dict[str, str]
    persons: bool
    story: tuple[Step, ...]
    lie: Lie
    safeguards: tuple[Said, ...]
    simpler: Said

    @property
    def verdict(self) -> Verdict:
        """Return what the worksheet says."""
        return judge(self.answers)

    @property
    def roles(self) -> tuple[str, ...]:
        """Return who acts, or gets something, in its story; the first one deploys."""
        told = (name for step in self.story for name in (step.role, step.args.get("to", "")))
        return tuple(filter(None, dict.fromkeys(told)))

    def text(self, language: str = "") -> str:
        """Return the card as it is read aloud, without what is not so, in a language (that of the lesson)."""
        language = language or place.bundle().language
        heads = {"en": ("Parties", "Dispute", "Simpler"), "zh": ("各方", "争议", "更简单的办法")}[language]
        parts = zip(heads, (self.parties, self.dispute, self.simpler), strict=True)
        story = (f"{number}. {step.says(language)}" for number, step in enumerate(self.story, 1))
        named = (f"{head}: {said(language)}" for head, said in parts)
        return "\n".join((self.title(language), self.case(language), self.outcome(language), *named, *story))


@cache
def cards() -> dict[str, Card]:
    """Return the cards, by id."""
    return {card.id: card for card in read(curriculum() / "casebook.yaml", tuple[Card, ...])}


def card(id: str) -> Card:
    """Return a card. Raises `UsageError` for one that there is not."""
    if id not in cards():
        raise UsageError(f"there is no card {id!r}: choose from {', '.join(cards())}")
    return cards()[id]


# --- runs --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Run:
    """A story that was played: what became of each step ("ok", the ledger's refusal, or "" for what had to wait)."""

    id: str
    card: str
    seed: int
    away: int
    outcomes: tuple[str, ...]
    roots: tuple[str, ...]  # the state root of each validator that was up

    @property
    def refused(self) -> tuple[int, ...]:
        """Return the steps, from 1, which the ledger refused."""
        return tuple(step for step, said in enumerate(self.outcomes, 1) if said not in ("ok", ""))

    @property
    def is_whole(self) -> bool:
        """Tell whether each step was answered."""
        return "" not in self.outcomes


@cache
def play(id: str, seed: int = 7, away: int = 0) -> Run:
    """Play a story on four validators, so many of them switched off after the contract is there.

    The same card, seed and number give the same run. Raises `UsageError` for what cannot be played.
    """
    told = card(id)
    if not 0 <= away <= MOST_AWAY or seed < 0:
        raise UsageError(f"a seed is 0 or more, and 0 to {MOST_AWAY} of {VALIDATORS} validators are away")
    with Network.simulated(validators=VALIDATORS, seed=seed) as net:
        outcomes = _played(net, told, away)
        net.pass_time(SETTLING_MS)
        up = [report.status for report in net.status() if report.status is not None]
        roots = tuple(status.state_root.hex() for status in up)
    made: list[Any] = [id, seed, away, list(outcomes), list(roots)]
    name = f"{id}-{seed}-{away}-{digest('run of a card', encode(made)).hex()[:10]}"
    return Run(name, id, seed, away, outcomes, roots)


def _played(net: Network, told: Card, away: int) -> tuple[str, ...]:
    wallets = net.wallets(told.roles)
    holdings = net.deploy(Holdings, sender=next(iter(wallets.values())), name=CONTRACT)
    for name in net.nodes[VALIDATORS - away :]:
        net.crash(name)
    outcomes: list[str] = []
    for step in told.story:
        args = {name: wallets[value].did if name == "to" else value for name, value in step.args.items()}
        try:
            receipt = holdings.with_sender(wallets[step.role]).attempt(step.action, **args)
        except TimedOut:
            return (*outcomes, *[""] * (len(told.story) - len(outcomes)))
        outcomes.append("ok" if receipt.ok else receipt.error.partition(": ")[2])
    return tuple(outcomes)


def found(id: str) -> Run:
    """Return the run of an id, played again. Raises `UsageError` if there is none, or if it came out otherwise."""
    parts = id.rsplit("-", 3)
    if len(parts) != 4 or not (parts[1].isdecimal() and parts[2].isdecimal()):
        raise UsageError(f"{id!r} is no run: play(...).id gives one")
    run = play(parts[0], int(parts[1]), int(parts[2]))
    if run.id != id:
        raise UsageError(f"{id!r} was not found again: the same card, seed and number give {run.id}")
    return run
