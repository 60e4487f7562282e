"""Proofs that leave their network as files: anybody can check them offline, for ever, from a chain's genesis alone.

Three kinds, one reader. That a transaction is final; that a value was in the state, or was not; that a message crossed
from one chain to another, and what was decided there. Each begins with a final block (`Certified`): the chain's
specification makes its genesis hash; the committee it names, or one it handed over to, certified the header, or enough
work was done on top of it. Then a path leads from the header's roots to what is proved. Whoever must not be fooled by
a made-up chain compares the genesis hash with one it knows.

The file form is canonical JSON: after any changed byte the file is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, Self, TypeVar, overload

import msgspec

from minichain import merkle
from minichain.codec import Plain, Record, decode, encode, from_json, to_json
from minichain.crosschain.gate import BRIDGE, Message, Received, Sent
from minichain.crosschain.light import follow
from minichain.crosschain.work import Depth, Link, depth_of, require_deep
from minichain.crypto import did_of
from minichain.errors import ConfigError, DecodeError, ProofError
from minichain.ledger.certificate import Certificate, Handover
from minichain.ledger.genesis import ChainSpec, Genesis
from minichain.ledger.types import Header, Receipt, Transaction, open_envelope

VERSION: Final = 3
MAX_FILE_BYTES: Final = 4 * 1024 * 1024

T = TypeVar("T")


# --- what a file holds -------------------------------------------------------------------------------------------


class _File(Record):
    """What all proofs can."""

    def to_bytes(self) -> bytes:
        """Return the content of a proof file."""
        return to_json((VERSION, self))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a proof file of this kind; raises `ProofError` unless it is exactly what `to_bytes` writes."""
        proof = read(data)
        if not isinstance(proof, cls):
            raise ProofError(f"this is a {type(proof).__name__}, where a {cls.__name__} is expected")
        return proof


class Certified(Record, kw_only=True):
    """A block of a chain, and everything it takes to see that it is final."""

    spec: ChainSpec
    header: Header
    certificate: Certificate
    handovers: tuple[Handover, ...] = ()
    links: tuple[Link, ...] = ()


class Proof(Certified, _File, tag="transaction", kw_only=True):
    """One final transaction with its receipt. `index` counts in the block, from 0."""

    tx: bytes
    receipt: bytes
    index: int
    count: int
    tx_path: tuple[bytes, ...]
    receipt_path: tuple[bytes, ...]


class ValueProof(Certified, _File, tag="value", kw_only=True):
    """What the state after a block has under a key; None: nothing."""

    key: bytes
    value: bytes | None
    path: merkle.StateProof


class Told(Certified, kw_only=True):
    """One receipt of a final block."""

    receipt: bytes
    index: int
    count: int
    path: tuple[bytes, ...]


class CrossingProof(_File, tag="crossing", kw_only=True):
    """A message of one chain to another, by its number: the receipt that sent it, and the one that answered it."""

    number: int
    sent: Told
    decided: Told


AnyProof = Proof | ValueProof | CrossingProof


def read(data: bytes) -> AnyProof:
    """Read a proof file of any kind; raises `ProofError` unless it is exactly what `to_bytes` writes."""
    if len(data) > MAX_FILE_BYTES:
        raise ProofError(f"a proof file has at most {MAX_FILE_BYTES} bytes, not {len(data)}")
    if begins := re.match(rb"\[(\d{1,9}),", data):  # another version has another form
        _require_version(int(begins[1]))
    return _read(from_json, data)


def pack(proof: AnyProof) -> bytes:
    """Return a proof in the ledger's own encoding, for programs that read no other."""
    return encode((VERSION, proof))


def unpack(data: bytes) -> AnyProof:
    """Read what `pack` wrote; raises `ProofError` for anything else."""
    return _read(decode, data)


def _read(decoded: Callable[[bytes, Any], tuple[int, AnyProof]], data: bytes) -> AnyProof:
    try:
        version, proof = decoded(data, tuple[int, AnyProof])
    except (DecodeError, ConfigError) as error:
        raise ProofError(f"this is not a proof: {error}") from None
    _require_version(version)
    return proof


def _require_version(version: int) -> None:
    if version != VERSION:
        raise ProofError(f"proof version {version}: this program reads version {VERSION}; take the proof anew")


# --- what is proved ----------------------------------------------------------------------------------------------


class Standing(Plain, kw_only=True):
    """A final block, and what stands behind it: who signed, or `depth` on a chain of work, where nobody signs."""

    chain_id: str
    genesis: bytes
    height: int
    time_ms: int
    signers: tuple[str, ...]
    depth: Depth | None

    @property
    def confirmations(self) -> int:
        """Return how many blocks confirm it, its own included; one that members sign needs no others."""
        return self.depth.confirmations if self.depth else 1


class Verified(Standing, kw_only=True):
    """A final transaction, and what it did."""

    sender: str
    transaction: Transaction
    receipt: Receipt


class ProvenValue(Standing, kw_only=True):
    """A value (None: absent) after this block. On a chain of work, the newest blocks may still be replaced."""

    key: bytes
    value: bytes | None


class Crossed(Plain, kw_only=True):
    """A message that was sent on one chain, and what was decided about it on the other."""

    number: int
    sent: Standing
    decided: Standing
    message: Message
    answer: Received


@overload
def verify(proof: Proof, *known: bytes) -> Verified: ...
@overload
def verify(proof: ValueProof, *known: bytes) -> ProvenValue: ...
@overload
def verify(proof: CrossingProof, *known: bytes) -> Crossed: ...
@overload
def verify(proof: AnyProof, *known: bytes) -> Verified | ProvenValue | Crossed: ...
def verify(proof: AnyProof, *known: bytes) -> Verified | ProvenValue | Crossed:
    """Check a proof; raises `ProofError` with the step that fails.

    `known` are the genesis hashes of the chains it may speak of; without any, it speaks for the chains it names.
    """
    match proof:
        case Proof():
            return _transaction(proof, known)
        case ValueProof():
            return _value(proof, known)
        case CrossingProof():
            return _crossing(proof, known)


def chains_of(proof: AnyProof) -> tuple[ChainSpec, ...]:
    """Return the specifications of the chains that a proof speaks of."""
    return (proof.sent.spec, proof.decided.spec) if isinstance(proof, CrossingProof) else (proof.spec,)


def _chain(spec: ChainSpec, known: tuple[bytes, ...]) -> Genesis:
    try:
        chain = Genesis(spec)
    except ConfigError as error:
        raise ProofError(f"the proof's chain cannot be: {error}") from None
    if known and chain.hash not in known:
        wanted = " or ".join(genesis.hex() for genesis in known)
        raise ProofError(f"the proof is about the chain with genesis {chain.hash.hex()}, not {wanted}")
    return chain


def require_final(chain: Genesis, block: Certified) -> Standing:
    """Return what stands behind a block; raises `ProofError` if it is not final."""
    standing = _standing(chain, block)
    if standing.depth:
        require_deep(chain, block.header, standing.depth)
    return standing


def _standing(chain: Genesis, block: Certified) -> Standing:
    """Do as `require_final`, but with however few blocks on top."""
    header, signers, depth = block.header, tuple[str, ...](), None
    if block.handovers if chain.spec.engine == "pow" else block.links:
        raise ProofError("the proof carries what a chain of this kind has no use for: take it from the network anew")
    if chain.spec.engine == "pow":
        depth = depth_of(chain, header, block.links)
        if block.certificate != block.links[header.height - 1].certificate:
            raise ProofError("the proof shows other work for its block than the chain of headers given with it")
    else:
        trust = follow(chain, block.handovers)
        trust.require_final(header, block.certificate)
        signers = tuple(trust.committee.members[position].name for position in block.certificate.signers)
    return Standing(
        chain_id=chain.spec.chain_id,
        genesis=chain.hash,
        height=header.height,
        time_ms=header.time_ms,
        signers=signers,
        depth=depth,
    )


def _require_included(
    what: str, root: bytes, entry: bytes, header: Header, index: int, count: int, path: tuple[bytes, ...]
) -> None:
    if count != header.tx_count:  # a root alone does not say how many entries it stands for
        raise ProofError(f"block {header.height} has {header.tx_count} transactions, not {count}")
    if not merkle.verify_inclusion(entry, index, count, path, root):
        raise ProofError(f"the {what} is not in block {header.height}: its path does not lead to the root")


def _receipt(data: bytes, header: Header, index: int) -> Receipt:
    try:
        receipt = decode(data, Receipt)
    except DecodeError as error:
        raise ProofError(f"what the proof carries cannot be read: {error}") from None
    if (receipt.height, receipt.index) != (header.height, index):
        raise ProofError("the receipt is that of another transaction")
    return receipt


def _transaction(proof: Proof, known: tuple[bytes, ...]) -> Verified:
    chain, header = _chain(proof.spec, known), proof.header
    standing = require_final(chain, proof)
    place = (header, proof.index, proof.count)
    _require_included("transaction", header.tx_root, proof.tx, *place, proof.tx_path)
    _require_included("receipt", header.receipt_root, proof.receipt, *place, proof.receipt_path)
    receipt = _receipt(proof.receipt, header, proof.index)
    try:
        envelope = open_envelope(proof.tx, chain.spec.limits.transaction_bytes)
    except DecodeError as error:
        raise ProofError(f"what the proof carries cannot be read: {error}") from None
    if receipt.tx_id != envelope.id:
        raise ProofError("the receipt is that of another transaction")
    if (envelope.body.chain_id, envelope.body.genesis) != (chain.spec.chain_id, chain.hash):
        raise ProofError("the transaction was signed for another chain")
    if not envelope.has_valid_signature():
        raise ProofError("the transaction is not signed by its sender")
    sender = did_of(envelope.body.sender)
    return Verified(**msgspec.structs.asdict(standing), sender=sender, transaction=envelope.body, receipt=receipt)


def _value(proof: ValueProof, known: tuple[bytes, ...]) -> ProvenValue:
    standing = _standing(_chain(proof.spec, known), proof)
    if not merkle.verify_state(proof.key, proof.value, proof.path, proof.header.state_root):
        what = "the value is not the one" if proof.value is not None else "the key is not shown to be absent"
        raise ProofError(f"{what} in the state after block {proof.header.height}: its path leads elsewhere")
    return ProvenValue(**msgspec.structs.asdict(standing), key=proof.key, value=proof.value)


def _crossing(proof: CrossingProof, known: tuple[bytes, ...]) -> Crossed:
    here, there = _chain(proof.sent.spec, known), _chain(proof.decided.spec, known)
    sent, asked = _told(here, proof.sent, there, proof.number, Sent)
    decided, answer = _told(there, proof.decided, here, proof.number, Received)
    return Crossed(number=proof.number, sent=sent, decided=decided, message=asked.message, answer=answer)


def _told(chain: Genesis, told: Told, other: Genesis, number: int, kind: type[T]) -> tuple[Standing, T]:
    """Return what the bridge of a chain announced to another one under a number, and where; raises `ProofError`."""
    header, what = told.header, f"receipt of {chain.spec.chain_id}"
    standing = require_final(chain, told)
    _require_included(what, header.receipt_root, told.receipt, header, told.index, told.count, told.path)
    for event in _receipt(told.receipt, header, told.index).events:
        if (event.contract, event.name) != (BRIDGE, kind.__name__) or event.data.get("number") != number:
            continue
        if (event.data.get("chain"), event.data.get("to")) == (other.spec.chain_id, other.hash):
            try:
                return standing, msgspec.convert(event.data, kind)
            except msgspec.ValidationError:
                raise ProofError(f"the {what} announces a {kind.__name__} that is none") from None
    told_of = "no message" if kind is Sent else "no answer to a message"
    raise ProofError(f"the {what} holds {told_of} numbered {number} for {other.spec.chain_id}")
