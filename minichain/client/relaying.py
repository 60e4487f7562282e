"""A relayer that keeps going: whatever is due between some networks is carried as it comes, until it is stopped.

Anybody may run one, several do no harm, and any of them may be killed at any moment: what it has left undone, the next
one finds on the chains. It looks at their heights only, more and more seldom, as long as nothing happens. A chain that
is silent or stands still keeps no others waiting: what goes between those is brought first.

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
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Final

from minichain.client.network import Network
from minichain.client.relayer import Relayer
from minichain.client.sharded import mutual
from minichain.crypto import Passphrase
from minichain.errors import MinichainError, UsageError
from minichain.live.home import Home
from minichain.node.messages import AskStatus, NodeStatus

_Between = tuple[str, str]  # the ids of two chains

ACCOUNT: Final = "relay"
LEAST_S: Final = 0.02  # between two looks
MOST_S: Final = 0.5
SLOWER: Final = 1.5  # times, after each look that finds nothing
GLANCE_MS: Final = 1_000  # for a chain to tell its height
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
    """Carries between all of some networks that are connected; `name` is the relayer's account on each.

    What cannot be done now is among the `troubles` of a chain, or between two, and is tried again in a later round.
    """

    def __init__(self, networks: Sequence[Network], name: str = ACCOUNT) -> None:
        self._networks = {network.genesis.spec.chain_id: network for network in networks}
        if len(self._networks) < len(networks):
            raise UsageError("two of these chains have the same id, so neither can be connected to the other")
        self._name = name
        self._relayers: dict[_Between, Relayer] = {}
        self._seen: dict[_Between, tuple[int, int]] = {}  # the heights up to which nothing is left to bring
        self.troubles: dict[tuple[str, ...], str] = {}  # the latest last

    @property
    def chains(self) -> tuple[str, ...]:
        """Return the ids of all of them."""
        return tuple(self._networks)

    def carry(self) -> int:
        """Bring what is due between any two of them, if either has grown; returns how many receipts were brought."""
        heights = self._heights()
        tops = {(one, other): (heights[one], heights[other]) for one, other in combinations(heights, 2)}
        grown = [between for between, top in tops.items() if top != self._seen.get(between)]
        try:
            connected = set(self._connected(heights)) if grown else set()
        except MinichainError:  # one that has fallen silent just now has no height in the next round
            return 0
        self._seen |= {between: tops[between] for between in grown if between not in connected}
        due = [between for between in grown if between in connected]
        ill = [between for between in self.troubles if between in due][:1]  # one a round: it may take its time
        well = [between for between in due if between not in self.troubles]
        return sum(self._carry(between, tops[between]) for between in well + ill)

    def _heights(self) -> dict[str, int]:
        """Return the height of each chain that tells it."""
        asked = {chain: self._trying((chain,), partial(_height, network)) for chain, network in self._networks.items()}
        return {chain: height for chain, height in asked.items() if height is not None}

    def _connected(self, chains: Iterable[str]) -> Iterator[_Between]:
        """Yield each two chains that follow each other by now."""
        for one, other in mutual([self._networks[chain] for chain in chains]):
            yield one.genesis.spec.chain_id, other.genesis.spec.chain_id

    def _carry(self, between: _Between, top: tuple[int, int]) -> int:
        brought = self._trying(between, lambda: self._between(between).carry())
        if brought is not None:
            self._seen[between] = top  # what has grown meanwhile is looked at in the next round
        return brought or 0

    def _between(self, between: _Between) -> Relayer:
        if between not in self._relayers:
            one, other = (self._networks[chain] for chain in between)
            self._relayers[between] = Relayer(one, other, self._name)
        return self._relayers[between]

    def _trying(self, chains: tuple[str, ...], do: Callable[[], int]) -> int | None:
        """Do something with chains; None, and a trouble of theirs, where that cannot be done now."""
        self.troubles.pop(chains, None)
        try:
            return do()
        except MinichainError as error:
            self.troubles[chains] = str(error)
            return None


def _height(network: Network) -> int:
    return network.client.ask(AskStatus(), NodeStatus, "the height", GLANCE_MS).height


def run(rounds: Rounds, is_over: threading.Event, tell: Callable[[str], None]) -> None:
    """Carry until it is over; what cannot be done now is told, and tried again."""
    pause_s, told = 0.0, dict[tuple[str, ...], str]()
    while not is_over.wait(pause_s):
        brought = rounds.carry()
        for chains, trouble in rounds.troubles.items() - told.items():
            tell(f"{' and '.join(chains)}: {trouble}")
        told = dict(rounds.troubles)
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
