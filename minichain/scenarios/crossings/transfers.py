"""Units, or a call, go from one chain to another and are answered, while this and that goes wrong on the way.

Resident A sends, on the first chain; resident B gets it, on the second. Relayers carry; so may a liar, as anybody may.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final, cast

from msgspec.structs import replace

from minichain import merkle
from minichain.client.client import Channel, Client
from minichain.client.network import Network
from minichain.client.relayer import links_from, shared_height
from minichain.client.wallet import Wallet
from minichain.codec import encode
from minichain.crosschain import relay
from minichain.crosschain.gate import BRIDGE
from minichain.errors import TimedOut
from minichain.ledger.certificate import PRECOMMIT, QuorumCertificate, in_order, sign_vote, vote_statement
from minichain.ledger.committee import Committee, Member
from minichain.ledger.local import node_key
from minichain.ledger.types import Call, Event, Header, Receipt
from minichain.node.messages import AskStatus, BlockDetail, NodeStatus
from minichain.scenarios.crossings.desk import Desk
from minichain.scenarios.crossings.staging import RELAYER, A, B, Stage, switched

AMOUNT: Final = 300
NOTE: Final = "The truck is on its way."
WITHIN_MS: Final = 600_000
SOON_MS: Final = 30_000  # how long a message is good that comes too late
AWAY_MS: Final = 60_000  # for so long nobody carries
STILL_MS: Final = 20_000
LOOK_MS: Final = 100
SECOND: Final = "second relayer"
LIAR: Final = "liar"


def play(stage: Stage) -> None:
    """Play the story."""
    if stage.what == "call":
        for network in stage.networks:
            network.deploy(Desk, sender=network.wallet("office"), name="desk")
    giver, taker = stage.person(stage.source, A), stage.person(stage.target, B)
    stage.connect(stage.source)
    if stage.has("stale"):
        _retire(stage.source)
    thief = stage.person(stage.target, LIAR) if stage.has("stolen") else None
    stage.begin()
    if thief:
        _steal(stage, thief)
        return
    block, due = _send(stage, giver, taker)
    carrier = _away(stage)
    if stage.has("stale"):
        _bring_stale(stage, block, carrier)
    if stage.has("forged"):
        forged = _forged(block)
        call = relay.follow(_id(stage.source), forged, _signed(stage.source, forged, stage.source.members(), 1))
        stage.do("followed", stage.target, stage.target.wallet(LIAR), call, came=stage.source, lie="forged", signed=1)
    if stage.has("paused"):
        _stand_still(stage, block, carrier)
    _bring(stage, "followed", stage.source, stage.target, block, carrier)
    if stage.has("altered"):
        lie = relay.deliver(_id(stage.source), _bent(block.receipts), due, 1)
        stage.do("delivered", stage.target, stage.target.wallet(LIAR), lie, came=stage.source, lie="altered")
    answer = _deliver(stage, block, due, carrier)
    if stage.has("replay"):
        again = relay.deliver(_id(stage.source), block.receipts, due, 1)
        stage.do("delivered", stage.target, stage.target.wallet(LIAR), again, came=stage.source, lie="replay")
    _settle(stage, answer, carrier)


def _id(network: Network) -> str:
    return network.genesis.spec.chain_id


# --- sending -----------------------------------------------------------------------------------------------------


def _send(stage: Stage, giver: Wallet, taker: Wallet) -> tuple[BlockDetail, int]:
    """Let A send; return the final block with it, and which of its receipts it is."""
    source, within_ms = stage.source, SOON_MS if stage.has("late") else WITHIN_MS
    where = {"chain": _id(stage.target), "within_ms": within_ms}
    told = {"to": B, "amount": AMOUNT} if stage.what == "units" else {"to": "desk", "text": NOTE}
    call = Call("ledger", "cross", {**where, "to": taker.did, "amount": AMOUNT})
    if stage.what == "call":
        call = Call("desk", "ask", {**where, "text": NOTE})
    stage.note("sent", source, A, within_ms=within_ms, chain=_id(stage.target), **told)
    if source.genesis.spec.engine == "pow":
        block = _mined(stage, giver, call)
    else:  # others use the chain as well: a block has more than one receipt
        bank, office = source.wallet("bank"), source.wallet("office")
        pays = [(who, [Call("ledger", "transfer", {"to": office.did, "amount": 1})]) for who in (bank, office)]
        block = source.block(source.send_together([(giver, [call]), *pays])[0].height)
    (due,) = relay.due_in(block.receipts, stage.target.genesis.hash)
    height = block.final.block.header.height
    stage.note("final", source, A, height=height, carried=stage.carried(source, height, due.index), **told)
    return block, due.index


def _mined(stage: Stage, giver: Wallet, call: Call) -> BlockDetail:
    """Hand it in to a miner, and return its block once that lies deep enough."""
    miner, needed = Network(stage.source.world), stage.source.genesis.spec.work.confirmations
    is_cut = stage.has("reorganised")
    with miner:  # who asks one miner, and no other while that one answers
        if is_cut:
            miner.partition(miner.nodes[:1], miner.nodes[1:])
            stage.note("cut", miner, alone=1, others=len(miner.nodes) - 1)
        with suppress(TimedOut):  # it waits until a block has it
            miner.send(giver, [call], timeout_ms=LOOK_MS)
        block = _wait_for(stage, miner, 1)
        stage.note("mined", miner, A, height=_height(block), depth=1, needed=needed)
        if is_cut:
            _reorganise(stage, miner, block)
            again = _wait_for(stage, miner, 1)
            stage.note("mined", miner, A, height=_height(again), depth=1, needed=needed, again=True)
        return _wait_for(stage, miner, needed)


def _wait_for(stage: Stage, source: Network, depth: int) -> BlockDetail:
    """Let blocks be mined until one with the message has so many on it, itself counted."""
    while True:
        for height in range(source.height() - depth + 1, 0, -1):
            block = source.block(height)
            if list(relay.due_in(block.receipts, stage.target.genesis.hash)):
                return block
        stage.wait(LOOK_MS)


def _reorganise(stage: Stage, miner: Network, block: BlockDetail) -> None:
    """Let a relayer be too early, and the other miners have done more work when the cable is mended."""
    target, height = stage.target, _height(block)
    bank = miner.wallet("bank")
    others = Client(miner.genesis, cast(Channel, _Some(miner.world.start(), miner.nodes[1:])))
    pay = Call("ledger", "transfer", {"to": bank.did, "amount": 1})
    with suppress(TimedOut):
        others.send(bank, [pay], "a payment on the other side", timeout_ms=LOOK_MS)
    carrier = target.wallet(RELAYER)
    _bring(stage, "headers", miner, target, block, carrier)
    (due,) = relay.due_in(block.receipts, target.genesis.hash)
    early = relay.deliver(_id(miner), block.receipts, due.index, 1)
    stage.do("delivered", target, carrier, early, came=miner, lie="early")
    while others.ask(AskStatus(), NodeStatus, "a status").height <= height:
        stage.wait(LOOK_MS)
    miner.heal()
    while miner.block(height).final.block.header.id == block.final.block.header.id:
        stage.wait(LOOK_MS)
    stage.note("replaced", miner, height=height)


class _Some:
    """A way to some validators only."""

    def __init__(self, channel: Channel, names: Sequence[str]) -> None:
        self._channel, self.names = channel, tuple(names)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)


# --- carrying ----------------------------------------------------------------------------------------------------


def _away(stage: Stage) -> Wallet:
    """Return who carries; if the first relayer goes away, somebody else does after a while."""
    if not (stage.has("offline") or stage.has("late")):
        return stage.target.wallet(RELAYER)
    stage.note("offline", RELAYER, RELAYER)
    stage.wait(AWAY_MS)
    stage.note("replacing", RELAYER, SECOND, away_ms=AWAY_MS)
    return stage.target.wallet(SECOND)


def _bring(stage: Stage, kind: str, source: Network, target: Network, block: BlockDetail, carrier: Wallet) -> None:
    """Bring the header of a block, and of a chain of work all headers that are new."""
    if source.genesis.spec.engine == "pow":
        call = relay.follow_work(_id(source), links_from(source, shared_height(source, target) + 1))
    else:
        call = relay.follow(_id(source), block.final.block.header, block.final.certificate)
    stage.do(kind, target, carrier, call, came=source, of=_height(block), chain=_id(source))


def _stand_still(stage: Stage, block: BlockDetail, carrier: Wallet) -> None:
    target = stage.target
    off = target.nodes[2:]
    switched(target, off, "crash")
    stage.note("paused", target, off=len(off), all=len(target.nodes))
    header = relay.follow(_id(stage.source), block.final.block.header, block.final.certificate)
    said = stage.unanswered(target, carrier, header)
    stage.note("unanswered", RELAYER, carrier.name, came=stage.source, refusal=said)
    stage.wait(STILL_MS)
    switched(target, off, "restart")
    stage.note("resumed", target, still_ms=STILL_MS)


def _deliver(stage: Stage, block: BlockDetail, index: int, carrier: Wallet) -> BlockDetail:
    """Bring the message; return the block that decides it."""
    source, target, height = stage.source, stage.target, _height(block)
    receipt, refusal = stage.send(target, carrier, relay.deliver(_id(source), block.receipts, index, 1))
    assert receipt, refusal
    (told,) = (event.data for event in receipt.events if event.name == "Received")
    kind = "delivered" if told["outcome"] == "done" else told["outcome"]
    shown = stage.carried(source, height, index)
    facts = {"of": height, "said": told["reason"], "amount": AMOUNT, "result": told["result"]}
    kind = {"refused": "declined"}.get(kind, kind)
    stage.note(kind, target, carrier.name, came=source, height=receipt.height, carried=shown, **facts)
    return receipt.block


def _settle(stage: Stage, answer: BlockDetail, carrier: Wallet) -> None:
    """Bring the answer back."""
    source, target, height = stage.source, stage.target, _height(answer)
    _bring(stage, "answered", target, source, answer, carrier)
    (due,) = relay.due_in(answer.receipts, source.genesis.hash)
    receipt, refusal = stage.send(source, carrier, relay.deliver(_id(target), answer.receipts, due.index, 1))
    assert receipt, refusal
    (told,) = (event.data for event in receipt.events if event.name == "Settled")
    kind = "settled" if told["outcome"] == "done" or stage.what == "call" else "refunded"
    shown = stage.carried(target, height, due.index)
    facts = {"of": height, "outcome": told["outcome"], "said": told["reason"], "amount": AMOUNT}
    stage.note(kind, source, carrier.name, came=target, height=receipt.height, carried=shown, **facts)


# --- lying -------------------------------------------------------------------------------------------------------


def _bent(receipts: Sequence[Receipt]) -> list[Receipt]:
    """Return receipts in which messages ask for more."""
    return [replace(receipt, events=tuple(map(_bend, receipt.events))) for receipt in receipts]


def _bend(event: Event) -> Event:
    if (event.contract, event.name) != (BRIDGE, "Sent"):
        return event
    message = event.data["message"]
    wanted = {"amount": 100 * message["amount"]} if message["amount"] else {"arguments": {"text": "Open the gate!"}}
    return replace(event, data={**event.data, "message": {**message, **wanted}})


def _forged(block: BlockDetail) -> Header:
    """Return the header of a block in which the messages ask for more."""
    root = merkle.root([encode(receipt) for receipt in _bent(block.receipts)])
    return replace(block.final.block.header, receipt_root=root)


def _signed(network: Network, header: Header, members: Iterable[Member], count: int) -> QuorumCertificate:
    """Certify a header with the keys of the first members, whoever has got them."""
    committee = Committee(members)
    statement = vote_statement(header.genesis, PRECOMMIT, header.height, 0, header.id)
    keys = [node_key(network.world.root, member.name) for member in committee.members[:count]]
    signatures = {key.public: sign_vote(key, statement) for key in keys}
    return QuorumCertificate(header.height, 0, header.id, in_order(committee, signatures))


def _retire(network: Network) -> None:
    """Let the members vote one of them out, and wait until another committee certifies."""
    voters = [Wallet(name, node_key(network.world.root, name)) for name in network.nodes[:3]]
    did = network.genesis.committee.members[3].did
    members = network.contract("members")
    members.with_sender(voters[0]).propose_removal(did=did, reason="it has closed")
    for voter in voters:
        members.with_sender(voter).vote(proposal=1, yes=True)
    bank = network.wallet("bank")
    while len(network.members()) == len(network.nodes):
        network.send(bank, [Call("ledger", "transfer", {"to": bank.did, "amount": 1})])


def _bring_stale(stage: Stage, block: BlockDetail, carrier: Wallet) -> None:
    """Bring the handover; then let those who have left sign once more."""
    source, target = stage.source, stage.target
    heights = range(1, _height(block) + 1)
    (last,) = (one for one in map(source.block, heights) if _hands_over(one.final.block.header))
    header, former = last.final.block.header, last.members
    step = relay.follow(_id(source), header, last.final.certificate, source.members())
    facts = {"of": header.height, "before": len(former), "after": len(source.members())}
    stage.do("handover", target, carrier, step, came=source, **facts)
    old = Committee(former).hash
    forged = replace(_forged(block), committee=old, next_committee=old)
    lie = relay.follow(_id(source), forged, _signed(source, forged, former, len(former)))
    stage.do("followed", target, target.wallet(LIAR), lie, came=source, lie="stale", signed=len(former))


def _hands_over(header: Header) -> bool:
    return header.next_committee != header.committee


def _height(block: BlockDetail) -> int:
    return block.final.block.header.height


def _steal(stage: Stage, thief: Wallet) -> None:
    """Let somebody use the keys of three of four members: that is believed, until the truth is brought, too."""
    source, target = stage.source, stage.target
    office, chain = source.wallet("office"), _id(source)
    pay = Call("ledger", "transfer", {"to": office.did, "amount": 1})
    true = source.send(source.wallet("bank"), [pay]).block
    stage.note("stolen", source, LIAR, signed=3, all=len(true.members))
    message: dict[str, Any] = {"kind": "units", "sender": thief.did, "to": thief.did, "until": 10**15, "amount": AMOUNT}
    message |= {"action": "", "arguments": {}, "gas": 0, "answer": ""}
    sent = {"chain": _id(target), "to": target.genesis.hash, "number": 1, "message": message}
    receipts = [replace(true.receipts[0], events=(Event(BRIDGE, "Sent", sent),))]
    forged = replace(true.final.block.header, receipt_root=merkle.root([encode(one) for one in receipts]))
    follow = relay.follow(chain, forged, _signed(source, forged, true.members, 3))
    stage.do("followed", target, thief, follow, came=source, of=forged.height, chain=chain, lie="stolen", signed=3)
    stage.do("delivered", target, thief, relay.deliver(chain, receipts, 0, 1), came=source, lie="stolen", amount=AMOUNT)
    carrier = target.wallet(RELAYER)
    truth = relay.follow(chain, true.final.block.header, true.final.certificate)
    stage.do("forked", target, carrier, truth, came=source, of=forged.height, chain=chain)
    stage.do("followed", target, carrier, truth, came=source, of=forged.height, chain=chain)
