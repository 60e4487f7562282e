"""Figures of shards: what crossing costs a validator here, and what 1 to 64 shards would carry at that cost.

Two chains grow block by block without a network. Timed is what each of their validators does with a block: it checks
all signatures, executes it, compares every promise of its header and keeps the new state.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from random import Random
from statistics import median
from typing import Any, Final

from minichain import merkle
from minichain.bench.timing import machine, seconds_each, signature_seconds
from minichain.codec import decode, decode_own, encode
from minichain.contracts import Runtime
from minichain.crosschain import relay
from minichain.crosschain.light import Trust
from minichain.crosschain.remotes import Followed
from minichain.crypto import KeyPair
from minichain.ledger.certificate import PRECOMMIT, QuorumCertificate, in_order, sign_vote, vote_statement
from minichain.ledger.committee import Member
from minichain.ledger.genesis import ChainSpec, Genesis, Limits, Quota
from minichain.ledger.local import root_of, validator_key
from minichain.ledger.state import State
from minichain.ledger.types import Call, Header, Receipt, Transaction, sign_transaction
from minichain.sharding import capacity
from minichain.sharding.capacity import Costs, Design
from minichain.sharding.played import play
from minichain.transition import apply_block, build_block, first_state, open_transaction

AT_ONCE: Final = 50  # transactions in a block
ROUNDS: Final = 7  # of a block of each kind; the one in the middle counts
UNITS: Final = 10**6
DAY_MS: Final = 86_400_000
GAS_LIMIT: Final = 30_000_000
EXPIRES: Final = 9_000
BLOCK_MS: Final = 1_000  # of the shards in the table
TARGET_US: Final = 300  # for a receipt in a block that is followed
LEAST_S: Final = 0.5
PLAYED_SHARDS, PLAYED_BLOCKS = 4, 20
TOO_MUCH, ENOUGH = Fraction(6, 5), Fraction(4, 5)  # of what the formula says can be carried

Kept = tuple[Header, tuple[Receipt, ...]]


class _Chain:
    """A chain whose validators are all here."""

    def __init__(self, name: str, members: int, people: Sequence[KeyPair]) -> None:
        self.name, root = name, root_of(len(name))
        self.keys = [validator_key(root, number) for number in range(members)]
        committee = tuple(Member(f"node-{number}", key.public) for number, key in enumerate(self.keys))
        settings: dict[str, Any] = {
            "balances": tuple((person.public, UNITS) for person in people),
            "policy": Quota(10**12),
            "limits": Limits(block_bytes=2**21, block_gas=10**10),
        }
        self.genesis = Genesis(ChainSpec(chain_id=name, members=committee, clock="logical", **settings))
        self.runtime, self.state = Runtime(), State(first_state(self.genesis))
        self.head: Header | None = None
        self._nonces: dict[bytes, int] = {}

    def grow(self, *signed: tuple[KeyPair, Call]) -> tuple[float, Kept]:
        """Make a block of transactions; return the seconds one validator was busy with it, and what to keep of it."""
        envelopes = [self._sign(*one) for one in signed]
        proposer = self.keys[0].public
        block, _, refused = build_block(self.runtime, self.genesis, self.state, self.head, envelopes, proposer, 0)
        assert not refused, refused[0][1]
        start = time.process_time()
        open_checked = partial(open_transaction, self.genesis)
        execution = apply_block(self.runtime, self.genesis, self.state, self.head, block, open_checked)
        self.state.commit(execution.writes, execution.tree)
        seconds = time.process_time() - start
        assert all(receipt.ok for receipt in execution.receipts), execution.receipts
        self.head = block.header
        return seconds, (block.header, execution.receipts)

    def _sign(self, sender: KeyPair, call: Call) -> Any:
        spec, nonce = self.genesis.spec, self._nonces.get(sender.public, 0)
        self._nonces[sender.public] = nonce + 1
        body = Transaction(spec.chain_id, self.genesis.hash, sender.public, nonce, (call,), GAS_LIMIT, EXPIRES)
        return sign_transaction(body, sender)

    def certify(self, header: Header) -> QuorumCertificate:
        """Let a quorum sign a block, and nobody more."""
        statement = vote_statement(self.genesis.hash, PRECOMMIT, header.height, 0, header.id)
        quorum = self.keys[: Design(1, members=len(self.keys)).quorum]
        signatures = {key.public: sign_vote(key, statement) for key in quorum}
        return QuorumCertificate(header.height, 0, header.id, in_order(self.genesis.committee, signatures))

    def connect(self, other: _Chain) -> None:
        args = {"spec": encode(other.genesis.spec), "mints": True, "trusting_ms": DAY_MS, "checkpoint": b""}
        for key in self.keys[: Design(1, members=len(self.keys)).quorum]:
            self.grow((key, Call("ledger", "connect", args)))

    def follow(self, carrier: KeyPair, other: _Chain, header: Header) -> float:
        """Take a header of the other chain; return how long a validator had it under way."""
        return self.grow((carrier, relay.follow(other.name, header, other.certify(header))))[0]

    def deliver(self, carriers: Sequence[KeyPair], other: _Chain, receipts: Sequence[Receipt]) -> tuple[float, Kept]:
        """Take each receipt of a block of the other chain, as a transaction of its own."""
        calls = [relay.deliver(other.name, receipts, index, 10) for index in range(len(receipts))]
        return self.grow(*zip(carriers, calls, strict=True))


def shards(validators: int = 4) -> dict[str, Any]:
    """Measure what transfers within and across chains cost a validator, and multiply it out for 1 to 64 shards."""
    people = [KeyPair.derive(b"bench", f"resident {number}") for number in range(AT_ONCE)]
    here, there = _Chain("shard-0", validators, people), _Chain("shard-1", validators, people)
    here.connect(there)
    there.connect(here)
    signature_s = signature_seconds(clock=time.process_time)
    rounds = [_round(here, there, people) for _ in range(ROUNDS)]
    steps_ns = {step: round(median(one[step] for one in rounds) * 1e9) for step in rounds[0]}
    signature_ns = round(signature_s * 1e9)
    quorum = Design(1, members=validators).quorum
    header_ns = max(0, steps_ns.pop("follow") - quorum * signature_ns)
    costs = Costs(**steps_ns, header=header_ns, signature=signature_ns)
    proof_us = _verification_us(here, there, people)
    rows = capacity.table(costs, members=validators, block_ms=BLOCK_MS)
    worst = min(float(row.efficiency[0]) for row in rows if row.efficiency[0] is not None)
    return {
        "passed": proof_us["receipt"] <= TARGET_US,
        "verification_us": proof_us,
        "costs_us": {name: round(getattr(costs, name) / 1_000, 3) for name in costs.__struct_fields__},
        "tps": {_percent(share): _column(rows, column) for column, share in enumerate(capacity.CROSSING)},
        "efficiency_of_doubling": round(worst, 4),
        f"played_with_{PLAYED_SHARDS}_shards": {
            _percent(share): _played(costs, Design(PLAYED_SHARDS, share, validators, BLOCK_MS))
            for share in capacity.CROSSING
        },
        "delay_blocks": {_percent(share): float(capacity.delay(Design(2, share))) for share in capacity.CROSSING},
        "coordinator_load": {row.shards: round(float(row.coordinator), 4) for row in rows},
        "members": validators,
        "block_ms": BLOCK_MS,
        **machine(),
        "definitions": capacity.DEFINITIONS,
        "formula": _FORMULA,
    }


_FORMULA: Final = (
    f"costs = processor time in which a validator checks and executes a block of {AT_ONCE} transactions / {AT_ONCE}, "
    f"the middle one of {ROUNDS} blocks of each kind; header = that of a block with one header - signature x quorum; "
    "contracts run in this process, nothing is written to disk or sent; receipt = one receipt read, its path checked "
    f"against a followed header of a block of {AT_ONCE} (passed: at most {TARGET_US} us); with_certificate = that and "
    "the quorum's signatures on the header; tps of S shards = S x the x at which x ((1 - c) transfer + c (send + "
    "deliver + settle)) + follow x min(2 c x, headers of all other shards) = 1 - votes, where c is the share that "
    "crosses (none with one shard), votes = 2 x members x signature / block time, follow = header + signature x "
    f"quorum; played = {PLAYED_BLOCKS} blocks of each shard one after the other, with random senders and receivers: "
    f"tps under {float(TOO_MUCH):g} x as many as the formula says, delays under {float(ENOUGH):g} x, delivery from "
    "final in the one shard to final in the other; "
    "efficiency_of_doubling = the least tps of 2 S / (2 x tps of S) where nothing crosses; delay_blocks = mean time "
    "until final where it takes effect, in block times: 3/2 x (1 + c); coordinator_load = share of its time for "
    "following each block of each shard"
)


def _round(here: _Chain, there: _Chain, people: Sequence[KeyPair]) -> dict[str, float]:
    """Make a block of each kind; return seconds for one of what is in it."""
    pairs = list(zip(people, [*people[1:], people[0]], strict=True))
    transfers, _ = here.grow(*((one, _paying(other)) for one, other in pairs))
    sent, (header, receipts) = here.grow(*((one, _crossing(there, other)) for one, other in pairs))
    follow = there.follow(people[0], here, header)
    delivered, (answered, answers) = there.deliver(people, here, receipts)
    here.follow(people[0], there, answered)
    settled, _ = here.deliver(people, there, answers)
    seconds = {"transfer": transfers, "send": sent, "deliver": delivered, "settle": settled}
    return {**{step: taken / len(people) for step, taken in seconds.items()}, "follow": follow}


def _paying(to: KeyPair) -> Call:
    return Call("ledger", "transfer", {"to": to.did, "amount": 1})


def _crossing(target: _Chain, to: KeyPair) -> Call:
    return Call("ledger", "cross", {"chain": target.name, "to": to.did, "amount": 1, "within_ms": DAY_MS})


def _verification_us(chain: _Chain, other: _Chain, people: Sequence[KeyPair]) -> dict[str, float]:
    """Time what somebody does who follows a chain and is shown a receipt of it."""
    _, (header, receipts) = chain.grow(*((person, _crossing(other, person)) for person in people))
    encoded = [encode(receipt) for receipt in receipts]
    index = len(encoded) // 2
    path = merkle.inclusion_proof(index, encoded)
    kept, certificate = encode(Followed(header.id, header.receipt_root, header.tx_count)), chain.certify(header)
    trust = Trust(chain.genesis.hash, "bft", chain.genesis.committee)

    def check() -> None:
        followed = decode_own(kept, Followed)
        assert merkle.verify_inclusion(encoded[index], index, followed.count, path, followed.receipts)
        decode(encoded[index], Receipt)

    def check_all() -> None:
        trust.require_final(header, certificate)
        check()

    return {"receipt": _us(check), "with_certificate": _us(check_all)}


def _us(work: Callable[[], None]) -> float:
    return round(seconds_each(work, LEAST_S, time.process_time) * 1e6, 1)


def _played(costs: Costs, design: Design) -> dict[str, float | None]:
    """Play what the formula says; return what was carried under too much load, and delays under less."""
    busy, calm = (play(costs, design, load, Random(1), PLAYED_BLOCKS) for load in (TOO_MUCH, ENOUGH))
    return {
        "tps": round(busy.throughput),
        "of_formula": round(float(Fraction(busy.throughput, capacity.throughput(costs, design))), 3),
        "p50_delay_blocks": None if calm.delay is None else round(float(calm.delay), 2),
        "p50_delivery_blocks": None if calm.delivery is None else round(float(calm.delivery), 2),
    }


def _percent(share: Fraction) -> str:
    return f"{float(100 * share):g} % crossing"


def _column(rows: Sequence[capacity.Row], column: int) -> dict[int, int]:
    return {row.shards: row.throughput[column] for row in rows}
