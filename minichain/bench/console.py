"""How long the trainer's console takes to show an answer: made-up learners at work, the real page in a real browser.

The time runs from the moment at which an answer is on the learner's disk to the frame in which the grid of the page has
its mark: the letter, the desk, the page's look at it, the kernel and the browser are all in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from subprocess import DEVNULL
from tempfile import TemporaryDirectory
from typing import Any, Final

import psutil

from minichain.bench.timing import machine
from minichain.course.attempts import Attempt
from minichain.course.classroom import grid, rehearsal
from minichain.course.classroom.register import Taken
from minichain.errors import UsageError
from minichain.live import dashboards, supervisor
from minichain.live.home import VARIABLE
from minichain.views import printing

MODULE, LABEL = "m14", "M14"  # the grid of the page is that of one module: this has the most exercises
TARGET_MS: Final = 3_000
OPENING_MS: Final = 60_000
WATCH: Final = """() => {
    const seen = window.marks = {};
    const note = () => {
        for (const row of document.querySelectorAll(".mc-class-grid tbody tr")) {
            const [who, ...cells] = [...row.cells].map(cell => cell.textContent.trim());
            cells.forEach((said, at) => {
                const marks = seen[`${who.replace(/^.* · /, "")}|${at}`] ??= [];
                if (marks.at(-1)?.[1] !== said) marks.push([Date.now(), said]);
            });
        }
    };
    const changed = new MutationObserver(() => requestAnimationFrame(note));
    changed.observe(document.body, {childList: true, subtree: true, characterData: true});
}"""

Mark = tuple[int, str]  # when a cell began to say something, in ms since 1970, and what


def console(learners: int = 30) -> dict[str, Any]:
    """Let so many made-up learners go through a module while the console is open, and time each mark on its grid."""
    load = psutil.getloadavg()[0]  # of what else this machine does
    plan = rehearsal.Plan(learners, modules=(MODULE,))
    with TemporaryDirectory(prefix="minichain-console-", ignore_cleanup_errors=True) as folder:
        home = Path(folder) / "trainer"
        with rehearsal.open_class(home) as (desk, room), _page(home, room.console) as page:
            rehearsed = rehearsal.Rehearsal(plan, Path(folder), desk, room, lambda said: None)
            counted = rehearsed.run()
            page.wait_for_timeout(2 * TARGET_MS)  # for the last marks
            marks: dict[str, list[Mark]] = page.evaluate("window.marks")
    told = _told(rehearsed.made, marks, counted)
    return {**told, "load_before": round(load, 1), **machine(), "formula": _formula(plan)}


def _told(made: dict[str, list[Attempt]], marks: dict[str, list[Mark]], counted: dict[str, Any]) -> dict[str, Any]:
    found = [lag for name, answers in made.items() for lag in lags(name, answers, marks)]
    times = sorted(lag for lag in found if lag is not None)
    p95 = rehearsal.at_percent(times, 95)
    return {
        "learners": counted["learners"],
        "answers": counted["made"],
        "lost": counted["lost"],
        "marks": len(times),
        "marks_missing": found.count(None),
        "mark_p50_ms": rehearsal.at_percent(times, 50),
        "mark_p95_ms": p95,
        "mark_max_ms": rehearsal.at_percent(times, 100),
        "desk_p95_ms": counted["lag_p95_ms"],
        "seconds": counted["seconds"],
        "target_p95_ms": TARGET_MS,
        "passed": p95 <= TARGET_MS and None not in found and not counted["lost"],
    }


def _formula(plan: rehearsal.Plan) -> str:
    return (
        "from an answer on the learner's disk to the frame that shows its mark, of every answer in "
        f"{MODULE} that changes a mark; each answers every {plan.pace_s:.0f} s on average, {plan.loss} % of "
        "letters are lost; learners, desk, judges, page and browser share this machine; desk_p95_ms ends where the "
        "desk has the answer"
    )


@contextmanager
def _page(home: Path, link: Any) -> Iterator[Any]:
    """Open the console of a class in a browser, with a watch on its grid."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - it comes with what tests need
    except ImportError:
        raise UsageError('this drives a browser: pip install "minichain[test]"') from None
    program = printing.browser()
    if program is None:
        raise UsageError(f"no browser is installed here: install Chromium, or name one in {printing.VARIABLE}")
    with (
        dashboards.start(supervisor.apps(), log=DEVNULL, environment={VARIABLE: str(home)}) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(f"{link(server.url)}&lang=en")
        page.wait_for_selector('.mc-pulse[data-state="live"]', timeout=OPENING_MS)
        page.evaluate(WATCH)
        chosen = page.get_by_label("Module", exact=True).first
        chosen.select_option(label=chosen.locator("option", has_text=f"{LABEL} ").text_content(timeout=OPENING_MS))
        yield page
        browser.close()


# --- which mark belongs to which answer --------------------------------------------------------------------------


def lags(name: str, made: Sequence[Attempt], marks: dict[str, list[Mark]]) -> Iterator[int | None]:
    """Yield, for each answer of somebody that changes a mark, how long it took until that mark, or a later one; None if
    it never came.
    """
    columns = list(grid.exercises((MODULE,)))
    for tries in _by_exercise(made):
        shown = marks.get(f"{name}|{columns.index(tries[0].exercise)}", [])
        changes = list(_changes(tries))
        for number, (answer, _said) in enumerate(changes):
            later = {said for _answer, said in changes[number:]}
            at = next((at for at, said in shown if said in later and at >= answer.at), None)
            yield None if at is None else at - answer.at


def _by_exercise(made: Sequence[Attempt]) -> Iterator[list[Attempt]]:
    for _exercise, tries in groupby(sorted(made, key=lambda one: (one.exercise, one.at)), lambda one: one.exercise):
        yield list(tries)


def _changes(tries: Sequence[Attempt]) -> Iterator[tuple[Attempt, str]]:
    """Yield the answers to one exercise after which its cell says something else, and what it says."""
    before = grid.NOT_STARTED
    for number, answer in enumerate(tries, 1):
        cell = grid.cell([Taken(one, one.at) for one in tries[:number]])
        is_counted = cell.misses and cell.state != grid.DONE
        said = f"{cell.state}, {cell.misses} wrong" if is_counted else cell.state
        if said != before:
            yield answer, said
        before = said
