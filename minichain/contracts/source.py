"""Source text in; a syntax tree of bounded size and depth, or a `LanguageError`, out.

Any text gets an answer, however hostile: it is bounded before it is parsed, and the tree is bounded before anything
walks it recursively. What a reader cannot see, or Pythons read differently, is refused here.
"""

from __future__ import annotations

import ast
import re
from typing import Final

from minichain.codec import Record
from minichain.contracts.language import MAX_NESTING, MAX_NODES, MAX_SOURCE_BYTES, RULES
from minichain.contracts.meter import FILENAME
from minichain.errors import LanguageError

PARTS_FROM: Final = 1_000_000  # lines from here on are those of `parts`; no source has so many
RULEBOOK_FROM: Final = 2 * PARTS_FROM  # and from here on, those of `rulebook`
PARSER_ERRORS: Final = (SyntaxError, ValueError, OverflowError)

# Control characters, lone carriage returns, hidden direction and separators: a reader would not see what runs.
_UNREADABLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\r(?!\n)"
)
_NAMED_CHARACTER: Final = re.compile(r"\\N\{[^}\n]*")
# A string (an f-string by its prefix `f`), a comment, a bracket, or anything else that is not ASCII. A string
# without an end is taken to the end of the line or text, so that the search stays linear; the parser will refuse it.
_TOKEN: Final = re.compile(
    r"""(?P<f>[rR]?[fF][rR]?)?
        (?: \"{3}(?:\\.|[^\\])*?(?:\"{3}|\\?\Z) | '{3}(?:\\.|[^\\])*?(?:'{3}|\\?\Z)
          | \"(?:\\.|[^\\"\n])*(?:\"|(?=\n)|\\?\Z) | '(?:\\.|[^\\'\n])*(?:'|(?=\n)|\\?\Z) )
      | \#[^\n]* | [()\[\]{}] | [^\x00-\x7f]""",
    re.DOTALL | re.VERBOSE,
)
_PART_OF_F_STRING: Final = re.compile(r"\{\{|\{[^{}]*\}")


class Violation(Record):
    """One place where a source leaves the contract language. Lines and columns count from 1."""

    line: int
    column: int
    code: str
    construct: str
    explanation: str
    suggestion: str

    def __str__(self) -> str:
        where = f"line {self.line}, column {self.column}"
        return f"{where}: {self.construct}: {self.explanation} [{self.code}]. Instead: {self.suggestion}"


def place_of(line: int) -> str:
    """Name a line of the code that runs: of the contract, or of a part that it is made of."""
    text, own = text_of(line)
    return f"line {own} of the {text}" if text else f"line {own}"


def text_of(line: int) -> tuple[str, int]:
    """Tell which text a line of the code that runs is of, "" for the contract, and its number there."""
    if line >= RULEBOOK_FROM:
        return "rulebook", line - RULEBOOK_FROM
    return ("parts", line - PARTS_FROM) if line >= PARTS_FROM else ("", line)


def language_error(violations: list[Violation]) -> LanguageError:
    """Make the error that carries these violations."""
    more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
    return LanguageError(f"not in the contract language: {violations[0]}{more}", tuple(violations))


def refuse(code: str, line: int = 1, column: int = 1, construct: str = "the source") -> LanguageError:
    """Make the error of one violation."""
    rule = RULES[code]
    return language_error([Violation(line, column, code, construct, rule.explanation, rule.suggestion)])


def decoded(source: str | bytes) -> str:
    """Return the text of a source that is neither too long nor other than it looks."""
    if len(source) > MAX_SOURCE_BYTES:
        raise refuse("MC002")
    try:
        raw = source.encode() if isinstance(source, str) else source
        text = raw.decode()
    except UnicodeError:
        raise refuse("MC003") from None
    if len(raw) > MAX_SOURCE_BYTES:
        raise refuse("MC002")
    if bad := _UNREADABLE.search(text):
        raise refuse("MC003", *_position(text, bad.start()), f"character U+{ord(bad.group()[0]):04X}")
    if bad := _NAMED_CHARACTER.search(text):
        raise refuse("MC005", *_position(text, bad.start()), bad.group()[:40])
    _require_plain_code(text)
    return text


def _position(text: str, index: int) -> tuple[int, int]:
    before = text[:index]
    return before.count("\n") + 1, index - before.rfind("\n")


def _require_plain_code(text: str) -> None:
    """Judge what leaves no trace in the tree: nested brackets, and names that the parser turns into other names."""
    depth = 0
    for found in _TOKEN.finditer(text):
        token, start = found.group(), found.start()
        depth += (token in ("(", "[", "{")) - (token in (")", "]", "}"))
        code, inside = token if len(token) == 1 else "", 0
        if found["f"]:
            code, inside = "".join(_PART_OF_F_STRING.findall(token)), sum(map(token.count, "([{"))
        if not code.isascii():
            raise refuse("MC208", *_position(text, start), token[:40])
        if depth + inside > MAX_NESTING:
            raise refuse("MC004", *_position(text, start))


def parse(text: str) -> ast.Module:
    """Return the syntax tree, within MAX_NODES and MAX_NESTING."""
    try:
        tree = ast.parse(text, FILENAME)
    except PARSER_ERRORS as error:
        raise syntax_error(error) from None
    _require_small(tree)
    return tree


def syntax_error(error: Exception) -> LanguageError:
    """Put an error of Python's parser or compiler into our form."""
    line, column = getattr(error, "lineno", None) or 1, getattr(error, "offset", None) or 1
    words = str(getattr(error, "msg", error))
    return refuse("MC001", line, max(column, 1), words)


def _require_small(tree: ast.Module) -> None:
    """Bound the size and depth of the tree without recursion, so that everything after may recurse."""
    level: list[ast.AST] = [tree]
    count = 0
    for _ in range(MAX_NESTING):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        count += len(level)
        if count > MAX_NODES:
            raise refuse("MC002")
        if not level:
            return
    raise refuse("MC004", next((node.lineno for node in level if hasattr(node, "lineno")), 1))
