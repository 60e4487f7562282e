"""What is printed: exercises with and without solutions, tickets, cards, agendas, as pages of A4 that stand alone.

A paper is Markdown until `page` makes HTML of it; the page asks the network for nothing, and a browser prints it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from functools import cache
from html import escape
from pathlib import Path
from textwrap import dedent
from typing import Any

from markdown_it import MarkdownIt

import minichain
from minichain.course import material, trainer
from minichain.course.material import Agenda, Level, Module, Probe, Question, Row, Task, phrases

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
LETTERS = "abcdefgh"  # of answers
LONGEST = 60  # bytes of an answer that are printed
_LINES = 4  # to write an answer on


def page(title: str, markdown: str, language: str) -> bytes:
    """Return a paper as an HTML page of its own."""
    running = phrases()["page"](language, title=title, version=minichain.__version__)
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head><meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{escape(title)}</title>\n'
        f"<style>\n{_style()}</style></head>\n<body>\n<main>\n{_MARKDOWN.render(markdown)}</main>\n"
        f"<footer>{escape(running)}</footer>\n</body>\n</html>\n"
    ).encode()


@cache
def _style() -> str:
    return Path(__file__).with_name("paper.css").read_text("utf-8")


def titled(kind: str, text: str, language: str) -> bytes:
    """Return a text of the curriculum as a page with the title of its kind."""
    return page(phrases()[kind](language), text, language)


# --- exercises ---------------------------------------------------------------------------------------------------


def exercises(modules: Iterable[Module], language: str, *, solved: bool = False) -> bytes:
    """Return the exercises of modules, with room for answers or with a trainer's answers."""
    title = phrases()["solutions" if solved else "exercises"](language)
    parts = [f"# {title}", *(_module(module, language, solved=solved) for module in modules)]
    return page(title, "\n\n".join(parts), language)


def _module(module: Module, language: str, *, solved: bool) -> str:
    objectives = "\n".join(f"- {one.text(language)}" for one in module.objectives)
    tasks = (_task(task, language, solved=solved) for task in material.tasks(module.id).values())
    minutes = phrases()["minutes"](language, minutes=module.minutes)
    head = f"## {module.label} {module.title(language)}\n\n{minutes}\n\n{phrases()['objectives'](language)}"
    return "\n\n".join((head, objectives, *tasks))


def _task(task: Task, language: str, *, solved: bool) -> str:
    asked = f"### {task.id} {task.title(language)}\n\n{task.asks(language)}"
    return f"{asked}\n\n{_solution(task, language) if solved else _room(language)}"


def _room(language: str) -> str:
    return "\n\n".join((phrases()["answer_here"](language), *["---"] * _LINES))


def _solution(task: Task, language: str) -> str:
    key = trainer.keys(task.id.partition(".")[0])[task.id]
    beliefs = "\n".join(
        f"- {cause.misconception}: {material.misconceptions()[cause.misconception].so(language)}"
        for cause in task.causes.values()
        if cause.misconception
    )
    say = phrases()
    parts = [say["solution"](language), f"```\n{shown(key.solutions[0])}\n```"]
    parts.append(f"{say['why'](language)} {task.right(language)}")
    return "\n\n".join([*parts, *((say["beliefs"](language), beliefs) if beliefs else ())])


def shown(answer: Any) -> str:
    """Return an answer as one would write it; a set always in the same order."""
    match answer:
        case dict():
            return "{" + ", ".join(f"{shown(key)}: {shown(one)}" for key, one in answer.items()) + "}"
        case set() | frozenset():
            return "{" + ", ".join(sorted(map(shown, answer))) + "}" if answer else "set()"
        case list() | tuple():
            ends = "[]" if isinstance(answer, list) else "()"
            return ends[0] + ", ".join(map(shown, answer)) + ends[1]
        case bytes() if len(answer) > LONGEST:
            return f"{answer[:LONGEST]!r}... ({len(answer)} bytes)"
    return dedent(inspect.getsource(answer)).strip() if callable(answer) else repr(answer)


# --- tickets and agendas -----------------------------------------------------------------------------------------


def tickets(modules: Iterable[Module], language: str, *, answered: bool = False) -> bytes:
    """Return the exit tickets of modules, as they are handed out or with their answers."""
    title = phrases()["tickets_answered" if answered else "tickets"](language)
    parts = [f"# {title}"]
    for module in modules:
        parts.append(f"## {module.label} {module.title(language)}")
        parts += (_question(*one, language, answered) for one in enumerate(material.ticket(module.id), 1))
    return page(title, "\n\n".join(parts), language)


def _question(number: int, question: Question, language: str, answered: bool) -> str:
    lines = [f"{number}\\. {question.asks(language)}", ""]
    for letter, option in zip(LETTERS, question.options, strict=False):
        text = f"{letter}) {option.text(language)}"
        if answered:
            belief = f" ({option.misconception})" if option.misconception else ""
            text = f"{'**' + text + '**' if option.right else text} — {option.why(language)}{belief}"
        lines.append(f"- {text}")
    return "\n".join(lines)


def agendas(language: str) -> bytes:
    """Return all agendas as a page, a table for each day."""
    return page(phrases()["agendas"](language), agendas_text(language), language)


def agendas_text(language: str) -> str:
    """Return all agendas as Markdown."""
    parts = (_agenda(agenda, language) for agenda in material.syllabus().agendas)
    return "\n\n".join((f"# {phrases()['agendas'](language)}", *parts))


def _agenda(agenda: Agenda, language: str) -> str:
    say = phrases()
    minutes = say["minutes"](language, minutes=agenda.minutes)
    parts = [f"## {agenda.title(language)} ({minutes})"]
    for number, day in enumerate(agenda.days, 1):
        if len(agenda.days) > 1:
            parts.append(f"### {say['day'](language, number=number)}")
        head = f"| {say['at'](language)} | {say['what'](language)} | {say['length'](language)} |\n| --- | --- | ---: |"
        rows = (f"| {item.at} | {item.what(language)} | {item.minutes} |" for item in day.items)
        parts.append("\n".join((head, *rows)))
    return "\n\n".join(parts)


# --- before, after, and marking ----------------------------------------------------------------------------------


def form(name: str, language: str, *, answered: bool = False, most: int | None = None) -> bytes:
    """Return the form A or B, as it is handed out or with the belief behind each answer; `most` questions of it."""
    title = phrases()["form_key" if answered else "form"](language, form=name)
    probes = [one for one in material.inventory().values() if one.form == name][:most]
    parts = [f"# {title}", *([] if answered else [phrases()["form_asks"](language)])]
    parts += (_probe(number, one, language, answered) for number, one in enumerate(probes, 1))
    return page(title, "\n\n".join(parts), language)


def _probe(number: int, probe: Probe, language: str, answered: bool) -> str:
    lines = [f"{number}\\. {probe.asks(language)}", ""]
    for letter, (text, belief) in zip(LETTERS, probe.options, strict=False):
        line = f"{letter}) {text(language)}"
        lines.append(f"- {(f'{line} ({belief})' if belief else f'**{line}**') if answered else line}")
    return "\n".join(lines)


def rubric(language: str) -> bytes:
    """Return the rubric, with its samples."""
    title = phrases()["rubric"](language)
    return page(title, "\n\n".join((f"# {title}", *(_row(row, language) for row in material.rubric()))), language)


def _row(row: Row, language: str) -> str:
    levels = (f"| {one.mark} | {one.says(language)} | {_anchors(one, language)} |" for one in row.levels)
    head = "| | {what} | {samples} |\n| --- | --- | --- |".format(
        what=phrases()["what"](language), samples=phrases()["samples"](language)
    )
    return "\n\n".join((f"## {row.title(language)}", row.asks(language), "\n".join((head, *levels))))


def _anchors(level: Level, language: str) -> str:
    return " · ".join(one(language) for one in level.anchors)


def texts(module: Module, kind: str, language: str) -> Iterator[tuple[str, bytes]]:
    """Yield a module's paper of a kind (task, unplugged, instructor), if it is written: its name and page."""
    path = material.curriculum() / module.id / f"{kind}.{language}.md"
    if path.exists():
        yield f"{module.id}-{kind}.html", titled(kind, path.read_text("utf-8"), language)
