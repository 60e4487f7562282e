"""The course as pages to read, in both languages: lessons as learners get them, cards, beliefs, words, print-outs.

Sphinx makes the pages (`pip install "minichain[site]"`). They ask no server for anything, so they can be read from a
stick; `serve` gives them to this computer only. Pages lie side by side: from each, the other language is one step up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import minichain
from minichain.catalogue import LOCALES
from minichain.course import casebook, editions, marks, material, papers
from minichain.course.material import Module, phrases
from minichain.errors import UsageError

HOST: Final = "127.0.0.1"
CARDS: Final = ("task", "unplugged")
OTHER: Final = {"en": ("zh", "中文"), "zh": ("en", "English")}
FRONT: Final = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={}/index.html">\n'

Words = Iterable[tuple[str, str]]  # a term and what it means


def build(into: Path, words: Mapping[str, Words], first: str = "en") -> list[str]:
    """Write the site in both languages into a folder; returns what Sphinx complains of.

    `words` are the glossaries by language, `first` is the language of the front page. Raises `UsageError` without
    Sphinx, and if the folder has anything in it.
    """
    if not all(map(find_spec, ("sphinx", "myst_parser", "furo"))):
        raise UsageError('the site is made by Sphinx: run `pip install "minichain[site]"`')
    if into.exists() and any(into.iterdir()):
        raise UsageError(f"{into} is not empty: name another folder for the site")
    complaints = []
    for language in LOCALES:
        with TemporaryDirectory(prefix="minichain-site-") as folder:
            for name, text in pages(language, words[language]).items():
                (Path(folder) / f"{name}.md").write_text(text, "utf-8")
            complaints += _sphinx(Path(folder), into / language, language)
        prints = into / language / "print"
        prints.mkdir()
        (prints / "exercises.html").write_bytes(papers.exercises(material.syllabus().modules, language))
    (into / "index.html").write_text(FRONT.format(first), "utf-8")
    return complaints


def _sphinx(source: Path, into: Path, language: str) -> list[str]:
    from sphinx.application import Sphinx  # noqa: PLC0415 - an optional part
    from sphinx.util.docutils import docutils_namespace, patch_docutils  # noqa: PLC0415

    there, name = OTHER[language]
    title = phrases()["course"](language)
    settings: dict[str, Any] = {
        "project": title,
        "html_title": title,
        "release": minichain.__version__,
        "language": LOCALES[language],
        "extensions": ["myst_parser", "minichain.course.sitesearch"],
        "html_theme": "furo",
        "html_theme_options": {"announcement": f'<a href="../{there}/index.html" lang="{there}">{name}</a>'},
        "html_copy_source": False,
        "html_show_sphinx": False,
        "html_show_copyright": False,
        "html_search_language": language,
        "suppress_warnings": ["myst.xref_missing", "myst.header", "misc.highlighting_failure"],
    }
    complaints = StringIO()
    with patch_docutils(), docutils_namespace():
        made = Sphinx(source, None, into, source / ".doctrees", "html", settings, status=None, warning=complaints)
        made.connect("html-page-context", _speaks(language))
        made.build()
    return complaints.getvalue().splitlines()


def _speaks(language: str) -> Callable[..., None]:
    """Say the words of the theme that it has in English only."""
    keys = ("next", "previous", "back_to_top", "on_this_page", "made_with")
    own = {phrases()[key]("en"): phrases()[key](language) for key in keys}

    def speak(_app: Any, _page: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
        from sphinx.locale import _ as usual  # noqa: PLC0415 - an optional part

        context["_"] = context["gettext"] = lambda text: own.get(text) or usual(text)

    return speak


# --- pages -------------------------------------------------------------------------------------------------------


def pages(language: str, words: Words) -> dict[str, str]:
    """Return all pages of a language as Markdown, by name."""
    modules, say = material.syllabus().modules, phrases()
    lessons = {name: lesson(name, language) for name in editions.names(editions.masters())}
    found = {module.id: _module(module, language, lessons) for module in modules}
    for module in modules:
        found |= dict(_cards(module, language))
    found["agendas"] = papers.agendas_text(language)
    found["beliefs"] = "\n\n".join((f"# {say['beliefs_page'](language)}", *_beliefs(language)))
    found["casebook"] = "\n\n".join((f"# {say['casebook'](language)}", *_casebook(language)))
    found["glossary"] = f"# {say['glossary'](language)}\n\n" + "\n".join(f"- **{term}**: {tip}" for term, tip in words)
    outside = [name for name in lessons if not any(name in module.notebooks for module in modules)]
    listed = [*(module.id for module in modules), *outside, "casebook", "agendas", "beliefs", "glossary"]
    front = f"# {say['course'](language)}\n\n{say['site'](language)}\n\n{_list(listed)}"
    return {**found, **lessons, "index": front}


def _list(names: Iterable[str]) -> str:
    return "\n".join(("```{toctree}", ":maxdepth: 1", "", *names, "```"))


def _module(module: Module, language: str, lessons: Mapping[str, str]) -> str:
    say = phrases()
    minutes = say["minutes"](language, minutes=module.minutes)
    parts = [f"# {module.label} {module.title(language)}", minutes, say["objectives"](language)]
    parts.append("\n".join(f"- {one.text(language)}" for one in module.objectives))
    if module.keypoints:
        parts += [f"## {say['keypoints'](language)}", "\n".join(f"- {one(language)}" for one in module.keypoints)]
    if module.reflection:
        parts += [f"## {say['reflection'](language)}", module.reflection(language)]
    if module.reading:
        parts += [f"## {say['reading'](language)}", "\n".join(f"- {one}" for one in module.reading)]
    below = [*(name for name in module.notebooks if name in lessons), *dict(_cards(module, language))]
    return "\n\n".join((*parts, *([_list(below)] if below else [])))


def _cards(module: Module, language: str) -> Iterator[tuple[str, str]]:
    for kind in CARDS:
        path = material.curriculum() / module.id / f"{kind}.{language}.md"
        if path.exists():
            yield f"{module.id}-{kind}", path.read_text("utf-8")


def _beliefs(language: str) -> Iterator[str]:
    for one in material.misconceptions().values():
        yield f"## {one.id} {one.belief(language)}\n\n{one.so(language)}\n\n*{one.demonstration(language)}*"


def _casebook(language: str) -> Iterator[str]:
    """Yield the cards without their lies: to find them is an exercise."""
    for card in casebook.cards().values():
        title, *lines = card.text(language).splitlines()
        yield "\n\n".join((f"## {title}", *lines, "\n".join(f"- {one(language)}" for one in card.safeguards)))


def lesson(name: str, language: str) -> str:
    """Return a lesson, as learners get it, as one page of Markdown."""
    folder = editions.masters()
    master = marks.learners(editions.read_master(folder, name))
    told = editions.edition(master, editions.read_words(folder, name, language))
    return "\n\n".join(map(_cell, told["cells"]))


def _cell(cell: marks.Notebook) -> str:
    text = marks.text_of(cell)
    if cell["cell_type"] != "code":
        return text
    fence = "`" * (3 if "```" not in text else 5)
    return f"{fence}{'text' if text.startswith('%') else 'python'}\n{text}\n{fence}"


# --- serving -----------------------------------------------------------------------------------------------------


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *said: object) -> None:
        """Say nothing of each page that is read."""


def server(folder: Path, port: int = 0) -> ThreadingHTTPServer:
    """Return a server of a folder, for this computer only; port 0 takes a free one."""
    return ThreadingHTTPServer((HOST, port), partial(_Quiet, directory=str(folder)))
