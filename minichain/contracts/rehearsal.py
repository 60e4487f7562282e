"""What calls would change, without making them: they run on a copy of the state that is thrown away.

The copy reads what it needs, value by value, so it needs no ledger of its own: a node's state, a sandbox, or values
that somebody fetched with their proofs will do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from minichain.codec import Plain, decode_own
from minichain.contracts.check import describe
from minichain.contracts.deployed import Deployed
from minichain.contracts.meter import GasMeter
from minichain.contracts.report import Change, name_of, told_apart
from minichain.contracts.runtime import Frame, Runtime
from minichain.contracts.storage import explain_key
from minichain.errors import ExecutionError
from minichain.ledger.genesis import Limits
from minichain.ledger.state import Overlay, Writes, contract_key, name_of_contract
from minichain.ledger.types import Event

Read = Callable[[bytes], bytes | None]  # state key -> stored value
OF_A_CONTRACT: Final = ("version", "authority", "is_frozen", "access")


class Rehearsal(Plain):
    """Why calls would fail ("" if not), what they would change, announce, cost, and return, one result for each."""

    why: str
    changes: tuple[Change, ...]
    events: tuple[Event, ...]
    gas: int
    results: tuple[Any, ...] = ()


def rehearse(
    read: Read,
    by: str,
    calls: Sequence[Mapping[str, Any]],
    *,
    signer: str,
    height: int,
    now_ms: int,
    chain: str,
    gas_limit: int = Limits().transaction_gas,
) -> Rehearsal:
    """Run calls {contract, action, arguments} as the contract `by` would make them, for whoever signs."""
    meter, events, overlay, runtime = GasMeter(gas_limit), list[Event](), Overlay(read), Runtime()
    frame = Frame(overlay=overlay, meter=meter, events=events, signer=signer, height=height, now_ms=now_ms, chain=chain)
    frame.stack.append(by)  # so it cannot be entered, as it cannot while it carries a decision out
    try:
        results = tuple([runtime.ask(frame, one["contract"], one["action"], one["arguments"]) for one in calls])
    except ExecutionError as error:
        return Rehearsal(str(error), (), (), meter.used)
    changes = (*_of_contracts(overlay.writes, read), *differing(stored_changes(overlay.writes, read)))
    return Rehearsal("", changes, tuple(events), meter.used, results)


def differing(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Tell only what differs, of records and lists only the parts that do."""
    return tuple(one for one in told_apart(changes) if one.before != one.after)


def stored_changes(writes: Writes, read: Read) -> Iterator[Change]:
    """Tell the stored values of contracts that were written, under the names people know."""
    for key, stored in writes.items():
        if place := explain_key(key):
            contract, name, one = place
            old = read(key)
            deployed = writes.get(contract_key(contract)) or read(contract_key(contract))
            assert deployed is not None
            before = _default(deployed, name) if old is None else decode_own(old, Any)
            yield Change(name_of(contract, name, one), before, None if stored is None else decode_own(stored, Any))


def _default(deployed: bytes, name: str) -> Any:
    """Return what a stored value is before it was first set."""
    fields = describe(decode_own(deployed, Deployed).source).fields
    return next((known.default for known in fields if known.name == name and not known.keys), None)


def _of_contracts(writes: Writes, read: Read) -> Iterator[Change]:
    """Tell what would become of contracts themselves."""
    for key, stored in writes.items():
        name = name_of_contract(key)
        if name is not None and stored is not None:
            old, new = read(key), decode_own(stored, Deployed)
            was = decode_own(old, Deployed) if old else None
            pairs = [(field, getattr(was, field, None), getattr(new, field)) for field in OF_A_CONTRACT]
            yield from (Change(f"{name}: {field}", before, after) for field, before, after in pairs if before != after)
