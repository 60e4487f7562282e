"""Where a story is played, and how it is written down: some simulated networks that share one virtual time.

A step is noted after it has happened. Where the units are is counted by an observer from final blocks alone, who sees
all chains at once: none of the chains could say so by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Final, Self, cast

from minichain.client.crossing import GAS, connect
from minichain.client.network import Network
from minichain.client.receipt import Receipt
from minichain.client.simulated import SimulatedWorld
from minichain.client.wallet import Wallet
from minichain.codec import Plain, encode
from minichain.crosschain.locks import units_locked
from minichain.errors import CallFailed, TimedOut
from minichain.ledger.genesis import Authority, Work
from minichain.ledger.local import BANK, root_of, wallet_key
from minichain.ledger.types import Call
from minichain.ledger.types import Receipt as LedgerReceipt
from minichain.merkle import inclusion_proof
from minichain.sim.agenda import Time
from minichain.sim.between import Between

A: Final = "resident A"
B: Final = "resident B"
RELAYER: Final = "relayer"  # the lane of whoever carries
VALIDATORS: Final = 4
PURSE: Final = 1_000  # units that each of the two people has to begin with
ON_EACH: Final = 10_000  # units on each chain at its beginning
PATIENCE_MS: Final = 3_000
WORK: Final = Work(difficulty=4, confirmations=3, block_ms=1_000)
VOTED: Final = Authority(voting_blocks=50, delay=2)  # the members of a chain that changes them


class Place(Plain):
    """How many units, or other things that are counted, are somewhere. `chain` is "" for what is on its way."""

    chain: str
    who: str
    amount: int


class Carried(Plain):
    """A receipt in its block: what the other chain is shown, and the path that leads to the root in the header."""

    chain: str
    height: int
    index: int
    count: int
    entry: bytes
    path: tuple[bytes, ...]
    root: bytes
    receipt: LedgerReceipt


class Step(Plain):
    """What happened: on which lane, at which virtual time, in which block (0: in none), by whom.

    `came` is the lane that an arrow comes from, and `refusal` what the ledger said, in its own words.
    """

    kind: str
    ms: int
    lane: str
    height: int
    who: str
    came: str
    facts: dict[str, Any]
    refusal: str
    carried: Carried | None
    places: tuple[Place, ...]

    @property
    def total(self) -> int:
        """Return how many there are everywhere."""
        return sum(place.amount for place in self.places)


class Story(Plain):
    """What happened, the first step first; `before` is where the units, or other things, were before it began."""

    what: str
    lanes: tuple[str, ...]
    failures: frozenset[str]
    before: tuple[Place, ...]
    steps: tuple[Step, ...]

    @property
    def total(self) -> int:
        """Return how many there were."""
        return sum(place.amount for place in self.before)

    @property
    def outcome(self) -> str:
        """Return how it ended: the kind of the last step."""
        return self.steps[-1].kind

    def lines(self) -> Iterator[str]:
        """Yield each step as a line for people who read text."""
        for step in self.steps:
            where = f"{step.lane} {step.height or ''}".strip()
            said = f": {step.refusal}" if step.refusal else ""
            yield f"{step.ms:>7} ms  {where:<13}  {step.who} {step.kind}{said}"


class Stage:
    """The networks of a story, connected, and what has happened on them."""

    def __init__(
        self, what: str, chains: Sequence[str], engines: Sequence[str], failures: frozenset[str], seed: int
    ) -> None:
        self.what, self.failures = what, failures
        self._time: Time | None = None
        self._seed = seed
        self._open = ExitStack()
        self._steps: list[Step] = []
        self.networks: list[Network] = []
        self.source, self.target = (self.add(chain, engine) for chain, engine in zip(chains, engines, strict=True))
        self.people: list[tuple[Network, Wallet]] = []  # whose units are counted apart
        self.count: Callable[[], tuple[Place, ...]] = self.units
        self._between: Between | None = None
        self._hub: Network | None = None  # the chain that is connected to all others
        self._start_ms = 0
        self._before: tuple[Place, ...] = ()

    def add(self, chain: str, engine: str = "bft") -> Network:
        """Make one more network, with the validators numbered after those that there are."""
        balances = ((wallet_key(root_of(self._seed), BANK).public, ON_EACH),)
        settings: dict[str, Any] = {"chain_id": chain, "engine": engine, "clock": "wall", "balances": balances}
        settings["work"] = WORK
        if self.has("stale") and not self.networks:
            settings["membership"] = VOTED
        first = VALIDATORS * len(self.networks)
        world = SimulatedWorld.create(VALIDATORS, self._seed, None, False, settings, first=first, time=self._time)
        self._time = world.world.time
        self.networks.append(self._open.enter_context(Network(world)))
        return self.networks[-1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    # --- before it begins ---

    def connect(self, hub: Network) -> None:
        """Let a chain and each of the others follow each other; units of one are good on the other."""
        self._hub = hub
        for other in self.networks:
            if other is not hub:
                connect(hub, other, mints=True)
                connect(other, hub, mints=True)

    def begin(self) -> None:
        """Begin to count, and to note."""
        self._between = Between([self.world(network) for network in self.networks])
        assert self._time is not None
        self._start_ms = self._time.now_ms
        self._before = self.count()

    def person(self, network: Network, name: str) -> Wallet:
        """Return somebody who has units on a network, and whose units are counted apart."""
        wallet = network.wallet(name, PURSE)
        self.people.append((network, wallet))
        return wallet

    def world(self, network: Network) -> Any:
        """Return the simulation of a network."""
        return cast(SimulatedWorld, network.world).world

    # --- what there is ---

    def has(self, failure: str) -> bool:
        return failure in self.failures

    def units(self) -> tuple[Place, ...]:
        """Count the units: of the people in the story, locked, of everybody else, and on their way."""
        found = [place for network in self.networks for place in self._units_on(network)]
        ways = self._between.ways.values() if self._between else ()
        return (*found, Place("", "on the way", sum(way.in_flight() for way in ways)))

    def _units_on(self, network: Network) -> Iterator[Place]:
        checkers = self.world(network).checkers
        named = {who.name: checkers.account(who.account).balance for home, who in self.people if home is network}
        locked = sum(units_locked(key, value) for key, value in checkers.values())
        rest = checkers.units_present() - sum(named.values()) - locked
        for who, amount in (*named.items(), ("locked", locked), ("others", rest)):
            yield Place(network.genesis.spec.chain_id, who, amount)

    @property
    def now_ms(self) -> int:
        assert self._time is not None
        return self._time.now_ms - self._start_ms

    def story(self) -> Story:
        """Return what has happened."""
        others = [_id(network) for network in self.networks if network is not self._hub]
        lanes = (_id(self._hub), RELAYER, *others) if self._hub else tuple(others)
        return Story(self.what, lanes, self.failures, self._before, tuple(self._steps))

    # --- what happens ---

    def note(
        self,
        kind: str,
        lane: str | Network,
        who: str = "",
        *,
        came: str | Network = "",
        height: int = 0,
        refusal: str = "",
        carried: Carried | None = None,
        **facts: Any,
    ) -> None:
        """Write down what has just happened."""
        where, source = _id(lane), _id(came)
        step = Step(kind, self.now_ms, where, height, who, source, facts, refusal, carried, self.count())
        self._steps.append(step)

    def send(self, network: Network, who: Wallet, call: Call) -> tuple[Receipt | None, str]:
        """Send a call; return its receipt, or None and what the ledger says against it."""
        try:
            return network.send(who, [call], gas_limit=GAS), ""
        except CallFailed as failed:
            return None, str(failed).partition(": ")[2]

    def do(self, kind: str, network: Network, who: Wallet, call: Call, **told: Any) -> Receipt | None:
        """Send a call and note it as `kind`, or as "refused" with what the ledger says."""
        receipt, refusal = self.send(network, who, call)
        if receipt:
            self.note(kind, network, who.name, height=receipt.height, **told)
        else:
            self.note("refused", network, who.name, refusal=refusal, tried=kind, **told)
        return receipt

    def wait(self, ms: int) -> None:
        """Let time pass."""
        self.source.pass_time(ms)

    def unanswered(self, network: Network, who: Wallet, call: Call) -> str:
        """Send a call to a chain that stands still; returns what the client says when it has waited long enough."""
        try:
            network.send(who, [call], gas_limit=GAS, timeout_ms=PATIENCE_MS)
        except TimedOut as late:
            return str(late)
        raise AssertionError("this chain stands still")

    def carried(self, network: Network, height: int, index: int) -> Carried:
        """Return a receipt as a relayer shows it."""
        block = network.block(height)
        encoded = [encode(receipt) for receipt in block.receipts]
        header, path = block.final.block.header, tuple(inclusion_proof(index, encoded))
        where = network.genesis.spec.chain_id, height, index, len(encoded)
        return Carried(*where, encoded[index], path, header.receipt_root, block.receipts[index])


def switched(network: Network, names: Iterable[str], verb: str) -> None:
    """Let validators crash or restart."""
    for name in names:
        network.fault(f"{verb} {name}")


def _id(lane: str | Network) -> str:
    return lane if isinstance(lane, str) else lane.genesis.spec.chain_id
