"""Two shards and a side chain: units and calls cross each way, while whoever carries and a validator of each chain
are killed and started again; and one message comes too late, so that what it carried is given back.

The chains use the logical clock, one thing is done after the other, and a relayer that begins anew goes on with what
the chains say is next: so every receipt on every chain is the same in both worlds, whoever was killed at which moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from minichain.client.crossing import connect, cross, crossing_proof, unsettled
from minichain.client.receipt import Receipt
from minichain.crosschain.proofs import CrossingProof
from minichain.errors import UsageError
from minichain.ledger.genesis import ChainSpec, Timeouts
from minichain.ledger.local import new_chain, root_of
from minichain.ledger.types import Call
from minichain.scenarios.crossings.desk import Desk
from minichain.scenarios.crossings.worlds import LiveChains, SimulatedChains
from minichain.scenarios.demo import Tell

# chain -> (validators, settings); the side chain has a committee of its own, which agrees in its own way
CHAINS: Final[dict[str, tuple[int, dict[str, Any]]]] = {
    "shard-0": (4, {"engine": "bft"}),
    "shard-1": (4, {"engine": "bft"}),
    "side": (3, {"engine": "raft"}),
}
# (one, other, whether one makes anew what comes from the other): shards have one currency, the side chain has its own
PAIRS: Final = (("shard-0", "shard-1", True), ("shard-0", "side", False))
TIMEOUTS: Final = Timeouts(propose=500, prevote=250, precommit=250)  # somebody is always dead, and not waited for long
UNITS: Final = 300
PROVEN: Final = "side"  # where the first message that is proved comes from
LATE_MS: Final = 3_000

Chains = LiveChains | SimulatedChains


def run(world: str, seed: int, proof: Path, tell: Tell) -> dict[str, Any]:
    """Let everything cross; `world` is "live" or "sim", `seed` fixes every key.

    Returns what happened, for JSON. The proof is that of a crossing out of the side chain, written to `proof`.
    """
    makers: dict[str, Callable[[list[ChainSpec], int], Chains]] = {"live": LiveChains, "sim": SimulatedChains}
    if world not in makers:
        raise UsageError(f"there is no world {world!r}: choose live or sim")
    tell("starting three chains")
    with makers[world](_specs(seed), seed) as chains:
        return _Story(chains, tell).play(proof)


def _specs(seed: int) -> list[ChainSpec]:
    root, first, specs = root_of(seed), 0, []
    for chain_id, (validators, settings) in CHAINS.items():
        told = {**settings, "chain_id": chain_id, "clock": "logical", "timeouts": TIMEOUTS}
        specs.append(new_chain(validators, root, told, first)[0].spec)
        first += validators
    return specs


class _Story:
    """What is done, one thing after the other."""

    def __init__(self, chains: Chains, tell: Tell) -> None:
        self._chains = chains
        self._tell = tell
        self._of = {network.genesis.spec.chain_id: network for network in chains.networks}
        self._crossings: list[dict[str, Any]] = []

    def play(self, proof: Path) -> dict[str, Any]:
        self._prepare()
        before = self._supply()
        self._chains.start_relayer()
        for one, other, _ in PAIRS:
            self._send_among_deaths(one, other)
            self._ask(one, other)
            self._cross(other, one, UNITS // 3)
            self._settle(other, one)
            self._ask(other, one)
        self._come_too_late("shard-1", "shard-0")
        for network in self._chains.networks:
            network.wait_for_height(network.height())
        proof.write_bytes(self._proof_of(next(one for one in self._crossings if one["from"] == PROVEN)).to_bytes())
        return self._report(before, proof)

    def _prepare(self) -> None:
        for chain_id, network in self._of.items():
            self._tell(f"{chain_id}: deploying the contract desk")
            network.deploy(Desk, sender=network.wallet("office"), name="desk")
        for one, other, makes_anew in PAIRS:
            self._tell(f"{one} and {other} agree to follow each other")
            connect(self._of[one], self._of[other], mints=makes_anew)
            connect(self._of[other], self._of[one], mints=True)

    def _send_among_deaths(self, source: str, target: str) -> None:
        """Let units cross while a validator of each chain is down, and the relayer is killed half way."""
        with self._without_a_validator(source), self._without_a_validator(target):
            self._cross(source, target, UNITS)
            self._chains.carry_until(lambda: self._received(source, target))
            self._tell(f"killing the relayer, who has brought the units to {target} and not said so in {source}")
            self._chains.kill_relayer()
            self._tell("starting the relayer again")
            self._chains.start_relayer()
            self._settle(source, target)

    @contextmanager
    def _without_a_validator(self, chain_id: str) -> Iterator[None]:
        network = self._of[chain_id]
        victim = network.nodes[1]
        self._tell(f"{chain_id}: killing {victim}")
        network.crash(victim)
        yield
        self._tell(f"{chain_id}: starting {victim} again")
        network.restart(victim)

    def _come_too_late(self, source: str, target: str) -> None:
        """Let units be sent while nobody carries, until the time of the other chain is past theirs."""
        self._tell("killing the relayer")
        self._chains.kill_relayer()
        receipt = self._cross(source, target, UNITS, within_ms=LATE_MS)
        until = next(event.data["message"]["until"] for event in receipt.events if event.name == "Sent")
        there, self._crossings[-1]["until_ms"] = self._of[target], until
        office, bank = there.wallet("office"), there.wallet("bank")
        while (head := there.head()) is None or head.time_ms <= until:
            there.send(bank, [Call("ledger", "transfer", {"to": office.did, "amount": 1})])
        self._tell(f"{target} has gone on; starting the relayer again")
        self._chains.start_relayer()
        self._settle(source, target)

    # --- what crosses ---

    def _cross(self, source: str, target: str, amount: int, **terms: int) -> Receipt:
        self._tell(f"{amount} units go from {source} to {target}")
        here, there = self._of[source], self._of[target]
        receipt = cross(here, there, here.wallet("bank"), there.wallet("shop"), amount, **terms)
        self._note(source, target, receipt, units=amount)
        return receipt

    def _ask(self, source: str, target: str) -> None:
        self._tell(f"the desk of {source} asks that of {target}")
        here = self._of[source]
        receipt = here.contract("desk", sender=here.wallet("resident")).ask(chain=target, text=f"a note from {source}")
        self._note(source, target, receipt, call="desk.note")
        self._settle(source, target)

    def _note(self, source: str, target: str, receipt: Receipt, **what: Any) -> None:
        self._crossings.append({"from": source, "to": target, "number": receipt.result, **what})

    def _received(self, source: str, target: str) -> bool:
        received: int = self._of[target].contract("bridge").channel(chain=source)["received"]
        number: int = self._crossings[-1]["number"]
        return received >= number

    def _settle(self, source: str, target: str) -> None:
        """Wait until what was sent is answered."""
        self._chains.carry_until(lambda: dict(unsettled(self._of[source]))[target] == 0)

    # --- what came of it ---

    def _proof_of(self, crossing: dict[str, Any]) -> CrossingProof:
        return crossing_proof(self._of[crossing["from"]], self._of[crossing["to"]], crossing["number"])

    def _supply(self) -> dict[str, int]:
        each = {chain_id: network.supply() for chain_id, network in self._of.items()}
        return {**each, "total": sum(each.values())}

    def _report(self, before: dict[str, int], proof: Path) -> dict[str, Any]:
        for crossing in self._crossings:
            books = self._of[crossing["from"]].contract("bridge")
            found = books.outcome(chain=crossing["to"], number=crossing["number"])
            crossing |= {"outcome": found["outcome"], "reason": found["reason"]}
        return {
            "receipts": [entry for chain_id in self._of for entry in self._receipts(chain_id)],
            "supply_before": before,
            "supply_after": self._supply(),
            "delivered": [crossing for crossing in self._crossings if crossing["outcome"] == "done"],
            "refunded": [crossing for crossing in self._crossings if crossing["outcome"] == "refused"],
            "state_roots": {
                chain_id: {report.name: report.state_root for report in network.status()}
                for chain_id, network in self._of.items()
            },
            "proof": str(proof),
            "genesis": {chain_id: network.genesis.hash.hex() for chain_id, network in self._of.items()},
        }

    def _receipts(self, chain_id: str) -> Iterator[dict[str, Any]]:
        """Yield the comparable part of every receipt on a chain."""
        network = self._of[chain_id]
        for height in range(1, network.height() + 1):
            for content in network.block(height).receipts:
                yield {"chain": chain_id, **Receipt(network.client, content).comparable()}
