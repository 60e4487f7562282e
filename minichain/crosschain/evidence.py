"""Evidence: two signed messages in which one validator contradicts itself.

Nobody needs to be believed for it: whoever signs two statements about one step of one round, which no correct validator
does, has lied on the chain whose genesis both signatures cover. The chain that it is brought to follows that chain, and
its contract `shards` is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from minichain.consensus.bft.messages import Message, author, is_signed, read_message
from minichain.consensus.bft.votes import contradiction, step_of
from minichain.contracts.meter import GasMeter
from minichain.contracts.runtime import Frame, Runtime
from minichain.contracts.values import fault
from minichain.crosschain.gate import kept_remote
from minichain.crypto import did_of, is_valid_signature
from minichain.errors import DecodeError
from minichain.ledger.genesis import Genesis

GAS_TWO_SIGNATURES: Final = 4_000
SHARDS: Final = "shards"


def offence(action: str, meter: GasMeter, genesis: bytes, first: Any, second: Any) -> dict[str, Any]:
    """Return {did, height, kind}: who has contradicted itself on the chain with this genesis, and where.

    A proposal may come without its transactions: what was signed is its header.
    """
    meter.charge(GAS_TWO_SIGNATURES)
    one, other = _read_said(action, first), _read_said(action, second)
    if step_of(one) != step_of(other) or contradiction(one, other) is None:
        fault(f"{action}: these are not two statements of one member about one step of one round")
    if not all(is_signed(message, genesis, is_valid_signature) for message in (one, other)):
        fault(f"{action}: the member they name has not signed both of them for this chain")
    return {"did": did_of(author(one)), "height": one.height, "kind": f"double {step_of(one)[0]}"}


def _read_said(action: str, data: Any) -> Message:
    try:
        return read_message(data if isinstance(data, bytes) else b"")
    except DecodeError:  # its words may repeat what a sender wrote
        return fault(f"{action} takes `first` and `second`, each a proposal or a vote as a member sent it, bytes")


def _report(
    runtime: Runtime, genesis: Genesis, frame: Frame, sender: bytes, *, chain: Any, first: Any, second: Any
) -> Any:
    """Show that a validator of another chain has contradicted itself there; it is excluded. Anybody may.

    That chain may have forked: then this is how those are found who made it fork.
    """
    remote = kept_remote(frame, chain)
    found = offence("ledger.report", frame.meter, remote.genesis, first, second)
    return runtime.call(frame.asked_by("ledger"), SHARDS, "exclude", {"chain": remote.chain, **found})


ACTIONS: Final[dict[str, tuple[Callable[..., Any], tuple[str, ...]]]] = {
    "report": (_report, ("chain", "first", "second"))
}
