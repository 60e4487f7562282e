"""The page of alliance voting tells what a decision does, what is still needed, who has power, and counts again."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from html import unescape
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from paper import assert_two_pages

from minichain.cli import main
from minichain.client.network import Network
from minichain.contracts.rulebook import count, outcome
from minichain.errors import CallFailed, ProofError, UsageError
from minichain.scenarios.voting import coalitions, rulebook
from minichain.scenarios.voting import council as councils
from minichain.scenarios.voting.council import FIGURES, HOUSE, MEMBERS, TERMS, Council
from minichain.scenarios.voting.minutes import CHECKS, Minutes, audit, read
from minichain.views import (
    alliance_voting,
    alliance_voting_decisions,
    alliance_voting_power,
    briefing,
    frame,
    i18n,
    parts,
)
from minichain.views import alliance_voting_words as words
from minichain.views.alliance_voting import as_it_was
from minichain.views.alliance_voting_model import PRESETS, Alliance, Poll, Reader, ballots_of, written
from minichain.views.alliance_voting_proposing import Draft, kinds
from minichain.views.briefs import voting

FEE = next(iter(FIGURES))


@pytest.fixture(autouse=True)
def _own_language():
    yield
    i18n.use("en")


@pytest.fixture
def council():
    with Network.simulated(4, seed=7, clock="wall") as net:
        made = Council(net)
        made.play()
        yield made


@pytest.fixture
def case():
    return voting.case(Alliance(Council), None)


@pytest.fixture
def model(council, case):
    case.model.show(Reader()(council))
    return case.model


def plain(markup: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]*>", " ", markup))).strip()


def decide(council: Council, number: int) -> str:
    """Let the three heaviest say yes, wait, and carry it out."""
    for name in list(MEMBERS)[:4]:
        if council.net.view(HOUSE, "proposal", {"number": number})["status"] == "Active":
            council.act(name, "vote", number=number, choice="yes")
    council.act("Composting plant", "queue", number=number)
    council.net.pass_time(15_000)
    return str(council.act("Composting plant", "execute", number=number).result["status"])


# --- a decision --------------------------------------------------------------------------------------------------


def test_what_is_still_needed_is_told_until_it_has_passed(council, model):
    one = model.proposal
    assert [words.needed(row) for row in one.standing["clauses"]] == ["8 of 17 (weight) still needed."]
    assert words.effects(one.calls, one.rows, model.terms) == [f"Lowers “{FEE}” from 60 to 45."]
    assert "12 needed" in plain(alliance_voting_decisions.tally_bar(one))
    assert model.who == "Environment bureau", "the heaviest who has not voted is asked first"
    council.act("Environment bureau", "vote", number=1, choice="yes")
    council.act("Street office B", "vote", number=1, choice="yes")
    model.show(Reader()(council))
    assert model.proposal.status == "Succeeded"
    assert "at least 2/3 of the weight of all who may vote" in words.decided_by(model.proposal)


def test_what_is_seen_first_is_what_one_compares_with(council, case):
    kept = frame.Kept(case)
    case.model.observe(lambda _change: kept.begin(), list(case.follows))
    case.model.show(Reader()(council))
    told = [[plain(cell) for cell in row] for row in kept.rows()]
    assert [row for row in told if "8" in row] == [["Weight still needed", "8", "8"]]
    assert "none" not in str(kept.rows())


def test_a_vote_ends_by_the_clock_and_no_block_has_to_say_so(council, model):
    one = model.proposal
    assert one.at(one.case["ends"], 0).status == "Active"
    late = one.at(one.case["ends"] + 1, 0)
    assert (late.status, late.case["why"]) == ("Defeated", "no_majority")
    assert words.decided_by(late).startswith("Defeated, too few in favour.")


def test_a_decision_waits_before_it_is_carried_out(council):
    for name in ("Environment bureau", "Street office B"):
        council.act(name, "vote", number=1, choice="yes")
    council.act("Transfer station", "queue", number=1)
    with pytest.raises(CallFailed, match="it waits"):
        council.act("Transfer station", "execute", number=1)
    council.net.pass_time(15_000)
    assert council.act("Transfer station", "execute", number=1).result["status"] == "Executed"
    assert council.net.view(TERMS, "all_terms", {})[FEE] == 45


def test_a_member_is_admitted_by_decision_and_votes_on_what_comes_after(council, model):
    draft = Draft(model)
    draft.kind = "admit"
    assert (draft.member, draft.weight) == ("Recycling company", 2)
    assert words.effects(draft.calls, model.members, {}) == [
        "Admits Recycling company as a member, with a weight of 2 in 19."
    ]
    council.propose("Street office A", "Admit", "It sorts.", draft.calls)
    assert decide(council, 2) == "Executed"
    with pytest.raises(CallFailed, match="were members when this was proposed"):
        council.act("Recycling company", "vote", number=1, choice="yes")
    council.propose("Recycling company", "Freeze", "Until all have read them.", [council.freeze(True)])
    model.show(Reader()(council))
    assert sum(row[2] for row in model.members) == 19
    assert draft.candidates == ["Street office C"]


def test_nobody_changes_a_term_without_a_decision(council):
    terms = council.net.contract(TERMS, council.wallets["Environment bureau"])
    with pytest.raises(CallFailed, match="only a decision of the members changes a term"):
        terms.set_term(FEE, 0)


def test_what_the_contracts_refuse_is_told_in_chinese_on_the_chinese_page(council):
    with pytest.raises(CallFailed) as early:
        council.act("Transfer station", "execute", number=1)
    why = council.try_out([councils.Council.term("no such", 1)]).why
    frozen = council.try_out([councils.Council.freeze(False)]).why
    proposal: Any = SimpleNamespace(case={"status": "ExecutionFailed", "why": why}, track={"clauses": []})
    i18n.use("zh")
    assert "提案 1 的状态是“表决中”：不能执行" in parts.explain(early.value)
    assert parts.own_words(why) == "没有条款 no such"
    assert parts.own_words(frozen) == f"{TERMS} 未被冻结"
    assert words.decided_by(proposal).endswith("没有条款 no such")


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: councils.Council.term("no such", 1), "there is no term no such"),
        (lambda: councils.Council.term(FEE, 2_000_000_000), "a whole number from 0 to"),
        (lambda: councils.Council.freeze(False), "not frozen"),
    ],
)
def test_a_dry_run_says_what_would_fail(council, call, why):
    assert why in council.try_out([call()]).why


def test_a_dry_run_shows_the_rules_as_sentences_and_members_by_weight(council, model):
    call = council.other_rules("fisco_safe")
    told = words.differences(call, council.try_out([call]).changes, model.members, model.pack)
    assert ["votes may be changed", "yes", "no"] in told
    assert any("at least 50 %" in after for what, _now, after in told if what == "clauses")
    call = council.removal("Composting plant")
    told = words.differences(call, council.try_out([call]).changes, model.members, model.pack)
    assert told == [["Composting plant", "1", "\N{EN DASH}"]]
    assert words.differences(council.term(FEE, 45), council.try_out([council.term(FEE, 45)]).changes, [], {}) == [
        [FEE, "60", "45"]
    ]


def test_every_kind_of_proposal_begins_with_something_that_can_be_proposed(model):
    for kind in kinds():
        draft = Draft(model)
        draft.kind = kind
        draft.begin()
        assert words.effects(draft.calls, model.members, model.terms)
    draft.kind, draft.member = "admit", "Somebody else"
    with pytest.raises(UsageError, match="Choose who is to become a member"):
        _ = draft.calls


# --- the same ballots under other rules --------------------------------------------------------------------------


def test_the_same_ballots_come_out_differently_and_the_clause_is_named(model):
    model.preset("few")
    results = {one.pack: (one.status, one.clause) for one in model.decisions}
    assert results["council"] == ("Defeated", "two_thirds")
    assert results["cosmos"][0] == results["oz"][0] == "Succeeded"
    assert results["unsc"] == ("Defeated", "nine")
    told = plain(alliance_voting_power.compared(model))
    assert "This council: two thirds of all weight fails To pass, votes in favour must have at least 2/3" in told
    assert "Found: votes in favour 8 of 17." in told
    model.preset("cast")
    assert model.said["Street office A"] == "yes"


def test_single_ballots_can_be_changed_and_come_back_from_a_run_code(model):
    for name in PRESETS:
        model.preset(name)
        assert set(model.said) == set(MEMBERS)
        assert len(model.decisions) == len(Council.names_of_rules())
    model.preset("cast")
    model.say("Composting plant", "veto")
    assert model.said["Incineration plant"] == "no"
    assert ballots_of(written(model.said, model.rows), model.rows) == model.said
    with pytest.raises(UsageError, match="of other members"):
        ballots_of("yn", model.rows)


@pytest.mark.parametrize("name", Council.names_of_rules())
def test_every_clause_of_every_rule_pack_is_told_in_both_languages(name):
    for language in ("en", "zh"):
        i18n.use(language)
        for track in councils.rules(name)["tracks"].values():
            told = [words.clause_words(clause) for clause in track["clauses"] if clause["kind"] != "super"]
            assert len(set(told)) == len(told), told
            assert not any("{" in one for one in told)
        assert words.rule_name(name) != name


# --- power -------------------------------------------------------------------------------------------------------


def test_the_smallest_member_sees_that_its_vote_never_matters(model):
    told = plain(alliance_voting_power.power_told(model))
    assert "Without any power, whatever the weight: Composting plant." in told
    assert "Nobody can stop a decision alone." in told
    model.quota = 76  # 13 of 17
    assert "Everybody's vote can make a difference." in plain(alliance_voting_power.power_told(model))
    model.quota = 100
    assert "Nothing passes without each of" in plain(alliance_voting_power.power_told(model))
    model.quota, model.newcomer = 0, 1
    assert model.power().banzhaf[5] > model.power(False).banzhaf[5] == 0, "a newcomer gives it some"


@pytest.mark.parametrize("name", Council.names_of_rules())
def test_a_rule_pack_is_the_game_in_which_a_coalition_passes_whatever_the_others_say(name):
    rows = [[*row, ""] for row in (["m", "", 4, "regulators", 140], ["n", "", 3, "permanent", 80])]
    rows += [["o", "", 2, "operators", 60, ""], ["p", "", 1, "operators", 10, ""], ["q", "", 1, "regulators", 10, ""]]
    for at, row in enumerate(rows):
        row[1] = str(at)
    pack = councils.rules(name)
    for title, track in pack["tracks"].items():
        game = coalitions.game_of(pack, rows, title)
        for size in range(1, 6):
            for chosen in combinations(range(5), size):
                others = ["", *pack["choices"][1:]]
                said = [{str(at): "yes" if at in chosen else other for at in range(5)} for other in others]
                cast = [{did: choice for did, choice in one.items() if choice} for one in said]
                found = [outcome(track, count(pack, rows, one, []))["status"] for one in cast]
                assert game.is_won_by(frozenset(chosen)) == (set(found) == {"Succeeded"}), (title, chosen)


def test_rules_out_of_reach_have_no_power_to_show(model):
    rows = [rulebook.member("only", 1)]
    with pytest.raises(UsageError, match="out of reach"):
        coalitions.game_of(councils.rules("two_chamber"), rows)
    model.rules = "two_chamber"
    model.members = [["only", "did", 1, "operators", 0]]
    assert "could never decide" in plain(alliance_voting_power.power_told(model))


def newcomer(council: Council) -> list[Any]:
    return ["Recycling company", council.wallets["Recycling company"].did, 5, "operators", 40]


# --- counted again -----------------------------------------------------------------------------------------------


@pytest.fixture
def taken(council) -> Minutes:
    council.act("Street office A", "vote", number=1, choice="no")
    council.act("Street office A", "vote", number=1, choice="yes")
    council.act("Transfer station", "recuse", number=1, reason="It would be paid for it.")
    council.act("Environment bureau", "vote", number=1, choice="yes")
    council.act("Street office B", "vote", number=1, choice="yes")
    return council.minutes(1)


def test_minutes_are_a_file_that_counts_again_with_no_network(taken, tmp_path):
    counted = audit(read(taken.to_bytes()))
    assert counted.told()["result"] == {"yes": 12, "no": 2, "abstain": 0}
    assert (counted.told()["state"], counted.told()["weight"]) == ("Succeeded", 15)
    assert {vote.name: vote.choice for vote in counted.votes}["Transfer station"] == "recused"
    assert set(CHECKS) == set(alliance_voting_decisions.check_words())
    assert all(counted.checks.values())
    file = tmp_path / "minutes.json"
    file.write_bytes(taken.to_bytes())
    result = CliRunner().invoke(main, ["verify", str(file), "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["decision"] == counted.told()
    shown = CliRunner().invoke(main, ["verify", str(file)])
    assert "Street office A (weight 4): yes" in shown.stdout
    assert CliRunner().invoke(main, ["verify", str(file), "--passport", str(tmp_path / "p.html")]).exit_code == 2


def altered(taken: Minutes, **changes: Any) -> Minutes:
    fields = {name: getattr(taken, name) for name in ("contract", "number", "values", "proofs")}
    return Minutes(**{**fields, **changes})


def test_minutes_that_were_altered_are_refused_by_the_name_of_the_check(council, taken, tmp_path):
    votes = taken.proofs
    without = altered(taken, proofs=votes[:-1])
    for wrong, check in (
        (without, "tally"),
        (altered(taken, proofs=votes[::-1]), "order"),
        (altered(taken, proofs=(*votes, votes[-1])), "order"),
        (altered(taken, number=2), "state"),
        (altered(taken, values={**taken.values, "pack": taken.values["case"]}), "state"),
        (altered(taken, values={}), "state"),
    ):
        with pytest.raises(ProofError, match=f"check '{check}' fails"):
            audit(wrong)
    with pytest.raises(ProofError, match="check 'state' fails"):
        audit(taken, b"\0" * 32)
    council.propose("Street office A", "Freeze", "Until all have read them.", [council.freeze(True)])
    other = council.minutes(2)
    with pytest.raises(ProofError, match="check 'order' fails"):
        audit(altered(taken, proofs=(*votes, *other.proofs)))
    file = tmp_path / "minutes.json"
    file.write_bytes(without.to_bytes())
    result = CliRunner().invoke(main, ["verify", str(file)])
    assert result.exit_code == 1
    assert "check 'tally' fails" in result.stdout


@pytest.mark.parametrize(
    "data", [b'["minichain minutes",1,{}]', b'["minichain minutes",2,{}]', b'["minichain minutes",']
)
def test_what_is_no_minutes_is_refused(data):
    with pytest.raises(ProofError, match=r"no minutes|reads version"):
        read(data)


def test_rules_that_weigh_by_the_moment_have_minutes_with_the_weights_of_the_last_count(council):
    """A member votes and is removed, another one comes and decides; what counts is who was there in the end."""
    council.propose("Street office A", "Other rules", "To try them.", [council.other_rules("fisco")])
    assert decide(council, 2) == "Executed"
    council.propose("Street office B", "Freeze", "Until all have read them.", [council.freeze(True)])
    members = [council.row(name) for name in MEMBERS if name != "Street office B"]
    council.propose("Transfer station", "Others", "It is time.", [council.membership([*members, newcomer(council)])])
    assert decide(council, 4) == "Executed"
    assert council.net.view(HOUSE, "proposal", {"number": 3})["yes"] == 4
    council.act("Composting plant", "vote", number=3, choice="no")
    assert council.audited(council.minutes(3)).told()["result"] == {"yes": 0, "no": 1}, "who left has no weight left"
    council.act("Recycling company", "vote", number=3, choice="yes")
    council.act("Environment bureau", "vote", number=3, choice="yes")
    taken = council.minutes(3)
    told = audit(read(taken.to_bytes())).told()
    assert (told["state"], told["weight"], told["result"]) == ("Succeeded", 18, {"yes": 9, "no": 1})
    assert ["Recycling company", 5, "yes"] in told["votes"]
    assert "Street office B" not in [name for name, _weight, _choice in told["votes"]]
    with pytest.raises(ProofError, match="check 'tally' fails"):
        audit(altered(taken, proofs=taken.proofs[:-1]))


# --- hidden ballots ----------------------------------------------------------------------------------------------


def ask(council: Council, secrecy: str, minutes: int = 1) -> int:
    number = council.polls.ask(
        "Street office A", "Who chairs?", secrecy, minutes, council.net.view(HOUSE, "members", {})
    )
    if secrecy == "secret":
        council.polls.make_key(number)
    council.net.pass_time(4_000)
    return number


def told_of(council: Council) -> str:
    model = Alliance(Council)
    model.show(Reader()(council))
    page = alliance_voting.alliance_voting_polls
    return plain(page._opened(model))


def test_a_secret_ballot_shows_turnout_only_until_two_trustees_have_opened_the_sum(council):
    polls, number = council.polls, ask(council, "secret", 5)
    tracker = polls.prepare(number, "Street office A", "no")
    opened = polls.challenge(number, "Street office A")
    assert (opened.is_honest, opened.choice) == (True, "no")
    with pytest.raises(UsageError, match="nothing is prepared"):
        polls.cast(number, "Street office A")
    assert polls.prepare(number, "Street office A", "no") != tracker
    for name, choice in zip(MEMBERS, ("yes", "no", "yes", "abstain", "no", "yes"), strict=True):
        polls.prepare(number, name, choice)
        polls.cast(number, name)
    told = told_of(council)
    assert "Handed in: 6 of 6 members" in told
    assert "What they said is not known to anybody." in told
    assert "The count" not in told
    assert polls.close(number) == "Closed"
    polls.open_part(number, "Auditor")
    with pytest.raises(UsageError, match="1 trustees have opened their part, and 2 must"):
        polls.tally(number)
    polls.open_part(number, "Notary office")
    assert polls.tally(number) == [9, 6, 2]
    assert "in favour 9 against 6 abstaining 2" in told_of(council)
    assert polls.recount(number).counts == (9, 6, 2)


def test_a_sealed_vote_that_is_not_shown_is_named_and_counts_as_not_cast(council):
    polls, number = council.polls, ask(council, "sealed")
    for name, choice in zip(list(MEMBERS)[:3], ("yes", "no", "yes"), strict=True):
        polls.seal(number, name, choice)
    assert "Environment bureau: sealed" in told_of(council)
    council.net.pass_time(61_000)
    for name in list(MEMBERS)[:2]:
        polls.reveal(number, name)
    with pytest.raises(UsageError, match="you have sealed no vote in this ballot"):
        polls.reveal(number, "Transfer station")
    council.net.pass_time(61_000)
    assert polls.close(number) == "Counted"
    told = told_of(council)
    assert "Street office B: sealed and never shown, so it counts as not cast" in told
    assert "Environment bureau: shown, in favour" in told
    assert polls.recount(number).counts == (4, 4, 0)


def test_the_phase_of_a_ballot_follows_the_clock():
    rules = {"opens": 10, "closes": 20, "until": 30}
    poll = Poll(1, "Voting", "sealed", rules, 3, 3, (), (), {})
    assert [poll.phase(now) for now in (9, 10, 20, 21, 30, 31)] == [
        "Soon",
        "Voting",
        "Voting",
        "Revealing",
        "Revealing",
        "Over",
    ]
    assert replace(poll, secrecy="secret").phase(21) == "Over"
    assert replace(poll, state="Counted").phase(5) == "Counted"


# --- the frame and the page --------------------------------------------------------------------------------------


def test_every_figure_is_made_anew_from_the_blocks(council, model, case):
    model.quota, model.newcomer = 60, 3
    findings = case.recompute(council)
    assert [one.figure.name for one in findings if not one.is_same] == []
    assert "blocks 1 to" in str(findings[0].source)
    shown = {figure.name: figure.shown for figure in case.figures()}
    assert (shown["Weight still needed"], shown["State of the proposal"]) == ("8", "being voted on")


def test_a_run_code_brings_the_council_back_as_it_was(council, model, case):
    model.rules, model.quota = "unsc", 70
    code = briefing.code_of(case)
    before = [figure.value for figure in case.figures()]
    council.act("Environment bureau", "vote", number=1, choice="no")
    later = Alliance(Council)
    again = voting.case(later, None)
    later.show(Reader()(council))
    briefing.reload(again, code)
    assert later.quota == 70
    later.pin(as_it_was(later.wanted, council))
    assert [figure.value for figure in again.figures()] == before
    assert briefing.is_reproduced(again, code)
    later.show(Reader()(council))
    assert later.height == model.height, "what comes now does not disturb what was brought back"
    later.follow()
    later.show(Reader()(council))
    assert later.proposal.tally["no"] == 6


def test_a_brief_about_another_chain_or_a_block_to_come_is_refused(council, model, case):
    for wanted, why in (
        ({"chain": "00000000", "height": 1}, "another network"),
        ({"chain": model.chain, "height": 10_000}, "does not have yet"),
    ):
        with pytest.raises(UsageError, match=why):
            as_it_was(wanted, council)
    for change, why in (
        ({"rules": "no such"}, "does not know the rules"),
        ({"quota": 101}, "none of this page"),
        ({"chain": "00000000"}, "another network"),
    ):
        with pytest.raises(UsageError, match=why):
            case.reload({**case.settings(), **change})


def test_a_reader_asks_again_only_for_what_changed(council, monkeypatch):
    look, asked = Reader(), []
    view = council.net.view
    monkeypatch.setattr(council.net, "view", lambda *call: asked.append(call[1]) or view(*call))
    look(council)
    assert asked.count("ballots") == 1
    asked.clear()
    look(council)
    assert asked == []


def test_a_network_without_a_council_offers_to_found_one():
    with Network.simulated(4, seed=8, clock="wall") as net:
        council = Council(net)
        page = alliance_voting.page(lambda: council, Council)
        asyncio.run(_arrive(page, Reader()(council)))
        assert [one.description for one in of_type(page, "Button")][:1] == ["Found the council"]
        heard: list[str] = []
        council.play(heard.append)
        assert tuple(heard) == words.told_by_council()
        council.play(heard.append)
        assert council.net.view(HOUSE, "count_proposals", {}) == 1, "founding it twice changes nothing"
        asyncio.run(_arrive(page, Reader()(council)))
        shown = [one.description for one in of_type(page, "Button")]
        assert {"Sign and vote", "Sign and propose", "Sign and ask", "Count it again from the blocks"} <= set(shown)


async def _arrive(page: Any, snapshot: Any) -> None:
    page.live._arrived(snapshot)


def of_type(widget: Any, kind: str) -> list[Any]:
    """List the widgets of a kind inside a widget."""
    found = [widget] if type(widget).__name__ == kind else []
    return found + [one for child in getattr(widget, "children", ()) for one in of_type(child, kind)]


def test_the_words_of_the_chain_are_in_the_catalogue():
    names = {*MEMBERS, *councils.CANDIDATES, *councils.TRUSTEES, *FIGURES}
    assert names <= set(words.on_the_chain())


def test_the_notice_says_what_it_is_not_for_and_why():
    told = plain(alliance_voting.notice())
    assert told.startswith("For decisions among institutions. Not for public elections.")
    assert len(words.reasons()) == 3
    notebook = json.loads((Path(__file__).parent.parent / "apps/alliance_voting.ipynb").read_text("utf-8"))
    assert "Not for public elections" in notebook["metadata"]["minichain"]["sentence"]


def test_the_brief_of_a_long_title_and_ballots_of_all_kinds_stands_on_two_pages(council, model):
    council.propose("Street office A", "T" * 120, "R" * 2_000, [council.freeze(True)])
    model.show(Reader()(council))
    model.chosen, model.rules, model.quota, model.newcomer = "2", "eu_qmv", 67, 3
    model.what_if = dict(zip(MEMBERS, ["yes", "no", "abstain", "veto", "", "yes"], strict=True))
    assert_two_pages(voting.case(model, None))
