"""How many units a state holds: what accounts, locks, pledges and fees have is on the chain; what has gone to others,
or was burnt, is not.
"""

from __future__ import annotations

from minichain.codec import decode_own
from minichain.contracts.pledges import units_pledged
from minichain.crosschain.locks import units_locked
from minichain.ledger.state import BURNT_KEY, TREASURY_KEY, Account, is_account_key


def units_present(key: bytes, value: bytes) -> int:
    """Return the units in one value of the state."""
    if key == TREASURY_KEY:
        return int.from_bytes(value)
    if is_account_key(key):
        return decode_own(value, Account).balance
    return units_locked(key, value) + units_pledged(key, value)


def units_burnt(key: bytes, value: bytes) -> int:
    """Return the units that one value of the state says were burnt."""
    return int.from_bytes(value) if key == BURNT_KEY else 0
