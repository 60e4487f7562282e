"""A trustee of secret ballots: deals a key together with the others, and opens its part of the sum of all ballots.

It opens that sum once the ballot is closed, after counting again itself from what the chain has proved, and nothing
else: a single ballot, or the sum of some of them, would tell who voted what. Its secrets follow from its own key and
the election, so there is nothing to keep and nothing to lose; whoever has a trustee's key can do what the trustee can.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minichain.client.network import Network
from minichain.client.receipt import Receipt
from minichain.client.wallet import Wallet
from minichain.codec import Plain
from minichain.crypto import KeyPair, public_of
from minichain.elgamal.group import BASE, ORDER, combine, multiply, pack, scalar_of, unpack
from minichain.elgamal.proofs import prove
from minichain.errors import DecodeError, UsageError
from minichain.scenarios.voting.elections.contract import CLOSED, context_of, number_of, powers
from minichain.scenarios.voting.elections.record import Audited, proven
from minichain.scenarios.voting.elections.recount import Entry, Recount, Sums


class Ceremony(Plain):
    """What the trustees of an election have in common: what their proofs are bound to, who they are, how many open."""

    genesis: bytes
    statement: bytes
    trustees: tuple[str, ...]
    threshold: int

    def place(self, trustee: str) -> int:
        """Return the place of a trustee, from 1: where the polynomials of all have the value that is its share."""
        return self.trustees.index(trustee) + 1


class Dealt(Plain):
    """What a trustee deals, as the contract takes it."""

    commitments: list[bytes]
    proofs: list[bytes]
    shares: list[bytes]


def polynomial(key: KeyPair, ceremony: Ceremony) -> list[int]:
    """Return the secret coefficients of a trustee, lowest power first; the first one is its part of the key."""
    told = (bytes(key.seed), ceremony.genesis, ceremony.statement, list(ceremony.trustees), ceremony.threshold)
    return [scalar_of("polynomial of a trustee", *told, power) for power in range(ceremony.threshold)]


def deal(key: KeyPair, ceremony: Ceremony) -> Dealt:
    """Make what a trustee deals: commitments with proofs, and the value of its polynomial for each, masked."""
    secrets = polynomial(key, ceremony)
    context = context_of(ceremony.statement, "trustee", key.did)
    return Dealt(
        commitments=[multiply(secret) for secret in secrets],
        proofs=[prove(context, secret, [BASE]) for secret in secrets],
        shares=[
            pack(value_at(secrets, ceremony.place(did)) + mask(key, did, ceremony, key.did, did))
            for did in ceremony.trustees
        ],
    )


def value_at(secrets: list[int], place: int) -> int:
    """Return the value of a polynomial at a place."""
    return sum(factor * secret for factor, secret in zip(powers(place, len(secrets)), secrets, strict=True)) % ORDER


def mask(key: KeyPair, other: str, ceremony: Ceremony, dealer: str, receiver: str) -> int:
    """Return the number that hides one share from all but its dealer and its receiver, either of whom works it out.

    The commitments say whether a share is right, so it needs no other protection. Chains may have one name: with one
    mask on both, what was dealt would tell everybody how their keys differ.
    """
    shared = bytes(key.shared_with(public_of(other)))
    return scalar_of("mask of a share", shared, ceremony.genesis, ceremony.statement, dealer, receiver)


def received(key: KeyPair, ceremony: Ceremony, dealer: str, dealt: dict[str, Any]) -> int | None:
    """Return the share that a dealer gave to this trustee; None if it does not fit what the dealer committed to."""
    place = ceremony.place(key.did)
    try:
        (masked,) = unpack(dealt["shares"][place - 1])
    except DecodeError:
        return None
    share = (masked - mask(key, dealer, ceremony, dealer, key.did)) % ORDER
    return share if multiply(share) == combine(powers(place, ceremony.threshold), dealt["commitments"]) else None


def opening(context: bytes, secret: int, sums: Sums) -> tuple[list[bytes], bytes]:
    """Open a trustee's part of a sum, with the proof that it is right."""
    first = [one[0] for one in sums]
    return [multiply(secret, point) for point in first], prove(context, secret, [BASE, *first])


class Trustee:
    """A trustee at work on one election of a network. It believes what the chain has proved, and no node."""

    def __init__(self, network: Network, wallet: Wallet, number: int, contract: str = "elections") -> None:
        if wallet.signing_key:  # the shares are closed for the account's first key, which its name tells everybody
            raise UsageError("the account of this trustee has got another key: name another trustee")
        self._network = network
        self._key = wallet.key
        self._number = number
        self._elections = network.contract(contract, sender=wallet)

    @property
    def ceremony(self) -> Ceremony:
        """Return what this trustee has in common with the others."""
        return self._ceremony(self._proven().recount)

    def _ceremony(self, found: Recount) -> Ceremony:
        trustees = tuple(found.rules["trustees"])
        return Ceremony(self._network.genesis.hash, found.statement, trustees, found.rules["threshold"])

    def deal(self) -> Receipt:
        """Deal shares of a secret of one's own."""
        dealt = deal(self._key, self.ceremony)
        return self._do("deal", commitments=dealt.commitments, proofs=dealt.proofs, shares=dealt.shares)

    def check_shares(self) -> list[str]:
        """Check what was dealt: complain of what is bad, or agree if all have dealt well; return who did badly."""
        audited = self._proven()
        ceremony = self._ceremony(audited.recount)
        shares = self._shares(ceremony, audited.told)
        wrong = [dealer for dealer, share in shares.items() if share is None]
        for dealer in wrong:
            if not self._has_complained(dealer, audited.told):
                self._do("complain", dealer=dealer)
        if not wrong and len(shares) == len(ceremony.trustees):
            self._do("agree")
        return wrong

    def _has_complained(self, dealer: str, told: Sequence[Entry]) -> bool:
        said = [entry.data for entry in told if entry.name == "Complained"]
        return {"number": self._number, "dealer": dealer, "by": self._key.did} in said

    def answer(self) -> list[str]:
        """Show the shares that were complained of, by what is proven: a node that lied could learn all of them.

        Return who complained.
        """
        audited = self._proven()
        ceremony, waiting = self._ceremony(audited.recount), list[str]()
        for entry in audited.told:
            if entry.data.get("dealer") == self._key.did:
                change = waiting.append if entry.name == "Complained" else waiting.remove
                change(entry.data["by"])
        for did in waiting:
            self._do("answer", by=did, share=pack(value_at(polynomial(self._key, ceremony), ceremony.place(did))))
        return waiting

    def open(self) -> Receipt:
        """Open one's part of the sum of all ballots, and hand it to the contract."""
        shares, proof = self.part_of(self._elections.election(number=self._number)["sums"])
        return self._do("decrypt", shares=shares, proof=proof)

    def part_of(self, sums: Sums) -> tuple[list[bytes], bytes]:
        """Open one's part of this sum, if it is that of all ballots which the chain had accepted at the close.

        Raises `UsageError` for any other sum, which would tell how single members voted, and `ProofError` if what the
        chain tells of the election does not hold.
        """
        audited = self._proven()
        found = audited.recount
        if found.state != CLOSED:
            raise UsageError(f"the ballot is {found.state}: its trustees open the sum once it is closed, and only then")
        if sums != found.sums:
            raise UsageError(
                f"the trustees open one sum only, that of all {len(found.trackers)} ballots which the chain accepted: "
                "this is another one, and a part of the ballots would tell how single members voted"
            )
        context = context_of(found.statement, "trustee", self._key.did)
        return opening(context, self._secret(self._ceremony(found), audited.told), sums)

    def _proven(self) -> Audited:
        return proven(self._network, self._number, self._elections.name)

    def _secret(self, ceremony: Ceremony, told: Sequence[Entry]) -> int:
        """Return this trustee's share of the secret behind the key: the sum of those that good dealers gave it."""
        good = next(entry.data["trustees"] for entry in told if entry.name == "KeyFixed")
        total, shares = 0, self._shares(ceremony, told)
        for dealer in good:
            share = shares[dealer]
            if share is None:
                raise UsageError(f"the share of {dealer} does not fit, which was not said in time: leave it to others")
            total += share
        return total % ORDER

    def _shares(self, ceremony: Ceremony, told: Sequence[Entry]) -> dict[str, int | None]:
        """Return the share of each dealer for this trustee: as it was dealt, or shown after a complaint; None: bad."""
        shares = {
            entry.data["trustee"]: received(self._key, ceremony, entry.data["trustee"], entry.data)
            for entry in told
            if entry.name == "Dealt"
        }
        for entry in told:
            if entry.name == "Answered" and entry.data["by"] == self._key.did:
                shares[entry.data["dealer"]] = number_of(entry.data["share"]) % ORDER
        return shares

    def _do(self, action: str, **arguments: Any) -> Receipt:
        done: Receipt = getattr(self._elections, action)(number=self._number, **arguments)
        return done
