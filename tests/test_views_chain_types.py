"""The page that compares kinds of ledger: what it knows, says and draws, driven without a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path

import ipywidgets as W  # noqa: N812
import pytest
from ledgerkinds import SHORT, small, tried
from test_views_i18n import raw_words
from test_views_markup import Reader

from minichain.errors import TimedOut
from minichain.scenarios import comparison
from minichain.scenarios.comparison import content
from minichain.views import chain_types, i18n, ledgers
from minichain.views.chain_types import ChainTypes, Series
from minichain.views.moving import Slide
from minichain.views.ownermap import ACROSS, owner_map

KINDS = comparison.KINDS


@pytest.fixture(autouse=True)
def _own_language():
    i18n.use("en")
    yield
    i18n.use("en")


def figures(kind, validators=4, owners=4):
    """Return what `comparison.run` gives the page, of a short run."""
    return content(small(kind, SHORT, validators, owners))


def attempt(attack, kind, validators=4, owners=4):
    """Return what `comparison.attack` gives the page."""
    return content(tried(kind, attack, validators, owners))


class Small:
    """A bench whose runs are short."""

    outline = staticmethod(comparison.outline)
    run = staticmethod(figures)
    attack = staticmethod(lambda kind, name, validators, owners: attempt(name, kind, validators, owners))


class Now:
    """Errands that are done at once."""

    def __init__(self, bench, takes=True):
        self.bench, self.takes = bench, takes

    def run(self, work, then, failed, heard=None):
        if not self.takes:
            return False
        try:
            result = work(self.bench, lambda *news: None)
        except Exception as error:
            failed(error)
        else:
            then(result)
        return True


def finished() -> ChainTypes:
    model = ChainTypes(comparison.outline)
    Series("", Now(Small), model.runs).start()
    return model


def text(widget: W.Widget) -> str:
    """Return all that a widget says."""
    if isinstance(widget, W.HTML):
        read = Reader(widget.value)
        said = [str(value) for name, value in read.attributes if name in ("aria-label", "title", "data-label")]
        return " ".join([read.text, *said])
    own = [getattr(widget, name, "") or "" for name in ("description", "tooltip")]
    own += [widget.words] if isinstance(widget, Slide) else []
    own += getattr(widget, "titles", ())
    return " ".join([*own, *(text(child) for child in getattr(widget, "children", ()))])


# --- the model ---------------------------------------------------------------------------------------------------


def test_nothing_is_shown_before_it_ran():
    model = ChainTypes(comparison.outline)
    assert model.found == {}
    assert model.outcomes("edit") == {}


def test_running_all_gives_each_kind_its_figures():
    model = finished()
    assert list(model.found) == list(KINDS)
    assert model.found["alliance"] == figures("alliance")
    assert "run" in model.done


def test_the_page_asks_the_comparison_itself():
    assert comparison.run("database", 4, 4, transactions=SHORT) == figures("database")
    assert comparison.attack("database", "edit", 4, 4) == attempt("edit", "database")


def test_one_kind_may_run_alone():
    model = ChainTypes(comparison.outline)
    model.kind = "private"
    Series("", Now(Small), model.runs).start()
    assert list(model.found) == ["private"]
    assert "run" not in model.done


def test_another_design_shows_no_figures_until_it_ran_and_keeps_the_old_ones():
    model = finished()
    model.validators = 9
    assert model.found == {}
    model.validators = 4
    assert len(model.found) == len(KINDS)


def test_there_are_never_more_owners_than_validators():
    model = ChainTypes(comparison.outline)
    model.validators, model.owners = 9, 9
    model.validators = 5
    assert model.design == (5, 5)


def test_nine_validators_of_two_owners_are_flagged_at_once():
    model = ChainTypes(comparison.outline)
    model.validators, model.owners = 9, 2
    assert ledgers.warning(model.outline("alliance")) == ("bad", "2 owners, 1 can halt")
    assert "flag" in model.done
    assert ledgers.map_words(model.outline("alliance")) == "owner A: 5 · owner B: 4"


def test_attacks_are_kept_for_their_design():
    model = ChainTypes(comparison.outline)
    Series("", Now(Small), lambda: model.tries("edit")).start()
    assert {kind: one["succeeded"] for kind, one in model.outcomes("edit").items()} == {
        kind: kind in ("database", "private") for kind in KINDS
    }
    assert model.outcomes("stop") == {}


# --- words -------------------------------------------------------------------------------------------------------


def test_a_figure_has_its_unit_and_its_sentence():
    found = figures("alliance", 7, 7)
    rows = {**ledgers.first_rows(), **ledgers.more_rows()}
    assert rows["Enough to stop it"](found) == ledgers.Line("3 of 7", "owners could stop this system together")
    assert rows["Enough to change the past"](found).value == "5 of 7"
    assert rows["Final after"](found).value.endswith("\xa0ms")
    assert rows["Stored for one transaction"](found).words.endswith("\xa0bytes in each of 7 copies")
    assert rows["Final after"](figures("public")).value.endswith("\xa0s")
    assert rows["Work for one transaction"](figures("public")).value != "0"


def test_every_row_speaks_of_every_kind():
    for name, rule in {**ledgers.first_rows(), **ledgers.more_rows()}.items():
        for kind in KINDS:
            assert rule(figures(kind)).value, name


def test_amounts_have_units_for_people():
    times = [ledgers.time(ms) for ms in (0, 76, 999, 1_000, 2_345)]
    sizes = [ledgers.size(count) for count in (266, 1_000, 14_584)]
    assert times == ["0\xa0ms", "76\xa0ms", "999\xa0ms", "1.0\xa0s", "2.3\xa0s"]
    assert sizes == ["266\xa0bytes", "1.0\xa0kB", "14.6\xa0kB"]


def test_needs_are_checked_against_figures():
    found = {kind: figures(kind) for kind in KINDS}
    is_spread = found["public"]["concentration"]["nakamoto"] > 1  # who mines most of a run this short is luck
    is_lucky = found["public"]["latency_p90_ms"] <= ledgers.QUICK_MS  # and so is how soon its seals are found
    shared = ["alliance", "open_alliance", "public_consortium", *(["public"] if is_spread else [])]
    assert {need: [kind for kind in KINDS if is_met(found[kind])] for need, is_met in ledgers.NEEDS.items()} == {
        "read": ["open_alliance", "public_consortium", "public"],
        "write": ["open_alliance", "public_consortium", "public"],
        "closed": ["database", "private", "alliance"],
        "rewrite": shared,
        "halt": shared,
        "lie": shared,
        "proof": [kind for kind in KINDS if kind != "database"],
        "quick": [kind for kind in KINDS if kind != "public" or is_lucky],
        "free": [kind for kind in KINDS if kind != "public"],
        "cool": [kind for kind in KINDS if kind != "public"],
        "small": ["database"],
    }
    assert set(ledgers.needs()) == set(ledgers.NEEDS) > ledgers.FIRST_NEEDS


def test_the_verdict_is_honest_about_databases():
    found = {kind: figures(kind) for kind in KINDS}
    assert ledgers.verdict(found, ledgers.FIRST_NEEDS) == (
        "These meet all you chose: Open alliance chain · Public consortium."
    )
    assert ledgers.verdict(found, frozenset({"quick", "free"})).startswith("An ordinary database meets all you chose")
    assert ledgers.verdict(found, frozenset({"small", "rewrite"})).startswith("None of them")
    assert ledgers.verdict(found, frozenset()) == "Choose what you need."


def test_every_attack_on_every_kind_is_told_in_full():
    for language in ("en", "zh"):
        i18n.use(language)
        for attack in comparison.ATTACKS:
            for kind in KINDS:
                told = ledgers.line(attempt(attack, kind))
                assert "{" not in told
                assert len(told) > 40


@pytest.mark.parametrize(
    ("attack", "kind", "tried", "told"),
    [
        ("edit", "private", "signed with 4 of 4 keys", "cannot tell which is true"),
        ("edit", "alliance", "signed with 1 of 4 keys", "every reader refuses it"),
        ("edit", "database", "wrote another balance over the old one", "nothing shows it"),
        ("collude", "alliance", "signed with 3 of 4 keys", "2 of the owners could not"),
        ("collude", "public", "3 of 4 computers worked on another past in secret", "had been final and is gone"),
        ("lie", "alliance", "proposed two different blocks", "proofs of the lie"),
        ("lie", "private", "damaged messages", "one owner who lies with all it has could split it"),
        ("stop", "private", "4 of 4 computers were switched off", "nothing became final any more; after 30.0\xa0s"),
        ("stop", "database", "1 of 1 computer was switched off", "there is no other copy"),
    ],
)
def test_attacks_say_what_was_tried_and_what_happened(attack, kind, tried, told):
    assert tried in ledgers.tried(attempt(attack, kind))
    assert told in ledgers.told(attempt(attack, kind))


# --- the map -----------------------------------------------------------------------------------------------------


def test_an_owner_is_told_apart_by_letter_colour_and_pattern():
    letters = "ABCDEFGHIJKLM"
    drawn = Reader(owner_map("thirteen", letters))
    looks = [value for name, value in drawn.attributes if name == "class" and "mc-owner-" in str(value)]
    assert len(set(looks)) == len(letters), "colour and pattern alone tell all owners apart"
    assert drawn.text == letters
    assert ("aria-label", "thirteen") in drawn.attributes


def test_the_computers_of_one_owner_stand_together():
    drawn = Reader(owner_map("", "ABABABABA"))
    assert drawn.text == "AAAAABBBB"
    places = [str(value) for name, value in drawn.attributes if name == "transform"]
    assert len(places) == len(set(places)) == 9
    assert places[ACROSS].startswith("translate(1 ")


# --- the page ----------------------------------------------------------------------------------------------------


def test_a_series_tells_what_fails_and_lets_one_try_again():
    def fails(_bench):
        raise TimedOut("too slow")

    model = ChainTypes(comparison.outline)
    series = Series("Run", Now(Small), lambda: [("first", fails), *model.runs()])
    series.start()
    assert "too slow" in text(series)
    assert not series.button.disabled
    assert model.found == {}


def test_a_series_that_finds_no_room_says_so():
    series = Series("Run", Now(Small, takes=False), lambda: [("first", lambda _bench: None)])
    series.start()
    assert "Too much is waiting" in text(series)
    assert not series.button.disabled


def test_a_slide_stays_within_its_ends():
    slide = Slide("how many", 4, 13)
    slide.value = 20
    assert slide.value == 13
    slide.value = 1
    assert slide.value == 4


def unwrapped(words: str) -> str:
    """Take away what went through the catalogue, also where one text was put into another."""
    while (shorter := re.sub("⟦[^⟦⟧]*⟧", "", words)) != words:
        words = shorter
    return words


@pytest.fixture
def page(monkeypatch):
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0")  # the style sheet is not in the page then
    return lambda: chain_types.page(Small)


def test_the_page_has_its_screens_limits_and_tasks(page):
    shown = text(page())
    for words in ("Side by side", "What do you need?", "Attacks", "This does not show…", "Try this", "2 can halt"):
        assert words in shown
    assert "half of all" not in shown, "no figure without a run"


def test_every_word_of_the_page_goes_through_the_catalogue(page):
    i18n.use(i18n.PSEUDO)
    rules = [*ledgers.first_rows().values(), *ledgers.more_rows().values()]
    lines = [rule(figures(kind)) for rule in rules for kind in KINDS]
    stories = [chain_types._story(attempt(attack, kind))[1] for attack in comparison.ATTACKS for kind in KINDS]
    lights = chain_types._lights({kind: figures(kind) for kind in KINDS}, ledgers.FIRST_NEEDS)
    shown = [text(page()), *(f"{line.value} {line.words}" for line in lines)]
    shown += [Reader(markup).text for markup in (*stories, lights)]
    found = {word for words in shown for word in raw_words(unwrapped(words))}
    assert {word for word in found if not set(word) <= set("ABCDEFGHIJKLM")} == set()  # letters of owners


def test_the_app_describes_itself():
    app = json.loads((Path(__file__).parents[1] / "apps/chain_types.ipynb").read_text("utf-8"))
    assert app["metadata"]["minichain"]["title"] == "Kinds of ledger"
    assert len(app["cells"]) <= 4
