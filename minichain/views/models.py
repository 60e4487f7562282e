"""What a page knows of the chain, apart from how it looks: frozen cards, a pure reader, and traits that views follow.

The reader takes anything with the few client methods named in `ChainSource`. It runs in a thread and touches no widget;
models are changed in the kernel's loop only.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from traitlets import Dict, HasTraits, Instance, Int, Tuple

from minichain.codec import decode_own
from minichain.errors import NetworkError
from minichain.ledger.certificate import Certificate, LogCertificate, QuorumCertificate, WorkCertificate
from minichain.ledger.committee import Committee
from minichain.ledger.genesis import Genesis
from minichain.ledger.types import Call, Header, Receipt, SignedTransaction
from minichain.node.messages import BlockDetail, NodeStatus
from minichain.views.i18n import _
from minichain.views.parts import State

SHOWN_BLOCKS: Final = 12
BEHIND: Final = 2  # a node that lacks more blocks than this is behind, not merely about to hear of the last one
HEADERS_AT_ONCE: Final = 500
REGISTRY: Final = "waste-registry"
PAGE_SIZE: Final = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction as people see it: who asked for what, and what came of it."""

    height: int
    sender: bytes
    calls: tuple[Call, ...]
    receipt: Receipt

    @property
    def id(self) -> str:
        return self.receipt.tx_id.hex()


@dataclass(frozen=True, slots=True)
class BlockCard:
    """A block as people see it: `signed` of `members` validators signed it, which makes it final or not; on a chain of
    work it took about `tries` tries instead.
    """

    height: int
    id: bytes
    parent: bytes
    time_ms: int
    txs: int
    proposer: str
    signed: int
    members: int
    tries: int
    is_final: bool
    entries: tuple[Entry, ...] = ()


class NodeReport(Protocol):
    """What a client knows of a node; `status` is None, and `height` 0, while it does not answer."""

    @property
    def name(self) -> str: ...
    @property
    def height(self) -> int: ...
    @property
    def is_up(self) -> bool: ...
    @property
    def status(self) -> NodeStatus | None: ...
    @property
    def memory(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class NodeCard:
    """A validator as people see it, with what it said."""

    name: str
    height: int
    state: State
    word: str
    report: NodeReport | None = None


@dataclass(frozen=True, slots=True)
class ChainSnapshot:
    """What one look at the network showed. `age_s` is how long ago the last block came, None before the first."""

    height: int = 0
    txs: int = 0
    age_s: int | None = None
    blocks: tuple[BlockCard, ...] = ()
    nodes: tuple[NodeCard, ...] = ()
    contracts: tuple[tuple[str, str, int], ...] = ()
    genesis: Genesis | None = None
    names: Mapping[str, str] = field(default_factory=dict)


class ChainSource(Protocol):
    """The part of a client that the chain's own pictures need."""

    @property
    def genesis(self) -> Genesis: ...
    def status(self) -> Sequence[NodeReport]: ...
    def block(self, height: int) -> BlockDetail: ...
    def headers(self, first: int, count: int) -> Sequence[tuple[Header, int]]: ...
    def contracts(self) -> Sequence[tuple[str, str, int]]: ...
    def view(self, contract: str, name: str, args: dict[str, Any]) -> Any: ...


def ask_all(client: ChainSource, contract: str, view: str) -> list[Any]:
    """Ask a view for one page after the other until one is not full."""
    found: list[Any] = []
    while len(found) % PAGE_SIZE == 0:
        answer = client.view(contract, view, {"start": len(found), "limit": PAGE_SIZE})
        more = answer["manifests"] if isinstance(answer, dict) else answer
        found += more
        if not more:
            break
    return found


def known_names(client: Any, contracts: Iterable[str]) -> dict[str, str]:
    """Return what the chain itself calls accounts, by did: its validators, and the sites of its waste registry."""
    names = {member.did: member.name for member in client.genesis.committee.members}
    parties = ask_all(client, REGISTRY, "all_parties") if REGISTRY in contracts else []
    return names | {party["did"]: party["site"] for party in parties if party["site"]}


class ChainReader:
    """Look at the network again and again, and ask only for what is new since the last look."""

    def __init__(self, keep: int = SHOWN_BLOCKS) -> None:
        self._keep = keep
        self._last, self._head = ChainSnapshot(), b""
        self._came_at = 0.0

    def __call__(self, client: ChainSource) -> ChainSnapshot:
        """Ask a client; raises what the client raises, and `NetworkError` if no validator is up."""
        reports = client.status()
        top = max(
            (report.status for report in reports if report.status), key=lambda status: status.height, default=None
        )
        if top is None:
            raise NetworkError("no validator answers: restart one, or start the network with `minichain up`")
        if (top.height, top.head) != (self._last.height, self._head):
            self._last, self._head = self._extend(client, top.height), top.head
        return replace(self._last, nodes=node_cards(reports), age_s=self._age_s(client.genesis))

    def _extend(self, client: ChainSource, height: int) -> ChainSnapshot:
        last = self._last
        first = max(1, height - self._keep + 1)
        kept = tuple(card for card in last.blocks if first <= card.height < height)
        start = kept[-1].height + 1 if kept else first
        new = tuple(block_card(client.block(number)) for number in range(start, height + 1))
        if height < last.height or (kept and new and new[0].parent != kept[-1].id):  # the network was started anew
            self._last = ChainSnapshot()
            return self._extend(client, height)
        self._came_at = time.monotonic()
        contracts = tuple(client.contracts())
        return ChainSnapshot(
            height=height,
            txs=last.txs + count_transactions(client, last.height + 1, height),
            blocks=(kept + new)[-self._keep :],
            contracts=contracts,
            genesis=client.genesis,
            names=known_names(client, (name for name, _deployer, _height in contracts)),
        )

    def _age_s(self, genesis: Genesis) -> int | None:
        """Count from the block's own time, or, where a chain's clock is not ours, from when we saw it."""
        if not self._last.blocks:
            return None
        if genesis.spec.clock == "wall":
            return max(0, int(time.time() - self._last.blocks[-1].time_ms / 1000))
        return int(time.monotonic() - self._came_at)


def count_transactions(client: ChainSource, first: int, last: int) -> int:
    """Count the transactions of a range of blocks from their headers."""
    count = 0
    for start in range(first, last + 1, HEADERS_AT_ONCE):
        count += sum(txs for _header, txs in client.headers(start, min(HEADERS_AT_ONCE, last - start + 1)))
    return count


def block_card(detail: BlockDetail) -> BlockCard:
    """Sum up a block and its certificate; checking the certificate is the client's work."""
    header, txs, committee = detail.final.block.header, detail.final.block.txs, Committee(detail.members)
    certificate = detail.final.certificate
    signers = [committee.members[position] for position in certificate.signers]
    names = {member.public: member.name for member in committee.members}
    return BlockCard(
        height=header.height,
        id=header.id,
        parent=header.parent,
        time_ms=header.time_ms,
        txs=len(txs),
        proposer=names.get(header.proposer, ""),
        signed=len(signers),
        members=len(committee.members),
        tries=certificate.difficulty if isinstance(certificate, WorkCertificate) else 0,
        is_final=_is_enough(certificate, committee, sum(member.weight for member in signers)),
        entries=tuple(map(entry, txs, detail.receipts)),
    )


def _is_enough(certificate: Certificate, committee: Committee, weight: int) -> bool:
    match certificate:
        case QuorumCertificate():
            return committee.is_quorum(weight)
        case LogCertificate():
            return committee.is_majority(weight)
        case WorkCertificate():
            return True  # for how long, the blocks above it say


def entry(tx: bytes, receipt: Receipt) -> Entry:
    """Read a final transaction."""
    body = decode_own(tx, SignedTransaction).body
    return Entry(receipt.height, body.sender, body.calls, receipt)


def node_cards(reports: Sequence[NodeReport]) -> tuple[NodeCard, ...]:
    """Judge each node by what it says and by the highest of its peers."""
    top = max((report.height for report in reports if report.is_up), default=0)
    return tuple(NodeCard(report.name, report.height, *_judge(report, top), report) for report in reports)


def _judge(report: NodeReport, top: int) -> tuple[State, str]:
    if not report.is_up:
        return "bad", _("down")
    if top - report.height > BEHIND:
        return "warn", _("catching up")
    return "ok", _("in step")


class ChainModel(HasTraits):
    """The chain as last seen."""

    height = Int(0)
    txs = Int(0)
    age_s: Any = Int(None, allow_none=True)
    blocks: Any = Tuple()
    nodes: Any = Tuple()
    contracts: Any = Tuple()
    genesis: Any = Instance(Genesis, allow_none=True)
    names: Any = Dict()

    def show(self, snapshot: ChainSnapshot) -> None:
        """Take over what a look showed; views that follow a trait hear of it only if it changed."""
        with self.hold_trait_notifications():
            for name in ("height", "txs", "age_s", "blocks", "nodes", "contracts", "genesis", "names"):
                setattr(self, name, getattr(snapshot, name))

    @property
    def in_step(self) -> int:
        """Count the validators that hold the last blocks."""
        return sum(node.state == "ok" for node in self.nodes)

    @property
    def recent(self) -> tuple[Entry, ...]:
        """Return the transactions of the last blocks, newest first."""
        return tuple(entry for block in reversed(self.blocks) for entry in reversed(block.entries))
