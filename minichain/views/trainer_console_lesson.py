"""The buttons of a lesson: what happens to the network, who begins again, and the report.

Each sends one command to the desk. What cannot be taken back asks once more.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.errors import UsageError
from minichain.views import parts
from minichain.views.i18n import _, language, number
from minichain.views.icons import icon
from minichain.views.markup import Safe, join, tag
from minichain.views.panels import ConfirmButton, bar, bound, button, card, errand, field, html, offer, stack
from minichain.views.polling import Errands
from minichain.views.trainer_console_desk import DeskLine
from minichain.views.trainer_console_model import Console, said, trouble_told, trouble_words

SUFFIX: Final = ".handin"  # as `minichain class hand-in` writes them
AT_A_NODE: Final = frozenset({"crash", "liar"})


def network(model: Console, errands: Errands[DeskLine]) -> W.Box:
    """Let something happen to the network of the class, and end it."""
    place = stack()
    what = W.Dropdown(options=[(words, name) for name, words in trouble_words().items()])
    where = W.Dropdown()
    at = field(where, _("Which node"))

    def fill_in(_change: object = None) -> None:
        offer(where, [(node["name"], node["name"]) for node in model.nodes])

    def follow(_change: object = None) -> None:
        at.layout.display = None if what.value in AT_A_NODE else "none"

    def act() -> None:
        node = where.value or "" if what.value in AT_A_NODE else ""
        tell(errands, place, "let-happen", what=what.value, node=node)

    model.observe(fill_in, "nodes")
    what.observe(follow, "value")
    well = button(_("Make all well again"), partial(tell, errands, place, "recover"))
    buttons = bar(button(_("Let it happen"), act, "danger"), well)
    told = bound(model, ["trouble", "nodes"], partial(_happened, model))
    sentence = _("It happens to the real network of the class. What is written on the chain stays there.")
    return card(told, field(what, _("What happens")), at, buttons, place, title=_("Network"), sentence=sentence)


def tell(errands: Errands[DeskLine], place: W.Box, command: str, **what: Any) -> None:
    """Send a command; what the desk has against it appears in `place`."""
    errand(errands, lambda desk: desk.tell(command, **what), lambda _said: None, place)


def _happened(model: Console) -> Safe:
    if not model.nodes:
        return parts.note("info", _("The network of the class does not run."))
    chips = (parts.chip("ok" if one["is_on"] else "bad", _node(one)) for one in model.nodes)
    nodes = tag("p", join(*(join(one, " ") for one in chips)))
    lines = [("warn", model.told_trouble(one)) for one in model.trouble if one["what"] in trouble_told()]
    return join(nodes, parts.sentences(lines) if lines else parts.paragraph(_("All is well.")))


def _node(node: dict[str, Any]) -> str:
    return (_("{node} is on") if node["is_on"] else _("{node} is off")).format(node=node["name"])


# --- without a network ---


def files(errands: Errands[DeskLine]) -> W.Box:
    """Take answers that were carried here as files; those that are here already count once."""
    place, told = stack(), html(join())
    chosen = W.FileUpload(accept=SUFFIX, multiple=True, description=_("Choose files"))

    def collect(desk: DeskLine, letters: list[tuple[str, bytes]]) -> list[tuple[parts.State, str]]:
        return [_collected(desk, name, letter) for name, letter in letters]

    def show(lines: list[tuple[parts.State, str]]) -> None:
        told.value = parts.sentences(lines)

    def take(change: Any) -> None:
        letters = [(one["name"], bytes(one["content"])) for one in change.new]
        if letters:
            errand(
                errands,
                partial(collect, letters=letters),
                lambda lines: told.set_trait("value", parts.sentences(lines)),
                place,
            )

    chosen.observe(take, "value")
    sentence = _("When the network is down, learners hand in one small file each. Nobody's answer counts twice.")
    return card(chosen, place, told, title=_("Answers as files"), sentence=sentence)


def _collected(desk: DeskLine, name: str, letter: bytes) -> tuple[parts.State, str]:
    try:
        kept, refused = desk.collect(letter)
    except UsageError as why:
        return "bad", _("{file} was not taken: {why}").format(file=name, why=why)
    told = _("{file}: {kept} kept, {refused} refused").format(file=name, kept=number(kept), refused=number(refused))
    return "warn" if refused else "ok", told


# --- beginning again ---------------------------------------------------------------------------------------------


def again(model: Console, errands: Errands[DeskLine]) -> W.Box:
    """Bring the class, or one learner, back to the start of a module."""
    place = stack()
    module, who = W.Dropdown(), W.Dropdown()

    def follow(_change: object = None) -> None:
        options = [(f"{one['label']} {said(one['title'])}", one["id"]) for one in model.modules]
        offer(module, [*options, (_("everything"), "")], model.module)
        offer(who, [(model.called(one), one["did"]) for one in model.people])

    def everybody() -> None:
        tell(errands, place, "reset-class", prefix=_prefix(module.value))

    def one() -> None:
        if who.value:
            tell(errands, place, "reset", name=model.person(who.value)["name"], prefix=_prefix(module.value))

    model.observe(follow, ["modules", "people", "is_projected"])
    sentence = _(
        "Their cells are empty again, here and in their lessons. All answers are kept, the network stays as it is."
    )
    return card(
        field(module, _("Back to the start of")),
        _asking(_("The whole class begins again"), _("Shall everybody begin again?"), everybody),
        field(who, _("One learner")),
        _asking(_("This learner begins again"), _("Shall this learner begin again?"), one),
        place,
        title=_("Start again"),
        sentence=sentence,
    )


def _prefix(module: str | None) -> str:
    return f"{module}." if module else ""


def _asking(words: str, question: str, act: Callable[[], None]) -> ConfirmButton:
    return ConfirmButton(words, question, _("Yes, begin again"), act, "plain")


# --- the report --------------------------------------------------------------------------------------------------


def report(model: Console, errands: Errands[DeskLine]) -> W.Box:
    """Make the class report and offer it as a file."""
    place, file = stack(), html(join())

    def made(document: str) -> None:
        data = base64.b64encode(document.encode()).decode()
        name = f"class-report-{model.seen.get('class', '')}.html"
        link = tag(
            "a",
            icon("download", 18),
            _("Save the report"),
            href=f"data:text/html;base64,{data}",
            download=name,
            class_="mc-link mc-save",
        )
        file.value = join(link, tag("iframe", srcdoc=document, title=_("Class report"), class_="mc-report", sandbox=""))

    make = button(
        _("Make the report"), lambda: errand(errands, lambda desk: desk.report(language()), made, place), "primary"
    )
    sentence = _("One page for those who pay for the course. It names nobody, and shows no group of fewer than five.")
    return card(make, place, file, title=_("Class report"), sentence=sentence)
