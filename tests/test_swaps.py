"""Every order in which a swap of two locks can go, tried out on the ledger's own rules: who keeps the rule never loses.

The bank knows the secret and locks first, on the east chain; the carrier locks second, on the west chain. The secret is
in every claim that was sent, also in one that comes too late. Time is counted in ticks, and passes on each chain by
itself: the clocks of the two are at most one tick apart, a claim is in a block at most one tick after it was sent, and
who keeps the rule answers within one tick of seeing a block. Within that, anything may happen in any order.

The rule of the second: his own lock ends three ticks before the first, one for each of these; and he claims as soon as
he can. The rule of the first: no claim is sent in the last tick, for it may come into a block after it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from builders import genesis, key

from minichain.codec import encode
from minichain.contracts.meter import GasMeter
from minichain.contracts.runtime import Frame, Runtime
from minichain.crosschain import locks
from minichain.errors import ContractFault
from minichain.ledger.state import Account, Overlay, account_key
from minichain.ledger.types import Event

SECRET = b"what only the one who began knows"
DIGEST = sha256(SECRET).digest()
BANK, CARRIER = key("bank").public, key("carrier").public
SECOND_ENDS = 3  # in ticks, on the west chain
APART = DELAY = REACTION = 1  # ticks: of the clocks, of a claim on its way into a block, of who answers a block
CHAIN, RUNTIME = genesis(), Runtime()
GOLDEN = Path(__file__).parent / "golden" / "swaps"


class Chain(NamedTuple):
    """A clock in ticks, and a state; with one lock, once it is made."""

    now: int = 0
    state: frozenset[tuple[bytes, bytes]] = frozenset(
        (account_key(who), encode(Account(balance=1_000))) for who in (BANK, CARRIER)
    )
    lock: bytes = b""

    def does(self, sender: bytes, action: str, **args: Any) -> tuple[Chain, list[Event]] | None:
        """Return the chain after an action of the ledger; None if that is refused."""
        overlay = Overlay(dict(self.state).get)
        frame = Frame(
            overlay=overlay,
            meter=GasMeter(10**6),
            events=[],
            signer="",
            height=1,
            now_ms=self.now,
            chain="",
        )
        try:
            result = locks.ACTIONS[action][0](RUNTIME, CHAIN, frame, sender, **args)
        except ContractFault:
            return None
        values = {k: v for k, v in (dict(self.state) | overlay.writes).items() if v is not None}
        lock = result if action == "lock" else self.lock
        return Chain(self.now, frozenset(values.items()), lock), frame.events

    def balance(self, who: bytes) -> int:
        return Overlay(dict(self.state).get).account(who).balance

    @property
    def locked(self) -> int:
        return sum(locks.units_locked(k, v) for k, v in self.state)


class Swap(NamedTuple):
    """Both chains, and the two claims: when they were sent, by their chain's clock, and whether a block has them.

    `seen` is the time on the east chain when a block on the west chain showed the secret. -1: not yet.
    """

    east: Chain = Chain()
    west: Chain = Chain()
    second_sent: int = -1
    second_in: bool = False
    seen: int = -1
    first_sent: int = -1
    first_in: bool = False


class Rules(NamedTuple):
    """When the first lock ends, and who keeps which rule.

    The bank is in time with its claim; the carrier looks for the first lock before he makes his own, and answers
    within a tick.
    """

    first_ends: int
    in_time: bool = True
    looks: bool = True
    answers: bool = True

    @property
    def end(self) -> int:
        return max(self.first_ends, SECOND_ENDS) + 2


Step = tuple[str, Swap]


def steps(swap: Swap, rules: Rules) -> Iterator[Step]:
    """Yield whatever may happen next, in words, with what it makes."""
    yield from locking(swap, rules)
    yield from claiming(swap, rules)
    for name, lock, chain in (("east", swap.east.lock, swap.east), ("west", swap.west.lock, swap.west)):
        back = chain.does(BANK, "reclaim", lock=lock) if lock else None
        if back:
            yield f"the lock on the {name} chain is given back", swap._replace(**{name: back[0]})
    yield from passing(swap, rules)


def locking(swap: Swap, rules: Rules) -> Iterator[Step]:
    east, west = swap.east, swap.west
    if not east.lock and east.now < rules.first_ends:
        args = {"to": key("carrier").did, "amount": 300, "digest": DIGEST, "within_ms": rules.first_ends - east.now}
        done = east.does(BANK, "lock", **args)
        assert done
        yield f"the bank locks 300 on the east chain until {rules.first_ends}", swap._replace(east=done[0])
    if (east.locked or not rules.looks) and not west.lock and west.now < SECOND_ENDS:
        args = {"to": key("bank").did, "amount": 200, "digest": DIGEST, "within_ms": SECOND_ENDS - west.now}
        done = west.does(CARRIER, "lock", **args)
        assert done
        yield f"the carrier locks 200 on the west chain until {SECOND_ENDS}", swap._replace(west=done[0])


def claiming(swap: Swap, rules: Rules) -> Iterator[Step]:
    east, west = swap.east, swap.west
    in_time = not rules.in_time or (west.locked and west.now + DELAY <= SECOND_ENDS)
    if west.lock and swap.second_sent < 0 and in_time:
        yield "the bank sends its claim, and the secret with it", swap._replace(second_sent=west.now)
    if swap.second_sent >= 0 and not swap.second_in:
        done = west.does(BANK, "claim", lock=west.lock, secret=SECRET)
        shown = swap._replace(second_in=True, seen=east.now, west=done[0] if done else west)
        yield f"a block of the west chain has it{'' if done else ', too late'}", shown
    knows = swap.seen >= 0 or (swap.second_sent >= 0 and not rules.answers)
    if knows and east.lock and swap.first_sent < 0:
        yield "the carrier sends his claim with the same secret", swap._replace(first_sent=east.now)
    if swap.first_sent >= 0 and not swap.first_in:
        done = east.does(CARRIER, "claim", lock=east.lock, secret=SECRET)
        taken = swap._replace(first_in=True, east=done[0] if done else east)
        yield f"a block of the east chain has it{'' if done else ', too late'}", taken


def passing(swap: Swap, rules: Rules) -> Iterator[Step]:
    """Let time pass, where nothing is due that must have happened by now."""
    east, west = swap.east, swap.west
    answers = rules.answers and swap.seen >= 0 and swap.first_sent < 0 and east.locked
    is_late = answers and east.now - swap.seen >= REACTION
    first_due = swap.first_sent >= 0 and not swap.first_in and east.now - swap.first_sent >= DELAY
    if east.now < rules.end and east.now - west.now < APART and not is_late and not first_due:
        yield f"it is {east.now + 1} on the east chain", swap._replace(east=east._replace(now=east.now + 1))
    second_due = swap.second_sent >= 0 and not swap.second_in and west.now - swap.second_sent >= DELAY
    if west.now < rules.end and west.now - east.now < APART and not second_due:
        yield f"it is {west.now + 1} on the west chain", swap._replace(west=west._replace(now=west.now + 1))


def outcome(swap: Swap) -> tuple[bool, bool, bool]:
    """Return whether nothing is locked any more, and who of the bank and the carrier has given and not got."""
    first_paid, second_paid = swap.east.balance(CARRIER) > 1_000, swap.west.balance(BANK) > 1_000
    is_over = not (swap.east.locked or swap.west.locked)
    return is_over, is_over and first_paid and not second_paid, is_over and second_paid and not first_paid


class Walk:
    """All that can happen, found breadth first: so the first schedule to a place is a shortest one."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.came: dict[Swap, tuple[str, Swap | None]] = {Swap(): ("", None)}
        self.ends: list[Swap] = []
        self.after: dict[Swap, list[Swap]] = {}
        queue = deque(self.came)
        while queue:
            at = queue.popleft()
            found = list(steps(at, rules))
            self.after[at] = [reached for _, reached in found]
            if not found:
                self.ends.append(at)
            for words, reached in found:
                if reached not in self.came:
                    self.came[reached] = (words, at)
                    queue.append(reached)

    def schedules(self) -> int:
        """Return how many orders of steps lead from the beginning to an end."""

        @cache
        def ways(at: Swap) -> int:
            return sum(map(ways, self.after[at])) or 1

        return ways(Swap())

    def losing(self, who: int) -> str:
        """Return a shortest schedule by which somebody (1: the bank, 2: the carrier) loses, or ""."""
        at: Swap | None = next((swap for swap in self.came if outcome(swap)[who]), None)
        lines = []
        while at is not None:
            words, at = self.came[at]
            lines.append(words)
        return "\n".join(reversed(lines)).strip()


def claims_and_locks_agree(swap: Swap) -> bool:
    """Tell whether on each chain all units are still there, and no lock has paid both."""
    return all(chain.balance(BANK) + chain.balance(CARRIER) + chain.locked == 2_000 for chain in swap[:2]) and (
        swap.east.balance(BANK) <= 1_000 and swap.west.balance(CARRIER) <= 1_000
    )


SAFE = SECOND_ENDS + APART + DELAY + REACTION  # when the first lock ends at the earliest, by the rule


@pytest.mark.parametrize("first_ends", range(SECOND_ENDS - 1, SAFE + 1))
@pytest.mark.parametrize("bank", [True, False])
@pytest.mark.parametrize("carrier", [True, False])
def test_who_keeps_the_rule_never_loses_whatever_the_other_does(first_ends: int, bank: bool, carrier: bool) -> None:
    walk = Walk(Rules(first_ends, bank, carrier, carrier))
    assert all(map(claims_and_locks_agree, walk.came)), "nothing is paid twice, nothing is lost"
    assert all(outcome(swap)[0] for swap in walk.ends), "it comes to an end, and then nothing is locked any more"
    assert any(swap.east.balance(CARRIER) == 1_300 and swap.west.balance(BANK) == 1_200 for swap in walk.ends)
    if bank:
        assert not walk.losing(1)
    assert bool(walk.losing(2)) == (not carrier or first_ends < SAFE), "three ticks are enough, and two are not"


STORIES = {
    "the second lock ends last": (Rules(SECOND_ENDS - 1), 2),
    "both end at once": (Rules(SECOND_ENDS), 2),
    "a tick is missing between them": (Rules(SAFE - 1), 2),
    "the second locks before the first": (Rules(SAFE, looks=False), 2),
    "the second waits after he has seen the secret": (Rules(SAFE, answers=False), 2),
    "the first waits to the end": (Rules(SAFE, in_time=False), 1),
}


@pytest.mark.parametrize("story", STORIES)
def test_who_breaks_the_rule_loses_by_this_schedule(story: str) -> None:
    rules, who = STORIES[story]
    golden = (GOLDEN / f"{story.replace(' ', '_')}.txt").read_text(encoding="utf-8")
    told = f"{story}: the {('bank', 'carrier')[who - 1]} has given and not got\n\n{Walk(rules).losing(who)}\n"
    assert told == golden


def test_the_walk_is_as_large_as_it_says() -> None:
    """Orders of steps, not only places reached: each of these was as good as played."""
    walk = Walk(Rules(SAFE, in_time=False, looks=False, answers=False))
    assert (len(walk.came), walk.schedules()) == (7_170, 758_245_328)
