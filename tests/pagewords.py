"""What a dashboard may show, read from the programs and data that it is made of, and what a paper quotes of it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from minichain.catalogue import po_file, read_po

ROOT = Path(__file__).resolve().parents[1]
SPAN = re.compile(r"\*\*(.+?)\*\*|\*(.+?)\*|“(.+?)”", re.S)
SAID = re.compile(r"(?<!\*)\*[^*]+[?？]\*(?!\*)")  # what people say aloud before they look
NUMBER = re.compile(r"\d+( ?%)?")


def quoted(text: str) -> set[str]:
    """Return what a paper quotes: in bold, in italics, or between quotation marks; not what people say, nor figures."""
    found = ("".join(one) for one in SPAN.findall(SAID.sub("", text)))
    return {bare(one) for one in found if not NUMBER.fullmatch(one)}


def bare(text: str) -> str:
    """Return a text as it is compared: without the sign at its end, and whether it begins a sentence or not."""
    text = " ".join(text.split()).rstrip(".:。：")
    return text[:1].lower() + text[1:]


@cache
def titles() -> dict[str, str]:
    """Return the English titles of the dashboards."""
    return {path.stem: _read(path)["metadata"]["minichain"]["title"] for path in (ROOT / "apps").glob("*.ipynb")}


def title_of(app: str, language: str) -> str:
    return titles()[app] if language == "en" else _chinese()[titles()[app]]


@cache
def said_in_chinese() -> dict[str, set[str]]:
    """Return what each English text of the dashboards is in Chinese, both as they are compared."""
    pairs: dict[str, set[str]] = {}
    for english, chinese in _chinese().items():
        pairs.setdefault(bare(english), set()).add(bare(chinese))
    return pairs


@cache
def on_the_page(app: str, language: str) -> frozenset[str]:
    """Return all texts that a dashboard may show, without the signs at their ends."""
    cells = _read(ROOT / "apps" / f"{app}.ipynb")["cells"]
    source = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    todo = list(_imported(ast.walk(ast.parse(source))))
    texts, seen = {titles()[app]}, set[Path]()
    while todo:
        if (path := todo.pop()) not in seen:
            seen.add(path)
            told, further = _module(path)
            texts |= told
            todo += further
    if language == "zh":
        texts |= {_chinese()[text] for text in texts if text in _chinese()}
    return frozenset(map(bare, texts))


@cache
def _module(path: Path) -> tuple[frozenset[str], tuple[Path, ...]]:
    """Return the texts of a module and of the data beside it, and what it imports."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    texts = {one.value for one in nodes if isinstance(one, ast.Constant)}
    data = path.parent.glob("*.toml") if "scenarios" in path.parts else ()
    told = {text for one in data for text in re.findall(r'"([^"\n]+)"', one.read_text("utf-8"))}
    return frozenset({text for text in texts if isinstance(text, str)} | told), tuple(_imported(nodes))


def _imported(nodes: Iterable[ast.AST]) -> Iterator[Path]:
    """Yield the modules of pages and cases that a program imports."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and re.match(r"minichain\.(views|scenarios)\b", str(node.module)):
            for name in (node.module, *(f"{node.module}.{one.name}" for one in node.names)):
                place = ROOT / str(name).replace(".", "/")
                yield from (one for one in (place.with_suffix(".py"), place / "__init__.py") if one.is_file())


@cache
def _chinese() -> dict[str, str]:
    return read_po(po_file(ROOT / "minichain/views/locale", "zh", "minichain").read_text("utf-8"))


@cache
def _read(path: Path) -> dict[str, object]:
    return dict(json.loads(path.read_text("utf-8")))
