"""Another block in the place of a final one, certified with whatever keys an attacker has.

Everything in it is valid, and each transaction is signed by its sender: only the certificate decides whether a reader
who has nothing but the genesis believes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from minichain.contracts.runtime import Runtime
from minichain.crosschain.proofs import Proof
from minichain.crypto import KeyPair
from minichain.ledger.certificate import (
    PRECOMMIT,
    Certificate,
    LogCertificate,
    QuorumCertificate,
    in_order,
    log_statement,
    sign_log,
    sign_vote,
    vote_statement,
)
from minichain.ledger.genesis import Genesis
from minichain.ledger.state import State
from minichain.ledger.types import Block, Envelope, Header
from minichain.transition import apply_block, build_block, first_state, open_transaction


def forged_proof(genesis: Genesis, before: Sequence[Block], envelope: Envelope, keys: Sequence[KeyPair]) -> Proof:
    """Return the proof of a transaction in a block after `before` that these keys alone have certified."""
    state, parent = _replay(genesis, before)
    block, execution, refused = build_block(Runtime(), genesis, state, parent, [envelope], keys[0].public, 0)
    assert not refused, "what is put into a forged block is valid"
    receipt = execution.encoded_receipts[0]
    certificate = _certify(genesis, block.header, keys)
    return Proof(
        spec=genesis.spec,
        header=block.header,
        certificate=certificate,
        tx=block.txs[0],
        receipt=receipt,
        index=0,
        count=1,
        tx_path=(),
        receipt_path=(),
    )


def _replay(genesis: Genesis, blocks: Sequence[Block]) -> tuple[State, Header | None]:
    """Return the state after these blocks, and the last header."""
    state, parent, runtime = State(first_state(genesis)), None, Runtime()
    for block in blocks:
        execution = apply_block(runtime, genesis, state, parent, block, partial(open_transaction, genesis))
        state.commit(execution.writes, execution.tree)
        parent = block.header
    return state, parent


def _certify(genesis: Genesis, header: Header, keys: Sequence[KeyPair]) -> Certificate:
    """Sign a header with these keys only, in the form that the chain's engine asks for."""
    if genesis.spec.engine == "raft":
        statement = log_statement(genesis.hash, 1, header.height, header.id)
        acknowledged = {key.public: sign_log(key, statement) for key in keys}
        return LogCertificate(header.height, 1, header.id, in_order(genesis.committee, acknowledged))
    statement = vote_statement(genesis.hash, PRECOMMIT, header.height, 0, header.id)
    signed = {key.public: sign_vote(key, statement) for key in keys}
    return QuorumCertificate(header.height, 0, header.id, in_order(genesis.committee, signed))
