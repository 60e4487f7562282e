"""A timeline in the simulated world: the chain and the world it begins in, and the clients, who see every disk."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Final

from minichain.codec import encode
from minichain.crypto import KeyPair
from minichain.faults import player
from minichain.faults.timeline import Timeline
from minichain.ledger.genesis import Genesis, Work
from minichain.ledger.local import BANK, new_chain, root_of, wallet_key
from minichain.ledger.types import Call, Envelope, Transaction, sign_transaction
from minichain.node.messages import Request, Submit
from minichain.sim.world import World

SENDERS: Final = (BANK, *(f"clerk-{number}" for number in range(1, 16)))  # many: the parts of a network both have work
UNITS: Final = 10**9  # each sender's
RESEND_MS: Final = 1_000  # a client sends again, to another node, what is not final by then
BATCH: Final = 8
CLIENT: Final = b"load"
GAS_LIMIT: Final = 100_000
WORK: Final = Work(difficulty=64)  # it is as long as its block time says, in virtual time; a nonce takes real time


def chain_of(timeline: Timeline, work: Work = WORK) -> tuple[Genesis, dict[str, KeyPair]]:
    """Make the genesis and the keys that a timeline's options stand for."""
    root = root_of(timeline.seed)
    balances = tuple((wallet_key(root, name).public, UNITS) for name in SENDERS)
    settings = {"engine": timeline.engine, "clock": timeline.clock, "balances": balances}
    return new_chain(timeline.validators, root, {**settings, "work": work})


def world_of(timeline: Timeline, *, keep_lines: bool = False) -> World:
    """Make the world that a timeline begins in."""
    genesis, keys = chain_of(timeline)
    return World(genesis, keys, seed=timeline.seed, weather=timeline.weather, keep_lines=keep_lines)


def play(world: World, timeline: Timeline) -> Load:
    """Let everything happen; returns when the last line has. The clients go on by the `Load`."""
    load = Load(world, timeline.seed)
    player.play(world, load, timeline)
    return load


class Load:
    """Clients who send transactions until they are final. Their keys follow from the seed."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._random = Random(f"load {seed}")
        self._keys = [wallet_key(root_of(seed), name) for name in SENDERS]
        self._nonces: Counter[bytes] = Counter()
        self._open: list[Envelope] = []  # not final everywhere
        self._resend_ms = world.elapsed_ms + RESEND_MS
        self._requests = 0
        self.submitted = 0
        work = world.genesis.spec.work
        self._depth = work.confirmations if world.genesis.spec.engine == "pow" else 1

    def submit(self, count: int, name: str = "") -> None:
        """Sign transactions, and send them to a node, or to any that runs."""
        txs = [self._sign(self._keys[(self.submitted + i) % len(self._keys)]) for i in range(count)]
        self.submitted += count
        self._open += txs
        self._send(txs, name)

    def _sign(self, key: KeyPair) -> Envelope:
        genesis, nonce = self._world.genesis, self._nonces[key.public]
        self._nonces[key.public] += 1
        call = Call("ledger", "transfer", {"to": self._keys[0].did, "amount": 1})
        expires = genesis.spec.limits.max_expiry
        body = Transaction(genesis.spec.chain_id, genesis.hash, key.public, nonce, (call,), GAS_LIMIT, expires)
        return sign_transaction(body, key)

    def _send(self, txs: list[Envelope], name: str = "") -> None:
        running = [name] if name else [one for one in self._world.names if self._world.node(one) is not None]
        if running and txs:
            self._requests += 1
            request = Request(self._requests, Submit(tuple(tx.raw for tx in txs)))
            self._world.ask(self._random.choice(running), CLIENT, encode(request))
        self._world.replies(CLIENT)

    def wait(self, ms: int) -> None:
        """Let time pass, and send again what is not final anywhere."""
        end = self._world.elapsed_ms + ms
        while self._resend_ms <= end:
            self._world.run_for(self._resend_ms - self._world.elapsed_ms)
            self._resend_ms += RESEND_MS
            lost = [tx for tx in self._open if not any(self._is_final(tx, name) for name in self._world.names)]
            self._send(lost[:BATCH])
        self._world.run_for(end - self._world.elapsed_ms)

    def _is_final(self, tx: Envelope, name: str) -> bool:
        store = self._world.store(name)
        place = store.find(tx.id) or self._place_before(tx, store.began())
        return place is not None and place[0] + self._depth - 1 <= store.height()

    def _place_before(self, tx: Envelope, snapshot: int) -> tuple[int, int] | None:
        """Find what a disk knows only by the snapshot it began with: others know its block."""
        if not snapshot:
            return None
        places = (self._world.store(name).find(tx.id) for name in self._world.names)
        return next((place for place in places if place is not None and place[0] <= snapshot), None)

    def missing(self) -> int:
        """Return how many transactions are not yet final at every correct member."""
        names = [name for name in self._world.names if not self._world.is_adversary(name)]
        self._open = [tx for tx in self._open if not all(self._is_final(tx, name) for name in names)]
        return len(self._open)
