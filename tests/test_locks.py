"""Two people on two chains swap units with nobody between them; and every way in which one of them comes too late."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import builders
import pytest
from builders import key
from test_crossing import Chain

from minichain.ledger.types import Call, Receipt

SECRET = b"what only the one who began knows"
DIGEST = sha256(SECRET).digest()


@pytest.fixture
def chains() -> tuple[Chain, Chain]:
    """Two chains, with a block each second; the bank has units on both."""
    return Chain("east", clock="logical"), Chain("west", clock="logical")


def lock(chain: Chain, giver: str, taker: str, amount: int, seconds: int) -> bytes:
    args = {"to": key(taker).did, "amount": amount, "digest": DIGEST, "within_ms": 1_000 * seconds}
    receipt = chain.do(giver, Call("ledger", "lock", args))
    assert receipt.ok
    number: bytes = receipt.results[0]
    return number


def claim(chain: Chain, who: str, number: bytes, secret: bytes = SECRET) -> Receipt:
    return chain.do(who, Call("ledger", "claim", {"lock": number, "secret": secret}))


def reclaim(chain: Chain, who: str, number: bytes) -> Receipt:
    return chain.do(who, Call("ledger", "reclaim", {"lock": number}))


def wait(chain: Chain, seconds: int) -> None:
    for _ in range(seconds):
        chain.do("carrier", builders.transfer("carrier", 1))


def shown(receipt: Receipt) -> bytes:
    """Read the secret that a claim has shown."""
    return next(event.data["secret"] for event in receipt.events if event.name == "Claimed")


def test_who_takes_one_lets_the_other_take_the_second(chains: tuple[Chain, Chain]) -> None:
    east, west = chains
    first = lock(east, "bank", "carrier", 300, seconds=20)  # the bank knows the secret, and its lock ends last
    second = lock(west, "carrier", "bank", 200, seconds=10)
    taken = claim(west, "bank", second)
    assert taken.ok
    assert claim(east, "carrier", first, shown(taken)).ok
    assert (east.balance("bank"), east.balance("carrier")) == (700, 1_300)
    assert (west.balance("bank"), west.balance("carrier")) == (1_200, 800)


def test_where_one_never_comes_both_get_theirs_back(chains: tuple[Chain, Chain]) -> None:
    east, west = chains
    first, second = lock(east, "bank", "carrier", 300, 6), lock(west, "carrier", "bank", 200, 3)
    assert "its time is not over" in reclaim(west, "carrier", second).error
    wait(west, 4)
    wait(east, 8)
    assert reclaim(west, "carrier", second).ok
    assert reclaim(east, "carrier", first).ok, "anybody may ask; they go back to who locked them"
    assert [chain.balance(who) for chain in chains for who in ("bank", "carrier")] == [1_000] * 4


def test_who_shows_the_secret_too_late_has_given_it_away(chains: tuple[Chain, Chain]) -> None:
    """The claim fails, but everybody has seen the secret: the other lock must not be open any more by then."""
    east, west = chains
    first, second = lock(east, "bank", "carrier", 300, 9), lock(west, "carrier", "bank", 200, 2)
    wait(west, 3)
    late = claim(west, "bank", second)
    assert "its time is over" in late.error
    assert claim(east, "carrier", first, SECRET).ok, "the carrier takes one and keeps the other"
    assert reclaim(west, "carrier", second).ok
    assert (east.balance("carrier"), west.balance("carrier")) == (1_300, 1_000)


def test_two_times_that_lie_too_close_are_a_trap(chains: tuple[Chain, Chain]) -> None:
    """The second lock is claimed in its last second; the first is over before the secret can be used there."""
    east, west = chains
    first, second = lock(east, "bank", "carrier", 300, 4), lock(west, "carrier", "bank", 200, 4)
    wait(west, 3)
    assert claim(west, "bank", second).ok
    wait(east, 4)
    assert "its time is over" in claim(east, "carrier", first).error
    assert reclaim(east, "bank", first).ok
    assert (east.balance("bank"), west.balance("bank")) == (1_000, 1_200), "the bank has both"


@pytest.mark.parametrize("waited", range(3, 7))
def test_at_no_moment_can_both_have_it(chains: tuple[Chain, Chain], waited: int) -> None:
    east, _ = chains
    number = lock(east, "bank", "carrier", 300, 5)
    wait(east, waited)
    outcomes = [claim(east, "carrier", number).ok, reclaim(east, "bank", number).ok]
    assert outcomes.count(True) == 1
    assert east.balance("bank") + east.balance("carrier") == 2_000


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({"amount": 0}, "a positive integer"),
    "too much": ({"amount": 1_001}, "the balance is 1000"),
    "true": ({"amount": True}, "a positive integer"),
    "for ever": ({"within_ms": 10**12}, "`within_ms`, from 1 to"),
    "a short digest": ({"digest": b"x"}, "32 bytes"),
    "to nobody": ({"to": "did:key:zzz"}, "is not the did:key"),
    "to a number": ({"to": 7}, "is not the did:key"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_lock_that_cannot_be(chains: tuple[Chain, Chain], why: str) -> None:
    wrong, words = REFUSED[why]
    args = {"to": key("shop").did, "amount": 1, "digest": DIGEST, "within_ms": 1_000, **wrong}
    receipt = chains[0].do("bank", Call("ledger", "lock", args))
    assert words in receipt.error
    assert chains[0].balance("bank") == 1_000


def test_only_the_taker_with_the_secret_and_only_once(chains: tuple[Chain, Chain]) -> None:
    east, _ = chains
    number = lock(east, "bank", "carrier", 300, 60)
    assert "locked for somebody else" in claim(east, "bank", number).error
    assert "not the secret" in claim(east, "carrier", number, b"guess").error
    assert "not the secret" in claim(east, "carrier", number, bytes(65)).error
    assert "no such lock" in claim(east, "carrier", bytes(32)).error
    assert claim(east, "carrier", number).ok
    assert "no such lock" in claim(east, "carrier", number).error
    assert "no such lock" in reclaim(east, "bank", number).error
    assert east.balance("carrier") == 1_300
