"""Readings of the air: independent sources, one of which lies, an objection, and a correction that deletes nothing.

The chain proves who signed which reading, and when; that the reading is right is only claimed.
"""

from __future__ import annotations

from minichain.scenarios.oracle.contract import Readings
from minichain.scenarios.oracle.story import FEED, RULES, SOURCES, days_from, plan, roles, tell

__all__ = ["FEED", "RULES", "SOURCES", "Readings", "days_from", "plan", "roles", "tell"]
