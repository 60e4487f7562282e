"""M11, sharding and capacity: a transfer to a shard that sleeps, the chance of a capture, and a city that is divided.

Transfers are made by simulated shards, chances are compared with the exact ones and with draws, and a design is judged
as the sharding lab judges it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import cache
from math import comb
from random import Random
from typing import Any, Final

from minichain.course.exercise import Exercise, Miss, miss, seeds
from minichain.scenarios.districts import City, calibration
from minichain.scenarios.districts.city import DISTRICTS, RESERVE
from minichain.sharding import capacity, risk
from minichain.sharding.choice import LEAST_MEMBERS, Choice, Need, Verdict, judge, most_members
from minichain.sharding.risk import Draw

# --- m11.p1: a payment to a shard that sleeps ------------------------------------------------------------------------

AMOUNT: Final = 50
TOTAL: Final = DISTRICTS * RESERVE
SMALL, LARGE = 4, 40  # members of one committee


@cache
def _sleeping(seed: int) -> Mapping[str, Any]:
    city = City(seed)
    try:
        city.pause()
        city.pay(AMOUNT)
        asleep = city.carry()
        city.resume()
        awake, again = city.carry(), city.carry()
    finally:
        city.close()
    places = [(sight.supply["shard-0"], sight.on_the_way, sight.supply["shard-1"]) for sight in (asleep, awake)]
    more = again.supply["shard-1"] - awake.supply["shard-1"]
    return {"asleep": places[0], "awake": places[1], "blocks": len(awake.ways[0].steps), "again": more}


def what_happens(seed: int = 7) -> Mapping[str, Any]:
    """Run all that is to be predicted, and return what happened."""
    costs = calibration().costs
    few, many = (capacity.throughput(costs, capacity.Design(1, members=members)) for members in (SMALL, LARGE))
    return {**_sleeping(seed), "larger": "faster" if many > few else "not faster"}


P1 = Exercise("m11.p1", expects=dict)


@P1.part
def it_waits_on_the_way(answer: Mapping[str, Any]) -> Miss | None:
    """Judge where the units are expected while the second shard sleeps."""
    said = tuple(answer.get("asleep", ()))
    if said == what_happens()["asleep"]:
        return None
    if sum(said) != TOTAL:
        return miss("not_whole", said=sum(said), total=TOTAL)
    return miss("arrives_at_once" if said[-1] > RESERVE else "never_left")


@P1.part
def it_arrives_when_it_wakes(answer: Mapping[str, Any]) -> Miss | None:
    """Judge where the units are expected when the shard is awake again."""
    said = tuple(answer.get("awake", ()))
    if said == what_happens()["awake"]:
        return None
    return miss("not_whole", said=sum(said), total=TOTAL) if sum(said) != TOTAL else miss("does_not_arrive")


@P1.part
def it_takes_several_blocks(answer: Mapping[str, Any]) -> Miss | None:
    """Judge in how many final blocks the transfer is expected to stand."""
    said = answer.get("blocks", 0)
    if said == what_happens()["blocks"]:
        return None
    return miss("one_block") if said == 1 else miss("other_blocks", said=said)


@P1.part
def it_arrives_once(answer: Mapping[str, Any]) -> Miss | None:
    """Judge what carrying once more is expected to bring."""
    said = answer.get("again")
    return None if said == what_happens()["again"] else miss("arrives_twice", said=said)


@P1.part
def a_larger_committee_is_not_faster(answer: Mapping[str, Any]) -> Miss | None:
    """Judge what ten times the members are expected to be good for."""
    return None if answer.get("larger") == what_happens()["larger"] else miss("larger_is_faster")


# --- m11.e1: how likely is a capture ---------------------------------------------------------------------------------

Chance = Callable[[int, int, int], Any]
CASES: Final = ((10, 5, 4), (100, 25, 4), (100, 25, 16), (100, 25, 50), (100, 25, 75), (60, 12, 9))
DRAWN: Final = ((100, 25, 16, 11), (60, 12, 9, 13))  # the last one is a seed
DRAWS: Final = 1_000
NEAR: Final = Fraction(1, 10**9)

E1 = Exercise("m11.e1", expects=callable)


def _with_replacement(validators: int, dishonest: int, members: int) -> Fraction:
    """Return the chance if each validator could be drawn several times into one committee."""
    share, need = Fraction(dishonest, validators), risk.enough(members)
    return sum(
        (comb(members, bad) * share**bad * (1 - share) ** (members - bad) for bad in range(need, members + 1)),
        Fraction(0),
    )


def _from(least: int, case: tuple[int, int, int]) -> Fraction:
    """Return the chance of at least so many dishonest members."""
    return sum(risk.distribution(Draw(*case))[least:], Fraction(0))


def _believed(case: tuple[int, int, int]) -> Mapping[str, Fraction]:
    """Return what somebody answers who holds a belief, by the name of its cause."""
    need = risk.enough(case[2])
    return {
        "like_the_whole": Fraction(3 * case[1] >= case[0]),
        "half": _from(case[2] // 2 + 1, case),
        "only_just": risk.distribution(Draw(*case))[need],
        "put_back": _with_replacement(*case),
        "one_more": _from(need + 1, case),
    }


def _is_near(said: Any, truth: Fraction) -> bool:
    return abs(Fraction(said) - truth) < NEAR


@E1.part
def no_belief_explains_it(chance: Chance) -> Miss | None:
    """Judge whether all answers are those of somebody who holds a belief."""
    said, beliefs = [chance(*case) for case in CASES], [_believed(case) for case in CASES]
    for cause in beliefs[0]:
        if all(_is_near(one, belief[cause]) for one, belief in zip(said, beliefs, strict=True)):
            return miss(cause)
    return None


@E1.each(DRAWN)
def draws_agree(chance: Chance, case: tuple[int, int, int, int]) -> Miss | None:
    """Judge by draws: the chance lies in their 95 % interval."""
    *city, seed = case
    low, high = _interval(Draw(*city), seed)
    said = Fraction(chance(*city))
    if low <= said <= high:
        return None
    return miss("draws_differ", case=tuple(city), said=f"{float(said):.3f}", low=f"{low:.3f}", high=f"{high:.3f}")


@cache
def _interval(draw: Draw, seed: int) -> tuple[float, float]:
    low, high = risk.interval(risk.sample(draw, DRAWS, Random(seed)).one, DRAWS)
    return float(low), float(high)


@E1.part
def it_is_exact(chance: Chance) -> Miss | None:
    """Judge by the exact chances of the cities that everybody has, and of some that are drawn."""
    return exact(chance, [*CASES, *(_some_city(Random(seed)) for seed in seeds(4))])


def exact(chance: Chance, cases: Iterable[tuple[int, int, int]]) -> Miss | None:
    """Compare with the exact chances; name the first that differs."""
    for case in cases:
        if not _is_near(said := chance(*case), risk.one_shard(Draw(*case))):
            return miss("other", case=case, said=f"{float(said):.6f}")
    return None


def _some_city(random: Random) -> tuple[int, int, int]:
    validators = random.randint(60, 120)
    return validators, random.randint(10, validators // 3), random.randint(4, 24)


# --- m11.e2: divide a city -------------------------------------------------------------------------------------------

VALIDATORS: Final = 1_000
DISHONEST, CROSSING = 10, 10  # percent
NEED: Final = Need(demand=30_000, draws=1_000_000)

E2 = Exercise("m11.e2", expects=dict)


@cache
def tried(shards: int, members: int) -> Verdict:
    """Return what so many shards with so many members each carry and risk, in the city of this exercise."""
    return judge(calibration().costs, Choice(VALIDATORS, shards, members, DISHONEST, CROSSING), NEED)


Check = Callable[[int, int], Miss | None]


def _about_a_design(check: Check) -> Check:
    """Add a part that judges shards and members; what is no design fails each of them."""

    @E2.part
    def part(answer: Mapping[str, int]) -> Miss | None:
        shards, members = answer.get("shards", 0), answer.get("members", 0)
        if shards < 1 or not LEAST_MEMBERS <= members <= most_members(VALIDATORS, shards):
            return miss("no_design", least=LEAST_MEMBERS, all=VALIDATORS)
        return check(shards, members)

    return check


@_about_a_design
def it_carries_enough(shards: int, members: int) -> Miss | None:
    """Judge what all shards carry together."""
    found = tried(shards, members)
    if found.is_fast:
        return None
    is_roomy = members // 2 >= LEAST_MEMBERS and tried(shards, members // 2).is_safe
    return miss("more_members" if is_roomy else "too_slow", carried=found.throughput, needed=NEED.demand)


@_about_a_design
def it_is_hardly_ever_captured(shards: int, members: int) -> Miss | None:
    """Judge how often a draw gives some shard into the wrong hands."""
    found = tried(shards, members)
    return None if found.is_safe else miss("captured", once=risk.once_in(found.risk.chance), line=NEED.draws)


@_about_a_design
def no_shard_too_many(shards: int, members: int) -> Miss | None:
    """Judge whether fewer shards would carry it, too."""
    if shards > 1 and (fewer := tried(shards - 1, members)).is_fast:
        return miss("too_many_shards", shards=shards - 1, carried=fewer.throughput)
    return None


@_about_a_design
def no_seat_too_many(shards: int, members: int) -> Miss | None:
    """Judge whether a committee that is smaller by a seat or two would be as safe."""
    chance = tried(shards, members).risk.chance
    for fewer in range(max(LEAST_MEMBERS, members - 2), members):
        if tried(shards, fewer).risk.chance <= chance:
            return miss("idle_seat", members=members, fewer=fewer)
    return None


EXERCISES: Final = {one.id: one for one in (P1, E1, E2)}
