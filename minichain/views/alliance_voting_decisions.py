"""The screens of a decision: how it stands and what is still needed, voting, carrying out, and counting again."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.errors import UsageError
from minichain.views import alliance_voting_words as words
from minichain.views import frame, parts
from minichain.views.alliance_voting_hall import Hall, Prepared, dropdown
from minichain.views.alliance_voting_model import OPEN, VOTING, Alliance, Proposal
from minichain.views.i18n import _, clock, listed, number
from minichain.views.icons import icon
from minichain.views.markup import Child, Safe, join, tag
from minichain.views.moving import Pick, PickList
from minichain.views.panels import (
    Content,
    bar,
    bound,
    card,
    field,
    html,
    rebuilt,
    split,
    stack,
)
from minichain.views.parts import State
from minichain.views.telling import name_of

WAY: Final = ("Active", "Succeeded", "Queued", "Executed")


def screen(hall: Hall) -> W.Box:
    """Return the screen of the decisions: the list, and the one that is open."""
    model = hall.model
    picks = PickList(_("Proposals"), _("No proposal yet."))
    W.link((model, "chosen"), (picks, "selected"))
    model.observe(lambda _change: picks.show([_pick(one) for one in model.proposals]), "proposals")
    acting = rebuilt(model, ["chosen", "stage"], partial(_acting, hall))
    shown = bound(model, ["proposals", "chosen", "terms"], lambda: _opened(model), "mc-live")
    ballots = bound(model, ["proposals", "chosen"], lambda: _ballots(model.proposal))
    main = stack(card(shown), acting, card(ballots, title=_("Who said what")), _counting(hall))
    return split(card(picks, title=_("Proposals")), main)


def _pick(one: Proposal) -> Pick:
    title = f"{one.number}. {_(one.title)}"
    return Pick(str(one.number), title, words.times(one), *words.chip(one))


# --- how it stands -----------------------------------------------------------------------------------------------


def _opened(model: Alliance) -> Safe:
    one = model.proposal
    if one is None:
        return parts.paragraph(_("Choose a proposal."))
    reason = one.case["reason"]
    by = _("{who} proposes: {reason}").format(who=name_of(one.case["by"], model.names), reason=_(reason))
    terms = model.terms if one.status in OPEN else {}
    line = tag("div", tag("div", parts.heading(_(one.title), by)), parts.chip(*words.chip(one)), class_="mc-line")
    effects = parts.sentences([("info", told) for told in words.effects(one.calls, one.rows, terms)])
    times = [parts.paragraph(told) for told in (words.times(one), words.deposit(one)) if told]
    return join(line, effects, _way(one), tally_bar(one), _standing(one), *times)


def _way(one: Proposal) -> Safe:
    names = {
        "Active": _("Voting"),
        "Succeeded": _("Passed"),
        "Queued": _("Waiting out its time"),
        "Executed": _("Carried out"),
    }
    at = {"Extended": "Active", "ExecutionFailed": "Executed", "Pending": "Active", "Draft": "Active"}
    now = at.get(one.status, one.status)
    if now not in WAY:
        return join()
    place = WAY.index(now) + (one.status == "Executed")
    failed = one.status == "ExecutionFailed"
    steps: list[tuple[str, parts.Step]] = [
        (names[name], "done" if i < place else ("failed" if failed else "now") if i == place else "todo")
        for i, name in enumerate(WAY)
    ]
    return parts.progress(steps)


def tally_bar(one: Proposal) -> Safe:
    """Draw the weight of each choice as a bar, with a mark where the first clause is reached."""
    tally, names = one.tally, words.choices()
    whole = max(1, tally["eligible"])
    said = [(choice, tally[choice]) for choice in one.pack["choices"]]
    left = whole - sum(weight for _choice, weight in said)
    pieces = [*said[:1], ("", left), *said[1:]]
    drawn = (
        tag("span", class_=f"mc-cut mc-cut-{choice or 'none'}", style=f"--mc-part:{100 * weight / whole:.2f}%")
        for choice, weight in pieces
        if weight
    )
    told = [f"{names[choice]} {number(weight)}" for choice, weight in pieces]
    legend = (
        tag("span", tag("i", class_=f"mc-cut-{choice or 'none'}"), _weighed(choice, words_), class_="mc-legend-name")
        for (choice, _weight), words_ in zip(pieces, told, strict=True)
    )
    mark = _mark(one, whole)
    label = _("Of a weight of {whole}: {told}").format(whole=number(whole), told="; ".join(told))
    return tag(
        "figure",
        tag("div", drawn, mark, class_="mc-tally", role="img", aria_label=label),
        tag("figcaption", legend, class_="mc-tally-legend"),
        class_="mc-figure",
    )


def _weighed(choice: str, told: str) -> Child:
    return parts.proven(_("Weight, {choice}").format(choice=words.choices()[choice]), told) if choice else told


def _mark(one: Proposal, whole: int) -> Safe | None:
    """Mark how much yes is needed, where a clause says so of the weight of all."""
    for clause in one.track["clauses"]:
        if clause["kind"] == "majority" and (clause["measure"], clause["whole"], clause["seat"]) == ("weight", [], ""):
            part, of = clause["share"]
            needed = part * whole // of + (clause["comparator"] == ">" or part * whole % of > 0)
            said = _("{needed} needed").format(needed=number(needed))
            place = f"--mc-part:{100 * needed / whole:.2f}%"
            return tag("span", tag("b", said), class_="mc-tally-mark", style=place)
    return None


def _standing(one: Proposal) -> Safe:
    if one.status not in VOTING:
        return parts.paragraph(words.decided_by(one))
    found = one.standing
    passes: tuple[State, str] = ("ok", _("Yes.")) if found["can_pass"] else ("bad", _("No: whatever is still said."))
    blocks: tuple[State, str] = ("warn", _("Yes.")) if found["can_block"] else ("ok", _("No: it will pass."))
    if one.pack["revote"] or one.pack["delegation"]:
        passes = (passes[0], _("{told} Votes may still be changed.").format(told=passes[1]))
    lamps = tag(
        "div",
        parts.lamp(_("Can it still pass?"), *passes),
        parts.lamp(_("Can it still be blocked?"), *blocks),
        class_="mc-lamps",
    )
    rows = [("ok" if row["holds"] != (row["kind"] == "veto") else "info", _clause(row)) for row in found["clauses"]]
    return join(parts.sentences(rows), lamps)


def _clause(row: Any) -> Child:
    return join(tag("strong", words.needed(row)), tag("small", words.clause_words(row["clause"])))


def _ballots(one: Proposal | None) -> Safe:
    if one is None:
        return join()
    says = words.choices()
    delegates = {row[1]: row[5] for row in one.rows if row[5]}
    names = {row[1]: row[0] for row in one.rows}
    columns = [_("Member"), _("Weight"), _("Said"), *([_("Delegated to")] if delegates else [])]
    rows: list[list[Child]] = [
        [_(name), weight, says[choice], _(names[delegates[did]]) if did in delegates else ""][: len(columns)]
        for name, did, weight, choice in one.ballots
    ]
    return parts.table(_("Ballots"), columns, rows)


# --- acting ------------------------------------------------------------------------------------------------------


def _acting(hall: Hall) -> Sequence[Content]:
    one = hall.model.proposal
    if one is None or hall.model.is_pinned:
        return []
    if one.status in VOTING:
        return [_voting(hall, one)]
    if one.status == "Draft":
        return [_sponsoring(hall)]
    is_settled = one.status == "Pending" or not one.case["deposit"]
    return [*_carrying_out(hall, one), *([] if is_settled else [_settling(hall)])]


def _sponsoring(hall: Hall) -> W.Box:
    deed = hall.deed(_("Stand behind it"), "sponsor", lambda: {"number": hall.number()})
    sentence = _("It is put to the vote when enough members stand behind it.")
    return card(hall.people(), deed, title=_("Support"), sentence=sentence)


def _settling(hall: Hall) -> W.Box:
    deed = hall.deed(_("Settle the deposit"), "settle_deposit", lambda: {"number": hall.number()})
    sentence = _("The vote is over. Anybody may let the rules decide on the deposit.")
    return card(hall.people(), deed, title=_("Deposit"), sentence=sentence)


def _carrying_out(hall: Hall, one: Proposal) -> list[W.Box]:
    made: dict[str, tuple[str, str]] = {
        "Succeeded": ("queue", _("Let the wait begin")),
        "Queued": ("execute", _("Carry it out")),
        "ExecutionFailed": ("execute", _("Try again to carry it out")),
    }
    if one.status not in made:
        return []
    action, told = made[one.status]

    def arguments() -> dict[str, Any]:
        now = hall.model.proposal
        if now and now.status == "Queued" and now.pack["clock"] == "ms" and hall.model.now_ms < now.case["ready"]:
            words_ = _("It waits: it can be carried out from {at} on. Whom it concerns can act until then.")
            raise UsageError(words_.format(at=clock(now.case["ready"])))
        return {"number": hall.number()}

    deed = hall.deed(told, action, arguments, "executed" if action == "execute" else "")
    sentence = _("It has been decided. Any member may do this.")
    return [card(hall.people(), deed, title=_("Carry out"), sentence=sentence)]


def _voting(hall: Hall, one: Proposal) -> W.Box:
    says = words.choices()
    choice, chosen = dropdown([(says[name], name) for name in one.pack["choices"]], _("Your vote"))

    def arguments() -> dict[str, Any]:
        return {"number": hall.number(), "choice": choice.value}

    vote = hall.deed(_("Sign and vote"), "vote", arguments, "voted")
    last = _("Votes may be changed until it is decided.") if one.pack["revote"] else _("A vote cannot be changed.")
    more = [_recusing(hall)] if one.pack["recusal"] != "none" else []
    more += [_delegating(hall)] if hall.model.pack and hall.model.pack["delegation"] else []
    others = [frame.more(_("Step aside, or delegate"), *more)] if more else []
    return card(bar(hall.people(), chosen), vote, *others, title=_("Vote"), sentence=last)


def _recusing(hall: Hall) -> W.Box:
    reason = W.Text()
    deed = hall.deed(_("Step aside"), "recuse", lambda: {"number": hall.number(), "reason": reason.value.strip()})
    hint = _("Before you vote. By these rules your weight may leave the whole.")
    return stack(field(reason, _("What own interest do you have?"), hint), deed)


def _delegating(hall: Hall) -> W.Box:
    names = {name: did for did, name in hall.model.names.items()}
    people = [(_(row[0]), row[0]) for row in hall.model.members]
    to, chosen = dropdown([(_("nobody: take it back"), ""), *people], _("Who votes in your place?"))
    deed = hall.deed(_("Delegate"), "delegate", lambda: {"to": names.get(to.value, "")})
    hint = html(tag("p", _("It holds for what is proposed from now on; an own vote goes first."), class_="mc-hint"))
    return stack(chosen, hint, deed)


# --- counting again ----------------------------------------------------------------------------------------------


def _counting(hall: Hall) -> W.Box:
    def prepare() -> Prepared:
        number_ = hall.number()
        hall.model.do("counted")

        def count(council: Any) -> Any:
            minutes = council.minutes(number_)
            return number_, minutes.to_bytes(), council.audited(minutes)

        return count

    steps = [_("Blocks read"), _("Proofs checked"), _("Counted")]
    count = hall.action(_("Count it again from the blocks"), prepare, _counted, steps)
    sentence = _("Every vote is fetched with its proof and counted here; no node is believed.")
    return card(count, title=_("Count it yourself, and take the minutes"), sentence=sentence)


def _counted(found: Any) -> Child:
    number_, data, counted = found
    told = counted.told()
    result = listed(f"{words.choices()[choice]} {weight}" for choice, weight in told["result"].items())
    title = _("The votes add up to what the chain says: {result} of {whole}.").format(
        result=result, whole=number(told["weight"])
    )
    meanings = check_words()
    checks = [
        ("ok", _("{what} ({count} times)").format(what=meanings[name], count=number(count)))
        for name, count in counted.checks.items()
        if count
    ]
    block = _("as of block {height}, signed by {signers}").format(
        height=number(counted.standing.height), signers=listed(counted.standing.signers)
    )
    file = download(data, _("Save the minutes"), f"minutes-{number_}.json")
    hint = _("Check them anywhere, with no network: minichain verify minutes-{number}.json").format(number=number_)
    return join(
        parts.note("ok", title, tag("p", block)),
        parts.drawer(_("What was checked"), parts.sentences(checks)),
        tag("p", file, class_="mc-p"),
        tag("p", hint, class_="mc-hint"),
    )


def check_words() -> dict[str, str]:
    """Say what each check of minutes means."""
    return {
        "chain": _("all of it is of one chain, the one you look at"),
        "code": _("the contract that decides is the one this program knows"),
        "state": _("the proposal, its rules and its voters are what the chain holds"),
        "final": _("a transaction was signed by its sender and is final"),
        "order": _("the transactions are in the order of the chain"),
        "voter": _("whoever voted signed it, and had this weight where weights do not change"),
        "time": _("it was voted while votes were taken"),
        "choice": _("a vote says what the rules let it say"),
        "tally": _("the votes, counted anew, are the tally on the chain"),
        "outcome": _("by the clauses this tally has this outcome"),
    }


def download(data: bytes, told: str, name: str) -> Safe:
    """Offer bytes that the page has as a file."""
    address = f"data:application/json;base64,{b64encode(data).decode()}"
    return tag("a", icon("download", 18), told, href=address, download=name, class_="mc-link mc-save")
