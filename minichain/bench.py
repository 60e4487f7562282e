"""Figures about this machine, each printed with the formula it comes from. Nothing here is a test.

Every ratio is measured in one run: what is compared was timed on the same machine within the same minute.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from hashlib import sha256
from importlib import import_module
from itertools import combinations
from multiprocessing import get_context
from random import Random
from statistics import fmean, quantiles
from typing import Any, Final

from minichain.client.local import LocalWorld
from minichain.client.network import Network
from minichain.client.playing import Crowd, Witness, contradictions, reread, unfinished
from minichain.codec import encode
from minichain.contracts import Frame, GasMeter, Runtime, Sandbox
from minichain.crypto import KeyPair, is_valid_signature
from minichain.errors import TimedOut, UsageError
from minichain.ledger.genesis import Genesis, Work
from minichain.ledger.local import BANK, new_chain, root_of, validator_key, wallet_key
from minichain.ledger.types import Call, Envelope, Transaction, sign_transaction
from minichain.live.channel import LiveChannel
from minichain.live.home import family
from minichain.merkle import StateTree
from minichain.node.messages import Await, Outcomes, Request, Submit, Submitted
from minichain.sim.engines import EngineWorld
from minichain.sim.gossip import GossipWorld
from minichain.sim.world import World

BATCH: Final = 250  # transfers in one message to a node
IN_FLIGHT: Final = 3  # batches a sender has under way
GAS_LIMIT: Final = 10_000
EXPIRES: Final = 9_000
ACCOUNTS: Final = 10_000
REST_S: Final = 3  # a network that has just started is not yet at rest
CROWD, CROWD_BLOCKS = 32, 100  # a simulated network that is nearly all messages: about 2,100 for a block
LOAD, LOAD_EVERY_MS = 10, 100  # so many transactions are sent so often while validators are killed
RECOVERY_S: Final = 3.0  # half of the killed validators must be back within so long
CALM_S: Final = 60.0
MINERS: Final = 50  # of a public network; its other nodes check, keep and pass on
BLOCK_MS: Final = 600  # a thousandth of Bitcoin's ten minutes, as the links are about a thousand times as fast
PAY_EVERY: Final = 4  # blocks; a chain that nobody pays on is not mined
BRANCH_BYTES: Final = 3 + 16 * 32  # what is hashed for a full branch of the state tree


def _seconds_each(work: Callable[[], Any], least_s: float = 0.5) -> float:
    """Time a piece of work: repeat it for at least `least_s`, return seconds for one."""
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < least_s:
        work()
        count += 1
    return (time.perf_counter() - start) / count


def signature_seconds(cores: int = 1) -> float:
    """Return how long one Ed25519 check takes here, while so many cores do nothing else: together they are slower."""
    if cores > 1:
        with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
            return fmean(pool.map(signature_seconds, [1] * cores))
    key, data = KeyPair(bytes(32)), bytes(200)
    signature = key.sign("bench", data)
    return _seconds_each(lambda: is_valid_signature(key.public, "bench", data, signature))


# --- throughput --------------------------------------------------------------------------------------------------


def throughput(validators: int = 4, transfers: int = 20_000) -> dict[str, Any]:
    """Submit signed transfers over the client sockets and wait until they are final on every validator."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    transfers -= transfers % validators  # each validator gets the same share
    senders = [KeyPair.derive(b"bench", str(number)) for number in range(validators)]
    balances = tuple((sender.public, transfers) for sender in senders)
    net = Network.local(validators, balances=balances)
    with net:
        world = net.world
        assert isinstance(world, LocalWorld)
        work = [_transfers(net, sender, transfers // validators) for sender in senders]
        check_before_s = signature_seconds(cores)
        latencies: list[float] = []
        start = time.perf_counter()
        with ThreadPoolExecutor(validators) as pool:
            jobs = [pool.submit(_submit_all, world, *job, latencies) for job in zip(net.nodes, work, strict=True)]
        for job in jobs:
            job.result()  # whatever went wrong in it goes wrong here: no figure without every transfer
        net.wait_for_height(net.height())
        seconds = time.perf_counter() - start
        check_s = (check_before_s + signature_seconds(cores)) / 2  # a machine may change its speed under way
        done = sum(dict(report.status.counters)["transactions"] for report in net.status() if report.status)
    tps, limit = transfers / seconds, cores / (validators * check_s)
    cuts = quantiles(latencies, n=100)
    return {
        "tps": round(tps),
        "limit_tps": round(limit),
        "ratio": round(tps / limit, 3),
        "latency_ms": {"p50": round(cuts[49] * 1000), "p99": round(cuts[98] * 1000)},
        "transfers": transfers,
        "final_on_each": done // validators,
        "seconds": round(seconds, 2),
        "signature_check_us": round(check_s * 1e6, 1),
        "cores": cores,
        "validators": validators,
        "formula": "tps = transfers / seconds from first submission until all are final on every validator; "
        "limit_tps = cores / (validators x seconds of one signature check on all cores at once, before and after); "
        "ratio = tps / limit_tps; "
        f"latency of a batch of {BATCH} from its submission to the answer that all of it is final",
    }


def _transfers(net: Network, sender: KeyPair, count: int) -> list[list[Envelope]]:
    receiver = KeyPair.derive(b"bench", "receiver").did
    call = Call("ledger", "transfer", {"to": receiver, "amount": 1})
    spec, genesis = net.genesis.spec, net.genesis.hash
    signed = [
        sign_transaction(Transaction(spec.chain_id, genesis, sender.public, nonce, (call,), GAS_LIMIT, EXPIRES), sender)
        for nonce in range(count)
    ]
    return [signed[i : i + BATCH] for i in range(0, count, BATCH)]


def _submit_all(world: LocalWorld, name: str, batches: list[list[Envelope]], latencies: list[float]) -> None:
    under_way: list[tuple[float, list[Envelope]]] = []
    with closing(LiveChannel(world.places)) as channel:
        for batch in batches:
            if len(under_way) >= IN_FLIGHT:
                _await(channel, name, under_way.pop(0), latencies)
            under_way.append((time.perf_counter(), batch))
            _submit(channel, name, batch)
        for waiting in under_way:
            _await(channel, name, waiting, latencies)


def _submit(channel: LiveChannel, name: str, batch: list[Envelope]) -> None:
    answer = channel.request(name, Submit(tuple(envelope.raw for envelope in batch)), 60_000)
    assert isinstance(answer, Submitted)
    refused = [verdict for verdict in answer.verdicts if verdict.code != "accepted"]
    assert not refused, f"{name} refused a transfer: {refused[0].message}"


def _await(channel: LiveChannel, name: str, under_way: tuple[float, list[Envelope]], latencies: list[float]) -> None:
    start, batch = under_way
    answer = channel.request(name, Await(tuple(envelope.id for envelope in batch)), 120_000)
    if not isinstance(answer, Outcomes):
        raise TimedOut(f"{name} did not make a batch final within 120 s")
    assert all(verdict.receipt and verdict.receipt.ok for verdict in answer.verdicts)
    latencies.append(time.perf_counter() - start)


# --- one transaction, rest, memory -------------------------------------------------------------------------------


def latency(validators: int = 4, count: int = 50) -> dict[str, Any]:
    """Time single transactions on an idle network, from submission to receipt."""
    with Network.local(validators) as net:
        bank = net.wallet(BANK)
        call = Call("ledger", "transfer", {"to": net.wallet("receiver").did, "amount": 1})
        times = []
        for _ in range(count):
            time.sleep(0.1)
            start = time.perf_counter()
            net.send(bank, [call])
            times.append(time.perf_counter() - start)
    cuts = quantiles(times, n=100)
    return {
        "p50_ms": round(cuts[49] * 1000, 1),
        "p99_ms": round(cuts[98] * 1000, 1),
        "count": count,
        "validators": validators,
        "formula": "time of Network.send on a network at rest: account asked, signed, submitted, final, answered",
    }


def idle(validators: int = 4, seconds: float = 20.0) -> dict[str, Any]:
    """Measure what a network at rest uses: processor and, with many accounts, memory."""
    balances = tuple((KeyPair.derive(b"bench", str(number)).public, 1_000) for number in range(ACCOUNTS))
    with Network.local(validators, balances=balances) as net:
        world = net.world
        assert isinstance(world, LocalWorld)
        time.sleep(REST_S)
        processes = [process for name in net.nodes for process in family(world.cluster.pid(name) or 0)]
        before = [process.cpu_times() for process in processes]
        start = time.perf_counter()
        time.sleep(seconds)
        elapsed = time.perf_counter() - start
        after = [process.cpu_times() for process in processes]
        used = sum(b.user + b.system - a.user - a.system for a, b in zip(before, after, strict=True))
        memory = [report.memory or 0 for report in net.status()]
    return {
        "core_percent": round(100 * used / elapsed, 2),
        "memory_mb_each": [round(size / 1e6, 1) for size in memory],
        "accounts": ACCOUNTS,
        "validators": validators,
        "seconds": round(elapsed, 1),
        "formula": "core_percent = 100 x processor seconds of all validators / seconds; memory = resident set of each, "
        "with that of the process where its contracts run",
    }


def start(validators: int = 4, times: int = 5) -> dict[str, Any]:
    """Start and stop a local network several times."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        with Network.local(validators):
            taken.append(time.perf_counter() - begun)
    return {
        "seconds": round(sorted(taken)[times // 2], 2),
        "longest": round(max(taken), 2),
        "times": times,
        "validators": validators,
        "formula": "median time of Network.local: keys, genesis and processes made, every validator ready",
    }


# --- killed and started again ------------------------------------------------------------------------------------


def recovery(validators: int = 7, rounds: int = 20, seed: int = 1) -> dict[str, Any]:
    """Kill as many validators as the others can spare, two of seven, under load, and start them again in turn."""
    if validators < 4:
        raise UsageError(f"{validators} validators can spare none: for recovery there must be 4 or more")
    with Network.local(validators, seed=seed) as net:
        world = net.world
        assert isinstance(world, LocalWorld)
        witnesses = [Witness(name, net, world.places).start() for name in net.nodes]
        crowd = Crowd(net, witnesses, seed)
        begun = time.perf_counter()
        with _under_load(crowd):
            times = [took for names in _spared(net.nodes, rounds, seed) for took in _recoveries(net, witnesses, names)]
        load_s = time.perf_counter() - begun
        deadline = time.monotonic() + CALM_S
        while crowd.missing(net.nodes) and time.monotonic() < deadline:
            crowd.wait(100)
        for witness in witnesses:
            witness.close()
        again = reread(net, world.places, net.nodes)
    seen = set().union(*(witness.final for witness in witnesses))
    lost, missing = unfinished(seen, again), unfinished(crowd.submitted, again)
    forks = contradictions([*witnesses, *again])
    cuts = quantiles(times, n=20, method="inclusive")
    return {
        "passed": not (forks or lost or missing) and cuts[9] <= RECOVERY_S,
        "recovery_s": {"p50": round(cuts[9], 2), "p95": round(cuts[18], 2), "max": round(max(times), 2)},
        "recoveries": len(times),
        "killed_at_once": (validators - 1) // 3,
        "rounds": rounds,
        "submitted": len(crowd.submitted),
        "missing": missing,
        "lost": lost,
        "contradictions": list(forks),
        "height": min(witness.height for witness in again),
        "load_tps": round(len(crowd.submitted) / load_s),
        "validators": validators,
        "formula": "recovery = from the call that starts a killed validator's process until a client has read from it "
        "a final block higher than all that clients had read from anybody at that call; in each round "
        "(validators - 1) / 3 are killed, and started one after the other; lost = transactions that a client once read "
        "as final and that are not final everywhere at the end; missing = submitted ones that are not; "
        f"passed = no contradicting blocks, none lost or missing, and p50 <= {RECOVERY_S:g} s",
    }


def _spared(names: Sequence[str], rounds: int, seed: int) -> list[tuple[str, ...]]:
    """Return for each round whom the others can spare; nobody comes twice in this company before all have come."""
    groups = list(combinations(names, (len(names) - 1) // 3))
    Random(f"groups {seed}").shuffle(groups)
    return [groups[number % len(groups)] for number in range(rounds)]


@contextmanager
def _under_load(crowd: Crowd) -> Iterator[None]:
    """Let clients send transactions at a steady pace, in a thread of their own."""
    is_over = threading.Event()

    def send() -> None:
        while not is_over.is_set():
            crowd.submit(LOAD)
            crowd.wait(LOAD_EVERY_MS)

    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(send)
        try:
            yield
        finally:
            is_over.set()
        job.result()


def _recoveries(net: Network, witnesses: list[Witness], names: tuple[str, ...]) -> Iterator[float]:
    """Kill these, let the others go on, then start them in turn; yield how long each needed."""
    for name in names:
        net.crash(name)
    _wait_for_blocks(witnesses, max(witness.height for witness in witnesses) + 1)
    for name in names:
        (own,) = (witness for witness in witnesses if witness.name == name)
        height, begun = max(witness.height for witness in witnesses), time.monotonic()
        net.restart(name)
        _wait_for_blocks([own], height + 1)
        yield time.monotonic() - begun


def _wait_for_blocks(witnesses: list[Witness], height: int) -> None:
    """Return when one of them has read a block of this height."""
    deadline = time.monotonic() + CALM_S
    while max(witness.height for witness in witnesses) < height:
        if time.monotonic() > deadline:
            raise TimedOut(f"{witnesses[0].name} did not make block {height} final within {CALM_S:g} s")
        time.sleep(0.005)


# --- the core, in this process -----------------------------------------------------------------------------------


def simulator(validators: int = 4, blocks: int = 1_000) -> dict[str, Any]:
    """Run a simulated network for many blocks, and a large one for many messages, with every checker on."""
    seconds, _ = _simulate(validators, blocks)
    crowd_seconds, messages = _simulate(CROWD, CROWD_BLOCKS)
    check_s = signature_seconds()
    return {
        "seconds": round(seconds, 2),
        "blocks": blocks,
        "validators": validators,
        "messages_per_second": round(messages / crowd_seconds),
        "messages": messages,
        "messages_per_signature_check": round(messages / crowd_seconds * check_s, 2),
        "signature_check_us": round(check_s * 1e6, 1),
        "formula": "seconds for all blocks, one transfer each; messages_per_second = messages delivered between "
        f"{CROWD} validators / seconds of {CROWD_BLOCKS} blocks; all checkers on, all signatures real; "
        "messages_per_signature_check = messages_per_second x seconds of one Ed25519 check here",
    }


def committee(validators: int = 100, blocks: int = 50) -> dict[str, Any]:
    """Let a large committee of BFT decide blocks in the simulator, each vote from everybody to everybody."""
    before_s = time.process_time()
    seconds, messages = _simulate(validators, blocks)
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(time.process_time() - before_s, 2),
        "blocks": blocks,
        "validators": validators,
        "messages": messages,
        "cpu_us_per_message": round((time.process_time() - before_s) / messages * 1e6, 1),
        "formula": "seconds for all blocks, one transfer each, all checkers on; cpu_seconds = processor time of this "
        "process, the making of the network included; cpu_us_per_message = cpu_seconds / messages delivered",
    }


def _public_chain(nodes: int) -> tuple[Genesis, dict[str, KeyPair]]:
    root, work = root_of(1), Work(difficulty=64, block_ms=BLOCK_MS)
    genesis, keys = new_chain(min(MINERS, nodes), root, {"engine": "pow", "clock": "wall", "work": work})
    return genesis, keys | {f"node-{number}": validator_key(root, number) for number in range(len(keys), nodes)}


def miners(nodes: int = 1_000, blocks: int = 500) -> dict[str, Any]:
    """Let a public network of proof of work grow in the simulator: engines alone, each linked with a few others."""
    start, start_cpu = time.perf_counter(), time.process_time()
    genesis, keys = _public_chain(nodes)
    world = EngineWorld(genesis, keys, seed=1)
    world.grow(blocks)
    seconds, cpu_s = time.perf_counter() - start, time.process_time() - start_cpu
    summaries = [peer.engine.summary() for peer in world.peers.values()]
    return {
        **_public_figures(nodes, blocks, seconds, cpu_s, summaries),
        "mined": world.mined,
        "messages": world.delivered,
        "formula": f"seconds until every engine has so many blocks, which take {BLOCK_MS} ms each; the blocks hold no "
        "transactions, and none is executed or stored (`public` does that); the rest as for `public`",
    }


def _public_figures(
    nodes: int, blocks: int, seconds: float, cpu_s: float, summaries: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu_s, 2),
        "blocks": blocks,
        "nodes": nodes,
        "miners": min(MINERS, nodes),
        "reorganisations": sum(summary["reorganisations"] for summary in summaries),
        "deepest": max(summary["deepest"] for summary in summaries),
        "cpu_us_per_block_and_node": round(cpu_s / (blocks * nodes) * 1e6, 1),
    }


def public(nodes: int = 1_000, blocks: int = 50) -> dict[str, Any]:
    """Let a public network of proof of work grow in the simulator: full nodes, each linked with a few others."""
    genesis, keys = _public_chain(nodes)
    start, start_cpu = time.perf_counter(), time.process_time()
    world = GossipWorld(genesis, keys, seed=1)
    _grow(world, blocks, wallet_key(root_of(1), BANK))
    seconds, cpu_s = time.perf_counter() - start, time.process_time() - start_cpu
    summaries = [node.engine_summary for name in world.names if (node := world.node(name))]
    return {
        **_public_figures(nodes, blocks, seconds, cpu_s, summaries),
        "links_each": round(sum(map(len, world.neighbours.values())) / nodes, 2),
        "mined": len(world.sealed),
        "messages": world.delivered,
        "formula": f"seconds until every node has so many blocks, which take {BLOCK_MS} ms each, one transfer in "
        f"{PAY_EVERY} blocks, all checkers on; cpu_seconds = processor time of this process; mined also counts blocks "
        "that lost; reorganisations = how often a node changed to another branch, all nodes together, deepest = the "
        "most blocks that one of them took back; messages = carried by all links",
    }


def _grow(world: World, blocks: int, payer: KeyPair) -> None:
    """Pay for so many blocks: each transfer lets the miners go on for some."""
    random, spec, lowest, nonce = Random(1), world.genesis.spec, 0, 0
    call = Call("ledger", "transfer", {"to": KeyPair.derive(b"bench", "receiver").did, "amount": 1})
    while lowest < blocks:
        if lowest >= nonce * PAY_EVERY:
            body = Transaction(spec.chain_id, world.genesis.hash, payer.public, nonce, (call,), GAS_LIMIT, EXPIRES)
            request = Request(nonce, Submit((sign_transaction(body, payer).raw,)))
            world.ask(random.choice(world.names), b"bench", encode(request))
            nonce += 1
        world.run_for(BLOCK_MS)
        lowest = min(world.store(name).height() for name in world.names)


def _simulate(validators: int, blocks: int) -> tuple[float, int]:
    """Make so many blocks; return the seconds it took and the messages that were delivered."""
    net = Network.simulated(validators, seed=1)
    with net:
        world = net.world.world  # type: ignore[attr-defined]
        bank = net.wallet(BANK)
        call = Call("ledger", "transfer", {"to": net.wallet("receiver").did, "amount": 1})
        start = time.perf_counter()
        for _ in range(blocks):
            net.send(bank, [call])
        assert net.height() == blocks
        return time.perf_counter() - start, world.delivered


def tree(keys: int = 1_000_000, batch: int = 1_000, batches: int = 50) -> dict[str, Any]:
    """Update a large state tree in batches."""
    state = StateTree().update({_key(number): b"value" for number in range(keys)})
    places = range(0, batch * batches, batch)
    work = [{_key((place + i) * 7919 % keys): b"%d" % place for i in range(batch)} for place in places]
    start = time.perf_counter()
    for changes in work:
        state = state.update(changes)
    key_s = (time.perf_counter() - start) / (batch * batches)
    hash_s = _seconds_each(lambda: sha256(bytes(BRANCH_BYTES)).digest())
    return {
        "us_per_key": round(key_s * 1e6, 2),
        "hash_us": round(hash_s * 1e6, 2),
        "ratio": round(key_s / hash_s, 1),
        "keys": keys,
        "batch": batch,
        "batches": batches,
        "formula": "us_per_key = time of all updates / updated keys; hash_us = one SHA-256 of a full branch of the "
        "tree, in the same run; ratio = us_per_key / hash_us",
    }


def _key(number: int) -> bytes:
    return b"key %d" % number


# --- contracts -----------------------------------------------------------------------------------------------------

COLLECTIONS: Final = """\
from minichain.contracts.api import Contract, Map, Value, action, emit, require


class Collections(Contract):
    rounds = Value(int)
    kilograms = Map(str, int)

    def setup(self, street: str) -> None:
        self.kilograms[street] = 0

    @action
    def collect(self, street: str, weight: int) -> int:
        require(weight > 0, "a collection weighs more than nothing")
        self.rounds += 1
        self.kilograms[street] += weight
        emit("Collected", street=street, weight=weight)
        return weight
"""
# The same for the Ethereum machine: two values read, two written, one event; the weight is the call's data.
EVM_COLLECT: Final = bytes.fromhex("600035 600054 600101 600055 80 600154 01 600155 600052 60aa60206000a1 00")
CALLS: Final = 500  # timed together
TIMES: Final = 20


def contracts() -> dict[str, Any]:
    """Call a simple action, and do the same in plain Python and, if it is installed, in pyrevm."""
    sandbox = Sandbox()
    sandbox.deploy(COLLECTIONS, sender="office", street="Canal Street")
    runtime, args = Runtime(), {"street": "Canal Street", "weight": 120}

    def frame() -> Frame:
        said: dict[str, Any] = {"signer": "office", "height": 1, "now_ms": 1, "chain": "bench"}
        return Frame(overlay=sandbox.state.overlay(), meter=GasMeter(1_000_000), events=[], **said)

    def act(one: Frame) -> None:
        runtime.call(one, "collections", "collect", args)

    plain, used = _Collections(), frame()
    act(used)
    action_us, plain_us = _best_us(act, frame), _best_us(lambda _: plain.collect("Canal Street", 120), lambda: None)
    evm_us = _evm_us()
    return {
        "action_us": round(action_us, 1),
        "plain_us": round(plain_us, 2),
        "on_top_us": round(action_us - plain_us, 1),
        "gas": used.meter.used,
        "ns_per_gas": round(action_us * 1000 / used.meter.used, 2),
        "pyrevm_us": round(evm_us, 1) if evm_us else "not installed: pip install pyrevm",
        "formula": f"the best of {TIMES} times {CALLS} calls each, in microseconds for one: a contract's action that "
        "is compiled already (two values read, two written, one event) in a frame of its own, the same as a method of "
        "a class of Python, the same in pyrevm by message_call; on_top_us = action_us - plain_us",
    }


class _Collections:
    def __init__(self) -> None:
        self.rounds = 0
        self.kilograms = {"Canal Street": 0}
        self.events: list[tuple[str, dict[str, Any]]] = []

    def collect(self, street: str, weight: int) -> int:
        if weight <= 0:
            raise ValueError("a collection weighs more than nothing")
        self.rounds += 1
        self.kilograms[street] += weight
        self.events.append(("Collected", {"street": street, "weight": weight}))
        return weight


def _best_us(work: Callable[[Any], Any], prepare: Callable[[], Any]) -> float:
    """Time a piece of work that needs something prepared each time, which is not timed."""
    best_s = float("inf")
    for _ in range(TIMES):
        prepared = [prepare() for _ in range(CALLS)]
        start = time.perf_counter()
        for one in prepared:
            work(one)
        best_s = min(best_s, time.perf_counter() - start)
    return best_s / CALLS * 1e6


def _evm_us() -> float | None:
    try:
        pyrevm = import_module("pyrevm")
    except ImportError:
        return None
    evm, caller, collections = pyrevm.EVM(), "0x" + "11" * 20, "0x" + "22" * 20
    evm.insert_account_info(collections, pyrevm.AccountInfo(code=EVM_COLLECT))
    evm.set_balance(caller, 10**18)
    data = (120).to_bytes(32)
    evm.message_call(caller=caller, to=collections, calldata=data)
    assert evm.storage(collections, 1) == 120, "the machine of Ethereum was asked for something else"
    return _best_us(lambda _: evm.message_call(caller=caller, to=collections, calldata=data), lambda: None)


BENCHES: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    "throughput": throughput,
    "latency": latency,
    "idle": idle,
    "start": start,
    "recovery": recovery,
    "simulator": simulator,
    "committee": committee,
    "miners": miners,
    "public": public,
    "tree": tree,
    "contracts": contracts,
}
