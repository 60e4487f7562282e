"""A proof that a transaction is final, which anybody can check offline, for ever.

Five steps, each checked: the chain's specification makes its genesis hash; the committee it names, or one it handed
over to, certified the header, or enough work was done on top of it;
the header's roots hold the transaction and its receipt; both speak of each other; the transaction is signed by its
sender, for this chain. Whoever must not be fooled by a made-up chain compares the genesis hash with one it knows.

The file form is canonical JSON: after any changed byte the file is refused.
"""

from __future__ import annotations

from minichain import merkle
from minichain.codec import Record, decode, from_json, to_json
from minichain.crosschain.light import follow
from minichain.crosschain.work import Depth, Link, depth_of
from minichain.crypto import did_of
from minichain.errors import ConfigError, DecodeError, ProofError
from minichain.ledger.certificate import Certificate, Handover
from minichain.ledger.genesis import ChainSpec, Genesis
from minichain.ledger.types import Header, Receipt, Transaction, open_envelope

VERSION = 2
MAX_FILE_BYTES = 4 * 1024 * 1024


class Verified(Record):
    """What a sound proof proves; `depth` on a chain of work, where nobody signs."""

    chain_id: str
    genesis: bytes
    height: int
    time_ms: int
    sender: str
    signers: tuple[str, ...]
    depth: Depth | None
    transaction: Transaction
    receipt: Receipt


class Proof(Record):
    """One final transaction with everything it takes to check it. `index` counts in the block, from 0."""

    version: int
    spec: ChainSpec
    header: Header
    certificate: Certificate
    tx: bytes
    receipt: bytes
    index: int
    count: int
    tx_path: tuple[bytes, ...]
    receipt_path: tuple[bytes, ...]
    handovers: tuple[Handover, ...] = ()
    links: tuple[Link, ...] = ()

    def to_bytes(self) -> bytes:
        """Return the content of a proof file."""
        return to_json(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Proof:
        """Read a proof file; raises `ProofError` unless it is exactly what `to_bytes` writes."""
        if len(data) > MAX_FILE_BYTES:
            raise ProofError(f"a proof file has at most {MAX_FILE_BYTES} bytes, not {len(data)}")
        try:
            return from_json(data, cls)
        except (DecodeError, ConfigError) as error:
            raise ProofError(f"this is not a proof: {error}") from None


def verify(proof: Proof, genesis: bytes | None = None) -> Verified:
    """Check a proof; raises `ProofError` with the step that fails.

    `genesis` is the hash of the chain it must belong to; without it, the proof speaks for the chain it names.
    """
    if proof.version != VERSION:
        raise ProofError(f"proof version {proof.version}: this program reads version {VERSION}")
    try:
        chain = Genesis(proof.spec)
    except ConfigError as error:
        raise ProofError(f"the proof's chain cannot be: {error}") from None
    if genesis is not None and chain.hash != genesis:
        raise ProofError(f"the proof is about the chain with genesis {chain.hash.hex()}, not {genesis.hex()}")
    signers, depth = require_final(chain, proof)
    if proof.count != proof.header.tx_count:  # a root alone does not say how many entries it stands for
        raise ProofError(f"block {proof.header.height} has {proof.header.tx_count} transactions, not {proof.count}")
    _require_included("transaction", proof.header.tx_root, proof, proof.tx, proof.tx_path)
    _require_included("receipt", proof.header.receipt_root, proof, proof.receipt, proof.receipt_path)
    return _read(proof, chain, signers, depth)


def _require_included(what: str, root: bytes, proof: Proof, entry: bytes, path: tuple[bytes, ...]) -> None:
    if not merkle.verify_inclusion(entry, proof.index, proof.count, path, root):
        raise ProofError(f"the {what} is not in block {proof.header.height}: its path does not lead to the root")


def require_final(chain: Genesis, proof: Proof) -> tuple[tuple[str, ...], Depth | None]:
    """Return who certified the block, or how deep it lies; raises `ProofError` if it is not final."""
    if proof.handovers if chain.spec.engine == "pow" else proof.links:
        raise ProofError("the proof carries what a chain of this kind has no use for: take it from the network anew")
    if chain.spec.engine == "pow":
        depth = depth_of(chain, proof.header, proof.links)
        if proof.certificate != proof.links[proof.header.height - 1].certificate:
            raise ProofError("the proof shows other work for its block than the chain of headers given with it")
        return (), depth
    trust = follow(chain, proof.handovers)
    trust.require_final(proof.header, proof.certificate)
    return tuple(trust.committee.members[position].name for position in proof.certificate.signers), None


def _read(proof: Proof, chain: Genesis, signers: tuple[str, ...], depth: Depth | None) -> Verified:
    try:
        envelope = open_envelope(proof.tx, chain.spec.limits.transaction_bytes)
        receipt = decode(proof.receipt, Receipt)
    except DecodeError as error:
        raise ProofError(f"what the proof carries cannot be read: {error}") from None
    if (receipt.tx_id, receipt.height, receipt.index) != (envelope.id, proof.header.height, proof.index):
        raise ProofError("the receipt is that of another transaction")
    if (envelope.body.chain_id, envelope.body.genesis) != (chain.spec.chain_id, chain.hash):
        raise ProofError("the transaction was signed for another chain")
    if not envelope.has_valid_signature():
        raise ProofError("the transaction is not signed by its sender")
    return Verified(
        chain_id=chain.spec.chain_id,
        genesis=chain.hash,
        height=proof.header.height,
        time_ms=proof.header.time_ms,
        sender=did_of(envelope.body.sender),
        signers=signers,
        depth=depth,
        transaction=envelope.body,
        receipt=receipt,
    )
