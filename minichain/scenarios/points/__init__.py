"""Contribution points of residents: a voluntary reward, with the safeguards that make it one.

Small contracts: rules, accounts, evidence, intake, entries, cases, redemption and gifts. Points are no public credit
record and decide on no right. The chain proves who signed what and when; it does not prove that anybody is good.
"""

from __future__ import annotations

from minichain.scenarios.points.presets import Preset, preset, presets
from minichain.scenarios.points.story import CONTRACTS, RESIDENTS, ROLES, arguments, custody_arguments, plan

__all__ = ["CONTRACTS", "RESIDENTS", "ROLES", "Preset", "arguments", "custody_arguments", "plan", "preset", "presets"]
