"""The sharding lab as the frame sees it: a choice is its state; a figure is a chance, a cost or read from blocks."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from math import comb
from typing import Any, Final

import msgspec

from minichain.crosschain.supply import units_present
from minichain.errors import UsageError
from minichain.sharding import risk
from minichain.sharding.choice import Choice, Need, sizes
from minichain.views import sharding_pictures as pictures
from minichain.views import sharding_words as words
from minichain.views.case import Case, Figure, Finding, Functions, Settings, Told
from minichain.views.i18n import _, number
from minichain.views.markup import Child
from minichain.views.replay import behind, replay
from minichain.views.sharding_model import NEVER, Lab
from minichain.views.stills import still

MOST_DRAWS: Final = 50_000  # that a run code may ask for
MOST_ACTS: Final = 60
FOLLOWS: Final = ("choice", "need", "power", "samples", "sight", "days")


def case(model: Lab, found: Any, errands: Any = None) -> Case:
    """Describe the lab; `found` are its measured costs."""
    return Case(
        name="sharding_lab",
        title=_("Sharding lab"),
        model=model,
        follows=FOLLOWS,
        does=Functions(_settings, _reload, tried, figures, _told, partial(recompute, found)),
        tasks=_tasks,
        limits=(
            _("how fast a real network is: costs were measured on one validator, and nobody waits for wires or disks"),
            _("validators who are bribed after the draw: the chance is that of the moment when committees are drawn"),
            _("whether two validators are really two: one owner of many names is many dishonest members at once"),
            _("that a captured district harms its own people only: what it sends to others looks right to them"),
        ),
        errands=errands,
    )


def _tasks() -> dict[str, str]:
    return {
        "draw": _("Draw committees 1,000 times. Does the formula hold?"),
        "meet": _("Meet the demand under the risk line, with two districts or more."),
        "wait": _("Let a transfer wait for a sleeping district. Is anything lost?"),
        "rebalance": _("Place people by whom they pay. What does it bring?"),
    }


# --- its state ---------------------------------------------------------------------------------------------------


def _draws(model: Lab) -> int:
    return model.drawn.get(model.choice.members, NEVER).draws


def _settings(model: Lab) -> Settings:
    return {
        **msgspec.structs.asdict(model.choice),
        **msgspec.structs.asdict(model.need),
        "power": model.power,
        "draws_made": _draws(model),
        "days": int(model.days is not None),
        "acts": model.acts,
    }


def _reload(model: Lab, settings: Settings) -> None:
    draws, acts = settings["draws_made"], str(settings["acts"])
    if not isinstance(draws, int) or not 0 <= draws <= MOST_DRAWS or len(acts) > MOST_ACTS:
        raise UsageError(_("This run asks for more than a page can do."))
    choice = msgspec.convert({name: settings[name] for name in Choice.__struct_fields__}, Choice)
    need = msgspec.convert({name: settings[name] for name in Need.__struct_fields__}, Need)
    model.bring(choice, need, str(settings["power"]), draws, acts, is_rebalanced=bool(settings["days"]))


# --- what it says ------------------------------------------------------------------------------------------------


def tried(model: Lab) -> list[tuple[str, str]]:
    """Say what is chosen."""
    choice, need = model.choice, model.need
    return [
        (_("Validators of the city"), number(choice.validators)),
        (_("Districts (shards)"), number(choice.shards)),
        (_("Members of a district"), number(choice.members)),
        (_("Dishonest validators, %"), number(choice.dishonest)),
        (_("Transfers to another district, %"), number(choice.crossing)),
        (_("A district is captured when the dishonest can…"), words.powers()[model.power]),
        (_("Transactions that are needed"), _("{count} a second").format(count=number(need.demand))),
        (_("A captured district, at most in…"), _("1 of {count} draws").format(count=number(need.draws))),
    ]


def figures(model: Lab) -> list[Figure]:
    """Return what came of the choice."""
    verdict, drawn = model.verdict, model.drawn.get(model.choice.members)
    one, several = model.one, verdict.risk.chance
    is_met = verdict.is_fast and verdict.is_safe
    captured = _("The ways to draw a committee with enough dishonest members, divided by all ways to draw one.")
    some = _("Of one draw of all committees, how often at least one of them is captured.")
    enough = _("As many as can stop, or change, what a committee of this size decides.")
    carried = _(
        "From measured costs: what all districts carry together, where one that crosses is work for two of them."
    )
    both = _("Yes, if the demand is carried and some district is captured no more often than you allow.")
    found = [
        _chance(_("A certain district is captured"), one, captured),
        _chance(_("Some district is captured"), several, some),
        Figure(_("Dishonest members who are enough"), model.enough, how=enough),
        Figure(_("Transactions a second"), verdict.throughput, how=carried),
        Figure(_("Meets both needs"), int(is_met), _("yes") if is_met else _("no"), both),
    ]
    if drawn:
        counted = _("Committees are drawn from the seed, and those with enough dishonest members are counted.")
        share = _("{hits} of {draws}").format(hits=number(drawn.one), draws=number(drawn.draws))
        found.append(Figure(_("Draws in which district 1 was captured"), f"{drawn.one}/{drawn.draws}", share, counted))
    if model.sight:
        present = _("All units that the state of this district's chain holds.")
        found += [Figure(_units(chain), units, how=present) for chain, units in model.sight.supply.items()]
    return found


def _chance(name: str, chance: Fraction, how: str) -> Figure:
    return Figure(name, str(chance), words.often(chance), how)


def _units(chain: str) -> str:
    return _("Units in {district}").format(district=words.district(chain))


def _told(model: Lab) -> Told:
    choice = model.choice
    rows: list[list[Child]] = [
        [size, words.often(risk.one_shard(msgspec.structs.replace(choice, members=size).draw, model.power))]
        for size in sizes(choice)
    ]
    drawn = pictures.capture_figure(choice.draw, sizes(choice), model.drawn, model.power, model.need.limit)
    return Told(
        question=_("Into how many districts can the work of the city be divided, and at what risk?"),
        chart=still(drawn),
        caption=_("How often a district is captured, by the size of its committee"),
        columns=[_("Members of a district"), _("A certain district is captured")],
        rows=rows[-8:],
        safeguards=(
            _("Committees are drawn by chance that nobody can choose, and drawn anew at stated times."),
            _("Each owner counts once, however many validators it runs."),
            _("What a district certifies can be checked by the others, and a captured one can be stopped."),
            _("A transfer to a district that does not answer goes back to its sender."),
        ),
        alternative=_(
            "One chain with one committee, as long as it carries the demand: nobody can capture a part of it, and no "
            "transfer has to cross."
        ),
        seed=str(model.seed),
    )


# --- made anew ---------------------------------------------------------------------------------------------------


def recompute(found: Any, model: Lab, cities: Any) -> Sequence[Finding]:
    """Make each figure anew: chances combination by combination, draws from the seed, units from the blocks."""
    shown = figures(model)
    again = Lab(found.costs, model.seed)
    _reload(again, {**_settings(model), "acts": ""})
    made = {figure.name: figure for figure in figures(again)}
    made[shown[0].name] = _chance(shown[0].name, _counted(model), shown[0].how)
    sources = dict.fromkeys(made, _("calculated anew from the settings; no block stands behind it"))
    sources[shown[0].name] = _("counted anew, combination by combination; no block stands behind a chance")
    costs = _("calculated anew from costs that were measured on {date}").format(date=found.date)
    sources[_("Transactions a second")] = costs
    sources[_("Draws in which district 1 was captured")] = _("drawn anew from seed {seed}").format(seed=model.seed)
    if model.sight:
        for chain in cities.chains():
            run = replay(chain)
            name = _units(run.genesis.spec.chain_id)
            made[name] = Figure(name, sum(units_present(*item) for item in run.values().items()))
            sources[name] = behind(run)
    return [Finding(figure, made[figure.name], sources[figure.name]) for figure in shown if figure.name in made]


def _counted(model: Lab) -> Fraction:
    """Count the committees that are captured, each way by itself."""
    draw = model.choice.draw
    honest = draw.validators - draw.dishonest
    ways = sum(
        comb(draw.dishonest, bad) * comb(honest, draw.members - bad) for bad in range(model.enough, draw.members + 1)
    )
    return Fraction(ways, comb(draw.validators, draw.members))
