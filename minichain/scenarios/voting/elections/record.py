"""The record of an election: one file from which anybody counts it again with no network, years later.

It holds every transaction of the election, each with the proof that it is final, and the proof of what the
contract's code is, which only a chain whose members sign can give. A ballot that is left out is missed: the close tells
the digest of all of them in their order.
"""

from __future__ import annotations

from typing import Final

from minichain.client.network import Network
from minichain.codec import Plain, Record, decode, from_json, to_json
from minichain.contracts import source_of
from minichain.contracts.deployed import Deployed, fingerprint
from minichain.crosschain import proofs
from minichain.crosschain.proofs import Proof, ProvenValue, Standing, ValueProof, Verified
from minichain.errors import ConfigError, DecodeError, ProofError
from minichain.ledger.state import contract_key
from minichain.scenarios.voting.elections.contract import Elections
from minichain.scenarios.voting.elections.recount import CHECKS, Entry, Recount, announced, count_again

KIND: Final = "minichain election record"
VERSION: Final = 1
MAX_FILE_BYTES: Final = 64 * 1024 * 1024

# What is checked, and what it means to an official.
MEANINGS: Final = {
    "chain": "all of it is of one and the same chain",
    "final": "each transaction was signed by its sender, and the chain made it final",
    "order": "the transactions come in the order of the chain, each once",
    "code": "the contract is the one this program knows, and was never another one",
    **CHECKS,
}


class ElectionRecord(Record):
    """What a file holds: the contract and its code in the state, and the transactions of one election."""

    contract: str
    number: int
    code: ValueProof
    proofs: tuple[Proof, ...]

    def to_bytes(self) -> bytes:
        """Return the content of the file."""
        return to_json((KIND, VERSION, self))


class Audited(Plain):
    """What a record proves. `standing` is what stands behind the contract's `code` (its SHA-256) on the chain;
    `authority` may change it afterwards: an account, a contract, or nobody. `told` is what was announced, in order.
    `checks` says how often each was made.
    """

    standing: Standing
    code: str
    authority: str
    told: tuple[Entry, ...]
    recount: Recount
    checks: dict[str, int]


def is_record(data: bytes) -> bool:
    """Tell whether bytes mean to be an election record."""
    return data.startswith(b'["' + KIND.encode() + b'",')


def read(data: bytes) -> ElectionRecord:
    """Read a file; raises `ProofError` unless it is exactly what `to_bytes` writes."""
    if len(data) > MAX_FILE_BYTES:
        raise ProofError(f"an election record has at most {MAX_FILE_BYTES} bytes, not {len(data)}")
    try:
        kind, version, record = from_json(data, tuple[str, int, ElectionRecord])
    except (DecodeError, ConfigError) as error:
        raise ProofError(f"this is not an election record: {error}") from None
    if (kind, version) != (KIND, VERSION):
        raise ProofError(f"{kind} version {version}: this program reads version {VERSION} of {KIND}")
    return record


def take(network: Network, number: int, contract: str = "elections") -> ElectionRecord:
    """Collect the record of an election from a network; what it proves is told by `audit`."""
    taken = []
    for height in range(1, network.height() + 1):
        for receipt in network.block(height).receipts:
            if any(entry.data.get("number") == number for entry in announced(contract, "", receipt, 0)):
                taken.append(network.proof(receipt.tx_id.hex()))
    return ElectionRecord(contract, number, network.value_proof(contract_key(contract)), tuple(taken))


def audit(record: ElectionRecord, *known: bytes) -> Audited:
    """Check a record and count again; raises `ProofError` with the check that fails.

    `known` are the genesis hashes of chains that may be believed; without any, it speaks for the chain it names.
    """
    code, deployed = _code(record, known)
    told = entries_of(record, code.genesis)
    if told and told[-1].height > code.height:
        raise ProofError("check 'code' fails: the contract is shown as it was before the last transaction")
    found = count_again(told, code.chain_id, record.contract, record.number)
    count = len(record.proofs)
    made = {"chain": 1 + count, "final": count, "order": count, "code": 1, **found.checks}
    return Audited(
        standing=code,
        code=fingerprint(deployed.source),
        authority=deployed.authority,
        told=tuple(told),
        recount=found,
        checks={name: made.get(name, 0) for name in MEANINGS},
    )


def proven(network: Network, number: int, contract: str = "elections") -> Audited:
    """Return how an election stands, by what the chain has proved and no node's word; raises `ProofError`."""
    return audit(take(network, number, contract), network.genesis.hash)


def entries_of(record: ElectionRecord, genesis: bytes) -> list[Entry]:
    """Return what the contract announced of the election of a record, each proven; raises `ProofError`.

    Whoever calls the contract from another one can have it announce something of several elections in one transaction.
    """
    verified = [_verified(place, proof, genesis) for place, proof in enumerate(record.proofs, 1)]
    order = [(one.height, one.receipt.index) for one in verified]
    if order != sorted(set(order)):
        raise ProofError("check 'order' fails: the transactions are not in the order of the chain, each once")
    told = [entry for one in verified for entry in announced(record.contract, one.sender, one.receipt, one.time_ms)]
    return [entry for entry in told if entry.data.get("number") == record.number]


def _verified(place: int, proof: Proof, genesis: bytes) -> Verified:
    try:
        return proofs.verify(proof, genesis)
    except ProofError as error:
        raise ProofError(f"check 'final' fails for transaction {place} of the record: {error}") from None


def _code(record: ElectionRecord, known: tuple[bytes, ...]) -> tuple[ProvenValue, Deployed]:
    """Return what the state has of the contract, if it is the one this program knows and was never another one."""
    try:
        found = proofs.verify(record.code, *known)
        deployed = decode(found.value or b"", Deployed)
    except (ProofError, DecodeError) as error:
        raise ProofError(f"check 'code' fails: {error}") from None
    if found.depth:  # who mines a block can show any state in it; and where the chain turns back, a sum is opened twice
        raise ProofError(
            "check 'code' fails: on a chain of work the newest state may be made up: vote where members sign, "
            "or count from the blocks of a node of your own"
        )
    is_first = found.key == contract_key(record.contract) and deployed.version == 1
    if not is_first or deployed.source != source_of(Elections):
        raise ProofError("check 'code' fails: the contract is another one than this program knows, or was changed")
    return found, deployed
