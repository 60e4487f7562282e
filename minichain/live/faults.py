"""What the owner of a live network lets a node bear. A node is told all of it at once, so that one that starts again
knows it too; only what happens once is told by itself.
"""

from __future__ import annotations

from typing import Final

import msgspec

from minichain.codec import Plain
from minichain.errors import UsageError
from minichain.faults.adversaries import CORRECT
from minichain.faults.network import Conditions
from minichain.faults.timeline import USUAL, Step, Timeline
from minichain.ledger.genesis import ChainSpec

COLLUDER: Final = "colluder"


class Faults(Plain, forbid_unknown_fields=True):
    """The state of one node's network, clock, disk and honesty.

    `era` grows when everything begins anew: messages marked before and a crash still to come are void then.
    """

    network: Conditions = msgspec.field(default_factory=Conditions)
    seed: int = 0
    era: int = 0
    is_paused: bool = False
    skew_ms: int = 0
    disk_ms: int = 0  # how long its disk takes for a turn
    is_disk_full: bool = False
    character: str = CORRECT


def require_possible(step: Step) -> None:
    """Raise `UsageError` for what cannot happen to processes."""
    if step.verb == "submit":
        raise UsageError("submit is no fault: send transactions as a client, or play a timeline")
    if step.verb == "behave" and step.args[1] == COLLUDER:
        raise UsageError(
            f"{step.args[0]} cannot be a {COLLUDER} here: a ring shares one memory, and each process has its own; play "
            "this in the simulation, by `minichain sim --timeline FILE`"
        )


def require_playable(timeline: Timeline, spec: ChainSpec) -> None:
    """Raise `UsageError` if a timeline is for another chain, or has a line that processes cannot follow."""
    for name, wanted, has in (
        ("engine", timeline.engine, spec.engine),
        ("validators", timeline.validators, len(spec.members)),
        ("clock", timeline.clock, spec.clock),
    ):
        if wanted != has:
            raise UsageError(
                f"the timeline is for {name} {wanted}, and this network has {has}: change the one or the other"
            )
    for name, usual in USUAL.items():
        if getattr(timeline, name) != usual:
            raise UsageError(f"{name} is for simulations: leave it out, or use `minichain sim --timeline FILE`")
    if timeline.names != tuple(member.name for member in spec.members):
        raise UsageError("the members of this network have other names than a timeline's: play it on one of your own")
    for step in timeline.steps:
        if step.verb != "submit":
            require_possible(step)
