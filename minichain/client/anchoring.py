"""Whether a side chain still shows what it has anchored in its main chain: `anchors(main, side)`.

A side chain is a chain that makes units for what is deposited with it (`mints`), and whose blocks the main chain
follows; each followed header is a checkpoint, its anchor there. A deposit is a crossing from main to side, a withdrawal
one back.

What anchors are good for: who rewrites history after an anchor is found out, and a main chain that has seen both
versions believes the side chain no more (`report`). What they are not: the main chain checks who signed, not what was
signed. Members of a side chain, more than two thirds of them and in agreement, can move units on it as they like, and
withdraw what all depositors together have there, and not a unit more. Once the side chain is not believed any more
withdrawals stop; what was deposited and has not come back stays recorded as `abroad`. Nobody gets it back by himself,
the honest depositor no more than the thief: the members of the main chain can only connect the side chain anew, from a
checkpoint that they vouch for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minichain.client.network import Network
from minichain.client.receipt import Receipt
from minichain.client.wallet import Wallet
from minichain.codec import Plain, decode_own
from minichain.crosschain import relay
from minichain.crosschain.remotes import Followed, Remote, followed_key, remote_key
from minichain.errors import ProofError, UsageError


class Anchors(Plain):
    """How a side chain's own history compares with what was anchored; heights are those of the side chain, 0 is none.

    It agrees up to `height`. At `rewritten` it shows another block than the one anchored. `missing` is anchored, and
    not shown: its nodes lag, or hide it. `forked` is where the main chain itself has seen two blocks. It has `shown`.
    """

    height: int
    rewritten: int
    missing: int
    forked: int
    shown: int

    def __str__(self) -> str:
        if self.rewritten:
            return f"rewritten at height {self.rewritten}: the side chain shows another block than the one anchored"
        if self.forked:
            return f"forked at height {self.forked}: the main chain has seen two blocks, and believes it no more"
        if self.missing:
            return f"height {self.missing} is anchored, and the side chain shows {self.shown} blocks only"
        if self.shown > self.height:
            return f"not anchored since height {self.height}: the side chain is at {self.shown}"
        return f"agrees up to height {self.height}"


def anchors(main: Network, side: Network) -> Anchors:
    """Compare what a side chain's nodes show with every checkpoint in the state of the main chain, each proven.

    Raises `ProofError` if what nodes of either show cannot be.
    """
    remote = _remote(main, side)
    shown = list(_history(side))
    agreed = rewritten = missing = 0
    for height in range(1, remote.height + 1):
        anchored = main.proven(followed_key(remote.chain, height)).value
        if anchored is None:
            continue
        if height > len(shown):
            missing = missing or height
        elif decode_own(anchored, Followed).id != shown[height - 1]:
            rewritten = rewritten or height
        elif not rewritten:
            agreed = height
    return Anchors(agreed, rewritten, missing, remote.forked, len(shown))


def _remote(main: Network, side: Network) -> Remote:
    chain = side.genesis.spec.chain_id
    stored = main.proven(remote_key(chain)).value
    remote = None if stored is None else decode_own(stored, Remote)
    if remote is None or remote.genesis != side.genesis.hash:
        raise UsageError(f"{main.genesis.spec.chain_id} does not follow this {chain}: its members connect it")
    return remote


def _history(side: Network) -> Iterator[bytes]:
    """Yield the ids of a chain's blocks, from the first on, as its nodes show them."""
    height, before = 0, side.genesis.hash
    while height < side.height():
        for header, _ in side.headers(height + 1):
            height += 1
            if (header.height, header.parent) != (height, before):
                raise ProofError(f"a node of {side.genesis.spec.chain_id} shows a block {height} that follows no other")
            before = header.id
            yield before


def report(main: Network, side: Network, height: int, sender: Wallet) -> Receipt:
    """Bring the block that a side chain shows now to the main chain; its result is "forked" if that is another one."""
    if side.genesis.spec.engine == "pow":
        raise UsageError("a chain of work may replace its newest blocks: a relayer brings the branch with most work")
    final: Any = side.block(height).final
    call = relay.follow(side.genesis.spec.chain_id, final.block.header, final.certificate)
    return main.send(sender, [call])
