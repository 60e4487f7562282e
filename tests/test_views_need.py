"""The worksheet: doubt never leads to a chain, a further yes never leads lower, and the page says what decided."""

from __future__ import annotations

import re
import tomllib
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_views_chain_types import text
from test_views_i18n import raw_words

from minichain.errors import ConfigError, UsageError
from minichain.scenarios import need
from minichain.scenarios.need import worksheet
from minichain.scenarios.need.worksheet import ANSWERS, RUNGS, checked, follow
from minichain.views import brief, briefing, i18n, need_a_chain
from minichain.views.briefs import need as need_brief
from minichain.views.need_a_chain import Worksheet

NEEDS = [question.id for question in need.data().question]
KINDS = [question.id for question in need.data().kind]
answered = st.fixed_dictionaries({name: st.sampled_from(ANSWERS) for name in (*NEEDS, *KINDS)})


@pytest.fixture(autouse=True)
def _own_language():
    yield
    i18n.use("en")


def height(answers) -> int:
    return RUNGS.index(need.judge(answers).rung)


def pressed(widget, words: str) -> None:
    """Press the button with these words, wherever in a widget it is."""
    if getattr(widget, "description", "") == words:
        widget.click()
    for child in getattr(widget, "children", ()):
        pressed(child, words)


# --- the rules ---------------------------------------------------------------------------------------------------


def test_over_all_answers_a_chain_needs_eight_clear_yes():
    chains = 0
    for answers in product(ANSWERS, repeat=len(NEEDS)):
        verdict = need.judge(dict(zip(NEEDS, answers, strict=True)))
        assert verdict.is_chain == (set(answers) == {"yes"})
        assert verdict.decisive in (*NEEDS, *KINDS)
        chains += verdict.is_chain
    assert chains == 1


@given(answered, st.sampled_from([*NEEDS, *KINDS]))
def test_not_sure_is_never_better_than_no_and_yes_never_leads_lower(answers, name):
    unsure, no, yes = (height({**answers, name: answer}) for answer in ("unsure", "no", "yes"))
    assert no == unsure <= yes


@given(answered)
def test_every_change_that_is_named_changes_the_verdict(answers):
    verdict = need.judge(answers)
    for name, answer, rung in verdict.changes:
        assert rung != verdict.rung
        assert need.judge({**answers, name: answer}).rung == rung
    assert set(verdict.to_find_out) == {name for name in NEEDS if answers[name] == "unsure"}
    if not verdict.is_chain:
        assert answers[verdict.decisive] != "yes"


@given(answered)
def test_in_every_framework_doubt_takes_the_lower_way(answers):
    for framework in need.data().framework:
        opinion = follow(framework, answers)
        assert opinion.path
        for name, answer in answers.items():
            if answer == "unsure":
                both = (follow(framework, {**answers, name: sure}).rung for sure in ("yes", "no"))
                assert RUNGS.index(opinion.rung) <= min(map(RUNGS.index, both))


def test_nothing_answered_is_the_lowest_rung():
    assert need.judge({}).rung == "process"
    assert need.judge({}).to_find_out == tuple(NEEDS)


@pytest.mark.parametrize("answers", [{"recrod": "yes"}, {"record": "perhaps"}])
def test_a_question_or_an_answer_that_is_none_is_told(answers):
    with pytest.raises(UsageError, match=r"there is no question|is no answer"):
        need.judge(answers)


def test_a_published_framework_goes_its_own_way():
    """Wüst and Gervais, figure 1: who knows all writers and trusts them not is asked who has to verify it."""
    answers = {"record": "yes", "writers": "yes", "keeper": "yes", "open": "no", "conflict": "yes", "visible": "yes"}
    answers |= {"private": "no", "history": "yes"}
    ours, dhs, _wef = need.opinions(answers)
    assert [taken.step.id for taken in ours.path] == ["state", "writers", "party", "known", "trusted", "verified"]
    assert ours.rung == "alliance"
    assert [taken.step.id for taken in dhs.path] == ["shared", "several", "kept"]
    assert dhs.rung == "database", "who has to erase something some day takes a database, says the DHS"


def test_the_data_are_in_both_languages_and_say_what_was_not_compared():
    found = need.data()
    assert 6 <= len(found.question) <= 8
    assert len(found.framework) == 3
    assert {one.id: one.compared for one in found.framework} == {
        "wuest_gervais": "original",
        "nist": "quoted",
        "wef": "quoted",
    }
    assert all(framework.source for framework in found.framework)
    for question in (*found.question, *found.kind):
        assert question.ask.en.endswith("?")
        assert question.ask.zh.endswith("？")
        assert all(words.en and words.zh for words in (question.yes, question.no))


def changed(old: str, new: str):
    read = worksheet.DATA.read_text("utf-8")
    assert old in read
    return tomllib.loads(read.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('cap = "process"', 'cap = "chain"', "which is no rung below a chain"),
        ('from = "record"', 'from = "weather"', "which nobody answers"),
        ('yes = "writers", no', 'yes = "state", no', "name a later step"),
        ('id = "state"', 'id = "log"', "the name of a rung"),
        ('version = "1"', "version = 1", "frameworks.toml"),
    ],
)
def test_rules_that_make_no_sense_are_refused(old, new, why):
    with pytest.raises(ConfigError, match=why):
        checked(changed(old, new))


# --- the cards ---------------------------------------------------------------------------------------------------


def test_eighteen_of_twenty_cards_come_out_as_judged_and_most_of_them_need_no_chain():
    same, count, other = need.agreement()
    assert (same, count) == (18, 20), other
    below = [card for card in need.cards() if RUNGS.index(card.panel) < worksheet.FIRST_CHAIN]
    assert len(below) >= 12
    wrong = [card.id for card in need.cards() if need.judge(card.answers).is_chain != (card not in below)]
    assert wrong == [], "no card comes out on the wrong side of the question"


@pytest.mark.parametrize("card", need.cards(), ids=lambda card: card.id)
def test_a_card_is_whole_and_says_what_decided(card):
    assert set(card.answers) == {*NEEDS, *KINDS}
    assert all(words.en and words.zh for words in (card.title, card.who, card.record, card.dispute))
    assert need.judge(card.answers).decisive


# --- the page ----------------------------------------------------------------------------------------------------


def test_a_card_is_classified_question_by_question_and_compared():
    model = Worksheet(need)
    model.choose("procurement")
    assert (model.title, model.answers, model.position) == ("Steps of public procurement", {}, 0)
    for place, name in enumerate(NEEDS):
        assert model.position == place
        model.answer(name, "yes")
    assert (model.verdict.rung, "answered" in model.done) == ("alliance", True)
    model.flip("keeper", "no")
    assert (model.verdict.rung, model.verdict.decisive) == ("log", "keeper")
    assert "Enough if a change that nobody notices would do no harm" in model.alternative
    model.compare()
    assert {"flip", "panel"} <= model.done


def test_the_brief_names_the_simpler_alternative_and_comes_back():
    model, other = Worksheet(need), Worksheet(need)
    case, again = need_brief.case(model), need_brief.case(other)
    model.choose("")
    model.record, model.who = "keys of the depot", "two offices"
    for name in NEEDS:
        model.answer(name, "yes" if name != "conflict" else "unsure")
    model.additions = {"code": "yes"}
    code = briefing.code_of(case)
    briefing.reload(again, code)
    assert (other.record, other.answers, other.additions) == (model.record, model.answers, model.additions)
    assert briefing.is_reproduced(again, code)
    page = briefing.document(case, brief.Written())
    assert "A better process on paper" in page
    assert "Not known yet: Do these organisations have different interests" in page
    assert all(one.is_same for one in case.recompute(None))


def test_where_persons_are_concerned_a_pilot_waits_for_every_safeguard():
    model = Worksheet(need)
    model.choose("points")
    case = need_brief.case(model)
    safeguards = case.told().safeguards
    for decision in ("go", "pilot"):
        with pytest.raises(UsageError, match="1 are missing: It is settled who pays"):
            briefing.document(case, brief.Written(kept=frozenset(safeguards[:-1]), decision=decision))
        assert briefing.document(case, brief.Written(kept=frozenset(safeguards), decision=decision))
    assert briefing.document(case, brief.Written(decision="no")), "a no is open to anybody"
    model.is_about_persons = False
    assert briefing.document(case, brief.Written(decision="pilot"))


def test_the_page_speaks_both_languages():
    for language, words in (("en", "Do several people have to look up"), ("zh", "以后是否有多人要查阅")):
        i18n.use(language)
        assert words in text(need_a_chain.page(need))


def test_a_verdict_says_which_answers_it_still_lacks_and_buttons_lead_from_screen_to_screen():
    i18n.use("en")
    model = Worksheet(need)
    said = text(need_a_chain._verdict(model))
    assert "Your answer: not answered." in said
    assert "Not all questions are answered yet" in said
    assert ("looked up later", "not answered") in need_brief.tried(model)
    pressed(need_a_chain._case(model), "Answer the questions")
    assert model.screen == 1
    for name in NEEDS:
        model.answer(name, "no")
    assert "Not all questions" not in text(need_a_chain._verdict(model))
    pressed(need_a_chain._questions(model), "See the verdict")
    assert model.screen == 3


def test_everything_was_wrapped(monkeypatch):
    monkeypatch.setenv("QUERY_STRING", "")
    i18n.use(i18n.PSEUDO)
    model = Worksheet(need)
    model.choose("manifests")
    shown = [make(model) for make in (need_a_chain._case, need_a_chain._questions, need_a_chain._kind)]
    for name in NEEDS:
        model.answer(name, "yes")
    shown += [make(model) for make in (need_a_chain._verdict, need_a_chain._frameworks, need_a_chain._funnel)]
    names = {word for framework in need.data().framework for word in raw_words(framework.source)}
    said = " ".join(map(text, shown))
    while (inner := re.sub("⟦[^⟦⟧]*⟧", " ", said)) != said:  # a question within a sentence is wrapped by itself
        said = inner
    assert set(raw_words(said)) - names == set()
