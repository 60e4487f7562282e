"""What the course consists of, read from `curriculum/`: modules, objectives, agendas, misconceptions and exercises.

Everything that is said to a learner stands in these files in English and Chinese, side by side; a file that does not
have the fields below is refused with the place of the mistake. What checks an answer is code: `course/exercises/`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from minichain.codec import Plain
from minichain.course import place
from minichain.errors import ConfigError
from minichain.live.installed import shipped

LANGUAGES: Final = ("en", "zh")
HINTS: Final = 3  # on the ladder of each cause: a nudge, where to look, a worked near-miss
QUESTIONS: Final = 4  # of an exit ticket

T = TypeVar("T")


class Said(Plain, forbid_unknown_fields=True):
    """One text in the languages of the course."""

    en: str
    zh: str = ""

    def __call__(self, language: str = "", /, **values: Any) -> str:
        """Return the text in a language (by default the lesson's; English where it is missing), filled in."""
        text = getattr(self, language or place.bundle().language) or self.en
        return text.format_map(values) if values else text


# --- the syllabus ------------------------------------------------------------------------------------------------


class Objective(Plain, forbid_unknown_fields=True):
    """What a learner can do at the end, by a verb that can be observed, and what checks it."""

    id: str
    verb: str
    text: Said
    checks: tuple[str, ...] = ()  # exercises, or `rubric.ROW`
    misconceptions: tuple[str, ...] = ()


class Module(Plain, forbid_unknown_fields=True):
    """One module: minutes of teaching and of doing, its lessons, its app, and what to take along."""

    id: str
    title: Said
    audience: str  # both, trainee, official
    teach_min: int
    do_min: int
    objectives: tuple[Objective, ...]
    notebooks: tuple[str, ...]
    keypoints: tuple[Said, ...] = ()
    reflection: Said | None = None  # asked of everybody, marked by nobody
    prereq: tuple[str, ...] = ()
    app: str = ""
    reading: tuple[str, ...] = ()

    @property
    def minutes(self) -> int:
        return self.teach_min + self.do_min

    @property
    def label(self) -> str:
        """Return what people call it: M2."""
        return f"M{int(self.id[1:])}"


class Item(Plain, forbid_unknown_fields=True):
    """One line of an agenda: when it begins (hours:minutes of the course day), and how long it takes."""

    at: str
    minutes: int
    what: Said
    module: str = ""


class Day(Plain, forbid_unknown_fields=True):
    """One day of an agenda."""

    items: tuple[Item, ...]


class Agenda(Plain, forbid_unknown_fields=True):
    """A course as it is held; `minutes` is the whole of all days, breaks included."""

    id: str
    title: Said
    minutes: int
    days: tuple[Day, ...]


class Syllabus(Plain, forbid_unknown_fields=True):
    """The whole course."""

    modules: tuple[Module, ...]
    agendas: tuple[Agenda, ...]

    def module(self, id: str) -> Module:
        """Return a module. Raises `ConfigError` for one that there is not."""
        for module in self.modules:
            if module.id == id:
                return module
        raise ConfigError(f"there is no module {id!r}: choose from {', '.join(one.id for one in self.modules)}")


class Misconception(Plain, forbid_unknown_fields=True):
    """A belief that lessons must meet, what is so instead, and the modules that show it."""

    id: str
    belief: Said
    so: Said
    demonstration: Said
    modules: tuple[str, ...]


# --- one module --------------------------------------------------------------------------------------------------


class Cause(Plain, forbid_unknown_fields=True):
    """Why an answer is not right: what is said to it, the belief behind it if there is one, and a ladder of hints."""

    says: Said
    hints: tuple[Said, ...]
    misconception: str = ""


class Task(Plain, forbid_unknown_fields=True):
    """What an exercise asks and says. `needs` is how many of its parts have to hold; 0 means all."""

    id: str
    kind: str  # predict, parsons, fill, config, bug, break, classify, brief
    title: Said
    asks: Said
    right: Said  # what is said when it is right: why it is so
    objectives: tuple[str, ...]
    causes: dict[str, Cause]
    needs: int = 0


class Option(Plain, forbid_unknown_fields=True):
    """One answer of a question; a wrong one names the belief that chooses it, where there is one."""

    text: Said
    why: Said
    right: bool = False
    misconception: str = ""


class Question(Plain, forbid_unknown_fields=True):
    """A question of an exit ticket, or of the forms before and after a course."""

    id: str
    asks: Said
    options: tuple[Option, ...]


# --- before, after, and marking ----------------------------------------------------------------------------------


class Belief(Plain, forbid_unknown_fields=True):
    """A wrong answer: what somebody says who holds a belief."""

    text: Said
    misconception: str


class Probe(Plain, forbid_unknown_fields=True):
    """A question of the forms A and B; the same idea is asked in both in two ways."""

    id: str
    idea: str
    asks: Said
    right: Said
    wrong: tuple[Belief, Belief]

    @property
    def form(self) -> str:
        return self.id[0]

    @property
    def options(self) -> tuple[tuple[Said, str], ...]:
        """Return its answers as they are printed, each with its belief; the right one, at an even place, has none."""
        wrong = [(one.text, one.misconception) for one in self.wrong]
        place = sum(map(ord, self.id)) % (len(wrong) + 1)
        return (*wrong[:place], (self.right, ""), *wrong[place:])


class Level(Plain, forbid_unknown_fields=True):
    """What a mark stands for, with two samples of it."""

    mark: int
    says: Said
    anchors: tuple[Said, Said]


class Row(Plain, forbid_unknown_fields=True):
    """One row of the rubric for briefs."""

    id: str
    title: Said
    asks: Said
    levels: tuple[Level, ...]


# --- reading -----------------------------------------------------------------------------------------------------


def curriculum() -> Path:
    """Return the folder of the material."""
    return shipped("curriculum")


def read(path: Path, type_: type[T]) -> T:
    """Read a file of the material. Raises `ConfigError` that names file and place."""
    import yaml  # noqa: PLC0415 - a notebook that checks nothing should not wait for it

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # eight times as fast, where it was built
    try:
        return msgspec.convert(yaml.load(path.read_text("utf-8"), loader), type_)
    except FileNotFoundError:
        raise ConfigError(f"{path} is missing") from None
    except (msgspec.ValidationError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: {error}") from None


@cache
def syllabus() -> Syllabus:
    """Return the syllabus."""
    return read(curriculum() / "syllabus.yaml", Syllabus)


@cache
def misconceptions() -> dict[str, Misconception]:
    """Return the misconceptions that lessons meet, by id."""
    return {one.id: one for one in read(curriculum() / "misconceptions.yaml", tuple[Misconception, ...])}


@cache
def phrases() -> dict[str, Said]:
    """Return what is said in every exercise."""
    return read(curriculum() / "phrases.yaml", dict[str, Said])


@cache
def classroom_texts() -> dict[str, Said]:
    """Return what the desk of a class says."""
    return read(curriculum() / "classroom.yaml", dict[str, Said])


@cache
def tasks(module: str) -> dict[str, Task]:
    """Return the exercises of a module, by id, in their order."""
    return {task.id: task for task in read(curriculum() / module / "exercises.yaml", tuple[Task, ...])}


@cache
def ticket(module: str) -> tuple[Question, ...]:
    """Return the questions of a module's exit ticket, with what is right: they are in a checkout only."""
    return read(curriculum() / module / "ticket.yaml", tuple[Question, ...])


@cache
def inventory() -> dict[str, Probe]:
    """Return the questions that are asked before and after a course, by id."""
    return {one.id: one for one in read(_trainers("inventory.yaml"), tuple[Probe, ...])}


@cache
def rubric() -> tuple[Row, ...]:
    """Return the rows by which a brief is marked."""
    return read(_trainers("rubric.yaml"), tuple[Row, ...])


def _trainers(name: str) -> Path:
    """Return a file that no wheel has: from a checkout, or from the trainer's bundle that one works in."""
    own, bundled = curriculum() / name, place.trainers()
    if not own.exists() and bundled is None:
        raise ConfigError(f"{name} stays with the trainer: go into the trainer's bundle, or a checkout")
    return own if own.exists() or bundled is None else bundled / name


def task(id: str) -> Task:
    """Return an exercise. Raises `ConfigError` for one that there is not."""
    module = id.partition(".")[0]
    syllabus().module(module)
    found = tasks(module)
    if id not in found:
        raise ConfigError(f"there is no exercise {id!r}: module {module} has {', '.join(found)}")
    return found[id]
