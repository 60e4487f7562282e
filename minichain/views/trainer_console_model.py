"""What the trainer's console knows: the class as last seen, and what is chosen. Words are made here, no widget.

With the projector on, nobody's name is in any text that this file makes: people are a number and a colour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import traitlets as T  # noqa: N812 - beside W in the page

from minichain.views.i18n import _, language, number
from minichain.views.markup import Safe, fill, tag
from minichain.views.parts import State, chip

NOT_STARTED: Final = "not started"
STATES: Final[Mapping[str, State]] = {NOT_STARTED: "plain", "trying": "info", "stuck": "bad", "done": "ok"}
MINUTE_MS: Final = 60_000


class Console(T.HasTraits):
    """One class. `seen` is what the desk says; its parts have traits, so that only what has changed is drawn again."""

    seen: Any = T.Dict()
    people: Any = T.List()  # of the grid
    modules: Any = T.List()
    waiting: Any = T.List()
    beliefs: Any = T.List()
    help: Any = T.List()
    flags: Any = T.List()
    nodes: Any = T.List()
    trouble: Any = T.List()
    game: Any = T.Dict(None, allow_none=True)
    players = T.Int(0)
    link = T.Unicode("")
    module = T.Unicode("")
    is_projected = T.Bool(False)
    spread: Any = T.Dict()
    minute = T.Int(0)  # of the desk's clock: what is said in minutes is drawn again with it

    def show(self, seen: Mapping[str, Any]) -> None:
        """Take over what was seen."""
        self.seen = dict(seen)
        self.people = [{key: value for key, value in one.items() if key != "seen"} for one in seen["learners"]]
        self.module = self.module or liveliest(seen["modules"])
        for name in ("modules", "waiting", "beliefs", "help", "flags", "nodes", "trouble", "game", "players", "link"):
            setattr(self, name, seen[name])
        self.minute = seen["now"] // MINUTE_MS

    # --- names ---

    def person(self, did: str) -> Mapping[str, Any]:
        """Return somebody of the class."""
        found: Mapping[str, Any] = next((one for one in self.people if one["did"] == did), {})
        return found

    def called(self, person: Mapping[str, Any]) -> str:
        """Return what somebody is called on the page."""
        if not person:
            return _("somebody who has gone")
        if self.is_projected:
            return _("Number {number}").format(number=person["number"])
        return f"{person['number']} · {person['name']}"

    def shown(self, person: Mapping[str, Any]) -> Safe:
        """Return somebody with their colour; the number says the same."""
        mark = tag("span", class_="mc-person", style=f"background:{person.get('colour', '')}", aria_hidden="true")
        return tag("span", mark, " ", self.called(person), class_="mc-named")

    def guest(self, place: int) -> str:
        """Return what somebody is called who waits."""
        if self.is_projected:
            return _("Guest {number}").format(number=place + 1)
        return str(self.waiting[place])

    # --- words ---

    def chosen(self) -> Mapping[str, Any]:
        """Return the module that is looked at."""
        found: Mapping[str, Any] = next((one for one in self.modules if one["id"] == self.module), {"exercises": []})
        return found

    def predictions(self) -> list[tuple[str, str]]:
        """List the exercises of the module in which something is predicted: (what it is called, id)."""
        return [(_named(one), one["id"]) for one in self.chosen()["exercises"] if one["kind"] == "predict"]

    def told_state(self, cell: Mapping[str, Any]) -> Safe:
        """Say a state by colour, sign and word, with how often it was wrong."""
        state = cell.get("state", NOT_STARTED)
        misses = cell.get("misses", 0)
        word = state_words()[state]
        if misses and state != "done":
            word = _("{state}, {count} wrong").format(state=word, count=number(misses))
        return chip(STATES[state], word)

    def told_trouble(self, one: Mapping[str, Any]) -> Safe:
        """Say what was let happen to the network."""
        blocks = ", ".join(map(str, one["blocks"]))
        return fill(trouble_told()[one["what"]], node=one["where"], blocks=blocks)

    def minutes_since(self, at: int) -> str:
        """Say how long ago something was."""
        return number(max(0, (self.seen["now"] - at) // MINUTE_MS))


def liveliest(modules: Sequence[Mapping[str, Any]]) -> str:
    """Return the id of the module in which most is going on, the first one if nothing is."""

    def going_on(module: Mapping[str, Any]) -> int:
        return sum(one["trying"] + one["stuck"] + one["done"] for one in module["exercises"])

    return str(max(modules, key=going_on)["id"])


def state_words() -> dict[str, str]:
    """Return what the states are called."""
    return {
        NOT_STARTED: _("not started"),
        "trying": _("trying"),
        "stuck": _("stuck"),
        "done": _("done"),
    }


def trouble_words() -> dict[str, str]:
    """Return what can be let happen."""
    return {
        "crash": _("A node crashes"),
        "delay": _("Messages are late"),
        "partition": _("The cable is cut"),
        "liar": _("A node lies"),
        "theft": _("A key is stolen"),
        "oracle": _("A scale reports a false weight"),
    }


def trouble_told() -> dict[str, str]:
    """Return what is said once it has happened, and what to look at."""
    return {
        "crash": _("{node} is off. The others go on as long as more than two thirds of them are left."),
        "delay": _("Each message takes 0.6 to 1.2 seconds. Blocks come later, and nothing is lost."),
        "partition": _("Half of the nodes cannot hear the other half. Neither has two thirds, so no block is made."),
        "liar": _("{node} tells different nodes different things. As long as it is alone, all agree all the same."),
        "theft": _("A stranger signed with the stolen key of an office: block {blocks}. Every node found it valid."),
        "oracle": _("A factory's scale reports 12 kg and two others 61 and 58: blocks {blocks}. The median counts."),
    }


def said(text: Mapping[str, str]) -> str:
    """Return a text of the course in the viewer's language."""
    return text.get(language()) or text["en"]


def _named(exercise: Mapping[str, Any]) -> str:
    return f"{exercise['id'].partition('.')[2]} {said(exercise['title'])}"


def minutes(ms: int) -> str:
    """Say a duration in minutes."""
    if not ms:
        return "-"
    return _("{minutes} min").format(minutes=number(max(1, round(ms / MINUTE_MS))))
