"""The live world: real processes, killed, stopped and parted; real sockets, knocked at by strangers."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import zmq
from zmq.utils import z85
from zmq.utils.monitor import parse_monitor_message

import minichain as mc
from minichain.client.local import LocalWorld
from minichain.codec import encode
from minichain.crypto import KeyPair
from minichain.errors import ConfigError, NetworkError, TimedOut, UsageError
from minichain.ledger.types import Call
from minichain.live import transport
from minichain.live.chain import Chain
from minichain.live.cluster import HOST
from minichain.live.home import Home, NodePlace
from minichain.node.messages import MAX_MESSAGE_BYTES, Position

WAIT_S = 20


@pytest.fixture
def net() -> Iterator[mc.Network]:
    with mc.Network.local(validators=4, seed=7) as running:
        yield running


def pay(net: mc.Network, **options: int) -> mc.Receipt:
    shop = net.wallet("shop")
    return net.send(net.wallet("bank"), [Call("ledger", "transfer", {"to": shop.did, "amount": 1})], **options)


def world_of(net: mc.Network) -> LocalWorld:
    assert isinstance(net.world, LocalWorld)
    return net.world


def eventually(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {WAIT_S} s for {what}"
        time.sleep(0.05)


# --- killed, stopped, parted ---------------------------------------------------------------------------------------


def test_killed_validators_come_back_with_everything(net: mc.Network):
    roots = set()
    for victim in ("node-0", "node-1", "node-2", "node-3"):
        pay(net)
        net.crash(victim)
        assert not net.status()[net.nodes.index(victim)].is_up
        receipt = pay(net)
        net.restart(victim)
        net.wait_for_height(receipt.height)
        roots = {report.state_root for report in net.status()}
        assert len(roots) == 1
    assert net.height() == 8
    assert all(report.status and report.status.evidence == 0 for report in net.status())


def test_a_validator_that_hangs_stalls_nobody(net: mc.Network):
    process = psutil.Process(world_of(net).cluster.pid("node-3"))
    process.suspend()
    try:
        for _ in range(5):
            pay(net)
    finally:
        process.resume()
    net.wait_for_height(5)


def test_two_halves_wait_for_each_other(net: mc.Network):
    net.partition(["node-0", "node-1"], ["node-2", "node-3"])
    time.sleep(0.2)
    with pytest.raises(TimedOut, match=r"waited 2 s for ledger.transfer to become final; running nodes: node-0"):
        pay(net, timeout_ms=2_000)
    net.heal()
    net.wait_for_height(1)


def test_all_can_be_killed_at_once(tmp_path: Path):
    with mc.Network.local(validators=4, seed=7, directory=tmp_path) as net:
        receipt = pay(net)
        for name in net.nodes:
            net.crash(name)
        for name in net.nodes:
            net.restart(name)
        net.wait_for_height(receipt.height)
        assert net.receipt(receipt.tx_id).ok
        assert pay(net).height == receipt.height + 1


# --- strangers and faulty members ----------------------------------------------------------------------------------


@contextmanager
def knock(net: mc.Network, key: KeyPair, name: str = "node-0") -> Iterator[tuple[zmq.Socket, zmq.Socket]]:
    context = zmq.Context()
    member = net.genesis.committee.members[net.nodes.index(name)]
    line = context.socket(zmq.DEALER)
    events = line.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_AUTH)
    line.linger = 0
    line.curve_publickey, line.curve_secretkey = map(z85.encode, key.curve_keys())
    line.curve_serverkey = z85.encode(transport.curve_public(member.public))
    line.connect(world_of(net).cluster.peer_address(name))
    try:
        yield line, events
    finally:
        context.destroy(0)


def first_event(events: zmq.Socket) -> zmq.Event:
    assert events.poll(WAIT_S * 1000)
    return zmq.Event(parse_monitor_message(events.recv_multipart())["event"])


def test_a_key_that_is_not_listed_is_refused(net: mc.Network):
    with knock(net, KeyPair(b"s" * 32)) as (line, events):
        assert first_event(events) == zmq.EVENT_HANDSHAKE_FAILED_AUTH
        with suppress(zmq.Again):  # there may be no queue for whoever is refused
            line.send(b"let me in", zmq.NOBLOCK)
        pay(net)
        assert "garbage" not in net.status()[0].status.counters


def test_a_member_who_knocks_while_the_list_of_members_changes_is_let_in():
    keys = [KeyPair(bytes([number]) * 32) for number in range(1, 8)]
    members = [key.public for key in keys]
    door = transport.Transport(keys[0], tuple(members[1:]), HOST, 0, 0)
    context = zmq.Context()
    try:
        for _ in range(5):
            for key in keys[1:]:
                transport.knock(context, key, members[0], f"tcp://{HOST}:{door.peer_port}")
            end = time.monotonic() + 0.1
            while time.monotonic() < end:
                door.allow(members)
        assert door.refused == 0
    finally:
        context.destroy(0)
        door.close()


def test_whoever_was_refused_is_heard_once_it_is_a_member():
    keys = [KeyPair(bytes([number]) * 32) for number in (1, 2)]
    host, guest = (
        transport.Transport(keys[0], (), HOST, 0, 0),
        transport.Transport(keys[1], (keys[0].public,), HOST, 0, 0),
    )
    guest.set_peer(keys[0].public, f"tcp://{HOST}:{host.peer_port}")

    def is_heard() -> bool:
        guest.send(keys[0].public, b"hello")
        host.wait(20)
        return bool(list(host.from_members()))

    try:
        eventually(lambda: is_heard() or host.refused > 0, "the refusal")
        assert host.refused == 1
        host.allow([keys[1].public])
        eventually(is_heard, "the new member to be heard")
    finally:
        host.close()
        guest.close()


def test_a_member_that_listens_nowhere_ends_nobody():
    keys = [KeyPair(bytes([number]) * 32) for number in (1, 2)]
    host = transport.Transport(keys[0], (keys[1].public,), HOST, 0, 0)
    try:
        for odd in ("", "office", "pgm://x"):
            host.set_peer(keys[1].public, odd)
        host.send(keys[1].public, b"are you there?")
        assert (host.peers, host.counts["odd_addresses"]) == ((), 3)
    finally:
        host.close()


def test_a_faulty_member_is_heard_and_survived(net: mc.Network):
    pay(net)
    net.crash("node-3")
    key = KeyPair((world_of(net).directory / "node-3" / "key").read_bytes())
    with knock(net, key) as (line, events):
        assert first_event(events) == zmq.EVENT_HANDSHAKE_SUCCEEDED
        for number in range(40):
            line.send(b"garbage %d" % number)
            line.send(encode(Position(-number, 10**9)))
        eventually(lambda: net.status()[0].status.counters.get("garbage", 0) >= 40, "the garbage to be counted")
        line.send(bytes(MAX_MESSAGE_BYTES + 1_000))  # the library ends the connection
        pay(net)
    net.restart("node-3")
    net.wait_for_height(2)


def test_clients_that_send_nonsense_get_an_answer_and_harm_nobody(net: mc.Network):
    channel = net.client.channel
    line = channel._line("node-0")
    for data in (b"", b"\xc1", b"x" * 1_000, bytes(100_000)):
        line.send(data)
        assert line.poll(WAIT_S * 1000)
        assert b"failure" in line.recv()
    pay(net)


# --- leaving nothing behind ----------------------------------------------------------------------------------------

OWNER = """
import sys, json, time, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # off where tests run in the background
import minichain as mc
with mc.Network.local(validators=2) as net:
    print(json.dumps([net.world.cluster.pid(name) for name in net.nodes]), flush=True)
    time.sleep(600)
"""


def start_owner() -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    assert owner.stdout is not None
    return owner, [psutil.Process(pid) for pid in json.loads(owner.stdout.readline())]


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_validators_leave_with_an_owner_that_was_killed():
    owner, validators = start_owner()
    owner.kill()
    owner.wait()
    eventually(lambda: all(map(is_gone, validators)), "the validators to leave")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to whole consoles only")
def test_validators_leave_after_ctrl_c():
    owner, validators = start_owner()
    owner.send_signal(signal.SIGINT)
    owner.wait(WAIT_S)
    assert all(map(is_gone, validators))


def test_a_closed_network_leaves_no_process_port_or_file():
    net = mc.Network.local(validators=2)
    with net:
        world = world_of(net)
        addresses = [world.cluster.peer_address(name) for name in net.nodes]
        addresses += [world.cluster.client_address(name) for name in net.nodes]
        pids = [world.cluster.pid(name) for name in net.nodes]
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert not world.directory.exists()
    for address in addresses:
        with socket.socket() as probe:
            assert probe.connect_ex((HOST, int(address.rpartition(":")[2]))) != 0


@pytest.mark.parametrize("profile", ["public", "private", "alliance"])
def test_validators_of_every_engine_leave_by_themselves(profile: str, tmp_path: Path):
    with mc.Network.local(validators=2, profile=profile, directory=tmp_path) as net:
        pay(net)
        logs = [world_of(net).cluster.log(name) for name in net.nodes]
        assert not any("stopped" in log for log in logs)
    ends = [log.read_text().rstrip().splitlines()[-1] for log in tmp_path.rglob("log.txt")]
    assert [end.split()[-1] for end in ends] == ["stopped", "stopped"], "none had to be killed"


def test_logs_are_collected(net: mc.Network):
    assert "listening on ports" in world_of(net).cluster.log("node-0")


# --- what cannot be ------------------------------------------------------------------------------------------------


def test_a_port_in_use_is_named():
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        context = zmq.Context()
        with pytest.raises(
            NetworkError, match=rf"cannot listen on {HOST}:{port}.*Stop the program that uses this port"
        ):
            transport.open_door(context, KeyPair(bytes(32)), transport.CLIENTS, HOST, port)
        context.term()


def test_another_chain_in_the_directory_is_refused(tmp_path: Path):
    mc.Network.local(seed=1, clock="logical", directory=tmp_path)
    with pytest.raises(ConfigError, match="holds another chain"):
        mc.Network.local(seed=2, clock="logical", directory=tmp_path)


def test_a_damaged_chain_file_is_named(tmp_path: Path):
    with mc.Network.local(validators=1, seed=1, clock="logical", directory=tmp_path) as net:
        pay(net)
    chain = tmp_path / "node-0" / "chain.sqlite"
    with sqlite3.connect(chain) as opened:
        opened.execute("DELETE FROM state")
    opened.close()
    with pytest.raises(NetworkError, match="node-0 cannot start: the state in the chain file is not that of its last"):
        mc.Network.local(validators=1, seed=1, clock="logical", directory=tmp_path).start()
    chain.write_bytes(b"this is no database" * 1_000)
    with pytest.raises(NetworkError, match="node-0 cannot start: cannot use the chain file"):
        mc.Network.local(validators=1, seed=1, clock="logical", directory=tmp_path).start()


def test_what_a_disk_refuses_the_operator_is_told_and_ends_no_network(tmp_path: Path):
    class OnFullDisk(Chain):
        def do(self, command: dict[str, Any]) -> str:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "backup.sqlite")

        def start(self) -> None: ...
        def leave(self) -> None: ...
        def nodes(self) -> tuple[NodePlace, ...]:
            return ()

    chain = OnFullDisk(Home(tmp_path))
    try:
        assert "No space left on device: 'backup.sqlite'" in chain.obey({"fault": "backup node-0"})
    finally:
        chain.close()


def test_wrong_use_says_what_is_right(net: mc.Network):
    with pytest.raises(UsageError, match="no validator 'node-9'; there are node-0"):
        net.crash("node-9")
    with pytest.raises(UsageError, match="already running"):
        net.restart("node-0")
    with pytest.raises(UsageError, match="1 to 100 validators, not 0"):
        mc.Network.local(validators=0)
    with pytest.raises(UsageError, match="a chain has no setting 'colour'; it has chain_id"):
        mc.Network.local(colour="red")
    with pytest.raises(UsageError, match="inside `with net:`"):
        mc.Network.local().height()
