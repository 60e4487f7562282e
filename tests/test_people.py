"""One identity on many chains: keys change at home, and everywhere else as soon as somebody says so with a proof."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import builders
import pytest
from builders import genesis, key
from test_crossing import LOUD, Chain, connect, follow, lie

import minichain as mc
from minichain.client.crossing import connect as connect_networks
from minichain.client.relayer import Relayer
from minichain.client.wallet import Wallet
from minichain.codec import encode
from minichain.crosschain import relay
from minichain.crosschain.people import AT_ONCE
from minichain.crypto import commitment
from minichain.errors import ConfigError, Refused
from minichain.identity import documents
from minichain.ledger.state import NO_KEY
from minichain.ledger.types import Call, Envelope, Event, Receipt
from minichain.node.messages import Await
from minichain.sim.world import World
from tests import test_node

SALTS = {name: bytes([number]) * 32 for number, name in enumerate(("Ann", "Bob", "Cem"), 1)}


def identity(action: str, **args: Any) -> Call:
    return Call("identity", action, args)


def rotate(to: str) -> Call:
    return identity("rotate", key=key(to).did)


def bring(away: Chain, home: Chain, height: int = 0) -> Receipt:
    """Bring a header of the home chain and its first receipt, as anybody can."""
    assert follow(away, home, height).ok
    return away.do("carrier", news(home, height))


def news(home: Chain, height: int = 0) -> Call:
    _, receipts = home.blocks[(height or len(home.blocks)) - 1]
    return relay.rekey(home.genesis.spec.chain_id, receipts, 0)


def present(chain: Chain, who: str) -> bytes:
    """Return the key that signs for somebody."""
    return chain.state.overlay().account(key(who).public).key


def document(chain: Chain, who: str) -> dict[str, Any]:
    record = documents.first_record(key(who).did)
    while stored := chain.state.values.get(documents.record_key(key(who).did, record.version + 1)):
        record = documents.read_record(stored)
    return documents.document(key(who).did, record)


@pytest.fixture
def chains() -> tuple[Chain, Chain]:
    """The chain where people are at home, and another one that they use."""
    home = Chain("home", clock="logical", identity=True)
    away = Chain("away", clock="logical", identity=True, identity_home="home")
    connect(away, home)
    return home, away


def test_a_key_that_changed_at_home_signs_everywhere(chains: tuple[Chain, Chain]) -> None:
    home, away = chains
    assert home.do("bank", rotate("phone")).ok
    assert away.do("bank", builders.transfer("shop", 1)).ok, "until somebody brings it, the old key is good here"
    assert bring(away, home).results == (1,)
    assert present(home, "bank") == present(away, "bank") == key("phone").public
    assert document(home, "bank") == document(away, "bank")
    assert away.do("bank", builders.transfer("shop", 1), by="phone").ok
    _, _, refused = away.build([builders.sign(away.genesis, "bank", nonce=away.nonces["bank"])])
    assert set(refused.values()) == {"wrong_key"}


def test_the_newest_change_counts_in_whatever_order_they_come(chains: tuple[Chain, Chain]) -> None:
    home, away = chains
    assert home.do("bank", rotate("phone")).ok
    assert home.do("bank", rotate("tablet"), by="phone").ok
    first, second = len(home.blocks) - 1, len(home.blocks)
    assert bring(away, home, second).ok
    replayed = bring(away, home, first)
    assert "what it changes is known here, or something newer is" in replayed.error
    assert "is known here" in away.do("carrier", news(home, second)).error
    assert present(away, "bank") == key("tablet").public
    assert home.do("bank", rotate("watch"), rotate("ring"), by="tablet").ok
    assert bring(away, home).results == (1,)
    assert present(away, "bank") == key("ring").public, "of two changes in one transaction, the last"
    assert document(home, "bank") == document(away, "bank")


def test_who_gave_the_account_up_has_given_it_up_everywhere(chains: tuple[Chain, Chain]) -> None:
    home, away = chains
    assert home.do("bank", rotate("phone")).ok
    assert home.do("bank", identity("deactivate"), by="phone").ok
    assert bring(away, home).ok
    assert present(away, "bank") == NO_KEY
    assert document(home, "bank") == document(away, "bank")
    assert "verificationMethod" not in document(away, "bank")
    assert "is known here" in bring(away, home, len(home.blocks) - 1).error, "the rotation before it revives nothing"


def test_what_guardians_recover_at_home_is_recovered_everywhere(chains: tuple[Chain, Chain]) -> None:
    home, away = chains
    slips = [commitment(SALTS[name], key(name).did.encode()) for name in SALTS]
    assert home.do("bank", identity("guard", guardians=slips, threshold=2, wait_ms=3_000)).ok
    wanted = {"did": key("bank").did, "key": key("new phone").did}
    for name in ("Ann", "Cem"):
        assert home.do(name, identity("support", **wanted, salt=SALTS[name])).ok
    for _ in range(3):
        home.do("carrier", builders.transfer("shop", 1))
    assert home.do("carrier", identity("recover", **wanted)).ok
    assert bring(away, home).ok
    assert away.do("bank", builders.transfer("shop", 1), by="new phone").ok
    assert document(home, "bank") == document(away, "bank")


ELSEWHERE = {
    "rotate": {"key": key("phone").did},
    "deactivate": {},
    "guard": {"guardians": [bytes(32)], "threshold": 1, "wait_ms": 1},
    "support": {"did": key("shop").did, "key": key("phone").did, "salt": bytes(32)},
    "recover": {"did": key("shop").did, "key": key("phone").did},
}


@pytest.mark.parametrize("action", ELSEWHERE)
def test_away_from_home_no_key_changes_by_itself(chains: tuple[Chain, Chain], action: str) -> None:
    _, away = chains
    refused = away.do("bank", identity(action, **ELSEWHERE[action]))
    assert "the keys of accounts change on the chain home: do this there" in refused.error
    assert present(away, "bank") == b""


def test_what_is_no_proof_of_a_change_is_refused_with_the_reason(chains: tuple[Chain, Chain]) -> None:
    home, away = chains
    other = Chain("other", clock="logical", identity=True)
    connect(away, other)
    for chain in (home, other):
        assert chain.do("bank", rotate("phone")).ok
        assert follow(away, chain).ok
    good = news(home)
    receipt = good.args["receipt"]
    forged = receipt.replace(key("phone").did.encode(), key("thief").did.encode())
    lies: dict[str, tuple[dict[str, Any], str]] = {
        "from a chain that is not the home": (news(other).args, "change on the chain home, and on no other"),
        "from nowhere": ({**good.args, "chain": 7}, "change on the chain home, and on no other"),
        "a forged key": ({**good.args, "receipt": forged}, "its path does not lead to the root"),
        "a forged path": ({**good.args, "path": [bytes(32)]}, "its path does not lead to the root"),
        "another place": ({**good.args, "index": 1}, "its path does not lead to the root"),
        "a header that is not there": ({**good.args, "height": 99}, "block 99 of home is not followed"),
        "no place": ({**good.args, "height": None}, "`height` and `index` say where"),
        "no bytes": ({**good.args, "receipt": "x"}, "`receipt` is bytes"),
    }
    for name, (args, words) in lies.items():
        refused = away.do("carrier", Call("ledger", "rekey", args))
        assert (refused.outcome, words in refused.error) == ("fault", True), (name, refused.error)
    assert home.do("bank", builders.transfer("shop", 1), by="phone").ok
    assert "changes no key" in bring(away, home).error
    assert present(away, "bank") == b""
    assert "the keys of accounts change on this chain itself" in home.do("carrier", good).error
    asked = identity("take_over", did=key("bank").did, key=key("thief").did)
    assert "only the ledger does this" in away.do("thief", asked).error
    assert away.do("carrier", good).ok


def test_only_the_contract_identity_of_the_home_chain_is_heard(chains: tuple[Chain, Chain]) -> None:
    home, away = chains
    lie(home, Event("mimic", "KeyChanged", {"did": key("bank").did, "key": key("thief").did}))
    assert "changes no key" in bring(away, home).error


SAID: dict[str, dict[str, Any]] = {
    "no did": {"key": key("thief").did},
    "a number": {"did": 7, "key": key("thief").did},
    "nobody": {"did": "did:key:zzz", "key": key("thief").did},
    "no key": {"did": key("bank").did},
    "a key in bytes": {"did": key("bank").did, "key": b"x"},
    "a key that is none": {"did": key("bank").did, "key": "did:key:zzz"},
    "the first key": {"did": key("bank").did, "key": key("bank").did},
}


@pytest.mark.parametrize("how", SAID)
def test_a_captured_home_can_say_anything_and_breaks_nobody(chains: tuple[Chain, Chain], how: str) -> None:
    home, away = chains
    lie(home, Event("identity", "KeyChanged", SAID[how]))
    assert not bring(away, home).ok
    assert present(away, "bank") == b""


def test_a_home_that_forked_is_not_heard_any_more(chains: tuple[Chain, Chain]) -> None:
    home, away = chains
    twin = Chain("home", clock="logical", identity=True)
    assert home.do("bank", rotate("phone")).ok
    assert twin.do("bank", rotate("thief")).ok
    assert follow(away, home).ok
    assert follow(away, twin).results == ("forked",)
    assert "it is not believed any more" in away.do("carrier", news(home)).error


@pytest.mark.parametrize("settings", [{"identity_home": "home"}, {"identity_home": "?"}, {"identity_home": "test"}])
def test_a_home_that_cannot_be(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="identity_home"):
        genesis(**settings, identity=settings["identity_home"] != "home")


def test_a_change_of_key_that_no_other_chain_could_take_is_refused() -> None:
    """Or whoever asks for a recovery could keep it from travelling by filling its receipt up."""
    home = Chain("home", clock="logical", identity=True)
    assert home.do("bank", builders.deploy("loud", LOUD)).ok
    filler = [Call("loud", "shout", {"size": 20_000})] * 4
    assert "where other chains must hear of it at most 65536" in home.do("bank", *filler, rotate("phone")).error
    assert present(home, "bank") == b""
    assert home.do("bank", *filler[:2], rotate("phone")).ok


def test_many_changes_in_one_receipt_are_taken_over_by_and_by(chains: tuple[Chain, Chain]) -> None:
    home, away = chains
    people = [f"person-{n}" for n in range(AT_ONCE + 3)]
    changes = [{"did": key(name).did, "key": key(f"{name}'s phone").did} for name in people]
    lie(home, *[Event("identity", "KeyChanged", change) for change in changes])
    assert bring(away, home).results == (AT_ONCE,)
    assert away.do("carrier", news(home)).results == (3,)
    assert "is known here" in away.do("carrier", news(home)).error
    assert [present(away, name) for name in people] == [key(f"{name}'s phone").public for name in people]


# --- nodes and networks ----------------------------------------------------------------------------------------------


def test_nodes_let_go_of_what_the_old_key_signed() -> None:
    """A change that comes from the home chain is noticed as one that was made here."""
    home = Chain("home", clock="logical", identity=True)
    assert home.do("bank", rotate("phone")).ok
    run = test_node.world(identity=True, identity_home="home")
    clients = [test_node.Client(run, name, name.encode()) for name in run.names]
    args = {"spec": encode(home.genesis.spec), "mints": False, "trusting_ms": 10**10, "checkpoint": b""}
    final, _ = home.blocks[0]
    members = [signed(run, f"node-{n}", Call("ledger", "connect", args)) for n in range(3)]
    header = relay.follow("home", final.block.header, final.certificate)
    clients[0].finalise(*members)
    clients[0].finalise(signed(run, "carrier", header))
    late = [test_node.pay(run, nonce) for nonce in (0, 1)]
    clients[0].submit(signed(run, "carrier", news(home), nonce=1), *late)
    for client in clients:
        verdicts = client.wait(client.send(Await(tuple(tx.id for tx in late)))).verdicts
        assert {verdict.code for verdict in verdicts} == {"wrong_key"}
    (receipt,) = clients[2].finalise(test_node.pay(run, 0, by="phone"))
    assert receipt.ok


def signed(run: World, who: str, call: Call, nonce: int = 0) -> Envelope:
    return builders.sign(run.genesis, who, call, nonce=nonce, gas_limit=20_000_000)


@pytest.fixture
def networks() -> Iterator[tuple[mc.Network, mc.Network]]:
    home = mc.Network.simulated(4, seed=1, chain_id="home")
    away = mc.Network.simulated(3, seed=2, chain_id="away", engine="raft", identity_home="home")
    with home, away:
        connect_networks(away, home)
        connect_networks(home, away)
        yield home, away


def test_a_relayer_carries_changes_of_keys_once(networks: tuple[mc.Network, mc.Network]) -> None:
    home, away = networks
    clerk, relayer = home.wallet("clerk"), Relayer(home, away)
    later = home.identity.rotate(clerk)
    assert relayer.carry() == 1
    assert relayer.carry() == Relayer(home, away).carry() == 0, "it is known"
    assert away.identity.resolve(clerk).document == home.identity.resolve(clerk).document
    away.identity.resolve(clerk).verify(away.genesis)
    with pytest.raises(Refused, match="the present key of the account"):
        away.send(clerk, [Call("identity", "found", {"name": "Office", "services": []})])
    assert away.send(later, [Call("identity", "found", {"name": "Office", "services": []})]).ok


def test_who_lost_a_key_is_helped_at_home_and_then_closes_the_account(
    networks: tuple[mc.Network, mc.Network],
) -> None:
    home, away = networks
    owner, guardian = home.wallet("owner"), home.wallet("guardian")
    slips = home.identity.guard(owner, [guardian], 1, wait_ms=1)
    candidate = home.identity.successor(owner)
    home.identity.support(guardian, slips[guardian.did], candidate)
    home.identity.recover(guardian, candidate)
    assert Relayer(home, away).carry() == 1
    holder = Wallet("owner", candidate.key, owner.account)
    assert away.send(holder, [Call("identity", "found", {"name": "Office", "services": []})]).ok
    home.identity.deactivate(holder)
    assert Relayer(home, away).carry() == 1
    with pytest.raises(Refused, match="is deactivated"):
        away.send(holder, [Call("identity", "publish", {"services": []})])
