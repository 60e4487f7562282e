"""Contracts: what an author writes (`api`), what the language is (`language`), and how it runs (`runtime`)."""

from minichain.contracts.abi import Abi
from minichain.contracts.api import Contract, Map, Value, action, emit, require, view
from minichain.contracts.check import Violation, check, describe
from minichain.contracts.meter import GasMeter
from minichain.contracts.runtime import Deployed, Frame, Runtime, state_key
from minichain.contracts.sandbox import Outcome, Sandbox, source_of

__all__ = [
    "Abi",
    "Contract",
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
    "require",
    "source_of",
    "state_key",
    "view",
]
