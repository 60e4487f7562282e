"""Cases: one folder each, the same file names everywhere. A case is data for whoever runs it; it runs nothing itself.

A dashboard, a demonstration and a lesson use a case in the same way: deploy its contracts in order, make one wallet
for each role, and send each step of its plan as a transaction of that wallet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from minichain.codec import Plain

Dids = Mapping[str, str]  # role -> did


class Step(Plain):
    """One transaction of a story.

    `sentence` is plain English without figures, so that it is its own message id for translation. `wait_ms` is how
    much time passes before the step, where time can be moved; it may be ignored.
    """

    role: str
    action: str
    args: dict[str, Any]
    sentence: str
    contract: str
    wait_ms: int = 0


class Scenario(Plain):
    """A case: its contracts by address in the order of deployment, and how its stories are told.

    `load` reads a document; `roles` names the wallets it needs; `setup` gives the arguments of each contract's setup by
    address; `plan` tells the whole story. `samples` and `profiles` are files by name.
    """

    name: str
    title: str
    claim: str
    contracts: Mapping[str, type]
    load: Callable[[bytes | str | Path], Any]
    roles: Callable[[Any], tuple[str, ...]]
    setup: Callable[[Any, Dids], Mapping[str, dict[str, Any]]]
    plan: Callable[[Any, Dids, bytes], tuple[Step, ...]]
    samples: Mapping[str, Path]
    profiles: Mapping[str, Path]
