"""The notebooks of the course, for those who learn with them and those who translate them."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import click

from minichain.catalogue import LOCALES
from minichain.cli.terminal import DIRECTORY, EXISTING, FOLDER, NEW, NO, plain_line, print_table, show, with_json


@click.group()
def course() -> None:
    """Get the notebooks of the course, in English or Chinese."""


@course.command("copy")
@click.argument("directory", type=DIRECTORY)
@click.argument("names", nargs=-1)
@click.option(
    "--lang", type=click.Choice(list(LOCALES)), default="en", show_default=True, help="Language of the prose."
)
@click.option(
    "--edition",
    type=click.Choice(["learner", "master"]),
    default="learner",
    show_default=True,
    help="With your turn to answer, or with solutions and results (in a checkout).",
)
@click.option("--force", is_flag=True, help="Replace notebooks that are there already, with all that was done in them.")
@with_json
def copy_notebooks(
    directory: Path, names: tuple[str, ...], lang: str, edition: str, force: bool, as_json: bool
) -> None:
    """Write notebooks into a folder of yours: all of them, or those of these NAMES or numbers (00 08-contracts)."""
    from minichain.course import editions

    written = editions.copy(directory, lang, names, kind=edition, overwrite=force)
    content = {
        "directory": directory,
        "language": lang,
        "edition": edition,
        "notebooks": [path.name for path in written],
    }
    lines = [*(path.name for path in written), "", f'Open them: jupyter lab "{directory}"']
    show(as_json, content, lambda: click.echo("\n".join(map(plain_line, lines))))


@course.command()
@click.argument("module", default="")
@with_json
def progress(module: str, as_json: bool) -> None:
    """Say how far you have come in a MODULE (m06), or in all that you began, and where to go on."""
    from minichain.course.progress import progress as progress_in

    found = progress_in(module)
    content = {"done": found.done, "begin": found.begin, "exercises": [asdict(one) for one in found.standings]}
    show(as_json, content, lambda: click.echo("\n".join(map(plain_line, str(found).splitlines()))))


@course.command("release")
@click.argument("directory", type=DIRECTORY)
@click.option(
    "--lang", type=click.Choice([*LOCALES, "all"]), default="all", show_default=True, help="Language of the bundles."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the class, for checks.")
@click.option("--class", "desk", default="", help="Link of the class, where attempts are handed in.")
@with_json
def release_bundles(directory: Path, lang: str, seed: int, desk: str, as_json: bool) -> None:
    """Write the bundle for learners and the one for the trainer, as folders and archives (in a checkout)."""
    from minichain.course.release import release

    written = release(directory, tuple(LOCALES) if lang == "all" else (lang,), seed, desk)
    content = {"directory": directory, "archives": [path.name for path in written]}
    show(as_json, content, lambda: click.echo("\n".join(plain_line(path) for path in written)))


@course.command("verify")
@click.option("--run", is_flag=True, help="Run all lessons as learners get them: none may pass a check. Takes minutes.")
@with_json
def verify_course(run: bool, as_json: bool) -> None:
    """Count what the course promises, from its files; the exit code is 1 when a promise is not kept."""
    from minichain.course.verification import verify

    report = verify(run=run)
    found = [f"{gate}: {fault}" for gate, faults in report.amiss.items() for fault in faults]
    lines = [
        *(f"{name:26} {count:6g}" for name, count in report.figures.items()),
        "",
        *(found or ["Nothing is amiss."]),
    ]
    content = {**report.figures, "amiss": {gate: faults for gate, faults in report.amiss.items() if faults}}
    show(as_json, content, lambda: click.echo("\n".join(map(plain_line, lines))))
    if not report.holds:
        sys.exit(NO)


@course.command("serve")
@click.option("--port", type=click.IntRange(0, 65535), default=8870, show_default=True, help="0 takes a free one.")
@click.option("--lang", type=click.Choice(list(LOCALES)), default="en", show_default=True, help="Language it opens in.")
@click.option("--into", type=DIRECTORY, help="Only write the pages, into this folder (for a stick).")
def serve_site(port: int, lang: str, into: Path | None) -> None:
    """Read the course in a browser, in both languages, without the internet (needs minichain[site])."""
    from tempfile import TemporaryDirectory

    from minichain.course import site
    from minichain.views import glossary

    words = {language: [(term.name, term.tip) for term in glossary.terms(language)] for language in LOCALES}
    if into is not None:
        site.build(into, words, lang)
        click.echo(f"Open {into / 'index.html'}")
        return
    with TemporaryDirectory(prefix="minichain-course-") as folder, site.server(Path(folder), port) as server:
        click.echo("Preparing the pages, some seconds ...")
        site.build(Path(folder), words, lang)
        click.echo(f"Open http://{site.HOST}:{server.server_port} - Ctrl+C ends it")
        with suppress(KeyboardInterrupt):
            server.serve_forever()


@course.command("print")
@click.argument("file", type=NEW)
@click.option("--lang", type=click.Choice(list(LOCALES)), default="en", show_default=True, help="Language.")
@click.option("--module", "modules", multiple=True, help="Only this module (m02); may be given several times.")
@click.option("--solutions", is_flag=True, help="With the trainer's answers (in a checkout).")
def print_exercises(file: Path, lang: str, modules: tuple[str, ...], solutions: bool) -> None:
    """Write the exercises as A4 pages: FILE.html, or FILE.pdf by a browser that is installed here."""
    from minichain.course import material, papers
    from minichain.views.printing import pdf

    syllabus = material.syllabus()
    chosen = [syllabus.module(id) for id in modules] or syllabus.modules
    page = papers.exercises(chosen, lang, solved=solutions)
    file.write_bytes(pdf(page.decode()) if file.suffix == ".pdf" else page)
    click.echo(plain_line(file))


@course.command("arrived")
@click.argument("code")
@with_json
def read_arrival(code: str, as_json: bool) -> None:
    """Read the arrival code that somebody reads out: which version, and what is not well on that computer."""
    from minichain import __version__
    from minichain.live import arrival, doctor

    found = arrival.read(code)
    places = list(doctor.words())
    ill = [places[place] if place < len(places) else f"number {place}" for place in found.ill]
    is_ours = __version__.startswith(found.version)
    lines = [f"minichain {found.version}, Python {found.python}"]
    if not is_ours:
        lines.append(f"Another version than yours ({__version__}): install it there from your stick.")
    lines += [f"Not well: {doctor.words()[what]['en'] if what in places else what}" for what in ill]
    lines.append("`minichain doctor` says there what to do." if ill else "All is well.")
    content = {"version": found.version, "python": found.python, "is_same_version": is_ours, "not_well": ill}
    show(as_json, content, lambda: click.echo("\n".join(lines)))
    if ill or not is_ours:
        sys.exit(NO)


@course.command("items")
@click.argument("table", type=EXISTING)
@with_json
def item_statistics(table: Path, as_json: bool) -> None:
    """Say how hard each question of a form was, whether it divides, and which beliefs it shows (in a checkout)."""
    from minichain.course import items
    from minichain.course.brought import read_brought

    found = items.statistics(items.read(read_brought(table)))
    rows = [
        {
            "question": item.id,
            "right": f"{item.difficulty:.0%}",
            "divides": None if item.discrimination is None else f"{item.discrimination:.2f}",
            "beliefs": ", ".join(f"{id} {count}" for id, count in item.beliefs.items()) or None,
            "verdict": (item.verdict or "good") if found.is_enough else None,
        }
        for item in found.items
    ]
    kr20 = "-" if found.kr20 is None else f"{found.kr20:.2f}"
    caption = f"{found.forms} forms, KR-20 {kr20} (from {items.RELIABLE} on they measure one thing)"
    if not found.is_enough:
        caption += f"; verdicts need {items.ENOUGH} forms"
    content = {"forms": found.forms, "kr20": found.kr20, "is_enough": found.is_enough, "items": rows}
    show(as_json, content, lambda: print_table(rows, caption))


@course.command("mark")
@click.argument("names", nargs=-1)
@click.option("--notebooks", type=FOLDER, default="notebooks", show_default=True, help="Folder of the masters.")
def mark_masters(names: tuple[str, ...], notebooks: Path) -> None:
    """Write nbgrader's metadata for the solutions, hidden tests and checks that stand in masters."""
    from minichain.course import editions, marks

    for name in editions.names(notebooks, names):
        master = editions.read_master(notebooks, name)
        marks.write(notebooks / f"{name}.ipynb", marks.annotated(master))


@course.command("extract")
@click.argument("names", nargs=-1)
@click.option("--notebooks", type=FOLDER, default="notebooks", show_default=True, help="Folder of the masters.")
@with_json
def extract_texts(names: tuple[str, ...], notebooks: Path, as_json: bool) -> None:
    """Bring the Chinese catalogues up to date after notebooks were changed or added, and list what is amiss in them."""
    from minichain.course import translating

    found = translating.extract(notebooks, names)
    lines = [f"{name}.po: {fault}" for name, faults in found.items() for fault in faults]
    show(as_json, {"faults": found}, lambda: click.echo("\n".join(map(plain_line, lines or ["Nothing is amiss."]))))
    if lines:
        sys.exit(NO)
