"""Several chains live: one process owns them all, what crosses is carried without being asked for, and whoever is
killed leaves nothing behind; a computer without the room for it is told so first.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from test_cli import COULD_NOT, eventually, is_gone, read, run

import minichain as mc
from minichain.client.crossing import connect, cross, unsettled
from minichain.client.sharded import ShardedNetwork
from minichain.client.wallet import Wallet
from minichain.codec import to_json
from minichain.crosschain import proofs
from minichain.errors import NetworkError, UsageError
from minichain.ledger.types import Call
from minichain.live import chains, resources, supervisor
from minichain.live.home import Home, family
from minichain.live.resources import Need, Room
from minichain.scenarios.crossings import demo

UP = ("up", "--no-dashboards", "--empty")
UNITS = 1_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A network of two shards that `minichain up` runs; whatever still runs at the end is ended."""
    place = Home(tmp_path_factory.mktemp("shards") / "home")
    shown = read(*UP, "--home", place.path, "--shards", 2, "--validators", 1)
    assert list(shown["chains"]) == ["coordinator", "shard-0", "shard-1"]
    assert list(shown["nodes"]) == ["node-0", "node-1", "node-2"]
    yield place
    running = place.find()
    if running is not None:
        for process in reversed(family(running.pid)):
            process.kill()


def people(net: ShardedNetwork) -> tuple[Wallet, Wallet]:
    """Return somebody on each shard."""
    wallets = [Wallet.derive(net.coordinator.world.root, f"resident {number}") for number in range(99)]
    one, other = (next(wallet for wallet in wallets if net.home(wallet) is shard) for shard in net.shards)
    return net.wallet(one.name, UNITS), other


def arrives(net: ShardedNetwork, who: Wallet, amount: int) -> None:
    eventually(lambda: net.balance(who) == amount, f"{amount} units to arrive")


def processes(home: Home) -> list[int]:
    return [process.pid for process in family(home.require().pid)]


def test_each_chain_is_a_home_and_the_network_is_all_of_them(home: Home) -> None:
    status = read("status", "--home", home.path)
    assert [(node["chain"], node["name"], node["up"]) for node in status["nodes"]] == [
        ("coordinator", "node-0", True), ("shard-0", "node-1", True), ("shard-1", "node-2", True)
    ]  # fmt: skip
    assert status["members"] == {"coordinator": ["node-0"], "shard-0": ["node-1"], "shard-1": ["node-2"]}
    assert status["relay"] in processes(home)
    with pytest.raises(UsageError, match=r"has several chains: `ShardedNetwork.attach` .* by its own home such as"):
        mc.Network.attach(home.path)
    with mc.Network.attach(home.part("shard-1").path) as shard:
        assert shard.genesis.spec.chain_id == "shard-1"
    with pytest.raises(UsageError, match="has no shards: reach it by `Network"):
        ShardedNetwork.attach(home.part("shard-1").path)


def test_units_cross_and_nobody_asks_for_it(home: Home) -> None:
    with ShardedNetwork.attach(home.path) as net:
        before = sum(net.supply().values())
        one, other = people(net)
        net.transfer(one, other, 30)
        arrives(net, other, 30)
        net.transfer(other, one, 10)
        arrives(net, other, 20)
        arrives(net, one, UNITS - 20)
        assert sum(net.supply().values()) == before


def test_a_relayer_that_is_killed_is_started_again_and_goes_on(home: Home) -> None:
    killed = home.require().relay
    assert killed is not None
    with ShardedNetwork.attach(home.path) as net:
        one, other = people(net)
        has = net.balance(other)
        psutil.Process(killed).kill()
        net.transfer(one, other, 5)
        arrives(net, other, has + 5)
    eventually(lambda: home.require().relay not in (None, killed), "the record to name the new one")


def test_an_idle_network_hardly_works(home: Home) -> None:
    def seconds() -> float:
        return sum(sum(process.cpu_times()[:2]) for process in family(home.require().pid))

    time.sleep(1)
    before = seconds()
    time.sleep(3)
    assert (seconds() - before) / 3 < 0.2, "of one core, all of its processes"


def test_another_number_of_shards_is_another_network(home: Home, tmp_path: Path) -> None:
    run("down", "--home", home.path)
    left = [path.name for path in home.path.rglob("*") if path.name in ("lock", "network.json")]
    assert left == []
    told = run(*UP, "--home", home.path, "--shards", 3, expect=COULD_NOT).stderr
    assert "has 2 shards, not 3: leave the number out to go on with it" in told
    plain = Home(tmp_path)
    [(_, genesis, _)] = chains.chains_of(plain, validators=1, chain_id="village")
    plain.chain.mkdir()
    (plain.chain / "genesis.json").write_bytes(to_json(genesis.spec))
    for options, why in ((("--shards", 2), "has no shards, not 2"), (("--chain-id", "x"), "is called village, not x")):
        assert why in run(*UP, "--home", plain.path, *options, expect=COULD_NOT).stderr
    assert (
        "ids of their own" in run(*UP, "--home", plain.path, "--shards", 2, "--chain-id", "x", expect=COULD_NOT).stderr
    )
    read(*UP, "--home", home.path)


def test_after_the_supervisor_was_killed_all_chains_leave_and_go_on(home: Home) -> None:
    before = processes(home)
    assert len(before) == 2 + 3 * 2, "supervisor and relayer, three validators, and where their contracts run"
    psutil.Process(home.require().pid).kill()
    eventually(lambda: all(map(is_gone, before)), "everything to leave by itself")
    with pytest.raises(NetworkError, match="no network is running"):
        ShardedNetwork.attach(home.path)
    shown = read(*UP, "--home", home.path)
    assert list(shown["nodes"]) == ["node-0", "node-1", "node-2"]
    with ShardedNetwork.attach(home.path) as net:
        one, other = people(net)
        has = net.balance(other)
        assert has > 0, "the chains are kept"
        net.transfer(one, other, 1)
        arrives(net, other, has + 1)
    after = processes(home)
    assert read("down", "--home", home.path) == {"stopped": True}
    assert all(map(is_gone, after))


def test_who_has_moved_to_a_chain_is_there_when_the_network_goes_up_and_who_has_left_is_not(tmp_path: Path) -> None:
    def at_height(net: mc.Network) -> list[tuple[str, int]]:
        return [(report.name, report.height) for report in net.status()]

    up = (*UP, "--home", tmp_path)
    read(*up, "--validators", 1)
    with mc.Network.attach(tmp_path) as net:
        net.send(net.wallet("bank"), [Call("ledger", "transfer", {"to": net.wallet("shop").did, "amount": 1})])
        net.join("node-7")
        eventually(lambda: at_height(net) == [("node-0", 1), ("node-7", 1)], "the one who moved here")
    run("down", "--home", tmp_path)
    assert list(read(*up)["nodes"]) == ["node-0", "node-7"]
    with mc.Network.attach(tmp_path) as net:
        assert at_height(net) == [("node-0", 1), ("node-7", 1)]
        net.leave("node-7")
    run("down", "--home", tmp_path)
    assert list(read(*up)["nodes"]) == ["node-0"]
    run("down", "--home", tmp_path)


# --- anybody's relayer ---------------------------------------------------------------------------------------------


def test_anybody_carries_between_networks_that_know_nothing_of_each_other(tmp_path: Path) -> None:
    homes = [tmp_path / name for name in ("town", "district")]
    with ExitStack() as held:
        for home in homes:
            read(*UP, "--home", home, "--validators", 1, "--chain-id", home.name)
            held.callback(run, "down", "--home", home)
        town, district = (held.enter_context(mc.Network.attach(home)) for home in homes)
        connect(town, district)
        connect(district, town, mints=True)
        assert "name the home of another network, too" in run("relay", "--home", homes[0], expect=COULD_NOT).stderr
        twice = run("relay", "--home", homes[0], "--home", homes[0], expect=COULD_NOT).stderr
        assert "two of these chains have the same id" in twice
        with relayer(homes):
            cross(town, district, town.wallet("bank"), district.wallet("shop"), 7)
            eventually(lambda: list(unsettled(town)) == [("district", 0)], "the answer")
        assert district.account(district.wallet("shop")).balance == 7
        with relayer(homes):  # the first one was killed
            cross(district, town, district.wallet("shop"), town.wallet("shop"), 2)
            eventually(lambda: list(unsettled(district)) == [("town", 0)], "the answer")
        assert town.account(town.wallet("shop")).balance == 2


@contextmanager
def relayer(homes: list[Path]) -> Iterator[None]:
    """Run `minichain relay` for these homes, and kill it at the end."""
    named = [text for home in homes for text in ("--home", str(home))]
    command = [sys.executable, "-c", "from minichain.cli import main; main()", "relay", *named]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": supervisor.import_path()})
    try:
        yield
    finally:
        process.kill()
        process.wait()


# --- room ----------------------------------------------------------------------------------------------------------


def test_what_a_computer_has_no_room_for_is_refused_with_the_numbers(tmp_path: Path) -> None:
    told = run(*UP, "--home", tmp_path, "--shards", 64, "--validators", 100, expect=COULD_NOT).stderr
    assert "no room for 6500 validators in 65 chains: they need about 585.2 GB of memory where" in told
    assert "with `--fit` the network is made that small by itself" in told
    assert [path.name for path in tmp_path.iterdir()] == ["supervisor.log"]


def test_it_is_memory_or_processors_that_are_too_few() -> None:
    laptop = Room(4_000, 2)
    assert laptop.lack(Need(5, 20, with_dashboards=True)) == ""
    assert laptop.lack(Need(9, 45, with_dashboards=False)) == "about 4.2 GB of memory where 4.0 GB are free"
    assert Room(10**6, 2).lack(Need(13, 52, with_dashboards=False)) == (
        "about 34 seconds to start on 2 cores where 30 seconds are reasonable"
    )
    assert laptop.fit(4, 4, with_dashboards=False) == (4, 4)
    assert laptop.fit(4, 40, with_dashboards=False) == (4, 8)
    assert laptop.fit(64, 4, with_dashboards=False) == (42, 1), "rather fewer validators than fewer shards"
    assert Room(50, 2).fit(0, 4, with_dashboards=False) is None


@pytest.mark.parametrize(
    ("here", "need", "shards", "is_new", "text"),
    [
        (
            Room(24_516, 2), Need(41, 820, with_dashboards=True), 40, True,
            "this computer has no room for 820 validators in 41 chains: they need about 74.1 GB of memory where 24.5 "
            "GB are free, and about 9 minutes to start on 2 cores where 30 seconds are reasonable. Ask for `--shards "
            "40 --validators 1`, which has room; with `--fit` the network is made that small by itself",
        ),
        (
            Room(24_516, 1), Need(1, 60, with_dashboards=False), 0, True,
            "this computer has no room for 60 validators: they need about 78 seconds to start on 1 core where 30 "
            "seconds are reasonable. Ask for `--validators 23`, which has room; with `--fit` the network is made that "
            "small by itself",
        ),
        (
            Room(140, 2), Need(1, 1, with_dashboards=False), 0, True,
            "this computer has no room for 1 validator: it needs about 0.2 GB of memory where 0.1 GB are free. Not "
            "even the smallest network has room: close other programs, or take a larger computer",
        ),
        (
            Room(4_060, 8), Need(1, 45, with_dashboards=False), 0, False,
            "this computer has no room for 45 validators: they need about 4.2 GB of memory where 4.0 GB are free. "
            "Close other programs, take a larger computer, or begin a smaller network: in another directory with "
            "`--home`, or in this one with `--fresh`, which deletes what is there",
        ),
    ],
)  # fmt: skip
def test_a_refusal_says_what_was_asked_what_it_needs_what_is_here_and_what_to_do(
    here: Room, need: Need, shards: int, is_new: bool, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "room", lambda: here)
    with pytest.raises(NetworkError) as refused:
        resources.require_room(need, shards, is_new=is_new)
    assert str(refused.value) == text


def fake_memory(monkeypatch: pytest.MonkeyPatch, megabytes: int) -> None:
    monkeypatch.setattr(resources.psutil, "virtual_memory", lambda: SimpleNamespace(available=megabytes * 10**6))


def chosen(*more: str) -> argparse.Namespace:
    return supervisor.read_options(["home", "--shards", "2", "--validators", "4", "--no-dashboards", *more])


def test_a_network_is_made_smaller_only_where_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_memory(monkeypatch, 1_000)
    with ExitStack() as held, pytest.raises(NetworkError) as refused:
        supervisor.prepare(Home(tmp_path / "one"), chosen(), held)
    assert str(refused.value) == (
        "this computer has no room for 12 validators in 3 chains: they need about 1.2 GB of memory where 1.0 GB are "
        "free. Ask for `--shards 2 --validators 3`, which has room; with `--fit` the network is made that small by "
        "itself"
    )
    home = Home(tmp_path / "two")
    with ExitStack() as held:
        prepared = supervisor.prepare(home, chosen("--fit"), held)
        held.callback(prepared.close)
        assert prepared.note == (
            "Made smaller, `--shards 2 --validators 3` instead of `--shards 2 --validators 4`: this computer has no "
            "room for 12 validators in 3 chains: they need about 1.2 GB of memory where 1.0 GB are free."
        )
        assert chains.count(home, None, None) == (3, 9)
    fake_memory(monkeypatch, 500)
    with ExitStack() as held, pytest.raises(NetworkError, match="`--fresh`, which deletes what is there"):
        supervisor.prepare(home, chosen("--fit"), held)


# --- the story ------------------------------------------------------------------------------------------------------


def test_the_same_receipts_in_both_worlds_whoever_is_killed(tmp_path: Path) -> None:
    found: dict[str, Any] = {}
    for world in ("sim", "live"):
        said: list[str] = []
        found[world] = demo.run(world, 3, tmp_path / f"{world}.json", said.append)
        assert sum("killing node-" in line for line in said) == 4
        assert sum("killing the relayer" in line for line in said) == 3
    live = found["live"]
    assert live["receipts"] == found["sim"]["receipts"]
    assert live["supply_after"] == found["sim"]["supply_after"]
    assert live["supply_before"]["total"] == live["supply_after"]["total"]
    ways = {(one["from"], one["to"], one.get("call")) for one in live["delivered"]}
    both = (("shard-0", "shard-1"), ("shard-1", "shard-0"), ("shard-0", "side"), ("side", "shard-0"))
    assert ways == {(*way, call) for way in both for call in (None, "desk.note")}
    assert [(one["units"], one["reason"]) for one in live["refunded"]] == [(demo.UNITS, "it came too late")]
    assert {chain: len(set(roots.values())) for chain, roots in live["state_roots"].items()} == {
        "shard-0": 1, "shard-1": 1, "side": 1
    }  # fmt: skip
    proof = proofs.read(Path(live["proof"]).read_bytes())
    assert isinstance(proof, proofs.CrossingProof)
    crossed = proofs.verify(proof, *(bytes.fromhex(live["genesis"][chain]) for chain in ("side", "shard-0")))
    assert (crossed.answer.outcome, crossed.message.amount) == ("done", demo.UNITS // 3)


def test_there_are_two_worlds(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no world 'moon'"):
        demo.run("moon", 1, tmp_path / "proof", print)
