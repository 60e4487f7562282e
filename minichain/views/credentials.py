"""Cards and data: a resident shows what is needed and sees who looked, an office issues and revokes, others ask.

`Desk` (in `residents`) is what the page knows; here is only how it looks. One visitor plays all the roles, because a
demonstration has to show both sides of each: the page says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.views import askers, frame, parts, residents
from minichain.views.briefs import credentials as brief
from minichain.views.i18n import _, listed, ngettext, number
from minichain.views.markup import Child, Safe, join, tag
from minichain.views.moving import Pick
from minichain.views.panels import (
    ConfirmButton,
    Content,
    LongAction,
    Page,
    band,
    bound,
    button,
    card,
    errand,
    field,
    html,
    rebuilt,
    row,
    split,
    stack,
    tabs,
)
from minichain.views.residents import Desk, claim_names, purpose_names, value_words
from minichain.views.roleplay import View, question_pick

DAYS: Final = 30


def page(connect: Callable[[], Any], town: Any) -> Page:
    """Build the dashboard; `connect()` opens a town, `town` is its class."""
    view = View(connect, town)
    model, screens = view.model, tabs()
    screens.children = [_resident(view), askers.office(view), askers.verifier(view), askers.reader(view)]
    screens.titles = (_("Resident"), _("Office"), _("Check a card"), _("Read a record"))
    shown = [_figures(view), screens, _chain(view)]
    begin = _start(view)

    def content() -> Sequence[Content]:
        return [begin] if model.height >= 0 and not model.is_founded else shown

    case = brief.case(model, view.errands, town)
    return frame.page(case, rebuilt(model, ["is_founded", "height"], content), live=view.live)


def _start(view: View) -> W.Box:
    def play(town: Any, say: Callable[..., None]) -> None:
        say(0)
        town.play(lambda words: say(1, _(words)))

    steps = [_("Rules on the ledger"), _("A morning"), _("Final")]
    begin = LongAction(_("Open the town"), steps, view.errands, lambda: play, lambda _nothing: "")
    sentence = _(
        "Three residents, an office, a library and a clinic. Everything is really signed; only the people are made up."
    )
    return card(begin, title=_("There is no office on this network yet."), sentence=sentence)


def told_by_town() -> tuple[str, ...]:
    """Return what the town tells while it opens, so that the catalogues have it."""
    return (
        _("The rules for cards and data go on the ledger."),
        _("The office issues three cards."),
        _("The library asks two residents."),
        _("A resident shares a record with the clinic, which reads it, and asks for more than it may."),
    )


def _figures(view: View) -> W.Box:
    model = view.model

    def cards() -> Safe:
        revoked = sum(one.revoked > 0 for one in model.issued)
        note = _("{count} revoked").format(count=number(revoked))
        return parts.kpi(_("Cards issued"), len(model.issued), note=note, figure=_("Cards issued"))

    def questions() -> Safe:
        open_ones = sum(not one.answer for one in model.questions)
        note = _("{count} without an answer").format(count=number(open_ones))
        return parts.kpi(_("Questions"), len(model.questions), note=note, figure=_("Questions"))

    def attempts() -> Safe:
        shared = sum(bool(share.record) for share in model.shares)
        note = _("{attempts} attempts to read, {refused} refused")
        told = note.format(attempts=number(model.attempts), refused=number(model.refused))
        return parts.kpi(_("Records shared"), shared, note=told, figure=_("Records shared"))

    def personal() -> Safe:
        return parts.kpi(_("Last block"), model.height, note=_("search all of them below"), figure=_("Blocks"))

    follows = ["issued", "questions", "shares", "logs", "height"]
    return band(*(bound(model, follows, render) for render in (cards, questions, attempts, personal)))


# --- the resident ------------------------------------------------------------------------------------------------


def _resident(view: View) -> W.Box:
    model = view.model
    follows = ["questions", "resident"]

    def waiting() -> list[Pick]:
        return [question_pick(one, _(one.verifier)) for one in model.waiting]

    questions = view.picks("question", _("Questions to you"), _("Nobody waits for an answer."), follows, waiting)
    who = view.choose("resident", _("You are"), view.town.residents)
    side = card(who, html(parts.heading(_("Questions to you"))), questions)
    main = rebuilt(model, ["question", "questions", "cards", "resident"], partial(_answering, view))
    return stack(split(side, main), _sharing(view))


def _answering(view: View) -> Sequence[Content]:
    model, question = view.model, view.model.chosen("question")
    if question is None or question.resident != model.resident:
        return [card(html(parts.paragraph(_("Nobody is asking you anything."))), title=_("Show what is needed"))]
    who, place = _(question.verifier), stack()
    title = _("{who} asks you").format(who=who)
    if question.answer:
        words = _("You have shown {claims}. Everything else stayed with you.")
        told = words.format(claims=listed(claim_names()[path] for path in question.wanted))
        return [card(html(parts.note("ok", _("Answered"), tag("p", told))), title=title)]
    said = view.town.on_card(question.resident)
    rows: list[list[Child]] = [_claim_row(path, value, path in question.wanted) for path, value in said.items()]
    table = parts.table(_("What is on your card"), [_("Fact"), _("Your card says"), who], rows)

    def then(_answer: Any) -> None:
        view.do("answered")

    def show() -> None:
        errand(view.errands, lambda town: town.cards.answer(question.number), then, place)

    words = _("Show exactly this")
    kept = len(said) - len(question.wanted)
    note = ngettext("{count} fact stays with you.", "{count} facts stay with you.", kept).format(count=number(kept))
    sentence = join(note, " ", _("The answer works for this question only."))
    missing = parts.note(
        "warn", _("You have no card for {who} yet.").format(who=who), tag("p", _("Ask the office for one."))
    )
    act = button(words, show, "primary") if model.has_card_for(question) else html(missing)
    return [card(html(table), act, place, title=title, sentence=sentence)]


def _claim_row(path: str, value: Any, is_shown: bool) -> list[Child]:
    chip = parts.chip("info", _("gets this")) if is_shown else parts.chip("plain", _("stays with you"))
    return [claim_names()[path], value_words(value), chip]


def _wallet(view: View) -> W.Box:
    model = view.model

    def told() -> Safe:
        lines = [_card_line(one, model.is_revoked(one)) for one in model.own_cards]
        return parts.sentences(lines) if lines else parts.paragraph(_("No card yet. Ask the office for one."))

    sentence = _("One for each verifier, each with its own key: two who compare notes find nothing in common.")
    return card(bound(model, ["cards", "issued", "resident"], told), title=_("My cards"), sentence=sentence)


def _card_line(one: Any, is_revoked: bool) -> tuple[parts.State, Child]:
    words = _("Card {number}, for {who}").format(number=number(one.number), who=_(one.verifier))
    chip = parts.chip("bad", _("revoked")) if is_revoked else parts.chip("ok", _("valid"))
    key = _("key {key}").format(key=f"{one.holder.removeprefix('did:key:'):.14}…")
    return ("bad" if is_revoked else "ok"), join(words, " ", chip, tag("small", key))


def _sharing(view: View) -> W.Box:
    model = view.model

    def rows() -> list[Pick]:
        names = purpose_names()
        made = [(one, residents.share_state(one)) for one in reversed(model.own_shares)]
        return [Pick(str(one.number), _(one.party), names[one.purpose], *state) for one, state in made]

    follows = ["shares", "resident"]
    picks = view.picks("share", _("Who may read my record"), _("You share nothing."), follows, rows)
    log = rebuilt(model, ["share", "shares", "resident"], partial(_log, view))
    sentence = _(
        "My health record is encrypted for each of them separately. The chain holds only a number that tells nothing."
    )
    left = card(picks, _share_form(view), title=_("Who may read my record"), sentence=sentence)
    return stack(row(_wallet(view), left), log)


def _share_form(view: View) -> W.Box:
    model = view.model
    purpose = W.Dropdown(
        options=[(words, code) for code, words in purpose_names().items() if code in view.town.purposes]
    )

    def prepare() -> Callable[[Any], Any]:
        return partial(_share, model.resident, view.town.parties[0], purpose.value)

    def done(share: Any) -> Child:
        model.share = str(share.number)
        return _("Shared for {days} days. The chain shows a number, a key and a purpose.").format(days=DAYS)

    words = _("Share it with the clinic for {days} days").format(days=DAYS)
    return stack(field(purpose, _("For what")), view.action(words, prepare, done))


def _share(resident: str, party: str, purpose: str, town: Any) -> Any:
    return town.data.share(resident, party, purpose, DAYS)


def _log(view: View) -> Sequence[Content]:
    model, share = view.model, view.model.chosen("share")
    title = _("Who looked, and why")
    if share is None or share.resident != model.resident:
        return [card(html(parts.paragraph(_("Share a record first."))), title=title)]
    if not share.record:
        words = _("Data, salt and keys are destroyed. The number on the chain stays, and nobody can tell whose it was.")
        return [card(html(parts.note("ok", _("Erased"), tag("p", words))), title=title)]
    sentence = _("Written down before anything is handed out, refusals too. Newest first.")
    place = stack()
    take_back = [] if share.taken_back else [_taking_back(view, share, place)]
    # Only the lines follow the log: a button that asks for confirmation must not be made anew under somebody's hand.
    lines = bound(model, ["logs"], partial(_log_lines, model, share.number))
    return [card(lines, *take_back, _erasing(view, share, place), place, title=title, sentence=sentence)]


def _log_lines(model: Desk, share: int) -> Safe:
    lines = [residents.log_line(entry) for entry in reversed(model.logs.get(share, ()))]
    told = [(state, join(words, tag("small", when))) for state, words, when in lines]
    return parts.sentences(told) if told else parts.paragraph(_("Nobody has asked for it."))


def _taking_back(view: View, share: Any, place: W.Box) -> ConfirmButton:
    def go() -> None:
        errand(view.errands, lambda town: town.data.take_back(share.number), lambda _receipt: None, place)

    question = _("From the next block on {who} gets nothing, and the record is closed anew. What was read stays read.")
    return ConfirmButton(_("Take it back"), question.format(who=_(share.party)), _("Take it back"), go)


def _erasing(view: View, share: Any, place: W.Box) -> ConfirmButton:
    def go() -> None:
        errand(view.errands, lambda town: town.data.erase(share.number), lambda _receipt: view.do("erased"), place)

    question = _("The data, the salt and the keys are destroyed. Nobody can bring them back, you neither.")
    return ConfirmButton(_("Have it erased"), question, _("Erase"), go)


# --- what the chain shows ----------------------------------------------------------------------------------------


def _chain(view: View) -> W.Box:
    model = view.model

    def told() -> Safe:
        lines = [
            ("plain", [tag("div", parts.codeline(text)) for text in residents.raw_call(entry)]) for entry in model.calls
        ]
        return parts.sentences(lines) if lines else parts.paragraph(_("Nothing yet."))

    def search(town: Any, say: Callable[..., None]) -> Any:
        say(0)
        return town.search()

    def done(searched: Any) -> Child:
        traces, values, blocks = searched
        words = _(
            "{found} We looked for {values} names, numbers and streets in {blocks} blocks: "
            "as they are, encoded, and as digests."
        )
        finds = ngettext("Found {count} time!", "Found {count} times!", len(traces)).format(count=number(len(traces)))
        found = finds if traces else _("Nothing was found.")
        return words.format(found=found, values=number(values), blocks=number(blocks))

    words = _("Search every block for everybody's data")
    button_ = LongAction(words, [_("Searched")], view.errands, lambda: search, done)
    sentence = _("The last entries, with long numbers cut short. Find a name, if you can.")
    return card(
        bound(model, ["calls"], told), button_, title=_("What everybody can read on the chain"), sentence=sentence
    )
