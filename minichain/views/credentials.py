"""Cards and data: a resident shows what is needed and sees who looked, an office issues and revokes, others ask.

`Desk` (in `residents`) is what the page knows; here is only how it looks. One visitor plays all the roles, because a
demonstration has to show both sides of each: the page says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.errors import UsageError
from minichain.views import parts, residents
from minichain.views.i18n import _, listed, moment, ngettext, number
from minichain.views.markup import Child, Safe, join, tag
from minichain.views.moving import Pick, PickList
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
from minichain.views.polling import Errands, LiveLoop
from minichain.views.residents import Desk, DeskReader, claim_names, flat, purpose_names, value_words

DAYS: Final = 30


class View:
    """What every screen needs: the model, how to reach the town, and what a person may choose from."""

    def __init__(self, connect: Callable[[], Any], town: Any) -> None:
        self.model, self.errands = Desk(), Errands(connect)
        self.live = LiveLoop(connect, DeskReader(), self.model.show)
        self.model.supervisor = town.parties[-1]
        self.town = town  # the class: who there is, and what is on a card

    def choose(self, trait: str, label: str, names: Sequence[str]) -> W.Box:
        """Return a list to choose a role from."""
        chosen = W.Dropdown(options=[(_(name), name) for name in names])
        setattr(self.model, trait, names[0])
        W.link((self.model, trait), (chosen, "value"))
        return field(chosen, label)

    def picks(self, trait: str, label: str, empty: str, follows: Sequence[str], rows: Callable[[], Any]) -> PickList:
        """Return a list to choose one thing from, kept in a trait of the model."""
        picks = PickList(label, empty)
        W.link((self.model, trait), (picks, "selected"))
        self.model.observe(lambda _change: picks.show(rows()), list(follows))
        return picks

    def action(
        self, words: str, prepare: Callable[[], Callable[[Any], Any]], done: Callable[[Any], Child]
    ) -> LongAction:
        """Return a button for something that the network has to agree on."""
        steps = [_("Signed"), _("Agreed"), _("Final")]

        def begin() -> Callable[..., Any]:
            work = prepare()

            def run(town: Any, say: Callable[..., None]) -> Any:
                say(1, _("More than two thirds of the validators have to agree."))
                return work(town)

            return run

        return LongAction(words, steps, self.errands, begin, done)

    def do(self, name: str) -> None:
        """Tick a task."""
        self.model.done |= {name}


def page(connect: Callable[[], Any], town: Any) -> Page:
    """Build the dashboard; `connect()` opens a town, `town` is its class."""
    view = View(connect, town)
    model, screens = view.model, tabs()
    screens.children = [_resident(view), _office(view), _verifier(view), _reader(view)]
    screens.titles = (_("Resident"), _("Office"), _("Check a card"), _("Read a record"))
    limits = [
        _("whether the office was right: a card says what the office believed"),
        _("what somebody does with data after reading them: who has read has read"),
        _("separate computers: here one visitor plays all roles; their keys and data lie in this network's directory"),
    ]
    shown = [_figures(view), screens, _chain(view), bound(model, ["done"], lambda: _tasks(model))]
    begin = _start(view)

    def content() -> Sequence[Content]:
        return [begin] if model.height >= 0 and not model.is_founded else shown

    return Page(rebuilt(model, ["is_founded", "height"], content), limits=limits, live=view.live)


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


def _tasks(model: Desk) -> Safe:
    tasks = {
        "answered": _("As the resident, answer the library. Which facts stay with you?"),
        "checked": _("As the library, check the answer clause by clause."),
        "revoked": _("As the office, revoke that card, and let the library check again."),
        "looked": _("As the clinic, ask for a record for another purpose than was granted."),
        "erased": _("As the resident, have the record erased. What does the chain still show?"),
    }
    return parts.tasks(_("Try this"), [(name in model.done, words) for name, words in tasks.items()])


def _figures(view: View) -> W.Box:
    model = view.model

    def cards() -> Safe:
        revoked = sum(one.revoked > 0 for one in model.issued)
        return parts.kpi(_("Cards issued"), len(model.issued), note=_("{count} revoked").format(count=number(revoked)))

    def questions() -> Safe:
        open_ones = sum(not one.answer for one in model.questions)
        note = _("{count} without an answer").format(count=number(open_ones))
        return parts.kpi(_("Questions"), len(model.questions), note=note)

    def attempts() -> Safe:
        shared = sum(bool(share.record) for share in model.shares)
        note = _("{attempts} attempts to read, {refused} refused")
        told = note.format(attempts=number(model.attempts), refused=number(model.refused))
        return parts.kpi(_("Records shared"), shared, note=told)

    def personal() -> Safe:
        return parts.kpi(_("Last block"), model.height, note=_("search all of them below"))

    follows = ["issued", "questions", "shares", "logs", "height"]
    return band(*(bound(model, follows, render) for render in (cards, questions, attempts, personal)))


# --- the resident ------------------------------------------------------------------------------------------------


def _resident(view: View) -> W.Box:
    model = view.model
    follows = ["questions", "resident"]

    def waiting() -> list[Pick]:
        return [_question_pick(one, _(one.verifier)) for one in model.waiting]

    questions = view.picks("question", _("Questions to you"), _("Nobody waits for an answer."), follows, waiting)
    who = view.choose("resident", _("You are"), view.town.residents)
    side = stack(card(who, html(parts.heading(_("Questions to you"))), questions), _wallet(view))
    main = rebuilt(model, ["question", "questions", "cards", "resident"], partial(_answering, view))
    return stack(split(side, main), _sharing(view))


def _question_pick(question: Any, title: str) -> Pick:
    names = claim_names()
    line = listed(names.get(path, path) for path in question.wanted)
    word = _("answered") if question.answer else _("waiting")
    return Pick(str(question.number), title, line, "ok" if question.answer else "info", word)


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
    table = parts.table(
        _("What is on your card"), [_("Fact"), _("Your card says"), _("{who} gets").format(who=who)], rows
    )

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
    chip = parts.chip("info", _("this")) if is_shown else parts.chip("plain", _("stays with you"))
    return [claim_names()[path], value_words(value), chip]


def _wallet(view: View) -> W.Box:
    model = view.model

    def told() -> Safe:
        lines = [_card_line(one, model.is_revoked(one)) for one in model.own_cards]
        return parts.sentences(lines) if lines else parts.paragraph(_("No card yet. Ask the office for one."))

    sentence = _("One for each verifier, each with its own key: two who compare notes find nothing in common.")
    return card(bound(model, ["cards", "issued", "resident"], told), title=_("My cards"), sentence=sentence)


def _card_line(one: Any, is_revoked: bool) -> tuple[parts.State, Child]:
    words = _("Resident card, for {who}").format(who=_(one.verifier))
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
    log = rebuilt(model, ["share", "shares", "logs"], partial(_log, view))
    sentence = _(
        "My health record is closed for each of them by itself; on the chain stands a number that tells nothing."
    )
    left = card(picks, _share_form(view), title=_("Who may read my record"), sentence=sentence)
    return row(left, log)


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
    lines = [residents.log_line(entry) for entry in reversed(model.logs.get(share.number, ()))]
    told = [(state, join(words, tag("small", when))) for state, words, when in lines]
    shown = parts.sentences(told) if told else parts.paragraph(_("Nobody has asked for it."))
    sentence = _("Written down before anything is handed out, refusals too. Newest first.")
    place = stack()
    buttons = (
        [_erasing(view, share, place)]
        if share.taken_back
        else [_taking_back(view, share, place), _erasing(view, share, place)]
    )
    return [card(html(shown), *buttons, place, title=title, sentence=sentence)]


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


# --- the office --------------------------------------------------------------------------------------------------


def _office(view: View) -> W.Box:
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
        view.do("revoked")
        return _("Revoked in block {height}: it fails everywhere from now on.").format(height=number(receipt.height))

    return [view.action(_("Revoke this card"), lambda: lambda town: town.cards.revoke(number_), done)]


# --- who checks a card -------------------------------------------------------------------------------------------


def _verifier(view: View) -> W.Box:
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
        return [_question_pick(one, _(one.resident)) for one in model.asked_by]

    picks = view.picks("asked", _("What you asked"), _("Nothing yet."), ["questions", "verifier"], rows)
    hint = html(parts.paragraph(_("Ask only for what you need: each fact is a burden to you, too.")))
    form = card(
        who,
        field(whom, _("Ask")),
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

    def check() -> None:
        errand(view.errands, lambda town: town.cards.check(question.number), then, place)

    sentence = _("Each check is against something. A result is never just yes or no.")
    again = _("Check again") if model.report is not None else _("Check the answer")
    shown = [html(_report(model.report))] if model.report is not None else []
    return [card(button(again, check, "primary"), place, *shown, title=title, sentence=sentence)]


def _report(report: Any) -> Safe:
    names = residents.clause_names()
    lines = []
    for clause in report.clauses:
        words = residents.clause_words(clause.name, clause.state)
        lines.append(
            (residents.clause_state(clause.state), join(tag("strong", names[clause.name]), tag("small", words)))
        )
    exactly = parts.drawer(
        _("Exactly"), parts.facts([(clause.name, parts.codeline(clause.said)) for clause in report.clauses])
    )
    return join(_verdict(report), parts.sentences(lines), exactly)


def _verdict(report: Any) -> Safe:
    if not report.holds:
        words = residents.clause_words(report.failure.name, "failed")
        return parts.note(
            "bad",
            _("It does not hold: {clause}").format(clause=residents.clause_names()[report.failure.name]),
            tag("p", words),
        )
    facts = [(claim_names().get(path, path), value_words(value)) for path, value in flat(report.claims).items()]
    return parts.note("ok", _("It holds. This is all you learn:"), parts.facts(facts))


# --- who reads a record ------------------------------------------------------------------------------------------


def _reader(view: View) -> W.Box:
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
    return Pick(str(one.number), f"{one.record.hex():.10}…", line, *residents.share_state(one))


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

    hint = _("It stays with the court; the chain keeps a salted digest of it.")
    sentence = _("Only who was appointed may order, and who orders does not read.")
    order = view.action(_("Let the court order it"), prepare, done)
    return card(field(text, _("The written order"), hint), order, title=_("An order of the court"), sentence=sentence)


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

    def done(found: Any) -> Child:
        traces, values, blocks = found
        words = _(
            "{finds} finds: {values} names, numbers and streets in {blocks} blocks, in plain, encoded and as digests."
        )
        return words.format(finds=number(len(traces)), values=number(values), blocks=number(blocks))

    words = _("Search every block for everybody's data")
    button_ = LongAction(words, [_("Searched")], view.errands, lambda: search, done)
    sentence = _("The last entries as they stand there. Find a name, if you can.")
    return card(
        bound(model, ["calls"], told), button_, title=_("What everybody can read on the chain"), sentence=sentence
    )
