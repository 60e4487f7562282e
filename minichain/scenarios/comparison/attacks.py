"""Attacks, each really tried on a simulated network of its own, and what came of it.

An attacker holds the keys and the machines of the owners named, and nothing else. Whoever judges the outcome trusts
only the genesis: two readers with proofs, or, where work decides, a shop that waited for its payment to be final.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from minichain.client.network import Network
from minichain.client.wallet import Wallet
from minichain.codec import Plain, encode
from minichain.crosschain.proofs import Proof, verify
from minichain.errors import NetworkError, ProofError, TimedOut, UsageError
from minichain.ledger.certificate import WorkCertificate
from minichain.ledger.local import validator_key
from minichain.ledger.types import Call, Envelope
from minichain.membership import measures
from minichain.node.messages import Request, Submit
from minichain.scenarios.comparison.database import Database
from minichain.scenarios.comparison.design import DATABASE, Design, network, prepare
from minichain.scenarios.comparison.forging import forged_proof
from minichain.scenarios.comparison.measuring import CLIENT, Run, settle
from minichain.scenarios.comparison.work import GAS_LIMIT, RESIDENTS, key_of, sign, signed, tasks
from minichain.sim.checkers import Violated
from minichain.sim.world import World

ATTACKS: Final = ("stop", "edit", "lie", "collude")
PAYER, SHOP, FRIEND = RESIDENTS[2], RESIDENTS[9], RESIDENTS[11]
AMOUNT: Final = 500
PATIENCE_MS: Final = 30_000  # of virtual time, before a ledger counts as stopped
FORK_MS: Final = 40_000  # for which a branch is mined in secret at most; attackers who are not ahead by then give up
FORK_PACE_MS: Final = 200  # meanwhile, from one of the other residents' transactions to the next
ROUNDS: Final = 3  # so often each validator has had a turn to lie


class Attempt(Plain):
    """One attack. `happened` is one word for the outcome, `facts` are what a sentence about it needs."""

    kind: str
    attack: str
    happened: str
    succeeded: bool
    facts: dict[str, int | str]


def attempt(design: Design, attack: str) -> Attempt:
    """Try an attack on a design."""
    table = _ON_DATABASE if design.kind == DATABASE else _ON_CHAIN
    if attack not in table:
        raise UsageError(f"there is no attack {attack!r}: choose one of {', '.join(table)}")
    happened, succeeded, facts = table[attack](design)
    return Attempt(design.kind, attack, happened, succeeded, facts)


Outcome = tuple[str, bool, dict[str, int | str]]


# --- who attacks -------------------------------------------------------------------------------------------------


def machines_of(design: Design, count: int) -> tuple[str, ...]:
    """Return the validators of so many owners, those with most validators first."""
    names: dict[str, list[str]] = {}
    for member in design.members:
        names.setdefault(member.owner, []).append(member.name)
    largest = sorted(names.values(), key=len, reverse=True)
    return tuple(name for group in largest[:count] for name in group)


def enough_to_rewrite(design: Design, engine: str) -> int:
    """Return how many owners have what it takes to make another past."""
    return measures.owners_to_rewrite(engine, [(member.owner, member.weight) for member in design.members])


def _sizes(design: Design, owners: int, machines: Sequence[str]) -> dict[str, int | str]:
    all_owners = {member.owner for member in design.members}
    validators = len(design.members)
    return {"owners": owners, "of": len(all_owners), "machines": len(machines), "validators": validators}


# --- the largest owner switches its computers off ----------------------------------------------------------------


def _stop(design: Design) -> Outcome:
    machines = machines_of(design, 1)
    facts = _sizes(design, 1, machines)
    with network(design) as net:
        world = prepare(net, design)
        for name in machines:
            world.crash(name)
        begun_ms = world.now_ms
        try:
            net.send(_wallet(PAYER, design), [_payment(SHOP, design)], gas_limit=GAS_LIMIT, timeout_ms=PATIENCE_MS)
        except TimedOut:
            return "stopped", True, {**facts, "waited_ms": PATIENCE_MS}
        return "went on", False, {**facts, "waited_ms": world.now_ms - begun_ms}


def _wallet(name: str, design: Design) -> Wallet:
    return Wallet(name, key_of(name, design.seed))


def _payment(to: str, design: Design) -> Call:
    return Call("ledger", "transfer", {"to": key_of(to, design.seed).did, "amount": AMOUNT})


# --- some owners make another past -------------------------------------------------------------------------------


def _edit(design: Design) -> Outcome:
    return _rewrite(design, 1)


def _collude(design: Design) -> Outcome:
    """Let just enough owners try; and one fewer, who must fail."""
    with network(design) as net:
        engine = net.genesis.spec.engine
    count = enough_to_rewrite(design, engine)
    happened, succeeded, facts = _rewrite(design, count)
    if count == 1:
        return happened, succeeded, facts
    _, fewer_succeeded, _ = _rewrite(design, count - 1)
    return happened, succeeded, {**facts, "fewer": count - 1, "fewer_succeeded": int(fewer_succeeded)}


def _rewrite(design: Design, owners: int) -> Outcome:
    machines = machines_of(design, owners)
    facts = _sizes(design, owners, machines)
    with network(design) as net:
        world = prepare(net, design)
        settle(world)
        happened, succeeded, more = (
            _outgrow(net, world, design, machines)
            if net.genesis.spec.engine == "pow"
            else _sign_another(net, design, machines)
        )
    return happened, succeeded, {**facts, **more}


def _sign_another(net: Network, design: Design, machines: Sequence[str]) -> Outcome:
    """Sign, with the attackers' keys, another block in the place of the one that holds a payment."""
    receipt = net.send(_wallet(PAYER, design), [_payment(SHOP, design)], gas_limit=GAS_LIMIT)
    other = sign(net.genesis, key_of(FRIEND, design.seed), 0, _payment(PAYER, design))
    keys = [validator_key(design.root, int(name.removeprefix("node-"))) for name in machines]
    before = [net.block(height).final.block for height in range(1, receipt.height)]
    forged = forged_proof(net.genesis, before, other, keys)
    first = verify(Proof.from_bytes(receipt.proof().to_bytes()), net.genesis.hash)  # what one reader does
    try:
        second = verify(Proof.from_bytes(forged.to_bytes()), net.genesis.hash)  # and another
    except ProofError as refusal:
        return "refused", False, {"height": receipt.height, "reason": str(refusal)}
    both = set(first.signers) & set(second.signers)
    return "both accepted", True, {"height": receipt.height, "signed_both": len(both)}


def _outgrow(net: Network, world: World, design: Design, machines: Sequence[str]) -> Outcome:
    """Pay a shop, mine in secret a branch in which the same money goes to a friend, and show it when it is time."""
    attackers = machines if len(machines) < len(world.names) else machines[:-1]  # one machine that the public sees
    public = [name for name in world.names if name not in attackers]
    for name in world.names:
        world.checkers.ignore(name)  # they would stop the world where its promise ends
    world.part(attackers, public)
    paid, other = (sign(net.genesis, key_of(PAYER, design.seed), 0, _payment(to, design)) for to in (SHOP, FRIEND))
    _submit(world, public[0], paid)
    _submit(world, attackers[0], other)
    sides = attackers[0], public[0]
    _go_on(world, net, design, sides, until=lambda: _is_final(world, public[0], paid) and _is_ahead(world, *sides))
    was_final, before = _is_final(world, public[0], paid), _undone(world, public[0])
    world.heal()
    settle(world)
    facts: dict[str, int | str] = {"undone": _undone(world, public[0]) - before, "was_final": int(was_final)}
    if world.store(public[0]).find(paid.id):
        return "kept", False, facts
    return "undone", was_final, facts


def _go_on(world: World, net: Network, design: Design, names: Sequence[str], until: Callable[[], bool]) -> None:
    """Let other residents' transactions come to both sides, so that both have something to mine."""
    work = tuple(task for task in tasks(FORK_MS // FORK_PACE_MS, design.seed) if task.who != PAYER)
    for envelope in signed(work, net.genesis, design.seed):
        for name in names:
            _submit(world, name, envelope)
        world.run_for(FORK_PACE_MS)
        if until():
            return


def _submit(world: World, name: str, envelope: Envelope) -> None:
    world.ask(name, CLIENT, encode(Request(0, Submit((envelope.raw,)))))


def _is_final(world: World, name: str, envelope: Envelope) -> bool:
    place = world.store(name).find(envelope.id)
    return place is not None and world.store(name).height() - place[0] + 1 >= world.genesis.spec.work.confirmations


def _is_ahead(world: World, attacker: str, public: str) -> bool:
    """Tell whether more work stands behind the secret branch: whoever mines it sees both."""
    return _work(world, attacker) > _work(world, public)


def _work(world: World, name: str) -> int:
    store = world.store(name)
    finals = [store.block(height) for height in range(1, store.height() + 1)]
    return sum(
        final.certificate.difficulty for final in finals if final and isinstance(final.certificate, WorkCertificate)
    )


def _undone(world: World, name: str) -> int:
    node = world.node(name)
    assert node is not None
    return node.status().counters.get("undone_blocks", 0)


# --- one owner lies -----------------------------------------------------------------------------------------------


def _lie(design: Design) -> Outcome:
    """Let an owner lie while the others work; the checkers look after every event."""
    with network(design) as net:
        world, engine = prepare(net, design), net.genesis.spec.engine
        settle(world)
        liars, lie = _liars(design, engine)
        for name in liars:
            world.behave(name, lie)
        honest = [name for name in world.names if name not in liars]
        fork = measures.owners_to_fork(engine, [(member.owner, member.weight) for member in design.members])
        facts: dict[str, int | str] = {**_sizes(design, 1, liars), "owners_to_fork": fork, "lie": lie}
        work = tasks(ROUNDS * len(world.names), design.seed)
        try:
            Run(world).work(work, signed(work, net.genesis, design.seed), honest)
        except Violated as violation:
            return "split", True, {**facts, "reason": str(violation)}
        except TimedOut:
            return "stuck", True, facts
        settle(world, honest)
        noticed = sum(len(world.store(name).evidence()) for name in honest)
        return "borne", False, {**facts, "final": len(work), "evidence": noticed, "refused": _faults(world, honest)}


def _liars(design: Design, engine: str) -> tuple[tuple[str, ...], str]:
    """Return who lies, and how: where votes decide, all validators of the owner, in concert; else one of them."""
    machines = machines_of(design, 1)[: len(design.members) - 2]  # two must be left that could disagree
    if engine != "bft":
        return machines[:1], "garbage"
    return machines, "colluder" if len(machines) > 1 else "equivocator"


def _faults(world: World, names: Sequence[str]) -> int:
    """Count the messages that the honest found faulty."""
    nodes = [node for name in names if (node := world.node(name))]
    found = [node.status().counters for node in nodes]
    return sum(counters.get(kind, 0) for counters in found for kind in ("garbage", "rejected", "muted"))


# --- a database --------------------------------------------------------------------------------------------------


def _edit_database(design: Design) -> Outcome:
    """Change an account in place; a reader before and a reader after have nothing to compare."""
    database, public = Database(design), key_of(PAYER, design.seed).public
    first = database.balance(public)
    database.edit(public, first - AMOUNT)
    second = database.balance(public)
    return "changed", second != first, {"before": first, "after": second, "rows": len(database.rows)}


def _lie_in_database(design: Design) -> Outcome:
    """Give two readers different answers, and leave no trace."""
    database, public = Database(design), key_of(PAYER, design.seed).public
    first = database.balance(public)
    database.edit(public, first - AMOUNT)
    second = database.balance(public)
    database.edit(public, first)
    return "two answers", second != first, {"before": first, "after": second}


def _stop_database(design: Design) -> Outcome:
    database = Database(design)
    database.switch_off()
    try:
        database.write(sign(database.genesis, key_of(PAYER, design.seed), 0, _payment(SHOP, design)))
    except NetworkError:
        return "stopped", True, {"owners": 1, "of": 1, "machines": 1, "validators": 1, "waited_ms": 0}
    raise AssertionError("a database that is off has no answer")


_ON_CHAIN: Final[dict[str, Callable[[Design], Outcome]]] = {
    "stop": _stop,
    "edit": _edit,
    "lie": _lie,
    "collude": _collude,
}
_ON_DATABASE: Final[dict[str, Callable[[Design], Outcome]]] = {
    "stop": _stop_database,
    "edit": _edit_database,
    "lie": _lie_in_database,
    "collude": _edit_database,  # its owner needs nobody else
}
