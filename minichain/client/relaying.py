"""A relayer that keeps going: whatever is due between some networks is carried as it comes, until it is stopped.

Anybody may run one, several do no harm, and any of them may be killed at any moment: what it has left undone, the next
one finds on the chains. It looks at their heights only, more and more seldom, as long as nothing happens.

`python -m minichain.client.relaying HOME...` is that of `minichain up`: the first line of its standard input is the
passphrase of its homes, as JSON, null where there is none; it leaves when its input ends.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from minichain.client.network import Network
from minichain.client.relayer import Relayer
from minichain.client.sharded import mutual
from minichain.crypto import Passphrase
from minichain.errors import MinichainError, UsageError
from minichain.live.home import Home

ACCOUNT: Final = "relay"
LEAST_S: Final = 0.02  # between two looks
MOST_S: Final = 0.5
SLOWER: Final = 1.5  # times, after each look that finds nothing
PATIENCE_MS: Final = 5_000  # with a chain that stands still, while others wait

log = logging.getLogger("minichain")


def networks_in(homes: Sequence[Path | None], passphrase: Passphrase | None = None) -> list[Network]:
    """Return the networks that run in some homes, each chain of a network of several; raises `NetworkError`."""
    found = []
    for path in homes:
        home = Home(path)
        parts = [home.part(chain_id).path for chain_id in home.require().chains] or [home.path]
        found += [Network.attach(part, passphrase) for part in parts]
    return found


class Rounds:
    """Carries between all of some networks that are connected; `name` is the relayer's account on each."""

    def __init__(self, networks: Sequence[Network], name: str = ACCOUNT) -> None:
        self._networks = {network.genesis.spec.chain_id: network for network in networks}
        if len(self._networks) < len(networks):
            raise UsageError("two of these chains have the same id, so neither can be connected to the other")
        self._name = name
        self._relayers: dict[tuple[str, str], Relayer] = {}
        self._heights: dict[str, int] = {}

    @property
    def chains(self) -> tuple[str, ...]:
        """Return the ids of all of them."""
        return tuple(self._networks)

    def carry(self) -> int:
        """Bring what is due between any two of them, if any has grown; returns how many receipts were brought."""
        heights = {chain: network.height() for chain, network in self._networks.items()}
        if heights == self._heights:
            return 0
        brought = sum(relayer.carry() for relayer in self._between())
        self._heights = heights  # what has grown meanwhile is looked at in the next round
        return brought

    def _between(self) -> Iterator[Relayer]:
        """Yield who carries between two, for each two that follow each other by now."""
        for one, other in mutual(list(self._networks.values())):
            between = one.genesis.spec.chain_id, other.genesis.spec.chain_id
            if between not in self._relayers:
                self._relayers[between] = Relayer(one, other, self._name)
            yield self._relayers[between]


def run(rounds: Rounds, is_over: threading.Event, tell: Callable[[str], None]) -> None:
    """Carry until it is over; what cannot be done now is told, and tried again."""
    pause_s, trouble = 0.0, ""
    while not is_over.wait(pause_s):
        brought = 0
        try:
            brought = rounds.carry()
            trouble = ""
        except MinichainError as error:
            if str(error) != trouble:
                tell(str(error))
            trouble = str(error)
        if brought:
            tell(f"brought {brought} receipts")
        pause_s = LEAST_S if brought else min(MOST_S, max(LEAST_S, pause_s * SLOWER))


def begin(homes: Sequence[Path | None], name: str = ACCOUNT, passphrase: Passphrase | None = None) -> Rounds:
    """Reach the networks of some homes, to carry between them; raises `NetworkError`, or `UsageError` for too few."""
    networks = networks_in(homes, passphrase)
    if len(networks) < 2:
        raise UsageError("there is one chain only: name the home of another network, too, by a second --home")
    for network in networks:
        network.client.timeout_ms = PATIENCE_MS
    return Rounds(networks, name)


def _leave_with_owner() -> None:
    sys.stdin.read()
    os._exit(0)  # in the middle of anything: it may be killed at any moment, too


def main(homes: Sequence[str]) -> int:
    """Carry for whoever holds the other end of standard input; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the owner
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, stream=sys.stderr)
    told = json.loads(sys.stdin.readline() or "null")
    threading.Thread(target=_leave_with_owner, daemon=True).start()
    try:
        rounds = begin([Path(home) for home in homes], passphrase=Passphrase(told) if told else None)
    except MinichainError as error:
        log.error("%s", error)
        return 1
    run(rounds, threading.Event(), log.info)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
