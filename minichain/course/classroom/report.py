"""The report of a class for those who paid for it: one page that stands alone, and tells of nobody in it.

A figure that counts fewer than five people, or all but fewer than five, is not shown: neither can be traced back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from typing import Final

from minichain.course.classroom import grid
from minichain.course.classroom.grid import DONE, STUCK, Grid
from minichain.course.classroom.overview import durations
from minichain.course.classroom.pages import TAGS
from minichain.course.classroom.register import Register
from minichain.course.material import classroom_texts, misconceptions, syllabus, task, tasks

SMALLEST: Final = 5  # people a figure may count
MOST: Final = 8  # rows of a table
STYLE: Final = """
@page { size: A4; margin: 16mm; }
body { color: #1c2421; font: 11pt/1.4 system-ui, "Noto Sans CJK SC", sans-serif; margin: 0 auto; max-width: 46rem;
  padding: 1rem; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 1.2rem 0 .3rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #9aa5a0; padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; }
p { margin: .4rem 0; }
@media print { body { padding: 0; } tr { break-inside: avoid; } }
"""


def page(register: Register, now: int, language: str) -> str:
    """Return the report as HTML."""
    return _Report(register, now, language).page()


class _Report:
    def __init__(self, register: Register, now: int, language: str) -> None:
        self._register, self._now, self._language = register, now, language
        self._present = grid.present(register)
        self._cells: Grid = grid.grid(register, with_reset=True)

    def page(self) -> str:
        title = self._say("report_title", id=self._register.id)
        body = "".join((self._head(), self._attendance(), self._beliefs(), self._hardest(), self._foot()))
        return (
            f'<!DOCTYPE html><html lang="{TAGS[self._language]}"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
            f"<style>{STYLE}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>"
        )

    def _say(self, what: str, **values: object) -> str:
        return escape(classroom_texts()[what](self._language, **values))

    def counted(self, count: int, of: int) -> str:
        """Say how many of how many, unless that would tell of few."""
        if of < SMALLEST:
            return self._say("report_hidden")
        if count < SMALLEST:
            return self._say("report_few", least=SMALLEST)
        if of - count < SMALLEST:
            return self._say("report_nearly_all", least=SMALLEST)
        return self._say("report_of", count=count, of=of, percent=round(100 * count / of))

    def _table(self, title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
        head = "".join(f'<th scope="col">{self._say(name)}</th>' for name in columns)
        body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
        found = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        nothing = f"<p>{self._say('report_none')}</p>"
        return f"<h2>{self._say(title)}</h2>{found if body else nothing}"

    # --- what is in it ---

    def _head(self) -> str:
        here = len(self._present)
        told = str(here) if here >= SMALLEST else self._say("report_few", least=SMALLEST)
        day = datetime.fromtimestamp(self._now / 1000, UTC).date()
        return f"<p>{self._say('report_head', day=day, learners=told)}</p>"

    def _attendance(self) -> str:
        rows = []
        for module in syllabus().modules:
            ids = set(tasks(module.id))
            began = [row for row in self._cells.values() if ids & row.keys()]
            done = sum(all(id in row and row[id].state == DONE for id in ids) for row in began)
            if began:
                name = escape(f"{module.label} {module.title(self._language)}")
                rows.append((name, self.counted(len(began), len(self._present)), self.counted(done, len(began))))
        return self._table("report_attendance", ("report_module", "report_began", "report_finished"), rows)

    def _beliefs(self) -> str:
        """List what was believed: by how many at some time, and by how many of them at the last."""
        ever: dict[str, set[str]] = {}
        for one in self._register.taken.values():
            if one.misconception in misconceptions():
                ever.setdefault(one.misconception, set()).add(one.attempt.learner)
        rows = []
        for id, holders in sorted(ever.items(), key=lambda item: (-len(item[1]), item[0]))[:MOST]:
            asked = self._asked(id)
            still = sum(any(c.misconception == id for c in self._cells.get(did, {}).values()) for did in holders)
            said = escape(f"{id}: {misconceptions()[id].belief(self._language)}")
            rows.append((said, self.counted(len(holders), len(asked | holders)), self.counted(still, len(holders))))
        return self._table("report_beliefs", ("report_belief", "report_ever", "report_still"), rows)

    def _asked(self, misconception: str) -> set[str]:
        """Return who has answered an exercise in which this belief can be seen."""
        return {did for did, row in self._cells.items() if any(misconception in _beliefs_of(id) for id in row)}

    def _hardest(self) -> str:
        tries: dict[str, list[grid.Cell]] = {}
        for row in self._cells.values():
            for id, one in row.items():
                tries.setdefault(id, []).append(one)
        known = durations(self._register)
        ranked = sorted(tries.items(), key=lambda item: (-sum(c.misses for c in item[1]) / len(item[1]), item[0]))
        rows = [
            (
                escape(f"{id} {task(id).title(self._language)}"),
                self.counted(sum(c.misses > 0 for c in cells), len(cells)),
                self.counted(sum(c.state == STUCK for c in cells), len(cells)),
                self._minutes(sorted(known.get(id, []))),
            )
            for id, cells in ranked[:MOST]
            if any(c.misses for c in cells) and len(cells) >= SMALLEST
        ]
        columns = ("report_exercise", "report_missed", "report_stuck", "report_minutes")
        return self._table("report_hardest", columns, rows)

    def _minutes(self, times: list[int]) -> str:
        if len(times) < SMALLEST:
            return self._say("report_few", least=SMALLEST)
        return str(max(1, round(times[len(times) // 2] / 60_000)))

    def _foot(self) -> str:
        return f"<h2>{self._say('report_limits')}</h2><p>{self._say('report_limit', least=SMALLEST)}</p>"


def _beliefs_of(exercise: str) -> set[str]:
    return {cause.misconception for cause in task(exercise).causes.values()}
