"""What nodes say to each other and to clients. Each message is a record; each has a size limit at the door."""

from __future__ import annotations

from typing import Any, Final, cast

from minichain.codec import Record, decode, encode
from minichain.consensus import bft, pow, raft
from minichain.crosschain.work import Link
from minichain.ledger.certificate import Certificate, FinalBlock, Handover
from minichain.ledger.committee import Member
from minichain.ledger.genesis import ChainSpec
from minichain.ledger.state import Account
from minichain.ledger.types import Header, Receipt
from minichain.merkle import StateProof

MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024  # at the door, before anything is decoded
MAX_QUESTION_BYTES: Final = 128 * 1024  # of a question to a view, whose arguments may be many lists of one byte each

# --- between members -----------------------------------------------------------------------------------------------


class Transactions(Record, tag=3):
    """Transactions this node accepted, for everybody's list of waiting ones."""

    txs: tuple[bytes, ...]


class Position(Record, tag=4):
    """I am working on `height` in `round`: send the final blocks I lack. If I am stuck in this height, and have `heard`
    so much of the round, send what I lack of that too.
    """

    height: int
    round: int
    heard: bytes = b""
    is_stuck: bool = False


class FinalBlocks(Record, tag=5):
    """The final blocks that follow the height you named."""

    blocks: tuple[FinalBlock, ...]


class Addresses(Record, tag=6):
    """Where members listen, as far as I know: (public key, address). What a member says of itself counts most."""

    known: tuple[tuple[bytes, str], ...]


PeerMessage = bft.Message | raft.Message | pow.Message | Transactions | Position | FinalBlocks | Addresses

# --- from clients ---------------------------------------------------------------------------------------------------


class Submit(Record, tag="submit"):
    """Accept these signed transactions; answered at once by `Submitted`."""

    txs: tuple[bytes, ...]


class Await(Record, tag="await"):
    """Answer with `Outcomes` when all of these transactions are final or refused."""

    tx_ids: tuple[bytes, ...]


class AskStatus(Record, tag="status"):
    """Answer with `NodeStatus`."""


class AskChain(Record, tag="chain"):
    """Answer with `ChainAnswer`: what this chain is, for somebody who wants to join it."""


class AskFinal(Record, tag="final"):
    """Answer with `FinalAnswer`: the final blocks from `first` on, as many as one answer holds."""

    first: int


class AskSnapshot(Record, tag="snapshot"):
    """Answer with `SnapshotPart` number `part`, from 0, of the snapshot at `height`; 0 asks for a fresh one."""

    height: int
    part: int


class Offer(Record, tag="offer"):
    """Take these sealed blocks in a row, where whoever does the work makes the blocks; answered by `Taken`."""

    blocks: tuple[FinalBlock, ...]


class AskEvidence(Record, tag="evidence"):
    """Answer with `EvidenceAnswer`: the proof of misbehaviour with this number, from 0; `NodeStatus` counts them."""

    number: int


class AskAccount(Record, tag="account"):
    """Answer with `AccountState` of this public key."""

    public: bytes


class AskBlock(Record, tag="block"):
    """Answer with `BlockDetail` of this height."""

    height: int


class AskHeaders(Record, tag="headers"):
    """Answer with `Headers` from `first` on, at most `count`."""

    first: int
    count: int


class AskContracts(Record, tag="contracts"):
    """Answer with `Contracts`."""


class AskView(Record, tag="view"):
    """Answer with `Value`: what a contract's view returns at the last final block. `version` is as in a `Call`."""

    contract: str
    name: str
    args: dict[str, Any]
    version: int = 0


class AskState(Record, tag="state"):
    """Answer with `StateAnswer`: a value, or its absence, with its proof."""

    key: bytes


class AskReceipt(Record, tag="receipt"):
    """Answer with `ReceiptAnswer`: a final transaction with its receipt and both proofs."""

    tx_id: bytes


_AskChain = AskAccount | AskBlock | AskHeaders | AskContracts | AskView | AskState | AskReceipt
ClientRequest = Submit | Await | AskStatus | AskChain | AskFinal | AskSnapshot | AskEvidence | Offer | _AskChain

# --- to clients -----------------------------------------------------------------------------------------------------


class Verdict(Record):
    """What became of one transaction: `code` "accepted" or "final", or one of `transition.REFUSALS` with a message."""

    tx_id: bytes
    code: str
    message: str = ""
    receipt: Receipt | None = None


class Submitted(Record, tag="submitted"):
    """One verdict for each submitted transaction, in order."""

    verdicts: tuple[Verdict, ...]


class Outcomes(Record, tag="outcomes"):
    """One verdict for each awaited transaction, in order."""

    verdicts: tuple[Verdict, ...]


class NodeStatus(Record, tag="node"):
    """How a node is doing. Times in milliseconds, sizes in bytes; `engine` is the engine's own summary."""

    name: str
    public: bytes
    height: int
    head: bytes
    state_root: bytes
    time_ms: int
    waiting: int
    peers: tuple[str, ...]
    engine: dict[str, Any]
    evidence: int
    counters: dict[str, int]


class ChainAnswer(Record, tag="chainspec"):
    """What this chain is, and where this node's door for members is (empty if it has none)."""

    spec: ChainSpec
    public: bytes
    address: str


class FinalAnswer(Record, tag="finals"):
    """Final blocks in ascending height; their certificates are to be checked."""

    blocks: tuple[FinalBlock, ...]


class SnapshotPart(Record, tag="snapshotpart"):
    """A part of the state after a final block; the state root of the block's header is that of all `parts` together.

    `handovers` lead from the genesis to the committee that certified it.
    """

    final: FinalBlock
    handovers: tuple[Handover, ...]
    parts: int
    items: tuple[tuple[bytes, bytes], ...]


class Taken(Record, tag="taken"):
    """The offered block was looked at; whether it counts, the chain shows."""


class EvidenceAnswer(Record, tag="misbehaviour"):
    """What a node kept of a member that contradicted itself, as the engine wrote it; it is to be checked."""

    evidence: bytes


class AccountState(Record, tag="accountstate"):
    """An account after block `height`, and the nonce of its next transaction, those that wait included."""

    account: Account
    next_nonce: int
    height: int


class BlockDetail(Record, tag="detail"):
    """A final block with its receipts, and the members of the committee of its height."""

    final: FinalBlock
    receipts: tuple[Receipt, ...]
    members: tuple[Member, ...]


class Headers(Record, tag="headers"):
    """Headers in ascending height, each with the number of its transactions."""

    headers: tuple[tuple[Header, int], ...]


class Contracts(Record, tag="deployed"):
    """(name, did of the deployer, height) of every deployed contract, oldest first."""

    contracts: tuple[tuple[str, str, int], ...]


class Value(Record, tag="value"):
    """What a view returned, and the height it was read at."""

    value: Any
    height: int


class StateAnswer(Record, tag="stateproof"):
    """A state value (None: absent), its proof under the header's state root, the header's certificate, and the
    handovers that lead from the first committee to the one that certified it.

    Before the first block there is no header, and the proof is under the genesis state.
    """

    value: bytes | None
    proof: StateProof
    header: Header | None
    certificate: Certificate | None
    handovers: tuple[Handover, ...] = ()


class ReceiptAnswer(Record, tag="receiptproof"):
    """A final transaction, its receipt, the audit path of each under the header's roots, and how the first committee's
    trust came to the one that certified this header; or, on a chain of work, all headers.
    """

    header: Header
    certificate: Certificate
    tx: bytes
    receipt: bytes
    index: int
    count: int
    tx_path: tuple[bytes, ...]
    receipt_path: tuple[bytes, ...]
    handovers: tuple[Handover, ...]
    links: tuple[Link, ...]


class Failure(Record, tag="failure"):
    """The request cannot be answered: `code` for programs, `message` for people."""

    code: str
    message: str


_ChainAnswer = AccountState | BlockDetail | Headers | Contracts | Value | StateAnswer | ReceiptAnswer
_NodeAnswer = NodeStatus | ChainAnswer | FinalAnswer | SnapshotPart | EvidenceAnswer | Taken
ClientAnswer = Submitted | Outcomes | _NodeAnswer | _ChainAnswer | Failure


class Request(Record):
    """A client's request; `number` comes back in the `Response`."""

    number: int
    body: ClientRequest


class Response(Record):
    """The answer to the request of the same number."""

    number: int
    body: ClientAnswer


_VIEW: Final = encode(AskView.__struct_config__.tag)
_TAG_WITHIN: Final = 16  # bytes: an array, a number, an array


def read_request(data: bytes) -> Request:
    """Decode what a client sent; raises `DecodeError`."""
    is_view = _VIEW in data[:_TAG_WITHIN]
    return decode(data, Request, MAX_QUESTION_BYTES if is_view else MAX_MESSAGE_BYTES)


def read_peer_message(data: bytes) -> PeerMessage:
    """Decode what a member sent; raises `DecodeError`."""
    return cast(PeerMessage, decode(data, cast(Any, PeerMessage), MAX_MESSAGE_BYTES))
