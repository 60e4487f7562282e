"""The frame of every app: before and now, figures made anew, a run code that brings a run back, and words with tips."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from test_views_chain_types import text
from wasteday import played

from minichain.errors import InvalidBlock, ProofError, UsageError
from minichain.scenarios import comparison, districts
from minichain.scenarios.crossings import stories
from minichain.views import (
    briefing,
    consensus_lab,
    frame,
    frame_proof,
    garbage_custody,
    glossary,
    i18n,
    incentive,
    ledgers,
    runcode,
)
from minichain.views.briefs import chain_types, consensus, crossings, custody, explorer, sharding
from minichain.views.case import Case, Figure, Finding, fingerprint
from minichain.views.chain_types import ChainTypes
from minichain.views.consensus_model import Lab as ConsensusLab
from minichain.views.crossings_model import Timeline
from minichain.views.explorer import Explorer
from minichain.views.garbage_custody import Custody, CustodyReader, as_it_was
from minichain.views.incentive import Offer
from minichain.views.markup import Safe, tag
from minichain.views.models import ChainReader
from minichain.views.replay import Replay, behind, replay
from minichain.views.sharding_lab import Cities
from minichain.views.sharding_model import Lab as ShardingLab

COSTS = districts.calibration()
# Named one by one: to draw from all of Unicode, Hypothesis first reads all of Unicode, which can take too long for it.
LETTERS = "aZ0 -_.\"'\\/é中文字號🙂\n\0"


@pytest.fixture(autouse=True)
def _own_language():
    yield
    i18n.use("en")


def of_sharding() -> Case:
    return sharding.case(ShardingLab(COSTS.costs), COSTS)


def of_consensus() -> Case:
    return consensus.case(ConsensusLab())


def of_custody() -> Case:
    model = Custody()
    made = custody.case(model, None)
    model.show(CustodyReader()(played()))
    return made


# --- a run code brings a run back --------------------------------------------------------------------------------


def weigh_risk(case: Case) -> None:
    case.model.change(members=4, dishonest=30)
    case.model.want(demand=30_000)
    case.model.draw(1)
    case.model.draw(40)
    case.model.rebalance()


def lie(case: Case) -> None:
    model = case.model
    model.choose("liars")
    model.guess_safe, model.guess_moving = True, False
    model.run()
    model.message = 3
    model.drop()
    model.position = 4_000


def steal(case: Case) -> None:
    case.model.befall("stolen", True)
    case.model.go(99)


def of_crossings() -> Case:
    return crossings.case(Timeline(stories))


def of_kinds() -> Case:
    return chain_types.case(ChainTypes(comparison.outline), None)


def need_members(case: Case) -> None:
    case.model.validators, case.model.owners = 9, 2
    case.model.choose(next(iter(ledgers.needs())), True)


RUNS: dict[str, tuple[Callable[[], Case], Callable[[Case], None]]] = {
    "sharding": (of_sharding, weigh_risk),
    "consensus": (of_consensus, lie),
    "crossings": (of_crossings, steal),
    "kinds": (of_kinds, need_members),
}


@pytest.mark.parametrize("name", RUNS)
def test_a_run_code_brings_back_the_same_figures_on_another_page(name):
    make, do = RUNS[name]
    first, second = make(), make()
    do(first)
    code = briefing.code_of(first)
    assert fingerprint(first.figures()) != fingerprint(second.figures())
    briefing.reload(second, code)
    assert second.settings() == first.settings()
    assert [figure.value for figure in second.figures()] == [figure.value for figure in first.figures()]
    assert briefing.code_of(second) == code


@pytest.mark.parametrize("name", RUNS)
def test_the_code_is_the_same_in_both_languages(name):
    make, do = RUNS[name]
    case = make()
    do(case)
    code = briefing.code_of(case)
    i18n.use("zh")
    assert briefing.code_of(case) == code


def test_a_custody_brief_brings_the_ledger_back_as_it_was_and_a_page_can_follow_it_again():
    case = of_custody()
    network, model = played(), case.model
    until = network.height() - 4
    model.wanted = {"height": until, "chain": model.chain, "chosen": ""}
    before = as_it_was(model.wanted, network)
    model.pin(before)
    assert (model.height, model.is_pinned) == (until, True)
    model.show(CustodyReader()(network))
    assert model.height == until, "what comes now does not disturb what was brought back"
    model.follow()
    model.show(CustodyReader()(network))
    assert model.height == network.height()


def test_a_brief_about_another_network_or_a_block_to_come_is_refused():
    case = of_custody()
    settings = {**case.settings(), "chain": "00000000"}
    with pytest.raises(UsageError, match="about another network"):
        as_it_was(settings, played())
    with pytest.raises(UsageError, match="does not have yet"):
        as_it_was({**case.settings(), "height": 10_000}, played())


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(-(2**53), 2**53) | st.text(LETTERS, max_size=20)),
    st.binary(min_size=4, max_size=4),
)
def test_whatever_is_written_is_read(settings, figures):
    start = {"a": 1, "b": "x"}
    code = runcode.write("app", settings, start, figures)
    assert runcode.read(code, "app", start) == ({**start, **settings}, figures)
    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert runcode.read(typed, "app", start) == ({**start, **settings}, figures)


def test_a_slip_another_page_and_another_version_are_told():
    code = runcode.write("app", {"a": 5}, {"a": 1}, b"1234")
    for at, letter in enumerate(code):
        other = "7" if letter != "7" else "8"
        if letter != "-":
            with pytest.raises(UsageError, match="not a run code of this page"):
                runcode.read(code[:at] + other + code[at + 1 :], "app", {"a": 1})
    for app, start in (("another", {"a": 1}), ("app", {"a": 2})):
        with pytest.raises(UsageError, match="not a run code of this page"):
            runcode.read(code, app, start)


@pytest.mark.parametrize("text", ["", "0", "hello", "§", "0" * 3_000, "00000-00000-00000"])
def test_what_is_no_code_is_refused(text):
    with pytest.raises(UsageError, match="not a run code"):
        runcode.read(text, "app", {})


def test_a_run_that_is_too_long_for_a_code_is_told():
    noise = "".join(Random(7).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=4_000))
    with pytest.raises(UsageError, match="too long for a code"):
        runcode.write("app", {"text": noise}, {}, b"1234")


@pytest.mark.parametrize(
    "settings",
    [{"draws_made": 10**9}, {"draws_made": -1}, {"acts": "p" * 500}],
    ids=["many", "fewer than none", "acts"],
)
def test_a_code_cannot_ask_a_page_for_too_much(settings):
    case = of_sharding()
    with pytest.raises(UsageError, match="more than a page can do"):
        case.reload({**case.start, **settings})


def test_the_address_of_a_page_may_hold_a_code(monkeypatch):
    case = of_sharding()
    weigh_risk(case)
    monkeypatch.setenv("QUERY_STRING", f"lang=en&run={briefing.code_of(case)}")
    made = of_sharding()
    said = text(frame.page(made))
    assert made.settings() == case.settings()
    assert "You see the figures of the brief." in said
    monkeypatch.setenv("QUERY_STRING", "run=WRONG")
    assert "not a run code of this page" in text(frame.page(of_sharding()))


# --- what if -----------------------------------------------------------------------------------------------------


def said(kept: frame.Kept, column: int) -> list[str]:
    return [glossary.plain(str(row[column])).strip() for row in kept.rows()]


def test_before_and_now_stand_side_by_side_and_one_can_go_back():
    case = of_sharding()
    kept = frame.Kept(case)
    case.model.change(members=4)
    rows = {str(row[0]): row[1:] for row in kept.rows()}
    assert rows["Members of a district"] == ["16", tag("b", "4")]
    before, now = rows["A certain district is captured"]
    assert (before, glossary.plain(now).strip()) == ("in about 1 of 6 draws", "in about 1 of 4 draws")
    assert now.startswith("<b>")
    case.reload(kept.settings)
    assert "Members of a district" not in {str(row[0]) for row in kept.rows()}
    case.model.change(members=4)
    kept.keep()
    assert said(kept, 1) == said(kept, 2)


def test_a_page_of_a_network_compares_from_the_first_thing_it_has_read():
    model = Custody()
    kept = frame.Kept(custody.case(model, None))
    model.show(CustodyReader()(played()))
    kept.begin()
    assert said(kept, 1) == said(kept, 2), "nobody has changed anything yet"
    assert str(kept.rows()[0][1]) != "0"


# --- check it yourself -------------------------------------------------------------------------------------------


def test_chances_draws_and_units_of_the_city_come_out_the_same():
    case, cities = of_sharding(), Cities(districts.City)
    weigh_risk(case)
    case.model.keep_sight(cities.after("pc"))
    try:
        findings = case.recompute(cities)
    finally:
        cities.close()
    assert {one.figure.name for one in findings if one.is_same} == {figure.name for figure in case.figures()}
    sources = {one.figure.name: str(one.source) for one in findings}
    assert sources["Units in District 1"].startswith("blocks 1 to ")
    assert "no block stands behind a chance" in sources["A certain district is captured"]


def test_the_city_is_the_same_for_the_same_acts_and_another_for_others():
    cities = Cities(districts.City)
    try:
        first = cities.after("p")
        assert cities.after("pc").heights != first.heights
        assert cities.after("p").supply == first.supply
    finally:
        cities.close()


def test_a_run_is_made_anew_and_its_certificates_are_counted():
    case = of_consensus()
    lie(case)
    findings = case.recompute(None)
    assert all(one.is_same for one in findings)
    counted, refused = consensus.check_blocks(case.model.recording)
    assert (counted > 0, refused) == (True, 0)
    assert f"{counted} final blocks checked" in str(findings[0].source)


def test_manifests_come_from_blocks_that_were_executed_anew():
    case = of_custody()
    findings = case.recompute(played())
    assert all(one.is_same for one in findings)
    assert "executed anew" in str(findings[0].source)
    case.model.manifests = case.model.manifests[1:]
    wrong = [one.figure.name for one in case.recompute(played()) if not one.is_same]
    assert "Loads" in wrong
    assert "differ" in frame_proof.checked(case.recompute(played()))


def test_a_story_is_told_anew_and_its_receipts_lead_to_their_roots():
    case = of_crossings()
    findings = case.recompute(None)
    assert all(one.is_same for one in findings)
    assert re.search(r"(\d+) of \1 receipts lead to the root", str(findings[0].source))


def test_kinds_of_ledger_are_run_again_and_a_code_names_which():
    case, again = of_kinds(), of_kinds()
    run = comparison.run("database", *case.model.design)
    case.model.keep_figures(("database", *case.model.design), run)
    findings = case.recompute(comparison)
    assert all(one.is_same for one in findings)
    assert "run again from seed 7" in str(findings[-1].source)
    briefing.reload(again, briefing.code_of(case))
    assert again.model.wanted == ("database",)
    assert [name for name, _work in again.model.runs()] == ["Ordinary database"]


def test_a_proof_and_how_far_a_cheat_has_gone_come_back_to_the_explorer():
    network = played()

    def opened() -> Case:
        model = Explorer()
        made = explorer.case(model, None)
        model.show(ChainReader()(network))
        return made

    first, second = opened(), opened()
    model = first.model
    model.proof = network.proof(model.recent[0].id)
    model.effort, model.wish = 2, "another"
    assert model.copy is not None
    code = briefing.code_of(first)
    briefing.reload(second, code)
    explorer.lay_out(second.model, explorer.as_it_was(second.model.wanted, network))
    assert second.model.past.height == network.height()
    assert briefing.is_reproduced(second, code)
    assert all(one.is_same for one in first.recompute(network))


def test_a_block_that_was_changed_does_not_replay():
    network = played()

    class Liar:
        genesis = network.genesis
        height = staticmethod(network.height)
        changes: Any = staticmethod(lambda block: block)

        def block(self, height: int) -> Any:
            detail = network.block(height)
            return self.changes(detail) if height == 3 else detail

    def without_a_transaction(detail):
        block = replace(detail.final.block, txs=detail.final.block.txs[1:])
        return replace(detail, final=replace(detail.final, block=block))

    def with_another_time(detail):
        header = replace(detail.final.block.header, time_ms=detail.final.block.header.time_ms + 1)
        return replace(detail, final=replace(detail.final, block=replace(detail.final.block, header=header)))

    for change, error in ((without_a_transaction, InvalidBlock), (with_another_time, ProofError)):
        liar = Liar()
        liar.changes = change
        with pytest.raises(error):
            replay(liar)
    assert "blocks 1 to" in behind(replay(network))


def test_a_chain_too_long_for_a_page_is_told():
    class Long:
        genesis = played().genesis

        def height(self) -> int:
            return 10**6

    with pytest.raises(ProofError, match="too many for a page"):
        replay(Long())
    assert Replay(Long.genesis).height == 0


def drawn(case: Case) -> tuple[frame_proof.Drawer, frame_proof.Proofs]:
    proofs = frame_proof.Proofs(case)
    return frame_proof.Drawer(case, proofs), proofs


def press(drawer: frame_proof.Drawer, **content: Any) -> dict[str, Any]:
    """Send what the page sends, and return what the drawer then shows."""
    drawer._handle_custom_msg(content, [])
    return dict(drawer.shown)


def test_the_drawer_opens_at_any_figure_and_says_how_it_is_made_and_from_which_blocks(monkeypatch):
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5")
    case = of_custody()
    drawer, proofs = drawn(case)
    for figure in case.figures():
        shown = press(drawer, figure=figure.name)
        assert (shown["name"], shown["value"]) == (figure.name, figure.shown)
        assert shown["how"].endswith(".")
        assert "outcome" not in shown
    proofs.findings, proofs.state = case.recompute(played()), "made"
    loads = press(drawer, figure="Loads")
    assert (loads["outcome"], loads["again"]) == ("ok", loads["value"])
    assert loads["source"].startswith("blocks 1 to ")
    heights = replay(played()).blocks_of("waste")
    assert [block["text"] for block in loads["blocks"][-2:]] == [str(height) for height in heights[-2:]]
    assert loads["blocks"][-1]["href"] == f"explorer.ipynb?lang=en&block={heights[-1]}"
    assert press(drawer, figure="Cheating brings, yuan a load")["blocks"] == []


def test_what_was_made_anew_is_not_said_of_a_figure_that_has_changed_since():
    case = of_sharding()
    drawer, proofs = drawn(case)
    press(drawer, figure="A certain district is captured")
    proofs.findings, proofs.state = case.recompute(None), "made"
    assert drawer.shown["outcome"] == "ok"
    case.model.change(members=4)
    assert drawer.shown["value"] == "in about 1 of 4 draws"
    assert "outcome" not in drawer.shown
    assert press(drawer, figure="Sunshine")["how"] == "The page does not show this figure any more."


def test_a_figure_that_cannot_be_made_anew_says_why_in_the_drawer():
    class Broken:
        def run(self, work, then, failed) -> bool:
            failed(ProofError("block 3 is not what it says"))
            return True

    case = of_consensus()
    object.__setattr__(case, "errands", Broken())
    drawer, _proofs = drawn(case)
    press(drawer, figure="It stayed safe")
    shown = press(drawer, check=True)
    assert shown["state"] == "failed"
    assert "block 3 is not what it says" in shown["trouble"]


@pytest.mark.parametrize("name", RUNS)
def test_every_figure_says_how_it_is_made(name):
    make, do = RUNS[name]
    case = make()
    do(case)
    assert [figure.name for figure in case.figures() if not figure.how.endswith(".")] == []


def test_a_figure_that_differs_is_told():
    shown, again = Figure("Loads", 9), Figure("Loads", 8)
    assert "1 figure differs." in frame_proof.checked([Finding(shown, again, "blocks")])


# --- words -------------------------------------------------------------------------------------------------------


def test_the_first_mention_of_a_term_has_a_tip_and_links_and_code_have_none():
    said = glossary.marked(tag("p", "Blocks and a block", tag("code", "key"), tag("a", "hash", href="#x"), " blockage"))
    assert said.count("mc-term") == 1
    assert said.startswith('<p><span class="mc-term" tabindex="-1" data-tip="A page of the ledger')


def test_a_chinese_link_is_no_chain():
    i18n.use("zh")
    try:
        assert "mc-term" not in glossary.marked(tag("p", "打开此链接"))
        assert "mc-term" in glossary.marked(tag("p", "打开此链"))
    finally:
        i18n.use("en")


def test_what_people_write_is_marked_without_becoming_markup():
    said = glossary.marked(tag("p", "<b>block</b>"))
    assert "&lt;b&gt;" in said
    assert isinstance(said, Safe)


def test_every_term_is_there_in_both_languages():
    english, chinese = glossary.terms("en"), glossary.terms("zh")
    assert len(english) == len(chinese) > 25
    for one, other in zip(english, chinese, strict=True):
        assert one.forms
        assert one.tip.endswith(".")
        assert other.tip.endswith("。")
        assert len(one.tip) < 160
    names = [form.lower() for term in english for form in term.forms]
    assert len(set(names)) == len(names)


# --- does cheating pay? ------------------------------------------------------------------------------------------


@given(st.builds(Offer, st.integers(0, 200), st.integers(0, 100), st.integers(0, 100), st.integers(0, 50)))
def test_from_the_break_even_on_cheating_brings_nothing(offer):
    enough = incentive.break_even(offer)
    again = Offer(offer.subsidy, offer.overstated, enough, offer.fine)
    assert incentive.balance_fen(again) <= 0
    if enough > 1 and offer.subsidy * offer.overstated:
        assert incentive.balance_fen(Offer(offer.subsidy, offer.overstated, enough - 1, offer.fine)) >= 0


@pytest.mark.parametrize("settings", [{"subsidy": -1}, {"fine": 1_000}, {"checked": "many"}, {}])
def test_an_offer_that_cannot_be_is_refused(settings):
    with pytest.raises(UsageError, match="more than a page can do"):
        Offer.of({**(Offer().settings if settings else {}), **settings})


# --- the page ----------------------------------------------------------------------------------------------------


def test_the_frame_counts_what_is_done_and_a_brief_is_filled_in(monkeypatch):
    monkeypatch.setenv("QUERY_STRING", "")

    async def visit() -> None:
        page = consensus_lab.page()
        assert "Try this: 0 of 4 done" in text(page)
        find(page, "Make my brief").click()
        find(page, "Show both pages").click()
        assert sheets(page)[0].document.startswith("<!DOCTYPE html>")
        find(page, "Check it yourself").click()
        for _turn in range(1_000):  # of 20 ms: another thread has to come to its turn first
            if "nothing was run yet" in text(page):
                break
            await asyncio.sleep(0.02)
        assert "nothing was run yet" in text(page)

    asyncio.run(visit())


def walk(widget: Any):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from walk(child)


def find(page: Any, words: str) -> Any:
    return next(one for one in walk(page) if getattr(one, "description", None) == words)


def sheets(page: Any) -> list[briefing.Sheet]:
    return [one for one in walk(page) if isinstance(one, briefing.Sheet)]


def test_a_dashboard_offers_to_follow_again_only_while_it_shows_the_past():
    page = garbage_custody.page(played, lambda client, tell: None)
    assert "Follow the ledger again" not in [getattr(one, "description", "") for one in walk(page)]
