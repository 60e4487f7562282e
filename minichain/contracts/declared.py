"""What a module declares: constants, types, interfaces, parts, and the fields and methods of the contract.

Declarations are read in the order of the source, so that each may use those above it. What a function does is judged
by `rules`, when everything is declared.
"""

from __future__ import annotations

import ast
import re
from typing import Any, Final

from minichain.codec import check_value, encode
from minichain.contracts import mixing
from minichain.contracts.abi import Field, Interface, describe_method, mark_of, sentences_of
from minichain.contracts.constants import (
    PLAIN_CONSTANTS,
    NotConstantError,
    as_tuples,
    constant_of,
    is_plain,
    thaw,
)
from minichain.contracts.decimals import MAX_SCALE
from minichain.contracts.language import (
    API,
    BUILTINS,
    IMPORTS,
    INT_BITS,
    MAX_FIELDS,
    MAX_NAME,
    MAX_PARAMETERS,
    MAX_STORED_BYTES,
    NODES,
    PARTS,
    RULE_OF_NODE,
    RULES,
    SELF,
    SHARED,
    TAKEN_BY_RESTRICTED_PYTHON,
    TYPES,
)
from minichain.contracts.meter import walk
from minichain.contracts.source import Violation
from minichain.contracts.types import LEDGER_TYPES, Parameter, Type, is_annotation, key_types, type_of
from minichain.contracts.types import fits as fits_type
from minichain.errors import DecodeError

MAX_VIOLATIONS: Final = 100  # more than anybody reads; bounds the work on hostile source
MAX_WORDS: Final = 200  # characters of a suggestion that names what there is

NAME: Final = re.compile(rf"[A-Za-z_][A-Za-z0-9_]{{0,{MAX_NAME - 1}}}", re.ASCII)
_TAKEN: Final = frozenset(API) | frozenset(BUILTINS) | frozenset(TYPES) | TAKEN_BY_RESTRICTED_PYTHON | {"self"}


class Declarations:
    """Collects what a module declares, and the violations on the way."""

    def __init__(self, text: str) -> None:
        self.found: list[Violation] = []
        self.constants: dict[str, Any] = {}
        self.types: dict[str, Type] = dict(LEDGER_TYPES)  # by name, with the decimals and records of the module
        self.interfaces: dict[str, Interface] = {}
        self.helpers: dict[str, ast.FunctionDef] = {}
        self.methods: dict[str, ast.FunctionDef] = {}
        self.fields: dict[str, Field] = {}
        self.events: dict[str, None] = {}
        self.contract: ast.ClassDef | None = None
        self.parts: tuple[str, ...] = ()
        self.part_of: dict[str, str] = {}  # of each name that came with a part: the part
        self.imported: set[str] = set()
        self.in_method = False
        self._settings: dict[str, Any] = {}
        self._part = ""  # whose declarations are read now
        self._taken = set(_TAKEN)
        self.lines = text.split("\n")
        self._at: Any = ast.Pass(lineno=1, col_offset=0, end_lineno=1, end_col_offset=0)

    def flag(self, code: str, node: ast.AST | None = None, suggestion: str = "", construct: str = "") -> None:
        if len(self.found) >= MAX_VIOLATIONS:
            return
        place: Any = node if hasattr(node, "lineno") and not self._part else self._at
        row = self.lines[min(place.lineno, len(self.lines)) - 1].encode()
        column = len(row[: place.col_offset].decode(errors="ignore")) + 1
        end = place.end_col_offset if place.end_lineno == place.lineno else None
        snippet = construct or row[place.col_offset : end].decode(errors="ignore")[:40].strip()
        rule = RULES[code]
        self.found.append(
            Violation(place.lineno, column, code, snippet, rule.explanation, suggestion[:MAX_WORDS] or rule.suggestion)
        )

    def name(self, node: ast.AST, name: str) -> bool:
        """Check the spelling of a name that the source gives to something."""
        if not NAME.fullmatch(name):
            self.flag("MC208", node)
        elif name.startswith("_") and name != "_":
            self.flag("MC201", node)
        else:
            return True
        return False

    def define(self, node: ast.AST, name: str) -> None:
        """Give a name of the module to something."""
        if self.name(node, name):
            if name in self._taken:
                self._flag_taken(node, name)
            self._taken.add(name)
            if self._part:
                self.part_of[name] = self._part

    def _flag_taken(self, node: ast.AST, name: str) -> None:
        part = self._part or self.part_of.get(name, "")
        owner = f" of {part}" if part != name else ""
        self.flag("MC315" if part else "MC308", node, construct=f"{name}{owner}" if part else "")

    # the module

    def module(self, tree: ast.Module) -> None:
        for statement in self._after_docstring(tree.body):
            self._module_statement(statement)
        if self.contract is None:
            self.flag("MC301", construct="the module")
        for name, default in self._settings.items():
            self._settle(name, default)

    def _after_docstring(self, body: list[ast.stmt]) -> list[ast.stmt]:
        match body:
            case [ast.Expr(value=ast.Constant(value=str()) as words), *rest]:
                self.constant(words)
                return rest
        return body

    def _module_statement(self, node: ast.stmt) -> None:
        self._at = self._at if self._part else node
        match node:
            case ast.ImportFrom():
                self._import(node)
            case ast.Assign(targets=[ast.Name() as target], value=ast.Call(func=ast.Name(id="Decimal")) as call):
                self._decimal(target, call)
            case ast.Assign(targets=[ast.Name() as target], value=value):
                self._module_constant(target, value)
            case ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value):
                self.annotation(node.annotation)
                self._module_constant(target, value)
            case ast.FunctionDef():
                self.define(node, node.name)
                self.helpers[node.name] = node
            case ast.ClassDef():
                self._class(node)
            case _:
                self.flag("MC302" if type(node) in NODES else self.rule_of(node), node)

    def rule_of(self, node: ast.AST) -> str:
        return RULE_OF_NODE.get(type(node).__name__, "MC100")

    def _import(self, node: ast.ImportFrom) -> None:
        allowed = IMPORTS.get(node.module or "", frozenset())
        for alias in node.names:
            if allowed and alias.name not in allowed:
                self.flag("MC101", node, f"{node.module} has {', '.join(sorted(allowed))}")
            elif node.level or alias.asname or not allowed:
                self.flag("MC101", node)
            elif node.module == SHARED.get(alias.name) and alias.name not in self.imported:
                self._import_part(node, alias.name)
            self.imported.add(alias.name)

    def _module_constant(self, target: ast.Name, value: ast.expr) -> None:
        self.define(target, target.id)
        before = len(self.found)
        self._require_text(value)
        try:
            self.constants[target.id] = constant_of(value, self.constants)
        except NotConstantError as error:
            if len(self.found) == before:
                self.flag("MC403", error.args[0])
            self.constants[target.id] = None  # known, so that its uses are not flagged as well

    def _require_text(self, node: ast.expr) -> None:
        for inner in walk(node):
            if isinstance(inner, ast.Constant):
                self.constant(inner)

    def constant(self, node: ast.Constant) -> None:
        """Check a constant as it is written."""
        value = node.value
        if not isinstance(value, PLAIN_CONSTANTS):
            self.flag("MC115", node)
        elif isinstance(value, int) and value.bit_length() > INT_BITS:
            self.flag("MC401", node)
        elif isinstance(value, str) and not _is_unicode(value):
            self.flag("MC402", node)

    def _class(self, node: ast.ClassDef) -> None:
        if getattr(node, "type_params", None):
            self.flag("MC301", node, construct=f"class {node.name}[...]")
        match node:
            case ast.ClassDef(bases=[ast.Name(id="Record")], keywords=[], decorator_list=[]):
                self._record(node)
            case ast.ClassDef(bases=[ast.Name(id="Interface")], keywords=[], decorator_list=[]):
                self._interface(node)
            case ast.ClassDef(bases=[ast.Name(id="Contract"), *parts], keywords=[], decorator_list=[]) if (
                not self.contract
            ):
                self._contract(node, parts)
            case _:
                self.flag("MC301", node, construct=f"class {node.name}")

    # types and interfaces

    def _decimal(self, target: ast.Name, call: ast.Call) -> None:
        self.define(target, target.id)
        scale = 0
        match call:
            case ast.Call(args=[ast.Constant(value=int() as number)], keywords=[]) if type(number) is int:
                scale = number
        if not 1 <= scale <= MAX_SCALE:
            self.flag("MC312", call)
        self.types[target.id] = Type(target.id, scale=max(1, min(scale, MAX_SCALE)))

    def _record(self, node: ast.ClassDef) -> None:
        fields: dict[str, Parameter] = {}
        for statement in self._after_docstring(node.body):
            match statement:
                case ast.AnnAssign(target=ast.Name(id=name) as target, annotation=annotation, value=value, simple=1):
                    type_ = type_of(annotation, self.types)
                    field = self._with_default(name, type_, value)
                    if not self.name(target, name):
                        continue
                    if field is None or name in fields:
                        self.flag("MC310", statement)
                    else:
                        fields[name] = field
                case _:
                    self.flag("MC310", statement)
        type_ = Type(node.name, fields=tuple(fields.values()))
        if not fields or type_.size > MAX_FIELDS or not _is_storable(type_.zero()):
            self.flag("MC310", node, construct=f"class {node.name}")
            type_ = Type(node.name)
        self.define(node, node.name)
        self.types[node.name] = type_

    def _with_default(self, name: str, type_: Type | None, node: ast.expr | None) -> Parameter | None:
        """Read the default of a field, which may be a list or a dict; None without a type that it has."""
        if type_ is None:
            return None
        if node is None:
            return Parameter(name, type_, required=True)
        self._require_text(node)
        try:
            value = thaw(constant_of(as_tuples(node), self.constants))
        except NotConstantError:
            return None
        if not _is_storable(value) or not fits_type(value, type_):
            return None
        return Parameter(name, type_, required=False, default=value)

    def _interface(self, node: ast.ClassDef) -> None:
        self.define(node, node.name)
        found: dict[str, ast.FunctionDef] = {}
        before = len(self.found)
        for statement in self._after_docstring(node.body):
            match statement:
                case ast.FunctionDef(name=name) if self._is_declaration(statement) and name not in found:
                    found[name] = statement
                case _:
                    self.flag("MC313", statement, construct=f"{node.name}.{getattr(statement, 'name', '...')}")
        if not found:
            self.flag("MC313", node, construct=f"class {node.name}")
        if len(self.found) > before:
            found = {}  # it is known, but its methods cannot all be described
        methods = [(mark_of(one), describe_method(one, self.types)) for one in found.values()]
        actions, views = (tuple(method for own, method in methods if own == mark) for mark in ("action", "view"))
        self.interfaces[node.name] = Interface(node.name, sentences_of(node), actions, views)

    def _is_declaration(self, node: ast.FunctionDef) -> bool:
        self.name(node, node.name)
        self.in_method = True
        self.parameters(node, public=True)
        match node.returns:
            case ast.Constant(value=None):
                has_result = True
            case returns:
                has_result = type_of(returns, self.types) is not None
        is_empty = not self._after_docstring(node.body) and not getattr(node, "type_params", None)
        return bool(mark_of(node)) and has_result and is_empty

    # parts

    def _import_part(self, node: ast.ImportFrom, name: str) -> None:
        if name in PARTS:
            self.define(node, name)
        part = mixing.part(name)
        self._part = name
        for own, statement in part.definitions.items():
            if own not in self.part_of:
                self._module_statement(statement)
        self._part = ""
        self._settings |= {own: constant_of(value, {}) for own, value in part.settings.items()}
        self.part_of |= dict.fromkeys(part.settings, name)

    def _settle(self, name: str, default: Any) -> None:
        """Give a setting of a part its default, unless the contract has given it a value of the same type."""
        if name in self._taken and name not in self.constants:
            self.flag("MC315", self.contract, construct=f"{name} of {self.part_of[name]}")
        value = self.constants.setdefault(name, default)
        is_right = type(value) is type(default)
        if is_right and isinstance(value, tuple):
            is_right = all(isinstance(item, str) for item in value)
        if not is_right:
            self.flag("MC317", self.contract, construct=name, suggestion=f"for example `{name} = {default!r}`")
        self._taken.add(name)

    def _mix_in(self, node: ast.ClassDef, bases: list[ast.expr]) -> None:
        names = [base.id if isinstance(base, ast.Name) else "" for base in bases]
        known = [name for name in names if name in PARTS and name in self.imported]
        if known != names or len(set(names)) < len(names):
            self.flag("MC316", node, construct=f"class {node.name}")
        self.parts = tuple(dict.fromkeys(known))
        for name in self.parts:
            part = mixing.part(name)
            for needed in part.needs:
                if needed not in names:
                    self.flag("MC316", node, f"add {needed}: {name} needs it", f"class {node.name}")
            self._part = name
            for statement in part.members:
                self._contract_statement(statement)
            self._part = ""
            self.events |= dict.fromkeys(part.events)

    # the contract

    def _contract(self, node: ast.ClassDef, bases: list[ast.expr]) -> None:
        self.define(node, node.name)
        self.contract = node
        self._mix_in(node, bases)
        for statement in self._after_docstring(node.body):
            self._at = statement
            self._contract_statement(statement)
        self._require_hooks(node)

    def _require_hooks(self, node: ast.ClassDef) -> None:
        """Ask for the methods that parts leave to the contract; marked, anybody could call them."""
        for part in self.parts:
            for name, hook in mixing.part(part).hooks.items():
                own = self.methods.get(name)
                wanted = [argument.arg for argument in hook.args.args]
                if own is None or own.decorator_list or [argument.arg for argument in own.args.args] != wanted:
                    self.flag("MC318", own or node, f"write `def {name}({', '.join(wanted)})`", f"{name} of {part}")

    def _contract_statement(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Pass():
                pass
            case ast.FunctionDef():
                self._member(statement, statement.name)
                self.methods[statement.name] = statement
            case ast.Assign(targets=[ast.Name() as target], value=value):
                self._field(target, value)
            case ast.ClassDef():
                self.flag("MC108", statement, construct=f"class {statement.name}")
            case _:
                self.flag("MC303" if type(statement) in NODES else self.rule_of(statement), statement)

    def _member(self, node: ast.AST, name: str) -> None:
        if self._part:
            self.part_of[f"self.{name}"] = self._part
        elif self.name(node, name) and (name in self.methods or name in self.fields or name in SELF):
            part = self.part_of.get(f"self.{name}")
            self.flag("MC315" if part else "MC308", node, construct=f"{name} of {part}" if part else "")

    def _field(self, target: ast.Name, value: ast.expr) -> None:
        self._member(target, target.id)
        field = None
        match value:
            case ast.Call(func=ast.Name(id="Value"), args=[kind], keywords=[]):
                field = self._value_field(target.id, kind, None)
            case ast.Call(func=ast.Name(id="Value"), args=[kind, default], keywords=[]):
                field = self._value_field(target.id, kind, default)
            case ast.Call(func=ast.Name(id="Value"), args=[kind], keywords=[ast.keyword(arg="default", value=default)]):
                field = self._value_field(target.id, kind, default)
            case ast.Call(func=ast.Name(id="Map"), args=[key, kind], keywords=[]):
                keys, type_ = key_types(key), type_of(kind, self.types)
                field = Field(target.id, type_, keys, None, self._part) if type_ and keys else None
        if field is None:
            self.flag("MC304", value)
        self.fields[target.id] = field or Field(target.id, Type("int"))

    def _value_field(self, name: str, kind: ast.expr, default: ast.expr | None) -> Field | None:
        found = self._with_default(name, type_of(kind, self.types), default)
        if found is None:
            return None
        return Field(name, found.type, (), found.type.zero() if found.required else found.default, self._part)

    # signatures

    def parameters(self, node: ast.FunctionDef, *, public: bool) -> list[str]:
        """Check the parameters of a function and return their names."""
        args = node.args
        has_others = args.posonlyargs or args.kwonlyargs or args.vararg or args.kwarg
        if has_others or len(args.args) > MAX_PARAMETERS:
            self.flag("MC306", node, construct=f"def {node.name}(...)")
        plain = list(args.args)
        if self.in_method:
            if not plain or plain[0].arg != "self" or len(args.defaults) >= len(plain):
                self.flag("MC306", node, construct=f"def {node.name}(...)")
            plain = plain[1:]
        for argument in plain:
            self.new_local(argument, argument.arg)
            if public and type_of(argument.annotation, self.types) is None:
                self.flag("MC307", argument)
            elif argument.annotation is not None:
                self.annotation(argument.annotation)
        for argument, default in zip(reversed(plain), reversed(args.defaults), strict=False):
            self._default(default, type_of(argument.annotation, self.types) if public else None)
        return [argument.arg for argument in plain]

    def _default(self, node: ast.expr, type_: Type | None) -> None:
        self._require_text(node)
        value = constant_of(node, {}) if is_plain(node) else node
        if not _is_storable(value) or (type_ is not None and not fits_type(value, type_)):
            self.flag("MC404", node)

    def annotation(self, node: ast.expr) -> None:
        if not is_annotation(node, self.types):
            self.flag("MC307", node)

    def new_local(self, node: ast.AST, name: str) -> None:
        if self.name(node, name) and name in self._taken:
            self.flag("MC203", node)


def _is_storable(value: Any) -> bool:
    try:
        check_value(value)
    except DecodeError:
        return False
    return len(encode(value)) <= MAX_STORED_BYTES


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
