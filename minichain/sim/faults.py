"""A storm: crashes, restarts and partitions at random moments, from one seed; then calm, in which the chain must go on.

Safety is checked by the world after every event, however many nodes fail. Progress is asked for in the calm only.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from minichain.codec import Record, encode
from minichain.ledger.genesis import CLOCKS
from minichain.ledger.local import BANK, new_chain, root_of, wallet_key
from minichain.ledger.types import Call, Envelope, Transaction, sign_transaction
from minichain.node.messages import Request, Submit
from minichain.sim.checkers import Violated
from minichain.sim.network import Weather
from minichain.sim.world import MOMENTS, World

STEP_MS: Final = 250  # something may happen this often
CALM_MS: Final = 120_000  # the chain must go on within this time
CLIENT: Final = b"storm"
GAS_LIMIT: Final = 100_000


class Report(Record):
    """What a run came to. `digest` names the run: the same seed gives the same."""

    seed: int
    digest: str
    height: int
    virtual_ms: int
    events: int
    delivered: int
    crashes: int
    partitions: int


def storm(
    validators: int, seed: int, weather: Weather, transactions: int, storm_ms: int, *, keep_lines: bool = False
) -> tuple[Report, list[str]]:
    """Make a network and transfers from a seed, and `run` it; returns the report and, if wanted, every event."""
    root = root_of(seed)
    genesis, keys = new_chain(validators, root, {"clock": CLOCKS[seed % len(CLOCKS)]})
    world = World(genesis, keys, seed=seed, weather=weather, keep_lines=keep_lines)
    bank = wallet_key(root, BANK)
    call = Call("ledger", "transfer", {"to": wallet_key(root, "receiver").did, "amount": 1})
    spec = genesis.spec
    txs = [
        sign_transaction(
            Transaction(spec.chain_id, genesis.hash, bank.public, nonce, (call,), GAS_LIMIT, spec.limits.max_expiry),
            bank,
        )
        for nonce in range(transactions)
    ]
    return run(world, txs, storm_ms=storm_ms), world.trace.lines


def run(world: World, txs: Sequence[Envelope], *, storm_ms: int) -> Report:
    """Send transactions through a storm of so many milliseconds, then require that all of them become final.

    Raises `Violated`, with the seed, if something that must always hold does not, or the calm brings no progress.
    """
    storm = _Storm(world, txs)
    end = world.now_ms + storm_ms
    while world.now_ms < end:
        storm.act()
        storm.submit()
        world.run_for(STEP_MS)
    storm.calm()
    deadline = world.now_ms + CALM_MS
    while not storm.is_done():
        if world.now_ms > deadline:
            raise Violated(f"progress: not all transactions are final {CALM_MS} ms after the storm (seed {world.seed})")
        storm.submit()
        world.run_for(4 * STEP_MS)
    return Report(
        seed=world.seed,
        digest=world.trace.digest(),
        height=min(world.store(name).height() for name in world.names),
        virtual_ms=world.elapsed_ms,
        events=world.trace.events,
        delivered=world.delivered,
        crashes=storm.crashes,
        partitions=storm.partitions,
    )


class _Storm:
    def __init__(self, world: World, txs: Sequence[Envelope]) -> None:
        self._world = world
        self._random = Random(world.seed + 1)
        self._open = list(txs)
        self._number = 0
        self.crashes = 0
        self.partitions = 0

    def act(self) -> None:
        """Do one thing, or nothing."""
        world, random = self._world, self._random
        up = [name for name in world.names if world.node(name) is not None]
        down = [name for name in world.names if world.node(name) is None]
        choice = random.random()
        if choice < 0.15 and up:
            world.crash(random.choice(up), random.choice(MOMENTS))
            self.crashes += 1
        elif choice < 0.40 and down:
            world.restart(random.choice(down))
        elif choice < 0.50:
            names = random.sample(world.names, len(world.names))
            cut = random.randrange(1, len(names)) if len(names) > 1 else 1
            world.part(names[:cut], names[cut:])
            self.partitions += 1
        elif choice < 0.65:
            world.heal()

    def calm(self) -> None:
        """Mend everything."""
        world = self._world
        world.heal()
        world.settle()
        for name in world.names:
            if world.node(name) is None:
                world.restart(name)

    def submit(self) -> None:
        """Send what is not final to some node that runs."""
        world = self._world
        up = [name for name in world.names if world.node(name) is not None]
        self._open = [tx for tx in self._open if not any(world.store(name).find(tx.id) for name in world.names)]
        if up and self._open:
            self._number += 1
            batch = tuple(tx.raw for tx in self._open[: self._random.randrange(1, 4)])
            world.ask(self._random.choice(up), CLIENT, encode(Request(self._number, Submit(batch))))
        world.replies(CLIENT)

    def is_done(self) -> bool:
        """Tell whether everything is final everywhere."""
        world = self._world
        heights = {world.store(name).height() for name in world.names}
        return not self._open and len(heights) == 1
