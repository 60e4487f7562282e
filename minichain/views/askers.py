"""The screens of those who issue, ask and read, on the page of cards and data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.errors import UsageError
from minichain.views import parts, residents
from minichain.views.i18n import _, moment, number
from minichain.views.markup import Child, Safe, join, tag
from minichain.views.moving import Pick
from minichain.views.panels import (
    Content,
    button,
    card,
    errand,
    field,
    html,
    rebuilt,
    split,
    stack,
)
from minichain.views.residents import Desk, claim_names, flat, purpose_names, value_words
from minichain.views.roleplay import View, question_pick

# --- the office --------------------------------------------------------------------------------------------------


def office(view: View) -> W.Box:
    """Return the screen of the office: issue, and revoke."""
    model, place = view.model, stack()
    who = W.Dropdown(options=[(_(name), name) for name in view.town.residents])
    whom = W.Dropdown(options=[(_(name), name) for name in view.town.verifiers])

    def issue() -> None:
        said = _("Issued. Nothing went on the chain: only a revocation will.")
        resident, verifier = who.value, whom.value

        def then(_card: Any) -> None:
            place.children = [html(parts.note("ok", said))]

        errand(view.errands, lambda town: town.cards.issue(resident, verifier), then, place)

    form = card(
        field(who, _("For")),
        field(whom, _("To be shown to"), _("The office hands it over and does not keep this.")),
        button(_("Issue a card"), issue, "primary"),
        place,
        title=_("Issue"),
    )

    def rows() -> list[Pick]:
        return [_register_pick(one) for one in reversed(model.issued)]

    picks = view.picks("card", _("The office's register"), _("No card yet."), ["issued"], rows)
    sentence = _("The register stays in the office. The chain does not know it.")
    register = card(
        picks,
        rebuilt(model, ["card", "issued"], partial(_revoking, view)),
        title=_("The office's register"),
        sentence=sentence,
    )
    return split(form, register)


def _register_pick(one: Any) -> Pick:
    words = _("issued {when} · place {place} of the list").format(when=moment(one.at), place=number(one.place))
    state: tuple[parts.State, str] = ("bad", _("revoked")) if one.revoked else ("ok", _("valid"))
    return Pick(
        str(one.number), _("Card {number} of {who}").format(number=one.number, who=_(one.resident)), words, *state
    )


def _revoking(view: View) -> Sequence[Content]:
    one = view.model.chosen("card")
    if one is None:
        return [html(parts.paragraph(_("Choose a card to revoke it.")))]
    if one.revoked:
        words = _("Since block {height}. On the chain: place {place} of list 1 is marked, and nothing else.")
        told = words.format(height=number(one.revoked), place=number(one.place))
        return [html(parts.note("bad", _("This card is revoked."), tag("p", told)))]
    number_ = one.number

    def done(receipt: Any) -> Child:
        return _("Revoked in block {height}: it fails everywhere from now on.").format(height=number(receipt.height))

    return [view.action(_("Revoke this card"), lambda: lambda town: town.cards.revoke(number_), done)]


# --- who checks a card -------------------------------------------------------------------------------------------


def verifier(view: View) -> W.Box:
    """Return the screen of whoever checks a card: ask, and check clause by clause."""
    model, place = view.model, stack()
    who = view.choose("verifier", _("You are"), view.town.verifiers)
    whom = W.Dropdown(options=[(_(name), name) for name in view.town.residents])
    toggles = W.Box([_toggle(model, path) for path in view.town.on_card(view.town.residents[0])])
    toggles.add_class("mc-needs")
    model.wanted = frozenset({"overEighteen"})

    def ask() -> None:
        verifier, resident, wanted = (
            model.verifier,
            whom.value,
            [path for path in claim_names() if path in model.wanted],
        )
        if not wanted:
            raise UsageError(_("Choose at least one fact."))

        def then(question: Any) -> None:
            model.asked = str(question.number)

        errand(view.errands, lambda town: town.cards.ask(verifier, resident, *wanted), then, place)

    def rows() -> list[Pick]:
        return [question_pick(one, _(one.resident)) for one in model.asked_by]

    picks = view.picks("asked", _("What you asked"), _("Nothing yet."), ["questions", "verifier"], rows)
    hint = html(parts.paragraph(_("Ask only for what you need: each fact is a burden to you, too.")))
    form = card(
        who,
        field(whom, _("Whom you ask")),
        hint,
        toggles,
        button(_("Ask"), ask, "primary", place),
        place,
        title=_("Ask for what is needed"),
    )
    follows = ["asked", "questions", "report"]
    return split(stack(form, card(picks, title=_("What you asked"))), rebuilt(model, follows, partial(_checking, view)))


def _toggle(model: Desk, path: str) -> W.ToggleButton:
    made = W.ToggleButton(value=path == "overEighteen", description=claim_names()[path])

    def turn(change: Any) -> None:
        model.wanted = model.wanted | {path} if change.new else model.wanted - {path}

    made.observe(turn, "value")
    return made


def _checking(view: View) -> Sequence[Content]:
    model, question = view.model, view.model.chosen("asked")
    title = _("Clause by clause")
    if question is None:
        return [card(html(parts.paragraph(_("Ask somebody something."))), title=title)]
    if not question.answer:
        words = _("{who} has not answered yet. Choose the tab Resident, and answer.").format(who=_(question.resident))
        return [card(html(parts.paragraph(words)), title=title)]
    place = stack()

    def then(report: Any) -> None:
        model.report = report
        view.do("checked")
        if report.failure and report.failure.name == "status":
            view.do("revoked")

    def check() -> None:
        errand(view.errands, lambda town: town.cards.check(question.number), then, place)

    sentence = _("Each clause is checked by itself, and says what it was checked against.")
    again = _("Check again") if model.report is not None else _("Check the answer")
    shown = [html(told_report(model.report))] if model.report is not None else []
    return [card(button(again, check, "primary"), place, *shown, title=title, sentence=sentence)]


def told_report(report: Any) -> Safe:
    """Tell a report clause by clause."""
    names = residents.clause_names()
    lines = []
    for clause in report.clauses:
        words = residents.clause_words(clause.name, clause.state)
        lines.append(
            (residents.clause_state(clause.state), join(tag("strong", names[clause.name]), tag("small", words)))
        )
    said = [(clause.name, parts.codeline(clause.said)) for clause in report.clauses]
    exactly = parts.drawer(_("In the words of the program (English)"), parts.facts(said))
    return join(_verdict(report), parts.sentences(lines), exactly)


def _verdict(report: Any) -> Safe:
    if not report.holds:
        words = residents.clause_words(report.failure.name, "failed")
        return parts.note("bad", _("It does not hold."), tag("p", words))
    facts = [(claim_names().get(path, path), value_words(value)) for path, value in flat(report.claims).items()]
    return parts.note("ok", _("It holds. This is all you learn:"), parts.facts(facts))


# --- who reads a record ------------------------------------------------------------------------------------------


def reader(view: View) -> W.Box:
    """Return the screen of whoever wants to read a record, also under an order."""
    model = view.model
    who = view.choose("party", _("You are"), view.town.parties)

    def rows() -> list[Pick]:
        return [_record_pick(one) for one in model.shared_with]

    empty = _("No record is shared.")
    picks = view.picks("record", _("Records"), empty, ["shares", "party"], rows)
    side = card(who, html(parts.heading(_("Records"))), picks)
    return split(side, rebuilt(model, ["record", "party", "looked"], partial(_reading, view)))


def _record_pick(one: Any) -> Pick:
    line = _("for {purpose}").format(purpose=purpose_names()[one.purpose])
    words = _("Record {key}").format(key=f"{one.record.hex():.10}…")
    return Pick(str(one.number), words, line, *residents.share_state(one))


def _reading(view: View) -> Sequence[Content]:
    model, share = view.model, view.model.chosen("record")
    if share is None or not share.record:
        return [card(html(parts.paragraph(_("Choose a record."))), title=_("Ask for a record"))]
    is_supervision = model.party == model.supervisor
    names = purpose_names()
    codes = [view.town.supervision] if is_supervision else list(view.town.purposes)
    purpose = W.Dropdown(options=[(names[code], code) for code in codes])

    def prepare() -> Callable[[Any], Any]:
        party, wanted = model.party, purpose.value
        return lambda town: (wanted, town.data.look(party, share.number, wanted))

    def done(answer: Any) -> Child:
        wanted, looked = answer
        if not looked.allowed and wanted != share.purpose:
            view.do("looked")
        return _looked(looked)

    sentence = _("Your question is written down for its subject to read, whatever the answer.")
    look = view.action(_("Ask for the record"), prepare, done)
    shown = [card(field(purpose, _("For what")), look, title=_("Ask for a record"), sentence=sentence)]
    return [*shown, _ordering(view, share)] if is_supervision else shown


def _looked(looked: Any) -> Safe:
    if not looked.allowed:
        why = residents.reasons().get(looked.why, looked.why)
        why = why[:1].upper() + why[1:]
        words = tag(
            "p", _("{why}. This attempt is number {number} in the subject's log.").format(why=why, number=looked.number)
        )
        return parts.note("warn", _("Refused"), words)
    facts = [(claim_names().get(path, path), value_words(value)) for path, value in flat(looked.data).items()]
    return parts.note(
        "ok", _("Handed out, and number {number} in the subject's log").format(number=looked.number), parts.facts(facts)
    )


def _ordering(view: View, share: Any) -> W.Box:
    text = W.Text(value=_("Does the clinic keep to the purpose?"))

    def prepare() -> Callable[[Any], Any]:
        if not text.value.strip():
            raise UsageError(_("Write the order first."))
        words = text.value.strip()
        return lambda town: town.data.order(share.number, words)

    def done(receipt: Any) -> Child:
        return _("Ordered in block {height}, for seven days. The subject can see it.").format(
            height=number(receipt.height)
        )

    hint = _("It stays with the court; the chain keeps only a fingerprint of it.")
    sentence = _("Only who was appointed may order, and who orders does not read.")
    order = view.action(_("Let the court order it"), prepare, done)
    return card(field(text, _("The written order"), hint), order, title=_("An order of the court"), sentence=sentence)
