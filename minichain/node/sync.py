"""Catching up: a member that is behind gets final blocks, and trusts the certificates, not the sender."""

from __future__ import annotations

from typing import Final

from minichain.crypto import SignatureCheck
from minichain.errors import ProofError
from minichain.ledger.certificate import FinalBlock, require_kind
from minichain.ledger.committee import Committee
from minichain.ledger.genesis import Genesis
from minichain.merkle import root
from minichain.node.messages import MAX_MESSAGE_BYTES
from minichain.store import Store

MAX_BLOCKS: Final = 64  # in one answer
MAX_BYTES: Final = MAX_MESSAGE_BYTES // 2  # of transactions, but always one block


def blocks_from(store: Store, first: int) -> tuple[FinalBlock, ...]:
    """Return the final blocks from a height on, as many as one answer holds; none, if this one is not kept here."""
    found: list[FinalBlock] = []
    size = 0
    first = max(first, 1)
    if first < store.began():
        return ()
    for height in range(first, min(store.height(), first + MAX_BLOCKS - 1) + 1):
        final = store.block(height)
        assert final is not None, f"block {height} is missing from the store"
        size += sum(map(len, final.block.txs))
        if found and size > MAX_BYTES:
            break
        found.append(final)
    return tuple(found)


def require_final(final: FinalBlock, genesis: Genesis, committee: Committee, is_valid: SignatureCheck) -> None:
    """Raise `ProofError` unless this is a final block of this chain, with the very transactions it was voted on with.

    The certificate covers the header only, and is as good on any other chain that the same members run.
    """
    header = final.block.header
    if header.genesis != genesis.hash:
        raise ProofError(f"block {header.height} belongs to another chain")
    require_kind(final.certificate, genesis.spec.engine)
    final.certificate.verify(header, committee, is_valid)
    if root(final.block.txs) != header.tx_root:
        raise ProofError(f"block {header.height} came with other transactions than its header names")


class CatchUp:
    """The final blocks that came and are not yet applied. `sender` is the member they came from."""

    def __init__(self) -> None:
        self._blocks: list[FinalBlock] = []
        self.sender = b""

    def offer(self, sender: bytes, blocks: tuple[FinalBlock, ...]) -> None:
        """Take blocks, unless others are still being applied."""
        if not self._blocks:
            self._blocks = list(blocks[:MAX_BLOCKS])
            self.sender = sender

    def next(self, height: int) -> FinalBlock | None:
        """Return the block of this height, if it came."""
        while self._blocks:
            final = self._blocks.pop(0)
            if final.block.header.height == height:
                return final
        return None

    def drop(self) -> None:
        """Forget what a faulty member sent."""
        self._blocks.clear()

    def __len__(self) -> int:
        return len(self._blocks)
