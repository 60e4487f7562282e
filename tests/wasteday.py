"""The example day of the waste scenario, played on a simulated network once for all tests that look at it."""

from __future__ import annotations

from functools import cache
from typing import Any

from minichain.client import Network
from minichain.scenarios import examples


@cache
def played() -> Network:
    """Return a network of one simulated validator on which the day has happened."""
    network = Network.simulated(validators=1, seed=7)
    network.start()
    examples.load(network, lambda text: None)
    return network


def act(network: Network, who: str, action: str, **args: Any) -> Any:
    """Sign an action of the waste ledger as one of the parties."""
    return getattr(network.contract("waste").with_sender(network.wallet(who)), action)(**args)
