"""The five kinds of chain start, and are what their names say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import builders
import pytest
from society import require_consistent
from test_cli import COULD_NOT, home, read, run, up

import minichain as mc
from minichain.client.simulated import SimulatedWorld
from minichain.errors import ConfigError, UsageError
from minichain.ledger.genesis import Access, Authority, ChainSpec, Delegation, Fee, Genesis, Quota, Work
from minichain.ledger.local import OWNER, new_chain, root_of
from minichain.ledger.profiles import PROFILES, settings_of

assert home  # the fixture

FACTS: dict[str, Callable[[ChainSpec], bool]] = {
    "public": lambda spec: (
        spec.engine == "pow" and isinstance(spec.policy, Fee) and spec.access == Access() and spec.membership is None
    ),
    "private": lambda spec: (
        spec.engine == "raft"
        and isinstance(spec.policy, Quota)
        and spec.access == Access("members", "members")
        and {member.owner for member in spec.members} == {OWNER}
    ),
    "alliance": lambda spec: (
        spec.engine == "bft" and isinstance(spec.membership, Authority) and spec.access == Access("members", "members")
    ),
    "open_alliance": lambda spec: (
        spec.engine == "bft"
        and isinstance(spec.membership, Authority)
        and spec.access == Access()
        and isinstance(spec.policy, Quota)
    ),
    "public_consortium": lambda spec: (
        spec.engine == "bft" and isinstance(spec.membership, Delegation) and spec.access == Access()
    ),
}


def test_every_profile_has_its_facts() -> None:
    assert FACTS.keys() == PROFILES.keys()


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_starts_and_is_what_it_says(profile: str) -> None:
    with mc.Network.simulated(validators=4, seed=3, profile=profile) as net:
        spec = net.genesis.spec
        assert spec.profile == profile
        assert FACTS[profile](spec)
        counter = net.deploy(builders.COUNTER, sender=net.wallet("office"))
        counter.add(2)
        counter.add(3)
        net.wait_for_height(net.height())
        governed = any(name == "members" for name, _, _ in net.contracts())
        assert governed == (spec.membership is not None)
        assert isinstance(net.world, SimulatedWorld)
        for name in net.nodes:
            require_consistent(net.genesis, net.world.world.store(name))


def test_in_a_public_consortium_the_bank_can_elect_a_member() -> None:
    with mc.Network.simulated(validators=4, seed=3, profile="public_consortium") as net:
        members = net.contract("members", sender=net.wallet("bank"))
        candidate = net.nodes[2]
        receipt = members.delegate(candidate=net.genesis.spec.members[2].did, amount=5)
        assert receipt.ok
        assert [candidate, net.genesis.spec.members[2].did, 5] == members.candidates()[0]


def test_any_setting_of_a_profile_may_be_another() -> None:
    genesis, _ = new_chain(3, root_of(1), {"profile": "alliance", "engine": "raft", "policy": Fee(2)})
    assert (genesis.spec.profile, genesis.spec.engine, genesis.spec.policy) == ("alliance", "raft", Fee(2))
    assert genesis.spec.access == Access("members", "members")


@pytest.mark.parametrize("name", ["", "Public", "consortium", "private "])
def test_a_profile_that_is_none_is_named_with_those_there_are(name: str) -> None:
    with pytest.raises(ConfigError, match=f"there is no profile {name!r}: choose one of public, private, alliance"):
        settings_of(name)
    with pytest.raises(ConfigError, match="there is no profile"):
        mc.Network.simulated(profile=name)


BAD: dict[str, dict[str, Any]] = {
    "engine 'dice': choose one of bft, raft, pow": {"engine": "dice"},
    "engine '': choose one of": {"engine": ""},
    "clock 'sun': choose one of wall, logical": {"clock": "sun"},
    "access.reads 'nobody': choose one of anyone, members": {"access": Access(reads="nobody")},
    "access.writes 'owner': choose one of anyone, members": {"access": Access(writes="owner")},
    "work.difficulty is at most 1099511627776": {"work": Work(difficulty=2**40 + 1)},
    "work.window is 0": {"work": Work(window=0)},
    "work.block_ms is -1": {"work": Work(block_ms=-1)},
    "work.most_change is 0": {"work": Work(most_change=0)},
    "engine pow needs the clock wall": {"engine": "pow", "clock": "logical"},
    "engine pow has no membership": {"engine": "pow", "clock": "wall", "membership": Authority()},
    "a profile's name has at most 64 characters": {"profile": "x" * 65},
    "membership.voting_blocks is 0": {"membership": Authority(voting_blocks=0)},
}


@pytest.mark.parametrize("words", BAD)
def test_settings_that_make_no_sense_are_refused_with_the_reason(words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        builders.genesis(**BAD[words])


def test_a_setting_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="a chain has no setting 'engin'"):
        mc.Network.simulated(engin="raft")


def test_a_chain_that_cannot_begin_is_refused_before_anything_is_made() -> None:
    with pytest.raises(ConfigError, match="there is a seat for each founder"):
        mc.Network.simulated(validators=4, membership=Delegation(seats=3, turnover=1))


def test_up_with_another_profile_is_refused_and_the_chain_goes_on(home: Any) -> None:
    up("--profile", "private")
    assert Genesis(mc.Network.attach(home.path).genesis.spec).spec.profile == "private"
    run("down")
    words = up("--profile", "alliance", validators=None, expect=COULD_NOT).output
    assert "has the profile private, not alliance: leave the profile out to go on with it" in words
    up("--profile", "private", validators=None)
    assert all(node["up"] for node in read("status")["nodes"])
    run("down")
