"""The contracts that say who the members of a chain are. A chain has at most one of them, from its genesis on, under
the name `members`; the ledger reads its event `Committee`. They are written in the contract language, like any other.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Final

from minichain.contracts.sandbox import source_of

KINDS: Final = ("authority", "stake", "delegation", "identity")
SOURCES: Final = MappingProxyType({kind: source_of(Path(__file__).with_name(f"{kind}.py")) for kind in KINDS})
