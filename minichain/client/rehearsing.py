"""A dry run of a proposal: what would it change, if it were carried out now?

Its calls run here, not on a node. They are fetched with their proof, and so is each value that they read, so a node
cannot make a proposal look harmless; what they write goes nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from minichain.client.network import Network
from minichain.contracts.rehearsal import Rehearsal, differing, rehearse
from minichain.contracts.report import Change
from minichain.errors import TimedOut, UsageError

TIMES: Final = 5  # a rehearsal is begun again when the chain goes on meanwhile
OWN: Final = {  # action -> argument, view
    "set_pack": ("pack", "rules"),
    "set_members": ("members", "members"),
    "set_guardian": ("guardian", "guarded_by"),
}


def dry_run(net: Network, house: str, number: int, signer: str = "") -> Rehearsal:
    """Tell what a proposal of a contract that decides by vote would change if `signer` executed it in the next block.

    Raises `UsageError` where there is no such proposal, and `TimedOut` where the chain goes on so fast that no
    rehearsal sees one state.
    """
    calls, obstacle = answers(net, house, "calls", "obstacle", number=number)
    if obstacle:
        return Rehearsal(obstacle, (), (), 0)
    call = calls[0]
    return rehearsed(net, house, calls, signer) if call["contract"] != house else own_change(net, house, call)


def own_change(net: Network, house: str, call: Mapping[str, Any]) -> Rehearsal:
    """Tell what a contract that decides by vote would change in itself: its members, or its rules."""
    argument, view = OWN[call["action"]]
    (before,), after = answers(net, house, view), call["arguments"][argument]
    if view == "members":
        after = sorted([*row, "", 0][:5] for row in after)  # seat and population may be left out
    return Rehearsal("", differing([Change(f"{house}.{argument}", before, after)]), (), 0)


def rehearsed(net: Network, by: str, calls: Sequence[Mapping[str, Any]], signer: str = "") -> Rehearsal:
    """Run calls {contract, action, arguments} as a contract would make them in the next block."""
    spec = net.genesis.spec
    for _ in range(TIMES):
        head, read = net.head(), _Reading(net)
        if head is None:
            raise UsageError("the chain has no block yet: there is nothing to try a proposal on")
        found = rehearse(
            read,
            by,
            calls,
            signer=signer,
            height=head.height + 1,
            now_ms=head.time_ms,
            chain=spec.chain_id,
            gas_limit=spec.limits.transaction_gas,
        )
        if read.heights <= {head.height}:
            return found
    raise TimedOut(f"the chain went on during each of {TIMES} rehearsals: try again when less is going on")


def answers(net: Network, contract: str, /, *views: str, **arguments: Any) -> tuple[Any, ...]:
    """Ask views of a contract here, so that no node has to be believed; raises `UsageError` where they refuse."""
    found = rehearsed(net, "", [{"contract": contract, "action": view, "arguments": arguments} for view in views])
    if found.why:
        raise UsageError(found.why)
    return found.results


class _Reading:
    """Reads state values with their proofs; notes after which blocks they were so."""

    def __init__(self, net: Network) -> None:
        self._net = net
        self._known: dict[bytes, bytes | None] = {}
        self.heights: set[int] = set()

    def __call__(self, key: bytes) -> bytes | None:
        if key not in self._known:
            found = self._net.proven(key)
            self.heights.add(found.height)
            self._known[key] = found.value
        return self._known[key]
