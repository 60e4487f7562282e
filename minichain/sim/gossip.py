"""A large public network: a thousand nodes, each linked with a few others, as those of Bitcoin are.

What a node sends to everybody goes to its neighbours, and those who had not seen it pass it on. A link drops what its
node has had before, and does not carry a message back to where it came from: so do the transports of real networks
(libp2p gossipsub, its cache of what was seen). Members of the genesis mine; the others are full nodes, which check,
keep and pass on every block. What is the same for all is worked out once: a block executed on the same state gives the
same, whoever asks. The checkers still execute each block for themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any, Final

from minichain.contracts.runtime import Runtime
from minichain.crypto import KeyPair
from minichain.ledger.genesis import Genesis
from minichain.ledger.state import State
from minichain.ledger.types import Block, Envelope, Header
from minichain.node.core import Node
from minichain.node.execution import Executor
from minichain.node.interface import Received
from minichain.node.keeper import InPlace, Keeper
from minichain.sim.machine import Machine
from minichain.sim.world import World
from minichain.transition import Execution, apply_block

OPENED: Final = 2  # links that each node opens; others open links to it, so it has twice as many on average
EXECUTIONS_KEPT: Final = 64
SEEN_MS: Final = 1_500  # so long a node recognises what it has seen; whoever repeats something waits longer


class GossipWorld(World):
    """A world whose nodes are linked with a few others only. `keys` are in the order in which they joined."""

    def __init__(self, genesis: Genesis, keys: dict[str, KeyPair], *, seed: int = 0, **options: Any) -> None:
        self.neighbours = neighbours(tuple(keys), Random(f"links {seed}"))
        self.dropped = 0  # messages that came to a node which had seen them
        self._seen: dict[str, dict[bytes, tuple[bytes, int]]] = {name: {} for name in keys}
        self._executions: dict[tuple[bytes, bytes], Execution] = {}
        super().__init__(genesis, keys, seed=seed, **options)

    def _install(self, machine: Machine, random: Random) -> tuple[Keeper, Node]:
        store, genesis, key = machine.store, self.genesis, machine.key
        executor = Keeper(genesis, store, InPlace(partial(Executor, apply=self._apply_once)))
        mines = genesis.committee.weight(key.public) > 0
        checks = self._is_valid, self._read
        return executor, Node(machine.name, key, genesis, store, random, *checks, mines=mines, relays=True)

    def _spread(self, machine: Machine, data: bytes) -> None:
        source = self._see(machine, machine.key.public, data)
        for name in self.neighbours[machine.name]:
            neighbour = self._machines[name]
            if neighbour.key.public != source:
                self._send(machine, neighbour, data)

    def _reach(self, machine: Machine, event: Any) -> bool:
        if type(event) is Received and self._see(machine, event.peer, event.data) is not None:
            self.dropped += 1
            return False
        return super()._reach(machine, event)

    def _see(self, machine: Machine, source: bytes, data: bytes) -> bytes | None:
        """Remember that a message came; return who it had come from before, if it had."""
        seen, now_ms = self._seen[machine.name], self.now_ms
        known = seen.pop(data, None)
        if known is not None and now_ms < known[1] + SEEN_MS:
            seen[data] = known
            return known[0]
        seen[data] = source, now_ms
        oldest = next(iter(seen))
        if seen[oldest][1] + SEEN_MS <= now_ms:
            del seen[oldest]
        return None

    def _apply_once(
        self,
        runtime: Runtime,
        genesis: Genesis,
        state: State,
        parent: Header | None,
        block: Block,
        open_checked: Callable[[bytes], Envelope],
    ) -> Execution:
        """Execute a block; or return what came of it when another node did so, on the same state."""
        known = state.root, block.header.id
        found = self._executions.get(known)
        if found is None:
            found = apply_block(runtime, genesis, state, parent, block, open_checked)
            self._executions[known] = found
            if len(self._executions) > EXECUTIONS_KEPT:
                del self._executions[next(iter(self._executions))]
        return found


def neighbours(names: tuple[str, ...], random: Random) -> dict[str, tuple[str, ...]]:
    """Let each node open some links, the first to one that was there before it, so that all are one network."""
    linked: dict[str, dict[str, None]] = {name: {} for name in names}
    for at, name in enumerate(names[1:], 1):
        for other in (names[random.randrange(at)], *random.choices(names, k=OPENED - 1)):
            if other != name:
                linked[name][other] = linked[other][name] = None
    return {name: tuple(others) for name, others in linked.items()}
