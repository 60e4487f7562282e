"""The two bundles of a course, made from the masters: the learner's, and the trainer's with all that others do not get.

A bundle is a folder and a zip of it, the same byte for byte whenever it is made from the same files. No learner's
bundle is written before the finished zip has been searched for what must not be in it.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

from msgspec.structs import replace

import minichain
from minichain.course import editions, leaks, papers, place, trainer
from minichain.course.material import curriculum, phrases, syllabus
from minichain.errors import UsageError

Files = dict[str, bytes]  # what a bundle consists of, by path

LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip knows
KEPT: Final = ("inventory.yaml", "rubric.yaml")  # with the hidden checks, for what a trainer's computer does with them
SHORT: Final = 8  # questions of a form, for half a day
CARDS: Final = ("task", "unplugged")


def for_learners(language: str) -> Files:
    """Return the learner's bundle, without its record: lessons to be done, cards, exercises on paper."""
    modules = syllabus().modules
    files = {f"notebooks/{name}": content for name, content in editions.lessons(language).items()}
    files["exercises.html"] = papers.exercises(modules, language)
    files["READ-ME.md"] = (phrases()["start_learner"](language) + "\n").encode()
    return files | {f"cards/{name}": content for name, content in _papers(CARDS, language)}


def for_trainers(language: str) -> Files:
    """Return the trainer's bundle, without its record: masters, notes, answers, hidden checks.

    Raises `ConfigError` without a checkout.
    """
    modules = syllabus().modules
    files = {f"notebooks/{name}": content for name, content in editions.lessons(language, place.MASTERS).items()}
    files |= {f"cards/{name}": content for name, content in _papers(CARDS, language)}
    files |= {f"instructor/{name}": content for name, content in _papers(("instructor",), language)}
    kept = [*sorted(trainer.folder().glob("*.py")), *(trainer.checkout() / name for name in KEPT)]
    files |= {f"{place.TRAINERS}/{path.name}": path.read_bytes() for path in kept}
    files |= {
        "READ-ME.md": (phrases()["start_trainer"](language) + "\n").encode(),
        "agendas.html": papers.agendas(language),
        "exercises.html": papers.exercises(modules, language),
        "exercises-with-solutions.html": papers.exercises(modules, language, solved=True),
        "tickets.html": papers.tickets(modules, language),
        "tickets-with-answers.html": papers.tickets(modules, language, answered=True),
        "rubric.html": papers.rubric(language),
    }
    for form in "A", "B":
        files[f"form-{form}.html"] = papers.form(form, language)
        files[f"form-{form}-short.html"] = papers.form(form, language, most=SHORT)
        files[f"form-{form}-with-answers.html"] = papers.form(form, language, answered=True)
    runbook = curriculum() / f"runbook.{language}.md"
    if runbook.exists():
        files["runbook.html"] = papers.titled("runbook", runbook.read_text("utf-8"), language)
    return files


def _papers(kinds: tuple[str, ...], language: str) -> Iterator[tuple[str, bytes]]:
    for module in syllabus().modules:
        for kind in kinds:
            yield from papers.texts(module, kind, language)


def zipped(files: Files) -> bytes:
    """Return a zip of files. Nothing is compressed: what compresses differs from computer to computer."""
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as opened:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # the same on Windows
            opened.writestr(entry, files[name])
    return written.getvalue()


def release(into: Path, languages: tuple[str, ...], seed: int = 0, desk: str = "") -> list[Path]:
    """Write both bundles in some languages; returns the archives. Each says what the learners' are in all of them.

    Raises `UsageError` if a learner's would leak, or something is there already, before anything is written.
    """
    known, bundles = leaks.secrets(), dict[str, Files]()
    learners = {language: for_learners(language) for language in languages}
    siblings = tuple(map(place.digest, learners.values()))
    for language in languages:
        stem = f"minichain-course-{minichain.__version__}-{language}"
        record = place.Bundle(language, place.LEARNERS, minichain.__version__, "", seed, desk, siblings)
        bundles[stem] = _bundle(stem, learners[language], record)
        if found := list(leaks.search(zipped(bundles[stem]), known)):
            raise UsageError(f"nothing was written, for learners would get {'; '.join(found[:5])}")
        record = replace(record, edition=place.TRAINERS)
        bundles[f"{stem}-trainer"] = _bundle(f"{stem}-trainer", for_trainers(language), record)
    there = [name for stem in bundles for name in (stem, f"{stem}.zip") if (into / name).exists()]
    if there:
        raise UsageError(f"{into} has {', '.join(there)} already: name another folder, or remove them")
    return [_write(into, stem, files) for stem, files in bundles.items()]


def _bundle(stem: str, files: Files, record: place.Bundle) -> Files:
    """Return files as they are in a bundle, with what it says of itself."""
    own = place.record(replace(record, digest=place.digest(files)))
    return {f"{stem}/{name}": content for name, content in {**files, place.RECORD: own}.items()}


def _write(into: Path, stem: str, files: Files) -> Path:
    for name, content in files.items():
        path = into / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    archive = into / f"{stem}.zip"
    archive.write_bytes(zipped(files))
    return archive
