"""The same work for every kind of ledger: who does what, and when. It follows from a count and a seed alone.

Transactions come one after the other at an even pace, so that no figure depends on a crowd at the door. No resident
comes twice within a round, so that the network never has to wait for an earlier transaction of the same resident.
"""

from __future__ import annotations

from random import Random
from typing import Final

from minichain.codec import Plain
from minichain.crypto import KeyPair
from minichain.ledger.genesis import Genesis
from minichain.ledger.local import root_of, wallet_key
from minichain.ledger.types import Call, Envelope, Transaction, sign_transaction

RESIDENTS: Final = tuple(f"Resident {number}" for number in range(1, 13))
OFFICE: Final = "Environment office"  # puts the contract there before the work begins
UNITS: Final = 10**9  # that each of them has at the start
CONTRACT: Final = "collections"
PACE_MS: Final = 40  # from one transaction to the next
CALLS: Final = 4  # one in so many is a contract call, the others are transfers
GAS_LIMIT: Final = 300_000
EXPIRES: Final = 9_000  # height


class Task(Plain):
    """One transaction to be: `at_ms` counts from the beginning of the work."""

    at_ms: int
    who: str
    call: Call


def key_of(name: str, seed: int) -> KeyPair:
    """Return the key pair of a resident or the office."""
    return wallet_key(root_of(seed), name)


def tasks(count: int, seed: int) -> tuple[Task, ...]:
    """Return so many transactions, in their order."""
    turns, calls = Random(f"turns {seed}"), Random(f"calls {seed}")
    order: list[str] = []
    while len(order) < count:
        order += turns.sample(RESIDENTS, len(RESIDENTS))
    return tuple(Task(number * PACE_MS, who, _call(who, calls, seed)) for number, who in enumerate(order[:count]))


def _call(who: str, random: Random, seed: int) -> Call:
    if random.randrange(CALLS) == 0:
        return Call(CONTRACT, "bring", {"weight": random.randint(1, 50)})
    to = random.choice([name for name in RESIDENTS if name != who])
    return Call("ledger", "transfer", {"to": key_of(to, seed).did, "amount": random.randint(1, 500)})


def signed(work: tuple[Task, ...], genesis: Genesis, seed: int) -> tuple[Envelope, ...]:
    """Sign the work for one chain: each resident counts from 0."""
    nonces = dict.fromkeys(RESIDENTS, 0)
    envelopes = []
    for task in work:
        envelopes.append(sign(genesis, key_of(task.who, seed), nonces[task.who], task.call))
        nonces[task.who] += 1
    return tuple(envelopes)


def sign(genesis: Genesis, key: KeyPair, nonce: int, call: Call, gas_limit: int = GAS_LIMIT) -> Envelope:
    """Sign one transaction for a chain."""
    spec = genesis.spec
    body = Transaction(spec.chain_id, genesis.hash, key.public, nonce, (call,), gas_limit, EXPIRES)
    return sign_transaction(body, key)
