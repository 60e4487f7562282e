"""Do we need a chain? A case, eight questions, and a ladder on which a chain is the last rung and not the first.

`Worksheet` is what the page knows, and is tested without one; the rules are in `scenarios.need`, as data. The page
asks one question at a time, and says what decided and what would change it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses
import traitlets as T  # noqa: N812 - beside W

from minichain.views import frame, parts
from minichain.views.briefs import need as brief
from minichain.views.briefs.need import TEXTS, answer_names, said
from minichain.views.i18n import _, listed, number
from minichain.views.markup import Child, Safe, fill, join, tag
from minichain.views.panels import Content, Page, bar, bound, button, card, field, html, rebuilt, row, stack, tabs
from minichain.views.parts import State

_STATES: Final[Mapping[str, State]] = {"yes": "ok", "no": "bad", "unsure": "warn"}

# --- what the page knows -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rung:
    """A rung of the ladder in the viewer's words."""

    name: str
    means: str
    is_chain: bool


class Worksheet(T.HasTraits):
    """A case and the answers to it; `position` is the question that is asked now, `screen` the one that is open."""

    card = T.Unicode("")
    who = T.Unicode("")
    record = T.Unicode("")
    dispute = T.Unicode("")
    answers: Any = T.Dict()
    additions: Any = T.Dict()
    is_about_persons = T.Bool(False)
    position = T.Int(0)
    screen = T.Int(0)
    done: Any = T.Any(frozenset())

    def __init__(self, need: Any) -> None:
        super().__init__()
        self.need = need

    @property
    def asked(self) -> tuple[Any, ...]:
        """Return every question, those about the kind last."""
        return (*self.need.data().question, *self.need.data().kind)

    @property
    def questions(self) -> tuple[str, ...]:
        return tuple(question.id for question in self.asked)

    @property
    def possible(self) -> tuple[str, ...]:
        """Return the names of the additions."""
        return tuple(addition.id for addition in self.need.data().addition)

    @property
    def rungs(self) -> dict[str, Rung]:
        """Return the ladder from below."""
        first = self.need.RUNGS.index("alliance")
        return {
            rung.id: Rung(said(rung.name), said(rung.means), place >= first)
            for place, rung in enumerate(self.need.data().rung)
        }

    @property
    def verdict(self) -> Any:
        return self.need.judge(self.answers)

    @property
    def title(self) -> str:
        """Name the case in a few words."""
        found = self.found
        return said(found.title) if found else self.record.strip() or _("a case of our own")

    @property
    def found(self) -> Any:
        """Return the card that is chosen, or None."""
        return next((card for card in self.need.cards() if card.id == self.card), None)

    @property
    def alternative(self) -> str:
        """Say what is simpler than the verdict, and when it would be enough."""
        rung = self.verdict.rung
        below = list(self.need.RUNGS)[max(0, self.need.RUNGS.index(rung) - 1)]
        if below == rung:
            return _("None: this is the simplest rung already.")
        shown = next(one for one in self.need.data().rung if one.id == below)
        return f"{said(shown.name)}: {said(shown.means)} {said(shown.enough)}"

    def ask(self, name: str) -> str:
        """Return the words of a question."""
        return next(said(question.ask) for question in self.asked if question.id == name)

    def short(self, name: str) -> str:
        """Return a few words for a question."""
        words = {
            "record": _("looked up later"),
            "writers": _("several write"),
            "conflict": _("other interests"),
            "keeper": _("no trusted keeper"),
            "history": _("harm by changes"),
            "private": _("private data outside"),
            "modest": _("small and slow"),
            "digital": _("checked when written"),
            "open": _("anybody writes"),
            "visible": _("anybody checks"),
        }
        return words[name]

    def reach(self, question: Any) -> tuple[int, str]:
        """Return the highest rung that the answer to a question leaves, and its place."""
        rungs = list(self.need.RUNGS)
        rung = rungs[-1] if self.answers.get(question.id) == "yes" else question.cap
        return rungs.index(rung), rung

    def choose(self, card: str) -> None:
        """Begin with a card, or with a case of one's own; its answers are one's own in any case."""
        with self.hold_trait_notifications():
            self.card = card if any(one.id == card for one in self.need.cards()) else ""
            found = self.found
            self.answers, self.additions, self.position = {}, {}, 0
            self.is_about_persons = bool(found and found.persons)
            for name in TEXTS:
                setattr(self, name, said(getattr(found, name)) if found else "")

    def answer(self, name: str, answer: str) -> None:
        """Answer a question, and go on to the next one."""
        self.answers = {**self.answers, name: answer}
        places = [question.id for question in self.need.data().question]
        if name in places:
            self.position = min(places.index(name) + 1, len(places) - 1)
            if set(places) <= set(self.answers):
                self.done |= {"answered"}
        self._look()

    def _look(self) -> None:
        said_by = {self.rungs[one.rung].is_chain for one in self.need.opinions(self.answers)}
        if len(said_by | {self.verdict.is_chain}) > 1 and "answered" in self.done:
            self.done |= {"differ"}

    def flip(self, name: str, answer: str) -> None:
        """Try another answer, to see the verdict change."""
        self.answers = {**self.answers, name: answer}
        self.done |= {"flip"}

    def compare(self) -> None:
        """Answer as the authors of the card did."""
        if self.found:
            self.answers = dict(self.found.answers)
            self.done |= {"panel", "answered"}
            self._look()


# --- how it looks ------------------------------------------------------------------------------------------------


def page(need: Any) -> Page:
    """Build the worksheet; `need` has the rules and the cards (`scenarios.need`)."""
    model = Worksheet(need)
    screens = tabs(
        (_("1. The case"), _case(model)),
        (_("2. Is it needed?"), _questions(model)),
        (_("3. Which kind?"), _kind(model)),
        (_("4. Verdict"), _verdict(model)),
        (_("5. Four frameworks"), _frameworks(model)),
        (_("6. Funnel and addition"), _funnel(model)),
    )
    W.link((model, "screen"), (screens, "selected_index"))
    return frame.page(brief.case(model), screens)


def _shows(model: Worksheet, screen: int) -> Callable[[], None]:
    return lambda: model.set_trait("screen", screen)


def _case(model: Worksheet) -> W.Box:
    options = [(_("a case of our own"), ""), *((said(one.title), one.id) for one in model.need.cards())]
    which = W.Dropdown(options=options, value=model.card)
    which.observe(lambda change: model.choose(change.new), "value")
    model.observe(lambda _change: which.set_trait("value", model.card), "card")
    persons = W.Checkbox(description=_("Entries on persons decide what they get"), indent=False)
    persons.add_class("mc-failure")
    W.link((model, "is_about_persons"), (persons, "value"))
    return card(
        bar(field(which, _("Begin with")), button(_("Answer the questions"), _shows(model, 1), "primary")),
        row(
            field(_text(model, "who"), _("Who takes part?")),
            field(_text(model, "record"), _("What is recorded?")),
            field(_text(model, "dispute"), _("What is there to argue about?")),
        ),
        persons,
        title=_("The case"),
        sentence=_("Take one of twenty cases, or describe your own. Leave out names of private persons."),
    )


def _text(model: Worksheet, name: str) -> W.Text:
    made = W.Text(value=getattr(model, name))
    W.link((model, name), (made, "value"))
    return made


def _questions(model: Worksheet) -> W.Box:
    asked = rebuilt(model, ["position", "card"], lambda: _question(model))
    answers = bound(model, ["answers", "position"], lambda: _so_far(model))
    return row(card(asked), card(answers, title=_("So far")))


def _question(model: Worksheet) -> Sequence[Content]:
    questions = model.need.data().question
    question = questions[model.position]
    count = _("Question {number} of {count}").format(number=number(model.position + 1), count=number(len(questions)))

    def go(step: int) -> Callable[[], None]:
        place = min(max(0, model.position + step), len(questions) - 1)
        return lambda: model.set_trait("position", place)

    verdict = button(_("See the verdict"), _shows(model, 3), "primary")
    return [
        html(_asked(count, question)),
        _answering(model, question.id),
        bar(button(_("Back"), go(-1)), button(_("Next"), go(1)) if model.position < len(questions) - 1 else verdict),
    ]


def _asked(count: str, question: Any) -> Safe:
    examples = [
        (_("Yes, for example"), said(question.yes)),
        (_("No, for example"), said(question.no)),
    ]
    return join(
        tag("p", count, class_="mc-hint"), tag("p", said(question.ask), class_="mc-question"), parts.facts(examples)
    )


def _answering(model: Worksheet, name: str) -> W.Box:
    kinds = {"yes": _("Yes"), "no": _("No"), "unsure": _("Not sure")}
    made = [button(words, _answers(model, name, answer)) for answer, words in kinds.items()]

    def follow(_change: Any) -> None:
        for (answer, _words), one in zip(kinds.items(), made, strict=True):
            (one.add_class if model.answers.get(name) == answer else one.remove_class)("mc-primary")

    follow(None)
    model.observe(follow, "answers")
    return bar(*made)


def _answers(model: Worksheet, name: str, answer: str) -> Callable[[], None]:
    return lambda: model.answer(name, answer)


def _so_far(model: Worksheet) -> Safe:
    lines: list[Child | tuple[State, Child]] = []
    names = answer_names()
    for question in model.need.data().question:
        given = model.answers.get(question.id)
        chip = parts.chip(_STATES[given], names[given]) if given else parts.chip("plain", _("open"))
        lines.append((_STATES[given] if given else "plain", join(model.short(question.id), " ", chip)))
    return parts.sentences(lines)


def _kind(model: Worksheet) -> W.Box:
    def shown() -> Sequence[Content]:
        verdict = model.verdict
        if not verdict.is_chain:
            words = _("This is asked only if a chain is needed. By your answers, this is enough: {rung}.")
            return [parts.note("info", words.format(rung=model.rungs[verdict.rung].name))]
        return [
            stack(html(_asked("", question)), _answering(model, question.id)) for question in model.need.data().kind
        ]

    return card(
        rebuilt(model, ["answers"], shown),
        title=_("Which kind of chain?"),
        sentence=_("Who may write and who may check are two questions, and neither follows from the other."),
    )


# --- the verdict -------------------------------------------------------------------------------------------------


def _verdict(model: Worksheet) -> W.Box:
    return row(
        card(bound(model, ["answers", "card"], lambda: _ladder(model), "mc-live"), title=_("The ladder")),
        card(
            rebuilt(model, ["answers", "card"], lambda: _why(model)),
            title=_("Why, and what would change it"),
        ),
    )


def _ladder(model: Worksheet) -> Safe:
    now = model.verdict.rung
    rungs = [_rung(name, rung, name == now) for name, rung in reversed(model.rungs.items())]
    return tag("ol", rungs, class_="mc-ladder")


def _rung(name: str, rung: Rung, is_here: bool) -> Safe:
    chip = parts.chip("ok", _("enough")) if is_here else None
    return tag(
        "li",
        tag("strong", rung.name, " ", chip),
        tag("small", rung.means),
        class_="mc-here" if is_here else None,
        aria_current="step" if is_here else None,
    )


def _why(model: Worksheet) -> Sequence[Content]:
    verdict, names = model.verdict, answer_names()
    shown: list[Content] = [_decided(model)]
    if verdict.to_find_out:
        lines = [("warn", model.ask(name)) for name in verdict.to_find_out]
        shown.append(parts.drawer(_("Not known yet; find out first"), parts.sentences(lines), is_open=True))
    words = _("With {answer} to: {question} → {rung}")
    changes = [
        button(
            words.format(question=model.ask(name), answer=names[answer], rung=model.rungs[rung].name),
            _flips(model, name, answer),
        )
        for name, answer, rung in verdict.changes
    ]
    if changes:
        shown += [html(tag("p", tag("strong", _("One other answer would change the verdict")), class_="mc-p"))]
        shown += [W.Box(changes, _dom_classes=["mc-changes"])]
    else:
        shown.append(parts.paragraph(_("No single other answer would change the verdict.")))
    shown.append(_reasons(model))
    if model.found:
        words = _("Answer as the authors of this case did")
        shown += [button(words, model.compare), html(_compared(model))]
    return shown


def _flips(model: Worksheet, name: str, answer: str) -> Callable[[], None]:
    return lambda: model.flip(name, answer)


def _decided(model: Worksheet) -> Safe:
    verdict = model.verdict
    answer = answer_names()[model.answers.get(verdict.decisive, "")]
    title = fill(_("Enough: {rung}"), rung=parts.proven(_("Verdict"), model.rungs[verdict.rung].name))
    words = _("Decided by: {question} Your answer: {answer}.")
    decisive = parts.proven(_("Decided by the question"), model.ask(verdict.decisive))
    told = fill(words, question=decisive, answer=answer)
    shown = [tag("p", told)]
    is_early = any(question.id not in model.answers for question in model.need.data().question)
    if is_early:
        shown += [tag("p", _("Not all questions are answered yet, and an open one counts as not sure."))]
    return parts.note("info" if verdict.is_chain or is_early else "ok", title, *shown)


def _reasons(model: Worksheet) -> Safe:
    def listed_by(is_for: bool) -> Safe:
        asked = [
            question for question in model.need.data().question if (model.answers.get(question.id) == "yes") == is_for
        ]
        lines = [("ok" if is_for else "bad", model.ask(question.id)) for question in asked]
        return parts.sentences(lines) if lines else parts.paragraph(_("Nothing."))

    both = ((_("For a chain"), True), (_("Against a chain, or not known"), False))
    return parts.drawer(
        _("Reasons for and against"), *(join(parts.heading(title), listed_by(is_for)) for title, is_for in both)
    )


def _compared(model: Worksheet) -> Safe:
    if "panel" not in model.done or model.answers != model.found.answers:
        return Safe("")
    words = _("The authors would choose: {rung}.").format(rung=model.rungs[model.found.panel].name)
    return parts.note("ok" if model.found.panel == model.verdict.rung else "warn", words)


# --- four frameworks ---------------------------------------------------------------------------------------------


def _frameworks(model: Worksheet) -> W.Box:
    def shown() -> Safe:
        opinions, verdict = model.need.opinions(model.answers), model.verdict
        rows: list[list[Child]] = [
            [
                tag("strong", _("This worksheet")),
                _says(model, verdict.rung, _("Verdict")),
                model.ask(verdict.decisive),
                len(model.need.data().question),
            ],
        ]
        for one in opinions:
            name = said(one.framework.name)
            rows.append([name, _says(model, one.rung, name), said(one.path[-1].step.ask), len(one.path)])
        columns = [_("Framework"), _("Says"), _("Decided by the question"), _("Questions taken")]
        table = parts.table(_("The same answers in four frameworks"), columns, rows)
        return tag("div", _differ(model), table, _steps(model, opinions), class_="mc-spaced")

    return card(
        bound(model, ["answers"], shown),
        title=_("Four ways to decide"),
        sentence=_("The same answers, led through three published flowcharts and through this worksheet."),
    )


def _says(model: Worksheet, rung: str, figure: str) -> Safe:
    shown = model.rungs[rung]
    return parts.proven(figure, parts.chip("info" if shown.is_chain else "ok", shown.name))


def _differ(model: Worksheet) -> Safe:
    opinions = {said(one.framework.name): one.rung for one in model.need.opinions(model.answers)}
    ours = model.verdict
    others = [name for name, rung in opinions.items() if model.rungs[rung].is_chain != ours.is_chain]
    if not others:
        return parts.note("ok", _("All four agree on whether a chain is needed."))
    words = _("{names} come to another answer than this worksheet on whether a chain is needed.")
    return parts.note("warn", words.format(names=listed(others)))


def _compared_with() -> Mapping[str, str]:
    return {
        "original": _("Restated in our own words, and compared with the original."),
        "quoted": _("Restated in our own words, and compared with copies that quote its questions, not the original."),
        "": _("Restated in our own words, and not compared with the original."),
    }


def _steps(model: Worksheet, opinions: Sequence[Any]) -> Safe:
    names = answer_names()
    made = []
    for one in opinions:
        lines = [(_STATES[taken.answer], f"{said(taken.step.ask)} {names[taken.answer]}") for taken in one.path]
        note = _compared_with()[one.framework.compared]
        source = tag("p", one.framework.source, " ", note, class_="mc-hint")
        made.append(parts.drawer(said(one.framework.name), parts.sentences(lines), source))
    return tag("div", made, class_="mc-spaced")


# --- funnel and addition -----------------------------------------------------------------------------------------


def _funnel(model: Worksheet) -> W.Box:
    return row(
        card(
            bound(model, ["answers"], lambda: _narrowing(model)),
            title=_("The funnel takes away"),
            sentence=_("Each question lets only some cases through. The first answer that is no clear yes ends it."),
        ),
        card(
            *(_addition(model, addition) for addition in model.need.data().addition),
            bound(model, ["additions"], lambda: _added(model)),
            title=_("The addition adds"),
            sentence=_("What would become possible that is not today, and what each of it costs."),
        ),
    )


def _narrowing(model: Worksheet) -> Safe:
    left = model.need.funnel(model.answers)
    lines = [
        (
            "ok" if is_left else "bad",
            join(model.ask(question.id), " ", tag("b", _("goes on") if is_left else _("ends"))),
        )
        for question, is_left in left
    ]
    ended = not left[-1][1]
    title = _("The case ends at question {number}.") if ended else _("The case passes all {number} questions.")
    return join(parts.sentences(lines), parts.note("ok" if ended else "info", title.format(number=number(len(left)))))


def _addition(model: Worksheet, addition: Any) -> W.Box:
    options = [(_("not answered"), ""), *((words, answer) for answer, words in answer_names().items())]
    made = W.Dropdown(options=options, value=model.additions.get(addition.id, ""))

    def change(_change: Any) -> None:
        model.additions = {**model.additions, addition.id: made.value}

    made.observe(change, "value")
    model.observe(lambda _change: made.set_trait("value", model.additions.get(addition.id, "")), "additions")
    return field(made, said(addition.ask))


def _added(model: Worksheet) -> Safe:
    chosen = [addition for addition in model.need.data().addition if model.additions.get(addition.id) == "yes"]
    if not chosen:
        return parts.paragraph(_("Nothing is added yet, and so nothing is to be paid."))
    kinds = {"people": _("People"), "money": _("Money"), "speed": _("Speed"), "privacy": _("Privacy")}
    rows: list[list[Child]] = [
        [name, *(said(addition.costs[kind]) for addition in chosen)] for kind, name in kinds.items()
    ]
    return parts.table(_("What it costs"), ["", *(said(addition.ask) for addition in chosen)], rows)
