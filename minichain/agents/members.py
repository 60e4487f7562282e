"""Members of an alliance who stay away, trade votes or lose their keys, on the contract that decides by rule packs.

They decide which hauliers are admitted to the register of garbage custody: what passes is carried out on the register
itself. What a decision is worth to a member is a number from -100 to 100; who gains, by itself, votes yes. Two who
trade each give a vote that costs them little for one that is worth more to them: both gain, and others may pay
(Riker and Brams 1973, the paradox of vote trading).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise, permutations
from random import Random
from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from minichain.agents.experiment import Experiment, Figure, YesNo
from minichain.agents.stage import Act, Stage
from minichain.codec import Plain
from minichain.contracts.system import GOVERNANCE
from minichain.ledger.types import Call
from minichain.scenarios import Dids
from minichain.scenarios.voting.rulebook import Pack, pack
from minichain.scenarios.waste import WasteRegistry
from minichain.scenarios.waste.story import REGISTRY, profile

HOUSE: Final = "governance"  # the contract that decides, which is the office of the register
SECRETARY: Final = "secretary"  # sets things up, and has no vote
VOTING, EXTENSION, WAIT = 4, 2, 1  # blocks
SPANS: Final = {"delay": 0, "voting": VOTING, "extension": EXTENSION, "timelock": WAIT, "grace": 60}
MOST: Final = 100  # that a decision can be worth to a member
STRONG: Final = 75  # from here on an opponent uses a veto, where the rules know one
MADE_UP: Final = "made up, like everything here"

Worth = Sequence[int]  # of each proposal, to one member
Ballot = dict[int, str]  # proposal, counted from 0 -> choice


class Settings(Plain):
    """The rules, and who lives by them."""

    members: Annotated[int, Meta(ge=3, le=40, description="how many members, each with one vote")] = 9
    proposals: Annotated[int, Meta(ge=1, le=8, description="how many hauliers ask to be admitted at a time")] = 4
    rules: Annotated[
        Literal["aragon", "consensus", "cosmos", "fisco", "fisco_safe", "one_org_one_vote", "optimistic", "oz"],
        Meta(description="the rule pack by which they decide"),
    ] = "one_org_one_vote"
    trouble: Annotated[
        int, Meta(ge=0, le=100, description="what a decision must be worth to a member, of 100, to vote on it")
    ] = 0
    abstention: Annotated[
        Literal["silent", "cast"], Meta(description="whether who does not care stays away, or casts an abstention")
    ] = "silent"
    trading: Annotated[int, Meta(ge=0, le=100, description="percent of members who trade votes, two by two")] = 0
    lost: Annotated[int, Meta(ge=0, le=100, description="percent of members who have lost their keys")] = 0
    replaces: Annotated[
        YesNo, Meta(description="whether the others first decide to go on without who has lost a key")
    ] = "no"


FIGURES: Final = {
    "admitted": Figure("proposals that were carried out", "proposals"),
    "without_quorum": Figure("proposals that failed because too few took part", "proposals"),
    "against_most": Figure("proposals carried out although most members lose by them", "proposals"),
    "missed": Figure("proposals not carried out although most members would gain", "proposals"),
    "turnout": Figure("votes cast before it was decided, of a thousand that could have been", "of 1000"),
    "welfare": Figure("what was carried out is worth, to all members together", "points"),
    "trades": Figure("pairs of votes that were exchanged", "trades"),
    "shrunk": Figure("members fewer, by decision of the others", "members"),
    "stuck": Figure("whether nothing at all could be decided for want of people who vote", is_yes_or_no=True),
}


# --- deciding: pure rules -----------------------------------------------------------------------------------------


def sincere(settings: Settings, worth: int, choices: Sequence[str]) -> str:
    """Return the vote of a member to whom a proposal is worth so much; "" is none."""
    if abs(worth) < settings.trouble or worth == 0:
        return "abstain" if settings.abstention == "cast" and "abstain" in choices else ""
    if worth <= -STRONG and "veto" in choices:
        return "veto"
    return "yes" if worth > 0 else "no"


def trade(one: Worth, other: Worth) -> tuple[int, int] | None:
    """Return the proposals (given by the first, given by the second) whose exchange is worth most to both; None if
    there is no exchange by which each gains.

    Each gives a yes to what it loses by, for a yes to what it gains more from.
    """
    exchanges = [
        (given, got)
        for given, got in permutations(range(len(one)), 2)
        if one[given] < 0 < one[got] and other[got] < 0 < other[given]
        if one[given] + one[got] > 0 and other[given] + other[got] > 0
    ]
    return max(exchanges, key=lambda pair: sum(one[n] + other[n] for n in pair), default=None)


def ballots(
    settings: Settings, worths: Sequence[Worth], traders: Sequence[int], choices: Sequence[str]
) -> tuple[list[Ballot], int]:
    """Return what each member would vote, and how many trades there were; traders are paired in their order."""
    votes = [{n: sincere(settings, worth, choices) for n, worth in enumerate(worths[m])} for m in range(len(worths))]
    trades = 0
    for one, other in [pair for place, pair in enumerate(pairwise(traders)) if place % 2 == 0]:
        found = trade(worths[one], worths[other])
        if found:
            given, got = found
            votes[one][given] = votes[other][given] = votes[one][got] = votes[other][got] = "yes"
            trades += 1
    return votes, trades


# --- acting on the contracts --------------------------------------------------------------------------------------


class Alliance(Plain):
    """Who takes part: members and candidates by name, and the members who still have their keys, in order."""

    dids: Dids
    members: tuple[str, ...]
    able: tuple[str, ...]
    candidates: tuple[str, ...]


def play(stage: Stage, settings: Settings, chance: Random) -> dict[str, int]:
    """Let the alliance decide on all candidates at once, and carry out what passes."""
    worths = [[chance.randint(-MOST, MOST) for _ in range(settings.proposals)] for _ in range(settings.members)]
    order = chance.sample(range(settings.members), settings.members)
    traders = order[: settings.members * settings.trading // 100]
    has_lost = set(order[::-1][: settings.members * settings.lost // 100])
    rules = pack(settings.rules, clock="blocks", deposit=0, burns=[], **SPANS)  # nobody here has units
    alliance = _found(stage, settings, rules, has_lost)
    shrunk = _shrink(stage, alliance) if settings.replaces == "yes" and has_lost else 0
    votes, trades = ballots(settings, worths, traders, rules["choices"])
    numbers = _propose(stage, alliance, worths)
    cast = _vote(stage, alliance, numbers, votes)
    _carry_out(stage, alliance, list(numbers.values()))
    cases = {place: stage.ask(HOUSE, "proposal", number=number) for place, number in numbers.items()}
    eligible = (settings.members - shrunk) * settings.proposals
    turnout = 1_000 * cast // eligible
    return {**_weigh(cases, worths), "turnout": turnout, "trades": trades, "shrunk": shrunk}


def _weigh(cases: Mapping[int, Mapping[str, Any]], worths: Sequence[Worth]) -> dict[str, int]:
    """Compare what was decided with what it is worth to the members."""
    gains = {place: [worth[place] for worth in worths] for place in range(len(worths[0]))}
    is_wanted = {place: 2 * sum(one > 0 for one in gain) > len(gain) for place, gain in gains.items()}
    is_harmful = {place: 2 * sum(one < 0 for one in gain) > len(gain) for place, gain in gains.items()}
    done = {place for place, case in cases.items() if case["status"] == "Executed"}
    few = sum(case["why"] == "no_quorum" for case in cases.values())
    return {
        "admitted": len(done),
        "without_quorum": few,
        "against_most": sum(is_harmful[place] for place in sorted(done)),
        "missed": sum(is_wanted[place] for place in gains if place not in done),
        "welfare": sum(sum(gains[place]) for place in sorted(done)),
        "stuck": int(not done and few == len(cases)),
    }


def _found(stage: Stage, settings: Settings, rules: Pack, has_lost: set[int]) -> Alliance:
    """Let a body be founded that decides by these rules, and be the office of the register."""
    members = tuple(f"member {n}" for n in range(settings.members))
    candidates = tuple(f"haulier {n}" for n in range(settings.proposals))
    dids = stage.invite([SECRETARY, *members, *candidates])
    stage.deploy(REGISTRY, WasteRegistry, SECRETARY, operator=HOUSE, profile=profile("household"))
    stage.deploy(HOUSE, GOVERNANCE, SECRETARY, members=[[name, dids[name], 1] for name in members], pack=rules)
    able = tuple(name for n, name in enumerate(members) if n not in has_lost)
    return Alliance(dids, members, able, candidates)


def _shrink(stage: Stage, alliance: Alliance) -> int:
    """Let those who can decide to go on without those who cannot; returns how many members are fewer."""
    if not alliance.able:
        return 0
    rows = [[name, alliance.dids[name], 1] for name in alliance.able]
    calls = [{"contract": HOUSE, "action": "set_members", "arguments": {"members": rows}}]
    if not stage.act([(alliance.able[0], [_proposal("Go on without who has lost a key", calls)])])[0].ok:
        return 0  # too few would be left for these rules
    number = stage.ask(HOUSE, "count_proposals")
    stage.act((name, [Call(HOUSE, "vote", {"number": number, "choice": "yes"})]) for name in alliance.able)
    _carry_out(stage, alliance, [number])
    is_done = stage.ask(HOUSE, "proposal", number=number)["status"] == "Executed"
    return len(alliance.members) - len(alliance.able) if is_done else 0


def _propose(stage: Stage, alliance: Alliance, worths: Sequence[Worth]) -> dict[int, int]:
    """Let whoever gains most from a candidate propose it; returns the numbers of the proposals, by their place."""
    able = [n for n, name in enumerate(alliance.members) if name in alliance.able]
    if not able:
        return {}
    acts: list[Act] = []
    for place, candidate in enumerate(alliance.candidates):
        keenest = max(able, key=lambda n: (worths[n][place], -n))
        acts.append((alliance.members[keenest], [_admission(candidate, alliance.dids[candidate])]))
    return {place: receipt.result for place, receipt in enumerate(stage.must(acts))}


def _admission(candidate: str, did: str) -> Call:
    """Ask the alliance to register a haulier."""
    permit = {"did": did, "roles": ["transporter"], "site": candidate, "jurisdiction": "District 1", "codes": ["*"]}
    return _proposal(f"Admit {candidate}", [{"contract": REGISTRY, "action": "register", "arguments": permit}])


def _proposal(title: str, calls: list[dict[str, Any]]) -> Call:
    return Call(HOUSE, "propose", {"title": title, "reason": MADE_UP, "calls": calls})


def _vote(stage: Stage, alliance: Alliance, numbers: Mapping[int, int], votes: Sequence[Ballot]) -> int:
    """Let everybody vote who can and will; returns how many votes there are. What is decided early takes no more."""
    acts: list[Act] = [
        (name, [Call(HOUSE, "vote", {"number": number, "choice": votes[n][place]})])
        for n, name in enumerate(alliance.members)
        if name in alliance.able
        for place, number in numbers.items()
        if votes[n][place]
    ]
    stage.act(acts)
    told = [row for number in numbers.values() for row in stage.ask(HOUSE, "ballots", number=number)]
    return sum(choice not in ("not yet", "recused") for *_, choice in told)


def _carry_out(stage: Stage, alliance: Alliance, numbers: Sequence[int]) -> None:
    """Let the time to vote and the wait pass, then let a member carry out what has succeeded."""
    stage.pass_blocks(VOTING + EXTENSION)
    for action in ("queue", "execute"):
        ready = [n for n in numbers if stage.ask(HOUSE, "proposal", number=n)["status"] in ("Succeeded", "Queued")]
        stage.must((alliance.able[0], [Call(HOUSE, action, {"number": number})]) for number in ready)
        stage.pass_blocks(WAIT)


EXPERIMENT: Final = Experiment(
    name="members",
    question="What do staying away, trading votes and lost keys do to decisions, under which rules?",
    settings=Settings,
    figures=FIGURES,
    play=play,
)
