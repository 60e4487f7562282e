"""How the members of a simulated network change: they propose and vote on the chain, as people would.

One change at a time, in the order in which they were asked for; each goes on until it is so, or cannot be. All members
vote for it, whatever their computers do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

from minichain.crypto import KeyPair
from minichain.ledger.committee import Committee
from minichain.ledger.types import Call, Envelope, Receipt
from minichain.sim.world import World
from minichain.transition import GOVERNING

REASON: Final = "as the timeline says"
PROPOSALS: Final = {"join": "propose_admission", "leave": "propose_removal"}

Course = Iterator[list[Envelope]]  # what has to be final before a change goes on


class Voting:
    """The changes under way. `send` lets somebody ask for a call until it is final, `pay` is any such transaction."""

    def __init__(self, world: World, send: Callable[[KeyPair, Call], Envelope], pay: Callable[[], Envelope]) -> None:
        self._world = world
        self._send = send
        self._pay = pay
        self._courses: deque[Course] = deque()
        self._waiting: list[Envelope] = []

    @property
    def is_over(self) -> bool:
        """Tell whether every change that was asked for has taken effect, or cannot."""
        return not self._courses

    def move(self, verb: str, name: str) -> None:
        """Let a node join, or leave, once the changes before it are over."""
        self._courses.append(self._course(verb, name))
        self.go_on()

    def go_on(self) -> None:
        """Do what comes next, if what was sent before is final."""
        while self._courses and all(tx.id in self._world.checkers.receipts for tx in self._waiting):
            waiting = next(self._courses[0], None)
            if waiting is None:
                self._courses.popleft()
            self._waiting = waiting or []

    # --- one change ---

    def _course(self, verb: str, name: str) -> Course:
        if not self._is_due(verb, name):
            self._world.trace.note(self._world.elapsed_ms, f"passed over, since it is so or cannot be: {verb} {name}")
        while self._is_due(verb, name):
            proposal = self._propose(verb, name)
            yield [proposal]
            made = self._receipt(proposal)
            if made.ok:
                yield from self._vote(made.results[0])

    def _is_due(self, verb: str, name: str) -> bool:
        """Tell whether a change is still to be made; the last member stays."""
        committee = self._committee
        is_member = committee.weight(self._world.key(name).public) > 0
        return not is_member if verb == "join" else is_member and len(committee.members) > 1

    @property
    def _committee(self) -> Committee:
        """Return who certifies the next block, as the observer of all nodes knows."""
        return self._world.checkers.committee

    def _propose(self, verb: str, name: str) -> Envelope:
        key, proposer = self._world.key(name), self._committee.members[0]
        args: dict[str, Any] = {"did": key.did, "reason": REASON}
        if verb == "join":
            args |= {"name": name, "weight": 1}
        return self._send(self._world.key(proposer.name), Call(GOVERNING, PROPOSALS[verb], args))

    def _vote(self, proposal: int) -> Course:
        """Let everybody vote, then wait until the change takes effect; an idle chain makes no blocks."""
        members = [self._world.key(member.name) for member in self._committee.members]
        votes = [self._send(key, Call(GOVERNING, "vote", {"proposal": proposal, "yes": True})) for key in members]
        yield votes
        events = [event for tx in votes for event in self._receipt(tx).events if event.name == "Committee"]
        first = max((event.data["first"] for event in events), default=0)
        while self._world.checkers.height + 1 < first:
            yield [self._pay()]

    def _receipt(self, tx: Envelope) -> Receipt:
        return self._world.checkers.receipts[tx.id]
