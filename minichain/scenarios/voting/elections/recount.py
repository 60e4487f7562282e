"""Count an election again from what the chain's receipts say, and from nothing else: no view, no state, no node's word.

Everything is checked anew, ballots and proofs too, as if the contract had checked nothing. Each kind of check has a
name, and `Recount.checks` says how often it was made; the first one that fails is an error that names it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Final

from minichain.client.network import Network
from minichain.codec import Plain
from minichain.crypto import did_of
from minichain.elgamal.ballots import Form, ciphertexts, fault_of
from minichain.elgamal.group import BASE, IDENTITY, add, combine, interpolate, logarithm, multiply, subtract
from minichain.elgamal.proofs import knows
from minichain.errors import DecodeError, ProofError, Reverted
from minichain.ledger.types import Receipt, open_envelope
from minichain.scenarios.voting.elections import contract as written
from minichain.scenarios.voting.elections.contract import (
    CLOSED,
    COUNTED,
    FAILED,
    OPEN,
    PREPARING,
    REVEALING,
    SEALED,
    SECRET,
    VOID,
    VOTING,
)

MAX_LOOKED_AT: Final = 10_000_000  # the weight of a group; more takes long

Sums = list[list[bytes]]  # of each choice the two halves of a ciphertext

# What is checked, and what it means to an official.
CHECKS: Final = {
    "announcement": "the election was announced once, by rules that can be",
    "list of voters": "whoever voted is on the list that was announced",
    "signature": "the voter, or the trustee, signed it",
    "time": "it was done while it could be done",
    "one ballot": "who votes again replaces the vote, and only where the rules let that be done",
    "votes": "an open or a shown vote takes as many choices as the rules say",
    "seal": "what was shown is what was sealed",
    "dealing": "a trustee has proved to know what it dealt",
    "answer": "a share that was complained of fits the commitments of its dealer",
    "key": "the key is made of what was dealt without an open complaint",
    "ballot": "a secret ballot proves that it is well formed, and made by this voter for this election",
    "tracker": "a voter finds the ballot under the number that was given",
    "all ballots": "the ballots are those that were accepted, all of them, in their order",
    "sum": "the sum at the close is that of the ballots that count",
    "opening": "a trustee has opened its part of this sum, and of no other, rightly",
    "count": "the counts are what enough trustees opened, or what the votes add up to",
}


class Entry(Plain):
    """An event of the contract in a final block: who signed the transaction, when, and what was announced."""

    sender: str
    height: int
    time_ms: int
    name: str
    data: dict[str, Any]


class Recount(Plain):
    """What an election comes to. Its proofs are bound to `statement`; `key`, once it is made, closes secret ballots.

    `trackers` are of the secret ballots that count, by voter; `voted` are those whose votes count; those in `not_shown`
    sealed a vote and kept it. `counts` are by choice, in their order.
    """

    number: int
    state: str
    states: tuple[str, ...]
    statement: bytes
    key: bytes
    rules: dict[str, Any]
    voters: dict[str, int]
    trackers: dict[str, str]
    voted: tuple[str, ...]
    not_shown: tuple[str, ...]
    sums: Sums
    counts: tuple[int, ...]
    checks: dict[str, int]

    @property
    def result(self) -> dict[str, int]:
        """Return the count of each choice; empty before it is counted."""
        return dict(zip(self.rules["choices"], self.counts, strict=True)) if self.counts else {}

    @property
    def exposed(self) -> list[str]:
        """Name choices of a secret ballot whose count only one group of voters adds up to: it tells who they are.

        All alike, or weights of many kinds: no secrecy helps against that, and what is known besides can tell more.
        Counts above `MAX_LOOKED_AT` are not looked at.
        """
        weights = [self.voters[did] for did in self.trackers]
        looked_at = {choice: count for choice, count in self.result.items() if 0 < count <= MAX_LOOKED_AT and weights}
        return [choice for choice, count in looked_at.items() if is_one_group(weights, count)]

    @property
    def turnout(self) -> tuple[int, int]:
        """Return the weight of those whose votes count, and of all voters."""
        return sum(self.voters[did] for did in self.voted), sum(self.voters.values())

    def told(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        turnout, weight = self.turnout
        return {
            "number": self.number,
            "title": self.rules["title"],
            "state": self.state,
            "states": list(self.states),
            "result": self.result,
            "turnout": turnout,
            "weight": weight,
            "exposed": self.exposed,
            "not_shown": list(self.not_shown),
            "trackers": self.trackers,
        }


def is_one_group(weights: Iterable[int], total: int) -> bool:
    """Tell whether there is exactly one group of these weights that adds up to a total."""
    some, several = 1, 0  # bit n: a group, or more than one, weighs n
    for weight in weights:
        some, several = some | some << weight, several | several << weight | some & some << weight
        some, several = some & (2 << total) - 1, several & (2 << total) - 1
    return bool(some >> total & 1) and not several >> total & 1


def entries(network: Network, contract: str) -> list[Entry]:
    """Return what a contract announced, read block by block."""
    found = []
    for height in range(1, network.height() + 1):
        detail = network.block(height)
        block = detail.final.block
        for raw, receipt in zip(block.txs, detail.receipts, strict=True):
            sender = did_of(open_envelope(raw, len(raw)).body.sender)
            found += announced(contract, sender, receipt, block.header.time_ms)
    return found


def announced(contract: str, sender: str, receipt: Receipt, time_ms: int) -> list[Entry]:
    """Return what a contract announced in one receipt."""
    return [
        Entry(sender, receipt.height, time_ms, event.name, event.data)
        for event in receipt.events
        if event.contract == contract
    ]


def recount(network: Network, number: int, contract: str = "elections") -> Recount:
    """Count an election again from the blocks of a network; raises `ProofError` with the check that fails."""
    return count_again(entries(network, contract), network.genesis.spec.chain_id, contract, number)


def count_again(told: Iterable[Entry], chain_id: str, contract: str, number: int) -> Recount:
    """Count an election again from what was announced; raises `ProofError` with the check that fails."""
    counting = _Counting(chain_id, contract, number)
    for entry in told:
        if entry.data.get("number") == number:
            try:
                counting.hear(entry)
            except (LookupError, TypeError, ValueError, AttributeError, DecodeError) as error:
                raise ProofError(f"{entry.name} at height {entry.height} cannot be read: {error}") from None
    return counting.found()


def opened_counts(sums: Sums, partials: Mapping[int, Sequence[bytes]], most: int) -> list[int | None]:
    """Work out the counts from what trustees opened, by place; None where no count up to `most` fits."""
    factors = interpolate(dict.fromkeys(partials, 0))
    masks = [
        combine([factors[place] for place in partials], [shares[choice] for shares in partials.values()])
        for choice in range(len(sums))
    ]
    return [logarithm(subtract(one[1], mask), most) for one, mask in zip(sums, masks, strict=True)]


class _Counting:
    """An election as it is heard of, event by event: a method for each kind of event, with its values."""

    def __init__(self, chain_id: str, contract: str, number: int) -> None:
        self._chain_id, self._contract, self._number = chain_id, contract, number
        self._checks: Counter[str] = Counter()
        self._states: list[str] = []
        self._told: dict[str, Any] = {}  # the rules, as they were announced
        self._rules: Any = None  # the same, as the contract's functions take them
        self._voters: dict[str, int] = {}
        self._dealt: dict[str, list[bytes]] = {}
        self._agreed_by: set[str] = set()
        self._complaints: set[tuple[str, str]] = set()
        self._commitments: list[bytes] = []
        self._votes: dict[str, list[int]] = {}  # open or shown
        self._seals: dict[str, bytes] = {}
        self._ballots: dict[str, list[tuple[bytes, bytes]]] = {}
        self._trackers: dict[str, str] = {}
        self._roll = b""
        self._partials: dict[int, list[bytes]] = {}
        self._counts: list[int] = []

    def hear(self, entry: Entry) -> None:
        """Check one event, and keep what it says."""
        self._entry = entry
        hear = _HEARD.get(entry.name)
        is_expected = hear is not None and (entry.name == "Announced") != bool(self._told)
        self._check("announcement", is_expected, f"{entry.name} is out of place")
        assert hear is not None
        hear(self, **{name: value for name, value in entry.data.items() if name not in ("number", "state")})

    def found(self) -> Recount:
        if not self._told:
            raise ProofError(f"check 'announcement' fails: no election {self._number} of {self._contract} is told of")
        return Recount(
            number=self._number,
            state=self._states[-1],
            states=tuple(self._states),
            statement=self._statement,
            key=self._key,
            rules=self._told,
            voters=self._voters,
            trackers=self._trackers,
            voted=tuple(sorted({*self._votes, *self._ballots})),
            not_shown=tuple(sorted(self._seals.keys() - self._votes.keys())),
            sums=self._sums(),
            counts=tuple(self._counts),
            checks=dict(sorted(self._checks.items())),
        )

    def _check(self, name: str, holds: bool, words: str) -> None:
        if not holds:
            raise ProofError(f"check '{name}' of election {self._number} fails at height {self._entry.height}: {words}")
        self._checks[name] += 1

    def _check_signed(self, did: str, role: str, among: Iterable[str]) -> None:
        self._check("signature", self._entry.sender == did, f"it is not signed by {did}")
        self._check("list of voters" if role == "voter" else "dealing", did in among, f"{did} is no {role} here")

    def _check_time(self, first: int, last: int, *states: str) -> None:
        now = self._entry.time_ms
        self._check("time", first <= now <= last, f"it was done at {now}, not from {first} to {last}")
        self._check_state(*states)

    def _check_state(self, *states: str) -> None:
        self._check("time", self._states[-1] in states, f"it was done while the election was {self._states[-1]}")

    def _check_becomes(self, state: str) -> None:
        told = self._entry.data["state"]
        self._check("time", told == state, f"the election became {told}, where it should become {state}")
        if state not in self._states[-1:]:
            self._states.append(state)

    # --- the announcement and the key

    def _announced(self, by: str, rules: dict[str, Any], voters: list[dict[str, Any]]) -> None:
        self._told, self._rules = rules, SimpleNamespace(**rules)
        self._voters = {voter["did"]: voter["weight"] for voter in voters}
        self._begun = self._entry.time_ms
        try:
            written.check_rules(self._rules, self._begun)
        except Reverted as error:
            self._check("announcement", False, str(error))
        is_list = len(self._voters) == len(voters) and all(weight > 0 for weight in self._voters.values())
        self._check("announcement", is_list, "the list of voters names somebody twice, or without a weight")
        self._check_becomes(PREPARING if self._rules.secrecy == SECRET else VOTING)
        listed: list[Any] = [SimpleNamespace(**voter) for voter in voters]
        self._statement = written.statement_of(self._chain_id, self._contract, self._number, self._rules, listed)
        self._form = Form(len(self._rules.choices), self._rules.least, self._rules.most)

    @property
    def _key(self) -> bytes:
        return self._commitments[0] if self._commitments else b""

    def _context(self, role: str, did: str) -> bytes:
        return written.context_of(self._statement, role, did)

    def _dealing(self, trustee: str, steps: int) -> None:
        self._check_signed(trustee, "trustee", self._rules.trustees)
        self._check_time(self._begun, self._begun + steps * self._rules.step_ms, PREPARING)

    def _hear_dealt(self, trustee: str, commitments: list[bytes], proofs: list[bytes], shares: list[bytes]) -> None:
        self._dealing(trustee, 1)
        is_whole = len(commitments) == self._rules.threshold and len(shares) == len(self._rules.trustees)
        self._check("dealing", is_whole and trustee not in self._dealt, f"{trustee} has not dealt once and for all")
        context = self._context("trustee", trustee)
        for commitment, proof in zip(commitments, proofs, strict=True):
            is_known = knows(context, [BASE], [commitment], proof)
            self._check("dealing", is_known, f"{trustee} has not proved to know what it dealt")
        self._dealt[trustee] = commitments

    def _agreed(self, trustee: str) -> None:
        self._dealing(trustee, 2)
        self._check("dealing", len(self._dealt) == len(self._rules.trustees), "not all had dealt what was agreed to")
        self._agreed_by.add(trustee)

    def _complained(self, dealer: str, by: str) -> None:
        self._dealing(by, 2)
        self._complaints.add((dealer, by))

    def _answered(self, dealer: str, by: str, share: bytes) -> None:
        self._dealing(dealer, 3)
        place = self._rules.trustees.index(by) + 1
        expected = combine(written.powers(place, self._rules.threshold), self._dealt[dealer])
        self._check("answer", multiply(written.number_of(share)) == expected, f"the share of {dealer} does not fit")
        self._complaints.discard((dealer, by))

    def _key_fixed(self, trustees: list[str], commitments: list[bytes]) -> None:
        self._check_state(PREPARING)
        accused = {dealer for dealer, _ in self._complaints}
        is_agreed = self._agreed_by - accused == set(self._rules.trustees)
        is_over = self._entry.time_ms > self._begun + 3 * self._rules.step_ms
        self._check("time", is_agreed or is_over, "some trustees had not agreed, and had time yet")
        good = [did for did in self._rules.trustees if did in self._dealt and did not in accused]
        self._check("key", good == trustees, "other trustees dealt without an open complaint")
        if len(good) >= self._rules.threshold:
            columns = zip(*(self._dealt[did] for did in good), strict=True)
            self._commitments = [combine([1] * len(good), column) for column in columns]
        self._check("key", self._commitments == commitments, "it is made of something else than what was dealt")
        self._check_becomes(VOTING if commitments else FAILED)

    # --- the votes

    def _voting(self, voter: str, weight: int, secrecy: str, ballot: bytes) -> None:
        self._check_signed(voter, "voter", self._voters)
        self._check_time(self._rules.opens, self._rules.closes, VOTING)
        is_like = self._rules.secrecy == secrecy and self._voters[voter] == weight
        self._check("one ballot", is_like, f"{voter} votes with another weight, or in another way, than was announced")
        is_first = voter not in {**self._ballots, **self._seals, **self._votes}
        self._check("one ballot", is_first or self._rules.may_replace, f"{voter} votes a second time")
        self._roll = written.enrolled(self._roll, voter, written.tracker_of(ballot))

    def _cast(self, voter: str, weight: int, tracker: str, ballot: bytes) -> None:
        self._voting(voter, weight, SECRET, ballot)
        why_not = fault_of(self._form, self._key, self._context("voter", voter), ballot)
        self._check("ballot", why_not == "", why_not)
        self._check("tracker", tracker == written.tracker_of(ballot), "the number is that of another ballot")
        self._ballots[voter] = ciphertexts(self._form, ballot)
        self._trackers[voter] = tracker

    def _check_votes(self, votes: list[int]) -> None:
        try:
            written.check_votes(self._rules, votes)
        except Reverted as error:
            self._check("votes", False, str(error))
        self._check("votes", True, "")

    def _voted(self, voter: str, weight: int, votes: list[int]) -> None:
        self._check_votes(votes)
        self._voting(voter, weight, OPEN, bytes(votes))
        self._votes[voter] = votes

    def _sealed(self, voter: str, weight: int, seal: bytes) -> None:
        self._voting(voter, weight, SEALED, seal)
        self._seals[voter] = seal

    def _revealed(self, voter: str, votes: list[int], salt: bytes) -> None:
        self._check_signed(voter, "voter", self._voters)
        self._check_time(self._rules.closes + 1, self._rules.until, VOTING, REVEALING)
        self._check_votes(votes)
        is_same = written.seal_of(self._statement, voter, votes, salt) == self._seals[voter]
        self._check("seal", is_same, f"{voter} has shown something else than what was sealed")
        self._check_becomes(REVEALING)
        self._votes[voter] = votes

    # --- the close and the count

    def _sums(self) -> Sums:
        columns = [[IDENTITY, IDENTITY] for _ in range(self._form.choices if self._rules.secrecy == SECRET else 0)]
        for voter, pairs in self._ballots.items():
            for column, pair in zip(columns, pairs, strict=True):
                column[:] = [add(column[half], multiply(self._voters[voter], pair[half])) for half in range(2)]
        return columns

    def _closed(self, ballots: int, sums: Sums, roll: bytes, counts: list[int], not_shown: list[str]) -> None:
        cast = len({**self._ballots, **self._seals, **self._votes})
        self._check("all ballots", (ballots, roll) == (cast, self._roll), f"{cast} ballots are told of, not these")
        self._check_state(VOTING, REVEALING)
        is_complete = cast == len(self._voters) and not self._rules.may_replace and not not_shown
        last = self._rules.until if self._rules.secrecy == SEALED else self._rules.closes
        self._check(
            "time", is_complete or self._entry.time_ms > last, f"not all had voted, and there was time to {last}"
        )
        self._check("all ballots", set(not_shown) == self._seals.keys() - self._votes.keys(), "others kept their votes")
        self._check("sum", sums == self._sums(), "the sum is not that of the ballots that count")
        is_void = cast - len(not_shown) < self._rules.fewest
        self._check_becomes(VOID if is_void else CLOSED if self._rules.secrecy == SECRET else COUNTED)
        if self._rules.secrecy != SECRET:
            votes = [(self._voters[did], votes) for did, votes in self._votes.items()]
            self._counts = [sum(weight * one[place] for weight, one in votes) for place in range(self._form.choices)]
            self._check("count", counts == self._counts, "the votes add up to something else")
        if is_void:
            self._counts = []

    def _decrypted(self, trustee: str, shares: list[bytes], proof: bytes) -> None:
        self._check_signed(trustee, "trustee", self._rules.trustees)
        self._check_state(CLOSED)
        place = self._rules.trustees.index(trustee) + 1
        own = combine(written.powers(place, self._rules.threshold), self._commitments)
        bases = [BASE, *(one[0] for one in self._sums())]
        is_right = knows(self._context("trustee", trustee), bases, [own, *shares], proof)
        self._check("opening", is_right, f"{trustee} has opened something else, or wrongly")
        self._partials[place] = shares

    def _counted(self, counts: list[int], places: list[int]) -> None:
        self._check_state(CLOSED)
        enough = len(set(places)) == self._rules.threshold and set(places) <= self._partials.keys()
        self._check("opening", enough, "too few trustees have opened their part")
        opened = {place: self._partials[place] for place in places}
        found = opened_counts(self._sums(), opened, sum(self._voters.values()))
        self._check("count", found == counts, f"the trustees opened {found}, not {counts}")
        self._check_becomes(COUNTED)
        self._counts = counts


_HEARD: Final[dict[str, Callable[..., None]]] = {
    "Announced": _Counting._announced,
    "Dealt": _Counting._hear_dealt,
    "Agreed": _Counting._agreed,
    "Complained": _Counting._complained,
    "Answered": _Counting._answered,
    "KeyFixed": _Counting._key_fixed,
    "Cast": _Counting._cast,
    "Voted": _Counting._voted,
    "Sealed": _Counting._sealed,
    "Revealed": _Counting._revealed,
    "Closed": _Counting._closed,
    "Decrypted": _Counting._decrypted,
    "Counted": _Counting._counted,
}
