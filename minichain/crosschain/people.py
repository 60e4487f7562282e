"""One identity on many chains: an account's key changes on its home chain, and the others take the change over.

The settings of a chain name the home (`ChainSpec.identity_home`). Anybody brings a receipt of a followed block of it
that holds the event `KeyChanged` of its contract `identity`: a rotation, a recovery by guardians, or an end. The newest
change counts; an older one is refused, whoever brings it. Until it has been brought, the former key still signs here:
who has lost one to a thief brings the change to each chain, and needs no key for that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from minichain.codec import decode_own, encode
from minichain.contracts.runtime import Frame, Runtime
from minichain.contracts.values import fault
from minichain.crosschain.gate import believed, shown
from minichain.crypto import public_of
from minichain.errors import DecodeError
from minichain.ledger.genesis import Genesis
from minichain.ledger.types import Event, Receipt

IDENTITY: Final = "identity"  # the contract whose event `KeyChanged` changes the key of an account
KEY_CHANGED: Final = "KeyChanged"
AT_ONCE: Final = 16  # accounts; or who puts many changes into one transaction could make them too dear to carry
_PREFIX: Final = encode(["rekeyed", bytes(32)])[:-32]


def rekeyed_key(account: bytes) -> bytes:
    """Return the state key of where on the home chain the last change of an account stands: (height, index)."""
    return _PREFIX + account


def key_changes(events: tuple[Event, ...]) -> dict[str, Any]:
    """Return the accounts whose key these events change, by did, each with its last one."""
    ours = [event.data for event in events if (event.contract, event.name) == (IDENTITY, KEY_CHANGED)]
    return {data["did"]: data["key"] for data in ours if isinstance(data.get("did"), str) and "key" in data}


def news_in(receipt: Receipt, known: Callable[[bytes], bytes | None]) -> dict[bytes, tuple[str, Any]]:
    """Return the changes in a receipt that are newer than what a state has of them: account -> (did, key)."""
    place, found = (receipt.height, receipt.index), dict[bytes, tuple[str, Any]]()
    for did, key in key_changes(receipt.events).items():
        try:
            account = public_of(did)
        except DecodeError:
            continue  # a captured home can say anything
        stored = known(rekeyed_key(account))
        if stored is None or decode_own(stored, tuple[int, int]) < place:
            found[account] = (did, key)
    return found


def _rekey(
    runtime: Runtime,
    genesis: Genesis,
    frame: Frame,
    sender: bytes,
    *,
    chain: Any,
    height: Any,
    receipt: Any,
    index: Any,
    path: Any,
) -> int:
    """Take over what a receipt of the home chain changes, of some accounts at a time; returns of how many."""
    home = genesis.spec.identity_home
    if not home:
        fault("the keys of accounts change on this chain itself: rotate them here")
    if chain != home:
        fault(f"the keys of accounts change on the chain {home}, and on no other: bring a receipt from there")
    found = shown(frame, believed(frame, home), height, receipt, index, path)
    if (found.height, found.index) != (height, index):
        fault("this receipt says that it stands elsewhere: its chain has lied")
    if not key_changes(found.events):
        fault(f"this receipt changes no key: it has no event {KEY_CHANGED} of the contract {IDENTITY}")
    news = list(news_in(found, frame.overlay.get).items())[:AT_ONCE]
    if not news:
        fault("what it changes is known here, or something newer is")
    for account, (did, key) in news:
        frame.overlay.put(rekeyed_key(account), encode((height, index)))
        runtime.call(frame.asked_by("ledger"), IDENTITY, "take_over", {"did": did, "key": key})
    return len(news)


ACTIONS: Final[dict[str, tuple[Callable[..., Any], tuple[str, ...]]]] = {
    "rekey": (_rekey, ("chain", "height", "receipt", "index", "path")),
}
