"""What sharding buys and costs: each figure against a count by hand, a law that it obeys, or draws that were made."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from random import Random

import builders
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain.codec import decode, encode, from_json, to_json
from minichain.crypto import did_of
from minichain.errors import ConfigError, UsageError
from minichain.sharding import capacity, risk
from minichain.sharding.capacity import Costs, Design
from minichain.sharding.placement import Placement, hashed
from minichain.sharding.played import play
from minichain.sharding.rebalance import FULL, Transfer, crossing_operations, graph_of, measure, rebalance, town
from minichain.sharding.risk import Draw
from minichain.views import charts, i18n, sharding_pictures

# --- placement ---------------------------------------------------------------------------------------------------


def test_everybody_finds_the_same_shard_on_any_machine():
    assert [hashed(name, 4) for name in ("desk", "water", "waste", "library", "clinic")] == [3, 3, 3, 1, 2]


def test_an_account_has_one_place_however_it_is_named():
    public, placement = builders.key("resident").public, Placement(16)
    assert placement.shard_of(public) == placement.shard_of(did_of(public))


def test_what_is_placed_explicitly_is_there_and_nothing_else_moves():
    names = [f"contract-{number}" for number in range(200)]
    there = (hashed("contract-7", 8) + 1) % 8
    placement = Placement(8, {"contract-7": there})
    assert [name for name in names if placement.shard_of(name) != hashed(name, 8)] == ["contract-7"]
    assert placement.shard_of("contract-7") == there


def test_a_new_shard_takes_its_part_and_all_else_stays():
    names = [f"resident-{number}" for number in range(3_000)]
    moved = [name for name in names if hashed(name, 4) != hashed(name, 5)]
    assert {hashed(name, 5) for name in moved} == {4}
    assert 500 < len(moved) < 700, "a fifth of 3,000"


def test_a_placement_is_kept_in_a_file_and_on_a_chain():
    placement = Placement(4, {"desk": 3, "water": 1})
    assert from_json(to_json(placement), Placement) == placement == decode(encode(placement), Placement)


@pytest.mark.parametrize(
    ("shards", "explicit", "why"),
    [
        (0, {}, "1 to 1024 shards, not 0"),
        (2_000, {}, "not 2000"),
        (4, {"desk": 4}, "desk is placed on shard 4: the shards are 0 to 3"),
        (4, {"desk": -1}, "desk is placed on shard -1"),
    ],
)
def test_a_placement_that_cannot_be_is_refused(shards, explicit, why):
    with pytest.raises(ConfigError, match=why):
        Placement(shards, explicit)


# --- risk --------------------------------------------------------------------------------------------------------

SMALL = [(7, 2, 4), (8, 3, 4), (9, 9, 3), (9, 0, 5), (10, 8, 5)]


@pytest.mark.parametrize(("members", "per_cent"), [(4, 26), (16, 17), (50, 3)])
def test_a_small_committee_is_easy_to_capture(members, per_cent):
    """Of 100 nodes 25 are bad."""
    assert round(100 * risk.one_shard(Draw(100, 25, members))) == per_cent


@pytest.mark.parametrize(("validators", "dishonest", "members"), SMALL)
@pytest.mark.parametrize("power", list(risk.POWERS))
def test_the_risk_of_one_shard_is_that_of_all_possible_draws(validators, dishonest, members, power):
    draws = list(combinations(range(validators), members))
    need = risk.enough(members, power)
    captured = sum(sum(place < dishonest for place in draw) >= need for draw in draws)
    assert risk.one_shard(Draw(validators, dishonest, members), power) == Fraction(captured, len(draws))


@pytest.mark.parametrize(
    ("validators", "members", "shards"), [(8, 4, 2), (9, 3, 3), (10, 3, 3), (10, 1, 7), (12, 4, 3)]
)
def test_the_risk_of_any_shard_is_that_of_all_places_the_dishonest_may_take(validators, members, shards):
    for dishonest in range(validators + 1):
        draw, need = Draw(validators, dishonest, members, shards), risk.enough(members)
        ways = list(combinations(range(validators), dishonest))
        taken = ([sum(place // members == shard for place in way) for shard in range(shards)] for way in ways)
        captured = sum(max(counts) >= need for counts in taken)
        assert risk.any_shard(draw) == risk.Risk(Fraction(captured, len(ways)))


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_the_chances_of_all_outcomes_add_up_to_one(sizes):
    assert sum(risk.distribution(Draw(*sizes))) == 1


@given(st.integers(6, 40), st.data())
def test_one_more_dishonest_validator_never_makes_it_safer(validators, data):
    members = data.draw(st.integers(1, validators // 2))
    shards = data.draw(st.integers(1, validators // members))
    for power in risk.POWERS:
        chances = [
            risk.any_shard(Draw(validators, bad, members, shards), power).chance for bad in range(validators + 1)
        ]
        assert chances == sorted(chances)
        assert (chances[0], chances[-1]) == (0, 1)


@given(st.integers(6, 40), st.data())
def test_any_shard_is_likelier_than_one_and_never_likelier_than_their_sum(validators, data):
    members = data.draw(st.integers(1, validators // 2))
    draw = Draw(
        validators, data.draw(st.integers(0, validators)), members, data.draw(st.integers(1, validators // members))
    )
    one, several = risk.one_shard(draw), risk.any_shard(draw)
    assert several.is_exact
    assert one <= several.chance <= draw.shards * one


def test_where_validators_serve_twice_the_sum_stands_for_it_and_says_so():
    overlapping = Draw(100, 10, 30, 5)
    assert not overlapping.is_disjoint
    assert risk.any_shard(overlapping) == risk.Risk(5 * risk.one_shard(overlapping), is_exact=False)


@given(st.integers(1, 100), st.integers(0, 100))
def test_enough_is_what_a_committee_takes_for_enough(members, bad):
    committee = builders.committee(*[1] * members)
    assert (bad >= risk.enough(members, "halt")) == (not committee.can_lose(min(bad, members)) or bad > members)
    assert (bad >= risk.enough(members, "fork")) == committee.has_correct_member(bad)
    assert (bad >= risk.enough(members, "rewrite")) == committee.is_quorum(bad)


@pytest.mark.parametrize("draw", [Draw(100, 25, 4), Draw(100, 25, 16, 4), Draw(40, 10, 20, 4)])
def test_draws_that_were_made_agree_with_the_formula(draw):
    found = risk.sample(draw, 2_000, Random(28))
    low, high = risk.interval(found.one, found.draws)
    assert low <= risk.one_shard(draw) <= high
    low, high = risk.interval(found.any, found.draws)
    assert low <= risk.any_shard(draw).chance
    if draw.is_disjoint:
        assert risk.any_shard(draw).chance <= high


def test_nineteen_of_twenty_intervals_hold_the_truth():
    draw, random = Draw(100, 25, 16), Random(1)
    samples = [risk.sample(draw, 200, random) for _ in range(300)]
    held = 0
    for found in samples:
        low, high = risk.interval(found.one, found.draws)
        held += low <= risk.one_shard(draw) <= high
    assert 0.91 < held / 300 < 0.99


def test_the_interval_is_that_of_the_textbook():
    low, high = risk.interval(50, 100)
    assert (round(float(low), 4), round(float(high), 4)) == (0.4038, 0.5962)
    low, high = risk.interval(0, 100)
    assert (low, round(float(high), 4)) == (0, 0.0370)


def test_once_in_how_many_and_within_how_many():
    chance = risk.one_shard(Draw(100, 25, 50))
    assert risk.once_in(chance) == 32
    assert risk.once_in(Fraction(0)) is None
    assert risk.within(Fraction(1, 2), 3) == Fraction(7, 8)


def test_the_smallest_committee_for_a_limit_is_the_first_that_keeps_it():
    limit = Fraction(1, 100)
    found = risk.smallest_committee(60, 6, limit, shards=2)
    safe = [members for members in range(1, 31) if risk.any_shard(Draw(60, 6, members, 2)).chance <= limit]
    assert found == safe[0]
    assert risk.smallest_committee(60, 30, limit) is None, "half are dishonest: not even all together are safe"


@pytest.mark.parametrize(
    ("sizes", "why"),
    [((4, 5, 2), "5 cannot be dishonest"), ((4, 1, 5), "cannot have 5 members"), ((4, 1, 2, 0), "not for 0")],
)
def test_a_draw_that_cannot_be_is_refused(sizes, why):
    with pytest.raises(ConfigError, match=why):
        Draw(*sizes)
    with pytest.raises(UsageError, match="there is no power 'magic': choose one of halt, fork, rewrite"):
        risk.enough(4, "magic")


# --- placement by traffic ----------------------------------------------------------------------------------------


def days(at_home: Fraction) -> tuple[list[Transfer], list[Transfer]]:
    """Return the traffic of one day in a town of 8 districts, and of the next."""
    return town(Random(1), 8, 30, 3_000, at_home), town(Random(2), 8, 30, 3_000, at_home)


def test_a_town_whose_districts_keep_to_themselves_gains_today_and_tomorrow():
    today, tomorrow = days(Fraction(9, 10))
    found = rebalance(today, Placement(4), seed=1)
    assert found.before.by_transaction > Fraction(7, 10), "by hash, three of four transfers cross"
    assert found.after.by_transaction < Fraction(1, 10)
    assert measure(found.placement, tomorrow).by_transaction < Fraction(1, 10)
    assert len(found.moved) < 200, "the numbers of the shards are chosen so that many accounts stay"


def test_a_town_without_communities_gains_nothing_that_lasts():
    today, tomorrow = days(Fraction(0))
    found = rebalance(today, Placement(4), seed=1)
    assert found.after.crossing < found.before.crossing, "it suits the day it was made from"
    by_hash, by_traffic = measure(Placement(4), tomorrow), measure(found.placement, tomorrow)
    assert abs(by_hash.by_transaction - by_traffic.by_transaction) < Fraction(3, 100)


def test_districts_that_are_larger_than_a_shard_are_divided():
    traffic = town(Random(3), 2, 60, 2_000, Fraction(19, 20))
    found = rebalance(traffic, Placement(8), seed=1)
    assert found.after.fullest <= FULL
    assert found.after.crossing < found.before.crossing


def test_who_takes_part_in_everything_fits_nowhere():
    hub = [("hall", f"resident-{number}") for number in range(50)]
    with pytest.raises(ConfigError, match="hall takes part in 50 transfers, and no shard has room"):
        rebalance(hub, Placement(4), seed=1)


def test_what_is_good_already_stays():
    today, _ = days(Fraction(9, 10))
    once = rebalance(today, Placement(4), seed=1)
    again = rebalance(today, once.placement, seed=2)
    assert again.after.crossing <= once.after.crossing
    if again.after.crossing == once.after.crossing:
        assert again.moved == ()


accounts = st.integers(0, 11).map(lambda number: f"account-{number}")


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(accounts, accounts), min_size=1, max_size=80), st.integers(1, 4), st.integers(0, 9))
def test_a_proposal_keeps_what_it_says(traffic, shards, seed):
    current, full = Placement(shards), Fraction(2)
    try:
        found = rebalance(traffic, current, seed, full)
    except ConfigError:
        return  # somebody is in more transfers than a shard may have
    assert (found.before, found.after) == (measure(current, traffic), measure(found.placement, traffic))
    assert found.after.fullest <= full
    assert found.before.fullest > full or found.after.crossing <= found.before.crossing
    assert sum(found.after.loads) == 2 * len(traffic)
    names = {name for transfer in traffic for name in transfer}
    assert set(found.moved) == {name for name in names if found.placement.shard_of(name) != current.shard_of(name)}


def test_whoever_is_not_in_the_traffic_stays_where_it_was_placed():
    current = Placement(4, {"library": (hashed("library", 4) + 1) % 4})
    found = rebalance(days(Fraction(9, 10))[0], current, seed=1)
    assert found.moved
    assert found.placement.shard_of("library") == current.shard_of("library")


PROPOSE = """
from fractions import Fraction; from random import Random
from minichain.crypto import digest; from minichain.codec import encode
from minichain.sharding.played import play
from minichain.sharding.placement import Placement; from minichain.sharding.rebalance import rebalance, town
print(digest("test", encode(rebalance(town(Random(1), 6, 20, 900, Fraction(1, 5)), Placement(3), 5).placement)).hex())
"""


def test_every_process_proposes_the_same():
    root = str(Path(__file__).parent.parent)
    said = set()
    for seed in ("1", "2"):  # of Python's own hashes, which order its sets
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": root}
        said.add(subprocess.run([sys.executable, "-c", PROPOSE], env=env, capture_output=True, check=True).stdout)
    assert len(said) == 1


def test_the_crossing_share_is_counted_both_ways():
    """Ten transfers, four of which cross: blocks hold six of the first kind, and eight halves of the second."""
    traffic = [("a", "b")] * 6 + [("a", "c")] * 4
    measured = measure(Placement(2, {"a": 0, "b": 0, "c": 1}), traffic)
    assert (measured.by_transaction, measured.by_operation) == (Fraction(4, 10), Fraction(8, 14))
    assert measured.loads == (16, 4)
    assert measured.fullest == Fraction(16, 10)
    assert crossing_operations(Fraction(1)) == 1


# --- capacity ----------------------------------------------------------------------------------------------------

# In microseconds 200 for a transfer, 1,000 for all of a crossing, 500 for a header with its three signatures of 100.
COSTS = Costs(200_000, 300_000, 400_000, 300_000, header=200_000, signature=100_000)


def test_one_shard_carries_what_its_validators_have_time_for():
    """Eight votes of 100 us in each second leave 0.9992 s: 4,996 transfers of 200 us."""
    assert capacity.throughput(COSTS, Design(1)) == 4_996
    assert capacity.throughput(COSTS, Design(1, Fraction(1))) == 4_996, "with one shard nothing can cross"


def test_two_shards_between_which_half_crosses_by_hand():
    """Work is 600 us each; the other shard makes one block a second, whose header is 500 us.

    The coordinating chain takes (500 + 400) us in 100 s. So 1 s - 800 us - 9 us - 500 us = 998,691 us for 600 us each.
    """
    assert capacity.throughput(COSTS, Design(2, Fraction(1, 2))) == 2 * Fraction(998_691, 600)


def test_with_many_shards_and_few_messages_each_brings_its_own_header():
    """Blocks are made ten times a second by 63 others: more than there are messages and answers."""
    design = Design(64, Fraction(1, 100), block_ms=100)
    spare = 1 - Fraction(8 * 100, 100_000) - Fraction(900, 100 * 100_000)
    assert capacity.spare(COSTS, design) == spare
    work = Fraction(99, 100) * 200 + Fraction(1, 100) * 1_000 + 2 * Fraction(1, 100) * 500
    assert capacity.throughput(COSTS, design) == 64 * spare * 1_000_000 / work


@given(st.integers(1, 64), st.fractions(0, 1), st.fractions(0, 1))
def test_what_crosses_costs_and_never_helps(shards, one, other):
    less, more = sorted((one, other))
    assert capacity.throughput(COSTS, Design(shards, less)) >= capacity.throughput(COSTS, Design(shards, more))


@given(st.integers(1, 64), st.fractions(0, 1))
def test_the_work_of_all_fills_the_time_of_all(shards, share):
    """Put the answer back into the question: work and headers take all the time that is left by votes and news."""
    design = Design(shards, share)
    rate = capacity.throughput(COSTS, design) / shards
    crossing = share if shards > 1 else 0
    work = rate * ((1 - crossing) * 200 + crossing * 1_000)
    headers = 500 * min(2 * crossing * rate, Fraction(shards - 1))
    assert work + headers == capacity.spare(COSTS, design) * 1_000_000


def test_without_crossing_twice_the_shards_carry_twice_as_much():
    rows = capacity.table(COSTS)
    assert [row.shards for row in rows] == [1, 2, 4, 8, 16, 32, 64]
    assert all(row.efficiency[0] >= Fraction(9, 10) for row in rows[1:])
    assert rows[1].efficiency[3] < Fraction(1, 5), "the second shard does not pay where everything crosses"
    assert all(row.throughput == tuple(sorted(row.throughput, reverse=True)) for row in rows)


def test_votes_alone_can_take_all_the_time():
    assert capacity.throughput(COSTS, Design(4, members=100, block_ms=10)) == 0


def test_the_coordinating_chain_is_the_next_limit():
    assert capacity.coordinator_load(COSTS, Design(64)) == Fraction(64 * 500, 1_000_000)


def test_a_transfer_to_another_shard_waits_for_two_blocks():
    assert [capacity.delay(Design(2, share)) for share in capacity.CROSSING] == [
        *(Fraction(3, 2), Fraction(33, 20), Fraction(9, 4), Fraction(3))
    ]
    assert capacity.delay(Design(1, Fraction(1))) == Fraction(3, 2)


@pytest.mark.parametrize("share", capacity.CROSSING)
def test_shards_that_are_played_carry_what_the_formula_says_and_no_more(share):
    slow = Costs(*(40 * cost for cost in (COSTS.transfer, COSTS.send, COSTS.deliver, COSTS.settle)), 200_000, 100_000)
    design = Design(4, share)
    found = play(slow, design, Fraction(6, 5), Random(7), blocks=60)
    assert found.throughput == pytest.approx(float(capacity.throughput(slow, design)), rel=0.06)


def test_headers_that_take_a_third_of_the_time_are_taken_into_account():
    """Three others make a block a second, and to follow its header takes 0.1 s."""
    costs, design = Costs(200_000, 300_000, 400_000, 300_000, 100_000_000, 100_000), Design(4, Fraction(1))
    assert capacity.throughput(costs, design) == pytest.approx(4 * 700, rel=0.01)
    assert play(costs, design, Fraction(6, 5), Random(7)).throughput == pytest.approx(4 * 700, rel=0.05)


def test_with_room_in_each_block_a_message_is_delivered_within_two_block_times():
    found = play(COSTS, Design(4, Fraction(1, 2)), Fraction(1, 2), Random(7), blocks=12)
    assert Fraction(1) <= found.delivery <= 2
    assert Fraction(3, 2) <= found.delay <= 3
    expected = capacity.throughput(COSTS, Design(4, Fraction(1, 2))) / 2
    assert found.throughput == pytest.approx(float(expected), rel=0.05), "all that was submitted, and nothing twice"


def test_with_too_much_to_do_people_wait_and_messages_do_not():
    calm, busy = (play(COSTS, Design(2, Fraction(1)), load, Random(7), 20) for load in (Fraction(1, 2), Fraction(2)))
    assert busy.delay > calm.delay + 1
    assert busy.delivery <= 2


def test_a_shard_alone_has_nobody_to_send_to():
    found = play(COSTS, Design(1, Fraction(1)), Fraction(1, 2), Random(7), 6)
    assert found.delivery is None
    assert found.throughput == pytest.approx(2_498, abs=2)


def test_a_design_that_cannot_be_is_refused():
    for wrong in (lambda: Design(0), lambda: Design(2, Fraction(3, 2)), lambda: Design(2, members=0)):
        with pytest.raises(ConfigError, match="positive numbers of everything"):
            wrong()


# --- pictures ----------------------------------------------------------------------------------------------------


def test_the_picture_of_risk_shows_the_formula_beside_the_draws():
    chosen, sizes = Draw(100, 25, 16, 4), [4, 10, 16]
    samples = {size: risk.sample(Draw(100, 25, size, 4), 400, Random(size)) for size in sizes}
    one, several, drawn_one, drawn_any = sharding_pictures.capture_figure(chosen, sizes, samples).data
    assert list(one.y) == [float(risk.one_shard(Draw(100, 25, size))) for size in sizes]
    assert list(several.y) == [float(risk.any_shard(Draw(100, 25, size, 4)).chance) for size in sizes]
    assert list(drawn_one.y) == [samples[size].one / 400 for size in sizes]
    assert list(drawn_any.y) == [samples[size].any / 400 for size in sizes]
    low, _high = risk.interval(samples[4].one, 400)
    assert drawn_one.y[0] - drawn_one.error_y.arrayminus[0] == pytest.approx(float(low))
    assert len({line.line.dash for line in (one, several)}) == 2, "not by colour alone"


def test_the_sentence_says_once_in_how_many_draws():
    say = sharding_pictures.capture_sentence
    assert say(Draw(100, 25, 50)) == (
        "Committees of 50: some shard is in the wrong hands in 3.17 % of draws, once in 32 draws."
    )
    assert say(Draw(100, 25, 50, 3)).endswith("in at most 9.51 % of draws, once in 11.")
    assert say(Draw(100, 5, 50, 2)) == "Committees of 50: no draw can give a shard into the wrong hands."


def test_the_pictures_of_capacity_show_the_table():
    rows = capacity.table(COSTS)
    lines = sharding_pictures.throughput_figure(rows, capacity.CROSSING).data
    assert [list(line.y) for line in lines] == [[row.throughput[i] for row in rows] for i in range(4)]
    own, other = sharding_pictures.delay_figure(capacity.CROSSING, 2_000).data
    assert [a + b for a, b in zip(own.y, other.y, strict=True)] == [1.5, 1.65, 2.25, 3.0]
    assert list(other.text) == ["3 s", "3.3 s", "4.5 s", "6 s"]


def test_the_picture_of_a_placement_shows_every_account_once():
    traffic = town(Random(1), 3, 6, 100, Fraction(9, 10))
    traffic.append(("<b>odd</b>", traffic[0][0]))
    found, graph = rebalance(traffic, Placement(3), seed=1), graph_of(traffic)
    for placement, measured in ((Placement(3), found.before), (found.placement, found.after)):
        figure = sharding_pictures.placement_figure(graph, placement, measured)
        names = [name for trace in figure.data if trace.mode == "markers" for name in trace.text]
        assert len(names) == len(graph)
        assert "&lt;b&gt;odd&lt;/b&gt;" in names
        assert sharding_pictures.percent(measured.by_transaction) in figure.layout.title.text


def test_colours_are_those_of_the_style_sheet():
    sheets = "".join(path.read_text("utf-8") for path in Path(sharding_pictures.__file__).parent.rglob("*.css"))
    own = (*charts.COLOURS, charts.INK, charts.LINE, charts.SHEET)
    assert [colour for colour in own if colour not in sheets] == []


def test_a_picture_speaks_the_language_of_its_viewer():
    try:
        i18n.use("zh")
        assert "32" in sharding_pictures.capture_sentence(Draw(100, 25, 50))
        assert "委员会" in sharding_pictures.capture_figure(Draw(100, 25, 50), [50]).layout.title.text
    finally:
        i18n.use("en")
