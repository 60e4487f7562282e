"""Three engines in one node: the same stories for each, and what only a chain knows that may be taken back."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Iterator
from typing import Any

import builders
import pytest
from builders import key
from msgspec.structs import replace
from society import Society, require_consistent

import minichain as mc
from minichain.client.local import LocalWorld
from minichain.client.simulated import SimulatedWorld
from minichain.codec import decode, encode
from minichain.crosschain.proofs import verify
from minichain.errors import ProofError, Refused, TimedOut, UsageError
from minichain.ledger.certificate import FinalBlock, is_sealed
from minichain.ledger.genesis import Stake, Timeouts, Work
from minichain.ledger.local import wallet_key
from minichain.ledger.types import Call, Envelope
from minichain.live.miner import Miner
from minichain.node import refusals
from minichain.node.messages import (
    AskContracts,
    Await,
    Contracts,
    Failure,
    Offer,
    Outcomes,
    Position,
    Request,
    Response,
    Submit,
    Taken,
    Verdict,
)
from minichain.sim.memory import PowerCut
from minichain.sim.world import World

WORK = Work(difficulty=16, block_ms=1_000, window=20, confirmations=3)
DEEP = Work(difficulty=16, block_ms=1_000, window=20, confirmations=8)
SETTINGS: dict[str, dict[str, Any]] = {
    "bft": {"engine": "bft"},
    "raft": {"engine": "raft"},
    "pow": {"engine": "pow", "work": WORK, "clock": "wall"},
}
every_engine = pytest.mark.parametrize("engine", SETTINGS)
NAMES = ("node-0", "node-1", "node-2", "node-3", "node-4")


def simulated(engine: str, validators: int = 5, seed: int = 11) -> mc.Network:
    return mc.Network.simulated(validators=validators, seed=seed, **SETTINGS[engine])


def world_of(net: mc.Network) -> World:
    assert isinstance(net.world, SimulatedWorld)
    return net.world.world


def pay(net: mc.Network, amount: int = 1, **options: int) -> mc.Receipt:
    call = Call("ledger", "transfer", {"to": wallet_key(net.world.root, "shop").did, "amount": amount})
    return net.send(net.wallet("bank"), [call], **options)


def same_everywhere(net: mc.Network) -> None:
    """Wait until all nodes stand at one block, and say the same about it."""

    def heads() -> set[str]:
        return {report.status.head.hex() if report.status else "" for report in net.status()}

    for _ in range(200):
        if len(heads()) == 1:
            break
        net.pass_time(250)
    assert len(heads()) == 1
    assert len({report.state_root for report in net.status()}) == 1


def shop(net: mc.Network) -> int:
    return net.account(mc.Wallet("shop", wallet_key(net.world.root, "shop"))).balance


# --- the same stories ----------------------------------------------------------------------------------------------


@every_engine
def test_what_is_sent_is_final_on_every_node_and_can_be_proved(engine: str) -> None:
    with simulated(engine) as net:
        receipts = [pay(net, 1 + number) for number in range(4)]
        same_everywhere(net)
        assert shop(net) == 10
        heights = [receipt.height for receipt in receipts]
        assert heights == sorted(set(heights))
        for receipt in receipts:
            assert verify(receipt.proof(), net.genesis.hash).receipt.tx_id.hex() == receipt.tx_id
        for name in net.nodes:
            require_consistent(net.genesis, world_of(net).store(name))


@every_engine
def test_a_minority_that_crashes_stops_nobody_and_comes_back(engine: str) -> None:
    away = ("node-3",) if engine == "bft" else ("node-3", "node-4")
    with simulated(engine) as net:
        pay(net)
        for moment in ("now", "before commit", "after commit"):
            for name in away:
                world_of(net).crash(name, moment)
            pay(net)
            world_of(net).settle()
            for name in away:
                if not net.world.is_running(name):
                    net.restart(name)
        pay(net)
        same_everywhere(net)
        assert shop(net) == 5
        for name in net.nodes:
            require_consistent(net.genesis, world_of(net).store(name))


@every_engine
def test_all_crash_and_nothing_final_is_lost(engine: str) -> None:
    with simulated(engine) as net:
        before = [pay(net) for _ in range(3)]
        for name in net.nodes:
            net.crash(name)
        for name in net.nodes:
            net.restart(name)
        pay(net)
        same_everywhere(net)
        assert [net.receipt(receipt.tx_id).height for receipt in before] == [receipt.height for receipt in before]
        assert shop(net) == 4


@every_engine
def test_a_parted_network_heals(engine: str) -> None:
    with simulated(engine) as net:
        pay(net)
        net.partition(["node-0", "node-1", "node-2", "node-3"], ["node-4"])
        net.client._last_good = "node-0"
        pay(net)
        if engine != "pow":
            height = pay(net).height
            assert world_of(net).store("node-4").height() < height
        net.heal()
        pay(net)
        same_everywhere(net)
        assert shop(net) == 3 if engine == "pow" else 4


@pytest.mark.parametrize("engine", ["bft", "raft"])
def test_two_halves_without_a_majority_decide_nothing(engine: str) -> None:
    with simulated(engine, validators=4) as net:
        height = pay(net).height
        net.partition(["node-0", "node-1"], ["node-2", "node-3"])
        with pytest.raises(TimedOut):
            pay(net, timeout_ms=20_000)
        assert {world_of(net).store(name).height() for name in net.nodes} == {height}
        net.heal()
        pay(net)
        same_everywhere(net)


def leader_of(net: mc.Network) -> str:
    reports = {report.name: report.status.engine for report in net.status() if report.status}
    (leader,) = [name for name, engine in reports.items() if engine["role"] == "leader"]
    return leader


def test_when_the_leader_is_killed_another_one_leads() -> None:
    with simulated("raft") as net:
        pay(net)
        killed = []
        for _ in range(2):
            killed.append(leader_of(net))
            net.crash(killed[-1])
            pay(net)
            assert leader_of(net) not in killed
        net.crash(leader_of(net))
        with pytest.raises(TimedOut):
            pay(net, timeout_ms=10_000)
        for name in net.nodes:
            if not net.world.is_running(name):
                net.restart(name)
        pay(net)
        same_everywhere(net)


@pytest.mark.parametrize(("engine", "own"), [("bft", 0), ("raft", 0), ("pow", 0), ("pow", 2)])
def test_who_is_far_behind_catches_up(engine: str, own: int) -> None:
    """Also a miner that is on a branch of its `own`, so old that nobody else has kept where they parted."""
    settings = {**SETTINGS[engine], "work": DEEP} if own else SETTINGS[engine]
    chain = builders.genesis(weights=(1,), balances=BALANCES, **settings)
    society = Society(chain, ["late"])
    if own:
        society.run.part(["late"], ["node-0"])
        to_node(society, builders.sign(chain, "resident", builders.transfer("shop", 1)), node="late")
        wait_for(society, lambda: society.heights()["late"] >= own, "blocks of its own")
    society.run.crash("late")
    society.run.heal()
    for _ in range(300 // 20):
        for _ in range(20):
            to_node(society, society.sign("bank", builders.transfer("shop", 1), gas_limit=100_000, expires=9_999))
            height = society.run.store("node-0").height()
            assert society.run.run_until(lambda h=height: society.run.store("node-0").height() > h, 120_000)
    assert society.run.store("node-0").height() >= 300
    society.run.restart("late")
    society.run.run_until(lambda: society.heights()["late"] >= 300, 120_000)
    society.run.run_for(5_000)
    assert society.run.store("late").height() >= 300
    require_consistent(chain, society.run.store("late"))


BALANCES = ((key("bank").public, 10**9), (key("resident").public, 10**6))


def to_node(society: Society, *txs: Envelope, node: str = "node-0", client: bytes = b"somebody") -> None:
    society.run.ask(node, client, encode(Request(1, Submit(tuple(tx.raw for tx in txs)))))


@every_engine
def test_whatever_a_member_says_about_its_position_breaks_nobody(engine: str) -> None:
    chain = builders.genesis(weights=(1, 1, 1, 1), balances=BALANCES, **SETTINGS[engine])
    society = Society(chain)
    society.run.part(["node-0", "node-3"], ["node-1", "node-2"])  # node-0 is stuck in a height, and may help there
    to_node(society, society.sign("bank", builders.transfer("shop", 1)))
    society.run.run_for(500)
    for height in (-(2**62), 0, 1, 2, 2**62):
        for round_ in (-(2**62), -1, 0, 1, 2**62):
            for heard in (b"", b"\0", b"\xff" * 3, b"\xff" * 100_000):
                society.run.inject("node-3", "node-0", encode(Position(height, round_, heard, is_stuck=True)))
    society.run.run_for(2_000)
    society.run.heal()
    wait_for(society, lambda: min(society.heights().values()) > 0, "a block")
    society.settle()


# --- blocks of strangers ----------------------------------------------------------------------------------------------


def test_a_stranger_hands_in_a_block_and_only_one_that_fits_and_is_worked_for() -> None:
    society = miners()
    society.run.crash("node-3")
    society.pay()
    stranger = miners()  # the same chain, elsewhere: what it mines fits where its parent is known
    stranger.pay()
    blocks = [stranger.run.store("node-0").block(height) for height in (1, 2)]

    def offer(final: FinalBlock) -> Any:
        return society.client.channel.request("node-0", Offer((final,)), 1_000)

    before = society.run.head("node-0")
    worthless = replace(blocks[0], certificate=replace(blocks[0].certificate, nonce=blocks[0].certificate.nonce + 1))
    assert isinstance(offer(worthless), Taken)
    second = offer(blocks[1])
    assert isinstance(second, Failure)
    assert second.message == "the parent of this block 2 is not on this node's chain: follow it"
    assert society.run.head("node-0") == before
    assert society.node("node-0").status().engine["forks"] == 0
    assert isinstance(offer(blocks[0]), Taken)
    assert society.node("node-0").status().engine["forks"] == 1, "it may win yet"


def test_a_stranger_hands_in_a_whole_branch() -> None:
    society, stranger = miners(), miners()
    stranger.pay()
    store = stranger.run.store("node-0")
    branch = tuple(store.block(height) for height in range(1, store.height() + 1))
    nothing = society.client.channel.request("node-0", Offer(()), 1_000)
    assert isinstance(nothing, Failure)
    assert nothing.message == "no block is offered"
    assert isinstance(society.client.channel.request("node-0", Offer(branch), 1_000), Taken)
    society.run.run_for(1_000)
    assert len(branch) > 1
    assert {society.run.head(name) for name in society.heights()} == {stranger.run.head("node-0")}


# --- chains that are taken back --------------------------------------------------------------------------------------


def miners(size: int = 4, seed: int = 1, work: Work = DEEP, **settings: Any) -> Society:
    settings = {"balances": BALANCES, "engine": "pow", "clock": "wall", "work": work, **settings}
    return Society(builders.genesis(weights=(1,) * size, **settings), seed=seed)


def wait_for(society: Society, condition: Callable[[], bool], what: str, within_ms: int = 600_000) -> None:
    assert society.run.run_until(condition, within_ms), f"waited for {what}: {society.heights()}"


def find(society: Society, name: str, tx: Envelope) -> int:
    """Return the height of a transaction on a node's chain; 0 if it is in no block."""
    return (society.run.store(name).find(tx.id) or (0, 0))[0]


class Waiting:
    """A client that awaits one transaction at one node, and when it is answered."""

    def __init__(self, society: Society, node: str, tx: Envelope) -> None:
        self.society = society
        self.name = f"waits for {tx.id.hex()} at {node}".encode()
        society.run.ask(node, self.name, encode(Request(1, Await((tx.id,)))))

    def answer(self) -> Verdict | None:
        for data in self.society.run.replies(self.name):
            body = decode(data, Response).body
            assert isinstance(body, Outcomes), body
            self.found: Verdict | None = body.verdicts[0]
        return getattr(self, "found", None)


def parted(society: Society, heavy: tuple[str, ...], light: tuple[str, ...], *txs: Envelope) -> None:
    """Let two parts mine apart, the first of `txs` known to the heavy one and the second to the light one."""
    society.run.part(heavy, light)
    to_node(society, txs[0], node=heavy[0])
    to_node(society, txs[1], node=light[0])
    wait_for(society, lambda: find(society, light[0], txs[1]) > 0, "the light part's block")
    for name in light:
        society.run.pause(name)
    wait_for(
        society,
        lambda: society.run.store(heavy[0]).height() > society.run.store(light[0]).height(),
        "the heavy part to get ahead",
    )
    for name in light:
        society.run.resume(name)


def two_branches(society: Society) -> tuple[Envelope, Envelope]:
    """Part the network so that node-3's branch will lose; return the transactions of both branches."""
    ours = society.sign("bank", builders.transfer("shop", 5))
    theirs = society.sign("resident", builders.transfer("shop", 7))
    parted(society, ("node-0", "node-1", "node-2"), ("node-3",), ours, theirs)
    return ours, theirs


def test_the_lighter_branch_is_undone_and_its_transactions_wait_again_and_become_final() -> None:
    society = miners()
    ours, theirs = two_branches(society)
    here = Waiting(society, "node-3", theirs)
    assert find(society, "node-3", theirs) > 0
    assert find(society, "node-0", theirs) == 0
    society.run.heal()
    wait_for(society, lambda: find(society, "node-3", ours) > 0, "node-3 to change its chain")
    status = society.node("node-3").status()
    assert status.counters["undone_blocks"] >= 1
    assert status.engine["reorganisations"] == 1
    assert here.answer() is None, "answered before it was final"
    if not find(society, "node-3", theirs):
        assert status.waiting == 1
        with pytest.raises(UsageError, match="no final transaction has the id"):
            society.receipt(theirs.id, "node-3")
    require_consistent(society.genesis, society.run.store("node-3"))
    wait_for(society, lambda: here.answer() is not None, "the answer")
    height, place = society.heights()["node-3"], find(society, "node-3", theirs)
    assert here.answer().code == "final"
    assert here.answer().receipt.height == place
    assert height - place + 1 == DEEP.confirmations, "told when it was deep enough, and not later"
    society.settle()
    for name in society.run.names:
        assert find(society, name, ours)
        assert find(society, name, theirs) == place
        require_consistent(society.genesis, society.run.store(name))


def test_a_contract_of_the_lighter_branch_is_gone_until_it_is_deployed_again() -> None:
    society = miners()
    ours = society.sign("bank", builders.transfer("shop", 5), expires=9)
    theirs = society.sign("resident", builders.deploy("counter"))
    parted(society, ("node-0", "node-1", "node-2"), ("node-3",), ours, theirs)
    here = "node-3"

    def deployed() -> list[str]:
        society.client._last_good = here
        return [name for name, _, _ in society.client.ask(AskContracts(), Contracts, "contracts").contracts]

    society.run.heal()
    wait_for(society, lambda: find(society, here, ours) > 0, "node-3 to change its chain")
    assert society.node(here).status().counters["undone_blocks"] > 0
    assert deployed() == (["counter"] if find(society, here, theirs) else [])
    wait_for(society, lambda: find(society, here, theirs) > 0, "it to be deployed again")
    assert deployed() == ["counter"]


def test_a_transaction_that_this_node_refused_and_another_mined_is_not_refused_any_more() -> None:
    society = miners()
    tx = society.sign("bank", builders.transfer("shop", 1))
    to_node(society, tx)
    wait_for(society, lambda: society.node("node-3").status().waiting > 0, "node-3 to hear of it")
    society.node("node-3")._intake.refuse([(tx.id, Refused("cannot_pay", "on another branch"))])
    wait_for(society, lambda: find(society, "node-3", tx) > 0, "a block")
    here = Waiting(society, "node-3", tx)
    society.run.run_for(2)
    assert here.answer() is None
    wait_for(society, lambda: here.answer() is not None, "the answer")
    assert here.answer().code == "final"


def test_nobody_is_told_before_the_block_is_deep_enough() -> None:
    society = miners()
    tx = society.sign("bank", builders.transfer("shop", 1))
    to_node(society, tx)
    waits = {name: Waiting(society, name, tx) for name in society.run.names}
    for _ in range(100_000):
        society.run.step()
        for name, each in waits.items():
            place, height = find(society, name, tx), society.heights()[name]
            is_deep = place > 0 and height - place + 1 >= DEEP.confirmations
            if each.answer() is not None:
                assert is_deep, f"{name} told it at {height}, the block is {place}"
            elif place and not is_deep and name == "node-0":
                with pytest.raises(UsageError, match=rf"is in block {place}, and final are those up to"):
                    society.receipt(tx.id, name)
        if all(each.answer() for each in waits.values()):
            return
    raise AssertionError("not all were told")


def conflicting(society: Society) -> tuple[Envelope, Envelope]:
    first = society.sign("bank", builders.transfer("shop", 5))
    second = builders.sign(society.genesis, "bank", builders.transfer("resident", 5), nonce=first.body.nonce)
    return first, second


def test_of_two_transactions_with_one_nonce_the_loser_is_refused_only_when_that_is_final() -> None:
    society = miners()
    to_node(society, builders.sign(society.genesis, "resident", builders.transfer("shop", 1)))
    wait_for(society, lambda: min(society.heights().values()) > 0, "a block that is final earlier")
    first, second = conflicting(society)
    society.run.part(("node-0", "node-1", "node-2"), ("node-3",))
    society.run.pause("node-3")
    to_node(society, second, node="node-3")
    here = Waiting(society, "node-3", second)
    to_node(society, first)
    wait_for(society, lambda: find(society, "node-0", first) > 0, "a block")
    society.run.heal()
    society.run.resume("node-3")
    wait_for(society, lambda: find(society, "node-3", first) > 0, "node-3 to hear of it")
    assert here.answer() is None, "refused while another branch may still have a place for it"
    wait_for(society, lambda: here.answer() is not None, "the refusal")
    assert here.answer().code == "wrong_nonce"
    place = find(society, "node-3", first)
    assert society.heights()["node-3"] - place + 1 == DEEP.confirmations
    assert not find(society, "node-3", second)
    society.settle()


def test_what_an_old_key_has_signed_is_refused_only_when_the_change_of_keys_is_final() -> None:
    society = miners(identity=True)
    to_node(society, builders.sign(society.genesis, "bank", builders.transfer("shop", 1)))
    wait_for(society, lambda: min(society.heights().values()) > 0, "a block that is final earlier")
    rotate = Call("identity", "rotate", {"key": key("phone").did})
    change = builders.sign(society.genesis, "resident", rotate, gas_limit=5_000_000)
    late = builders.sign(society.genesis, "resident", builders.transfer("shop", 1), nonce=1)
    society.run.part(("node-0", "node-1", "node-2"), ("node-3",))
    society.run.pause("node-3")
    for tx in (change, late):
        to_node(society, tx, node="node-3")
    here = Waiting(society, "node-3", late)
    to_node(society, change)
    wait_for(society, lambda: find(society, "node-0", change) > 0, "a block")
    society.run.heal()
    society.run.resume("node-3")
    wait_for(society, lambda: find(society, "node-3", change) > 0, "node-3 to hear of it")
    assert here.answer() is None, "refused while another branch may still have a place for it"
    wait_for(society, lambda: here.answer() is not None, "the refusal")
    assert here.answer().code == "wrong_key"
    assert society.heights()["node-3"] - find(society, "node-3", change) + 1 == DEEP.confirmations
    new = builders.sign(society.genesis, "resident", builders.transfer("shop", 1), nonce=1, by="phone")
    to_node(society, new, node="node-3")
    wait_for(society, lambda: find(society, "node-0", new) > 0, "what the new key has signed")


def test_what_one_branch_left_behind_becomes_final_on_the_other() -> None:
    """Whoever had told its sender "refused: sign anew" would have made it pay twice."""
    society = miners()
    first, second = conflicting(society)
    society.run.part(("node-0", "node-1"), ("node-2", "node-3"))
    for name in ("node-2", "node-3"):
        society.run.pause(name)
    to_node(society, second, node="node-3")
    to_node(society, first, node="node-0")
    wait_for(society, lambda: find(society, "node-0", first) > 0, "a block with the first")
    society.run.part(("node-0", "node-1", "node-3"), ("node-2",))
    society.run.resume("node-3")
    here = Waiting(society, "node-3", second)
    wait_for(society, lambda: find(society, "node-3", first) > 0, "node-3 to take the first")
    assert here.answer() is None
    for name in ("node-0", "node-1", "node-3"):
        society.run.pause(name)
    society.run.resume("node-2")
    to_node(society, second, node="node-2")
    height = society.heights()["node-3"]
    wait_for(society, lambda: society.heights()["node-2"] > height + 1, "node-2 to get ahead")
    assert society.heights()["node-2"] < DEEP.confirmations
    society.run.heal()
    for name in ("node-0", "node-1", "node-3"):
        society.run.resume(name)
    wait_for(society, lambda: here.answer() is not None, "the answer")
    assert here.answer().code == "final"
    society.settle()
    for name in society.run.names:
        assert find(society, name, second)
        assert not find(society, name, first)
        require_consistent(society.genesis, society.run.store(name))


def test_what_expires_on_a_branch_is_refused_when_that_is_final() -> None:
    society = miners()
    society.run.pause("node-3")
    late = builders.sign(society.genesis, "resident", builders.transfer("shop", 1), expires=1)
    to_node(society, late, node="node-3")
    to_node(society, society.sign("bank", builders.transfer("shop", 1)))
    wait_for(society, lambda: society.heights()["node-0"] >= 2, "two blocks")
    society.run.part(("node-0", "node-1", "node-2"), ("node-3",))
    here = Waiting(society, "node-3", late)
    society.run.heal()
    society.run.resume("node-3")
    wait_for(society, lambda: here.answer() is not None, "the answer")
    assert here.answer().code in {"expired", "final"}
    if here.answer().code == "expired":
        assert society.heights()["node-3"] >= DEEP.confirmations


def test_only_so_many_that_were_left_behind_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "MAX_REFUSALS", 2)
    society = miners()
    society.run.pause("node-3")
    people = [f"person-{number}" for number in range(4)]
    to_node(
        society,
        *(builders.sign(society.genesis, who, builders.transfer("shop", 1), gas_limit=50_000) for who in people),
    )
    others = [builders.sign(society.genesis, who, builders.transfer("bank", 1), gas_limit=50_000) for who in people]
    to_node(society, *others, node="node-3")
    waits = [Waiting(society, "node-3", tx) for tx in others]
    wait_for(society, lambda: society.heights()["node-0"] >= 1, "a block")
    society.run.part(("node-3",))
    society.run.resume("node-3")
    society.run.run_for(10)
    society.run.heal()
    wait_for(society, lambda: society.node("node-3")._intake._refusals.aside > 0, "node-3 to take it")
    assert society.node("node-3")._intake._refusals.aside <= 2
    wait_for(society, lambda: all(each.answer() for each in waits), "the refusals")


# --- killed in the middle of it --------------------------------------------------------------------------------------


def power_cut() -> None:
    raise PowerCut


def at_once(society: Society) -> None:
    power_cut()


def before_commit(society: Society) -> None:
    society.run.store("node-3").cut_power = True


def after_commit(society: Society) -> None:
    society.run._machines["node-3"].crash_after_commit = True


MOMENTS = {"now": at_once, "before commit": before_commit, "after commit": after_commit}
PLACES = ("undo_block", "add_block", "remember")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_in_the_middle_of_a_reorganisation(moment: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    society = miners(seed=2)
    ours, theirs = two_branches(society)
    store = society.run.store("node-3")
    original = getattr(store, place)

    def struck(*args: Any) -> Any:
        result = original(*args)
        monkeypatch.setattr(store, place, original)
        MOMENTS[moment](society)
        return result

    society.run.heal()
    monkeypatch.setattr(store, place, struck)
    wait_for(society, lambda: society.run.node("node-3") is None, "the blow")
    require_consistent(society.genesis, store)
    assert (find(society, "node-3", ours) == 0) or moment == "after commit", "half of it was kept"
    society.run.restart("node-3")
    society.run.run_for(0)
    assert society.node("node-3").status().state_root == require_consistent(society.genesis, store)
    later = society.sign("bank", builders.transfer("shop", 1))
    to_node(society, later, theirs)
    wait_for(society, lambda: all(find(society, name, later) for name in society.run.names), "all to go on")
    society.settle()
    for name in society.run.names:
        assert find(society, name, ours)
        assert find(society, name, theirs)
        require_consistent(society.genesis, society.run.store(name))


def test_a_chain_of_work_is_proved_by_what_lies_on_it() -> None:
    with simulated("pow") as net:
        receipt = pay(net)
        proof = receipt.proof()
        assert verify(proof).depth.confirmations >= WORK.confirmations
        shallow = mc.client.receipt.Proof(
            **{name: getattr(proof, name) for name in proof.__struct_fields__ if name != "links"},
            links=proof.links[: receipt.height + 1],
        )
        with pytest.raises(ProofError, match="2 confirmations, where this chain asks for 3"):
            verify(shallow)


# --- the search for a nonce ------------------------------------------------------------------------------------------


def test_the_miner_finds_what_is_wanted_and_nothing_else() -> None:
    said: queue.Queue[dict[str, Any]] = queue.Queue()
    miner = Miner(lambda command: said.put(json.loads(command)), 10_000)
    try:
        for block_id in (b"a" * 32, b"b" * 32):
            miner.seek(block_id, 2**40)  # never, in our time
            miner.seek(block_id, 20)
            found = said.get(timeout=20)
            assert found["mined"] == block_id.hex()
            assert is_sealed(block_id, found["nonce"], 20)
        miner.seek(b"c" * 32, 2**40)
        miner.stop()
        miner.seek(b"d" * 32, 1)
        assert said.get(timeout=20)["mined"] == (b"d" * 32).hex()
        assert said.empty()
    finally:
        miner.close()
    assert said.get(timeout=20) == {"stop": True}, "its end of the line is closed"


# --- real processes --------------------------------------------------------------------------------------------------

LIVE: dict[str, dict[str, Any]] = {
    "raft": {"engine": "raft", "timeouts": Timeouts(propose=400)},
    "pow": {"engine": "pow", "work": Work(difficulty=60, block_ms=150, confirmations=2)},
}


@pytest.fixture(params=LIVE)
def live(request: pytest.FixtureRequest) -> Iterator[mc.Network]:
    with mc.Network.local(validators=3, seed=5, **LIVE[request.param]) as net:
        yield net


def test_the_same_stories_with_real_processes(live: mc.Network) -> None:
    pay(live)
    victim = leader_of(live) if live.genesis.spec.engine == "raft" else "node-1"
    live.crash(victim)
    pay(live)
    live.restart(victim)
    alone = leader_of(live) if live.genesis.spec.engine == "raft" else "node-2"
    live.partition([name for name in live.nodes if name != alone], [alone])
    live.client._last_good = next(name for name in live.nodes if name != alone)
    pay(live)
    live.heal()
    receipt = pay(live)
    same_everywhere(live)
    assert shop(live) == 4
    assert verify(receipt.proof(), live.genesis.hash).height == receipt.height
    assert isinstance(live.world, LocalWorld)
    for name in live.nodes:
        assert "Traceback" not in live.world.cluster.log(name)


STAKED = {
    "clock": "logical",
    "membership": Stake(seats=4, epoch=3, unbonding=50, reward=2),
    "timeouts": Timeouts(propose=20_000),  # a round that fails would pay somebody else
}


def script(net: mc.Network) -> tuple[list[Any], str]:
    """Pay, deploy and call: the same in both worlds. With `STAKED`, proposers are paid and epochs pass meanwhile."""
    told = [pay(net, 1 + number).comparable() for number in range(4)]
    counter = net.deploy(builders.COUNTER, sender=net.wallet("bank"))
    told.append(counter.add(3).comparable())
    same_everywhere(net)
    return told, net.status()[0].state_root


@pytest.mark.parametrize("settings", [STAKED, {"engine": "raft", "clock": "logical"}], ids=["stake", "raft"])
def test_both_worlds_come_to_the_same_state(settings: dict[str, Any]) -> None:
    with mc.Network.simulated(validators=3, seed=9, **settings) as net:
        expected = script(net)
    with mc.Network.local(validators=3, seed=9, **settings) as net:
        assert script(net) == expected
