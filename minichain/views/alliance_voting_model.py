"""What the page of alliance voting knows: the council as last seen, what is open, and what somebody tries out.

`Reader` looks at a council (see `scenarios.voting.council`) again and again, or at one that was executed anew from
blocks; `Alliance` holds what it saw. A vote begins and ends by the clock, so its state is told for the moment, not only
for the last block.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as field_
from typing import Any, Final

import traitlets as T  # noqa: N812 - beside W in the other pages

from minichain.codec import decode
from minichain.contracts.deployed import Deployed
from minichain.contracts.rulebook import at_time, standing
from minichain.errors import UsageError
from minichain.ledger.state import contract_key
from minichain.views.i18n import _, short
from minichain.views.models import ChainReader

SHOWN: Final = 30  # proposals, the newest
VOTING: Final = ("Active", "Extended")
OPEN: Final = ("Draft", "Pending", *VOTING, "Succeeded", "Queued", "ExecutionFailed")
LETTERS: Final = {"": "-", "yes": "y", "no": "n", "abstain": "a", "veto": "v"}  # a ballot in a run code
MOST_NEWCOMER: Final = 10  # weight
FULL: Final = 100  # per cent
NEWCOMER: Final = "new member"

Rows = Sequence[Sequence[Any]]  # [name, did, weight, seat, population, ...] of each member
View = Callable[[str, str, dict[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal as it stands; `ballots` are [name, did, weight, choice] of each who may vote."""

    case: dict[str, Any]
    pack: dict[str, Any]
    rows: Rows
    ballots: Sequence[Sequence[Any]]
    calls: Sequence[Mapping[str, Any]]

    @property
    def number(self) -> int:
        return int(self.case["number"])

    @property
    def status(self) -> str:
        return str(self.case["status"])

    @property
    def title(self) -> str:
        return str(self.case["title"])

    @property
    def track(self) -> dict[str, Any]:
        found: dict[str, Any] = self.pack["tracks"][self.case["track"]]
        return found

    @property
    def tally(self) -> dict[str, int]:
        """Return the weight of each choice, and of all who may vote."""
        found: dict[str, int] = self.case["tally"]["weight:"]
        return found

    @property
    def standing(self) -> dict[str, Any]:
        """Tell what can still happen, and how each clause stands; clauses that only end a vote early are left out."""
        found: dict[str, Any] = standing(self.pack, self.track, self.case["tally"])
        kinds = {clause["id"]: clause for clause in self.track["clauses"]}
        shown = [{**row, "clause": kinds[row["id"]]} for row in found["clauses"] if row["kind"] != "super"]
        return {**found, "clauses": shown}

    @property
    def said(self) -> dict[str, str]:
        """Return what each member has said, by name; "" for nothing."""
        return {row[0]: row[3] if row[3] in LETTERS else "" for row in self.ballots}

    @property
    def recused(self) -> tuple[str, ...]:
        return tuple(row[1] for row in self.ballots if row[3] == "recused")

    def at(self, now_ms: int, height: int) -> Proposal:
        """Return the proposal as it stands at a moment."""
        now = height if self.pack["clock"] == "blocks" else now_ms
        case = at_time(dict(self.case), self.pack, now)
        return self if case == self.case else replace(self, case=case)


@dataclass(frozen=True, slots=True)
class Poll:
    """A secret or sealed ballot as it stands; `cast` is by name of each who may vote, None for nothing."""

    number: int
    state: str
    secrecy: str
    rules: Mapping[str, Any]
    voters: int
    weight: int
    counts: tuple[int, ...]
    opened: tuple[str, ...]  # trustees who have opened their part
    cast: Mapping[str, Any]

    @property
    def handed_in(self) -> tuple[str, ...]:
        return tuple(name for name, cast in self.cast.items() if cast)

    @property
    def shown(self) -> tuple[str, ...]:
        """Return who has shown a sealed vote."""
        return tuple(name for name, cast in self.cast.items() if cast and cast["votes"])

    def phase(self, now_ms: int) -> str:
        """Tell what can be done now: sealed votes are shown after the close, without anybody's doing."""
        if self.state in ("Voting", "Revealing"):
            if now_ms <= self.rules["closes"]:
                return "Voting" if now_ms >= self.rules["opens"] else "Soon"
            if self.secrecy == "sealed" and now_ms <= self.rules["until"]:
                return "Revealing"
            return "Over"
        return self.state


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one look at the council showed; `proposals` and `polls` come newest first."""

    height: int = 0
    chain: str = ""
    now_ms: int = 0
    is_founded: bool = False
    names: Mapping[str, str] = field_(default_factory=dict)
    members: Rows = ()
    pack: Any = None
    terms: Mapping[str, int] = field_(default_factory=dict)
    is_frozen: bool = False
    proposals: tuple[Proposal, ...] = ()
    polls: tuple[Poll, ...] = ()


class Reader:
    """Look at a council again and again; ask the chain only when it has a new block."""

    def __init__(self) -> None:
        self._chain = ChainReader(keep=1)
        self._seen, self._last = b"", Snapshot()
        self._known: dict[int, tuple[Any, Proposal]] = {}

    def __call__(self, council: Any) -> Snapshot:
        """Ask; raises what the client raises."""
        chain = self._chain(council.net)
        head = chain.blocks[-1] if chain.blocks else None
        if head is not None and head.id != self._seen:
            self._last, self._seen = self._read(council, chain.height), head.id
        now_ms = max(head.time_ms if head else 0, council.clock())
        found = replace(self._last, height=chain.height, chain=short(council.net.genesis.hash), now_ms=now_ms)
        return replace(found, proposals=tuple(one.at(now_ms, chain.height) for one in found.proposals))

    def _read(self, council: Any, height: int) -> Snapshot:
        if not council.is_founded():
            return Snapshot(height)
        found = read_council(council, council.net.view, council.stored, self._known)
        return replace(found, polls=tuple(_poll(council, n) for n in range(council.polls.count(), 0, -1)))


def read_council(
    council: Any,
    view: View,
    stored: Callable[[bytes], Any],
    known: dict[int, tuple[Any, Proposal]] | None = None,
) -> Snapshot:
    """Read proposals, members and terms by views and stored values, of a network or of a replayed chain."""
    house, known = council.house, {} if known is None else known
    count = view(house, "count_proposals", {})
    cases = view(house, "proposals", {"start": max(0, count - SHOWN), "limit": SHOWN})
    for case in cases:
        if case["number"] not in known or known[case["number"]][0] != case:
            known[case["number"]] = (case, _proposal(house, view, case))
    return Snapshot(
        is_founded=True,
        names=council.names,
        members=_heaviest_first(view(house, "members", {})),
        pack=view(house, "rules", {}),
        terms=view(council.terms_at, "all_terms", {}),
        is_frozen=decode(stored(contract_key(council.terms_at)), Deployed).is_frozen,
        proposals=tuple(known[case["number"]][1] for case in reversed(cases)),
    )


def _proposal(house: str, view: View, case: dict[str, Any]) -> Proposal:
    number = {"number": case["number"]}
    by, ballots = view(house, "decided_by", number), view(house, "ballots", number)
    rows = _heaviest_first(by["electorate"])
    return Proposal(case, by["rules"], rows, _heaviest_first(ballots), view(house, "calls", number))


def _heaviest_first(rows: Rows) -> Rows:
    return sorted(rows, key=lambda row: (-row[2], row[0]))


def _poll(council: Any, number: int) -> Poll:
    found = council.polls.poll(number)
    rules = found["rules"]
    opened = tuple(council.names[rules["trustees"][place - 1]] for place in found["decrypted"])
    return Poll(
        number,
        found["state"],
        rules["secrecy"],
        rules,
        found["voters"],
        found["weight"],
        tuple(found["counts"]) if found["state"] == "Counted" else (),
        opened,
        found["cast"],
    )


class Alliance(T.HasTraits):
    """The council as last seen, and what is chosen on each screen.

    `rules`, `quota` and `newcomer` are of the power screen: a rule pack, per cent that must say yes (0: as the pack has
    it), and the weight of somebody who joins (0: nobody). `what_if` are ballots by name on the screen that compares
    rules; empty: those of the open proposal.
    """

    height = T.Int(-1)
    chain = T.Unicode("")
    now_ms = T.Int(0)
    is_founded = T.Bool(False)
    names: Any = T.Dict()
    members: Any = T.Any(())
    pack: Any = T.Any(None)
    terms: Any = T.Dict()
    is_frozen = T.Bool(False)
    proposals: Any = T.Tuple()
    polls: Any = T.Tuple()
    chosen = T.Unicode("")
    stage = T.Unicode("")  # of the open proposal: its forms change with it, and with nothing else
    who = T.Unicode("")
    rules = T.Unicode("")
    quota = T.Int(0)
    newcomer = T.Int(0)
    what_if: Any = T.Dict()
    poll = T.Unicode("")
    poll_phase = T.Unicode("")
    wanted: Any = T.Dict()  # what a run code asks for: the council as it was at a block
    is_pinned = T.Bool(False)
    done: Any = T.Any(frozenset())

    def __init__(self, council: Any) -> None:
        super().__init__()
        self.council = council  # the class: what its rules are, and how they are counted
        self.rules = council.own_rules

    def show(self, snapshot: Snapshot) -> None:
        """Take over what a look showed, unless an earlier block is looked at."""
        if not self.is_pinned:
            self._take(snapshot)

    def pin(self, snapshot: Snapshot) -> None:
        """Show the council as it was at the block of a run code."""
        self.is_pinned = True
        self._take(snapshot)
        self.chosen = str(self.wanted["chosen"])

    def follow(self) -> None:
        """Show what comes from now on."""
        self.is_pinned, self.wanted = False, {}

    def _take(self, snapshot: Snapshot) -> None:
        with self.hold_trait_notifications():
            for name in Snapshot.__dataclass_fields__:
                value = getattr(snapshot, name)
                setattr(self, name, dict(value) if isinstance(value, Mapping) and name != "pack" else value)
            self._choose()  # before anybody is told: what is shown first is what one compares with

    def _choose(self) -> None:
        """Open something, if nothing is open."""
        if self.proposals and self.proposal is None:
            self.chosen = str(next((one for one in self.proposals if one.status in OPEN), self.proposals[0]).number)
        if self.polls and self.open_poll is None:
            self.poll = str(self.polls[0].number)
        if not self.who and self.members:
            self.who = self.next_voter
        self._follow(None)

    @T.observe("chosen", "poll")
    def _follow(self, _change: Any) -> None:
        one = self.proposal
        self.stage = f"{one.status} {one.case['deposit']} {self.is_pinned}" if one else ""
        self.poll_phase = self.open_poll.phase(self.now_ms) if self.open_poll else ""

    def do(self, name: str) -> None:
        """Tick a task."""
        self.done |= {name}

    # --- what is open

    @property
    def proposal(self) -> Proposal | None:
        """Return the proposal that is open."""
        return next((one for one in self.proposals if str(one.number) == self.chosen), None)

    @property
    def open_poll(self) -> Poll | None:
        """Return the secret or sealed ballot that is open."""
        return next((one for one in self.polls if str(one.number) == self.poll), None)

    @property
    def next_voter(self) -> str:
        """Return a member who has not voted on what is open, the one with most weight first; or any member."""
        ballots = self.proposal.ballots if self.proposal else []
        waiting = [row for row in ballots if row[3] == "not yet"] or self.members
        return str(max(waiting, key=lambda row: int(row[2]))[0]) if waiting else ""

    def count(self, *statuses: str) -> int:
        """Count the proposals in any of these states."""
        return sum(one.status in statuses for one in self.proposals)

    # --- the same ballots under other rules

    @property
    def rows(self) -> Rows:
        """Return whose ballots are compared: who could vote on the open proposal, or the members."""
        return self.proposal.rows if self.proposal else [[*row, ""] for row in self.members]

    @property
    def said(self) -> dict[str, str]:
        """Return the ballots that are compared, by name; "" for no vote."""
        cast = self.proposal.said if self.proposal else {}
        return {row[0]: self.what_if.get(row[0], cast.get(row[0], "")) for row in self.rows}

    def say(self, name: str, choice: str) -> None:
        """Try out another ballot of somebody."""
        self.what_if = {**self.said, name: choice}

    def preset(self, name: str) -> None:
        """Try out ballots that show something; "cast" takes those of the open proposal again."""
        self.what_if = PRESETS[name](self.rows)

    @property
    def decisions(self) -> Sequence[Any]:
        """Return what every rule pack makes of the ballots."""
        by_name = {row[0]: row[1] for row in self.rows}
        ballots = {by_name[name]: choice for name, choice in self.said.items() if choice}
        recused = self.proposal.recused if self.proposal and not self.what_if else ()
        found: Sequence[Any] = self.council.compare(self.rows, ballots, recused)
        return found

    # --- power

    @property
    def tried_pack(self) -> dict[str, Any]:
        """Return the rule pack of the power screen, with the quota that was tried."""
        pack: dict[str, Any] = self.council.rules(self.rules)
        if self.quota:
            for clause in pack["tracks"]["ordinary"]["clauses"]:
                if clause["kind"] in ("majority", "super"):
                    clause.update({"share": [self.quota, FULL], "comparator": ">="})
        return pack

    @property
    def with_newcomer(self) -> Rows:
        """Return the members, and who would join."""
        new = [[_(NEWCOMER), "", self.newcomer, "", 0, ""]] if self.newcomer else []
        return [*([*row, ""] for row in self.members), *new]

    def power(self, is_after: bool = True) -> Any:
        """Measure the power of all under the rules that were tried, with or without the newcomer."""
        rows = self.with_newcomer if is_after else [[*row, ""] for row in self.members]
        return self.council.power(self.tried_pack, rows)


# --- ballots to try out: the heaviest member comes first ---------------------------------------------------------


def _tie(rows: Rows) -> dict[str, str]:
    """Divide the weight as evenly as can be."""
    sums, said = {"yes": 0, "no": 0}, {}
    for row in rows:
        choice = "yes" if sums["yes"] <= sums["no"] else "no"
        said[row[0]], sums[choice] = choice, sums[choice] + row[2]
    return said


PRESETS: Final[Mapping[str, Callable[[Rows], dict[str, str]]]] = {
    "cast": lambda rows: {},
    "one_no": lambda rows: {row[0]: "no" if at == 0 else "yes" for at, row in enumerate(rows)},
    "few": lambda rows: {row[0]: "yes" if at < 2 else "" for at, row in enumerate(rows)},
    "abstain": lambda rows: {row[0]: "yes" if at < 2 else "abstain" for at, row in enumerate(rows)},
    "tie": _tie,
    "veto": lambda rows: {row[0]: "veto" if at == 0 else "yes" for at, row in enumerate(rows)},
}


# --- ballots in a run code ---------------------------------------------------------------------------------------


def written(said: Mapping[str, str], rows: Rows) -> str:
    """Write ballots in the order of the members; empty if there are none."""
    return "".join(LETTERS[said.get(row[0], "")] for row in rows) if said else ""


def ballots_of(text: str, rows: Rows) -> dict[str, str]:
    """Read what `written` writes; raises `UsageError` if it is of other members."""
    choices = {letter: choice for choice, letter in LETTERS.items()}
    if text and (len(text) != len(rows) or not set(text) <= choices.keys()):
        raise UsageError(_("The ballots of this run code are of other members than these."))
    return {row[0]: choices[letter] for row, letter in zip(rows, text, strict=False)}
