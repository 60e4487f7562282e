"""The owner's hand on a live network: each verb of a timeline is a method, as it is of the simulated world.

Whoever holds the owner's end of the processes' pipes, or the operator's key, reaches these; nobody else does.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from random import Random
from typing import Any, Final

import msgspec

from minichain.crypto import KeyPair
from minichain.errors import NetworkError, TheirFault, UsageError
from minichain.faults.network import Link, Network, Weather
from minichain.faults.player import act
from minichain.faults.timeline import DISKS, Step, Timeline, parse_step
from minichain.faults.wires import Wires
from minichain.ledger.genesis import Genesis
from minichain.live.cluster import Cluster
from minichain.live.faults import Faults, require_playable, require_possible
from minichain.live.joining import Invitation, begin_with_snapshot

CALM: Final = Weather(0, 0)  # what a network of processes has by itself, nobody adds to


class Director(Wires):
    """Lets faults happen to a cluster, and remembers what each node has to bear."""

    def __init__(self, cluster: Cluster, genesis: Genesis) -> None:
        self._cluster = cluster
        self._genesis = genesis
        self._era = self._seed = 0
        self._network = Network(CALM, Random(0))  # it carries nothing: it knows what the conditions are
        self._faults = {name: Faults() for name in cluster.names}

    def do(self, words: str) -> None:
        """Let one line happen, such as `cut node-0 -> node-2`; raises `ConfigError` or `UsageError` with the reason."""
        self.fault(parse_step(words, self._cluster.names))

    def fault(self, step: Step) -> None:
        """Let a line of a timeline happen now."""
        require_possible(step)
        act(self, step)

    def begin(self, timeline: Timeline) -> None:
        """End every fault, then let the network have the weather and the seed of a timeline; refuse one of another
        chain, or with a line that cannot be.
        """
        require_playable(timeline, self._genesis.spec)
        self._seed = timeline.seed
        self._network = Network(timeline.weather, Random(0))
        self._faults = {name: Faults() for name in self._faults}
        self._begin_anew()

    def end(self) -> None:
        """End every fault, the usual delay of a timeline and its adversaries among them."""
        self.begin(Timeline(self._genesis.spec.engine, len(self._cluster.names), 0, self._genesis.spec.clock, CALM))

    # --- the verbs ---

    def crash(self, name: str, moment: str = "now") -> None:
        """Kill a node, or let it end in the middle of its next turn that writes."""
        if moment == "now":
            self._cluster.crash(name)
        else:
            self._require_running(name)
            self._cluster.tell(name, {"crash": moment})

    def restart(self, name: str, disk: str = DISKS[0]) -> None:
        """Start a node, with its disk, the last backup of it, an empty one, or a snapshot from another node."""
        self._require_off(name)
        if disk != "kept":
            self._cluster.restore(name, is_lost=disk != "restored")
        if disk == "snapshot":
            self._fetch_snapshot(name)
        self._change(name, is_paused=False)
        self._cluster.restart(name)

    def _fetch_snapshot(self, name: str) -> None:
        """Let an empty disk begin with the snapshot of the first other node that has one; it stays empty without."""
        place = self._cluster.place(name)
        key = self._cluster.key(name)
        for other in self._cluster.running():
            source = Invitation(self._cluster.publics[other].hex(), self._cluster.client_address(other))
            with suppress(NetworkError, TheirFault):  # it is frozen, has no block yet, or lies
                begin_with_snapshot(place, self._genesis, source, key)
                return

    def join(self, name: str, key: KeyPair) -> None:
        """Let one more node run this chain, and follow a member until it is one itself."""
        if not self._cluster.running():
            raise UsageError(f"{name} has nobody to follow: start a validator of this chain first")
        self._cluster.add(name, key)
        self._faults[name] = Faults()
        self._fetch_snapshot(name)
        self._cluster.restart(name)

    def leave(self, name: str) -> None:
        """Let a node go for good, with what it kept."""
        self._cluster.remove(self._known(name))
        del self._faults[name]

    def backup(self, name: str) -> None:
        """Copy a node's chain file as it is now."""
        self._cluster.back_up(name)

    def part(self, *groups: Iterable[str]) -> None:
        """Let no message pass between groups of nodes; those in none of them are alone together."""
        self._network.part([[self._known(name) for name in group] for group in groups])
        self._tell_all()

    def cut(self, links: Iterable[Link]) -> None:
        """Let no message pass over these links."""
        self._network.cut(links)
        self._tell_all()

    def heal(self) -> None:
        """Let everything pass again."""
        self._network.heal()
        self._tell_all()

    def pause(self, name: str) -> None:
        """Freeze a node: its process takes its owner's commands and nothing else."""
        self._change(name, is_paused=True)

    def resume(self, name: str) -> None:
        """Let a frozen node go on."""
        self._change(name, is_paused=False)

    def skew(self, name: str, ahead_ms: int) -> None:
        """Set a node's clock ahead, or behind."""
        self._change(name, skew_ms=ahead_ms)

    def fill(self, name: str) -> None:
        """Let a node's file grow no more: its next write that needs room fails, and stops it."""
        self._change(name, is_disk_full=True)

    def free(self, name: str) -> None:
        """Give room again; the node has to be restarted."""
        self._change(name, is_disk_full=False)

    def slow(self, name: str, disk_ms: int) -> None:
        """Let a node's disk take so long for each turn that writes; meanwhile what it would send waits."""
        self._change(name, disk_ms=disk_ms)

    def behave(self, name: str, character: str) -> None:
        """Let a node send what an adversary would."""
        self._change(name, character=character)

    def calm(self) -> None:
        """End every fault; every node is on. Adversaries stay what they are, and the usual delay stays."""
        self._network.calm()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._era += 1
        for name, faults in self._faults.items():
            self._faults[name] = Faults(seed=self._seed, era=self._era, character=faults.character)
        self._tell_all()
        self._cluster.restart(*(name for name in self._cluster.names if not self._cluster.is_running(name)))

    # --- telling the nodes ---

    def _change_weather(self, links: Iterable[Link] | None, **changes: int) -> None:
        self._network.change(links, **changes)
        self._tell_all()

    def _mark(self, which: int, hold_ms: int | None, links: Iterable[Link]) -> None:
        """Tell each sender, who forgets it when it goes off."""
        for sender, receiver in links:
            self._cluster.tell(sender, {"mark": [which, hold_ms, [receiver]]})

    def _change(self, name: str, **changes: Any) -> None:
        self._faults[self._known(name)] = msgspec.structs.replace(self._faults[name], **changes)
        self._cluster.burden(name, self._faults[name])

    def _tell_all(self) -> None:
        conditions = self._network.conditions
        for name in self._faults:
            self._change(name, network=conditions)

    def _known(self, name: str) -> str:
        if name not in self._faults:
            raise UsageError(f"there is no validator {name!r}; there are {', '.join(self._faults)}")
        return name

    def _require_running(self, name: str) -> None:
        if not self._cluster.is_running(name):
            raise UsageError(f"{name} is not running")

    def _require_off(self, name: str) -> None:
        if self._cluster.is_running(name):
            raise UsageError(f"{name} is already running")
