"""Contracts: what an author writes (`api`), what the language is (`language`), and how it runs (`runtime`)."""

from minichain.contracts.abi import Abi
from minichain.contracts.api import Contract, Map, Value, action, emit, require, sha256, view
from minichain.contracts.check import check, describe
from minichain.contracts.deployed import Deployed
from minichain.contracts.meter import GasMeter
from minichain.contracts.runtime import Frame, Runtime
from minichain.contracts.sandbox import Outcome, Sandbox
from minichain.contracts.source import Violation
from minichain.contracts.storage import explain_key, state_key
from minichain.contracts.written import ContractText, read_text, source_of

__all__ = [
    "Abi",
    "Contract",
    "ContractText",
    "Deployed",
    "Frame",
    "GasMeter",
    "Map",
    "Outcome",
    "Runtime",
    "Sandbox",
    "Value",
    "Violation",
    "action",
    "check",
    "describe",
    "emit",
    "explain_key",
    "read_text",
    "require",
    "sha256",
    "source_of",
    "state_key",
    "view",
]
