"""The linter of schemes: six scripted packs may begin, six are refused, each for the reasons that were planted."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from minichain.scenarios.points import preset, presets
from minichain.scenarios.points.presets import Preset
from minichain.scenarios.points.redflags import LOOKS, Practices, flags, is_refused, lint, packs

PACKS = packs()


@pytest.mark.parametrize("name", PACKS)
def test_the_faulty_packs_are_refused_with_their_reasons_and_the_lawful_ones_begin(name: str) -> None:
    pack = PACKS[name]
    findings = lint(pack.scheme, pack.practices)
    assert is_refused(findings) is not pack.is_lawful
    assert {one.code for one in findings if one.level == "refuse"} == set(pack.flags)
    for one in findings:
        assert one.where
        assert all((one.clause, one.clause_zh, one.reason, one.reason_zh))


def test_there_are_six_of_each() -> None:
    lawful = [pack for pack in PACKS.values() if pack.is_lawful]
    assert (len(lawful), len(PACKS)) == (6, 12)


@pytest.mark.parametrize("name", presets())
def test_no_preset_is_refused(name: str) -> None:
    assert not is_refused(lint(preset(name)))


def test_every_flag_has_its_words_in_both_languages_and_something_that_it_looks_for() -> None:
    assert set(flags()) == set(LOOKS)
    for words in flags().values():
        assert set(words) == {"level", "clause", "clause_zh", "reason", "reason_zh"}
        assert words["level"] in ("refuse", "warn")


@pytest.mark.parametrize("code", LOOKS)
def test_every_flag_is_raised_by_something(code: str) -> None:
    planted = {
        "no-desk": ("training", {}, Practices(assisted_desk=False)),
        "no-cap": ("beijing", {}, Practices()),
        "long-memory": ("training", {"retention_days": 3_650}, Practices()),
    }
    if code in planted:
        name, changes, practices = planted[code]
        made = preset(name)
        found = lint(replace(made, scheme={**made.scheme, **changes}), practices)
        assert (code, "warn") in {(one.code, one.level) for one in found}
    else:
        assert any(code in pack.flags for pack in PACKS.values())


def changed(name: str, *, rule: dict[str, Any] | None = None, without: str = "", **scheme: Any) -> Preset:
    made = preset(name)
    told = {key: value for key, value in {**made.scheme, **scheme}.items() if key != without}
    return replace(made, scheme=told, rules=(*made.rules, *([{**made.rules[0], **rule}] if rule else [])))


TERM = {"repair_after": 0, "ends_after": 3, "is_published": False}


@pytest.mark.parametrize(
    ("scheme", "flag"),
    [
        (changed("hailin", uses=["goods", "job-offers"]), "other-context"),
        (changed("hailin", uses=["schools", "goods"]), "other-context"),
        (changed("training", appeal_days=1), "no-time"),
        (changed("training", without="objection_days", objection_minutes=10), "no-time"),
        (changed("training", without="objection_days"), "no-time"),
        (changed("training", quiet_days=5), "no-time"),
        (changed("training", review_days=3_650), "no-appeal"),
        (changed("training", terms={"minor": {**TERM, "ends_after": 600}}), "no-end"),
        (changed("training", terms={"minor": {**TERM, "is_published": True}}), "named-ranking"),
        (changed("hailin", rule={"code": "jaywalking", "points": 0}), "punishes-volunteers"),
        (changed("hailin", basis_reference="-"), "no-basis"),
        (changed("training", without="retention_days"), "long-memory"),
        (changed("beijing", rule={"code": "bottle", "at_most": 1}), "no-cap"),
    ],
    ids=lambda told: told if isinstance(told, str) else "",
)
def test_a_bad_scheme_in_other_words_is_found_too(scheme: Preset, flag: str) -> None:
    before = {(one.code, one.where) for one in lint(preset(scheme.name))}
    assert flag in {code for code, _ in {(one.code, one.where) for one in lint(scheme)} - before}


@pytest.mark.parametrize(
    "scheme",
    [
        changed("hailin", uses=["sport", "workshop", "courtyard-garden", "time-bank"]),
        changed("training", objection_days=30, appeal_days=30, review_days=60, panel_days=90),
        changed("cn_2025", without="retention_days", retention_minutes=60 * 24 * 365),
        changed("beijing", rule={"code": "bottle", "per_day": 100, "expires_after": 24}),
        changed("guangzhou", utc_offset=0, travel_minutes=15),
    ],
)
def test_a_lawful_scheme_in_other_words_is_not_refused(scheme: Preset) -> None:
    assert lint(scheme) == lint(preset(scheme.name))
