"""Every safeguard of the contribution points: with it the harm does not happen, without it the harm is there."""

from __future__ import annotations

import pytest

from minichain.contracts import check, source_of
from minichain.errors import UsageError
from minichain.scenarios.points import CONTRACTS
from minichain.scenarios.points.harms import HARMS
from minichain.scenarios.points.laboratory import safeguards, without
from minichain.scenarios.points.story import LEDGER

LEAST = 25
MAX_SOURCE = 32_768


@pytest.mark.parametrize("name", HARMS)
def test_without_it_the_harm_is_there_and_with_it_not(name: str) -> None:
    assert not HARMS[name]("")
    assert HARMS[name](name)


@pytest.mark.parametrize("name", HARMS)
def test_another_safeguard_does_not_stand_in_for_it(name: str) -> None:
    """The variant differs from the contract in nothing but the one method."""
    ((address, source),) = without(name).items()
    ordinary, changed = source_of(CONTRACTS[address]).splitlines(), source.splitlines()
    assert check(source) == []
    at = next(place for place, line in enumerate(ordinary) if f"def guard_{name}(" in line)
    same = next(place for place, (one, other) in enumerate(zip(ordinary, changed, strict=False)) if one != other)
    assert at < same
    assert changed[same].strip() in ("pass", "return points", "return amount", "return silence")
    rest = changed[same + 1 :]
    assert ordinary[-len(rest) :] == rest


def test_each_safeguard_has_its_story_and_each_contract_fits() -> None:
    assert set(HARMS) == set(safeguards())
    assert len(HARMS) >= LEAST
    for contract in CONTRACTS.values():
        source = source_of(contract)
        assert check(source) == []
        assert len(source.encode()) < MAX_SOURCE
    for made in safeguards().values():
        assert made.clause.endswith(".")
        assert made.harm.endswith(".")
        assert made.clause_zh.endswith("。")
        assert made.harm_zh.endswith("。")


def test_the_laboratory_takes_out_one_that_there_is() -> None:
    assert without("") == {}
    with pytest.raises(UsageError, match="there is no safeguard 'kindness'"):
        without("kindness")
    assert safeguards()["caps"].contract == LEDGER
