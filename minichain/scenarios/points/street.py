"""A street with contribution points on a running network: roles that sign, and beside the chain what they wrote.

The storage stands for several computers: the residents' keys, the desk's consents, the offices' papers. What is on the
chain is a commitment to each. Whoever withdraws has all of it destroyed, with the key of the account.

A day of the scheme's clocks lasts half a minute here, so that one can watch it pass.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, Final

from minichain.client.exposure import exposed
from minichain.client.network import Network
from minichain.client.receipt import Receipt
from minichain.client.wallet import Wallet
from minichain.codec import Plain
from minichain.identity.traces import Trace
from minichain.identity.vault import pairwise
from minichain.ledger.types import Call
from minichain.live.drawer import Drawer
from minichain.live.home import Home
from minichain.scenarios import demo
from minichain.scenarios.points.acting import Acts, Deed
from minichain.scenarios.points.consents import PURPOSE, Consents
from minichain.scenarios.points.drops import WEIGHING, Drops, code_of, loads_of, weighings
from minichain.scenarios.points.figures import OPEN, Ask, Audit, Line, Moment, asker, audit, lines, moments, pages
from minichain.scenarios.points.gifts import Gifts, causes, gifts_of, opening
from minichain.scenarios.points.presets import DAY_MS, Preset, item_of, preset, rules_of, scheme_of
from minichain.scenarios.points.story import (
    ACCOUNTS,
    APPEALS,
    ASSISTED,
    AUTHORITIES,
    CASES,
    CATALOGUE,
    CHAIR,
    CONTRACTS,
    DESK,
    ELDER,
    INTAKE,
    LEDGER,
    MEMBER,
    OWNER,
    PANEL,
    PROVIDER,
    RECORDER,
    REDEMPTION,
    RESIDENT,
    RESIDENTS,
    REVIEWER,
    SECOND,
    TASKS,
    TREASURER,
    VERIFIER,
    arguments,
)
from minichain.scenarios.residents.people import PEOPLE, personal_values
from minichain.scenarios.waste.story import CUSTODY

PRESET: Final = "training"
SHORT_DAY_MS: Final = 36_000
CLOCKS: Final = ("objection_ms", "review_ms", "appeal_ms", "panel_ms", "order_ms")
# What the offices and residents of the example wrote; it stays outside, so it is in no catalogue.
CONSENT: Final = "I take part of my own will, and may leave at any time."
HELP: Final = ("service-hour", 60, "Sheet of hours 12, signed by who was helped: one hour at the community kitchen.")
LONG_HELP: Final = ("service-hour", 240, "Sheet of hours 13: four hours of reading to a neighbour.")
SHORT_HELP: Final = ("service-hour", 60, "Sheet of hours 14: one hour of shopping for a neighbour.")
MIXED: Final = ("mixed-waste", 1, "Second finding after a warning: kitchen waste and glass in one bag, bin 4.")
DECISION: Final = "Decision under article 12 of the ordinance: ten points, after a warning on the first finding."
CORRECTED: Final = "The sheet says two hours: the clerk misread it. The entry is put right."
STANDS: Final = "The photograph shows the bag with the account's own label."
SLIP: Final = "Delivery slip 31: nobody was at home to sign for it."
HANDED_OVER: Final = "Delivery slip 32: handed over at the neighbourhood office."
DROPPED: Final = 4_200  # grams of kitchen waste
CAUSE: Final = ("shopping-bag", 2)  # what points may be given for from the beginning, and how often
OFFERED: Final = {RESIDENT: "bag-carrying", ELDER: "window-cleaning"}

BEFORE_MS: Final = 5_000  # that rules are adopted before they begin
SKEW_MS: Final = 1_000  # by which clocks of validators may differ
NONCE_BYTES: Final = 16
GAS_OF_A_DEED, MOST_GAS = 2_000_000, 10_000_000  # a limit is taken out of the quota of a window: no more than needed
KEYS: Final = "keys/"  # the place of what residents' keys are drawn from
MONEY: Final = 100_000  # fen in the pool
OFFICES: Final = tuple(dict.fromkeys([*AUTHORITIES.values(), *(role for role, _ in TASKS), APPEALS, *PANEL, *WEIGHING]))

# What is told while a street opens; each is its own message id for translation.
SAID: Final = (
    "The rules go on the ledger, and everybody gets a task.",
    "Two residents take part, one of them through the desk.",
    "The street office records, another office verifies, the residents are told.",
    "The desk objects for a resident, and a reviewer decides.",
)


class Looked(Plain):
    """What one look at a street showed: what its contracts hold, and how a resident or an auditor reads it.

    `lines`, `balances`, `offers`, `gifts` and `accounts` are by resident, those who take part; `timelines` by the
    number of an entry, and so `closes`, until when it may be objected to or appealed against, as at `stands["at"]`;
    from `stands["from"]` on that moves on with the time. `loads` are those that `drops` travel in, by number; `papers`
    are what stands beside the chain, by commitment, and `kept` counts them.
    """

    scheme: Mapping[str, Any]
    rules: tuple[Mapping[str, Any], ...]
    entries: tuple[Mapping[str, Any], ...]
    cases: tuple[Mapping[str, Any], ...]
    orders: tuple[Mapping[str, Any], ...]
    items: tuple[Mapping[str, Any], ...]
    accounts: Mapping[str, Mapping[str, Any]]
    balances: Mapping[str, int]
    lines: Mapping[str, Sequence[Line]]
    timelines: Mapping[int, Sequence[Moment]]
    closes: Mapping[int, int]
    stands: Mapping[str, int]
    causes: tuple[Mapping[str, Any], ...]
    gifts: Mapping[str, Sequence[Mapping[str, Any]]]
    offers: Mapping[str, Sequence[Mapping[str, Any]]]
    drops: tuple[Mapping[str, Any], ...]
    loads: Mapping[str, Mapping[str, Any]]
    asked: tuple[Mapping[str, Any], ...]
    audit: Audit
    papers: Mapping[str, str]
    kept: int


class Street(Acts, Drops, Gifts):
    """A network with the contracts of this case, and its roles.

    `clock` gives seconds; a chain without empty blocks has an older time. In a simulation its own time is enough.
    """

    scheme = PRESET
    services = ("window-cleaning", "bag-carrying", "hot-meals")
    residents = RESIDENTS
    clerks = (RECORDER, VERIFIER)
    verifiers = (VERIFIER, SECOND, RECORDER)
    judges = (REVIEWER, *PANEL, RECORDER)
    arbiters = (REVIEWER, PROVIDER)
    appeals, treasury, provider = APPEALS, TREASURER, PROVIDER
    slip, handed_over, day_ms = SLIP, HANDED_OVER, SHORT_DAY_MS

    def __init__(
        self,
        net: Network,
        storage: MutableMapping[str, bytes],
        random: Callable[[int], bytes],
        clock: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.net, self._storage, self._random, self._clock = net, storage, random, clock
        self._papers = Consents(storage, random)
        self._offices = {name: Wallet.derive(net.world.root, name) for name in OFFICES}

    def close(self) -> None:
        """Leave the network."""
        self.net.close()

    # --- who is who

    def wallet(self, role: str) -> Wallet:
        """Return the wallet of a role; a resident's key is for this scheme alone, and another one after withdrawing."""
        if role in self._offices:
            return self._offices[role]
        nonce = self._storage.get(_key_of(role), b"")
        root = Wallet.derive(self.net.world.root, role).key
        return Wallet(role, pairwise(root, self._offices[OWNER].did, PURPOSE, nonce))

    def did(self, role: str) -> str:
        """Return the account of a role."""
        return self.wallet(role).did

    def signer(self, resident: str) -> str:
        """Return the role that signs for a resident: the desk, for who has no device."""
        return ASSISTED if resident == ELDER else resident

    def names(self) -> dict[str, str]:
        """Return the roles by did, as they are now: who has withdrawn is in it no more."""
        return {self.did(role): role for role in (*OFFICES, *RESIDENTS)}

    # --- what they do

    def do(self, role: str, *deeds: Deed) -> Receipt:
        """Sign and send, in one transaction."""
        most = min(GAS_OF_A_DEED * len(deeds), MOST_GAS)
        return self.net.send(self.wallet(role), [self._call(deed) for deed in deeds], gas_limit=most)

    def _call(self, deed: Deed) -> Call:
        filed = {name: self._papers.keep({"of": deed.of, "text": text}) for name, text in deed.papers.items()}
        return Call(deed.contract, deed.action, {**deed.args, **filed})

    def paper(self, commitment: str) -> str:
        """Return what a paper says, or nothing if it was destroyed."""
        return str(self._papers.read(commitment)["text"]) if commitment in self._storage else ""

    def papers(self) -> list[str]:
        """List what is kept beside the chain, by the commitments that stand there."""
        return sorted(name for name in self._storage if not name.startswith(KEYS))

    def join(self, resident: str, *, offers: bool = False) -> None:
        """Let a resident take part under a new key: a consent, the account, and the look at a card."""
        self._storage[_key_of(resident)] = self._random(NONCE_BYTES)
        account = self.did(resident)
        self.net.open([self.wallet(resident)])
        consent = self._papers.keep({"of": account, "text": CONSENT, "person": dict(PEOPLE[resident])})
        told = {"consent": consent, "offers": offers}
        if self.signer(resident) == ASSISTED:
            self.do(ASSISTED, Deed(ACCOUNTS, "open_assisted", {"account": account, **told}))
        else:
            self.do(resident, Deed(ACCOUNTS, "open", told))
        self.do(DESK, Deed(ACCOUNTS, "confirm", {"account": account, "is_adult": True}))

    def withdraw(self, resident: str) -> Receipt:
        """Close the account, and destroy what says whose it was: the consent, the papers, the secret of its key."""
        account = self.did(resident)
        receipt = self.do(self.signer(resident), Deed(ACCOUNTS, "withdraw", {"account": account}))
        for commitment in self.papers():
            if self._papers.read(commitment)["of"] == account:
                self._papers.erase(commitment)
        del self._storage[_key_of(resident)]
        return receipt

    def search(self) -> tuple[tuple[Trace, ...], int, int]:
        """Search every block for everybody's data; returns what was found, of how many values, in how many blocks."""
        values = personal_values()
        return exposed(self.net, values), len(values), self.net.height()

    def record(self, deeds: Sequence[tuple[str, str, int, str]], zones: Sequence[str] = ()) -> list[int]:
        """Record what residents did: (resident, rule, amount, evidence); returns the numbers of the entries."""
        first = sum(1 for _entry in pages(asker(self.net), LEDGER, "all_entries")) + 1
        numbers, now = list(range(first, first + len(deeds))), self._head_ms()
        made = []
        for number, (resident, code, amount, words), zone in zip(
            numbers, deeds, zones or [""] * len(deeds), strict=True
        ):
            account = self.did(resident)
            told = {"event": f"street-{number}", "account": account, "code": code, "amount": amount, "zone": zone}
            made.append(Deed(INTAKE, "record", {**told, "occurred_at": now}, {"evidence": words}, account))
        self.do(RECORDER, *made)
        return numbers

    def notify(self, deeds: Sequence[tuple[str, str, int, str]]) -> list[int]:
        """Record what residents did, have another office verify it, and tell them with reasons; returns the entries."""
        numbers = self.record(deeds)
        verified, told = [], []
        for number, (resident, code, _amount, words) in zip(numbers, deeds, strict=True):
            account, entry = self.did(resident), {"number": number}
            papers = {"decision": DECISION} if code == MIXED[0] else {}
            verified.append(Deed(INTAKE, "verify", entry, papers, account))
            told.append(Deed(INTAKE, "notify", entry, {"notice": words}, account))
        self.do(VERIFIER, *verified)
        self.do(RECORDER, *told)
        return numbers

    def news(self, resident: str) -> list[int]:
        """Let something happen to a resident that can be objected to: a reward, and a deduction."""
        return self.notify([(resident, *HELP), (resident, *MIXED)])

    def _head_ms(self) -> int:
        head = self.net.head()
        return head.time_ms if head else self.net.genesis.spec.genesis_time_ms

    def now_ms(self) -> int:
        """Return the time by which clocks of the street are read."""
        return max(self._head_ms(), int(self._clock() * 1000))

    # --- a street to look at

    def is_open(self) -> bool:
        """Tell whether the contracts of this case are on the chain."""
        return {name for name, _, _ in self.net.contracts()} >= set(CONTRACTS)

    def open(self) -> None:
        """Put on the chain what is not there yet: contracts, tasks, rules, money and a list of what can be had.

        The rules come as early as they can, so that the time before they begin passes while the rest is set up.
        """
        if self.is_open():
            return
        self.net.wallets(OFFICES)
        self.install_scale()
        made, owner = preset(PRESET), self.did(OWNER)
        given = arguments(made, owner, 0)
        given[CATALOGUE] = {"scheme": _short(scheme_of(made, owner, self.now_ms() + BEFORE_MS))}
        begins = 0
        for name, contract in CONTRACTS.items():
            demo.deploy(self.net, {name: contract}, given, self.wallet(AUTHORITIES[name]), lambda _words: None)
            if name == CATALOGUE:
                self._give_tasks()
                begins = self._make_rules(made)
        goods = [Deed(REDEMPTION, "list_item", item_of(made, item["code"])) for item in made.items]
        fund = Deed(REDEMPTION, "fund", {"amount": MONEY}, {"reference": "Budget"})
        self.do(TREASURER, fund, *goods, opening(self, 1, *CAUSE))
        self.net.pass_time(max(0, begins + SKEW_MS - self.now_ms()))

    def _make_rules(self, made: Preset) -> int:
        """Let one member propose the rules and another adopt them; returns when they begin."""
        begins = self.now_ms() + BEFORE_MS
        rules = rules_of(made, begins)
        self.do(CHAIR, *(Deed(CATALOGUE, "propose", {"rule": rule}) for rule in rules))
        self.do(MEMBER, *(Deed(CATALOGUE, "adopt", {"number": number}) for number in range(1, len(rules) + 1)))
        return begins

    def _give_tasks(self) -> None:
        tasks = (*TASKS, (APPEALS, "appeals"), *((member, "panellist") for member in PANEL))
        told = [{"role": task, "account": self.did(role)} for role, task in tasks]
        self.do(OWNER, *(Deed(CATALOGUE, "grant_role", one) for one in told))

    def play(self, tell: demo.Tell = lambda _words: None) -> None:
        """Open the street and let a morning pass in it, so that there is something to see."""
        tell(SAID[0])
        self.open()
        if self.net.view(ACCOUNTS, "all_accounts", {}):
            return
        tell(SAID[1])
        for resident in RESIDENTS:
            self.join(resident, offers=True)
        tell(SAID[2])
        self._morning()
        tell(SAID[3])
        self._disputes()

    def _morning(self) -> None:
        """Bring six entries up to the notice, of which 4 and 5 are too low; record three that nobody has verified."""
        own = [(RESIDENT, *HELP), (RESIDENT, *LONG_HELP), (RESIDENT, *MIXED)]
        self.notify([*own, (ELDER, *SHORT_HELP), (ELDER, *SHORT_HELP), (ELDER, *MIXED)])
        who, zones = (RESIDENT, RESIDENT, ELDER), ("street-9", "street-1", "street-1")
        self.record([(resident, *HELP) for resident in who], zones)
        self.weigh(RESIDENT, DROPPED)
        self.record_drop(RECORDER, code_of(1))
        for resident, service in OFFERED.items():
            self.offer(resident, service)

    def _disputes(self) -> None:
        """Object to entries 4, 5 and 6: one case is open, one ends with a correction, one goes on to the panel."""
        elder = self.did(ELDER)

        def case(action: str, paper: str, words: str, **told: Any) -> Deed:
            return Deed(CASES, action, told, {paper: words}, elder)

        self.do(
            ASSISTED,
            case("object", "evidence", "I helped for three hours.", entry=4, grounds="amount", claim=180),
            case("object", "evidence", "I helped for two hours.", entry=5, grounds="amount", claim=120),
            case("object", "evidence", "Somebody else used my bin at night.", entry=6, grounds="not-me"),
        )
        amended = case("decide", "reasons", CORRECTED, number=2, outcome="Amended", amount=120)
        self.do(REVIEWER, amended, case("decide", "reasons", STANDS, number=3, outcome="Upheld"))
        self.do(ASSISTED, case("appeal", "evidence", "A neighbour saw who it was.", number=3, grounds="not-me"))
        panel = [self.did(member) for member in PANEL]
        self.do(APPEALS, Deed(CASES, "seat", {"number": 3, "members": panel}))

    # --- looking

    def look(self, chain: Any = None) -> Looked:
        """Ask the contracts for all that a page shows, of this network or of another copy of its chain."""
        ask = remembering(asker(chain or self.net))
        entries = tuple(pages(ask, LEDGER, "all_entries"))
        known = {one["account"]: one["known"] for one in pages(ask, ACCOUNTS, "all_accounts")}
        own = {resident: self.did(resident) for resident in RESIDENTS}
        own = {resident: account for resident, account in own.items() if account in known}
        written = {
            resident: [one for one in entries if one["entry"]["account"] == account]
            for resident, account in own.items()
        }
        drops = tuple(weighings(ask))
        scheme, codes = ask(CATALOGUE, "scheme"), ask(CATALOGUE, "codes")
        return Looked(
            scheme=scheme,
            rules=tuple(ask(CATALOGUE, "rule_at", code=code, at=scheme["effective_until"]) for code in codes),
            entries=entries,
            cases=tuple(pages(ask, CASES, "all_cases")),
            orders=tuple(pages(ask, REDEMPTION, "all_orders")),
            items=tuple(pages(ask, REDEMPTION, "listed")),
            accounts={resident: known[account] for resident, account in own.items()},
            balances={resident: ask(LEDGER, "balance", account=account) for resident, account in own.items()},
            lines={resident: lines(ask, written[resident]) for resident in own},
            timelines={
                one["number"]: moments(ask, one["number"], one["entry"]) for one in entries if one["entry"]["code"]
            },
            closes={
                one["number"]: ask(LEDGER, "closes", number=one["number"])
                for one in entries
                if one["entry"]["state"] in OPEN
            },
            stands=ask(LEDGER, "stands"),
            causes=tuple(causes(ask)),
            gifts={resident: tuple(gifts_of(ask, written[resident])) for resident in own},
            offers={resident: ask(ACCOUNTS, "offers_to", account=account) for resident, account in own.items()},
            drops=drops,
            loads={number: ask(CUSTODY, "manifest", number=number) for number in loads_of(drops)},
            asked=tuple(one for account in own.values() for one in ask(ACCOUNTS, "who_asked", account=account)),
            audit=audit(ask),
            papers={commitment: self.paper(commitment) for commitment in self.papers()},
            kept=len(self.papers()),
        )


def at_home() -> Street:
    """Return the street on the network that `minichain up` runs, open or not.

    What is personal lies in that network's own directory, one for each chain.
    """
    net = Network.attach()
    return Street(net, Drawer(Home().path / "points" / net.genesis.hash.hex()[:16]), os.urandom, time.time)


def remembering(ask: Ask) -> Ask:
    """Return what asks each question once: for one look, while nothing changes."""
    known: dict[str, Any] = {}

    def again(contract: str, view: str, /, **arguments: Any) -> Any:
        question = repr((contract, view, arguments))
        if question not in known:
            known[question] = ask(contract, view, **arguments)
        return known[question]

    return again


def _key_of(resident: str) -> str:
    """Name the place of the secret that a resident's key in this scheme is drawn from."""
    return KEYS + resident.lower().replace(" ", "-")


def _short(scheme: Mapping[str, Any]) -> dict[str, Any]:
    return {**scheme, **{name: scheme[name] * SHORT_DAY_MS // DAY_MS for name in CLOCKS}}
