"""Figures about this machine, each printed with the formula it comes from. Nothing here is a test.

Every ratio is measured in one run: what is compared was timed on the same machine within the same minute.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from minichain.bench.actions import contracts
from minichain.bench.console import console
from minichain.bench.core import committee, miners, public, simulator, tree
from minichain.bench.course import checks, lessons
from minichain.bench.crossing import shards
from minichain.bench.delivery import delivery
from minichain.bench.elections import ballots
from minichain.bench.hostile import attacks
from minichain.bench.newcomer import newcomer
from minichain.bench.processes import idle, latency, recovery, start, throughput
from minichain.bench.side_by_side import split
from minichain.bench.viewers import viewers
from minichain.bench.voting import counting, power

BENCHES: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    "throughput": throughput,
    "latency": latency,
    "idle": idle,
    "start": start,
    "recovery": recovery,
    "simulator": simulator,
    "committee": committee,
    "miners": miners,
    "public": public,
    "tree": tree,
    "contracts": contracts,
    "attacks": attacks,
    "shards": shards,
    "delivery": delivery,
    "split": split,
    "power": power,
    "counting": counting,
    "ballots": ballots,
    "viewers": viewers,
    "newcomer": newcomer,
    "checks": checks,
    "lessons": lessons,
    "console": console,
}
