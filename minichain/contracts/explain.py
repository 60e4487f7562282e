"""The interface of a contract in words, for people who decide about it and for programs that show it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minichain.contracts.abi import Abi, Field, Method
from minichain.contracts.decimals import out_of_units
from minichain.contracts.types import Parameter, Type


def outline(abi: Abi) -> dict[str, Any]:
    """Describe an interface as names and text."""
    return {
        "name": abi.name,
        "sentences": abi.sentences,
        "parts": list(abi.parts),
        "setup": _parameters(abi.setup),
        "types": {type_.name: _content(type_) for type_ in abi.types},
        "interfaces": {
            one.name: [_signature(method) for method in (*one.actions, *one.views)] for one in abi.interfaces
        },
        "actions": [_method(method) for method in abi.actions],
        "views": [_method(method) for method in abi.views],
        "fields": {field.name: _stored(field) for field in abi.fields},
        "events": list(abi.events),
    }


def explain(abi: Abi) -> Iterator[str]:
    """Yield the lines of an interface, as a person reads them."""
    told = outline(abi)
    yield f"{abi.name}{': ' if abi.sentences else ''}{' / '.join(abi.sentences.values())}"
    yield from _headed("is set up with", [told["setup"]] if abi.setup else [])
    yield from _headed("has types", [f"{name}: {content}" for name, content in told["types"].items()])
    yield from _headed("calls", [f"{name}.{one}" for name, all_ in told["interfaces"].items() for one in all_])
    for word in ("actions", "views"):
        yield from _headed(word, [line for method in told[word] for line in _lines(method)])
    yield from _headed("keeps", [f"{name}: {content}" for name, content in told["fields"].items()])
    yield from _headed("announces", [", ".join(abi.events)] if abi.events else [])


def _headed(head: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield head
    yield from (f"  {line}" for line in lines)


def _lines(method: dict[str, Any]) -> Iterator[str]:
    yield method["signature"] + (f"   [from {method['part']}]" if method["part"] else "")
    yield from (f"    {sentence}" for sentence in method["sentences"].values())


def _method(method: Method) -> dict[str, Any]:
    return {
        "name": method.name,
        "signature": _signature(method),
        "sentences": method.sentences,
        "part": method.part,
    }


def _signature(method: Method) -> str:
    result = f" -> {method.returns}" if method.returns not in ("", "None") else ""
    return f"{method.name}({_parameters(method.parameters)}){result}"


def _parameters(parameters: tuple[Parameter, ...]) -> str:
    return ", ".join(map(_parameter, parameters))


def _parameter(parameter: Parameter) -> str:
    default = "" if parameter.required else f" = {_shown(parameter.default, parameter.type)}"
    return f"{parameter.name}: {parameter.type}{default}"


def _shown(value: Any, type_: Type) -> str:
    """Write a default as the source does, but an amount as people count it."""
    return str(out_of_units(value, type_)) if type_.scale else repr(value)


def _content(type_: Type) -> str:
    if type_.scale:
        return f"an amount with {type_.scale} digits after the point"
    return f"a record of {_parameters(type_.fields)}"


def _stored(field: Field) -> str:
    key = f"({', '.join(field.keys)})" if len(field.keys) > 1 else "".join(field.keys)
    kind = f"{field.type} by {key}" if key else str(field.type)
    return kind + (f"   [from {field.part}]" if field.part else "")
