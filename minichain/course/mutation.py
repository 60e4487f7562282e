"""Answers that are slightly wrong: what a check must not accept. Each differs from a right one in one place.

A function, or the text of a contract, is changed in its syntax tree (after DeMillo, Lipton and Sayward, "Hints on Test
Data Selection", 1978: the operators of mutation are small slips of a programmer); data are changed in as many entries
as an exercise forgives.
"""

from __future__ import annotations

import ast
import copy
import inspect
import random
from collections.abc import Callable, Iterator, Sequence
from textwrap import dedent
from typing import Any, Final

COMPARE: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
}

TURNS: Final = 1_200_000  # of all loops of a mutant together
NOTHING: Final = ("return", "return None")
TICK: Final = "_tick_"


def mutants(answer: Any, *, forgiven: int = 0, seed: int = 0) -> Iterator[Any]:
    """Yield answers that differ from a right one; data in one entry more than the exercise forgives."""
    if inspect.isfunction(answer) or inspect.isclass(answer):
        yield from _functions(answer)
    elif isinstance(answer, str) and "\nclass " in answer:
        yield from map(ast.unparse, _slips(_without_words(ast.parse(answer))))
    else:
        yield from _data(answer, forgiven + 1, random.Random(seed))


# --- functions ---------------------------------------------------------------------------------------------------


def _functions(answer: Callable[..., Any]) -> Iterator[Any]:
    for changed in _slips(_without_words(ast.parse(dedent(inspect.getsource(answer))))):
        yield _made(changed, answer)


def _slips(tree: ast.Module) -> Iterator[ast.Module]:
    """Yield a program with one slip in it, for each slip that can be made."""
    for place, node in enumerate(ast.walk(tree)):
        for change in _changes(node):
            changed = copy.deepcopy(tree)
            change(next(node for at, node in enumerate(ast.walk(changed)) if at == place))
            yield ast.fix_missing_locations(changed)


def _without_words(tree: ast.Module) -> ast.Module:
    """Drop docstrings: a slip in them changes nothing."""
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            node.body = [line for line in body if not _is_words(line)] or [ast.Pass()]  # type: ignore[attr-defined]
    return tree


def _is_words(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)


def _made(tree: ast.Module, answer: Callable[..., Any]) -> Any:
    source = ast.unparse(ast.fix_missing_locations(tree))
    names = {**vars(inspect.getmodule(answer)), TICK: _ticker()}
    exec(compile(_ticking(tree), "<mutant>", "exec", dont_inherit=True), names)
    made = names[answer.__name__]
    made.mutant = source
    return made


def _ticker() -> Callable[[], None]:
    left = iter(range(TURNS))

    def tick() -> None:
        if next(left, None) is None:
            raise TimeoutError("this loop has no end")

    return tick


def _ticking(tree: ast.Module) -> ast.Module:
    """Return a tree whose loops count their turns: a slip can make one endless."""
    for node in ast.walk(tree):
        if isinstance(node, ast.While | ast.For):
            node.body.insert(0, ast.parse(f"{TICK}()").body[0])
    return ast.fix_missing_locations(tree)


def _changes(node: ast.AST) -> Iterator[Callable[[Any], None]]:
    """Yield what a slip makes of a node."""
    match node:
        case ast.Compare():
            yield lambda found: found.ops.__setitem__(0, COMPARE[type(found.ops[0])]())
        case ast.BinOp() if type(node.op) in ARITHMETIC:
            yield lambda found: setattr(found, "op", ARITHMETIC[type(found.op)]())
        case ast.BoolOp():
            yield lambda found: setattr(found, "op", ast.And() if isinstance(found.op, ast.Or) else ast.Or())
            yield lambda found: found.values.__setitem__(-1, found.values[0])
        case ast.Constant() if isinstance(node.value, bool):
            yield lambda found: setattr(found, "value", not found.value)
        case ast.Constant() if isinstance(node.value, int):
            yield lambda found: setattr(found, "value", found.value + 1)
            yield lambda found: setattr(found, "value", found.value - 1)
        case ast.Constant() if isinstance(node.value, str | bytes):
            yield lambda found: setattr(found, "value", found.value[:-1] if found.value else _sign(found.value))
        case ast.If():
            yield lambda found: setattr(found, "test", ast.UnaryOp(ast.Not(), found.test))
        case ast.Return() if ast.unparse(node) not in NOTHING:
            yield lambda found: setattr(found, "value", ast.Constant(None))
        case ast.Call() if len(node.args) > 1 and not any(isinstance(arg, ast.Starred) for arg in node.args):
            yield lambda found: found.args.reverse()
    yield from _without_a_line(node)


def _sign(text: str | bytes) -> str | bytes:
    return "-" if isinstance(text, str) else b"-"


def _without_a_line(node: ast.AST) -> Iterator[Callable[[Any], None]]:
    body = getattr(node, "body", None)
    if not isinstance(body, list) or isinstance(node, ast.Module):
        return
    for place, line in enumerate(body):
        if not isinstance(line, ast.Pass) and ast.unparse(line) not in NOTHING:
            yield lambda found, place=place: found.body.__setitem__(place, ast.Pass())  # type: ignore[misc]


# --- data --------------------------------------------------------------------------------------------------------

TRIES: Final = 24  # answers that are drawn where a right one has so many places that not all can be tried


def _data(answer: Any, count: int, draw: random.Random) -> Iterator[Any]:
    """Yield data with `count` places changed; all places in turn where one is enough."""
    places = list(_places(answer))
    groups = [[place] for place in places] if count == 1 else [draw.sample(places, count) for _ in range(TRIES)]
    rounds = max(1, -(-TRIES // (2 * len(groups)))) if groups else 0
    for chosen in groups * rounds:
        changed = answer
        for place in chosen:
            changed = _changed(changed, place, answer, draw)
        if changed != answer:
            yield changed


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    match value:
        case dict():
            for key, one in value.items():
                yield from _places(one, (*path, key))
        case list() | tuple() if value:
            for place, one in enumerate(value):
                yield from _places(one, (*path, place))
        case _:
            yield path


def _changed(value: Any, path: Sequence[Any], whole: Any, draw: random.Random) -> Any:
    if not path:
        return _other(value, whole, draw)
    match value:
        case dict():
            return {**value, path[0]: _changed(value[path[0]], path[1:], whole, draw)}
        case tuple():
            return tuple(_changed(list(value), path, whole, draw))
        case _:
            return [*value[: path[0]], _changed(value[path[0]], path[1:], whole, draw), *value[path[0] + 1 :]]


def _other(value: Any, whole: Any, draw: random.Random) -> Any:
    """Return another value of the same kind: one that stands elsewhere in the answer, or one beside it."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + draw.choice((-2, -1, 1, 2)) if value else 1
        case bytes():
            return value[:-1] + bytes([value[-1] ^ 1]) if value else b"\0"
        case set() | frozenset():
            one = draw.choice(sorted(value, key=repr)) if value else 0
            return (value - {one}) if draw.random() < 0.5 and value else value | {_other(one, whole, draw)}
        case str():
            others = sorted({found for found in _texts(whole) if found != value})
            return draw.choice(others) if others else f"{value}-"
    return None


def _texts(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for one in value.values():
                yield from _texts(one)
        case list() | tuple() | set() | frozenset():
            for one in value:
                yield from _texts(one)
        case str():
            yield value
