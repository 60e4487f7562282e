"""Whether the course keeps what it promises: counted from its files each time, and a gate for each promise.

An objective is checked; a misconception is shown, exercised and offered as a wrong answer; a wrong answer gets the
hint that fits its belief; a slightly wrong one is not accepted; agendas add up; both languages are there; and no
learner gets a solution. `verify` returns figures and what is amiss; nothing amiss means every gate holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, Final

import msgspec

from minichain.course import (
    casebook,
    editions,
    leaks,
    marks,
    material,
    mutation,
    readability,
    release,
    trainer,
    untouched,
)
from minichain.course.desk import cause_of, exercise_of, judge
from minichain.course.material import HINTS, QUESTIONS, Agenda, Day, Module, Said, Task, syllabus, tasks

MISCONCEPTIONS: Final = 34
MUTANTS: Final = 40  # of one exercise, at most
LEAST_MUTANTS: Final = 10
REJECTED: Final = 0.95
BOTS: Final = 2
SOLUTIONS: Final = 2
KEYPOINTS: Final = 3
FORMS: Final = ("A", "B")
PROBES: Final = 24  # of both forms
MARKS: Final = 4  # of a row of the rubric, at most
STRETCH: Final = 50  # minutes without a break, at most
PAPERS: Final = ("instructor", "unplugged", "task")  # of a module, in both languages
VAGUE: Final = frozenset({"understand", "know", "be", "learn", "appreciate", "grasp", "realise", "realize"})
VAGUE_ZH: Final = ("了解", "掌握", "熟悉", "懂得", "理解")
DUTIES: Final = frozenset({"predict", "parsons", "fill", "config", "bug", "break", "classify", "brief"})


@dataclass(slots=True)
class Report:
    """What was counted, and what is amiss: gate -> what it found."""

    figures: dict[str, float] = field(default_factory=dict)
    amiss: dict[str, list[str]] = field(default_factory=dict)

    def found(self, gate: str, faults: Iterator[str] | list[str]) -> None:
        """Count what a gate finds, and keep it."""
        self.amiss[gate] = list(faults)
        self.figures[gate] = len(self.amiss[gate])

    @property
    def holds(self) -> bool:
        return not any(self.amiss.values())


def verify(*, run: bool = False) -> Report:
    """Count everything; with `run`, let somebody who does nothing go through all lessons, too: that takes minutes."""
    report, course = Report(), syllabus()
    objectives = [one for module in course.modules for one in module.objectives]
    report.figures["modules"] = len(course.modules)
    report.figures["objectives"] = len(objectives)
    report.found("objectives_without_check", _unchecked(course.modules))
    report.found("vague_objectives", _vague(course.modules))
    uncovered = list(_uncovered(course.modules))
    report.figures["misconceptions_covered"] = MISCONCEPTIONS - len({one.split(":")[0] for one in uncovered})
    report.found("misconceptions_uncovered", uncovered)
    report.found("files_missing", _missing(course.modules))
    report.found("forms_incomplete", _forms())
    report.found("tickets_incomplete", _tickets(course.modules))
    _count_answers(report, course.modules)
    report.found("unmarked", _unmarked())
    report.found("leaks", _leaks())
    report.found("untranslated", _untranslated(course.modules))
    report.figures |= readability.measures()
    report.found("hard_to_read", readability.too_hard())
    report.found("agenda_errors", [fault for agenda in course.agendas for fault in agenda_faults(agenda)])
    if run:
        report.found("given_away", untouched.given_away())
    return report


# --- the syllabus ------------------------------------------------------------------------------------------------


def _unchecked(modules: tuple[Module, ...]) -> Iterator[str]:
    rows = {f"rubric.{row.id}" for row in material.rubric()}
    for module in modules:
        known = {*tasks(module.id), *rows}
        for one in module.objectives:
            if not one.checks:
                yield f"{one.id} is checked by nothing"
            yield from (f"{one.id} names {check}, which there is not" for check in one.checks if check not in known)


def _vague(modules: tuple[Module, ...]) -> Iterator[str]:
    for one in (objective for module in modules for objective in module.objectives):
        if one.verb in VAGUE or not re.match(rf"{one.verb}\b", one.text.en):
            yield f"{one.id}: {one.text.en!r} does not begin with what can be observed"
        if one.text.zh.startswith(VAGUE_ZH):
            yield f"{one.id}: {one.text.zh!r} does not begin with what can be observed"


def _uncovered(modules: tuple[Module, ...]) -> Iterator[str]:
    """Yield the misconceptions that are not shown, not exercised or not offered as an answer."""
    causes, options, shown = set[str](), set[str](), set[str]()
    for module in modules:
        causes |= {cause.misconception for task in tasks(module.id).values() for cause in task.causes.values()}
        options |= {one.misconception for question in material.ticket(module.id) for one in question.options}
        shown |= {tag for lesson in _lessons(module) for tag in _tags(lesson)}
    for id in material.misconceptions():
        for kind, found in (("demonstration", shown), ("exercise", causes), ("distractor", options)):
            if id not in found:
                yield f"{id}: no {kind}"


def _lessons(module: Module) -> Iterator[marks.Notebook]:
    """Yield the masters of a module that there are."""
    folder = editions.masters()
    yield from (editions.read_master(folder, one) for one in module.notebooks if (folder / f"{one}.ipynb").exists())


def _tags(notebook: marks.Notebook) -> set[str]:
    return {tag for cell in notebook["cells"] for tag in cell["metadata"].get("tags", [])}


def _missing(modules: tuple[Module, ...]) -> Iterator[str]:
    folder = material.curriculum()
    for module in modules:
        papers = [folder / module.id / f"{paper}.{language}.md" for paper in PAPERS for language in material.LANGUAGES]
        lessons = [editions.masters() / f"{name}.ipynb" for name in module.notebooks]
        yield from (f"{path.relative_to(folder.parent)} is missing" for path in papers + lessons if not path.exists())
        if len(module.keypoints) < KEYPOINTS:
            yield f"{module.id} has {len(module.keypoints)} key points: {KEYPOINTS} at least"
        if module.reflection is None:
            yield f"{module.id} has no question that is not marked"
        asked = {id for lesson in _lessons(module) for id in marks.exercises(lesson)}
        yield from (f"{id} is in no lesson of {module.id}" for id in tasks(module.id) if id not in asked)


def _tickets(modules: tuple[Module, ...]) -> Iterator[str]:
    for module in modules:
        questions = material.ticket(module.id)
        if len(questions) != QUESTIONS:
            yield f"{module.id} has {len(questions)} questions in its ticket: {QUESTIONS} are asked"
        for one in questions:
            if sum(option.right for option in one.options) != 1 or len(one.options) < 3:
                yield f"{one.id} needs one right answer of at least three"


def _forms() -> Iterator[str]:
    """Name what the forms before and after lack: an idea in both, a belief behind each wrong answer, each belief."""
    probes, beliefs = material.inventory().values(), set(material.misconceptions())
    asked = {form: [one.idea for one in probes if one.form == form] for form in FORMS}
    if asked["A"] != asked["B"] or len(probes) != PROBES:
        yield f"the forms have {len(probes)} questions, of {PROBES}, and ask {asked}"
    named = {wrong.misconception for one in probes for wrong in one.wrong}
    yield from (f"no form offers {id} as an answer" for id in sorted(beliefs - named))
    yield from (f"a form names {id}, which there is not" for id in sorted(named - beliefs))
    for row in material.rubric():
        if [level.mark for level in row.levels] != list(range(MARKS + 1)):
            yield f"the row {row.id} of the rubric has not one level for each mark from 0 to {MARKS}"


def agenda_faults(agenda: Agenda) -> Iterator[str]:
    """Name what does not add up in an agenda: times, the whole, a stretch without a break, a module there is not.

    A break is a line without a module; a stretch is all that lies between two of them.
    """
    for number, day in enumerate(agenda.days, 1):
        yield from (f"{agenda.id}, day {number}: {fault}" for fault in _day_faults(day))
    total = sum(item.minutes for day in agenda.days for item in day.items)
    if total != agenda.minutes:
        yield f"{agenda.id} has {agenda.minutes} minutes, its lines {total}"


def _day_faults(day: Day) -> Iterator[str]:
    known = {module.id for module in syllabus().modules}
    clock = stretch = 0
    for item in day.items:
        now = f"{clock // 60}:{clock % 60:02}"
        if item.at != now:
            yield f"{item.what.en!r} begins at {item.at}, but it is {now}"
        if item.module and item.module not in known:
            yield f"there is no module {item.module}"
        stretch = stretch + item.minutes if item.module else 0
        if stretch > STRETCH:
            yield f"at the end of {item.what.en!r} people have sat for {stretch} minutes without a break"
        clock += item.minutes


# --- answers -----------------------------------------------------------------------------------------------------


def _count_answers(report: Report, modules: tuple[Module, ...]) -> None:
    """Let right, wrong and slightly wrong answers be judged."""
    every = [task for module in modules for task in tasks(module.id).values()]
    refused, misdiagnosed, accepted, thin = list[str](), list[str](), list[str](), list[str]()
    bots = mutants = 0
    for task in every:
        key = _key(task)
        if key is None:
            thin.append(f"{task.id} has no solution and no bot in curriculum/trainer")
            continue
        bots += len(key.bots)
        refused += refusals(task, key)
        misdiagnosed += misdiagnoses(task, key)
        tried, wrong = mutations(task, key)
        mutants += tried
        accepted += wrong
        thin += _thin(task, key, tried, len(wrong))
    report.figures |= {"exercises": len(every), "bots": bots, "mutants": mutants, "mutants_accepted": len(accepted)}
    report.found("solutions_refused", refused)
    report.found("bots_misdiagnosed", misdiagnosed)
    report.found("exercises_incomplete", thin)


def _key(task: Task) -> trainer.Key | None:
    return trainer.keys(task.id.partition(".")[0]).get(task.id)


def refusals(task: Task, key: trainer.Key) -> Iterator[str]:
    """Name the right answers that are not accepted, by the practice check or by the hidden one."""
    for number, answer in enumerate(key.solutions, 1):
        for seed in (0, 1, 7):
            found = judge(task.id, answer, seed)
            if not found.is_right:
                yield f"{task.id}: solution {number} has {found.score} of {found.of}, {found.misses[0]} (seed {seed})"
        if key.hidden and not (found := key.hidden.judge(answer)).is_right:
            yield f"{task.id}: solution {number} fails the hidden check, {found.misses[0]}"


def misdiagnoses(task: Task, key: trainer.Key) -> Iterator[str]:
    """Name the wrong answers that are accepted, or that get the hint for another belief."""
    for number, bot in enumerate(key.bots, 1):
        found = judge(task.id, bot.answer)
        if found.is_right:
            yield f"{task.id}: bot {number} ({bot.cause}) is accepted"
        elif found.misses[0].cause != bot.cause:
            yield f"{task.id}: bot {number} is told {found.misses[0]}, not {bot.cause}"
        else:
            cause_of(task, found.misses[0]).says("en", **found.misses[0].values)  # a placeholder without a value raises


def mutations(task: Task, key: trainer.Key) -> tuple[int, list[str]]:
    """Return how many slightly wrong answers were judged, and those that were accepted."""
    of = len(exercise_of(task.id).parts)
    forgiven = of - (task.needs or of)
    tried, accepted = 0, []
    every = chain.from_iterable(mutation.mutants(one, forgiven=forgiven) for one in key.solutions)
    for mutant in islice(every, MUTANTS):
        source = getattr(mutant, "mutant", repr(mutant))
        if any(line in source for line in key.equivalent):
            continue
        tried += 1
        if exercise_of(task.id).accepts(mutant, task.needs):
            accepted.append(f"{task.id}: {source}")
    return tried, accepted


def _thin(task: Task, key: trainer.Key, tried: int, accepted: int) -> Iterator[str]:
    if task.kind not in DUTIES:
        yield f"{task.id} is of no kind that there is: {task.kind}"
    if len(key.solutions) < SOLUTIONS:
        yield f"{task.id} has {len(key.solutions)} right answers: {SOLUTIONS} that differ are asked"
    if len(key.bots) < BOTS:
        yield f"{task.id} has {len(key.bots)} bots: {BOTS} are asked"
    if tried < LEAST_MUTANTS:
        yield f"{task.id} has {tried} mutants: {LEAST_MUTANTS} are asked"
    if tried and accepted / tried > 1 - REJECTED:
        yield f"{task.id} accepts {accepted} of {tried} mutants"
    for name, cause in task.causes.items():
        if len(cause.hints) != HINTS:
            yield f"{task.id}: {name} has {len(cause.hints)} hints, not {HINTS}"


# --- what a learner gets -----------------------------------------------------------------------------------------


def _unmarked() -> Iterator[str]:
    for name in editions.names(editions.masters()):
        master = editions.read_master(editions.masters(), name)
        if marks.annotated(master) != master:
            yield f"{name}: nbgrader would not read its marks, run `minichain course mark {name}`"


def _leaks() -> Iterator[str]:
    known = leaks.secrets()
    for language in material.LANGUAGES:
        yield from leaks.search(release.zipped(release.for_learners(language)), known)


# --- two languages -----------------------------------------------------------------------------------------------


def _untranslated(modules: tuple[Module, ...]) -> Iterator[str]:
    """Yield the texts of the material that lack Chinese."""
    yield from _without_chinese("syllabus", syllabus())
    yield from _without_chinese("misconceptions", material.misconceptions())
    yield from _without_chinese("phrases", material.phrases())
    yield from _without_chinese("classroom", material.classroom_texts())
    yield from _without_chinese("inventory", material.inventory())
    yield from _without_chinese("rubric", material.rubric())
    yield from _without_chinese("casebook", casebook.cards())
    for module in modules:
        yield from _without_chinese(f"{module.id}/exercises", tasks(module.id))
        yield from _without_chinese(f"{module.id}/ticket", material.ticket(module.id))


def _without_chinese(where: str, value: Any) -> Iterator[str]:
    for said in _texts(value):
        if not re.search("[\u4e00-\u9fff]", said.zh) and re.search("[A-Za-z]{3}", re.sub(r"{\w+}", "", said.en)):
            yield f"{where}: {said.en[:60]!r}"


def _texts(value: Any) -> Iterator[Said]:
    if isinstance(value, Said):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _texts(getattr(value, name))
    elif isinstance(value, dict | tuple):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)
