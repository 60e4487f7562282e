"""Every text is in both catalogues, says the same in both, and none is forgotten outside them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from test_views_markup import Reader, everything

from minichain.catalogue import read_po
from minichain.views import i18n, panels, parts
from minichain.views.i18n import _, choose, ngettext
from minichain.views.models import BlockCard, NodeCard
from minichain.views.moving import BlockStrip, NodeRing, Pulse
from minichain.views.server import frame

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def _own_language():
    yield
    i18n.use("en")


@pytest.mark.parametrize(
    ("query", "accept", "language"),
    [
        ("", "", "en"),
        ("lang=zh", "", "zh"),
        ("a=b&lang=zh-CN", "en", "zh"),
        ("lang=en", "zh-CN,zh;q=0.9", "en"),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("", "fr,de;q=0.9", "en"),
        ("lang=../../etc/passwd", "", "en"),
        ("lang=%3Cscript%3E", "zh", "zh"),
    ],
)
def test_the_address_decides_then_the_browser_then_english(query, accept, language):
    assert choose(query, accept) == language


def test_the_request_that_voila_hands_over_decides_in_the_kernel(monkeypatch):
    monkeypatch.setenv("QUERY_STRING", "lang=zh")
    i18n.use(None)
    assert _("Cancel") == "取消"


def test_a_language_without_a_catalogue_is_refused():
    with pytest.raises(ValueError, match="no catalogue"):
        i18n.use("xx")


def test_counts_take_the_form_their_language_has():
    forms = [ngettext("{count} entry", "{count} entries", count).format(count=count) for count in (1, 2)]
    i18n.use("zh")
    forms += [ngettext("{count} entry", "{count} entries", count).format(count=count) for count in (1, 2)]
    assert forms == ["1 entry", "2 entries", "1 条记录", "2 条记录"]


def test_a_catalogue_is_read_as_gettext_reads_it():
    table = read_po(
        'msgid ""\nmsgstr "Header: x\\n"\n\n# note\n#: a.py:1\nmsgid "a \\"b\\"\\n"\n"c"\nmsgstr ""\n"A"\n"B"\n\n'
        '#, fuzzy\nmsgid "f"\nmsgstr "F"\n\nmsgid "empty"\nmsgstr ""\n\n'
        'msgid "one"\nmsgid_plural "many"\nmsgstr[0] "1"\nmsgstr[1] "n"\n\n#~ msgid "old"\n#~ msgstr "OLD"\n'
    )
    assert table == {"": "Header: x\n", 'a "b"\nc': "AB", "one\0many": "1\0n"}


# --- the catalogues ----------------------------------------------------------------------------------------------


def source_texts() -> set[str]:
    """Collect texts with the very configuration that the docstring of `i18n` gives to translators."""
    with (ROOT / "minichain/views/babel.cfg").open() as configuration:
        methods, options = parse_mapping_cfg(configuration)
    keywords = {"_": None, "ngettext": (1, 2), "translate": (1,), "Verb": (2,), "phrase": (1,)}
    found = set()
    for folder in ("minichain/views", "minichain/faults", "minichain/contracts", "apps"):
        for _file, _line, message, _comments, _context in extract_from_dir(ROOT / folder, methods, options, keywords):
            found.add("\0".join(message) if isinstance(message, tuple) else message)
    return found - {""}


def catalogue(locale: str) -> dict[str, str]:
    return read_po((ROOT / f"minichain/views/locale/{locale}/LC_MESSAGES/minichain.po").read_text("utf-8"))


def test_every_text_has_a_chinese_translation_and_no_translation_is_left_over():
    texts, chinese = source_texts(), catalogue("zh_CN")
    assert len(texts) > 50
    assert texts - set(chinese) == set(), "add these to locale/zh_CN (the commands are in minichain/views/i18n.py)"
    assert set(chinese) - texts == set(), "these are no longer used: run pybabel update"


def test_english_is_its_own_translation():
    assert all(target in source.split("\0") for source, target in catalogue("en").items())


def test_translations_fill_in_what_the_source_fills_in():
    for source, target in catalogue("zh_CN").items():
        for form in target.split("\0"):
            assert sorted(re.findall(r"\{\w*\}", source.split("\0")[-1])) == sorted(re.findall(r"\{\w*\}", form)), (
                source
            )


def test_chinese_reads_as_chinese():
    for source, target in catalogue("zh_CN").items():
        assert re.search(r"[\u4e00-\u9fff]", target), source
        assert not re.search(r"[\u4e00-\u9fff][,;:?!]", target), f"western punctuation after Chinese: {target}"


# --- the pseudo-locale -------------------------------------------------------------------------------------------

DATA = "«data»"


def raw_words(text: str) -> list[str]:
    """Return words that are neither data nor went through the catalogue."""
    text = re.sub(r"«[^»]*»\d?", " ", re.sub(r"⟦[^⟧]*⟧", " ", text))
    return re.findall(r"[^\W\d_]{2,}", re.sub(r"\b[0-9a-f]{8}\b", " ", text))


def test_the_pseudo_locale_finds_what_was_forgotten():
    i18n.use(i18n.PSEUDO)
    assert raw_words(f"{_('Cancel')} forgotten {DATA}") == ["forgotten"]


def test_no_part_shows_a_text_that_was_never_wrapped():
    i18n.use(i18n.PSEUDO)
    for part in everything(DATA):
        read = Reader(part)
        labels = " ".join(
            str(value) for name, value in read.attributes if name in ("aria-label", "title", "data-label")
        )
        assert raw_words(f"{read.text} {labels}") == [], part


def test_no_error_card_shows_a_text_that_was_never_wrapped():
    i18n.use(i18n.PSEUDO)
    for error in (ValueError(), TimeoutError()):
        assert raw_words(Reader(parts.explain(error)).text) == []


def test_no_moving_picture_shows_a_text_that_was_never_wrapped():
    i18n.use(i18n.PSEUDO)
    ring, strip, pulse = NodeRing(), BlockStrip(), Pulse()
    ring.show([NodeCard(DATA, 1, "ok", DATA)], DATA, DATA)
    strip.show([BlockCard(1, b"\1" * 32, bytes(32), 0, 2, DATA, 3, 4, 0, True)])
    shown = [ring.label, *ring.nodes[0].values(), strip.label, *strip.words.values(), *pulse.words.values()]
    shown += [str(strip.blocks[0][key]) for key in ("title", "time", "txsText", "by", "seal", "id")]
    assert [raw_words(text) for text in shown if raw_words(text) not in ([], ["ok"])] == []


def test_no_control_shows_a_text_that_was_never_wrapped():
    i18n.use(i18n.PSEUDO)
    button = panels.ConfirmButton(DATA, DATA, DATA, lambda: None)
    cancel = button._asking.children[1].children[1]
    assert raw_words(cancel.description) == []


def test_the_frame_is_translated_and_keeps_the_rest_of_the_address():
    class Request:
        query, headers = "height=7&lang=zh", {}

    page = frame(Request, "/")
    assert page["lang"] == "zh-Hans"
    assert page["switch"] == [("English", "en", "?height=7&lang=en")]
    assert all(re.search(r"[\u4e00-\u9fff]", words) for words in page["words"].values())
