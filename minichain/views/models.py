"""What a page knows, apart from how it looks: frozen cards, pure readers, and traits that views follow.

Readers take anything with the few client methods named in `ChainSource`, so a recorded client tests them. They run in
a thread and touch no widget; models are changed in the kernel's loop only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from traitlets import HasTraits, Int, Tuple

from minichain.ledger.certificate import FinalBlock
from minichain.ledger.committee import Committee
from minichain.ledger.types import Header
from minichain.views.i18n import _
from minichain.views.parts import State

SHOWN_BLOCKS: Final = 12
BEHIND: Final = 2  # a node that lacks more blocks than this is behind, not merely about to hear of the last one


@dataclass(frozen=True, slots=True)
class BlockCard:
    """A block as people see it: `signed` of `members` validators signed it, which makes it final or not."""

    height: int
    id: bytes
    parent: bytes
    time_ms: int
    txs: int
    proposer: str
    signed: int
    members: int
    is_final: bool


@dataclass(frozen=True, slots=True)
class NodeCard:
    """A validator as people see it."""

    name: str
    height: int
    state: State
    word: str


@dataclass(frozen=True, slots=True)
class ChainSnapshot:
    """What one look at the network showed."""

    height: int
    blocks: tuple[BlockCard, ...]
    nodes: tuple[NodeCard, ...]


class NodeStatus(Protocol):
    """What a node says about itself; `height` is the last one known if it is down."""

    @property
    def name(self) -> str: ...
    @property
    def public(self) -> bytes: ...
    @property
    def height(self) -> int: ...
    @property
    def is_up(self) -> bool: ...


class ChainSource(Protocol):
    """The part of a client that the chain's own pictures need."""

    def head(self) -> Header: ...
    def blocks(self, start: int, count: int) -> Sequence[FinalBlock]: ...
    def status(self) -> Sequence[NodeStatus]: ...


class ChainReader:
    """Look at the network again and again, and ask only for the blocks that are new since the last look."""

    def __init__(self, committee: Committee, keep: int = SHOWN_BLOCKS) -> None:
        self._committee, self._keep = committee, keep
        self._known: tuple[BlockCard, ...] = ()

    def __call__(self, client: ChainSource) -> ChainSnapshot:
        """Ask a client; raises what the client raises."""
        head = client.head()
        if not self._known or self._known[-1].id != head.id:
            self._known = self._extend(client, head.height)
        return ChainSnapshot(head.height, self._known, node_cards(client.status()))

    def _extend(self, client: ChainSource, height: int) -> tuple[BlockCard, ...]:
        first = max(1, height - self._keep + 1)
        kept = tuple(card for card in self._known if first <= card.height < height)
        start = kept[-1].height + 1 if kept else first
        new = tuple(block_card(final, self._committee) for final in client.blocks(start, height - start + 1))
        if kept and new and new[0].parent != kept[-1].id:  # another chain than before: the network was started anew
            self._known = ()
            return self._extend(client, height)
        return (kept + new)[-self._keep :]


def block_card(final: FinalBlock, committee: Committee) -> BlockCard:
    """Sum up a block and its certificate; checking the certificate is the client's work."""
    header, certificate = final.block.header, final.certificate
    signers = [committee.members[position] for position, _signature in certificate.signatures]
    names = {member.public: member.name for member in committee.members}
    return BlockCard(
        height=header.height,
        id=header.id,
        parent=header.parent,
        time_ms=header.time_ms,
        txs=len(final.block.txs),
        proposer=names.get(header.proposer, ""),
        signed=len(signers),
        members=len(committee.members),
        is_final=committee.is_quorum(sum(member.weight for member in signers)),
    )


def node_cards(statuses: Sequence[NodeStatus]) -> tuple[NodeCard, ...]:
    """Judge each node by what it says and by the highest of its peers."""
    top = max((status.height for status in statuses if status.is_up), default=0)
    return tuple(_node_card(status, top) for status in statuses)


def _node_card(status: NodeStatus, top: int) -> NodeCard:
    if not status.is_up:
        return NodeCard(status.name, status.height, "bad", _("down"))
    if top - status.height > BEHIND:
        return NodeCard(status.name, status.height, "warn", _("catching up"))
    return NodeCard(status.name, status.height, "ok", _("in step"))


class ChainModel(HasTraits):
    """The last blocks and the validators, as last seen."""

    height = Int(0)
    blocks = Tuple()
    nodes = Tuple()

    def show(self, snapshot: ChainSnapshot) -> None:
        """Take over what a look showed; views that follow a trait hear of it only if it changed."""
        with self.hold_trait_notifications():
            self.height, self.blocks, self.nodes = snapshot.height, snapshot.blocks, snapshot.nodes

    @property
    def in_step(self) -> int:
        """Count the validators that hold the last blocks."""
        return sum(node.state == "ok" for node in self.nodes)
