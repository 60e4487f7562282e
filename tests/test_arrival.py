"""Somebody arrives: the doctor looks, a code is read out across the room, and the trainer knows what to do."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from test_cli import COULD_NOT, NO, read, run

import minichain
from minichain.course import doctor as look
from minichain.course import place
from minichain.errors import UsageError
from minichain.live import arrival, doctor
from minichain.live.home import Home


@pytest.fixture(autouse=True)
def _lesson(monkeypatch, tmp_path):
    monkeypatch.setenv("MINICHAIN_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def test_a_code_says_which_version_and_what_is_not_well():
    said = arrival.code("1.2.3", [0, 10], python=12)
    assert arrival.read(said) == arrival.Arrival("1.2.3", "3.12", (0, 10))
    assert arrival.read(arrival.code("0+unknown", [])).version == "0.0.0"
    assert arrival.read(arrival.code("99.1.1", [])).version == "15.1.1", "the largest that fits"
    assert len(said) == 9


def test_a_code_is_heard_in_small_letters_with_spaces_and_with_what_sounds_alike():
    said = arrival.code("0.1.0", [])
    heard = said.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert arrival.read(heard) == arrival.read(said)


def test_each_letter_that_is_misheard_and_each_pair_that_changed_places_is_noticed():
    said = arrival.code("0.1.0", [2, 5]).replace("-", "")
    wrong = {said[:at] + letter + said[at + 1 :] for at in range(8) for letter in arrival.ALPHABET} - {said}
    wrong |= {said[:at] + said[at + 1] + said[at] + said[at + 2 :] for at in range(7)} - {said}
    assert len(wrong) > 240
    for heard in wrong:
        with pytest.raises(UsageError, match="a letter of this arrival code is wrong: ask for it once more"):
            arrival.read(heard)


@pytest.mark.parametrize(
    ("heard", "said"), [("ABC", "has 8 letters and digits, this has 3"), ("ABCU-1234", "has U in it")]
)
def test_what_is_no_code_is_refused(heard, said):
    with pytest.raises(UsageError, match=said):
        arrival.read(heard)
    assert said in run("course", "arrived", heard, expect=COULD_NOT).stderr


def test_the_doctor_in_a_lesson_speaks_the_language_of_the_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "_leftovers", lambda: doctor.Finding("leftovers", "0", ""))
    assert "✓ Memory: well" in repr(look())
    place.write_record(tmp_path, place.Bundle(language="zh"))
    monkeypatch.setattr(doctor, "VALIDATOR_MB", 10**9)
    said = look()
    assert ("✗ 内存：" in repr(said).replace(": ", "："), said.is_well) == (True, False)
    assert "念给讲师听" in repr(said)
    assert read("course", "arrived", said.code, expect=NO)["not_well"] == ["memory"]


def test_the_trainer_hears_of_another_version_and_of_what_is_not_well(monkeypatch):
    version = minichain.__version__
    told = read("course", "arrived", arrival.code(version, []))
    assert told == {"version": version, "python": told["python"], "is_same_version": True, "not_well": []}
    assert "Another version than yours" in run("course", "arrived", arrival.code("9.9.9", [2]), expect=NO).stdout
    assert "Not well: Memory" in run("course", "arrived", arrival.code(version, [2]), expect=NO).stdout
    assert "Not well: number 11" in run("course", "arrived", arrival.code(version, [11]), expect=NO).stdout


def test_a_wrong_clock_missing_lessons_and_a_closed_folder_are_found(monkeypatch, tmp_path):
    def fixes():
        return {one.what: one.fix for one in doctor.examine(Home(tmp_path / "home")) if one.fix}

    monkeypatch.setattr(time, "time", lambda: Path(minichain.__file__).stat().st_mtime - 90_000)
    monkeypatch.setattr(doctor, "shipped", lambda name: tmp_path)
    monkeypatch.setattr(doctor.os, "access", lambda *asked: False)
    found = fixes()
    assert found["clock"].startswith("set the clock")
    assert found["lessons"].startswith("install minichain again")
    assert found["folder"].startswith("let yourself write to")


def test_each_finding_has_a_name_and_a_remedy_in_both_languages_and_a_place_in_the_code():
    found = [one.what for one in doctor.examine(Home())]
    assert found == list(doctor.words()), "codes of earlier versions name findings by their places"
    assert len(found) <= arrival.FINDINGS
    assert all({"en", "zh", "fix_zh"} == said.keys() for said in doctor.words().values())
