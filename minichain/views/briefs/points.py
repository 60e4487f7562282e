"""Contribution points as the frame sees them: a trial on nobody, and the ledger up to a block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from minichain.errors import UsageError
from minichain.views import citizen_points_words as words
from minichain.views.case import Case, Figure, Finding, Functions, Settings, Told
from minichain.views.citizen_points_lab import distribution, group_columns, group_rows, setting_names
from minichain.views.citizen_points_model import CONTRACT, SUSPENDED, Trial
from minichain.views.i18n import _, number
from minichain.views.markup import Child
from minichain.views.replay import behind, replay
from minichain.views.stills import still

FOLLOWS: Final = ("seen", "result", "missing")
LEDGERS: Final = ("points-ledger", "points-cases")  # the contracts that keep entries and cases


def case(model: Any, errands: Any) -> Case:
    """Describe the dashboard; `errands` have a street."""
    return Case(
        name="citizen_points",
        title=_("Citizen points"),
        model=model,
        follows=FOLLOWS,
        does=Functions(_settings, _reload, tried, figures, _told, recompute),
        tasks=_tasks,
        limits=(
            _("whether somebody is a good person: points count deeds that were recorded, and nothing else"),
            _("whether what was recorded happened: the chain proves who signed what and when"),
            _("how real people would live under a rule: the residents of the trial are made up"),
            _("separate computers: here one visitor plays all roles; their keys lie in this network's directory"),
        ),
        errands=errands,
        gate=_gate,
    )


def _tasks() -> dict[str, str]:
    return {
        "objected": _("As the resident, object to the deduction. It takes three clicks. What happens to its effect?"),
        "approved": _("Verify an entry as street office B. Then try it as street office A, which recorded it."),
        "weighed": _("Verify the weighed drop before its load has arrived. Why does the contract say no? Bring it in."),
        "decided": _("At the appeal desk, decide a case with reasons. Then try it as somebody who had a part in it."),
        "served": _("At the door, accept a service that you did not apply for, or decline it. Then end your consent."),
        "unequal": _("Try a rule without the desk. Which group has nothing?"),
        "harm": _("In the laboratory, take a safeguard out and read the harm."),
        "erased": _("Withdraw as a resident. What does the chain still show?"),
    }


def _gate(_model: Any, decision: str, missing: Sequence[str]) -> None:
    if decision == "go" and missing:
        raise UsageError(_("Nobody goes ahead while a safeguard is missing: tick it, or decide otherwise."))


# --- its state ---------------------------------------------------------------------------------------------------


def _settings(model: Any) -> Settings:
    return {"height": max(0, model.height), "chain": model.chain, "missing": model.missing, **model.trial.settings}


def _reload(model: Any, settings: Settings) -> None:
    """Try the same again at once; the ledger as it was at that block comes when it has been executed anew."""
    model.bring(Trial.of(settings, tuple(model.workshop.schemes())), str(settings["missing"]))
    if not settings["chain"]:
        return
    if model.chain not in ("", settings["chain"]):
        words_ = _("The brief is about another network: its chain begins with {id}.")
        raise UsageError(words_.format(id=settings["chain"]))
    model.wanted = dict(settings)


# --- what it says ------------------------------------------------------------------------------------------------


def tried(model: Any) -> list[tuple[str, str]]:
    """Say what is tried, and which ledger is looked at."""
    made = model.workshop.schemes()[model.trial.scheme]
    known = model.workshop.safeguards()
    return [
        (_("Scheme"), words.own(made, "title")),
        *((told, number(getattr(model.trial, name))) for name, told in setting_names().items()),
        (_("A desk for people without a device"), _("yes") if model.trial.desk else _("no")),
        (
            _("Safeguard taken out, in the laboratory"),
            words.own(known[model.missing], "clause") if model.missing else _("none"),
        ),
        (_("The ledger up to block"), number(max(0, model.height))),
        (_("Chain"), model.chain or _("none yet")),
    ]


def figures(model: Any) -> list[Figure]:
    """Return what came of the trial, and what stands on the ledger."""
    return [*of_trial(model), *of_ledger(model.seen)]


def of_trial(model: Any) -> list[Figure]:
    """Return what a trial adds up to, and the harm that was seen."""
    result = model.result
    medians = {words.group_name(one.name): one.median_points for one in result.groups}
    wrong = sum(one.wrongly_deducted for one in result.groups)
    shut_out, lost = sum(one.shut_out or 0 for one in result.groups), sum(one.uncounted for one in result.groups)
    middle = _("Half of the group has as many points after a year, or more; a group of fewer than ten is not shown.")
    left = _("Residents who have left after misses in a row; fewer than ten are not told.")
    excluded = _("Residents without a device where there is no desk; groups with fewer than ten are left out.")
    found = [
        Figure(_("Points given in a year"), result.points, how=_("The sum over all residents who were made up.")),
        *(
            Figure(_("{group}: points in the middle").format(group=name), count or 0, how=middle)
            for name, count in medians.items()
        ),
        _people(_("Dropped out"), result.dropped_out, left),
        Figure(_("Shut out, where ten or more"), shut_out, how=excluded),
        Figure(_("Deeds not counted"), lost, how=_("What residents did and no device or desk has recorded.")),
        Figure(
            _("Wrong deductions"), wrong, how=_("Deductions for what somebody has not done, and did not object to.")
        ),
    ]
    if model.missing in model.harms and model.harms[model.missing][1]:
        harm = words.own(model.workshop.safeguards()[model.missing], "harm")
        found.append(Figure(_("Without the safeguard"), model.missing, harm))
    return found


def _people(name: str, count: int | None, how: str) -> Figure:
    return Figure(name, "<10", _("under 10"), how) if count is None else Figure(name, count, how=how)


def of_ledger(seen: Any) -> list[Figure]:
    """Return what stands on the ledger of the street; nothing if there is none."""
    if seen is None:
        return []
    states = [one["entry"]["state"] for one in seen.entries]
    cases = [one["case"] for one in seen.cases]
    decided = [one for one in cases if one["outcome"]]
    stopped, changed = sum(state in SUSPENDED for state in states), sum(one["outcome"] != "Upheld" for one in decided)
    suspended = _("Entries under an objection or an appeal: they count for nothing until somebody has decided.")
    return [
        Figure(_("Entries"), len(states), how=_("Everything that was recorded about the residents of the street.")),
        Figure(_("In effect"), states.count("Effective"), how=_("Entries that count today.")),
        Figure(_("Effect suspended"), stopped, how=suspended),
        Figure(_("Cases"), len(cases), how=_("Objections and appeals, open or decided.")),
        Figure(_("Decisions"), len(decided), how=_("Cases that a person has decided, or that ran out of time.")),
        Figure(_("Decisions that changed something"), changed, how=_("All decisions but those that upheld the entry.")),
    ]


def _told(model: Any) -> Told:
    rows: list[list[Child]] = group_rows(model.result)
    return Told(
        question=_("What would these rules do to the people of a street, and to whom of them most?"),
        chart=still(distribution(model.result)),
        caption=_("The same rules, group by group"),
        columns=group_columns(),
        rows=rows,
        safeguards=(
            _("Each rule names its basis, a cap and an end; another member of the committee has adopted it."),
            _("Nothing has an effect before a notice with reasons and the time to object; an objection suspends."),
            _("A person who had no part in it decides, in time; otherwise the resident is right."),
            _("There is a desk for people without a device, and nobody is ranked."),
            _("Nothing that anybody has a right to depends on points; personal data stay off the chain."),
            *_taken_out(model),
        ),
        alternative=_("Thank people without counting: fixed rewards for everybody who sorts, or a better service."),
        seed=str(model.trial.seed),
        unproven=(_("what a rule does to real people: only a pilot with consent shows that"),),
    )


def _taken_out(model: Any) -> list[str]:
    """Name the safeguard that was taken out: the brief has to list it."""
    if not model.missing:
        return []
    return [_("Put back: {clause}").format(clause=words.own(model.workshop.safeguards()[model.missing], "clause"))]


# --- made anew ---------------------------------------------------------------------------------------------------


def recompute(model: Any, street: Any) -> list[Finding]:
    """Let the residents live again from their seed, and execute every block up to the one that the page shows."""
    source = _("made anew from seed {seed}; no block stands behind it").format(seed=model.trial.seed)
    drawn = [Finding(*pair, source) for pair in zip(of_trial(model), of_trial(model.again()), strict=True)]
    shown = of_ledger(model.seen)
    if not shown:
        return drawn
    run = replay(street.net, model.height)
    again = of_ledger(seen_in(run, street))
    blocks = run.blocks_of(*LEDGERS)
    return drawn + [Finding(*pair, behind(run), blocks) for pair in zip(shown, again, strict=True)]


def seen_in(run: Any, street: Any) -> Any:
    """Return what a street would have shown in a replayed chain; None if it was not open yet."""
    return street.look(run) if run.has_contract(CONTRACT) else None
