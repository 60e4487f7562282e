"""What a chain shows of people: search every block, with its receipts, for values that must not be there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from minichain.client.network import Network
from minichain.codec import encode
from minichain.identity.traces import Trace, find_personal


def blocks(net: Network) -> Iterator[tuple[str, bytes]]:
    """Yield every block of a chain, with its certificate and its receipts, as bytes."""
    for height in range(1, net.height() + 1):
        yield f"block {height}", encode(net.block(height))


def exposed(net: Network, values: Iterable[str]) -> tuple[Trace, ...]:
    """Return what a search of every block finds of these values; see `identity.traces` for what it can find."""
    return find_personal(blocks(net), values)
