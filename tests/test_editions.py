"""Every lesson is there in Chinese, says what the English one says, reads as Chinese, and can be taken away."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from test_cli import COULD_NOT, NO, WRONG_USE, read, run

import minichain
from minichain.catalogue import read_po
from minichain.course import editions, marks, place, translating
from minichain.course.editions import edition, prose
from minichain.course.translating import Glossary, faults, length, mean_length, refresh, sentences
from minichain.errors import UsageError
from minichain.live import installed
from minichain.live.supervisor import apps

ROOT = Path(__file__).resolve().parents[1]
MASTERS = ROOT / "notebooks"

every_notebook = pytest.mark.parametrize("name", editions.names(MASTERS))


# --- the Chinese edition -----------------------------------------------------------------------------------------


@every_notebook
def test_the_prose_is_whole_and_right_in_chinese(name):
    texts, words = prose(editions.read_master(MASTERS, name)), editions.read_words(MASTERS, name, "zh")
    found = list(faults(texts, words, translating.read_glossary(MASTERS)))
    assert found == [], "bring the catalogues up to date with `minichain course extract`, and translate what it lists"


@every_notebook
def test_a_catalogue_stands_as_the_command_writes_it(name):
    catalogue = editions.catalogue_of(MASTERS, name, "zh").read_text("utf-8")
    assert refresh(catalogue, prose(editions.read_master(MASTERS, name))) == catalogue


@every_notebook
def test_an_edition_differs_in_its_prose_only(name):
    master = editions.read_master(MASTERS, name)
    told = edition(master, editions.read_words(MASTERS, name, "zh"))
    assert told.keys() == master.keys()
    assert [cell["id"] for cell in told["cells"]] == [cell["id"] for cell in master["cells"]]
    for cell, other in zip(master["cells"], told["cells"], strict=True):
        differs = {key for key in cell if cell[key] != other[key]}
        assert differs <= ({"source"} if cell["cell_type"] == "markdown" else set())


@every_notebook
def test_the_marks_of_a_master_are_such_that_nbgrader_reads_them(name):
    master = editions.read_master(MASTERS, name)
    assert marks.annotated(master) == master, f"run `minichain course mark {name}`"


def test_no_catalogue_has_lost_its_notebook():
    assert {path.stem for path in MASTERS.glob("locale/*/LC_MESSAGES/*")} <= set(editions.names(MASTERS))


def test_lessons_and_pages_use_the_same_words():
    pages = read_po((ROOT / "minichain/views/locale/zh_CN/LC_MESSAGES/minichain.po").read_text("utf-8"))
    terms = translating.read_glossary(MASTERS).terms
    shared = {form: form.removeprefix("dashboard ") for form in terms}
    shared = {form: word for form, name in shared.items() for word in (name, name.capitalize()) if word in pages}
    assert len(shared) > 15
    assert [form for form, word in shared.items() if not any(way in pages[word] for way in terms[form])] == []


# --- what is found amiss -----------------------------------------------------------------------------------------

GLOSSARY = Glossary({"block": ("区块",), "Consensus lab": ("共识实验室",)}, {"ms": ("毫秒",), "%": ("%",)})


@pytest.mark.parametrize(
    ("text", "told", "said"),
    [
        ("Run it.", None, "not translated, or fuzzy"),
        ("Run it.", "Run it.", "not Chinese"),
        ("Run `net.close()`.", "运行它。", "net.close() is missing"),
        ("Run `a` and `a`.", "运行 `a`。", "a is missing"),
        (
            "See [there](https://example.org/a).",
            "见[那里](https://example.org/b)。",
            "https://example.org/a is missing",
        ),
        ("![a map](map.svg) of it", "它的![地图](plan.svg)", "map.svg is missing"),
        ("It is $n > 3f$.", "就是 $n > 2f$。", "$n > 3f$ is missing"),
        ("```\nls\n```\nRun it.", "```\n列出\n```\n运行。", "ls\n is missing"),
        ("Of 10,000 candidates", "一千个", "10,000 is missing"),
        ("It takes 20 ms.", "需要 20 秒。", "'20 ms' is 20 毫秒"),
        ("With 5 % of it", "其中 5 个", "'5 %' is 5 %"),
        ("A Block is made.", "出了一块。", "'block' is 区块"),
        ("Open the *Consensus lab*.", "打开*协商室*。", "'Consensus lab' is 共识实验室"),
        ("Yes, it is.", "是的, 没错。", "western punctuation after Chinese"),
        ("Yes, it is.", "是的，\n没错。", "a line break within a paragraph, which shows as a gap"),
        ("It is long.", "这句话很长" * 6, "a sentence has 30 characters on average"),
        ("*Predict: what?* Run it.", "*先预测：什么？*运行。", "an emphasis that Markdown does not see"),
    ],
)
def test_what_is_wrong_with_a_translation_is_named(text, told, said):
    found = list(faults([text], {} if told is None else {text: told}, GLOSSARY))
    assert len(found) == 1
    assert found[0].startswith(said)


def test_what_is_right_is_not_named():
    text = "*Predict: in 20 ms?* See `a`, [b](c), 5 %, $x$: a **block**.\n\n| a |\n| --- |\n| `x` |"
    told = "*先预测：20 毫秒？* 见 `a`、[乙](c)、5%、$x$：一个**区块**。\n\n| 甲 |\n| --- |\n| `x` |"
    assert list(faults([text, "`code_only`", "$x$", "42"], {text: told}, GLOSSARY)) == []


def test_a_translation_of_no_cell_is_named():
    assert list(faults([], {"Gone.": "没了。"}, GLOSSARY)) == ["in no cell any more: 'Gone.'"]


def test_sentences_are_counted_as_people_read_them():
    prose = "## 标题\n\n链停了。为什么？因为 `node-2` 停机，超过 1,000 毫秒！"
    things = "* 第一\n* 第二\n\n| 甲 | |\n| --- | --- |\n| 乙 | 丙 |"
    assert [length(sentence) for sentence in sentences(prose)] == [2, 3, 3, 10]
    assert [length(sentence) for sentence in sentences(things)] == [2, 2, 1, 1, 1]
    assert mean_length([prose, things]) == pytest.approx(25 / 9)


# --- bringing a catalogue up to date -----------------------------------------------------------------------------

TOLD = {
    "# Title\n\nFour validators agree on one block.": "# 标题\n\n四个验证者就一个区块达成一致。",
    "Now 10 % of them stop.": "现在 10% 停机。",
    "The end.": "完。",
}
TITLE, STOP, END = TOLD
CATALOGUE = "".join(
    f"msgid {json.dumps(text)}\nmsgstr {json.dumps(told, ensure_ascii=False)}\n\n" for text, told in TOLD.items()
)


def test_a_new_notebook_gets_a_catalogue_to_fill_in():
    empty = refresh("", [*TOLD, "`code_only`", "42"])
    assert read_po(empty) == {}
    assert empty.count("msgid") == len(TOLD)
    assert "#" not in empty.replace("# Title", ""), "`10 % of` is no placeholder of a program"


def test_what_did_not_change_stays_as_it_is():
    again = refresh(CATALOGUE, TOLD)
    assert read_po(again) == TOLD
    assert refresh(again, TOLD) == again


def test_a_changed_cell_keeps_its_translation_and_waits_for_a_person():
    changed = TITLE.replace("Four", "Five")
    updated = refresh(CATALOGUE, [changed, STOP, END])
    assert "#, fuzzy" in updated
    assert TOLD[TITLE].split()[-1] in updated
    assert read_po(updated) == {text: TOLD[text] for text in (STOP, END)}
    assert refresh(updated, [changed, STOP, END]) == updated


def test_a_text_of_no_cell_is_dropped_and_the_order_is_that_of_the_cells():
    updated = refresh(CATALOGUE, ["Entirely new words about something else", END, STOP])
    assert "Title" not in updated
    assert list(read_po(updated)) == [END, STOP]
    assert updated.index("Entirely") < updated.index(END) < updated.index(STOP)


# --- taking notebooks away ---------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """A checkout's notebooks, of which one is half translated."""
    cells = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# One\n", "\n", "Words."]},
        {"cell_type": "code", "id": "b", "metadata": {}, "source": "1 + 1", "outputs": [], "execution_count": None},
        {"cell_type": "markdown", "id": "c", "metadata": {}, "source": ["Later."]},
    ]
    for name in ("00-one", "01-two"):
        notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(notebook), "utf-8")
    po = editions.catalogue_of(tmp_path, "00-one", "zh")
    po.parent.mkdir(parents=True)
    po.write_text('msgid ""\n"# One\\n"\n"\\n"\n"Words."\nmsgstr ""\n"# 一\\n"\n"\\n"\n"话。"\n', "utf-8")
    (tmp_path / "locale/zh_CN/terms.toml").write_text("term = []\nunit = []\n", "utf-8")
    return tmp_path


def sources(path):
    return ["".join(cell["source"]) for cell in json.loads(path.read_text("utf-8"))["cells"]]


def test_a_language_is_copied_and_what_has_no_translation_keeps_its_english(folder, tmp_path):
    written = editions.copy(tmp_path / "mine", "zh", folder=folder)
    assert [path.name for path in written] == ["00-one.ipynb", "01-two.ipynb"]
    assert sources(written[0]) == ["# 一\n\n话。", "1 + 1", "Later."]
    assert sources(written[1]) == ["# One\n\nWords.", "1 + 1", "Later."]


def test_an_english_copy_of_the_masters_is_the_masters(tmp_path):
    for path in editions.copy(tmp_path, kind=place.MASTERS):
        assert path.read_bytes() == (MASTERS / path.name).read_bytes().replace(b"\r\n", b"\n")


def test_a_learner_gets_neither_solutions_nor_results(tmp_path):
    for path in editions.copy(tmp_path):
        lesson = marks.read(path)
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in lesson["cells"])
        assert not any(marks.MARK.search(marks.text_of(cell)) for cell in lesson["cells"])
        assert list(marks.exercises(lesson)) == list(marks.exercises(editions.read_master(MASTERS, path.stem)))


def test_a_folder_says_which_lessons_it_holds_so_that_a_check_speaks_their_language(folder, tmp_path):
    mine = tmp_path / "mine"
    editions.copy(mine, "zh", ["00"], folder=folder)
    record = place.bundle(mine / "below")
    assert (record.language, record.edition, record.version) == ("zh", "learner", minichain.__version__)
    assert record.digest == place.digest(editions.lessons("zh", folder=folder)), "of all lessons, whichever are here"
    with pytest.raises(UsageError, match=r"mine has lessons of another edition \(zh, learner\) already"):
        editions.copy(mine, "en", ["01"], folder=folder)
    place.write_record(mine, msgspec.structs.replace(record, seed=7, desk="https://10.0.0.1/class"))
    editions.copy(mine, "en", ["01"], overwrite=True, folder=folder)
    assert (place.bundle(mine).language, place.bundle(mine).seed) == ("en", 7), "it is still the folder of that class"


@pytest.mark.parametrize("wanted", ["01", "01-two", "01-two.ipynb"])
def test_one_notebook_is_asked_for_by_its_number_or_name(folder, tmp_path, wanted):
    assert [path.name for path in editions.copy(tmp_path / "mine", wanted=[wanted], folder=folder)] == ["01-two.ipynb"]


def test_nothing_of_the_users_is_overwritten_unasked(folder, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "01-two.ipynb").write_text("my own work", "utf-8")
    with pytest.raises(UsageError, match=r"mine has 01-two.ipynb already: name another folder, or .* --force"):
        editions.copy(mine, folder=folder)
    assert [path.name for path in mine.iterdir()] == ["01-two.ipynb"]
    assert (mine / "01-two.ipynb").read_text("utf-8") == "my own work"
    editions.copy(mine, overwrite=True, folder=folder)
    assert sources(mine / "01-two.ipynb")[1] == "1 + 1"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"wanted": ["02"]}, "no notebook '02': choose from 00-one, 01-two"),
        ({"wanted": ["../secret"]}, "no notebook"),
        ({"language": "fr"}, "no edition in 'fr': choose one of en, zh"),
    ],
)
def test_what_is_not_there_is_refused_before_anything_is_written(folder, tmp_path, options, said):
    with pytest.raises(UsageError, match=said):
        editions.copy(tmp_path / "mine", folder=folder, **options)
    assert not (tmp_path / "mine").exists()


def test_the_masters_are_never_replaced_by_an_edition(folder):
    before = (folder / "00-one.ipynb").read_bytes()
    with pytest.raises(UsageError, match="holds the masters"):
        editions.copy(folder / "locale" / "..", "zh", overwrite=True, folder=folder)
    assert (folder / "00-one.ipynb").read_bytes() == before


def test_notebooks_and_apps_are_found_in_a_checkout_and_in_an_installation(tmp_path, monkeypatch):
    assert (editions.masters(), apps()) == (MASTERS, ROOT / "apps")
    package = tmp_path / "site-packages" / "minichain"
    (package / "notebooks").mkdir(parents=True)
    (package / "apps").mkdir()
    (tmp_path / "site-packages" / "notebooks").mkdir()  # of some other package
    monkeypatch.setattr(installed.minichain, "__file__", str(package / "__init__.py"))
    assert (editions.masters(), apps()) == (package / "notebooks", package / "apps")
    with pytest.raises(UsageError, match=r"the folder curriculum is missing from .*minichain: install minichain again"):
        installed.shipped("curriculum")


# --- by command --------------------------------------------------------------------------------------------------


def test_the_command_copies_and_says_what_to_open(tmp_path):
    mine = tmp_path / "my lessons"
    shown = run("course", "copy", mine, "00-first-block", "08-contracts", "--lang", "zh").stdout
    assert shown.splitlines()[-1] == f'Open them: jupyter lab "{mine}"'
    assert sources(mine / "00-first-block.ipynb")[0].startswith("# 您的第一个区块")
    assert "--force" in run("course", "copy", mine, "00-first-block", expect=COULD_NOT).stderr
    told = read("course", "copy", mine, "00-first-block", "--force")
    names = ["00-first-block.ipynb"]
    assert told == {"directory": str(mine), "language": "en", "edition": "learner", "notebooks": names}
    assert sources(mine / "00-first-block.ipynb")[0].startswith("# Your first block")


@pytest.mark.parametrize("options", [("--lang", "fr"), ("--language", "zh")])
def test_the_command_refuses_what_it_does_not_know(tmp_path, options):
    run("course", "copy", tmp_path / "mine", *options, expect=WRONG_USE)


def test_the_command_for_translators_lists_what_is_to_be_done(folder):
    found = read("course", "extract", "--notebooks", folder, expect=NO)["faults"]
    assert {name: len(faults) for name, faults in found.items()} == {"00-one": 1, "01-two": 2}
    assert (
        "not translated, or fuzzy: 'Later.'" in run("course", "extract", "00", "--notebooks", folder, expect=NO).stdout
    )
    po = editions.catalogue_of(folder, "00-one", "zh")
    po.write_text(
        po.read_text("utf-8").replace('msgid "Later."\nmsgstr ""', 'msgid "Later."\nmsgstr "以后。"'), "utf-8"
    )
    assert "Nothing is amiss." in run("course", "extract", "00", "--notebooks", folder).stdout
    assert "does not exist" in run("course", "extract", "--notebooks", folder / "none", expect=WRONG_USE).stderr
