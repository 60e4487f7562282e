"""A city whose districts are shards: what it carries and risks, and a transfer to a district that sleeps."""

from __future__ import annotations

from minichain.scenarios.districts.city import City, Sight
from minichain.scenarios.districts.costs import Calibration, calibration
from minichain.scenarios.districts.tracing import Step, Tracer, Way

__all__ = ["Calibration", "City", "Sight", "Step", "Tracer", "Way", "calibration"]
