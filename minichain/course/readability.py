"""How hard the texts for officials are to read: a school grade in English, characters a sentence in Chinese.

The grade is Flesch and Kincaid's (1975), from words a sentence and syllables a word; syllables are counted by rules of
spelling. Only whole sentences count: a label has no grade. The Chinese measure is the translators' one.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import minichain
from minichain.catalogue import po_file, read_po
from minichain.course import casebook, material
from minichain.course.translating import SENTENCE, mean_length, spoken

GRADE: Final = 8  # of school, at most
VIEWS: Final = Path(minichain.__file__).parent / "views"  # their words are read as data

_WORD: Final = re.compile(r"[A-Za-z]+(?:['\u2019][a-z]+)?")
_END: Final = re.compile(r"[.!?](?=\s|$)")
_PLACEHOLDER: Final = re.compile(r"\{[^{}]*\}")

Texts = Mapping[str, Iterable[str]]  # what they are -> the texts of it


def syllables(word: str) -> int:
    """Count the syllables of an English word by its spelling: groups of vowels, but for the silent e at its end."""
    word = re.sub(r"['\u2019].*", "", word.lower())
    word = re.sub(r"(?<=[^aeiouy])e$|(?<=[^aeiouycsgxzh])es$|(?<=[^aeiouydt])ed$", "", word)
    hiatus = re.findall(r"(?<![cstx])i[ao](?!u)|eo|[aeiou]ing$", word[1:])  # two vowels that are said apart
    return max(1, len(re.findall(r"[aeiouy]+", word)) + len(hiatus) + bool(re.search("[^aeiouyl]l$", word)))


def grade(texts: Iterable[str]) -> float:
    """Return the school grade that English texts ask for; 0 for texts without a word."""
    found = [sentence for text in texts for sentence in _sentences(text)]
    words = [word for sentence in found for word in _WORD.findall(sentence)]
    if not words:
        return 0.0
    return 0.39 * len(words) / len(found) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def _sentences(text: str) -> Iterator[str]:
    """Yield the whole sentences of a text; a line of a list is one, even without its stop."""
    for piece in spoken(_PLACEHOLDER.sub("one", text)):
        if _END.search(piece):
            yield from (part for part in _END.split(piece) if _WORD.search(part))


# --- what officials read -----------------------------------------------------------------------------------------


def cards(language: str) -> dict[str, tuple[str]]:
    """Return each task card."""
    paths = (material.curriculum() / module.id / f"task.{language}.md" for module in material.syllabus().modules)
    return {f"{path.parent.name} task card": (path.read_text("utf-8"),) for path in paths if path.exists()}


def words(language: str) -> Texts:
    """Return all other texts for officials: those of the apps, the words with their tips, beliefs and forms."""
    apps = read_po(po_file(VIEWS / "locale", "zh", "minichain").read_text("utf-8"))
    terms = tomllib.loads((VIEWS / "glossary.toml").read_text("utf-8"))["term"]
    beliefs = material.misconceptions().values()
    return {
        "apps": tuple(part for pair in apps.items() for part in pair[language == "zh"].split("\0")),
        "glossary": tuple(term[f"tip_{language}"] for term in terms),
        "beliefs": tuple(text(language) for one in beliefs for text in (one.so, one.demonstration)),
        "casebook": tuple(card.text(language) for card in casebook.cards().values()),
        "forms": tuple(probe.asks(language) for probe in material.inventory().values()),
    }


def measures() -> dict[str, float]:
    """Return the figure of each kind of text in each language, task cards as one."""
    english, chinese = words("en"), words("zh")
    figures = {f"grade_{kind}": grade(texts) for kind, texts in english.items()}
    figures["grade_task_cards"] = grade(text for texts in cards("en").values() for text in texts)
    figures |= {f"characters_{kind}": mean_length(texts) for kind, texts in chinese.items()}
    if told := [text for texts in cards("zh").values() for text in texts]:
        figures["characters_task_cards"] = mean_length(told)
    return {name: round(figure, 1) for name, figure in figures.items()}


def too_hard() -> Iterator[str]:
    """Name the texts that ask too much: each task card, and each other kind as a whole."""
    for name, texts in {**words("en"), **cards("en")}.items():
        if (found := grade(texts)) > GRADE:
            yield f"{name}: English of grade {found:.1f}, {GRADE} is enough"
    for name, texts in {**words("zh"), **cards("zh")}.items():
        if (found := mean_length(texts)) > SENTENCE:
            yield f"{name}: a Chinese sentence has {found:.0f} characters on average, {SENTENCE} are enough"
