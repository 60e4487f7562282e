"""What learners get and what stays with the trainer: bundles, the wheel, and the search for what must not be there."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from test_cli import COULD_NOT, read, run

from minichain.course import editions, leaks, marks, place, release, trainer, untouched
from minichain.errors import ConfigError

ROOT = Path(__file__).resolve().parents[1]
SOLVED = """def verify_proof(entry, place, size, proof, root):
    ### BEGIN SOLUTION
    return merkle.verify_inclusion(entry, place, size, proof, root)
    ### END SOLUTION
"""
TESTED = """check("m02.e1", verify_proof)
### BEGIN HIDDEN TESTS
assert verify_proof(b"a", 4, 3, [], b"") is False
### END HIDDEN TESTS
"""
SECRET = "return merkle.verify_inclusion(entry, place, size, proof, root)"


def code(id, source, printed=""):
    outputs = [{"output_type": "stream", "name": "stdout", "text": [printed]}] if printed else []
    return {
        **{"cell_type": "code", "id": id, "metadata": {}, "source": source.splitlines(keepends=True)},
        **{"outputs": outputs, "execution_count": 1},
    }


def notebook(*cells):
    return {"cells": list(cells), "metadata": {"widgets": {"state": 1}}, "nbformat": 4, "nbformat_minor": 5}


MASTER = notebook(code("a", SOLVED), code("b", TESTED, "5 of 5. Right."))


@pytest.fixture
def masters(tmp_path, monkeypatch):
    """One master with a solution and a hidden test, in the place of all."""
    folder = tmp_path / "masters"
    folder.mkdir()
    marks.write(folder / "02-hashes.ipynb", MASTER)
    monkeypatch.setattr(editions, "masters", lambda: folder)
    return folder


def unpacked(archive):
    with zipfile.ZipFile(archive) as opened:
        return {name.partition("/")[2]: opened.read(name) for name in opened.namelist()}


# --- bundles -----------------------------------------------------------------------------------------------------


def test_learners_get_their_turn_and_the_trainer_gets_everything(masters, tmp_path):
    link = "http://10.0.0.1:8900/class"
    told = read("course", "release", tmp_path / "out", "--lang", "zh", "--seed", 7, "--class", link)
    learners, trainers = (unpacked(tmp_path / "out" / name) for name in told["archives"])
    lesson = learners["notebooks/02-hashes.ipynb"].decode()
    assert "...  # your turn" in lesson
    assert SECRET not in lesson
    assert SECRET in trainers["notebooks/02-hashes.ipynb"].decode()
    assert {"agendas.html", "tickets-with-answers.html", "trainer/m02.py"} <= trainers.keys() - learners.keys()
    assert "一种正确答案" in trainers["exercises-with-solutions.html"].decode()
    assert "一种正确答案" not in learners["exercises.html"].decode()
    record = place.bundle(tmp_path / "out" / "minichain-course-0.1.0-zh" / "notebooks")
    assert (record.language, record.edition, record.seed, record.desk) == ("zh", "learner", 7, link)
    rest = {name: content for name, content in learners.items() if name != place.RECORD}
    assert record.digest == place.digest(rest)


def test_bundles_know_what_learners_have_in_the_other_language(masters, tmp_path):
    folders = [archive.with_suffix("") for archive in release.release(tmp_path, ("en", "zh"))]
    learners = tuple(place.bundle(one).digest for one in folders if "trainer" not in one.name)
    assert len({*learners}) == 2
    assert {place.bundle(one).siblings for one in folders} == {learners}


def test_the_same_bundle_is_made_of_the_same_files_whenever_it_is_made(tmp_path):
    release.release(tmp_path / "here", ("en",), 7)
    command = [sys.executable, "-c", "from minichain.cli import main; main()", "course", "release", "there"]
    chance = {**os.environ, "PYTHONHASHSEED": "5"}  # another order of everything that has none
    subprocess.run([*command, "--lang", "en", "--seed", "7"], cwd=tmp_path, env=chance, check=True, capture_output=True)
    here, there = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "here", tmp_path / "there")
    )
    assert len(here) > 50
    assert here == there


def test_nothing_is_written_over_and_nothing_without_the_trainers_part(masters, tmp_path, monkeypatch):
    run("course", "release", tmp_path / "out", "--lang", "en")
    refused = run("course", "release", tmp_path / "out", "--lang", "en", expect=COULD_NOT).stderr
    assert "already: name another folder" in refused
    monkeypatch.setattr("minichain.course.trainer.curriculum", lambda: tmp_path)
    with pytest.raises(ConfigError, match="no solutions: this needs a checkout"):
        release.release(tmp_path / "other", ("en",))
    with pytest.raises(ConfigError, match="no solutions: this needs a checkout"):
        editions.lessons(kind=place.MASTERS)


def test_no_bundle_is_written_that_would_leak(masters, tmp_path, monkeypatch):
    monkeypatch.setattr(marks, "learners", lambda master: master)
    refused = run("course", "release", tmp_path / "out", expect=COULD_NOT).stderr
    assert "nothing was written, for learners would get" in refused
    assert SECRET in refused
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("b/notebooks/02-hashes.ipynb", notebook(code("a", SECRET)), ["the line", "the result", "that widgets keep"]),
        ("b/notebooks/99-other.ipynb", notebook(code("a", "### END SOLUTION")), ["the mark '### END SOLUTION'"]),
        ("b/cards/m02-task.html", f"<p>{SECRET.replace('(', '&#40;')}</p>".encode(), ["the line"]),
        ("b/cards/m02-task.html", b'assert verify_proof(b"a", 4, 3, [], b"") is False', ["the line"]),
        ("b/READ-ME.md", b'... else miss("true_refused", place=0, size=1)', []),
        ("b/trainer/m02.py", b"KEYS = {}", ["a file of the trainer"]),
        ("minichain/curriculum/m02/instructor.en.md", b"Notes", ["a file of the trainer"]),
        ("b/instructor/m02-instructor.html", b"Notes", ["a file of the trainer"]),
        ("minichain/curriculum/m02/ticket.yaml", b"", ["a file of the trainer"]),
        ("b/exercises-with-solutions.html", b"", ["a file of the trainer"]),
        ("b/harmless.py", (ROOT / "curriculum/trainer/m02.py").read_bytes(), ["a file of the trainer"]),
        ("minichain/course/trainer.py", b"", []),
        ("minichain/merkle.py", SECRET.encode(), []),
    ],
)
def test_what_must_not_be_in_an_archive_is_found_wherever_it_is(masters, name, content, said):
    files = {name: content if isinstance(content, bytes) else marks.written(content)}
    found = list(leaks.search(release.zipped(files), leaks.secrets()))
    assert [fault for fault in found if not fault.startswith(f"{name}: ")] == []
    assert len([1 for part in said if any(part in fault for fault in found)]) == len(said)
    assert bool(found) == bool(said)


def test_a_verdict_of_a_hidden_check_is_no_learners(masters):
    known = leaks.secrets()
    hidden = next(line for line in known.hidden if 'miss("true_refused", place=0, size=1)' in line)
    assert list(leaks.search(release.zipped({"b/notes.txt": hidden.encode()}), known))


# --- the wheel ---------------------------------------------------------------------------------------------------


def build_wheel(root, into):
    builder = pytest.importorskip("hatchling.builders.wheel").WheelBuilder
    return Path(next(builder(str(root)).build(directory=str(into), versions=["standard"])))


def test_a_wheel_is_built_without_solutions(masters, tmp_path):
    root = tmp_path / "checkout"
    for name in ("pyproject.toml", ".ci/hatch_build.py", "README.md", "LICENSE", "minichain/course/marks.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    for name in ("curriculum", "notebooks/locale", "apps"):
        shutil.copytree(ROOT / name, root / name)
    shutil.copy(masters / "02-hashes.ipynb", root / "notebooks")
    (root / "curriculum/m02/instructor.en.md").write_text("Notes", "utf-8")
    wheel = build_wheel(root, tmp_path / "wheels").read_bytes()
    with zipfile.ZipFile(BytesIO(wheel)) as opened:
        assert marks.STUB in opened.read("minichain/notebooks/02-hashes.ipynb").decode()
        assert "minichain/curriculum/syllabus.yaml" in opened.namelist()
    assert list(leaks.search(wheel, leaks.secrets(material=root / "curriculum"))) == []


def test_lessons_are_copied_from_an_installed_wheel(tmp_path):
    wheel = build_wheel(ROOT, tmp_path)
    assert list(leaks.search(wheel.read_bytes(), leaks.secrets())) == []
    site = tmp_path / "site-packages"
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(site)

    def python(program, *arguments, cwd=tmp_path):
        command = [sys.executable, "-c", program, *arguments]
        environment = {**os.environ, "PYTHONPATH": str(site)}
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)

    def copied(*options):
        return python("from minichain.cli import main; main()", "course", "copy", "mine", *options)

    assert copied("--lang", "zh").returncode == 0
    mine = tmp_path / "mine"
    assert sorted(path.stem for path in mine.glob("*.ipynb")) == editions.names(ROOT / "notebooks")
    assert "您的第一个区块" in (mine / "00-first-block.ipynb").read_text("utf-8")
    assert place.bundle(mine).digest == place.digest(editions.lessons("zh")), "the same as from a checkout"
    assert "this needs a checkout" in copied("--edition", "master").stderr
    answers = (
        "from minichain.course import material, trainer as t; print(len(t.keys('m02')), len(material.inventory()))"
    )
    assert "go into the trainer's bundle" in python(answers, cwd=mine).stderr
    bundle = release.release(tmp_path, ("en",))[1].with_suffix("")
    assert python(answers, cwd=bundle / "notebooks").stdout == "3 24\n"


def test_an_editable_install_keeps_to_the_masters():
    hook = runpy.run_path(str(ROOT / ".ci" / "hatch_build.py"))["LearnersEditions"](
        str(ROOT), {}, None, None, "", "wheel"
    )
    carried = {"force_include": {}}
    hook.initialize("editable", carried)
    assert carried == {"force_include": {}}


def test_an_author_has_the_marks_written_that_nbgrader_reads(masters):
    run("course", "mark", "02", "--notebooks", masters)
    solved, tested = (cell["metadata"]["nbgrader"] for cell in marks.read(masters / "02-hashes.ipynb")["cells"])
    assert (solved["solution"], solved["grade"], solved["grade_id"]) == (True, False, "answer-a")
    assert (tested["solution"], tested["grade"], tested["locked"]) == (False, True, True)
    twice = marks.annotated(notebook(code("a", 'check("m02.e1", 1)'), code("b", 'check("m02.e1", 2)')))
    assert [cell["metadata"]["nbgrader"]["grade_id"] for cell in twice["cells"]] == ["m02-e1-check", "m02-e1-check-b"]
    assert marks.annotated(marks.read(masters / "02-hashes.ipynb")) == marks.read(masters / "02-hashes.ipynb")


# --- a learner who does nothing ----------------------------------------------------------------------------------

EXPECTED = trainer.keys("m02")["m02.p1"].solutions[0]
LESSON = notebook(
    code("1", "from minichain import merkle\nfrom minichain.course import check, predict, reveal"),
    code("2", f"guess = ...\n### BEGIN SOLUTION\nguess = {EXPECTED!r}\n### END SOLUTION"),
    code("3", 'predict("m02.p1", guess)'),
    code("4", 'reveal("m02.p1")'),
    code("5", SOLVED),
    code("6", 'check("m02.e1", verify_proof)'),
)


def test_a_master_passes_every_check_and_a_lesson_as_handed_out_none():
    assert list(untouched.undone(marks.learners(LESSON))) == []
    given = {f"{id} is right before anybody did anything" for id in ("m02.p1", "m02.e1")}
    assert set(untouched.undone(LESSON)) == given


def test_a_check_that_says_nothing_is_seen():
    ran = notebook(code("1", 'check("m02.e1", 1);'), code("2", 'predict("m02.p1", guess)', "Kept."))
    assert list(untouched.silent(ran)) == ["m02.e1 is not asked: its cell says nothing"]
