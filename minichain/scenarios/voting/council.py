"""A council of institutions on a running network: who is in it, what it decides on, and how everybody reaches it.

Its members are roles, as in every example. They decide in a contract (`contracts/system/governance.py`) that keeps its
own list of members and its rule pack; what they have agreed on stands in another one, which only their decision
changes; secret and sealed ballots are held in a third.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from minichain.client.network import Network
from minichain.client.receipt import Receipt
from minichain.client.rehearsing import answers, own_change, rehearsed
from minichain.client.wallet import Wallet
from minichain.contracts.rehearsal import Rehearsal
from minichain.contracts.rulebook import out_of_reach
from minichain.contracts.system import GOVERNANCE
from minichain.errors import UsageError
from minichain.ledger.types import Call
from minichain.scenarios.voting import coalitions, power, rulebook
from minichain.scenarios.voting.elections.contract import Elections
from minichain.scenarios.voting.minutes import Counted, Minutes, audit, take
from minichain.scenarios.voting.polls import POLLS, Polls
from minichain.scenarios.voting.rulebook import Decision, Electorate, Pack
from minichain.scenarios.voting.terms import Terms

Tell = Callable[[str], None]
Asked = dict[str, Any]  # a call as it is proposed

HOUSE: Final = "council"  # the contract that decides
TERMS: Final = "council-terms"
CONTRACTS: Final = frozenset({HOUSE, TERMS, POLLS})
OWN_RULES: Final = "council"

# name -> weight, seat, population in thousands: the weights are those of the Council of the EEC of 1958.
MEMBERS: Final = {
    "Environment bureau": (4, "regulators", 140),
    "Street office A": (4, "regulators", 80),
    "Street office B": (4, "regulators", 60),
    "Incineration plant": (2, "operators", 140),
    "Transfer station": (2, "operators", 140),
    "Composting plant": (1, "operators", 60),
}
CANDIDATES: Final = {"Recycling company": (2, "operators", 40), "Street office C": (3, "regulators", 50)}
TRUSTEES: Final = ("Auditor", "University", "Notary office")
FIGURES: Final = {"collection fee, yuan per tonne": 60, "days to object": 5, "weighing tolerance, per cent": 10}

UNITS: Final = 100  # that each member begins with, for deposits
SPANS: Final = {"clock": "ms", "delay": 0, "voting": 900_000, "timelock": 15_000, "grace": 604_800_000}


def rules(name: str = OWN_RULES) -> Pack:
    """Return a rule pack with the short times of a meeting."""
    if name == OWN_RULES:
        return rulebook.read(Path(__file__).with_name("council.toml").read_text(encoding="utf-8"))
    return rulebook.pack(name, **SPANS)


def names_of_rules() -> tuple[str, ...]:
    """Name every rule pack that the members may choose."""
    return (OWN_RULES, *rulebook.PACKS)


class Council:
    """The council on one network. Whoever has the keys of its members, as here, can act as each of them."""

    house, terms_at, polls_at, own_rules = HOUSE, TERMS, POLLS, OWN_RULES
    members, candidates, trustees = tuple(MEMBERS), CANDIDATES, TRUSTEES
    rules, names_of_rules = staticmethod(rules), staticmethod(names_of_rules)

    def __init__(self, net: Network, clock: Callable[[], int] | None = None) -> None:
        self.net = net
        self.clock = clock or self.now_ms  # of whoever looks: votes end by time, and no block has to say so
        names = (*MEMBERS, *CANDIDATES, *TRUSTEES)
        self.wallets = {name: Wallet.derive(net.world.root, name) for name in names}
        self.names = {wallet.did: name for name, wallet in self.wallets.items()}
        self.polls = Polls(net, self.wallets, TRUSTEES, self.clock)

    @classmethod
    def at_home(cls) -> Council:
        """Return the council on the network that `minichain up` runs, founded or not."""
        net = Network.attach()
        return cls(net, lambda: time.time_ns() // 1_000_000)

    def now_ms(self) -> int:
        """Return the time of the last block."""
        head = self.net.head()
        return head.time_ms if head else self.net.genesis.spec.genesis_time_ms

    def close(self) -> None:
        """Leave the network."""
        self.net.close()

    # --- founding

    def is_founded(self) -> bool:
        """Tell whether its contracts are on the chain."""
        return {name for name, _, _ in self.net.contracts()} >= CONTRACTS

    def found(self, tell: Tell = lambda _words: None) -> None:
        """Put its contracts on the chain that are not there yet. Nobody can change the one that decides."""
        known = {name for name, _, _ in self.net.contracts()}
        self.net.open(self.wallets.values(), UNITS)
        first = self.wallets[self.members[0]]
        tell("The rules of the vote go on the ledger.")
        if HOUSE not in known:
            setup = {"members": [self.row(name) for name in MEMBERS], "pack": rules()}
            self.net.deploy(GOVERNANCE, sender=first, name=HOUSE, setup=setup, authority="")
        tell("What the members have agreed on goes on the ledger, and the vote alone may change it.")
        if TERMS not in known:
            setup = {"house": HOUSE, "figures": dict(FIGURES)}
            self.net.deploy(Terms, sender=first, name=TERMS, setup=setup, authority=HOUSE)
        if POLLS not in known:
            # By somebody else: two large contracts are most of what one account may send in a while.
            self.net.deploy(Elections, sender=self.wallets[self.members[1]], name=POLLS, authority="")

    def play(self, tell: Tell = lambda _words: None) -> None:
        """Found the council, and make a first proposal on which some have voted."""
        self.found(tell)
        if self.net.view(HOUSE, "count_proposals", {}):
            return
        tell("A street office proposes to lower the collection fee, and two members vote.")
        reason = "The new sorting line takes a quarter less time for each tonne."
        fee = next(iter(FIGURES))
        self.propose("Street office A", "Lower the collection fee", reason, [self.term(fee, 45)])
        for name, choice in (("Street office A", "yes"), ("Incineration plant", "no")):
            self.act(name, "vote", number=1, choice=choice)

    def row(self, name: str) -> list[Any]:
        """Write a member, or a candidate, as the contract has it."""
        weight, seat, population = {**MEMBERS, **CANDIDATES}[name]
        return [name, self.wallets[name].did, weight, seat, population]

    # --- acting

    def act(self, who: str, action: str, **arguments: Any) -> Receipt:
        """Let a member act in the contract that decides; raises `CallFailed` if it refuses."""
        return self._sign(who, Call(HOUSE, action, arguments))

    def propose(self, who: str, title: str, reason: str, calls: Sequence[Asked]) -> Receipt:
        """Propose a decision, with the deposit that the rules ask for."""
        propose = Call(HOUSE, "propose", {"title": title, "reason": reason, "calls": list(calls)})
        deposit = self.net.view(HOUSE, "rules", {})["deposit"]
        pledges = [Call("ledger", "pledge", {"to": HOUSE, "amount": deposit})] if deposit else []
        return self._sign(who, *pledges, propose)

    def _sign(self, who: str, *calls: Call) -> Receipt:
        if who not in self.wallets:
            raise UsageError(f"there is no {who!r} here")
        return self.net.send(self.wallets[who], calls)

    # --- what can be proposed

    @staticmethod
    def term(name: str, figure: int) -> Asked:
        """Write the call that changes a term."""
        return _asked(TERMS, "set_term", name=name, figure=figure)

    @staticmethod
    def freeze(is_frozen: bool) -> Asked:
        """Write the call that freezes the terms, or ends the freeze."""
        return _asked("ledger", "freeze" if is_frozen else "unfreeze", name=TERMS)

    @staticmethod
    def membership(members: Sequence[Sequence[Any]]) -> Asked:
        """Write the call by which these become the members."""
        return _asked(HOUSE, "set_members", members=[list(row) for row in members])

    @staticmethod
    def other_rules(name: str) -> Asked:
        """Write the call that changes the rules of the vote."""
        return _asked(HOUSE, "set_pack", pack=rules(name))

    def removal(self, name: str) -> Asked:
        """Write the call that removes a member."""
        return self.membership([row for row in self.net.view(HOUSE, "members", {}) if row[0] != name])

    def try_out(self, calls: Sequence[Asked]) -> Rehearsal:
        """Tell what calls would change if they were carried out now; nothing is sent."""
        call = calls[0]
        if call["contract"] != HOUSE:
            return rehearsed(self.net, HOUSE, calls, self.wallets[self.members[0]].did)
        members, pack = answers(self.net, HOUSE, "members", "rules")
        after = {"members": members, "pack": pack, **call["arguments"]}
        lack = out_of_reach(after["pack"], [[*[*row, "", 0][:5], ""] for row in after["members"]])
        return Rehearsal(lack, (), (), 0) if lack else own_change(self.net, HOUSE, call)

    def stored(self, key: bytes) -> bytes:
        """Return a stored value, proven; b"" if there is none."""
        return self.net.proven(key).value or b""

    # --- counting

    def minutes(self, number: int) -> Minutes:
        """Collect the minutes of a proposal."""
        return take(self.net, number, HOUSE)

    def audited(self, taken: Minutes) -> Counted:
        """Count minutes again, believing this chain and no node of it."""
        return audit(taken, self.net.genesis.hash)

    @staticmethod
    def compare(electorate: Electorate, ballots: Mapping[str, str], recused: Sequence[str] = ()) -> list[Decision]:
        """Put the same ballots under every rule pack."""
        packs = [rules(name) for name in names_of_rules()]
        return [rulebook.decide(pack, electorate, ballots, recused) for pack in packs]

    @staticmethod
    def power(pack: Pack, electorate: Electorate) -> power.Power:
        """Measure who can decide what; raises `UsageError` if these members could never decide by this pack."""
        return power.measure(coalitions.game_of(pack, electorate))


def _asked(contract: str, action: str, /, **arguments: Any) -> Asked:
    return {"contract": contract, "action": action, "arguments": arguments}
