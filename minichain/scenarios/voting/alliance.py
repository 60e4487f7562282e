"""An alliance that decides by a rule pack: its validators found a body that votes, entrust it with the question of who
is one of them, and decide. Every step is a transaction of a member; it is the same in both worlds.

On a chain with the logical clock nothing happens by itself: `pass_blocks` lets time pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from minichain.client.network import Network
from minichain.client.receipt import Receipt
from minichain.client.wallet import Wallet
from minichain.contracts.system import GOVERNANCE
from minichain.ledger.local import BANK, node_key
from minichain.ledger.types import Call
from minichain.scenarios import Step
from minichain.scenarios.voting.rulebook import Pack, pack
from minichain.transition import GOVERNING

HOUSE: Final = "governance"  # the contract that decides
SETTINGS: Final[Mapping[str, Any]] = {"profile": "open_alliance", "clock": "logical"}  # of a network for this
# Short: for a demonstration.
SPANS: Final = {"clock": "blocks", "delay": 0, "voting": 40, "extension": 10, "timelock": 3, "grace": 200}

VOTING: Final = ("Active", "Extended")

Told = Iterator[tuple[Step, Receipt]]
Asked = dict[str, Any]  # a call as it is proposed


def rules(name: str = "one_org_one_vote") -> Pack:
    """Return a pack with times counted in a few blocks, and without a deposit: validators have no units."""
    return pack(name, deposit=0, burns=[], **SPANS)


def member(net: Network, name: str) -> Wallet:
    """Return the wallet of a validator."""
    return Wallet(name, node_key(net.world.root, name))


def asked(contract: str, action: str, /, **arguments: Any) -> Asked:
    """Write a call as a proposal has it."""
    return {"contract": contract, "action": action, "arguments": arguments}


def admission(net: Network, name: str, weight: int = 1) -> Asked:
    """Write the call that admits a validator, as the body that is entrusted with it makes it."""
    return asked(GOVERNING, "admit", name=name, did=member(net, name).did, weight=weight)


def removal(net: Network, name: str) -> Asked:
    """Write the call that removes a validator."""
    return asked(GOVERNING, "remove", did=member(net, name).did)


def found(net: Network, by: Sequence[str], pack: Pack | None = None) -> Told:
    """Deploy the body that decides, and let the members entrust it with the question of who is one of them.

    Those named in `by` act, the first of them before the others. Nobody can change the body any more.
    """
    first = by[0]
    net.deploy(GOVERNANCE, sender=member(net, first), authority="", members=[], setup={"pack": pack or rules()})
    reason = {"contract": HOUSE, "reason": "the rules are written down there"}
    proposed = _do(net, first, GOVERNING, "propose_governor", "Proposes to entrust the contract that votes.", **reason)
    yield proposed
    number = proposed[1].result
    for name in by:
        if net.view(GOVERNING, "proposal", {"number": number})["status"] == "open":
            yield _do(net, name, GOVERNING, "vote", "Agrees to entrust it.", proposal=number, yes=True)


def decide(net: Network, title: str, reason: str, calls: list[Asked], votes: Mapping[str, str]) -> Told:
    """Propose a decision, vote, and, if it succeeds, let it wait and carry it out.

    `votes` are by name of a validator; the first one proposes. Who is left when it is decided does not vote any more.
    """
    first = next(iter(votes))
    proposed = _do(net, first, HOUSE, "propose", "Proposes a decision.", title=title, reason=reason, calls=calls)
    yield proposed
    if not proposed[1].ok:
        return
    number = proposed[1].result
    _wait(net, lambda: shown(net, number)["status"] != "Pending")
    for name, choice in votes.items():
        if shown(net, number)["status"] in VOTING:
            yield _do(net, name, HOUSE, "vote", "Votes.", number=number, choice=choice)
    _wait(net, lambda: shown(net, number)["status"] not in VOTING or net.height() > shown(net, number)["ends"])
    if shown(net, number)["status"] == "Succeeded":
        yield _do(net, first, HOUSE, "queue", "Lets the wait begin, in which whom it concerns can act.", number=number)
        _wait(net, lambda: net.height() + 1 >= shown(net, number)["ready"])
        yield _do(net, first, HOUSE, "execute", "Carries the decision out.", number=number)


def admit(net: Network, name: str, votes: Mapping[str, str], first: Sequence[Asked] = ()) -> Told:
    """Let one more validator follow the chain, and the members decide that it is one of them; then it certifies.

    The decision begins with the calls in `first`: if one of them fails, so does the admission.
    """
    if name not in net.nodes:
        net.join(name)
    calls = [*first, admission(net, name)]
    yield from decide(net, f"Admit {name}", "It keeps the record of one more district.", calls, votes)
    planned = [height for height, members in net.view(GOVERNING, "planned", {}) if name in [one[0] for one in members]]
    pass_blocks(net, max(0, max(planned, default=0) - net.height()))


def shown(net: Network, number: int) -> dict[str, Any]:
    """Return a proposal as it stands."""
    found: dict[str, Any] = net.view(HOUSE, "proposal", {"number": number})
    return found


def pass_blocks(net: Network, count: int) -> None:
    """Let so many blocks be made, each with a payment of nobody's concern."""
    bank = net.wallet(BANK)
    for _ in range(count):
        net.send(bank, [Call("ledger", "transfer", {"to": bank.did, "amount": 1})])


def signers(net: Network, height: int) -> tuple[str, ...]:
    """Return who signed the certificate of a block."""
    block = net.block(height)
    certificate: Any = block.final.certificate
    return tuple(block.members[place].name for place in certificate.signers)


def _do(net: Network, name: str, contract: str, action: str, sentence: str, /, **args: Any) -> tuple[Step, Receipt]:
    receipt = net.attempt(member(net, name), contract, action, args)
    return Step(name, action, args, sentence, contract), receipt


def _wait(net: Network, is_done: Callable[[], bool]) -> None:
    """Let blocks pass until something is so; what a pack counts in blocks ends."""
    while not is_done():
        pass_blocks(net, 1)
