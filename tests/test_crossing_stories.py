"""What crosses between chains, told step by step: every failure's story as text, and the books that always add up.

Each text is `stories.tell(...).lines()`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from crossingtold import TOLD, told

from minichain.errors import UsageError
from minichain.merkle import verify_inclusion
from minichain.scenarios.crossings import stories
from minichain.scenarios.crossings.stories import FAILURES, PAIRS, failures_for, fits, pairs_for

GOLDEN = Path(__file__).parent / "golden/crossings"
every_story = pytest.mark.parametrize("choice", TOLD, ids="-".join)


@every_story
def test_what_happens(choice: tuple[str, ...]) -> None:
    golden = (GOLDEN / f"{'-'.join(choice)}.txt").read_text(encoding="utf-8")
    assert "\n".join(told(*choice).lines()) + "\n" == golden


@every_story
def test_after_each_step_everything_adds_up(choice: tuple[str, ...]) -> None:
    story = told(*choice)
    surplus = [step.total - story.total for step in story.steps]
    if "stolen" in choice:
        assert surplus == [0, 0, 300, 300, 300], "what three stolen keys have made stays"
    else:
        assert not any(surplus)


@every_story
def test_time_goes_on_and_what_is_refused_changes_nothing(choice: tuple[str, ...]) -> None:
    story = told(*choice)
    times = [step.ms for step in story.steps]
    assert times == sorted(times)
    for before, step in zip(story.steps, story.steps[1:], strict=False):
        if step.refusal or not step.height:
            assert step.places == before.places, step


def test_every_failure_has_a_story() -> None:
    asked = {(what, failure) for what, _, *failures in TOLD for failure in failures}
    alike = {("call", failure) for failure in FAILURES["call"]}  # a call is carried as units are
    assert {(what, failure) for what in FAILURES for failure in FAILURES[what]} <= asked | alike


def test_the_same_choice_is_the_same_story() -> None:
    assert stories.tell("units", "shards", ["paused"]) == told("units", "shards", "paused")
    assert stories.tell("swap", "shards", seed=8) != told("swap", "shards")


def test_failures_that_get_along_happen_in_one_story() -> None:
    failures = failures_for("call", "shards")
    kinds = [step.kind for step in told("call", "shards", *failures).steps]
    assert kinds.count("refused") == 4
    for kind in ("offline", "handover", "paused", "resumed", "declined", "settled"):
        assert kind in kinds, kind


@pytest.mark.parametrize(
    ("what", "pair", "failures", "words"),
    [
        ("gold", "shards", (), "no story has 'gold'; what crosses is one of units, call, swap, deal"),
        ("deal", "side", (), "deal crosses between shards, not 'side'"),
        ("units", "shards", ("reorganised",), "'reorganised' cannot befall units between shards; what can is offline"),
        ("units", "work", ("forged",), "'forged' cannot befall units between work"),
        ("units", "shards", ("stolen", "late"), "has a story of its own: leave the other failures out"),
    ],
)
def test_a_story_that_cannot_be(what: str, pair: str, failures: tuple[str, ...], words: str) -> None:
    with pytest.raises(UsageError, match=words.replace("(", r"\(")):
        stories.tell(what, pair, failures)


def test_the_choice_says_what_fits() -> None:
    assert pairs_for("units") == tuple(PAIRS)
    assert failures_for("units", "work") == ("offline", "altered", "replay", "late", "paused", "reorganised")
    assert fits(["late"], "paused")
    assert fits(["stolen"], "stolen")
    assert not fits(["stolen"], "late")
    assert not fits(["late"], "stolen")


def test_a_receipt_that_is_shown_leads_to_the_root_that_was_followed() -> None:
    shown = [step.carried for step in told("units", "shards").steps if step.carried]
    assert [(one.chain, one.count) for one in shown] == [("shard-0", 3), ("shard-0", 3), ("shard-1", 1)]
    assert all(verify_inclusion(one.entry, one.index, one.count, list(one.path), one.root) for one in shown)
