"""The consensus game on the trainer's console: begin a round, end its phases, and look together at where it went wrong.

Until a round is over the desk tells nobody who lies, this page neither: it may be on the wall.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.views import parts
from minichain.views.i18n import _, listed, number
from minichain.views.markup import Child, Safe, fill, join, tag
from minichain.views.panels import bar, bound, button, card, errand, field, rebuilt, stack
from minichain.views.polling import Errands
from minichain.views.trainer_console_desk import DeskLine
from minichain.views.trainer_console_model import Console

MOST_LIARS: Final = 4
FOLLOWS: Final = ("game", "is_projected", "people")


def panel(model: Console, errands: Errands[DeskLine]) -> W.Box:
    """Build the screen of the game."""
    place = stack()
    liars = W.Dropdown(options=[(number(count), count) for count in range(MOST_LIARS + 1)], value=1)

    def tell(command: str, **what: Any) -> None:
        errand(errands, lambda desk: desk.tell(command, **what), lambda _said: None, place)

    def buttons() -> list[W.Widget]:
        if model.game and model.game["verdict"] is None:
            return [button(_("End this phase"), partial(tell, "step-game"), "primary")]
        begin = button(_("Begin a round"), lambda: tell("start-game", liars=liars.value), "primary")
        return [field(liars, _("Liars, drawn in secret")), bar(begin)]

    sentence = _("People are the replicas, each with a phone. One lies in secret, and you end each phase.")
    return card(
        bound(model, ["players"], partial(_players, model)),
        bound(model, FOLLOWS, partial(_now, model)),
        rebuilt(model, ["game"], buttons),
        place,
        rebuilt(model, FOLLOWS, lambda: _debrief(model)),
        title=_("The consensus game"),
        sentence=sentence,
    )


def phase_words() -> dict[str, str]:
    """Return what the phases are called."""
    return {
        "propose": _("1. Propose"),
        "prepare": _("2. Prepare"),
        "commit": _("3. Confirm"),
        "over": _("The round is over"),
    }


def value_words() -> dict[str, str]:
    """Return what can be said."""
    return {"A": _("12 tonnes"), "B": _("21 tonnes"), "": _("nothing")}


def _players(model: Console) -> Safe:
    told = _("{count} are here with a phone. A round needs 4, and has room for 13.").format(count=number(model.players))
    return parts.paragraph(told)


def _now(model: Console) -> Safe:
    """Say which phase it is, and who has answered; what they said stays with them."""
    game = model.game
    if not game:
        return parts.paragraph(_("No round has begun."))
    needed = _("Seats: {seats}. A quorum is {needed}; so many seats bear {bears} who lie or are down.").format(
        seats=number(len(game["seats"])), needed=number(game["needed"]), bears=number(game["bears"])
    )
    head = tag("h3", phase_words()[game["phase"]], class_="mc-h2")
    if game["verdict"] is not None:
        return join(head, parts.paragraph(needed))
    chips = (join(_seat(model, game, at), " ") for at in range(len(game["seats"])))
    return join(head, tag("p", join(*chips), class_="mc-live"), parts.paragraph(needed))


def _seat(model: Console, game: Mapping[str, Any], at: int) -> Safe:
    name = seat_name(model, game, at)
    if at in game["waits_for"]:
        return parts.chip("info", _("{seat}: we wait").format(seat=name))
    if at in game["answered"]:
        return parts.chip("ok", _("{seat}: has answered").format(seat=name))
    return parts.chip("plain", _("{seat}: has nothing to say now").format(seat=name))


def seat_name(model: Console, game: Mapping[str, Any], at: int) -> str:
    """Return what a seat is called: its place, and who sits there if names are shown."""
    person = model.person(game["seats"][at])
    if model.is_projected or not person:
        return _("Seat {seat}").format(seat=at + 1)
    return _("Seat {seat}, {name}").format(seat=at + 1, name=person["name"])


# --- afterwards --------------------------------------------------------------------------------------------------


def where_words() -> dict[str, str]:
    """Return what is said of where it went wrong."""
    return {
        "nowhere": _("Nothing went wrong: all honest seats have the same result."),
        "too_many_liars": _(
            "Two results are final. {liars} lied, and so many seats bear {bears}. Not one slip was forged: each liar "
            "said one thing to some and another to others, in its own name. In both quorums stand: {both}."
        ),
        "two_proposals": _(
            "The proposer told two stories. Neither found the same quorum everywhere, so the round stopped for some. "
            "Nobody was fooled into a second result."
        ),
        "silent_proposer": _("The proposer said nothing. A ledger waits a while, and then another one proposes."),
        "too_few": _("Too few said the same: some were down, or lied. The round stops, and nothing false is final."),
    }


def _debrief(model: Console) -> list[W.Widget | Safe]:
    game = model.game
    if not game or game["verdict"] is None:
        return []
    phases = [(phase_words()[name], name) for name in ("propose", "prepare", "commit")]
    chosen = W.ToggleButtons(options=phases, value="propose")
    slips = bound(chosen, ["value"], lambda: _slips(model, game, chosen.value))
    return [
        tag("h3", _("Where did it go wrong?"), class_="mc-h2"),
        _lamps(game["verdict"]),
        _where(model, game),
        _results(model, game),
        tag("h3", _("Who said what to whom"), class_="mc-h2"),
        field(chosen, _("Phase")),
        slips,
    ]


def _lamps(verdict: Mapping[str, Any]) -> Safe:
    safe = parts.lamp(
        _("Safe?"),
        "ok" if verdict["is_safe"] else "bad",
        _("No two honest seats differ.") if verdict["is_safe"] else _("Honest seats have different results."),
    )
    moving = parts.lamp(
        _("Moving?"),
        "ok" if verdict["is_live"] else "warn",
        _("All honest seats have a result.") if verdict["is_live"] else _("Some honest seats have none."),
    )
    return tag("div", safe, moving, class_="mc-lamps")


def _where(model: Console, game: Mapping[str, Any]) -> Safe:
    verdict = game["verdict"]
    told = fill(
        where_words()[verdict["where"]],
        liars=number(len(verdict["liars"])),
        bears=number(verdict["bears"]),
        both=listed(seat_name(model, game, at) for at in verdict["in_both"]),
    )
    return parts.paragraph(told)


def _results(model: Console, game: Mapping[str, Any]) -> Safe:
    verdict = game["verdict"]
    rows: list[list[Child]] = [
        [seat_name(model, game, at), _conduct(verdict, at), value_words()[final]]
        for at, final in enumerate(verdict["finals"])
    ]
    return parts.table(_("What became final"), [_("Seat"), _("It was"), _("Final for it")], rows)


def _conduct(verdict: Mapping[str, Any], at: int) -> Safe:
    silent = [phase_words()[phase] for phase, seat in verdict["down"] if seat == at]
    if at in verdict["liars"]:
        told = _("liar, with two faces") if at in {seat for _phase, seat in verdict["two_faced"]} else _("liar")
        return parts.chip("bad", told)
    if silent:
        return parts.chip("warn", _("down in: {phases}").format(phases=listed(silent)))
    return parts.chip("ok", _("honest"))


def _slips(model: Console, game: Mapping[str, Any], phase: str) -> Safe:
    """Show what each seat said to each; a row is one sender."""
    seats = range(len(game["seats"]))
    rows: list[list[Child]] = [
        [seat_name(model, game, int(sender)), *(value_words()[said] for said in slips)]
        for sender, slips in game["said"][phase].items()
    ]
    columns = [_("From"), *(_("To {seat}").format(seat=at + 1) for at in seats)]
    return parts.table(_("Slips of this phase"), columns, rows, _("Nobody said anything in this phase."))
