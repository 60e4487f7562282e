"""Read a contract: source text in; violations, its interface, or its compiled form out. Nothing of it is run.

Any text gives an answer, however hostile. The syntax tree is bounded before anything walks it recursively, and every
rule is decided by the tables of `language`. What passes here compiles: RestrictedPython is asked last.
"""

from __future__ import annotations

import ast
import warnings
from typing import Any

from minichain.contracts.abi import Abi, describe_method, mark_of, parameters_of, sentences_of
from minichain.contracts.meter import Compiled, Rewriter, compile_metered
from minichain.contracts.mixing import setup_of, with_setups
from minichain.contracts.programs import remembered
from minichain.contracts.rules import Rules
from minichain.contracts.source import (
    PARSER_ERRORS,
    Violation,
    decoded,
    language_error,
    parse,
    refuse,
    syntax_error,
)
from minichain.contracts.types import LEDGER_TYPES, Parameter
from minichain.errors import LanguageError


class Program:
    """A contract that was read and found good."""

    __slots__ = ("abi", "actions", "compiled", "constants", "fields", "interfaces", "types", "views")

    def __init__(self, abi: Abi, compiled: Compiled, constants: dict[str, Any]) -> None:
        self.abi = abi
        self.compiled = compiled
        self.constants = constants
        self.actions = {method.name: method.parameters for method in abi.actions}
        self.views = {method.name: method.parameters for method in abi.views}
        self.fields = {field.name: field for field in abi.fields}
        self.types = {type_.name: type_ for type_ in abi.types}
        self.interfaces = {interface.name: interface for interface in abi.interfaces}

    def parameters(self, method: str) -> tuple[Parameter, ...]:
        """Return the parameters of an action, a view, the setup or the migration."""
        once = {"setup": self.abi.setup, "migrate": self.abi.migrate}
        return self.actions.get(method) or self.views.get(method) or once.get(method, ())


def check(source: str | bytes) -> list[Violation]:
    """List every violation of the contract language, in the order of the lines; an empty list means good."""
    try:
        read_contract(source)
    except LanguageError as error:
        return sorted(error.violations, key=lambda violation: (violation.line, violation.column, violation.code))
    return []


def describe(source: str | bytes) -> Abi:
    """Read the interface of a contract; raises `LanguageError` where it is not in the language."""
    return read_contract(source).abi


@remembered
def read_contract(source: str | bytes, rewriter: type[Rewriter] = Rewriter) -> Program:
    """Check and compile a contract; raises `LanguageError`, which carries the violations.

    That is done once for all nodes of a process: a program never changes. A `Sandbox` may compile with more than gas.
    """
    text = decoded(source)
    # Python must not print, or turn into errors, what it thinks of a contract's style: nodes would differ.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _read(text, rewriter)
        except (MemoryError, RecursionError):
            raise refuse("MC004") from None


def _read(text: str, rewriter: type[Rewriter]) -> Program:
    tree = parse(text)
    rules = Rules(text)
    rules.module(tree)
    if rules.found:
        raise language_error(rules.found)
    abi = _abi(rules)
    return Program(abi, _compile(rules, rewriter), rules.constants)


def _abi(rules: Rules) -> Abi:
    """Describe the contract; only after no violation was found."""
    assert rules.contract is not None
    setup, migrate = rules.methods.get("setup"), rules.methods.get("migrate")
    parts = {name: rules.part_of.get(f"self.{name}", "") for name in rules.methods}
    own_first = sorted(rules.methods, key=lambda name: parts[name] != "")
    marks = {name: mark_of(rules.methods[name]) for name in own_first}
    methods = [
        (marks[name], describe_method(rules.methods[name], rules.types, parts[name]))
        for name in own_first
        if marks[name]
    ]
    return Abi(
        name=rules.contract.name,
        doc=ast.get_docstring(rules.contract) or "",
        setup=parameters_of(setup, rules.types) if setup else (),
        actions=tuple(method for mark, method in methods if mark == "action"),
        views=tuple(method for mark, method in methods if mark == "view"),
        fields=tuple(rules.fields.values()),
        events=tuple(rules.events),
        sentences=sentences_of(rules.contract),
        types=tuple(type_ for name, type_ in rules.types.items() if name not in LEDGER_TYPES),
        interfaces=tuple(rules.interfaces.values()),
        parts=rules.parts,
        migrate=parameters_of(migrate, rules.types) if migrate else (),
    )


def _compile(rules: Rules, rewriter: type[Rewriter]) -> Compiled:
    assert rules.contract is not None
    setups = [setup_of(part) for part in rules.parts if setup_of(part) in rules.methods]
    if setups:
        rules.methods["setup"] = with_setups(rules.methods.get("setup"), setups, rules.contract)
    methods = {name: (node, mark_of(node) == "view") for name, node in rules.methods.items()}
    records = [name for name, type_ in rules.types.items() if type_.fields]
    try:
        return compile_metered(methods, rules.helpers, records, rules.interfaces, rewriter)
    except PARSER_ERRORS as error:
        if getattr(error, "lineno", None) is None:  # RestrictedPython's own words
            raise refuse("MC900", construct=str(error)[:200]) from None
        raise syntax_error(error) from None
