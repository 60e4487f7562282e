"""Run the work on one kind of chain in the simulator, and count. The same design gives the same figures anywhere.

Each resident is served by one validator, as an office serves its district. A transaction is submitted and waited for
there; the clock is read at the moment the validator answers that it is final.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from minichain.client.network import Network
from minichain.codec import decode, encode
from minichain.crosschain.proofs import verify
from minichain.errors import Refused, TimedOut
from minichain.ledger.types import Envelope, Receipt
from minichain.node.messages import MAX_MESSAGE_BYTES, Await, Outcomes, Request, Response, Submit, Submitted, Verdict
from minichain.scenarios.comparison import database
from minichain.scenarios.comparison.design import DATABASE, Design, network, prepare
from minichain.scenarios.comparison.figures import Figures, concentration, fee_of, percentile, quota_of, rules_of
from minichain.scenarios.comparison.work import RESIDENTS, Task, signed, tasks
from minichain.sim.memory import MemoryStore
from minichain.sim.world import World

CLIENT: Final = b"comparison"
PATIENCE_MS: Final = 600_000  # of virtual time, for all to become final
SETTLING_MS: Final = 60_000  # until every validator has the last block


def measure(design: Design) -> Figures:
    """Do the work of a design, and return what it took."""
    if design.kind == DATABASE:
        return database.measure(design)
    with network(design) as net:
        world = prepare(net, design)
        settle(world)
        before = _Counts(world)
        run = Run(world)
        work = tasks(design.transactions, design.seed)
        run.work(work, signed(work, net.genesis, design.seed), world.names)
        settle(world)
        return _figures(design, net, world, run, before)


class Run:
    """Clients who submit transactions at their times and note when each is final."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._begun_ms = world.now_ms
        self._submitted_ms: list[int] = []
        self._served: list[str] = []
        self.latency_ms: dict[int, int] = {}
        self.depth: dict[int, int] = {}  # how many blocks it took, its own included
        self.receipts: dict[int, Receipt] = {}
        self.duration_ms = 0

    def work(self, work: Sequence[Task], envelopes: Sequence[Envelope], names: Sequence[str]) -> None:
        """Do all of it at these validators, and wait until all is final."""
        for task, envelope in zip(work, envelopes, strict=True):
            self._listen(self._begun_ms + task.at_ms)
            self._submit(names[RESIDENTS.index(task.who) % len(names)], envelope)
        deadline = self._world.now_ms + PATIENCE_MS
        while len(self.receipts) < len(work):
            if not self._world.run_until(self._is_answered, deadline - self._world.now_ms):
                raise TimedOut(f"{len(work) - len(self.receipts)} of {len(work)} transactions did not become final")
            self._take()
        self.duration_ms = self._world.now_ms - self._begun_ms

    def _submit(self, name: str, envelope: Envelope) -> None:
        number = len(self._submitted_ms)
        self._submitted_ms.append(self._world.now_ms)
        self._served.append(name)
        self._world.ask(name, CLIENT, encode(Request(number, Submit((envelope.raw,)))))
        self._world.ask(name, CLIENT, encode(Request(number, Await((envelope.id,)))), envelope.body.sender)

    def _is_answered(self) -> bool:
        return self._world.has_replies(CLIENT)

    def _listen(self, until_ms: int) -> None:
        while self._world.run_until(self._is_answered, until_ms - self._world.now_ms):
            self._take()

    def _take(self) -> None:
        for data in self._world.replies(CLIENT):
            response = decode(data, Response, MAX_MESSAGE_BYTES)
            match response.body:
                case Submitted((Verdict(code="accepted"),)):
                    pass
                case Outcomes((Verdict(receipt=Receipt() as receipt),)):
                    self._note(response.number, receipt)
                case Submitted((Verdict(code=code, message=text),)) | Outcomes((Verdict(code=code, message=text),)):
                    raise Refused(code, f"transaction {response.number} was refused: {text}")

    def _note(self, number: int, receipt: Receipt) -> None:
        node = self._world.node(self._served[number])
        assert node is not None, "nobody is switched off here"
        self.receipts[number] = receipt
        self.latency_ms[number] = self._world.now_ms - self._submitted_ms[number]
        self.depth[number] = node.height - receipt.height + 1


def settle(world: World, names: Sequence[str] = ()) -> None:
    """Let time pass until these validators, or all, have the same last block."""
    if not world.run_until(lambda: len({world.head(name) for name in names or world.names}) == 1, SETTLING_MS):
        raise TimedOut("the validators did not come to the same last block")


class _Counts:
    """What the world has counted so far."""

    def __init__(self, world: World) -> None:
        self.messages = world.delivered
        self.bytes = world.delivered_bytes
        self.sealed = len(world.sealed)
        self.height = world.store(world.names[0]).height()


def _figures(design: Design, net: Network, world: World, run: Run, before: _Counts) -> Figures:
    spec, count = net.genesis.spec, design.transactions
    store, after = world.store(world.names[0]), _Counts(world)
    blocks, latencies = after.height - before.height, list(run.latency_ms.values())
    sealed = world.sealed[before.sealed :]
    tries = sum(difficulty for _, difficulty in sealed)
    gas = sum(receipt.gas for receipt in run.receipts.values())
    quota = quota_of(spec, max(1, round(gas / count)))
    return Figures(
        kind=design.kind,
        engine=spec.engine,
        seed=design.seed,
        transactions=count,
        members=tuple((member.name, member.owner) for member in spec.members),
        rules=rules_of(spec),
        concentration=concentration(spec.engine, _holdings(net, store, before.height)),
        latency_p50_ms=percentile(latencies, 50),
        latency_p90_ms=percentile(latencies, 90),
        duration_ms=run.duration_ms,
        blocks=blocks,
        transactions_per_block=round(count / blocks, 1),
        messages_per_transaction=round((after.messages - before.messages) / count, 1),
        bytes_per_transaction=round((after.bytes - before.bytes) / count),
        stored_bytes_per_transaction=round(_stored(store, before.height) / count),
        copies=len(world.names),
        final_after_blocks=percentile(list(run.depth.values()), 50),
        undone_blocks=max(0, len(sealed) - blocks),
        tries=tries,
        tries_per_transaction=round(tries / count),
        fee_per_transaction=round(fee_of(spec, gas) / count),
        quota_transactions=quota[0],
        quota_blocks=quota[1],
        proof_bytes=_proof_bytes(net, run.receipts[0]),
    )


def _stored(store: MemoryStore, after: int) -> int:
    """Add up the bytes of the blocks after a height, with what certifies them, and of their receipts."""
    heights = range(after + 1, store.height() + 1)
    return sum(len(encode(store.block(height))) + sum(map(len, store.receipts(height))) for height in heights)


def _holdings(net: Network, store: MemoryStore, after: int) -> list[tuple[str, int]]:
    """Return what counts when it is asked who decides: votes, or, where work decides, the blocks each has won."""
    members = net.genesis.spec.members
    if net.genesis.spec.engine != "pow":
        return [(member.owner, member.weight) for member in members]
    finals = [store.block(height) for height in range(after + 1, store.height() + 1)]
    winners = [final.block.header.proposer for final in finals if final]
    return [(member.owner, winners.count(member.public)) for member in members]


def _proof_bytes(net: Network, receipt: Receipt) -> int:
    """Return how long the proof of a transaction is, after checking it as a stranger does."""
    proof = net.proof(receipt.tx_id.hex())
    verify(proof, net.genesis.hash)
    return len(proof.to_bytes())
