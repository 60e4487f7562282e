"""Three public chains of three consortia, each connected to each: what two of them do needs no chain between them."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import combinations

import pytest
from test_crossing import DESK

import minichain as mc
from minichain.client.crossing import alliance, cross, unsettled
from minichain.client.relayer import Relayer
from minichain.client.wallet import Wallet
from minichain.ledger.types import Call

Three = tuple[mc.Network, mc.Network, mc.Network]
CITIES = ("coast", "hills", "plain")


@pytest.fixture
def networks() -> Iterator[Three]:
    """The chain of the coast is where people are at home."""
    coast, hills, plain = (
        mc.Network.simulated(
            4, seed=seed, chain_id=name, profile="public_consortium", identity_home="" if name == "coast" else "coast"
        )
        for seed, name in enumerate(CITIES, 1)
    )
    with coast, hills, plain:
        alliance((coast, hills, plain))
        yield coast, hills, plain


def carry_all(networks: Three) -> int:
    """Let one relayer for each pair carry until nothing is due."""
    relayers, total = [Relayer(one, other) for one, other in combinations(networks, 2)], 0
    while brought := sum(relayer.carry() for relayer in relayers):
        total += brought
    return total


def test_each_is_connected_to_each_and_there_is_nothing_else(networks: Three) -> None:
    for network in networks:
        others = {name for name in CITIES if name != network.genesis.spec.chain_id}
        assert {channel["chain"] for channel in network.contract("bridge").connections()} == others
        assert network.genesis.spec.profile == "public_consortium"


def test_units_go_round_and_none_is_lost(networks: Three) -> None:
    """What leaves a chain is counted as abroad there, and what was made for it as below zero where it came to."""
    coast, hills, plain = networks
    traveller = coast.wallet("bank")
    before = coast.account(traveller).balance
    for source, target in ((coast, hills), (hills, plain), (plain, coast)):
        cross(source, target, traveller, traveller, 300)
        assert carry_all(networks) == 2
    assert coast.account(traveller).balance == before
    assert [network.account(traveller).balance for network in (hills, plain)] == [0, 0]
    abroad = {
        (network.genesis.spec.chain_id, channel["chain"]): channel["abroad"]
        for network in networks
        for channel in network.contract("bridge").connections()
    }
    assert {pair: abroad[pair] + abroad[pair[::-1]] for pair in abroad} == dict.fromkeys(abroad, 0)
    assert [abroad[pair] for pair in (("coast", "hills"), ("hills", "plain"), ("plain", "coast"))] == [300] * 3
    assert {left for network in networks for _, left in unsettled(network)} == {0}


def test_a_contract_asks_two_others_and_hears_from_both(networks: Three) -> None:
    here, *_ = [network.deploy(DESK, sender=network.wallet("office")) for network in networks]
    for chain in CITIES[1:]:
        here.ask(chain=chain, text=f"is {chain} open?")
    assert carry_all(networks) == 4
    outcomes = [networks[0].contract("bridge").outcome(chain=chain, number=1) for chain in CITIES[1:]]
    assert [(one["outcome"], one["result"]) for one in outcomes] == [("done", [1])] * 2


def test_two_people_swap_units_of_two_chains_by_locks(networks: Three) -> None:
    """No relayer and no connection is needed: what crosses is a secret, which people carry themselves."""
    coast, _, plain = networks
    ann, bob, secret = coast.wallet("ann", units=300), plain.wallet("bob", units=200), b"known to Ann alone"

    def lock(network: mc.Network, giver: Wallet, taker: Wallet, amount: int, within_ms: int) -> bytes:
        args = {"to": taker.did, "amount": amount, "digest": sha256(secret).digest(), "within_ms": within_ms}
        number: bytes = network.send(giver, [Call("ledger", "lock", args)]).result
        return number

    first = lock(coast, ann, bob, 300, 120_000)  # her lock ends last, for she knows the secret
    second = lock(plain, bob, ann, 200, 60_000)
    taken = plain.send(ann, [Call("ledger", "claim", {"lock": second, "secret": secret})])
    shown = next(event.data["secret"] for event in taken.events if event.name == "Claimed")
    coast.send(bob, [Call("ledger", "claim", {"lock": first, "secret": shown})])
    assert (coast.account(ann).balance, coast.account(bob).balance) == (0, 300)
    assert (plain.account(ann).balance, plain.account(bob).balance) == (200, 0)


def test_one_person_is_the_same_on_all_three(networks: Three) -> None:
    coast, hills, plain = networks
    clerk = coast.wallet("clerk")
    later = coast.identity.rotate(clerk)
    assert carry_all(networks) == 2, "the same receipt, to each of the others"
    found = [network.identity.resolve(clerk).document for network in networks]
    assert found[0] == found[1] == found[2]
    for network in (hills, plain):
        assert network.send(later, [Call("identity", "found", {"name": "Office", "services": []})]).ok
