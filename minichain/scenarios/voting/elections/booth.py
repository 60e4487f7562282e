"""What a voter's device does: closes a vote, shows by what number it will be found, and then casts it or opens it.

A device that is asked to open (Benaloh's challenge) must show that the ballot holds what the voter had chosen, and this
ballot is never cast: so it cannot know which of its ballots will be looked at. What it shows is checked on another
device, with the number that was shown before: a device that checks itself proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import nacl.utils

from minichain.client.network import Network
from minichain.client.receipt import Receipt
from minichain.client.wallet import Wallet
from minichain.codec import Plain
from minichain.elgamal.ballots import Form, close, is_opened_by
from minichain.elgamal.group import SIZE
from minichain.errors import UsageError
from minichain.scenarios.voting.elections.contract import context_of, tracker_of
from minichain.scenarios.voting.elections.record import proven
from minichain.scenarios.voting.elections.recount import Recount


class Opened(Plain):
    """A ballot that was opened instead of being cast: what its device says was inside."""

    ballot: bytes
    votes: tuple[int, ...]
    seed: bytes

    def shows(self, found: Recount, voter: str, votes: Sequence[int], tracker: str) -> bool:
        """Tell whether the device is honest: it had closed what was chosen, in the ballot of which it gave the number.

        `found`, the election, is asked of another device: nothing that this one could make up counts.
        """
        is_shown = tracker_of(self.ballot) == tracker
        return is_shown and is_opened_by(self.ballot, *closing(found, voter), votes, self.seed)


def closing(found: Recount, voter: str) -> tuple[Form, bytes, bytes]:
    """Return what a voter's ballot is closed with: its form, the key, and what binds it to election and voter."""
    form = Form(len(found.rules["choices"]), found.rules["least"], found.rules["most"])
    return form, found.key, context_of(found.statement, "voter", voter)


class Booth:
    """A voter's device in one secret ballot. It takes the key from what the chain has proved, and from no node's word.

    `chance` gives so many secret bytes; the default is the system's own.
    """

    def __init__(
        self,
        network: Network,
        voter: Wallet,
        number: int,
        contract: str = "elections",
        chance: Callable[[int], bytes] = nacl.utils.random,
    ) -> None:
        self._elections = network.contract(contract, sender=voter)
        self._number = number
        self._chance = chance
        found = proven(network, number, contract).recount  # who could name another key could read the vote
        if not found.key:
            secrecy = found.rules["secrecy"]
            raise UsageError(f"ballot {number} is {secrecy} and {found.state}: it has no key to close a vote with")
        self._closing = closing(found, voter.did)
        self._prepared: Opened | None = None

    def prepare(self, votes: Sequence[int]) -> str:
        """Close a vote, 0 or 1 for each choice, and return the number by which it will be found if it is cast."""
        seed = self._chance(SIZE)
        ballot = close(*self._closing, votes, seed)
        self._prepared = Opened(ballot, tuple(votes), seed)
        return tracker_of(ballot)

    def open(self) -> Opened:
        """Open what was prepared, to see whether this device is honest; prepare again to vote."""
        return self._taken()

    def cast(self) -> Receipt:
        """Cast what was prepared."""
        receipt: Receipt = self._elections.cast(number=self._number, ballot=self._taken().ballot)
        return receipt

    def _taken(self) -> Opened:
        prepared, self._prepared = self._prepared, None
        if prepared is None:
            raise UsageError("nothing is prepared: a ballot is cast or opened once; prepare a vote first")
        return prepared
