"""The search for faults between chains: each seed draws chains, what crosses between them, and what befalls them and
whoever carries; then there is calm, and everything that was sent must have been decided and answered.

The clients and relayers are those that people use. On each chain befalls what `sim.search` draws for a chain alone, at
any moment, also while a client waits. A relayer may die after any transaction; another one takes its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import sha256
from itertools import combinations, permutations
from pathlib import Path
from random import Random
from typing import Any, Final, cast

from msgspec.structs import replace

from minichain.client.crossing import connect, cross, unsettled
from minichain.client.network import Item, Network
from minichain.client.relayer import GAS, Relayer
from minichain.client.sharded import ShardedNetwork
from minichain.client.simulated import SimulatedWorld
from minichain.client.wallet import Wallet
from minichain.crosschain import relay
from minichain.crosschain.gate import BRIDGE
from minichain.errors import CallFailed, ContractFault, Refused, TimedOut, UsageError
from minichain.faults.player import perform
from minichain.faults.timeline import Step, Timeline, parse_step
from minichain.ledger.certificate import QuorumCertificate
from minichain.ledger.local import chain_ids, shard_settings
from minichain.ledger.types import Call, Event
from minichain.node.messages import BlockDetail
from minichain.scenarios.crossings.desk import Desk
from minichain.sim.agenda import Time
from minichain.sim.between import Between
from minichain.sim.checkers import Violated
from minichain.sim.hunt import Tell, collect, figures, run_all
from minichain.sim.player import WORK
from minichain.sim.search import Report, allowed_faults, draw
from minichain.sim.world import World

VALIDATORS: Final = 4
ENGINES: Final = (("bft", "bft", "bft"), ("bft", "bft", "raft"), ("bft", "raft", "raft"), ("bft", "bft", "pow"))
SHARDED: Final = 0.3  # of the seeds have a coordinating chain and two shards, whose committees are drawn anew
ACTIONS: Final = (6, 16)
PATIENCE_MS: Final = 4_000  # of whoever sends, in the time of faults
LIVES: Final = 9  # transactions that a relayer brings before it dies, at most
CALM_MS: Final = 120_000
LOOK_MS: Final = 1_000
UNITS: Final = 1_000
NEWEST: Final = 8  # blocks of which somebody lies

NOT_IN_CALM: Final = frozenset({"submit", "calm", "join", "leave"})
BEARABLE: Final = (CallFailed, ContractFault, Refused, TimedOut, UsageError)  # what may befall somebody who sends


class Died(Exception):
    """The relayer is gone, in the middle of its work."""


class _Mortal:
    """A network, as a relayer sees it who may send so many transactions."""

    def __init__(self, network: Network, lives: list[int]) -> None:
        self._network, self._lives = network, lives

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)

    def send(self, sender: Wallet, calls: Sequence[Call], **options: Any) -> Any:
        self._live_on()
        return self._network.send(sender, calls, **options)

    def begin_together(self, items: Sequence[Item], **options: Any) -> Any:
        self._live_on()
        return self._network.begin_together(items, **options)

    def _live_on(self) -> None:
        if self._lives[0] == 0:
            raise Died
        self._lives[0] -= 1


class _Chains:
    """The chains of one seed, and what is done between them."""

    def __init__(self, seed: int, *, keep_lines: bool = False) -> None:
        self.seed, self._keep_lines = seed, keep_lines
        self.random = Random(f"crossing {seed}")
        self.time: Time | None = None
        self.calm_from_ms = 0
        self.timelines: list[Timeline] = []
        engines = self.random.choice(ENGINES)
        is_sharded = self.random.random() < SHARDED
        ids = chain_ids(len(engines) - 1) if is_sharded else [f"chain-{place}" for place in range(len(engines))]
        self.networks = [
            self._network(place, "bft" if is_sharded else engine, shard_settings(chain_id, {}) if is_sharded else {})
            for place, (engine, chain_id) in enumerate(zip(engines, ids, strict=True))
        ]
        self.sharded = ShardedNetwork(self.networks[0], tuple(self.networks[1:])) if is_sharded else None

    def _network(self, place: int, engine: str, settings: dict[str, Any]) -> Network:
        """Make a chain; the validators are the same everywhere, but for those of shards, who each have one."""
        faults = ",".join(name for name in allowed_faults(engine) if name != "members")
        timeline = draw(engine, VALIDATORS, self.seed * len(ENGINES[0]) + place, faults)
        usual = {"chain_id": f"chain-{place}", "engine": engine, "clock": timeline.clock, "work": WORK}
        world = SimulatedWorld.create(
            VALIDATORS,
            self.seed,
            timeline.weather,
            self._keep_lines,
            {**usual, **settings},
            first=place * VALIDATORS if settings else 0,
            time=self.time,
        )
        self.time = world.world.time
        self.timelines.append(timeline)
        return Network(world)

    @property
    def worlds(self) -> list[World]:
        return [cast(SimulatedWorld, network.world).world for network in self.networks]

    def pair(self) -> tuple[Network, Network]:
        one, other = self.random.sample(self.networks, 2)
        return one, other

    # --- in peace ---

    def prepare(self) -> None:
        """Connect all chains; one currency, which each may make anew."""
        for network in self.networks:
            network.start()
            network.deploy(Desk, sender=network.wallet("office"), name="desk")
        for one, other in combinations(self.networks, 2):
            connect(one, other, mints=True)
            connect(other, one, mints=True)
        if self.sharded:
            self.sharded.epochs.begin()

    def begin_faults(self) -> None:
        """Let what was drawn befall each chain when its time comes, whoever waits for what by then."""
        assert self.time is not None
        self.calm_from_ms = self.time.now_ms + max(step.at_ms for line in self.timelines for step in line.steps)
        for world, timeline in zip(self.worlds, self.timelines, strict=True):
            for step in timeline.steps:
                if step.verb not in NOT_IN_CALM:
                    self.time.put(step.at_ms, partial(_befall, world, _renamed(step, world.names)))
        for network in self.networks:
            network.client.timeout_ms = PATIENCE_MS

    # --- in the time of faults ---

    def act(self) -> None:
        """Let somebody do something; it may fail, or never be known to have happened."""
        turns = 3 if self.sharded else 0
        actions = {self.turn: turns, self.pay: 4, self.ask: 3, self.swap: 2, self.carry: 6, self.lie: 2, self.wait: 1}
        (action,) = self.random.choices(list(actions), list(actions.values()))
        try:
            action()
        except (*BEARABLE, Died):
            pass

    def turn(self) -> None:
        assert self.sharded is not None
        self.sharded.epochs.turn()

    def wait(self) -> None:
        self.networks[0].pass_time(self.random.randint(10, 2_000))

    def pay(self) -> None:
        one, other = self.pair()
        within_ms = self.random.choice((1, 3_000, 600_000))
        payer, payee = Wallet.derive(one.world.root, "bank"), Wallet.derive(other.world.root, "shop")
        cross(one, other, payer, payee, self.random.randint(1, UNITS), within_ms=within_ms)

    def ask(self) -> None:
        one, other = self.pair()
        desk = one.contract("desk", sender=one.wallet("resident"))
        told = {"chain": other.genesis.spec.chain_id, "text": self.random.choice(("hello", "")), "within_ms": 60_000}
        desk.ask(**told)

    def swap(self) -> None:
        """Lock units on two chains under one secret, and take them, or not, in any order."""
        secret = self.random.randbytes(32)
        steps = [self._lock(network, secret) for network in self.pair()]
        for network, lock in self.random.sample(steps, self.random.randint(0, 2)):
            call = Call("ledger", "claim", {"lock": lock, "secret": secret})
            network.send(Wallet.derive(network.world.root, "shop"), [call])

    def _lock(self, network: Network, secret: bytes) -> tuple[Network, bytes]:
        bank, shop = (Wallet.derive(network.world.root, name) for name in ("bank", "shop"))
        terms = {"to": shop.did, "amount": self.random.randint(1, UNITS), "digest": sha256(secret).digest()}
        receipt = network.send(bank, [Call("ledger", "lock", {**terms, "within_ms": 5_000})])
        return network, receipt.result

    def carry(self) -> None:
        """Let one of two relayers carry, for as long as it lives."""
        lives = [self.random.randint(0, LIVES)]
        one, other = (cast(Network, _Mortal(network, lives)) for network in self.pair())
        Relayer(one, other, self.random.choice(("relayer", "another relayer"))).carry()

    def lie(self) -> None:
        """Bring what is not so: a header that too few have signed, a receipt of other amounts, or one again."""
        found = [(pair, block) for pair in permutations(self.networks, 2) for block in _with_messages(*pair)]
        if not found:
            return
        (one, other), block = self.random.choice(found)
        chain, final, liar = one.genesis.spec.chain_id, block.final, Relayer(one, other, "liar")
        if isinstance(final.certificate, QuorumCertificate):
            few = replace(final.certificate, signatures=final.certificate.signatures[:1])
            self._must_fail(other, relay.follow(chain, final.block.header, few))
            true = relay.follow(chain, final.block.header, final.certificate)
            other.send(other.wallet("liar"), [true], gas_limit=GAS)
        for due in liar.due(block):
            receipts = list(block.receipts)
            receipts[due.index] = replace(
                receipts[due.index], events=tuple(map(_falsified, receipts[due.index].events))
            )
            self._must_fail(other, relay.deliver(chain, receipts, due.index, 1))
        liar.carry()
        if liar.height >= final.block.header.height:  # and not less, as where whoever was asked lags
            for due in liar.due(block):
                self._must_fail(other, relay.deliver(chain, block.receipts, due.index, 1))

    def _must_fail(self, network: Network, call: Call) -> None:
        liar = network.wallet("liar")
        try:
            network.send(liar, [call], gas_limit=GAS)
        except CallFailed:
            return
        raise Violated(f"forgery: {network.genesis.spec.chain_id} believes a false {call.action}")

    # --- in the calm ---

    def finish(self) -> str:
        """End every fault and carry until nothing is due; return what is still missing at the end of patience."""
        assert self.time is not None
        self.time.run_for(max(0, self.calm_from_ms - self.time.now_ms))  # or more would befall them in the calm
        for world in self.worlds:
            world.calm()
            for name in filter(world.is_adversary, world.names):
                world.crash(name)  # who asks a liar may hear of a chain that there is not
        relayers = [Relayer(one, other, "the last relayer") for one, other in combinations(self.networks, 2)]
        for network in self.networks:
            network.client.timeout_ms = CALM_MS
        self._rest()  # or whoever has lost his disk tells of a chain on which nothing is yet
        if self.sharded:
            self.sharded.epochs.settle()
        left = list[str]()
        for _ in range(CALM_MS // LOOK_MS):
            try:
                for relayer in relayers:
                    relayer.carry()
                left = [*self._waiting(), *self._unsettled()]
            except BEARABLE as error:
                left = [str(error)]
            if not left:
                self._bury()
                return ""
            self.networks[0].pass_time(LOOK_MS)
        return f"progress: {CALM_MS} ms after the calm not answered: {', '.join(left)}"

    def _rest(self) -> None:
        """Let time pass until nothing is still to come, or patience ends."""
        for _ in range(CALM_MS // LOOK_MS):
            if not any(self._waiting()):
                return
            self.networks[0].pass_time(LOOK_MS)

    def _waiting(self) -> Iterator[str]:
        """Say where something is still to come: a node lags, or has transactions that no block has."""
        for world in self.worlds:
            nodes = [node for name in world.names if (node := world.node(name))]
            if any(node.waiting or node.height < world.checkers.height for node in nodes):
                yield f"{world.genesis.spec.chain_id} is not at rest"

    def _bury(self) -> None:
        """Let the last answers lie deep enough on chains of work, where somebody has to pay for blocks."""
        for network in self.networks:
            if network.genesis.spec.engine == "pow":
                bank = network.wallet("bank")
                for _ in range(network.genesis.spec.work.confirmations):
                    network.send(bank, [Call("ledger", "transfer", {"to": bank.did, "amount": 1})])

    def _unsettled(self) -> Iterator[str]:
        for network in self.networks:
            for chain, count in unsettled(network):
                if count:
                    yield f"{count} from {network.genesis.spec.chain_id} to {chain}"


def _with_messages(one: Network, other: Network) -> list[BlockDetail]:
    """Return the newest blocks of a chain that have something for the other."""
    height, relayer = one.height(), Relayer(one, other, "liar")
    newest = (one.block(at) for at in range(max(1, height - NEWEST), height + 1))
    return [block for block in newest if relayer.due(block)]


def _falsified(event: Event) -> Event:
    """Return what a bridge announced with more units in it, or another answer."""
    match event.contract, event.name:
        case (bridge, "Sent") if bridge == BRIDGE:
            message = {**event.data["message"], "amount": event.data["message"]["amount"] + 1}
            return replace(event, data={**event.data, "message": message})
        case (bridge, "Received") if bridge == BRIDGE:
            return replace(event, data={**event.data, "reason": "because I say so"})
    return event


def _renamed(step: Step, names: Sequence[str]) -> Step:
    """Return a step of a timeline, whose nodes are numbered from 0, as it befalls the nodes of these names."""
    words = re.sub(r"node-(\d+)", lambda found: names[int(found[1])], step.words)
    return parse_step(words, tuple(names))


def _befall(world: World, step: Step) -> bool:
    """Let something happen, unless it is to a node that has left."""
    if all(name in world.names for name in re.findall(r"node-\d+", step.words)):
        perform(world, cast(Any, None), step)
    return True


def run(seed: int) -> Report:
    """Draw and run one seed."""
    return _run(_Chains(seed))


def _run(chains: _Chains) -> Report:
    problem = words = ""
    try:
        chains.prepare()
        between = Between(chains.worlds)
        chains.begin_faults()
        for _ in range(chains.random.randint(*ACTIONS)):
            chains.act()
        words = chains.finish()
        problem = "stall" if words else ""
        if not words:
            between.finish()
    except Violated as violated:
        problem, words = "violation", str(violated)
    except TimedOut as late:
        problem, words = "stall", f"progress: {late}"
    except Exception as bug:  # nobody may ever meet anything else: that is what is looked for here
        problem, words = "violation", f"bug: {type(bug).__name__}: {bug}"
    worlds = chains.worlds
    digest = sha256("".join(world.trace.digest() for world in worlds).encode()).hexdigest()
    commits, events = (sum(found) for found in zip(*((w.checkers.height, w.trace.events) for w in worlds), strict=True))
    delivered, virtual_ms = sum(world.delivered for world in worlds), worlds[0].elapsed_ms
    return Report(chains.seed, digest, commits, virtual_ms, events, delivered, problem, words)


class CrossingHunt:
    """What `minichain sim --crossing` looks at: seeds, each with several chains."""

    def __init__(self, seeds: range) -> None:
        self._seeds = seeds

    def run(self, jobs: int = 0, tell: Tell = lambda text: None, say: Tell = lambda text: None) -> list[Report]:
        """Run all seeds."""
        return collect(run_all(run, self._seeds, jobs), len(self._seeds), tell, lambda report: say(_line(report)))

    def trace(self) -> list[str]:
        """Return every event of the only run, chain by chain."""
        if len(self._seeds) > 1:
            raise UsageError("a trace is of one run: choose one seed, such as --seeds 17:18")
        chains = _Chains(self._seeds[0], keep_lines=True)
        _run(chains)
        return [f"{world.genesis.spec.chain_id}  {line}" for world in chains.worlds for line in world.trace.lines]

    def shown(self, reports: Sequence[Report], *, shorten: bool = False) -> None:
        """Show no timeline: each chain has one of its own, and what is sent is in no file."""

    def summary(self, reports: Sequence[Report], shown: None, file: Path | None = None) -> dict[str, Any]:
        """Return what people and machines are told."""
        told = {"violation": list[dict[str, Any]](), "stall": list[dict[str, Any]]()}
        for report in reports:
            if report.problem:
                replay = f"minichain sim --crossing --seed {report.seed}"
                told[report.problem].append({"seed": report.seed, "words": report.words, "replay": replay})
        return {
            "chains": len(ENGINES[0]),
            "validators": VALIDATORS,
            "seeds": f"{self._seeds[0]}:{self._seeds[-1] + 1}",
            **figures(reports),
            "violations": told["violation"],
            "stalls": told["stall"],
            "timeline": "",
        }


def _line(report: Report) -> str:
    return f"seed {report.seed}: {report.commits} blocks on all chains, {report.problem or 'sound'}"
