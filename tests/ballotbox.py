"""A small body that votes in a sandbox: its voters, its trustees, and what each of them does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minichain.contracts.sandbox import Outcome, Sandbox
from minichain.crypto import KeyPair, digest
from minichain.elgamal.ballots import Form, close
from minichain.scenarios.voting.elections.contract import Elections, context_of
from minichain.scenarios.voting.elections.recount import Entry, Recount, count_again, opened_counts
from minichain.scenarios.voting.elections.trustees import Ceremony, Dealt, deal, opening, received

CHOICES = ["yes", "no", "abstain"]
WORDING = "5d" * 32  # the SHA-256 of a text, made up
VOTERS = {"Port": 3, "Railway": 2, "Street office A": 1, "Street office B": 1}
TRUSTEES = ("Auditor", "Chamber of commerce", "University")
STEP_MS, OPENS_MS, CLOSES_MS, UNTIL_MS = 1_000, 2_000, 100_000, 200_000
GENESIS = bytes(32)


class BallotBox:
    """One sandbox with the contract, one election in it (the newest), and everybody's keys."""

    def __init__(self) -> None:
        self.sandbox = Sandbox()
        self.keys = {name: KeyPair.derive(bytes(32), name) for name in (*VOTERS, *TRUSTEES, "Clerk", "Stranger")}
        self.elections = self.sandbox.deploy(Elections, sender=self.did("Clerk"), name="elections")
        self.told: list[Entry] = []
        self.number = 0

    def did(self, name: str) -> str:
        return self.keys[name].did

    def do(self, name: str, action: str, **arguments: Any) -> Outcome:
        """Let somebody act in the newest election; a refusal is in the outcome."""
        outcome = self.elections.with_sender(self.did(name)).attempt(action, number=self.number, **arguments)
        self._hear(name, outcome)
        return outcome

    def _hear(self, name: str, outcome: Outcome) -> None:
        now, height = self.sandbox.now_ms, self.sandbox.height
        self.told += [Entry(self.did(name), height, now, event.name, event.data) for event in outcome.events]
        self.sandbox.advance(blocks=1)

    def rules(self, secrecy: str = "secret", **changed: Any) -> dict[str, Any]:
        now = self.sandbox.now_ms
        rules: dict[str, Any] = {
            "title": "Admit the water board",
            "text": WORDING,
            "choices": CHOICES,
            "least": 1,
            "most": 1,
            "secrecy": secrecy,
            "opens": now + OPENS_MS,
            "closes": now + CLOSES_MS,
        }
        if secrecy == "sealed":
            rules["until"] = now + UNTIL_MS
        if secrecy == "secret":
            rules |= {
                "fewest": 2,
                "trustees": [self.did(name) for name in TRUSTEES],
                "threshold": 2,
                "step_ms": STEP_MS,
            }
        return rules | changed

    def announce(self, secrecy: str = "secret", voters: dict[str, int] = VOTERS, **changed: Any) -> Outcome:
        listed = [{"did": self.did(name), "weight": weight} for name, weight in voters.items()]
        outcome = self.elections.attempt("announce", rules=self.rules(secrecy, **changed), voters=listed)
        if outcome.ok:
            self.number = outcome.result
        self._hear("Clerk", outcome)
        return outcome

    @property
    def election(self) -> dict[str, Any]:
        found: dict[str, Any] = self.elections.election(number=self.number)
        return found

    def wait(self, ms: int) -> None:
        """Let so much time pass, and a little more."""
        self.sandbox.advance(ms=ms + 1)

    # --- trustees

    @property
    def ceremony(self) -> Ceremony:
        rules = self.election["rules"]
        return Ceremony(GENESIS, self.election["statement"], tuple(rules["trustees"]), rules["threshold"])

    def dealt_by(self, name: str) -> Dealt:
        return deal(self.keys[name], self.ceremony)

    def deal(self, name: str, dealt: Dealt | None = None, **changed: Any) -> Outcome:
        dealt = dealt or self.dealt_by(name)
        arguments = {"commitments": dealt.commitments, "proofs": dealt.proofs, "shares": dealt.shares}
        return self.do(name, "deal", **{**arguments, **changed})

    def share(self, name: str, dealer: str) -> int | None:
        """Return the share that a dealer gave to a trustee; None if it does not fit."""
        dealt = self.elections.dealing(number=self.number, trustee=self.did(dealer))
        return received(self.keys[name], self.ceremony, self.did(dealer), dealt)

    def make_key(self) -> None:
        """Let all trustees deal and agree, and wait until voting opens."""
        for name in TRUSTEES:
            assert self.deal(name).ok
        for name in TRUSTEES:
            assert self.do(name, "agree").ok
        assert self.do("Clerk", "fix_key").ok
        self.wait(OPENS_MS)

    def part(
        self,
        name: str,
        sums: Sequence[Any] | None = None,
        secret: int | None = None,
        dealers: Sequence[str] = TRUSTEES,
    ) -> dict[str, Any]:
        """Return what a trustee hands in: its part of the sum, or of another one, or opened by another secret."""
        shares = [self.share(name, dealer) for dealer in dealers] if secret is None else []
        own = sum(share for share in shares if share is not None) if secret is None else secret
        context = context_of(self.election["statement"], "trustee", self.did(name))
        opened, proof = opening(context, own, list(sums or self.election["sums"]))
        return {"shares": opened, "proof": proof}

    # --- voters

    def ballot(self, name: str, votes: Sequence[int], seed: str = "", number: int = 0) -> bytes:
        election = self.elections.election(number=number or self.number)
        rules = election["rules"]
        form = Form(len(rules["choices"]), rules["least"], rules["most"])
        context = context_of(election["statement"], "voter", self.did(name))
        return close(form, election["key"], context, votes, digest("seed", f"{name} {seed}".encode()))

    def cast(self, name: str, votes: Sequence[int], seed: str = "") -> Outcome:
        return self.do(name, "cast", ballot=self.ballot(name, votes, seed))

    def vote_all(self) -> None:
        for name, votes in zip(VOTERS, ([1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]), strict=True):
            assert self.cast(name, votes).ok

    # --- the count

    def counts(self) -> list[int | None]:
        election = self.election
        places = election["decrypted"][: election["rules"]["threshold"]]
        parts = {place: self.elections.opened(number=self.number, place=place) for place in places}
        return opened_counts(election["sums"], parts, election["weight"])

    def again(self, told: list[Entry] | None = None) -> Recount:
        """Count again from what was announced."""
        return count_again(self.told if told is None else told, "sandbox", "elections", self.number)
