"""The linter of schemes: six scripted packs may begin, six are refused, each for the reasons that were planted."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from minichain.scenarios.points import preset, presets
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
