"""Validators on the machines of a cluster: their keys stay there, and they end when whoever started them is gone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from distributed import LocalCluster
from test_cli import COULD_NOT, WRONG_USE, eventually, is_gone, pay, read, run

import minichain as mc
from minichain.codec import to_json
from minichain.errors import NetworkError, UsageError
from minichain.ledger.committee import Member
from minichain.ledger.local import new_chain
from minichain.live import afar
from minichain.live.home import VARIABLE, Home, Running
from minichain.live.machine import PLACE, Machine


def up(home: Home, address: str, *options: object) -> Running:
    read("up", "--home", home.path, "--scheduler", address, "--no-dashboards", "--empty", *options)
    return home.require()


def up_refused(home: Home, *options: object) -> str:
    return run("up", "--home", home.path, "--no-dashboards", "--empty", *options, expect=COULD_NOT).stderr


def keys_below(directory: Path) -> set[str]:
    return {path.parent.name for path in directory.rglob("key")}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """The home of whoever starts; its supervisor is ended at the end."""
    place = Home(tmp_path / "home")
    yield place
    if running := place.find():
        psutil.Process(running.pid).kill()


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The disk of a machine that has two workers."""
    return tmp_path_factory.mktemp("there")


@pytest.fixture(scope="module")
def machines(there: Path) -> Iterator[str]:
    """Two workers, each a process of its own; the address of their scheduler."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(VARIABLE, str(there))
        running = LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0")
    with running:
        yield running.scheduler_address


def test_validators_run_elsewhere_with_keys_of_there_and_go_on_with_their_chain(home: Home, machines: str, there: Path):
    first = up(home, machines)
    assert [node.name for node in first.nodes] == ["node-0", "node-1", "node-2", "node-3"]
    assert (
        len({psutil.Process(node.pid).ppid() for node in first.nodes})
        == len({node.machine for node in first.nodes})
        == 2
    )
    assert keys_below(home.path) == set()
    assert keys_below(there / PLACE) == {node.name for node in first.nodes}
    assert pay(home) == 1
    found = read("status", "--home", home.path)
    assert [(node["up"], node["height"]) for node in found["nodes"]] == [(True, 1)] * 4
    with mc.Network.attach(home.path) as net, pytest.raises(UsageError, match="these are on other machines"):
        net.crash("node-2")
    run("down", "--home", home.path)
    assert all(is_gone(node.pid or 0) for node in first.nodes)

    again = up(home, machines)
    assert {(node.name, node.public) for node in again.nodes} == {(node.name, node.public) for node in first.nodes}
    assert len({node.machine for node in again.nodes}) == 2
    assert pay(home) == 2
    run("down", "--home", home.path)
    assert "start it with `--scheduler ADDRESS`" in up_refused(home)


def test_a_machine_that_lost_its_keys_is_missed(home: Home, machines: str, there: Path):
    up(home, machines, "--validators", 1)
    run("down", "--home", home.path)
    shutil.rmtree(there / PLACE)
    assert "no machine of the cluster has the key of node-0: start a worker on each machine" in up_refused(
        home, "--scheduler", machines
    )


def test_a_chain_that_is_here_does_not_go_elsewhere(home: Home, machines: str):
    run("up", "--home", home.path, "--no-dashboards", "--empty", "--validators", 1)
    run("down", "--home", home.path)
    assert "are on this computer: leave --scheduler out" in up_refused(home, "--scheduler", machines)


@pytest.mark.parametrize("option", [("--shards", "2"), ("--profile", "alliance"), ("--fit",), ("--encrypt-keys",)])
def test_what_is_for_validators_here_is_refused_elsewhere(home: Home, option: tuple[str, ...]):
    asked = ("up", "--home", home.path, "--scheduler", "tcp://127.0.0.1:1", *option)
    assert "leave the options of another kind out" in run(*asked, expect=WRONG_USE).stderr


def test_a_scheduler_that_is_not_there_leaves_nothing_behind(home: Home):
    assert "no Dask scheduler listens at" in up_refused(home, "--scheduler", "tcp://127.0.0.1:1")
    assert home.find() is None
    assert not home.chain.exists()


def test_a_machine_that_does_not_answer_is_named():
    class Silent:
        def result(self, timeout: float) -> None:
            raise TimeoutError

    with pytest.raises(NetworkError, match=r"the machine tcp://192.0.2.1:9 does not answer \(TimeoutError\)"):
        afar._all({"tcp://192.0.2.1:9": None}, lambda _, __: Silent())


def test_validators_end_when_nobody_renews_their_lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    machine = Machine("a network", "127.0.0.1", lease_s=1.0)
    members = tuple(Member(name, public) for name, public in machine.draw(("node-0",)).items())
    genesis, _ = new_chain(1, bytes(32), {"members": members})
    machine.settle(to_json(genesis.spec), ("node-0",))
    machine.start()
    for _ in range(6):
        time.sleep(0.3)
        assert machine.renew()["node-0"], "a lease that is renewed goes on, however long"
    eventually(lambda: machine.pids == {"node-0": None}, "the lease to run out")


# --- machines with networks of their own ------------------------------------------------------------------------------

BRIDGE, NET = "mc-bridge", "10.213.97"


def _ip(*words: object) -> None:
    subprocess.run(["ip", *map(str, words)], check=True, capture_output=True)


@pytest.fixture
def namespaces() -> Iterator[dict[str, str]]:
    """Two network namespaces, joined by a bridge; their names and addresses. This needs root, and the tool `ip`."""
    with ExitStack() as held:
        try:
            _ip("link", "add", BRIDGE, "type", "bridge")
            held.callback(_ip, "link", "delete", BRIDGE)
            _ip("address", "add", f"{NET}.1/24", "dev", BRIDGE)
            _ip("link", "set", BRIDGE, "up")
            for number in (2, 3):
                name = f"mc-machine-{number}"
                _ip("netns", "add", name)
                held.callback(_ip, "netns", "delete", name)
                _ip("link", "add", f"mc-wire-{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
                _ip("link", "set", f"mc-wire-{number}", "master", BRIDGE, "up")
                _ip("-n", name, "address", "add", f"{NET}.{number}/24", "dev", "eth0")
                for device in ("eth0", "lo"):
                    _ip("-n", name, "link", "set", device, "up")
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"network namespaces need Linux, root and the tool `ip`: {error}")
        yield {f"mc-machine-{number}": f"{NET}.{number}" for number in (2, 3)}


def _work(namespace: str, scheduler: str, disk: Path) -> subprocess.Popen[bytes]:
    """Start a worker on a machine of its own, with a disk of its own."""
    program = [sys.executable, "-m", "distributed.cli.dask_worker", scheduler, "--nthreads", "1", "--no-dashboard"]
    environment = {**os.environ, VARIABLE: str(disk), "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        ["ip", "netns", "exec", namespace, *program, "--no-nanny"], env=environment, stderr=subprocess.DEVNULL
    )


def test_machines_with_networks_of_their_own_agree_and_end_without_their_owner(
    home: Home, namespaces: dict[str, str], tmp_path: Path
):
    with ExitStack() as held:
        cluster = held.enter_context(LocalCluster(n_workers=0, host=f"{NET}.1", dashboard_address=":0"))
        for name in namespaces:
            worker = _work(name, cluster.scheduler_address, tmp_path / name)
            held.callback(worker.wait)
            held.callback(worker.kill)
        eventually(lambda: len(cluster.scheduler_info["workers"]) == 2, "both machines")
        running = up(home, cluster.scheduler_address)
        assert {node.address.removeprefix("tcp://").split(":")[0] for node in running.nodes} == set(namespaces.values())
        assert all(len(keys_below(tmp_path / name)) == 2 for name in namespaces)
        assert pay(home) == 1  # the votes of both machines were needed

        worker.kill()  # a machine goes, and its validators with it
        eventually(lambda: [node.pid for node in home.require().nodes].count(None) == 2, "two validators to be missed")
        psutil.Process(running.pid).kill()
        eventually(lambda: all(is_gone(node.pid or 0) for node in running.nodes), "the lease to run out")
