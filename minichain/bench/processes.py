"""Figures of networks of real processes: what they carry, how fast they answer, what they use, how they come back."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import combinations
from random import Random
from statistics import quantiles
from typing import Any, Final, cast

from minichain.bench.timing import signature_seconds
from minichain.client.local import LocalWorld
from minichain.client.network import Network
from minichain.client.playing import Crowd, Witness, contradictions, reread, unfinished
from minichain.crypto import KeyPair
from minichain.errors import TimedOut, UsageError
from minichain.ledger.local import BANK
from minichain.ledger.types import Call, Envelope, Transaction, sign_transaction
from minichain.live.channel import LiveChannel
from minichain.live.home import family
from minichain.node.messages import Await, Outcomes, Submit, Submitted

BATCH: Final = 250  # transfers in one message to a node
IN_FLIGHT: Final = 3  # batches a sender has under way
GAS_LIMIT: Final = 10_000
EXPIRES: Final = 9_000
ACCOUNTS: Final = 10_000
REST_S: Final = 3  # a network that has just started is not yet at rest
LOAD, LOAD_EVERY_MS = 10, 100  # so many transactions are sent so often while validators are killed
RECOVERY_S: Final = 3.0  # half of the killed validators must be back within so long
CALM_S: Final = 60.0


# --- throughput --------------------------------------------------------------------------------------------------


def throughput(validators: int = 4, transfers: int = 20_000) -> dict[str, Any]:
    """Submit signed transfers over the client sockets and wait until they are final on every validator."""
    cores = os_cores()
    transfers -= transfers % validators  # each validator gets the same share
    latencies: list[float] = []
    with paid(validators, transfers // validators) as net:
        work = transfers_on(net, transfers // validators)
        check_before_s = signature_seconds(cores)
        seconds = flood([work], latencies)
        check_s = (check_before_s + signature_seconds(cores)) / 2  # a machine may change its speed under way
        done = final_on_all(net)
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


def os_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


Work = tuple[Network, list[list[list[Envelope]]]]  # a network, and for each of its validators the batches it is given


def _senders(validators: int) -> list[KeyPair]:
    return [KeyPair.derive(b"bench", str(number)) for number in range(validators)]


def paid(validators: int, each: int) -> Network:
    """Make a network, not yet started, with a sender for each validator who can send so many units."""
    return Network.local(validators, balances=tuple((sender.public, each) for sender in _senders(validators)))


def transfers_on(net: Network, each: int) -> Work:
    """Sign so many transfers for each validator of such a network."""
    return net, [_transfers(net, sender, each) for sender in _senders(len(net.nodes))]


def flood(work: Sequence[Work], latencies: list[float]) -> float:
    """Hand in everything at once; return the seconds until it is final on every validator of its network."""
    start = time.perf_counter()
    with ThreadPoolExecutor(sum(len(shares) for _, shares in work)) as pool:
        jobs = [
            pool.submit(_submit_all, cast(LocalWorld, net.world), name, batches, latencies)
            for net, shares in work
            for name, batches in zip(net.nodes, shares, strict=True)
        ]
    for job in jobs:
        job.result()  # whatever went wrong in it goes wrong here: no figure without every transfer
    for net, _ in work:
        net.wait_for_height(net.height())
    return time.perf_counter() - start


def final_on_all(net: Network) -> int:
    """Return how many transactions the validators have made final, each of them counted."""
    return sum(dict(report.status.counters)["transactions"] for report in net.status() if report.status)


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
