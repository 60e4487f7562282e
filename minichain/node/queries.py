"""Answers to clients' questions, from the store or through the executor. What can be proved carries its proof."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from minichain import merkle
from minichain.codec import decode_own
from minichain.crosschain.work import Link
from minichain.ledger.certificate import WorkCertificate
from minichain.ledger.genesis import Genesis
from minichain.ledger.types import Receipt
from minichain.node import execution
from minichain.node.messages import (
    AskBlock,
    AskContracts,
    AskEvidence,
    AskFinal,
    AskHeaders,
    AskReceipt,
    AskState,
    AskView,
    BlockDetail,
    ClientAnswer,
    ClientRequest,
    Contracts,
    EvidenceAnswer,
    Failure,
    FinalAnswer,
    Headers,
    ReceiptAnswer,
    StateAnswer,
    Value,
    Verdict,
)
from minichain.node.sync import blocks_from
from minichain.node.waiters import Ticket
from minichain.store import Store

MAX_HEADERS: Final = 500
ELSEWHERE: Final = "elsewhere"  # the code of a failure that another node may not have


def to_executor(ticket: Ticket, request: ClientRequest) -> execution.Task | None:
    """Return the task that answers a question about the state; None for any other question."""
    match request:
        case AskView(contract, name, args, version):
            return execution.AskContract(ticket, contract, name, args, version)
        case AskState(key):
            return execution.ReadState(ticket, key)
        case AskContracts():
            return execution.ListContracts(ticket)
    return None


def from_executor(store: Store, answer: execution.Answer) -> ClientAnswer:
    """Turn the executor's answer to such a task into the client's."""
    match answer:
        case execution.ContractAnswered(_, value, problem, height):
            return Failure("view_failed", problem) if problem else Value(value, height)
        case execution.ContractsListed(_, contracts):
            return Contracts(contracts)
        case execution.StateRead(_, value, proof, height):
            final = store.block(height)
            if final is None:
                return StateAnswer(value, proof, None, None)
            return StateAnswer(value, proof, final.block.header, final.certificate, store.handovers(height))
    raise AssertionError(f"{type(answer).__name__} answers no client")


def answer(genesis: Genesis, store: Store, request: ClientRequest, final: int) -> ClientAnswer:
    """Answer a question about the chain; `final` is the last final height."""
    match request:
        case AskBlock(height):
            return _block(genesis, store, height)
        case AskHeaders(first, count):
            return _headers(store, first, count)
        case AskReceipt(tx_id):
            return _receipt(store, tx_id, final)
        case AskEvidence(number):
            return _evidence(store.evidence(), number)
        case AskFinal(first):
            return FinalAnswer(blocks_from(store, first)) if first >= store.began() else _block(genesis, store, first)
    raise AssertionError(f"{type(request).__name__} is not answered from the store")


def find_verdicts(store: Store, tx_ids: Iterable[bytes], final: int) -> dict[bytes, Verdict]:
    """Return the verdict on each of these transactions that is final; `final` is the last final height."""
    receipts: dict[int, tuple[bytes, ...]] = {}
    verdicts: dict[bytes, Verdict] = {}
    for tx_id in tx_ids:
        place = store.find(tx_id)
        if place is None or place[0] > final:
            continue
        height, index = place
        if height not in receipts:
            receipts[height] = store.receipts(height)
        verdicts[tx_id] = Verdict(tx_id, "final", "", decode_own(receipts[height][index], Receipt))
    return verdicts


def _began(store: Store) -> str:
    return f"this node began with a snapshot at {store.began()}"


def _block(genesis: Genesis, store: Store, height: int) -> ClientAnswer:
    final = store.block(height) if store.began() < height <= store.height() else None  # no store is asked for any
    if final is None and 1 <= height <= store.began():
        return Failure(ELSEWHERE, f"{_began(store)} and has no block {height}: ask another one")
    if final is None:
        return Failure("no_block", f"there is no block {height} yet; the last one is {store.height()}")
    changes = store.handovers(height)
    members = changes[-1].members if changes else genesis.spec.members
    return BlockDetail(final, tuple(decode_own(raw, Receipt) for raw in store.receipts(height)), members)


def _evidence(found: tuple[bytes, ...], number: int) -> ClientAnswer:
    if not 0 <= number < len(found):
        return Failure("no_evidence", f"this node has {len(found)} proofs of misbehaviour, and none numbered {number}")
    return EvidenceAnswer(found[number])


def _headers(store: Store, first: int, count: int) -> ClientAnswer:
    found = []
    for height in range(max(first, store.began(), 1), min(store.height(), first + min(count, MAX_HEADERS) - 1) + 1):
        final = store.block(height)
        assert final is not None
        found.append((final.block.header, len(final.block.txs)))
    return Headers(tuple(found))


def _receipt(store: Store, tx_id: bytes, last: int) -> ClientAnswer:
    place = store.find(tx_id)
    if place is None and store.began():
        return Failure(ELSEWHERE, f"{_began(store)} and knows no transaction {tx_id.hex()}: ask another one")
    if place is None:
        return Failure("not_final", f"no final transaction has the id {tx_id.hex()}")
    if place[0] > last:
        text = f"{tx_id.hex()} is in block {place[0]}, and final are those up to {last}: wait for more blocks on top"
        return Failure("not_final", text)
    height, index = place
    final, receipts = store.block(height), store.receipts(height)
    assert final is not None
    txs = final.block.txs
    return ReceiptAnswer(
        header=final.block.header,
        certificate=final.certificate,
        tx=txs[index],
        receipt=receipts[index],
        index=index,
        count=len(txs),
        tx_path=merkle.inclusion_proof(index, txs),
        receipt_path=merkle.inclusion_proof(index, receipts),
        handovers=store.handovers(height),
        links=tuple(_links(store)) if isinstance(final.certificate, WorkCertificate) else (),
    )


def _links(store: Store) -> Iterator[Link]:
    for height in range(1, store.height() + 1):
        final = store.block(height)
        assert final is not None
        assert isinstance(final.certificate, WorkCertificate)
        yield Link(final.block.header, final.certificate)
