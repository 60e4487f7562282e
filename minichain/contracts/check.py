"""Read a contract: source text in; violations, its interface, or its compiled form out. Nothing of it is run.

Any text gives an answer, however hostile. The syntax tree is bounded before anything walks it recursively, and every
rule is decided by the tables of `language`. What passes here compiles: RestrictedPython is asked last.
"""

from __future__ import annotations

import ast
import re
import warnings
from functools import lru_cache
from typing import Any, Final

from minichain.codec import check_value
from minichain.contracts.abi import (
    PLAIN_CONSTANTS,
    Abi,
    Field,
    NotConstantError,
    Parameter,
    Type,
    as_tuples,
    constant_of,
    describe_method,
    fits,
    is_annotation,
    is_plain,
    key_types,
    mark_of,
    parameters_of,
    thaw,
    type_of,
)
from minichain.contracts.language import (
    API,
    BUILTINS,
    CALLABLE_API,
    CALLS,
    CHANGING,
    HINTS,
    IMPORTS,
    INT_BITS,
    MAX_LOOPS,
    MAX_NAME,
    METHOD_NAMES,
    METHODS,
    NODES,
    RULE_OF_NODE,
    RULES,
    RUN_ONCE,
    SELF,
    TAKEN_BY_RESTRICTED_PYTHON,
    TEST_TYPES,
    TYPES,
)
from minichain.contracts.meter import Compiled, compile_metered, walk
from minichain.contracts.source import (
    PARSER_ERRORS,
    Violation,
    decoded,
    language_error,
    parse,
    refuse,
    syntax_error,
)
from minichain.errors import DecodeError, LanguageError

MAX_VIOLATIONS: Final = 100  # more than anybody reads; bounds the work on hostile source
MAX_READ: Final = 64  # contracts kept compiled: to read a large one takes a tenth of a second

_NAME: Final = re.compile(rf"[A-Za-z_][A-Za-z0-9_]{{0,{MAX_NAME - 1}}}", re.ASCII)
_TAKEN: Final = frozenset(API) | frozenset(BUILTINS) | frozenset(TYPES) | TAKEN_BY_RESTRICTED_PYTHON | {"self"}


class Program:
    """A contract that was read and found good."""

    __slots__ = ("abi", "actions", "compiled", "constants", "fields", "views")

    def __init__(self, abi: Abi, compiled: Compiled, constants: dict[str, Any]) -> None:
        self.abi = abi
        self.compiled = compiled
        self.constants = constants
        self.actions = {method.name: method.parameters for method in abi.actions}
        self.views = {method.name: method.parameters for method in abi.views}
        self.fields = {field.name: field for field in abi.fields}

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


@lru_cache(maxsize=MAX_READ)
def read_contract(source: str | bytes) -> Program:
    """Check and compile a contract; raises `LanguageError`, which carries the violations.

    That is done once for all nodes of a process: a program never changes.
    """
    text = decoded(source)
    # Python must not print, or turn into errors, what it thinks of a contract's style: nodes would differ.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _read(text)
        except (MemoryError, RecursionError):
            raise refuse("MC004") from None


def _read(text: str) -> Program:
    tree = parse(text)
    checker = _Checker(text)
    checker.module(tree)
    if checker.found:
        raise language_error(checker.found)
    abi, constants = checker.abi(), checker.constants
    return Program(abi, _compile(checker), constants)


def _compile(checker: _Checker) -> Compiled:
    methods = {name: (node, mark_of(node) == "view") for name, node in checker.methods.items()}
    try:
        return compile_metered(methods, checker.helpers)
    except PARSER_ERRORS as error:
        if getattr(error, "lineno", None) is None:  # RestrictedPython's own words
            raise refuse("MC900", construct=str(error)[:200]) from None
        raise syntax_error(error) from None


# --- the rules ---------------------------------------------------------------------------------------------------


class _Checker(ast.NodeVisitor):
    """Walks one tree and collects violations, and on the way the parts of the contract."""

    def __init__(self, text: str) -> None:
        self.found: list[Violation] = []
        self.constants: dict[str, Any] = {}
        self.helpers: dict[str, ast.FunctionDef] = {}
        self.methods: dict[str, ast.FunctionDef] = {}
        self.fields: dict[str, Field] = {}
        self.events: dict[str, None] = {}
        self._contract: ast.ClassDef | None = None
        self._taken = set(_TAKEN)
        self._imported: set[str] = set()
        self._locals: set[str] = set()
        self._in_method = False
        self._loops = 0
        self._lines = text.split("\n")
        self._at: Any = ast.Pass(lineno=1, col_offset=0, end_lineno=1, end_col_offset=0)

    def flag(self, code: str, node: ast.AST | None = None, suggestion: str = "", construct: str = "") -> None:
        if len(self.found) >= MAX_VIOLATIONS:
            return
        place: Any = node if hasattr(node, "lineno") else self._at
        row = self._lines[min(place.lineno, len(self._lines)) - 1].encode()
        column = len(row[: place.col_offset].decode(errors="ignore")) + 1
        end = place.end_col_offset if place.end_lineno == place.lineno else None
        snippet = construct or row[place.col_offset : end].decode(errors="ignore")[:40].strip()
        rule = RULES[code]
        self.found.append(
            Violation(place.lineno, column, code, snippet, rule.explanation, suggestion or rule.suggestion)
        )

    def name(self, node: ast.AST, name: str) -> bool:
        """Check the spelling of a name that the source gives to something."""
        if not _NAME.fullmatch(name):
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
                self.flag("MC308", node)
            self._taken.add(name)

    # the module

    def module(self, tree: ast.Module) -> None:
        for statement in self._after_docstring(tree.body):
            self._module_statement(statement)
        if self._contract is None:
            self.flag("MC301", construct="the module")
        for node in self.helpers.values():
            self._function(node, in_method=False)
        for node in self.methods.values():
            self._function(node, in_method=True)
        for inner in walk(tree):
            if isinstance(inner, ast.Name) and inner.id in API and inner.id not in self._imported:
                self.flag("MC202", inner, f"write `from minichain.contracts.api import {inner.id}`")

    def _after_docstring(self, body: list[ast.stmt]) -> list[ast.stmt]:
        match body:
            case [ast.Expr(value=ast.Constant(value=str()) as words), *rest]:
                self.visit(words)
                return rest
        return body

    def _module_statement(self, node: ast.stmt) -> None:
        self._at = node
        match node:
            case ast.ImportFrom():
                self._import(node)
            case ast.Assign(targets=[ast.Name() as target], value=value):
                self._module_constant(target, value)
            case ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value):
                self._annotation(node.annotation)
                self._module_constant(target, value)
            case ast.FunctionDef():
                self.define(node, node.name)
                self.helpers[node.name] = node
            case ast.ClassDef():
                self._class(node)
            case _:
                self.flag("MC302" if type(node) in NODES else self._rule_of(node), node)

    def _import(self, node: ast.ImportFrom) -> None:
        allowed = IMPORTS.get(node.module or "", frozenset())
        for alias in node.names:
            if node.level or alias.asname or alias.name not in allowed:
                self.flag("MC101", node)
            self._imported.add(alias.name)

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
                self.visit_Constant(inner)

    # the contract

    def _class(self, node: ast.ClassDef) -> None:
        match node:
            case ast.ClassDef(bases=[ast.Name(id="Contract")], keywords=[], decorator_list=[]) if not self._contract:
                pass
            case _:
                self.flag("MC301", node, construct=f"class {node.name}")
                return
        if getattr(node, "type_params", None):
            self.flag("MC301", node, construct=f"class {node.name}[...]")
        self.define(node, node.name)
        self._contract = node
        for statement in self._after_docstring(node.body):
            self._at = statement
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
                    self.flag("MC303" if type(statement) in NODES else self._rule_of(statement), statement)

    def _member(self, node: ast.AST, name: str) -> None:
        if self.name(node, name) and (name in self.methods or name in self.fields or name in SELF):
            self.flag("MC308", node)

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
                keys, type_ = key_types(key), type_of(kind)
                field = Field(target.id, type_, keys) if type_ and keys else None
        if field is None:
            self.flag("MC304", value)
        self.fields[target.id] = field or Field(target.id, Type("int"))

    def _value_field(self, name: str, kind: ast.expr, default: ast.expr | None) -> Field | None:
        type_ = type_of(kind)
        if type_ is None:
            return None
        if default is None:
            return Field(name, type_, default=type_.zero())
        self._require_text(default)
        try:
            value = thaw(constant_of(as_tuples(default), self.constants))
        except NotConstantError:
            return None
        return Field(name, type_, default=value) if _is_storable(value) and fits(value, type_) else None

    # functions

    def _function(self, node: ast.FunctionDef, *, in_method: bool) -> None:
        self._at, self._in_method = node, in_method
        mark = mark_of(node)
        if node.decorator_list and not (in_method and mark and node.name not in RUN_ONCE):
            self.flag("MC305", node.decorator_list[0])
        if getattr(node, "type_params", None):
            self.flag("MC306", node, construct=f"def {node.name}[...]")
        names = self._parameters(node, public=in_method and (bool(mark) or node.name in RUN_ONCE))
        if node.returns is not None:
            self._annotation(node.returns)
        stored = [inner for inner in walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)]
        self._locals = {*names, *(inner.id for inner in stored)}
        for statement in node.body:
            self.visit(statement)

    def _parameters(self, node: ast.FunctionDef, *, public: bool) -> list[str]:
        args = node.args
        if args.posonlyargs or args.kwonlyargs or args.vararg or args.kwarg:
            self.flag("MC306", node, construct=f"def {node.name}(...)")
        plain = list(args.args)
        if self._in_method:
            if not plain or plain[0].arg != "self" or len(args.defaults) >= len(plain):
                self.flag("MC306", node, construct=f"def {node.name}(...)")
            plain = plain[1:]
        for argument in plain:
            self._new_local(argument, argument.arg)
            if public and type_of(argument.annotation) is None:
                self.flag("MC307", argument)
            elif argument.annotation is not None:
                self._annotation(argument.annotation)
        for argument, default in zip(reversed(plain), reversed(args.defaults), strict=False):
            self._default(default, type_of(argument.annotation) if public else None)
        return [argument.arg for argument in plain]

    def _default(self, node: ast.expr, type_: Type | None) -> None:
        self._require_text(node)
        value = constant_of(node, {}) if is_plain(node) else node
        if not _is_storable(value) or (type_ is not None and not fits(value, type_)):
            self.flag("MC404", node)

    def _annotation(self, node: ast.expr) -> None:
        if not is_annotation(node):
            self.flag("MC307", node)

    def _new_local(self, node: ast.AST, name: str) -> None:
        if self.name(node, name) and name in self._taken:
            self.flag("MC203", node)

    # statements and expressions

    def visit(self, node: ast.AST) -> None:
        if hasattr(node, "lineno"):
            self._at = node
        if type(node) in NODES:
            super().visit(node)
        else:
            self.flag(self._rule_of(node), node)

    def _rule_of(self, node: ast.AST) -> str:
        return RULE_OF_NODE.get(type(node).__name__, "MC100")

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.flag("MC101", node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.flag("MC105", node, construct=f"def {node.name}")

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.flag("MC108", node, construct=f"class {node.name}")

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        if len(node.targets) != 1:
            self.flag("MC119", node)
        for target in node.targets:
            self._target(target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._annotation(node.annotation)
        if node.value is None:
            self.flag("MC119", node)
        else:
            self.visit(node.value)
        self._target(node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.op)
        self.visit(node.value)
        self._target(node.target)

    def _target(self, node: ast.expr) -> None:
        match node:
            case ast.Name() | ast.Tuple():
                self._names(node)
            case ast.Subscript(slice=ast.Slice()):
                self.flag("MC121", node)
            case ast.Subscript():
                self._changed_item(node)
            case ast.Attribute(attr=attr) if attr.startswith("_"):
                self.flag("MC201", node)
            case ast.Attribute(value=ast.Name(id="self"), attr=attr) if self._in_method:
                field = self.fields.get(attr)
                if field is None or field.keys:
                    self.flag("MC209", node)
            case ast.Attribute():
                self.flag("MC204", node)
            case ast.Starred():
                self.flag("MC111", node)
            case _:
                self.flag("MC119", node)

    def _changed_item(self, node: ast.Subscript) -> None:
        if self._is_copy(node.value):
            self.flag("MC123", node)
        self.visit(node.value)
        self.visit(node.slice)

    def _is_copy(self, node: ast.expr) -> bool:
        """Tell whether an expression reads a stored value, or a part of one."""
        match node:
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                return name in self.fields and not self._is_map(node)
            case ast.Subscript(value=value) | ast.Call(func=ast.Attribute(value=value)):
                return self._is_map(value) or self._is_copy(value)
        return False

    def _is_map(self, node: ast.expr) -> bool:
        match node:
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                return name in self.fields and bool(self.fields[name].keys)
        return False

    def _names(self, node: ast.expr) -> None:
        """Check names to be filled: `a`, or `(a, (b, c))`."""
        match node:
            case ast.Name():
                self._new_local(node, node.id)
            case ast.Tuple(elts=[_, *_]):
                for item in node.elts:
                    self._names(item)
            case ast.Starred():
                self.flag("MC111", node)
            case _:
                self.flag("MC119", node)

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            match target:
                case ast.Subscript(slice=ast.Slice()):
                    self.flag("MC121", target)
                case ast.Subscript():
                    self._changed_item(target)
                case _:
                    self.flag("MC114", target)

    def visit_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        self._names(node.target)
        self._loop(node)

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        self._loop(node)

    def _loop(self, node: ast.For | ast.While) -> None:
        self._enter_loop(node)
        for statement in node.body:
            self.visit(statement)
        self._loops -= 1
        if node.orelse:
            self.flag("MC120", node.orelse[0])

    def _enter_loop(self, node: ast.AST) -> None:
        self._loops += 1
        if self._loops > MAX_LOOPS:
            self.flag("MC004", node)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._rounds(node, node.generators)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._rounds(node, node.generators)

    def _rounds(self, node: ast.expr, generators: list[ast.comprehension]) -> None:
        for _ in generators:
            self._enter_loop(node)
        self.generic_visit(node)
        self._loops -= len(generators)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        if node.is_async:
            self.flag("MC107")
        self.visit(node.iter)
        self._names(node.target)
        for condition in node.ifs:
            self.visit(condition)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if not isinstance(value, PLAIN_CONSTANTS):
            self.flag("MC115", node)
        elif isinstance(value, int) and value.bit_length() > INT_BITS:
            self.flag("MC401", node)
        elif isinstance(value, str) and not _is_unicode(value):
            self.flag("MC402", node)

    def visit_Name(self, node: ast.Name) -> None:
        name = node.id
        if name == "self":
            self.flag("MC206", node)
        elif name in self._locals or name in self.constants:
            pass  # a bad name was flagged where it was given
        elif name in BUILTINS or name in self.helpers or name in API or name in TYPES:
            self.flag("MC207", node)
        elif self.name(node, name):
            self.flag("MC202", node, HINTS.get(name, ""))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Check an attribute that is read; one that is called is checked by `visit_Call`."""
        if node.attr.startswith("_"):
            self.flag("MC201", node)
        elif not (isinstance(node.value, ast.Name) and node.value.id == "self" and self._in_method):
            self.flag("MC204", node)
        elif node.attr in self.methods or node.attr in CALLS:
            self.flag("MC207", node)
        elif node.attr not in self.fields and node.attr not in SELF:
            self.flag("MC204", node)

    def visit_Call(self, node: ast.Call) -> None:
        match node.func:
            case ast.Name(id=name):
                self._function_call(node, node.func, name)
            case ast.Attribute():
                self._method_call(node.func)
            case _:
                self.flag("MC207", node.func)
        for number, argument in enumerate(node.args):
            if not (number == 1 and isinstance(node.func, ast.Name) and node.func.id == "isinstance"):
                self.visit(argument)
        for keyword in node.keywords:
            if keyword.arg is None:
                self.flag("MC111", keyword.value)
            else:
                self.name(keyword, keyword.arg)
                self.visit(keyword.value)

    def _function_call(self, node: ast.Call, func: ast.Name, name: str) -> None:
        if name in self._locals or name in self.constants:
            self.flag("MC207", func)
        elif name == "isinstance":
            self._isinstance(node)
        elif name == "emit":
            self._emit(node)
        elif name not in BUILTINS and name not in self.helpers and name not in CALLABLE_API:
            self.visit_Name(func)

    def _isinstance(self, node: ast.Call) -> None:
        kinds = node.args[1] if len(node.args) == 2 else None
        names = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
        if not all(isinstance(name, ast.Name) and name.id in TEST_TYPES for name in names):
            self.flag("MC210", node)

    def _emit(self, node: ast.Call) -> None:
        match node.args:
            case [ast.Constant(value=str() as name)] if _NAME.fullmatch(name):
                self.events[name] = None
            case _:
                self.flag("MC309", node)

    def _method_call(self, func: ast.Attribute) -> None:
        match func:
            case ast.Attribute(attr=attr) if attr.startswith("_"):
                self.flag("MC201", func)
            case ast.Attribute(value=ast.Name(id="self"), attr=attr) if self._in_method:
                if attr not in self.methods and attr not in CALLS:
                    self.flag("MC204", func)
            case ast.Attribute(value=value, attr=attr):
                if attr not in (METHODS["Map"] if self._is_map(value) else METHOD_NAMES):
                    self.flag("MC205", func, HINTS.get(attr, ""))
                elif attr in CHANGING and self._is_copy(value):
                    self.flag("MC123", func)
                self.visit(value)

    def visit_Compare(self, node: ast.Compare) -> None:
        self.generic_visit(node)
        for operator, right in zip(node.ops, node.comparators, strict=True):
            is_none = isinstance(right, ast.Constant) and right.value is None
            if isinstance(operator, ast.Is | ast.IsNot) and not (is_none and len(node.ops) == 1):
                self.flag("MC117", node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.visit(node.value)
        if isinstance(node.slice, ast.Slice):
            self.generic_visit(node.slice)
        else:
            self.visit(node.slice)

    def visit_Slice(self, node: ast.Slice) -> None:
        self.flag("MC121", node)

    def visit_Dict(self, node: ast.Dict) -> None:
        if None in node.keys:
            self.flag("MC122", node)
        self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Accept only what Python 3.11 and later read alike."""
        written = self._lines[node.lineno - 1].encode()[node.col_offset : node.end_col_offset]
        if node.lineno != node.end_lineno or re.search(rb":\s*}", written):  # Pythons differ over an empty format
            self.flag("MC118", node)
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self._formatted(node, part)
            else:
                self.visit(part)

    def _formatted(self, whole: ast.JoinedStr, part: ast.FormattedValue) -> None:
        refused = [
            inner
            for inner in walk(part.value)
            if isinstance(inner, ast.JoinedStr | ast.Dict | ast.DictComp)
            or (isinstance(inner, ast.Constant) and isinstance(inner.value, str | bytes))
        ]
        if refused or part.conversion != -1 or part.format_spec is not None:
            self.flag("MC118", whole)
        else:
            self.visit(part.value)

    # the interface

    def abi(self) -> Abi:
        """Describe the contract; only after no violation was found."""
        assert self._contract is not None
        setup, migrate = self.methods.get("setup"), self.methods.get("migrate")
        return Abi(
            self._contract.name,
            ast.get_docstring(self._contract) or "",
            parameters_of(setup) if setup else (),
            tuple(describe_method(node) for node in self.methods.values() if mark_of(node) == "action"),
            tuple(describe_method(node) for node in self.methods.values() if mark_of(node) == "view"),
            tuple(self.fields.values()),
            tuple(self.events),
            parameters_of(migrate) if migrate else (),
        )


def _is_storable(value: Any) -> bool:
    try:
        check_value(value)
    except DecodeError:
        return False
    return True


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
