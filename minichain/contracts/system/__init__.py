"""Contracts that come with the ledger, written in the contract language like any other.

`SOURCES` are those that say who the members of a chain are: it has at most one of them, from its genesis on, under the
name `members`, and the ledger reads its event `Committee`. `IDENTITY` says who holds an account, under the name
`identity`: the ledger reads its event `KeyChanged`. `BRIDGE` keeps the books of what crosses to other chains.
`SHARDS` is deployed on a coordinating chain, under the name `shards`, and draws the committees of its shards.
`GOVERNANCE` is deployed by whoever wants to decide by vote, and those of `DATA` by whoever needs them: status lists of
credentials, accredited issuers, and grants of access to data.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Final

from minichain.contracts.written import source_of

KINDS: Final = ("authority", "stake", "delegation", "assigned")
SOURCES: Final = MappingProxyType({kind: source_of(Path(__file__).with_name(f"{kind}.py")) for kind in KINDS})
GOVERNANCE: Final = source_of(Path(__file__).with_name("governance.py"))
IDENTITY: Final = source_of(Path(__file__).with_name("identity.py"))
SHARDS: Final = source_of(Path(__file__).with_name("shards.py"))
BRIDGE: Final = source_of(Path(__file__).with_name("bridge.py"))
_DATA: Final = ("status", "accreditation", "grants")
DATA: Final = MappingProxyType({name: source_of(Path(__file__).with_name(f"{name}.py")) for name in _DATA})
