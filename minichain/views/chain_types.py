"""Kinds of ledger side by side: the same work on each, who could stop or rewrite it, and attacks that are really tried.

`ChainTypes` is what the page knows, and is tested without one; `page` is how it looks. Every figure comes from a run in
this kernel with the design that the sliders show; another design shows none until it has run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Protocol

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses
import traitlets as T  # noqa: N812 - beside W

from minichain.views import frame, ledgers, parts
from minichain.views.briefs import chain_types as brief
from minichain.views.i18n import _, number
from minichain.views.ledgers import Attempt, Figures, Line
from minichain.views.markup import Child, Safe, join, tag
from minichain.views.moving import Slide
from minichain.views.ownermap import owner_map
from minichain.views.panels import Page, Progress, bar, bound, button, card, field, row, stack, tabs
from minichain.views.polling import Errands

LEAST, MOST = 4, 13
ALL: Final = "all"
Answer = Mapping[str, Any]


class Bench(Protocol):
    """Where ledgers are run and attacked (`scenarios.comparison`)."""

    def outline(self, kind: str, validators: int, owners: int) -> Answer:
        """Return who owns what, without running anything."""

    def run(self, kind: str, validators: int, owners: int) -> Answer:
        """Return the figures of one kind."""

    def attack(self, kind: str, name: str, validators: int, owners: int) -> Answer:
        """Return what came of an attack."""


# --- what the page knows -----------------------------------------------------------------------------------------

Job = tuple[str, Callable[[Any], Any]]  # its name for people, and what to do with the bench


class ChainTypes(T.HasTraits):
    """The design that is set, what was found about each design, and what the reader needs."""

    validators = T.Int(LEAST, min=LEAST, max=MOST)
    owners = T.Int(LEAST, min=1, max=MOST)
    kind = T.Unicode(ALL)
    figures: Any = T.Dict()  # (kind, validators, owners) -> figures
    attempts: Any = T.Dict()  # (attack, kind, validators, owners) -> what happened
    needs: Any = T.Any(ledgers.FIRST_NEEDS)
    wanted: Any = T.Tuple()  # the kinds that a run code asks to be run
    done: Any = T.Any(frozenset())  # the tasks that were done, by name
    everything = ALL

    def __init__(self, outline: Callable[[str, int, int], Answer]) -> None:
        super().__init__()
        self.outline_of = outline

    @T.observe("validators")
    def _have_owners(self, _change: Any) -> None:
        self.owners = min(self.owners, self.validators)

    @T.observe("validators", "owners")
    def _flag(self, _change: Any) -> None:
        if self.owners > 1 and ledgers.warning(self.outline("alliance"))[0] == "bad":
            self.done |= {"flag"}

    @property
    def design(self) -> tuple[int, int]:
        """Return validators and owners; there are never more owners."""
        return self.validators, min(self.owners, self.validators)

    def outline(self, kind: str) -> Answer:
        """Return who owns what in the design that is set."""
        return self.outline_of(kind, *self.design)

    @property
    def found(self) -> dict[str, Figures]:
        """Return the figures of the design that is set, by kind."""
        keys = {kind: (kind, *self.design) for kind in ledgers.names()}
        return {kind: self.figures[key] for kind, key in keys.items() if key in self.figures}

    def outcomes(self, attack: str) -> dict[str, Attempt]:
        """Return what came of an attack on the design that is set, by kind."""
        keys = {kind: (attack, kind, *self.design) for kind in ledgers.names()}
        return {kind: self.attempts[key] for kind, key in keys.items() if key in self.attempts}

    def choose(self, need: str, is_needed: bool) -> None:
        """Need something, or no longer."""
        self.needs = self.needs | {need} if is_needed else self.needs - {need}
        self.done |= {"need"}

    def runs(self) -> list[Job]:
        """Return what there is to run: what a run code asks for, the kind that is chosen, or all."""
        chosen = self.wanted or (ledgers.names() if self.kind == ALL else (self.kind,))
        return [(ledgers.names()[kind], partial(_run, self, kind, self.design)) for kind in chosen]

    def tries(self, attack: str) -> list[Job]:
        """Return what there is to attack: every kind, in this way."""
        names = ledgers.names().items()
        return [(name, partial(_attack, self, attack, kind, self.design)) for kind, name in names]

    def keep_figures(self, key: tuple[str, int, int], figures: Figures) -> None:
        """Note what a run has found."""
        self.figures = {**self.figures, key: figures}
        if len(self.found) == len(ledgers.names()):
            self.done |= {"run"}

    def keep_attempt(self, key: tuple[str, str, int, int], attempt: Attempt) -> None:
        """Note what came of an attack."""
        self.attempts = {**self.attempts, key: attempt}
        self.done |= {"attack"}


def _run(model: ChainTypes, kind: str, design: tuple[int, int], bench: Bench) -> Callable[[], None]:
    figures = bench.run(kind, *design)
    return lambda: model.keep_figures((kind, *design), figures)


def _attack(model: ChainTypes, attack: str, kind: str, design: tuple[int, int], bench: Bench) -> Callable[[], None]:
    attempt = bench.attack(kind, attack, *design)
    return lambda: model.keep_attempt((attack, kind, *design), attempt)


# --- one button, several runs ------------------------------------------------------------------------------------


class Series(W.VBox):  # type: ignore[misc]
    """How far several runs have come, one after the other, and the button that starts them.

    `jobs()` reads the page. A job works in the errands' thread, and returns what the page then does: each result is
    shown as soon as it is there. One that fails is told, and ends the series.
    """

    def __init__(self, words: str, errands: Errands[Bench], jobs: Callable[[], Sequence[Job]]) -> None:
        self.button = button(words, self.start, "primary")
        self._errands, self._jobs = errands, jobs
        self._left: list[Job] = []
        super().__init__()
        self.add_class("mc-stack")

    def start(self) -> None:
        """Begin with the first."""
        self._left = list(self._jobs())
        self.progress, self._step = Progress(*(name for name, _work in self._left)), -1
        self.children = [self.progress]
        self.button.disabled = True
        self._go_on()

    def _go_on(self) -> None:
        self._step += 1
        if not self._left:
            self.button.disabled, self.children = False, []
            return
        self.progress.at(self._step)
        _name, work = self._left.pop(0)
        if not self._errands.run(lambda bench, _say: work(bench), self._finished, self._failed):
            self.button.disabled = False
            self.progress.at(self._step, _("Too much is waiting. Try again in a moment."))

    def _finished(self, show: Callable[[], None]) -> None:
        show()
        self._go_on()

    def _failed(self, error: Exception) -> None:
        self.button.disabled = False
        self.progress.fail(error)


# --- how it looks ------------------------------------------------------------------------------------------------


def page(bench: Bench) -> Page:
    """Build the page."""
    model, errands = ChainTypes(bench.outline), Errands(lambda: bench)
    screens = tabs(
        (_("Side by side"), stack(_side_by_side(model), _more(model))),
        (_("What do you need?"), _needs(model)),
        (_("Attacks"), _attacks(model, errands)),
    )
    return frame.page(brief.case(model, errands), _controls(model, errands), screens)


def _controls(model: ChainTypes, errands: Errands[Bench]) -> W.Box:
    validators = Slide(_("Validators (computers)"), LEAST, MOST)
    owners = Slide(_("Owners who share them"), 1, LEAST)
    which = W.Dropdown(options=[(_("all of them"), ALL), *((name, kind) for kind, name in ledgers.names().items())])
    W.link((model, "validators"), (validators, "value"))
    W.dlink((model, "validators"), (owners, "most"))
    W.link((model, "owners"), (owners, "value"))
    W.link((model, "kind"), (which, "value"))
    run = Series(_("Run 200 transactions"), errands, model.runs)

    def bring_back(change: Any) -> None:
        if change.new:
            run.start()
            model.wanted = ()

    model.observe(bring_back, "wanted")
    return card(bar(validators, owners, field(which, _("Run on")), run.button), run)


def _side_by_side(model: ChainTypes) -> W.Box:
    def shown() -> Safe:
        names = ledgers.names()
        top: list[list[Child]] = [
            [_("What it is"), *ledgers.descriptions().values()],
            [_("Who owns the computers"), *(_owned(model.found.get(kind) or model.outline(kind)) for kind in names)],
        ]
        table = parts.table(
            _("The same 200 transactions on each"),
            ["", *names.values()],
            [*top, *(_lines(ledgers.first_rows(), model.found) if model.found else ())],
        )
        hint = _("How long each takes, what it costs and who could stop it stands here after the run.")
        return tag("div", table, None if model.found else parts.paragraph(hint), class_="mc-ledgers")

    return card(bound(model, ["validators", "owners", "figures"], shown))


def _more(model: ChainTypes) -> W.HTML:
    def shown() -> Safe:
        names, found = ledgers.names(), model.found
        if not found:
            return join()
        table = parts.table(_("More figures"), ["", *names.values()], _lines(ledgers.more_rows(), found))
        return parts.drawer(_("More figures"), tag("div", table, class_="mc-ledgers"))

    return bound(model, ["validators", "owners", "figures"], shown)


def _lines(rules: Mapping[str, ledgers.Rule], found: Mapping[str, Figures]) -> list[list[Child]]:
    def cells(name: str, rule: ledgers.Rule) -> list[Child]:
        return [_cell(rule(found[kind]), name, kind) if kind in found else "-" for kind in ledgers.names()]

    return [[name, *cells(name, rule)] for name, rule in rules.items()]


def _cell(line: Line, name: str, kind: str) -> Safe:
    value: Child = line.value
    if name == _("Final after"):
        value = parts.proven(_("{kind}: final after").format(kind=ledgers.names()[kind]), value)
    return tag("div", tag("b", value), line.words and tag("small", line.words), class_="mc-figure-cell")


def _owned(outline: Answer) -> Safe:
    letters = [ledgers.letter(owner) for _name, owner in outline["members"]]
    return tag(
        "div", owner_map(ledgers.map_words(outline), letters), parts.chip(*ledgers.warning(outline)), class_="mc-owned"
    )


def _needs(model: ChainTypes) -> W.Box:
    def toggle(need: str, words: str) -> W.ToggleButton:
        made = W.ToggleButton(value=need in model.needs, description=words, tooltip=words)
        made.observe(lambda change: model.choose(need, change.new), "value")
        made.add_class("mc-need")
        return made

    def shown() -> Safe:
        found = model.found
        if not found:
            return parts.note("info", _("Run the transactions first: a need is checked against what was measured."))
        return join(parts.note("info", ledgers.verdict(found, model.needs)), _lights(found, model.needs))

    toggles = W.Box([toggle(need, words) for need, words in ledgers.needs().items()])
    toggles.add_class("mc-needs")
    sentence = _("Choose, and see who meets it. Each answer comes from the figures of the runs.")
    lights = bound(model, ["validators", "owners", "figures", "needs"], shown)
    return card(toggles, lights, title=_("What do you need?"), sentence=sentence)


def _lights(found: Mapping[str, Figures], chosen: frozenset[str]) -> Safe:
    return tag("ul", (_light(kind, figures, chosen) for kind, figures in found.items()), class_="mc-lights")


def _light(kind: str, figures: Figures, chosen: frozenset[str]) -> Safe:
    missing, words = ledgers.unmet(figures, chosen), ledgers.needs()
    met = _("{met} of {all}").format(met=number(len(chosen) - len(missing)), all=number(len(chosen)))
    chip = parts.chip("bad", met) if missing else parts.chip("ok", _("meets all"))
    head = tag("div", tag("strong", ledgers.names()[kind]), chip)
    lacking = join(tag("small", _("It does not meet:")), tag("ul", (tag("li", words[need]) for need in missing)))
    return tag("li", head, lacking if missing else None, class_=None if missing else "mc-lit")


def _attacks(model: ChainTypes, errands: Errands[Bench]) -> W.Box:
    made = row(*(_attack_card(model, errands, name, *words) for name, words in ledgers.attacks().items()))
    made.add_class("mc-attacks")
    return made


def _attack_card(model: ChainTypes, errands: Errands[Bench], attack: str, title: str, sentence: str) -> W.Box:
    def told() -> Safe:
        return parts.sentences([_story(attempt) for attempt in model.outcomes(attack).values()])

    tried = Series(_("Try it on all"), errands, partial(model.tries, attack))
    return card(
        tried.button, tried, bound(model, ["validators", "owners", "attempts"], told), title=title, sentence=sentence
    )


def _story(attempt: Attempt) -> tuple[parts.State, Child]:
    tried = tag("small", _("Tried: {words}.").format(words=ledgers.tried(attempt)))
    happened = tag("small", _("Happened: {words}").format(words=ledgers.told(attempt)))
    name = tag("strong", ledgers.names()[attempt["kind"]])
    chip = parts.chip("bad", _("the attack worked")) if attempt["succeeded"] else parts.chip("ok", _("it held"))
    return ("bad" if attempt["succeeded"] else "ok"), join(name, " ", chip, tried, happened)
