"""M7, kinds of ledger: who could stop or rewrite a design, which kind a card describes, and a design for each need.

Owners are counted by what runs; what a kind lets whom do, and what it costs, is read from a run of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from minichain.codec import Plain
from minichain.course.exercise import Exercise, Miss, miss
from minichain.errors import UsageError
from minichain.scenarios import comparison

Figures = Mapping[str, Any]
TRANSACTIONS: Final = 12
QUICK_MS: Final = 2_000


@cache
def figures(kind: str) -> Figures:
    """Do a little work on a kind of ledger, once, and return what was counted."""
    return comparison.run(kind, transactions=TRANSACTIONS)


def owners(kind: str, validators: int = 4, count: int | None = None) -> tuple[int, int]:
    """Return how many owners can stop a design, and how many can rewrite its past."""
    found = comparison.outline(kind, validators, count)["concentration"]
    return found["owners_to_halt"], found["owners_to_rewrite"]


# --- m07.p1: how many owners does it take? ---------------------------------------------------------------------------

DESIGNS: Final[dict[str, tuple[str, int, int | None]]] = {
    "database": ("database", 4, None),
    "private chain": ("private", 4, None),
    "four towns": ("alliance", 4, 4),
    "nine computers of two owners": ("alliance", 9, 2),
}


def counted() -> dict[str, tuple[int, int]]:
    """Return for each design how many owners can stop it, and how many can rewrite it."""
    return {name: owners(*design) for name, design in DESIGNS.items()}


P1 = Exercise("m07.p1", expects=dict)


@P1.each(DESIGNS)
def owners_are_counted(answer: Mapping[str, tuple[int, int]], name: str) -> Miss | None:
    """Judge what is expected of one design: (owners to stop it, owners to rewrite it)."""
    said, truth = tuple(answer.get(name, ())), counted()[name]
    if said == truth:
        return None
    if len(said) != len(truth):
        return miss("two_numbers", name=name)
    if not all(said):
        return miss("nobody_can_stop" if not said[0] else "nobody_to_trust", name=name)
    if truth == (1, 1):
        return miss("chain_protects", name=name)
    return miss("computers_counted" if DESIGNS[name][1] > 4 and said > truth else "miscounted", name=name)


# --- m07.e1: which kind is it? ---------------------------------------------------------------------------------------

RIGHTS: Final = ("reads", "writes", "validates", "joins")
CARDS: Final = {  # what each card says of `RIGHTS`
    "bureau": ("owner", "owner", "owner", "owner"),
    "hospital": ("members", "members", "members", "owner"),
    "towns": ("members", "members", "members", "vote"),
    "suppliers": ("anyone", "anyone", "members", "vote"),
    "services": ("anyone", "anyone", "members", "election"),
    "strangers": ("anyone", "anyone", "anyone", "work"),
}

E1 = Exercise("m07.e1", expects=dict)


@E1.each(CARDS)
def kind_fits_the_card(answer: Mapping[str, str], card: str) -> Miss | None:
    """Judge one card: the kind that is named lets exactly those read, write, validate and join."""
    said = answer.get(card, "")
    if said not in comparison.KINDS:
        return miss("no_kind", card=card, said=said)
    rules = figures(said)["rules"]
    wrong = [right for right, who in zip(RIGHTS, CARDS[card], strict=True) if rules[right] != who]
    if not wrong:
        return None
    if said == "public":
        return miss("mines", card=card)
    return miss("no_coin" if said == "database" else "rights", card=card, right=wrong[0])


# --- m07.e2: a design for each need ----------------------------------------------------------------------------------


class Needs(Plain):
    """What a card asks for. Owners are those that have to fail, or to collude, at least; 0 means that nobody asked."""

    computers: int
    halt: int = 1
    rewrite: int = 1
    reads: str = ""
    writes: str = ""
    is_free: bool = False
    fewest_owners: bool = False


REQUIREMENTS: Final = {
    "own list": Needs(computers=1, is_free=True),
    "four towns": Needs(computers=4, halt=2, rewrite=2, reads="members"),
    "notice board": Needs(computers=4, halt=2, rewrite=2, reads="anyone", writes="anyone", is_free=True),
    "two may leave": Needs(computers=7, halt=3, rewrite=2, reads="members"),
    "nine computers": Needs(computers=9, halt=2, rewrite=2, reads="anyone", is_free=True, fewest_owners=True),
}

E2 = Exercise("m07.e2", expects=dict)


@E2.each(REQUIREMENTS)
def design_meets_the_card(answer: Mapping[str, Mapping[str, Any]], card: str) -> Miss | None:
    """Judge one design by what it takes to stop and to rewrite it, and by what its kind lets people do."""
    design, needs = answer.get(card, {}), REQUIREMENTS[card]
    kind, validators, count = design.get("kind", ""), design.get("validators", 4), design.get("owners")
    try:
        halt, rewrite = owners(kind, validators, count)
    except UsageError as error:
        return miss("not_a_design", card=card, error=str(error))
    computers = 1 if figures(kind)["copies"] == 1 else validators
    if rewrite < needs.rewrite:
        return miss("one_rewrites", card=card, rewrite=rewrite)
    if halt < needs.halt:
        return miss("too_few_owners", card=card, halt=halt, computers=computers)
    if cause := _of_kind(figures(kind), needs):
        return miss(cause, card=card)
    if computers != needs.computers:
        return miss("computers", card=card, computers=computers, needs=needs.computers)
    is_spare = needs.fewest_owners and owners(kind, validators, (count or validators) - 1)[0] >= needs.halt
    return miss("owners_to_spare", card=card) if is_spare else None


def _of_kind(found: Figures, needs: Needs) -> str:
    """Return what is wrong with a kind for these needs: how long it takes, what it costs, or whom it lets do what."""
    if found["tries"] or found["latency_p90_ms"] > QUICK_MS or (needs.is_free and found["fee_per_transaction"]):
        return "mined"
    asked = (("reads", needs.reads), ("writes", needs.writes))
    return "who_may" if any(who and found["rules"][right] != who for right, who in asked) else ""


EXERCISES: Final = {one.id: one for one in (P1, E1, E2)}
