"""Garbage custody: producers, transporters, facilities and the environment offices sign each hand-over of waste.

It is a depository with custody rules. `SCENARIO.claim` says on screen what the chain does and does not prove.
"""

from __future__ import annotations

from pathlib import Path

from minichain.scenarios import Scenario
from minichain.scenarios.waste.contract import WasteCustody
from minichain.scenarios.waste.emanifest import load
from minichain.scenarios.waste.registry import WasteRegistry
from minichain.scenarios.waste.story import CUSTODY, REGISTRY, plan, profiles, roles, setup

__all__ = ["SCENARIO", "WasteCustody", "WasteRegistry"]

SCENARIO = Scenario(
    name="waste",
    title="Garbage custody",
    claim="The chain proves who signed what and when; it does not prove that the waste is really there.",
    contracts={REGISTRY: WasteRegistry, CUSTODY: WasteCustody},
    load=load,
    roles=roles,
    setup=setup,
    plan=plan,
    samples={path.stem: path for path in sorted(Path(__file__).with_name("samples").glob("*.json"))},
    profiles=profiles(),
)
