"""Alliance voting as the frame sees it: its state is the council up to a block, and what was tried on paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, Final

from minichain.contracts.rulebook import count, outcome
from minichain.errors import UsageError
from minichain.views import alliance_voting_words as words
from minichain.views.alliance_voting_model import (
    FULL,
    MOST_NEWCOMER,
    VOTING,
    Alliance,
    Proposal,
    Snapshot,
    ballots_of,
    read_council,
    written,
)
from minichain.views.case import Case, Figure, Finding, Functions, Settings, Told
from minichain.views.i18n import _, listed, number, short, shortened
from minichain.views.markup import Child
from minichain.views.replay import behind, replay
from minichain.views.stills import columns

MOST_RULES: Final = 5  # in the table: more do not fit on the page with a long question
MOST_TITLE: Final = 30  # letters of a proposal's title
FOLLOWS: Final = ("height", "proposals", "chosen", "members", "rules", "quota", "newcomer", "what_if")


def case(model: Alliance, errands: Any) -> Case:
    """Describe the dashboard; `errands` have a council."""
    return Case(
        name="alliance_voting",
        title=_("Alliance voting"),
        model=model,
        follows=FOLLOWS,
        does=Functions(_settings, _reload, tried, figures, _told, recompute),
        tasks=_tasks,
        limits=(
            _("whether a vote was free: who was persuaded, paid or ordered to say what it said"),
            _("separate computers: here one visitor acts for all members; their keys lie in this network's directory"),
            _("whether a decision is lawful or wise: the rules say what passes, and nothing else"),
            _("that secret ballots hide who voted: only what was said is hidden"),
        ),
        errands=errands,
    )


def _tasks() -> dict[str, str]:
    return {
        "voted": _("Vote until the open proposal has passed. How much weight was still needed?"),
        "executed": _("Carry it out. Why does it wait first?"),
        "tried": _("Propose to admit a member, and look at the dry run."),
        "power": _("Find a share by which nobody is without power, and nobody can stop everything."),
        "compared": _("Put the same ballots under every rule. Which clause turns the result?"),
        "challenged": _("Hold a secret ballot, and look into a device before you trust it."),
        "counted": _("Count a decision again, and save its minutes."),
    }


# --- its state ---------------------------------------------------------------------------------------------------


def _settings(model: Alliance) -> Settings:
    return {
        "height": max(0, model.height),
        "chain": model.chain,
        "chosen": model.chosen,
        "rules": model.rules,
        "quota": model.quota,
        "newcomer": model.newcomer,
        "ballots": written(model.what_if, model.rows),
    }


def _reload(model: Alliance, settings: Settings) -> None:
    """Show what was tried at once; the council as it was at that block comes when it has been executed anew."""
    if settings["rules"] not in model.council.names_of_rules():
        raise UsageError(_("This program does not know the rules of this run code."))
    if not (0 <= int(settings["quota"]) <= FULL and 0 <= int(settings["newcomer"]) <= MOST_NEWCOMER):
        raise UsageError(_("The settings of this run code are none of this page."))
    chain = settings["chain"]
    if chain and model.chain not in ("", chain):
        raise UsageError(_("The brief is about another network: its chain begins with {id}.").format(id=chain))
    with model.hold_trait_notifications():
        model.rules, model.quota = str(settings["rules"]), int(settings["quota"])
        model.newcomer = int(settings["newcomer"])
        model.wanted = dict(settings) if chain and int(settings["height"]) != model.height else {}
    if not model.wanted:
        model.chosen = str(settings["chosen"])
        model.what_if = ballots_of(str(settings["ballots"]), model.rows)


def replayed(council: Any, run: Any) -> Snapshot:
    """Return the council in a replayed chain."""
    found = Snapshot()
    if run.has_contract(council.house):
        found = read_council(council, run.view, lambda key: run.values().get(key, b""))
    now_ms = run.head.time_ms if run.head else 0
    return replace(
        found,
        height=run.height,
        chain=short(run.genesis.hash),
        now_ms=now_ms,
        proposals=tuple(one.at(now_ms, run.height) for one in found.proposals),
    )


# --- what it says ------------------------------------------------------------------------------------------------


def tried(model: Alliance) -> list[tuple[str, str]]:
    """Say what is looked at, and what was tried."""
    one = model.proposal
    said = Counter(model.what_if.values())
    ballots = listed(f"{told} {number(said[choice])}" for choice, told in words.choices().items() if said[choice])
    return [
        (_("The chain up to block"), number(max(0, model.height))),
        (_("Chain"), model.chain or _("none yet")),
        (_("The open proposal"), f"{one.number}. {shortened(_(one.title), MOST_TITLE)}" if one else _("none")),
        (_("Rules whose power is shown"), words.rule_name(model.rules)),
        (_("Share needed in favour"), f"{model.quota} %" if model.quota else _("as the rules have it")),
        (_("Weight of a new member"), number(model.newcomer) if model.newcomer else _("nobody joins")),
        (_("Ballots that are compared"), ballots or _("as cast on the open proposal")),
    ]


def figures(model: Alliance) -> list[Figure]:
    """Return what the open proposal has come to, how many rules would pass it, and who has power."""
    return [*_of_proposal(model), _passing(model), *_of_power(model)]


def _of_proposal(model: Alliance) -> list[Figure]:
    one = model.proposal
    if one is None:
        return [Figure(_("Proposals"), 0, how=_("All proposals that were ever made to the council."))]
    cast = _("The weights of all who said so, as they were fixed when it was proposed.")
    said = [
        Figure(_("Weight, {choice}").format(choice=words.choices()[name]), one.tally[name], how=cast)
        for name in one.pack["choices"]
    ]
    left = [row["missing"] for row in one.standing["clauses"]] if one.status in VOTING else []
    short_of = _("What the clause that is furthest away still lacks; nothing once the vote is over.")
    needed = Figure(_("Weight still needed"), max([0, *left]), how=short_of)
    all_of_them = _("The weights of all members but those who stepped aside.")
    eligible = Figure(_("Weight of all who may vote"), one.tally["eligible"], how=all_of_them)
    return [*said, eligible, needed, _status(one)]


def _status(one: Proposal) -> Figure:
    how = _("From the votes, the rules and the time of the last block.")
    return Figure(_("State of the proposal"), one.status, words.chip(one)[1], how)


def _passing(model: Alliance) -> Figure:
    passed = sum(one.status == "Succeeded" for one in model.decisions) if model.rows else 0
    how = _("The same ballots are put under each of the rules; those that pass are counted.")
    return Figure(_("Rules under which the ballots pass"), passed, how=how)


def _of_power(model: Alliance) -> list[Figure]:
    try:
        power = model.power() if model.members else None
    except UsageError:
        power = None
    return _powers(len(power.dummies), len(power.veto_players)) if power else _powers(0, 0)


def _powers(dummies: int, vetoes: int) -> list[Figure]:
    none, all_ = _("Members who turn no coalition from losing to winning."), _("Members of every coalition that wins.")
    return [
        Figure(_("Members without any power"), dummies, how=none),
        Figure(_("Members who can stop everything"), vetoes, how=all_),
    ]


def _told(model: Alliance) -> Told:
    one = model.proposal
    says = words.choices()
    bars = (
        [(says[name], float(one.tally[name]), number(one.tally[name])) for name in one.pack["choices"]] if one else []
    )
    decisions = _telling(model)
    caption = _("The same ballots under {shown} of {count} rules, and the clause that made the difference")
    return Told(
        question=_("By which rules should these institutions decide, and who can stop or force a decision?"),
        chart=columns(_("The weight of each choice on the open proposal"), bars),
        caption=caption.format(shown=len(decisions), count=len(model.council.names_of_rules())),
        columns=[_("Rules"), _("Outcome"), _("The clause that made the difference")],
        rows=[_row(model, found) for found in decisions],
        safeguards=(
            _("Who may vote, and with what weight, is fixed when something is proposed."),
            _("A change of the rules or of the members needs more than an ordinary decision."),
            _("There is a wait before a decision is carried out, and somebody watches it."),
            _("Who has an own interest steps aside, with a reason that can be read."),
            _("Somebody who is no member counts the votes again."),
        ),
        alternative=_(
            "A signed resolution that goes round by mail, where members meet seldom and trust one secretariat."
        ),
        unproven=(_("whether members who vote alike are independent of each other: count owners, not votes"),),
    )


def _telling(model: Alliance) -> list[Any]:
    """Return what some rules make of the ballots: the own ones, then those that decide otherwise, as many as fit."""
    found = sorted(model.decisions if model.rows else (), key=lambda one: one.pack != model.council.own_rules)
    return sorted(found, key=lambda one: one is not found[0] and one.status == found[0].status)[:MOST_RULES]


def _row(model: Alliance, found: Any) -> list[Child]:
    clauses = {clause["id"]: clause for clause in model.council.rules(found.pack)["tracks"]["ordinary"]["clauses"]}
    told = words.clause_words(clauses[found.clause]) if found.clause in clauses else ""
    return [words.rule_name(found.pack), _("passes") if found.status == "Succeeded" else _("fails"), told]


# --- made anew ---------------------------------------------------------------------------------------------------


def recompute(model: Alliance, council: Any) -> list[Finding]:
    """Execute every block up to the one that is shown; count votes and coalitions one by one."""
    shown = figures(model)
    run = replay(council.net, max(0, model.height))
    again = Alliance(model.council)
    again.show(replayed(council, run))
    again.chosen = model.chosen
    for name in ("rules", "quota", "newcomer", "what_if"):
        setattr(again, name, getattr(model, name))
    again.proposals = tuple(_recounted(one) for one in again.proposals)
    made = [*_of_proposal(again), _passing(again), *_listed(again)]
    source, blocks = behind(run), run.blocks_of(council.house)
    paper = _("every coalition looked at, one by one; no block stands behind a power")
    *voted, weak, strong = zip(shown, made, strict=True)
    return [*(Finding(*pair, source, blocks) for pair in voted), Finding(*weak, paper), Finding(*strong, paper)]


def _recounted(one: Proposal) -> Proposal:
    """Return a proposal with its votes counted from the beginning."""
    dids = {row[0]: row[1] for row in one.ballots}
    ballots = {dids[name]: choice for name, choice in one.said.items() if choice}
    if [row[:3] for row in one.rows] != [row[:3] for row in one.ballots]:
        return one  # weights are those of the moment, and have changed since: the next vote counts anew
    tally = count(dict(one.pack), [list(row) for row in one.rows], ballots, list(one.recused))
    return replace(one, case={**one.case, "tally": tally})


def _listed(model: Alliance) -> list[Figure]:
    """Find who has no power and who can stop everything by looking at every coalition."""
    rows = [list(row) for row in model.with_newcomer]
    for at, row in enumerate(rows):
        row[1] = row[1] or str(at)
    wins = _winning(model.tried_pack, rows)
    everybody = range(len(rows))
    dummies = [
        one for one in everybody if all((coalition ^ {one} in wins) == (coalition in wins) for coalition in _all(rows))
    ]
    vetoes = [one for one in everybody if wins and all(one in coalition for coalition in wins)]
    return _powers(len(dummies), len(vetoes)) if wins else _powers(0, 0)


def _all(rows: Sequence[Any]) -> list[frozenset[int]]:
    return [frozenset(some) for size in range(len(rows) + 1) for some in combinations(range(len(rows)), size)]


def _winning(pack: Mapping[str, Any], rows: list[Any]) -> set[frozenset[int]]:
    """Return the coalitions whose yes passes, whatever all others say."""
    track = pack["tracks"]["ordinary"]

    def passes(coalition: frozenset[int], others: str) -> bool:
        said = {row[1]: "yes" if at in coalition else others for at, row in enumerate(rows)}
        cast = {did: choice for did, choice in said.items() if choice}
        return bool(outcome(track, count(dict(pack), rows, cast, []))["status"] == "Succeeded")

    return {one for one in _all(rows) if one and all(passes(one, other) for other in ("", *pack["choices"][1:]))}
