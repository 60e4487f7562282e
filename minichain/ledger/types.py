"""The nouns of the ledger. Each is frozen, and each has exactly one encoding.

Every signed byte names its chain: a transaction carries the chain id and the genesis hash, a vote and a proposal
carry the genesis hash, so nothing signed for one chain means anything on another.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

import msgspec

from minichain.codec import Record, check_value, decode, encode
from minichain.crypto import DIGEST_SIZE, KEY_SIZE, SIGNATURE_SIZE, KeyPair, SignatureCheck, digest, is_valid_signature
from minichain.errors import DecodeError

MAX_CALLS: Final = 64
MAX_NAME: Final = 64

_SIGNATURE_TAIL: Final = SIGNATURE_SIZE + 2  # a 64-byte MessagePack bin: two bytes of header, then the signature


class Call(Record):
    """Ask a contract for one action. The contract named `ledger` is the ledger itself.

    `version` is that of the contract whose interface the caller knows: the call fails where the action has changed
    since. 0 asks whatever version there is.
    """

    contract: str
    action: str
    args: dict[str, Any] = msgspec.field(default_factory=dict)
    version: int = 0


class Transaction(Record):
    """One or several calls, executed all or not at all, under one signature.

    `nonce` counts the sender's transactions from 0. `expires` is the last height of a block that may hold it. `key` is
    the Ed25519 key that signed, where it is not `sender` itself: an account keeps its name when its key changes.
    """

    chain_id: str
    genesis: bytes
    sender: bytes
    nonce: int
    calls: tuple[Call, ...]
    gas_limit: int
    expires: int
    key: bytes = b""


class SignedTransaction(Record):
    """A transaction as it travels: the body and one Ed25519 signature over its encoding."""

    body: Transaction
    signature: bytes


def transaction_id(raw: bytes) -> bytes:
    """Return the id of a signed transaction as it travels: 32 bytes, its name."""
    return digest("transaction", raw)


class Envelope:
    """A transaction that was decoded and found canonical, with the bytes it came in and its id: 32 bytes, its name.

    `containers` are the lists and dicts in its arguments.
    """

    __slots__ = ("body", "containers", "id", "raw", "signature")

    def __init__(self, raw: bytes, signed: SignedTransaction, containers: int = 0, known_id: bytes = b"") -> None:
        self.raw = raw
        self.id = known_id or transaction_id(raw)
        self.containers = containers
        self.body = signed.body
        self.signature = signed.signature

    def has_valid_signature(self, is_valid: SignatureCheck = is_valid_signature) -> bool:
        """Check the signature; costs about as much as everything else done for a transaction.

        Whether that key may sign for the sender is a question about the state (see `transition`).
        """
        # The body lies in `raw` between the array header and the signature: no need to encode it again.
        return is_valid(self.body.key or self.body.sender, "transaction", self.raw[1:-_SIGNATURE_TAIL], self.signature)


def sign_transaction(body: Transaction, key: KeyPair) -> Envelope:
    """Sign a transaction with the key of its `key`, or of its sender."""
    signed = SignedTransaction(body, key.sign("transaction", encode(body)))
    return Envelope(encode(signed), signed)


def open_envelope(raw: bytes, limit: int) -> Envelope:
    """Decode a transaction from outside; raises `DecodeError`. The signature is not checked here."""
    signed = decode(raw, SignedTransaction, limit)
    body = signed.body
    if len(signed.signature) != SIGNATURE_SIZE:
        raise DecodeError(f"a signature has {SIGNATURE_SIZE} bytes, not {len(signed.signature)}: sign the transaction")
    if len(body.sender) != KEY_SIZE or len(body.genesis) != DIGEST_SIZE:
        raise DecodeError(f"sender and genesis have {KEY_SIZE} bytes each")
    if body.key and (len(body.key) != KEY_SIZE or body.key == body.sender):
        raise DecodeError(f"key is empty where the sender's first key signs, otherwise another one of {KEY_SIZE} bytes")
    if not 1 <= len(body.calls) <= MAX_CALLS:
        raise DecodeError(f"a transaction has 1 to {MAX_CALLS} calls, not {len(body.calls)}")
    if body.nonce < 0 or body.gas_limit < 0 or body.expires < 0:
        raise DecodeError("nonce, gas limit and expiry height are never negative")
    containers = 0
    for call in body.calls:
        if len(call.contract) > MAX_NAME or len(call.action) > MAX_NAME:
            raise DecodeError(f"a contract or action name has at most {MAX_NAME} characters")
        for value in call.args.values():
            containers += check_value(value)
    return Envelope(raw, signed, containers)


class Event(Record):
    """Something a contract announced."""

    contract: str
    name: str
    data: dict[str, Any]


class Receipt(Record):
    """What a transaction did.

    `outcome` is "ok" or the word of the failure; then `error` says why and there are no events. `results` holds the
    value each call returned. Two worlds agree on outcome, events, gas and height.
    """

    tx_id: bytes
    height: int
    index: int
    outcome: str
    error: str
    gas: int
    events: tuple[Event, ...]
    results: tuple[Any, ...]

    @property
    def ok(self) -> bool:
        return self.outcome == "ok"


class Header(Record, dict=True):
    """What a block commits to. The roots are those *after* this block's own transactions.

    `committee` is the hash of the committee that certifies this block, `next_committee` of the one after it.
    """

    genesis: bytes
    height: int
    time_ms: int
    parent: bytes
    proposer: bytes
    tx_count: int
    tx_root: bytes
    receipt_root: bytes
    state_root: bytes
    committee: bytes
    next_committee: bytes

    @cached_property
    def id(self) -> bytes:
        """Return the block id: 32 bytes that name header and, through its roots, everything else."""
        return digest("block", encode(self))


class Block(Record):
    """A header and the transactions it orders, each as the bytes its sender signed."""

    header: Header
    txs: tuple[bytes, ...]
