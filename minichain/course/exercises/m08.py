"""M8, contracts: what a clause does that is not code, three contracts with a mistake, and a test that finds one.

A contract is handed in as its text. It is deployed in a sandbox, and people call it who mean no good.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from minichain.codec import decode_own
from minichain.contracts.sandbox import Outcome, Sandbox, SandboxContract
from minichain.contracts.storage import state_key
from minichain.course.exercise import Exercise, Miss, miss, seeds
from minichain.errors import CallFailed, LanguageError, UsageError

PEOPLE: Final = ("office", "canteen", "resident", "visitor")
OWNER: Final = PEOPLE[0]  # who deploys
CALLS: Final = 60  # of one game of a practice check
GAMES: Final = 2
GAS: Final = 1_000_000  # of one call, some ten times what it needs: a loop without an end is soon stopped

# --- m08.p1: what does a clause do that is not code? -----------------------------------------------------------------

REFUNDS: Final = '''from minichain.contracts.api import Contract, Map, action


class Refunds(Contract):
    """The office gives deposits back, once, and within a reasonable time."""

    held = Map(str, int)

    @action
    def give_back(self, to: str, amount: int) -> None:
        """Give a deposit back, for good reasons only."""
        self.held[to] = self.held.get(to, 0) + amount
'''
MENDED_REFUNDS: Final = REFUNDS.replace("action\n\n", "action, require\n\n").replace(
    "        self.held", '        require(amount > 0, "a refund is more than nothing")\n        self.held', 1
)
FORBIDDEN: Final = {  # by its words: who gives how much to a resident who has got 10 already, after how many days
    "again": (OWNER, 10, 0),
    "late": (OWNER, 10, 366),
    "negative": (OWNER, -5, 0),
    "visitor": ("visitor", 10, 0),
}

P1 = Exercise("m08.p1", expects=dict)


@cache
def clauses() -> Mapping[str, Any]:
    """Try what the words of `REFUNDS` forbid; then let people put a mended contract in its place."""
    town = Town(REFUNDS)
    town.call(OWNER, "give_back", to="resident", amount=10)
    done = set[str]()
    for name, (who, amount, days) in FORBIDDEN.items():
        town.box.advance(days=days)
        if town.call(who, "give_back", to="resident", amount=amount).ok:
            done.add(name)
    before = town.held("resident")
    mended_by = {who for who in ("visitor", OWNER) if town.is_upgraded(MENDED_REFUNDS, who)}
    return {"done": done, "mended_by": mended_by, "undone": town.held("resident") != before}


@P1.part
def words_forbid_nothing(answer: Mapping[str, Any]) -> Miss | None:
    """Judge by what was done although the words forbid it."""
    said, truth = _set(answer.get("done")), clauses()["done"]
    if said - FORBIDDEN.keys():
        return miss("nothing_like_that", said=min(said - FORBIDDEN.keys()))
    return miss("words_only", missing=", ".join(sorted(truth - said))) if said != truth else None


@P1.part
def a_mistake_can_be_mended(answer: Mapping[str, Any]) -> Miss | None:
    """Judge by who put another version in its place."""
    said = _set(answer.get("mended_by"))
    if not said & clauses()["mended_by"]:
        return miss("never_mended")
    return miss("anybody_mends") if said != clauses()["mended_by"] else None


@P1.part
def the_past_is_not_mended(answer: Mapping[str, Any]) -> Miss | None:
    """Judge by what the resident holds after the upgrade."""
    return miss("undone") if answer.get("undone") is not clauses()["undone"] else None


def _set(said: Collection[str] | None) -> set[str]:
    return set(said or ())


# --- a contract among people -----------------------------------------------------------------------------------------


class Town:
    """A sandbox with one contract that keeps `held`, units by did; people are called by their names."""

    def __init__(self, source: str) -> None:
        self.box = Sandbox()
        self.dids = {name: self.box.account(name) for name in PEOPLE}
        self.contract: SandboxContract = self.box.deploy(source, sender=self.dids[OWNER], name="town")
        self.box.gas_limit = GAS

    def call(self, who: str, action: str, **args: Any) -> Outcome:
        """Call an action; names among the arguments become accounts."""
        known = {name: self.dids.get(value, value) for name, value in args.items()}
        return self.box.call(self.dids[who], "town", action, known)

    def held(self, name: str) -> int:
        """Return what somebody holds, read from the state itself."""
        stored = self.box.state.values.get(state_key("town", "held", self.dids[name]))
        return 0 if stored is None else decode_own(stored, int)

    def books(self) -> dict[str, int]:
        """Return what everybody holds."""
        return {name: self.held(name) for name in PEOPLE}

    def is_upgraded(self, source: str, who: str) -> bool:
        """Let somebody try to put another version in place."""
        try:
            self.box.upgrade("town", source, sender=self.dids[who])
        except CallFailed:
            return False
        return True


Step = tuple[str, str, dict[str, Any]]  # who, action, arguments


@dataclass(frozen=True, slots=True)
class Rules:
    """What must hold for a contract: what it does, what it refuses, and which action by whom makes units."""

    actions: Mapping[str, tuple[str, ...]]  # with the names of their arguments
    makes: str
    does: tuple[Step, ...]
    books: Mapping[str, int]  # what people hold after `does`; those who are not named hold nothing
    refuses: tuple[Step, ...]
    only: str = ""  # who alone may make units


def played(source: str, rules: Rules, seed: int, calls: int) -> Miss | None:
    """Let people call whatever they like; return the first rule that a call breaks.

    No unit appears or disappears, nobody has less than nothing, and nobody loses what another one moves.
    """
    town, draw, supply = Town(source), random.Random(seed), 0
    for _ in range(calls):
        who, action = draw.choice(PEOPLE), draw.choice(list(rules.actions))
        args = {name: _drawn(draw, name) for name in rules.actions[action]}
        before = town.books()
        if not town.call(who, action, **args).ok:
            continue
        if action == rules.makes:
            if rules.only and who != rules.only:
                return miss("stranger_made", who=who, amount=args["amount"])
            supply += args["amount"]
        if found := _broken(before, town.books(), who, supply):
            return found
    return None


def _drawn(draw: random.Random, name: str) -> Any:
    return draw.randint(-5, 40) if name == "amount" else draw.choice(PEOPLE)


def _broken(before: Mapping[str, int], now: Mapping[str, int], who: str, supply: int) -> Miss | None:
    for name in PEOPLE:
        if now[name] < 0:
            return miss("below_nothing", who=name, held=now[name])
        if now[name] < before[name] and name != who:
            return miss("stolen", who=who, owner=name)
    if sum(now.values()) != supply:
        return miss("not_conserved", held=sum(now.values()), supply=supply)
    return None


def contract_exercise(id: str, rules: Rules) -> Exercise:
    """Make an exercise whose answer is the text of a contract."""
    exercise = Exercise(id, expects=str)

    @exercise.part
    def it_is_deployed(source: str) -> Miss | None:
        try:
            Town(source)
        except (LanguageError, UsageError, CallFailed) as error:
            return miss("not_deployed", error=str(error).split("\n")[0])
        return None

    @exercise.part
    def it_does_what_it_is_for(source: str) -> Miss | None:
        town = Town(source)
        for who, action, args in rules.does:
            if not (done := town.call(who, action, **args)).ok:
                return miss("too_strict", who=who, action=action, error=done.error)
        truth = dict.fromkeys(PEOPLE, 0) | dict(rules.books)
        return miss("wrong_books", said=town.books(), truth=truth) if town.books() != truth else None

    @exercise.part
    def it_refuses_what_cannot_be(source: str) -> Miss | None:
        for who, action, args in rules.refuses:
            town = Town(source)
            for earlier, done, given in rules.does:
                town.call(earlier, done, **given)
            if town.call(who, action, **args).ok:
                return miss("too_lax", who=who, action=action, amount=args.get("amount", 0))
        return None

    @exercise.part
    def no_game_breaks_a_rule(source: str) -> Miss | None:
        return next(filter(None, (played(source, rules, seed, CALLS) for seed in seeds(GAMES))), None)

    return exercise


# --- m08.e1: who may? ------------------------------------------------------------------------------------------------

VOUCHERS: Final = Rules(
    actions={"issue": ("to", "amount"), "move": ("owner", "to", "amount")},
    makes="issue",
    only=OWNER,
    does=(
        (OWNER, "issue", {"to": "resident", "amount": 10}),
        ("resident", "move", {"owner": "resident", "to": "canteen", "amount": 1}),
        ("resident", "move", {"owner": "resident", "to": "resident", "amount": 9}),
        (OWNER, "issue", {"to": "resident", "amount": 1}),
    ),
    books={"resident": 10, "canteen": 1},
    refuses=(
        (OWNER, "issue", {"to": "resident", "amount": 0}),
        ("resident", "move", {"owner": "resident", "to": "canteen", "amount": 0}),
        ("resident", "move", {"owner": "resident", "to": "canteen", "amount": 11}),
        ("visitor", "move", {"owner": "visitor", "to": "canteen", "amount": 1}),
    ),
)
E1 = contract_exercise("m08.e1", VOUCHERS)

# --- m08.e2: what is written first? ----------------------------------------------------------------------------------

LOCKERS: Final = Rules(
    actions={"pay_in": ("amount",), "hand_over": ("to",)},
    makes="pay_in",
    does=(
        ("resident", "pay_in", {"amount": 10}),
        ("resident", "hand_over", {"to": "canteen"}),
        ("canteen", "hand_over", {"to": "visitor"}),
        ("canteen", "pay_in", {"amount": 1}),
        ("canteen", "hand_over", {"to": "visitor"}),
        ("resident", "pay_in", {"amount": 3}),
    ),
    books={"visitor": 11, "resident": 3},
    refuses=(("resident", "pay_in", {"amount": 0}), ("canteen", "hand_over", {"to": "visitor"})),
)
E2 = contract_exercise("m08.e2", LOCKERS)

# --- m08.e3: where does the last cent go? ----------------------------------------------------------------------------

FEES: Final = Rules(
    actions={"pay_in": ("amount",), "pay": ("to", "amount")},
    makes="pay_in",
    does=(("resident", "pay_in", {"amount": 10_001}), ("resident", "pay", {"to": "canteen", "amount": 10_000})),
    books={"canteen": 9_700, OWNER: 300, "resident": 1},
    refuses=(
        ("resident", "pay_in", {"amount": 0}),
        ("resident", "pay", {"to": "canteen", "amount": 0}),
        ("resident", "pay", {"to": "canteen", "amount": 2}),
    ),
)
E3 = contract_exercise("m08.e3", FEES)


@E3.part
def the_fee_is_three_of_a_hundred(source: str) -> Miss | None:
    """Judge by small payments: the office gets three of a hundred, and less than one unit more or less than that."""
    for amount in (1, 10, 33, 34, 50, 67, 99):
        town = Town(source)
        steps = ("pay_in", {"amount": amount}), ("pay", {"to": "canteen", "amount": amount})
        for action, args in steps:
            if not (done := town.call("resident", action, **args)).ok:
                return miss("too_strict", who="resident", action=action, error=done.error)
        fee = town.held(OWNER)
        if abs(100 * fee - 3 * amount) >= 100:
            return miss("unfair", amount=amount, fee=fee)
    return None


# --- m08.e4: a test that finds the mistake ---------------------------------------------------------------------------

DEPOSITS: Final = '''from minichain.contracts.api import Contract, Map, Value, action, require, view


class Deposits(Contract):
    """Keep the deposits for a market's boxes."""

    held = Map(str, int)
    paid_in = Value(int)

    @action
    def pay_in(self, amount: int) -> None:
        """Pay in a deposit, in cents."""
        require(amount > 0, "a deposit is more than nothing")
        self.held[self.caller] = self.held.get(self.caller, 0) + amount
        self.paid_in += amount

    @action
    def pass_on(self, to: str, amount: int) -> None:
        """Pass a part of one's deposit on to somebody else."""
        mine = self.held.get(self.caller, 0)
        require(0 < amount <= mine, "nobody passes on more than they have")
        {first}
        {then}

    @view
    def sum_held(self) -> int:
        """Add up what everybody holds."""
        return sum(self.held.values(0, 1_000))

    @view
    def sum_paid_in(self) -> int:
        """Tell what was paid in so far."""
        return self.paid_in
'''
LOWERS: Final = "self.held[self.caller] = mine - amount"
STALE: Final = "theirs = self.held.get(to, 0)\n        self.held[to] = theirs + amount"
RIGHT: Final = DEPOSITS.format(first=LOWERS, then="self.held[to] = self.held.get(to, 0) + amount")
BROKEN: Final = DEPOSITS.format(first=STALE, then=LOWERS)  # whoever passes on to themselves loses it

Attack = Callable[[SandboxContract, str], object]

E4 = Exercise("m08.e4", expects=callable)


def attacked(source: str, attack: Attack) -> Exception | None:
    """Let a test try a contract, called by a resident; return what it raises."""
    town = Town(source)
    try:
        attack(town.contract.with_sender(town.dids["resident"]), town.dids["visitor"])
    except NotImplementedError:
        raise
    except Exception as error:
        return error
    return None


@E4.part
def it_finds_the_mistake(attack: Attack) -> Miss | None:
    """Judge by the contract that has read one balance too early."""
    match attacked(BROKEN, attack):
        case None:
            return miss("sees_nothing")
        case AssertionError():
            return None
        case error:
            return miss("stumbles", error=str(error).split("\n")[0])


@E4.part
def it_leaves_a_right_contract_alone(attack: Attack) -> Miss | None:
    """Judge by the same contract without the mistake."""
    error = attacked(RIGHT, attack)
    return miss("cries_wolf", error=str(error) or type(error).__name__) if error else None


EXERCISES: Final = {one.id: one for one in (P1, E1, E2, E3, E4)}
