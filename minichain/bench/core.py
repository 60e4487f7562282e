"""Figures of the core in this process: simulated networks, and the tree of the state."""

from __future__ import annotations

import time
from hashlib import sha256
from random import Random
from typing import Any, Final

from minichain.bench.timing import seconds_each, signature_seconds
from minichain.client.network import Network
from minichain.codec import encode
from minichain.crypto import KeyPair
from minichain.ledger.genesis import Genesis, Work
from minichain.ledger.local import BANK, new_chain, root_of, validator_key, wallet_key
from minichain.ledger.types import Call, Transaction, sign_transaction
from minichain.merkle import StateTree
from minichain.node.messages import Request, Submit
from minichain.sim.engines import EngineWorld
from minichain.sim.gossip import GossipWorld
from minichain.sim.world import World

CROWD, CROWD_BLOCKS = 32, 100  # a simulated network that is nearly all messages: about 2,100 for a block
MINERS: Final = 50  # of a public network; its other nodes check, keep and pass on
BLOCK_MS: Final = 600  # a thousandth of Bitcoin's ten minutes, as the links are about a thousand times as fast
PAY_EVERY: Final = 4  # blocks; a chain that nobody pays on is not mined
GAS_LIMIT: Final = 10_000
EXPIRES: Final = 9_000
BRANCH_BYTES: Final = 3 + 16 * 32  # what is hashed for a full branch of the state tree


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
    hash_s = seconds_each(lambda: sha256(bytes(BRANCH_BYTES)).digest())
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
