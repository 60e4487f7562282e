"""What is on paper: agendas that add up, forms before and after and what they tell, the rubric, exercises for print."""

from __future__ import annotations

import random
import re
import shlex

import click
import pytest
from pagewords import bare, on_the_page, quoted, said_in_chinese, title_of, titles
from test_cli import COULD_NOT, read, run

from minichain.cli import main
from minichain.course import editions, items, material, papers, verification
from minichain.course.material import Agenda, Day, Item, Said, syllabus
from minichain.errors import UsageError

# --- agendas -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("agenda", syllabus().agendas, ids=[one.id for one in syllabus().agendas])
def test_an_agenda_adds_up(agenda):
    assert list(verification.agenda_faults(agenda)) == []


def minutes(agenda):
    told = {}
    for item in (item for day in agenda.days for item in day.items if item.module):
        told[item.module] = told.get(item.module, 0) + item.minutes
    return told


def test_four_days_have_each_module_whole_and_half_a_day_lasts_three_hours_and_a_half():
    agendas = {one.id: one for one in syllabus().agendas}
    assert minutes(agendas["trainees-4-days"]) == {one.id: one.minutes for one in syllabus().modules}
    whole = {one.id: one.minutes for one in syllabus().modules if one.id not in ("m11", "m12", "m13", "m15")}
    assert minutes(agendas["trainees-3-days"]) == whole
    assert agendas["officials-half-day"].minutes == 210
    assert set(agendas) >= {"officials-full-day", "train-the-trainer"}


def agenda(*lines, whole=None):
    items = tuple(Item(at, length, Said(what), module) for at, length, what, module in lines)
    return Agenda("x", Said("x"), whole or sum(one.minutes for one in items), (Day(items),))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([("0:00", 30, "a", "m00"), ("0:30", 20, "b", "m01"), ("0:50", 5, "Break", ""), ("0:55", 9, "c", "m01")], []),
        (
            [("0:00", 30, "a", "m00"), ("0:30", 25, "b", "m01")],
            ["x, day 1: at the end of 'b' people have sat for 55 minutes without a break"],
        ),
        ([("0:00", 30, "a", "m00"), ("0:35", 5, "b", "m01")], ["x, day 1: 'b' begins at 0:35, but it is 0:30"]),
        ([("0:00", 30, "a", "m99")], ["x, day 1: there is no module m99"]),
    ],
)
def test_what_does_not_add_up_is_named(lines, said):
    assert list(verification.agenda_faults(agenda(*lines))) == said


def test_a_wrong_whole_is_named():
    assert list(verification.agenda_faults(agenda(("0:00", 30, "a", "m00"), whole=40))) == [
        "x has 40 minutes, its lines 30"
    ]


# --- forms -------------------------------------------------------------------------------------------------------


def test_each_wrong_answer_is_that_of_a_belief_and_each_belief_is_offered():
    assert list(verification._forms()) == []
    places = [[belief for _, belief in probe.options].index("") for probe in material.inventory().values()]
    assert {place: places.count(place) for place in (0, 1, 2)} == {0: 8, 1: 8, 2: 8}, "no place is the right one"


def test_a_form_is_handed_out_without_its_key():
    handed, key = (papers.form("A", "en", answered=answered).decode() for answered in (False, True))
    assert ("MC01" in handed, "<strong>" in handed) == (False, False)
    assert papers.form("B", "zh", most=8).decode().count("<ul>") == 8
    assert ("MC01" in key, key.count("<strong>")) == (True, 12)


IDS = [f"A{number:02}" for number in range(1, 13)]


def letter(id, right):
    options = [belief for _, belief in material.inventory()[id].options]
    return "abc"[options.index("") if right else next(place for place, belief in enumerate(options) if belief)]


def table(forms):
    lines = (",".join((str(number), *form)) for number, form in enumerate(forms))
    return "\n".join((",".join(("form", *IDS)), *lines))


def test_questions_that_a_class_answers_by_what_it_knows_divide_it(tmp_path):
    chance = random.Random(7)
    able = [chance.gauss(0, 1.5) for _ in range(200)]
    forms = [[letter(id, chance.gauss(0, 1) < one) for id in IDS] for one in able]
    for form in forms:
        form[11] = letter("A12", chance.random() < 0.5)  # a question that has nothing to do with the others
    (tmp_path / "forms.csv").write_text(table(forms), "utf-8")
    told = read("course", "items", tmp_path / "forms.csv")
    assert told["kr20"] > items.RELIABLE
    assert [one["verdict"] for one in told["items"]] == ["good"] * 11 + ["does not divide"]
    assert "KR-20 0." in run("course", "items", tmp_path / "forms.csv").stdout


def test_kr20_and_discrimination_are_those_of_a_worked_example():
    forms = [[1, 1, 1], [1, 1, 0], [1, 0, 0], [0, 0, 0]]  # Guttman's ladder: variance of totals 1.25, sum of pq 0.625
    text = table([[letter(id, right) for id, right in zip(IDS[:3], form, strict=True)] for form in forms])
    found = items.statistics(items.read(text.replace(",".join(IDS), ",".join(IDS[:3]))))
    assert found.kr20 == pytest.approx(3 / 2 * (1 - 0.625 / 1.25))
    assert [item.difficulty for item in found.items] == [0.75, 0.5, 0.25]
    assert found.items[0].discrimination == pytest.approx(0.5222, abs=1e-4)
    assert (found.items[0].beliefs, found.is_enough) == ({"MC01": 1}, False)


def test_what_nobody_knows_or_everybody_knows_is_told_so():
    found = items.statistics(items.read(table([[letter(id, id != "A01") for id in IDS]] * 60)))
    assert [item.verdict for item in found.items] == ["too hard"] + ["too easy"] * 11
    assert (found.kr20, found.items[0].discrimination) == (None, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the first line names the columns"),
        ("name,A01,A02\n", "the first line names the columns: form"),
        ("form,A01,A99\n", "there is no question 'A99'"),
        ("form,A01,A02\n1,a,b\n2,a", "line 3 has 2 fields, the first line 3"),
        ("form,A01,A02\n1,a,d\n", "line 2, A02: 'd' is no answer; write one of a, b, c"),
        ("form,A01,A02\n1,ab,a\n", "'ab' is no answer"),
        ("form,A01,A02\n1,a,b\n1,a,b\n", "line 3: form '1' was there before"),
        ("form,A01,A02\n1,a,b\n\n", "fewer than two forms"),
    ],
)
def test_a_table_that_is_wrong_is_refused_with_its_line(text, said, tmp_path):
    with pytest.raises(UsageError, match=said):
        items.read(text)
    (tmp_path / "forms.csv").write_text(text, "utf-8")
    assert said in run("course", "items", tmp_path / "forms.csv", expect=COULD_NOT).stderr


# --- the rubric, and exercises -----------------------------------------------------------------------------------


def test_each_mark_of_the_rubric_has_two_samples_that_differ():
    for row in material.rubric():
        texts = [anchor.en for level in row.levels for anchor in level.anchors]
        assert len(set(texts)) == len(texts) == 10
    assert {"fit", "trust", "rights", "evidence"} == {row.id for row in material.rubric()}


def test_an_answer_is_printed_alike_whatever_order_a_set_has():
    assert papers.shown({"edited": {3, 1}, "rest": [frozenset("ba"), ("x",), set()]}) == (
        "{'edited': {1, 3}, 'rest': [{'a', 'b'}, ('x'), set()]}"
    )
    assert papers.shown({"proof": b"x" * 61}) == "{'proof': b'" + "x" * 60 + "'... (61 bytes)}"
    assert papers.shown(minutes).startswith("def minutes(agenda):")


def test_text_of_the_course_cannot_bring_a_program_onto_a_page():
    said = papers.page("<script>", "<script>alert(1)</script> [x](javascript:alert(1))", "en").decode()
    assert "<script>" not in said
    assert "href" not in said


def test_a_whole_module_is_printed_in_both_languages():
    module = syllabus().module("m02")
    assert papers.exercises([module], "en").decode().count("<h3>") == len(material.tasks("m02"))
    assert "一种正确答案" in papers.exercises([module], "zh", solved=True).decode()


# --- what a paper says of a page, and of a command ---------------------------------------------------------------


def steps_of(card):
    """Return the numbered lines of a task card."""
    return "\n".join(re.findall(r"^\d+\. .*(?:\n {2,}.*)*", card, re.M))


def demo_of(notes):
    """Return what is done and seen in a live demo, without what is said."""
    demo = re.split(r"^## (?:Live demo|现场演示)\n", notes, flags=re.M)[1].partition("\n## ")[0]
    demo = re.sub(r"^\| [^|]* \|", "|", demo, flags=re.M)
    return re.sub(
        r"\*\*(Say|说)[:：]\*\*.*?\*\*(Do|做)[:：]\*\*|\*\*(They should see|应看到|Reset|复位)[:：]\*\*", "", demo
    )


def lesson(name, language):
    """Return the prose of a lesson."""
    folder = editions.masters()
    told = editions.edition(editions.read_master(folder, name), editions.read_words(folder, name, language))
    return "\n".join(editions.prose(told))


@pytest.mark.parametrize("language", material.LANGUAGES)
@pytest.mark.parametrize("module", syllabus().modules, ids=lambda module: module.id)
def test_what_a_paper_quotes_stands_on_the_page_or_in_the_lesson(module, language):
    card, notes = (
        (material.curriculum() / module.id / f"{kind}.{language}.md").read_text("utf-8")
        for kind in ("task", "instructor")
    )
    apps = {module.app, *(app for app in titles() if title_of(app, language) in card)}
    words = frozenset[str]().union(*(on_the_page(app, language) for app in apps))
    headings = {bare(one) for name in module.notebooks for one in re.findall(r"^#+ (.+)", lesson(name, language), re.M)}
    assert title_of(module.app, language) in card
    assert sorted(quoted(steps_of(card)) - words) == []
    assert sorted(quoted(demo_of(notes)) - words - headings) == []


@pytest.mark.parametrize("module", syllabus().modules, ids=lambda module: module.id)
def test_each_step_of_a_paper_names_the_same_controls_in_both_languages(module):
    folder, chinese = material.curriculum() / module.id, said_in_chinese()
    for kind, part in (("task", steps_of), ("instructor", demo_of)):
        written = (part((folder / f"{kind}.{one}.md").read_text("utf-8")) for one in ("en", "zh"))
        for english, theirs in zip(*(re.split(r"\n(?=\d+\. |\|)", paper) for paper in written), strict=True):
            named = quoted(theirs)
            left_out = {one: chinese[one] for one in quoted(english) if one in chinese and not chinese[one] & named}
            assert left_out == {}, f"{kind}.zh.md does not name them in quotation marks, as the page does: {theirs}"


def commands():
    """Return each command line that the course's papers name, with its papers."""
    found = {}
    for path in (*material.curriculum().rglob("*.md"), material.curriculum().parent / "README.md"):
        for line in re.findall(r"`minichain ([^`]*)`", path.read_text("utf-8")):
            found.setdefault(line, []).append(path.name)
    return found


@pytest.mark.parametrize("line", commands())
def test_a_command_that_a_paper_names_is_there_with_its_options(line):
    command, words = main, shlex.split(line)
    context = click.Context(main, info_name="minichain")
    while isinstance(command, click.Group) and words:
        assert words[0] in command.commands, f"there is no command {line!r}"
        command = command.commands[words.pop(0)]
        context = click.Context(command, context, info_name=command.name)
    if words:
        command.make_parser(context).parse_args(words)
