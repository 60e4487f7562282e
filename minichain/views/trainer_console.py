"""The trainer's console: the class at a glance, who needs help, what is believed, and the buttons of a lesson.

It asks the desk of the class again and again (`trainer_console_desk`) and decides nothing. The same page serves the
trainer's own screen and, with names left out, the projector.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses
import segno

from minichain.live.home import Home
from minichain.views import frame, parts
from minichain.views import trainer_console_game as game
from minichain.views import trainer_console_lesson as lesson
from minichain.views.briefing import asked_for
from minichain.views.i18n import _, ngettext, number
from minichain.views.markup import Child, Safe, fill, join, tag
from minichain.views.panels import (
    Content,
    Page,
    band,
    bar,
    bound,
    button,
    card,
    errand,
    field,
    html,
    offer,
    rebuilt,
    row,
    stack,
    tabs,
)
from minichain.views.polling import Errands, LiveLoop
from minichain.views.trainer_console_desk import SECRET, DeskLine
from minichain.views.trainer_console_model import Console, minutes, said, state_words

LOOK_S: Final = 1.0
PATIENCE_S: Final = 3.0


def page(home: Home | None = None) -> Page:
    """Build the page; the secret is in its address."""
    model = Console()
    connect = partial(DeskLine, home or Home(), asked_for(SECRET))
    live = LiveLoop(connect, DeskLine.look, model.show, interval_s=LOOK_S, patience_s=PATIENCE_S)
    return Page(*content(model, Errands(connect)), limits=limits(), live=live)


def content(model: Console, errands: Errands[DeskLine]) -> list[Content]:
    """Build everything between the title and the limits."""
    screens = tabs(
        (_("Class"), _class(model)),
        (_("Predictions"), _predictions(model, errands)),
        (_("Network"), lesson.network(model, errands)),
        (_("Game"), game.panel(model, errands)),
        (_("Files"), lesson.files(errands)),
        (_("Start again"), lesson.again(model, errands)),
        (_("Report"), lesson.report(model, errands)),
    )
    return [_top(model), _doors(model, errands), _figures(model), screens, html(frame.words())]


def limits() -> list[str]:
    """Say what the console does not show."""
    return [
        _("Whether somebody understands: it shows answers to exercises, and some people think before they answer."),
        _("What is typed and not yet checked. Whoever is not started may be reading."),
        _("Names are in the trainer's folder only. They are never on the chain."),
        _("The game is one decision without a change of proposer. A ledger goes on and lets another one propose."),
    ]


# --- how to come in ----------------------------------------------------------------------------------------------


def _top(model: Console) -> W.Box:
    projector = W.Checkbox(value=False, description=_("Projector: leave names out"), indent=False)
    projector.add_class("mc-failure")
    W.link((projector, "value"), (model, "is_projected"))

    def how() -> Safe:
        if not model.link:
            return parts.paragraph(_("One moment…"))
        code = segno.make(model.link, error="m").svg_data_uri(scale=3)
        picture = tag("img", src=code, alt=_("The link as a picture for the camera of a phone"), class_="mc-qr")
        words = tag("div", tag("p", _("Open this link, or point a phone at the picture:")), parts.codeline(model.link))
        return parts.drawer(_("How to join"), tag("div", picture, words, class_="mc-join"))

    return stack(projector, bound(model, ["link"], how))


def _doors(model: Console, errands: Errands[DeskLine]) -> W.Box:
    """Show who waits, with a button to let them in and one to refuse."""
    place = stack()

    def tell(command: str, **what: Any) -> Callable[[], None]:
        return lambda: errand(errands, lambda desk: desk.tell(command, **what), lambda _said: None, place)

    def shown() -> Sequence[Content]:
        if not model.waiting:
            return []
        rows = [
            bar(
                button(_("Let in: {name}").format(name=model.guest(at)), tell("approve", names=[name]), "primary"),
                button(_("Refuse: {name}").format(name=model.guest(at)), tell("dismiss", name=name)),
            )
            for at, name in enumerate(model.waiting)
        ]
        everybody = button(_("Let everybody in"), tell("approve"))
        return [card(*rows, *([everybody] if len(rows) > 1 else []), title=_("Waiting to come in"))]

    return stack(place, rebuilt(model, ["waiting", "is_projected"], shown))


def _figures(model: Console) -> W.Box:
    def counted(state: str) -> int:
        return sum(one[state] for module in model.modules for one in module["exercises"])

    def here() -> Safe:
        away = sum(one["state"] != "in" for one in model.people)
        return parts.kpi(_("In the class"), len(model.people), note=_("{count} away").format(count=number(away)))

    def stuck() -> Safe:
        return parts.kpi(_("Stuck"), counted("stuck"), note=_("three times wrong, or more"))

    def trying() -> Safe:
        return parts.kpi(_("Trying"), counted("trying"), note=_("exercises that were begun"))

    def done() -> Safe:
        return parts.kpi(_("Done"), counted("done"), note=_("exercises in all"))

    return band(*(bound(model, ["modules", "people"], render) for render in (here, stuck, trying, done)))


# --- the class ---------------------------------------------------------------------------------------------------


def _class(model: Console) -> W.Box:
    heads = card(
        bound(model, ["help", "is_projected", "minute", "people"], partial(_help, model)), title=_("Who needs help")
    )
    beliefs = card(bound(model, ["beliefs"], partial(_beliefs, model)), title=_("Believed just now"))
    grid = bound(model, ["people", "modules", "module", "is_projected"], partial(_grid, model), "mc-class-grid")
    flags = bound(model, ["flags", "is_projected"], partial(_flags, model))
    progress = card(_module_choice(model), grid, title=_("Who has come how far"))
    return stack(row(heads, beliefs), progress, flags)


def _module_choice(model: Console) -> W.Box:
    chosen = W.Dropdown()

    def fill_in(_change: object = None) -> None:
        offer(chosen, [(f"{one['label']} {said(one['title'])}", one["id"]) for one in model.modules], model.module)

    def choose(change: Any) -> None:
        if change.new:
            model.module = change.new

    def follow(change: Any) -> None:
        if change.new in [value for _name, value in chosen.options]:
            chosen.value = change.new

    model.observe(fill_in, "modules")
    model.observe(follow, "module")
    chosen.observe(choose, "value")
    return field(chosen, _("Module"))


def _help(model: Console) -> Safe:
    if not model.help:
        return parts.paragraph(_("Nobody is stuck just now."))
    return parts.sentences([("bad" if one["why"] == "stuck" else "warn", _helped(model, one)) for one in model.help])


def _helped(model: Console, one: dict[str, Any]) -> Safe:
    words = (
        _("{who}: {exercise} was wrong {count} times, the last time {minutes} min ago.")
        if one["why"] == "stuck"
        else _("{who}: nothing more on {exercise} for {minutes} min.")
    )
    return fill(
        words,
        who=model.shown(model.person(one["did"])),
        exercise=one["exercise"],
        count=number(one["misses"]),
        minutes=model.minutes_since(one["since"]),
    )


def _beliefs(model: Console) -> Safe:
    if not model.beliefs:
        return parts.paragraph(_("Nothing wrong is believed by those who answered in the last 15 minutes."))
    return tag("ol", map(_belief, model.beliefs), class_="mc-beliefs")


def _belief(one: dict[str, Any]) -> Safe:
    held = ngettext("{count} learner", "{count} learners", one["learners"]).format(count=number(one["learners"]))
    return tag(
        "li",
        tag("strong", f"{one['id']} “{said(one['belief'])}”"),
        " ",
        parts.chip("warn", held),
        tag("div", _("What is so: {so}").format(so=said(one["so"])), class_="mc-hint"),
    )


def _grid(model: Console) -> Safe:
    exercises = model.chosen()["exercises"]
    columns = [_("Learner"), *(f"{one['id'].partition('.')[2]} {said(one['title'])}" for one in exercises)]
    rows: list[list[Child]] = [
        [model.shown(one), *(model.told_state(one["cells"].get(exercise["id"], {})) for exercise in exercises)]
        for one in model.people
    ]
    if rows:
        rows.append([tag("b", _("Median time")), *(minutes(one["median_ms"]) for one in exercises)])
    legend = tag("p", join(*(_legend(state) for state in state_words())), class_="mc-legend-line")
    return join(legend, parts.table(_("Learners and exercises"), columns, rows, _("Nobody has joined yet.")))


def _legend(state: str) -> Safe:
    return join(Console().told_state({"state": state}), " ")


def _flags(model: Console) -> Safe:
    """Say what was refused; it names people, so it is not for the projector."""
    if not model.flags or model.is_projected:
        return join()
    return parts.note("warn", _("To be looked at"), parts.sentences(model.flags[-5:]))


# --- predictions -------------------------------------------------------------------------------------------------


def _predictions(model: Console, errands: Errands[DeskLine]) -> W.Box:
    """Show how many expect what; nobody is named here."""
    place, chosen = stack(), W.Dropdown()

    def look(_change: object = None) -> None:
        if chosen.value:
            errand(errands, lambda desk: desk.spread(chosen.value), partial(model.set_trait, "spread"), place)

    def fill_in(_change: object = None) -> None:
        offer(chosen, model.predictions())

    model.observe(fill_in, ["modules", "module"])
    chosen.observe(look, "value")
    again = button(_("Look again"), look)
    table = bound(model, ["spread"], partial(_spread, model))
    sentence = _("Show it before the result is opened, and let two who disagree explain.")
    return card(
        _module_choice(model),
        field(chosen, _("Prediction")),
        again,
        place,
        table,
        title=_("Predictions"),
        sentence=sentence,
    )


def _spread(model: Console) -> Safe:
    values = model.spread.get("values", {})
    of = model.spread.get("learners", 0)
    rows: list[list[Child]] = [
        [name, value, _share(count, of)] for name, counted in values.items() for value, count in counted
    ]
    told = ngettext("{count} learner has predicted.", "{count} learners have predicted.", of)
    return parts.table(told.format(count=number(of)), [_("Asked"), _("Expected"), _("By how many")], rows)


def _share(count: int, of: int) -> Safe:
    bar_ = tag("span", class_="mc-share", style=f"width:{100 * count // max(of, 1)}px", aria_hidden="true")
    return tag("span", bar_, number(count), class_="mc-shared")
