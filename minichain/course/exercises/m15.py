"""M15, alliance voting: ten edge cases, weights and rules for a need, a count from the votes, and the kind of ballot.

What is expected is compared with what the contracts of the council do, and every rule is asked by what it decides.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from minichain.contracts.sandbox import Sandbox
from minichain.contracts.system import GOVERNANCE
from minichain.contracts.written import source_of
from minichain.course.exercise import Exercise, Miss, miss, seeds
from minichain.crypto import digest
from minichain.errors import UsageError
from minichain.scenarios.voting import council, power, rulebook
from minichain.scenarios.voting.council import HOUSE, MEMBERS, TERMS, Council
from minichain.scenarios.voting.elections.contract import SEALED, Elections, seal_of
from minichain.scenarios.voting.terms import Terms

NAMES: Final = tuple(MEMBERS)
BUREAU, OFFICE_A, OFFICE_B, PLANT, STATION, COMPOST = NAMES
FEE, DAYS, _ = council.FIGURES
CHOICES: Final = ("yes", "no", "abstain")
MENDED: Final = source_of(Terms).replace("and 0 <= figure", "and 1 <= figure")  # a fee of nothing was a mistake
MINUTE_MS: Final = 60_000


class Hall:
    """The council's own contracts in a sandbox, where no network has to agree first."""

    def __init__(self) -> None:
        self.box = Sandbox()
        self.dids = {name: self.box.account(name) for name in NAMES}
        members = [self.row(name) for name in NAMES]
        first = self.dids[BUREAU]
        self.house = self.box.deploy(GOVERNANCE, sender=first, name=HOUSE, members=members, pack=council.rules())
        self.terms = self.box.deploy(Terms, sender=first, name=TERMS, house=HOUSE, figures=dict(council.FIGURES))
        self.box.call(first, "ledger", "entrust", {"name": TERMS, "authority": HOUSE})

    def row(self, name: str, weight: int = 0) -> list[Any]:
        """Write a member as the contract has it, with another weight if one is given."""
        own, seat, population = MEMBERS[name]
        return [name, self.dids[name], weight or own, seat, population]

    def does(self, who: str, action: str, **arguments: Any) -> bool:
        """Let a member act, and tell whether the contract took it."""
        return self.house.with_sender(self.dids[who]).attempt(action, **arguments).ok

    def propose(self, call: Mapping[str, Any]) -> int:
        """Put a decision to the vote, and return its number."""
        self.house.with_sender(self.dids[OFFICE_B]).propose("A title", "A reason.", [call])
        return int(self.house.count_proposals())

    def decide(self, number: int, *voters: str) -> str:
        """Let members say yes until it is decided, wait, carry it out, and return its status."""
        for name in voters:
            self.does(name, "vote", number=number, choice="yes")
        self.does(OFFICE_A, "queue", number=number)
        self.box.advance(minutes=1)
        self.does(OFFICE_A, "execute", number=number)
        return str(self.house.proposal(number)["status"])

    def tally(self, number: int) -> dict[str, int]:
        """Return the count of a proposal, by weight."""
        counted = self.house.proposal(number)["tally"]["weight:"]
        return {choice: counted[choice] for choice in CHOICES}


# --- m15.p1: ten edge cases ------------------------------------------------------------------------------------------

CASES: Final = {  # what may become of each
    "tie, more than half": ("passes", "falls"),
    "tie, at least half": ("passes", "falls"),
    "votes twice": ("first", "last", "both"),
    "expelled after voting": ("stays", "goes"),
    "frozen before it is done": ("done", "half done", "nothing done"),
    "mistake in the code": ("by nobody", "by its author", "by a vote"),
    "seals twice": ("first", "last", "both"),
    "never shows its sealed vote": ("cast", "not cast"),
    "votes late": ("counted", "refused"),
    "weight raised meanwhile": ("old", "new"),
}


@cache
def played() -> dict[str, str]:
    """Play the ten cases, and return what became of each."""
    return {**_ties(), **_on_votes(), **_on_members(), **_on_decisions(), **_on_seals()}


def _ties() -> dict[str, str]:
    halves = [rulebook.member("one", 50), rulebook.member("other", 50)]
    told = {"tie, more than half": "aragon", "tie, at least half": "fisco_safe"}
    status = {
        case: rulebook.decide(rulebook.pack(name), halves, {"one": "yes", "other": "no"}).status
        for case, name in told.items()
    }
    return {case: "passes" if found == "Succeeded" else "falls" for case, found in status.items()}


def _on_votes() -> dict[str, str]:
    hall = Hall()
    number = hall.propose(Council.term(DAYS, 10))
    for choice in ("no", "yes"):
        hall.does(OFFICE_B, "vote", number=number, choice=choice)
    tally = hall.tally(number)
    hall.box.advance(minutes=16)
    is_late = hall.does(OFFICE_A, "vote", number=number, choice="yes")
    twice = "both" if tally["yes"] and tally["no"] else "last" if tally["yes"] else "first"
    return {"votes twice": twice, "votes late": "counted" if is_late else "refused"}


def _on_members() -> dict[str, str]:
    hall = Hall()
    number = hall.propose(Council.term(DAYS, 10))
    hall.does(OFFICE_B, "vote", number=number, choice="yes")
    fewer = [hall.row(name, 40 if name == COMPOST else 0) for name in NAMES if name != OFFICE_B]
    hall.decide(hall.propose(Council.membership(fewer)), BUREAU, OFFICE_A, PLANT, STATION)
    stays = hall.tally(number)["yes"]
    hall.does(COMPOST, "vote", number=number, choice="no")
    return {
        "expelled after voting": "stays" if stays else "goes",
        "weight raised meanwhile": "old" if hall.tally(number)["no"] == MEMBERS[COMPOST][0] else "new",
    }


def _on_decisions() -> dict[str, str]:
    hall = Hall()
    number = hall.propose(Council.term(DAYS, 10))
    freeze = hall.propose(Council.freeze(True))
    hall.decide(freeze, BUREAU, OFFICE_A, PLANT, STATION)
    status = hall.decide(number, BUREAU, OFFICE_A, PLANT, STATION)
    hall.decide(hall.propose(Council.freeze(False)), BUREAU, OFFICE_A, PLANT, STATION)
    better = {"name": TERMS, "source": MENDED, "args": {}}
    is_authors = hall.box.call(hall.dids[BUREAU], "ledger", "upgrade", better).ok
    upgrade = {"contract": "ledger", "action": "upgrade", "arguments": better}
    is_voted = hall.decide(hall.propose(upgrade), BUREAU, OFFICE_A, PLANT, STATION) == "Executed"
    return {
        "frozen before it is done": "done" if status == "Executed" else "nothing done",
        "mistake in the code": "by its author" if is_authors else "by a vote" if is_voted else "by nobody",
    }


def _on_seals() -> dict[str, str]:
    """Seal a vote twice, and another one that is never shown; count when the time to show is over."""
    box = Sandbox()
    dids = [box.account(name) for name in NAMES]
    polls = box.deploy(Elections, sender=dids[0])
    opens = box.now_ms + MINUTE_MS
    rules = {"title": "Who chairs?", "text": "0" * 64, "choices": [*CHOICES], "least": 1, "most": 1, "secrecy": SEALED}
    rules |= {"opens": opens, "closes": opens + MINUTE_MS, "until": opens + 2 * MINUTE_MS}
    number = polls.announce(rules, [{"did": did, "weight": 1} for did in dids]).result
    statement, salt = polls.election(number)["statement"], digest("salt", b"")
    votes = {choice: [int(one == choice) for one in CHOICES] for choice in CHOICES}

    def seal(did: str, choice: str) -> bytes:
        return bytes(seal_of(statement, did, votes[choice], salt))

    box.advance(ms=MINUTE_MS)
    for did, choice in ((dids[0], "yes"), (dids[0], "no"), (dids[1], "no")):
        polls.with_sender(did).attempt("seal", number=number, seal=seal(did, choice))
    box.advance(ms=MINUTE_MS + 1)
    shown = [polls.with_sender(dids[0]).attempt("reveal", number, votes[one], salt).ok for one in ("yes", "no")]
    box.advance(ms=MINUTE_MS)
    polls.close(number)
    twice = {(True, False): "first", (False, True): "last"}.get((shown[0], shown[1]), "both")
    is_cast = sum(polls.election(number)["counts"]) > sum(shown)
    return {"seals twice": twice, "never shows its sealed vote": "cast" if is_cast else "not cast"}


BELIEFS: Final = {  # the cause where somebody expects something else
    "tie": ("tie, more than half", "tie, at least half"),
    "each_vote_is_kept": ("votes twice", "votes late"),
    "voters_change": ("expelled after voting", "weight raised meanwhile"),
    "half_done": ("frozen before it is done",),
    "code_is_final": ("mistake in the code",),
    "seal": ("seals twice", "never shows its sealed vote"),
}
CAUSES: Final = {case: cause for cause, cases in BELIEFS.items() for case in cases}

P1 = Exercise("m15.p1", expects=dict)


@P1.each(CASES)
def a_case_ends_as_it_does(answer: Mapping[str, str], case: str) -> Miss | None:
    """Judge what is expected of one case by what the contracts did."""
    said = answer.get(case, "")
    if said not in CASES[case]:
        return miss("no_such_end", case=case, said=said, ends=", ".join(CASES[case]))
    return None if said == played()[case] else miss(CAUSES[case], case=case, said=said)


# --- m15.e1: quorum, weights and veto for a need ----------------------------------------------------------------------

WEIGHTS: Final = tuple(weight for weight, _seat, _people in MEMBERS.values())
HIGH: Final = 14  # a quota at which some can stop everything
SHARED: Final = 10  # votes for the bureau and three others

E1 = Exercise("m15.e1", expects=dict)


def measured(quota: int, weights: Sequence[int]) -> power.Power | None:
    """Measure a quota and weights; None where they make no sense."""
    try:
        return power.measure(power.weighted(quota, weights))
    except UsageError:
        return None


def everybody_counts(quota: int) -> bool:
    """Tell whether at this quota each of the six is needed by somebody, and nobody by all."""
    found = measured(quota, WEIGHTS)
    return found is not None and not found.dummies and not found.veto_players


@E1.part
def the_highest_quota_is_found(answer: Mapping[str, Any]) -> Miss | None:
    """Judge the highest quota at which everybody counts, and nobody alone can stop a decision."""
    quota = answer.get("everybody counts", 0)
    found = measured(quota, WEIGHTS)
    if found is None:
        return miss("no_quota", quota=quota)
    if found.dummies or found.veto_players:
        without = [NAMES[place] for place in found.dummies]
        return miss("dummy", quota=quota, names=", ".join(without)) if without else miss("veto", quota=quota)
    is_highest = not any(everybody_counts(other) for other in range(quota + 1, sum(WEIGHTS) + 1))
    return None if is_highest else miss("higher", quota=quota)


@E1.part
def the_bureau_alone_can_stop(answer: Mapping[str, Any]) -> Miss | None:
    """Judge ten votes shared by four: only the first can stop a decision, and any other one helps it to one."""
    design = answer.get("one veto", {})
    quota, weights = design.get("quota", 0), tuple(design.get("weights", ()))
    if len(weights) != 4 or sum(weights) != SHARED or (found := measured(quota, weights)) is None:
        return miss("not_ten", weights=weights, quota=quota)
    if found.veto_players != (0,):
        return miss("not_the_bureau", quota=quota, weights=weights)
    helps = [quota <= weights[0] + other for other in weights[1:]]
    return None if all(helps) and found.dictator is None else miss("not_with_one", quota=quota, weights=weights)


@E1.part
def who_can_stop_is_named(answer: Mapping[str, Any]) -> Miss | None:
    """Judge who alone can stop a decision where the quota is high."""
    said = set(answer.get("who can stop", ()))
    found = measured(HIGH, WEIGHTS)
    truth = {NAMES[place] for place in found.veto_players} if found else set()
    if said == truth:
        return None
    return miss("nobody_can") if not said else miss("others_can", said=", ".join(sorted(said)))


HALL: Final = [rulebook.member(name, weight) for name, weight in zip(NAMES, WEIGHTS, strict=True)]
THREE: Final = [rulebook.member("large", 9), rulebook.member("small", 1), rulebook.member("other", 1)]
ALL: Final = dict.fromkeys(NAMES, "yes")
Ballots = Mapping[str, str]
WISHES: Final[dict[str, tuple[tuple[Sequence[Any], Ballots, bool], ...]]] = {  # what has to pass, and what not
    "silence agrees": ((HALL, {}, True), (HALL, {COMPOST: "no"}, True)),
    "one no stops": ((HALL, ALL, True), *((HALL, {**ALL, name: "no"}, False) for name in NAMES)),
    "members, not weight": (
        (THREE, {"large": "no", "small": "yes", "other": "yes"}, True),
        (THREE, {"large": "yes", "small": "no", "other": "no"}, False),
    ),
    "two thirds of all": (
        (HALL, dict.fromkeys((BUREAU, OFFICE_A, PLANT), "yes"), False),
        (HALL, dict.fromkeys((BUREAU, OFFICE_A, OFFICE_B), "yes"), True),
    ),
}


@E1.each(WISHES)
def a_rule_pack_fits(answer: Mapping[str, Any], wish: str) -> Miss | None:
    """Judge a rule pack by what it lets pass."""
    name = answer.get(wish, "")
    if name not in rulebook.PACKS:
        return miss("no_pack", wish=wish, said=name)
    for members, ballots, passes in WISHES[wish]:
        status = rulebook.decide(rulebook.pack(name), members, ballots).status
        if (status == "Succeeded") != passes:
            return miss("another_pack", wish=wish, said=name, status=status)
    return None


# --- m15.e2: count it yourself ----------------------------------------------------------------------------------------

STEPS: Final = 14  # that are tried on a proposal
Record = Mapping[str, Any]  # one transaction: who, proposal, choice, and whether the contract took it
Recount = Callable[[Sequence[Record], int, Mapping[str, int], Mapping[str, int]], Mapping[str, int]]


class Story:
    """What members tried on a proposal, in the order of the blocks, and what the contract says came of it."""

    def __init__(self, seed: int) -> None:
        hall, draw = Hall(), random.Random(seed)
        hall.propose(Council.term(FEE, 50))
        hall.box.advance(minutes=16)  # it is over
        self.number = hall.propose(Council.term(FEE, draw.randrange(1, 1_000)))
        self.records = list(self._tried(hall, draw))
        self.told = hall.tally(self.number)

    def _tried(self, hall: Hall, draw: random.Random) -> Iterator[Record]:
        for _ in range(STEPS):
            who, choice = draw.choice(NAMES), draw.choice((*CHOICES, "no", "perhaps"))
            number = draw.choice((self.number, self.number, self.number, self.number - 1))
            took = hall.does(who, "vote", number=number, choice=choice)
            yield {"who": who, "proposal": number, "choice": choice, "accepted": took}


@cache
def story(seed: int) -> Story:
    """Return a vote as it went; the same seed gives the same one."""
    return Story(seed)


def vote(who: str, choice: str, proposal: int = 1, *, accepted: bool = True) -> Record:
    """Write down one vote as a block has it."""
    return {"who": who, "proposal": proposal, "choice": choice, "accepted": accepted}


SIMPLE: Final = (vote(BUREAU, "yes"), vote(OFFICE_A, "no"), vote(COMPOST, "abstain"), vote(PLANT, "no"))
WEIGHT_OF: Final = dict(zip(NAMES, WEIGHTS, strict=True))
NOTHING: Final = dict.fromkeys(CHOICES, 0)

E2 = Exercise("m15.e2", expects=callable)


def _same(said: Mapping[str, int], truth: Mapping[str, int]) -> bool:
    return {choice: said.get(choice, 0) for choice in CHOICES} == truth


@E2.part
def weights_are_added(recount: Recount) -> Miss | None:
    """Judge by four votes, each cast once."""
    said, truth = recount(list(SIMPLE), 1, WEIGHT_OF, NOTHING), {"yes": 4, "no": 6, "abstain": 1}
    if _same(said, truth):
        return None
    is_told = _same(said, NOTHING)
    return miss("believed") if is_told else miss("not_weight", said=dict(said), truth=truth)


@E2.part
def the_contract_is_not_believed(recount: Recount) -> Miss | None:
    """Judge by a contract with a mistake: it forgets to take the first vote out when somebody votes again."""
    wrong = {"yes": 8, "no": 6, "abstain": 1}
    said = recount([*SIMPLE, vote(OFFICE_A, "yes")], 1, WEIGHT_OF, wrong)
    return None if _same(said, {"yes": 8, "no": 2, "abstain": 1}) else miss("each_vote", said=dict(said))


@E2.part
def what_was_refused_does_not_count(recount: Recount) -> Miss | None:
    """Judge by a vote that stands in a block, and that the contract refused."""
    records = [*SIMPLE, vote(STATION, "no", accepted=False), vote(BUREAU, "perhaps", accepted=False)]
    truth = {"yes": 4, "no": 6, "abstain": 1}
    return None if _same(recount(records, 1, WEIGHT_OF, truth), truth) else miss("refused_counts")


@E2.part
def another_proposal_is_another(recount: Recount) -> Miss | None:
    """Judge by votes on two proposals in the same blocks."""
    records, truth = [*SIMPLE, vote(BUREAU, "no", 2), vote(OFFICE_B, "yes", 2)], {"yes": 4, "no": 6, "abstain": 1}
    return None if _same(recount(records, 1, WEIGHT_OF, truth), truth) else miss("other_proposal")


@E2.part
def it_is_the_count_of_the_contract(recount: Recount) -> Miss | None:
    """Judge by votes on the council's own contract, drawn by seeds: its count and yours agree."""
    for seed in seeds(6):
        one = story(seed)
        said = recount(one.records, one.number, WEIGHT_OF, one.told)
        if not _same(said, one.told):
            return miss("another_count", said=dict(said), truth=one.told)
    return None


# --- m15.e3: open, sealed, secret, or on paper ------------------------------------------------------------------------

KINDS: Final = ("open", "sealed", "secret", "paper")
QUESTIONS: Final = {
    "fee": "open",
    "contributions": "open",
    "forecast": "sealed",
    "offers": "sealed",
    "chair": "secret",
    "director": "secret",
    "mayor": "paper",
    "referendum": "paper",
}
REASONS: Final = ("device", "bystander", "no paper", "too slow", "no coin", "too few nodes")
STAYS: Final = frozenset(REASONS[:3])  # what no cryptography takes away: Park, Specter, Narula and Rivest (2021)

E3 = Exercise("m15.e3", expects=dict)


@E3.each(QUESTIONS)
def the_ballot_fits_the_question(answer: Mapping[str, Any], question: str) -> Miss | None:
    """Judge one question by who answers for it, who could copy, and who is afraid."""
    said, truth = answer.get(question, ""), QUESTIONS[question]
    if said == truth:
        return None
    if said not in KINDS:
        return miss("no_kind", question=question, said=said)
    if truth == "paper":
        return miss("elections", question=question, said=said)
    causes = {"open": "must_answer", "sealed": "copied", "secret": "afraid"}
    return miss("not_public" if said == "paper" else causes[truth], question=question, said=said)


@E3.part
def the_reasons_are_named(answer: Mapping[str, Any]) -> Miss | None:
    """Judge why it is not for public elections: by what stays, however good the cryptography is."""
    said = set(answer.get("why not", ()))
    if said == STAYS:
        return None
    return miss("mended_by_more", said=", ".join(sorted(said - STAYS))) if said - STAYS else miss("reason_missing")


EXERCISES: Final = {one.id: one for one in (P1, E1, E2, E3)}
