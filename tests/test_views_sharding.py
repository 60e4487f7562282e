"""The sharding lab knows choices, draws, a city and a town, and says them in plain words; no browser is needed."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest
from test_views_chain_types import Now, text
from test_views_i18n import raw_words
from test_views_markup import Reader

from minichain.cli import main
from minichain.errors import ConfigError
from minichain.scenarios import districts
from minichain.scenarios.districts.costs import MEASURED
from minichain.sharding import capacity, risk
from minichain.sharding.choice import Choice, Need, judge, sizes
from minichain.sharding.rebalance import two_days
from minichain.views import capacity_page, charts, i18n, sharding_lab
from minichain.views import sharding_words as words
from minichain.views.sharding_model import Lab

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def _own_language():
    yield
    i18n.use("en")


def lab(**settings: int) -> Lab:
    made = Lab(districts.calibration().costs)
    made.change(**settings)
    return made


def said(markup: str) -> str:
    return re.sub("<[^>]*>", "", markup)


# --- a choice and what it must meet ------------------------------------------------------------------------------


def test_with_four_members_a_captured_district_happens_in_one_of_four_draws():
    """TEACHING 4.4: 100 members, of whom 25 are dishonest."""
    assert said(words.capture(lab(members=4))).startswith(
        "With 4 members per district, a captured district happens in about 1 of 4 draws. Among 4 districts,"
    )
    assert said(words.capture(lab(members=50, shards=1))).endswith("in about 1 of 32 draws.")


def test_more_districts_make_committees_smaller_and_never_leave_a_choice_that_cannot_be():
    model = lab(shards=20)
    assert (model.choice.shards, model.choice.members) == (20, 5)
    model.change(validators=40)
    assert (model.choice.shards, model.choice.members) == (10, 4)
    model.change(validators=4)
    assert (model.choice.shards, model.choice.members, model.most_members) == (1, 4, 4)
    model.change(shards=64, members=999)
    assert (model.choice.shards, model.choice.members) == (1, 4)


def test_a_choice_whose_validators_do_not_suffice_is_refused():
    with pytest.raises(ConfigError, match="are not enough for 30 districts of 4"):
        Choice(validators=100, shards=30, members=4)


def test_a_need_is_met_or_not_met_on_each_side():
    costs = districts.calibration().costs
    slow = judge(costs, Choice(400, 2, 150, 10, 10), Need(1_000_000, 1_000))
    assert (slow.is_fast, slow.is_safe) == (False, True)
    risky = judge(costs, Choice(400, 64, 4, 25, 0), Need(1_000, 1_000))
    assert (risky.is_fast, risky.is_safe) == (True, False)
    assert risky.throughput == int(capacity.throughput(costs, capacity.Design(64)))
    exactly = judge(costs, Choice(400, 64, 4, 25, 0), Need(risky.throughput, 1))
    assert (exactly.is_fast, exactly.is_safe) == (True, True)


def test_to_meet_both_is_a_task_that_can_be_done():
    model = lab()
    assert [state for _name, state, _told in words.verdict(model)] == ["ok", "bad"]
    model.change(validators=600, dishonest=20, members=200, shards=3)
    model.want(demand=3_000)
    assert [state for _name, state, _told in words.verdict(model)] == ["ok", "ok"]
    assert "meet" in model.done


def test_sizes_are_those_that_bear_most_and_not_too_many():
    assert sizes(Choice(100, 4, 16)) == [4, 7, 10, 13, 16, 19, 22, 25]
    assert len(sizes(Choice(600, 1, 4))) <= 14


def test_two_shards_carry_less_than_one_where_much_crosses_and_it_is_said():
    assert words.gained(lab(shards=2, crossing=100)) == "2 districts carry 0.16 times what one carries."
    assert words.gained(lab(shards=1)) == "1 district carries 1 times what one carries."


# --- draws -------------------------------------------------------------------------------------------------------


def test_draws_add_up_and_agree_with_the_formula():
    model = lab()
    model.draw()
    model.draw()
    sample = model.drawn[16]
    assert sample.draws == 2_000
    state, told = words.compared(sample, model.one)
    low, high = risk.interval(sample.one, 2_000)
    assert (state, low < model.one < high) == ("ok", True)
    assert "The formula" not in told
    assert "the formula says 17.1 %" in told


def test_the_last_draw_is_shown_district_by_district():
    model = lab()
    for _draw in range(20):
        model.draw(1)
        tiles = Reader(sharding_lab._tiles(model)).text
        assert len(model.bad) == 4
        assert sum(model.bad) <= 25
        assert tiles.count("captured") == sum(bad >= 6 for bad in model.bad)


def test_draws_of_another_choice_are_not_shown():
    model = lab()
    model.draw()
    model.change(dishonest=20)
    assert model.drawn == {}
    model.change(dishonest=25)
    assert model.drawn[16].draws == 1_000
    model.power = "rewrite"
    assert model.drawn == {}


# --- a district sleeps -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def story() -> list[districts.Sight]:
    """What the city shows while a payment waits for a sleeping district, and one goes back."""
    city = districts.City()
    try:
        acts = [lambda: city.pay(30), city.carry, city.pause, lambda: city.pay(50), city.carry, city.resume]
        return [act() for act in (*acts, city.carry, lambda: city.pay(7, district=1), city.carry, city.carry)]
    finally:
        city.close()


def test_nothing_is_lost_or_made_at_any_moment(story):
    assert [sight.total for sight in story] == [20_000] * len(story)
    assert all(sight.is_whole for sight in story)
    assert [sight.on_the_way for sight in story] == [30, 0, 0, 50, 50, 50, 0, 7, 0, 0]
    assert story[-1].supply == {"shard-0": 10_000 - 30 - 50 + 7, "shard-1": 10_000 + 30 + 50 - 7}


def test_a_payment_is_sent_delivered_and_answered_in_this_order(story):
    for way in story[-1].ways:
        assert [step.kind for step in way.steps] == ["sent", "delivered", "answered"]
        assert [step.chain for step in way.steps] == [way.source, way.target, way.source]
        assert [step.time_ms for step in way.steps] == sorted(step.time_ms for step in way.steps)
    assert story[-1] == story[-2], "carrying again brings nothing more"


def test_a_payment_to_a_district_that_sleeps_waits_and_the_other_goes_on(story):
    before, asleep, awake = story[2], story[4], story[6]
    assert asleep.asleep == ("shard-1",)
    assert asleep.heights["shard-1"] == before.heights["shard-1"]
    assert asleep.heights["shard-0"] > before.heights["shard-0"]
    assert asleep.ways[-1].state == "waiting"
    assert awake.ways[-1].state == "answered"
    told = [stop.word for stop in words.stops(asleep.ways[-1], asleep.asleep)]
    assert told == ["sent", "waiting", "to come", "to come"]
    assert words.took(asleep.ways[-1]) == "\N{EN DASH}"
    assert float(words.took(awake.ways[-1]).split()[0]) > 20


def test_the_page_tells_the_story(story):
    model = lab()
    for sight in story[:5]:
        model.keep_sight(sight)
    shown = Reader(sharding_lab._seen(model)).text
    assert "District 2 sleeps" in shown
    assert "as many as at the beginning" in shown
    assert "wait" not in model.done
    model.keep_sight(story[6])
    assert "wait" in model.done
    answered = story[6].ways[-1].steps[-1]
    assert f"District 1, block {answered.height}" in Reader(sharding_lab._seen(model)).text


# --- who lives where ---------------------------------------------------------------------------------------------


def test_neighbours_who_live_together_cross_less_on_another_day_too():
    days = two_days(Random(3), 4, Fraction(9, 10))
    assert days.next_after.by_transaction < days.next_before.by_transaction / 3
    assert days.next_before.transfers == days.next_after.transfers == len(days.day)


def test_the_page_says_what_moving_brings():
    model = lab()
    model.rebalance()
    assert "rebalance" in model.done
    assert model.carried(days_share := model.days.next_after.by_transaction) > model.carried(Fraction(1, 2))
    assert i18n.number(model.carried(days_share)) in Reader(sharding_lab._what_it_brings(model)).text


# --- the whole page ----------------------------------------------------------------------------------------------


def played(story: list[districts.Sight], monkeypatch: pytest.MonkeyPatch) -> str:
    """Return all that the page says after everything on it was used."""
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0")  # the style sheet is the template's
    monkeypatch.setattr(sharding_lab, "Errands", lambda _open: Now(None))
    model = lab()
    shown = sharding_lab.page(districts, model)
    model.draw(50)
    model.keep_sight(story[4])
    model.rebalance()
    return text(shown)


def test_everything_was_wrapped(story, monkeypatch):
    i18n.use(i18n.PSEUDO)
    names = {"minichain", "bench", "shards", "Linux", "Python"} | set(raw_words(districts.calibration().machine))
    said = played(story, monkeypatch)
    while (inner := re.sub("⟦[^⟦⟧]*⟧", " ", said)) != said:  # a chance within a sentence is wrapped by itself
        said = inner
    assert set(raw_words(said)) - names <= {"µs"}


def test_a_chart_gives_its_program_once_asked_and_its_title_to_readers(monkeypatch):
    chart = charts.Chart(sharding_lab.pictures.delay_figure(capacity.CROSSING, 1_000))
    sent = []
    monkeypatch.setattr(chart, "send", lambda content, buffers: sent.append(buffers[0]))
    chart._asked(None, {}, [])
    assert b"plotly.js" in sent[0][:200]
    assert chart.label == "A transfer to another shard takes twice as long"
    assert "title" not in json.loads(chart.plot)["layout"]


# --- the page of capacity ----------------------------------------------------------------------------------------


def test_the_page_in_the_docs_shows_what_the_lab_calculates_with(tmp_path):
    content = json.loads(MEASURED.read_text("utf-8"))
    capacity_page.write(content, tmp_path)
    for name in ("capacity.md", "capacity.svg"):
        assert (tmp_path / name).read_text("utf-8") == (ROOT / "docs" / name).read_text("utf-8"), (
            "run: minichain bench shards --json --page docs > minichain/scenarios/districts/measured.json"
        )
    rates = [f"{rate:,}" for row in capacity.table(districts.calibration().costs) for rate in row.throughput]
    page = (ROOT / "docs/capacity.md").read_text("utf-8")
    assert all(f" {rate} |" in page for rate in rates)
    assert content["machine"] in page
    assert content["date"] in page


def test_there_is_no_page_of_another_bench(capsys):
    with pytest.raises(SystemExit) as left:
        main(["bench", "idle", "--page", str(ROOT)])
    assert left.value.code == 2
    assert "--page is for shards" in capsys.readouterr().err
