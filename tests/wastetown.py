"""A town that ships waste in a Sandbox: parties by role, one verb that must succeed and one that must be refused.

Deploying costs most of a second, so tests share a town; each makes manifests of its own.
"""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from minichain.contracts import Runtime, Sandbox
from minichain.contracts.sandbox import Outcome
from minichain.scenarios.waste import WasteCustody, WasteRegistry
from minichain.scenarios.waste.story import CUSTODY, REGISTRY, profile

DAY_MS = 86_400_000
COMMITMENT = "ab" * 32
CERTIFICATE = "cd" * 32
PARTIES = {
    "generator": (["generator"], "VATESTGEN001", "US-VA"),
    "generator-2": (["generator"], "VATESTGEN002", "US-VA"),
    "transporter-1": (["transporter"], "MDTESTTRN001", "US-MD"),
    "transporter-2": (["transporter"], "OHTESTTRN002", "US-OH"),
    "facility": (["facility"], "OHTESTFAC001", "US-OH"),
    "alternate": (["facility"], "PATESTFAC002", "US-PA"),
    "small-facility": (["facility"], "OHTESTFAC009", "US-OH"),
    "regulator-va": (["regulator"], "", "US-VA"),
    "regulator-oh": (["regulator"], "", "US-OH"),
    "regulator-pa": (["regulator"], "", "US-PA"),
    "regulator-tx": (["regulator"], "", "US-TX"),
}


def line(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Make a waste line: ten tonnes of solvent in one tank truck."""
    plain = {"line": number, "description": "Waste solvent", "hazardous": True, "codes": ["D001"], "method": "H020"}
    amount = {"containers": 1, "container_type": "TT", "quantity": 10_000, "unit": "K"}
    return {**plain, **amount, **changes}


def drums(number: int = 1, containers: int = 40, quantity: int = 7_200, **changes: Any) -> dict[str, Any]:
    return line(number, containers=containers, container_type="DM", quantity=quantity, **changes)


def arrival(number: int = 1, received: int = 10_000, **changes: Any) -> dict[str, Any]:
    """Make a report line; what is not rejected, left or lost is accepted."""
    entry: dict[str, Any] = {"line": number, "received": received, "containers": 1, "comment": "", **changes}
    entry.setdefault("accepted", received - sum(entry.get(part, 0) for part in ("rejected", "residue", "loss")))
    return entry


def public_samples() -> Path:
    """Find EPA's own samples, which are not part of this repository; with CI=1 they must be here."""
    folder = Path(os.environ.get("EMANIFEST_SAMPLES", Path(__file__).parents[2] / "shared" / "data" / "manifests"))
    if not folder.is_dir() and os.environ.get("CI") != "1":
        pytest.skip("EPA's public samples are not here: set EMANIFEST_SAMPLES to a folder that holds them")
    return folder


_COMPILED = Runtime()


def sandbox() -> Sandbox:
    """Make a Sandbox that does not compile the contracts again: a runtime remembers compiled code and nothing else."""
    box = Sandbox()
    box._runtime = _COMPILED
    return box


class Town:
    """Parties, both contracts, and a clock."""

    def __init__(self, rules: str = "us_rcra", parties: dict[str, tuple[list[str], str, str]] | None = None) -> None:
        self.box = sandbox()
        office = self.box.account("office")
        made = profile(rules)
        self.registry = self.box.deploy(WasteRegistry, sender=office, name=REGISTRY, operator=office, profile=made)
        self.custody = self.box.deploy(WasteCustody, sender=office, name=CUSTODY, registry=REGISTRY)
        self.numbers = (f"{serial:09}ELC" for serial in count(1))
        for role, party in (parties or PARTIES).items():
            self.register(role, *party)

    def did(self, role: str) -> str:
        return self.box.account(role) if role else ""

    def register(self, role: str, roles: list[str], site: str, place: str, **more: Any) -> Outcome:
        permit = {"codes": ["*"], "methods": ["*"], "category": "LQG" if "generator" in roles else ""} | more
        args = {"did": self.did(role), "roles": roles, "site": site, "jurisdiction": place, **permit}
        return self.registry.register(**args)

    def attempt(self, role: str, action: str, **args: Any) -> Outcome:
        self.box.advance(minutes=1)
        return self.box.call(self.did(role), CUSTODY, action, args)

    def ok(self, role: str, action: str, **args: Any) -> Any:
        outcome = self.attempt(role, action, **args)
        assert outcome.ok, outcome.error
        return outcome.result

    def refused(self, role: str, action: str, words: str, **args: Any) -> None:
        outcome = self.attempt(role, action, **args)
        assert outcome.outcome == "reverted", outcome
        assert words in outcome.error, outcome.error

    def form(self, number: str) -> dict[str, Any]:
        found: dict[str, Any] = self.custody.manifest(number)
        return found

    # a manifest, as far as a test wants it

    def content(self, *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Return the arguments of a draft; parties are given by role."""
        roles = {"generator": "generator", "transporters": ["transporter-1", "transporter-2"], "facility": "facility"}
        roles |= {name: changes.pop(name) for name in ("generator", "transporters", "facility") if name in changes}
        args: dict[str, Any] = {name: self.did(role) for name, role in roles.items() if isinstance(role, str)}
        args["transporters"] = [self.did(role) for role in roles["transporters"]]
        for name in ("offeror", "broker", "alternate"):
            if name in changes:
                args[name] = self.did(changes.pop(name))
        return {"reference": "load", "commitment": COMMITMENT, "lines": list(lines) or [line()], **args, **changes}

    def pending(self, *lines: dict[str, Any], by: str = "generator", **changes: Any) -> str:
        number = next(self.numbers)
        self.ok(by, "draft", **self.content(*lines, **changes))
        self.ok(by, "submit", reference="load", number=number)
        return number

    def scheduled(self, *lines: dict[str, Any], by: str = "generator", **changes: Any) -> str:
        number = self.pending(*lines, by=by, **changes)
        self.ok(by, "schedule", number=number)
        return number

    def at_gate(self, *lines: dict[str, Any], by: str = "generator", **changes: Any) -> str:
        legs = changes.get("transporters", ["transporter-1", "transporter-2"])
        number = self.scheduled(*lines, by=by, **changes)
        self.ok(by, "hand_over", number=number)
        for leg in legs:
            self.ok(leg, "take_over", number=number)
            self.ok(leg, "hand_over", number=number)
        return number

    def received(self, *lines: dict[str, Any], **changes: Any) -> str:
        number = self.at_gate(*lines, **changes)
        self.ok(changes.get("facility", "facility"), "receive", number=number)
        return number

    def signed(self, *lines: dict[str, Any], reports: list[dict[str, Any]] | None = None, **changes: Any) -> str:
        number = self.received(*lines, **changes)
        facility = changes.get("facility", "facility")
        self.ok(facility, "report", number=number, lines=reports or [arrival()])
        self.ok(facility, "sign", number=number)
        return number
