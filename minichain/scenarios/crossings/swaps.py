"""Two people swap units of two chains by locks under one secret, with nobody between them.

A locks first, and knows the secret; B locks under the same digest; A takes B's units and thereby shows the secret; with
it B takes A's. It goes well if A's lock ends last, by enough, and both act in time.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from minichain.client.network import Network
from minichain.client.receipt import Receipt
from minichain.client.wallet import Wallet
from minichain.ledger.types import Call
from minichain.scenarios.crossings.staging import A, B, Stage

GIVES: Final = 300
GETS: Final = 200
LONG_MS: Final = 120_000
SHORT_MS: Final = 60_000
SECRET: Final = b"four little words, please"


def play(stage: Stage) -> None:
    """Play the story."""
    east, west = stage.source, stage.target
    people = {name: [stage.person(network, name) for network in (east, west)] for name in (A, B)}
    (a, a_there), (b, b_there) = people.values()
    stage.begin()
    first_ms, second_ms = (SHORT_MS, LONG_MS) if stage.has("disorder") else (LONG_MS, SHORT_MS)
    first = _lock(stage, east, a, b, GIVES, first_ms)
    second = _lock(stage, west, b_there, a_there, GETS, second_ms)
    if stage.has("timeout"):
        _let_it_end(stage, (a, a_there), (b, b_there), (first, second))
        return
    if stage.has("disorder"):  # A waits until A's own lock is over, and B's is not
        stage.wait(first_ms)
        stage.note("waited", west, A, ms=first_ms)
        _take_back(stage, east, a, first, GIVES)
    _claim(stage, west, a_there, second, GETS)
    if stage.has("replay"):
        _claim(stage, west, a_there, second, GETS, lie="replay")
    _claim(stage, east, b, first, GIVES, came=west)
    if stage.has("disorder"):
        stage.note("lost", east, B, amount=GETS)
    else:
        stage.note("swapped", east, B, gives=GIVES, gets=GETS)


def _lock(stage: Stage, network: Network, giver: Wallet, taker: Wallet, amount: int, within_ms: int) -> bytes:
    terms = {"to": taker.did, "amount": amount, "digest": sha256(SECRET).digest(), "within_ms": within_ms}
    told = {"amount": amount, "to": taker.name, "within_ms": within_ms}
    receipt = stage.do("locked", network, giver, Call("ledger", "lock", terms), **told)
    assert receipt
    number: bytes = receipt.result
    return number


def _claim(stage: Stage, network: Network, who: Wallet, lock: bytes, amount: int, **told: Any) -> Receipt | None:
    call = Call("ledger", "claim", {"lock": lock, "secret": SECRET})
    return stage.do("claimed", network, who, call, amount=amount, **told)


def _take_back(stage: Stage, network: Network, who: Wallet, lock: bytes, amount: int, **told: Any) -> Receipt | None:
    return stage.do("reclaimed", network, who, Call("ledger", "reclaim", {"lock": lock}), amount=amount, **told)


def _let_it_end(stage: Stage, a: tuple[Wallet, Wallet], b: tuple[Wallet, Wallet], locks: tuple[bytes, bytes]) -> None:
    """Let A fall silent until the second lock is over."""
    east, west = stage.source, stage.target
    _take_back(stage, west, b[1], locks[1], GETS, lie="early")
    stage.wait(SHORT_MS)
    stage.note("waited", west, A, ms=SHORT_MS)
    _claim(stage, west, a[1], locks[1], GETS, lie="late")
    _take_back(stage, west, b[1], locks[1], GETS)
    stage.wait(LONG_MS - SHORT_MS)
    _take_back(stage, east, a[0], locks[0], GIVES)
