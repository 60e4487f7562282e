"""What the sharding lab says: chances as people say them, formulas with the figures of the choice, steps of a transfer.

Nothing is calculated here that the model does not know; a formula is written beside what it gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

from minichain.sharding import capacity, risk
from minichain.sharding.capacity import Costs, Design
from minichain.sharding.risk import Sample
from minichain.views.i18n import _, ngettext, number
from minichain.views.markup import Child, Safe, fill, join
from minichain.views.parts import State, Stop, proven
from minichain.views.sharding_model import Lab
from minichain.views.sharding_pictures import percent

HALF: Final = Fraction(1, 2)
MINUS: Final = "\N{MINUS SIGN}"


def district(chain: str) -> str:
    """Name a shard as a district: shard-0 is the first."""
    return _("District {number}").format(number=int(chain.rpartition("-")[2]) + 1)


# --- risk --------------------------------------------------------------------------------------------------------


def powers() -> dict[str, str]:
    """Return what dishonest members of a committee can do together, by its name in `risk`."""
    return {
        "halt": _("stop it (a third of the members)"),
        "fork": _("give it two histories (more than a third)"),
        "rewrite": _("rule it alone (more than two thirds)"),
    }


def often(chance: Fraction) -> str:
    """Say a chance as "once in so many draws", where it is rare enough to be said like that."""
    if not chance:
        return _("in no draw")
    if chance > HALF:
        return _("in {share} of draws").format(share=percent(chance))
    return _("in about 1 of {count} draws").format(count=number(risk.once_in(chance) or 0))


def capture(model: Lab) -> Safe:
    """Say how often a district is captured: a certain one, and any."""
    choice = model.choice
    words = _("With {members} members per district, a captured district happens {often}.")
    certain = proven(_("A certain district is captured"), often(model.one))
    first = fill(words, members=choice.members, often=certain)
    if choice.shards == 1:
        return first
    found = model.verdict.risk
    some = proven(_("Some district is captured"), often(found.chance))
    among = _("Among {shards} districts, at least one is captured {often}.")
    at_most = _("Among {shards} districts, at least one is captured at most {often}.")
    return join(first, " ", fill(among if found.is_exact else at_most, shards=choice.shards, often=some))


def capture_formula(model: Lab) -> str:
    """Write the chance of one district with the figures of the choice."""
    draw, need = model.choice.draw, model.enough
    good = draw.validators - draw.dishonest
    top = f"Σ C({draw.dishonest}, x) · C({good}, {draw.members} {MINUS} x)"
    return f"{top} / C({draw.validators}, {draw.members}),  x ≥ {need}   =   {percent(model.one)}"


def compared(sample: Sample, chance: Fraction) -> tuple[State, str]:
    """Set what was drawn beside what was calculated."""
    low, high = risk.interval(sample.one, sample.draws)
    state: State = "ok" if low <= chance <= high else "info"
    words = _("{draws} draws: district 1 was captured {hits} times ({share}); the formula says {chance}.")
    inside = _("That is within the 95 % interval of the draws, {low} to {high}.")
    outside = _("That is outside the 95 % interval of the draws, {low} to {high}, which happens once in twenty times.")
    told = words.format(
        draws=number(sample.draws),
        hits=number(sample.one),
        share=percent(Fraction(sample.one, sample.draws)),
        chance=percent(chance),
    )
    return state, f"{told} " + (inside if state == "ok" else outside).format(low=percent(low), high=percent(high))


# --- capacity ----------------------------------------------------------------------------------------------------


def verdict(model: Lab) -> list[tuple[str, State, Safe]]:
    """Answer both questions of the need, each with a lamp: is it fast enough, is it safe enough?"""
    found, need = model.verdict, model.need
    carried = _("It carries {count} transactions a second; {demand} are needed.")
    risky = _("Some district is captured {often}; your line is 1 of {draws}.")
    return [
        (
            _("Fast enough?"),
            "ok" if found.is_fast else "bad",
            fill(
                carried,
                count=proven(_("Transactions a second"), number(found.throughput)),
                demand=number(need.demand),
            ),
        ),
        (
            _("Safe enough?"),
            "ok" if found.is_safe else "bad",
            fill(
                risky,
                often=proven(_("Some district is captured"), often(found.risk.chance)),
                draws=number(need.draws),
            ),
        ),
    ]


def gained(model: Lab) -> str:
    """Say what the chosen number of districts carries, in terms of one district."""
    one = capacity.throughput(model.costs, Design(1, members=model.choice.members))
    ratio = float(capacity.throughput(model.costs, model.choice.design) / one) if one else 0.0
    words = ngettext(
        "{count} district carries {ratio} times what one carries.",
        "{count} districts carry {ratio} times what one carries.",
        model.choice.shards,
    )
    return words.format(count=model.choice.shards, ratio=f"{ratio:.2g}")


def capacity_formula() -> str:
    """Write how much districts carry."""
    told = _(
        "S · x, where x · ((1 - c) · transfer + c · (send + deliver + settle)) "
        "+ min(2 · c · x, (S - 1) / block) · header = 1 s - votes"
    )
    return told.replace(" - ", f" {MINUS} ")


def costs_told(costs: Costs, members: int) -> list[tuple[str, Child]]:
    """List what each thing costs a validator."""
    names = {
        _("a transfer within a district"): costs.transfer,
        _("sending one to another district"): costs.send,
        _("delivering it there"): costs.deliver,
        _("settling the answer"): costs.settle,
        _("a header of another district"): capacity.follow_cost(costs, members),
    }
    return [(name, f"{number(round(cost / 1_000))} µs") for name, cost in names.items()]


def delay_formula(model: Lab) -> str:
    """Write the mean delay with the figures of the choice."""
    blocks = capacity.delay(model.choice.design)
    seconds = blocks * model.choice.design.block_ms / 1_000
    return f"1.5 · (1 + c) = {float(blocks):.3g} · 1 s = {float(seconds):.3g} s"


# --- a transfer on its way ---------------------------------------------------------------------------------------


def seconds(ms: int) -> str:
    """Write a span of time."""
    return _("{seconds} s").format(seconds=f"{ms / 1_000:.1f}")


def stops(way: Any, asleep: Sequence[str]) -> list[Stop]:
    """Follow a transfer: what final blocks say, and what one still waits for."""
    began = way.steps[0].time_ms
    made = [_stop(way, step, began) for step in way.steps]
    if way.state == "waiting":
        where = district(way.target)
        why = _("{district} sleeps: too few of its members are awake to make a block final.").format(district=where)
        sleeps = way.target in asleep
        remark = why if sleeps else _("Nobody has brought it yet.")
        made.append(Stop(_("On the way"), "clock", "warn" if sleeps else "info", _("waiting"), remark=remark))
    undone = {"waiting": ("delivered", "answered"), "delivered": ("answered",)}.get(way.state, ())
    return [*made, *(_to_come(way, kind) for kind in undone)]


def kinds() -> dict[str, str]:
    """Return the steps of a transfer in words."""
    return {
        "sent": _("sent"),
        "waiting": _("waiting"),
        "delivered": _("delivered"),
        "answered": _("answered"),
    }


_ICONS: Final = {"sent": "card", "delivered": "truck", "answered": "agree"}


def _stop(way: Any, step: Any, began: int) -> Stop:
    state: State = "ok" if step.outcome in ("", "done") else "bad"
    place = _("{district}, block {height}").format(district=district(step.chain), height=number(step.height))
    remark = {
        "sent": _("The units have left the account; the receipt is in the block."),
        "delivered": _("The receipt was checked here, and the units were given to the receiver."),
        "answered": _("The sender's district knows that it is done."),
    }[step.kind]
    if state == "bad":
        remark = _("It could not be done there; the units go back.")
    amount = _("{amount} units").format(amount=number(way.amount)) if step.kind == "sent" else ""
    when = _("{time} after the beginning").format(time=seconds(step.time_ms - began))
    return Stop(place, _ICONS[step.kind], state, kinds()[step.kind], when, amount, remark)


def _to_come(way: Any, kind: str) -> Stop:
    chain = way.target if kind == "delivered" else way.source
    return Stop(district(chain), _ICONS[kind], "plain", _("to come"))


def took(way: Any) -> str:
    """Say how long it took until a transfer was delivered, or that it was not."""
    found = next((step.time_ms for step in way.steps if step.kind == "delivered"), None)
    return "\N{EN DASH}" if found is None else seconds(found - way.steps[0].time_ms)
