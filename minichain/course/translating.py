"""What a translator of notebooks works with: the catalogue of a notebook, brought up to date, and what is amiss in it.

Babel, which comes with JupyterLab, writes catalogues. A cell that was changed keeps its old translation, marked fuzzy,
until somebody has read both; a text that is in no cell any more is dropped.
"""

from __future__ import annotations

import io
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from minichain.catalogue import LOCALES
from minichain.course.editions import Words, catalogue_of, names, prose, read_master, read_words

LANGUAGE: Final = "zh"  # the one that masters are translated into
SENTENCE: Final = 25  # characters that a sentence has on average, at most

Ways = Mapping[str, tuple[str, ...]]  # an English form -> the words for it, of which a translation has one

_MARKDOWN: Final = MarkdownIt("commonmark").enable("table")  # comes with rich
_FORMULA: Final = re.compile(r"\$(?!\s)[^$\n]+(?<!\s)\$")
_NUMBER: Final = re.compile(r"(?<![\w-])\d[\d,.]*(?<![,.])")
_HAN: Final = "\u4e00-\u9fff"
_CODE: Final = "\N{OBJECT REPLACEMENT CHARACTER}"  # stands for a piece of code in a sentence


@dataclass(frozen=True, slots=True)
class Glossary:
    """How terms are called in Chinese, and units that follow a number."""

    terms: Ways
    units: Ways


def read_glossary(folder: Path) -> Glossary:
    """Read the words that the translators of a folder of masters have agreed on."""
    path = folder / "locale" / LOCALES[LANGUAGE] / "terms.toml"
    read = tomllib.loads(path.read_text("utf-8"))
    terms, units = (
        {form: tuple(one[LANGUAGE]) for one in read[kind] for form in one["en"]} for kind in ("term", "unit")
    )
    return Glossary(terms, units)


# --- refreshing ---------------------------------------------------------------------------------------------------


def refresh(catalogue: str, texts: Iterable[str]) -> str:
    """Return the text of a catalogue for these source texts, with the translations that it had."""
    from babel.messages.catalog import Catalog  # noqa: PLC0415 - only translators need Babel
    from babel.messages.pofile import read_po, write_po  # noqa: PLC0415

    found = Catalog()
    for text in filter(has_words, texts):
        found.add(text)
    book: Catalog = read_po(io.BytesIO(catalogue.encode()))
    book.update(found)
    for message in book:
        message.flags &= {"fuzzy"}  # "10 % of" is no placeholder
    written = io.BytesIO()
    write_po(written, book, width=0, omit_header=True, ignore_obsolete=True)
    return written.getvalue().decode().strip() + "\n"


def extract(folder: Path, wanted: Iterable[str] = ()) -> dict[str, tuple[str, ...]]:
    """Bring the catalogues of a folder's notebooks up to date; returns what is amiss in each."""
    found, glossary = {}, read_glossary(folder)
    for name in names(folder, wanted):
        texts, path = prose(read_master(folder, name)), catalogue_of(folder, name, LANGUAGE)
        path.write_text(refresh(path.read_text("utf-8") if path.exists() else "", texts), "utf-8", newline="\n")
        found[name] = tuple(faults(texts, read_words(folder, name, LANGUAGE), glossary))
    return found


# --- reading ------------------------------------------------------------------------------------------------------


def _pieces(text: str) -> list[list[Token]]:
    """Return what is read without a break, each as its runs of text, code and marks: a paragraph, a heading, a cell."""
    return [token.children or [] for token in _MARKDOWN.parse(text) if token.type == "inline"]


def _spoken(piece: list[Token]) -> str:
    """Return the words of a piece, without its marks; a sign stands for code and for a formula."""
    return _FORMULA.sub(_CODE, "".join(map(_said, piece)))


def _said(run: Token) -> str:
    match run.type:
        case "text":
            return run.content
        case "softbreak" | "hardbreak":
            return "\n"
        case "code_inline":
            return _CODE
    return ""


def spoken(text: str) -> list[str]:
    """Return the words of each paragraph, heading, entry of a list and cell of a table, without marks and code."""
    return [_spoken(piece) for piece in _pieces(text)]


def has_words(text: str) -> bool:
    """Tell whether a text has anything to translate beside code, links and formulas."""
    return any(re.search(r"[^\W\d_]", _spoken(piece)) for piece in _pieces(text))


def sentences(text: str) -> list[str]:
    """Split Chinese prose into sentences; a heading, an entry of a list and a cell of a table end one, too."""
    parts = (part for piece in _pieces(text) for part in re.split("[。！？]", _spoken(piece)))
    return [part for part in parts if length(part)]


def length(sentence: str) -> int:
    """Count the characters of a sentence, without punctuation; a number, a word in Latin letters or code is one."""
    return len(re.findall(rf"[{_HAN}]|\d[\d,.]*|[^\W\d{_HAN}]+|{_CODE}", sentence))


def mean_length(texts: Iterable[str]) -> float:
    """Return how many characters a sentence of these Chinese texts has on average."""
    return mean(length(sentence) for text in texts for sentence in sentences(text))


# --- what is amiss ------------------------------------------------------------------------------------------------


def faults(texts: Iterable[str], words: Words, glossary: Glossary) -> Iterator[str]:
    """Name whatever is wrong with a notebook's Chinese prose, against the English texts of its cells."""
    wanted = {text for text in texts if has_words(text)}
    yield from (f"not translated, or fuzzy: {text[:60]!r}" for text in sorted(wanted - words.keys()))
    yield from (f"in no cell any more: {text[:60]!r}" for text in sorted(words.keys() - wanted))
    for text in sorted(wanted & words.keys()):
        found = (*_lost(text, words[text]), *_misnamed(text, words[text], glossary), *_slips(words[text]))
        yield from (f"{fault}: {text[:60]!r}" for fault in found)
    if words and (average := mean_length(words.values())) > SENTENCE:
        yield f"a sentence has {average:.0f} characters on average: make them shorter, {SENTENCE} are enough"


def _lost(text: str, told: str) -> Iterator[str]:
    """Yield what has to stand in a translation as it stands in the text, and does not."""
    yield from (f"{part} is missing" for part in (Counter(_fixed(text)) - Counter(_fixed(told))))


def _fixed(text: str) -> Iterator[str]:
    """Yield code, formulas, addresses and numbers."""
    yield from (token.content for token in _MARKDOWN.parse(text) if token.type in ("fence", "code_block"))
    yield from _FORMULA.findall(text)
    for piece in _pieces(text):
        yield from (run.content for run in piece if run.type == "code_inline")
        yield from (str(run.attrs[name]) for run in piece for name in ("href", "src") if name in run.attrs)
        yield from _NUMBER.findall(_spoken(piece))


def _misnamed(text: str, told: str, glossary: Glossary) -> Iterator[str]:
    """Yield the terms, and the units after a number, that a translation does not call as the glossary does."""
    english, chinese = (" ".join(map(_spoken, _pieces(words))) for words in (text, told))
    for form, ways in glossary.terms.items():
        if re.search(rf"(?<![\w-]){form}(?![\w-])", english, re.IGNORECASE) and not any(way in chinese for way in ways):
            yield f"{form!r} is {' or '.join(ways)}"
    for form, ways in glossary.units.items():
        for number in re.findall(rf"({_NUMBER.pattern}) ?{form}(?!\w)", english):
            if not re.search(rf"(?<![\d,.]){number} ?({'|'.join(ways)})", chinese):
                yield f"'{number} {form}' is {number} {' or '.join(ways)}"


def _slips(told: str) -> Iterator[str]:
    """Yield what a Chinese reader would stumble over in a translation."""
    said = "".join(map(_spoken, _pieces(told)))
    if not re.search(f"[{_HAN}]", said):
        yield "not Chinese"
    if re.search(rf"[{_HAN}] ?[,;:?!]", said):
        yield "western punctuation after Chinese"
    if re.search(rf"[{_HAN}，。；：、”）]\n", said):
        yield "a line break within a paragraph, which shows as a gap"
    if "*" in said:
        yield "an emphasis that Markdown does not see: no punctuation at its inner ends, or a space outside"
