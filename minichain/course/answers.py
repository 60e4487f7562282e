"""An answer, written down and read again: data as JSON, a function or a class as source text that stands by itself.

What a function needs of its notebook (imports, helpers, values) is written before it, so that somebody else can judge
it elsewhere. Reading a text runs nothing; `made` does, and only the judge's own process may call it.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import json
import linecache
import sys
from collections.abc import Iterator
from textwrap import dedent
from types import ModuleType
from typing import Any, Final

from minichain.course.attempts import LARGEST
from minichain.errors import UsageError

MODULE: Final = "minichain_answer"  # in which an answer is made again


def written(answer: Any) -> str:
    """Write an answer down. Sets become sorted lists, so the same answer is always the same text.

    Raises `UsageError` for what is neither data nor a function.
    """
    if inspect.isfunction(answer) or inspect.isclass(answer):
        text = "\n\n".join(_sources(answer, set()))
    else:
        text = json.dumps(_plain(answer), ensure_ascii=False, sort_keys=True)
    if len(text.encode()) > LARGEST // 2:
        raise UsageError(f"an answer has at most {LARGEST // 2} bytes, this one has {len(text.encode())}")
    return text


def is_source(text: str) -> bool:
    """Tell whether a written answer is source text; data never begin as code does."""
    try:
        json.loads(text)
    except ValueError:
        return True
    except RecursionError:  # no code begins like this; whoever reads it says that it cannot be read
        return False
    return False


# --- source ------------------------------------------------------------------------------------------------------


def _sources(answer: Any, seen: set[str]) -> Iterator[str]:
    """Yield what has to stand before a function or a class, and then itself."""
    try:
        own = dedent(inspect.getsource(answer))
    except (OSError, TypeError):
        raise UsageError("the source of this function is not known: write it in a cell of the notebook") from None
    around = vars(sys.modules[answer.__module__]) if answer.__module__ in sys.modules else {}
    seen.add(answer.__name__)
    for name in _names(own):
        if name in around and name not in seen and not hasattr(builtins, name):
            seen.add(name)
            yield from _needed(name, around[name], answer.__module__, seen)
    yield own.rstrip()


def _names(source: str) -> list[str]:
    """Return the names that a source uses, as they come."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a lambda in the middle of a line
        return []
    return list(dict.fromkeys(node.id for node in ast.walk(tree) if isinstance(node, ast.Name)))


def _needed(name: str, value: Any, home: str, seen: set[str]) -> Iterator[str]:
    """Yield what makes a name known: an import, the source of a helper, or a value."""
    if isinstance(value, ModuleType):
        yield f"import {value.__name__} as {name}" if value.__name__ != name else f"import {name}"
    elif getattr(value, "__module__", None) == home and (inspect.isfunction(value) or inspect.isclass(value)):
        yield from _sources(value, seen)
        if value.__name__ != name:
            yield f"{name} = {value.__name__}"
    elif origin := _origin(value) or _seen_in(name, value, home):
        module, own = origin
        yield f"from {module} import {own}" + (f" as {name}" if own != name else "")
    elif _is_literal(value):
        yield f"{name} = {value!r}"


def _origin(value: Any) -> tuple[str, str] | None:
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if module in sys.modules and module != "__main__" and name and getattr(sys.modules[module], name, None) is value:
        return module, name
    return None


def _seen_in(name: str, value: Any, home: str) -> tuple[str, str] | None:
    """Find a module that has a value which does not say where it is from, under this name."""
    if _is_literal(value):
        return None
    others = sorted(sys.modules, key=lambda module: (not module.startswith("minichain."), module.count("."), module))
    for module in others:
        if module not in (home, "__main__") and getattr(sys.modules[module], "__dict__", {}).get(name) is value:
            return module, name
    return None


def _is_literal(value: Any) -> bool:
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False


def made(text: str) -> Any:
    """Run a source text, and return what it defines last. It is a stranger's: never where anything could be lost."""
    name = next(
        node.name
        for node in reversed(ast.parse(text).body)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    )
    module = ModuleType(MODULE)
    module.__file__ = f"<{MODULE}>"
    linecache.cache[module.__file__] = (len(text), None, text.splitlines(keepends=True), module.__file__)
    sys.modules[MODULE] = module  # so that its own source can be found
    exec(compile(text, module.__file__, "exec"), vars(module))
    return vars(module)[name]


# --- data --------------------------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    """Return what JSON can say of a value; numbers as keys stay numbers, for they are read again."""
    match value:
        case bool() | int() | float() | str() | None:
            return value
        case bytes():
            return {"!bytes": value.hex()}
        case dict():
            return {"!pairs": [[_plain(key), _plain(one)] for key, one in value.items()]}
        case set() | frozenset():
            return {"!set": sorted((_plain(one) for one in value), key=json.dumps)}
        case tuple():
            return {"!tuple": [_plain(one) for one in value]}
        case list():
            return [_plain(one) for one in value]
    raise UsageError(
        f"an answer is made of numbers, texts, lists, sets and dictionaries, not of {type(value).__name__}"
    )


def read_data(text: str) -> Any:
    """Read data that were written down."""
    return json.loads(text, object_hook=_from_plain)


def _from_plain(found: dict[str, Any]) -> Any:
    if "!bytes" in found:
        return bytes.fromhex(found["!bytes"])
    if "!set" in found:
        return set(found["!set"])
    if "!tuple" in found:
        return tuple(found["!tuple"])
    return dict(found["!pairs"])
