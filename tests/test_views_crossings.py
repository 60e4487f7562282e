"""The crossing timeline knows choices, stories and steps, and says them in plain words; no browser is needed."""

from __future__ import annotations

from collections.abc import Iterator

import ipywidgets as W  # noqa: N812
import pytest
from crossingtold import TOLD, told
from test_views_i18n import raw_words
from test_views_markup import Reader

from minichain.scenarios.crossings import stories
from minichain.views import crossings, i18n
from minichain.views import crossings_words as words
from minichain.views.crossings_model import Timeline
from minichain.views.crossings_picture import picture, shape_of
from minichain.views.moving import Slide


class Told:
    """The stories of the tests, told once."""

    pairs_for = staticmethod(stories.pairs_for)
    failures_for = staticmethod(stories.failures_for)
    fits = staticmethod(stories.fits)

    def tell(self, what: str, pair: str, failures: frozenset[str]) -> stories.Story:
        return told(what, pair, *sorted(failures))


@pytest.fixture(autouse=True)
def _own_language() -> Iterator[None]:
    yield
    i18n.use("en")


def timeline(what: str = "units", pair: str = "shards", *failures: str) -> Timeline:
    model = Timeline(Told())
    model.choose(what, pair)
    for failure in failures:
        model.befall(failure, True)
    return model


def test_one_goes_forward_and_back_and_no_further() -> None:
    model = timeline()
    assert (model.position, model.last, model.step.kind) == (0, 5, "sent")
    model.go(1)
    assert model.step.kind == "final"
    model.go(-9)
    assert model.position == 0
    model.go(99)
    assert model.step.kind == "settled"
    assert model.done == {"whole"}


def test_what_goes_wrong_is_kept_where_it_can_and_a_story_of_its_own_stands_alone() -> None:
    model = timeline("units", "shards", "late")
    model.choose("call", "alliance")
    assert model.failures == {"late"}
    model.choose("swap", "alliance")
    assert model.failures == frozenset()
    model = timeline("units", "shards", "late")
    model.befall("stolen", True)
    assert model.failures == {"stolen"}
    model.go(model.last)
    assert model.done == {"failure", "stolen"}
    model.befall("stolen", False)
    assert model.story == told("units", "shards")


def test_a_pair_that_does_not_fit_is_replaced() -> None:
    model = timeline("units", "side", "offline")
    model.choose("deal", "side")
    assert (model.pair, model.failures) == ("shards", frozenset())


@pytest.mark.parametrize("choice", TOLD, ids="-".join)
def test_each_step_is_told_and_drawn_in_the_language_of_the_viewer(choice: tuple[str, ...]) -> None:
    story = told(*choice)
    english = [words.told(story, step) for step in story.steps]
    assert all(sentence.endswith((".", "”")) for sentence in english), english
    i18n.use("zh")
    for step, sentence in zip(story.steps, english, strict=True):
        chinese = words.told(story, step)
        assert "{" not in chinese
        assert any("一" <= letter <= "龥" for letter in chinese), sentence
    i18n.use(i18n.PSEUDO)
    for step in story.steps:
        assert raw_words(words.title(step)) == raw_words(words.shapes()[shape_of(step)]) == []


@pytest.mark.parametrize("choice", TOLD, ids="-".join)
def test_the_picture_shows_what_has_happened_and_no_more(choice: tuple[str, ...]) -> None:
    story = told(*choice)
    for position in (0, len(story.steps) - 1):
        drawn = picture(story, position)
        assert drawn.count('class="mc-cross-mark') == 2 * (position + 1) + len({shape_of(one) for one in story.steps})
        assert f"Step {position + 1} of {len(story.steps)}: {words.title(story.steps[position])}" in drawn


def test_the_table_adds_up_and_says_so_when_it_does_not() -> None:
    model = timeline()
    model.go(1)
    table = Reader(crossings._count(model)).text
    assert "Between the chains" in table
    assert "+300" in table
    assert "It adds up" in table
    model = timeline("units", "shards", "stolen")
    model.go(9)
    assert "It does not add up: 300 units come from nothing." in Reader(crossings._count(model)).text


def test_a_refusal_is_quoted_and_the_lesson_comes_at_the_end() -> None:
    model = timeline("units", "shards", "forged", "altered", "replay")
    assert crossings._lesson(model) == ""
    model.go(2)
    shown = Reader(crossings._told(model)).text
    assert "shard-0: signatures of weight 1 of 4 are not more than two thirds" in shown
    assert "Only 1 of four has signed it" in shown
    model.go(99)
    assert "A bridge is a trust of its own" in Reader(crossings._lesson(model)).text
    assert model.done == {"failure", "lie"}


def test_the_page_follows_the_choice() -> None:
    page = crossings.page(Told())
    next(one for one in walk(page) if isinstance(one, W.ToggleButton)).value = True
    boxes = [one for one in walk(page) if isinstance(one, W.Checkbox)]
    assert len(boxes) == len(stories.failures_for("units", "shards"))
    boxes[-1].value = True
    (slide,) = (one for one in walk(page) if isinstance(one, Slide))
    slide.value = slide.most
    text = " ".join(one.value for one in walk(page) if isinstance(one, W.HTML))
    assert "it is not believed any more" in text
    assert "300 units come from nothing" in text


def walk(widget: W.Widget) -> Iterator[W.Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from walk(child)
