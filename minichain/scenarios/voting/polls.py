"""Secret and sealed ballots of a council: each of its members asks, votes, and shows or keeps a vote; trustees count.

A device that has closed a vote keeps it until it is cast or opened. Nothing else is kept: what seals a vote follows
from the voter's key and the ballot, so the same wallet finds it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from minichain.client.network import Network
from minichain.client.receipt import Receipt
from minichain.client.wallet import Wallet
from minichain.codec import Plain
from minichain.crypto import digest
from minichain.errors import UsageError
from minichain.ledger.types import Call
from minichain.scenarios.voting.elections import record
from minichain.scenarios.voting.elections.booth import Booth
from minichain.scenarios.voting.elections.contract import SEALED, SECRET, seal_of
from minichain.scenarios.voting.elections.recount import Recount, opened_counts, recount
from minichain.scenarios.voting.elections.trustees import Trustee

POLLS: Final = "council-polls"
CHOICES: Final = ("yes", "no", "abstain")
THRESHOLD: Final = 2  # of three trustees
FEWEST: Final = 3  # ballots: the sum of two tells either voter how the other one voted
OPENS_IN_MS: Final = 3_000


class Challenged(Plain):
    """What came of looking into a device: whether it had closed the choice that was made."""

    choice: str
    is_honest: bool


class Polls:
    """The ballots of one council. `clock()` tells the time in milliseconds by which they open and close."""

    def __init__(
        self, net: Network, wallets: Mapping[str, Wallet], trustees: Sequence[str], clock: Callable[[], int]
    ) -> None:
        self._net, self._wallets, self._trustees, self._clock = net, wallets, trustees, clock
        self._booths: dict[tuple[int, str], tuple[Booth, str, str]] = {}  # with the choice, and the number shown

    def count(self) -> int:
        """Return how many ballots there are, numbered from 1."""
        return int(self._net.view(POLLS, "count_elections", {}))

    def poll(self, number: int) -> dict[str, Any]:
        """Return a ballot as it stands; `cast` is what each of its possible voters has handed in, by name."""
        found: dict[str, Any] = dict(self._net.view(POLLS, "election", {"number": number}))
        asked = {name: {"number": number, "voter": wallet.did} for name, wallet in self._wallets.items()}
        weights = {name: self._net.view(POLLS, "weight_of", one) for name, one in asked.items()}
        cast = {name: self._net.view(POLLS, "cast_of", asked[name]) for name, weight in weights.items() if weight}
        return {**found, "number": number, "cast": cast}

    def ask(self, who: str, title: str, secrecy: str, minutes: int, voters: Sequence[Sequence[Any]]) -> int:
        """Put a question to members; its voting is open for so many minutes. Returns its number."""
        opens = self._clock() + OPENS_IN_MS
        closes = opens + minutes * 60_000
        rules: dict[str, Any] = {
            "title": title,
            "text": sha256(title.encode()).hexdigest(),
            "choices": list(CHOICES),
            "least": 1,
            "most": 1,
            "secrecy": secrecy,
            "opens": opens,
            "closes": closes,
        }
        if secrecy == SEALED:
            rules["until"] = closes + minutes * 60_000
        if secrecy == SECRET:
            dids = [self._wallets[name].did for name in self._trustees]
            step_ms = minutes * 60_000 // 4  # there are three steps, before voting closes
            rules |= {"trustees": dids, "threshold": THRESHOLD, "fewest": FEWEST, "step_ms": step_ms}
        listed = [{"did": row[1], "weight": row[2]} for row in voters]
        return int(self._do(who, "announce", rules=rules, voters=listed).result)

    def make_key(self, number: int) -> None:
        """Let all trustees deal shares, check those of the others, and make the key."""
        trustees = [self.trustee(name, number) for name in self._trustees]
        for trustee in trustees:
            trustee.deal()
        for trustee in trustees:
            trustee.check_shares()
        self._do(self._trustees[0], "fix_key", number=number)

    def trustee(self, name: str, number: int) -> Trustee:
        """Return a trustee at work on a ballot."""
        return Trustee(self._net, self._wallets[name], number, POLLS)

    # --- secret votes

    def prepare(self, number: int, voter: str, choice: str) -> str:
        """Close a vote on the voter's device, and return the number by which it will be found."""
        booth = Booth(self._net, self._wallets[voter], number, POLLS)
        tracker = booth.prepare(_votes(choice))
        self._booths[number, voter] = booth, choice, tracker
        return tracker

    def challenge(self, number: int, voter: str) -> Challenged:
        """Open what the device has closed, and check it by what was chosen and shown before; it is not cast then."""
        booth, choice, tracker = self._prepared(number, voter)
        found = record.proven(self._net, number, POLLS).recount
        return Challenged(choice, booth.open().shows(found, self._wallets[voter].did, _votes(choice), tracker))

    def cast(self, number: int, voter: str) -> Receipt:
        """Cast what the device has closed."""
        return self._prepared(number, voter)[0].cast()

    def _prepared(self, number: int, voter: str) -> tuple[Booth, str, str]:
        if (number, voter) not in self._booths:
            raise UsageError("nothing is prepared: close a vote first")
        return self._booths.pop((number, voter))

    # --- sealed votes

    def seal(self, number: int, voter: str, choice: str) -> Receipt:
        """Hand in a sealed vote."""
        return self._do(voter, "seal", number=number, seal=self._seal(number, voter, choice))

    def reveal(self, number: int, voter: str) -> Receipt:
        """Show the vote that a voter has sealed."""
        cast = self._net.view(POLLS, "cast_of", {"number": number, "voter": self._wallets[voter].did})
        sealed = cast["ballot"] if cast else b""
        for choice in CHOICES:
            if self._seal(number, voter, choice) == sealed:
                salt = self._salt(number, voter, choice)
                return self._do(voter, "reveal", number=number, votes=_votes(choice), salt=salt)
        raise UsageError("you have sealed no vote in this ballot: there is nothing to show")

    def _salt(self, number: int, voter: str, choice: str) -> bytes:
        """Return another salt for each choice, or showing the last vote would open those that it replaced."""
        statement = self._net.view(POLLS, "election", {"number": number})["statement"]
        return digest("salt of a sealed vote", bytes(self._wallets[voter].key.seed) + statement + choice.encode())

    def _seal(self, number: int, voter: str, choice: str) -> bytes:
        statement = self._net.view(POLLS, "election", {"number": number})["statement"]
        return seal_of(statement, self._wallets[voter].did, _votes(choice), self._salt(number, voter, choice))

    # --- the count

    def close(self, number: int) -> str:
        """Close a ballot whose time is over, or in which all have voted; returns its state."""
        return str(self._do(self._trustees[0], "close", number=number).result)

    def open_part(self, number: int, trustee: str) -> Receipt:
        """Let a trustee open its part of the sum of all ballots, and of nothing else."""
        return self.trustee(trustee, number).open()

    def tally(self, number: int) -> list[int]:
        """Work out the counts from what trustees have opened, and put them down."""
        election = self._net.view(POLLS, "election", {"number": number})
        places = election["decrypted"][: election["rules"]["threshold"]]
        if len(places) < election["rules"]["threshold"]:
            raise UsageError(
                f"{len(places)} trustees have opened their part, and {THRESHOLD} must: let another one open its part"
            )
        parts = {place: self._net.view(POLLS, "opened", {"number": number, "place": place}) for place in places}
        counts = opened_counts(election["sums"], parts, election["weight"])
        self._do(self._trustees[0], "tally", number=number, counts=counts)
        return [count or 0 for count in counts]

    def recount(self, number: int) -> Recount:
        """Count again from the receipts of all blocks."""
        return recount(self._net, number, POLLS)

    def record(self, number: int) -> bytes:
        """Return the record of a ballot as a file."""
        return record.take(self._net, number, POLLS).to_bytes()

    def _do(self, who: str, action: str, **arguments: Any) -> Receipt:
        return self._net.send(self._wallets[who], [Call(POLLS, action, arguments)])


def _votes(choice: str) -> list[int]:
    return [int(one == choice) for one in CHOICES]
