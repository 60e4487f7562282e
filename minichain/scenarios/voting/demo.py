"""An alliance of four decides in secret whether a fifth validator is admitted; then the fifth really signs blocks.

A trustee is missing when the sum is opened, and a validator dies while the members vote: neither is waited for. With
that one dead and the fifth admitted, every block needs the fifth's signature, so each one that is made shows it.

The chain uses the logical clock, one thing is done after the other, and every key follows from the seed, so all
receipts are the same in both worlds. The chance in the ballots follows from the network's secret too: that is for this
demonstration only, since whoever knows the secret could read them; a voter's device draws its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from minichain.client.network import Network
from minichain.client.receipt import Receipt
from minichain.client.wallet import Wallet
from minichain.contracts.proxy import DeployedContract, require_ok
from minichain.crypto import digest
from minichain.errors import UsageError
from minichain.ledger.genesis import Timeouts
from minichain.scenarios.demo import VALIDATORS, VICTIM, Tell
from minichain.scenarios.voting import alliance
from minichain.scenarios.voting.alliance import Told, asked
from minichain.scenarios.voting.elections.booth import Booth
from minichain.scenarios.voting.elections.contract import Elections
from minichain.scenarios.voting.elections.record import audit, take
from minichain.scenarios.voting.elections.recount import opened_counts, recount
from minichain.scenarios.voting.elections.trustees import Trustee

CONTRACT: Final = "elections"
CLERK: Final = "node-1"  # the member who announces, closes and puts the counts down; anybody might
NEWCOMER: Final = "node-4"
TRUSTEES: Final = ("auditor", "chamber", "university")
MISSING: Final = "chamber"  # does not come when the sum is opened; two of the three are enough
CHOICES: Final = ("yes", "no", "abstain")
VOTES: Final = {"node-0": "yes", "node-1": "yes", "node-2": "no", "node-3": "yes"}
BALLOT: Final = 1
HOUR_MS: Final = 3_600_000
TIMEOUTS: Final = Timeouts(propose=500, prevote=250, precommit=250)  # whoever is dead is not waited for long
BLOCKS: Final = 3  # made after the admission, to see who signs


def run(world: str, seed: int, record: Path, tell: Tell) -> dict[str, Any]:
    """Carry the decision from the ballot to the new member; `world` is "live" or "sim", `seed` fixes every key.

    Returns what happened, for JSON. The record of the election is written to `record`, for `minichain verify`.
    """
    makers: dict[str, Callable[..., Network]] = {"live": Network.local, "sim": Network.simulated}
    if world not in makers:
        raise UsageError(f"there is no world {world!r}: choose live or sim")
    tell(f"starting {VALIDATORS} validators")
    settings = {**alliance.SETTINGS, "timeouts": TIMEOUTS, "chain_id": "voting-demo"}
    with makers[world](VALIDATORS, seed=seed, **settings) as net:
        return _Story(net, tell).play(record)


class _Story:
    """What is done, one thing after the other."""

    def __init__(self, net: Network, tell: Tell) -> None:
        self._net = net
        self._tell = tell

    def play(self, record: Path) -> dict[str, Any]:
        net, members = self._net, list(VOTES)
        self._follow(alliance.found(net, members))
        self._announce()
        self._make_key()
        self._vote()
        counts = self._count()
        self._tell("counting again, from the receipts in the blocks")
        again = recount(net, BALLOT)
        assert list(again.counts) == counts
        record.write_bytes(take(net, BALLOT).to_bytes())
        self._admit(members)
        signed = self._signed_by_newcomer()
        self._tell(f"starting {VICTIM} again")
        net.restart(VICTIM)
        net.wait_for_height(net.height())
        return self._report(record, signed)

    def _follow(self, told: Told) -> None:
        for step, receipt in told:
            self._tell(f"{step.role}: {step.sentence}")
            require_ok(receipt, f"{step.contract}.{step.action}")

    # --- the ballot

    def _announce(self) -> None:
        net = self._net
        self._tell("announcing a secret ballot")
        elections = net.deploy(Elections, sender=alliance.member(net, CLERK), name=CONTRACT, authority="")
        trustees = [net.wallet(name).did for name in TRUSTEES]
        head = net.head()
        assert head is not None
        rules = {
            "title": f"Shall {NEWCOMER} become a validator?",
            "text": digest("wording", b"It keeps the record of one more district.").hex(),
            "choices": list(CHOICES),
            "least": 1,
            "most": 1,
            "secrecy": "secret",
            "opens": head.time_ms + 1_000,
            "closes": head.time_ms + HOUR_MS,
            "fewest": 3,
            "trustees": trustees,
            "threshold": 2,
            "step_ms": HOUR_MS // 6,
        }
        voters = [{"did": alliance.member(net, name).did, "weight": 1} for name in VOTES]
        elections.announce(rules=rules, voters=voters)

    @property
    def _elections(self) -> DeployedContract[Wallet, Receipt]:
        return self._net.contract(CONTRACT, sender=alliance.member(self._net, CLERK))

    def _trustees(self) -> Iterator[tuple[str, Trustee]]:
        for name in TRUSTEES:
            yield name, Trustee(self._net, self._net.wallet(name), BALLOT)

    def _make_key(self) -> None:
        for name, trustee in self._trustees():
            self._tell(f"{name}: deals shares of its part of the key")
            trustee.deal()
        for name, trustee in self._trustees():
            self._tell(f"{name}: checks its shares")
            trustee.check_shares()
        self._elections.fix_key(number=BALLOT)

    def _vote(self) -> None:
        for place, (name, choice) in enumerate(VOTES.items()):
            if place == len(VOTES) // 2:
                self._tell(f"killing {VICTIM}")
                self._net.crash(VICTIM)
            self._tell(f"{name}: casts a ballot that nobody can read")
            booth = Booth(self._net, alliance.member(self._net, name), BALLOT, chance=self._chance_of(name))
            booth.prepare([int(choice == one) for one in CHOICES])
            booth.cast()

    def _chance_of(self, name: str) -> Callable[[int], bytes]:
        return lambda size: digest("ballot of a demonstration", self._net.world.root + name.encode())[:size]

    def _count(self) -> list[int | None]:
        elections = self._elections
        elections.close(number=BALLOT)
        for name, trustee in self._trustees():
            if name != MISSING:
                self._tell(f"{name}: opens its part of the sum of all ballots")
                trustee.open()
        election = elections.election(number=BALLOT)
        parts = {place: elections.opened(number=BALLOT, place=place) for place in election["decrypted"]}
        counts = opened_counts(election["sums"], parts, election["weight"])
        self._tell(f"the count: {dict(zip(CHOICES, counts, strict=True))}")
        elections.tally(number=BALLOT, counts=counts)
        return counts

    # --- the member

    def _admit(self, members: list[str]) -> None:
        """Decide by the body's own rules; the decision begins with the demand that the ballot was for it."""
        share = {"number": BALLOT, "choice": "yes", "among": ["yes", "no"], "part": 1, "whole": 2}
        demand = asked(CONTRACT, "require_share", **share)
        self._tell(f"{NEWCOMER} begins to follow the chain")
        self._follow(alliance.admit(self._net, NEWCOMER, dict.fromkeys(members, "yes"), [demand]))

    def _signed_by_newcomer(self) -> list[int]:
        first = self._net.height() + 1
        self._tell(f"{VICTIM} is dead: without {NEWCOMER} there would be no more blocks")
        alliance.pass_blocks(self._net, BLOCKS)
        heights = range(first, first + BLOCKS)
        return [height for height in heights if NEWCOMER in alliance.signers(self._net, height)]

    # --- what came of it

    def _report(self, record: Path, signed: list[int]) -> dict[str, Any]:
        net = self._net
        found = audit(take(net, BALLOT), net.genesis.hash)
        receipts = [receipt for height in range(1, net.height() + 1) for receipt in net.block(height).receipts]
        told = [event.data["state"] for receipt in receipts for event in receipt.events if "state" in event.data]
        return {
            "states": [state for state, _ in groupby(told)],
            "receipts": [
                {"tx_id": receipt.tx_id.hex(), **Receipt(net.client, receipt).comparable()} for receipt in receipts
            ],
            "state_roots": {report.name: report.state_root for report in net.status()},
            "result": found.recount.result,
            "turnout": list(found.recount.turnout),
            "missing_trustee": MISSING,
            "recount": found.checks,
            "members": [member.name for member in net.members()],
            "signed_by_newcomer": signed,
            "record": str(record),
            "genesis": net.genesis.hash.hex(),
        }
