"""What officials read asks for no more than eight years of school, and Chinese sentences stay short."""

from __future__ import annotations

import pytest

from minichain.course import readability
from minichain.course.readability import grade, syllables


@pytest.mark.parametrize(
    ("word", "count"),
    [
        *(("waste", 1), ("lorry", 2), ("table", 2), ("places", 2), ("signed", 1), ("wanted", 2), ("rules", 1)),
        *(("the", 1), ("decision", 3), ("validator", 4), ("being", 2), ("hear", 1), ("tell", 1)),
    ],
)
def test_syllables_are_counted_by_spelling(word, count):
    assert syllables(word) == count


def test_the_grade_is_that_of_the_formula():
    assert grade(["The cat sat on the mat."]) == pytest.approx(0.39 * 6 + 11.8 - 15.59)
    assert grade(["Interoperable institutions necessitate cryptographic authentication methodologies."]) > 20
    assert grade([]) == 0


def test_labels_marks_and_code_have_no_grade_and_a_line_of_a_list_is_a_sentence():
    assert grade(["Interoperability"]) == 0
    assert grade(["- The cat `interoperability.configuration` sat.\n- The **cat** sat."]) == grade(["The cat sat."])
    assert grade(["{cryptography} sat."]) == grade(["one sat."])


def test_what_officials_read_is_easy_enough():
    assert list(readability.too_hard()) == []
    figures = readability.measures()
    assert {"grade_apps", "grade_glossary", "characters_apps", "characters_glossary"} <= figures.keys()
    assert all(0 < figure <= readability.SENTENCE for figure in figures.values())


def test_a_hard_card_is_named(monkeypatch):
    hard = {"en": "Institutional interoperability necessitates authentication.", "zh": "机构之间的互操作" * 5 + "。"}
    monkeypatch.setattr(readability, "cards", lambda language: {"m99 task card": (hard[language],)})
    english, chinese = readability.too_hard()
    assert english.startswith("m99 task card: English of grade 50.9,")
    assert chinese == "m99 task card: a Chinese sentence has 40 characters on average, 25 are enough"
