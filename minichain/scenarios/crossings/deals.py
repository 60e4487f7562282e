"""A seat on a train of one chain and a room in a hotel of another, both or neither: two-phase commit.

The travel desk is a contract of a third chain. It asks both to prepare, decides when both have answered, and tells
them. What is counted are the places of both, whether free, held for somebody, or booked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from minichain.client.network import Network
from minichain.client.receipt import Receipt
from minichain.client.wallet import Wallet
from minichain.contracts.system import ATOMIC
from minichain.crosschain import relay
from minichain.ledger.types import Call
from minichain.scenarios.crossings.places import Places
from minichain.scenarios.crossings.staging import RELAYER, A, B, Place, Stage, switched

SECOND: Final = "second relayer"
DESK: Final = "coordinator"
PLACES: Final = {"train": 5, "hotel": 3}
WANTED: Final = 2
GAS: Final = 1_500_000
WITHIN_MS: Final = 30_000
DOWN_MS: Final = 20_000
STATES: Final = ("free", "held", "booked")


def play(stage: Stage) -> None:
    """Play the story."""
    desk = stage.add(DESK)
    stage.connect(desk)
    asker, houses = desk.wallet(A), dict(zip(PLACES, (stage.source, stage.target), strict=True))
    desk.deploy(ATOMIC, sender=desk.wallet("office"), name="atomic")
    for name, network in houses.items():
        places = 0 if stage.has("full") and name == "hotel" else PLACES[name]
        network.deploy(Places, sender=network.wallet("office"), name=name, places=places)
    stage.count = lambda: tuple(_count(houses))
    stage.begin()
    _Deal(stage, desk, houses).play(asker)


def _count(houses: dict[str, Network]) -> Iterator[Place]:
    for name, network in houses.items():
        for state, amount in zip(STATES, network.contract(name).count(), strict=True):
            yield Place(network.genesis.spec.chain_id, f"{name}: {state}", amount)


class _Deal:
    """What goes between the desk and both houses."""

    def __init__(self, stage: Stage, desk: Network, houses: dict[str, Network]) -> None:
        self.stage, self.desk, self.houses = stage, desk, houses

    def play(self, asker: Wallet) -> None:
        """Ask both, gather the answers, tell the decision, and hear that it was done."""
        stage = self.stage
        wishes = [_wish(name, network) for name, network in self.houses.items()]
        begin = Call("atomic", "begin", {"parts": wishes, "within_ms": WITHIN_MS})
        asked = stage.do("begun", self.desk, asker, begin, places=WANTED, within_ms=WITHIN_MS)
        assert asked
        if stage.has("late"):
            self._give_up(asked)
            return
        replies = {name: self._to_house(asked, name) for name in self.houses}
        if stage.has("crash"):
            self._crash(replies["train"])
        decided = [self._to_desk(reply, name) for name, reply in replies.items()][-1]
        names = ["train"] if stage.has("full") else list(self.houses)
        for done in [(name, self._to_house(decided, name)) for name in names]:
            self._to_desk(done[1], done[0])
        self._end()

    def _give_up(self, asked: Receipt) -> None:
        """Let nobody carry to the hotel until the time is over."""
        stage = self.stage
        self._to_desk(self._to_house(asked, "train"), "train")
        stage.note("offline", RELAYER, RELAYER)
        stage.wait(WITHIN_MS)
        stage.note("replacing", RELAYER, SECOND, away_ms=WITHIN_MS)
        decided = stage.do("given up", self.desk, self.desk.wallet(B), Call("atomic", "give_up", {"number": 1}))
        assert decided
        self._to_desk(self._to_house(decided, "train"), "train")
        self._to_desk(self._to_house(asked, "hotel"), "hotel")
        self._end()

    def _crash(self, reply: Receipt) -> None:
        """Let the chain of the desk stand still when both hold places for it."""
        stage, desk = self.stage, self.desk
        switched(desk, desk.nodes, "crash")
        stage.note("paused", desk, off=len(desk.nodes), all=len(desk.nodes))
        block = reply.block
        header = relay.follow(_id(self.stage.source), block.final.block.header, block.final.certificate)
        said = stage.unanswered(desk, Wallet.derive(desk.world.root, RELAYER), header)
        stage.note("unanswered", RELAYER, RELAYER, came=stage.source, refusal=said)
        stage.wait(DOWN_MS)
        switched(desk, desk.nodes, "restart")
        stage.note("resumed", desk, still_ms=DOWN_MS)

    def _end(self) -> None:
        outcome = self.desk.contract("atomic").outcome(number=1)
        self.stage.note({"done": "booked", "undone": "undone"}[outcome], self.desk, "atomic")

    # --- carrying ---

    def _to_house(self, sent: Receipt, name: str) -> Receipt:
        """Bring a house what the desk asks or tells."""
        receipt = self._carry(self.desk, self.houses[name], sent)
        (answer,) = (event.data for event in receipt.events if event.name == "Received")
        ended = [event.data["is_committed"] for event in receipt.events if event.name == "Concluded"]
        kind = ("committed" if ended[0] else "released") if ended else "held"
        kind = kind if answer["outcome"] == "done" else "declined"
        self._note(kind, self.desk, self.houses[name], sent, receipt, house=name, said=answer["reason"])
        return receipt

    def _to_desk(self, sent: Receipt, name: str) -> Receipt:
        """Bring the desk what a house answers."""
        receipt = self._carry(self.houses[name], self.desk, sent)
        decided = [event.data["decision"] for event in receipt.events if event.name == "Decided"]
        self._note("decided" if decided else "heard", self.houses[name], self.desk, sent, receipt, house=name,
                   decision="".join(decided))  # fmt: skip
        return receipt

    def _carry(self, source: Network, target: Network, sent: Receipt) -> Receipt:
        """Bring a header, and then the first thing that its receipt has for the target."""
        block, carrier = sent.block, target.wallet(RELAYER)
        header, chain = block.final.block.header, _id(source)
        (due,) = relay.due_in(block.receipts, target.genesis.hash)
        self.stage.send(target, carrier, relay.follow(chain, header, block.final.certificate))
        receipt, refusal = self.stage.send(target, carrier, relay.deliver(chain, block.receipts, due.index, 1))
        assert receipt, refusal
        return receipt

    def _note(self, kind: str, source: Network, target: Network, sent: Receipt, got: Receipt, **told: Any) -> None:
        (due,) = relay.due_in(sent.block.receipts, target.genesis.hash)
        shown = self.stage.carried(source, sent.height, due.index)
        told |= {"of": sent.height}
        self.stage.note(kind, target, RELAYER, came=source, height=got.height, carried=shown, **told)


def _wish(name: str, network: Network) -> dict[str, Any]:
    return {"chain": _id(network), "contract": name, "arguments": {"places": WANTED}, "gas": GAS}


def _id(network: Network) -> str:
    return network.genesis.spec.chain_id
