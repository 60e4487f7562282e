"""Simulated clients: each signs transactions, and sends them again until they are final.

What they send follows from the seed. Clients who are "mixed" also call a contract, upgrade and freeze it, ask for what
must fail, and spend one nonce twice; all of it becomes final, for a failure is a result too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

from minichain.codec import encode
from minichain.contracts.written import source_of
from minichain.crypto import KeyPair
from minichain.ledger.local import BANK, root_of, wallet_key
from minichain.ledger.types import Call, Envelope, Transaction, sign_transaction
from minichain.node.messages import Await, ClientRequest, Request, Submit
from minichain.sim.voting import Voting
from minichain.sim.world import World

SENDERS: Final = (BANK, *(f"clerk-{number}" for number in range(1, 16)))  # many: the parts of a network both have work
UNITS: Final = 10**9  # each sender's
RESEND_MS: Final = 1_000  # a client sends again, to another node, what is not final by then
BATCH: Final = 8
CLIENT: Final = b"load"
GAS_LIMIT: Final = 200_000  # of a payment or a small call
GAS_LARGE: Final = 5_000_000
GAS_SHORT: Final = 50_000  # enough to begin a call of the contract, and not to end it
COUNTER: Final = source_of(Path(__file__).with_name("counter.py"))

# --- what they ask for -------------------------------------------------------------------------------------------


def _pay(did: str, amount: int = 1) -> Call:
    return Call("ledger", "transfer", {"to": did, "amount": amount})


def _life(verb: str, **args: Any) -> Call:
    return Call("ledger", verb, {"name": "counter", **args})


def _upgrade(random: Random) -> Call:
    """Put one of a few versions in the place of the present one; it fails where it is the same."""
    return _life("upgrade", source=COUNTER + "\n" * random.randint(0, 3), args={})


def _count(amount: int) -> Call:
    return Call("counter", "add", {"amount": amount})


Ask = Callable[[str, Random], tuple[Call, ...]]
MIXED: Final[dict[str, tuple[int, Ask]]] = {  # name -> (how often, what is asked of somebody)
    "payment": (60, lambda did, random: (_pay(did),)),
    "too large a payment": (8, lambda did, random: (_pay(did, UNITS * 100),)),
    "call": (12, lambda did, random: (_count(random.randint(1, 9)),)),
    "refused call": (5, lambda did, random: (_count(10),)),
    "payment undone by a call": (5, lambda did, random: (_pay(did), _count(0))),
    "call short of gas": (5, lambda did, random: (_count(1),)),
    "two of one nonce": (5, lambda did, random: (_pay(did),)),
    "upgrade": (2, lambda did, random: (_upgrade(random),)),
    "freeze": (1, lambda did, random: (_life("freeze"), _pay(did))),
    "unfreeze": (3, lambda did, random: (_pay(did), _life("unfreeze"))),
}
OF_AUTHORITY: Final = frozenset({"upgrade", "freeze", "unfreeze"})  # of whoever deployed the contract
GAS_OF: Final = {"call short of gas": GAS_SHORT, "upgrade": GAS_LARGE}
_CHANCES: Final = [chance for chance, _ in MIXED.values()]


class Load:
    """Clients who send transactions until they are final. Their keys follow from the seed."""

    def __init__(self, world: World, seed: int, clients: str = "payments") -> None:
        self._world = world
        self._random = Random(f"load {seed}")
        self._keys = [wallet_key(root_of(seed), name) for name in SENDERS]
        self._is_mixed = clients == "mixed"
        self._nonces: Counter[bytes] = Counter()
        self._open: list[tuple[Envelope, ...]] = []  # not final everywhere; of two with one nonce one will be
        self._resend_ms = world.elapsed_ms + RESEND_MS
        self._requests = 0
        self.submitted = 0
        self.voting = Voting(world, self._send_for, lambda: self._send_for(self._keys[0], self._payment()))
        work = world.genesis.spec.work
        self._depth = work.confirmations if world.genesis.spec.engine == "pow" else 1

    # --- signing and sending ---

    def submit(self, count: int, name: str = "") -> None:
        """Sign transactions, and send them to a node, or to any that runs."""
        keys = [self._keys[(self.submitted + i) % len(self._keys)] for i in range(count)]
        made = [self._make(key) for key in keys]
        if self._is_mixed and not self.submitted:
            args = {"name": "counter", "source": COUNTER, "args": {}}
            made.append((self._sign(self._keys[0], (Call("ledger", "deploy", args),), GAS_LARGE),))
        self._begin(made, name)

    def move(self, verb: str, name: str) -> None:
        """Let the members vote on whether a node is to join them, or leave."""
        self.voting.move(verb, name)

    def _send_for(self, key: KeyPair, call: Call) -> Envelope:
        envelope = self._sign(key, (call,), GAS_LARGE)
        self._begin([(envelope,)])
        return envelope

    def _begin(self, made: list[tuple[Envelope, ...]], name: str = "") -> None:
        self.submitted += len(made)
        self._open += made
        for txs in ([one[0] for one in made], [one[1] for one in made if len(one) > 1]):
            node = self._send(txs, name)
            if node and self._is_mixed:
                self._request(node, Await(tuple(tx.id for tx in txs)))  # the checkers read what is answered

    def _payment(self, amount: int = 1) -> Call:
        return _pay(self._keys[0].did, amount)

    def _make(self, key: KeyPair) -> tuple[Envelope, ...]:
        """Sign a payment or one of `MIXED`; and another payment with the same nonce, where that is what it is."""
        if not self._is_mixed:
            return (self._sign(key, (self._payment(),)),)
        (kind,) = self._random.choices(tuple(MIXED), _CHANCES)
        key = self._keys[0] if kind in OF_AUTHORITY else key
        calls = MIXED[kind][1](self._keys[0].did, self._random)
        envelope = self._sign(key, calls, GAS_OF.get(kind, GAS_LIMIT))
        if kind != "two of one nonce":
            return (envelope,)
        self._nonces[key.public] -= 1
        return envelope, self._sign(key, (self._payment(2),))

    def _sign(self, key: KeyPair, calls: tuple[Call, ...], gas_limit: int = GAS_LIMIT) -> Envelope:
        spec, nonce = self._world.genesis.spec, self._nonces[key.public]
        self._nonces[key.public] += 1
        genesis, expires = self._world.genesis.hash, spec.limits.max_expiry
        body = Transaction(spec.chain_id, genesis, key.public, nonce, calls, gas_limit, expires)
        return sign_transaction(body, key)

    def _send(self, txs: list[Envelope], name: str = "") -> str:
        """Send transactions to a node, or to any that runs; return its name."""
        running = [name] if name else [one for one in self._world.names if self._world.node(one) is not None]
        self._world.replies(CLIENT)
        if not running or not txs:
            return ""
        node = self._random.choice(running)
        self._request(node, Submit(tuple(tx.raw for tx in txs)))
        return node

    def _request(self, node: str, body: ClientRequest) -> None:
        self._requests += 1
        self._world.ask(node, CLIENT, encode(Request(self._requests, body)))

    # --- time ---

    def wait(self, ms: int) -> None:
        """Let time pass, and send again what no correct member holds for final: a liar may have a chain of its own."""
        end = self._world.elapsed_ms + ms
        while self._resend_ms <= end:
            self._world.run_for(self._resend_ms - self._world.elapsed_ms)
            self._resend_ms += RESEND_MS
            found = self._final_at_correct()
            self._send([txs[0] for txs in self._open if not any(is_final(txs) for is_final in found)][:BATCH])
        self._world.run_for(end - self._world.elapsed_ms)
        self.voting.go_on()

    def missing(self) -> int:
        """Return how many transactions are not yet final at every correct member."""
        found = self._final_at_correct()
        self._open = [txs for txs in self._open if not all(is_final(txs) for is_final in found)]
        return len(self._open)

    def _final_at_correct(self) -> list[Callable[[tuple[Envelope, ...]], bool]]:
        """Return for each correct member what tells whether one of some transactions is final there, as it stands."""
        return [self._finder(name) for name in self._world.names if not self._world.is_adversary(name)]

    def _finder(self, name: str) -> Callable[[tuple[Envelope, ...]], bool]:
        store = self._world.store(name)
        find, began, last = store.find, store.began(), store.height() - self._depth + 1

        def is_final(txs: tuple[Envelope, ...]) -> bool:
            places = (find(tx.id) or self._place_before(tx, began) for tx in txs)
            return any(place is not None and place[0] <= last for place in places)

        return is_final

    def _place_before(self, tx: Envelope, snapshot: int) -> tuple[int, int] | None:
        """Find what a disk knows only by the snapshot it began with: others know its block."""
        if not snapshot:
            return None
        places = (self._world.store(name).find(tx.id) for name in self._world.names)
        return next((place for place in places if place is not None and place[0] <= snapshot), None)
