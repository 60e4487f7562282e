"""How many units a state holds: what accounts, locks and fees have is on the chain; what has gone to others is not."""

from __future__ import annotations

from minichain.codec import decode_own
from minichain.crosschain.locks import units_locked
from minichain.ledger.state import TREASURY_KEY, Account, is_account_key


def units_present(key: bytes, value: bytes) -> int:
    """Return the units in one value of the state."""
    if key == TREASURY_KEY:
        return int.from_bytes(value)
    return decode_own(value, Account).balance if is_account_key(key) else units_locked(key, value)
