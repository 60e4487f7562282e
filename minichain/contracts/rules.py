"""What the functions of a contract may do: every statement and expression, judged by the tables of `language`."""

from __future__ import annotations

import ast
import re

from minichain.contracts.abi import Interface, mark_of
from minichain.contracts.declared import NAME, Declarations
from minichain.contracts.language import (
    API,
    API_MODULE,
    BUILTINS,
    CALLABLE_API,
    CALLS,
    CHANGING,
    HINTS,
    MAX_LOOPS,
    METHOD_NAMES,
    METHODS,
    NODES,
    PARTS,
    RUN_ONCE,
    SELF,
    SHARED,
    TEST_TYPES,
)
from minichain.contracts.meter import walk
from minichain.contracts.types import Parameter, Type


class Rules(Declarations, ast.NodeVisitor):
    """Walks one tree and collects violations, and on the way what the contract is made of."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._locals: set[str] = set()
        self._loops = 0
        self._record_fields: set[str] = set()

    def module(self, tree: ast.Module) -> None:
        super().module(tree)
        self._record_fields = {field.name for type_ in self.types.values() for field in type_.fields}
        for name, node in self.helpers.items():
            if name not in self.part_of:
                self._function(node, in_method=False)
        for name, node in self.methods.items():
            if f"self.{name}" not in self.part_of:
                self._function(node, in_method=True)
        brought = {name: module for name, module in SHARED.items() if name in PARTS or name in self.part_of}
        modules = {**dict.fromkeys(API, API_MODULE), **brought}  # whether a function is imported itself or not
        for inner in walk(tree):
            if isinstance(inner, ast.Name) and inner.id in modules and inner.id not in self.imported:
                self.flag("MC202", inner, f"write `from {modules[inner.id]} import {inner.id}`")

    # functions

    def _function(self, node: ast.FunctionDef, *, in_method: bool) -> None:
        self._at, self.in_method = node, in_method
        mark = mark_of(node)
        if node.decorator_list and not (in_method and mark and node.name not in RUN_ONCE):
            self.flag("MC305", node.decorator_list[0])
        if getattr(node, "type_params", None):
            self.flag("MC306", node, construct=f"def {node.name}[...]")
        names = self.parameters(node, public=in_method and (bool(mark) or node.name in RUN_ONCE))
        if node.returns is not None:
            self.annotation(node.returns)
        stored = [inner for inner in walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)]
        self._locals = {*names, *(inner.id for inner in stored)}
        for statement in node.body:
            self.visit(statement)

    # statements and expressions

    def visit(self, node: ast.AST) -> None:
        if hasattr(node, "lineno"):
            self._at = node
        if type(node) in NODES:
            super().visit(node)
        else:
            self.flag(self.rule_of(node), node)

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
        self.annotation(node.annotation)
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
            case ast.Attribute(value=ast.Name(id="self"), attr=attr) if self.in_method:
                field = self.fields.get(attr)
                if field is None or field.keys:
                    self.flag("MC209", node)
            case ast.Attribute(value=owner):
                if self._is_copy(owner):
                    self.flag("MC123", node)
                self._field_of_record(node)
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
            case ast.Subscript(value=value) | ast.Attribute(value=value) | ast.Call(func=ast.Attribute(value=value)):
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
                self.new_local(node, node.id)
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
        self.constant(node)

    def visit_Name(self, node: ast.Name) -> None:
        name = node.id
        if name == "self":
            self.flag("MC206", node)
        elif name in self._locals or name in self.constants:
            pass  # a bad name was flagged where it was given
        elif name in self.interfaces:
            self.flag("MC314", node)
        elif name in BUILTINS or name in self.helpers or name in API or name in self.types or name in self.imported:
            self.flag("MC207", node)
        elif self.name(node, name):
            self.flag("MC202", node, HINTS.get(name, ""))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Check an attribute that is read; one that is called is checked by `visit_Call`."""
        if node.attr.startswith("_"):
            self.flag("MC201", node)
        elif not (isinstance(node.value, ast.Name) and node.value.id == "self" and self.in_method):
            self._field_of_record(node)
        elif node.attr in self.methods or node.attr in CALLS:
            self.flag("MC207", node)
        elif node.attr not in self.fields and node.attr not in SELF:
            self.flag("MC204", node)

    def _field_of_record(self, node: ast.Attribute) -> None:
        """Check an attribute of a value. Which record it is shows when it runs; that it has such a field, here."""
        if node.attr not in self._record_fields:
            known = ", ".join(sorted(self._record_fields))
            self.flag("MC204", node, f"records here have the fields {known}" if known else "")
        self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        match node.func:
            case ast.Name(id=name):
                self._function_call(node, node.func, name)
            case ast.Attribute(value=ast.Call(func=ast.Name(id=name)) as other) if name in self.interfaces:
                self._declared_call(node, self.interfaces[name], other, node.func.attr)
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
        elif name in self.types and self.types[name].fields:
            self._made_record(node, self.types[name])
        elif name in self.interfaces:
            self.flag("MC314", node)
        elif name not in BUILTINS and name not in self.helpers and name not in CALLABLE_API:
            self.visit_Name(func)

    def _made_record(self, node: ast.Call, type_: Type) -> None:
        given = [keyword.arg for keyword in node.keywords]
        known = [field.name for field in type_.fields]
        missing = [field.name for field in type_.fields if field.required and field.name not in given]
        if node.args or missing or not set(given) <= {*known, None} or len(set(given)) < len(given):
            self.flag("MC311", node, f"{type_.name} has the fields {_told(type_.fields)}")

    def _declared_call(self, node: ast.Call, interface: Interface, other: ast.Call, name: str) -> None:
        """Check Registry(name of a contract).method(arguments) against the interface."""
        method = interface.method(name)
        if len(other.args) != 1 or other.keywords:
            self.flag("MC314", other)
        for argument in other.args:
            self.visit(argument)
        if method is None:
            has = ", ".join(known.name for known in (*interface.actions, *interface.views))
            self.flag("MC201" if name.startswith("_") else "MC314", node.func, f"{interface.name} has {has}")
            return
        known = [parameter.name for parameter in method.parameters]
        given = [*known[: len(node.args)], *(keyword.arg for keyword in node.keywords if keyword.arg)]
        missing = [one.name for one in method.parameters if one.required and one.name not in given]
        too_many = len(node.args) > len(known) or len(set(given)) < len(given)
        if missing or too_many or not set(given) <= set(known):
            self.flag("MC314", node, f"write {interface.name}(...).{name}({_told(method.parameters)})")

    def _isinstance(self, node: ast.Call) -> None:
        kinds = node.args[1] if len(node.args) == 2 else None
        names = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
        records = {name for name, type_ in self.types.items() if type_.fields}
        if not all(isinstance(name, ast.Name) and name.id in TEST_TYPES | records for name in names):
            self.flag("MC210", node)

    def _emit(self, node: ast.Call) -> None:
        match node.args:
            case [ast.Constant(value=str() as name)] if NAME.fullmatch(name):
                self.events[name] = None
            case _:
                self.flag("MC309", node)

    def _method_call(self, func: ast.Attribute) -> None:
        match func:
            case ast.Attribute(attr=attr) if attr.startswith("_"):
                self.flag("MC201", func)
            case ast.Attribute(value=ast.Name(id="self"), attr=attr) if self.in_method:
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
        written = self.lines[node.lineno - 1].encode()[node.col_offset : node.end_col_offset]
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


def _told(parameters: tuple[Parameter, ...]) -> str:
    return ", ".join(f"{one.name}: {one.type}" + ("" if one.required else f" = {one.default!r}") for one in parameters)
