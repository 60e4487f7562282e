"""Makes the small things that tests of the ledger need: keys, committees, chains, transactions, blocks.

Everything is derived from names, so that the same test makes the same bytes every time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, partial
from typing import Any

from minichain.contracts.runtime import Runtime
from minichain.crypto import KeyPair
from minichain.ledger.certificate import (
    PRECOMMIT,
    FinalBlock,
    QuorumCertificate,
    in_order,
    sign_vote,
    vote_statement,
)
from minichain.ledger.committee import Committee, Member
from minichain.ledger.genesis import ChainSpec, Genesis
from minichain.ledger.state import State
from minichain.ledger.types import Block, Call, Envelope, Header, Transaction, sign_transaction
from minichain.transition import Execution, build_block, first_state, open_transaction

COUNTER = '''"""A counter."""
from minichain.contracts.api import Contract, Value, action, require


class Counter(Contract):
    """Count."""

    total = Value(int)

    @action
    def add(self, amount: int) -> int:
        """Add a positive amount."""
        require(amount > 0, "only positive amounts")
        self.total += amount
        return self.total

    @action
    def spin(self) -> None:
        """Never end."""
        while True:
            pass
'''


@cache
def key(name: str) -> KeyPair:
    """Return the key pair of somebody."""
    return KeyPair.derive(b"tests".ljust(32, b"."), name)


def committee(*weights: int) -> Committee:
    """Return a committee of node-0, node-1, ... with these weights."""
    return Committee(Member(f"node-{i}", key(f"node-{i}").public, weight) for i, weight in enumerate(weights))


def genesis(*, weights: Sequence[int] = (1, 1, 1, 1), **settings: Any) -> Genesis:
    """Return a chain with a logical clock; `settings` are those of `ChainSpec`."""
    settings = {"chain_id": "test", "clock": "logical", "members": committee(*weights).members, **settings}
    return Genesis(ChainSpec(**settings))


def transfer(to: str, amount: int) -> Call:
    """Return the call that sends native units to somebody."""
    return Call("ledger", "transfer", {"to": key(to).did, "amount": amount})


def deploy(name: str, source: str = COUNTER) -> Call:
    """Return the call that deploys a contract."""
    return Call("ledger", "deploy", {"name": name, "source": source, "args": {}})


def body(chain: Genesis, signer: str, *calls: Call, **fields: Any) -> Transaction:
    """Return an unsigned transaction; `fields` replace its usual ones."""
    usual = {
        "chain_id": chain.spec.chain_id,
        "genesis": chain.hash,
        "sender": key(signer).public,
        "nonce": 0,
        "calls": calls or (Call("nobody", "nothing"),),
        "gas_limit": 1_000_000,
        "expires": 100,
    }
    return Transaction(**{**usual, **fields})


def sign(chain: Genesis, signer: str, *calls: Call, by: str = "", **fields: Any) -> Envelope:
    """Return a transaction of `signer`, signed with its first key or with that of `by`."""
    named = {"key": key(by).public, **fields} if by else fields
    return sign_transaction(body(chain, signer, *calls, **named), key(by or signer))


class Ledger:
    """One chain grown block by block without a network."""

    def __init__(self, chain: Genesis) -> None:
        self.genesis = chain
        self.runtime = Runtime()
        self.state = State(first_state(chain))
        self.head: Header | None = None
        self.now_ms = 0  # what the proposer's clock shows, on a chain that has one

    def build(
        self, candidates: Iterable[Envelope], now_ms: int | None = None
    ) -> tuple[Block, Execution, dict[bytes, str]]:
        """Make the next block; returns it, what it did, and id -> code of what was left out."""
        proposer = self.state.committee(self.head.height + 1 if self.head else 1).members[0].public
        block, execution, refused = build_block(
            self.runtime,
            self.genesis,
            self.state,
            self.head,
            candidates,
            proposer,
            self.now_ms if now_ms is None else now_ms,
        )
        return block, execution, {tx_id: refusal.code for tx_id, refusal in refused}

    def keep(self, block: Block, execution: Execution) -> None:
        """Make a block the last one."""
        self.state.commit(execution.writes, execution.tree)
        self.head = block.header

    def grow(self, *candidates: Envelope) -> tuple[Block, Execution, dict[bytes, str]]:
        """Build and keep a block."""
        built = self.build(candidates)
        self.keep(built[0], built[1])
        return built

    @property
    def open(self) -> Any:
        """Return the function that opens and checks a transaction of this chain."""
        return partial(open_transaction, self.genesis)


def finalise(chain: Genesis, block: Block, round_: int = 0, by: Committee | None = None) -> FinalBlock:
    """Certify a block by every member, the founders unless said otherwise."""
    by = by or chain.committee
    height, block_id = block.header.height, block.header.id
    statement = vote_statement(chain.hash, PRECOMMIT, height, round_, block_id)
    keys = [key(member.name) for member in by.members]
    signatures = {pair.public: sign_vote(pair, statement) for pair in keys}
    return FinalBlock(block, QuorumCertificate(height, round_, block_id, in_order(by, signatures)))
