"""A broker pays out on one chain what is locked for him on another: who may sleep, who may not, and what it takes."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import pytest

import minichain as mc
from minichain.client.broker import Broker, claim, lock, reclaim
from minichain.client.styles import Payment, compare, table
from minichain.codec import decode_own
from minichain.crosschain.locks import Lock, lock_key
from minichain.errors import CallFailed, UsageError
from minichain.ledger.types import Call

SECRET = b"what the receiver has thought of"
DIGEST = sha256(SECRET).digest()
MINUTE = 60_000


class Town:
    """Two chains that do not know each other, with a sender, a receiver and a broker."""

    def __init__(self, east: mc.Network, west: mc.Network) -> None:
        self.east, self.west = east, west
        self.sender, self.receiver = east.wallet("anna", 100), west.wallet("ben")
        self.broker = Broker(east, west, units=500)

    def offer(self, amount: int = 40, within_ms: int = 10 * MINUTE) -> bytes:
        """Let the sender lock units for the broker."""
        to = self.broker.on(self.east)
        number: bytes = self.east.send(self.sender, [lock(to, amount, DIGEST, within_ms=within_ms)]).result
        return number

    def balances(self) -> dict[str, int]:
        return {
            "anna": self.east.account(self.sender).balance,
            "ben": self.west.account(self.receiver).balance,
            "broker, east": self.east.account(self.broker.on(self.east)).balance,
            "broker, west": self.west.account(self.broker.on(self.west)).balance,
        }


@pytest.fixture
def town() -> Iterator[Town]:
    interval = {"clock": "logical", "interval_ms": 30_000}
    east = mc.Network.simulated(4, seed=1, chain_id="east", **interval)
    west = mc.Network.simulated(4, seed=2, chain_id="west", **interval)
    with east, west:
        yield Town(east, west)


def wait(network: mc.Network, minutes: int) -> None:
    """Let blocks be made until so much of their time has passed."""
    clerk = network.wallet("clerk", 1)
    head = network.head()
    assert head
    while network.head().time_ms < head.time_ms + minutes * MINUTE:  # type: ignore[union-attr]
        network.send(clerk, [Call("ledger", "transfer", {"to": clerk.did, "amount": 1})])


def until(network: mc.Network, number: bytes) -> int:
    return decode_own(network.state(lock_key(number)).value or b"", Lock).until


BEFORE = {"anna": 100, "ben": 0, "broker, east": 500, "broker, west": 500}
PAID = {"anna": 60, "ben": 40, "broker, east": 540, "broker, west": 460}


def test_the_receiver_is_paid_here_and_the_broker_there(town: Town) -> None:
    given = town.offer()
    taken = town.broker.accept(town.east, given, town.receiver).result
    assert town.broker.settle() == 0, "nobody has shown the secret"
    town.west.send(town.receiver, [claim(taken, SECRET)])
    assert town.broker.settle() == 1
    assert town.balances() == PAID
    assert town.broker.settle() == 0


def test_a_broker_that_begins_anew_finds_on_the_chains_what_he_is_owed(town: Town) -> None:
    taken = town.broker.accept(town.east, town.offer(), town.receiver).result
    town.west.send(town.receiver, [claim(taken, SECRET)])
    assert Broker(town.west, town.east).settle() == 1
    assert town.balances() == PAID


def test_where_the_receiver_never_claims_everybody_gets_his_own_back(town: Town) -> None:
    given = town.offer()
    town.broker.accept(town.east, given, town.receiver)
    wait(town.west, 11)
    assert town.broker.settle() == 1, "the broker takes back his own"
    with pytest.raises(CallFailed, match="its time is not over"):
        town.east.send(town.sender, [reclaim(given)])
    wait(town.east, 11)
    town.east.send(town.sender, [reclaim(given)])
    assert town.balances() == BEFORE
    assert town.broker.settle() == 0


def test_a_broker_who_does_not_serve_delays_and_takes_nothing(town: Town) -> None:
    given = town.offer()
    wait(town.east, 11)
    with pytest.raises(UsageError, match="the lock ends too soon"):
        town.broker.accept(town.east, given, town.receiver)
    town.east.send(town.sender, [reclaim(given)])
    assert town.balances() == BEFORE


def test_a_broker_who_sleeps_too_long_has_paid_himself(town: Town) -> None:
    given = town.offer()
    taken = town.broker.accept(town.east, given, town.receiver).result
    town.west.send(town.receiver, [claim(taken, SECRET)])
    wait(town.east, 11)
    assert town.broker.settle() == 0, "too late"
    town.east.send(town.sender, [reclaim(given)])
    assert town.balances() == {"anna": 100, "ben": 40, "broker, east": 500, "broker, west": 460}


def test_a_receiver_who_claims_in_the_last_moment_leaves_the_broker_his_half(town: Town) -> None:
    given = town.offer()
    taken = town.broker.accept(town.east, given, town.receiver).result
    while town.west.head().time_ms + 60_000 < until(town.west, taken):  # type: ignore[union-attr]
        wait(town.west, 0)
        town.west.send(
            town.west.wallet("clerk", 1), [Call("ledger", "transfer", {"to": town.receiver.did, "amount": 1})]
        )
    town.west.send(town.receiver, [claim(taken, SECRET)])
    wait(town.east, 4)
    assert town.broker.settle() == 1


def test_what_a_broker_does_not_accept(town: Town) -> None:
    with pytest.raises(UsageError, match="no such lock for this broker"):
        town.broker.accept(town.east, bytes(32), town.receiver)
    stranger = town.east.wallet("stranger")
    other = town.east.send(town.sender, [lock(stranger, 1, DIGEST)]).result
    with pytest.raises(UsageError, match="no such lock for this broker"):
        town.broker.accept(town.east, other, town.receiver)
    with pytest.raises(UsageError, match="each need 60000 ms"):
        town.broker.accept(town.east, town.offer(within_ms=2 * MINUTE - 1), town.receiver)
    given = town.offer(amount=10)
    with pytest.raises(UsageError, match="ends too soon"):
        town.broker.accept(town.east, given, town.receiver, clock_ms=until(town.east, given) - MINUTE)
    with pytest.raises(UsageError, match="a new secret"):
        town.broker.accept_all(town.east, [(given, town.receiver)] * 2)
    town.broker.accept(town.east, given, town.receiver)
    with pytest.raises(UsageError, match="a new secret for each payment"):
        town.broker.accept(town.east, given, town.receiver)
    with mc.Network.simulated(1) as moon, pytest.raises(UsageError, match="this broker has nothing on"):
        town.broker.accept(moon, given, town.receiver)


def test_both_styles_pay_the_same_and_take_different_things() -> None:
    def make() -> tuple[mc.Network, mc.Network]:
        made.append(tuple(mc.Network.simulated(4, seed=seed, chain_id=f"chain-{seed}") for seed in (1, 2)))
        return made[-1]

    made: list[tuple[mc.Network, mc.Network]] = []
    payments = [
        Payment("chain-1", "anna", "ben", 30),
        Payment("chain-1", "anna", "cy", 20),
        Payment("chain-2", "dora", "eve", 7),
    ]
    styles = compare(make, payments)
    relayed, brokered = styles
    for one, other in made:
        with one, other:
            balances = [other.account(other.wallet(name)).balance for name in ("ben", "cy")]
            assert [*balances, one.account(one.wallet("eve")).balance] == [30, 20, 7]
            assert one.account(one.wallet("anna")).balance == other.account(other.wallet("dora")).balance == 0
    assert {chain: taken.standing for chain, taken in relayed.chains.items()} == {"chain-1": 0, "chain-2": 0}
    assert {chain: taken.standing for chain, taken in brokered.chains.items()} == {"chain-1": 7, "chain-2": 50}
    for style in styles:
        for taken in style.chains.values():
            assert taken.transactions == sum(taken.signed.values()) >= taken.blocks > 0
    assert [style.total("transactions") for style in styles] == [
        sum(sum(taken.signed.values()) for taken in style.chains.values()) for style in styles
    ]
    assert "receiver" not in {who for taken in relayed.chains.values() for who in taken.signed}, "they may sleep"
    assert brokered.chains["chain-2"].signed == {"sender": 1, "broker": 3, "receiver": 2}
    assert relayed.total("gas") > brokered.total("gas"), "proofs cost more than locks"
    assert len(table(styles)) == 4
